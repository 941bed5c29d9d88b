/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: a store in a raw image, or on a block device
 */

#include "qemu/osdep.h"
#include "tool.h"
#include "hw/uefi/var-service-posix.h"

#define ALIGNMENT   512     /* the page cache takes requests of any kind */

struct ToolImage {
    int fd;
    uint64_t size;          /* bytes */
    UefiVarSlots *slots;
};

/* ------------------------------------------------------------------------ */
/* The medium */

static int on_read(void *opaque, uint64_t offset, void *buf, size_t len)
{
    ToolImage *m = opaque;

    for (size_t at = 0; at < len; ) {
        ssize_t count = pread(m->fd, (char *)buf + at, len - at, offset + at);

        if (count <= 0) {
            return count < 0 ? -errno : -EIO;
        }
        at += count;
    }
    return 0;
}

static int on_write(void *opaque, uint64_t offset, const void *buf, size_t len)
{
    ToolImage *m = opaque;

    for (size_t at = 0; at < len; ) {
        ssize_t count = pwrite(m->fd, (const char *)buf + at, len - at,
                               offset + at);

        if (count < 0) {
            return -errno;
        }
        at += count;
    }
    return 0;
}

static int on_write_zeroes(void *opaque, uint64_t offset, uint64_t len)
{
    g_autofree char *zeroes = g_malloc0(len);

    return on_write(opaque, offset, zeroes, len);
}

static int on_flush(void *opaque)
{
    return fdatasync(((ToolImage *)opaque)->fd) < 0 ? -errno : 0;
}

static uint32_t on_alignment(void *opaque)
{
    return ALIGNMENT;
}

static const UefiVarSlotsOps write_ops = {
    .read = on_read,
    .write = on_write,
    .write_zeroes = on_write_zeroes,
    .flush = on_flush,
    .alignment = on_alignment,
};

static const UefiVarSlotsOps read_ops = {
    .read = on_read,
    .alignment = on_alignment,
};

/* ------------------------------------------------------------------------ */
/* Life */

static bool fail(GError **err, const char *path, const char *why)
{
    g_set_error(err, UEFI_VAR_FILE_ERROR, UEFI_VAR_FILE_ERROR_IO, "%s: %s",
                path, why);
    return false;
}

bool tool_image_detect(int fd)
{
    char block[sizeof(UEFI_VAR_SLOTS_MAGIC) - 1];
    struct stat st;

    if (fstat(fd, &st) == 0 && S_ISBLK(st.st_mode)) {
        return true;
    }
    for (int i = 0; i < 2; i++) {
        if (pread(fd, block, sizeof(block), i * UEFI_VAR_SLOTS_STRIDE) ==
            sizeof(block) &&
            !memcmp(block, UEFI_VAR_SLOTS_MAGIC, sizeof(block))) {
            return true;
        }
    }
    return false;
}

ToolImage *tool_image_new(int fd, const char *path, bool write,
                          size_t max_document, GError **err)
{
    g_autoptr(ToolImage) m = g_new0(ToolImage, 1);
    off_t size = lseek(fd, 0, SEEK_END);

    m->fd = fd;
    m->size = MAX(size, 0);
    m->slots = uefi_var_slots_new(write ? &write_ops : &read_ops, m, path,
                                  m->size, max_document);
    if (!uefi_var_slots_check(m->slots, err)) {
        return NULL;
    }
    if (write && uefi_var_file_lock_fd(fd, true) < 0) {
        fail(err, path, errno == EAGAIN || errno == EACCES
                        ? "is in use by another process" : g_strerror(errno));
        return NULL;
    }
    return g_steal_pointer(&m);
}

void tool_image_free(ToolImage *m)
{
    if (m) {
        uefi_var_slots_free(m->slots);
        close(m->fd);
        g_free(m);
    }
}

/* ------------------------------------------------------------------------ */
/* The store */

bool tool_image_read(ToolImage *m, UefiVarContent *content, GError **err)
{
    return uefi_var_slots_medium_ops.take(m->slots, NULL, content, err);
}

bool tool_image_write(ToolImage *m, const char *document, GError **err)
{
    const UefiVarMediumOps *ops = &uefi_var_slots_medium_ops;

    if (!ops->plan_fold(m->slots, document, strlen(document), err)) {
        return false;
    }
    ops->run(m->slots);
    return ops->finish(m->slots, err);
}

size_t tool_image_journal_size(const ToolImage *m)
{
    return uefi_var_slots_medium_ops.journal_size(m->slots);
}

/* Superblocks last: until then it is the old store, or what was none. */
bool tool_image_erase(ToolImage *m, uint64_t size, const char *path,
                      GError **err)
{
    int ret;

    for (uint64_t end = MIN(size, m->size); end > 0; ) {
        uint64_t at = (end - 1) / UEFI_VAR_SLOTS_STRIDE *
                      UEFI_VAR_SLOTS_STRIDE;

        ret = on_write_zeroes(m, at, end - at);
        if (ret < 0) {
            return fail(err, path, g_strerror(-ret));
        }
        end = at;
    }
    ret = on_flush(m);
    return ret == 0 || fail(err, path, g_strerror(-ret));
}
