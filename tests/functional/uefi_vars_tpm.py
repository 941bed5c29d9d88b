# SPDX-License-Identifier: GPL-2.0-or-later
"""A TPM in the guest, by swtpm, and what the firmware has measured into it."""

import base64
import gzip
import hashlib
import socket
import struct
import subprocess
from pathlib import Path

# Banks by their identifiers in an event log
BANKS = {4: "sha1", 11: "sha256", 12: "sha384", 13: "sha512"}
EVENTS = {4: "EV_SEPARATOR", 0x80000001: "EV_EFI_VARIABLE_DRIVER_CONFIG",
          0x800000e0: "EV_EFI_VARIABLE_AUTHORITY"}
LOG = "/sys/kernel/security/tpm0/binary_bios_measurements"

# Prints what Measured reads
SCRIPT = f"""
mount -t securityfs securityfs /sys/kernel/security
for bank in {" ".join(BANKS.values())}; do
    echo $bank $(cat /sys/class/tpm/tpm0/pcr-$bank/7)
done
gzip -c {LOG} | base64 -w 0
echo
"""


def start(directory):
    """Start a TPM that ends with the machine; returns its process and
    arguments for that."""
    path = Path(directory) / "tpm"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        # pylint: disable=consider-using-with
        process = subprocess.Popen(
            ["swtpm", "socket", "--tpm2", "--terminate",
             "--tpmstate", f"dir={directory}",
             "--ctrl", f"type=unixio,fd={listener.fileno()}"],
            pass_fds=[listener.fileno()], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL)
    return process, ("-chardev", f"socket,id=tpm,path={path}",
                     "-tpmdev", "emulator,id=tpm,chardev=tpm",
                     "-device", "tpm-tis,tpmdev=tpm")


class Measured:
    """PCR 7 by bank, and the events that made it: (type, {bank: digest})."""

    def __init__(self, lines):
        banks = len(BANKS)
        words = [line.lower().split() for line in lines[:banks]]
        self.pcr7 = {bank: value for bank, value in words}
        self.events = list(self.read(gzip.decompress(
            base64.b64decode(lines[banks]))))

    @staticmethod
    def read(log):
        """Events of PCR 7 in a log of the TCG's EFI protocol, version 2."""
        # the first one, in the form of version 1, tells of the others
        at = 32 + struct.unpack_from("<I", log, 28)[0]
        while at < len(log):
            pcr, kind, count = struct.unpack_from("<III", log, at)
            at += 12
            digests = {}
            for _ in range(count):
                bank = BANKS[struct.unpack_from("<H", log, at)[0]]
                size = hashlib.new(bank).digest_size
                digests[bank] = log[at + 2:at + 2 + size].hex()
                at += 2 + size
            at += 4 + struct.unpack_from("<I", log, at)[0]
            if pcr == 7:
                yield EVENTS[kind], digests
