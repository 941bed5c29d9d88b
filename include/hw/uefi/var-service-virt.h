/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: -M virt,x-uefi-vars=on
 */

#ifndef HW_UEFI_VAR_SERVICE_VIRT_H
#define HW_UEFI_VAR_SERVICE_VIRT_H

#include "hw/uefi/var-service-compat.h"

/** uefi_vars_virt_class_init: give a machine class the property x-uefi-vars */
void uefi_vars_virt_class_init(ObjectClass *oc);

/**
 * uefi_vars_virt_create: make the store, if x-uefi-vars is on
 *
 * Call once the machine has its platform bus.
 */
void uefi_vars_virt_create(MachineState *machine);

#endif /* HW_UEFI_VAR_SERVICE_VIRT_H */
