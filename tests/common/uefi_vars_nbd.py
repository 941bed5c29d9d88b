# SPDX-License-Identifier: GPL-2.0-or-later
"""An NBD server for one test: QEMU's own, on a socket of the file system."""

import socket
import struct
import subprocess
import time
from pathlib import Path

SECONDS = 30


class Nbd:
    """A server of an image, which runs until it is killed."""

    def __init__(self, build, directory, image):
        """@build: directory of QEMU's build"""
        self.program = Path(build) / 'storage-daemon/qemu-storage-daemon'
        self.socket, self.image = Path(directory) / 'nbd.sock', image
        self.start()

    def start(self):
        self.socket.unlink(missing_ok=True)
        self.process = subprocess.Popen(
            [self.program, '--blockdev',
             f'file,node-name=disk,filename={self.image}', '--nbd-server',
             f'addr.type=unix,addr.path={self.socket}', '--export',
             'nbd,id=export,node-name=disk,name=disk,writable=on'])
        end = time.monotonic() + SECONDS
        while not self.socket.exists():
            if time.monotonic() > end:
                raise TimeoutError('the NBD server does not start')
            time.sleep(0.05)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def restart(self):
        self.kill()
        self.start()

    def node(self):
        """What -blockdev needs for it."""
        return {'driver': 'nbd', 'export': 'disk', 'reconnect-delay': SECONDS,
                'server': {'type': 'unix', 'path': str(self.socket)}}


class Client:
    """The least there is of a client: what bare requests cost."""

    WRITE, FLUSH = 1, 3

    def __init__(self, server):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(server.socket))
        magic, option, _ = struct.unpack('>8s8sH', self.receive(18))
        if (magic, option) != (b'NBDMAGIC', b'IHAVEOPT'):
            raise RuntimeError('no NBD server')
        # fixed newstyle, no zeroes; NBD_OPT_EXPORT_NAME
        self.sock.sendall(struct.pack('>I8sII', 3, option, 1, 4) + b'disk')
        self.receive(10)

    def receive(self, size):
        data = b''
        while len(data) < size:
            more = self.sock.recv(size - len(data))
            if not more:
                raise RuntimeError('the NBD server has gone')
            data += more
        return data

    def request(self, command, offset=0, data=b''):
        self.sock.sendall(struct.pack('>IHHQQI', 0x25609513, 0, command, 0,
                                      offset, len(data)) + data)
        _, error, _ = struct.unpack('>IIQ', self.receive(16))
        if error:
            raise RuntimeError(f'NBD error {error}')

    def close(self):
        self.sock.close()
