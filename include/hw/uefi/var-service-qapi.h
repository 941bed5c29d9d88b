/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: what qapi/uefi.json has been made into
 *
 * In QEMU's own build it is a part of QEMU's schema.  The module for a
 * distribution's QEMU (module/) brings it along, with a prefix of its own, as
 * that QEMU has one without it.
 */

#ifndef HW_UEFI_VAR_SERVICE_QAPI_H
#define HW_UEFI_VAR_SERVICE_QAPI_H

#ifdef UEFI_VARS_MODULE
#include "uefi-vars-qapi-commands.h"
#include "uefi-vars-qapi-events.h"
#include "uefi-vars-qapi-visit.h"
#else
#include "qapi/qapi-commands-uefi.h"
#include "qapi/qapi-events-uefi.h"
#include "qapi/qapi-visit-uefi.h"
#endif

#endif /* HW_UEFI_VAR_SERVICE_QAPI_H */
