/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Certificates and signatures of any shape, good ones and bad ones
 */

#include "qemu/osdep.h"
#define OPENSSL_SUPPRESS_DEPRECATED     /* RAND_set_rand_method() */
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include "trust-forge.h"

#define OID_DATA            "1.2.840.113549.1.7.1"
#define OID_SIGNED_DATA     "1.2.840.113549.1.7.2"
#define OID_CONTENT_TYPE    "1.2.840.113549.1.9.3"
#define OID_MESSAGE_DIGEST  "1.2.840.113549.1.9.4"
#define OID_RSA             "1.2.840.113549.1.1.1"
#define OID_EC              "1.2.840.10045.2.1"
#define OID_COMMON_NAME     "2.5.4.3"

/* ------------------------------------------------------------------------ */
/* DER */

static void append(GByteArray *out, GBytes *part)
{
    gsize size;
    const uint8_t *data = g_bytes_get_data(part, &size);

    g_byte_array_append(out, data, size);
    g_bytes_unref(part);
}

GBytes *der_bytes(unsigned tag, const void *data, size_t size)
{
    GByteArray *out = g_byte_array_new();
    uint8_t head[] = { tag, 0x82, size >> 8, size };

    g_assert_cmpuint(size, <, 0x10000);
    if (size < 0x80) {
        head[1] = size;
        g_byte_array_append(out, head, 2);
    } else if (size < 0x100) {
        head[1] = 0x81;
        head[2] = size;
        g_byte_array_append(out, head, 3);
    } else {
        g_byte_array_append(out, head, 4);
    }
    g_byte_array_append(out, data, size);
    return g_byte_array_free_to_bytes(out);
}

GBytes *der_join(GBytes *first, ...)
{
    GByteArray *out = g_byte_array_new();
    va_list args;

    va_start(args, first);
    for (GBytes *part = first; part; part = va_arg(args, GBytes *)) {
        append(out, part);
    }
    va_end(args);
    return g_byte_array_free_to_bytes(out);
}

/* An element around @contents, which is taken over */
static GBytes *enclose(unsigned tag, GBytes *contents)
{
    gsize size;
    const void *data = g_bytes_get_data(contents, &size);
    GBytes *out = der_bytes(tag, data, size);

    g_bytes_unref(contents);
    return out;
}

GBytes *der(unsigned tag, ...)
{
    GByteArray *out = g_byte_array_new();
    GBytes *part;
    va_list args;

    va_start(args, tag);
    while ((part = va_arg(args, GBytes *))) {
        append(out, part);
    }
    va_end(args);
    return enclose(tag, g_byte_array_free_to_bytes(out));
}

GBytes *der_int(int value)
{
    uint8_t bytes[] = { value >> 24, value >> 16, value >> 8, value };
    size_t skip = 0;

    while (skip < 3 && bytes[skip] == (bytes[skip + 1] & 0x80 ? 0xff : 0)) {
        skip++;
    }
    return der_bytes(0x02, bytes + skip, sizeof(bytes) - skip);
}

GBytes *der_oid(const char *dotted)
{
    ASN1_OBJECT *oid = OBJ_txt2obj(dotted, 1);
    unsigned char *data = NULL;
    int size = i2d_ASN1_OBJECT(oid, &data);
    GBytes *out = g_bytes_new(data, size);

    OPENSSL_free(data);
    ASN1_OBJECT_free(oid);
    return out;
}

GBytes *der_algorithm(const char *dotted, gboolean null)
{
    return der(0x30, der_oid(dotted), null ? der(0x05, NULL) : NULL, NULL);
}

GBytes *der_cn(const char *cn)
{
    return der(0x30, der(0x31, der(0x30, der_oid(OID_COMMON_NAME),
                                   der_bytes(0x0c, cn, strlen(cn)), NULL),
                         NULL), NULL);
}

GBytes *der_extension(const char *dotted, gboolean critical, GBytes *value)
{
    return der(0x30, der_oid(dotted),
               critical ? der_text(0x01, "\xff") : enclose(0x04, value),
               critical ? enclose(0x04, value) : NULL, NULL);
}

/* ------------------------------------------------------------------------ */
/* Keys */

static GRand *random_numbers;

static int fill_random(unsigned char *out, int size)
{
    while (size--) {
        *out++ = g_rand_int(random_numbers);
    }
    return 1;
}

static int is_random(void)
{
    return 1;
}

void forge_seed(guint32 seed)
{
    static const RAND_METHOD method = {
        .bytes = fill_random, .pseudorand = fill_random, .status = is_random,
    };

    random_numbers = g_rand_new_with_seed(seed);
    RAND_set_rand_method(&method);
}

static EVP_PKEY *key_of(ForgeKey key)
{
    static EVP_PKEY *keys[KEY__MAX];

    if (!keys[key]) {
        keys[key] = key == KEY_ED25519 ? EVP_PKEY_Q_keygen(NULL, NULL,
                                                           "ED25519")
                    : key >= KEY_EC_ROOT ? EVP_EC_gen("P-256")
                    : EVP_RSA_gen(2048);
        if (key == KEY_EC_HYBRID) {
            EVP_PKEY_set_utf8_string_param(
                keys[key], OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
                OSSL_PKEY_EC_POINT_CONVERSION_FORMAT_HYBRID);
        }
    }
    return keys[key];
}

static GBytes *public_key(ForgeKey key)
{
    unsigned char *data = NULL;
    int size = i2d_PUBKEY(key_of(key), &data);
    GBytes *out = g_bytes_new(data, size);

    OPENSSL_free(data);
    return out;
}

GBytes *forge_key_id(ForgeKey key)
{
    g_autoptr(GBytes) spki = public_key(key);
    uint8_t id[EVP_MAX_MD_SIZE];

    EVP_Digest(g_bytes_get_data(spki, NULL), g_bytes_get_size(spki), id, NULL,
               EVP_sha1(), NULL);
    return g_bytes_new(id, 20);
}

static GBytes *sign(ForgeKey key, const char *digest, GBytes *data)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    g_autofree uint8_t *out = g_malloc(1024);
    size_t size = 1024;

    g_assert_true(EVP_DigestSignInit_ex(
        ctx, NULL, key == KEY_ED25519 ? NULL : digest, NULL, NULL, key_of(key),
        NULL));
    g_assert_true(EVP_DigestSign(ctx, out, &size, g_bytes_get_data(data, NULL),
                                 g_bytes_get_size(data)));
    EVP_MD_CTX_free(ctx);
    return g_bytes_new(out, size);
}

static gboolean is_ec(ForgeKey key)
{
    return key >= KEY_EC_ROOT && key <= KEY_EC_HYBRID;
}

static GBytes *signature_algorithm(ForgeKey key, const char *digest)
{
    static const struct {
        const char *digest, *rsa, *ec;
    } known[] = {
        { "MD5", "1.2.840.113549.1.1.4", "1.2.840.10045.4.1" },
        { "SHA1", "1.2.840.113549.1.1.5", "1.2.840.10045.4.1" },
        { "SHA256", "1.2.840.113549.1.1.11", "1.2.840.10045.4.3.2" },
        { "SHA384", "1.2.840.113549.1.1.12", "1.2.840.10045.4.3.3" },
        { "SHA512", "1.2.840.113549.1.1.13", "1.2.840.10045.4.3.4" },
    };

    if (key == KEY_ED25519) {
        return der_algorithm("1.3.101.112", FALSE);
    }
    for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
        if (strcmp(digest, known[i].digest) == 0) {
            return is_ec(key) ? der_algorithm(known[i].ec, FALSE)
                              : der_algorithm(known[i].rsa, TRUE);
        }
    }
    g_assert_not_reached();
}

/* ------------------------------------------------------------------------ */
/* Certificates */

static GBytes *validity(void)
{
    return der(0x30, der_text(0x17, "200101000000Z"),
               der_text(0x17, "250101000000Z"), NULL);
}

static GBytes *serial_number(const ForgeCert *cert)
{
    return cert->number ? der(0x02, g_bytes_ref(cert->number), NULL)
                        : der_int(cert->serial ?: 77);
}

GBytes *forge_tbs(const ForgeCert *what)
{
    int version = what->version ?: 3;
    GBytes *inside = der_join(
        serial_number(what),
        what->algorithm
        ? der_algorithm(what->algorithm, FALSE)
        : signature_algorithm(what->signer, what->digest ?: "SHA256"),
        what->issuer ? g_bytes_ref(what->issuer) : der_cn(what->issuer_cn),
        validity(),
        what->subject ? g_bytes_ref(what->subject) : der_cn(what->cn),
        public_key(what->key), NULL);

    if (version > 1) {
        inside = der_join(der(0xa0, der_int(version - 1), NULL), inside, NULL);
    }
    if (what->ids) {
        inside = der_join(inside, g_bytes_ref(what->ids), NULL);
    }
    if (what->extensions) {
        inside = der_join(inside,
                          der(0xa3, enclose(0x30, g_bytes_ref(
                                                what->extensions)), NULL),
                          NULL);
    }
    return enclose(0x30, inside);
}

/* A BIT STRING of whole bytes */
static GBytes *bits(GBytes *bytes)
{
    return der(0x03, g_bytes_new("", 1), bytes, NULL);
}

GBytes *forge_resign(GBytes *tbs, ForgeKey signer, const char *digest)
{
    return der(0x30, g_bytes_ref(tbs), signature_algorithm(signer, digest),
               bits(sign(signer, digest, tbs)), NULL);
}

GBytes *forge_cert(const ForgeCert *what)
{
    g_autoptr(GBytes) tbs = forge_tbs(what);
    const char *digest = what->digest ?: "SHA256";
    const char *outer = what->outer ?: what->algorithm;

    if (!outer) {
        return forge_resign(tbs, what->signer, digest);
    }
    return der(0x30, g_bytes_ref(tbs), der_algorithm(outer, !!what->outer),
               bits(sign(what->signer, digest, tbs)), NULL);
}

/* ------------------------------------------------------------------------ */
/* Signatures */

static GBytes *digest_algorithm(const char *digest, gboolean null)
{
    int nid = OBJ_sn2nid(digest);
    char dotted[64];

    OBJ_obj2txt(dotted, sizeof(dotted), OBJ_nid2obj(nid), 1);
    return der_algorithm(dotted, null);
}

static GBytes *attribute(const char *dotted, GBytes *values)
{
    return der(0x30, der_oid(dotted), enclose(0x31, values), NULL);
}

static GBytes *digest_value(const char *digest, GBytes *data, gboolean wrong)
{
    uint8_t hash[EVP_MAX_MD_SIZE];
    unsigned size;

    EVP_Digest(g_bytes_get_data(data, NULL), g_bytes_get_size(data), hash,
               &size, EVP_get_digestbyname(digest), NULL);
    hash[0] ^= wrong;
    return der_bytes(0x04, hash, size);
}

/* Contents of the set, NULL for none */
static GBytes *attributes(const ForgeSigner *how, const char *digest,
                          GBytes *data)
{
    g_autoptr(GBytes) type = attribute(OID_CONTENT_TYPE, der_oid(OID_DATA));
    g_autoptr(GBytes) other = attribute(OID_CONTENT_TYPE,
                                        der_oid(OID_SIGNED_DATA));
    g_autoptr(GBytes) value = digest_value(digest, data, FALSE);
    g_autoptr(GBytes) wrong = digest_value(digest, data, TRUE);
    g_autoptr(GBytes) good = attribute(OID_MESSAGE_DIGEST, g_bytes_ref(value));
    g_autoptr(GBytes) bad = attribute(OID_MESSAGE_DIGEST, g_bytes_ref(wrong));
    GBytes *none = NULL;

#define JOIN(a, b, c) der_join(g_bytes_ref(a), (b) ? g_bytes_ref(b) : NULL, \
                               (c) ? g_bytes_ref(c) : NULL, NULL)
    switch (how->attributes) {
    case ATTRIBUTES_SORTED:
        return JOIN(type, good, none);
    case ATTRIBUTES_REVERSED:
        return JOIN(good, type, none);
    case ATTRIBUTES_TWO_DIGESTS:
        return JOIN(type, good, bad);
    case ATTRIBUTES_TWO_DIGESTS_BAD_FIRST:
        return JOIN(type, bad, good);
    case ATTRIBUTES_TWO_VALUES:
        return der_join(g_bytes_ref(type),
                        attribute(OID_MESSAGE_DIGEST, JOIN(value, wrong, none)),
                        NULL);
    case ATTRIBUTES_NO_DIGEST:
        return g_bytes_ref(type);
    case ATTRIBUTES_NO_TYPE:
        return g_bytes_ref(good);
    case ATTRIBUTES_WRONG_DIGEST:
        return JOIN(type, bad, none);
    case ATTRIBUTES_WRONG_TYPE:
        return JOIN(other, good, none);
    case ATTRIBUTES_EMPTY:
        return g_bytes_new(NULL, 0);
    default:
        return NULL;
    }
#undef JOIN
}

/* The last elements of a SignerInfo, from the attributes on */
static GBytes *signed_part(const ForgeSigner *how, const char *digest,
                           GBytes *data)
{
    ForgeKey key = how->cert->key;
    g_autoptr(GBytes) inside = attributes(how, digest, data);
    g_autoptr(GBytes) set =
        inside && how->attributes != ATTRIBUTES_EMPTY
        ? enclose(0x31, g_bytes_ref(inside)) : g_bytes_ref(data);
    GBytes *algorithm =
        how->algorithm ? der_algorithm(how->algorithm, !how->no_null)
        : is_ec(key) ? der_algorithm(OID_EC, FALSE)
        : key == KEY_ED25519 ? der_algorithm("1.3.101.112", FALSE)
        : der_algorithm(OID_RSA, !how->no_null);
    GBytes *rest = der_join(
        algorithm, enclose(0x04, sign(key, digest, set)),
        how->unsigned_attributes
        ? enclose(0xa1, g_bytes_ref(how->unsigned_attributes)) : NULL, NULL);

    return inside ? der_join(enclose(0xa0, g_bytes_ref(inside)), rest, NULL)
                  : rest;
}

static GBytes *signer_info(const ForgeSigner *how, GBytes *data)
{
    const ForgeCert *cert = how->cert;
    const char *digest = how->digest ?: "SHA256";
    GBytes *issuer = how->issuer ? g_bytes_ref(how->issuer)
                     : cert->issuer ? g_bytes_ref(cert->issuer)
                     : der_cn(cert->issuer_cn);

    return der(0x30, der_int(how->version ?: 1),
               der(0x30, issuer,
                   how->serial ? der_int(how->serial) : serial_number(cert),
                   NULL),
               digest_algorithm(digest, !how->no_null),
               signed_part(how, digest, data), NULL);
}

static GBytes *all_digests(const ForgeSignature *what)
{
    GBytes *out = g_bytes_new(NULL, 0);

    if (!what->digests[0]) {
        out = der_join(out, digest_algorithm("SHA256", TRUE), NULL);
    }
    for (size_t i = 0; i < ARRAY_SIZE(what->digests) && what->digests[i];
         i++) {
        out = der_join(out, digest_algorithm(what->digests[i], TRUE), NULL);
    }
    return enclose(0x31, out);
}

GBytes *forge_signature(const ForgeSignature *what, GBytes *data)
{
    GBytes *bag = g_bytes_new(NULL, 0), *infos = g_bytes_new(NULL, 0), *out;

    for (size_t i = 0; i < FORGE_CERTS && what->bag[i]; i++) {
        bag = der_join(bag, g_bytes_ref(what->bag[i]), NULL);
    }
    for (size_t i = 0; i < FORGE_SIGNERS && what->signers[i].cert; i++) {
        infos = der_join(infos, signer_info(&what->signers[i], data), NULL);
    }
    out = der_join(der_int(what->version ?: 1), all_digests(what),
                   der(0x30, der_oid(what->content_type ?: OID_DATA),
                       what->content
                       ? der(0xa0, g_bytes_ref(what->content), NULL) : NULL,
                       NULL), NULL);
    bag = enclose(0xa0, bag);
    if (what->no_bag) {
        g_clear_pointer(&bag, g_bytes_unref);
    } else {
        out = der_join(out, bag, NULL);
    }
    if (what->crls) {
        out = der_join(out, enclose(0xa1, g_bytes_ref(what->crls)), NULL);
    }
    out = der(0x30, out, enclose(0x31, infos), NULL);
    return what->wrapped ? der(0x30, der_oid(OID_SIGNED_DATA),
                               der(0xa0, out, NULL), NULL) : out;
}
