/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: files that hold another one
 *
 * An image of a disk that is not raw has the bytes of a store anywhere and in
 * any state, old ones among them, so nobody must search it for them.
 */

#include "qemu/osdep.h"
#include "format.h"
#include "hw/uefi/var-service-text.h"
#include <glib/gstdio.h>

static const ToolContainer kinds[] = {
    { "a qcow2 image", "qcow2", 0, "QFI\xfb", 4 },
    { "a QED image", "qed", 0, "QED\0", 4 },
    { "a VMDK image", "vmdk", 0, "KDMV", 4 },
    { "a VDI image", "vdi", 0x40, "\x7f\x10\xda\xbe", 4 },
    { "a VHDX image", "vhdx", 0, "vhdxfile", 8 },
    { "a VHD image", "vpc", 0, "conectix", 8 },
    { "a LUKS volume", NULL, 0, "LUKS\xba\xbe", 6 },
    { "compressed with gzip", NULL, 0, "\x1f\x8b", 2 },
    { "compressed with xz", NULL, 0, "\xfd" "7zXZ\0", 6 },
    { "compressed with zstd", NULL, 0, "\x28\xb5\x2f\xfd", 4 },
    { "compressed with bzip2", NULL, 0, "BZh", 3 },
    { "a ZIP archive", NULL, 0, "PK\3\4", 4 },
};

const ToolContainer *tool_container_find(GBytes *bytes)
{
    size_t size;
    const uint8_t *data = g_bytes_get_data(bytes, &size);

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        const ToolContainer *k = &kinds[i];

        if (size >= k->offset + k->size &&
            !memcmp(data + k->offset, k->magic, k->size)) {
            return k;
        }
    }
    return NULL;
}

/* Run qemu-img. */
static bool run(const ToolContainer *kind, const char *const *args,
                GError **err)
{
    g_autofree char *said = NULL;
    int status;

    if (!g_spawn_sync(NULL, (char **)args, NULL,
                      G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL, NULL,
                      NULL, NULL, &said, &status, NULL)) {
        return uefi_text_fail(err, "%s; install qemu-img (package "
                              "qemu-utils), or convert it to a raw image",
                              kind->name);
    }
    g_strdelimit(g_strchomp(said), "\n", ' ');
    if (!g_spawn_check_wait_status(status, NULL)) {
        return uefi_text_fail(err, "%s that qemu-img does not convert: %s",
                              kind->name, said);
    }
    return true;
}

/* Have qemu-img write the disk of @path, which may be in use, to @raw. */
static bool convert(const ToolContainer *kind, const char *path,
                    const char *raw, GError **err)
{
    g_autofree char *absolute = g_canonicalize_filename(path, NULL);
    const char *args[] = {
        "qemu-img", "convert", "-U", "-f", kind->driver, "-O", "raw", absolute,
        raw, NULL
    };

    return run(kind, args, err);
}

GBytes *tool_container_unpack(const ToolContainer *kind, const char *path,
                              GError **err)
{
    g_autofree char *dir = NULL;
    g_autofree char *raw = NULL;
    GBytes *bytes = NULL;

    if (!kind->driver) {
        uefi_text_fail(err, "%s; unpack it first", kind->name);
        return NULL;
    }
    dir = g_dir_make_tmp("uefi-varstore-XXXXXX", err);
    if (!dir) {
        return NULL;
    }
    raw = g_build_filename(dir, "raw", NULL);
    if (convert(kind, path, raw, err)) {
        bytes = tool_load_file(raw, err);
    }
    g_unlink(raw);
    g_rmdir(dir);
    return bytes;
}

static bool sync_file(const char *path, GError **err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool ok = fd >= 0 && !fsync(fd);

    if (!ok) {
        uefi_text_fail(err, "%s: %s", path, g_strerror(errno));
    }
    if (fd >= 0) {
        close(fd);
    }
    return ok;
}

bool tool_container_pack(const ToolContainer *kind, const char *path,
                         const GByteArray *bytes, GError **err)
{
    g_autofree char *absolute = g_canonicalize_filename(path, NULL);
    g_autofree char *raw = g_strdup_printf("%s.raw", absolute);
    const char *args[] = {
        "qemu-img", "convert", "-n", "-f", "raw", "-O", kind->driver, raw,
        absolute, NULL
    };
    bool ok = g_file_set_contents_full(raw, (const char *)bytes->data,
                                       bytes->len, G_FILE_SET_CONTENTS_NONE,
                                       0600, err) &&
              run(kind, args, err);

    g_unlink(raw);
    return ok && sync_file(path, err);
}
