# SPDX-License-Identifier: GPL-2.0-or-later
"""A QEMU whose guest is a Python script: requests to uefi-vars-x64 by qtest."""

import json
import socket
import struct
import subprocess
import uuid
from pathlib import Path

BIOS = '/usr/share/seabios/bios-256k.bin'
REGISTERS = 0xfef10000
BUFFER = 0x100000
VARIABLE_PROTOCOL = 'ed32d533-99e6-4209-9cc0-2d72cdd998a7'
VENDOR = '11111111-2222-3333-4444-555555555555'
NV_BS_RT = 7
APPEND = 0x40
GET, NEXT, SET = 1, 2, 3
SUCCESS = 0
NOT_FOUND = 0x800000000000000e
ANSWER_SECONDS = 60     # a machine that is as slow as that hangs


class Gone(Exception):
    """QEMU has ended."""


class Refused(RuntimeError):
    """A QMP command that has failed."""


def cpu_of(pid):
    """Seconds of CPU that all threads of a process have used."""
    return sum(int((task / 'schedstat').read_text().split()[0])
               for task in Path(f'/proc/{pid}/task').iterdir()) / 1e9


class Channel:
    """A socket pair, of which QEMU has the other end."""

    def __init__(self):
        self.ours, self.theirs = socket.socketpair()
        self.ours.settimeout(ANSWER_SECONDS)
        self.reader = self.ours.makefile('r', encoding='ascii')

    def started(self):
        self.theirs.close()

    def read(self):
        """The next line."""
        try:
            line = self.reader.readline()
        except TimeoutError as error:
            raise RuntimeError('QEMU does not answer') from error
        except OSError as error:
            raise Gone from error
        if not line:
            raise Gone
        return line

    def ask(self, line):
        """Send a line; returns the next one that comes."""
        try:
            self.ours.sendall(line.encode('ascii') + b'\n')
        except OSError as error:
            raise Gone from error
        return self.read()

    def close(self):
        self.reader.close()
        self.ours.close()


class Monitor(Channel):
    """A channel that speaks QMP."""

    def __init__(self):
        super().__init__()
        self.greeted = False
        self.events = []        # since the last wait for one

    def command(self, name, /, **arguments):
        """A QMP command; returns what it returns."""
        if not self.greeted:
            self.greeted = True
            self.read()
            self.command('qmp_capabilities')
        answer = json.loads(self.ask(json.dumps(
            {'execute': name, 'arguments': {
                key.replace('_', '-'): value
                for key, value in arguments.items()}})))
        while 'event' in answer:
            self.events.append(answer)
            answer = json.loads(self.read())
        if 'error' in answer:
            raise Refused(f'{name}: {answer["error"]["desc"]}')
        return answer['return']

    def wait_event(self, name):
        """An event that has come since the last wait, or comes."""
        while True:
            if not self.events:
                self.events.append(json.loads(self.read()))
            event = self.events.pop(0)
            if event['event'] == name:
                return event


class Machine:
    """One run of an emulator with a store."""

    def __init__(self, emulator, store, size=0x40000, env=None, args=(),
                 attached=False, cwd=None):
        """@store: None for a machine without the device
        @size: of the store; None for a device without that property
        @env: environment of the emulator; None for ours
        @attached: the device is programmed already, by what comes in
        @cwd: directory of the emulator; None for ours"""
        self.qtest, self.monitor = Channel(), Monitor()
        self.command = self.monitor.command
        self.wait_event = self.monitor.wait_event
        self.events = self.monitor.events
        qtest, monitor = self.qtest.theirs, self.monitor.theirs
        self.process = subprocess.Popen(
            [str(emulator), '-M', 'q35', '-m', '16', '-accel', 'qtest',
             '-bios', BIOS, '-nodefaults', '-display', 'none',
             '-chardev', f'socket,id=qtest,fd={qtest.fileno()}',
             '-qtest', 'chardev:qtest', '-qtest-log', 'none',
             '-chardev', f'socket,id=monitor,fd={monitor.fileno()}',
             '-mon', 'chardev=monitor,mode=control',
             *(['-device', f'uefi-vars-x64,jsonfile={store}' +
                (f',size={size}' if size else '')] if store else []), *args],
            pass_fds=[qtest.fileno(), monitor.fileno()],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True, env=env, cwd=cwd)
        self.qtest.started()
        self.monitor.started()
        try:
            if not attached:
                self.attach()
        except Gone as gone:
            raise RuntimeError(self.process.stderr.read().strip()) from gone

    def attach(self):
        """Program the device, as firmware does."""
        self.ask(f'writew {REGISTERS + 2:#x} 1')
        self.ask(f'writel {REGISTERS + 4:#x} 0x10000')
        self.ask(f'writel {REGISTERS + 8:#x} {BUFFER:#x}')
        self.ask(f'writel {REGISTERS + 12:#x} 0')

    def ask(self, line):
        """A line of the qtest protocol; returns the words behind OK."""
        answer = self.qtest.ask(line).split()
        if answer[0] != 'OK':
            raise RuntimeError(f'{line}: {answer}')
        return answer[1:]

    def send(self, message):
        """Send a prepared message, and return the status of the service."""
        self.ask(f'write {BUFFER:#x} {len(message):#x} 0x{message.hex()}')
        self.ask(f'writew {REGISTERS + 2:#x} 2')
        return int(self.ask(f'readq {BUFFER + 32:#x}')[0], 0)

    def send_nothing(self, size):
        """The same traffic, but nothing for the service to do."""
        self.ask(f'write {BUFFER:#x} {size:#x} 0x{bytes(size).hex()}')
        self.ask(f'readw {REGISTERS:#x}')
        self.ask(f'readq {BUFFER + 32:#x}')

    def reply(self, size):
        return bytes.fromhex(self.ask(f'read {BUFFER:#x} {size:#x}')[0][2:])

    def get(self, name):
        """The value of a variable, or None."""
        capacity = 0x8000
        status = self.send(access(GET, name, b'', capacity))
        if status == NOT_FOUND:
            return None
        if status != SUCCESS:
            raise RuntimeError(f'GetVariable {name}: {status:#x}')
        start = 24 + 16 + 36 + 2 * (len(name) + 1)
        reply = self.reply(start + capacity)
        return reply[start:start + struct.unpack_from('<Q', reply, 56)[0]]

    def cpu(self):
        """Seconds of CPU that all threads have used."""
        return cpu_of(self.process.pid)

    def kill(self):
        self.process.kill()

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()
        self.qtest.close()
        self.monitor.close()


def message(function, payload):
    data = struct.pack('<QQ', function, 0) + payload
    return uuid.UUID(VARIABLE_PROTOCOL).bytes_le + \
        struct.pack('<Q', len(data)) + data


def access(function, name, data, capacity=None, attributes=NV_BS_RT):
    """GetVariable with a capacity, or SetVariable with data."""
    raw = (name + '\0').encode('utf-16-le')
    return message(function, uuid.UUID(VENDOR).bytes_le + struct.pack(
        '<QQI', len(data) if capacity is None else capacity, len(raw),
        attributes if function == SET else 0) + raw +
        (data if capacity is None else bytes(capacity)))
