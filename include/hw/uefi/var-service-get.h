/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: the services that change nothing
 */

#ifndef HW_UEFI_VAR_SERVICE_GET_H
#define HW_UEFI_VAR_SERVICE_GET_H

#include "hw/uefi/var-service-update.h"

/** uefi_vars_get: GetVariable (3.5) but for the guest's room; on OK *@var */
UefiReason uefi_vars_get(const UefiVarService *uv, const UefiGuid *guid,
                         const uint16_t *name, const UefiVariable **var);

/**
 * uefi_vars_next: GetNextVariableName (3.6) but for the guest's room
 * @name: empty to begin, then @guid does not matter
 */
UefiReason uefi_vars_next(const UefiVarService *uv, const UefiGuid *guid,
                          const uint16_t *name, const UefiVariable **var);

/* What QueryVariableInfo tells of a kind of variables, bytes */
typedef struct UefiVarSpace {
    uint64_t maximum;
    uint64_t remaining;
    uint64_t largest;       /* name and value of one variable */
} UefiVarSpace;

/** uefi_vars_query: QueryVariableInfo (3.8) */
UefiReason uefi_vars_query(const UefiVarService *uv, uint32_t attributes,
                           UefiVarSpace *space);

#endif /* HW_UEFI_VAR_SERVICE_GET_H */
