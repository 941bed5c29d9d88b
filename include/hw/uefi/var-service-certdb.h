/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: who may sign for which variable
 */

#ifndef HW_UEFI_VAR_SERVICE_CERTDB_H
#define HW_UEFI_VAR_SERVICE_CERTDB_H

#include "hw/uefi/var-service-update.h"

/**
 * uefi_certdb_update: set or, with @binding NULL, remove one binding
 * @name: an empty one is that of no variable
 * @attributes: of the variable
 *
 * Bindings of volatile variables stand apart, as they go with the next reset.
 */
UefiReason uefi_certdb_update(UefiVarService *uv, UefiVarChange *change,
                              const UefiGuid *guid, const uint16_t *name,
                              uint32_t attributes, GBytes *binding);

#endif /* HW_UEFI_VAR_SERVICE_CERTDB_H */
