/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: the text form of variables
 *
 * A document holds all persistent variables (docs/specs/uefi-vars.rst, 10),
 * a change what one request sets and removes.  Both are JSON.  Printing, and
 * everything that is to be checked, is done here; only the tree of a JSON
 * text is made by the parser of the build: QAPI visitors in QEMU, json-c
 * elsewhere.
 *
 * A document has one variable on a line:
 *
 *     {"version": 2, "variables": [
 *     {"name": "Lang", "guid": "8be4df61-...", "attr": 7, "data": "656e6700"},
 *     {"name": "db", "guid": "d719b2cb-...", "attr": 39, "data": "...", ...}
 *     ]}
 *
 * A change is one line without line feed, its variables in the order in which
 * they are to be applied; one without attr and data is removed:
 *
 *     {"change": [{"name": "Boot0001", "guid": "8be4df61-..."}]}
 */

#ifndef HW_UEFI_VAR_SERVICE_TEXT_H
#define HW_UEFI_VAR_SERVICE_TEXT_H

#include "hw/uefi/var-service.h"
#include "hw/uefi/var-service-json.h"
#include "hw/uefi/var-service-json-strict.h"
#include "hw/uefi/var-service-msg.h"

#define UEFI_TEXT_VERSION       2       /* of documents */
/* A document takes less than so many times what its variables count for. */
#define UEFI_TEXT_FACTOR        4
#define UEFI_TEXT_WARNINGS      16      /* for one document or change */

/**
 * uefi_text_parse: the variables of a text, in order
 * @root: UEFI_TEXT_DOCUMENT or UEFI_TEXT_CHANGE
 * @warnings: text (char *) is added for what was passed over; may be NULL
 *
 * Returns an array of UefiVariable, freed with it, or NULL with @err set, which
 * names place and reason.
 */
GPtrArray *uefi_text_parse(const char *text, UefiTextObject root,
                           GPtrArray *warnings, GError **err);

/**
 * uefi_text_parse_change: what uefi_text_print_change() has printed
 *
 * Returns NULL with @err set, which names place and reason.
 */
UefiVarChange *uefi_text_parse_change(const char *text, GError **err);

/**
 * uefi_text_print_variable: @var as one JSON object on one line
 *
 * Only name and GUID are printed when @var has no data.
 */
void uefi_text_print_variable(GString *out, const UefiVariable *var);

/**
 * uefi_text_print_document: the persistent variables; the caller frees
 *
 * The same variables in the same order always give the same bytes.
 */
char *uefi_text_print_document(const UefiVarStore *store);

/**
 * uefi_text_print_change: @change without what it sets that is volatile
 *
 * Returns text for uefi_text_parse_change(); the caller frees it.
 */
char *uefi_text_print_change(const UefiVarChange *change);

/* ------------------------------------------------------------------------ */
/* What the parser of the build asks */

/**
 * uefi_text_knows: whether @key is a member of @object
 * @where: path of the object, for a warning otherwise; empty for the root
 */
bool uefi_text_knows(UefiTextObject object, const char *key,
                     const char *where, GPtrArray *warnings);

/** uefi_text_check_version: whether a document of @version can be read */
bool uefi_text_check_version(int64_t version, GError **err);

#endif /* HW_UEFI_VAR_SERVICE_TEXT_H */
