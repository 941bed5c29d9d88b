/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: why a request was answered the way it was
 *
 * Each reason has exactly one status for the guest, and a text for the host:
 * the table is var-service-reason.h.inc.
 */

#ifndef HW_UEFI_VAR_SERVICE_REASON_H
#define HW_UEFI_VAR_SERVICE_REASON_H

#include "hw/uefi/var-service-edk2.h"

typedef enum UefiReason {
#define X(name, status, text) UEFI_REASON_##name
#include "hw/uefi/var-service-reason.h.inc"
#undef X
    UEFI_REASON__MAX
} UefiReason;

/**
 * uefi_reason_status: the status that the guest sees for @reason
 */
EfiStatus uefi_reason_status(UefiReason reason);

/**
 * uefi_reason_text: why, for the host; static
 */
const char *uefi_reason_text(UefiReason reason);

/**
 * uefi_reason_name: the name of the enumerator without its prefix; static
 */
const char *uefi_reason_name(UefiReason reason);

#endif /* HW_UEFI_VAR_SERVICE_REASON_H */
