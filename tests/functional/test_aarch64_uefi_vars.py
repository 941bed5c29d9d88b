#!/usr/bin/env python3
#
# UEFI variable device of the virt machine, used by stock AAVMF and Linux
#
# SPDX-License-Identifier: GPL-2.0-or-later

from uefi_vars_tests import UefiVarsTest, not_in_module, only_in_module


class UefiVarsAarch64(UefiVarsTest):

    guest_arch = "aarch64"

    def setUp(self):
        super().setUp()
        self.set_machine("virt")

    def device(self, options=""):
        return "-device", \
            f"uefi-vars-sysbus,option-rom=on,jsonfile={self.store}{options}"

    def test_sysbus_dma(self):
        self.do_read_write(*self.device(), says="device tree, DMA")

    def test_sysbus_pio(self):
        self.do_read_write(*self.device(",use-pio=on"),
                           says="device tree, PIO")

    def test_no_acpi(self):
        self.do_read_write(*self.device(), machine="virt,acpi=off",
                           says="device tree, DMA")

    @not_in_module
    def test_machine_property(self):
        self.do_read_write("-global", "uefi-vars-sysbus.option-rom=on",
                           "-global",
                           f"uefi-vars-sysbus.jsonfile={self.store}",
                           machine="virt,x-uefi-vars=on",
                           says="device tree, DMA")

    def test_attributes(self):
        self.do_attributes(*self.device())

    def test_names(self):
        self.do_names(*self.device())

    def test_reset(self):
        self.do_reset(*self.device())

    def test_boot_next(self):
        self.do_boot_next(*self.device())

    @only_in_module
    def test_network_boot(self):
        self.do_network_boot(*self.device())

    def test_no_device(self):
        self.do_no_device()

    def test_virt_fw_vars(self):
        self.do_virt_fw_vars(*self.device())

    def test_secure_boot(self):
        self.do_secure_boot(*self.device())

    def test_flash_keys(self):
        self.do_flash_keys(*self.device())

    def test_keys(self):
        self.do_keys(*self.device(), secure=True)


if __name__ == '__main__':
    UefiVarsTest.main()
