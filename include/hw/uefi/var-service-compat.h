/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: the glue builds in trees of QEMU 10.0 and later
 *
 * Only what changed its place or its type between releases stands here.
 */

#ifndef HW_UEFI_VAR_SERVICE_COMPAT_H
#define HW_UEFI_VAR_SERVICE_COMPAT_H

/* The headers moved during the development of 11.0. */
#if __has_include("hw/core/boards.h")
#include "hw/core/boards.h"
#include "hw/core/qdev-properties.h"
#include "hw/core/qdev-properties-system.h"
#include "hw/core/sysbus.h"
#else
#include "hw/boards.h"
#include "hw/qdev-properties.h"
#include "hw/qdev-properties-system.h"
#include "hw/sysbus.h"
#endif
#if __has_include("qemu/aio.h")
#include "qemu/aio.h"
#include "qemu/aio-wait.h"
#else
#include "block/aio.h"
#include "block/aio-wait.h"
#endif

/*
 * Since 10.1, static type descriptions and class data are constant, and a
 * handler of run states can have a sibling that returns a result.
 */
#if QEMU_VERSION_MAJOR > 10 || \
    (QEMU_VERSION_MAJOR == 10 && QEMU_VERSION_MINOR >= 1)
typedef const void UefiVarClassData;
typedef const InterfaceInfo UefiVarInterfaces;
#define uefi_vars_add_run_state_handler(dev, handler, opaque) \
    qdev_add_vm_change_state_handler(dev, handler, NULL, opaque)
#else
typedef void UefiVarClassData;
typedef InterfaceInfo UefiVarInterfaces;
#define uefi_vars_add_run_state_handler(dev, handler, opaque) \
    qdev_add_vm_change_state_handler(dev, handler, opaque)
#endif

/* Since 10.2, a microvm has its device tree where all machines have theirs. */
#if QEMU_VERSION_MAJOR > 10 || \
    (QEMU_VERSION_MAJOR == 10 && QEMU_VERSION_MINOR >= 2)
#define uefi_vars_microvm_tree(mms)     (MACHINE(mms)->fdt)
#else
#define uefi_vars_microvm_tree(mms)     ((mms)->fdt)
#endif

#endif /* HW_UEFI_VAR_SERVICE_COMPAT_H */
