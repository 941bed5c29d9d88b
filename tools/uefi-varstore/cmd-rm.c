/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: remove variables
 */

#include "qemu/osdep.h"
#include "tool.h"

static int run_rm(char **args)
{
    g_autoptr(UefiVarChange) change = uefi_var_change_new();
    g_autoptr(ToolStore) s = NULL;
    g_autoptr(GPtrArray) vars = NULL;
    g_autoptr(GError) err = NULL;

    s = tool_open(args[0], TOOL_WRITE);
    if (!s) {
        return TOOL_FAILED;
    }
    vars = tool_select(s, args + 1);
    if (!vars) {
        return TOOL_FAILED;
    }
    for (guint i = 0; i < vars->len; i++) {
        const UefiVariable *var = vars->pdata[i];

        uefi_var_change_remove(change, &var->guid, var->name);
    }
    if (!tool_store_commit(s, change, &err)) {
        return tool_fail_with(err);
    }
    return TOOL_OK;
}

static const GOptionEntry rm_options[] = {
    TOOL_OPTION_GUID,
    TOOL_OPTION_IN_PLACE, TOOL_OPTION_DICTIONARY,
    { }
};

const ToolCommand tool_cmd_rm = {
    .name = "rm",
    .arguments = "FILE NAME...",
    .summary = "Remove variables, all or none; names can have * and ?.",
    .options = rm_options,
    .min_args = 2,
    .max_args = -1,
    .run = run_rm,
};
