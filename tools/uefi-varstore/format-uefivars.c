/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: JSON of python-uefivars, versions 1 and 2
 *
 * Version 2 is a document such as ours, but for the key "timestamp", which we
 * call "time".  Version 1 is nothing but the list of variables; it may have
 * spaces between bytes, also those of a GUID, which is in binary order then.
 *
 * In a document of either kind that is damaged, each variable stands for
 * itself.
 */

#include "qemu/osdep.h"
#include "format.h"
#include "hw/uefi/var-service-json-strict.h"
#include "hw/uefi/var-service-load.h"

#define GUID_DIGITS     (2 * sizeof(UefiGuid))

static char first_character(const UefiMsg *in)
{
    for (size_t i = 0; i < in->size; i++) {
        if (!g_ascii_isspace(in->buf[i])) {
            return in->buf[i];
        }
    }
    return 0;
}

static bool detect(UefiMsg *in)
{
    /* other documents of theirs are such as ours */
    return first_character(in) == '[';
}

/* The same without spaces, in place; returns whether there were any */
static bool remove_spaces(char *text)
{
    char *out = text;

    if (!text || !strchr(text, ' ')) {
        return false;
    }
    for (; *text; text++) {
        if (*text != ' ') {
            *out++ = *text;
        }
    }
    *out = 0;
    return true;
}

/* @text is @guid as a sequence of bytes */
static bool parse_binary_guid(const char *text, UefiGuid *guid)
{
    if (strlen(text) != GUID_DIGITS) {
        return false;
    }
    for (size_t i = 0; i < sizeof(guid->b); i++, text += 2) {
        if (!g_ascii_isxdigit(text[0]) || !g_ascii_isxdigit(text[1])) {
            return false;
        }
        guid->b[i] = g_ascii_xdigit_value(text[0]) << 4 |
                     g_ascii_xdigit_value(text[1]);
    }
    return true;
}

static void modernize(UefiTextEntry *e)
{
    UefiGuid guid;

    remove_spaces(e->data);
    remove_spaces(e->time);
    remove_spaces(e->timestamp);
    remove_spaces(e->digest);
    if (remove_spaces(e->guid) && parse_binary_guid(e->guid, &guid)) {
        g_free(e->guid);
        e->guid = uefi_guid_print(&guid);
    }
}

static void print_member(GString *out, const char *key, const char *value)
{
    /* strings of an entry are as they stand in JSON */
    if (value) {
        g_string_append_printf(out, ", \"%s\": \"%s\"", key, value);
    }
}

static void print_entry(GString *out, const UefiTextEntry *e)
{
    g_string_append_printf(out, "{\"name\": \"%s\"", e->name);
    print_member(out, "guid", e->guid);
    if (e->has_attr) {
        g_string_append_printf(out, ", \"attr\": %" PRId64, e->attr);
    }
    print_member(out, "data", e->data);
    print_member(out, "time", e->time);
    print_member(out, "timestamp", e->timestamp);
    print_member(out, "digest", e->digest);
    g_string_append_c(out, '}');
}

/* A document that our own reader takes */
static GString *rewrite(ToolTransfer *t, GPtrArray *entries)
{
    GString *out = g_string_new(NULL);
    const char *separator = "\n";

    g_string_append_printf(out, "{\"version\": %d, \"variables\": [",
                           UEFI_TEXT_VERSION);
    for (guint i = 0; i < entries->len; i++) {
        UefiTextEntry *e = entries->pdata[i];

        if (e->has_attr && !(e->attr & EFI_ATTR_NV)) {
            t->losses[TOOL_LOSS_VOLATILE]++;
            continue;
        }
        modernize(e);
        g_string_append(out, separator);
        print_entry(out, e);
        separator = ",\n";
    }
    g_string_append(out, "]}");
    return out;
}

GPtrArray *tool_uefivars_parse(ToolTransfer *t, const char *text,
                               GError **err)
{
    g_autofree char *json = uefi_json_strict(text, err);
    g_autoptr(GPtrArray) entries =
        json ? uefi_json_parse(json, UEFI_TEXT_DOCUMENT, t->notes, err) : NULL;
    g_autoptr(GString) document = entries ? rewrite(t, entries) : NULL;

    /* each of them is as large as the text */
    g_clear_pointer(&json, g_free);
    g_clear_pointer(&entries, g_ptr_array_unref);
    return document ? uefi_text_parse(document->str, UEFI_TEXT_DOCUMENT,
                                      t->notes, err) : NULL;
}

/* ------------------------------------------------------------------------ */
/* A damaged document */

/* An object with less has no room for the members that a variable needs, */
#define MIN_OBJECT  64
/* and none needs more, spaces between the digits of the value included. */
#define MAX_OBJECT  (4 * UEFI_LIMIT_NV_SIZE_MAX)

typedef struct Scan {
    ToolTransfer *t;
    const char *text;
    size_t at;                  /* offset in the file, bytes */
    size_t done;                /* offset in the text */
    bool closed;                /* nothing behind that is taken */
    GError *err;                /* about what has not been read since */
} Scan;

/* What @text has besides white space and punctuation of lists */
static bool is_glue(const char *text, size_t size)
{
    g_autoptr(GString) rest = g_string_new(NULL);

    for (size_t i = 0; i < size; i++) {
        if (!g_ascii_isspace(text[i]) && text[i] != ',') {
            g_string_append_c(rest, text[i]);
        }
        if (rest->len > 64) {
            return false;
        }
    }
    return !rest->len || !strcmp(rest->str, "[") || !strcmp(rest->str, "]") ||
           !strcmp(rest->str, "]}") ||
           !strcmp(rest->str, "{\"version\":2\"variables\":[");
}

/* Name what lies between the last variable and @end. */
static void close_gap(Scan *s, size_t end)
{
    if (!is_glue(s->text + s->done, end - s->done)) {
        tool_transfer_lost(s->t, s->at + s->done, NULL, "%zu bytes%s%s",
                           end - s->done, s->err ? ": " : "",
                           s->err ? s->err->message : "");
    }
    g_clear_error(&s->err);
}

/* The variable in @size bytes of text, which is volatile if there is none */
static GPtrArray *parse_object(ToolTransfer *t, const char *object,
                               size_t size, GError **err)
{
    g_autoptr(GString) text = g_string_sized_new(size);

    if (size < MIN_OBJECT || memchr(object, 0, size)) {
        return NULL;
    }
    if (size > MAX_OBJECT) {
        uefi_text_fail(err, "longer than any variable can be");
        return NULL;
    }
    g_string_printf(text, "{\"version\": %d, \"variables\": [",
                    UEFI_TEXT_VERSION);
    g_string_append_len(text, object, size);
    g_string_append(text, "]}");
    return tool_uefivars_parse(t, text->str, err);
}

/* Whether @vars, which loses them, could be taken */
static bool take_variables(Scan *s, GPtrArray *vars, GError **err)
{
    for (guint i = 0; i < vars->len; i++) {
        const UefiVariable *var = vars->pdata[i];

        if (!tool_transfer_take(s->t, var->name, g_bytes_get_size(var->data),
                                err)) {
            s->closed = true;
            return false;
        }
        g_ptr_array_add(s->t->vars, g_steal_pointer(&vars->pdata[i]));
    }
    return true;
}

/*
 * Take the variable in the object between @start and @end, if it is one, and
 * is not behind the end of the list: what was there is of an older document.
 */
static void take_object(Scan *s, size_t start, size_t end)
{
    g_autoptr(GPtrArray) vars = NULL;
    g_autoptr(GError) err = NULL;

    if (!s->closed) {
        vars = parse_object(s->t, s->text + start, end - start, &err);
    }
    if (!vars || !take_variables(s, vars, &err)) {
        if (!s->err) {
            s->err = g_steal_pointer(&err);
        }
        return;
    }
    close_gap(s, start);
    s->done = end;
}

/*
 * Variables are objects without others inside.  No string goes beyond its
 * line, or contains a brace and a quote without a backslash between them, so
 * that a quote that is lost does not take the rest of the file with it.
 */
void tool_uefivars_rescue(ToolTransfer *t, const char *text, size_t size,
                          size_t at)
{
    Scan s = { .t = t, .text = text, .at = at };
    bool string = false;
    size_t start = SIZE_MAX;

    for (size_t i = 0; i < size; i++) {
        char c = text[i];

        if (c == '{' && (!string || (i + 1 < size && text[i + 1] == '"'))) {
            start = i;
            string = false;
        } else if (string) {
            string = c && c != '"' && c != '\n';
            i += c == '\\';
        } else if (c == '"') {
            string = true;
        } else if (c == '}' && start < i) {
            take_object(&s, start, i + 1);
            start = SIZE_MAX;
        } else if (c == ']' && start == SIZE_MAX) {
            s.closed = true;
        }
    }
    close_gap(&s, size);
}

/* ------------------------------------------------------------------------ */
/* A store */

/* All of a file, in which a list may be all there is */
static GPtrArray *parse_file(ToolTransfer *t, const UefiMsg *in, bool bare,
                             GError **err)
{
    g_autoptr(GString) text = g_string_new(NULL);

    if (in->size && memchr(in->buf, 0, in->size)) {
        uefi_text_fail(err, "there is a NUL character in the text");
        return NULL;
    }
    g_string_append(text, bare ? "{\"version\": 2, \"variables\": " : "");
    g_string_append_len(text, (const char *)in->buf, in->size);
    g_string_append(text, bare ? "}" : "");
    return tool_uefivars_parse(t, text->str, err);
}

static bool uefivars_read(ToolTransfer *t, UefiMsg *in, GError **err)
{
    bool bare = first_character(in) == '[';
    g_autoptr(GPtrArray) vars = NULL;
    g_autoptr(GError) local = NULL;

    if (!tool_check_text(in->size, err)) {
        return false;
    }
    t->version = bare ? 1 : UEFI_TEXT_VERSION;
    vars = parse_file(t, in, bare, &local);
    if (!vars && t->lost) {
        tool_uefivars_rescue(t, (const char *)in->buf, in->size, 0);
        return t->lost->len ||
               tool_transfer_lost(t, 0, NULL, "%s", local->message);
    }
    if (!vars) {
        g_propagate_error(err, g_steal_pointer(&local));
        return false;
    }
    g_ptr_array_unref(t->vars);
    t->vars = g_steal_pointer(&vars);
    return true;
}

/* Quotes in names are escaped: none can look like another member. */
static void print_binary_guid(GString *out, const UefiVariable *var)
{
    g_autoptr(GString) binary = g_string_new("\"guid\": \"");
    g_autofree char *guid = uefi_guid_print(&var->guid);
    g_autofree char *member = g_strdup_printf("%s%s", binary->str, guid);

    for (size_t i = 0; i < sizeof(var->guid.b); i++) {
        g_string_append_printf(binary, i ? " %02x" : "%02x", var->guid.b[i]);
    }
    g_string_replace(out, member, binary->str, 0);
}

static void print_variable(GString *out, const UefiVariable *var,
                           unsigned version)
{
    g_autoptr(GString) text = g_string_new(NULL);

    uefi_text_print_variable(text, var);
    if (version < UEFI_TEXT_VERSION) {
        print_binary_guid(text, var);
    }
    g_string_append_len(out, text->str, text->len);
}

static GByteArray *uefivars_write(ToolTransfer *t, GError **err)
{
    bool bare = t->version < UEFI_TEXT_VERSION;
    g_autoptr(GString) out =
        g_string_new(bare ? "[" : "{\"version\": 2, \"variables\": [");
    size_t size;

    for (guint i = 0; i < t->vars->len; i++) {
        g_string_append(out, i ? ",\n" : "\n");
        print_variable(out, t->vars->pdata[i], t->version);
    }
    g_string_append(out, bare ? "\n]\n" : "\n]}\n");
    g_string_replace(out, ", \"time\": \"", ", \"timestamp\": \"", 0);
    size = out->len;
    return g_byte_array_new_take(
        (guint8 *)g_string_free(g_steal_pointer(&out), FALSE), size);
}

const ToolFormat tool_format_uefivars = {
    .name = "uefivars",
    .detect = detect,
    .read = uefivars_read,
    .write = uefivars_write,
    .version = UEFI_TEXT_VERSION,
    .versions = UEFI_TEXT_VERSION,
};
