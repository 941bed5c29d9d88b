/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: limits
 *
 * One number each, with the edk2 constant that it mirrors.
 */

#ifndef HW_UEFI_VAR_SERVICE_LIMITS_H
#define HW_UEFI_VAR_SERVICE_LIMITS_H

typedef struct UefiVarLimits {
    uint32_t nv_size;           /* PcdFlashNvStorageVariableSize */
    uint32_t volatile_size;     /* PcdVariableStoreSize */
    uint32_t max_var;           /* PcdMaxVariableSize */
    uint32_t max_auth;          /* PcdMaxAuthVariableSize */
    uint32_t max_volatile;      /* PcdMaxVolatileVariableSize */
    uint32_t max_hwerr;         /* PcdMaxHardwareErrorVariableSize */
    uint32_t hwerr_quota;       /* PcdHwErrStorageSize */
} UefiVarLimits;

#define UEFI_LIMIT_NV_SIZE          0x40000
#define UEFI_LIMIT_NV_SIZE_MIN      4096
/*
 * QEMU's JSON parser takes 2 million tokens, and the least record can become
 * 26 of them: what fits here can be read again.
 */
#define UEFI_LIMIT_NV_SIZE_MAX      0x400000
#define UEFI_LIMIT_VOLATILE_SIZE    0x40000
#define UEFI_LIMIT_MAX_VAR          0x8400
#define UEFI_LIMIT_MAX_AUTH         0x8400
#define UEFI_LIMIT_MAX_VOLATILE     0x8400
#define UEFI_LIMIT_MAX_HWERR        0x8000
#define UEFI_LIMIT_HWERR_QUOTA      0

/* What a guest can make the host hold that is no variable (ours) */
#define UEFI_LIMIT_POLICY_BYTES     0x10000     /* all of the guest, bytes */
#define UEFI_LIMIT_PROPERTIES       512         /* set by function 9 */
#define UEFI_LIMIT_PROPERTY_BYTES   0x10000     /* all their names, bytes */
#define UEFI_LIMIT_LANG_CODES       0x1000      /* each list, bytes */
#define UEFI_LIMIT_LANG_TAG         255         /* one language, characters */
/* Signer of one variable (7.4), bytes: a digest, or few certificates (T3) */
#define UEFI_LIMIT_BINDING          0x2000
/* What a guest can make the host walk in one request (ours) */
#define UEFI_LIMIT_CERTIFICATES     64          /* in one signature */
#define UEFI_LIMIT_PARSE_EFFORT     0x2000000   /* squared sizes of those */
#define UEFI_LIMIT_VALUE_EFFORT     0x4000000   /* the same for a value's */
#define UEFI_LIMIT_IGNORED_BYTES    0x8000      /* attributes, CRLs */
#define UEFI_LIMIT_SIGNERS          4           /* in one signature */
#define UEFI_LIMIT_ATTRIBUTES       32          /* of one signer */
#define UEFI_LIMIT_EXTENSIONS       64          /* of one certificate */
#define UEFI_LIMIT_KEY_BITS         8192        /* of one RSA key */
#define UEFI_LIMIT_KEY_EFFORT       64          /* RSA-2048 verifications */

#endif /* HW_UEFI_VAR_SERVICE_LIMITS_H */
