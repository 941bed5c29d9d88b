/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: validate a store
 */

#include "qemu/osdep.h"
#include "tool.h"

/* Variables that no guest could have made so; each is named */
static Json *find_problems(const ToolStore *s)
{
    Json *list = json_object_new_array();
    const UefiVariable *var = NULL;

    while ((var = tool_store_next(s, var))) {
        g_autofree char *broken = tool_rule_broken(s, var);
        g_autofree char *name = uefi_str_print(var->name);
        g_autofree char *vendor = tool_vendor(&var->guid);
        Json *item;

        if (!broken) {
            continue;
        }
        if (!tool_options.json) {
            printf("%s %s: %s\n", vendor, name, broken);
        }
        item = json_object_new_object();
        tool_json_add(item, "name", tool_json_name(var->name));
        tool_json_add(item, "guid", tool_json_guid(&var->guid));
        tool_json_add(item, "problem", json_object_new_string(broken));
        json_object_array_add(list, item);
    }
    return list;
}

/* @problems is taken over */
static void print_json(const ToolStore *s, unsigned count, size_t journal,
                       Json *problems)
{
    Json *root = json_object_new_object();

    tool_json_add(root, "variables", json_object_new_int64(count));
    tool_json_add(root, "bytes", json_object_new_int64(tool_store_size(s)));
    tool_json_add(root, "journal-records", json_object_new_int64(s->records));
    tool_json_add(root, "journal-bytes", json_object_new_int64(journal));
    tool_json_add(root, "warnings",
                  json_object_new_int64(s->warnings->len));
    tool_json_add(root, "problems", problems);
    tool_print_json(root);
}

static int run_check(char **args)
{
    g_autoptr(GError) err = NULL;
    g_autoptr(ToolStore) s = NULL;
    const UefiVariable *var = NULL;
    size_t journal;
    unsigned count = 0;
    Json *problems;
    int status;

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
    journal = tool_store_journal_size(s);
    problems = find_problems(s);
    status = json_object_array_length(problems) ? TOOL_FAILED : TOOL_OK;
    if (tool_options.json) {
        print_json(s, count, journal, problems);
        return status;
    }
    json_object_put(problems);
    printf("variables: %u, which count for %" PRIu64 " bytes\n"
           "journal: %u records, %zu bytes\n", count, tool_store_size(s),
           s->records, journal);
    return status;
}

static const GOptionEntry check_options[] = {
    TOOL_OPTION_JSON, TOOL_OPTION_SIZE, TOOL_OPTION_HWERR_QUOTA,
    TOOL_OPTION_DICTIONARY,
    { }
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
