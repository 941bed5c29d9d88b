/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: the memory-mapped device of x86 machines
 *
 * The address is fixed; firmware finds it in the fw_cfg file
 * etc/hardware-info (docs/specs/uefi-vars.rst, 1.3).
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/module.h"
#include "hw/nvram/fw_cfg.h"
#include "migration/vmstate.h"
#include "system/dma.h"
#include "hw/uefi/var-service-vmstate.h"

/* A record of etc/hardware-info: type, size of payload, payload */
#define HWINFO_PAYLOAD_SIZE 8
#define HWINFO_RECORD_SIZE  (16 + HWINFO_PAYLOAD_SIZE)

struct UefiVarsX64State {
    SysBusDevice parent_obj;

    UefiVarDevice device;
    uint8_t hwinfo[HWINFO_RECORD_SIZE];
};

OBJECT_DECLARE_SIMPLE_TYPE(UefiVarsX64State, UEFI_VARS_X64)

static const VMStateDescription vmstate_uefi_vars_x64 = {
    .name = UEFI_VARS_VMSTATE_NAME,
    .version_id = 1,
    .minimum_version_id = 0,
    .fields = (const VMStateField[]) {
        VMSTATE_UEFI_VARS(device, UefiVarsX64State),
        VMSTATE_END_OF_LIST()
    }
};

static const Property uefi_vars_x64_properties[] = {
    DEFINE_UEFI_VARS_PROPERTIES(UefiVarsX64State, device),
};

static UefiVarDevice *uefi_vars_x64_device(Object *obj)
{
    return &UEFI_VARS_X64(obj)->device;
}

static void uefi_vars_x64_announce(UefiVarsX64State *s, FWCfgState *fw_cfg)
{
    stq_le_p(s->hwinfo, UEFI_VARS_HWINFO_TYPE);
    stq_le_p(s->hwinfo + 8, HWINFO_PAYLOAD_SIZE);
    stq_le_p(s->hwinfo + 16, UEFI_VARS_X64_BASE);
    fw_cfg_add_file(fw_cfg, UEFI_VARS_HWINFO_FILE, s->hwinfo,
                    sizeof(s->hwinfo));
}

static void uefi_vars_x64_realize(DeviceState *dev, Error **errp)
{
    UefiVarsX64State *s = UEFI_VARS_X64(dev);
    FWCfgState *fw_cfg = fw_cfg_find();

    if (!fw_cfg) {
        error_setg(errp, "%s needs a machine with fw_cfg",
                   TYPE_UEFI_VARS_X64);
        return;
    }
    if (!uefi_vars_device_realize(&s->device, dev, &address_space_memory,
                                  UEFI_VARS_PAGE_SIZE, errp)) {
        return;
    }
    sysbus_init_mmio(SYS_BUS_DEVICE(dev), &s->device.regs.mr);
    sysbus_mmio_map(SYS_BUS_DEVICE(dev), 0, UEFI_VARS_X64_BASE);
    uefi_vars_x64_announce(s, fw_cfg);
}

static void uefi_vars_x64_class_init(ObjectClass *oc, UefiVarClassData *data)
{
    DeviceClass *dc = DEVICE_CLASS(oc);

    dc->desc = "UEFI variable store (memory mapped)";
    dc->realize = uefi_vars_x64_realize;
    dc->vmsd = &vmstate_uefi_vars_x64;
    device_class_set_props(dc, uefi_vars_x64_properties);
    uefi_vars_device_class_init(oc, uefi_vars_x64_device);
}

static const TypeInfo uefi_vars_x64_info = {
    .name = TYPE_UEFI_VARS_X64,
    .parent = TYPE_DYNAMIC_SYS_BUS_DEVICE,
    .instance_size = sizeof(UefiVarsX64State),
    .class_init = uefi_vars_x64_class_init,
    .interfaces = (UefiVarInterfaces[]) {
        { TYPE_UEFI_VARS_IF },
        { }
    },
};
module_obj(TYPE_UEFI_VARS_X64);
module_kconfig(UEFI_VARS_X64);

static void uefi_vars_x64_register_types(void)
{
    type_register_static(&uefi_vars_x64_info);
}

type_init(uefi_vars_x64_register_types)
