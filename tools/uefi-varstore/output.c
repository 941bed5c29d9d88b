/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: what commands print
 */

#include "qemu/osdep.h"
#include "tool.h"

static void say(const char *format, va_list args)
{
    g_autofree char *text = g_strdup_vprintf(format, args);
    g_autofree char *shown = tool_printable(text);

    fprintf(stderr, TOOL_NAME ": %s\n", shown);
}

void tool_note(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say(format, args);
    va_end(args);
}

int tool_fail(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say(format, args);
    va_end(args);
    return TOOL_FAILED;
}

int tool_fail_with(const GError *err)
{
    return tool_fail("%s", err->message);
}

char *tool_printable(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    g_autofree uint16_t *str = g_utf8_to_utf16(valid, -1, NULL, NULL, NULL);
    GString *out = g_string_new(NULL);

    uefi_str_append_visible(out, str);
    return g_string_free(out, FALSE);
}

void tool_print_json(Json *root)
{
    puts(json_object_to_json_string_ext(root, JSON_C_TO_STRING_PLAIN |
                                        JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(root);
}

Json *tool_json_string(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);

    return json_object_new_string(valid);
}

static void free_text(Json *object, void *text)
{
    g_free(text);
}

/* json-c would not let surrogates without a partner through. */
Json *tool_json_name(const uint16_t *name)
{
    GString *text = g_string_new("\"");
    Json *string = json_object_new_string("");

    uefi_str_append(text, name, "\"\\");
    g_string_append_c(text, '"');
    json_object_set_serializer(string, json_object_userdata_to_json_string,
                               g_string_free(text, FALSE), free_text);
    return string;
}

Json *tool_json_guid(const UefiGuid *guid)
{
    g_autofree char *text = uefi_guid_print(guid);

    return json_object_new_string(text);
}

void tool_json_add(Json *object, const char *key, Json *value)
{
    json_object_object_add(object, key, value);
}

/* ------------------------------------------------------------------------ */
/* Tables */

struct ToolTable {
    GPtrArray *rows;        /* of char *[], NULL at their end */
    unsigned columns;
    unsigned right;         /* bit for each column that is of numbers */
};

ToolTable *tool_table_new(unsigned columns, unsigned right)
{
    ToolTable *t = g_new0(ToolTable, 1);

    t->rows = g_ptr_array_new_with_free_func((GDestroyNotify)g_strfreev);
    t->columns = columns;
    t->right = right;
    return t;
}

void tool_table_free(ToolTable *t)
{
    g_ptr_array_unref(t->rows);
    g_free(t);
}

char **tool_table_add(ToolTable *t)
{
    char **row = g_new0(char *, t->columns + 1);

    g_ptr_array_add(t->rows, row);
    return row;
}

/* Columns that @text takes on a terminal */
static int width_of(const char *text)
{
    int width = 0;

    for (; *text; text = g_utf8_next_char(text)) {
        gunichar c = g_utf8_get_char(text);

        width += g_unichar_iszerowidth(c) ? 0 : g_unichar_iswide(c) ? 2 : 1;
    }
    return width;
}

static void print_row(const ToolTable *t, char **row, const int *width)
{
    for (unsigned c = 0; c < t->columns; c++) {
        int fill = width[c] - width_of(row[c]);
        bool right = t->right >> c & 1;
        bool last = c + 1 == t->columns;

        printf("%*s%s%*s", right ? fill : 0, "", row[c],
               right || last ? 0 : fill + 2, "");
        fputs(last ? "\n" : right ? "  " : "", stdout);
    }
}

void tool_table_print(const ToolTable *t)
{
    g_autofree int *width = g_new0(int, t->columns);

    for (guint i = 0; i < t->rows->len; i++) {
        char **row = t->rows->pdata[i];

        for (unsigned c = 0; c < t->columns; c++) {
            width[c] = MAX(width[c], width_of(row[c]));
        }
    }
    for (guint i = 0; i < t->rows->len; i++) {
        print_row(t, t->rows->pdata[i], width);
    }
}
