/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: what an administrator wants to know of a store
 *
 * The same for a running service and for a store that a tool has loaded.
 */

#ifndef HW_UEFI_VAR_SERVICE_STATUS_H
#define HW_UEFI_VAR_SERVICE_STATUS_H

#include "hw/uefi/var-service-secureboot.h"
#include "hw/uefi/var-service-siglist.h"

#define UEFI_STATUS_CERTS   64      /* certificates described, of each key */

typedef enum UefiKey {
    UEFI_KEY_PK,
    UEFI_KEY_KEK,
    UEFI_KEY_DB,
    UEFI_KEY_DBX,
    UEFI_KEY__MAX
} UefiKey;

/* How many signatures of a type there are */
typedef struct UefiSigCount {
    UefiGuid type;
    size_t count;
} UefiSigCount;

typedef struct UefiKeyCert {
    UefiGuid owner;             /* SignatureOwner */
    char *subject;              /* owned, RFC 4514; NULL if unreadable */
} UefiKeyCert;

typedef struct UefiKeyStatus {
    const char *name;
    const UefiGuid *guid;
    const UefiVariable *var;    /* borrowed from the store; NULL for none */
    GArray *counts;             /* UefiSigCount, in order of appearance */
    GPtrArray *certs;           /* UefiKeyCert, the first UEFI_STATUS_CERTS */
    bool damaged;               /* the rest of the value is no lists */
} UefiKeyStatus;

/* Valid until the store changes */
typedef struct UefiVarStatus {
    bool setup_mode;            /* there is no PK */
    bool secure_boot;           /* what the variable SecureBoot says now */
    bool custom_mode;
    UefiSecureBoot next;        /* secure boot after the next reset */
    UefiKeyStatus keys[UEFI_KEY__MAX];
    uint64_t dbx_room;          /* bytes that can be appended to dbx */
} UefiVarStatus;

/** uefi_status_new: look at the store of @uv, which may not have been reset */
UefiVarStatus *uefi_status_new(const UefiVarService *uv);
void uefi_status_free(UefiVarStatus *status);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(UefiVarStatus, uefi_status_free)

/** uefi_status_why: in words, what makes secure boot @next */
const char *uefi_status_why(UefiSecureBoot next);

/** uefi_sig_count: add what @list holds to @counts, of UefiSigCount */
void uefi_sig_count(GArray *counts, const UefiSigList *list);

/** uefi_sig_type_name: "x509", "sha256", ..., or NULL when not known here */
const char *uefi_sig_type_name(const UefiGuid *type);

#endif /* HW_UEFI_VAR_SERVICE_STATUS_H */
