/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: authenticated variables and secure boot state
 *
 * Each path names the row of docs/specs/uefi-vars.rst that it is about.
 */

#include "qemu/osdep.h"
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include "hw/uefi/var-service-pkcs7.h"
#include "hw/uefi/var-service-secureboot.h"
#include "uefi-test-keys.h"

#define ATTR_APPEND     (ATTR_AUTH | EFI_ATTR_AP)
#define ATTR_STATE      (EFI_ATTR_BS | EFI_ATTR_RT)
#define ATTR_VOLATILE   (ATTR_STATE | EFI_ATTR_AT)

typedef struct Test {
    UefiTest *t;
    unsigned now;               /* seconds of the last descriptor */
} Test;

/* A variable by what it is called in the specification */
typedef struct Var {
    const UefiGuid *guid;
    const char *name;
} Var;

static const Var pk = { &uefi_guid_global, "PK" };
static const Var kek = { &uefi_guid_global, "KEK" };
static const Var db = { &uefi_guid_image_security, "db" };
static const Var dbx = { &uefi_guid_image_security, "dbx" };
static const Var dbt = { &uefi_guid_image_security, "dbt" };
static const Var dbr = { &uefi_guid_image_security, "dbr" };
static const Var setup_mode = { &uefi_guid_global, "SetupMode" };
static const Var secure_boot = { &uefi_guid_global, "SecureBoot" };
static const Var support = { &uefi_guid_global, "SignatureSupport" };
static const Var vendor_keys = { &uefi_guid_global, "VendorKeys" };
static const Var vendor_nv = { &uefi_guid_vendor_keys_nv, "VendorKeysNv" };
static const Var enable = { &uefi_guid_secure_boot_enable,
                            "SecureBootEnable" };
static const Var custom = { &uefi_guid_custom_mode, "CustomMode" };
static const Var certdb = { &uefi_guid_cert_db, "certdb" };
static const Var certdbv = { &uefi_guid_cert_db, "certdbv" };
static const Var mine = { &uefi_test_guid, "Mine" };

static void setup_with(Test *test, const UefiVarConfig *config)
{
    test->t = uefi_test_new(config);
    test->now = 0;
}

static void setup(Test *test, gconstpointer unused)
{
    setup_with(test, NULL);
}

static void teardown(Test *test, gconstpointer unused)
{
    uefi_test_free(test->t);
}

static UefiReason set(Test *test, const Var *var, uint32_t attr,
                      const void *data, size_t size)
{
    return uefi_test_set(test->t, var->guid, var->name, attr, data, size);
}

/* Signed by @key, or with an empty certificate, at the time @seconds */
static UefiReason set_at(Test *test, const Var *var, uint32_t attr,
                         const UefiTestKey *key, unsigned seconds,
                         const GByteArray *value)
{
    UefiTime time = uefi_test_time(seconds);
    g_autoptr(GByteArray) data =
        uefi_test_auth(key ? UEFI_TEST_BY(key) : NULL, var->guid, var->name,
                       attr, &time, value ? value->data : NULL,
                       value ? value->len : 0);

    return set(test, var, attr, data->data, data->len);
}

/* The same, later than all before */
static UefiReason set_signed(Test *test, const Var *var, uint32_t attr,
                             const UefiTestKey *key, const GByteArray *value)
{
    return set_at(test, var, attr, key, ++test->now, value);
}

static UefiReason set_how(Test *test, const Var *var, uint32_t attr,
                          const UefiTestSign *how, const GByteArray *value)
{
    UefiTime time = uefi_test_time(++test->now);
    g_autoptr(GByteArray) data =
        uefi_test_auth(how, var->guid, var->name, attr, &time, value->data,
                       value->len);

    return set(test, var, attr, data->data, data->len);
}

static UefiReason set_text(Test *test, const Var *var, uint32_t attr,
                           const UefiTestKey *key, const char *text)
{
    g_autoptr(GByteArray) value = g_byte_array_new();

    g_byte_array_append(value, (const uint8_t *)text, strlen(text));
    return set_signed(test, var, attr, key, value);
}

static const UefiVariable *stored(Test *test, const Var *var)
{
    return uefi_store_find_ascii(test->t->uv->store, UEFI_VIEW_BOOT,
                                 var->guid, var->name);
}

/* The time stamp in seconds */
static unsigned time_of(Test *test, const Var *var)
{
    return stored(test, var)->time.b[6];
}

static void check_value(Test *test, const Var *var, const void *data,
                        size_t size)
{
    g_autoptr(GBytes) value = NULL;

    uefi_assert_reason(uefi_test_get(test->t, var->guid, var->name, NULL,
                                     &value), OK);
    g_assert_cmpmem(g_bytes_get_data(value, NULL), g_bytes_get_size(value),
                    data, size);
}

static void check_array(Test *test, const Var *var, const GByteArray *value)
{
    check_value(test, var, value->data, value->len);
}

/* A variable of one byte; -1: there is none */
static void check_byte(Test *test, const Var *var, int value)
{
    uint8_t byte = value;

    if (value < 0) {
        uefi_assert_reason(uefi_test_get(test->t, var->guid, var->name, NULL,
                                         NULL), GET_MISSING);
    } else {
        check_value(test, var, &byte, 1);
    }
}

static void check_attributes(Test *test, const Var *var, uint32_t expected)
{
    uint32_t attr;

    uefi_assert_reason(uefi_test_get(test->t, var->guid, var->name, &attr,
                                     NULL), OK);
    g_assert_cmphex(attr, ==, expected);
}

static void set_custom_mode(Test *test, uint8_t value)
{
    uefi_assert_reason(set(test, &custom, ATTR_NV_BS, &value, 1), OK);
}

/* Enrol PK and KEK, which are the keys of these names */
static void enrol(Test *test)
{
    g_autoptr(GByteArray) pk_list = uefi_test_key_list(uefi_test_key("PK"));
    g_autoptr(GByteArray) kek_list = uefi_test_key_list(uefi_test_key("KEK"));

    uefi_assert_reason(set_signed(test, &kek, ATTR_AUTH, NULL, kek_list), OK);
    uefi_assert_reason(set_signed(test, &pk, ATTR_AUTH, uefi_test_key("PK"),
                                  pk_list), OK);
    g_assert_false(test->t->uv->secure_boot.setup_mode);
}

static void setup_user(Test *test, gconstpointer unused)
{
    setup(test, NULL);
    enrol(test);
}

/* Every reset but the first, for tests that go through one */
static void reboot(Test *test)
{
    uefi_vars_hard_reset(test->t->uv);
}

/* ------------------------------------------------------------------------ */
/* 9.1, 7.6: derived variables */

static void check_initial(Test *test)
{
    static const uint8_t none[] = { 4, 0, 0, 0 };
    g_autoptr(GByteArray) types = g_byte_array_new();

    check_byte(test, &setup_mode, 1);
    check_byte(test, &secure_boot, 0);
    check_byte(test, &enable, -1);
    check_byte(test, &custom, 0);
    check_byte(test, &vendor_nv, 1);
    check_byte(test, &vendor_keys, 1);
    check_value(test, &certdb, none, 4);
    check_value(test, &certdbv, none, 4);
    uefi_test_add_guid(types, &uefi_guid_cert_sha1);
    uefi_test_add_guid(types, &uefi_guid_cert_sha256);
    uefi_test_add_guid(types, &uefi_guid_cert_sha384);
    uefi_test_add_guid(types, &uefi_guid_cert_sha512);
    uefi_test_add_guid(types, &uefi_guid_cert_rsa2048);
    uefi_test_add_guid(types, &uefi_guid_cert_x509);
    check_array(test, &support, types);

    check_attributes(test, &setup_mode, 0x06);
    check_attributes(test, &secure_boot, 0x06);
    check_attributes(test, &support, 0x06);
    check_attributes(test, &vendor_keys, 0x06);
    check_attributes(test, &custom, 0x03);
    check_attributes(test, &vendor_nv, 0x23);
    check_attributes(test, &certdb, 0x27);
    check_attributes(test, &certdbv, 0x26);
}

static void test_init(Test *test, gconstpointer unused)
{
    static const char order[] =
        "SetupMode SignatureSupport SecureBoot certdbv VendorKeys "
        "CustomMode certdb VendorKeysNv";
    g_autofree char *list = uefi_test_list(test->t);

    g_assert_cmpstr(list, ==, order);
    check_initial(test);
}

static void test_init_user(Test *test, gconstpointer unused)
{
    uint8_t zero = 0;

    reboot(test);
    check_byte(test, &setup_mode, 0);
    check_byte(test, &secure_boot, 1);
    check_byte(test, &enable, 1);
    check_attributes(test, &enable, 0x03);

    /* off for the next boot, but not in this one */
    uefi_assert_reason(set(test, &enable, ATTR_NV_BS, &zero, 1), OK);
    check_byte(test, &secure_boot, 1);
    reboot(test);
    check_byte(test, &secure_boot, 0);
    check_byte(test, &enable, 0);

    /* gone: the default is on */
    uefi_assert_reason(set(test, &enable, ATTR_NV_BS, NULL, 0), OK);
    reboot(test);
    check_byte(test, &secure_boot, 1);
    check_byte(test, &enable, 1);
}

/* Whatever stood there is replaced. */
static void test_init_replaces(Test *test, gconstpointer unused)
{
    const Var vars[] = { setup_mode, secure_boot, support, vendor_keys,
                         custom };
    g_autoptr(UefiVarChange) change = uefi_var_change_new();

    for (size_t i = 0; i < ARRAY_SIZE(vars); i++) {
        uefi_vars_put(test->t->uv, change, vars[i].guid, vars[i].name,
                      ATTR_NV_RT, "odd", 3);
    }
    uefi_vars_commit_own(test->t->uv, change);
    reboot(test);
    check_initial(test);
}

static void test_init_saves(Test *test, gconstpointer unused)
{
    unsigned saves;

    reboot(test);
    saves = test->t->saves;
    reboot(test);
    g_assert_cmpuint(test->t->saves, ==, saves);
}

static void test_custom_mode_reset(Test *test, gconstpointer unused)
{
    set_custom_mode(test, 1);
    reboot(test);
    check_byte(test, &custom, 0);
}

static void test_enrol(Test *test, gconstpointer unused)
{
    check_byte(test, &setup_mode, 1);
    enrol(test);
    check_byte(test, &setup_mode, 0);
    check_byte(test, &secure_boot, 1);
    check_byte(test, &enable, 1);
    check_byte(test, &vendor_keys, 1);
    check_byte(test, &vendor_nv, 1);
    reboot(test);
    check_byte(test, &vendor_keys, 1);
    check_byte(test, &vendor_nv, 1);
}

static void test_enrol_overwrites_enable(Test *test, gconstpointer unused)
{
    uint8_t zero = 0;

    uefi_assert_reason(set(test, &enable, ATTR_NV_BS, &zero, 1), OK);
    enrol(test);
    check_byte(test, &enable, 1);
    check_byte(test, &secure_boot, 1);
}

static void test_enrol_runtime(Test *test, gconstpointer unused)
{
    uefi_test_phase(test->t, UEFI_PHASE_RUNTIME);
    enrol(test);
    check_byte(test, &setup_mode, 0);
    check_byte(test, &secure_boot, 0);
    g_assert_null(stored(test, &enable));
    reboot(test);
    check_byte(test, &secure_boot, 1);
    check_byte(test, &enable, 1);
}

static void test_delete_pk(Test *test, gconstpointer unused)
{
    uefi_assert_reason(set_signed(test, &pk, ATTR_AUTH, uefi_test_key("PK"),
                                  NULL), OK);
    check_byte(test, &setup_mode, 1);
    check_byte(test, &secure_boot, 0);
    check_byte(test, &enable, -1);
    g_assert_true(test->t->uv->secure_boot.setup_mode);
    /* KEK can be written by anybody again */
    uefi_assert_reason(set_signed(test, &kek, ATTR_AUTH, NULL, NULL), OK);
    reboot(test);
    check_byte(test, &setup_mode, 1);
    check_byte(test, &secure_boot, 0);
}

static void test_delete_pk_runtime(Test *test, gconstpointer unused)
{
    uefi_test_phase(test->t, UEFI_PHASE_RUNTIME);
    uefi_assert_reason(set_signed(test, &pk, ATTR_AUTH, uefi_test_key("PK"),
                                  NULL), OK);
    check_byte(test, &setup_mode, 1);
    check_byte(test, &secure_boot, 1);
    g_assert_nonnull(stored(test, &enable));
    reboot(test);
    check_byte(test, &secure_boot, 0);
}

static void test_replace_pk(Test *test, gconstpointer unused)
{
    g_autoptr(GByteArray) other = uefi_test_key_list(uefi_test_key("PK 2"));
    uint8_t zero = 0;

    uefi_assert_reason(set(test, &enable, ATTR_NV_BS, &zero, 1), OK);
    uefi_assert_reason(set_signed(test, &pk, ATTR_AUTH, uefi_test_key("PK"),
                                  other), OK);
    check_byte(test, &setup_mode, 0);
    check_byte(test, &secure_boot, 1);
    check_byte(test, &enable, 0);
    uefi_assert_reason(set_signed(test, &pk, ATTR_AUTH, uefi_test_key("PK"),
                                  NULL), AUTH_NOT_PK);
    uefi_assert_reason(set_signed(test, &pk, ATTR_AUTH, uefi_test_key("PK 2"),
                                  NULL), OK);
}

/* Nothing of a change happens when it cannot be made durable. */
static void test_enrol_fails(Test *test, gconstpointer unused)
{
    g_autoptr(GByteArray) list = uefi_test_key_list(uefi_test_key("PK"));
    g_autofree char *before = uefi_test_dump(test->t), *after = NULL;

    test->t->save_result = UEFI_REASON_SAVE_FAILED;
    uefi_assert_reason(set_signed(test, &pk, ATTR_AUTH, uefi_test_key("PK"),
                                  list), SAVE_FAILED);
    after = uefi_test_dump(test->t);
    g_assert_cmpstr(before, ==, after);
    g_assert_true(test->t->uv->secure_boot.setup_mode);
    test->t->save_result = UEFI_REASON_OK;
    uefi_assert_reason(set_signed(test, &pk, ATTR_AUTH, uefi_test_key("PK"),
                                  list), OK);
}

static void test_vendor_keys_custom(Test *test, gconstpointer unused)
{
    g_autoptr(GByteArray) hash = uefi_test_hash_list(1, 1);
    g_autoptr(UefiVarChange) change = uefi_var_change_new();
    uint8_t one = 1;

    /* keys of a vendor, as found in a store that was made with them */
    uefi_vars_put(test->t->uv, change, vendor_nv.guid, vendor_nv.name, 0x23,
                  &one, 1);
    uefi_vars_commit_own(test->t->uv, change);
    reboot(test);
    check_byte(test, &vendor_keys, 1);
    uefi_assert_reason(set_signed(test, &db, ATTR_AUTH, uefi_test_key("KEK"),
                                  hash), OK);
    check_byte(test, &vendor_keys, 1);
    set_custom_mode(test, 1);
    uefi_assert_reason(set_signed(test, &db, ATTR_AUTH, NULL, hash), OK);
    check_byte(test, &vendor_keys, 0);
    check_byte(test, &vendor_nv, 0);
}

static void test_force_secure_boot(Test *test, gconstpointer unused)
{
    UefiVarConfig config = uefi_vars_default_config();
    static const UefiVarPhase phases[] = {
        UEFI_PHASE_DXE, UEFI_PHASE_END_OF_DXE, UEFI_PHASE_RUNTIME,
    };
    uint8_t zero = 0, ones[] = { 1, 1 };

    uefi_test_free(test->t);
    config.force_secure_boot = true;
    setup_with(test, &config);
    check_byte(test, &enable, 1);
    check_byte(test, &secure_boot, 0);
    enrol(test);
    for (size_t i = 0; i < ARRAY_SIZE(phases); i++) {
        uefi_test_phase(test->t, phases[i]);
        uefi_assert_reason(set(test, &enable, ATTR_NV_BS, &zero, 1),
                           AUTH_FORCED);
        uefi_assert_reason(set(test, &enable, ATTR_NV_BS, ones, 2),
                           AUTH_FORCED);
        uefi_assert_reason(set(test, &enable, ATTR_NV_BS, NULL, 0),
                           AUTH_FORCED);
        uefi_assert_reason(set(test, &enable, 0, NULL, 0), AUTH_FORCED);
        uefi_assert_reason(set(test, &enable, 0, ones, 1), AUTH_FORCED);
        uefi_assert_reason(set(test, &enable, ATTR_NV_BS | EFI_ATTR_AP, &zero,
                               1), AUTH_FORCED);
        uefi_assert_reason(set(test, &enable, ATTR_NV_BS | EFI_ATTR_AP, ones,
                               1), AUTH_FORCED);
        if (phases[i] < UEFI_PHASE_RUNTIME) {
            uefi_assert_reason(set(test, &enable, ATTR_NV_BS, ones, 1), OK);
            uefi_assert_reason(set(test, &enable, ATTR_NV_BS | EFI_ATTR_AP,
                                   NULL, 0), OK);
        }
    }
    reboot(test);
    check_byte(test, &secure_boot, 1);
    /* the mode follows PK, but not even with that does it go */
    uefi_assert_reason(set_signed(test, &pk, ATTR_AUTH, uefi_test_key("PK"),
                                  NULL), OK);
    check_byte(test, &secure_boot, 0);
    check_byte(test, &enable, 1);
    uefi_assert_reason(set(test, &enable, ATTR_NV_BS, NULL, 0), AUTH_FORCED);
    enrol(test);
    check_byte(test, &enable, 1);
    reboot(test);
    check_byte(test, &secure_boot, 1);
    check_byte(test, &enable, 1);
}

static void test_disable_custom_mode(Test *test, gconstpointer unused)
{
    UefiVarConfig config = uefi_vars_default_config();
    g_autoptr(GByteArray) list = uefi_test_key_list(uefi_test_key("PK"));
    uint8_t one = 1;

    uefi_test_free(test->t);
    config.disable_custom_mode = true;
    setup_with(test, &config);
    uefi_assert_reason(set(test, &custom, ATTR_NV_BS, &one, 1),
                       AUTH_NO_CUSTOM);
    uefi_assert_reason(set(test, &custom, ATTR_NV_BS, NULL, 0),
                       AUTH_NO_CUSTOM);
    uefi_assert_reason(set(test, &custom, 0, NULL, 0), AUTH_NO_CUSTOM);
    uefi_assert_reason(set(test, &custom, ATTR_NV_RT, &one, 1),
                       AUTH_NO_CUSTOM);
    uefi_test_phase(test->t, UEFI_PHASE_RUNTIME);
    uefi_assert_reason(set(test, &custom, ATTR_NV_BS, &one, 1),
                       AUTH_NO_CUSTOM);
    check_byte(test, &custom, -1);      /* not seen at runtime */
    uefi_assert_reason(set_signed(test, &pk, ATTR_AUTH, NULL, list),
                       PKCS7_MALFORMED);
}

/* ------------------------------------------------------------------------ */
/* 7.7: variables of the service */

static void test_state_is_read_only(Test *test, gconstpointer unused)
{
    const Var vars[] = { setup_mode, secure_boot, support, vendor_keys,
                         vendor_nv, certdb, certdbv };
    static const uint32_t attrs[] = {
        ATTR_STATE, ATTR_NV_RT, ATTR_NV_BS, 0x23, ATTR_AUTH, ATTR_VOLATILE,
        ATTR_STATE | EFI_ATTR_AP,
    };
    static const UefiVarPhase phases[] = {
        UEFI_PHASE_DXE, UEFI_PHASE_END_OF_DXE, UEFI_PHASE_READY_TO_BOOT,
        UEFI_PHASE_RUNTIME,
    };
    UefiTime time = uefi_test_time(1);
    g_autoptr(GByteArray) data =
        uefi_test_descriptor(&time, NULL, "\1\2\3\4", 4);

    for (size_t i = 0; i < ARRAY_SIZE(phases); i++) {
        g_autofree char *before = NULL, *after = NULL;

        uefi_test_phase(test->t, phases[i]);
        before = uefi_test_dump(test->t);
        for (size_t j = 0; j < ARRAY_SIZE(vars); j++) {
            const Var *var = &vars[j];

            uefi_assert_reason(set(test, var, 0, NULL, 0), AUTH_STATE);
            for (size_t k = 0; k < ARRAY_SIZE(attrs); k++) {
                uefi_assert_reason(set(test, var, attrs[k], data->data,
                                       data->len), AUTH_STATE);
                if (!(attrs[k] & EFI_ATTR_AT)) {
                    uefi_assert_reason(set(test, var, attrs[k], NULL, 0),
                                       AUTH_STATE);
                }
            }
        }
        after = uefi_test_dump(test->t);
        g_assert_cmpstr(before, ==, after);
    }
}

/* H13: the mode is that of the service, not what a variable says */
static void test_mode_is_cached(Test *test, gconstpointer unused)
{
    g_autoptr(GByteArray) hash = uefi_test_hash_list(1, 1);
    g_autoptr(UefiVarChange) change = uefi_var_change_new();
    uint8_t one = 1;

    uefi_vars_put(test->t->uv, change, setup_mode.guid, setup_mode.name,
                  ATTR_STATE, &one, 1);
    uefi_vars_commit_own(test->t->uv, change);
    check_byte(test, &setup_mode, 1);
    uefi_assert_reason(set_signed(test, &db, ATTR_AUTH, NULL, hash),
                       PKCS7_MALFORMED);
}

/* ------------------------------------------------------------------------ */
/* K1 to K8 */

static void test_k1(Test *test, gconstpointer unused)
{
    const Var vars[] = { pk, kek };
    g_autoptr(GByteArray) list = uefi_test_key_list(uefi_test_key("PK"));
    UefiTime time = uefi_test_time(1);
    g_autoptr(GByteArray) data =
        uefi_test_descriptor(&time, NULL, list->data, list->len);

    for (size_t i = 0; i < ARRAY_SIZE(vars); i++) {
        const Var *var = &vars[i];

        uefi_assert_reason(set(test, var, ATTR_NV_RT, list->data, list->len),
                           AUTH_PK_ATTRIBUTES);
        uefi_assert_reason(set(test, var, ATTR_VOLATILE, data->data,
                               data->len), AUTH_PK_ATTRIBUTES);
        uefi_assert_reason(set(test, var, 0, NULL, 0), AUTH_PK_ATTRIBUTES);
    }
    enrol(test);
    for (size_t i = 0; i < ARRAY_SIZE(vars); i++) {
        uefi_assert_reason(set(test, &vars[i], 0, NULL, 0),
                           AUTH_PK_ATTRIBUTES);
    }
}

static void test_k2_setup(Test *test, gconstpointer unused)
{
    g_autoptr(GByteArray) list = uefi_test_key_list(uefi_test_key("KEK"));

    uefi_assert_reason(set_at(test, &kek, ATTR_AUTH, NULL, 20, list), OK);
    g_assert_cmpuint(time_of(test, &kek), ==, 20);
    /* no look at time stamps in setup mode */
    uefi_assert_reason(set_at(test, &kek, ATTR_AUTH, NULL, 10, list), OK);
    g_assert_cmpuint(time_of(test, &kek), ==, 10);
    check_byte(test, &vendor_keys, 1);
    uefi_assert_reason(set_at(test, &kek, ATTR_AUTH, NULL, 10, NULL), OK);
    g_assert_null(stored(test, &kek));
}

static void test_k2_custom_setup(Test *test, gconstpointer unused)
{
    g_autoptr(GByteArray) list = uefi_test_key_list(uefi_test_key("PK"));

    set_custom_mode(test, 1);
    uefi_assert_reason(set_signed(test, &pk, ATTR_AUTH, NULL, list), OK);
    check_byte(test, &setup_mode, 0);
    check_byte(test, &vendor_keys, 0);
    check_byte(test, &vendor_nv, 0);
    check_byte(test, &custom, 1);
}

static void test_k2_custom_user(Test *test, gconstpointer unused)
{
    g_autoptr(GByteArray) list = uefi_test_key_list(uefi_test_key("other"));

    set_custom_mode(test, 1);
    uefi_assert_reason(set_at(test, &kek, ATTR_AUTH, NULL, 0, list), OK);
    check_array(test, &kek, list);
    uefi_assert_reason(set_at(test, &pk, ATTR_AUTH, NULL, 0, list), OK);
    check_array(test, &pk, list);
    uefi_assert_reason(set_at(test, &pk, ATTR_AUTH, NULL, 0, NULL), OK);
    check_byte(test, &setup_mode, 1);
}

/* Custom mode does not exist at runtime. */
static void test_k2_custom_runtime(Test *test, gconstpointer unused)
{
    g_autoptr(GByteArray) list = uefi_test_key_list(uefi_test_key("other"));
    g_autoptr(GByteArray) hash = uefi_test_hash_list(1, 1);

    set_custom_mode(test, 1);
    uefi_test_phase(test->t, UEFI_PHASE_RUNTIME);
    uefi_assert_reason(set_signed(test, &kek, ATTR_AUTH, NULL, list),
                       PKCS7_MALFORMED);
    uefi_assert_reason(set_signed(test, &db, ATTR_AUTH, NULL, hash),
                       PKCS7_MALFORMED);
    uefi_assert_reason(set_signed(test, &pk, ATTR_AUTH, NULL, NULL),
                       PKCS7_MALFORMED);
}

static void test_k3(Test *test, gconstpointer unused)
{
    const UefiTestKey *owner = uefi_test_key("PK");
    const UefiTestKey *leaf = uefi_test_leaf("PK leaf", "PK");
    g_autoptr(GByteArray) list = uefi_test_key_list(uefi_test_key("other"));

    uefi_assert_reason(set_signed(test, &kek, ATTR_AUTH, owner, list), OK);
    check_array(test, &kek, list);
    uefi_assert_reason(set_signed(test, &pk, ATTR_AUTH, uefi_test_key("KEK"),
                                  list), AUTH_NOT_PK);
    uefi_assert_reason(set_signed(test, &pk, ATTR_AUTH, leaf, list),
                       AUTH_NOT_PK);
    uefi_assert_reason(set_signed(test, &kek, ATTR_AUTH,
                                  uefi_test_key("KEK"), list), AUTH_NOT_PK);
    uefi_assert_reason(set_signed(test, &pk, ATTR_AUTH, owner, list), OK);
    check_array(test, &pk, list);
}

/* A second signer that is not PK's makes the whole signature invalid. */
static void test_k3_second_signer(Test *test, gconstpointer unused)
{
    const UefiTestKey *owner = uefi_test_key("PK");
    g_autoptr(GByteArray) list = uefi_test_key_list(uefi_test_key("other"));
    UefiTestSign how = { .signers = { owner, uefi_test_key("other") } };
    UefiReason reason = set_how(test, &kek, ATTR_AUTH, &how, list);

    /* which of the two is the first depends on how a set is sorted */
    if (reason != UEFI_REASON_AUTH_NOT_PK) {
        uefi_assert_reason(reason, PKCS7_CHAIN);
    }
    how.signers[1] = owner;
    uefi_assert_reason(set_how(test, &kek, ATTR_AUTH, &how, list), OK);
}

static void test_k4(Test *test, gconstpointer unused)
{
    const UefiTestKey *owner = uefi_test_key("PK");
    g_autoptr(GByteArray) list = uefi_test_key_list(owner);
    g_autoptr(GByteArray) hash = uefi_test_hash_list(1, 1);

    uefi_assert_reason(set_signed(test, &pk, ATTR_AUTH, NULL, list),
                       PKCS7_MALFORMED);
    uefi_assert_reason(set_signed(test, &pk, ATTR_AUTH,
                                  uefi_test_key("other"), list), PKCS7_CHAIN);
    uefi_assert_reason(set_signed(test, &pk, ATTR_AUTH, owner, hash),
                       PKCS7_CHAIN);
    uefi_assert_reason(set_signed(test, &pk, ATTR_AUTH, owner, NULL),
                       AUTH_NO_ANCHOR);
    check_byte(test, &setup_mode, 1);
    check_byte(test, &vendor_keys, 1);
    uefi_assert_reason(set_signed(test, &pk, ATTR_AUTH, owner, list), OK);
    check_array(test, &pk, list);
    check_byte(test, &setup_mode, 0);
    check_byte(test, &vendor_keys, 1);
}

static void test_k4_append(Test *test, gconstpointer unused)
{
    const UefiTestKey *owner = uefi_test_key("PK");
    g_autoptr(GByteArray) list = uefi_test_key_list(owner);

    uefi_assert_reason(set_signed(test, &pk, ATTR_APPEND, owner, list), OK);
    check_array(test, &pk, list);
    check_byte(test, &setup_mode, 0);
    g_assert_cmpuint(time_of(test, &pk), ==, 0);
}

static void test_k5_append_nothing(Test *test, gconstpointer unused)
{
    set_custom_mode(test, 1);
    /* nothing is created, so the mode stays */
    uefi_assert_reason(set_signed(test, &pk, ATTR_APPEND, NULL, NULL), OK);
    g_assert_null(stored(test, &pk));
    check_byte(test, &setup_mode, 1);
    uefi_assert_reason(set_signed(test, &pk, ATTR_AUTH, NULL, NULL),
                       STORE_MISSING);
    check_byte(test, &setup_mode, 1);
}

static void test_k6(Test *test, gconstpointer unused)
{
    const Var vars[] = { db, dbx, dbt };
    g_autoptr(GByteArray) hash = uefi_test_hash_list(1, 1);

    for (size_t i = 0; i < ARRAY_SIZE(vars); i++) {
        const Var *var = &vars[i];

        uefi_assert_reason(set(test, var, ATTR_NV_RT, hash->data, hash->len),
                           AUTH_KEK_ATTRIBUTES);
        uefi_assert_reason(set_signed(test, var, ATTR_VOLATILE,
                                      uefi_test_key("KEK"), hash),
                           AUTH_KEK_ATTRIBUTES);
        uefi_assert_reason(set(test, var, 0, NULL, 0), AUTH_KEK_ATTRIBUTES);
    }
}

static void test_k7(Test *test, gconstpointer unused)
{
    const Var vars[] = { db, dbx, dbt };
    g_autoptr(GByteArray) hash = uefi_test_hash_list(1, 1);

    for (size_t i = 0; i < ARRAY_SIZE(vars); i++) {
        uefi_assert_reason(set_at(test, &vars[i], ATTR_AUTH, NULL, 9, hash),
                           OK);
        uefi_assert_reason(set_at(test, &vars[i], ATTR_AUTH, NULL, 3, hash),
                           OK);
    }
    enrol(test);
    uefi_assert_reason(set_at(test, &db, ATTR_AUTH, NULL, 9, hash),
                       PKCS7_MALFORMED);
    set_custom_mode(test, 1);
    uefi_assert_reason(set_at(test, &db, ATTR_AUTH, NULL, 3, hash), OK);
}

static void test_k8(Test *test, gconstpointer unused)
{
    const Var vars[] = { db, dbx, dbt };
    g_autoptr(GByteArray) hash = uefi_test_hash_list(1, 1);

    for (size_t i = 0; i < ARRAY_SIZE(vars); i++) {
        const Var *var = &vars[i];

        uefi_assert_reason(set_signed(test, var, ATTR_AUTH,
                                      uefi_test_key("KEK"), hash), OK);
        uefi_assert_reason(set_signed(test, var, ATTR_AUTH,
                                      uefi_test_key("PK"), hash), OK);
        uefi_assert_reason(set_signed(test, var, ATTR_AUTH,
                                      uefi_test_leaf("KEK leaf", "KEK"),
                                      hash), OK);
        uefi_assert_reason(set_signed(test, var, ATTR_AUTH,
                                      uefi_test_key("PK 2"), hash),
                           PKCS7_CHAIN);
        uefi_assert_reason(set_signed(test, var, ATTR_AUTH,
                                      uefi_test_leaf("PK leaf", "PK"), hash),
                           PKCS7_CHAIN);
        check_array(test, var, hash);
    }
}

/* Lists of other types than X.509 are passed over, and any certificate does */
static void test_k8_many(Test *test, gconstpointer unused)
{
    g_autoptr(GByteArray) lists = uefi_test_hash_list(1, 2);
    g_autoptr(GByteArray) first = uefi_test_key_list(uefi_test_key("other"));
    g_autoptr(GByteArray) second = uefi_test_key_list(uefi_test_key("KEK"));

    g_byte_array_append(lists, first->data, first->len);
    g_byte_array_append(lists, second->data, second->len);
    uefi_assert_reason(set_signed(test, &kek, ATTR_AUTH, uefi_test_key("PK"),
                                  lists), OK);
    test_k8(test, NULL);
}

static void test_k8_no_kek(Test *test, gconstpointer unused)
{
    g_autoptr(GByteArray) hash = uefi_test_hash_list(1, 1);

    uefi_assert_reason(set_signed(test, &kek, ATTR_AUTH, uefi_test_key("PK"),
                                  NULL), OK);
    uefi_assert_reason(set_signed(test, &db, ATTR_AUTH, uefi_test_key("KEK"),
                                  hash), AUTH_NO_KEK);
    uefi_assert_reason(set_signed(test, &db, ATTR_AUTH, uefi_test_key("PK"),
                                  hash), OK);
}

/* ------------------------------------------------------------------------ */
/* K9 to K13 */

static void test_k9(Test *test, gconstpointer unused)
{
    const UefiTestKey *key = uefi_test_key("owner");

    uefi_assert_reason(set_text(test, &mine, ATTR_AUTH, key, "x"), OK);
    uefi_assert_reason(set_signed(test, &mine, ATTR_AUTH, NULL, NULL),
                       PKCS7_MALFORMED);
    uefi_assert_reason(set(test, &mine, ATTR_AUTH, NULL, 0), SET_DESCRIPTOR);
    uefi_assert_reason(set(test, &mine, 0, NULL, 0), SET_NOT_SIGNED);
    uefi_assert_value(test->t, mine.guid, mine.name, "x");
    uefi_assert_reason(set_signed(test, &mine, ATTR_AUTH, key, NULL), OK);
    g_assert_null(stored(test, &mine));
}

static void test_k9_property(Test *test, gconstpointer unused)
{
    static const uint8_t none[] = { 4, 0, 0, 0 };
    UefiVarConfig config = uefi_vars_default_config();
    const UefiTestKey *key = uefi_test_key("owner");

    uefi_test_free(test->t);
    config.auth_delete_needs_signature = false;
    setup_with(test, &config);
    uefi_assert_reason(set_text(test, &mine, ATTR_AUTH, key, "x"), OK);
    /* not for an append, nor for other attributes */
    uefi_assert_reason(set_signed(test, &mine, ATTR_APPEND, NULL, NULL),
                       PKCS7_MALFORMED);
    uefi_assert_reason(set_signed(test, &mine, ATTR_AUTH, NULL, NULL), OK);
    g_assert_null(stored(test, &mine));
    check_value(test, &certdb, none, 4);
    /* not for what is not there, nor for keys */
    uefi_assert_reason(set_signed(test, &mine, ATTR_AUTH, NULL, NULL),
                       PKCS7_MALFORMED);
    enrol(test);
    uefi_assert_reason(set_signed(test, &kek, ATTR_AUTH, NULL, NULL),
                       PKCS7_MALFORMED);
}

static void test_k10(Test *test, gconstpointer unused)
{
    uint8_t data[560] = { 0 };

    uefi_assert_reason(set(test, &mine, ATTR_NV_RT | EFI_ATTR_AW, data,
                           sizeof(data)), AUTH_COUNTER);
    uefi_assert_reason(set(test, &pk, ATTR_NV_RT | EFI_ATTR_AW, data,
                           sizeof(data)), AUTH_PK_ATTRIBUTES);
}

static void test_k11(Test *test, gconstpointer unused)
{
    const UefiTestKey *key = uefi_test_leaf("owner leaf", "owner");

    uefi_assert_reason(set_text(test, &mine, ATTR_AUTH, key, "one"), OK);
    uefi_assert_reason(set_text(test, &mine, ATTR_AUTH, key, "two"), OK);
    uefi_assert_value(test->t, mine.guid, mine.name, "two");
    uefi_assert_reason(set_text(test, &mine, ATTR_APPEND, key, "two"), OK);
    uefi_assert_value(test->t, mine.guid, mine.name, "twotwo");
    uefi_assert_reason(set_signed(test, &mine, ATTR_APPEND, key, NULL), OK);
    uefi_assert_value(test->t, mine.guid, mine.name, "twotwo");
    uefi_assert_reason(set_text(test, &mine, ATTR_AUTH, NULL, "three"),
                       PKCS7_MALFORMED);
    uefi_assert_value(test->t, mine.guid, mine.name, "twotwo");
}

/* dbr has no rule of its own, and its lists are not looked at */
static void test_k11_dbr(Test *test, gconstpointer unused)
{
    const UefiTestKey *key = uefi_test_key("owner");

    uefi_assert_reason(set_text(test, &dbr, ATTR_AUTH, key, "garbage"), OK);
    uefi_assert_reason(set_text(test, &dbr, ATTR_AUTH, uefi_test_key("KEK"),
                                "x"), AUTH_OTHER_SIGNER);
}

static void test_k11_other_phase(Test *test, gconstpointer unused)
{
    const UefiTestKey *key = uefi_test_key("owner");
    uint32_t attr = ATTR_NV_BS | EFI_ATTR_AT;

    /* the signature comes before the rows of 4.3 */
    uefi_assert_reason(set_signed(test, &mine, ATTR_AUTH, key, NULL),
                       STORE_MISSING);
    uefi_assert_reason(set_signed(test, &mine, ATTR_APPEND, key, NULL), OK);
    g_assert_null(stored(test, &mine));
    uefi_test_phase(test->t, UEFI_PHASE_RUNTIME);
    uefi_assert_reason(set_text(test, &mine, attr, key, "x"),
                       STORE_NEW_NO_NV_RT);
    uefi_assert_reason(set_text(test, &mine, ATTR_VOLATILE, NULL, "x"),
                       PKCS7_MALFORMED);
    uefi_assert_reason(set_text(test, &mine, ATTR_AUTH, key, "x"), OK);
    uefi_assert_value(test->t, mine.guid, mine.name, "x");
}

static void test_k12(Test *test, gconstpointer unused)
{
    uefi_assert_reason(set_text(test, &mine, ATTR_AUTH,
                                uefi_test_key("owner"), "x"), OK);
    /* other attributes are row 14's business; none at all are this one's */
    uefi_assert_reason(set(test, &mine, 0, NULL, 0), SET_NOT_SIGNED);
    uefi_assert_reason(set(test, &mine, 0, "x", 1), SET_NOT_SIGNED);
    uefi_assert_reason(set(test, &mine, ATTR_NV_RT, "x", 1), SET_ATTRIBUTES);
}

static void test_k13(Test *test, gconstpointer unused)
{
    uefi_assert_reason(set(test, &mine, ATTR_NV_RT, "x", 1), OK);
    uefi_assert_value(test->t, mine.guid, mine.name, "x");
    uefi_assert_reason(set_text(test, &mine, ATTR_AUTH,
                                uefi_test_key("owner"), "y"), SET_ATTRIBUTES);
    uefi_assert_reason(set(test, &mine, 0, NULL, 0), OK);
    g_assert_null(stored(test, &mine));
}

/* ------------------------------------------------------------------------ */
/* S1 to S5, S7 */

static void test_s1(Test *test, gconstpointer unused)
{
    const UefiTestKey *key = uefi_test_key("PK");
    g_autoptr(GByteArray) list = uefi_test_key_list(uefi_test_key("other"));
    const Var vars[] = { kek, mine };

    for (size_t i = 0; i < ARRAY_SIZE(vars); i++) {
        for (int byte = 7; byte < EFI_TIME_SIZE; byte++) {
            UefiTime time = uefi_test_time(50);
            g_autoptr(GByteArray) data = NULL;

            time.b[byte] = 1;
            data = uefi_test_auth(UEFI_TEST_BY(key), vars[i].guid,
                                  vars[i].name, ATTR_AUTH, &time, list->data,
                                  list->len);
            uefi_assert_reason(set(test, &vars[i], ATTR_AUTH, data->data,
                                   data->len), AUTH_TIME_FORM);
        }
    }
}

static void test_s2(Test *test, gconstpointer unused)
{
    /* each field, from the one that counts most: later, then earlier */
    static const uint8_t fields[] = { 1, 0, 2, 3, 4, 5, 6 };
    const UefiTestKey *key = uefi_test_key("owner");
    UefiTime time = { { 0xe8, 7, 6, 6, 6, 6, 6 } };

    for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
        for (int step = 0; step < 3; step++) {
            static const int delta[] = { 1, 0, -1 };
            g_autoptr(GByteArray) data = NULL;
            UefiTime when = time;
            UefiReason reason;

            when.b[fields[i]] += delta[step];
            /* a later field that says the opposite does not matter */
            if (delta[step] > 0 && fields[i] != 6) {
                when.b[6] = 0;
            }
            data = uefi_test_auth(UEFI_TEST_BY(key), mine.guid, mine.name,
                                  ATTR_AUTH, &when, "x", 1);
            reason = set(test, &mine, ATTR_AUTH, data->data, data->len);
            if (delta[step] > 0) {
                uefi_assert_reason(reason, OK);
                time = when;
            } else {
                uefi_assert_reason(reason, AUTH_TIME_OLD);
            }
        }
    }
}

static void test_s2_equal(Test *test, gconstpointer unused)
{
    const UefiTestKey *key = uefi_test_key("KEK");
    g_autoptr(GByteArray) hash = uefi_test_hash_list(1, 1);

    uefi_assert_reason(set_at(test, &db, ATTR_AUTH, key, 30, hash), OK);
    uefi_assert_reason(set_at(test, &db, ATTR_AUTH, key, 30, hash),
                       AUTH_TIME_OLD);
    uefi_assert_reason(set_at(test, &db, ATTR_AUTH, key, 29, hash),
                       AUTH_TIME_OLD);
    uefi_assert_reason(set_at(test, &db, ATTR_AUTH, key, 30, NULL),
                       AUTH_TIME_OLD);
    uefi_assert_reason(set_at(test, &db, ATTR_AUTH, key, 31, hash), OK);
}

static void test_s2_append(Test *test, gconstpointer unused)
{
    const UefiTestKey *key = uefi_test_key("KEK");
    g_autoptr(GByteArray) one = uefi_test_hash_list(1, 1);
    g_autoptr(GByteArray) two = uefi_test_hash_list(1, 2);
    UefiTime time = uefi_test_time(30);
    g_autoptr(GByteArray) replay =
        uefi_test_auth(UEFI_TEST_BY(key), dbx.guid, dbx.name, ATTR_AUTH, &time,
                       one->data, one->len);

    uefi_assert_reason(set(test, &dbx, ATTR_AUTH, replay->data, replay->len),
                       OK);
    uefi_assert_reason(set_at(test, &dbx, ATTR_APPEND, key, 10, two), OK);
    check_array(test, &dbx, two);
    g_assert_cmpuint(time_of(test, &dbx), ==, 30);
    uefi_assert_reason(set(test, &dbx, ATTR_AUTH, replay->data, replay->len),
                       AUTH_TIME_OLD);
    check_array(test, &dbx, two);
    uefi_assert_reason(set_at(test, &dbx, ATTR_APPEND, key, 40, two), OK);
    g_assert_cmpuint(time_of(test, &dbx), ==, 40);
    check_array(test, &dbx, two);
}

/* edk2's quirk: an append that creates leaves the time at zero */
static void test_s2_append_creates(Test *test, gconstpointer unused)
{
    const UefiTestKey *key = uefi_test_key("KEK");
    g_autoptr(GByteArray) one = uefi_test_hash_list(1, 1);

    uefi_assert_reason(set_at(test, &dbx, ATTR_APPEND, key, 30, one), OK);
    g_assert_cmpuint(time_of(test, &dbx), ==, 0);
    g_assert_cmpuint(stored(test, &dbx)->time.b[0], ==, 0);
    uefi_assert_reason(set_at(test, &dbx, ATTR_AUTH, key, 5, one), OK);
}

static void test_s3(Test *test, gconstpointer unused)
{
    const Var vars[] = { db, mine };
    g_autoptr(GByteArray) hash = uefi_test_hash_list(1, 1);
    UefiTime time = uefi_test_time(1);

    for (size_t i = 0; i < ARRAY_SIZE(vars); i++) {
        g_autoptr(GByteArray) data =
            uefi_test_auth(UEFI_TEST_BY(uefi_test_key("KEK")), vars[i].guid,
                           vars[i].name, ATTR_AUTH, &time, hash->data,
                           hash->len);

        for (int byte = 22; byte < EFI_AUTH2_CERT_OFFSET; byte++) {
            data->data[byte] ^= 1;
            uefi_assert_reason(set(test, &vars[i], ATTR_AUTH, data->data,
                                   data->len), AUTH_CERT_TYPE);
            data->data[byte] ^= 1;
        }
        /* nobody looks at wRevision */
        data->data[20] ^= 1;
        uefi_assert_reason(set(test, &vars[i], ATTR_AUTH, data->data,
                               data->len), OK);
    }
}

static void test_s4(Test *test, gconstpointer unused)
{
    const Var vars[] = { db, kek, pk, mine };
    g_autoptr(GByteArray) list = uefi_test_key_list(uefi_test_key("other"));
    UefiTestSign how = {
        .signers = { uefi_test_key("PK") }, .digest = GNUTLS_DIG_SHA1,
    };

    for (size_t i = 0; i < ARRAY_SIZE(vars); i++) {
        uefi_assert_reason(set_how(test, &vars[i], ATTR_AUTH, &how, list),
                           PKCS7_DIGEST);
        uefi_assert_reason(set_signed(test, &vars[i], ATTR_AUTH, NULL, list),
                           PKCS7_MALFORMED);
    }
    for (int form = 0; form < 4; form++) {
        how.wrapped = form & 1;
        how.attributes = form & 2;
        how.digest = GNUTLS_DIG_SHA384;
        uefi_assert_reason(set_how(test, &kek, ATTR_AUTH, &how, list), OK);
    }
}

static void disable_policies(Test *test)
{
    UefiVarConfig config = uefi_vars_default_config();
    g_autoptr(GByteArray) none = g_byte_array_new();

    uefi_test_free(test->t);
    config.allow_policy_disable = true;
    setup_with(test, &config);
    enrol(test);
    uefi_assert_reason(uefi_test_policy(test->t, EFI_VAR_POLICY_DISABLE,
                                        none), OK);
}

static void test_s5(Test *test, gconstpointer unused)
{
    static const uint8_t none[] = { 4, 0, 0, 0 };
    g_autoptr(GByteArray) hash = uefi_test_hash_list(1, 1);
    const UefiTestKey *stranger = uefi_test_key("other");
    UefiTestSign how = { .signers = { stranger }, .no_certs = true };

    disable_policies(test);
    uefi_assert_reason(set_signed(test, &db, ATTR_AUTH, uefi_test_key("KEK"),
                                  hash), OK);
    uefi_assert_reason(set_text(test, &mine, ATTR_AUTH,
                                uefi_test_key("owner"), "x"), OK);
    /* still a signature, a later time, and only for deletion */
    uefi_assert_reason(set_signed(test, &db, ATTR_AUTH, stranger, hash),
                       PKCS7_CHAIN);
    uefi_assert_reason(set_signed(test, &db, ATTR_APPEND, stranger, NULL),
                       PKCS7_CHAIN);
    uefi_assert_reason(set_signed(test, &db, ATTR_AUTH, NULL, NULL),
                       PKCS7_MALFORMED);
    uefi_assert_reason(set_at(test, &db, ATTR_AUTH, stranger, 1, NULL),
                       AUTH_TIME_OLD);
    uefi_assert_reason(set_signed(test, &db, ATTR_AUTH, stranger, NULL), OK);
    g_assert_null(stored(test, &db));
    {
        g_autoptr(GByteArray) nothing = g_byte_array_new();

        uefi_assert_reason(set_how(test, &mine, ATTR_AUTH, &how, nothing),
                           OK);
    }
    g_assert_null(stored(test, &mine));
    check_value(test, &certdb, none, 4);
    uefi_assert_reason(set_signed(test, &pk, ATTR_AUTH, stranger, NULL), OK);
    check_byte(test, &setup_mode, 1);
}

static void test_s6(Test *test, gconstpointer unused)
{
    g_autoptr(GByteArray) hash = uefi_test_hash_list(1, 1);
    UefiTime time = uefi_test_time(1);
    const UefiTestKey *key = uefi_test_key("KEK");
    g_autoptr(GByteArray) data =
        uefi_test_auth(UEFI_TEST_BY(key), db.guid, db.name, ATTR_AUTH, &time,
                       hash->data, hash->len);
    size_t size = data->len;

    /* for another variable, other attributes, another value, another time */
    uefi_assert_reason(set(test, &dbx, ATTR_AUTH, data->data, size),
                       PKCS7_SIGNATURE);
    uefi_assert_reason(set(test, &db, ATTR_APPEND, data->data, size),
                       AUTH_FOR_WRITE);
    data->data[size - 1] ^= 1;
    uefi_assert_reason(set(test, &db, ATTR_APPEND, data->data, size),
                       PKCS7_SIGNATURE);
    uefi_assert_reason(set(test, &db, ATTR_AUTH, data->data, size),
                       PKCS7_SIGNATURE);
    data->data[size - 1] ^= 1;
    data->data[6]++;
    uefi_assert_reason(set(test, &db, ATTR_AUTH, data->data, size),
                       PKCS7_SIGNATURE);
    data->data[6]--;
    uefi_assert_reason(set(test, &db, ATTR_AUTH, data->data, size), OK);
}

/* An update that is meant to be appended, and is not */
static void test_append_missing(Test *test, gconstpointer unused)
{
    g_autoptr(GByteArray) hash = uefi_test_hash_list(1, 1);
    UefiTime time = uefi_test_time(1);

    for (int i = 0; i < 2; i++) {
        UefiTestSign how = {
            .signers = { uefi_test_key("KEK") }, .attributes = i,
        };
        g_autoptr(GByteArray) data =
            uefi_test_auth(&how, dbx.guid, dbx.name, ATTR_APPEND, &time,
                           hash->data, hash->len);

        uefi_assert_reason(set(test, &dbx, ATTR_AUTH, data->data, data->len),
                           AUTH_FOR_APPEND);
        uefi_assert_reason(set(test, &db, ATTR_AUTH, data->data, data->len),
                           PKCS7_SIGNATURE);
        uefi_assert_reason(set(test, &dbx, ATTR_APPEND, data->data, data->len),
                           OK);
    }
}

static void test_s7(Test *test, gconstpointer unused)
{
    g_autoptr(GByteArray) bad = uefi_test_hash_list(1, 1);

    uefi_test_add(bad, 0, 1);
    uefi_assert_reason(set_signed(test, &db, ATTR_AUTH, uefi_test_key("KEK"),
                                  bad), SIGLIST_REST);
    /* the attempt with KEK is final */
    uefi_assert_reason(set_signed(test, &db, ATTR_AUTH, uefi_test_key("PK"),
                                  bad), PKCS7_CHAIN);
    uefi_assert_reason(set_signed(test, &kek, ATTR_AUTH, uefi_test_key("PK"),
                                  bad), SIGLIST_REST);
    uefi_assert_reason(set_signed(test, &pk, ATTR_AUTH, uefi_test_key("PK"),
                                  bad), SIGLIST_REST);
    uefi_assert_reason(set_signed(test, &kek, ATTR_AUTH,
                                  uefi_test_key("other"), bad), AUTH_NOT_PK);
}

/* ------------------------------------------------------------------------ */
/* Q1 to Q7, append */

static void test_q(Test *test, gconstpointer unused)
{
    const Var vars[] = { pk, kek, db, dbx, dbt };

    set_custom_mode(test, 1);
    for (size_t i = 0; i < ARRAY_SIZE(vars); i++) {
        const Var *var = &vars[i];
        g_autoptr(GByteArray) list = uefi_test_hash_list(1, 1);
        UefiReason reason;

        list->data[0] ^= 1;
        uefi_assert_reason(set_signed(test, var, ATTR_AUTH, NULL, list),
                           SIGLIST_TYPE);
        list->data[0] ^= 1;
        list->data[24] ^= 1;
        uefi_assert_reason(set_signed(test, var, ATTR_AUTH, NULL, list),
                           SIGLIST_MULTIPLE);
        list->data[16] ^= 1;
        g_byte_array_append(list, (const uint8_t *)"", 1);
        uefi_assert_reason(set_signed(test, var, ATTR_AUTH, NULL, list),
                           SIGLIST_SIZE);
        g_byte_array_set_size(list, list->len - 1);
        uefi_assert_reason(set_signed(test, var, ATTR_AUTH, NULL, list),
                           SIGLIST_REST);
        list->data[16] ^= 1;
        list->data[24] ^= 1;
        uefi_test_add_list(list, &uefi_guid_cert_x509, "x", 1);
        uefi_assert_reason(set_signed(test, var, ATTR_AUTH, NULL, list),
                           SIGLIST_CERT);
        g_byte_array_unref(list);
        list = uefi_test_hash_list(1, 2);
        reason = set_signed(test, var, ATTR_AUTH, NULL, list);
        if (i == 0) {
            uefi_assert_reason(reason, SIGLIST_PK);
        } else {
            uefi_assert_reason(reason, OK);
        }
    }
}

static void test_append_all_types(Test *test, gconstpointer unused)
{
    static const uint8_t bytes[256] = { 7 };
    const UefiTestKey *key = uefi_test_key("KEK");
    g_autoptr(GByteArray) old = uefi_test_hash_list(1, 1);
    g_autoptr(GByteArray) all = g_byte_array_new();
    g_autoptr(GByteArray) add = uefi_test_hash_list(1, 2);
    g_autoptr(GByteArray) last = uefi_test_hash_list(2, 1);

    g_byte_array_append(all, old->data, old->len);
    uefi_test_add_list(all, &uefi_guid_cert_sha1, bytes, 20);
    uefi_test_add_list(all, &uefi_guid_cert_x509_sha384, bytes, 64);
    uefi_test_add_list(all, &uefi_guid_cert_rsa2048, bytes, 256);
    uefi_assert_reason(set_signed(test, &dbx, ATTR_AUTH, key, all), OK);
    uefi_assert_reason(set_signed(test, &dbx, ATTR_APPEND, key, add), OK);
    g_byte_array_append(all, last->data, last->len);
    check_array(test, &dbx, all);
    /* all there already: nothing changes but the time */
    uefi_assert_reason(set_signed(test, &dbx, ATTR_APPEND, key, all), OK);
    check_array(test, &dbx, all);
    g_assert_cmpuint(time_of(test, &dbx), ==, test->now);
    uefi_assert_reason(set_signed(test, &dbx, ATTR_APPEND, key, NULL), OK);
    check_array(test, &dbx, all);
}

/* What is there already is worth no write, unless its time is news. */
static void test_append_again(Test *test, gconstpointer unused)
{
    const UefiTestKey *key = uefi_test_key("KEK");
    g_autoptr(GByteArray) list = uefi_test_hash_list(1, 2);
    g_autoptr(GByteArray) part = uefi_test_hash_list(2, 1);
    unsigned saves;

    uefi_assert_reason(set_at(test, &dbx, ATTR_AUTH, key, 20, list), OK);
    saves = test->t->saves;
    uefi_assert_reason(set_at(test, &dbx, ATTR_APPEND, key, 20, list), OK);
    uefi_assert_reason(set_at(test, &dbx, ATTR_APPEND, key, 10, part), OK);
    uefi_assert_reason(set_at(test, &dbx, ATTR_APPEND, key, 10, NULL), OK);
    check_array(test, &dbx, list);
    g_assert_cmpuint(test->t->saves, ==, saves);
    uefi_assert_reason(set_at(test, &dbx, ATTR_APPEND, key, 21, part), OK);
    check_array(test, &dbx, list);
    g_assert_cmpuint(time_of(test, &dbx), ==, 21);
    g_assert_cmpuint(test->t->saves, ==, saves + 1);
}

static void test_append_damaged(Test *test, gconstpointer unused)
{
    g_autoptr(UefiVarChange) change = uefi_var_change_new();
    g_autoptr(GByteArray) add = uefi_test_hash_list(1, 1);

    uefi_vars_put(test->t->uv, change, dbx.guid, dbx.name, ATTR_AUTH,
                  "no list", 7);
    uefi_vars_commit_own(test->t->uv, change);
    uefi_assert_reason(set_signed(test, &dbx, ATTR_APPEND,
                                  uefi_test_key("KEK"), add), SIGLIST_REST);
    uefi_assert_value(test->t, dbx.guid, dbx.name, "no list");
}

static void test_append_pk(Test *test, gconstpointer unused)
{
    const UefiTestKey *key = uefi_test_key("PK");
    g_autoptr(GByteArray) list = uefi_test_key_list(key);
    g_autoptr(GByteArray) other = uefi_test_key_list(uefi_test_key("other"));

    uefi_assert_reason(set_signed(test, &pk, ATTR_APPEND, key, other),
                       SIGLIST_PK);
    uefi_assert_reason(set_signed(test, &pk, ATTR_APPEND, key, NULL), OK);
    check_array(test, &pk, list);
    check_byte(test, &setup_mode, 0);
}

/* A current list of revocations and its next update fit. */
static void test_append_large(Test *test, gconstpointer unused)
{
    const UefiTestKey *key = uefi_test_key("KEK");
    g_autoptr(GByteArray) list = g_byte_array_new();
    g_autoptr(GByteArray) more = uefi_test_hash_list(200, 20);

    uefi_test_add_guid(list, &uefi_guid_cert_sha256);
    uefi_test_add(list, 28 + 512 * 48, 4);
    uefi_test_add(list, 0, 4);
    uefi_test_add(list, 48, 4);
    for (int i = 0; i < 512 * 48 / 4; i++) {
        uefi_test_add(list, i / 12, 4);
    }
    uefi_assert_reason(set_signed(test, &dbx, ATTR_AUTH, key, list), OK);
    uefi_assert_reason(set_signed(test, &dbx, ATTR_APPEND, key, more), OK);
    uefi_assert_reason(set_signed(test, &dbx, ATTR_APPEND, key, list), OK);
    g_byte_array_append(list, more->data, more->len);
    check_array(test, &dbx, list);
}

/* ------------------------------------------------------------------------ */
/* T1 to T5: bindings */

static GBytes *sha256(const GByteArray *data)
{
    uint8_t *hash = g_malloc(32);

    g_assert_cmpint(gnutls_hash_fast(GNUTLS_DIG_SHA256, data->data, data->len,
                                     hash), ==, 0);
    return g_bytes_new_take(hash, 32);
}

/* What a variable is bound to: name of the signer, and its tbsCertificate */
static GBytes *binding_of(const UefiTestKey *key, const char *cn)
{
    g_autoptr(GByteArray) data = g_byte_array_new();
    const uint8_t *der = g_bytes_get_data(key->der, NULL);

    g_byte_array_append(data, (const uint8_t *)cn, strlen(cn));
    g_assert_cmphex(der[5], ==, 0x82);
    g_byte_array_append(data, der + 4, 4 + (der[6] << 8 | der[7]));
    return sha256(data);
}

static void add_record(GByteArray *records, const Var *var, GBytes *binding)
{
    gsize size;
    const void *data = g_bytes_get_data(binding, &size);

    uefi_test_add_guid(records, var->guid);
    uefi_test_add(records, 28 + 2 * strlen(var->name) + size, 4);
    uefi_test_add(records, strlen(var->name), 4);
    uefi_test_add(records, size, 4);
    for (const char *c = var->name; *c; c++) {
        uefi_test_add(records, *c, 2);
    }
    g_byte_array_append(records, data, size);
}

static void check_records(Test *test, const Var *db_var,
                          const GByteArray *records)
{
    g_autoptr(GByteArray) all = g_byte_array_new();

    uefi_test_add(all, 4 + records->len, 4);
    g_byte_array_append(all, records->data, records->len);
    check_array(test, db_var, all);
}

static void test_t1(Test *test, gconstpointer unused)
{
    g_autoptr(GByteArray) value = uefi_test_hash_list(1, 1);
    UefiTestSign how = {
        .signers = { uefi_test_key("owner") }, .no_certs = true,
    };

    uefi_assert_reason(set_how(test, &mine, ATTR_AUTH, &how, value),
                       PKCS7_NO_CERT);
    g_assert_null(stored(test, &mine));
}

/* The signer's own certificate counts, not that of who issued it. */
static void test_t2(Test *test, gconstpointer unused)
{
    static const Var second = { &uefi_test_guid, "Second" };
    static const Var third = { &uefi_test_guid, "Third" };
    const UefiTestKey *leaf = uefi_test_leaf("owner leaf", "owner");
    const UefiTestKey *other = uefi_test_key("other");
    g_autoptr(GPtrArray) bag = g_ptr_array_new();
    UefiTestSign how = { .signers = { leaf }, .bag = bag };
    g_autoptr(GBytes) leaf_binding = binding_of(leaf, "owner leaf");
    g_autoptr(GBytes) other_binding = binding_of(other, "other");
    g_autoptr(GByteArray) records = g_byte_array_new();
    g_autoptr(GByteArray) value = uefi_test_hash_list(1, 1);

    g_ptr_array_add(bag, uefi_test_key("owner")->der);
    uefi_assert_reason(set_how(test, &mine, ATTR_AUTH, &how, value), OK);
    uefi_assert_reason(set_text(test, &second, ATTR_AUTH, other, "x"), OK);
    add_record(records, &mine, leaf_binding);
    add_record(records, &second, other_binding);
    check_records(test, &certdb, records);

    /* a volatile one stands apart, and goes with a reset */
    uefi_assert_reason(set_text(test, &third, ATTR_VOLATILE, leaf, "x"), OK);
    check_records(test, &certdb, records);
    g_byte_array_set_size(records, 0);
    add_record(records, &third, leaf_binding);
    check_records(test, &certdbv, records);
    reboot(test);
    g_byte_array_set_size(records, 0);
    check_records(test, &certdbv, records);
    add_record(records, &mine, leaf_binding);
    add_record(records, &second, other_binding);
    check_records(test, &certdb, records);

    /* the binding goes with the variable */
    uefi_assert_reason(set_signed(test, &mine, ATTR_AUTH, leaf, NULL), OK);
    g_byte_array_set_size(records, 0);
    add_record(records, &second, other_binding);
    check_records(test, &certdb, records);
    /* and then it is anybody's */
    uefi_assert_reason(set_text(test, &mine, ATTR_AUTH, other, "x"), OK);
}

/* certdbv cannot take a record at runtime; certdb can, and C3 rules then. */
static void test_t5_runtime(Test *test, gconstpointer unused)
{
    const UefiTestKey *key = uefi_test_key("owner");

    uefi_test_phase(test->t, UEFI_PHASE_RUNTIME);
    uefi_assert_reason(set_text(test, &mine, ATTR_VOLATILE, key, "x"),
                       AUTH_CERTDB_RUNTIME);
    uefi_assert_reason(set_text(test, &mine, ATTR_NV_BS | EFI_ATTR_AT, key,
                                "x"), STORE_NEW_NO_NV_RT);
    g_assert_null(stored(test, &mine));
    uefi_assert_reason(set_text(test, &mine, ATTR_AUTH, key, "x"), OK);
}

/* 8: SetupMode keeps its place, SecureBoot does not, as with edk2 */
static void test_enrol_order(Test *test, gconstpointer unused)
{
    g_autofree char *before = uefi_test_list(test->t), *after = NULL;

    g_assert_true(g_str_has_prefix(before, "SetupMode "));
    enrol(test);
    after = uefi_test_list(test->t);
    g_assert_true(g_str_has_prefix(after, "SetupMode "));
    g_assert_nonnull(strstr(after, "SignatureSupport"));
    g_assert_cmpint(strstr(after, "SecureBoot ") - after, >,
                    strstr(after, "SignatureSupport") - after);
}

static void test_t3(Test *test, gconstpointer unused)
{
    const UefiTestKey *leaf = uefi_test_leaf("owner leaf", "owner");
    const UefiTestKey *twin = uefi_test_cert(&(UefiTestCert) {
        .cn = "owner leaf", .issuer = uefi_test_key("owner"),
        .end_entity = true,
    });
    g_autoptr(GPtrArray) bag = g_ptr_array_new();
    UefiTestSign how = { .signers = { leaf }, .digest = GNUTLS_DIG_SHA384 };
    UefiTestSign with_bag = { .signers = { twin }, .bag = bag };
    g_autoptr(GByteArray) value = uefi_test_hash_list(1, 1);

    uefi_assert_reason(set_text(test, &mine, ATTR_AUTH, leaf, "x"), OK);
    uefi_assert_reason(set_text(test, &mine, ATTR_AUTH, twin, "y"),
                       AUTH_OTHER_SIGNER);
    uefi_assert_reason(set_text(test, &mine, ATTR_APPEND, twin, "y"),
                       AUTH_OTHER_SIGNER);
    uefi_assert_reason(set_signed(test, &mine, ATTR_AUTH, twin, NULL),
                       AUTH_OTHER_SIGNER);
    uefi_assert_reason(set_text(test, &mine, ATTR_AUTH,
                                uefi_test_key("owner"), "y"),
                       AUTH_OTHER_SIGNER);
    /* another algorithm is another signer */
    uefi_assert_reason(set_how(test, &mine, ATTR_AUTH, &how, value),
                       AUTH_OTHER_SIGNER);
    /* it does not help to have the owner's certificate in the bag */
    g_ptr_array_add(bag, leaf->der);
    uefi_assert_reason(set_how(test, &mine, ATTR_AUTH, &with_bag, value),
                       AUTH_OTHER_SIGNER);
    uefi_assert_value(test->t, mine.guid, mine.name, "x");
    uefi_assert_reason(set_text(test, &mine, ATTR_AUTH, leaf, "y"), OK);
}

static void test_t3_no_name(Test *test, gconstpointer unused)
{
    const UefiTestKey *nobody = uefi_test_cert(&(UefiTestCert) {
        .same_key = uefi_test_key("owner"),
    });

    uefi_assert_reason(set_text(test, &mine, ATTR_AUTH, nobody, "x"),
                       AUTH_NO_NAME);
}

/* A variable as another program has left it in the file */
static void put_bound(Test *test, const Var *var, GBytes *binding)
{
    g_autoptr(UefiVarChange) change = uefi_var_change_new();
    g_autofree uint16_t *name = uefi_str_from_ascii(var->name);
    UefiVariable *made = uefi_variable_new(var->guid, name, ATTR_AUTH,
                                           g_bytes_new("old", 3));

    made->binding = binding ? g_bytes_ref(binding) : NULL;
    uefi_var_change_add(change, made);
    uefi_vars_commit_own(test->t->uv, change);
    reboot(test);
}

static void test_t3_no_binding(Test *test, gconstpointer unused)
{
    const UefiTestKey *key = uefi_test_key("owner");

    put_bound(test, &mine, NULL);
    uefi_assert_reason(set_text(test, &mine, ATTR_AUTH, key, "x"),
                       AUTH_NO_BINDING);
    uefi_assert_reason(set_signed(test, &mine, ATTR_AUTH, key, NULL),
                       AUTH_NO_BINDING);
    uefi_assert_value(test->t, mine.guid, mine.name, "old");
}

/* The oldest form: the certificates of all signers, the last one first */
static void test_t3_signer_list(Test *test, gconstpointer unused)
{
    const UefiTestKey *key = uefi_test_key("owner");
    g_autoptr(GByteArray) list = g_byte_array_new();
    g_autoptr(GByteArray) records = g_byte_array_new();
    g_autoptr(GBytes) binding = NULL, ours = binding_of(key, "owner");
    gsize size;
    const void *der = g_bytes_get_data(key->der, &size);

    uefi_test_add(list, 1, 1);
    uefi_test_add(list, size, 4);
    g_byte_array_append(list, der, size);
    binding = g_bytes_new(list->data, list->len);
    put_bound(test, &mine, binding);
    add_record(records, &mine, binding);
    check_records(test, &certdb, records);
    uefi_assert_reason(set_text(test, &mine, ATTR_AUTH,
                                uefi_test_key("other"), "x"),
                       AUTH_OTHER_SIGNER);
    uefi_assert_reason(set_text(test, &mine, ATTR_AUTH, key, "x"), OK);
    g_byte_array_set_size(records, 0);
    add_record(records, &mine, ours);
    check_records(test, &certdb, records);
}

/* As the device bundled with QEMU has it: name, and SHA-256 of a certificate */
static GBytes *qemu_binding(const char *cn, const UefiTestKey *top)
{
    g_autoptr(GByteArray) data = g_byte_array_new();
    g_autoptr(GByteArray) der = g_byte_array_new();
    g_autoptr(GBytes) print = NULL;
    gsize size;
    const void *bytes = g_bytes_get_data(top->der, &size);

    g_byte_array_append(der, bytes, size);
    print = sha256(der);
    g_byte_array_append(data, (const uint8_t *)cn, strlen(cn));
    g_byte_array_append(data, g_bytes_get_data(print, NULL), 32);
    return sha256(data);
}

static void test_t3_qemu(Test *test, gconstpointer unused)
{
    const UefiTestKey *key = uefi_test_key("owner");
    g_autoptr(GBytes) theirs = qemu_binding("owner", key);
    g_autoptr(GBytes) ours = binding_of(key, "owner");
    const UefiTestKey *twin = uefi_test_cert(&(UefiTestCert) {
        .cn = "owner",
    });
    g_autoptr(GByteArray) records = g_byte_array_new();

    put_bound(test, &mine, theirs);
    uefi_assert_reason(set_text(test, &mine, ATTR_AUTH, twin, "x"),
                       AUTH_OTHER_SIGNER);
    uefi_assert_reason(set_text(test, &mine, ATTR_AUTH,
                                uefi_test_key("other"), "x"),
                       AUTH_OTHER_SIGNER);
    uefi_assert_reason(set_text(test, &mine, ATTR_AUTH, key, "x"), OK);
    g_assert_true(g_bytes_equal(stored(test, &mine)->binding, ours));
    add_record(records, &mine, ours);
    check_records(test, &certdb, records);
    uefi_assert_reason(set_text(test, &mine, ATTR_APPEND, key, "y"), OK);
    uefi_assert_value(test->t, mine.guid, mine.name, "xy");
    uefi_assert_reason(set_signed(test, &mine, ATTR_AUTH, key, NULL), OK);
    g_byte_array_set_size(records, 0);
    check_records(test, &certdb, records);

    /* deleted straight away */
    put_bound(test, &mine, theirs);
    uefi_assert_reason(set_signed(test, &mine, ATTR_AUTH, key, NULL), OK);
    g_assert_null(stored(test, &mine));
}

/*
 * The last certificate of the bag was taken for the top-level one without a
 * look at the signature; now the signer has to lead to it.
 */
static void test_t3_qemu_takeover(Test *test, gconstpointer unused)
{
    /* sets are sorted, and the longest element becomes the last */
    const UefiTestKey *top = uefi_test_cert(&(UefiTestCert) {
        .cn = "top", .extensions = 20,
    });
    const UefiTestKey *leaf = uefi_test_cert(&(UefiTestCert) {
        .cn = "owner leaf", .issuer = top, .end_entity = true,
    });
    const UefiTestKey *thief = uefi_test_cert(&(UefiTestCert) {
        .cn = "owner leaf",
    });
    g_autoptr(GBytes) theirs = qemu_binding("owner leaf", top);
    g_autoptr(GPtrArray) bag = g_ptr_array_new();
    g_autoptr(GByteArray) value = uefi_test_hash_list(1, 1);
    UefiTestSign how = { .signers = { thief }, .bag = bag };

    g_ptr_array_add(bag, top->der);
    put_bound(test, &mine, theirs);
    uefi_assert_reason(set_how(test, &mine, ATTR_AUTH, &how, value),
                       AUTH_OTHER_SIGNER);
    how.signers[0] = leaf;
    uefi_assert_reason(set_how(test, &mine, ATTR_AUTH, &how, value), OK);
    how.signers[0] = thief;
    uefi_assert_reason(set_how(test, &mine, ATTR_AUTH, &how, value),
                       AUTH_OTHER_SIGNER);
}

static void test_t4(Test *test, gconstpointer unused)
{
    const UefiTestKey *key = uefi_test_key("owner");
    UefiTestSign how = { .signers = { key, uefi_test_key("other") } };
    g_autoptr(GByteArray) value = uefi_test_hash_list(1, 1);

    uefi_assert_reason(set_how(test, &mine, ATTR_AUTH, &how, value),
                       PKCS7_CHAIN);
    how.signers[1] = key;
    uefi_assert_reason(set_how(test, &mine, ATTR_AUTH, &how, value), OK);
}

static void test_t5_full(Test *test, gconstpointer unused)
{
    const UefiTestKey *key = uefi_test_key("owner");
    size_t room = UEFI_LIMIT_MAX_AUTH - 16 - 4, record = 28 + 2 * 1000 + 32;
    unsigned n = room / record;
    g_autofree char *before = NULL, *after = NULL;
    g_autofree char *name = g_strnfill(1000, 'n');
    Var var = { &uefi_test_guid, name };
    g_autoptr(GByteArray) value = uefi_test_hash_list(1, 1);

    for (unsigned i = 0; i < n; i++) {
        name[0] = 'A' + i;
        uefi_assert_reason(set_at(test, &var, ATTR_AUTH, key, 1, value), OK);
    }
    name[0] = 'A' + n;
    before = uefi_test_dump(test->t);
    uefi_assert_reason(set_at(test, &var, ATTR_AUTH, key, 1, value),
                       AUTH_CERTDB_FULL);
    after = uefi_test_dump(test->t);
    g_assert_cmpstr(before, ==, after);
    /* to the last byte: the name is what can be made to fit */
    name[(room - n * record - 28 - 32) / 2 + 1] = 0;
    uefi_assert_reason(set_at(test, &var, ATTR_AUTH, key, 1, value),
                       AUTH_CERTDB_FULL);
    name[strlen(name) - 1] = 0;
    uefi_assert_reason(set_at(test, &var, ATTR_AUTH, key, 1, value), OK);
    /* those that are there can still be written */
    memset(name, 'n', 1000);
    name[0] = 'A';
    uefi_assert_reason(set_at(test, &var, ATTR_AUTH, key, 2, value), OK);
}

/* ------------------------------------------------------------------------ */
/* 7.7 */

static void test_frequent_cases(Test *test, gconstpointer phase)
{
    bool checks = GPOINTER_TO_UINT(phase);
    g_autoptr(GByteArray) hash = uefi_test_hash_list(1, 1);
    g_autoptr(GByteArray) more = uefi_test_hash_list(2, 1);
    g_autoptr(GByteArray) list = uefi_test_key_list(uefi_test_key("other"));
    UefiTime time = uefi_test_time(20);
    g_autoptr(GByteArray) blob =
        uefi_test_auth(UEFI_TEST_BY(uefi_test_key("KEK")), db.guid, db.name,
                       ATTR_AUTH, &time, hash->data, hash->len);
    unsigned stamp;

    if (checks) {
        uefi_test_phase(test->t, UEFI_PHASE_END_OF_DXE);
    }
    uefi_assert_reason(set(test, &db, ATTR_AUTH, NULL, 0), SET_DESCRIPTOR);
    uefi_assert_reason(set(test, &db, 0, NULL, 0), AUTH_KEK_ATTRIBUTES);
    uefi_assert_reason(set(test, &db, ATTR_AUTH, blob->data, blob->len), OK);
    uefi_assert_reason(set(test, &db, ATTR_AUTH, blob->data, blob->len),
                       AUTH_TIME_OLD);
    if (checks) {
        uefi_assert_reason(set(test, &db, ATTR_NV_RT, "x", 1),
                           CHECK_ATTRIBUTES);
    } else {
        uefi_assert_reason(set(test, &db, ATTR_NV_RT, "x", 1),
                           SET_ATTRIBUTES);
    }
    test->now = 20;
    uefi_assert_reason(set_signed(test, &db, ATTR_AUTH, uefi_test_key("PK"),
                                  hash), OK);
    uefi_assert_reason(set_signed(test, &db, ATTR_AUTH,
                                  uefi_test_leaf("KEK leaf", "KEK"), hash),
                       OK);
    uefi_assert_reason(set_signed(test, &kek, ATTR_AUTH,
                                  uefi_test_leaf("PK leaf", "PK"), list),
                       AUTH_NOT_PK);
    stamp = time_of(test, &db);
    uefi_assert_reason(set_at(test, &db, ATTR_APPEND, uefi_test_key("KEK"), 1,
                              more), OK);
    g_assert_cmpuint(time_of(test, &db), ==, stamp);
    uefi_assert_reason(set_signed(test, &db, ATTR_AUTH, NULL, hash),
                       PKCS7_MALFORMED);

    uefi_assert_reason(set_text(test, &mine, ATTR_AUTH,
                                uefi_test_key("owner"), "x"), OK);
    uefi_assert_reason(set(test, &mine, 0, NULL, 0), SET_NOT_SIGNED);
    uefi_assert_reason(set(test, &mine, ATTR_NV_RT, "x", 1), SET_ATTRIBUTES);
}

static void test_frequent_cases_setup(Test *test, gconstpointer unused)
{
    g_autoptr(GByteArray) list = uefi_test_key_list(uefi_test_key("PK"));
    UefiTime time = uefi_test_time(1);
    g_autoptr(GBytes) junk = g_bytes_new("any certificate bytes", 21);
    g_autoptr(GByteArray) data = uefi_test_descriptor(&time, junk, list->data,
                                                      list->len);

    uefi_assert_reason(set_text(test, &db, ATTR_AUTH, NULL, "garbage"),
                       SIGLIST_REST);
    uefi_assert_reason(set(test, &pk, ATTR_AUTH, data->data, data->len),
                       PKCS7_MALFORMED);
    uefi_assert_reason(set_signed(test, &pk, ATTR_AUTH, NULL, list),
                       PKCS7_MALFORMED);
    set_custom_mode(test, 1);
    uefi_assert_reason(set(test, &pk, ATTR_AUTH, data->data, data->len), OK);
    check_byte(test, &setup_mode, 0);
}

/* ------------------------------------------------------------------------ */
/* 9.3: migration */

static void test_migration(Test *test, gconstpointer unused)
{
    static const uint8_t user[] = { 1, 0, 0, 0, 0, 1 };
    g_autoptr(GBytes) state = uefi_secureboot_save(test->t->uv);
    gsize size;
    const uint8_t *data = g_bytes_get_data(state, &size);
    g_autoptr(GError) err = NULL;

    g_assert_cmpmem(data, size, user, sizeof(user));
    g_assert_true(uefi_secureboot_load(test->t->uv, state, &err));
    g_assert_no_error(err);
    for (size_t cut = 0; cut < size; cut++) {
        g_autoptr(GBytes) part = g_bytes_new(data, cut);

        g_assert_false(uefi_secureboot_load(test->t->uv, part, &err));
        g_clear_error(&err);
    }
    for (size_t i = 0; i < size - 1; i++) {
        g_autofree uint8_t *bad = g_memdup2(data, size);
        g_autoptr(GBytes) bytes = NULL;

        bad[i] ^= 1;
        bytes = g_bytes_new(bad, size);
        g_assert_false(uefi_secureboot_load(test->t->uv, bytes, &err));
        g_assert_nonnull(err);
        g_clear_error(&err);
    }
    for (size_t i = size - 2; i < size; i++) {
        g_autofree uint8_t *bad = g_memdup2(data, size);
        g_autoptr(GBytes) bytes = NULL;

        bad[i] = 2;
        bytes = g_bytes_new(bad, size);
        g_assert_false(uefi_secureboot_load(test->t->uv, bytes, &err));
        g_clear_error(&err);
    }
    g_assert_false(test->t->uv->secure_boot.setup_mode);
}

/* ------------------------------------------------------------------------ */
/* Every payload cut to every length and with each byte changed in turn */

/*
 * What the store holds.  Values are immutable and kept alive here, so a
 * variable is as it was if and only if its value is the same object.
 */
static GPtrArray *snapshot(Test *test)
{
    GPtrArray *values =
        g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    const UefiVariable *var = NULL;

    while ((var = uefi_store_next(test->t->uv->store, UEFI_VIEW_BOOT, var))) {
        g_ptr_array_add(values, g_bytes_ref(var->data));
    }
    return values;
}

static void check_unchanged(Test *test, const GPtrArray *values)
{
    const UefiVariable *var = NULL;

    for (guint i = 0; i < values->len; i++) {
        var = uefi_store_next(test->t->uv->store, UEFI_VIEW_BOOT, var);
        g_assert_true(var && var->data == values->pdata[i]);
    }
    g_assert_null(uefi_store_next(test->t->uv->store, UEFI_VIEW_BOOT, var));
}

typedef struct Mutation {
    const Var *var;
    uint32_t attr;
    const char *key;            /* "issuer/leaf" or the name of an authority */
    bool user;                  /* keys are enrolled first */
    bool exists;                /* the variable is there already */
    bool certificate;           /* the value is that of the key */
    bool attributes;
    bool wrapped;
} Mutation;

static const Mutation mutations[] = {
    { .var = &pk, .attr = ATTR_AUTH, .key = "PK", .certificate = true },
    { .var = &pk, .attr = ATTR_AUTH, .key = "PK", .user = true },
    { .var = &kek, .attr = ATTR_AUTH, .key = "PK", .user = true },
    { .var = &db, .attr = ATTR_AUTH, .key = "KEK", .user = true,
      .attributes = true },
    { .var = &db, .attr = ATTR_AUTH, .key = "KEK/KEK leaf", .user = true },
    { .var = &dbx, .attr = ATTR_APPEND, .key = "KEK", .user = true,
      .exists = true, .wrapped = true },
    { .var = &mine, .attr = ATTR_AUTH, .key = "owner/owner leaf" },
    { .var = &mine, .attr = ATTR_AUTH, .key = "owner/owner leaf",
      .exists = true, .attributes = true, .wrapped = true },
};

static const UefiTestKey *key_of(const char *path)
{
    g_auto(GStrv) names = g_strsplit(path, "/", 2);

    return names[1] ? uefi_test_leaf(names[1], names[0])
                    : uefi_test_key(names[0]);
}

static UefiReason set_exact(Test *test, const Mutation *m, const uint8_t *data,
                            size_t size)
{
    g_autofree uint8_t *copy = g_memdup2(data, size);
    g_autofree uint16_t *name = uefi_str_from_ascii(m->var->name);

    return uefi_vars_set(test->t->uv, m->var->guid, name, m->attr, copy, size);
}

/*
 * Bytes that nothing covers: wRevision, which edk2 does not look at (7.1).
 * Then for a private variable that is there, the signature in the certificate
 * of its signer, as the binding is over the tbsCertificate alone (7.4); and
 * for a new one all of the certificate, as anybody may be the signer.
 */
static bool is_free(const Mutation *m, const GByteArray *data, size_t pos)
{
    const UefiTestKey *key = key_of(m->key);
    gsize size, free_size;
    const uint8_t *der = g_bytes_get_data(key->der, &size);
    const uint8_t *cert;

    if (pos == 20 || pos == 21) {
        return true;
    }
    if (m->var != &mine) {
        return false;
    }
    cert = memmem(data->data, data->len, der, size);
    g_assert_nonnull(cert);
    cert += size;
    free_size = m->exists ? 256 : size;
    return data->data + pos >= cert - free_size && data->data + pos < cert;
}

static void check_mutations(Test *test, const Mutation *m)
{
    const UefiTestKey *key = key_of(m->key);
    UefiTestSign how = {
        .signers = { key }, .attributes = m->attributes,
        .wrapped = m->wrapped,
    };
    g_autoptr(GByteArray) value = m->certificate ? uefi_test_key_list(key)
                                                 : uefi_test_hash_list(5, 1);
    UefiTime time = uefi_test_time(50);
    g_autoptr(GByteArray) data = NULL;
    g_autoptr(GPtrArray) before = NULL;

    if (m->exists) {
        g_autoptr(GByteArray) old = uefi_test_hash_list(1, 1);

        uefi_assert_reason(set_signed(test, m->var, ATTR_AUTH, key, old), OK);
    }
    data = uefi_test_auth(&how, m->var->guid, m->var->name, m->attr, &time,
                          value->data, value->len);
    before = snapshot(test);
    for (size_t size = 0; size < data->len; size++) {
        g_assert_cmpint(set_exact(test, m, data->data, size), !=,
                        UEFI_REASON_OK);
        check_unchanged(test, before);
    }
    for (size_t pos = 0; pos < data->len; pos++) {
        static const uint8_t flips[] = { 0xff, 0x01 };

        for (size_t i = 0; !is_free(m, data, pos) && i < ARRAY_SIZE(flips);
             i++) {
            data->data[pos] ^= flips[i];
            g_assert_cmpint(set_exact(test, m, data->data, data->len), !=,
                            UEFI_REASON_OK);
            data->data[pos] ^= flips[i];
            check_unchanged(test, before);
        }
    }
    /* and the one that all of these were not is accepted */
    uefi_assert_reason(set_exact(test, m, data->data, data->len), OK);
}

static void test_mutations(Test *test, gconstpointer m)
{
    const Mutation *mutation = m;

    if (mutation->user) {
        enrol(test);
    }
    check_mutations(test, mutation);
}

/* ------------------------------------------------------------------------ */
/* Signatures by the tools that people use */

typedef struct Files {
    char *dir;
    GPtrArray *names;
} Files;

static char *file_name(Files *files, const char *name)
{
    char *path = g_build_filename(files->dir, name, NULL);

    g_ptr_array_add(files->names, path);
    return path;
}

static char *write_file(Files *files, const char *name, const void *data,
                        size_t size)
{
    char *path = file_name(files, name);
    g_autoptr(GError) err = NULL;

    g_file_set_contents(path, data, size, &err);
    g_assert_no_error(err);
    return path;
}

static GByteArray *read_file(const char *path)
{
    g_autoptr(GError) err = NULL;
    char *data;
    gsize size;

    g_file_get_contents(path, &data, &size, &err);
    g_assert_no_error(err);
    return g_byte_array_new_take((uint8_t *)data, size);
}

static void files_free(Files *files)
{
    for (guint i = 0; i < files->names->len; i++) {
        unlink(files->names->pdata[i]);
    }
    g_assert_cmpint(rmdir(files->dir), ==, 0);
    g_ptr_array_unref(files->names);
    g_free(files->dir);
    g_free(files);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Files, files_free)

static Files *files_new(void)
{
    Files *files = g_new0(Files, 1);
    g_autoptr(GError) err = NULL;

    files->dir = g_dir_make_tmp("uefi-auth-XXXXXX", &err);
    g_assert_no_error(err);
    files->names = g_ptr_array_new_with_free_func(g_free);
    return files;
}

/* A key and its certificate as PEM files */
static void write_key(Files *files, const UefiTestKey *key, const char **crt,
                      const char **pem)
{
    gnutls_datum_t out;
    gnutls_x509_privkey_t priv;

    g_assert_cmpint(gnutls_x509_crt_export2(key->crt, GNUTLS_X509_FMT_PEM,
                                            &out), >=, 0);
    *crt = write_file(files, "cert.pem", out.data, out.size);
    gnutls_free(out.data);
    g_assert_cmpint(gnutls_privkey_export_x509(key->key, &priv), >=, 0);
    g_assert_cmpint(gnutls_x509_privkey_export2(priv, GNUTLS_X509_FMT_PEM,
                                                &out), >=, 0);
    *pem = write_file(files, "key.pem", out.data, out.size);
    gnutls_free(out.data);
    gnutls_x509_privkey_deinit(priv);
}

static void run(const char *const *argv)
{
    g_autofree char *out = NULL, *errors = NULL;
    g_autoptr(GError) err = NULL;
    int status;

    g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
                 &out, &errors, &status, &err);
    g_assert_no_error(err);
    if (status) {
        g_test_message("%s: %s%s", argv[0], out, errors);
    }
    g_assert_cmpint(status, ==, 0);
}

static void test_efitools(Test *test, gconstpointer unused)
{
    g_autoptr(Files) files = files_new();
    g_autoptr(GByteArray) hash = uefi_test_hash_list(1, 1);
    g_autoptr(GByteArray) more = uefi_test_hash_list(2, 1);
    const char *crt, *pem, *in, *out = file_name(files, "out.auth");
    g_autoptr(GByteArray) data = NULL, append = NULL;

    write_key(files, uefi_test_key("KEK"), &crt, &pem);
    in = write_file(files, "in.esl", hash->data, hash->len);
    run((const char *const[]) {
        "sign-efi-sig-list", "-t", "2024-01-01 00:00:40", "-c", crt, "-k",
        pem, "db", in, out, NULL
    });
    data = read_file(out);
    uefi_assert_reason(set(test, &db, ATTR_AUTH, data->data, data->len), OK);
    check_array(test, &db, hash);
    uefi_assert_reason(set(test, &db, ATTR_AUTH, data->data, data->len),
                       AUTH_TIME_OLD);

    in = write_file(files, "in.esl", more->data, more->len);
    run((const char *const[]) {
        "sign-efi-sig-list", "-a", "-t", "2024-01-01 00:00:50", "-c", crt,
        "-k", pem, "db", in, out, NULL
    });
    append = read_file(out);
    uefi_assert_reason(set(test, &db, ATTR_APPEND, append->data, append->len),
                       OK);
    g_byte_array_append(hash, more->data, more->len);
    check_array(test, &db, hash);
}

static void test_openssl(Test *test, gconstpointer unused)
{
    static const char *const ways[][4] = {
        { "smime", "sha256", "-noattr" },
        { "smime", "sha512", NULL },
        { "cms", "sha256", "-noattr" },
        { "cms", "sha384", NULL },
    };
    g_autoptr(Files) files = files_new();
    g_autoptr(GByteArray) hash = uefi_test_hash_list(1, 1);
    const char *crt, *pem, *in, *ca, *out = file_name(files, "out.p7");
    gnutls_datum_t root;

    write_key(files, uefi_test_leaf("KEK leaf", "KEK"), &crt, &pem);
    g_assert_cmpint(gnutls_x509_crt_export2(uefi_test_key("KEK")->crt,
                                            GNUTLS_X509_FMT_PEM, &root), >=,
                    0);
    ca = write_file(files, "ca.pem", root.data, root.size);
    gnutls_free(root.data);
    for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
        UefiTime time = uefi_test_time(10 + i);
        g_autoptr(GByteArray) message = g_byte_array_new();
        g_autoptr(GByteArray) p7 = NULL, data = NULL;
        g_autoptr(GBytes) cert = NULL;

        uefi_test_add(message, 'd', 2);
        uefi_test_add(message, 'b', 2);
        uefi_test_add_guid(message, db.guid);
        uefi_test_add(message, ATTR_AUTH, 4);
        g_byte_array_append(message, time.b, sizeof(time.b));
        g_byte_array_append(message, hash->data, hash->len);
        in = write_file(files, "message", message->data, message->len);
        run((const char *const[]) {
            "openssl", ways[i][0], "-sign", "-binary", "-in", in, "-signer",
            crt, "-inkey", pem, "-certfile", ca, "-outform", "DER", "-md",
            ways[i][1], "-out", out, ways[i][2], NULL
        });
        p7 = read_file(out);
        cert = g_bytes_new(p7->data, p7->len);
        data = uefi_test_descriptor(&time, cert, hash->data, hash->len);
        uefi_assert_reason(set(test, &db, ATTR_AUTH, data->data, data->len),
                           OK);
        g_assert_cmpuint(time_of(test, &db), ==, 10 + i);
        data->data[data->len - 1] ^= 1;
        data->data[6] += 20;
        uefi_assert_reason(set(test, &db, ATTR_AUTH, data->data, data->len),
                           PKCS7_SIGNATURE);
    }
}

/* ------------------------------------------------------------------------ */

/* The last of many keys has signed; bench-signatures has what that costs. */
static void test_many_keys(Test *test, gconstpointer unused)
{
    g_autoptr(GByteArray) keys = g_byte_array_new();
    g_autoptr(GByteArray) last = uefi_test_key_list(uefi_test_key("KEK"));
    g_autoptr(GByteArray) hash = uefi_test_hash_list(1, 1);
    g_autoptr(GByteArray) data = NULL;
    UefiTime time = uefi_test_time(59);

    for (int i = 0; i < 20; i++) {
        g_autoptr(GByteArray) list = uefi_test_key_list(uefi_test_key("PK 2"));

        g_byte_array_append(keys, list->data, list->len);
    }
    g_byte_array_append(keys, last->data, last->len);
    uefi_assert_reason(set_signed(test, &kek, ATTR_AUTH, uefi_test_key("PK"),
                                  keys), OK);
    data = uefi_test_auth(UEFI_TEST_BY(uefi_test_leaf("KEK leaf", "KEK")),
                          db.guid, db.name, ATTR_AUTH, &time, hash->data,
                          hash->len);
    uefi_assert_reason(set(test, &db, ATTR_AUTH, data->data, data->len), OK);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *path;
        void (*setup)(Test *test, gconstpointer data);
        void (*func)(Test *test, gconstpointer data);
        size_t data;
    } tests[] = {
        { "7.6/init", setup, test_init },
        { "7.6/init-user", setup_user, test_init_user },
        { "7.6/init-replaces", setup, test_init_replaces },
        { "7.6/init-saves-nothing", setup, test_init_saves },
        { "7.6/custom-mode-reset", setup, test_custom_mode_reset },
        { "7.6/vendor-keys-custom", setup_user, test_vendor_keys_custom },
        { "7.6/force-secure-boot", setup, test_force_secure_boot },
        { "7.6/disable-custom-mode", setup, test_disable_custom_mode },
        { "7.7/state-is-read-only", setup_user, test_state_is_read_only },
        { "7.7/mode-is-cached", setup_user, test_mode_is_cached },
        { "K1/attributes", setup, test_k1 },
        { "K2/setup", setup, test_k2_setup },
        { "K2/custom-setup", setup, test_k2_custom_setup },
        { "K2/custom-user", setup_user, test_k2_custom_user },
        { "K2/custom-runtime", setup_user, test_k2_custom_runtime },
        { "K3/signed-by-pk", setup_user, test_k3 },
        { "K3/second-signer", setup_user, test_k3_second_signer },
        { "K4/self-signed", setup, test_k4 },
        { "K4/append", setup, test_k4_append },
        { "K5/enrol", setup, test_enrol },
        { "K5/enrol-overwrites-enable", setup, test_enrol_overwrites_enable },
        { "K5/enrol-runtime", setup, test_enrol_runtime },
        { "K5/enrol-fails", setup, test_enrol_fails },
        { "K5/delete", setup_user, test_delete_pk },
        { "K5/delete-runtime", setup_user, test_delete_pk_runtime },
        { "K5/replace", setup_user, test_replace_pk },
        { "K5/append-nothing", setup, test_k5_append_nothing },
        { "K6/attributes", setup_user, test_k6 },
        { "K7/setup-and-custom", setup, test_k7 },
        { "K8/4.2-16/signed-by-kek", setup_user, test_k8 },
        { "K8/many-keys", setup_user, test_k8_many },
        { "K8/no-kek", setup_user, test_k8_no_kek },
        { "K9/needs-signature", setup, test_k9 },
        { "K9/property", setup, test_k9_property },
        { "K10/counter", setup, test_k10 },
        { "K11/private", setup, test_k11 },
        { "K11/4.2-16/dbr", setup_user, test_k11_dbr },
        { "K11/other-phase", setup, test_k11_other_phase },
        { "K12/4.2-17/not-signed", setup, test_k12 },
        { "K13/plain", setup, test_k13 },
        { "S1/time-form", setup_user, test_s1 },
        { "S2/time-fields", setup, test_s2 },
        { "S2/time-equal", setup_user, test_s2_equal },
        { "S2/append", setup_user, test_s2_append },
        { "S2/append-creates", setup_user, test_s2_append_creates },
        { "S3/certificate-type", setup_user, test_s3 },
        { "S4/digest", setup_user, test_s4 },
        { "S5/policies-disabled", setup, test_s5 },
        { "S6/other-request", setup_user, test_s6 },
        { "S6/append-missing", setup_user, test_append_missing },
        { "S7/lists", setup_user, test_s7 },
        { "Q1/Q2/Q4/Q5/Q6/Q7/set-variable", setup_user, test_q },
        { "7.5/append-all-types", setup_user, test_append_all_types },
        { "7.5/append-again", setup_user, test_append_again },
        { "7.5/append-damaged", setup_user, test_append_damaged },
        { "7.5/append-pk", setup_user, test_append_pk },
        { "7.5/append-large", setup_user, test_append_large },
        { "T1/no-certificate", setup, test_t1 },
        { "T2/certdb", setup, test_t2 },
        { "T3/other-signer", setup, test_t3 },
        { "T3/no-name", setup, test_t3_no_name },
        { "T3/no-binding", setup, test_t3_no_binding },
        { "T3/signer-list", setup, test_t3_signer_list },
        { "T3/qemu", setup, test_t3_qemu },
        { "T3/qemu-takeover", setup, test_t3_qemu_takeover },
        { "T4/second-signer", setup, test_t4 },
        { "T5/certdb-full", setup, test_t5_full },
        { "T5/volatile-at-runtime", setup, test_t5_runtime },
        { "7.6/order", setup, test_enrol_order },
        { "7.7/frequent-before-end-of-dxe", setup_user, test_frequent_cases,
          0 },
        { "7.7/frequent-after-end-of-dxe", setup_user, test_frequent_cases,
          1 },
        { "7.7/frequent-setup-mode", setup, test_frequent_cases_setup },
        { "9.3/migration", setup_user, test_migration },
        { "S6/efitools", setup_user, test_efitools },
        { "S6/openssl", setup_user, test_openssl },
        { "S6/many-keys", setup_user, test_many_keys },
    };

    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        g_autofree char *path = g_strdup_printf("/uefi/auth/%s",
                                                tests[i].path);

        g_test_add(path, Test, GSIZE_TO_POINTER(tests[i].data),
                   tests[i].setup, tests[i].func, teardown);
    }
    for (size_t i = 0; i < ARRAY_SIZE(mutations); i++) {
        g_autofree char *path =
            g_strdup_printf("/uefi/auth/S6/mutations/%zu-%s", i,
                            mutations[i].var->name);

        g_test_add(path, Test, &mutations[i], setup, test_mutations, teardown);
    }
    return g_test_run();
}
