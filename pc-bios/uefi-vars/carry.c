/*
 * The variables that the firmware had in flash before this driver
 *
 * What it has made in this boot and still needs goes to the host's store.
 * What a user may miss there is remembered, to be told.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "driver.h"

/* Room for one name or one value of the firmware's variables */
#define CARRY_SIZE      EXCHANGE_SIZE

/* Names in flash that are told; the rest becomes "..." */
#define UNUSED_MAX      200

static const EfiGuid global = GUID_GLOBAL_VARIABLE;
static const EfiGuid image_security = GUID_IMAGE_SECURITY_DATABASE;

/* At the end of boot entries that edk2 makes for devices */
static const EfiGuid made_by_firmware = {
    0x8108ac4e, 0x9f11, 0x4d59,
    { 0x85, 0x0e, 0xe2, 0x1a, 0x52, 0x2c, 0x59, 0xb2 }
};

/* Nodes of device paths (UEFI 10.3.5.6) */
#define MEDIA_PATH              4
#define MEDIA_FIRMWARE_VOLUME   7

static EfiChar unused[UNUSED_MAX + 8];
static size_t unused_length;

const EfiChar *carry_unused(void)
{
    return unused;
}

/*
 * Which of its variables the firmware still needs after the change of store:
 * the volatile ones, made earlier in this boot, and the languages, which it
 * makes when they are missing and won't make again.  Everything else that is
 * non-volatile belongs to the old store, and authenticated variables can't be
 * written without a signature.
 */
static bool is_carried(const EfiChar *name, const EfiGuid *guid,
                       uint32_t attributes)
{
    if (attributes & (EFI_VARIABLE_AUTHENTICATED_WRITE_ACCESS |
                      EFI_VARIABLE_TIME_BASED_AUTHENTICATED_WRITE)) {
        return false;
    }
    return !(attributes & EFI_VARIABLE_NON_VOLATILE) ||
           (guid_equal(guid, &global) &&
            (!memcmp(name, u"PlatformLang", sizeof(u"PlatformLang")) ||
             !memcmp(name, u"Lang", sizeof(u"Lang"))));
}

static bool starts_with(const EfiChar *name, const EfiChar *start)
{
    while (*start && *name == *start) {
        name++;
        start++;
    }
    return !*start;
}

/*
 * A boot entry that the firmware makes itself, and makes again: for a program
 * in the firmware, or for a device, which edk2 marks with a GUID at the end
 * (UEFI 3.1.3)
 */
static bool is_own_entry(const uint8_t *entry, size_t size)
{
    size_t path = 6 + name_bytes((const EfiChar *)(entry + 6), size - 6);

    return (size >= path + 4 && entry[path] == MEDIA_PATH &&
            entry[path + 1] == MEDIA_FIRMWARE_VOLUME) ||
           (size >= sizeof(made_by_firmware) &&
            !memcmp(entry + size - sizeof(made_by_firmware),
                    &made_by_firmware, sizeof(made_by_firmware)));
}

/* What users and systems set: keys and boot entries, not consoles and such */
static bool is_setting(const EfiChar *name, const EfiGuid *guid,
                       const uint8_t *data, size_t size)
{
    if (!guid_equal(guid, &global)) {
        return guid_equal(guid, &image_security);
    }
    if (starts_with(name, u"Boot0")) {
        return size > 6 && !is_own_entry(data, size);
    }
    return starts_with(name, u"Driver0") || starts_with(name, u"SysPrep0") ||
           starts_with(name, u"PK") || starts_with(name, u"KEK");
}

static void note_unused(const EfiChar *name)
{
    size_t length = name_bytes(name, CARRY_SIZE) / sizeof(*name) - 1;

    if (unused_length > UNUSED_MAX) {
        return;
    }
    if (unused_length + 1 + length > UNUSED_MAX) {
        memcpy(unused + unused_length, u" ...", sizeof(u" ..."));
        unused_length = UNUSED_MAX + 1;
        return;
    }
    unused[unused_length++] = u' ';
    memcpy(unused + unused_length, name, length * sizeof(*name));
    unused_length += length;
}

/* @host: room for the host's value */
static bool host_has(const EfiChar *name, const EfiGuid *guid, size_t size,
                     const void *data, void *host)
{
    size_t host_size = CARRY_SIZE;

    return !vars_get(name, guid, NULL, &host_size, host) &&
           host_size == size && !memcmp(host, data, size);
}

/* @buffer: room for the value, and for another one */
static void carry(const EfiRuntimeServices *firmware, const EfiChar *name,
                  const EfiGuid *guid, uint8_t *buffer)
{
    size_t size = CARRY_SIZE, none = 0;
    uint32_t attributes;

    if (EFI_ERROR(firmware->get_variable(name, guid, &attributes, &size,
                                         buffer))) {
        return;
    }
    if (!is_carried(name, guid, attributes)) {
        if (is_setting(name, guid, buffer, size) &&
            !host_has(name, guid, size, buffer, buffer + CARRY_SIZE)) {
            note_unused(name);
        }
        return;
    }
    if (vars_get(name, guid, NULL, &none, NULL) != EFI_NOT_FOUND) {
        return;     /* the host knows better */
    }
    /* The host refuses what it alone may make; that is no failure. */
    vars_set(name, guid, attributes, size, buffer);
}

EfiStatus carry_variables(const EfiSystemTable *st)
{
    const EfiRuntimeServices *firmware = st->runtime;
    EfiGuid guid = { };
    EfiChar *name;
    size_t size;
    EfiStatus status;

    status = st->boot->allocate_pool(EFI_BOOT_SERVICES_DATA, 3 * CARRY_SIZE,
                                     (void **)&name);
    if (EFI_ERROR(status)) {
        return status;
    }
    memset(name, 0, CARRY_SIZE);
    for (;;) {
        size = CARRY_SIZE;
        if (EFI_ERROR(firmware->get_next_variable_name(&size, name, &guid))) {
            break;
        }
        carry(firmware, name, &guid, (uint8_t *)name + CARRY_SIZE);
    }
    return st->boot->free_pool(name);
}
