/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: the glue builds in trees of QEMU 10.0 and later
 *
 * Only what changed its place or its type between releases stands here.
 */

#ifndef HW_UEFI_VAR_SERVICE_COMPAT_H
#define HW_UEFI_VAR_SERVICE_COMPAT_H

#if QEMU_VERSION_MAJOR >= 11
#include "hw/core/boards.h"
#include "hw/core/qdev-properties.h"
#include "hw/core/sysbus.h"
#else
#include "hw/boards.h"
#include "hw/qdev-properties.h"
#include "hw/sysbus.h"
#endif

/* Since 10.1, static type descriptions and class data are constant. */
#if QEMU_VERSION_MAJOR > 10 || \
    (QEMU_VERSION_MAJOR == 10 && QEMU_VERSION_MINOR >= 1)
typedef const void UefiVarClassData;
typedef const InterfaceInfo UefiVarInterfaces;
#else
typedef void UefiVarClassData;
typedef InterfaceInfo UefiVarInterfaces;
#endif

#endif /* HW_UEFI_VAR_SERVICE_COMPAT_H */
