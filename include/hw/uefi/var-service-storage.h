/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: where the variables of a machine are kept
 *
 * Connects the keeper to the rest of QEMU: file or block layer, timers,
 * threads, the run state, migration, and the administrator.
 */

#ifndef HW_UEFI_VAR_SERVICE_STORAGE_H
#define HW_UEFI_VAR_SERVICE_STORAGE_H

#include "system/block-backend-common.h"
#include "hw/uefi/var-service-compat.h"
#include "hw/uefi/var-service.h"

typedef struct UefiVarStorage UefiVarStorage;

/**
 * uefi_vars_storage_new: keep the variables of @service
 * @jsonfile: in this file,
 * @blk: or, unless it is NULL, on this node, which stays the caller's
 *
 * They are loaded, unless the machine is still to come.  @dev is whose turn it
 * is when the run state changes.
 */
UefiVarStorage *uefi_vars_storage_new(const char *jsonfile, BlockBackend *blk,
                                      UefiVarService *service,
                                      DeviceState *dev, Error **errp);

/** uefi_vars_storage_free: write what is due; NULL is allowed */
void uefi_vars_storage_free(UefiVarStorage *s);

/** uefi_vars_storage_save: make @change durable */
UefiReason uefi_vars_storage_save(UefiVarStorage *s,
                                  const UefiVarChange *change);

/** uefi_vars_storage_unsaved: it happens although that was not possible */
void uefi_vars_storage_unsaved(UefiVarStorage *s);

/** uefi_vars_storage_leaving: the state goes into a stream */
void uefi_vars_storage_leaving(UefiVarStorage *s);

/** uefi_vars_storage_loaded: @service came by a stream, with this mark */
void uefi_vars_storage_loaded(UefiVarStorage *s, UefiVarService *service,
                              const char *mark);

/** uefi_vars_storage_mark: of the state that is saved, or NULL */
const char *uefi_vars_storage_mark(const UefiVarStorage *s);

/** uefi_vars_storage_waits: whether nothing could be made durable yet */
bool uefi_vars_storage_waits(const UefiVarStorage *s);

/* What the administrator can know of it */
typedef struct UefiVarStorageInfo {
    const char *name;
    bool is_node;               /* of the block layer, or else a file */
    bool taken;
    uint64_t journal;           /* bytes, if it is taken */
    const char *failure;        /* NULL when all is well */
    int64_t failing_since;      /* host clock, ms */
} UefiVarStorageInfo;

UefiVarStorageInfo uefi_vars_storage_info(const UefiVarStorage *s);

#endif /* HW_UEFI_VAR_SERVICE_STORAGE_H */
