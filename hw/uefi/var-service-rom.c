/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: a PCI function without registers that carries the
 * option ROM of pc-bios/uefi-vars (docs/specs/uefi-vars.rst, 1.3)
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/units.h"
#include "hw/pci/pci_bridge.h"
#include "hw/pci/pci_device.h"
#include "hw/pci/pci_host.h"
#include "migration/vmstate.h"
#include "hw/uefi/var-service-api.h"
#include "hw/uefi/var-service-rom.h"

/* Emulators without PCI load the module of a distribution's QEMU, too. */
#ifdef UEFI_VARS_MODULE
#pragma weak pci_bridge_get_device
#pragma weak pci_bus_num
#pragma weak pci_find_device
#pragma weak vmstate_pci_device
#endif

/* More than any image needs: a machine migrates only to a ROM of its size. */
#define ROM_SIZE    (256 * KiB)
#define ROM_FILE    "uefi-vars.rom"

struct UefiVarsRomState {
    PCIDevice parent_obj;
};

OBJECT_DECLARE_SIMPLE_TYPE(UefiVarsRomState, UEFI_VARS_ROM)

/* ------------------------------------------------------------------------ */
/* Class */

static const VMStateDescription vmstate_uefi_vars_rom = {
    .name = TYPE_UEFI_VARS_ROM,
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_PCI_DEVICE(parent_obj, UefiVarsRomState),
        VMSTATE_END_OF_LIST()
    }
};

static void uefi_vars_rom_init(Object *obj)
{
    PCI_DEVICE(obj)->romsize = ROM_SIZE;
}

static void uefi_vars_rom_class_init(ObjectClass *oc, UefiVarClassData *data)
{
    DeviceClass *dc = DEVICE_CLASS(oc);
    PCIDeviceClass *k = PCI_DEVICE_CLASS(oc);

    k->vendor_id = UEFI_VARS_ROM_VENDOR_ID;
    k->device_id = UEFI_VARS_ROM_DEVICE_ID;
    /* As ivshmem: no operating system misses a driver for this class. */
    k->class_id = PCI_CLASS_MEMORY_RAM;
    k->romfile = ROM_FILE;
    dc->desc = "UEFI variable store (option ROM)";
    dc->vmsd = &vmstate_uefi_vars_rom;
    dc->user_creatable = false;
    dc->hotpluggable = false;
    set_bit(DEVICE_CATEGORY_MISC, dc->categories);
}

static const TypeInfo uefi_vars_rom_info = {
    .name = TYPE_UEFI_VARS_ROM,
    .parent = TYPE_PCI_DEVICE,
    .instance_size = sizeof(UefiVarsRomState),
    .instance_init = uefi_vars_rom_init,
    .class_init = uefi_vars_rom_class_init,
    .interfaces = (UefiVarInterfaces[]) {
        { INTERFACE_CONVENTIONAL_PCI_DEVICE },
        { }
    },
};

/* ------------------------------------------------------------------------ */
/* Create and destroy */

/* The root bus of the machine; those of expanders take bridges only. */
static int find_root_bus(Object *obj, void *opaque)
{
    PCIHostState *host = (PCIHostState *)
        object_dynamic_cast(obj, TYPE_PCI_HOST_BRIDGE);
    PCIBus **found = opaque;

    if (host && host->bus && !pci_bridge_get_device(host->bus)) {
        *found = host->bus;
    }
    return *found != NULL;
}

/* Not of type PCI_DEVFN: -global of such a property aborts QEMU. */
static bool set_addr(UefiVarRom *rom, PCIBus *bus, Error **errp)
{
    PCIDevice *function = PCI_DEVICE(rom->function), *other;

    if (!object_property_set_str(OBJECT(function), "addr",
                                 rom->addr ?: UEFI_VARS_ROM_ADDR, errp)) {
        return false;
    }
    other = pci_find_device(bus, pci_bus_num(bus), function->devfn);
    if (other) {
        error_setg(errp, "PCI address %02x.%x is in use by %s, choose another "
                   "one", PCI_SLOT(function->devfn), PCI_FUNC(function->devfn),
                   other->name);
    }
    return !other;
}

static bool plug(UefiVarRom *rom, PCIBus *bus, Error **errp)
{
    ERRP_GUARD();

    if (!set_addr(rom, bus, errp)) {
        error_prepend(errp, "uefi-vars: option-rom-addr: ");
        return false;
    }
    if (rom->romfile) {
        qdev_prop_set_string(rom->function, "romfile", rom->romfile);
    }
    if (!qdev_realize(rom->function, BUS(bus), errp)) {
        error_prepend(errp, "uefi-vars: option-rom: ");
        return false;
    }
    return true;
}

bool uefi_vars_rom_create(UefiVarRom *rom, Object *owner, Error **errp)
{
    PCIBus *bus = NULL;

    if (!rom->on) {
        if (rom->romfile) {
            error_setg(errp, "uefi-vars: romfile needs option-rom=on");
        }
        return !rom->romfile;
    }
    object_child_foreach_recursive(object_get_root(), find_root_bus, &bus);
    if (!bus) {
        error_setg(errp, "uefi-vars: option-rom needs a machine with PCI");
        return false;
    }
    /* Not before: emulators without PCI do not have the type's parent. */
    if (!object_class_by_name(TYPE_UEFI_VARS_ROM)) {
        type_register_static(&uefi_vars_rom_info);
    }
    rom->function = qdev_new(TYPE_UEFI_VARS_ROM);
    object_property_add_child(owner, "option-rom-function",
                              OBJECT(rom->function));
    object_unref(OBJECT(rom->function));
    if (!plug(rom, bus, errp)) {
        uefi_vars_rom_destroy(rom);
        return false;
    }
    return true;
}

void uefi_vars_rom_destroy(UefiVarRom *rom)
{
    if (rom->function) {
        object_unparent(OBJECT(rom->function));
        rom->function = NULL;
    }
}
