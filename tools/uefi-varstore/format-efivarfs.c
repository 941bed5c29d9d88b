/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: directories like Linux' efivarfs
 *
 * One file for each variable, named NAME-GUID in UTF-8, with the attributes
 * (u32, little endian) before the value.  Linux shows a variable that it cannot
 * read as an empty file, and people keep notes beside their copies: what is no
 * variable is left out.
 */

#include "qemu/osdep.h"
#include "format.h"
#include "hw/uefi/var-service-text.h"

#define GUID_SUFFIX (1 + UEFI_GUID_TEXT_LEN)

static bool read_value(ToolTransfer *t, const char *file, const UefiGuid *guid,
                       GBytes *bytes, GError **err)
{
    g_autoptr(GError) local = NULL;
    UefiMsg msg = tool_cursor(bytes);
    uint32_t attributes = uefi_msg_get_u32(&msg);
    size_t size = uefi_msg_left(&msg);
    UefiVariable *var;

    if (msg.overrun) {
        return uefi_text_fail(err, "cut off");
    }
    var = tool_transfer_add_utf8(t, guid, (const uint8_t *)file,
                                 strlen(file) - GUID_SUFFIX, attributes,
                                 uefi_msg_get_bytes(&msg, size), size, &local);
    if (local) {
        g_propagate_error(err, g_steal_pointer(&local));
        return false;
    }
    if (var && (attributes & EFI_ATTR_AT)) {
        t->losses[TOOL_LOSS_TIME]++;
        tool_transfer_unsigned(t, var);
    }
    return true;
}

static bool read_file(ToolTransfer *t, const char *file, GError **err)
{
    g_autofree char *path = g_build_filename(t->path, file, NULL);
    g_autofree char *shown = g_strescape(file, NULL);
    g_autoptr(GBytes) bytes = NULL;
    size_t len = strlen(file);
    UefiGuid guid;

    if (len <= GUID_SUFFIX || file[len - GUID_SUFFIX] != '-' ||
        !uefi_guid_parse(file + len - UEFI_GUID_TEXT_LEN, &guid)) {
        return uefi_text_fail(err, "'%s' is not of the form NAME-GUID", shown);
    }
    bytes = tool_load_file(path, err);
    if (!bytes || !read_value(t, file, &guid, bytes, err)) {
        g_prefix_error(err, "'%s': ", shown);
        return false;
    }
    return true;
}

static gint by_name(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool efivarfs_read(ToolTransfer *t, UefiMsg *in, GError **err)
{
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
    GDir *dir = g_dir_open(t->path, 0, NULL);
    const char *file;
    GPtrArray *bad = t->lost ?: t->notes;
    guint good = 0;

    if (!dir) {
        return uefi_text_fail(err, "the directory cannot be read");
    }
    while ((file = g_dir_read_name(dir))) {
        g_ptr_array_add(files, g_strdup(file));
    }
    g_dir_close(dir);
    /* a directory has no order of its own */
    g_ptr_array_sort(files, by_name);
    for (guint i = 0; i < files->len; i++) {
        g_autoptr(GError) local = NULL;

        if (read_file(t, files->pdata[i], &local)) {
            good++;
        } else {
            tool_add_line(bad, g_strdup_printf("left out: %s",
                                               local->message));
        }
    }
    if (files->len && !good) {
        return uefi_text_fail(err, "nothing in the directory is a variable; "
                              "of the first, %s",
                              (char *)bad->pdata[0] + strlen("left out: "));
    }
    return true;
}

/* ------------------------------------------------------------------------ */

/* NULL when it cannot be the name of a file */
static char *file_name(const UefiVariable *var)
{
    g_autofree char *name = g_utf16_to_utf8(var->name, -1, NULL, NULL, NULL);
    g_autofree char *guid = uefi_guid_print(&var->guid);

    if (!name || strchr(name, '/') || strlen(name) + GUID_SUFFIX > NAME_MAX) {
        return NULL;
    }
    return g_strdup_printf("%s-%s", name, guid);
}

static bool write_variable(ToolTransfer *t, const char *dir,
                           const UefiVariable *var, GError **err)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    g_autofree char *file = file_name(var);
    g_autofree char *path = NULL;
    size_t size;
    const uint8_t *data = g_bytes_get_data(var->data, &size);
    UefiMsg msg;

    if (!file) {
        t->losses[TOOL_LOSS_NAME]++;
        return true;
    }
    t->losses[TOOL_LOSS_TIME] +=
        !tool_is_zero(var->time.b, sizeof(var->time.b));
    t->losses[TOOL_LOSS_BINDING] += !!var->binding;
    g_byte_array_set_size(bytes, 4 + size);
    uefi_msg_init(&msg, bytes->data, bytes->len, 8);
    uefi_msg_put_u32(&msg, var->attributes);
    uefi_msg_put_bytes(&msg, data, size);
    path = g_build_filename(dir, file, NULL);
    /* made durable with all others, at the end */
    return g_file_set_contents_full(path, (char *)bytes->data, bytes->len,
                                    G_FILE_SET_CONTENTS_NONE, 0600, err);
}

/* Remove a directory that has been given up */
static void remove_directory(const char *path)
{
    GDir *dir = g_dir_open(path, 0, NULL);
    const char *file;

    while (dir && (file = g_dir_read_name(dir))) {
        g_autofree char *full = g_build_filename(path, file, NULL);

        unlink(full);
    }
    if (dir) {
        g_dir_close(dir);
    }
    rmdir(path);
}

/* All files of a directory are made durable at once. */
static bool sync_directory(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && !syncfs(fd);

    if (fd >= 0) {
        close(fd);
    }
    return ok;
}

/* Under another name first, so that it is there as a whole or not at all */
static bool efivarfs_write(ToolTransfer *t, GError **err)
{
    /* without a slash at its end */
    g_autofree char *path = g_canonicalize_filename(t->path, NULL);
    g_autofree char *dir = g_strdup_printf("%s.XXXXXX", path);

    if (!g_mkdtemp(dir)) {
        return uefi_text_fail(err, "%s", g_strerror(errno));
    }
    for (guint i = 0; i < t->vars->len; i++) {
        if (!write_variable(t, dir, t->vars->pdata[i], err)) {
            remove_directory(dir);
            return false;
        }
    }
    if (!sync_directory(dir) || rename(dir, path)) {
        uefi_text_fail(err, "%s", g_strerror(errno));
        remove_directory(dir);
        return false;
    }
    return true;
}

const ToolFormat tool_format_efivarfs = {
    .name = "efivarfs",
    .read = efivarfs_read,
    .write_directory = efivarfs_write,
};
