/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * QTest of the UEFI variable service: secure boot, signed variables, policies
 *
 * The essential flows, over every device and through resets; unit tests go
 * through every row.  Keys and signatures are made by openssl.
 *
 * Names of tests are rows of docs/specs/uefi-vars.rst.
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/uefi-vars.h"

#define CERT_PKCS7      "4aafd29d-68df-49ee-8aa9-347d375665a7"
#define CERT_X509       "a5c059a1-94e4-4aa7-87b5-ab155c2bf072"
#define SECURE_BOOT     "f0a30bc7-af08-4556-99c4-001009c93a44"
#define CUSTOM_MODE     "c076ec0c-7028-4399-a072-71ee5c448b9f"

#define SIGNED_ATTRS    (QUEFI_NV_BS_RT | EFI_ATTR_AT)
#define SETUP_ATTRS     QUEFI_BS_RT

/* ------------------------------------------------------------------------ */
/* Keys and signed data, made once for all tests */

static char *dir;           /* of keys: NAME.key, NAME.pem, NAME.der */

static void run(const char *format, ...) G_GNUC_PRINTF(1, 2);
static void run(const char *format, ...)
{
    g_autofree char *args = NULL;
    g_autofree char *command = NULL;
    g_autofree char *err = NULL;
    const char *argv[] = { "/bin/sh", "-c", NULL, NULL };
    g_autoptr(GError) error = NULL;
    int status;
    va_list ap;

    va_start(ap, format);
    args = g_strdup_vprintf(format, ap);
    va_end(ap);
    command = g_strdup_printf("cd %s && %s", dir, args);
    argv[2] = command;
    g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_STDOUT_TO_DEV_NULL, NULL,
                 NULL, NULL, &err, &status, &error);
    g_assert_no_error(error);
    if (status) {
        g_error("%s: %s", command, err);
    }
}

static GBytes *load(const char *name)
{
    g_autofree char *path = g_build_filename(dir, name, NULL);
    g_autoptr(GError) error = NULL;
    char *data;
    gsize size;

    g_file_get_contents(path, &data, &size, &error);
    g_assert_no_error(error);
    return g_bytes_new_take(data, size);
}

static void make_key(const char *name)
{
    run("openssl req -x509 -newkey rsa:2048 -nodes -sha256 -days 3650 "
        "-subj /CN=%s -keyout %s.key -out %s.pem", name, name, name);
    run("openssl x509 -in %s.pem -outform DER -out %s.der", name, name);
}

/* A signature list with the certificate of that key */
static QUefiMsg *make_list(const char *key)
{
    g_autofree char *file = g_strdup_printf("%s.der", key);
    g_autoptr(GBytes) cert = load(file);
    size_t size = g_bytes_get_size(cert);
    QUefiMsg *list = quefi_buf_new();

    quefi_put_guid(list, CERT_X509);
    quefi_put(list, 4, 28 + 16 + size);
    quefi_put(list, 4, 0);
    quefi_put(list, 4, 16 + size);
    quefi_put_guid(list, QUEFI_VENDOR);
    quefi_put_bytes(list, g_bytes_get_data(cert, NULL), size);
    return list;
}

static void put_time(QUefiMsg *buf, unsigned day)
{
    quefi_put(buf, 2, 2024);
    quefi_put(buf, 1, 1);
    quefi_put(buf, 1, day);
    quefi_put(buf, 4, 0);
    quefi_put(buf, 8, 0);
}

static void put_descriptor(QUefiMsg *buf, unsigned day, size_t size)
{
    put_time(buf, day);
    quefi_put(buf, 4, 24 + size);
    quefi_put(buf, 2, 0x0200);
    quefi_put(buf, 2, EFI_WIN_CERT_TYPE_EFI_GUID);
    quefi_put_guid(buf, CERT_PKCS7);
}

/* Data of SetVariable: descriptor of that day, signature, payload */
static QUefiMsg *sign(const char *key, const char *guid, const char *name,
                      unsigned day, const void *payload, size_t size)
{
    g_autoptr(QUefiMsg) tbs = quefi_buf_new();
    g_autofree char *path = g_build_filename(dir, "tbs", NULL);
    g_autoptr(GBytes) signature = NULL;
    QUefiMsg *data = quefi_buf_new();

    quefi_put_chars(tbs, name);
    quefi_put_guid(tbs, guid);
    quefi_put(tbs, 4, SIGNED_ATTRS);
    put_time(tbs, day);
    quefi_put_bytes(tbs, payload, size);
    g_assert_true(g_file_set_contents(path, (char *)tbs->bytes->data,
                                      tbs->bytes->len, NULL));
    run("openssl smime -sign -binary -noattr -md sha256 -in tbs "
        "-signer %s.pem -inkey %s.key -outform DER -out signature",
        key, key);
    signature = load("signature");

    put_descriptor(data, day, g_bytes_get_size(signature));
    quefi_put_bytes(data, g_bytes_get_data(signature, NULL),
                    g_bytes_get_size(signature));
    quefi_put_bytes(data, payload, size);
    return data;
}

static QUefiMsg *sign_text(const char *key, const char *name, unsigned day,
                           const char *text)
{
    return sign(key, QUEFI_VENDOR, name, day, text, strlen(text));
}

static QUefiMsg *sign_list(const char *key, const char *guid,
                           const char *name, unsigned day, const char *cert)
{
    g_autoptr(QUefiMsg) list = make_list(cert);

    return sign(key, guid, name, day, list->bytes->data, list->bytes->len);
}

static struct {
    QUefiMsg *pk_unsigned;      /* descriptor without signature */
    QUefiMsg *pk;               /* by itself */
    QUefiMsg *pk_by_other;
    QUefiMsg *pk_next;          /* other key, by PK */
    QUefiMsg *pk_delete;        /* by PK */
    QUefiMsg *kek;              /* by PK */
    QUefiMsg *kek_by_other;
    QUefiMsg *db;               /* by KEK */
    QUefiMsg *db_by_other;
    QUefiMsg *mine[3];          /* private variable, on three days */
    QUefiMsg *mine_by_other;    /* on the last of them */
    QUefiMsg *mine_delete;
} data;

static void make_data(void)
{
    g_autoptr(QUefiMsg) list = NULL;

    dir = g_dir_make_tmp("uefi-vars-keys-XXXXXX", NULL);
    g_assert_nonnull(dir);
    make_key("PK");
    make_key("KEK");
    make_key("other");

    list = make_list("PK");
    data.pk_unsigned = quefi_buf_new();
    put_descriptor(data.pk_unsigned, 1, 0);
    quefi_put_bytes(data.pk_unsigned, list->bytes->data, list->bytes->len);

    data.pk = sign_list("PK", QUEFI_GLOBAL, "PK", 1, "PK");
    data.pk_by_other = sign_list("other", QUEFI_GLOBAL, "PK", 2, "other");
    data.pk_next = sign_list("PK", QUEFI_GLOBAL, "PK", 2, "other");
    data.pk_delete = sign("PK", QUEFI_GLOBAL, "PK", 3, "", 0);
    data.kek = sign_list("PK", QUEFI_GLOBAL, "KEK", 1, "KEK");
    data.kek_by_other = sign_list("other", QUEFI_GLOBAL, "KEK", 2, "KEK");
    data.db = sign_list("KEK", QUEFI_IMGSEC, "db", 1, "other");
    data.db_by_other = sign_list("other", QUEFI_IMGSEC, "db", 2, "other");
    for (int i = 0; i < 3; i++) {
        g_autofree char *text = g_strdup_printf("day %d", i + 1);

        data.mine[i] = sign_text("KEK", "Mine", i + 1, text);
    }
    data.mine_by_other = sign_text("other", "Mine", 3, "stolen");
    data.mine_delete = sign_text("KEK", "Mine", 4, "");
}

/* ------------------------------------------------------------------------ */

static EfiStatus set_signed(QUefiVars *uv, const char *guid, const char *name,
                            QUefiMsg *value)
{
    return quefi_set(uv, guid, name, SIGNED_ATTRS, value->bytes->data,
                     value->bytes->len);
}

/* The value of a variable of one byte, or -1 when there is none */
static int get_byte(QUefiVars *uv, const char *guid, const char *name)
{
    uint8_t byte;
    size_t size = 1;
    EfiStatus status = quefi_get_variable(uv, guid, name, NULL, &byte, &size);

    if (status == EFI_NOT_FOUND) {
        return -1;
    }
    g_assert_cmpint(status, ==, EFI_SUCCESS);
    g_assert_cmpint(size, ==, 1);
    return byte;
}

static void assert_modes(QUefiVars *uv, int setup_mode, int secure_boot)
{
    g_assert_cmpint(get_byte(uv, QUEFI_GLOBAL, "SetupMode"), ==, setup_mode);
    g_assert_cmpint(get_byte(uv, QUEFI_GLOBAL, "SecureBoot"), ==,
                    secure_boot);
}

static void enroll(QUefiVars *uv)
{
    g_assert_cmpint(set_signed(uv, QUEFI_IMGSEC, "db", data.db), ==,
                    EFI_SUCCESS);
    g_assert_cmpint(set_signed(uv, QUEFI_GLOBAL, "KEK", data.kek), ==,
                    EFI_SUCCESS);
    g_assert_cmpint(set_signed(uv, QUEFI_GLOBAL, "PK", data.pk), ==,
                    EFI_SUCCESS);
    assert_modes(uv, 0, 1);
}

/* Nobody without its key gets rid of a key */
static void assert_locked(QUefiVars *uv)
{
    static const char *const names[][2] = {
        { QUEFI_GLOBAL, "PK" }, { QUEFI_GLOBAL, "KEK" },
        { QUEFI_IMGSEC, "db" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        const char *guid = names[i][0], *name = names[i][1];
        size_t size = 0;

        g_assert_cmpint(quefi_set(uv, guid, name, SIGNED_ATTRS, "", 0), ==,
                        EFI_SECURITY_VIOLATION);
        g_assert_cmpint(quefi_set(uv, guid, name, 0, "", 0), ==,
                        EFI_INVALID_PARAMETER);
        g_assert_cmpint(quefi_set(uv, guid, name, QUEFI_NV_BS_RT, "", 0), ==,
                        EFI_INVALID_PARAMETER);
        g_assert_cmpint(quefi_get_variable(uv, guid, name, NULL, NULL, &size),
                        ==, EFI_BUFFER_TOO_SMALL);
    }
    g_assert_cmpint(set_signed(uv, QUEFI_GLOBAL, "PK", data.pk_unsigned), ==,
                    EFI_SECURITY_VIOLATION);
    g_assert_cmpint(set_signed(uv, QUEFI_GLOBAL, "PK", data.pk_by_other), ==,
                    EFI_SECURITY_VIOLATION);
    g_assert_cmpint(set_signed(uv, QUEFI_GLOBAL, "KEK", data.kek_by_other),
                    ==, EFI_SECURITY_VIOLATION);
    g_assert_cmpint(set_signed(uv, QUEFI_IMGSEC, "db", data.db_by_other), ==,
                    EFI_SECURITY_VIOLATION);
    /* S2: the same once more */
    g_assert_cmpint(set_signed(uv, QUEFI_GLOBAL, "PK", data.pk), ==,
                    EFI_SECURITY_VIOLATION);
    g_assert_cmpint(set_signed(uv, QUEFI_IMGSEC, "db", data.db), ==,
                    EFI_SECURITY_VIOLATION);
    assert_modes(uv, 0, 1);
}

static void test_enroll(QUefiVars *uv)
{
    assert_modes(uv, 1, 0);
    /* K4 */
    g_assert_cmpint(set_signed(uv, QUEFI_GLOBAL, "PK", data.pk_unsigned), ==,
                    EFI_SECURITY_VIOLATION);
    assert_modes(uv, 1, 0);
    enroll(uv);
    assert_locked(uv);
    quefi_event(uv, QUEFI_END_OF_DXE);
    assert_locked(uv);
    quefi_event(uv, QUEFI_EXIT_BOOT);
    assert_locked(uv);
    quefi_reset(uv);
    assert_locked(uv);
    quefi_restart(uv);
    assert_locked(uv);
}

static void test_remove(QUefiVars *uv)
{
    enroll(uv);
    quefi_event(uv, QUEFI_END_OF_DXE);
    g_assert_cmpint(set_signed(uv, QUEFI_GLOBAL, "PK", data.pk_delete), ==,
                    EFI_SUCCESS);
    assert_modes(uv, 1, 0);
    g_assert_cmpint(get_byte(uv, SECURE_BOOT, "SecureBootEnable"), ==, -1);
    quefi_restart(uv);
    assert_modes(uv, 1, 0);
    quefi_assert_none(uv, QUEFI_GLOBAL, "PK");
}

static void test_replace(QUefiVars *uv)
{
    enroll(uv);
    g_assert_cmpint(set_signed(uv, QUEFI_GLOBAL, "PK", data.pk_next), ==,
                    EFI_SUCCESS);
    assert_modes(uv, 0, 1);
    quefi_restart(uv);
    assert_modes(uv, 0, 1);
    /* The old one has no say any more, the new one has */
    g_assert_cmpint(set_signed(uv, QUEFI_GLOBAL, "PK", data.pk_delete), ==,
                    EFI_SECURITY_VIOLATION);
    g_assert_cmpint(set_signed(uv, QUEFI_GLOBAL, "KEK", data.kek_by_other),
                    ==, EFI_SUCCESS);
}

static void test_read_only(QUefiVars *uv)
{
    static const char *const names[] = {
        "SetupMode", "SecureBoot", "SignatureSupport", "VendorKeys"
    };

    enroll(uv);
    for (int phase = 0; phase < 3; phase++) {
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
            g_assert_cmpint(quefi_set(uv, QUEFI_GLOBAL, names[i], SETUP_ATTRS,
                                      "\1", 1), ==, EFI_WRITE_PROTECTED);
            g_assert_cmpint(quefi_set(uv, QUEFI_GLOBAL, names[i], 0, "", 0),
                            ==, EFI_WRITE_PROTECTED);
        }
        assert_modes(uv, 0, 1);
        quefi_event(uv, phase ? QUEFI_EXIT_BOOT : QUEFI_END_OF_DXE);
    }
}

/* SecureBootEnable and CustomMode, where nothing forbids them */
static void test_switches(QUefiVars *uv)
{
    enroll(uv);
    g_assert_cmpint(quefi_set(uv, SECURE_BOOT, "SecureBootEnable",
                              QUEFI_NV_BS, "\0", 1), ==, EFI_SUCCESS);
    assert_modes(uv, 0, 1);
    quefi_reset(uv);
    assert_modes(uv, 0, 0);

    /* Custom mode: no signatures, until the next boot */
    g_assert_cmpint(quefi_set(uv, CUSTOM_MODE, "CustomMode", QUEFI_NV_BS,
                              "\1", 1), ==, EFI_SUCCESS);
    g_assert_cmpint(set_signed(uv, QUEFI_GLOBAL, "PK", data.pk_unsigned), ==,
                    EFI_SUCCESS);
    quefi_reset(uv);
    g_assert_cmpint(get_byte(uv, CUSTOM_MODE, "CustomMode"), ==, 0);
    g_assert_cmpint(set_signed(uv, QUEFI_GLOBAL, "PK", data.pk_unsigned), ==,
                    EFI_SECURITY_VIOLATION);
}

static void test_forced(QUefiVars *uv)
{
    enroll(uv);
    quefi_reset(uv);
    for (int phase = 0; phase < 2; phase++) {
        g_assert_cmpint(quefi_set(uv, SECURE_BOOT, "SecureBootEnable",
                                  QUEFI_NV_BS, "\0", 1), ==,
                        EFI_WRITE_PROTECTED);
        g_assert_cmpint(quefi_set(uv, SECURE_BOOT, "SecureBootEnable", 0, "",
                                  0), ==, EFI_WRITE_PROTECTED);
        g_assert_cmpint(quefi_set(uv, CUSTOM_MODE, "CustomMode", QUEFI_NV_BS,
                                  "\1", 1), ==, EFI_WRITE_PROTECTED);
        quefi_event(uv, QUEFI_END_OF_DXE);
    }
    quefi_reset(uv);
    assert_modes(uv, 0, 1);
}

/* 7.4: the owner of a variable stays its owner */
static void test_private(QUefiVars *uv)
{
    g_assert_cmpint(set_signed(uv, QUEFI_VENDOR, "Mine", data.mine[0]), ==,
                    EFI_SUCCESS);
    quefi_assert_text(uv, QUEFI_VENDOR, "Mine", SIGNED_ATTRS, "day 1");
    g_assert_cmpint(set_signed(uv, QUEFI_VENDOR, "Mine", data.mine_by_other),
                    ==, EFI_SECURITY_VIOLATION);

    quefi_restart(uv);
    g_assert_cmpint(set_signed(uv, QUEFI_VENDOR, "Mine", data.mine[1]), ==,
                    EFI_SUCCESS);
    g_assert_cmpint(set_signed(uv, QUEFI_VENDOR, "Mine", data.mine[0]), ==,
                    EFI_SECURITY_VIOLATION);
    g_assert_cmpint(set_signed(uv, QUEFI_VENDOR, "Mine", data.mine_by_other),
                    ==, EFI_SECURITY_VIOLATION);

    /* 7.7 */
    g_assert_cmpint(quefi_set(uv, QUEFI_VENDOR, "Mine", 0, "", 0), ==,
                    EFI_WRITE_PROTECTED);
    g_assert_cmpint(quefi_set(uv, QUEFI_VENDOR, "Mine", SIGNED_ATTRS, "", 0),
                    ==, EFI_SECURITY_VIOLATION);
    g_assert_cmpint(quefi_set(uv, QUEFI_VENDOR, "Mine", QUEFI_NV_BS_RT, "x",
                              1), ==, EFI_INVALID_PARAMETER);
    quefi_assert_text(uv, QUEFI_VENDOR, "Mine", SIGNED_ATTRS, "day 2");

    quefi_event(uv, QUEFI_EXIT_BOOT);
    g_assert_cmpint(set_signed(uv, QUEFI_VENDOR, "Mine", data.mine[2]), ==,
                    EFI_SUCCESS);
    quefi_crash(uv);
    quefi_assert_text(uv, QUEFI_VENDOR, "Mine", SIGNED_ATTRS, "day 3");
    g_assert_cmpint(set_signed(uv, QUEFI_VENDOR, "Mine", data.mine_delete),
                    ==, EFI_SUCCESS);
    quefi_assert_none(uv, QUEFI_VENDOR, "Mine");
}

/* K9 as edk2 has it, for those who ask for it */
static void test_unsigned_delete(QUefiVars *uv)
{
    g_autoptr(QUefiMsg) empty = quefi_buf_new();

    put_descriptor(empty, 2, 0);
    enroll(uv);
    g_assert_cmpint(set_signed(uv, QUEFI_VENDOR, "Mine", data.mine[0]), ==,
                    EFI_SUCCESS);
    g_assert_cmpint(set_signed(uv, QUEFI_VENDOR, "Mine", empty), ==,
                    EFI_SUCCESS);
    quefi_assert_none(uv, QUEFI_VENDOR, "Mine");
    assert_locked(uv);
    /* The name is free for a new owner */
    g_assert_cmpint(set_signed(uv, QUEFI_VENDOR, "Mine", data.mine_by_other),
                    ==, EFI_SUCCESS);
}

/* Times, bindings and modes travel */
static void test_migration(QUefiVars *uv)
{
    enroll(uv);
    g_assert_cmpint(set_signed(uv, QUEFI_VENDOR, "Mine", data.mine[1]), ==,
                    EFI_SUCCESS);
    quefi_migrate(uv);
    assert_locked(uv);
    g_assert_cmpint(set_signed(uv, QUEFI_VENDOR, "Mine", data.mine[0]), ==,
                    EFI_SECURITY_VIOLATION);
    g_assert_cmpint(set_signed(uv, QUEFI_VENDOR, "Mine", data.mine_by_other),
                    ==, EFI_SECURITY_VIOLATION);
    g_assert_cmpint(set_signed(uv, QUEFI_VENDOR, "Mine", data.mine[2]), ==,
                    EFI_SUCCESS);
    g_assert_cmpint(set_signed(uv, QUEFI_GLOBAL, "PK", data.pk_delete), ==,
                    EFI_SUCCESS);
    assert_modes(uv, 1, 0);
}

/* ------------------------------------------------------------------------ */
/* Policies and rules for well-known variables */

static EfiStatus set_x(QUefiVars *uv, const char *name)
{
    return quefi_set_text(uv, QUEFI_VENDOR, name, QUEFI_NV_BS_RT, "x");
}

static void make_policies(QUefiVars *uv)
{
    g_assert_cmpint(set_x(uv, "Created"), ==, EFI_SUCCESS);
    g_assert_cmpint(quefi_policy_register(uv, QUEFI_VENDOR, "Locked", 0,
                                          UINT32_MAX, 0, 0,
                                          EFI_VAR_POLICY_LOCK_NOW), ==,
                    EFI_SUCCESS);
    g_assert_cmpint(quefi_policy_register(uv, QUEFI_VENDOR, "Created", 0,
                                          UINT32_MAX, 0, 0,
                                          EFI_VAR_POLICY_LOCK_ON_CREATE), ==,
                    EFI_SUCCESS);
    g_assert_cmpint(quefi_policy_register(uv, QUEFI_VENDOR, "Long##", 2,
                                          UINT32_MAX, 0, 0,
                                          EFI_VAR_POLICY_NO_LOCK), ==,
                    EFI_SUCCESS);
    g_assert_cmpint(quefi_lock(uv, QUEFI_VENDOR, "Legacy"), ==, EFI_SUCCESS);
    /* G5 */
    g_assert_cmpint(quefi_policy_register(uv, QUEFI_VENDOR, "Locked", 0, 1, 0,
                                          0, EFI_VAR_POLICY_NO_LOCK), ==,
                    EFI_ALREADY_STARTED);
    /* Nothing is enforced before end of DXE */
    g_assert_cmpint(set_x(uv, "Locked"), ==, EFI_SUCCESS);
    g_assert_cmpint(set_x(uv, "Long00"), ==, EFI_SUCCESS);
}

static void assert_policies(QUefiVars *uv)
{
    g_assert_cmpint(quefi_set_text(uv, QUEFI_VENDOR, "Locked", QUEFI_NV_BS_RT,
                                   "y"), ==, EFI_WRITE_PROTECTED);
    g_assert_cmpint(quefi_set_text(uv, QUEFI_VENDOR, "Locked", QUEFI_NV_BS_RT,
                                   ""), ==, EFI_WRITE_PROTECTED);
    g_assert_cmpint(set_x(uv, "Created"), ==, EFI_WRITE_PROTECTED);
    g_assert_cmpint(set_x(uv, "Legacy"), ==, EFI_WRITE_PROTECTED);
    g_assert_cmpint(set_x(uv, "Long0f"), ==, EFI_INVALID_PARAMETER);
    g_assert_cmpint(set_x(uv, "Long0g"), ==, EFI_SUCCESS);
    g_assert_cmpint(quefi_policy(uv, EFI_VAR_POLICY_LOCK, NULL, 0), ==,
                    EFI_WRITE_PROTECTED);
    g_assert_cmpint(quefi_policy(uv, EFI_VAR_POLICY_DISABLE, NULL, 0), ==,
                    EFI_WRITE_PROTECTED);
    g_assert_cmpint(quefi_policy_register(uv, QUEFI_VENDOR, "Late", 0, 1, 0,
                                          0, EFI_VAR_POLICY_NO_LOCK), ==,
                    EFI_WRITE_PROTECTED);
    g_assert_cmpint(quefi_lock(uv, QUEFI_VENDOR, "Late"), ==,
                    EFI_ACCESS_DENIED);
}

static void assert_no_policies(QUefiVars *uv)
{
    uint8_t params[13] = { 0 };

    g_assert_cmpint(quefi_policy(uv, EFI_VAR_POLICY_DUMP, params, 13), ==,
                    EFI_SUCCESS);
    g_assert_cmpmem(params + 4, 9, "\0\0\0\0\0\0\0\0", 9);
    quefi_event(uv, QUEFI_END_OF_DXE);
    g_assert_cmpint(quefi_set_text(uv, QUEFI_VENDOR, "Locked", QUEFI_NV_BS_RT,
                                   "y"), ==, EFI_SUCCESS);
}

static void test_policies(QUefiVars *uv)
{
    make_policies(uv);
    quefi_event(uv, QUEFI_END_OF_DXE);
    assert_policies(uv);
    /* A command of the firmware is no reset of the machine */
    quefi_attach(uv);
    assert_policies(uv);
    quefi_reset(uv);
    assert_no_policies(uv);
}

static void test_policies_suspended(QUefiVars *uv)
{
    make_policies(uv);
    enroll(uv);
    quefi_event(uv, QUEFI_END_OF_DXE);
    quefi_suspend(uv);
    assert_policies(uv);
    assert_locked(uv);
    quefi_event(uv, QUEFI_EXIT_BOOT);
    quefi_suspend(uv);
    assert_policies(uv);
    assert_locked(uv);
}

/* 6.6: the table comes back as it was registered */
static void test_dump(QUefiVars *uv)
{
    static const uint8_t entry[] = {
        0x00, 0x00, 0x01, 0x00, 0x56, 0x00, 0x2c, 0x00,
        0x61, 0xdf, 0xe4, 0x8b, 0xca, 0x93, 0xd2, 0x11,
        0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c,
        0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x01, 0x00, 0x00, 0x00,
    };
    g_autoptr(QUefiMsg) page = quefi_buf_new();

    g_assert_cmpint(quefi_policy_register(uv, QUEFI_GLOBAL,
                                          "PlatformRecovery####", 0,
                                          UINT32_MAX, 0, 0,
                                          EFI_VAR_POLICY_LOCK_NOW), ==,
                    EFI_SUCCESS);
    g_byte_array_set_size(page->bytes, 13 + 86);
    memset(page->bytes->data, 0, 13);
    g_assert_cmpint(quefi_policy(uv, EFI_VAR_POLICY_DUMP, page->bytes->data,
                                 13), ==, EFI_SUCCESS);
    page->pos = 4;
    g_assert_cmpint(quefi_get(page, 4), ==, 86);
    g_assert_cmpint(quefi_get(page, 4), ==, 0);
    g_assert_cmpint(quefi_get(page, 1), ==, 1);

    page->bytes->data[0] = 1;
    g_assert_cmpint(quefi_policy(uv, EFI_VAR_POLICY_DUMP, page->bytes->data,
                                 13 + 86), ==, EFI_SUCCESS);
    page->pos = 4;
    g_assert_cmpint(quefi_get(page, 4), ==, 86);
    g_assert_cmpint(quefi_get(page, 4), ==, 86);
    g_assert_cmpint(quefi_get(page, 1), ==, 0);
    g_assert_cmpmem(page->bytes->data + page->pos, sizeof(entry),
                    entry, sizeof(entry));
}

/* 5: enforced after end of DXE, not before */
static void test_checks(QUefiVars *uv)
{
    g_assert_cmpint(quefi_set(uv, QUEFI_GLOBAL, "BootOrder", QUEFI_NV_BS_RT,
                              "\0\0\1", 3), ==, EFI_SUCCESS);
    g_assert_cmpint(quefi_set(uv, QUEFI_GLOBAL, "BootOrder", QUEFI_NV_BS_RT,
                              "\0\0\1\0", 4), ==, EFI_SUCCESS);
    quefi_event(uv, QUEFI_END_OF_DXE);
    g_assert_cmpint(quefi_set(uv, QUEFI_GLOBAL, "BootOrder", QUEFI_NV_BS_RT,
                              "\0\0\1", 3), ==, EFI_INVALID_PARAMETER);
    g_assert_cmpint(quefi_set(uv, QUEFI_GLOBAL, "NoSuchThing", QUEFI_NV_BS_RT,
                              "x", 1), ==, EFI_INVALID_PARAMETER);
    g_assert_cmpint(quefi_set(uv, QUEFI_GLOBAL, "Boot0001", QUEFI_NV_BS_RT,
                              "no load option", 14), ==,
                    EFI_INVALID_PARAMETER);
    g_assert_cmpint(quefi_set(uv, QUEFI_GLOBAL, "Timeout", QUEFI_NV_BS_RT,
                              "\5\0", 2), ==, EFI_SUCCESS);
}

static const QUefiCase cases[] = {
    { "K4/enroll", test_enroll },
    { "K3/remove", test_remove },
    { "K3/replace", test_replace, .dma_only = true },
    { "7.6/read-only", test_read_only },
    { "7.6/switches", test_switches, .dma_only = true },
    { "7.6/forced", test_forced,
      "force-secure-boot=on,disable-custom-mode=on" },
    { "7.4/private", test_private },
    { "K9", test_unsigned_delete, "auth-delete-needs-signature=off",
      .dma_only = true },
    { "9.3/migration", test_migration, .dma_only = true },
    { "6.5/policies", test_policies },
    { "6.6/dump", test_dump },
    { "5/checks", test_checks },
};

static const QUefiCase x86_cases[] = {
    { "9.3/s3-policies", test_policies_suspended, .dma_only = true },
};

int main(int argc, char **argv)
{
    int ret;

    g_test_init(&argc, &argv, NULL);
    make_data();
    QUEFI_ADD_CASES(cases);
    if (!strcmp(qtest_get_arch(), "x86_64")) {
        QUEFI_ADD_CASES(x86_cases);
    }
    ret = g_test_run();
    run("rm -r %s", dir);
    return ret;
}
