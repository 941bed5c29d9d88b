/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: a node of the block layer as medium
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/timer.h"
#include "block/block_int.h"
#include "system/block-backend.h"
#include "hw/uefi/var-service-blk.h"

/*
 * Whose the node is, is the block layer's business: while it is inactive, the
 * other side of a migration has it.  A coroutine's request would wait where
 * the node is drained, which is what precedes its becoming inactive.
 */
static int check_active(BlockBackend *blk)
{
    BlockDriverState *bs;

    while (qemu_in_coroutine() && blk_in_drain(blk)) {
        qemu_co_sleep_ns(QEMU_CLOCK_REALTIME, SCALE_MS);
    }
    bs = blk_bs(blk);
    if (!bs) {
        return -ENOMEDIUM;
    }
    return bdrv_get_flags(bs) & BDRV_O_INACTIVE ? -EPERM : 0;
}

static int on_read(void *opaque, uint64_t offset, void *buf, size_t len)
{
    return blk_pread(opaque, offset, len, buf, 0);
}

static int on_write(void *opaque, uint64_t offset, const void *buf, size_t len)
{
    BlockBackend *blk = opaque;
    int ret = check_active(blk);

    return ret < 0 ? ret : blk_pwrite(blk, offset, len, buf, 0);
}

static int on_write_zeroes(void *opaque, uint64_t offset, uint64_t len)
{
    BlockBackend *blk = opaque;
    int ret = check_active(blk);

    return ret < 0 ? ret : blk_pwrite_zeroes(blk, offset, len, 0);
}

static int on_flush(void *opaque)
{
    BlockBackend *blk = opaque;
    int ret = check_active(blk);

    return ret < 0 ? ret : blk_flush(blk);
}

static uint32_t on_alignment(void *opaque)
{
    return blk_get_request_alignment(opaque);
}

static const UefiVarSlotsOps blk_ops = {
    .read = on_read,
    .write = on_write,
    .write_zeroes = on_write_zeroes,
    .flush = on_flush,
    .alignment = on_alignment,
};

const char *uefi_vars_blk_node(BlockBackend *blk)
{
    BlockDriverState *bs = blk_bs(blk);

    if (!bs) {
        return NULL;
    }
    GRAPH_RDLOCK_GUARD_MAINLOOP();
    return bdrv_get_device_or_node_name(bdrv_skip_implicit_filters(bs));
}

UefiVarSlots *uefi_vars_blk_open(BlockBackend *blk, size_t max_document,
                                 Error **errp)
{
    g_autoptr(UefiVarSlots) slots = NULL;
    g_autoptr(GError) err = NULL;
    BlockDriverState *bs = blk_bs(blk);
    const char *name = bs ? bdrv_get_device_or_node_name(bs) : "drive";
    int64_t length = blk_getlength(blk);

    if (!bs) {
        error_setg(errp, "uefi-vars: drive has no medium");
        return NULL;
    }
    if (!blk_supports_write_perm(blk)) {
        error_setg(errp, "uefi-vars: %s is read-only", name);
        return NULL;
    }
    if (length < 0) {
        error_setg_errno(errp, -length, "uefi-vars: cannot tell the size of "
                         "%s", name);
        return NULL;
    }
    slots = uefi_var_slots_new(&blk_ops, blk, name, length, max_document);
    if (!uefi_var_slots_check(slots, &err)) {
        error_setg(errp, "uefi-vars: %s", err->message);
        return NULL;
    }
    if (blk_set_perm(blk, BLK_PERM_CONSISTENT_READ | BLK_PERM_WRITE,
                     BLK_PERM_CONSISTENT_READ | BLK_PERM_WRITE_UNCHANGED,
                     errp) < 0) {
        return NULL;
    }
    return g_steal_pointer(&slots);
}
