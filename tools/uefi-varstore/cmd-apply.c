/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: set the variables of a document in a store, all or none
 */

#include "qemu/osdep.h"
#include "tool.h"

static gboolean opt_force;

static bool check(const ToolStore *s, const UefiVariable *var)
{
    g_autofree char *name = uefi_str_print(var->name);
    g_autofree char *broken = opt_force ? NULL : tool_rule_broken(s, var);

    if (broken) {
        tool_fail("'%s' is refused, as no guest could set it so: %s (see "
                  "--force)", name, broken);
        return false;
    }
    return tool_check_attributes(&s->uv->config.limits, var->attributes);
}

static int run_apply(char **args)
{
    g_autoptr(GPtrArray) vars = tool_read_document(args[0]);
    g_autoptr(ToolStore) s = vars ? tool_open(args[1], TOOL_CREATE) : NULL;
    g_autoptr(UefiVarChange) change = NULL;
    g_autoptr(GError) err = NULL;

    if (!s) {
        return TOOL_FAILED;
    }
    tool_configure(s);
    for (guint i = 0; i < vars->len; i++) {
        if (!check(s, vars->pdata[i])) {
            return TOOL_FAILED;
        }
    }
    change = tool_change_of(g_steal_pointer(&vars));
    return tool_store_commit(s, change, &err) ? TOOL_OK : tool_fail_with(err);
}

static const GOptionEntry apply_options[] = {
    { "force", 0, 0, G_OPTION_ARG_NONE, &opt_force,
      "Set what the device would refuse", NULL },
    TOOL_OPTION_SIZE, TOOL_OPTION_HWERR_QUOTA,
    TOOL_OPTION_IN_PLACE, TOOL_OPTION_DICTIONARY,
    { }
};

const ToolCommand tool_cmd_apply = {
    .name = "apply",
    .arguments = "DOCUMENT FILE",
    .summary = "Set the variables of a document, all or none.",
    .options = apply_options,
    .min_args = 2,
    .max_args = 2,
    .run = run_apply,
};
