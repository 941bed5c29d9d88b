/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: the store file as the host has it
 *
 * Descriptor, lock, size and time of modification, and the name.
 */

#ifndef HW_UEFI_VAR_SERVICE_POSIX_H
#define HW_UEFI_VAR_SERVICE_POSIX_H

#include "hw/uefi/var-service-file.h"

/**
 * uefi_var_file_open: begin to use an open file
 *
 * @fd becomes the property of the result, or is closed when the call fails.
 * It must refer to a regular file, neither in append mode nor past the page
 * cache; opened read-only it can be loaded but not written.  @name stands for
 * the file in messages.  @path is where the file must be found when it is
 * written, or NULL when there is no such place, as for a descriptor that was
 * passed.  @limit is as for uefi_var_file_new().
 *
 * Nothing is read or written yet.  Returns NULL with @err set on failure.
 */
UefiVarFile *uefi_var_file_open(int fd, const char *name, const char *path,
                                size_t limit, GError **err);

/**
 * uefi_var_file_lock_fd: the lock of uefi_var_file_lock(), on any descriptor
 *
 * Also keeps QEMU's drivers of images away.  Returns -1 with errno on failure.
 */
int uefi_var_file_lock_fd(int fd, bool on);

/**
 * uefi_var_file_sync_parent: make the name of a new file durable
 *
 * For whoever has just created @path: syncs the directory that holds it.
 * Returns false with errno set on failure, for example when the directory may
 * not be opened.
 */
bool uefi_var_file_sync_parent(const char *path);

#endif /* HW_UEFI_VAR_SERVICE_POSIX_H */
