/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: what a build without GnuTLS does with signatures
 */

#include "qemu/osdep.h"
#include "hw/uefi/var-service-pkcs7.h"
#include "uefi-test.h"

#define LIST_SIZE   (28 + 16 + 32)

/* A descriptor with a certificate that nobody can check, and a value */
static UefiReason set(UefiTest *t, const UefiGuid *guid, const char *name,
                      const void *value, size_t size)
{
    static const char cert[] = "any signature";
    g_autoptr(GByteArray) data = g_byte_array_new();

    uefi_test_add(data, 2024, 2);
    uefi_test_add(data, 0x0101, 2);
    for (int i = 4; i < EFI_TIME_SIZE; i++) {
        uefi_test_add(data, 0, 1);
    }
    uefi_test_add(data, 24 + sizeof(cert), 4);
    uefi_test_add(data, 0x0200, 2);
    uefi_test_add(data, EFI_WIN_CERT_TYPE_EFI_GUID, 2);
    uefi_test_add_guid(data, &uefi_guid_cert_pkcs7);
    g_byte_array_append(data, (const uint8_t *)cert, sizeof(cert));
    g_byte_array_append(data, value, size);
    return uefi_test_set(t, guid, name, ATTR_AUTH, data->data, data->len);
}

/* A signature list with one digest */
static GByteArray *hash_list(void)
{
    GByteArray *list = g_byte_array_new();

    uefi_test_add_guid(list, &uefi_guid_cert_sha256);
    uefi_test_add(list, LIST_SIZE, 4);
    uefi_test_add(list, 0, 4);
    uefi_test_add(list, 16 + 32, 4);
    while (list->len < LIST_SIZE) {
        uefi_test_add(list, 0x55, 1);
    }
    return list;
}

static void test_refused(void)
{
    g_autoptr(UefiTest) t = uefi_test_new(NULL);
    g_autoptr(GByteArray) list = hash_list();

    g_assert_false(uefi_pkcs7_available());
    uefi_assert_reason(set(t, &uefi_guid_global, "PK", list->data, list->len),
                       PKCS7_NO_LIBRARY);
    uefi_assert_reason(set(t, &uefi_test_guid, "Mine", "x", 1),
                       PKCS7_NO_LIBRARY);
    uefi_assert_reason(uefi_test_get(t, &uefi_guid_global, "PK", NULL, NULL),
                       GET_MISSING);
}

/* What needs no signature works, but no certificate can be looked at. */
static void test_unsigned(void)
{
    g_autoptr(UefiTest) t = uefi_test_new(NULL);
    g_autoptr(GByteArray) list = hash_list();

    uefi_assert_reason(set(t, &uefi_guid_image_security, "dbx", list->data,
                           list->len), OK);
    memcpy(list->data, uefi_guid_cert_x509.b, sizeof(uefi_guid_cert_x509.b));
    uefi_assert_reason(set(t, &uefi_guid_image_security, "db", list->data,
                           list->len), SIGLIST_CERT);
}

static void test_user_mode(void)
{
    g_autoptr(UefiTest) t = uefi_test_new(NULL);
    g_autoptr(UefiVarChange) change = uefi_var_change_new();
    g_autoptr(GByteArray) list = hash_list();

    /* a store with keys, from a build that could look at them */
    uefi_vars_put(t->uv, change, &uefi_guid_global, "PK", ATTR_AUTH,
                  list->data, list->len);
    uefi_vars_commit_own(t->uv, change);
    uefi_vars_hard_reset(t->uv);
    uefi_assert_value(t, &uefi_guid_global, "SecureBoot", "\1");
    uefi_assert_reason(set(t, &uefi_guid_image_security, "dbx", list->data,
                           list->len), PKCS7_NO_LIBRARY);
    uefi_assert_reason(set(t, &uefi_guid_global, "PK", NULL, 0),
                       PKCS7_NO_LIBRARY);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/uefi/stub/S6/refused", test_refused);
    g_test_add_func("/uefi/stub/K2/unsigned", test_unsigned);
    g_test_add_func("/uefi/stub/K3/user-mode", test_user_mode);
    return g_test_run();
}
