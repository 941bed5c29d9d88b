/*
 * What a freestanding program has to bring itself
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib.h"

void *memcpy(void *to, const void *from, size_t n)
{
    uint8_t *t = to;
    const uint8_t *f = from;

    while (n--) {
        *t++ = *f++;
    }
    return to;
}

void *memset(void *to, int c, size_t n)
{
    uint8_t *t = to;

    while (n--) {
        *t++ = c;
    }
    return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const uint8_t *p = a, *q = b;

    for (; n; n--, p++, q++) {
        if (*p != *q) {
            return *p - *q;
        }
    }
    return 0;
}

bool guid_equal(const EfiGuid *a, const EfiGuid *b)
{
    return !memcmp(a, b, sizeof(*a));
}

size_t name_bytes(const EfiChar *name, size_t max)
{
    size_t i;

    for (i = 0; i < max / sizeof(*name); i++) {
        if (!name[i]) {
            return (i + 1) * sizeof(*name);
        }
    }
    return 0;
}

uint32_t crc32c(const void *data, size_t size)
{
    const uint8_t *p = data;
    uint32_t crc = ~0u;

    while (size--) {
        crc ^= *p++;
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
        }
    }
    return ~crc;
}

void *find_table(const EfiSystemTable *st, const EfiGuid *guid)
{
    for (size_t i = 0; i < st->table_count; i++) {
        if (guid_equal(&st->tables[i].guid, guid)) {
            return st->tables[i].table;
        }
    }
    return NULL;
}
