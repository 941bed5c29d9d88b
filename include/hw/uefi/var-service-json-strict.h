/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: strict JSON, whatever the parser
 */

#ifndef HW_UEFI_VAR_SERVICE_JSON_STRICT_H
#define HW_UEFI_VAR_SERVICE_JSON_STRICT_H

#define UEFI_JSON_DEPTH     32      /* nested arrays and objects */
#define UEFI_JSON_TOKENS    (2 << 20)   /* what QEMU's parser takes */

/* The domain of errors that a text has, here and in var-service-text.c */
#define UEFI_TEXT_ERROR uefi_text_error_quark()
GQuark uefi_text_error_quark(void);

/**
 * uefi_text_fail: set @err
 *
 * Returns false.
 */
bool uefi_text_fail(GError **err, const char *format, ...)
    G_GNUC_PRINTF(2, 3);

/**
 * uefi_json_strict: check that @text is strict JSON, and make it easy to parse
 *
 * Returns equivalent JSON, which the caller frees, or NULL with @err set,
 * which names line and column.  The result is ASCII, without duplicate keys,
 * at most UEFI_JSON_DEPTH deep, and of no more than UEFI_JSON_TOKENS.  A
 * parser reads its strings as printable ASCII without quotes, where \uXXXX
 * stands for a 16-bit unit, a backslash or quote included: so any unit gets
 * through any parser, surrogates without partner and zero included.
 */
char *uefi_json_strict(const char *text, GError **err);

#endif /* HW_UEFI_VAR_SERVICE_JSON_STRICT_H */
