/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: the cursor over the fields of a message
 */

#include "qemu/osdep.h"
#include "hw/uefi/var-service-msg.h"

void uefi_msg_init(UefiMsg *msg, void *buf, size_t size, unsigned un_size)
{
    *msg = (UefiMsg) { .buf = buf, .size = size, .un_size = un_size };
}

size_t uefi_msg_left(const UefiMsg *msg)
{
    return msg->size - msg->pos;
}

/* The next @size bytes, or NULL with the cursor where it was */
static uint8_t *msg_take(UefiMsg *msg, size_t size)
{
    if (msg->overrun || size > uefi_msg_left(msg)) {
        msg->overrun = true;
        return NULL;
    }
    msg->pos += size;
    return msg->buf + msg->pos - size;
}

void uefi_msg_seek(UefiMsg *msg, size_t pos)
{
    if (pos > msg->size) {
        msg->overrun = true;
        return;
    }
    msg->pos = pos;
}

static uint64_t msg_get(UefiMsg *msg, unsigned size)
{
    const uint8_t *field = msg_take(msg, size);
    uint64_t value = 0;

    for (unsigned i = 0; field && i < size; i++) {
        value |= (uint64_t)field[i] << (8 * i);
    }
    return value;
}

static void msg_put(UefiMsg *msg, uint64_t value, unsigned size)
{
    uint8_t *field = msg_take(msg, size);

    for (unsigned i = 0; field && i < size; i++) {
        field[i] = value >> (8 * i);
    }
}

uint8_t uefi_msg_get_u8(UefiMsg *msg)
{
    return msg_get(msg, 1);
}

uint16_t uefi_msg_get_u16(UefiMsg *msg)
{
    return msg_get(msg, 2);
}

uint32_t uefi_msg_get_u32(UefiMsg *msg)
{
    return msg_get(msg, 4);
}

uint64_t uefi_msg_get_u64(UefiMsg *msg)
{
    return msg_get(msg, 8);
}

uint64_t uefi_msg_get_un(UefiMsg *msg)
{
    return msg_get(msg, msg->un_size);
}

UefiGuid uefi_msg_get_guid(UefiMsg *msg)
{
    const uint8_t *field = msg_take(msg, sizeof(UefiGuid));
    UefiGuid guid = { };

    if (field) {
        memcpy(guid.b, field, sizeof(guid.b));
    }
    return guid;
}

const uint8_t *uefi_msg_get_bytes(UefiMsg *msg, size_t size)
{
    return msg_take(msg, size);
}

uint16_t *uefi_msg_get_str(UefiMsg *msg, size_t size)
{
    const uint8_t *field = msg_take(msg, size);
    size_t len = 0;
    uint16_t *str;

    if (!field) {
        return NULL;
    }
    size /= 2;
    while (len < size && (field[2 * len] || field[2 * len + 1])) {
        len++;
    }
    if (len == size) {
        return NULL;
    }
    str = g_new0(uint16_t, len + 1);
    for (size_t i = 0; i < len; i++) {
        str[i] = field[2 * i] | field[2 * i + 1] << 8;
    }
    return str;
}

uint16_t *uefi_msg_get_name(UefiMsg *msg, size_t size)
{
    size_t pos = msg->pos;
    const uint8_t *field = msg_take(msg, size);
    size_t last = size / 2 * 2;

    if (!field || !last || field[last - 2] || field[last - 1]) {
        return NULL;
    }
    uefi_msg_seek(msg, pos);
    return uefi_msg_get_str(msg, size);
}

void uefi_msg_put_u8(UefiMsg *msg, uint8_t value)
{
    msg_put(msg, value, 1);
}

void uefi_msg_put_u16(UefiMsg *msg, uint16_t value)
{
    msg_put(msg, value, 2);
}

void uefi_msg_put_u32(UefiMsg *msg, uint32_t value)
{
    msg_put(msg, value, 4);
}

void uefi_msg_put_u64(UefiMsg *msg, uint64_t value)
{
    msg_put(msg, value, 8);
}

void uefi_msg_put_un(UefiMsg *msg, uint64_t value)
{
    msg_put(msg, value, msg->un_size);
}

void uefi_msg_put_guid(UefiMsg *msg, const UefiGuid *guid)
{
    uefi_msg_put_bytes(msg, guid->b, sizeof(guid->b));
}

void uefi_msg_put_bytes(UefiMsg *msg, const void *data, size_t size)
{
    uint8_t *field = msg_take(msg, size);

    /* memcpy() wants valid pointers even for nothing */
    if (field && size) {
        memcpy(field, data, size);
    }
}

void uefi_msg_put_str(UefiMsg *msg, const uint16_t *str)
{
    do {
        uefi_msg_put_u16(msg, *str);
    } while (*str++);
}

void uefi_msg_put_status(UefiMsg *msg, EfiStatus status)
{
    uint64_t error = status == EFI_SUCCESS ? 0
                                           : 1ull << (8 * msg->un_size - 1);

    uefi_msg_put_un(msg, error | status);
}
