# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests of sleep and kexec, with a Debian guest."""

from distro_guest import check, run
from distro_boot import SHIM_PATH


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
