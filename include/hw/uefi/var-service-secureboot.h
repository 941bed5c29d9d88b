/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: modes of secure boot
 */

#ifndef HW_UEFI_VAR_SERVICE_SECUREBOOT_H
#define HW_UEFI_VAR_SERVICE_SECUREBOOT_H

#include "hw/uefi/var-service-update.h"

/** uefi_secureboot_init: derived variables at hard reset, as 9.1 orders them */
void uefi_secureboot_init(UefiVarService *uv);

/**
 * uefi_secureboot_fits: whether the variables of a class are not too many
 *
 * To load, that is: those that init makes, whatever the quota, are not
 * counted, as a guest may have removed them and filled the store.
 */
bool uefi_secureboot_fits(const UefiVarStore *store, UefiVarClass class);

/** uefi_secureboot_all_fit: the same of every class, and of their bindings */
bool uefi_secureboot_all_fit(const UefiVarStore *store);

/** uefi_secureboot_custom_mode: never at runtime: it is not visible (7.2) */
bool uefi_secureboot_custom_mode(const UefiVarService *uv);

/**
 * uefi_secureboot_protect: what nobody may write in this way (7.6, 7.7)
 *
 * State of the service is read-only in every phase, whatever the attributes
 * of the request, so this comes before all else that looks at the store.
 */
UefiReason uefi_secureboot_protect(UefiVarService *uv,
                                   const UefiVarRequest *req);

/** uefi_secureboot_put_mode: what follows from a PK that comes or goes (K5) */
void uefi_secureboot_put_mode(UefiVarService *uv, UefiVarChange *change,
                              bool setup);

/** uefi_secureboot_put_keys_modified: the vendor's keys are not all there is */
void uefi_secureboot_put_keys_modified(UefiVarService *uv,
                                       UefiVarChange *change);

/** uefi_secureboot_follow: make the cached state that of the store */
void uefi_secureboot_follow(UefiVarService *uv);

/* What the next reset will make of SecureBoot, and why */
typedef enum UefiSecureBoot {
    UEFI_SECURE_BOOT_SETUP_MODE,    /* off: there is no PK */
    UEFI_SECURE_BOOT_DISABLED,      /* off: SecureBootEnable is not 1 */
    UEFI_SECURE_BOOT_ENABLED,       /* on */
    UEFI_SECURE_BOOT_FORCED,        /* on, as the host insists */
} UefiSecureBoot;

/** uefi_secureboot_next: from the variables as they are now (9.1) */
UefiSecureBoot uefi_secureboot_next(const UefiVarService *uv);

static inline bool uefi_secure_boot_is_on(UefiSecureBoot state)
{
    return state == UEFI_SECURE_BOOT_ENABLED ||
           state == UEFI_SECURE_BOOT_FORCED;
}

/**
 * uefi_secureboot_save: cached state for migration; the caller unrefs
 *
 * Versioned, little endian.
 */
GBytes *uefi_secureboot_save(const UefiVarService *uv);

/**
 * uefi_secureboot_load: take over what uefi_secureboot_save() gave
 *
 * Call it after the store has been loaded, with which the state must agree.
 * Everything is validated first; on failure nothing has changed.
 */
bool uefi_secureboot_load(UefiVarService *uv, GBytes *bytes, GError **err);

#endif /* HW_UEFI_VAR_SERVICE_SECUREBOOT_H */
