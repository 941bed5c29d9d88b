/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: the VMGS file of Hyper-V and OpenVMM, versions 2 and 3
 *
 * What OpenVMM's sources define: two headers, in the first two sectors of 512
 * or 4096 bytes, of which the valid one with the later sequence number counts.
 * It says where the table of files is, in blocks of 4096 bytes; file 1 of 64
 * has the variables, one behind the other: type (0), length of all,
 * attributes, time, GUID, sizes of name and value, name with NUL, value.  All
 * is little endian.
 */

#include "qemu/osdep.h"
#include "format.h"
#include "hw/uefi/var-service-text.h"
#include <zlib.h>

#define SIGNATURE       "GUESTRTS"
#define HEADER_SIZE     168
#define CHECKSUM_AT     12
#define BLOCK           4096
#define FILE_NVRAM      1
#define FILE_ENTRY      64          /* in the table, bytes */
#define VERSION_2       0x00020000
#define VERSION_3       0x00030000
#define ATTRIBUTES_AT   44          /* in the entry, from version 3 on */
#define GPT_SIGNATURE   "EFI PART"
#define GPT_AT          512
#define GPT_SIZE        (34 * 512)  /* with all of its entries */
#define ENTRY_SIZE      48          /* of a variable, without name and value */

typedef struct Header {
    uint32_t version;
    uint32_t sequence;
    uint32_t table;                 /* blocks from the start */
    uint16_t encryption;            /* 0: none */
} Header;

static const size_t sectors[] = { 512, 4096 };

/* Type of the partition that a disk image of version 1 has */
static const UefiGuid guid_partition =
    UEFI_GUID(0x700f0c12, 0x1515, 0x4e4d,
              0x8d, 0x32, 0x53, 0xf6, 0x85, 0xbf, 0x44, 0xaf);

static bool is_at(const UefiMsg *in, size_t at, const char *magic)
{
    return in->size >= at + strlen(magic) &&
           !memcmp(in->buf + at, magic, strlen(magic));
}

static bool is_v1(const UefiMsg *in)
{
    return is_at(in, GPT_AT, GPT_SIGNATURE) &&
           memmem(in->buf, MIN(in->size, GPT_SIZE), guid_partition.b,
                  sizeof(guid_partition.b));
}

static bool detect(UefiMsg *in)
{
    return is_at(in, 0, SIGNATURE) || is_at(in, sectors[0], SIGNATURE) ||
           is_at(in, sectors[1], SIGNATURE) || is_v1(in);
}

/* The sum over the header, its own field counting as zero */
static uint32_t checksum(const uint8_t *header)
{
    static const uint8_t zero[4];
    uint32_t sum = crc32(0, header, CHECKSUM_AT);

    sum = crc32(sum, zero, sizeof(zero));
    return crc32(sum, header + CHECKSUM_AT + 4,
                 HEADER_SIZE - CHECKSUM_AT - 4);
}

static bool read_header(const UefiMsg *image, size_t at, Header *h)
{
    UefiMsg in = *image;
    uint32_t sum, size;

    if (at + HEADER_SIZE > in.size || !is_at(&in, at, SIGNATURE)) {
        return false;
    }
    uefi_msg_seek(&in, at + strlen(SIGNATURE));
    h->version = uefi_msg_get_u32(&in);
    sum = uefi_msg_get_u32(&in);
    h->sequence = uefi_msg_get_u32(&in);
    size = uefi_msg_get_u32(&in);
    h->table = uefi_msg_get_u32(&in);
    uefi_msg_get_u32(&in);          /* size of the table */
    h->encryption = h->version >= VERSION_3 ? uefi_msg_get_u16(&in) : 0;
    return sum == checksum(in.buf + at) && size == HEADER_SIZE;
}

static bool find_header(const UefiMsg *in, Header *h)
{
    bool found = read_header(in, 0, h);

    for (size_t i = 0; i < ARRAY_SIZE(sectors); i++) {
        Header other;

        /* the number wraps around */
        if (read_header(in, sectors[i], &other) &&
            (!found || other.sequence == h->sequence + 1)) {
            *h = other;
            found = true;
        }
    }
    return found;
}

/* Put @file over the variables, which may be none. */
static bool find_file(const UefiMsg *image, const Header *h, UefiMsg *file,
                      GError **err)
{
    uint64_t at = (uint64_t)h->table * BLOCK + FILE_NVRAM * FILE_ENTRY;
    uint64_t offset, blocks, size;
    uint32_t attributes;
    UefiMsg in = *image;

    if (at + FILE_ENTRY > in.size) {
        return uefi_text_fail(err, "the table of files is beyond the end");
    }
    uefi_msg_seek(&in, at);
    offset = (uint64_t)uefi_msg_get_u32(&in) * BLOCK;
    blocks = uefi_msg_get_u32(&in);
    size = blocks ? uefi_msg_get_u64(&in) : 0;
    uefi_msg_seek(&in, at + ATTRIBUTES_AT);
    attributes = h->version >= VERSION_3 ? uefi_msg_get_u32(&in) : 0;
    if (h->encryption || attributes) {
        return uefi_text_fail(err, "its files are encrypted, and the keys are "
                              "not in it");
    }
    if (size && (offset > in.size || size > in.size - offset ||
                 size > blocks * BLOCK)) {
        return uefi_text_fail(err, "the file with the variables is beyond the "
                              "end");
    }
    uefi_msg_init(file, in.buf + (size ? offset : 0), size, 8);
    return true;
}

static bool read_variable(ToolTransfer *t, UefiMsg *in, GError **err)
{
    size_t at = in->pos;
    uint32_t type = uefi_msg_get_u32(in), length = uefi_msg_get_u32(in);
    uint32_t attributes = uefi_msg_get_u32(in);
    const uint8_t *time = uefi_msg_get_bytes(in, EFI_TIME_SIZE);
    UefiGuid guid = uefi_msg_get_guid(in);
    uint16_t name_size = uefi_msg_get_u16(in), size = uefi_msg_get_u16(in);
    const uint8_t *name = uefi_msg_get_bytes(in, name_size);
    const uint8_t *data = uefi_msg_get_bytes(in, size);
    g_autoptr(GError) local = NULL;
    UefiVariable *var;

    if (in->overrun || type || length != ENTRY_SIZE + name_size + size ||
        name_size < 2 || name[name_size - 2] || name[name_size - 1]) {
        return uefi_text_fail(err, "the variable at byte %zu of its file is "
                              "damaged", at);
    }
    var = tool_transfer_add(t, &guid, name, name_size - 2, attributes, data,
                            size, &local);
    if (local) {
        return uefi_text_fail(err, "the variable at byte %zu of its file: %s",
                              at, local->message);
    }
    if (var && (attributes & EFI_ATTR_AT)) {
        memcpy(var->time.b, time, sizeof(var->time.b));
        tool_transfer_unsigned(t, var);
    }
    return true;
}

static bool vmgs_read(ToolTransfer *t, UefiMsg *in, GError **err)
{
    UefiMsg file;
    Header h;

    if (is_v1(in)) {
        return uefi_text_fail(err, "version 1 of the format, which is not "
                              "read");
    }
    if (!find_header(in, &h)) {
        return uefi_text_fail(err, "both of its headers are damaged");
    }
    if (h.version != VERSION_2 && h.version != VERSION_3) {
        return uefi_text_fail(err, "version 0x%08x of the format is not known",
                              h.version);
    }
    if (!find_file(in, &h, &file, err)) {
        return false;
    }
    while (uefi_msg_left(&file)) {
        if (!read_variable(t, &file, err)) {
            return false;
        }
    }
    return true;
}

const ToolFormat tool_format_vmgs = {
    .name = "vmgs",
    .detect = detect,
    .read = vmgs_read,
};
