#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Commands of uefi-varstore on stores of other systems, as they are.

usage: test-uefi-varstore-forms.py PROGRAM
"""

import base64
import json
import os
import shutil
import struct
import subprocess
from pathlib import Path

from images import (ALL, DB, DICTIONARY, LANG, ODD, PLAIN_STORE, PRIVATE,
                    VOLATILE, aws, aws_list, flash, guid, interrupted,
                    plain_record, record, uboot, xen)
from varstore import (GLOBAL, TEST, Tool, document,
                      entry, journal, main)

OVMF = '/usr/share/OVMF/OVMF_VARS_4M.ms.fd'
CERTS = Path('/usr/lib/python3/dist-packages/virt/firmware/certs')
ORDER = entry('BootOrder', GLOBAL, 7, '0100')
BARE = (LANG, ODD)


def large(*records, **fields):
    """Flash with room for more"""
    return flash(*records, blank=b'\xff' * 8000, **fields) + b'behind'


# What a store with BARE in it is in each format that has a writer
WRITABLE = {
    'edk2': large(*map(record, BARE)),
    'edk2 plain': large(*map(plain_record, BARE), guid=PLAIN_STORE),
    'edk2 inside': b'x' * 4096 + large(*map(record, BARE)),
    'xen': xen(*BARE),
    'xen 2': xen(*BARE, version=2, presence=b'\1'),
    'xen base64': base64.b64encode(xen(*BARE)),
    'aws': aws(aws_list(*BARE)),
    'uefivars': json.dumps(BARE).encode(),
    'uboot': uboot(*BARE) + b'behind',
}


class Streams(Tool):
    """- where a file is read or a new one written"""

    def piped(self, data, *args):
        result = self.run_tool(*args, stdin=data)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout

    def test_input(self):
        self.store(LANG, ODD)
        data = self.path.read_bytes()
        for args in (['list'], ['status'], ['check'], ['get', LANG['name']],
                     ['pcr7']):
            command, *rest = args
            self.assertEqual(
                self.piped(data, command, '-', *rest).decode(),
                self.ok(command, self.path, *rest))
        self.assertEqual(self.piped(data, 'diff', '-', self.path), b'')
        self.assertEqual(self.piped(b'', 'list', '-'), b'')
        self.fails('diff', '-', '-', status=2)
        journaled = journal(document(LANG), [])
        self.assertIn(b'Lang', self.piped(journaled.encode(), 'list', '-'))
        for command in ('import', 'clone'):
            new = self.dir / command
            self.piped(data, command, '-', new)
            self.assertEqual(new.read_bytes(), data)

    def test_refused(self):
        qcow2 = self.dir / 'qcow2'
        subprocess.run(['qemu-img', 'create', '-q', '-f', 'qcow2', qcow2,
                        '64k'], check=True, timeout=60)
        for data, args, reason in (
                (b'', ['set', '-x', '00', '-', 'Lang'], b'only be read'),
                (b'', ['apply', '-', self.path], b'nothing in it'),
                (bytes(65 << 20), ['list', '-'], b'too large'),
                (b'junk', ['list', '-'], b'neither a store'),
                (qcow2.read_bytes(), ['list', '-'], b'a file only')):
            result = self.run_tool(*args, stdin=data)
            self.assertEqual((result.returncode, result.stdout), (1, b''))
            self.assertIn(reason, result.stderr.lower())

    def test_output(self):
        self.store(LANG, ODD)
        for name in ('xen', 'uboot', 'uefivars'):
            data = self.piped(b'', 'export', '-f', name, self.path, '-')
            self.assertIn(b'Lang', self.piped(data, 'list', '-'))
        self.fails('export', '-f', 'efivarfs', self.path, '-')


class Blank(Tool):
    def test_flash(self):
        """Erased, or as a file that was never written to"""
        image = self.dir / 'flash'
        for byte in (b'\0', b'\xff'):
            image.write_bytes(byte * (64 << 10))
            for command in ('list', 'status', 'check'):
                result = self.run_tool(command, image)
                self.assertIn(b'the image is blank', result.stderr)


class Forms(Tool):
    def setUp(self):
        super().setUp()
        self.image = self.dir / 'image'
        self.store(*BARE)

    def make(self, data):
        self.image.write_bytes(data)
        return self.image

    def kept(self, number=''):
        return Path(f'{self.image}.bak{number}')

    def foreign(self, *args, status=0, stdin=b''):
        """Run on @image; returns standard output and the notes, one each"""
        result = self.run_tool(*args, '--dictionary', DICTIONARY, stdin=stdin)
        lines = result.stderr.decode().splitlines()
        self.assertEqual(result.returncode, status, lines)
        for line in lines:
            self.assertTrue(line.startswith(
                f'uefi-varstore: {self.image}: note: '), line)
        return result.stdout.decode(), [line.split(': note: ')[1]
                                        for line in lines]

    def names(self):
        out, _ = self.foreign('list', '--names', self.image)
        return out.splitlines()

    def leftovers(self):
        return sorted(p.name for p in self.dir.iterdir())


class Read(Forms):
    def check(self, name, notes=''):
        """Every command that reads says the same as of a store of ours"""
        for args, last in ((['list', '--json'], []), (['get'], ['Lang']),
                           (['diff', self.path], []), (['boot', 'list'], []),
                           (['mok', 'list'], []), (['pcr7'], []),
                           (['status'], [])):
            with self.subTest(name=name, command=args[0]):
                out, told = self.foreign(*args, self.image, *last)
                self.assertEqual(len(told), 1)
                self.assertTrue(told[0].startswith(
                    f'read as a store of the format {name}{notes}'), told)
                if args[0] != 'status':
                    self.assertEqual(out, self.ok(*args, self.path, *last))
        self.assertIn('variables: 2', self.foreign('check', self.image)[0])

    def test_formats(self):
        for name, data in WRITABLE.items():
            self.make(data)
            self.check(name.split()[0])

    def test_documents(self):
        """Of python-uefivars, and of a guest that runs"""
        theirs = document(*BARE, VOLATILE)
        self.make(theirs.encode())
        self.check('uefivars', '; volatile variables left out: 1')
        self.path.write_text(journal(document(LANG), [ODD]))
        for name in ('list', 'status', 'check'):
            self.ok(name, self.path)
        target = self.dir / 'target'
        self.ok('import', self.path, target)
        self.assertEqual(target.read_text(), document(*BARE))

    def test_directory(self):
        self.image.mkdir()
        for e in (*BARE, VOLATILE):
            (self.image / f'{e["name"]}-{e["guid"]}').write_bytes(
                struct.pack('<I', e['attr']) + bytes.fromhex(e['data']))
        # a directory has an order of its own
        self.path.unlink()
        self.store(ODD, LANG)
        self.check('efivarfs', '; volatile variables left out: 1')

    def test_disk_image(self):
        raw = self.dir / 'raw'
        raw.write_bytes(large(*map(record, BARE)).ljust(65536, b'\xff'))
        subprocess.run(['qemu-img', 'convert', '-O', 'qcow2', raw, self.image],
                       check=True)
        self.check('edk2', ' in a qcow2 image')
        subprocess.run(['qemu-img', 'create', '-q', '-f', 'qcow2', self.image,
                        '64k'], check=True)
        self.assertIn('the image is blank',
                      self.fails('list', self.image))

    def test_unfinished(self):
        """What the firmware would pass over is told on the same line"""
        self.make(flash(record(LANG), record(PRIVATE, 0x7f)))
        self.assertEqual(self.foreign('get', self.image, 'Lang')[1], [
            'read as a store of the format edk2; the record at byte 176 was '
            'never finished and is left out'])

    def test_export(self):
        """From one format to another, without a store of ours"""
        self.make(WRITABLE['edk2'])
        target = self.dir / 'target'
        self.foreign('export', '-f', 'xen', self.image, target)
        self.assertEqual(target.read_bytes(), WRITABLE['xen'])
        self.foreign('clone', self.image, self.dir / 'clone')
        self.assertEqual((self.dir / 'clone').read_bytes(),
                         self.path.read_bytes())

    def test_room(self):
        """An image has a size of its own"""
        self.make(large(record(LANG)))
        size = 28 + len(record(LANG)) + 8000
        status = json.loads(self.foreign('status', '--json', self.image)[0])
        self.assertEqual(status['limit'], size - 28)

    def test_real(self):
        """A distribution's image, and whether a program would be started"""
        self.image = Path(OVMF)
        own = self.dir / 'own.json'
        self.ok('import', OVMF, own)
        for args, last in ((['status', '-s', 262144], []), (['get'], ['db']),
                           (['list'], []), (['list', '-j'], ['d*'])):
            out, _ = self.foreign(*args, OVMF, *last)
            if args[0] != 'status':
                self.assertEqual(out, self.ok(*args, own, *last))
            else:
                self.assertIn('next boot: secure boot is on', out)
        hello = '/usr/lib/efitools/x86_64-linux-gnu/HelloWorld.efi'
        result = self.run_tool('check-image', hello, OVMF)
        self.assertEqual((result.returncode, result.stdout),
                         (1, b'refused: it is not signed, and its hash is '
                          b'not in db\n'))

    def test_unknown(self):
        for data in (b'x' * 100, b'\xff' * 4096):
            self.make(data)
            self.assertIn('formats known here', self.fails('list', self.image))
        self.assertIn('needs --dictionary',
                      self.fails('list', self.make(WRITABLE['aws'])))


class InPlace(Forms):
    def test_formats(self):
        """Change, add and remove; nothing else of the file is another"""
        new = {**LANG, 'data': '64657500'}
        for name, data in WRITABLE.items():
            with self.subTest(name):
                self.make(data)
                self.foreign('set', '--in-place', '-x', new['data'],
                             self.image, 'Lang')
                self.foreign('rm', '--in-place', self.image, 'G*')
                self.foreign('set', '--in-place', '-x', '00', '-g', TEST,
                             '-A', 'NV,BS', self.image, ODD['name'])
                out, _ = self.foreign('list', '--json', self.image)
                self.assertEqual(json.loads(out)['variables'],
                                 [new, {**ODD, 'attr': 3}])
                self.assertEqual(self.kept().read_bytes(), data)
                written = self.image.read_bytes()
                for path in self.dir.glob('image.*'):
                    path.unlink()
                self.foreign('apply', '--in-place', self.path, self.image)
                self.same_elsewhere(name, data, written)
                self.foreign('rm', '--in-place', self.image, '*')
                self.assertEqual(self.names(), [])
                for path in self.dir.glob('image.*'):
                    path.unlink()

    def same_elsewhere(self, name, data, written):
        if name.startswith('edk2'):
            self.assertEqual(len(written), len(data))
            start = data.index(b'\xaa\x55')
            self.assertEqual(written[:start], data[:start])
        if name.startswith('edk2') or name == 'uboot':
            self.assertTrue(written.endswith(b'behind'))
        if name == 'xen 2':
            self.assertEqual((written[:8], written[24:292]),
                             (data[:8], data[24:292]))
        if name == 'uefivars':
            self.assertEqual(written[:1], b'[')

    def test_all_kinds(self):
        """Time stamps and signers stay, in formats that have them"""
        for data in (large(*map(record, (LANG, DB, ODD))), xen(*ALL),
                     aws(aws_list(*ALL)), json.dumps(ALL).encode()):
            self.make(data)
            before = json.loads(self.foreign('list', '-j', self.image)[0])
            self.foreign('set', '--in-place', '-x', '656e6700', self.image,
                         'Lang')
            self.foreign('set', '--in-place', '-g', TEST, '-x', '01',
                         self.image, 'New')
            after = json.loads(self.foreign('list', '-j', self.image)[0])
            key = lambda e: e['name']
            self.assertEqual(
                sorted(after['variables'], key=key),
                sorted([*before['variables'], entry('New', TEST, 7, '01')],
                       key=key))

    def test_told_only(self):
        """Nothing is written but where that is asked for"""
        for args in (['set', '-x', '00'], ['rm'], ['boot', 'rm'],
                     ['mok', 'rm'], ['reset-keys'], ['enroll', '--generate',
                                                     'x'],
                     ['update', '--from', self.path]):
            self.make(WRITABLE['edk2'])
            last = ['Lang'] if args[0] in ('set', 'rm') else \
                ['0001'] if len(args) == 2 else []
            before = self.leftovers()
            message = self.fails(*args, self.image, *last)
            self.assertIn('format edk2, which is written with --in-place',
                          message)
            self.assertEqual(self.image.read_bytes(), WRITABLE['edk2'])
            self.assertEqual(self.leftovers(), before)
        self.assertIn('use \'import\'', self.fails('fold', self.image))
        self.assertIn('--in-place', self.fails('import', self.path,
                                               self.image))

    def test_own(self):
        """A store of ours is what it always is"""
        self.ok('set', '--in-place', '-x', '00', self.path, 'Lang')
        self.assertEqual(self.leftovers(), ['vars.json'])

    def test_backups(self):
        """None takes the place of another one"""
        data = [self.make(WRITABLE['xen']).read_bytes()]
        self.image.chmod(0o640)
        if os.getuid() == 0:
            os.chown(self.image, 1234, 5678)
        for number in range(3):
            _, notes = self.foreign('set', '--in-place', '-x',
                                    f'{number + 1:02}', self.image,
                                    ODD['name'])
            last = self.kept(f'.{number + 1}' if number else '')
            self.assertEqual(notes[1], f'written; {last} is what it was')
            data.append(self.image.read_bytes())
        self.assertEqual([self.kept(n).read_bytes()
                          for n in ('', '.2', '.3')], data[:3])
        self.assertEqual(self.leftovers(),
                         ['image', 'image.bak', 'image.bak.2', 'image.bak.3',
                          'vars.json'])
        stats = [path.stat() for path in (self.image, self.kept())]
        self.assertEqual([s.st_mode & 0o7777 for s in stats], [0o640] * 2)
        if os.getuid() == 0:
            self.assertEqual([(s.st_uid, s.st_gid) for s in stats],
                             [(1234, 5678)] * 2)

    def test_nothing_to_write(self):
        """What is there already makes no backup"""
        self.make(WRITABLE['edk2'])
        self.foreign('set', '--in-place', '-x', ODD['data'], self.image,
                     ODD['name'])
        self.foreign('update', '--in-place', '--from', self.path, self.image)
        self.assertEqual(self.leftovers(), ['image', 'vars.json'])

    def test_holes(self):
        """The flash of an Arm machine is large, and nearly empty"""
        self.make(WRITABLE['edk2'])
        os.truncate(self.image, 64 << 20)
        self.foreign('rm', '--in-place', self.image, 'Lang')
        for path in (self.image, self.kept()):
            self.assertEqual(path.stat().st_size, 64 << 20)
            self.assertLess(path.stat().st_blocks * 512, 1 << 20)
        self.assertEqual(self.names(), [ODD['name']])

    def test_symbolic_link(self):
        target = self.dir / 'target'
        self.image.symlink_to('target')
        target.write_bytes(WRITABLE['xen'])
        self.foreign('rm', '--in-place', self.image, 'Lang')
        self.assertTrue(self.image.is_symlink())
        self.assertEqual(self.names(), [ODD['name']])
        self.assertEqual(Path(f'{target}.bak').read_bytes(), WRITABLE['xen'])

    def test_in_use(self):
        """An emulator has it open"""
        self.make(WRITABLE['edk2'].ljust(16384, b'\xff'))
        before = self.image.read_bytes()
        args = ['set', '--in-place', '-x', '01', self.image, ODD['name']]
        with subprocess.Popen(['qemu-io', '-f', 'raw', self.image],
                              stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE) as user:
            user.stdin.write(b'read 0 512\n')
            user.stdin.flush()
            self.assertIn(b'read 512', user.stdout.readline() +
                          user.stdout.readline())
            message = self.fails(*args)
            self.names()
            user.stdin.close()
            user.wait(timeout=60)
        self.assertIn('in use', message)
        self.assertEqual(self.image.read_bytes(), before)
        self.foreign(*args)

    def test_disk_full(self):
        self.make(WRITABLE['edk2'])
        result = self.run_with_limit(4096, 'set', '--in-place', '-x', '01',
                                     self.image, ODD['name'])
        self.assertEqual(result.returncode, 1)
        self.assertIn(b'File too large', result.stderr)
        self.assertEqual(self.leftovers(), ['image', 'vars.json'])
        self.assertEqual(self.image.read_bytes(), WRITABLE['edk2'])

    def refuses(self, reason, *args):
        before = self.leftovers()
        text = self.run_tool(*args).stderr.decode()
        self.assertIn(reason, text.splitlines()[-1])
        self.assertEqual(self.leftovers(), before)

    def test_refused(self):
        """By name, where it cannot be written, or not as a whole"""
        args = ['set', '--in-place', '-x', '00', self.image, 'Lang']
        for data, reason in (
                (xen(LANG, VOLATILE), 'volatile variables'),
                (uboot({**LANG, 'attr': 7 | 1 << 31}), 'marks'),
                (flash(record(LANG), blank=b''), 'do not fit')):
            self.make(data)
            self.refuses(reason, *args[:-1], 'Lang2', '-g', TEST)
            self.assertEqual(self.image.read_bytes(), data)
        self.make(WRITABLE['edk2 plain'])
        self.refuses('without authentication', 'enroll', '--in-place',
                     '--generate', 'x', self.image)
        self.make(WRITABLE['aws'])
        self.refuses('cannot hold the name', 'set', '--in-place', '-g', TEST,
                     '-x', '00', '--dictionary', DICTIONARY, self.image,
                     'a\\ud800')
        self.make(b'variables: {}\n')
        for more in ([], ['--in-place']):
            self.refuses("format lxd is only read; 'import' it",
                         'rm', *more, self.image, 'Lang')

    def test_directory(self):
        """Refused by name, with what to do instead, which works"""
        file = self.image / f'Lang-{GLOBAL}'
        self.image.mkdir()
        file.write_bytes(b'\7\0\0\0eng\0')
        new = self.dir / 'new'
        for args in (['set', '-x', '00', self.image, 'Lang'],
                     ['rm', self.image, 'Lang'],
                     ['enroll', '--generate', 'x', self.image],
                     ['boot', 'order', self.image, '0000'],
                     ['update', '--from', self.path, self.image]):
            for more in ([], ['--in-place']):
                self.refuses("is only read, as nothing could replace it all "
                             "at once; 'import' it, change that, and 'export' "
                             'it to a new one; efibootmgr, mokutil and '
                             'efi-updatevar change what the firmware of this '
                             'machine has', *args, *more)
        self.assertEqual(file.read_bytes(), b'\7\0\0\0eng\0')
        self.path.unlink()
        self.ok('import', self.image, self.path)
        self.ok('set', '-x', '64657500', self.path, 'Lang')
        self.ok('export', '-f', 'efivarfs', self.path, new)
        self.assertEqual((new / file.name).read_bytes(), b'\7\0\0\0deu\0')

    def test_disk_images(self):
        """Written by qemu-img, with snapshots and backing file as they were"""
        run = lambda *args: subprocess.run(
            [str(arg) for arg in args], check=True, capture_output=True)
        raw, base = self.dir / 'raw', self.dir / 'base'
        raw.write_bytes(WRITABLE['edk2'].ljust(65536, b'\xff'))
        for kind in ('qcow2', 'vmdk', 'vdi', 'vhdx'):
            with self.subTest(kind):
                run('qemu-img', 'convert', '-O', kind, raw, self.image)
                self.foreign('rm', '--in-place', self.image, 'Lang')
                self.assertEqual(self.names(), [ODD['name']])
        run('qemu-img', 'convert', '-O', 'qcow2', raw, base)
        before = base.read_bytes()
        self.image.unlink()
        run('qemu-img', 'create', '-f', 'qcow2', '-F', 'qcow2', '-b', 'base',
            self.image)
        run('qemu-img', 'snapshot', '-c', 'old', self.image)
        self.foreign('rm', '--in-place', self.image, 'Lang')
        self.assertEqual(self.names(), [ODD['name']])
        self.assertEqual(base.read_bytes(), before)
        run('qemu-img', 'snapshot', '-a', 'old', self.image)
        self.assertEqual(self.names(), ['Lang', ODD['name']])
        self.assertNotIn('image.', [p for p in self.leftovers()
                                    if not p.startswith('image.bak')])

    def test_interrupted(self):
        """A write that the firmware has to finish does not undo ours"""
        for state in (0xfd, 0xff, 0xf9):
            with self.subTest(state=state):
                self.make(interrupted(state, large(record(LANG)),
                                      large(record(DB))))
                self.foreign('set', '--in-place', '-g', TEST, '-x', '01',
                             self.image, 'New')
                _, notes = self.foreign('get', self.image, 'New')
                self.assertEqual(notes, ['read as a store of the format edk2'])
                self.assertEqual(self.names(), [
                    'db' if state == 0xfd else 'Lang', 'New'])


class Rescue(Forms):
    """What can be had of damaged stores, and how the rest is told"""

    def setUp(self):
        super().setUp()
        self.path.unlink()

    def rescue(self, data, *wanted, args=()):
        """What was lost of @data, one line each, when @wanted is left"""
        if data is not None:
            self.make(data)
        self.path.unlink(missing_ok=True)
        result = self.run_tool('import', '--rescue', '--dictionary',
                               DICTIONARY, *args, self.image, self.path)
        lines = result.stderr.decode().splitlines()
        lost = [line.split(': lost: ')[1] for line in lines
                if ': lost: ' in line]
        self.assertEqual((result.returncode, result.stdout),
                         (1 if lost else 0, b''), lines)
        self.assertEqual(self.path.read_text(encoding='utf-8'),
                         document(*wanted), lines)
        return lost

    def is_lost(self, data, *wanted, lines):
        """Each of the @lines begins so; without --rescue all is refused"""
        lost = self.rescue(data, *wanted)
        self.assertEqual([a[:len(b)] for a, b in zip(lost, lines)],
                         list(lines), lost)
        self.assertEqual(len(lost), len(lines), lost)
        self.path.unlink()
        self.fails('import', '--dictionary', DICTIONARY, self.image, self.path)

    def test_good(self):
        for name, data in WRITABLE.items():
            with self.subTest(name):
                self.assertEqual(self.rescue(data, *BARE), [])
        text = journal(document(LANG), [ODD])
        self.assertEqual(self.rescue(text.encode(), *BARE), [])

    def test_nothing(self):
        for data in (b'x' * 100, b'{', b'VARS', b'VARS' + bytes(20),
                     xen(LANG)[:60], flash(record(LANG))[:120]):
            with self.subTest(data=data):
                self.make(data)
                self.fails('import', '--rescue', self.image, self.path)
                self.assertFalse(self.path.exists())

    def test_flash_headers(self):
        good = large(record(LANG), record(DB))
        damaged = 'byte 0: the header of the firmware volume at byte 0'
        for data, line in (
                (good.replace(b'_FVH', b'_FVX'), damaged),
                (good[:50] + b'xx' + good[52:], damaged),
                (good[:16] + bytes(16) + good[32:],
                 'byte 0: there is no volume of variables in it; the store at '
                 'byte 72'),
                (bytes(72) + good[72:], 'byte 0: there is no volume'),
                (large(record(LANG), record(DB), health=0),
                 'byte 72: the header of the store'),
                (large(record(LANG), record(DB), size=1 << 30),
                 'byte 72: the header of the store')):
            self.is_lost(data, LANG, DB, lines=[line])
        # the GUID of the store, by which it is known as a whole
        self.is_lost(good[:72] + b'y' + good[73:], LANG, DB,
                     lines=['byte 72: at byte 72 is not a store'])
        self.is_lost(good[:280], LANG, DB, lines=[
            'byte 0: the firmware volume at byte 0 is cut off',
            'byte 72: the header of the store'])

    def test_flash_records(self):
        """Those around a damaged one; the next one is known by its form"""
        first, second, third = map(record, (LANG, DB, ODD))
        at, behind = 100 + len(first), 100 + len(first) + len(second)
        for bad, reason in (
                (b'xx' + second[2:], f'bad record at byte {at}'),
                (second[:40] + b'\0\0\1\0' + second[44:],
                 f'the record at byte {at} is longer'),
                (bytes(len(second)), f'bad record at byte {at}')):
            self.is_lost(large(first, bad, third), LANG, ODD, lines=[
                f'byte {at}: {reason}'])
            self.assertIn(f'the next record is at byte {behind}',
                          self.rescue(None, LANG, ODD)[0])
        self.is_lost(large(first, record(DB, name=b'a\0'), third), LANG, ODD,
                     lines=[f'byte {at}: the name'])
        # cut within a record
        self.is_lost(large(first, second)[:at + 62], LANG, lines=[
            'byte 0: the firmware', 'byte 72: the header', f'byte {at}: '])
        # two that are both valid, of which firmware sees the first one
        self.is_lost(large(first, record({**LANG, 'data': '6600'})), LANG,
                     lines=["the variable 'Lang': there is another one"])

    def test_flash_old_values(self):
        """What the firmware had deleted is not taken for what is damaged"""
        new = record({**LANG, 'data': '64657500'})
        old = record(LANG, 0x3c)
        at = 100 + len(old)
        self.is_lost(large(old, b'xx' + new[2:], record(ODD)), ODD,
                     lines=[f'byte {at}: '])
        # nor the spare area for a volume that is gone
        main = large(record(LANG))
        image = interrupted(0xff, bytes(len(main)), large(record(DB)))
        self.make(image)
        self.assertIn('perhaps an old one', self.fails('list', self.image))
        self.is_lost(image, DB, lines=['byte 0: the volume of variables is '
                                       'missing; there is a spare copy'])
        image = interrupted(0xff, bytes(72) + main[72:], large(record(DB)))
        self.is_lost(image, LANG, lines=['byte 0: the volume of variables is'])

    def test_xen(self):
        good = xen(LANG, ODD)
        start = 24 + len(xen(LANG)) - 24
        self.is_lost(good[:-1], LANG, lines=[
            'byte 24: there are', f'byte {start}: cut off in variable 2',
            f'byte {start}: 1 variables are there, the header says 2'])
        self.is_lost(xen(LANG, ODD, count=7), LANG, ODD, lines=[
            f'byte {len(good)}: 2 variables are there, the header says 7'])
        self.is_lost(xen(LANG, {**DB, 'data': ''}, ODD), LANG, ODD, lines=[
            f"byte {start}: variable 'db' has no value"])
        self.is_lost(xen(LANG, {**ODD, 'attr': 0x83}), LANG, lines=[
            "the variable 'Größe 🦊': "])
        text = base64.b64encode(good)
        self.is_lost(text[:-20] + b'!' + text[-19:], LANG, lines=[
            f'byte {len(text) - 20}: from here on it is not base64',
            'byte 24: there are', f'byte {start}: cut off',
            'byte '])

    def test_aws(self):
        good = aws(aws_list(LANG, ODD))
        text = base64.b64decode(good)
        wrong = text[:8] + b'xxxx' + text[12:]
        checksum = 'byte 8: the checksum is wrong'
        self.is_lost(base64.b64encode(wrong), LANG, ODD, lines=[checksum])
        lost = self.rescue(base64.b64encode(text[:-6]), LANG)
        self.assertEqual([line.split(':')[1] for line in lost[:2]],
                         [' the checksum is wrong; something is missing or '
                          'damaged', ' the compressed data is damaged'])

    def test_uboot(self):
        good = uboot(LANG, ODD)
        second = len(uboot(LANG))
        self.is_lost(good[:-9], LANG, lines=[
            'byte 24: cut off', 'byte 24: its checksum',
            f'byte {second}: cut off in variable 2'])
        self.is_lost(uboot(LANG, ODD, sum=1), LANG, ODD,
                     lines=['byte 24: its checksum'])

    def test_uefivars(self):
        good = json.dumps(ALL)
        third = json.dumps(ALL[2])
        self.assertEqual(self.rescue(good[:-1].encode(), *ALL)[0][:7],
                         'byte 0:')
        self.is_lost(good.replace(DB['data'], 'zz').encode(), LANG, PRIVATE,
                     ODD, lines=[f'byte {good.index(", {")}: '])
        lost = self.rescue(good.replace(third, third[:9]).encode(), LANG, DB,
                           ODD)
        self.assertEqual(len(lost), 1)

    def test_document(self):
        good = document(LANG, DB, ODD)
        lines = good.encode().splitlines(keepends=True)
        at = len(lines[0] + lines[1]) - 2
        for bad in (lines[2].replace(b'"attr": 39', b'"attr": x'),
                    lines[2][:30] + b'\n', lines[2].replace(b'"', b'', 1),
                    lines[2].replace(b'db"', b'db'),
                    b'\0' * len(lines[2]) + b'\n', b'}' + lines[2][1:]):
            with self.subTest(bad=bad):
                self.is_lost(b''.join([*lines[:2], bad, *lines[3:]]), LANG,
                             ODD, lines=[f'byte {at}: '])
        self.is_lost(good[:-60].encode(), LANG, DB,
                     lines=[f'byte {len(b"".join(lines[:3])) - 2}: '])
        # behind the end of the list there is nothing that counts
        self.is_lost((good + json.dumps(PRIVATE)).encode(), LANG, DB, ODD,
                     lines=[f'byte {len(good.encode()) - 4}: '])
        self.is_lost(document(LANG, LANG, ODD).encode(), LANG, ODD, lines=[
            "the variable 'Lang': there is another one"])

    def test_journal(self):
        """Up to the damage; what changed behind it is named"""
        changes = [[ODD], [{**LANG, 'data': '64657500'}, ORDER], [DB]]
        good = journal(document(LANG), *changes)
        lines = good.encode().splitlines(keepends=True)
        second = len(b''.join(lines[:4]))
        third = len(b''.join(lines[:5]))
        bad = lines[4].replace(b'64657500', b'64657501')
        self.is_lost(b''.join([*lines[:4], bad, lines[5]]), LANG, ODD, lines=[
            f'byte {second}: a change of Lang, BootOrder, which is as it was',
            f'byte {third}: a change of db, which is as it was before'])
        self.is_lost(b''.join([*lines[:4], lines[5]]), LANG, ODD, lines=[
            f'byte {second}: a change of db'])
        self.is_lost(b''.join([*lines[:4], b'#!x\n', lines[5]]), LANG, ODD,
                     lines=[f'byte {second}: a line that cannot be read',
                            f'byte {second + 4}: a change of db'])

    def test_document_and_journal(self):
        """The changes are whole, whatever became of the document"""
        good = journal(document(LANG, DB), [ODD], [{**LANG, 'data': '6600'}])
        changed = 'byte 0: the document is not as it was when its journal'
        new = {**LANG, 'data': '6600'}
        self.is_lost(good.replace(DB['data'], 'ac' * 5).encode(),
                     {**DB, 'data': 'ac' * 5}, ODD, new, lines=[changed])
        self.is_lost(good.replace('"attr": 39', '"attr": xx').encode(), ODD,
                     new, lines=[changed, 'byte '])

    def test_directory(self):
        """A bad file is left out, and only told when it is no rescue"""
        self.image.mkdir()
        for name, data in ((f'Lang-{GLOBAL}', b'\7\0\0\0eng\0'),
                           (f'Empty-{GLOBAL}', b''), ('README', b'text')):
            (self.image / name).write_bytes(data)
        lines = [f"left out: 'Empty-{GLOBAL}': cut off",
                 "left out: 'README' is not of the form NAME-GUID"]
        self.assertEqual(self.rescue(None, LANG), lines)
        self.path.unlink()
        result = self.run_tool('import', self.image, self.path)
        self.assertEqual(result.returncode, 0)
        self.assertEqual(result.stderr.decode().splitlines(), [
            f'uefi-varstore: {self.image}: note: {line}' for line in lines])
        self.assertEqual(self.path.read_text(), document(LANG))


class Others(Forms):
    """Real images, and what programs of others read of what was written"""

    def virt_fw_vars(self):
        out = self.dir / 'virt.json'
        subprocess.run(['virt-fw-vars', '--input', self.image,
                        '--output-json', out], check=True,
                       capture_output=True, timeout=120)
        return out

    def change(self):
        self.foreign('boot', 'add', '--in-place', '--label', 'debian',
                     '--file', '/EFI/debian/shimx64.efi', self.image)
        self.foreign('mok', 'add', '--in-place', self.image,
                     CERTS / 'MicrosoftCorporationKEK2KCA2023.pem')
        self.foreign('enroll', '--in-place', '--append', '--db',
                     CERTS / 'MicrosoftUEFICA2023.pem', self.image)

    def check(self):
        theirs = self.virt_fw_vars()
        self.assertEqual(self.foreign('diff', self.image, theirs)[0], '')
        self.assertIn('debian', self.ok('boot', 'list', theirs))
        self.assertIn('KEK 2K CA 2023', self.ok('mok', 'list', theirs))
        self.assertIn('Microsoft UEFI CA 2023', self.ok('get', theirs, 'db'))

    def test_flash(self):
        shutil.copy(OVMF, self.image)
        before = self.image.read_bytes()
        self.change()
        self.check()
        after = self.image.read_bytes()
        # header, and what is behind the store
        self.assertEqual(after[:100], before[:100])
        self.assertEqual(after[256 * 1024:], before[256 * 1024:])
        self.assertEqual(self.kept().read_bytes(), before)

    def test_aws(self):
        subprocess.run(['virt-fw-vars', '--input', OVMF, '--output-aws',
                        self.image], check=True, capture_output=True,
                       timeout=60)
        self.change()
        self.check()


if __name__ == '__main__':
    main()
