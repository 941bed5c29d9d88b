/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: migration and snapshots
 *
 * The stream is read into a place of its own, checked, and taken over at the
 * end: one that is refused leaves the device as it was.
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/cutils.h"
#include "qemu/error-report.h"
#include "migration/vmstate.h"
#include "hw/uefi/var-service-state.h"
#include "hw/uefi/var-service-vmstate.h"

bool uefi_vars_stream_is_bundled(void *opaque, int version_id)
{
    return version_id == 0;
}

bool uefi_vars_stream_is_ours(void *opaque, int version_id)
{
    return version_id > 0;
}

/* Saved are the registers; the buffer as far as buffer_size says. */
UEFI_ALL_FIELDS(UefiVarRegs, *regs,
                { } /* mr */, regs->as, regs->service, regs->pcap,
                regs->use_pio, regs->status, regs->buffer_size,
                regs->dma_addr, regs->pio_offset, regs->pio, regs->loaded)

static int device_pre_save(void *opaque)
{
    UefiVarDevice *d = opaque;
    UefiVarTransit *t = &d->transit;
    GBytes *state = uefi_vars_state_save(d->service);
    const char *mark = NULL;
    gsize size;

    if (d->storage) {
        uefi_vars_storage_leaving(d->storage);
        mark = uefi_vars_storage_mark(d->storage);
    }
    uefi_vars_transit_clear(t);
    if (mark) {
        pstrcpy((char *)t->mark, sizeof(t->mark), mark);
    }
    t->status = d->regs.status;
    t->dma_addr = d->regs.dma_addr;
    t->buffer_size = d->regs.buffer_size;
    t->pio_offset = d->regs.pio_offset;
    t->pio = g_memdup2(d->regs.pio, t->buffer_size);
    t->state = g_bytes_unref_to_data(state, &size);
    t->state_size = size;
    return 0;
}

static int device_post_save(void *opaque)
{
    UefiVarDevice *d = opaque;

    uefi_vars_transit_clear(&d->transit);
    return 0;
}

static int device_pre_load(void *opaque)
{
    return device_post_save(opaque);
}

bool uefi_vars_transit_valid(void *opaque, int version_id)
{
    const UefiVarTransit *t = &((UefiVarDevice *)opaque)->transit;

    return t->buffer_size <= UEFI_VARS_MAX_BUFFER_SIZE &&
           t->pio_offset <= t->buffer_size;
}

static bool transit_state_valid(void *opaque, int version_id)
{
    UefiVarDevice *d = opaque;

    return d->transit.state_size > 0 &&
           d->transit.state_size <= uefi_vars_state_max(d->service);
}

int uefi_vars_transit_arrived(UefiVarDevice *d)
{
    UefiVarTransit *t = &d->transit;
    g_autoptr(GError) err = NULL;

    if (!uefi_vars_state_load(&d->service, t->state, t->state_size, &err)) {
        error_report("uefi-vars: %s", err->message);
        uefi_vars_transit_clear(t);
        return -EINVAL;
    }
    d->regs.loaded = true;
    uefi_vars_regs_set_buffer(&d->regs, t->buffer_size);
    d->regs.status = t->status;
    d->regs.dma_addr = t->dma_addr;
    d->regs.pio_offset = t->pio_offset;
    if (t->buffer_size > 0) {
        memcpy(d->regs.pio, t->pio, t->buffer_size);
    }
    t->mark[sizeof(t->mark) - 1] = 0;
    uefi_vars_device_loaded(d, *t->mark ? (char *)t->mark : NULL);
    uefi_vars_transit_clear(t);
    return 0;
}

static int device_post_load(void *opaque, int version_id)
{
    return uefi_vars_transit_arrived(opaque);
}

/*
 * The state is in the source's store file, too.  A target that shares it need
 * not write it, and can tell when it has been written by somebody else since.
 */
static bool mark_needed(void *opaque)
{
    return *((UefiVarDevice *)opaque)->transit.mark;
}

static const VMStateDescription vmstate_mark = {
    .name = "uefi-vars-device/mark",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = mark_needed,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT8_ARRAY(transit.mark, UefiVarDevice, UEFI_MARK_SIZE),
        VMSTATE_END_OF_LIST()
    }
};

const VMStateDescription vmstate_uefi_vars_device = {
    .name = "uefi-vars-device",
    .version_id = 1,
    .minimum_version_id = 1,
    .pre_save = device_pre_save,
    .post_save = device_post_save,
    .pre_load = device_pre_load,
    .post_load = device_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT16(transit.status, UefiVarDevice),
        VMSTATE_UINT64(transit.dma_addr, UefiVarDevice),
        VMSTATE_UINT32(transit.buffer_size, UefiVarDevice),
        VMSTATE_UINT32(transit.pio_offset, UefiVarDevice),
        VMSTATE_VALIDATE("buffer size and offset", uefi_vars_transit_valid),
        VMSTATE_VBUFFER_ALLOC_UINT32(transit.pio, UefiVarDevice, 1, NULL,
                                     transit.buffer_size),
        VMSTATE_UINT32(transit.state_size, UefiVarDevice),
        VMSTATE_VALIDATE("size of the state", transit_state_valid),
        VMSTATE_VBUFFER_ALLOC_UINT32(transit.state, UefiVarDevice, 1, NULL,
                                     transit.state_size),
        VMSTATE_END_OF_LIST()
    },
    .subsections = (const VMStateDescription * const []) {
        &vmstate_mark,
        NULL
    }
};
