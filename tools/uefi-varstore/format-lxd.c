/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: what "lxc config uefi show" of LXD prints
 *
 * YAML: a mapping "variables" of NAME-GUID to attr, data, timestamp and
 * digest.  It becomes JSON of python-uefivars, which LXD made it of, line for
 * line, so that errors name the right one.
 */

#include "qemu/osdep.h"
#include "format.h"
#include "hw/uefi/var-service-text.h"

#define ROOT            "variables:"
#define GUID_SUFFIX     (1 + UEFI_GUID_TEXT_LEN)

typedef struct Reader {
    GString *out;
    size_t indent;              /* of the names of variables; 0: none yet */
    bool root;                  /* "variables" was there */
} Reader;

/* The line at @at, which is moved behind it, or NULL; the caller frees */
static char *next_line(const UefiMsg *in, size_t *at)
{
    const char *line = (const char *)in->buf + *at;
    size_t left = in->size - *at;
    const char *end = left ? memchr(line, '\n', left) : NULL;
    size_t len = end ? end - line : left;

    *at += len + !!end;
    return left ? g_strndup(line, len) : NULL;
}

/* No line, or one for people or for the parser */
static bool is_filler(const char *line)
{
    line += strspn(line, " \r");
    return !*line || *line == '#' || g_str_has_prefix(line, "---");
}

static bool detect(UefiMsg *in)
{
    g_autofree char *line = NULL;
    size_t at = 0;

    while ((line = next_line(in, &at)) && is_filler(line)) {
        g_free(line);
    }
    return line && g_str_has_prefix(line, ROOT);
}

static bool is_end(const char *text, char quote)
{
    return !*text || (quote && *text == quote &&
                      !(quote == '\'' && text[1] == quote));
}

/*
 * Append the scalar at @text as a string of JSON without quotes, and return
 * what is behind it, or NULL if it does not end.  A plain one is all of @text.
 * Escapes within double quotes are those of JSON, as far as that has them.
 */
static const char *read_scalar(GString *out, const char *text)
{
    char quote = *text == '"' || *text == '\'' ? *text++ : 0;

    for (; !is_end(text, quote); text++) {
        if (quote && *text == quote) {
            text++;                 /* '' is one of them */
        } else if (quote == '"' && *text == '\\' && text[1]) {
            g_string_append_c(out, *text++);
        } else if (*text == '"' || *text == '\\') {
            g_string_append_c(out, '\\');
        }
        g_string_append_c(out, *text);
    }
    if (quote ? !*text : g_str_has_prefix(out->str, "? ")) {
        return NULL;                /* or is the form of a long name */
    }
    return quote ? text + 1 : text;
}

/* NAME-GUID: */
static bool read_name(Reader *r, char *text)
{
    g_autoptr(GString) name = g_string_new(NULL);
    size_t len = strlen(text);
    const char *rest;

    if (text[len - 1] != ':') {
        return false;
    }
    text[len - 1] = 0;
    rest = read_scalar(name, text);
    if (!rest || *rest || name->len <= GUID_SUFFIX ||
        name->str[name->len - GUID_SUFFIX] != '-') {
        return false;
    }
    g_string_append_printf(r->out, "%s{\"name\": \"%.*s\", \"guid\": \"%s\"",
                           r->indent ? "}, " : "",
                           (int)(name->len - GUID_SUFFIX), name->str,
                           name->str + name->len - UEFI_GUID_TEXT_LEN);
    return true;
}

/* KEY: VALUE */
static bool read_field(Reader *r, char *text)
{
    static const char *const keys[] = {
        "data", "timestamp", "digest", NULL
    };
    g_autoptr(GString) value = g_string_new(NULL);
    char *colon = strchr(text, ':');
    const char *rest;

    if (!colon) {
        return false;
    }
    *colon = 0;
    rest = read_scalar(value, colon + 1 + strspn(colon + 1, " "));
    if (!rest || *rest) {
        return false;
    }
    if (!strcmp(text, "attr") && value->len &&
        strspn(value->str, "0123456789") == value->len) {
        g_string_append_printf(r->out, ", \"attr\": %s", value->str);
        return true;
    }
    if (value->len) {
        g_string_append_printf(r->out, ", \"%s\": \"%s\"", text, value->str);
    }
    return g_strv_contains(keys, text);
}

static bool read_line(Reader *r, char *line)
{
    size_t indent = strspn(line, " ");
    char *text = g_strchomp(line + indent);

    if (!indent) {
        bool first = !r->root;

        r->root = true;
        return first && (!strcmp(text, ROOT) || !strcmp(text, ROOT " {}"));
    }
    if (!r->root || (r->indent && indent < r->indent)) {
        return false;
    }
    if (!r->indent || indent == r->indent) {
        bool ok = read_name(r, text);

        r->indent = indent;
        return ok;
    }
    return read_field(r, text);
}

static bool lxd_read(ToolTransfer *t, UefiMsg *in, GError **err)
{
    g_autoptr(GString) json = g_string_new("{\"version\": 2, "
                                           "\"variables\": [");
    Reader r = { .out = json };
    GPtrArray *vars;
    size_t at = 0;

    if (!tool_check_text(in->size, err)) {
        return false;
    }
    if (memchr(in->buf, 0, in->size)) {
        return uefi_text_fail(err, "there is a NUL character in the text");
    }
    for (size_t i = 1; at < in->size; i++) {
        g_autofree char *line = next_line(in, &at);

        if (!is_filler(line) && !read_line(&r, line)) {
            return uefi_text_fail(err, "line %zu is nothing that LXD writes",
                                  i);
        }
        g_string_append_c(json, '\n');
    }
    g_string_append(json, r.indent ? "}]}" : "]}");
    vars = tool_uefivars_parse(t, json->str, err);
    if (!vars) {
        return false;
    }
    g_ptr_array_unref(t->vars);
    t->vars = vars;
    return true;
}

const ToolFormat tool_format_lxd = {
    .name = "lxd",
    .detect = detect,
    .read = lxd_read,
};
