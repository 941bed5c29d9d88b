# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of the command line tool uefi-varstore share."""

import contextlib
import fcntl
import hashlib
import json
import os
import resource
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

PROGRAM = sys.argv[1]
DATA = Path(__file__).resolve().parent.parent / 'data' / 'uefi-vars'

GLOBAL = '8be4df61-93ca-11d2-aa0d-00e098032b8c'
IMGSEC = 'd719b2cb-3d3a-4596-a3bc-dad00e67656f'
TEST = '11111111-2222-3333-4444-555555555555'
SIGNER = '0123456789abcdef' * 4
TIME = 'e8070102030405000000000000000000'

# Locks an open file description; see fcntl(2)
F_OFD_SETLK = 37


def entry(name, guid, attr, data, **more):
    return {'name': name, 'guid': guid, 'attr': attr, 'data': data, **more}


def document(*entries):
    """What the device would write"""
    lines = ',\n'.join(json.dumps(e, ensure_ascii=False) for e in entries)
    return ('{"version": 2, "variables": [\n' + lines +
            ('\n' if lines else '') + ']}\n')


def check_of(text):
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def journal(text, *changes):
    """A document with changes behind it (docs/specs/uefi-vars-file.rst)"""
    prev = check_of(text.strip())
    for number, change in enumerate(changes, 1):
        payload = json.dumps({'change': change})
        record = (f'#uefi-vars-journal 1 change {number} {prev} '
                  f'{len(payload.encode())} {payload}')
        prev = check_of(record)
        text += f'{record} {prev}\n'
    return text


class Tool(unittest.TestCase):
    def setUp(self):
        self.dir = Path(tempfile.mkdtemp(prefix='uefi-varstore-'))
        self.path = self.dir / 'vars.json'

    def tearDown(self):
        shutil.rmtree(self.dir)

    def store(self, *entries):
        self.path.write_text(document(*entries), encoding='utf-8')

    def run_tool(self, *args, stdin=b''):
        env = {**os.environ, 'LC_ALL': 'C'}
        return subprocess.run([PROGRAM, *map(str, args)], env=env,
                              input=stdin, capture_output=True, timeout=60)

    def ok(self, *args, stdin=b''):
        """Run successfully and in silence; returns standard output"""
        result = self.run_tool(*args, stdin=stdin)
        self.assertEqual((result.returncode, result.stderr.decode()), (0, ''))
        return result.stdout.decode()

    def fails(self, *args, status=1):
        """Fail with one line (or for wrong usage, a hint as well), the file
        as it was; returns the line"""
        before = self.path.read_bytes() if self.path.exists() else None
        result = self.run_tool(*args)
        text = result.stderr.decode()
        self.assertEqual((result.returncode, result.stdout), (status, b''))
        self.assertTrue(text.startswith('uefi-varstore: '), text)
        if status == 1:
            self.assertEqual(text.count('\n'), 1, text)
        after = self.path.read_bytes() if self.path.exists() else None
        self.assertEqual(after, before)
        return text

    def run_with_limit(self, limit, *args):
        """No file gets larger than limit bytes"""
        return subprocess.run(
            [PROGRAM, *map(str, args)], timeout=60, capture_output=True,
            restore_signals=False,      # SIGXFSZ stays ignored
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE,
                                                  (limit, limit)))

    def fails_with_full_disk(self, limit, *args):
        """Fail when a file would get larger than limit bytes"""
        result = self.run_with_limit(limit, *args)
        self.assertEqual(result.returncode, 1)
        self.assertIn(b'File too large', result.stderr)
        self.assertEqual(result.stderr.count(b'\n'), 1)

    @contextlib.contextmanager
    def locked(self):
        """What a QEMU that uses the file does to it"""
        with open(self.path, 'r+b') as file:
            fcntl.fcntl(file, F_OFD_SETLK,
                        struct.pack('hhqqi4x', fcntl.F_WRLCK, 0, 0, 0, 0))
            yield

    def assert_store(self, *entries):
        self.assertEqual(self.path.read_text(encoding='utf-8'),
                         document(*entries))


class Tap(unittest.TestResult):
    """Results in the Test Anything Protocol"""

    def stopTest(self, test):
        bad = [text for failed, text in self.failures + self.errors
               if failed is test or getattr(failed, 'test_case', 0) is test]
        for text in bad:
            print(*('# ' + line for line in text.splitlines()), sep='\n')
        print(f'{"not " if bad else ""}ok {self.testsRun} {test.id()}',
              flush=True)
        super().stopTest(test)


def main():
    """Run all tests of the program and print the results"""
    tests = unittest.defaultTestLoader.loadTestsFromModule(
        sys.modules['__main__'])
    print(f'1..{tests.countTestCases()}')
    result = Tap()
    tests.run(result)
    sys.exit(not result.wasSuccessful())
