# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests of keys and revocations, with a Debian guest."""

import lzma
import re
import struct

from distro_guest import DOWN, VARSTORE, Failure, check, run

DBX = '/sys/firmware/efi/efivars/dbx-d719b2cb-3d3a-4596-a3bc-dad00e67656f'
SHIM = '605dab50-e046-4300-abb6-3dd810dd8b23'
OWN_PATH = r'\EFI\debian\own.efi'
OWN_FILE = '/boot/efi/EFI/debian/own.efi'
OWNER = '11111111-2222-3333-4444-555555555555'
MAGIC = b'~Module signature appended~\n'


def make_key(work, name):
    """A key NAME.key with a certificate NAME.crt, and as DER NAME.der."""
    key, crt, der = (work / f'{name}.{end}' for end in ('key', 'crt', 'der'))
    run('openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days',
        '3650', '-subj', f'/CN={name} of the test/', '-keyout', key, '-out',
        crt)
    run('openssl', 'x509', '-in', crt, '-outform', 'DER', '-out', der)
    return key, crt, der


def put_keys(guest, work, *names):
    for name in names:
        for end in ('key', 'crt'):
            guest.put(f'/root/{name}.{end}',
                      (work / f'{name}.{end}').read_bytes())


def make_own(guest):
    """A shim of another hash than the distribution's, signed by the own key
    in db, and an entry for it; returns its number."""
    guest.sh(f'''cd /root && cp /usr/lib/shim/shimx64.efi own.efi &&
printf own | dd of=own.efi bs=1 seek=78 conv=notrunc status=none &&
sbsign --key own.key --cert own.crt --output {OWN_FILE} own.efi''')
    return guest.create('Own', OWN_PATH)


def sign_update(guest, name):
    """Make an update of dbx that revokes own.efi, signed by a key."""
    guest.sh(f'''cd /root && hash-to-efi-sig-list own.efi dbx.esl &&
sign-efi-sig-list -a -k {name}.key -c {name}.crt dbx dbx.esl dbx.auth''')


def update_dbx(guest, name):
    """Write such an update through efivarfs."""
    sign_update(guest, name)
    guest.sh(f'''cd /root &&
{{ printf '\\x67\\0\\0\\0'; cat dbx.auth; }} > dbx.write &&
chattr -i {DBX}''')
    guest.sh(f'cat /root/dbx.write 2>&1 > {DBX}')


def check_revoked(guest, own, debian):
    """At the next boot the firmware refuses the own entry."""
    guest.sh(f'efibootmgr -q -n {own}')
    said = guest.reboot()
    check(f'failed to load Boot{own}' in said and 'Access Denied' in said,
          'the firmware refused nothing')
    check(guest.efibootmgr('BootCurrent') == debian, 'another entry started')


def test_dbx_update(distro):
    """what an own key in db has signed starts, until an update of dbx, signed
    and written through efivarfs, revokes it"""
    guest = distro.fresh()
    put_keys(guest, distro.work, 'own')
    own = make_own(guest)
    debian = guest.entries()['debian']
    guest.sh(f'efibootmgr -q -o {debian} -n {own}')
    guest.reboot()
    check(guest.efibootmgr('BootCurrent') == own, 'it was not started')

    make_key(distro.work, 'stranger')
    put_keys(guest, distro.work, 'stranger')
    before = guest.sh(f'sha256sum {DBX}')
    try:
        update_dbx(guest, 'stranger')
        error = 'it is taken'
    except Failure as failure:
        error = str(failure)
    check('Permission denied' in error, f"a stranger's update: {error}")
    check(guest.sh(f'sha256sum {DBX}') == before, 'and yet dbx has changed')
    update_dbx(guest, 'own')
    check_revoked(guest, own, debian)


def test_fwupd(distro):
    """fwupdtool installs an update of dbx, once nothing that it revokes is on
    the ESP"""
    guest = distro.fresh()
    put_keys(guest, distro.work, 'own')
    own, debian = make_own(guest), guest.entries()['debian']
    sign_update(guest, 'own')
    guest.sh('systemctl start udisks2')     # tells where the ESP is
    devices = guest.sh('fwupdtool get-devices --plugins uefi_dbx 2>&1')
    device = re.search(r'UEFI dbx:\s.*?Device ID: *(\w+)', devices, re.S)
    check(device, f'no device for dbx: {devices}')
    install = f'fwupdtool install-blob /root/dbx.auth {device[1]} 2>&1'
    before = guest.sh(f'sha256sum {DBX}')
    text = guest.sh(f'! {install}')
    check('Blocked executable in the ESP' in text, f'not refused: {text}')
    check(guest.sh(f'sha256sum {DBX}') == before, 'and yet dbx has changed')
    guest.sh(f'mv {OWN_FILE} /root/signed.efi && {install} && '
             f'mv /root/signed.efi {OWN_FILE}')
    check_revoked(guest, own, debian)


def test_sbat_policy(distro):
    """mokutil asks for the latest revocations, and shim takes them"""
    guest = distro.fresh()
    before = guest.sh('mokutil --list-sbat-revocations')
    guest.sh('mokutil --set-sbat-policy latest')
    guest.reboot()
    after = guest.sh('mokutil --list-sbat-revocations')
    check(before.startswith('sbat,1,') and after > before,
          f'{before} became {after}')


def test_shim_revoked(distro):
    """a shim of a level that is revoked refuses itself"""
    distro.fresh().kill()
    run(VARSTORE, 'set', '--guid', SHIM, '--attr', 'NV,BS', '--text',
        'sbat,1,2099010100\nshim,99\n', distro.store, 'SbatLevel')
    guest = distro.launch()
    guest.says('SBAT self-check failed')
    check(guest.ended() == 0, 'the machine was not switched off')
    check('Linux' not in guest.said(), 'it has started Linux')


def sign_module(guest, work, path):
    """A module of the guest with another signature than its own."""
    module = guest.get(path)
    if path.endswith('.xz'):
        module = lzma.decompress(module)
    if module.endswith(MAGIC):
        size, = struct.unpack('>I', module[-len(MAGIC) - 4:-len(MAGIC)])
        module = module[:-len(MAGIC) - 12 - size]
    plain, signature = work / 'module', work / 'module.p7s'
    plain.write_bytes(module)
    run('openssl', 'cms', '-sign', '-binary', '-nocerts', '-noattr',
        '-nosmimecap', '-md', 'sha256', '-signer', work / 'mok.crt', '-inkey',
        work / 'mok.key', '-in', plain, '-outform', 'DER', '-out', signature)
    raw = signature.read_bytes()
    return module + raw + struct.pack('>BBBBB3xI', 0, 0, 2, 0, 0, len(raw)) + \
        MAGIC


def test_mok(distro):
    """a key that mokutil imports and MokManager enrols lets its module in,
    also after another boot"""
    guest = distro.fresh()
    make_key(distro.work, 'mok')
    guest.put('/root/mok.der', (distro.work / 'mok.der').read_bytes())
    path = guest.sh('modinfo -n dummy')
    guest.put('/root/dummy.ko', sign_module(guest, distro.work, path))
    text = guest.sh('! insmod /root/dummy.ko')
    check('Key was rejected' in text, f'not refused for its key: {text}')
    guest.sh("printf 'secret\\nsecret\\n' | mokutil --import /root/mok.der")

    guest.seen = guest.console.stat().st_size
    guest.send('systemctl reboot; sleep infinity')
    guest.dialog(('Press any key to perform MOK', b'\r'),
                 ('Enroll MOK', DOWN + b'\r'),
                 ('View key 0', DOWN + b'\r'),
                 ('Enroll the key(s)?', DOWN + b'\r'),
                 ('Password:', b'secret\r'),
                 ('Reboot', b'\r'))
    guest.booted()
    check('mok of the test' in guest.sh('mokutil --list-enrolled'),
          'it is not in the list')
    guest.sh('insmod /root/dummy.ko && grep -q ^dummy /proc/modules')
    guest.reboot()
    guest.sh('insmod /root/dummy.ko && grep -q ^dummy /proc/modules')


def test_own_keys(distro):
    """keys of one's own are enrolled from setup mode, the platform key last,
    and then only what they have signed starts"""
    guest = distro.blank()
    check('Setup Mode' in guest.sh('mokutil --sb-state'), 'not in setup mode')
    put_keys(guest, distro.work, 'own')
    guest.sh(f'''cd /root && cert-to-efi-sig-list -g {OWNER} own.crt own.esl &&
for name in db KEK PK; do
    sign-efi-sig-list -k own.key -c own.crt $name own.esl $name.auth &&
    efi-updatevar -f $name.auth $name || exit 1
done''')
    own, debian = make_own(guest), guest.entries()['debian']
    guest.sh(f'efibootmgr -q -o {own} -n {debian}')
    said = guest.reboot()
    check(f'failed to load Boot{debian}' in said and 'Access Denied' in said,
          'what has no signature of ours was started')
    check(guest.efibootmgr('BootCurrent') == own, 'ours was not started')
    check('SecureBoot enabled' in guest.sh('mokutil --sb-state'),
          'secure boot is off')
    make_key(distro.work, 'second')
    put_keys(guest, distro.work, 'second')
    guest.sh(f'cd /root && chattr -i {DBX.replace("dbx", "db")} && '
             f'efi-updatevar -a -g {OWNER} -c second.crt -k own.key db && '
             'efi-readvar -v db | grep -q second')


def test_setup_key(distro):
    """a certificate that is enrolled in the firmware's setup is the platform
    key in the host's store"""
    guest = distro.blank()
    guest.put('/boot/efi/own.cer', (distro.work / 'own.der').read_bytes())
    guest.setup()
    guest.type(DOWN + b'\r')
    guest.dialog(('Press ESC to exit', DOWN + DOWN + b'\r'),
                 ('Secure Boot Mode', DOWN + b'\r' + DOWN + b'\r'),
                 ('Custom Secure Boot Options', DOWN + b'\r'),
                 ('DBT Options', b'\r'),
                 ('Delete Pk', b'\r'),
                 ('Discard Changes and Exit', b'\r'),
                 ('ESP,', b'\r'),
                 ('own.cer', 4 * DOWN + b'\r'),
                 ('Discard Changes and Exit', DOWN + b'\r'))
    guest.says('DBT Options')
    status = run(VARSTORE, 'status', distro.store)
    check('mode: user' in status and 'CN=own of the test' in status,
          f'the store has no such key: {status}')
