/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What edk2 says about a signature, with the library that edk2 uses
 */

#include "qemu/osdep.h"
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pkcs7.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include "trust-edk2.h"

typedef STACK_OF(X509) Certs;

#define OID_SIZE        9
#define WRAPPER_SIZE    19      /* bytes of a ContentInfo before its content */
#define MAX_NAME        127     /* bytes of a common name */

/* A length of two bytes, as edk2 recognises it */
#define HAS_TWO_BYTES(byte) (((byte) & 0x82) == 0x82)

static const uint8_t oid_signed_data[OID_SIZE] = {
    0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02
};

/* Where the first digest algorithm is, and the byte of the length before it */
static const struct {
    size_t oid, length;
} places[] = { { 13, 1 }, { 32, 20 } };

const char *edk2_digest(GBytes *signature)
{
    static const char *const names[] = { "SHA256", "SHA384", "SHA512" };
    uint8_t oid[OID_SIZE] = {
        0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0
    };
    gsize size;
    const uint8_t *der = g_bytes_get_data(signature, &size);

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        oid[OID_SIZE - 1] = i + 1;
        for (size_t j = 0; j < ARRAY_SIZE(places); j++) {
            if (size >= places[j].oid + OID_SIZE &&
                HAS_TWO_BYTES(der[places[j].length]) &&
                memcmp(der + places[j].oid, oid, OID_SIZE) == 0) {
                return names[i];
            }
        }
    }
    return NULL;
}

/* The signature with a ContentInfo around it, if it has none */
static GBytes *wrap(GBytes *signature)
{
    gsize size;
    const uint8_t *der = g_bytes_get_data(signature, &size);
    uint8_t head[WRAPPER_SIZE] = { 0x30, 0x82, 0, 0, 0x06, OID_SIZE };
    GByteArray *out;

    if (size >= WRAPPER_SIZE && der[4] == 0x06 && der[5] == OID_SIZE &&
        memcmp(der + 6, oid_signed_data, OID_SIZE) == 0 &&
        der[15] == 0xa0 && der[16] == 0x82) {
        return g_bytes_ref(signature);
    }
    head[2] = (size + WRAPPER_SIZE - 4) >> 8;
    head[3] = size + WRAPPER_SIZE - 4;
    memcpy(head + 6, oid_signed_data, OID_SIZE);
    head[15] = 0xa0;
    head[16] = 0x82;
    head[17] = size >> 8;
    head[18] = size;
    out = g_byte_array_new();
    g_byte_array_append(out, head, sizeof(head));
    g_byte_array_append(out, der, size);
    return g_byte_array_free_to_bytes(out);
}

static PKCS7 *parse(GBytes *signature)
{
    g_autoptr(GBytes) wrapped = wrap(signature);
    gsize size;
    const uint8_t *der = g_bytes_get_data(wrapped, &size);
    PKCS7 *p7 = d2i_PKCS7(NULL, &der, size);

    if (p7 && !PKCS7_type_is_signed(p7)) {
        g_clear_pointer(&p7, PKCS7_free);
    }
    return p7;
}

/* OpenSSL 3.5 does not read shorter times; 3.0 does. */
static gboolean is_time(const ASN1_TIME *time)
{
    return ASN1_STRING_length(time) >=
           (ASN1_STRING_type(time) == V_ASN1_UTCTIME ? 13 : 15);
}

static gboolean has_times(X509 *cert)
{
    return is_time(X509_get0_notBefore(cert)) &&
           is_time(X509_get0_notAfter(cert));
}

static gboolean all_have_times(const Certs *certs)
{
    for (int i = 0; i < sk_X509_num(certs); i++) {
        if (!has_times(sk_X509_value(certs, i))) {
            return FALSE;
        }
    }
    return TRUE;
}

gboolean edk2_verify(GBytes *signature, GBytes *anchor, GBytes *data)
{
    gsize size;
    const uint8_t *der = g_bytes_get_data(anchor, &size);
    PKCS7 *p7 = edk2_digest(signature) ? parse(signature) : NULL;
    X509 *cert = d2i_X509(NULL, &der, size);
    X509_STORE *store = X509_STORE_new();
    BIO *bio = BIO_new_mem_buf(g_bytes_get_data(data, NULL),
                               g_bytes_get_size(data));
    gboolean good = FALSE;

    if (p7 && cert && all_have_times(p7->d.sign->cert) && has_times(cert) &&
        X509_STORE_add_cert(store, cert)) {
        X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN |
                                    X509_V_FLAG_NO_CHECK_TIME);
        X509_STORE_set_purpose(store, X509_PURPOSE_ANY);
        good = PKCS7_verify(p7, NULL, store, bio, NULL, PKCS7_BINARY) == 1;
    }
    BIO_free(bio);
    X509_STORE_free(store);
    X509_free(cert);
    PKCS7_free(p7);
    ERR_clear_error();
    return good;
}

gboolean edk2_passes_over(GBytes *signature)
{
    PKCS7 *p7 = edk2_digest(signature) ? parse(signature) : NULL;
    Certs *certs = p7 ? p7->d.sign->cert : NULL;
    gboolean found = FALSE;
    int kind;

    for (int i = 0; i < sk_X509_num(certs); i++) {
        X509 *cert = sk_X509_value(certs, i);

        found = found || !X509_get0_pubkey(cert) ||
                !OBJ_find_sigid_algs(X509_get_signature_nid(cert), NULL, &kind);
    }
    PKCS7_free(p7);
    ERR_clear_error();
    return found;
}

/* Returns false where there is none that can be converted */
static gboolean append_common_name(GByteArray *out, X509 *cert)
{
    X509_NAME *name = X509_get_subject_name(cert);
    int i = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
    unsigned char *utf8 = NULL;
    int size;

    if (i < 0) {
        return FALSE;
    }
    size = ASN1_STRING_to_UTF8(
        &utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, i)));
    if (size < 0) {
        return FALSE;
    }
    g_byte_array_append(out, utf8, strnlen((char *)utf8,
                                           MIN(size, MAX_NAME)));
    OPENSSL_free(utf8);
    return TRUE;
}

static void append_tbs(GByteArray *out, X509 *cert)
{
    unsigned char *der = NULL;
    int size = i2d_X509(cert, &der);
    const unsigned char *p = der, *tbs;
    long length;
    int tag, class;

    g_assert_cmpint(size, >, 0);
    ASN1_get_object(&p, &length, &tag, &class, size);
    tbs = p;
    ASN1_get_object(&p, &length, &tag, &class, length);
    g_byte_array_append(out, tbs, p + length - tbs);
    OPENSSL_free(der);
}

GBytes *edk2_binding(GBytes *signature)
{
    g_autoptr(GByteArray) data = g_byte_array_new();
    const char *digest = edk2_digest(signature);
    PKCS7 *p7 = digest ? parse(signature) : NULL;
    Certs *signers =
        p7 ? PKCS7_get0_signers(p7, NULL, PKCS7_BINARY) : NULL;
    int count = signers ? sk_X509_num(signers) : 0;
    GBytes *binding = NULL;

    /* the last signer's name, the first one's certificate */
    if (count && append_common_name(data,
                                    sk_X509_value(signers, count - 1))) {
        uint8_t hash[EVP_MAX_MD_SIZE];
        unsigned size;

        append_tbs(data, sk_X509_value(signers, 0));
        g_assert_true(EVP_Digest(data->data, data->len, hash, &size,
                                 EVP_get_digestbyname(digest), NULL));
        binding = g_bytes_new(hash, size);
    }
    sk_X509_free(signers);
    PKCS7_free(p7);
    ERR_clear_error();
    return binding;
}
