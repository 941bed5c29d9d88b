/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: the text form of variables
 */

#include "qemu/osdep.h"
#include "hw/uefi/var-service-text.h"

/* How much of a name or key is shown in a message, bytes */
#define SHOWN   80

static void G_GNUC_PRINTF(2, 3) text_warn(GPtrArray *warnings,
                                          const char *format, ...)
{
    va_list args;

    if (!warnings || warnings->len > UEFI_TEXT_WARNINGS) {
        return;
    }
    if (warnings->len == UEFI_TEXT_WARNINGS) {
        g_ptr_array_add(warnings, g_strdup("more of this kind"));
        return;
    }
    va_start(args, format);
    g_ptr_array_add(warnings, g_strdup_vprintf(format, args));
    va_end(args);
}

/* ------------------------------------------------------------------------ */
/* Printing */

static void print_hex(GString *out, const char *key, const uint8_t *data,
                      size_t size)
{
    g_string_append_printf(out, ", \"%s\": \"", key);
    uefi_hex_append(out, data, size);
    g_string_append_c(out, '"');
}

static void print_bytes(GString *out, const char *key, GBytes *bytes)
{
    size_t size;
    const uint8_t *data = g_bytes_get_data(bytes, &size);

    print_hex(out, key, data, size);
}

void uefi_text_print_variable(GString *out, const UefiVariable *var)
{
    g_autofree char *guid = uefi_guid_print(&var->guid);

    g_string_append(out, "{\"name\": \"");
    uefi_str_append(out, var->name, "\"\\");
    g_string_append_printf(out, "\", \"guid\": \"%s\"", guid);
    if (var->data) {
        g_string_append_printf(out, ", \"attr\": %" PRIu32, var->attributes);
        print_bytes(out, "data", var->data);
        if (var->attributes & EFI_ATTR_AT) {
            print_hex(out, "time", var->time.b, sizeof(var->time.b));
        }
        if (var->binding) {
            print_bytes(out, "digest", var->binding);
        }
    }
    g_string_append_c(out, '}');
}

char *uefi_text_print_document(const UefiVarStore *store)
{
    GString *out = g_string_new(NULL);
    const UefiVariable *var = NULL;
    const char *separator = "\n";

    g_string_append_printf(out, "{\"version\": %d, \"variables\": [",
                           UEFI_TEXT_VERSION);
    while ((var = uefi_store_next(store, UEFI_VIEW_BOOT, var))) {
        if (uefi_variable_is_persistent(var)) {
            g_string_append(out, separator);
            uefi_text_print_variable(out, var);
            separator = ",\n";
        }
    }
    g_string_append(out, "\n]}\n");
    return g_string_free(out, FALSE);
}

char *uefi_text_print_change(const UefiVarChange *change)
{
    GString *out = g_string_new("{\"change\": [");
    const char *separator = "";

    for (guint i = 0; i < change->vars->len; i++) {
        const UefiVariable *var = change->vars->pdata[i];

        /* A removal may take back what is set before it in the change. */
        if (!var->data || uefi_variable_is_persistent(var)) {
            g_string_append(out, separator);
            uefi_text_print_variable(out, var);
            separator = ", ";
        }
    }
    g_string_append(out, "]}");
    return g_string_free(out, FALSE);
}

/* ------------------------------------------------------------------------ */
/* What the parsers ask */

void uefi_text_entry_free(UefiTextEntry *entry)
{
    g_free(entry->name);
    g_free(entry->guid);
    g_free(entry->data);
    g_free(entry->time);
    g_free(entry->timestamp);
    g_free(entry->digest);
    g_free(entry);
}

bool uefi_text_knows(UefiTextObject object, const char *key,
                     const char *where, GPtrArray *warnings)
{
    static const char *const document[] = { "version", "variables", NULL };
    static const char *const change[] = { "change", NULL };
    static const char *const variable[] = {
        "name", "guid", "attr", "data", "time", "timestamp", "digest", NULL
    };
    static const char *const *const known[] = {
        [UEFI_TEXT_DOCUMENT] = document,
        [UEFI_TEXT_CHANGE] = change,
        [UEFI_TEXT_VARIABLE] = variable,
    };

    if (g_strv_contains(known[object], key)) {
        return true;
    }
    text_warn(warnings, "%s%sunknown key \"%.*s\" is ignored",
              where, *where ? ": " : "", SHOWN, key);
    return false;
}

bool uefi_text_check_version(int64_t version, GError **err)
{
    if (version != UEFI_TEXT_VERSION) {
        return uefi_text_fail(err, "version %" PRId64 " of the format is not "
                              "known, only version %d is", version,
                              UEFI_TEXT_VERSION);
    }
    return true;
}

/* ------------------------------------------------------------------------ */
/* From the members of an object to a variable */

typedef struct TextReader {
    const char *list;       /* key of the list */
    guint index;            /* of the entry in it */
    const UefiTextEntry *entry;
    GPtrArray *warnings;
    GError **err;
} TextReader;

/* The path of the entry, and its name as far as that can be shown */
static char *entry_label(const TextReader *r)
{
    return g_strdup_printf("%s[%u] (\"%.*s\")", r->list, r->index, SHOWN,
                           r->entry->name);
}

static bool G_GNUC_PRINTF(2, 3) entry_fail(const TextReader *r,
                                           const char *format, ...)
{
    g_autofree char *label = entry_label(r);
    g_autofree char *reason = NULL;
    va_list args;

    va_start(args, format);
    reason = g_strdup_vprintf(format, args);
    va_end(args);
    return uefi_text_fail(r->err, "%s: %s; correct or remove this entry",
                          label, reason);
}

static void entry_warn(const TextReader *r, const char *text)
{
    g_autofree char *label = entry_label(r);

    text_warn(r->warnings, "%s: %s", label, text);
}

/* What programs write that keep a field for every variable: none */
static bool is_zero(const char *text)
{
    return !text[strspn(text, "0")];
}

/* NULL with the error set unless @text is one byte or more in hexadecimal */
static GBytes *read_hex(const TextReader *r, const char *key, const char *text)
{
    size_t digits = strspn(text, "0123456789abcdefABCDEF");
    size_t len = strlen(text);
    uint8_t *data;

    if (digits != len) {
        entry_fail(r, "%s: character %zu is no hexadecimal digit", key,
                   digits + 1);
        return NULL;
    }
    if (!len || len % 2) {
        entry_fail(r, "%s: %zu hexadecimal digits are no bytes", key, len);
        return NULL;
    }
    data = g_malloc(len / 2);
    for (size_t i = 0; i < len / 2; i++) {
        data[i] = g_ascii_xdigit_value(text[2 * i]) << 4 |
                  g_ascii_xdigit_value(text[2 * i + 1]);
    }
    return g_bytes_new_take(data, len / 2);
}

/* Undo the escapes of uefi_json_strict() */
static uint16_t *read_name(const TextReader *r)
{
    const char *text = r->entry->name;
    g_autofree uint16_t *name = g_new(uint16_t, strlen(text) + 1);
    size_t len = 0;

    while (*text) {
        if (*text == '\\') {
            unsigned unit = 0;

            for (int i = 2; i < 6; i++) {
                unit = unit << 4 | g_ascii_xdigit_value(text[i]);
            }
            if (!unit) {
                entry_fail(r, "the name contains U+0000");
                return NULL;
            }
            name[len++] = unit;
            text += 6;
        } else {
            name[len++] = *text++;
        }
    }
    name[len] = 0;
    if (!len) {
        entry_fail(r, "the name is empty");
        return NULL;
    }
    return g_steal_pointer(&name);
}

static bool read_attr(const TextReader *r, uint32_t *attributes)
{
    int64_t attr = r->entry->attr;

    if (attr < 0 || attr > UINT32_MAX) {
        return entry_fail(r, "attr %" PRId64 " has more than 32 bits", attr);
    }
    if (!(attr & EFI_ATTR_NV)) {
        return entry_fail(r, "attr %" PRId64 " is of a volatile variable",
                          attr);
    }
    if (attr & EFI_ATTR_AP) {
        entry_warn(r, "bit 6 (append) of attr is ignored");
        attr &= ~(int64_t)EFI_ATTR_AP;
    }
    if (attr & ~(int64_t)EFI_ATTR_KIND) {
        return entry_fail(r, "attr %" PRId64 " has a bit that no variable can "
                          "have", attr);
    }
    *attributes = attr;
    return true;
}

static bool read_time(const TextReader *r, UefiVariable *var)
{
    const char *key = r->entry->time ? "time" : "timestamp";
    const char *text = r->entry->time ?: r->entry->timestamp;
    g_autoptr(GBytes) bytes = NULL;

    if (!text) {
        return true;
    }
    if (r->entry->time && r->entry->timestamp) {
        return entry_fail(r, "both time and timestamp");
    }
    bytes = read_hex(r, key, text);
    if (!bytes) {
        return false;
    }
    if (g_bytes_get_size(bytes) != EFI_TIME_SIZE) {
        return entry_fail(r, "%s: %zu digits instead of %d", key,
                          strlen(text), 2 * EFI_TIME_SIZE);
    }
    if (var->attributes & EFI_ATTR_AT) {
        memcpy(var->time.b, g_bytes_get_data(bytes, NULL), EFI_TIME_SIZE);
    } else if (!is_zero(text)) {
        entry_warn(r, "time of a variable that is not authenticated is "
                   "ignored");
    }
    return true;
}

static bool read_digest(const TextReader *r, UefiVariable *var)
{
    g_autoptr(GBytes) digest = NULL;

    if (!r->entry->digest) {
        return true;
    }
    digest = read_hex(r, "digest", r->entry->digest);
    if (!digest) {
        return false;
    }
    if (is_zero(r->entry->digest)) {
        return true;
    }
    if (g_bytes_get_size(digest) > UEFI_LIMIT_BINDING) {
        return entry_fail(r, "digest: %zu bytes are more than the %d that a "
                          "signer can take", g_bytes_get_size(digest),
                          UEFI_LIMIT_BINDING);
    }
    if (var->attributes & EFI_ATTR_AT) {
        var->binding = g_steal_pointer(&digest);
    } else {
        entry_warn(r, "digest of a variable that is not authenticated is "
                   "ignored");
    }
    return true;
}

static bool read_value(const TextReader *r, UefiVariable *var)
{
    if (!r->entry->has_attr) {
        return entry_fail(r, "attr is missing");
    }
    if (!r->entry->data) {
        return entry_fail(r, "data is missing");
    }
    if (!read_attr(r, &var->attributes)) {
        return false;
    }
    var->data = read_hex(r, "data", r->entry->data);
    return var->data && read_time(r, var) && read_digest(r, var);
}

/* A variable, or if @removal is allowed and attr and data are missing, that */
static UefiVariable *read_entry(const TextReader *r, bool removal)
{
    g_autoptr(UefiVariable) var = NULL;
    g_autofree uint16_t *name = read_name(r);
    UefiGuid guid;

    if (!name) {
        return NULL;
    }
    if (!uefi_guid_parse(r->entry->guid, &guid)) {
        entry_fail(r, "guid \"%.*s\" is not of the form "
                   "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", SHOWN,
                   r->entry->guid);
        return NULL;
    }
    var = uefi_variable_new(&guid, name, 0, NULL);
    if (removal && !r->entry->has_attr && !r->entry->data) {
        return g_steal_pointer(&var);
    }
    return read_value(r, var) ? g_steal_pointer(&var) : NULL;
}

GPtrArray *uefi_text_parse(const char *text, UefiTextObject root,
                           GPtrArray *warnings, GError **err)
{
    bool change = root == UEFI_TEXT_CHANGE;
    g_autoptr(GPtrArray) vars =
        g_ptr_array_new_with_free_func((GDestroyNotify)uefi_variable_free);
    g_autoptr(GPtrArray) entries = NULL;
    g_autofree char *json = uefi_json_strict(text, err);

    if (!json) {
        return NULL;
    }
    entries = uefi_json_parse(json, root, warnings, err);
    if (!entries) {
        return NULL;
    }
    for (guint i = 0; i < entries->len; i++) {
        TextReader r = {
            .list = change ? "change" : "variables",
            .index = i,
            .entry = entries->pdata[i],
            .warnings = warnings,
            .err = err,
        };
        UefiVariable *var = read_entry(&r, change);

        if (!var) {
            return NULL;
        }
        g_ptr_array_add(vars, var);
    }
    return g_steal_pointer(&vars);
}

UefiVarChange *uefi_text_parse_change(const char *text, GError **err)
{
    GPtrArray *vars = uefi_text_parse(text, UEFI_TEXT_CHANGE, NULL, err);
    UefiVarChange *change;

    if (!vars) {
        return NULL;
    }
    change = g_new0(UefiVarChange, 1);
    change->vars = vars;
    return change;
}
