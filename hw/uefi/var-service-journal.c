/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: the journal of a store file, as bytes
 */

#include "qemu/osdep.h"
#include "hw/uefi/var-service-journal.h"

#define MAGIC_NAME  "#uefi-vars-journal "
#define MAGIC       MAGIC_NAME "1 "
#define MAGIC_LEN   (sizeof(MAGIC) - 1)
#define NO_PREV     "0000000000000000"

static const char *const kind_names[] = { "change", "fold", "document" };

typedef struct Record {
    UefiJournalKind kind;
    uint64_t seq;
    UefiJournalSum prev;
    UefiJournalSum sum;
    const char *payload;
    size_t len;
    size_t end;             /* offset in the file behind the record */
} Record;

/* ------------------------------------------------------------------------ */
/* records */

UefiJournalSum uefi_journal_sum(const char *text, size_t len)
{
    g_autofree char *hex =
        g_compute_checksum_for_data(G_CHECKSUM_SHA256,
                                    (const guchar *)text, len);
    UefiJournalSum sum = { };

    memcpy(sum.hex, hex, UEFI_JOURNAL_SUM_LEN);
    return sum;
}

bool uefi_journal_same(const UefiJournalSum *a, const UefiJournalSum *b)
{
    return memcmp(a->hex, b->hex, UEFI_JOURNAL_SUM_LEN) == 0;
}

UefiJournalSum uefi_journal_add(GString *out, UefiJournalKind kind,
                                uint64_t seq, const UefiJournalSum *prev,
                                const char *payload, size_t len)
{
    size_t start = out->len;
    UefiJournalSum sum;

    g_string_append_printf(out, MAGIC "%s %" PRIu64 " %s %zu ",
                           kind_names[kind], seq, prev ? prev->hex : NO_PREV,
                           len);
    g_string_append_len(out, payload, len);
    sum = uefi_journal_sum(out->str + start, out->len - start);
    g_string_append_printf(out, " %s\n", sum.hex);
    return sum;
}

GString *uefi_journal_blank(void)
{
    GString *text = g_string_new(NULL);

    uefi_journal_add(text, UEFI_JOURNAL_DOCUMENT, 0, NULL, "", 0);
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

static bool take_sum(const char **p, const char *end, UefiJournalSum *sum)
{
    if (end - *p < UEFI_JOURNAL_SUM_LEN) {
        return false;
    }
    memcpy(sum->hex, *p, UEFI_JOURNAL_SUM_LEN);
    sum->hex[UEFI_JOURNAL_SUM_LEN] = 0;
    *p += UEFI_JOURNAL_SUM_LEN;
    return true;
}

static bool take_kind(const char **p, const char *end, UefiJournalKind *kind)
{
    for (*kind = 0; *kind < G_N_ELEMENTS(kind_names); (*kind)++) {
        if (take_word(p, end, kind_names[*kind])) {
            return take_word(p, end, " ");
        }
    }
    return false;
}

/*
 * Read the record at @at; no byte from @limit on belongs to it.  The line feed
 * may be missing: editors, shells and formats that text is copied through lose
 * it at the very end, and a loss of power may.
 */
static bool parse_record(const char *data, size_t at, size_t limit,
                         Record *rec)
{
    const char *p = data + at;
    const char *end = data + limit;
    uint64_t len;
    UefiJournalSum computed;

    if (!take_word(&p, end, MAGIC) || !take_kind(&p, end, &rec->kind) ||
        !take_number(&p, end, &rec->seq) ||
        !take_sum(&p, end, &rec->prev) || !take_word(&p, end, " ") ||
        !take_number(&p, end, &len)) {
        return false;
    }
    if ((size_t)(end - p) < UEFI_JOURNAL_TRAILER_LEN ||
        len > (size_t)(end - p) - UEFI_JOURNAL_TRAILER_LEN) {
        return false;
    }
    rec->payload = p;
    rec->len = len;
    p += len;
    computed = uefi_journal_sum(data + at, p - (data + at));
    if (!take_word(&p, end, " ") || !take_sum(&p, end, &rec->sum)) {
        return false;
    }
    take_word(&p, end, "\n");
    rec->end = p - data;
    return uefi_journal_same(&rec->sum, &computed) &&
           !memchr(rec->payload, 0, rec->len);
}

/* ------------------------------------------------------------------------ */
/* recovery */

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

size_t uefi_journal_trimmed(const char *text, size_t len)
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

static void note_bad(UefiJournal *s, size_t at, const char *why)
{
    if (!s->bad) {
        s->bad = true;
        s->bad_at = at;
        s->bad_why = why;
    }
}

/* The chain goes on. */
static void set_last(UefiJournal *s, UefiJournalSum sum)
{
    s->last = sum;
    s->met |= s->wanted && strcmp(s->wanted, sum.hex) == 0;
}

/* A document from which on everything counts, and nothing before it does */
static void set_base(UefiJournal *s, size_t at, const char *document,
                     size_t len)
{
    s->based = true;
    s->blank = len == 0;
    s->document_at = at;
    s->document = document;
    s->document_len = len;
    g_ptr_array_set_size(s->records, 0);
    set_last(s, uefi_journal_sum(document, len));
    s->seq = 0;
    s->front = 0;
    s->folding = false;
    s->bad = false;
    s->beyond = false;
}

/* The part before the first record, in which there should be a document */
static void scan_front(UefiJournal *s, const char *data, size_t front)
{
    size_t len = strnlen(data, front);
    size_t text_len = uefi_journal_trimmed(data, len);

    if (text_len > 0) {
        set_base(s, 0, data, text_len);
        s->end = text_len + (text_len < len && data[text_len] == '\n');
        s->front = s->end;
        if (!is_padding(data + len, front - len)) {
            note_bad(s, len, "a NUL byte");
        }
    } else {
        note_bad(s, 0, "neither a document nor a record");
    }
}

/* Whether @rec is the next link of the chain */
static bool follows(const UefiJournal *s, const Record *rec)
{
    return rec->seq == s->seq + 1 &&
           (uefi_journal_same(&rec->prev, &s->last) ||
            (s->loose && rec->seq == 1));
}

static void scan_record(UefiJournal *s, const Record *rec, size_t at)
{
    if (rec->kind == UEFI_JOURNAL_DOCUMENT) {
        set_base(s, at, rec->payload, rec->len);
        s->end = rec->end;
    } else if (s->bad || s->folding) {
        note_bad(s, at, "a record that no write can have left there");
        s->beyond = true;
    } else if (!follows(s, rec)) {
        note_bad(s, at, "a record that does not follow what stands before it");
        s->beyond = true;
    } else if (rec->kind == UEFI_JOURNAL_FOLD) {
        s->folding = true;
    } else {
        g_ptr_array_add(s->records, g_strndup(rec->payload, rec->len));
        set_last(s, rec->sum);
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

/* Whether an interrupted write of uefi_journal_blank() can have left this */
static bool is_torn_blank(const char *data, size_t size)
{
    g_autoptr(GString) blank = uefi_journal_blank();
    size_t i;

    for (i = 0; i < size; i++) {
        if (i >= blank->len || (data[i] && data[i] != blank->str[i])) {
            return false;
        }
    }
    return true;
}

/* Whether @text begins like a record of a version that is not known yet */
static bool is_newer(const char *text, size_t len)
{
    const char *p = text;
    uint64_t version;

    return take_word(&p, text + len, MAGIC_NAME) &&
           take_number(&p, text + len, &version) && version > 1;
}

void uefi_journal_read(UefiJournal *s, const char *data, size_t size)
{
    size_t at = next_record(data, size, 0);
    size_t front = at;
    Record first;

    if (is_torn_blank(data, size)) {
        set_base(s, 0, data, 0);
        s->end = parse_record(data, 0, size, &first) ? first.end : 0;
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
            note_bad(s, at, is_newer(data + at, next - at)
                            ? "a record of a newer version of the journal, "
                              "which only a newer program can read"
                            : "a record that does not check out");
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
 * A document that does not check out behind a good fold record can be ignored,
 * however it came about: the fold record shows that all the rest is there, and
 * it means the same.
 */
bool uefi_journal_ok(const UefiJournal *s, const char *data, size_t size)
{
    size_t at;

    if (!s->based || s->beyond) {
        return false;
    }
    at = s->alignment ? MIN(ROUND_UP(s->end, s->alignment), size) : s->end;
    return !s->bad || s->folding || is_torn(data + at, size - at);
}

size_t uefi_journal_torn(const UefiJournal *s, const char *data, size_t size)
{
    return uefi_journal_trimmed(data + s->end, size - s->end) > 0
           ? size - s->end : 0;
}

void uefi_journal_clear(UefiJournal *s)
{
    g_clear_pointer(&s->records, g_ptr_array_unref);
}

bool uefi_journal_is_document(const char *text, size_t len)
{
    return len > 0 && !memchr(text, 0, len) &&
           next_record(text, len, 0) == len;
}

size_t uefi_journal_line(const char *data, size_t at)
{
    size_t i, line = 1;

    for (i = 0; i < at; i++) {
        line += data[i] == '\n';
    }
    return line;
}

