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
/* What chains of certificates are built from; not in the stub */

typedef struct UefiCert {
    UefiDer der;
    UefiDer tbs;                  /* what is signed, and inside of it: */
    UefiDer serial;
    UefiDer issuer;
    UefiDer subject;
    UefiDer signature;

    /* Known when it has been read */
    struct gnutls_x509_crt_int *crt;    /* of GnuTLS */
    bool understood;            /* asks for nothing that is not looked at */
    bool authority;
    int path_len;               /* of an authority; -1: any */
    unsigned effort;            /* of using the key; 0: not to be used */
} UefiCert;

/**
 * uefi_cert_scan: find the parts of the certificate at the front of @der
 *
 * Needs no uefi_cert_clear().
 */
bool uefi_cert_scan(UefiCert *cert, UefiDer der);

/** uefi_cert_read: of a scanned one, find out what a chain depends on */
bool uefi_cert_read(UefiCert *cert);

void uefi_cert_clear(UefiCert *cert);

/**
 * uefi_effort_spend_parse: whether @limit allows to read @size bytes more
 *
 * GnuTLS takes up to the square of the size in time, for names above all.
 */
bool uefi_effort_spend_parse(size_t *effort, size_t size, size_t limit);

/** uefi_effort_spend_key: whether the key of @cert may be used once more */
bool uefi_effort_spend_key(unsigned *effort, const UefiCert *cert);

bool uefi_cert_same(const UefiCert *a, const UefiCert *b);

/** uefi_cert_names_issuer: whether @issuer has the name that @cert gives */
bool uefi_cert_names_issuer(const UefiCert *cert, const UefiCert *issuer);

/**
 * uefi_cert_issued: whether @issuer has signed @cert
 * @depth: certificates between @cert and a signer
 * @effort: as for uefi_effort_spend_key()
 */
bool uefi_cert_issued(const UefiCert *issuer, const UefiCert *cert,
                      unsigned depth, unsigned *effort);

/**
 * uefi_cert_append_common_name: what a binding covers of it, as UTF-8
 *
 * Returns false when there is none.
 */
bool uefi_cert_append_common_name(GByteArray *out, const UefiCert *cert);

#endif /* HW_UEFI_VAR_SERVICE_X509_H */
