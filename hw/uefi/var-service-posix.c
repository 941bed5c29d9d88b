/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: the store file as the host has it
 */

#include "qemu/osdep.h"
#include "hw/uefi/var-service-posix.h"

#ifdef CONFIG_DARWIN
#define st_mtim st_mtimespec
#endif

typedef struct Posix {
    int fd;
    char *path;             /* absolute; NULL when there is none */
    int dir;                /* directory that has the name, or -1 */
    struct stat noted;      /* of the file as it was last noted */
    bool linked;            /* it had a name when it was opened */
} Posix;

static ssize_t posix_read(void *opaque, void *buf, size_t len, uint64_t offset)
{
    return pread(((Posix *)opaque)->fd, buf, len, offset);
}

static ssize_t posix_write(void *opaque, const void *buf, size_t len,
                           uint64_t offset)
{
    return pwrite(((Posix *)opaque)->fd, buf, len, offset);
}

static int posix_sync(void *opaque)
{
#ifdef F_FULLFSYNC
    return fcntl(((Posix *)opaque)->fd, F_FULLFSYNC);
#else
    return fdatasync(((Posix *)opaque)->fd);
#endif
}

static int posix_cut(void *opaque, uint64_t size)
{
    return ftruncate(((Posix *)opaque)->fd, size);
}

static int64_t posix_note(void *opaque)
{
    Posix *p = opaque;
    struct stat st;

    if (fstat(p->fd, &st) < 0) {
        return -1;
    }
    p->noted = st;
    return st.st_size;
}

/*
 * The name leads nowhere.  That is no news where we were confined since, by a
 * new root or by permissions, so the directory itself is asked.
 */
static bool is_renamed(const Posix *p, const struct stat *st)
{
    g_autofree char *base = g_path_get_basename(p->path);
    struct stat named;

    if (p->dir < 0) {
        return false;
    }
    if (fstatat(p->dir, base, &named, AT_SYMLINK_NOFOLLOW) < 0) {
        return errno == ENOENT;
    }
    return !S_ISLNK(named.st_mode) &&
           (named.st_dev != st->st_dev || named.st_ino != st->st_ino);
}

/*
 * What is written to a file that has lost its name to another one, or to none,
 * is not found when we start again; a descriptor that came without a name is
 * the caller's choice.
 */
static bool is_lost(const Posix *p, const struct stat *st)
{
    struct stat named;

    if (p->linked && st->st_nlink == 0) {
        return true;
    }
    if (!p->path) {
        return false;
    }
    if (stat(p->path, &named) < 0) {
        return is_renamed(p, st);
    }
    return named.st_dev != st->st_dev || named.st_ino != st->st_ino;
}

static UefiVarFileLook posix_look(void *opaque)
{
    Posix *p = opaque;
    const struct stat *noted = &p->noted;
    struct stat st;

    if (fstat(p->fd, &st) < 0) {
        return UEFI_FILE_UNKNOWN;
    }
    if (is_lost(p, &st)) {
        return UEFI_FILE_LOST;
    }
    return st.st_size == noted->st_size &&
           st.st_mtim.tv_sec == noted->st_mtim.tv_sec &&
           st.st_mtim.tv_nsec == noted->st_mtim.tv_nsec
           ? UEFI_FILE_UNCHANGED : UEFI_FILE_CHANGED;
}

/*
 * A lock of the open file description where there is one: a lock of the
 * process would vanish as soon as any descriptor of the file is closed, for
 * example when the monitor drops a set of descriptors.
 */
int uefi_var_file_lock_fd(int fd, bool on)
{
    struct flock lock = {
        .l_type = on ? F_WRLCK : F_UNLCK,
        .l_whence = SEEK_SET,
    };

#ifdef F_OFD_SETLK
    return fcntl(fd, F_OFD_SETLK, &lock);
#else
    return fcntl(fd, F_SETLK, &lock);
#endif
}

static int posix_lock(void *opaque, bool on)
{
    return uefi_var_file_lock_fd(((Posix *)opaque)->fd, on);
}

static void posix_close(void *opaque)
{
    Posix *p = opaque;

    if (p->fd >= 0) {
        close(p->fd);
    }
    if (p->dir >= 0) {
        close(p->dir);
    }
    g_free(p->path);
    g_free(p);
}

static const UefiVarFileOps posix_ops = {
    .read = posix_read,
    .write = posix_write,
    .sync = posix_sync,
    .cut = posix_cut,
    .note = posix_note,
    .look = posix_look,
    .lock = posix_lock,
    .close = posix_close,
};

static const char *why_not(int flags, const struct stat *st)
{
    if (!S_ISREG(st->st_mode)) {
        return "not a regular file";
    }
    if ((flags & O_ACCMODE) == O_WRONLY || (flags & O_APPEND)) {
        return "must be opened for reading and writing, not in append mode";
    }
#ifdef O_DIRECT
    if (flags & O_DIRECT) {
        return "must not be opened with O_DIRECT: records are of any size";
    }
#endif
    return NULL;
}

#ifdef O_PATH
#define OPEN_DIR    (O_PATH | O_DIRECTORY | O_CLOEXEC)
#else
#define OPEN_DIR    (O_RDONLY | O_DIRECTORY | O_CLOEXEC)
#endif

static void set_path(Posix *p, const char *path)
{
    g_autofree char *parent = NULL;

    p->path = g_canonicalize_filename(path, NULL);
    parent = g_path_get_dirname(p->path);
    p->dir = open(parent, OPEN_DIR);
}

UefiVarFile *uefi_var_file_open(int fd, const char *name, const char *path,
                                size_t limit, GError **err)
{
    Posix *p = g_new0(Posix, 1);
    int flags = fcntl(fd, F_GETFL);
    const char *why;

    p->fd = fd;
    p->dir = -1;
    if (flags < 0 || posix_note(p) < 0) {
        g_set_error(err, UEFI_VAR_FILE_ERROR, UEFI_VAR_FILE_ERROR_IO,
                    "%s: cannot use the descriptor: %s", name,
                    g_strerror(errno));
        posix_close(p);
        return NULL;
    }
    why = why_not(flags, &p->noted);
    if (why) {
        g_set_error(err, UEFI_VAR_FILE_ERROR, UEFI_VAR_FILE_ERROR_IO,
                    "%s: %s", name, why);
        posix_close(p);
        return NULL;
    }
    if (path) {
        set_path(p, path);
    }
    p->linked = p->noted.st_nlink > 0;
    return uefi_var_file_new(&posix_ops, p, name,
                             (flags & O_ACCMODE) == O_RDWR, limit);
}

bool uefi_var_file_sync_parent(const char *path)
{
    g_autofree char *parent = g_path_get_dirname(path);
    int fd = open(parent, O_RDONLY | O_DIRECTORY);
    int ret, saved;

    if (fd < 0) {
        return false;
    }
    ret = fsync(fd);
    saved = errno;
    close(fd);
    errno = saved;
    return ret == 0;
}
