/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: the messages of a guest as a capture
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/error-report.h"
#include "hw/uefi/var-service-pcap.h"

struct UefiPcap {
    int fd;                     /* -1 when it cannot be written any more */
    char *name;
};

static bool write_all(UefiPcap *pcap, const GByteArray *bytes)
{
    return qemu_write_full(pcap->fd, bytes->data, bytes->len) == bytes->len;
}

static void put16(GByteArray *bytes, uint16_t value)
{
    g_byte_array_append(bytes, (const uint8_t *)&value, sizeof(value));
}

static void put32(GByteArray *bytes, uint32_t value)
{
    g_byte_array_append(bytes, (const uint8_t *)&value, sizeof(value));
}

/*
 * Whether the file can be given up for a capture: it has nothing, or one, in
 * any order of bytes.  A store named here by mistake lives on.
 */
static bool may_empty(int fd)
{
    uint32_t magic;
    ssize_t n = pread(fd, &magic, sizeof(magic), 0);

    return n == 0 || (n == sizeof(magic) &&
                      (magic == UEFI_PCAP_MAGIC ||
                       magic == bswap32(UEFI_PCAP_MAGIC)));
}

static bool fail(const UefiPcap *pcap, GError **err)
{
    g_set_error(err, G_FILE_ERROR, g_file_error_from_errno(errno), "%s: %s",
                pcap->name, strerror(errno));
    return false;
}

static bool begin(UefiPcap *pcap, GError **err)
{
    g_autoptr(GByteArray) header = g_byte_array_new();
    struct stat st;

    put32(header, UEFI_PCAP_MAGIC);
    put16(header, UEFI_PCAP_MAJOR);
    put16(header, UEFI_PCAP_MINOR);
    put32(header, 0);           /* time zone */
    put32(header, 0);           /* accuracy of times */
    put32(header, UEFI_PCAP_SNAPLEN);
    put32(header, UEFI_PCAP_LINKTYPE);
    /* A pipe to a program that shows the packets is not to be emptied. */
    if (fstat(pcap->fd, &st) == 0 && S_ISREG(st.st_mode)) {
        if (!may_empty(pcap->fd)) {
            g_set_error(err, G_FILE_ERROR, G_FILE_ERROR_EXIST,
                        "%s is not a capture, and is left as it is",
                        pcap->name);
            return false;
        }
        if (ftruncate(pcap->fd, 0) < 0) {
            return fail(pcap, err);
        }
    }
    return write_all(pcap, header) || fail(pcap, err);
}

UefiPcap *uefi_pcap_new(int fd, const char *name, GError **err)
{
    UefiPcap *pcap = g_new0(UefiPcap, 1);

    pcap->fd = fd;
    pcap->name = g_strdup(name);
    if (!begin(pcap, err)) {
        uefi_pcap_free(pcap);
        return NULL;
    }
    return pcap;
}

void uefi_pcap_free(UefiPcap *pcap)
{
    if (!pcap) {
        return;
    }
    if (pcap->fd >= 0) {
        qemu_close(pcap->fd);
    }
    g_free(pcap->name);
    g_free(pcap);
}

void uefi_pcap_add(UefiPcap *pcap, UefiPcapType type, const void *message,
                   size_t size)
{
    int64_t now = g_get_real_time();
    uint32_t length = UEFI_PCAP_TYPE_SIZE + size;
    g_autoptr(GByteArray) packet = NULL;

    if (!pcap || pcap->fd < 0) {
        return;
    }
    packet = g_byte_array_sized_new(UEFI_PCAP_PACKET_HEADER + length);
    put32(packet, now / G_USEC_PER_SEC);
    put32(packet, now % G_USEC_PER_SEC);
    put32(packet, length);      /* bytes that follow */
    put32(packet, length);      /* bytes that there were */
    put32(packet, type);
    if (size) {
        g_byte_array_append(packet, message, size);
    }
    if (!write_all(pcap, packet)) {
        warn_report("uefi-vars: %s: %s; the capture ends here", pcap->name,
                    strerror(errno));
        qemu_close(pcap->fd);
        pcap->fd = -1;
    }
}
