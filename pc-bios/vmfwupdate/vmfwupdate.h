/*
 * A guest that brings its own firmware: shared declarations
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VMFWUPDATE_H
#define VMFWUPDATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHID_SIZE           16
#define SHA1_SIZE           20

/* Bytes that somebody else made */
typedef struct {
    const uint8_t *data;
    size_t size;
} Bytes;

/* Little-endian numbers at any address */
static inline uint16_t get16(const uint8_t *p)
{
    return p[0] | p[1] << 8;
}

static inline uint32_t get32(const uint8_t *p)
{
    return get16(p) | (uint32_t)get16(p + 2) << 16;
}

/* ------------------------------------------------------------------------ */
/* sha1.c */

void sha1(Bytes bytes, uint8_t digest[SHA1_SIZE]);

/* ------------------------------------------------------------------------ */
/* hwids.c */

/* The strings of SMBIOS that tell what machine this is, in hashing order */
typedef enum {
    HW_MANUFACTURER,
    HW_FAMILY,
    HW_PRODUCT,
    HW_SKU,
    HW_BOARD_MANUFACTURER,
    HW_BOARD_PRODUCT,
    HW_STRINGS
} HwString;

typedef struct {
    Bytes strings[HW_STRINGS];  /* without a terminator; empty if missing */
} Hardware;

/* Read the structures of the SMBIOS table @table. */
void hw_read(Hardware *hw, Bytes table);

/*
 * The hardware identifier of those strings that have a bit in @mask.  Returns
 * false where one of them is not ASCII, or all are too long.
 */
bool hw_chid(const Hardware *hw, unsigned mask, uint8_t chid[CHID_SIZE]);

/*
 * The identifier of the firmware that @hwids, a section .hwids, has for this
 * machine, without its terminator.  Empty if there is none.
 */
Bytes hwids_match(Bytes hwids, const Hardware *hw);

/* ------------------------------------------------------------------------ */
/* uki.c */

typedef struct {
    Bytes bytes;
    bool loaded;    /* sections are at their virtual addresses, not offsets */
} Uki;

/*
 * The section @name that follows number @from (the first is 1), or the first
 * one of all with 0.  Returns its number, or 0 if there is none; sections that
 * are not inside of the image do not count.
 */
unsigned uki_section(const Uki *uki, const char *name, unsigned from,
                     Bytes *section);

/* The firmware that @uki has for this machine.  False if there is none. */
bool uki_firmware(const Uki *uki, const Hardware *hw, Bytes *firmware);

#endif /* VMFWUPDATE_H */
