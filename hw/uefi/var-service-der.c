/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: elements of DER
 */

#include "qemu/osdep.h"
#include <libtasn1.h>
#include "hw/uefi/var-service-der.h"

bool uefi_der_take(UefiDer *in, uint8_t tag, UefiDer *value, UefiDer *whole)
{
    uint8_t shortest[1 + sizeof(unsigned long)];
    int len_size, shortest_size;
    long len;

    if (in->size < 2 || in->size > INT_MAX || in->data[0] != tag) {
        return false;
    }
    len = asn1_get_length_der(in->data + 1, in->size - 1, &len_size);
    if (len < 0 || len > in->size - 1 - len_size) {
        return false;
    }
    asn1_length_der(len, shortest, &shortest_size);
    if (len_size != shortest_size) {
        return false;
    }
    *value = (UefiDer) { in->data + 1 + len_size, len };
    if (whole) {
        *whole = (UefiDer) { in->data, 1 + len_size + len };
    }
    in->data = value->data + len;
    in->size -= 1 + len_size + len;
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

bool uefi_der_take_version_1(UefiDer *in)
{
    UefiDer value;

    return uefi_der_take(in, DER_INTEGER, &value, NULL) &&
           uefi_der_equal(&value, "\1", 1);
}

bool uefi_der_take_algorithm(UefiDer *in, UefiDer *oid)
{
    UefiDer body, null = { };

    return uefi_der_take(in, DER_SEQUENCE, &body, NULL) &&
           uefi_der_take(&body, DER_OID, oid, NULL) &&
           (body.size == 0 || uefi_der_take(&body, DER_NULL, &null, NULL)) &&
           body.size == 0 && null.size == 0;
}
