/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: the commands
 */

#include "qemu/osdep.h"
#include "tool.h"
#include "hw/uefi/var-service-api.h"
#include "hw/uefi/var-service-siglist.h"
#include "hw/uefi/var-service-text.h"

/* A message that carries a variable: headers of 2.1, 3.1 and 3.3, in bytes */
#define MESSAGE_HEADERS (EFI_MM_HEADER_SIZE_64 + 16 + 36)

/* Options; a command has those in its list, and is run once. */
static gboolean opt_json;
static gboolean opt_raw;
static gboolean opt_hexdump;
static gboolean opt_force;
static char *opt_vendor;
static char *opt_attributes;
static char *opt_hex;
static char *opt_text;
static char *opt_file;
gint64 tool_size = UEFI_LIMIT_NV_SIZE;
gint64 tool_hwerr_quota = UEFI_LIMIT_HWERR_QUOTA;

#define OPTION_JSON \
    { "json", 'j', 0, G_OPTION_ARG_NONE, &opt_json, \
      "Print JSON instead of text", NULL }
#define OPTION_VENDOR \
    { "guid", 'g', 0, G_OPTION_ARG_STRING, &opt_vendor, \
      "Vendor of the variable, by GUID or known name", "GUID" }

/* ------------------------------------------------------------------------ */

static int fail_with(const GError *err)
{
    return tool_fail("%s", err->message);
}

static void print_warnings(const ToolStore *s, const char *path)
{
    for (guint i = 0; i < s->warnings->len; i++) {
        fprintf(stderr, TOOL_NAME ": %s: warning: %s\n", path,
                (char *)s->warnings->pdata[i]);
    }
}

bool tool_check_limits(void)
{
    if (tool_size < UEFI_LIMIT_NV_SIZE_MIN ||
        tool_size > UEFI_LIMIT_NV_SIZE_MAX) {
        tool_fail("--size is between %d and %d", UEFI_LIMIT_NV_SIZE_MIN,
                  UEFI_LIMIT_NV_SIZE_MAX);
        return false;
    }
    if (tool_hwerr_quota < 0 ||
        tool_hwerr_quota > tool_size - UEFI_LIMIT_NV_SIZE_MIN) {
        tool_fail("--hwerr-quota is between 0 and %" PRIi64,
                  tool_size - UEFI_LIMIT_NV_SIZE_MIN);
        return false;
    }
    return true;
}

void tool_configure(ToolStore *s)
{
    s->uv->config.limits.nv_size = tool_size;
    s->uv->config.limits.hwerr_quota = tool_hwerr_quota;
}

ToolStore *tool_open(const char *path, ToolAccess access)
{
    g_autoptr(GError) err = NULL;
    ToolStore *s = tool_store_open(path, access, &err);

    if (s) {
        print_warnings(s, path);
    } else {
        fail_with(err);
    }
    return s;
}

/*
 * The GUID of --guid, in @buf, or NULL without that option.  Returns false
 * with a message when it is no vendor.
 */
static bool get_vendor(UefiGuid *buf, const UefiGuid **vendor)
{
    *vendor = NULL;
    if (!opt_vendor) {
        return true;
    }
    if (!tool_parse_vendor(opt_vendor, buf)) {
        tool_fail("'%s' is neither a GUID nor a known vendor", opt_vendor);
        return false;
    }
    *vendor = buf;
    return true;
}

/*
 * The only variable called @name, of @vendor unless that is NULL.  A name is
 * what 'list' shows.  Returns NULL when there is none, and with @ambiguous
 * set when there are several.
 */
static const UefiVariable *find(const ToolStore *s, const char *name,
                                const UefiGuid *vendor, bool *ambiguous)
{
    const UefiVariable *var = NULL, *found = NULL;

    *ambiguous = false;
    while ((var = tool_store_next(s, var))) {
        g_autofree char *text = uefi_str_print(var->name);

        if (strcmp(text, name) ||
            (vendor && !uefi_guid_equal(&var->guid, vendor))) {
            continue;
        }
        if (found) {
            *ambiguous = true;
            return NULL;
        }
        found = var;
    }
    return found;
}

static const UefiVariable *find_or_fail(const ToolStore *s, const char *name,
                                        const UefiGuid *vendor)
{
    bool ambiguous;
    const UefiVariable *var = find(s, name, vendor, &ambiguous);

    if (!var) {
        tool_fail(ambiguous ? "there are several variables '%s', use --guid"
                            : "there is no variable '%s'", name);
    }
    return var;
}

/* ------------------------------------------------------------------------ */
/* list */

static bool selected(const UefiVariable *var, const UefiGuid *vendor,
                     char **globs)
{
    g_autofree char *name = uefi_str_print(var->name);

    if (vendor && !uefi_guid_equal(&var->guid, vendor)) {
        return false;
    }
    for (char **glob = globs; *glob; glob++) {
        if (g_pattern_match_simple(*glob, name)) {
            return true;
        }
    }
    return !*globs;
}

enum { COLUMN_NAME, COLUMN_VENDOR, COLUMN_ATTR, COLUMN_SIZE, COLUMN_TIME,
       COLUMN__MAX };

static char **table_row(const UefiVariable *var)
{
    char **row = g_new0(char *, COLUMN__MAX + 1);

    row[COLUMN_NAME] = uefi_str_print(var->name);
    row[COLUMN_VENDOR] = tool_vendor(&var->guid);
    row[COLUMN_ATTR] = tool_attributes(var->attributes);
    row[COLUMN_SIZE] = g_strdup_printf("%zu", g_bytes_get_size(var->data));
    row[COLUMN_TIME] = var->attributes & EFI_ATTR_AT ? tool_time(&var->time)
                                                     : g_strdup("-");
    return row;
}

static void print_table(GPtrArray *rows)
{
    int width[COLUMN__MAX] = { };

    for (guint i = 0; i < rows->len; i++) {
        char **row = rows->pdata[i];

        for (int c = 0; c < COLUMN__MAX; c++) {
            width[c] = MAX(width[c], (int)g_utf8_strlen(row[c], -1));
        }
    }
    for (guint i = 0; i < rows->len; i++) {
        char **row = rows->pdata[i];

        for (int c = 0; c < COLUMN_TIME; c++) {
            int fill = width[c] - (int)g_utf8_strlen(row[c], -1);
            bool right = c == COLUMN_SIZE;

            printf("%*s%s%*s  ", right ? fill : 0, "", row[c],
                   right ? 0 : fill, "");
        }
        printf("%s\n", row[COLUMN_TIME]);
    }
}

/* The selected variables as a document that is a store itself */
static void print_selection(const ToolStore *s, const UefiGuid *vendor,
                            char **globs)
{
    g_autoptr(GString) out = g_string_new(NULL);
    const UefiVariable *var = NULL;
    const char *separator = "\n";

    g_string_append_printf(out, "{\"version\": %d, \"variables\": [",
                           UEFI_TEXT_VERSION);
    while ((var = tool_store_next(s, var))) {
        if (selected(var, vendor, globs)) {
            g_string_append(out, separator);
            uefi_text_print_variable(out, var);
            separator = ",\n";
        }
    }
    printf("%s\n]}\n", out->str);
}

static int run_list(char **args)
{
    g_autoptr(GPtrArray) rows =
        g_ptr_array_new_with_free_func((GDestroyNotify)g_strfreev);
    g_autoptr(ToolStore) s = NULL;
    const UefiVariable *var = NULL;
    const UefiGuid *vendor;
    UefiGuid guid;

    if (!get_vendor(&guid, &vendor)) {
        return TOOL_FAILED;
    }
    s = tool_open(args[0], TOOL_READ);
    if (!s) {
        return TOOL_FAILED;
    }
    if (opt_json) {
        print_selection(s, vendor, args + 1);
        return TOOL_OK;
    }
    while ((var = tool_store_next(s, var))) {
        if (selected(var, vendor, args + 1)) {
            g_ptr_array_add(rows, table_row(var));
        }
    }
    print_table(rows);
    return TOOL_OK;
}

static const GOptionEntry list_options[] = {
    OPTION_JSON, OPTION_VENDOR, { }
};

/* ------------------------------------------------------------------------ */
/* get */

static void print_text(const UefiVariable *var)
{
    g_autoptr(GString) out = g_string_new(NULL);
    g_autofree char *name = uefi_str_print(var->name);
    g_autofree char *vendor = uefi_guid_print(&var->guid);
    g_autofree char *attributes = tool_attributes(var->attributes);
    const char *known = tool_vendor_name(&var->guid);
    size_t size;
    const uint8_t *data = g_bytes_get_data(var->data, &size);

    g_string_append_printf(out, "name: %s\nvendor: %s%s%s%s\n"
                           "attributes: %s\nsize: %zu\n", name, vendor,
                           known ? " (" : "", known ?: "", known ? ")" : "",
                           attributes, size);
    if (var->attributes & EFI_ATTR_AT) {
        g_autofree char *time = tool_time(&var->time);

        g_string_append_printf(out, "time: %s\n", time);
    }
    g_string_append_c(out, '\n');
    if (opt_hexdump || !tool_decode(out, var)) {
        tool_hexdump(out, data, size);
    }
    fputs(out->str, stdout);
}

static int run_get(char **args)
{
    g_autoptr(ToolStore) s = NULL;
    const UefiVariable *var;
    const UefiGuid *vendor;
    UefiGuid guid;

    if (!get_vendor(&guid, &vendor)) {
        return TOOL_FAILED;
    }
    s = tool_open(args[0], TOOL_READ);
    var = s ? find_or_fail(s, args[1], vendor) : NULL;
    if (!var) {
        return TOOL_FAILED;
    }
    if (opt_raw) {
        fwrite(g_bytes_get_data(var->data, NULL), 1,
               g_bytes_get_size(var->data), stdout);
    } else if (opt_json) {
        g_autoptr(GString) out = g_string_new(NULL);

        uefi_text_print_variable(out, var);
        printf("%s\n", out->str);
    } else {
        print_text(var);
    }
    return TOOL_OK;
}

static const GOptionEntry get_options[] = {
    OPTION_JSON, OPTION_VENDOR,
    { "raw", 'r', 0, G_OPTION_ARG_NONE, &opt_raw,
      "Print the bytes of the value and nothing else", NULL },
    { "hexdump", 'x', 0, G_OPTION_ARG_NONE, &opt_hexdump,
      "Print a hex dump even where the meaning is known", NULL },
    { }
};

/* ------------------------------------------------------------------------ */
/* set */

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

static GBytes *read_stream(FILE *in, const char *name)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    uint8_t buf[4096];
    size_t count;

    while ((count = fread(buf, 1, sizeof(buf), in))) {
        g_byte_array_append(bytes, buf, count);
        if (bytes->len > UEFI_VAR_FILE_LIMIT) {
            tool_fail("%s: too large for a variable", name);
            return NULL;
        }
    }
    if (ferror(in)) {
        tool_fail("%s: %s", name, g_strerror(errno));
        return NULL;
    }
    return g_byte_array_free_to_bytes(g_steal_pointer(&bytes));
}

GBytes *tool_read_file(const char *path)
{
    FILE *in;
    GBytes *bytes;

    if (!strcmp(path, "-")) {
        return read_stream(stdin, "standard input");
    }
    in = fopen(path, "rb");
    if (!in) {
        tool_fail("%s: %s", path, g_strerror(errno));
        return NULL;
    }
    bytes = read_stream(in, path);
    fclose(in);
    return bytes;
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

/* The unit that \uXXXX at @text stands for, or 0 if that is not there */
static uint16_t read_escape(const gunichar2 *text)
{
    unsigned unit = 0;

    if (text[0] != '\\' || text[1] != 'u') {
        return 0;
    }
    for (int i = 2; i < 6; i++) {
        if (text[i] > 0x7f || !g_ascii_isxdigit(text[i])) {
            return 0;
        }
        unit = unit << 4 | g_ascii_xdigit_value(text[i]);
    }
    return unit;
}

/* @name is what 'list' would show */
uint16_t *tool_read_name(const char *name)
{
    g_autofree gunichar2 *typed = g_utf8_to_utf16(name, -1, NULL, NULL, NULL);
    uint16_t *out;
    size_t len = 0;

    if (!typed || !*typed) {
        tool_fail("the name is empty or not UTF-8");
        return NULL;
    }
    out = g_new0(uint16_t, strlen(name) + 1);
    for (const gunichar2 *in = typed; *in; in++) {
        uint16_t unit = read_escape(in);

        in += unit ? 5 : 0;
        out[len++] = unit ?: *in;
    }
    return out;
}

bool tool_read_attributes(const char *text, const UefiVarLimits *limits,
                          uint32_t *attributes)
{
    UefiReason reason;

    if (text && !tool_parse_attributes(text, attributes)) {
        tool_fail("--attr: '%s' are no attributes, which are NV, BS, RT, HR "
                  "and AT, or a number", text);
        return false;
    }
    reason = uefi_vars_host_attributes(limits, *attributes);
    if (reason != UEFI_REASON_OK) {
        g_autofree char *shown = tool_attributes(*attributes);

        tool_fail("the attributes %s are refused: %s%s", *shown ? shown : "0",
                  uefi_reason_text(reason),
                  reason == UEFI_REASON_SET_NO_HR ? " (see --hwerr-quota)"
                                                  : "");
    }
    return reason == UEFI_REASON_OK;
}

/* Made anew from keys, settings, and the signers of other variables */
static bool is_derived(const UefiGuid *guid, const char *name)
{
    static const char *const derived[] = {
        "SetupMode", "SecureBoot", "SignatureSupport", "AuditMode",
        "DeployedMode", "VendorKeys", NULL
    };
    static const char *const signers[] = { "certdb", "certdbv", NULL };

    return (uefi_guid_equal(guid, &uefi_guid_global) &&
            g_strv_contains(derived, name)) ||
           (uefi_guid_equal(guid, &uefi_guid_cert_db) &&
            g_strv_contains(signers, name));
}

static bool check_value(const UefiGuid *guid, const char *name,
                        uint32_t attributes, GBytes *value)
{
    const ToolKnown *known = tool_known(name);
    bool keys = known && (known->attributes & EFI_ATTR_AT) &&
                uefi_guid_equal(guid, known->guid);
    size_t size;
    const uint8_t *data = g_bytes_get_data(value, &size);

    if (!(attributes & EFI_ATTR_NV)) {
        tool_fail("a stored variable has NV among its attributes");
        return false;
    }
    if (is_derived(guid, name)) {
        tool_fail("'%s' is made from other variables, and not stored", name);
        return false;
    }
    if (keys && !(attributes & EFI_ATTR_AT)) {
        tool_fail("'%s' needs AT among its attributes", name);
        return false;
    }
    if (keys && uefi_siglist_check(data, size, !strcmp(name, "PK")) !=
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
    const ToolKnown *known = tool_known(name);
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
        attributes = known->attributes;
    }
    if (!tool_read_attributes(opt_attributes, &s->uv->config.limits,
                              &attributes) ||
        !check_value(&guid, name, attributes, value)) {
        return NULL;
    }
    str = old ? uefi_str_dup(old->name) : tool_read_name(name);
    if (!str) {
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
    const ToolKnown *known = tool_known(args[1]);
    const UefiVariable *old;
    UefiVariable *var;
    const UefiGuid *vendor;
    UefiGuid guid;
    bool ambiguous;

    if (!!opt_hex + !!opt_text + !!opt_file != 1) {
        tool_fail("set: one of --hex, --text and --file is needed");
        return TOOL_USAGE;
    }
    if (!tool_check_limits()) {
        return TOOL_USAGE;
    }
    if (!get_vendor(&guid, &vendor)) {
        return TOOL_FAILED;
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
    old = find(s, args[1], vendor, &ambiguous);
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
        return fail_with(err);
    }
    return TOOL_OK;
}

static const GOptionEntry set_options[] = {
    OPTION_VENDOR,
    { "attr", 'a', 0, G_OPTION_ARG_STRING, &opt_attributes,
      "Attributes, such as NV,BS,RT", "LETTERS" },
    { "hex", 'x', 0, G_OPTION_ARG_STRING, &opt_hex,
      "Value in hexadecimal", "DIGITS" },
    /* as typed, whatever the locale */
    { "text", 't', 0, G_OPTION_ARG_FILENAME, &opt_text,
      "Value as text, without a terminator", "TEXT" },
    { "file", 'f', 0, G_OPTION_ARG_FILENAME, &opt_file,
      "Read the value from PATH, or standard input for -", "PATH" },
    TOOL_OPTION_SIZE, TOOL_OPTION_HWERR_QUOTA, { }
};

/* ------------------------------------------------------------------------ */
/* rm */

static int run_rm(char **args)
{
    g_autoptr(UefiVarChange) change = uefi_var_change_new();
    g_autoptr(ToolStore) s = NULL;
    g_autoptr(GError) err = NULL;
    const UefiGuid *vendor;
    UefiGuid guid;

    if (!get_vendor(&guid, &vendor)) {
        return TOOL_FAILED;
    }
    s = tool_open(args[0], TOOL_WRITE);
    if (!s) {
        return TOOL_FAILED;
    }
    for (char **name = args + 1; *name; name++) {
        const UefiVariable *var = find_or_fail(s, *name, vendor);

        if (!var) {
            return TOOL_FAILED;
        }
        uefi_var_change_remove(change, &var->guid, var->name);
    }
    if (!tool_store_commit(s, change, &err)) {
        return fail_with(err);
    }
    return TOOL_OK;
}

static const GOptionEntry rm_options[] = {
    OPTION_VENDOR, { }
};

/* ------------------------------------------------------------------------ */
/* check, fold */

static int run_check(char **args)
{
    g_autoptr(GError) err = NULL;
    g_autoptr(ToolStore) s = NULL;
    const UefiVariable *var = NULL;
    size_t journal;
    unsigned count = 0;

    if (!tool_check_limits()) {
        return TOOL_USAGE;
    }
    s = tool_open(args[0], TOOL_READ);
    if (!s) {
        return TOOL_FAILED;
    }
    tool_configure(s);
    if (!tool_store_check_room(s, &err)) {
        return fail_with(err);
    }
    while ((var = tool_store_next(s, var))) {
        count++;
    }
    journal = s->file ? uefi_var_file_journal_size(s->file) : 0;
    if (opt_json) {
        printf("{\"variables\": %u, \"bytes\": %" PRIu64 ", "
               "\"journal-records\": %u, \"journal-bytes\": %zu, "
               "\"warnings\": %u}\n", count, tool_store_size(s), s->records,
               journal, s->warnings->len);
        return TOOL_OK;
    }
    printf("variables: %u, which count for %" PRIu64 " bytes\n"
           "journal: %u records, %zu bytes\n", count, tool_store_size(s),
           s->records, journal);
    return TOOL_OK;
}

static const GOptionEntry check_options[] = {
    OPTION_JSON, TOOL_OPTION_SIZE, TOOL_OPTION_HWERR_QUOTA, { }
};

static int run_fold(char **args)
{
    g_autoptr(ToolStore) s = tool_open(args[0], TOOL_WRITE);
    g_autoptr(GError) err = NULL;

    if (!s) {
        return TOOL_FAILED;
    }
    if (!tool_store_fold(s, &err)) {
        return fail_with(err);
    }
    return TOOL_OK;
}

/* ------------------------------------------------------------------------ */
/* diff */

typedef struct Diff {
    GString *out;
    unsigned count;
} Diff;

/* One variable that differs; @what is a list of words behind @sign */
static void diff_add(Diff *d, char sign, const UefiVariable *var,
                     const char *what)
{
    g_autofree char *name = uefi_str_print(var->name);
    g_autofree char *vendor = tool_vendor(&var->guid);

    if (!opt_json) {
        g_string_append_printf(d->out, "%c %s %s%s%s\n", sign, vendor, name,
                               *what ? ": " : "", what);
    } else {
        g_autoptr(UefiVariable) key =
            uefi_variable_new(&var->guid, var->name, 0, NULL);

        g_string_append(d->out, d->count ? ",\n" : "\n");
        uefi_text_print_variable(d->out, key);
        g_string_truncate(d->out, d->out->len - 1);
        g_string_append_printf(d->out, ", \"change\": \"%s\"}",
                               sign == '-' ? "removed" :
                               sign == '+' ? "added" : what);
    }
    d->count++;
}

static bool same_bytes(GBytes *a, GBytes *b)
{
    return a && b ? g_bytes_equal(a, b) : !a && !b;
}

static void diff_variable(Diff *d, const UefiVariable *a,
                          const UefiVariable *b)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    g_autofree char *what = NULL;

    if (a->attributes != b->attributes) {
        g_ptr_array_add(words, (char *)"attributes");
    }
    if (!same_bytes(a->data, b->data)) {
        g_ptr_array_add(words, (char *)"value");
    }
    if (memcmp(&a->time, &b->time, sizeof(a->time))) {
        g_ptr_array_add(words, (char *)"time");
    }
    if (!same_bytes(a->binding, b->binding)) {
        g_ptr_array_add(words, (char *)"signer");
    }
    if (words->len) {
        g_ptr_array_add(words, NULL);
        what = g_strjoinv(", ", (char **)words->pdata);
        diff_add(d, '~', a, what);
    }
}

static const UefiVariable *counterpart(const ToolStore *s,
                                       const UefiVariable *var)
{
    return uefi_store_find(s->uv->store, UEFI_VIEW_BOOT, &var->guid,
                           var->name);
}

static void diff_stores(Diff *d, const ToolStore *a, const ToolStore *b)
{
    const UefiVariable *var = NULL;

    while ((var = tool_store_next(a, var))) {
        const UefiVariable *other = counterpart(b, var);

        if (other) {
            diff_variable(d, var, other);
        } else {
            diff_add(d, '-', var, "");
        }
    }
    while ((var = tool_store_next(b, var))) {
        if (!counterpart(a, var)) {
            diff_add(d, '+', var, "");
        }
    }
}

static int run_diff(char **args)
{
    g_autoptr(ToolStore) a = tool_open(args[0], TOOL_READ);
    g_autoptr(ToolStore) b = a ? tool_open(args[1], TOOL_READ) : NULL;
    g_autoptr(GString) out = g_string_new(NULL);
    Diff d = { .out = out };

    if (!b) {
        return TOOL_FAILED;
    }
    diff_stores(&d, a, b);
    if (opt_json) {
        printf("[%s%s]\n", out->str, d.count ? "\n" : "");
    } else {
        fputs(out->str, stdout);
    }
    return d.count ? TOOL_FAILED : TOOL_OK;
}

static const GOptionEntry diff_options[] = {
    OPTION_JSON, { }
};

/* ------------------------------------------------------------------------ */
/* status */

static int run_status(char **args)
{
    g_autoptr(ToolStore) s = NULL;

    if (!tool_check_limits()) {
        return TOOL_USAGE;
    }
    s = tool_open(args[0], TOOL_READ);
    if (!s) {
        return TOOL_FAILED;
    }
    tool_configure(s);
    tool_print_status(s, opt_force, opt_json);
    return TOOL_OK;
}

static const GOptionEntry status_options[] = {
    OPTION_JSON, TOOL_OPTION_SIZE, TOOL_OPTION_HWERR_QUOTA,
    { "force-secure-boot", 0, 0, G_OPTION_ARG_NONE, &opt_force,
      "The device's force-secure-boot property is on", NULL },
    { }
};

/* ------------------------------------------------------------------------ */

const ToolCommand tool_commands[] = {
    { "status", "FILE", "Tell the state of secure boot, and whose keys count.",
      status_options, 1, 1, run_status },
    { "list", "FILE [GLOB...]", "List variables.",
      list_options, 1, -1, run_list },
    { "get", "FILE NAME", "Print a variable, decoded where that is possible.",
      get_options, 2, 2, run_get },
    { "set", "FILE NAME", "Set a variable.", set_options, 2, 2, run_set },
    { "rm", "FILE NAME...", "Remove variables, all or none.",
      rm_options, 2, -1, run_rm },
    { "diff", "A B", "Compare two stores; exit status 1 if they differ.",
      diff_options, 2, 2, run_diff },
    { "check", "FILE", "Validate document and journal.",
      check_options, 1, 1, run_check },
    { "import", "SOURCE FILE", "Make a store of what another system keeps.",
      tool_import_options, 2, 2, tool_run_import },
    { "export", "FILE TARGET", "Make what another system keeps of a store.",
      tool_export_options, 2, 2, tool_run_export },
    { "fold", "FILE", "Merge the journal into the document.",
      NULL, 1, 1, run_fold },
    { "enroll", "FILE", "Enrol keys for secure boot, all or none.",
      tool_enroll_options, 1, 1, tool_run_enroll },
    { "reset-keys", "FILE", "Remove all keys: back to setup mode.",
      NULL, 1, 1, tool_run_reset_keys },
    { "sign", "NAME INPUT OUTPUT", "Sign an update for a running guest.",
      tool_sign_options, 3, 3, tool_run_sign },
    { "firmware-descriptor", "IMAGE",
      "Describe firmware for libvirt and the like.",
      tool_descriptor_options, 1, 1, tool_run_descriptor },
    { }
};
