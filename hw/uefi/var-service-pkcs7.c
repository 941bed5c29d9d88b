/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: detached signatures
 *
 * A signature is walked strictly: what is not DER, or not signed and could be
 * changed freely, is refused where anything depends on it, and every number is
 * bounded before something loops over it.
 *
 * Chains are built here rather than by a trust list of GnuTLS because its
 * answer depends on the clock and on the crypto policy of the host.  They are
 * built as OpenSSL does it for edk2: from the signer up, one certificate at a
 * time, and never back.
 */

#include "qemu/osdep.h"
#include "hw/uefi/var-service-pkcs7.h"
#include "hw/uefi/var-service-x509.h"

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
/* 1.2.840.113549.1.9.4 */
static const uint8_t oid_message_digest[] = {
    0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x04
};
/* 1.3.14.3.2.26 */
static const uint8_t oid_sha1[] = { 0x2b, 0x0e, 0x03, 0x02, 0x1a };
/* 2.16.840.1.101.3.4.2.4, then .1 to .3 */
static const uint8_t oid_sha224[] = {
    0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x04
};
static const uint8_t oid_sha256[] = {
    0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01
};
static const uint8_t oid_sha384[] = {
    0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02
};
static const uint8_t oid_sha512[] = {
    0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03
};

typedef struct Signer {
    GBytes *issuer;             /* to be compared; owned */
    UefiDer serial;
    UefiDigest digest;
    UefiDer attributes;         /* all that are signed; no data: none are */
    UefiDer message_digest;     /* the one of them that counts */
    UefiDer algorithm;          /* of the signature, not covered by it */
    UefiDer signature;
    /* Its certificate, and others that may have issued each the one before */
    const UefiCert *chain[UEFI_LIMIT_CERTIFICATES];
    size_t chain_len;
    size_t proven;              /* have been signed by their successor */
    bool broken;                /* the next one has not */
} Signer;

struct UefiPkcs7 {
    GBytes *der;                /* ContentInfo; slices point into it */
    UefiDigest digest;          /* the request's algorithm */
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

static UefiDigest digest_of(const UefiDer *oid)
{
    if (uefi_der_equal(oid, oid_sha256, sizeof(oid_sha256))) {
        return UEFI_DIGEST_SHA256;
    }
    if (uefi_der_equal(oid, oid_sha384, sizeof(oid_sha384))) {
        return UEFI_DIGEST_SHA384;
    }
    if (uefi_der_equal(oid, oid_sha512, sizeof(oid_sha512))) {
        return UEFI_DIGEST_SHA512;
    }
    return UEFI_DIGEST_NONE;
}

/* May be announced as well, but does not count */
static bool is_old_digest(const UefiDer *oid)
{
    return uefi_der_equal(oid, oid_sha1, sizeof(oid_sha1)) ||
           uefi_der_equal(oid, oid_sha224, sizeof(oid_sha224));
}

/* Versions are not signed; PKCS#7 has 1, and CMS 3 for the very same. */
static bool take_version(UefiDer *in)
{
    unsigned version;

    return uefi_der_take_small(in, &version) && (version == 1 || version == 3);
}

static UefiReason parse_digests(UefiPkcs7 *p7, UefiDer *in)
{
    UefiDer set, oid;

    if (!uefi_der_take(in, DER_SET, &set, NULL) || set.size > MAX_ALGORITHMS) {
        return UEFI_REASON_PKCS7_MALFORMED;
    }
    for (bool first = true; set.size; first = false) {
        UefiDigest digest;

        if (!uefi_der_take_algorithm(&set, &oid)) {
            return UEFI_REASON_PKCS7_MALFORMED;
        }
        digest = digest_of(&oid);
        if (digest != UEFI_DIGEST_NONE) {
            p7->digests |= 1u << digest;
        } else if (!is_old_digest(&oid)) {
            return UEFI_REASON_PKCS7_DIGEST;
        }
        if (first) {
            p7->digest = digest;
        }
    }
    return p7->digest == UEFI_DIGEST_NONE ? UEFI_REASON_PKCS7_DIGEST
                                            : UEFI_REASON_OK;
}

/* Plain data; embedded ones are allowed and ignored */
static UefiReason parse_content(UefiDer *in)
{
    UefiDer body, content, data;

    if (!uefi_der_take(in, DER_SEQUENCE, &body, NULL) ||
        !uefi_der_take_oid(&body, oid_data, sizeof(oid_data))) {
        return UEFI_REASON_PKCS7_MALFORMED;
    }
    if (body.size &&
        (!uefi_der_take(&body, DER_CONTEXT_0, &content, NULL) || body.size ||
         !uefi_der_take(&content, DER_OCTET_STRING, &data, NULL) ||
         content.size)) {
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
        p7->n_certs++;
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
    }
    return UEFI_REASON_OK;
}

/* Whether there may be so many bytes more that decide nothing */
static bool spend_ignored(UefiPkcs7 *p7, size_t size)
{
    p7->ignored += size;
    return p7->ignored <= UEFI_LIMIT_IGNORED_BYTES;
}

/* One attribute; the only one that matters must be there once. */
static bool parse_attribute(UefiDer in, UefiDer *message_digest)
{
    UefiDer oid, values, value;

    if (!uefi_der_take(&in, DER_OID, &oid, NULL) ||
        !uefi_der_take(&in, DER_SET, &values, NULL) || in.size) {
        return false;
    }
    if (message_digest && uefi_der_equal(&oid, oid_message_digest,
                                         sizeof(oid_message_digest))) {
        return !message_digest->data &&
               uefi_der_take(&values, DER_OCTET_STRING, message_digest,
                             NULL) && !values.size;
    }
    while (values.size) {
        if (!uefi_der_take(&values, values.data[0], &value, NULL)) {
            return false;
        }
    }
    return true;
}

/*
 * @whole: set to all of them
 * @message_digest: set to the value of the one that is called so; may be NULL
 */
static UefiReason parse_attributes(UefiPkcs7 *p7, UefiDer *in, uint8_t tag,
                                   UefiDer *whole, UefiDer *message_digest)
{
    UefiDer set, body;

    if (!uefi_der_take(in, tag, &set, whole)) {
        return UEFI_REASON_PKCS7_MALFORMED;
    }
    if (!spend_ignored(p7, set.size)) {
        return UEFI_REASON_PKCS7_LIMIT;
    }
    for (int i = 0; set.size; i++) {
        if (i == UEFI_LIMIT_ATTRIBUTES) {
            return UEFI_REASON_PKCS7_LIMIT;
        }
        if (!uefi_der_take(&set, DER_SEQUENCE, &body, NULL) ||
            !parse_attribute(body, message_digest)) {
            return UEFI_REASON_PKCS7_MALFORMED;
        }
    }
    return UEFI_REASON_OK;
}

static UefiReason parse_signed_attributes(UefiPkcs7 *p7, UefiDer *in,
                                          Signer *signer)
{
    UefiReason reason = UEFI_REASON_OK;

    if (uefi_der_at(in, DER_CONTEXT_0)) {
        reason = parse_attributes(p7, in, DER_CONTEXT_0, &signer->attributes,
                                  &signer->message_digest);
        if (reason == UEFI_REASON_OK && !signer->message_digest.data) {
            reason = UEFI_REASON_PKCS7_MALFORMED;
        }
    }
    return reason;
}

static UefiReason parse_signer_id(UefiPkcs7 *p7, UefiDer *in, Signer *signer)
{
    UefiDer id, name, whole;

    if (!take_version(in) || !uefi_der_take(in, DER_SEQUENCE, &id, NULL) ||
        !uefi_der_take(&id, DER_SEQUENCE, &name, &whole) ||
        !uefi_der_take(&id, DER_INTEGER, &signer->serial, NULL) || id.size) {
        return UEFI_REASON_PKCS7_MALFORMED;
    }
    if (!uefi_effort_spend_parse(&p7->parse_effort, whole.size,
                                 UEFI_LIMIT_PARSE_EFFORT)) {
        return UEFI_REASON_PKCS7_LIMIT;
    }
    signer->issuer = uefi_x509_name(name);
    return signer->issuer ? UEFI_REASON_OK : UEFI_REASON_PKCS7_MALFORMED;
}

static UefiReason parse_signature(UefiPkcs7 *p7, UefiDer *in, Signer *signer)
{
    UefiReason reason = UEFI_REASON_OK;

    if (!uefi_der_take_algorithm(in, &signer->algorithm) ||
        !uefi_der_take(in, DER_OCTET_STRING, &signer->signature, NULL)) {
        return UEFI_REASON_PKCS7_MALFORMED;
    }
    if (uefi_der_at(in, DER_CONTEXT_1)) {
        /* such as a time stamp; nothing depends on them */
        reason = parse_attributes(p7, in, DER_CONTEXT_1, NULL, NULL);
    }
    if (reason == UEFI_REASON_OK && in->size) {
        reason = UEFI_REASON_PKCS7_MALFORMED;
    }
    return reason;
}

static UefiReason parse_signer(UefiPkcs7 *p7, UefiDer in, Signer *signer)
{
    UefiReason reason = parse_signer_id(p7, &in, signer);
    UefiDer oid;

    if (reason != UEFI_REASON_OK) {
        return reason;
    }
    if (!uefi_der_take_algorithm(&in, &oid)) {
        return UEFI_REASON_PKCS7_MALFORMED;
    }
    signer->digest = digest_of(&oid);
    if (signer->digest == UEFI_DIGEST_NONE ||
        !(p7->digests & 1u << signer->digest)) {
        return UEFI_REASON_PKCS7_DIGEST;
    }
    reason = parse_signed_attributes(p7, &in, signer);
    return reason == UEFI_REASON_OK ? parse_signature(p7, &in, signer)
                                    : reason;
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

    if (!take_version(&in)) {
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

    in.data = g_bytes_get_data(p7->der, &in.size);
    if (!uefi_der_take(&in, DER_SEQUENCE, &body, NULL) || in.size ||
        !uefi_der_take_oid(&body, oid_signed_data, sizeof(oid_signed_data)) ||
        !uefi_der_take(&body, DER_CONTEXT_0, &content, NULL) || body.size ||
        !uefi_der_take(&content, DER_SEQUENCE, &signed_data, NULL) ||
        content.size || signed_data.size < MIN_SIGNED_DATA) {
        return UEFI_REASON_PKCS7_MALFORMED;
    }
    return parse_signed_data(p7, signed_data);
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
    for (size_t i = 0; i < p7->n_signers; i++) {
        g_clear_pointer(&p7->signers[i].issuer, g_bytes_unref);
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
            g_bytes_equal(cert->issuer, signer->issuer)) {
            return cert;
        }
    }
    return NULL;
}

static bool in_chain(const Signer *signer, const UefiCert *cert)
{
    for (size_t i = 0; i < signer->chain_len; i++) {
        if (uefi_cert_same(signer->chain[i], cert)) {
            return true;
        }
    }
    return false;
}

/* The first embedded certificate that goes on with the chain of a signer */
static const UefiCert *find_issuer(const UefiPkcs7 *p7, const Signer *signer)
{
    const UefiCert *last = signer->chain[signer->chain_len - 1];

    for (size_t i = 0; !last->self_signed && i < p7->n_certs; i++) {
        const UefiCert *cert = &p7->certs[i];

        if (uefi_cert_may_have_issued(cert, last) && !in_chain(signer, cert)) {
            return cert;
        }
    }
    return NULL;
}

/* Signed attributes are signed as the SET that they are, in their order. */
static bool attributes_signed(const Signer *signer)
{
    g_autofree uint8_t *set = g_memdup2(signer->attributes.data,
                                        signer->attributes.size);

    set[0] = DER_SET;
    return uefi_cert_signed(signer->chain[0], signer->digest,
                            (UefiDer) { set, signer->attributes.size },
                            signer->signature);
}

static bool signer_signed(const Signer *signer, UefiDer data)
{
    uint8_t digest[UEFI_DIGEST_MAX_SIZE];

    if (!signer->attributes.data) {
        return uefi_cert_signed(signer->chain[0], signer->digest, data,
                                signer->signature);
    }
    return uefi_digest(signer->digest, data.data, data.size, digest) &&
           uefi_der_equal(&signer->message_digest, digest,
                          uefi_digest_size(signer->digest)) &&
           attributes_signed(signer);
}

static UefiReason verify_signer(UefiPkcs7 *p7, Signer *signer, UefiDer data)
{
    const UefiCert *cert = find_cert(p7, signer);

    if (!cert) {
        return UEFI_REASON_PKCS7_NO_CERT;
    }
    if (!uefi_effort_spend_key(&p7->effort, cert)) {
        return UEFI_REASON_PKCS7_LIMIT;
    }
    if (!uefi_cert_can_sign_by(cert, &signer->algorithm, signer->digest)) {
        return UEFI_REASON_PKCS7_ALGORITHM;
    }
    while (cert) {
        signer->chain[signer->chain_len++] = cert;
        cert = find_issuer(p7, signer);
    }
    return signer_signed(signer, data) ? UEFI_REASON_OK
                                       : UEFI_REASON_PKCS7_SIGNATURE;
}

UefiReason uefi_pkcs7_verify(UefiPkcs7 *p7, const uint8_t *data, size_t size)
{
    UefiReason reason = UEFI_REASON_OK;

    if (p7->n_signers == 0) {
        return UEFI_REASON_PKCS7_NO_SIGNER;
    }
    for (size_t i = 0; reason == UEFI_REASON_OK && i < p7->n_signers; i++) {
        reason = verify_signer(p7, &p7->signers[i], (UefiDer) { data, size });
    }
    p7->verified = reason == UEFI_REASON_OK;
    return reason;
}

bool uefi_pkcs7_is_over(UefiPkcs7 *p7, const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < p7->n_signers; i++) {
        const Signer *signer = &p7->signers[i];

        if (!signer->chain_len ||
            !uefi_effort_spend_key(&p7->effort, signer->chain[0]) ||
            !signer_signed(signer, (UefiDer) { data, size })) {
            return false;
        }
    }
    return p7->n_signers > 0;
}

/* ------------------------------------------------------------------------ */
/* Trust */

/*
 * Where @anchor goes on with the chain of a signer: how many certificates are
 * below it.  Returns 0 if it does not.
 */
static size_t find_place(const Signer *signer, const UefiCert *anchor)
{
    for (size_t i = 0; i < signer->chain_len; i++) {
        const UefiCert *cert = signer->chain[i];

        if (!uefi_cert_may_have_issued(anchor, cert)) {
            continue;
        }
        if (!cert->self_signed) {
            return i + 1;
        }
        /* One that only looks the same is not the same. */
        return uefi_cert_same(cert, anchor) ? i : 0;
    }
    return 0;
}

/* Whether the first @n of a chain have each been signed by the next one */
static bool prove(UefiPkcs7 *p7, Signer *signer, size_t n)
{
    while (signer->proven < n && !signer->broken) {
        const UefiCert *cert = signer->chain[signer->proven];
        const UefiCert *issuer = signer->chain[signer->proven + 1];

        if (!uefi_effort_spend_key(&p7->effort, issuer)) {
            return false;
        }
        signer->broken = !uefi_cert_signed_cert(issuer, cert);
        signer->proven += !signer->broken;
    }
    return signer->proven >= n;
}

/*
 * Whether all may be used, and those above the first, a signer, may issue what
 * is below them.  Name constraints are not evaluated, so nobody has any.
 */
static bool may_issue(const UefiCert *const *path, size_t n)
{
    size_t below = 0;

    for (size_t i = 0; i < n; i++) {
        if (!path[i]->usable || (path[i]->constrained && n > 1)) {
            return false;
        }
        if (i > 0) {
            if (!uefi_cert_is_authority(path[i], i == n - 1, below)) {
                return false;
            }
            below += !path[i]->self_issued;
        }
    }
    return true;
}

/*
 * Without @anchor above, the signer itself may be what is trusted.  Its chain
 * still has to be in order, as edk2 has it.
 */
static bool signer_chains_to(UefiPkcs7 *p7, Signer *signer,
                             const UefiCert *anchor)
{
    const UefiCert *path[UEFI_LIMIT_CERTIFICATES + 1];
    size_t below = find_place(signer, anchor);
    bool is_signer = !below && uefi_cert_same(signer->chain[0], anchor);
    size_t n = is_signer ? signer->chain_len : below;

    if (n == 0) {
        return false;
    }
    memcpy(path, signer->chain, n * sizeof(path[0]));
    path[n] = anchor;
    if (!may_issue(path, n + !is_signer) || !prove(p7, signer, n - 1)) {
        return false;
    }
    return is_signer || (uefi_effort_spend_key(&p7->effort, anchor) &&
                         uefi_cert_signed_cert(anchor, path[n - 1]));
}

/* Whether the names alone let a signer chain to @anchor */
static bool is_candidate(const UefiPkcs7 *p7, const UefiCert *anchor)
{
    for (size_t i = 0; i < p7->n_signers; i++) {
        for (size_t j = 0; j < p7->signers[i].chain_len; j++) {
            const UefiCert *cert = p7->signers[i].chain[j];

            if (uefi_cert_same(cert, anchor) ||
                g_bytes_equal(cert->issuer, anchor->subject)) {
                return true;
            }
        }
    }
    return false;
}

static bool all_chain_to(UefiPkcs7 *p7, UefiDer anchor)
{
    g_auto(UefiCert) cert = { };
    bool all = true;

    if (!uefi_cert_scan(&cert, anchor) || !is_candidate(p7, &cert) ||
        !uefi_effort_spend_parse(&p7->parse_effort, cert.der.size,
                                 UEFI_LIMIT_PARSE_EFFORT) ||
        !uefi_cert_read(&cert)) {
        return false;
    }
    for (size_t i = 0; i < p7->n_signers && all; i++) {
        all = signer_chains_to(p7, &p7->signers[i], &cert);
    }
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
    const UefiDer *der = &p7->signers[i].chain[0]->der;

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
    return uefi_digest_size(p7->digest);
}

static GBytes *hash(UefiDigest digest, const GByteArray *data)
{
    uint8_t out[UEFI_DIGEST_MAX_SIZE];

    return uefi_digest(digest, data->data, data->len, out)
           ? g_bytes_new(out, uefi_digest_size(digest)) : NULL;
}

GBytes *uefi_pkcs7_binding(const UefiPkcs7 *p7)
{
    g_autoptr(GByteArray) data = g_byte_array_new();
    const UefiDer *tbs;

    if (!p7->verified ||
        !uefi_cert_append_common_name(
            data, p7->signers[p7->n_signers - 1].chain[0])) {
        return NULL;
    }
    tbs = &p7->signers[0].chain[0]->tbs;
    g_byte_array_append(data, tbs->data, tbs->size);
    return hash(p7->digest, data);
}

GBytes *uefi_pkcs7_binding_of_qemu(const UefiPkcs7 *p7)
{
    g_autoptr(GByteArray) data = g_byte_array_new();
    uint8_t fingerprint[UEFI_DIGEST_MAX_SIZE];
    const uint8_t *last;
    size_t size;

    if (!p7->verified ||
        !uefi_cert_append_common_name(
            data, p7->signers[p7->n_signers - 1].chain[0])) {
        return NULL;
    }
    last = uefi_pkcs7_last_certificate(p7, &size);
    if (!uefi_digest(UEFI_DIGEST_SHA256, last, size, fingerprint)) {
        return NULL;
    }
    g_byte_array_append(data, fingerprint,
                        uefi_digest_size(UEFI_DIGEST_SHA256));
    return hash(UEFI_DIGEST_SHA256, data);
}
