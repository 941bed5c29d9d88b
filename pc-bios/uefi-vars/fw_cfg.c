/*
 * Files that QEMU has for the firmware (docs/specs/fw_cfg.rst), on x86
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fw_cfg.h"
#include "lib.h"

#define FW_CFG_SELECTOR     0x510
#define FW_CFG_DATA         0x511
#define FW_CFG_DMA          0x514
#define FW_CFG_SIGNATURE    0x0000
#define FW_CFG_FILE_DIR     0x0019
#define FW_CFG_FILES_MAX    0x1000
#define FW_CFG_NAME_SIZE    56
#define FW_CFG_CTL_WRITE    0x10

static void fw_cfg_select(uint16_t key)
{
    asm volatile("outw %w0, %w1" : : "a"(key),
                 "Nd"((uint16_t)FW_CFG_SELECTOR));
}

void fw_cfg_read(void *to, size_t size)
{
    for (uint8_t *p = to; size--; p++) {
        asm volatile("inb %w1, %b0" : "=a"(*p)
                     : "Nd"((uint16_t)FW_CFG_DATA));
    }
}

static uint32_t read_be32(void)
{
    uint8_t b[4];

    fw_cfg_read(b, sizeof(b));
    return (uint32_t)b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3];
}

uint32_t fw_cfg_open(const char *name, size_t name_size)
{
    uint8_t signature[4];
    uint32_t count;

    fw_cfg_select(FW_CFG_SIGNATURE);
    fw_cfg_read(signature, sizeof(signature));
    if (memcmp(signature, "QEMU", 4)) {
        return 0;
    }
    fw_cfg_select(FW_CFG_FILE_DIR);
    count = read_be32();
    for (uint32_t i = 0; i < count && i < FW_CFG_FILES_MAX; i++) {
        uint32_t size = read_be32();
        uint32_t key = read_be32();
        char entry[FW_CFG_NAME_SIZE];

        fw_cfg_read(entry, sizeof(entry));
        if (!memcmp(entry, name, name_size)) {
            fw_cfg_select(key >> 16);
            return size;
        }
    }
    return 0;
}

bool fw_cfg_write(const void *from, uint32_t size)
{
    struct {
        uint32_t control;
        uint32_t length;
        uint64_t address;
    } volatile access = {   /* the device writes to it */
        __builtin_bswap32(FW_CFG_CTL_WRITE), __builtin_bswap32(size),
        __builtin_bswap64((uintptr_t)from)
    };
    uint64_t address = (uintptr_t)&access;

    /* Both halves are big endian; the second one starts the transfer. */
    asm volatile("outl %0, %w1" : : "a"(__builtin_bswap32(address >> 32)),
                 "Nd"((uint16_t)FW_CFG_DMA) : "memory");
    asm volatile("outl %0, %w1" : : "a"(__builtin_bswap32(address)),
                 "Nd"((uint16_t)(FW_CFG_DMA + 4)) : "memory");
    return !access.control;
}
