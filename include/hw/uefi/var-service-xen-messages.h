/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: the interface of XenServer's and XCP-ng's firmware
 * (docs/specs/uefi-vars-xen.rst)
 */

#ifndef HW_UEFI_VAR_SERVICE_XEN_MESSAGES_H
#define HW_UEFI_VAR_SERVICE_XEN_MESSAGES_H

#include "hw/uefi/var-service.h"

#define TYPE_UEFI_VARS_XEN      "uefi-vars-xen"

/* I/O ports, 32 bits each */
#define UEFI_XEN_PORT           0x100   /* page frame of the message */
#define UEFI_XEN_PORTS          12      /* bytes, those for PPI included */

/* Request and reply share this many bytes. */
#define UEFI_XEN_PAGE_SIZE      4096
#define UEFI_XEN_MESSAGE_SIZE   (16 * UEFI_XEN_PAGE_SIZE)

#define UEFI_XEN_VERSION        1

typedef enum UefiXenCommand {
    UEFI_XEN_GET_VARIABLE,
    UEFI_XEN_SET_VARIABLE,
    UEFI_XEN_GET_NEXT_VARIABLE_NAME,
    UEFI_XEN_QUERY_VARIABLE_INFO,
    UEFI_XEN_NOTIFY_SECURE_BOOT_FAILURE,
} UefiXenCommand;

/**
 * uefi_xen_message: answer the request in @buf, which the reply replaces
 * @size: of @buf, bytes
 *
 * Returns how many bytes the reply has, or 0 when there is none.  What is
 * behind it stays as it was.
 */
size_t uefi_xen_message(UefiVarService *uv, uint8_t *buf, size_t size);

#endif /* HW_UEFI_VAR_SERVICE_XEN_MESSAGES_H */
