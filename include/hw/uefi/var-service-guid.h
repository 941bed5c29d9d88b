/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: GUIDs
 */

#ifndef HW_UEFI_VAR_SERVICE_GUID_H
#define HW_UEFI_VAR_SERVICE_GUID_H

/* A GUID as it stands on the wire (mixed endian, UEFI 2.10 appendix A) */
typedef struct UefiGuid {
    uint8_t b[16];
} UefiGuid;

#define UEFI_GUID_TEXT_LEN 36   /* characters, without the terminator */

/* The initializer of a UefiGuid from its printed form aaaaaaaa-bbbb-cccc-… */
#define UEFI_GUID(a, b, c, d0, d1, e0, e1, e2, e3, e4, e5)                  \
    { { (a) & 0xff, ((a) >> 8) & 0xff, ((a) >> 16) & 0xff, (a) >> 24,       \
        (b) & 0xff, (b) >> 8, (c) & 0xff, (c) >> 8,                         \
        d0, d1, e0, e1, e2, e3, e4, e5 } }

/* Message targets */
extern const UefiGuid uefi_guid_variable_protocol;
extern const UefiGuid uefi_guid_policy_protocol;
extern const UefiGuid uefi_guid_end_of_dxe;
extern const UefiGuid uefi_guid_ready_to_boot;
extern const UefiGuid uefi_guid_exit_boot_services;

/* Variable vendors */
extern const UefiGuid uefi_guid_global;
extern const UefiGuid uefi_guid_image_security;
extern const UefiGuid uefi_guid_secure_boot_enable;
extern const UefiGuid uefi_guid_custom_mode;
extern const UefiGuid uefi_guid_vendor_keys_nv;
extern const UefiGuid uefi_guid_cert_db;
extern const UefiGuid uefi_guid_hw_error;
extern const UefiGuid uefi_guid_var_error_flag;
extern const UefiGuid uefi_guid_mor_control;
extern const UefiGuid uefi_guid_mor_control_lock;

/* Certificate and signature types */
extern const UefiGuid uefi_guid_cert_pkcs7;
extern const UefiGuid uefi_guid_cert_x509;
extern const UefiGuid uefi_guid_cert_sha1;
extern const UefiGuid uefi_guid_cert_sha224;
extern const UefiGuid uefi_guid_cert_sha256;
extern const UefiGuid uefi_guid_cert_sha384;
extern const UefiGuid uefi_guid_cert_sha512;
extern const UefiGuid uefi_guid_cert_rsa2048;
extern const UefiGuid uefi_guid_cert_rsa2048_sha1;
extern const UefiGuid uefi_guid_cert_rsa2048_sha256;
extern const UefiGuid uefi_guid_cert_x509_sha256;
extern const UefiGuid uefi_guid_cert_x509_sha384;
extern const UefiGuid uefi_guid_cert_x509_sha512;

bool uefi_guid_equal(const UefiGuid *a, const UefiGuid *b);

/**
 * uefi_guid_parse: read the canonical text form, either case
 *
 * Returns false, with @guid untouched, for anything else.
 */
bool uefi_guid_parse(const char *text, UefiGuid *guid);

/**
 * uefi_guid_print: the canonical text form in lower case; the caller frees
 */
char *uefi_guid_print(const UefiGuid *guid);

/**
 * uefi_guid_name: a short name such as "GLOBAL", or NULL when not known here
 */
const char *uefi_guid_name(const UefiGuid *guid);

#endif /* HW_UEFI_VAR_SERVICE_GUID_H */
