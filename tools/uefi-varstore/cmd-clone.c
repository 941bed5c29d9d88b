/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: a plain copy of a store, which may be in use
 */

#include "qemu/osdep.h"
#include "tool.h"

static int run_clone(char **args)
{
    g_autoptr(UefiVarChange) change = uefi_var_change_new();
    g_autoptr(ToolStore) from = tool_open(args[0], TOOL_READ);
    g_autoptr(ToolStore) to = from ? tool_open(args[1], TOOL_CREATE) : NULL;
    g_autoptr(GError) err = NULL;
    g_autoptr(GPtrArray) vars = NULL;

    if (!to) {
        return TOOL_FAILED;
    }
    if (to->file || to->image) {
        return tool_fail("%s: %s", args[1], g_strerror(EEXIST));
    }
    vars = tool_store_copy(from);
    for (guint i = 0; i < vars->len; i++) {
        uefi_var_change_add(change, g_steal_pointer(&vars->pdata[i]));
    }
    /* as large as the other, whatever its device has room for */
    memcpy(to->used, from->used, sizeof(to->used));
    return tool_store_commit(to, change, &err) ? TOOL_OK : tool_fail_with(err);
}

static const GOptionEntry clone_options[] = {
    TOOL_OPTION_DICTIONARY,
    { }
};

const ToolCommand tool_cmd_clone = {
    .name = "clone",
    .arguments = "FILE NEW",
    .summary = "Copy a store, also while a guest uses it.",
    .options = clone_options,
    .min_args = 2,
    .max_args = 2,
    .run = run_clone,
};
