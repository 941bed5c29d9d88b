/*
 * Where the device is: one way for each transport (protocol §1.3)
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "driver.h"
#include "fw_cfg.h"

/*
 * Firmware may map what it knows alone; and the operating system must keep the
 * registers mapped for runtime calls.
 */
static bool map_registers(const EfiSystemTable *st, uint64_t address)
{
    static const EfiGuid guid = GUID_DXE_SERVICES_TABLE;
    EfiDxeServices *ds = find_table(st, &guid);
    uint64_t page = address & ~(uint64_t)(EFI_PAGE_SIZE - 1);

    if (!ds) {
        return false;
    }
    /* Fails if the firmware knows the range already, which is fine. */
    ds->add_memory_space(EFI_GCD_MEMORY_MAPPED_IO, page, EFI_PAGE_SIZE,
                         EFI_MEMORY_UC | EFI_MEMORY_RUNTIME);
    return !EFI_ERROR(ds->set_memory_space_attributes(page, EFI_PAGE_SIZE,
                                                      EFI_MEMORY_UC |
                                                      EFI_MEMORY_RUNTIME));
}

static bool try_mmio(const EfiSystemTable *st, Transport *transport,
                     uint64_t address, const EfiChar *name)
{
    *transport = (Transport) { .base = address, .name = name };
    return address && map_registers(st, address) && device_present(transport);
}

#ifdef __x86_64__

#define ISA_PORT            0x520

#define HARDWARE_INFO_DEVICE  2

/*
 * etc/hardware-info is a row of records (type, size, payload); the device's
 * must be there exactly once, with an address of at most 8 bytes.
 */
static uint64_t hardware_info_device(void)
{
    static const char name[] = "etc/hardware-info";
    uint32_t left = fw_cfg_open(name, sizeof(name));
    unsigned found = 0;
    uint64_t address = 0;

    while (left >= 16) {
        uint64_t type, size;

        fw_cfg_read(&type, 8);
        fw_cfg_read(&size, 8);
        left -= 16;
        if (size > left) {
            return 0;
        }
        left -= size;
        if (type == HARDWARE_INFO_DEVICE && size <= 8) {
            fw_cfg_read(&address, size);
            found++;
        } else {
            for (; size; size--) {
                uint8_t skip;

                fw_cfg_read(&skip, 1);
            }
        }
    }
    return found == 1 ? address : 0;
}

bool find_device(const EfiSystemTable *st, Transport *transport)
{
    *transport = (Transport) {
        .is_port = true, .base = ISA_PORT, .name = u"I/O port 0x520"
    };
    return device_present(transport) ||
           try_mmio(st, transport, hardware_info_device(),
                    u"etc/hardware-info");
}

#else

#define HOB_GUID_EXTENSION  0x0004
#define HOB_END             0xffff

/* A hand-off block (PI volume 3, 4.5 and 5.7) that carries one address */
typedef struct {
    uint16_t type;
    uint16_t length;
    uint32_t reserved;
    EfiGuid guid;
    uint64_t address;
} HobAddress;

/*
 * The firmware installs the device tree as a configuration table only for a
 * machine without ACPI, but it always keeps its own copy, and edk2 notes the
 * place in a hand-off block.
 */
static const void *find_fdt(const EfiSystemTable *st)
{
    static const EfiGuid fdt_table = GUID_DEVICE_TREE_TABLE;
    static const EfiGuid hob_table = GUID_HOB_LIST_TABLE;
    static const EfiGuid fdt_hob = {
        0x16958446, 0x19b7, 0x480b,
        { 0xb0, 0x47, 0x74, 0x85, 0xad, 0x3f, 0x71, 0x6d }
    };
    const void *fdt = find_table(st, &fdt_table);
    const uint8_t *at = find_table(st, &hob_table);

    while (!fdt && at) {
        const HobAddress *hob = (const HobAddress *)at;

        if (hob->type == HOB_END || hob->length < 8) {
            break;
        }
        if (hob->type == HOB_GUID_EXTENSION &&
            hob->length >= sizeof(*hob) &&
            guid_equal(&hob->guid, &fdt_hob)) {
            fdt = (const void *)(uintptr_t)hob->address;
        }
        at += hob->length;
    }
    return fdt;
}

bool find_device(const EfiSystemTable *st, Transport *transport)
{
    const void *fdt = find_fdt(st);

    return fdt && try_mmio(st, transport, fdt_find_device(fdt), u"device tree");
}

#endif
