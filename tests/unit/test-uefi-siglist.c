/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: signature lists
 */

#include "qemu/osdep.h"
#include "hw/uefi/var-service-siglist.h"
#include "uefi-test-keys.h"

/* An exact copy, so that a sanitizer sees each byte too many */
static UefiReason check(const void *data, size_t size, bool single)
{
    g_autofree uint8_t *copy = g_memdup2(data, size);

    return uefi_siglist_check(copy, size, single);
}

static UefiReason check_array(const GByteArray *lists)
{
    return check(lists->data, lists->len, false);
}

/* A list with signatures that are all zero, and any header fields */
static GByteArray *list_of(const UefiGuid *type, uint32_t list_size,
                           uint32_t header_size, uint32_t sig_size,
                           size_t bytes)
{
    GByteArray *list = g_byte_array_new();

    uefi_test_add_guid(list, type);
    uefi_test_add(list, list_size, 4);
    uefi_test_add(list, header_size, 4);
    uefi_test_add(list, sig_size, 4);
    for (size_t i = 0; i < bytes; i++) {
        uefi_test_add(list, 0, 1);
    }
    return list;
}

static UefiReason check_fields(const UefiGuid *type, uint32_t list_size,
                               uint32_t header_size, uint32_t sig_size,
                               size_t bytes)
{
    g_autoptr(GByteArray) list = list_of(type, list_size, header_size,
                                         sig_size, bytes);

    return check_array(list);
}

static const struct {
    const UefiGuid *type;
    size_t size;
} types[] = {
    { &uefi_guid_cert_sha1, 20 },
    { &uefi_guid_cert_sha224, 28 },
    { &uefi_guid_cert_sha256, 32 },
    { &uefi_guid_cert_sha384, 48 },
    { &uefi_guid_cert_sha512, 64 },
    { &uefi_guid_cert_rsa2048, 256 },
    { &uefi_guid_cert_rsa2048_sha1, 256 },
    { &uefi_guid_cert_rsa2048_sha256, 256 },
    { &uefi_guid_cert_x509_sha256, 48 },
    { &uefi_guid_cert_x509_sha384, 64 },
    { &uefi_guid_cert_x509_sha512, 80 },
};

static void test_types(void)
{
    static const UefiGuid sm3 =
        UEFI_GUID(0x57347f87, 0x7a9b, 0x403a,
                  0xb9, 0x3c, 0xdc, 0x4a, 0xfb, 0x7a, 0x0e, 0xbc);

    uefi_assert_reason(check(NULL, 0, false), OK);
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        size_t size = 16 + types[i].size;

        uefi_assert_reason(check_fields(types[i].type, 28 + 3 * size, 0, size,
                                        3 * size), OK);
        /* a list of nothing */
        uefi_assert_reason(check_fields(types[i].type, 28, 0, size, 0), OK);
    }
    uefi_assert_reason(check_fields(&sm3, 28 + 48, 0, 48, 48), SIGLIST_TYPE);
    uefi_assert_reason(check_fields(&uefi_guid_cert_pkcs7, 28 + 48, 0, 48, 48),
                       SIGLIST_TYPE);
}

static void test_sizes(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        for (int wrong = -1; wrong <= 1; wrong += 2) {
            size_t size = 16 + types[i].size + wrong;

            uefi_assert_reason(check_fields(types[i].type, 28 + size, 0, size,
                                            size), SIGLIST_SIZE);
        }
    }
}

static void test_header(void)
{
    g_autoptr(GByteArray) list = uefi_test_key_list(uefi_test_key("A"));
    g_autoptr(GByteArray) with_header = NULL;
    uint32_t sig_size = list->len - 28;

    uefi_assert_reason(check_fields(&uefi_guid_cert_sha256, 28 + 4 + 48, 4, 48,
                                    4 + 48), SIGLIST_HEADER);
    /* edk2 allows it for certificates */
    with_header = list_of(&uefi_guid_cert_x509, 28 + 4 + sig_size, 4, sig_size,
                          4);
    g_byte_array_append(with_header, list->data + 28, sig_size);
    uefi_assert_reason(check_array(with_header), SIGLIST_HEADER);
}

static void test_certificates(void)
{
    const UefiTestKey *curve = uefi_test_cert(&(UefiTestCert) {
        .cn = "curve", .pk = GNUTLS_PK_ECDSA,
    });
    g_autoptr(GByteArray) good = uefi_test_key_list(uefi_test_key("A"));
    g_autoptr(GByteArray) bad = uefi_test_key_list(curve);
    g_autoptr(GByteArray) two = g_byte_array_new();
    g_autoptr(GByteArray) padded = g_byte_array_new();
    uint32_t sig_size = good->len - 28;
    gsize size;
    const void *der = g_bytes_get_data(uefi_test_key("A")->der, &size);
    g_autofree uint8_t *more = g_malloc0(size + 40);

    uefi_assert_reason(check_array(good), OK);
    uefi_assert_reason(check_array(bad), SIGLIST_CERT);
    uefi_assert_reason(check_fields(&uefi_guid_cert_x509, 28 + 17, 0, 17, 17),
                       SIGLIST_CERT);

    /* lists pad to the longest certificate */
    memcpy(more, der, size);
    uefi_test_add_list(padded, &uefi_guid_cert_x509, more, size + 40);
    uefi_assert_reason(check_array(padded), OK);

    /* only the first one of a list is looked at */
    g_byte_array_append(two, good->data, good->len);
    g_byte_array_set_size(two, good->len + sig_size);
    memset(two->data + good->len, 0, sig_size);
    two->data[16] = two->len;
    two->data[17] = two->len >> 8;
    uefi_assert_reason(check_array(two), OK);
    memset(two->data + 28 + 16, 0, sig_size - 16);
    uefi_assert_reason(check_array(two), SIGLIST_CERT);
}

/* A list for each: as many as are read, and one more */
static void test_limit_certificates(void)
{
    g_autoptr(GByteArray) lists = g_byte_array_new();
    gsize size;
    const void *der = g_bytes_get_data(uefi_test_key("A")->der, &size);

    for (size_t i = 0; i < UEFI_LIMIT_VALUE_EFFORT / (size * size); i++) {
        uefi_test_add_list(lists, &uefi_guid_cert_x509, der, size);
    }
    uefi_assert_reason(check_array(lists), OK);
    uefi_test_add_list(lists, &uefi_guid_cert_x509, der, size);
    uefi_assert_reason(check_array(lists), SIGLIST_LIMIT);
}

static void test_multiple(void)
{
    uefi_assert_reason(check_fields(&uefi_guid_cert_sha256, 28 + 47, 0, 48,
                                    47), SIGLIST_MULTIPLE);
    uefi_assert_reason(check_fields(&uefi_guid_cert_sha256, 28 + 49, 0, 48,
                                    49), SIGLIST_MULTIPLE);
}

static void test_rest(void)
{
    g_autoptr(GByteArray) lists = uefi_test_hash_list(1, 2);

    for (size_t size = 0; size <= lists->len; size++) {
        UefiReason reason = check(lists->data, size, false);

        if (size % 76 == 0) {
            uefi_assert_reason(reason, OK);
        } else {
            uefi_assert_reason(reason, SIGLIST_REST);
        }
    }
    uefi_test_add(lists, 0, 1);
    uefi_assert_reason(check_array(lists), SIGLIST_REST);
}

static void test_single(void)
{
    g_autoptr(GByteArray) list = uefi_test_key_list(uefi_test_key("A"));
    g_autoptr(GByteArray) hash = uefi_test_hash_list(1, 1);

    uefi_assert_reason(check(list->data, list->len, true), OK);
    g_byte_array_append(list, hash->data, hash->len);
    uefi_assert_reason(check(list->data, list->len, false), OK);
    uefi_assert_reason(check(list->data, list->len, true), SIGLIST_PK);
}

/* Each field with each edge (11, H6): a reason, and no harm */
static void test_bounds(void)
{
    static const uint32_t edges[] = {
        0, 1, 15, 16, 17, 27, 28, 29, 44, 45, 48, 76, 77, 0x7fffffff,
        0x80000000, 0xffffffe4, 0xfffffffe, 0xffffffff,
    };
    size_t n = ARRAY_SIZE(edges);

    for (size_t i = 0; i < n * n * n; i++) {
        uint32_t list_size = edges[i % n], header_size = edges[i / n % n];
        uint32_t sig_size = edges[i / n / n];

        for (int x509 = 0; x509 < 2; x509++) {
            const UefiGuid *type = x509 ? &uefi_guid_cert_x509
                                        : &uefi_guid_cert_sha256;
            UefiReason reason = check_fields(type, list_size, header_size,
                                             sig_size, 48);

            if (!x509 && header_size == 0 && sig_size == 48 &&
                list_size == 28 + 48) {
                uefi_assert_reason(reason, OK);
            } else {
                g_assert_cmpint(uefi_reason_status(reason), ==,
                                EFI_INVALID_PARAMETER);
            }
        }
    }
    uefi_assert_reason(check_fields(&uefi_guid_cert_x509, 28 + 48, 0, 16, 48),
                       SIGLIST_BOUNDS);
    uefi_assert_reason(check_fields(&uefi_guid_cert_x509, 28 + 48, 0, 0, 48),
                       SIGLIST_BOUNDS);
    uefi_assert_reason(check_fields(&uefi_guid_cert_sha256, 0, 0, 48, 48),
                       SIGLIST_BOUNDS);
    uefi_assert_reason(check_fields(&uefi_guid_cert_sha256, 27, 0, 48, 48),
                       SIGLIST_BOUNDS);
}

/* ------------------------------------------------------------------------ */
/* Append */

static GBytes *bytes_of(const GByteArray *array)
{
    return g_bytes_new(array->data, array->len);
}

static void check_fresh(const GByteArray *old, const GByteArray *add,
                        const GByteArray *expected)
{
    g_autoptr(GBytes) old_bytes = bytes_of(old);
    g_autofree uint8_t *copy = g_memdup2(add->data, add->len);
    UefiReason reason;
    g_autoptr(GBytes) fresh = uefi_siglist_new_only(old_bytes, copy, add->len,
                                                    &reason);

    uefi_assert_reason(reason, OK);
    g_assert_cmpmem(g_bytes_get_data(fresh, NULL), g_bytes_get_size(fresh),
                    expected->data, expected->len);
}

static void test_new_only(void)
{
    g_autoptr(GByteArray) none = g_byte_array_new();
    g_autoptr(GByteArray) old = uefi_test_hash_list(1, 3);
    g_autoptr(GByteArray) same = uefi_test_hash_list(2, 2);
    g_autoptr(GByteArray) some = uefi_test_hash_list(3, 2);
    g_autoptr(GByteArray) other = uefi_test_hash_list(4, 1);

    check_fresh(old, same, none);
    check_fresh(old, some, other);
    check_fresh(old, other, other);
    check_fresh(none, same, same);
    check_fresh(old, none, none);
}

/* Every type survives, in order; only what is the same in all is the same */
static void test_new_only_types(void)
{
    g_autoptr(GByteArray) all = g_byte_array_new();
    g_autoptr(GByteArray) none = g_byte_array_new();
    g_autoptr(GByteArray) other_owner = uefi_test_hash_list(1, 1);
    g_autoptr(GByteArray) old = uefi_test_hash_list(1, 1);
    uint8_t data[256] = { 1 };

    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        uefi_test_add_list(all, types[i].type, data, types[i].size);
    }
    uefi_test_add_list(all, &uefi_guid_cert_x509, data, 32);
    check_fresh(old, all, all);
    check_fresh(all, all, none);
    other_owner->data[28] ^= 1;
    check_fresh(old, other_owner, other_owner);
}

/* Signatures of one list stay together; duplicates within it stay, too */
static void test_new_only_groups(void)
{
    g_autoptr(GByteArray) old = uefi_test_hash_list(2, 1);
    g_autoptr(GByteArray) add = list_of(&uefi_guid_cert_sha256, 28 + 4 * 48, 0,
                                        48, 4 * 48);
    g_autoptr(GByteArray) expected = list_of(&uefi_guid_cert_sha256,
                                             28 + 3 * 48, 0, 48, 3 * 48);

    memset(add->data + 28, 0x11, 48);
    memcpy(add->data + 28 + 48, old->data + 28, 48);
    memset(add->data + 28 + 2 * 48, 0x22, 48);
    memset(add->data + 28 + 3 * 48, 0x22, 48);
    memset(expected->data + 28, 0x11, 48);
    memset(expected->data + 28 + 48, 0x22, 2 * 48);
    check_fresh(old, add, expected);
}

static void test_new_only_damaged(void)
{
    g_autoptr(GByteArray) old = uefi_test_hash_list(1, 1);
    g_autoptr(GByteArray) add = uefi_test_hash_list(2, 1);

    for (size_t size = 1; size < old->len; size++) {
        g_autoptr(GBytes) cut = g_bytes_new(old->data, size);
        UefiReason reason;

        g_assert_null(uefi_siglist_new_only(cut, add->data, add->len,
                                            &reason));
        uefi_assert_reason(reason, SIGLIST_REST);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/uefi/siglist/Q1/types", test_types);
    g_test_add_func("/uefi/siglist/Q2/sizes", test_sizes);
    g_test_add_func("/uefi/siglist/Q3/header", test_header);
    g_test_add_func("/uefi/siglist/Q4/certificates", test_certificates);
    g_test_add_func("/uefi/siglist/Q4/limit-certificates",
                    test_limit_certificates);
    g_test_add_func("/uefi/siglist/Q5/multiple", test_multiple);
    g_test_add_func("/uefi/siglist/Q6/rest", test_rest);
    g_test_add_func("/uefi/siglist/Q7/single", test_single);
    g_test_add_func("/uefi/siglist/7.5/bounds", test_bounds);
    g_test_add_func("/uefi/siglist/7.5/append", test_new_only);
    g_test_add_func("/uefi/siglist/7.5/append-types", test_new_only_types);
    g_test_add_func("/uefi/siglist/7.5/append-groups", test_new_only_groups);
    g_test_add_func("/uefi/siglist/7.5/append-damaged", test_new_only_damaged);
    return g_test_run();
}
