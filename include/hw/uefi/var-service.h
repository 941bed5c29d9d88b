/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: the core as a whole, for its users
 *
 * The layers of the core are described in docs/devel/uefi-vars.rst, its
 * semantics and the rows that comments cite in docs/specs/uefi-vars.rst.
 *
 * The core is deterministic: no clock, no environment, no global state and no
 * I/O of its own.  It depends on GLib and qemu/osdep.h alone.
 */

#ifndef HW_UEFI_VAR_SERVICE_H
#define HW_UEFI_VAR_SERVICE_H

#include "hw/uefi/var-service-set.h"

/** uefi_vars_default_config: the configuration of a stock OVMF build */
UefiVarConfig uefi_vars_default_config(void);

/**
 * uefi_vars_new: a service with an empty store, before its first reset
 *
 * @config is copied; @host is borrowed for the life of the service and may be
 * NULL for a service that keeps nothing.
 */
UefiVarService *uefi_vars_new(const UefiVarConfig *config,
                              const UefiVarHost *host, void *host_opaque);
/** uefi_vars_free: let go of it; NULL is allowed */
void uefi_vars_free(UefiVarService *uv);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(UefiVarService, uefi_vars_free)

/**
 * uefi_vars_ref: hold it, so that it can be freed once more
 *
 * For whoever works with one that may be replaced meanwhile.
 */
UefiVarService *uefi_vars_ref(UefiVarService *uv);

/**
 * uefi_vars_replace: put the service @by, which has no host, in place of *@uv
 *
 * Whatever is under way in the old one, because it waits for its host, comes
 * to its end there, where nobody hears of it.
 */
void uefi_vars_replace(UefiVarService **uv, UefiVarService *by);

/**
 * uefi_vars_hard_reset: power on and system reset (9.1)
 *
 * Volatile variables and all state of the boot go; derived variables are
 * made anew.  Call once after loading the store, too.  Not for S3 wake-up.
 */
void uefi_vars_hard_reset(UefiVarService *uv);

/**
 * uefi_vars_message_size: bytes of a message, from its first bytes
 * @head: the first @head_size bytes of the message
 * @head_size: at least EFI_MM_HEADER_SIZE_64, or all that the buffer has
 * @buffer_size: of the exchange buffer
 *
 * Returns 0 when the header or the length it announces does not fit the
 * buffer, which is UEFI_VARS_STS_ERR_BAD_BUFFER_SIZE to the guest.
 */
size_t uefi_vars_message_size(const uint8_t *head, size_t head_size,
                              size_t buffer_size);

/**
 * uefi_vars_message: handle one message
 * @buf: the host's own copy of the message, header included; the reply
 *       replaces it
 * @size: bytes, from uefi_vars_message_size()
 * @buffer_size: of the exchange buffer
 *
 * Returns a UEFI_VARS_STS_ value; the reply goes back to the guest, @size
 * bytes of it, only for UEFI_VARS_STS_SUCCESS.
 */
uint16_t uefi_vars_message(UefiVarService *uv, uint8_t *buf, size_t size,
                           size_t buffer_size);

/** uefi_vars_answered: the request has its answer, which the host may trace */
void uefi_vars_answered(UefiVarService *uv, UefiReason reason);

/** uefi_vars_enter_phase: go forward to @phase; nothing if already there */
void uefi_vars_enter_phase(UefiVarService *uv, UefiVarPhase phase);

#endif /* HW_UEFI_VAR_SERVICE_H */
