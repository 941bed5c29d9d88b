/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: options that several commands have
 */

#include "qemu/osdep.h"
#include "tool.h"

ToolOptions tool_options = {
    .size = UEFI_LIMIT_NV_SIZE,
    .hwerr_quota = UEFI_LIMIT_HWERR_QUOTA,
};

bool tool_check_limits(void)
{
    if (tool_options.size < UEFI_LIMIT_NV_SIZE_MIN ||
        tool_options.size > UEFI_LIMIT_NV_SIZE_MAX) {
        tool_fail("--size is between %d and %d", UEFI_LIMIT_NV_SIZE_MIN,
                  UEFI_LIMIT_NV_SIZE_MAX);
        return false;
    }
    if (tool_options.hwerr_quota < 0 ||
        tool_options.hwerr_quota > tool_options.size - UEFI_LIMIT_NV_SIZE_MIN) {
        tool_fail("--hwerr-quota is between 0 and %" PRIi64,
                  tool_options.size - UEFI_LIMIT_NV_SIZE_MIN);
        return false;
    }
    return true;
}

void tool_configure(ToolStore *s)
{
    s->uv->config.limits.nv_size = tool_options.size;
    s->uv->config.limits.hwerr_quota = tool_options.hwerr_quota;
}

bool tool_get_vendor(UefiGuid *buf, const UefiGuid **vendor)
{
    *vendor = NULL;
    if (!tool_options.vendor) {
        return true;
    }
    if (!tool_parse_vendor(tool_options.vendor, buf)) {
        tool_fail("'%s' is neither a GUID nor a known vendor",
                  tool_options.vendor);
        return false;
    }
    *vendor = buf;
    return true;
}

bool tool_read_attributes(const char *text, const UefiVarLimits *limits,
                          uint32_t *attributes)
{
    UefiReason reason;

    if (text && !tool_parse_attributes(text, attributes)) {
        tool_fail("--attr: '%s' are no attributes, which are NV, BS, RT, HR "
                  "and AT, or a number", text);
        return false;
    }
    reason = uefi_vars_host_attributes(limits, *attributes);
    if (reason != UEFI_REASON_OK) {
        g_autofree char *shown = tool_attributes(*attributes);

        tool_fail("the attributes %s are refused: %s%s", *shown ? shown : "0",
                  uefi_reason_text(reason),
                  reason == UEFI_REASON_SET_NO_HR ? " (see --hwerr-quota)"
                                                  : "");
    }
    return reason == UEFI_REASON_OK;
}
