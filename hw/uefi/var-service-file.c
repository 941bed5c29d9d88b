/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: the store file on disk
 *
 * Appending, folding and loading, on top of the grammar of
 * var-service-journal.c.  Why what is written here survives a cut at any point
 * is described in docs/specs/uefi-vars-file.rst.
 */

#include "qemu/osdep.h"
#include "hw/uefi/var-service-file.h"
#include "hw/uefi/var-service-journal.h"

#ifdef CONFIG_DARWIN
#define st_mtim st_mtimespec
#endif

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
    UefiJournalSum last;
    UefiJournalSum tried;   /* of the last record that was to be written */
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
    g_auto(UefiJournal) s = {
        .records = g_ptr_array_new_with_free_func(g_free),
    };
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
        uefi_journal_read(&s, data, st.st_size);
        if (uefi_journal_ok(&s, data, st.st_size) &&
            (uefi_journal_same(&s.last, &f->last) ||
             (f->cut_due && uefi_journal_same(&s.last, &f->tried)))) {
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
        g_autoptr(GString) blank = uefi_journal_blank();

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
    f->tried = uefi_journal_add(text, UEFI_JOURNAL_CHANGE, f->seq + 1,
                                &f->last, record, len);
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
    UefiJournalSum sum;

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
    if (!begin_write(f, err)) {
        return false;
    }
    sum = uefi_journal_sum(document, len);
    if (uefi_journal_same(&sum, &f->last)) {
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
    uefi_journal_add(text, UEFI_JOURNAL_FOLD, f->seq + 1, &f->last, "", 0);
    uefi_journal_add(text, UEFI_JOURNAL_DOCUMENT, 0, NULL, document, len);
    f->tried = sum;
    if (!extend(f, text, err)) {
        return false;
    }
    f->last = sum;
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

static bool refuse(UefiVarFile *f, const UefiJournal *s, const char *data,
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
                s->bad_at, uefi_journal_line(data, s->bad_at), s->bad_why,
                cure ?: "");
}

bool uefi_var_file_load(UefiVarFile *f, char **document, GPtrArray **records,
                        GError **err)
{
    g_autofree char *data = NULL;
    g_auto(UefiJournal) s = {
        .records = g_ptr_array_new_with_free_func(g_free),
    };
    struct stat st;
    size_t size;

    f->trusted = false;
    f->fold = FOLD_NONE;
    data = read_all(f, &st, err);
    if (!data || !check_named(f, &st, err)) {
        return false;
    }
    size = st.st_size;
    uefi_journal_read(&s, data, size);
    if (!uefi_journal_ok(&s, data, size)) {
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
