/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: a file that records, fails and crashes at will
 *
 * Stands in for the store file behind UefiVarFileOps.  It keeps apart what a
 * process reads (the page cache) and what would be left after a loss of power.
 */

#ifndef TESTS_UNIT_UEFI_DISK_H
#define TESTS_UNIT_UEFI_DISK_H

#include "hw/uefi/var-service-file.h"

typedef enum UefiDiskOp {
    UEFI_DISK_PREAD,
    UEFI_DISK_PWRITE,
    UEFI_DISK_FDATASYNC,
    UEFI_DISK_FTRUNCATE,
    UEFI_DISK_FSTAT,
    UEFI_DISK_N_OPS,
} UefiDiskOp;

typedef struct UefiDisk UefiDisk;

/*
 * Asked before each operation: 0 to let it happen, an errno value to fail it.
 * It may shorten *@len, the bytes to be written, also of a write that fails.
 */
typedef int UefiDiskFault(void *opaque, UefiDiskOp op, size_t *len);

struct UefiDisk {
    GByteArray *now;            /* what the file reads as */
    GByteArray *base;           /* what surely is on the disk */
    GPtrArray *since;           /* operations that may be there in part */
    int64_t mtime;
    size_t noted_size;
    int64_t noted_mtime;
    bool lost;                  /* the name leads elsewhere */
    bool locked;
    int lock_error;             /* errno, or 0 */
    unsigned calls[UEFI_DISK_N_OPS];
    size_t written;             /* bytes */
    UefiDiskFault *fault;
    void *fault_opaque;
};

extern const UefiVarFileOps uefi_disk_ops;

/** uefi_disk_new: a file of @len bytes that are on the disk */
UefiDisk *uefi_disk_new(const void *data, size_t len);
void uefi_disk_free(UefiDisk *disk);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(UefiDisk, uefi_disk_free)

/** uefi_disk_open: begin to use the file, as a new process would */
UefiVarFile *uefi_disk_open(UefiDisk *disk, size_t limit);

/** uefi_disk_set: somebody else writes the file */
void uefi_disk_set(UefiDisk *disk, const void *data, size_t len);

/** uefi_disk_settled: whether a loss of power would change nothing */
bool uefi_disk_settled(const UefiDisk *disk);

typedef void UefiDiskVisit(void *opaque, const uint8_t *data, size_t len);

/**
 * uefi_disk_crash: visit what a loss of power can leave
 *
 * Every operation since the last sync is cut at every byte, with the bytes
 * beyond missing or zero, those before it having reached the disk; and each of
 * its sectors is on the disk or not in any combination with all others, up to
 * a bound beyond which combinations are drawn at random.  Cuts inside of
 * operations longer than @dense bytes are spread out except near their ends
 * and sector borders.
 */
void uefi_disk_crash(UefiDisk *disk, GRand *rand, size_t dense,
                     UefiDiskVisit *visit, void *opaque);

#endif /* TESTS_UNIT_UEFI_DISK_H */
