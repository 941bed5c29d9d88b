/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: the store file, its failures and its damages
 *
 * Loss of power is the subject of test-uefi-crash.c.
 */

#include "qemu/osdep.h"
#include <glib/gstdio.h>
#include "hw/uefi/var-service-posix.h"
#include "uefi-disk.h"

#define BLANK   "#uefi-vars-journal 1 document 0 " NO_PREV " 0  " \
                "d7b8bdd8c31cf103\n"
#define DOC     "{\n1=a\n}"
#define NO_PREV "0000000000000000"

/* ------------------------------------------------------------------------ */
/* helpers */

static void check_error(GError **err, UefiVarFileError code)
{
    g_assert_error(*err, UEFI_VAR_FILE_ERROR, (int)code);
    g_clear_error(err);
}

/* "document|record|record", or "!" and the error */
static char *load(UefiVarFile *f)
{
    g_autofree char *document = NULL;
    g_autoptr(GPtrArray) records = NULL;
    g_autoptr(GError) err = NULL;
    GString *text;
    unsigned i;

    if (!uefi_var_file_load(f, &document, &records, &err)) {
        g_assert_true(err->domain == UEFI_VAR_FILE_ERROR);
        return g_strdup_printf("!%s", err->message);
    }
    text = g_string_new(document);
    for (i = 0; i < records->len; i++) {
        g_string_append_c(text, '|');
        g_string_append(text, g_ptr_array_index(records, i));
    }
    return g_string_free(text, false);
}

static void check_load(UefiVarFile *f, const char *expected)
{
    g_autofree char *text = load(f);

    g_assert_cmpstr(text, ==, expected);
}

static void check_bytes(const UefiDisk *disk, const char *expected)
{
    g_assert_cmpmem(disk->now->data, disk->now->len,
                    expected, strlen(expected));
}

/* What a new process finds in @len bytes; the caller frees */
static char *load_bytes(const void *data, size_t len)
{
    g_autoptr(UefiDisk) disk = uefi_disk_new(data, len);
    g_autoptr(UefiVarFile) f = uefi_disk_open(disk, 0);
    g_autofree char *text = load(f);

    g_assert_cmpuint(disk->written, ==, 0);
    g_assert_cmpuint(disk->calls[UEFI_DISK_FTRUNCATE], ==, 0);
    if (*text == '!') {
        g_autoptr(GError) err = NULL;

        g_assert_false(uefi_var_file_append(f, "x", 1, &err));
        check_error(&err, UEFI_VAR_FILE_ERROR_DAMAGED);
        g_assert_false(uefi_var_file_fold(f, "{}", 2, &err));
        check_error(&err, UEFI_VAR_FILE_ERROR_DAMAGED);
        g_assert_cmpmem(disk->now->data, disk->now->len, data, len);
    }
    return g_steal_pointer(&text);
}

static void check_refused(const char *data, size_t len, const char *why)
{
    g_autofree char *text = load_bytes(data, len);

    g_assert_cmpint(text[0], ==, '!');
    g_assert_nonnull(strstr(text, "disk: "));
    if (!strstr(text, why)) {
        g_error("'%s' expected in: %s", why, text);
    }
}

static void append(UefiVarFile *f, const char *record)
{
    g_autoptr(GError) err = NULL;

    uefi_var_file_append(f, record, strlen(record), &err);
    g_assert_no_error(err);
}

static void fold(UefiVarFile *f, const char *document)
{
    g_autoptr(GError) err = NULL;

    uefi_var_file_fold(f, document, strlen(document), &err);
    g_assert_no_error(err);
}

static void check_append_fails(UefiVarFile *f, UefiVarFileError code)
{
    g_autoptr(GError) err = NULL;

    g_assert_false(uefi_var_file_append(f, "x", 1, &err));
    check_error(&err, code);
}

/* A record with the right check; the caller frees */
static char *record(const char *kind, unsigned seq, const char *prev,
                    const char *payload)
{
    g_autofree char *text =
        g_strdup_printf("#uefi-vars-journal 1 %s %u %.16s %zu %s",
                        kind, seq, prev, strlen(payload), payload);
    g_autofree char *check =
        g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);

    return g_strdup_printf("%s %.16s\n", text, check);
}

/* A document with three changes behind it */
static UefiDisk *journal_disk(void)
{
    UefiDisk *disk = uefi_disk_new(DOC, strlen(DOC));
    g_autoptr(UefiVarFile) f = uefi_disk_open(disk, 0);

    check_load(f, DOC);
    append(f, "2=b");
    append(f, "3=c");
    append(f, "4=d");
    return disk;
}

/* ------------------------------------------------------------------------ */
/* format */

static void test_golden(void)
{
    g_autoptr(UefiDisk) disk = uefi_disk_new("", 0);
    g_autoptr(UefiVarFile) f = uefi_disk_open(disk, 0);

    check_load(f, "");
    g_assert_cmpuint(uefi_var_file_journal_size(f), ==, 0);
    append(f, "1=a");
    check_bytes(disk, BLANK
                "#uefi-vars-journal 1 change 1 e3b0c44298fc1c14 3 1=a "
                "6dac2d9db7c1d92e\n");
    g_assert_cmpuint(uefi_var_file_journal_size(f), ==, disk->now->len);
    check_load(f, "|1=a");

    g_assert_true(uefi_var_file_fold_begin(f, DOC, strlen(DOC), NULL));
    check_bytes(disk, BLANK
                "#uefi-vars-journal 1 change 1 e3b0c44298fc1c14 3 1=a "
                "6dac2d9db7c1d92e\n"
                "#uefi-vars-journal 1 fold 2 6dac2d9db7c1d92e 0  "
                "380cbcaa5b3ffed5\n"
                "#uefi-vars-journal 1 document 0 0000000000000000 7 " DOC " "
                "4f6b226bed925c08\n");
    while (uefi_var_file_fold_pending(f)) {
        g_assert_true(uefi_var_file_fold_step(f, NULL));
    }
    check_bytes(disk, DOC "\n");
    g_assert_cmpuint(uefi_var_file_journal_size(f), ==, 0);

    append(f, "2=b");
    append(f, "3=c");
    check_bytes(disk, DOC "\n"
                "#uefi-vars-journal 1 change 1 131be7d747aab819 3 2=b "
                "9a3d77d1da674f9a\n"
                "#uefi-vars-journal 1 change 2 9a3d77d1da674f9a 3 3=c "
                "9a1a87fff3f158f8\n");
    check_load(f, DOC "|2=b|3=c");
}

static void test_blank(void)
{
    size_t i, len = strlen(BLANK);

    /* a first record that was interrupted at any byte, with or without size */
    for (i = 0; i <= len; i++) {
        g_autofree char *data = g_strdup(BLANK);
        g_autofree char *missing = load_bytes(data, i);
        g_autofree char *zero = NULL;
        g_autoptr(UefiDisk) disk = NULL;
        g_autoptr(UefiVarFile) f = NULL;

        memset(data + i, 0, len - i);
        zero = load_bytes(data, len);
        g_assert_cmpstr(missing, ==, "");
        g_assert_cmpstr(zero, ==, "");

        disk = uefi_disk_new(data, len);
        f = uefi_disk_open(disk, 0);
        check_load(f, "");
        append(f, "1=a");
        check_bytes(disk, BLANK
                    "#uefi-vars-journal 1 change 1 e3b0c44298fc1c14 3 1=a "
                    "6dac2d9db7c1d92e\n");
    }
}

/* What other programs write is read, and not touched by that */
static void test_foreign(void)
{
    static const char *const documents[] = {
        "{}", "{}\n", "{}\r\n", "{\n    \"version\": 2\n}\n\n", "[]", "x",
    };
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(documents); i++) {
        size_t len = strlen(documents[i]);
        g_autofree char *text = g_strchomp(g_strdup(documents[i]));
        g_autofree char *changed = g_strconcat(text, "|1=a", NULL);
        g_autoptr(UefiDisk) disk = uefi_disk_new(documents[i], len);
        g_autoptr(UefiVarFile) f = uefi_disk_open(disk, 0);

        check_load(f, text);
        g_assert_cmpuint(uefi_var_file_journal_size(f), ==, 0);
        check_bytes(disk, documents[i]);
        append(f, "1=a");
        g_assert_cmpmem(disk->now->data, len, documents[i], len);
        g_assert_nonnull(memchr(disk->now->data, '\n', disk->now->len - 1));
        check_load(f, changed);
        fold(f, "{\n}");
        check_bytes(disk, "{\n}\n");
    }
}

static void test_texts(void)
{
    static const char *const records[] = { "", "a\nb", "\n" };
    static const char *const documents[] = { "", "\n\n", "#", "{\n#\n}" };
    g_autoptr(UefiDisk) disk = uefi_disk_new(DOC, strlen(DOC));
    g_autoptr(UefiVarFile) f = uefi_disk_open(disk, 0);
    g_autoptr(GError) err = NULL;
    unsigned i;

    check_append_fails(f, UEFI_VAR_FILE_ERROR_DAMAGED);  /* not loaded */
    check_load(f, DOC);
    for (i = 0; i < G_N_ELEMENTS(records); i++) {
        g_assert_false(uefi_var_file_append(f, records[i], strlen(records[i]),
                                            &err));
        check_error(&err, UEFI_VAR_FILE_ERROR_TEXT);
    }
    g_assert_false(uefi_var_file_append(f, "a\0b", 3, &err));
    check_error(&err, UEFI_VAR_FILE_ERROR_TEXT);
    for (i = 0; i < G_N_ELEMENTS(documents); i++) {
        g_assert_false(uefi_var_file_fold(f, documents[i],
                                          strlen(documents[i]), &err));
        check_error(&err, UEFI_VAR_FILE_ERROR_TEXT);
    }
    g_assert_false(uefi_var_file_fold(f, "{\0}", 3, &err));
    check_error(&err, UEFI_VAR_FILE_ERROR_TEXT);
    g_assert_cmpuint(disk->written, ==, 0);

    /* the mark of a record is harmless inside of a line */
    append(f, "#uefi-vars-journal 1 document 0 0000000000000000 0 ");
    check_load(f, DOC "|#uefi-vars-journal 1 document 0 0000000000000000 0 ");
}

/* The cost of a change is its own size, whatever that of the store is */
static void test_cost(void)
{
    g_autofree char *big = g_strnfill(1 << 20, 'x');
    const char *const documents[] = { "{}\n", big };
    size_t written[2];
    unsigned i;

    for (i = 0; i < 2; i++) {
        size_t len = strlen(documents[i]);
        g_autoptr(UefiDisk) disk = uefi_disk_new(documents[i], len);
        g_autoptr(UefiVarFile) f = uefi_disk_open(disk, 0);

        check_load(f, i ? big : "{}");
        append(f, "1=a");
        memset(disk->calls, 0, sizeof(disk->calls));
        disk->written = 0;
        append(f, "2=b");
        g_assert_cmpuint(disk->calls[UEFI_DISK_PREAD], ==, 0);
        g_assert_cmpuint(disk->calls[UEFI_DISK_PWRITE], ==, 1);
        g_assert_cmpuint(disk->calls[UEFI_DISK_FDATASYNC], ==, 1);
        g_assert_cmpuint(disk->calls[UEFI_DISK_FTRUNCATE], ==, 0);
        g_assert_cmpuint(disk->calls[UEFI_DISK_FSTAT], ==, 2);
        written[i] = disk->written;

        /* a document that is there already is not written again */
        fold(f, documents[i]);
        memset(disk->calls, 0, sizeof(disk->calls));
        fold(f, documents[i]);
        g_assert_cmpuint(disk->calls[UEFI_DISK_PWRITE], ==, 0);
        g_assert_cmpuint(disk->calls[UEFI_DISK_FDATASYNC], ==, 0);
    }
    g_assert_cmpuint(written[0], ==, written[1]);
}

/* The same for another process, which leaves ours as it is */
static void check_other_load(UefiDisk *disk, const char *expected)
{
    g_autoptr(UefiVarFile) other = uefi_disk_open(disk, 0);

    check_load(other, expected);
}

static void test_fold_steps(void)
{
    g_autoptr(UefiDisk) disk = journal_disk();
    g_autoptr(UefiVarFile) f = uefi_disk_open(disk, 0);

    /* changes in between stay, at any point */
    for (unsigned before = 0; before < 3; before++) {
        check_load(f, DOC "|2=b|3=c|4=d");
        g_assert_true(uefi_var_file_fold_begin(f, "{2}", 3, NULL));
        for (unsigned i = 0; i < before; i++) {
            g_assert_true(uefi_var_file_fold_pending(f));
            g_assert_true(uefi_var_file_fold_step(f, NULL));
        }
        append(f, "5=e");
        append(f, "6=f");
        check_other_load(disk, "{2}|5=e|6=f");
        while (uefi_var_file_fold_pending(f)) {
            g_assert_true(uefi_var_file_fold_step(f, NULL));
            check_other_load(disk, "{2}|5=e|6=f");
        }
        g_assert_cmpuint(uefi_var_file_journal_size(f), ==,
                         disk->now->len - strlen("{2}\n"));
        g_assert_cmpuint(disk->now->len, <, 150);
        append(f, "7=g");
        check_load(f, "{2}|5=e|6=f|7=g");
        fold(f, "{2,5}");
        check_bytes(disk, "{2,5}\n");

        fold(f, DOC);
        append(f, "2=b");
        append(f, "3=c");
        append(f, "4=d");
    }

    /* a fold that more follows than there is room for is given up */
    g_assert_true(uefi_var_file_fold_begin(f, "{2}", 3, NULL));
    while (uefi_var_file_fold_pending(f)) {
        append(f, "5=e");
    }
    append(f, "6=f");
    fold(f, DOC);
    append(f, "2=b");

    /* a fold that a crash interrupted is taken up where it was */
    g_assert_true(uefi_var_file_fold_begin(f, "{3}", 3, NULL));
    check_load(f, "{3}");
    g_assert_false(uefi_var_file_fold_pending(f));
    g_assert_cmpuint(uefi_var_file_journal_size(f), ==, disk->now->len);
    disk->written = 0;
    fold(f, "{3}");
    g_assert_cmpuint(disk->written, ==, strlen("{3}\n"));
    check_bytes(disk, "{3}\n");
}

/*
 * A document record that stands where the front has to be is the only copy,
 * until there is another one.
 */
static void test_fold_in_place(void)
{
    g_autofree char *data = record("document", 0, NO_PREV, "{4}");
    g_autoptr(UefiDisk) disk = uefi_disk_new(data, strlen(data));
    g_autoptr(UefiVarFile) f = uefi_disk_open(disk, 0);

    check_load(f, "{4}");
    g_assert_true(uefi_var_file_fold_begin(f, "{4}", 3, NULL));
    check_other_load(disk, "{4}");
    /* whatever becomes of the front while that is written */
    memset(disk->now->data, 0, 4);
    check_other_load(disk, "{4}");
    g_assert_true(g_str_has_prefix(data, "#"));
    memcpy(disk->now->data, data, 4);
    fold(f, "{4}");
    check_bytes(disk, "{4}\n");
}

/* A load tells whether the file has the state of a mark, or has moved on */
static void test_mark(void)
{
    g_autoptr(UefiDisk) disk = journal_disk();
    g_autoptr(UefiVarFile) f = uefi_disk_open(disk, 0);
    g_autoptr(UefiVarFile) other = uefi_disk_open(disk, 0);
    g_autofree char *mark = NULL;

    check_load(f, DOC "|2=b|3=c|4=d");
    mark = g_strdup(uefi_var_file_mark(f));
    uefi_var_file_expect(other, mark);
    disk->calls[UEFI_DISK_FDATASYNC] = 0;
    check_load(other, DOC "|2=b|3=c|4=d");
    g_assert_cmpint(uefi_var_file_age(other), ==, UEFI_FILE_SAME);
    g_assert_cmpuint(disk->calls[UEFI_DISK_FDATASYNC], ==, 0);

    append(f, "5=e");
    check_load(other, DOC "|2=b|3=c|4=d|5=e");
    g_assert_cmpint(uefi_var_file_age(other), ==, UEFI_FILE_AHEAD);
    g_assert_true(uefi_var_file_fold_begin(f, "{2}", 3, NULL));
    check_load(other, "{2}");
    g_assert_cmpint(uefi_var_file_age(other), ==, UEFI_FILE_AHEAD);
    fold(f, "{2}");
    check_load(other, "{2}");
    g_assert_cmpint(uefi_var_file_age(other), ==, UEFI_FILE_OTHER);
    uefi_var_file_expect(other, uefi_var_file_mark(f));
    check_load(other, "{2}");
    g_assert_cmpint(uefi_var_file_age(other), ==, UEFI_FILE_SAME);
}

/* The thresholds follow from document and limit */
static void test_fold_need(void)
{
    enum { KIB = 1024 };
    static const struct {
        size_t document, limit, idle, now;
    } cases[] = {
        { 10, 0, 64 * KIB, 256 * KIB },
        { 400 * KIB, 0, 400 * KIB, 1600 * KIB },
        { 10000 * KIB, 0, 8192 * KIB, 16384 * KIB },
        { 10, 64 * KIB, 8 * KIB, 16 * KIB },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *document = g_strnfill(cases[i].document, 'x');
        g_autofree char *record = g_strnfill(cases[i].idle / 8, 'y');
        g_autoptr(UefiDisk) disk = uefi_disk_new(document,
                                                 cases[i].document);
        g_autoptr(UefiVarFile) f = uefi_disk_open(disk, cases[i].limit);
        UefiVarFoldNeed need = UEFI_FOLD_NO_NEED;

        check_load(f, document);
        do {
            size_t journal = uefi_var_file_journal_size(f);

            g_assert_cmpint(need != UEFI_FOLD_NO_NEED, ==,
                            journal > cases[i].idle);
            g_assert_cmpint(need == UEFI_FOLD_NOW, ==,
                            journal > cases[i].now);
            append(f, record);
            need = uefi_var_file_fold_need(f);
        } while (need != UEFI_FOLD_NOW);
    }
}

/* The program in the specification reads what is written here */
static void check_reader(const char *script, const UefiDisk *disk)
{
    g_autofree char *path = NULL;
    g_autofree char *output = NULL;
    g_autofree char *expected = load_bytes(disk->now->data, disk->now->len);
    g_autoptr(GError) err = NULL;
    const char *argv[] = { "python3", "-c", script, NULL, NULL };
    int status, fd = g_file_open_tmp("uefi-file-XXXXXX", &path, &err);

    g_assert_no_error(err);
    close(fd);
    g_file_set_contents(path, (char *)disk->now->data, disk->now->len, &err);
    g_assert_no_error(err);
    argv[3] = path;
    g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
                 &output, NULL, &status, &err);
    g_assert_no_error(err);
    g_assert_cmpint(status, ==, 0);
    g_strdelimit(expected, "|", '\n');
    g_assert_cmpstr(g_strchomp(output), ==, g_strchomp(expected));
    g_unlink(path);
}

static char *reader_script(void)
{
    g_autofree char *path = g_test_build_filename(
        G_TEST_DIST, "..", "..", "docs", "specs", "uefi-vars-file.rst", NULL);
    g_autofree char *text = NULL;
    g_autoptr(GError) err = NULL;
    g_auto(GStrv) lines = NULL;
    GString *script = g_string_new(NULL);
    unsigned i;

    g_file_get_contents(path, &text, NULL, &err);
    g_assert_no_error(err);
    lines = g_strsplit(text, "\n", -1);
    for (i = 0; lines[i] && !g_str_has_suffix(lines[i], ":: python"); i++) {
        continue;
    }
    g_assert_nonnull(lines[i]);
    for (i++; lines[i]; i++) {
        if (g_str_has_prefix(lines[i], "    ")) {
            g_string_append(script, lines[i] + 4);
        } else if (*lines[i]) {
            break;
        }
        g_string_append_c(script, '\n');
    }
    return g_string_free(script, false);
}

static void test_reader(void)
{
    g_autofree char *script = reader_script();
    g_autoptr(UefiDisk) disk = journal_disk();
    g_autoptr(UefiVarFile) f = uefi_disk_open(disk, 0);
    g_autoptr(UefiDisk) blank = uefi_disk_new("", 0);

    check_reader(script, blank);
    check_reader(script, disk);
    check_load(f, DOC "|2=b|3=c|4=d");
    g_assert_true(uefi_var_file_fold_begin(f, "{\n2\n}", 5, NULL));
    g_assert_true(uefi_var_file_fold_step(f, NULL));
    append(f, "5=e");
    check_reader(script, disk);
    uefi_disk_set(disk, disk->now->data, disk->now->len - 9);
    check_reader(script, disk);
}

/* ------------------------------------------------------------------------ */
/* damage */

static void test_refused(void)
{
    static const char zeroes[4096];
    g_autofree char *nul = g_strdup_printf("{\n1=a\n}%c{\n}", 1);

    *strchr(nul, 1) = 0;
    check_refused(" ", 1, "neither a document nor a record");
    check_refused("\n\n", 2, "neither a document nor a record");
    check_refused(zeroes, sizeof(zeroes), "neither a document nor a record");
    check_refused(zeroes, strlen(BLANK) + 1, "neither a document");
    check_refused("# comment\n{}\n", 13, "damaged at byte 0 (line 1)");
    check_refused("#uefi-vars-journal 1 x\n", 23, "damaged at byte 0");
    check_refused(DOC "\n#uefi-vars-journal 1 x\n", 31,
                  "damaged at byte 8 (line 4)");
    check_refused(DOC "\n#uefi-vars-journal 2 x\n", 31,
                  "byte 8 (line 4): a record of a newer version");
    check_refused(DOC "\n# comment", 17, "'truncate -s 8'");
}

/* Records that are good, but not where they stand */
static void test_misplaced(void)
{
    g_autofree char *base =
        g_compute_checksum_for_string(G_CHECKSUM_SHA256, "{}", -1);
    g_autofree char *first = record("change", 1, base, "2=b");
    const char *last = first + strlen(first) - 17;
    g_autofree char *second = record("change", 2, last, "3=c");
    g_autofree char *fold = record("fold", 2, last, "");
    g_autofree char *after = record("change", 3, fold + strlen(fold) - 17, "x");
    g_autofree char *number = record("change", 2, base, "2=b");
    g_autofree char *prev = record("change", 1, NO_PREV, "2=b");
    g_autofree char *kind = record("chance", 1, base, "2=b");
    g_autofree char *document = record("document", 0, NO_PREV, "{4}");
    const struct {
        const char *parts[5];
        const char *expected;
    } files[] = {
        { { "{}\n", first, second }, "{}|2=b|3=c" },
        { { "{}\n", first, "\t\n\n", second }, "{}|2=b|3=c" },
        { { "{}\n", first, fold }, "{}|2=b" },
        { { "{}\n", first, fold, "#?" }, "{}|2=b" },
        { { "{}\n", first, fold, document }, "{4}" },
        { { "{}\n", number, "#?\n", document }, "{4}" },
        { { "", document }, "{4}" },
        { { "{}\n", first, fold, second }, "!byte 138" },
        { { "{}\n", first, fold, after }, "!byte 138" },
        { { "{}\n", second }, "!byte 3" },
        { { "{}\n", number }, "!byte 3" },
        { { "{}\n", prev }, "!byte 3" },
        { { "{}\n", kind }, "!byte 3" },
        { { "{}\n", document, first }, "!byte " },
        { { "{}\n", first, "x\n", second }, "!byte " },
        { { "{}\n", first, "x\n" }, "!byte " },
        { { "{}\n", first, "#\n", second }, "!byte " },
        { { "", first }, "!byte 0" },
        { { "\n", first }, "!byte 0" },
    };
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *data = g_strconcat(
            files[i].parts[0], files[i].parts[1], files[i].parts[2],
            files[i].parts[3], files[i].parts[4], NULL);

        if (files[i].expected[0] == '!') {
            check_refused(data, strlen(data), files[i].expected + 1);
        } else {
            g_autofree char *text = load_bytes(data, strlen(data));

            g_assert_cmpstr(text, ==, files[i].expected);
        }
    }
}

/* A NUL has no place in a record, even if its check is right */
static void test_nul(void)
{
    static const char text[] =
        "#uefi-vars-journal 1 document 0 " NO_PREV " 3 {\0}";
    size_t len = sizeof(text) - 1;
    g_autofree char *check = g_compute_checksum_for_data(
        G_CHECKSUM_SHA256, (const guchar *)text, len);
    g_autofree char *tail = g_strdup_printf(" %.16s\n", check);
    g_autoptr(GString) data = g_string_new_len(text, len);

    g_string_append(data, tail);
    check_refused(data->str, data->len, "damaged at byte 0");
}

/* Zeroes are an interrupted write, unless a good record follows */
static void test_zeroes(void)
{
    g_autoptr(UefiDisk) whole = journal_disk();
    size_t first = strlen(DOC) + 1;
    size_t size = (whole->now->len - first) / 3;
    unsigned i;

    for (i = 0; i < 3; i++) {
        g_autoptr(UefiDisk) disk = uefi_disk_new(whole->now->data,
                                                 whole->now->len);
        g_autofree char *text = NULL;

        memset(disk->now->data + first + i * size, 0, size);
        text = load_bytes(disk->now->data, disk->now->len);
        if (i == 2) {
            g_assert_cmpstr(text, ==, DOC "|2=b|3=c");
        } else {
            g_assert_nonnull(strstr(text, "a record that does not follow"));
        }
        memset(disk->now->data + first + i * size, '#', 1);
        g_free(text);
        text = load_bytes(disk->now->data, disk->now->len);
        if (i == 2) {
            g_assert_cmpstr(text, ==, DOC "|2=b|3=c");
        } else {
            g_assert_nonnull(strstr(text, "a record that does not check out"));
        }
    }
}

/* The state after the first @n of the changes in journal_disk() */
static char *known_state(unsigned n)
{
    static const char *const records[] = { "|2=b", "|3=c", "|4=d" };
    GString *text = g_string_new(DOC);
    unsigned i;

    for (i = 0; i < n; i++) {
        g_string_append(text, records[i]);
    }
    return g_string_free(text, false);
}

static void check_known(const char *text)
{
    unsigned i;

    if (*text == '!') {
        return;
    }
    if (g_str_has_prefix(text, DOC "\n")) {
        return;     /* a record without its mark; no JSON, as the caller sees */
    }
    for (i = 0; i <= 3; i++) {
        g_autofree char *known = known_state(i);

        if (strcmp(text, known) == 0) {
            return;
        }
    }
    g_error("a state that never was: %s", text);
}

/* Cut anywhere: what is complete counts, and the next change finds its place */
static void test_cut(void)
{
    g_autoptr(UefiDisk) whole = journal_disk();
    size_t at, first = strlen(DOC) + 1;
    size_t record = (whole->now->len - first) / 3;

    for (at = strlen(DOC); at <= whole->now->len; at++) {
        /* a record is complete without the line feed at its end */

        g_autoptr(UefiDisk) disk = uefi_disk_new(whole->now->data, at);
        g_autoptr(UefiVarFile) f = uefi_disk_open(disk, 0);
        g_autofree char *before = known_state(at < first ? 0 :
                                              (at + 1 - first) / record);
        g_autofree char *after = g_strconcat(before, "|5=e", NULL);
        size_t torn = at < first ? 0 : (at - first) % record;

        check_load(f, before);
        g_assert_cmpuint(uefi_var_file_torn(f), ==,
                         torn < record - 1 ? torn : 0);
        append(f, "5=e");
        check_load(f, after);
    }
}

/* No flipped byte of an acknowledged record goes unnoticed */
static void test_flip(void)
{
    g_autoptr(UefiDisk) disk = journal_disk();
    size_t at;

    for (at = 0; at + 1 < disk->now->len; at++) {
        g_autofree char *text = NULL;
        const char *cure;

        disk->now->data[at] ^= 1;
        text = load_bytes(disk->now->data, disk->now->len);
        g_assert_cmpint(text[0], ==, '!');
        cure = strstr(text, "'truncate -s ");
        if (cure && at > strlen(DOC "\n#")) {
            /* what the message says helps */
            size_t len = g_ascii_strtoull(cure + strlen("'truncate -s "),
                                          NULL, 10);
            g_autofree char *cut = load_bytes(disk->now->data, len);

            g_assert_cmpuint(len, <=, at);
            g_assert_cmpint(cut[0], ==, '{');
            check_known(cut);
        }
        disk->now->data[at] ^= 1;
    }
}

/*
 * A fold that was interrupted while it wrote the front, in such a way that the
 * mixture looks like a document: then the appended record is damaged, too.
 */
static void test_flip_fold(void)
{
    g_autoptr(UefiDisk) disk = uefi_disk_new("{1}", 3);
    g_autoptr(UefiVarFile) f = uefi_disk_open(disk, 0);
    size_t at;

    check_load(f, "{1}");
    g_assert_true(uefi_var_file_fold_begin(f, "{23}", 4, NULL));
    disk->now->data[1] = '2';
    check_load(f, "{23}");
    for (at = 0; at < disk->now->len; at++) {
        g_autofree char *text = NULL;

        disk->now->data[at] ^= 1;
        text = load_bytes(disk->now->data, disk->now->len);
        if (*text != '!') {
            g_assert_cmpstr(text, ==, "{23}");
        }
        disk->now->data[at] ^= 1;
    }

    /* as long as the front is as it was, it can stand in */
    disk->now->data[1] = '1';
    disk->now->data[disk->now->len - 3] ^= 1;
    check_load(f, "{1}");
    append(f, "5=e");
    check_load(f, "{1}|5=e");
}

/* Remove, double, zero, overwrite and flip at random behind the document */
static void mutate(GByteArray *data, GRand *rand)
{
    size_t low = strlen(DOC) + 1, n = data->len - low;
    size_t at, len;

    if (n == 0) {
        return;
    }
    at = low + g_rand_int_range(rand, 0, n);
    len = g_rand_int_range(rand, 1, MIN(data->len - at, 100) + 1);
    switch (g_rand_int_range(rand, 0, 6)) {
    case 0:
        data->data[at] ^= 1 << g_rand_int_range(rand, 0, 8);
        break;
    case 1:
        data->data[at] = g_rand_int_range(rand, 0, 256);
        break;
    case 2:
        g_byte_array_remove_range(data, at, len);
        break;
    case 3:
        g_byte_array_set_size(data, at);
        break;
    case 4:
        memset(data->data + at, 0, len);
        break;
    case 5: {
        g_autoptr(GBytes) copy = g_bytes_new(data->data + at, len);

        g_byte_array_append(data, g_bytes_get_data(copy, NULL), len);
        break;
    }
    }
}

static void test_mutations(void)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(7);
    unsigned i, n = g_test_slow() ? 1000000 : 20000, good = 0;

    for (i = 0; i < n; i++) {
        g_autoptr(UefiDisk) disk = journal_disk();
        g_autofree char *text = NULL;
        unsigned m;

        for (m = g_rand_int_range(rand, 1, 5); m > 0; m--) {
            mutate(disk->now, rand);
        }
        text = load_bytes(disk->now->data, disk->now->len);
        check_known(text);
        good += *text != '!';
    }
    g_assert_cmpuint(good, >, n / 20);
    g_assert_cmpuint(good, <, n);
}

/*
 * Files that are made to be slow or to need much memory.  In time that grows
 * with the square of the size none would be read before the test has to end.
 */
static void test_hostile(void)
{
    static const char *const lines[] = {
        "\n#",
        BLANK,
        "\n#uefi-vars-journal 1 change 1 " NO_PREV " 8000000 x",
        "\n#uefi-vars-journal 1 change 1 " NO_PREV " 999999999999999999 x",
        "\n#uefi-vars-journal 1 fold 18446744073709551617 " NO_PREV " 0  ",
    };
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(lines); i++) {
        GString *text = g_string_new(DOC "\n");
        g_autofree char *result = NULL;

        while (text->len < 8 << 20) {
            g_string_append(text, lines[i]);
        }
        result = load_bytes(text->str, text->len);
        g_assert_cmpint(result[0], ==, i == 1 ? 0 : '!');
        g_string_free(text, true);
    }
}

/* ------------------------------------------------------------------------ */
/* limits and failures */

static void test_limits(void)
{
    g_autofree char *document = g_strnfill(1024, 'x');
    g_autofree char *longer = g_strnfill(1025, 'y');
    g_autofree char *record = g_strnfill(200, 'z');
    g_autoptr(UefiDisk) disk = uefi_disk_new(document, 1024);
    g_autoptr(UefiVarFile) f = uefi_disk_open(disk, 4096);
    g_autoptr(UefiVarFile) small = uefi_disk_open(disk, 1023);
    g_autofree char *refused = load(small);
    g_autoptr(GError) err = NULL;
    unsigned i;

    g_assert_nonnull(strstr(refused, "1024 bytes are more than"));
    check_load(f, document);
    for (i = 0; uefi_var_file_append(f, record, 200, &err); i++) {
        g_assert_cmpuint(i, <, 10);
    }
    check_error(&err, UEFI_VAR_FILE_ERROR_LONG);
    g_assert_cmpuint(i, >, 2);
    g_assert_cmpuint(disk->now->len, <=, 2048);

    /* there is always room for a fold, and then for changes */
    document[0] = 'y';
    fold(f, document);
    g_assert_cmpuint(disk->now->len, ==, 1025);
    append(f, record);
    g_assert_false(uefi_var_file_fold(f, longer, 1025, &err));
    check_error(&err, UEFI_VAR_FILE_ERROR_FULL);
}

/* Operations from number @from to @to, counting from 0, fail */
typedef struct Fault {
    unsigned from, to;
    int error;
    unsigned n;
} Fault;

static int fault(void *opaque, UefiDiskOp op, size_t *len)
{
    Fault *fault = opaque;
    unsigned n = fault->n++;

    if (op == UEFI_DISK_PWRITE && *len > 1) {
        *len /= 2;              /* never all at once */
    }
    return n >= fault->from && n < fault->to ? fault->error : 0;
}

typedef struct Action {
    const char *before;         /* bytes of the file */
    size_t cut;                 /* so many of them are missing at the end */
    const char *fold;           /* a document, or NULL to append "9=z" */
    const char *state_before;
    const char *state_after;
} Action;

static bool act(UefiVarFile *f, const Action *a, GError **err)
{
    return a->fold ? uefi_var_file_fold(f, a->fold, strlen(a->fold), err)
                   : uefi_var_file_append(f, "9=z", 3, err);
}

/*
 * Let @count operations in a row fail, beginning at each operation of the
 * action.  Whatever fails the state is as before, and once the cause is gone
 * the action succeeds.
 */
static void check_faults(const Action *a, unsigned count, int error,
                         UefiVarFileError code)
{
    size_t len = strlen(a->before) - a->cut;
    unsigned from;
    bool failed = true;

    /* more than fstat, write and sync */
    for (from = 0; failed || from < 4; from++) {
        Fault state = { .from = from, .to = from + count, .error = error };
        g_autoptr(UefiDisk) disk = uefi_disk_new(a->before, len);
        g_autoptr(UefiVarFile) f = uefi_disk_open(disk, 0);
        g_autoptr(GError) err = NULL;

        g_assert_cmpuint(from, <, 200);
        check_load(f, a->state_before);
        disk->fault = fault;
        disk->fault_opaque = &state;
        failed = !act(f, a, &err);
        if (failed) {
            g_autofree char *text = load_bytes(disk->now->data,
                                               disk->now->len);

            check_error(&err, code);
            if (strcmp(text, a->state_before) != 0) {
                /* it could be neither completed nor taken back */
                g_assert_cmpstr(text, ==, a->state_after);
                g_assert_true(count > 1 || a->fold);
            }
        }
        disk->fault = NULL;
        if (failed) {
            g_assert_true(act(f, a, &err));
            g_assert_no_error(err);
        }
        check_load(f, a->state_after);
    }
}

static const Action actions[] = {
    { "", 0, NULL, "", "|9=z" },
    { "", 0, "{2}", "", "{2}" },
    { "{1}", 0, NULL, "{1}", "{1}|9=z" },
    { "{1}\n", 0, NULL, "{1}", "{1}|9=z" },
    { "{1}", 0, "{2}", "{1}", "{2}" },
    { "{1}", 0, "{a much longer document}", "{1}", "{a much longer document}" },
    { BLANK, 5, NULL, "", "|9=z" },
    { DOC "\n#uefi-vars-journal 1 change 1 131be7d747aab819 3 2=b "
      "9a3d77d1da674f9a\n", 0, NULL, DOC "|2=b", DOC "|2=b|9=z" },
    { DOC "\n#uefi-vars-journal 1 change 1 131be7d747aab819 3 2=b "
      "9a3d77d1da674f9a\n", 1, NULL, DOC "|2=b", DOC "|2=b|9=z" },
    { DOC "\n#uefi-vars-journal 1 change 1 131be7d747aab819 3 2=b "
      "9a3d77d1da674f9a\n", 2, NULL, DOC, DOC "|9=z" },
    { DOC "\n#uefi-vars-journal 1 change 1 131be7d747aab819 3 2=b "
      "9a3d77d1da674f9a\n", 0, "{2}", DOC "|2=b", "{2}" },
};

static void test_faults(void)
{
    static const struct {
        int error;
        UefiVarFileError code;
    } errors[] = {
        { EIO, UEFI_VAR_FILE_ERROR_IO },
        { ENOSPC, UEFI_VAR_FILE_ERROR_FULL },
        { EDQUOT, UEFI_VAR_FILE_ERROR_FULL },
        { EFBIG, UEFI_VAR_FILE_ERROR_FULL },
        { EROFS, UEFI_VAR_FILE_ERROR_READONLY },
        { EPERM, UEFI_VAR_FILE_ERROR_READONLY },
    };
    unsigned a, count, e;

    for (a = 0; a < G_N_ELEMENTS(actions); a++) {
        for (count = 1; count < 8; count++) {
            for (e = 0; e < G_N_ELEMENTS(errors); e++) {
                check_faults(&actions[a], count, errors[e].error,
                             errors[e].code);
            }
        }
    }
}

static int interrupt(void *opaque, UefiDiskOp op, size_t *len)
{
    unsigned *n = opaque;

    if (op == UEFI_DISK_PWRITE || op == UEFI_DISK_PREAD) {
        *len = MIN(*len, 3);
    }
    return (*n)++ % 2 || op == UEFI_DISK_FSTAT ? 0 : EINTR;
}

/* Interrupted and short calls are no failures */
static void test_interrupted(void)
{
    unsigned a, n = 0;

    for (a = 0; a < G_N_ELEMENTS(actions); a++) {
        size_t len = strlen(actions[a].before) - actions[a].cut;
        g_autoptr(UefiDisk) disk = uefi_disk_new(actions[a].before, len);
        g_autoptr(UefiVarFile) f = uefi_disk_open(disk, 0);

        disk->fault = interrupt;
        disk->fault_opaque = &n;
        check_load(f, actions[a].state_before);
        g_assert_true(act(f, &actions[a], NULL));
        check_load(f, actions[a].state_after);
    }
}

static int write_nothing(void *opaque, UefiDiskOp op, size_t *len)
{
    if (op == UEFI_DISK_PWRITE) {
        *len = 0;
    }
    return 0;
}

static void test_no_progress(void)
{
    g_autoptr(UefiDisk) disk = journal_disk();
    g_autoptr(UefiVarFile) f = uefi_disk_open(disk, 0);

    check_load(f, DOC "|2=b|3=c|4=d");
    disk->fault = write_nothing;
    check_append_fails(f, UEFI_VAR_FILE_ERROR_IO);
}

/* A file that cannot be read is not written either */
static int no_way_back(void *opaque, UefiDiskOp op, size_t *len)
{
    return op == UEFI_DISK_FDATASYNC || op == UEFI_DISK_FTRUNCATE ? EIO : 0;
}

/* A change that was refused must not be there after a fold, such as at exit. */
static void test_refused_change(void)
{
    g_autoptr(UefiDisk) disk = uefi_disk_new("{}\n", 3);
    g_autoptr(UefiVarFile) f = uefi_disk_open(disk, 0);

    check_load(f, "{}");
    disk->fault = no_way_back;
    g_assert_false(uefi_var_file_append(f, "1=a", 3, NULL));
    disk->fault = NULL;
    g_assert_cmpuint(disk->now->len, >, 3);
    g_assert_cmpuint(uefi_var_file_journal_size(f), >, 0);
    g_assert_true(uefi_var_file_fold(f, "{}", 2, NULL));
    check_bytes(disk, "{}\n");
    g_assert_cmpuint(uefi_var_file_journal_size(f), ==, 0);
}

static void test_load_fails(void)
{
    unsigned i;

    for (i = 0; i < 4; i++) {
        Fault state = { .from = i, .to = i + 1, .error = EIO };
        g_autoptr(UefiDisk) disk = journal_disk();
        g_autoptr(UefiVarFile) f = uefi_disk_open(disk, 0);
        g_autofree char *text = NULL;

        check_load(f, DOC "|2=b|3=c|4=d");
        disk->fault = fault;
        disk->fault_opaque = &state;
        text = load(f);
        g_assert_cmpint(text[0], ==, '!');
        disk->fault = NULL;
        check_append_fails(f, UEFI_VAR_FILE_ERROR_DAMAGED);
        check_load(f, DOC "|2=b|3=c|4=d");
        append(f, "5=e");
    }
}

/* ------------------------------------------------------------------------ */
/* other users of the file */

static void check_foreign_kept(UefiVarFile *f, UefiDisk *disk)
{
    g_autoptr(GBytes) kept = g_bytes_new(disk->now->data, disk->now->len);
    g_autoptr(GError) err = NULL;

    check_append_fails(f, UEFI_VAR_FILE_ERROR_CHANGED);
    g_assert_false(uefi_var_file_fold(f, "{2}", 3, &err));
    check_error(&err, UEFI_VAR_FILE_ERROR_CHANGED);
    g_assert_cmpmem(disk->now->data, disk->now->len,
                    g_bytes_get_data(kept, NULL), g_bytes_get_size(kept));
}

static void test_changed(void)
{
    g_autoptr(UefiDisk) copy = journal_disk();
    g_autoptr(UefiDisk) disk = journal_disk();
    g_autoptr(UefiVarFile) f = uefi_disk_open(disk, 0);
    const void *data = copy->now->data;
    size_t len = copy->now->len;
    unsigned folded;

    for (folded = 0; folded < 2; folded++) {
        g_autoptr(UefiDisk) other = uefi_disk_new(disk->now->data,
                                                  disk->now->len);

        uefi_disk_set(disk, data, len);
        check_load(f, DOC "|2=b|3=c|4=d");
        if (folded) {
            g_assert_true(uefi_var_file_fold_begin(f, "{9}", 3, NULL));
            uefi_disk_set(copy, disk->now->data, disk->now->len);
            data = copy->now->data;
            len = copy->now->len;
        }

        /* truncated */
        uefi_disk_set(disk, "", 0);
        check_foreign_kept(f, disk);
        uefi_disk_set(disk, data, len - 1);
        check_foreign_kept(f, disk);
        /* longer */
        uefi_disk_set(other, data, len);
        g_byte_array_append(other->now, (guint8 *)"\n", 1);
        uefi_disk_set(disk, other->now->data, other->now->len);
        check_foreign_kept(f, disk);
        /* of the same size */
        g_byte_array_set_size(other->now, len);
        other->now->data[folded ? len - 20 : 2] ^= 1;
        uefi_disk_set(disk, other->now->data, len);
        check_foreign_kept(f, disk);
        other->now->data[folded ? len - 20 : 2] ^= 1;
        other->now->data[len - 2] ^= 1;
        uefi_disk_set(disk, other->now->data, len);
        check_foreign_kept(f, disk);
        /* gone */
        uefi_disk_set(disk, data, len);
        disk->lost = true;
        check_foreign_kept(f, disk);
        disk->lost = false;

        /* as before, but for the time */
        append(f, "5=e");
        check_load(f, folded ? "{9}|5=e" : DOC "|2=b|3=c|4=d|5=e");
    }
}

static int change_in_between(void *opaque, UefiDiskOp op, size_t *len)
{
    UefiDisk *disk = opaque;

    if (op == UEFI_DISK_FDATASYNC) {
        g_byte_array_set_size(disk->now, 5);
    }
    return 0;
}

/* Truncated between a write and its sync */
static void test_changed_meanwhile(void)
{
    g_autoptr(UefiDisk) disk = journal_disk();
    g_autoptr(UefiVarFile) f = uefi_disk_open(disk, 0);

    check_load(f, DOC "|2=b|3=c|4=d");
    disk->fault = change_in_between;
    disk->fault_opaque = disk;
    check_append_fails(f, UEFI_VAR_FILE_ERROR_CHANGED);
    disk->fault = NULL;
    check_append_fails(f, UEFI_VAR_FILE_ERROR_CHANGED);
    g_assert_cmpuint(disk->now->len, ==, 5);
}

static UefiVarFile *open_path(const char *path, int flags)
{
    g_autoptr(GError) err = NULL;
    UefiVarFile *f = uefi_var_file_open(open(path, flags, 0600), path,
                                        path, 0, &err);

    g_assert_no_error(err);
    return f;
}

static char *temp_dir(void)
{
    g_autoptr(GError) err = NULL;
    char *dir = g_dir_make_tmp("uefi-file-XXXXXX", &err);

    g_assert_no_error(err);
    return dir;
}

static void test_real_file(void)
{
    g_autofree char *dir = temp_dir();
    g_autofree char *path = g_build_filename(dir, "store", NULL);
    g_autofree char *other = g_build_filename(dir, "other", NULL);
    g_autofree char *text = NULL;
    g_autoptr(UefiVarFile) f = open_path(path, O_RDWR | O_CREAT);
    g_autoptr(UefiVarFile) reader = open_path(path, O_RDONLY);
    g_autofree char *document = NULL;
    g_autoptr(GPtrArray) records = NULL;
    g_autoptr(GError) err = NULL;
    struct stat st;
    int fd;

    g_assert_true(uefi_var_file_sync_parent(path));
    g_assert_false(uefi_var_file_sync_parent("/nonexistent/store"));

    check_load(f, "");
    append(f, "1=a");
    check_load(reader, "|1=a");
    check_append_fails(reader, UEFI_VAR_FILE_ERROR_READONLY);
    fold(f, DOC);
    check_load(reader, DOC);
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, DOC "\n");

    /* truncated, and put back */
    g_assert_cmpint(truncate(path, 3), ==, 0);
    check_append_fails(f, UEFI_VAR_FILE_ERROR_CHANGED);
    g_assert_cmpint(stat(path, &st), ==, 0);
    g_assert_cmpint(st.st_size, ==, 3);
    fd = open(path, O_WRONLY | O_TRUNC);
    g_assert_cmpint(write(fd, text, strlen(text)), ==, strlen(text));
    close(fd);
    append(f, "2=b");
    check_load(f, DOC "|2=b");

    /* moved away, with another one in its place, and put back */
    g_assert_cmpint(g_rename(path, other), ==, 0);
    g_assert_true(g_file_set_contents(path, "{}", 2, NULL));
    check_append_fails(f, UEFI_VAR_FILE_ERROR_CHANGED);
    g_assert_cmpint(g_rename(other, path), ==, 0);
    append(f, "3=c");
    check_load(f, DOC "|2=b|3=c");

    /* moved away, with nothing in its place */
    g_assert_cmpint(g_rename(path, other), ==, 0);
    check_append_fails(f, UEFI_VAR_FILE_ERROR_CHANGED);
    g_assert_cmpint(g_rename(other, path), ==, 0);
    append(f, "4=d");
    check_load(f, DOC "|2=b|3=c|4=d");

    /* another one moved in its place */
    g_assert_true(g_file_set_contents(other, "{}", 2, NULL));
    g_assert_cmpint(g_rename(other, path), ==, 0);
    check_append_fails(f, UEFI_VAR_FILE_ERROR_CHANGED);
    /* nor does loading make it ours: what we have has no name any more */
    g_assert_false(uefi_var_file_load(f, &document, &records, &err));
    g_assert_error(err, UEFI_VAR_FILE_ERROR, UEFI_VAR_FILE_ERROR_CHANGED);

    g_unlink(path);
    g_rmdir(dir);
}

static void check_not_opened(int fd)
{
    g_autoptr(GError) err = NULL;

    g_assert_null(uefi_var_file_open(fd, "store", "store", 0, &err));
    check_error(&err, UEFI_VAR_FILE_ERROR_IO);
    g_assert_cmpint(fcntl(fd, F_GETFD), ==, -1);
}

static void test_open(void)
{
    g_autofree char *dir = temp_dir();
    g_autofree char *path = g_build_filename(dir, "store", NULL);
    int ends[2];

    check_not_opened(open(path, O_WRONLY | O_CREAT, 0600));
    check_not_opened(open(path, O_RDWR | O_APPEND));
    check_not_opened(open(dir, O_RDONLY));
    check_not_opened(open(path, O_RDWR | O_DIRECT));
    check_not_opened(-1);
    g_assert_cmpint(pipe(ends), ==, 0);
    check_not_opened(ends[0]);
    check_not_opened(ends[1]);
    uefi_var_file_close(NULL);
    g_unlink(path);
    g_rmdir(dir);
}

static void check_locked(UefiVarFile *f)
{
    g_autoptr(GError) err = NULL;

    g_assert_false(uefi_var_file_lock(f, &err));
    check_error(&err, UEFI_VAR_FILE_ERROR_LOCKED);
}

static void test_lock(void)
{
    g_autofree char *dir = temp_dir();
    g_autofree char *path = g_build_filename(dir, "store", NULL);
    UefiVarFile *a = open_path(path, O_RDWR | O_CREAT);
    g_autoptr(UefiVarFile) b = open_path(path, O_RDWR);
    g_autoptr(UefiVarFile) r = open_path(path, O_RDONLY);
    g_autoptr(GError) err = NULL;
    int passed = open(path, O_RDWR);
    UefiVarFile *d = uefi_var_file_open(dup(passed), path, path, 0, NULL);

    g_assert_true(uefi_var_file_lock(a, NULL));
    g_assert_true(uefi_var_file_lock(a, NULL));
    check_locked(b);
    g_assert_false(uefi_var_file_lock(r, &err));
    check_error(&err, UEFI_VAR_FILE_ERROR_READONLY);

    /* another descriptor of the file that is closed takes no lock along */
    close(open(path, O_RDWR));
    check_locked(b);

    uefi_var_file_close(a);
    g_assert_true(uefi_var_file_lock(b, NULL));
    uefi_var_file_unlock(b);
    uefi_var_file_unlock(b);

    /* the duplicate of a manager does not keep the lock after us */
    g_assert_true(uefi_var_file_lock(d, NULL));
    check_locked(b);
    uefi_var_file_close(d);
    g_assert_true(uefi_var_file_lock(b, NULL));
    close(passed);

    g_unlink(path);
    g_rmdir(dir);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/uefi/file/golden", test_golden);
    g_test_add_func("/uefi/file/blank", test_blank);
    g_test_add_func("/uefi/file/foreign", test_foreign);
    g_test_add_func("/uefi/file/texts", test_texts);
    g_test_add_func("/uefi/file/cost", test_cost);
    g_test_add_func("/uefi/file/fold-steps", test_fold_steps);
    g_test_add_func("/uefi/file/fold-in-place", test_fold_in_place);
    g_test_add_func("/uefi/file/mark", test_mark);
    g_test_add_func("/uefi/file/fold-need", test_fold_need);
    g_test_add_func("/uefi/file/reader", test_reader);
    g_test_add_func("/uefi/file/refused", test_refused);
    g_test_add_func("/uefi/file/misplaced", test_misplaced);
    g_test_add_func("/uefi/file/nul", test_nul);
    g_test_add_func("/uefi/file/zeroes", test_zeroes);
    g_test_add_func("/uefi/file/cut", test_cut);
    g_test_add_func("/uefi/file/flip", test_flip);
    g_test_add_func("/uefi/file/flip-fold", test_flip_fold);
    g_test_add_func("/uefi/file/mutations", test_mutations);
    g_test_add_func("/uefi/file/hostile", test_hostile);
    g_test_add_func("/uefi/file/limits", test_limits);
    g_test_add_func("/uefi/file/faults", test_faults);
    g_test_add_func("/uefi/file/interrupted", test_interrupted);
    g_test_add_func("/uefi/file/no-progress", test_no_progress);
    g_test_add_func("/uefi/file/refused-change", test_refused_change);
    g_test_add_func("/uefi/file/load-fails", test_load_fails);
    g_test_add_func("/uefi/file/changed", test_changed);
    g_test_add_func("/uefi/file/changed-meanwhile", test_changed_meanwhile);
    g_test_add_func("/uefi/file/real-file", test_real_file);
    g_test_add_func("/uefi/file/open", test_open);
    g_test_add_func("/uefi/file/lock", test_lock);
    return g_test_run();
}
