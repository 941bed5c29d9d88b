/*
 * BootNext, which firmware reads before it starts option ROMs
 *
 * edk2 has looked for BootNext in its flash when this driver starts, and does
 * not look again.  So until the firmware says, with BootCurrent, that it boots
 * the entry, BootOrder begins with it, and it is an entry that boots.  Neither
 * gets into the store.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "driver.h"

#define ORDER_MAX           128     /* a longer BootOrder stays as is */
#define ABSENT              SIZE_MAX
#define NV_BS_RT            7
#define APPEND_WRITE        0x40

#define OPTION_ACTIVE       0x01u   /* first byte of the attributes */
#define OPTION_CATEGORY     0x1fu   /* second one; 0 is boot */

static const EfiGuid global = GUID_GLOBAL_VARIABLE;
static const EfiChar order_name[] = u"BootOrder";
static const EfiChar next_name[] = u"BootNext";
static const EfiChar current_name[] = u"BootCurrent";

static bool pending;
static uint16_t next;
static EfiChar entry_name[] = u"Boot####";

static bool is_name(const EfiChar *a, const EfiChar *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

static void remove_next(void)
{
    vars_set(next_name, &global, NV_BS_RT, 0, NULL);
}

void bootnext_init(void)
{
    size_t size = sizeof(next), none = 0;
    uint32_t attributes;

    if (vars_get(next_name, &global, &attributes, &size, &next) ||
        size != sizeof(next)) {
        return;
    }
    for (int i = 0; i < 4; i++) {
        entry_name[4 + i] = u"0123456789ABCDEF"[next >> (12 - 4 * i) & 0xf];
    }
    if (vars_get(entry_name, &global, NULL, &none, NULL) == EFI_NOT_FOUND) {
        remove_next();
    } else {
        pending = true;
    }
}

void bootnext_end(void)
{
    pending = false;
}

/* The stored BootOrder; returns its entries, or more than ORDER_MAX */
static size_t read_order(uint16_t *order, uint32_t *attributes)
{
    size_t size = ORDER_MAX * sizeof(*order);
    EfiStatus status = vars_get(order_name, &global, attributes, &size, order);

    if (status == EFI_NOT_FOUND) {
        *attributes = NV_BS_RT;
        return 0;
    }
    return EFI_ERROR(status) ? ORDER_MAX + 1 : size / sizeof(*order);
}

/* Without the BootNext entry; returns the place where it was, or ABSENT */
static size_t take_out(uint16_t *order, size_t *count)
{
    for (size_t i = 0; i < *count; i++) {
        if (order[i] == next) {
            --*count;
            for (size_t j = i; j < *count; j++) {
                order[j] = order[j + 1];
            }
            return i;
        }
    }
    return ABSENT;
}

static void put_in(uint16_t *order, size_t *count, size_t place)
{
    for (size_t i = *count; i > place; i--) {
        order[i] = order[i - 1];
    }
    order[place] = next;
    ++*count;
}

static EfiStatus get_order(uint32_t *attributes, size_t *size, void *data)
{
    uint16_t order[ORDER_MAX + 1];
    uint32_t stored;
    size_t count = read_order(order, &stored), capacity = *size;

    if (count > ORDER_MAX) {
        return vars_get(order_name, &global, attributes, size, data);
    }
    take_out(order, &count);
    put_in(order, &count, 0);
    *size = count * sizeof(*order);
    if (attributes) {
        *attributes = stored;
    }
    if (capacity < *size) {
        return EFI_BUFFER_TOO_SMALL;
    }
    if (!data) {
        return EFI_INVALID_PARAMETER;
    }
    memcpy(data, order, *size);
    return EFI_SUCCESS;
}

/* The entry goes back from the front to where it is stored, if at all. */
static EfiStatus set_order(uint32_t attributes, size_t size, const void *data)
{
    uint16_t stored[ORDER_MAX + 1], order[ORDER_MAX + 1];
    uint32_t unused;
    size_t count = read_order(stored, &unused), place;

    if (size > ORDER_MAX * sizeof(*order) || count > ORDER_MAX) {
        return vars_set(order_name, &global, attributes, size, data);
    }
    place = take_out(stored, &count);
    memcpy(order, data, size);
    count = size / sizeof(*order);
    if (order[0] == next) {
        take_out(order, &count);
        if (place != ABSENT) {
            put_in(order, &count, place < count ? place : count);
        }
    }
    return vars_set(order_name, &global, attributes, count * sizeof(*order),
                    order);
}

EfiStatus bootnext_get(const EfiChar *name, const EfiGuid *guid,
                       uint32_t *attributes, size_t *size, void *data)
{
    bool ours = pending && name && guid && size && guid_equal(guid, &global);
    EfiStatus status;

    if (ours && is_name(name, order_name)) {
        return get_order(attributes, size, data);
    }
    status = vars_get(name, guid, attributes, size, data);
    if (ours && is_name(name, entry_name) && status == EFI_SUCCESS &&
        *size > 2) {
        ((uint8_t *)data)[0] |= OPTION_ACTIVE;
        ((uint8_t *)data)[1] &= ~OPTION_CATEGORY;
    }
    return status;
}

EfiStatus bootnext_set(const EfiChar *name, const EfiGuid *guid,
                       uint32_t attributes, size_t size, const void *data)
{
    if (pending && name && guid && data && guid_equal(guid, &global)) {
        if (is_name(name, order_name) && size >= sizeof(next) &&
            !(attributes & APPEND_WRITE)) {
            return set_order(attributes, size, data);
        }
        if (is_name(name, current_name) && size == sizeof(next) &&
            !memcmp(data, &next, size)) {
            pending = false;
            remove_next();
        }
    }
    return vars_set(name, guid, attributes, size, data);
}
