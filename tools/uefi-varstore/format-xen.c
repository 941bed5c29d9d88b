/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: stores of XenServer and XCP-ng, versions 1 and 2
 *
 * "VARS", version, number of variables and number of their bytes; then each
 * variable: name without NUL, value (both with their length in bytes before
 * them), GUID, attributes, time and digest of the signer.  Lengths and numbers
 * have 8 bytes, version and attributes 4; all is little endian.  Version 2 has
 * between header and variables the key of the memory overwrite lock, which is
 * of one boot, and the state of the physical presence interface of a TPM.
 * XAPI keeps the same bytes in base64.
 */

#include "qemu/osdep.h"
#include "format.h"
#include "hw/uefi/var-service-text.h"

#define MAGIC           "VARS"
#define MAGIC_SIZE      4
#define MAGIC_BASE64    "VkFSU"
#define VERSION         2
#define EXTRA_SIZE      (8 + 4 + 256)   /* version 2: key, presence */
#define DIGEST_SIZE     32

static bool detect(UefiMsg *in)
{
    return tool_starts_with(in, MAGIC) || tool_starts_with(in, MAGIC_BASE64);
}

static bool read_variable(ToolTransfer *t, UefiMsg *in, GError **err)
{
    g_autoptr(GError) local = NULL;
    size_t name_size, data_size, at = in->pos;
    const uint8_t *name = tool_get_blob(in, &name_size);
    const uint8_t *data = tool_get_blob(in, &data_size);
    UefiGuid guid = uefi_msg_get_guid(in);
    uint32_t attributes = uefi_msg_get_u32(in);
    const uint8_t *time = uefi_msg_get_bytes(in, EFI_TIME_SIZE);
    const uint8_t *digest = uefi_msg_get_bytes(in, DIGEST_SIZE);
    UefiVariable *var;

    if (in->overrun) {
        return uefi_text_fail(err, "cut off in variable %u",
                              t->vars->len + 1);
    }
    var = tool_transfer_add(t, &guid, name, name_size, attributes, data,
                            data_size, &local);
    if (local) {
        return tool_transfer_lost(t, at, err, "%s", local->message);
    }
    if (var && (attributes & EFI_ATTR_AT)) {
        tool_transfer_signed(var, time, digest, DIGEST_SIZE);
    }
    return true;
}

static bool read_extra(ToolTransfer *t, UefiMsg *in, GError **err)
{
    const uint8_t *extra = uefi_msg_get_bytes(in, EXTRA_SIZE);

    if (!extra) {
        return uefi_text_fail(err, "cut off before its first variable");
    }
    t->rest = g_bytes_new(extra, EXTRA_SIZE);
    if (!tool_is_zero(extra, EXTRA_SIZE)) {
        tool_transfer_note(t, "the lock key of memory overwrite and the state "
                           "of physical presence are left out");
    }
    return true;
}

static bool read_blob(ToolTransfer *t, UefiMsg *in, GError **err)
{
    uint32_t version;
    uint64_t count, size;

    uefi_msg_seek(in, MAGIC_SIZE);
    version = uefi_msg_get_u32(in);
    count = uefi_msg_get_u64(in);
    size = uefi_msg_get_u64(in);
    if (in->overrun) {
        return uefi_text_fail(err, "cut off in its header");
    }
    if (!version || version > VERSION) {
        return uefi_text_fail(err, "version %" PRIu32 " of the format is not "
                              "known, only 1 to %d are", version, VERSION);
    }
    t->version = version;
    if (version > 1 && !read_extra(t, in, err)) {
        return false;
    }
    if (size != uefi_msg_left(in) &&
        !tool_transfer_lost(t, in->pos, err, "there are %zu bytes of "
                            "variables, the header says %" PRIu64,
                            uefi_msg_left(in), size)) {
        return false;
    }
    return tool_transfer_read(t, in, count, read_variable, err);
}

static bool xen_read(ToolTransfer *t, UefiMsg *in, GError **err)
{
    g_autoptr(GBytes) bytes = NULL;
    UefiMsg msg;

    if (tool_starts_with(in, MAGIC)) {
        return read_blob(t, in, err);
    }
    bytes = tool_read_base64(t, in);
    msg = bytes ? tool_cursor(bytes) : (UefiMsg) { };
    if (!bytes || !tool_starts_with(&msg, MAGIC)) {
        return uefi_text_fail(err, "neither begins with " MAGIC " nor is it "
                              "base64 of something that does");
    }
    t->base64 = true;
    return read_blob(t, &msg, err);
}

/* ------------------------------------------------------------------------ */

static size_t variable_size(const UefiVariable *var)
{
    return 8 + 2 * uefi_str_len(var->name) + 8 + g_bytes_get_size(var->data) +
           sizeof(UefiGuid) + 4 + EFI_TIME_SIZE + DIGEST_SIZE;
}

static void put_variable(ToolTransfer *t, UefiMsg *out,
                         const UefiVariable *var)
{
    uint8_t none[DIGEST_SIZE] = { };
    const uint8_t *digest = none;
    size_t size, len = uefi_str_len(var->name);
    const uint8_t *data = g_bytes_get_data(var->data, &size);

    if (var->binding && g_bytes_get_size(var->binding) == DIGEST_SIZE) {
        digest = g_bytes_get_data(var->binding, NULL);
    } else if (var->binding) {
        t->losses[TOOL_LOSS_BINDING]++;
    }
    uefi_msg_put_u64(out, 2 * len);
    for (size_t i = 0; i < len; i++) {
        uefi_msg_put_u16(out, var->name[i]);
    }
    uefi_msg_put_u64(out, size);
    uefi_msg_put_bytes(out, data, size);
    uefi_msg_put_guid(out, &var->guid);
    uefi_msg_put_u32(out, var->attributes);
    uefi_msg_put_bytes(out, var->time.b, sizeof(var->time.b));
    uefi_msg_put_bytes(out, digest, DIGEST_SIZE);
}

static GByteArray *xen_write(ToolTransfer *t, GError **err)
{
    GByteArray *bytes = g_byte_array_new();
    size_t header = MAGIC_SIZE + 4 + 8 + 8, size = 0;
    size_t extra = t->version > 1 ? EXTRA_SIZE : 0;
    UefiMsg msg;

    for (guint i = 0; i < t->vars->len; i++) {
        size += variable_size(t->vars->pdata[i]);
    }
    g_byte_array_set_size(bytes, header + extra + size);
    memset(bytes->data, 0, bytes->len);
    uefi_msg_init(&msg, bytes->data, bytes->len, 8);
    uefi_msg_put_bytes(&msg, MAGIC, MAGIC_SIZE);
    uefi_msg_put_u32(&msg, t->version);
    uefi_msg_put_u64(&msg, t->vars->len);
    uefi_msg_put_u64(&msg, size);
    if (extra && t->rest) {
        uefi_msg_put_bytes(&msg, g_bytes_get_data(t->rest, NULL), extra);
    }
    uefi_msg_seek(&msg, header + extra);
    for (guint i = 0; i < t->vars->len; i++) {
        put_variable(t, &msg, t->vars->pdata[i]);
    }
    return t->base64 ? tool_write_base64(bytes) : bytes;
}

const ToolFormat tool_format_xen = {
    .name = "xen",
    .detect = detect,
    .read = xen_read,
    .write = xen_write,
    .version = 1,               /* all that read 2 read 1 as well */
    .versions = VERSION,
};
