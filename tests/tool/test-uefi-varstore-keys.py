#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Keys of secure boot: enroll, reset-keys and sign of uefi-varstore.

usage: test-uefi-varstore-keys.py PROGRAM GUEST-SET

Inputs are made by OpenSSL and efitools; results are compared with those of
virt-fw-vars, efitools and sbsigntool.
"""

import hashlib
import json
import os
import shutil
import stat
import struct
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

from varstore import (GLOBAL, IMGSEC, TEST, TIME, Tool, document,
                      entry, journal, main)

GUEST_SET = sys.argv[2]

SBENABLE = 'f0a30bc7-af08-4556-99c4-001009c93a44'
STAMP = '2024-01-02 03:04:05'       # the same as TIME
ZERO_TIME = '00' * 16
SHIM = '605dab50-e046-4300-abb6-3dd810dd8b23'
SHA256 = '2616c4c14c509240aca941f936934328'
BLANK = '/usr/share/OVMF/OVMF_VARS_4M.fd'
HELLO = '/usr/lib/efitools/x86_64-linux-gnu/HelloWorld.efi'

# Names of the variables by option
OPTIONS = {'--pk': 'PK', '--kek': 'KEK', '--db': 'db', '--dbx': 'dbx'}


def run(*args):
    return subprocess.run([str(a) for a in args], check=True, timeout=60,
                          capture_output=True).stdout


def hash_list(byte):
    """An ESL with one SHA-256 hash"""
    return bytes.fromhex(SHA256 + '4c000000' '00000000' '30000000' +
                         '11111111222233334444555555555555') + \
        bytes([byte]) * 32


class Keys(Tool):
    """Certificates for PK, KEK and db, in all forms"""

    @classmethod
    def setUpClass(cls):
        cls.keys = Path(tempfile.mkdtemp(prefix='uefi-varstore-keys-'))
        # Of a length that sbsign and efitools need not fill up to
        cls.HELLO = cls.keys / 'HelloWorld.efi'
        image = Path(HELLO).read_bytes()
        cls.HELLO.write_bytes(image + bytes(-len(image) % 8))
        for name in ('PK', 'KEK', 'db'):
            cls.make(name, 'rsa:2048')
        cls.make('EC', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256')

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.keys)

    @classmethod
    def make(cls, name, kind, *options):
        base = cls.keys / name
        run('openssl', 'req', '-x509', '-nodes', '-newkey', kind, *options,
            '-keyout', f'{base}.key', '-out', f'{base}.crt', '-days', '3650',
            '-subj', f'/CN=Test {name}')
        run('openssl', 'x509', '-in', f'{base}.crt', '-outform', 'DER',
            '-out', f'{base}.der')
        run('cert-to-efi-sig-list', '-g', TEST, f'{base}.crt', f'{base}.esl')

    def key(self, name):
        return self.keys / name

    def file(self, name, content):
        path = self.dir / name
        path.write_bytes(content)
        return path

    def sign_theirs(self, name, value, *options, signer='PK'):
        """An update by efitools"""
        out = self.dir / 'theirs.auth'
        run('sign-efi-sig-list', *options, '-k', self.key(f'{signer}.key'),
            '-c', self.key(f'{signer}.crt'), name, value, out)
        return out

    def variables(self, path=None):
        text = self.ok('list', '-j', path or self.path)
        return {e['name']: e for e in json.loads(text)['variables']}

    def data(self, name):
        return bytes.fromhex(self.variables()[name]['data'])

    def status(self):
        return json.loads(self.ok('status', '-j', self.path))

    def enroll_all(self):
        self.ok('enroll', '--pk', self.key('PK.crt'), '--kek',
                self.key('KEK.crt'), '--db', self.key('db.crt'), '-o', TEST,
                self.path)


class Enroll(Keys):
    def test_same_as_virt_fw_vars(self):
        out = self.dir / 'theirs.json'
        run('virt-fw-vars', '-i', BLANK, '--set-pk', TEST, self.key('PK.crt'),
            '--add-kek', TEST, self.key('KEK.crt'),
            '--add-db', TEST, self.key('db.crt'),
            '--add-db', TEST, self.key('KEK.crt'),
            '--set-dbx', self.sign_theirs('dbx', self.key('db.esl'), '-t',
                                          STAMP),
            '--sb', '--output-json', out)
        self.ok('enroll', '--pk', self.key('PK.crt'),
                '--kek', self.key('KEK.crt'), '--db', self.key('db.crt'),
                '--db', self.key('KEK.crt'), '--dbx',
                self.dir / 'theirs.auth', '--owner', TEST, self.path)
        ours, theirs = self.variables(), self.variables(out)
        for name in ('PK', 'KEK', 'db'):
            for e in (ours[name], theirs[name]):
                self.assertNotEqual(e.pop('time'), ZERO_TIME)
        for name in ('PK', 'KEK', 'db', 'dbx', 'SecureBootEnable'):
            self.assertEqual(ours[name], theirs[name])
        self.assertEqual(ours['dbx']['time'], TIME)

    def test_forms(self):
        """PEM, DER, ESL and .auth of a certificate are the same"""
        expected = self.key('db.esl').read_bytes()
        auth = self.sign_theirs('db', self.key('db.esl'), '-t', STAMP)
        for path in ('db.crt', 'db.der', 'db.esl', auth):
            for option, name in OPTIONS.items():
                with self.subTest(path=path, name=name):
                    self.path.unlink(missing_ok=True)
                    self.ok('enroll', option, self.key(path), '-o', TEST,
                            self.path)
                    self.assertEqual(self.data(name), expected)
                    e = self.variables()[name]
                    self.assertEqual(e['attr'], 39)
                    self.assertEqual(e['guid'], GLOBAL if 'K' in name
                                     else IMGSEC)

    def test_many_in_one_file(self):
        both = self.file('both.pem', self.key('KEK.crt').read_bytes() +
                         self.key('db.crt').read_bytes())
        self.ok('enroll', '--db', both, '-o', TEST, self.path)
        self.assertEqual(self.data('db'), self.key('KEK.esl').read_bytes() +
                         self.key('db.esl').read_bytes())

    def test_owner(self):
        self.ok('enroll', '--db', self.key('db.crt'), self.path)
        self.assertEqual(self.data('db')[28:44], bytes(16))
        self.ok('enroll', '--db', self.key('db.crt'), '-o', 'microsoft',
                self.path)
        self.assertIn('owner MICROSOFT', self.ok('get', self.path, 'db'))
        self.fails('enroll', '--db', self.key('db.crt'), '-o', 'nobody',
                   self.path, status=2)

    def test_mode(self):
        """PK ends setup mode, and switches secure boot on"""
        self.store(entry('SecureBootEnable', SBENABLE, 3, '00'))
        self.ok('enroll', '--kek', self.key('KEK.crt'), '--db',
                self.key('db.crt'), self.path)
        self.assertEqual(self.status()['next-boot'], 'setup-mode')
        self.assertEqual(self.variables()['SecureBootEnable']['data'], '00')
        self.ok('enroll', '--pk', self.key('PK.crt'), self.path)
        self.assertEqual(self.status()['next-boot'], 'enabled')
        # a user who has switched it off again is not overruled
        self.ok('set', '--hex', '00', self.path, 'SecureBootEnable')
        self.ok('enroll', '--pk', self.key('db.crt'), self.path)
        self.assertEqual(self.status()['next-boot'], 'disabled')

    def test_append(self):
        a, b = self.file('a', hash_list(1)), self.file('b', hash_list(2))
        self.ok('enroll', '--append', '--dbx', a, self.path)
        self.ok('enroll', '--append', '--dbx', b, '--dbx', a, self.path)
        self.assertEqual(self.data('dbx'), hash_list(1) + hash_list(2))
        self.assertEqual(self.ok('enroll', '--replace', '--dbx', b, self.path),
                         'dbx: 1 signature is no longer enrolled\n')
        self.assertEqual(self.data('dbx'), hash_list(2))
        # revocations are not dropped by accident
        self.ok('enroll', '--dbx', a, self.path)
        self.assertEqual(self.data('dbx'), hash_list(2) + hash_list(1))

    def test_replace(self):
        self.ok('enroll', '--db', self.key('db.crt'), self.path)
        self.assertEqual(self.ok('enroll', '--db', self.key('KEK.crt'),
                                 self.path),
                         'db: 1 signature is no longer enrolled\n')
        self.assertEqual(self.ok('enroll', '--db', self.key('KEK.crt'), '-o',
                                 TEST, self.path), '')

    def test_owner_of_file(self):
        self.ok('enroll', '--db', f'{TEST}:{self.key("db.crt")}', '--db',
                self.key('KEK.crt'), '--db', f'shim:{self.key("PK.crt")}',
                '-o', 'MICROSOFT', self.path)
        text = self.ok('get', self.path, 'db')
        self.assertEqual([line.split()[-1] for line in text.splitlines()
                          if line.startswith('X.509')],
                         [TEST, 'MICROSOFT', 'SHIM'])
        self.assertEqual(self.data('db')[:len(self.key('db.esl')
                                              .read_bytes())],
                         self.key('db.esl').read_bytes())

    def test_remove(self):
        """One of many goes, the others keep their places and lists"""
        three = bytes.fromhex(SHA256 + 'ac000000' '00000000' '30000000') + \
            b''.join(hash_list(i)[28:] for i in (1, 2, 3))
        two = bytes.fromhex(SHA256 + '7c000000' '00000000' '30000000') + \
            b''.join(hash_list(i)[28:] for i in (1, 3))
        esl = self.key('db.esl').read_bytes()
        self.ok('enroll', '--dbx', self.file('x', three + esl), self.path)
        stamp = self.variables()['dbx']['time']
        self.ok('enroll', '--remove', '--dbx', '02' * 32, self.path)
        self.assertEqual(self.data('dbx'), two + esl)
        self.assertEqual(self.variables()['dbx']['time'], stamp)
        self.assertIn('has none', self.fails('enroll', '--remove', '--dbx',
                                             '02' * 32, self.path))
        self.ok('enroll', '--remove', '--dbx', self.file('y', hash_list(1)),
                '--dbx', hashlib.sha256(esl[44:]).hexdigest(), self.path)
        self.assertEqual(self.data('dbx'), hash_list(3))
        self.ok('enroll', '--dbx', self.key('db.crt'), self.path)
        self.ok('enroll', '--remove', '--dbx', self.key('db.der'), self.path)
        self.assertEqual(self.data('dbx'), hash_list(3))
        self.ok('enroll', '--remove', '--dbx', '03' * 32, self.path)
        self.assertNotIn('dbx', self.variables())

    def test_remove_from_missing(self):
        self.fails('enroll', '--remove', '--db', '00' * 32, self.path)
        self.assertFalse(self.path.exists())
        self.store()
        self.fails('enroll', '--remove', '--db', '00' * 32, self.path)

    def test_image_hash(self):
        """The hash that efitools and virt-firmware know of it, too"""
        image = self.HELLO
        esl, out = self.dir / 'esl', self.dir / 'signed'
        run('hash-to-efi-sig-list', image, esl)
        self.ok('enroll', '--db-hash', image, '--dbx-hash', f'SHIM:{image}',
                self.path)
        self.assertEqual(self.data('db')[44:], esl.read_bytes()[44:])
        self.assertEqual(self.data('dbx')[44:], esl.read_bytes()[44:])
        # a signature does not count
        run('sbsign', '--key', self.key('db.key'), '--cert',
            self.key('db.crt'), '--output', out, image)
        self.ok('enroll', '--remove', '--db-hash', out, self.path)
        for size in (0, 1, 64, 200, 400, 1000):
            self.fails('enroll', '--db-hash', self.file(
                'cut', image.read_bytes()[:size]), self.path)

    def test_append_pk(self):
        """There is only one PK"""
        self.ok('enroll', '--pk', self.key('PK.crt'), self.path)
        self.ok('enroll', '-a', '--pk', self.key('PK.crt'), self.path)
        self.assertIn('PK is refused',
                      self.fails('enroll', '-a', '--pk', self.key('db.crt'),
                                 self.path))

    def test_time(self):
        """Now, or that of an update; it never goes back"""
        before = time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime())
        self.ok('enroll', '--db', self.key('db.crt'), self.path)
        after = time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime())
        line = self.ok('list', self.path, 'db').strip()
        self.assertTrue(before <= line[-19:] <= after, line)
        first = self.variables()['db']['time']
        old = self.sign_theirs('db', self.key('KEK.esl'), '-t', STAMP)
        self.ok('enroll', '--db', old, self.path)
        self.assertEqual(self.data('db'), self.key('KEK.esl').read_bytes())
        self.assertEqual(self.variables()['db']['time'], first)

    def test_journal(self):
        """On top of what the guest has written"""
        db = self.key('db.esl').read_bytes()
        self.path.write_text(journal(document(), [entry(
            'db', IMGSEC, 39, db.hex(), time=TIME)]))
        self.ok('enroll', '--append', '--db', self.key('KEK.crt'), '-o', TEST,
                self.path)
        self.assertEqual(self.data('db'),
                         db + self.key('KEK.esl').read_bytes())

    def test_all_or_nothing(self):
        self.store(entry('Lang', GLOBAL, 7, '656e6700'))
        for bad in (self.keys / 'missing', self.file('junk', b'junk' * 20),
                    self.file('cut', self.key('db.esl').read_bytes()[:-1]),
                    self.file('half', self.key('db.der').read_bytes()[:-9]),
                    self.file('pem', b'-----BEGIN CERTIFICATE-----\nAAAA\n'
                              b'-----END CERTIFICATE-----\n'),
                    self.file('empty', b''), self.key('EC.crt'),
                    self.key('EC.esl'), self.key('db.key')):
            with self.subTest(bad=bad):
                self.fails('enroll', '--db', self.key('db.crt'), '--pk', bad,
                           '--dbx', self.key('db.crt'), self.path)
        # the second of two does not fit
        big = self.file('big', b''.join(map(hash_list, range(200))))
        self.fails('enroll', '--db', self.key('db.crt'), '--pk', big,
                   self.path)
        self.fails('enroll', '--dbx', self.key('db.crt'), '--db', big,
                   '--size', 4096, self.path)
        self.fails('enroll', '--db', big, '--db', big, '--db', big,
                   self.path)

    def test_hardware_errors(self):
        self.store(entry('A', TEST, 15, '00'))
        args = ['enroll', '--db', self.key('db.crt'), self.path]
        self.assertIn('hardware error records', self.fails(*args))
        self.ok(*args, '--hwerr-quota', 68)

    def test_every_cut(self):
        """Updates and lists cut short at each byte: refused, or shorter"""
        auth = self.sign_theirs('db', self.key('db.esl'),
                                '-t', STAMP).read_bytes()
        for size in [*range(0, len(auth), 97), *range(38, 46)]:
            self.fails('enroll', '--db', self.file('cut', auth[:size]),
                       self.path)

    def test_usage(self):
        db = ['--db', self.key('db.crt')]
        for args in ([], ['--append'], [*db, '--append', '--replace'],
                     [*db, '--remove', '--append'],
                     ['--remove', '--generate', 'x'], ['--generate', ''],
                     ['--generate', 'x' * 61],
                     ['--generate', 'x', '--pk', self.key('PK.crt')],
                     ['--db', self.key('db.crt'), '--size', '1']):
            self.fails('enroll', *args, self.path, status=2)

    def test_locked(self):
        self.store()
        with self.locked():
            self.fails('enroll', '--pk', self.key('PK.crt'), self.path)
            self.fails('enroll', '--generate', 'a', self.path)
            self.fails('reset-keys', self.path)
        self.assertEqual(os.listdir(self.dir), ['vars.json'])

    def test_standard_input(self):
        self.ok('enroll', '--db', '-', '-o', TEST, self.path,
                stdin=self.key('db.crt').read_bytes())
        self.assertEqual(self.data('db'), self.key('db.esl').read_bytes())


class Certificates(Keys):
    """What the device takes for a certificate is one to the tool, too"""

    @staticmethod
    def take(der):
        """Tag, content and rest of a DER element"""
        size, start = der[1], 2
        if size & 0x80:
            start += size & 0x7f
            size = int.from_bytes(der[2:start], 'big')
        return der[0], der[start:start + size], der[start + size:]

    @staticmethod
    def make_element(tag, content):
        size = len(content)
        if size < 0x80:
            return bytes([tag, size]) + content
        if size < 0x100:
            return bytes([tag, 0x81, size]) + content
        return bytes([tag, 0x82]) + size.to_bytes(2, 'big') + content

    def change(self, der, change_part):
        """A certificate with the parts of its TBSCertificate changed"""
        _, cert, _ = self.take(der)
        _, tbs, signature = self.take(cert)
        parts = []
        while tbs:
            tag, content, tbs = self.take(tbs)
            parts.append(change_part(tag, content))
        return self.make_element(0x30, self.make_element(
            0x30, b''.join(parts)) + signature)

    def twice(self, tag, content):
        """Every extension twice"""
        if tag == 0xa3:
            _, extensions, _ = self.take(content)
            content = self.make_element(0x30, extensions * 2)
        return self.make_element(tag, content)

    def version_1(self, tag, content):
        return self.make_element(tag, b'\2\1\0' if tag == 0xa0 else content)

    def odd_time(self, tag, content):
        if content.startswith(b'\x17\x0d'):
            content = content[:4] + b'99' + content[6:]
        return self.make_element(tag, content)

    def test_odd(self):
        der = self.key('PK.der').read_bytes()
        for change in (self.twice, self.version_1, self.odd_time):
            with self.subTest(change=change):
                odd = self.change(der, change)
                self.assertNotEqual(odd, der)
                self.ok('enroll', '--db', self.file('odd', odd), self.path)
                self.assertEqual(self.data('db')[44:], odd)
                self.assertIn('  subject: CN=Test PK\n',
                              self.ok('get', self.path, 'db'))
                pem = run('openssl', 'base64', '-in', self.dir / 'odd')
                self.file('pem', b'text\n-----BEGIN CERTIFICATE-----\n' + pem +
                          b'-----END CERTIFICATE-----\n')
                self.ok('enroll', '--kek', self.dir / 'pem', self.path)
                self.assertEqual(self.data('KEK')[44:], odd)

    def test_small(self):
        """A certificate whose length takes one byte is none of these"""
        self.assertIn('neither', self.fails('enroll', '--db', self.file(
            'small', b'0\x05hello'), self.path))


class Known(Keys):
    """The certificates of 2011 and 2023, as python3-virt-firmware has them"""

    CERTS = Path('/usr/lib/python3/dist-packages/virt/firmware/certs')
    KEK = ('MicrosoftCorporationKEKCA2011', 'MicrosoftCorporationKEK2KCA2023')
    DB = (('MicrosoftWindowsProductionPCA2011', 'WindowsUEFICA2023'),
          ('MicrosoftCorporationUEFICA2011', 'MicrosoftUEFICA2023'))

    def enroll(self, option, name):
        self.ok('enroll', '--append', option, self.CERTS / f'{name}.pem',
                self.path)

    def test_readiness(self):
        self.enroll('--db', 'RedHatSecureBootCA5')
        self.assertEqual(self.status()['readiness'], 'own')
        for option, (old, new) in (('--kek', self.KEK),
                                   *(('--db', pair) for pair in self.DB)):
            self.enroll(option, old)
            self.assertEqual(self.status()['readiness'], 'outdated')
            # where it does not belong it is of no use
            self.enroll('--db' if option == '--kek' else '--kek', new)
            self.assertEqual(self.status()['readiness'], 'outdated')
            self.assertIn(' is MISSING\n', self.ok('status', self.path))
            self.enroll(option, new)
            self.assertEqual(self.status()['readiness'], 'ready')
            self.assertNotIn('MISSING', self.ok('status', self.path))

    def test_facts(self):
        """What the code says of them is what they say themselves"""
        for option, name in (('--kek', n) for n in self.KEK):
            self.enroll(option, name)
        for name in sum(self.DB, ()):
            self.enroll('--db', name)
        known = {k['name']: k for k in self.status()['known-certificates']}
        self.assertEqual([k['enrolled'] for k in known.values()].count(True),
                         6)
        self.assertEqual(known.pop('Microsoft Option ROM UEFI CA 2023')['key'],
                         'db')
        for key in self.status()['keys']:
            for cert in key['certificates']:
                name = cert['subject'].split(',')[0][3:]
                self.assertEqual(known[name]['key'], key['name'])
                self.assertEqual(known.pop(name)['until'], time.strftime(
                    '%Y-%m-%d', time.gmtime(cert['ends'])))
        self.assertEqual(known, {})


class Update(Known):
    """Stores are brought to the keys of 2023"""

    def setUp(self):
        super().setUp()
        self.hashes = self.file('dbx.esl', hash_list(1) + hash_list(2))
        self.other = self.dir / 'other.json'

    def old_store(self):
        """A store with the certificates of 2011"""
        self.ok('enroll', '--pk', self.key('PK.crt'), '--kek',
                self.CERTS / f'{self.KEK[0]}.pem', *sum(
                    (['--db', self.CERTS / f'{old}.pem']
                     for old, _ in self.DB), []), self.path)

    def sources(self):
        return sum((['--from', self.CERTS / f'{name}.pem'] for name in
                    (self.KEK[1], *(new for _, new in self.DB))), [])

    def update(self, *args, stores=None):
        text = self.ok('update', '-j', *args, *(stores or [self.path]))
        return json.loads(text)

    def test_certificates(self):
        self.old_store()
        before = self.variables()
        result = self.update('--dry-run', *self.sources())
        self.assertEqual(self.variables(), before)
        self.assertEqual(self.update(*self.sources()), result)
        self.assertEqual(result[0]['readiness'], 'ready')
        self.assertEqual([(a['key'], a['signature'].split(',')[0])
                          for a in result[0]['added']],
                         [('db', 'CN=Windows UEFI CA 2023'),
                          ('db', 'CN=Microsoft UEFI CA 2023'),
                          ('KEK', 'CN=Microsoft Corporation KEK 2K CA 2023')])
        after = self.variables()
        grown = sum(len(after[n]['data']) - len(before[n]['data'])
                    for n in before) // 2
        self.assertEqual(result[0]['bytes'], grown)
        for name in before:
            self.assertTrue(after[name]['data'].startswith(
                before[name]['data']))
            self.assertEqual(after[name].get('time'),
                             before[name].get('time'))
        # once is enough
        inode = self.path.read_bytes()
        self.assertEqual(self.update(*self.sources())[0]['added'], [])
        self.assertEqual(self.path.read_bytes(), inode)
        self.assertIn('nothing to add; ready\n',
                      self.ok('update', *self.sources(), self.path))

    def test_trust_does_not_grow(self):
        """Only what is trusted gets a successor, even from a template"""
        self.old_store()
        self.ok('update', *self.sources(), self.path)
        self.path.rename(self.other)
        self.ok('enroll', '--pk', self.key('PK.crt'), '--db',
                self.CERTS / f'{self.DB[1][0]}.pem', self.path)
        result = self.run_tool('update', '-j', '--from', self.other,
                               self.path)
        self.assertEqual(result.returncode, 0)
        self.assertIn(b' are not for an update (see --all)', result.stderr)
        added = json.loads(result.stdout)[0]['added']
        self.assertEqual([a['signature'].split(',')[0] for a in added],
                         ['CN=Microsoft UEFI CA 2023'])
        own = self.dir / 'own.json'
        blank = self.file('blank.json', b'')
        self.ok('enroll', '--generate', 'Own', own)
        for result in json.loads(self.run_tool(
                'update', '-j', '--from', self.other, own,
                blank).stdout):
            self.assertEqual(result['added'], [])
        self.run_tool('update', '--all', '--from', self.other, own)
        self.assertIn('Microsoft Windows Production PCA 2011',
                      self.ok('get', own, 'db'))

    def test_dbx(self):
        """Hashes are revoked everywhere, certificates only when told"""
        self.enroll_all()
        self.ok('update', '--from', self.hashes, self.path)
        self.assertEqual(self.data('dbx')[28:].count(b'\1' * 32), 1)
        self.assertEqual(len(self.data('dbx')), 28 + 2 * 48)
        auth = self.dir / 'x.auth'
        both = self.file('both', hash_list(3) +
                         self.key('KEK.esl').read_bytes())
        run('sign-efi-sig-list', '-a', '-k', self.key('PK.key'), '-c',
            self.key('PK.crt'), 'dbx', both, auth)
        self.run_tool('update', '--from', auth, self.path)
        self.assertEqual(len(self.data('dbx')), 28 + 2 * 48 + 28 + 48)
        self.assertNotIn('X.509', self.ok('get', self.path, 'dbx'))
        self.ok('update', '--all', '--from', auth, self.path)
        self.assertIn('X.509', self.ok('get', self.path, 'dbx'))

    def test_what_a_signature_is_for(self):
        """Hashes of an update for db, whatever it is called, revoke nothing"""
        self.enroll_all()
        auth = self.dir / 'dbx.auth'
        run('sign-efi-sig-list', '-k', self.key('PK.key'), '-c',
            self.key('PK.crt'), 'db', self.hashes, auth)
        self.run_tool('update', '--from', auth, self.path)
        self.assertNotIn('dbx', self.variables())
        damaged = bytearray(auth.read_bytes())
        damaged[-1] ^= 1
        self.assertIn('of no update', self.fails(
            'update', '--from', self.file('bad', damaged), self.path))
        # nor do hashes of which nobody knows what they are for
        self.run_tool('update', '--from', self.file('list', hash_list(1)),
                      self.path)
        self.assertNotIn('dbx', self.variables())

    def test_template(self):
        """A flash image of another system, and a directory"""
        ms = '/usr/share/OVMF/OVMF_VARS_4M.ms.fd'
        self.ok('import', ms, self.path)
        directory = self.dir / 'keys'
        directory.mkdir()
        for name in (self.KEK[1], *(new for _, new in self.DB)):
            shutil.copy(self.CERTS / f'{name}.pem', directory)
        (directory / 'README').write_text('These are keys.')
        result = self.run_tool('update', '--from', ms, '--from', directory,
                               self.path)
        self.assertEqual(result.returncode, 0)
        self.assertIn(b'README: note: left out', result.stderr)
        self.assertEqual(self.status()['readiness'], 'ready')
        self.enroll_all()

    def test_many_stores(self):
        """A store in use is left alone, and so is no other for it"""
        self.old_store()
        shutil.copy(self.path, self.other)
        before = self.path.read_bytes()
        with self.locked():
            result = self.run_tool('update', *self.sources(), self.path,
                                   self.dir / 'none', self.other)
            self.assertEqual(result.returncode, 1)
            self.assertIn('would be updated', self.ok(
                'update', '-n', *self.sources(), self.path))
        self.assertEqual(result.stderr.count(b'\n'), 2)
        self.assertEqual(self.path.read_bytes(), before)
        self.assertIn(f'{self.other}: updated, '.encode(), result.stdout)
        self.assertFalse((self.dir / 'none').exists())

    def test_room(self):
        """What does not fit is refused, and shown by a dry run as well"""
        self.old_store()
        for args in ([], ['-n']):
            self.fails('update', *args, '--size', 4096, *self.sources(),
                       self.path)

    def test_usage(self):
        self.store()
        self.fails('update', self.path, status=2)
        self.fails('update', '--from', self.dir / 'none', self.path)
        self.fails('update', '--from', self.file('junk', b'junk'), self.path)


class Fleet(Known):
    """The commands of docs/system/uefi-vars.rst, as they stand there"""

    DOCS = Path(__file__).resolve().parents[2] / 'docs/system/uefi-vars.rst'

    def blocks(self):
        text = self.DOCS.read_text(encoding='utf-8')
        text = text.split('keys of 2023\n-----')[1].split('\nPCR 7\n')[0]
        lines = text.replace('/etc/keys-2023', 'keys').replace(
            '/var/lib/libvirt/qemu/', '').splitlines()
        block = []
        for line in [*lines, 'end']:
            if line.startswith('  ') and not line.startswith('  is') and \
                    (block or line.lstrip().startswith(('for ', 'uefi-'))):
                block.append(line)
            elif block and line.strip():
                yield '\n'.join(block)
                block = []

    def test_commands(self):
        for name in ('keys', 'varstore', 'nvram'):
            (self.dir / name).mkdir()
        for name in (self.KEK[1], *(new for _, new in self.DB)):
            shutil.copy(self.CERTS / f'{name}.pem', self.dir / 'keys')
        ms = '/usr/share/OVMF/OVMF_VARS_4M.ms.fd'
        flash = [self.dir / 'nvram' / name
                 for name in ('guest_VARS.fd', 'guest.qcow2')]
        shutil.copy(ms, flash[0])
        run('qemu-img', 'convert', '-O', 'qcow2', ms, flash[1])
        for name in 'ab':
            self.ok('import', ms, self.dir / 'varstore' / f'{name}.json')
        program = Path(sys.argv[1]).parent
        out = [subprocess.run(
            ['bash', '-ec', f'PATH={program}:$PATH; cd "$0"; {block}',
             str(self.dir)], check=True, capture_output=True,
            timeout=60).stdout.decode() for block in self.blocks()]
        self.assertEqual(len(out), 5)
        self.assertEqual(out[0].count(': keys of 2023: outdated\n'), 2)
        self.assertEqual(out[1].count(': would be updated, '), 2)
        self.assertEqual(out[2].count(': updated, '), 2)
        self.assertEqual(out[3].count(': updated, '), 2)
        self.assertEqual(out[4].count(': keys of 2023: ready\n'), 1)
        for name in 'ab':
            self.path = self.dir / 'varstore' / f'{name}.json'
            self.assertEqual(self.status()['readiness'], 'ready')
        self.path = self.dir / 'flash.json'
        for image in flash:
            self.ok('import', '--replace', image, self.path)
            self.assertEqual(self.status()['readiness'], 'ready')


class Images(Keys):
    """A program that is signed for db"""

    def setUp(self):
        super().setUp()
        self.image = self.dir / 'signed.efi'
        self.sign_image('db', self.HELLO, self.image)
        self.enroll_all()

    def sign_image(self, key, source, target, cert=None):
        run('sbsign', '--key', self.key(f'{key}.key'), '--cert',
            cert or self.key(f'{key}.crt'), '--output', target, source)


class CheckImage(Images):
    """Whether a program would be started; sbverify is of the same opinion"""

    def check(self, image=None):
        """The answer, and the reason in words"""
        image = image or self.image
        result = self.run_tool('check-image', image, self.path)
        self.assertEqual(result.stderr, b'')
        word, reason = result.stdout.decode().strip().split(': ', 1)
        self.assertEqual(result.returncode, word != 'starts')
        self.assertEqual(json.loads(self.run_tool(
            'check-image', '-j', image, self.path).stdout),
            {'starts': word == 'starts', 'reason': reason})
        return word, reason

    def test_db(self):
        self.assertEqual(self.check(), (
            'starts', 'it is signed for CN=Test db, in db'))
        run('sbverify', '--cert', self.key('db.crt'), self.image)
        self.assertEqual(self.check(self.HELLO), (
            'refused', 'it is not signed, and its hash is not in db'))
        other = self.dir / 'other.efi'
        self.sign_image('KEK', self.HELLO, other)
        self.assertEqual(self.check(other), (
            'refused', 'it is not signed for anybody in db'))
        # one of two signatures is enough
        self.sign_image('db', other, other)
        self.assertEqual(self.check(other)[0], 'starts')

    def test_chain(self):
        """A certificate that one in db has issued, expired ones as well"""
        leaf = self.dir / 'leaf'
        run('openssl', 'req', '-new', '-key', self.key('KEK.key'), '-subj',
            '/CN=Leaf', '-out', f'{leaf}.csr')
        run('openssl', 'x509', '-req', '-in', f'{leaf}.csr', '-CA',
            self.key('db.crt'), '-CAkey', self.key('db.key'), '-days', '1',
            '-set_serial', '7', '-out', f'{leaf}.crt')
        self.sign_image('KEK', self.HELLO, self.image, f'{leaf}.crt')
        self.assertEqual(self.check()[0], 'starts')
        self.ok('enroll', '--dbx', f'{leaf}.crt', self.path)
        self.assertEqual(self.check(), (
            'refused', 'it is signed for CN=Leaf, in dbx'))
        # or the hash of what is signed of it
        run('openssl', 'x509', '-in', f'{leaf}.crt', '-outform', 'DER',
            '-out', f'{leaf}.der')
        der = Path(f'{leaf}.der').read_bytes()
        tbs = der[4:8 + int.from_bytes(der[6:8], 'big')]
        revoked = bytes.fromhex('92a4d23bc0967940b420fcf98ef103ed' '5c000000'
                                '00000000' '40000000') + bytes(16) + \
            hashlib.sha256(tbs).digest() + bytes(16)
        self.ok('enroll', '--replace', '--dbx', self.file('x', revoked),
                self.path)
        self.assertEqual(self.check()[0], 'refused')

    def test_expired(self):
        base = self.dir / 'old'
        run('openssl', 'req', '-new', '-newkey', 'rsa:2048', '-nodes',
            '-keyout', f'{base}.key', '-subj', '/CN=Old', '-out',
            f'{base}.csr')
        run('openssl', 'x509', '-req', '-in', f'{base}.csr', '-signkey',
            f'{base}.key', '-days', '0', '-out', f'{base}.crt')
        time.sleep(1.1)         # and it has expired
        run('sbsign', '--key', f'{base}.key', '--cert', f'{base}.crt',
            '--output', self.image, self.HELLO)
        self.ok('enroll', '-a', '--db', f'{base}.crt', self.path)
        self.assertEqual(self.check(), (
            'starts', 'it is signed for CN=Old, in db'))

    def test_hashes(self):
        self.ok('enroll', '-a', '--db-hash', self.HELLO, self.path)
        self.assertIn('db has its hash, sha256 ', self.check(self.HELLO)[1])
        self.assertEqual(self.check(self.HELLO)[0], 'starts')
        # what is forbidden stays so, whoever allows it
        self.ok('enroll', '--dbx-hash', self.image, self.path)
        for image in (self.HELLO, self.image):
            word, reason = self.check(image)
            self.assertEqual(word, 'refused')
            self.assertIn('dbx has its hash, sha256 ', reason)

    def test_revoked(self):
        self.ok('enroll', '--dbx', self.key('db.crt'), self.path)
        self.assertEqual(self.check(), (
            'refused', 'it is signed for CN=Test db, in dbx'))

    def test_changed(self):
        """The signature is of another program"""
        image = bytearray(self.image.read_bytes())
        image[0x1100] ^= 1
        self.image.write_bytes(image)
        self.assertEqual(self.check(), (
            'refused', 'its signature is of another program'))

    def test_off(self):
        self.ok('set', '--false', self.path, 'SecureBootEnable')
        self.assertEqual(self.check(self.HELLO)[0], 'starts')
        self.ok('reset-keys', self.path)
        self.assertIn('no platform key', self.check(self.HELLO)[1])

    def test_sbat(self):
        sbat = self.file('sbat', b'sbat,1,x,sbat,1,https://x\n'
                         b'shim,2,y,shim,1,https://y\n')
        image = self.dir / 'sbat.efi'
        run('objcopy', '--add-section', f'.sbat={sbat}',
            '--set-section-flags', '.sbat=alloc,readonly,data',
            '--change-section-address', '.sbat=0x1000000', self.HELLO, image)
        # objcopy 2.40 leaves its size in the file at 0
        data = bytearray(image.read_bytes())
        at = data.index(b'.sbat\0\0\0')
        data[at + 16:at + 20] = data[at + 8:at + 12]
        image.write_bytes(data)
        self.sign_image('db', image, image)
        for level, word in (('sbat,1,2021030218\n', 'starts'),
                            ('sbat,1,2022\nshim,2\n', 'starts'),
                            ('sbat,1,2022\nshim,3\n', 'refused'),
                            ('sbat,1,2022\ngrub,3\n', 'starts')):
            self.ok('set', '-g', 'SHIM', '-A', 'NV,BS', '--text', level,
                    self.path, 'SbatLevel')
            self.assertEqual(self.check(image)[0], word)
        self.assertIn(level, self.ok('mok', 'list', self.path))

    def test_wrong(self):
        for path in (self.dir / 'none', self.file('junk', b'MZ' * 99),
                     self.key('db.der')):
            result = self.run_tool('check-image', path, self.path)
            self.assertEqual((result.returncode, result.stdout), (2, b''))
        self.assertEqual(self.run_tool('check-image', self.HELLO,
                                       self.dir / 'none').returncode, 2)

    def test_every_cut(self):
        """Images cut short: never more than an answer"""
        image = self.image.read_bytes()
        for size in [*range(0, 1024, 61), *range(1024, len(image), 4999),
                     *range(len(image) - 2000, len(image), 173)]:
            result = self.run_tool('check-image', self.file(
                'cut', image[:size]), self.path)
            self.assertIn(result.returncode, (1, 2))


def variable_data(name, guid, data):
    """UEFI_VARIABLE_DATA of the TCG's profile for firmware"""
    return (uuid.UUID(guid).bytes_le + struct.pack('<QQ', len(name),
                                                   len(data)) +
            name.encode('utf-16le') + data)


class Pcr7(Images):
    """The events of a boot, and what they make of the register"""

    BANKS = {'sha1': hashlib.sha1, 'sha256': hashlib.sha256,
             'sha384': hashlib.sha384}

    def value(self, name):
        return bytes.fromhex(self.variable(name)['data'])

    def variable(self, name):
        document = json.loads(self.ok('list', '--json', self.path))
        return {e['name']: e for e in document['variables']}.get(
            name, {'data': ''})

    def settings(self, secure_boot=b'\1'):
        return [variable_data(name, guid, data) for name, guid, data in (
            ('SecureBoot', GLOBAL, secure_boot),
            ('PK', GLOBAL, self.value('PK')),
            ('KEK', GLOBAL, self.value('KEK')),
            ('db', IMGSEC, self.value('db')),
            ('dbx', IMGSEC, self.value('dbx')))] + [bytes(4)]

    def authority(self, entry):
        return variable_data('db', IMGSEC, entry)

    def predicted(self, *args):
        return json.loads(self.ok('pcr7', '--json', *args, self.path))

    def assert_events(self, events, found):
        for bank, function in self.BANKS.items():
            register = bytes(function().digest_size)
            for event in events:
                register = function(register +
                                    function(event).digest()).digest()
            self.assertEqual(found[bank], register.hex())
            self.assertEqual([e['digests'][bank] for e in found['events']],
                             [function(event).hexdigest()
                              for event in events])

    def test_modes(self):
        self.assert_events(self.settings(), *self.predicted())
        self.ok('set', '--false', self.path, 'SecureBootEnable')
        self.assert_events(self.settings(b'\0'), *self.predicted())
        self.assert_events(self.settings(),
                           *self.predicted('--force-secure-boot'))
        self.path.write_text('')
        self.assert_events(self.settings(b'\0'), *self.predicted())

    def test_dbt(self):
        self.ok('set', '-g', 'IMGSEC', '-A', '0x27', '--file',
                self.key('db.esl'), self.path, 'dbt')
        events = self.settings()
        events.insert(5, variable_data('dbt', IMGSEC, self.value('dbt')))
        self.assert_events(events, *self.predicted())

    def test_authorities(self):
        """Each entry of db that vouches for a program, once"""
        entry_of_cert = self.value('db')[28:]
        by_cert = [*self.settings(), self.authority(entry_of_cert)]
        self.assert_events(by_cert, *self.predicted('--image', self.image))
        self.assert_events(by_cert, *self.predicted(
            '--image', self.image, '--image', self.image))
        result = self.run_tool('pcr7', '--image', self.HELLO, self.path)
        self.assertEqual((result.returncode, result.stdout), (2, b''))
        self.assertIn(b'its hash is not in db', result.stderr)

        self.ok('enroll', '-a', '--db-hash', self.HELLO, self.path)
        by_hash = self.authority(self.value('db')[-48:])
        self.assert_events(
            [*self.settings(), by_hash, self.authority(entry_of_cert)],
            *self.predicted('--image', self.HELLO, '--image', self.image))
        # nobody is asked
        self.ok('set', '--false', self.path, 'SecureBootEnable')
        self.assert_events(self.settings(b'\0'),
                           *self.predicted('--image', self.HELLO))

    def test_change(self):
        before = self.settings()
        old = self.dir / 'old.json'
        shutil.copy(self.path, old)
        self.ok('enroll', '--dbx', self.file('x', hash_list(5)), self.path)
        after = self.settings()
        change = self.dir / 'change.json'
        change.write_text(self.ok('list', '--json', self.path, 'dbx'))
        for args in ([old, self.path], ['--apply', change, old]):
            result = self.run_tool('pcr7', '--json', *args)
            found = json.loads(result.stdout)
            self.assertEqual(result.returncode, 1)
            self.assert_events(before, found[0])
            self.assert_events(after, found[1])
            result = self.run_tool('pcr7', *args)
            self.assertEqual(result.returncode, 1)
            self.assertEqual(result.stdout.decode().splitlines()[-2:], [
                '- EV_EFI_VARIABLE_DRIVER_CONFIG dbx',
                '+ EV_EFI_VARIABLE_DRIVER_CONFIG dbx'])
        self.ok('pcr7', self.path, self.path)
        self.assertEqual(self.settings(), after)

    def test_text(self):
        found, = self.predicted()
        lines = self.ok('pcr7', self.path).splitlines()
        self.assertEqual(lines, [f'{bank}: {found[bank]}'
                                 for bank in self.BANKS])
        events = self.ok('pcr7', '-e', self.path).splitlines()
        self.assertEqual(events[6:], lines)
        self.assertEqual(
            [line.split()[-1] for line in events[:6]],
            [e['digests']['sha256'] for e in found['events']])

    def test_wrong(self):
        none = self.dir / 'none'
        for args in ([none], [self.path, none], ['--image', none, self.path],
                     ['--image', self.key('db.der'), self.path],
                     ['--apply', none, self.path],
                     ['--apply', self.path, self.path, self.path]):
            result = self.run_tool('pcr7', *args)
            self.assertEqual((result.returncode, result.stdout), (2, b''))


class Mok(Keys):
    def test_store_instead_of_keys(self):
        """What the file is, and what to do with it"""
        for args in (['mok', 'add', self.path, BLANK],
                     ['enroll', '--db', BLANK, self.path]):
            self.assertIn("in the format edk2; 'get --raw' takes",
                          self.fails(*args))

    def test_mok(self):
        self.ok('mok', 'add', self.path, self.key('db.crt'), '05' * 32)
        self.ok('mok', 'add', '--mokx', self.path, self.key('KEK.esl'))
        before = self.path.read_bytes()
        self.ok('mok', 'add', self.path, self.key('db.der'))
        self.assertEqual(self.path.read_bytes(), before)
        e = self.variables()
        self.assertEqual([(e[n]['guid'], e[n]['attr']) for n in e],
                         [('605dab50-e046-4300-abb6-3dd810dd8b23', 3)] * 2)
        text = self.ok('mok', 'list', self.path)
        self.assertIn('MokList:\n', text)
        self.assertIn('  subject: CN=Test db\n', text)
        self.assertIn(f'sha256 {"05" * 32}, owner 00000000-', text)
        self.assertIn('  subject: CN=Test KEK\n', text.split('MokListX:')[1])
        self.assertIn('SbatLevel: none\n', text)
        self.ok('mok', 'rm', self.path, self.key('db.crt'))
        self.assertIn('has none', self.fails('mok', 'rm', self.path,
                                             self.key('db.crt')))
        self.ok('mok', 'rm', self.path, '05' * 32)
        self.ok('mok', 'rm', '--mokx', self.path, self.key('KEK.crt'))
        self.assertEqual(self.variables(), {})

    def test_wrong(self):
        self.store()
        for args in (['add', self.path], ['list', self.path, 'x'],
                     ['nonsense', self.path]):
            self.fails('mok', *args, status=2)
        for args in (['add', self.path, self.dir / 'none'],
                     ['rm', self.path, '00' * 32],
                     ['list', self.dir / 'none']):
            self.fails('mok', *args)


class Others(Keys):
    """Programs of others, with what a guest would have in efivarfs"""

    def setUp(self):
        super().setUp()
        self.efivars = self.dir / 'efivars'

    def export(self):
        """Make the directory, with what firmware and shim add"""
        result = self.run_tool('export', '-f', 'efivarfs', self.path,
                               self.efivars)
        self.assertEqual(result.returncode, 0)
        for name in ('MokList', 'SbatLevel'):
            file = self.efivars / f'{name}-{SHIM}'
            if file.exists():
                data = file.read_bytes()[4:]
                (self.efivars / f'{name}RT-{SHIM}').write_bytes(
                    b'\6\0\0\0' + data)
        for name, value in (('SecureBoot', b'\1'), ('SetupMode', b'\0')):
            (self.efivars / f'{name}-{GLOBAL}').write_bytes(
                b'\6\0\0\0' + value)

    def mokutil(self, *args):
        return subprocess.run(
            ['mokutil', *map(str, args)], check=True, capture_output=True,
            timeout=60, env={**os.environ, 'LIBEFIVAR_OPS': 'efivarfs',
                             'EFIVARFS_PATH': f'{self.efivars}/'}
        ).stdout.decode()

    def test_mokutil(self):
        """mokutil lists what we enrolled"""
        self.enroll_all()
        self.ok('enroll', '--dbx', self.file('dbx', hash_list(7)), self.path)
        self.ok('mok', 'add', self.path, self.key('EC.crt'))
        level = b'sbat,1,2024010900\nshim,4\n'
        self.ok('set', '-f', self.file('level', level), '-g', 'SHIM', '-A',
                'NV,BS', self.path, 'SbatLevel')
        self.export()
        for option, text in (('--pk', 'Test PK'), ('--kek', 'Test KEK'),
                             ('--db', 'Test db'), ('--dbx', '07' * 32),
                             ('--list-enrolled', 'Test EC'),
                             ('--sb-state', 'SecureBoot enabled\n'),
                             ('--list-sbat-revocations', level.decode())):
            self.assertIn(text, self.mokutil(option), option)

    def test_mokutil_requests(self):
        """What mokutil asks shim for is read"""
        self.store()
        self.export()
        password = self.file('password', self.mokutil(
            '--generate-hash=secret').encode())
        self.mokutil('--import', self.key('db.der'), '--hash-file', password)
        self.mokutil('--timeout', '5')
        result = self.run_tool('get', self.efivars, 'MokNew', 'MokTimeout')
        self.assertEqual(result.returncode, 0)
        self.assertIn(b'subject: CN=Test db\n', result.stdout)
        result = self.run_tool('get', '-r', self.efivars, 'MokNew')
        self.assertEqual(result.stdout[44:],
                         self.key('db.der').read_bytes())

    def test_efi_readvar(self):
        """It looks where efivarfs is mounted"""
        self.enroll_all()
        self.export()
        mount = self.file('mount', f'#!/bin/sh\necho "none on {self.efivars} '
                          'type efivarfs (rw)"\n'.encode())
        mount.chmod(0o755)
        out = self.dir / 'out'
        for name in ('PK', 'KEK', 'db'):
            subprocess.run(
                ['efi-readvar', '-v', name, '-o', out], check=True,
                capture_output=True, timeout=60,
                env={**os.environ, 'PATH': f'{self.dir}:{os.environ["PATH"]}'})
            self.assertEqual(out.read_bytes(), self.data(name))

    def test_sbkeysync(self):
        """It knows what is enrolled, and reads updates that we sign"""
        self.enroll_all()
        self.export()
        new = self.dir / 'keys' / 'db' / 'new'
        new.parent.mkdir(parents=True)
        self.ok('sign', '-k', self.key('KEK.key'), '-c', self.key('KEK.crt'),
                '-a', 'db', self.key('EC.crt'), new)
        text = run('sbkeysync', '--efivars-path', self.efivars,
                   '--no-default-keystores', '--keystore', new.parent.parent,
                   '--verbose', '--dry-run').decode()
        has, is_new = text.split('filesystem keys:')
        for name in ('PK', 'KEK', 'db'):
            self.assertIn(f'/CN=Test {name}\n', has)
        self.assertIn('/CN=Test EC\n', is_new)
        self.assertIn(str(new), is_new.split('New keys')[1])

    def test_lists(self):
        """Signature lists of sbsigntool, and of ours for efitools"""
        digest = self.file('digest', bytes([9]) * 32)
        for kind, source in (('x509', self.key('db.der')),
                             ('sha256', digest)):
            run('sbsiglist', '--owner', TEST, '--type', kind, '--output',
                self.dir / kind, source)
        self.ok('enroll', '--db', self.dir / 'x509', '--dbx',
                self.dir / 'sha256', self.path)
        self.assertEqual(self.data('db'), self.key('db.esl').read_bytes())
        self.assertEqual(self.data('dbx')[44:], digest.read_bytes())
        run('sig-list-to-certs', self.file('db', self.data('db')),
            self.dir / 'cert')
        self.assertEqual((self.dir / 'cert-0.der').read_bytes(),
                         self.key('db.der').read_bytes())


class Generate(Keys):
    def files(self):
        return sorted(p.name for p in self.dir.iterdir())

    def test_generate(self):
        self.ok('enroll', '--generate', 'Größe, O=x', '--db',
                self.key('db.esl'), '-o', TEST, self.path)
        self.assertEqual(self.files(), [
            'vars.json', 'vars.json.KEK.crt', 'vars.json.KEK.key',
            'vars.json.PK.crt', 'vars.json.PK.key', 'vars.json.db.crt',
            'vars.json.db.key'])
        for path in self.dir.iterdir():
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        for name in ('PK', 'KEK', 'db'):
            cert = f'{self.path}.{name}.crt'
            esl = self.dir / 'x.esl'
            run('cert-to-efi-sig-list', '-g', TEST, cert, esl)
            rest = self.key('db.esl').read_bytes() if name == 'db' else b''
            self.assertEqual(self.data(name), esl.read_bytes() + rest)
            run('openssl', 'verify', '-check_ss_sig', '-x509_strict',
                '-trusted', cert, cert)
            self.assertEqual(run('openssl', 'x509', '-in', cert, '-noout',
                                 '-subject', '-nameopt', 'RFC2253,-esc_msb'),
                             f'subject=CN=Größe\\, O=x {name}\n'.encode())
            self.assertEqual(
                run('openssl', 'x509', '-in', cert, '-noout', '-pubkey'),
                run('openssl', 'pkey', '-in', f'{self.path}.{name}.key',
                    '-pubout'))
        self.assertEqual(self.status()['next-boot'], 'enabled')

    def test_usable(self):
        """Updates can be signed with the keys, by other tools as well"""
        self.ok('enroll', '--generate', 'Own', self.path)
        for tool in ('PK', 'KEK', 'db'):
            run('sbvarsign', '--key', f'{self.path}.{tool}.key', '--cert',
                f'{self.path}.{tool}.crt', '--output', self.dir / 'out',
                'db', self.key('db.esl'))

    def test_nothing_is_overwritten(self):
        """A key that is there already stays, and nothing else is left"""
        for name in ('PK.key', 'PK.crt', 'db.crt'):
            path = self.file(f'vars.json.{name}', b'mine')
            self.assertIn('File exists', self.fails('enroll', '--generate',
                                                    'a', self.path))
            self.assertEqual(self.files(), [path.name])
            self.assertEqual(path.read_bytes(), b'mine')
            path.unlink()

    def test_nothing_is_dropped(self):
        """What would have been replaced is told only when it was"""
        self.ok('enroll', '--generate', 'a', self.path)
        self.assertIn('File exists', self.fails('enroll', '--generate', 'b',
                                                self.path))

    def test_store_is_refused(self):
        """No keys are left behind when the store cannot be written"""
        self.fails('enroll', '--generate', 'a', '--size', 4096, '--dbx',
                   self.file('big', b''.join(map(hash_list, range(60)))),
                   self.path)
        self.fails('enroll', '--generate', 'a', self.dir / 'none' / 'x')
        self.assertEqual(self.files(), ['big'])

    def test_disk_full(self):
        """Keys fit, the store does not: all is as it was"""
        limit = 4096
        self.store(entry('Lang', GLOBAL, 7, '656e6700'))
        before = self.path.read_bytes()
        self.fails_with_full_disk(limit, 'enroll', '--generate', 'a',
                                  self.path)
        self.assertEqual(self.files(), ['vars.json'])
        self.ok('check', self.path)
        self.assertEqual(self.ok('list', '-j', self.path), before.decode())
        # nor does a new store stay behind, or its keys
        self.path.unlink()
        self.fails_with_full_disk(limit, 'enroll', '--generate', 'a',
                                  self.path)
        self.assertEqual(self.files(), [])


class Reset(Keys):
    def test_reset(self):
        self.store(entry('Lang', GLOBAL, 7, '656e6700'))
        self.enroll_all()
        self.ok('enroll', '--dbx', self.file('a', hash_list(1)), self.path)
        self.assertFalse(self.status()['setup-mode'])
        self.ok('reset-keys', self.path)
        self.assertTrue(self.status()['setup-mode'])
        left = set(self.variables())
        self.assertIn('Lang', left)
        self.assertFalse(left & {'PK', 'KEK', 'db', 'dbx',
                                 'SecureBootEnable'})
        self.ok('reset-keys', self.path)
        self.enroll_all()
        self.assertEqual(self.status()['next-boot'], 'enabled')

    def test_blank(self):
        self.path.touch()
        self.ok('reset-keys', self.path)
        self.assertEqual(self.path.read_bytes(), b'')


class Sign(Keys):
    def sign(self, name, value, *options, signer='PK'):
        out = self.dir / 'ours.auth'
        self.ok('sign', '-k', self.key(f'{signer}.key'), '-c',
                self.key(f'{signer}.crt'), *options, name, value, out)
        return out.read_bytes()

    def assert_same(self, ours, theirs):
        """Equal but for optional parameters of digest algorithms

        OpenSSL writes the NULL that RFC 5754 allows to leave out; it makes
        four lengths larger.
        """
        with_null = bytes.fromhex('300d06096086480165030402010500')
        without = bytes.fromhex('300b0609608648016503040201')
        self.assertEqual(theirs.count(with_null), 2)
        theirs = bytearray(theirs.replace(with_null, without))
        size = int.from_bytes(ours[16:20], 'little')
        self.assertEqual(int.from_bytes(theirs[16:20], 'little'), size + 4)
        theirs[16:20] = ours[16:20]
        self.assertEqual(theirs[40:42], b'\x30\x82')    # SignedData
        theirs[42:44] = ours[42:44]
        self.assertEqual(theirs[47:49], b'\x31\x0f')    # digestAlgorithms
        theirs[48] -= 2
        start = ours.rindex(b'\x31\x82', 0, 16 + size - 256)  # signerInfos
        self.assertEqual(theirs[start:start + 2], b'\x31\x82')
        theirs[start + 2:start + 8] = ours[start + 2:start + 8]
        self.assertEqual(ours, bytes(theirs))

    def test_same_as_efitools(self):
        for name, options in (('KEK', ['-t', STAMP]), ('db', ['-t', STAMP]),
                              ('dbx', ['-a', '-t', STAMP]), ('dbx', ['-a'])):
            with self.subTest(name=name, options=options):
                self.assert_same(
                    self.sign(name, self.key('db.esl'), *options),
                    self.sign_theirs(name, self.key('db.esl'),
                                     *options).read_bytes())

    def test_removal(self):
        self.assert_same(self.sign('PK', '/dev/null', '-t', STAMP),
                         self.sign_theirs('PK', '/dev/null', '-t',
                                          STAMP).read_bytes())

    def test_same_as_sbsigntool(self):
        """It does not take a time, so it comes first"""
        out = self.dir / 'sb.auth'
        run('sbvarsign', '--key', self.key('PK.key'), '--cert',
            self.key('PK.crt'), '--attr',
            'NON_VOLATILE,BOOTSERVICE_ACCESS,RUNTIME_ACCESS', '--output', out,
            'KEK', self.key('db.esl'))
        theirs = out.read_bytes()
        year, rest = int.from_bytes(theirs[:2], 'little'), theirs[2:7]
        stamp = '{:04}-{:02}-{:02} {:02}:{:02}:{:02}'.format(year, *rest)
        ours = self.sign('KEK', self.key('db.esl'), '-t', stamp)
        # it adds signed attributes, so that signatures differ
        for part in (slice(0, 16), slice(20, 40)):
            self.assertEqual(ours[part], theirs[part])
        self.assertTrue(theirs.endswith(self.key('db.esl').read_bytes()))
        self.assertTrue(ours.endswith(self.key('db.esl').read_bytes()))

    def test_forms(self):
        """A certificate is as good as its list, DER keys as good as PEM"""
        esl = self.sign('db', self.key('db.esl'), '-t', STAMP)
        self.assertEqual(self.sign('db', self.key('db.crt'), '-t', STAMP,
                                   '-o', TEST), esl)
        key, out = self.dir / 'key.der', self.dir / 'o'
        run('openssl', 'pkey', '-in', self.key('PK.key'), '-outform', 'DER',
            '-out', key)
        self.ok('sign', '-k', key, '-c', self.key('PK.der'), '-t', STAMP,
                'db', self.key('db.esl'), out)
        self.assertEqual(out.read_bytes(), esl)

    def test_encrypted_key(self):
        key, out = self.dir / 'key.pem', self.dir / 'o'
        password = self.file('password', b'secret\n')
        wrong = self.file('wrong', b'wrong')
        run('openssl', 'pkcs8', '-topk8', '-in', self.key('PK.key'), '-passout',
            'pass:secret', '-out', key)
        args = ['-k', key, '-c', self.key('PK.crt'), '-t', STAMP]
        rest = ['db', self.key('db.esl'), out]
        self.assertIn('--password-file', self.fails('sign', *args, *rest))
        self.assertIn('another password',
                      self.fails('sign', *args, '-p', wrong, *rest))
        self.fails('sign', *args, '-p', self.dir / 'none', *rest)
        self.assertFalse(out.exists())
        self.ok('sign', *args, '-p', password, *rest)
        self.assertEqual(out.read_bytes(), self.sign('db', self.key('db.esl'),
                                                     '-t', STAMP))

    def test_verifies(self):
        """OpenSSL accepts the signature over what a guest passes"""
        value = self.file('value', b'any bytes')
        auth = self.sign('Größe', value, '-g', TEST, '-t', STAMP)
        size = int.from_bytes(auth[16:20], 'little')
        self.assertEqual(auth[16 + size:], b'any bytes')
        signed = self.file('signed', 'Größe'.encode('utf-16le') +
                           bytes.fromhex('11111111222233334444555555555555') +
                           (0x27).to_bytes(4, 'little') +
                           bytes.fromhex(TIME) + b'any bytes')
        head = bytes.fromhex('06092a864886f70d010702')
        body = auth[40:16 + size]
        inner = b'\xa0\x82' + len(body).to_bytes(2, 'big') + body
        whole = head + inner
        p7 = self.file('p7', b'\x30\x82' + len(whole).to_bytes(2, 'big') +
                       whole)
        args = ['openssl', 'smime', '-verify', '-inform', 'DER', '-binary',
                '-noverify', '-in', str(p7), '-content', str(signed)]
        run(*args)
        signed.write_bytes(signed.read_bytes() + b'x')
        self.assertNotEqual(subprocess.run(args, capture_output=True,
                                           timeout=60).returncode, 0)

    def test_guest(self):
        """The device takes what has to be signed from who may sign it"""
        self.ok('enroll', '--generate', 'Own', self.path)
        dbx = self.file('dbx', hash_list(1))
        updates = []

        def update(answer, signer, name, value, *options):
            path = self.dir / f'{len(updates)}.auth'
            self.ok('sign', '-k', f'{self.path}.{signer}.key', '-c',
                    f'{self.path}.{signer}.crt', *options, name, value, path)
            attributes = '67' if '--append' in options else '27'
            updates.append((answer, name, path, attributes))

        update('OK', 'KEK', 'db', self.key('db.crt'), '--append')
        update('OK', 'PK', 'db', self.key('db.crt'), '--append')
        update('PKCS7_CHAIN', 'db', 'db', self.key('db.crt'), '--append')
        update('OK', 'KEK', 'dbx', dbx, '-t', '2030-01-01 00:00:00')
        update('AUTH_TIME_OLD', 'KEK', 'dbx', dbx, '-t', STAMP)
        update('AUTH_NOT_PK', 'KEK', 'KEK', self.key('KEK.crt'), '-t',
               '2030-01-01 00:00:00')
        update('OK', 'PK', 'KEK', self.key('KEK.crt'), '-t',
               '2030-01-01 00:00:00')
        update('OK', 'PK', 'PK', '/dev/null', '-t', '2030-01-01 00:00:00')
        args = [a for u in updates for a in u[1:]]
        self.assertEqual(run(GUEST_SET, self.path, *args).decode().split(),
                         [u[0] for u in updates])

    def test_elliptic_curves(self):
        """ECDSA signs private variables, and keys only under an RSA key"""
        self.enroll_all()
        leaf, value = self.dir / 'leaf', self.file('value', b'any')
        run('openssl', 'req', '-new', '-key', self.key('EC.key'), '-subj',
            '/CN=Leaf', '-out', f'{leaf}.csr')
        run('openssl', 'x509', '-req', '-in', f'{leaf}.csr', '-CA',
            self.key('KEK.crt'), '-CAkey', self.key('KEK.key'), '-days', '99',
            '-set_serial', '7', '-out', f'{leaf}.crt')
        updates = []

        def update(answer, cert, name, value, when):
            path = self.dir / f'{len(updates)}.auth'
            self.ok('sign', '-k', self.key('EC.key'), '-c', cert, '-t', when,
                    *([] if name == 'db' else ['-g', TEST]), name, value, path)
            updates.append((answer, name, path, '27'))

        update('OK', self.key('EC.crt'), 'Private', value, STAMP)
        update('OK', self.key('EC.crt'), 'Private', value,
               '2030-01-01 00:00:00')
        update('PKCS7_CHAIN', self.key('EC.crt'), 'db', self.key('db.crt'),
               '2030-01-01 00:00:00')
        update('OK', f'{leaf}.crt', 'db', self.key('db.crt'),
               '2030-01-01 00:00:00')
        args = [a for u in updates for a in u[1:]]
        self.assertEqual(run(GUEST_SET, self.path, *args).decode().split(),
                         [u[0] for u in updates])
        for key in ('--pk', '--kek', '--db'):
            self.fails('enroll', key, self.key('EC.crt'), self.path)

    def test_time(self):
        """Of another time zone, too"""
        expected = self.sign('db', self.key('db.esl'), '--time', STAMP)
        for when in ('2024-01-02T05:04:05+02:00', '2024-01-01 22:04:05-0500',
                     '2024-01-02T03:04:05Z', '20240102T030405Z'):
            self.assertEqual(self.sign('db', self.key('db.esl'), '--time',
                                       when), expected)

    def test_now(self):
        before = time.gmtime()[:6]
        auth = self.sign('db', self.key('db.esl'))
        stamp = (int.from_bytes(auth[:2], 'little'), *auth[2:7])
        self.assertTrue(before <= stamp <= time.gmtime()[:6], stamp)
        self.assertEqual(auth[7:16], bytes(9))

    def test_standard_output(self):
        result = self.run_tool('sign', '-k', self.key('PK.key'), '-c',
                               self.key('PK.crt'), '-t', STAMP, 'db',
                               self.key('db.esl'), '-')
        self.assertEqual(result.stdout,
                         self.sign('db', self.key('db.esl'), '-t', STAMP))

    def test_special_output(self):
        """Only a file is replaced, and that behind its links"""
        args = ['sign', '-k', self.key('PK.key'), '-c', self.key('PK.crt'),
                '-t', STAMP, 'db', self.key('db.esl')]
        expected = self.sign('db', self.key('db.esl'), '-t', STAMP)
        fifo, link, real = (self.dir / x for x in ('fifo', 'link', 'real'))
        os.mkfifo(fifo)
        reader = subprocess.Popen(['cat', fifo], stdout=subprocess.PIPE)
        self.addCleanup(reader.kill)
        self.ok(*args, fifo)
        self.assertTrue(fifo.is_fifo())
        self.assertEqual(reader.communicate(timeout=60)[0], expected)
        link.symlink_to('real')
        for _ in ('new', 'old'):
            self.ok(*args, link)
            self.assertTrue(link.is_symlink())
            self.assertEqual(real.read_bytes(), expected)
        # links of ours, lest a failure replaces what belongs to the system
        for target, status, text in (('/proc/self/fd/1', 0, b''),
                                     ('/dev/full', 1, b'No space left')):
            link.unlink()
            link.symlink_to(target)
            result = self.run_tool(*args, link)
            self.assertEqual(result.returncode, status)
            self.assertEqual(result.stdout, b'' if status else expected)
            self.assertIn(text, result.stderr)
            self.assertTrue(link.is_symlink())
        self.fails(*args, self.dir)

    def test_enroll_what_is_signed(self):
        auth = self.file('a', self.sign('db', self.key('db.crt'), '-o', TEST,
                                        '-t', STAMP))
        self.ok('enroll', '--db', auth, self.path)
        self.assertEqual(self.data('db'), self.key('db.esl').read_bytes())
        self.assertEqual(self.variables()['db']['time'], TIME)

    def test_wrong(self):
        pk = ['-k', self.key('PK.key'), '-c', self.key('PK.crt')]
        out, esl = self.dir / 'out', self.key('db.esl')
        junk = self.file('junk', b'junk')
        for args in (['-k', self.key('PK.key'), '-c', self.key('db.crt'),
                      'db', esl, out],
                     ['-k', junk, '-c', self.key('PK.crt'), 'db', esl, out],
                     ['-k', self.key('PK.key'), '-c', junk, 'db', esl, out],
                     ['-k', self.keys / 'none', '-c', junk, 'db', esl, out],
                     [*pk, 'db', junk, out], [*pk, 'Unknown', esl, out],
                     [*pk, '--attr', 'NV,BS', 'db', esl, out],
                     [*pk, '--attr', '0x80000027', 'db', esl, out],
                     [*pk, '--attr', 'AT', 'db', esl, out],
                     [*pk, '--attr', 'NV,BS,AW,AT', 'db', esl, out],
                     [*pk, '--attr', 'NV,BS,AT,AP', 'db', esl, out],
                     [*pk, 'db', esl, self.dir / 'none' / 'out']):
            with self.subTest(args=args):
                self.fails('sign', *args)
                self.assertFalse(out.exists())
        for args in (['-k', self.key('PK.key')], [*pk, '--time', 'noon'],
                     [*pk, '--time', '2024-99-01 00:00:00'],
                     [*pk, '-g', 'nobody'], [*pk, '-o', 'nobody'],
                     [*pk, '--attr', 'XX']):
            self.fails('sign', *args, 'db', esl, out, status=2)


if __name__ == '__main__':
    main()
