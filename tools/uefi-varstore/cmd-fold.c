/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: merge the journal of a store into its document
 */

#include "qemu/osdep.h"
#include "tool.h"

static int run_fold(char **args)
{
    g_autoptr(ToolStore) s = tool_open(args[0], TOOL_WRITE);
    g_autoptr(GError) err = NULL;

    if (!s) {
        return TOOL_FAILED;
    }
    if (!tool_store_fold(s, &err)) {
        return tool_fail_with(err);
    }
    return TOOL_OK;
}

const ToolCommand tool_cmd_fold = {
    .name = "fold",
    .arguments = "FILE",
    .summary = "Merge the journal into the document.",
    .min_args = 1,
    .max_args = 1,
    .run = run_fold,
};
