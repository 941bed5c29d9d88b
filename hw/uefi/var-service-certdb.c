/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: who may sign for which variable (7.4)
 *
 * Bindings are kept with their variables.  certdb and certdbv are made of them,
 * for guests that look.
 */

#include "qemu/osdep.h"
#include "hw/uefi/var-service-certdb.h"
#include "hw/uefi/var-service-known.h"
#include "hw/uefi/var-service-msg.h"

/* A record of certdb: GUID, three lengths, name, digest (7.4) */
#define CERTDB_HEADER_SIZE  4
#define CERTDB_RECORD_SIZE  28
/* What edk2 keeps free of the largest authenticated variable */
#define CERTDB_RESERVE      16

static void put_binding(GByteArray *out, const UefiGuid *guid,
                        const uint16_t *name, GBytes *binding)
{
    gsize len = uefi_str_len(name), size;
    const uint8_t *data = g_bytes_get_data(binding, &size);

    g_byte_array_append(out, guid->b, sizeof(guid->b));
    uefi_bytes_put_u32(out, CERTDB_RECORD_SIZE + 2 * len + size);
    uefi_bytes_put_u32(out, len);
    uefi_bytes_put_u32(out, size);
    uefi_bytes_put_str(out, name);
    g_byte_array_append(out, data, size);
}

UefiReason uefi_certdb_update(UefiVarService *uv, UefiVarChange *change,
                              const UefiGuid *guid, const uint16_t *name,
                              uint32_t attributes, GBytes *binding)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    bool nv = attributes & EFI_ATTR_NV;
    const UefiVariable *var = NULL;
    UefiMsg msg;

    if (binding && !nv && uefi_vars_at_runtime(uv)) {
        return UEFI_REASON_AUTH_CERTDB_RUNTIME;
    }
    uefi_bytes_put_u32(out, 0);
    while ((var = uefi_store_next(uv->store, UEFI_VIEW_BOOT, var))) {
        if (var->binding && !(var->attributes & EFI_ATTR_NV) == !nv &&
            !(uefi_guid_equal(&var->guid, guid) &&
              uefi_str_equal(var->name, name))) {
            put_binding(out, &var->guid, var->name, var->binding);
        }
    }
    if (binding) {
        put_binding(out, guid, name, binding);
        if (out->len + CERTDB_RESERVE > uv->config.limits.max_auth) {
            return UEFI_REASON_AUTH_CERTDB_FULL;
        }
    }
    uefi_msg_init(&msg, out->data, out->len, 8);
    uefi_msg_put_u32(&msg, out->len);
    uefi_known_put(uv, change, nv ? UEFI_KNOWN_CERTDB : UEFI_KNOWN_CERTDBV,
                   out->data, out->len);
    return UEFI_REASON_OK;
}
