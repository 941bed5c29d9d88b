/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: the device that firmware of XenServer and XCP-ng knows
 *
 * The guest writes the number of a page frame to a port; there is a request of
 * docs/specs/uefi-vars-xen.rst, and the reply comes to the same place.
 */

#include "qemu/osdep.h"
#include "qemu/log.h"
#include "qemu/module.h"
#include "hw/isa/isa.h"
#include "migration/vmstate.h"
#include "system/dma.h"
#include "hw/uefi/var-service-vmstate.h"
#include "hw/uefi/var-service-xen-messages.h"

struct UefiVarsXenState {
    ISADevice parent_obj;

    UefiVarDevice device;
    MemoryRegion ports;
};

OBJECT_DECLARE_SIMPLE_TYPE(UefiVarsXenState, UEFI_VARS_XEN)

/*
 * The request is copied once and then no longer the guest's to change.  Only
 * RAM can hold it: device registers refuse the access instead of being run.
 */
static void run_message(UefiVarsXenState *s, uint32_t frame)
{
    static const MemTxAttrs attrs = { .memory = 1 };
    AddressSpace *as = &address_space_memory;
    uint64_t addr = (uint64_t)frame * UEFI_XEN_PAGE_SIZE;
    g_autofree uint8_t *buf = g_malloc(UEFI_XEN_MESSAGE_SIZE);
    size_t size;

    if (!dma_memory_valid(as, addr, UEFI_XEN_MESSAGE_SIZE,
                          DMA_DIRECTION_FROM_DEVICE, attrs) ||
        dma_memory_read(as, addr, buf, UEFI_XEN_MESSAGE_SIZE,
                        attrs) != MEMTX_OK) {
        qemu_log_mask(LOG_GUEST_ERROR, "uefi-vars-xen: no RAM for a message "
                      "at page frame 0x%" PRIx32 "\n", frame);
        return;
    }
    size = uefi_xen_message(s->device.service, buf, UEFI_XEN_MESSAGE_SIZE);
    if (size) {
        dma_memory_write(as, addr, buf, size, attrs);
    } else {
        qemu_log_mask(LOG_GUEST_ERROR, "uefi-vars-xen: unknown version or "
                      "command\n");
    }
}

/* Physical presence, behind the first port, has nothing to show. */
static uint64_t ports_read(void *opaque, hwaddr offset, unsigned size)
{
    return 0;
}

static void ports_write(void *opaque, hwaddr offset, uint64_t value,
                        unsigned size)
{
    if (offset == 0 && size == 4) {
        run_message(opaque, value);
    }
}

static const MemoryRegionOps ports_ops = {
    .read = ports_read,
    .write = ports_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .impl.max_access_size = 4,
};

static const VMStateDescription vmstate_uefi_vars_xen = {
    .name = TYPE_UEFI_VARS_XEN,
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_STRUCT(device, UefiVarsXenState, 1, vmstate_uefi_vars_device,
                       UefiVarDevice),
        VMSTATE_END_OF_LIST()
    }
};

static const Property uefi_vars_xen_properties[] = {
    DEFINE_UEFI_VARS_STORE_PROPERTIES(UefiVarsXenState, device),
};

static UefiVarDevice *uefi_vars_xen_device(Object *obj)
{
    return &UEFI_VARS_XEN(obj)->device;
}

static void uefi_vars_xen_realize(DeviceState *dev, Error **errp)
{
    UefiVarsXenState *s = UEFI_VARS_XEN(dev);

    if (!uefi_vars_device_realize(&s->device, dev, &address_space_memory,
                                  UEFI_VARS_REGS_SIZE, errp)) {
        return;
    }
    memory_region_init_io(&s->ports, OBJECT(dev), &ports_ops, s,
                          TYPE_UEFI_VARS_XEN, UEFI_XEN_PORTS);
    isa_register_ioport(ISA_DEVICE(dev), &s->ports, UEFI_XEN_PORT);
}

static void uefi_vars_xen_unrealize(DeviceState *dev)
{
    UefiVarsXenState *s = UEFI_VARS_XEN(dev);

    memory_region_del_subregion(s->ports.container, &s->ports);
    uefi_vars_device_unrealize(dev);
}

static void uefi_vars_xen_class_init(ObjectClass *oc, UefiVarClassData *data)
{
    DeviceClass *dc = DEVICE_CLASS(oc);

    dc->desc = "UEFI variable store for firmware of XenServer and XCP-ng";
    dc->realize = uefi_vars_xen_realize;
    dc->vmsd = &vmstate_uefi_vars_xen;
    device_class_set_props(dc, uefi_vars_xen_properties);
    uefi_vars_device_class_init(oc, uefi_vars_xen_device);
    dc->unrealize = uefi_vars_xen_unrealize;
}

static const TypeInfo uefi_vars_xen_info = {
    .name = TYPE_UEFI_VARS_XEN,
    .parent = TYPE_ISA_DEVICE,
    .instance_size = sizeof(UefiVarsXenState),
    .class_init = uefi_vars_xen_class_init,
    .interfaces = (UefiVarInterfaces[]) {
        { TYPE_UEFI_VARS_IF },
        { }
    },
};
module_obj(TYPE_UEFI_VARS_XEN);
module_kconfig(UEFI_VARS_XEN);

static void uefi_vars_xen_register_types(void)
{
    type_register_static(&uefi_vars_xen_info);
}

type_init(uefi_vars_xen_register_types)
