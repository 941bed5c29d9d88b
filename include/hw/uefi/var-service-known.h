/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: well-known variables and their contents (5.3)
 *
 * Which one a request names is looked up once, here.  Whoever has a rule for
 * one looks at the id: a new one is a row in var-service-known.h.inc, and a
 * case there.
 */

#ifndef HW_UEFI_VAR_SERVICE_KNOWN_H
#define HW_UEFI_VAR_SERVICE_KNOWN_H

#include "hw/uefi/var-service-update.h"

typedef enum UefiKnownId {
    UEFI_KNOWN_NONE,            /* any other variable */
#define X(id, ...) UEFI_KNOWN_##id
#include "hw/uefi/var-service-known.h.inc"
#undef X
    UEFI_KNOWN__MAX
} UefiKnownId;

typedef enum UefiKnownKind {
    UEFI_KNOWN_KIND_FREE,       /* VarCheck has no property for it */
    UEFI_KNOWN_KIND_RW,
    UEFI_KNOWN_KIND_RO,
    UEFI_KNOWN_KIND_STATE,      /* of the service; nobody else writes it */
} UefiKnownKind;

/* What VarCheck demands of a variable (5.1) */
typedef struct UefiVarProperty {
    uint16_t flags;             /* EFI_VAR_CHECK_PROPERTY_READ_ONLY */
    uint32_t attributes;        /* 0: any */
    uint64_t min_size;          /* bytes */
    uint64_t max_size;          /* bytes */
} UefiVarProperty;

struct UefiKnown {
    UefiKnownId id;
    UefiKnownKind kind;
    const UefiGuid *guid;       /* NULL: whatever the vendor is */
    const char *name;           /* #### at the end: four upper-case digits */
    UefiVarProperty property;
    bool (*is_valid)(const uint8_t *data, size_t size);
};

/** uefi_known: what is known of @id */
const UefiKnown *uefi_known(UefiKnownId id);

/**
 * uefi_known_find: what is known of the variable (@guid, @name), never NULL
 *
 * A pattern itself is a name like any other, and stands for its entry.
 */
const UefiKnown *uefi_known_find(const UefiGuid *guid, const uint16_t *name);

/** uefi_known_stored: the variable of this id, or NULL */
const UefiVariable *uefi_known_stored(const UefiVarService *uv,
                                      UefiKnownId id);

/** uefi_known_is_on: whether its first byte is 1; not if it is missing */
bool uefi_known_is_on(const UefiVarService *uv, UefiKnownId id);

/** uefi_known_put: uefi_vars_put() with the attributes that it should have */
UefiVariable *uefi_known_put(UefiVarService *uv, UefiVarChange *change,
                             UefiKnownId id, const void *data, size_t size);

/** uefi_known_put_byte: the same for a value of one byte */
UefiVariable *uefi_known_put_byte(UefiVarService *uv, UefiVarChange *change,
                                  UefiKnownId id, uint8_t value);

#endif /* HW_UEFI_VAR_SERVICE_KNOWN_H */
