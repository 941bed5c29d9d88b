/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: the .nvram of VMware
 *
 * There is no specification; what is known comes from people who looked at
 * such files.  Behind "MRVN" and a version are parts of the firmware's state;
 * one, "EFI_NV" with a size, begins with "VMWNVRAM", a number and the length
 * from there on.  The variables follow, without gaps: GUID, attributes, size
 * of name and value, size of the name, both of them.  Those with
 * authentication have the descriptor of the update before their value.  The
 * last one of a name counts.  All is little endian.
 */

#include "qemu/osdep.h"
#include "format.h"
#include "hw/uefi/var-service-text.h"

#define MAGIC           "MRVN"
#define ENCRYPTED_MAGIC "\x9e\xdd\x43\x89\x01"
#define PART_MAGIC      "EFI_NV\0"
#define PART_SIZE       12          /* magic with NUL, and u32 size */
#define STORE_MAGIC     "VMWNVRAM"
#define STORE_SIZE      16          /* of its header */
#define CERT_SIZE       24          /* of WIN_CERTIFICATE_UEFI_GUID */
#define CERT_REVISION   0x0200
#define CERT_TYPE_GUID  0x0ef1

static bool detect(UefiMsg *in)
{
    return tool_starts_with(in, MAGIC) ||
           tool_starts_with(in, ENCRYPTED_MAGIC);
}

/* Put @store over the variables. */
static bool find_store(const UefiMsg *in, UefiMsg *store, GError **err)
{
    const uint8_t *at = in->buf;
    UefiMsg head;
    uint32_t length;

    for (;;) {
        at = in->size ? memmem(at, in->buf + in->size - at, STORE_MAGIC,
                               strlen(STORE_MAGIC)) : NULL;
        if (!at) {
            return uefi_text_fail(err, "it has no UEFI variables: the "
                                  "firmware of that machine is a BIOS");
        }
        if (at - in->buf >= PART_SIZE &&
            !memcmp(at - PART_SIZE, PART_MAGIC, sizeof(PART_MAGIC))) {
            break;
        }
        at++;
    }
    uefi_msg_init(&head, (void *)at, in->buf + in->size - at, 8);
    uefi_msg_seek(&head, STORE_SIZE - 4);
    length = uefi_msg_get_u32(&head);
    if (head.overrun || length < STORE_SIZE || length > head.size) {
        return uefi_text_fail(err, "the store at byte %zu is cut off",
                              (size_t)(at - in->buf));
    }
    uefi_msg_init(store, (void *)(at + STORE_SIZE), length - STORE_SIZE, 8);
    return true;
}

/* Take the descriptor off @data; false if there is none */
static bool take_descriptor(const uint8_t **data, size_t *size, UefiTime *time)
{
    const uint8_t *stamp;
    UefiMsg in;
    uint32_t length;

    uefi_msg_init(&in, (void *)*data, *size, 8);
    stamp = uefi_msg_get_bytes(&in, EFI_TIME_SIZE);
    length = uefi_msg_get_u32(&in);
    if (uefi_msg_get_u16(&in) != CERT_REVISION ||
        uefi_msg_get_u16(&in) != CERT_TYPE_GUID || in.overrun ||
        length < CERT_SIZE || length > *size - EFI_TIME_SIZE) {
        return false;
    }
    memcpy(time->b, stamp, EFI_TIME_SIZE);
    *data += EFI_TIME_SIZE + length;
    *size -= EFI_TIME_SIZE + length;
    return true;
}

static bool read_variable(ToolTransfer *t, UefiMsg *in, GError **err)
{
    UefiGuid guid = uefi_msg_get_guid(in);
    uint32_t attributes = uefi_msg_get_u32(in);
    size_t size = uefi_msg_get_u32(in);
    size_t name_size = uefi_msg_get_u32(in);
    const uint8_t *name = uefi_msg_get_bytes(in, MIN(name_size, size));
    const uint8_t *data = uefi_msg_get_bytes(in, size - MIN(name_size, size));
    g_autoptr(GError) local = NULL;
    UefiTime time = { };
    UefiVariable *var;
    bool signed_;

    if (in->overrun || name_size > size) {
        return uefi_text_fail(err, "cut off in variable %u", t->vars->len + 1);
    }
    if (name_size < 2 || name[name_size - 2] || name[name_size - 1]) {
        return uefi_text_fail(err, "the name of variable %u does not end",
                              t->vars->len + 1);
    }
    size -= name_size;
    signed_ = (attributes & EFI_ATTR_AT) &&
              take_descriptor(&data, &size, &time);
    var = tool_transfer_add(t, &guid, name, name_size - 2, attributes, data,
                            size, &local);
    if (local) {
        g_propagate_error(err, g_steal_pointer(&local));
        return false;
    }
    if (var) {
        var->time = time;
        t->losses[TOOL_LOSS_TIME] += (attributes & EFI_ATTR_AT) && !signed_;
        tool_transfer_unsigned(t, var);
    }
    return true;
}

static bool vmware_read(ToolTransfer *t, UefiMsg *in, GError **err)
{
    UefiMsg store;

    if (tool_starts_with(in, ENCRYPTED_MAGIC)) {
        return uefi_text_fail(err, "it is encrypted, as VMware does it for "
                              "machines with a TPM; remove the TPM and the "
                              "encryption there first");
    }
    if (!find_store(in, &store, err)) {
        return false;
    }
    while (uefi_msg_left(&store)) {
        size_t at = store.buf - in->buf + store.pos;
        g_autoptr(GError) local = NULL;

        if (read_variable(t, &store, &local)) {
            continue;
        }
        if (!tool_transfer_lost(t, at, err, "%s; there may have been newer "
                                "values behind it", local->message)) {
            return false;
        }
        break;
    }
    tool_transfer_keep_last(t);
    return true;
}

const ToolFormat tool_format_vmware = {
    .name = "vmware",
    .detect = detect,
    .read = vmware_read,
};
