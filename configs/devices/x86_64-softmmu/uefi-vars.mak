# SPDX-License-Identifier: GPL-2.0-or-later
#
# The PC machines with the devices they can have, and as little else as works:
# configure --without-default-devices --with-devices-x86_64=uefi-vars
CONFIG_I440FX=y
CONFIG_Q35=y
CONFIG_UEFI_VARS_ISA=y
CONFIG_UEFI_VARS_X64=y
CONFIG_UEFI_VARS_XEN=y
CONFIG_VMFWUPDATE=y
