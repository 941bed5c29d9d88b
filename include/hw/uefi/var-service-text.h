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
#include "hw/uefi/var-service-msg.h"

#define UEFI_TEXT_VERSION       2       /* of documents */
#define UEFI_TEXT_DEPTH         32      /* nested arrays and objects */
#define UEFI_TEXT_WARNINGS      16      /* for one document or change */

#define UEFI_TEXT_ERROR uefi_text_error_quark()
GQuark uefi_text_error_quark(void);

/**
 * uefi_text_parse_document: the variables of a document, in order
 * @text: zero bytes are a blank store; white space alone is not
 * @warnings: text (char *) is added for what was passed over; may be NULL
 *
 * Returns an array of UefiVariable, freed with it, or NULL with @err set, which
 * names place and reason.  What other programs write differently is made
 * right: certdb becomes the bindings of its variables, and VendorKeysNv gets
 * its own GUID.
 */
GPtrArray *uefi_text_parse_document(const char *text, GPtrArray *warnings,
                                    GError **err);

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

/**
 * uefi_text_load: fill the empty store of @uv
 * @document: NULL or zero bytes for a blank store
 * @records: changes since then, as text (char *), in order; may be NULL
 * @warnings: as for uefi_text_parse_document()
 *
 * Returns false with @err set, and @uv as it was, when anything is wrong, the
 * variables being more than the store can hold included.
 */
bool uefi_text_load(UefiVarService *uv, const char *document,
                    GPtrArray *records, GPtrArray *warnings, GError **err);

/**
 * uefi_text_check_room: whether a device with the limits of @store loads it
 *
 * Returns false with @err set, which names the property to change.
 */
bool uefi_text_check_room(const UefiVarStore *store, GError **err);

/* ------------------------------------------------------------------------ */
/* The parser of the build: var-service-json.c or standalone/json-c.c */

/* The JSON objects that a text consists of */
typedef enum UefiTextObject {
    UEFI_TEXT_DOCUMENT,     /* version, variables */
    UEFI_TEXT_CHANGE,       /* change */
    UEFI_TEXT_VARIABLE,     /* name, guid, attr, data, time, ... */
} UefiTextObject;

/*
 * The members of a UEFI_TEXT_VARIABLE, unchecked; strings are owned, in the
 * form that uefi_text_scan() gives them, and NULL when missing, which name
 * and guid never are.
 */
typedef struct UefiTextEntry {
    char *name;
    char *guid;
    bool has_attr;
    int64_t attr;
    char *data;
    char *time;
    char *timestamp;
    char *digest;
} UefiTextEntry;

void uefi_text_entry_free(UefiTextEntry *entry);

/**
 * uefi_text_scan: check that @text is strict JSON, and make it easy to parse
 *
 * Returns equivalent JSON, which the caller frees, or NULL with @err set,
 * which names line and column.  The result is ASCII, without duplicate keys,
 * and at most UEFI_TEXT_DEPTH deep.  A parser reads its strings as printable
 * ASCII without quotes, where \uXXXX stands for a 16-bit unit, a backslash or
 * quote included: so any unit gets through any parser, surrogates without
 * partner and zero included.
 */
char *uefi_text_scan(const char *text, GError **err);

/**
 * uefi_text_fail: set @err
 *
 * Returns false.
 */
bool uefi_text_fail(GError **err, const char *format, ...)
    G_GNUC_PRINTF(2, 3);

/**
 * uefi_text_knows: whether @key is a member of @object
 * @where: path of the object, for a warning otherwise; empty for the root
 */
bool uefi_text_knows(UefiTextObject object, const char *key,
                     const char *where, GPtrArray *warnings);

/** uefi_text_check_version: whether a document of @version can be read */
bool uefi_text_check_version(int64_t version, GError **err);

/**
 * uefi_json_parse: the parser of the build
 * @json: made by uefi_text_scan()
 * @kind: UEFI_TEXT_DOCUMENT or UEFI_TEXT_CHANGE
 *
 * Returns an array of UefiTextEntry, freed with it, or NULL with @err set.
 */
GPtrArray *uefi_json_parse(const char *json, UefiTextObject kind,
                           GPtrArray *warnings, GError **err);

#endif /* HW_UEFI_VAR_SERVICE_TEXT_H */
