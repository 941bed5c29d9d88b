#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests of uefi-varstore replay; prints TAP.

usage: test-uefi-varstore-replay.py PROGRAM

boot.pcap.gz is what property pcapfile wrote while stock OVMF booted Debian's
Linux, which set and read a variable: the same requests have the same answers
ever since.
"""

import gzip
import struct

from varstore import DATA, TEST, Tool, entry, main

BOOT = gzip.decompress((DATA / 'boot.pcap.gz').read_bytes())
FILE_HEADER = 24
RESET, REQUEST, REPLY = 1, 2, 3
GET, SET = 1, 3
SUCCESS, NOT_FOUND = 0, 0x800000000000000e
STATUS = 24 + 8             # offset in a message
VARIABLES = bytes.fromhex('33d532ede69909429cc02d72cdd998a7')


def packets(capture):
    """(type, message) of each packet"""
    at, found = FILE_HEADER, []
    while at < len(capture):
        length, kind = struct.unpack_from('=8xI4xI', capture, at)
        at += 16
        found.append((kind, capture[at + 4:at + length]))
        at += length
    return found


def capture_of(found, order='=', link=302):
    """A capture, in an order of bytes"""
    data = struct.pack(f'{order}IHHIIII', 0xa1b2c3d4, 2, 4, 0, 0, 65536, link)
    for kind, message in found:
        length = 4 + len(message)
        data += struct.pack(f'{order}IIIII', 0, 0, length, length, kind) + \
            message
    return data


def message(function, status, payload):
    data = struct.pack('<QQ', function, status) + payload
    return VARIABLES + struct.pack('<Q', len(data)) + data


def get_variable(status, capacity=8, value=None):
    """GetVariable of TEST's One, or a reply to it"""
    name = 'One\0'.encode('utf-16-le')
    guid = bytes.fromhex('1111111122223333' + '4444555555555555')
    guid = guid[3::-1] + guid[5:3:-1] + guid[7:5:-1] + guid[8:]
    size = capacity if value is None else len(value)
    return message(GET, status, guid + struct.pack(
        '<QQI', size, len(name), 0 if value is None else 7) + name +
        (value or b'').ljust(capacity, b'\0'))


class Replay(Tool):
    def replay(self, data, *args):
        path = self.dir / 'capture'
        path.write_bytes(data)
        return self.run_tool('replay', *args, path)

    def same(self, data, said, *args):
        result = self.replay(data, *args)
        self.assertEqual((result.returncode, result.stderr.decode()), (0, ''))
        self.assertEqual(result.stdout.decode(), said)

    def differs(self, data, *said):
        """Something in each of the lines, but for the last one"""
        result = self.replay(data)
        self.assertEqual((result.returncode, result.stderr.decode()), (1, ''))
        lines = result.stdout.decode().splitlines()
        self.assertEqual(len(lines), len(said) + 1, lines)
        for line, part in zip(lines, said):
            self.assertIn(part, line)
        self.assertTrue(lines[-1].endswith(f', {len(said)} answers differ'))

    def broken(self, data, said):
        path = self.dir / 'capture'
        path.write_bytes(data)
        self.assertIn(said, self.fails('replay', path))

    def test_boot(self):
        """all answers of a boot, in both orders of bytes"""
        found = packets(BOOT)
        requests = sum(kind == REQUEST for kind, _ in found)
        self.assertGreater(requests, 300)
        for order in '<>':
            self.same(capture_of(found, order),
                      f'{requests} requests, 1 resets, 0 answers differ\n')

    def test_status(self):
        """another status is told with the variable and our reason"""
        found = [(RESET, b''), (REQUEST, get_variable(0)),
                 (REPLY, get_variable(SUCCESS))]
        self.differs(capture_of(found),
                     'packet 2: GetVariable One: captured 0x0, here '
                     '0x800000000000000e (')

    def test_bytes(self):
        """another value is told with its place"""
        found = packets(BOOT)
        last = max(i for i, (kind, _) in enumerate(found) if kind == REPLY)
        reply = found[last][1]
        found[last] = (REPLY, reply[:-1] + bytes([reply[-1] ^ 1]))
        self.differs(capture_of(found), f'byte {len(reply) - 1} of the message')

    def test_no_reply(self):
        """an answer that only one of the two gives"""
        request = get_variable(0)
        self.differs(capture_of([(RESET, b''), (REQUEST, request),
                                 (RESET, b'')]),
                     'captured no answer, here 0x800000000000000e')
        short = request[:16] + struct.pack('<Q', 4) + request[24:28]
        self.differs(capture_of([(REQUEST, short), (REPLY, short)]),
                     'here no answer')
        self.same(capture_of([(REQUEST, short)]),
                  '1 requests, 0 resets, 0 answers differ\n')

    def test_store(self):
        """a capture that begins with a store"""
        found = [(RESET, b''), (REQUEST, get_variable(0)),
                 (REPLY, get_variable(SUCCESS, value=b'value'))]
        self.store(entry('One', TEST, 7, b'value'.hex()))
        before = self.path.read_bytes()
        self.same(capture_of(found), '1 requests, 1 resets, 0 answers differ\n',
                  '--store', self.path)
        self.assertEqual(self.path.read_bytes(), before)

    def test_cut(self):
        """a capture that ends within a packet"""
        found = packets(BOOT)[:5]
        data = capture_of(found)
        ends = {FILE_HEADER + sum(20 + len(m) for _, m in found[:n])
                for n in range(6)}
        for size in range(FILE_HEADER, len(data)):
            if size not in ends:
                self.broken(data[:size], 'is not whole')
        for size in range(FILE_HEADER):
            self.broken(data[:size], 'not a capture')

    def test_damaged(self):
        self.broken(b'x' * 100, 'not a capture')
        self.broken(capture_of([], link=1), 'link type 1, not 302')
        self.broken(capture_of([(4, b'')]), 'packet 1 is of unknown type 4')
        self.broken(capture_of([(REPLY, b'')]), 'packet 1 answers nothing')
        huge = struct.pack('=IIIII', 0, 0, 1 << 31, 1 << 31, REQUEST)
        self.broken(capture_of([]) + huge + bytes(100), 'is not whole')
        # what the device would not take either
        for size in (0, 1, 23, 24, 39, 40):
            self.same(capture_of([(REQUEST, b'\xff' * size)]),
                      '1 requests, 0 resets, 0 answers differ\n')


if __name__ == '__main__':
    main()
