/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: device paths as text (UEFI 2.10, 10.3 and 10.6.1.6)
 */

#include "qemu/osdep.h"
#include "tool.h"

#define NODE_HEADER     4       /* type, subtype, length (u16) */

#define TYPE_HARDWARE   1
#define TYPE_ACPI       2
#define TYPE_MESSAGING  3
#define TYPE_MEDIA      4
#define TYPE_BIOS       5
#define TYPE_END        0x7f

#define END_INSTANCE    1

/* Compressed EISA identifiers begin with PNP in this form. */
#define EISA_PNP        0x41d0
#define EISA_PCI_ROOT   0x0a03
#define EISA_PCIE_ROOT  0x0a08

/* A node: its text, when it is one that @size bytes of @node can be */
typedef struct DevPathNode {
    uint8_t type;
    uint8_t subtype;
    size_t min_size;        /* bytes behind the header */
    void (*print)(GString *out, UefiMsg *msg);
} DevPathNode;

static void print_guid(GString *out, UefiMsg *msg)
{
    UefiGuid guid = uefi_msg_get_guid(msg);
    g_autofree char *text = uefi_guid_print(&guid);

    g_string_append(out, text);
}

static void print_rest(GString *out, UefiMsg *msg)
{
    size_t size = uefi_msg_left(msg);

    uefi_hex_append(out, uefi_msg_get_bytes(msg, size), size);
}

static void print_pci(GString *out, UefiMsg *msg)
{
    unsigned function = uefi_msg_get_u8(msg);

    g_string_append_printf(out, "Pci(0x%x,0x%x)", uefi_msg_get_u8(msg),
                           function);
}

static void print_vendor(GString *out, UefiMsg *msg, const char *name)
{
    g_string_append_printf(out, "%s(", name);
    print_guid(out, msg);
    if (uefi_msg_left(msg)) {
        g_string_append_c(out, ',');
        print_rest(out, msg);
    }
    g_string_append_c(out, ')');
}

static void print_vendor_hw(GString *out, UefiMsg *msg)
{
    print_vendor(out, msg, "VenHw");
}

static void print_vendor_msg(GString *out, UefiMsg *msg)
{
    print_vendor(out, msg, "VenMsg");
}

static void print_vendor_media(GString *out, UefiMsg *msg)
{
    print_vendor(out, msg, "VenMedia");
}

static void print_memory(GString *out, UefiMsg *msg)
{
    uint32_t type = uefi_msg_get_u32(msg);
    uint64_t start = uefi_msg_get_u64(msg);

    g_string_append_printf(out, "MemoryMapped(0x%x,0x%" PRIx64 ",0x%" PRIx64
                           ")", type, start, uefi_msg_get_u64(msg));
}

static void print_acpi(GString *out, UefiMsg *msg)
{
    uint32_t hid = uefi_msg_get_u32(msg);
    uint32_t uid = uefi_msg_get_u32(msg);

    if ((hid & 0xffff) != EISA_PNP) {
        g_string_append_printf(out, "Acpi(0x%08x,0x%x)", hid, uid);
    } else if (hid >> 16 == EISA_PCI_ROOT) {
        g_string_append_printf(out, "PciRoot(0x%x)", uid);
    } else if (hid >> 16 == EISA_PCIE_ROOT) {
        g_string_append_printf(out, "PcieRoot(0x%x)", uid);
    } else {
        g_string_append_printf(out, "Acpi(PNP%04X,0x%x)", hid >> 16, uid);
    }
}

static void print_adr(GString *out, UefiMsg *msg)
{
    const char *separator = "";

    g_string_append(out, "AcpiAdr(");
    while (uefi_msg_left(msg) >= 4) {
        g_string_append_printf(out, "%s0x%x", separator,
                               uefi_msg_get_u32(msg));
        separator = ",";
    }
    g_string_append_c(out, ')');
}

static void print_ata(GString *out, UefiMsg *msg)
{
    unsigned secondary = uefi_msg_get_u8(msg);
    unsigned slave = uefi_msg_get_u8(msg);

    g_string_append_printf(out, "Ata(%s,%s,0x%x)",
                           secondary ? "Secondary" : "Primary",
                           slave ? "Slave" : "Master", uefi_msg_get_u16(msg));
}

static void print_scsi(GString *out, UefiMsg *msg)
{
    unsigned target = uefi_msg_get_u16(msg);

    g_string_append_printf(out, "Scsi(0x%x,0x%x)", target,
                           uefi_msg_get_u16(msg));
}

static void print_usb(GString *out, UefiMsg *msg)
{
    unsigned port = uefi_msg_get_u8(msg);

    g_string_append_printf(out, "USB(0x%x,0x%x)", port, uefi_msg_get_u8(msg));
}

static void print_usb_class(GString *out, UefiMsg *msg)
{
    unsigned vendor = uefi_msg_get_u16(msg);
    unsigned product = uefi_msg_get_u16(msg);
    unsigned class = uefi_msg_get_u8(msg);
    unsigned subclass = uefi_msg_get_u8(msg);

    g_string_append_printf(out, "UsbClass(0x%x,0x%x,0x%x,0x%x,0x%x)", vendor,
                           product, class, subclass, uefi_msg_get_u8(msg));
}

static void print_unit(GString *out, UefiMsg *msg)
{
    g_string_append_printf(out, "Unit(0x%x)", uefi_msg_get_u8(msg));
}

static void print_mac(GString *out, UefiMsg *msg)
{
    /* 32 bytes are reserved, 6 of which an Ethernet address takes. */
    const uint8_t *mac = uefi_msg_get_bytes(msg, 32);
    unsigned type = uefi_msg_get_u8(msg);

    g_string_append(out, "MAC(");
    uefi_hex_append(out, mac, type > 1 ? 32 : 6);
    g_string_append_printf(out, ",0x%x)", type);
}

static void print_ipv4(GString *out, UefiMsg *msg)
{
    const uint8_t *local = uefi_msg_get_bytes(msg, 4);
    const uint8_t *remote = uefi_msg_get_bytes(msg, 4);

    g_string_append_printf(out, "IPv4(%u.%u.%u.%u", remote[0], remote[1],
                           remote[2], remote[3]);
    uefi_msg_seek(msg, msg->pos + 4);   /* ports */
    g_string_append_printf(out, ",0x%x", uefi_msg_get_u16(msg));
    g_string_append_printf(out, ",%s,%u.%u.%u.%u)",
                           uefi_msg_get_u8(msg) ? "Static" : "DHCP", local[0],
                           local[1], local[2], local[3]);
}

static void print_ipv6_address(GString *out, const uint8_t *address)
{
    for (int i = 0; i < 16; i += 2) {
        g_string_append_printf(out, "%s%x", i ? ":" : "",
                               address[i] << 8 | address[i + 1]);
    }
}

static void print_ipv6(GString *out, UefiMsg *msg)
{
    const uint8_t *local = uefi_msg_get_bytes(msg, 16);
    const uint8_t *remote = uefi_msg_get_bytes(msg, 16);
    static const char *const origins[] = {
        "Static", "StatelessAutoConfigure", "StatefulAutoConfigure"
    };
    unsigned origin;

    g_string_append(out, "IPv6(");
    print_ipv6_address(out, remote);
    uefi_msg_seek(msg, msg->pos + 4);   /* ports */
    g_string_append_printf(out, ",0x%x", uefi_msg_get_u16(msg));
    origin = uefi_msg_get_u8(msg);
    g_string_append_printf(out, ",%s,", origin < ARRAY_SIZE(origins)
                           ? origins[origin] : "?");
    print_ipv6_address(out, local);
    g_string_append_c(out, ')');
}

static void print_uart(GString *out, UefiMsg *msg)
{
    static const char parities[] = "DNEOMS";
    static const char *const stops[] = { "D", "1", "1.5", "2" };
    uint64_t baud;
    unsigned bits, parity, stop;

    uefi_msg_get_u32(msg);              /* reserved */
    baud = uefi_msg_get_u64(msg);
    bits = uefi_msg_get_u8(msg);
    parity = uefi_msg_get_u8(msg);
    stop = uefi_msg_get_u8(msg);
    g_string_append_printf(out, "Uart(%" PRIu64 ",%u,%c,%s)", baud, bits,
                           parity < strlen(parities) ? parities[parity] : '?',
                           stop < ARRAY_SIZE(stops) ? stops[stop] : "?");
}

static void print_sata(GString *out, UefiMsg *msg)
{
    unsigned port = uefi_msg_get_u16(msg);
    unsigned multiplier = uefi_msg_get_u16(msg);

    g_string_append_printf(out, "Sata(0x%x,0x%x,0x%x)", port, multiplier,
                           uefi_msg_get_u16(msg));
}

static void print_nvme(GString *out, UefiMsg *msg)
{
    uint32_t namespace = uefi_msg_get_u32(msg);
    const uint8_t *id = uefi_msg_get_bytes(msg, 8);

    g_string_append_printf(out, "NVMe(0x%x,", namespace);
    for (int i = 7; i >= 0; i--) {
        g_string_append_printf(out, "%02X%s", id[i], i ? "-" : ")");
    }
}

/* @size bytes that should be ASCII, as a string without surprises */
static void print_ascii(GString *out, const uint8_t *text, size_t size)
{
    for (size_t i = 0; i < size && text[i]; i++) {
        g_string_append_c(out, g_ascii_isprint(text[i]) ? text[i] : '?');
    }
}

static void print_uri(GString *out, UefiMsg *msg)
{
    size_t size = uefi_msg_left(msg);

    g_string_append(out, "Uri(");
    print_ascii(out, uefi_msg_get_bytes(msg, size), size);
    g_string_append_c(out, ')');
}

static void print_sd(GString *out, UefiMsg *msg)
{
    g_string_append_printf(out, "SD(0x%x)", uefi_msg_get_u8(msg));
}

static void print_emmc(GString *out, UefiMsg *msg)
{
    g_string_append_printf(out, "eMMC(0x%x)", uefi_msg_get_u8(msg));
}

static void print_disk(GString *out, UefiMsg *msg)
{
    uint32_t partition = uefi_msg_get_u32(msg);
    uint64_t start = uefi_msg_get_u64(msg);
    uint64_t size = uefi_msg_get_u64(msg);
    UefiMsg signature = *msg;
    unsigned kind;

    uefi_msg_seek(msg, msg->pos + 17);  /* signature, partition format */
    kind = uefi_msg_get_u8(msg);
    g_string_append_printf(out, "HD(%u,", partition);
    if (kind == 2) {
        g_string_append(out, "GPT,");
        print_guid(out, &signature);
    } else if (kind == 1) {
        g_string_append_printf(out, "MBR,0x%08x",
                               uefi_msg_get_u32(&signature));
    } else {
        g_string_append_printf(out, "%u,0", kind);
    }
    g_string_append_printf(out, ",0x%" PRIx64 ",0x%" PRIx64 ")", start, size);
}

static void print_cdrom(GString *out, UefiMsg *msg)
{
    uint32_t entry = uefi_msg_get_u32(msg);
    uint64_t start = uefi_msg_get_u64(msg);

    g_string_append_printf(out, "CDROM(0x%x,0x%" PRIx64 ",0x%" PRIx64 ")",
                           entry, start, uefi_msg_get_u64(msg));
}

static void print_file(GString *out, UefiMsg *msg)
{
    g_autofree uint16_t *name = uefi_msg_get_str(msg, uefi_msg_left(msg));

    if (name) {
        uefi_str_append_visible(out, name);
    } else {
        g_string_append(out, "File(?)");
    }
}

static void print_fv_file(GString *out, UefiMsg *msg)
{
    print_vendor(out, msg, "FvFile");
}

static void print_fv(GString *out, UefiMsg *msg)
{
    print_vendor(out, msg, "Fv");
}

static void print_bbs(GString *out, UefiMsg *msg)
{
    static const char *const types[] = {
        "0x0", "Floppy", "HD", "CDROM", "PCMCIA", "USB", "Network"
    };
    unsigned type = uefi_msg_get_u16(msg);
    size_t size;

    uefi_msg_get_u16(msg);              /* status */
    size = uefi_msg_left(msg);
    if (type < ARRAY_SIZE(types)) {
        g_string_append_printf(out, "BBS(%s,", types[type]);
    } else {
        g_string_append_printf(out, "BBS(0x%x,", type);
    }
    print_ascii(out, uefi_msg_get_bytes(msg, size), size);
    g_string_append_c(out, ')');
}

static const DevPathNode nodes[] = {
    { TYPE_HARDWARE, 1, 2, print_pci },
    { TYPE_HARDWARE, 3, 20, print_memory },
    { TYPE_HARDWARE, 4, 16, print_vendor_hw },
    { TYPE_ACPI, 1, 8, print_acpi },
    { TYPE_ACPI, 3, 4, print_adr },
    { TYPE_MESSAGING, 1, 4, print_ata },
    { TYPE_MESSAGING, 2, 4, print_scsi },
    { TYPE_MESSAGING, 5, 2, print_usb },
    { TYPE_MESSAGING, 10, 16, print_vendor_msg },
    { TYPE_MESSAGING, 11, 33, print_mac },
    { TYPE_MESSAGING, 12, 15, print_ipv4 },
    { TYPE_MESSAGING, 13, 39, print_ipv6 },
    { TYPE_MESSAGING, 14, 15, print_uart },
    { TYPE_MESSAGING, 15, 7, print_usb_class },
    { TYPE_MESSAGING, 17, 1, print_unit },
    { TYPE_MESSAGING, 18, 6, print_sata },
    { TYPE_MESSAGING, 23, 12, print_nvme },
    { TYPE_MESSAGING, 24, 0, print_uri },
    { TYPE_MESSAGING, 26, 1, print_sd },
    { TYPE_MESSAGING, 29, 1, print_emmc },
    { TYPE_MEDIA, 1, 38, print_disk },
    { TYPE_MEDIA, 2, 20, print_cdrom },
    { TYPE_MEDIA, 3, 16, print_vendor_media },
    { TYPE_MEDIA, 4, 2, print_file },
    { TYPE_MEDIA, 6, 16, print_fv_file },
    { TYPE_MEDIA, 7, 16, print_fv },
    { TYPE_BIOS, 1, 4, print_bbs },
};

static void print_node(GString *out, unsigned type, unsigned subtype,
                       UefiMsg *msg)
{
    for (size_t i = 0; i < ARRAY_SIZE(nodes); i++) {
        const DevPathNode *node = &nodes[i];

        if (node->type == type && node->subtype == subtype &&
            uefi_msg_left(msg) >= node->min_size) {
            node->print(out, msg);
            return;
        }
    }
    g_string_append_printf(out, "Path(%u,%u,", type, subtype);
    print_rest(out, msg);
    g_string_append_c(out, ')');
}

/* One node, up to @end; returns false when there is none */
static bool read_node(GString *out, UefiMsg *msg, bool *end, bool *first)
{
    unsigned type = uefi_msg_get_u8(msg);
    unsigned subtype = uefi_msg_get_u8(msg);
    size_t size = uefi_msg_get_u16(msg);
    UefiMsg body;

    if (msg->overrun || size < NODE_HEADER ||
        size - NODE_HEADER > uefi_msg_left(msg)) {
        return false;
    }
    uefi_msg_init(&body, msg->buf + msg->pos, size - NODE_HEADER, 8);
    uefi_msg_seek(msg, msg->pos + size - NODE_HEADER);
    if (type == TYPE_END) {
        *end = subtype != END_INSTANCE;
        *first = true;
        g_string_append(out, *end ? "" : ",");
        return true;
    }
    g_string_append(out, *first ? "" : "/");
    *first = false;
    print_node(out, type, subtype, &body);
    return true;
}

bool tool_device_path(GString *out, const uint8_t *data, size_t size)
{
    g_autoptr(GString) text = g_string_new(NULL);
    bool end = false, first = true;
    UefiMsg msg;

    /* only read */
    uefi_msg_init(&msg, (uint8_t *)data, size, 8);
    while (!end) {
        if (!read_node(text, &msg, &end, &first)) {
            return false;
        }
    }
    if (uefi_msg_left(&msg)) {
        return false;
    }
    g_string_append(out, text->str);
    return true;
}
