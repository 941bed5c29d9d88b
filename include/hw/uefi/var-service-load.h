/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: what the text of a store means
 *
 * Documents and changes in their order make a store, if it has room for them.
 * What other programs write differently is made right here.
 */

#ifndef HW_UEFI_VAR_SERVICE_LOAD_H
#define HW_UEFI_VAR_SERVICE_LOAD_H

#include "hw/uefi/var-service-text.h"

/**
 * uefi_load_parse: the variables of a document, in order
 * @text: zero bytes are a blank store; white space alone is not
 * @warnings: as for uefi_text_parse()
 *
 * Returns an array of UefiVariable, freed with it, or NULL with @err set, which
 * names place and reason.  certdb becomes the bindings of its variables, and
 * VendorKeysNv gets its own GUID.
 */
GPtrArray *uefi_load_parse(const char *text, GPtrArray *warnings,
                           GError **err);

/**
 * uefi_load_store: fill the empty store of @uv
 * @document: NULL or zero bytes for a blank store
 * @records: changes since then, as text (char *), in order; may be NULL
 * @warnings: as for uefi_text_parse()
 *
 * Returns false with @err set, and @uv as it was, when anything is wrong, the
 * variables being more than the store can hold included.
 */
bool uefi_load_store(UefiVarService *uv, const char *document,
                     GPtrArray *records, GPtrArray *warnings, GError **err);

/**
 * uefi_load_check_room: whether a device with the limits of @store loads it
 *
 * Returns false with @err set, which names the property to change.
 */
bool uefi_load_check_room(const UefiVarStore *store, GError **err);

#endif /* HW_UEFI_VAR_SERVICE_LOAD_H */
