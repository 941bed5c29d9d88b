/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: detached signatures, with GnuTLS
 *
 * A signature is read in two passes.  The first walks the outer structure
 * strictly: it finds what GnuTLS has no call for, bounds every number before a
 * library loops over it, and refuses what is not DER or not signed and could
 * be changed freely.  The second is
 * GnuTLS, which does all of the cryptography.
 *
 * Chains are built here rather than by a trust list of GnuTLS because its
 * answer depends on the clock and on the crypto policy of the host.
 */

#include "qemu/osdep.h"
#include <gnutls/crypto.h>
#include <gnutls/pkcs7.h>
#include <gnutls/x509.h>
#include "hw/uefi/var-service-pkcs7.h"
#include "hw/uefi/var-service-x509.h"

/* Of certificates, the anchor decides, not dates or algorithms. */
#define VERIFY_FLAGS (GNUTLS_VERIFY_ALLOW_BROKEN |                          \
                      GNUTLS_VERIFY_DISABLE_TIME_CHECKS |                   \
                      GNUTLS_VERIFY_DISABLE_TRUSTED_TIME_CHECKS)

/* edk2 reads the digest algorithm at a fixed offset behind such lengths (S4) */
#define MIN_SIGNED_DATA     0x100   /* outer lengths have two bytes */
#define MAX_ALGORITHMS      0x7f    /* length of digestAlgorithms has one */

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

/* A certificate that a signer leads to, and how many are in between */
typedef struct Link {
    const UefiCert *cert;
    unsigned depth;
} Link;

typedef struct Signer {
    UefiDer issuer;
    UefiDer serial;
    gnutls_digest_algorithm_t digest;
    const UefiCert *cert;
    Link reached[UEFI_LIMIT_CERTIFICATES];  /* any order */
    size_t n_reached;
} Signer;

struct UefiPkcs7 {
    GBytes *der;                /* ContentInfo; slices point into it */
    gnutls_pkcs7_t handle;
    gnutls_digest_algorithm_t digest;   /* the request's algorithm */
    unsigned digests;           /* all SHA-2 ones announced, bits */
    UefiCert certs[UEFI_LIMIT_CERTIFICATES];
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
/* Parser */

static gnutls_digest_algorithm_t digest_of(const UefiDer *oid)
{
    if (uefi_der_equal(oid, oid_sha256, sizeof(oid_sha256))) {
        return GNUTLS_DIG_SHA256;
    }
    if (uefi_der_equal(oid, oid_sha384, sizeof(oid_sha384))) {
        return GNUTLS_DIG_SHA384;
    }
    if (uefi_der_equal(oid, oid_sha512, sizeof(oid_sha512))) {
        return GNUTLS_DIG_SHA512;
    }
    return GNUTLS_DIG_UNKNOWN;
}

static UefiReason parse_digests(UefiPkcs7 *p7, UefiDer *in)
{
    UefiDer set, oid;

    if (!uefi_der_take(in, DER_SET, &set, NULL) || set.size > MAX_ALGORITHMS) {
        return UEFI_REASON_PKCS7_MALFORMED;
    }
    for (bool first = true; set.size; first = false) {
        gnutls_digest_algorithm_t digest;

        if (!uefi_der_take_algorithm(&set, &oid)) {
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
static UefiReason parse_content(UefiDer *in)
{
    UefiDer body, content = { };

    if (!uefi_der_take(in, DER_SEQUENCE, &body, NULL) ||
        !uefi_der_take_oid(&body, oid_data, sizeof(oid_data)) ||
        (body.size && !uefi_der_take(&body, DER_CONTEXT_0, &content, NULL)) ||
        body.size) {
        return UEFI_REASON_PKCS7_MALFORMED;
    }
    return UEFI_REASON_OK;
}

static UefiReason parse_certificates(UefiPkcs7 *p7, UefiDer *in)
{
    UefiDer set;

    if (!uefi_der_at(in, DER_CONTEXT_0)) {
        return UEFI_REASON_OK;
    }
    if (!uefi_der_take(in, DER_CONTEXT_0, &set, NULL)) {
        return UEFI_REASON_PKCS7_MALFORMED;
    }
    while (set.size) {
        UefiCert *cert = &p7->certs[p7->n_certs];

        if (p7->n_certs == UEFI_LIMIT_CERTIFICATES) {
            return UEFI_REASON_PKCS7_LIMIT;
        }
        if (!uefi_cert_scan(cert, set)) {
            return UEFI_REASON_PKCS7_MALFORMED;
        }
        if (!uefi_effort_spend_parse(&p7->parse_effort, cert->der.size,
                                UEFI_LIMIT_PARSE_EFFORT)) {
            return UEFI_REASON_PKCS7_LIMIT;
        }
        if (!uefi_cert_read(cert)) {
            return UEFI_REASON_PKCS7_MALFORMED;
        }
        set.data += cert->der.size;
        set.size -= cert->der.size;
        p7->n_certs++;
    }
    return UEFI_REASON_OK;
}

/* Whether there may be so many bytes more that decide nothing */
static bool spend_ignored(UefiPkcs7 *p7, size_t size)
{
    p7->ignored += size;
    return p7->ignored <= UEFI_LIMIT_IGNORED_BYTES;
}

/* Only their number and size matters here; GnuTLS looks inside. */
static UefiReason parse_attributes(UefiPkcs7 *p7, UefiDer *in, uint8_t tag)
{
    UefiDer set, body;

    if (!uefi_der_at(in, tag)) {
        return UEFI_REASON_OK;
    }
    if (!uefi_der_take(in, tag, &set, NULL)) {
        return UEFI_REASON_PKCS7_MALFORMED;
    }
    if (!spend_ignored(p7, set.size)) {
        return UEFI_REASON_PKCS7_LIMIT;
    }
    for (int i = 0; set.size; i++) {
        if (i == UEFI_LIMIT_ATTRIBUTES) {
            return UEFI_REASON_PKCS7_LIMIT;
        }
        if (!uefi_der_take(&set, DER_SEQUENCE, &body, NULL)) {
            return UEFI_REASON_PKCS7_MALFORMED;
        }
    }
    return UEFI_REASON_OK;
}

static UefiReason parse_signer(UefiPkcs7 *p7, UefiDer in, Signer *signer)
{
    UefiDer name, value, oid, signature;
    UefiReason reason;

    if (!uefi_der_take_version_1(&in) ||
        !uefi_der_take(&in, DER_SEQUENCE, &name, NULL) ||
        !uefi_der_take(&name, DER_SEQUENCE, &value, &signer->issuer) ||
        !uefi_der_take(&name, DER_INTEGER, &signer->serial, NULL) ||
        name.size ||
        !uefi_der_take_algorithm(&in, &oid)) {
        return UEFI_REASON_PKCS7_MALFORMED;
    }
    if (!uefi_effort_spend_parse(&p7->parse_effort, signer->issuer.size,
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
    if (!uefi_der_take_algorithm(&in, &oid) ||
        !uefi_der_take(&in, DER_OCTET_STRING, &signature, NULL)) {
        return UEFI_REASON_PKCS7_MALFORMED;
    }
    reason = parse_attributes(p7, &in, DER_CONTEXT_1);
    if (reason == UEFI_REASON_OK && in.size) {
        reason = UEFI_REASON_PKCS7_MALFORMED;
    }
    return reason;
}

static UefiReason parse_signers(UefiPkcs7 *p7, UefiDer *in)
{
    UefiReason reason = UEFI_REASON_OK;
    UefiDer set, body;

    if (!uefi_der_take(in, DER_SET, &set, NULL)) {
        return UEFI_REASON_PKCS7_MALFORMED;
    }
    while (reason == UEFI_REASON_OK && set.size) {
        if (!uefi_der_take(&set, DER_SEQUENCE, &body, NULL)) {
            return UEFI_REASON_PKCS7_MALFORMED;
        }
        if (p7->n_signers == UEFI_LIMIT_SIGNERS) {
            return UEFI_REASON_PKCS7_LIMIT;
        }
        reason = parse_signer(p7, body, &p7->signers[p7->n_signers++]);
    }
    return reason;
}

static UefiReason parse_signed_data(UefiPkcs7 *p7, UefiDer in)
{
    UefiReason reason;
    UefiDer crls = { };

    if (!uefi_der_take_version_1(&in)) {
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
    if (uefi_der_at(&in, DER_CONTEXT_1) &&
        !uefi_der_take(&in, DER_CONTEXT_1, &crls, NULL)) {
        return UEFI_REASON_PKCS7_MALFORMED;
    }
    if (!spend_ignored(p7, crls.size)) {
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
    UefiDer in, body, content, signed_data;
    gnutls_datum_t datum;
    UefiReason reason;

    in.data = g_bytes_get_data(p7->der, &in.size);
    if (!uefi_der_take(&in, DER_SEQUENCE, &body, NULL) || in.size ||
        !uefi_der_take_oid(&body, oid_signed_data, sizeof(oid_signed_data)) ||
        !uefi_der_take(&body, DER_CONTEXT_0, &content, NULL) || body.size ||
        !uefi_der_take(&content, DER_SEQUENCE, &signed_data, NULL) ||
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
    UefiDer in = { der, size }, body;

    /* Either begins with a SEQUENCE; one with an OID inside is ContentInfo. */
    *reason = UEFI_REASON_PKCS7_MALFORMED;
    if (size > UINT16_MAX - 64 ||
        !uefi_der_take(&in, DER_SEQUENCE, &body, NULL)) {
        return NULL;
    }
    p7->der = uefi_der_at(&body, DER_OID) ? g_bytes_new(der, size)
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
        uefi_cert_clear(&p7->certs[i]);
    }
    if (p7->handle) {
        gnutls_pkcs7_deinit(p7->handle);
    }
    g_bytes_unref(p7->der);
    g_free(p7);
}

/* ------------------------------------------------------------------------ */
/* Verification */

static const UefiCert *find_cert(const UefiPkcs7 *p7, const Signer *signer)
{
    for (size_t i = 0; i < p7->n_certs; i++) {
        const UefiCert *cert = &p7->certs[i];

        if (uefi_der_equal(&cert->serial, signer->serial.data,
                        signer->serial.size) &&
            uefi_der_equal(&cert->issuer, signer->issuer.data,
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
static void find_reached(UefiPkcs7 *p7, Signer *signer)
{
    bool seen[UEFI_LIMIT_CERTIFICATES] = { };

    seen[signer->cert - p7->certs] = true;
    signer->reached[0] = (Link) { signer->cert, 0 };
    signer->n_reached = 1;
    for (size_t i = 0; i < signer->n_reached; i++) {
        const Link *link = &signer->reached[i];

        for (size_t j = 0; j < p7->n_certs; j++) {
            const UefiCert *issuer = &p7->certs[j];

            if (!seen[j] &&
                uefi_cert_issued(issuer, link->cert, link->depth,
                                 &p7->effort)) {
                seen[j] = true;
                signer->reached[signer->n_reached++] =
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
        if (!uefi_effort_spend_key(&p7->effort, signer->cert)) {
            return UEFI_REASON_PKCS7_LIMIT;
        }
        if (!algorithm_agrees(p7, i) ||
            gnutls_pkcs7_verify_direct(p7->handle, signer->cert->crt, i,
                                       &datum, VERIFY_FLAGS) < 0) {
            return UEFI_REASON_PKCS7_SIGNATURE;
        }
    }
    for (size_t i = 0; i < p7->n_signers; i++) {
        find_reached(p7, &p7->signers[i]);
    }
    p7->verified = true;
    return UEFI_REASON_OK;
}

/* Whether the names alone let a signer chain to @anchor */
static bool is_candidate(const UefiPkcs7 *p7, const UefiCert *anchor)
{
    for (size_t i = 0; i < p7->n_signers; i++) {
        for (size_t j = 0; j < p7->signers[i].n_reached; j++) {
            const UefiCert *cert = p7->signers[i].reached[j].cert;

            if (uefi_cert_same(cert, anchor) ||
                uefi_cert_names_issuer(cert, anchor)) {
                return true;
            }
        }
    }
    return false;
}

static bool signer_chains_to(UefiPkcs7 *p7, const Signer *signer,
                             const UefiCert *anchor)
{
    for (size_t i = 0; i < signer->n_reached; i++) {
        const Link *link = &signer->reached[i];

        if (uefi_cert_same(link->cert, anchor) ||
            uefi_cert_issued(anchor, link->cert, link->depth, &p7->effort)) {
            return true;
        }
    }
    return false;
}

static bool all_chain_to(UefiPkcs7 *p7, UefiDer anchor)
{
    bool all = true;
    UefiCert cert;

    if (!uefi_cert_scan(&cert, anchor) || !is_candidate(p7, &cert) ||
        !uefi_effort_spend_parse(&p7->parse_effort, cert.der.size,
                                 UEFI_LIMIT_PARSE_EFFORT) ||
        !uefi_cert_read(&cert)) {
        return false;
    }
    for (size_t i = 0; i < p7->n_signers && all; i++) {
        all = signer_chains_to(p7, &p7->signers[i], &cert);
    }
    uefi_cert_clear(&cert);
    return all;
}

UefiReason uefi_pkcs7_chains_to(UefiPkcs7 *p7, const uint8_t *anchor,
                                size_t size)
{
    if (!p7->verified) {
        return UEFI_REASON_PKCS7_SIGNATURE;
    }
    if (all_chain_to(p7, (UefiDer) { anchor, size })) {
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
    const UefiDer *der = &p7->signers[i].cert->der;

    *size = der->size;
    return der->data;
}

const uint8_t *uefi_pkcs7_last_certificate(const UefiPkcs7 *p7, size_t *size)
{
    const UefiDer *der = &p7->certs[p7->n_certs - 1].der;

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

GBytes *uefi_pkcs7_binding(const UefiPkcs7 *p7)
{
    g_autoptr(GByteArray) data = g_byte_array_new();
    const UefiDer *tbs;

    if (!p7->verified ||
        !uefi_cert_append_common_name(
            data, p7->signers[p7->n_signers - 1].cert)) {
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
        !uefi_cert_append_common_name(
            data, p7->signers[p7->n_signers - 1].cert)) {
        return NULL;
    }
    last = uefi_pkcs7_last_certificate(p7, &size);
    if (gnutls_hash_fast(GNUTLS_DIG_SHA256, last, size, fingerprint) < 0) {
        return NULL;
    }
    g_byte_array_append(data, fingerprint, sizeof(fingerprint));
    return hash(GNUTLS_DIG_SHA256, data);
}
