/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: migration and snapshots
 */

#ifndef HW_UEFI_VAR_SERVICE_VMSTATE_H
#define HW_UEFI_VAR_SERVICE_VMSTATE_H

#include "hw/uefi/var-service-device.h"

extern const VMStateDescription vmstate_uefi_vars_device;
/* What the device bundled with QEMU sends; in var-service-adopt.c */
extern const VMStateDescription vmstate_uefi_vars_bundled;

/* What the devices on the system bus call themselves in a stream */
#define UEFI_VARS_VMSTATE_NAME  "uefi-vars-sysbus"

/* Version 0 of a device's state is the bundled device's. */
bool uefi_vars_stream_is_bundled(void *opaque, int version_id);
bool uefi_vars_stream_is_ours(void *opaque, int version_id);

/* The fields of those devices, @field being the UefiVarDevice in its state */
#define VMSTATE_UEFI_VARS(field, state)                                     \
    VMSTATE_STRUCT_TEST(field, state, uefi_vars_stream_is_bundled, 0,       \
                        vmstate_uefi_vars_bundled, UefiVarDevice),          \
    VMSTATE_STRUCT_TEST(field, state, uefi_vars_stream_is_ours, 0,          \
                        vmstate_uefi_vars_device, UefiVarDevice)

/** uefi_vars_transit_valid: whether the registers in transit make sense */
bool uefi_vars_transit_valid(void *opaque, int version_id);

/** uefi_vars_transit_arrived: check and take over; 0 or a negative errno */
int uefi_vars_transit_arrived(UefiVarDevice *d);

#endif /* HW_UEFI_VAR_SERVICE_VMSTATE_H */
