/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: QMP events
 */

#ifndef HW_UEFI_VAR_SERVICE_WATCH_H
#define HW_UEFI_VAR_SERVICE_WATCH_H

#include "hw/uefi/var-service.h"

#define UEFI_VARS_WATCHED   9

/* The values that managers know; all zero before they have been told any */
typedef struct UefiVarWatch {
    bool on;
    GBytes *values[UEFI_VARS_WATCHED];      /* owned; NULL for none */
} UefiVarWatch;

/** uefi_vars_watch_change: tell what @change is about to change */
void uefi_vars_watch_change(UefiVarWatch *watch, const UefiVarChange *change);

/** uefi_vars_watch_store: tell what in @store is new; nothing at first */
void uefi_vars_watch_store(UefiVarWatch *watch, const UefiVarStore *store);

/** uefi_vars_watch_clear: forget what has been told */
void uefi_vars_watch_clear(UefiVarWatch *watch);

#endif /* HW_UEFI_VAR_SERVICE_WATCH_H */
