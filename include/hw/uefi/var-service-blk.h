/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: a node of the block layer as medium
 */

#ifndef HW_UEFI_VAR_SERVICE_BLK_H
#define HW_UEFI_VAR_SERVICE_BLK_H

#include "hw/uefi/var-service-slots.h"
#include "system/block-backend-common.h"

/**
 * uefi_vars_blk_open: begin to use the node in @blk, which stays the caller's
 * @max_document: the longest document that there will be, bytes
 *
 * Takes the permissions.  Nothing is read or written yet.
 */
UefiVarSlots *uefi_vars_blk_open(BlockBackend *blk, size_t max_document,
                                 Error **errp);

/**
 * uefi_vars_blk_node: the node in @blk now, for a job can put another one in
 *
 * Returns NULL if it has been taken out.
 */
const char *uefi_vars_blk_node(BlockBackend *blk);

#endif /* HW_UEFI_VAR_SERVICE_BLK_H */
