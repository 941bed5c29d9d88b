/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: strict JSON (RFC 8259), made easy for any parser
 *
 * JSON parsers differ in what else they take (comments, quotes, duplicate
 * keys), in which Unicode they refuse, in how deep they go, and in whether
 * they can tell where an error is.  So the text is checked here, once, and
 * what reaches the parser of the build is something all of them agree on.
 */

#include "qemu/osdep.h"
#include "hw/uefi/var-service-json-strict.h"

typedef struct Scan {
    const char *text;
    const char *pos;        /* next byte of text */
    unsigned depth;         /* open arrays and objects */
    unsigned tokens;        /* so far, with what has to follow a value */
    GString *out;
    GError **err;
} Scan;

GQuark uefi_text_error_quark(void)
{
    return g_quark_from_static_string("uefi-text-error");
}

bool uefi_text_fail(GError **err, const char *format, ...)
{
    va_list args;

    if (err) {
        va_start(args, format);
        *err = g_error_new_valist(UEFI_TEXT_ERROR, 0, format, args);
        va_end(args);
    }
    return false;
}

static bool scan_value(Scan *s);

static bool G_GNUC_PRINTF(2, 3) scan_fail(Scan *s, const char *format, ...)
{
    const char *line = s->text;
    unsigned lines = 1;
    g_autofree char *reason = NULL;
    va_list args;

    for (const char *p = s->text; p < s->pos; p++) {
        if (*p == '\n') {
            line = p + 1;
            lines++;
        }
    }
    va_start(args, format);
    reason = g_strdup_vprintf(format, args);
    va_end(args);
    /* All before this position has been found to be UTF-8. */
    return uefi_text_fail(s->err, "line %u, column %ld: %s", lines,
                          g_utf8_strlen(line, s->pos - line) + 1, reason);
}

/* What stands at the current position is not what should stand there. */
static bool scan_unexpected(Scan *s, const char *wanted)
{
    gunichar c = g_utf8_get_char_validated(s->pos, -1);

    if (!*s->pos) {
        return scan_fail(s, "the text ends, expected %s", wanted);
    }
    if (c > 0x10ffff) {
        return scan_fail(s, "byte 0x%02x is not UTF-8", (uint8_t)*s->pos);
    }
    if (c > 0x20 && c < 0x7f) {
        return scan_fail(s, "unexpected '%c', expected %s", c, wanted);
    }
    return scan_fail(s, "unexpected character U+%04X, expected %s", c, wanted);
}

static void scan_space(Scan *s)
{
    s->pos += strspn(s->pos, " \t\r\n");
}

/* Pass over the character @c, if it is what comes next */
static bool scan_is(Scan *s, char c)
{
    scan_space(s);
    if (*s->pos != c) {
        return false;
    }
    g_string_append_c(s->out, c);
    s->pos++;
    return true;
}

static void scan_put_unit(Scan *s, uint16_t unit)
{
    if (unit < 0x20 || unit > 0x7e || unit == '"' || unit == '\\') {
        g_string_append_printf(s->out, "\\\\u%04X", unit);
    } else {
        g_string_append_c(s->out, unit);
    }
}

static bool scan_escape(Scan *s)
{
    static const char plain[] = "\"\\/bfnrt";
    static const char meaning[] = "\"\\/\b\f\n\r\t";
    const char *found;
    unsigned unit = 0;

    if (s->pos[1] == 'u') {
        for (int i = 2; i < 6; i++) {
            if (!g_ascii_isxdigit(s->pos[i])) {
                return scan_fail(s, "\\u needs four hexadecimal digits");
            }
            unit = unit << 4 | g_ascii_xdigit_value(s->pos[i]);
        }
        scan_put_unit(s, unit);
        s->pos += 6;
        return true;
    }
    found = s->pos[1] ? strchr(plain, s->pos[1]) : NULL;
    if (!found) {
        return scan_fail(s, "unknown escape sequence");
    }
    scan_put_unit(s, meaning[found - plain]);
    s->pos += 2;
    return true;
}

static bool scan_char(Scan *s)
{
    gunichar c = g_utf8_get_char_validated(s->pos, -1);

    if (!*s->pos) {
        return scan_fail(s, "the text ends within a string");
    }
    if (c > 0x10ffff) {
        return scan_fail(s, "byte 0x%02x is not UTF-8", (uint8_t)*s->pos);
    }
    if (c < 0x20) {
        return scan_fail(s, "control character U+%04X in a string", c);
    }
    if (c == '\\') {
        return scan_escape(s);
    }
    if (c > 0xffff) {
        scan_put_unit(s, 0xd800 + ((c - 0x10000) >> 10));
        scan_put_unit(s, 0xdc00 + ((c - 0x10000) & 0x3ff));
    } else {
        scan_put_unit(s, c);
    }
    s->pos = g_utf8_next_char(s->pos);
    return true;
}

static bool scan_string(Scan *s)
{
    if (!scan_is(s, '"')) {
        return scan_unexpected(s, "a string");
    }
    while (*s->pos != '"') {
        if (!scan_char(s)) {
            return false;
        }
    }
    return scan_is(s, '"');
}

static int compare_keys(gconstpointer a, gconstpointer b, gpointer unused)
{
    return strcmp(a, b);
}

static bool scan_member(Scan *s, GTree *keys)
{
    const char *start;
    gsize begin;
    bool twice;
    char *key;

    scan_space(s);
    start = s->pos;
    begin = s->out->len;
    if (!scan_string(s)) {
        return false;
    }
    key = g_strndup(s->out->str + begin, s->out->len - begin);
    twice = g_tree_lookup(keys, key);
    g_tree_insert(keys, key, key);
    if (twice) {
        s->pos = start;
        return scan_fail(s, "this key stands twice in one object");
    }
    if (!scan_is(s, ':')) {
        return scan_unexpected(s, "':'");
    }
    s->tokens += 2;
    return scan_value(s);
}

static bool scan_object(Scan *s)
{
    g_autoptr(GTree) keys = g_tree_new_full(compare_keys, NULL, g_free, NULL);

    if (scan_is(s, '}')) {
        return true;
    }
    do {
        if (!scan_member(s, keys)) {
            return false;
        }
    } while (scan_is(s, ','));
    return scan_is(s, '}') || scan_unexpected(s, "',' or '}'");
}

static bool scan_array(Scan *s)
{
    if (scan_is(s, ']')) {
        return true;
    }
    do {
        if (!scan_value(s)) {
            return false;
        }
    } while (scan_is(s, ','));
    return scan_is(s, ']') || scan_unexpected(s, "',' or ']'");
}

static bool scan_digits(Scan *s)
{
    size_t len = strspn(s->pos, "0123456789");

    g_string_append_len(s->out, s->pos, len);
    s->pos += len;
    return len || scan_unexpected(s, "a digit");
}

static bool scan_number(Scan *s)
{
    scan_is(s, '-');
    if (*s->pos == '0') {
        scan_is(s, '0');
    } else if (!scan_digits(s)) {
        return false;
    }
    if (*s->pos == '.') {
        scan_is(s, '.');
        if (!scan_digits(s)) {
            return false;
        }
    }
    if (*s->pos == 'e' || *s->pos == 'E') {
        g_string_append_c(s->out, *s->pos++);
        if (*s->pos == '+' || *s->pos == '-') {
            g_string_append_c(s->out, *s->pos++);
        }
        return scan_digits(s);
    }
    return true;
}

static bool scan_word(Scan *s)
{
    static const char *const words[] = { "true", "false", "null" };

    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (g_str_has_prefix(s->pos, words[i])) {
            g_string_append(s->out, words[i]);
            s->pos += strlen(words[i]);
            return true;
        }
    }
    return scan_unexpected(s, "a value");
}

static bool scan_nested(Scan *s, bool (*scan)(Scan *s))
{
    bool ok;

    if (s->depth == UEFI_JSON_DEPTH) {
        return scan_fail(s, "more than %d arrays and objects in each other",
                         UEFI_JSON_DEPTH);
    }
    s->depth++;
    ok = scan(s);
    s->depth--;
    return ok;
}

static bool scan_value(Scan *s)
{
    scan_space(s);
    /* and a comma, or the end of what it is in */
    s->tokens += 2;
    if (s->tokens > UEFI_JSON_TOKENS) {
        return scan_fail(s, "there is more than any store needs");
    }
    if (*s->pos == '"') {
        return scan_string(s);
    }
    if (*s->pos == '-' || g_ascii_isdigit(*s->pos)) {
        return scan_number(s);
    }
    if (scan_is(s, '{')) {
        return scan_nested(s, scan_object);
    }
    if (scan_is(s, '[')) {
        return scan_nested(s, scan_array);
    }
    return scan_word(s);
}

char *uefi_json_strict(const char *text, GError **err)
{
    g_autoptr(GString) out = g_string_new(NULL);
    Scan s = { .text = text, .pos = text, .out = out, .err = err };

    if (!scan_value(&s)) {
        return NULL;
    }
    scan_space(&s);
    if (*s.pos) {
        scan_unexpected(&s, "nothing more");
        return NULL;
    }
    return g_string_free(g_steal_pointer(&out), FALSE);
}
