/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: HMP, in all emulators
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qapi/qapi-commands-uefi.h"
#include "qemu/module.h"
#include "qobject/qdict.h"
#include "monitor/hmp.h"
#include "monitor/monitor.h"

static const char *attribute_letters(UefiVarAttribute attribute)
{
    static const char *const letters[UEFI_VAR_ATTRIBUTE__MAX] = {
        [UEFI_VAR_ATTRIBUTE_NON_VOLATILE] = "NV",
        [UEFI_VAR_ATTRIBUTE_BOOT] = "BS",
        [UEFI_VAR_ATTRIBUTE_RUNTIME] = "RT",
        [UEFI_VAR_ATTRIBUTE_HARDWARE_ERROR] = "HR",
        [UEFI_VAR_ATTRIBUTE_COUNTER_AUTHENTICATED] = "AW",
        [UEFI_VAR_ATTRIBUTE_AUTHENTICATED] = "AT",
    };

    return letters[attribute];
}

static void print_variable(Monitor *mon, const UefiVarInfo *var)
{
    g_autoptr(GString) letters = g_string_new(NULL);

    for (UefiVarAttributeList *a = var->attributes; a; a = a->next) {
        g_string_append_printf(letters, "%s%s", letters->len ? "," : "",
                               attribute_letters(a->value));
    }
    monitor_printf(mon, "%s %-11s %7" PRIu64 " %s\n", var->guid, letters->str,
                   var->size, var->name);
}

static void hmp_info_uefi_vars(Monitor *mon, const QDict *qdict)
{
    const char *name = qdict_get_try_str(qdict, "name");
    Error *err = NULL;
    uint64_t told = 0;
    UefiVarInfoPage *page = qmp_query_uefi_vars(NULL, name, false, false,
                                                false, 0, false, 0, &err);

    if (hmp_handle_error(mon, err)) {
        return;
    }
    for (UefiVarInfoList *v = page->variables; v; v = v->next) {
        print_variable(mon, v->value);
        told++;
    }
    if (told < page->matches) {
        monitor_printf(mon, "and %" PRIu64 " more; give a name, in which * "
                       "stands for any characters\n", page->matches - told);
    }
    qapi_free_UefiVarInfoPage(page);
}

static void print_key(Monitor *mon, const UefiKeyInfo *key)
{
    monitor_printf(mon, "%-12s", key->name);
    if (!key->size) {
        monitor_printf(mon, "none\n");
        return;
    }
    monitor_printf(mon, "%" PRIu64 " bytes", key->size);
    for (UefiSignatureCountList *s = key->signatures; s; s = s->next) {
        monitor_printf(mon, ", %" PRIu64 " %s", s->value->count,
                       s->value->type);
    }
    monitor_printf(mon, "%s\n", key->damaged ? ", damaged" : "");
    for (UefiCertificateInfoList *c = key->certificates; c; c = c->next) {
        monitor_printf(mon, "%12s%s\n", "",
                       c->value->subject ?: "a certificate that cannot be "
                       "read");
    }
}

static void print_secure_boot(Monitor *mon, const UefiVarStoreInfo *info)
{
    static const char *const next_boot[UEFI_SECURE_BOOT_STATE__MAX] = {
        [UEFI_SECURE_BOOT_STATE_SETUP_MODE] = "off, without platform key",
        [UEFI_SECURE_BOOT_STATE_DISABLED] = "off, by SecureBootEnable",
        [UEFI_SECURE_BOOT_STATE_ENABLED] = "on, with a platform key",
        [UEFI_SECURE_BOOT_STATE_FORCED] = "on, forced by the host",
    };

    monitor_printf(mon, "%-12s%s%s\n", "mode",
                   info->setup_mode ? "setup" : "user",
                   info->custom_mode ? ", custom" : "");
    monitor_printf(mon, "%-12s%s\n", "secure boot",
                   info->secure_boot ? "on" : "off");
    monitor_printf(mon, "%-12s%s\n", "next boot", next_boot[info->next_boot]);
    for (UefiKeyInfoList *k = info->keys; k; k = k->next) {
        print_key(mon, k->value);
    }
    monitor_printf(mon, "%-12s%" PRIu64 " bytes\n", "room in dbx",
                   info->dbx_room);
    monitor_printf(mon, "%-12s%s\n", "keys of 2023",
                   UefiKeyReadiness_str(info->readiness));
}

static void print_store(Monitor *mon, const UefiVarStoreInfo *info)
{
    monitor_printf(mon, "%-12s%s\n", "phase", UefiBootPhase_str(info->phase));
    monitor_printf(mon, "%-12s%" PRIu64 "%s%s\n", "policies", info->policies,
                   info->policies_locked ? ", locked" : "",
                   info->policies_disabled ? ", disabled" : "");
    for (UefiVarUsageList *u = info->usage; u; u = u->next) {
        monitor_printf(mon, "%-12s%" PRIu64 " of %" PRIu64 " bytes %s\n",
                       u == info->usage ? "used" : "", u->value->used,
                       u->value->limit, UefiVarRoom_str(u->value->q_class));
    }
    monitor_printf(mon, "%-12s%s", info->node ? "node" : "file",
                   info->node ?: info->file ?: "none");
    if (info->journal) {
        monitor_printf(mon, ", journal %" PRIu64 " bytes", info->journal);
    }
    monitor_printf(mon, "\n");
    if (info->failure) {
        g_autoptr(GDateTime) since =
            g_date_time_new_from_unix_local(info->failure->since);
        g_autofree char *text = g_date_time_format(since, "%F %T");

        monitor_printf(mon, "%-12ssince %s: %s\n", "not saved", text,
                       info->failure->reason);
    }
}

static void print_refused(Monitor *mon, const UefiVarRefusedWrites *refused)
{
    if (refused) {
        monitor_printf(mon, "%-12s%" PRIu64 " in all, the last one %s %s: %s\n",
                       "refused", refused->count, refused->guid,
                       refused->name ?: "", refused->reason);
    }
}

static void hmp_info_uefi_vars_status(Monitor *mon, const QDict *qdict)
{
    Error *err = NULL;
    UefiVarStoreInfo *info = qmp_query_uefi_vars_status(&err);

    if (hmp_handle_error(mon, err)) {
        return;
    }
    print_secure_boot(mon, info);
    print_store(mon, info);
    print_refused(mon, info->refused);
    qapi_free_UefiVarStoreInfo(info);
}

static void uefi_vars_register_hmp(void)
{
    monitor_register_hmp("uefi-vars", true, hmp_info_uefi_vars);
    monitor_register_hmp("uefi-vars-status", true, hmp_info_uefi_vars_status);
}

type_init(uefi_vars_register_hmp)
