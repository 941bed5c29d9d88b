# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest that brings its own firmware, with the device vmfwupdate.

OVMF starts the UEFI program of pc-bios/vmfwupdate, which resets the guest into
another OVMF or into SeaBIOS; its variables stay on the host.
"""

import hashlib
import os
import struct
import subprocess
import uuid
from pathlib import Path

import uefi_vars_guest as guest
from uefi_vars_session import SessionTest
from uefi_vars_tests import GLOBAL

MANUFACTURER, PRODUCT = "Example Inc", "Model 7"
FIRMWARE_ID = "firmware-of-model-7"
MEMORY = "4c19049f-4137-4dd3-9c10-8b97a83ffdfa"
PROGRAM = "vmfwupdate-x86_64.efi"

# What the program says
NO_DEVICE = "vmfwupdate: no such device"
RESETTING = "vmfwupdate: resetting into the firmware of the kernel image"
IN_PLACE = "vmfwupdate: the firmware is in place"


def chid(*strings):
    """The hardware identifier of strings that SMBIOS has."""
    space = uuid.UUID("70ffd812-4c7f-4c7d-0000-000000000000").bytes
    digest = bytearray(hashlib.sha1(
        space + "&".join(strings).encode("utf-16-le")).digest()[:16])
    digest[6] = digest[6] & 0x0f | 0x50
    digest[8] = digest[8] & 0x3f | 0x80
    return uuid.UUID(bytes=bytes(digest))


def hwids_section():
    """.hwids: another machine's entry, then that of the tests' machine."""
    entries = b"".join(
        struct.pack("<I16sII", 0x2000001c, entry.bytes_le, 0, 3 * 28 + offset)
        for entry, offset in ((chid("Others", PRODUCT), 0),
                              (chid(MANUFACTURER, PRODUCT), 6)))
    return entries + bytes(28) + b"other\0" + FIRMWARE_ID.encode() + b"\0"


def efifw_section(firmware_id, firmware):
    """.efifw: a firmware with its identifier."""
    name = firmware_id.encode() + b"\0"
    return struct.pack("<IIII", 0xfeeddead, 16, len(name),
                       len(firmware)) + name + firmware


def load_option(path, options):
    """A boot option that starts the file with options, as hex."""
    def utf16(text):
        return (text + "\0").encode("utf-16-le")
    node = struct.pack("<BBH", 4, 4, 4 + len(utf16(path))) + utf16(path)
    node += b"\x7f\xff\x04\x00"
    return (struct.pack("<IH", 1, len(node)) + utf16("Replace firmware") +
            node + utf16(options)).hex()


class FirmwareTest(SessionTest):
    """Firmware that the guest replaces."""

    def make_uki(self, name, firmware):
        """The program with the sections of a kernel image that has the
        firmware for this machine, by objcopy."""
        program = guest.PARTS / PROGRAM
        headers = program.read_bytes()[:1024]
        pe, = struct.unpack_from("<I", headers, 0x3c)
        base, = struct.unpack_from("<Q", headers, pe + 24 + 24)
        vma = base + struct.unpack_from("<I", headers, pe + 24 + 56)[0]
        command = ["objcopy"]
        for section, data in (
                (".hwids", hwids_section()),
                (".efifw", efifw_section("other", b"not for us")),
                (".efifw2", efifw_section(FIRMWARE_ID, firmware))):
            file = self.scratch_file(f"section{section}")
            Path(file).write_bytes(data)
            command += ["--add-section", f"{section}={file}",
                        "--set-section-flags",
                        f"{section}=alloc,load,readonly,data",
                        "--change-section-vma", f"{section}={vma:#x}"]
            vma += (len(data) + 0xfff) & ~0xfff
        uki = self.scratch_file(name)
        subprocess.run([*command, str(program), uki], check=True,
                       stdin=subprocess.DEVNULL)
        # objcopy has no two sections of one name
        image = Path(uki).read_bytes()
        self.assertEqual(image.count(b".efifw2\0"), 1)
        Path(uki).write_bytes(image.replace(b".efifw2\0", b".efifw\0\0"))
        return uki

    def firmware_boot(self, bios, disk, last_words, *args):
        """Boot from the disk up to the words given.  Returns what the console
        said, and the variables that are on the host then."""
        vm = self.get_vm()
        vm.set_machine("q35,graphics=off")
        vm.set_console()
        vm.add_args("-m", "256", "-nic", "none", "-bios", bios,
                    "-smbios", f"type=1,manufacturer={MANUFACTURER},"
                    f"product={PRODUCT}",
                    "-device",
                    f"uefi-vars-x64,option-rom=on,jsonfile={self.store}",
                    "-drive", f"if=virtio,format=raw,file={disk}", *args)
        vm.launch()
        text = self.read_console(vm, last_words=last_words)
        self.log.info("console:\n%s", text)
        variables = self.listed(self.store)
        # how much memory the boot took, which firmware counts
        variables.pop((MEMORY, "MemoryTypeInformation"), None)
        return text, variables

    def do_replace_firmware(self):
        """Another OVMF from a kernel image on the disk, then SeaBIOS from the
        program itself: the variables are the same before and after."""
        images = guest.firmware(self.guest_arch)
        bios = self.scratch_file("large.fd")
        # What counts is at the end; what precedes it makes it larger than the
        # other one, and Debian 13's OVMF.fd another one.
        Path(bios).write_bytes(bytes(64 * 1024) +
                               Path(images.blank_vars).read_bytes() +
                               Path(images.code).read_bytes())
        ovmf = b"\xff" * 4096 + (guest.SHARE / "ovmf/OVMF.fd").read_bytes()
        seabios = (guest.SHARE / "seabios/bios-256k.bin").read_bytes()
        self.assertLess(len(ovmf), os.path.getsize(bios))
        disk = self.make_disk("disk", {
            "/replace.efi": guest.PARTS / PROGRAM,
            "/EFI/Linux/uki.efi": self.make_uki("uki.efi", ovmf)})
        self.varstore("set", "--guid", GLOBAL, "--hex",
                      load_option("\\replace.efi", "\\EFI\\Linux\\uki.efi"),
                      self.store, "Boot0000")
        self.varstore("set", "--guid", GLOBAL, "--hex", "0000", self.store,
                      "BootOrder")

        _, before = self.firmware_boot(bios, disk, NO_DEVICE)
        self.assertIn((GLOBAL, "Boot0000"), before)
        text, after = self.firmware_boot(bios, disk, IN_PLACE,
                                         "-device", "vmfwupdate")
        self.assertEqual(text.count(guest.TAKEN_OVER), 2)
        self.assertEqual(text.count(RESETTING), 1)
        self.assertEqual(after, before)

        disk = self.make_disk("second", {
            "/EFI/BOOT/BOOTX64.EFI": self.make_uki("self.efi", seabios)})
        text, after = self.firmware_boot(bios, disk, "SeaBIOS (version",
                                         "-device", "vmfwupdate")
        self.assertEqual(text.count(RESETTING), 1)
        self.assertEqual(after, before)
