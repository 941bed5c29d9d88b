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
#include "hw/uefi/var-service-x509.h"

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

#define UEFI_SHA256_SIZE    32      /* bytes */

typedef struct UefiKeyCert {
    UefiGuid owner;             /* SignatureOwner */
    UefiX509Info *info;         /* owned; NULL if unreadable */
    uint8_t sha256[UEFI_SHA256_SIZE];
} UefiKeyCert;

typedef struct UefiKeyStatus {
    const char *name;
    const UefiGuid *guid;
    const UefiVariable *var;    /* borrowed from the store; NULL for none */
    GArray *counts;             /* UefiSigCount, in order of appearance */
    GPtrArray *certs;           /* UefiKeyCert, the first UEFI_STATUS_CERTS */
    bool damaged;               /* the rest of the value is no lists */
} UefiKeyStatus;

/*
 * Microsoft's certificates, which nearly every store has.  Those of 2011 end
 * in 2026: firmware does not look at dates, but nothing new is signed for them
 * afterwards.
 */
typedef enum UefiVendorCertId {
    UEFI_VENDOR_KEK_2011,
    UEFI_VENDOR_WINDOWS_2011,
    UEFI_VENDOR_UEFI_2011,
    UEFI_VENDOR_KEK_2023,
    UEFI_VENDOR_WINDOWS_2023,
    UEFI_VENDOR_UEFI_2023,
    UEFI_VENDOR_ROM_2023,        /* option ROMs, as of devices passed through */
    UEFI_VENDOR__MAX
} UefiVendorCertId;

typedef struct UefiVendorCert {
    const char *name;           /* common name */
    const char *until;          /* end of its validity, YYYY-MM-DD */
    UefiKey key;                /* where it belongs */
    UefiVendorCertId successor;        /* UEFI_VENDOR__MAX: none */
    uint8_t sha256[UEFI_SHA256_SIZE];
} UefiVendorCert;

extern const UefiVendorCert uefi_vendor_certs[UEFI_VENDOR__MAX];

/** uefi_vendor_cert_find: that of this SHA-256, or UEFI_VENDOR__MAX */
UefiVendorCertId uefi_vendor_cert_find(const uint8_t *sha256);

/* Whether a store will take what is signed from 2026 on */
typedef enum UefiReadiness {
    UEFI_READINESS_NONE,        /* no keys at all */
    UEFI_READINESS_OWN,         /* no certificates of Microsoft's */
    UEFI_READINESS_OUTDATED,    /* one of 2011 without its successor */
    UEFI_READINESS_READY,
} UefiReadiness;

/** uefi_readiness_name: one word */
const char *uefi_readiness_name(UefiReadiness readiness);

/* Valid until the store changes */
typedef struct UefiVarStatus {
    bool setup_mode;            /* there is no PK */
    bool secure_boot;           /* what the variable SecureBoot says now */
    bool custom_mode;
    UefiSecureBoot next;        /* secure boot after the next reset */
    UefiKeyStatus keys[UEFI_KEY__MAX];
    uint64_t dbx_room;          /* bytes that can be appended to dbx */
    bool known[UEFI_VENDOR__MAX];    /* enrolled where it belongs */
    UefiReadiness readiness;
} UefiVarStatus;

/** uefi_status_new: look at the store of @uv, which may not have been reset */
UefiVarStatus *uefi_status_new(const UefiVarService *uv);
void uefi_status_free(UefiVarStatus *status);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(UefiVarStatus, uefi_status_free)

/** uefi_status_why: in words, what makes secure boot @next */
const char *uefi_status_why(UefiSecureBoot next);

/** uefi_sig_count: add what @list holds to @counts, of UefiSigCount */
void uefi_sig_count(GArray *counts, const UefiSigList *list);

/** uefi_sha256: @digest has room for UEFI_SHA256_SIZE bytes */
void uefi_sha256(const void *data, size_t size, uint8_t *digest);

/** uefi_sig_type_name: "x509", "sha256", ..., or NULL when not known here */
const char *uefi_sig_type_name(const UefiGuid *type);

#endif /* HW_UEFI_VAR_SERVICE_STATUS_H */
