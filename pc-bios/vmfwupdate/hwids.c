/*
 * What machine this is, and what a section .hwids has for it
 *
 * Machines have hardware identifiers (CHID): GUIDs made of strings that SMBIOS
 * has, a few strings each.  docs/specs/vmfwupdate.rst has the section's format.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "vmfwupdate.h"

#define SMBIOS_SYSTEM       1
#define SMBIOS_BOARD        2
#define SMBIOS_END          127

/* Longer than strings of real machines, all together */
#define NAME_MAX            1024

#define ENTRY_SIZE          28
#define ENTRY_TYPE(word)    ((word) >> 28)
#define TYPE_END            0
#define TYPE_DEVICE_TREE    1
#define TYPE_FIRMWARE       2

/* RFC 4122 form of 70ffd812-4c7f-4c7d-0000-000000000000 */
static const uint8_t namespace[16] = {
    0x70, 0xff, 0xd8, 0x12, 0x4c, 0x7f, 0x4c, 0x7d
};

/* ------------------------------------------------------------------------ */
/* SMBIOS */

/* The string number @index, from 1, of those that begin at @text */
static Bytes find_string(Bytes text, unsigned index)
{
    while (index) {
        size_t length = 0;

        while (length < text.size && text.data[length]) {
            length++;
        }
        if (length == text.size || length == 0) {
            break;
        }
        if (--index == 0) {
            return (Bytes) { text.data, length };
        }
        text.data += length + 1;
        text.size -= length + 1;
    }
    return (Bytes) { 0 };
}

/* Spaces and zeroes in front and spaces behind do not count. */
static Bytes strip(Bytes text)
{
    while (text.size && *text.data == ' ') {
        text.data++;
        text.size--;
    }
    while (text.size && *text.data == '0') {
        text.data++;
        text.size--;
    }
    while (text.size && text.data[text.size - 1] == ' ') {
        text.size--;
    }
    return text;
}

static void take(Bytes *string, Bytes table, unsigned length, unsigned field)
{
    Bytes text = { table.data + length, table.size - length };

    if (field < length) {
        *string = strip(find_string(text, table.data[field]));
    }
}

/* Bytes of the structure at the start of @table with its strings, or 0 */
static size_t whole_size(Bytes table, unsigned length)
{
    for (size_t i = length; i + 2 <= table.size; i++) {
        if (!table.data[i] && !table.data[i + 1]) {
            return i + 2;
        }
    }
    return 0;
}

void hw_read(Hardware *hw, Bytes table)
{
    bool have_system = false, have_board = false;

    *hw = (Hardware) { 0 };
    while (table.size >= 4 && table.data[0] != SMBIOS_END) {
        unsigned length = table.data[1];
        size_t size = length >= 4 ? whole_size(table, length) : 0;
        Bytes this = { table.data, size };

        if (!size) {
            return;
        }
        if (table.data[0] == SMBIOS_SYSTEM && !have_system) {
            have_system = true;
            take(&hw->strings[HW_MANUFACTURER], this, length, 0x04);
            take(&hw->strings[HW_PRODUCT], this, length, 0x05);
            take(&hw->strings[HW_SKU], this, length, 0x19);
            take(&hw->strings[HW_FAMILY], this, length, 0x1a);
        } else if (table.data[0] == SMBIOS_BOARD && !have_board) {
            have_board = true;
            take(&hw->strings[HW_BOARD_MANUFACTURER], this, length, 0x04);
            take(&hw->strings[HW_BOARD_PRODUCT], this, length, 0x05);
        }
        table.data += size;
        table.size -= size;
    }
}

/* ------------------------------------------------------------------------ */
/* Identifiers */

/* The name to hash: strings as UTF-16 with "&" between; its size, or 0 */
static size_t make_name(const Hardware *hw, unsigned mask,
                        uint8_t name[NAME_MAX])
{
    size_t size = sizeof(namespace);

    for (size_t i = 0; i < sizeof(namespace); i++) {
        name[i] = namespace[i];
    }
    for (unsigned s = 0; s < HW_STRINGS; s++) {
        Bytes text = hw->strings[s];

        if (!(mask & 1u << s)) {
            continue;
        }
        if (text.size > (NAME_MAX - size) / 2 - 1) {
            return 0;
        }
        if (size > sizeof(namespace)) {
            name[size++] = '&';
            name[size++] = 0;
        }
        for (size_t i = 0; i < text.size; i++) {
            if (text.data[i] >= 0x80) {
                return 0;
            }
            name[size++] = text.data[i];
            name[size++] = 0;
        }
    }
    return size;
}

bool hw_chid(const Hardware *hw, unsigned mask, uint8_t chid[CHID_SIZE])
{
    /* A GUID in memory has its first three numbers little endian. */
    static const uint8_t order[CHID_SIZE] = {
        3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15
    };
    uint8_t name[NAME_MAX], digest[SHA1_SIZE];
    size_t size = make_name(hw, mask, name);

    if (!size) {
        return false;
    }
    sha1((Bytes) { name, size }, digest);
    digest[6] = (digest[6] & 0x0f) | 0x50;
    digest[8] = (digest[8] & 0x3f) | 0x80;
    for (unsigned i = 0; i < CHID_SIZE; i++) {
        chid[i] = digest[order[i]];
    }
    return true;
}

#define HW(name)    (1u << HW_##name)

/* Most specific first: CHID types 3, 6, 8, 10, 4, 5, 7, 9 */
static const unsigned chid_masks[] = {
    HW(MANUFACTURER) | HW(FAMILY) | HW(PRODUCT) | HW(SKU) |
        HW(BOARD_MANUFACTURER) | HW(BOARD_PRODUCT),
    HW(MANUFACTURER) | HW(SKU) | HW(BOARD_MANUFACTURER) | HW(BOARD_PRODUCT),
    HW(MANUFACTURER) | HW(PRODUCT) | HW(BOARD_MANUFACTURER) |
        HW(BOARD_PRODUCT),
    HW(MANUFACTURER) | HW(FAMILY) | HW(BOARD_MANUFACTURER) |
        HW(BOARD_PRODUCT),
    HW(MANUFACTURER) | HW(FAMILY) | HW(PRODUCT) | HW(SKU),
    HW(MANUFACTURER) | HW(FAMILY) | HW(PRODUCT),
    HW(MANUFACTURER) | HW(SKU),
    HW(MANUFACTURER) | HW(PRODUCT),
};

/* ------------------------------------------------------------------------ */
/* The section */

/* Entries up to the end of the list, or 0 if there are some of no known type */
static size_t count_entries(Bytes hwids)
{
    size_t n = 0;

    for (; (n + 1) * ENTRY_SIZE <= hwids.size; n++) {
        uint32_t word = get32(hwids.data + n * ENTRY_SIZE);

        if (word == TYPE_END) {
            break;
        }
        if (ENTRY_TYPE(word) != TYPE_FIRMWARE &&
            ENTRY_TYPE(word) != TYPE_DEVICE_TREE) {
            return 0;
        }
    }
    return n;
}

static bool same(const uint8_t *a, const uint8_t *b, size_t size)
{
    while (size && *a == *b) {
        a++;
        b++;
        size--;
    }
    return !size;
}

static Bytes string_at(Bytes section, uint32_t offset)
{
    Bytes string = { 0 };

    if (!offset || offset >= section.size) {
        return string;
    }
    string.data = section.data + offset;
    while (offset + string.size < section.size && string.data[string.size]) {
        string.size++;
    }
    /* without its end it is no string */
    return offset + string.size < section.size ? string : (Bytes) { 0 };
}

Bytes hwids_match(Bytes hwids, const Hardware *hw)
{
    size_t n = count_entries(hwids);

    for (size_t m = 0; m < sizeof(chid_masks) / sizeof(*chid_masks); m++) {
        uint8_t chid[CHID_SIZE];

        if (!hw_chid(hw, chid_masks[m], chid)) {
            continue;
        }
        for (size_t i = 0; i < n; i++) {
            const uint8_t *entry = hwids.data + i * ENTRY_SIZE;

            if (ENTRY_TYPE(get32(entry)) == TYPE_FIRMWARE &&
                same(entry + 4, chid, CHID_SIZE)) {
                return string_at(hwids, get32(entry + 24));
            }
        }
    }
    return (Bytes) { 0 };
}
