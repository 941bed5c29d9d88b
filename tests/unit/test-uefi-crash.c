/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: loss of power at every point of every write
 *
 * A scripted run of appends and folds goes through a file that records each
 * write, truncation and sync.  At every sync the file is rebuilt as a loss of
 * power could have left it, in all the ways that uefi_disk_crash() knows, and
 * loaded: the result must be the state from before or from after the request
 * that was interrupted.  That is every byte of every write; only in recoveries
 * from such a crash, and where operations fail, cuts of long writes are spread.
 */

#include "qemu/osdep.h"
#include "uefi-disk.h"

#define N_KEYS  8

/* The state that requests change: a small map from key to value */
typedef struct Model {
    char *values[N_KEYS];
} Model;

typedef struct Run {
    GRand *rand;
    UefiDisk *disk;
    UefiVarFile *f;
    Model model;
    size_t dense;           /* writes up to this length are cut everywhere */
    unsigned fault_percent;
    unsigned depth;         /* of crashes during recoveries from crashes */
    GPtrArray *allowed;     /* texts of the states that a crash may leave */
    char *loaded;           /* by the last visit */
    unsigned images;
} Run;

/* ------------------------------------------------------------------------ */
/* texts */

/* The text that a load gives, as one string */
static char *join(const char *document, GPtrArray *records)
{
    GString *text = g_string_new(document ? document : "(blank)");
    unsigned i;

    for (i = 0; i < records->len; i++) {
        g_string_append_c(text, '\n');
        g_string_append(text, g_ptr_array_index(records, i));
    }
    return g_string_free(text, false);
}

/* @filler makes the document longer, as a new way of writing it might */
static char *document_of(const Model *model, unsigned filler)
{
    GString *text = g_string_new("{");
    unsigned i;

    for (i = 0; i < N_KEYS; i++) {
        if (model->values[i]) {
            g_string_append_printf(text, "\n%u=%s", i, model->values[i]);
        }
    }
    g_string_append_printf(text, "\n%*s}", filler, "");
    return g_string_free(text, false);
}

/* Make @model what the text of a load says */
static void model_parse(Model *model, const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    unsigned i;

    for (i = 0; i < N_KEYS; i++) {
        g_clear_pointer(&model->values[i], g_free);
    }
    for (i = 0; lines[i]; i++) {
        const char *value = strchr(lines[i], '=');

        if (value) {
            int key = atoi(lines[i]);

            g_assert_cmpint(key, <, N_KEYS);
            g_free(model->values[key]);
            model->values[key] = g_strdup(value + 1);
        }
    }
}

static void model_clear(Model *model)
{
    model_parse(model, "");
}

/* Mostly short values, like those of real variables, and a few long ones */
static char *random_value(GRand *rand)
{
    size_t i, len = g_rand_int_range(rand, 1, 40);
    char *value;

    if (g_rand_int_range(rand, 0, 100) < 2) {
        len = g_rand_int_range(rand, 600, 3000);
    }
    value = g_malloc(len + 1);
    for (i = 0; i < len; i++) {
        value[i] = "0123456789abcdef"[g_rand_int_range(rand, 0, 16)];
    }
    value[len] = 0;
    return value;
}

/* ------------------------------------------------------------------------ */
/* crashes */

static char *load_text(UefiVarFile *f)
{
    g_autofree char *document = NULL;
    g_autoptr(GPtrArray) records = NULL;
    g_autoptr(GError) err = NULL;

    if (!uefi_var_file_load(f, &document, &records, &err)) {
        g_error("a crash left a file that is refused: %s", err->message);
    }
    return join(document, records);
}

static void allow(Run *run, const char *text)
{
    g_ptr_array_add(run->allowed, g_strdup(text));
}

static bool is_allowed(const Run *run, const char *text)
{
    unsigned i;

    for (i = 0; i < run->allowed->len; i++) {
        if (strcmp(text, g_ptr_array_index(run->allowed, i)) == 0) {
            return true;
        }
    }
    return false;
}

static void recover(Run *run, const uint8_t *data, size_t len);

static void visit_image(void *opaque, const uint8_t *data, size_t len)
{
    Run *run = opaque;
    g_autoptr(UefiDisk) disk = uefi_disk_new(data, len);
    g_autoptr(UefiVarFile) f = uefi_disk_open(disk, 0);
    g_autofree char *text = load_text(f);

    run->images++;
    if (!is_allowed(run, text)) {
        g_error("a crash left a state that never was:\n%s\nin:\n%.*s",
                text, (int)len, data);
    }
    g_assert_cmpuint(disk->written, ==, 0);
    g_assert_cmpuint(disk->calls[UEFI_DISK_FTRUNCATE], ==, 0);
    if (run->depth == 0 && g_rand_int_range(run->rand, 0, 500) == 0) {
        recover(run, data, len);
    }
}

static int crash_at_sync(void *opaque, UefiDiskOp op, size_t *len)
{
    Run *run = opaque;

    if (op == UEFI_DISK_FDATASYNC) {
        uefi_disk_crash(run->disk, run->rand, run->dense, visit_image, run);
    }
    return 0;
}

/* Go on after a crash, crash again at any point of that, and go on again */
static void recover(Run *outer, const uint8_t *data, size_t len)
{
    g_autoptr(UefiDisk) disk = uefi_disk_new(data, len);
    g_autoptr(UefiVarFile) f = uefi_disk_open(disk, 0);
    g_autoptr(GPtrArray) allowed = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *before = load_text(f);
    g_autofree char *after = NULL;
    g_autofree char *loaded = NULL;
    Run run = {
        .rand = outer->rand, .disk = disk, .f = f, .dense = 300,
        .depth = outer->depth + 1, .allowed = allowed,
    };

    allow(&run, before);
    disk->fault = crash_at_sync;
    disk->fault_opaque = &run;
    if (g_rand_boolean(run.rand)) {
        after = g_strdup_printf("%s\n3=again", before);
        allow(&run, after);
        g_assert_true(uefi_var_file_append(f, "3=again", 7, NULL));
    } else {
        model_parse(&run.model, before);
        after = document_of(&run.model, g_rand_int_range(run.rand, 0, 600));
        allow(&run, after);
        g_assert_true(uefi_var_file_fold(f, after, strlen(after), NULL));
        g_assert_cmpuint(disk->now->len, ==, strlen(after) + 1);
        model_clear(&run.model);
    }
    disk->fault = NULL;
    loaded = load_text(f);
    g_assert_cmpstr(loaded, ==, after);
    outer->images += run.images;
}

/* ------------------------------------------------------------------------ */
/* requests */

static int random_fault(void *opaque, UefiDiskOp op, size_t *len)
{
    static const int errors[] = { EIO, ENOSPC, EDQUOT, EINTR };
    Run *run = opaque;
    int error = 0;

    if (g_rand_int_range(run->rand, 0, 100) < (int)run->fault_percent) {
        error = errors[g_rand_int_range(run->rand, 0, 4)];
    }
    if (error == EINTR && op == UEFI_DISK_FSTAT) {
        error = EIO;
    }
    if (op == UEFI_DISK_PWRITE && error && error != EINTR) {
        /* all, a part or nothing arrives; the kernel may call that success */
        *len = g_rand_int_range(run->rand, 0, *len + 1);
        error = g_rand_boolean(run->rand) && *len ? 0 : error;
    }
    if (op == UEFI_DISK_FDATASYNC && g_rand_int_range(run->rand, 0, 8) == 0) {
        uefi_disk_crash(run->disk, run->rand, run->dense, visit_image, run);
    }
    return error;
}

/* @text is what the file holds to begin with */
static void run_begin(Run *run, uint32_t seed, UefiDiskFault *fault,
                      const char *text)
{
    run->rand = g_rand_new_with_seed(seed);
    run->allowed = g_ptr_array_new_with_free_func(g_free);
    run->disk = uefi_disk_new(text, strlen(text));
    run->f = uefi_disk_open(run->disk, 0);
    run->loaded = load_text(run->f);
    model_parse(&run->model, run->loaded);
    run->disk->fault = fault;
    run->disk->fault_opaque = run;
    allow(run, run->loaded);
}

static void run_end(Run *run)
{
    g_test_message("%u images", run->images);
    model_clear(&run->model);
    uefi_var_file_close(run->f);
    uefi_disk_free(run->disk);
    g_ptr_array_unref(run->allowed);
    g_rand_free(run->rand);
    g_free(run->loaded);
}

/*
 * Tell the run that a request ended.  What a request that failed could not
 * take back may still come up after a crash, until the disk has settled.
 */
static void run_settle(Run *run, bool ok, const char *after)
{
    if (ok) {
        g_free(run->loaded);
        run->loaded = g_strdup(after);
        g_ptr_array_set_size(run->allowed, 0);
        allow(run, after);
    } else if (uefi_disk_settled(run->disk)) {
        g_autoptr(UefiDisk) disk = uefi_disk_new(run->disk->now->data,
                                                 run->disk->now->len);
        g_autoptr(UefiVarFile) f = uefi_disk_open(disk, 0);
        g_autofree char *text = load_text(f);

        if (strcmp(text, run->loaded) == 0) {
            g_ptr_array_set_size(run->allowed, 0);
            allow(run, text);
        }
    }
}

static bool run_append(Run *run)
{
    int key = g_rand_int_range(run->rand, 0, N_KEYS);
    g_autofree char *value = random_value(run->rand);
    g_autofree char *record = g_strdup_printf("%d=%s", key, value);
    g_autofree char *after = g_strdup_printf("%s\n%s", run->loaded, record);
    bool ok;

    allow(run, after);
    ok = uefi_var_file_append(run->f, record, strlen(record), NULL);
    if (ok) {
        g_free(run->model.values[key]);
        run->model.values[key] = g_steal_pointer(&value);
    }
    run_settle(run, ok, after);
    return ok;
}

static bool run_fold(Run *run, bool whole)
{
    unsigned filler = g_rand_int_range(run->rand, 0, 4) ? 0 :
                      g_rand_int_range(run->rand, 0, 1000);
    g_autofree char *document = document_of(&run->model, filler);
    size_t len = strlen(document);
    bool ok;

    allow(run, document);
    ok = uefi_var_file_fold_begin(run->f, document, len, NULL);
    run_settle(run, ok, document);
    while (ok && whole && uefi_var_file_fold_pending(run->f)) {
        ok = uefi_var_file_fold_step(run->f, NULL);
    }
    return ok;
}

/*
 * A new process takes over, without a loss of power.  Not while bytes that a
 * failed sync has lost can still be read: nobody could know.
 */
static void run_restart(Run *run)
{
    UefiDiskFault *fault = run->disk->fault;
    g_autofree char *text = NULL;

    if (!uefi_disk_settled(run->disk)) {
        return;
    }
    uefi_var_file_close(run->f);
    run->f = uefi_disk_open(run->disk, 0);
    run->disk->fault = NULL;
    text = load_text(run->f);
    g_assert_true(is_allowed(run, text));
    model_parse(&run->model, text);
    run_settle(run, true, text);
    run->disk->fault = fault;
}

static bool run_request(Run *run)
{
    int what = g_rand_int_range(run->rand, 0, 100);

    if (what < 76) {
        return run_append(run);
    } else if (what < 86) {
        return run_fold(run, true);
    } else if (what < 92) {
        return run_fold(run, false);
    } else if (what < 98) {
        return uefi_var_file_fold_step(run->f, NULL);
    }
    run_restart(run);
    return true;
}

/* ------------------------------------------------------------------------ */
/* tests */

static void test_every_cut(void)
{
    Run run = { .dense = SIZE_MAX };
    unsigned i, n = 300;

    run_begin(&run, 20260101, crash_at_sync, "");
    for (i = 0; i < n; i++) {
        g_assert_true(run_request(&run));
        g_assert_true(uefi_disk_settled(run.disk));
    }
    g_assert_cmpuint(run.images, >, 300000);
    run_end(&run);
}

/* Files that others made, with and without a newline at the end */
static void test_foreign(void)
{
    static const char *const documents[] = {
        "{}", "{}\n", "{\n  \"a\": 1\n}\r\n\n", "{0=a\n1=b}",
    };
    unsigned d;

    for (d = 0; d < G_N_ELEMENTS(documents); d++) {
        Run run = { .dense = SIZE_MAX };
        unsigned i;

        run_begin(&run, d, crash_at_sync, documents[d]);
        for (i = 0; i < 6; i++) {
            g_assert_true(i == 3 ? run_fold(&run, true) : run_append(&run));
        }
        run_end(&run);
    }
}

/*
 * The same with operations that fail.  A failure never changes the state, and
 * once the faults are gone requests succeed.
 */
static void test_faults(void)
{
    unsigned round, failed = 0;

    for (round = 0; round < 40; round++) {
        Run run = { .dense = 100, .fault_percent = round % 4 * 15 };
        unsigned i;

        run_begin(&run, round, random_fault, "");
        for (i = 0; i < 60; i++) {
            failed += !run_request(&run);
            if (i % 10 == 0) {
                uefi_disk_crash(run.disk, run.rand, run.dense, visit_image,
                                &run);
            }
        }
        run.fault_percent = 0;
        g_assert_true(run_append(&run));
        g_assert_true(run_fold(&run, true));
        g_assert_true(run_append(&run));
        uefi_disk_crash(run.disk, run.rand, run.dense, visit_image, &run);
        run_restart(&run);
        run_end(&run);
    }
    g_assert_cmpuint(failed, >, 200);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/uefi/crash/every-cut", test_every_cut);
    g_test_add_func("/uefi/crash/foreign", test_foreign);
    g_test_add_func("/uefi/crash/faults", test_faults);
    return g_test_run();
}
