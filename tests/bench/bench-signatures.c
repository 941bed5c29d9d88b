/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What the worst signatures cost that pass the limits, beside a usual one
 *
 * Each is parsed, verified and followed to an anchor that it does not lead
 * to, as often as needed for a stable figure.  Prints a table of CPU time.
 */

#include "qemu/osdep.h"
#include <time.h>
#include <gnutls/abstract.h>
#include "../unit/uefi-test-keys.h"
#include "hw/uefi/var-service-pkcs7.h"

#define ROUNDS      40
#define CHECK(call) g_assert_cmpint(call, >=, 0)

static const uint8_t message[] = "what is signed";

/* Milliseconds of CPU for one request with the signature @der */
static double cost(GBytes *der, const UefiTestKey *anchor)
{
    gsize size, anchor_size;
    const uint8_t *data = g_bytes_get_data(der, &size);
    const uint8_t *other = g_bytes_get_data(anchor->der, &anchor_size);
    clock_t start = clock();

    for (int i = 0; i < ROUNDS; i++) {
        UefiReason reason;
        g_autoptr(UefiPkcs7) p7 = uefi_pkcs7_parse(data, size, &reason);

        g_assert_true(p7);
        if (uefi_pkcs7_verify(p7, message, sizeof(message)) ==
            UEFI_REASON_OK) {
            uefi_pkcs7_chains_to(p7, other, anchor_size);
        }
    }
    return 1000.0 * (clock() - start) / CLOCKS_PER_SEC / ROUNDS;
}

static GBytes *sign(const UefiTestSign *how)
{
    return uefi_test_sign(how, message, sizeof(message));
}

/* ------------------------------------------------------------------------ */
/* Usual and hostile ones */

static GBytes *usual(void)
{
    return sign(UEFI_TEST_BY(uefi_test_leaf("leaf", "A")));
}

/* Authorities that by their names might all have issued each other */
static GBytes *maze(void)
{
    g_autoptr(GPtrArray) bag =
        g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    const UefiTestKey *key = uefi_test_key("A");
    UefiTestSign how = { .bag = bag };

    for (int i = 0; i < UEFI_LIMIT_SIGNERS; i++) {
        g_autofree char *cn = g_strdup_printf("leaf %d", i);

        how.signers[i] = uefi_test_leaf(cn, "A");
    }
    /* a request has room for no more */
    for (int i = UEFI_LIMIT_SIGNERS; i < 44; i++) {
        UefiTestCert what = { .cn = "A", .same_key = key };

        g_ptr_array_add(bag, g_bytes_ref(uefi_test_cert(&what)->der));
    }
    return sign(&how);
}

/* As many signers as may be, with keys of one kind */
static GBytes *keys(gnutls_pk_algorithm_t pk, unsigned bits)
{
    UefiTestCert what = { .cn = "A", .pk = pk, .bits = bits };
    UefiTestCert leaf = { .cn = "leaf", .issuer = uefi_test_cert(&what) };
    UefiTestSign how = { };

    leaf.same_key = what.issuer = leaf.issuer;
    for (int i = 0; i < UEFI_LIMIT_SIGNERS; i++) {
        how.signers[i] = uefi_test_cert(&leaf);
    }
    return sign(&how);
}

static GBytes *rsa_8192(void)
{
    return keys(GNUTLS_PK_RSA, UEFI_LIMIT_KEY_BITS);
}

static GBytes *p_521(void)
{
    return keys(GNUTLS_PK_ECDSA,
                GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP521R1));
}

typedef void (*Stuff)(gnutls_x509_crt_t crt);

static void stuff_names(gnutls_x509_crt_t crt)
{
    for (int i = 0; i < 120; i++) {
        CHECK(gnutls_x509_crt_set_dn_by_oid(
                  crt, GNUTLS_OID_X520_COMMON_NAME, 0, "n", 1));
    }
}

static void stuff_alternatives(gnutls_x509_crt_t crt)
{
    for (int i = 0; i < 1000; i++) {
        CHECK(gnutls_x509_crt_set_subject_alt_name(
                  crt, GNUTLS_SAN_DNSNAME, "n", 1, GNUTLS_FSAN_APPEND));
    }
}

static void stuff_extensions(gnutls_x509_crt_t crt)
{
    for (int i = 0; i < 230; i++) {
        g_autofree char *oid = g_strdup_printf("1.2.%d", i);

        CHECK(gnutls_x509_crt_set_extension_by_oid(crt, oid, "\5\0", 2, 0));
    }
}

/* As many large certificates as are read, all full of something */
static GBytes *stuffed(Stuff stuff)
{
    g_autoptr(GPtrArray) bag =
        g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    UefiTestCert what = { .cn = "A", .same_key = uefi_test_key("A") };
    UefiTestSign how = { .signers = { uefi_test_key("A") }, .bag = bag };

    for (int i = 0; i < 2; i++) {
        const UefiTestKey *cert = uefi_test_cert(&what);
        gnutls_datum_t der;

        stuff(cert->crt);
        CHECK(gnutls_x509_crt_privkey_sign(cert->crt, cert->crt, cert->key,
                                           GNUTLS_DIG_SHA256, 0));
        CHECK(gnutls_x509_crt_export2(cert->crt, GNUTLS_X509_FMT_DER, &der));
        g_assert_cmpuint(der.size, >, 3000);
        g_ptr_array_add(bag, g_bytes_new(der.data, der.size));
        gnutls_free(der.data);
    }
    return sign(&how);
}

static GBytes *names(void)
{
    return stuffed(stuff_names);
}

static GBytes *alternatives(void)
{
    return stuffed(stuff_alternatives);
}

static GBytes *extensions(void)
{
    return stuffed(stuff_extensions);
}

int main(void)
{
    static const struct {
        const char *name;
        GBytes *(*make)(void);
    } kinds[] = {
        { "one signer, RSA-2048", usual },
        { "certificates of one name", maze },
        { "signers, RSA-8192", rsa_8192 },
        { "signers, P-521", p_521 },
        { "names of many parts", names },
        { "many alternative names", alternatives },
        { "many extensions", extensions },
    };
    double base = 0;

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        g_autoptr(GBytes) der = kinds[i].make();
        double ms = cost(der, uefi_test_key("B"));

        base = base ?: ms;
        printf("%-24s %6zu bytes %6.2f ms %6.1f\n", kinds[i].name,
               g_bytes_get_size(der), ms, ms / base);
    }
    return 0;
}
