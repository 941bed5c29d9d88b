/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: X.509 certificates
 */

#ifndef HW_UEFI_VAR_SERVICE_X509_H
#define HW_UEFI_VAR_SERVICE_X509_H

#include "hw/uefi/var-service-der.h"
#include "hw/uefi/var-service-limits.h"
#include "hw/uefi/var-service-reason.h"

/**
 * uefi_x509_check_rsa_key: whether @der begins with a certificate that has one
 * @effort: what the value that it belongs to has cost so far; 0 to begin with
 *
 * Bytes behind the certificate are allowed.
 */
UefiReason uefi_x509_check_rsa_key(const uint8_t *der, size_t size,
                                   size_t *effort);

/* What people ask of a certificate; names are printable UTF-8 on one line */
typedef struct UefiX509Info {
    char *subject;              /* RFC 4514; NULL if unreadable */
    char *issuer;
    int64_t begins;             /* of its validity, in seconds since 1970; */
    int64_t ends;               /* -1 if unreadable */
} UefiX509Info;

/**
 * uefi_x509_info_new: NULL when @der does not begin with a certificate
 */
UefiX509Info *uefi_x509_info_new(const uint8_t *der, size_t size);
void uefi_x509_info_free(UefiX509Info *info);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(UefiX509Info, uefi_x509_info_free)

/* ------------------------------------------------------------------------ */
/* What signatures and chains are built from; not in the stub */

/* Digests that are good enough (S4) */
typedef enum UefiDigest {
    UEFI_DIGEST_NONE,
    UEFI_DIGEST_SHA256,
    UEFI_DIGEST_SHA384,
    UEFI_DIGEST_SHA512,
} UefiDigest;

#define UEFI_DIGEST_MAX_SIZE    64      /* bytes */

/** uefi_digest_size: bytes of a digest */
size_t uefi_digest_size(UefiDigest digest);

/** uefi_digest: compute one; false when the library cannot */
bool uefi_digest(UefiDigest digest, const void *data, size_t size,
                 uint8_t out[UEFI_DIGEST_MAX_SIZE]);

typedef struct UefiCert {
    UefiDer der;
    UefiDer tbs;                /* what is signed, and inside of it: */
    unsigned version;           /* as people count: 1 to 3 */
    UefiDer serial;
    UefiDer subject_der;        /* contents */
    UefiDer extensions;         /* contents of the SEQUENCE of all */
    UefiDer signature;
    GBytes *issuer, *subject;   /* to be compared; owned */

    /* Known when it has been read */
    struct gnutls_x509_crt_int *crt;
    bool readable;              /* its extensions, for links of a chain */
    bool usable;                /* nothing in it forbids all use */
    bool constrained;           /* limits the names of others */
    bool has_constraints;       /* basic constraints, which say: */
    bool authority;
    int path_len;               /* -1: any */
    bool has_usage;             /* key usage, which says: */
    bool signs_certs;
    UefiDer key_id;
    UefiDer issuer_key_id;      /* what the issuer has to have, if given */
    UefiDer issuer_serial;
    GBytes *issuer_issuer;      /* owned */
    bool self_issued;
    bool self_signed;           /* by its looks */
    bool has_key;               /* that can be read */
    unsigned effort;            /* of using the key; 0: not to be used */
} UefiCert;

/**
 * uefi_cert_scan: find the parts of the certificate at the front of @der
 *
 * Whatever comes of it, the caller clears @cert.
 */
bool uefi_cert_scan(UefiCert *cert, UefiDer der);

/** uefi_cert_read: of a scanned one, find out what a chain depends on */
bool uefi_cert_read(UefiCert *cert);

void uefi_cert_clear(UefiCert *cert);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(UefiCert, uefi_cert_clear)

/** uefi_cert_same: whether two are the same to the byte */
bool uefi_cert_same(const UefiCert *a, const UefiCert *b);

/**
 * uefi_cert_may_have_issued: whether @issuer has the name, the key identifier
 * and the kind of key that @cert asks for; both have been read
 *
 * Nothing is proven by that.
 */
bool uefi_cert_may_have_issued(const UefiCert *issuer, const UefiCert *cert);

/**
 * uefi_cert_is_authority: whether it may issue certificates
 * @anchor: it is the one that is trusted
 * @below: certificates of other authorities between it and the signer
 */
bool uefi_cert_is_authority(const UefiCert *cert, bool anchor, size_t below);

/**
 * uefi_cert_can_sign_by: whether the key of @cert is of the kind that is meant
 * by @algorithm, the object identifier of a signature, and the digest as well
 */
bool uefi_cert_can_sign_by(const UefiCert *cert, const UefiDer *algorithm,
                           UefiDigest digest);

/**
 * uefi_cert_signed: whether the key of @cert has signed @data
 *
 * Costs @cert->effort.
 */
bool uefi_cert_signed(const UefiCert *cert, UefiDigest digest, UefiDer data,
                      UefiDer signature);

/** uefi_cert_signed_cert: the same for another certificate */
bool uefi_cert_signed_cert(const UefiCert *issuer, const UefiCert *cert);

/**
 * uefi_x509_name: a form of @name in which equal names are equal to the byte
 * @name: contents of a Name
 *
 * Case, spaces around and between words, and kinds of strings do not matter.
 * Returns NULL for what is no name; the caller unrefs.
 */
GBytes *uefi_x509_name(UefiDer name);

/**
 * uefi_effort_spend_parse: whether @limit allows to read @size bytes more
 *
 * GnuTLS takes up to the square of the size in time, for names above all.
 */
bool uefi_effort_spend_parse(size_t *effort, size_t size, size_t limit);

/** uefi_effort_spend_key: whether the key of @cert may be used once more */
bool uefi_effort_spend_key(unsigned *effort, const UefiCert *cert);

/**
 * uefi_cert_append_common_name: what a binding covers of it, as UTF-8
 *
 * Returns false when there is none or it is no text.
 */
bool uefi_cert_append_common_name(GByteArray *out, const UefiCert *cert);

#endif /* HW_UEFI_VAR_SERVICE_X509_H */
