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

/**
 * uefi_mor_check: step 11 of 4.2, the memory-overwrite variables (5.4)
 *
 * Returns true when the request ends here, with the answer in @reason.
 */
bool uefi_mor_check(UefiVarService *uv, const UefiVarRequest *req,
                    UefiReason *reason);

#endif /* HW_UEFI_VAR_SERVICE_MOR_H */
