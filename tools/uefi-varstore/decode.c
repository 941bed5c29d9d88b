/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: what the values of well-known variables mean
 */

#include "qemu/osdep.h"
#include "tool.h"
#include "hw/uefi/var-service-siglist.h"
#include "hw/uefi/var-service-status.h"

/* EFI_LOAD_OPTION, UEFI 2.10, 3.1.3 */
#define LOAD_OPTION_ACTIVE      0x00000001u
#define LOAD_OPTION_HIDDEN      0x00000008u

typedef bool (*Decoder)(GString *out, const uint8_t *data, size_t size);

/* @data is only read */
static UefiMsg cursor(const uint8_t *data, size_t size)
{
    UefiMsg msg;

    uefi_msg_init(&msg, (uint8_t *)data, size, 8);
    return msg;
}

void tool_hexdump(GString *out, const uint8_t *data, size_t size)
{
    for (size_t line = 0; line < size; line += 16) {
        size_t count = MIN(size - line, 16);

        g_string_append_printf(out, "%08zx ", line);
        for (size_t i = 0; i < 16; i++) {
            if (i < count) {
                g_string_append_printf(out, " %02x", data[line + i]);
            } else {
                g_string_append(out, "   ");
            }
        }
        g_string_append(out, "  ");
        for (size_t i = 0; i < count; i++) {
            char c = data[line + i];

            g_string_append_c(out, g_ascii_isprint(c) ? c : '.');
        }
        g_string_append_c(out, '\n');
    }
}

/* ------------------------------------------------------------------------ */

static bool decode_order(GString *out, const uint8_t *data, size_t size)
{
    UefiMsg msg = cursor(data, size);

    if (size % 2) {
        return false;
    }
    while (uefi_msg_left(&msg)) {
        g_string_append(out, msg.pos ? "," : "");
        g_string_append_printf(out, "%04X", uefi_msg_get_u16(&msg));
    }
    g_string_append_c(out, '\n');
    return true;
}

static bool decode_seconds(GString *out, const uint8_t *data, size_t size)
{
    UefiMsg msg = cursor(data, size);
    unsigned seconds = uefi_msg_get_u16(&msg);

    if (size != 2) {
        return false;
    }
    if (seconds == 0xffff) {
        g_string_append(out, "wait for ever\n");
    } else {
        g_string_append_printf(out, "%u seconds\n", seconds);
    }
    return true;
}

static bool decode_text(GString *out, const uint8_t *data, size_t size)
{
    /* with or without a terminator, nothing behind it */
    size_t len = size && !data[size - 1] ? size - 1 : size;

    for (size_t i = 0; i < len; i++) {
        if (!g_ascii_isprint(data[i])) {
            return false;
        }
    }
    g_string_append_len(out, (const char *)data, len);
    g_string_append_c(out, '\n');
    return true;
}

static bool decode_lines(GString *out, const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (!g_ascii_isprint(data[i]) && data[i] != '\n' &&
            (data[i] || i + 1 < size)) {
            return false;
        }
    }
    g_string_append_printf(out, "%.*s", (int)size, (const char *)data);
    if (out->len && out->str[out->len - 1] != '\n') {
        g_string_append_c(out, '\n');
    }
    return true;
}

static bool decode_switch(GString *out, const uint8_t *data, size_t size)
{
    if (size != 1 || data[0] > 1) {
        return false;
    }
    g_string_append(out, data[0] ? "on\n" : "off\n");
    return true;
}

static bool decode_indications(GString *out, const uint8_t *data, size_t size)
{
    static const char *const bits[] = {
        "boot to firmware setup",
        "time stamp revocation",
        "file capsule delivery",
        "firmware management capsule",
        "capsule result variable",
        "start OS recovery",
        "start platform recovery",
        "collect current configuration",
    };
    UefiMsg msg = cursor(data, size);
    uint64_t value = uefi_msg_get_u64(&msg);

    if (size != 8) {
        return false;
    }
    for (unsigned i = 0; i < 64; i++) {
        if (!(value >> i & 1)) {
            continue;
        }
        if (i < ARRAY_SIZE(bits)) {
            g_string_append_printf(out, "%s\n", bits[i]);
        } else {
            g_string_append_printf(out, "bit %u\n", i);
        }
    }
    if (!value) {
        g_string_append(out, "none\n");
    }
    return true;
}

static bool decode_path(GString *out, const uint8_t *data, size_t size)
{
    if (!tool_device_path(out, data, size)) {
        return false;
    }
    g_string_append_c(out, '\n');
    return true;
}

static bool decode_load_option(GString *out, const uint8_t *data, size_t size)
{
    g_auto(ToolLoadOption) opt = { };

    if (!tool_load_option_parse(&opt, data, size)) {
        return false;
    }
    g_string_append(out, "description: ");
    uefi_str_append_visible(out, opt.label);
    g_string_append(out, "\npath: ");
    if (!tool_device_path(out, opt.path, opt.path_size)) {
        g_string_append(out, "not a device path");
    }
    g_string_append_printf(out, "\nstate: %s%s\n",
                           opt.attributes & LOAD_OPTION_ACTIVE ? "active"
                                                               : "inactive",
                           opt.attributes & LOAD_OPTION_HIDDEN ? ", hidden"
                                                               : "");
    if (opt.more_size) {
        g_string_append_printf(out, "optional data: %zu bytes\n",
                               opt.more_size);
    }
    return true;
}

/* ------------------------------------------------------------------------ */

/* The caller frees */
static char *owner_of(const UefiSigList *list, size_t i)
{
    UefiMsg sig = cursor(list->sigs + i * list->sig_size,
                         UEFI_SIGLIST_OWNER_SIZE);
    UefiGuid guid = uefi_msg_get_guid(&sig);

    return tool_vendor(&guid);
}

static void print_certificates(GString *out, const UefiSigList *list)
{
    for (size_t i = 0; i < list->count; i++) {
        g_autofree char *owner = owner_of(list, i);
        size_t size;
        const uint8_t *data = uefi_siglist_cert(list, i, &size);

        g_string_append_printf(out, "X.509 certificate, owner %s\n", owner);
        tool_print_certificate(out, data, size);
    }
}

static void print_hashes(GString *out, const UefiSigList *list)
{
    g_autofree char *type = tool_signature_type(&list->type);

    for (size_t i = 0; i < list->count; i++) {
        g_autofree char *owner = owner_of(list, i);
        size_t size;
        const uint8_t *data = uefi_siglist_cert(list, i, &size);

        g_string_append_printf(out, "%s ", type);
        uefi_hex_append(out, data, size);
        g_string_append_printf(out, ", owner %s\n", owner);
    }
}

static void print_counts(GString *out, const GArray *counts)
{
    for (guint i = 0; i < counts->len; i++) {
        const UefiSigCount *count = &g_array_index(counts, UefiSigCount, i);
        g_autofree char *type = tool_signature_type(&count->type);

        g_string_append_printf(out, "%zu of type %s\n", count->count, type);
    }
}

/* How many there are, then each of them */
static bool decode_signatures(GString *out, const uint8_t *data, size_t size)
{
    g_autoptr(GArray) counts = g_array_new(false, false, sizeof(UefiSigCount));
    g_autoptr(GString) text = g_string_new(NULL);
    UefiMsg msg = cursor(data, size);

    while (uefi_msg_left(&msg)) {
        UefiSigList list;

        if (uefi_siglist_next(&msg, &list) != UEFI_REASON_OK) {
            return false;
        }
        uefi_sig_count(counts, &list);
        if (uefi_siglist_is_x509(&list)) {
            print_certificates(text, &list);
        } else {
            print_hashes(text, &list);
        }
    }
    print_counts(out, counts);
    g_string_append(out, text->str);
    return true;
}

/* ------------------------------------------------------------------------ */

static const struct {
    const UefiGuid *guid;
    const char *pattern;
    Decoder decode;
} decoders[] = {
    { &uefi_guid_global, "Boot####", decode_load_option },
    { &uefi_guid_global, "Driver####", decode_load_option },
    { &uefi_guid_global, "SysPrep####", decode_load_option },
    { &uefi_guid_global, "PlatformRecovery####", decode_load_option },
    { &uefi_guid_global, "OsRecovery####", decode_load_option },
    { &uefi_guid_global, "BootOrder", decode_order },
    { &uefi_guid_global, "DriverOrder", decode_order },
    { &uefi_guid_global, "SysPrepOrder", decode_order },
    { &uefi_guid_global, "BootNext", decode_order },
    { &uefi_guid_global, "ConIn", decode_path },
    { &uefi_guid_global, "ConOut", decode_path },
    { &uefi_guid_global, "ErrOut", decode_path },
    { &uefi_guid_global, "Lang", decode_text },
    { &uefi_guid_global, "PlatformLang", decode_text },
    { &uefi_guid_global, "OsIndications", decode_indications },
    { &uefi_guid_global, "Timeout", decode_seconds },
    { &uefi_guid_global, "PK", decode_signatures },
    { &uefi_guid_global, "KEK", decode_signatures },
    { &uefi_guid_image_security, "db", decode_signatures },
    { &uefi_guid_image_security, "dbr", decode_signatures },
    { &uefi_guid_image_security, "dbt", decode_signatures },
    { &uefi_guid_image_security, "dbx", decode_signatures },
    { &tool_guid_shim, "MokList", decode_signatures },
    { &tool_guid_shim, "MokListX", decode_signatures },
    { &tool_guid_shim, "MokNew", decode_signatures },
    { &tool_guid_shim, "MokDel", decode_signatures },
    { &tool_guid_shim, "MokXNew", decode_signatures },
    { &tool_guid_shim, "MokXDel", decode_signatures },
    { &tool_guid_shim, "SbatLevel", decode_lines },
    { &uefi_guid_secure_boot_enable, "SecureBootEnable", decode_switch },
    { &uefi_guid_custom_mode, "CustomMode", decode_switch },
};

bool tool_decode(GString *out, const UefiVariable *var)
{
    g_autofree char *name = uefi_str_print(var->name);
    size_t size;
    const uint8_t *data = g_bytes_get_data(var->data, &size);

    for (size_t i = 0; i < ARRAY_SIZE(decoders); i++) {
        if (uefi_guid_equal(&var->guid, decoders[i].guid) &&
            tool_matches(decoders[i].pattern, name)) {
            return decoders[i].decode(out, data, size);
        }
    }
    return false;
}
