/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: the store file on disk
 *
 * Appending, folding and loading, on top of the grammar of
 * var-service-journal.c.  Why what is written here survives a cut at any point
 * is described in docs/specs/uefi-vars-file.rst.
 *
 * Every write is planned, run and finished.  Only running it blocks, and
 * touches nothing but the plan, so that it may be done by another thread.
 */

#include "qemu/osdep.h"
#include "hw/uefi/var-service-file.h"
#include "hw/uefi/var-service-journal.h"

/*
 * A fold writes the document twice.  It is worth that when the journal is as
 * long as the document, and never for less than this, bytes; urgent when it is
 * this many times as long.
 */
#define FOLD_LEAST      (64 * 1024)
#define FOLD_URGENT     4

/* What the next step of a fold does */
typedef enum FoldStep {
    FOLD_NONE,
    FOLD_FRONT,             /* write the document over the front */
    FOLD_TAIL,              /* and what was appended since behind it */
    FOLD_CUT,               /* cut the file there */
} FoldStep;

typedef enum PlanKind {
    PLAN_NONE,
    PLAN_APPEND,            /* make the good part longer by a record */
    PLAN_DOCUMENT,          /* the same for the records that begin a fold */
    PLAN_FRONT,             /* steps of the fold */
    PLAN_TAIL,
    PLAN_CUT,
} PlanKind;

/* A write: what is to be done, and what has become of it */
typedef struct Plan {
    PlanKind kind;
    GString *blank;         /* to be written first, on its own, or NULL */
    GString *text;          /* then this, or NULL */
    uint64_t at;            /* offset of the text, where it does not extend */
    UefiJournalSum sum;     /* of the last link of the chain then */
    GString *document;      /* of PLAN_DOCUMENT: the new front */
    uint64_t end;           /* what lies behind is not good, */
    bool cut_due;           /* and must go first, durably */
    bool tried;             /* the text may be in the file */
    int error;              /* errno */
    const char *failed;     /* NULL when all went well */
} Plan;

struct UefiVarFile {
    const UefiVarFileOps *ops;
    void *opaque;
    char *name;
    size_t limit;
    bool writable;
    bool locked;
    bool trusted;           /* loaded, and not refused */

    char *expected;         /* the mark that a load looks for, or NULL */
    UefiVarFileAge age;
    size_t torn;            /* bytes that the load passed over */

    uint64_t size;          /* of the file as it was last left here */
    bool suspect;           /* somebody may have written to it since */
    size_t front;           /* length of a document at the front, or 0 */
    size_t document_len;
    size_t document_at;     /* offset of what holds the document */
    size_t end;             /* the next record goes here */
    bool cut_due;           /* what lies behind must go first, durably */
    bool open_line;         /* the last byte before end is no newline */
    UefiJournalSum last;
    UefiJournalSum tried;   /* of the last record that was to be written */
    uint64_t seq;

    Plan plan;
    FoldStep fold;
    GString *fold_text;     /* the new front */
    size_t fold_room;       /* up to here nothing in the file counts */
    GString *tail;          /* what was appended since the fold began */
};

GQuark uefi_var_file_error_quark(void)
{
    return g_quark_from_static_string("uefi-var-file-error");
}

/* ------------------------------------------------------------------------ */
/* the file */

static bool G_GNUC_PRINTF(4, 5)
fail(const UefiVarFile *f, GError **err, UefiVarFileError code,
     const char *fmt, ...)
{
    va_list ap;
    g_autofree char *text = NULL;

    va_start(ap, fmt);
    text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    g_set_error(err, UEFI_VAR_FILE_ERROR, code, "%s: %s", f->name, text);
    return false;
}

static bool fail_errno(const UefiVarFile *f, GError **err, int error,
                       const char *what)
{
    UefiVarFileError code = UEFI_VAR_FILE_ERROR_IO;

    switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        code = UEFI_VAR_FILE_ERROR_FULL;
        break;
    case EROFS:
    case EACCES:
    case EPERM:
        code = UEFI_VAR_FILE_ERROR_READONLY;
        break;
    }
    return fail(f, err, code, "%s: %s", what, g_strerror(error));
}

/* How the file is now compared to how it was noted, if it can be used at all */
static bool look(UefiVarFile *f, UefiVarFileLook *seen, GError **err)
{
    *seen = f->ops->look(f->opaque);
    if (*seen == UEFI_FILE_UNKNOWN) {
        return fail_errno(f, err, errno, "cannot look at the file");
    }
    if (*seen == UEFI_FILE_LOST) {
        return fail(f, err, UEFI_VAR_FILE_ERROR_CHANGED,
                    "the file was deleted or replaced by somebody else");
    }
    return true;
}

static bool read_into(UefiVarFile *f, char *data, size_t size, GError **err)
{
    size_t done = 0;

    while (done < size) {
        ssize_t n = f->ops->read(f->opaque, data + done, size - done, done);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return fail_errno(f, err, errno, "cannot read");
        }
        if (n == 0) {
            return fail(f, err, UEFI_VAR_FILE_ERROR_CHANGED,
                        "the file changed while it was read");
        }
        done += n;
    }
    return true;
}

/* The whole file, with a terminating NUL; it counts as noted from then on */
static char *read_all(UefiVarFile *f, size_t *size, GError **err)
{
    g_autofree char *data = NULL;
    int64_t now = f->ops->note(f->opaque);
    UefiVarFileLook seen;

    if (now < 0) {
        fail_errno(f, err, errno, "cannot look at the file");
        return NULL;
    }
    if (now > f->limit) {
        fail(f, err, UEFI_VAR_FILE_ERROR_DAMAGED,
             "%" PRId64 " bytes are more than a store can have (%zu)", now,
             f->limit);
        return NULL;
    }
    *size = now;
    data = g_try_malloc(*size + 1);
    if (!data) {
        fail(f, err, UEFI_VAR_FILE_ERROR_IO, "out of memory");
        return NULL;
    }
    if (!read_into(f, data, *size, err) || !look(f, &seen, err)) {
        return NULL;
    }
    if (seen != UEFI_FILE_UNCHANGED) {
        fail(f, err, UEFI_VAR_FILE_ERROR_CHANGED,
             "the file changed while it was read");
        return NULL;
    }
    data[*size] = 0;
    return g_steal_pointer(&data);
}

/* Whether the file, as it is now, ends in what was written here last */
static bool same_content(UefiVarFile *f, GError **err)
{
    g_auto(UefiJournal) j = {
        .records = g_ptr_array_new_with_free_func(g_free),
    };
    size_t size;
    g_autofree char *data = read_all(f, &size, err);

    if (!data) {
        return false;
    }
    if (size == f->size || f->cut_due) {
        uefi_journal_read(&j, data, size);
        if (uefi_journal_ok(&j, data, size) &&
            (uefi_journal_same(&j.last, &f->last) ||
             (f->cut_due && uefi_journal_same(&j.last, &f->tried)))) {
            f->size = size;
            return true;
        }
    }
    return fail(f, err, UEFI_VAR_FILE_ERROR_CHANGED,
                "the file was changed by somebody else; nothing is written "
                "to it until it is as before or loaded anew");
}

/*
 * Whether the file still is as we left it.  Size and time of modification tell
 * in the usual case.  If they do not (a touch, a network file system with its
 * own idea of time, a write that failed and arrived all the same), the chain
 * of checksums does.
 */
static bool check_unchanged(UefiVarFile *f, GError **err)
{
    UefiVarFileLook seen;

    if (!look(f, &seen, err)) {
        return false;
    }
    f->suspect |= seen != UEFI_FILE_UNCHANGED;
    if (f->suspect && !same_content(f, err)) {
        return false;
    }
    f->suspect = false;
    return true;
}

/* ------------------------------------------------------------------------ */
/* writes: run */

static bool plan_failed(Plan *plan, const char *what)
{
    plan->error = errno;
    plan->failed = what;
    return false;
}

static bool run_sync(UefiVarFile *f)
{
    while (f->ops->sync(f->opaque) < 0) {
        if (errno != EINTR) {
            return plan_failed(&f->plan, "cannot sync");
        }
    }
    return true;
}

static bool run_write(UefiVarFile *f, const GString *text, uint64_t at)
{
    size_t done = 0;

    while (done < text->len) {
        ssize_t n = f->ops->write(f->opaque, text->str + done,
                                  text->len - done, at + done);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n == 0) {
            errno = EIO;
        }
        if (n <= 0) {
            return plan_failed(&f->plan, "cannot write");
        }
        done += n;
    }
    return run_sync(f);
}

/* Cut the file behind what is good, durably */
static bool run_cut(UefiVarFile *f)
{
    while (f->ops->cut(f->opaque, f->plan.end) < 0) {
        if (errno != EINTR) {
            return plan_failed(&f->plan, "cannot truncate");
        }
    }
    f->plan.cut_due = !run_sync(f);
    return !f->plan.cut_due;
}

/* Make the good part of the file longer by @text, durably, or leave it */
static bool run_extend(UefiVarFile *f, const GString *text)
{
    Plan *plan = &f->plan;

    if (!run_write(f, text, plan->end)) {
        int error = plan->error;
        const char *failed = plan->failed;

        plan->cut_due = true;
        run_cut(f);
        plan->error = error;
        plan->failed = failed;
        return false;
    }
    plan->end += text->len;
    return true;
}

static bool extends(PlanKind kind)
{
    return kind == PLAN_APPEND || kind == PLAN_DOCUMENT;
}

/* It is written where nothing counts, which leaves the end of the file as is */
static bool fills(PlanKind kind)
{
    return kind == PLAN_FRONT || kind == PLAN_TAIL;
}

void uefi_var_file_run(UefiVarFile *f)
{
    Plan *plan = &f->plan;

    if (fills(plan->kind)) {
        run_write(f, plan->text, plan->at);
    } else if ((!plan->cut_due || run_cut(f)) &&
               (!plan->blank || run_extend(f, plan->blank)) && plan->text) {
        plan->tried = true;
        run_extend(f, plan->text);
    }
}

/* ------------------------------------------------------------------------ */
/* writes: plan and finish */

/* What every write begins with */
static bool plan_begin(UefiVarFile *f, PlanKind kind, GError **err)
{
    if (!f->trusted) {
        return fail(f, err, UEFI_VAR_FILE_ERROR_DAMAGED,
                    "not written, because it was not loaded");
    }
    if (!f->writable) {
        return fail(f, err, UEFI_VAR_FILE_ERROR_READONLY,
                    "opened for reading only");
    }
    if (!check_unchanged(f, err)) {
        return false;
    }
    f->plan = (Plan) { .kind = kind, .end = f->end, .cut_due = f->cut_due };
    return true;
}

static void plan_clear(UefiVarFile *f)
{
    Plan *plan = &f->plan;

    if (extends(plan->kind) && plan->text) {
        g_string_free(plan->text, TRUE);
    }
    if (plan->blank) {
        g_string_free(plan->blank, TRUE);
    }
    if (plan->document) {
        g_string_free(plan->document, TRUE);
    }
    *plan = (Plan) { .kind = PLAN_NONE };
}

/* An empty file gets its first record, and has that synced, on its own. */
static GString *plan_text(UefiVarFile *f, size_t len)
{
    if (f->end == 0) {
        f->plan.blank = uefi_journal_blank();
    }
    f->plan.text = g_string_sized_new(len + 256);
    return f->plan.text;
}

/* Whether the file, with what is planned, does not exceed @limit bytes */
static bool plan_fits(const UefiVarFile *f, size_t limit)
{
    size_t len = f->plan.text->len +
                 (f->plan.blank ? f->plan.blank->len : 0);

    return len <= limit && f->end <= limit - len;
}

/* A fold for which there would be too little room is given up. */
static void fold_appended(UefiVarFile *f, const GString *text)
{
    if (f->fold == FOLD_FRONT || f->fold == FOLD_TAIL) {
        g_string_append_len(f->tail, text->str, text->len);
        if (f->fold_text->len + f->tail->len > f->fold_room) {
            f->fold = FOLD_NONE;
        }
    }
}

/*
 * The document is durable, as a record at @room, and nothing before that
 * counts: it can be written to the front.
 */
static void fold_start(UefiVarFile *f, GString *document, size_t room)
{
    g_string_free(f->fold_text, TRUE);
    f->fold_text = document;
    f->fold_room = room;
    g_string_truncate(f->tail, 0);
    f->fold = FOLD_FRONT;
}

/*
 * It is at the front.  What was appended since follows there as it followed
 * its record, and the rest can go; until that is done nothing is appended.
 */
static void fold_fronted(UefiVarFile *f)
{
    f->front = f->fold_text->len;
    f->end = f->front + f->tail->len;
    f->document_at = 0;
    f->cut_due = true;
    f->fold = FOLD_CUT;
}

/* What a write that went well means */
static void plan_done(UefiVarFile *f)
{
    Plan *plan = &f->plan;

    if (extends(plan->kind)) {
        f->last = plan->sum;
        f->open_line = false;
    }
    switch (plan->kind) {
    case PLAN_APPEND:
        f->seq++;
        fold_appended(f, plan->text);
        break;
    case PLAN_DOCUMENT:
        f->seq = 0;
        f->front = 0;
        f->document_len = plan->document->len - 1;
        f->document_at = plan->at;
        fold_start(f, g_steal_pointer(&plan->document), plan->at);
        break;
    case PLAN_FRONT:
        f->fold = FOLD_TAIL;
        break;
    case PLAN_TAIL:
        fold_fronted(f);
        break;
    default:
        break;
    }
    if (f->fold == FOLD_TAIL && f->tail->len == 0) {
        fold_fronted(f);
    } else if (f->fold == FOLD_CUT && !f->cut_due) {
        f->fold = FOLD_NONE;
    }
}

/*
 * Remember how we left the file.  If that fails, which must not undo what is
 * durable already, the next check_unchanged() looks closer.
 */
static bool note(UefiVarFile *f, uint64_t size, GError **err)
{
    int64_t now = f->ops->note(f->opaque);

    f->size = size;
    if (now >= 0 && (uint64_t)now != size) {
        f->suspect = true;
        return fail(f, err, UEFI_VAR_FILE_ERROR_CHANGED,
                    "somebody else changed the file at the same time");
    }
    return true;
}

bool uefi_var_file_finish(UefiVarFile *f, GError **err)
{
    Plan *plan = &f->plan;
    size_t end = f->end;
    bool ok = !plan->failed;

    if (plan->kind == PLAN_NONE) {
        return true;
    }
    f->end = plan->end;
    f->cut_due = plan->cut_due;
    if (plan->tried) {
        f->tried = plan->sum;
    }
    if (!ok) {
        fail_errno(f, err, plan->error, plan->failed);
    }
    if (fills(plan->kind)) {
        ok &= note(f, f->size, ok ? err : NULL);
    } else if (!note(f, f->end, ok ? err : NULL) && ok) {
        f->end = f->size = end;
        ok = false;
    }
    if (ok) {
        plan_done(f);
    }
    plan_clear(f);
    return ok;
}

static bool run_and_finish(UefiVarFile *f, GError **err)
{
    uefi_var_file_run(f);
    return uefi_var_file_finish(f, err);
}

/* ------------------------------------------------------------------------ */
/* appending */

static bool plan_append(UefiVarFile *f, const char *record, size_t len,
                        GError **err)
{
    GString *text;

    if (!plan_begin(f, PLAN_APPEND, err)) {
        return false;
    }
    text = plan_text(f, len);
    if (f->open_line) {
        g_string_append_c(text, '\n');
    }
    f->plan.sum = uefi_journal_add(text, UEFI_JOURNAL_CHANGE, f->seq + 1,
                                   &f->last, record, len);
    /* leave room for a fold */
    if (!plan_fits(f, f->limit / 2)) {
        plan_clear(f);
        return fail(f, err, UEFI_VAR_FILE_ERROR_LONG,
                    "the journal would exceed its limit of %zu bytes",
                    f->limit / 2);
    }
    return true;
}

bool uefi_var_file_append(UefiVarFile *f, const char *record, size_t len,
                          GError **err)
{
    if (len == 0 || memchr(record, 0, len) || memchr(record, '\n', len)) {
        return fail(f, err, UEFI_VAR_FILE_ERROR_TEXT,
                    "a record must be one line of text");
    }
    return plan_append(f, record, len, err) && run_and_finish(f, err);
}

/* ------------------------------------------------------------------------ */
/* folding */

static GString *front_of(const char *document, size_t len)
{
    GString *front = g_string_new_len(document, len);

    return g_string_append_c(front, '\n');
}

/*
 * Step 1: append the document as a record.  It must stand where step 2 will
 * not write, that is beyond the end of the future front.  The fold record
 * before it is what tells, should the document record ever be lost, whether
 * step 2 has begun.
 */
static bool plan_document(UefiVarFile *f, const char *document, size_t len,
                          GError **err)
{
    GString *text = plan_text(f, 2 * len);
    size_t end = f->end + (f->plan.blank ? f->plan.blank->len : 0);
    size_t start = MAX(end + f->open_line, len + 1);

    if (start > end) {
        g_string_append_printf(text, "%*s\n", (int)(start - end) - 1, "");
    }
    uefi_journal_add(text, UEFI_JOURNAL_FOLD, f->seq + 1, &f->last, "", 0);
    uefi_journal_add(text, UEFI_JOURNAL_DOCUMENT, 0, NULL, document, len);
    f->plan.sum = uefi_journal_sum(document, len);
    f->plan.at = start;
    f->plan.document = front_of(document, len);
    if (!plan_fits(f, f->limit)) {
        plan_clear(f);
        return fail(f, err, UEFI_VAR_FILE_ERROR_FULL,
                    "the store would exceed its limit of %zu bytes",
                    f->limit);
    }
    return true;
}

static bool same_document(const UefiVarFile *f, const char *document,
                          size_t len)
{
    UefiJournalSum sum = uefi_journal_sum(document, len);

    return uefi_journal_same(&sum, &f->last);
}

bool uefi_var_file_plan_fold(UefiVarFile *f, const char *document, size_t len,
                             GError **err)
{
    len = uefi_journal_trimmed(document, len);
    if (!uefi_journal_is_document(document, len)) {
        return fail(f, err, UEFI_VAR_FILE_ERROR_TEXT,
                    "a document must be text without lines that begin "
                    "with '#'");
    }
    if (len > f->limit / 4) {
        return fail(f, err, UEFI_VAR_FILE_ERROR_FULL,
                    "a document must not exceed %zu bytes", f->limit / 4);
    }
    if (!plan_begin(f, PLAN_DOCUMENT, err)) {
        return false;
    }
    if (!same_document(f, document, len)) {
        return plan_document(f, document, len, err);
    }
    if (f->front == 0 && f->document_at <= len) {
        /* it ends with this very document, but where the front has to be */
        return plan_document(f, document, len, err);
    }
    /* it begins with it, or holds it out of the way */
    f->plan.kind = f->cut_due ? PLAN_CUT : PLAN_NONE;
    if (f->front == 0 && f->fold == FOLD_NONE) {
        fold_start(f, front_of(document, len), f->document_at);
    }
    return true;
}

bool uefi_var_file_plan_step(UefiVarFile *f, GError **err)
{
    static const PlanKind kinds[] = {
        [FOLD_FRONT] = PLAN_FRONT,
        [FOLD_TAIL] = PLAN_TAIL,
        [FOLD_CUT] = PLAN_CUT,
    };

    if (f->fold == FOLD_NONE) {
        return true;
    }
    if (!plan_begin(f, kinds[f->fold], err)) {
        return false;
    }
    if (f->fold == FOLD_FRONT) {
        f->plan.text = f->fold_text;
    } else if (f->fold == FOLD_TAIL) {
        f->plan.text = f->tail;
        f->plan.at = f->fold_text->len;
    }
    return true;
}

bool uefi_var_file_fold_begin(UefiVarFile *f, const char *document, size_t len,
                              GError **err)
{
    return uefi_var_file_plan_fold(f, document, len, err) &&
           run_and_finish(f, err);
}

bool uefi_var_file_fold_step(UefiVarFile *f, GError **err)
{
    return uefi_var_file_plan_step(f, err) && run_and_finish(f, err);
}

bool uefi_var_file_fold_pending(const UefiVarFile *f)
{
    return f->fold != FOLD_NONE;
}

bool uefi_var_file_fold(UefiVarFile *f, const char *document, size_t len,
                        GError **err)
{
    bool ok = uefi_var_file_fold_begin(f, document, len, err);

    while (ok && uefi_var_file_fold_pending(f)) {
        ok = uefi_var_file_fold_step(f, err);
    }
    return ok;
}

size_t uefi_var_file_journal_size(const UefiVarFile *f)
{
    /* what a write that failed may have left has to go as well */
    return MAX(f->size - f->front, f->cut_due);
}

UefiVarFoldNeed uefi_var_file_fold_need(const UefiVarFile *f)
{
    size_t journal = uefi_var_file_journal_size(f);
    size_t worth = MIN(MAX(f->document_len, FOLD_LEAST), f->limit / 8);

    if (journal <= worth) {
        return UEFI_FOLD_NO_NEED;
    }
    return journal <= MIN(FOLD_URGENT * worth, f->limit / 4)
           ? UEFI_FOLD_WHEN_IDLE : UEFI_FOLD_NOW;
}

/* ------------------------------------------------------------------------ */
/* loading */

static bool refuse(UefiVarFile *f, const UefiJournal *j, const char *data,
                   GError **err)
{
    g_autofree char *cure = NULL;

    if (j->based) {
        cure = g_strdup_printf(", or keep only what stands before with "
                               "'truncate -s %zu'", j->end);
    }
    return fail(f, err, UEFI_VAR_FILE_ERROR_DAMAGED,
                "damaged at byte %zu (line %zu): %s; the file was left as it "
                "is: restore it from a backup%s",
                j->bad_at, uefi_journal_line(data, j->bad_at), j->bad_why,
                cure ?: "");
}

/* What is to be known of a file whose content is @data, and can be trusted */
static void take_in(UefiVarFile *f, const UefiJournal *j, const char *data,
                    size_t size)
{
    f->trusted = true;
    f->suspect = false;
    f->torn = uefi_journal_torn(j, data, size);
    f->age = UEFI_FILE_OTHER;
    if (j->met) {
        f->age = strcmp(j->last.hex, f->expected) == 0 ? UEFI_FILE_SAME
                                                       : UEFI_FILE_AHEAD;
    }
    f->size = size;
    f->front = j->front;
    f->document_len = j->document_len;
    f->document_at = j->document_at;
    f->end = j->end;
    f->cut_due = j->end < size;
    f->open_line = j->end > 0 && data[j->end - 1] != '\n';
    f->last = f->tried = j->last;
    f->seq = j->seq;
}

bool uefi_var_file_load(UefiVarFile *f, char **document, GPtrArray **records,
                        GError **err)
{
    g_autofree char *data = NULL;
    g_auto(UefiJournal) j = {
        .records = g_ptr_array_new_with_free_func(g_free),
        .wanted = f->expected,
    };
    UefiVarFileLook seen;
    size_t size;

    f->trusted = false;
    f->fold = FOLD_NONE;
    data = look(f, &seen, err) ? read_all(f, &size, err) : NULL;
    if (!data) {
        return false;
    }
    uefi_journal_read(&j, data, size);
    if (!uefi_journal_ok(&j, data, size)) {
        return refuse(f, &j, data, err);
    }
    /*
     * A process that was killed may have written without having synced.  Who
     * expects a mark does not live on what the file says.
     */
    while (f->writable && !f->expected && f->ops->sync(f->opaque) < 0) {
        if (errno != EINTR) {
            return fail_errno(f, err, errno, "cannot sync");
        }
    }
    take_in(f, &j, data, size);
    *document = j.blank ? NULL : g_strndup(j.document, j.document_len);
    *records = g_steal_pointer(&j.records);
    return true;
}

void uefi_var_file_expect(UefiVarFile *f, const char *mark)
{
    g_free(f->expected);
    f->expected = g_strdup(mark);
}

const char *uefi_var_file_mark(const UefiVarFile *f)
{
    return f->last.hex;
}

UefiVarFileAge uefi_var_file_age(const UefiVarFile *f)
{
    return f->age;
}

size_t uefi_var_file_torn(const UefiVarFile *f)
{
    return f->torn;
}

/* ------------------------------------------------------------------------ */
/* life and lock */

UefiVarFile *uefi_var_file_new(const UefiVarFileOps *ops, void *opaque,
                               const char *name, bool writable, size_t limit)
{
    UefiVarFile *f = g_new0(UefiVarFile, 1);

    f->ops = ops;
    f->opaque = opaque;
    f->name = g_strdup(name);
    f->limit = limit ? limit : UEFI_VAR_FILE_LIMIT;
    f->writable = writable;
    f->fold_text = g_string_new(NULL);
    f->tail = g_string_new(NULL);
    return f;
}

void uefi_var_file_close(UefiVarFile *f)
{
    if (!f) {
        return;
    }
    uefi_var_file_unlock(f);
    if (f->ops->close) {
        f->ops->close(f->opaque);
    }
    plan_clear(f);
    g_string_free(f->fold_text, TRUE);
    g_string_free(f->tail, TRUE);
    g_free(f->expected);
    g_free(f->name);
    g_free(f);
}

bool uefi_var_file_lock(UefiVarFile *f, GError **err)
{
    if (!f->writable) {
        return fail(f, err, UEFI_VAR_FILE_ERROR_READONLY,
                    "opened for reading only");
    }
    if (f->ops->lock(f->opaque, true) == 0) {
        f->locked = true;
        return true;
    }
    switch (errno) {
    case EAGAIN:
    case EACCES:
        return fail(f, err, UEFI_VAR_FILE_ERROR_LOCKED,
                    "in use by another process");
    case EINVAL:
    case ENOLCK:
    case ENOSYS:
    case EOPNOTSUPP:
        return fail(f, err, UEFI_VAR_FILE_ERROR_NO_LOCKS,
                    "cannot lock: %s", g_strerror(errno));
    default:
        return fail_errno(f, err, errno, "cannot lock");
    }
}

void uefi_var_file_unlock(UefiVarFile *f)
{
    if (f->locked) {
        f->ops->lock(f->opaque, false);
        f->locked = false;
    }
}
