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
    const UefiVariable *var = NULL;

    if (!to) {
        return TOOL_FAILED;
    }
    if (to->file) {
        return tool_fail("%s: %s", args[1], g_strerror(EEXIST));
    }
    while ((var = tool_store_next(from, var))) {
        UefiVariable *copy =
            uefi_variable_new(&var->guid, var->name, var->attributes,
                              g_bytes_ref(var->data));

        copy->time = var->time;
        copy->binding = var->binding ? g_bytes_ref(var->binding) : NULL;
        uefi_var_change_add(change, copy);
    }
    /* as large as the other, whatever its device has room for */
    memcpy(to->used, from->used, sizeof(to->used));
    return tool_store_commit(to, change, &err) ? TOOL_OK : tool_fail_with(err);
}

const ToolCommand tool_cmd_clone = {
    .name = "clone",
    .arguments = "FILE NEW",
    .summary = "Copy a store, also while a guest uses it.",
    .min_args = 2,
    .max_args = 2,
    .run = run_clone,
};
