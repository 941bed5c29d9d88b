/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: the store file on disk
 *
 * The format, and why recovery is right after a cut at any point, is described
 * in docs/specs/uefi-vars-file.rst.  In short: the file is a document, or a
 * document followed by records, each one line of text.  A record carries a
 * checksum over itself and the checksum of what it follows, so that only an
 * unbroken chain counts.  A record that holds a whole document begins a new
 * chain and makes whatever stands before it irrelevant; folding relies on
 * that.
 */

#include "qemu/osdep.h"
#include "hw/uefi/var-service-file.h"

#define MAGIC       "#uefi-vars-journal 1 "
#define MAGIC_LEN   (sizeof(MAGIC) - 1)
#define NO_PREV     "0000000000000000"
#define CHECK_LEN   16                      /* hex digits of a checksum */
#define TRAILER_LEN (1 + CHECK_LEN + 1)     /* space, checksum, newline */

#ifdef CONFIG_DARWIN
#define st_mtim st_mtimespec
#endif

typedef enum RecordKind {
    RECORD_CHANGE,
    RECORD_FOLD,
    RECORD_DOCUMENT,
} RecordKind;

static const char *const kind_names[] = { "change", "fold", "document" };

typedef struct Check {
    char hex[CHECK_LEN + 1];
} Check;

typedef struct Record {
    RecordKind kind;
    uint64_t seq;
    Check prev;
    Check check;
    const char *payload;
    size_t len;
    size_t end;             /* offset in the file behind the record */
} Record;

/* What the text of a file means */
typedef struct Scan {
    bool based;             /* there is a document, or the store is blank */
    bool blank;
    const char *document;
    size_t document_len;
    GPtrArray *records;     /* of char * */
    Check last;             /* of the last link of the chain */
    uint64_t seq;           /* number of records since the document */
    size_t front;           /* length of a document that is no record, or 0 */
    size_t end;             /* everything up to here is good */
    bool folding;           /* the last good thing is a fold record */
    bool bad;               /* something does not check out, */
    size_t bad_at;          /* first at this offset, */
    const char *bad_why;    /* for this reason, */
    bool beyond;            /* and it is not the end of the file */
} Scan;

typedef enum FoldStep {
    FOLD_NONE,
    FOLD_FRONT,             /* next: write the document over the front */
    FOLD_TAIL,              /* next: and what was appended since behind it */
    FOLD_CUT,               /* next: cut the file there */
} FoldStep;

struct UefiVarFile {
    const UefiVarFileOps *ops;
    void *opaque;
    int fd;                 /* -1 when not ours */
    char *name;
    char *path;             /* the same, whatever the current directory is */
    size_t limit;
    bool writable;
    bool locked;
    bool trusted;           /* loaded, and not refused */

    struct stat st;         /* of the file as it was last left here */
    size_t front;
    size_t end;             /* the next record goes here */
    bool cut_due;           /* what lies behind must go first, durably */
    bool open_line;         /* the last byte before end is no newline */
    Check last;
    Check tried;            /* of the last record that was to be written */
    uint64_t seq;

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
/* records */

static void checksum(const char *text, size_t len, Check *check)
{
    g_autofree char *hex =
        g_compute_checksum_for_data(G_CHECKSUM_SHA256,
                                    (const guchar *)text, len);

    memcpy(check->hex, hex, CHECK_LEN);
    check->hex[CHECK_LEN] = 0;
}

static bool check_equal(const Check *a, const Check *b)
{
    return memcmp(a->hex, b->hex, CHECK_LEN) == 0;
}

/* Add a record to @out and tell its checksum */
static void add_record(GString *out, RecordKind kind, uint64_t seq,
                       const char *prev, const char *payload, size_t len,
                       Check *check)
{
    size_t start = out->len;

    g_string_append_printf(out, MAGIC "%s %" PRIu64 " %s %zu ",
                           kind_names[kind], seq, prev, len);
    g_string_append_len(out, payload, len);
    checksum(out->str + start, out->len - start, check);
    g_string_append_printf(out, " %s\n", check->hex);
}

/*
 * The record that makes an empty file ready for a journal: an empty document.
 * Its text is always the same.
 */
static GString *blank_record(Check *check)
{
    GString *text = g_string_new(NULL);

    add_record(text, RECORD_DOCUMENT, 0, NO_PREV, "", 0, check);
    return text;
}

static bool take_word(const char **p, const char *end, const char *word)
{
    size_t len = strlen(word);

    if ((size_t)(end - *p) < len || memcmp(*p, word, len) != 0) {
        return false;
    }
    *p += len;
    return true;
}

static bool take_number(const char **p, const char *end, uint64_t *number)
{
    const char *start = *p;

    *number = 0;
    while (*p < end && g_ascii_isdigit(**p) && *p - start < 18) {
        *number = *number * 10 + (**p - '0');
        (*p)++;
    }
    return *p > start && take_word(p, end, " ");
}

static bool take_check(const char **p, const char *end, Check *check)
{
    if (end - *p < CHECK_LEN) {
        return false;
    }
    memcpy(check->hex, *p, CHECK_LEN);
    check->hex[CHECK_LEN] = 0;
    *p += CHECK_LEN;
    return true;
}

static bool take_kind(const char **p, const char *end, RecordKind *kind)
{
    for (*kind = 0; *kind < G_N_ELEMENTS(kind_names); (*kind)++) {
        if (take_word(p, end, kind_names[*kind])) {
            return take_word(p, end, " ");
        }
    }
    return false;
}

/* Read the record at @at; no byte from @limit on belongs to it */
static bool parse_record(const char *data, size_t at, size_t limit,
                         Record *rec)
{
    const char *p = data + at;
    const char *end = data + limit;
    uint64_t len;
    Check computed;

    if (!take_word(&p, end, MAGIC) || !take_kind(&p, end, &rec->kind) ||
        !take_number(&p, end, &rec->seq) ||
        !take_check(&p, end, &rec->prev) || !take_word(&p, end, " ") ||
        !take_number(&p, end, &len)) {
        return false;
    }
    if ((size_t)(end - p) < TRAILER_LEN ||
        len > (size_t)(end - p) - TRAILER_LEN) {
        return false;
    }
    rec->payload = p;
    rec->len = len;
    p += len;
    checksum(data + at, p - (data + at), &computed);
    if (!take_word(&p, end, " ") || !take_check(&p, end, &rec->check) ||
        !take_word(&p, end, "\n")) {
        return false;
    }
    rec->end = p - data;
    return check_equal(&rec->check, &computed) &&
           !memchr(rec->payload, 0, rec->len);
}

/* ------------------------------------------------------------------------ */
/* recovery */

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static size_t trimmed(const char *text, size_t len)
{
    while (len > 0 && is_space(text[len - 1])) {
        len--;
    }
    return len;
}

/* White space, or what is left of it when it did not reach the disk */
static bool is_padding(const char *text, size_t len)
{
    size_t i;

    for (i = 0; i < len; i++) {
        if (text[i] && !is_space(text[i])) {
            return false;
        }
    }
    return true;
}

/*
 * Offset, from @at on, of the next line that begins with '#', or @size.  The
 * line feed before it may read as NUL.
 */
static size_t next_record(const char *data, size_t size, size_t at)
{
    while (at < size) {
        const char *hash = memchr(data + at, '#', size - at);

        if (!hash) {
            break;
        }
        at = hash - data;
        if (at == 0 || data[at - 1] == '\n' || data[at - 1] == 0) {
            return at;
        }
        at++;
    }
    return size;
}

static void note_bad(Scan *s, size_t at, const char *why)
{
    if (!s->bad) {
        s->bad = true;
        s->bad_at = at;
        s->bad_why = why;
    }
}

/* A document from which on everything counts, and nothing before it does */
static void set_base(Scan *s, const char *document, size_t len)
{
    s->based = true;
    s->blank = len == 0;
    s->document = document;
    s->document_len = len;
    g_ptr_array_set_size(s->records, 0);
    checksum(document, len, &s->last);
    s->seq = 0;
    s->front = 0;
    s->folding = false;
    s->bad = false;
    s->beyond = false;
}

/* The part before the first record, in which there should be a document */
static void scan_front(Scan *s, const char *data, size_t front)
{
    size_t len = strnlen(data, front);
    size_t text_len = trimmed(data, len);

    if (text_len > 0) {
        set_base(s, data, text_len);
        s->end = text_len + (text_len < len && data[text_len] == '\n');
        s->front = s->end;
        if (!is_padding(data + len, front - len)) {
            note_bad(s, len, "a NUL byte");
        }
    } else {
        note_bad(s, 0, "neither a document nor a record");
    }
}

static void scan_record(Scan *s, const Record *rec, size_t at)
{
    if (rec->kind == RECORD_DOCUMENT) {
        set_base(s, rec->payload, rec->len);
        s->end = rec->end;
    } else if (s->bad || s->folding) {
        note_bad(s, at, "a record that no write can have left there");
        s->beyond = true;
    } else if (rec->seq != s->seq + 1 || !check_equal(&rec->prev, &s->last)) {
        note_bad(s, at, "a record that does not follow what stands before it");
        s->beyond = true;
    } else if (rec->kind == RECORD_FOLD) {
        s->folding = true;
    } else {
        g_ptr_array_add(s->records, g_strndup(rec->payload, rec->len));
        s->last = rec->check;
        s->seq = rec->seq;
        s->end = rec->end;
    }
}

/*
 * Whether @text, at the end of the file, can be an append that was interrupted
 * and hence never acknowledged.  What did reach the disk is as it was meant to
 * be, what did not is missing or reads as zero.  So a beginning that differs
 * from that of a record, or a line that is complete and yet does not check
 * out, is damage.
 */
static bool is_torn(const char *text, size_t len)
{
    size_t i, start = 0;

    while (start < len && is_space(text[start])) {
        start++;
    }
    for (i = 0; i < MAGIC_LEN && start + i < len && text[start + i]; i++) {
        if (text[start + i] != MAGIC[i]) {
            return false;
        }
    }
    return memchr(text, 0, len) ||
           !memchr(text + start, '\n', len - start);
}

/* Whether the file is what an interrupted blank_record() can have left */
static bool is_torn_blank(const char *data, size_t size)
{
    Check check;
    g_autoptr(GString) blank = blank_record(&check);
    size_t i;

    for (i = 0; i < size; i++) {
        if (i >= blank->len || (data[i] && data[i] != blank->str[i])) {
            return false;
        }
    }
    return true;
}

static void scan(Scan *s, const char *data, size_t size)
{
    size_t at = next_record(data, size, 0);
    size_t front = at;

    if (is_torn_blank(data, size)) {
        set_base(s, data, 0);
        s->end = parse_record(data, 0, size, &(Record) {}) ? size : 0;
        return;
    }
    scan_front(s, data, front);
    if (front == size && !memchr(data, 0, size)) {
        s->end = s->front = size;
    }
    while (at < size) {
        size_t next = next_record(data, size, at + 1);
        Record rec;

        if (!parse_record(data, at, next, &rec)) {
            note_bad(s, at, "a record that does not check out");
        } else {
            scan_record(s, &rec, at);
            if (!is_padding(data + rec.end, next - rec.end)) {
                note_bad(s, rec.end, "bytes that are no record");
            }
        }
        at = next;
    }
}

/*
 * Whether the file means what the scan found in it.  A document that does not
 * check out behind a good fold record can be ignored, however it came about:
 * the fold record shows that all the rest is there, and it means the same.
 */
static bool scan_ok(const Scan *s, const char *data, size_t size)
{
    if (!s->based || s->beyond) {
        return false;
    }
    return !s->bad || s->folding ||
           is_torn(data + s->end, size - s->end);
}

static void scan_clear(Scan *s)
{
    g_clear_pointer(&s->records, g_ptr_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Scan, scan_clear)

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

static bool fail_errno(const UefiVarFile *f, GError **err, const char *what)
{
    int saved = errno;
    UefiVarFileError code = UEFI_VAR_FILE_ERROR_IO;

    switch (saved) {
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
    return fail(f, err, code, "%s: %s", what, g_strerror(saved));
}

static size_t file_size(const UefiVarFile *f)
{
    return f->st.st_size;
}

static bool get_stat(UefiVarFile *f, struct stat *st, GError **err)
{
    if (f->ops->fstat(f->opaque, st) < 0) {
        return fail_errno(f, err, "cannot look at the file");
    }
    return true;
}

static bool same_stat(const struct stat *a, const struct stat *b)
{
    return a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* The whole file, with a terminating NUL, and what fstat() says of it */
static char *read_all(UefiVarFile *f, struct stat *st, GError **err)
{
    g_autofree char *data = NULL;
    struct stat after;
    size_t size, done = 0;

    if (!get_stat(f, st, err)) {
        return NULL;
    }
    if ((uint64_t)st->st_size > f->limit) {
        fail(f, err, UEFI_VAR_FILE_ERROR_DAMAGED,
             "%" PRIu64 " bytes are more than a store can have (%zu)",
             (uint64_t)st->st_size, f->limit);
        return NULL;
    }
    size = st->st_size;
    data = g_try_malloc(size + 1);
    if (!data) {
        fail(f, err, UEFI_VAR_FILE_ERROR_IO, "out of memory");
        return NULL;
    }
    while (done < size) {
        ssize_t n = f->ops->pread(f->opaque, data + done, size - done, done);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            fail_errno(f, err, "cannot read");
            return NULL;
        }
        if (n == 0) {
            break;
        }
        done += n;
    }
    if (!get_stat(f, &after, err)) {
        return NULL;
    }
    if (done < size || !same_stat(st, &after)) {
        fail(f, err, UEFI_VAR_FILE_ERROR_CHANGED,
             "the file changed while it was read");
        return NULL;
    }
    data[size] = 0;
    return g_steal_pointer(&data);
}

static bool write_all(UefiVarFile *f, const char *buf, size_t len,
                      size_t offset, GError **err)
{
    size_t done = 0;

    while (done < len) {
        ssize_t n = f->ops->pwrite(f->opaque, buf + done, len - done,
                                   offset + done);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n == 0) {
            errno = EIO;
        }
        if (n <= 0) {
            return fail_errno(f, err, "cannot write");
        }
        done += n;
    }
    return true;
}

static bool sync_file(UefiVarFile *f, GError **err)
{
    while (f->ops->fdatasync(f->opaque) < 0) {
        if (errno != EINTR) {
            return fail_errno(f, err, "cannot sync");
        }
    }
    return true;
}

/*
 * Remember how we left the file.  If fstat() fails, which must not undo what
 * is durable already, the time stays the old one, so that the next
 * check_unchanged() looks closer.
 */
static void note_stat(UefiVarFile *f, size_t size)
{
    if (!get_stat(f, &f->st, NULL)) {
        f->st.st_size = size;
    }
}

/* Cut the file behind what is good, durably */
static bool cut(UefiVarFile *f, GError **err)
{
    while (f->ops->ftruncate(f->opaque, f->end) < 0) {
        if (errno != EINTR) {
            return fail_errno(f, err, "cannot truncate");
        }
    }
    if (!sync_file(f, err)) {
        return false;
    }
    note_stat(f, f->end);
    f->cut_due = false;
    return true;
}

static bool is_replaced(const UefiVarFile *f, const struct stat *st)
{
    struct stat named;

    /* no such name is no news: we may have been confined since */
    return f->ops->stat_name && f->ops->stat_name(f->opaque, &named) == 0 &&
           (named.st_dev != st->st_dev || named.st_ino != st->st_ino);
}

/*
 * What is written to a file that has lost its name to another one, or to none,
 * is not found when we start again; a descriptor that came without a name is
 * the caller's choice.
 */
static bool check_named(UefiVarFile *f, const struct stat *st, GError **err)
{
    if ((st->st_nlink == 0 && f->st.st_nlink > 0) || is_replaced(f, st)) {
        return fail(f, err, UEFI_VAR_FILE_ERROR_CHANGED,
                    "the file was deleted or replaced by somebody else");
    }
    return true;
}

/*
 * Whether the file still is as we left it.  Size and time of modification tell
 * in the usual case.  If they do not (a touch, a network file system with its
 * own idea of time, a write that failed and arrived all the same), the chain
 * of checksums does.
 */
static bool check_unchanged(UefiVarFile *f, GError **err)
{
    g_autofree char *data = NULL;
    g_auto(Scan) s = { .records = g_ptr_array_new_with_free_func(g_free) };
    struct stat st;

    if (!get_stat(f, &st, err) || !check_named(f, &st, err)) {
        return false;
    }
    if (same_stat(&st, &f->st)) {
        return true;
    }
    if (f->cut_due || st.st_size == f->st.st_size) {
        data = read_all(f, &st, err);
        if (!data) {
            return false;
        }
        scan(&s, data, st.st_size);
        if (scan_ok(&s, data, st.st_size) &&
            (check_equal(&s.last, &f->last) ||
             (f->cut_due && check_equal(&s.last, &f->tried)))) {
            f->st = st;
            return true;
        }
    }
    return fail(f, err, UEFI_VAR_FILE_ERROR_CHANGED,
                "the file was changed by somebody else; nothing is written "
                "to it until it is as before or loaded anew");
}

/* Make the good part of the file longer by @text, durably, or leave it */
static bool extend(UefiVarFile *f, const GString *text, GError **err)
{
    if (text->len > f->limit || f->end > f->limit - text->len) {
        return fail(f, err, UEFI_VAR_FILE_ERROR_FULL,
                    "the store would exceed its limit of %zu bytes",
                    f->limit);
    }
    if (!write_all(f, text->str, text->len, f->end, err) ||
        !sync_file(f, err)) {
        f->cut_due = true;
        if (!cut(f, NULL)) {
            note_stat(f, f->end);
        }
        return false;
    }
    note_stat(f, f->end + text->len);
    if (file_size(f) != f->end + text->len) {
        f->st.st_size = f->end;
        return fail(f, err, UEFI_VAR_FILE_ERROR_CHANGED,
                    "somebody else changed the file at the same time");
    }
    f->end += text->len;
    f->open_line = false;
    return true;
}

/* What every write begins with */
static bool begin_write(UefiVarFile *f, GError **err)
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
    if (f->cut_due && !cut(f, err)) {
        return false;
    }
    if (f->end == 0) {
        g_autoptr(GString) blank = blank_record(&f->tried);

        return extend(f, blank, err);
    }
    return true;
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

bool uefi_var_file_append(UefiVarFile *f, const char *record, size_t len,
                          GError **err)
{
    g_autoptr(GString) text = NULL;

    if (len == 0 || memchr(record, 0, len) || memchr(record, '\n', len)) {
        return fail(f, err, UEFI_VAR_FILE_ERROR_TEXT,
                    "a record must be one line of text");
    }
    if (!begin_write(f, err)) {
        return false;
    }
    text = g_string_sized_new(len + 128);
    if (f->open_line) {
        g_string_append_c(text, '\n');
    }
    add_record(text, RECORD_CHANGE, f->seq + 1, f->last.hex, record, len,
               &f->tried);
    /* leave room for a fold */
    if (len > f->limit / 2 || f->end + text->len > f->limit / 2) {
        return fail(f, err, UEFI_VAR_FILE_ERROR_FULL,
                    "the journal would exceed its limit of %zu bytes",
                    f->limit / 2);
    }
    if (!extend(f, text, err)) {
        return false;
    }
    f->last = f->tried;
    f->seq++;
    fold_appended(f, text);
    return true;
}

/* ------------------------------------------------------------------------ */
/* folding */

static bool is_document(const char *text, size_t len)
{
    return len > 0 && !memchr(text, 0, len) &&
           next_record(text, len, 0) == len;
}

static void set_fold(UefiVarFile *f, const char *document, size_t len,
                     size_t room)
{
    g_string_truncate(f->fold_text, 0);
    g_string_append_len(f->fold_text, document, len);
    g_string_append_c(f->fold_text, '\n');
    g_string_truncate(f->tail, 0);
    f->fold_room = room;
    f->fold = FOLD_FRONT;
}

/*
 * Step 1: append the document as a record.  It must stand where step 2 will
 * not write, that is beyond the end of the future front.  The fold record
 * before it is what tells, should the document record ever be lost, whether
 * step 2 has begun.
 */
bool uefi_var_file_fold_begin(UefiVarFile *f, const char *document, size_t len,
                              GError **err)
{
    g_autoptr(GString) text = NULL;
    size_t start, pad;
    Check check;

    len = trimmed(document, len);
    if (!is_document(document, len)) {
        return fail(f, err, UEFI_VAR_FILE_ERROR_TEXT,
                    "a document must be text without lines that begin "
                    "with '#'");
    }
    if (len > f->limit / 4) {
        return fail(f, err, UEFI_VAR_FILE_ERROR_FULL,
                    "a document must not exceed %zu bytes", f->limit / 4);
    }
    if (!begin_write(f, err)) {
        return false;
    }
    checksum(document, len, &check);
    if (check_equal(&check, &f->last)) {
        /* the file begins or ends with this very document */
        if (f->front == 0 && f->fold == FOLD_NONE) {
            set_fold(f, document, len, 0);
        }
        return true;
    }
    text = g_string_sized_new(2 * len + 256);
    start = MAX(f->end + f->open_line, len + 1);
    pad = start - f->end;
    if (pad > 0) {
        g_string_append_printf(text, "%*s\n", (int)pad - 1, "");
    }
    add_record(text, RECORD_FOLD, f->seq + 1, f->last.hex, "", 0, &f->tried);
    add_record(text, RECORD_DOCUMENT, 0, NO_PREV, document, len, &f->tried);
    f->tried = check;
    if (!extend(f, text, err)) {
        return false;
    }
    f->last = check;
    f->seq = 0;
    f->front = 0;
    set_fold(f, document, len, start);
    return true;
}

/* Step 2: write the document over whatever the file begins with */
static bool fold_front(UefiVarFile *f, GError **err)
{
    bool ok;

    if (!check_unchanged(f, err)) {
        return false;
    }
    ok = write_all(f, f->fold_text->str, f->fold_text->len, 0, err) &&
         sync_file(f, err);
    note_stat(f, file_size(f));
    if (ok) {
        f->fold = FOLD_TAIL;
    }
    return ok;
}

/* Until that is done nothing is appended. */
static bool fold_cut(UefiVarFile *f, GError **err)
{
    if (!check_unchanged(f, err) || !cut(f, err)) {
        return false;
    }
    f->fold = FOLD_NONE;
    return true;
}

/*
 * Step 3: what was appended since step 1 follows the document at the front as
 * it follows its record, and the rest can go.
 */
static bool fold_tail(UefiVarFile *f, GError **err)
{
    size_t front = f->fold_text->len, len = f->tail->len;

    if (!check_unchanged(f, err)) {
        return false;
    }
    if (len > 0) {
        bool ok = write_all(f, f->tail->str, len, front, err) &&
                  sync_file(f, err);

        note_stat(f, file_size(f));
        if (!ok) {
            return false;
        }
    }
    f->front = front;
    f->end = front + len;
    f->cut_due = true;
    f->fold = FOLD_CUT;
    return fold_cut(f, err);
}

bool uefi_var_file_fold_step(UefiVarFile *f, GError **err)
{
    switch (f->fold) {
    case FOLD_FRONT:
        return fold_front(f, err);
    case FOLD_TAIL:
        return fold_tail(f, err);
    case FOLD_CUT:
        return fold_cut(f, err);
    case FOLD_NONE:
        break;
    }
    return true;
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
    return file_size(f) - f->front;
}

/* ------------------------------------------------------------------------ */
/* loading */

static size_t line_of(const char *data, size_t at)
{
    size_t i, line = 1;

    for (i = 0; i < at; i++) {
        line += data[i] == '\n';
    }
    return line;
}

static bool refuse(UefiVarFile *f, const Scan *s, const char *data,
                   GError **err)
{
    g_autofree char *cure = NULL;

    if (s->based) {
        cure = g_strdup_printf(", or keep only what stands before with "
                               "'truncate -s %zu'", s->end);
    }
    return fail(f, err, UEFI_VAR_FILE_ERROR_DAMAGED,
                "damaged at byte %zu (line %zu): %s; the file was left as it "
                "is: restore it from a backup%s",
                s->bad_at, line_of(data, s->bad_at), s->bad_why,
                cure ?: "");
}

bool uefi_var_file_load(UefiVarFile *f, char **document, GPtrArray **records,
                        GError **err)
{
    g_autofree char *data = NULL;
    g_auto(Scan) s = { .records = g_ptr_array_new_with_free_func(g_free) };
    struct stat st;
    size_t size;

    f->trusted = false;
    f->fold = FOLD_NONE;
    data = read_all(f, &st, err);
    if (!data || !check_named(f, &st, err)) {
        return false;
    }
    size = st.st_size;
    scan(&s, data, size);
    if (!scan_ok(&s, data, size)) {
        return refuse(f, &s, data, err);
    }
    /* a process that was killed may have written without having synced */
    if (f->writable && !sync_file(f, err)) {
        return false;
    }
    f->trusted = true;
    f->st = st;
    f->front = s.front;
    f->end = s.end;
    f->cut_due = s.end < size;
    f->open_line = s.end > 0 && data[s.end - 1] != '\n';
    f->last = f->tried = s.last;
    f->seq = s.seq;

    *document = s.blank ? NULL : g_strndup(s.document, s.document_len);
    *records = g_steal_pointer(&s.records);
    return true;
}

/* ------------------------------------------------------------------------ */
/* system calls */

static ssize_t fd_pread(void *opaque, void *buf, size_t len, off_t offset)
{
    return pread(((UefiVarFile *)opaque)->fd, buf, len, offset);
}

static ssize_t fd_pwrite(void *opaque, const void *buf, size_t len,
                         off_t offset)
{
    return pwrite(((UefiVarFile *)opaque)->fd, buf, len, offset);
}

static int fd_fdatasync(void *opaque)
{
#ifdef F_FULLFSYNC
    return fcntl(((UefiVarFile *)opaque)->fd, F_FULLFSYNC);
#else
    return fdatasync(((UefiVarFile *)opaque)->fd);
#endif
}

static int fd_ftruncate(void *opaque, off_t length)
{
    return ftruncate(((UefiVarFile *)opaque)->fd, length);
}

static int fd_fstat(void *opaque, struct stat *st)
{
    return fstat(((UefiVarFile *)opaque)->fd, st);
}

static int fd_stat_name(void *opaque, struct stat *st)
{
    return stat(((UefiVarFile *)opaque)->path, st);
}

static const UefiVarFileOps fd_ops = {
    .pread = fd_pread,
    .pwrite = fd_pwrite,
    .fdatasync = fd_fdatasync,
    .ftruncate = fd_ftruncate,
    .fstat = fd_fstat,
    .stat_name = fd_stat_name,
};

UefiVarFile *uefi_var_file_new(const UefiVarFileOps *ops, void *opaque,
                               const char *name, size_t limit)
{
    UefiVarFile *f = g_new0(UefiVarFile, 1);

    f->ops = ops;
    f->opaque = opaque;
    f->fd = -1;
    f->name = g_strdup(name);
    f->limit = limit ? limit : UEFI_VAR_FILE_LIMIT;
    f->writable = true;
    f->fold_text = g_string_new(NULL);
    f->tail = g_string_new(NULL);
    return f;
}

UefiVarFile *uefi_var_file_open(int fd, const char *name, size_t limit,
                                GError **err)
{
    g_autoptr(UefiVarFile) f = uefi_var_file_new(&fd_ops, NULL, name, limit);
    int flags;

    f->opaque = f;
    f->fd = fd;
    f->path = g_canonicalize_filename(name, NULL);
    flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fstat(fd, &f->st) < 0) {
        fail_errno(f, err, "cannot use the descriptor");
        return NULL;
    }
    if (!S_ISREG(f->st.st_mode)) {
        fail(f, err, UEFI_VAR_FILE_ERROR_IO, "not a regular file");
        return NULL;
    }
    if ((flags & O_ACCMODE) == O_WRONLY || (flags & O_APPEND)) {
        fail(f, err, UEFI_VAR_FILE_ERROR_IO,
             "must be opened for reading and writing, not in append mode");
        return NULL;
    }
    f->writable = (flags & O_ACCMODE) == O_RDWR;
    return g_steal_pointer(&f);
}

void uefi_var_file_close(UefiVarFile *f)
{
    if (!f) {
        return;
    }
    uefi_var_file_unlock(f);
    if (f->fd >= 0) {
        close(f->fd);
    }
    g_string_free(f->fold_text, TRUE);
    g_string_free(f->tail, TRUE);
    g_free(f->name);
    g_free(f->path);
    g_free(f);
}

/*
 * A lock of the open file description where there is one: a lock of the
 * process would vanish as soon as any descriptor of the file is closed, for
 * example when the monitor drops a set of descriptors.
 */
static int set_lock(UefiVarFile *f, short type)
{
    struct flock lock = { .l_type = type, .l_whence = SEEK_SET };

#ifdef F_OFD_SETLK
    return fcntl(f->fd, F_OFD_SETLK, &lock);
#else
    return fcntl(f->fd, F_SETLK, &lock);
#endif
}

bool uefi_var_file_lock(UefiVarFile *f, GError **err)
{
    if (!f->writable) {
        return fail(f, err, UEFI_VAR_FILE_ERROR_READONLY,
                    "opened for reading only");
    }
    if (set_lock(f, F_WRLCK) == 0) {
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
        return fail_errno(f, err, "cannot lock");
    }
}

void uefi_var_file_unlock(UefiVarFile *f)
{
    if (f->locked) {
        set_lock(f, F_UNLCK);
        f->locked = false;
    }
}

bool uefi_var_file_sync_parent(const char *path)
{
    g_autofree char *parent = g_path_get_dirname(path);
    int fd = open(parent, O_RDONLY | O_DIRECTORY);
    int ret, saved;

    if (fd < 0) {
        return false;
    }
    ret = fsync(fd);
    saved = errno;
    close(fd);
    errno = saved;
    return ret == 0;
}
