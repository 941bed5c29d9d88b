#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Boot entries: uefi-varstore boot.

usage: test-uefi-varstore-boot.py PROGRAM

efibootmgr reads and changes the same entries, in a directory like efivarfs.
"""

import json
import os
import struct
import subprocess
import uuid

from varstore import GLOBAL, Tool, entry, main

PART = uuid.UUID('11111111-2222-3333-4444-555555555555')
ESP = uuid.UUID('c12a7328-f81f-11d2-ba4b-00a0c93ec93b')
DATA = uuid.UUID('0fc63daf-8483-4772-8e79-3d69d8477de4')

# What efibootmgr 17 wrote for -d, a disk whose first partition is PART, of
# 65536 blocks from 2048 on, -p 1 -L debian -l '\EFI\debian\shimx64.efi'
DEBIAN = ('01000000' '6200' '640065006200690061006e000000' '04012a0001000000'
          '00080000000000000000010000000000' '11111111222233334444555555555555'
          '0202' '040434005c004500460049005c00640065006200690061006e005c007300'
          '680069006d007800360034002e006500660069000000' '7fff0400')


class Entries(Tool):
    def add(self, label, *args):
        self.ok('boot', 'add', '-l', label, *(args or ['--file', '/a.efi']),
                self.path)

    def entries(self):
        return json.loads(self.ok('boot', 'list', '-j', self.path))

    def names(self):
        return [e['name'] for e in self.entries()]

    def value(self, name):
        return self.run_tool('get', '-r', self.path, name).stdout.hex()


class Boot(Entries):
    def disk(self, block=512):
        """The image of a disk whose ESP is its second partition"""
        table = b''.join(
            kind.bytes_le + part.bytes_le + struct.pack('<QQQ', start, end, 0)
            + bytes(72) for kind, part, start, end in (
                (DATA, uuid.UUID(int=1), 34, 2047),
                (ESP, PART, 2048, 67583)))
        header = (b'EFI PART' + bytes(64) + struct.pack('<QII', 2, 128, 128))
        path = self.dir / 'disk'
        path.write_bytes(bytes(block) + header.ljust(block, b'\0') + table +
                         bytes(16384))
        return path

    def test_same_as_efibootmgr(self):
        part = f'{PART},1,2048,65536'
        self.add('debian', '--partition', part, '--file',
                 '/EFI/debian/shimx64.efi')
        self.assertEqual(self.value('Boot0000'), DEBIAN)

    def test_disk(self):
        for block in (512, 4096):
            self.add('esp', '--disk', self.disk(block), '--file', '/a')
            self.add('data', '--disk', self.disk(block), '--part', '1',
                     '--file', '/a')
            data, esp = self.entries()[:2]
            self.assertEqual(esp['path'],
                             f'HD(2,GPT,{PART},0x800,0x10000)/\\a')
            self.assertEqual(data['path'], f'HD(1,GPT,{uuid.UUID(int=1)},'
                             '0x22,0x7de)/\\a')
        for bad in (['--part', '3'], ['--part', '999999']):
            self.fails('boot', 'add', '-l', 'x', '--disk', self.disk(), *bad,
                       '--file', '/a', self.path)
        whole = self.disk().read_bytes()
        for size in (0, 511, 520, 600, 1100):
            (self.dir / 'cut').write_bytes(whole[:size])
            self.fails('boot', 'add', '-l', 'x', '--disk', self.dir / 'cut',
                       '--file', '/a', self.path)

    def test_list(self):
        self.add('net', '--uri', 'http://host/x.efi')
        self.add('Größe\x1b', '--file', '/EFI/x.efi', '--args', 'a ä')
        self.add('last', '--last', '--partition', PART, '--file', 'x')
        self.ok('boot', 'next', self.path, '2')
        self.assertEqual(self.ok('boot', 'list', self.path).splitlines(), [
            '1  Boot0001  active       Größe\\u001b  \\EFI\\x.efi',
            '2  Boot0000  active       net          Uri(http://host/x.efi)',
            '3  Boot0002  active,next  last         '
            f'HD(1,GPT,{PART},0x0,0x0)/x'])
        self.assertTrue(self.value('Boot0001').endswith(
            '7fff0400' + 'a ä'.encode('utf-16le').hex()))
        # what is not in the order comes last, what is damaged is shown
        self.ok('set', '-x', '0100', self.path, 'BootOrder')
        self.store(entry('Boot0000', GLOBAL, 7, '00'),
                   entry('Boot00FF', GLOBAL, 7, '00' * 8 + '7fff0400'),
                   entry('BootOrder', GLOBAL, 7, 'ff00aa00ff0000'))
        self.assertEqual(self.entries(), [
            {'name': 'Boot00FF', 'place': 1, 'active': False, 'next': False,
             'label': '', 'path': 'damaged'},
            {'name': 'Boot0000', 'place': None, 'active': False,
             'next': False, 'label': '', 'path': 'damaged'}])

    def test_order(self):
        for label in 'abcd':
            self.add(label)
        self.assertEqual(self.names(), ['Boot0003', 'Boot0002', 'Boot0001',
                                        'Boot0000'])
        self.ok('boot', 'order', self.path, '0,2', 'Boot0001')
        self.assertEqual(self.value('BootOrder'), '0000020001000300')
        self.ok('boot', 'next', self.path, '3')
        self.ok('boot', 'rm', self.path, '3', '0000')
        self.assertEqual(self.names(), ['Boot0002', 'Boot0001'])
        self.assertIn('no variable', self.fails('get', self.path, 'BootNext'))
        self.add('new')
        self.assertEqual(self.names()[0], 'Boot0000')
        self.ok('boot', 'rm', self.path, '0', '1', '2')
        self.assertEqual(self.ok('list', self.path), '')

    def test_active(self):
        self.add('a')
        before = self.value('Boot0000')
        self.ok('boot', 'disable', self.path, '0')
        self.assertFalse(self.entries()[0]['active'])
        self.assertEqual(self.value('Boot0000'), '00' + before[2:])
        self.ok('boot', 'enable', self.path, '0')
        self.assertEqual(self.value('Boot0000'), before)
        self.ok('boot', 'next', self.path, '0')
        self.ok('boot', 'next', self.path, 'none')
        self.ok('boot', 'next', self.path, 'none')
        self.assertFalse(self.entries()[0]['next'])

    def test_wrong(self):
        self.add('a')
        for args in (['list', self.path, '0'], ['rm', self.path],
                     ['nonsense', self.path], ['add', self.path],
                     ['add', '-l', 'x', self.path],
                     ['add', '--file', 'x', self.path],
                     ['add', '-l', 'x', '--file', 'x', '--uri', 'x',
                      self.path]):
            self.fails('boot', *args, status=2)
        for args in (['next', self.path, 'x'], ['next', self.path, '10000'],
                     ['rm', self.path, '1'], ['next', self.path, '1'],
                     ['enable', self.path, '0', '1'],
                     ['list', self.dir / 'none'],
                     ['add', '-l', 'x', '--file', 'y' * 40000, self.path]):
            self.fails('boot', *args)


class Efibootmgr(Entries):
    """The same changes by both"""

    def setUp(self):
        super().setUp()
        self.efivars = self.dir / 'efivars'
        self.add('net', '--uri', 'http://host/x.efi')
        self.add('debian', '--partition', f'{PART},1,2048,65536', '--file',
                 '/EFI/debian/shimx64.efi')
        self.add('shell', '--file', '/shell.efi', '--args', 'x')
        self.ok('export', '-f', 'efivarfs', self.path, self.efivars)

    def theirs(self, *args):
        env = {**os.environ, 'EFIVARFS_PATH': f'{self.efivars}/',
               'LIBEFIVAR_OPS': 'efivarfs', 'LC_ALL': 'C.UTF-8'}
        return subprocess.run(['efibootmgr', *args], env=env, check=True,
                              capture_output=True, timeout=60).stdout.decode()

    def test_reads_ours(self):
        text = self.theirs('-v')
        self.assertIn('BootOrder: 0002,0001,0000\n', text)
        self.assertIn(f'Boot0001* debian\tHD(1,GPT,{PART},0x800,0x10000)/'
                      'File(\\EFI\\debian\\shimx64.efi)\n', text)
        self.assertIn('Boot0000* net\tUri(http://host/x.efi)\n', text)

    def test_same_changes(self):
        """But for -B: only the true efivarfs cuts what it writes"""
        # for -A and -a, efibootmgr 18 looks at no entry but the first it reads
        first = next(name[4:8] for name in os.listdir(self.efivars)
                     if name.startswith('Boot000'))
        for theirs, ours in ((['-n', '0001'], ['next', '1']),
                             (['-N'], ['next', 'none']),
                             (['-o', '0001,0000,0002'], ['order', '1,0']),
                             (['-b', first, '-A'], ['disable', first]),
                             (['-b', first, '-a'], ['enable', first])):
            with self.subTest(ours=ours):
                self.theirs(*theirs)
                self.ok('boot', ours[0], self.path, *ours[1:])
                other = self.dir / 'other.json'
                self.ok('import', '--replace', self.efivars, other)
                self.ok('diff', self.path, other)


if __name__ == '__main__':
    main()
