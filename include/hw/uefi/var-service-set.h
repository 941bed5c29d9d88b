/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: SetVariable, for a guest and for the host
 */

#ifndef HW_UEFI_VAR_SERVICE_SET_H
#define HW_UEFI_VAR_SERVICE_SET_H

#include "hw/uefi/var-service-update.h"

/**
 * uefi_vars_set: SetVariable, all of 4.2 for a request of the guest
 * @data, @size: as passed, descriptor included
 */
UefiReason uefi_vars_set(UefiVarService *uv, const UefiGuid *guid,
                         const uint16_t *name, uint32_t attributes,
                         const uint8_t *data, size_t size);

/**
 * uefi_vars_host_attributes: whether uefi_vars_host_set() takes @attributes
 *
 * For tools as well: whoever passes others makes a variable that no guest
 * could have made.
 */
UefiReason uefi_vars_host_attributes(const UefiVarLimits *limits,
                                     uint32_t attributes);

/**
 * uefi_vars_host_set: set a variable for the administrator of the host
 * @attributes: all of them, as they are to be; without EFI_ATTR_AP
 * @data: the new value, without descriptor; @size bytes, at least 1
 * @authenticated: whether it may be an authenticated variable
 *
 * What is known to be wrong is refused as for a guest: attributes, sizes,
 * content of well-known variables, state of the service itself.  Phases,
 * policies and signatures don't matter.  The time stamp of the old value
 * stays, so that no older update of a signer comes back, and so does the
 * signer that a variable is bound to; a new one has neither.
 */
UefiReason uefi_vars_host_set(UefiVarService *uv, const UefiGuid *guid,
                              const uint16_t *name, uint32_t attributes,
                              const uint8_t *data, size_t size,
                              bool authenticated);

/** uefi_vars_host_delete: the same for removing a variable */
UefiReason uefi_vars_host_delete(UefiVarService *uv, const UefiGuid *guid,
                                 const uint16_t *name, bool authenticated);

#endif /* HW_UEFI_VAR_SERVICE_SET_H */
