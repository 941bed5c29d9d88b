/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: messages of the variable protocol
 */

#ifndef HW_UEFI_VAR_SERVICE_VARS_H
#define HW_UEFI_VAR_SERVICE_VARS_H

#include "hw/uefi/var-service-msg.h"
#include "hw/uefi/var-service-update.h"

/**
 * uefi_vars_handle: answer one message of the variable protocol (3)
 * @msg: message data, cursor at 0
 * @buffer_size: of the exchange buffer
 * @phase: set to the one that the message announces; the caller enters it
 *
 * Returns false when the message is too short for a status (M1).
 */
bool uefi_vars_handle(UefiVarService *uv, UefiMsg *msg, size_t buffer_size,
                      UefiVarPhase *phase);

#endif /* HW_UEFI_VAR_SERVICE_VARS_H */
