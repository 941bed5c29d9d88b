/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: X.509 certificates, with GnuTLS
 *
 * A certificate is first walked strictly, which finds its parts and bounds
 * what a library has to loop over; then GnuTLS reads it.
 */

#include "qemu/osdep.h"
#include <gnutls/x509.h>
#include "hw/uefi/var-service-utils.h"
#include "hw/uefi/var-service-x509.h"

/*
 * What decides is the anchor, not dates or algorithms of certificates; that
 * the digest of a signer is SHA-2 is checked by the parser.
 */
#define VERIFY_FLAGS (GNUTLS_VERIFY_ALLOW_BROKEN |                          \
                      GNUTLS_VERIFY_DISABLE_TIME_CHECKS |                   \
                      GNUTLS_VERIFY_DISABLE_TRUSTED_TIME_CHECKS)

#define MAX_COMMON_NAME     127     /* bytes of it that a binding covers */

bool uefi_cert_scan(UefiCert *cert, UefiDer der)
{
    UefiDer body, tbs, value, bits;

    *cert = (UefiCert) { };
    if (!uefi_der_take(&der, DER_SEQUENCE, &body, &cert->der) ||
        !uefi_der_take(&body, DER_SEQUENCE, &tbs, &cert->tbs) ||
        !uefi_der_take(&body, DER_SEQUENCE, &value, NULL) ||
        !uefi_der_take(&body, DER_BIT_STRING, &bits, NULL) || body.size) {
        return false;
    }
    /* the first byte is the number of unused bits in the last one */
    if (bits.size == 0 || bits.data[0]) {
        return false;
    }
    cert->signature = (UefiDer) { bits.data + 1, bits.size - 1 };
    /* version, serial number, algorithm, issuer, validity, subject, ... */
    return (!uefi_der_at(&tbs, DER_CONTEXT_0) ||
            uefi_der_take(&tbs, DER_CONTEXT_0, &value, NULL)) &&
           uefi_der_take(&tbs, DER_INTEGER, &cert->serial, NULL) &&
           uefi_der_take(&tbs, DER_SEQUENCE, &value, NULL) &&
           uefi_der_take(&tbs, DER_SEQUENCE, &value, &cert->issuer) &&
           uefi_der_take(&tbs, DER_SEQUENCE, &value, NULL) &&
           uefi_der_take(&tbs, DER_SEQUENCE, &value, &cert->subject);
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

bool uefi_effort_spend_parse(size_t *effort, size_t size, size_t limit)
{
    *effort += size * size;
    return *effort <= limit;
}

/* Let GnuTLS read what uefi_cert_scan() has found */
static bool cert_import(UefiCert *cert)
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

bool uefi_cert_read(UefiCert *cert)
{
    if (!cert_import(cert)) {
        return false;
    }
    cert->understood = is_understood(cert->crt);
    cert->authority = is_authority(cert->crt, &cert->path_len);
    cert->effort = key_effort(cert->crt);
    return true;
}

void uefi_cert_clear(UefiCert *cert)
{
    if (cert->crt) {
        gnutls_x509_crt_deinit(cert->crt);
        cert->crt = NULL;
    }
}

bool uefi_effort_spend_key(unsigned *effort, const UefiCert *cert)
{
    if (*effort <= UEFI_LIMIT_KEY_EFFORT) {
        *effort += cert->effort;
    }
    return cert->effort && *effort <= UEFI_LIMIT_KEY_EFFORT;
}

bool uefi_cert_names_issuer(const UefiCert *cert, const UefiCert *issuer)
{
    return uefi_der_equal(&cert->issuer, issuer->subject.data,
                       issuer->subject.size);
}

/* What costs time comes last. */
bool uefi_cert_issued(const UefiCert *issuer, const UefiCert *cert,
                      unsigned depth, unsigned *effort)
{
    gnutls_datum_t data = { (uint8_t *)cert->tbs.data, cert->tbs.size };
    gnutls_datum_t signature = {
        (uint8_t *)cert->signature.data, cert->signature.size
    };
    int algo;

    if (!cert->understood || !uefi_cert_names_issuer(cert, issuer) ||
        !issuer->authority ||
        (issuer->path_len >= 0 && depth > issuer->path_len) ||
        !uefi_effort_spend_key(effort, issuer) ||
        !gnutls_x509_crt_check_issuer(cert->crt, issuer->crt)) {
        return false;
    }
    algo = gnutls_x509_crt_get_signature_algorithm(cert->crt);
    return algo > 0 &&
           gnutls_x509_crt_verify_data2(issuer->crt, algo, VERIFY_FLAGS, &data,
                                        &signature) >= 0;
}

bool uefi_cert_same(const UefiCert *a, const UefiCert *b)
{
    return uefi_der_equal(&a->der, b->der.data, b->der.size);
}

/* ------------------------------------------------------------------------ */
/* Names */

/* A string with @width bytes for each character, the highest first, as UTF-8 */
static void append_chars(GString *out, const UefiDer *chars, unsigned width)
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
static GString *string_to_utf8(UefiDer der)
{
    GString *out = g_string_new(NULL);
    uint8_t tag = der.size ? der.data[0] : 0;
    UefiDer chars;

    if (!uefi_der_take(&der, tag, &chars, NULL)) {
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

bool uefi_cert_append_common_name(GByteArray *out, const UefiCert *cert)
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
    text = string_to_utf8((UefiDer) { raw, size });
    size = MIN(strlen(text->str), MAX_COMMON_NAME);
    g_byte_array_append(out, (const uint8_t *)text->str, size);
    g_string_free(text, TRUE);
    return size > 0;
}

UefiReason uefi_x509_check_rsa_key(const uint8_t *der, size_t size,
                                   size_t *effort)
{
    UefiCert cert;
    bool rsa;

    if (!uefi_cert_scan(&cert, (UefiDer) { der, size })) {
        return UEFI_REASON_SIGLIST_CERT;
    }
    if (!uefi_effort_spend_parse(effort, cert.der.size,
                                 UEFI_LIMIT_VALUE_EFFORT)) {
        return UEFI_REASON_SIGLIST_LIMIT;
    }
    if (!cert_import(&cert)) {
        return UEFI_REASON_SIGLIST_CERT;
    }
    rsa = gnutls_x509_crt_get_pk_algorithm(cert.crt, NULL) == GNUTLS_PK_RSA;
    uefi_cert_clear(&cert);
    return rsa ? UEFI_REASON_OK : UEFI_REASON_SIGLIST_CERT;
}

/* Text of somebody else's, safe to print on a terminal */
static char *make_printable(const gnutls_datum_t *text)
{
    g_autofree char *valid = g_utf8_make_valid((char *)text->data, text->size);
    g_autofree uint16_t *str = g_utf8_to_utf16(valid, -1, NULL, NULL, NULL);
    GString *out = g_string_sized_new(text->size);

    uefi_str_append_visible(out, str);
    return g_string_free(out, FALSE);
}

typedef int (*GetName)(gnutls_x509_crt_t crt, gnutls_datum_t *name,
                       unsigned flags);

static char *get_name(const UefiCert *cert, GetName get)
{
    gnutls_datum_t dn;
    char *text;

    if (get(cert->crt, &dn, 0) < 0) {
        return NULL;
    }
    text = make_printable(&dn);
    gnutls_free(dn.data);
    return text;
}

UefiX509Info *uefi_x509_info_new(const uint8_t *der, size_t size)
{
    UefiX509Info *info;
    UefiCert cert;

    if (!uefi_cert_scan(&cert, (UefiDer) { der, size }) ||
        !cert_import(&cert)) {
        return NULL;
    }
    info = g_new0(UefiX509Info, 1);
    info->subject = get_name(&cert, gnutls_x509_crt_get_dn3);
    info->issuer = get_name(&cert, gnutls_x509_crt_get_issuer_dn3);
    info->begins = gnutls_x509_crt_get_activation_time(cert.crt);
    info->ends = gnutls_x509_crt_get_expiration_time(cert.crt);
    uefi_cert_clear(&cert);
    return info;
}

void uefi_x509_info_free(UefiX509Info *info)
{
    if (info) {
        g_free(info->subject);
        g_free(info->issuer);
        g_free(info);
    }
}
