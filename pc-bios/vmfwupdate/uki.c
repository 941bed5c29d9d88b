/*
 * Sections of a unified kernel image, and the firmware among them
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "vmfwupdate.h"

#define DOS_HEADER_SIZE     0x40
#define DOS_PE_OFFSET       0x3c
#define PE_HEADER_SIZE      24
#define SECTION_SIZE        40
#define SECTION_NAME_SIZE   8

#define EFIFW_MAGIC         0xfeeddead
#define EFIFW_HEADER_SIZE   16

static bool starts_with(Bytes bytes, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (i >= bytes.size || bytes.data[i] != (uint8_t)text[i]) {
            return false;
        }
    }
    return true;
}

static Bytes part(Bytes bytes, uint64_t offset, uint64_t size)
{
    if (offset > bytes.size || size > bytes.size - offset) {
        return (Bytes) { 0 };
    }
    return (Bytes) { bytes.data + offset, size };
}

static bool has_name(const uint8_t *header, const char *name)
{
    for (unsigned i = 0; i < SECTION_NAME_SIZE; i++) {
        if (header[i] != (uint8_t)name[i]) {
            return false;
        }
        if (!name[i]) {
            return true;
        }
    }
    return !name[SECTION_NAME_SIZE];
}

/* The headers of all sections; empty if this is no PE image */
static Bytes section_headers(Bytes image)
{
    Bytes pe;
    uint64_t offset;

    if (image.size < DOS_HEADER_SIZE || !starts_with(image, "MZ", 2)) {
        return (Bytes) { 0 };
    }
    offset = get32(image.data + DOS_PE_OFFSET);
    pe = part(image, offset, PE_HEADER_SIZE);
    if (!starts_with(pe, "PE\0", 4)) {
        return (Bytes) { 0 };
    }
    return part(image, offset + PE_HEADER_SIZE + get16(pe.data + 20),
                get16(pe.data + 6) * SECTION_SIZE);
}

unsigned uki_section(const Uki *uki, const char *name, unsigned from,
                     Bytes *section)
{
    Bytes headers = section_headers(uki->bytes);

    for (unsigned i = from; i < headers.size / SECTION_SIZE; i++) {
        const uint8_t *header = headers.data + i * SECTION_SIZE;
        uint32_t virtual_size = get32(header + 8);
        uint32_t raw_size = get32(header + 16);
        /* The file is padded, memory has zeroes behind. */
        uint32_t size = raw_size < virtual_size ? raw_size : virtual_size;

        if (!has_name(header, name)) {
            continue;
        }
        *section = part(uki->bytes, get32(header + (uki->loaded ? 12 : 20)),
                        size);
        if (section->size) {
            return i + 1;
        }
    }
    return 0;
}

/* The firmware of the section @efifw if that has this identifier */
static bool efifw_match(Bytes efifw, Bytes id, Bytes *firmware)
{
    uint32_t header_size, id_size;
    Bytes its_id;

    if (efifw.size < EFIFW_HEADER_SIZE ||
        get32(efifw.data) != EFIFW_MAGIC) {
        return false;
    }
    header_size = get32(efifw.data + 4);
    id_size = get32(efifw.data + 8);
    its_id = part(efifw, header_size, id_size);
    if (header_size < EFIFW_HEADER_SIZE || its_id.size != id.size + 1 ||
        !starts_with(its_id, (const char *)id.data, id.size) ||
        its_id.data[id.size]) {
        return false;
    }
    *firmware = part(efifw, (uint64_t)header_size + id_size,
                     get32(efifw.data + 12));
    return firmware->size;
}

bool uki_firmware(const Uki *uki, const Hardware *hw, Bytes *firmware)
{
    Bytes hwids, id, efifw;
    unsigned at = 0;

    if (!uki_section(uki, ".hwids", 0, &hwids)) {
        return false;
    }
    id = hwids_match(hwids, hw);
    if (!id.size) {
        return false;
    }
    while ((at = uki_section(uki, ".efifw", at, &efifw))) {
        if (efifw_match(efifw, id, firmware)) {
            return true;
        }
    }
    return false;
}
