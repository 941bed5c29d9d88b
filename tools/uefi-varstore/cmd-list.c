/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: list variables
 */

#include "qemu/osdep.h"
#include "tool.h"
#include "hw/uefi/var-service-text.h"

static bool selected(const UefiVariable *var, char **globs)
{
    g_autofree char *name = uefi_str_print(var->name);

    if (tool_options.vendor &&
        !uefi_guid_equal(&var->guid, tool_options.vendor)) {
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

/* The selected variables as a document that is a store itself */
static void print_selection(const ToolStore *s, char **globs)
{
    g_autoptr(GString) out = g_string_new(NULL);
    const UefiVariable *var = NULL;
    const char *separator = "\n";

    g_string_append_printf(out, "{\"version\": %d, \"variables\": [",
                           UEFI_TEXT_VERSION);
    while ((var = tool_store_next(s, var))) {
        if (selected(var, globs)) {
            g_string_append(out, separator);
            uefi_text_print_variable(out, var);
            separator = ",\n";
        }
    }
    printf("%s\n]}\n", out->str);
}

static int run_list(char **args)
{
    g_autoptr(ToolTable) table = tool_table_new(COLUMN__MAX, 1 << COLUMN_SIZE);
    g_autoptr(ToolStore) s = tool_open(args[0], TOOL_READ);
    const UefiVariable *var = NULL;

    if (!s) {
        return TOOL_FAILED;
    }
    if (tool_options.json) {
        print_selection(s, args + 1);
        return TOOL_OK;
    }
    while ((var = tool_store_next(s, var))) {
        if (selected(var, args + 1)) {
            add_row(table, var);
        }
    }
    tool_table_print(table);
    return TOOL_OK;
}

static const GOptionEntry list_options[] = {
    TOOL_OPTION_JSON, TOOL_OPTION_GUID, { }
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
