# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest with stock UEFI firmware that keeps its variables in a QEMU device.

What `make run` and the functional tests have in common: where the parts of
the guest are, the command line that boots it, and how a shell script gets
into it.  scripts/make-guest makes the parts.
"""

import os
import re
import struct
from pathlib import Path
from typing import List, NamedTuple

TOP = Path(__file__).resolve().parents[2]
PARTS = Path(os.environ.get("UEFI_VARS_GUEST", TOP / "build" / "guest"))
SHARE = Path(os.environ.get("UEFI_VARS_FIRMWARE", "/usr/share"))

# What the variable driver says on the console
TAKEN_OVER = "uefi-vars: variables are kept by the host"
IN_FLASH = "uefi-vars: in flash, and not used: db dbx KEK PK"
NO_DEVICE = "uefi-vars: no device found"

# The firmware moves the cursor and clears the screen a lot.
_CONTROL = re.compile(r"\x1b\[[0-9;=?]*[A-Za-z]|\x1b[()].|\r|\x00")


class Arch(NamedTuple):
    """What differs between the architectures."""
    console: str
    cpu: List[str]
    memory: str
    codes: List[str]    # firmware code, best first; variables: CODE -> VARS


ARCHES = {
    "x86_64": Arch("ttyS0", [], "256",
                   ["OVMF/OVMF_CODE_4M.fd", "OVMF/OVMF_CODE.fd"]),
    "aarch64": Arch("ttyAMA0", ["-cpu", "cortex-a57"], "512",
                    ["AAVMF/AAVMF_CODE.fd"]),
}


class Firmware(NamedTuple):
    """The distribution's firmware images of one architecture."""
    code: str
    blank_vars: str
    secure_code: str        # enforces Secure Boot
    vars_with_keys: str


def firmware(arch):
    """Paths of the firmware images."""
    for code in ARCHES[arch].codes:
        code = str(SHARE / code)
        store = code.replace("_CODE", "_VARS")
        if os.path.exists(code) and os.path.exists(store):
            return Firmware(code, store, code.replace(".fd", ".ms.fd"),
                            store.replace(".fd", ".ms.fd"))
    raise FileNotFoundError(f"no firmware for {arch} in {SHARE}; "
                            f"scripts/install-deps installs it")


def part(name, arch):
    """Path of a part of the guest, relative to here if that is shorter."""
    path = PARTS / name.format(arch=arch)
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing; make it with "
                                f"scripts/make-guest {arch}")
    return min(str(path), os.path.relpath(path), key=len)


def kernel_command_line(arch):
    """What the guest's kernel is told.  A slow host is no news: tests read the
    console, and timer interrupts that come late don't make a broken board."""
    words = [f"console={ARCHES[arch].console}", "quiet",
             "rcupdate.rcu_cpu_stall_suppress=1"]
    if arch == "x86_64":
        words.append("no_timer_check")
    return " ".join(words)


def firmware_args(arch, secure=False, flash_keys=False, flash=None):
    """Arguments for a machine with firmware; neither machine, console nor
    variable device.  The flash variables, blank, with keys or of an image of
    one's own, are thrown away: only what the device keeps survives."""
    images = firmware(arch)
    code = images.secure_code if secure else images.code
    store = flash or (images.vars_with_keys if flash_keys
                      else images.blank_vars)
    drive = "if=pflash,format=raw"
    return ARCHES[arch].cpu + [
        "-m", ARCHES[arch].memory, "-nic", "none",
        "-drive", f"{drive},readonly=on,file={code}",
        "-drive", f"{drive},snapshot=on,file={store}",
    ]


def guest_args(arch, initramfs=None, kernel=None, append="", **flash):
    """The same with a kernel, and more to append to its command line."""
    return firmware_args(arch, **flash) + [
        "-kernel", kernel or part("vmlinuz-{arch}", arch),
        "-initrd", initramfs or part("initramfs-{arch}", arch),
        "-append", f"{kernel_command_line(arch)} {append}".rstrip(),
    ]


def boot_option(name, path):
    """A boot entry for a file on whatever disk has it, UEFI 3.1.3."""
    def utf16(text):
        return (text + "\0").encode("utf-16-le")
    file = struct.pack("<BBH", 4, 4, 4 + len(utf16(path))) + utf16(path)
    end = struct.pack("<BBH", 0x7f, 0xff, 4)
    return struct.pack("<IH", 1, len(file + end)) + utf16(name) + file + end


def _cpio_entry(name, mode, data):
    fields = [0, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0]
    head = "070701" + "".join(f"{field:08x}" for field in fields)
    entry = head.encode() + name.encode() + b"\0"
    entry += bytes(-len(entry) % 4) + data
    return entry + bytes(-len(entry) % 4)


def initramfs_with(arch, files, path, tools=False):
    """Write to @path the initramfs with more files, {name: bytes}, by another
    archive behind it; with @tools also efi-updatevar.  A file "script" is a
    shell script that is run instead of a shell."""
    parts = ["initramfs-{arch}"] + (["tools-{arch}"] if tools else [])
    with open(path, "wb") as file:
        for name in parts:
            data = Path(part(name, arch)).read_bytes()
            file.write(data + bytes(-len(data) % 512))
        for name, data in files.items():
            file.write(_cpio_entry(name, 0o100644, data))
        file.write(_cpio_entry("TRAILER!!!", 0, b""))
    return path


def console_text(raw):
    """Console output (bytes) without the firmware's screen control."""
    return _CONTROL.sub("", raw.decode(errors="replace"))
