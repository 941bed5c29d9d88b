/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: signature lists (UEFI 2.10, 32.4.1; protocol 7.5)
 */

#ifndef HW_UEFI_VAR_SERVICE_SIGLIST_H
#define HW_UEFI_VAR_SERVICE_SIGLIST_H

#include "hw/uefi/var-service-msg.h"

/* EFI_SIGNATURE_LIST: type, ListSize, HeaderSize, SignatureSize */
#define UEFI_SIGLIST_HEADER_SIZE    28
/* EFI_SIGNATURE_DATA begins with the GUID of its owner */
#define UEFI_SIGLIST_OWNER_SIZE     16

/* One list of a value, in place */
typedef struct UefiSigList {
    UefiGuid type;
    uint32_t header_size;       /* bytes */
    uint32_t sig_size;          /* bytes of a signature, its owner included */
    size_t count;               /* signatures */
    const uint8_t *sigs;        /* borrowed, count * sig_size bytes */
} UefiSigList;

/**
 * uefi_siglist_next: the list at the cursor
 * @msg: over the whole value; moves behind the list
 *
 * The caller stops when nothing is left.  Returns a reason other than OK
 * for bytes that are no list, with @msg and @list in no particular state.
 */
UefiReason uefi_siglist_next(UefiMsg *msg, UefiSigList *list);

/**
 * uefi_siglist_cert: the data of signature @i of @list, without its owner
 * @size: set to bytes
 */
const uint8_t *uefi_siglist_cert(const UefiSigList *list, size_t i,
                                 size_t *size);

/** uefi_siglist_is_x509: whether the signatures are certificates */
bool uefi_siglist_is_x509(const UefiSigList *list);

/**
 * uefi_siglist_check: CheckList, Q1 to Q7; nothing at all passes
 * @single: allow only one signature in total, as in PK (Q7)
 */
UefiReason uefi_siglist_check(const uint8_t *data, size_t size, bool single);

/**
 * uefi_siglist_new_only: lists of @data without signatures that @old has
 * @old: lists as stored
 * @data, @size: lists that have passed uefi_siglist_check()
 * @reason: why not, when NULL is returned
 *
 * What remains stays in its order and grouped in its lists; a list that
 * becomes empty vanishes.  Appended to @old it is the merged value.
 */
GBytes *uefi_siglist_new_only(GBytes *old, const uint8_t *data, size_t size,
                              UefiReason *reason);

#endif /* HW_UEFI_VAR_SERVICE_SIGLIST_H */
