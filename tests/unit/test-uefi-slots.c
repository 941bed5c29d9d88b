/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: the store on a medium of fixed size
 *
 * The medium records what was written since the last flush.  Before each flush
 * and each step it is rebuilt as a loss of power could have left it, with any
 * of those sectors in any of the versions that they had, and loaded: the
 * result must be the state from before or from after the request that was
 * interrupted.
 */

#include "qemu/osdep.h"
#include "hw/uefi/var-service-slots.h"

#define SECTOR          512
#define STRIDE          65536
#define MAX_DOCUMENT    (8 * 1024)
#define IMAGES          24      /* drawn at random at each point */

typedef struct Medium {
    GByteArray *now;            /* what it reads as */
    GByteArray *base;           /* what surely is on it */
    GPtrArray *since;           /* versions of @now since the last flush */
    unsigned alignment;
    unsigned flushes;
    int fail;                   /* errno of the next operation, */
    unsigned fail_after;        /* after that many more */
    void (*visit)(void *opaque, struct Medium *m);
    void *opaque;
} Medium;

/* ------------------------------------------------------------------------ */
/* The medium */

static GByteArray *copy(const GByteArray *bytes)
{
    GByteArray *out = g_byte_array_sized_new(bytes->len);

    return g_byte_array_append(out, bytes->data, bytes->len);
}

static Medium *medium_new(const GByteArray *content, unsigned alignment)
{
    Medium *m = g_new0(Medium, 1);

    m->now = copy(content);
    m->base = copy(content);
    m->since = g_ptr_array_new_with_free_func(
        (GDestroyNotify)g_byte_array_unref);
    m->alignment = alignment;
    return m;
}

static Medium *medium_zeroes(void)
{
    g_autoptr(GByteArray) zeroes = g_byte_array_new();

    g_byte_array_set_size(zeroes, uefi_var_slots_capacity(MAX_DOCUMENT));
    memset(zeroes->data, 0, zeroes->len);
    return medium_new(zeroes, SECTOR);
}

static void medium_free(Medium *m)
{
    g_byte_array_unref(m->now);
    g_byte_array_unref(m->base);
    g_ptr_array_unref(m->since);
    g_free(m);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Medium, medium_free)

static void check_range(Medium *m, uint64_t offset, uint64_t len)
{
    g_assert_cmpuint(offset % m->alignment, ==, 0);
    g_assert_cmpuint(len % m->alignment, ==, 0);
    g_assert_cmpuint(len, >, 0);
    g_assert_cmpuint(offset, <=, m->now->len);
    g_assert_cmpuint(len, <=, m->now->len - offset);
}

/* The errno that is due now, or 0 */
static int fault(Medium *m)
{
    if (m->fail && m->fail_after-- == 0) {
        int ret = m->fail;

        m->fail = 0;
        return ret;
    }
    return 0;
}

static int medium_read(void *opaque, uint64_t offset, void *buf, size_t len)
{
    Medium *m = opaque;

    check_range(m, offset, len);
    memcpy(buf, m->now->data + offset, len);
    return 0;
}

/* A write that fails has happened in half. */
static int change(Medium *m, uint64_t offset, const void *buf, uint64_t len)
{
    int ret = fault(m);

    check_range(m, offset, len);
    if (ret) {
        len = ROUND_UP(len / 2, SECTOR);
    }
    if (buf) {
        memcpy(m->now->data + offset, buf, len);
    } else {
        memset(m->now->data + offset, 0, len);
    }
    g_ptr_array_add(m->since, copy(m->now));
    if (m->visit) {
        m->visit(m->opaque, m);
    }
    return -ret;
}

static int medium_write(void *opaque, uint64_t offset, const void *buf,
                        size_t len)
{
    return change(opaque, offset, buf, len);
}

static int medium_write_zeroes(void *opaque, uint64_t offset, uint64_t len)
{
    return change(opaque, offset, NULL, len);
}

static int medium_flush(void *opaque)
{
    Medium *m = opaque;
    int ret = fault(m);

    if (ret) {
        return -ret;
    }
    m->flushes++;
    g_byte_array_unref(m->base);
    m->base = copy(m->now);
    g_ptr_array_set_size(m->since, 0);
    if (m->visit) {
        m->visit(m->opaque, m);
    }
    return 0;
}

static uint32_t medium_alignment(void *opaque)
{
    return ((Medium *)opaque)->alignment;
}

static const UefiVarSlotsOps ops = {
    .read = medium_read,
    .write = medium_write,
    .write_zeroes = medium_write_zeroes,
    .flush = medium_flush,
    .alignment = medium_alignment,
};

static UefiVarSlots *use(Medium *m)
{
    return uefi_var_slots_new(&ops, m, "medium", m->now->len, MAX_DOCUMENT);
}

static const UefiVarMediumOps *const medium = &uefi_var_slots_medium_ops;

/* What a load gives, as one string; NULL when it is refused */
static char *load(UefiVarSlots *s, GError **err)
{
    g_auto(UefiVarContent) content = { };
    GString *text;

    if (!medium->take(s, NULL, &content, err)) {
        return NULL;
    }
    text = g_string_new(content.document);
    for (guint i = 0; i < content.records->len; i++) {
        g_string_append_printf(text, "+%s",
                               (char *)content.records->pdata[i]);
    }
    return g_string_free(text, false);
}

static bool try_append(UefiVarSlots *s, const char *record, GError **err)
{
    return medium->append(s, record, strlen(record), err);
}

static bool try_fold(UefiVarSlots *s, const char *document, GError **err)
{
    if (!medium->plan_fold(s, document, strlen(document), err)) {
        return false;
    }
    medium->run(s);
    return medium->finish(s, err);
}

static UefiVarSlots *loaded(Medium *m, const char *wanted)
{
    UefiVarSlots *s = use(m);
    g_autoptr(GError) err = NULL;
    g_autofree char *text = load(s, &err);

    g_assert_no_error(err);
    g_assert_cmpstr(text, ==, wanted);
    return s;
}

static void append(UefiVarSlots *s, const char *record)
{
    g_autoptr(GError) err = NULL;

    try_append(s, record, &err);
    g_assert_no_error(err);
}

static void fold(UefiVarSlots *s, const char *document)
{
    g_autoptr(GError) err = NULL;

    try_fold(s, document, &err);
    g_assert_no_error(err);
}

static void refused(Medium *m, const char *why)
{
    g_autoptr(UefiVarSlots) s = use(m);
    g_autoptr(GError) err = NULL;
    g_autoptr(GByteArray) before = copy(m->now);
    g_autofree char *text = load(s, &err);

    g_assert_null(text);
    g_assert_error(err, UEFI_VAR_FILE_ERROR, UEFI_VAR_FILE_ERROR_DAMAGED);
    if (!strstr(err->message, why)) {
        g_test_message("%s", err->message);
        g_test_fail();
    }
    g_assert_false(try_append(s, "x", NULL));
    g_assert_cmpmem(before->data, before->len, m->now->data, m->now->len);
}

/* ------------------------------------------------------------------------ */
/* Use */

static void test_blank(void)
{
    g_autoptr(Medium) m = medium_zeroes();
    g_autoptr(UefiVarSlots) s = loaded(m, "");
    g_autoptr(GByteArray) zeroes = copy(m->now);

    g_assert_cmpmem(zeroes->data, zeroes->len, m->now->data, m->now->len);
    append(s, "a");
    append(s, "b");
    g_clear_pointer(&s, uefi_var_slots_free);
    s = loaded(m, "+a+b");
}

static void test_fold(void)
{
    g_autoptr(Medium) m = medium_zeroes();
    g_autoptr(UefiVarSlots) s = loaded(m, "");

    for (int i = 0; i < 5; i++) {
        g_autofree char *document = g_strdup_printf("{%d}", i);
        g_autofree char *both = g_strdup_printf("{%d}+more", i);

        fold(s, document);
        g_assert_cmpuint(medium->journal_size(s), ==, 0);
        append(s, "more");
        g_assert_cmpuint(medium->journal_size(s), ==, SECTOR);
        uefi_var_slots_free(loaded(m, both));
    }
}

/* What is there already is not written again. */
static void test_fold_same(void)
{
    g_autoptr(Medium) m = medium_zeroes();
    g_autoptr(UefiVarSlots) s = loaded(m, "");
    unsigned flushes;

    fold(s, "{1}");
    flushes = m->flushes;
    fold(s, "{1}\n");
    g_assert_cmpuint(m->flushes, ==, flushes);
}

/* A mark tells what has happened since. */
static void test_age(void)
{
    g_autoptr(Medium) m = medium_zeroes();
    g_autoptr(UefiVarSlots) s = loaded(m, "");
    g_autofree char *blank = g_strdup(medium->mark(s)), *mark = NULL;
    const struct {
        const char *mark;
        UefiVarFileAge age;
    } *row, rows[] = {
        { blank, UEFI_FILE_OTHER }, { "0123456789abcdef", UEFI_FILE_OTHER },
        { NULL }
    };

    fold(s, "{1}");
    append(s, "a");
    mark = g_strdup(medium->mark(s));
    for (row = rows; row->mark; row++) {
        g_auto(UefiVarContent) content = { };

        g_assert_true(medium->take(s, row->mark, &content, NULL));
        g_assert_cmpint(content.age, ==, row->age);
    }
    for (int i = 0; i < 2; i++) {
        g_auto(UefiVarContent) content = { };

        g_assert_true(medium->take(s, mark, &content, NULL));
        g_assert_cmpint(content.age, ==,
                        i ? UEFI_FILE_AHEAD : UEFI_FILE_SAME);
        append(s, "b");
    }
}

static void test_cost(void)
{
    g_autoptr(Medium) m = medium_zeroes();
    g_autoptr(UefiVarSlots) s = loaded(m, "");
    unsigned flushes;

    append(s, "first");
    flushes = m->flushes;
    append(s, "second");
    g_assert_cmpuint(m->flushes, ==, flushes + 1);
}

static void test_full(void)
{
    g_autoptr(Medium) m = medium_zeroes();
    g_autoptr(UefiVarSlots) s = loaded(m, "");
    g_autofree char *record = g_strnfill(STRIDE, 'x');
    g_autoptr(GError) err = NULL;
    unsigned n = 0;

    while (try_append(s, record, &err)) {
        g_assert_cmpuint(++n, <, 100);
    }
    g_assert_error(err, UEFI_VAR_FILE_ERROR, UEFI_VAR_FILE_ERROR_LONG);
    g_assert_cmpint(medium->fold_need(s), ==, UEFI_FOLD_NOW);
    g_assert_cmpuint(n, >=, 3);
    fold(s, "{1}");
    append(s, record);
    append(s, "a");
}

static void test_alignment(void)
{
    g_autoptr(Medium) m = medium_zeroes();
    g_autoptr(UefiVarSlots) s = loaded(m, "");

    append(s, "a");
    fold(s, "{a}");
    append(s, "b");
    /* a copy on a medium whose sectors are larger, and back */
    m->alignment = 4096;
    g_clear_pointer(&s, uefi_var_slots_free);
    s = loaded(m, "{a}+b");
    fold(s, "{a}");
    append(s, "c");
    m->alignment = SECTOR;
    g_clear_pointer(&s, uefi_var_slots_free);
    s = loaded(m, "{a}+c");
    append(s, "d");
    uefi_var_slots_free(loaded(m, "{a}+c+d"));
}

/* An interrupted write in a block of the larger alignment that has a record */
static void test_alignment_torn(void)
{
    g_autoptr(Medium) m = medium_zeroes();
    g_autoptr(UefiVarSlots) s = loaded(m, "");
    const char torn[] = "#uefi-vars-journal 1 change 2 12";

    fold(s, "{}");
    append(s, "a");
    memcpy(m->now->data + 2 * STRIDE + 4096 + 2 * SECTOR, torn, sizeof(torn));
    m->alignment = 4096;
    g_clear_pointer(&s, uefi_var_slots_free);
    s = loaded(m, "{}+a");
    g_assert_false(try_append(s, "b", NULL));
    fold(s, "{a}");
    append(s, "b");
    uefi_var_slots_free(loaded(m, "{a}+b"));
}

/* ------------------------------------------------------------------------ */
/* Damage */

/* Nothing is added behind a sector that has more than its record. */
static void test_padding(void)
{
    g_autoptr(Medium) m = medium_zeroes();
    g_autoptr(UefiVarSlots) s = loaded(m, "");

    fold(s, "{}");
    append(s, "a");
    m->now->data[2 * STRIDE + 4096 + 2 * SECTOR - 1] = 'x';
    g_clear_pointer(&s, uefi_var_slots_free);
    s = loaded(m, "{}+a");
    g_assert_false(try_append(s, "b", NULL));
    fold(s, "{a}");
    append(s, "b");
    uefi_var_slots_free(loaded(m, "{a}+b"));
}

static Medium *example(void)
{
    Medium *m = medium_zeroes();
    g_autoptr(UefiVarSlots) s = loaded(m, "");

    append(s, "a");
    fold(s, "{a}");
    append(s, "b");
    append(s, "c");
    return m;
}

static void test_no_store(void)
{
    for (size_t at = 0; at < 5 * STRIDE; at += STRIDE / 2) {
        g_autoptr(Medium) m = medium_zeroes();

        m->now->data[at + 17] = 'x';
        refused(m, "neither a store nor all zeroes");
    }
}

/* Every byte of what counts is covered by a check. */
static void test_flips(void)
{
    g_autoptr(Medium) good = example();
    g_autofree char *text = NULL;

    for (size_t at = 0; at < good->now->len; at++) {
        g_autoptr(Medium) m = NULL;
        g_autoptr(UefiVarSlots) s = NULL;

        if (!good->now->data[at]) {
            continue;
        }
        m = medium_new(good->now, SECTOR);
        m->now->data[at] ^= 4;
        s = use(m);
        text = load(s, NULL);
        /* what doesn't count, or the refusal; never something else */
        if (text) {
            g_assert_cmpstr(text, ==, "{a}+b+c");
        }
        g_clear_pointer(&text, g_free);
    }
}

static void test_superblock_lost(void)
{
    g_autoptr(Medium) m = example();

    memset(m->now->data, 0, SECTOR);    /* generation 2 */
    refused(m, "superblock of the last changes");
    memset(m->now->data, 'x', SECTOR);
    refused(m, "superblock of the last changes");
}

static void test_superblock_old_lost(void)
{
    g_autoptr(Medium) m = example();

    memset(m->now->data + STRIDE, 'x', SECTOR);
    uefi_var_slots_free(loaded(m, "{a}+b+c"));
}

/* Larger requests would touch what a superblock is alone with. */
static void test_alignment_too_large(void)
{
    g_autoptr(Medium) m = example();
    g_autoptr(UefiVarSlots) s = loaded(m, "{a}+b+c");
    g_autoptr(GByteArray) before = copy(m->now);
    g_autoptr(GError) err = NULL;

    m->alignment = STRIDE;
    g_assert_false(try_append(s, "d", NULL));
    g_assert_false(try_fold(s, "{d}", &err));
    g_assert_nonnull(strstr(err->message, "below 65536 bytes"));
    g_assert_cmpmem(before->data, before->len, m->now->data, m->now->len);
    m->alignment = SECTOR;
    append(s, "d");
}

/* A medium that becomes one of larger sectors during a fold */
static void test_alignment_grows(void)
{
    g_autoptr(Medium) m = example();
    g_autoptr(UefiVarSlots) s = loaded(m, "{a}+b+c");

    g_assert_true(medium->plan_fold(s, "{d}", 3, NULL));
    medium->run(s);
    m->alignment = 4096;
    g_assert_true(medium->finish(s, NULL));
    g_assert_cmpint(medium->fold_need(s), ==, UEFI_FOLD_NOW);
    g_assert_false(try_append(s, "e", NULL));
    fold(s, "{d}");
    append(s, "e");
    g_clear_pointer(&s, uefi_var_slots_free);
    s = loaded(m, "{d}+e");
}

typedef struct Given {
    UefiVarSlots *s;
    unsigned after;         /* requests */
    GByteArray *then;       /* what was there when it was given, or NULL */
} Given;

static void give_away(void *opaque, Medium *m)
{
    Given *given = opaque;

    g_assert_null(given->then);
    if (given->after-- == 0) {
        medium->give(given->s);
        given->then = copy(m->now);
    }
}

/* Given while a request waits, that is the last one, and all of it fails. */
static bool given_after(unsigned after, bool folds)
{
    g_autoptr(Medium) m = example();
    g_autoptr(UefiVarSlots) s = loaded(m, "{a}+b+c");
    Given given = { .s = s, .after = after };
    bool ok;

    m->visit = give_away;
    m->opaque = &given;
    ok = folds ? try_fold(s, "{d}", NULL) : try_append(s, "d", NULL);
    m->visit = NULL;
    g_assert_true(ok == !given.then);
    if (ok) {
        return false;
    }
    g_assert_cmpmem(given.then->data, given.then->len, m->now->data,
                    m->now->len);
    g_byte_array_unref(given.then);
    g_assert_false(try_append(s, "d", NULL));
    g_free(load(s, NULL));
    append(s, "e");
    return true;
}

static void test_given(void)
{
    unsigned requests[2] = { 0, 0 };

    for (int folds = 0; folds < 2; folds++) {
        while (given_after(requests[folds], folds)) {
            requests[folds]++;
        }
    }
    g_assert_cmpuint(requests[0], ==, 2);
    g_assert_cmpuint(requests[1], ==, 5);
}

static void test_too_small(void)
{
    g_autoptr(Medium) m = example();
    g_autoptr(UefiVarSlots) s =
        uefi_var_slots_new(&ops, m, "medium",
                           uefi_var_slots_capacity(1024 * 1024),
                           1024 * 1024);
    g_autoptr(UefiVarSlots) smaller =
        uefi_var_slots_new(&ops, m, "medium",
                           uefi_var_slots_capacity(MAX_DOCUMENT) - 1,
                           MAX_DOCUMENT);
    g_autoptr(GError) err = NULL, why = NULL;

    g_assert_false(uefi_var_slots_check(smaller, &why));
    g_assert_nonnull(strstr(why->message, "but a store of this size needs"));
    g_assert_true(uefi_var_slots_check(s, NULL));
    g_assert_null(load(s, &err));
    g_assert_nonnull(strstr(err->message, "slots of"));
}

/* ------------------------------------------------------------------------ */
/* Loss of power */

typedef struct Run {
    GRand *rand;
    char *before, *after;       /* texts of which one must be found */
    unsigned images, depth;
} Run;

static void visit(void *opaque, Medium *m);

/* One way in which the versions of each sector can have reached the medium */
static GByteArray *draw(GRand *rand, const Medium *m)
{
    GByteArray *image = copy(m->base);
    unsigned odds = g_rand_int_range(rand, 0, 4);

    for (size_t at = 0; at < image->len; at += SECTOR) {
        guint version = g_rand_int_range(rand, 0, m->since->len + 1);
        GByteArray *from = NULL;

        if (odds == 0 || (odds < 3 && !g_rand_int_range(rand, 0, 8))) {
            version = m->since->len;    /* mostly complete */
        }
        if (version > 0) {
            from = g_ptr_array_index(m->since, version - 1);
            memcpy(image->data + at, from->data + at, SECTOR);
        }
    }
    return image;
}

/* Whoever recovers goes on, and loses power, too. */
static void go_on(Run *run, GByteArray *image, const char *text)
{
    g_autoptr(Medium) m = medium_new(image, SECTOR);
    g_autoptr(UefiVarSlots) s = loaded(m, text);
    g_autofree char *more = g_strconcat(text, "+more", NULL);
    Run next = { run->rand, g_strdup(text), more, 0, run->depth + 1 };

    m->visit = visit;
    m->opaque = &next;
    append(s, "more");
    g_free(next.before);
    next.before = next.after = more;
    fold(s, "{folded}");        /* for the model, another state */
    run->images += next.images;
}

static void visit_image(Run *run, GByteArray *image)
{
    g_autoptr(Medium) m = medium_new(image, SECTOR);
    g_autoptr(UefiVarSlots) s = use(m);
    g_autoptr(GError) err = NULL;
    g_autofree char *text = load(s, &err);

    g_assert_no_error(err);
    if (strcmp(text, run->before) && strcmp(text, run->after) &&
        strcmp(text, "{folded}")) {
        g_assert_cmpstr(text, ==, run->after);
    }
    run->images++;
    if (run->depth == 0 && !g_rand_int_range(run->rand, 0, 16)) {
        go_on(run, image, text);
    }
}

static void visit(void *opaque, Medium *m)
{
    Run *run = opaque;

    for (unsigned i = 0; i < (run->depth ? 3 : IMAGES); i++) {
        g_autoptr(GByteArray) image = draw(run->rand, m);

        visit_image(run, image);
    }
}

static void request(Run *run, UefiVarSlots *s, GString *state, bool is_fold)
{
    g_autofree char *record = NULL;

    if (is_fold) {
        g_autofree char *document = g_strdup_printf("{%s}", state->str);

        g_free(run->before);
        run->before = g_strdup(state->str);
        g_free(run->after);
        run->after = g_strdup(document);
        fold(s, document);
        g_string_assign(state, document);
        return;
    }
    record = g_strnfill(g_rand_int_range(run->rand, 1, 1400),
                        g_rand_int_range(run->rand, 'a', 'z'));
    g_free(run->before);
    run->before = g_strdup(state->str);
    g_string_append_printf(state, "+%s", record);
    g_free(run->after);
    run->after = g_strdup(state->str);
    append(s, record);
}

static void test_crash(void)
{
    g_autoptr(Medium) m = medium_zeroes();
    g_autoptr(UefiVarSlots) s = loaded(m, "");
    g_autoptr(GString) state = g_string_new(NULL);
    Run run = { g_rand_new_with_seed(g_test_rand_int()), NULL, NULL, 0, 0 };

    m->visit = visit;
    m->opaque = &run;
    for (int i = 0; i < 40; i++) {
        if (state->len > 4096) {
            g_string_assign(state, "");
            g_free(run.before);
            g_free(run.after);
            run.before = run.after = NULL;
            m->visit = NULL;
            fold(s, "{}");
            m->visit = visit;
            g_string_assign(state, "{}");
        }
        request(&run, s, state, i % 4 == 3);
    }
    g_test_message("%u images", run.images);
    g_free(run.before);
    g_free(run.after);
    g_rand_free(run.rand);
}

/* ------------------------------------------------------------------------ */
/* Operations that fail */

/* The n-th operation from now on fails, for every n */
static void test_faults(void)
{
    for (unsigned n = 0; n < 12; n++) {
        g_autoptr(Medium) m = medium_zeroes();
        g_autoptr(UefiVarSlots) s = loaded(m, "");
        g_autoptr(GString) state = g_string_new(NULL);

        m->fail = EIO;
        m->fail_after = n;
        for (int i = 0; i < 6; i++) {
            g_autofree char *record = g_strdup_printf("%d", i);
            g_autofree char *document = g_strdup_printf("{%s}", state->str);

            if (i == 3) {
                if (try_fold(s, document, NULL)) {
                    g_string_assign(state, document);
                }
            } else if (try_append(s, record, NULL)) {
                g_string_append_printf(state, "+%s", record);
            }
        }
        append(s, "last");
        g_string_append(state, "+last");
        uefi_var_slots_free(loaded(m, state->str));
    }
}

/* A superblock that may or may not be there is settled before all else. */
static void test_commit_fails(void)
{
    g_autoptr(Medium) m = medium_zeroes();
    g_autoptr(UefiVarSlots) s = loaded(m, "");

    append(s, "a");
    m->fail = EIO;
    m->fail_after = 4;      /* the last flush */
    g_assert_false(try_fold(s, "{a}", NULL));
    m->fail = EIO;
    m->fail_after = 0;
    g_assert_false(try_append(s, "b", NULL));
    append(s, "c");
    uefi_var_slots_free(loaded(m, "{a}+c"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/slots/blank", test_blank);
    g_test_add_func("/slots/fold", test_fold);
    g_test_add_func("/slots/fold/same", test_fold_same);
    g_test_add_func("/slots/age", test_age);
    g_test_add_func("/slots/cost", test_cost);
    g_test_add_func("/slots/full", test_full);
    g_test_add_func("/slots/alignment", test_alignment);
    g_test_add_func("/slots/alignment/torn", test_alignment_torn);
    g_test_add_func("/slots/alignment/too-large", test_alignment_too_large);
    g_test_add_func("/slots/alignment/grows", test_alignment_grows);
    g_test_add_func("/slots/given", test_given);
    g_test_add_func("/slots/damage/no-store", test_no_store);
    g_test_add_func("/slots/damage/padding", test_padding);
    g_test_add_func("/slots/damage/flips", test_flips);
    g_test_add_func("/slots/damage/superblock", test_superblock_lost);
    g_test_add_func("/slots/damage/old-superblock", test_superblock_old_lost);
    g_test_add_func("/slots/damage/too-small", test_too_small);
    g_test_add_func("/slots/crash", test_crash);
    g_test_add_func("/slots/faults", test_faults);
    g_test_add_func("/slots/faults/commit", test_commit_fails);
    return g_test_run();
}
