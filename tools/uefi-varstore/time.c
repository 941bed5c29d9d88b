/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: times of updates
 */

#include "qemu/osdep.h"
#include "tool.h"

UefiTime tool_now(void)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    UefiTime time;

    tool_time_from(now, &time);
    return time;
}

void tool_time_from(GDateTime *when, UefiTime *time)
{
    UefiMsg msg;

    memset(time, 0, sizeof(*time));
    uefi_msg_init(&msg, time->b, sizeof(time->b), 8);
    uefi_msg_put_u16(&msg, g_date_time_get_year(when));
    uefi_msg_put_u8(&msg, g_date_time_get_month(when));
    uefi_msg_put_u8(&msg, g_date_time_get_day_of_month(when));
    uefi_msg_put_u8(&msg, g_date_time_get_hour(when));
    uefi_msg_put_u8(&msg, g_date_time_get_minute(when));
    uefi_msg_put_u8(&msg, g_date_time_get_second(when));
}
