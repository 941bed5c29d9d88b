/*
 * Find the device in a flattened device tree
 *
 * Just enough of the format (Devicetree Specification 0.4, chapter 5) for the
 * one shape that protocol §1.3 describes: a node compatible "qemu,platform"
 * with ranges of one entry, and below it a node compatible "qemu,uefi-vars".
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "driver.h"

#define FDT_MAGIC       0xd00dfeed
#define FDT_BEGIN_NODE  1
#define FDT_END_NODE    2
#define FDT_PROP        3
#define FDT_NOP         4

#define RANGES_SIZE     16      /* child: 1 cell, parent: 2, size: 1 */
#define REG_SIZE        8       /* offset: 1 cell, size: 1 */

typedef struct {
    bool is_platform;
    bool is_device;
    const uint8_t *ranges;
    const uint8_t *reg;
} Node;

static uint32_t cell(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

/* Does the string of @a, within @a_size bytes, equal @b? */
static bool string_is(const uint8_t *a, size_t a_size, const char *b)
{
    for (size_t i = 0; i < a_size; i++) {
        if (a[i] != (uint8_t)b[i]) {
            return false;
        }
        if (!b[i]) {
            return true;
        }
    }
    return false;
}

/* "compatible" is a list of strings, each with its terminator */
static bool list_has(const uint8_t *list, size_t size, const char *string)
{
    for (size_t i = 0; i < size; i++) {
        if ((i == 0 || !list[i - 1]) &&
            string_is(list + i, size - i, string)) {
            return true;
        }
    }
    return false;
}

static void take_property(Node *node, const uint8_t *name, size_t name_max,
                          const uint8_t *value, size_t size)
{
    if (string_is(name, name_max, "compatible")) {
        node->is_platform = list_has(value, size, "qemu,platform");
        node->is_device = list_has(value, size, "qemu,uefi-vars");
    } else if (string_is(name, name_max, "ranges") && size == RANGES_SIZE) {
        node->ranges = value;
    } else if (string_is(name, name_max, "reg") && size == REG_SIZE) {
        node->reg = value;
    }
}

/* address = offset - ranges.child + ranges.parent */
static uint64_t device_address(const Node *bus, const Node *node)
{
    uint64_t parent;

    if (!node->is_device || !node->reg || !bus->ranges) {
        return 0;
    }
    parent = (uint64_t)cell(bus->ranges + 4) << 32 | cell(bus->ranges + 8);
    return cell(node->reg) - cell(bus->ranges) + parent;
}

uint64_t fdt_find_device(const void *fdt)
{
    const uint8_t *base = fdt;
    Node node = { }, bus = { };
    unsigned depth = 0, bus_depth = 0;
    uint32_t total, strings, at;

    if (cell(base) != FDT_MAGIC) {
        return 0;
    }
    total = cell(base + 4);
    at = cell(base + 8);
    strings = cell(base + 12);
    if (strings >= total) {
        return 0;
    }

    while (at < total && total - at >= 4) {
        uint32_t token = cell(base + at), size, name;

        at += 4;
        switch (token) {
        case FDT_NOP:
            break;
        case FDT_BEGIN_NODE:
            /* A node's properties come before its children. */
            if (node.is_platform) {
                bus = node;
                bus_depth = depth;
            }
            node = (Node) { };
            depth++;
            while (at < total && base[at]) {
                at++;
            }
            at = (at + 4) & ~3u;
            break;
        case FDT_PROP:
            if (total - at < 8) {
                return 0;
            }
            size = cell(base + at);
            name = cell(base + at + 4);
            at += 8;
            if (size > total - at || name >= total - strings) {
                return 0;
            }
            take_property(&node, base + strings + name,
                          total - strings - name, base + at, size);
            at += (size + 3) & ~3u;
            break;
        case FDT_END_NODE:
            if (bus_depth && depth == bus_depth + 1 &&
                device_address(&bus, &node)) {
                return device_address(&bus, &node);
            }
            if (depth == bus_depth) {
                bus_depth = 0;
            }
            node = (Node) { };
            depth--;
            break;
        default:        /* the end, or damage */
            return 0;
        }
    }
    return 0;
}
