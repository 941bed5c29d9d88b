/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: the option ROM with the driver for stock firmware
 *
 * Firmware that does not know the device looks for drivers in the ROMs of PCI
 * functions.  option-rom=on gives the machine a function that has one, and
 * nothing else: the registers stay where they are, so that an operating system
 * that moves PCI resources moves nothing that the driver uses.
 */

#ifndef HW_UEFI_VAR_SERVICE_ROM_H
#define HW_UEFI_VAR_SERVICE_ROM_H

#include "hw/uefi/var-service-compat.h"

#define TYPE_UEFI_VARS_ROM "uefi-vars-rom"

/* Plain state, no QOM object: each device embeds it. */
typedef struct UefiVarRom {
    /* Properties */
    bool on;
    char *addr;             /* on the root bus; NULL for the default */
    char *romfile;          /* instead of ours, or NULL */

    DeviceState *function;  /* a child of the owner, NULL when there is none */
} UefiVarRom;

/* Where the function is by default: high, so no manager fills it early */
#define UEFI_VARS_ROM_ADDR  "1e.0"

/* The properties of UefiVarRom @field in @state */
#define DEFINE_UEFI_VARS_ROM_PROPERTIES(state, field)                       \
    DEFINE_PROP_BOOL("option-rom", state, field.on, false),                 \
    DEFINE_PROP_STRING("option-rom-addr", state, field.addr),               \
    DEFINE_PROP_STRING("romfile", state, field.romfile)

/**
 * uefi_vars_rom_create: make the function, if it is wanted
 * @owner: the device; the function becomes its child
 */
bool uefi_vars_rom_create(UefiVarRom *rom, Object *owner, Error **errp);

/** uefi_vars_rom_destroy: take it out of the machine again, if there is one */
void uefi_vars_rom_destroy(UefiVarRom *rom);

#endif /* HW_UEFI_VAR_SERVICE_ROM_H */
