/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: a file that records, fails and crashes at will
 */

#include "qemu/osdep.h"
#include "uefi-disk.h"

#define SECTOR          512
#define MAX_EXHAUSTIVE  6       /* 2^6 combinations of parts */
#define RANDOM_SUBSETS  64

/* A write of @data at @offset, or without data a truncation to @offset */
typedef struct Change {
    size_t offset;
    GBytes *data;
    bool doubtful;      /* a sync failed: it may never reach the disk */
    bool done;          /* a sync succeeded */
} Change;

static void change_free(gpointer opaque)
{
    Change *c = opaque;

    g_clear_pointer(&c->data, g_bytes_unref);
    g_free(c);
}

static size_t change_len(const Change *c)
{
    return c->data ? g_bytes_get_size(c->data) : 0;
}

/* As ftruncate(), which g_byte_array_set_size() is not: it does not zero */
static void set_size(GByteArray *image, size_t size)
{
    size_t old = image->len;

    g_byte_array_set_size(image, size);
    if (size > old) {
        memset(image->data + old, 0, size - old);
    }
}

/* Apply the bytes from @from to @to of @c */
static void apply(GByteArray *image, const Change *c, size_t from, size_t to)
{
    if (!c->data) {
        set_size(image, c->offset);
    } else if (to > from) {
        const uint8_t *data = g_bytes_get_data(c->data, NULL);

        if (image->len < c->offset + to) {
            set_size(image, c->offset + to);
        }
        memcpy(image->data + c->offset + from, data + from, to - from);
    }
}

static int ask(UefiDisk *disk, UefiDiskOp op, size_t *len)
{
    disk->calls[op]++;
    return disk->fault ? disk->fault(disk->fault_opaque, op, len) : 0;
}

static int answer(int error)
{
    errno = error;
    return error ? -1 : 0;
}

static void record(UefiDisk *disk, size_t offset, const void *data, size_t len)
{
    Change *c = g_new0(Change, 1);

    c->offset = offset;
    c->data = data ? g_bytes_new(data, len) : NULL;
    apply(disk->now, c, 0, len);
    g_ptr_array_add(disk->since, c);
    disk->mtime++;
}

static ssize_t disk_read(void *opaque, void *buf, size_t len, uint64_t offset)
{
    UefiDisk *disk = opaque;
    int error = ask(disk, UEFI_DISK_PREAD, &len);

    if (error) {
        return answer(error);
    }
    if ((size_t)offset >= disk->now->len) {
        return 0;
    }
    len = MIN(len, disk->now->len - (size_t)offset);
    memcpy(buf, disk->now->data + offset, len);
    return len;
}

static ssize_t disk_write(void *opaque, const void *buf, size_t len,
                           uint64_t offset)
{
    UefiDisk *disk = opaque;
    size_t part = len;
    int error = ask(disk, UEFI_DISK_PWRITE, &part);

    if (part > 0 && !(error && part == len)) {
        record(disk, offset, buf, part);
        disk->written += part;
    }
    return error ? answer(error) : (ssize_t)part;
}

static Change *nth_change(const UefiDisk *disk, unsigned i)
{
    return g_ptr_array_index(disk->since, i);
}

/* Whether nothing that may or may not be on the disk shows any longer */
static bool no_doubt(const UefiDisk *disk)
{
    g_autoptr(GByteArray) image = g_byte_array_new();
    unsigned i;

    g_byte_array_append(image, disk->base->data, disk->base->len);
    for (i = 0; i < disk->since->len; i++) {
        const Change *c = nth_change(disk, i);

        if (!c->done) {
            return false;
        }
        if (!c->doubtful) {
            apply(image, c, 0, change_len(c));
        }
    }
    return image->len == disk->now->len &&
           (!image->len ||
            memcmp(image->data, disk->now->data, image->len) == 0);
}

static int disk_sync(void *opaque)
{
    UefiDisk *disk = opaque;
    int error = ask(disk, UEFI_DISK_FDATASYNC, NULL);
    unsigned i;

    if (error == EINTR) {
        return answer(error);
    }
    for (i = 0; i < disk->since->len; i++) {
        Change *c = nth_change(disk, i);

        /* pages count as clean after an error, be they on the disk or not */
        c->doubtful |= error && !c->done;
        c->done = true;
    }
    if (no_doubt(disk)) {
        g_ptr_array_set_size(disk->since, 0);
        g_byte_array_set_size(disk->base, 0);
        g_byte_array_append(disk->base, disk->now->data, disk->now->len);
    }
    return answer(error);
}

static int disk_cut(void *opaque, uint64_t size)
{
    UefiDisk *disk = opaque;
    int error = ask(disk, UEFI_DISK_FTRUNCATE, NULL);

    if (!error) {
        record(disk, size, NULL, 0);
    }
    return answer(error);
}

static int64_t disk_note(void *opaque)
{
    UefiDisk *disk = opaque;
    int error = ask(disk, UEFI_DISK_FSTAT, NULL);

    if (error) {
        return answer(error);
    }
    disk->noted_size = disk->now->len;
    disk->noted_mtime = disk->mtime;
    return disk->noted_size;
}

static UefiVarFileLook disk_look(void *opaque)
{
    UefiDisk *disk = opaque;
    int error = ask(disk, UEFI_DISK_FSTAT, NULL);

    if (error) {
        answer(error);
        return UEFI_FILE_UNKNOWN;
    }
    if (disk->lost) {
        return UEFI_FILE_LOST;
    }
    return disk->noted_size == disk->now->len &&
           disk->noted_mtime == disk->mtime ? UEFI_FILE_UNCHANGED
                                            : UEFI_FILE_CHANGED;
}

static int disk_lock(void *opaque, bool on)
{
    UefiDisk *disk = opaque;

    if (on && disk->lock_error) {
        return answer(disk->lock_error);
    }
    disk->locked = on;
    return 0;
}

const UefiVarFileOps uefi_disk_ops = {
    .read = disk_read,
    .write = disk_write,
    .sync = disk_sync,
    .cut = disk_cut,
    .note = disk_note,
    .look = disk_look,
    .lock = disk_lock,
};

UefiDisk *uefi_disk_new(const void *data, size_t len)
{
    UefiDisk *disk = g_new0(UefiDisk, 1);

    disk->now = g_byte_array_new();
    disk->base = g_byte_array_new();
    disk->since = g_ptr_array_new_with_free_func(change_free);
    uefi_disk_set(disk, data, len);
    return disk;
}

void uefi_disk_free(UefiDisk *disk)
{
    if (disk) {
        g_byte_array_unref(disk->now);
        g_byte_array_unref(disk->base);
        g_ptr_array_unref(disk->since);
        g_free(disk);
    }
}

UefiVarFile *uefi_disk_open(UefiDisk *disk, size_t limit)
{
    return uefi_var_file_new(&uefi_disk_ops, disk, "disk", true, limit);
}

void uefi_disk_set(UefiDisk *disk, const void *data, size_t len)
{
    g_ptr_array_set_size(disk->since, 0);
    g_byte_array_set_size(disk->now, 0);
    g_byte_array_append(disk->now, data, len);
    g_byte_array_set_size(disk->base, 0);
    g_byte_array_append(disk->base, data, len);
    disk->mtime++;
}

bool uefi_disk_settled(const UefiDisk *disk)
{
    return disk->since->len == 0;
}

/* ------------------------------------------------------------------------ */
/* loss of power */

typedef struct Part {
    unsigned change;
    size_t from, to;
} Part;

/* The sectors of all changes of which it is open whether they are there */
static GArray *open_parts(const UefiDisk *disk)
{
    GArray *parts = g_array_new(false, false, sizeof(Part));
    unsigned i;

    for (i = 0; i < disk->since->len; i++) {
        const Change *c = nth_change(disk, i);
        size_t len = change_len(c);
        Part part = { .change = i };

        if (c->done && !c->doubtful) {
            continue;
        }
        do {
            part.from = part.to;
            part.to = part.from + SECTOR - (c->offset + part.from) % SECTOR;
            part.to = MIN(part.to, len);
            g_array_append_val(parts, part);
        } while (part.to < len);
    }
    return parts;
}

/* What is left if exactly the parts marked in @there reached the disk */
static void visit_subset(const UefiDisk *disk, const GArray *parts,
                         const bool *there, GByteArray *image,
                         UefiDiskVisit *visit, void *opaque)
{
    unsigned i, p = 0;
    size_t extent;

    g_byte_array_set_size(image, 0);
    g_byte_array_append(image, disk->base->data, disk->base->len);
    extent = image->len;
    for (i = 0; i < disk->since->len; i++) {
        const Change *c = nth_change(disk, i);

        if (c->done && !c->doubtful) {
            apply(image, c, 0, change_len(c));
            extent = c->data ? MAX(extent, image->len) : image->len;
            continue;
        }
        for (; p < parts->len; p++) {
            const Part *part = &g_array_index(parts, Part, p);

            if (part->change != i) {
                break;
            }
            if (there[p]) {
                apply(image, c, part->from, part->to);
                extent = c->data ? extent : image->len;
            }
        }
        if (c->data) {
            extent = MAX(extent, c->offset + change_len(c));
        }
    }
    visit(opaque, image->data, image->len);
    if (extent > image->len) {
        /* the new size is on the disk, the bytes are not */
        set_size(image, extent);
        visit(opaque, image->data, image->len);
    }
}

static void visit_subsets(const UefiDisk *disk, GRand *rand,
                          UefiDiskVisit *visit, void *opaque)
{
    g_autoptr(GArray) parts = open_parts(disk);
    g_autoptr(GByteArray) image = g_byte_array_new();
    g_autofree bool *there = g_new0(bool, parts->len + 1);
    bool all = parts->len <= MAX_EXHAUSTIVE;
    unsigned i, p, n = all ? 1u << parts->len : RANDOM_SUBSETS;

    for (i = 0; i < n; i++) {
        for (p = 0; p < parts->len; p++) {
            there[p] = all ? i >> p & 1 : g_rand_boolean(rand);
        }
        visit_subset(disk, parts, there, image, visit, opaque);
    }
    if (all) {
        return;
    }
    /* all but one, only one, all, none */
    for (i = 0; i <= parts->len; i++) {
        for (n = 0; n < 2; n++) {
            for (p = 0; p < parts->len; p++) {
                there[p] = (p == i) ^ n;
            }
            visit_subset(disk, parts, there, image, visit, opaque);
        }
    }
}

static bool worth_a_cut(const Change *c, size_t at, size_t dense)
{
    size_t len = change_len(c);
    size_t sector = (c->offset + at) % SECTOR;

    return len <= dense || at < 200 || len - at < 200 || sector < 2 ||
           sector == SECTOR - 1 || at % 61 == 0;
}

static void visit_cuts(const UefiDisk *disk, size_t dense,
                       UefiDiskVisit *visit, void *opaque)
{
    g_autoptr(GByteArray) before = g_byte_array_new();
    g_autoptr(GByteArray) image = g_byte_array_new();
    unsigned i;

    g_byte_array_append(before, disk->base->data, disk->base->len);
    for (i = 0; i < disk->since->len; i++) {
        const Change *c = nth_change(disk, i);
        size_t at, len = change_len(c);

        for (at = 0; at < len; at++) {
            if (c->done || !worth_a_cut(c, at, dense)) {
                continue;
            }
            g_byte_array_set_size(image, 0);
            g_byte_array_append(image, before->data, before->len);
            apply(image, c, 0, at);
            visit(opaque, image->data, image->len);
            if (image->len < c->offset + len) {
                set_size(image, c->offset + len);
                visit(opaque, image->data, image->len);
            }
        }
        apply(before, c, 0, len);
        if (!c->done) {
            visit(opaque, before->data, before->len);
        }
    }
}

void uefi_disk_crash(UefiDisk *disk, GRand *rand, size_t dense,
                     UefiDiskVisit *visit, void *opaque)
{
    visit_cuts(disk, dense, visit, opaque);
    visit_subsets(disk, rand, visit, opaque);
}
