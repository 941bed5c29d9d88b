/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: detached signatures and certificates, with GnuTLS
 *
 * A signature is read in two passes.  The first walks the outer structure
 * strictly, with the length decoder of libtasn1: it finds what GnuTLS has no
 * call for, bounds every number before a library loops over it, and refuses
 * what is not DER or not signed and could be changed freely.  The second is
 * GnuTLS, which does all of the cryptography.
 *
 * Chains are built here rather than by a trust list of GnuTLS because its
 * answer depends on the clock and on the crypto policy of the host.
 */

#include "qemu/osdep.h"
#include <gnutls/crypto.h>
#include <gnutls/pkcs7.h>
#include <gnutls/x509.h>
#include <libtasn1.h>
#include "hw/uefi/var-service-pkcs7.h"

/*
 * What decides is the anchor, not dates or algorithms of certificates; that
 * the digest of a signer is SHA-2 is checked by the parser.
 */
#define VERIFY_FLAGS (GNUTLS_VERIFY_ALLOW_BROKEN |                          \
                      GNUTLS_VERIFY_DISABLE_TIME_CHECKS |                   \
                      GNUTLS_VERIFY_DISABLE_TRUSTED_TIME_CHECKS)

/* edk2 reads the digest algorithm at a fixed offset behind such lengths (S4) */
#define MIN_SIGNED_DATA     0x100   /* outer lengths have two bytes */
#define MAX_ALGORITHMS      0x7f    /* length of digestAlgorithms has one */

#define MAX_COMMON_NAME     127     /* bytes of it that a binding covers */

/* Identifier octets */
enum {
    DER_INTEGER         = 0x02,
    DER_BIT_STRING      = 0x03,
    DER_OCTET_STRING    = 0x04,
    DER_NULL            = 0x05,
    DER_OID             = 0x06,
    DER_UTF8_STRING     = 0x0c,
    DER_NUMERIC_STRING  = 0x12,
    DER_PRINTABLE_STRING = 0x13,
    DER_T61_STRING      = 0x14,
    DER_IA5_STRING      = 0x16,
    DER_VISIBLE_STRING  = 0x1a,
    DER_UNIVERSAL_STRING = 0x1c,
    DER_BMP_STRING      = 0x1e,
    DER_SEQUENCE        = 0x30,
    DER_SET             = 0x31,
    DER_CONTEXT_0       = 0xa0,
    DER_CONTEXT_1       = 0xa1,
};

/* 1.2.840.113549.1.7.1 and .2 */
static const uint8_t oid_data[] = {
    0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01
};
static const uint8_t oid_signed_data[] = {
    0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02
};
/* 2.16.840.1.101.3.4.2.1 to .3 */
static const uint8_t oid_sha256[] = {
    0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01
};
static const uint8_t oid_sha384[] = {
    0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02
};
static const uint8_t oid_sha512[] = {
    0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03
};

/* Part of a buffer that somebody else owns */
typedef struct Slice {
    const uint8_t *data;
    size_t size;
} Slice;

typedef struct Cert {
    Slice der;
    Slice tbs;                  /* what is signed, and inside of it: */
    Slice serial;
    Slice issuer;
    Slice subject;
    Slice signature;

    /* Known when it has been read */
    gnutls_x509_crt_t crt;
    bool understood;            /* asks for nothing that is not looked at */
    bool authority;
    int path_len;               /* of an authority; -1: any */
    unsigned effort;            /* of using the key; 0: not to be used */
} Cert;

/* A certificate that a signer leads to, and how many are in between */
typedef struct Link {
    const Cert *cert;
    unsigned depth;
} Link;

typedef struct Signer {
    Slice issuer;
    Slice serial;
    gnutls_digest_algorithm_t digest;
    const Cert *cert;
    Link path[UEFI_LIMIT_CERTIFICATES];
    size_t path_len;
} Signer;

struct UefiPkcs7 {
    GBytes *der;                /* ContentInfo; slices point into it */
    gnutls_pkcs7_t handle;
    gnutls_digest_algorithm_t digest;   /* the request's algorithm */
    unsigned digests;           /* all SHA-2 ones announced, bits */
    Cert certs[UEFI_LIMIT_CERTIFICATES];
    size_t n_certs;
    Signer signers[UEFI_LIMIT_SIGNERS];
    size_t n_signers;
    unsigned effort;            /* spent on keys, RSA-2048 verifications */
    size_t parse_effort;        /* spent on names, bytes squared */
    size_t ignored;             /* bytes of what decides nothing */
    bool verified;              /* every signer has a certificate and signed */
};

bool uefi_pkcs7_available(void)
{
    return true;
}

/* ------------------------------------------------------------------------ */
/* DER */

/*
 * Take the element at the front of @in, which must have the tag @tag.
 * Returns false, with @in untouched, for anything but DER.
 */
static bool der_take(Slice *in, uint8_t tag, Slice *value, Slice *whole)
{
    uint8_t shortest[1 + sizeof(unsigned long)];
    int len_size, shortest_size;
    long len;

    if (in->size < 2 || in->size > INT_MAX || in->data[0] != tag) {
        return false;
    }
    len = asn1_get_length_der(in->data + 1, in->size - 1, &len_size);
    if (len < 0 || len > in->size - 1 - len_size) {
        return false;
    }
    asn1_length_der(len, shortest, &shortest_size);
    if (len_size != shortest_size) {
        return false;
    }
    *value = (Slice) { in->data + 1 + len_size, len };
    if (whole) {
        *whole = (Slice) { in->data, 1 + len_size + len };
    }
    in->data = value->data + len;
    in->size -= 1 + len_size + len;
    return true;
}

static bool der_at(const Slice *in, uint8_t tag)
{
    return in->size && in->data[0] == tag;
}

static bool slice_equal(const Slice *a, const void *data, size_t size)
{
    return a->size == size && memcmp(a->data, data, size) == 0;
}

static bool der_take_oid(Slice *in, const uint8_t *oid, size_t size)
{
    Slice value;

    return der_take(in, DER_OID, &value, NULL) &&
           slice_equal(&value, oid, size);
}

/* Versions are not signed; PKCS#7 has only this one */
static bool der_take_version_1(Slice *in)
{
    Slice value;

    return der_take(in, DER_INTEGER, &value, NULL) &&
           slice_equal(&value, "\1", 1);
}

/* An AlgorithmIdentifier without parameters, or with NULL for them */
static bool der_take_algorithm(Slice *in, Slice *oid)
{
    Slice body, null = { };

    return der_take(in, DER_SEQUENCE, &body, NULL) &&
           der_take(&body, DER_OID, oid, NULL) &&
           (body.size == 0 || der_take(&body, DER_NULL, &null, NULL)) &&
           body.size == 0 && null.size == 0;
}

/* ------------------------------------------------------------------------ */
/* Certificates */

/* Find the parts of the certificate at the front of @der */
static bool cert_scan(Cert *cert, Slice der)
{
    Slice body, tbs, value, bits;

    *cert = (Cert) { };
    if (!der_take(&der, DER_SEQUENCE, &body, &cert->der) ||
        !der_take(&body, DER_SEQUENCE, &tbs, &cert->tbs) ||
        !der_take(&body, DER_SEQUENCE, &value, NULL) ||
        !der_take(&body, DER_BIT_STRING, &bits, NULL) || body.size) {
        return false;
    }
    /* the first byte is the number of unused bits in the last one */
    if (bits.size == 0 || bits.data[0]) {
        return false;
    }
    cert->signature = (Slice) { bits.data + 1, bits.size - 1 };
    /* version, serial number, algorithm, issuer, validity, subject, ... */
    return (!der_at(&tbs, DER_CONTEXT_0) ||
            der_take(&tbs, DER_CONTEXT_0, &value, NULL)) &&
           der_take(&tbs, DER_INTEGER, &cert->serial, NULL) &&
           der_take(&tbs, DER_SEQUENCE, &value, NULL) &&
           der_take(&tbs, DER_SEQUENCE, &value, &cert->issuer) &&
           der_take(&tbs, DER_SEQUENCE, &value, NULL) &&
           der_take(&tbs, DER_SEQUENCE, &value, &cert->subject);
}

/* What one use costs, in verifications with RSA-2048 and the exponent 65537 */
static unsigned rsa_effort(gnutls_x509_crt_t crt, unsigned bits)
{
    gnutls_datum_t modulus, exponent;
    unsigned size;

    if (bits > UEFI_LIMIT_KEY_BITS ||
        gnutls_x509_crt_get_pk_rsa_raw(crt, &modulus, &exponent) < 0) {
        return 0;
    }
    size = exponent.size;
    gnutls_free(modulus.data);
    gnutls_free(exponent.data);
    /* as OpenSSL has it, plus the sign byte */
    return size <= sizeof(uint64_t) + 1
           ? DIV_ROUND_UP(bits * bits / 2048 * size, 2048 * 3) : 0;
}

/* The same for any key, as measured; 0 for one that is not used */
static unsigned key_effort(gnutls_x509_crt_t crt)
{
    unsigned bits = 0;

    switch (gnutls_x509_crt_get_pk_algorithm(crt, &bits)) {
    case GNUTLS_PK_ECDSA:
        return DIV_ROUND_UP(bits * bits, 128 * 128);
    case GNUTLS_PK_RSA:
        return rsa_effort(crt, bits);
    default:
        return 0;
    }
}

/* Whether the certificate asks for nothing that is not looked at here */
static bool is_understood(gnutls_x509_crt_t crt)
{
    /* key usage, subject name, basic constraints, policies, purposes */
    static const char *const known[] = {
        "2.5.29.15", "2.5.29.17", "2.5.29.19", "2.5.29.32", "2.5.29.33",
        "2.5.29.36", "2.5.29.37", "2.5.29.54", NULL
    };

    for (unsigned i = 0; i <= UEFI_LIMIT_EXTENSIONS; i++) {
        char oid[64];
        size_t size = sizeof(oid);
        unsigned critical;
        int ret = gnutls_x509_crt_get_extension_info(crt, i, oid, &size,
                                                     &critical);

        if (ret == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE) {
            return true;
        }
        if (ret < 0 || (critical && !g_strv_contains(known, oid))) {
            return false;
        }
    }
    return false;
}

/*
 * Whether the certificate is that of an authority.  One without basic
 * constraints is if it is of version 1 and self-signed, or says that its key
 * signs certificates.
 */
static bool is_authority(gnutls_x509_crt_t crt, int *path_len)
{
    unsigned usage, ca;
    int ret;
    bool has_usage = gnutls_x509_crt_get_key_usage(crt, &usage, NULL) >= 0;

    *path_len = -1;
    if (has_usage && !(usage & GNUTLS_KEY_KEY_CERT_SIGN)) {
        return false;
    }
    ret = gnutls_x509_crt_get_basic_constraints(crt, NULL, &ca, path_len);
    if (ret >= 0) {
        return ca;
    }
    return ret == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE &&
           (has_usage || (gnutls_x509_crt_get_version(crt) == 1 &&
                          gnutls_x509_crt_check_issuer(crt, crt)));
}

/* GnuTLS takes up to the square of the size in time, for names above all. */
static bool spend_parse_effort(size_t *effort, size_t size, size_t limit)
{
    *effort += size * size;
    return *effort <= limit;
}

/* Let GnuTLS read what cert_scan() has found */
static bool cert_import(Cert *cert)
{
    gnutls_datum_t datum = { (uint8_t *)cert->der.data, cert->der.size };

    if (gnutls_x509_crt_init(&cert->crt) < 0) {
        return false;
    }
    gnutls_x509_crt_set_flags(cert->crt, GNUTLS_X509_CRT_FLAG_IGNORE_SANITY);
    if (gnutls_x509_crt_import(cert->crt, &datum, GNUTLS_X509_FMT_DER) < 0) {
        gnutls_x509_crt_deinit(cert->crt);
        cert->crt = NULL;
        return false;
    }
    return true;
}

/* The same, and find out what a chain depends on */
static bool cert_read(Cert *cert)
{
    if (!cert_import(cert)) {
        return false;
    }
    cert->understood = is_understood(cert->crt);
    cert->authority = is_authority(cert->crt, &cert->path_len);
    cert->effort = key_effort(cert->crt);
    return true;
}

static bool spend_key_effort(UefiPkcs7 *p7, const Cert *cert)
{
    if (p7->effort <= UEFI_LIMIT_KEY_EFFORT) {
        p7->effort += cert->effort;
    }
    return cert->effort && p7->effort <= UEFI_LIMIT_KEY_EFFORT;
}

static bool names_issuer(const Cert *cert, const Cert *issuer)
{
    return slice_equal(&cert->issuer, issuer->subject.data,
                       issuer->subject.size);
}

/*
 * Whether @issuer has signed @cert, with @depth others between that and a
 * signer.  What costs time comes last.
 */
static bool cert_issued(UefiPkcs7 *p7, const Cert *issuer, const Cert *cert,
                        unsigned depth)
{
    gnutls_datum_t data = { (uint8_t *)cert->tbs.data, cert->tbs.size };
    gnutls_datum_t signature = {
        (uint8_t *)cert->signature.data, cert->signature.size
    };
    int algo;

    if (!cert->understood || !names_issuer(cert, issuer) ||
        !issuer->authority ||
        (issuer->path_len >= 0 && depth > issuer->path_len) ||
        !spend_key_effort(p7, issuer) ||
        !gnutls_x509_crt_check_issuer(cert->crt, issuer->crt)) {
        return false;
    }
    algo = gnutls_x509_crt_get_signature_algorithm(cert->crt);
    return algo > 0 &&
           gnutls_x509_crt_verify_data2(issuer->crt, algo, VERIFY_FLAGS, &data,
                                        &signature) >= 0;
}

UefiReason uefi_x509_check_rsa_key(const uint8_t *der, size_t size,
                                   size_t *effort)
{
    Cert cert;
    bool rsa;

    if (!cert_scan(&cert, (Slice) { der, size })) {
        return UEFI_REASON_SIGLIST_CERT;
    }
    if (!spend_parse_effort(effort, cert.der.size, UEFI_LIMIT_VALUE_EFFORT)) {
        return UEFI_REASON_SIGLIST_LIMIT;
    }
    if (!cert_import(&cert)) {
        return UEFI_REASON_SIGLIST_CERT;
    }
    rsa = gnutls_x509_crt_get_pk_algorithm(cert.crt, NULL) == GNUTLS_PK_RSA;
    gnutls_x509_crt_deinit(cert.crt);
    return rsa ? UEFI_REASON_OK : UEFI_REASON_SIGLIST_CERT;
}

/* Text of somebody else's, safe to print on a terminal */
static char *make_printable(const gnutls_datum_t *text)
{
    g_autofree char *valid = g_utf8_make_valid((char *)text->data, text->size);
    GString *out = g_string_sized_new(text->size);

    for (const char *p = valid; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);

        g_string_append_unichar(out, g_unichar_isprint(c) ? c : '?');
    }
    return g_string_free(out, FALSE);
}

char *uefi_x509_subject(const uint8_t *der, size_t size)
{
    gnutls_datum_t dn;
    char *text = NULL;
    Cert cert;

    if (!cert_scan(&cert, (Slice) { der, size }) || !cert_import(&cert)) {
        return NULL;
    }
    if (gnutls_x509_crt_get_dn3(cert.crt, &dn, 0) >= 0) {
        text = make_printable(&dn);
        gnutls_free(dn.data);
    }
    gnutls_x509_crt_deinit(cert.crt);
    return text;
}

/* ------------------------------------------------------------------------ */
/* Parser */

static gnutls_digest_algorithm_t digest_of(const Slice *oid)
{
    if (slice_equal(oid, oid_sha256, sizeof(oid_sha256))) {
        return GNUTLS_DIG_SHA256;
    }
    if (slice_equal(oid, oid_sha384, sizeof(oid_sha384))) {
        return GNUTLS_DIG_SHA384;
    }
    if (slice_equal(oid, oid_sha512, sizeof(oid_sha512))) {
        return GNUTLS_DIG_SHA512;
    }
    return GNUTLS_DIG_UNKNOWN;
}

static UefiReason parse_digests(UefiPkcs7 *p7, Slice *in)
{
    Slice set, oid;

    if (!der_take(in, DER_SET, &set, NULL) || set.size > MAX_ALGORITHMS) {
        return UEFI_REASON_PKCS7_MALFORMED;
    }
    for (bool first = true; set.size; first = false) {
        gnutls_digest_algorithm_t digest;

        if (!der_take_algorithm(&set, &oid)) {
            return UEFI_REASON_PKCS7_MALFORMED;
        }
        digest = digest_of(&oid);
        if (digest != GNUTLS_DIG_UNKNOWN) {
            p7->digests |= 1u << digest;
        }
        if (first) {
            p7->digest = digest;
        }
    }
    return p7->digest == GNUTLS_DIG_UNKNOWN ? UEFI_REASON_PKCS7_DIGEST
                                            : UEFI_REASON_OK;
}

/* Plain data; embedded ones are allowed and ignored */
static UefiReason parse_content(Slice *in)
{
    Slice body, content = { };

    if (!der_take(in, DER_SEQUENCE, &body, NULL) ||
        !der_take_oid(&body, oid_data, sizeof(oid_data)) ||
        (body.size && !der_take(&body, DER_CONTEXT_0, &content, NULL)) ||
        body.size) {
        return UEFI_REASON_PKCS7_MALFORMED;
    }
    return UEFI_REASON_OK;
}

static UefiReason parse_certificates(UefiPkcs7 *p7, Slice *in)
{
    Slice set;

    if (!der_at(in, DER_CONTEXT_0)) {
        return UEFI_REASON_OK;
    }
    if (!der_take(in, DER_CONTEXT_0, &set, NULL)) {
        return UEFI_REASON_PKCS7_MALFORMED;
    }
    while (set.size) {
        Cert *cert = &p7->certs[p7->n_certs];

        if (p7->n_certs == UEFI_LIMIT_CERTIFICATES) {
            return UEFI_REASON_PKCS7_LIMIT;
        }
        if (!cert_scan(cert, set)) {
            return UEFI_REASON_PKCS7_MALFORMED;
        }
        if (!spend_parse_effort(&p7->parse_effort, cert->der.size,
                                UEFI_LIMIT_PARSE_EFFORT)) {
            return UEFI_REASON_PKCS7_LIMIT;
        }
        if (!cert_read(cert)) {
            return UEFI_REASON_PKCS7_MALFORMED;
        }
        set.data += cert->der.size;
        set.size -= cert->der.size;
        p7->n_certs++;
    }
    return UEFI_REASON_OK;
}

/* Whether there may be so many bytes more that GnuTLS has to go through */
static bool may_ignore(UefiPkcs7 *p7, size_t size)
{
    p7->ignored += size;
    return p7->ignored <= UEFI_LIMIT_IGNORED_BYTES;
}

/* Only their number and size matters here; GnuTLS looks inside. */
static UefiReason parse_attributes(UefiPkcs7 *p7, Slice *in, uint8_t tag)
{
    Slice set, body;

    if (!der_at(in, tag)) {
        return UEFI_REASON_OK;
    }
    if (!der_take(in, tag, &set, NULL)) {
        return UEFI_REASON_PKCS7_MALFORMED;
    }
    if (!may_ignore(p7, set.size)) {
        return UEFI_REASON_PKCS7_LIMIT;
    }
    for (int i = 0; set.size; i++) {
        if (i == UEFI_LIMIT_ATTRIBUTES) {
            return UEFI_REASON_PKCS7_LIMIT;
        }
        if (!der_take(&set, DER_SEQUENCE, &body, NULL)) {
            return UEFI_REASON_PKCS7_MALFORMED;
        }
    }
    return UEFI_REASON_OK;
}

static UefiReason parse_signer(UefiPkcs7 *p7, Slice in, Signer *signer)
{
    Slice name, value, oid, signature;
    UefiReason reason;

    if (!der_take_version_1(&in) ||
        !der_take(&in, DER_SEQUENCE, &name, NULL) ||
        !der_take(&name, DER_SEQUENCE, &value, &signer->issuer) ||
        !der_take(&name, DER_INTEGER, &signer->serial, NULL) || name.size ||
        !der_take_algorithm(&in, &oid)) {
        return UEFI_REASON_PKCS7_MALFORMED;
    }
    if (!spend_parse_effort(&p7->parse_effort, signer->issuer.size,
                            UEFI_LIMIT_PARSE_EFFORT)) {
        return UEFI_REASON_PKCS7_LIMIT;
    }
    signer->digest = digest_of(&oid);
    if (signer->digest == GNUTLS_DIG_UNKNOWN ||
        !(p7->digests & 1u << signer->digest)) {
        return UEFI_REASON_PKCS7_DIGEST;
    }
    reason = parse_attributes(p7, &in, DER_CONTEXT_0);
    if (reason != UEFI_REASON_OK) {
        return reason;
    }
    if (!der_take_algorithm(&in, &oid) ||
        !der_take(&in, DER_OCTET_STRING, &signature, NULL)) {
        return UEFI_REASON_PKCS7_MALFORMED;
    }
    reason = parse_attributes(p7, &in, DER_CONTEXT_1);
    if (reason == UEFI_REASON_OK && in.size) {
        reason = UEFI_REASON_PKCS7_MALFORMED;
    }
    return reason;
}

static UefiReason parse_signers(UefiPkcs7 *p7, Slice *in)
{
    UefiReason reason = UEFI_REASON_OK;
    Slice set, body;

    if (!der_take(in, DER_SET, &set, NULL)) {
        return UEFI_REASON_PKCS7_MALFORMED;
    }
    while (reason == UEFI_REASON_OK && set.size) {
        if (!der_take(&set, DER_SEQUENCE, &body, NULL)) {
            return UEFI_REASON_PKCS7_MALFORMED;
        }
        if (p7->n_signers == UEFI_LIMIT_SIGNERS) {
            return UEFI_REASON_PKCS7_LIMIT;
        }
        reason = parse_signer(p7, body, &p7->signers[p7->n_signers++]);
    }
    return reason;
}

static UefiReason parse_signed_data(UefiPkcs7 *p7, Slice in)
{
    UefiReason reason;
    Slice crls = { };

    if (!der_take_version_1(&in)) {
        return UEFI_REASON_PKCS7_MALFORMED;
    }
    reason = parse_digests(p7, &in);
    if (reason == UEFI_REASON_OK) {
        reason = parse_content(&in);
    }
    if (reason == UEFI_REASON_OK) {
        reason = parse_certificates(p7, &in);
    }
    if (reason != UEFI_REASON_OK) {
        return reason;
    }
    if (der_at(&in, DER_CONTEXT_1) &&
        !der_take(&in, DER_CONTEXT_1, &crls, NULL)) {
        return UEFI_REASON_PKCS7_MALFORMED;
    }
    if (!may_ignore(p7, crls.size)) {
        return UEFI_REASON_PKCS7_LIMIT;
    }
    reason = parse_signers(p7, &in);
    if (reason == UEFI_REASON_OK && in.size) {
        reason = UEFI_REASON_PKCS7_MALFORMED;
    }
    return reason;
}

static void put_two_byte_length(GByteArray *out, uint8_t tag, size_t size)
{
    uint8_t head[] = { tag, 0x82, size >> 8, size };

    g_byte_array_append(out, head, sizeof(head));
}

/* Put a ContentInfo around a bare SignedData (7.3) */
static GBytes *wrap(const uint8_t *der, size_t size)
{
    const uint8_t oid[] = { DER_OID, sizeof(oid_signed_data) };
    GByteArray *out = g_byte_array_sized_new(size + 32);

    put_two_byte_length(out, DER_SEQUENCE,
                        sizeof(oid) + sizeof(oid_signed_data) + 4 + size);
    g_byte_array_append(out, oid, sizeof(oid));
    g_byte_array_append(out, oid_signed_data, sizeof(oid_signed_data));
    put_two_byte_length(out, DER_CONTEXT_0, size);
    g_byte_array_append(out, der, size);
    return g_byte_array_free_to_bytes(out);
}

static UefiReason parse_content_info(UefiPkcs7 *p7)
{
    Slice in, body, content, signed_data;
    gnutls_datum_t datum;
    UefiReason reason;

    in.data = g_bytes_get_data(p7->der, &in.size);
    if (!der_take(&in, DER_SEQUENCE, &body, NULL) || in.size ||
        !der_take_oid(&body, oid_signed_data, sizeof(oid_signed_data)) ||
        !der_take(&body, DER_CONTEXT_0, &content, NULL) || body.size ||
        !der_take(&content, DER_SEQUENCE, &signed_data, NULL) ||
        content.size || signed_data.size < MIN_SIGNED_DATA) {
        return UEFI_REASON_PKCS7_MALFORMED;
    }
    reason = parse_signed_data(p7, signed_data);
    if (reason != UEFI_REASON_OK) {
        return reason;
    }
    datum.data = (uint8_t *)g_bytes_get_data(p7->der, NULL);
    datum.size = g_bytes_get_size(p7->der);
    if (gnutls_pkcs7_init(&p7->handle) < 0 ||
        gnutls_pkcs7_import(p7->handle, &datum, GNUTLS_X509_FMT_DER) < 0) {
        return UEFI_REASON_PKCS7_MALFORMED;
    }
    return UEFI_REASON_OK;
}

UefiPkcs7 *uefi_pkcs7_parse(const uint8_t *der, size_t size,
                            UefiReason *reason)
{
    g_autoptr(UefiPkcs7) p7 = g_new0(UefiPkcs7, 1);
    Slice in = { der, size }, body;

    /* Either begins with a SEQUENCE; one with an OID inside is ContentInfo. */
    *reason = UEFI_REASON_PKCS7_MALFORMED;
    if (size > UINT16_MAX - 64 ||
        !der_take(&in, DER_SEQUENCE, &body, NULL)) {
        return NULL;
    }
    p7->der = der_at(&body, DER_OID) ? g_bytes_new(der, size)
                                     : wrap(der, size);
    *reason = parse_content_info(p7);
    return *reason == UEFI_REASON_OK ? g_steal_pointer(&p7) : NULL;
}

void uefi_pkcs7_free(UefiPkcs7 *p7)
{
    if (!p7) {
        return;
    }
    for (size_t i = 0; i < p7->n_certs; i++) {
        gnutls_x509_crt_deinit(p7->certs[i].crt);
    }
    if (p7->handle) {
        gnutls_pkcs7_deinit(p7->handle);
    }
    g_bytes_unref(p7->der);
    g_free(p7);
}

/* ------------------------------------------------------------------------ */
/* Verification */

static const Cert *find_cert(const UefiPkcs7 *p7, const Signer *signer)
{
    for (size_t i = 0; i < p7->n_certs; i++) {
        const Cert *cert = &p7->certs[i];

        if (slice_equal(&cert->serial, signer->serial.data,
                        signer->serial.size) &&
            slice_equal(&cert->issuer, signer->issuer.data,
                        signer->issuer.size)) {
            return cert;
        }
    }
    return NULL;
}

/*
 * The algorithm that GnuTLS is going to use must be the one that is announced
 * in the two places that it may not look at.
 */
static bool algorithm_agrees(UefiPkcs7 *p7, size_t i)
{
    gnutls_pkcs7_signature_info_st info;
    gnutls_pk_algorithm_t pk;
    gnutls_digest_algorithm_t digest;

    if (gnutls_pkcs7_get_signature_info(p7->handle, i, &info) < 0) {
        return false;
    }
    pk = gnutls_sign_get_pk_algorithm(info.algo);
    digest = gnutls_sign_get_hash_algorithm(info.algo);
    gnutls_pkcs7_signature_info_deinit(&info);
    return digest == p7->signers[i].digest &&
           (pk == GNUTLS_PK_RSA || pk == GNUTLS_PK_ECDSA);
}

/* All embedded certificates that lead from the signer to an anchor */
static void find_path(UefiPkcs7 *p7, Signer *signer)
{
    bool seen[UEFI_LIMIT_CERTIFICATES] = { };

    seen[signer->cert - p7->certs] = true;
    signer->path[0] = (Link) { signer->cert, 0 };
    signer->path_len = 1;
    for (size_t i = 0; i < signer->path_len; i++) {
        const Link *link = &signer->path[i];

        for (size_t j = 0; j < p7->n_certs; j++) {
            const Cert *issuer = &p7->certs[j];

            if (!seen[j] &&
                cert_issued(p7, issuer, link->cert, link->depth)) {
                seen[j] = true;
                signer->path[signer->path_len++] =
                    (Link) { issuer, link->depth + 1 };
            }
        }
    }
}

UefiReason uefi_pkcs7_verify(UefiPkcs7 *p7, const uint8_t *data, size_t size)
{
    gnutls_datum_t datum = { (uint8_t *)data, size };

    if (p7->n_signers == 0) {
        return UEFI_REASON_PKCS7_NO_SIGNER;
    }
    for (size_t i = 0; i < p7->n_signers; i++) {
        Signer *signer = &p7->signers[i];

        signer->cert = find_cert(p7, signer);
        if (!signer->cert) {
            return UEFI_REASON_PKCS7_NO_CERT;
        }
        if (!spend_key_effort(p7, signer->cert)) {
            return UEFI_REASON_PKCS7_LIMIT;
        }
        if (!algorithm_agrees(p7, i) ||
            gnutls_pkcs7_verify_direct(p7->handle, signer->cert->crt, i,
                                       &datum, VERIFY_FLAGS) < 0) {
            return UEFI_REASON_PKCS7_SIGNATURE;
        }
    }
    for (size_t i = 0; i < p7->n_signers; i++) {
        find_path(p7, &p7->signers[i]);
    }
    p7->verified = true;
    return UEFI_REASON_OK;
}

static bool is_same(const Cert *a, const Cert *b)
{
    return slice_equal(&a->der, b->der.data, b->der.size);
}

/* Whether the names alone let a signer chain to @anchor */
static bool is_candidate(const UefiPkcs7 *p7, const Cert *anchor)
{
    for (size_t i = 0; i < p7->n_signers; i++) {
        for (size_t j = 0; j < p7->signers[i].path_len; j++) {
            const Cert *cert = p7->signers[i].path[j].cert;

            if (is_same(cert, anchor) || names_issuer(cert, anchor)) {
                return true;
            }
        }
    }
    return false;
}

static bool signer_chains_to(UefiPkcs7 *p7, const Signer *signer,
                             const Cert *anchor)
{
    for (size_t i = 0; i < signer->path_len; i++) {
        const Link *link = &signer->path[i];

        if (is_same(link->cert, anchor) ||
            cert_issued(p7, anchor, link->cert, link->depth)) {
            return true;
        }
    }
    return false;
}

static bool all_chain_to(UefiPkcs7 *p7, Slice anchor)
{
    bool all = true;
    Cert cert;

    if (!cert_scan(&cert, anchor) || !is_candidate(p7, &cert) ||
        !spend_parse_effort(&p7->parse_effort, cert.der.size,
                            UEFI_LIMIT_PARSE_EFFORT) || !cert_read(&cert)) {
        return false;
    }
    for (size_t i = 0; i < p7->n_signers && all; i++) {
        all = signer_chains_to(p7, &p7->signers[i], &cert);
    }
    gnutls_x509_crt_deinit(cert.crt);
    return all;
}

UefiReason uefi_pkcs7_chains_to(UefiPkcs7 *p7, const uint8_t *anchor,
                                size_t size)
{
    if (!p7->verified) {
        return UEFI_REASON_PKCS7_SIGNATURE;
    }
    if (all_chain_to(p7, (Slice) { anchor, size })) {
        return UEFI_REASON_OK;
    }
    return p7->effort <= UEFI_LIMIT_KEY_EFFORT &&
           p7->parse_effort <= UEFI_LIMIT_PARSE_EFFORT
           ? UEFI_REASON_PKCS7_CHAIN : UEFI_REASON_PKCS7_LIMIT;
}

/* ------------------------------------------------------------------------ */
/* Who signed */

size_t uefi_pkcs7_signers(const UefiPkcs7 *p7)
{
    return p7->verified ? p7->n_signers : 0;
}

const uint8_t *uefi_pkcs7_signer(const UefiPkcs7 *p7, size_t i, size_t *size)
{
    const Slice *der = &p7->signers[i].cert->der;

    *size = der->size;
    return der->data;
}

const uint8_t *uefi_pkcs7_last_certificate(const UefiPkcs7 *p7, size_t *size)
{
    const Slice *der = &p7->certs[p7->n_certs - 1].der;

    *size = der->size;
    return der->data;
}

size_t uefi_pkcs7_digest_size(const UefiPkcs7 *p7)
{
    return gnutls_hash_get_len(p7->digest);
}

static GBytes *hash(gnutls_digest_algorithm_t digest, const GByteArray *data)
{
    size_t size = gnutls_hash_get_len(digest);
    g_autofree uint8_t *out = g_malloc(size);

    if (gnutls_hash_fast(digest, data->data, data->len, out) < 0) {
        return NULL;
    }
    return g_bytes_new_take(g_steal_pointer(&out), size);
}

/* A string with @width bytes for each character, the highest first, as UTF-8 */
static void append_chars(GString *out, const Slice *chars, unsigned width)
{
    for (size_t i = 0; i + width <= chars->size; i += width) {
        uint32_t c = 0;

        for (unsigned j = 0; j < width; j++) {
            c = c << 8 | chars->data[i + j];
        }
        g_string_append_unichar(out, c);
    }
}

/* The value of an attribute of a name as UTF-8, in any of the string types */
static GString *string_to_utf8(Slice der)
{
    GString *out = g_string_new(NULL);
    uint8_t tag = der.size ? der.data[0] : 0;
    Slice chars;

    if (!der_take(&der, tag, &chars, NULL)) {
        return out;
    }
    switch (tag) {
    case DER_UTF8_STRING:
        g_string_append_len(out, (const char *)chars.data, chars.size);
        break;
    case DER_NUMERIC_STRING:
    case DER_PRINTABLE_STRING:
    case DER_T61_STRING:        /* Latin-1 in practice */
    case DER_IA5_STRING:
    case DER_VISIBLE_STRING:
        append_chars(out, &chars, 1);
        break;
    case DER_BMP_STRING:
        append_chars(out, &chars, 2);
        break;
    case DER_UNIVERSAL_STRING:
        append_chars(out, &chars, 4);
        break;
    }
    return out;
}

/* Returns false when there is no common name */
static bool append_common_name(GByteArray *out, const Cert *cert)
{
    g_autofree uint8_t *raw = NULL;
    GString *text;
    size_t size = 0;

    if (gnutls_x509_crt_get_dn_by_oid(cert->crt, GNUTLS_OID_X520_COMMON_NAME,
                                      0, 1, NULL, &size) !=
        GNUTLS_E_SHORT_MEMORY_BUFFER) {
        return false;
    }
    raw = g_malloc(size);
    if (gnutls_x509_crt_get_dn_by_oid(cert->crt, GNUTLS_OID_X520_COMMON_NAME,
                                      0, 1, raw, &size) < 0) {
        return false;
    }
    text = string_to_utf8((Slice) { raw, size });
    size = MIN(strlen(text->str), MAX_COMMON_NAME);
    g_byte_array_append(out, (const uint8_t *)text->str, size);
    g_string_free(text, TRUE);
    return size > 0;
}

GBytes *uefi_pkcs7_binding(const UefiPkcs7 *p7)
{
    g_autoptr(GByteArray) data = g_byte_array_new();
    const Slice *tbs;

    if (!p7->verified ||
        !append_common_name(data, p7->signers[p7->n_signers - 1].cert)) {
        return NULL;
    }
    tbs = &p7->signers[0].cert->tbs;
    g_byte_array_append(data, tbs->data, tbs->size);
    return hash(p7->digest, data);
}

GBytes *uefi_pkcs7_binding_of_qemu(const UefiPkcs7 *p7)
{
    g_autoptr(GByteArray) data = g_byte_array_new();
    uint8_t fingerprint[32];
    const uint8_t *last;
    size_t size;

    if (!p7->verified ||
        !append_common_name(data, p7->signers[p7->n_signers - 1].cert)) {
        return NULL;
    }
    last = uefi_pkcs7_last_certificate(p7, &size);
    if (gnutls_hash_fast(GNUTLS_DIG_SHA256, last, size, fingerprint) < 0) {
        return NULL;
    }
    g_byte_array_append(data, fingerprint, sizeof(fingerprint));
    return hash(GNUTLS_DIG_SHA256, data);
}
