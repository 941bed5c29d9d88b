/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: QMP in emulators whose machines never have one
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qapi/qapi-commands-uefi.h"

static void no_store(Error **errp)
{
    error_setg(errp, "this machine has no UEFI variable store");
}

UefiVarInfoPage *qmp_query_uefi_vars(const char *guid, const char *name,
                                     bool has_data, bool data,
                                     bool has_skip, uint64_t skip,
                                     bool has_limit, uint64_t limit,
                                     Error **errp)
{
    no_store(errp);
    return NULL;
}

UefiVarStoreInfo *qmp_query_uefi_vars_status(Error **errp)
{
    no_store(errp);
    return NULL;
}

void qmp_uefi_vars_set(const char *name, const char *guid, const char *data,
                       bool has_attributes, UefiVarAttributeList *attributes,
                       bool has_force, bool force, Error **errp)
{
    no_store(errp);
}

void qmp_uefi_vars_delete(const char *name, const char *guid, bool has_force,
                          bool force, Error **errp)
{
    no_store(errp);
}
