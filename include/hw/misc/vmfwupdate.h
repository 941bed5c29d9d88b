/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A guest that replaces its firmware: what guest and device agree on
 * (docs/specs/vmfwupdate.rst)
 */

#ifndef HW_MISC_VMFWUPDATE_H
#define HW_MISC_VMFWUPDATE_H

#define TYPE_VMFWUPDATE "vmfwupdate"

/* Files of fw_cfg; numbers are little endian */
#define VMFWUPDATE_CAP_FILE         "etc/vmfwupdate/cap"
#define VMFWUPDATE_BIOS_SIZE_FILE   "etc/vmfwupdate/bios-size"
#define VMFWUPDATE_OPAQUE_FILE      "etc/vmfwupdate/opaque"
#define VMFWUPDATE_DISABLE_FILE     "etc/vmfwupdate/disable"
#define VMFWUPDATE_BIOS_ADDR_FILE   "etc/vmfwupdate/bios-addr"

#define VMFWUPDATE_OPAQUE_SIZE      4096

#endif /* HW_MISC_VMFWUPDATE_H */
