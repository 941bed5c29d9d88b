/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Signatures and certificates: our verdict beside that of edk2
 *
 *     test-trust [--seed R02S...] [--mutations N]
 *
 * Each forged signature goes to both.  The verdicts are equal, or ours is the
 * stricter one for a reason that stands in differences.md, under the name
 * that the case gives.  Then pieces of them are spoiled at random: what edk2
 * refuses, we refuse.
 */

#include "qemu/osdep.h"
#include <openssl/crypto.h>
#include "hw/uefi/var-service-pkcs7.h"
#include "hw/uefi/var-service-x509.h"
#include "trust-edk2.h"
#include "trust-forge.h"

static int mutations = 20000;

/* A signature, and whom it might be by */
typedef struct Case {
    char *name;
    GBytes *signature;
    GBytes *anchor;
    const char *differs;        /* where ours may be stricter; NULL: nowhere */
} Case;

typedef struct Verdict {
    UefiReason ours;
    gboolean theirs;
    gboolean same_binding;
} Verdict;

static const char message[] = "What is signed here is of no importance";

static GBytes *data_bytes(void)
{
    return g_bytes_new_static(message, sizeof(message));
}

static void free_case(gpointer data)
{
    Case *c = data;

    g_free(c->name);
    g_bytes_unref(c->signature);
    g_bytes_unref(c->anchor);
    g_free(c);
}

/* ------------------------------------------------------------------------ */
/* Verdicts */

/* Whoever is trusted can own a variable, or both say that he cannot. */
static gboolean same_binding(GBytes *signature, UefiPkcs7 *p7)
{
    g_autoptr(GBytes) ours = uefi_pkcs7_binding(p7);
    g_autoptr(GBytes) theirs = edk2_binding(signature);

    return ours && theirs ? g_bytes_equal(ours, theirs) : !ours == !theirs;
}

static Verdict judge(GBytes *signature, GBytes *anchor)
{
    g_autoptr(GBytes) data = data_bytes();
    gsize size, anchor_size;
    const uint8_t *der = g_bytes_get_data(signature, &size);
    const uint8_t *anchor_der = g_bytes_get_data(anchor, &anchor_size);
    Verdict v = { .theirs = edk2_verify(signature, anchor, data) };
    g_autoptr(UefiPkcs7) p7 = uefi_pkcs7_parse(der, size, &v.ours);

    if (p7) {
        v.ours = uefi_pkcs7_verify(p7, (const uint8_t *)message,
                                   sizeof(message));
    }
    if (v.ours == UEFI_REASON_OK) {
        v.ours = uefi_pkcs7_chains_to(p7, anchor_der, anchor_size);
    }
    v.same_binding = v.ours != UEFI_REASON_OK || !v.theirs ||
                     same_binding(signature, p7);
    return v;
}

/* ------------------------------------------------------------------------ */
/* Cases: extensions of certificates */

#define EXT_KEY_ID          "2.5.29.14"
#define EXT_USAGE           "2.5.29.15"
#define EXT_ALT_NAME        "2.5.29.17"
#define EXT_CONSTRAINTS     "2.5.29.19"
#define EXT_NAMES           "2.5.29.30"
#define EXT_CRL_POINTS      "2.5.29.31"
#define EXT_POLICIES        "2.5.29.32"
#define EXT_MAPPINGS        "2.5.29.33"
#define EXT_ISSUER_KEY_ID   "2.5.29.35"
#define EXT_POLICY_LIMITS   "2.5.29.36"
#define EXT_PURPOSE         "2.5.29.37"
#define EXT_NO_ANY_POLICY   "2.5.29.54"
#define EXT_PROXY           "1.3.6.1.5.5.7.1.14"
#define EXT_ADDRESSES       "1.3.6.1.5.5.7.1.7"
#define EXT_NETSCAPE        "2.16.840.1.113730.1.1"
#define EXT_UNKNOWN         "1.2.3.4"

#define EXT(oid, value)         der_extension(oid, FALSE, value)
#define CRITICAL(oid, value)    der_extension(oid, TRUE, value)
#define TRUE_DER                der_text(0x01, "\xff")
#define GARBAGE                 der_text(0x0c, "garbage")
#define CA                      EXT(EXT_CONSTRAINTS, der(0x30, TRUE_DER, NULL))
#define CA_WITH(...)            der_join(CA, __VA_ARGS__, NULL)
#define CONSTRAINTS(...)        EXT(EXT_CONSTRAINTS, der(0x30, __VA_ARGS__, \
                                                         NULL))
#define USAGE(bits)             EXT(EXT_USAGE, der_text(0x03, bits))

typedef struct ExtensionSet {
    const char *name;
    GBytes *extensions;
    const char *differs;
} ExtensionSet;

static GArray *extension_sets(void)
{
    GArray *sets = g_array_new(FALSE, FALSE, sizeof(ExtensionSet));
    const ExtensionSet all[] = {
        { "nothing", NULL },
        { "ca", CA },
        { "ca-critical", CRITICAL(EXT_CONSTRAINTS, der(0x30, TRUE_DER, NULL)) },
        { "no-ca", CONSTRAINTS(NULL) },
        { "ca-false", CONSTRAINTS(der_text(0x01, "\0")) },
        { "ca-one", CONSTRAINTS(der_text(0x01, "\1")) },
        { "ca-twice", CA_WITH(CA) },
        { "ca-then-not", CA_WITH(CONSTRAINTS(NULL)) },
        { "not-then-ca", der_join(CONSTRAINTS(NULL), CA, NULL) },
        { "path-0", CONSTRAINTS(TRUE_DER, der_int(0)) },
        { "path-1", CONSTRAINTS(TRUE_DER, der_int(1)) },
        { "path-negative", CONSTRAINTS(TRUE_DER, der_int(-1)) },
        { "path-300", CONSTRAINTS(TRUE_DER, der_int(300)) },
        { "path-huge", CONSTRAINTS(TRUE_DER,
                                   der_text(0x02, "\1\2\3\4\5\6\7\10\11")) },
        { "path-padded", CONSTRAINTS(TRUE_DER, der_text(0x02, "\0\54")) },
        { "path-no-ca", CONSTRAINTS(der_int(0)) },
        { "ca-garbage", EXT(EXT_CONSTRAINTS, GARBAGE) },
        { "ca-empty", EXT(EXT_CONSTRAINTS, g_bytes_new(NULL, 0)) },
        { "ca-and-more", EXT(EXT_CONSTRAINTS,
                             der_join(der(0x30, TRUE_DER, NULL), GARBAGE,
                                      NULL)) },
        { "usage-sign", CA_WITH(USAGE("\1\6")) },
        { "usage-sign-critical",
          CA_WITH(CRITICAL(EXT_USAGE, der_text(0x03, "\1\6"))) },
        { "usage-other", CA_WITH(USAGE("\7\x80")) },
        { "usage-alone", USAGE("\1\6"), "no-basic-constraints" },
        { "usage-alone-other", USAGE("\7\x80") },
        { "usage-garbage", CA_WITH(EXT(EXT_USAGE, GARBAGE)) },
        { "usage-empty", CA_WITH(USAGE("\0")) },
        { "usage-none", CA_WITH(USAGE("\0\0")) },
        { "usage-two-bytes", CA_WITH(USAGE("\7\6\x80")) },
        { "usage-three-bytes", CA_WITH(USAGE("\0\0\0\1")) },
        { "usage-unused-bits", CA_WITH(USAGE("\3\4")) },
        { "usage-sign-unused-bits", CA_WITH(USAGE("\1\7")) },
        { "usage-other-unused-bits", CA_WITH(USAGE("\7\x82")) },
        { "usage-twice", CA_WITH(USAGE("\1\6"), USAGE("\1\6")) },
        { "names", CA_WITH(EXT(EXT_NAMES, der(0x30, der(0xa1, der(0x30,
              der_text(0x82, "example.org"), NULL), NULL), NULL))),
          "name-constraints" },
        { "names-critical", CA_WITH(CRITICAL(EXT_NAMES, der(0x30, der(0xa1,
              der(0x30, der_text(0x82, "example.org"), NULL), NULL), NULL))),
          "name-constraints" },
        { "names-others", CA_WITH(EXT(EXT_NAMES, der(0x30, der(0xa0, der(0x30,
              der(0xa4, der_cn("somebody else"), NULL), NULL), NULL), NULL))),
          "name-constraints" },
        { "unknown", CA_WITH(EXT(EXT_UNKNOWN, der(0x05, NULL))) },
        { "unknown-critical", CA_WITH(CRITICAL(EXT_UNKNOWN, der(0x05, NULL))) },
        { "unknown-critical-garbage", CA_WITH(
              CRITICAL(EXT_UNKNOWN, GARBAGE), EXT(EXT_USAGE, GARBAGE)) },
        { "unknown-twice", CA_WITH(EXT(EXT_UNKNOWN, GARBAGE),
                                   EXT(EXT_UNKNOWN, GARBAGE)) },
        { "purpose", CA_WITH(EXT(EXT_PURPOSE, der(0x30,
              der_oid("1.3.6.1.5.5.7.3.1"), NULL))) },
        { "purpose-critical", CA_WITH(CRITICAL(EXT_PURPOSE, der(0x30,
              der_oid("1.3.6.1.5.5.7.3.1"), NULL))) },
        { "purpose-garbage", CA_WITH(EXT(EXT_PURPOSE, GARBAGE)) },
        { "purpose-twice", CA_WITH(EXT(EXT_PURPOSE, der(0x30,
              der_oid("1.3.6.1.5.5.7.3.1"), NULL)),
              EXT(EXT_PURPOSE, der(0x30, der_oid("1.3.6.1.5.5.7.3.2"),
                                   NULL))) },
        { "alt-name", CA_WITH(CRITICAL(EXT_ALT_NAME, der(0x30,
              der_text(0x82, "example.org"), NULL))) },
        { "alt-name-garbage", CA_WITH(EXT(EXT_ALT_NAME, GARBAGE)),
          "unreadable-extensions" },
        { "proxy", CRITICAL(EXT_PROXY, der(0x30, der(0x30,
              der_oid("1.3.6.1.5.5.7.21.1"), NULL), NULL)) },
        { "proxy-garbage", CA_WITH(CRITICAL(EXT_PROXY, GARBAGE)) },
        { "proxy-policy", CA_WITH(EXT(EXT_PROXY, der(0x30, der_int(1), der(
              0x30, der_int(1), NULL), NULL))) },
        { "proxy-twice", CA_WITH(EXT(EXT_PROXY, GARBAGE),
                                 EXT(EXT_PROXY, GARBAGE)) },
        { "proxy-limits", CRITICAL(EXT_PROXY, der(0x30, der_int(1), der(0x30,
              der_oid("1.3.6.1.5.5.7.21.1"), der_text(0x04, "x"), NULL),
              NULL)) },
        { "proxy-ca", CA_WITH(EXT(EXT_PROXY, der(0x30, der(0x30,
              der_oid("1.3.6.1.5.5.7.21.1"), NULL), NULL))),
          "unreadable-extensions" },
        { "alt-name-any", CA_WITH(EXT(EXT_ALT_NAME, der(0x30, der(0xa0,
              der_oid("1.2.3"), der(0xa0, der_int(1), NULL), NULL), NULL))) },
        { "alt-name-any-padded", CA_WITH(EXT(EXT_ALT_NAME, der(0x30, der(0xa0,
              der_oid("1.2.3"), der(0xa0, der_text(0x02, "\0\1"), NULL),
              NULL), NULL))), "unreadable-extensions" },
        { "key-id", CA_WITH(EXT(EXT_KEY_ID, der_text(0x04, "any"))) },
        { "key-id-critical", CA_WITH(CRITICAL(EXT_KEY_ID,
                                              der_text(0x04, "any"))) },
        { "key-id-garbage", CA_WITH(EXT(EXT_KEY_ID, GARBAGE)) },
        { "key-id-twice", CA_WITH(EXT(EXT_KEY_ID, der_text(0x04, "a")),
                                  EXT(EXT_KEY_ID, der_text(0x04, "a"))) },
        { "issuer-key-id-wrong", CA_WITH(EXT(EXT_KEY_ID, der_text(0x04, "a")),
              EXT(EXT_ISSUER_KEY_ID, der(0x30, der_text(0x80, "b"), NULL))) },
        { "issuer-key-id-right", CA_WITH(EXT(EXT_KEY_ID, der_text(0x04, "a")),
              EXT(EXT_ISSUER_KEY_ID, der(0x30, der_text(0x80, "a"), NULL))) },
        { "issuer-serial-right", CA_WITH(EXT(EXT_ISSUER_KEY_ID, der(0x30,
              der(0xa1, der(0xa4, der_cn("root"), NULL), NULL),
              der_text(0x82, "\1"), NULL))) },
        { "issuer-serial-wrong", CA_WITH(EXT(EXT_ISSUER_KEY_ID, der(0x30,
              der(0xa1, der(0xa4, der_cn("root"), NULL), NULL),
              der_text(0x82, "\2"), NULL))) },
        { "issuer-serial-padded", CA_WITH(EXT(EXT_ISSUER_KEY_ID, der(0x30,
              der(0xa1, der(0xa4, der_cn("root"), NULL), NULL),
              der_text(0x82, "\0\1"), NULL))) },
        { "issuer-name-wrong", CA_WITH(EXT(EXT_ISSUER_KEY_ID, der(0x30,
              der(0xa1, der(0xa4, der_cn("tree"), NULL), NULL),
              der_text(0x82, "\1"), NULL))) },
        { "issuer-name-after-others", CA_WITH(EXT(EXT_ISSUER_KEY_ID, der(0x30,
              der(0xa1, der_text(0x82, "x"), der(0xa4, der_cn("ROOT "), NULL),
                  NULL), der_text(0x82, "\1"), NULL))) },
        { "issuer-key-id-garbage", CA_WITH(EXT(EXT_ISSUER_KEY_ID, GARBAGE)) },
        { "issuer-key-id-empty", CA_WITH(EXT(EXT_ISSUER_KEY_ID,
                                             der(0x30, NULL))) },
        { "policies", CA_WITH(CRITICAL(EXT_POLICIES, der(0x30, der(0x30,
              der_oid("2.5.29.32.0"), NULL), NULL))) },
        { "mappings", CA_WITH(CRITICAL(EXT_MAPPINGS, der(0x30, der(0x30,
              der_oid("1.2.3"), der_oid("1.2.4"), NULL), NULL))) },
        { "policy-limits", CA_WITH(CRITICAL(EXT_POLICY_LIMITS, der(0x30,
              der_text(0x80, "\0"), NULL))) },
        { "no-any-policy", CA_WITH(CRITICAL(EXT_NO_ANY_POLICY, der_int(0))) },
        { "crl-points", CA_WITH(EXT(EXT_CRL_POINTS, der(0x30, der(0x30, der(
              0xa0, der(0xa0, der_text(0x86, "http://x"), NULL), NULL), NULL),
              NULL))) },
        { "crl-points-critical", CA_WITH(CRITICAL(EXT_CRL_POINTS, der(0x30,
              der(0x30, der(0xa0, der(0xa0, der_text(0x86, "http://x"), NULL),
                            NULL), NULL), NULL))) },
        { "crl-points-garbage", CA_WITH(EXT(EXT_CRL_POINTS, GARBAGE)) },
        { "netscape-ca", EXT(EXT_NETSCAPE, der_text(0x03, "\0\7")),
          "no-basic-constraints" },
        { "netscape-none", CA_WITH(EXT(EXT_NETSCAPE, der_text(0x03, "\3"))) },
        { "addresses", CA_WITH(CRITICAL(EXT_ADDRESSES, der(0x30, NULL))),
          "address-blocks" },
        { "no-extension", g_bytes_new_static("\5\0", 2) },
        { "no-oid", der(0x30, der_text(0x06, "\x80\1"), der_text(0x04, ""),
                        NULL) },
        { "flag-false", CA_WITH(der(0x30, der_oid(EXT_UNKNOWN),
                                    der_text(0x01, "\0"), der_text(0x04, "x"),
                                    NULL)) },
    };

    g_array_append_vals(sets, all, ARRAY_SIZE(all));
    return sets;
}

static void add_case(GPtrArray *cases, char *name, GBytes *signature,
                     GBytes *anchor, const char *differs)
{
    Case *c = g_new0(Case, 1);

    *c = (Case) { name, signature, g_bytes_ref(anchor), differs };
    g_ptr_array_add(cases, c);
}

static GBytes *sign_by(const ForgeCert *cert, GBytes *bag0, GBytes *bag1,
                       GBytes *bag2)
{
    g_autoptr(GBytes) data = data_bytes();
    ForgeSignature how = {
        .signers = { { .cert = cert } }, .bag = { bag0, bag1, bag2 },
    };

    return forge_signature(&how, data);
}

static const ForgeCert root_of_all = {
    .cn = "root", .issuer_cn = "root", .key = KEY_ROOT, .signer = KEY_ROOT,
    .serial = 1,
};

/* One set in each of the places that a certificate can have in a chain */
static void add_extension_cases(GPtrArray *cases, const ExtensionSet *set)
{
    g_autoptr(GBytes) ca = CA;
    ForgeCert root = root_of_all, odd_root = root_of_all, twin = root_of_all;
    ForgeCert middle = {
        .cn = "middle", .issuer_cn = "root", .key = KEY_MIDDLE,
        .signer = KEY_ROOT, .serial = 2, .extensions = set->extensions,
    };
    ForgeCert leaf = {
        .cn = "leaf", .issuer_cn = "middle", .key = KEY_LEAF,
        .signer = KEY_MIDDLE, .serial = 3,
    };
    ForgeCert low = leaf, odd = leaf;
    g_autoptr(GBytes) root_der = NULL, odd_root_der = NULL, twin_der = NULL;
    g_autoptr(GBytes) middle_der = NULL, leaf_der = NULL, low_der = NULL;
    g_autoptr(GBytes) odd_der = NULL;

#define ADD(place, cert, bag0, bag1, bag2, anchor)                          \
    add_case(cases, g_strdup_printf("%s/%s", set->name, place),             \
             sign_by(&cert, bag0, bag1, bag2), anchor, set->differs)

    root.extensions = ca;
    odd_root.extensions = twin.extensions = set->extensions;
    twin.serial = 9;
    low.issuer_cn = odd.issuer_cn = "root";
    low.signer = odd.signer = KEY_ROOT;
    odd.extensions = set->extensions;
    root_der = forge_cert(&root);
    odd_root_der = forge_cert(&odd_root);
    twin_der = forge_cert(&twin);
    middle_der = forge_cert(&middle);
    leaf_der = forge_cert(&leaf);
    low_der = forge_cert(&low);
    odd_der = forge_cert(&odd);
    ADD("anchor", low, low_der, NULL, NULL, odd_root_der);
    ADD("self", odd_root, odd_root_der, NULL, NULL, odd_root_der);
    ADD("twin", odd_root, odd_root_der, NULL, NULL, twin_der);
    ADD("middle", leaf, leaf_der, middle_der, NULL, root_der);
    ADD("middle-anchor", leaf, leaf_der, NULL, NULL, middle_der);
    ADD("leaf", odd, odd_der, NULL, NULL, root_der);
    ADD("leaf-anchor", odd, odd_der, NULL, NULL, odd_der);
    ADD("leaf-in-chain-anchor", leaf, leaf_der, middle_der, root_der, leaf_der);
    ADD("above-anchor", low, low_der, odd_root_der, NULL, low_der);
#undef ADD
}

/* ------------------------------------------------------------------------ */
/* Cases: names */

#define RDN(oid, tag, text) \
    der(0x31, der(0x30, der_oid(oid), der_text(tag, text), NULL), NULL)
#define CN_OF(tag, text)    der(0x30, RDN("2.5.4.3", tag, text), NULL)
#define PAIR(first, second) \
    der(0x30, der(0x31, \
        der(0x30, der_oid("2.5.4." first), der_text(0x0c, first), NULL), \
        der(0x30, der_oid("2.5.4." second), der_text(0x0c, second), NULL), \
        NULL), NULL)

typedef struct NamePair {
    const char *name;
    GBytes *a, *b;
    const char *differs;
} NamePair;

static void add_name_case(GPtrArray *cases, const NamePair *pair)
{
    g_autoptr(GBytes) ca = CA, data = data_bytes();
    ForgeCert root = {
        .subject = pair->a, .issuer = pair->a, .key = KEY_ROOT,
        .signer = KEY_ROOT, .serial = 1, .extensions = ca,
    };
    ForgeCert leaf = {
        .subject = pair->b, .issuer = pair->b, .key = KEY_LEAF,
        .signer = KEY_ROOT, .serial = 3,
    };
    g_autoptr(GBytes) root_der = forge_cert(&root);
    g_autoptr(GBytes) leaf_der = forge_cert(&leaf);
    ForgeSignature how = {
        .signers = { { .cert = &leaf, .issuer = pair->a } },
        .bag = { leaf_der },
    };

    add_case(cases, g_strdup_printf("name-%s/chain", pair->name),
             sign_by(&leaf, leaf_der, NULL, NULL), root_der, pair->differs);
    add_case(cases, g_strdup_printf("name-%s/signer", pair->name),
             forge_signature(&how, data), leaf_der, pair->differs);
}

static void add_name_cases(GPtrArray *cases)
{
    const NamePair pairs[] = {
        { "same", CN_OF(0x0c, "A"), CN_OF(0x0c, "A") },
        { "other", CN_OF(0x0c, "A"), CN_OF(0x0c, "B") },
        { "kind", CN_OF(0x0c, "A B"), CN_OF(0x13, "A B") },
        { "kind-bmp", CN_OF(0x0c, "A B"), CN_OF(0x1e, "\0A\0 \0B") },
        { "kind-universal", CN_OF(0x0c, "A"), CN_OF(0x1c, "\0\0\0A") },
        { "kind-t61", CN_OF(0x0c, "\xc3\xa9"), CN_OF(0x14, "\xe9") },
        { "kind-ia5", CN_OF(0x16, "a@b"), CN_OF(0x0c, "a@b") },
        { "kind-numeric", CN_OF(0x12, "12"), CN_OF(0x0c, "12") },
        { "numeric", CN_OF(0x12, "12"), CN_OF(0x12, "12") },
        { "case", CN_OF(0x0c, "Some Name"), CN_OF(0x0c, "sOME nAME") },
        { "case-outside-ascii", CN_OF(0x0c, "\xc3\xa9"),
          CN_OF(0x0c, "\xc3\x89") },
        { "spaces-around", CN_OF(0x0c, "A"), CN_OF(0x0c, "  A\t\n") },
        { "spaces-between", CN_OF(0x0c, "A B"), CN_OF(0x0c, "A \t  B") },
        { "spaces-vertical", CN_OF(0x0c, "A B"), CN_OF(0x0c, "A\v\fB") },
        { "spaces-removed", CN_OF(0x0c, "A B"), CN_OF(0x0c, "AB") },
        { "spaces-only", CN_OF(0x0c, ""), CN_OF(0x0c, "   ") },
        { "empty", CN_OF(0x0c, ""), CN_OF(0x0c, "") },
        { "none", der(0x30, NULL), der(0x30, NULL) },
        { "none-and-some", der(0x30, NULL), CN_OF(0x0c, "A") },
        { "bad-utf8", CN_OF(0x0c, "\xff"), CN_OF(0x0c, "\xff") },
        { "long-utf8", CN_OF(0x0c, "\xc0\x80"), CN_OF(0x0c, "\xc0\x80") },
        { "surrogate", CN_OF(0x0c, "\xed\xa0\x80"),
          CN_OF(0x0c, "\xed\xa0\x80") },
        { "not-a-character", CN_OF(0x0c, "\xef\xbf\xbf"),
          CN_OF(0x0c, "\xef\xbf\xbf") },
        { "cut-utf8", CN_OF(0x0c, "A\xc3"), CN_OF(0x0c, "A\xc3") },
        { "odd-bmp", CN_OF(0x1e, "\0A\0"), CN_OF(0x1e, "\0A\0") },
        { "bmp-surrogates", CN_OF(0x1e, "\xd8\x3d\xde\0"),
          CN_OF(0x1e, "\xd8\x3d\xde\0") },
        { "universal-high", CN_OF(0x1c, "\0\x11\0\0"),
          CN_OF(0x1c, "\0\x11\0\0") },
        { "printable-8-bit", CN_OF(0x13, "caf\xe9"), CN_OF(0x0c,
                                                         "caf\xc3\xa9") },
        { "nul", CN_OF(0x0c, "A\0B"), CN_OF(0x0c, "A\0B") },
        { "nul-other", CN_OF(0x0c, "A\0B"), CN_OF(0x0c, "A\0C") },
        { "octets", CN_OF(0x04, "A"), CN_OF(0x04, "A") },
        { "octets-case", CN_OF(0x04, "A"), CN_OF(0x04, "a") },
        { "bits", CN_OF(0x03, "\0A"), CN_OF(0x03, "\0A") },
        { "bits-unused", CN_OF(0x03, "\3A"), CN_OF(0x03, "\3A"),
          "to-the-letter" },
        { "bits-beyond", CN_OF(0x03, "\11A"), CN_OF(0x03, "\11A") },
        { "bits-none", CN_OF(0x03, ""), CN_OF(0x03, "") },
        { "type", der(0x30, RDN("2.5.4.10", 0x0c, "A"), NULL),
          CN_OF(0x0c, "A") },
        { "set-order", PAIR("3", "10"), PAIR("10", "3") },
        { "set-same", PAIR("3", "10"), PAIR("3", "10") },
        { "split-set", PAIR("3", "10"), der(0x30, RDN("2.5.4.3", 0x0c, "3"),
              RDN("2.5.4.10", 0x0c, "10"), NULL) },
        { "order", der(0x30, RDN("2.5.4.3", 0x0c, "3"),
                       RDN("2.5.4.10", 0x0c, "10"), NULL),
          der(0x30, RDN("2.5.4.10", 0x0c, "10"), RDN("2.5.4.3", 0x0c, "3"),
              NULL) },
        { "two", der(0x30, RDN("2.5.4.3", 0x0c, "x"), RDN("2.5.4.3", 0x0c, "y"),
                     NULL),
          der(0x30, RDN("2.5.4.3", 0x13, "X"), RDN("2.5.4.3", 0x13, "Y "),
              NULL) },
        { "empty-set", der(0x30, der(0x31, NULL), NULL),
          der(0x30, der(0x31, NULL), NULL), "to-the-letter" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
        add_name_case(cases, &pairs[i]);
        g_bytes_unref(pairs[i].a);
        g_bytes_unref(pairs[i].b);
    }
}

/* ------------------------------------------------------------------------ */
/* Cases: the SignedData and its signers */

typedef struct Shape {
    const char *name;
    ForgeSignature how;         /* the signer is the leaf unless it says so */
    const char *differs;
} Shape;

/* An element of @size bytes, for a place where nothing is looked at */
static GBytes *filler(size_t size)
{
    g_autofree char *bytes = g_strnfill(size, 'x');

    return der_bytes(0x04, bytes, size);
}

static GBytes *attribute_of(GBytes *value)
{
    return der(0x30, der_oid("1.3.6.1.4.1.311.3.3.1"), der(0x31, value, NULL),
               NULL);
}

static void add_shapes(GPtrArray *cases, const ForgeCert *cert, GBytes *leaf,
                       GBytes *other, GBytes *root)
{
    g_autoptr(GBytes) data = data_bytes();
    g_autoptr(GBytes) small = attribute_of(filler(100));
    g_autoptr(GBytes) stamp = attribute_of(filler(9000));
    g_autoptr(GBytes) large = attribute_of(filler(20000));
    g_autoptr(GBytes) two = der_join(attribute_of(filler(9)),
                                     attribute_of(filler(10)), NULL);
    g_autoptr(GBytes) bare = filler(100), octets = filler(10);
    g_autoptr(GBytes) junk = der_text(0x30, "\5\0");
    g_autoptr(GBytes) same = der_bytes(0x04, message, sizeof(message));
    g_autoptr(GBytes) unsorted = der(0x30, NULL);
#define BY          .signers = { { .cert = cert } }, .bag = { leaf }
#define BY_WITH(...) \
        .signers = { { .cert = cert, __VA_ARGS__ } }, .bag = { leaf }
    const Shape shapes[] = {
        { "bare", { BY } },
        { "wrapped", { BY, .wrapped = TRUE } },
        { "version-0", { BY, .version = 128 }, "versions" },
        { "version-2", { BY, .version = 2 }, "versions" },
        { "version-3", { BY, .version = 3 } },
        { "version-4", { BY, .version = 4 }, "versions" },
        { "signer-version-2", { BY_WITH(.version = 2) }, "versions" },
        { "signer-version-3", { BY_WITH(.version = 3) } },
        { "signer-version-4", { BY_WITH(.version = 4) }, "versions" },
        { "both-versions-3", { BY_WITH(.version = 3), .version = 3 } },
        { "no-null", { BY_WITH(.no_null = TRUE) } },
        { "sha384", { BY_WITH(.digest = "SHA384"), .digests = { "SHA384" } } },
        { "sha512", { BY_WITH(.digest = "SHA512"), .digests = { "SHA512" } } },
        { "sha1", { BY_WITH(.digest = "SHA1"), .digests = { "SHA1" } } },
        { "sha224", { BY_WITH(.digest = "SHA224"), .digests = { "SHA224" } } },
        { "md5", { BY_WITH(.digest = "MD5"), .digests = { "MD5" } } },
        { "sha1-announced-second",
          { BY_WITH(.digest = "SHA1"), .digests = { "SHA256", "SHA1" } },
          "weak-digests" },
        { "sha224-announced-second",
          { BY_WITH(.digest = "SHA224"), .digests = { "SHA256", "SHA224" } },
          "weak-digests" },
        { "sha1-announced-first",
          { BY, .digests = { "SHA1", "SHA256" } } },
        { "sha1-as-well", { BY, .digests = { "SHA256", "SHA1" } } },
        { "sha512-not-announced", { BY_WITH(.digest = "SHA512") } },
        { "sha512-announced-second",
          { BY_WITH(.digest = "SHA512"), .digests = { "SHA256", "SHA512" } } },
        { "all-announced",
          { BY, .digests = { "SHA384", "SHA512", "SHA256" } } },
        { "algorithm-sha256",
          { BY_WITH(.algorithm = "1.2.840.113549.1.1.11") } },
        { "algorithm-sha512", { BY_WITH(.algorithm = "1.2.840.113549.1.1.13") },
          "algorithm-names" },
        { "algorithm-ec", { BY_WITH(.algorithm = "1.2.840.10045.2.1") },
          "algorithm-names" },
        { "algorithm-unknown", { BY_WITH(.algorithm = "1.2.3.4") },
          "algorithm-names" },
        { "content-embedded", { BY, .content = same } },
        { "content-other", { BY, .content = octets } },
        { "content-junk", { BY, .content = junk } },
        { "content-type", { BY, .content_type = "1.3.6.1.4.1.311.2.1.4" },
          "content-type" },
        { "content-type-signed", { BY, .content_type = "1.2.840.113549.1.7.2" },
          "content-type" },
        { "no-signer", { .bag = { leaf } } },
        { "no-certificate", { .signers = { { .cert = cert } } } },
        { "no-bag", { .signers = { { .cert = cert } }, .no_bag = TRUE } },
        { "other-certificate", { .signers = { { .cert = cert } },
                                 .bag = { other } } },
        { "certificate-last", { .signers = { { .cert = cert } },
                                .bag = { other, root, leaf } } },
        { "certificate-twice", { .signers = { { .cert = cert } },
                                 .bag = { leaf, leaf } } },
        { "certificates-and-root", { .signers = { { .cert = cert } },
                                     .bag = { root, leaf, root, root } } },
        { "junk-certificate", { .signers = { { .cert = cert } },
                                .bag = { leaf, junk } } },
        { "no-certificate-choice", { .signers = { { .cert = cert } },
                                     .bag = { leaf, octets } } },
        { "crls", { BY, .crls = junk }, "crls" },
        { "crls-octets", { BY, .crls = octets }, "crls" },
        { "wrong-serial", { BY_WITH(.serial = 1000) } },
        { "signed-twice", { .signers = { { .cert = cert }, { .cert = cert } },
                            .bag = { leaf } } },
        { "five-signers", { .signers = { { .cert = cert }, { .cert = cert },
                            { .cert = cert }, { .cert = cert },
                            { .cert = cert } }, .bag = { leaf } }, "limits" },
        { "second-signer-bad", { .signers = { { .cert = cert }, { .cert = cert,
                                 .attributes = ATTRIBUTES_WRONG_DIGEST } },
                                 .bag = { leaf } } },
        { "unsigned-small", { BY_WITH(.unsigned_attributes = small) } },
        { "unsigned-stamp", { BY_WITH(.unsigned_attributes = stamp) } },
        { "unsigned-large", { BY_WITH(.unsigned_attributes = large) } },
        { "unsigned-two", { BY_WITH(.unsigned_attributes = two) } },
        { "unsigned-junk", { BY_WITH(.unsigned_attributes = bare) } },
        { "unsigned-empty-sequence",
          { BY_WITH(.unsigned_attributes = unsorted) } },
        { "unsigned-and-signed", { BY_WITH(.unsigned_attributes = stamp,
                                   .attributes = ATTRIBUTES_REVERSED) } },
    };

    for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
        const Shape *s = &shapes[i];

        add_case(cases, g_strdup_printf("shape-%s/root", s->name),
                 forge_signature(&s->how, data), root, s->differs);
        add_case(cases, g_strdup_printf("shape-%s/leaf", s->name),
                 forge_signature(&s->how, data), leaf, s->differs);
    }
}

static void add_attribute_cases(GPtrArray *cases, const ForgeCert *cert,
                                GBytes *leaf)
{
    static const char *const digests[] = { "SHA256", "SHA384", "SHA512" };
    g_autoptr(GBytes) data = data_bytes();

    for (int i = 0; i < ATTRIBUTES__MAX; i++) {
        for (size_t j = 0; j < ARRAY_SIZE(digests); j++) {
            ForgeSignature how = {
                .signers = { { .cert = cert, .digest = digests[j],
                               .attributes = i } },
                .digests = { digests[j] }, .bag = { leaf },
            };
            const char *differs = NULL;

            if (i == ATTRIBUTES_TWO_DIGESTS || i == ATTRIBUTES_TWO_VALUES ||
                i == ATTRIBUTES_EMPTY) {
                differs = "one-digest-of-the-message";
            }
            add_case(cases, g_strdup_printf("attributes-%d/%s", i, digests[j]),
                     forge_signature(&how, data), leaf, differs);
        }
    }
}

static void add_signature_cases(GPtrArray *cases)
{
    g_autoptr(GBytes) ca = CA;
    ForgeCert root = root_of_all, middle = {
        .cn = "other", .issuer_cn = "root", .key = KEY_OTHER,
        .signer = KEY_ROOT, .serial = 44,
    };
    ForgeCert leaf = {
        .cn = "leaf", .issuer_cn = "root", .key = KEY_LEAF,
        .signer = KEY_ROOT, .serial = 3,
    };
    g_autoptr(GBytes) root_der = NULL, other = forge_cert(&middle);
    g_autoptr(GBytes) leaf_der = forge_cert(&leaf);

    root.extensions = ca;
    root_der = forge_cert(&root);
    add_shapes(cases, &leaf, leaf_der, other, root_der);
    add_attribute_cases(cases, &leaf, leaf_der);
}

/* ------------------------------------------------------------------------ */
/* Cases: chains; each says how it differs from the usual certificates */

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"

typedef struct Chain {
    const char *name;
    ForgeCert certs[5];         /* the first one signs */
    int anchor;                 /* which of them is trusted */
    gboolean all;               /* it is in the bag as well */
    const char *differs;
} Chain;

static void add_chain(GPtrArray *cases, const Chain *chain)
{
    g_autoptr(GPtrArray) ders =
        g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    g_autoptr(GBytes) data = data_bytes();
    ForgeSignature how = { .signers = { { .cert = &chain->certs[0] } } };
    size_t n = 0;

    how.digests[0] = "SHA256";
    for (int i = 0; i < 5 && (chain->certs[i].cn || chain->certs[i].subject);
         i++) {
        GBytes *cert = forge_cert(&chain->certs[i]);

        g_ptr_array_add(ders, cert);
        if (i == 0 || i != chain->anchor || chain->all) {
            how.bag[n++] = cert;
        }
    }
    add_case(cases, g_strdup_printf("chain-%s", chain->name),
             forge_signature(&how, data), ders->pdata[chain->anchor],
             chain->differs);
}

static void add_chains(GPtrArray *cases)
{
    g_autoptr(GBytes) ca = CA, ca_0 = CONSTRAINTS(TRUE_DER, der_int(0));
    g_autoptr(GBytes) ca_1 = CONSTRAINTS(TRUE_DER, der_int(1));
    g_autoptr(GBytes) padded = g_bytes_new_static("\0\7", 2);
    g_autoptr(GBytes) nothing = g_bytes_new(NULL, 0);
    g_autoptr(GBytes) ids = der_join(der_text(0x81, "\0x"),
                                     der_text(0x82, "\0x"), NULL);
    g_autoptr(GBytes) bad_id = der_text(0x82, "x");
#define LEAF(by, ...) { .cn = "leaf", .issuer_cn = by, .key = KEY_LEAF, \
                        .serial = 3, __VA_ARGS__ }
#define ROOT(...) { .cn = "root", .issuer_cn = "root", .key = KEY_ROOT, \
                    .signer = KEY_ROOT, .serial = 1, .extensions = ca, \
                    __VA_ARGS__ }
#define MIDDLE(...) { .cn = "middle", .issuer_cn = "root", .serial = 2, \
                      .key = KEY_MIDDLE, .signer = KEY_ROOT, \
                      .extensions = ca, __VA_ARGS__ }
#define BY_MIDDLE   LEAF("middle", .signer = KEY_MIDDLE)
    const Chain chains[] = {
        { "two", { LEAF("root", .signer = KEY_ROOT), ROOT() }, 1 },
        { "three", { BY_MIDDLE, MIDDLE(), ROOT() }, 2 },
        { "three-all", { BY_MIDDLE, MIDDLE(), ROOT() }, 2, TRUE },
        { "partial", { BY_MIDDLE, MIDDLE(), ROOT() }, 1 },
        { "partial-all", { BY_MIDDLE, MIDDLE(), ROOT() }, 1, TRUE },
        { "leaf-all", { BY_MIDDLE, MIDDLE(), ROOT() }, 0, TRUE },
        { "unrelated", { BY_MIDDLE, MIDDLE(), ROOT(),
              ROOT(.cn = "x", .issuer_cn = "x", .key = KEY_OTHER,
                   .signer = KEY_OTHER) }, 3 },
        { "wrong-key", { LEAF("root", .signer = KEY_OTHER), ROOT() }, 1 },
        { "wrong-key-leaf", { LEAF("root", .signer = KEY_OTHER), ROOT() }, 0 },
        { "wrong-middle-key", { LEAF("middle", .signer = KEY_OTHER), MIDDLE(),
              ROOT() }, 2 },
        { "wrong-middle-leaf", { LEAF("middle", .signer = KEY_OTHER), MIDDLE(),
              ROOT() }, 0 },
        { "not-signed-by-root", { BY_MIDDLE, MIDDLE(.signer = KEY_OTHER),
              ROOT() }, 2 },
        { "not-signed-by-root-partial", { BY_MIDDLE,
              MIDDLE(.signer = KEY_OTHER), ROOT() }, 1, TRUE },
        { "twin-middle-first", { BY_MIDDLE, MIDDLE(.key = KEY_OTHER,
              .serial = 7), MIDDLE(), ROOT() }, 3 },
        { "twin-middle-last", { BY_MIDDLE, MIDDLE(), MIDDLE(.key = KEY_OTHER,
              .serial = 7), ROOT() }, 3 },
        { "twin-middle-partial", { BY_MIDDLE, MIDDLE(.key = KEY_OTHER,
              .serial = 7), MIDDLE(), ROOT() }, 2 },
        { "twin-middle-other-issuer", { BY_MIDDLE,
              MIDDLE(.issuer_cn = "x", .signer = KEY_OTHER, .serial = 7),
              MIDDLE(), ROOT() }, 3 },
        { "twin-root", { LEAF("root", .signer = KEY_ROOT),
              ROOT(.serial = 9), ROOT() }, 1 },
        { "twin-root-in-bag", { LEAF("root", .signer = KEY_ROOT),
              ROOT(.serial = 9), ROOT() }, 2 },
        { "false-root-in-bag", { LEAF("root", .signer = KEY_ROOT),
              ROOT(.key = KEY_OTHER, .signer = KEY_OTHER), ROOT() }, 2 },
        { "false-root", { LEAF("root", .signer = KEY_ROOT),
              ROOT(.key = KEY_OTHER, .signer = KEY_OTHER), ROOT() }, 1, TRUE },
        { "self", { ROOT() }, 0 },
        { "self-no-ca", { ROOT(.extensions = NULL) }, 0 },
        { "self-twin", { ROOT(), ROOT(.serial = 9) }, 1 },
        { "self-twin-all", { ROOT(), ROOT(.serial = 9) }, 1, TRUE },
        { "self-badly-signed", { ROOT(.signer = KEY_OTHER) }, 0 },
        { "root-badly-signed", { LEAF("root", .signer = KEY_ROOT),
              ROOT(.signer = KEY_OTHER) }, 1 },
        { "self-issued", { LEAF("root", .signer = KEY_MIDDLE),
              ROOT(.key = KEY_MIDDLE, .serial = 8, .extensions = ca_0),
              ROOT() }, 2 },
        { "self-issued-path-0", { LEAF("root", .signer = KEY_MIDDLE),
              ROOT(.key = KEY_MIDDLE, .serial = 8), ROOT(.extensions = ca_0) },
              2 },
        { "path-0", { BY_MIDDLE, MIDDLE(), ROOT(.extensions = ca_0) }, 2 },
        { "path-1", { BY_MIDDLE, MIDDLE(), ROOT(.extensions = ca_1) }, 2 },
        { "path-1-long", { LEAF("low", .signer = KEY_OTHER),
              MIDDLE(.cn = "low", .issuer_cn = "middle", .key = KEY_OTHER,
                     .signer = KEY_MIDDLE), MIDDLE(),
              ROOT(.extensions = ca_1) }, 3 },
        { "path-any-long", { LEAF("low", .signer = KEY_OTHER),
              MIDDLE(.cn = "low", .issuer_cn = "middle", .key = KEY_OTHER,
                     .signer = KEY_MIDDLE), MIDDLE(), ROOT() }, 3 },
        { "middle-path-0-long", { LEAF("low", .signer = KEY_OTHER),
              MIDDLE(.cn = "low", .issuer_cn = "middle", .key = KEY_OTHER,
                     .signer = KEY_MIDDLE), MIDDLE(.extensions = ca_0),
              ROOT() }, 3 },
        { "circle", { LEAF("a", .signer = KEY_ROOT),
              ROOT(.cn = "a", .issuer_cn = "b", .signer = KEY_MIDDLE),
              MIDDLE(.cn = "b", .issuer_cn = "a") , ROOT(.cn = "c") }, 3 },
        { "circle-leaf", { LEAF("a", .signer = KEY_ROOT),
              ROOT(.cn = "a", .issuer_cn = "b", .signer = KEY_MIDDLE),
              MIDDLE(.cn = "b", .issuer_cn = "a") }, 0 },
        { "version-1-root", { LEAF("root", .signer = KEY_ROOT),
              ROOT(.version = 1, .extensions = NULL) }, 1 },
        { "version-1-middle", { BY_MIDDLE,
              MIDDLE(.version = 1, .extensions = NULL), ROOT() }, 2 },
        { "version-1-middle-anchor", { BY_MIDDLE,
              MIDDLE(.version = 1, .extensions = NULL), ROOT() }, 1 },
        { "version-1-leaf", { LEAF("root", .signer = KEY_ROOT, .version = 1),
              ROOT() }, 1 },
        { "version-1-with-extensions", { LEAF("root", .signer = KEY_ROOT),
              ROOT(.version = 1) }, 1, FALSE, "to-the-letter" },
        { "version-2-root", { LEAF("root", .signer = KEY_ROOT),
              ROOT(.version = 2, .extensions = NULL) }, 1 },
        { "version-4", { LEAF("root", .signer = KEY_ROOT, .version = 4),
              ROOT() }, 1, FALSE, "to-the-letter" },
        { "serial-padded", { LEAF("root", .signer = KEY_ROOT,
              .number = padded), ROOT() }, 1 },
        { "serial-empty", { LEAF("root", .signer = KEY_ROOT,
              .number = nothing), ROOT() }, 1 },
        { "unique-ids", { LEAF("root", .signer = KEY_ROOT, .ids = ids),
              ROOT() }, 1 },
        { "unique-id-bad", { LEAF("root", .signer = KEY_ROOT, .ids = bad_id),
              ROOT() }, 1 },
        { "md5", { LEAF("root", .signer = KEY_ROOT, .digest = "MD5"),
              ROOT() }, 1 },
        { "sha1", { LEAF("root", .signer = KEY_ROOT, .digest = "SHA1"),
              ROOT() }, 1 },
        { "sha512", { LEAF("root", .signer = KEY_ROOT, .digest = "SHA512"),
              ROOT() }, 1 },
        { "outer-algorithm", { LEAF("root", .signer = KEY_ROOT,
              .outer = "1.2.840.113549.1.1.13"), ROOT() }, 1 },
        { "outer-algorithm-leaf", { LEAF("root", .signer = KEY_ROOT,
              .outer = "1.2.840.113549.1.1.13"), ROOT() }, 0, FALSE,
              "to-the-letter" },
        { "ec", { LEAF("root", .key = KEY_EC_LEAF, .signer = KEY_EC_ROOT),
              ROOT(.key = KEY_EC_ROOT, .signer = KEY_EC_ROOT) }, 1 },
        { "ec-under-rsa", { LEAF("root", .key = KEY_EC_LEAF,
              .signer = KEY_ROOT), ROOT() }, 1 },
        { "rsa-under-ec", { LEAF("root", .signer = KEY_EC_ROOT),
              ROOT(.key = KEY_EC_ROOT, .signer = KEY_EC_ROOT) }, 1 },
        { "ec-says-rsa", { LEAF("root", .signer = KEY_ROOT),
              ROOT(.key = KEY_EC_ROOT, .signer = KEY_EC_ROOT) }, 1 },
        { "hybrid-root", { LEAF("root", .signer = KEY_EC_HYBRID),
              ROOT(.key = KEY_EC_HYBRID, .signer = KEY_EC_HYBRID) }, 1, FALSE,
              "key-kinds" },
        { "hybrid-above-anchor", { LEAF("middle", .signer = KEY_EC_HYBRID),
              MIDDLE(.key = KEY_EC_HYBRID, .extensions = NULL) }, 0, TRUE },
        { "unknown-algorithm", { LEAF("root", .key = KEY_EC_LEAF,
              .signer = KEY_EC_ROOT, .algorithm = "1.2.840.10045.4.2"),
              ROOT(.key = KEY_EC_ROOT, .signer = KEY_EC_ROOT,
                   .extensions = NULL) }, 0, TRUE },
        { "no-algorithm", { LEAF("root", .key = KEY_EC_LEAF,
              .signer = KEY_EC_ROOT, .algorithm = "1.2.3.4"),
              ROOT(.key = KEY_EC_ROOT, .signer = KEY_EC_ROOT,
                   .extensions = NULL) }, 0, TRUE, "key-kinds" },
        { "ed25519-root", { LEAF("root", .signer = KEY_ED25519),
              ROOT(.key = KEY_ED25519, .signer = KEY_ED25519) }, 1, FALSE,
              "key-kinds" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(chains); i++) {
        add_chain(cases, &chains[i]);
    }
}

#pragma GCC diagnostic pop

/* ------------------------------------------------------------------------ */
/* All cases */

static GPtrArray *all_cases(void)
{
    GPtrArray *cases = g_ptr_array_new_with_free_func(free_case);
    g_autoptr(GArray) sets = extension_sets();

    for (guint i = 0; i < sets->len; i++) {
        ExtensionSet *set = &g_array_index(sets, ExtensionSet, i);

        add_extension_cases(cases, set);
        g_clear_pointer(&set->extensions, g_bytes_unref);
    }
    add_name_cases(cases);
    add_signature_cases(cases);
    add_chains(cases);
    return cases;
}

/* Nothing depends on CRLs: not even their form is looked at. */
static bool is_lenient(const char *differs)
{
    return differs && strcmp(differs, "crls") == 0;
}

static bool differs_as_said(const Case *c, Verdict v)
{
    bool ours = v.ours == UEFI_REASON_OK;

    return c->differs && ours != v.theirs &&
           (v.theirs || is_lenient(c->differs));
}

/* How many names of differences were never seen, or are not in the list */
static unsigned untrue_differences(GPtrArray *cases, GHashTable *seen)
{
    g_autofree char *path = g_test_build_filename(G_TEST_DIST,
                                                  "differences.md", NULL);
    g_autofree char *list = NULL;
    unsigned untrue = 0;

    g_assert_true(g_file_get_contents(path, &list, NULL, NULL));
    for (guint i = 0; i < cases->len; i++) {
        const Case *c = cases->pdata[i];
        g_autofree char *tag = g_strdup_printf("`%s`", c->differs);

        if (c->differs && (!g_hash_table_contains(seen, c->differs) ||
                           !strstr(list, tag))) {
            g_test_message("%s: %s is %s", c->name, tag,
                           strstr(list, tag) ? "no difference"
                                             : "not in differences.md");
            untrue++;
        }
    }
    return untrue;
}

static void test_cases(void)
{
    g_autoptr(GPtrArray) cases = all_cases();
    g_autoptr(GHashTable) reasons = g_hash_table_new(g_str_hash, g_str_equal);
    unsigned wrong = 0, good = 0;

    g_assert_cmpuint(cases->len, >=, 300);
    for (guint i = 0; i < cases->len; i++) {
        const Case *c = cases->pdata[i];
        Verdict v = judge(c->signature, c->anchor);
        gboolean ours = v.ours == UEFI_REASON_OK;

        good += ours && v.theirs;
        if (differs_as_said(c, v)) {
            g_hash_table_add(reasons, (gpointer)c->differs);
        } else if (ours != v.theirs || !v.same_binding) {
            g_test_message("%s: ours %s, edk2 %s, bindings %s", c->name,
                           uefi_reason_name(v.ours),
                           v.theirs ? "accepts" : "refuses",
                           v.same_binding ? "same" : "differ");
            wrong++;
        }
    }
    wrong += untrue_differences(cases, reasons);
    g_test_message("%u cases, %u accepted by both", cases->len, good);
    g_assert_cmpuint(good, >, cases->len / 5);
    g_assert_cmpuint(wrong, ==, 0);
}

/* ------------------------------------------------------------------------ */
/* Mutations */

/* Spoil some bytes in one of the ways in which bytes are spoiled */
static GBytes *mutate(GRand *rand, GBytes *bytes)
{
    GByteArray *out = g_byte_array_new();
    gsize size;
    const uint8_t *data = g_bytes_get_data(bytes, &size);
    size_t times = g_rand_int_range(rand, 0, 4) ? 1 : 3;

    g_byte_array_append(out, data, size);
    while (times--) {
        size_t pos = g_rand_int_range(rand, 0, out->len);
        size_t len = g_rand_int_range(rand, 1, MIN(16, out->len - pos) + 1);
        uint8_t byte = g_rand_int(rand);

        switch (g_rand_int_range(rand, 0, 8)) {
        case 0:
            out->data[pos] = byte;
            break;
        case 1:
            out->data[pos] += byte & 1 ? 1 : -1;
            break;
        case 2:
            memset(out->data + pos, byte & 1 ? 0xff : 0, len);
            break;
        case 3:
            memmove(out->data + pos,
                    out->data + g_rand_int_range(rand, 0, out->len - len + 1),
                    len);
            break;
        case 4:
            if (out->len > len) {
                g_byte_array_remove_range(out, pos, len);
            }
            break;
        default:
            out->data[pos] ^= 1 << byte % 8;
        }
    }
    return g_byte_array_free_to_bytes(out);
}

/*
 * A mutation that GnuTLS does not read, or that is not DER, is refused, and so
 * is one of a certificate that edk2 leaves out of a chain because it cannot use
 * it; what else edk2 accepts, we do, save what has a name in differences.md.
 */
static gboolean may_differ(UefiReason ours)
{
    return ours == UEFI_REASON_PKCS7_MALFORMED ||
           ours == UEFI_REASON_PKCS7_DIGEST ||
           ours == UEFI_REASON_PKCS7_ALGORITHM ||
           ours == UEFI_REASON_PKCS7_LIMIT;
}

typedef struct Count {
    unsigned both, neither, stricter, wrong;
} Count;

static void compare(Count *count, const char *name, GBytes *signature,
                    GBytes *anchor, const char *differs)
{
    Verdict v = judge(signature, anchor);
    gboolean ours = v.ours == UEFI_REASON_OK;

    if (ours == v.theirs && v.same_binding) {
        count->both += ours;
        count->neither += !ours;
    } else if (v.theirs ? !ours && (differs || may_differ(v.ours) ||
                                    edk2_passes_over(signature))
                        : is_lenient(differs)) {
        count->stricter += v.theirs;
    } else {
        g_autofree char *text = g_base64_encode(
            g_bytes_get_data(signature, NULL), g_bytes_get_size(signature));
        g_autofree char *by = g_base64_encode(
            g_bytes_get_data(anchor, NULL), g_bytes_get_size(anchor));

        g_test_message("%s: ours %s, edk2 %s, bindings %s", name,
                       uefi_reason_name(v.ours),
                       v.theirs ? "accepts" : "refuses",
                       v.same_binding ? "same" : "differ");
        g_test_message("signature %s", text);
        g_test_message("anchor %s", by);
        count->wrong++;
    }
}

static void tell(const Count *count)
{
    g_test_message("%u accepted by both, %u by neither, %u refused by us "
                   "alone", count->both, count->neither, count->stricter);
    g_assert_cmpuint(count->wrong, ==, 0);
}

/* Signatures as they come in */
static void test_spoiled_signatures(void)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(g_test_rand_int());
    g_autoptr(GPtrArray) cases = all_cases();
    Count count = { };

    for (int i = 0; i < mutations / 2; i++) {
        const Case *c = cases->pdata[g_rand_int_range(rand, 0, cases->len)];
        g_autoptr(GBytes) spoiled = mutate(rand, c->signature);

        compare(&count, c->name, spoiled, c->anchor, c->differs);
    }
    tell(&count);
}

/* What to spoil in a chain of a leaf, a middle and a root */
enum { SPOIL_LEAF, SPOIL_MIDDLE, SPOIL_ROOT, SPOIL__MAX };

static GBytes *spoiled_cert(GRand *rand, const ForgeCert *what, gboolean spoil)
{
    g_autoptr(GBytes) tbs = forge_tbs(what);
    g_autoptr(GBytes) other = spoil ? mutate(rand, tbs) : NULL;

    return forge_resign(spoil ? other : tbs, what->signer, "SHA256");
}

/*
 * Certificates that an authority has signed as they are, whatever they are:
 * this reaches what a broken signature would keep everybody from reading.
 */
static void test_spoiled_certificates(void)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(g_test_rand_int());
    g_autoptr(GArray) sets = extension_sets();
    Count count = { };

    for (int i = 0; i < mutations / 2; i++) {
        ExtensionSet *set = &g_array_index(
            sets, ExtensionSet, g_rand_int_range(rand, 0, sets->len));
        g_autoptr(GBytes) ca = CA;
        ForgeCert certs[SPOIL__MAX] = {
            { .cn = "leaf", .issuer_cn = "middle", .key = KEY_EC_LEAF,
              .signer = KEY_EC_MIDDLE, .serial = 3 },
            { .cn = "middle", .issuer_cn = "root", .key = KEY_EC_MIDDLE,
              .signer = KEY_EC_ROOT, .serial = 2, .extensions = ca },
            { .cn = "root", .issuer_cn = "root", .key = KEY_EC_ROOT,
              .signer = KEY_EC_ROOT, .serial = 1, .extensions = ca },
        };
        int which = g_rand_int_range(rand, 0, SPOIL__MAX);
        int anchor = g_rand_int_range(rand, 0, SPOIL__MAX);
        GBytes *ders[SPOIL__MAX];
        g_autoptr(GBytes) data = data_bytes(), signature = NULL;
        ForgeSignature how = { .signers = { { .cert = &certs[0] } } };

        certs[which].extensions = set->extensions;
        for (int j = 0; j < SPOIL__MAX; j++) {
            ders[j] = spoiled_cert(rand, &certs[j], j == which);
            how.bag[j] = ders[j];
        }
        signature = forge_signature(&how, data);
        compare(&count, set->name, signature, ders[anchor],
                "to-the-letter");
        for (int j = 0; j < SPOIL__MAX; j++) {
            g_bytes_unref(ders[j]);
        }
    }
    for (guint i = 0; i < sets->len; i++) {
        g_clear_pointer(&g_array_index(sets, ExtensionSet, i).extensions,
                        g_bytes_unref);
    }
    tell(&count);
}

int main(int argc, char **argv)
{
    const GOptionEntry entries[] = {
        { "mutations", 0, 0, G_OPTION_ARG_INT, &mutations, "how many", "N" },
        { }
    };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);

    g_test_init(&argc, &argv, NULL);
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, NULL)) {
        return 2;
    }
    forge_seed(g_test_rand_int());
    g_test_add_func("/uefi/trust/cases", test_cases);
    g_test_add_func("/uefi/trust/spoiled-signatures", test_spoiled_signatures);
    g_test_add_func("/uefi/trust/spoiled-certificates",
                    test_spoiled_certificates);
    return g_test_run();
}
