/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: the store file on disk
 *
 * Framing, checksums, recovery and folding of the file that jsonfile= names.
 * The format is specified in docs/specs/uefi-vars-file.rst.  Text goes in and
 * text comes out: this layer neither knows JSON nor QEMU.
 *
 * The file is written in place, through one descriptor: no temporary file, no
 * rename, no sidecar.  It holds a document, optionally followed by a journal
 * of records.  All lengths and offsets are in bytes.
 */

#ifndef HW_UEFI_VAR_SERVICE_FILE_H
#define HW_UEFI_VAR_SERVICE_FILE_H

/* Domain of the errors of this layer */
#define UEFI_VAR_FILE_ERROR (uefi_var_file_error_quark())
GQuark uefi_var_file_error_quark(void);

typedef enum UefiVarFileError {
    UEFI_VAR_FILE_ERROR_FULL,       /* disk, quota or size limit exhausted */
    UEFI_VAR_FILE_ERROR_LONG,       /* the journal has to be folded first */
    UEFI_VAR_FILE_ERROR_IO,         /* any other failure of a system call */
    UEFI_VAR_FILE_ERROR_DAMAGED,    /* the content cannot be trusted */
    UEFI_VAR_FILE_ERROR_CHANGED,    /* somebody else changed the file */
    UEFI_VAR_FILE_ERROR_LOCKED,     /* somebody else uses the file */
    UEFI_VAR_FILE_ERROR_NO_LOCKS,   /* the file system cannot lock */
    UEFI_VAR_FILE_ERROR_READONLY,   /* the file cannot be written */
    UEFI_VAR_FILE_ERROR_TEXT,       /* the caller's text does not fit in */
} UefiVarFileError;

/* The largest file that is read or written unless the caller says otherwise */
#define UEFI_VAR_FILE_LIMIT (64 * 1024 * 1024)

typedef struct UefiVarFile UefiVarFile;

/* How a file is, compared to how it was noted */
typedef enum UefiVarFileLook {
    UEFI_FILE_UNCHANGED,
    UEFI_FILE_CHANGED,
    UEFI_FILE_LOST,         /* its name leads elsewhere, or is gone */
    UEFI_FILE_UNKNOWN,      /* errno tells why */
} UefiVarFileLook;

/**
 * UefiVarFileOps: what is needed of a file
 *
 * -1 and errno on failure, short transfers allowed.  var-service-posix.c has
 * the real ones; tests put their own in between.  @read, @write, @sync and
 * @cut may be called in another thread, though never at the same time as
 * anything else.
 */
typedef struct UefiVarFileOps {
    ssize_t (*read)(void *opaque, void *buf, size_t len, uint64_t offset);
    ssize_t (*write)(void *opaque, const void *buf, size_t len,
                     uint64_t offset);
    int (*sync)(void *opaque);
    /* the file ends at @size from now on */
    int (*cut)(void *opaque, uint64_t size);
    /* remember how the file is, and tell its size */
    int64_t (*note)(void *opaque);
    UefiVarFileLook (*look)(void *opaque);
    int (*lock)(void *opaque, bool on);
    /* the file is used no longer; may be NULL */
    void (*close)(void *opaque);
} UefiVarFileOps;

/**
 * uefi_var_file_new: begin to use a file
 *
 * @ops stay the property of the caller and must outlive the result; @opaque
 * is what they get.  @name stands for the file in messages.  A file that is
 * not @writable can only be loaded.  @limit is the largest file, in bytes,
 * that will be read or made; 0 means UEFI_VAR_FILE_LIMIT.  A document may take
 * a quarter of it.
 */
UefiVarFile *uefi_var_file_new(const UefiVarFileOps *ops, void *opaque,
                               const char *name, bool writable, size_t limit);

/**
 * uefi_var_file_close: release lock, descriptor and memory
 *
 * Writes nothing: the file is durable as it is.  NULL is allowed.
 */
void uefi_var_file_close(UefiVarFile *f);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(UefiVarFile, uefi_var_file_close)

/**
 * uefi_var_file_lock: keep other users of the file away
 *
 * Takes an advisory lock on the whole file, for writing; who only reads needs
 * none.  The lock belongs to the open file description: it survives
 * descriptors of the same file being closed elsewhere in the process, and is
 * shared by duplicates of @fd (a manager that passed the descriptor through
 * /dev/fdset).  Never waits.
 *
 * Errors: LOCKED when another description holds a conflicting lock; NO_LOCKS
 * when the file system has none; READONLY on a file opened read-only; IO.
 */
bool uefi_var_file_lock(UefiVarFile *f, GError **err);

/* Gives the lock back; harmless when there is none. */
void uefi_var_file_unlock(UefiVarFile *f);

/**
 * uefi_var_file_load: rebuild the last acknowledged state
 *
 * @document gets the text of the base document, or NULL when the store is
 * blank; @records (an array of char *) the texts of the changes to apply to
 * it, in order.  Both become the property of the caller; neither contains NUL.
 * What an interrupted write left behind is passed over.  Never writes: it is
 * cut away before the next write.  It does sync a file that is open for
 * writing, so that what it returns is durable.
 *
 * May be called again at any time; whatever was known of the file before is
 * forgotten.  Until a load has succeeded the file is not written.  A caller
 * that cannot make sense of the text must not write to the file either.
 *
 * Errors: DAMAGED, with file, offset, reason and what to do; CHANGED when the
 * file changed while it was read (try again); IO.
 */
bool uefi_var_file_load(UefiVarFile *f, char **document, GPtrArray **records,
                        GError **err);

/* Which state a file holds, seen from one that is known by its mark */
typedef enum UefiVarFileAge {
    UEFI_FILE_OTHER,        /* nothing is known of that state */
    UEFI_FILE_SAME,         /* that state */
    UEFI_FILE_AHEAD,        /* that state, and changes since */
    UEFI_FILE_UNREADABLE,
} UefiVarFileAge;

/**
 * uefi_var_file_mark: a short text that stands for the state in the file
 *
 * Valid until the file is written, loaded or closed.
 */
const char *uefi_var_file_mark(const UefiVarFile *f);

/**
 * uefi_var_file_expect: have loads look for a mark; NULL for none
 *
 * uefi_var_file_age() tells what they found.  Such a load does not sync: it
 * is for who has a state already, and wants to know if the file has it too.
 */
void uefi_var_file_expect(UefiVarFile *f, const char *mark);
UefiVarFileAge uefi_var_file_age(const UefiVarFile *f);

/**
 * uefi_var_file_torn: bytes of an interrupted write that the load passed over
 */
size_t uefi_var_file_torn(const UefiVarFile *f);

/**
 * uefi_var_file_append: make one change durable
 *
 * @record is one line of text of @len bytes, not empty, without newline and
 * NUL.  Costs one write and one sync, both the size of the record.  (The first
 * write ever into an empty file, and the first one after a failure, take one
 * more write and sync.)
 *
 * On success the record survives loss of power.  On failure nothing happened:
 * the file holds the state from before, and the call can be repeated later.  A
 * disk that fails the write and then the attempt to take it back as well gets
 * that attempt again before the next write.
 *
 * A fold that is under way goes on.
 *
 * Errors: FULL, LONG, IO, CHANGED, READONLY, DAMAGED (not loaded or refused),
 * TEXT.
 */
bool uefi_var_file_append(UefiVarFile *f, const char *record, size_t len,
                          GError **err);

/**
 * uefi_var_file_fold: replace document and journal by @document
 *
 * @document is the current state, @len bytes: no NUL, no line that begins with
 * '#'.  White space at its end is replaced by one newline.  Folding the
 * document that the file already consists of does nothing.
 *
 * Whatever fails and wherever power is lost, the file holds the state either
 * from before or from after, so that a fold which states what the file
 * already means never changes it.
 *
 * Errors: as uefi_var_file_append().
 */
bool uefi_var_file_fold(UefiVarFile *f, const char *document, size_t len,
                        GError **err);

/**
 * uefi_var_file_fold_begin: fold in steps
 *
 * Does the first of three steps, so that requests can be served between them:
 * the first two are one write of the size of the document and one sync each,
 * the third writes what was appended meanwhile and cuts the file.  On success
 * the new document is durable already, and the rest only tidies up: call
 * uefi_var_file_fold_step() as long as uefi_var_file_fold_pending().
 */
bool uefi_var_file_fold_begin(UefiVarFile *f, const char *document, size_t len,
                              GError **err);

/**
 * uefi_var_file_fold_step: do the next step of a fold, if one is pending
 *
 * A step that failed stays pending and can be repeated.
 */
bool uefi_var_file_fold_step(UefiVarFile *f, GError **err);

bool uefi_var_file_fold_pending(const UefiVarFile *f);

/**
 * uefi_var_file_plan_fold: the same, in three parts
 *
 * uefi_var_file_plan_fold() or uefi_var_file_plan_step() look at the file and
 * make ready what is to be written; uefi_var_file_run() does it, and is the
 * part that waits for the disk; uefi_var_file_finish() takes in what came of
 * it, and must follow.  Running may be left to another thread; nothing else
 * may be done with the file meanwhile.
 *
 * When nothing is to be written, running and finishing do nothing.
 */
bool uefi_var_file_plan_fold(UefiVarFile *f, const char *document, size_t len,
                             GError **err);
bool uefi_var_file_plan_step(UefiVarFile *f, GError **err);
void uefi_var_file_run(UefiVarFile *f);
bool uefi_var_file_finish(UefiVarFile *f, GError **err);

/**
 * uefi_var_file_journal_size: what a fold would clear away, in bytes
 *
 * 0 means that the file is a plain document, or empty.
 */
size_t uefi_var_file_journal_size(const UefiVarFile *f);

typedef enum UefiVarFoldNeed {
    UEFI_FOLD_NO_NEED,
    UEFI_FOLD_WHEN_IDLE,    /* it is worth its cost */
    UEFI_FOLD_NOW,          /* before the journal becomes too long */
} UefiVarFoldNeed;

/** uefi_var_file_fold_need: whether the journal is long, for its document */
UefiVarFoldNeed uefi_var_file_fold_need(const UefiVarFile *f);

#endif /* HW_UEFI_VAR_SERVICE_FILE_H */
