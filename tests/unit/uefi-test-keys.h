/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: keys, certificates and signatures for unit tests
 *
 * All of them are made by GnuTLS while the tests run.
 */

#ifndef TESTS_UNIT_UEFI_TEST_KEYS_H
#define TESTS_UNIT_UEFI_TEST_KEYS_H

#include <gnutls/x509.h>
#include "uefi-test.h"

/* A key pair with a certificate */
typedef struct UefiTestKey {
    gnutls_privkey_t key;
    gnutls_x509_crt_t crt;
    GBytes *der;                /* the certificate */
} UefiTestKey;

/* What a certificate says; all zero is a self-signed authority */
typedef struct UefiTestCert {
    const char *cn;             /* common name, UTF-8 */
    GBytes *raw_cn;             /* the same as DER, instead of @cn */
    const UefiTestKey *issuer;  /* NULL: itself */
    const UefiTestKey *same_key;    /* the key of another; NULL: a new one */
    unsigned bits;              /* of an RSA key; 0: 2048 */
    gnutls_pk_algorithm_t pk;   /* 0: RSA */
    gnutls_digest_algorithm_t digest;   /* of its signature; 0: SHA-256 */
    bool end_entity;            /* CA:FALSE */
    bool no_constraints;        /* no basic constraints at all */
    int path_len;               /* of an authority, plus 1; 0: no limit */
    unsigned usage;             /* key usage; 0: no such extension */
    bool expired;
    bool server_only;           /* extended key usage: TLS server */
    bool critical_unknown;      /* an extension that nobody knows */
    unsigned extensions;        /* so many more, not critical */
    unsigned version;           /* 0: 3 */
    unsigned serial;            /* 0: a new one */
} UefiTestCert;

/** uefi_test_cert: a certificate by description; lives as long as the test */
const UefiTestKey *uefi_test_cert(const UefiTestCert *what);

/**
 * uefi_test_key: the authority called @cn, made when first asked for
 *
 * Lives as long as the process.
 */
const UefiTestKey *uefi_test_key(const char *cn);

/* uefi_test_leaf: the same for a certificate of @issuer that is no authority */
const UefiTestKey *uefi_test_leaf(const char *cn, const char *issuer);

#define UEFI_TEST_SIGNERS 24

/* How to sign; all zero but one signer is what common tools do */
typedef struct UefiTestSign {
    const UefiTestKey *signers[UEFI_TEST_SIGNERS];  /* NULL ends them */
    GPtrArray *bag;             /* more certificates, GBytes */
    gnutls_digest_algorithm_t digest;   /* 0: SHA-256 */
    bool attributes;            /* with signed attributes */
    unsigned more_attributes;   /* so many others of them */
    size_t attribute_size;      /* each, bytes; 0: as small as can be */
    size_t crl_size;            /* one that is nothing but bytes; 0: none */
    bool wrapped;               /* in a ContentInfo */
    bool no_certs;              /* without the signers' certificates */
    bool embed;                 /* with the data inside */
} UefiTestSign;

/* Signed by one key, in the way that common tools do it */
#define UEFI_TEST_BY(key) (&(const UefiTestSign) { .signers = { key } })

/** uefi_test_sign: a PKCS#7 signature over @data; the caller unrefs */
GBytes *uefi_test_sign(const UefiTestSign *how, const void *data, size_t size);

/** uefi_test_time: 2024-01-01 00:00:00 and @seconds, less than a minute */
UefiTime uefi_test_time(unsigned seconds);

/**
 * uefi_test_descriptor: descriptor and value for SetVariable
 * @cert: content of the certificate, may be NULL
 */
GByteArray *uefi_test_descriptor(const UefiTime *time, GBytes *cert,
                                 const void *value, size_t size);

/**
 * uefi_test_auth: the same with a signature; NULL for @how: without
 * @name: ASCII
 */
GByteArray *uefi_test_auth(const UefiTestSign *how, const UefiGuid *guid,
                           const char *name, uint32_t attributes,
                           const UefiTime *time, const void *value,
                           size_t size);

/** uefi_test_add_list: append a signature list with one signature */
void uefi_test_add_list(GByteArray *lists, const UefiGuid *type,
                        const void *data, size_t size);

/** uefi_test_key_list: the list of one certificate */
GByteArray *uefi_test_key_list(const UefiTestKey *key);

/** uefi_test_hash_list: lists of one SHA-256 digest, @n bytes @first.. each */
GByteArray *uefi_test_hash_list(uint8_t first, unsigned n);

#endif /* TESTS_UNIT_UEFI_TEST_KEYS_H */
