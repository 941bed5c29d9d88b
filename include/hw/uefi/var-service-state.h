/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: the whole state as bytes, for migration
 */

#ifndef HW_UEFI_VAR_SERVICE_STATE_H
#define HW_UEFI_VAR_SERVICE_STATE_H

#include "hw/uefi/var-service-update.h"

/* In the tag of a part that may be passed over where it is not known */
#define UEFI_STATE_OPTIONAL     0x80000000u

/**
 * uefi_vars_state_save: phase, variables, checks, policies and trust
 *
 * Versioned, little endian; the caller unrefs.
 */
GBytes *uefi_vars_state_save(const UefiVarService *uv);

/**
 * uefi_vars_state_load: replace *@uv by what uefi_vars_state_save() gave
 * @data, @size: bytes that may come from anywhere
 *
 * Everything is validated first; on failure nothing has changed.  The host is
 * not asked to save anything.
 */
bool uefi_vars_state_load(UefiVarService **uv, const uint8_t *data,
                          size_t size, GError **err);

/** uefi_vars_state_max: more bytes than any state can have that fits @uv */
size_t uefi_vars_state_max(const UefiVarService *uv);

#endif /* HW_UEFI_VAR_SERVICE_STATE_H */
