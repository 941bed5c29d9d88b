/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: signatures and certificates
 */

#include "qemu/osdep.h"
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include "hw/uefi/var-service-pkcs7.h"
#include "hw/uefi/var-service-x509.h"
#include "uefi-test-keys.h"

static const char message[] = "What is signed here is of no importance";

static GBytes *sign(const UefiTestSign *how)
{
    return uefi_test_sign(how, message, sizeof(message));
}

/* Parse an exact copy, so that a sanitizer sees each byte too many */
static UefiPkcs7 *parse(const void *data, size_t size, UefiReason *reason)
{
    g_autofree uint8_t *copy = g_memdup2(data, size);

    return uefi_pkcs7_parse(copy, size, reason);
}

static UefiPkcs7 *parse_bytes(GBytes *der, UefiReason *reason)
{
    gsize size;
    const void *data = g_bytes_get_data(der, &size);

    return parse(data, size, reason);
}

static UefiReason chains_to(UefiPkcs7 *p7, const UefiTestKey *anchor)
{
    gsize size;
    const void *data = g_bytes_get_data(anchor->der, &size);

    return uefi_pkcs7_chains_to(p7, data, size);
}

/* All the way: parse, verify, and ask for a chain to @anchor if there is one */
static UefiReason check(GBytes *der, const UefiTestKey *anchor)
{
    UefiReason reason;
    g_autoptr(UefiPkcs7) p7 = parse_bytes(der, &reason);

    if (p7) {
        reason = uefi_pkcs7_verify(p7, (const uint8_t *)message,
                                   sizeof(message));
    }
    return reason == UEFI_REASON_OK && anchor ? chains_to(p7, anchor) : reason;
}

static UefiReason check_signed(const UefiTestSign *how,
                               const UefiTestKey *anchor)
{
    g_autoptr(GBytes) der = sign(how);

    return check(der, anchor);
}

static GPtrArray *bag_of(const UefiTestKey *first, ...)
{
    GPtrArray *bag =
        g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    va_list args;

    va_start(args, first);
    for (; first; first = va_arg(args, const UefiTestKey *)) {
        g_ptr_array_add(bag, g_bytes_ref(first->der));
    }
    va_end(args);
    return bag;
}

/* The offset of the @n-th occurrence of some bytes, from 1 */
static size_t offset_of(GBytes *der, const void *what, size_t len, int n)
{
    gsize size;
    const uint8_t *data = g_bytes_get_data(der, &size);

    for (size_t i = 0; i + len <= size; i++) {
        if (memcmp(data + i, what, len) == 0 && --n == 0) {
            return i;
        }
    }
    g_assert_not_reached();
}

static GBytes *patched(GBytes *der, size_t offset, uint8_t value)
{
    gsize size;
    const void *data = g_bytes_get_data(der, &size);
    uint8_t *copy = g_memdup2(data, size);

    g_assert_cmpuint(offset, <, size);
    g_assert_cmphex(copy[offset], !=, value);
    copy[offset] = value;
    return g_bytes_new_take(copy, size);
}

/* ------------------------------------------------------------------------ */
/* S4 */

static void test_both_forms(void)
{
    const UefiTestKey *key = uefi_test_key("A");
    UefiTestSign how = { .signers = { key } };

    g_assert_true(uefi_pkcs7_available());
    for (int i = 0; i < 4; i++) {
        how.wrapped = i & 1;
        how.attributes = i & 2;
        uefi_assert_reason(check_signed(&how, key), OK);
    }
}

static void test_digests(void)
{
    static const struct {
        gnutls_digest_algorithm_t digest;
        size_t size;
    } good[] = {
        { GNUTLS_DIG_SHA256, 32 },
        { GNUTLS_DIG_SHA384, 48 },
        { GNUTLS_DIG_SHA512, 64 },
    };
    const UefiTestKey *key = uefi_test_key("A");
    UefiTestSign how = { .signers = { key } };

    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        g_autoptr(UefiPkcs7) p7 = NULL;
        g_autoptr(GBytes) der = NULL;
        UefiReason reason;

        how.digest = good[i].digest;
        uefi_assert_reason(check_signed(&how, key), OK);
        der = sign(&how);
        p7 = parse_bytes(der, &reason);
        g_assert_cmpuint(uefi_pkcs7_digest_size(p7), ==, good[i].size);
    }
    how.digest = GNUTLS_DIG_SHA1;
    uefi_assert_reason(check_signed(&how, key), PKCS7_DIGEST);
    how.digest = GNUTLS_DIG_SHA224;
    uefi_assert_reason(check_signed(&how, key), PKCS7_DIGEST);
}

/* The digest is named in three places, which have to agree. */
static void test_digest_names(void)
{
    static const uint8_t sha2[] = {
        0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02
    };
    const UefiTestKey *key = uefi_test_key("A");
    g_autoptr(GBytes) der = sign(UEFI_TEST_BY(key));

    for (int place = 1; place <= 2; place++) {
        size_t last = offset_of(der, sha2, sizeof(sha2), place) + sizeof(sha2);

        for (uint8_t number = 0; number < 16; number++) {
            g_autoptr(GBytes) other = NULL;

            if (number != 1) {
                other = patched(der, last, number);
                uefi_assert_reason(check(other, key), PKCS7_DIGEST);
            }
        }
    }
}

static void test_digest_of_second_signer(void)
{
    const UefiTestKey *key = uefi_test_key("A");
    UefiTestSign how = { .signers = { key, key } };
    static const uint8_t sha2[] = {
        0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02
    };
    g_autoptr(GBytes) der = sign(&how);
    g_autoptr(GBytes) other = NULL;

    uefi_assert_reason(check(der, key), OK);
    /* digestAlgorithms, then the two signers; SHA-224 is not good enough */
    other = patched(der, offset_of(der, sha2, sizeof(sha2), 3) + sizeof(sha2),
                    4);
    uefi_assert_reason(check(other, key), PKCS7_DIGEST);
}

static void test_not_der(void)
{
    const UefiTestKey *key = uefi_test_key("A");
    UefiTestSign how = { .signers = { key } };
    UefiReason reason;

    for (int i = 0; i < 2; i++) {
        g_autoptr(GBytes) der = NULL, other = NULL;
        g_autoptr(GByteArray) more = g_byte_array_new();
        gsize size;
        const uint8_t *data;

        how.wrapped = i;
        der = sign(&how);
        data = g_bytes_get_data(der, &size);

        /* something behind it */
        g_byte_array_append(more, data, size);
        g_byte_array_append(more, (const uint8_t *)"", 1);
        g_assert_null(parse(more->data, more->len, &reason));
        uefi_assert_reason(reason, PKCS7_MALFORMED);
        /* something behind it, inside */
        g_byte_array_append(more, (const uint8_t *)"", 1);
        more->data[2] = (size - 4 + 2) >> 8;
        more->data[3] = size - 4 + 2;
        more->data[size] = 0x05;
        g_assert_null(parse(more->data, more->len, &reason));
        uefi_assert_reason(reason, PKCS7_MALFORMED);

        /* indefinite length */
        other = patched(der, 1, 0x80);
        uefi_assert_reason(check(other, key), PKCS7_MALFORMED);

        /* a length with a leading zero */
        g_byte_array_set_size(more, 0);
        g_byte_array_append(more, (const uint8_t *)"\x30\x83\0", 3);
        g_byte_array_append(more, data + 2, size - 2);
        g_assert_null(parse(more->data, more->len, &reason));
        uefi_assert_reason(reason, PKCS7_MALFORMED);
    }
}

static void test_small(void)
{
    static const uint8_t wrapper[] = {
        0x30, 0x82, 0x00, 0x0f, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7,
        0x0d, 0x01, 0x07, 0x02, 0xa0, 0x82, 0x00, 0x00
    };
    static const uint8_t sequence[] = { 0x30, 0x00 };
    UefiReason reason;

    for (size_t size = 0; size <= sizeof(wrapper); size++) {
        g_assert_null(parse(wrapper, size, &reason));
        uefi_assert_reason(reason, PKCS7_MALFORMED);
    }
    for (size_t size = 0; size <= sizeof(sequence); size++) {
        g_assert_null(parse(sequence, size, &reason));
        uefi_assert_reason(reason, PKCS7_MALFORMED);
    }
}

/* Nothing signs these: 1 is that of PKCS#7, 3 what CMS has for the same. */
static void test_versions(void)
{
    static const uint8_t one[] = { 0x02, 0x01, 0x01 };
    const UefiTestKey *key = uefi_test_key("A");
    g_autoptr(GBytes) der = sign(UEFI_TEST_BY(key));
    gsize size;
    const uint8_t *bytes = g_bytes_get_data(der, &size);
    size_t signer = size - 1;

    /* SignedData begins with its version, the last one is that of a signer */
    while (memcmp(bytes + signer - 2, one, 3)) {
        signer--;
    }
    for (int version = 0; version < 256; version++) {
        g_autoptr(GBytes) data_version = NULL, signer_version = NULL;

        if (version == 1) {
            continue;
        }
        data_version = patched(der, offset_of(der, one, 3, 1) + 2, version);
        signer_version = patched(der, signer, version);
        if (version == 3) {
            uefi_assert_reason(check(data_version, key), OK);
            uefi_assert_reason(check(signer_version, key), OK);
        } else {
            uefi_assert_reason(check(data_version, key), PKCS7_MALFORMED);
            uefi_assert_reason(check(signer_version, key), PKCS7_MALFORMED);
        }
    }
}

/* Any certificate has to be one, used or not. */
static void test_bad_certificate(void)
{
    const UefiTestKey *key = uefi_test_key("A");
    g_autoptr(GPtrArray) bag = bag_of(NULL, NULL);
    UefiTestSign how = { .signers = { key }, .bag = bag };
    static const uint8_t oid[] = { 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7 };
    gsize size;
    const void *data = g_bytes_get_data(key->der, &size);
    g_autofree uint8_t *other = g_memdup2(data, size);
    g_autoptr(GBytes) der = NULL;

    /* an object identifier that is none: ff ff ... has no end */
    memset(other + offset_of(key->der, oid, sizeof(oid), 1) + 2, 0xff, 9);
    g_ptr_array_add(bag, g_bytes_new(other, size));
    der = sign(&how);
    uefi_assert_reason(check(der, key), PKCS7_MALFORMED);
}

static void test_limit_certificates(void)
{
    const UefiTestKey *key = uefi_test_key("A");
    g_autoptr(GPtrArray) bag = bag_of(NULL, NULL);
    UefiTestSign how = { .signers = { key }, .bag = bag };

    for (int i = 1; i < UEFI_LIMIT_CERTIFICATES; i++) {
        UefiTestCert what = { .cn = "B", .same_key = uefi_test_key("B") };

        g_ptr_array_add(bag, g_bytes_ref(uefi_test_cert(&what)->der));
    }
    uefi_assert_reason(check_signed(&how, key), OK);
    g_ptr_array_add(bag, g_bytes_ref(uefi_test_key("B")->der));
    uefi_assert_reason(check_signed(&how, key), PKCS7_LIMIT);
}

/* A leaf whose common name has @size bytes */
static const UefiTestKey *cert_with_long_name(size_t size, unsigned serial)
{
    g_autoptr(GByteArray) der = g_byte_array_new();
    g_autoptr(GBytes) cn = NULL;
    uint8_t head[] = { 0x0c, 0x82, size >> 8, size };

    g_byte_array_append(der, head, sizeof(head));
    g_byte_array_set_size(der, sizeof(head) + size);
    memset(der->data + sizeof(head), 'n', size);
    cn = g_byte_array_free_to_bytes(g_steal_pointer(&der));
    return uefi_test_cert(&(UefiTestCert) {
        .raw_cn = cn, .issuer = uefi_test_key("A"), .end_entity = true,
        .same_key = uefi_test_key("B"), .serial = serial,
    });
}

static UefiReason parse_only(const UefiTestSign *how)
{
    g_autoptr(GBytes) der = sign(how);
    UefiReason reason;

    uefi_pkcs7_free(parse_bytes(der, &reason));
    return reason;
}

/* The largest size whose square is left */
static size_t side_of(size_t square)
{
    size_t side = 0;

    while ((side + 1) * (side + 1) <= square) {
        side++;
    }
    return side;
}

static void test_limit_certificate_size(void)
{
    size_t name = 4000, size;
    const UefiTestKey *any = cert_with_long_name(name, 0x1000);
    UefiTestSign how = { };

    /* the name of the issuer counts as well, and is far smaller */
    size = side_of(UEFI_LIMIT_PARSE_EFFORT - 14 * 14);
    name += size - g_bytes_get_size(any->der);
    how.signers[0] = cert_with_long_name(name, 0x1000);
    uefi_assert_reason(parse_only(&how), OK);
    how.signers[0] = cert_with_long_name(name + 1, 0x1000);
    uefi_assert_reason(parse_only(&how), PKCS7_LIMIT);
}

static void test_limit_issuer_size(void)
{
    /* SEQUENCE, SET, SEQUENCE: lengths of two bytes; and an OID of 3 */
    size_t size = side_of(UEFI_LIMIT_PARSE_EFFORT) - (4 + 4 + 4 + 5 + 4);
    UefiTestCert what = { .issuer = cert_with_long_name(size, 0x1000) };
    UefiTestSign how = {
        .signers = { uefi_test_cert(&what) }, .no_certs = true,
    };

    uefi_assert_reason(check_signed(&how, uefi_test_key("A")), PKCS7_NO_CERT);
    what.issuer = cert_with_long_name(size + 1, 0x1000);
    how.signers[0] = uefi_test_cert(&what);
    uefi_assert_reason(check_signed(&how, uefi_test_key("A")), PKCS7_LIMIT);
}

/* Anchors count, but only those that the names lead to */
static void test_limit_anchors(void)
{
    const UefiTestKey *leaf = uefi_test_leaf("A leaf", "A");
    const UefiTestKey *twin = uefi_test_cert(&(UefiTestCert) {
        .cn = "A", .extensions = UEFI_LIMIT_EXTENSIONS - 8,
    });
    size_t leaf_size = g_bytes_get_size(leaf->der);
    size_t size = g_bytes_get_size(twin->der);
    size_t left = (UEFI_LIMIT_PARSE_EFFORT - leaf_size * leaf_size) /
                  (size * size);
    g_autoptr(GBytes) der = sign(UEFI_TEST_BY(leaf));
    UefiReason reason;
    g_autoptr(UefiPkcs7) p7 = parse_bytes(der, &reason);

    uefi_assert_reason(uefi_pkcs7_verify(p7, (const uint8_t *)message,
                                         sizeof(message)), OK);
    g_assert_cmpuint(left, <, UEFI_LIMIT_KEY_EFFORT / 2);
    while (left--) {
        for (int i = 0; i < 10; i++) {
            uefi_assert_reason(chains_to(p7, uefi_test_key("B")), PKCS7_CHAIN);
        }
        uefi_assert_reason(chains_to(p7, twin), PKCS7_CHAIN);
    }
    uefi_assert_reason(chains_to(p7, twin), PKCS7_LIMIT);
}

/* Certificates of another key with the name that is looked for cost nothing. */
static void test_limit_key_ids(void)
{
    const UefiTestKey *key = uefi_test_key("A");
    g_autoptr(GPtrArray) bag = bag_of(NULL, NULL);
    UefiTestSign how = {
        .signers = { uefi_test_leaf("A leaf", "A") }, .bag = bag,
    };

    for (int i = 1; i < UEFI_LIMIT_CERTIFICATES; i++) {
        UefiTestCert what = { .cn = "A", .same_key = uefi_test_key("B") };

        g_ptr_array_add(bag, g_bytes_ref(uefi_test_cert(&what)->der));
    }
    uefi_assert_reason(check_signed(&how, key), OK);
}

static void test_limit_ignored_bytes(void)
{
    const UefiTestKey *key = uefi_test_key("A");
    UefiTestSign how = {
        .signers = { key }, .crl_size = UEFI_LIMIT_IGNORED_BYTES,
    };

    uefi_assert_reason(check_signed(&how, key), OK);
    how.crl_size++;
    uefi_assert_reason(check_signed(&how, key), PKCS7_LIMIT);

    /* with those of GnuTLS, and what is around ours */
    how.crl_size = 0;
    how.attributes = true;
    how.more_attributes = 1;
    how.attribute_size = UEFI_LIMIT_IGNORED_BYTES - 200;
    uefi_assert_reason(check_signed(&how, key), OK);
    how.attribute_size += 200;
    uefi_assert_reason(check_signed(&how, key), PKCS7_LIMIT);
}

static void test_limit_signers(void)
{
    const UefiTestKey *key = uefi_test_key("A");
    UefiTestSign how = { };

    for (int i = 0; i < UEFI_LIMIT_SIGNERS; i++) {
        how.signers[i] = key;
    }
    uefi_assert_reason(check_signed(&how, key), OK);
    how.signers[UEFI_LIMIT_SIGNERS] = key;
    uefi_assert_reason(check_signed(&how, key), PKCS7_LIMIT);
}

static void test_limit_attributes(void)
{
    const UefiTestKey *key = uefi_test_key("A");
    /* GnuTLS adds content type, digest and time */
    UefiTestSign how = {
        .signers = { key }, .attributes = true,
        .more_attributes = UEFI_LIMIT_ATTRIBUTES - 3,
    };

    uefi_assert_reason(check_signed(&how, key), OK);
    how.more_attributes++;
    uefi_assert_reason(check_signed(&how, key), PKCS7_LIMIT);
}

/* ------------------------------------------------------------------------ */
/* S6: signers */

static void test_no_signer(void)
{
    const UefiTestKey *key = uefi_test_key("A");
    g_autoptr(GBytes) der = sign(UEFI_TEST_BY(key));
    g_autoptr(GByteArray) cut = g_byte_array_new();
    gsize size, cert_size;
    const uint8_t *data = g_bytes_get_data(der, &size);
    const uint8_t *cert = g_bytes_get_data(key->der, &cert_size);
    size_t end = offset_of(der, cert, cert_size, 1) + cert_size;
    g_autoptr(GBytes) none = NULL;

    /* what follows the certificates is the set of signers: empty it */
    g_byte_array_append(cut, data, end);
    g_byte_array_append(cut, (const uint8_t *)"\x31\0", 2);
    cut->data[2] = (cut->len - 4) >> 8;
    cut->data[3] = cut->len - 4;
    none = g_bytes_new(cut->data, cut->len);
    uefi_assert_reason(check(none, key), PKCS7_NO_SIGNER);
}

static void test_other_data(void)
{
    const UefiTestKey *key = uefi_test_key("A");
    UefiTestSign how = { .signers = { key } };

    for (int i = 0; i < 2; i++) {
        g_autoptr(GBytes) der = NULL;
        g_autoptr(UefiPkcs7) p7 = NULL;
        UefiReason reason;

        how.attributes = i;
        der = sign(&how);
        p7 = parse_bytes(der, &reason);
        g_assert_nonnull(p7);
        uefi_assert_reason(uefi_pkcs7_verify(p7, (const uint8_t *)message,
                                             sizeof(message) - 1),
                           PKCS7_SIGNATURE);
        /* and so nothing else is to be had of it */
        g_assert_cmpuint(uefi_pkcs7_signers(p7), ==, 0);
        g_assert_null(uefi_pkcs7_binding(p7));
        g_assert_null(uefi_pkcs7_binding_of_qemu(p7));
        uefi_assert_reason(chains_to(p7, key), PKCS7_SIGNATURE);
    }
}

static void test_embedded(void)
{
    const UefiTestKey *key = uefi_test_key("A");
    UefiTestSign how = { .signers = { key }, .embed = true };

    for (int i = 0; i < 2; i++) {
        g_autoptr(GBytes) der = NULL;
        g_autoptr(UefiPkcs7) p7 = NULL;
        UefiReason reason;

        how.attributes = i;
        uefi_assert_reason(check_signed(&how, key), OK);
        /* what is inside does not stand in for what was sent */
        der = sign(&how);
        p7 = parse_bytes(der, &reason);
        uefi_assert_reason(uefi_pkcs7_verify(p7, (const uint8_t *)"else", 4),
                           PKCS7_SIGNATURE);
    }
}

static void test_no_certificate(void)
{
    const UefiTestKey *key = uefi_test_key("A");
    UefiTestSign how = { .signers = { key }, .no_certs = true };

    uefi_assert_reason(check_signed(&how, key), PKCS7_NO_CERT);
    how.bag = bag_of(uefi_test_key("B"), NULL);
    uefi_assert_reason(check_signed(&how, key), PKCS7_NO_CERT);
    g_ptr_array_unref(how.bag);
    how.bag = bag_of(key, uefi_test_key("B"), NULL);
    uefi_assert_reason(check_signed(&how, key), OK);
    g_ptr_array_unref(how.bag);
}

static void test_two_signers(void)
{
    const UefiTestKey *ca = uefi_test_key("A");
    const UefiTestKey *leaf = uefi_test_leaf("A leaf", "A");
    const UefiTestKey *second = uefi_test_leaf("A second leaf", "A");
    const UefiTestKey *other = uefi_test_key("B");
    UefiTestSign both = { .signers = { leaf, second } };
    UefiTestSign with_other = { .signers = { leaf, other } };
    g_autoptr(GBytes) der = sign(&both);
    g_autoptr(GBytes) broken = NULL;
    gsize size;

    uefi_assert_reason(check(der, ca), OK);
    uefi_assert_reason(check_signed(&with_other, ca), PKCS7_CHAIN);
    uefi_assert_reason(check_signed(&with_other, other), PKCS7_CHAIN);
    /* the last bytes are those of the second signature */
    g_bytes_get_data(der, &size);
    broken = patched(der, size - 1,
                     ((const uint8_t *)g_bytes_get_data(der, NULL))[size - 1]
                     ^ 1);
    uefi_assert_reason(check(broken, ca), PKCS7_SIGNATURE);
}

/* ------------------------------------------------------------------------ */
/* S6: chains */

static void test_anchor_is_signer(void)
{
    const UefiTestKey *leaf = uefi_test_leaf("A leaf", "A");

    uefi_assert_reason(check_signed(UEFI_TEST_BY(leaf), leaf), OK);
    uefi_assert_reason(check_signed(UEFI_TEST_BY(leaf), uefi_test_key("B")),
                       PKCS7_CHAIN);
}

/* The answer to @size bytes at @anchor, whatever was asked before */
static UefiReason ask_anchor(GBytes *der, const uint8_t *anchor, size_t size)
{
    UefiReason reason;
    g_autoptr(UefiPkcs7) p7 = parse_bytes(der, &reason);

    uefi_assert_reason(uefi_pkcs7_verify(p7, (const uint8_t *)message,
                                         sizeof(message)), OK);
    return uefi_pkcs7_chains_to(p7, anchor, size);
}

static void test_anchor_padded(void)
{
    const UefiTestKey *key = uefi_test_key("A");
    g_autoptr(GBytes) der = sign(UEFI_TEST_BY(key));
    g_autofree uint8_t *padded = NULL;
    gsize size;
    const void *data = g_bytes_get_data(key->der, &size);

    padded = g_malloc0(size + 64);
    memcpy(padded, data, size);
    uefi_assert_reason(ask_anchor(der, padded, size + 64), OK);
    /* an anchor that is no certificate is only an attempt that fails */
    for (size_t cut = 0; cut < size; cut++) {
        g_autofree uint8_t *exact = g_memdup2(data, cut);

        uefi_assert_reason(ask_anchor(der, exact, cut), PKCS7_CHAIN);
    }
}

static void test_chain(void)
{
    const UefiTestKey *root = uefi_test_key("A");
    const UefiTestKey *middle = uefi_test_cert(&(UefiTestCert) {
        .cn = "A middle", .issuer = root,
    });
    const UefiTestKey *lower = uefi_test_cert(&(UefiTestCert) {
        .cn = "A lower", .issuer = middle,
    });
    const UefiTestKey *leaf = uefi_test_cert(&(UefiTestCert) {
        .cn = "A low leaf", .issuer = lower, .end_entity = true,
    });
    g_autoptr(GPtrArray) all = bag_of(lower, middle, uefi_test_key("B"), NULL);
    g_autoptr(GPtrArray) gap = bag_of(middle, root, NULL);
    UefiTestSign how = { .signers = { leaf }, .bag = all };

    uefi_assert_reason(check_signed(&how, root), OK);
    /* partial chains: the anchor need not be self-signed */
    uefi_assert_reason(check_signed(&how, middle), OK);
    uefi_assert_reason(check_signed(&how, lower), OK);
    uefi_assert_reason(check_signed(&how, leaf), OK);
    uefi_assert_reason(check_signed(&how, uefi_test_key("B")), PKCS7_CHAIN);
    how.bag = gap;
    uefi_assert_reason(check_signed(&how, root), PKCS7_CHAIN);
    uefi_assert_reason(check_signed(&how, lower), OK);
}

/* Two authorities with one name: the key decides */
static void test_same_name(void)
{
    const UefiTestKey *twin = uefi_test_cert(&(UefiTestCert) { .cn = "A" });
    const UefiTestKey *leaf = uefi_test_leaf("A leaf", "A");
    const UefiTestKey *false_leaf = uefi_test_cert(&(UefiTestCert) {
        .cn = "A leaf", .issuer = twin, .end_entity = true,
    });

    uefi_assert_reason(check_signed(UEFI_TEST_BY(leaf), twin), PKCS7_CHAIN);
    uefi_assert_reason(check_signed(UEFI_TEST_BY(false_leaf),
                                    uefi_test_key("A")), PKCS7_CHAIN);
}

static UefiReason check_issued_by(const UefiTestCert *issuer)
{
    const UefiTestKey *ca = uefi_test_cert(issuer);
    const UefiTestKey *leaf = uefi_test_cert(&(UefiTestCert) {
        .cn = "leaf", .issuer = ca, .same_key = uefi_test_key("B"),
        .end_entity = true,
    });

    return check_signed(UEFI_TEST_BY(leaf), ca);
}

static void test_authorities(void)
{
    const UefiTestKey *key = uefi_test_key("A");

    uefi_assert_reason(check_issued_by(&(UefiTestCert) {
        .cn = "no CA", .same_key = key, .end_entity = true,
    }), PKCS7_CHAIN);
    uefi_assert_reason(check_issued_by(&(UefiTestCert) {
        .cn = "no constraints", .same_key = key, .no_constraints = true,
    }), PKCS7_CHAIN);
    uefi_assert_reason(check_issued_by(&(UefiTestCert) {
        .cn = "wrong usage", .same_key = key,
        .usage = GNUTLS_KEY_DIGITAL_SIGNATURE,
    }), PKCS7_CHAIN);
    uefi_assert_reason(check_issued_by(&(UefiTestCert) {
        .cn = "right usage", .same_key = key, .no_constraints = true,
        .usage = GNUTLS_KEY_KEY_CERT_SIGN,
    }), OK);
    uefi_assert_reason(check_issued_by(&(UefiTestCert) {
        .cn = "old root", .same_key = key, .version = 1,
    }), OK);
    uefi_assert_reason(check_issued_by(&(UefiTestCert) {
        .cn = "old middle", .same_key = key, .version = 1,
        .issuer = uefi_test_key("B"),
    }), PKCS7_CHAIN);
}

static void test_path_length(void)
{
    for (int len = 0; len < 2; len++) {
        const UefiTestKey *root = uefi_test_cert(&(UefiTestCert) {
            .cn = "short", .same_key = uefi_test_key("A"), .path_len = len + 1,
        });
        const UefiTestKey *middle = uefi_test_cert(&(UefiTestCert) {
            .cn = "middle", .same_key = uefi_test_key("B"), .issuer = root,
        });
        const UefiTestKey *leaf = uefi_test_cert(&(UefiTestCert) {
            .cn = "leaf", .same_key = uefi_test_key("A"), .issuer = middle,
            .end_entity = true,
        });
        g_autoptr(GPtrArray) bag = bag_of(middle, NULL);
        UefiTestSign how = { .signers = { leaf }, .bag = bag };

        uefi_assert_reason(check_signed(UEFI_TEST_BY(middle), root), OK);
        if (len == 0) {
            uefi_assert_reason(check_signed(&how, root), PKCS7_CHAIN);
        } else {
            uefi_assert_reason(check_signed(&how, root), OK);
        }
    }
}

/* Dates, purposes and key usage of the signer say nothing here. */
static void test_ignored(void)
{
    const UefiTestKey *root = uefi_test_cert(&(UefiTestCert) {
        .cn = "old", .same_key = uefi_test_key("A"), .expired = true,
    });
    const UefiTestKey *leaf = uefi_test_cert(&(UefiTestCert) {
        .cn = "old leaf", .same_key = uefi_test_key("B"), .issuer = root,
        .end_entity = true, .expired = true, .server_only = true,
        .usage = GNUTLS_KEY_KEY_ENCIPHERMENT,
    });

    uefi_assert_reason(check_signed(UEFI_TEST_BY(leaf), root), OK);
    uefi_assert_reason(check_signed(UEFI_TEST_BY(leaf), leaf), OK);
}

static void test_old_algorithms(void)
{
    const UefiTestKey *weak = uefi_test_cert(&(UefiTestCert) {
        .cn = "weak", .bits = 1024, .digest = GNUTLS_DIG_MD5,
    });
    const UefiTestKey *leaf = uefi_test_cert(&(UefiTestCert) {
        .cn = "weak leaf", .same_key = uefi_test_key("B"), .issuer = weak,
        .end_entity = true, .digest = GNUTLS_DIG_SHA1,
    });
    const UefiTestKey *second = uefi_test_cert(&(UefiTestCert) {
        .cn = "weaker leaf", .same_key = uefi_test_key("B"), .issuer = weak,
        .end_entity = true, .digest = GNUTLS_DIG_MD5,
    });

    uefi_assert_reason(check_signed(UEFI_TEST_BY(weak), weak), OK);
    uefi_assert_reason(check_signed(UEFI_TEST_BY(leaf), weak), OK);
    uefi_assert_reason(check_signed(UEFI_TEST_BY(second), weak), OK);
}

/* What the administrator of the host allows TLS to do is beside the point. */
static void test_crypto_policy(void)
{
    static const char policy[] =
        "[overrides]\n"
        "insecure-hash = md5\n"
        "insecure-hash = sha1\n"
        "insecure-sig = rsa-md5\n"
        "insecure-sig = rsa-sha1\n"
        "insecure-sig = rsa-sha256\n"
        "min-verification-profile = future\n";
    const char *argv[] = {
        "/proc/self/exe", "--tap",
        "-p", "/uefi/pkcs7/S6/chain",
        "-p", "/uefi/pkcs7/S6/old-algorithms",
        "-p", "/uefi/pkcs7/T2/binding", NULL
    };
    g_autofree char *name = NULL, *out = NULL, *errors = NULL;
    g_auto(GStrv) env = g_get_environ();
    g_autoptr(GError) err = NULL;
    int fd = g_file_open_tmp("uefi-policy-XXXXXX", &name, &err);
    int status;

    g_assert_no_error(err);
    g_assert_cmpint(write(fd, policy, strlen(policy)), ==, strlen(policy));
    close(fd);
    env = g_environ_setenv(env, "GNUTLS_SYSTEM_PRIORITY_FILE", name, true);
    env = g_environ_setenv(env, "GNUTLS_SYSTEM_PRIORITY_FAIL_ON_INVALID", "1",
                           true);
    g_spawn_sync(NULL, (char **)argv, env, 0, NULL, NULL, &out, &errors,
                 &status, &err);
    unlink(name);
    g_assert_no_error(err);
    g_assert_nonnull(strstr(out, "ok 3 "));
    g_assert_null(strstr(out, "not ok"));
    g_assert_cmpint(status, ==, 0);
}

static void test_elliptic(void)
{
    const UefiTestKey *key = uefi_test_cert(&(UefiTestCert) {
        .cn = "curve", .pk = GNUTLS_PK_ECDSA,
    });

    uefi_assert_reason(check_signed(UEFI_TEST_BY(key), key), OK);
    uefi_assert_reason(check_signed(UEFI_TEST_BY(key), uefi_test_key("A")),
                       PKCS7_CHAIN);
}

static void test_critical(void)
{
    const UefiTestKey *root = uefi_test_key("A");
    const UefiTestKey *leaf = uefi_test_cert(&(UefiTestCert) {
        .cn = "odd leaf", .same_key = uefi_test_key("B"), .issuer = root,
        .end_entity = true, .critical_unknown = true,
    });

    uefi_assert_reason(check_signed(UEFI_TEST_BY(leaf), root), PKCS7_CHAIN);
    /* whether it is enrolled or not */
    uefi_assert_reason(check_signed(UEFI_TEST_BY(leaf), leaf), PKCS7_CHAIN);
}

static void test_limit_extensions(void)
{
    const UefiTestKey *root = uefi_test_key("A");
    /* one more is that of the basic constraints */
    UefiTestCert what = {
        .cn = "many", .same_key = uefi_test_key("B"), .issuer = root,
        .end_entity = true, .extensions = UEFI_LIMIT_EXTENSIONS - 1,
    };

    uefi_assert_reason(check_signed(UEFI_TEST_BY(uefi_test_cert(&what)),
                                    root), OK);
    what.extensions++;
    uefi_assert_reason(check_signed(UEFI_TEST_BY(uefi_test_cert(&what)),
                                    root), PKCS7_CHAIN);
}

/*
 * A certificate with a public key of @bits that nobody has the other half of,
 * in the place of that of a signer: it is a matter of the limit whether the
 * signature is tried at all.
 */
static UefiReason check_key_size(unsigned bits, size_t exponent_size)
{
    UefiTestCert what = {
        .cn = "huge", .same_key = uefi_test_key("A"), .serial = 77,
    };
    const UefiTestKey *key = uefi_test_cert(&what);
    const UefiTestKey *huge = uefi_test_cert(&what);
    g_autofree uint8_t *modulus = g_malloc0((bits + 7) / 8);
    uint8_t exponent[16] = { 0x7f };
    gnutls_datum_t m = { modulus, (bits + 7) / 8 };
    gnutls_datum_t e = { exponent, exponent_size }, der;
    g_autoptr(GPtrArray) bag = bag_of(NULL, NULL);
    UefiTestSign how = { .signers = { key }, .no_certs = true, .bag = bag };
    gnutls_pubkey_t pub;

    modulus[0] = 1 << (bits - 1) % 8;
    modulus[m.size - 1] |= 1;
    exponent[exponent_size - 1] |= 1;
    g_assert_cmpint(gnutls_pubkey_init(&pub), >=, 0);
    g_assert_cmpint(gnutls_pubkey_import_rsa_raw(pub, &m, &e), >=, 0);
    g_assert_cmpint(gnutls_x509_crt_set_pubkey(huge->crt, pub), >=, 0);
    gnutls_pubkey_deinit(pub);
    g_assert_cmpint(gnutls_x509_crt_privkey_sign(huge->crt, key->crt, key->key,
                                                 GNUTLS_DIG_SHA256, 0), >=, 0);
    g_assert_cmpint(gnutls_x509_crt_export2(huge->crt, GNUTLS_X509_FMT_DER,
                                            &der), >=, 0);
    g_ptr_array_add(bag, g_bytes_new(der.data, der.size));
    gnutls_free(der.data);
    return check_signed(&how, key);
}

static void test_limit_key(void)
{
    uefi_assert_reason(check_key_size(UEFI_LIMIT_KEY_BITS, 3),
                       PKCS7_SIGNATURE);
    uefi_assert_reason(check_key_size(UEFI_LIMIT_KEY_BITS + 1, 3),
                       PKCS7_LIMIT);
    uefi_assert_reason(check_key_size(4096, 8), PKCS7_SIGNATURE);
    uefi_assert_reason(check_key_size(4096, 10), PKCS7_LIMIT);
}

static void test_limit_key_effort(void)
{
    const UefiTestKey *twin = uefi_test_cert(&(UefiTestCert) { .cn = "A" });
    const UefiTestKey *leaf = uefi_test_leaf("A leaf", "A");
    g_autoptr(GBytes) der = sign(UEFI_TEST_BY(leaf));

    /* one for the signature, one for each certificate tried */
    for (int wrong = UEFI_LIMIT_KEY_EFFORT - 2; wrong < UEFI_LIMIT_KEY_EFFORT;
         wrong++) {
        UefiReason reason;
        g_autoptr(UefiPkcs7) p7 = parse_bytes(der, &reason);

        uefi_assert_reason(uefi_pkcs7_verify(p7, (const uint8_t *)message,
                                             sizeof(message)), OK);
        for (int i = 0; i < wrong; i++) {
            g_assert_cmpint(chains_to(p7, twin), !=, UEFI_REASON_OK);
        }
        reason = chains_to(p7, uefi_test_key("A"));
        if (wrong < UEFI_LIMIT_KEY_EFFORT - 1) {
            uefi_assert_reason(reason, OK);
        } else {
            uefi_assert_reason(reason, PKCS7_LIMIT);
        }
    }
}

/* The same, of which a signer could lead to any: it leads to one of them. */
static void test_limit_maze(void)
{
    const UefiTestKey *twin = uefi_test_cert(&(UefiTestCert) { .cn = "A" });
    g_autoptr(GPtrArray) bag = bag_of(uefi_test_key("A"), NULL);
    const UefiTestKey *leaf = uefi_test_leaf("A leaf", "A");
    const UefiTestKey *second = uefi_test_leaf("A second leaf", "A");
    UefiTestSign how = { .signers = { leaf, second }, .bag = bag };

    for (int i = 3; i < UEFI_LIMIT_CERTIFICATES; i++) {
        UefiTestCert what = { .cn = "A", .same_key = twin };

        g_ptr_array_add(bag, g_bytes_ref(uefi_test_cert(&what)->der));
    }
    uefi_assert_reason(check_signed(&how, uefi_test_key("B")), PKCS7_CHAIN);
    uefi_assert_reason(check_signed(&how, uefi_test_key("A")), OK);
    uefi_assert_reason(check_signed(&how, twin), PKCS7_CHAIN);
}

/* ------------------------------------------------------------------------ */
/* 7.4: bindings */

static GBytes *binding_of(const UefiTestSign *how, bool qemu)
{
    g_autoptr(GBytes) der = sign(how);
    UefiReason reason;
    g_autoptr(UefiPkcs7) p7 = parse_bytes(der, &reason);

    uefi_assert_reason(uefi_pkcs7_verify(p7, (const uint8_t *)message,
                                         sizeof(message)), OK);
    return qemu ? uefi_pkcs7_binding_of_qemu(p7) : uefi_pkcs7_binding(p7);
}

/* The tbsCertificate, by hand: the first element in that of the certificate */
static void append_tbs(GByteArray *out, const UefiTestKey *key)
{
    const uint8_t *data = g_bytes_get_data(key->der, NULL);

    g_assert_cmphex(data[1], ==, 0x82);
    g_assert_cmphex(data[5], ==, 0x82);
    g_byte_array_append(out, data + 4, 4 + (data[6] << 8 | data[7]));
}

static void check_digest(GBytes *binding, gnutls_digest_algorithm_t digest,
                         const GByteArray *data)
{
    uint8_t hash[64];

    g_assert_nonnull(binding);
    g_assert_cmpint(gnutls_hash_fast(digest, data->data, data->len, hash), ==,
                    0);
    g_assert_cmpmem(g_bytes_get_data(binding, NULL), g_bytes_get_size(binding),
                    hash, gnutls_hash_get_len(digest));
}

static void check_binding(const UefiTestKey *key, const char *cn)
{
    static const gnutls_digest_algorithm_t digests[] = {
        GNUTLS_DIG_SHA256, GNUTLS_DIG_SHA384, GNUTLS_DIG_SHA512,
    };
    g_autoptr(GByteArray) data = g_byte_array_new();

    g_byte_array_append(data, (const uint8_t *)cn, strlen(cn));
    append_tbs(data, key);
    for (size_t i = 0; i < ARRAY_SIZE(digests); i++) {
        UefiTestSign how = { .signers = { key }, .digest = digests[i] };
        g_autoptr(GBytes) binding = binding_of(&how, false);

        check_digest(binding, digests[i], data);
    }
}

static void test_binding(void)
{
    check_binding(uefi_test_key("A"), "A");
    check_binding(uefi_test_leaf("A leaf", "A"), "A leaf");
}

static void test_binding_names(void)
{
    static const struct {
        const char *der;
        size_t size;
        const char *utf8;
    } names[] = {
        { "\x0c\x07" "A, \"B\"", 9, "A, \"B\"" },
        { "\x13\x05" "plain", 7, "plain" },
        { "\x16\x05" "a@b.c", 7, "a@b.c" },
        { "\x14\x04" "caf\xe9", 6, "caf\xc3\xa9" },
        { "\x1e\x06" "\0x\x20\xac\0y", 8, "x\xe2\x82\xacy" },
        { "\x1c\x08" "\0\0\0z\0\1\xf6\0", 10, "z\xf0\x9f\x98\x80" },
        { "\x0c\x05" "ab\0cd", 7, "ab" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        g_autoptr(GBytes) raw = g_bytes_new(names[i].der, names[i].size);
        const UefiTestKey *key = uefi_test_cert(&(UefiTestCert) {
            .raw_cn = raw, .same_key = uefi_test_key("A"),
        });

        g_assert_cmpuint(names[i].der[1] + 2, ==, names[i].size);
        check_binding(key, names[i].utf8);
    }
}

static void test_binding_long_name(void)
{
    g_autofree char *cn = g_strnfill(200, 'n');
    g_autofree char *cut = g_strndup(cn, 127);
    g_autoptr(GByteArray) raw = g_byte_array_new();
    g_autoptr(GBytes) der = NULL;
    uint8_t head[] = { 0x0c, 0x81, 200 };
    const UefiTestKey *key;

    g_byte_array_append(raw, head, sizeof(head));
    g_byte_array_append(raw, (uint8_t *)cn, 200);
    der = g_bytes_new(raw->data, raw->len);
    key = uefi_test_cert(&(UefiTestCert) {
        .raw_cn = der, .same_key = uefi_test_key("A"),
    });
    check_binding(key, cut);
}

static void test_binding_no_name(void)
{
    const UefiTestKey *key = uefi_test_cert(&(UefiTestCert) {
        .same_key = uefi_test_key("A"),
    });
    g_autoptr(GBytes) binding = binding_of(UEFI_TEST_BY(key), false);
    g_autoptr(GBytes) theirs = binding_of(UEFI_TEST_BY(key), true);

    g_assert_null(binding);
    g_assert_null(theirs);
}

/* Name of the last signer, certificate of the first */
static void test_binding_two_signers(void)
{
    const UefiTestKey *a = uefi_test_leaf("A leaf", "A");
    const UefiTestKey *b = uefi_test_leaf("A second leaf", "A");
    UefiTestSign how = { .signers = { a, b } };
    g_autoptr(GBytes) der = sign(&how), binding = NULL;
    g_autoptr(GByteArray) data = g_byte_array_new();
    UefiReason reason;
    g_autoptr(UefiPkcs7) p7 = parse_bytes(der, &reason);
    const UefiTestKey *first = a, *last = b;
    const uint8_t *signer;
    gsize size, a_size;
    const uint8_t *a_data = g_bytes_get_data(a->der, &a_size);

    uefi_assert_reason(uefi_pkcs7_verify(p7, (const uint8_t *)message,
                                         sizeof(message)), OK);
    g_assert_cmpuint(uefi_pkcs7_signers(p7), ==, 2);
    signer = uefi_pkcs7_signer(p7, 0, &size);
    /* GnuTLS sorts sets as DER wants it */
    if (size != a_size || memcmp(signer, a_data, size)) {
        first = b;
        last = a;
    }
    if (last == a) {
        g_byte_array_append(data, (const uint8_t *)"A leaf", 6);
    } else {
        g_byte_array_append(data, (const uint8_t *)"A second leaf", 13);
    }
    append_tbs(data, first);
    binding = uefi_pkcs7_binding(p7);
    check_digest(binding, GNUTLS_DIG_SHA256, data);
}

static void test_binding_qemu(void)
{
    const UefiTestKey *leaf = uefi_test_leaf("A leaf", "A");
    g_autoptr(GPtrArray) bag = bag_of(uefi_test_key("A"), NULL);
    UefiTestSign how = { .signers = { leaf }, .bag = bag };
    g_autoptr(GBytes) der = sign(&how), binding = NULL;
    g_autoptr(GByteArray) data = g_byte_array_new();
    UefiReason reason;
    g_autoptr(UefiPkcs7) p7 = parse_bytes(der, &reason);
    uint8_t print[32];
    size_t size;
    const uint8_t *last;

    uefi_assert_reason(uefi_pkcs7_verify(p7, (const uint8_t *)message,
                                         sizeof(message)), OK);
    last = uefi_pkcs7_last_certificate(p7, &size);
    g_byte_array_append(data, (const uint8_t *)"A leaf", 6);
    gnutls_hash_fast(GNUTLS_DIG_SHA256, last, size, print);
    g_byte_array_append(data, print, sizeof(print));
    binding = uefi_pkcs7_binding_of_qemu(p7);
    check_digest(binding, GNUTLS_DIG_SHA256, data);
}

/* ------------------------------------------------------------------------ */
/* Q4 */

static UefiReason check_rsa_key(const void *data, size_t size)
{
    size_t effort = 0;

    return uefi_x509_check_rsa_key(data, size, &effort);
}

static void test_rsa_key(void)
{
    const UefiTestKey *curve = uefi_test_cert(&(UefiTestCert) {
        .cn = "curve", .pk = GNUTLS_PK_ECDSA,
    });
    gsize size;
    const uint8_t *data = g_bytes_get_data(uefi_test_key("A")->der, &size);
    g_autofree uint8_t *padded = g_malloc0(size + 100);

    uefi_assert_reason(check_rsa_key(data, size), OK);
    memcpy(padded, data, size);
    uefi_assert_reason(check_rsa_key(padded, size + 100), OK);
    for (size_t cut = 0; cut < size; cut++) {
        g_autofree uint8_t *exact = g_memdup2(data, cut);

        uefi_assert_reason(check_rsa_key(exact, cut), SIGLIST_CERT);
    }
    data = g_bytes_get_data(curve->der, &size);
    uefi_assert_reason(check_rsa_key(data, size), SIGLIST_CERT);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *path;
        void (*func)(void);
    } tests[] = {
        { "S4/both-forms", test_both_forms },
        { "S4/digests", test_digests },
        { "S4/digest-names-agree", test_digest_names },
        { "S4/digest-of-second-signer", test_digest_of_second_signer },
        { "S4/not-der", test_not_der },
        { "S4/small", test_small },
        { "S4/versions", test_versions },
        { "S4/bad-certificate", test_bad_certificate },
        { "S4/limit-certificates", test_limit_certificates },
        { "S4/limit-certificate-size", test_limit_certificate_size },
        { "S4/limit-ignored-bytes", test_limit_ignored_bytes },
        { "S4/limit-issuer-size", test_limit_issuer_size },
        { "S4/limit-signers", test_limit_signers },
        { "S4/limit-attributes", test_limit_attributes },
        { "S6/no-signer", test_no_signer },
        { "S6/other-data", test_other_data },
        { "S6/embedded-data-ignored", test_embedded },
        { "S6/no-certificate", test_no_certificate },
        { "S6/two-signers", test_two_signers },
        { "S6/anchor-is-signer", test_anchor_is_signer },
        { "S6/anchor-padded", test_anchor_padded },
        { "S6/chain", test_chain },
        { "S6/same-name", test_same_name },
        { "S6/authorities", test_authorities },
        { "S6/path-length", test_path_length },
        { "S6/dates-and-purposes-ignored", test_ignored },
        { "S6/old-algorithms", test_old_algorithms },
        { "S6/crypto-policy", test_crypto_policy },
        { "S6/elliptic-curve", test_elliptic },
        { "S6/critical-extension", test_critical },
        { "S6/limit-extensions", test_limit_extensions },
        { "S6/limit-key", test_limit_key },
        { "S6/limit-anchors", test_limit_anchors },
        { "S6/limit-key-effort", test_limit_key_effort },
        { "S6/limit-key-ids", test_limit_key_ids },
        { "S6/limit-maze", test_limit_maze },
        { "T2/binding", test_binding },
        { "T2/name-types", test_binding_names },
        { "T2/name-long", test_binding_long_name },
        { "T2/no-name", test_binding_no_name },
        { "T2/two-signers", test_binding_two_signers },
        { "T3/binding-of-qemu", test_binding_qemu },
        { "Q4/rsa-key", test_rsa_key },
    };

    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        g_autofree char *path = g_strdup_printf("/uefi/pkcs7/%s",
                                                tests[i].path);

        g_test_add_func(path, tests[i].func);
    }
    return g_test_run();
}
