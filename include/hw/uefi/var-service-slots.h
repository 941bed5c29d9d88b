/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: the store on a medium of fixed size
 *
 * A block device has no end that could be cut, so the store takes turns
 * between two slots, and a superblock says which one counts.  The layout is
 * specified in docs/specs/uefi-vars-file.rst.  Text goes in and text comes
 * out, as for a file; all offsets and lengths are in bytes.
 */

#ifndef HW_UEFI_VAR_SERVICE_SLOTS_H
#define HW_UEFI_VAR_SERVICE_SLOTS_H

#include "hw/uefi/var-service-medium.h"

/*
 * UefiVarSlotsOps: what is needed of a medium
 *
 * Offsets and lengths are multiples of its request alignment.  Each returns 0,
 * or a negative errno; a write that fails may have happened in part.  Without
 * @write the medium is only read.
 */
typedef struct UefiVarSlotsOps {
    int (*read)(void *opaque, uint64_t offset, void *buf, size_t len);
    int (*write)(void *opaque, uint64_t offset, const void *buf, size_t len);
    int (*write_zeroes)(void *opaque, uint64_t offset, uint64_t len);
    /* what was written before is durable after it */
    int (*flush)(void *opaque);
    /* of requests, a power of 2; it may change in the life of a medium */
    uint32_t (*alignment)(void *opaque);
} UefiVarSlotsOps;

typedef struct UefiVarSlots UefiVarSlots;

/* What a superblock begins with */
#define UEFI_VAR_SLOTS_MAGIC    "#uefi-vars-slots 1 "
/* The first is at 0, the second here; a torn write is no larger than this */
#define UEFI_VAR_SLOTS_STRIDE   65536
/* The largest alignment of requests that can be used */
#define UEFI_VAR_SLOTS_BLOCK    4096

/**
 * uefi_var_slots_capacity: what a medium needs to have, in bytes
 * @max_document: the longest document that there will be, bytes
 */
uint64_t uefi_var_slots_capacity(size_t max_document);

/** uefi_var_slots_most: what is used of a large one, in bytes */
uint64_t uefi_var_slots_most(size_t max_document);

/**
 * uefi_var_slots_new: begin to use a medium
 * @ops, @opaque: stay the caller's, and outlive the result
 * @name: of the medium, in messages
 * @capacity: of the medium, bytes
 * @max_document: as above
 *
 * Nothing is read or written yet, and uefi_var_slots_check() comes first.
 */
UefiVarSlots *uefi_var_slots_new(const UefiVarSlotsOps *ops, void *opaque,
                                 const char *name, uint64_t capacity,
                                 size_t max_document);
void uefi_var_slots_free(UefiVarSlots *s);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(UefiVarSlots, uefi_var_slots_free)

/** uefi_var_slots_check: whether the medium is large and fine enough */
bool uefi_var_slots_check(const UefiVarSlots *s, GError **err);

/*
 * @opaque is a UefiVarSlots.  An append costs one write and one flush, the
 * first one ever more of them.  A fold is one step, of two flushes.
 */
extern const UefiVarMediumOps uefi_var_slots_medium_ops;

#endif /* HW_UEFI_VAR_SERVICE_SLOTS_H */
