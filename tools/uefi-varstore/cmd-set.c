/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: set a variable
 */

#include "qemu/osdep.h"
#include "tool.h"
#include "hw/uefi/var-service-api.h"
#include "hw/uefi/var-service-siglist.h"

/* A message that carries a variable: headers of 2.1, 3.1 and 3.3, in bytes */
#define MESSAGE_HEADERS (EFI_MM_HEADER_SIZE_64 + 16 + 36)

static char *opt_hex;
static char *opt_text;
static char *opt_file;

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

static GBytes *read_value(void)
{
    g_autoptr(GBytes) value = NULL;

    if (opt_hex) {
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

/* Made anew from keys, settings, and the signers of other variables */
static bool is_derived(const UefiKnown *known, const UefiGuid *guid,
                       const char *name)
{
    /* of firmware that knows more modes than ours */
    static const char *const others[] = {
        "AuditMode", "DeployedMode", NULL
    };

    return (known->kind == UEFI_KNOWN_KIND_STATE &&
            known->id != UEFI_KNOWN_VENDOR_KEYS_NV) ||
           (uefi_guid_equal(guid, &uefi_guid_global) &&
            g_strv_contains(others, name));
}

static bool check_value(const UefiGuid *guid, const uint16_t *str,
                        const char *name, uint32_t attributes, GBytes *value)
{
    const UefiKnown *known = uefi_known_find(guid, str);
    bool keys = known->kind != UEFI_KNOWN_KIND_STATE &&
                (known->property.attributes & EFI_ATTR_AT);
    size_t size;
    const uint8_t *data = g_bytes_get_data(value, &size);

    if (!(attributes & EFI_ATTR_NV)) {
        tool_fail("a stored variable has NV among its attributes");
        return false;
    }
    if (is_derived(known, guid, name)) {
        tool_fail("'%s' is made from other variables, and not stored", name);
        return false;
    }
    if (keys && !(attributes & EFI_ATTR_AT)) {
        tool_fail("'%s' needs AT among its attributes", name);
        return false;
    }
    if (keys && uefi_siglist_check(data, size, known->id == UEFI_KNOWN_PK) !=
                UEFI_REASON_OK) {
        tool_fail("'%s' has to be a valid signature list (ESL)", name);
        return false;
    }
    return true;
}

/* The variable to write, from what is stored, what is known and the options */
static UefiVariable *make_variable(const ToolStore *s,
                                   const UefiVariable *old, const char *name,
                                   const UefiGuid *vendor, GBytes *value)
{
    const UefiKnown *known = tool_known(name);
    uint32_t attributes = EFI_ATTR_NV | EFI_ATTR_BS | EFI_ATTR_RT;
    g_autofree uint16_t *str = NULL;
    UefiVariable *var;
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
    if (!str || !tool_check_attributes(&s->uv->config.limits, attributes) ||
        !check_value(&guid, str, name, attributes, value)) {
        return NULL;
    }
    if (uefi_str_size(str) + g_bytes_get_size(value) >
        UEFI_VARS_MAX_BUFFER_SIZE - MESSAGE_HEADERS) {
        tool_fail("'%s' would be too large for a guest to read", name);
        return NULL;
    }
    var = uefi_variable_new(&guid, str, attributes, g_bytes_ref(value));
    if (old && (attributes & EFI_ATTR_AT)) {
        /* an update signed before that time stays refused, its signer too */
        var->time = old->time;
        var->binding = old->binding ? g_bytes_ref(old->binding) : NULL;
    }
    return var;
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

    if (!!opt_hex + !!opt_text + !!opt_file != 1) {
        return tool_usage("one of --hex, --text and --file is needed");
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
    TOOL_OPTION_SIZE, TOOL_OPTION_HWERR_QUOTA,
    TOOL_OPTION_OLD('a', CALLBACK, tool_option_attributes),
    TOOL_OPTION_OLD('t', FILENAME, &opt_text),
    TOOL_OPTION_OLD('f', FILENAME, &opt_file),
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
