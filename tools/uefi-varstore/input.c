/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: what commands are given
 */

#include "qemu/osdep.h"
#include "format.h"
#include "hw/uefi/var-service-load.h"

void tool_print_warnings(const ToolStore *s)
{
    for (guint i = 0; i < s->warnings->len; i++) {
        tool_note("%s: warning: %s", s->path, (char *)s->warnings->pdata[i]);
    }
}

/* What a store of another program was taken for */
static void print_form(const ToolStore *s)
{
    const ToolTransfer *t = s->foreign;
    const char *in = t->container ? t->container->name : NULL;
    g_autofree char *remarks = tool_foreign_remarks(s);

    tool_note("%s: note: read as a store of the format %s%s%s%s%s", s->path,
              t->format->name, in ? " in " : "", in ?: "",
              *remarks ? "; " : "", remarks);
}

/* A store of another program that is to be written */
static bool check_foreign(const ToolStore *s, GError **err)
{
    return tool_foreign_check_complete(s, err) &&
           (tool_options.in_place ||
            uefi_text_fail(err, "this is a store of the format %s, which is "
                           "written with --in-place only; or use 'import'",
                           s->foreign->format->name));
}

ToolStore *tool_open(const char *path, ToolAccess access)
{
    const ToolForm form = { .dictionary = tool_options.dictionary };
    g_autoptr(GError) err = NULL;
    g_autoptr(ToolStore) s = tool_store_open(path, access, &form, &err);

    if (!s) {
        tool_fail_with(err);
        return NULL;
    }
    if (s->foreign && access != TOOL_READ && !check_foreign(s, &err)) {
        tool_fail("%s: %s", path, err->message);
        return NULL;
    }
    tool_print_warnings(s);
    if (s->foreign) {
        print_form(s);
    }
    return g_steal_pointer(&s);
}

static int fail_verb(const ToolVerb *verbs, const char *name)
{
    g_autoptr(GString) known = g_string_new(NULL);

    for (; verbs->name; verbs++) {
        g_string_append_printf(known, "%s%s", known->len ? ", " : "",
                               verbs->name);
    }
    return tool_usage("'%s' is none of %s", name, known->str);
}

int tool_run_verb(const ToolVerb *verbs, char **args)
{
    const ToolVerb *v = verbs;
    g_autoptr(ToolStore) s = NULL;

    while (v->name && strcmp(v->name, args[0])) {
        v++;
    }
    if (!v->name) {
        return fail_verb(verbs, args[0]);
    }
    if (v->arguments && !args[2]) {
        return tool_usage("%s are missing", v->arguments);
    }
    if (!v->arguments && args[2]) {
        return tool_usage("there are too many arguments");
    }
    s = tool_open(args[1], v->access);
    if (!s) {
        return TOOL_FAILED;
    }
    tool_configure(s);
    return v->run(s, args + 2);
}

const UefiVariable *tool_find(const ToolStore *s, const char *name,
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

const UefiVariable *tool_find_or_fail(const ToolStore *s, const char *name)
{
    bool ambiguous;
    const UefiVariable *var = tool_find(s, name, tool_options.vendor,
                                        &ambiguous);

    if (!var) {
        tool_fail(ambiguous ? "there are several variables '%s', use --guid" :
                  tool_store_next(s, NULL) ? "there is no variable '%s'" :
                  "there is no variable '%s': the store is blank", name);
    }
    return var;
}

bool tool_is_selected(const UefiVariable *var, const char *glob)
{
    g_autofree char *name = uefi_str_print(var->name);

    return (!tool_options.vendor ||
            uefi_guid_equal(&var->guid, tool_options.vendor)) &&
           g_pattern_match_simple(glob, name);
}

/* Add what @name stands for, which is a pattern if no variable has that name */
static bool select_name(const ToolStore *s, const char *name, GPtrArray *vars)
{
    bool ambiguous, pattern = strpbrk(name, "*?");
    const UefiVariable *var = tool_find(s, name, tool_options.vendor,
                                        &ambiguous);
    guint before = vars->len;

    if (var || ambiguous || !pattern) {
        var = var ?: tool_find_or_fail(s, name);
        if (var) {
            g_ptr_array_add(vars, (void *)var);
        }
        return var;
    }
    while ((var = tool_store_next(s, var))) {
        if (tool_is_selected(var, name)) {
            g_ptr_array_add(vars, (void *)var);
        }
    }
    if (vars->len == before) {
        tool_fail("there is no variable that fits '%s'", name);
    }
    return vars->len > before;
}

GPtrArray *tool_select(const ToolStore *s, char **names)
{
    g_autoptr(GPtrArray) vars = g_ptr_array_new();

    for (; *names; names++) {
        if (!select_name(s, *names, vars)) {
            return NULL;
        }
    }
    return g_steal_pointer(&vars);
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

GPtrArray *tool_read_document(const char *path)
{
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GBytes) file = tool_read_file(path);
    g_autofree char *text = NULL;
    g_autoptr(GError) err = NULL;
    GPtrArray *vars;
    gsize size;
    const char *data;

    if (!file) {
        return NULL;
    }
    data = g_bytes_get_data(file, &size);
    if (!size || memchr(data, 0, size)) {
        tool_fail(size ? "%s: this is no text" : "%s: there is nothing in it",
                  path);
        return NULL;
    }
    text = g_strndup(data, size);
    vars = uefi_load_parse(text, warnings, &err);
    if (!vars) {
        tool_fail("%s: %s", path, err->message);
    }
    for (guint i = 0; i < warnings->len; i++) {
        tool_note("%s: warning: %s", path, (char *)warnings->pdata[i]);
    }
    return vars;
}

UefiVarChange *tool_change_of(GPtrArray *vars)
{
    UefiVarChange *change = uefi_var_change_new();

    /* they go to the change */
    g_ptr_array_set_free_func(vars, NULL);
    for (guint i = 0; i < vars->len; i++) {
        uefi_var_change_add(change, vars->pdata[i]);
    }
    g_ptr_array_unref(vars);
    return change;
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
