/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: remove keys
 */

#include "qemu/osdep.h"
#include "tool.h"
#include "hw/uefi/var-service-secureboot.h"

/* Everything that says what to trust; PK, which rules the others, goes last */
static const struct {
    const char *name;
    const UefiGuid *guid;
} all_keys[] = {
    { "dbt", &uefi_guid_image_security },
    { "dbr", &uefi_guid_image_security },
    { "dbx", &uefi_guid_image_security },
    { "db", &uefi_guid_image_security },
    { "KEK", &uefi_guid_global },
    { "PK", &uefi_guid_global },
};

static int run_reset_keys(char **args)
{
    g_autoptr(ToolStore) s = tool_open(args[0], TOOL_WRITE);
    g_autoptr(GError) err = NULL;
    bool any = false;

    if (!s) {
        return TOOL_FAILED;
    }
    uefi_secureboot_follow(s->uv);
    for (size_t i = 0; i < ARRAY_SIZE(all_keys); i++) {
        const UefiVariable *var =
            uefi_store_find_ascii(s->uv->store, UEFI_VIEW_BOOT,
                                  all_keys[i].guid, all_keys[i].name);
        UefiReason reason;

        if (!var) {
            continue;
        }
        any = true;
        reason = uefi_vars_host_delete(s->uv, all_keys[i].guid, var->name,
                                       true);
        if (reason != UEFI_REASON_OK) {
            return tool_fail("%s stays: %s", all_keys[i].name,
                             uefi_reason_text(reason));
        }
    }
    if (any && !tool_store_fold(s, &err)) {
        return tool_fail("%s", err->message);
    }
    return TOOL_OK;
}

static const GOptionEntry reset_keys_options[] = {
    TOOL_OPTION_IN_PLACE, TOOL_OPTION_DICTIONARY,
    { }
};

const ToolCommand tool_cmd_reset_keys = {
    .name = "reset-keys",
    .arguments = "FILE",
    .summary = "Remove all keys: back to setup mode.",
    .options = reset_keys_options,
    .min_args = 1,
    .max_args = 1,
    .run = run_reset_keys,
};
