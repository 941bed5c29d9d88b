/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: the guest ABI of the device (docs/specs/uefi-vars.rst)
 */

#ifndef HW_UEFI_VAR_SERVICE_API_H
#define HW_UEFI_VAR_SERVICE_API_H

#define TYPE_UEFI_VARS_ISA      "uefi-vars-isa"
#define TYPE_UEFI_VARS_SYSBUS   "uefi-vars-sysbus"
#define TYPE_UEFI_VARS_X64      "uefi-vars-x64"

/* Where the devices are: I/O port (isa) and guest-physical address (x64). */
#define UEFI_VARS_ISA_BASE      0x520
#define UEFI_VARS_X64_BASE      0xfef10000

/* Device tree node (sysbus); the firmware maps the whole page around it. */
#define UEFI_VARS_FDT_NODE      "qemu-uefi-vars"
#define UEFI_VARS_FDT_COMPAT    "qemu,uefi-vars"
#define UEFI_VARS_PAGE_SIZE     0x1000

/* ACPI device (isa) */
#define UEFI_VARS_ACPI_NAME     "QEFI"
#define UEFI_VARS_ACPI_HID      "UEFIVARS"

/*
 * PCI function with the option ROM: an ID for use without registration, until
 * docs/specs/pci-ids.rst has one for it
 */
#define UEFI_VARS_ROM_VENDOR_ID 0x1af4
#define UEFI_VARS_ROM_DEVICE_ID 0x10f0

/* fw_cfg file with typed records {u64 type, u64 size, payload} (x64) */
#define UEFI_VARS_HWINFO_FILE   "etc/hardware-info"
#define UEFI_VARS_HWINFO_TYPE   2

/* Register block, offsets in bytes; all registers are little endian. */
#define UEFI_VARS_REG_MAGIC             0x00    /* u16, read only */
#define UEFI_VARS_REG_CMD_STS           0x02    /* u16 */
#define UEFI_VARS_REG_BUFFER_SIZE       0x04    /* u32, bytes */
#define UEFI_VARS_REG_DMA_ADDR_LO       0x08    /* u32 */
#define UEFI_VARS_REG_DMA_ADDR_HI       0x0c    /* u32 */
#define UEFI_VARS_REG_PIO_TRANSFER      0x10    /* u8, u16, u32 or u64 */
#define UEFI_VARS_REG_PIO_CRC32C        0x18    /* u32, read only */
#define UEFI_VARS_REG_FLAGS             0x1c    /* u32, read only */
#define UEFI_VARS_REGS_SIZE             0x20

#define UEFI_VARS_MAGIC                 0x0ef1
#define UEFI_VARS_FLAG_USE_PIO          (1u << 0)

/* The largest exchange buffer; larger values written are clamped to it. */
#define UEFI_VARS_MAX_BUFFER_SIZE       0x10000

/* Commands, written to UEFI_VARS_REG_CMD_STS */
#define UEFI_VARS_CMD_RESET             0x01
#define UEFI_VARS_CMD_DMA_MM            0x02
#define UEFI_VARS_CMD_PIO_MM            0x03
#define UEFI_VARS_CMD_PIO_ZERO_OFFSET   0x04

/* Status of the last command, read from UEFI_VARS_REG_CMD_STS */
#define UEFI_VARS_STS_SUCCESS               0x00
#define UEFI_VARS_STS_BUSY                  0x01
#define UEFI_VARS_STS_ERR_UNKNOWN           0x10
#define UEFI_VARS_STS_ERR_NOT_SUPPORTED     0x11
#define UEFI_VARS_STS_ERR_BAD_BUFFER_SIZE   0x12

#endif /* HW_UEFI_VAR_SERVICE_API_H */
