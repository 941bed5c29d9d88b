/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: the cursor over the fields of a message
 */

#ifndef HW_UEFI_VAR_SERVICE_MSG_H
#define HW_UEFI_VAR_SERVICE_MSG_H

#include "hw/uefi/var-service-guid.h"
#include "hw/uefi/var-service-reason.h"

/*
 * Reads and writes the fields of a message, all little endian.  A field
 * beyond the end reads as zero, is not written, and sets @overrun, which
 * stays set: handlers look at it once.
 */
typedef struct UefiMsg {
    uint8_t *buf;       /* borrowed */
    size_t size;        /* bytes */
    size_t pos;         /* offset of the next field, bytes */
    unsigned un_size;   /* width of the guest's UINTN: 4 or 8 bytes */
    bool overrun;
} UefiMsg;

void uefi_msg_init(UefiMsg *msg, void *buf, size_t size, unsigned un_size);

/** uefi_msg_left: bytes behind the cursor */
size_t uefi_msg_left(const UefiMsg *msg);

/** uefi_msg_seek: go to byte offset @pos */
void uefi_msg_seek(UefiMsg *msg, size_t pos);

uint8_t uefi_msg_get_u8(UefiMsg *msg);
uint16_t uefi_msg_get_u16(UefiMsg *msg);
uint32_t uefi_msg_get_u32(UefiMsg *msg);
uint64_t uefi_msg_get_u64(UefiMsg *msg);
uint64_t uefi_msg_get_un(UefiMsg *msg);
UefiGuid uefi_msg_get_guid(UefiMsg *msg);

/**
 * uefi_msg_get_bytes: the next @size bytes in place
 *
 * Returns NULL on overrun, else a pointer into the message, never NULL.
 */
const uint8_t *uefi_msg_get_bytes(UefiMsg *msg, size_t size);

/**
 * uefi_msg_get_str: a CHAR16 string from the next @size bytes
 *
 * The string ends at its first NUL; units behind it are passed over, and so
 * is an odd last byte.  Returns NULL, for the caller to free otherwise, when
 * there is no NUL in the whole units, or on overrun.
 */
uint16_t *uefi_msg_get_str(UefiMsg *msg, size_t size);

/**
 * uefi_msg_get_name: the same for the name of a variable (M5)
 *
 * The last whole unit must be a NUL, too; an earlier one ends the name.
 */
uint16_t *uefi_msg_get_name(UefiMsg *msg, size_t size);

void uefi_msg_put_u8(UefiMsg *msg, uint8_t value);
void uefi_msg_put_u16(UefiMsg *msg, uint16_t value);
void uefi_msg_put_u32(UefiMsg *msg, uint32_t value);
void uefi_msg_put_u64(UefiMsg *msg, uint64_t value);
void uefi_msg_put_un(UefiMsg *msg, uint64_t value);
void uefi_msg_put_guid(UefiMsg *msg, const UefiGuid *guid);
void uefi_msg_put_bytes(UefiMsg *msg, const void *data, size_t size);

/** uefi_msg_put_str: the units of @str and its terminator */
void uefi_msg_put_str(UefiMsg *msg, const uint16_t *str);

/** uefi_msg_put_status: a UINTN-sized status, with the error bit if one */
void uefi_msg_put_status(UefiMsg *msg, EfiStatus status);

#endif /* HW_UEFI_VAR_SERVICE_MSG_H */
