/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: elements of DER, the form of their contents, strings
 */

#include "qemu/osdep.h"
#include "hw/uefi/var-service-der.h"

/* A length in as few bytes as can be */
static bool take_length(UefiDer *in, size_t *len)
{
    size_t n;

    if (!in->size) {
        return false;
    }
    *len = *in->data++;
    in->size--;
    if (*len < 0x80) {
        return true;
    }
    n = *len & 0x7f;
    if (n == 0 || n > sizeof(uint32_t) || n > in->size || in->data[0] == 0) {
        return false;
    }
    *len = 0;
    for (size_t i = 0; i < n; i++) {
        *len = *len << 8 | in->data[i];
    }
    in->data += n;
    in->size -= n;
    return *len >= 0x80;
}

bool uefi_der_is_oid(const UefiDer *value)
{
    bool first = true;          /* byte of a number */

    for (size_t i = 0; i < value->size; i++) {
        if (first && value->data[i] == 0x80) {
            return false;
        }
        first = !(value->data[i] & 0x80);
    }
    return value->size && first;
}

bool uefi_der_is_integer(const UefiDer *value)
{
    const uint8_t *data = value->data;

    return value->size == 1 ||
           (value->size > 1 && (data[0] != 0 || (data[1] & 0x80)) &&
            (data[0] != 0xff || !(data[1] & 0x80)));
}

bool uefi_der_is_bits(const UefiDer *value)
{
    return value->size && value->data[0] <= 7;
}

/* Whether this can be the contents of an element of tag @tag */
static bool is_content(uint8_t tag, const UefiDer *value)
{
    const uint8_t number = 0x1f, class = 0xc0, constructed = 0x20;

    switch (tag) {
    case DER_BOOLEAN:
        return value->size == 1;
    case DER_INTEGER:
    case DER_ENUMERATED:
        return uefi_der_is_integer(value);
    case DER_BIT_STRING:
        return uefi_der_is_bits(value);
    case DER_NULL:
        return value->size == 0;
    case DER_OID:
        return uefi_der_is_oid(value);
    case DER_UTC_TIME:          /* YYMMDDhhmmssZ */
        return value->size >= 13;
    case DER_GENERALIZED_TIME:  /* YYYYMMDDhhmmssZ */
        return value->size >= 15;
    case DER_BMP_STRING:
        return value->size % 2 == 0;
    case DER_UNIVERSAL_STRING:
        return value->size % 4 == 0;
    case DER_SEQUENCE:
    case DER_SET:
        return true;
    case DER_PRIMITIVE_SEQUENCE:
    case DER_PRIMITIVE_SET:
    case 0:
        return false;
    default:                    /* tags are of one byte, strings of one piece */
        return (tag & number) != number &&
               ((tag & class) || !(tag & constructed));
    }
}

bool uefi_der_take(UefiDer *in, uint8_t tag, UefiDer *value, UefiDer *whole)
{
    UefiDer rest;
    size_t len;

    if (!uefi_der_at(in, tag)) {
        return false;
    }
    rest = (UefiDer) { in->data + 1, in->size - 1 };
    if (!take_length(&rest, &len) || len > rest.size ||
        !is_content(tag, &(UefiDer) { rest.data, len })) {
        return false;
    }
    *value = (UefiDer) { rest.data, len };
    if (whole) {
        *whole = (UefiDer) { in->data, rest.data + len - in->data };
    }
    *in = (UefiDer) { rest.data + len, rest.size - len };
    return true;
}

bool uefi_der_at(const UefiDer *in, uint8_t tag)
{
    return in->size && in->data[0] == tag;
}

bool uefi_der_equal(const UefiDer *a, const void *data, size_t size)
{
    return a->size == size && memcmp(a->data, data, size) == 0;
}

bool uefi_der_take_oid(UefiDer *in, const uint8_t *oid, size_t size)
{
    UefiDer value;

    return uefi_der_take(in, DER_OID, &value, NULL) &&
           uefi_der_equal(&value, oid, size);
}

bool uefi_der_take_small(UefiDer *in, unsigned *number)
{
    UefiDer value;

    if (!uefi_der_take(in, DER_INTEGER, &value, NULL) || value.size != 1 ||
        (value.data[0] & 0x80)) {
        return false;
    }
    *number = value.data[0];
    return true;
}

bool uefi_der_take_algorithm(UefiDer *in, UefiDer *oid)
{
    UefiDer body, null;

    return uefi_der_take(in, DER_SEQUENCE, &body, NULL) &&
           uefi_der_take(&body, DER_OID, oid, NULL) &&
           (!body.size || uefi_der_take(&body, DER_NULL, &null, NULL)) &&
           !body.size;
}

bool uefi_der_is_algorithm(UefiDer in)
{
    UefiDer oid, value;

    return uefi_der_take(&in, DER_OID, &oid, NULL) &&
           (!in.size || uefi_der_take(&in, DER_OID, &value, NULL) ||
            uefi_der_take(&in, DER_NULL, &value, NULL) ||
            uefi_der_take(&in, DER_SEQUENCE, &value, NULL)) && !in.size;
}

static bool append_utf8(GString *out, const UefiDer *chars)
{
    for (size_t i = 0; i < chars->size;) {
        const char *p = (const char *)chars->data + i;
        gunichar c = *p ? g_utf8_get_char_validated(p, chars->size - i) : 0;

        if (c == (gunichar)-1 || c == (gunichar)-2) {
            return false;
        }
        i += *p ? g_utf8_next_char(p) - p : 1;
    }
    g_string_append_len(out, (const char *)chars->data, chars->size);
    return true;
}

/* A string with @width bytes for each character, the highest first */
static bool append_wide(GString *out, const UefiDer *chars, unsigned width)
{
    for (size_t i = 0; i < chars->size; i += width) {
        uint32_t c = 0;

        if (chars->size - i < width) {
            return false;
        }
        for (unsigned j = 0; j < width; j++) {
            c = c << 8 | chars->data[i + j];
        }
        if (c && !g_unichar_validate(c)) {
            return false;
        }
        g_string_append_unichar(out, c);
    }
    return true;
}

bool uefi_der_append_text(GString *out, uint8_t tag, const UefiDer *chars)
{
    switch (tag) {
    case DER_UTF8_STRING:
        return append_utf8(out, chars);
    case DER_NUMERIC_STRING:
    case DER_PRINTABLE_STRING:
    case DER_T61_STRING:        /* Latin-1 in practice */
    case DER_IA5_STRING:
        return append_wide(out, chars, 1);
    case DER_BMP_STRING:
        return append_wide(out, chars, 2);
    case DER_UNIVERSAL_STRING:
        return append_wide(out, chars, 4);
    default:
        return false;
    }
}
