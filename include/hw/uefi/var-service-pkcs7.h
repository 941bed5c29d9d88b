/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: detached signatures
 *
 * Everything that needs a cryptographic library is behind this interface.
 * Built without one, the stub of it refuses every signature.
 */

#ifndef HW_UEFI_VAR_SERVICE_PKCS7_H
#define HW_UEFI_VAR_SERVICE_PKCS7_H

#include "hw/uefi/var-service-limits.h"
#include "hw/uefi/var-service-reason.h"

/* A PKCS#7 SignedData (RFC 2315) with at least one signer */
typedef struct UefiPkcs7 UefiPkcs7;

/** uefi_pkcs7_available: whether signatures can be verified at all */
bool uefi_pkcs7_available(void);

/**
 * uefi_pkcs7_parse: read a signature, with or without ContentInfo around it
 * @der: @size bytes, copied
 * @reason: why not, when NULL is returned
 *
 * Says nothing about the validity of the signature.  Fails unless the first
 * digest algorithm and that of each signer is SHA-256, SHA-384 or SHA-512
 * (protocol 7.3 S4).  The caller frees.
 */
UefiPkcs7 *uefi_pkcs7_parse(const uint8_t *der, size_t size,
                            UefiReason *reason);
void uefi_pkcs7_free(UefiPkcs7 *p7);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(UefiPkcs7, uefi_pkcs7_free)

/**
 * uefi_pkcs7_verify: whether every signer has signed @data
 *
 * Until this has succeeded the signature has no signers, chains to nothing
 * and gives no binding.
 */
UefiReason uefi_pkcs7_verify(UefiPkcs7 *p7, const uint8_t *data, size_t size);

/**
 * uefi_pkcs7_is_over: whether every signer has signed @data
 *
 * For telling people why uefi_pkcs7_verify() has failed for other data; it
 * stays failed.
 */
bool uefi_pkcs7_is_over(UefiPkcs7 *p7, const uint8_t *data, size_t size);

/**
 * uefi_pkcs7_chains_to: whether every signer chains to one certificate
 * @anchor: @size bytes that begin with a DER certificate
 *
 * A signer whose certificate is the anchor does; so does one that leads to a
 * certificate which the anchor has issued, through embedded certificates of
 * authorities.  The anchor need not be self-signed.  Dates and purposes do
 * not matter (protocol 7.3, signature rules).
 */
UefiReason uefi_pkcs7_chains_to(UefiPkcs7 *p7, const uint8_t *anchor,
                                size_t size);

/** uefi_pkcs7_signers: number of signers; 0 unless verified */
size_t uefi_pkcs7_signers(const UefiPkcs7 *p7);

/** uefi_pkcs7_signer: DER certificate of signer @i; borrowed from @p7 */
const uint8_t *uefi_pkcs7_signer(const UefiPkcs7 *p7, size_t i, size_t *size);

/** uefi_pkcs7_last_certificate: of a verified signature's bag; borrowed */
const uint8_t *uefi_pkcs7_last_certificate(const UefiPkcs7 *p7, size_t *size);

/** uefi_pkcs7_digest_size: bytes of a digest by the request's algorithm */
size_t uefi_pkcs7_digest_size(const UefiPkcs7 *p7);

/**
 * uefi_pkcs7_binding: what ties a variable to its signer (protocol 7.4, D)
 *
 * The digest, by the request's algorithm, of the common name of the last
 * signer and the TBSCertificate of the first.  Returns NULL when there is no
 * common name or nothing verified; the caller unrefs.
 */
GBytes *uefi_pkcs7_binding(const UefiPkcs7 *p7);

/**
 * uefi_pkcs7_binding_of_qemu: the same as QEMU's first implementation has it
 *
 * SHA-256 of the common name of the last signer and the SHA-256 digest of the
 * last certificate in the bag, which is the top-level one there.
 */
GBytes *uefi_pkcs7_binding_of_qemu(const UefiPkcs7 *p7);

#endif /* HW_UEFI_VAR_SERVICE_PKCS7_H */
