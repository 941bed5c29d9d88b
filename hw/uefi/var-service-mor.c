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

/* Values of the MOR lock variable, as the guest reads them (5.4) */
enum { MOR_UNLOCKED, MOR_LOCKED, MOR_LOCKED_WITH_KEY };

/* Rows L3 to L6 */
static UefiReason check_lock(const UefiVarRequest *req,
                             UefiMorVerdict *verdict)
{
    bool with_key = req->payload_size == UEFI_MOR_KEY_SIZE;
    uint8_t value = with_key ? MOR_LOCKED_WITH_KEY : *req->payload;

    if (!with_key && value != MOR_UNLOCKED && value != MOR_LOCKED) {
        return UEFI_REASON_MOR_LOCK_VALUE;
    }
    verdict->value = value;
    verdict->next.locked = value != MOR_UNLOCKED;
    verdict->next.has_key = with_key;
    if (with_key) {
        memcpy(verdict->next.key, req->payload, UEFI_MOR_KEY_SIZE);
    }
    return UEFI_REASON_OK;
}

/* Rows L7 to L9 */
static UefiReason check_unlock(const UefiMorState *mor,
                               const UefiVarRequest *req,
                               UefiMorVerdict *verdict)
{
    if (!mor->has_key || req->payload_size != UEFI_MOR_KEY_SIZE) {
        return UEFI_REASON_MOR_LOCK_LOCKED;
    }
    verdict->next = (UefiMorState) { };
    verdict->value = MOR_UNLOCKED;
    if (memcmp(mor->key, req->payload, UEFI_MOR_KEY_SIZE) != 0) {
        verdict->answer = UEFI_REASON_MOR_LOCK_KEY;
        verdict->next.locked = true;
        verdict->value = MOR_LOCKED;
    }
    return UEFI_REASON_OK;
}

/* Whatever is written to the lock, the variable holds one byte. */
static UefiReason check_lock_variable(const UefiMorState *mor,
                                      const UefiVarRequest *req,
                                      UefiMorVerdict *verdict)
{
    if (req->attributes == 0 || req->payload_size == 0) {
        return UEFI_REASON_MOR_LOCK_DELETE;
    }
    if (req->attributes != req->known->property.attributes ||
        (req->payload_size != 1 && req->payload_size != UEFI_MOR_KEY_SIZE)) {
        return UEFI_REASON_MOR_LOCK_FORM;
    }
    verdict->replaced = true;
    return mor->locked ? check_unlock(mor, req, verdict)
                       : check_lock(req, verdict);
}

static UefiReason check_request(const UefiMorState *mor,
                                const UefiVarRequest *req)
{
    if (req->attributes != req->known->property.attributes ||
        req->payload_size != 1) {
        return UEFI_REASON_MOR_FORM;
    }
    return mor->locked ? UEFI_REASON_MOR_LOCKED : UEFI_REASON_OK;
}

UefiReason uefi_mor_check(const UefiVarService *uv, const UefiVarRequest *req,
                          UefiMorVerdict *verdict)
{
    *verdict = (UefiMorVerdict) { .next = uv->mor };
    if (uefi_policy_disabled(uv) &&
        (req->attributes == 0 || req->payload_size == 0)) {
        return UEFI_REASON_OK;
    }
    switch (req->known->id) {
    case UEFI_KNOWN_MOR:
        return check_request(&uv->mor, req);
    case UEFI_KNOWN_MOR_LOCK:
        return check_lock_variable(&uv->mor, req, verdict);
    default:
        return UEFI_REASON_OK;
    }
}

UefiReason uefi_mor_done(UefiVarService *uv, const UefiMorVerdict *verdict,
                         UefiReason reason)
{
    if (verdict->answer != UEFI_REASON_OK) {
        /*
         * One guess is all there is, whatever becomes of the variable, so
         * that keys cannot be tried out.
         */
        uv->mor = verdict->next;
        return verdict->answer;
    }
    if (reason == UEFI_REASON_OK) {
        uv->mor = verdict->next;
    }
    return reason;
}

/* Remove a variable for good, unless the firmware has a policy for it. */
static void ban(UefiVarService *uv, UefiVarChange *change, UefiKnownId id)
{
    const UefiKnown *known = uefi_known(id);
    g_autofree uint16_t *name = uefi_str_from_ascii(known->name);

    if (uefi_known_stored(uv, id)) {
        uefi_var_change_remove(change, known->guid, name);
    }
    uefi_policy_lock_now(uv, known->guid, name);
}

void uefi_mor_end_of_dxe(UefiVarService *uv)
{
    g_autoptr(UefiVarChange) change = uefi_var_change_new();

    if (uv->config.has_tpm && uefi_known_stored(uv, UEFI_KNOWN_MOR)) {
        /* What finds no room stays as it is: nothing depends on it. */
        uefi_known_put_byte(uv, change, UEFI_KNOWN_MOR_LOCK, MOR_UNLOCKED);
        uefi_vars_commit(uv, change);
    } else {
        /* Nobody would act on a request to overwrite memory. */
        ban(uv, change, UEFI_KNOWN_MOR);
        ban(uv, change, UEFI_KNOWN_MOR_LOCK);
        uefi_vars_commit_own(uv, change);
    }
}
