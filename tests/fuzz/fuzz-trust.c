/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: signature lists, signatures and certificates
 *
 * The parsers of signatures get the input as it is, each in a heap buffer
 * of exactly its size.
 */

#include "qemu/osdep.h"
#include "fuzz.h"
#include "hw/uefi/var-service-pkcs7.h"
#include "hw/uefi/var-service-x509.h"
#include "hw/uefi/var-service-siglist.h"

/* A list that the input's bytes fill: types that pass the first checks */
static GByteArray *make_lists(FuzzInput *in)
{
    static const UefiGuid *const types[] = {
        &uefi_guid_cert_sha256, &uefi_guid_cert_x509, &uefi_guid_cert_sha1,
        &uefi_guid_cert_x509_sha256,
    };
    static const uint8_t sizes[] = { 48, 30, 36, 64 };
    GByteArray *lists = g_byte_array_new();

    while (!fuzz_end(in) && lists->len < 4096) {
        unsigned type = fuzz_u8(in) % ARRAY_SIZE(types);
        unsigned count = fuzz_u8(in) % 4;
        uint32_t fields[] = { 28 + count * sizes[type], 0, sizes[type] };
        uint8_t spoil = fuzz_u8(in);

        if (spoil < 3) {
            fields[spoil] += (int8_t)fuzz_u8(in);
        } else if (spoil < 6) {
            fields[spoil - 3] = UINT32_MAX - fuzz_u8(in);
        }
        g_byte_array_append(lists, types[type]->b, 16);
        for (unsigned i = 0; i < 12; i++) {
            uint8_t byte = fields[i / 4] >> (8 * (i % 4));

            g_byte_array_append(lists, &byte, 1);
        }
        for (unsigned i = 0; i < count * sizes[type]; i++) {
            uint8_t byte = fuzz_u8(in) & 1;

            g_byte_array_append(lists, &byte, 1);
        }
    }
    return lists;
}

static void fuzz_lists(const uint8_t *data, size_t size)
{
    g_autofree uint8_t *copy = g_memdup2(data, size);
    g_autoptr(GBytes) old = g_bytes_new(data, size / 2);
    g_autoptr(GBytes) merged = NULL;
    UefiReason reason = uefi_siglist_check(copy, size, false);

    if (reason != UEFI_REASON_OK) {
        return;
    }
    merged = uefi_siglist_new_only(old, copy, size, &reason);
    if (merged) {
        g_autoptr(GBytes) all = g_bytes_new(copy, size);
        g_autoptr(GBytes) none = NULL;

        g_assert_cmpuint(g_bytes_get_size(merged), <=, size);
        /* what is there already adds nothing */
        none = uefi_siglist_new_only(all, copy, size, &reason);
        g_assert_cmpuint(g_bytes_get_size(none), ==, 0);
    }
}

/* A certificate up to its extensions, and the algorithm that it has */
static const uint8_t cert_head[] = {
    0xa0, 0x03, 0x02, 0x01, 0x02, 0x02, 0x01, 0x01, 0x30, 0x0d, 0x06, 0x09,
    0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b, 0x05, 0x00, 0x30,
    0x0c, 0x31, 0x0a, 0x30, 0x08, 0x06, 0x03, 0x55, 0x04, 0x03, 0x0c, 0x01,
    0x41, 0x30, 0x1e, 0x17, 0x0d, 0x32, 0x30, 0x30, 0x31, 0x30, 0x31, 0x30,
    0x30, 0x30, 0x30, 0x30, 0x30, 0x5a, 0x17, 0x0d, 0x32, 0x35, 0x30, 0x31,
    0x30, 0x31, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x5a, 0x30, 0x0c, 0x31,
    0x0a, 0x30, 0x08, 0x06, 0x03, 0x55, 0x04, 0x03, 0x0c, 0x01, 0x41, 0x30,
    0x5c, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01,
    0x01, 0x01, 0x05, 0x00, 0x03, 0x4b, 0x00, 0x30, 0x48, 0x02, 0x41, 0x00,
    0xc1, 0x0b, 0x30, 0x55, 0x7a, 0x9f, 0xc4, 0xe9, 0x0e, 0x33, 0x58, 0x7d,
    0xa2, 0xc7, 0xec, 0x11, 0x36, 0x5b, 0x80, 0xa5, 0xca, 0xef, 0x14, 0x39,
    0x5e, 0x83, 0xa8, 0xcd, 0xf2, 0x17, 0x3c, 0x61, 0x86, 0xab, 0xd0, 0xf5,
    0x1a, 0x3f, 0x64, 0x89, 0xae, 0xd3, 0xf8, 0x1d, 0x42, 0x67, 0x8c, 0xb1,
    0xd6, 0xfb, 0x20, 0x45, 0x6a, 0x8f, 0xb4, 0xd9, 0xfe, 0x23, 0x48, 0x6d,
    0x92, 0xb7, 0xdc, 0x01, 0x02, 0x03, 0x01, 0x00, 0x01,
};
static const uint8_t cert_algorithm[] = {
    0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01,
    0x0b, 0x05, 0x00,
};

/* An element, of any size that has a length of two bytes at most */
static void append_element(GByteArray *out, uint8_t tag, const void *data,
                           size_t size)
{
    const uint8_t head[] = { tag, 0x82, size >> 8, size };
    const uint8_t short_head[] = { tag, size };

    if (size < 0x80) {
        g_byte_array_append(out, short_head, sizeof(short_head));
    } else if (size < 0x100) {
        g_byte_array_append(out, (const uint8_t[]) { tag, 0x81, size }, 3);
    } else {
        g_byte_array_append(out, head, sizeof(head));
    }
    g_byte_array_append(out, data, size);
}

/* A certificate with any bytes as extensions */
static void fuzz_extensions(const uint8_t *data, size_t size)
{
    g_autoptr(GByteArray) list = g_byte_array_new();
    g_autoptr(GByteArray) tbs = g_byte_array_new();
    g_autoptr(GByteArray) body = g_byte_array_new();
    g_autoptr(GByteArray) all = g_byte_array_new();
    g_autofree uint8_t *copy = NULL;
    g_auto(UefiCert) cert = { };

    append_element(list, 0x30, data, MIN(size, 0x8000));
    g_byte_array_append(tbs, cert_head, sizeof(cert_head));
    append_element(tbs, 0xa3, list->data, list->len);
    append_element(body, 0x30, tbs->data, tbs->len);
    g_byte_array_append(body, cert_algorithm, sizeof(cert_algorithm));
    append_element(body, 0x03, "\0signature", 10);
    append_element(all, 0x30, body->data, body->len);
    copy = g_memdup2(all->data, all->len);
    if (uefi_cert_scan(&cert, (UefiDer) { copy, all->len }) &&
        uefi_cert_read(&cert)) {
        /* what cannot be used is no authority, and nobody has signed this */
        g_assert_true(cert.usable ||
                      !uefi_cert_is_authority(&cert, true, 0));
        g_assert_false(uefi_cert_signed_cert(&cert, &cert));
    }
}

static void fuzz_names(const uint8_t *data, size_t size)
{
    g_autofree uint8_t *copy = g_memdup2(data, size);
    g_autoptr(GBytes) name = uefi_x509_name((UefiDer) { copy, size });
    g_autoptr(UefiX509Info) info = uefi_x509_info_new(copy, size);

    g_assert_true(!info || size);
    g_assert_true(!name || size);
}

static void fuzz_signature(const uint8_t *data, size_t size)
{
    g_autofree uint8_t *copy = g_memdup2(data, size);
    UefiReason reason;
    g_autoptr(UefiPkcs7) p7 = uefi_pkcs7_parse(copy, size, &reason);
    size_t effort = 0;

    uefi_x509_check_rsa_key(copy, size, &effort);
    if (p7) {
        g_assert_cmpint(uefi_pkcs7_verify(p7, copy, size), !=,
                        UEFI_REASON_OK);
        /* and so nothing else is to be had of it */
        g_assert_cmpuint(uefi_pkcs7_signers(p7), ==, 0);
        g_assert_null(uefi_pkcs7_binding(p7));
        g_assert_null(uefi_pkcs7_binding_of_qemu(p7));
        g_assert_cmpint(uefi_pkcs7_chains_to(p7, copy, size), !=,
                        UEFI_REASON_OK);
    }
}

void fuzz_one(FuzzInput *in)
{
    if (fuzz_u8(in) & 1) {
        fuzz_lists(in->data, in->size);
        fuzz_signature(in->data, in->size);
        fuzz_extensions(in->data, in->size);
        fuzz_names(in->data, in->size);
    } else {
        g_autoptr(GByteArray) lists = make_lists(in);

        fuzz_lists(lists->data, lists->len);
    }
}
