# SPDX-License-Identifier: GPL-2.0-or-later
"""A Debian guest, with stock firmware and its variables on the host.

The first serial line is its console, a file.  On the second one
scripts/guest/agent runs commands; before, the firmware has it too.
"""

import base64
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TOP / 'tests' / part) for part in ('common', 'functional')]

# pylint: disable=wrong-import-position
from uefi_vars_guest import console_text, firmware_args     # noqa: E402
from uefi_vars_machine import Monitor                       # noqa: E402

BUILD = TOP / 'build'
QEMU = Path(os.environ.get('QEMU_BUILD', BUILD / 'qemu'))
VARSTORE = BUILD / 'core/tools/uefi-varstore/uefi-varstore'
BOOT_SECONDS = 600      # emulated, on a machine that has other work
COMMAND_SECONDS = 300
DOWN = b'\x1b[B'


# Machines with firmware that enforces secure boot.  Of a command line the last
# word counts.
MACHINES = {
    'x86_64': ['-M', 'q35,smm=on', *firmware_args('x86_64', secure=True),
               '-cpu', 'max', '-m', '512',
               '-global', 'driver=cfi.pflash01,property=secure,value=on',
               '-global', 'ICH9-LPC.disable_s3=0'],
    'aarch64': ['-M', 'virt', *firmware_args('aarch64', secure=True)],
}
# where the agent is: of two serial lines AAVMF takes the second one
AGENTS = {
    'x86_64': ['-serial', 'chardev:agent'],
    'aarch64': ['-device', 'virtio-serial-pci',
                '-device', 'virtconsole,chardev=agent'],
}
DEVICES = {'x86_64': 'uefi-vars-x64', 'aarch64': 'uefi-vars-sysbus'}


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

    def __init__(self, arch, disk, store, console, *args):
        self.console = console
        self.seen = 0
        self.monitor = Monitor()
        self.agent, theirs = socket.socketpair()
        monitor = self.monitor.theirs
        self.qemu = subprocess.Popen(
            [str(QEMU / f'qemu-system-{arch}'), *MACHINES[arch],
             '-nodefaults', '-display', 'none',
             '-device', f'{DEVICES[arch]},option-rom=on,jsonfile={store}',
             '-drive', f'if=virtio,format=qcow2,file={disk}',
             '-device', 'virtio-rng-pci',
             '-serial', f'file:{console}',
             '-chardev', f'socket,id=agent,fd={theirs.fileno()}',
             *AGENTS[arch],
             '-chardev', f'socket,id=monitor,fd={monitor.fileno()}',
             '-mon', 'chardev=monitor,mode=control', *args],
            pass_fds=[theirs.fileno(), monitor.fileno()],
            stdin=subprocess.DEVNULL)
        theirs.close()
        self.monitor.started()
        self.monitor.ours.settimeout(COMMAND_SECONDS)
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

    def type(self, keys):
        """Type what is no command: who listens is not the agent."""
        self.agent.sendall(keys)

    def answer(self, command, seconds=COMMAND_SECONDS):
        """What a command has printed, which must succeed.  Firmware may have
        said something before."""
        match = None
        while not match:
            match = re.fullmatch(r'(\d+) ([A-Za-z0-9+/=]*)',
                                 self.line(seconds))
        text = base64.b64decode(match[2]).decode(errors='replace').rstrip('\n')
        check(match[1] == '0', f'{command}: status {match[1]}: {text}')
        return text

    def sh(self, command):
        """Run a command, which must succeed; returns what it prints."""
        self.send(command)
        return self.answer(command)

    def reboot(self, command='reboot'):
        """Boot again, by a command; returns what the console says."""
        self.seen = self.console.stat().st_size
        self.send(f'{command}; sleep infinity')
        self.booted()
        return self.said()

    def says(self, text, seconds=BOOT_SECONDS):
        """Wait until the console has said something since the last boot."""
        end = time.monotonic() + seconds
        while text not in self.said():
            check(self.qemu.poll() is None, 'QEMU has ended')
            check(time.monotonic() < end, f'not said: {text}; the console '
                  f'ends with: {self.said()[-1500:]}')
            time.sleep(.2)

    def setup(self):
        """Boot into the firmware's setup, until its last item is there."""
        self.sh('bootctl reboot-to-firmware true')
        self.seen = self.console.stat().st_size
        self.send('reboot; sleep infinity')
        self.says('Continue')

    def dialog(self, *steps):
        """Each time that the console says a text, type keys."""
        for text, keys in steps:
            self.says(text)
            self.seen = self.console.stat().st_size
            self.type(keys)

    def save(self, path):
        """Write the state of the machine to a file, and end it."""
        self.monitor.command('migrate', uri=f'file:{path}')
        while self.monitor.command('query-migrate')['status'] != 'completed':
            time.sleep(.1)
        self.monitor.command('quit')
        self.ended()

    def ended(self):
        """QEMU has ended, or does; returns its exit status."""
        try:
            return self.qemu.wait(COMMAND_SECONDS)
        finally:
            self.kill()

    def kill(self):
        self.qemu.kill()
        self.qemu.wait()
        self.monitor.close()
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

    def create(self, label, loader, more=''):
        """A boot entry for a file of the ESP; returns its number."""
        self.sh(f"efibootmgr -q -c -d /dev/vda -p 1 -L '{label}' "
                f"-l '{loader}' {more}")
        return self.entries()[label]

    def put(self, path, data):
        """Write a file of the guest."""
        words = base64.b64encode(data).decode()
        self.sh(f'mkdir -p "$(dirname {path})" && : > {path}')
        for at in range(0, len(words), 3000):
            self.sh(f'echo {words[at:at + 3000]} | base64 -d >> {path}')

    def get(self, path):
        """Read a file of the guest."""
        return base64.b64decode(self.sh(f'base64 -w 0 {path}'))
