/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: U-Boot's ubootefi.var, version 1
 *
 * A header (reserved, "UbEfiVa" and the version, length of the file, CRC-32 of
 * what follows), then the variables, each at a multiple of 8 bytes: size of
 * the value, attributes, time, GUID, name with NUL, value.  Times are seconds
 * since 1970; all is little endian.  There is no place for signers.
 */

#include "qemu/osdep.h"
#include "format.h"
#include "hw/uefi/var-service-text.h"
#include <zlib.h>

#define MAGIC           "UbEfiVa"
#define MAGIC_AT        8
#define MAGIC_SIZE      7
#define VERSION         1
#define HEADER_SIZE     24
#define ALIGNMENT       8
#define ENTRY_SIZE      32          /* without name and value */
/* U-Boot's own bit for variables that it alone writes */
#define ATTR_READ_ONLY  0x80000000

static bool detect(UefiMsg *in)
{
    return in->size >= HEADER_SIZE &&
           !memcmp(in->buf + MAGIC_AT, MAGIC, MAGIC_SIZE);
}

static void set_time(UefiVariable *var, uint64_t seconds)
{
    g_autoptr(GDateTime) when = NULL;

    if (seconds) {
        when = g_date_time_new_from_unix_utc(MIN(seconds, INT64_MAX));
    }
    if (when) {
        tool_time_from(when, &var->time);
    }
}

static bool read_variable(ToolTransfer *t, UefiMsg *in, GError **err)
{
    uint32_t size = uefi_msg_get_u32(in);
    uint32_t attributes = uefi_msg_get_u32(in);
    uint64_t time = uefi_msg_get_u64(in);
    UefiGuid guid = uefi_msg_get_guid(in);
    const uint8_t *name = in->buf + in->pos, *data;
    g_autoptr(GError) local = NULL;
    UefiVariable *var;
    size_t at = in->pos;

    while (!in->overrun && uefi_msg_get_u16(in)) {
        /* to the end of the name */
    }
    data = uefi_msg_get_bytes(in, size);
    if (in->overrun) {
        return uefi_text_fail(err, "cut off in variable %u",
                              t->vars->len + 1);
    }
    t->losses[TOOL_LOSS_MARK] += !!(attributes & ATTR_READ_ONLY);
    attributes &= ~ATTR_READ_ONLY;
    var = tool_transfer_add(t, &guid, name, data - name - 2, attributes, data,
                            size, &local);
    if (local && !tool_transfer_lost(t, at - ENTRY_SIZE, err, "the variable "
                                     "at byte %zu: %s", at - ENTRY_SIZE,
                                     local->message)) {
        return false;
    }
    if (var && (attributes & EFI_ATTR_AT)) {
        set_time(var, time);
    }
    uefi_msg_seek(in, MIN(ROUND_UP(in->pos, ALIGNMENT), in->size));
    return true;
}

static bool uboot_read(ToolTransfer *t, UefiMsg *in, GError **err)
{
    uint32_t length, sum;
    uint8_t version;

    uefi_msg_seek(in, MAGIC_AT + MAGIC_SIZE);
    version = uefi_msg_get_u8(in);
    length = uefi_msg_get_u32(in);
    sum = uefi_msg_get_u32(in);
    if (in->overrun || ((length < HEADER_SIZE || length > in->size) &&
                        !tool_transfer_lost(t, HEADER_SIZE, NULL, "cut off, "
                                            "or its length is wrong"))) {
        return uefi_text_fail(err, "cut off");
    }
    length = length < HEADER_SIZE ? in->size : MIN(length, in->size);
    if (version != VERSION) {
        return uefi_text_fail(err, "version %u of the format is not known, "
                              "only %u is", version, VERSION);
    }
    if (sum != crc32(0, in->buf + HEADER_SIZE, length - HEADER_SIZE) &&
        !tool_transfer_lost(t, HEADER_SIZE, err, "its checksum is wrong")) {
        return false;
    }
    t->rest = g_bytes_new(in->buf + length, in->size - length);
    in->size = length;
    while (uefi_msg_left(in)) {
        g_autoptr(GError) local = NULL;
        size_t at = in->pos;

        if (!read_variable(t, in, &local)) {
            return tool_transfer_lost(t, at, err, "%s", local->message);
        }
    }
    return true;
}

/* ------------------------------------------------------------------------ */

static uint64_t seconds_of(const UefiTime *time)
{
    g_autofree char *text = uefi_time_print(time);
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    g_autoptr(GDateTime) when = text ? g_date_time_new_from_iso8601(text, utc)
                                     : NULL;

    return when ? MAX(g_date_time_to_unix(when), 0) : 0;
}

static size_t variable_size(const UefiVariable *var)
{
    return ROUND_UP(ENTRY_SIZE + uefi_str_size(var->name) +
                    g_bytes_get_size(var->data), ALIGNMENT);
}

static void put_variable(ToolTransfer *t, UefiMsg *out,
                         const UefiVariable *var)
{
    size_t end = out->pos + variable_size(var), size;
    const uint8_t *data = g_bytes_get_data(var->data, &size);

    t->losses[TOOL_LOSS_BINDING] += !!var->binding;
    uefi_msg_put_u32(out, size);
    uefi_msg_put_u32(out, var->attributes);
    uefi_msg_put_u64(out, seconds_of(&var->time));
    uefi_msg_put_guid(out, &var->guid);
    uefi_msg_put_str(out, var->name);
    uefi_msg_put_bytes(out, data, size);
    uefi_msg_seek(out, end);
}

static GByteArray *uboot_write(ToolTransfer *t, GError **err)
{
    GByteArray *bytes = g_byte_array_new();
    size_t size = HEADER_SIZE;
    UefiMsg msg;

    for (guint i = 0; i < t->vars->len; i++) {
        size += variable_size(t->vars->pdata[i]);
    }
    g_byte_array_set_size(bytes, size);
    memset(bytes->data, 0, size);
    uefi_msg_init(&msg, bytes->data, size, 8);
    uefi_msg_seek(&msg, HEADER_SIZE);
    for (guint i = 0; i < t->vars->len; i++) {
        put_variable(t, &msg, t->vars->pdata[i]);
    }
    uefi_msg_seek(&msg, MAGIC_AT);
    uefi_msg_put_bytes(&msg, MAGIC, MAGIC_SIZE);
    uefi_msg_put_u8(&msg, VERSION);
    uefi_msg_put_u32(&msg, size);
    uefi_msg_put_u32(&msg, crc32(0, bytes->data + HEADER_SIZE,
                                 size - HEADER_SIZE));
    if (t->rest) {
        g_byte_array_append(bytes, g_bytes_get_data(t->rest, NULL),
                            g_bytes_get_size(t->rest));
    }
    return bytes;
}

const ToolFormat tool_format_uboot = {
    .name = "uboot",
    .detect = detect,
    .read = uboot_read,
    .write = uboot_write,
};
