# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests of boot entries and of what ends a guest, with a Debian guest."""

import json
import os
import random
import re
import time

from distro_guest import COMMAND_SECONDS, DOWN, VARSTORE, check, run

SHIM_PATH = r'\EFI\debian\shimx64.efi'
# of the kernel's own, for which efivarfs makes no file immutable
CRASH = 'cfc8fc79-be2e-4ddc-97f0-9f98bfe298a0'
COUNTER = 'dump-type0-counter'
SYSRQ = 'cd /proc/sys/kernel && echo 1 > sysrq && echo 1 > panic'


def entries_of(store):
    """{label: number} of the boot entries of a store that is valid."""
    run(VARSTORE, 'check', store)
    entries = json.loads(run(VARSTORE, 'boot', 'list', '--json', store))
    for entry in entries:
        check(entry.get('label') and entry.get('path'),
              f'an entry is not whole: {entry}')
    return {entry['label']: entry['name'] for entry in entries}


def test_entries(distro):
    """efibootmgr creates, reorders, switches off and deletes entries, and so
    they are after the next boot"""
    guest = distro.fresh()
    one, two, three = (guest.create(label, SHIM_PATH)
                       for label in ('One', 'Two', 'Three'))
    guest.sh(f'efibootmgr -q -o {three},{two},{one}')
    guest.sh(f'efibootmgr -q -A -b {three} && efibootmgr -q -B -b {one}')
    guest.reboot()
    order = guest.efibootmgr('BootOrder').split(',')
    check(order[:2] == [three, two] and one not in order,
          f'the order is {order}')
    check('One' not in guest.entries(), 'a deleted entry is back')
    check(guest.efibootmgr('BootCurrent') == two,
          'an entry that is switched off was started')


def test_fallback(distro):
    """the default path starts when the entry is gone, and makes it anew"""
    guest = distro.fresh()
    guest.sh(f'efibootmgr -q -B -b {guest.entries()["debian"]}')
    check('debian' not in guest.entries(), 'the entry is not deleted')
    guest.reboot()
    check('debian' in guest.entries(), 'the entry did not come back')


def test_setup(distro):
    """the firmware's setup starts when the guest asks for it, once, and its
    boot menu has the host's entries"""
    guest = distro.fresh()
    one, _ = (guest.create(label, SHIM_PATH) for label in ('One', 'Two'))
    guest.setup()
    guest.type(DOWN + DOWN + b'\r')
    guest.says('to exit the Boot Manager Menu')
    check(re.search(r'Two\s+One\s+debian\s', guest.said()),
          f'these are not the entries: {guest.said()}')
    guest.type(DOWN + b'\r')
    guest.booted()
    check(guest.efibootmgr('BootCurrent') == one, 'another entry started')
    check(guest.sh('! bootctl reboot-to-firmware') == 'supported',
          'it would start again')


def test_crash(distro):
    """a guest that crashes, or is reset at once, finds its entries again"""
    guest = distro.fresh()
    guest.sh(SYSRQ)
    before = guest.create('Before', SHIM_PATH)
    guest.reboot('echo b > /proc/sysrq-trigger')
    check(guest.entries().get('Before') == before, 'lost by a reset')
    guest.sh(SYSRQ)
    crash = guest.create('Crash', SHIM_PATH)
    guest.reboot('echo c > /proc/sysrq-trigger')
    check(guest.entries().get('Crash') == crash, 'lost by a crash')


def test_poweroff(distro):
    """a guest that is switched off finds its entries again"""
    guest = distro.fresh()
    number = guest.create('Off', SHIM_PATH)
    guest.send('systemctl poweroff; sleep infinity')
    check(guest.ended() == 0, 'QEMU did not end well')
    check(entries_of(distro.store).get('Off') == f'Boot{number}',
          'the entry is not in the store')
    guest = distro.start()
    check(guest.entries().get('Off') == number, 'the entry is lost')


def test_killed(distro):
    """whatever moment kills QEMU while entries are written, they are whole,
    and what was acknowledged is there"""
    for _ in range(8):
        guest = distro.fresh()
        guest.send(f'''number=0
while efibootmgr -q -c -d /dev/vda -p 1 -L Kill -l '{SHIM_PATH}'; do
    number=$((number + 1))
    printf '\\7\\0\\0\\0%d' $number \
        > /sys/firmware/efi/efivars/{COUNTER}-{CRASH} || break
    echo $number > /dev/ttyS1
    if [ $((number % 4)) = 0 ]; then
        for entry in $(efibootmgr | sed -n 's/^Boot\(....\)\* Kill.*/\1/p'); do
            efibootmgr -q -B -b $entry || break
        done
    fi
done''')
        first = guest.line(COMMAND_SECONDS)
        check(first == '1', f'not the first number: {first}')
        time.sleep(random.uniform(0, 4))
        guest.qemu.kill()
        whole, _, _ = guest.reader.read().decode().rpartition('\n')
        last = (whole.split() or [first])[-1]
        check('debian' in entries_of(distro.store), 'an entry is lost')
        stored = run(VARSTORE, 'get', '--raw', '--guid', CRASH, distro.store,
                     COUNTER)
        check(int(stored) in (int(last), int(last) + 1),
              f'{last} was acknowledged, {stored} is stored')
    guest = distro.start()
    check('debian' in guest.entries(), 'the entry "debian" is lost')


# the first entry of the boot order is not what an upgrade makes of it, and
# "debian" starts another file
UPGRADE = 'DEBIAN_FRONTEND=noninteractive apt-get -q -y upgrade'
UPGRADE_SECONDS = 1200
OLD_PATH, OTHER = r'\EFI\BOOT\BOOTX64.EFI', 'Other'


def before_upgrade(distro):
    """A guest that is about to upgrade kernel and boot loader."""
    guest = distro.fresh()
    debian = guest.entries()['debian']
    guest.sh(f'efibootmgr -q -B -b {debian} && apt-get -q update')
    other = guest.create(OTHER, SHIM_PATH)
    debian = guest.create('debian', OLD_PATH)
    guest.sh(f'efibootmgr -q -o {other},{debian}')
    return guest


def check_upgrade(distro, guest, whole):
    """The entries are those of before or after an upgrade, and it boots."""
    check('SecureBoot enabled' in guest.sh('mokutil --sb-state'),
          'secure boot is off')
    entries = entries_of(distro.store)
    check({'debian', OTHER} <= set(entries), f'an entry is lost: {entries}')
    names = {number: label for label, number in guest.entries().items()}
    order = [names.get(number) for number in
             guest.efibootmgr('BootOrder').split(',')]
    check(order[:2] == ['debian', OTHER] or
          not whole and order[:2] == [OTHER, 'debian'],
          f'the order of boot entries is {order}')


def test_upgrade_ended(distro):
    """a crash, or whatever kills QEMU, at any moment of an upgrade of kernel
    and boot loader leaves whole entries, with which the guest boots"""
    seed = os.environ.get('SEED') or str(random.randrange(10 ** 9))
    print(f'# SEED={seed}')
    chance = random.Random(seed)

    guest = before_upgrade(distro)
    start = time.monotonic()
    guest.send(UPGRADE)
    guest.answer(UPGRADE, UPGRADE_SECONDS)
    seconds = time.monotonic() - start
    print(f'# {seconds:.0f} s for an upgrade')
    guest.reboot()
    check_upgrade(distro, guest, whole=True)

    for way in ('crash', 'kill', 'kill'):
        guest = before_upgrade(distro)
        if way == 'crash':
            guest.sh(f'{SYSRQ} && {{ {UPGRADE} > /dev/null 2>&1 & }}')
        else:
            guest.send(UPGRADE)
        time.sleep(chance.uniform(0, seconds))
        if way == 'crash':
            guest.reboot('echo c > /proc/sysrq-trigger')
        else:
            distro.stop()
            entries_of(distro.store)
            guest = distro.start()
        check_upgrade(distro, guest, whole=False)


def test_many_writes(distro):
    """ten thousand writes and deletes, and nothing is left of them"""
    guest = distro.fresh()
    listing = 'ls /sys/firmware/efi/efivars | wc -l'
    before = guest.sh(listing), run(VARSTORE, 'list', distro.store)
    for start in range(0, 10000, 1000):
        # the attributes alone delete a variable
        guest.sh(f'''cd /sys/firmware/efi/efivars
for i in $(seq {start} {start + 999}); do
    name=dump-type0-$((i % 50))-{CRASH}
    printf '\\7\\0\\0\\0%01000d' $i > $name || exit 1
    [ $((i % 5)) = 4 ] || printf '\\7\\0\\0\\0' > $name || exit 1
done''')
    guest.sh('cd /sys/firmware/efi/efivars && '
             f'for name in dump-type0-*-{CRASH}; do '
             "printf '\\7\\0\\0\\0' > $name || exit 1; done")
    after = guest.sh(listing), run(VARSTORE, 'list', distro.store)
    check(after == before, f'{before} became {after}')
