/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: what people call things
 */

#include "qemu/osdep.h"
#include "tool.h"
#include "hw/uefi/var-service-status.h"

/* Vendors of variables that the core has no business with */
const UefiGuid tool_guid_shim =
    UEFI_GUID(0x605dab50, 0xe046, 0x4300,
              0xab, 0xb6, 0x3d, 0xd8, 0x10, 0xdd, 0x8b, 0x23);
static const UefiGuid guid_microsoft =
    UEFI_GUID(0x77fa9abd, 0x0359, 0x4d32,
              0xbd, 0x60, 0x28, 0xf4, 0xe7, 0x8f, 0x78, 0x4b);

static const struct {
    const UefiGuid *guid;
    const char *name;
} more_vendors[] = {
    { &tool_guid_shim, "SHIM" },
    { &guid_microsoft, "MICROSOFT" },
};

/* Vendors that can be named; uefi_guid_name() has their names. */
static const UefiGuid *const vendors[] = {
    &uefi_guid_global, &uefi_guid_image_security,
    &uefi_guid_secure_boot_enable, &uefi_guid_custom_mode,
    &uefi_guid_vendor_keys_nv, &uefi_guid_cert_db, &uefi_guid_hw_error,
    &uefi_guid_var_error_flag, &uefi_guid_mor_control,
    &uefi_guid_mor_control_lock, &tool_guid_shim, &guid_microsoft,
};

const char *tool_vendor_name(const UefiGuid *guid)
{
    for (size_t i = 0; i < ARRAY_SIZE(more_vendors); i++) {
        if (uefi_guid_equal(guid, more_vendors[i].guid)) {
            return more_vendors[i].name;
        }
    }
    return uefi_guid_name(guid);
}

char *tool_vendor(const UefiGuid *guid)
{
    const char *name = tool_vendor_name(guid);

    return name ? g_strdup(name) : uefi_guid_print(guid);
}

bool tool_parse_vendor(const char *text, UefiGuid *guid)
{
    for (size_t i = 0; i < ARRAY_SIZE(vendors); i++) {
        if (!g_ascii_strcasecmp(text, tool_vendor_name(vendors[i]))) {
            *guid = *vendors[i];
            return true;
        }
    }
    return uefi_guid_parse(text, guid);
}

/* In the order of their bits (protocol 4.1) */
static const char *const letters[] = {
    "NV", "BS", "RT", "HR", "AW", "AT", "AP"
};

char *tool_attributes(uint32_t attributes)
{
    GString *out = g_string_new(NULL);

    for (size_t i = 0; i < ARRAY_SIZE(letters); i++) {
        if (attributes & (1u << i)) {
            g_string_append_printf(out, "%s%s", out->len ? "," : "",
                                   letters[i]);
        }
    }
    if (attributes & ~EFI_ATTR_ALL) {
        g_string_append_printf(out, "%s0x%x", out->len ? "," : "",
                               attributes & ~EFI_ATTR_ALL);
    }
    return g_string_free(out, FALSE);
}

static bool parse_letters(const char *text, uint32_t *attributes)
{
    for (size_t i = 0; i < ARRAY_SIZE(letters); i++) {
        if (!g_ascii_strcasecmp(text, letters[i])) {
            *attributes |= 1u << i;
            return true;
        }
    }
    return false;
}

bool tool_parse_attributes(const char *text, uint32_t *attributes)
{
    g_auto(GStrv) parts = g_strsplit(text, ",", -1);
    uint32_t result = 0;

    for (char **part = parts; *part; part++) {
        guint64 number;

        if (g_ascii_string_to_unsigned(*part, 10, 0, UINT32_MAX, &number,
                                       NULL) ||
            (g_str_has_prefix(*part, "0x") &&
             g_ascii_string_to_unsigned(*part + 2, 16, 0, UINT32_MAX, &number,
                                        NULL))) {
            result |= number;
        } else if (!parse_letters(*part, &result)) {
            return false;
        }
    }
    *attributes = result;
    return *parts;
}

char *tool_time(const UefiTime *time)
{
    char *text = uefi_time_print(time);

    return text ? g_strdelimit(text, "T", ' ') : g_strdup("-");
}

char *tool_signature_type(const UefiGuid *type)
{
    /* the host of a guest keeps the key, and the firmware none: VMware */
    static const UefiGuid external =
        UEFI_GUID(0x452e8ced, 0xdfff, 0x4b8c,
                  0xae, 0x01, 0x51, 0x18, 0x86, 0x2e, 0x68, 0x2c);
    const char *name = uefi_guid_equal(type, &external)
                       ? "external-management" : uefi_sig_type_name(type);

    return name ? g_strdup(name) : uefi_guid_print(type);
}

const UefiKnown *tool_known(const char *name)
{
    for (int id = UEFI_KNOWN_NONE + 1; id < UEFI_KNOWN__MAX; id++) {
        const UefiKnown *known = uefi_known(id);
        bool writable = known->kind == UEFI_KNOWN_KIND_RW ||
                        known->kind == UEFI_KNOWN_KIND_FREE;

        if (known->guid && writable &&
            (known->property.attributes & EFI_ATTR_NV) &&
            tool_matches(known->name, name)) {
            return known;
        }
    }
    return NULL;
}

bool tool_matches(const char *pattern, const char *name)
{
    for (; *pattern && *name; pattern++, name++) {
        if (*pattern == '#' ? !g_ascii_isxdigit(*name) : *pattern != *name) {
            return false;
        }
    }
    return *pattern == *name;
}
