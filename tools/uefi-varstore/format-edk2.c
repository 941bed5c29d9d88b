/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: flash images of edk2 (OVMF, AAVMF)
 *
 * A firmware volume (UEFI PI 1.8, volume 3, 3.2.1) that holds a variable
 * store with authenticated variables: a header of 28 bytes, then records of
 * 60 bytes plus name and value, each aligned to 4 bytes.  Firmware without
 * authentication has the same with shorter records.  All is little
 * endian.  What is behind the store serves the fault tolerant write of the
 * firmware: edk2-ftw.c.
 */

#include "qemu/osdep.h"
#include "format.h"
#include "hw/uefi/var-service-edk2.h"
#include "hw/uefi/var-service-text.h"

#define MIN_FLASH           (64 * 1024)     /* in practice */
#define VOLUME_ALIGNMENT    1024
#define VOLUME_HEADER_AT    32              /* behind a vector and a GUID */
#define VOLUME_SIGNATURE    0x4856465f      /* _FVH */
#define VOLUME_REVISION     2
#define VOLUME_BLOCK_SIZE_AT 60             /* of the first blocks, u32 */
#define STORE_FORMATTED     0x5a
#define STORE_HEALTHY       0xfe
#define RECORD_ID           0x55aa
#define RECORD_ALIGNMENT    4
#define STORE_ALIGNMENT     4
#define MAX_RECORDS         (UEFI_LIMIT_NV_SIZE_MAX / \
                             EFI_VAR_RECORD_HEADER_SIZE)
#define ERASED_32           0xffffffffu

/*
 * The state of a record begins with all bits set, each of which is cleared
 * when something is done.
 */
enum {
    STATE_ERASED = 0xff,            /* the header is being written */
    STATE_HEADER = 0x7f,            /* name and value are being written */
    STATE_ADDED = 0x3f,
    STATE_REPLACING = 0x3e,         /* the new value is being written */
    STATE_NOT_DELETED = 0x02,
    STATE_FINISHED = 0x3c,          /* added, and perhaps deleted since */
    STATE_FINISHED_MASK = 0xfc,
};

static const UefiGuid guid_volume =
    UEFI_GUID(0xfff12b8d, 0x7696, 0x4c8b,
              0xa9, 0x85, 0x27, 0x47, 0x07, 0x5b, 0x4f, 0x50);
static const UefiGuid guid_store =
    UEFI_GUID(0xaaf32c78, 0x947b, 0x439a,
              0xa1, 0x80, 0x2e, 0x14, 0x4e, 0xc3, 0x77, 0x92);
static const UefiGuid guid_plain_store =
    UEFI_GUID(0xddcf3616, 0x3275, 0x4164,
              0x98, 0xb6, 0xfe, 0x85, 0x70, 0x7f, 0xfe, 0x7d);

/* Where the records are in an image, bytes */
typedef struct Area {
    size_t start;
    size_t size;
    bool plain;                 /* records are without authentication */
} Area;

/* A record that was finished; pointers into the image */
typedef struct Record {
    size_t offset;              /* in the image */
    uint8_t state;
    uint32_t attributes;
    const uint8_t *time;        /* NULL in a plain store */
    const uint8_t *key;         /* GUID and name */
    size_t name_size;           /* bytes, with NUL */
    const uint8_t *data;
    size_t data_size;
} Record;

/* ------------------------------------------------------------------------ */
/* The way to the records */

/* Find the volume, and go there. */
static bool seek_volume(UefiMsg *in, size_t *at)
{
    for (*at = 0; *at + 32 <= in->size; *at += VOLUME_ALIGNMENT) {
        UefiGuid guid;

        uefi_msg_seek(in, *at + 16);
        guid = uefi_msg_get_guid(in);
        if (uefi_guid_equal(&guid, &guid_volume)) {
            return true;
        }
    }
    return false;
}

static uint16_t checksum(UefiMsg *in, size_t at, uint16_t size)
{
    uint16_t sum = 0;

    uefi_msg_seek(in, at);
    for (uint16_t i = 0; i < size / 2; i++) {
        sum += uefi_msg_get_u16(in);
    }
    return sum;
}

/* Check the header of the volume at @at, and go behind it. */
static bool read_volume(UefiMsg *in, size_t at, uint64_t *left, GError **err)
{
    uint64_t size = uefi_msg_get_u64(in);
    uint32_t signature = uefi_msg_get_u32(in);
    uint16_t header;
    uint8_t revision;

    uefi_msg_get_u32(in);       /* attributes */
    header = uefi_msg_get_u16(in);
    uefi_msg_get_u32(in);       /* checksum, offset of another header */
    uefi_msg_get_u8(in);
    revision = uefi_msg_get_u8(in);
    if (in->overrun || size > in->size - at || size < header) {
        return uefi_text_fail(err, "the firmware volume at byte %zu is cut "
                              "off", at);
    }
    if (signature != VOLUME_SIGNATURE || revision != VOLUME_REVISION ||
        header % 2 || checksum(in, at, header)) {
        return uefi_text_fail(err, "the header of the firmware volume at "
                              "byte %zu is damaged", at);
    }
    *left = size - header;
    return true;
}

/* Whether flash was never written to: erased, or a file full of zero */
static bool is_blank(const UefiMsg *in)
{
    return in->size && (!in->buf[0] || in->buf[0] == 0xff) &&
           !memcmp(in->buf, in->buf + 1, in->size - 1);
}

/* Go to the next header of a store from @at on, if there is any. */
static bool seek_store(UefiMsg *in, size_t at)
{
    for (; at + EFI_VAR_STORE_HEADER_SIZE <= in->size; at += STORE_ALIGNMENT) {
        UefiGuid guid;

        uefi_msg_seek(in, at);
        guid = uefi_msg_get_guid(in);
        if (uefi_guid_equal(&guid, &guid_store) ||
            uefi_guid_equal(&guid, &guid_plain_store)) {
            uefi_msg_seek(in, at);
            return true;
        }
    }
    return false;
}

/* Whether a working block is before @volume: that is in its spare area */
static bool is_spare(UefiMsg *in, size_t volume)
{
    for (size_t at = 0; at < volume; at += VOLUME_ALIGNMENT) {
        UefiGuid guid;

        uefi_msg_seek(in, at);
        guid = uefi_msg_get_guid(in);
        if (uefi_guid_equal(&guid, &tool_guid_working_block)) {
            return true;
        }
    }
    uefi_msg_seek(in, volume + VOLUME_HEADER_AT);
    return false;
}

/* Go to the header of the store, @left bytes before the end of its volume. */
static bool find_store(ToolTransfer *t, UefiMsg *in, uint64_t *left,
                       GError **err)
{
    g_autoptr(GError) local = NULL;
    size_t at;

    if (!seek_volume(in, &at)) {
        uefi_text_fail(&local, is_blank(in)
                       ? "the image is blank: firmware makes its store at the "
                       "first boot; use an image that has one, such as "
                       "AAVMF_VARS.ms.fd"
                       : "there is no volume of variables in it");
        at = 0;
    } else if (is_spare(in, at)) {
        uefi_text_fail(&local, "the volume of variables is missing; there is a "
                       "spare copy at byte %zu, perhaps an old one", at);
        at = 0;
    } else if (read_volume(in, at, left, &local)) {
        return true;
    }
    if (!seek_store(in, at) ||
        !tool_transfer_lost(t, at, NULL, "%s; the store at byte %zu is taken",
                            local->message, in->pos)) {
        g_propagate_error(err, g_steal_pointer(&local));
        return false;
    }
    *left = uefi_msg_left(in);
    return true;
}

/* Where the store must end, whatever its header says: bytes from its start */
static uint64_t limit_of(const UefiMsg *image, size_t start)
{
    UefiMsg in = *image;

    uefi_msg_init(&in, image->buf + start, image->size - start, 8);
    for (size_t at = ROUND_UP(start + 1, VOLUME_ALIGNMENT) - start;
         at + 32 <= in.size; at += VOLUME_ALIGNMENT) {
        UefiGuid first, second;

        uefi_msg_seek(&in, at);
        first = uefi_msg_get_guid(&in);
        second = uefi_msg_get_guid(&in);
        if (uefi_guid_equal(&first, &tool_guid_working_block) ||
            uefi_guid_equal(&second, &guid_volume)) {
            return at;
        }
    }
    return in.size;
}

static bool find_area(ToolTransfer *t, UefiMsg *in, Area *area, GError **err)
{
    uint64_t left = 0;
    uint32_t size;
    uint8_t format, state;
    UefiGuid guid;
    size_t at;

    if (!find_store(t, in, &left, err)) {
        return false;
    }
    at = in->pos;
    guid = uefi_msg_get_guid(in);
    size = uefi_msg_get_u32(in);
    format = uefi_msg_get_u8(in);
    state = uefi_msg_get_u8(in);
    area->plain = uefi_guid_equal(&guid, &guid_plain_store);
    if (in->overrun ||
        (!area->plain && !uefi_guid_equal(&guid, &guid_store) &&
         !tool_transfer_lost(t, at, NULL, "at byte %zu is not a store of "
                             "variables but something else", at))) {
        return uefi_text_fail(err, "at byte %zu is not a store of variables "
                              "but something else", at);
    }
    if (format != STORE_FORMATTED || state != STORE_HEALTHY || size > left ||
        size < EFI_VAR_STORE_HEADER_SIZE) {
        if (!tool_transfer_lost(t, at, err, "the header of the store at byte "
                                "%zu is damaged", at)) {
            return false;
        }
        size = MIN(left, limit_of(in, at));
        if (size < EFI_VAR_STORE_HEADER_SIZE) {
            return uefi_text_fail(err, "the store at byte %zu is cut off", at);
        }
    }
    area->start = at + EFI_VAR_STORE_HEADER_SIZE;
    area->size = size - EFI_VAR_STORE_HEADER_SIZE;
    return true;
}

/* Whether there is the header of a store, if none of a volume */
static bool detect_damaged(UefiMsg *in)
{
    return seek_store(in, 0);
}

static bool detect(UefiMsg *in)
{
    size_t at;

    return seek_volume(in, &at) || (is_blank(in) && in->size >= MIN_FLASH);
}

/* ------------------------------------------------------------------------ */
/* Reading */

/*
 * Go into the record at the cursor.  Firmware takes anything but the id as the
 * end of the records, and never writes behind it.
 */
static bool next_record(UefiMsg *in, const Area *area, bool *end, GError **err)
{
    size_t at = in->pos;
    const uint8_t *rest;

    *end = uefi_msg_left(in) < 2 || uefi_msg_get_u16(in) != RECORD_ID;
    if (!*end) {
        return true;
    }
    uefi_msg_seek(in, at);
    rest = uefi_msg_get_bytes(in, in->size - at);
    for (size_t i = 0; i < in->size - at; i++) {
        /* some programs fill with zero instead of what erased flash has */
        if (rest[i] != rest[0] || (rest[i] && rest[i] != 0xff)) {
            return uefi_text_fail(err, "bad record at byte %zu",
                                  area->start + at);
        }
    }
    return true;
}

/* Read the record behind its id; one that was not finished has no @r->key. */
static bool read_record(UefiMsg *in, bool plain, Record *r, GError **err)
{
    uint32_t name_size, data_size;

    r->state = uefi_msg_get_u8(in);
    uefi_msg_get_u8(in);        /* reserved */
    r->attributes = uefi_msg_get_u32(in);
    if (!plain) {
        uefi_msg_get_u64(in);   /* monotonic count */
        r->time = uefi_msg_get_bytes(in, EFI_TIME_SIZE);
        uefi_msg_get_u32(in);   /* index of a public key */
    }
    name_size = uefi_msg_get_u32(in);
    data_size = uefi_msg_get_u32(in);
    r->key = uefi_msg_get_bytes(in, sizeof(UefiGuid));
    if (in->overrun) {
        return uefi_text_fail(err, "the record at byte %zu is cut off",
                              r->offset);
    }
    if (r->state == STATE_ERASED || r->attributes == ERASED_32 ||
        name_size == ERASED_32 || data_size == ERASED_32) {
        /* firmware goes on right behind such a header */
        r->key = NULL;
        return true;
    }
    r->name_size = name_size;
    r->data_size = data_size;
    uefi_msg_get_bytes(in, name_size);
    r->data = uefi_msg_get_bytes(in, data_size);
    if (in->overrun) {
        return uefi_text_fail(err, "the record at byte %zu is longer than the "
                              "store", r->offset);
    }
    return true;
}

/* A variable and its replacement have the same. */
static GBytes *record_key(const Record *r)
{
    return g_bytes_new_static(r->key, sizeof(UefiGuid) + r->name_size);
}

/* The record at @at, or the end of the records; whether it is one of both */
static bool take_record(UefiMsg *in, const Area *area, size_t at, Record *r,
                        bool *end, GError **err)
{
    uefi_msg_init(in, in->buf, in->size, 8);
    uefi_msg_seek(in, at);
    *r = (Record) { .offset = area->start + at };
    return next_record(in, area, end, err) &&
           (*end || read_record(in, area->plain, r, err));
}

/* Whether there is a record at @at, as it is not by chance */
static bool is_record(UefiMsg *in, const Area *area, size_t at)
{
    Record r;
    bool end;

    /* nothing is looked at twice that is none */
    uefi_msg_init(in, in->buf, in->size, 8);
    uefi_msg_seek(in, at);
    return uefi_msg_get_u16(in) == RECORD_ID &&
           take_record(in, area, at, &r, &end, NULL) && !end && r.key &&
           (r.state & STATE_FINISHED_MASK) == STATE_FINISHED &&
           r.attributes && r.attributes <= 0xff && r.name_size >= 4 &&
           r.name_size % 2 == 0 && !r.data[-1] && !r.data[-2];
}

/* Name what is at @at, and go to the next record. */
static bool skip(ToolTransfer *t, UefiMsg *in, const Area *area, size_t at,
                 GError **err)
{
    size_t end = at + RECORD_ALIGNMENT;

    while (t->lost && end < in->size && !is_record(in, area, end)) {
        end += RECORD_ALIGNMENT;
    }
    end = MIN(end, in->size);
    uefi_msg_init(in, in->buf, in->size, 8);
    uefi_msg_seek(in, end);
    if (end == in->size) {
        return tool_transfer_lost(t, area->start + at, NULL, "%s; there is "
                                  "none behind it", (*err)->message);
    }
    return tool_transfer_lost(t, area->start + at, NULL, "%s; the next record "
                              "is at byte %zu", (*err)->message,
                              area->start + end);
}

/* The finished records, in order; @added gets the keys of valid ones. */
static GArray *read_records(ToolTransfer *t, UefiMsg *in, const Area *area,
                            GTree *added, GError **err)
{
    g_autoptr(GArray) records = g_array_new(FALSE, FALSE, sizeof(Record));

    for (;;) {
        size_t at = MIN(ROUND_UP(in->pos, RECORD_ALIGNMENT), in->size);
        g_autoptr(GError) local = NULL;
        Record r;
        bool end;

        if (!take_record(in, area, at, &r, &end, &local)) {
            if (!skip(t, in, area, at, &local)) {
                g_propagate_error(err, g_steal_pointer(&local));
                return NULL;
            }
            continue;
        }
        if (end) {
            return g_steal_pointer(&records);
        }
        if (!r.key || r.state == STATE_HEADER) {
            tool_transfer_note(t, "the record at byte %zu was never finished "
                               "and is left out", r.offset);
            continue;
        }
        if (!(r.state & STATE_NOT_DELETED)) {
            continue;
        }
        if (records->len == MAX_RECORDS) {
            uefi_text_fail(err, "from the record at byte %zu on there are "
                           "more than any device has room for", r.offset);
            return NULL;
        }
        if (r.state == STATE_ADDED) {
            GBytes *key = record_key(&r);

            g_tree_insert(added, key, key);
        }
        g_array_append_val(records, r);
    }
}

static bool add_record(ToolTransfer *t, const Record *r, GError **err)
{
    g_autoptr(GError) local = NULL;
    UefiVariable *var;
    UefiGuid guid;
    size_t size = r->name_size;
    const uint8_t *name = r->key + sizeof(guid);

    memcpy(guid.b, r->key, sizeof(guid.b));
    if (size < 2 || name[size - 2] || name[size - 1]) {
        return uefi_text_fail(err, "the name in the record at byte %zu does "
                              "not end", r->offset);
    }
    var = tool_transfer_add(t, &guid, name, size - 2, r->attributes, r->data,
                            r->data_size, &local);
    if (local) {
        return uefi_text_fail(err, "the record at byte %zu: %s", r->offset,
                              local->message);
    }
    if (var && r->time && (var->attributes & EFI_ATTR_AT)) {
        memcpy(var->time.b, r->time, EFI_TIME_SIZE);
    }
    return true;
}

/* Whether firmware takes @r for a variable */
static bool is_valid(ToolTransfer *t, const Record *r, GTree *added)
{
    g_autoptr(GBytes) key = record_key(r);

    if (r->state == STATE_ADDED) {
        return true;
    }
    if (r->state == STATE_REPLACING) {
        if (g_tree_lookup(added, key)) {
            return false;
        }
        tool_transfer_note(t, "the record at byte %zu was about to be "
                           "replaced; the old value is taken", r->offset);
        return true;
    }
    if (r->state & STATE_NOT_DELETED) {
        tool_transfer_note(t, "the record at byte %zu has a bad state (0x%02x) "
                           "and is left out", r->offset, r->state);
    }
    return false;
}

static bool read_area(ToolTransfer *t, UefiMsg *in, GError **err)
{
    g_autoptr(GTree) added = uefi_bytes_set_new();
    g_autoptr(GArray) records = NULL;
    UefiMsg msg;
    Area area;

    if (!find_area(t, in, &area, err)) {
        return false;
    }
    t->room = area.size + EFI_VAR_STORE_HEADER_SIZE;
    uefi_msg_init(&msg, in->buf + area.start, area.size, 8);
    records = read_records(t, &msg, &area, added, err);
    for (guint i = 0; records && i < records->len; i++) {
        const Record *r = &g_array_index(records, Record, i);
        g_autoptr(GError) local = NULL;

        if (is_valid(t, r, added) && !add_record(t, r, &local) &&
            !tool_transfer_lost(t, r->offset, err, "%s", local->message)) {
            return false;
        }
    }
    return records;
}

/* Finish what the firmware was about when power was lost. */
static void finish_write(ToolTransfer *t, UefiMsg *image)
{
    size_t at;

    if (!seek_volume(image, &at)) {
        return;
    }
    uefi_msg_seek(image, at + VOLUME_BLOCK_SIZE_AT);
    if (tool_ftw_finish(image, at, uefi_msg_get_u32(image))) {
        tool_transfer_note(t, "a write of the firmware was interrupted, and "
                           "is finished from the spare area, as the firmware "
                           "would do it");
    }
}

static bool edk2_read(ToolTransfer *t, UefiMsg *in, GError **err)
{
    g_autofree uint8_t *copy = g_memdup2(in->buf, in->size);
    UefiMsg image;

    uefi_msg_init(&image, copy, in->size, 8);
    finish_write(t, &image);
    return read_area(t, &image, err);
}

/* ------------------------------------------------------------------------ */
/* Writing */

static void append_u32(GByteArray *out, uint32_t value)
{
    uint8_t bytes[4] = { value, value >> 8, value >> 16, value >> 24 };

    g_byte_array_append(out, bytes, sizeof(bytes));
}

/* One signer, in the form that the firmware keeps it (protocol 7.4) */
static void append_binding(GByteArray *out, const UefiVariable *var)
{
    size_t len = uefi_str_len(var->name), size;
    const uint8_t *digest = g_bytes_get_data(var->binding, &size);

    g_byte_array_append(out, var->guid.b, sizeof(var->guid.b));
    append_u32(out, sizeof(var->guid.b) + 12 + 2 * len + size);
    append_u32(out, len);
    append_u32(out, size);
    for (size_t i = 0; i < len; i++) {
        uint8_t unit[2] = { var->name[i], var->name[i] >> 8 };

        g_byte_array_append(out, unit, sizeof(unit));
    }
    g_byte_array_append(out, digest, size);
}

/* certdb, or NULL when no variable has a signer of its own */
static UefiVariable *make_certdb(const ToolTransfer *t)
{
    g_autoptr(GByteArray) list = g_byte_array_new();
    g_autofree uint16_t *name = uefi_str_from_ascii("certdb");
    UefiMsg msg;

    append_u32(list, 0);
    for (guint i = 0; i < t->vars->len; i++) {
        const UefiVariable *var = t->vars->pdata[i];

        if (var->binding) {
            append_binding(list, var);
        }
    }
    if (list->len == 4) {
        return NULL;
    }
    uefi_msg_init(&msg, list->data, list->len, 8);
    uefi_msg_put_u32(&msg, list->len);
    return uefi_variable_new(&uefi_guid_cert_db, name,
                             EFI_ATTR_NV | EFI_ATTR_BS | EFI_ATTR_RT |
                             EFI_ATTR_AT,
                             g_byte_array_free_to_bytes(
                                 g_steal_pointer(&list)));
}

static void put_record(UefiMsg *out, bool plain, const UefiVariable *var)
{
    size_t size;
    const uint8_t *data = g_bytes_get_data(var->data, &size);

    uefi_msg_put_u16(out, RECORD_ID);
    uefi_msg_put_u8(out, STATE_ADDED);
    uefi_msg_put_u8(out, 0);
    uefi_msg_put_u32(out, var->attributes);
    if (!plain) {
        uefi_msg_put_u64(out, 0);
        uefi_msg_put_bytes(out, var->time.b, sizeof(var->time.b));
        uefi_msg_put_u32(out, 0);
    }
    uefi_msg_put_u32(out, uefi_str_size(var->name));
    uefi_msg_put_u32(out, size);
    uefi_msg_put_guid(out, &var->guid);
    uefi_msg_put_str(out, var->name);
    uefi_msg_put_bytes(out, data, size);
    /* the gap stays erased */
    uefi_msg_seek(out, MIN(ROUND_UP(out->pos, RECORD_ALIGNMENT), out->size));
}

static bool put_records(ToolTransfer *t, UefiMsg *out, bool plain,
                        GError **err)
{
    g_autoptr(UefiVariable) certdb = make_certdb(t);

    for (guint i = 0; i < t->vars->len; i++) {
        const UefiVariable *var = t->vars->pdata[i];

        if (plain && (var->attributes & EFI_ATTR_AT)) {
            g_autofree char *name = uefi_str_print(var->name);

            return uefi_text_fail(err, "the store of the image is without "
                                  "authentication, which '%s' needs", name);
        }
        put_record(out, plain, var);
    }
    if (certdb) {
        put_record(out, plain, certdb);
    }
    if (out->overrun) {
        return uefi_text_fail(err, "the variables do not fit into the store "
                              "of the image, which has room for %zu bytes",
                              out->size);
    }
    return true;
}

/* Everything but the records is as in t->image. */
static GByteArray *edk2_write(ToolTransfer *t, GError **err)
{
    size_t size;
    const uint8_t *data = g_bytes_get_data(t->image, &size);
    g_autoptr(GByteArray) bytes =
        g_byte_array_new_take(g_memdup2(data, size), size);
    UefiMsg msg;
    Area area;

    uefi_msg_init(&msg, bytes->data, size, 8);
    finish_write(t, &msg);
    if (!find_area(t, &msg, &area, err)) {
        g_prefix_error(err, "%s: ", t->template ?: t->path);
        return NULL;
    }
    memset(bytes->data + area.start, 0xff, area.size);
    uefi_msg_init(&msg, bytes->data + area.start, area.size, 8);
    return put_records(t, &msg, area.plain, err) ? g_steal_pointer(&bytes)
                                                 : NULL;
}

const ToolFormat tool_format_edk2 = {
    .name = "edk2",
    .detect = detect,
    .detect_damaged = detect_damaged,
    .read = edk2_read,
    .write = edk2_write,
    .needs_template = true,
};
