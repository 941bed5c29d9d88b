# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests of sleep, kexec and another boot loader, with a Debian guest."""

import re

from distro_guest import check, run
from distro_boot import SHIM_PATH
from distro_keys import put_keys

EFIVARS = '/sys/firmware/efi/efivars'
LOADER = '4a67b082-0a4c-41cf-b6c7-440b29bb8c4f'


def writes(guest, label):
    """Boot entries can be made and deleted."""
    number = guest.create(label, SHIM_PATH)
    guest.sh(f'efibootmgr -q -B -b {number}')
    check(label not in guest.entries(), f'{label} is not deleted')


def test_kexec(distro):
    """a kernel that a kernel has started has variables and secure boot"""
    guest = distro.fresh()
    guest.sh('''kexec -s -l /boot/vmlinuz-* --initrd=$(echo /boot/initrd*) \
--command-line="$(cat /proc/cmdline) second"''')
    number = guest.create('Before', SHIM_PATH)
    guest.reboot('systemctl kexec')
    check('second' in guest.sh('cat /proc/cmdline'), 'not the second kernel')
    check('SecureBoot enabled' in guest.sh('mokutil --sb-state'),
          'it sees no secure boot')
    check(guest.entries().get('Before') == number, 'the entry is lost')
    writes(guest, 'After')


def test_sleep(distro):
    """variables and runtime services work on after suspend to memory"""
    guest = distro.fresh()
    number = guest.create('Before', SHIM_PATH)
    guest.send('echo deep > /sys/power/mem_sleep; echo mem > /sys/power/state')
    guest.monitor.wait_event('SUSPEND')
    guest.monitor.command('system_wakeup')
    guest.answer('sleep')
    check(guest.entries().get('Before') == number, 'the entry is lost')
    writes(guest, 'After')
    guest.reboot()
    check(guest.entries().get('Before') == number, 'lost at the next boot')


def test_hibernation(distro):
    """the same after suspend to disk, without secure boot, which forbids it"""
    swap = distro.work / 'swap'
    run('truncate', '-s', '1G', swap)
    run('mkswap', swap)
    disk = '-drive', f'if=virtio,format=raw,file={swap}'
    guest = distro.blank(*disk)
    guest.sh("sed -i 's/quiet/quiet resume=\\/dev\\/vdb/' "
             '/boot/efi/EFI/debian/grub.cfg && swapon /dev/vdb')
    number = guest.create('Before', SHIM_PATH)
    guest.sh(f'efibootmgr -q -o {number}')
    boot = guest.sh('cat /proc/sys/kernel/random/boot_id')
    guest.send('echo disk > /sys/power/state')
    check(guest.ended() == 0, 'QEMU did not end well')
    guest = distro.launch(*disk)
    guest.answer('hibernation')
    check(guest.sh('cat /proc/sys/kernel/random/boot_id') == boot,
          'it has booted anew')
    check(guest.entries().get('Before') == number, 'the entry is lost')
    writes(guest, 'After')


def check_loader(guest, which, why):
    """systemd-boot has started an entry, and says so."""
    check(f'which={which}' in guest.sh('cat /proc/cmdline'), f'not {why}')
    raw = guest.get(f'{EFIVARS}/LoaderEntrySelected-{LOADER}')
    selected = raw[4:].decode('utf-16-le').rstrip('\0')
    # Debian 12's has the counter in the name
    check(re.fullmatch(rf'{which}(\+.*)?\.conf', selected),
          f'LoaderEntrySelected is {selected!r}')


def test_systemd_boot(distro):
    """systemd-boot, signed by an own key in db: entry selected, boot counting,
    entries for once and by default, seed of random numbers"""
    guest = distro.fresh()
    put_keys(guest, distro.work, 'own')
    guest.sh('''set -e; mkdir -p /boot/efi/EFI/systemd /boot/efi/loader/entries
cd /root
sign="sbsign --key own.key --cert own.crt"
$sign --output /boot/efi/EFI/systemd/systemd-bootx64.efi \
    $(ls /usr/lib/systemd/boot/efi/systemd-bootx64.efi* | head -n 1)
$sign --output /boot/efi/vmlinuz /boot/vmlinuz-*
cp /boot/initrd* /boot/efi/initrd
echo 'default counted*' > /boot/efi/loader/loader.conf
for name in plain once counted+3; do
    printf '%s\n' "title $name" "linux /vmlinuz" "initrd /initrd" \
        "options $(sed 's/BOOT_IMAGE=[^ ]* //' /proc/cmdline) which=$name" \
        > /boot/efi/loader/entries/$name.conf
done
# in a virtual machine Debian 12's writes the token only when asked
SYSTEMD_WRITE_SYSTEM_TOKEN=1 SYSTEMD_RELAX_ESP_CHECKS=1 bootctl random-seed''')
    seed = 'sha256sum < /boot/efi/loader/random-seed'
    token = f'sha256sum < {EFIVARS}/LoaderSystemToken-{LOADER}'
    first, kept = guest.sh(seed), guest.sh(token)
    number = guest.create('systemd', r'\EFI\systemd\systemd-bootx64.efi')
    guest.sh(f'efibootmgr -q -o {number}')

    guest.reboot()
    check_loader(guest, 'counted', 'that of loader.conf')
    check('counted+2-1.conf' in guest.sh('ls /boot/efi/loader/entries'),
          'the boot was not counted')
    # with secure boot on, Debian 12's leaves the seed alone
    renewed = 'VERSION_ID="12"' not in guest.sh('cat /etc/os-release')
    check((guest.sh(seed) != first) == renewed, 'the seed is not as expected')
    check(guest.sh(token) == kept, 'the token is another')
    guest.sh('''export SYSTEMD_RELAX_ESP_CHECKS=1
/usr/lib/systemd/systemd-bless-boot good && bootctl set-default plain.conf &&
bootctl set-oneshot once.conf''')
    check('counted.conf' in guest.sh('ls /boot/efi/loader/entries'),
          'the boot was not blessed')
    guest.reboot()
    check_loader(guest, 'once', 'that of LoaderEntryOneShot')
    guest.sh(f'! ls {EFIVARS}/LoaderEntryOneShot-*')
    guest.reboot()
    check_loader(guest, 'plain', 'that of LoaderEntryDefault')
    check('[integrity]' in guest.sh('cat /sys/kernel/security/lockdown'),
          'the kernel is not locked down')
