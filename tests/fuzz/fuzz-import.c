/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: stores of other systems, and partition tables
 *
 * The first byte chooses the reader.  The rest tells how to make a file that
 * is right, but for a few bytes of it; checksums are made over those.
 */

#include "qemu/osdep.h"
#include "fuzz.h"
#include "format.h"
#include <glib/gstdio.h>
#include <zlib.h>

#define FILE_SIZE   20000       /* the largest of those made here, bytes */
#define AREA_SIZE   2048        /* of edk2's flash */

int tool_fail(const char *format, ...)
{
    /* nobody reads messages here */
    return TOOL_FAILED;
}

static void put(uint8_t *at, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++) {
        at[i] = value >> 8 * i;
    }
}

/* Up to three bytes of @size at @at are others. */
static void damage(FuzzInput *in, uint8_t *at, size_t size)
{
    for (int n = fuzz_u8(in) & 3; size && n > 0; n--) {
        size_t pos = fuzz_u8(in) | fuzz_u8(in) << 8;

        at[pos % size] = fuzz_u8(in);
    }
}

/* A variable: one letter of name, a few bytes of value */
typedef struct Variable {
    uint32_t attributes;
    uint8_t name[4];            /* with NUL */
    uint8_t data[64];
    size_t size;                /* of the value, bytes */
} Variable;

static const UefiGuid some_guid = UEFI_GUID(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);

static Variable make_variable(FuzzInput *in)
{
    static const uint8_t attributes[] = { 7, 7, 3, 0x27, 0x23, 6, 0x0f, 0xff };
    Variable v = { .attributes = attributes[fuzz_u8(in) % 8] };

    v.name[0] = 'a' + (fuzz_u8(in) & 3);
    v.size = fuzz_u8(in) & 63;
    for (size_t i = 0; i < v.size; i += 8) {
        v.data[i] = fuzz_u8(in);
    }
    return v;
}

/* Records as @put_record writes them, and damage; returns their size */
static size_t make_records(FuzzInput *in, uint8_t *out, size_t size,
                           void (*put_record)(FuzzInput *in, UefiMsg *out,
                                              const Variable *v))
{
    UefiMsg msg;

    uefi_msg_init(&msg, out, size, 8);
    for (int n = fuzz_u8(in) & 7; n > 0; n--) {
        Variable v = make_variable(in);

        put_record(in, &msg, &v);
    }
    damage(in, out, msg.pos);
    return msg.pos;
}

static void put_name_and_data(UefiMsg *out, const Variable *v)
{
    uefi_msg_put_bytes(out, v->name, sizeof(v->name));
    uefi_msg_put_bytes(out, v->data, v->size);
}

/* ------------------------------------------------------------------------ */
/* Each returns how many bytes of @out are the file. */

static void put_edk2(FuzzInput *in, UefiMsg *out, const Variable *v)
{
    static const uint8_t states[] = { 0x3f, 0x3f, 0x3e, 0x3c, 0x7f, 0xff };

    uefi_msg_put_u16(out, 0x55aa);
    uefi_msg_put_u16(out, states[fuzz_u8(in) % sizeof(states)]);
    uefi_msg_put_u32(out, v->attributes);
    uefi_msg_seek(out, MIN(out->pos + 28, out->size));
    uefi_msg_put_u32(out, sizeof(v->name));
    uefi_msg_put_u32(out, v->size);
    uefi_msg_put_guid(out, &some_guid);
    put_name_and_data(out, v);
    uefi_msg_seek(out, MIN(ROUND_UP(out->pos, 4), out->size));
}

static size_t make_edk2(FuzzInput *in, uint8_t *out)
{
    static const UefiGuid volume =
        UEFI_GUID(0xfff12b8d, 0x7696, 0x4c8b,
                  0xa9, 0x85, 0x27, 0x47, 0x07, 0x5b, 0x4f, 0x50);
    static const UefiGuid store =
        UEFI_GUID(0xaaf32c78, 0x947b, 0x439a,
                  0xa1, 0x80, 0x2e, 0x14, 0x4e, 0xc3, 0x77, 0x92);
    uint16_t sum = 0;

    memcpy(out + 16, volume.b, sizeof(volume.b));
    put(out + 32, AREA_SIZE, 8);
    memcpy(out + 40, "_FVH", 4);
    put(out + 48, 72, 2);
    out[55] = 2;
    put(out + 60, 1024, 4);
    for (int i = 0; i < 72; i += 2) {
        sum += out[i] | out[i + 1] << 8;
    }
    put(out + 50, -sum, 2);
    memcpy(out + 72, store.b, sizeof(store.b));
    put(out + 88, AREA_SIZE - 72, 4);
    put(out + 92, 0xfe5a, 2);
    make_records(in, out + 100, AREA_SIZE - 100, put_edk2);
    damage(in, out, fuzz_u8(in) & 3 ? 0 : 100);
    return AREA_SIZE;
}

static void put_vmware(FuzzInput *in, UefiMsg *out, const Variable *v)
{
    bool descriptor = v->attributes & EFI_ATTR_AT && fuzz_u8(in) & 3;

    uefi_msg_put_guid(out, &some_guid);
    uefi_msg_put_u32(out, v->attributes);
    uefi_msg_put_u32(out, sizeof(v->name) + v->size + 40 * descriptor);
    uefi_msg_put_u32(out, sizeof(v->name));
    uefi_msg_put_bytes(out, v->name, sizeof(v->name));
    if (descriptor) {
        size_t at = out->pos + 16;

        uefi_msg_seek(out, MIN(at, out->size));
        uefi_msg_put_u32(out, 24);
        uefi_msg_put_u32(out, 0x0ef10200);
        uefi_msg_put_guid(out, &some_guid);
    }
    uefi_msg_put_bytes(out, v->data, v->size);
}

static size_t make_vmware(FuzzInput *in, uint8_t *out)
{
    static const char magic[] = "MRVN\1\0\0\0EFI_NV\0\0\0\0\0\0VMWNVRAM";
    size_t size;

    memcpy(out, magic, sizeof(magic) - 1);
    size = make_records(in, out + 36, 2048, put_vmware);
    put(out + 32, 16 + size, 4);
    damage(in, out, 36);
    return 36 + size;
}

static void put_vmgs(FuzzInput *in, UefiMsg *out, const Variable *v)
{
    static const uint8_t time[16];

    uefi_msg_put_u32(out, 0);
    uefi_msg_put_u32(out, 48 + sizeof(v->name) + v->size);
    uefi_msg_put_u32(out, v->attributes);
    uefi_msg_put_bytes(out, time, sizeof(time));
    uefi_msg_put_guid(out, &some_guid);
    uefi_msg_put_u16(out, sizeof(v->name));
    uefi_msg_put_u16(out, v->size);
    put_name_and_data(out, v);
}

static size_t make_vmgs(FuzzInput *in, uint8_t *out)
{
    uint8_t *entry = out + 2 * 4096 + 64;
    size_t size = make_records(in, out + 3 * 4096, 2048, put_vmgs);

    memcpy(out, "GUESTRTS", 8);
    put(out + 8, 0x30000, 4);
    put(out + 20, 168, 4);
    put(out + 24, 2, 4);
    damage(in, out + 8, fuzz_u8(in) & 1 ? 0 : 32);
    put(out + 12, 0, 4);
    put(out + 12, crc32(0, out, 168), 4);
    put(entry, 3, 4);
    put(entry + 4, 1, 4);
    put(entry + 8, size, 8);
    damage(in, entry, fuzz_u8(in) & 1 ? 0 : 48);
    return 3 * 4096 + size;
}

static size_t make_virtualbox(FuzzInput *in, uint8_t *out)
{
    size_t at = 0;

    for (int n = fuzz_u8(in) & 3; n >= 0; n--, at += 512 + AREA_SIZE) {
        char *header = (char *)out + at;
        uint32_t sum = 8 * ' ';

        strcpy(header, n ? "other" : "efi/nvram");
        snprintf(header + 124, 12, "%o", AREA_SIZE);
        strcpy(header + 257, "ustar");
        damage(in, out + at, fuzz_u8(in) & 3 ? 0 : 257);
        for (int i = 0; i < 512; i++) {
            sum += i >= 148 && i < 156 ? 0 : out[at + i];
        }
        snprintf(header + 148, 8, "%o", sum);
        make_edk2(in, out + at + 512);
    }
    return at;
}

static size_t make_smmstore(FuzzInput *in, uint8_t *out)
{
    uint8_t *map = out + 4096;

    make_edk2(in, out + 1024);
    memcpy(map, "__FMAP__\1", 9);
    put(map + 54, 2, 2);
    for (int i = 0; i < 2; i++) {
        uint8_t *area = map + 56 + 42 * i;

        put(area, 1024, 4);
        put(area + 4, AREA_SIZE, 4);
        strcpy((char *)area + 8, i ? "SMMSTORE" : "RO");
    }
    damage(in, map, 56 + 2 * 42);
    return 4096 + 56 + 2 * 42;
}

static void put_uboot(FuzzInput *in, UefiMsg *out, const Variable *v)
{
    uefi_msg_put_u32(out, v->size);
    uefi_msg_put_u32(out, v->attributes);
    uefi_msg_put_u64(out, fuzz_u8(in) << 24);
    uefi_msg_put_guid(out, &some_guid);
    put_name_and_data(out, v);
    uefi_msg_seek(out, MIN(ROUND_UP(out->pos, 8), out->size));
}

static size_t make_uboot(FuzzInput *in, uint8_t *out)
{
    size_t size = make_records(in, out + 24, 2048, put_uboot);

    memcpy(out + 8, "UbEfiVa\1", 8);
    put(out + 16, 24 + size, 4);
    put(out + 20, crc32(0, out + 24, size), 4);
    return 24 + size;
}

static void put_xen(FuzzInput *in, UefiMsg *out, const Variable *v)
{
    static const uint8_t rest[16 + 32];

    /* names have no NUL */
    uefi_msg_put_u64(out, 2);
    uefi_msg_put_bytes(out, v->name, 2);
    uefi_msg_put_u64(out, v->size);
    uefi_msg_put_bytes(out, v->data, v->size);
    uefi_msg_put_guid(out, &some_guid);
    uefi_msg_put_u32(out, v->attributes);
    uefi_msg_put_bytes(out, rest, sizeof(rest));
    /* how many there are: put where the header has it */
    put(out->buf - 16, out->buf[-16] + 1, 8);
}

static size_t make_xen(FuzzInput *in, uint8_t *out)
{
    size_t size = make_records(in, out + 24, 2048, put_xen);

    memcpy(out, "VARS\1\0\0\0", 8);
    put(out + 16, size, 8);
    return 24 + size;
}

static size_t make_lxd(FuzzInput *in, uint8_t *out)
{
    static const char *const words[] = {
        "\n", "\n    attr: 7", "\n    data: 00", "\n    digest: \"\"",
        "\n    timestamp: '", "'", "\"", "\\", "#", "x", ": ", "\\u00e4",
        "\n  Lang-8be4df61-93ca-11d2-aa0d-00e098032b8c:", "\n ", "}",
    };
    static const char entry[] =
        "\n  \"a-8be4df61-93ca-11d2-aa0d-00e098032b8c\":\n    attr: 3"
        "\n    data: ab";
    g_autoptr(GString) text = g_string_new("variables:");

    while (fuzz_u8(in) & 31) {
        const char *word = words[fuzz_u8(in) % ARRAY_SIZE(words)];

        g_string_append(text, fuzz_u8(in) & 3 ? entry : word);
        text->str[text->len / 2] += !(fuzz_u8(in) & 7);
    }
    memcpy(out, text->str, MIN(text->len, FILE_SIZE));
    return MIN(text->len, FILE_SIZE);
}

/* A GUID partition table, which is read from a file of its own */
static size_t make_gpt(FuzzInput *in, uint8_t *out)
{
    memcpy(out + 512, "EFI PART", 8);
    put(out + 512 + 72, 2, 8);
    put(out + 512 + 80, 4, 4);
    put(out + 512 + 84, 128, 4);
    for (int i = 0; i < 4; i++) {
        uint8_t *entry = out + 1024 + 128 * i;

        memcpy(entry, some_guid.b, sizeof(some_guid.b));
        put(entry + 32, fuzz_u8(in), 8);
        put(entry + 40, fuzz_u8(in), 8);
    }
    damage(in, out + 512, 1024);
    return 512 * (fuzz_u8(in) & 7);
}

static void try_gpt(const uint8_t *data, size_t size)
{
    g_autofree char *path = NULL;
    int fd = g_file_open_tmp("fuzz-import-XXXXXX", &path, NULL);
    ToolPartition part = { .number = size & 3 };

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(write(fd, data, size), ==, size);
    close(fd);
    tool_partition_read(path, &part);
    g_unlink(path);
}

static void try_format(const char *name, const uint8_t *data, size_t size)
{
    g_autoptr(ToolTransfer) t = tool_transfer_new("fuzz");
    g_autoptr(GBytes) bytes = g_bytes_new(data, size);
    g_autoptr(GError) err = NULL;

    g_autoptr(ToolTransfer) rescued = tool_transfer_new("fuzz");
    bool ok;

    t->format = name ? tool_format_find(name)
                     : tool_format_detect(bytes, false);
    if (!t->format) {
        return;
    }
    ok = tool_format_parse(t, bytes, &err);
    g_assert_true(ok || (err && !strchr(err->message, '\n')));
    /* a rescue gives the same, and has something to tell when that is less */
    rescued->format = t->format;
    rescued->lost = g_ptr_array_new_with_free_func(g_free);
    if (tool_format_parse(rescued, bytes, NULL)) {
        g_assert_cmpint(ok, ==, !rescued->lost->len);
        g_assert_true(!ok || rescued->vars->len == t->vars->len);
    } else {
        g_assert_false(ok);
    }
}

static const struct {
    const char *format;
    size_t (*make)(FuzzInput *in, uint8_t *out);
} readers[] = {
    { "edk2", make_edk2 },
    { "lxd", make_lxd },
    { "smmstore", make_smmstore },
    { "uboot", make_uboot },
    { "virtualbox", make_virtualbox },
    { "vmgs", make_vmgs },
    { "vmware", make_vmware },
    { "xen", make_xen },
    { NULL, make_gpt },
};

void fuzz_one(FuzzInput *in)
{
    g_autofree uint8_t *file = g_malloc0(FILE_SIZE + 1024);
    uint8_t choice = fuzz_u8(in) % (ARRAY_SIZE(readers) + 1);
    size_t size;

    if (choice == ARRAY_SIZE(readers)) {
        try_format(NULL, in->data, in->size);
        return;
    }
    size = readers[choice].make(in, file);
    if (readers[choice].format) {
        try_format(readers[choice].format, file, size);
    } else {
        try_gpt(file, size);
    }
}
