/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Linux program that runs a script of variable operations on efivarfs
 *
 *     linux SCRIPT
 *
 * The script is the one that app.c runs (see generate.py), without what has no
 * place in a file system.  Each operation prints one line: number, result, and
 * of a value its attributes, size and hash.  A result is 0 or a negative errno.
 * Freestanding, so that it needs no libc of the guest's architecture.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stddef.h>
#include <linux/fs.h>
#include <sys/syscall.h>

/* pc-bios/uefi-vars/lib.c */
void *memcpy(void *to, const void *from, size_t n);

#define EFIVARFS    "/sys/firmware/efi/efivars/"
#define SCRIPT_MAX  0x100000
#define VALUE_MAX   0x10000
#define PATH_SIZE   4096

enum { OP_END, OP_SET, OP_GET };

typedef struct {
    uint32_t op;
    uint32_t attributes;
    uint8_t guid[16];
    uint32_t name_size;     /* bytes */
    uint32_t data_size;     /* bytes */
} Op;

static uint8_t script[SCRIPT_MAX];
static uint8_t value[VALUE_MAX];

static long call(long number, long a, long b, long c)
{
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c)
                     : "rcx", "r11", "memory");
    return result;
}

static void print(const char *text, size_t size)
{
    call(SYS_write, 1, (long)text, size);
}

static void print_hex(uint64_t number, unsigned digits)
{
    char text[17];

    for (unsigned i = 0; i < digits; i++) {
        text[i] = "0123456789abcdef"[number >> (4 * (digits - 1 - i)) & 15];
    }
    text[digits] = ' ';
    print(text, digits + 1);
}

static void print_result(long result)
{
    print(result < 0 ? "-" : "+", 1);
    print_hex(result < 0 ? -result : 0, 3);
}

static uint64_t hash(const uint8_t *data, size_t size)
{
    uint64_t h = 0xcbf29ce484222325ull;

    while (size--) {
        h = (h ^ *data++) * 0x100000001b3ull;
    }
    return h;
}

static char *put_utf8(char *to, uint16_t unit)
{
    if (unit >= 0x800) {
        *to++ = 0xe0 | unit >> 12;
        *to++ = 0x80 | (unit >> 6 & 0x3f);
        *to++ = 0x80 | (unit & 0x3f);
    } else if (unit >= 0x80) {
        *to++ = 0xc0 | unit >> 6;
        *to++ = 0x80 | (unit & 0x3f);
    } else {
        *to++ = unit;
    }
    return to;
}

/* NAME-GUID, the GUID in printed order */
static void make_path(char *path, const Op *op, const uint8_t *name)
{
    static const uint8_t order[] = { 3, 2, 1, 0, 5, 4, 7, 6,
                                     8, 9, 10, 11, 12, 13, 14, 15 };
    char *to = path;

    for (const char *from = EFIVARFS; *from; from++) {
        *to++ = *from;
    }
    for (size_t i = 0; i + 2 < op->name_size; i += 2) {
        to = put_utf8(to, name[i] | name[i + 1] << 8);
    }
    for (size_t i = 0; i < sizeof(order); i++) {
        if (i == 0 || i == 4 || i == 6 || i == 8 || i == 10) {
            *to++ = '-';
        }
        *to++ = "0123456789abcdef"[op->guid[order[i]] >> 4];
        *to++ = "0123456789abcdef"[op->guid[order[i]] & 15];
    }
    *to = 0;
}

/* efivarfs protects what it does not know from being changed by accident. */
static void make_mutable(const char *path)
{
    long fd = call(SYS_open, (long)path, O_RDONLY, 0);
    int flags = 0;

    if (fd >= 0) {
        call(SYS_ioctl, fd, FS_IOC_SETFLAGS, (long)&flags);
        call(SYS_close, fd, 0, 0);
    }
}

/* No data at all is a removal; else one write() of attributes and value */
static long run_set(const char *path, const Op *op, const uint8_t *data)
{
    long fd, result;

    make_mutable(path);
    if (!op->data_size) {
        return call(SYS_unlink, (long)path, 0, 0);
    }
    fd = call(SYS_open, (long)path, O_WRONLY | O_CREAT, 0600);
    if (fd < 0) {
        return fd;
    }
    memcpy(value, &op->attributes, 4);
    memcpy(value + 4, data, op->data_size);
    result = call(SYS_write, fd, (long)value, op->data_size + 4);
    call(SYS_close, fd, 0, 0);
    return result;
}

static void run_get(const char *path)
{
    long fd = call(SYS_open, (long)path, O_RDONLY, 0);
    long size = fd < 0 ? fd : call(SYS_read, fd, (long)value, VALUE_MAX);

    print_result(size);
    if (size >= 4) {
        print_hex(value[0], 8);
        print_hex(size - 4, 5);
        print_hex(hash(value + 4, size - 4), 16);
    }
    if (fd >= 0) {
        call(SYS_close, fd, 0, 0);
    }
}

static int run(const char *file)
{
    long fd = call(SYS_open, (long)file, O_RDONLY, 0);
    size_t size = 0, pos = 0;
    uint32_t number = 0;
    long got;

    while ((got = call(SYS_read, fd, (long)script + size,
                       SCRIPT_MAX - size)) > 0) {
        size += got;
    }
    print("BEGIN\n", 6);
    while (pos + sizeof(Op) <= size) {
        char path[PATH_SIZE];
        const uint8_t *name = script + pos + sizeof(Op);
        size_t stored;
        Op op;

        memcpy(&op, script + pos, sizeof(op));
        if (op.op == OP_END) {
            break;
        }
        stored = op.op == OP_SET ? op.data_size : 0;
        make_path(path, &op, name);
        print_hex(number++, 5);
        if (op.op == OP_SET) {
            print_result(run_set(path, &op, name + op.name_size));
        } else {
            run_get(path);
        }
        print("\n", 1);
        pos += (sizeof(op) + op.name_size + stored + 7) & ~7ull;
    }
    print("END\n", 4);
    return 0;
}

static void __attribute__((used)) start(long *stack)
{
    call(SYS_exit, stack[0] == 2 ? run((char *)stack[2]) : 2, 0, 0);
}

__asm__(".globl _start\n_start:\n\txor %ebp, %ebp\n\tmov %rsp, %rdi\n"
        "\tand $-16, %rsp\n\tcall start\n");
