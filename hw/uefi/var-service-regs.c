/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: the register block, DMA and PIO transfer
 *
 * Rules R1 to R8 and 1.2 of docs/specs/uefi-vars.rst.  A message is copied to
 * host memory once, answered there, and copied back once; whatever happens to
 * the guest's memory meanwhile makes no difference.
 */

#include "qemu/osdep.h"
#include "qemu/crc32c.h"
#include "qemu/log.h"
#include "system/dma.h"
#include "hw/uefi/var-service-regs.h"
#include "trace.h"

/*
 * Only RAM can hold an exchange buffer.  Device registers behind a DMA
 * address, our own included, refuse the access instead of being run (R7, H8).
 */
static const MemTxAttrs dma_attrs = { .memory = 1 };

void uefi_vars_regs_set_buffer(UefiVarRegs *regs, uint32_t size)
{
    regs->buffer_size = MIN(size, UEFI_VARS_MAX_BUFFER_SIZE);
    regs->pio_offset = 0;
    g_free(regs->pio);
    regs->pio = g_malloc0(regs->buffer_size);
}

void uefi_vars_regs_reset(UefiVarRegs *regs)
{
    uefi_vars_regs_set_buffer(regs, 0);
    regs->dma_addr = 0;
    regs->status = UEFI_VARS_STS_SUCCESS;
}

/*
 * Answer the message in @buf.  If another machine was loaded while it waited
 * for the disk, that has not asked.
 */
static uint16_t answer(UefiVarRegs *regs, uint8_t *buf, size_t size)
{
    uint16_t sts;

    uefi_pcap_add(regs->pcap, UEFI_PCAP_REQUEST, buf, size);
    sts = uefi_vars_message(regs->service, buf, size, regs->buffer_size);
    if (sts == UEFI_VARS_STS_SUCCESS) {
        uefi_pcap_add(regs->pcap, UEFI_PCAP_REPLY, buf, size);
    }
    return sts;
}

static bool dma_read(UefiVarRegs *regs, uint64_t offset, void *buf,
                     size_t size)
{
    return dma_memory_read(regs->as, regs->dma_addr + offset, buf, size,
                           dma_attrs) == MEMTX_OK;
}

/* Whether the guest's buffer holds @size bytes that can be written (R7) */
static bool dma_writable(UefiVarRegs *regs, size_t size)
{
    return size - 1 <= UINT64_MAX - regs->dma_addr &&
           dma_memory_valid(regs->as, regs->dma_addr, size,
                            DMA_DIRECTION_FROM_DEVICE, dma_attrs);
}

static uint16_t run_dma(UefiVarRegs *regs)
{
    uint8_t head[EFI_MM_HEADER_SIZE_64];
    size_t head_size = MIN(sizeof(head), regs->buffer_size);
    g_autofree uint8_t *buf = NULL;
    size_t size;
    uint16_t sts;

    if (head_size < EFI_MM_HEADER_SIZE_32) {
        return UEFI_VARS_STS_ERR_BAD_BUFFER_SIZE;
    }
    if (!dma_writable(regs, head_size) || !dma_read(regs, 0, head, head_size)) {
        return UEFI_VARS_STS_ERR_UNKNOWN;
    }
    size = uefi_vars_message_size(head, head_size, regs->buffer_size);
    if (size == 0) {
        return UEFI_VARS_STS_ERR_BAD_BUFFER_SIZE;
    }

    /* The head is not read again: its length has been checked. */
    buf = g_malloc(MAX(size, head_size));
    memcpy(buf, head, head_size);
    if (size > head_size &&
        (!dma_writable(regs, size) ||
         !dma_read(regs, head_size, buf + head_size, size - head_size))) {
        return UEFI_VARS_STS_ERR_UNKNOWN;
    }
    sts = answer(regs, buf, size);
    if (sts == UEFI_VARS_STS_SUCCESS && !regs->loaded &&
        dma_memory_write(regs->as, regs->dma_addr, buf, size,
                         dma_attrs) != MEMTX_OK) {
        return UEFI_VARS_STS_ERR_UNKNOWN;
    }
    return sts;
}

static uint16_t run_pio(UefiVarRegs *regs)
{
    size_t size = uefi_vars_message_size(regs->pio, regs->buffer_size,
                                         regs->buffer_size);
    g_autofree uint8_t *buf = NULL;
    uint16_t sts;

    if (size == 0) {
        return UEFI_VARS_STS_ERR_BAD_BUFFER_SIZE;
    }
    buf = g_memdup2(regs->pio, size);
    sts = answer(regs, buf, size);
    if (sts == UEFI_VARS_STS_SUCCESS && !regs->loaded) {
        memcpy(regs->pio, buf, size);
    }
    return sts;
}

static void run_message(UefiVarRegs *regs, uint16_t (*run)(UefiVarRegs *regs))
{
    uint16_t sts;

    regs->loaded = false;
    sts = run(regs);
    if (!regs->loaded) {
        regs->status = sts;
    }
}

static void run_command(UefiVarRegs *regs, uint16_t command)
{
    switch (command) {
    case UEFI_VARS_CMD_RESET:
        uefi_vars_regs_reset(regs);
        break;
    case UEFI_VARS_CMD_DMA_MM:
        run_message(regs, run_dma);
        break;
    case UEFI_VARS_CMD_PIO_MM:
        run_message(regs, run_pio);
        break;
    case UEFI_VARS_CMD_PIO_ZERO_OFFSET:
        regs->pio_offset = 0;
        regs->status = UEFI_VARS_STS_SUCCESS;
        break;
    default:
        regs->status = UEFI_VARS_STS_ERR_NOT_SUPPORTED;
        break;
    }
    trace_uefi_vars_command(command, regs->status);
    if (regs->status != UEFI_VARS_STS_SUCCESS) {
        qemu_log_mask(LOG_GUEST_ERROR,
                      "uefi-vars: command 0x%x failed with status 0x%x\n",
                      command, regs->status);
    }
}

/* Whether the transfer port can move @size bytes at once (1.2) */
static bool pio_ready(const UefiVarRegs *regs, unsigned size)
{
    return size <= regs->buffer_size - regs->pio_offset;
}

static uint64_t pio_read(UefiVarRegs *regs, unsigned size)
{
    uint64_t value = 0;

    if (pio_ready(regs, size)) {
        value = ldn_le_p(regs->pio + regs->pio_offset, size);
        regs->pio_offset += size;
    }
    return value;
}

static void pio_write(UefiVarRegs *regs, uint64_t value, unsigned size)
{
    if (pio_ready(regs, size)) {
        stn_le_p(regs->pio + regs->pio_offset, size, value);
        regs->pio_offset += size;
    }
}

/* Register and width in one number: only the registers' own widths count */
#define REG(offset, size) ((offset) << 4 | (size))

static uint64_t uefi_vars_regs_read(void *opaque, hwaddr addr, unsigned size)
{
    UefiVarRegs *regs = opaque;

    switch (REG(addr, size)) {
    case REG(UEFI_VARS_REG_MAGIC, 2):
        return UEFI_VARS_MAGIC;
    case REG(UEFI_VARS_REG_CMD_STS, 2):
        return regs->status;
    case REG(UEFI_VARS_REG_BUFFER_SIZE, 4):
        return regs->buffer_size;
    case REG(UEFI_VARS_REG_DMA_ADDR_LO, 4):
        return (uint32_t)regs->dma_addr;
    case REG(UEFI_VARS_REG_DMA_ADDR_HI, 4):
        return regs->dma_addr >> 32;
    case REG(UEFI_VARS_REG_PIO_TRANSFER, 1):
    case REG(UEFI_VARS_REG_PIO_TRANSFER, 2):
    case REG(UEFI_VARS_REG_PIO_TRANSFER, 4):
    case REG(UEFI_VARS_REG_PIO_TRANSFER, 8):
        return pio_read(regs, size);
    case REG(UEFI_VARS_REG_PIO_CRC32C, 4):
        return crc32c(0xffffffff, regs->pio, regs->pio_offset);
    case REG(UEFI_VARS_REG_FLAGS, 4):
        return regs->use_pio ? UEFI_VARS_FLAG_USE_PIO : 0;
    default:
        return UINT64_MAX;      /* R4; QEMU cuts it to the width */
    }
}

static void uefi_vars_regs_write(void *opaque, hwaddr addr, uint64_t value,
                                 unsigned size)
{
    UefiVarRegs *regs = opaque;

    switch (REG(addr, size)) {
    case REG(UEFI_VARS_REG_CMD_STS, 2):
        run_command(regs, value);
        break;
    case REG(UEFI_VARS_REG_BUFFER_SIZE, 4):
        uefi_vars_regs_set_buffer(regs, value);
        break;
    case REG(UEFI_VARS_REG_DMA_ADDR_LO, 4):
        regs->dma_addr = deposit64(regs->dma_addr, 0, 32, value);
        break;
    case REG(UEFI_VARS_REG_DMA_ADDR_HI, 4):
        regs->dma_addr = deposit64(regs->dma_addr, 32, 32, value);
        break;
    case REG(UEFI_VARS_REG_PIO_TRANSFER, 1):
    case REG(UEFI_VARS_REG_PIO_TRANSFER, 2):
    case REG(UEFI_VARS_REG_PIO_TRANSFER, 4):
    case REG(UEFI_VARS_REG_PIO_TRANSFER, 8):
        pio_write(regs, value, size);
        break;
    default:
        qemu_log_mask(LOG_GUEST_ERROR, "uefi-vars: write of %u bytes at "
                      "offset 0x%" HWADDR_PRIx " ignored\n", size, addr);
        break;
    }
}

static const MemoryRegionOps uefi_vars_regs_ops = {
    .read = uefi_vars_regs_read,
    .write = uefi_vars_regs_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
    .impl = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
};

void uefi_vars_regs_init(UefiVarRegs *regs, Object *owner, uint64_t size)
{
    memory_region_init_io(&regs->mr, owner, &uefi_vars_regs_ops, regs,
                          "uefi-vars", size);
    uefi_vars_regs_reset(regs);
}
