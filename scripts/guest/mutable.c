/*
 * mutable FILE: let FILE be written and removed
 *
 * efivarfs marks most variables immutable, and the busybox that Debian builds
 * has no chattr.  Freestanding, so that it can be made for any architecture
 * with nothing but a compiler.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define AT_FDCWD            -100
#define O_RDONLY            0
#define FS_IOC_GETFLAGS     0x80086601
#define FS_IOC_SETFLAGS     0x40086602
#define FS_IMMUTABLE_FL     0x00000010

#ifdef __x86_64__
enum { SYS_OPENAT = 257, SYS_IOCTL = 16, SYS_EXIT = 60 };

asm(".globl _start\n"
    "_start:\n"
    "    mov %rsp, %rdi\n"
    "    and $-16, %rsp\n"
    "    call run\n");

static long sys(long number, long a, long b, long c)
{
    long result;

    asm volatile("syscall" : "=a"(result)
                 : "a"(number), "D"(a), "S"(b), "d"(c)
                 : "rcx", "r11", "memory");
    return result;
}
#else /* aarch64 */
enum { SYS_OPENAT = 56, SYS_IOCTL = 29, SYS_EXIT = 93 };

asm(".globl _start\n"
    "_start:\n"
    "    mov x0, sp\n"
    "    bl run\n");

static long sys(long number, long a, long b, long c)
{
    register long x8 asm("x8") = number;
    register long x0 asm("x0") = a;
    register long x1 asm("x1") = b;
    register long x2 asm("x2") = c;

    asm volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
    return x0;
}
#endif

static long clear(const char *name)
{
    unsigned flags = 0;
    long fd = sys(SYS_OPENAT, AT_FDCWD, (long)name, O_RDONLY);

    if (fd < 0) {
        return fd;
    }
    if (sys(SYS_IOCTL, fd, FS_IOC_GETFLAGS, (long)&flags) < 0) {
        return -1;
    }
    flags &= ~FS_IMMUTABLE_FL;
    return sys(SYS_IOCTL, fd, FS_IOC_SETFLAGS, (long)&flags);
}

/* @stack is what the kernel leaves there: argc, then argv */
void run(long *stack)
{
    const char *const *argv = (const char *const *)(stack + 1);
    long result = stack[0] == 2 ? clear(argv[1]) : -1;

    sys(SYS_EXIT, result < 0, 0, 0);
    __builtin_unreachable();
}
