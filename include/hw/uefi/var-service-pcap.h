/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: the messages of a guest as a capture
 *
 * A pcap file of link type LINKTYPE_EDK2_MM, as the device bundled with newer
 * QEMU writes it, in the byte order of the host.  A packet is a UefiPcapType in
 * 32 bits, and the message from its header on.  docs/specs/uefi-vars.rst, 1.5
 */

#ifndef HW_UEFI_VAR_SERVICE_PCAP_H
#define HW_UEFI_VAR_SERVICE_PCAP_H

#define UEFI_PCAP_MAGIC         0xa1b2c3d4
#define UEFI_PCAP_MAJOR         2
#define UEFI_PCAP_MINOR         4
#define UEFI_PCAP_SNAPLEN       65536       /* bytes */
#define UEFI_PCAP_LINKTYPE      302

#define UEFI_PCAP_FILE_HEADER   24          /* bytes */
#define UEFI_PCAP_PACKET_HEADER 16
#define UEFI_PCAP_TYPE_SIZE     4

typedef enum UefiPcapType {
    UEFI_PCAP_RESET = 1,        /* of the machine; no message */
    UEFI_PCAP_REQUEST = 2,
    UEFI_PCAP_REPLY = 3,        /* missing if the device refuses the command */
} UefiPcapType;

typedef struct UefiPcap UefiPcap;

/**
 * uefi_pcap_new: begin a capture
 * @fd: of the file, which is taken over
 * @name: of the file, for messages
 *
 * An earlier capture in the file is lost; anything else stays, and is an error.
 */
UefiPcap *uefi_pcap_new(int fd, const char *name, GError **err);
void uefi_pcap_free(UefiPcap *pcap);

/**
 * uefi_pcap_add: write a packet; nothing without @pcap
 *
 * A capture that cannot be written ends with a warning: a guest does not fail
 * because somebody watches.
 */
void uefi_pcap_add(UefiPcap *pcap, UefiPcapType type, const void *message,
                   size_t size);

#endif /* HW_UEFI_VAR_SERVICE_PCAP_H */
