/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: elements of DER (X.690)
 */

#ifndef HW_UEFI_VAR_SERVICE_DER_H
#define HW_UEFI_VAR_SERVICE_DER_H

/* Identifier octets */
enum {
    DER_BOOLEAN         = 0x01,
    DER_INTEGER         = 0x02,
    DER_BIT_STRING      = 0x03,
    DER_OCTET_STRING    = 0x04,
    DER_NULL            = 0x05,
    DER_OID             = 0x06,
    DER_ENUMERATED      = 0x0a,
    DER_UTF8_STRING     = 0x0c,
    DER_PRIMITIVE_SEQUENCE = 0x10,  /* no such thing */
    DER_PRIMITIVE_SET   = 0x11,
    DER_NUMERIC_STRING  = 0x12,
    DER_PRINTABLE_STRING = 0x13,
    DER_T61_STRING      = 0x14,
    DER_IA5_STRING      = 0x16,
    DER_UTC_TIME        = 0x17,
    DER_GENERALIZED_TIME = 0x18,
    DER_UNIVERSAL_STRING = 0x1c,
    DER_BMP_STRING      = 0x1e,
    DER_SEQUENCE        = 0x30,
    DER_SET             = 0x31,
    DER_CONTEXT_0       = 0xa0,
    DER_CONTEXT_1       = 0xa1,
    DER_CONTEXT_2       = 0xa2,
    DER_CONTEXT_3       = 0xa3,
    DER_CONTEXT_4       = 0xa4,
    DER_PRIMITIVE_0     = 0x80,
    DER_PRIMITIVE_1     = 0x81,
    DER_PRIMITIVE_2     = 0x82,
    DER_PRIMITIVE_6     = 0x86,
    DER_PRIMITIVE_7     = 0x87,
    DER_PRIMITIVE_8     = 0x88,
};

/* Part of a buffer that somebody else owns */
typedef struct UefiDer {
    const uint8_t *data;
    size_t size;                /* bytes */
} UefiDer;

/**
 * uefi_der_take: take the element at the front of @in, of tag @tag
 * @value: set to its contents
 * @whole: set to all of it; may be NULL
 *
 * Returns false, with @in untouched, for anything but DER.  This includes the
 * contents of types such as INTEGER, but not what is tagged otherwise.
 */
bool uefi_der_take(UefiDer *in, uint8_t tag, UefiDer *value, UefiDer *whole);

/** uefi_der_at: whether an element of tag @tag seems to be next */
bool uefi_der_at(const UefiDer *in, uint8_t tag);

bool uefi_der_equal(const UefiDer *a, const void *data, size_t size);

/** uefi_der_take_oid: an object identifier, which must be this one */
bool uefi_der_take_oid(UefiDer *in, const uint8_t *oid, size_t size);

/** uefi_der_is_oid: whether @value can be that of an object identifier */
bool uefi_der_is_oid(const UefiDer *value);

/** uefi_der_is_integer: whether it can be that of an INTEGER */
bool uefi_der_is_integer(const UefiDer *value);

/**
 * uefi_der_is_bits: whether it can be that of a BIT STRING
 *
 * Its first byte is the number of bits that are not used in the last one.
 * They ought to be zero, but nobody who reads certificates insists.
 */
bool uefi_der_is_bits(const UefiDer *value);

/** uefi_der_take_small: an INTEGER from 0 to 127 */
bool uefi_der_take_small(UefiDer *in, unsigned *number);

/**
 * uefi_der_take_algorithm: an AlgorithmIdentifier without parameters, or with
 * NULL for them
 */
bool uefi_der_take_algorithm(UefiDer *in, UefiDer *oid);

/**
 * uefi_der_is_algorithm: whether @in holds the parts of an AlgorithmIdentifier,
 * which may have the parameters of a certificate's key or signature
 */
bool uefi_der_is_algorithm(UefiDer in);

/**
 * uefi_der_append_text: a string of any of the kinds that names have, as UTF-8
 *
 * Returns false for other kinds, and for what is not well-formed.
 */
bool uefi_der_append_text(GString *out, uint8_t tag, const UefiDer *chars);

#endif /* HW_UEFI_VAR_SERVICE_DER_H */
