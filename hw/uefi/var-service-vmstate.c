/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: migration and snapshots
 */

#include "qemu/osdep.h"
#include "migration/vmstate.h"
#include "hw/uefi/var-service-host.h"

const VMStateDescription vmstate_uefi_vars_device = {
    .name = "uefi-vars-device",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT16(regs.status, UefiVarDevice),
        VMSTATE_END_OF_LIST()
    }
};
