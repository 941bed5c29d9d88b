/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Certificates and signatures of any shape, good ones and bad ones
 */

#ifndef TESTS_CONFORMANCE_TRUST_FORGE_H
#define TESTS_CONFORMANCE_TRUST_FORGE_H

#include <glib.h>

/* ------------------------------------------------------------------------ */
/* DER; all of these take over the GBytes that they are given */

/** der: an element around others; NULL ends them */
GBytes *der(unsigned tag, ...) G_GNUC_NULL_TERMINATED;

/** der_join: elements one after the other; NULL ends them */
GBytes *der_join(GBytes *first, ...) G_GNUC_NULL_TERMINATED;

/** der_bytes: a primitive element */
GBytes *der_bytes(unsigned tag, const void *data, size_t size);
#define der_text(tag, text) der_bytes(tag, text, sizeof(text) - 1)

GBytes *der_int(int value);
GBytes *der_oid(const char *dotted);

/** der_algorithm: an AlgorithmIdentifier; @null: with NULL as parameters */
GBytes *der_algorithm(const char *dotted, gboolean null);

/** der_cn: a Name with one common name */
GBytes *der_cn(const char *cn);

/** der_extension: as it stands in a certificate */
GBytes *der_extension(const char *dotted, gboolean critical, GBytes *value);

/* ------------------------------------------------------------------------ */
/* Keys; each is made when it is first used */

/** forge_seed: make the same keys and signatures as with the same @seed */
void forge_seed(guint32 seed);

typedef enum ForgeKey {
    KEY_ROOT,
    KEY_MIDDLE,
    KEY_LEAF,
    KEY_OTHER,
    KEY_EC_ROOT,
    KEY_EC_MIDDLE,
    KEY_EC_LEAF,
    KEY_EC_HYBRID,              /* its point is told in a form nobody uses */
    KEY_ED25519,
    KEY__MAX
} ForgeKey;

/** forge_key_id: an identifier of the key, 20 bytes */
GBytes *forge_key_id(ForgeKey key);

/* ------------------------------------------------------------------------ */
/* Certificates; members are borrowed */

typedef struct ForgeCert {
    const char *cn;             /* of the subject */
    GBytes *subject;            /* Name, instead of @cn */
    const char *issuer_cn;
    GBytes *issuer;             /* Name, instead of @issuer_cn */
    ForgeKey key;
    ForgeKey signer;
    int serial;
    GBytes *number;             /* the serial number's bytes, instead */
    int version;                /* 0: 3 */
    GBytes *ids;                /* unique identifiers, as elements */
    GBytes *extensions;         /* one after the other; NULL: none at all */
    const char *digest;         /* of its signature; NULL: SHA256 */
    const char *algorithm;      /* that it is said to be; NULL: the true one */
    const char *outer;          /* what is not signed of it; NULL: same */
} ForgeCert;

/** forge_cert: the caller unrefs */
GBytes *forge_cert(const ForgeCert *what);

/** forge_resign: the same, with a changed TBSCertificate, which is borrowed */
GBytes *forge_resign(GBytes *tbs, ForgeKey signer, const char *digest);

/** forge_tbs: what is signed of it */
GBytes *forge_tbs(const ForgeCert *what);

/* ------------------------------------------------------------------------ */
/* Signatures */

typedef enum ForgeAttributes {
    ATTRIBUTES_NONE,
    ATTRIBUTES_SORTED,          /* as DER wants a set */
    ATTRIBUTES_REVERSED,
    ATTRIBUTES_TWO_DIGESTS,     /* the good one first */
    ATTRIBUTES_TWO_DIGESTS_BAD_FIRST,
    ATTRIBUTES_TWO_VALUES,
    ATTRIBUTES_NO_DIGEST,
    ATTRIBUTES_NO_TYPE,         /* without contentType */
    ATTRIBUTES_WRONG_DIGEST,
    ATTRIBUTES_WRONG_TYPE,      /* a contentType that is not data */
    ATTRIBUTES_EMPTY,
    ATTRIBUTES__MAX
} ForgeAttributes;

typedef struct ForgeSigner {
    const ForgeCert *cert;
    GBytes *issuer;             /* Name, instead of that of @cert */
    int serial;                 /* instead of that of @cert */
    int version;                /* 0: 1 */
    const char *digest;         /* NULL: SHA256 */
    gboolean no_null;           /* algorithms without parameters */
    const char *algorithm;      /* of the signature; NULL: the usual one */
    ForgeAttributes attributes;
    GBytes *unsigned_attributes;    /* one after the other */
} ForgeSigner;

#define FORGE_SIGNERS   5
#define FORGE_CERTS     8

typedef struct ForgeSignature {
    ForgeSigner signers[FORGE_SIGNERS];
    int version;                /* 0: 1 */
    const char *digests[4];     /* announced; none: SHA256 */
    const char *content_type;   /* NULL: data */
    GBytes *content;            /* an element, instead of none */
    GBytes *bag[FORGE_CERTS];   /* certificates in their order */
    gboolean no_bag;            /* not even an empty one */
    GBytes *crls;
    gboolean wrapped;
} ForgeSignature;

/** forge_signature: over @data; the caller unrefs */
GBytes *forge_signature(const ForgeSignature *what, GBytes *data);

#endif /* TESTS_CONFORMANCE_TRUST_FORGE_H */
