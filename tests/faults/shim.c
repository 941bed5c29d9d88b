/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Makes writes to one file fail, for tests: LD_PRELOAD into QEMU
 *
 * While the file that FAULT_CONTROL names holds "CALL ERRNO", each such call
 * (pwrite, fdatasync or ftruncate) on the file that FAULT_TARGET names fails
 * with that error number.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int fault(const char *call, int fd)
{
    const char *target = getenv("FAULT_TARGET");
    const char *control = getenv("FAULT_CONTROL");
    struct stat wanted, have;
    char name[16] = "";
    int error = 0;
    FILE *file;

    if (!target || !control || stat(target, &wanted) || fstat(fd, &have) ||
        wanted.st_ino != have.st_ino || wanted.st_dev != have.st_dev) {
        return 0;
    }
    file = fopen(control, "r");
    if (file) {
        if (fscanf(file, "%15s %d", name, &error) != 2 ||
            strcmp(name, call)) {
            error = 0;
        }
        fclose(file);
    }
    errno = error;
    return error;
}

ssize_t pwrite64(int fd, const void *buf, size_t count, off64_t offset)
{
    ssize_t (*next)(int, const void *, size_t, off64_t) =
        dlsym(RTLD_NEXT, "pwrite64");

    return fault("pwrite", fd) ? -1 : next(fd, buf, count, offset);
}

ssize_t pwrite(int fd, const void *buf, size_t count, off_t offset)
{
    return pwrite64(fd, buf, count, offset);
}

int fdatasync(int fd)
{
    int (*next)(int) = dlsym(RTLD_NEXT, "fdatasync");

    return fault("fdatasync", fd) ? -1 : next(fd);
}

int ftruncate64(int fd, off64_t length)
{
    int (*next)(int, off64_t) = dlsym(RTLD_NEXT, "ftruncate64");

    return fault("ftruncate", fd) ? -1 : next(fd, length);
}

int ftruncate(int fd, off_t length)
{
    return ftruncate64(fd, length);
}
