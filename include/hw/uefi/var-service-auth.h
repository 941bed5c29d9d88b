/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: who may write which variable
 */

#ifndef HW_UEFI_VAR_SERVICE_AUTH_H
#define HW_UEFI_VAR_SERVICE_AUTH_H

#include "hw/uefi/var-service-update.h"

/**
 * uefi_auth_set: steps 16 to 18 of 4.2: who may write, then 4.3
 *
 * On success @change holds every variable that the request sets or removes.
 */
UefiReason uefi_auth_set(UefiVarService *uv, const UefiVarRequest *req,
                         UefiVarChange *change);

/**
 * uefi_auth_committed: @req has been committed; follow with cached state
 *
 * @req->old is NULL by now.
 */
void uefi_auth_committed(UefiVarService *uv, const UefiVarRequest *req);

/**
 * uefi_auth_force: what follows from a request of the host, into @change
 *
 * The request itself is in there already; nobody has signed it.  Keys are
 * checked to be signature lists, and have all effects that they have when a
 * guest writes them in custom mode: enrolling or removing PK changes the
 * platform mode at once.
 */
UefiReason uefi_auth_force(UefiVarService *uv, const UefiVarRequest *req,
                           UefiVarChange *change);

#endif /* HW_UEFI_VAR_SERVICE_AUTH_H */
