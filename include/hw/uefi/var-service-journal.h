/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: the journal of a store file, as bytes
 *
 * Grammar and recovery: which text means which state.  The format, and why
 * recovery is right after a cut at any point, is described in
 * docs/specs/uefi-vars-file.rst.  In short: a store is a document, or a
 * document followed by records, each one line of text.  A record carries a
 * checksum over itself and the checksum of what it follows, so that only an
 * unbroken chain counts.  A record that holds a whole document begins a new
 * chain and makes whatever stands before it irrelevant; folding relies on
 * that.
 *
 * Pure functions: nothing here reads or writes a file.
 */

#ifndef HW_UEFI_VAR_SERVICE_JOURNAL_H
#define HW_UEFI_VAR_SERVICE_JOURNAL_H

#define UEFI_JOURNAL_SUM_LEN    16      /* hex digits of a checksum */
/* What follows the payload of a record before its line feed: a space, a sum */
#define UEFI_JOURNAL_TRAILER_LEN    (1 + UEFI_JOURNAL_SUM_LEN)

typedef enum UefiJournalKind {
    UEFI_JOURNAL_CHANGE,
    UEFI_JOURNAL_FOLD,
    UEFI_JOURNAL_DOCUMENT,
} UefiJournalKind;

/* Checksum of a record, or of the text of a document */
typedef struct UefiJournalSum {
    char hex[UEFI_JOURNAL_SUM_LEN + 1];
} UefiJournalSum;

UefiJournalSum uefi_journal_sum(const char *text, size_t len);
bool uefi_journal_same(const UefiJournalSum *a, const UefiJournalSum *b);

/**
 * uefi_journal_add: add a record to @out
 * @prev: sum of what it follows, NULL for a document
 *
 * Returns its sum.
 */
UefiJournalSum uefi_journal_add(GString *out, UefiJournalKind kind,
                                uint64_t seq, const UefiJournalSum *prev,
                                const char *payload, size_t len);

/**
 * uefi_journal_blank: the record that makes an empty file ready for a journal
 *
 * An empty document, whose text is always the same.
 */
GString *uefi_journal_blank(void);

/* What the text of a file means; offsets and lengths are in bytes */
typedef struct UefiJournal {
    size_t alignment;       /* of records, to be set by the caller, or 0 */
    bool loose;             /* the same; the first record follows anything */
    bool based;             /* there is a document, or the store is blank */
    bool blank;
    size_t document_at;     /* offset of what holds the document */
    const char *document;   /* points into the text */
    size_t document_len;
    GPtrArray *records;     /* of char *, to be set by the caller */
    UefiJournalSum last;    /* of the last link of the chain */
    const char *wanted;     /* a sum that the caller asks for, or NULL */
    bool met;               /* it is that of a link, or was before a fold */
    uint64_t seq;           /* number of records since the document */
    size_t front;           /* length of a document that is no record, or 0 */
    size_t end;             /* everything up to here is good */
    bool folding;           /* the last good thing is a fold record */
    bool bad;               /* something does not check out, */
    size_t bad_at;          /* first at this offset, */
    const char *bad_why;    /* for this reason, */
    bool beyond;            /* and it is not the end of the file */
} UefiJournal;

/** uefi_journal_read: find out what @size bytes, with a NUL behind, mean */
void uefi_journal_read(UefiJournal *j, const char *data, size_t size);

/** uefi_journal_ok: whether they mean what was found */
bool uefi_journal_ok(const UefiJournal *j, const char *data, size_t size);

/** uefi_journal_torn: bytes at the end that are an interrupted write */
size_t uefi_journal_torn(const UefiJournal *j, const char *data, size_t size);

void uefi_journal_clear(UefiJournal *j);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(UefiJournal, uefi_journal_clear)

/** uefi_journal_is_document: whether @text can be the one of a document */
bool uefi_journal_is_document(const char *text, size_t len);

/** uefi_journal_trimmed: length of @text without white space at its end */
size_t uefi_journal_trimmed(const char *text, size_t len);

/** uefi_journal_line: number of the line that @at is in, from 1 on */
size_t uefi_journal_line(const char *data, size_t at);

#endif /* HW_UEFI_VAR_SERVICE_JOURNAL_H */
