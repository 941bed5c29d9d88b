/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: UEFI data of Amazon EC2, version 0
 *
 * In base64: "AMZNUEFI", CRC-32C of what follows, version, and a zlib stream
 * (RFC 1950) made with a preset dictionary.  In the stream: number of
 * variables, then each: name in UTF-8, value (both with their length in bytes
 * before them), GUID and attributes; after those of an authenticated one time
 * and digest of the signer, the latter with its length.  Lengths and numbers
 * have 8 bytes, CRC, version and attributes 4; all is little endian.
 *
 * The dictionary is not ours to carry: it comes with python3-virt-firmware.
 */

#include "qemu/osdep.h"
#include <zlib.h>
#include "format.h"
#include "hw/uefi/var-service-text.h"

#define MAGIC               "AMZNUEFI"
#define MAGIC_SIZE          8
#define MAGIC_BASE64        "QU1aTlVFRk"
#define VERSION             0
#define LEVEL               9
#define DIGEST_SIZE         32
#define CRC32C_POLYNOMIAL   0x82f63b78      /* reflected */

/* More than any store of EC2; what is packed tightly must not fill memory. */
#define UNPACKED_MAX        (16 * 1024 * 1024)

static bool detect(UefiMsg *in)
{
    return tool_starts_with(in, MAGIC_BASE64);
}

static uint32_t crc32c(const uint8_t *data, size_t size)
{
    uint32_t crc = ~0u;

    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc & 1 ? CRC32C_POLYNOMIAL : 0);
        }
    }
    return ~crc;
}

static GBytes *read_dictionary(const ToolTransfer *t, GError **err)
{
    GBytes *bytes;

    if (!t->dictionary) {
        uefi_text_fail(err, "this format needs --dictionary");
        return NULL;
    }
    bytes = tool_load_file(t->dictionary, err);
    if (!bytes) {
        g_prefix_error(err, "%s: ", t->dictionary);
    }
    return bytes;
}

/* ------------------------------------------------------------------------ */

static bool set_dictionary(const ToolTransfer *t, z_stream *z, GError **err)
{
    g_autoptr(GBytes) bytes = read_dictionary(t, err);
    size_t size;
    const uint8_t *data = bytes ? g_bytes_get_data(bytes, &size) : NULL;

    if (!bytes) {
        return false;
    }
    if (inflateSetDictionary(z, data, size) != Z_OK) {
        return uefi_text_fail(err, "%s is not the dictionary that it was "
                              "packed with", t->dictionary);
    }
    return true;
}

/* Unpack into @out, which has its final size as a limit. */
static bool inflate_all(ToolTransfer *t, z_stream *z, GByteArray *out,
                        GError **err)
{
    int status;

    do {
        guint done = out->len;

        g_byte_array_set_size(out, MIN(2 * done + 4096, UNPACKED_MAX));
        z->next_out = out->data + done;
        z->avail_out = out->len - done;
        status = inflate(z, Z_NO_FLUSH);
        g_byte_array_set_size(out, out->len - z->avail_out);
        if (status == Z_NEED_DICT) {
            if (!set_dictionary(t, z, err)) {
                return false;
            }
            status = Z_OK;
        }
    } while (status == Z_OK && out->len < UNPACKED_MAX);
    if (status != Z_STREAM_END || z->avail_in) {
        return tool_transfer_lost(t, out->len, err, "the compressed data is "
                                  "damaged");
    }
    return true;
}

static GBytes *unpack(ToolTransfer *t, UefiMsg *in, GError **err)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    z_stream z = { .next_in = in->buf + in->pos,
                   .avail_in = uefi_msg_left(in) };
    bool ok;

    if (inflateInit(&z) != Z_OK) {
        uefi_text_fail(err, "zlib cannot be used");
        return NULL;
    }
    ok = inflate_all(t, &z, out, err);
    inflateEnd(&z);
    /* a buffer of just that size */
    return ok ? g_bytes_new(out->data, out->len) : NULL;
}

static bool read_variable(ToolTransfer *t, UefiMsg *in, GError **err)
{
    g_autoptr(GError) local = NULL;
    size_t name_size, data_size, digest_size = 0, at = in->pos;
    const uint8_t *name = tool_get_blob(in, &name_size);
    const uint8_t *data = tool_get_blob(in, &data_size);
    UefiGuid guid = uefi_msg_get_guid(in);
    uint32_t attributes = uefi_msg_get_u32(in);
    const uint8_t *time = NULL, *digest = NULL;
    UefiVariable *var;

    if (attributes & EFI_ATTR_AT) {
        time = uefi_msg_get_bytes(in, EFI_TIME_SIZE);
        digest = tool_get_blob(in, &digest_size);
    }
    if (in->overrun) {
        return uefi_text_fail(err, "cut off in variable %u", t->vars->len + 1);
    }
    var = tool_transfer_add_utf8(t, &guid, name, name_size, attributes, data,
                                 data_size, &local);
    if (local) {
        return tool_transfer_lost(t, at, err, "%s", local->message);
    }
    if (var && time) {
        tool_transfer_signed(var, time, digest, digest_size);
    }
    return true;
}

static bool read_list(ToolTransfer *t, UefiMsg *in, GError **err)
{
    uint64_t count = uefi_msg_get_u64(in);

    if (in->overrun) {
        return uefi_text_fail(err, "cut off before the first variable");
    }
    return tool_transfer_read(t, in, count, read_variable, err);
}

static bool aws_read(ToolTransfer *t, UefiMsg *in, GError **err)
{
    g_autoptr(GBytes) bytes = tool_read_base64(t, in);
    g_autoptr(GBytes) list = NULL;
    uint32_t crc, version;
    UefiMsg msg;

    msg = bytes ? tool_cursor(bytes) : (UefiMsg) { };
    if (!tool_starts_with(&msg, MAGIC)) {
        return uefi_text_fail(err, "not base64 of something that begins with "
                              MAGIC);
    }
    uefi_msg_seek(&msg, MAGIC_SIZE);
    crc = uefi_msg_get_u32(&msg);
    if ((msg.overrun ||
         crc != crc32c(msg.buf + msg.pos, uefi_msg_left(&msg))) &&
        !tool_transfer_lost(t, MAGIC_SIZE, err, "the checksum is wrong; "
                            "something is missing or damaged")) {
        return false;
    }
    version = uefi_msg_get_u32(&msg);
    if (msg.overrun || version != VERSION) {
        return uefi_text_fail(err, "version %" PRIu32 " of the format is not "
                              "known, only version %d is", version, VERSION);
    }
    list = unpack(t, &msg, err);
    if (!list) {
        return false;
    }
    msg = tool_cursor(list);
    return read_list(t, &msg, err);
}

/* ------------------------------------------------------------------------ */

static void append_number(GByteArray *out, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++) {
        uint8_t byte = value >> (8 * i);

        g_byte_array_append(out, &byte, 1);
    }
}

static void append_blob(GByteArray *out, const void *data, size_t size)
{
    append_number(out, size, 8);
    g_byte_array_append(out, data, size);
}

static void append_variable(GByteArray *out, const UefiVariable *var,
                            const char *name)
{
    static const uint8_t none[DIGEST_SIZE];
    size_t size;
    const void *data = g_bytes_get_data(var->data, &size);

    append_blob(out, name, strlen(name));
    append_blob(out, data, size);
    g_byte_array_append(out, var->guid.b, sizeof(var->guid.b));
    append_number(out, var->attributes, 4);
    if (var->attributes & EFI_ATTR_AT) {
        g_byte_array_append(out, var->time.b, sizeof(var->time.b));
        data = none;
        size = sizeof(none);
        if (var->binding) {
            data = g_bytes_get_data(var->binding, &size);
        }
        append_blob(out, data, size);
    }
}

/* Version and the packed @list */
static GByteArray *pack(GByteArray *list, GBytes *dictionary, GError **err)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    size_t size;
    const uint8_t *data = g_bytes_get_data(dictionary, &size);
    z_stream z = { };
    int status;

    if (deflateInit(&z, LEVEL) != Z_OK) {
        uefi_text_fail(err, "zlib cannot be used");
        return NULL;
    }
    status = deflateSetDictionary(&z, data, size);
    g_byte_array_set_size(out, 4 + deflateBound(&z, list->len));
    memset(out->data, VERSION, 4);
    z.next_in = list->data;
    z.avail_in = list->len;
    z.next_out = out->data + 4;
    z.avail_out = out->len - 4;
    if (status == Z_OK) {
        status = deflate(&z, Z_FINISH);
    }
    g_byte_array_set_size(out, out->len - z.avail_out);
    deflateEnd(&z);
    if (status != Z_STREAM_END) {
        uefi_text_fail(err, "the variables cannot be packed");
        return NULL;
    }
    return g_steal_pointer(&out);
}

static GByteArray *list_variables(ToolTransfer *t)
{
    g_autoptr(GByteArray) vars = g_byte_array_new();
    GByteArray *list = g_byte_array_new();
    uint64_t count = 0;

    for (guint i = 0; i < t->vars->len; i++) {
        const UefiVariable *var = t->vars->pdata[i];
        g_autofree char *name =
            g_utf16_to_utf8(var->name, -1, NULL, NULL, NULL);

        if (!name) {
            t->losses[TOOL_LOSS_NAME]++;
            continue;
        }
        append_variable(vars, var, name);
        count++;
    }
    append_number(list, count, 8);
    g_byte_array_append(list, vars->data, vars->len);
    return list;
}

static GByteArray *aws_write(ToolTransfer *t, GError **err)
{
    g_autoptr(GBytes) dictionary = read_dictionary(t, err);
    g_autoptr(GByteArray) list = dictionary ? list_variables(t) : NULL;
    g_autoptr(GByteArray) packed = list ? pack(list, dictionary, err) : NULL;
    g_autoptr(GByteArray) blob = g_byte_array_new();

    if (!packed) {
        return NULL;
    }
    g_byte_array_append(blob, (const guint8 *)MAGIC, MAGIC_SIZE);
    append_number(blob, crc32c(packed->data, packed->len), 4);
    g_byte_array_append(blob, packed->data, packed->len);
    return tool_write_base64(g_steal_pointer(&blob));
}

const ToolFormat tool_format_aws = {
    .name = "aws",
    .detect = detect,
    .read = aws_read,
    .write = aws_write,
    .needs_dictionary = true,
};
