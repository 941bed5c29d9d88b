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

/** uefi_lang_check: whether a guest may write the lists in this phase (5.5) */
UefiReason uefi_lang_check(const UefiVarService *uv,
                           const UefiVarRequest *req);

/** uefi_lang_update: step 15 of 4.2, what follows from @req, into @change */
UefiReason uefi_lang_update(UefiVarService *uv, const UefiVarRequest *req,
                            UefiVarChange *change);

/** uefi_lang_committed: remember a list that has been written */
void uefi_lang_committed(UefiVarService *uv, const UefiVarRequest *req);

#endif /* HW_UEFI_VAR_SERVICE_LANG_H */
