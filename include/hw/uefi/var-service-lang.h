/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: languages (5.5)
 */

#ifndef HW_UEFI_VAR_SERVICE_LANG_H
#define HW_UEFI_VAR_SERVICE_LANG_H

#include "hw/uefi/var-service-update.h"

/** uefi_lang_clear: forget both lists */
void uefi_lang_clear(UefiLangState *lang);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(UefiLangState, uefi_lang_clear)

/** uefi_lang_update: step 15 of 4.2 (5.5), into @change */
UefiReason uefi_lang_update(UefiVarService *uv, const UefiVarRequest *req,
                            UefiVarChange *change);

#endif /* HW_UEFI_VAR_SERVICE_LANG_H */
