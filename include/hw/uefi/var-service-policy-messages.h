/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: messages of the variable policy protocol
 */

#ifndef HW_UEFI_VAR_SERVICE_POLICY_MESSAGES_H
#define HW_UEFI_VAR_SERVICE_POLICY_MESSAGES_H

#include "hw/uefi/var-service-msg.h"
#include "hw/uefi/var-service-update.h"

/**
 * uefi_policy_handle: answer one message of the policy protocol
 *
 * Returns false when the message is too short for a result (P1).
 */
bool uefi_policy_handle(UefiVarService *uv, UefiMsg *msg);

#endif /* HW_UEFI_VAR_SERVICE_POLICY_MESSAGES_H */
