# SPDX-License-Identifier: GPL-2.0-or-later
"""A Debian guest, with stock firmware and its variables on the host.

The first serial line is its console, a file.  On the second one
scripts/guest/agent runs commands; before, the firmware has it too.
"""

import base64
import re
import socket
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / 'tests' / 'functional'))

# pylint: disable=wrong-import-position
from uefi_vars_guest import console_text, firmware_args     # noqa: E402

BUILD = TOP / 'build'
VARSTORE = BUILD / 'core/tools/uefi-varstore/uefi-varstore'
BOOT_SECONDS = 600      # emulated, on a machine that has other work
COMMAND_SECONDS = 300


class Failure(Exception):
    """A test has failed."""


def check(condition, text):
    if not condition:
        raise Failure(text)


def run(*command, **options):
    """Run a program; returns what it prints."""
    done = subprocess.run([str(word) for word in command], text=True,
                          capture_output=True, **options)
    check(done.returncode == 0, f'{command[0]}: status {done.returncode}: '
          f'{done.stdout[-500:]} {done.stderr[-1500:]}')
    return done.stdout


class Guest:
    """One run of QEMU; the disk and the store outlive it."""

    def __init__(self, emulator, disk, store, console):
        self.console = console
        self.seen = 0
        self.agent, theirs = socket.socketpair()
        self.qemu = subprocess.Popen(
            [str(emulator), '-M', 'q35,smm=on',
             *firmware_args('x86_64', secure=True), '-cpu', 'max', '-m', '512',
             '-global', 'driver=cfi.pflash01,property=secure,value=on',
             '-nodefaults', '-display', 'none',
             '-device', f'uefi-vars-x64,option-rom=on,jsonfile={store}',
             '-drive', f'if=virtio,format=qcow2,file={disk}',
             '-device', 'virtio-rng-pci',
             '-serial', f'file:{console}',
             '-chardev', f'socket,id=agent,fd={theirs.fileno()}',
             '-serial', 'chardev:agent'],
            pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
        theirs.close()
        self.reader = self.agent.makefile('rb')

    def said(self):
        """What is on the console since the last boot."""
        return console_text(self.console.read_bytes()[self.seen:])

    def line(self, seconds):
        """The next line of the agent."""
        self.agent.settimeout(seconds)
        try:
            line = self.reader.readline()
        except TimeoutError as error:
            raise Failure(f'no answer after {seconds} s; the console ends '
                          f'with: {self.said()[-1500:]}') from error
        check(line, f'QEMU has ended; the console ends with: '
              f'{self.said()[-1500:]}')
        return line.decode('ascii', 'replace').strip()

    def booted(self):
        """Wait for the agent."""
        while not self.line(BOOT_SECONDS).endswith('ready'):
            pass

    def send(self, command):
        self.agent.sendall(base64.b64encode(command.encode()) + b'\n')

    def sh(self, command):
        """Run a command, which must succeed; returns what it prints."""
        self.send(command)
        status, _, text = self.line(COMMAND_SECONDS).partition(' ')
        text = base64.b64decode(text).decode(errors='replace').rstrip('\n')
        check(status == '0', f'{command}: status {status}: {text}')
        return text

    def reboot(self, command='systemctl reboot'):
        """Boot again, by a command; returns what the console says."""
        self.seen = self.console.stat().st_size
        self.send(f'{command}; sleep infinity')
        self.booted()
        return self.said()

    def kill(self):
        self.qemu.kill()
        self.qemu.wait()
        self.reader.close()
        self.agent.close()

    def efibootmgr(self, name):
        """A value that efibootmgr shows, such as BootCurrent, or None."""
        match = re.search(rf'^{name}: (\S+)', self.sh('efibootmgr'), re.M)
        return match and match[1]

    def entries(self):
        """Boot entries, {label: number}."""
        return {match[2]: match[1] for match in
                re.finditer(r'^Boot(\w{4})\*? ([^\t\n]*)',
                            self.sh('efibootmgr'), re.M)}

    def create(self, label, loader):
        """A boot entry for a file of the ESP; returns its number."""
        self.sh(f"efibootmgr -q -c -d /dev/vda -p 1 -L '{label}' "
                f"-l '{loader}'")
        return self.entries()[label]
