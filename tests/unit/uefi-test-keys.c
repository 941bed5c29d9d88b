/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: keys, certificates and signatures for unit tests
 */

#include "qemu/osdep.h"
#include <gnutls/abstract.h>
#include <gnutls/pkcs7.h>
#include "uefi-test-keys.h"

#define CHECK(expr) g_assert_cmpint(expr, >=, 0)

/* Far enough in the future and in the past */
#define DAY         (24 * 60 * 60)
#define VALID_FROM  (10000 * DAY)
#define VALID_TO    (24000 * DAY)
#define EXPIRED     (10001 * DAY)

static gnutls_privkey_t make_key(const UefiTestCert *what)
{
    gnutls_pk_algorithm_t pk = what->pk ?: GNUTLS_PK_RSA;
    unsigned bits = what->bits ?: 2048;
    gnutls_privkey_t key;

    if (pk == GNUTLS_PK_ECDSA) {
        bits = GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1);
    }
    CHECK(gnutls_privkey_init(&key));
    CHECK(gnutls_privkey_generate(key, pk, bits, 0));
    return key;
}

static void set_name(gnutls_x509_crt_t crt, const UefiTestCert *what)
{
    gsize size;
    const void *raw;

    if (what->raw_cn) {
        raw = g_bytes_get_data(what->raw_cn, &size);
        CHECK(gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME,
                                            1, raw, size));
    } else if (what->cn) {
        CHECK(gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME,
                                            0, what->cn, strlen(what->cn)));
    } else {
        CHECK(gnutls_x509_crt_set_dn_by_oid(
                  crt, GNUTLS_OID_X520_ORGANIZATION_NAME, 0, "nobody", 6));
    }
}

static void set_extensions(gnutls_x509_crt_t crt, const UefiTestCert *what)
{
    if (!what->no_constraints) {
        CHECK(gnutls_x509_crt_set_basic_constraints(
                  crt, !what->end_entity,
                  what->path_len ? what->path_len - 1 : -1));
    }
    if (what->usage) {
        CHECK(gnutls_x509_crt_set_key_usage(crt, what->usage));
    }
    if (what->server_only) {
        CHECK(gnutls_x509_crt_set_key_purpose_oid(
                  crt, GNUTLS_KP_TLS_WWW_SERVER, 1));
    }
    if (what->critical_unknown) {
        CHECK(gnutls_x509_crt_set_extension_by_oid(crt, "1.2.3.4", "\5\0", 2,
                                                   1));
    }
    for (unsigned i = 0; i < what->extensions; i++) {
        g_autofree char *oid = g_strdup_printf("1.2.3.5.%u", i);

        CHECK(gnutls_x509_crt_set_extension_by_oid(crt, oid, "\5\0", 2, 0));
    }
}

const UefiTestKey *uefi_test_cert(const UefiTestCert *what)
{
    static GPtrArray *all;      /* keeps them reachable for a leak checker */
    static unsigned last_serial = 0x1000;
    UefiTestKey *made = g_new0(UefiTestKey, 1);
    const UefiTestKey *issuer = what->issuer ?: made;
    unsigned serial = what->serial ?: ++last_serial;
    uint8_t serial_bytes[] = { serial >> 8, serial };
    gnutls_pubkey_t pub;
    gnutls_datum_t der;

    all = all ?: g_ptr_array_new();
    g_ptr_array_add(all, made);
    made->key = what->same_key ? what->same_key->key : make_key(what);
    CHECK(gnutls_x509_crt_init(&made->crt));
    CHECK(gnutls_x509_crt_set_version(made->crt, what->version ?: 3));
    CHECK(gnutls_x509_crt_set_serial(made->crt, serial_bytes, 2));
    CHECK(gnutls_x509_crt_set_activation_time(made->crt, VALID_FROM));
    CHECK(gnutls_x509_crt_set_expiration_time(
              made->crt, what->expired ? EXPIRED : VALID_TO));
    set_name(made->crt, what);
    if (what->version != 1) {
        set_extensions(made->crt, what);
    }
    CHECK(gnutls_pubkey_init(&pub));
    CHECK(gnutls_pubkey_import_privkey(pub, made->key, 0, 0));
    CHECK(gnutls_x509_crt_set_pubkey(made->crt, pub));
    gnutls_pubkey_deinit(pub);
    CHECK(gnutls_x509_crt_privkey_sign(made->crt, issuer->crt, issuer->key,
                                       what->digest ?: GNUTLS_DIG_SHA256, 0));
    CHECK(gnutls_x509_crt_export2(made->crt, GNUTLS_X509_FMT_DER, &der));
    made->der = g_bytes_new(der.data, der.size);
    gnutls_free(der.data);
    return made;
}

/* Keys take a while to make: keep those that have a name. */
static const UefiTestKey *named(const char *cn, const UefiTestKey *issuer)
{
    static GHashTable *keys;
    UefiTestCert what = {
        .cn = cn, .issuer = issuer, .end_entity = issuer != NULL
    };
    const UefiTestKey *key;

    if (!keys) {
        keys = g_hash_table_new(g_str_hash, g_str_equal);
    }
    key = g_hash_table_lookup(keys, cn);
    if (!key) {
        key = uefi_test_cert(&what);
        g_hash_table_insert(keys, g_strdup(cn), (void *)key);
    }
    return key;
}

const UefiTestKey *uefi_test_key(const char *cn)
{
    return named(cn, NULL);
}

const UefiTestKey *uefi_test_leaf(const char *cn, const char *issuer)
{
    return named(cn, uefi_test_key(issuer));
}

static void add_bag(gnutls_pkcs7_t p7, GPtrArray *bag)
{
    for (guint i = 0; bag && i < bag->len; i++) {
        gsize size;
        const void *data = g_bytes_get_data(bag->pdata[i], &size);
        gnutls_datum_t datum = { (void *)data, size };

        CHECK(gnutls_pkcs7_set_crt_raw(p7, &datum));
    }
}

/* A SEQUENCE that takes @size bytes in all, or an empty one */
static GByteArray *element_of_zeros(size_t size)
{
    GByteArray *out = g_byte_array_new();

    uefi_test_add(out, 0x0030, 2);
    if (size) {
        g_assert_cmpuint(size, >=, 4 + 0x100);
        out->data[1] = 0x82;
        uefi_test_add(out, (size - 4) >> 8, 1);
        uefi_test_add(out, (size - 4) & 0xff, 1);
        g_byte_array_set_size(out, size);
        memset(out->data + 4, 0, size - 4);
    }
    return out;
}

static void add_crl(gnutls_pkcs7_t p7, size_t size)
{
    g_autoptr(GByteArray) crl = element_of_zeros(size);
    gnutls_datum_t datum = { crl->data, crl->len };

    CHECK(gnutls_pkcs7_set_crl_raw(p7, &datum));
}

/* Attributes of our own, next to content type and digest of the message */
static gnutls_pkcs7_attrs_t make_attributes(unsigned n, size_t size)
{
    gnutls_pkcs7_attrs_t attrs = NULL;

    for (unsigned i = 0; i < n; i++) {
        g_autofree char *oid = g_strdup_printf("1.2.3.6.%u", i);
        g_autoptr(GByteArray) value = element_of_zeros(size);
        gnutls_datum_t datum = { value->data, value->len };

        CHECK(gnutls_pkcs7_add_attr(&attrs, oid, &datum, 0));
    }
    return attrs;
}

/* What GnuTLS makes is ContentInfo: tag, length, OID, tag, length */
#define CONTENT_INFO_SIZE   19
/* Behind it SignedData with its version, and then the digest algorithms */
#define ALGORITHMS_OFFSET   (CONTENT_INFO_SIZE + 4 + 3)

/*
 * GnuTLS repeats the digest algorithm for each signer, where other tools name
 * it once: leave only the first.
 */
static void name_digest_once(GByteArray *der)
{
    static const size_t lengths[] = { 2, 17, 21 };
    const uint8_t *set = der->data + ALGORITHMS_OFFSET;
    size_t head = set[1] == 0x81 ? 3 : 2;
    size_t size = set[head - 1], one = 2 + set[head + 1];

    g_assert_cmphex(set[0], ==, 0x31);
    g_byte_array_remove_range(der, ALGORITHMS_OFFSET + head + one, size - one);
    if (head == 3) {
        g_byte_array_remove_index(der, ALGORITHMS_OFFSET + 1);
    }
    der->data[ALGORITHMS_OFFSET + 1] = one;
    for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
        size_t left = der->len - lengths[i] - 2;

        der->data[lengths[i]] = left >> 8;
        der->data[lengths[i] + 1] = left;
    }
}

GBytes *uefi_test_sign(const UefiTestSign *how, const void *data, size_t size)
{
    gnutls_datum_t in = { (void *)data, size }, out;
    unsigned flags = (how->attributes ? GNUTLS_PKCS7_INCLUDE_TIME : 0) |
                     (how->no_certs ? 0 : GNUTLS_PKCS7_INCLUDE_CERT) |
                     (how->embed ? GNUTLS_PKCS7_EMBED_DATA : 0);
    g_autoptr(GByteArray) der = g_byte_array_new();
    gnutls_pkcs7_t p7;

    CHECK(gnutls_pkcs7_init(&p7));
    add_bag(p7, how->bag);
    if (how->crl_size) {
        add_crl(p7, how->crl_size);
    }
    for (int i = 0; how->signers[i]; i++) {
        gnutls_pkcs7_attrs_t attrs = make_attributes(how->more_attributes,
                                                     how->attribute_size);

        CHECK(gnutls_pkcs7_sign(p7, how->signers[i]->crt, how->signers[i]->key,
                                &in, attrs, NULL,
                                how->digest ?: GNUTLS_DIG_SHA256, flags));
        gnutls_pkcs7_attrs_deinit(attrs);
    }
    CHECK(gnutls_pkcs7_export2(p7, GNUTLS_X509_FMT_DER, &out));
    gnutls_pkcs7_deinit(p7);
    g_assert_cmpuint(out.size, >, ALGORITHMS_OFFSET);
    g_assert_cmphex(out.data[1], ==, 0x82);
    g_byte_array_append(der, out.data, out.size);
    gnutls_free(out.data);
    name_digest_once(der);
    if (!how->wrapped) {
        g_byte_array_remove_range(der, 0, CONTENT_INFO_SIZE);
    }
    return g_byte_array_free_to_bytes(g_steal_pointer(&der));
}

UefiTime uefi_test_time(unsigned seconds)
{
    g_assert_cmpuint(seconds, <, 60);
    return (UefiTime) { { 2024 & 0xff, 2024 >> 8, 1, 1, 0, 0, seconds } };
}

GByteArray *uefi_test_descriptor(const UefiTime *time, GBytes *cert,
                                 const void *value, size_t size)
{
    GByteArray *out = g_byte_array_new();
    gsize cert_size = 0;
    const void *cert_data = cert ? g_bytes_get_data(cert, &cert_size) : NULL;

    g_byte_array_append(out, time->b, sizeof(time->b));
    uefi_test_add(out, 24 + cert_size, 4);
    uefi_test_add(out, 0x0200, 2);
    uefi_test_add(out, EFI_WIN_CERT_TYPE_EFI_GUID, 2);
    uefi_test_add_guid(out, &uefi_guid_cert_pkcs7);
    g_byte_array_append(out, cert_data, cert_size);
    g_byte_array_append(out, value, size);
    return out;
}

GByteArray *uefi_test_auth(const UefiTestSign *how, const UefiGuid *guid,
                           const char *name, uint32_t attributes,
                           const UefiTime *time, const void *value,
                           size_t size)
{
    g_autoptr(GByteArray) data = g_byte_array_new();
    g_autoptr(GBytes) cert = NULL;

    for (const char *c = name; *c; c++) {
        uefi_test_add(data, *c, 2);
    }
    uefi_test_add_guid(data, guid);
    uefi_test_add(data, attributes, 4);
    g_byte_array_append(data, time->b, sizeof(time->b));
    g_byte_array_append(data, value, size);
    if (how) {
        cert = uefi_test_sign(how, data->data, data->len);
    }
    return uefi_test_descriptor(time, cert, value, size);
}

void uefi_test_add_list(GByteArray *lists, const UefiGuid *type,
                        const void *data, size_t size)
{
    static const UefiGuid owner =
        UEFI_GUID(0x0badcafe, 0x1234, 0x5678,
                  0x9a, 0xbc, 0xde, 0xf0, 0x12, 0x34, 0x56, 0x78);

    uefi_test_add_guid(lists, type);
    uefi_test_add(lists, 28 + 16 + size, 4);
    uefi_test_add(lists, 0, 4);
    uefi_test_add(lists, 16 + size, 4);
    uefi_test_add_guid(lists, &owner);
    g_byte_array_append(lists, data, size);
}

GByteArray *uefi_test_key_list(const UefiTestKey *key)
{
    GByteArray *list = g_byte_array_new();
    gsize size;
    const void *data = g_bytes_get_data(key->der, &size);

    uefi_test_add_list(list, &uefi_guid_cert_x509, data, size);
    return list;
}

GByteArray *uefi_test_hash_list(uint8_t first, unsigned n)
{
    GByteArray *lists = g_byte_array_new();

    for (unsigned i = 0; i < n; i++) {
        uint8_t digest[32];

        memset(digest, first + i, sizeof(digest));
        uefi_test_add_list(lists, &uefi_guid_cert_sha256, digest,
                           sizeof(digest));
    }
    return lists;
}
