/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: the device on the ISA bus
 *
 * The ports are fixed, and known to the firmware; an ACPI device keeps the
 * operating system from giving them away (docs/specs/uefi-vars.rst, 1.3).
 */

#include "qemu/osdep.h"
#include "qemu/module.h"
#include "hw/acpi/acpi_aml_interface.h"
#include "hw/isa/isa.h"
#include "migration/vmstate.h"
#include "system/dma.h"
#include "hw/uefi/var-service-vmstate.h"

struct UefiVarsIsaState {
    ISADevice parent_obj;

    UefiVarDevice device;
};

OBJECT_DECLARE_SIMPLE_TYPE(UefiVarsIsaState, UEFI_VARS_ISA)

static const VMStateDescription vmstate_uefi_vars_isa = {
    .name = TYPE_UEFI_VARS_ISA,
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_STRUCT(device, UefiVarsIsaState, 1, vmstate_uefi_vars_device,
                       UefiVarDevice),
        VMSTATE_END_OF_LIST()
    }
};

static const Property uefi_vars_isa_properties[] = {
    DEFINE_UEFI_VARS_PROPERTIES(UefiVarsIsaState, device),
};

static UefiVarDevice *uefi_vars_isa_device(Object *obj)
{
    return &UEFI_VARS_ISA(obj)->device;
}

static void uefi_vars_isa_realize(DeviceState *dev, Error **errp)
{
    UefiVarDevice *d = uefi_vars_isa_device(OBJECT(dev));

    if (!uefi_vars_device_realize(d, dev, &address_space_memory,
                                  UEFI_VARS_REGS_SIZE, errp)) {
        return;
    }
    isa_register_ioport(ISA_DEVICE(dev), &d->regs.mr, UEFI_VARS_ISA_BASE);
}

static void uefi_vars_isa_build_aml(AcpiDevAmlIf *adev, Aml *scope)
{
    Aml *dev = aml_device("%s", UEFI_VARS_ACPI_NAME);
    Aml *crs = aml_resource_template();

    aml_append(crs, aml_io(AML_DECODE16, UEFI_VARS_ISA_BASE,
                           UEFI_VARS_ISA_BASE, 0, UEFI_VARS_REGS_SIZE));
    aml_append(dev, aml_name_decl("_HID", aml_string(UEFI_VARS_ACPI_HID)));
    /* Present and working, but nothing to show to the user */
    aml_append(dev, aml_name_decl("_STA", aml_int(0xb)));
    aml_append(dev, aml_name_decl("_CRS", crs));
    aml_append(scope, dev);
}

static void uefi_vars_isa_class_init(ObjectClass *oc, UefiVarClassData *data)
{
    DeviceClass *dc = DEVICE_CLASS(oc);

    dc->desc = "UEFI variable store (I/O ports)";
    dc->realize = uefi_vars_isa_realize;
    dc->vmsd = &vmstate_uefi_vars_isa;
    device_class_set_props(dc, uefi_vars_isa_properties);
    ACPI_DEV_AML_IF_CLASS(oc)->build_dev_aml = uefi_vars_isa_build_aml;
    uefi_vars_device_class_init(oc, uefi_vars_isa_device);
}

static const TypeInfo uefi_vars_isa_info = {
    .name = TYPE_UEFI_VARS_ISA,
    .parent = TYPE_ISA_DEVICE,
    .instance_size = sizeof(UefiVarsIsaState),
    .class_init = uefi_vars_isa_class_init,
    .interfaces = (UefiVarInterfaces[]) {
        { TYPE_UEFI_VARS_IF },
        { TYPE_ACPI_DEV_AML_IF },
        { }
    },
};
module_obj(TYPE_UEFI_VARS_ISA);
module_kconfig(UEFI_VARS_ISA);

static void uefi_vars_isa_register_types(void)
{
    type_register_static(&uefi_vars_isa_info);
}

type_init(uefi_vars_isa_register_types)
