/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: keys, certificates and signatures, with GnuTLS
 */

#include "qemu/osdep.h"
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/pkcs7.h>
#include <gnutls/x509.h>
#include "tool.h"
#include "hw/uefi/var-service-status.h"

#define KEY_BITS        2048            /* what every firmware can verify */
#define SERIAL_SIZE     16              /* bytes */
#define VALID_SECONDS   (3650LL * 24 * 60 * 60)

struct ToolSigner {
    gnutls_x509_crt_t crt;
    gnutls_privkey_t key;
};

/* Whether @status is no error; otherwise says so of @name */
static bool good(int status, const char *name)
{
    if (status < 0) {
        tool_fail("%s: %s", name, gnutls_strerror(status));
    }
    return status >= 0;
}

static gnutls_datum_t datum(GBytes *bytes)
{
    gsize size;
    const void *data = g_bytes_get_data(bytes, &size);

    return (gnutls_datum_t) { .data = (void *)data, .size = size };
}

/* What GnuTLS has allocated, as bytes of ours */
static GBytes *take(gnutls_datum_t *out)
{
    GBytes *bytes = g_bytes_new(out->data, out->size);

    gnutls_free(out->data);
    return bytes;
}

bool tool_is_pem(GBytes *file)
{
    gnutls_datum_t text = datum(file);

    return text.size && g_strstr_len((char *)text.data, text.size,
                                     "-----BEGIN ");
}

/* ------------------------------------------------------------------------ */
/* Certificates */

static GBytes *crt_export(gnutls_x509_crt_t crt, gnutls_x509_crt_fmt_t format,
                          const char *name)
{
    gnutls_datum_t out;

    return good(gnutls_x509_crt_export2(crt, format, &out), name) ? take(&out)
                                                                  : NULL;
}

/* What the device takes for a certificate is one here, too. */
static bool add_certificate(GPtrArray *ders, GBytes *der, const char *name)
{
    g_autoptr(GBytes) owned = der;
    gsize size;
    const uint8_t *data = g_bytes_get_data(der, &size);
    g_autoptr(UefiX509Info) info = uefi_x509_info_new(data, size);

    if (!info) {
        tool_fail("%s: there is a certificate that cannot be read", name);
        return false;
    }
    g_ptr_array_add(ders, g_steal_pointer(&owned));
    return true;
}

static bool add_pem(GPtrArray *ders, GBytes *file, const char *name)
{
    static const char begin[] = "-----BEGIN CERTIFICATE-----";
    gnutls_datum_t text = datum(file), der;

    for (;;) {
        char *at = g_strstr_len((char *)text.data, text.size, begin);

        if (!at) {
            return ders->len || good(GNUTLS_E_NO_CERTIFICATE_FOUND, name);
        }
        text.size -= at - (char *)text.data;
        text.data = (uint8_t *)at;
        if (!good(gnutls_pem_base64_decode2("CERTIFICATE", &text, &der),
                  name) || !add_certificate(ders, take(&der), name)) {
            return false;
        }
        text.size -= sizeof(begin) - 1;
        text.data += sizeof(begin) - 1;
    }
}

GPtrArray *tool_certificates(GBytes *file, const char *name)
{
    g_autoptr(GPtrArray) ders =
        g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    bool ok = tool_is_pem(file)
              ? add_pem(ders, file, name)
              : add_certificate(ders, g_bytes_ref(file), name);

    return ok ? g_steal_pointer(&ders) : NULL;
}

static char *print_date(int64_t when)
{
    g_autoptr(GDateTime) date = g_date_time_new_from_unix_utc(when);

    return date && when >= 0 ? g_date_time_format(date, "%F") : g_strdup("?");
}

char *tool_validity(const UefiX509Info *info)
{
    g_autofree char *begins = print_date(info->begins);
    g_autofree char *ends = print_date(info->ends);

    return g_strdup_printf("%s to %s", begins, ends);
}

void tool_print_certificate(GString *out, const uint8_t *data, size_t size)
{
    g_autoptr(UefiX509Info) info = uefi_x509_info_new(data, size);
    uint8_t digest[UEFI_SHA256_SIZE];
    g_autofree char *validity = NULL;

    if (!info) {
        g_string_append(out, "  not readable\n");
        return;
    }
    validity = tool_validity(info);
    uefi_sha256(data, size, digest);
    g_string_append_printf(out, "  subject: %s\n  issuer: %s\n  valid: %s\n"
                           "  SHA-256: ", info->subject ?: "none",
                           info->issuer ?: "none", validity);
    uefi_hex_append(out, digest, sizeof(digest));
    g_string_append_c(out, '\n');
}

/* ------------------------------------------------------------------------ */
/* Keys of one's own */

static bool crt_describe(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key,
                         const char *cn)
{
    time_t now = time(NULL);
    uint8_t serial[SERIAL_SIZE];

    if (!good(gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof(serial)), cn)) {
        return false;
    }
    serial[0] = (serial[0] & 0x7f) | 0x40;      /* positive, never shorter */
    return good(gnutls_x509_crt_set_version(crt, 3), cn) &&
           good(gnutls_x509_crt_set_serial(crt, serial, sizeof(serial)), cn) &&
           good(gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME,
                                              0, cn, strlen(cn)), cn) &&
           good(gnutls_x509_crt_set_activation_time(crt, now), cn) &&
           good(gnutls_x509_crt_set_expiration_time(crt, now + VALID_SECONDS),
                cn) &&
           good(gnutls_x509_crt_set_basic_constraints(crt, 1, -1), cn) &&
           good(gnutls_x509_crt_set_key_usage(crt,
                                              GNUTLS_KEY_DIGITAL_SIGNATURE |
                                              GNUTLS_KEY_KEY_CERT_SIGN),
                cn) &&
           good(gnutls_x509_crt_set_key(crt, key), cn) &&
           good(gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0),
                cn);
}

static bool generate(gnutls_x509_privkey_t key, gnutls_x509_crt_t crt,
                     const char *cn, ToolKeyPair *pair)
{
    gnutls_datum_t pem;

    if (!good(gnutls_x509_privkey_generate(key, GNUTLS_PK_RSA, KEY_BITS, 0),
              cn) || !crt_describe(crt, key, cn)) {
        return false;
    }
    pair->cert = crt_export(crt, GNUTLS_X509_FMT_PEM, cn);
    if (!pair->cert ||
        !good(gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, NULL,
                                                GNUTLS_PKCS_PLAIN, &pem),
              cn)) {
        return false;
    }
    pair->key = take(&pem);
    return true;
}

bool tool_generate(const char *cn, ToolKeyPair *pair)
{
    gnutls_x509_privkey_t key = NULL;
    gnutls_x509_crt_t crt = NULL;
    bool ok = good(gnutls_x509_privkey_init(&key), cn) &&
              good(gnutls_x509_crt_init(&crt), cn) &&
              generate(key, crt, cn, pair);

    if (key) {
        gnutls_x509_privkey_deinit(key);
    }
    if (crt) {
        gnutls_x509_crt_deinit(crt);
    }
    return ok;
}

void tool_key_pair_clear(ToolKeyPair *pair)
{
    g_clear_pointer(&pair->key, g_bytes_unref);
    g_clear_pointer(&pair->cert, g_bytes_unref);
}

/* ------------------------------------------------------------------------ */
/* Signatures */

static bool load_key(ToolSigner *s, GBytes *file, const char *password,
                     const char *name)
{
    gnutls_datum_t text = datum(file);
    int status;

    if (!good(gnutls_privkey_init(&s->key), name)) {
        return false;
    }
    status = gnutls_privkey_import_x509_raw(
        s->key, &text,
        tool_is_pem(file) ? GNUTLS_X509_FMT_PEM : GNUTLS_X509_FMT_DER,
        password, 0);
    if (status == GNUTLS_E_DECRYPTION_FAILED) {
        tool_fail("%s: the key is encrypted, %s --password-file", name,
                  password ? "with another password than that of" : "use");
        return false;
    }
    return good(status, name);
}

/* The first certificate of @file */
static bool load_cert(ToolSigner *s, GBytes *file, const char *name)
{
    g_autoptr(GPtrArray) ders = tool_certificates(file, name);
    gnutls_datum_t der;

    if (!ders) {
        return false;
    }
    der = datum(ders->pdata[0]);
    if (!good(gnutls_x509_crt_init(&s->crt), name)) {
        return false;
    }
    /* as lenient as the device */
    gnutls_x509_crt_set_flags(s->crt, GNUTLS_X509_CRT_FLAG_IGNORE_SANITY);
    return good(gnutls_x509_crt_import(s->crt, &der, GNUTLS_X509_FMT_DER),
                name);
}

/* Whether the certificate is for the key: their public keys have one ID. */
static bool match(const ToolSigner *s, const char *name)
{
    uint8_t of_key[64], of_cert[64];
    size_t key_size = sizeof(of_key), cert_size = sizeof(of_cert);
    gnutls_pubkey_t public;
    bool ok;

    if (!good(gnutls_pubkey_init(&public), name)) {
        return false;
    }
    ok = good(gnutls_pubkey_import_privkey(public, s->key, 0, 0), name) &&
         good(gnutls_pubkey_get_key_id(public, GNUTLS_KEYID_USE_SHA256, of_key,
                                       &key_size), name) &&
         good(gnutls_x509_crt_get_key_id(s->crt, GNUTLS_KEYID_USE_SHA256,
                                         of_cert, &cert_size), name);
    gnutls_pubkey_deinit(public);
    if (ok && (key_size != cert_size || memcmp(of_key, of_cert, key_size))) {
        tool_fail("%s: the certificate is not for that key", name);
        return false;
    }
    return ok;
}

ToolSigner *tool_signer_new(GBytes *key, const char *password,
                            const char *key_name, GBytes *cert,
                            const char *cert_name)
{
    g_autoptr(ToolSigner) s = g_new0(ToolSigner, 1);

    if (!load_key(s, key, password, key_name) ||
        !load_cert(s, cert, cert_name) || !match(s, cert_name)) {
        return NULL;
    }
    return g_steal_pointer(&s);
}

void tool_signer_free(ToolSigner *s)
{
    if (s) {
        if (s->crt) {
            gnutls_x509_crt_deinit(s->crt);
        }
        if (s->key) {
            gnutls_privkey_deinit(s->key);
        }
        g_free(s);
    }
}

/*
 * The SignedData inside of the ContentInfo that GnuTLS makes: a sequence of
 * its type, which takes 11 bytes, and of [0]; lengths have two bytes each.
 * The specification wants SignedData alone (UEFI 2.10, 8.2.2).
 */
static GBytes *unwrap(GBytes *content_info)
{
    gsize size;
    const uint8_t *der = g_bytes_get_data(content_info, &size);

    if (size < 19 || der[0] != 0x30 || der[1] != 0x82 || der[4] != 0x06 ||
        der[5] != 9 || der[15] != 0xa0 || der[16] != 0x82) {
        tool_fail("the certificate is too large or too small to sign with");
        return NULL;
    }
    return g_bytes_new_from_bytes(content_info, 19, size - 19);
}

GBytes *tool_sign(const ToolSigner *s, const void *data, size_t size)
{
    gnutls_datum_t in = { .data = (void *)data, .size = size }, out;
    g_autoptr(GBytes) content_info = NULL;
    gnutls_pkcs7_t p7;
    bool ok;

    if (!good(gnutls_pkcs7_init(&p7), "signature")) {
        return NULL;
    }
    ok = good(gnutls_pkcs7_sign(p7, s->crt, s->key, &in, NULL, NULL,
                                GNUTLS_DIG_SHA256, GNUTLS_PKCS7_INCLUDE_CERT),
              "signature") &&
         good(gnutls_pkcs7_export2(p7, GNUTLS_X509_FMT_DER, &out),
              "signature");
    gnutls_pkcs7_deinit(p7);
    if (!ok) {
        return NULL;
    }
    content_info = take(&out);
    return unwrap(content_info);
}

/* ------------------------------------------------------------------------ */
/* Signatures of images */

struct ToolImageSignature {
    gnutls_pkcs7_t p7;
};

/* The digest in SpcIndirectDataContent: its last element */
static bool get_digest(UefiDer content, UefiDer *digest)
{
    UefiDer body, info, skipped;

    /* GnuTLS may have taken the outer sequence away */
    if (!uefi_der_take(&content, DER_SEQUENCE, &body, NULL)) {
        return false;
    }
    if (!content.size) {
        content = body;
        if (!uefi_der_take(&content, DER_SEQUENCE, &skipped, NULL)) {
            return false;
        }
    }
    return uefi_der_take(&content, DER_SEQUENCE, &info, NULL) &&
           uefi_der_take(&info, DER_SEQUENCE, &skipped, NULL) &&
           uefi_der_take(&info, DER_OCTET_STRING, digest, NULL);
}

/* Whether what is signed is the hash of @image */
static bool is_of_image(gnutls_pkcs7_t p7, GBytes *image)
{
    static const GChecksumType sums[] = {
        G_CHECKSUM_SHA1, G_CHECKSUM_SHA256, G_CHECKSUM_SHA384,
        G_CHECKSUM_SHA512
    };
    gnutls_datum_t content;
    UefiDer digest;
    bool ok = false;

    if (gnutls_pkcs7_get_embedded_data(p7, 0, &content) < 0) {
        return false;
    }
    if (get_digest((UefiDer) { content.data, content.size }, &digest)) {
        for (size_t i = 0; i < ARRAY_SIZE(sums); i++) {
            uint8_t hash[64];
            size_t size = sizeof(hash);

            ok |= tool_pe_hash(image, sums[i], hash, &size) &&
                  uefi_der_equal(&digest, hash, size);
        }
    }
    gnutls_free(content.data);
    return ok;
}

ToolImageSignature *tool_image_signature_new(GBytes *der, GBytes *image)
{
    g_autoptr(ToolImageSignature) sig = g_new0(ToolImageSignature, 1);
    UefiDer in = { g_bytes_get_data(der, NULL), g_bytes_get_size(der) };
    UefiDer body, whole;
    gnutls_datum_t datum;

    /* there may be padding behind it */
    if (!uefi_der_take(&in, DER_SEQUENCE, &body, &whole) ||
        gnutls_pkcs7_init(&sig->p7) < 0) {
        return NULL;
    }
    datum = (gnutls_datum_t) { (uint8_t *)whole.data, whole.size };
    if (gnutls_pkcs7_import(sig->p7, &datum, GNUTLS_X509_FMT_DER) < 0 ||
        !is_of_image(sig->p7, image)) {
        return NULL;
    }
    return g_steal_pointer(&sig);
}

void tool_image_signature_free(ToolImageSignature *sig)
{
    if (sig) {
        if (sig->p7) {
            gnutls_pkcs7_deinit(sig->p7);
        }
        g_free(sig);
    }
}

/* Whether it leads to the certificate @der, whatever the date */
static bool leads_to(gnutls_pkcs7_t p7, const gnutls_datum_t *der)
{
    gnutls_x509_trust_list_t anchors;
    gnutls_x509_crt_t crt;
    bool ok = false;

    if (gnutls_x509_crt_init(&crt) < 0) {
        return false;
    }
    gnutls_x509_crt_set_flags(crt, GNUTLS_X509_CRT_FLAG_IGNORE_SANITY);
    if (gnutls_x509_crt_import(crt, der, GNUTLS_X509_FMT_DER) < 0 ||
        gnutls_x509_trust_list_init(&anchors, 1) < 0) {
        gnutls_x509_crt_deinit(crt);
        return false;
    }
    if (gnutls_x509_trust_list_add_cas(anchors, &crt, 1, 0) == 1) {
        ok = gnutls_pkcs7_verify(p7, anchors, NULL, 0, 0, NULL,
                                 GNUTLS_VERIFY_ALLOW_BROKEN |
                                 GNUTLS_VERIFY_DISABLE_TIME_CHECKS |
                                 GNUTLS_VERIFY_DISABLE_TRUSTED_TIME_CHECKS)
             >= 0;
        crt = NULL;             /* of the list now */
    }
    gnutls_x509_trust_list_deinit(anchors, 1);
    if (crt) {
        gnutls_x509_crt_deinit(crt);
    }
    return ok;
}

/* Whether a certificate that comes with it has this hash of what is signed */
static bool has_certificate(gnutls_pkcs7_t p7, GChecksumType type,
                            const ToolSignature *wanted)
{
    int count = gnutls_pkcs7_get_crt_count(p7);
    bool ok = false;

    for (int i = 0; i < count && !ok; i++) {
        g_autoptr(GChecksum) sum = g_checksum_new(type);
        uint8_t digest[64];
        gsize size = sizeof(digest);
        g_auto(UefiCert) cert = { };
        gnutls_datum_t der;

        if (gnutls_pkcs7_get_crt_raw2(p7, i, &der) < 0) {
            continue;
        }
        if (uefi_cert_scan(&cert, (UefiDer) { der.data, der.size })) {
            g_checksum_update(sum, cert.tbs.data, cert.tbs.size);
            g_checksum_get_digest(sum, digest, &size);
            /* the time of revocation stands behind the hash */
            ok = wanted->size >= size && !memcmp(wanted->data, digest, size);
        }
        gnutls_free(der.data);
    }
    return ok;
}

bool tool_image_signature_by(const ToolImageSignature *sig,
                             const ToolSignature *cert)
{
    static const struct {
        const UefiGuid *type;
        GChecksumType sum;
    } revoked[] = {
        { &uefi_guid_cert_x509_sha256, G_CHECKSUM_SHA256 },
        { &uefi_guid_cert_x509_sha384, G_CHECKSUM_SHA384 },
        { &uefi_guid_cert_x509_sha512, G_CHECKSUM_SHA512 },
    };
    gnutls_datum_t der = { (uint8_t *)cert->data, cert->size };

    for (size_t i = 0; i < ARRAY_SIZE(revoked); i++) {
        if (uefi_guid_equal(&cert->type, revoked[i].type)) {
            return has_certificate(sig->p7, revoked[i].sum, cert);
        }
    }
    return uefi_guid_equal(&cert->type, &uefi_guid_cert_x509) &&
           leads_to(sig->p7, &der);
}
