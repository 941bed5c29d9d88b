/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: variable policies (6)
 *
 * The state is open to var-service-policy-messages.c.
 */

#ifndef HW_UEFI_VAR_SERVICE_POLICY_H
#define HW_UEFI_VAR_SERVICE_POLICY_H

#include "hw/uefi/var-service-msg.h"
#include "hw/uefi/var-service-update.h"

/* State descriptor (6.2): GUID, value, padding; a name follows */
#define POLICY_STATE_SIZE       18

typedef struct UefiVarPolicy {
    GBytes *entry;              /* as registered (6.2) */
    UefiGuid guid;
    uint32_t min_size;          /* bytes */
    uint32_t max_size;          /* bytes */
    uint32_t must_have;
    uint32_t cant_have;
    uint8_t lock;               /* EfiVarPolicyLock */
    uint8_t priority;           /* number of wildcards; less is better */
    uint16_t *name;             /* NULL for the whole namespace */
    UefiGuid state_guid;        /* these for EFI_VAR_POLICY_LOCK_ON_VAR_STATE */
    uint8_t state_value;
    uint16_t *state_name;
} UefiVarPolicy;

struct UefiVarPolicyState {
    GPtrArray *table;           /* UefiVarPolicy, in order of registration */
    size_t table_size;          /* of all entries, bytes */
    bool locked;
    bool disabled;
    GBytes *snapshot;           /* what DUMP hands out page by page, or NULL */
};

UefiVarPolicyState *uefi_policy_new(void);
void uefi_policy_free(UefiVarPolicyState *policy);
void uefi_policy_reset(UefiVarService *uv);

/** uefi_policy_lock: no more policies in this boot (command 5, EndOfDxe) */
void uefi_policy_lock(UefiVarService *uv);

/** uefi_policy_locked: whether policies can no longer be registered */
bool uefi_policy_locked(const UefiVarService *uv);

/** uefi_policy_count: number of registered policies */
size_t uefi_policy_count(const UefiVarService *uv);

/** uefi_policy_disabled: whether command 1 has succeeded */
bool uefi_policy_disabled(const UefiVarService *uv);

/** uefi_policy_find: the one that counts for (@guid, @name), or NULL (6.4) */
const UefiVarPolicy *uefi_policy_find(const UefiVarService *uv,
                                      const UefiGuid *guid,
                                      const uint16_t *name);

/**
 * uefi_policy_get_entry: the entry at the cursor
 * @size: set to its bytes, as the entry itself announces them
 *
 * Returns NULL for an unknown version or a size that cannot be (row G2).
 */
const uint8_t *uefi_policy_get_entry(UefiMsg *msg, size_t *size);

/**
 * uefi_policy_register: rows G3 to G6
 * @entry: from uefi_policy_get_entry()
 */
UefiReason uefi_policy_register(UefiVarService *uv, const void *entry,
                                size_t size);

/** uefi_policy_table: all entries back to back; NULL for an empty table */
GBytes *uefi_policy_table(const UefiVarPolicyState *state);

/** uefi_policy_check: rows N1 to N6 for a SetVariable */
UefiReason uefi_policy_check(UefiVarService *uv, const UefiVarRequest *req);

/** uefi_policy_lock_variable: function 8, a LOCK_NOW policy for one name */
UefiReason uefi_policy_lock_variable(UefiVarService *uv, const UefiGuid *guid,
                                     const uint16_t *name);

/**
 * uefi_policy_lock_now: a LOCK_NOW policy of the service itself (5.4)
 *
 * Neither the lock nor the guest's own policies, however many, stand in its
 * way; a policy that the name already has stays as it is.
 */
UefiReason uefi_policy_lock_now(UefiVarService *uv, const UefiGuid *guid,
                                const uint16_t *name);

/**
 * uefi_policy_save: all policies and flags for migration; the caller unrefs
 *
 * Versioned, little endian.  The snapshot of a DUMP in progress is left out:
 * the client starts over (6.6).
 */
GBytes *uefi_policy_save(const UefiVarService *uv);

/**
 * uefi_policy_load: take over what uefi_policy_save() gave
 *
 * Everything is validated first; on failure nothing has changed.
 */
bool uefi_policy_load(UefiVarService *uv, GBytes *bytes, GError **err);

#endif /* HW_UEFI_VAR_SERVICE_POLICY_H */
