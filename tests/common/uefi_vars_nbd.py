# SPDX-License-Identifier: GPL-2.0-or-later
"""An NBD server for one test: QEMU's own, on a socket of the file system."""

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
