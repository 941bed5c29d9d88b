# SPDX-License-Identifier: GPL-2.0-or-later
"""Scripts of variable operations for app.c, from a seed.

The same operations go to the firmware's own variable driver and to ours, so
the generator never needs to know what the right answer is.  It only keeps to
operations on which both are meant to agree: see differences.md.
"""

import datetime
import random
import struct
import uuid
from collections import namedtuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import NameOID

END, SET, GET, LIST, QUERY, EXIT, NEXT = range(7)
OP_NAMES = ['end', 'set', 'get', 'list', 'query', 'exit', 'next']

NV, BS, RT, HR, AW, AT, AP = (1 << bit for bit in range(7))

GLOBAL = '8be4df61-93ca-11d2-aa0d-00e098032b8c'
IMGSEC = 'd719b2cb-3d3a-4596-a3bc-dad00e67656f'
HWERR = '414e6bdd-e47b-47cc-b244-bb61020cf516'
SBENABLE = 'f0a30bc7-af08-4556-99c4-001009c93a44'
CUSTOM = 'c076ec0c-7028-4399-a072-71ee5c448b9f'
VENDORKEYSNV = '9073e4e0-60ec-4b6e-9903-4c223c260f3c'
CERTDB = 'd9bee56e-75dc-49d9-b4d7-b534210f637a'
MOR = 'e20939be-32d4-41be-a150-897f85d49829'
MORLOCK = 'bb983ccf-151d-40e1-a07b-4a17be168292'
TEST = '11111111-2222-3333-4444-555555555555'
TEST2 = 'abcdef01-2345-6789-abcd-ef0123456789'

PKCS7_GUID = '4aafd29d-68df-49ee-8aa9-347d375665a7'
X509_GUID = 'a5c059a1-94e4-4aa7-87b5-ab155c2bf072'
SHA256_GUID = 'c1c41626-504c-4092-aca9-41f936934328'
SHA1_GUID = '826ca512-cf10-4ac9-b187-be01496631bd'
RSA2048_GUID = '3c5766e8-269c-4e34-aa14-ed776e85b3b6'
X509_SHA256_GUID = '3bd2a492-96c0-4079-b420-fcf98ef103ed'

Op = namedtuple('Op', 'op attributes guid name data capacity note')


def pack_guid(text):
    return uuid.UUID(text).bytes_le


def pack_op(op):
    name = (op.name + '\0').encode('utf-16-le', 'surrogatepass')
    size = len(op.data) if op.op == SET else op.capacity
    record = struct.pack('<II16sII', op.op, op.attributes, pack_guid(op.guid),
                         len(name), size) + name + op.data
    return record + bytes(-len(record) % 8)


class Key:
    """A key pair with a certificate, self-signed or issued by another."""

    def __init__(self, common_name, issuer=None, ca=True):
        self.key = rsa.generate_private_key(65537, 2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME,
                                             common_name)])
        start = datetime.datetime(2020, 1, 1)
        signer = issuer.key if issuer else self.key
        self.cert = x509.CertificateBuilder() \
            .subject_name(name) \
            .issuer_name(issuer.cert.subject if issuer else name) \
            .public_key(self.key.public_key()) \
            .serial_number(random.getrandbits(64)) \
            .not_valid_before(start) \
            .not_valid_after(start + datetime.timedelta(days=10000)) \
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None),
                           critical=True) \
            .sign(signer, hashes.SHA256())
        self.chain = [issuer.cert] if issuer else []

    def der(self):
        return self.cert.public_bytes(serialization.Encoding.DER)


def make_keys():
    keys = {name: Key(name) for name in
            ('PK', 'PK2', 'KEK', 'KEK2', 'stranger', 'owner', 'owner2')}
    keys['owner-again'] = Key('owner')
    keys['KEK-leaf'] = Key('KEK leaf', keys['KEK'], ca=False)
    keys['PK-leaf'] = Key('PK leaf', keys['PK'], ca=False)
    return keys


def siglist(kind, owner, *items, header=b'', signature_size=None,
            list_size=None):
    size = 16 + len(items[0]) if signature_size is None else signature_size
    body = header + b''.join(pack_guid(owner) + item for item in items)
    return pack_guid(kind) + struct.pack(
        '<III', 28 + len(body) if list_size is None else list_size,
        len(header), size) + body


def pack_time(moment, nanosecond=0):
    second = moment % 60
    minute = moment // 60 % 60
    hour = moment // 3600 % 24
    day = moment // 86400
    return struct.pack('<HBBBBBBIhBB', 2024, 1 + day // 28 % 12, 1 + day % 28,
                       hour, minute, second, 0, nanosecond, 0, 0, 0)


def strip_content_info(der):
    """The bare SignedData that is inside, as the specification wants it."""
    assert der[0:2] == b'\x30\x82' and der[15:17] == b'\xa0\x82'
    return der[19:]


def signed(key, name, guid, attributes, payload, stamp):
    """An EFI_VARIABLE_AUTHENTICATION_2 followed by the payload."""
    blob = b''
    if key:
        message = name.encode('utf-16-le') + pack_guid(guid) + \
            struct.pack('<I', attributes) + stamp + payload
        builder = pkcs7.PKCS7SignatureBuilder().set_data(message) \
            .add_signer(key.cert, key.key, hashes.SHA256())
        for cert in key.chain:
            builder = builder.add_certificate(cert)
        blob = builder.sign(serialization.Encoding.DER,
                            [pkcs7.PKCS7Options.DetachedSignature,
                             pkcs7.PKCS7Options.Binary,
                             pkcs7.PKCS7Options.NoAttributes])
        blob = strip_content_info(blob)
    return stamp + struct.pack('<IHH', 24 + len(blob), 0x0200, 0x0ef1) + \
        pack_guid(PKCS7_GUID) + blob + payload


class Generator:
    def __init__(self, seed):
        self.rand = random.Random(seed)
        self.keys = make_keys()
        self.ops = []
        self.moment = 100
        self.used = []          # (guid, name) that a set has named
        self.user_mode = False
        self.pk = 'PK'
        self.runtime = False

    # -- building blocks -------------------------------------------------

    def add(self, op, attributes=0, guid=TEST, name='', data=b'', capacity=0,
            note=''):
        self.ops.append(Op(op, attributes, guid, name, data, capacity, note))
        if op == SET and (guid, name) not in self.used and name:
            self.used.append((guid, name))

    def get(self, guid, name):
        self.add(GET, guid=guid, name=name, capacity=0x10000)

    def set(self, attributes, guid, name, data, note=''):
        self.add(SET, attributes, guid, name, data, note=note)
        self.get(guid, name)

    def bytes(self, *sizes):
        return self.rand.randbytes(self.rand.choice(sizes))

    def stamp(self):
        """Mostly later than all before, sometimes not."""
        step = self.rand.choice([1, 1, 1, 60, 3600, 0, -1, -5])
        self.moment = max(1, self.moment + step)
        return pack_time(self.moment,
                         self.rand.choice([0] * 15 + [1]))

    def pick(self, *options):
        return self.rand.choice(options)

    # -- kinds of operations ---------------------------------------------

    def ordinary(self):
        name = self.pick('A', 'B', 'C', 'LongerName', 'a', '\u00e4\u20ac',
                         'X\ud800Y', 'Boot0000')
        guid = self.pick(TEST, TEST2)
        attributes = self.pick(
            NV | BS | RT, NV | BS | RT, NV | BS, BS, BS | RT, BS | RT,
            NV | BS | RT | AP, BS | AP, BS | RT | AP)
        data = self.bytes(0, 0, 1, 2, 3, 4, 5, 8, 100, 1000)
        self.set(attributes, guid, name, data)

    def odd_attributes(self):
        attributes = self.pick(
            0, NV, RT, NV | RT, HR, NV | BS | HR, NV | BS | RT | HR, AW | BS,
            AW | NV | BS | RT, AW | AT | BS | NV, AP, NV | AP, AP | BS | HR,
            RT | AW, NV | AW, 0x80, 0x87, 0x80000007,
            self.rand.getrandbits(7), self.rand.getrandbits(32))
        if attributes & ~(AT | AW) == NV:
            attributes &= ~AW
        if attributes & AW and attributes & AT == 0:
            data = self.bytes(0, 1, 560, 561)
        else:
            data = self.bytes(0, 1, 16, 39, 40, 41, 600)
        self.set(attributes, self.pick(TEST, TEST, GLOBAL),
                 self.pick('A', 'B', 'C', ''), data)

    def large(self):
        attributes = self.pick(NV | BS | RT, BS | RT, NV | BS | AP)
        size = self.pick(33722, 33724, 33728, 33729, 33732, 33000)
        self.set(attributes, TEST, 'L', bytes(size))
        self.set(0, TEST, 'L', b'')

    def load_option(self):
        path = self.pick(
            b'\x7f\xff\x04\x00',
            b'\x04\x04\x0a\x00/\0a\0\0\0' + b'\x7f\xff\x04\x00',
            b'\x04\x04\x0a\x00/\0a\0b\0' + b'\x7f\xff\x04\x00',
            b'\x01\x01\x06\x00\x00\x00' + b'\x7f\xff\x04\x00',
            b'\x7f\x01\x04\x00' + b'\x7f\xff\x04\x00',
            b'\x01\x01\x03\x00', b'\x01\x01\xff\x00\x7f\xff\x04\x00',
            b'\x7f\xff\x05\x00\x00', b'')
        length = len(path) + self.pick(0, 0, 0, 1, -1, 100)
        text = self.pick('x\0', '', 'no end', 'entry\0').encode('utf-16-le')
        return struct.pack('<IH', 1, max(length, 0)) + text + path + \
            self.bytes(0, 0, 7)

    def known_content(self):
        """Variables of the specification, content good and bad."""
        full = NV | BS | RT
        name, data = self.pick(
            ('Boot0099', self.load_option()),
            ('Driver0099', self.load_option()),
            ('SysPrep0A9F', self.load_option()),
            ('Boot00af', self.load_option()),
            ('Boot009', self.load_option()),
            ('DriverOrder', self.bytes(0, 1, 2, 3, 4)),
            ('SysPrepOrder', self.bytes(0, 2, 6, 7)),
            ('BootNext', self.bytes(0, 1, 2, 3)),
            ('Key0099', self.bytes(0, 9, 10, 14, 15, 22, 26)),
            ('OsIndications', self.bytes(0, 7, 8, 9)),
            ('BootCurrent', self.bytes(1, 2)),
            ('dbDefault', self.bytes(0, 1, 10)),
            ('PKDefault', self.bytes(0, 1)),
            ('SetupMode', self.bytes(0, 1)),
            ('SecureBoot', self.bytes(0, 1)),
            ('AuditMode', self.bytes(0, 1)),
            ('DeployedMode', self.bytes(0, 1)),
            ('NoSuchThing', self.bytes(0, 1)))
        attributes = self.pick(full, full, full, full, BS | RT, NV | BS,
                               full | AP, 0, BS)
        self.set(attributes, GLOBAL, name, data)

    def other_vendors(self):
        guid, name, data, attributes = self.pick(
            (IMGSEC, 'dbr', self.bytes(0, 50), NV | BS | RT | AT),
            (IMGSEC, 'nothing', self.bytes(0, 50), NV | BS | RT),
            (HWERR, 'HwErrRec0001', self.bytes(1), NV | BS | RT | HR),
            (HWERR, 'HwErrRec0001', self.bytes(1), NV | BS | RT),
            (HWERR, 'other', self.bytes(1), NV | BS | RT),
            (CERTDB, 'certdb', self.bytes(0, 4), NV | BS | RT | AT),
            (CERTDB, 'certdbv', self.bytes(0, 4), BS | RT | AT),
            (CERTDB, 'elsewhere', self.bytes(0, 4), BS | RT),
            (MOR, 'MemoryOverwriteRequestControl', self.bytes(0, 1, 2),
             self.pick(NV | BS | RT, NV | BS, 0)),
            (MORLOCK, 'MemoryOverwriteRequestControlLock',
             self.pick(b'\0', b'\1', b'\2', b'', b'12345678', b'1234567'),
             self.pick(NV | BS | RT, NV | BS, 0)),
            (SBENABLE, 'SecureBootEnable', self.bytes(0, 2),
             NV | BS),
            (CUSTOM, 'CustomMode', self.bytes(0, 2), NV | BS))
        self.set(attributes, guid, name, data)

    def private(self):
        """Private authenticated variables, by right and wrong signers."""
        name = self.pick('P', 'Q', 'R')
        attributes = self.pick(NV | BS | RT | AT, NV | BS | RT | AT, BS | AT)
        if self.rand.random() < 0.2:
            attributes |= AP
        payload = self.bytes(0, 1, 2, 50, 50, 300)
        who = self.pick('owner', 'owner', 'owner', 'owner2', 'owner-again',
                        'KEK', None)
        self.set_signed(who, TEST, name, attributes, payload)

    def set_signed(self, who, guid, name, attributes, payload):
        stamp = self.stamp()
        sent_name, sent_attributes, sent = name, attributes, payload
        spoil = self.rand.random()
        if spoil < 0.04:
            sent = payload + b'!'
        elif spoil < 0.08:
            sent_attributes = attributes ^ AP
        elif spoil < 0.12:
            sent_name = name + 'x'
        data = signed(self.keys[who] if who else None, sent_name, guid,
                      sent_attributes, sent, stamp)
        if sent != payload:
            data = data[:-1]
        note = f'by {who}'
        if 0.12 < spoil < 0.16 and len(data) > 60:
            at = self.rand.randrange(40, len(data))
            data = data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1:]
            note += f', byte {at} flipped'
        elif spoil > 0.96:
            data = data[:self.rand.randrange(len(data))]
            note += ', cut'
        self.set(attributes, guid, name, data, note)

    def lists(self):
        """A value for a signature database, good in most cases."""
        cert = self.keys['KEK'].der()
        good = [
            siglist(SHA256_GUID, TEST, self.rand.randbytes(32)),
            siglist(SHA256_GUID, TEST, bytes(32), b'\1' * 32),
            siglist(SHA256_GUID, TEST2, bytes(32)),
            siglist(SHA1_GUID, TEST, b'\2' * 20),
            siglist(RSA2048_GUID, TEST, b'\3' * 256),
            siglist(X509_GUID, TEST, cert),
            siglist(X509_GUID, TEST, self.keys['stranger'].der()),
            siglist(X509_SHA256_GUID, TEST, b'\4' * 48),
        ]
        bad = [
            siglist(TEST2, TEST, bytes(32)),
            siglist(SHA256_GUID, TEST, bytes(31)),
            siglist(SHA256_GUID, TEST, bytes(32), header=b'h'),
            siglist(SHA256_GUID, TEST, bytes(32), list_size=77),
            siglist(SHA256_GUID, TEST, bytes(32), list_size=1000),
            siglist(X509_GUID, TEST, b'not a certificate'),
            b'\0' * 27, b'x',
        ]
        value = b''.join(self.rand.sample(good, self.pick(1, 1, 2, 3)))
        if self.rand.random() < 0.2:
            value += self.pick(*bad)
        return value

    def database(self):
        """KEK, db, dbx and dbt, in setup mode and in user mode."""
        guid, name = self.pick((GLOBAL, 'KEK'), (IMGSEC, 'db'),
                               (IMGSEC, 'db'), (IMGSEC, 'dbx'),
                               (IMGSEC, 'dbx'), (IMGSEC, 'dbt'))
        attributes = self.pick(*[NV | BS | RT | AT] * 6, NV | BS | RT,
                               BS | RT | AT, NV | BS | AT, 0)
        if self.rand.random() < 0.4:
            attributes |= AP
        payload = self.pick(self.lists(), self.lists(), self.lists(), b'')
        if name == 'KEK' and not payload:
            payload = self.kek_value()
        who = self.pick('KEK', 'KEK', 'KEK2', self.pk, self.pk, 'KEK-leaf',
                        'PK-leaf', 'stranger', None)
        if attributes & AT:
            self.set_signed(who, guid, name, attributes, payload)
        else:
            self.set(attributes, guid, name, payload)

    def kek_value(self):
        return siglist(X509_GUID, TEST, self.keys['KEK'].der()) + \
            siglist(SHA256_GUID, TEST, bytes(32)) + \
            siglist(X509_GUID, TEST, self.keys['KEK2'].der())

    def enrol(self):
        """From setup mode to user mode, by hand, so that it works."""
        full = NV | BS | RT | AT
        self.moment += 10
        stamp = pack_time(self.moment)
        self.set(full, GLOBAL, 'KEK',
                 signed(None, 'KEK', GLOBAL, full, self.kek_value(), stamp),
                 'enrol')
        value = siglist(X509_GUID, TEST, self.keys[self.pk].der())
        self.set(full, GLOBAL, 'PK',
                 signed(self.keys[self.pk], 'PK', GLOBAL, full, value, stamp),
                 'enrol')
        self.user_mode = True
        self.state()

    def platform_key(self):
        """Attempts on PK: only its own signature may do it."""
        full = NV | BS | RT | AT
        what = self.rand.random()
        payload = siglist(X509_GUID, TEST, self.keys['stranger'].der())
        if not self.user_mode:
            # Its own signature over content that is not one certificate
            payload = self.pick(payload + payload, payload + b'x')
            self.set_signed('stranger', GLOBAL, 'PK', full, payload)
        elif what < 0.3:
            self.set_signed(self.pick('stranger', 'KEK', 'PK-leaf', None),
                            GLOBAL, 'PK', full, self.pick(payload, b''))
        elif what < 0.4:
            self.set(self.pick(0, full, full & ~AT), GLOBAL, 'PK', b'')
        elif what < 0.6:
            other = 'PK2' if self.pk == 'PK' else 'PK'
            self.moment += 10
            value = siglist(X509_GUID, TEST, self.keys[other].der())
            self.set(full, GLOBAL, 'PK',
                     signed(self.keys[self.pk], 'PK', GLOBAL, full, value,
                            pack_time(self.moment)), 'replace')
            self.pk = other
        elif what < 0.7:
            self.moment += 10
            self.set(full, GLOBAL, 'PK',
                     signed(self.keys[self.pk], 'PK', GLOBAL, full, b'',
                            pack_time(self.moment)), 'delete')
            self.user_mode = False
            self.state()
            if self.runtime or self.rand.random() < 0.8:
                self.enrol()
        self.state()

    def state(self):
        for guid, name in ((GLOBAL, 'SetupMode'), (GLOBAL, 'SecureBoot'),
                           (GLOBAL, 'PK'), (SBENABLE, 'SecureBootEnable'),
                           (GLOBAL, 'VendorKeys'),
                           (VENDORKEYSNV, 'VendorKeysNv')):
            self.get(guid, name)

    def reads(self):
        if self.used and self.rand.random() < 0.7:
            guid, name = self.rand.choice(self.used)
            self.add(GET, guid=guid, name=name,
                     capacity=self.pick(0, 1, 4, 100, 0x10000))
        else:
            self.add(GET, guid=TEST, name=self.pick('', 'missing', 'A'),
                     capacity=10)

    def query(self):
        self.add(QUERY, self.pick(
            NV | BS | RT, BS | RT, BS, NV | BS, NV, RT, 0, AW | NV | BS, 0x80,
            0x87, NV | BS | RT | AT, NV | BS | HR, BS | HR, AP, NV | AP,
            NV | BS | RT | AP, BS | AT, self.rand.getrandbits(8)))

    def next(self):
        guid, name = self.rand.choice(self.used or [(TEST, 'A')])
        self.add(NEXT, guid=self.pick(guid, guid, GLOBAL),
                 name=self.pick(name, name, 'missing'), capacity=self.pick(
                     2 * len(name) + 2, 2 * len(name)))

    def listing(self):
        self.add(LIST)

    # -- the whole -------------------------------------------------------

    def mix(self, count):
        kinds = [
            (self.ordinary, 24), (self.odd_attributes, 10),
            (self.large, 1), (self.known_content, 14),
            (self.other_vendors, 8), (self.private, 12),
            (self.database, 18), (self.platform_key, 4), (self.reads, 6),
            (self.query, 4), (self.listing, 1),
        ]
        functions = [kind for kind, weight in kinds for _ in range(weight)]
        end = len(self.ops) + count
        while len(self.ops) < end:
            self.rand.choice(functions)()

    def linux_script(self, count):
        """What can be asked through efivarfs, all of it at runtime."""
        self.runtime = True
        self.mix(count * 2 // 5)
        if not self.user_mode:
            self.enrol()
        self.mix(count * 3 // 5)
        self.state()
        for guid, name in self.used:
            self.get(guid, name)
        return [op for op in self.ops if op.op in (SET, GET) and op.name and
                not any(0xd800 <= ord(unit) < 0xe000 for unit in op.name)]

    def script(self, count):
        """From an application before and after ExitBootServices."""
        self.state()
        self.mix(count * 3 // 10)
        if not self.user_mode:
            self.enrol()
        self.mix(count * 3 // 10)
        self.add(LIST)
        self.add(EXIT)
        self.runtime = True
        self.state()
        self.mix(count * 4 // 10)
        self.add(LIST)
        return self.ops


def pack_script(ops):
    return b''.join(pack_op(op) for op in ops) + \
        pack_op(Op(END, 0, TEST, '', b'', 0, ''))
