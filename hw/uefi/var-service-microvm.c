/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: the device tree of microvm machines
 *
 * Their firmware has the drivers of virt machines, which look for a platform
 * bus with the device on it.  A microvm has no such bus, so uefi-vars-x64 gets
 * one of its own size.
 */

#include "qemu/osdep.h"
#include "hw/uefi/var-service-api.h"
#include "hw/uefi/var-service-microvm.h"
#include "system/device_tree.h"

void uefi_vars_microvm_fdt(void *fdt)
{
    static const char compatible[] = "qemu,platform\0simple-bus";
    static const char bus[] = "/platform-bus";
    static const char node[] = "/platform-bus/" UEFI_VARS_FDT_NODE "@0";

    if (!object_resolve_path_type("", TYPE_UEFI_VARS_X64, NULL)) {
        return;
    }
    qemu_fdt_add_subnode(fdt, bus);
    qemu_fdt_setprop(fdt, bus, "compatible", compatible, sizeof(compatible));
    qemu_fdt_setprop_cell(fdt, bus, "#address-cells", 1);
    qemu_fdt_setprop_cell(fdt, bus, "#size-cells", 1);
    qemu_fdt_setprop_sized_cells(fdt, bus, "ranges", 1, 0,
                                 2, UEFI_VARS_X64_BASE,
                                 1, UEFI_VARS_PAGE_SIZE);
    qemu_fdt_add_subnode(fdt, node);
    qemu_fdt_setprop_string(fdt, node, "compatible", UEFI_VARS_FDT_COMPAT);
    qemu_fdt_setprop_sized_cells(fdt, node, "reg", 1, 0,
                                 1, UEFI_VARS_REGS_SIZE);
}
