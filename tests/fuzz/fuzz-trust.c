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
    } else {
        g_autoptr(GByteArray) lists = make_lists(in);

        fuzz_lists(lists->data, lists->len);
    }
}
