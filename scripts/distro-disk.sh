#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The disks of Debian guests: for make-distro and make-distro-arm to source, with
# the top of the repository in $top.

# Write an ESP with the signed shim and GRUB of ROOT, as Debian's packages are
# installed, for the architecture ARCH of UEFI (x64).
make_esp() {
    local root=$1 esp=$2 arch=$3 config=$4 shim=$1/usr/lib/shim name

    truncate -s 96M "$esp"
    mkfs.vfat -n ESP "$esp" > /dev/null
    mmd -i "$esp" ::/EFI ::/EFI/debian ::/EFI/BOOT
    # GRUB reads what stands beside it
    mcopy -i "$esp" "$config" ::/EFI/debian/grub.cfg
    mcopy -i "$esp" "$root"/usr/lib/grub/*-signed/"grub$arch.efi.signed" \
        "::/EFI/debian/grub$arch.efi"
    for name in "shim$arch" "mm$arch"; do
        mcopy -i "$esp" "$shim/$name.efi.signed" "::/EFI/debian/$name.efi"
    done
    mcopy -i "$esp" "$shim/BOOT${arch^^}.CSV" ::/EFI/debian/
    # what makes the boot entry anew, from the file of that name
    mcopy -i "$esp" "$shim/shim$arch.efi.signed" "::/EFI/BOOT/BOOT${arch^^}.EFI"
    mcopy -i "$esp" "$shim/fb$arch.efi.signed" "::/EFI/BOOT/fb$arch.efi"
}

# Write a disk of an ESP and, if there is one, a root; both of whole MiB.
make_disk() {
    local disk=$1 end=1 type=uefi table='label: gpt' part size
    local -a starts=()

    shift
    for part; do
        size=$(($(stat -c %s "$part") >> 20))
        table+=$'\n'"start=${end}MiB, size=${size}MiB, type=$type"
        starts+=($end)
        end=$((end + size)) type=linux
    done
    truncate -s $((end + 1))M "$disk"
    sfdisk -q "$disk" <<< "$table"
    for part; do
        dd if="$part" of="$disk" bs=1M seek="${starts[0]}" \
            conv=notrunc,sparse status=none
        starts=("${starts[@]:1}")
    done
}

# Wait until nobody else writes the image.
lock_image() {
    local dir=${1%/*}

    mkdir -p "$dir"
    exec 9> "$dir/.$(basename "$1").lock"
    flock 9
}

# Whether anything is newer than the image, or (an error message) there is none
image_is_old() {
    [ -n "$(find "$0" "${BASH_SOURCE[0]}" "$top/scripts/guest/agent" \
            -newer "$1" 2>&1)" ]
}
