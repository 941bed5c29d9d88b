#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The command line tool uefi-varstore, as a user runs it.

usage: test-uefi-varstore.py PROGRAM GUEST-SET
"""

import hashlib
import json
import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

from varstore import (DATA, GLOBAL, IMGSEC, PROGRAM, SIGNER, TEST, TIME, Tool,
                      document, entry, journal, main)

GUEST_SET = sys.argv[2]
SOURCE = Path(__file__).resolve().parents[2] / 'tools' / 'uefi-varstore'

COMMANDS = ['status', 'list', 'get', 'set', 'rm', 'apply', 'boot', 'diff',
            'check', 'clone', 'create', 'fold',
            'enroll', 'update', 'reset-keys', 'sign',
            'check-image', 'mok', 'pcr7', 'replay', 'import', 'export',
            'firmware-descriptor']

# An ESL with one SHA-256 hash
ESL = ('2616c4c14c509240aca941f936934328' '4c000000' '00000000' '30000000' +
       '11111111222233334444555555555555' + 'ab' * 32)

LANG = entry('Lang', GLOBAL, 7, '656e6700')
ORDER = entry('BootOrder', GLOBAL, 7, '01000200')
DB = entry('db', IMGSEC, 39, ESL, time=TIME)
PRIVATE = entry('Private', TEST, 39, 'cafe', time=TIME, digest=SIGNER)
ODD = entry('Größe', TEST, 3, '00')
HWERR = entry('A', TEST, 15, '00')


class Usage(Tool):
    def test_wrong(self):
        for args in ([], ['nonsense'], ['list'], ['get', 'x'], ['rm', 'x'],
                     ['list', '--nonsense', 'x'], ['check', 'a', 'b'],
                     ['diff', 'a'], ['set', 'x', 'y'],
                     ['set', 'x', 'y', '--hex', '00', '--text', 'a'],
                     ['set', 'x', 'y', '--hex', '00', '--attr', 'XX'],
                     ['set', 'x', 'y', '--hex', '00', '--size', '1'],
                     ['set', 'x', 'y', '--hex', '00', '--size', '5M'],
                     ['set', 'x', 'y', '--hex', '00', '--size', '512kk'],
                     ['set', 'x', 'y', '--hex', '00', '--size', ''],
                     ['set', 'x', 'y', '--hex', '00', '--size', '-1'],
                     ['set', 'x', 'y', '--hex', '00', '--size', '4194305'],
                     ['check', 'x', '--hwerr-quota', '-1'],
                     ['check', 'x', '--size', '8192', '--hwerr-quota',
                      '4097']):
            with self.subTest(args=args):
                result = self.run_tool(*args)
                self.assertEqual(result.returncode, 2)
                self.assertEqual(result.stdout, b'')
                self.assertNotEqual(result.stderr, b'')

    def test_help(self):
        commands = self.ok('--help')
        self.assertEqual(self.ok('help'), commands)
        for command in COMMANDS:
            self.assertIn(f'  {command} ', commands)
            self.assertIn('Usage:', self.ok(command, '--help'))
            self.assertEqual(self.ok('help', command),
                             self.ok(command, '--help'))
        self.assertEqual(self.run_tool('help', 'nonsense').returncode, 2)
        self.assertRegex(self.ok('--version'), r'^uefi-varstore \d')

    def test_short_options(self):
        """A letter means the same in all commands"""
        meaning = {}
        for command in COMMANDS:
            for short, long in re.findall(r'^  (-\w), (--[a-z0-9-]+)',
                                          self.ok(command, '--help'),
                                          re.MULTILINE):
                self.assertEqual(meaning.setdefault(short, long), long,
                                 (command, short))

    def test_old_options(self):
        """Letters of earlier versions still mean what they did"""
        self.ok('set', '-g', TEST, '-a', 'NV,BS', '-t', 'x', self.path, 'A')
        self.assert_store(entry('A', TEST, 3, '78'))
        self.assertIn('00000000  78', self.ok('get', '-x', self.path, 'A'))
        self.ok('set', '-f', self.path, self.path, 'A')

    def test_end_of_options(self):
        """Behind -- everything is an argument, wherever it stands"""
        for name in ('-x', '--'):
            self.ok('set', '-g', TEST, '-x', '00', self.path, '--', name)
            self.assertIn(f'name: {name}\n',
                          self.ok('get', self.path, '--', name))
            self.ok('rm', '--', self.path, name)
        self.ok('set', '--text', '--', '-g', TEST, self.path, 'A')
        self.assert_store(entry('A', TEST, 7, '2d2d'))

    def test_locale(self):
        """What is typed and shown is UTF-8 in any locale"""
        for locale in ('C', 'C.UTF-8', 'nonsense'):
            env = {**os.environ, 'LC_ALL': locale}
            for args in (['set', '-g', TEST, '-x', '00', self.path, 'Größe'],
                         ['get', self.path, 'Größe'], ['list', self.path]):
                subprocess.run([PROGRAM, *args], check=True, env=env,
                               capture_output=True, timeout=60)

    def test_mistyped_path(self):
        """Nobody takes a file that is not there for a blank store"""
        self.store()
        none = self.dir / 'none'
        for command in ('status', 'list', 'check', 'reset-keys', 'fold',
                        'get A', 'rm A', 'export -f xen -- out',
                        'diff', 'firmware-descriptor --arch x86_64'):
            words = command.split()
            result = self.run_tool(words[0], *words[2:-1], none, *words[1:][-1:])
            self.assertNotEqual(result.returncode, 0, command)
            self.assertFalse(none.exists())

    def test_full_output(self):
        self.store(LANG)
        with open('/dev/full', 'wb') as full:
            result = subprocess.run([PROGRAM, 'list', self.path], stdout=full,
                                    stderr=subprocess.PIPE, timeout=60)
        self.assertEqual(result.returncode, 1)
        self.assertIn(b'No space left', result.stderr)


class Image(Tool):
    """A store in an image, as QEMU has it for drive="""

    def setUp(self):
        super().setUp()
        self.image = self.dir / 'image'

    def make(self, *args):
        self.ok('create', self.image, *args)

    def test_both_ways(self):
        self.store(LANG, DB, PRIVATE)
        self.make()
        self.assertEqual(self.image.stat().st_size, 2883584)
        self.assertEqual(self.image.stat().st_mode & 0o777, 0o600)
        self.assertEqual(self.ok('list', self.image), '')
        self.ok('import', self.path, self.image)
        self.ok('set', self.image, 'Lang', '--hex', '64657500')
        self.assertIn('variables: 3', self.ok('check', self.image))
        self.ok('status', self.image)
        for command in ('import', 'clone'):
            copy = self.dir / command
            self.ok(command, self.image, copy)
            self.assertEqual(copy.read_text(), document(
                DB, PRIVATE, {**LANG, 'data': '64657500'}))

    def test_one_superblock(self):
        self.make()
        self.ok('set', self.image, 'Lang', '--hex', '656e6700')
        self.image.write_bytes(bytes(65536) + self.image.read_bytes()[65536:])
        self.assertIn('Lang', self.ok('list', self.image))

    def test_there_already(self):
        self.make()
        self.ok('set', self.image, 'Lang', '--hex', '656e6700')
        self.path = self.image
        self.assertIn('--replace', self.fails('create', self.image))
        self.assertIn('Lang', self.ok('list', self.image))
        self.make('--replace')
        self.assertEqual(self.ok('list', self.image), '')

    def test_something_else(self):
        self.path = self.image
        self.image.write_bytes(b'x' * (4 << 20))
        self.assertIn('neither a store nor all zeroes',
                      self.fails('create', self.image))
        self.make('--replace')
        self.assertEqual(self.ok('list', self.image), '')

    def test_too_small(self):
        self.path = self.image
        self.image.write_bytes(bytes(1 << 20))
        self.assertIn('has 1048576 bytes, but a store of this size needs '
                      '2883584', self.fails('create', self.image))
        self.make('--size', '4096')
        self.ok('set', self.image, 'Lang', '--hex', '656e6700', '--size', '4096')

    def test_locked(self):
        self.make()
        self.path = self.image
        with self.locked():
            self.assertIn('in use', self.fails('set', self.image, 'Lang',
                                               '--hex', '656e6700'))
            self.assertEqual(self.ok('list', self.image), '')

    def test_damaged(self):
        self.make()
        self.path = self.image
        data = bytearray(self.image.read_bytes())
        data[30] ^= 1
        data[65566] ^= 1
        self.image.write_bytes(data)
        for words in ('list',), ('check',), ('rm', 'Lang'):
            self.assertIn('left as it is', self.fails(
                words[0], self.image, *words[1:]))


class WrongFile(Tool):
    """Errors name what the file is"""

    def test_other_formats(self):
        image = self.dir / 'image'
        for name in ('OVMF_VARS_4M.fd', 'OVMF_VARS_4M.ms.fd'):
            shutil.copy(f'/usr/share/OVMF/{name}', image)
            self.assertEqual(self.fails('fold', image),
                             f'uefi-varstore: {image}: this is a store of the '
                             'format edk2, which is written with --in-place '
                             "only; or use 'import'\n")

    def test_blank(self):
        self.path.touch()
        self.assertIn('the store is blank', self.fails('get', self.path, 'A'))


class List(Tool):
    def test_table(self):
        self.store(LANG, DB, PRIVATE, ODD)
        self.assertEqual(self.ok('list', self.path).splitlines(), [
            'Lang     GLOBAL                                NV,BS,RT      4'
            '  -',
            'db       IMGSEC                                NV,BS,RT,AT  76'
            '  2024-01-02 03:04:05',
            'Private  11111111-2222-3333-4444-555555555555  NV,BS,RT,AT   2'
            '  2024-01-02 03:04:05',
            'Größe    11111111-2222-3333-4444-555555555555  NV,BS         1'
            '  -'])

    def test_globs(self):
        self.store(LANG, ORDER, DB)
        names = self.ok('list', self.path, 'd?', 'L*').split('\n')
        self.assertEqual([line.split(' ')[0] for line in names],
                         ['Lang', 'db', ''])
        self.assertEqual(self.ok('list', self.path, 'lang'), '')

    def test_vendor(self):
        self.store(LANG, ODD)
        for vendor in ('global', GLOBAL, GLOBAL.upper()):
            self.assertEqual(
                self.ok('list', '-j', '-g', vendor, self.path),
                document(LANG))
        self.assertIn('neither a GUID nor a known vendor',
                      self.fails('list', '-g', 'nonsense', self.path,
                                 status=2))

    def test_json_is_a_store(self):
        self.store(LANG, DB, PRIVATE, ODD)
        self.assertEqual(self.ok('list', '--json', self.path),
                         self.path.read_text(encoding='utf-8'))
        self.assertEqual(self.ok('list', '--json', self.path, 'd*'),
                         document(DB))

    def test_sort(self):
        self.store(LANG, ODD, PRIVATE, ORDER)
        for column, names in (('name', 'BootOrder Größe Lang Private'),
                              ('size', 'BootOrder Lang Private Größe'),
                              ('time', 'Private BootOrder Größe Lang'),
                              ('vendor', 'Größe Private BootOrder Lang')):
            self.assertEqual(self.ok('list', '--names', '--sort', column,
                                     self.path).split(), names.split())
            text = self.ok('list', '--sort', column, '--header', self.path)
            self.assertEqual([line.split()[0] for line in text.splitlines()],
                             ['NAME', *names.split()])
        self.fails('list', '--sort', 'nonsense', self.path, status=2)

    def test_blank(self):
        self.path.touch()
        self.assertEqual(self.ok('list', self.path), '')
        self.assertEqual(self.ok('list', '-j', self.path), document())
        self.assertEqual(self.path.read_bytes(), b'')

    def test_journal(self):
        """A live store is shown as the guest sees it, and not touched"""
        text = journal(document(LANG, ODD), [ORDER],
                       [{'name': 'Lang', 'guid': GLOBAL}])
        self.path.write_text(text, encoding='utf-8')
        with self.locked():
            self.assertEqual(self.ok('list', '-j', self.path),
                             document(ODD, ORDER))
        self.assertEqual(self.path.read_text(encoding='utf-8'), text)

    def test_warnings(self):
        self.store({**LANG, 'comment': 1})
        result = self.run_tool('list', '-j', self.path)
        self.assertEqual(result.returncode, 0)
        self.assertEqual(result.stdout.decode(), document(LANG))
        self.assertEqual(result.stderr.decode(),
                         f'uefi-varstore: {self.path}: warning: variables[0]:'
                         ' unknown key "comment" is ignored\n')

    def test_golden(self):
        """Stores of other programs, as the device reads them"""
        for name in ('virt-firmware', 'python-uefivars', 'bundled'):
            expected = DATA / f'{name}.json.expected'
            self.assertEqual(self.ok('list', '-j', DATA / f'{name}.json'),
                             expected.read_text(encoding='utf-8'))


class Terminal(Tool):
    """Nothing steers the terminal, and no two names look alike"""

    NAMES = ['a\\b', 'a\\u005cb', 'a\u202eb', 'a\\u202eb', 'a\x9b1m', 'a\u200b',
             'a\ufeff', 'a', 'ａ', 'e\u0301']

    def test_names(self):
        self.store(*(entry(n, TEST, 3, f'{i:02x}')
                     for i, n in enumerate(self.NAMES)))
        lines = self.ok('list', self.path).splitlines()
        shown = [line.split(' ')[0] for line in lines]
        self.assertEqual(len(set(shown)), len(self.NAMES))
        for i, name in enumerate(shown):
            self.assertNotRegex(name, '[\x7f-\x9f\u200b\u202e\ufeff]')
            self.assertEqual(self.run_tool('get', '-r', self.path,
                                           name).stdout, bytes([i]))
        self.assertEqual(shown[0], 'a\\u005cb')
        for name in shown:
            self.ok('set', '-g', TEST, '-x', 'ff', self.path, name)
        names = [e['name'] for e in
                 json.loads(self.path.read_text())['variables']]
        self.assertEqual(names, self.NAMES)

    def test_columns(self):
        """Wide characters take two, combining ones none"""
        self.store(*(entry(n, TEST, 3, '00') for n in self.NAMES[-3:]))
        self.assertEqual([line.index(TEST) for line in
                          self.ok('list', self.path).splitlines()], [4, 3, 5])

    def test_messages(self):
        self.store()
        text = self.fails('get', self.path, 'a\x1b[31m\u202e')
        self.assertIn("'a\\u001b[31m\\u202e'", text)

    def test_certificate(self):
        cert = self.dir / 'cert'
        subprocess.run(['openssl', 'req', '-x509', '-nodes', '-newkey',
                        'rsa:2048', '-keyout', self.dir / 'key', '-out', cert,
                        '-utf8', '-subj', '/CN=a\x9b\u202e\u061cb'], check=True,
                       capture_output=True, timeout=60)
        self.ok('enroll', '--db', cert, self.path)
        self.assertIn('CN=a\\u009b\\u202e\\u061cb',
                      self.ok('get', self.path, 'db'))
        self.assertIn('CN=a\\u009b\\u202e\\u061cb',
                      self.ok('status', self.path))


class Get(Tool):
    def value(self, name, guid, data, *args):
        """What 'get' prints below the head"""
        self.store(entry(name, guid, 39 if guid == IMGSEC else 7, data))
        return self.ok('get', *args, self.path, name).split('\n\n', 1)[1]

    def test_head(self):
        self.store(LANG, PRIVATE)
        self.assertEqual(
            self.ok('get', self.path, 'Private'),
            f'name: Private\nvendor: {TEST}\nattributes: NV,BS,RT,AT\n'
            'size: 2\ntime: 2024-01-02 03:04:05\n\n'
            '00000000  ca fe                                            ..\n')
        self.assertEqual(
            self.ok('get', self.path, 'Lang'),
            f'name: Lang\nvendor: {GLOBAL} (GLOBAL)\nattributes: NV,BS,RT\n'
            'size: 4\n\neng\n')
        for name in ('SHIM', 'MICROSOFT'):
            self.ok('set', '-g', name, '-x', '00', self.path, name)
            self.assertIn(f' ({name})\n', self.ok('get', self.path, name))

    def test_raw_and_json(self):
        self.store(LANG, PRIVATE)
        self.assertEqual(self.ok('get', '-r', self.path, 'Lang'), 'eng\0')
        self.assertEqual(json.loads(self.ok('get', '-j', self.path,
                                            'Private')), PRIVATE)

    def test_several(self):
        self.store(LANG, ORDER, PRIVATE)
        text = self.ok('get', self.path, 'BootOrder', 'L*')
        self.assertEqual(re.findall('^name: (.*)', text, re.MULTILINE),
                         ['BootOrder', 'Lang'])
        self.assertIn('\n\n0001,0002\n\nname: Lang\n', text)
        self.assertEqual(json.loads(self.ok('get', '-j', self.path, '*')),
                         [LANG, ORDER, PRIVATE])
        self.assertEqual(self.ok('get', '-r', self.path, 'Lang', 'Lang'),
                         'eng\0eng\0')
        self.fails('get', self.path, 'Lang', 'None')

    def test_hexdump(self):
        data = bytes(range(0x30, 0x42))
        self.assertEqual(
            self.value('Lang', GLOBAL, data.hex(), '--hexdump'),
            '00000000  30 31 32 33 34 35 36 37 38 39 3a 3b 3c 3d 3e 3f  '
            '0123456789:;<=>?\n'
            '00000010  40 41                                            '
            '@A\n')

    def test_missing(self):
        self.store(LANG)
        self.assertIn("no variable 'lang'",
                      self.fails('get', self.path, 'lang'))
        self.assertIn("no variable 'Lang'",
                      self.fails('get', '-g', TEST, self.path, 'Lang'))

    def test_ambiguous(self):
        self.store(LANG, {**LANG, 'guid': TEST})
        self.assertIn('several', self.fails('get', self.path, 'Lang'))
        self.ok('get', '-g', TEST, self.path, 'Lang')

    def test_simple_values(self):
        for name, data, text in (
                ('BootOrder', '01000a00ffff', '0001,000A,FFFF'),
                ('BootNext', '1000', '0010'),
                ('Timeout', '0500', '5 seconds'),
                ('Timeout', 'ffff', 'wait for ever'),
                ('PlatformLang', '656e2d555300', 'en-US'),
                ('OsIndications', '0500000000000080',
                 'boot to firmware setup\nfile capsule delivery\nbit 63'),
                ('OsIndications', '0000000000000000', 'none')):
            with self.subTest(name=name, data=data):
                self.assertEqual(self.value(name, GLOBAL, data), text + '\n')

    def test_odd_values(self):
        """What is not what it should be is dumped"""
        for name, data in (('BootOrder', '010002'), ('Timeout', '05'),
                           ('Lang', '1b5b324a'), ('OsIndications', '00'),
                           ('Boot0001', '0100'), ('Boot0001', '01' * 40),
                           ('ConIn', '7fff0500'), ('ConIn', '0101'),
                           ('ConIn', '0101ffff0000'), ('ConIn', '01010300'),
                           ('PK', ESL[:-2]), ('KEK', '00')):
            with self.subTest(name=name, data=data):
                self.assertTrue(
                    self.value(name, GLOBAL, data).startswith('00000000  '))

    def test_load_option(self):
        path = ('02010c00' 'd041030a' '00000000'        # PciRoot(0x0)
                '01010600' '021f'                       # Pci(0x1f,0x2)
                '03120a00' '0000' 'ffff' '0000'         # Sata
                '04012a00' '01000000' '0008000000000000' '0010000000000000'
                '112233445566778899aabbccddeeff00' '02' '02'
                '04040c00' + '\\a.x'.encode('utf-16le')[:8].hex() +
                '7fff0400')
        # the file name lacks its terminator and is shown as such
        name = 'Größe\x1b'.encode('utf-16le').hex() + '0000'
        size = len(path) // 2
        data = ('01000000' + size.to_bytes(2, 'little').hex() + name + path +
                'beef')
        self.assertEqual(
            self.value('Boot0001', GLOBAL, data),
            'description: Größe\\u001b\n'
            'path: PciRoot(0x0)/Pci(0x1f,0x2)/Sata(0x0,0xffff,0x0)/'
            'HD(1,GPT,44332211-6655-8877-99aa-bbccddeeff00,0x800,0x1000)/'
            'File(?)\n'
            'state: active\n'
            'optional data: 2 bytes\n')

    def test_device_paths(self):
        end = '7fff0400'
        for node, text in (
                ('02010c00' 'd041080a' '01000000', 'PcieRoot(0x1)'),
                ('02010c00' 'd0410105' '01000000', 'Acpi(PNP0501,0x1)'),
                ('03180d00' '687474703a2f2f78' '1b', 'Uri(http://x?)'),
                ('03050600' '0102', 'USB(0x1,0x2)'),
                ('03171000' '01000000' '0102030405060708',
                 'NVMe(0x1,08-07-06-05-04-03-02-01)'),
                ('030b2500' + '525400123456' + '00' * 26 + '01',
                 'MAC(525400123456,0x1)'),
                ('04012a00' '02000000' + '00' * 16 +
                 '78563412' + '00' * 12 + '0101',
                 'HD(2,MBR,0x12345678,0x0,0x0)'),
                ('0404' '0800' '5c006100', 'File(?)'),
                ('0404' '0a00' '5c0061000000', '\\a'),
                ('01010500' '02', 'Path(1,1,02)'),
                ('09090600' 'abcd', 'Path(9,9,abcd)'),
                ('01010600' '0001' '7f010400' '01010600' '0002',
                 'Pci(0x1,0x0),Pci(0x2,0x0)')):
            with self.subTest(node=node):
                self.assertEqual(self.value('ConOut', GLOBAL, node + end),
                                 text + '\n')

    def test_cut_device_paths(self):
        """Every node cut short by each number of bytes"""
        nodes = json.loads(self.ok('list', '-j', DATA / 'virt-firmware.json'))
        data = next(e['data'] for e in nodes['variables']
                    if e['name'] == 'Boot0000')
        for size in range(2, len(data), 2):
            self.value('Boot0000', GLOBAL, data[:size])
            self.value('ConOut', GLOBAL, data[-size:])

    def test_signatures(self):
        shown = f'sha256 {"ab" * 32}, owner {TEST}\n'
        self.assertEqual(self.value('dbx', IMGSEC, ESL),
                         '1 of type sha256\n' + shown)
        # lists of one type are counted together, as firmware makes many
        sha1 = ('12a56c8210cfc94ab187be01496631bd' '40000000' '00000000'
                '24000000' '11111111222233334444555555555555' + 'cd' * 20)
        self.assertEqual(self.value('dbx', IMGSEC, ESL + sha1 + ESL * 2),
                         '3 of type sha256\n1 of type sha1\n' + shown +
                         f'sha1 {"cd" * 20}, owner {TEST}\n' + shown * 2)
        text = self.ok('get', DATA / 'virt-firmware.json', 'PK')
        self.assertIn('X.509 certificate, owner ', text)
        self.assertIn('\n  subject: CN=Golden Test\n'
                      '  issuer: CN=Golden Test\n  valid: 20', text)
        pk = json.loads(self.ok('get', '-j', DATA / 'virt-firmware.json',
                                'PK'))
        der = bytes.fromhex(pk['data'])[44:]
        self.assertIn(f'\n  SHA-256: {hashlib.sha256(der).hexdigest()}\n',
                      text)

    def test_bad_certificate(self):
        x509 = ('a159c0a5e494a74a87b5ab155c2bf072' '2f000000' '00000000'
                '13000000' '11111111222233334444555555555555' '300102')
        self.assertIn('not readable', self.value('db', IMGSEC, x509))


class Status(Tool):
    def status(self, *args):
        return json.loads(self.ok('status', '--json', *args, self.path))

    def test_blank(self):
        self.path.touch()
        self.assertEqual(self.ok('status', self.path).splitlines(), [
            'mode: setup',
            'next boot: secure boot is off: no platform key is enrolled',
            'PK: none', 'KEK: none', 'db: none', 'dbx: none',
            'keys of 2023: none',
            'room: 0 of 262116 bytes used, 33724 for a dbx update'])
        status = self.status()
        self.assertEqual([k['name'] for k in
                          status.pop('known-certificates') if k['enrolled']],
                         [])
        self.assertEqual(status, {
            'setup-mode': True, 'next-boot': 'setup-mode',
            'keys': [{'name': name, 'size': 0, 'signatures': [],
                      'certificates': [], 'damaged': False}
                     for name in ('PK', 'KEK', 'db', 'dbx')],
            'dbx-room': 33724, 'readiness': 'none', 'used': 0, 'limit': 262116})

    def test_keys(self):
        shutil.copy(DATA / 'virt-firmware.json', self.path)
        text = self.ok('status', self.path)
        self.assertIn('mode: user\nnext boot: secure boot is on: ', text)
        self.assertRegex(text, r'\nPK: 1 x509, of 20.*\n  CN=Golden Test '
                         r'\(owner .*\)\n    valid 20\d\d-\d\d-\d\d to 2')
        self.assertRegex(text, r'\ndb: 1 x509, of 20.*\n  CN=Golden Test '
                         rf'\(owner {TEST}\)\n')
        self.assertIn('\nkeys of 2023: own\n', text)
        keys = {key['name']: key for key in self.status()['keys']}
        self.assertEqual(keys['KEK']['signatures'],
                         [{'type': 'x509', 'count': 1}])
        kek = json.loads(self.ok('get', '-j', self.path, 'KEK'))
        der = bytes.fromhex(kek['data'])[44:]
        certificate = keys['KEK']['certificates'][0]
        self.assertGreater(certificate.pop('ends'), 1700000000)
        self.assertEqual(certificate,
                         {'owner': TEST, 'subject': 'CN=Golden Test',
                          'sha256': hashlib.sha256(der).hexdigest()})
        self.assertRegex(keys['KEK']['time'],
                         r'^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d$')

    def test_modes(self):
        pk = json.loads(self.ok('get', '-j', DATA / 'virt-firmware.json',
                                'PK'))
        enable = entry('SecureBootEnable',
                       'f0a30bc7-af08-4556-99c4-001009c93a44', 3, '00')
        for entries, args, state in (
                ([enable], [], 'setup-mode'),
                ([enable], ['--force-secure-boot'], 'setup-mode'),
                ([pk], [], 'enabled'),
                ([pk, enable], [], 'disabled'),
                ([pk, enable], ['--force-secure-boot'], 'forced'),
                ([pk, {**enable, 'data': '01'}], [], 'enabled')):
            with self.subTest(state=state, args=args):
                self.store(*entries)
                self.assertEqual(self.status(*args)['next-boot'], state)

    def test_damaged(self):
        self.store({**DB, 'data': ESL + '00'})
        self.assertIn('\ndb: 1 sha256, damaged, of 2024-01-02 03:04:05\n',
                      self.ok('status', self.path))
        self.assertTrue(self.status()['keys'][2]['damaged'])

    def test_room(self):
        """What is told to fit into dbx does, and one byte more does not"""
        self.store({**DB, 'name': 'dbx'})
        status = self.status('--size', '4096')
        self.assertEqual((status['limit'], status['used']),
                         (4068, 60 + 8 + len(ESL) // 2))
        self.assertEqual(status['dbx-room'], 4068 - status['used'])


class Set(Tool):
    def test_new(self):
        """A file that does not exist, with what is known of the name"""
        self.ok('set', '--hex', '01 00', self.path, 'BootNext')
        self.assert_store(entry('BootNext', GLOBAL, 7, '0100'))
        self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o600)
        self.ok('set', '--hex', '01', self.path, 'SecureBootEnable')
        self.ok('set', '--hex', ESL, self.path, 'db')
        self.assert_store(
            entry('BootNext', GLOBAL, 7, '0100'),
            entry('SecureBootEnable', 'f0a30bc7-af08-4556-99c4-001009c93a44',
                  3, '01'),
            entry('db', IMGSEC, 39, ESL, time='00' * 16))

    def test_values(self):
        file = self.dir / 'value'
        file.write_bytes(b'\x00\xff')
        self.ok('set', '-g', TEST, '-t', 'Ä', self.path, 'Text')
        self.ok('set', '-g', TEST, '-f', file, self.path, 'File')
        self.ok('set', '-g', TEST, '-f', '-', self.path, 'Stdin',
                stdin=b'\x01\x02')
        self.assert_store(entry('Text', TEST, 7, 'c384'),
                          entry('File', TEST, 7, '00ff'),
                          entry('Stdin', TEST, 7, '0102'))

    def test_replace(self):
        """Attributes, time and signer stay; the place does not"""
        self.store(PRIVATE, ODD)
        self.ok('set', '--hex', 'BEEF', self.path, 'Private')
        self.assert_store(ODD, {**PRIVATE, 'data': 'beef'})
        self.ok('set', '--hex', '11', self.path, 'Größe')
        self.assert_store({**PRIVATE, 'data': 'beef'}, {**ODD, 'data': '11'})
        self.ok('set', '-a', 'nv,bs', '--hex', '12', self.path, 'Private')
        self.assert_store({**ODD, 'data': '11'},
                          entry('Private', TEST, 3, '12'))

    def test_known_vendor_first(self):
        """A foreign variable of a well-known name is not meant"""
        foreign = {**LANG, 'guid': TEST}
        self.store(foreign)
        self.ok('set', '--hex', '00', self.path, 'Lang')
        self.assert_store(foreign, entry('Lang', GLOBAL, 7, '00'))

    def test_attributes(self):
        for text, attr in (('NV,BS', 3), ('nv,bs,rt', 7), ('7', 7),
                           ('0x27', 39), ('NV,BS,RT,HR', 15)):
            self.path.unlink(missing_ok=True)
            self.ok('set', '-g', TEST, '-a', text, '--hwerr-quota', 4096,
                    '--force', '-x', '00', self.path, 'A')
            stored = json.loads(self.path.read_text())['variables'][0]
            self.assertEqual(stored['attr'], attr)

    def test_bad_attributes(self):
        self.store(LANG)
        for status, texts in (
                (2, ('', 'XX', 'NV,', 'NV BS', '0x', '-1', '4294967296')),
                (1, ('BS,RT', 'NV,RT', 'NV,BS,AP', '0'))):
            for text in texts:
                with self.subTest(text=text):
                    self.fails('set', '-A', text, '-x', '00', self.path,
                               'Lang', status=status)

    def test_refused_attributes(self):
        """What the device refuses would make the store unreadable, or a
        variable that no guest can use"""
        self.store(LANG)
        for text, shown in (('0x87', 'NV,BS,RT,0x80'), ('NV', 'NV'),
                            ('NV,RT', 'NV,RT'), ('NV,BS,AW', 'NV,BS,AW'),
                            ('NV,BS,AW,AT', 'NV,BS,AW,AT'), ('0', '0')):
            with self.subTest(text=text):
                self.assertIn(f'the attributes {shown} are refused: ',
                              self.fails('set', '-a', text, '-x', '00',
                                         self.path, 'Lang'))

    def test_bad_values(self):
        self.store(LANG)
        for args in (['-x', ''], ['-x', '0'], ['-x', '0g'], ['-x', '0 0'],
                     ['-t', ''], ['-f', '/dev/null'],
                     ['-f', self.dir / 'none'], ['-f', self.dir]):
            with self.subTest(args=args):
                self.fails('set', *args, self.path, 'Lang')

    def test_keys(self):
        """Keys are signature lists, and authenticated"""
        self.store(LANG)
        for name in ('PK', 'KEK', 'db', 'dbx'):
            self.assertIn('signature list',
                          self.fails('set', '-x', '00', self.path, name))
            self.assertIn('needs AT',
                          self.fails('set', '-a', '7', '-x', ESL, self.path,
                                     name))
        self.assertIn('signature list',
                      self.fails('set', '-x', ESL + ESL, self.path, 'PK'))

    def test_derived(self):
        self.store(LANG)
        for name in ('SetupMode', 'SecureBoot', 'SignatureSupport',
                     'VendorKeys'):
            self.assertIn('not stored', self.fails(
                'set', '-g', 'GLOBAL', '-x', '00', self.path, name))
        # a list of signers without any, which would be read and vanish
        for name in ('certdb', 'certdbv'):
            self.assertIn('not stored', self.fails(
                'set', '-g', 'CERTDB', '-x', '04000000', self.path, name))

    def test_names(self):
        self.ok('set', '-g', TEST, '-x', '00', self.path, 'a\\ud800b')
        self.ok('set', '-g', TEST, '-x', '00', self.path, '🦊')
        self.assertEqual(
            self.path.read_text(encoding='utf-8'),
            '{"version": 2, "variables": [\n'
            f'{{"name": "a\\ud800b", "guid": "{TEST}", "attr": 7, '
            '"data": "00"},\n'
            f'{{"name": "🦊", "guid": "{TEST}", "attr": 7, "data": "00"}}\n'
            ']}\n')
        self.ok('set', '-x', '01', self.path, 'a\\ud800b')
        self.ok('rm', self.path, 'a\\ud800b', '🦊')
        self.assert_store()

    def test_unknown_vendor(self):
        self.assertIn('use --guid',
                      self.fails('set', '-x', '00', self.path, 'Foo'))
        self.assertFalse(self.path.exists())

    def test_room(self):
        """The store does not outgrow the device's, by a byte"""
        most = 4096 - 28 - 60 - 4
        args = ['set', '-g', TEST, '--size', '4096', self.path, 'A', '-x']
        self.assertIn('there is room for 4068',
                      self.fails(*args, '00' * (most + 1)))
        self.assertFalse(self.path.exists())
        self.ok(*args, '00' * most)
        self.fails('set', '-g', TEST, '--size', '4096', self.path, 'B', '-x',
                   '00')
        # smaller is fine, however little room there is
        self.ok('set', '-x', '00', '--size', '4096', self.path, 'A')

    def test_hardware_errors(self):
        """No record that the device has no quota for"""
        args = ['set', '--force', '-g', TEST, '-a', 'NV,BS,RT,HR', '-x', '00',
                self.path]
        self.assertIn('--hwerr-quota', self.fails(*args, 'A'))
        self.assertFalse(self.path.exists())
        self.ok(*args, '--hwerr-quota', 100, 'A')
        self.assert_store(HWERR)
        self.assertIn('the hardware error records take 136 bytes',
                      self.fails(*args, '--hwerr-quota', 100, 'B'))
        # what nobody could load anyway does not grow, but shrinks
        self.fails('set', '-x', '00', self.path, 'Lang')
        self.ok('set', '--hwerr-quota', 68, '-x', '00', self.path, 'Lang')
        self.ok('rm', self.path, 'Lang')
        self.ok('rm', self.path, 'A')

    def test_links(self):
        """A link stands for the file that it names, even if that is
        missing"""
        (self.dir / 'sub').mkdir()
        self.path.symlink_to('sub/link')
        (self.dir / 'sub' / 'link').symlink_to('../real')
        self.fails_with_full_disk(1024, 'set', '-g', TEST, '-x', '00' * 1024,
                                  self.path, 'A')
        self.assertFalse((self.dir / 'real').exists())
        for value in ('656e6700', '646500'):
            self.ok('set', '-x', value, self.path, 'Lang')
            self.assertTrue((self.dir / 'sub' / 'link').is_symlink())
            self.assertEqual((self.dir / 'real').read_text(),
                             document({**LANG, 'data': value}))
        self.path.unlink()
        self.path.symlink_to(self.dir / 'absolute')
        self.ok('set', '-x', '656e6700', self.path, 'Lang')
        self.assertFalse((self.dir / 'absolute').is_symlink())
        self.path.unlink()
        self.path.symlink_to(self.path.name)
        self.assertIn('symbolic links',
                      self.run_tool('set', '-x', '00', self.path,
                                    'Lang').stderr.decode())

    def test_disk_full(self):
        """A store that cannot be written is not left behind half made"""
        self.fails_with_full_disk(1024, 'set', '-g', TEST, '-x', '00' * 1024,
                                  self.path, 'A')
        self.assertEqual(list(self.dir.iterdir()), [])

    def test_too_large_for_a_guest(self):
        value = self.dir / 'value'
        for size, fits in ((65536 - 76 - 4, True), (65536 - 76 - 3, False)):
            value.write_bytes(bytes(size))
            args = ['set', '-g', TEST, '-f', value, self.path, 'A']
            if fits:
                self.ok(*args)
            else:
                self.assertIn('too large for a guest', self.fails(*args))

    def test_same_as_device(self):
        """Each golden store, rewritten, is what the device would write"""
        for name in ('virt-firmware', 'python-uefivars', 'bundled'):
            shutil.copy(DATA / f'{name}.json', self.path)
            self.ok('fold', self.path)
            self.assertEqual(self.path.read_bytes(),
                             (DATA / f'{name}.json.expected').read_bytes())


class Values(Tool):
    def test_types(self):
        for args, data in ((['--u8', '255'], 'ff'), (['--u16', '5'], '0500'),
                           (['--u32', '0x12345678'], '78563412'),
                           (['--u64', '1'], '01' + '00' * 7),
                           (['--ucs2', 'a€'], '6100ac200000'),
                           (['--true'], '01'), (['--false'], '00')):
            with self.subTest(args=args):
                self.ok('set', '-g', TEST, *args, self.path, 'A')
                self.assert_store(entry('A', TEST, 7, data))
        for args in (['--u8', '256'], ['--u16', '-1'], ['--u32', 'x'],
                     ['--u64', '18446744073709551616'], ['--u8', ''],
                     ['--u8', '1', '--true'], ['--true', '--hex', '00']):
            self.fails('set', '-g', TEST, *args, self.path, 'A', status=2)


class Apply(Tool):
    def test_apply(self):
        self.store(LANG, ORDER)
        fragment = self.dir / 'fragment.json'
        new = {**PRIVATE, 'data': '00'}
        fragment.write_text(document({**ORDER, 'data': '0300'}, new))
        self.ok('apply', fragment, self.path)
        self.assert_store(LANG, {**ORDER, 'data': '0300'}, new)
        # what 'list' prints, through a pipe, into a new store
        selected = self.ok('list', '-j', self.path, 'P*')
        other = self.dir / 'other.json'
        self.ok('apply', '-', other, stdin=selected.encode())
        self.assertEqual(other.read_text(), document(new))

    def test_all_or_nothing(self):
        self.store(LANG)
        fragment = self.dir / 'fragment.json'
        bad = entry('Boot000a', GLOBAL, 7, '00')
        for text in (document(ORDER, bad), document(ORDER)[:-3], '[]', '\0', '',
                     document(ORDER, entry('A', TEST, 7, '00' * 262144)),
                     document(ORDER, HWERR)):
            fragment.write_text(text)
            self.fails('apply', fragment, self.path)
        fragment.write_text(document(ORDER, bad))
        self.ok('apply', '--force', fragment, self.path)
        self.assert_store(LANG, ORDER, bad)
        self.fails('apply', self.dir / 'none', self.path)

    def test_virt_fw_vars(self):
        """What virt-fw-vars takes with --set-json"""
        fragment = self.dir / 'fragment.json'
        fragment.write_text(json.dumps({'version': 2, 'variables': [ORDER]}))
        out = self.dir / 'out.json'
        subprocess.run(['virt-fw-vars', '--input',
                        '/usr/share/OVMF/OVMF_VARS_4M.fd', '--set-json',
                        fragment, '--output-json', out], check=True,
                       capture_output=True, timeout=60)
        self.ok('apply', fragment, self.path)
        self.ok('diff', self.path, out)


class Clone(Tool):
    def test_clone(self):
        """A store in use, as its guest sees it now"""
        new = self.dir / 'new.json'
        self.path.write_text(journal(document(LANG, PRIVATE), [ORDER]))
        with self.locked():
            self.ok('clone', self.path, new)
        self.assertEqual(new.read_text(), document(LANG, PRIVATE, ORDER))
        self.assertIn('File exists', self.fails('clone', self.path, new))
        self.fails('clone', self.dir / 'none', self.dir / 'x')
        # a large one, too
        self.store(*(entry(f'A{i}', TEST, 7, '00' * 30000)
                     for i in range(10)))
        new.unlink()
        self.ok('clone', self.path, new)
        self.assertEqual(new.read_text(), self.path.read_text())


class Remove(Tool):
    def test_globs(self):
        boot = [entry(f'Boot000{i}', GLOBAL, 7, '00' * 8 + '7fff0400')
                for i in range(3)]
        self.store(LANG, *boot, {**boot[0], 'guid': TEST},
                   entry('A*', TEST, 7, '00'), entry('AB', TEST, 7, '00'))
        self.fails('rm', self.path, 'Lang', 'X*')
        self.ok('rm', '-g', 'GLOBAL', self.path, 'Boot????')
        # a name is a name before it is a pattern
        self.ok('rm', self.path, 'A*')
        self.assert_store(LANG, {**boot[0], 'guid': TEST},
                          entry('AB', TEST, 7, '00'))
        self.ok('rm', self.path, '*')
        self.assert_store()

    def test_all_or_none(self):
        self.store(LANG, ORDER, DB)
        self.assertIn("no variable 'None'",
                      self.fails('rm', self.path, 'Lang', 'None'))
        self.ok('rm', self.path, 'Lang', 'db', 'Lang')
        self.assert_store(ORDER)
        self.ok('rm', self.path, 'BootOrder')
        self.assert_store()

    def test_missing_file(self):
        self.assertIn('No such file', self.fails('rm', self.path, 'A'))
        self.assertFalse(self.path.exists())

    def test_journal(self):
        """Writing folds"""
        self.path.write_text(journal(document(LANG), [ORDER], [ODD]))
        self.ok('rm', self.path, 'BootOrder')
        self.assert_store(LANG, ODD)


class Check(Tool):
    def test_good(self):
        text = journal(document(LANG), [ORDER])
        self.path.write_text(text)
        size = len(text) - len(document(LANG))
        self.assertEqual(self.ok('check', self.path),
                         'variables: 2, which count for 160 bytes\n'
                         f'journal: 1 records, {size} bytes\n')
        self.assertEqual(
            json.loads(self.ok('check', '-j', self.path)),
            {'variables': 2, 'bytes': 160, 'journal-records': 1,
             'journal-bytes': size, 'warnings': 0, 'problems': []})

    def test_interrupted(self):
        """What is passed over is told, with its size; a copy that lost its
        last line feed is whole"""
        text = journal(document(LANG), [ORDER], [ODD])
        last = text.rindex('#uefi-vars-journal')
        for size in (1, 20, len(text) - last - 2):
            with self.subTest(size=size):
                self.path.write_text(text[:last + size])
                result = self.run_tool('check', self.path)
                self.assertEqual(result.returncode, 0)
                self.assertIn(f'{size} bytes at the end are a write that was '
                              'interrupted', result.stderr.decode())
                self.assertIn('journal: 1 records', result.stdout.decode())
                told = json.loads(self.run_tool('check', '-j',
                                                self.path).stdout)
                self.assertEqual((told['journal-records'], told['warnings']),
                                 (1, 1))
        self.path.write_text(text[:-1])
        result = self.run_tool('check', self.path)
        self.assertEqual(result.stderr, b'')
        self.assertIn('journal: 2 records', result.stdout.decode())

    # What no guest could have made, and words of the reason
    ODD = [(entry('db', IMGSEC, 7, ESL), 'attributes'),
           (entry('db', IMGSEC, 39, ESL[:-2], time=TIME), 'list'),
           (entry('Boot000a', GLOBAL, 7, '00'), 'not defined'),
           (entry('Unknown', GLOBAL, 7, '00'), 'not defined'),
           (entry('BootOrder', GLOBAL, 7, '010002'), 'bad content'),
           (entry('BootNext', GLOBAL, 7, '01'), 'wrong size'),
           (entry('Boot0001', GLOBAL, 7, '00' * 8), 'bad content'),
           (entry('Timeout', GLOBAL, 3, '0100'), 'wrong attributes'),
           (entry('SecureBootEnable', 'f0a30bc7-af08-4556-99c4-001009c93a44',
                  3, '02'), '0 or 1'),
           (entry('A', TEST, 7, '00' * 65500), 'too large for a guest'),
           (entry('SetupMode', GLOBAL, 7, '00'), 'other variables'),
           ({**PRIVATE, 'time': 'e8076301020304050000000000000000'},
            'no date')]

    def test_problems(self):
        """What the device would have refused is named, and not set"""
        for odd, reason in self.ODD:
            with self.subTest(odd=odd['name'], reason=reason):
                self.store(LANG, odd)
                result = self.run_tool('check', self.path)
                self.assertEqual((result.returncode, result.stderr), (1, b''))
                line = result.stdout.decode().splitlines()[0]
                self.assertIn(f' {odd["name"]}: ', line)
                self.assertIn(reason, line)
                result = self.run_tool('check', '-j', self.path)
                problem = json.loads(result.stdout)['problems'][0]
                self.assertEqual((problem['name'], problem['guid']),
                                 (odd['name'], odd['guid']))
                if odd['name'] == 'Private':
                    continue
                before = self.path.read_text()
                self.store(LANG)
                (self.dir / 'value').write_bytes(bytes.fromhex(odd['data']))
                args = ['set', '-g', odd['guid'], '-A', odd['attr'], '--file',
                        self.dir / 'value', self.path, odd['name']]
                self.assertIn('--force', self.fails(*args))
                self.ok(*args, '--force')
                if 'time' not in odd:
                    self.assertEqual(self.path.read_text(), before)

    def loads(self):
        """Whether a device with default properties starts with the store"""
        return not subprocess.run([GUEST_SET, self.path],
                                  timeout=60).returncode

    def fits(self, *args):
        """There is room, whatever else is wrong with the variables"""
        self.assertEqual(self.run_tool('check', *args, self.path).stderr, b'')

    def test_room(self):
        """Good is what the device loads, to the byte"""
        room = 262144 - 28 - 60 - 4
        own = entry('CustomMode', 'c076ec0c-7028-4399-a072-71ee5c448b9f', 3,
                    '00')
        for good, entries in (
                (True, [entry('A', TEST, 7, '00' * room)]),
                (False, [entry('A', TEST, 7, '00' * (room + 1))]),
                (True, [entry('A', TEST, 7, '00' * room), own]),
                (False, [entry('A', TEST, 7, '00' * (room - 64)), LANG]),
                (False, [HWERR])):
            self.store(*entries)
            self.assertEqual(self.loads(), good)
            if good:
                self.fits()
            else:
                self.assertIn(', but there is room for ',
                              self.fails('check', self.path))
        self.fits('--hwerr-quota', 68)
        self.fails('check', '--hwerr-quota', 67, self.path)
        self.store(entry('A', TEST, 7, '00' * room))
        self.fails('check', '--hwerr-quota', 1, self.path)
        self.fits('--hwerr-quota', 1, '--size', 262148)
        self.fits('--hwerr-quota', '4k', '--size', '512k')
        self.fits('--hwerr-quota', 4096, '--size', '1M')

    def test_damaged(self):
        good = journal(document(LANG), [ORDER], [ODD])
        for text, reason in (
                (document(LANG)[:-3], 'line 2, column '),
                (document({**LANG, 'data': 'x'}), 'variables[0] ("Lang"): '),
                (document(LANG, LANG), 'variables[1] ("Lang"): '),
                (' \n', ''),
                (good.replace('01000200', '01000300'), 'damaged at byte '),
                (journal(document(LANG), [{'name': 'A'}]),
                 'journal record 1: '),
                ('\0' * 100, '')):
            with self.subTest(text=text[:40]):
                self.path.write_text(text)
                message = self.fails('check', self.path)
                self.assertIn(str(self.path), message)
                self.assertIn(reason, message)
                # nobody writes to it either
                self.fails('set', '-x', '00', self.path, 'Lang')
                self.fails('fold', self.path)

    def test_no_file(self):
        fifo = self.dir / 'fifo'
        os.mkfifo(fifo)
        for path in (self.dir, '/dev/null'):
            self.fails('check', path)
        self.fails('check', fifo)
        self.fails('set', '-x', '00', fifo, 'Lang')


class Fold(Tool):
    def test_fold(self):
        self.path.write_text(journal(document(LANG), [ORDER], [ODD],
                                     [{'name': 'Lang', 'guid': GLOBAL}]))
        inode = self.path.stat().st_ino
        self.ok('fold', self.path)
        self.assert_store(ORDER, ODD)
        self.assertEqual(self.path.stat().st_ino, inode)
        self.ok('fold', self.path)
        self.assert_store(ORDER, ODD)

    def test_locked(self):
        """Nobody writes while a QEMU holds the store"""
        self.store(LANG)
        with self.locked():
            for args in (['fold', self.path], ['rm', self.path, 'Lang'],
                         ['set', '-x', '00', self.path, 'Lang']):
                self.fails(*args)
            self.ok('check', self.path)
        self.ok('fold', self.path)


class Diff(Tool):
    def setUp(self):
        super().setUp()
        self.other = self.dir / 'other.json'

    def diff(self, *args):
        result = self.run_tool('diff', *args, self.path, self.other)
        self.assertEqual(result.stderr, b'')
        return result.returncode, result.stdout.decode()

    def test_same(self):
        self.store(LANG, DB)
        self.other.write_text(journal(document(DB), [LANG]))
        self.assertEqual(self.diff(), (0, ''))
        self.assertEqual(self.diff('-j'), (0, '[]\n'))

    def test_different(self):
        self.store(LANG, DB, PRIVATE, ORDER)
        self.other.write_text(document(
            {**DB, 'attr': 35, 'data': '00', 'time': '00' * 16},
            {**PRIVATE, 'digest': '00ff'},
            ORDER, ODD))
        status, text = self.diff()
        self.assertEqual(status, 1)
        self.assertEqual(text.splitlines(), [
            '- GLOBAL Lang',
            '~ IMGSEC db: attributes, value, time',
            f'~ {TEST} Private: signer',
            f'+ {TEST} Größe'])
        status, text = self.diff('--json')
        self.assertEqual(status, 1)
        self.assertEqual(json.loads(text), [
            {'name': 'Lang', 'guid': GLOBAL, 'change': 'removed'},
            {'name': 'db', 'guid': IMGSEC,
             'change': 'attributes, value, time'},
            {'name': 'Private', 'guid': TEST, 'change': 'signer'},
            {'name': 'Größe', 'guid': TEST, 'change': 'added'}])

    def test_bad(self):
        self.store(LANG)
        self.other.write_text('x')
        for args in ((self.path, self.other), (self.other, self.path),
                     (self.path, self.dir / 'none')):
            self.assertEqual(self.run_tool('diff', *args).returncode, 2)


class OtherTools(Tool):
    def test_virt_fw_vars(self):
        """virt-fw-vars reads our store, changes it, and we read that"""
        self.store(LANG, DB, ODD)
        out = self.dir / 'out.json'
        blank = '/usr/share/OVMF/OVMF_VARS_4M.fd'
        subprocess.run(['virt-fw-vars', '--input', blank, '--set-json',
                        self.path, '--output-json', out], check=True,
                       capture_output=True, timeout=60)
        text = self.ok('list', '-j', out)
        self.assertEqual(json.loads(text)['variables'], [LANG, DB, ODD])
        result = subprocess.run(['virt-fw-vars', '--input', self.path, '-p'],
                                check=True, capture_output=True, timeout=60,
                                env={**os.environ, 'PYTHONUTF8': '1'})
        self.assertIn('Größe', result.stdout.decode())

    def test_microsoft_keys(self):
        """The distribution's store with keys, as virt-fw-vars prints it"""
        out = self.dir / 'out.json'
        subprocess.run(['virt-fw-vars', '--input',
                        '/usr/share/OVMF/OVMF_VARS_4M.ms.fd',
                        '--output-json', out], check=True,
                       capture_output=True, timeout=60)
        theirs = [e for e in json.loads(out.read_text())['variables']
                  if e['name'] != 'certdb']
        ours = json.loads(self.ok('list', '-j', out))['variables']
        for e in theirs:
            if e['attr'] & 0x20:
                e.setdefault('time', '00' * 16)
        self.assertEqual(ours, theirs)
        for e in ours:
            self.ok('get', out, e['name'])
        self.assertIn('owner MICROSOFT', self.ok('get', out, 'db'))


class ManPage(Tool):
    # What stands for several options in a synopsis
    PLACEHOLDERS = {'ENTRY': ['--label', '--file', '--partition', '--disk',
                              '--part', '--uri', '--args', '--last'],
                    'VALUE': ['--hex', '--text', '--file', '--ucs2', '--u8',
                              '--u16', '--u32', '--u64', '--true', '--false'],
                    'KEYS': ['--pk', '--kek', '--db', '--dbx', '--db-hash',
                             '--dbx-hash', '--generate'],
                    'FORM': ['--in-place', '--dictionary']}

    def pages(self):
        """Text of each page that has commands"""
        for path in SOURCE.glob('uefi-varstore-*.1'):
            text = re.sub(r'\\f[BIR]', '', path.read_text())
            yield path.stem, text.replace('\\-', '-')

    @staticmethod
    def synopsis(page):
        """Words of each command in the synopsis"""
        text = page.split('.SH SYNOPSIS\n.nf\n')[1].split('.fi\n')[0]
        entries = {}
        for entry in text.split('uefi-varstore ')[1:]:
            words = re.findall(r'[\w-]+', entry)
            entries[words[0]] = words[1:]
        return entries

    def options(self, command):
        """Long and short forms of each option in the help"""
        options = re.findall(r'^  (?:(-\w), |    )?(--[a-z0-9-]+)',
                             self.ok(command, '--help'), re.MULTILINE)
        return [{long, short} - {''} for short, long in options
                if long != '--help']

    def test_commands(self):
        """Every command is on one page, and the first page says on which"""
        found = [c for _, page in self.pages() for c in self.synopsis(page)]
        self.assertEqual(sorted(found), sorted(COMMANDS))
        first = (SOURCE / 'uefi-varstore.1').read_text().replace('\\-', '-')
        for name, page in self.pages():
            heads = '\n.B ' + ', '.join(self.synopsis(page)) + '\n'
            self.assertIn(heads, first)
            self.assertIn(f'.BR {name} (1)', first.split(heads)[1])

    def test_synopsis(self):
        """Every command with every option, and no other"""
        for _, page in self.pages():
            for command, words in self.synopsis(page).items():
                with self.subTest(command=command):
                    self.check_synopsis(command, words)

    def check_synopsis(self, command, words):
        given = [w for w in words if w.startswith('-')]
        for word, options in self.PLACEHOLDERS.items():
            given += options if word in words else []
        options = self.options(command)
        self.assertEqual(len(given), len(options))
        for option in options:
            self.assertEqual(len(option.intersection(given)), 1, option)

    def test_options(self):
        """Every option is explained, in all its forms"""
        for name, page in self.pages():
            heads = re.findall(r'^\.TP\n\.BR? (.*)', page, re.MULTILINE)
            explained = {frozenset(re.findall(r'(?<![\w-])--?\w[\w-]*', head))
                         for head in heads}
            options = [(c, o) for c in self.synopsis(page)
                       for o in self.options(c)]
            for command, option in options:
                self.assertTrue(any(option <= head for head in explained),
                                (name, command, option))
            self.assertLessEqual(set().union(*explained),
                                 set().union(*(o for _, o in options)), name)


class Completion(Tool):
    def complete(self, *words, before=''):
        script = SOURCE / 'uefi-varstore.bash'
        command = (before + f'compopt() {{ :; }}; . {script}; '
                   'COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); '
                   '_uefi_varstore; echo "${COMPREPLY[@]}"')
        return subprocess.run(
            ['bash', '-c', command, 'bash', 'uefi-varstore', *words],
            check=True, capture_output=True, timeout=60).stdout.decode()

    def test_commands(self):
        self.assertEqual(self.complete('ch'), 'check check-image\n')
        words = self.complete('').split()
        commands = [line.split()[0] for line in
                    self.ok('--help').split('Commands:\n')[1].splitlines()
                    if line.startswith('  ')]
        self.assertEqual(sorted(words),
                         sorted(commands + ['help', '--help', '--version']))

    def test_verbs(self):
        """What the second word can be, as the command itself names it"""
        for command in ('boot', 'mok'):
            text = self.fails(command, 'nonsense', self.path, status=2)
            verbs = text.splitlines()[0].split('none of ')[1].split(', ')
            self.assertEqual(self.complete(command, '').split(), verbs)
        self.assertEqual(self.complete('help', 'ch'), 'check check-image\n')

    def test_options(self):
        """Every option of every command, and no other"""
        for command in COMMANDS:
            known = {word.split('=')[0].rstrip(',')
                     for word in self.ok(command, '--help').split()
                     if word.startswith('--')}
            self.assertEqual(set(self.complete(command, '--').split()), known)

    def test_names(self):
        self.store(LANG, entry('A b', TEST, 7, '00'), ORDER)
        command = f'PATH={Path(PROGRAM).parent}:$PATH;'
        efivars = self.dir / 'efivars'
        self.ok('export', '-f', 'efivarfs', self.path, efivars)
        for words, names in ((['get', self.path, 'L'], 'Lang'),
                             (['rm', self.path, 'Lang', 'B'], 'BootOrder'),
                             (['set', '-x', '00', self.path, 'A'], 'A\\ b'),
                             (['get', efivars, 'L'], 'Lang'),
                             (['get', self.dir / 'none', 'L'], '')):
            self.assertEqual(self.complete(*map(str, words), before=command),
                             names + '\n')

    def test_vendors(self):
        self.assertEqual(self.complete('list', '-g', 'IM'), 'IMGSEC\n')
        self.path.touch()
        for vendor in self.complete('list', '--guid', '').split():
            self.ok('list', '--guid', vendor, self.path)


if __name__ == '__main__':
    main()
