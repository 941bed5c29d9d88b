/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: signatures, in a build without GnuTLS
 *
 * Nothing can be verified, so nothing that is signed is accepted.
 */

#include "qemu/osdep.h"
#include "hw/uefi/var-service-pkcs7.h"
#include "hw/uefi/var-service-x509.h"

bool uefi_pkcs7_available(void)
{
    return false;
}

UefiPkcs7 *uefi_pkcs7_parse(const uint8_t *der, size_t size,
                            UefiReason *reason)
{
    *reason = UEFI_REASON_PKCS7_NO_LIBRARY;
    return NULL;
}

void uefi_pkcs7_free(UefiPkcs7 *p7)
{
}

UefiReason uefi_pkcs7_verify(UefiPkcs7 *p7, const uint8_t *data, size_t size)
{
    return UEFI_REASON_PKCS7_NO_LIBRARY;
}

bool uefi_pkcs7_is_over(UefiPkcs7 *p7, const uint8_t *data, size_t size)
{
    return false;
}

UefiReason uefi_pkcs7_chains_to(UefiPkcs7 *p7, const uint8_t *anchor,
                                size_t size)
{
    return UEFI_REASON_PKCS7_NO_LIBRARY;
}

size_t uefi_pkcs7_signers(const UefiPkcs7 *p7)
{
    return 0;
}

const uint8_t *uefi_pkcs7_signer(const UefiPkcs7 *p7, size_t i, size_t *size)
{
    *size = 0;
    return NULL;
}

const uint8_t *uefi_pkcs7_last_certificate(const UefiPkcs7 *p7, size_t *size)
{
    *size = 0;
    return NULL;
}

size_t uefi_pkcs7_digest_size(const UefiPkcs7 *p7)
{
    return 0;
}

GBytes *uefi_pkcs7_binding(const UefiPkcs7 *p7)
{
    return NULL;
}

GBytes *uefi_pkcs7_binding_of_qemu(const UefiPkcs7 *p7)
{
    return NULL;
}

UefiReason uefi_x509_check_rsa_key(const uint8_t *der, size_t size,
                                   size_t *effort)
{
    return UEFI_REASON_SIGLIST_CERT;
}

UefiX509Info *uefi_x509_info_new(const uint8_t *der, size_t size)
{
    return NULL;
}

void uefi_x509_info_free(UefiX509Info *info)
{
}
