/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: files with keys, in the forms that people have them
 */

#include "qemu/osdep.h"
#include "format.h"
#include "hw/uefi/var-service-pkcs7.h"
#include "hw/uefi/var-service-status.h"

/* The fixed part of WIN_CERTIFICATE_UEFI_GUID (protocol 7.1), in bytes */
#define WIN_CERT_MIN    24
/* The part of EFI_TIME that counts: year to second, in bytes */
#define STAMP_SIZE      7

GBytes *tool_auth_payload(GBytes *file, UefiTime *time)
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

GByteArray *tool_signed_data(const uint16_t *name, const UefiGuid *guid,
                             uint32_t attributes, const UefiTime *time,
                             const void *value, size_t size)
{
    size_t name_size = uefi_str_len(name) * sizeof(*name);
    GByteArray *out = g_byte_array_new();
    UefiMsg msg;

    /* the terminator is overwritten by what follows */
    g_byte_array_set_size(out, name_size + sizeof(guid->b) + 4 +
                          sizeof(time->b) + size);
    uefi_msg_init(&msg, out->data, out->len, 8);
    uefi_msg_put_str(&msg, name);
    uefi_msg_seek(&msg, name_size);
    uefi_msg_put_guid(&msg, guid);
    uefi_msg_put_u32(&msg, attributes);
    uefi_msg_put_bytes(&msg, time->b, sizeof(time->b));
    uefi_msg_put_bytes(&msg, value, size);
    return out;
}

/* Whether @p7 is a signature for an update of the key @id */
static bool is_signed_for(UefiPkcs7 *p7, ToolKey id, const UefiTime *time,
                          GBytes *value)
{
    static const uint32_t attributes = EFI_ATTR_NV | EFI_ATTR_BS |
                                       EFI_ATTR_RT | EFI_ATTR_AT;
    g_autofree uint16_t *name = uefi_str_from_ascii(tool_keys[id].name);
    gsize size;
    const void *data = g_bytes_get_data(value, &size);

    for (int append = 0; append < 2; append++) {
        g_autoptr(GByteArray) content = tool_signed_data(
            name, tool_keys[id].guid, attributes | (append ? EFI_ATTR_AP : 0),
            time, data, size);

        if (uefi_pkcs7_verify(p7, content->data, content->len) ==
            UEFI_REASON_OK) {
            return true;
        }
    }
    return false;
}

ToolKey tool_auth_key(GBytes *file)
{
    UefiTime time;
    g_autoptr(GBytes) value = tool_auth_payload(file, &time);
    g_autoptr(UefiPkcs7) p7 = NULL;
    UefiReason reason;
    size_t size;
    ToolKey id;

    if (!value) {
        return TOOL_KEY__MAX;
    }
    size = g_bytes_get_size(file) - g_bytes_get_size(value);
    p7 = uefi_pkcs7_parse((const uint8_t *)g_bytes_get_data(file, NULL) +
                          EFI_AUTH2_CERT_OFFSET,
                          size - EFI_AUTH2_CERT_OFFSET, &reason);
    for (id = 0; p7 && id < TOOL_KEY__MAX; id++) {
        if (is_signed_for(p7, id, &time, value)) {
            return id;
        }
    }
    return TOOL_KEY__MAX;
}

void tool_add_certificate(GByteArray *lists, GBytes *der,
                          const UefiGuid *owner)
{
    ToolSignature sig = {
        .type = uefi_guid_cert_x509,
        .owner = *owner,
    };

    sig.data = g_bytes_get_data(der, &sig.size);
    tool_signature_append(lists, &sig);
}

/* What is before the first colon of @path, if that is somebody */
static const char *take_owner(const char *path, UefiGuid *owner)
{
    const char *colon = strchr(path, ':');
    g_autofree char *name = colon ? g_strndup(path, colon - path) : NULL;

    return name && tool_parse_vendor(name, owner) ? colon + 1 : path;
}

static void raise_time(UefiTime *time, const UefiTime *to)
{
    if (uefi_time_compare(time, to) < 0) {
        *time = *to;
    }
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
    UefiGuid own = *owner;
    const char *plain = take_owner(path, &own);
    g_autoptr(GBytes) file = tool_read_file(plain);

    return file && tool_parse_keys(lists, file, plain, &own, time);
}

bool tool_parse_keys(GByteArray *lists, GBytes *file, const char *path,
                     const UefiGuid *owner, UefiTime *time)
{
    g_autoptr(GBytes) value = NULL;
    UefiTime stamp = tool_now();
    const ToolFormat *format;
    UefiReason reason;
    const uint8_t *data;
    gsize size;

    value = tool_auth_payload(file, &stamp);
    raise_time(time, &stamp);
    if (!value && (tool_is_pem(file) || is_certificate(file))) {
        return add_certificates(lists, file, path, owner);
    }
    data = g_bytes_get_data(value ?: file, &size);
    reason = uefi_siglist_check(data, size, false);
    format = reason != UEFI_REASON_OK ? tool_format_detect(file, false) : NULL;
    if (format) {
        tool_fail("%s: a store in the format %s; 'get --raw' takes a key out "
                  "of it, and 'update' those of 2023", path, format->name);
        return false;
    }
    if (reason != UEFI_REASON_OK) {
        tool_fail("%s: neither certificates nor valid signature lists: %s",
                  path, uefi_reason_text(reason));
        return false;
    }
    g_byte_array_append(lists, data, size);
    return true;
}

bool tool_read_image_hash(GByteArray *lists, const char *path,
                          const UefiGuid *owner, UefiTime *time)
{
    uint8_t digest[UEFI_SHA256_SIZE];
    UefiGuid own = *owner;
    const char *plain = take_owner(path, &own);
    g_autoptr(GBytes) image = tool_read_file(plain);
    UefiTime now = tool_now();
    ToolSignature sig = {
        .type = uefi_guid_cert_sha256,
        .owner = own,
        .data = digest,
        .size = sizeof(digest),
    };

    if (!image) {
        return false;
    }
    if (!tool_pe_hash(image, G_CHECKSUM_SHA256, digest, &sig.size)) {
        tool_fail("%s: this is no UEFI program", plain);
        return false;
    }
    tool_signature_append(lists, &sig);
    raise_time(time, &now);
    return true;
}

bool tool_add_digest(GByteArray *lists, const char *text)
{
    uint8_t digest[UEFI_SHA256_SIZE];
    ToolSignature sig = {
        .type = uefi_guid_cert_sha256,
        .data = digest,
        .size = sizeof(digest),
    };

    if (strlen(text) != 2 * sizeof(digest) ||
        strspn(text, "0123456789abcdefABCDEF") != 2 * sizeof(digest)) {
        return false;
    }
    for (size_t i = 0; i < sizeof(digest); i++) {
        digest[i] = g_ascii_xdigit_value(text[2 * i]) << 4 |
                    g_ascii_xdigit_value(text[2 * i + 1]);
    }
    tool_signature_append(lists, &sig);
    return true;
}
