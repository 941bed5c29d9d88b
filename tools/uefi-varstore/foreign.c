/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: a store of another program, opened like ours
 *
 * Its variables are taken into a store in memory.  What becomes of that goes
 * back in the same format, into the same image, beside the file first, which
 * is then replaced.
 */

#include "qemu/osdep.h"
#include <glib/gstdio.h>
#include "format.h"
#include "hw/uefi/var-service-posix.h"
#include "hw/uefi/var-service-text.h"

/* Names to try for the old file */
#define MAX_BACKUPS     1000

/* Holes of a file have this size, bytes */
#define HOLE            65536

/* ------------------------------------------------------------------------ */
/* Reading */

/* Let qemu-img at a file that is ours: it takes a lock of its own. */
static GBytes *unpack(ToolStore *s, ToolTransfer *t, GError **err)
{
    g_autoptr(GBytes) bytes = NULL;

    if (s->is_stdin) {
        uefi_text_fail(err, "%s, which is read from a file only",
                       t->container->name);
        return NULL;
    }
    uefi_var_file_unlock(s->file);
    bytes = tool_container_unpack(t->container, s->path, err);
    if (bytes && s->access != TOOL_READ &&
        !uefi_var_file_lock(s->file, err)) {
        return NULL;
    }
    return g_steal_pointer(&bytes);
}

/* Set t->format and what is in the file; false without @err: it has none */
static bool recognize(ToolStore *s, ToolTransfer *t, GBytes **bytes,
                      GError **err)
{
    t->container = tool_container_find(t->file);
    *bytes = t->container ? unpack(s, t, err) : g_bytes_ref(t->file);
    if (*bytes && !t->format) {
        t->format = tool_format_detect(*bytes, false);
    }
    if (*bytes && !t->format && t->lost) {
        t->format = tool_format_detect(*bytes, true);
    }
    if (*bytes && t->container && !t->format) {
        return uefi_text_fail(err, "%s in which there is no store in a format "
                              "known here", t->container->name);
    }
    return *bytes && t->format;
}

bool tool_foreign_read(ToolStore *s, const ToolForm *form, GBytes *file,
                       GError **err)
{
    g_autoptr(ToolTransfer) t = tool_transfer_new(s->path);
    g_autoptr(UefiVarChange) change = uefi_var_change_new();
    g_autoptr(GBytes) bytes = NULL;

    t->format = file || form->format ? form->format : &tool_format_efivarfs;
    t->dictionary = form->dictionary;
    t->lost = form->rescue ? g_ptr_array_new_with_free_func(g_free) : NULL;
    t->file = file ? g_bytes_ref(file) : NULL;
    if ((file && !recognize(s, t, &bytes, err)) ||
        !tool_format_parse(t, bytes, err)) {
        if (err && *err) {
            g_prefix_error(err, "%s: ", s->path);
        }
        return false;
    }
    for (guint i = 0; i < t->vars->len; i++) {
        uefi_var_change_add(change, g_steal_pointer(&t->vars->pdata[i]));
        uefi_store_apply(s->uv->store, change);
    }
    g_ptr_array_set_size(t->vars, 0);
    s->foreign = g_steal_pointer(&t);
    return true;
}

char *tool_foreign_remarks(const ToolStore *s)
{
    g_autoptr(GPtrArray) lines = tool_transfer_remarks(s->foreign);

    g_ptr_array_add(lines, NULL);
    return g_strjoinv("; ", (char **)lines->pdata);
}

void tool_foreign_clear(ToolStore *s)
{
    g_clear_pointer(&s->foreign, tool_transfer_free);
}

/* ------------------------------------------------------------------------ */
/* Writing */

bool tool_foreign_check_complete(const ToolStore *s, GError **err)
{
    const ToolTransfer *t = s->foreign;

    if (!t->file) {
        return uefi_text_fail(err, "a directory of variables is only read, as "
                              "nothing could replace it all at once; 'import' "
                              "it, change that, and 'export' it to a new one; "
                              "efibootmgr, mokutil and efi-updatevar change "
                              "what the firmware of this machine has");
    }
    if (!t->format->write) {
        return uefi_text_fail(err, "a store of the format %s is only read; "
                              "'import' it, and change that", t->format->name);
    }
    if (t->losses[TOOL_LOSS_VOLATILE] || t->losses[TOOL_LOSS_MARK]) {
        return uefi_text_fail(err, "not written, as it would lose more than "
                              "it should: there are volatile variables, or "
                              "marks of U-Boot's own");
    }
    return true;
}

/* A file with @vars, which are taken over; NULL with @err set */
static GByteArray *make_image(ToolTransfer *t, GPtrArray *vars, GError **err)
{
    GByteArray *bytes;

    /* from now on, of what is written */
    memset(t->losses, 0, sizeof(t->losses));
    g_ptr_array_set_size(t->notes, 0);
    g_ptr_array_unref(t->vars);
    t->vars = vars;
    bytes = t->format->write(t, err);
    if (bytes && t->losses[TOOL_LOSS_NAME]) {
        g_byte_array_unref(bytes);
        uefi_text_fail(err, "not written, as the format cannot hold the name "
                       "of a variable");
        return NULL;
    }
    return bytes;
}

bool tool_foreign_check(ToolStore *s, GPtrArray *vars, GError **err)
{
    g_autoptr(GByteArray) bytes = make_image(s->foreign, vars, err);

    if (!bytes) {
        g_prefix_error(err, "%s: ", s->path);
    }
    return bytes;
}

static bool fail_errno(GError **err, const char *path)
{
    return uefi_text_fail(err, "%s: %s", path, g_strerror(errno));
}

static bool write_at(int fd, const uint8_t *data, size_t size, off_t at)
{
    while (size) {
        ssize_t count = pwrite(fd, data, size, at);

        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            return false;
        }
        data += count;
        size -= count;
        at += count;
    }
    return true;
}

/* What is zero takes no room: most of the 64 MiB that Arm machines have */
static bool write_fd(int fd, const uint8_t *data, size_t size)
{
    if (ftruncate(fd, size)) {
        return false;
    }
    for (size_t at = 0; at < size; at += HOLE) {
        size_t len = MIN(HOLE, size - at);

        if (!tool_is_zero(data + at, len) &&
            !write_at(fd, data + at, len, at)) {
            return false;
        }
    }
    return !fsync(fd);
}

/* Fill the new file @fd at @path, with owner and mode of @old. */
static bool fill(int fd, const char *path, const struct stat *old,
                 GBytes *content, GError **err)
{
    bool ok = !fchown(fd, old->st_uid, old->st_gid) &&
              !fchmod(fd, old->st_mode & 07777) &&
              write_fd(fd, g_bytes_get_data(content, NULL),
                       g_bytes_get_size(content));

    if (!ok) {
        fail_errno(err, path);
        unlink(path);
    }
    close(fd);
    return ok;
}

/* Under PATH.bak, or the first PATH.bak.NUMBER that is free */
static char *keep_old(const char *path, const struct stat *old, GBytes *file,
                      GError **err)
{
    for (int i = 1; i < MAX_BACKUPS; i++) {
        g_autofree char *name =
            i == 1 ? g_strdup_printf("%s.bak", path)
                   : g_strdup_printf("%s.bak.%d", path, i);
        int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

        if (fd < 0 && errno == EEXIST) {
            continue;
        }
        if (fd < 0) {
            fail_errno(err, name);
            return NULL;
        }
        return fill(fd, name, old, file, err) ? g_steal_pointer(&name) : NULL;
    }
    uefi_text_fail(err, "%s.bak: there are too many of them", path);
    return NULL;
}

/* Whether @path still is the file that is locked, whose content was read */
static bool check_same(const ToolStore *s, const char *path, struct stat *st,
                       GError **err)
{
    g_autoptr(GBytes) now = tool_load_file(path, err);

    if (!now) {
        return false;
    }
    if (stat(path, st)) {
        return fail_errno(err, path);
    }
    return g_bytes_equal(now, s->foreign->file) ||
           uefi_text_fail(err, "the file was changed by somebody else");
}

/* The new file, under another name; qemu-img puts @bytes into a container. */
static char *make_new(const ToolTransfer *t, const char *path,
                      const struct stat *old, GByteArray *bytes, GError **err)
{
    g_autofree char *name = g_strdup_printf("%s.XXXXXX", path);
    int fd = g_mkstemp_full(name, O_WRONLY | O_CLOEXEC, 0600);
    g_autoptr(GBytes) content =
        t->container ? g_bytes_ref(t->file)
                     : g_bytes_new_static(bytes->data, bytes->len);

    if (fd < 0) {
        fail_errno(err, name);
        return NULL;
    }
    if (!fill(fd, name, old, content, err)) {
        return NULL;
    }
    if (t->container && !tool_container_pack(t->container, name, bytes, err)) {
        unlink(name);
        return NULL;
    }
    return g_steal_pointer(&name);
}

/* Both files are complete before the one takes the place of the other. */
static bool replace(const ToolTransfer *t, const char *path,
                    const struct stat *old, GByteArray *bytes, char **kept,
                    GError **err)
{
    g_autofree char *name = make_new(t, path, old, bytes, err);

    *kept = name ? keep_old(path, old, t->file, err) : NULL;
    if (*kept && rename(name, path)) {
        fail_errno(err, path);
        unlink(*kept);
        g_clear_pointer(kept, g_free);
    }
    if (!*kept && name) {
        unlink(name);
    }
    if (*kept) {
        uefi_var_file_sync_parent(path);
    }
    return *kept;
}

static bool is_image(const ToolTransfer *t, const GByteArray *bytes)
{
    gsize size;
    const void *data = g_bytes_get_data(t->image, &size);

    return size == bytes->len && !memcmp(data, bytes->data, size);
}

bool tool_foreign_write(ToolStore *s, GPtrArray *vars, GError **err)
{
    g_autoptr(GByteArray) bytes = make_image(s->foreign, vars, err);
    g_autofree char *path = tool_follow_links(s->path);
    g_autofree char *kept = NULL;
    g_autofree char *lines = NULL;
    struct stat old;

    if (bytes && is_image(s->foreign, bytes)) {
        return true;
    }
    if (!bytes || !check_same(s, path, &old, err) ||
        !replace(s->foreign, path, &old, bytes, &kept, err)) {
        g_prefix_error(err, "%s: ", s->path);
        return false;
    }
    tool_transfer_note(s->foreign, "written; %s is what it was", kept);
    lines = tool_foreign_remarks(s);
    tool_note("%s: note: %s", s->path, lines);
    return true;
}
