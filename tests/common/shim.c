/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A bad disk, a slow one, a sudden death and a clock that can be put forward,
 * for tests: LD_PRELOAD into QEMU
 *
 * SHIM_CONTROL names a file that holds a struct Control.  It is mapped, so
 * that a test changes what happens, and counts what happened, without a word
 * to QEMU.  Only calls on files count whose path begins with SHIM_TARGET.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum Call { PREAD, PWRITE, FDATASYNC, FTRUNCATE, CALLS };

/* The moment of death: before the call, in its middle, after it */
enum { BEFORE, MIDDLE, AFTER };

/* tests/common/uefi_vars_shim.py has the same */
typedef struct Control {
    uint32_t failing;           /* bit 1 << Call: such calls fail */
    int32_t error;              /* with this error number, */
    int32_t passes;             /* after so many that do not; */
    uint32_t half;              /* a pwrite() first writes half of its bytes */
    uint32_t slow;              /* bit 1 << Call: such calls wait before, */
    uint32_t delay;             /* so many microseconds */
    int32_t death;              /* dies in the n-th call that writes; 0: no */
    uint32_t moment;
    int64_t ahead;              /* clock, ns */
    int64_t standstill;         /* not 0: the time, ns, which stands still */
    uint64_t count[CALLS];
    uint64_t bytes[CALLS];
} Control;

static Control *control;
static const char *target;
static size_t target_len;

static __attribute__((constructor)) void init(void)
{
    const char *name = getenv("SHIM_CONTROL");
    int fd = name ? open(name, O_RDWR) : -1;

    target = getenv("SHIM_TARGET");
    if (fd < 0 || !target) {
        return;
    }
    target_len = strlen(target);
    control = mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED,
                   fd, 0);
    close(fd);
    if (control == MAP_FAILED) {
        abort();
    }
}

static int is_target(int fd)
{
    char link[32], path[4096];
    ssize_t len;

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    len = control ? readlink(link, path, sizeof(path)) : -1;
    return len >= (ssize_t)target_len && !memcmp(path, target, target_len);
}

/* Whether a countdown that stands at @n, from 1 on, is over now */
static int down(int32_t *n)
{
    return *n > 0 && __atomic_sub_fetch(n, 1, __ATOMIC_RELAXED) == 0;
}

typedef struct Fate {
    int error;
    int half;
    int dies, moment;
} Fate;

static Fate fate(enum Call call, int fd, size_t bytes)
{
    Fate fate = { 0 };

    if (!is_target(fd)) {
        return fate;
    }
    if (control->slow & 1 << call) {
        usleep(control->delay);
    }
    __atomic_add_fetch(&control->count[call], 1, __ATOMIC_RELAXED);
    __atomic_add_fetch(&control->bytes[call], bytes, __ATOMIC_RELAXED);
    fate.dies = call != PREAD && down(&control->death);
    fate.moment = control->moment;
    if ((control->failing & 1 << call) &&
        (control->passes <= 0 ||
         __atomic_fetch_sub(&control->passes, 1, __ATOMIC_RELAXED) <= 0)) {
        fate.error = control->error;
        fate.half = control->half;
    }
    return fate;
}

static void die(const Fate *fate, int moment)
{
    if (fate->dies && fate->moment == moment) {
        kill(getpid(), SIGKILL);
    }
}

#define NEXT(name) ((__typeof__(name) *)dlsym(RTLD_NEXT, #name))

ssize_t pread64(int fd, void *buf, size_t count, off64_t offset)
{
    Fate f = fate(PREAD, fd, count);
    __typeof__(pread64) *next = NEXT(pread64);

    errno = f.error;
    return f.error ? -1 : next(fd, buf, count, offset);
}

ssize_t pread(int fd, void *buf, size_t count, off_t offset)
{
    return pread64(fd, buf, count, offset);
}

ssize_t pwrite64(int fd, const void *buf, size_t count, off64_t offset)
{
    Fate f = fate(PWRITE, fd, count);
    ssize_t done;
    __typeof__(pwrite64) *next = NEXT(pwrite64);

    die(&f, BEFORE);
    if (f.half || (f.dies && f.moment == MIDDLE)) {
        done = next(fd, buf, count / 2, offset);
        die(&f, MIDDLE);
        if (done > 0) {
            return done;        /* the rest comes, and fails, next */
        }
    }
    errno = f.error;
    done = f.error ? -1 : next(fd, buf, count, offset);
    die(&f, AFTER);
    return done;
}

ssize_t pwrite(int fd, const void *buf, size_t count, off_t offset)
{
    return pwrite64(fd, buf, count, offset);
}

int fdatasync(int fd)
{
    Fate f = fate(FDATASYNC, fd, 0);
    int ret;
    __typeof__(fdatasync) *next = NEXT(fdatasync);

    die(&f, BEFORE);
    die(&f, MIDDLE);
    errno = f.error;
    ret = f.error ? -1 : next(fd);
    die(&f, AFTER);
    return ret;
}

int ftruncate64(int fd, off64_t length)
{
    Fate f = fate(FTRUNCATE, fd, 0);
    int ret;
    __typeof__(ftruncate64) *next = NEXT(ftruncate64);

    die(&f, BEFORE);
    die(&f, MIDDLE);
    errno = f.error;
    ret = f.error ? -1 : next(fd, length);
    die(&f, AFTER);
    return ret;
}

int ftruncate(int fd, off_t length)
{
    return ftruncate64(fd, length);
}

static int64_t to_ns(const struct timespec *ts)
{
    return ts->tv_sec * INT64_C(1000000000) + ts->tv_nsec;
}

static struct timespec from_ns(int64_t ns)
{
    return (struct timespec) { ns / 1000000000, ns % 1000000000 };
}

static int real_clock(clockid_t id, struct timespec *ts)
{
    __typeof__(clock_gettime) *next = NEXT(clock_gettime);

    return next(id, ts);
}

int clock_gettime(clockid_t id, struct timespec *ts)
{
    int ret = real_clock(id, ts);

    if (!ret && id == CLOCK_MONOTONIC && control) {
        *ts = from_ns(control->standstill ?: to_ns(ts) + control->ahead);
    }
    return ret;
}

/* QEMU's condition variables go by the monotonic clock, the kernel's own. */
int pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex,
                           const struct timespec *deadline)
{
    struct timespec ours, real, end;
    __typeof__(pthread_cond_timedwait) *next = NEXT(pthread_cond_timedwait);

    clock_gettime(CLOCK_MONOTONIC, &ours);
    real_clock(CLOCK_MONOTONIC, &real);
    end = from_ns(to_ns(deadline) - to_ns(&ours) + to_ns(&real));
    return next(cond, mutex, &end);
}
