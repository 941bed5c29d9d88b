/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI application that runs a script of variable operations
 *
 * The script comes in the fw_cfg file SCRIPT_FILE; its format is written by
 * generate.py.  Each operation prints one line to the debug console: number,
 * status, and what the service returned.  After the operation EXIT the same
 * application goes on at runtime, without boot services.
 */
#include "driver.h"

#define SCRIPT_FILE     "opt/uefi-vars/script"
#define SCRIPT_MAX      0x100000
#define VALUE_MAX       0x10000
#define NAME_MAX        1024
#define DEBUG_PORT      0x402

enum { OP_END, OP_SET, OP_GET, OP_LIST, OP_QUERY, OP_EXIT, OP_NEXT };

typedef EfiStatus GetMemoryMap(size_t *size, void *map, size_t *key,
                               size_t *descriptor_size, uint32_t *version);
typedef EfiStatus ExitBootServices(EfiHandle image, size_t key);
typedef void ResetSystem(uint32_t type, EfiStatus status, size_t size,
                         void *data);

/* One operation; followed by the name with its NUL, then the data */
typedef struct {
    uint32_t op;
    uint32_t attributes;
    EfiGuid guid;
    uint32_t name_size;     /* bytes */
    uint32_t data_size;     /* bytes; of OP_GET: capacity */
} Op;

static uint8_t script[SCRIPT_MAX];
static uint8_t value[VALUE_MAX];
static EfiChar name[NAME_MAX];

static inline void out8(uint16_t port, uint8_t byte)
{
    __asm__ volatile("outb %0, %1" : : "a"(byte), "Nd"(port));
}

static inline uint8_t in8(uint16_t port)
{
    uint8_t byte;

    __asm__ volatile("inb %1, %0" : "=a"(byte) : "Nd"(port));
    return byte;
}

static inline void out16(uint16_t port, uint16_t word)
{
    __asm__ volatile("outw %0, %1" : : "a"(word), "Nd"(port));
}

static void print(const char *text)
{
    while (*text) {
        out8(DEBUG_PORT, *text++);
    }
}

static void print_hex(uint64_t number, unsigned digits)
{
    while (digits--) {
        out8(DEBUG_PORT, "0123456789abcdef"[number >> (4 * digits) & 15]);
    }
}

static void print_bytes(const void *data, size_t size)
{
    const uint8_t *byte = data;

    while (size--) {
        print_hex(*byte++, 2);
    }
}

/* FNV-1a, so that a long value is one word in the transcript */
static uint64_t hash(const uint8_t *data, size_t size)
{
    uint64_t h = 0xcbf29ce484222325ull;

    while (size--) {
        h = (h ^ *data++) * 0x100000001b3ull;
    }
    return h;
}

static void fw_cfg_read(void *to, size_t size)
{
    uint8_t *byte = to;

    while (size--) {
        *byte++ = in8(0x511);
    }
}

static uint32_t be32(const uint8_t *b)
{
    return (uint32_t)b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3];
}

static bool same_text(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

/* Each entry of the directory: size, selector (big endian), name */
static size_t load_script(void)
{
    uint8_t entry[64], count[4];

    out16(0x510, 0x19);
    fw_cfg_read(count, 4);
    for (uint32_t i = be32(count); i; i--) {
        fw_cfg_read(entry, sizeof(entry));
        if (same_text((char *)entry + 8, SCRIPT_FILE)) {
            uint32_t size = be32(entry);

            if (size > SCRIPT_MAX) {
                return 0;
            }
            out16(0x510, entry[4] << 8 | entry[5]);
            fw_cfg_read(script, size);
            return size;
        }
    }
    return 0;
}

static void print_name(const EfiGuid *guid, const EfiChar *text)
{
    print_bytes(guid, sizeof(*guid));
    print(" ");
    for (; *text; text++) {
        print_hex(*text, 4);
    }
}

static void run_get(EfiRuntimeServices *rt, const Op *op,
                    const EfiChar *op_name)
{
    size_t size = op->data_size;
    uint32_t attributes = 0xeeeeeeee;
    EfiStatus status;

    memset(value, 0, sizeof(value));
    status = rt->get_variable(op_name, &op->guid, &attributes, &size, value);
    print_hex(status, 16);
    if (status == EFI_SUCCESS || status == EFI_BUFFER_TOO_SMALL) {
        print(" ");
        print_hex(attributes, 8);
        print(" ");
        print_hex(size, 5);
    }
    if (status == EFI_SUCCESS) {
        print(" ");
        print_hex(hash(value, size), 16);
    }
}

static void run_list(EfiRuntimeServices *rt)
{
    EfiGuid guid = { };
    EfiStatus status;

    memset(name, 0, sizeof(name));
    for (;;) {
        size_t size = sizeof(name);

        status = rt->get_next_variable_name(&size, name, &guid);
        if (status != EFI_SUCCESS) {
            break;
        }
        print("\n  ");
        print_name(&guid, name);
    }
    print("\n  ");
    print_hex(status, 16);
}

/* From a given name, with a given capacity */
static void run_next(EfiRuntimeServices *rt, const Op *op,
                     const EfiChar *op_name)
{
    EfiGuid guid = op->guid;
    size_t size = op->data_size;
    EfiStatus status;

    memset(name, 0, sizeof(name));
    memcpy(name, op_name, op->name_size);
    status = rt->get_next_variable_name(&size, name, &guid);
    print_hex(status, 16);
    if (status == EFI_BUFFER_TOO_SMALL) {
        print(" ");
        print_hex(size, 4);
    } else if (status == EFI_SUCCESS) {
        print(" ");
        print_name(&guid, name);
    }
}

static void run_query(EfiRuntimeServices *rt, const Op *op)
{
    uint64_t sizes[3] = { };
    EfiStatus status = rt->query_variable_info(op->attributes, &sizes[0],
                                               &sizes[1], &sizes[2]);

    print_hex(status, 16);
    if (status == EFI_SUCCESS) {
        for (int i = 0; i < 3; i++) {
            print(" ");
            print_hex(sizes[i], 8);
        }
    }
}

static void run_exit(EfiHandle image, EfiBootServices *boot)
{
    GetMemoryMap *get_memory_map = (GetMemoryMap *)boot->get_memory_map;
    ExitBootServices *exit = (ExitBootServices *)boot->exit_boot_services;
    EfiStatus status;

    /* The first call may change the map by what its callbacks do. */
    for (int tries = 0; tries < 3; tries++) {
        size_t size = sizeof(value), key, descriptor_size;
        uint32_t version;

        status = get_memory_map(&size, value, &key, &descriptor_size,
                                &version);
        if (status == EFI_SUCCESS) {
            status = exit(image, key);
        }
        if (status == EFI_SUCCESS) {
            break;
        }
    }
    print_hex(status, 16);
}

static void run_op(EfiHandle image, EfiSystemTable *st, const Op *op,
                   const EfiChar *op_name, const uint8_t *data)
{
    EfiRuntimeServices *rt = st->runtime;

    switch (op->op) {
    case OP_SET:
        print_hex(rt->set_variable(op_name, &op->guid, op->attributes,
                                   op->data_size, data), 16);
        break;
    case OP_GET:
        run_get(rt, op, op_name);
        break;
    case OP_LIST:
        run_list(rt);
        break;
    case OP_QUERY:
        run_query(rt, op);
        break;
    case OP_EXIT:
        run_exit(image, st->boot);
        break;
    case OP_NEXT:
        run_next(rt, op, op_name);
        break;
    }
}

EfiStatus efi_main(EfiHandle image, EfiSystemTable *st)
{
    EfiRuntimeServices *rt = st->runtime;
    size_t size = load_script(), pos = 0;
    uint32_t number = 0;

    print("BEGIN\n");
    while (pos + sizeof(Op) <= size) {
        Op op;
        const uint8_t *rest;
        size_t stored;

        memcpy(&op, script + pos, sizeof(op));
        if (op.op == OP_END) {
            break;
        }
        rest = script + pos + sizeof(op);
        stored = op.op == OP_SET ? op.data_size : 0;
        print_hex(number++, 5);
        print(" ");
        run_op(image, st, &op, (const EfiChar *)rest, rest + op.name_size);
        print("\n");
        pos += (sizeof(op) + op.name_size + stored + 7) & ~7ull;
    }
    print("END\n");
    ((ResetSystem *)rt->reset_system)(2 /* shutdown */, EFI_SUCCESS, 0, NULL);
    return EFI_SUCCESS;
}
