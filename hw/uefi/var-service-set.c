/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: SetVariable, for a guest and for the host
 *
 * The order of the checks (4.2).  What each of them means is in the files of
 * the rules; what is allowed becomes one change, which is committed whole.
 */

#include "qemu/osdep.h"
#include "hw/uefi/var-service-auth.h"
#include "hw/uefi/var-service-check.h"
#include "hw/uefi/var-service-known.h"
#include "hw/uefi/var-service-lang.h"
#include "hw/uefi/var-service-mor.h"
#include "hw/uefi/var-service-msg.h"
#include "hw/uefi/var-service-policy.h"
#include "hw/uefi/var-service-secureboot.h"
#include "hw/uefi/var-service-set.h"

/* Size of EFI_VARIABLE_AUTHENTICATION with its RSA-2048 certificate */
#define AW_DESCRIPTOR_SIZE  560

/* Rows 2 to 7 */
static UefiReason check_attributes(const UefiVarLimits *limits, uint32_t attr)
{
    bool aw = attr & EFI_ATTR_AW;

    if (attr & ~EFI_ATTR_ALL) {
        return UEFI_REASON_SET_UNKNOWN;
    }
    if ((attr & EFI_ATTR_RT) && !(attr & EFI_ATTR_BS)) {
        return aw ? UEFI_REASON_SET_RT_NO_BS_AW : UEFI_REASON_SET_RT_NO_BS;
    }
    if ((attr & EFI_ATTR_NOT_AW) == EFI_ATTR_NV) {
        return aw ? UEFI_REASON_SET_NV_ONLY_AW : UEFI_REASON_SET_NV_ONLY;
    }
    if (!(attr & (EFI_ATTR_AT | EFI_ATTR_AW)) && (attr & EFI_ATTR_HR) &&
        limits->hwerr_quota == 0) {
        return UEFI_REASON_SET_NO_HR;
    }
    if (aw && (attr & EFI_ATTR_AT)) {
        return UEFI_REASON_SET_AW_AT;
    }
    return UEFI_REASON_OK;
}

/* Rows 8 and 9: where the descriptor ends and the new value begins */
static UefiReason split_descriptor(UefiVarRequest *req)
{
    uint32_t cert_size;
    UefiMsg msg;

    req->payload = req->data;
    req->payload_size = req->size;
    if (req->attributes & EFI_ATTR_AW) {
        if (req->size != AW_DESCRIPTOR_SIZE) {
            return UEFI_REASON_SET_AW_SIZE;
        }
        req->payload += AW_DESCRIPTOR_SIZE;
        req->payload_size = 0;
    }
    if (!(req->attributes & EFI_ATTR_AT)) {
        return UEFI_REASON_OK;
    }
    uefi_msg_init(&msg, (uint8_t *)req->data, req->size, 8);
    if (req->size < EFI_AUTH2_CERT_OFFSET) {
        return UEFI_REASON_SET_DESCRIPTOR;
    }
    memcpy(req->time.b, uefi_msg_get_bytes(&msg, EFI_TIME_SIZE),
           EFI_TIME_SIZE);
    cert_size = uefi_msg_get_u32(&msg);
    if (cert_size < EFI_AUTH2_CERT_OFFSET - EFI_TIME_SIZE ||
        cert_size > req->size - EFI_TIME_SIZE) {
        return UEFI_REASON_SET_DESCRIPTOR;
    }
    req->payload += EFI_TIME_SIZE + cert_size;
    req->payload_size -= EFI_TIME_SIZE + cert_size;
    return UEFI_REASON_OK;
}

/* The change, then the cached state of those who have something of it */
static UefiReason commit(UefiVarService *uv, const UefiVarRequest *req,
                         const UefiAuthPlan *plan, UefiVarChange *change)
{
    UefiReason reason = uefi_vars_commit(uv, change);

    if (reason == UEFI_REASON_OK) {
        uefi_auth_committed(uv, plan);
        uefi_lang_committed(uv, req);
    }
    return reason;
}

/* Steps 12 to 18 for a guest, then commit */
static UefiReason guest_write(UefiVarService *uv, const UefiVarRequest *req)
{
    g_autoptr(UefiVarChange) change = uefi_var_change_new();
    UefiAuthPlan plan = uefi_auth_plan(uv, req);
    const UefiVariable *old = req->old;
    UefiReason reason;

    reason = uefi_secureboot_protect(uv, req);
    if (reason == UEFI_REASON_OK && uefi_vars_checks_on(uv)) {
        reason = uefi_check_rules(uv, req);
        if (reason == UEFI_REASON_OK) {
            reason = uefi_policy_check(uv, req);
        }
    }
    if (reason != UEFI_REASON_OK) {
        return reason;
    }
    if (old && uefi_vars_at_runtime(uv) && !(old->attributes & EFI_ATTR_RT)) {
        return UEFI_REASON_SET_NOT_RUNTIME;
    }
    if (old && req->attributes &&
        (req->attributes & ~EFI_ATTR_AP) != old->attributes) {
        return UEFI_REASON_SET_ATTRIBUTES;
    }
    reason = uefi_lang_check(uv, req);
    if (reason == UEFI_REASON_OK) {
        reason = uefi_lang_update(uv, req, change);
    }
    if (reason == UEFI_REASON_OK) {
        reason = uefi_auth_set(uv, req, &plan, change);
    }
    if (reason == UEFI_REASON_OK) {
        reason = commit(uv, req, &plan, change);
    }
    if (reason == UEFI_REASON_STORE_FULL) {
        uefi_check_no_room(uv);
    }
    return reason;
}

/* What is stored if the lock of the memory-overwrite request is written */
static UefiVarRequest mor_request(const UefiVarRequest *req,
                                  const UefiMorVerdict *verdict)
{
    UefiVarRequest inner = *req;

    if (verdict->replaced) {
        inner.data = inner.payload = &verdict->value;
        inner.size = inner.payload_size = sizeof(verdict->value);
    }
    return inner;
}

UefiReason uefi_vars_set(UefiVarService *uv, const UefiGuid *guid,
                         const uint16_t *name, uint32_t attributes,
                         const uint8_t *data, size_t size)
{
    UefiVarRequest req = {
        .guid = *guid,
        .name = name,
        .known = uefi_known_find(guid, name),
        .attributes = attributes,
        .data = data,
        .size = size,
    };
    UefiMorVerdict mor;
    UefiReason reason;

    if (!*name) {
        return UEFI_REASON_SET_NO_NAME;
    }
    reason = check_attributes(&uv->config.limits, attributes);
    if (reason == UEFI_REASON_OK) {
        reason = split_descriptor(&req);
    }
    if (reason != UEFI_REASON_OK) {
        return reason;
    }
    if (EFI_VAR_RECORD_HEADER_SIZE + uefi_str_size(name) + req.payload_size >
        uefi_vars_max_record(uv, attributes)) {
        return UEFI_REASON_SET_TOO_LARGE;
    }
    req.old = uefi_store_find(uv->store, UEFI_VIEW_BOOT, guid, name);
    reason = uefi_mor_check(uv, &req, &mor);
    if (reason != UEFI_REASON_OK) {
        return reason;
    }
    req = mor_request(&req, &mor);
    return uefi_mor_done(uv, &mor, guest_write(uv, &req));
}

/* The host sets and removes, without regard to phases and policies */

static void host_update(const UefiVarRequest *req, UefiVarChange *change)
{
    const UefiVariable *old = req->old;
    g_autoptr(GBytes) value = g_bytes_new(req->payload, req->payload_size);
    UefiVariable *var;

    if (uefi_vars_is_delete(req)) {
        uefi_var_change_remove(change, &req->guid, req->name);
        return;
    }
    if (old && g_bytes_equal(old->data, value)) {
        return;
    }
    var = uefi_variable_new(&req->guid, req->name, req->attributes,
                            g_steal_pointer(&value));
    if (old) {
        var->time = old->time;
        var->binding = old->binding ? g_bytes_ref(old->binding) : NULL;
    }
    uefi_var_change_add(change, var);
}

static UefiReason host_commit(UefiVarService *uv, const UefiVarRequest *req)
{
    g_autoptr(UefiVarChange) change = uefi_var_change_new();
    UefiAuthPlan plan = uefi_auth_plan_host(uv, req);
    UefiReason reason = uefi_check_rules(uv, req);

    if (reason == UEFI_REASON_OK) {
        reason = uefi_lang_update(uv, req, change);
    }
    if (reason == UEFI_REASON_OK) {
        host_update(req, change);
        reason = uefi_auth_set_host(uv, req, &plan, change);
    }
    return reason == UEFI_REASON_OK ? commit(uv, req, &plan, change) : reason;
}

static UefiReason host_write(UefiVarService *uv, const UefiVarRequest *req,
                             bool authenticated)
{
    UefiReason reason = uefi_secureboot_protect(uv, req);
    UefiVarRequest inner;
    UefiMorVerdict mor;

    if (reason != UEFI_REASON_OK) {
        return reason;
    }
    if ((req->attributes & EFI_ATTR_AT) && !authenticated) {
        return UEFI_REASON_HOST_NOT_FORCED;
    }
    reason = uefi_mor_check(uv, req, &mor);
    if (reason != UEFI_REASON_OK) {
        return reason;
    }
    inner = mor_request(req, &mor);
    return uefi_mor_done(uv, &mor, host_commit(uv, &inner));
}

UefiReason uefi_vars_host_attributes(const UefiVarLimits *limits,
                                     uint32_t attributes)
{
    UefiReason reason = check_attributes(limits, attributes);

    if (reason != UEFI_REASON_OK) {
        return reason;
    }
    if (attributes & EFI_ATTR_AW) {
        return UEFI_REASON_AUTH_COUNTER;
    }
    if (!(attributes & EFI_ATTR_BS) || (attributes & EFI_ATTR_AP)) {
        return UEFI_REASON_HOST_ATTRIBUTES;
    }
    return UEFI_REASON_OK;
}

UefiReason uefi_vars_host_set(UefiVarService *uv, const UefiGuid *guid,
                              const uint16_t *name, uint32_t attributes,
                              const uint8_t *data, size_t size,
                              bool authenticated)
{
    UefiVarRequest req = {
        .guid = *guid,
        .name = name,
        .known = uefi_known_find(guid, name),
        .attributes = attributes,
        .data = data,
        .size = size,
        .payload = data,
        .payload_size = size,
        .old = uefi_store_find(uv->store, UEFI_VIEW_BOOT, guid, name),
    };
    UefiReason reason = uefi_vars_host_attributes(&uv->config.limits,
                                                  attributes);

    if (!*name) {
        return UEFI_REASON_SET_NO_NAME;
    }
    if (reason != UEFI_REASON_OK) {
        return reason;
    }
    if (size == 0) {
        return UEFI_REASON_HOST_NO_VALUE;
    }
    if (EFI_VAR_RECORD_HEADER_SIZE + uefi_str_size(name) + size >
        uefi_vars_max_record(uv, attributes)) {
        return UEFI_REASON_SET_TOO_LARGE;
    }
    if (req.old && req.old->attributes != attributes) {
        return UEFI_REASON_SET_ATTRIBUTES;
    }
    return host_write(uv, &req, authenticated);
}

UefiReason uefi_vars_host_delete(UefiVarService *uv, const UefiGuid *guid,
                                 const uint16_t *name, bool authenticated)
{
    const UefiVariable *old = uefi_store_find(uv->store, UEFI_VIEW_BOOT, guid,
                                              name);
    UefiVarRequest req = {
        .guid = *guid,
        .name = name,
        .known = uefi_known_find(guid, name),
        .old = old,
    };

    if (!old) {
        return UEFI_REASON_STORE_MISSING;
    }
    req.attributes = old->attributes;
    return host_write(uv, &req, authenticated);
}
