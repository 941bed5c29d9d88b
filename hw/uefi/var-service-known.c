/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: well-known variables (5.3) and their contents
 *
 * What is known of a variable by its vendor and name, whatever a request wants
 * of it.
 */

#include "qemu/osdep.h"
#include "hw/uefi/var-service-known.h"
#include "hw/uefi/var-service-msg.h"

/* ------------------------------------------------------------------------ */
/* Content of well-known variables (5.3) */

static bool is_any(const uint8_t *data, size_t size)
{
    return true;
}

static bool is_ascii(const uint8_t *data, size_t size)
{
    return memchr(data, 0, size);
}

static bool is_u16_list(const uint8_t *data, size_t size)
{
    return size % sizeof(uint16_t) == 0;
}

static bool is_guid_list(const uint8_t *data, size_t size)
{
    return size % sizeof(UefiGuid) == 0;
}

/* EFI_KEY_OPTION (UEFI 2.10, 3.1.6): 10 bytes, then keys of 4 bytes */
static bool is_key_option(const uint8_t *data, size_t size)
{
    return size % 4 == 10 % 4;
}

/* UEFI 2.10, 10.3: nodes of type, subtype and length, up to an end node */
static bool is_device_path(const uint8_t *data, size_t size)
{
    UefiMsg msg;

    uefi_msg_init(&msg, (void *)data, size, 8);
    while (uefi_msg_left(&msg) >= 4) {
        size_t start = msg.pos;
        uint8_t type = uefi_msg_get_u8(&msg);
        uint8_t subtype = uefi_msg_get_u8(&msg);
        size_t length = uefi_msg_get_u16(&msg);

        if (type == 0x7f && subtype == 0xff) {
            return length == 4;
        }
        if (length < 4 || length > size - start) {
            return false;
        }
        if (type == 0x04 && subtype == 0x04) {
            /* A file name must be terminated within its node. */
            uefi_msg_seek(&msg, start + length - 2);
            if (uefi_msg_get_u16(&msg) != 0) {
                return false;
            }
        }
        uefi_msg_seek(&msg, start + length);
    }
    return false;
}

/* EFI_LOAD_OPTION (UEFI 2.10, 3.1.3) */
static bool is_load_option(const uint8_t *data, size_t size)
{
    const uint8_t *path;
    uint16_t path_size;
    UefiMsg msg;

    uefi_msg_init(&msg, (void *)data, size, 8);
    uefi_msg_get_u32(&msg);
    path_size = uefi_msg_get_u16(&msg);
    while (uefi_msg_get_u16(&msg) != 0) {
        continue;               /* the description; ends on overrun, too */
    }
    path = uefi_msg_get_bytes(&msg, path_size);
    return path && is_device_path(path, path_size);
}

/* ------------------------------------------------------------------------ */
/* The table */

/* Attributes by their names in the specification */
#define A3      (EFI_ATTR_NV | EFI_ATTR_BS)
#define A6      (EFI_ATTR_BS | EFI_ATTR_RT)
#define A7      (EFI_ATTR_NV | A6)
#define A0F     (EFI_ATTR_HR | A7)
#define A26     (EFI_ATTR_AT | A6)
#define A27     (EFI_ATTR_AT | A7)
#define INF     UINT64_MAX

#define VENDOR_GLOBAL           (&uefi_guid_global)
#define VENDOR_IMGSEC           (&uefi_guid_image_security)
#define VENDOR_HWERR            (&uefi_guid_hw_error)
#define VENDOR_SBENABLE         (&uefi_guid_secure_boot_enable)
#define VENDOR_CUSTOM           (&uefi_guid_custom_mode)
#define VENDOR_VENDORKEYSNV     (&uefi_guid_vendor_keys_nv)
#define VENDOR_CERTDB           (&uefi_guid_cert_db)
#define VENDOR_VARERR           (&uefi_guid_var_error_flag)
#define VENDOR_MOR              (&uefi_guid_mor_control)
#define VENDOR_MORLOCK          (&uefi_guid_mor_control_lock)
#define VENDOR_ANY              NULL

#define FLAGS_FREE      0
#define FLAGS_RW        0
#define FLAGS_RO        EFI_VAR_CHECK_PROPERTY_READ_ONLY
#define FLAGS_STATE     EFI_VAR_CHECK_PROPERTY_READ_ONLY

static const UefiKnown table[UEFI_KNOWN__MAX] = {
    [UEFI_KNOWN_NONE] = { .is_valid = is_any },
#define X(id_, vendor, name_, kind_, attributes_, min, max, content)        \
    [UEFI_KNOWN_##id_] = {                                                  \
        .id = UEFI_KNOWN_##id_,                                             \
        .kind = UEFI_KNOWN_KIND_##kind_,                                    \
        .guid = VENDOR_##vendor,                                            \
        .name = name_,                                                      \
        .property = { FLAGS_##kind_, attributes_, min, max },               \
        .is_valid = is_##content,                                           \
    }
#include "hw/uefi/var-service-known.h.inc"
#undef X
};

/* Whether @name is @pattern with four upper-case hex digits for its "####" */
static bool fits_pattern(const char *pattern, const uint16_t *name)
{
    static const char digits[] = "0123456789ABCDEF";

    if (!g_str_has_suffix(pattern, "####") ||
        uefi_str_len(name) != strlen(pattern)) {
        return false;
    }
    for (; *pattern; pattern++, name++) {
        if (*pattern == '#' ? *name >= 0x80 || !strchr(digits, *name)
                            : *pattern != *name) {
            return false;
        }
    }
    return true;
}

const UefiKnown *uefi_known(UefiKnownId id)
{
    return &table[id];
}

const UefiKnown *uefi_known_find(const UefiGuid *guid, const uint16_t *name)
{
    for (int id = UEFI_KNOWN_NONE + 1; id < UEFI_KNOWN__MAX; id++) {
        const UefiKnown *known = &table[id];

        if ((!known->guid || uefi_guid_equal(known->guid, guid)) &&
            (uefi_str_is(name, known->name) ||
             fits_pattern(known->name, name))) {
            return known;
        }
    }
    return &table[UEFI_KNOWN_NONE];
}

/* ------------------------------------------------------------------------ */
/* As they are stored */

const UefiVariable *uefi_known_stored(const UefiVarService *uv,
                                      UefiKnownId id)
{
    return uefi_store_find_ascii(uv->store, UEFI_VIEW_BOOT, table[id].guid,
                                 table[id].name);
}

bool uefi_known_is_on(const UefiVarService *uv, UefiKnownId id)
{
    const UefiVariable *var = uefi_known_stored(uv, id);
    gsize size;
    const uint8_t *data = var ? g_bytes_get_data(var->data, &size) : NULL;

    return data && size && data[0] == 1;
}

UefiVariable *uefi_known_put(UefiVarService *uv, UefiVarChange *change,
                             UefiKnownId id, const void *data, size_t size)
{
    const UefiKnown *known = &table[id];

    return uefi_vars_put(uv, change, known->guid, known->name,
                         known->property.attributes, data, size);
}

UefiVariable *uefi_known_put_byte(UefiVarService *uv, UefiVarChange *change,
                                  UefiKnownId id, uint8_t value)
{
    return uefi_known_put(uv, change, id, &value, sizeof(value));
}
