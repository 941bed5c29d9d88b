/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: validate a store
 */

#include "qemu/osdep.h"
#include "tool.h"

static void print_json(const ToolStore *s, unsigned count, size_t journal)
{
    Json *root = json_object_new_object();

    tool_json_add(root, "variables", json_object_new_int64(count));
    tool_json_add(root, "bytes", json_object_new_int64(tool_store_size(s)));
    tool_json_add(root, "journal-records", json_object_new_int64(s->records));
    tool_json_add(root, "journal-bytes", json_object_new_int64(journal));
    tool_json_add(root, "warnings",
                  json_object_new_int64(s->warnings->len));
    tool_print_json(root);
}

static int run_check(char **args)
{
    g_autoptr(GError) err = NULL;
    g_autoptr(ToolStore) s = NULL;
    const UefiVariable *var = NULL;
    size_t journal;
    unsigned count = 0;

    s = tool_open(args[0], TOOL_READ);
    if (!s) {
        return TOOL_FAILED;
    }
    tool_configure(s);
    if (!tool_store_check_room(s, &err)) {
        return tool_fail_with(err);
    }
    while ((var = tool_store_next(s, var))) {
        count++;
    }
    journal = s->file ? uefi_var_file_journal_size(s->file) : 0;
    if (tool_options.json) {
        print_json(s, count, journal);
        return TOOL_OK;
    }
    printf("variables: %u, which count for %" PRIu64 " bytes\n"
           "journal: %u records, %zu bytes\n", count, tool_store_size(s),
           s->records, journal);
    return TOOL_OK;
}

static const GOptionEntry check_options[] = {
    TOOL_OPTION_JSON, TOOL_OPTION_SIZE, TOOL_OPTION_HWERR_QUOTA, { }
};

const ToolCommand tool_cmd_check = {
    .name = "check",
    .arguments = "FILE",
    .summary = "Validate document and journal.",
    .options = check_options,
    .min_args = 1,
    .max_args = 1,
    .run = run_check,
};
