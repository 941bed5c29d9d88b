/*
 * What a freestanding program has to bring itself
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef UEFI_VARS_LIB_H
#define UEFI_VARS_LIB_H

#include "efi.h"

void *memcpy(void *to, const void *from, size_t n);
void *memset(void *to, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
bool guid_equal(const EfiGuid *a, const EfiGuid *b);

/* Bytes of @name with its terminator, or 0 if that is more than @max. */
size_t name_bytes(const EfiChar *name, size_t max);

/* CRC-32C of @size bytes, as PIO_CRC32C computes it (protocol §1.2). */
uint32_t crc32c(const void *data, size_t size);

/* The configuration table @guid, or NULL. */
void *find_table(const EfiSystemTable *st, const EfiGuid *guid);

#endif /* UEFI_VARS_LIB_H */
