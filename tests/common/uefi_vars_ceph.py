# SPDX-License-Identifier: GPL-2.0-or-later
"""A Ceph for one test: a monitor and an OSD on the loopback interface.

It needs neither root nor systemd, and ends with the test.
"""

import os
import random
import signal
import socket
import subprocess
import uuid
from pathlib import Path

SECONDS = 60        # for any one command

CONFIG = '''\
[global]
fsid = {fsid}
mon host = v2:127.0.0.1:{port}/0
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind msgr1 = false
auth cluster required = none
auth service required = none
auth client required = none
run dir = {dir}
crash dir = {dir}/crash
log file = {dir}/$name.log
admin socket = {dir}/$name.asok
mon cluster log file = {dir}/cluster.log
osd pool default size = 1
osd pool default min size = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
ms async op threads = 1
rbd default features = 1
[mon]
mon data = {dir}/mon
mon data avail warn = 1
mon data avail crit = 0
paxos propose interval = 0.05
[osd]
osd data = {dir}/osd
osd objectstore = bluestore
osd fast shutdown = false
osd op num shards = 1
osd op num threads per shard = 2
osd heartbeat interval = 1
osd client watch timeout = 3
bdev aio poll ms = 5
bluestore block create = true
bluestore block size = 1073741824
bluestore rocksdb options = compression=kNoCompression,\
max_write_buffer_number=4,min_write_buffer_number_to_merge=1,\
recycle_log_file_num=4,write_buffer_size=16777216,\
writable_file_max_buffer_size=0
[client]
log file =
admin socket =
objecter timeout = 1
objecter tick interval = 0.5
'''


def free_port():
    """A port that nobody listens on; somebody else may be faster."""
    while True:
        port = random.randrange(20000, 30000)
        with socket.socket() as sock:
            try:
                sock.bind(('127.0.0.1', port))
                return port
            except OSError:
                continue


class Ceph:
    """A context in which Ceph runs, with a pool rbd."""

    def __init__(self, directory):
        """@directory: an empty one, on which 200 MB are free."""
        self.dir = Path(directory)
        self.conf = self.dir / 'ceph.conf'
        self.daemons = {}

    def __enter__(self):
        for attempt in range(3):
            try:
                self.make()
                return self
            except (OSError, subprocess.SubprocessError):
                self.stop()
                if attempt == 2:
                    raise
        return None

    def __exit__(self, *_):
        self.stop()

    def run(self, *command, **options):
        """Run a client; returns what it prints."""
        return subprocess.run(
            command, check=True, timeout=SECONDS, text=True,
            env={**os.environ, 'CEPH_CONF': str(self.conf)},
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            **options).stdout

    def start(self, daemon):
        """Start 'mon' or 'osd', the only one of its kind.

        The OSD of Debian 13 looks for its classes below where it is started,
        which is the root where systemd does it.
        """
        name = {'mon': 'a', 'osd': '0'}[daemon]
        self.daemons[daemon] = subprocess.Popen(
            [f'ceph-{daemon}', '-f', '-i', name, '-c', self.conf], cwd='/',
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)

    def kill(self, daemon):
        """SIGKILL; what was acknowledged is on its disk."""
        process = self.daemons.pop(daemon)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def stop(self):
        for daemon in list(self.daemons):
            self.kill(daemon)

    def make(self):
        fsid, port = str(uuid.uuid4()), free_port()
        subprocess.run(['rm', '-rf', self.dir / 'mon', self.dir / 'osd',
                        self.dir / 'monmap'], check=True)
        for name in ['mon', 'osd', 'crash']:
            (self.dir / name).mkdir(exist_ok=True)
        self.conf.write_text(CONFIG.format(fsid=fsid, port=port,
                                           dir=self.dir))
        self.run('monmaptool', '--create', '--fsid', fsid, '--addv', 'a',
                 f'[v2:127.0.0.1:{port}/0]', self.dir / 'monmap')
        self.run('ceph-mon', '--mkfs', '-i', 'a', '--monmap',
                 self.dir / 'monmap')
        self.start('mon')
        osd = str(uuid.uuid4())
        self.run('ceph-osd', '--mkfs', '-i', '0', '--osd-uuid', osd,
                 '--no-mon-config')
        self.run('ceph', '--connect-timeout', '20',
                 input=f'osd new {osd} 0\nosd pool create rbd 8 8\n')
        self.start('osd')

    def create_image(self, name, size='4M'):
        """An image of zeros; waits until the OSD serves."""
        self.run('rbd', 'create', '--size', size, f'rbd/{name}')

    def node(self, name, **options):
        """What -blockdev needs for the image @name."""
        return {'driver': 'rbd', 'pool': 'rbd', 'image': name,
                'conf': str(self.conf), **options}

