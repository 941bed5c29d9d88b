/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: options that several commands have
 */

#include "qemu/osdep.h"
#include "format.h"

ToolOptions tool_options = {
    .size = UEFI_LIMIT_NV_SIZE,
    .hwerr_quota = UEFI_LIMIT_HWERR_QUOTA,
};

/* @option: as typed; what is wrong ends as a wrong usage */
static gboolean fail(GError **err, const char *option, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

static gboolean fail(GError **err, const char *option, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error(err, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "%s: %s",
                option, text);
    return FALSE;
}

static gboolean parse_vendor(const char *option, const char *value,
                             UefiGuid *guid, GError **err)
{
    return tool_parse_vendor(value, guid) ||
           fail(err, option, "'%s' is neither a GUID nor a known vendor",
                value);
}

gboolean tool_option_guid(const char *option, const char *value,
                          gpointer opaque, GError **err)
{
    static UefiGuid guid;

    tool_options.vendor = &guid;
    return parse_vendor(option, value, &guid, err);
}

gboolean tool_option_owner(const char *option, const char *value,
                           gpointer opaque, GError **err)
{
    return parse_vendor(option, value, &tool_options.owner, err);
}

gboolean tool_option_attributes(const char *option, const char *value,
                                gpointer opaque, GError **err)
{
    tool_options.has_attributes = true;
    return tool_parse_attributes(value, &tool_options.attributes) ||
           fail(err, option, "'%s' are no attributes, which are NV, BS, RT, "
                "HR and AT, or a number", value);
}

gboolean tool_option_time(const char *option, const char *value,
                          gpointer opaque, GError **err)
{
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    g_autoptr(GDateTime) when = g_date_time_new_from_iso8601(value, utc);
    g_autoptr(GDateTime) when_utc = when ? g_date_time_to_utc(when) : NULL;

    if (!when_utc) {
        return fail(err, option, "'%s' is not like '2024-01-31 12:00:00'",
                    value);
    }
    tool_options.has_time = true;
    tool_time_from(when_utc, &tool_options.time);
    return TRUE;
}

/* A number of bytes, or with a suffix, of 1024 or 1024 * 1024 of them */
static bool parse_size(const char *text, gint64 *size)
{
    size_t len = strlen(text);
    g_autofree char *number = g_strdup(text);
    unsigned shift = 0;
    guint64 value;

    if (len && strchr("kK", text[len - 1])) {
        shift = 10;
    } else if (len && text[len - 1] == 'M') {
        shift = 20;
    }
    number[len - !!shift] = 0;
    if (!g_ascii_string_to_unsigned(number, 10, 0, UINT32_MAX, &value, NULL)) {
        return false;
    }
    *size = (gint64)value << shift;
    return true;
}

gboolean tool_option_size(const char *option, const char *value,
                          gpointer opaque, GError **err)
{
    if (!parse_size(value, &tool_options.size) ||
        tool_options.size < UEFI_LIMIT_NV_SIZE_MIN ||
        tool_options.size > UEFI_LIMIT_NV_SIZE_MAX) {
        return fail(err, option, "'%s' is no size between %dk and %dM", value,
                    UEFI_LIMIT_NV_SIZE_MIN >> 10, UEFI_LIMIT_NV_SIZE_MAX >> 20);
    }
    return TRUE;
}

gboolean tool_option_hwerr_quota(const char *option, const char *value,
                                 gpointer opaque, GError **err)
{
    return parse_size(value, &tool_options.hwerr_quota) ||
           fail(err, option, "'%s' is no size, such as 4096 or 4k", value);
}

bool tool_check_limits(GError **err)
{
    gint64 max = tool_options.size - UEFI_LIMIT_NV_SIZE_MIN;

    return tool_options.hwerr_quota <= max ||
           fail(err, "--hwerr-quota", "the size leaves no more than %" PRIi64
                " bytes", max);
}

void tool_configure(ToolStore *s)
{
    /* an image has a size of its own */
    s->uv->config.limits.nv_size = s->foreign && s->foreign->room
                                   ? s->foreign->room : tool_options.size;
    s->uv->config.limits.hwerr_quota = tool_options.hwerr_quota;
}

bool tool_check_attributes(const UefiVarLimits *limits, uint32_t attributes)
{
    UefiReason reason = uefi_vars_host_attributes(limits, attributes);
    g_autofree char *shown = tool_attributes(attributes);

    if (reason != UEFI_REASON_OK) {
        tool_fail("the attributes %s are refused: %s%s", *shown ? shown : "0",
                  uefi_reason_text(reason),
                  reason == UEFI_REASON_SET_NO_HR ? " (see --hwerr-quota)"
                                                  : "");
    }
    return reason == UEFI_REASON_OK;
}
