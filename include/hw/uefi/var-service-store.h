/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: the database of variables
 *
 * Find, order, quota, change sets.
 */

#ifndef HW_UEFI_VAR_SERVICE_STORE_H
#define HW_UEFI_VAR_SERVICE_STORE_H

#include "hw/uefi/var-service-limits.h"
#include "hw/uefi/var-service-utils.h"

/* Who looks: at runtime only variables with EFI_ATTR_RT exist. */
typedef enum UefiVarView {
    UEFI_VIEW_BOOT,
    UEFI_VIEW_RUNTIME,
    UEFI_VIEW__MAX
} UefiVarView;

/* What a variable counts against */
typedef enum UefiVarClass {
    UEFI_CLASS_VOLATILE,
    UEFI_CLASS_NV,
    UEFI_CLASS_HWERR,
    UEFI_CLASS__MAX
} UefiVarClass;

/* Variables set and removed by one request, in order, all or nothing */
typedef struct UefiVarChange {
    GPtrArray *vars;        /* UefiVariable, owned */
} UefiVarChange;

UefiVarChange *uefi_var_change_new(void);
void uefi_var_change_free(UefiVarChange *change);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(UefiVarChange, uefi_var_change_free)

/** uefi_var_change_add: @var is taken over; without data it is a removal */
void uefi_var_change_add(UefiVarChange *change, UefiVariable *var);

/** uefi_var_change_remove: remove the variable (@guid, @name) */
void uefi_var_change_remove(UefiVarChange *change, const UefiGuid *guid,
                            const uint16_t *name);

typedef struct UefiVarStore UefiVarStore;

/** uefi_store_new: an empty store; @limits is borrowed for its life */
UefiVarStore *uefi_store_new(const UefiVarLimits *limits);
void uefi_store_free(UefiVarStore *store);

/** uefi_store_find: the variable as stored, or NULL; valid until a change */
const UefiVariable *uefi_store_find(const UefiVarStore *store,
                                    UefiVarView view, const UefiGuid *guid,
                                    const uint16_t *name);

/** uefi_store_find_ascii: the same, for a well-known name */
const UefiVariable *uefi_store_find_ascii(const UefiVarStore *store,
                                          UefiVarView view,
                                          const UefiGuid *guid,
                                          const char *name);

/**
 * uefi_store_next: the variable behind @var, or the first for NULL
 *
 * Volatile variables come first, then non-volatile ones, each in the order of
 * their last effective write (8).  Returns NULL at the end.
 */
const UefiVariable *uefi_store_next(const UefiVarStore *store,
                                    UefiVarView view,
                                    const UefiVariable *var);

/** uefi_store_class: what @attributes count against */
UefiVarClass uefi_store_class(uint32_t attributes);

/** uefi_store_capacity: bytes of records that a class can hold */
uint64_t uefi_store_capacity(const UefiVarStore *store, UefiVarClass class);

/** uefi_store_used: bytes of records that a class holds */
uint64_t uefi_store_used(const UefiVarStore *store, UefiVarClass class);

/**
 * uefi_store_bindings: bytes of the signers that a class is bound to (7.4)
 *
 * A digest is smaller than the record of its variable: a guest cannot make
 * them larger than the capacity of the class.
 */
uint64_t uefi_store_bindings(const UefiVarStore *store, UefiVarClass class);

/** uefi_store_record_size: bytes that a variable counts for (3.8) */
uint64_t uefi_store_record_size(const uint16_t *name, size_t data_size);

/**
 * uefi_store_check: whether the store can hold what @change makes of it
 *
 * Only a class that grows is checked, so that an overfull store (a smaller
 * limit than last time) can still shrink.
 */
UefiReason uefi_store_check(const UefiVarStore *store,
                            const UefiVarChange *change);

/** uefi_store_apply: publish @change and leave it empty */
void uefi_store_apply(UefiVarStore *store, UefiVarChange *change);

/** uefi_store_drop_volatile: what a hard reset does to variables */
void uefi_store_drop_volatile(UefiVarStore *store);

/** uefi_var_change_touches_nv: whether @change alters what is persistent */
bool uefi_var_change_touches_nv(const UefiVarStore *store,
                                const UefiVarChange *change);

#endif /* HW_UEFI_VAR_SERVICE_STORE_H */
