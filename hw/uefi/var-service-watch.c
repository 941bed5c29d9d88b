/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: QMP events
 *
 * Managers are told when a variable changes that decides what the guest boots.
 */

#include "qemu/osdep.h"
#include "hw/uefi/var-service-known.h"
#include "hw/uefi/var-service-qapi.h"
#include "hw/uefi/var-service-watch.h"

static const UefiKnownId watched[UEFI_VARS_WATCHED] = {
    UEFI_KNOWN_SETUP_MODE,
    UEFI_KNOWN_SECURE_BOOT,
    UEFI_KNOWN_SECURE_BOOT_ENABLE,
    UEFI_KNOWN_PK,
    UEFI_KNOWN_KEK,
    UEFI_KNOWN_DB,
    UEFI_KNOWN_DBX,
    UEFI_KNOWN_BOOT_ORDER,
    UEFI_KNOWN_BOOT_NEXT,
};

static void watch_value(UefiVarWatch *watch, size_t i, GBytes *value)
{
    GBytes *known = watch->values[i];

    if (known == value || (known && value && g_bytes_equal(known, value))) {
        return;
    }
    g_clear_pointer(&watch->values[i], g_bytes_unref);
    watch->values[i] = value ? g_bytes_ref(value) : NULL;
    if (watch->on) {
        const UefiKnown *variable = uefi_known(watched[i]);
        g_autofree char *guid = uefi_guid_print(variable->guid);

        qapi_event_send_uefi_vars_changed(variable->name, guid, value);
    }
}

void uefi_vars_watch_change(UefiVarWatch *watch, const UefiVarChange *change)
{
    if (!watch->on) {
        return;
    }
    for (guint v = 0; v < change->vars->len; v++) {
        const UefiVariable *var = g_ptr_array_index(change->vars, v);

        UefiKnownId id = uefi_known_find(&var->guid, var->name)->id;

        for (size_t i = 0; i < UEFI_VARS_WATCHED; i++) {
            if (id == watched[i]) {
                watch_value(watch, i, var->data);
            }
        }
    }
}

void uefi_vars_watch_store(UefiVarWatch *watch, const UefiVarStore *store)
{
    for (size_t i = 0; i < UEFI_VARS_WATCHED; i++) {
        const UefiKnown *known = uefi_known(watched[i]);
        const UefiVariable *var = uefi_store_find_ascii(store, UEFI_VIEW_BOOT,
                                                        known->guid,
                                                        known->name);

        watch_value(watch, i, var ? var->data : NULL);
    }
    watch->on = true;
}

void uefi_vars_watch_clear(UefiVarWatch *watch)
{
    for (size_t i = 0; i < UEFI_VARS_WATCHED; i++) {
        g_clear_pointer(&watch->values[i], g_bytes_unref);
    }
    watch->on = false;
}
