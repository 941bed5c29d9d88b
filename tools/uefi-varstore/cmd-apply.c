/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: set the variables of a document in a store, all or none
 */

#include "qemu/osdep.h"
#include "tool.h"
#include "hw/uefi/var-service-load.h"

static gboolean opt_force;

/* NULL after a message */
static GPtrArray *read_document(const char *path)
{
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GBytes) file = tool_read_file(path);
    g_autofree char *text = NULL;
    g_autoptr(GError) err = NULL;
    GPtrArray *vars;
    gsize size;
    const char *data;

    if (!file) {
        return NULL;
    }
    data = g_bytes_get_data(file, &size);
    if (size && memchr(data, 0, size)) {
        tool_fail("%s: this is no text", path);
        return NULL;
    }
    text = g_strndup(data, size);
    vars = uefi_load_parse(text, warnings, &err);
    if (!vars) {
        tool_fail("%s: %s", path, err->message);
    }
    for (guint i = 0; i < warnings->len; i++) {
        tool_note("%s: warning: %s", path, (char *)warnings->pdata[i]);
    }
    return vars;
}

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
    g_autoptr(UefiVarChange) change = uefi_var_change_new();
    g_autoptr(GPtrArray) vars = read_document(args[0]);
    g_autoptr(ToolStore) s = vars ? tool_open(args[1], TOOL_CREATE) : NULL;
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
    /* they go to the change */
    g_ptr_array_set_free_func(vars, NULL);
    for (guint i = 0; i < vars->len; i++) {
        uefi_var_change_add(change, vars->pdata[i]);
    }
    return tool_store_commit(s, change, &err) ? TOOL_OK : tool_fail_with(err);
}

static const GOptionEntry apply_options[] = {
    { "force", 0, 0, G_OPTION_ARG_NONE, &opt_force,
      "Set what the device would refuse", NULL },
    TOOL_OPTION_SIZE, TOOL_OPTION_HWERR_QUOTA,
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
