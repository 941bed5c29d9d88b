/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: VarCheck, the properties of variables
 */

#ifndef HW_UEFI_VAR_SERVICE_CHECK_H
#define HW_UEFI_VAR_SERVICE_CHECK_H

#include "hw/uefi/var-service-known.h"
#include "hw/uefi/var-service-update.h"

UefiVarCheckState *uefi_check_new(void);
void uefi_check_free(UefiVarCheckState *check);

/** uefi_check_reset: forget everything that belongs to one boot */
void uefi_check_reset(UefiVarService *uv);

/** uefi_check_end_of_dxe: VarErrorFlag becomes what the boot has made of it */
void uefi_check_end_of_dxe(UefiVarService *uv);

/** uefi_check_rules: VarCheck alone, V1 to V7 */
UefiReason uefi_check_rules(UefiVarService *uv, const UefiVarRequest *req);

/** uefi_check_no_room: an NV write failed for want of space (5.6) */
void uefi_check_no_room(UefiVarService *uv);

/** uefi_check_property: of (@guid, @name), whoever has set it (5.1), or NULL */
const UefiVarProperty *uefi_check_property(const UefiVarService *uv,
                                           const UefiGuid *guid,
                                           const uint16_t *name);

/** uefi_check_set_property: @property for exactly (@guid, @name) */
UefiReason uefi_check_set_property(UefiVarService *uv, const UefiGuid *guid,
                                   const uint16_t *name,
                                   const UefiVarProperty *property);

/**
 * uefi_check_save: state of the boot for migration; the caller unrefs
 *
 * Properties set by function 9, MOR lock and key, language lists, shadow of
 * VarErrorFlag; versioned, little endian.
 */
GBytes *uefi_check_save(const UefiVarService *uv);

/**
 * uefi_check_load: take over what uefi_check_save() gave
 *
 * Everything is validated first; on failure nothing has changed.
 */
bool uefi_check_load(UefiVarService *uv, GBytes *bytes, GError **err);

#endif /* HW_UEFI_VAR_SERVICE_CHECK_H */
