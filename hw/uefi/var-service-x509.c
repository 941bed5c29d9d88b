/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: X.509 certificates, with GnuTLS
 *
 * A certificate is walked strictly, which finds its parts and what a chain
 * depends on: what is not found to be in order gives no right.  GnuTLS reads
 * it as well, for the key and all cryptography.
 *
 * What decides is what OpenSSL decides for edk2 (protocol 7.3); where this is
 * stricter, tests/conformance/differences.md says so.
 */

#include "qemu/osdep.h"
#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include "hw/uefi/var-service-utils.h"
#include "hw/uefi/var-service-x509.h"

/*
 * What decides is the anchor, not dates or algorithms of certificates; that
 * the digest of a signer is SHA-2 is checked where its signature is read.
 */
#define VERIFY_FLAGS (GNUTLS_VERIFY_ALLOW_BROKEN |                          \
                      GNUTLS_VERIFY_DISABLE_TIME_CHECKS |                   \
                      GNUTLS_VERIFY_DISABLE_TRUSTED_TIME_CHECKS)

#define MAX_COMMON_NAME     127     /* bytes of it that a binding covers */

/* 2.5.4.3 */
static const uint8_t oid_common_name[] = { 0x55, 0x04, 0x03 };
/* 2.16.840.1.113730.1.1 */
static const uint8_t oid_netscape[] = {
    0x60, 0x86, 0x48, 0x01, 0x86, 0xf8, 0x42, 0x01, 0x01
};
/* 1.3.6.1.5.5.7.1.7 and .8 */
static const uint8_t oid_addresses[] = {
    0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x07
};
static const uint8_t oid_systems[] = {
    0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x08
};
/* 1.3.6.1.5.5.7.1.14 */
static const uint8_t oid_proxy[] = {
    0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x0e
};

/* ------------------------------------------------------------------------ */
/* Names */

/* The parts of one attribute of a name */
typedef struct NameAttribute {
    UefiDer oid;
    uint8_t tag;                /* of the value */
    UefiDer value;
} NameAttribute;

static bool take_attribute(UefiDer *in, NameAttribute *attribute)
{
    UefiDer body;

    if (!uefi_der_take(in, DER_SEQUENCE, &body, NULL) ||
        !uefi_der_take(&body, DER_OID, &attribute->oid, NULL) || !body.size) {
        return false;
    }
    attribute->tag = body.data[0];
    return uefi_der_take(&body, attribute->tag, &attribute->value, NULL) &&
           !body.size;
}

static void append_sized(GByteArray *out, const void *data, size_t size)
{
    uint32_t head = size;

    g_byte_array_append(out, (const uint8_t *)&head, sizeof(head));
    g_byte_array_append(out, data, size);
}

/* Small letters, one space between words and none around them */
static void append_folded(GByteArray *out, const GString *text)
{
    g_autoptr(GString) folded = g_string_sized_new(text->len);

    for (gsize i = 0; i < text->len; i++) {
        char c = text->str[i];

        if (!g_ascii_isspace(c) && c != '\v') {
            g_string_append_c(folded, g_ascii_tolower(c));
        } else if (folded->len && folded->str[folded->len - 1] != ' ') {
            g_string_append_c(folded, ' ');
        }
    }
    if (folded->len && folded->str[folded->len - 1] == ' ') {
        g_string_truncate(folded, folded->len - 1);
    }
    append_sized(out, folded->str, folded->len);
}

static GBytes *fold_attribute(const NameAttribute *attribute)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    g_autoptr(GString) text = g_string_new(NULL);
    uint8_t tag = attribute->tag;
    bool is_text = uefi_der_append_text(text, tag, &attribute->value);

    append_sized(out, attribute->oid.data, attribute->oid.size);
    switch (tag) {
    case DER_UTF8_STRING:
    case DER_PRINTABLE_STRING:
    case DER_T61_STRING:
    case DER_IA5_STRING:
    case DER_BMP_STRING:
    case DER_UNIVERSAL_STRING:
        if (!is_text) {
            return NULL;
        }
        append_folded(out, text);
        break;
    case DER_BIT_STRING:
        if (attribute->value.data[0]) {     /* part of a byte: many forms */
            return NULL;
        }
        /* fall through */
    case DER_NUMERIC_STRING:
    case DER_SEQUENCE:
        g_byte_array_append(out, &tag, sizeof(tag));
        append_sized(out, attribute->value.data, attribute->value.size);
        break;
    default:                    /* names have no other kinds */
        return NULL;
    }
    return g_byte_array_free_to_bytes(g_steal_pointer(&out));
}

static int compare_folded(gconstpointer a, gconstpointer b)
{
    return g_bytes_compare(*(GBytes **)a, *(GBytes **)b);
}

/* One relative name: a set of attributes, in which order says nothing */
static bool fold_set(GByteArray *out, UefiDer set)
{
    g_autoptr(GPtrArray) all =
        g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    uint32_t count;

    while (set.size) {
        NameAttribute attribute;
        GBytes *folded = take_attribute(&set, &attribute)
                         ? fold_attribute(&attribute) : NULL;

        if (!folded) {
            return false;
        }
        g_ptr_array_add(all, folded);
    }
    g_ptr_array_sort(all, compare_folded);
    count = all->len;
    g_byte_array_append(out, (const uint8_t *)&count, sizeof(count));
    for (guint i = 0; i < all->len; i++) {
        gsize size;
        const void *data = g_bytes_get_data(all->pdata[i], &size);

        append_sized(out, data, size);
    }
    return count > 0;
}

GBytes *uefi_x509_name(UefiDer name)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    UefiDer set;

    while (name.size) {
        if (!uefi_der_take(&name, DER_SET, &set, NULL) ||
            !fold_set(out, set)) {
            return NULL;
        }
    }
    return g_byte_array_free_to_bytes(g_steal_pointer(&out));
}

/* The first common name of the subject; a bad one after it does not matter */
static bool find_common_name(const UefiCert *cert, NameAttribute *attribute)
{
    UefiDer name = cert->subject_der, set;

    while (uefi_der_take(&name, DER_SET, &set, NULL)) {
        while (take_attribute(&set, attribute)) {
            if (uefi_der_equal(&attribute->oid, oid_common_name,
                               sizeof(oid_common_name))) {
                return true;
            }
        }
    }
    return false;
}

bool uefi_cert_append_common_name(GByteArray *out, const UefiCert *cert)
{
    g_autoptr(GString) text = g_string_new(NULL);
    NameAttribute attribute;

    if (!find_common_name(cert, &attribute) ||
        !uefi_der_append_text(text, attribute.tag, &attribute.value)) {
        return false;
    }
    g_byte_array_append(out, (const uint8_t *)text->str,
                        MIN(strlen(text->str), MAX_COMMON_NAME));
    return true;
}

/* ------------------------------------------------------------------------ */
/* Structure */

static bool take_extension(UefiDer *in, UefiDer *oid, bool *critical,
                           UefiDer *value)
{
    UefiDer body, flag;

    *critical = false;
    if (!uefi_der_take(in, DER_SEQUENCE, &body, NULL) ||
        !uefi_der_take(&body, DER_OID, oid, NULL)) {
        return false;
    }
    if (uefi_der_at(&body, DER_BOOLEAN)) {
        if (!uefi_der_take(&body, DER_BOOLEAN, &flag, NULL)) {
            return false;
        }
        *critical = flag.data[0];
    }
    return uefi_der_take(&body, DER_OCTET_STRING, value, NULL) && !body.size;
}

/* Whether @in holds two times, which nobody asks for (RFC 5280, 4.1.2.5) */
static bool is_validity(UefiDer in)
{
    UefiDer time;

    for (unsigned i = 0; i < 2; i++) {
        if (!uefi_der_take(&in, DER_UTC_TIME, &time, NULL) &&
            !uefi_der_take(&in, DER_GENERALIZED_TIME, &time, NULL)) {
            return false;
        }
    }
    return !in.size;
}

/* Whether @in holds the parts of a SubjectPublicKeyInfo */
static bool is_public_key(UefiDer in)
{
    UefiDer algorithm, bits;

    return uefi_der_take(&in, DER_SEQUENCE, &algorithm, NULL) &&
           uefi_der_is_algorithm(algorithm) &&
           uefi_der_take(&in, DER_BIT_STRING, &bits, NULL) && !in.size &&
           bits.data[0] == 0;
}

/* Nobody uses them, and there need not be one */
static bool skip_unique_id(UefiDer *in, uint8_t tag)
{
    UefiDer value;

    return !uefi_der_take(in, tag, &value, NULL) || uefi_der_is_bits(&value);
}

/* What comes last; there need not be any of it */
static bool scan_extensions(UefiCert *cert, UefiDer in)
{
    UefiDer value, oid, rest;
    bool critical;

    if (!skip_unique_id(&in, DER_PRIMITIVE_1) ||
        !skip_unique_id(&in, DER_PRIMITIVE_2)) {
        return false;
    }
    if (!in.size) {
        return true;
    }
    if (!uefi_der_take(&in, DER_CONTEXT_3, &value, NULL) || in.size ||
        !uefi_der_take(&value, DER_SEQUENCE, &cert->extensions, NULL) ||
        value.size) {
        return false;
    }
    rest = cert->extensions;
    while (rest.size) {
        if (!take_extension(&rest, &oid, &critical, &value)) {
            return false;
        }
    }
    return true;
}

static bool scan_tbs(UefiCert *cert, UefiDer tbs, const UefiDer *algorithm)
{
    UefiDer value, whole, issuer;

    cert->version = 1;
    if (uefi_der_at(&tbs, DER_CONTEXT_0)) {
        if (!uefi_der_take(&tbs, DER_CONTEXT_0, &value, NULL) ||
            !uefi_der_take_small(&value, &cert->version) || value.size) {
            return false;
        }
        cert->version++;
    }
    if (!uefi_der_take(&tbs, DER_INTEGER, &cert->serial, NULL) ||
        !uefi_der_take(&tbs, DER_SEQUENCE, &value, &whole) ||
        !uefi_der_is_algorithm(value) ||
        /* the algorithm stands outside of what is signed as well */
        !uefi_der_equal(algorithm, whole.data, whole.size) ||
        !uefi_der_take(&tbs, DER_SEQUENCE, &issuer, NULL) ||
        !uefi_der_take(&tbs, DER_SEQUENCE, &value, NULL) ||
        !is_validity(value) ||
        !uefi_der_take(&tbs, DER_SEQUENCE, &cert->subject_der, NULL) ||
        !uefi_der_take(&tbs, DER_SEQUENCE, &value, NULL) ||
        !is_public_key(value) || !scan_extensions(cert, tbs)) {
        return false;
    }
    cert->issuer = uefi_x509_name(issuer);
    cert->subject = uefi_x509_name(cert->subject_der);
    return cert->issuer && cert->subject;
}

bool uefi_cert_scan(UefiCert *cert, UefiDer der)
{
    UefiDer body, tbs, value, algorithm, bits;

    *cert = (UefiCert) { };
    if (!uefi_der_take(&der, DER_SEQUENCE, &body, &cert->der) ||
        !uefi_der_take(&body, DER_SEQUENCE, &tbs, &cert->tbs) ||
        !uefi_der_take(&body, DER_SEQUENCE, &value, &algorithm) ||
        !uefi_der_take(&body, DER_BIT_STRING, &bits, NULL) || body.size) {
        return false;
    }
    if (bits.data[0]) {
        return false;
    }
    cert->signature = (UefiDer) { bits.data + 1, bits.size - 1 };
    return scan_tbs(cert, tbs, &algorithm);
}

/* ------------------------------------------------------------------------ */
/* Extensions; readers return false for what they cannot read at the front */

static bool read_key_id(UefiCert *cert, UefiDer in)
{
    return uefi_der_take(&in, DER_OCTET_STRING, &cert->key_id, NULL);
}

/* Byte @i of a BIT STRING; bits that are not used of its last one are 0 */
static uint8_t used_bits(UefiDer bits, size_t i)
{
    if (i >= bits.size) {
        return 0;
    }
    return bits.data[i] & (i == bits.size - 1 ? 0xff << bits.data[0] : 0xff);
}

/* Uses beyond those in two bytes have no name, and are none. */
static bool read_usage(UefiCert *cert, UefiDer in)
{
    const uint8_t key_cert_sign = 0x04;
    UefiDer bits;

    if (!uefi_der_take(&in, DER_BIT_STRING, &bits, NULL)) {
        return false;
    }
    cert->has_usage = true;
    cert->signs_certs = used_bits(bits, 1) & key_cert_sign;
    return used_bits(bits, 1) || used_bits(bits, 2);
}

/* A length of -1, any, is also what more than can be counted means. */
static bool read_path_length(UefiCert *cert, UefiDer *in)
{
    UefiDer value;

    cert->path_len = -1;
    if (!in->size) {
        return true;
    }
    if (!uefi_der_take(in, DER_INTEGER, &value, NULL) || in->size ||
        (value.data[0] & 0x80)) {
        return false;
    }
    if (value.size == 1) {
        cert->path_len = value.data[0];
    }
    return true;
}

static bool read_constraints(UefiCert *cert, UefiDer in)
{
    UefiDer body, value;

    if (!uefi_der_take(&in, DER_SEQUENCE, &body, NULL)) {
        return false;
    }
    if (uefi_der_at(&body, DER_BOOLEAN)) {
        if (!uefi_der_take(&body, DER_BOOLEAN, &value, NULL)) {
            return false;
        }
        cert->authority = value.data[0];
    }
    cert->has_constraints = true;
    return read_path_length(cert, &body);
}

/* Not evaluated: who has them issues nothing, nor is issued by others. */
static bool read_name_constraints(UefiCert *cert, UefiDer in)
{
    cert->constrained = true;
    return true;
}

/* One of the names of many kinds; @directory: set to what one of these is */
static bool is_general_name(uint8_t tag, UefiDer value, GBytes **directory)
{
    UefiDer oid, name;

    switch (tag) {
    case DER_CONTEXT_0:         /* one that has its own identifier */
        return uefi_der_take(&value, DER_OID, &oid, NULL) &&
               uefi_der_take(&value, DER_CONTEXT_0, &name, NULL) &&
               !value.size && name.size &&
               uefi_der_take(&name, name.data[0], &oid, NULL) && !name.size;
    case DER_PRIMITIVE_1:       /* mail */
    case DER_PRIMITIVE_2:       /* DNS */
    case DER_PRIMITIVE_6:       /* URI */
    case DER_PRIMITIVE_7:       /* address */
        return true;
    case DER_CONTEXT_4:
        if (!uefi_der_take(&value, DER_SEQUENCE, &name, NULL) || value.size) {
            return false;
        }
        *directory = uefi_x509_name(name);
        return *directory;
    case DER_PRIMITIVE_8:       /* a registered identifier */
        return uefi_der_is_oid(&value);
    default:
        return false;
    }
}

/* @directory: set to the first one that is of a directory; may be NULL */
static bool read_general_names(UefiDer in, GBytes **directory)
{
    while (in.size) {
        g_autoptr(GBytes) name = NULL;
        uint8_t tag = in.data[0];
        UefiDer value;

        if (!uefi_der_take(&in, tag, &value, NULL) ||
            !is_general_name(tag, value, &name)) {
            return false;
        }
        if (name && directory && !*directory) {
            *directory = g_steal_pointer(&name);
        }
    }
    return true;
}

static bool read_issuer_key_id(UefiCert *cert, UefiDer in)
{
    UefiDer body, names = { };

    if (!uefi_der_take(&in, DER_SEQUENCE, &body, NULL)) {
        return false;
    }
    uefi_der_take(&body, DER_PRIMITIVE_0, &cert->issuer_key_id, NULL);
    uefi_der_take(&body, DER_CONTEXT_1, &names, NULL);
    if (uefi_der_take(&body, DER_PRIMITIVE_2, &cert->issuer_serial, NULL) &&
        !uefi_der_is_integer(&cert->issuer_serial)) {
        return false;
    }
    return !body.size && read_general_names(names, &cert->issuer_issuer);
}

/* What follows decides nothing here, but has to be of the right kind. */
static bool read_alt_names(UefiCert *cert, UefiDer in)
{
    UefiDer body;

    return uefi_der_take(&in, DER_SEQUENCE, &body, NULL) &&
           read_general_names(body, NULL);
}

static bool read_purposes(UefiCert *cert, UefiDer in)
{
    UefiDer body, oid;

    if (!uefi_der_take(&in, DER_SEQUENCE, &body, NULL)) {
        return false;
    }
    while (body.size) {
        if (!uefi_der_take(&body, DER_OID, &oid, NULL)) {
            return false;
        }
    }
    return true;
}

/* A place to find CRLs: its names, for which reasons, and whose CRLs */
static bool is_crl_point(UefiDer in)
{
    UefiDer place, names = { }, reasons = { }, issuer = { };

    if (uefi_der_take(&in, DER_CONTEXT_0, &place, NULL) &&
        (!uefi_der_take(&place, DER_CONTEXT_0, &names, NULL) || place.size)) {
        return false;
    }
    if (uefi_der_take(&in, DER_PRIMITIVE_1, &reasons, NULL) &&
        (reasons.size < 2 || !uefi_der_is_bits(&reasons))) {
        return false;
    }
    uefi_der_take(&in, DER_CONTEXT_2, &issuer, NULL);
    return !in.size && read_general_names(names, NULL) &&
           read_general_names(issuer, NULL);
}

static bool read_crl_points(UefiCert *cert, UefiDer in)
{
    UefiDer body, point;

    if (!uefi_der_take(&in, DER_SEQUENCE, &body, NULL)) {
        return false;
    }
    while (body.size) {
        if (!uefi_der_take(&body, DER_SEQUENCE, &point, NULL) ||
            !is_crl_point(point)) {
            return false;
        }
    }
    return true;
}

static bool read_nothing(UefiCert *cert, UefiDer in)
{
    return true;
}

static bool read_netscape(UefiCert *cert, UefiDer in)
{
    UefiDer bits;

    return uefi_der_take(&in, DER_BIT_STRING, &bits, NULL);
}

/* Addresses (RFC 3779), which would have to be evaluated */
static bool read_addresses(UefiCert *cert, UefiDer in)
{
    cert->usable = false;
    return true;
}

/* Proxies (RFC 3820): rights are not passed on */
static bool read_proxy(UefiCert *cert, UefiDer in)
{
    UefiDer body, policy, value;

    if (!uefi_der_take(&in, DER_SEQUENCE, &body, NULL)) {
        return false;
    }
    uefi_der_take(&body, DER_INTEGER, &value, NULL);
    if (!uefi_der_take(&body, DER_SEQUENCE, &policy, NULL) || body.size ||
        !uefi_der_take(&policy, DER_OID, &value, NULL) ||
        (policy.size && !uefi_der_take(&policy, DER_OCTET_STRING, &value,
                                       NULL)) || policy.size) {
        return false;
    }
    cert->usable = false;
    return true;
}

/* By the last part of 2.5.29.x, but for the first ones */
enum {
    EXTENSION_UNKNOWN, EXTENSION_NETSCAPE, EXTENSION_ADDRESSES, EXTENSION_PROXY
};

static const struct {
    bool (*read)(UefiCert *cert, UefiDer in);
    bool critical;              /* it may be */
} known[] = {
    [EXTENSION_NETSCAPE] = { read_netscape, true },
    [EXTENSION_ADDRESSES] = { read_addresses, true },
    [EXTENSION_PROXY] = { read_proxy, true },
    [14] = { read_key_id, false },
    [15] = { read_usage, true },
    [17] = { read_alt_names, true },    /* alternatives for the subject */
    [19] = { read_constraints, true },
    [30] = { read_name_constraints, true },
    [31] = { read_crl_points, true },
    [32] = { read_nothing, true },      /* policies, */
    [33] = { read_nothing, true },      /* their mappings */
    [35] = { read_issuer_key_id, false },
    [36] = { read_nothing, true },      /* and constraints */
    [37] = { read_purposes, true },
    [54] = { read_nothing, true },      /* no "any policy" */
};

/* The index in the table */
static unsigned extension_number(const UefiDer *oid)
{
    static const uint8_t prefix[] = { 0x55, 0x1d };

    if (uefi_der_equal(oid, oid_netscape, sizeof(oid_netscape))) {
        return EXTENSION_NETSCAPE;
    }
    if (uefi_der_equal(oid, oid_addresses, sizeof(oid_addresses)) ||
        uefi_der_equal(oid, oid_systems, sizeof(oid_systems))) {
        return EXTENSION_ADDRESSES;
    }
    if (uefi_der_equal(oid, oid_proxy, sizeof(oid_proxy))) {
        return EXTENSION_PROXY;
    }
    return oid->size == 3 && !memcmp(oid->data, prefix, sizeof(prefix)) &&
           oid->data[2] > EXTENSION_PROXY &&
           oid->data[2] < ARRAY_SIZE(known) && known[oid->data[2]].read
           ? oid->data[2] : EXTENSION_UNKNOWN;
}

/*
 * What cannot be read, or stands twice, gives no right over others: real keys
 * of vendors have such extensions, and are good for themselves alone.  What
 * must be understood, and is not, makes a certificate good for nothing.
 */
static void read_extensions(UefiCert *cert)
{
    UefiDer in = cert->extensions, oid, value;
    uint64_t seen = 0;
    bool critical;

    cert->readable = cert->usable = true;
    for (int i = 0; take_extension(&in, &oid, &critical, &value); i++) {
        unsigned number = extension_number(&oid);

        if (number && ((seen >> number & 1) ||
                       !known[number].read(cert, value))) {
            cert->readable = false;
        }
        seen |= 1ULL << number;
        if (critical && !known[number].critical) {
            cert->usable = false;
        }
        if (i == UEFI_LIMIT_EXTENSIONS) {
            cert->usable = false;
            break;
        }
    }
}

/* ------------------------------------------------------------------------ */
/* With GnuTLS */

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

static bool key_is_readable(gnutls_x509_crt_t crt)
{
    gnutls_datum_t x = { }, y = { };
    gnutls_ecc_curve_t curve;
    int ret = 0;

    switch (gnutls_x509_crt_get_pk_algorithm(crt, NULL)) {
    case GNUTLS_PK_ECDSA:
        ret = gnutls_x509_crt_get_pk_ecc_raw(crt, &curve, &x, &y);
        break;
    case GNUTLS_PK_RSA:
        ret = gnutls_x509_crt_get_pk_rsa_raw(crt, &x, &y);
        break;
    }
    gnutls_free(x.data);
    gnutls_free(y.data);
    return ret >= 0;
}

bool uefi_effort_spend_parse(size_t *effort, size_t size, size_t limit)
{
    *effort += size * size;
    return *effort <= limit;
}

bool uefi_effort_spend_key(unsigned *effort, const UefiCert *cert)
{
    if (*effort <= UEFI_LIMIT_KEY_EFFORT) {
        *effort += cert->effort;
    }
    return cert->effort && *effort <= UEFI_LIMIT_KEY_EFFORT;
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

void uefi_cert_clear(UefiCert *cert)
{
    g_clear_pointer(&cert->issuer, g_bytes_unref);
    g_clear_pointer(&cert->subject, g_bytes_unref);
    g_clear_pointer(&cert->issuer_issuer, g_bytes_unref);
    g_clear_pointer(&cert->crt, gnutls_x509_crt_deinit);
}

bool uefi_cert_read(UefiCert *cert)
{
    if (!cert_import(cert)) {
        return false;
    }
    cert->path_len = -1;
    read_extensions(cert);
    cert->has_key = key_is_readable(cert->crt);
    cert->effort = key_effort(cert->crt);
    cert->self_issued = g_bytes_equal(cert->subject, cert->issuer);
    cert->self_signed = uefi_cert_may_have_issued(cert, cert);
    return true;
}

/* ------------------------------------------------------------------------ */
/* Who issued what */

bool uefi_cert_same(const UefiCert *a, const UefiCert *b)
{
    return uefi_der_equal(&a->der, b->der.data, b->der.size);
}

/* OpenSSL may read what GnuTLS does not: that does not keep a chain short. */
static bool key_can_have_signed(const UefiCert *issuer, const UefiCert *cert)
{
    int sign = gnutls_x509_crt_get_signature_algorithm(cert->crt);
    int key = gnutls_x509_crt_get_pk_algorithm(issuer->crt, NULL);
    gnutls_pk_algorithm_t pk = gnutls_sign_get_pk_algorithm(sign);

    return !issuer->has_key || pk == GNUTLS_PK_UNKNOWN || pk == key ||
           (pk == GNUTLS_PK_RSA_PSS && key == GNUTLS_PK_RSA);
}

bool uefi_cert_may_have_issued(const UefiCert *issuer, const UefiCert *cert)
{
    const UefiDer *id = &cert->issuer_key_id;
    const UefiDer *serial = &cert->issuer_serial;

    if (!issuer->readable || !cert->readable ||
        !g_bytes_equal(cert->issuer, issuer->subject)) {
        return false;
    }
    if (id->data && issuer->key_id.data &&
        !uefi_der_equal(&issuer->key_id, id->data, id->size)) {
        return false;
    }
    if (serial->data &&
        !uefi_der_equal(&issuer->serial, serial->data, serial->size)) {
        return false;
    }
    if (cert->issuer_issuer &&
        !g_bytes_equal(cert->issuer_issuer, issuer->issuer)) {
        return false;
    }
    return key_can_have_signed(issuer, cert);
}

/* Without basic constraints an anchor still is, but nobody in between */
bool uefi_cert_is_authority(const UefiCert *cert, bool anchor, size_t below)
{
    if (!cert->readable || !cert->usable ||
        (cert->has_usage && !cert->signs_certs)) {
        return false;
    }
    if (cert->has_constraints) {
        return cert->authority &&
               (cert->path_len < 0 || below <= cert->path_len);
    }
    return anchor && (cert->has_usage ||
                      (cert->version == 1 && cert->self_signed));
}

static bool verify(const UefiCert *cert, gnutls_sign_algorithm_t algorithm,
                   UefiDer data, UefiDer signature)
{
    gnutls_datum_t d = { (uint8_t *)data.data, data.size };
    gnutls_datum_t s = { (uint8_t *)signature.data, signature.size };

    return gnutls_x509_crt_verify_data2(cert->crt, algorithm, VERIFY_FLAGS, &d,
                                        &s) >= 0;
}

bool uefi_cert_signed_cert(const UefiCert *issuer, const UefiCert *cert)
{
    int algorithm = gnutls_x509_crt_get_signature_algorithm(cert->crt);

    return algorithm > 0 &&
           verify(issuer, algorithm, cert->tbs, cert->signature);
}

/* ------------------------------------------------------------------------ */
/* Digests and signatures */

static gnutls_digest_algorithm_t digest_algorithm(UefiDigest digest)
{
    switch (digest) {
    case UEFI_DIGEST_SHA256:
        return GNUTLS_DIG_SHA256;
    case UEFI_DIGEST_SHA384:
        return GNUTLS_DIG_SHA384;
    case UEFI_DIGEST_SHA512:
        return GNUTLS_DIG_SHA512;
    default:
        return GNUTLS_DIG_UNKNOWN;
    }
}

size_t uefi_digest_size(UefiDigest digest)
{
    return gnutls_hash_get_len(digest_algorithm(digest));
}

bool uefi_digest(UefiDigest digest, const void *data, size_t size,
                 uint8_t out[UEFI_DIGEST_MAX_SIZE])
{
    return gnutls_hash_fast(digest_algorithm(digest), data, size, out) >= 0;
}

bool uefi_cert_can_sign_by(const UefiCert *cert, const UefiDer *algorithm,
                           UefiDigest digest)
{
    static const struct {
        uint8_t oid[9];
        uint8_t size;
        uint8_t digest;         /* if it is a matter of the algorithm */
        uint8_t key;
    } known[] = {
        /* 1.2.840.113549.1.1.1 and .11 to .13 */
        { { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01 }, 9,
          UEFI_DIGEST_NONE, GNUTLS_PK_RSA },
        { { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b }, 9,
          UEFI_DIGEST_SHA256, GNUTLS_PK_RSA },
        { { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0c }, 9,
          UEFI_DIGEST_SHA384, GNUTLS_PK_RSA },
        { { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0d }, 9,
          UEFI_DIGEST_SHA512, GNUTLS_PK_RSA },
        /* 1.2.840.10045.2.1 and .4.3.2 to .4 */
        { { 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01 }, 7,
          UEFI_DIGEST_NONE, GNUTLS_PK_ECDSA },
        { { 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02 }, 8,
          UEFI_DIGEST_SHA256, GNUTLS_PK_ECDSA },
        { { 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03 }, 8,
          UEFI_DIGEST_SHA384, GNUTLS_PK_ECDSA },
        { { 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x04 }, 8,
          UEFI_DIGEST_SHA512, GNUTLS_PK_ECDSA },
    };
    int key = gnutls_x509_crt_get_pk_algorithm(cert->crt, NULL);

    for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
        if (known[i].key == key &&
            (known[i].digest == digest ||
             known[i].digest == UEFI_DIGEST_NONE) &&
            uefi_der_equal(algorithm, known[i].oid, known[i].size)) {
            return true;
        }
    }
    return false;
}

bool uefi_cert_signed(const UefiCert *cert, UefiDigest digest, UefiDer data,
                      UefiDer signature)
{
    int pk = gnutls_x509_crt_get_pk_algorithm(cert->crt, NULL);
    gnutls_sign_algorithm_t algorithm =
        gnutls_pk_to_sign(pk, digest_algorithm(digest));

    return algorithm != GNUTLS_SIGN_UNKNOWN &&
           verify(cert, algorithm, data, signature);
}

/* ------------------------------------------------------------------------ */
/* What others ask of a certificate */

UefiReason uefi_x509_check_rsa_key(const uint8_t *der, size_t size,
                                   size_t *effort)
{
    g_auto(UefiCert) cert = { };

    if (!uefi_cert_scan(&cert, (UefiDer) { der, size })) {
        return UEFI_REASON_SIGLIST_CERT;
    }
    if (!uefi_effort_spend_parse(effort, cert.der.size,
                                 UEFI_LIMIT_VALUE_EFFORT)) {
        return UEFI_REASON_SIGLIST_LIMIT;
    }
    if (!cert_import(&cert) ||
        gnutls_x509_crt_get_pk_algorithm(cert.crt, NULL) != GNUTLS_PK_RSA) {
        return UEFI_REASON_SIGLIST_CERT;
    }
    return UEFI_REASON_OK;
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
    g_auto(UefiCert) cert = { };
    UefiX509Info *info;

    if (!uefi_cert_scan(&cert, (UefiDer) { der, size }) ||
        !cert_import(&cert)) {
        return NULL;
    }
    info = g_new0(UefiX509Info, 1);
    info->subject = get_name(&cert, gnutls_x509_crt_get_dn3);
    info->issuer = get_name(&cert, gnutls_x509_crt_get_issuer_dn3);
    info->begins = gnutls_x509_crt_get_activation_time(cert.crt);
    info->ends = gnutls_x509_crt_get_expiration_time(cert.crt);
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
