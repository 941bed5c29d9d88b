/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What a boot entry starts when a test looks at the order of boot: says which
 * entry it is and what is left of BootNext and BootOrder, and restarts the
 * machine.  Entry 0001 powers it off instead.
 */
#include "efi.h"

#define RESET_COLD      0
#define RESET_SHUTDOWN  2
#define VALUE_MAX       64

typedef void ResetSystem(uint32_t type, EfiStatus status, size_t size,
                         const void *data);

static const EfiGuid global = GUID_GLOBAL_VARIABLE;

static void print(const EfiSystemTable *st, const EfiChar *text)
{
    st->con_out->output_string(st->con_out, text);
}

/* NAME=hex digits, NAME= for none; returns the first byte */
static uint8_t show(const EfiSystemTable *st, const EfiChar *name)
{
    uint8_t value[VALUE_MAX] = { 0 };
    size_t size = sizeof(value);

    if (st->runtime->get_variable(name, &global, NULL, &size, value)) {
        size = 0;
    }
    print(st, name);
    print(st, u"=");
    for (size_t i = 0; i < size; i++) {
        EfiChar digits[] = {
            u"0123456789abcdef"[value[i] >> 4],
            u"0123456789abcdef"[value[i] & 15], 0
        };

        print(st, digits);
    }
    print(st, u" ");
    return value[0];
}

EfiStatus efi_main(EfiHandle image, EfiSystemTable *st)
{
    ResetSystem *reset = (ResetSystem *)st->runtime->reset_system;
    uint8_t entry;

    print(st, u"\r\nbootapp: ");
    entry = show(st, u"BootCurrent");
    show(st, u"BootNext");
    show(st, u"BootOrder");
    print(st, u"end\r\n");
    reset(entry == 1 ? RESET_SHUTDOWN : RESET_COLD, EFI_SUCCESS, 0, NULL);
    return EFI_DEVICE_ERROR;
}
