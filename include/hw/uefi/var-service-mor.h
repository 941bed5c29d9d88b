/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: the memory-overwrite request and its lock
 */

#ifndef HW_UEFI_VAR_SERVICE_MOR_H
#define HW_UEFI_VAR_SERVICE_MOR_H

#include "hw/uefi/var-service-update.h"

/** uefi_mor_end_of_dxe: offer the lock, or remove the request for good (9.2) */
void uefi_mor_end_of_dxe(UefiVarService *uv);

/* What becomes of a request that has passed uefi_mor_check() */
typedef struct UefiMorVerdict {
    bool replaced;              /* store @value, whatever was passed */
    uint8_t value;
    UefiReason answer;          /* when that is stored */
    UefiMorState next;          /* the lock, when that is stored */
} UefiMorVerdict;

/**
 * uefi_mor_check: step 11 of 4.2, the memory-overwrite variables (5.4)
 * @verdict: set unless the request is refused; of no effect for others
 */
UefiReason uefi_mor_check(const UefiVarService *uv, const UefiVarRequest *req,
                          UefiMorVerdict *verdict);

/**
 * uefi_mor_done: follow with the lock what has become of the request
 * @reason: of the commit, or of a refusal before it
 *
 * Returns the answer to the request.
 */
UefiReason uefi_mor_done(UefiVarService *uv, const UefiMorVerdict *verdict,
                         UefiReason reason);

#endif /* HW_UEFI_VAR_SERVICE_MOR_H */
