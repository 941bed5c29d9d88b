/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: the register block (docs/specs/uefi-vars.rst, 1)
 *
 * Plain state, no QOM object: each device embeds it, and maps @mr where its bus
 * has room for it.
 */

#ifndef HW_UEFI_VAR_SERVICE_REGS_H
#define HW_UEFI_VAR_SERVICE_REGS_H

#include "hw/uefi/var-service-api.h"
#include "hw/uefi/var-service-compat.h"
#include "hw/uefi/var-service-pcap.h"
#include "hw/uefi/var-service.h"

typedef struct UefiVarRegs {
    MemoryRegion mr;
    AddressSpace *as;           /* what DMA addresses mean */
    UefiVarService *service;    /* borrowed; who answers messages */
    UefiPcap *pcap;             /* borrowed; NULL without a capture */
    bool use_pio;               /* advice to the guest, constant */

    uint16_t status;            /* UEFI_VARS_STS_ */
    uint32_t buffer_size;       /* bytes, at most UEFI_VARS_MAX_BUFFER_SIZE */
    uint64_t dma_addr;
    uint32_t pio_offset;        /* bytes, at most buffer_size */
    uint8_t *pio;               /* buffer_size bytes; NULL for none */

    bool loaded;                /* while a command was being carried out */
} UefiVarRegs;

/**
 * uefi_vars_regs_init: make the region, with the registers at its start
 * @owner: the device; it must own the region, so that QEMU can tell a guest
 *         that points the DMA address at the registers themselves
 * @size: of the region, bytes; reads behind the registers give all ones
 */
void uefi_vars_regs_init(UefiVarRegs *regs, Object *owner, uint64_t size);

/** uefi_vars_regs_reset: power on; CMD_RESET, too, but for its status */
void uefi_vars_regs_reset(UefiVarRegs *regs);

/**
 * uefi_vars_regs_set_buffer: forget the transfer buffer and make a new one
 * @size: bytes; more than UEFI_VARS_MAX_BUFFER_SIZE is clamped
 */
void uefi_vars_regs_set_buffer(UefiVarRegs *regs, uint32_t size);

#endif /* HW_UEFI_VAR_SERVICE_REGS_H */
