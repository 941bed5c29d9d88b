/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: the text form of variables
 *
 * Knows nothing of the parser: what is expected here is expected of json-c
 * and of QAPI visitors alike.
 */

#include "qemu/osdep.h"
#include "uefi-test.h"
#include "hw/uefi/var-service-json-strict.h"
#include "hw/uefi/var-service-load.h"

#define LANG_HEAD "{\"name\": \"Lang\", \"guid\": " \
    "\"8be4df61-93ca-11d2-aa0d-00e098032b8c\""
#define LANG LANG_HEAD ", \"attr\": 7, \"data\": \"656e6700\"}"

#define DOC(entries) "{\"version\": 2, \"variables\": [" entries "]}"

/* A service whose store is large enough for whatever these tests load */
static UefiVarService *service_new(void)
{
    UefiVarConfig config = uefi_vars_default_config();

    config.limits.nv_size = 64 * 1024 * 1024;
    return uefi_vars_new(&config, NULL, NULL);
}

static char *read_data(const char *name)
{
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "..", "data",
                                                  "uefi-vars", name, NULL);
    g_autoptr(GError) err = NULL;
    char *text;

    g_file_get_contents(path, &text, NULL, &err);
    g_assert_no_error(err);
    return text;
}

/* A document as this program would have written it */
static char *reprint(const char *document)
{
    g_autoptr(UefiVarService) uv = service_new();
    g_autoptr(GError) err = NULL;

    uefi_load_store(uv, document, NULL, NULL, &err);
    g_assert_no_error(err);
    return uefi_text_print_document(uv->store);
}

/* ------------------------------------------------------------------------ */

static void test_golden(gconstpointer opaque)
{
    const char *name = opaque;
    g_autofree char *expected_name = g_strdup_printf("%s.expected", name);
    g_autofree char *text = read_data(name);
    g_autofree char *expected = read_data(expected_name);
    g_autofree char *once = reprint(text);
    g_autofree char *twice = reprint(once);

    g_assert_cmpstr(once, ==, expected);
    g_assert_cmpstr(twice, ==, expected);
}

static void test_own_form(void)
{
    g_autofree char *text = read_data("plain.json");
    g_autofree char *again = reprint(text);

    g_assert_cmpstr(again, ==, text);
}

static void test_blank(void)
{
    g_autofree char *text = reprint(NULL);
    g_autofree char *again = reprint(text);
    g_autofree char *empty = reprint("");

    g_assert_cmpstr(text, ==, "{\"version\": 2, \"variables\": [\n]}\n");
    g_assert_cmpstr(again, ==, text);
    g_assert_cmpstr(empty, ==, text);
}

/* ------------------------------------------------------------------------ */

static const struct {
    const char *text;
    const char *message;
} refused[] = {
    /* JSON */
    { "\n ", "line 2, column 2: the text ends, expected a value" },
    { "{\"version\": 2,\n \"variables\": [}",
      "line 2, column 16: unexpected '}', expected a value" },
    { "{\"version\": 2, \"variables\": [] ",
      "line 1, column 32: the text ends, expected ',' or '}'" },
    { DOC("") "x", "line 1, column 32: unexpected 'x', expected nothing more" },
    { DOC("") DOC(""),
      "line 1, column 32: unexpected '{', expected nothing more" },
    { "{\"version\": 2, \"variables\": [],}",
      "line 1, column 32: unexpected '}', expected a string" },
    { "{'version': 2}", "line 1, column 2: unexpected ''', expected a string" },
    { "{\"version\": 2 // two\n}",
      "line 1, column 15: unexpected '/', expected ',' or '}'" },
    { "{\"version\": 02}",
      "line 1, column 14: unexpected '2', expected ',' or '}'" },
    { "{\"version\": 2.}",
      "line 1, column 15: unexpected '}', expected a digit" },
    { "{\"version\": -}",
      "line 1, column 14: unexpected '}', expected a digit" },
    { "{\"version\": 2e+}",
      "line 1, column 16: unexpected '}', expected a digit" },
    { "{\"version\": NaN}",
      "line 1, column 13: unexpected 'N', expected a value" },
    { "{\"version\" 2}", "line 1, column 12: unexpected '2', expected ':'" },
    { "{\"version", "line 1, column 10: the text ends within a string" },
    { "{\"ver\nsion\": 2}",
      "line 1, column 6: control character U+000A in a string" },
    { "{\"\\x41\": 2}", "line 1, column 3: unknown escape sequence" },
    { "{\"\\", "line 1, column 3: unknown escape sequence" },
    { "{\"\\u12g4\": 2}",
      "line 1, column 3: \\u needs four hexadecimal digits" },
    { "{\"\\u12", "line 1, column 3: \\u needs four hexadecimal digits" },
    { "\xef\xbb\xbf" DOC(""),
      "line 1, column 1: unexpected character U+FEFF, expected a value" },
    { "{\"\xc3\xb6\xff\": 2}", "line 1, column 4: byte 0xff is not UTF-8" },
    { "{\"\xed\xa0\x80\": 2}", "line 1, column 3: byte 0xed is not UTF-8" },
    { "{\"\xc0\x80\": 2}", "line 1, column 3: byte 0xc0 is not UTF-8" },
    { "{\"\xf0\x9f\xa6", "line 1, column 3: byte 0xf0 is not UTF-8" },
    { "\xff", "line 1, column 1: byte 0xff is not UTF-8" },
    { "{\"version\": 2, \"version\": 2}",
      "line 1, column 16: this key stands twice in one object" },
    { "{\"version\": 2, \"v\\u0065rsion\": 2}",
      "line 1, column 16: this key stands twice in one object" },

    /* structure */
    { "5", "not a JSON object" },
    { "null", "not a JSON object" },
    { "[" LANG "]", "not a JSON object" },
    { "{}", "Parameter 'version' is missing" },
    { "{\"version\": 2}", "Parameter 'variables' is missing" },
    { "{\"version\": 3}",
      "version 3 of the format is not known, only version 2 is" },
    { "{\"version\": 1, \"variables\": []}",
      "version 1 of the format is not known, only version 2 is" },
    { "{\"version\": \"2\", \"variables\": []}",
      "Invalid parameter type for 'version', expected: integer" },
    { "{\"version\": 2.0, \"variables\": []}",
      "Invalid parameter type for 'version', expected: integer" },
    { "{\"version\": 99999999999999999999999, \"variables\": []}",
      "Invalid parameter type for 'version', expected: integer" },
    { "{\"version\": -99999999999999999999999, \"variables\": []}",
      "Invalid parameter type for 'version', expected: integer" },
    { "{\"version\": 1e999, \"variables\": []}",
      "Invalid parameter type for 'version', expected: integer" },
    { "{\"version\": null, \"variables\": []}",
      "Invalid parameter type for 'version', expected: integer" },
    { "{\"version\": 2, \"variables\": {}}",
      "Invalid parameter type for 'variables', expected: array" },
    { "{\"version\": 2, \"variables\": null}",
      "Invalid parameter type for 'variables', expected: array" },
    { DOC("7"),
      "Invalid parameter type for 'variables[0]', expected: object" },
    { DOC(LANG ", []"),
      "Invalid parameter type for 'variables[1]', expected: object" },
    { DOC("null"),
      "Invalid parameter type for 'variables[0]', expected: object" },
    { DOC("{}"), "Parameter 'variables[0].name' is missing" },
    { DOC("{\"name\": \"A\"}"), "Parameter 'variables[0].guid' is missing" },
    { DOC("{\"name\": 5}"),
      "Invalid parameter type for 'variables[0].name', expected: string" },
    { DOC("{\"name\": null}"),
      "Invalid parameter type for 'variables[0].name', expected: string" },
    { DOC(LANG_HEAD ", \"attr\": \"7\"}"),
      "Invalid parameter type for 'variables[0].attr', expected: integer" },
    { DOC(LANG_HEAD ", \"attr\": true}"),
      "Invalid parameter type for 'variables[0].attr', expected: integer" },
    { DOC(LANG_HEAD ", \"attr\": 7, \"data\": [1]}"),
      "Invalid parameter type for 'variables[0].data', expected: string" },
    { DOC(LANG_HEAD ", \"time\": 0}"),
      "Invalid parameter type for 'variables[0].time', expected: string" },
    { DOC(LANG_HEAD ", \"digest\": {}}"),
      "Invalid parameter type for 'variables[0].digest', expected: string" },
    { "{\"change\": [" LANG "]}", "Parameter 'version' is missing" },
};

#define FIX "; correct or remove this entry"

/* The same for members of a variable; the name is Lang, the list LANG first */
static const struct {
    const char *members;
    const char *message;
} refused_entries[] = {
    { ", \"data\": \"00\"", "attr is missing" FIX },
    { ", \"attr\": 7", "data is missing" FIX },
    { "", "attr is missing" FIX },
    { ", \"attr\": 4294967296, \"data\": \"00\"",
      "attr 4294967296 has more than 32 bits" FIX },
    { ", \"attr\": -1, \"data\": \"00\"",
      "attr -1 has more than 32 bits" FIX },
    { ", \"attr\": 135, \"data\": \"00\"",
      "attr 135 has a bit that no variable can have" FIX },
    { ", \"attr\": 6, \"data\": \"00\"",
      "attr 6 is of a volatile variable" FIX },
    { ", \"attr\": 0, \"data\": \"00\"",
      "attr 0 is of a volatile variable" FIX },
    { ", \"attr\": 7, \"data\": \"\"",
      "data: 0 hexadecimal digits are no bytes" FIX },
    { ", \"attr\": 7, \"data\": \"012\"",
      "data: 3 hexadecimal digits are no bytes" FIX },
    { ", \"attr\": 7, \"data\": \"01g2\"",
      "data: character 3 is no hexadecimal digit" FIX },
    { ", \"attr\": 7, \"data\": \"01 2\"",
      "data: character 3 is no hexadecimal digit" FIX },
    { ", \"attr\": 7, \"data\": \"01\\u0000\"",
      "data: character 3 is no hexadecimal digit" FIX },
    { ", \"attr\": 39, \"data\": \"00\", \"time\": \"\"",
      "time: 0 hexadecimal digits are no bytes" FIX },
    { ", \"attr\": 39, \"data\": \"00\", \"time\": \"00\"",
      "time: 2 digits instead of 32" FIX },
    { ", \"attr\": 39, \"data\": \"00\", "
      "\"time\": \"0000000000000000000000000000000000\"",
      "time: 34 digits instead of 32" FIX },
    { ", \"attr\": 7, \"data\": \"00\", \"timestamp\": \"00\"",
      "timestamp: 2 digits instead of 32" FIX },
    { ", \"attr\": 39, \"data\": \"00\", "
      "\"time\": \"00000000000000000000000000000000\", "
      "\"timestamp\": \"00000000000000000000000000000000\"",
      "both time and timestamp" FIX },
    { ", \"attr\": 39, \"data\": \"00\", \"digest\": \"\"",
      "digest: 0 hexadecimal digits are no bytes" FIX },
    { ", \"attr\": 39, \"data\": \"00\", \"digest\": \"0x12\"",
      "digest: character 2 is no hexadecimal digit" FIX },
};

/* The same for names and GUIDs */
static const struct {
    const char *name;
    const char *guid;
    const char *message;
} refused_names[] = {
    { "", "11111111-2222-3333-4444-555555555555",
      "variables[0] (\"\"): the name is empty" FIX },
    { "A\\u0000B", "11111111-2222-3333-4444-555555555555",
      "variables[0] (\"A\\u0000B\"): the name contains U+0000" FIX },
    { "A", "", "variables[0] (\"A\"): guid \"\" is not of the form "
      "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx" FIX },
    { "A", "11111111-2222-3333-4444-55555555555",
      "variables[0] (\"A\"): guid \"11111111-2222-3333-4444-55555555555\" is "
      "not of the form xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx" FIX },
    { "A", "{11111111-2222-3333-4444-555555555555}",
      "variables[0] (\"A\"): guid \"{11111111-2222-3333-4444-555555555555}\" "
      "is not of the form xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx" FIX },
    { "A", "1111111g-2222-3333-4444-555555555555",
      "variables[0] (\"A\"): guid \"1111111g-2222-3333-4444-555555555555\" is "
      "not of the form xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx" FIX },
    { "A", "111111112222-3333-4444-5555-55555555",
      "variables[0] (\"A\"): guid \"111111112222-3333-4444-5555-55555555\" is "
      "not of the form xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx" FIX },
};

/* Nothing is loaded from @text, and the reason is @message */
static void assert_refused(const char *text, const char *message)
{
    g_autoptr(UefiVarService) uv = service_new();
    g_autoptr(GError) err = NULL;

    g_assert_false(uefi_load_store(uv, text, NULL, NULL, &err));
    g_assert_true(err && err->domain == UEFI_TEXT_ERROR);
    g_assert_cmpstr(err->message, ==, message);
    g_assert_null(uefi_store_next(uv->store, UEFI_VIEW_BOOT, NULL));
    g_assert_cmpuint(uefi_store_used(uv->store, UEFI_CLASS_NV), ==, 0);
    /* nobody has to ask why */
    g_assert_false(uefi_load_store(uv, text, NULL, NULL, NULL));
}

static void test_refused(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
        assert_refused(refused[i].text, refused[i].message);
    }
}

static void test_refused_entries(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(refused_entries); i++) {
        g_autofree char *text =
            g_strdup_printf(DOC(LANG ", {\"name\": \"B\", \"guid\": "
                                "\"8be4df61-93ca-11d2-aa0d-00e098032b8c\"%s}"),
                            refused_entries[i].members);
        g_autofree char *message =
            g_strdup_printf("variables[1] (\"B\"): %s",
                            refused_entries[i].message);

        assert_refused(text, message);
    }
}

static void test_refused_names(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(refused_names); i++) {
        g_autofree char *text =
            g_strdup_printf(DOC("{\"name\": \"%s\", \"guid\": \"%s\", "
                                "\"attr\": 7, \"data\": \"00\"}"),
                            refused_names[i].name, refused_names[i].guid);

        assert_refused(text, refused_names[i].message);
    }
}

static void test_duplicates(void)
{
    assert_refused(DOC(LANG ", " LANG),
                   "variables[1] (\"Lang\"): an earlier entry has the same "
                   "name and guid; remove one of the two");
    assert_refused(DOC(LANG ", {\"name\": \"L\\u0061ng\", \"guid\": "
                       "\"8BE4DF61-93CA-11D2-AA0D-00E098032B8C\", "
                       "\"attr\": 3, \"data\": \"00\"}"),
                   "variables[1] (\"Lang\"): an earlier entry has the same "
                   "name and guid; remove one of the two");
}

/* ------------------------------------------------------------------------ */

static char *repeat(const char *text, unsigned times)
{
    GString *out = g_string_new(NULL);

    while (times--) {
        g_string_append(out, text);
    }
    return g_string_free(out, FALSE);
}

static void test_nesting(void)
{
    /* the root object is one of them */
    g_autofree char *open = repeat("[", UEFI_JSON_DEPTH - 1);
    g_autofree char *close = repeat("]", UEFI_JSON_DEPTH - 1);
    g_autofree char *bomb = repeat("[{\"a\":", 1000000);
    g_autofree char *fits =
        g_strdup_printf("{\"x\": %s%s, \"version\": 2, \"variables\": []}",
                        open, close);
    g_autofree char *deep = g_strdup_printf("{\"x\": [%s", open);
    g_autofree char *text = reprint(fits);

    g_assert_cmpstr(text, ==, "{\"version\": 2, \"variables\": [\n]}\n");
    assert_refused(deep, "line 1, column 39: more than 32 arrays and objects "
                   "in each other");
    assert_refused(bomb, "line 1, column 98: more than 32 arrays and objects "
                   "in each other");
}

/* Every build takes as many as the parser of QEMU does. */
static void test_tokens(void)
{
    /* the rest of the document has fewer than 32 */
    g_autofree char *most = repeat("0,", UEFI_JSON_TOKENS / 2 - 16);
    g_autofree char *more = repeat("0,", UEFI_JSON_TOKENS / 2);
    g_autofree char *fits =
        g_strdup_printf("{\"x\": [%s0], \"version\": 2, \"variables\": []}",
                        most);
    g_autofree char *many =
        g_strdup_printf("{\"x\": [%s0], \"version\": 2, \"variables\": []}",
                        more);
    g_autofree char *text = reprint(fits);

    g_assert_cmpstr(text, ==, "{\"version\": 2, \"variables\": [\n]}\n");
    assert_refused(many, "line 1, column 2097154: there is more than any "
                   "store needs");
}

static void test_long(void)
{
    g_autofree char *digits = g_strnfill(1000000, '7');
    g_autofree char *number =
        g_strdup_printf(DOC(LANG_HEAD ", \"attr\": %s}"), digits);
    g_autofree char *guid =
        g_strdup_printf(DOC("{\"name\": \"%s\", \"guid\": \"%s\"}"), digits,
                        digits);
    g_autofree char *key =
        g_strdup_printf("{\"%s\": 0, \"version\": 2, \"variables\": []}",
                        digits);
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) vars = NULL;
    g_autoptr(UefiVarService) uv = service_new();
    g_autoptr(GError) err = NULL;

    assert_refused(number, "Invalid parameter type for 'variables[0].attr', "
                   "expected: integer");

    /* messages and warnings stay short */
    g_assert_false(uefi_load_store(uv, guid, NULL, NULL, &err));
    g_assert_cmpuint(strlen(err->message), <, 400);
    vars = uefi_load_parse(key, warnings, NULL);
    g_assert_nonnull(vars);
    g_assert_cmpuint(warnings->len, ==, 1);
    g_assert_cmpuint(strlen(warnings->pdata[0]), <, 200);
}

/* ------------------------------------------------------------------------ */

/* What is passed over in @text, one on a line */
static char *warnings_of(const char *text)
{
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) vars = NULL;
    g_autoptr(GError) err = NULL;

    vars = uefi_load_parse(text, warnings, &err);
    g_assert_no_error(err);
    g_ptr_array_add(warnings, NULL);
    return g_strjoinv("\n", (char **)warnings->pdata);
}

static const struct {
    const char *text;
    const char *warnings;
} passed_over[] = {
    { DOC(LANG), "" },
    { "{\"version\": 2, \"comment\": {\"a\": [1]}, \"variables\": []}",
      "unknown key \"comment\" is ignored" },
    { DOC(LANG ", {\"name\": \"B\", \"state\": 63, \"guid\": "
          "\"8be4df61-93ca-11d2-aa0d-00e098032b8c\", \"attr\": 7, "
          "\"data\": \"00\"}"),
      "variables[1]: unknown key \"state\" is ignored" },
    { DOC(LANG_HEAD ", \"attr\": 71, \"data\": \"00\"}"),
      "variables[0] (\"Lang\"): bit 6 (append) of attr is ignored" },
    { DOC(LANG_HEAD ", \"attr\": 7, \"data\": \"00\", \"time\": "
          "\"e8070102030405000000000000000000\", \"digest\": \"12\"}"),
      "variables[0] (\"Lang\"): time of a variable that is not authenticated "
      "is ignored\n"
      "variables[0] (\"Lang\"): digest of a variable that is not "
      "authenticated is ignored" },
    { DOC(LANG_HEAD ", \"attr\": 7, \"data\": \"00\", \"time\": "
          "\"00000000000000000000000000000000\", \"digest\": \"00\"}"), "" },
};

static void test_warnings(void)
{
    g_autofree char *many = repeat(LANG_HEAD ", \"x\": 0}, ", 100);
    g_autofree char *text = g_strdup_printf(DOC("%s" LANG), many);
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);

    for (size_t i = 0; i < ARRAY_SIZE(passed_over); i++) {
        g_autofree char *got = warnings_of(passed_over[i].text);

        g_assert_cmpstr(got, ==, passed_over[i].warnings);
    }
    g_assert_null(uefi_load_parse(text, warnings, NULL));
    g_assert_cmpuint(warnings->len, ==, UEFI_TEXT_WARNINGS + 1);
}

/* 10: AP is cleared on load */
static void test_append_cleared(void)
{
    g_autofree char *text =
        reprint(DOC(LANG_HEAD ", \"attr\": 71, \"data\": \"0A\"}"));

    g_assert_cmpstr(text, ==, "{\"version\": 2, \"variables\": [\n"
                    LANG_HEAD ", \"attr\": 7, \"data\": \"0a\"}\n]}\n");
}

/* ------------------------------------------------------------------------ */

static void put(UefiVarStore *store, const uint16_t *name, uint32_t attributes)
{
    g_autoptr(UefiVarChange) change = uefi_var_change_new();

    uefi_var_change_add(change, uefi_variable_new(&uefi_test_guid, name,
                                                  attributes,
                                                  g_bytes_new("x", 1)));
    uefi_store_apply(store, change);
}

static void assert_same_store(const UefiVarStore *a, const UefiVarStore *b)
{
    const UefiVariable *x = NULL, *y = NULL;

    do {
        x = uefi_store_next(a, UEFI_VIEW_BOOT, x);
        y = uefi_store_next(b, UEFI_VIEW_BOOT, y);
        g_assert_true(!x == !y);
        if (x) {
            g_assert_true(uefi_guid_equal(&x->guid, &y->guid));
            g_assert_true(uefi_str_equal(x->name, y->name));
            g_assert_cmpuint(x->attributes, ==, y->attributes);
            g_assert_cmpmem(x->time.b, sizeof(x->time.b),
                            y->time.b, sizeof(y->time.b));
            g_assert_true(g_bytes_equal(x->data, y->data));
            g_assert_true(!x->binding == !y->binding);
            g_assert_true(!x->binding ||
                          g_bytes_equal(x->binding, y->binding));
        }
    } while (x);
}

static void assert_survives(const UefiVarStore *store)
{
    g_autofree char *text = uefi_text_print_document(store);
    g_autoptr(UefiVarService) uv = service_new();
    g_autoptr(GError) err = NULL;

    g_assert_true(g_utf8_validate(text, -1, NULL));
    uefi_load_store(uv, text, NULL, NULL, &err);
    g_assert_no_error(err);
    assert_same_store(store, uv->store);
}

/* 8: any 16-bit unit except 0 is legal in names, and in any company */
static void test_names(void)
{
    g_autoptr(UefiVarService) alone = service_new();
    g_autoptr(UefiVarService) paired = service_new();

    for (unsigned unit = 1; unit < 0x10000; unit++) {
        const uint16_t name[] = { unit, 0 };
        const uint16_t pair[] = { 0xd83e, unit, 'x', unit, 0xdd8a, 0 };

        put(alone->store, name, ATTR_NV_RT);
        put(paired->store, pair, ATTR_NV_RT);
    }
    assert_survives(alone->store);
    assert_survives(paired->store);
}

static void test_random_names(void)
{
    static const uint16_t odd[] = {
        'a', '\\', 'u', '"', '/', 0xd800, 0xdbff, 0xdc00, 0xdfff, 0xd83f,
        0xdffe, 0xfffe, 0xffff, 0xfdd0, 0x7f, 0x80, 0xe9, 0x2028, 0x1f, 0xfeff,
    };
    g_autoptr(UefiVarService) uv = service_new();

    for (int i = 0; i < 20000; i++) {
        uint16_t name[12];
        int len = g_test_rand_int_range(1, ARRAY_SIZE(name));

        for (int k = 0; k < len; k++) {
            name[k] = odd[g_test_rand_int_range(0, ARRAY_SIZE(odd))];
        }
        name[len] = 0;
        put(uv->store, name, ATTR_NV_RT);
    }
    assert_survives(uv->store);
}

/* Volatile variables, and what is made from others, stay out of the file. */
static void test_persistent_only(void)
{
    g_autoptr(UefiVarService) uv = service_new();
    g_autoptr(UefiVarChange) change = uefi_var_change_new();
    g_autofree uint16_t *certdb = uefi_str_from_ascii("certdb");
    const uint16_t a[] = { 'A', 0 }, b[] = { 'B', 0 };
    g_autofree char *text = NULL;

    put(uv->store, a, ATTR_BS_RT);
    put(uv->store, b, ATTR_NV_BS);
    uefi_var_change_add(change,
                        uefi_variable_new(&uefi_guid_cert_db, certdb,
                                          ATTR_AUTH,
                                          g_bytes_new("\4\0\0\0", 4)));
    uefi_store_apply(uv->store, change);
    text = uefi_text_print_document(uv->store);
    g_assert_cmpstr(text, ==, "{\"version\": 2, \"variables\": [\n"
                    "{\"name\": \"B\", "
                    "\"guid\": \"11111111-2222-3333-4444-555555555555\", "
                    "\"attr\": 3, \"data\": \"78\"}\n]}\n");
}

/* ------------------------------------------------------------------------ */

static UefiVariable *variable(const char *name, uint32_t attributes,
                              const char *value)
{
    g_autofree uint16_t *str = uefi_str_from_ascii(name);
    GBytes *data = value ? g_bytes_new(value, strlen(value)) : NULL;

    return uefi_variable_new(&uefi_test_guid, str, attributes, data);
}

#define NAMED(name) "{\"name\": \"" name "\", " \
    "\"guid\": \"11111111-2222-3333-4444-555555555555\""

static void test_change(void)
{
    g_autoptr(UefiVarChange) change = uefi_var_change_new();
    g_autoptr(UefiVarChange) read = NULL;
    g_autoptr(GError) err = NULL;
    g_autofree char *text = NULL, *again = NULL;
    UefiVariable *private = variable("Private", ATTR_AUTH, "p");

    private->time.b[0] = 0xe8;
    private->binding = g_bytes_new("\x12\x34", 2);
    uefi_var_change_add(change, variable("A", ATTR_NV_BS, "a"));
    uefi_var_change_add(change, variable("Volatile", ATTR_BS, "v"));
    uefi_var_change_add(change, variable("Gone", 0, NULL));
    uefi_var_change_add(change, private);

    text = uefi_text_print_change(change);
    g_assert_cmpstr(text, ==, "{\"change\": ["
                    NAMED("A") ", \"attr\": 3, \"data\": \"61\"}, "
                    NAMED("Gone") "}, "
                    NAMED("Private") ", \"attr\": 39, \"data\": \"70\", "
                    "\"time\": \"e8000000000000000000000000000000\", "
                    "\"digest\": \"1234\"}]}");

    read = uefi_text_parse_change(text, &err);
    g_assert_no_error(err);
    g_assert_cmpuint(read->vars->len, ==, 3);
    again = uefi_text_print_change(read);
    g_assert_cmpstr(again, ==, text);
}

/* Nothing is left of what one change sets and removes again. */
static void test_change_takes_back(void)
{
    g_autoptr(UefiVarService) live = service_new();
    g_autoptr(UefiVarService) loaded = service_new();
    g_autoptr(UefiVarChange) change = uefi_var_change_new();
    g_autoptr(GPtrArray) records = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) err = NULL;

    uefi_var_change_add(change, variable("A", ATTR_NV_BS, "a"));
    uefi_var_change_add(change, variable("A", 0, NULL));
    uefi_var_change_add(change, variable("B", ATTR_NV_BS, "b"));
    g_ptr_array_add(records, uefi_text_print_change(change));
    uefi_store_apply(live->store, change);

    uefi_load_store(loaded, NULL, records, NULL, &err);
    g_assert_no_error(err);
    assert_same_store(live->store, loaded->store);
}

static const struct {
    const char *text;
    const char *message;
} refused_changes[] = {
    { "", "line 1, column 1: the text ends, expected a value" },
    { "{}", "Parameter 'change' is missing" },
    { "{\"change\": {}}",
      "Invalid parameter type for 'change', expected: array" },
    { "{\"change\": [{}]}", "Parameter 'change[0].name' is missing" },
    { "{\"change\": [" NAMED("A") ", \"attr\": 7}]}",
      "change[0] (\"A\"): data is missing" FIX },
    { "{\"change\": [" NAMED("A") ", \"data\": \"00\"}]}",
      "change[0] (\"A\"): attr is missing" FIX },
    { "{\"change\": [" NAMED("A") ", \"attr\": 6, \"data\": \"00\"}]}",
      "change[0] (\"A\"): attr 6 is of a volatile variable" FIX },
    { "{\"change\": [" NAMED("A") ", \"attr\": 7, \"data\": \"\"}]}",
      "change[0] (\"A\"): data: 0 hexadecimal digits are no bytes" FIX },
    { DOC(LANG), "Parameter 'change' is missing" },
};

static void test_refused_changes(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(refused_changes); i++) {
        g_autoptr(GError) err = NULL;

        g_assert_null(uefi_text_parse_change(refused_changes[i].text, &err));
        g_assert_cmpstr(err->message, ==, refused_changes[i].message);
        g_assert_null(uefi_text_parse_change(refused_changes[i].text, NULL));
    }
}

/* Random changes: document and records give the store that made them. */
static void test_journal(void)
{
    g_autoptr(UefiVarService) live = service_new();
    g_autoptr(UefiVarService) loaded = service_new();
    g_autoptr(GPtrArray) records = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) err = NULL;
    g_autofree char *document = NULL;

    for (int i = 0; i < 2000; i++) {
        g_autoptr(UefiVarChange) change = uefi_var_change_new();
        int count = g_test_rand_int_range(1, 5);

        for (int k = 0; k < count; k++) {
            g_autofree char *name =
                g_strdup_printf("V%d", g_test_rand_int_range(0, 30));
            g_autofree char *value = g_strdup_printf("%d", i);
            bool set = g_test_rand_int_range(0, 3);

            uefi_var_change_add(change, variable(name, ATTR_NV_RT,
                                                 set ? value : NULL));
        }
        if (i == 1000) {
            document = uefi_text_print_document(live->store);
        }
        if (document) {
            g_ptr_array_add(records, uefi_text_print_change(change));
        }
        uefi_store_apply(live->store, change);
    }
    uefi_load_store(loaded, document, records, NULL, &err);
    g_assert_no_error(err);
    assert_same_store(live->store, loaded->store);
}

static void test_bad_record(void)
{
    g_autoptr(UefiVarService) uv = service_new();
    g_autoptr(GPtrArray) records = g_ptr_array_new();
    g_autoptr(GError) err = NULL;

    g_ptr_array_add(records, (char *)"{\"change\": []}");
    g_ptr_array_add(records, (char *)"{\"change\": [" NAMED("") "}]}");
    g_assert_false(uefi_load_store(uv, DOC(LANG), records, NULL, &err));
    g_assert_cmpstr(err->message, ==,
                    "journal record 2: change[0] (\"\"): the name is empty"
                    FIX);
    g_assert_null(uefi_store_next(uv->store, UEFI_VIEW_BOOT, NULL));
}

/* ------------------------------------------------------------------------ */

/* 10: total above the configured size */
static void test_size(void)
{
    UefiVarConfig config = uefi_vars_default_config();
    uint32_t size = 60 + 10 + 2 + 4;    /* of the record of LANG */
    g_autoptr(GError) err = NULL;

    config.limits.nv_size = 28 + size;
    for (int less = 0; less < 2; less++) {
        g_autoptr(UefiVarService) uv = NULL;

        config.limits.nv_size -= less;
        uv = uefi_vars_new(&config, NULL, NULL);
        g_assert_true(uefi_load_store(uv, DOC(LANG), NULL, NULL, &err) ==
                      !less);
        g_assert_cmpuint(uefi_store_used(uv->store, UEFI_CLASS_NV), ==,
                         less ? 0 : size);
    }
    g_assert_cmpstr(err->message, ==, "the variables take 76 bytes, but there "
                    "is room for 75; size has to be at least 104");
}

static void test_hwerr_size(void)
{
    assert_refused(DOC("{\"name\": \"HwErrRec0000\", \"guid\": "
                       "\"414e6bdd-e47b-47cc-b244-bb61020cf516\", "
                       "\"attr\": 15, \"data\": \"00\"}"),
                   "the hardware error records take 92 bytes, but there is "
                   "room for 0; remove them or raise their quota");
}

/* An entry with a digest of @size bytes of 0xab */
static char *entry_with_digest(const char *name, size_t size)
{
    g_autofree char *digest = g_malloc0(2 * size + 1);

    for (size_t i = 0; i < size; i++) {
        memcpy(digest + 2 * i, "ab", 2);
    }
    return g_strdup_printf("{\"name\": \"%s\", \"guid\": \"8be4df61-93ca-11d2-"
                           "aa0d-00e098032b8c\", \"attr\": 39, \"data\": "
                           "\"00\", \"digest\": \"%s\"}", name, digest);
}

/* One digest, however long the file may be */
static void test_digest_size(void)
{
    g_autofree char *most = entry_with_digest("Most", UEFI_LIMIT_BINDING);
    g_autofree char *more = entry_with_digest("More", UEFI_LIMIT_BINDING + 1);
    g_autofree char *text = g_strdup_printf(DOC("%s, %s"), most, more);
    g_autofree char *fits = g_strdup_printf(DOC("%s"), most);

    g_free(reprint(fits));
    assert_refused(text, "variables[1] (\"More\"): digest: 8193 bytes are more "
                   "than the 8192 that a signer can take" FIX);
}

/* All of them: what migrates and what certdb shows depend on it. */
static void test_digest_sizes(void)
{
    UefiVarConfig config = uefi_vars_default_config();
    const uint32_t room = 5000;
    g_autofree char *a = entry_with_digest("A", room / 2);
    g_autoptr(GError) err = NULL;

    config.limits.nv_size = 28 + room;
    for (int more = 0; more < 2; more++) {
        g_autofree char *b = entry_with_digest("B", room / 2 + more);
        g_autofree char *text = g_strdup_printf(DOC("%s, %s"), a, b);
        g_autoptr(UefiVarService) uv = uefi_vars_new(&config, NULL, NULL);

        g_assert_true(uefi_load_store(uv, text, NULL, NULL, &err) == !more);
    }
    g_assert_cmpstr(err->message, ==, "the signers (digest) of the variables "
                    "take 5001 bytes, but there is room for 5000; a digest "
                    "has at most 64: remove the entries where it is longer");
}

/* 7.4: certdb as firmware keeps it, with one record for (@guid, "P") */
#define P_GUID_WIRE "11111111222233334444555555555555"
#define CERTDB(data) "{\"name\": \"certdb\", \"guid\": " \
    "\"d9bee56e-75dc-49d9-b4d7-b534210f637a\", \"attr\": 39, " \
    "\"data\": \"" data "\"}"

static void test_certdb(void)
{
    g_autofree char *text =
        reprint(DOC(CERTDB("48000000"
                           P_GUID_WIRE "20000000" "01000000" "02000000"
                           "5000" "abcd"
                           P_GUID_WIRE "24000000" "03000000" "02000000"
                           "410042004300" "0123") ", "
                    NAMED("P") ", \"attr\": 39, \"data\": \"00\"}, "
                    NAMED("Q") ", \"attr\": 39, \"data\": \"00\"}, "
                    NAMED("ABC") ", \"attr\": 39, \"data\": \"00\", "
                    "\"digest\": \"ffff\"}"));

#define ZERO ", \"time\": \"00000000000000000000000000000000\""
    g_assert_cmpstr(text, ==, "{\"version\": 2, \"variables\": [\n"
                    NAMED("P") ", \"attr\": 39, \"data\": \"00\"" ZERO
                    ", \"digest\": \"abcd\"},\n"
                    NAMED("Q") ", \"attr\": 39, \"data\": \"00\"" ZERO "},\n"
                    NAMED("ABC") ", \"attr\": 39, \"data\": \"00\"" ZERO
                    ", \"digest\": \"ffff\"}\n]}\n");
}

static void test_bad_certdb(void)
{
    static const char *const bad[] = {
        "00",
        "05000000",
        "0400000000",
        "05000000" "00",
        "23000000" P_GUID_WIRE "1f000000" "01000000" "02000000" "5000" "ab",
        "24000000" P_GUID_WIRE "1f000000" "01000000" "02000000" "5000" "abcd",
        "24000000" P_GUID_WIRE "21000000" "01000000" "02000000" "5000" "abcd",
        "24000000" P_GUID_WIRE "20000000" "01000000" "ffffffff" "5000" "abcd",
        "24000000" P_GUID_WIRE "20000000" "ffffffff" "02000000" "5000" "abcd",
        "22000000" P_GUID_WIRE "1e000000" "01000000" "00000000" "5000",
    };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        g_autofree char *text = g_strdup_printf(DOC(LANG ", " CERTDB("%s")),
                                                bad[i]);

        assert_refused(text, "variables[1] (\"certdb\"): the list of signers "
                       "is damaged; without this entry private variables can "
                       "only be read");
    }
}

static void test_long_certdb(void)
{
    const uint32_t size = UEFI_LIMIT_BINDING + 1;
    g_autofree char *digest = g_strnfill(2 * size, 'a');
    g_autofree char *certdb =
        g_strdup_printf("%08x" P_GUID_WIRE "%08x" "01000000" "%08x" "5000%s",
                        GUINT32_SWAP_LE_BE(4 + 30 + size),
                        GUINT32_SWAP_LE_BE(30 + size),
                        GUINT32_SWAP_LE_BE(size), digest);
    g_autofree char *text = g_strdup_printf(DOC(CERTDB("%s")), certdb);

    assert_refused(text, "variables[0] (\"certdb\"): the list of signers is "
                   "damaged; without this entry private variables can only be "
                   "read");
}

#define VENDOR_KEYS(guid) "{\"name\": \"VendorKeysNv\", \"guid\": \"" guid \
    "\", \"attr\": 35, \"data\": \"00\", " \
    "\"time\": \"00000000000000000000000000000000\"}"

/* 10: the bundled device keeps VendorKeysNv under the global GUID */
static void test_vendor_keys(void)
{
    const char *theirs =
        VENDOR_KEYS("8be4df61-93ca-11d2-aa0d-00e098032b8c");
    const char *ours = VENDOR_KEYS("9073e4e0-60ec-4b6e-9903-4c223c260f3c");
    g_autofree char *text = g_strdup_printf(DOC("%s"), theirs);
    g_autofree char *moved = reprint(text);
    g_autofree char *both = g_strdup_printf(DOC("%s, %s"), ours, theirs);
    g_autofree char *kept = reprint(both);

    g_assert_nonnull(strstr(moved, "9073e4e0"));
    g_assert_null(strstr(moved, "8be4df61"));
    g_assert_nonnull(strstr(kept, "9073e4e0"));
    g_assert_nonnull(strstr(kept, "8be4df61"));
}

/* ------------------------------------------------------------------------ */

/* However a document was damaged, it is refused, or means what it prints. */
static void try_damaged(const char *text, size_t size)
{
    /* on the heap and no longer than it is, for the sanitizer */
    g_autofree char *copy = g_strndup(text, size);
    g_autoptr(UefiVarService) uv = service_new();
    g_autoptr(GError) err = NULL;

    if (uefi_load_store(uv, copy, NULL, NULL, &err)) {
        g_assert_no_error(err);
        assert_survives(uv->store);
    } else {
        g_assert_true(err && *err->message);
        g_assert_true(g_utf8_validate(err->message, -1, NULL));
        g_assert_null(uefi_store_next(uv->store, UEFI_VIEW_BOOT, NULL));
    }
}

static void test_cut(void)
{
    g_autofree char *text = read_data("plain.json");
    size_t size = strlen(text);

    g_assert_cmpstr(text + size - 3, ==, "]}\n");
    for (size_t cut = 1; cut < size - 1; cut++) {
        g_autofree char *copy = g_strndup(text, cut);
        g_autoptr(UefiVarService) uv = service_new();
        g_autoptr(GError) err = NULL;

        g_assert_false(uefi_load_store(uv, copy, NULL, NULL, &err));
        g_assert_true(g_str_has_prefix(err->message, "line "));
    }
}

static void test_flip(void)
{
    static const char values[] = "\x01 \"\\{}[]:,-.09aeU\x7f\xc3\xff";
    g_autofree char *text = read_data("plain.json");
    size_t size = strlen(text);

    for (size_t i = 0; i < size; i++) {
        char was = text[i];

        for (const char *value = values; *value; value++) {
            text[i] = *value;
            try_damaged(text, size);
        }
        text[i] = was;
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    g_test_add_data_func("/uefi/text/golden/virt-firmware",
                         "virt-firmware.json", test_golden);
    g_test_add_data_func("/uefi/text/golden/python-uefivars",
                         "python-uefivars.json", test_golden);
    g_test_add_data_func("/uefi/text/golden/bundled", "bundled.json",
                         test_golden);
    g_test_add_func("/uefi/text/golden/own", test_own_form);
    g_test_add_func("/uefi/text/blank", test_blank);
    g_test_add_func("/uefi/text/refused/text", test_refused);
    g_test_add_func("/uefi/text/refused/entries", test_refused_entries);
    g_test_add_func("/uefi/text/refused/names", test_refused_names);
    g_test_add_func("/uefi/text/refused/duplicates", test_duplicates);
    g_test_add_func("/uefi/text/refused/nesting", test_nesting);
    g_test_add_func("/uefi/text/refused/tokens", test_tokens);
    g_test_add_func("/uefi/text/refused/long", test_long);
    g_test_add_func("/uefi/text/refused/changes", test_refused_changes);
    g_test_add_func("/uefi/text/refused/record", test_bad_record);
    g_test_add_func("/uefi/text/refused/size", test_size);
    g_test_add_func("/uefi/text/refused/hwerr-size", test_hwerr_size);
    g_test_add_func("/uefi/text/refused/H9/digest", test_digest_size);
    g_test_add_func("/uefi/text/refused/H9/digests", test_digest_sizes);
    g_test_add_func("/uefi/text/refused/certdb", test_bad_certdb);
    g_test_add_func("/uefi/text/refused/H9/certdb", test_long_certdb);
    g_test_add_func("/uefi/text/refused/cut", test_cut);
    g_test_add_func("/uefi/text/flip", test_flip);
    g_test_add_func("/uefi/text/warnings", test_warnings);
    g_test_add_func("/uefi/text/append-cleared", test_append_cleared);
    g_test_add_func("/uefi/text/names/all", test_names);
    g_test_add_func("/uefi/text/names/random", test_random_names);
    g_test_add_func("/uefi/text/persistent-only", test_persistent_only);
    g_test_add_func("/uefi/text/change", test_change);
    g_test_add_func("/uefi/text/change-takes-back", test_change_takes_back);
    g_test_add_func("/uefi/text/journal", test_journal);
    g_test_add_func("/uefi/text/certdb", test_certdb);
    g_test_add_func("/uefi/text/vendor-keys", test_vendor_keys);
    return g_test_run();
}
