/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: the JSON parser of the build
 *
 * hw/uefi/var-service-json.c in QEMU, standalone/json-c.c elsewhere.
 */

#ifndef HW_UEFI_VAR_SERVICE_JSON_H
#define HW_UEFI_VAR_SERVICE_JSON_H

/* The JSON objects that a text consists of */
typedef enum UefiTextObject {
    UEFI_TEXT_DOCUMENT,     /* version, variables */
    UEFI_TEXT_CHANGE,       /* change */
    UEFI_TEXT_VARIABLE,     /* name, guid, attr, data, time, ... */
} UefiTextObject;

/*
 * The members of a UEFI_TEXT_VARIABLE, unchecked; strings are owned, in the
 * form that uefi_json_strict() gives them, and NULL when missing, which name
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
 * uefi_json_parse: the parser of the build
 * @json: made by uefi_json_strict()
 * @kind: UEFI_TEXT_DOCUMENT or UEFI_TEXT_CHANGE
 *
 * Returns an array of UefiTextEntry, freed with it, or NULL with @err set.
 */
GPtrArray *uefi_json_parse(const char *json, UefiTextObject kind,
                           GPtrArray *warnings, GError **err);

#endif /* HW_UEFI_VAR_SERVICE_JSON_H */
