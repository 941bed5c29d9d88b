/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: boot options (EFI_LOAD_OPTION, UEFI 2.10, 3.1.3)
 */

#include "qemu/osdep.h"
#include "tool.h"

#define LOAD_OPTION_HEAD    6       /* attributes, size of the path */

/* Device path nodes (UEFI 2.10, 10.3) */
#define NODE_HEAD           4       /* type, subtype, length (u16) */
#define NODE_URI            0x1803  /* type in the low byte, subtype above */
#define NODE_DISK           0x0104
#define NODE_FILE           0x0404
#define NODE_END            0xff7f
#define DISK_GPT            0x0202  /* format and type of the signature */

bool tool_load_option_parse(ToolLoadOption *opt, const void *data, size_t size)
{
    size_t path_size;
    UefiMsg msg;

    *opt = (ToolLoadOption) { };
    uefi_msg_init(&msg, (void *)data, size, 8);
    opt->attributes = uefi_msg_get_u32(&msg);
    path_size = uefi_msg_get_u16(&msg);
    opt->label = msg.overrun ? NULL
                             : uefi_msg_get_str(&msg, uefi_msg_left(&msg));
    if (!opt->label) {
        return false;
    }
    uefi_msg_seek(&msg, LOAD_OPTION_HEAD + uefi_str_size(opt->label));
    opt->path = uefi_msg_get_bytes(&msg, path_size);
    opt->path_size = path_size;
    opt->more_size = uefi_msg_left(&msg);
    opt->more = uefi_msg_get_bytes(&msg, opt->more_size);
    return opt->path;
}

void tool_load_option_clear(ToolLoadOption *opt)
{
    g_clear_pointer(&opt->label, g_free);
}

GBytes *tool_load_option_print(const ToolLoadOption *opt)
{
    size_t label_size = uefi_str_size(opt->label);
    GByteArray *out = g_byte_array_new();
    UefiMsg msg;

    g_byte_array_set_size(out, LOAD_OPTION_HEAD + label_size +
                          opt->path_size + opt->more_size);
    uefi_msg_init(&msg, out->data, out->len, 8);
    uefi_msg_put_u32(&msg, opt->attributes);
    uefi_msg_put_u16(&msg, opt->path_size);
    uefi_msg_put_str(&msg, opt->label);
    uefi_msg_put_bytes(&msg, opt->path, opt->path_size);
    uefi_msg_put_bytes(&msg, opt->more, opt->more_size);
    return g_byte_array_free_to_bytes(out);
}

/* ------------------------------------------------------------------------ */
/* Device paths */

/* A node with room for @size bytes, and a cursor there */
static UefiMsg add_node(GByteArray *path, unsigned node, size_t size)
{
    size_t pos = path->len;
    UefiMsg msg;

    g_byte_array_set_size(path, pos + NODE_HEAD + size);
    uefi_msg_init(&msg, path->data, path->len, 8);
    uefi_msg_seek(&msg, pos);
    uefi_msg_put_u16(&msg, node);
    uefi_msg_put_u16(&msg, NODE_HEAD + size);
    return msg;
}

void tool_path_add_partition(GByteArray *path, const ToolPartition *part)
{
    UefiMsg msg = add_node(path, NODE_DISK, 38);

    uefi_msg_put_u32(&msg, part->number);
    uefi_msg_put_u64(&msg, part->start);
    uefi_msg_put_u64(&msg, part->blocks);
    uefi_msg_put_guid(&msg, &part->uuid);
    uefi_msg_put_u16(&msg, DISK_GPT);
}

void tool_path_add_file(GByteArray *path, const uint16_t *file)
{
    UefiMsg msg = add_node(path, NODE_FILE, uefi_str_size(file));

    uefi_msg_put_str(&msg, file);
}

void tool_path_add_uri(GByteArray *path, const char *uri)
{
    UefiMsg msg = add_node(path, NODE_URI, strlen(uri));

    uefi_msg_put_bytes(&msg, uri, strlen(uri));
}

void tool_path_end(GByteArray *path)
{
    add_node(path, NODE_END, 0);
}

/* ------------------------------------------------------------------------ */
/* Partitions of an image of a disk (UEFI 2.10, 5.3) */

#define GPT_ENTRIES         72      /* in the header: where its table is */
#define GPT_ENTRY_COUNT     80
#define GPT_ENTRY_SIZE      84
#define MAX_ENTRIES         1024
#define MAX_ENTRY_SIZE      4096

static const UefiGuid esp =
    UEFI_GUID(0xc12a7328, 0xf81f, 0x11d2,
              0xba, 0x4b, 0x00, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b);

/* One entry of the table; false if it is not the one that is looked for */
static bool take_entry(const uint8_t *entry, size_t size, unsigned number,
                       ToolPartition *part)
{
    static const UefiGuid unused;
    UefiGuid type;
    UefiMsg msg;

    uefi_msg_init(&msg, (void *)entry, size, 8);
    type = uefi_msg_get_guid(&msg);
    if (uefi_guid_equal(&type, &unused) ||
        (part->number ? part->number != number
                      : !uefi_guid_equal(&type, &esp))) {
        return false;
    }
    part->number = number;
    part->uuid = uefi_msg_get_guid(&msg);
    part->start = uefi_msg_get_u64(&msg);
    part->blocks = uefi_msg_get_u64(&msg) - part->start + 1;
    return true;
}

static bool read_table(int fd, size_t block, ToolPartition *part)
{
    uint8_t header[GPT_ENTRY_SIZE + 4], entry[MAX_ENTRY_SIZE];
    uint64_t table;
    uint32_t count, size;
    UefiMsg msg;

    if (pread(fd, header, sizeof(header), block) != sizeof(header) ||
        memcmp(header, "EFI PART", 8)) {
        return false;
    }
    uefi_msg_init(&msg, header, sizeof(header), 8);
    uefi_msg_seek(&msg, GPT_ENTRIES);
    table = uefi_msg_get_u64(&msg);
    count = uefi_msg_get_u32(&msg);
    size = uefi_msg_get_u32(&msg);
    if (size < 48 || size > sizeof(entry) || table > INT64_MAX / 2 / block) {
        return false;
    }
    for (unsigned i = 0; i < MIN(count, MAX_ENTRIES); i++) {
        if (pread(fd, entry, size, table * block + i * size) != size) {
            return false;
        }
        if (take_entry(entry, size, i + 1, part)) {
            return true;
        }
    }
    return false;
}

bool tool_partition_read(const char *path, ToolPartition *part)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    bool ok;

    if (fd < 0) {
        tool_fail("%s: %s", path, g_strerror(errno));
        return false;
    }
    ok = read_table(fd, 512, part) || read_table(fd, 4096, part);
    close(fd);
    if (!ok) {
        tool_fail("%s: there is no such partition in a GUID partition table "
                  "of a raw image", path);
    }
    return ok;
}
