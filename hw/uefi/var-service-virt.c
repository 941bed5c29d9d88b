/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: -M virt,x-uefi-vars=on
 *
 * Makes a uefi-vars-sysbus as -device would; -global configures it.
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "monitor/qdev.h"
#include "hw/uefi/var-service-api.h"
#include "hw/uefi/var-service-virt.h"

#define PROPERTY "x-uefi-vars"

/* A process has one machine, whose own state has no room for the choice. */
static bool wanted;

static bool uefi_vars_virt_get(Object *obj, Error **errp)
{
    return wanted;
}

static void uefi_vars_virt_set(Object *obj, bool value, Error **errp)
{
    wanted = value;
}

void uefi_vars_virt_class_init(ObjectClass *oc)
{
    object_class_property_add_bool(oc, PROPERTY, uefi_vars_virt_get,
                                   uefi_vars_virt_set);
    object_class_property_set_description(oc, PROPERTY,
                                          "Give the machine a UEFI variable "
                                          "store, device "
                                          TYPE_UEFI_VARS_SYSBUS);
}

void uefi_vars_virt_create(MachineState *machine)
{
    DeviceState *dev;

    if (!wanted) {
        return;
    }
    if (!module_object_class_by_name(TYPE_UEFI_VARS_SYSBUS)) {
        error_report("%s: device %s is not available", PROPERTY,
                     TYPE_UEFI_VARS_SYSBUS);
        exit(EXIT_FAILURE);
    }
    dev = qdev_new(TYPE_UEFI_VARS_SYSBUS);
    /* Among the devices of the user, so that it gets a device tree node */
    qdev_set_id(dev, NULL, &error_abort);
    qdev_realize_and_unref(dev, sysbus_get_default(), &error_fatal);
}
