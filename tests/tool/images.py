# SPDX-License-Identifier: GPL-2.0-or-later
"""Stores of other systems, byte by byte."""

import base64
import struct
import uuid
import zlib

from varstore import GLOBAL, IMGSEC, SIGNER, TEST, TIME, entry

DICTIONARY = '/usr/lib/python3/dist-packages/virt/firmware/aws/dict.v0'
PLAIN_STORE = 'ddcf3616-3275-4164-98b6-fe85707ffe7d'
NO_TIME = '00' * 16

LANG = entry('Lang', GLOBAL, 7, '656e6700')
DB = entry('db', IMGSEC, 39, 'ab' * 5, time=TIME)
PRIVATE = entry('Private', TEST, 39, 'cafe', time=TIME, digest=SIGNER)
ODD = entry('Größe 🦊', TEST, 3, '00')
ALL = (LANG, DB, PRIVATE, ODD)
VOLATILE = entry('ConInDev', GLOBAL, 6, '7fff0400')


def guid(text):
    return uuid.UUID(text).bytes_le


def record(e, state=0x3f, name=None, size=None):
    """A record of edk2's store; its name and size of value may lie"""
    name = (e['name'] + '\0').encode('utf-16le') if name is None else name
    data = bytes.fromhex(e['data'])
    size = len(data) if size is None else size
    head = struct.pack('<HBBIQ16sIII16s', 0x55aa, state, 0, e['attr'], 0,
                       bytes.fromhex(e.get('time', NO_TIME)), 0, len(name),
                       size, guid(e['guid']))
    body = name + data
    return head + body + b'\xff' * (-len(body) % 4)


def plain_record(e):
    """A record of a store without authentication"""
    name, data = (e['name'] + '\0').encode('utf-16le'), bytes.fromhex(e['data'])
    body = struct.pack('<HBBIII16s', 0x55aa, 0x3f, 0, e['attr'], len(name),
                       len(data), guid(e['guid'])) + name + data
    return body + b'\xff' * (-len(body) % 4)


def flash(*records, blank=b'\xff' * 64, **fields):
    """A small image of edk2's flash"""
    body = b''.join(records) + blank
    store = struct.pack('<16sIBBHI',
                        guid(fields.get(
                            'guid', 'aaf32c78-947b-439a-a180-2e144ec37792')),
                        fields.get('size', 28 + len(body)),
                        fields.get('format', 0x5a), fields.get('health', 0xfe),
                        0, 0)
    head = struct.pack('<16s16sQ4sIHHHBBIIII', bytes(16),
                       guid('fff12b8d-7696-4c8b-a985-2747075b4f50'),
                       72 + len(store) + len(body), b'_FVH', 0x4feff, 72, 0, 0,
                       0, 2, 1, 4096, 0, 0)
    words = struct.unpack('<36H', head)
    head = head[:50] + struct.pack('<H', -sum(words) & 0xffff) + head[52:]
    return head + store + body


def interrupted(state, main, spare):
    """Flash of which @main is rewritten by way of a @spare area"""
    size = 8192
    main, spare = main.ljust(size, b'\xff'), spare.ljust(size, b'\xff')
    # a write that is done, and one with the @state of its record
    queue = b''.join(
        struct.pack('<B3x16s4xQQ', header, bytes(16), 1, 0) +
        struct.pack('<B7xQQQq', status, 0, 0, size, -size - 4096)
        for header, status in ((0xf8, 0xf9), (0xfc, state)))
    block = struct.pack('<16sIBBBBQ', guid(
        '9e58292b-7c68-497d-a0ce-6500fd9f1b95'), 0, 0xfe, 255, 255, 255,
        4064) + queue
    return main + block.ljust(4096, b'\xff') + spare


def blob(data):
    return struct.pack('<Q', len(data)) + data


def xen(*entries, version=1, count=None, presence=b''):
    body = b''.join(
        blob(e['name'].encode('utf-16le')) + blob(bytes.fromhex(e['data'])) +
        guid(e['guid']) + struct.pack('<I', e['attr']) +
        bytes.fromhex(e.get('time', NO_TIME)) +
        bytes.fromhex(e.get('digest', '00' * 32)) for e in entries)
    count = len(entries) if count is None else count
    extra = struct.pack('<QI256s', 0, 0, presence) if version > 1 else b''
    return (b'VARS' + struct.pack('<IQQ', version, count, len(body)) + extra +
            body)


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def aws_list(*entries):
    return struct.pack('<Q', len(entries)) + b''.join(
        blob(e['name'].encode()) + blob(bytes.fromhex(e['data'])) +
        guid(e['guid']) + struct.pack('<I', e['attr']) +
        (bytes.fromhex(e['time']) +
         blob(bytes.fromhex(e.get('digest', '00' * 32)))
         if e['attr'] & 0x20 else b'') for e in entries)


def aws(data, version=0, dictionary=None):
    if dictionary is None:
        with open(DICTIONARY, 'rb') as file:
            dictionary = file.read()
    packer = zlib.compressobj(9, zdict=dictionary)
    packed = (struct.pack('<I', version) + packer.compress(data) +
              packer.flush())
    return base64.b64encode(b'AMZNUEFI' + struct.pack('<I', crc32c(packed)) +
                            packed)


def uboot(*entries, **fields):
    """U-Boot's ubootefi.var"""
    body = b''
    for e in entries:
        name = (e['name'] + '\0').encode('utf-16le')
        data = bytes.fromhex(e['data'])
        body += struct.pack('<IIQ16s', len(data), e['attr'],
                            fields.get('time', 0), guid(e['guid']))
        body += name + data
        body += bytes(-len(body) % 8)
    return struct.pack('<Q7sBII', 0, b'UbEfiVa', fields.get('version', 1),
                       24 + len(body),
                       fields.get('sum', zlib.crc32(body))) + body


def descriptor(time=TIME, length=24, kind=0x0ef1):
    """EFI_VARIABLE_AUTHENTICATION_2 without a signature"""
    return bytes.fromhex(time) + struct.pack(
        '<IHH16s', length, 0x200, kind,
        guid('4aafd29d-68df-49ee-8aa9-347d375665a7'))


def vmware_record(e, data=None):
    name = (e['name'] + '\0').encode('utf-16le')
    data = bytes.fromhex(e['data']) if data is None else data
    return guid(e['guid']) + struct.pack(
        '<III', e['attr'], len(name) + len(data), len(name)) + name + data


def vmware(*records, length=None):
    body = b''.join(records)
    length = 16 + len(body) if length is None else length
    store = b'VMWNVRAM' + struct.pack('<II', 0, length) + body
    return (b'MRVN' + struct.pack('<I', 1) + b'CMOS' + bytes(77) +
            b'EFI_NV\0\0' + struct.pack('<I', len(store) + 32) + store +
            b'\xff' * 32)


def vmgs_record(e, kind=0, **sizes):
    name = (e['name'] + '\0').encode('utf-16le')
    data = bytes.fromhex(e['data'])
    return struct.pack(
        '<III16s16sHH', kind, 48 + len(name) + len(data), e['attr'],
        bytes.fromhex(e.get('time', NO_TIME)), guid(e['guid']),
        sizes.get('name', len(name)), sizes.get('data', len(data))) + \
        name + data


def vmgs_header(sequence, table, version=0x30000, encryption=0):
    header = bytearray(168)
    struct.pack_into('<8sIIIIIIH', header, 0, b'GUESTRTS', version, 0,
                     sequence, 168, table, 1, encryption)
    struct.pack_into('<I', header, 12, zlib.crc32(header))
    return bytes(header)


def vmgs(*records, headers=None, sector=512, attributes=0, size=None,
         version=0x30000):
    """Blocks: headers in two, the table in the third, then the file"""
    body = b''.join(records)
    entry = struct.pack('<IIQ28xI', 3, len(body) // 4096 + 1,
                        len(body) if size is None else size, attributes)
    headers = [b'', vmgs_header(1, 2, version)] if headers is None else headers
    first = b''.join(h.ljust(sector, b'\0') for h in headers)
    return (first.ljust(2 * 4096, b'\0') +
            (bytes(64) + entry).ljust(4096, b'\0') + body)


def rom(store, name=b'SMMSTORE', offset=4096, size=None, areas=2, major=1):
    """The end of a ROM of coreboot: a volume that is not meant, the store,
    and the map behind it"""
    size = len(store) if size is None else size
    fmap = (b'__FMAP__' + struct.pack('<BBQI32sH', major, 1, 0xff000000,
                                      16 << 20, b'FLASH', areas) +
            struct.pack('<II32sH', 0, 4096, b'COREBOOT', 0) +
            struct.pack('<II32sH', offset, size, name, 0))
    return flash(record(ODD)).ljust(4096, b'\xff') + store + fmap
