/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: what the administrator of the host sets and sees
 */

#include "qemu/osdep.h"
#include "hw/uefi/var-service-policy.h"
#include "hw/uefi/var-service-secureboot.h"
#include "hw/uefi/var-service-status.h"
#include "hw/uefi/var-service-x509.h"
#include "uefi-test-keys.h"

#define NAME_BOOT_ORDER { 'B', 'o', 'o', 't', 'O', 'r', 'd', 'e', 'r', 0 }

static UefiReason host_set_bytes(UefiTest *t, const UefiGuid *guid,
                                 const char *name, uint32_t attributes,
                                 const void *data, size_t size, bool force)
{
    g_autofree uint16_t *str = uefi_str_from_ascii(name);
    g_autofree void *copy = g_memdup2(data, size);

    return uefi_vars_host_set(t->uv, guid, str, attributes, copy, size, force);
}

static UefiReason host_set(UefiTest *t, const char *name, uint32_t attributes,
                           const char *text)
{
    return host_set_bytes(t, &uefi_test_guid, name, attributes, text,
                          strlen(text), false);
}

static UefiReason host_delete(UefiTest *t, const UefiGuid *guid,
                              const char *name, bool force)
{
    g_autofree uint16_t *str = uefi_str_from_ascii(name);

    return uefi_vars_host_delete(t->uv, guid, str, force);
}

static UefiReason force(UefiTest *t, const UefiGuid *guid, const char *name,
                        const GByteArray *lists)
{
    return host_set_bytes(t, guid, name, ATTR_AUTH, lists->data, lists->len,
                          true);
}

static UefiReason guest_get(UefiTest *t, const UefiGuid *guid,
                            const char *name)
{
    return uefi_test_get(t, guid, name, NULL, NULL);
}

static void check_byte(UefiTest *t, const UefiGuid *guid, const char *name,
                       char value)
{
    const char text[] = { value, 0 };
    g_autoptr(GBytes) stored = NULL;

    uefi_assert_reason(uefi_test_get(t, guid, name, NULL, &stored), OK);
    g_assert_cmpmem(g_bytes_get_data(stored, NULL), g_bytes_get_size(stored),
                    text, 1);
}

/* ------------------------------------------------------------------------ */
/* Plain variables */

static void test_set(void)
{
    g_autoptr(UefiTest) t = uefi_test_new(NULL);

    uefi_assert_reason(host_set(t, "A", ATTR_NV_RT, "one"), OK);
    uefi_assert_value(t, &uefi_test_guid, "A", "one");
    g_assert_cmpuint(t->saves, ==, 1);

    /* The same again is no change */
    uefi_assert_reason(host_set(t, "A", ATTR_NV_RT, "one"), OK);
    g_assert_cmpuint(t->saves, ==, 1);
    uefi_assert_reason(host_set(t, "A", ATTR_NV_RT, "two"), OK);
    uefi_assert_value(t, &uefi_test_guid, "A", "two");
    g_assert_cmpuint(t->saves, ==, 2);

    uefi_assert_reason(host_delete(t, &uefi_test_guid, "A", false), OK);
    uefi_assert_reason(guest_get(t, &uefi_test_guid, "A"), GET_MISSING);
    g_assert_cmpuint(t->saves, ==, 3);
    uefi_assert_reason(host_delete(t, &uefi_test_guid, "A", false),
                       STORE_MISSING);

    uefi_assert_reason(host_set(t, "V", ATTR_BS, "volatile"), OK);
    uefi_assert_value(t, &uefi_test_guid, "V", "volatile");
    g_assert_cmpuint(t->saves, ==, 3);
}

static void test_refused(void)
{
    g_autoptr(UefiTest) t = uefi_test_new(NULL);
    g_autofree char *before = NULL, *after = NULL;
    g_autofree char *large = g_strnfill(UEFI_LIMIT_MAX_VAR, 'x');

    uefi_assert_reason(host_set(t, "A", ATTR_NV_RT, "a"), OK);
    before = uefi_test_dump(t);
    uefi_assert_reason(host_set(t, "", ATTR_NV_RT, "a"), SET_NO_NAME);
    uefi_assert_reason(host_set(t, "B", 0, "a"), HOST_ATTRIBUTES);
    uefi_assert_reason(host_set(t, "B", EFI_ATTR_NV, "a"), SET_NV_ONLY);
    uefi_assert_reason(host_set(t, "B", EFI_ATTR_RT, "a"), SET_RT_NO_BS);
    uefi_assert_reason(host_set(t, "B", 0x80 | ATTR_NV_RT, "a"), SET_UNKNOWN);
    uefi_assert_reason(host_set(t, "B", ATTR_NV_RT | EFI_ATTR_AP, "a"),
                       HOST_ATTRIBUTES);
    uefi_assert_reason(host_set(t, "B", ATTR_NV_RT | EFI_ATTR_AW, "a"),
                       AUTH_COUNTER);
    uefi_assert_reason(host_set(t, "B", ATTR_NV_RT | EFI_ATTR_HR, "a"),
                       SET_NO_HR);
    uefi_assert_reason(host_set(t, "B", ATTR_NV_RT, ""), HOST_NO_VALUE);
    uefi_assert_reason(host_set(t, "B", ATTR_NV_RT, large), SET_TOO_LARGE);
    uefi_assert_reason(host_set(t, "A", ATTR_NV_BS, "b"), SET_ATTRIBUTES);
    after = uefi_test_dump(t);
    g_assert_cmpstr(before, ==, after);
}

/* What a guest may not make of a known variable, the host may not either */
static void test_known(void)
{
    g_autoptr(UefiTest) t = uefi_test_new(NULL);
    const UefiGuid *g = &uefi_guid_global;

    uefi_assert_reason(host_set_bytes(t, g, "BootOrder", ATTR_NV_RT, "\1\0", 2,
                                      false), OK);
    uefi_assert_reason(host_set_bytes(t, g, "BootOrder", ATTR_NV_RT, "\1\0\2",
                                      3, false), CHECK_CONTENT);
    uefi_assert_reason(host_set_bytes(t, g, "BootNext", ATTR_NV_BS, "\1\0", 2,
                                      false), CHECK_ATTRIBUTES);
    uefi_assert_reason(host_set_bytes(t, g, "Nonsense", ATTR_NV_RT, "\1\0", 2,
                                      false), CHECK_UNKNOWN);
}

static void test_state(void)
{
    static const struct {
        const UefiGuid *guid;
        const char *name;
    } state[] = {
        { &uefi_guid_global, "SetupMode" },
        { &uefi_guid_global, "SecureBoot" },
        { &uefi_guid_global, "SignatureSupport" },
        { &uefi_guid_global, "VendorKeys" },
        { &uefi_guid_vendor_keys_nv, "VendorKeysNv" },
        { &uefi_guid_cert_db, "certdb" },
        { &uefi_guid_cert_db, "certdbv" },
    };
    g_autoptr(UefiTest) t = uefi_test_new(NULL);
    g_autofree char *before = uefi_test_dump(t), *after = NULL;

    for (size_t i = 0; i < ARRAY_SIZE(state); i++) {
        g_autofree uint16_t *name = uefi_str_from_ascii(state[i].name);
        const UefiVariable *var = uefi_store_find(t->uv->store, UEFI_VIEW_BOOT,
                                                  state[i].guid, name);

        g_assert_nonnull(var);
        uefi_assert_reason(host_set_bytes(t, state[i].guid, state[i].name,
                                          var->attributes, "\1", 1, true),
                           AUTH_STATE);
        uefi_assert_reason(host_delete(t, state[i].guid, state[i].name, true),
                           AUTH_STATE);
    }
    after = uefi_test_dump(t);
    g_assert_cmpstr(before, ==, after);
}

/* Neither the phase nor a policy stands in the way of the host */
static void test_phase(void)
{
    static const uint16_t boot_order[] = NAME_BOOT_ORDER;
    g_autoptr(UefiTest) t = uefi_test_new(NULL);

    uefi_assert_reason(host_set(t, "B", ATTR_NV_BS, "before"), OK);
    uefi_assert_reason(uefi_policy_lock_now(t->uv, &uefi_guid_global,
                                            boot_order), OK);
    uefi_test_phase(t, UEFI_PHASE_RUNTIME);
    uefi_assert_reason(uefi_test_set(t, &uefi_guid_global, "BootOrder",
                                     ATTR_NV_RT, "\1\0", 2),
                       POLICY_LOCKED_NOW);
    uefi_assert_reason(host_set_bytes(t, &uefi_guid_global, "BootOrder",
                                      ATTR_NV_RT, "\2\0", 2, false), OK);
    uefi_assert_reason(host_set(t, "B", ATTR_NV_BS, "after"), OK);
    uefi_vars_hard_reset(t->uv);
    uefi_assert_value(t, &uefi_test_guid, "B", "after");
}

/* MOR is the guest's: the host does not get past its lock */
static void test_mor(void)
{
    g_autoptr(UefiTest) t = uefi_test_new(NULL);
    const UefiGuid *guid = &uefi_guid_mor_control;
    const char *name = "MemoryOverwriteRequestControl";

    uefi_assert_reason(host_set_bytes(t, guid, name, ATTR_NV_RT, "\1", 1,
                                      false), OK);
    uefi_assert_reason(uefi_test_set(t, &uefi_guid_mor_control_lock,
                                     "MemoryOverwriteRequestControlLock",
                                     ATTR_NV_RT, "\1", 1), OK);
    uefi_assert_reason(host_set_bytes(t, guid, name, ATTR_NV_RT, "\0", 1,
                                      false), MOR_LOCKED);
    uefi_assert_reason(host_delete(t, guid, name, true), MOR_FORM);
    check_byte(t, guid, name, 1);
}

/* Where the guest can no longer have the lock, the host still can. */
static void test_mor_phase(void)
{
    g_autoptr(UefiTest) t = uefi_test_new(NULL);
    const UefiGuid *guid = &uefi_guid_mor_control_lock;
    const char *name = "MemoryOverwriteRequestControlLock";

    uefi_test_phase(t, UEFI_PHASE_END_OF_DXE);
    uefi_assert_reason(uefi_test_set(t, guid, name, ATTR_NV_RT, "\1", 1),
                       POLICY_LOCKED_NOW);
    uefi_assert_reason(host_set_bytes(t, guid, name, ATTR_NV_RT, "\0", 1,
                                      false), OK);
    check_byte(t, guid, name, 0);
    uefi_test_phase(t, UEFI_PHASE_RUNTIME);
    uefi_assert_reason(host_set_bytes(t, guid, name, ATTR_NV_RT, "12345678",
                                      8, false), OK);
    check_byte(t, guid, name, 2);
    /* It locks for everybody, and one wrong guess ends the guessing. */
    uefi_assert_reason(host_set_bytes(t, &uefi_guid_mor_control,
                                      "MemoryOverwriteRequestControl",
                                      ATTR_NV_RT, "\0", 1, false),
                       MOR_LOCKED);
    uefi_assert_reason(host_set_bytes(t, guid, name, ATTR_NV_RT, "12345679",
                                      8, false), MOR_LOCK_KEY);
    check_byte(t, guid, name, 1);
    uefi_assert_reason(host_set_bytes(t, guid, name, ATTR_NV_RT, "12345678",
                                      8, false), MOR_LOCK_LOCKED);
}

/* Lists of languages are of the boot for guests alone. */
static void test_language_phase(void)
{
    g_autoptr(UefiTest) t = uefi_test_new(NULL);
    const UefiGuid *g = &uefi_guid_global;
    const char *name = "PlatformLangCodes";

    uefi_test_phase(t, UEFI_PHASE_RUNTIME);
    uefi_assert_reason(uefi_test_set(t, &uefi_test_guid, name, ATTR_NV_RT,
                                     "en", 3), LANG_RUNTIME);
    uefi_assert_reason(host_set(t, name, ATTR_NV_RT, "en"), OK);
    uefi_assert_value(t, &uefi_test_guid, name, "en");
    uefi_assert_reason(host_set_bytes(t, g, name, ATTR_BS_RT, "en;fr", 6,
                                      false), OK);
    uefi_assert_reason(host_delete(t, &uefi_test_guid, name, false), OK);
}

/* Both forms of a language stay in step, whoever sets one */
static void test_language(void)
{
    g_autoptr(UefiTest) t = uefi_test_new(NULL);
    g_autoptr(GBytes) lang = NULL;
    const UefiGuid *g = &uefi_guid_global;

    uefi_assert_reason(uefi_test_set(t, g, "LangCodes", ATTR_BS_RT, "engfra",
                                     6), OK);
    uefi_assert_reason(uefi_test_set(t, g, "PlatformLangCodes", ATTR_BS_RT,
                                     "en;fr", 6), OK);
    uefi_assert_reason(host_set_bytes(t, g, "PlatformLang", ATTR_NV_RT, "fr",
                                      3, false), OK);
    uefi_assert_reason(uefi_test_get(t, g, "Lang", NULL, &lang), OK);
    g_assert_cmpmem(g_bytes_get_data(lang, NULL), g_bytes_get_size(lang),
                    "fra", 4);
}

static void test_quota(void)
{
    UefiVarConfig config = uefi_vars_default_config();
    g_autoptr(UefiTest) t = NULL;
    g_autofree char *value = g_strnfill(3000, 'x');

    config.limits.nv_size = UEFI_LIMIT_NV_SIZE_MIN;
    t = uefi_test_new(&config);
    uefi_assert_reason(host_set(t, "A", ATTR_NV_RT, value), OK);
    uefi_assert_reason(host_set(t, "B", ATTR_NV_RT, value), STORE_FULL);
    uefi_assert_reason(guest_get(t, &uefi_test_guid, "B"), GET_MISSING);
    uefi_assert_reason(host_delete(t, &uefi_test_guid, "A", false), OK);
    uefi_assert_reason(host_set(t, "B", ATTR_NV_RT, value), OK);
}

/* Nothing has happened when it could not be saved */
static void test_save_fails(void)
{
    g_autoptr(UefiTest) t = uefi_test_new(NULL);
    g_autoptr(GByteArray) pk = uefi_test_key_list(uefi_test_key("Owner"));
    g_autofree char *before = NULL, *after = NULL;

    uefi_assert_reason(host_set(t, "A", ATTR_NV_RT, "a"), OK);
    before = uefi_test_dump(t);
    t->save_result = UEFI_REASON_SAVE_FAILED;
    uefi_assert_reason(host_set(t, "A", ATTR_NV_RT, "b"), SAVE_FAILED);
    uefi_assert_reason(host_delete(t, &uefi_test_guid, "A", false),
                       SAVE_FAILED);
    uefi_assert_reason(force(t, &uefi_guid_global, "PK", pk), SAVE_FAILED);
    g_assert_true(t->uv->secure_boot.setup_mode);
    after = uefi_test_dump(t);
    g_assert_cmpstr(before, ==, after);
}

/* ------------------------------------------------------------------------ */
/* Keys */

static void enrol(UefiTest *t)
{
    g_autoptr(GByteArray) pk = uefi_test_key_list(uefi_test_key("Owner"));
    g_autoptr(GByteArray) kek = uefi_test_key_list(uefi_test_key("Kek"));
    g_autoptr(GByteArray) db = uefi_test_key_list(uefi_test_key("Vendor"));

    uefi_assert_reason(force(t, &uefi_guid_image_security, "db", db), OK);
    uefi_assert_reason(force(t, &uefi_guid_global, "KEK", kek), OK);
    uefi_assert_reason(force(t, &uefi_guid_global, "PK", pk), OK);
}

static void test_not_forced(void)
{
    g_autoptr(UefiTest) t = uefi_test_new(NULL);
    g_autoptr(GByteArray) lists = uefi_test_key_list(uefi_test_key("Owner"));

    uefi_assert_reason(host_set_bytes(t, &uefi_guid_global, "PK", ATTR_AUTH,
                                      lists->data, lists->len, false),
                       HOST_NOT_FORCED);
    uefi_assert_reason(host_set(t, "Mine", ATTR_AUTH, "x"), HOST_NOT_FORCED);
    enrol(t);
    uefi_assert_reason(host_delete(t, &uefi_guid_global, "PK", false),
                       HOST_NOT_FORCED);
    g_assert_false(t->uv->secure_boot.setup_mode);
}

static void test_bad_lists(void)
{
    g_autoptr(UefiTest) t = uefi_test_new(NULL);
    g_autoptr(GByteArray) lists = uefi_test_key_list(uefi_test_key("Owner"));
    g_autoptr(GByteArray) two = uefi_test_hash_list(1, 2);
    const UefiGuid *g = &uefi_guid_global;

    uefi_assert_reason(force(t, g, "PK", two), SIGLIST_PK);
    g_byte_array_set_size(lists, lists->len - 1);
    uefi_assert_reason(force(t, g, "PK", lists), SIGLIST_REST);
    uefi_assert_reason(host_set_bytes(t, g, "PK", ATTR_NV_RT, two->data,
                                      two->len, true), CHECK_ATTRIBUTES);
    g_assert_true(t->uv->secure_boot.setup_mode);
    uefi_assert_reason(guest_get(t, g, "PK"), GET_MISSING);
}

/* What follows from PK follows at once */
static void test_enrol(void)
{
    g_autoptr(UefiTest) t = uefi_test_new(NULL);
    const UefiGuid *g = &uefi_guid_global;

    check_byte(t, g, "SecureBoot", 0);
    enrol(t);
    g_assert_false(t->uv->secure_boot.setup_mode);
    check_byte(t, g, "SetupMode", 0);
    check_byte(t, g, "SecureBoot", 1);
    check_byte(t, &uefi_guid_secure_boot_enable, "SecureBootEnable", 1);
    check_byte(t, g, "VendorKeys", 0);
    uefi_vars_hard_reset(t->uv);
    check_byte(t, g, "SetupMode", 0);
    check_byte(t, g, "SecureBoot", 1);
    check_byte(t, g, "VendorKeys", 0);

    uefi_assert_reason(host_delete(t, g, "PK", true), OK);
    g_assert_true(t->uv->secure_boot.setup_mode);
    check_byte(t, g, "SetupMode", 1);
    check_byte(t, g, "SecureBoot", 0);
    uefi_assert_reason(guest_get(t, &uefi_guid_secure_boot_enable,
                                 "SecureBootEnable"), GET_MISSING);
}

/* An operating system that runs keeps the SecureBoot that it has seen */
static void test_enrol_runtime(void)
{
    g_autoptr(UefiTest) t = uefi_test_new(NULL);
    g_autoptr(GBytes) state = NULL;
    const UefiGuid *g = &uefi_guid_global;

    uefi_test_phase(t, UEFI_PHASE_RUNTIME);
    enrol(t);
    check_byte(t, g, "SetupMode", 0);
    check_byte(t, g, "SecureBoot", 0);
    /* The state is one that migration accepts */
    state = uefi_secureboot_save(t->uv);
    g_assert_true(uefi_secureboot_load(t->uv, state, NULL));
    uefi_vars_hard_reset(t->uv);
    check_byte(t, g, "SecureBoot", 1);
}

/* After keys in setup mode, the vendor's are still all there is (7.6) */
static void test_vendor_keys(void)
{
    g_autoptr(UefiTest) t = uefi_test_new(NULL);
    g_autoptr(GByteArray) db = uefi_test_key_list(uefi_test_key("Vendor"));
    g_autoptr(GByteArray) pk = uefi_test_key_list(uefi_test_key("Owner"));

    uefi_assert_reason(force(t, &uefi_guid_image_security, "db", db), OK);
    check_byte(t, &uefi_guid_global, "VendorKeys", 1);
    uefi_assert_reason(force(t, &uefi_guid_global, "PK", pk), OK);
    check_byte(t, &uefi_guid_global, "VendorKeys", 0);
}

static UefiReason guest_update(UefiTest *t, const UefiGuid *guid,
                               const char *name, const char *signer,
                               unsigned seconds, const GByteArray *value)
{
    UefiTime time = uefi_test_time(seconds);
    g_autoptr(GByteArray) data =
        uefi_test_auth(UEFI_TEST_BY(uefi_test_key(signer)), guid, name,
                       ATTR_AUTH, &time, value->data, value->len);

    return uefi_test_set(t, guid, name, ATTR_AUTH, data->data, data->len);
}

/* Keys that the host enrols are what updates of the guest are checked with */
static void test_trust(void)
{
    g_autoptr(UefiTest) t = uefi_test_new(NULL);
    g_autoptr(GByteArray) hashes = uefi_test_hash_list(1, 1);
    g_autoptr(GByteArray) none = uefi_test_hash_list(7, 1);
    const UefiGuid *guid = &uefi_guid_image_security;

    enrol(t);
    uefi_assert_reason(guest_update(t, guid, "dbx", "Stranger", 5, hashes),
                       PKCS7_CHAIN);
    uefi_assert_reason(guest_update(t, guid, "dbx", "Kek", 5, hashes), OK);

    /* The host goes back; what was signed before does not come back */
    uefi_assert_reason(force(t, guid, "dbx", none), OK);
    uefi_assert_reason(guest_update(t, guid, "dbx", "Kek", 5, hashes),
                       AUTH_TIME_OLD);
    uefi_assert_reason(guest_update(t, guid, "dbx", "Kek", 6, hashes), OK);
}

/* A private variable stays with its signer, and leaves nothing behind */
static void test_private(void)
{
    g_autoptr(UefiTest) t = uefi_test_new(NULL);
    g_autoptr(GByteArray) value = g_byte_array_new();
    const UefiVariable *certdb;
    const UefiGuid *guid = &uefi_test_guid;

    g_byte_array_append(value, (const uint8_t *)"v", 1);
    uefi_assert_reason(guest_update(t, guid, "Mine", "Signer", 1, value), OK);
    uefi_assert_reason(host_set_bytes(t, guid, "Mine", ATTR_AUTH, "host", 4,
                                      true), OK);
    uefi_assert_value(t, guid, "Mine", "host");
    uefi_assert_reason(guest_update(t, guid, "Mine", "Other", 2, value),
                       AUTH_OTHER_SIGNER);
    uefi_assert_reason(guest_update(t, guid, "Mine", "Signer", 2, value), OK);

    uefi_assert_reason(host_delete(t, guid, "Mine", true), OK);
    certdb = uefi_store_find_ascii(t->uv->store, UEFI_VIEW_BOOT,
                                   &uefi_guid_cert_db, "certdb");
    g_assert_cmpuint(g_bytes_get_size(certdb->data), ==, 4);
    uefi_assert_reason(guest_update(t, guid, "Mine", "Other", 3, value), OK);
}

/* What the host has forbidden the guest, it does not do by accident itself */
static void test_forced(void)
{
    UefiVarConfig config = uefi_vars_default_config();
    g_autoptr(UefiTest) t = NULL;

    config.force_secure_boot = true;
    t = uefi_test_new(&config);
    uefi_assert_reason(host_set_bytes(t, &uefi_guid_secure_boot_enable,
                                      "SecureBootEnable", ATTR_NV_BS, "\0", 1,
                                      true), AUTH_FORCED);
}

/* ------------------------------------------------------------------------ */
/* The host is told of all changes */

static void count_changes(void *opaque, const UefiVarChange *change,
                          bool saved)
{
    unsigned *vars = opaque;

    g_assert_false(saved);
    *vars += change->vars->len;
}

static UefiReason fail_to_save(void *opaque, const UefiVarChange *change)
{
    return UEFI_REASON_SAVE_FAILED;
}

/* State of the service is published without being saved, and not in silence */
static void test_changed(void)
{
    static const UefiVarHost host = {
        .save = fail_to_save,
        .changed = count_changes,
    };
    UefiVarConfig config = uefi_vars_default_config();
    unsigned vars = 0;
    g_autoptr(UefiVarService) uv = uefi_vars_new(&config, &host, &vars);
    g_autoptr(UefiVarChange) change = uefi_var_change_new();

    uefi_vars_put(uv, change, &uefi_test_guid, "A", ATTR_NV_BS, "a", 1);
    uefi_assert_reason(uefi_vars_commit(uv, change), SAVE_FAILED);
    g_assert_cmpuint(vars, ==, 0);
    uefi_vars_commit_own(uv, change);
    g_assert_cmpuint(vars, ==, 1);
    g_assert_nonnull(uefi_store_find_ascii(uv->store, UEFI_VIEW_BOOT,
                                           &uefi_test_guid, "A"));
}

/* ------------------------------------------------------------------------ */
/* Status */

static void test_status_empty(void)
{
    g_autoptr(UefiTest) t = uefi_test_new(NULL);
    g_autoptr(UefiVarStatus) status = uefi_status_new(t->uv);

    g_assert_true(status->setup_mode);
    g_assert_false(status->secure_boot);
    g_assert_false(status->custom_mode);
    g_assert_cmpint(status->next, ==, UEFI_SECURE_BOOT_SETUP_MODE);
    for (int id = 0; id < UEFI_KEY__MAX; id++) {
        g_assert_null(status->keys[id].var);
        g_assert_cmpuint(status->keys[id].counts->len, ==, 0);
    }
    g_assert_cmpint(status->readiness, ==, UEFI_READINESS_NONE);
    g_assert_cmpuint(status->dbx_room, ==, UEFI_LIMIT_MAX_AUTH -
                     EFI_VAR_RECORD_HEADER_SIZE - sizeof(uint16_t[4]));
}

static void check_cert(const UefiKeyStatus *key, guint i, const char *subject)
{
    const UefiKeyCert *cert;

    g_assert_cmpuint(i, <, key->certs->len);
    cert = g_ptr_array_index(key->certs, i);
    g_assert_cmpstr(cert->info->subject, ==, subject);
    g_assert_cmpint(cert->info->begins, <, cert->info->ends);
}

static void test_status_keys(void)
{
    g_autoptr(UefiTest) t = uefi_test_new(NULL);
    g_autoptr(GByteArray) dbx = uefi_test_hash_list(1, 3);
    g_autoptr(GByteArray) more = uefi_test_key_list(uefi_test_key("Revoked"));
    g_autoptr(UefiVarStatus) status = NULL;
    UefiKeyStatus *key;

    enrol(t);
    g_byte_array_append(dbx, more->data, more->len);
    uefi_assert_reason(force(t, &uefi_guid_image_security, "dbx", dbx), OK);

    status = uefi_status_new(t->uv);
    g_assert_false(status->setup_mode);
    g_assert_true(status->secure_boot);
    g_assert_cmpint(status->next, ==, UEFI_SECURE_BOOT_ENABLED);
    g_assert_cmpint(status->readiness, ==, UEFI_READINESS_OWN);
    check_cert(&status->keys[UEFI_KEY_PK], 0, "CN=Owner");
    check_cert(&status->keys[UEFI_KEY_KEK], 0, "CN=Kek");
    check_cert(&status->keys[UEFI_KEY_DB], 0, "CN=Vendor");

    key = &status->keys[UEFI_KEY_DBX];
    g_assert_cmpstr(key->name, ==, "dbx");
    g_assert_false(key->damaged);
    g_assert_cmpuint(key->counts->len, ==, 2);
    g_assert_cmpuint(g_array_index(key->counts, UefiSigCount, 0).count, ==, 3);
    g_assert_cmpstr(uefi_sig_type_name(&g_array_index(key->counts,
                                                      UefiSigCount, 0).type),
                    ==, "sha256");
    g_assert_cmpuint(g_array_index(key->counts, UefiSigCount, 1).count, ==, 1);
    g_assert_cmpuint(key->certs->len, ==, 1);
    check_cert(key, 0, "CN=Revoked");
}

/* The answer and what the next reset really does */
static void check_next(UefiTest *t, UefiSecureBoot expected)
{
    g_autoptr(UefiVarStatus) status = uefi_status_new(t->uv);

    g_assert_cmpint(status->next, ==, expected);
    g_assert_nonnull(uefi_status_why(expected));
    uefi_vars_hard_reset(t->uv);
    check_byte(t, &uefi_guid_global, "SecureBoot",
               uefi_secure_boot_is_on(expected));
}

static void test_status_next(void)
{
    UefiVarConfig config = uefi_vars_default_config();
    g_autoptr(UefiTest) t = uefi_test_new(&config), forced = NULL;
    const UefiGuid *guid = &uefi_guid_secure_boot_enable;

    check_next(t, UEFI_SECURE_BOOT_SETUP_MODE);
    enrol(t);
    check_next(t, UEFI_SECURE_BOOT_ENABLED);
    uefi_assert_reason(uefi_test_set(t, guid, "SecureBootEnable", ATTR_NV_BS,
                                     "\0", 1), OK);
    check_next(t, UEFI_SECURE_BOOT_DISABLED);
    uefi_assert_reason(host_delete(t, guid, "SecureBootEnable", false), OK);
    check_next(t, UEFI_SECURE_BOOT_ENABLED);

    config.force_secure_boot = true;
    forced = uefi_test_new(&config);
    check_next(forced, UEFI_SECURE_BOOT_SETUP_MODE);
    enrol(forced);
    check_next(forced, UEFI_SECURE_BOOT_FORCED);
}

static uint64_t dbx_room(UefiTest *t)
{
    g_autoptr(UefiVarStatus) status = uefi_status_new(t->uv);

    return status->dbx_room;
}

static UefiReason append_to_dbx(UefiTest *t, const GByteArray *lists)
{
    UefiTime time = uefi_test_time(1);
    g_autoptr(GByteArray) data =
        uefi_test_descriptor(&time, NULL, lists->data, lists->len);

    return uefi_test_set(t, &uefi_guid_image_security, "dbx",
                         ATTR_AUTH | EFI_ATTR_AP, data->data, data->len);
}

/* Room for exactly one more, or one byte less than that */
static void check_dbx_room(const UefiVarConfig *config, unsigned short_of)
{
    g_autoptr(UefiTest) t = uefi_test_new(config);
    g_autoptr(GByteArray) first = uefi_test_hash_list(1, 1);
    g_autoptr(GByteArray) second = uefi_test_hash_list(2, 1);

    g_assert_cmpuint(dbx_room(t), ==, first->len + second->len - short_of);
    uefi_assert_reason(append_to_dbx(t, first), OK);
    g_assert_cmpuint(dbx_room(t), ==, second->len - short_of);
    if (short_of) {
        g_assert_cmpint(append_to_dbx(t, second), !=, UEFI_REASON_OK);
    } else {
        uefi_assert_reason(append_to_dbx(t, second), OK);
        g_assert_cmpuint(dbx_room(t), ==, 0);
    }
}

static void test_status_room(void)
{
    const unsigned record = EFI_VAR_RECORD_HEADER_SIZE + sizeof(uint16_t[4]);
    const unsigned list = 28 + 16 + 32;
    UefiVarConfig config = uefi_vars_default_config();
    g_autoptr(UefiTest) t = NULL;
    unsigned own;

    /* by the largest authenticated variable */
    config.limits.max_auth = record + 2 * list;
    check_dbx_room(&config, 0);
    config.limits.max_auth--;
    check_dbx_room(&config, 1);

    /* by the quota, of which the service's own variables have a part */
    config = uefi_vars_default_config();
    t = uefi_test_new(&config);
    own = uefi_store_used(t->uv->store, UEFI_CLASS_NV);
    config.limits.nv_size = EFI_VAR_STORE_HEADER_SIZE + own + record +
                            2 * list;
    check_dbx_room(&config, 0);
    config.limits.nv_size -= 4;
    check_dbx_room(&config, 4);
}

/* A store may come from elsewhere, and hold anything */
static void test_status_damaged(void)
{
    g_autoptr(UefiTest) t = uefi_test_new(NULL);
    g_autoptr(GByteArray) lists = uefi_test_hash_list(1, 2);
    g_autoptr(UefiVarChange) change = uefi_var_change_new();
    g_autoptr(UefiVarStatus) status = NULL;
    const UefiKeyCert *cert;

    uefi_test_add_list(lists, &uefi_guid_cert_x509, "no certificate", 14);
    g_byte_array_append(lists, (const uint8_t *)"rest", 4);
    uefi_vars_put(t->uv, change, &uefi_guid_image_security, "db", ATTR_AUTH,
                  lists->data, lists->len);
    uefi_assert_reason(uefi_vars_commit(t->uv, change), OK);

    status = uefi_status_new(t->uv);
    g_assert_true(status->keys[UEFI_KEY_DB].damaged);
    g_assert_cmpuint(status->keys[UEFI_KEY_DB].counts->len, ==, 2);
    g_assert_cmpuint(status->keys[UEFI_KEY_DB].certs->len, ==, 1);
    cert = g_ptr_array_index(status->keys[UEFI_KEY_DB].certs, 0);
    g_assert_null(cert->info);
}

/* Many certificates: all are counted, some described */
static void test_status_many(void)
{
    g_autoptr(UefiTest) t = uefi_test_new(NULL);
    g_autoptr(GByteArray) lists = g_byte_array_new();
    g_autoptr(UefiVarChange) change = uefi_var_change_new();
    g_autoptr(UefiVarStatus) status = NULL;

    for (int i = 0; i < UEFI_STATUS_CERTS + 10; i++) {
        uefi_test_add_list(lists, &uefi_guid_cert_x509, "x", 1);
    }
    uefi_vars_put(t->uv, change, &uefi_guid_image_security, "db", ATTR_AUTH,
                  lists->data, lists->len);
    uefi_assert_reason(uefi_vars_commit(t->uv, change), OK);

    status = uefi_status_new(t->uv);
    g_assert_cmpuint(g_array_index(status->keys[UEFI_KEY_DB].counts,
                                   UefiSigCount, 0).count, ==,
                     UEFI_STATUS_CERTS + 10);
    g_assert_cmpuint(status->keys[UEFI_KEY_DB].certs->len, ==,
                     UEFI_STATUS_CERTS);
}

/* Subjects are printed on terminals: nothing in them may control one */
static void test_subject(void)
{
    const UefiTestCert nasty = { .cn = "a\033[2Jb\nc \303\251" };
    gsize size;
    const uint8_t *data = g_bytes_get_data(uefi_test_cert(&nasty)->der, &size);
    g_autoptr(UefiX509Info) info = uefi_x509_info_new(data, size);

    g_assert_nonnull(info);
    g_assert_cmpstr(info->issuer, ==, info->subject);
    g_assert_true(g_utf8_validate(info->subject, -1, NULL));
    for (const char *p = info->subject; *p; p = g_utf8_next_char(p)) {
        g_assert_true(g_unichar_isprint(g_utf8_get_char(p)));
    }
    g_assert_nonnull(strstr(info->subject, "c \303\251"));
    for (gsize cut = 0; cut < size; cut += 7) {
        g_autofree uint8_t *part = g_memdup2(data, cut);

        g_assert_null(uefi_x509_info_new(part, cut));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/uefi/host/set", test_set);
    g_test_add_func("/uefi/host/refused", test_refused);
    g_test_add_func("/uefi/host/known", test_known);
    g_test_add_func("/uefi/host/state", test_state);
    g_test_add_func("/uefi/host/phase", test_phase);
    g_test_add_func("/uefi/host/mor", test_mor);
    g_test_add_func("/uefi/host/mor-phase", test_mor_phase);
    g_test_add_func("/uefi/host/language", test_language);
    g_test_add_func("/uefi/host/language-phase", test_language_phase);
    g_test_add_func("/uefi/host/quota", test_quota);
    g_test_add_func("/uefi/host/save-fails", test_save_fails);
    g_test_add_func("/uefi/host/changed", test_changed);
    g_test_add_func("/uefi/host/keys/not-forced", test_not_forced);
    g_test_add_func("/uefi/host/keys/bad-lists", test_bad_lists);
    g_test_add_func("/uefi/host/keys/enrol", test_enrol);
    g_test_add_func("/uefi/host/keys/enrol-runtime", test_enrol_runtime);
    g_test_add_func("/uefi/host/keys/vendor-keys", test_vendor_keys);
    g_test_add_func("/uefi/host/keys/trust", test_trust);
    g_test_add_func("/uefi/host/keys/private", test_private);
    g_test_add_func("/uefi/host/keys/forced", test_forced);
    g_test_add_func("/uefi/status/empty", test_status_empty);
    g_test_add_func("/uefi/status/keys", test_status_keys);
    g_test_add_func("/uefi/status/next", test_status_next);
    g_test_add_func("/uefi/status/room", test_status_room);
    g_test_add_func("/uefi/status/damaged", test_status_damaged);
    g_test_add_func("/uefi/status/many", test_status_many);
    g_test_add_func("/uefi/status/subject", test_subject);
    return g_test_run();
}
