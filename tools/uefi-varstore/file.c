/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: files, whatever is in them
 */

#include "qemu/osdep.h"
#include "tool.h"
#include "hw/uefi/var-service-text.h"

/* Symbolic links to follow, as many as Linux does */
#define MAX_LINKS       40

static bool fail_errno(GError **err)
{
    return uefi_text_fail(err, "%s", g_strerror(errno));
}

static bool read_all(int fd, uint8_t *buf, size_t size, GError **err)
{
    size_t done = 0;

    while (done < size) {
        ssize_t count = pread(fd, buf + done, size - done, done);

        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            return fail_errno(err);
        }
        if (!count) {
            return uefi_text_fail(err, "the file became shorter while it was "
                                  "read");
        }
        done += count;
    }
    return true;
}

GBytes *tool_load_fd(int fd, GError **err)
{
    g_autofree uint8_t *buf = NULL;
    struct stat st;

    if (fstat(fd, &st)) {
        fail_errno(err);
        return NULL;
    }
    if (!S_ISREG(st.st_mode)) {
        uefi_text_fail(err, "not a regular file");
        return NULL;
    }
    if (st.st_size > UEFI_VAR_FILE_LIMIT) {
        uefi_text_fail(err, "larger than any store (%d bytes)",
                       UEFI_VAR_FILE_LIMIT);
        return NULL;
    }
    buf = g_malloc(st.st_size);
    if (!read_all(fd, buf, st.st_size, err)) {
        return NULL;
    }
    return g_bytes_new_take(g_steal_pointer(&buf), st.st_size);
}

GBytes *tool_load_file(const char *path, GError **err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    GBytes *bytes;

    if (fd < 0) {
        fail_errno(err);
        return NULL;
    }
    bytes = tool_load_fd(fd, err);
    close(fd);
    return bytes;
}

char *tool_follow_links(const char *path)
{
    char *at = g_strdup(path);

    for (int i = 0; i < MAX_LINKS; i++) {
        g_autofree char *target = g_file_read_link(at, NULL);
        g_autofree char *dir = g_path_get_dirname(at);

        if (!target) {
            break;
        }
        g_free(at);
        at = g_path_is_absolute(target) ? g_steal_pointer(&target)
                                        : g_build_filename(dir, target, NULL);
    }
    return at;
}
