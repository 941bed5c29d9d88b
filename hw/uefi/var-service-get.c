/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: the services that change nothing
 *
 * GetVariable, GetNextVariableName and QueryVariableInfo (3.5, 3.6, 3.8),
 * whatever message asks.
 */

#include "qemu/osdep.h"
#include "hw/uefi/var-service-get.h"

UefiReason uefi_vars_get(const UefiVarService *uv, const UefiGuid *guid,
                         const uint16_t *name, const UefiVariable **var)
{
    if (!*name) {
        return UEFI_REASON_GET_NO_NAME;
    }
    *var = uefi_store_find(uv->store, uefi_vars_view(uv), guid, name);
    return *var ? UEFI_REASON_OK : UEFI_REASON_GET_MISSING;
}

UefiReason uefi_vars_next(const UefiVarService *uv, const UefiGuid *guid,
                          const uint16_t *name, const UefiVariable **var)
{
    UefiVarView view = uefi_vars_view(uv);
    const UefiVariable *last = NULL;

    if (*name) {
        last = uefi_store_find(uv->store, view, guid, name);
        if (!last) {
            return UEFI_REASON_NEXT_MISSING;
        }
    }
    *var = uefi_store_next(uv->store, view, last);
    return *var ? UEFI_REASON_OK : UEFI_REASON_NEXT_END;
}

static UefiReason check_query(const UefiVarService *uv, uint32_t attr)
{
    if (attr == 0) {
        return UEFI_REASON_QUERY_NONE;
    }
    if (attr & EFI_ATTR_AW) {
        return UEFI_REASON_QUERY_AW;
    }
    if (!(attr & EFI_ATTR_NOT_AW)) {
        return UEFI_REASON_QUERY_UNKNOWN;
    }
    if ((attr & EFI_ATTR_NOT_AW) == EFI_ATTR_NV) {
        return UEFI_REASON_QUERY_NV_ONLY;
    }
    if ((attr & EFI_ATTR_RT) && !(attr & EFI_ATTR_BS)) {
        return UEFI_REASON_QUERY_RT_NO_BS;
    }
    if (uefi_vars_at_runtime(uv) && !(attr & EFI_ATTR_RT)) {
        return UEFI_REASON_QUERY_NO_RT;
    }
    if ((attr & EFI_ATTR_HR) && !(attr & EFI_ATTR_NV)) {
        return UEFI_REASON_QUERY_HR_NO_NV;
    }
    if ((attr & EFI_ATTR_HR) && !(attr & EFI_ATTR_AT) &&
        uv->config.limits.hwerr_quota == 0) {
        return UEFI_REASON_QUERY_NO_HR;
    }
    return UEFI_REASON_OK;
}

UefiReason uefi_vars_query(const UefiVarService *uv, uint32_t attributes,
                           UefiVarSpace *space)
{
    UefiReason reason = check_query(uv, attributes);
    UefiVarClass class;
    uint64_t used;

    if (reason != UEFI_REASON_OK) {
        return reason;
    }
    class = uefi_store_class(attributes);
    used = uefi_store_used(uv->store, class);
    space->maximum = uefi_store_capacity(uv->store, class);
    space->remaining = space->maximum > used ? space->maximum - used : 0;
    space->largest = uefi_vars_max_record(uv, attributes);
    space->largest = MIN(space->largest, space->remaining);
    space->largest -= MIN(space->largest, EFI_VAR_RECORD_HEADER_SIZE);
    return UEFI_REASON_OK;
}
