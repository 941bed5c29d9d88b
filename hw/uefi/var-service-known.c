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
#include "hw/uefi/var-service-utils.h"

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
/* Well-known variables (5.3) */

#define GLOBAL  (&uefi_guid_global)
#define IMGSEC  (&uefi_guid_image_security)
#define RW      0
#define RO      EFI_VAR_CHECK_PROPERTY_READ_ONLY
#define A3      UEFI_ATTR_A3
#define A6      UEFI_ATTR_A6
#define A7      UEFI_ATTR_A7
#define A0F     UEFI_ATTR_A0F
#define A26     UEFI_ATTR_A26
#define A27     UEFI_ATTR_A27
#define INF     UINT64_MAX

static const UefiKnownVariable known_variables[] = {
    { GLOBAL, "LangCodes",              is_ascii,       { RW, A6, 1, INF } },
    { GLOBAL, "Lang",                   is_ascii,       { RW, A7, 1, INF } },
    { GLOBAL, "PlatformLangCodes",      is_ascii,       { RW, A6, 1, INF } },
    { GLOBAL, "PlatformLang",           is_ascii,       { RW, A7, 1, INF } },
    { GLOBAL, "Timeout",                is_any,         { RW, A7, 2, 2 } },
    { GLOBAL, "ConIn",                  is_device_path, { RW, A7, 4, INF } },
    { GLOBAL, "ConOut",                 is_device_path, { RW, A7, 4, INF } },
    { GLOBAL, "ErrOut",                 is_device_path, { RW, A7, 4, INF } },
    { GLOBAL, "ConInDev",               is_device_path, { RW, A6, 4, INF } },
    { GLOBAL, "ConOutDev",              is_device_path, { RW, A6, 4, INF } },
    { GLOBAL, "ErrOutDev",              is_device_path, { RW, A6, 4, INF } },
    { GLOBAL, "BootOrder",              is_u16_list,    { RW, A7, 2, INF } },
    { GLOBAL, "DriverOrder",            is_u16_list,    { RW, A7, 2, INF } },
    { GLOBAL, "SysPrepOrder",           is_u16_list,    { RW, A7, 2, INF } },
    { GLOBAL, "BootNext",               is_any,         { RW, A7, 2, 2 } },
    { GLOBAL, "BootCurrent",            is_any,         { RW, A6, 2, 2 } },
    { GLOBAL, "BootOptionSupport",      is_any,         { RW, A6, 4, 4 } },
    { GLOBAL, "HwErrRecSupport",        is_any,         { RW, A7, 2, 2 } },
    { GLOBAL, "SetupMode",              is_any,         { RO, A6, 1, 1 } },
    { GLOBAL, "SecureBoot",             is_any,         { RO, A6, 1, 1 } },
    { GLOBAL, "VendorKeys",             is_any,         { RO, A6, 1, 1 } },
    { GLOBAL, "SignatureSupport",       is_guid_list,   { RO, A6, 16, INF } },
    { GLOBAL, "PK",                     is_any,         { RW, A27, 1, INF } },
    { GLOBAL, "KEK",                    is_any,         { RW, A27, 1, INF } },
    { GLOBAL, "PKDefault",              is_any,         { RO, A6, 1, INF } },
    { GLOBAL, "KEKDefault",             is_any,         { RO, A6, 1, INF } },
    { GLOBAL, "dbDefault",              is_any,         { RO, A6, 1, INF } },
    { GLOBAL, "dbxDefault",             is_any,         { RO, A6, 1, INF } },
    { GLOBAL, "dbtDefault",             is_any,         { RO, A6, 1, INF } },
    { GLOBAL, "OsIndicationsSupported", is_any,         { RW, A6, 8, 8 } },
    { GLOBAL, "OsIndications",          is_any,         { RW, A7, 8, 8 } },
    { GLOBAL, "Boot####",               is_load_option, { RW, A7, 6, INF } },
    { GLOBAL, "Driver####",             is_load_option, { RW, A7, 6, INF } },
    { GLOBAL, "SysPrep####",            is_load_option, { RW, A7, 6, INF } },
    { GLOBAL, "Key####",                is_key_option,  { RW, A7, 10, 22 } },
    { GLOBAL, "PlatformRecovery####",   is_load_option, { RW, A6, 6, INF } },
    { IMGSEC, "db",                     is_any,         { RW, A27, 1, INF } },
    { IMGSEC, "dbx",                    is_any,         { RW, A27, 1, INF } },
    { IMGSEC, "dbt",                    is_any,         { RW, A27, 1, INF } },
    { &uefi_guid_hw_error, "HwErrRec####",
                                        is_any,         { RW, A0F, 1, INF } },
    { &uefi_guid_secure_boot_enable, "SecureBootEnable",
                                        is_any,         { RW, A3, 1, 1 } },
    { &uefi_guid_custom_mode, "CustomMode",
                                        is_any,         { RW, A3, 1, 1 } },
    { &uefi_guid_vendor_keys_nv, "VendorKeysNv",
                                        is_any,         { RO, A27, 1, 1 } },
    { &uefi_guid_cert_db, "certdb",     is_any,         { RO, A27, 4, INF } },
    { &uefi_guid_cert_db, "certdbv",    is_any,         { RO, A26, 4, INF } },
    { &uefi_guid_var_error_flag, "VarErrorFlag",
                                        is_any,         { RO, A7, 1, 1 } },
};

bool uefi_known_fits(const char *pattern, const uint16_t *name)
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

const UefiKnownVariable *uefi_known_find(const UefiGuid *guid,
                                         const uint16_t *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(known_variables); i++) {
        const UefiKnownVariable *known = &known_variables[i];

        if (uefi_guid_equal(known->guid, guid) &&
            (uefi_str_is(name, known->name) ||
             uefi_known_fits(known->name, name))) {
            return known;
        }
    }
    return NULL;
}
