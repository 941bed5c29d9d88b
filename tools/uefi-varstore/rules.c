/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: what the device would have refused
 */

#include "qemu/osdep.h"
#include "tool.h"
#include "hw/uefi/var-service-api.h"
#include "hw/uefi/var-service-check.h"
#include "hw/uefi/var-service-known.h"

/* A message that carries a variable: headers of 2.1, 3.1 and 3.3, in bytes */
#define MESSAGE_HEADERS (EFI_MM_HEADER_SIZE_64 + 16 + 36)

/* Made anew from keys, settings, and the signers of other variables */
static bool is_derived(const UefiKnown *known, const UefiVariable *var)
{
    return (known->kind == UEFI_KNOWN_KIND_STATE &&
            known->id != UEFI_KNOWN_VENDOR_KEYS_NV) ||
           /* of firmware that knows more modes than ours */
           uefi_variable_is(var, &uefi_guid_global, "AuditMode") ||
           uefi_variable_is(var, &uefi_guid_global, "DeployedMode");
}

/* What VarCheck of the device says (5.1, 5.2), read-only ones aside */
static UefiReason check_rules(const ToolStore *s, const UefiVariable *var,
                              const UefiKnown *known)
{
    UefiVarRequest req = {
        .guid = var->guid,
        .name = var->name,
        .known = known,
        .attributes = var->attributes,
        .data = g_bytes_get_data(var->data, NULL),
        .size = g_bytes_get_size(var->data),
        .payload = g_bytes_get_data(var->data, NULL),
        .payload_size = g_bytes_get_size(var->data),
    };
    UefiReason reason = uefi_check_rules(s->uv, &req);

    return reason == UEFI_REASON_CHECK_READ_ONLY ? UEFI_REASON_OK : reason;
}

static bool is_time(const UefiTime *time)
{
    static const UefiTime never;
    const uint8_t *b = time->b;

    return !uefi_time_compare(time, &never) ||
           (b[2] >= 1 && b[2] <= 12 && b[3] >= 1 && b[3] <= 31 && b[4] < 24 &&
            b[5] < 60 && b[6] < 60);
}

char *tool_rule_broken(const ToolStore *s, const UefiVariable *var)
{
    const UefiKnown *known = uefi_known_find(&var->guid, var->name);
    bool keys = known->kind != UEFI_KNOWN_KIND_STATE &&
                (known->property.attributes & EFI_ATTR_AT);
    bool is_switch = known->id == UEFI_KNOWN_SECURE_BOOT_ENABLE ||
                     known->id == UEFI_KNOWN_CUSTOM_MODE;
    size_t size;
    const uint8_t *data = g_bytes_get_data(var->data, &size);
    UefiReason reason = check_rules(s, var, known);

    if (is_derived(known, var)) {
        return g_strdup("it is made from other variables, and not stored");
    }
    if (keys && !(var->attributes & EFI_ATTR_AT)) {
        return g_strdup("it needs AT among its attributes");
    }
    if (reason != UEFI_REASON_OK) {
        return g_strdup(uefi_reason_text(reason));
    }
    reason = keys ? uefi_siglist_check(data, size, known->id == UEFI_KNOWN_PK)
                  : UEFI_REASON_OK;
    if (reason != UEFI_REASON_OK) {
        return g_strdup_printf("it is no valid signature list (ESL): %s",
                               uefi_reason_text(reason));
    }
    if (is_switch && (size != 1 || data[0] > 1)) {
        return g_strdup("it is 0 or 1");
    }
    if (uefi_str_size(var->name) + size >
        UEFI_VARS_MAX_BUFFER_SIZE - MESSAGE_HEADERS) {
        return g_strdup("it is too large for a guest to read");
    }
    return is_time(&var->time) ? NULL : g_strdup("its time stamp is no date");
}
