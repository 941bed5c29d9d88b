/*
 * The register block and the two ways to hand a message over (protocol §1)
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "driver.h"

enum {
    REG_MAGIC           = 0x00,
    REG_CMD_STS         = 0x02,
    REG_BUFFER_SIZE     = 0x04,
    REG_DMA_ADDR_LO     = 0x08,
    REG_DMA_ADDR_HI     = 0x0c,
    REG_PIO_TRANSFER    = 0x10,
    REG_PIO_CRC32C      = 0x18,
    REG_FLAGS           = 0x1c,
};

enum {
    CMD_RESET           = 1,
    CMD_DMA_MM          = 2,
    CMD_PIO_MM          = 3,
    CMD_PIO_ZERO_OFFSET = 4,
};

enum {
    STS_SUCCESS         = 0x00,
    STS_BUSY            = 0x01,
};

#define MAGIC           0x0ef1
#define FLAG_USE_PIO    0x00000001u
#define STATUS_POLLS    100

static Transport device;
static bool use_pio;
static uint8_t *exchange;

/*
 * Each access is one plain load or store in assembly language: what a
 * hypervisor can emulate for device memory, and nothing a compiler may split,
 * merge or move.
 */
#ifdef __x86_64__

static uint16_t read16(const Transport *transport, unsigned reg)
{
    uint16_t value;

    if (transport->is_port) {
        asm volatile("inw %w1, %w0" : "=a"(value)
                     : "Nd"((uint16_t)(transport->base + reg)) : "memory");
    } else {
        asm volatile("movw (%1), %w0" : "=r"(value)
                     : "r"(transport->base + reg) : "memory");
    }
    return value;
}

static uint32_t read32(const Transport *transport, unsigned reg)
{
    uint32_t value;

    if (transport->is_port) {
        asm volatile("inl %w1, %0" : "=a"(value)
                     : "Nd"((uint16_t)(transport->base + reg)) : "memory");
    } else {
        asm volatile("movl (%1), %0" : "=r"(value)
                     : "r"(transport->base + reg) : "memory");
    }
    return value;
}

static void write16(const Transport *transport, unsigned reg, uint16_t value)
{
    if (transport->is_port) {
        asm volatile("outw %w0, %w1" : : "a"(value),
                     "Nd"((uint16_t)(transport->base + reg)) : "memory");
    } else {
        asm volatile("movw %w0, (%1)" : : "r"(value),
                     "r"(transport->base + reg) : "memory");
    }
}

static void write32(const Transport *transport, unsigned reg, uint32_t value)
{
    if (transport->is_port) {
        asm volatile("outl %0, %w1" : : "a"(value),
                     "Nd"((uint16_t)(transport->base + reg)) : "memory");
    } else {
        asm volatile("movl %0, (%1)" : : "r"(value),
                     "r"(transport->base + reg) : "memory");
    }
}

static void barrier(void)
{
    asm volatile("mfence" : : : "memory");
}

#else

#if defined(__aarch64__)
#define LOAD16      "ldrh %w0, [%1]"
#define LOAD32      "ldr %w0, [%1]"
#define STORE16     "strh %w0, [%1]"
#define STORE32     "str %w0, [%1]"
#define BARRIER     "dsb sy"
#elif defined(__riscv)
#define LOAD16      "lhu %0, 0(%1)"
#define LOAD32      "lwu %0, 0(%1)"
#define STORE16     "sh %0, 0(%1)"
#define STORE32     "sw %0, 0(%1)"
#define BARRIER     "fence iorw, iorw"
#elif defined(__loongarch__)
#define LOAD16      "ld.hu %0, %1, 0"
#define LOAD32      "ld.wu %0, %1, 0"
#define STORE16     "st.h %0, %1, 0"
#define STORE32     "st.w %0, %1, 0"
#define BARRIER     "dbar 0"
#endif

static uint16_t read16(const Transport *transport, unsigned reg)
{
    uint64_t value;

    asm volatile(LOAD16 : "=r"(value)
                 : "r"(transport->base + reg) : "memory");
    return value;
}

static uint32_t read32(const Transport *transport, unsigned reg)
{
    uint64_t value;

    asm volatile(LOAD32 : "=r"(value)
                 : "r"(transport->base + reg) : "memory");
    return value;
}

static void write16(const Transport *transport, unsigned reg, uint16_t value)
{
    asm volatile(STORE16 : : "r"((uint64_t)value),
                 "r"(transport->base + reg) : "memory");
}

static void write32(const Transport *transport, unsigned reg, uint32_t value)
{
    asm volatile(STORE32 : : "r"((uint64_t)value),
                 "r"(transport->base + reg) : "memory");
}

static void barrier(void)
{
    asm volatile(BARRIER : : : "memory");
}

#endif

bool device_present(const Transport *transport)
{
    return read16(transport, REG_MAGIC) == MAGIC;
}

bool device_in_use(const Transport *transport)
{
    return read32(transport, REG_BUFFER_SIZE) != 0;
}

static EfiStatus command(uint16_t cmd)
{
    /* The exchange buffer must be in memory before the device looks at it. */
    barrier();
    write16(&device, REG_CMD_STS, cmd);
    for (int i = 0; i < STATUS_POLLS; i++) {
        uint16_t status = read16(&device, REG_CMD_STS);

        if (status == STS_SUCCESS) {
            barrier();
            return EFI_SUCCESS;
        }
        if (status != STS_BUSY) {
            break;
        }
    }
    return EFI_DEVICE_ERROR;
}

EfiStatus device_init(const Transport *transport, uint64_t buffer)
{
    device = *transport;
    exchange = (uint8_t *)(uintptr_t)buffer;

    if (EFI_ERROR(command(CMD_RESET))) {
        return EFI_DEVICE_ERROR;
    }
    write32(&device, REG_BUFFER_SIZE, EXCHANGE_SIZE);
    if (read32(&device, REG_BUFFER_SIZE) != EXCHANGE_SIZE) {
        return EFI_DEVICE_ERROR;
    }
    /*
     * A block with the first half of the registers only reads all ones here
     * (R4): then nothing is known of PIO, and DMA is the way.
     */
    uint32_t flags = read32(&device, REG_FLAGS);
    use_pio = flags != ~0u && flags & FLAG_USE_PIO;
    if (!use_pio) {
        write32(&device, REG_DMA_ADDR_LO, buffer);
        write32(&device, REG_DMA_ADDR_HI, buffer >> 32);
    }
    return EFI_SUCCESS;
}

/* protocol §1.2, "Guest algorithm": whole 32-bit words, checked both ways */
static EfiStatus run_pio(size_t size)
{
    size_t words = (size + 3) / 4;
    uint32_t word;

    if (EFI_ERROR(command(CMD_PIO_ZERO_OFFSET))) {
        return EFI_DEVICE_ERROR;
    }
    for (size_t i = 0; i < words; i++) {
        memcpy(&word, exchange + i * 4, 4);
        write32(&device, REG_PIO_TRANSFER, word);
    }
    if (read32(&device, REG_PIO_CRC32C) != crc32c(exchange, words * 4)) {
        return EFI_DEVICE_ERROR;
    }
    if (EFI_ERROR(command(CMD_PIO_MM)) ||
        EFI_ERROR(command(CMD_PIO_ZERO_OFFSET))) {
        return EFI_DEVICE_ERROR;
    }
    for (size_t i = 0; i < words; i++) {
        word = read32(&device, REG_PIO_TRANSFER);
        memcpy(exchange + i * 4, &word, 4);
    }
    if (read32(&device, REG_PIO_CRC32C) != crc32c(exchange, words * 4)) {
        return EFI_DEVICE_ERROR;
    }
    return EFI_SUCCESS;
}

EfiStatus device_run(size_t size)
{
    return use_pio ? run_pio(size) : command(CMD_DMA_MM);
}

bool device_uses_pio(void)
{
    return use_pio;
}

void device_convert(const EfiRuntimeServices *rt)
{
    if (!device.is_port) {
        rt->convert_pointer(0, (void **)&device.base);
    }
    rt->convert_pointer(0, (void **)&exchange);
}
