/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: the keeper, with its clock and disk in our hands
 *
 * There is a test for each row of the table in docs/devel/uefi-vars.rst, whose
 * paths name state and event, and one for each way in which variables could
 * be lost.
 */

#include "qemu/osdep.h"
#include "hw/uefi/var-service-keeper.h"
#include "uefi-disk.h"

#define RETRY_MS    30000
#define DOC         "{1}"
#define NEVER       (-1)

typedef struct Test {
    UefiKeeper k;
    UefiVarFileMedium medium;
    UefiDisk *disk;         /* what the name leads to, or NULL */
    UefiDisk *before;       /* what it led to */
    int open_error;         /* errno, or 0 */
    const char *store;      /* the store as a document */
    bool foreign;           /* the medium holds what is no store */
    bool defer;             /* steps are run by run_now() or join */
    bool deferred;
    int64_t now, alarm;
    unsigned failed, worked;
    UefiKeeperAsker asker;
    char *error;            /* of the last failure */
} Test;

/* ------------------------------------------------------------------------ */
/* The keeper's surroundings */

static UefiVarFile *open_disk(void *opaque, bool create, GError **err)
{
    Test *t = opaque;

    if (t->open_error) {
        g_set_error(err, UEFI_VAR_FILE_ERROR, UEFI_VAR_FILE_ERROR_IO, "%s",
                    g_strerror(t->open_error));
        return NULL;
    }
    if (!t->disk && create) {
        t->disk = uefi_disk_new("", 0);
    }
    return t->disk ? uefi_disk_open(t->disk, 0) : NULL;
}

static int64_t on_now(void *opaque)
{
    return ((Test *)opaque)->now;
}

static void on_alarm(void *opaque, int64_t when)
{
    ((Test *)opaque)->alarm = when;
}

static char *on_document(void *opaque)
{
    return g_strdup(((Test *)opaque)->store);
}

static bool on_check(void *opaque, const UefiVarContent *content, GError **err)
{
    Test *t = opaque;

    if (t->foreign) {
        g_set_error(err, UEFI_VAR_FILE_ERROR, UEFI_VAR_FILE_ERROR_DAMAGED,
                    "no store");
    }
    return !t->foreign;
}

static void on_run(void *opaque)
{
    Test *t = opaque;

    t->deferred = t->defer;
    if (!t->defer) {
        uefi_var_file_medium_ops.run(&t->medium);
    }
}

static void on_join(void *opaque)
{
    Test *t = opaque;

    if (t->deferred) {
        t->deferred = false;
        uefi_var_file_medium_ops.run(&t->medium);
    }
}

static void on_failed(void *opaque, const GError *err, UefiKeeperAsker asker)
{
    Test *t = opaque;

    t->failed++;
    t->asker = asker;
    g_free(t->error);
    t->error = g_strdup(err->message);
}

static void on_worked(void *opaque)
{
    ((Test *)opaque)->worked++;
}

static const UefiKeeperHost host = {
    .now = on_now,
    .alarm = on_alarm,
    .document = on_document,
    .check = on_check,
    .run = on_run,
    .join = on_join,
    .failed = on_failed,
    .worked = on_worked,
};

/* ------------------------------------------------------------------------ */
/* Helpers */

/* @text: of the file, NULL for none */
static Test *test_new(const char *text)
{
    Test *t = g_new0(Test, 1);

    t->disk = text ? uefi_disk_new(text, strlen(text)) : NULL;
    t->medium.open = open_disk;
    t->medium.open_opaque = t;
    t->store = DOC;
    t->now = 1000;
    uefi_keeper_init(&t->k, &host, t, &uefi_var_file_medium_ops, &t->medium);
    return t;
}

static void test_free(Test *t)
{
    uefi_keeper_clear(&t->k);
    uefi_disk_free(t->disk);
    uefi_disk_free(t->before);
    g_free(t->error);
    g_free(t);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Test, test_free)

static void assert_state(const Test *t, UefiKeeperState state)
{
    g_assert_cmpstr(uefi_keeper_state_name(t->k.state), ==,
                    uefi_keeper_state_name(state));
}

/* A machine that began here, with DOC in its file */
static Test *test_started(void)
{
    Test *t = test_new(DOC "\n");
    g_auto(UefiVarContent) content = { };

    g_assert_true(uefi_keeper_start(&t->k, &content, NULL));
    g_assert_cmpstr(content.document, ==, DOC);
    assert_state(t, UEFI_KEEPER_CLEAN);
    return t;
}

static bool save(Test *t, const char *record, const char *store)
{
    g_autoptr(GError) err = NULL;
    bool ok = uefi_keeper_save(&t->k, record, strlen(record), true, &err);

    g_assert_true(ok == !err);
    if (ok) {
        t->store = store;
    }
    return ok;
}

/* The ticks that are due until @ms from now; returns how many there were */
static unsigned pass(Test *t, int64_t ms)
{
    int64_t end = t->now + ms;
    unsigned ticks = 0;

    while (t->alarm >= 0 && t->alarm <= end) {
        t->now = MAX(t->now, t->alarm);
        g_assert_cmpuint(ticks++, <, 100);
        uefi_keeper_tick(&t->k);
        if (t->k.running && !t->deferred) {
            uefi_keeper_ran(&t->k);
        }
    }
    t->now = end;
    return ticks;
}

/* "document|record|record" as a new process finds it */
static char *content_of(const UefiDisk *disk)
{
    g_autoptr(UefiDisk) copy = uefi_disk_new(disk->now->data, disk->now->len);
    g_autoptr(UefiVarFile) f = uefi_disk_open(copy, 0);
    g_autofree char *document = NULL;
    g_autoptr(GPtrArray) records = NULL;
    g_autoptr(GError) err = NULL;
    GString *text;

    uefi_var_file_load(f, &document, &records, &err);
    g_assert_no_error(err);
    text = g_string_new(document);
    for (guint i = 0; i < records->len; i++) {
        g_string_append_printf(text, "|%s", (char *)records->pdata[i]);
    }
    return g_string_free(text, false);
}

/* What SIGKILL and a loss of power now would leave */
static void assert_durable(const Test *t, const char *expected)
{
    g_autofree char *text = content_of(t->disk);

    g_assert_true(uefi_disk_settled(t->disk));
    g_assert_cmpstr(text, ==, expected);
}

static int disk_fails(void *opaque, UefiDiskOp op, size_t *len)
{
    return op == UEFI_DISK_PWRITE ? ENOSPC : 0;
}

static void break_disk(Test *t)
{
    t->disk->fault = disk_fails;
}

static void mend_disk(Test *t)
{
    t->disk->fault = NULL;
}

/* A target whose state has come with @mark, and its file is at that state */
static Test *test_arrived(const char *text)
{
    g_autoptr(Test) source = test_new(text);
    g_auto(UefiVarContent) content = { };
    Test *t = test_new(text);

    g_assert_true(uefi_keeper_start(&source->k, &content, NULL));
    uefi_keeper_loaded(&t->k, uefi_keeper_mark(&source->k));
    assert_state(t, UEFI_KEEPER_WAITING);
    return t;
}

static size_t written(const Test *t)
{
    return t->disk ? t->disk->written : 0;
}

static unsigned syncs(const Test *t)
{
    return t->disk->calls[UEFI_DISK_FDATASYNC];
}

/* ------------------------------------------------------------------------ */
/* Rows: waiting */

static void test_waiting_nothing(void)
{
    g_autoptr(Test) t = test_new("{other}\n");

    uefi_keeper_loaded(&t->k, "0123456789abcdef");
    uefi_keeper_stop(&t->k);
    uefi_keeper_shutdown(&t->k);
    uefi_keeper_unsaved(&t->k);
    uefi_keeper_tick(&t->k);
    uefi_keeper_back(&t->k);
    assert_state(t, UEFI_KEEPER_WAITING);
    g_assert_cmpint(t->alarm, ==, NEVER);
    g_assert_false(t->disk->locked);
    uefi_keeper_exit(&t->k);
    assert_state(t, UEFI_KEEPER_AWAY);
    g_assert_cmpuint(written(t), ==, 0);
    g_assert_cmpuint(t->failed, ==, 0);
}

/* The state is in the file that both share: nothing is to be written */
static void test_waiting_run_same(void)
{
    g_autoptr(Test) t = test_arrived(DOC "\n");

    uefi_keeper_run(&t->k);
    assert_state(t, UEFI_KEEPER_CLEAN);
    g_assert_true(t->disk->locked);
    g_assert_cmpint(t->alarm, ==, NEVER);
    g_assert_cmpuint(written(t), ==, 0);
    g_assert_cmpuint(syncs(t), ==, 0);
    g_assert_true(save(t, "2", "{1,2}"));
    assert_durable(t, DOC "|2");
}

/* A file of its own, or none, gets the state once the machine runs */
static void test_waiting_run_other(void)
{
    static const char *const files[] = { NULL, "", "{other}\n" };

    for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autoptr(Test) t = test_new(files[i]);

        uefi_keeper_loaded(&t->k, "0123456789abcdef");
        uefi_keeper_run(&t->k);
        assert_state(t, UEFI_KEEPER_BEHIND);
        g_assert_cmpuint(written(t), ==, 0);
        g_assert_cmpuint(syncs(t), ==, 0);
        g_assert_cmpuint(pass(t, 0), >, 0);
        assert_durable(t, DOC);
        pass(t, 1000);
        assert_state(t, UEFI_KEEPER_CLEAN);
        g_assert_cmpuint(t->disk->now->len, ==, strlen(DOC "\n"));
    }
}

static void test_waiting_run_fails(void)
{
    g_autoptr(Test) t = test_arrived(DOC "\n");

    t->disk->lock_error = EAGAIN;
    uefi_keeper_run(&t->k);
    assert_state(t, UEFI_KEEPER_UNTAKEN);
    g_assert_cmpuint(t->failed, ==, 1);
    g_assert_cmpint(t->asker, ==, UEFI_KEEPER_NOBODY);
    g_assert_cmpint(t->alarm, ==, t->now + RETRY_MS);
}

/* A reset before the machine runs; the medium follows when it does */
static void test_waiting_save(void)
{
    g_autoptr(Test) t = test_arrived(DOC "\n");

    g_assert_true(uefi_keeper_save(&t->k, "2", 1, false, NULL));
    t->store = "{1,2}";
    assert_state(t, UEFI_KEEPER_WAITING);
    g_assert_cmpuint(written(t), ==, 0);
    g_assert_null(uefi_keeper_mark(&t->k));
    uefi_keeper_run(&t->k);
    assert_state(t, UEFI_KEEPER_BEHIND);
    pass(t, 0);
    assert_durable(t, "{1,2}");
}

/* A guest can be faster than the notice that it runs */
static void test_waiting_save_running(void)
{
    g_autoptr(Test) t = test_arrived(DOC "\n");

    g_assert_true(save(t, "2", "{1,2}"));
    assert_state(t, UEFI_KEEPER_CLEAN);
    assert_durable(t, DOC "|2");
}

/* Sent on without having run: the next target can know the file as well */
static void test_waiting_leave(void)
{
    g_autoptr(Test) t = test_arrived(DOC "\n");
    g_autofree char *mark = g_strdup(uefi_keeper_mark(&t->k));

    g_assert_nonnull(mark);
    uefi_keeper_leave(&t->k);
    assert_state(t, UEFI_KEEPER_WAITING);
    g_assert_cmpstr(uefi_keeper_mark(&t->k), ==, mark);
}

/* A snapshot that was loaded and is no machine yet */
static void test_waiting_taken(void)
{
    g_autoptr(Test) t = test_started();

    uefi_keeper_loaded(&t->k, "0123456789abcdef");
    assert_state(t, UEFI_KEEPER_WAITING);
    t->store = "{9}";
    g_assert_true(t->disk->locked);
    g_assert_null(uefi_keeper_mark(&t->k));
    uefi_keeper_exit(&t->k);
    assert_durable(t, DOC);
    g_assert_false(t->disk->locked);
}

/* ... and that goes elsewhere before it is one */
static void test_waiting_taken_leave(void)
{
    g_autoptr(Test) t = test_started();

    uefi_keeper_loaded(&t->k, NULL);
    t->store = "{9}";
    uefi_keeper_leave(&t->k);
    assert_state(t, UEFI_KEEPER_WAITING);
    g_assert_false(t->disk->locked);
    assert_durable(t, DOC);
}

/* ------------------------------------------------------------------------ */
/* Rows: away */

static Test *test_away(void)
{
    Test *t = test_started();

    g_assert_true(save(t, "2", "{1,2}"));
    uefi_keeper_leave(&t->k);
    assert_state(t, UEFI_KEEPER_AWAY);
    g_assert_false(t->disk->locked);
    t->disk->written = 0;
    return t;
}

static void test_away_nothing(void)
{
    g_autoptr(Test) t = test_away();
    g_autoptr(GError) err = NULL;

    uefi_keeper_stop(&t->k);
    uefi_keeper_shutdown(&t->k);
    uefi_keeper_leave(&t->k);
    uefi_keeper_tick(&t->k);
    g_assert_cmpint(t->alarm, ==, NEVER);
    g_assert_false(uefi_keeper_save(&t->k, "3", 1, false, &err));
    g_assert_error(err, UEFI_VAR_FILE_ERROR, UEFI_VAR_FILE_ERROR_LOCKED);
    uefi_keeper_unsaved(&t->k);
    assert_state(t, UEFI_KEEPER_AWAY);
    uefi_keeper_exit(&t->k);
    g_assert_cmpuint(written(t), ==, 0);
    g_assert_cmpuint(t->failed, ==, 0);
}

/* The migration has failed: the machine goes on here, with what it had */
static void test_away_back(void)
{
    g_autoptr(Test) t = test_away();

    uefi_keeper_back(&t->k);
    assert_state(t, UEFI_KEEPER_UNTAKEN);
    g_assert_false(t->disk->locked);
    uefi_keeper_run(&t->k);
    assert_state(t, UEFI_KEEPER_CLEAN);
    g_assert_true(t->disk->locked);
    g_assert_cmpuint(written(t), ==, 0);
    g_assert_true(save(t, "3", "{1,2,3}"));
    assert_durable(t, DOC "|2|3");
}

/* Nor is it behind for an administrator who writes before it runs */
static void test_away_back_save(void)
{
    g_autoptr(Test) t = test_away();

    uefi_keeper_back(&t->k);
    g_assert_true(uefi_keeper_save(&t->k, "3", 1, false, NULL));
    assert_state(t, UEFI_KEEPER_CLEAN);
    assert_durable(t, DOC "|2|3");
}

static void test_away_run(void)
{
    g_autoptr(Test) t = test_away();

    uefi_keeper_run(&t->k);
    assert_state(t, UEFI_KEEPER_CLEAN);
    g_assert_cmpuint(written(t), ==, 0);
}

/* A snapshot, where the machine has been before */
static void test_away_loaded(void)
{
    g_autoptr(Test) t = test_away();

    uefi_keeper_loaded(&t->k, NULL);
    assert_state(t, UEFI_KEEPER_WAITING);
    t->store = "{9}";
    g_assert_false(t->disk->locked);
    g_assert_cmpuint(written(t), ==, 0);
    uefi_keeper_run(&t->k);
    pass(t, 0);
    assert_durable(t, "{9}");
}

/* The target has run already */
static void test_away_run_moved_on(void)
{
    g_autoptr(Test) t = test_away();
    g_autoptr(GByteArray) kept = g_byte_array_new();

    uefi_disk_set(t->disk, "{target}\n", 9);
    g_byte_array_append(kept, t->disk->now->data, t->disk->now->len);
    uefi_keeper_run(&t->k);
    assert_state(t, UEFI_KEEPER_UNTAKEN);
    g_assert_false(save(t, "3", NULL));
    uefi_keeper_exit(&t->k);
    g_assert_nonnull(strstr(t->error, "made elsewhere"));
    g_assert_cmpmem(t->disk->now->data, t->disk->now->len, kept->data,
                    kept->len);
    g_assert_false(t->disk->locked);
}

/* ------------------------------------------------------------------------ */
/* Rows: untaken */

static Test *test_untaken(void)
{
    Test *t = test_new("{other}\n");

    uefi_keeper_loaded(&t->k, "0123456789abcdef");
    t->disk->lock_error = EAGAIN;
    uefi_keeper_run(&t->k);
    assert_state(t, UEFI_KEEPER_UNTAKEN);
    return t;
}

static void test_untaken_nothing(void)
{
    g_autoptr(Test) t = test_untaken();

    uefi_keeper_stop(&t->k);
    uefi_keeper_unsaved(&t->k);
    uefi_keeper_back(&t->k);
    assert_state(t, UEFI_KEEPER_UNTAKEN);
    g_assert_cmpint(t->alarm, ==, t->now + RETRY_MS);
    uefi_keeper_leave(&t->k);
    assert_state(t, UEFI_KEEPER_AWAY);
    g_assert_cmpint(t->alarm, ==, NEVER);
}

static void test_untaken_tick(void)
{
    g_autoptr(Test) t = test_untaken();

    pass(t, RETRY_MS);
    assert_state(t, UEFI_KEEPER_UNTAKEN);
    g_assert_cmpuint(t->failed, ==, 2);
    t->disk->lock_error = 0;
    pass(t, RETRY_MS + 1000);
    assert_state(t, UEFI_KEEPER_CLEAN);
    g_assert_cmpuint(t->worked, ==, 1);
    assert_durable(t, DOC);
}

static void test_untaken_save(void)
{
    g_autoptr(Test) t = test_untaken();

    g_assert_false(save(t, "2", NULL));
    g_assert_cmpint(t->asker, ==, UEFI_KEEPER_GUEST);
    t->disk->lock_error = 0;
    g_assert_true(save(t, "2", "{1,2}"));
    g_assert_cmpuint(t->worked, ==, 1);
    assert_durable(t, DOC "|2");
}

/* One last attempt to take and write */
static void test_untaken_exit(void)
{
    g_autoptr(Test) t = test_untaken();

    t->disk->lock_error = 0;
    uefi_keeper_exit(&t->k);
    assert_durable(t, DOC);
    g_assert_cmpuint(t->disk->now->len, ==, strlen(DOC "\n"));
    g_assert_cmpuint(t->failed, ==, 1);
    g_assert_false(t->disk->locked);
}

static void test_untaken_exit_fails(void)
{
    g_autoptr(Test) t = test_untaken();

    uefi_keeper_exit(&t->k);
    g_assert_cmpuint(t->failed, ==, 2);
    g_assert_cmpstr(t->error, ==, "disk: in use by another process");
    g_assert_cmpint(t->alarm, ==, NEVER);
}

/* The machine may be kept, with its medium */
static void test_untaken_shutdown(void)
{
    g_autoptr(Test) t = test_untaken();

    t->disk->lock_error = 0;
    uefi_keeper_shutdown(&t->k);
    assert_state(t, UEFI_KEEPER_FOLDING);
    assert_durable(t, DOC);
    g_assert_cmpuint(t->failed, ==, 1);
    g_assert_true(save(t, "2", "{1,2}"));
    assert_durable(t, DOC "|2");
}

static void test_untaken_shutdown_fails(void)
{
    g_autoptr(Test) t = test_untaken();

    uefi_keeper_shutdown(&t->k);
    assert_state(t, UEFI_KEEPER_UNTAKEN);
    g_assert_cmpuint(t->failed, ==, 2);
    g_assert_cmpstr(t->error, ==, "disk: in use by another process");
    g_assert_cmpint(t->alarm, ==, t->now + RETRY_MS);
}

static void test_untaken_loaded(void)
{
    g_autoptr(Test) t = test_untaken();

    uefi_keeper_loaded(&t->k, NULL);
    assert_state(t, UEFI_KEEPER_WAITING);
    g_assert_cmpint(t->alarm, ==, NEVER);
}

/* ------------------------------------------------------------------------ */
/* Rows: behind */

static Test *test_behind(void)
{
    Test *t = test_started();

    uefi_keeper_unsaved(&t->k);
    t->store = "{1,2}";
    assert_state(t, UEFI_KEEPER_BEHIND);
    g_assert_null(uefi_keeper_mark(&t->k));
    return t;
}

static void test_behind_tick(void)
{
    g_autoptr(Test) t = test_behind();

    pass(t, 1000);
    assert_state(t, UEFI_KEEPER_CLEAN);
    assert_durable(t, "{1,2}");
}

static void test_behind_tick_fails(void)
{
    g_autoptr(Test) t = test_behind();

    break_disk(t);
    pass(t, 0);
    assert_state(t, UEFI_KEEPER_BEHIND);
    g_assert_cmpuint(t->failed, ==, 1);
    g_assert_cmpint(t->alarm, ==, t->now + RETRY_MS);
    mend_disk(t);
    pass(t, RETRY_MS + 1000);
    assert_state(t, UEFI_KEEPER_CLEAN);
    g_assert_cmpuint(t->worked, ==, 1);
    assert_durable(t, "{1,2}");
}

/* What changes while a step is under way is not in its document */
static void test_behind_unsaved_again(void)
{
    g_autoptr(Test) t = test_behind();

    t->defer = true;
    uefi_keeper_tick(&t->k);
    g_assert_true(t->deferred);
    uefi_keeper_unsaved(&t->k);
    t->store = "{1,2,3}";
    uefi_keeper_ran(&t->k);
    assert_state(t, UEFI_KEEPER_BEHIND);
    t->defer = false;
    pass(t, 1000);
    assert_durable(t, "{1,2,3}");
}

/* That it runs is no news */
static void test_behind_run(void)
{
    g_autoptr(Test) t = test_behind();
    int64_t alarm = t->alarm;

    uefi_keeper_run(&t->k);
    assert_state(t, UEFI_KEEPER_BEHIND);
    g_assert_cmpint(t->alarm, ==, alarm);
    g_assert_cmpuint(written(t), ==, 0);
}

static void test_behind_stop(void)
{
    g_autoptr(Test) t = test_behind();

    uefi_keeper_stop(&t->k);
    assert_state(t, UEFI_KEEPER_FOLDING);
    assert_durable(t, "{1,2}");
    g_assert_cmpuint(syncs(t), ==, 2);  /* of the load, and this one */
}

static void test_behind_stop_fails(void)
{
    g_autoptr(Test) t = test_behind();

    break_disk(t);
    uefi_keeper_stop(&t->k);
    assert_state(t, UEFI_KEEPER_BEHIND);
    g_assert_cmpuint(t->failed, ==, 1);
    g_assert_cmpint(t->alarm, ==, t->now + RETRY_MS);
}

static void test_behind_save(void)
{
    g_autoptr(Test) t = test_behind();

    break_disk(t);
    g_assert_false(save(t, "3", NULL));
    assert_state(t, UEFI_KEEPER_BEHIND);
    g_assert_cmpint(t->asker, ==, UEFI_KEEPER_GUEST);
    mend_disk(t);
    g_assert_true(save(t, "3", "{1,2,3}"));
    assert_durable(t, "{1,2}|3");
}

static void test_behind_leave(void)
{
    g_autoptr(Test) t = test_behind();

    uefi_keeper_leave(&t->k);
    assert_state(t, UEFI_KEEPER_AWAY);
    assert_durable(t, "{1,2}");
    g_assert_nonnull(uefi_keeper_mark(&t->k));
}

/* The stream has it: no report of a machine that is given away */
static void test_behind_leave_fails(void)
{
    g_autoptr(Test) t = test_behind();

    break_disk(t);
    uefi_keeper_leave(&t->k);
    assert_state(t, UEFI_KEEPER_AWAY);
    g_assert_cmpuint(t->failed, ==, 0);
    g_assert_null(uefi_keeper_mark(&t->k));
    mend_disk(t);
    uefi_keeper_run(&t->k);
    assert_state(t, UEFI_KEEPER_BEHIND);
    pass(t, 0);
    assert_durable(t, "{1,2}");
}

static void test_behind_exit(void)
{
    g_autoptr(Test) t = test_behind();

    uefi_keeper_exit(&t->k);
    assert_durable(t, "{1,2}");
    g_assert_cmpuint(t->disk->now->len, ==, strlen("{1,2}\n"));
}

static void test_behind_exit_fails(void)
{
    g_autoptr(Test) t = test_behind();

    break_disk(t);
    uefi_keeper_exit(&t->k);
    g_assert_cmpuint(t->failed, ==, 1);
    g_assert_cmpint(t->asker, ==, UEFI_KEEPER_NOBODY);
}

static void test_behind_shutdown(void)
{
    g_autoptr(Test) t = test_behind();

    uefi_keeper_shutdown(&t->k);
    assert_state(t, UEFI_KEEPER_FOLDING);
    assert_durable(t, "{1,2}");
    g_assert_cmpuint(syncs(t), ==, 2);  /* of the load, and this one */
}

static void test_behind_shutdown_fails(void)
{
    g_autoptr(Test) t = test_behind();

    break_disk(t);
    uefi_keeper_shutdown(&t->k);
    assert_state(t, UEFI_KEEPER_BEHIND);
    g_assert_cmpuint(t->failed, ==, 1);
    g_assert_cmpint(t->asker, ==, UEFI_KEEPER_NOBODY);
    g_assert_cmpint(t->alarm, ==, t->now + RETRY_MS);
}

static void test_behind_loaded(void)
{
    g_autoptr(Test) t = test_behind();

    uefi_keeper_loaded(&t->k, NULL);
    assert_state(t, UEFI_KEEPER_WAITING);
    t->store = "{9}";
    uefi_keeper_run(&t->k);
    assert_state(t, UEFI_KEEPER_BEHIND);
    pass(t, 0);
    assert_durable(t, "{9}");
}

/* ------------------------------------------------------------------------ */
/* Rows: clean and folding */

static void test_clean_nothing(void)
{
    g_autoptr(Test) t = test_started();

    uefi_keeper_run(&t->k);
    uefi_keeper_stop(&t->k);
    uefi_keeper_shutdown(&t->k);
    uefi_keeper_tick(&t->k);
    uefi_keeper_back(&t->k);
    assert_state(t, UEFI_KEEPER_CLEAN);
    g_assert_cmpint(t->alarm, ==, NEVER);
    uefi_keeper_exit(&t->k);
    g_assert_cmpuint(written(t), ==, 0);
    g_assert_cmpuint(syncs(t), ==, 1);
}

/* One append and one sync, whatever the store; nothing for a minute after */
static void test_clean_save(void)
{
    g_autofree char *big = g_strnfill(416 * 1024, 'x');
    g_autoptr(Test) t = test_new(big);
    g_auto(UefiVarContent) content = { };
    unsigned before;

    g_assert_true(uefi_keeper_start(&t->k, &content, NULL));
    before = syncs(t);
    g_assert_true(save(t, "0123456789", big));
    g_assert_cmpuint(syncs(t), ==, before + 1);
    g_assert_cmpuint(written(t), <, 200);
    g_assert_cmpuint(pass(t, 60000), ==, 0);
    uefi_keeper_stop(&t->k);
    g_assert_cmpuint(syncs(t), ==, before + 1);
    g_assert_cmpuint(written(t), <, 200);
    uefi_keeper_exit(&t->k);
    g_assert_cmpuint(t->disk->now->len, ==, strlen(big) + 1);
}

static void test_clean_save_fails(void)
{
    g_autoptr(Test) t = test_started();

    break_disk(t);
    g_assert_false(save(t, "2", NULL));
    assert_state(t, UEFI_KEEPER_CLEAN);
    g_assert_cmpint(t->asker, ==, UEFI_KEEPER_GUEST);
    mend_disk(t);
    assert_durable(t, DOC);
    g_assert_true(save(t, "2", "{1,2}"));
    g_assert_cmpuint(t->worked, ==, 1);
}

/* The journal has it all: nothing to report */
static void test_clean_exit_fails(void)
{
    g_autoptr(Test) t = test_started();

    g_assert_true(save(t, "2", "{1,2}"));
    break_disk(t);
    uefi_keeper_exit(&t->k);
    assert_state(t, UEFI_KEEPER_AWAY);
    g_assert_cmpuint(t->failed, ==, 0);
    g_assert_false(t->disk->locked);
    mend_disk(t);
    assert_durable(t, DOC "|2");
}

/* A long journal is folded when the guest is silent */
static Test *test_long(void)
{
    g_autofree char *record = g_strnfill(70 * 1024, 'x');
    Test *t = test_started();

    g_assert_true(save(t, record, "{1,2}"));
    assert_state(t, UEFI_KEEPER_CLEAN);
    g_assert_cmpint(t->alarm, ==, t->now + 1000);
    return t;
}

static void test_clean_tick(void)
{
    g_autoptr(Test) t = test_long();

    t->defer = true;
    pass(t, 1000);
    g_assert_true(t->k.running);
    g_assert_cmpint(t->alarm, ==, NEVER);
    uefi_keeper_ran(&t->k);
    assert_state(t, UEFI_KEEPER_FOLDING);
    assert_durable(t, "{1,2}");
    t->defer = false;
    pass(t, 1000);
    assert_state(t, UEFI_KEEPER_CLEAN);
    g_assert_cmpuint(t->disk->now->len, ==, strlen("{1,2}\n"));
}

/* The journal has it all: nothing to report, but to try again */
static void test_clean_tick_fails(void)
{
    g_autoptr(Test) t = test_long();

    break_disk(t);
    pass(t, 1000);
    assert_state(t, UEFI_KEEPER_CLEAN);
    g_assert_cmpuint(t->failed, ==, 0);
    g_assert_cmpint(t->alarm, ==, t->now + RETRY_MS);
    mend_disk(t);
    pass(t, RETRY_MS + 1000);
    g_assert_cmpuint(t->disk->now->len, ==, strlen("{1,2}\n"));
}

static Test *test_folding(void)
{
    Test *t = test_long();

    t->defer = true;
    pass(t, 1000);
    t->defer = false;
    uefi_keeper_ran(&t->k);
    assert_state(t, UEFI_KEEPER_FOLDING);
    return t;
}

static void test_folding_save(void)
{
    g_autoptr(Test) t = test_folding();

    /* a step is under way: it is joined */
    t->defer = true;
    pass(t, 100);
    g_assert_true(t->deferred);
    t->defer = false;
    g_assert_true(save(t, "3", "{1,2,3}"));
    g_assert_false(t->k.running);
    assert_durable(t, "{1,2}|3");
    pass(t, 1000);
    assert_durable(t, "{1,2}|3");
    assert_state(t, UEFI_KEEPER_CLEAN);
}

static void test_folding_save_fails(void)
{
    g_autoptr(Test) t = test_folding();

    break_disk(t);
    g_assert_false(save(t, "3", NULL));
    assert_state(t, UEFI_KEEPER_FOLDING);
    g_assert_cmpint(t->asker, ==, UEFI_KEEPER_GUEST);
    mend_disk(t);
    assert_durable(t, "{1,2}");
    pass(t, RETRY_MS + 1000);
    assert_state(t, UEFI_KEEPER_CLEAN);
    assert_durable(t, "{1,2}");
}

static void test_folding_tick_fails(void)
{
    g_autoptr(Test) t = test_folding();

    break_disk(t);
    pass(t, 100);
    assert_state(t, UEFI_KEEPER_FOLDING);
    g_assert_cmpuint(t->failed, ==, 0);
    mend_disk(t);
    pass(t, RETRY_MS + 1000);
    assert_state(t, UEFI_KEEPER_CLEAN);
    g_assert_cmpuint(t->disk->now->len, ==, strlen("{1,2}\n"));
}

static void test_folding_unsaved(void)
{
    g_autoptr(Test) t = test_folding();

    uefi_keeper_unsaved(&t->k);
    t->store = "{1,2,3}";
    assert_state(t, UEFI_KEEPER_BEHIND);
    pass(t, 1000);
    assert_durable(t, "{1,2,3}");
}

/* Nothing waits for a step that is under way but who has to */
static void test_folding_stop(void)
{
    g_autoptr(Test) t = test_folding();

    t->defer = true;
    pass(t, 100);
    uefi_keeper_stop(&t->k);
    uefi_keeper_shutdown(&t->k);
    g_assert_true(t->deferred);
    uefi_keeper_run(&t->k);
    g_assert_true(t->deferred);
    uefi_keeper_loaded(&t->k, NULL);
    g_assert_true(t->deferred);
    assert_state(t, UEFI_KEEPER_WAITING);
    uefi_keeper_ran(&t->k);
    assert_state(t, UEFI_KEEPER_WAITING);
    g_assert_cmpint(t->alarm, ==, NEVER);
    assert_durable(t, "{1,2}");
}

static void test_folding_leave(void)
{
    g_autoptr(Test) t = test_folding();

    t->defer = true;
    pass(t, 100);
    uefi_keeper_leave(&t->k);
    g_assert_false(t->deferred);
    assert_state(t, UEFI_KEEPER_AWAY);
    assert_durable(t, "{1,2}");
    g_assert_false(t->disk->locked);
}

static void test_folding_exit(void)
{
    g_autoptr(Test) t = test_folding();

    t->defer = true;
    pass(t, 100);
    uefi_keeper_exit(&t->k);
    g_assert_cmpuint(t->disk->now->len, ==, strlen("{1,2}\n"));
    g_assert_false(t->disk->locked);
}

/* A medium that a snapshot takes back as well is read anew before a write */
static void test_folding_loaded_reverts(void)
{
    g_autoptr(Test) t = test_folding();
    UefiVarMediumOps ops = uefi_var_file_medium_ops;

    ops.reverts = true;
    t->k.medium = &ops;
    t->defer = true;
    pass(t, 100);
    uefi_keeper_loaded(&t->k, "0123456789abcdef");
    g_assert_false(t->deferred);
    g_assert_false(t->disk->locked);
    assert_state(t, UEFI_KEEPER_WAITING);
    uefi_disk_set(t->disk, "{old}\n", 6);
    t->store = "{old}";
    t->defer = false;
    uefi_keeper_run(&t->k);
    g_assert_true(save(t, "2", "{old,2}"));
    assert_durable(t, "{old}|2");
}

/* ------------------------------------------------------------------------ */
/* What happens while the medium waits */

/* A medium in whose append() the machine becomes another one, which runs */
static bool append_overtaken(void *opaque, const char *record, size_t len,
                             GError **err)
{
    Test *t = ((UefiVarFileMedium *)opaque)->open_opaque;
    g_autoptr(GError) local = NULL;

    g_assert_null(uefi_keeper_mark(&t->k));
    g_assert_false(uefi_keeper_save(&t->k, "x", 1, true, &local));
    g_assert_nonnull(strstr(local->message, "another write"));
    uefi_keeper_stop(&t->k);
    uefi_keeper_tick(&t->k);
    uefi_keeper_loaded(&t->k, "0123456789abcdef");
    assert_state(t, UEFI_KEEPER_WAITING);
    uefi_keeper_run(&t->k);
    assert_state(t, UEFI_KEEPER_UNTAKEN);
    t->k.medium = &uefi_var_file_medium_ops;
    g_set_error(err, UEFI_VAR_FILE_ERROR, UEFI_VAR_FILE_ERROR_CHANGED,
                "given away");
    return false;
}

static void test_overtaken(void)
{
    g_autoptr(Test) t = test_started();
    UefiVarMediumOps ops = uefi_var_file_medium_ops;

    ops.reverts = true;
    ops.append = append_overtaken;
    t->k.medium = &ops;
    g_assert_false(save(t, "2", "{1,2}"));
    g_assert_cmpuint(t->failed, ==, 0);
    assert_state(t, UEFI_KEEPER_UNTAKEN);
    g_assert_false(t->disk->locked);
    t->store = "{old}";
    pass(t, 0);
    assert_durable(t, "{old}");
}

/* ------------------------------------------------------------------------ */
/* Ways to lose variables */

/* Nothing could be written when the machine came, nor at its reset */
static void test_lost_retry(void)
{
    g_autoptr(Test) t = test_new("{other}\n");

    uefi_keeper_loaded(&t->k, "0123456789abcdef");
    break_disk(t);
    uefi_keeper_run(&t->k);
    pass(t, 0);
    assert_state(t, UEFI_KEEPER_BEHIND);
    uefi_keeper_unsaved(&t->k);
    t->store = "{1,reset}";
    pass(t, 10000);
    mend_disk(t);
    pass(t, RETRY_MS);
    assert_durable(t, "{1,reset}");
}

/* The source went on while the target was shut out */
static void test_lost_moved_on(void)
{
    g_autoptr(Test) t = test_arrived(DOC "\n");
    g_autoptr(UefiVarFile) source = uefi_disk_open(t->disk, 0);
    g_autofree char *document = NULL;
    g_autoptr(GPtrArray) records = NULL;

    t->disk->lock_error = EAGAIN;
    uefi_keeper_run(&t->k);
    g_assert_true(uefi_var_file_load(source, &document, &records, NULL));
    g_assert_true(uefi_var_file_append(source, "source", 6, NULL));
    t->disk->lock_error = 0;
    pass(t, RETRY_MS);
    assert_state(t, UEFI_KEEPER_UNTAKEN);
    g_assert_false(t->disk->locked);
    g_assert_nonnull(strstr(t->error, "made elsewhere"));
    g_assert_false(save(t, "target", NULL));
    g_assert_true(uefi_var_file_fold(source, "{source}", 8, NULL));
    pass(t, RETRY_MS);
    uefi_keeper_exit(&t->k);
    assert_durable(t, "{source}");
}

/* All but the line feed of a record is written, and cannot be cut again. */
static int loses_line_feed(void *opaque, UefiDiskOp op, size_t *len)
{
    if (op == UEFI_DISK_PWRITE && *len > 1) {
        *len -= 1;
        return 0;
    }
    return op == UEFI_DISK_PREAD || op == UEFI_DISK_FSTAT ? 0 : EIO;
}

/* What was refused and is in the file all the same was not made elsewhere. */
static void test_lost_refused(void)
{
    g_autoptr(Test) t = test_started();

    t->disk->fault = loses_line_feed;
    g_assert_false(save(t, "2", NULL));
    uefi_keeper_leave(&t->k);
    g_assert_null(uefi_keeper_mark(&t->k));
    mend_disk(t);
    uefi_keeper_run(&t->k);
    assert_state(t, UEFI_KEEPER_BEHIND);
    pass(t, 1000);
    assert_durable(t, DOC);
    g_assert_true(save(t, "3", "{1,3}"));
    assert_durable(t, DOC "|3");
}

/* ... and goes when the machine does, if it can */
static void test_lost_refused_leave(void)
{
    g_autoptr(Test) t = test_started();

    t->disk->fault = loses_line_feed;
    g_assert_false(save(t, "2", NULL));
    mend_disk(t);
    uefi_keeper_leave(&t->k);
    g_assert_nonnull(uefi_keeper_mark(&t->k));
    assert_durable(t, DOC);
}

/* ... until it is emptied, or moved away */
static void test_lost_emptied(void)
{
    g_autoptr(Test) t = test_arrived(DOC "\n");

    t->disk->lock_error = EAGAIN;
    uefi_keeper_run(&t->k);
    uefi_disk_set(t->disk, "", 0);
    t->disk->lock_error = 0;
    pass(t, RETRY_MS);
    assert_durable(t, DOC);
}

/* A file that could not be looked at, and then holds more than was sent */
static void test_lost_unreadable(void)
{
    g_autoptr(Test) source = test_started();
    g_autoptr(Test) t = test_new(NULL);

    t->open_error = EACCES;
    uefi_keeper_loaded(&t->k, uefi_keeper_mark(&source->k));
    g_assert_true(save(source, "2", "{1,2}"));
    t->open_error = 0;
    t->disk = uefi_disk_new(source->disk->now->data, source->disk->now->len);
    uefi_keeper_run(&t->k);
    assert_state(t, UEFI_KEEPER_UNTAKEN);
    assert_durable(t, DOC "|2");
}

/* Whatever is wrong with a file, it is not locked then, and not written */
static void test_lost_foreign(void)
{
    g_autoptr(Test) t = test_new("root:x:0:0\n");

    uefi_keeper_loaded(&t->k, "0123456789abcdef");
    t->foreign = true;
    uefi_keeper_run(&t->k);
    pass(t, 0);
    assert_state(t, UEFI_KEEPER_UNTAKEN);
    g_assert_false(t->disk->locked);
    g_assert_false(save(t, "2", NULL));
    g_assert_cmpstr(t->error, ==, "no store");
    g_assert_cmpuint(written(t), ==, 0);
    uefi_disk_set(t->disk, "", 0);
    g_assert_true(save(t, "2", "{1,2}"));
    assert_durable(t, DOC "|2");
}

static void test_lost_damaged(void)
{
    g_autoptr(Test) t = test_new("# no document\n");

    uefi_keeper_loaded(&t->k, "0123456789abcdef");
    uefi_keeper_run(&t->k);
    assert_state(t, UEFI_KEEPER_UNTAKEN);
    g_assert_false(t->disk->locked);
    g_assert_cmpuint(t->failed, ==, 1);
}

/* While it waits a manager may put another file in place */
static void test_lost_name(void)
{
    g_autoptr(Test) t = test_arrived(DOC "\n");

    t->before = t->disk;
    t->disk = uefi_disk_new("{new}\n", 6);
    t->k.then = UEFI_FILE_OTHER;
    uefi_keeper_run(&t->k);
    pass(t, 1000);
    g_assert_cmpuint(t->before->written, ==, 0);
    assert_durable(t, DOC);
}

/* A guest that never pauses fills the journal: that is folded, not refused */
static void test_lost_busy(void)
{
    g_autofree char *record = g_strnfill(1024 * 1024, 'x');
    g_autoptr(Test) t = test_started();

    for (int i = 0; i < 100; i++) {
        g_assert_true(save(t, record, DOC));
        g_assert_cmpuint(t->disk->now->len, <, UEFI_VAR_FILE_LIMIT);
    }
    g_assert_cmpuint(t->failed, ==, 0);
    g_assert_cmpint(t->alarm, ==, 0);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *path;
        void (*run)(void);
    } tests[] = {
        { "waiting/nothing", test_waiting_nothing },
        { "waiting/run-same", test_waiting_run_same },
        { "waiting/run-other", test_waiting_run_other },
        { "waiting/run-fails", test_waiting_run_fails },
        { "waiting/save", test_waiting_save },
        { "waiting/save-running", test_waiting_save_running },
        { "waiting/leave", test_waiting_leave },
        { "waiting/taken", test_waiting_taken },
        { "waiting/taken-leave", test_waiting_taken_leave },
        { "away/nothing", test_away_nothing },
        { "away/back", test_away_back },
        { "away/back-save", test_away_back_save },
        { "away/run", test_away_run },
        { "away/loaded", test_away_loaded },
        { "away/run-moved-on", test_away_run_moved_on },
        { "untaken/nothing", test_untaken_nothing },
        { "untaken/tick", test_untaken_tick },
        { "untaken/save", test_untaken_save },
        { "untaken/exit", test_untaken_exit },
        { "untaken/exit-fails", test_untaken_exit_fails },
        { "untaken/shutdown", test_untaken_shutdown },
        { "untaken/shutdown-fails", test_untaken_shutdown_fails },
        { "untaken/loaded", test_untaken_loaded },
        { "behind/tick", test_behind_tick },
        { "behind/tick-fails", test_behind_tick_fails },
        { "behind/unsaved-again", test_behind_unsaved_again },
        { "behind/run", test_behind_run },
        { "behind/stop", test_behind_stop },
        { "behind/stop-fails", test_behind_stop_fails },
        { "behind/save", test_behind_save },
        { "behind/leave", test_behind_leave },
        { "behind/leave-fails", test_behind_leave_fails },
        { "behind/exit", test_behind_exit },
        { "behind/exit-fails", test_behind_exit_fails },
        { "behind/shutdown", test_behind_shutdown },
        { "behind/shutdown-fails", test_behind_shutdown_fails },
        { "behind/loaded", test_behind_loaded },
        { "clean/nothing", test_clean_nothing },
        { "clean/save", test_clean_save },
        { "clean/save-fails", test_clean_save_fails },
        { "clean/exit-fails", test_clean_exit_fails },
        { "clean/tick", test_clean_tick },
        { "clean/tick-fails", test_clean_tick_fails },
        { "folding/save", test_folding_save },
        { "folding/save-fails", test_folding_save_fails },
        { "folding/tick-fails", test_folding_tick_fails },
        { "folding/unsaved", test_folding_unsaved },
        { "folding/stop", test_folding_stop },
        { "folding/leave", test_folding_leave },
        { "folding/exit", test_folding_exit },
        { "folding/loaded-reverts", test_folding_loaded_reverts },
        { "overtaken", test_overtaken },
        { "lost/retry", test_lost_retry },
        { "lost/moved-on", test_lost_moved_on },
        { "lost/refused", test_lost_refused },
        { "lost/refused-leave", test_lost_refused_leave },
        { "lost/emptied", test_lost_emptied },
        { "lost/unreadable", test_lost_unreadable },
        { "lost/foreign", test_lost_foreign },
        { "lost/damaged", test_lost_damaged },
        { "lost/name", test_lost_name },
        { "lost/busy", test_lost_busy },
    };

    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(tests); i++) {
        g_autofree char *path = g_strconcat("/uefi/keeper/", tests[i].path,
                                            NULL);

        g_test_add_func(path, tests[i].run);
    }
    return g_test_run();
}
