/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: well-known variables and their contents
 */

#ifndef HW_UEFI_VAR_SERVICE_KNOWN_H
#define HW_UEFI_VAR_SERVICE_KNOWN_H

#include "hw/uefi/var-service-edk2.h"
#include "hw/uefi/var-service-guid.h"

/* Attributes by their names in the property table */
#define UEFI_ATTR_A3    (EFI_ATTR_NV | EFI_ATTR_BS)
#define UEFI_ATTR_A6    (EFI_ATTR_BS | EFI_ATTR_RT)
#define UEFI_ATTR_A7    (EFI_ATTR_NV | UEFI_ATTR_A6)
#define UEFI_ATTR_A0F   (EFI_ATTR_HR | UEFI_ATTR_A7)
#define UEFI_ATTR_A23   (EFI_ATTR_AT | UEFI_ATTR_A3)
#define UEFI_ATTR_A26   (EFI_ATTR_AT | UEFI_ATTR_A6)
#define UEFI_ATTR_A27   (EFI_ATTR_AT | UEFI_ATTR_A7)

/* What VarCheck demands of a variable (5.1) */
typedef struct UefiVarProperty {
    uint16_t flags;             /* EFI_VAR_CHECK_PROPERTY_READ_ONLY */
    uint32_t attributes;        /* 0: any */
    uint64_t min_size;          /* bytes */
    uint64_t max_size;          /* bytes */
} UefiVarProperty;

typedef struct UefiKnownVariable {
    const UefiGuid *guid;
    const char *name;           /* #### at the end: four upper-case digits */
    bool (*is_valid)(const uint8_t *data, size_t size);
    UefiVarProperty property;
} UefiKnownVariable;

/**
 * uefi_known_find: what is known of the variable (@guid, @name), or NULL
 *
 * A pattern itself is a name like any other, and stands for its entry.
 */
const UefiKnownVariable *uefi_known_find(const UefiGuid *guid,
                                         const uint16_t *name);

/** uefi_known_fits: whether @name is @pattern with digits for its "####" */
bool uefi_known_fits(const char *pattern, const uint16_t *name);

#endif /* HW_UEFI_VAR_SERVICE_KNOWN_H */
