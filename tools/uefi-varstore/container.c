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

typedef struct Kind {
    const char *name;           /* for people */
    const char *driver;         /* of qemu-img; NULL: there is none */
    size_t offset;              /* of the magic, bytes */
    const char *magic;
    size_t size;                /* bytes */
} Kind;

static const Kind kinds[] = {
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

static const Kind *find_kind(GBytes *bytes)
{
    size_t size;
    const uint8_t *data = g_bytes_get_data(bytes, &size);

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        const Kind *k = &kinds[i];

        if (size >= k->offset + k->size &&
            !memcmp(data + k->offset, k->magic, k->size)) {
            return k;
        }
    }
    return NULL;
}

/* Have qemu-img write the disk of @path to @raw. */
static bool convert(const Kind *kind, const char *path, const char *raw,
                    GError **err)
{
    g_autofree char *absolute = g_canonicalize_filename(path, NULL);
    const char *argv[] = {
        "qemu-img", "convert", "-f", kind->driver, "-O", "raw", absolute, raw,
        NULL
    };
    g_autofree char *said = NULL;
    int status;

    if (!g_spawn_sync(NULL, (char **)argv, NULL,
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

static GBytes *read_disk(const Kind *kind, const char *path, GError **err)
{
    g_autofree char *dir = g_dir_make_tmp("uefi-varstore-XXXXXX", err);
    g_autofree char *raw = NULL;
    GBytes *bytes = NULL;

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

GBytes *tool_container_unpack(GBytes *bytes, const char *path, GError **err)
{
    const Kind *kind = find_kind(bytes);

    if (!kind) {
        return g_bytes_ref(bytes);
    }
    if (!kind->driver) {
        uefi_text_fail(err, "%s; unpack it first", kind->name);
        return NULL;
    }
    return read_disk(kind, path, err);
}
