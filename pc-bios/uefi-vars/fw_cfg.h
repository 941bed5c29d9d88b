/*
 * Files that QEMU has for the firmware (docs/specs/fw_cfg.rst), on x86
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef UEFI_VARS_FW_CFG_H
#define UEFI_VARS_FW_CFG_H

#include "efi.h"

/*
 * Select the file @name, @name_size bytes with the terminator.  Returns its
 * size, 0 if there is none.
 */
uint32_t fw_cfg_open(const char *name, size_t name_size);

/* Read on in the selected file. */
void fw_cfg_read(void *to, size_t size);

/* Write on in the selected file.  Returns false if it can't be written. */
bool fw_cfg_write(const void *from, uint32_t size);

#endif /* UEFI_VARS_FW_CFG_H */
