/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * libqos driver for uefi-vars-xen (docs/specs/uefi-vars-xen.rst)
 *
 * Plays the firmware of XenServer.  Machines are started, restarted and
 * migrated by the functions of uefi-vars.h.
 */

#ifndef LIBQOS_UEFI_VARS_XEN_H
#define LIBQOS_UEFI_VARS_XEN_H

#include "uefi-vars.h"

/* The machines that can have it */
extern const QUefiDevice quefi_xen_devices[2];

/** quefi_xen_msg_new: a request, up to its fields */
QUefiMsg *quefi_xen_msg_new(uint32_t version, uint32_t command);

/* Fields */
void quefi_xen_put_name(QUefiMsg *msg, const char *name);
void quefi_xen_put_blob(QUefiMsg *msg, const void *data, size_t size);

/**
 * quefi_xen_exchange: put @msg at page frame @frame, and hand it over
 *
 * @msg becomes what is there then, all that the device could have written.
 */
void quefi_xen_exchange(QUefiVars *uv, QUefiMsg *msg, uint32_t frame);

/** quefi_xen_send: in RAM; returns the status, the position is behind it */
EfiStatus quefi_xen_send(QUefiVars *uv, QUefiMsg *msg);

/** quefi_xen_set_text: SetVariable, a value without terminator */
EfiStatus quefi_xen_set_text(QUefiVars *uv, const char *name,
                             uint32_t attributes, const char *text,
                             bool at_runtime);

/** quefi_xen_get: GetVariable; on success the value as text in *@text */
EfiStatus quefi_xen_get(QUefiVars *uv, const char *name, bool at_runtime,
                        char **text);

/** quefi_xen_list: names of all visible variables of QUEFI_VENDOR, "A B C" */
char *quefi_xen_list(QUefiVars *uv, bool at_runtime);

#endif /* LIBQOS_UEFI_VARS_XEN_H */
