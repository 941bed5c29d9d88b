/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: strict JSON, whatever the parser
 */

#ifndef HW_UEFI_VAR_SERVICE_JSON_STRICT_H
#define HW_UEFI_VAR_SERVICE_JSON_STRICT_H

#define UEFI_JSON_DEPTH     32      /* nested arrays and objects */

/**
 * uefi_json_strict: check that @text is strict JSON, and make it easy to parse
 *
 * Returns equivalent JSON, which the caller frees, or NULL with @err set,
 * which names line and column.  The result is ASCII, without duplicate keys,
 * and at most UEFI_JSON_DEPTH deep.  A parser reads its strings as printable
 * ASCII without quotes, where \uXXXX stands for a 16-bit unit, a backslash or
 * quote included: so any unit gets through any parser, surrogates without
 * partner and zero included.
 */
char *uefi_json_strict(const char *text, GError **err);

#endif /* HW_UEFI_VAR_SERVICE_JSON_STRICT_H */
