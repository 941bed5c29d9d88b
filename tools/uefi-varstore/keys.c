/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: files with keys, in the forms that people have them
 */

#include "qemu/osdep.h"
#include "tool.h"
#include "hw/uefi/var-service-siglist.h"

/* The fixed part of WIN_CERTIFICATE_UEFI_GUID (protocol 7.1), in bytes */
#define WIN_CERT_MIN    24
/* The part of EFI_TIME that counts: year to second, in bytes */
#define STAMP_SIZE      7

/* The value inside of an authenticated update, or NULL if it is none */
static GBytes *auth_payload(GBytes *file, UefiTime *time)
{
    gsize size;
    uint8_t *data = (uint8_t *)g_bytes_get_data(file, &size);
    const uint8_t *stamp;
    uint32_t cert_size;
    uint16_t type;
    UefiGuid guid;
    UefiMsg msg;

    uefi_msg_init(&msg, data, size, 8);
    stamp = uefi_msg_get_bytes(&msg, EFI_TIME_SIZE);
    cert_size = uefi_msg_get_u32(&msg);
    uefi_msg_get_u16(&msg);             /* revision */
    type = uefi_msg_get_u16(&msg);
    guid = uefi_msg_get_guid(&msg);
    if (msg.overrun || type != EFI_WIN_CERT_TYPE_EFI_GUID ||
        !uefi_guid_equal(&guid, &uefi_guid_cert_pkcs7) ||
        cert_size < WIN_CERT_MIN || cert_size > size - EFI_TIME_SIZE) {
        return NULL;
    }
    memset(time, 0, sizeof(*time));
    memcpy(time->b, stamp, STAMP_SIZE);
    return g_bytes_new_from_bytes(file, EFI_TIME_SIZE + cert_size,
                                  size - EFI_TIME_SIZE - cert_size);
}

void tool_add_certificate(GByteArray *lists, GBytes *der,
                          const UefiGuid *owner)
{
    size_t pos = lists->len, sig_size;
    gsize size;
    const uint8_t *data = g_bytes_get_data(der, &size);
    UefiMsg msg;

    sig_size = UEFI_SIGLIST_OWNER_SIZE + size;
    g_byte_array_set_size(lists, pos + UEFI_SIGLIST_HEADER_SIZE + sig_size);
    uefi_msg_init(&msg, lists->data, lists->len, 8);
    uefi_msg_seek(&msg, pos);
    uefi_msg_put_guid(&msg, &uefi_guid_cert_x509);
    uefi_msg_put_u32(&msg, UEFI_SIGLIST_HEADER_SIZE + sig_size);
    uefi_msg_put_u32(&msg, 0);
    uefi_msg_put_u32(&msg, sig_size);
    uefi_msg_put_guid(&msg, owner);
    uefi_msg_put_bytes(&msg, data, size);
}

static bool add_certificates(GByteArray *lists, GBytes *file, const char *path,
                             const UefiGuid *owner)
{
    g_autoptr(GPtrArray) ders = tool_certificates(file, path);

    for (guint i = 0; ders && i < ders->len; i++) {
        tool_add_certificate(lists, ders->pdata[i], owner);
    }
    return ders;
}

/* A certificate is a DER sequence, its length in two bytes. */
static bool is_certificate(GBytes *file)
{
    gsize size;
    const uint8_t *data = g_bytes_get_data(file, &size);

    return size > 4 && data[0] == 0x30 && data[1] == 0x82 &&
           (data[2] << 8 | data[3]) == size - 4;
}

bool tool_read_keys(GByteArray *lists, const char *path, const UefiGuid *owner,
                    UefiTime *time)
{
    g_autoptr(GBytes) file = tool_read_file(path);
    g_autoptr(GBytes) value = NULL;
    UefiTime stamp = tool_now();
    UefiReason reason;
    const uint8_t *data;
    gsize size;

    if (!file) {
        return false;
    }
    value = auth_payload(file, &stamp);
    if (uefi_time_compare(time, &stamp) < 0) {
        *time = stamp;
    }
    if (!value && (tool_is_pem(file) || is_certificate(file))) {
        return add_certificates(lists, file, path, owner);
    }
    data = g_bytes_get_data(value ?: file, &size);
    reason = uefi_siglist_check(data, size, false);
    if (reason != UEFI_REASON_OK) {
        tool_fail("%s: neither certificates nor valid signature lists: %s",
                  path, uefi_reason_text(reason));
        return false;
    }
    g_byte_array_append(lists, data, size);
    return true;
}
