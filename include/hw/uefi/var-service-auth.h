/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: who may write which variable
 */

#ifndef HW_UEFI_VAR_SERVICE_AUTH_H
#define HW_UEFI_VAR_SERVICE_AUTH_H

#include "hw/uefi/var-service-update.h"

/* Which rule applies (7.2) */
typedef enum UefiAuthRule {
    UEFI_AUTH_PRIVATE,
    UEFI_AUTH_PK,               /* PK itself */
    UEFI_AUTH_KEK,              /* KEK: signed by PK */
    UEFI_AUTH_DB,               /* signed by PK or by one of KEK */
} UefiAuthRule;

/* What a request does to the platform mode (K5) */
typedef enum UefiAuthMode {
    UEFI_AUTH_MODE_STAYS,
    UEFI_AUTH_MODE_SETUP,       /* PK goes */
    UEFI_AUTH_MODE_USER,        /* PK comes */
} UefiAuthMode;

/*
 * How a request is treated, and what follows from it; decided once, before
 * anything has changed, for all who ask later
 */
typedef struct UefiAuthPlan {
    UefiAuthRule rule;
    bool needs_signature;       /* K3, K4, K8; not used for private ones */
    UefiAuthMode mode;
    bool modifies_vendor_keys;  /* they are no longer all there is (7.6) */
} UefiAuthPlan;

/** uefi_auth_plan: for a request of the guest */
UefiAuthPlan uefi_auth_plan(const UefiVarService *uv,
                            const UefiVarRequest *req);

/**
 * uefi_auth_plan_host: for a request of the host
 *
 * Keys have all effects that they have when a guest writes them in custom
 * mode: enrolling or removing PK changes the platform mode at once.
 */
UefiAuthPlan uefi_auth_plan_host(const UefiVarService *uv,
                                 const UefiVarRequest *req);

/**
 * uefi_auth_set: steps 16 to 18 of 4.2: who may write, then 4.3
 *
 * On success @change holds every variable that the request sets or removes.
 */
UefiReason uefi_auth_set(UefiVarService *uv, const UefiVarRequest *req,
                         const UefiAuthPlan *plan, UefiVarChange *change);

/**
 * uefi_auth_set_host: what follows from a request of the host, into @change
 *
 * The request itself is in there already; nobody has signed it.  Keys are
 * checked to be signature lists.
 */
UefiReason uefi_auth_set_host(UefiVarService *uv, const UefiVarRequest *req,
                              const UefiAuthPlan *plan,
                              UefiVarChange *change);

/** uefi_auth_committed: it has been committed; follow with cached state */
void uefi_auth_committed(UefiVarService *uv, const UefiAuthPlan *plan);

#endif /* HW_UEFI_VAR_SERVICE_AUTH_H */
