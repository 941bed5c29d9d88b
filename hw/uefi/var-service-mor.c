/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: memory-overwrite request (5.4)
 *
 * The request to overwrite memory at the next start, its lock and the key.
 */

#include "qemu/osdep.h"
#include "hw/uefi/var-service-known.h"
#include "hw/uefi/var-service-mor.h"
#include "hw/uefi/var-service-policy.h"
#include "hw/uefi/var-service-set.h"

#define MOR_NAME        "MemoryOverwriteRequestControl"
#define MOR_LOCK_NAME   "MemoryOverwriteRequestControlLock"

/* Values of the MOR lock variable, as the guest reads them (5.4) */
enum { MOR_UNLOCKED, MOR_LOCKED, MOR_LOCKED_WITH_KEY };

/* Whatever the guest has written, the variable holds one byte. */
static UefiReason store_mor_lock(UefiVarService *uv, const UefiVarRequest *req,
                                 uint8_t value)
{
    UefiVarRequest inner = *req;

    inner.data = inner.payload = &value;
    inner.size = inner.payload_size = sizeof(value);
    return uefi_vars_write(uv, &inner);
}

static void forget_key(UefiMorState *mor)
{
    mor->has_key = false;
    memset(mor->key, 0, sizeof(mor->key));
}

/* Rows L3 to L6 */
static UefiReason mor_lock(UefiVarService *uv, const UefiVarRequest *req)
{
    UefiMorState *mor = &uv->mor;
    bool with_key = req->payload_size == UEFI_MOR_KEY_SIZE;
    uint8_t value = with_key ? MOR_LOCKED_WITH_KEY : *req->payload;
    UefiReason reason;

    if (!with_key && value != MOR_UNLOCKED && value != MOR_LOCKED) {
        return UEFI_REASON_MOR_LOCK_VALUE;
    }
    reason = store_mor_lock(uv, req, value);
    if (reason != UEFI_REASON_OK) {
        return reason;
    }
    mor->locked = value != MOR_UNLOCKED;
    mor->has_key = with_key;
    if (with_key) {
        memcpy(mor->key, req->payload, UEFI_MOR_KEY_SIZE);
    }
    return UEFI_REASON_OK;
}

/* Rows L7 to L9 */
static UefiReason mor_unlock(UefiVarService *uv, const UefiVarRequest *req)
{
    UefiMorState *mor = &uv->mor;
    UefiReason reason;

    if (!mor->has_key || req->payload_size != UEFI_MOR_KEY_SIZE) {
        return UEFI_REASON_MOR_LOCK_LOCKED;
    }
    if (memcmp(mor->key, req->payload, UEFI_MOR_KEY_SIZE) != 0) {
        /* One guess is all there is, so that keys cannot be tried out. */
        forget_key(mor);
        store_mor_lock(uv, req, MOR_LOCKED);
        return UEFI_REASON_MOR_LOCK_KEY;
    }
    reason = store_mor_lock(uv, req, MOR_UNLOCKED);
    if (reason == UEFI_REASON_OK) {
        forget_key(mor);
        mor->locked = false;
    }
    return reason;
}

static UefiReason write_mor_lock(UefiVarService *uv,
                                 const UefiVarRequest *req)
{
    if (req->attributes == 0 || req->payload_size == 0) {
        return UEFI_REASON_MOR_LOCK_DELETE;
    }
    if (req->attributes != UEFI_ATTR_A7 ||
        (req->payload_size != 1 && req->payload_size != UEFI_MOR_KEY_SIZE)) {
        return UEFI_REASON_MOR_LOCK_FORM;
    }
    return uv->mor.locked ? mor_unlock(uv, req) : mor_lock(uv, req);
}

static UefiReason check_mor(UefiVarService *uv, const UefiVarRequest *req)
{
    if (req->attributes != UEFI_ATTR_A7 || req->payload_size != 1) {
        return UEFI_REASON_MOR_FORM;
    }
    return uv->mor.locked ? UEFI_REASON_MOR_LOCKED : UEFI_REASON_OK;
}

bool uefi_mor_check(UefiVarService *uv, const UefiVarRequest *req,
                    UefiReason *reason)
{
    bool is_mor = uefi_vars_is_for(req, &uefi_guid_mor_control, MOR_NAME);
    bool is_lock = uefi_vars_is_for(req, &uefi_guid_mor_control_lock,
                                     MOR_LOCK_NAME);

    if (!is_mor && !is_lock) {
        return false;
    }
    if (uefi_policy_disabled(uv) &&
        (req->attributes == 0 || req->payload_size == 0)) {
        return false;
    }
    if (is_lock) {
        *reason = write_mor_lock(uv, req);
        return true;
    }
    *reason = check_mor(uv, req);
    return *reason != UEFI_REASON_OK;
}

/* Remove a variable for good, unless the firmware has a policy for it. */
static void ban(UefiVarService *uv, UefiVarChange *change,
                const UefiGuid *guid, const char *ascii)
{
    g_autofree uint16_t *name = uefi_str_from_ascii(ascii);

    if (uefi_store_find(uv->store, UEFI_VIEW_BOOT, guid, name)) {
        uefi_var_change_remove(change, guid, name);
    }
    uefi_policy_lock_now(uv, guid, name);
}

/* What finds no room stays as it is: nothing depends on the variable. */
static void offer_lock(UefiVarService *uv)
{
    g_autoptr(UefiVarChange) change = uefi_var_change_new();
    const uint8_t value = MOR_UNLOCKED;

    uefi_vars_put(uv, change, &uefi_guid_mor_control_lock, MOR_LOCK_NAME,
                  UEFI_ATTR_A7, &value, sizeof(value));
    uefi_vars_commit(uv, change);
}

void uefi_mor_end_of_dxe(UefiVarService *uv)
{
    g_autoptr(UefiVarChange) change = uefi_var_change_new();

    if (uv->config.has_tpm &&
        uefi_store_find_ascii(uv->store, UEFI_VIEW_BOOT,
                              &uefi_guid_mor_control, MOR_NAME)) {
        offer_lock(uv);
    } else {
        /* Nobody would act on a request to overwrite memory. */
        ban(uv, change, &uefi_guid_mor_control, MOR_NAME);
        ban(uv, change, &uefi_guid_mor_control_lock, MOR_LOCK_NAME);
        uefi_vars_commit_own(uv, change);
    }
}
