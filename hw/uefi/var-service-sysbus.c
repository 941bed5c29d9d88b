/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: the device on the platform bus of virt machines
 *
 * The machine chooses the place and announces it in the device tree
 * (docs/specs/uefi-vars.rst, 1.3).
 */

#include "qemu/osdep.h"
#include "qemu/module.h"
#include "migration/vmstate.h"
#include "system/dma.h"
#include "hw/uefi/var-service-vmstate.h"

struct UefiVarsSysbusState {
    SysBusDevice parent_obj;

    UefiVarDevice device;
};

OBJECT_DECLARE_SIMPLE_TYPE(UefiVarsSysbusState, UEFI_VARS_SYSBUS)

static const VMStateDescription vmstate_uefi_vars_sysbus = {
    .name = UEFI_VARS_VMSTATE_NAME,
    .version_id = 1,
    .minimum_version_id = 0,
    .fields = (const VMStateField[]) {
        VMSTATE_UEFI_VARS(device, UefiVarsSysbusState),
        VMSTATE_END_OF_LIST()
    }
};

static const Property uefi_vars_sysbus_properties[] = {
    DEFINE_UEFI_VARS_PROPERTIES(UefiVarsSysbusState, device),
};

static UefiVarDevice *uefi_vars_sysbus_device(Object *obj)
{
    return &UEFI_VARS_SYSBUS(obj)->device;
}

static void uefi_vars_sysbus_realize(DeviceState *dev, Error **errp)
{
    UefiVarDevice *d = uefi_vars_sysbus_device(OBJECT(dev));

    /* A page of its own: the firmware maps the page around the registers. */
    if (!uefi_vars_device_realize(d, dev, &address_space_memory,
                                  UEFI_VARS_PAGE_SIZE, errp)) {
        return;
    }
    sysbus_init_mmio(SYS_BUS_DEVICE(dev), &d->regs.mr);
}

static void uefi_vars_sysbus_class_init(ObjectClass *oc,
                                        UefiVarClassData *data)
{
    DeviceClass *dc = DEVICE_CLASS(oc);

    dc->desc = "UEFI variable store (platform bus)";
    dc->realize = uefi_vars_sysbus_realize;
    dc->vmsd = &vmstate_uefi_vars_sysbus;
    device_class_set_props(dc, uefi_vars_sysbus_properties);
    uefi_vars_device_class_init(oc, uefi_vars_sysbus_device);
}

static const TypeInfo uefi_vars_sysbus_info = {
    .name = TYPE_UEFI_VARS_SYSBUS,
    .parent = TYPE_DYNAMIC_SYS_BUS_DEVICE,
    .instance_size = sizeof(UefiVarsSysbusState),
    .class_init = uefi_vars_sysbus_class_init,
    .interfaces = (UefiVarInterfaces[]) {
        { TYPE_UEFI_VARS_IF },
        { }
    },
};
module_obj(TYPE_UEFI_VARS_SYSBUS);
module_kconfig(UEFI_VARS_SYSBUS);

static void uefi_vars_sysbus_register_types(void)
{
    type_register_static(&uefi_vars_sysbus_info);
}

type_init(uefi_vars_sysbus_register_types)
