/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: reasons, CHAR16 strings, times, single variables
 */

#include "qemu/osdep.h"
#include "hw/uefi/var-service-utils.h"

static const struct {
    EfiStatus status;
    const char *name;
    const char *text;
} reasons[] = {
#define X(name, status, text) \
    [UEFI_REASON_##name] = { EFI_##status, #name, text }
#include "hw/uefi/var-service-reason.h.inc"
#undef X
};

EfiStatus uefi_reason_status(UefiReason reason)
{
    return reasons[reason].status;
}

const char *uefi_reason_text(UefiReason reason)
{
    return reasons[reason].text;
}

const char *uefi_reason_name(UefiReason reason)
{
    return reasons[reason].name;
}

size_t uefi_str_len(const uint16_t *str)
{
    size_t len = 0;

    while (str[len]) {
        len++;
    }
    return len;
}

size_t uefi_str_size(const uint16_t *str)
{
    return (uefi_str_len(str) + 1) * sizeof(*str);
}

bool uefi_str_equal(const uint16_t *a, const uint16_t *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

bool uefi_str_is(const uint16_t *str, const char *ascii)
{
    while (*str && *str == (unsigned char)*ascii) {
        str++;
        ascii++;
    }
    return *str == (unsigned char)*ascii;
}

uint16_t *uefi_str_dup(const uint16_t *str)
{
    return g_memdup2(str, uefi_str_size(str));
}

uint16_t *uefi_str_from_ascii(const char *ascii)
{
    size_t len = strlen(ascii);
    uint16_t *str = g_new0(uint16_t, len + 1);

    for (size_t i = 0; i < len; i++) {
        str[i] = (unsigned char)ascii[i];
    }
    return str;
}

/*
 * Characters that are written as themselves.  A fixed set: what GLib thinks
 * printable depends on its version, but the bytes of a store must not.
 */
static bool is_plain(gunichar c)
{
    return c >= 0x20 &&
           !(c >= 0x7f && c <= 0x9f) &&         /* control characters */
           c != 0x2028 && c != 0x2029 &&        /* line breaks to some */
           !(c >= 0xd800 && c <= 0xdfff) &&     /* surrogates */
           !(c >= 0xfdd0 && c <= 0xfdef) &&     /* never characters */
           (c & 0xfffe) != 0xfffe;
}

/* What a reader cannot see, or what makes others change places */
static bool is_hidden(gunichar c)
{
    static const struct {
        gunichar first, last;
    } ranges[] = {
        { 0xad, 0xad }, { 0x61c, 0x61c }, { 0x180e, 0x180e },
        { 0x200b, 0x200f }, { 0x202a, 0x202e }, { 0x2060, 0x206f },
        { 0xfeff, 0xfeff }, { 0xfff9, 0xfffb }, { 0xe0000, 0xe007f },
    };

    for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
        if (c >= ranges[i].first && c <= ranges[i].last) {
            return true;
        }
    }
    return false;
}

static void append(GString *out, const uint16_t *str, const char *escape,
                   bool visible)
{
    for (; *str; str++) {
        gunichar c = *str;

        if ((str[0] & 0xfc00) == 0xd800 && (str[1] & 0xfc00) == 0xdc00) {
            c = 0x10000 + ((str[0] & 0x3ffu) << 10) + (str[1] & 0x3ffu);
        }
        if (!is_plain(c) || (c < 0x80 && strchr(escape, c)) ||
            (visible && is_hidden(c))) {
            /* of a pair, the other half comes next */
            g_string_append_printf(out, "\\u%04x", *str);
            continue;
        }
        g_string_append_unichar(out, c);
        if (c > 0xffff) {
            str++;
        }
    }
}

void uefi_str_append(GString *out, const uint16_t *str, const char *escape)
{
    append(out, str, escape, false);
}

void uefi_str_append_visible(GString *out, const uint16_t *str)
{
    append(out, str, "", true);
}

char *uefi_str_print(const uint16_t *str)
{
    GString *text = g_string_new(NULL);

    append(text, str, "\\", true);
    return g_string_free(text, FALSE);
}

void uefi_bytes_put_u32(GByteArray *out, uint32_t value)
{
    const uint8_t bytes[] = { value, value >> 8, value >> 16, value >> 24 };

    g_byte_array_append(out, bytes, sizeof(bytes));
}

void uefi_bytes_put_str(GByteArray *out, const uint16_t *str)
{
    for (; *str; str++) {
        const uint8_t bytes[] = { *str, *str >> 8 };

        g_byte_array_append(out, bytes, sizeof(bytes));
    }
}

void uefi_hex_append(GString *out, const uint8_t *data, size_t size)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < size; i++) {
        g_string_append_c(out, digits[data[i] >> 4]);
        g_string_append_c(out, digits[data[i] & 15]);
    }
}

int uefi_time_compare(const UefiTime *a, const UefiTime *b)
{
    int years = (a->b[0] | a->b[1] << 8) - (b->b[0] | b->b[1] << 8);

    /* month, day, hour, minute and second are one byte each */
    return years ? years : memcmp(a->b + 2, b->b + 2, 5);
}

char *uefi_time_print(const UefiTime *time)
{
    static const UefiTime never;
    const uint8_t *b = time->b;

    if (!uefi_time_compare(time, &never)) {
        return NULL;
    }
    return g_strdup_printf("%04u-%02u-%02uT%02u:%02u:%02u", b[0] | b[1] << 8,
                           b[2], b[3], b[4], b[5], b[6]);
}

UefiVariable *uefi_variable_new(const UefiGuid *guid, const uint16_t *name,
                                uint32_t attributes, GBytes *data)
{
    UefiVariable *var = g_new0(UefiVariable, 1);

    var->guid = *guid;
    var->name_size = uefi_str_size(name);
    var->name = g_memdup2(name, var->name_size);
    var->attributes = attributes;
    var->data = data;
    for (size_t i = 0; i < ARRAY_SIZE(var->link); i++) {
        var->link[i].data = var;
    }
    return var;
}

void uefi_variable_free(UefiVariable *var)
{
    if (!var) {
        return;
    }
    g_free(var->name);
    g_clear_pointer(&var->data, g_bytes_unref);
    g_clear_pointer(&var->binding, g_bytes_unref);
    g_free(var);
}

UefiVariable uefi_variable_key(const UefiGuid *guid, const uint16_t *name)
{
    return (UefiVariable) {
        .guid = *guid,
        .name = (uint16_t *)name,
        .name_size = uefi_str_size(name),
    };
}

int uefi_variable_compare(gconstpointer a, gconstpointer b, gpointer unused)
{
    const UefiVariable *x = a, *y = b;
    int order = memcmp(x->guid.b, y->guid.b, sizeof(x->guid.b));

    /* A shorter name ends where a longer one goes on: that differs, too. */
    return order ? order : memcmp(x->name, y->name,
                                  MIN(x->name_size, y->name_size));
}

static int compare_bytes(gconstpointer a, gconstpointer b, gpointer unused)
{
    return g_bytes_compare(a, b);
}

GTree *uefi_bytes_set_new(void)
{
    return g_tree_new_full(compare_bytes, NULL, (GDestroyNotify)g_bytes_unref,
                           NULL);
}

bool uefi_variable_is(const UefiVariable *var, const UefiGuid *guid,
                      const char *ascii)
{
    return uefi_guid_equal(&var->guid, guid) && uefi_str_is(var->name, ascii);
}

bool uefi_variable_is_persistent(const UefiVariable *var)
{
    /* certdb is made from the bindings of the variables it speaks of (7.4) */
    return (var->attributes & EFI_ATTR_NV) &&
           !uefi_variable_is(var, &uefi_guid_cert_db, "certdb");
}
