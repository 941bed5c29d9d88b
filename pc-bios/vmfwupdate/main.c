/*
 * A guest that brings its own firmware: finds it in a unified kernel image,
 * hands it to QEMU's device vmfwupdate, and resets into it
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "efi.h"
#include "fw_cfg.h"
#include "lib.h"
#include "vmfwupdate.h"

#define FILES               "etc/vmfwupdate/"
#define OPAQUE_SIZE         4096
#define MAX_BIOS_SIZE       0x1000000
#define FOUR_GIB            0x100000000ull

/* Firmware that starts works below; what is here it lets live the longest. */
#define FREE_MEMORY         0x2000000
#define PATH_MAX            512

#define RESET_COLD          0
#define FILE_MODE_READ      1
#define ALLOCATE_MAX        1

/* What the next firmware is told (docs/specs/vmfwupdate.rst) */
typedef struct {
    char magic[8];
    uint64_t addr;
    uint64_t size;
    uint64_t flags;
    uint8_t firmware[SHA1_SIZE];
} Note;

static const char note_magic[8] = "UKI\0\1\0\0";
#define NOTE_IS_FILE        1

/* UEFI 9.1.1 */
typedef struct {
    uint32_t revision;
    EfiHandle parent;
    EfiSystemTable *st;
    EfiHandle device;
    void *file_path, *reserved;
    uint32_t options_size;
    const void *options;
    uint8_t *base;
    uint64_t size;
} EfiLoadedImage;

/* UEFI 13.5.1, up to what is used */
typedef struct EfiFile EfiFile;
struct EfiFile {
    uint64_t revision;
    EfiStatus (*open)(EfiFile *self, EfiFile **file, const EfiChar *name,
                      uint64_t mode, uint64_t attributes);
    EfiStatus (*close)(EfiFile *self);
    void *delete;
    EfiStatus (*read)(EfiFile *self, size_t *size, void *buffer);
    void *write;
    EfiStatus (*get_position)(EfiFile *self, uint64_t *position);
    EfiStatus (*set_position)(EfiFile *self, uint64_t position);
};

/* UEFI 13.4.1 */
typedef struct EfiFileSystem EfiFileSystem;
struct EfiFileSystem {
    uint64_t revision;
    EfiStatus (*open_volume)(EfiFileSystem *self, EfiFile **root);
};

static const EfiGuid loaded_image_protocol = {
    0x5b1b31a1, 0x9562, 0x11d2,
    { 0x8e, 0x3f, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b }
};
static const EfiGuid file_system_protocol = {
    0x964e5b22, 0x6459, 0x11d2,
    { 0x8e, 0x39, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b }
};
static const EfiGuid smbios_table = {
    0xeb9d2d31, 0x2d88, 0x11d3,
    { 0x9a, 0x16, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d }
};
static const EfiGuid smbios3_table = {
    0xf2fd1544, 0x9794, 0x4a2c,
    { 0x99, 0x2e, 0xe5, 0xbb, 0xcf, 0x20, 0xe3, 0x94 }
};

static EfiSystemTable *st;

static EfiStatus say(EfiStatus status, const EfiChar *text)
{
    st->con_out->output_string(st->con_out, u"vmfwupdate: ");
    st->con_out->output_string(st->con_out, text);
    st->con_out->output_string(st->con_out, u"\r\n");
    return status;
}

/* Memory below 4 GiB, as low as the next firmware leaves it alone */
static void *allocate(uint64_t size)
{
    size_t pages = (size + EFI_PAGE_SIZE - 1) / EFI_PAGE_SIZE;
    uint64_t limit = FREE_MEMORY + (uint64_t)pages * EFI_PAGE_SIZE;

    for (; limit <= FOUR_GIB; limit *= 2) {
        uint64_t addr = limit - 1;

        if (!EFI_ERROR(st->boot->allocate_pages(ALLOCATE_MAX,
                                                EFI_BOOT_SERVICES_DATA,
                                                pages, &addr))) {
            return (void *)addr;
        }
    }
    return NULL;
}

/* ------------------------------------------------------------------------ */
/* The device */

#define READ_FILE(name, to) \
    read_file(FILES name, sizeof(FILES name), to, sizeof(*(to)))
#define WRITE_FILE(name, from) \
    write_file(FILES name, sizeof(FILES name), from, sizeof(*(from)))

static bool read_file(const char *name, size_t name_size, void *to,
                      size_t size)
{
    if (fw_cfg_open(name, name_size) < size) {
        return false;
    }
    fw_cfg_read(to, size);
    return true;
}

static bool write_file(const char *name, size_t name_size, const void *from,
                       size_t size)
{
    return fw_cfg_open(name, name_size) >= size && fw_cfg_write(from, size);
}

/* ------------------------------------------------------------------------ */
/* The image */

/* The last word of the options, if it is a path; else an empty string */
static void find_path(const EfiLoadedImage *image, EfiChar path[PATH_MAX])
{
    const uint8_t *text = image->options;
    size_t length = image->options_size / 2, start = 0;

    while (length && (!get16(text + length * 2 - 2) ||
                      get16(text + length * 2 - 2) == ' ')) {
        length--;
    }
    for (size_t i = 0; i < length; i++) {
        if (get16(text + i * 2) == ' ') {
            start = i + 1;
        }
    }
    length -= start;
    if (length >= PATH_MAX || !length || get16(text + start * 2) != '\\') {
        length = 0;
    }
    memcpy(path, text + start * 2, length * 2);
    path[length] = 0;
}

static bool load_open_file(EfiFile *file, Bytes *bytes)
{
    uint64_t size = 0;
    size_t length;
    void *data;

    if (EFI_ERROR(file->set_position(file, UINT64_MAX)) ||
        EFI_ERROR(file->get_position(file, &size)) ||
        EFI_ERROR(file->set_position(file, 0)) || !size ||
        size >= FOUR_GIB) {
        return false;
    }
    data = allocate(size);
    length = size;
    if (!data || EFI_ERROR(file->read(file, &length, data)) ||
        length != size) {
        return false;
    }
    *bytes = (Bytes) { data, size };
    return true;
}

/* Read the file @path of the partition that this program comes from. */
static bool load_file(const EfiLoadedImage *image, const EfiChar *path,
                      Bytes *bytes)
{
    EfiFileSystem *fs;
    EfiFile *root, *file;
    bool loaded;

    if (EFI_ERROR(st->boot->handle_protocol(image->device,
                                            &file_system_protocol,
                                            (void **)&fs)) ||
        EFI_ERROR(fs->open_volume(fs, &root))) {
        return false;
    }
    loaded = !EFI_ERROR(root->open(root, &file, path, FILE_MODE_READ, 0));
    if (loaded) {
        loaded = load_open_file(file, bytes);
        file->close(file);
    }
    root->close(root);
    return loaded;
}

/* The UKI in memory that survives the reset */
static bool load_uki(EfiHandle self, Uki *uki)
{
    EfiLoadedImage *image;
    EfiChar path[PATH_MAX];
    void *copy;

    if (EFI_ERROR(st->boot->handle_protocol(self, &loaded_image_protocol,
                                            (void **)&image))) {
        return false;
    }
    find_path(image, path);
    uki->loaded = !path[0];
    if (path[0]) {
        return load_file(image, path, &uki->bytes);
    }
    copy = allocate(image->size);
    if (copy) {
        memcpy(copy, image->base, image->size);
        uki->bytes = (Bytes) { copy, image->size };
    }
    return copy;
}

static void read_hardware(Hardware *hw)
{
    const uint8_t *entry = find_table(st, &smbios3_table);
    Bytes table = { 0 };

    if (entry) {
        memcpy(&table.data, entry + 16, 8);
        table.size = get32(entry + 12);
    } else {
        entry = find_table(st, &smbios_table);
        if (entry) {
            table.data = (const uint8_t *)(uintptr_t)get32(entry + 24);
            table.size = get16(entry + 22);
        }
    }
    hw_read(hw, table);
}

/* ------------------------------------------------------------------------ */

/* Announce the firmware and reset.  Returns if the device did not take it. */
static EfiStatus hand_over(const Uki *uki, Bytes firmware, uint64_t bios_size)
{
    uint8_t *bios = allocate(bios_size);
    uint64_t addr = (uintptr_t)bios, taken = 0;
    Note note = {
        .addr = (uintptr_t)uki->bytes.data, .size = uki->bytes.size,
        .flags = uki->loaded ? 0 : NOTE_IS_FILE,
    };

    if (!bios) {
        return say(EFI_OUT_OF_RESOURCES, u"no memory for the firmware");
    }
    memset(bios, 0, bios_size - firmware.size);
    memcpy(bios + bios_size - firmware.size, firmware.data, firmware.size);
    memcpy(note.magic, note_magic, sizeof(note.magic));
    sha1(firmware, note.firmware);
    if (!WRITE_FILE("opaque", &note) || !WRITE_FILE("bios-addr", &addr) ||
        !READ_FILE("bios-addr", &taken) || taken != addr) {
        return say(EFI_DEVICE_ERROR, u"the device does not take it");
    }
    say(EFI_SUCCESS, u"resetting into the firmware of the kernel image");
    st->runtime->reset_system(RESET_COLD, EFI_SUCCESS, 0, NULL);
    return EFI_DEVICE_ERROR;
}

/* Whether this firmware was handed over before the last reset, in vain */
static bool tried_before(Bytes firmware)
{
    static const Note none;
    uint8_t digest[SHA1_SIZE];
    Note note;

    sha1(firmware, digest);
    if (!READ_FILE("opaque", &note) ||
        memcmp(note.magic, note_magic, sizeof(note.magic)) ||
        memcmp(note.firmware, digest, sizeof(digest))) {
        return false;
    }
    WRITE_FILE("opaque", &none);
    return true;
}

EfiStatus efi_main(EfiHandle self, EfiSystemTable *system_table)
{
    uint64_t bios_size;
    uint8_t disabled;
    Uki uki = { 0 };
    Bytes firmware;
    Hardware hw;
    bool again;

    st = system_table;
    if (!READ_FILE("bios-size", &bios_size) ||
        !READ_FILE("disable", &disabled) || bios_size > MAX_BIOS_SIZE) {
        return say(EFI_UNSUPPORTED, u"no such device");
    }
    if (!load_uki(self, &uki)) {
        return say(EFI_LOAD_ERROR, u"the kernel image can't be read");
    }
    read_hardware(&hw);
    if (!uki_firmware(&uki, &hw, &firmware)) {
        return say(EFI_NOT_FOUND, u"no firmware for this machine");
    }
    if (firmware.size > bios_size) {
        return say(EFI_BAD_BUFFER_SIZE, u"the firmware is too large");
    }
    again = tried_before(firmware);
    if (!memcmp((void *)(uintptr_t)(FOUR_GIB - firmware.size), firmware.data,
                firmware.size)) {
        return say(EFI_SUCCESS, u"the firmware is in place");
    }
    if (again) {
        return say(EFI_DEVICE_ERROR, u"the firmware was not taken");
    }
    if (disabled) {
        return say(EFI_ACCESS_DENIED, u"disabled until the next reset");
    }
    return hand_over(&uki, firmware, bios_size);
}
