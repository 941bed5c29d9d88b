#!/usr/bin/env python3
#
# UEFI variable devices of a PC, used by stock OVMF and Linux
#
# SPDX-License-Identifier: GPL-2.0-or-later

import uefi_vars_tpm as tpm
from uefi_vars_firmware import FirmwareTest
from uefi_vars_tests import (MODULE, UefiVarsTest, not_in_module,
                             only_in_module)

# where it does not matter which
DEVICE = "uefi-vars-x64" if MODULE else "uefi-vars-isa"
# OVMF enforces Secure Boot only where it has its flash to itself.
SECURE = {"machine": "q35,smm=on", "secure": True}
SECURE_FLASH = ("-global", "driver=cfi.pflash01,property=secure,value=on")


class UefiVarsX86(FirmwareTest):

    guest_arch = "x86_64"

    def setUp(self):
        super().setUp()
        self.set_machine("q35")

    def device(self, name, options=""):
        return "-device", \
            f"{name},option-rom=on,jsonfile={self.store}{options}"

    @not_in_module
    def test_isa_dma(self):
        self.do_read_write(*self.device("uefi-vars-isa"),
                           says="I/O port 0x520, DMA")

    @not_in_module
    def test_isa_pio(self):
        self.do_read_write(*self.device("uefi-vars-isa", ",use-pio=on"),
                           says="I/O port 0x520, PIO")

    def test_x64_dma(self):
        self.do_read_write(*self.device("uefi-vars-x64"),
                           says="etc/hardware-info, DMA",
                           append="pci=realloc")

    def test_x64_pio(self):
        self.do_read_write(*self.device("uefi-vars-x64", ",use-pio=on"),
                           says="etc/hardware-info, PIO")

    def test_drive(self):
        """A store on the block layer, which the tool made"""
        image = self.scratch_file("image")
        self.varstore("create", image)
        self.image = image
        self.do_read_write("-blockdev",
                           f"driver=file,node-name=vars,filename={image}",
                           "-device",
                           "uefi-vars-x64,option-rom=on,drive=vars",
                           says="etc/hardware-info, DMA")

    def test_pc_machine(self):
        self.do_attributes(*self.device(DEVICE), machine="pc")

    def test_names(self):
        self.do_names(*self.device(DEVICE))

    def test_reset(self):
        self.do_reset(*self.device(DEVICE))

    def test_boot_next(self):
        self.do_boot_next(*self.device("uefi-vars-x64"), flash_keys=True)

    @only_in_module
    def test_network_boot(self):
        self.do_network_boot(*self.device(DEVICE))

    def test_no_device(self):
        # Debian 13's other OVMF has no Secure Boot to measure.
        lines = self.do_no_device(*SECURE_FLASH, *self.start_tpm(),
                                  script=tpm.SCRIPT, **SECURE)
        open(self.store, "w", encoding="utf-8").close()
        self.check_pcr7(lines, self.store)

    def test_virt_fw_vars(self):
        self.do_virt_fw_vars(*self.device("uefi-vars-x64"))

    def secure_device(self):
        return (*self.device(DEVICE), *SECURE_FLASH)

    def test_keys(self):
        self.do_keys(*self.secure_device(), **SECURE)

    def test_session(self):
        self.do_session(*self.secure_device(), **SECURE)

    @not_in_module
    def test_replace_firmware(self):
        self.do_replace_firmware()


if __name__ == '__main__':
    UefiVarsTest.main()
