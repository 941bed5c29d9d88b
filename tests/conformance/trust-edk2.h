/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What edk2 says about a signature, with the library that edk2 uses
 *
 * The calls of OpenSSL are those of edk2's Pkcs7Verify() and of the functions
 * around it, in the same order and with the same flags (August 2026).
 */

#ifndef TESTS_CONFORMANCE_TRUST_EDK2_H
#define TESTS_CONFORMANCE_TRUST_EDK2_H

#include <glib.h>

/** edk2_digest: S4, the name of the digest algorithm, or NULL for a bad one */
const char *edk2_digest(GBytes *signature);

/** edk2_verify: S4 and S6, with one certificate as anchor */
gboolean edk2_verify(GBytes *signature, GBytes *anchor, GBytes *data);

/**
 * edk2_passes_over: whether there is a certificate whose key or algorithm the
 * library does not know, so that it neither issues nor is issued
 */
gboolean edk2_passes_over(GBytes *signature);

/** edk2_binding: D of 7.4, or NULL where edk2 would refuse to make one */
GBytes *edk2_binding(GBytes *signature);

#endif /* TESTS_CONFORMANCE_TRUST_EDK2_H */
