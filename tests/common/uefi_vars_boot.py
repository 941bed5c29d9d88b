# SPDX-License-Identifier: GPL-2.0-or-later
"""Stock firmware with the application that runs a script of operations."""

import shutil
from pathlib import Path

APP = Path(__file__).resolve().parents[2] / 'build/guest/conformance.efi'
CODE = '/usr/share/OVMF/OVMF_CODE_4M.fd'
VARS = '/usr/share/OVMF/OVMF_VARS_4M.fd'


def command(emulator, work, script):
    """The command line, with a flash of its own in the directory @work; what
    the application prints goes to -debugcon."""
    flash = work / 'flash.fd'
    shutil.copyfile(VARS, flash)
    (work / 'script').write_bytes(script)
    return [str(emulator), '-M', 'q35', '-m', '256',
            '-drive', f'if=pflash,unit=0,format=raw,readonly=on,file={CODE}',
            '-drive', f'if=pflash,unit=1,format=raw,file={flash}',
            '-kernel', str(APP),
            '-fw_cfg', f'name=opt/uefi-vars/script,file={work}/script',
            '-global', 'isa-debugcon.iobase=0x402',
            '-nic', 'none', '-vga', 'none', '-display', 'none',
            '-serial', 'none', '-monitor', 'none', '-no-reboot']
