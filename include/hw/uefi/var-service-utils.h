/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: CHAR16 strings, times, single variables
 */

#ifndef HW_UEFI_VAR_SERVICE_UTILS_H
#define HW_UEFI_VAR_SERVICE_UTILS_H

#include "hw/uefi/var-service-guid.h"
#include "hw/uefi/var-service-reason.h"

/*
 * CHAR16 strings are arrays of 16-bit units in host byte order that end with
 * a zero unit.  Any other unit is legal in the name of a variable, surrogates
 * without partner included.
 */

/** uefi_str_len: length in units, without the terminator */
size_t uefi_str_len(const uint16_t *str);

/** uefi_str_size: size in bytes on the wire, terminator included */
size_t uefi_str_size(const uint16_t *str);

bool uefi_str_equal(const uint16_t *a, const uint16_t *b);

/** uefi_str_is: whether @str has exactly the characters of @ascii */
bool uefi_str_is(const uint16_t *str, const char *ascii);

/** uefi_str_dup: a copy; the caller frees */
uint16_t *uefi_str_dup(const uint16_t *str);

/** uefi_str_from_ascii: @ascii as CHAR16; the caller frees */
uint16_t *uefi_str_from_ascii(const char *ascii);

/**
 * uefi_str_append: @str as UTF-8, at the end of @out
 * @escape: ASCII characters that must not appear as themselves
 *
 * They, surrogates without partner, control characters and what is no
 * character at all become \uXXXX, unit for unit.
 */
void uefi_str_append(GString *out, const uint16_t *str, const char *escape);

/**
 * uefi_str_append_visible: text for people
 *
 * As above, and what cannot be seen or steers a terminal becomes \uXXXX, too.
 */
void uefi_str_append_visible(GString *out, const uint16_t *str);

/**
 * uefi_str_print: the same for names, a backslash becoming \u005c
 *
 * So no two names are printed alike.  The caller frees.
 */
char *uefi_str_print(const uint16_t *str);

/** uefi_bytes_put_u32: @value, little endian, at the end of @out */
void uefi_bytes_put_u32(GByteArray *out, uint32_t value);

/** uefi_bytes_put_str: the units of @str without its terminator */
void uefi_bytes_put_str(GByteArray *out, const uint16_t *str);

/** uefi_hex_append: two digits for each byte, in small letters */
void uefi_hex_append(GString *out, const uint8_t *data, size_t size);

/* An EFI_TIME as it stands on the wire */
typedef struct UefiTime {
    uint8_t b[EFI_TIME_SIZE];
} UefiTime;

/**
 * uefi_time_compare: by year, month, day, hour, minute and second
 *
 * Returns less than, equal to or greater than 0, as @a is to @b.
 */
int uefi_time_compare(const UefiTime *a, const UefiTime *b);

/**
 * uefi_time_print: "YYYY-MM-DDThh:mm:ss", or NULL if all of that is 0
 *
 * The caller frees it.
 */
char *uefi_time_print(const UefiTime *time);

/*
 * A variable.  Values are immutable and shared; a variable whose data is NULL
 * stands for its removal in a UefiVarChange.
 */
typedef struct UefiVariable {
    UefiGuid guid;
    uint16_t *name;         /* owned */
    size_t name_size;       /* bytes, terminator included */
    uint32_t attributes;    /* never with EFI_ATTR_AP */
    UefiTime time;          /* zero unless EFI_ATTR_AT */
    GBytes *data;           /* owned reference */
    GBytes *binding;        /* signer (7.4), owned reference; NULL for none */
    bool in_place;          /* in a change: keep the place of the old value */
    GList link[2];          /* place in the store, one for each UefiVarView */
} UefiVariable;

/**
 * uefi_variable_new: a variable outside any store, its time zero
 * @name: copied
 * @data: reference is taken over; NULL for a removal
 */
UefiVariable *uefi_variable_new(const UefiGuid *guid, const uint16_t *name,
                                uint32_t attributes, GBytes *data);
void uefi_variable_free(UefiVariable *var);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(UefiVariable, uefi_variable_free)

/** uefi_variable_key: to look a variable up by; borrows @name */
UefiVariable uefi_variable_key(const UefiGuid *guid, const uint16_t *name);

/**
 * uefi_variable_compare: a total order by GUID and name, for a GTree
 *
 * Guests choose names.  Whatever they are, a tree finds each in a few steps; a
 * hash that the guest knows does not.
 */
int uefi_variable_compare(gconstpointer a, gconstpointer b, gpointer unused);

/** uefi_bytes_set_new: a set of GBytes, which it owns, for the same reason */
GTree *uefi_bytes_set_new(void);

/** uefi_variable_is: whether @var is the one named (@guid, @ascii) */
bool uefi_variable_is(const UefiVariable *var, const UefiGuid *guid,
                      const char *ascii);

/** uefi_variable_is_persistent: whether @var belongs into the file */
bool uefi_variable_is_persistent(const UefiVariable *var);

#endif /* HW_UEFI_VAR_SERVICE_UTILS_H */
