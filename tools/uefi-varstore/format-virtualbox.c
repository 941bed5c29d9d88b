/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: the .nvram of VirtualBox 7, which has a TPM besides
 *
 * A tar archive (POSIX.1-1988 ustar, or GNU) whose member "efi/nvram" is a
 * flash image of edk2.  Without a TPM the file is that image itself.  Each
 * member is a header of 512 bytes and the contents, padded to 512 bytes;
 * numbers are in octal digits.
 */

#include "qemu/osdep.h"
#include "format.h"
#include "hw/uefi/var-service-text.h"

#define BLOCK           512
#define NAME_SIZE       100
#define SIZE_AT         124
#define NUMBER_SIZE     12
#define CHECKSUM_AT     148
#define CHECKSUM_SIZE   8
#define TYPE_AT         156
#define MAGIC_AT        257
#define MEMBER          "efi/nvram"

static bool detect(UefiMsg *in)
{
    return in->size >= BLOCK && !memcmp(in->buf + MAGIC_AT, "ustar", 5);
}

static uint64_t read_octal(const uint8_t *text, size_t size)
{
    uint64_t value = 0;

    while (size && *text == ' ') {
        text++;
        size--;
    }
    for (; size && *text >= '0' && *text <= '7'; text++, size--) {
        value = value << 3 | (*text - '0');
    }
    return value;
}

/* The sum of all bytes, those of the sum itself as spaces */
static bool is_header(const uint8_t *header)
{
    uint64_t sum = CHECKSUM_SIZE * ' ';

    for (size_t i = 0; i < BLOCK; i++) {
        if (i < CHECKSUM_AT || i >= CHECKSUM_AT + CHECKSUM_SIZE) {
            sum += header[i];
        }
    }
    return sum == read_octal(header + CHECKSUM_AT, CHECKSUM_SIZE);
}

/*
 * Put @member over the contents of the next member that is a file; its name is
 * NULL at the end of the archive.
 */
static bool next_member(UefiMsg *in, char **name, UefiMsg *member,
                        GError **err)
{
    for (;;) {
        size_t at = in->pos;
        const uint8_t *header = uefi_msg_get_bytes(in, BLOCK), *data;
        uint64_t size;

        if (!header || tool_is_zero(header, BLOCK)) {
            return true;
        }
        if (!is_header(header)) {
            return uefi_text_fail(err, "the archive is damaged at byte %zu",
                                  at);
        }
        size = read_octal(header + SIZE_AT, NUMBER_SIZE);
        data = size <= in->size ? uefi_msg_get_bytes(in, size) : NULL;
        if (!data) {
            return uefi_text_fail(err, "the archive is cut off in the member "
                                  "at byte %zu", at);
        }
        uefi_msg_seek(in, MIN(ROUND_UP(in->pos, BLOCK), in->size));
        if (header[TYPE_AT] == '0' || !header[TYPE_AT]) {
            *name = g_strndup((const char *)header, NAME_SIZE);
            uefi_msg_init(member, (void *)data, size, 8);
            return true;
        }
    }
}

static bool virtualbox_read(ToolTransfer *t, UefiMsg *in, GError **err)
{
    bool found = false;

    for (;;) {
        g_autofree char *name = NULL;
        UefiMsg member;

        if (!next_member(in, &name, &member, err)) {
            return false;
        }
        if (!name) {
            break;
        }
        if (strcmp(name, MEMBER)) {
            tool_transfer_note(t, "'%s' is left out: it has no variables",
                               name);
        } else if (found || !tool_format_edk2.read(t, &member, err)) {
            g_prefix_error(err, "'%s': ", name);
            return found ? uefi_text_fail(err, "'%s' is there twice", name)
                         : false;
        } else {
            found = true;
        }
    }
    return found || uefi_text_fail(err, "the archive has no member '%s'",
                                   MEMBER);
}

const ToolFormat tool_format_virtualbox = {
    .name = "virtualbox",
    .detect = detect,
    .read = virtualbox_read,
};
