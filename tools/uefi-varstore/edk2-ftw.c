/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: an interrupted write to a flash image of edk2
 *
 * edk2 rewrites its store by way of a spare area, and notes in a working block
 * how far it has come (MdeModulePkg, SystemNvDataGuid.h).  If the spare area
 * is complete and the store is not, the firmware copies the one over the other
 * at its next start, and notes that.  So does this, in memory.
 */

#include "qemu/osdep.h"
#include "format.h"

#define SEARCH_STEP     1024        /* a working block begins at a multiple */
#define HEADER_SIZE     32
#define QUEUE_SIZE_AT   24          /* in the header, u64 */
#define STATE_AT        20          /* in the header, a bit field */
#define ENTRY_SIZE      40          /* of the queue: a write, or its record */

/* Flash is erased to ones, so a bit that is 0 has been set. */
enum {
    BLOCK_VALID = 1 << 0,
    BLOCK_INVALID = 1 << 1,
    WRITE_COMPLETE = 1 << 2,
    RECORD_SPARE = 1 << 1,
    RECORD_DESTINATION = 1 << 2,
};

const UefiGuid tool_guid_working_block =
    UEFI_GUID(0x9e58292b, 0x7c68, 0x497d,
              0xa0, 0xce, 0x65, 0x00, 0xfd, 0x9f, 0x1b, 0x95);

/* The last write that was begun, from its entries in the queue */
typedef struct Write {
    uint8_t *header;            /* their states, in the queue */
    uint8_t *record;
    bool last;                  /* no other record follows */
    uint8_t state;              /* of the record */
    uint64_t block;             /* number of the first one */
    uint64_t offset, length;    /* from there on, bytes */
    int64_t from_spare;         /* place of that block, less the spare area's */
} Write;

static bool is_set(uint8_t state, uint8_t bit)
{
    return !(state & bit);
}

/* Put @queue over the queue of the working block in the image, if any. */
static bool find_queue(const UefiMsg *image, UefiMsg *queue)
{
    UefiMsg in = *image;

    for (size_t at = 0; at + HEADER_SIZE <= in.size; at += SEARCH_STEP) {
        UefiGuid guid;
        uint8_t state;
        uint64_t size;

        uefi_msg_seek(&in, at);
        guid = uefi_msg_get_guid(&in);
        if (!uefi_guid_equal(&guid, &tool_guid_working_block)) {
            continue;
        }
        uefi_msg_seek(&in, at + STATE_AT);
        state = uefi_msg_get_u8(&in);
        uefi_msg_seek(&in, at + QUEUE_SIZE_AT);
        size = uefi_msg_get_u64(&in);
        if (is_set(state, BLOCK_VALID) && !is_set(state, BLOCK_INVALID) &&
            size <= uefi_msg_left(&in)) {
            uefi_msg_init(queue, in.buf + in.pos, size, 8);
            return true;
        }
    }
    return false;
}

/* The entry at the cursor: a write with the size of its records */
static bool read_write(UefiMsg *queue, uint8_t *state, uint64_t *records,
                       uint64_t *record_size)
{
    size_t at = queue->pos;

    *state = uefi_msg_get_u8(queue);
    uefi_msg_seek(queue, at + 24);
    *records = uefi_msg_get_u64(queue);
    *record_size = ENTRY_SIZE + uefi_msg_get_u64(queue);
    return !queue->overrun && *records > 0 && *records <= queue->size &&
           *record_size >= ENTRY_SIZE && *record_size <= queue->size;
}

static void read_record(UefiMsg *queue, size_t at, Write *w)
{
    uefi_msg_seek(queue, at);
    w->record = queue->buf + queue->pos;
    w->state = uefi_msg_get_u8(queue);
    uefi_msg_seek(queue, at + 8);
    w->block = uefi_msg_get_u64(queue);
    w->offset = uefi_msg_get_u64(queue);
    w->length = uefi_msg_get_u64(queue);
    w->from_spare = uefi_msg_get_u64(queue);
}

/* The first record of the last write that has not reached its destination */
static bool find_record(UefiMsg *queue, Write *w)
{
    uint64_t records, size;
    uint8_t state;

    for (;;) {
        size_t at;

        w->header = queue->buf + queue->pos;
        if (!read_write(queue, &state, &records, &size)) {
            return false;
        }
        at = queue->pos;

        if (is_set(state, WRITE_COMPLETE)) {
            uefi_msg_get_bytes(queue, MIN(records * size, queue->size));
            continue;
        }
        for (uint64_t i = 0; i < records; i++) {
            read_record(queue, at + i * size, w);
            if (queue->overrun || !is_set(w->state, RECORD_DESTINATION)) {
                w->last = i + 1 == records;
                return !queue->overrun;
            }
        }
        return false;
    }
}

/*
 * Where in the image the spare area and the destination of @w are
 * @volume: where a header of the volume is; the one in the spare area if that
 * of the destination has been erased already
 */
static bool places(const Write *w, size_t size, size_t volume,
                   uint64_t block_size, size_t *spare, size_t *destination,
                   size_t *len)
{
    uint64_t to, from, end;

    if (!block_size || w->block > size / block_size || w->offset > size ||
        w->length > size) {
        return false;
    }
    end = ROUND_UP(w->offset + w->length, block_size);
    to = volume + w->block * block_size;
    from = to - w->from_spare;
    if (from >= size || end > size - from) {
        from = volume;
        to = from + w->from_spare;
    }
    if (to >= size || end > size - to || end > size - from) {
        return false;
    }
    *spare = from;
    *destination = to;
    *len = end;
    return true;
}

bool tool_ftw_finish(UefiMsg *image, size_t volume, uint64_t block_size)
{
    size_t spare, destination, len;
    UefiMsg queue;
    Write w;

    if (!find_queue(image, &queue) || !find_record(&queue, &w) ||
        !is_set(w.state, RECORD_SPARE) ||
        !places(&w, image->size, volume, block_size, &spare, &destination,
                &len)) {
        return false;
    }
    memmove(image->buf + destination, image->buf + spare, len);
    *w.record &= ~RECORD_DESTINATION;
    if (w.last) {
        *w.header &= ~WRITE_COMPLETE;
    }
    return true;
}
