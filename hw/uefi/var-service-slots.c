/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: the store on a medium of fixed size
 *
 * docs/specs/uefi-vars-file.rst has the layout, and the argument why recovery
 * is right.  In short: a slot is a document record and change records in the
 * grammar of the journal, each beginning at a multiple of the request
 * alignment.  A fold writes the slot that does not count, and after that is
 * durable the superblock that makes it count.  What is between the end of a
 * slot's text and the end of the slot is zero.
 */

#include "qemu/osdep.h"
#include "hw/uefi/var-service-journal.h"
#include "hw/uefi/var-service-slots.h"

#define BLOCK           UEFI_VAR_SLOTS_BLOCK    /* of a superblock */
#define STRIDE          UEFI_VAR_SLOTS_STRIDE
#define SLOTS_AT        (2 * STRIDE)
/* What a slot has beside a document: changes, one of the largest at least */
#define CHANGES_MIN     (4 * STRIDE)
/* A large medium is not used up, as a start reads all of a slot. */
#define LARGEST         4           /* times the least slot */

/* A superblock, and the first block of the slot that it makes count */
typedef struct Header {
    uint64_t generation;        /* odd ones are of slot 1 */
    uint64_t slot_size;         /* bytes */
    uint64_t alignment;         /* of the records in the slot, bytes */
} Header;

typedef enum HeaderState {
    HEADER_ZERO,
    HEADER_GOOD,
    HEADER_BAD,
} HeaderState;

struct UefiVarSlots {
    const UefiVarSlotsOps *ops;
    void *opaque;
    char *name;
    uint64_t capacity;
    size_t max_document;
    bool trusted;               /* loaded, and not refused */
    bool given;                 /* what is under way since before is void */

    Header head;                /* what counts; generation 0: nothing yet */
    size_t document;            /* up to here the slot's text is document */
    size_t end;                 /* the next record goes here, in the text */
    size_t dirty;               /* from end to here may be no zeroes */
    bool spoiled;               /* something is in its last padding */
    UefiJournalSum last;
    uint64_t seq;

    /* A fold: the other slot, which then counts */
    Header next;
    GString *slot;              /* planned: from its header on; else NULL */
    UefiJournalSum slot_sum;    /* of the document in it */
    GError *failure;            /* of running it */
    bool commit_due;            /* the superblock may be there, or not */
};

/* ------------------------------------------------------------------------ */
/* Places */

static uint64_t least_slot(size_t max_document)
{
    return ROUND_UP((uint64_t)BLOCK + max_document + CHANGES_MIN, STRIDE);
}

uint64_t uefi_var_slots_capacity(size_t max_document)
{
    return SLOTS_AT + 2 * least_slot(max_document);
}

uint64_t uefi_var_slots_most(size_t max_document)
{
    return SLOTS_AT + 2 * LARGEST * least_slot(max_document);
}

static unsigned slot_of(uint64_t generation)
{
    return generation & 1;
}

static uint64_t superblock_at(uint64_t generation)
{
    return slot_of(generation) * STRIDE;
}

/* Where the slot of a generation begins */
static uint64_t slot_at(const UefiVarSlots *s, uint64_t generation)
{
    return SLOTS_AT + slot_of(generation) * s->head.slot_size;
}

/* Bytes of text that fit into a slot */
static size_t text_size(const UefiVarSlots *s)
{
    return s->head.slot_size - BLOCK;
}

static uint64_t text_at(const UefiVarSlots *s, uint64_t generation)
{
    return slot_at(s, generation) + BLOCK;
}

/* ------------------------------------------------------------------------ */
/* The medium */

static bool G_GNUC_PRINTF(4, 5)
fail(const UefiVarSlots *s, GError **err, UefiVarFileError code,
     const char *fmt, ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    g_set_error(err, UEFI_VAR_FILE_ERROR, code, "%s: %s", s->name, text);
    return false;
}

static bool done(const UefiVarSlots *s, int ret, const char *what,
                 GError **err)
{
    if (s->given) {
        return fail(s, err, UEFI_VAR_FILE_ERROR_CHANGED,
                    "given away meanwhile");
    }
    return ret >= 0 ||
           fail(s, err, ret == -ENOSPC ? UEFI_VAR_FILE_ERROR_FULL
                                       : UEFI_VAR_FILE_ERROR_IO,
                "cannot %s: %s", what, g_strerror(-ret));
}

static bool medium_read(UefiVarSlots *s, uint64_t offset, void *buf,
                        size_t len, GError **err)
{
    return done(s, s->ops->read(s->opaque, offset, buf, len), "read", err);
}

static bool medium_write(UefiVarSlots *s, uint64_t offset, const void *buf,
                         size_t len, GError **err)
{
    return done(s, s->ops->write(s->opaque, offset, buf, len), "write", err);
}

static bool medium_zero(UefiVarSlots *s, uint64_t offset, uint64_t len,
                        GError **err)
{
    return len == 0 ||
           done(s, s->ops->write_zeroes(s->opaque, offset, len), "write",
                err);
}

static bool medium_flush(UefiVarSlots *s, GError **err)
{
    return done(s, s->ops->flush(s->opaque), "flush", err);
}

static bool is_zero(const char *data, size_t len)
{
    return len == 0 || (!data[0] && !memcmp(data, data + 1, len - 1));
}

static uint32_t alignment(const UefiVarSlots *s)
{
    return MAX(s->ops->alignment(s->opaque), 512);
}

/* Whether records can be added: each must have sectors of its own. */
static bool takes_records(const UefiVarSlots *s)
{
    return !s->spoiled && s->head.alignment % alignment(s) == 0;
}

/* Fill up with zeroes, in which the grammar sees padding */
static void pad(const Header *head, GString *text)
{
    gsize len = text->len;

    g_string_set_size(text, ROUND_UP(len, head->alignment));
    memset(text->str + len, 0, text->len - len);
}

/* ------------------------------------------------------------------------ */
/* Headers */

/*
 * Of the slot that a fold makes count: records fit the medium as it is now.
 * Only the first one ever is the same on all of them; see load_blank().
 */
static Header next_header(const UefiVarSlots *s)
{
    return (Header) {
        .generation = s->head.generation + 1,
        .slot_size = s->head.slot_size,
        .alignment = s->head.generation ? alignment(s) : BLOCK,
    };
}

static char *header_block(const Header *head)
{
    g_autoptr(GString) text = g_string_new(NULL);
    char *block = g_malloc0(BLOCK);
    UefiJournalSum sum;

    g_string_printf(text, "%s%" PRIu64 " %" PRIu64 " %" PRIu64,
                    UEFI_VAR_SLOTS_MAGIC, head->generation, head->slot_size,
                    head->alignment);
    sum = uefi_journal_sum(text->str, text->len);
    g_string_append_printf(text, " %s\n", sum.hex);
    memcpy(block, text->str, text->len);
    return block;
}

/* A block is good if it is exactly what is written for the numbers in it. */
static HeaderState parse_header(const char *block, Header *head)
{
    g_autofree char *text = NULL;
    g_autofree char *wanted = NULL;
    g_auto(GStrv) word = NULL;

    if (is_zero(block, BLOCK)) {
        return HEADER_ZERO;
    }
    text = g_strndup(block, BLOCK);
    word = g_strsplit(text, " ", 6);
    if (g_strv_length(word) != 6 ||
        !g_ascii_string_to_unsigned(word[2], 10, 1, INT64_MAX,
                                    &head->generation, NULL) ||
        !g_ascii_string_to_unsigned(word[3], 10, BLOCK + CHANGES_MIN,
                                    INT32_MAX, &head->slot_size, NULL) ||
        !g_ascii_string_to_unsigned(word[4], 10, 512, BLOCK,
                                    &head->alignment, NULL) ||
        head->slot_size % STRIDE ||
        (head->alignment & (head->alignment - 1))) {
        return HEADER_BAD;
    }
    wanted = header_block(head);
    return memcmp(block, wanted, BLOCK) ? HEADER_BAD : HEADER_GOOD;
}

static bool read_header(UefiVarSlots *s, uint64_t offset, Header *head,
                        HeaderState *state, GError **err)
{
    g_autofree char *block = g_malloc(BLOCK);

    if (!medium_read(s, offset, block, BLOCK, err)) {
        return false;
    }
    *state = parse_header(block, head);
    return true;
}

static bool write_header(UefiVarSlots *s, uint64_t offset, const Header *head,
                         GError **err)
{
    g_autofree char *block = header_block(head);

    return medium_write(s, offset, block, BLOCK, err);
}

/* ------------------------------------------------------------------------ */
/* Loading */

static bool damaged(const UefiVarSlots *s, GError **err, const char *what)
{
    return fail(s, err, UEFI_VAR_FILE_ERROR_DAMAGED,
                "%s; the medium was left as it is: restore it from a backup, "
                "or fill it with zeroes to begin with an empty store", what);
}

/* Whether each byte is as in @wanted, or has not reached the medium */
static bool is_remnant(const char *data, const GString *wanted, size_t at,
                       size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char c = at + i < wanted->len ? wanted->str[at + i] : 0;

        if (data[i] && data[i] != c) {
            return false;
        }
    }
    return true;
}

/* What the first slot that counts begins with, in a store without variables */
static GString *blank_slot(const Header *head)
{
    g_autofree char *block = header_block(head);
    g_autoptr(GString) record = uefi_journal_blank();
    GString *slot = g_string_new_len(block, BLOCK);

    g_string_append_len(slot, record->str, record->len);
    pad(head, slot);
    return slot;
}

/*
 * Without a superblock the medium must be all zeroes, but for what is left
 * when power was lost while it got its first.
 */
static bool load_blank(UefiVarSlots *s, GError **err)
{
    const Header first = next_header(s);
    g_autofree char *block = header_block(&first);
    g_autoptr(GString) super = g_string_new_len(block, BLOCK);
    g_autoptr(GString) slot = blank_slot(&first);
    g_autoptr(GString) nothing = g_string_new(NULL);
    g_autofree char *data = g_malloc(STRIDE);
    uint64_t slot1 = slot_at(s, 1), size = SLOTS_AT + 2 * s->head.slot_size;

    for (uint64_t at = 0; at < size; at += STRIDE) {
        bool is_super = at == superblock_at(1);
        const GString *wanted = is_super ? super : at >= slot1 ? slot
                                                               : nothing;

        if (!medium_read(s, at, data, STRIDE, err)) {
            return false;
        }
        if (!is_remnant(data, wanted, at >= slot1 ? at - slot1 : 0, STRIDE)) {
            return damaged(s, err, "neither a store nor all zeroes");
        }
    }
    return true;
}

/* The text of the slot that counts, without the zeroes at its end */
static GString *read_text(UefiVarSlots *s, GError **err)
{
    g_autoptr(GString) text = g_string_new(NULL);

    g_string_set_size(text, text_size(s));
    if (!medium_read(s, text_at(s, s->head.generation), text->str, text->len,
                     err)) {
        return NULL;
    }
    while (text->len && !text->str[text->len - 1]) {
        text->len--;
    }
    return g_steal_pointer(&text);
}

static bool parse_text(UefiVarSlots *s, const GString *text, UefiJournal *j,
                       GError **err)
{
    g_autofree char *what = NULL;

    uefi_journal_read(j, text->str, text->len);
    if (!j->end || j->front || !uefi_journal_ok(j, text->str, text->len)) {
        what = g_strdup_printf("slot %u is damaged at its byte %zu: %s",
                               slot_of(s->head.generation), BLOCK + j->bad_at,
                               j->bad_why ?: "no document");
        return damaged(s, err, what);
    }
    return true;
}

static bool load_slot(UefiVarSlots *s, const char *mark,
                      UefiVarContent *content, GError **err)
{
    g_auto(UefiJournal) j = {
        .alignment = s->head.alignment,
        .wanted = mark,
        .records = g_ptr_array_new_with_free_func(g_free)
    };
    g_autoptr(GString) text = NULL;
    HeaderState state;
    Header head;

    if (!read_header(s, slot_at(s, s->head.generation), &head, &state, err)) {
        return false;
    }
    if (state != HEADER_GOOD || memcmp(&head, &s->head, sizeof(head))) {
        return damaged(s, err, "the slot is not the one that its superblock "
                       "tells of");
    }
    text = read_text(s, err);
    if (!text || !parse_text(s, text, &j, err)) {
        return false;
    }
    s->document = ROUND_UP(j.document + j.document_len - text->str +
                           UEFI_JOURNAL_TRAILER_LEN + 1, s->head.alignment);
    s->end = ROUND_UP(j.end, s->head.alignment);
    s->spoiled = text->len > j.end &&
                 !is_zero(text->str + j.end, MIN(s->end, text->len) - j.end);
    s->dirty = ROUND_UP(text->len, s->head.alignment);
    s->last = j.last;
    s->seq = j.seq;
    content->document = j.blank ? NULL
                                : g_strndup(j.document, j.document_len);
    content->records = g_steal_pointer(&j.records);
    content->torn = text->len > s->end ? text->len - s->end : 0;
    if (j.met) {
        content->age = strcmp(j.last.hex, mark) ? UEFI_FILE_AHEAD
                                                : UEFI_FILE_SAME;
    }
    return true;
}

/* Both superblocks */
typedef struct Supers {
    Header head[2];
    HeaderState state[2];
} Supers;

static bool read_supers(UefiVarSlots *s, Supers *supers, GError **err)
{
    for (unsigned i = 0; i < 2; i++) {
        Header *head = &supers->head[i];

        if (!read_header(s, i * STRIDE, head, &supers->state[i], err)) {
            return false;
        }
        if (supers->state[i] == HEADER_GOOD &&
            slot_of(head->generation) != i) {
            supers->state[i] = HEADER_BAD;
        }
    }
    return true;
}

/* Whether there are changes in the slot of the next generation */
static bool has_changes(UefiVarSlots *s, const Header *head, bool *changes,
                        GError **err)
{
    const Header counts = s->head;
    g_auto(UefiJournal) j = {
        .alignment = head->alignment,
        .records = g_ptr_array_new_with_free_func(g_free)
    };
    g_autoptr(GString) text = NULL;
    bool ok;

    s->head = *head;
    text = read_text(s, err);
    ok = text && parse_text(s, text, &j, err);
    s->head = counts;
    *changes = j.seq > 0;
    return ok;
}

/*
 * A superblock that is not good was being written when power was lost.  Then
 * its slot is complete and has no changes yet.  Or it is an old one that got
 * lost; or, if it is zero, generation 1 has not been folded yet.  In any other
 * case there may be acknowledged changes in the slot.
 */
static bool check_other(UefiVarSlots *s, HeaderState super, GError **err)
{
    uint64_t generation = s->head.generation;
    bool first = generation == 1 && super == HEADER_ZERO;
    g_autoptr(GError) why = NULL;
    HeaderState state;
    bool changes;
    Header head;

    if (!read_header(s, slot_at(s, generation + 1), &head, &state, err)) {
        return false;
    }
    if (state == HEADER_GOOD && head.generation + 1 == generation) {
        return true;
    }
    if (state != HEADER_GOOD || head.generation != generation + 1 ||
        head.slot_size != s->head.slot_size) {
        return first || damaged(s, err, "a superblock and its slot are "
                                "damaged");
    }
    if (!has_changes(s, &head, &changes, &why)) {
        if (first && g_error_matches(why, UEFI_VAR_FILE_ERROR,
                                     UEFI_VAR_FILE_ERROR_DAMAGED)) {
            return true;
        }
        g_propagate_error(err, g_steal_pointer(&why));
        return false;
    }
    return !changes || damaged(s, err, "the superblock of the last changes "
                               "is damaged");
}

/* Which superblock counts; false if none does, and @err tells of damage */
static bool choose(UefiVarSlots *s, const Supers *supers, GError **err)
{
    const HeaderState *state = supers->state;
    const Header *head = supers->head;
    unsigned newest = state[1] == HEADER_GOOD &&
                      (state[0] != HEADER_GOOD ||
                       head[1].generation > head[0].generation);

    s->head = head[newest];
    if (s->head.slot_size < least_slot(s->max_document) ||
        s->head.slot_size > (s->capacity - SLOTS_AT) / 2) {
        return fail(s, err, UEFI_VAR_FILE_ERROR_DAMAGED,
                    "made with slots of %" PRIu64 " bytes, but %" PRIu64
                    " to %" PRIu64 " can be used here: export it, and import "
                    "it to a medium of zeroes", s->head.slot_size,
                    least_slot(s->max_document),
                    (s->capacity - SLOTS_AT) / 2);
    }
    if (state[!newest] == HEADER_GOOD) {
        return head[!newest].generation + 1 == s->head.generation ||
               damaged(s, err, "its superblocks are not of one store");
    }
    return check_other(s, state[!newest], err);
}

static void drop_slot(UefiVarSlots *s)
{
    if (s->slot) {
        g_string_free(g_steal_pointer(&s->slot), TRUE);
    }
}

static void forget(UefiVarSlots *s)
{
    drop_slot(s);
    s->trusted = s->commit_due = s->spoiled = false;
    s->document = s->end = s->dirty = s->seq = 0;
    s->last = uefi_journal_sum("", 0);
    s->head.generation = 0;
    s->head.alignment = alignment(s);
    s->head.slot_size = MIN((s->capacity - SLOTS_AT) / 2 / STRIDE * STRIDE,
                            LARGEST * least_slot(s->max_document));
}

static bool load(UefiVarSlots *s, const char *mark, UefiVarContent *content,
                 GError **err)
{
    Supers supers;

    if (!read_supers(s, &supers, err)) {
        return false;
    }
    if (supers.state[0] == HEADER_GOOD || supers.state[1] == HEADER_GOOD) {
        return choose(s, &supers, err) && load_slot(s, mark, content, err);
    }
    content->records = g_ptr_array_new_with_free_func(g_free);
    return load_blank(s, err);
}

static bool slots_take(void *opaque, const char *mark,
                       UefiVarContent *content, GError **err)
{
    UefiVarSlots *s = opaque;
    g_auto(UefiVarContent) found = { .age = UEFI_FILE_OTHER };

    forget(s);
    s->given = false;
    /* who was killed may have written without having flushed */
    if (!load(s, mark, &found, err) ||
        (s->ops->write && !mark && !medium_flush(s, err))) {
        return false;
    }
    s->trusted = true;
    *content = found;
    found = (UefiVarContent) { };
    return true;
}

/*
 * Whoever has the medium next may be somebody else.  It may be given while a
 * request waits, which is the last one then.
 */
static void slots_give(void *opaque)
{
    UefiVarSlots *s = opaque;

    forget(s);
    s->given = true;
}

/* Whose it is, is the business of whoever is beneath: nothing is known. */
static UefiVarFileAge slots_look(void *opaque, const char *mark)
{
    return UEFI_FILE_OTHER;
}

static const char *slots_mark(void *opaque)
{
    UefiVarSlots *s = opaque;

    return s->last.hex;
}

/* ------------------------------------------------------------------------ */
/* Folding */

/* The slot with @document in it, beginning with its header */
static GString *new_slot(const Header *head, const char *document, size_t len)
{
    g_autofree char *block = header_block(head);
    GString *slot = g_string_new_len(block, BLOCK);

    uefi_journal_add(slot, UEFI_JOURNAL_DOCUMENT, 0, NULL, document, len);
    pad(head, slot);
    return slot;
}

/* Write the slot that does not count; what it had is of no use to anybody. */
static bool write_slot(UefiVarSlots *s, GError **err)
{
    uint64_t at = slot_at(s, s->head.generation + 1);

    return medium_zero(s, at, s->head.slot_size, err) &&
           medium_write(s, at, s->slot->str, s->slot->len, err) &&
           medium_flush(s, err);
}

/* Make that slot count. */
static bool write_superblock(UefiVarSlots *s, GError **err)
{
    /* From now on it may count already, so nothing goes to the other one. */
    s->commit_due = true;
    return write_header(s, superblock_at(s->next.generation), &s->next,
                        err) && medium_flush(s, err);
}

static void use_slot(UefiVarSlots *s)
{
    s->commit_due = s->spoiled = false;
    s->head = s->next;
    s->document = s->end = s->dirty = s->slot->len - BLOCK;
    s->last = s->slot_sum;
    s->seq = 0;
    drop_slot(s);
}

static bool plan(UefiVarSlots *s, const char *document, size_t len,
                 GError **err)
{
    const Header head = next_header(s);
    g_autoptr(GString) slot = new_slot(&head, document, len);

    if (slot->len > s->head.slot_size) {
        return fail(s, err, UEFI_VAR_FILE_ERROR_FULL,
                    "a document of %zu bytes does not fit into a slot", len);
    }
    s->next = head;
    s->slot = g_steal_pointer(&slot);
    s->slot_sum = uefi_journal_sum(document, len);
    return true;
}

static void slots_run(void *opaque)
{
    UefiVarSlots *s = opaque;

    g_clear_error(&s->failure);
    if (s->slot && (s->commit_due || write_slot(s, &s->failure))) {
        write_superblock(s, &s->failure);
    }
}

static bool slots_finish(void *opaque, GError **err)
{
    UefiVarSlots *s = opaque;

    if (s->failure) {
        if (!s->commit_due) {
            drop_slot(s);
        }
        g_propagate_error(err, g_steal_pointer(&s->failure));
        return false;
    }
    if (s->slot) {
        use_slot(s);
    }
    return true;
}

static bool run_here(UefiVarSlots *s, GError **err)
{
    slots_run(s);
    return slots_finish(s, err);
}

/* What every write begins with */
static bool begin_write(UefiVarSlots *s, GError **err)
{
    if (!s->trusted) {
        return fail(s, err, UEFI_VAR_FILE_ERROR_DAMAGED,
                    "not written, because it was not loaded");
    }
    if (!uefi_var_slots_check(s, err)) {
        return false;
    }
    if (s->commit_due) {
        return run_here(s, err);
    }
    /* the first slot ever is always the same: see load_blank() */
    return s->head.generation || (plan(s, "", 0, err) && run_here(s, err));
}

static bool slots_plan_fold(void *opaque, const char *document, size_t len,
                            GError **err)
{
    UefiVarSlots *s = opaque;
    UefiJournalSum sum;

    len = uefi_journal_trimmed(document, len);
    if (!uefi_journal_is_document(document, len)) {
        return fail(s, err, UEFI_VAR_FILE_ERROR_TEXT,
                    "a document must be text without lines that begin "
                    "with '#'");
    }
    if (!begin_write(s, err)) {
        return false;
    }
    sum = uefi_journal_sum(document, len);
    return (uefi_journal_same(&sum, &s->last) && takes_records(s)) ||
           plan(s, document, len, err);
}

/* There is one step only: before its end nothing has happened. */
static bool slots_plan_step(void *opaque, GError **err)
{
    return true;
}

static bool slots_fold_pending(void *opaque)
{
    return false;
}

static size_t slots_journal_size(void *opaque)
{
    UefiVarSlots *s = opaque;

    return s->end - s->document;
}

/*
 * Reading a slot costs the same whatever is in it, so there is no hurry before
 * it is half full.
 */
static UefiVarFoldNeed slots_fold_need(void *opaque)
{
    UefiVarSlots *s = opaque;

    if (!takes_records(s) || s->end > text_size(s) / 4 * 3) {
        return UEFI_FOLD_NOW;
    }
    return s->end > text_size(s) / 2 && slots_journal_size(s) > 0
           ? UEFI_FOLD_WHEN_IDLE : UEFI_FOLD_NO_NEED;
}

/* ------------------------------------------------------------------------ */
/* Appending */

/* What an interrupted or failed write left must not be found again. */
static bool clean(UefiVarSlots *s, GError **err)
{
    uint64_t at = text_at(s, s->head.generation) + s->end;

    if (s->dirty > s->end) {
        if (!medium_zero(s, at, s->dirty - s->end, err) ||
            !medium_flush(s, err)) {
            return false;
        }
        s->dirty = s->end;
    }
    return true;
}

/* Make the text of the slot longer by @text, durably, or leave it */
static bool extend(UefiVarSlots *s, const GString *text, GError **err)
{
    if (!takes_records(s) || text->len > text_size(s) - s->end) {
        return fail(s, err, UEFI_VAR_FILE_ERROR_LONG,
                    "the slot of %" PRIu64 " bytes is full",
                    s->head.slot_size);
    }
    if (!clean(s, err)) {
        return false;
    }
    s->dirty = s->end + text->len;
    if (!medium_write(s, text_at(s, s->head.generation) + s->end, text->str,
                      text->len, err) || !medium_flush(s, err)) {
        clean(s, NULL);
        return false;
    }
    s->end = s->dirty;
    return true;
}

static bool slots_append(void *opaque, const char *record, size_t len,
                         GError **err)
{
    UefiVarSlots *s = opaque;
    g_autoptr(GString) text = g_string_sized_new(len + BLOCK);
    UefiJournalSum sum;

    if (len == 0 || memchr(record, 0, len) || memchr(record, '\n', len)) {
        return fail(s, err, UEFI_VAR_FILE_ERROR_TEXT,
                    "a record must be one line of text");
    }
    if (!begin_write(s, err)) {
        return false;
    }
    sum = uefi_journal_add(text, UEFI_JOURNAL_CHANGE, s->seq + 1, &s->last,
                           record, len);
    pad(&s->head, text);
    if (!extend(s, text, err)) {
        return false;
    }
    s->last = sum;
    s->seq++;
    return true;
}

const UefiVarMediumOps uefi_var_slots_medium_ops = {
    .take = slots_take,
    .give = slots_give,
    .look = slots_look,
    .mark = slots_mark,
    .append = slots_append,
    .plan_fold = slots_plan_fold,
    .plan_step = slots_plan_step,
    .run = slots_run,
    .finish = slots_finish,
    .fold_pending = slots_fold_pending,
    .fold_need = slots_fold_need,
    .journal_size = slots_journal_size,
    .reverts = true,
};

/* ------------------------------------------------------------------------ */
/* Life */

UefiVarSlots *uefi_var_slots_new(const UefiVarSlotsOps *ops, void *opaque,
                                 const char *name, uint64_t capacity,
                                 size_t max_document)
{
    UefiVarSlots *s = g_new0(UefiVarSlots, 1);

    s->ops = ops;
    s->opaque = opaque;
    s->name = g_strdup(name);
    s->capacity = capacity;
    s->max_document = max_document;
    return s;
}

bool uefi_var_slots_check(const UefiVarSlots *s, GError **err)
{
    uint64_t needed = uefi_var_slots_capacity(s->max_document);

    if (alignment(s) > BLOCK) {
        return fail(s, err, UEFI_VAR_FILE_ERROR_IO, "takes no requests below "
                    "%" PRIu32 " bytes, but a store needs those of %d",
                    alignment(s), BLOCK);
    }
    return s->capacity >= needed ||
           fail(s, err, UEFI_VAR_FILE_ERROR_FULL, "has %" PRIu64 " bytes, but "
                "a store of this size needs %" PRIu64, s->capacity, needed);
}

void uefi_var_slots_free(UefiVarSlots *s)
{
    if (s) {
        drop_slot(s);
        g_clear_error(&s->failure);
        g_free(s->name);
        g_free(s);
    }
}
