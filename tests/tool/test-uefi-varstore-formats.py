#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Stores of other systems, in and out of the command line tool uefi-varstore.

usage: test-uefi-varstore-formats.py PROGRAM CORRUPT_STORE
"""

import base64
import io
import json
import resource
import struct
import subprocess
import sys
import tarfile
import zlib
from pathlib import Path

from images import (ALL, DB, DICTIONARY, LANG, NO_TIME, ODD, PLAIN_STORE,
                    PRIVATE, VOLATILE, aws, aws_list, crc32c, descriptor,
                    flash, guid, interrupted, plain_record, record, rom,
                    uboot, vmgs, vmgs_header, vmgs_record, vmware,
                    vmware_record, xen)
from varstore import (GLOBAL, PROGRAM, SIGNER, TEST, TIME, Tool, document,
                      entry, journal, main)

CORRUPT = sys.argv[2]
CERTDB = 'd9bee56e-75dc-49d9-b4d7-b534210f637a'

OVMF = '/usr/share/OVMF/OVMF_VARS_4M.ms.fd'
OVMF_BLANK = '/usr/share/OVMF/OVMF_VARS_4M.fd'
# Debian's blank image has no store yet: the firmware makes it
AAVMF = '/usr/share/AAVMF/AAVMF_VARS.ms.fd'


class Formats(Tool):
    def setUp(self):
        super().setUp()
        self.source = self.dir / 'source'
        self.target = self.dir / 'target'

    def notes(self, *args):
        """Run successfully; returns the notes"""
        result = self.run_tool(*args)
        lines = result.stderr.decode().splitlines()
        self.assertEqual((result.returncode, result.stdout), (0, b''), lines)
        for line in lines:
            self.assertIn(': note: ', line)
        return [line.split(': note: ', 1)[1] for line in lines]

    def imports(self, data, *args):
        """Import @data into a new store; returns the notes"""
        self.path.unlink(missing_ok=True)
        self.source.write_bytes(data)
        return self.notes('import', *args, self.source, self.path)

    def refuses(self, data, *args):
        """@data cannot be imported, and no store is made"""
        self.path.unlink(missing_ok=True)
        self.source.write_bytes(data)
        text = self.fails('import', *args, self.source, self.path)
        self.assertFalse(self.path.exists())
        return text

    def corrupt(self, *args):
        result = subprocess.run([CORRUPT, *map(str, args)], timeout=250,
                                capture_output=True)
        self.assertEqual((result.returncode, result.stderr), (0, b''),
                         result.stdout)

    def virt_fw_vars(self, source):
        """The variables as virt-fw-vars sees them"""
        out = self.dir / 'virt.json'
        subprocess.run(['virt-fw-vars', '--input', source, '--output-json',
                        out], check=True, capture_output=True, timeout=120)
        return out

    def same(self, a, b):
        self.assertEqual(self.ok('diff', a, b), '')


class Command(Formats):
    def test_usage(self):
        self.store(LANG)
        for args in (['import', self.path], ['export', self.path, 'x'],
                     ['export', '-f', 'nonsense', self.path, 'x'],
                     ['export', '-f', 'xen:', self.path, 'x'],
                     ['export', '-f', 'xen:0', self.path, 'x'],
                     ['export', '-f', 'xen:3', self.path, 'x'],
                     ['export', '-f', 'efivarfs:1', self.path, 'x'],
                     ['import', '-f', 'xen:1', self.path, 'x'],
                     ['import', '-f', 'nonsense', 'x', self.path],
                     ['export', '-f', 'edk2', self.path, 'x'],
                     ['import', '--size', '1', 'x', self.path]):
            with self.subTest(args=args):
                self.fails(*args, status=2)

    def test_nothing_known(self):
        for data in (b'x', b'\0' * 5000, b'VAR'):
            self.assertIn('formats known here', self.refuses(data))
        self.assertIn('empty', self.refuses(b''))
        self.fails('import', self.dir / 'none', self.path)
        self.fails('import', '/dev/null', self.path)
        self.fails('import', '-f', 'xen', self.dir, self.path)
        self.source.write_bytes(xen(LANG))
        self.fails('import', '-f', 'efivarfs', self.source, self.path)

    def test_store_with_variables(self):
        self.store(ODD)
        self.source.write_bytes(xen(LANG))
        self.assertIn('--replace', self.fails('import', self.source,
                                              self.path))
        with self.locked():
            self.fails('import', '--replace', self.source, self.path)
        self.ok('import', '--replace', self.source, self.path)
        self.assert_store(LANG)

    def test_too_large(self):
        big = entry('Big', TEST, 3, 'ab' * 5000)
        self.assertIn('there is room for',
                      self.refuses(xen(big), '--size', '4096'))
        self.ok('import', '--size', '8192', self.source, self.path)
        error = entry('Error', TEST, 15, 'ab')
        self.assertIn('hardware error records', self.refuses(xen(error)))
        self.ok('import', '--hwerr-quota', '4096', self.source, self.path)
        self.assert_store(error)

    def test_disk_full(self):
        """Neither a store nor a target is left behind half made"""
        self.source.write_bytes(xen(entry('Big', TEST, 3, 'ab' * 1024)))
        self.fails_with_full_disk(1024, 'import', self.source, self.path)
        self.ok('import', self.source, self.path)
        files = sorted(self.dir.iterdir())
        for name in ('xen', 'efivarfs'):
            self.fails_with_full_disk(1024, 'export', '-f', name, self.path,
                                      self.target)
        self.assertEqual(sorted(self.dir.iterdir()), files)
        self.path.unlink()
        self.fails_with_full_disk(1024, 'import', self.source, self.path)
        self.assertFalse(self.path.exists())

    def test_target_exists(self):
        self.store(LANG)
        self.target.write_text('mine')
        for name in ('xen', 'efivarfs'):
            self.assertIn('exists', self.fails('export', '-f', name,
                                               self.path, self.target))
        self.assertEqual(self.target.read_text(), 'mine')
        self.fails('export', '-f', 'xen', self.path, self.dir / 'no' / 'way')
        self.fails('export', '-f', 'efivarfs', self.path,
                   self.dir / 'no' / 'way')

    def test_live_store(self):
        """The journal counts, and nothing is written"""
        self.path.write_text(journal(document(LANG), [ODD]))
        with self.locked():
            self.ok('export', '-f', 'xen', self.path, self.target)
        self.assertEqual(self.target.read_bytes(), xen(LANG, ODD))

    def test_blank(self):
        self.path.touch()
        for name in ('xen', 'uefivars', 'efivarfs'):
            target = self.dir / name
            self.ok('export', '-f', name, self.path, target)
            self.ok('import', target, self.dir / f'{name}.json')
            self.assertEqual((self.dir / f'{name}.json').read_text(),
                             document())

    def test_duplicates(self):
        self.assertIn('same name', self.refuses(xen(LANG, LANG)))
        self.assertIn('same name',
                      self.refuses(flash(record(LANG), record(LANG))))


class Edk2(Formats):
    def test_debian(self):
        """As virt-fw-vars sees it, there and back again"""
        again = self.dir / 'again.json'
        for image, template in ((OVMF, OVMF_BLANK), (AAVMF, AAVMF)):
            with self.subTest(image=image):
                self.path.unlink(missing_ok=True)
                self.target.unlink(missing_ok=True)
                again.unlink(missing_ok=True)
                self.ok('import', image, self.path)
                self.same(self.path, self.virt_fw_vars(image))
                self.ok('export', '-f', 'edk2', '-t', template, self.path,
                        self.target)
                self.same(self.path, self.virt_fw_vars(self.target))
                self.ok('import', self.target, again)
                self.assertEqual(again.read_bytes(), self.path.read_bytes())

    def test_layout(self):
        """Byte for byte, the rest of the template as it was"""
        self.store(LANG, DB, ODD)
        records = record(LANG) + record(DB) + record(ODD)
        template = flash(record(PRIVATE), blank=b'\xff' * 400)
        room = len(template) - 100
        expected = (template[:100] + records +
                    b'\xff' * (room - len(records)) + b'behind')
        self.source.write_bytes(template + b'behind')
        self.ok('export', '-f', 'edk2', '-t', self.source, self.path,
                self.target)
        self.assertEqual(self.target.read_bytes(), expected)

    def test_certdb(self):
        name = 'Private'.encode('utf-16le')
        node = (guid(TEST) + struct.pack('<III', 28 + len(name) + 32, 7, 32) +
                name + bytes.fromhex(SIGNER))
        certdb = entry('certdb', CERTDB, 39,
                       (struct.pack('<I', 4 + len(node)) + node).hex())
        self.source.write_bytes(flash(blank=b'\xff' * 400))
        self.store(PRIVATE)
        self.ok('export', '-f', 'edk2', '-t', self.source, self.path,
                self.target)
        image = self.target.read_bytes()
        records = record(PRIVATE) + record(certdb)
        self.assertEqual(image[100:100 + len(records)], records)
        self.imports(image)
        self.assert_store(PRIVATE)

    def test_no_room(self):
        self.store(LANG)
        size = 60 + 10 + 4
        for room, fits in ((size, True), (size - 1, False)):
            self.source.write_bytes(flash(blank=b'\xff' * room))
            args = ['export', '-f', 'edk2', '-t', self.source, self.path,
                    self.target]
            if fits:
                self.ok(*args)
                self.target.unlink()
            else:
                self.assertIn('do not fit', self.fails(*args))
                self.assertFalse(self.target.exists())

    def test_blank_template(self):
        """Firmware makes the store, and says how only then"""
        self.store(LANG)
        for byte in (b'\0', b'\xff'):
            self.source.write_bytes(byte * 4096)
            self.assertIn('AAVMF_VARS.ms.fd',
                          self.fails('export', '-f', 'edk2', '-t', self.source,
                                     self.path, self.target))

    def test_bad_template(self):
        self.store(LANG)
        self.source.write_bytes(b'x' * 4096)
        for template in (self.source, self.dir / 'none'):
            self.assertIn(str(template),
                          self.fails('export', '-f', 'edk2', '-t', template,
                                     self.path, self.target))

    def test_states(self):
        old = {**LANG, 'data': 'ffff'}
        # deleted, and deleted while being replaced or written
        self.assertEqual(self.imports(flash(
            record(old, 0x3d), record(old, 0x3c), record(old, 0x7d),
            record(LANG))), [])
        self.assert_store(LANG)
        # the new value was written, the old one not yet deleted
        self.assertEqual(self.imports(flash(record(old, 0x3e),
                                            record(LANG))), [])
        self.assert_store(LANG)
        # the new value was not finished
        self.assertEqual(
            self.imports(flash(record(old, 0x3e), record(LANG, 0x7f))),
            ['the record at byte 172 was never finished and is left out',
             'the record at byte 100 was about to be replaced; the old value '
             'is taken'])
        self.assert_store(old)
        # a state that no firmware makes
        self.assertEqual(self.imports(flash(record(old, 0x1f),
                                            record(LANG))),
                         ['the record at byte 100 has a bad state (0x1f) and '
                          'is left out'])
        self.assert_store(LANG)

    def test_half_header(self):
        """Firmware goes on right behind a header that was not finished"""
        head = record(ODD, 0xff)[:60]
        never = ['the record at byte 100 was never finished and is left out']
        self.assertEqual(self.imports(flash(head, record(LANG))), never)
        self.assert_store(LANG)
        head = record({**ODD, 'attr': 0xffffffff})[:60]
        self.assertEqual(self.imports(flash(head, record(LANG))), never)
        self.assert_store(LANG)
        # of the last one, only the beginning was written
        head = b'\xaa\x55' + b'\xff' * 58
        self.assertEqual(self.imports(flash(head)), never)

    def test_volatile(self):
        self.assertEqual(self.imports(flash(record(VOLATILE), record(LANG))),
                         ['volatile variables left out: 1'])
        self.assert_store(LANG)

    def test_blank_with_zeros(self):
        """As python-uefivars fills up an image"""
        self.assertEqual(self.imports(flash(record(LANG), blank=bytes(100))),
                         [])
        self.assert_store(LANG)

    def test_bad_records(self):
        for records, reason in (
                ([record(LANG), b'\x55\x55'], 'bad record at byte 176'),
                ([record(LANG, size=1000)], 'longer than the store'),
                ([record(LANG, size=0xfffffff0)], 'longer than the store'),
                ([record(LANG, name=b'')], 'does not end'),
                ([record(LANG, name=b'a\0')], 'does not end'),
                ([record(LANG, name=b'\0\0')], 'no valid name'),
                ([record(LANG, name=b'a\0\0\0b\0\0\0')], 'no valid name'),
                ([record({**LANG, 'data': ''})], 'no value')):
            with self.subTest(reason=reason):
                self.assertIn(reason, self.refuses(flash(*records)))

    def test_bad_headers(self):
        good = flash(record(LANG))
        for data, reason in (
                (flash(size=27), 'is damaged'),
                (flash(size=93), 'is damaged'),
                (flash(format=0), 'is damaged'),
                (flash(health=0), 'is damaged'),
                (good.replace(b'_FVH', b'_FVX'), 'header of the firmware'),
                (good[:53] + b'\1' + good[54:], 'header of the firmware'),
                (good[:72] + b'y' + good[73:], 'not a store of variables'),
                (good[:-1], 'cut off')):
            with self.subTest(reason=reason):
                self.assertIn(reason, self.refuses(data))

    def test_inside_a_flash(self):
        """The volume may follow something else"""
        self.assertEqual(self.imports(b'x' * 8192 + flash(record(LANG))), [])
        self.assert_store(LANG)

    def test_without_authentication(self):
        image = flash(plain_record(LANG), plain_record(ODD), guid=PLAIN_STORE)
        self.assertEqual(self.imports(image), [])
        self.assert_store(LANG, ODD)
        self.corrupt('edk2', self.source)
        self.source.write_bytes(image)
        self.ok('export', '-f', 'edk2', '-t', self.source, self.path,
                self.target)
        self.assertEqual(self.target.read_bytes(), image)
        self.store(DB)
        self.target.unlink()
        self.assertIn('without authentication', self.fails(
            'export', '-f', 'edk2', '-t', self.source, self.path,
            self.target))

    def test_interrupted(self):
        """What the firmware would do at its next start is done"""
        old, new = flash(record(LANG)), flash(record(DB))
        note = 'a write of the firmware was interrupted, and is finished'
        for name, state, main, wanted in (
                ('nothing', 0xff, old, LANG),
                ('spare area incomplete', 0xff, old, LANG),
                ('half done', 0xfd, new[:100], DB),
                ('nothing done', 0xfd, old, DB),
                ('erased', 0xfd, b'', DB),
                ('complete', 0xf9, old, LANG)):
            with self.subTest(name):
                notes = self.imports(interrupted(state, main, new))
                self.assert_store(wanted)
                self.assertEqual([n[:len(note)] for n in notes],
                                 [note] if wanted is DB else [])

    def test_interrupted_nonsense(self):
        """A working block can say anything"""
        good = bytearray(interrupted(0xfd, flash(record(LANG)),
                                          flash(record(DB))))
        start = 8192 + 32
        for at in range(start, start + 160, 8):
            for value in (0, 1, 1 << 40, 1 << 63, (1 << 64) - 1):
                bad = bytearray(good)
                struct.pack_into('<Q', bad, at, value)
                self.source.write_bytes(bad)
                self.path.unlink(missing_ok=True)
                result = self.run_tool('import', self.source, self.path)
                self.assertIn(result.returncode, (0, 1))

    def test_disk_images(self):
        """Images of disks are what is on the disk, not what is in the file"""
        self.source.write_bytes(flash(record(LANG)).ljust(65536, b'\xff'))
        image = self.dir / 'image'
        for kind in ('qcow2', 'vmdk', 'vdi', 'vhdx'):
            with self.subTest(kind):
                subprocess.run(['qemu-img', 'convert', '-q', '-O', kind,
                                self.source, image], check=True)
                self.path.unlink(missing_ok=True)
                self.ok('import', image, self.path)
                self.assert_store(LANG)

    def test_disk_image_layers(self):
        """Snapshots are not what counts, and a backing file is looked into"""
        base, image = self.dir / 'base', self.dir / 'image'
        self.source.write_bytes(flash(record(LANG)).ljust(65536, b'\xff'))
        run = lambda *args: subprocess.run(
            [str(arg) for arg in args], check=True, capture_output=True)
        run('qemu-img', 'convert', '-O', 'qcow2', self.source, base)
        run('qemu-img', 'create', '-f', 'qcow2', '-F', 'qcow2', '-b', base,
            image)
        self.ok('import', image, self.path)
        self.assert_store(LANG)
        run('qemu-img', 'snapshot', '-c', 'old', image)
        new = flash(record(DB)).ljust(65536, b'\xff')
        self.source.write_bytes(new)
        run('qemu-io', '-c', f'write -s {self.source} 0 65536', image)
        self.path.unlink()
        self.ok('import', image, self.path)
        self.assert_store(DB)

    def test_packed(self):
        for magic, name in ((b'\x1f\x8b', 'gzip'), (b'PK\3\4', 'ZIP'),
                            (b'LUKS\xba\xbe', 'LUKS')):
            text = self.refuses(magic + bytes(1024) + flash(record(LANG)))
            self.assertIn(name, text)
            self.assertIn('unpack it first', text)
            self.assertIn('unpack it first', self.fails(
                'import', '-f', 'edk2', self.source, self.path))

    def test_no_qemu_img(self):
        self.source.write_bytes(b'QFI\xfb' + bytes(60000))
        result = subprocess.run([PROGRAM, 'import', self.source, self.path],
                                env={'PATH': '/nonexistent'}, timeout=60,
                                capture_output=True, text=True)
        self.assertEqual(result.returncode, 1)
        self.assertIn('a qcow2 image; install qemu-img', result.stderr)

    def test_corrupted(self):
        self.source.write_bytes(flash(record(LANG), record(DB),
                                      record(PRIVATE, 0x3e),
                                      record(ODD, 0x7f)))
        self.corrupt('edk2', self.source)


class UBoot(Formats):
    def test_read(self):
        read_only = {**LANG, 'attr': LANG['attr'] | 0x80000000}
        # 2024-01-02 03:04:05, as in TIME
        data = uboot(read_only, DB, ODD, VOLATILE, time=1704164645)
        self.assertEqual(self.imports(data + b'behind'),
                         ['volatile variables left out: 1',
                          "variables that lose a mark of U-Boot's own: 1"])
        self.assert_store(LANG, DB, ODD)

    def test_both_ways(self):
        self.store(LANG, DB, PRIVATE, ODD)
        self.assertEqual(
            self.notes('export', '-f', 'uboot', self.path, self.target),
            ['private variables that lose their signer: 1'])
        self.assertEqual(self.target.read_bytes()[:24],
                         struct.pack('<Q8sII', 0, b'UbEfiVa\1',
                                     self.target.stat().st_size, zlib.crc32(
                                         self.target.read_bytes()[24:])))
        again = self.dir / 'again'
        self.ok('import', self.target, again)
        lost = {**PRIVATE}
        del lost['digest']
        self.path.unlink()
        self.store(LANG, DB, lost, ODD)
        self.same(self.path, again)

    def test_bad(self):
        good = uboot(LANG, ODD)
        for data, reason in ((good[:-1], 'cut off'),
                             (uboot(LANG, version=2), 'version 2'),
                             (uboot(LANG, sum=1), 'checksum')):
            self.assertIn(reason, self.refuses(data))

    def test_corrupted(self):
        self.source.write_bytes(uboot(LANG, DB))
        self.corrupt('uboot', self.source)


class Xen(Formats):
    def test_both_ways(self):
        self.store(*ALL)
        self.ok('export', '-f', 'xen', self.path, self.target)
        data = self.target.read_bytes()
        self.assertEqual(data, xen(*ALL))
        for text in (data, base64.b64encode(data), base64.encodebytes(data)):
            self.assertEqual(self.imports(text), [])
            self.assert_store(*ALL)

    def test_version_2(self):
        self.store(*ALL)
        self.ok('export', '-f', 'xen:2', self.path, self.target)
        data = self.target.read_bytes()
        self.assertEqual(data, xen(*ALL, version=2))
        self.assertEqual(self.imports(data), [])
        self.assert_store(*ALL)
        self.assertEqual(
            self.imports(xen(LANG, version=2, presence=b'\1')),
            ['the lock key of memory overwrite and the state of physical '
             'presence are left out'])
        self.assert_store(LANG)

    def test_notes(self):
        self.assertEqual(self.imports(xen(VOLATILE, LANG)),
                         ['volatile variables left out: 1'])
        self.assert_store(LANG)
        self.store({**PRIVATE, 'digest': 'abcd'})
        self.assertEqual(
            self.notes('export', '-f', 'xen', self.path, self.target),
            ['private variables that lose their signer: 1'])

    def test_bad(self):
        for version in (0, 3):
            self.assertIn(f'version {version}',
                          self.refuses(xen(LANG, version=version)))
        self.assertIn('before its first variable',
                      self.refuses(xen(version=2)[:-1]))
        self.assertIn('left behind', self.refuses(xen(LANG, count=0)))
        self.assertIn('cut off', self.refuses(xen(LANG, count=2)))
        self.assertIn('the header says', self.refuses(xen(LANG) + b'x'))
        self.assertIn('base64', self.refuses(b'VkFSU!'))

    def test_corrupted(self):
        for version in (1, 2):
            self.source.write_bytes(xen(*ALL, version=version))
            self.corrupt('xen', self.source)
        self.source.write_bytes(base64.b64encode(xen(LANG)))
        self.corrupt('xen', self.source)


class Large(Formats):
    """Large files are not copied many times before they are too much"""

    LIMIT = 200 << 20           # of memory, bytes
    SIZE = 60 << 20             # of a file

    def run_limited(self, data, *args):
        self.source.write_bytes(data)
        if b'__asan_init' in Path(PROGRAM).read_bytes():
            # It maps terabytes of its own.
            self.LIMIT = resource.RLIM_INFINITY
        return subprocess.run(
            [PROGRAM, 'import', '--size', '4M', *args, self.source, self.path],
            preexec_fn=lambda: resource.setrlimit(
                resource.RLIMIT_DATA, (self.LIMIT, self.LIMIT)),
            capture_output=True, timeout=120)

    def is_too_much(self, data, reason):
        result = self.run_limited(data)
        self.assertEqual(result.returncode, 1, result)
        self.assertIn(reason, result.stderr)
        self.assertEqual(result.stderr.count(b'\n'), 1)
        self.assertFalse(self.path.exists())

    def many(self, make, start=0):
        """As many variables as are in @SIZE, of a @start without any"""
        one = b''.join(make({**LANG, 'name': f'V{i:05}', 'data': '00'})[start:]
                       for i in range(1000))
        return one * (self.SIZE // len(one))

    def test_variables(self):
        """In the order of a file until there are too many"""
        body = self.many(xen, 24)
        self.is_too_much(b'VARS' + struct.pack('<IQQ', 1, 1 << 20, len(body)) +
                         body, b'there is more than any device')
        self.is_too_much(flash(self.many(record)), b'than any device has room')
        self.is_too_much(flash(self.many(plain_record), guid=PLAIN_STORE),
                         b'than any device has room')
        body = self.many(uboot, 24)
        self.is_too_much(struct.pack('<Q7sBII', 0, b'UbEfiVa', 1,
                                     24 + len(body), zlib.crc32(body)) + body,
                         b'there is more than any device')

    def test_value(self):
        one = {**LANG, 'data': 'ab' * self.SIZE}
        for make in (xen, uboot, lambda e: flash(record(e))):
            self.is_too_much(make(one), b'than any device has room')

    def test_text(self):
        """Too long, or of too many parts for the parser in a QEMU"""
        head = '{"version": 2, "variables": ['
        line = json.dumps(LANG) + ',\n'
        for first, part, last in (
                (head, line, json.dumps(ODD) + ']}'), ('[', line, '{}]'),
                (head, '{},', '{}]}'), ('', '[', ''),
                (head + '{"data": "', '00', '"}]}'),
                ('variables:\n', '- name: x\n', '')):
            with self.subTest(part=part):
                text = first + part * ((31 << 20) // len(part)) + last
                self.is_too_much(text.encode(), b'')
                self.is_too_much(text.encode().rjust(self.SIZE),
                                 b'longer than that of any store')
        members = ','.join(f'"{i}": 0' for i in range(1 << 20))
        self.is_too_much((head + '{' + members + '}]}').encode(),
                         b'more than any store needs')

    def test_lines(self):
        self.is_too_much(b'\n' * self.SIZE, b'neither')

    def test_journal(self):
        """More than a device has room for, in the end or on the way"""
        changes = [[{**LANG, 'name': f'V{i}'}] for i in range(60000)]
        self.is_too_much(journal(document(LANG), *changes).encode(),
                         b'more than any device has room for')
        large = [{**LANG, 'data': 'ab' * (self.SIZE // 2 - 1000)}]
        self.is_too_much(journal(document(LANG), large).encode(),
                         b'longer than that of any store')

    def test_rescue(self):
        """What can be had is no more than a device has room for"""
        line = json.dumps(LANG)
        many = [json.dumps({**LANG, 'name': f'V{i:06}'})
                for i in range((31 << 20) // (len(line) + 4))]
        large = json.dumps({**LANG, 'data': 'ab' * (15 << 20)})
        head = '{"version": 2, "variables": ['
        for text, lost in ((',\n'.join(many), b'more than any device'),
                           (',{"x": 1},\n'.join([line] * 200000),
                            b'more of this kind'),
                           (f'{line}, {large}, ]', b'longer than any')):
            self.path.unlink(missing_ok=True)
            result = self.run_limited((head + text).encode(), '--rescue')
            self.assertEqual(result.returncode, 1)
            self.assertIn(lost, result.stderr)
            self.assertLess(result.stderr.count(b'\n'), 1100)
            self.ok('get', self.path, json.loads(line)['name']
                    if line in text else 'V000000')

    def test_rescue_flash(self):
        """The way to the next record is long, but not taken twice"""
        data = flash(record(LANG), b'\1\1\1\1', b'\xff' * self.SIZE, b'\0')
        result = self.run_limited(data, '--rescue')
        self.assertEqual(result.returncode, 1)
        self.assertIn(b'there is none behind it', result.stderr)
        self.assert_store(LANG)
        self.path.unlink()
        data = flash(record(LANG), *[record(ODD, state=0x7f)] * 500000)
        result = self.run_limited(data)
        self.assertEqual(result.returncode, 0)
        self.assertLess(result.stderr.count(b'\n'), 1100)

    def test_as_much_as_fits(self):
        many = [{**LANG, 'name': f'V{i}', 'data': 'ab' * 64}
                for i in range(25000)]
        for data in (xen(*many), document(*many).encode(),
                     json.dumps(many, indent=4).encode()):
            self.path.unlink(missing_ok=True)
            result = self.run_limited(data)
            self.assertEqual((result.returncode, result.stderr), (0, b''))


class Aws(Formats):
    args = ['-d', DICTIONARY]

    def test_both_ways(self):
        self.store(*ALL)
        self.ok('export', '-f', 'aws', *self.args, self.path, self.target)
        data = base64.b64decode(self.target.read_bytes(), validate=True)
        with open(DICTIONARY, 'rb') as file:
            unpacker = zlib.decompressobj(zdict=file.read())
        self.assertEqual(data[:8], b'AMZNUEFI')
        self.assertEqual(struct.unpack('<II', data[8:16]),
                         (crc32c(data[12:]), 0))
        self.assertEqual(unpacker.decompress(data[16:]), aws_list(*ALL))
        self.assertEqual(self.imports(self.target.read_bytes(), *self.args),
                         [])
        self.assert_store(*ALL)

    def test_virt_fw_vars(self):
        """What each of the two writes, the other reads"""
        self.ok('import', OVMF, self.path)
        subprocess.run(['virt-fw-vars', '--input', OVMF, '--output-aws',
                        self.source], check=True, capture_output=True,
                       timeout=60)
        other = self.dir / 'other.json'
        self.ok('import', *self.args, self.source, other)
        self.same(self.path, other)
        self.ok('export', '-f', 'aws', *self.args, self.path, self.target)
        self.same(self.path, self.virt_fw_vars(self.target))

    def test_dictionary(self):
        data = aws(aws_list(LANG))
        self.assertIn('needs --dictionary', self.refuses(data))
        wrong = self.dir / 'wrong'
        wrong.write_bytes(b'wrong')
        self.assertIn('not the dictionary', self.refuses(data, '-d', wrong))
        self.assertIn(str(self.dir / 'none'),
                      self.refuses(data, '-d', self.dir / 'none'))
        self.store(LANG)
        self.assertIn('needs --dictionary',
                      self.fails('export', '-f', 'aws', self.path,
                                 self.target, status=2))

    def test_names(self):
        self.store(LANG)
        self.ok('set', '-g', TEST, '-x', '00', self.path, 'a\\ud800')
        self.assertEqual(
            self.notes('export', '-f', 'aws', *self.args, self.path,
                       self.target),
            ['variables left out, as their names do not fit: 1'])

    def test_bad(self):
        self.assertIn('version 1', self.refuses(aws(aws_list(LANG), 1),
                                                *self.args))
        self.assertIn('left behind', self.refuses(aws(aws_list(LANG) + b'x'),
                                                  *self.args))
        self.assertIn('damaged', self.refuses(aws(bytes(32 << 20)),
                                              *self.args))

    def test_corrupted(self):
        self.source.write_bytes(aws(aws_list(LANG, PRIVATE)))
        self.corrupt('aws', self.source, DICTIONARY)

    def test_cut_inside(self):
        """With a good checksum over a list that is cut"""
        data = aws_list(LANG, PRIVATE)
        for size in range(0, len(data), 3):
            self.assertIn('cut off', self.refuses(aws(data[:size]),
                                                  *self.args))


class Uefivars(Formats):
    def test_both_ways(self):
        self.store(*ALL)
        self.ok('export', '-f', 'uefivars', self.path, self.target)
        theirs = []
        for e in ALL:
            e = dict(e)
            if 'time' in e:
                e['timestamp'] = e.pop('time')
            theirs.append(e)
        self.assertEqual(json.loads(self.target.read_text(encoding='utf-8')),
                         {'version': 2, 'variables': theirs})
        self.assertEqual(self.imports(self.target.read_bytes()), [])
        self.assert_store(*ALL)

    def test_version_1(self):
        self.assertEqual(self.imports(json.dumps(ALL).encode()), [])
        self.assert_store(*ALL)
        spaced = [{**e, 'guid': guid(e['guid']).hex(' '),
                   'data': bytes.fromhex(e['data']).hex(' ')} for e in ALL]
        self.assertEqual(self.imports(json.dumps(spaced).encode()), [])
        self.assert_store(*ALL)

    def test_write_version_1(self):
        odd = {**LANG, 'name': f'", "guid": "{GLOBAL}"'}
        self.store(*ALL)
        self.ok('set', '--force', '-g', GLOBAL, '-x', odd['data'], self.path,
                odd['name'])
        self.ok('export', '-f', 'uefivars:1', self.path, self.target)
        data = self.target.read_bytes()
        old = json.loads(data)
        self.assertEqual([(e['name'], bytes.fromhex(e['guid'])) for e in old],
                         [(e['name'], guid(e['guid'])) for e in (*ALL, odd)])
        self.assertEqual([e.get('timestamp') for e in old],
                         [e.get('time') for e in (*ALL, odd)])
        before = self.path.read_text(encoding='utf-8')
        self.assertEqual(self.imports(data), [])
        self.assertEqual(self.path.read_text(encoding='utf-8'), before)

    def test_volatile(self):
        self.assertEqual(self.imports(json.dumps([VOLATILE, LANG]).encode()),
                         ['volatile variables left out: 1'])
        self.assert_store(LANG)

    def test_odd_names(self):
        self.ok('set', '-g', TEST, '-x', '00', self.path, 'a\\ud800"')
        before = self.path.read_bytes()
        self.ok('export', '-f', 'uefivars', self.path, self.target)
        self.assertEqual(self.imports(self.target.read_bytes()), [])
        self.assertEqual(self.path.read_bytes(), before)

    def test_bad(self):
        for data in (b'{', b'[', b'[1]', b'{}', b'{"version": 3, '
                     b'"variables": []}', b'[]\0',
                     json.dumps([{**LANG, 'guid': GLOBAL.replace('-', '')}])
                     .encode(),
                     json.dumps([{**LANG, 'data': 'AQ=='}]).encode()):
            with self.subTest(data=data):
                self.refuses(data)

    def test_corrupted(self):
        self.source.write_text(json.dumps([LANG, PRIVATE]))
        self.corrupt('uefivars', self.source)


class Foreign(Formats):
    """Formats that can only be read; samples are made of what describes them,
    see docs/system/uefi-vars.rst."""

    def assert_read_only(self, name):
        self.store(LANG)
        self.assertIn('can only be read', self.fails(
            'export', '-f', name, self.path, self.target, status=2))


class Overlap(Formats):
    def test_headers(self):
        """A store where its volume has to be: there is room for none"""
        image = guid('aaf32c78-947b-439a-a180-2e144ec37792') + \
            guid('fff12b8d-7696-4c8b-a985-2747075b4f50') + bytes(8) + b'_FVH'
        self.assertIn('nothing can be had of it', self.refuses(
            image.ljust(2048, b'\0'), '--rescue'))


class VirtualBox(Foreign):
    def archive(self, *members, format=tarfile.GNU_FORMAT):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode='w', format=format) as tar:
            for name, data in members:
                info = tarfile.TarInfo(name)
                info.type = tarfile.REGTYPE if data else tarfile.DIRTYPE
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
        return out.getvalue()

    def test_read(self):
        image = flash(record(LANG), record(DB))
        self.assertEqual(self.imports(image), [])
        self.assert_store(LANG, DB)
        for form in (tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT):
            for padding in (b'', bytes(512)):
                # wherever the image comes to lie
                notes = self.imports(self.archive(
                    ('efi', b''), ('tpm/permall', b'x' + padding),
                    ('efi/nvram', image), format=form))
                self.assertEqual(notes, ["'tpm/permall' is left out: it has "
                                         "no variables"])
                self.assert_store(LANG, DB)
        self.assert_read_only('virtualbox')

    def test_bad(self):
        image = ('efi/nvram', flash(record(LANG)))
        self.assertIn("no member 'efi/nvram'",
                      self.refuses(self.archive(('tpm', b'x'))))
        self.assertIn('twice', self.refuses(self.archive(image, image)))
        good = self.archive(image)
        self.assertIn('cut off', self.refuses(good[:600]))
        self.assertIn('damaged at byte 0', self.refuses(b'f' + good[1:]))
        self.assertIn("'efi/nvram': there is no volume",
                      self.refuses(self.archive(('efi/nvram', b'x' * 99))))

    def test_corrupted(self):
        image = flash(record(LANG), blank=b'\xff' * 16)
        self.source.write_bytes(self.archive(('efi/nvram', image))
                                [:512 + len(image)])
        self.corrupt('virtualbox', self.source)


class VMware(Foreign):
    def test_read(self):
        self.assertEqual(self.imports(vmware(
            vmware_record(LANG), vmware_record(ODD),
            vmware_record(DB, descriptor() + bytes.fromhex(DB['data'])))), [])
        self.assert_store(LANG, ODD, DB)
        self.assert_read_only('vmware')

    def test_newest(self):
        """Of several records of a name the last one counts"""
        self.assertEqual(
            self.imports(vmware(vmware_record(LANG), vmware_record(
                {**ODD, 'data': '01'}), vmware_record(ODD), vmware_record(
                    {**LANG, 'data': '7a7a00'}))),
            ['older values of variables are left out: 2'])
        self.assert_store(ODD, {**LANG, 'data': '7a7a00'})

    def test_losses(self):
        private = vmware_record(PRIVATE, descriptor() +
                                bytes.fromhex(PRIVATE['data']))
        self.assertEqual(
            self.imports(vmware(private, vmware_record(VOLATILE))),
            ['volatile variables left out: 1',
             'private variables that lose their signer: 1'])
        self.assert_store({k: v for k, v in PRIVATE.items() if k != 'digest'})
        self.assertEqual(
            self.imports(vmware(vmware_record(DB))),
            ['authenticated variables that lose their time stamp: 1'])
        self.assert_store({**DB, 'time': NO_TIME})

    def test_bad(self):
        self.assertIn('a BIOS', self.refuses(b'MRVN' + bytes(500)))
        self.assertIn('is encrypted', self.refuses(
            struct.pack('<IIIII', 0x8943dd9e, 1, 4064, 16, 16).ljust(8192,
                                                                     b'x')))
        self.assertIn('a BIOS', self.refuses(
            b'MRVN' + bytes(50) + b'VMWNVRAM' + bytes(50)))
        for length in (0, 15, 1 << 31):
            self.assertIn('is cut off', self.refuses(vmware(length=length)))
        self.assertIn('cut off in variable 1',
                      self.refuses(vmware(vmware_record(LANG)[:-1])))
        self.assertIn('does not end', self.refuses(vmware(
            vmware_record(LANG).replace(b'g\0\0\0', b'g\0x\0'))))

    def test_external_management(self):
        """The platform key is the host's: a list with one byte"""
        key = guid('452e8ced-dfff-4b8c-ae01-5118862e682c')
        pk = {**DB, 'name': 'PK', 'guid': GLOBAL, 'data': (
            key + struct.pack('<III', 45, 0, 17) + guid(TEST) + b'\0').hex()}
        kek = {**DB, 'name': 'KEK', 'guid': GLOBAL, 'data': 'ff' * 30}
        self.assertEqual(self.imports(vmware(*(
            vmware_record(e, bytes(16) + struct.pack('<IHH', 24, 0x200, 0xef1)
                          + key + bytes.fromhex(e['data']))
            for e in (pk, kek)))), [])
        self.assert_store({**pk, 'time': NO_TIME}, {**kek, 'time': NO_TIME})
        status = self.ok('status', self.path)
        self.assertIn('\nPK: 1 external-management, of -\n', status)
        self.assertIn('\nKEK: damaged, of -\n', status)
        self.assertIn('external-management 00, owner ' + TEST,
                      self.ok('get', self.path, 'PK'))

    def test_corrupted(self):
        data = vmware(vmware_record(LANG), vmware_record(
            DB, descriptor() + bytes.fromhex(DB['data'])))
        self.source.write_bytes(data[:-32])
        self.corrupt('vmware', self.source)


class Vmgs(Foreign):
    def test_read(self):
        for version in (0x20000, 0x30000):
            for sector in (512, 4096):
                self.assertEqual(self.imports(vmgs(
                    *map(vmgs_record, (LANG, ODD, DB)), sector=sector,
                    version=version)), [])
                self.assert_store(LANG, ODD, DB)
        self.assertEqual(self.imports(vmgs()), [])
        self.assert_store()
        self.assert_read_only('vmgs')

    def test_headers(self):
        """The later one that is whole"""
        good, bad = vmgs_header(7, 2), vmgs_header(8, 9)
        for headers in ([good, b''], [b'', good], [good, bad[:-1] + b'x'],
                        [vmgs_header(6, 9), good], [good, vmgs_header(6, 9)],
                        [vmgs_header(0, 2), vmgs_header(0xffffffff, 9)],
                        [vmgs_header(0xffffffff, 9), vmgs_header(0, 2)]):
            self.imports(vmgs(vmgs_record(LANG), headers=headers))
            self.assert_store(LANG)
        self.assertIn('headers are damaged', self.refuses(
            vmgs(headers=[bad[:-1] + b'x', b''])))

    def test_losses(self):
        self.assertEqual(
            self.imports(vmgs(vmgs_record(PRIVATE), vmgs_record(VOLATILE))),
            ['volatile variables left out: 1',
             'private variables that lose their signer: 1'])
        self.assert_store({k: v for k, v in PRIVATE.items() if k != 'digest'})

    def test_bad(self):
        self.assertIn('encrypted', self.refuses(
            vmgs(vmgs_record(LANG), attributes=3)))
        self.assertIn('encrypted', self.refuses(
            vmgs(headers=[vmgs_header(1, 2, encryption=1)])))
        self.assertIn('version 0x00040000', self.refuses(
            vmgs(version=0x40000)))
        self.assertIn('table of files', self.refuses(
            vmgs(headers=[vmgs_header(1, 3)])))
        for size in (1 << 20, 1 << 63):
            self.assertIn('beyond the end', self.refuses(vmgs(size=size)))
        for record in (vmgs_record(LANG, 1), vmgs_record(LANG, name=8),
                       vmgs_record(LANG, data=5), vmgs_record(LANG)[:-1]):
            self.assertIn('byte 0 of its file is damaged',
                          self.refuses(vmgs(record)))
        gpt = bytes(512) + b'EFI PART' + bytes(504) + \
            guid('700f0c12-1515-4e4d-8d32-53f685bf44af')
        self.assertIn('version 1', self.refuses(gpt + bytes(20000)))

    def test_corrupted(self):
        data = vmgs(vmgs_record(LANG), vmgs_record(DB))
        self.source.write_bytes(data)
        # most of it is padding
        self.assertLess(len(data), 13000)
        self.corrupt('vmgs', self.source)


class Smmstore(Foreign):
    def test_read(self):
        self.assertEqual(self.imports(rom(flash(record(LANG), record(DB)))),
                         [])
        self.assert_store(LANG, DB)
        # extracted by cbfstool, it is a flash image
        self.imports(flash(record(LANG)))
        self.assert_store(LANG)
        self.assert_read_only('smmstore')

    def test_bad(self):
        store = flash(record(LANG))
        self.assertIn('no area SMMSTORE', self.refuses(rom(store, b'SMM')))
        self.assertIn('map is cut off', self.refuses(
            rom(store, b'x', areas=3)))
        for where in ({'offset': 1 << 30}, {'size': 1 << 30}):
            self.assertIn('SMMSTORE is cut off', self.refuses(
                rom(store, **where)))
        old = struct.pack('<II', 18, 4) + bytes(23) + b'\xff' * 99
        self.assertIn('version 1 of SMMSTORE', self.refuses(rom(old)))
        self.assertIn('blank', self.refuses(rom(b'\xff' * 4096)))
        self.source.write_bytes(store)
        self.assertIn('no flash map', self.fails(
            'import', '-f', 'smmstore', self.source, self.path))

    def test_corrupted(self):
        self.source.write_bytes(
            rom(flash(record(LANG), blank=b'\xff' * 16), offset=0, size=4096)
            [:4096].rstrip(b'\xff'))
        # cuts leave a flash image: only what is damaged within the map
        for offset, size in ((0, 0), (0, 40), (4096, 1)):
            self.refuses(rom(flash(record(LANG)), offset=offset, size=size))


class Lxd(Foreign):
    """As the YAML library of Go prints it"""

    YAML = """\
variables:
### A comment, as somebody may add one
  Attempt 1-59324945-ec44-4c0d-b1cd-9db139df070c:
    data: ab
    attr: 3
    timestamp: ""
    digest: ""
  'Größe: ''x''-11111111-2222-3333-4444-555555555555':
    data: "00"
    attr: 3
    timestamp: ""
    digest: ""
  "a\\\"\\u00e9-11111111-2222-3333-4444-555555555555":
    data: "0102"
    attr: 7
    timestamp: ""
    digest: ""
  Private-11111111-2222-3333-4444-555555555555:
    data: cafe
    attr: 39
    timestamp: {time}
    digest: {digest}
  ConIn-11111111-2222-3333-4444-555555555555:
    data: "00"
    attr: 6
    timestamp: ""
    digest: ""
""".format(time=TIME, digest=SIGNER)

    def test_read(self):
        for text in (self.YAML, self.YAML.replace('\n', '\r\n'),
                     self.YAML.replace('  ', '    ')):
            self.assertEqual(self.imports(text.encode()),
                             ['volatile variables left out: 1'])
            expected = document(
                entry('Attempt 1', '59324945-ec44-4c0d-b1cd-9db139df070c', 3,
                      'ab'),
                entry("Größe: 'x'", TEST, 3, '00'),
                entry('a"é', TEST, 7, '0102'), PRIVATE)
            self.assertEqual(json.loads(self.path.read_text('utf-8')),
                             json.loads(expected))
        self.imports(b'variables: {}\n')
        self.assert_store()
        self.assert_read_only('lxd')

    def test_bad(self):
        good = f'variables:\n  Lang-{GLOBAL}:\n    data: ab\n    attr: 7\n'
        self.imports(good.encode())
        for old, new, line in (
                ('variables:\n', 'variables:\nvariables:\n', 2),
                ('variables:', 'variables: x', 1),
                ('  Lang', ' ? Lang', 2), (f'-{GLOBAL}', '', 2),
                (f'{GLOBAL}:', GLOBAL, 2), ('  Lang', '  "Lang', 2),
                ('attr: 7', 'attr: -7', 4), ('attr: 7', 'attr: 7\n  x', 5),
                ('attr: 7', 'attr 7', 4), ('attr: 7', 'other: 7', 4),
                ('attr: 7', 'attr: "7', 4), ('attr: 7', 'attr: 7\n x: y', 5),
                ('data: ab', "data: 'a' b", 3), ('data: ab', 'data: "\\x41"', 3)):
            with self.subTest(old=old, new=new):
                self.assertIn(f'line {line}', self.refuses(
                    good.replace(old, new).encode()))
        self.assertIn('NUL', self.refuses(good.encode() + b'\0'))
        for old, new in (('data: ab', 'data: abc'), ('attr: 7', '')):
            self.assertIn('Lang', self.refuses(
                good.replace(old, new).encode()))

    def test_corrupted(self):
        """Cuts between variables leave a document"""
        for size in range(len(self.YAML)):
            self.source.write_bytes(self.YAML.encode()[:size])
            self.path.unlink(missing_ok=True)
            result = self.run_tool('import', self.source, self.path)
            self.assertIn(result.returncode, (0, 1))


class Efivarfs(Formats):
    def test_both_ways(self):
        self.store(*ALL)
        lost = ['authenticated variables that lose their time stamp: 2',
                'private variables that lose their signer: 1']
        self.assertEqual(self.notes('export', '-f', 'efivarfs', self.path,
                                    self.target), lost)
        self.assertEqual(
            {file.name: file.read_bytes() for file in self.target.iterdir()},
            {f'{e["name"]}-{e["guid"]}':
             struct.pack('<I', e['attr']) + bytes.fromhex(e['data'])
             for e in ALL})
        other = self.dir / 'other.json'
        self.assertEqual(self.notes('import', self.target, other), lost)
        bare = [{k: v for k, v in e.items() if k != 'digest'} for e in ALL]
        for e in bare:
            if 'time' in e:
                e['time'] = NO_TIME
        self.assertEqual(other.read_text(encoding='utf-8'),
                         document(*sorted(bare, key=lambda e: e['name'])))

    def test_slash(self):
        """A shell completes the name of a directory with one"""
        self.store(LANG)
        self.ok('export', '-f', 'efivarfs', self.path, f'{self.target}/')
        self.assertEqual([file.name for file in self.target.iterdir()],
                         [f'Lang-{GLOBAL}'])
        self.assertIn('File exists', self.fails(
            'export', '-f', 'efivarfs', self.path, f'{self.target}/'))

    def test_volatile(self):
        self.target.mkdir()
        (self.target / f'ConInDev-{GLOBAL}').write_bytes(b'\6\0\0\0x')
        self.assertEqual(self.notes('import', self.target, self.path),
                         ['volatile variables left out: 1'])
        self.assert_store()

    def test_names(self):
        for name in ('a/b', 'a\\ud800', 'x' * 230):
            self.ok('set', '-g', TEST, '-x', '00', self.path, name)
        self.assertEqual(
            self.notes('export', '-f', 'efivarfs', self.path, self.target),
            ['variables left out, as their names do not fit: 3'])
        self.assertEqual(list(self.target.iterdir()), [])

    def test_bad_names(self):
        for name in ('x', GLOBAL, f'-{GLOBAL}', f'Lang_{GLOBAL}',
                     f'Lang-{GLOBAL[:-1]}x', f'Lang-{GLOBAL}x',
                     b'\xff-'.decode(errors='surrogateescape') + GLOBAL,
                     'a\nb'):
            with self.subTest(name=name):
                self.target.mkdir()
                file = self.target / name
                file.write_bytes(b'\7\0\0\0x')
                self.fails('import', self.target, self.path)
                self.left_out(1)
                file.unlink()
                self.target.rmdir()

    def left_out(self, count):
        """A good variable beside what is none"""
        good = self.target / f'Lang-{GLOBAL}'
        good.write_bytes(struct.pack('<I', LANG['attr']) +
                         bytes.fromhex(LANG['data']))
        notes = self.notes('import', self.target, self.path)
        self.assertEqual([note.split(':')[0] for note in notes],
                         ['left out'] * count)
        self.assert_store(LANG)
        self.path.unlink()
        good.unlink()
        return notes

    def test_cut(self):
        self.target.mkdir()
        file = self.target / f'Timeout-{GLOBAL}'
        for size in range(5):
            file.write_bytes(b'\7\0\0\0'[:size])
            self.fails('import', self.target, self.path)
            self.assertFalse(self.path.exists())
            note, = self.left_out(1)
            self.assertIn(file.name, note)
        file.unlink()
        file.mkdir()
        self.fails('import', self.target, self.path)
        (self.target / 'README').write_text('copied in May')
        self.left_out(2)


if __name__ == '__main__':
    main()
