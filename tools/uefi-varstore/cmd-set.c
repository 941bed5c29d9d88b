/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: set a variable
 */

#include "qemu/osdep.h"
#include "tool.h"

static char *opt_hex;
static char *opt_text;
static char *opt_file;
static GBytes *opt_value;       /* of an option that names its type */
static unsigned opt_values;     /* how many of those there were */
static gboolean opt_force;

static GBytes *read_hex(const char *text)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();

    for (; *text; text++) {
        uint8_t byte;

        if (g_ascii_isspace(*text)) {
            continue;
        }
        if (!g_ascii_isxdigit(text[0]) || !g_ascii_isxdigit(text[1])) {
            tool_fail("--hex: '%.10s' is no byte in hexadecimal", text);
            return NULL;
        }
        byte = g_ascii_xdigit_value(text[0]) << 4 |
               g_ascii_xdigit_value(text[1]);
        g_byte_array_append(bytes, &byte, 1);
        text++;
    }
    return g_byte_array_free_to_bytes(g_steal_pointer(&bytes));
}

static void take_value(const void *data, size_t size)
{
    g_clear_pointer(&opt_value, g_bytes_unref);
    opt_value = g_bytes_new(data, size);
    opt_values++;
}

/* --u8 to --u64 */
static gboolean parse_number(const char *option, const char *text,
                             gpointer opaque, GError **err)
{
    unsigned bits = g_ascii_strtoull(option + strlen("--u"), NULL, 10);
    bool hex = g_str_has_prefix(text, "0x");
    uint64_t max = UINT64_MAX >> (64 - bits);
    guint64 value;
    uint8_t data[8];
    UefiMsg msg;

    if (!g_ascii_string_to_unsigned(hex ? text + 2 : text, hex ? 16 : 10, 0,
                                    max, &value, NULL)) {
        g_set_error(err, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    "%s: '%s' is no number of %u bits", option, text, bits);
        return FALSE;
    }
    uefi_msg_init(&msg, data, sizeof(data), 8);
    uefi_msg_put_u64(&msg, value);
    take_value(data, bits / 8);
    return TRUE;
}

/* --true, --false */
static gboolean parse_switch(const char *option, const char *text,
                             gpointer opaque, GError **err)
{
    const uint8_t value = !strcmp(option, "--true");

    take_value(&value, 1);
    return TRUE;
}

static gboolean parse_ucs2(const char *option, const char *text,
                           gpointer opaque, GError **err)
{
    g_autofree uint16_t *str = g_utf8_to_utf16(text, -1, NULL, NULL, err);
    size_t size = str ? uefi_str_size(str) : 0;
    g_autofree uint8_t *data = g_malloc(size);
    UefiMsg msg;

    if (!str) {
        return FALSE;
    }
    uefi_msg_init(&msg, data, size, 8);
    uefi_msg_put_str(&msg, str);
    take_value(data, size);
    return TRUE;
}

static GBytes *read_value(void)
{
    g_autoptr(GBytes) value = NULL;

    if (opt_value) {
        value = g_bytes_ref(opt_value);
    } else if (opt_hex) {
        value = read_hex(opt_hex);
    } else if (opt_text) {
        value = g_bytes_new(opt_text, strlen(opt_text));
    } else {
        value = tool_read_file(opt_file);
    }
    if (value && !g_bytes_get_size(value)) {
        tool_fail("the value is empty; 'rm' removes a variable");
        return NULL;
    }
    return g_steal_pointer(&value);
}

/* What nothing could read again is refused even if it is forced. */
static bool check_variable(const ToolStore *s, const UefiVariable *var,
                           const char *name)
{
    g_autofree char *broken = NULL;

    if (!tool_check_attributes(&s->uv->config.limits, var->attributes)) {
        return false;
    }
    if (!(var->attributes & EFI_ATTR_NV)) {
        tool_fail("a stored variable has NV among its attributes");
        return false;
    }
    broken = opt_force ? NULL : tool_rule_broken(s, var);
    if (broken) {
        tool_fail("'%s' is refused, as no guest could set it so: %s (see "
                  "--force)", name, broken);
    }
    return !broken;
}

/* The variable to write, from what is stored, what is known and the options */
static UefiVariable *make_variable(const ToolStore *s,
                                   const UefiVariable *old, const char *name,
                                   const UefiGuid *vendor, GBytes *value)
{
    const UefiKnown *known = tool_known(name);
    uint32_t attributes = EFI_ATTR_NV | EFI_ATTR_BS | EFI_ATTR_RT;
    g_autofree uint16_t *str = NULL;
    g_autoptr(UefiVariable) var = NULL;
    UefiGuid guid;

    if (!old && !vendor) {
        tool_fail("the vendor of a new variable '%s' is not known, use "
                  "--guid", name);
        return NULL;
    }
    guid = old ? old->guid : *vendor;
    if (old) {
        attributes = old->attributes;
    } else if (known && uefi_guid_equal(&guid, known->guid)) {
        attributes = known->property.attributes;
    }
    if (tool_options.has_attributes) {
        attributes = tool_options.attributes;
    }
    str = old ? uefi_str_dup(old->name) : tool_read_name(name);
    if (!str) {
        return NULL;
    }
    var = uefi_variable_new(&guid, str, attributes, g_bytes_ref(value));
    if (old && (attributes & EFI_ATTR_AT)) {
        /* an update signed before that time stays refused, its signer too */
        var->time = old->time;
        var->binding = old->binding ? g_bytes_ref(old->binding) : NULL;
    }
    if (!check_variable(s, var, name)) {
        return NULL;
    }
    return g_steal_pointer(&var);
}

static int run_set(char **args)
{
    g_autoptr(UefiVarChange) change = uefi_var_change_new();
    g_autoptr(GBytes) value = NULL;
    g_autoptr(ToolStore) s = NULL;
    g_autoptr(GError) err = NULL;
    const UefiKnown *known = tool_known(args[1]);
    const UefiVariable *old;
    UefiVariable *var;
    const UefiGuid *vendor = tool_options.vendor;
    bool ambiguous;

    if (!!opt_hex + !!opt_text + !!opt_file + opt_values != 1) {
        return tool_usage("one value is needed, such as --hex or --u16");
    }
    value = read_value();
    s = value ? tool_open(args[0], TOOL_CREATE) : NULL;
    if (!s) {
        return TOOL_FAILED;
    }
    tool_configure(s);
    if (!vendor && known) {
        vendor = known->guid;
    }
    old = tool_find(s, args[1], vendor, &ambiguous);
    if (ambiguous) {
        return tool_fail("there are several variables '%s', use --guid",
                         args[1]);
    }
    var = make_variable(s, old, args[1], vendor, value);
    if (!var) {
        return TOOL_FAILED;
    }
    uefi_var_change_add(change, var);
    if (!tool_store_commit(s, change, &err)) {
        return tool_fail_with(err);
    }
    return TOOL_OK;
}

static const GOptionEntry set_options[] = {
    TOOL_OPTION_GUID,
    TOOL_OPTION_ATTRIBUTES,
    { "hex", 'x', 0, G_OPTION_ARG_STRING, &opt_hex,
      "Value in hexadecimal", "DIGITS" },
    /* as typed, whatever the locale */
    { "text", 0, 0, G_OPTION_ARG_FILENAME, &opt_text,
      "Value as text, without a terminator", "TEXT" },
    { "file", 0, 0, G_OPTION_ARG_FILENAME, &opt_file,
      "Read the value from PATH, or standard input for -", "PATH" },
    { "u8", 0, 0, G_OPTION_ARG_CALLBACK, parse_number,
      "Value as a number of 8 bits", "NUMBER" },
    { "u16", 0, 0, G_OPTION_ARG_CALLBACK, parse_number,
      "Value as a number of 16 bits", "NUMBER" },
    { "u32", 0, 0, G_OPTION_ARG_CALLBACK, parse_number,
      "Value as a number of 32 bits", "NUMBER" },
    { "u64", 0, 0, G_OPTION_ARG_CALLBACK, parse_number,
      "Value as a number of 64 bits", "NUMBER" },
    { "ucs2", 0, G_OPTION_FLAG_FILENAME, G_OPTION_ARG_CALLBACK, parse_ucs2,
      "Value as text of 16-bit units, with a terminator", "TEXT" },
    { "true", 0, G_OPTION_FLAG_NO_ARG, G_OPTION_ARG_CALLBACK, parse_switch,
      "Value of one byte, 1", NULL },
    { "false", 0, G_OPTION_FLAG_NO_ARG, G_OPTION_ARG_CALLBACK, parse_switch,
      "Value of one byte, 0", NULL },
    { "force", 0, 0, G_OPTION_ARG_NONE, &opt_force,
      "Set what the device would refuse", NULL },
    TOOL_OPTION_SIZE, TOOL_OPTION_HWERR_QUOTA,
    TOOL_OPTION_OLD('a', CALLBACK, tool_option_attributes),
    TOOL_OPTION_OLD('t', FILENAME, &opt_text),
    TOOL_OPTION_OLD('f', FILENAME, &opt_file),
    TOOL_OPTION_IN_PLACE, TOOL_OPTION_DICTIONARY,
    { }
};

const ToolCommand tool_cmd_set = {
    .name = "set",
    .arguments = "FILE NAME",
    .summary = "Set a variable.",
    .options = set_options,
    .min_args = 2,
    .max_args = 2,
    .run = run_set,
};
