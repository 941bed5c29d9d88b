/*
 * UEFI variable driver for QEMU's uefi-vars devices: shared declarations
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef UEFI_VARS_DRIVER_H
#define UEFI_VARS_DRIVER_H

#include "efi.h"
#include "lib.h"

/* The guest always uses an exchange buffer of this size (protocol §1.1, R3) */
#define EXCHANGE_SIZE   0x10000

/* How the registers are reached */
typedef struct {
    bool is_port;       /* x86 I/O ports, else memory-mapped */
    uintptr_t base;     /* port number, or the address to use now */
    const EfiChar *name;
} Transport;

/* find.c */

/*
 * Look for the device in all the places of this architecture.
 * Returns false if there is none.
 */
bool find_device(const EfiSystemTable *st, Transport *transport);

/* fdt.c */

/*
 * The physical address of the device that the flattened device tree at @fdt
 * describes, or 0 (protocol §1.3).
 */
uint64_t fdt_find_device(const void *fdt);

/* device.c */

/* True if a 16-bit read at the device shows the device's magic number. */
bool device_present(const Transport *transport);

/*
 * True if somebody has announced an exchange buffer since the last reset:
 * firmware that uses the device itself.
 */
bool device_in_use(const Transport *transport);

/*
 * Reset the device behind @transport and announce the exchange buffer of
 * EXCHANGE_SIZE bytes at physical address @buffer, which is readable there.
 * Returns EFI_DEVICE_ERROR if the device does not do its part.
 */
EfiStatus device_init(const Transport *transport, uint64_t buffer);

/*
 * Execute the message of @size bytes at the start of the exchange buffer.
 * The reply replaces it.  EFI_DEVICE_ERROR if the transport failed.
 */
EfiStatus device_run(size_t size);

/* True if the device asked for transfer through registers, not DMA. */
bool device_uses_pio(void);

/* Follow the switch to virtual addresses. */
void device_convert(const EfiRuntimeServices *rt);

/* services.c */

/*
 * Begin to send requests through the exchange buffer at @buffer.  Asks the
 * device for the largest payload, so it fails if requests don't work.
 */
EfiStatus services_init(const EfiBootServices *bs, void *buffer);

/* Functions without payload, protocol §3.9 */
EfiStatus services_ready_to_boot(void);
EfiStatus services_exit_boot_services(void);

/* Tell the device that the event group @guid was signalled. */
EfiStatus services_event(const EfiGuid *guid);

/* Boot services are gone from now on. */
void services_enter_runtime(void);

/* Follow the switch to virtual addresses. */
void services_convert(const EfiRuntimeServices *rt);

EfiGetVariable vars_get;
EfiGetNextVariableName vars_get_next;
EfiSetVariable vars_set;
EfiQueryVariableInfo vars_query;

/* carry.c */

/*
 * Give the host what the firmware, whose services are still the old ones, has
 * made in this boot and needs further on.
 */
EfiStatus carry_variables(const EfiSystemTable *st);

/*
 * Names of settings in the firmware's flash that the host does not have so,
 * a space before each.
 */
const EfiChar *carry_unused(void);

/* bootnext.c */

/* Look into the store for a BootNext that this boot shall follow. */
void bootnext_init(void);

/* Boot services are gone: everybody sees what is stored. */
void bootnext_end(void);

/* vars_get and vars_set, with BootNext in front of BootOrder while it waits */
EfiGetVariable bootnext_get;
EfiSetVariable bootnext_set;

#endif /* UEFI_VARS_DRIVER_H */
