/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: how firmware of microvm machines finds the device
 */

#ifndef HW_UEFI_VAR_SERVICE_MICROVM_H
#define HW_UEFI_VAR_SERVICE_MICROVM_H

#include "hw/uefi/var-service-compat.h"

/**
 * uefi_vars_microvm_fdt: describe the store of the machine, if it has one
 * @fdt: the device tree that the machine gives its firmware
 *
 * Call when all devices have their places.
 */
void uefi_vars_microvm_fdt(void *fdt);

#endif /* HW_UEFI_VAR_SERVICE_MICROVM_H */
