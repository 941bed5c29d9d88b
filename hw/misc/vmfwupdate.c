/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A guest that replaces its firmware
 *
 * The guest puts an image into its memory, tells the address through fw_cfg,
 * and resets; the image then takes the place of what -bios gave the machine
 * (docs/specs/vmfwupdate.rst).
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/log.h"
#include "qemu/module.h"
#include "qemu/units.h"
#include "hw/i386/pc.h"
#include "hw/misc/vmfwupdate.h"
#include "hw/nvram/fw_cfg.h"
#include "hw/uefi/var-service-compat.h"
#include "migration/vmstate.h"
#include "system/dma.h"
#include "system/reset.h"
#include "trace.h"

/* Files of fw_cfg: of this device, and that the machine adds after it */
#define OWN_FILES       5
#define LATER_FILES     10

struct VMFwUpdateState {
    DeviceState parent_obj;

    /* What the files hold, as the guest sees it */
    uint64_t cap;
    uint64_t bios_size;
    uint8_t opaque[VMFWUPDATE_OPAQUE_SIZE];
    uint8_t disable;
    uint8_t bios_addr[8];
};

OBJECT_DECLARE_SIMPLE_TYPE(VMFwUpdateState, VMFWUPDATE)

/*
 * Copy from the guest's memory, which must be plain RAM: the image may be
 * looked at, but reading it must have no effect on a device.
 */
static bool read_ram(uint8_t *to, uint64_t addr, uint64_t size)
{
    while (size) {
        MemoryRegionSection section = memory_region_find(get_system_memory(),
                                                         addr, size);
        MemoryRegion *mr = section.mr;
        uint64_t length = int128_get64(section.size);
        bool usable = mr && memory_region_is_ram(mr) &&
                      !memory_region_is_rom(mr) &&
                      !memory_region_is_ram_device(mr) &&
                      section.offset_within_address_space == addr;

        if (usable) {
            memcpy(to, (uint8_t *)memory_region_get_ram_ptr(mr) +
                   section.offset_within_region, length);
        }
        if (mr) {
            memory_region_unref(mr);
        }
        if (!usable) {
            return false;
        }
        to += length;
        addr += length;
        size -= length;
    }
    return true;
}

static void replace_firmware(VMFwUpdateState *s, uint64_t addr)
{
    uint64_t size = le64_to_cpu(s->bios_size);
    g_autofree uint8_t *image = g_malloc(size);

    if (!read_ram(image, addr, size)) {
        qemu_log_mask(LOG_GUEST_ERROR, "vmfwupdate: 0x%" PRIx64 " bytes at 0x%"
                      PRIx64 " are not all RAM; the firmware stays\n",
                      size, addr);
        return;
    }
    /* This also drops what TCG has translated of the old firmware. */
    address_space_write_rom(&address_space_memory, 4 * GiB - size,
                            MEMTXATTRS_UNSPECIFIED, image, size);
    trace_vmfwupdate_replaced(addr, size);
}

static void vmfwupdate_reset_hold(Object *obj, ResetType type)
{
    VMFwUpdateState *s = VMFWUPDATE(obj);
    uint64_t addr = ldq_le_p(s->bios_addr);

    /* What wakes up goes on as it was; a snapshot brings its own state. */
    if (type != RESET_TYPE_COLD) {
        return;
    }
    if (addr && !s->disable) {
        replace_firmware(s, addr);
    }
    s->disable = 0;
    stq_le_p(s->bios_addr, 0);
}

static void on_disable(void *opaque, off_t start, size_t len)
{
    VMFwUpdateState *s = opaque;

    s->disable = 1;
}

/* Size of the region with the firmware of -bios, or 0 and an error */
static uint64_t find_bios(Error **errp)
{
    Object *machine = qdev_get_machine();
    uint64_t size;

    if (!object_dynamic_cast(machine, TYPE_PC_MACHINE) ||
        !PC_MACHINE_GET_CLASS(machine)->pci_enabled) {
        error_setg(errp, "%s needs a machine of type pc or q35",
                   TYPE_VMFWUPDATE);
        return 0;
    }
    if (MACHINE(machine)->cgs) {
        error_setg(errp, "%s: the firmware of a confidential guest can't be "
                   "replaced by a reset", TYPE_VMFWUPDATE);
        return 0;
    }
    size = memory_region_size(&X86_MACHINE(machine)->bios);
    if (!size) {
        error_setg(errp, "%s: the firmware is in flash, which the guest must "
                   "not replace; use -bios", TYPE_VMFWUPDATE);
    }
    return size;
}

/* fw_cfg asserts that there is room, so look before. */
static bool has_room(const FWCfgState *fw_cfg)
{
    uint32_t count = fw_cfg->files ? be32_to_cpu(fw_cfg->files->count) : 0;

    return count + OWN_FILES + LATER_FILES <= fw_cfg->file_slots;
}

static void vmfwupdate_realize(DeviceState *dev, Error **errp)
{
    ERRP_GUARD();
    VMFwUpdateState *s = VMFWUPDATE(dev);
    FWCfgState *fw_cfg = fw_cfg_find();
    bool ambiguous = false;
    uint64_t size = find_bios(errp);

    if (!size) {
        return;
    }
    object_resolve_path_type("", TYPE_VMFWUPDATE, &ambiguous);
    if (ambiguous) {
        error_setg(errp, "at most one %s device is permitted",
                   TYPE_VMFWUPDATE);
        return;
    }
    if (!fw_cfg || !fw_cfg_dma_enabled(fw_cfg)) {
        error_setg(errp, "%s needs fw_cfg with DMA", TYPE_VMFWUPDATE);
        return;
    }
    if (!has_room(fw_cfg)) {
        error_setg(errp, "%s: fw_cfg has no room for %d more files",
                   TYPE_VMFWUPDATE, OWN_FILES);
        error_append_hint(errp, "-global fw_cfg.x-file-slots=64 makes room.\n");
        return;
    }

    s->bios_size = cpu_to_le64(size);
    fw_cfg_add_file(fw_cfg, VMFWUPDATE_CAP_FILE, &s->cap, sizeof(s->cap));
    fw_cfg_add_file(fw_cfg, VMFWUPDATE_BIOS_SIZE_FILE, &s->bios_size,
                    sizeof(s->bios_size));
    fw_cfg_add_file_callback(fw_cfg, VMFWUPDATE_OPAQUE_FILE, NULL, NULL, NULL,
                             s->opaque, sizeof(s->opaque), false);
    fw_cfg_add_file_callback(fw_cfg, VMFWUPDATE_DISABLE_FILE, NULL,
                             on_disable, s, &s->disable, sizeof(s->disable),
                             false);
    fw_cfg_add_file_callback(fw_cfg, VMFWUPDATE_BIOS_ADDR_FILE, NULL, NULL,
                             NULL, s->bios_addr, sizeof(s->bios_addr), false);

    /* There is no bus that would reset the device. */
    qemu_register_resettable(OBJECT(s));
}

/* The firmware itself travels as the RAM that it is. */
static const VMStateDescription vmstate_vmfwupdate = {
    .name = TYPE_VMFWUPDATE,
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT8_ARRAY(opaque, VMFwUpdateState, VMFWUPDATE_OPAQUE_SIZE),
        VMSTATE_UINT8(disable, VMFwUpdateState),
        VMSTATE_UINT8_ARRAY(bios_addr, VMFwUpdateState, 8),
        VMSTATE_END_OF_LIST()
    },
};

static void vmfwupdate_class_init(ObjectClass *oc, UefiVarClassData *data)
{
    DeviceClass *dc = DEVICE_CLASS(oc);

    dc->desc = "lets the guest replace its firmware";
    dc->realize = vmfwupdate_realize;
    dc->vmsd = &vmstate_vmfwupdate;
    dc->hotpluggable = false;
    set_bit(DEVICE_CATEGORY_MISC, dc->categories);
    RESETTABLE_CLASS(oc)->phases.hold = vmfwupdate_reset_hold;
}

static const TypeInfo vmfwupdate_types[] = {
    {
        .name = TYPE_VMFWUPDATE,
        .parent = TYPE_DEVICE,
        .instance_size = sizeof(VMFwUpdateState),
        .class_init = vmfwupdate_class_init,
    },
};

DEFINE_TYPES(vmfwupdate_types)
