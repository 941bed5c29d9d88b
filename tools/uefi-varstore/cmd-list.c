/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: list variables
 */

#include "qemu/osdep.h"
#include "tool.h"
#include "hw/uefi/var-service-text.h"

static char *opt_sort;
static gboolean opt_header;
static gboolean opt_names;

static bool selected(const UefiVariable *var, char **globs)
{
    for (char **glob = globs; *glob; glob++) {
        if (tool_is_selected(var, *glob)) {
            return true;
        }
    }
    return !*globs && tool_is_selected(var, "*");
}

enum { COLUMN_NAME, COLUMN_VENDOR, COLUMN_ATTR, COLUMN_SIZE, COLUMN_TIME,
       COLUMN__MAX };

static void add_row(ToolTable *table, const UefiVariable *var)
{
    char **row = tool_table_add(table);

    row[COLUMN_NAME] = uefi_str_print(var->name);
    row[COLUMN_VENDOR] = tool_vendor(&var->guid);
    row[COLUMN_ATTR] = tool_attributes(var->attributes);
    row[COLUMN_SIZE] = g_strdup_printf("%zu", g_bytes_get_size(var->data));
    row[COLUMN_TIME] = var->attributes & EFI_ATTR_AT ? tool_time(&var->time)
                                                     : g_strdup("-");
}

static void add_header(ToolTable *table)
{
    static const char *const names[COLUMN__MAX] = {
        [COLUMN_NAME] = "NAME",
        [COLUMN_VENDOR] = "VENDOR",
        [COLUMN_ATTR] = "ATTRIBUTES",
        [COLUMN_SIZE] = "SIZE",
        [COLUMN_TIME] = "TIME",
    };
    char **row = tool_table_add(table);

    for (int c = 0; c < COLUMN__MAX; c++) {
        row[c] = g_strdup(names[c]);
    }
}

/* The variables as a document that is a store itself */
static void print_document(const GPtrArray *vars)
{
    g_autoptr(GString) out = g_string_new(NULL);

    g_string_append_printf(out, "{\"version\": %d, \"variables\": [",
                           UEFI_TEXT_VERSION);
    for (guint i = 0; i < vars->len; i++) {
        g_string_append(out, i ? ",\n" : "\n");
        uefi_text_print_variable(out, vars->pdata[i]);
    }
    printf("%s\n]}\n", out->str);
}

static void print_table(const GPtrArray *vars)
{
    g_autoptr(ToolTable) table = tool_table_new(COLUMN__MAX, 1 << COLUMN_SIZE);

    if (opt_header) {
        add_header(table);
    }
    for (guint i = 0; i < vars->len; i++) {
        add_row(table, vars->pdata[i]);
    }
    tool_table_print(table);
}

static void print_names(const GPtrArray *vars)
{
    for (guint i = 0; i < vars->len; i++) {
        const UefiVariable *var = vars->pdata[i];
        g_autofree char *name = uefi_str_print(var->name);

        printf("%s\n", name);
    }
}

static int by_name(gconstpointer a, gconstpointer b)
{
    const UefiVariable *x = *(UefiVariable *const *)a;
    const UefiVariable *y = *(UefiVariable *const *)b;
    g_autofree char *name_x = uefi_str_print(x->name);
    g_autofree char *name_y = uefi_str_print(y->name);

    return strcmp(name_x, name_y);
}

static int by_vendor(gconstpointer a, gconstpointer b)
{
    const UefiVariable *x = *(UefiVariable *const *)a;
    const UefiVariable *y = *(UefiVariable *const *)b;
    g_autofree char *vendor_x = tool_vendor(&x->guid);
    g_autofree char *vendor_y = tool_vendor(&y->guid);

    return strcmp(vendor_x, vendor_y) ?: by_name(a, b);
}

static int by_size(gconstpointer a, gconstpointer b)
{
    const UefiVariable *x = *(UefiVariable *const *)a;
    const UefiVariable *y = *(UefiVariable *const *)b;
    size_t size_x = g_bytes_get_size(x->data);
    size_t size_y = g_bytes_get_size(y->data);

    /* large ones first */
    return size_x != size_y ? size_x < size_y ? 1 : -1 : by_name(a, b);
}

static int by_time(gconstpointer a, gconstpointer b)
{
    const UefiVariable *x = *(UefiVariable *const *)a;
    const UefiVariable *y = *(UefiVariable *const *)b;

    return -uefi_time_compare(&x->time, &y->time) ?: by_name(a, b);
}

static const struct {
    const char *name;
    GCompareFunc compare;
} orders[] = {
    { "name", by_name },
    { "vendor", by_vendor },
    { "size", by_size },
    { "time", by_time },
};

/* NULL, with false, for an order that is not known */
static bool find_order(GCompareFunc *compare)
{
    *compare = NULL;
    for (size_t i = 0; opt_sort && i < ARRAY_SIZE(orders); i++) {
        if (!strcmp(opt_sort, orders[i].name)) {
            *compare = orders[i].compare;
        }
    }
    return !opt_sort || *compare;
}

static int run_list(char **args)
{
    g_autoptr(GPtrArray) vars = g_ptr_array_new();
    g_autoptr(ToolStore) s = NULL;
    const UefiVariable *var = NULL;
    GCompareFunc compare;

    if (!find_order(&compare)) {
        return tool_usage("--sort is name, vendor, size or time");
    }
    s = tool_open(args[0], TOOL_READ);
    if (!s) {
        return TOOL_FAILED;
    }
    while ((var = tool_store_next(s, var))) {
        if (selected(var, args + 1)) {
            g_ptr_array_add(vars, (void *)var);
        }
    }
    if (compare) {
        g_ptr_array_sort(vars, compare);
    }
    if (tool_options.json) {
        print_document(vars);
    } else if (opt_names) {
        print_names(vars);
    } else {
        print_table(vars);
    }
    return TOOL_OK;
}

static const GOptionEntry list_options[] = {
    TOOL_OPTION_JSON, TOOL_OPTION_GUID,
    { "sort", 0, 0, G_OPTION_ARG_STRING, &opt_sort,
      "Sort by name, vendor, size or time", "COLUMN" },
    { "header", 0, 0, G_OPTION_ARG_NONE, &opt_header,
      "Say what the columns are", NULL },
    { "names", 0, 0, G_OPTION_ARG_NONE, &opt_names,
      "Print nothing but names", NULL },
    TOOL_OPTION_DICTIONARY,
    { }
};

const ToolCommand tool_cmd_list = {
    .name = "list",
    .arguments = "FILE [GLOB...]",
    .summary = "List variables.",
    .options = list_options,
    .min_args = 1,
    .max_args = -1,
    .run = run_list,
};
