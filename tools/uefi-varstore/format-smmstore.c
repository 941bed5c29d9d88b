/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: ROM images of coreboot with SMMSTORE, version 2
 *
 * A flash map ("__FMAP__": versions, base u64, size u32, name, number of areas
 * u16; for each area offset u32, size u32, name, flags u16) tells which area
 * SMMSTORE is.  In version 2, edk2 keeps a flash image of its own there;
 * nothing describes how the keys and values of version 1 are variables.  All is
 * little endian.
 */

#include "qemu/osdep.h"
#include "format.h"
#include "hw/uefi/var-service-text.h"

#define MAGIC           "__FMAP__"
#define MAJOR           1
#define NAME_SIZE       32
#define MAP_SIZE        56          /* without areas */
#define AREA_SIZE       42
#define AREA            "SMMSTORE"

/* The map, or NULL */
static const uint8_t *find_map(const UefiMsg *in)
{
    const uint8_t *at = in->buf, *end = in->buf + in->size;

    while (in->size && (at = memmem(at, end - at, MAGIC, strlen(MAGIC)))) {
        if (end - at >= MAP_SIZE && at[strlen(MAGIC)] == MAJOR) {
            return at;
        }
        at++;
    }
    return NULL;
}

static bool detect(UefiMsg *in)
{
    return find_map(in);
}

/* Put @store over the area. */
static bool find_area(const UefiMsg *image, UefiMsg *store, GError **err)
{
    const uint8_t *map = find_map(image);
    UefiMsg in = *image;
    uint16_t count;

    if (!map) {
        return uefi_text_fail(err, "there is no flash map in it");
    }
    uefi_msg_seek(&in, map - in.buf + MAP_SIZE - 2);
    count = uefi_msg_get_u16(&in);
    for (uint16_t i = 0; i < count; i++) {
        uint32_t offset = uefi_msg_get_u32(&in), size = uefi_msg_get_u32(&in);
        const uint8_t *name = uefi_msg_get_bytes(&in, NAME_SIZE);

        uefi_msg_get_u16(&in);
        if (in.overrun) {
            return uefi_text_fail(err, "its flash map is cut off");
        }
        if (strncmp((const char *)name, AREA, NAME_SIZE)) {
            continue;
        }
        if (offset > in.size || size > in.size - offset) {
            return uefi_text_fail(err, "its area " AREA " is cut off");
        }
        uefi_msg_init(store, in.buf + offset, size, 8);
        return true;
    }
    return uefi_text_fail(err, "its flash map has no area " AREA);
}

/* Neither of edk2's flash, nor erased */
static bool is_version_1(const UefiMsg *store)
{
    UefiMsg in = *store;
    uint32_t key, value;

    uefi_msg_seek(&in, 0);
    key = uefi_msg_get_u32(&in);
    value = uefi_msg_get_u32(&in);
    return !in.overrun && key && key < in.size && value < in.size;
}

static bool smmstore_read(ToolTransfer *t, UefiMsg *in, GError **err)
{
    UefiMsg store;

    if (!find_area(in, &store, err)) {
        return false;
    }
    if (!tool_format_edk2.detect(&store) && is_version_1(&store)) {
        return uefi_text_fail(err, "version 1 of SMMSTORE, whose variables "
                              "nothing describes");
    }
    return tool_format_edk2.read(t, &store, err);
}

const ToolFormat tool_format_smmstore = {
    .name = "smmstore",
    .detect = detect,
    .read = smmstore_read,
};
