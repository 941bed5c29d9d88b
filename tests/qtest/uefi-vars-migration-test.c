/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * QTest of the UEFI variable service: migration and snapshots
 *
 * Everything a guest can see or feel is compared: registers, variables with
 * their order, phases, policies, properties, locks and keys; and the file on
 * either side.  Each test has a random state; --seed repeats one.
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qobject/qdict.h"
#include "qobject/qlist.h"
#include "libqtest.h"
#include "libqos/uefi-vars-xen.h"

#define MOR_LOCK    "bb983ccf-151d-40e1-a07b-4a17be168292"
#define MOR_NAME    "MemoryOverwriteRequestControlLock"

/* Memory of the test and little more, MiB, for it travels as well */
#define SMALL       "-m 18"

typedef struct Migration {
    QUefiVars *from, *to;
    char *from_file, *to_file;  /* of the stores; equal for a shared one */
    char *stream;               /* path of the socket or file between them */
    char *uri;
} Migration;

/* ------------------------------------------------------------------------ */
/* A state, and all of it as text */

/* Function 9: @name becomes read-only */
static void set_property(QUefiVars *uv, const char *name)
{
    g_autoptr(QUefiMsg) msg = quefi_msg_function(uv, EFI_VAR_FN_PROPERTY_SET);

    quefi_put_guid(msg, QUEFI_VENDOR);
    quefi_put_un(msg, quefi_str_size(name));
    quefi_put(msg, 2, EFI_VAR_CHECK_PROPERTY_REVISION);
    quefi_put(msg, 2, EFI_VAR_CHECK_PROPERTY_READ_ONLY);
    quefi_put(msg, 4, 0);
    quefi_put_un(msg, 0);
    quefi_put_un(msg, UINT32_MAX);
    quefi_put_str(msg, name);
    g_assert_cmpint(quefi_request(uv, msg), ==, EFI_SUCCESS);
}

static void make_random_variables(QUefiVars *uv)
{
    static const uint32_t kinds[] = {
        EFI_ATTR_BS, QUEFI_BS_RT, QUEFI_NV_BS, QUEFI_NV_BS_RT
    };
    uint8_t value[600];

    for (int i = 0; i < 60; i++) {
        unsigned n = g_test_rand_int_range(0, 20);
        g_autofree char *name = g_strdup_printf("Random%u", n);
        size_t size = g_test_rand_int_range(0, sizeof(value));
        uint32_t append = g_test_rand_bit() ? EFI_ATTR_AP : 0;
        EfiStatus status;

        for (size_t j = 0; j < size; j++) {
            value[j] = g_test_rand_int();
        }
        status = quefi_set(uv, QUEFI_VENDOR, name, kinds[n % 4] | append,
                           value, size);
        g_assert_true(status == EFI_SUCCESS ||
                      (status == EFI_NOT_FOUND && !size));
    }
}

/* What a boot knows beside its variables */
static void make_rules(QUefiVars *uv)
{
    g_assert_cmpint(quefi_set_text(uv, QUEFI_VENDOR, "Locked", QUEFI_NV_BS_RT,
                                   "locked"), ==, EFI_SUCCESS);
    g_assert_cmpint(quefi_policy_register(uv, QUEFI_VENDOR, "Locked", 0,
                                          UINT32_MAX, 0, 0,
                                          EFI_VAR_POLICY_LOCK_NOW), ==,
                    EFI_SUCCESS);
    g_assert_cmpint(quefi_policy_register(uv, QUEFI_VENDOR, "Number##", 1, 4,
                                          EFI_ATTR_NV, 0,
                                          EFI_VAR_POLICY_NO_LOCK), ==,
                    EFI_SUCCESS);
    set_property(uv, "Property");
    g_assert_cmpint(quefi_set_text(uv, QUEFI_GLOBAL, "PlatformLangCodes",
                                   QUEFI_BS_RT, "en;de;fr"), ==, EFI_SUCCESS);
    g_assert_cmpint(quefi_set_text(uv, QUEFI_GLOBAL, "LangCodes",
                                   QUEFI_BS_RT, "engdeufre"), ==,
                    EFI_SUCCESS);
    g_assert_cmpint(quefi_set_text(uv, MOR_LOCK, MOR_NAME, QUEFI_NV_BS_RT,
                                   "keykey!!"), ==, EFI_SUCCESS);
}

static void make_boot_state(QUefiVars *uv)
{
    make_random_variables(uv);
    make_rules(uv);
}

/* All variables that are visible, with all that the guest can know of them */
static char *describe_variables(QUefiVars *uv)
{
    GString *text = g_string_new(NULL);
    char guid[QUEFI_GUID_LEN + 1] = QUEFI_VENDOR;
    g_autofree char *name = g_strdup("");
    QUefiInfo info;

    while (!quefi_get_next(uv, guid, &name, NULL)) {
        uint32_t attributes = 0;
        size_t size = 0;
        g_autofree uint8_t *data = NULL;

        g_assert_cmpint(quefi_get_variable(uv, guid, name, NULL, NULL, &size),
                        ==, EFI_BUFFER_TOO_SMALL);
        data = g_malloc(size);
        g_assert_cmpint(quefi_get_variable(uv, guid, name, &attributes, data,
                                           &size), ==, EFI_SUCCESS);
        g_string_append_printf(text, "%s %s %x:", guid, name, attributes);
        for (size_t i = 0; i < size; i++) {
            g_string_append_printf(text, "%02x", data[i]);
        }
        g_string_append_c(text, '\n');
    }
    g_assert_cmpint(quefi_query(uv, QUEFI_NV_BS_RT, &info), ==, EFI_SUCCESS);
    g_string_append_printf(text, "%" PRIu64, info.remaining);
    return g_string_free(text, false);
}

/* Registers as they are; the transfer port moves, so it comes last */
static char *describe_registers(QUefiVars *uv)
{
    GString *text = g_string_new(NULL);

    for (unsigned i = UEFI_VARS_REG_BUFFER_SIZE; i < UEFI_VARS_REGS_SIZE;
         i += 4) {
        if (i != UEFI_VARS_REG_PIO_TRANSFER) {
            g_string_append_printf(text, "%" PRIx64 " ", quefi_read(uv, i, 4));
        }
    }
    g_string_append_printf(text, "%" PRIx64 " ",
                           quefi_read(uv, UEFI_VARS_REG_CMD_STS, 2));
    return g_string_free(text, false);
}

static char *read_text(const char *path)
{
    g_autoptr(GError) error = NULL;
    char *text;

    g_file_get_contents(path, &text, NULL, &error);
    g_assert_no_error(error);
    return text;
}

static bool file_has(const char *path, const char *what)
{
    g_autofree char *text = read_text(path);

    return strstr(text, what);
}

/* A target writes its file when it runs already, and soon */
static void wait_for(const char *path, const char *what)
{
    while (!file_has(path, what)) {
        g_usleep(1000);
    }
}

/* The same for what a snapshot leaves, which is a document in the end */
static char *read_folded(const char *path)
{
    char *text = read_text(path);

    while (strstr(text, "#uefi-vars-journal")) {
        g_usleep(1000);
        g_free(text);
        text = read_text(path);
    }
    return text;
}

/* ------------------------------------------------------------------------ */
/* Moving */

static void migration_start(Migration *m, const QUefiDevice *dev, bool pio,
                            bool shared)
{
    m->from_file = quefi_tmp_path("vars.json");
    m->to_file = shared ? m->from_file : quefi_tmp_path("vars.json");
    m->stream = quefi_tmp_path("stream");
    m->uri = g_strdup_printf("unix:%s", m->stream);
    m->from = quefi_start(dev, pio, m->from_file, NULL, SMALL);
}

static void launch_target(Migration *m, const char *incoming)
{
    g_autofree char *args = g_strdup_printf(SMALL " -incoming %s",
                                            incoming);
    QUefiVars *to = quefi_launch(m->from->dev, m->from->use_pio, m->to_file,
                                 NULL, args);

    to->base = m->from->base;
    to->use_pio = m->from->use_pio;
    to->buffer = m->from->buffer;
    to->buffer_size = m->from->buffer_size;
    m->to = to;
}

static void set_capability(QUefiVars *uv, const char *capability, bool on)
{
    qtest_qmp_assert_success(uv->qts, "{'execute': "
                             "'migrate-set-capabilities', 'arguments': "
                             "{'capabilities': [{'capability': %s, "
                             "'state': %i}]}}", capability, on);
}

/* The source sends no more than that, so it is not done before the test is */
static void throttle(QUefiVars *uv)
{
    qtest_qmp_assert_success(uv->qts, "{'execute': 'migrate-set-parameters', "
                             "'arguments': {'max-bandwidth': 4096}}");
}

/* A target of "defer" goes on, and may fail without leaving */
static void listen_deferred(Migration *m)
{
    qtest_qmp_assert_success(m->to->qts, "{'execute': 'migrate-incoming', "
                             "'arguments': {'uri': %s, "
                             "'exit-on-error': false}}", m->uri);
}

static void migrate_begin(Migration *m)
{
    qtest_qmp_assert_success(m->from->qts, "{'execute': 'migrate', "
                             "'arguments': {'uri': %s}}", m->uri);
}

static void migrate(Migration *m)
{
    migrate_begin(m);
    quefi_wait_migration(m->from->qts, "completed");
    qtest_qmp_eventwait(m->to->qts, "RESUME");
}

/* @status: what becomes of it */
static void migrate_to_file(Migration *m, const char *status)
{
    g_free(m->uri);
    m->uri = g_strdup_printf("file:%s", m->stream);
    migrate_begin(m);
    quefi_wait_migration(m->from->qts, status);
}

static void migration_end(Migration *m)
{
    quefi_stop(m->from);
    quefi_stop(m->to);
    if (m->to_file != m->from_file) {
        quefi_tmp_free(m->to_file);
    }
    quefi_tmp_free(m->from_file);
    quefi_tmp_free(m->stream);
    g_free(m->uri);
}

/* ------------------------------------------------------------------------ */
/* Tests */

static void assert_boot_state(QUefiVars *uv)
{
    char lang[4];
    size_t size = sizeof(lang);

    /* Policies are still open, and those that were registered are there */
    g_assert_cmpint(quefi_policy_register(uv, QUEFI_VENDOR, "Locked", 0, 9, 0,
                                          0, EFI_VAR_POLICY_NO_LOCK), ==,
                    EFI_ALREADY_STARTED);
    g_assert_cmpint(quefi_lock(uv, QUEFI_VENDOR, "Late"), ==, EFI_SUCCESS);
    /* The languages are known: Lang follows */
    g_assert_cmpint(quefi_set(uv, QUEFI_GLOBAL, "PlatformLang",
                              QUEFI_NV_BS_RT, "de", 3), ==, EFI_SUCCESS);
    g_assert_cmpint(quefi_get_variable(uv, QUEFI_GLOBAL, "Lang", NULL, lang,
                                       &size), ==, EFI_SUCCESS);
    g_assert_cmpmem(lang, size, "deu", 4);
}

static void assert_enforced(QUefiVars *uv)
{
    g_assert_cmpint(quefi_set_text(uv, QUEFI_VENDOR, "Locked", QUEFI_NV_BS_RT,
                                   "x"), ==, EFI_WRITE_PROTECTED);
    g_assert_cmpint(quefi_set_text(uv, QUEFI_VENDOR, "Property",
                                   QUEFI_NV_BS_RT, "x"), ==,
                    EFI_WRITE_PROTECTED);
    g_assert_cmpint(quefi_set_text(uv, QUEFI_VENDOR, "Number01",
                                   QUEFI_NV_BS_RT, "12345"), ==,
                    EFI_INVALID_PARAMETER);
    g_assert_cmpint(quefi_lock(uv, QUEFI_VENDOR, "Later"), ==,
                    EFI_ACCESS_DENIED);
}

/* L7: locked; L8: by the key that came along */
static void assert_mor_key(QUefiVars *uv)
{
    g_assert_cmpint(quefi_set(uv, MOR_LOCK, MOR_NAME, QUEFI_NV_BS_RT, "\0",
                              1), ==, EFI_ACCESS_DENIED);
    g_assert_cmpint(quefi_set_text(uv, MOR_LOCK, MOR_NAME, QUEFI_NV_BS_RT,
                                   "keykey!!"), ==, EFI_SUCCESS);
}

static void test_boot(const QUefiDevice *dev, bool pio)
{
    Migration m;
    g_autofree char *before = NULL, *after = NULL;
    g_autofree char *registers = NULL, *registers_after = NULL;
    static const char half[] = "half a message, the other half..";

    migration_start(&m, dev, pio, false);
    make_boot_state(m.from);
    before = describe_variables(m.from);
    /* A message half transferred, an error as the last status */
    quefi_write(m.from, UEFI_VARS_REG_BUFFER_SIZE, 4, 32);
    quefi_pio_write(m.from, half, 32);
    quefi_command(m.from, UEFI_VARS_CMD_PIO_ZERO_OFFSET);
    quefi_read(m.from, UEFI_VARS_REG_PIO_TRANSFER, 4);
    quefi_command(m.from, 0x77);
    registers = describe_registers(m.from);

    launch_target(&m, m.uri);
    migrate(&m);
    registers_after = describe_registers(m.to);
    g_assert_cmpstr(registers, ==, registers_after);
    for (size_t i = 4; i < 32; i += 4) {
        g_assert_cmphex(quefi_read(m.to, UEFI_VARS_REG_PIO_TRANSFER, 4), ==,
                        ldl_le_p(half + i));
    }

    quefi_attach(m.to);
    after = describe_variables(m.to);
    g_assert_cmpstr(before, ==, after);
    assert_boot_state(m.to);
    assert_mor_key(m.to);
    quefi_event(m.to, QUEFI_END_OF_DXE);
    assert_enforced(m.to);
    migration_end(&m);
}

static void test_runtime(const QUefiDevice *dev, bool pio)
{
    Migration m;
    g_autofree char *before = NULL, *after = NULL;

    migration_start(&m, dev, pio, true);
    make_boot_state(m.from);
    quefi_event(m.from, QUEFI_END_OF_DXE);
    quefi_event(m.from, QUEFI_READY_TO_BOOT);
    quefi_event(m.from, QUEFI_EXIT_BOOT);
    before = describe_variables(m.from);

    /* The store is one file: the target has it from the handover on */
    launch_target(&m, m.uri);
    g_assert_cmpint(quefi_set_text(m.from, QUEFI_VENDOR, "Random3",
                                   QUEFI_NV_BS_RT, "while waiting"), ==,
                    EFI_SUCCESS);
    g_free(before);
    before = describe_variables(m.from);
    migrate(&m);

    /* No programming: the system goes on with the buffer that it has */
    after = describe_variables(m.to);
    g_assert_cmpstr(before, ==, after);
    assert_enforced(m.to);
    g_assert_cmpint(quefi_function(m.to, EFI_VAR_FN_READY_TO_BOOT), ==,
                    EFI_UNSUPPORTED);
    g_assert_cmpint(quefi_set_text(m.to, QUEFI_VENDOR, "Random3",
                                   QUEFI_NV_BS_RT, "here"), ==, EFI_SUCCESS);
    quefi_stop(m.from);
    m.from = quefi_launch(dev, pio, NULL, NULL, SMALL);
    quefi_reset(m.to);
    quefi_assert_text(m.to, QUEFI_VENDOR, "Random3", QUEFI_NV_BS_RT, "here");
    quefi_assert_text(m.to, QUEFI_VENDOR, "Locked", QUEFI_NV_BS_RT,
                      "locked");
    migration_end(&m);
}

/* The file of the target is not touched before the target runs */
static void test_files(const QUefiDevice *dev, bool pio)
{
    static const char other[] = "{\"version\": 2, \"variables\": [{\"name\": "
        "\"Old\", \"guid\": \"" QUEFI_VENDOR "\", \"attr\": 3, "
        "\"data\": \"00\"}]}";
    Migration m;
    g_autofree char *text = NULL, *before = NULL, *after = NULL;

    migration_start(&m, dev, pio, false);
    make_boot_state(m.from);
    g_assert_true(g_file_set_contents(m.to_file, other, -1, NULL));
    launch_target(&m, "defer");
    g_usleep(20000);
    text = read_text(m.to_file);
    g_assert_cmpstr(text, ==, other);
    qtest_qmp_assert_success(m.to->qts, "{'execute': 'migrate-incoming', "
                             "'arguments': {'uri': %s}}", m.uri);
    migrate(&m);
    quefi_assert_none(m.to, QUEFI_VENDOR, "Old");
    quefi_assert_text(m.to, QUEFI_VENDOR, "Locked", QUEFI_NV_BS_RT,
                      "locked");

    /* The source leaves its file as it was when the machine went. */
    quefi_stop(m.to);
    quefi_stop(m.from);
    m.from = quefi_start(dev, pio, m.from_file, NULL, SMALL);
    before = describe_variables(m.from);
    quefi_stop(m.from);
    m.from = quefi_launch(dev, pio, NULL, NULL, SMALL);
    m.to = quefi_start(dev, pio, m.to_file, NULL, SMALL);
    after = describe_variables(m.to);
    g_assert_cmpstr(before, ==, after);
    migration_end(&m);
}

/* A target that waits to be continued makes no file */
static void test_paused_target(const QUefiDevice *dev, bool pio)
{
    Migration m;

    migration_start(&m, dev, pio, false);
    make_boot_state(m.from);
    launch_target(&m, m.uri);
    qtest_qmp_assert_success(m.from->qts, "{'execute': 'stop'}");
    migrate_begin(&m);
    quefi_wait_migration(m.from->qts, "completed");
    quefi_wait_migration(m.to->qts, "completed");
    g_usleep(20000);
    g_assert_false(g_file_test(m.to_file, G_FILE_TEST_EXISTS));
    qtest_qmp_assert_success(m.to->qts, "{'execute': 'cont'}");
    wait_for(m.to_file, "Locked");
    migration_end(&m);
}

/* A file that is no store is not written over */
static void test_foreign_file(const QUefiDevice *dev, bool pio)
{
    static const char foreign[] = "root:x:0:0:root:/root:/bin/bash\n";
    Migration m;
    g_autofree char *text = NULL;

    migration_start(&m, dev, pio, false);
    make_boot_state(m.from);
    g_assert_true(g_file_set_contents(m.to_file, foreign, -1, NULL));
    launch_target(&m, m.uri);
    migrate(&m);
    g_assert_cmphex(quefi_set_text(m.to, QUEFI_VENDOR, "After", QUEFI_NV_BS,
                                   "1"), ==, EFI_DEVICE_ERROR);
    text = read_text(m.to_file);
    g_assert_cmpstr(text, ==, foreign);

    /* emptied it is one */
    g_assert_cmpint(truncate(m.to_file, 0), ==, 0);
    g_assert_cmphex(quefi_set_text(m.to, QUEFI_VENDOR, "After", QUEFI_NV_BS,
                                   "2"), ==, EFI_SUCCESS);
    g_assert_true(file_has(m.to_file, "Locked"));
    g_assert_true(file_has(m.to_file, "After"));
    migration_end(&m);
}

/* A migration that fails leaves the source in charge */
static void test_failed(const QUefiDevice *dev, bool pio)
{
    Migration m;
    QDict *rsp;

    migration_start(&m, dev, pio, true);
    make_boot_state(m.from);
    /* Nobody listens there */
    rsp = qtest_qmp(m.from->qts, "{'execute': 'migrate', 'arguments': "
                                 "{'uri': %s}}", m.uri);
    if (qdict_haskey(rsp, "return")) {
        quefi_wait_migration(m.from->qts, "failed");
    }
    qobject_unref(rsp);
    g_assert_cmpint(quefi_set_text(m.from, QUEFI_VENDOR, "After",
                                   QUEFI_NV_BS, "still here"), ==,
                    EFI_SUCCESS);
    quefi_crash(m.from);
    quefi_assert_text(m.from, QUEFI_VENDOR, "After", QUEFI_NV_BS,
                      "still here");
    g_assert_cmpint(quefi_set_text(m.from, QUEFI_VENDOR, "After",
                                   QUEFI_NV_BS, "to the end"), ==,
                    EFI_SUCCESS);
    /* ... and the next attempt works */
    launch_target(&m, m.uri);
    migrate(&m);
    quefi_assert_text(m.to, QUEFI_VENDOR, "After", QUEFI_NV_BS,
                      "to the end");
    migration_end(&m);
}

static void assert_run_state(QUefiVars *uv, const char *state)
{
    QDict *rsp = qtest_qmp_assert_success_ref(uv->qts, "{'execute': "
                                              "'query-status'}");

    g_assert_cmpstr(qdict_get_str(rsp, "status"), ==, state);
    qobject_unref(rsp);
}

static void host_set(QUefiVars *uv, const char *name, const char *data)
{
    qtest_qmp_assert_success(uv->qts, "{'execute': 'uefi-vars-set', "
                             "'arguments': {'guid': %s, 'name': %s, "
                             "'data': %s}}", QUEFI_VENDOR, name, data);
}

/*
 * A target knows nothing of the variables before they arrive, and says so.
 * Without a file the administrator can change them as soon as they have.
 */
static void test_no_file(const QUefiDevice *dev, bool pio)
{
    Migration m = { .stream = quefi_tmp_path("stream") };

    m.uri = g_strdup_printf("unix:%s", m.stream);
    m.from = quefi_start(dev, pio, NULL, NULL, SMALL);
    make_boot_state(m.from);
    qtest_qmp_assert_success(m.from->qts, "{'execute': 'stop'}");
    launch_target(&m, "defer");
    qobject_unref(qtest_qmp_assert_failure_ref(m.to->qts, "{'execute': "
                                               "'query-uefi-vars-status'}"));
    listen_deferred(&m);
    migrate_begin(&m);
    quefi_wait_migration(m.to->qts, "completed");
    qtest_qmp_assert_success(m.to->qts, "{'execute': "
                             "'query-uefi-vars-status'}");
    host_set(m.to, "After", "6f6b");
    qtest_qmp_assert_success(m.to->qts, "{'execute': 'cont'}");
    quefi_assert_text(m.to, QUEFI_VENDOR, "After", QUEFI_NV_BS_RT, "ok");
    quefi_stop(m.from);
    quefi_stop(m.to);
    quefi_tmp_free(m.stream);
    g_free(m.uri);
}

/* A migration that is cancelled when it has come to @status */
static void cancel_at(Migration *m, const char *status)
{
    launch_target(m, "defer");
    listen_deferred(m);
    migrate_begin(m);
    quefi_wait_migration(m->from->qts, status);
    /* The target looks at the store of both, and leaves it alone */
    if (!strcmp(status, "active")) {
        g_assert_cmpint(quefi_set_text(m->from, QUEFI_VENDOR, "During",
                                       QUEFI_NV_BS, status), ==,
                        EFI_SUCCESS);
    } else {
        assert_run_state(m->from, "finish-migrate");
        host_set(m->from, "During", "1234");
    }
    qtest_qmp_assert_success(m->from->qts, "{'execute': 'migrate_cancel'}");
    quefi_wait_migration(m->from->qts, "cancelled");
    quefi_stop(m->to);
    assert_run_state(m->from, "running");
    g_assert_cmpint(quefi_set_text(m->from, QUEFI_VENDOR, "After",
                                   QUEFI_NV_BS, status), ==, EFI_SUCCESS);
    g_assert_true(file_has(m->from_file, "After"));
}

static void test_cancelled(const QUefiDevice *dev, bool pio)
{
    Migration m;
    g_autofree char *before = NULL, *after = NULL;

    migration_start(&m, dev, pio, true);
    make_boot_state(m.from);
    throttle(m.from);
    cancel_at(&m, "active");
    quefi_crash(m.from);
    quefi_assert_text(m.from, QUEFI_VENDOR, "During", QUEFI_NV_BS, "active");
    quefi_assert_text(m.from, QUEFI_VENDOR, "After", QUEFI_NV_BS, "active");

    set_capability(m.from, "pause-before-switchover", true);
    cancel_at(&m, "pre-switchover");
    quefi_crash(m.from);
    quefi_assert_text(m.from, QUEFI_VENDOR, "During", QUEFI_NV_BS,
                      "\x12\x34");
    quefi_assert_text(m.from, QUEFI_VENDOR, "After", QUEFI_NV_BS,
                      "pre-switchover");

    /* The third one goes through */
    before = describe_variables(m.from);
    launch_target(&m, m.uri);
    migrate(&m);
    after = describe_variables(m.to);
    g_assert_cmpstr(before, ==, after);
    migration_end(&m);
}

/* Properties of a target that has no room for what is there by now */
#define TOO_SMALL   "size=4096,hwerr-quota=0"

static void make_large(QUefiVars *uv)
{
    static const uint8_t large[4096];

    g_assert_cmpint(quefi_set(uv, QUEFI_VENDOR, "Large", QUEFI_NV_BS, large,
                              sizeof(large)), ==, EFI_SUCCESS);
}

/* Otherwise the source would not hear that the target refuses the state */
static void set_return_path(const Migration *m)
{
    set_capability(m->from, "return-path", true);
    set_capability(m->to, "return-path", true);
}

static void wait_failed(const Migration *m)
{
    quefi_wait_migration(m->from->qts, "failed");
    quefi_wait_migration(m->to->qts, "failed");
}

/*
 * The target refuses the state when a source that was paused has sent all of
 * it and given away the file: that goes on here, even before the machine does.
 */
static void test_failed_paused(const QUefiDevice *dev, bool pio)
{
    Migration m;
    g_autofree char *before = NULL, *after = NULL;

    migration_start(&m, dev, pio, true);
    make_boot_state(m.from);
    make_large(m.from);
    before = describe_variables(m.from);
    m.to = quefi_launch(dev, pio, m.to_file, TOO_SMALL,
                        SMALL " -incoming defer");
    set_return_path(&m);
    listen_deferred(&m);
    qtest_qmp_assert_success(m.from->qts, "{'execute': 'stop'}");
    migrate_begin(&m);
    wait_failed(&m);
    assert_run_state(m.from, "paused");

    host_set(m.from, "Paused", "1234");
    g_assert_true(file_has(m.from_file, "Paused"));
    quefi_stop(m.to);
    qtest_qmp_assert_success(m.from->qts, "{'execute': 'uefi-vars-delete', "
                             "'arguments': {'guid': %s, 'name': 'Paused'}}",
                             QUEFI_VENDOR);
    qtest_qmp_assert_success(m.from->qts, "{'execute': 'cont'}");
    after = describe_variables(m.from);
    g_assert_cmpstr(before, ==, after);
    g_assert_cmpint(quefi_set_text(m.from, QUEFI_VENDOR, "After",
                                   QUEFI_NV_BS, "still here"), ==,
                    EFI_SUCCESS);
    quefi_crash(m.from);
    quefi_assert_none(m.from, QUEFI_VENDOR, "Paused");
    quefi_assert_text(m.from, QUEFI_VENDOR, "After", QUEFI_NV_BS,
                      "still here");
    m.to = quefi_launch(dev, pio, NULL, NULL, SMALL);
    migration_end(&m);
}

/* ------------------------------------------------------------------------ */
/* To a new QEMU on the same host (CPR) */

#define CPR_ARGS    SMALL " -object memory-backend-memfd,id=shared,size=18M " \
                    "-machine memory-backend=shared,aux-ram-share=on"

static void set_mode(QUefiVars *uv, const char *mode)
{
    qtest_qmp_assert_success(uv->qts, "{'execute': 'migrate-set-parameters', "
                             "'arguments': {'mode': %s}}", mode);
}

/* A source that is in charge again, and can be killed at any moment */
static void assert_in_charge(Migration *m, const char *before)
{
    g_autofree char *after = describe_variables(m->from);

    g_assert_cmpstr(before, ==, after);
    assert_run_state(m->from, "running");
    g_assert_cmpint(quefi_set_text(m->from, QUEFI_VENDOR, "After",
                                   QUEFI_NV_BS, "here"), ==, EFI_SUCCESS);
    g_assert_true(file_has(m->from_file, "After"));
}

static void test_failed_cpr_reboot(const QUefiDevice *dev, bool pio)
{
    Migration m;
    g_autofree char *before = NULL;

    migration_start(&m, dev, pio, true);
    make_boot_state(m.from);
    make_large(m.from);
    before = describe_variables(m.from);
    m.to = quefi_launch(dev, pio, m.to_file, TOO_SMALL,
                        SMALL " -incoming defer");
    set_mode(m.from, "cpr-reboot");
    set_mode(m.to, "cpr-reboot");
    set_return_path(&m);
    listen_deferred(&m);
    migrate_begin(&m);
    wait_failed(&m);
    assert_in_charge(&m, before);
    quefi_crash(m.from);
    quefi_assert_text(m.from, QUEFI_VENDOR, "After", QUEFI_NV_BS, "here");
    migration_end(&m);
}

/* Whether somebody listens there; a name alone is not enough (proc(5)). */
static bool is_listening(const char *path)
{
    g_autofree char *sockets = NULL;
    g_auto(GStrv) lines = NULL;

    g_assert_true(g_file_get_contents("/proc/net/unix", &sockets, NULL, NULL));
    lines = g_strsplit(sockets, "\n", 0);
    for (char **line = lines; *line; line++) {
        if (g_str_has_suffix(*line, path) && strstr(*line, " 00010000 ")) {
            return true;
        }
    }
    return false;
}

/* The new QEMU waits for memory and descriptors before it has a monitor. */
static void transfer(Migration *m, const char *props)
{
    char *path = quefi_tmp_path("cpr");
    g_autofree char *args = g_strdup_printf(CPR_ARGS " -incoming defer "
        "-incoming '{\"channel-type\": \"cpr\", \"addr\": {\"transport\": "
        "\"socket\", \"type\": \"unix\", \"path\": \"%s\"}}'", path);

    m->to = quefi_launch_mute(m->from->dev, m->from->use_pio, m->to_file,
                              props, args);
    while (!is_listening(path)) {
        g_usleep(1000);
    }
    qtest_qmp_assert_success(m->from->qts, "{'execute': 'migrate', "
        "'arguments': {'channels': [{'channel-type': 'main', 'addr': "
        "{'transport': 'socket', 'type': 'unix', 'path': %s}}, "
        "{'channel-type': 'cpr', 'addr': {'transport': 'socket', "
        "'type': 'unix', 'path': %s}}]}}", m->stream, path);
    quefi_connect(m->to);
    quefi_tmp_free(path);
    set_capability(m->to, "return-path", true);
    listen_deferred(m);
}

static void test_cpr_transfer(const QUefiDevice *dev, bool pio)
{
    Migration m;
    g_autofree char *before = NULL;

    migration_start(&m, dev, pio, true);
    quefi_stop(m.from);
    m.from = quefi_start(dev, pio, m.from_file, NULL, CPR_ARGS);
    make_boot_state(m.from);
    make_large(m.from);
    before = describe_variables(m.from);
    set_mode(m.from, "cpr-transfer");
    set_capability(m.from, "return-path", true);
    transfer(&m, TOO_SMALL);
    wait_failed(&m);
    assert_in_charge(&m, before);
    quefi_stop(m.to);

    transfer(&m, NULL);
    quefi_wait_migration(m.from->qts, "completed");
    qtest_qmp_eventwait(m.to->qts, "RESUME");
    quefi_attach(m.to);
    quefi_assert_text(m.to, QUEFI_VENDOR, "After", QUEFI_NV_BS, "here");
    assert_boot_state(m.to);
    migration_end(&m);
}

/* ------------------------------------------------------------------------ */
/* COLO */

/* Two machines with one guest would write two files, or both one: refused. */
static void test_colo(const QUefiDevice *dev, bool pio)
{
    Migration m;
    QDict *rsp;

    migration_start(&m, dev, pio, true);
    make_boot_state(m.from);
    set_capability(m.from, "x-colo", true);
    migrate_to_file(&m, "failed");
    rsp = qtest_qmp_assert_success_ref(m.from->qts, "{'execute': "
                                       "'query-migrate'}");
    g_assert_nonnull(strstr(qdict_get_str(rsp, "error-desc"),
                            "COLO cannot be used with a store that is kept"));
    qobject_unref(rsp);
    assert_run_state(m.from, "running");
    g_assert_cmpint(quefi_set_text(m.from, QUEFI_VENDOR, "After",
                                   QUEFI_NV_BS, "here"), ==, EFI_SUCCESS);
    g_assert_true(file_has(m.from_file, "After"));
    set_capability(m.from, "x-colo", false);
    /* QEMU 10.0 loses the name of a file that is not its first. */
    g_free(m.uri);
    m.uri = g_strdup("exec:cat >/dev/null");
    migrate_begin(&m);
    quefi_wait_migration(m.from->qts, "completed");
    m.to = quefi_launch(dev, pio, NULL, NULL, SMALL);
    migration_end(&m);
}

/* ------------------------------------------------------------------------ */
/* Postcopy */

/* The machine runs on the target while its memory is still on the way */
static void test_postcopy(const QUefiDevice *dev, bool pio)
{
    Migration m;
    g_autofree char *before = NULL, *after = NULL;

    migration_start(&m, dev, pio, true);
    make_boot_state(m.from);
    before = describe_variables(m.from);
    launch_target(&m, "defer");
    set_capability(m.from, "postcopy-ram", true);
    set_capability(m.to, "postcopy-ram", true);
    listen_deferred(&m);
    throttle(m.from);
    migrate_begin(&m);
    quefi_wait_migration(m.from->qts, "active");
    qtest_qmp_assert_success(m.from->qts, "{'execute': "
                             "'migrate-start-postcopy'}");
    qtest_qmp_eventwait(m.to->qts, "RESUME");
    g_assert_cmpint(quefi_set_text(m.to, QUEFI_VENDOR, "There", QUEFI_NV_BS,
                                   "early"), ==, EFI_SUCCESS);
    g_assert_true(file_has(m.to_file, "There"));
    g_assert_cmpint(quefi_set(m.to, QUEFI_VENDOR, "There", QUEFI_NV_BS, NULL,
                              0), ==, EFI_SUCCESS);
    quefi_wait_migration(m.from->qts, "completed");
    after = describe_variables(m.to);
    g_assert_cmpstr(before, ==, after);
    assert_boot_state(m.to);
    assert_mor_key(m.to);
    migration_end(&m);
}

/* ------------------------------------------------------------------------ */
/* Snapshots */

/* All that a guest does from the snapshot to the end, to be undone */
static void change_much(QUefiVars *uv)
{
    g_assert_cmpint(quefi_set(uv, QUEFI_VENDOR, "Property", QUEFI_NV_BS_RT,
                              "x", 1), ==, EFI_SUCCESS);
    make_random_variables(uv);
    quefi_event(uv, QUEFI_END_OF_DXE);
    quefi_event(uv, QUEFI_READY_TO_BOOT);
    quefi_event(uv, QUEFI_EXIT_BOOT);
    g_assert_cmpint(quefi_set_text(uv, QUEFI_VENDOR, "Gone", QUEFI_NV_BS_RT,
                                   "soon"), ==, EFI_SUCCESS);
    quefi_program(uv, uv->dev->ram + 0x1000, 0x8000);
    quefi_command(uv, 0x77);
}

static void test_snapshot(const QUefiDevice *dev, bool pio)
{
    char *path = quefi_tmp_path("vars.json"), *disk = quefi_tmp_path("disk");
    g_autofree char *before = NULL, *after = NULL, *file = NULL;
    g_autofree char *registers = NULL;
    g_autofree char *registers_after = NULL, *later = NULL, *loaded = NULL;
    QUefiVars *uv = quefi_start(dev, pio, path, NULL, SMALL);

    quefi_add_disk(uv, disk);
    make_boot_state(uv);
    before = describe_variables(uv);
    registers = describe_registers(uv);
    quefi_snapshot(uv, "savevm");
    change_much(uv);
    g_assert_true(file_has(path, "Gone"));

    /* Running, so the file follows */
    quefi_snapshot(uv, "loadvm");
    file = read_folded(path);
    g_assert_null(strstr(file, "Gone"));
    registers_after = describe_registers(uv);
    g_assert_cmpstr(registers, ==, registers_after);
    uv->buffer = dev->ram;
    uv->buffer_size = UEFI_VARS_MAX_BUFFER_SIZE;
    after = describe_variables(uv);
    g_assert_cmpstr(before, ==, after);
    assert_boot_state(uv);
    assert_mor_key(uv);

    /* Paused, so it follows when the machine runs ... */
    change_much(uv);
    qtest_qmp_assert_success(uv->qts, "{'execute': 'stop'}");
    later = read_text(path);
    quefi_snapshot(uv, "loadvm");
    assert_run_state(uv, "paused");
    qobject_unref(qtest_qmp_assert_failure_ref(uv->qts, "{'execute': "
        "'uefi-vars-set', 'arguments': {'guid': %s, 'name': 'Paused', "
        "'data': '00'}}", QUEFI_VENDOR));
    loaded = read_text(path);
    g_assert_cmpstr(loaded, ==, later);
    qtest_qmp_assert_success(uv->qts, "{'execute': 'cont'}");
    g_free(loaded);
    loaded = read_folded(path);
    g_assert_cmpstr(loaded, ==, file);
    uv->buffer = dev->ram;
    uv->buffer_size = UEFI_VARS_MAX_BUFFER_SIZE;
    assert_boot_state(uv);

    /* ... and never if that was the end */
    g_assert_cmpint(quefi_set_text(uv, QUEFI_VENDOR, "Kept", QUEFI_NV_BS_RT,
                                   "yes"), ==, EFI_SUCCESS);
    qtest_qmp_assert_success(uv->qts, "{'execute': 'stop'}");
    quefi_snapshot(uv, "loadvm");
    quefi_restart(uv);
    quefi_assert_text(uv, QUEFI_VENDOR, "Kept", QUEFI_NV_BS_RT, "yes");
    quefi_assert_text(uv, QUEFI_VENDOR, "Locked", QUEFI_NV_BS_RT, "locked");
    quefi_assert_none(uv, QUEFI_VENDOR, "Gone");
    quefi_stop(uv);
    quefi_tmp_free(disk);
    quefi_tmp_free(path);
}

/* ------------------------------------------------------------------------ */
/* Streams in files */

/* Into a file and back, and back again */
static void test_to_file(const QUefiDevice *dev, bool pio)
{
    char *path = quefi_tmp_path("vars.json");
    QUefiVars *uv = quefi_start(dev, pio, path, NULL, SMALL);
    g_autofree char *before = NULL;

    make_boot_state(uv);
    before = describe_variables(uv);
    for (int i = 0; i < 2; i++) {
        g_autofree char *after = NULL;

        quefi_migrate(uv);
        after = describe_variables(uv);
        g_assert_cmpstr(before, ==, after);
    }
    assert_boot_state(uv);
    quefi_stop(uv);
    quefi_tmp_free(path);
}

/* What QEMU's own tool tells of a stream, as text */
static char *analyze(const char *stream)
{
    const char *argv[] = {
        g_getenv("PYTHON") ?: "python3",
        "build/qemu/scripts/analyze-migration.py", "-f", stream, NULL
    };
    g_autoptr(GError) error = NULL;
    char *text;
    int status;

    g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
                 &text, NULL, &status, &error);
    g_assert_no_error(error);
    g_assert_cmpint(status, ==, 0);
    return text;
}

static void assert_has(const char *text, const char *format, uint64_t value)
{
    g_autofree char *field = g_strdup_printf(format, value);

    g_test_message("%s", field);
    g_assert_nonnull(strstr(text, field));
}

static void test_analyzed(const QUefiDevice *dev, bool pio)
{
    Migration m;
    g_autofree char *text = NULL;

    migration_start(&m, dev, pio, false);
    make_boot_state(m.from);
    quefi_program(m.from, dev->ram + 0x1000, 0x4000);
    quefi_command(m.from, 0x77);
    migrate_to_file(&m, "completed");
    text = analyze(m.stream);
    assert_has(text, "\"transit.status\": \"0x%04" PRIx64 "\"",
               quefi_read(m.from, UEFI_VARS_REG_CMD_STS, 2));
    assert_has(text, "\"transit.dma_addr\": \"0x%016" PRIx64 "\"",
               dev->ram + 0x1000);
    assert_has(text, "\"transit.buffer_size\": \"0x%08" PRIx64 "\"", 0x4000);
    assert_has(text, "\"transit.pio_offset\": \"0x%08" PRIx64 "\"", 0);
    g_assert_nonnull(strstr(text, "\"uefi-vars-device/mark\""));
    m.to = quefi_launch(dev, pio, NULL, NULL, SMALL);
    migration_end(&m);
}

/* Where the state of the device begins: behind its name, which has a length */
static size_t find_section(const char *stream, size_t size)
{
    static const char name[] = "uefi-vars";
    const char *at = memmem(stream, size, name, strlen(name));

    /* Device trees and command lines lie in the stream, too */
    while (at && at[-1] >= ' ') {
        at = memmem(at + 1, stream + size - at - 1, name, strlen(name));
    }
    g_assert_nonnull(at);
    return at - stream + at[-1];
}

/*
 * A migration with wrong bytes: it loads or it fails, with the file as it was.
 * What is changed begins at the name of the device.
 */
static void test_damaged(const QUefiDevice *dev, bool pio)
{
    Migration m;
    g_autofree char *stream = NULL;
    gsize size;
    size_t at;

    migration_start(&m, dev, pio, false);
    make_boot_state(m.from);
    migrate_to_file(&m, "completed");
    g_assert_true(g_file_get_contents(m.stream, &stream, &size, NULL));
    at = find_section(stream, size);
    g_assert_cmpint(at, <, size - 2000);

    for (int i = 0; i < 6; i++) {
        size_t offset = at + g_test_rand_int_range(0, i < 3 ? 64 : 2000);
        char old = stream[offset];
        bool done = false;

        g_assert_true(g_file_set_contents(m.to_file, "", 0, NULL));
        stream[offset] ^= 1 << g_test_rand_int_range(0, 8);
        g_assert_true(g_file_set_contents(m.stream, stream, size, NULL));
        stream[offset] = old;

        launch_target(&m, "defer");
        qtest_qmp_assert_success(m.to->qts, "{'execute': 'migrate-incoming', "
                                 "'arguments': {'uri': %s, "
                                 "'exit-on-error': false}}", m.uri);
        while (!done) {
            QDict *rsp = qtest_qmp(m.to->qts, "{'execute': 'query-migrate'}");
            const char *status =
                qdict_get_try_str(qdict_get_qdict(rsp, "return"), "status");

            if (!g_strcmp0(status, "completed")) {
                done = true;
            } else if (!g_strcmp0(status, "failed")) {
                g_autofree char *text = read_text(m.to_file);

                g_assert_cmpstr(text, ==, "");
                done = true;
            }
            qobject_unref(rsp);
            g_usleep(1000);
        }
        quefi_stop(m.to);
    }
    m.to = quefi_launch(dev, pio, NULL, NULL, SMALL);
    migration_end(&m);
}

/* ------------------------------------------------------------------------ */
/* Streams in snapshots, with anything in the device's section */

#define SECTION_FULL    4
#define SUBSECTION      5
#define SECTION_FOOTER  0x7e
#define MARK_SIZE       32      /* bytes */

#define N_FLIPS         60
#define ONE_OF          8       /* fields that are like each other */

/* A number in a stream */
typedef struct Field {
    size_t at;
    unsigned width;         /* bytes */
    bool big;               /* endian */
    bool like_others;       /* there are many of its kind */
} Field;

/* A paused machine that loads its snapshot again and again */
typedef struct Lab {
    QUefiVars *uv;
    char *file, *disk, *stream;     /* paths */
    char *text;                     /* of the store, which nothing changes */
    off_t at;                       /* of the section in the disk, bytes */
    GByteArray *now;                /* the section as it would be saved now */
    unsigned loaded, refused;
} Lab;

static uint64_t field_get(const uint8_t *data, const Field *f)
{
    return f->big ? ldn_be_p(data + f->at, f->width)
                  : ldn_le_p(data + f->at, f->width);
}

static void field_put(uint8_t *data, const Field *f, uint64_t value)
{
    if (f->big) {
        stn_be_p(data + f->at, f->width, value);
    } else {
        stn_le_p(data + f->at, f->width, value);
    }
}

/* The walk along a stream: each step notes a field and goes behind it. */
typedef struct Walk {
    const GByteArray *stream;
    size_t at;
    GArray *fields;
    bool in_list;
} Walk;

static uint64_t walk_number(Walk *w, unsigned width, bool big)
{
    Field f = { w->at, width, big, w->in_list };

    g_assert_cmpuint(w->at + width, <=, w->stream->len);
    g_array_append_val(w->fields, f);
    w->at += width;
    return field_get(w->stream->data, &f);
}

static void walk_be(Walk *w, unsigned width, uint64_t expected)
{
    g_assert_cmphex(walk_number(w, width, true), ==, expected);
}

/* Bytes without meaning here, of which the last stands for all */
static void walk_bytes(Walk *w, size_t size)
{
    if (size > 0) {
        w->at += size - 1;
        walk_number(w, 1, true);
    }
}

static void walk_sized(Walk *w)
{
    walk_bytes(w, walk_number(w, 4, false));
}

/* State of a room of its own making: a number may begin anywhere. */
static void walk_part(Walk *w)
{
    size_t end = walk_number(w, 4, false) + w->at;

    while (w->at < end) {
        if (end - w->at >= 4) {
            walk_number(w, 4, false);
            w->at -= 4;
        }
        walk_number(w, 1, false);
    }
}

static void walk_state(Walk *w)
{
    uint32_t count;

    walk_number(w, 4, false);                   /* version */
    walk_number(w, 4, false);                   /* phase */
    count = walk_number(w, 4, false);
    w->in_list = true;
    while (count--) {
        walk_bytes(w, 16);                      /* vendor */
        walk_number(w, 4, false);               /* attributes */
        walk_bytes(w, 16);                      /* time */
        walk_sized(w);                          /* name */
        walk_sized(w);                          /* value */
        walk_sized(w);                          /* binding */
    }
    walk_part(w);                               /* checks */
    walk_part(w);                               /* policies */
    walk_part(w);                               /* trust */
    w->in_list = false;
}

/* What the store file held when the state was saved, if that is known */
static void walk_mark(Walk *w)
{
    static const char name[] = "uefi-vars-device/mark";
    const uint8_t *text = w->stream->data + w->at + 2;

    if (w->stream->data[w->at] == SUBSECTION) {
        g_assert_cmpmem(text, text[-1], name, strlen(name));
        w->at += 2 + strlen(name);
        walk_be(w, 4, 1);                       /* version */
        walk_bytes(w, MARK_SIZE);
    }
}

/*
 * All of a section; returns the size of what comes back when it is saved,
 * which the mark does not if the file has something else.  @fields are those
 * that the device reads, which QEMU's header and footer are not.  One that is
 * new leads this astray, and has to be added.
 */
static size_t walk_section(const GByteArray *stream, GArray *fields)
{
    Walk w = { stream, 0, fields, false };
    uint64_t id, buffer_size, state_size;
    size_t state, end;
    guint n;

    walk_be(&w, 1, SECTION_FULL);
    id = walk_number(&w, 4, true);
    walk_bytes(&w, walk_number(&w, 1, true));   /* name of the device */
    walk_be(&w, 4, 0);                          /* instance */
    g_array_set_size(fields, 0);
    walk_be(&w, 4, 1);                          /* version */
    walk_number(&w, 2, true);                   /* status */
    walk_number(&w, 8, true);                   /* address */
    buffer_size = walk_number(&w, 4, true);
    walk_number(&w, 4, true);                   /* offset of PIO */
    walk_bytes(&w, buffer_size);
    state_size = walk_number(&w, 4, true);
    state = w.at;
    walk_state(&w);
    g_assert_cmpuint(w.at - state, ==, state_size);
    end = w.at;
    n = fields->len;
    if (end < stream->len) {
        walk_mark(&w);
        walk_be(&w, 1, SECTION_FOOTER);
        walk_be(&w, 4, id);
    }
    g_array_set_size(fields, n);
    return end;
}

/* The device's section of what QEMU saves */
static GByteArray *lab_save(Lab *lab)
{
    g_autoptr(GArray) fields = g_array_new(false, false, sizeof(Field));
    GByteArray *section;
    char *text;
    gsize size;
    size_t at;

    qtest_qmp_assert_success(lab->uv->qts, "{'execute': "
        "'xen-save-devices-state', 'arguments': {'filename': %s, "
        "'live': false}}", lab->stream);
    g_assert_true(g_file_get_contents(lab->stream, &text, &size, NULL));
    at = find_section(text, size);
    while (text[--at] >= ' ') {
        /* back to the length of the name, which has the identifier before */
    }
    section = g_byte_array_new_take((uint8_t *)text, size);
    g_byte_array_remove_range(section, 0, at - 5);
    g_byte_array_set_size(section, walk_section(section, fields));
    return section;
}

static void lab_put(Lab *lab, const uint8_t *data)
{
    int fd = open(lab->disk, O_WRONLY);

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(pwrite(fd, data, lab->now->len, lab->at), ==,
                    lab->now->len);
    close(fd);
}

/* The same for bytes that have changed places */
static uint64_t sum(const uint8_t *data, size_t size)
{
    uint64_t n = 0;

    while (size--) {
        n += data[size];
    }
    return n;
}

/*
 * It loads, and the device is what the section says, but for the order of
 * variables that are volatile no more; or it is refused with a reason, and the
 * device is what it was.  In both cases the file stays.
 */
static void lab_try(Lab *lab, const uint8_t *data)
{
    g_autofree char *answer = NULL, *text = NULL;
    GByteArray *now;

    lab_put(lab, data);
    answer = qtest_hmp(lab->uv->qts, "loadvm now");
    now = lab_save(lab);
    if (!*answer) {
        lab->loaded++;
        g_assert_cmpuint(now->len, ==, lab->now->len);
        g_assert_cmpuint(sum(now->data, now->len), ==, sum(data, now->len));
    } else {
        lab->refused++;
        /* with a reason, in lines of its own before QEMU 10.2 */
        g_assert_false(g_regex_match_simple("^Error: Error -?\\d+ while "
                                            "loading VM state\\s*$",
                                            answer, 0, 0));
        g_assert_cmpmem(now->data, now->len, lab->now->data, lab->now->len);
    }
    text = read_text(lab->file);
    g_assert_cmpstr(text, ==, lab->text);
    g_byte_array_unref(lab->now);
    lab->now = now;
}

static void lab_start(Lab *lab, const QUefiDevice *dev, bool pio)
{
    static const char half[] = "half a message..";
    g_autofree char *disk = NULL;
    const char *section;
    gsize size;

    *lab = (Lab) {
        .file = quefi_tmp_path("vars.json"),
        .disk = quefi_tmp_path("disk"),
        .stream = quefi_tmp_path("stream"),
    };
    lab->uv = quefi_start(dev, pio, lab->file, NULL, SMALL);
    make_rules(lab->uv);
    quefi_write(lab->uv, UEFI_VARS_REG_BUFFER_SIZE, 4, 16);
    quefi_pio_write(lab->uv, half, 16);
    quefi_add_disk(lab->uv, lab->disk);
    qtest_qmp_assert_success(lab->uv->qts, "{'execute': 'stop'}");
    quefi_snapshot(lab->uv, "savevm");

    lab->text = read_text(lab->file);
    lab->now = lab_save(lab);
    g_assert_true(g_file_get_contents(lab->disk, &disk, &size, NULL));
    section = memmem(disk, size, lab->now->data, lab->now->len);
    g_assert_nonnull(section);
    lab->at = section - disk;
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* All variables, whatever their order */
static char *describe_sorted(QUefiVars *uv)
{
    g_autofree char *text = describe_variables(uv);
    g_auto(GStrv) lines = g_strsplit(text, "\n", 0);

    qsort(lines, g_strv_length(lines), sizeof(*lines), compare_lines);
    return g_strjoinv("\n", lines);
}

/*
 * To another QEMU, as in this one all those snapshots would go on at once:
 * flash memory of virt machines counts each, and crashes.
 */
static void lab_migrate(Lab *lab, Migration *m)
{
    *m = (Migration) {
        .from = lab->uv, .to_file = lab->file,
        .uri = g_strdup_printf("file:%s", lab->stream),
    };
    migrate_begin(m);
    quefi_wait_migration(m->from->qts, "completed");
    launch_target(m, "defer");
    listen_deferred(m);
    quefi_wait_migration(m->to->qts, "completed");
    g_free(m->uri);
}

/*
 * Whatever has been loaded at last, a machine can live with it, and its file
 * can be read.  What the service makes anew at a start may come later there.
 */
static void lab_end(Lab *lab)
{
    g_autofree char *before = NULL, *after = NULL;
    Migration m;

    g_test_message("%u loaded, %u refused", lab->loaded, lab->refused);
    g_assert_cmpuint(lab->loaded, >, 0);
    g_assert_cmpuint(lab->refused, >, 0);
    lab_migrate(lab, &m);
    qtest_qmp_assert_success(m.to->qts, "{'execute': 'cont'}");
    quefi_reset(m.to);
    before = describe_sorted(m.to);
    quefi_stop(m.to);
    m.to = quefi_start(m.from->dev, m.from->use_pio, lab->file, NULL, SMALL);
    after = describe_sorted(m.to);
    g_assert_cmpstr(before, ==, after);
    quefi_stop(m.to);
    quefi_stop(m.from);
    g_byte_array_unref(lab->now);
    g_free(lab->text);
    quefi_tmp_free(lab->stream);
    quefi_tmp_free(lab->disk);
    quefi_tmp_free(lab->file);
}

static void try_field(Lab *lab, const GByteArray *good, const Field *f)
{
    g_autofree uint8_t *data = g_memdup2(good->data, good->len);
    uint64_t value = field_get(data, f);
    uint64_t max = UINT64_MAX >> (64 - 8 * f->width);
    const uint64_t edges[] = {
        0, 1, value - 1, value + 1, max / 2, max / 2 + 1, max - 1, max,
    };

    for (size_t i = 0; i < ARRAY_SIZE(edges); i++) {
        field_put(data, f, edges[i]);
        if (field_get(data, f) != value) {
            lab_try(lab, data);
        }
    }
}

/* Each field at its edges; with -m slow, every one of those in lists */
static void test_fields(const QUefiDevice *dev, bool pio)
{
    g_autoptr(GArray) fields = g_array_new(false, false, sizeof(Field));
    g_autoptr(GByteArray) good = NULL;
    Lab lab;

    lab_start(&lab, dev, pio);
    good = g_byte_array_ref(lab.now);
    walk_section(good, fields);
    for (guint i = 0; i < fields->len; i++) {
        const Field *f = &g_array_index(fields, Field, i);

        if (!f->like_others || g_test_slow() ||
            g_test_rand_int_range(0, ONE_OF) == 0) {
            try_field(&lab, good, f);
        }
    }
    lab_end(&lab);
}

/* A few bits that are wrong, anywhere */
static void test_flips(const QUefiDevice *dev, bool pio)
{
    g_autoptr(GArray) fields = g_array_new(false, false, sizeof(Field));
    g_autoptr(GByteArray) good = NULL;
    Field *begin, *end;
    Lab lab;

    lab_start(&lab, dev, pio);
    good = g_byte_array_ref(lab.now);
    walk_section(good, fields);
    begin = &g_array_index(fields, Field, 0);
    end = &g_array_index(fields, Field, fields->len - 1);
    for (int i = 0; i < N_FLIPS; i++) {
        g_autofree uint8_t *data = g_memdup2(good->data, good->len);

        for (int n = g_test_rand_int_range(1, 4); n > 0; n--) {
            data[g_test_rand_int_range(begin->at, end->at + end->width)] ^=
                1 << g_test_rand_int_range(0, 8);
        }
        lab_try(&lab, data);
    }
    lab_end(&lab);
}

/* ------------------------------------------------------------------------ */
/* Streams of earlier releases */

/*
 * RELEASE.DEVICE.PHASE.stream holds what a release sent: the device's section
 * from its version on, without footer.  What must become of it is text, and
 * lies beside it.  tests/qtest/uefi-vars-record makes both.
 */
#define RECORDED        "tests/data/uefi-vars/streams"
#define RECORDED_BUFFER 32

/* Variables that only the host can make, or with a signature */
static const char recorded_file[] = "{\"version\": 2, \"variables\": [\n"
    "{\"name\": \"Private\", \"guid\": \"" QUEFI_VENDOR "\", \"attr\": 39, "
    "\"data\": \"cafe\", \"time\": \"e8070102030405000000000000000000\", "
    "\"digest\": \"000102030405060708090a0b0c0d0e0f"
    "101112131415161718191a1b1c1d1e1f\"},\n"
    "{\"name\": \"Gr\\u00fc\\u00df\", \"guid\": \"" QUEFI_VENDOR "\", "
    "\"attr\": 3, \"data\": \"00ff\"}\n]}\n";

static const struct {
    const char *name;
    const char *event;          /* that begins it */
} phases[] = {
    { "platform", NULL },
    { "end-of-dxe", QUEFI_END_OF_DXE },
    { "ready-to-boot", QUEFI_READY_TO_BOOT },
    { "runtime", QUEFI_EXIT_BOOT },
};

/* The firmware of XenServer tells of no phase but the one that it calls in. */
static bool is_recorded(const QUefiDevice *dev, size_t phase)
{
    return !dev->is_xen || phase == 0 || phase == ARRAY_SIZE(phases) - 1;
}

static void make_recorded_xen(QUefiVars *uv, size_t phase)
{
    g_autofree char *list = NULL;

    g_assert_cmpint(quefi_xen_set_text(uv, "Volatile", QUEFI_BS_RT,
                                       "volatile", false), ==, EFI_SUCCESS);
    g_assert_cmpint(quefi_xen_set_text(uv, "Boot", QUEFI_NV_BS, "boot",
                                       false), ==, EFI_SUCCESS);
    list = quefi_xen_list(uv, phase > 0);
}

static void make_recorded_state(QUefiVars *uv, size_t phase)
{
    static const char half[] = "half a message, the other half..";

    if (uv->dev->is_xen) {
        make_recorded_xen(uv, phase);
        return;
    }
    make_rules(uv);
    g_assert_cmpint(quefi_set_text(uv, QUEFI_VENDOR, "Volatile", QUEFI_BS_RT,
                                   "volatile"), ==, EFI_SUCCESS);
    g_assert_cmpint(quefi_set_text(uv, QUEFI_VENDOR, "Boot", QUEFI_NV_BS,
                                   "boot"), ==, EFI_SUCCESS);
    for (size_t i = 1; i <= phase; i++) {
        quefi_event(uv, phases[i].event);
    }
    quefi_write(uv, UEFI_VARS_REG_BUFFER_SIZE, 4, RECORDED_BUFFER);
    quefi_pio_write(uv, half, RECORDED_BUFFER);
    quefi_command(uv, UEFI_VARS_CMD_PIO_ZERO_OFFSET);
    quefi_read(uv, UEFI_VARS_REG_PIO_TRANSFER, 4);
    quefi_command(uv, 0x77);
}

/* What comes of requests that rules and phases decide on */
static void add_answers(GString *text, QUefiVars *uv)
{
    const EfiStatus answers[] = {
        quefi_set_text(uv, QUEFI_VENDOR, "Locked", QUEFI_NV_BS_RT, "x"),
        quefi_set_text(uv, QUEFI_VENDOR, "Property", QUEFI_NV_BS_RT, "x"),
        quefi_set_text(uv, QUEFI_VENDOR, "Number01", QUEFI_NV_BS_RT, "12345"),
        quefi_set_text(uv, QUEFI_VENDOR, "Private", QUEFI_NV_BS_RT, "x"),
        quefi_set_text(uv, QUEFI_VENDOR, "Volatile", QUEFI_BS_RT, "x"),
        quefi_set_text(uv, QUEFI_VENDOR, "New", QUEFI_BS_RT, "x"),
        quefi_set(uv, QUEFI_GLOBAL, "PlatformLang", QUEFI_NV_BS_RT, "de", 3),
        quefi_set(uv, MOR_LOCK, MOR_NAME, QUEFI_NV_BS_RT, "\0", 1),
        quefi_set_text(uv, MOR_LOCK, MOR_NAME, QUEFI_NV_BS_RT, "keykey!!"),
        quefi_policy_register(uv, QUEFI_VENDOR, "Locked", 0, 9, 0, 0,
                              EFI_VAR_POLICY_NO_LOCK),
        quefi_lock(uv, QUEFI_VENDOR, "Late"),
        quefi_function(uv, EFI_VAR_FN_READY_TO_BOOT),
    };

    for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
        g_string_append_printf(text, "answer %" PRIx64 "\n",
                               (uint64_t)answers[i]);
    }
}

/* What the registers' device shows */
static void add_recorded(GString *text, QUefiVars *uv)
{
    g_autofree char *registers = describe_registers(uv);
    g_autofree char *before = NULL, *after = NULL;

    g_string_append_printf(text, "registers %s\ntransfer %" PRIx64 "\n",
        registers, quefi_read(uv, UEFI_VARS_REG_PIO_TRANSFER, 4));
    quefi_attach(uv);
    before = describe_variables(uv);
    g_string_append_printf(text, "%s\n", before);
    add_answers(text, uv);
    after = describe_variables(uv);
    g_string_append_printf(text, "%s\n", after);
}

static void add_recorded_xen(GString *text, QUefiVars *uv)
{
    static const char *const names[] = {
        "Private", "Volatile", "Boot", "New", "Absent",
    };
    g_autofree char *before = quefi_xen_list(uv, false);
    g_autofree char *after = NULL;

    g_string_append_printf(text, "%s\n", before);
    for (size_t i = 0; i < ARRAY_SIZE(names) - 1; i++) {
        g_string_append_printf(text, "answer %" PRIx64 "\n",
            (uint64_t)quefi_xen_set_text(uv, names[i], QUEFI_BS_RT, "x",
                                         false));
    }
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        g_autofree char *value = NULL, *ascii = NULL;
        EfiStatus status = quefi_xen_get(uv, names[i], false, &value);

        ascii = g_strescape(value ?: "", NULL);
        g_string_append_printf(text, "%s %" PRIx64 " %s\n", names[i],
                               (uint64_t)status, ascii);
    }
    after = quefi_xen_list(uv, false);
    g_string_append_printf(text, "%s\n", after);
}

/* All that a machine shows of a state, and its file afterwards */
static char *describe_recorded(Migration *m)
{
    GString *text = g_string_new(NULL);
    g_autofree char *file = NULL;

    if (m->to->dev->is_xen) {
        add_recorded_xen(text, m->to);
    } else {
        add_recorded(text, m->to);
    }
    quefi_stop(m->to);
    file = read_text(m->to_file);
    g_string_append(text, file);
    return g_string_free(text, false);
}

/* The bytes of a stream that are recorded */
static void find_recorded(const char *stream, gsize size, gsize *start,
                          gsize *end)
{
    uint8_t footer[5] = { SECTION_FOOTER };
    size_t name = find_section(stream, size);
    const char *at;

    *start = name + 4;
    while (stream[--name] >= ' ') {
        /* back to its length, which has the number of the section before */
    }
    memcpy(footer + 1, stream + name - 4, 4);
    at = memmem(stream + *start, size - *start, footer, sizeof(footer));
    g_assert_nonnull(at);
    *end = at - stream;
}

static void record(const char *release, const QUefiDevice *dev, size_t phase)
{
    g_autofree char *path = g_strdup_printf(RECORDED "/%s.%s.%s.stream",
                                            release, dev->name,
                                            phases[phase].name);
    g_autofree char *stream = NULL;
    gsize size, start, end;
    Migration m;

    migration_start(&m, dev, false, false);
    quefi_stop(m.from);
    g_assert_true(g_file_set_contents(m.from_file, recorded_file, -1, NULL));
    m.from = quefi_start(dev, false, m.from_file, NULL, SMALL);
    make_recorded_state(m.from, phase);
    migrate_to_file(&m, "completed");
    g_assert_true(g_file_get_contents(m.stream, &stream, &size, NULL));
    find_recorded(stream, size, &start, &end);
    g_assert_true(g_file_set_contents(path, stream + start, end - start,
                                      NULL));
    m.to = quefi_launch(dev, false, NULL, NULL, SMALL);
    migration_end(&m);
}

/* Put what is recorded into a stream of today, which @m->from has sent */
static void load_recorded(Migration *m, const char *today, gsize size,
                          const char *path)
{
    g_autoptr(GString) out = g_string_new(NULL);
    g_autofree char *recorded = NULL;
    gsize start, end, length;

    find_recorded(today, size, &start, &end);
    g_assert_true(g_file_get_contents(path, &recorded, &length, NULL));
    g_string_append_len(out, today, start);
    g_string_append_len(out, recorded, length);
    g_string_append_len(out, today + end, size - end);
    g_assert_true(g_file_set_contents(m->stream, out->str, out->len, NULL));

    launch_target(m, "defer");
    listen_deferred(m);
    quefi_wait_migration(m->to->qts, "completed");
    qtest_qmp_eventwait(m->to->qts, "RESUME");
}

static void check_recorded(Migration *m, const char *today, gsize size,
                           const char *path, bool rebuild)
{
    g_autofree char *expected = g_strconcat(path, ".expected", NULL);
    g_autofree char *found = NULL, *wanted = NULL;

    g_test_message("%s", path);
    load_recorded(m, today, size, path);
    found = describe_recorded(m);
    g_assert_cmpint(remove(m->to_file), ==, 0);
    if (rebuild) {
        g_assert_true(g_file_set_contents(expected, found, -1, NULL));
    }
    wanted = read_text(expected);
    g_assert_cmpstr(found, ==, wanted);
}

/* @release: only of that one; NULL: of all */
static unsigned check_all_recorded(Migration *m, const char *release)
{
    g_autofree char *kind = g_strdup_printf(".%s.", m->from->dev->name);
    g_autoptr(GDir) dir = g_dir_open(RECORDED, 0, NULL);
    g_autofree char *today = NULL;
    const char *name;
    unsigned n = 0;
    gsize size;

    g_assert_nonnull(dir);
    g_assert_true(g_file_get_contents(m->stream, &today, &size, NULL));
    while ((name = g_dir_read_name(dir))) {
        g_autofree char *path = g_strconcat(RECORDED "/", name, NULL);

        if (g_str_has_suffix(name, ".stream") && strstr(name, kind) &&
            (!release || g_str_has_prefix(name, release))) {
            check_recorded(m, today, size, path, release);
            n++;
        }
    }
    return n;
}

static void test_recorded(const QUefiDevice *dev, bool pio)
{
    const char *release = g_getenv("UEFI_VARS_RECORD");
    unsigned wanted = 0;
    Migration m;

    for (size_t i = 0; i < ARRAY_SIZE(phases); i++) {
        if (is_recorded(dev, i)) {
            wanted++;
            if (release) {
                record(release, dev, i);
            }
        }
    }
    migration_start(&m, dev, false, false);
    migrate_to_file(&m, "completed");
    g_assert_cmpuint(check_all_recorded(&m, release), >=, wanted);
    m.to = quefi_launch(dev, false, NULL, NULL, SMALL);
    migration_end(&m);
}

typedef struct Case {
    const char *name;
    void (*run)(const QUefiDevice *dev, bool pio);
    bool both;              /* with PIO, too */
    bool each_kind;         /* not for each machine that has such a device */
    bool xen;               /* also with messages of XenServer's firmware */
} Case;

static const Case cases[] = {
    { "boot-time", test_boot, true },
    { "runtime", test_runtime, true },
    { "files", test_files },
    { "no-file", test_no_file },
    { "paused-target", test_paused_target },
    { "foreign-file", test_foreign_file },
    { "failed", test_failed },
    { "failed-paused", test_failed_paused },
    { "cancelled", test_cancelled },
    { "failed-cpr-reboot", test_failed_cpr_reboot, .each_kind = true },
    { "cpr-transfer", test_cpr_transfer, .each_kind = true },
    { "colo", test_colo, .each_kind = true },
    { "postcopy", test_postcopy },
    { "snapshot", test_snapshot },
    { "to-file", test_to_file },
    { "analyzed", test_analyzed, .each_kind = true },
    { "damaged", test_damaged },
    { "fields", test_fields, .each_kind = true },
    { "flips", test_flips },
    { "recorded", test_recorded, .each_kind = true, .xen = true },
};

typedef struct Run {
    const Case *test;
    const QUefiDevice *dev;
    bool pio;
} Run;

static void run_case(const void *opaque)
{
    const Run *run = opaque;

    run->test->run(run->dev, run->pio);
}

static void add_case(const QUefiDevice *dev, const Case *test, bool pio)
{
    g_autofree char *path = g_strdup_printf("uefi-vars/%s/%s/migration/%s",
                                            dev->name, pio ? "pio" : "dma",
                                            test->name);
    Run *run = g_new(Run, 1);

    *run = (Run) { test, dev, pio };
    qtest_add_data_func_full(path, run, run_case, g_free);
}

static void add_cases(const QUefiDevice *dev)
{
    for (size_t i = 0; quefi_has_device(dev) && i < ARRAY_SIZE(cases); i++) {
        if ((cases[i].each_kind && strchr(dev->name, '-')) ||
            (dev->is_xen && !cases[i].xen)) {
            continue;
        }
        add_case(dev, &cases[i], false);
        if (cases[i].both) {
            add_case(dev, &cases[i], true);
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t d = 0; d < quefi_n_devices; d++) {
        add_cases(&quefi_devices[d]);
    }
    for (size_t d = 0; d < ARRAY_SIZE(quefi_xen_devices); d++) {
        add_cases(&quefi_xen_devices[d]);
    }
    return g_test_run();
}
