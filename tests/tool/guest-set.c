/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What a guest's SetVariable makes of updates
 *
 * usage: guest-set STORE [NAME FILE ATTRIBUTES]...
 *
 * Starts the service with the variables of STORE, as a plain document, passes
 * it each FILE with the hexadecimal ATTRIBUTES, and prints its answers, one a
 * line.  STORE stays as it is.  A name that is none of a key is a variable of
 * the vendor 11111111-2222-3333-4444-555555555555.
 */

#include "qemu/osdep.h"
#include "hw/uefi/var-service.h"
#include "hw/uefi/var-service-load.h"

static const UefiGuid vendor =
    UEFI_GUID(0x11111111, 0x2222, 0x3333,
              0x44, 0x44, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55);

static const UefiGuid *vendor_of(const char *name)
{
    if (!strcmp(name, "PK") || !strcmp(name, "KEK")) {
        return &uefi_guid_global;
    }
    return g_str_has_prefix(name, "db") ? &uefi_guid_image_security : &vendor;
}

static void set(UefiVarService *uv, const char *name, const char *path,
                uint32_t attributes)
{
    g_autofree uint16_t *str = uefi_str_from_ascii(name);
    g_autofree char *data = NULL;
    UefiReason reason;
    gsize size;

    if (!g_file_get_contents(path, &data, &size, NULL)) {
        printf("cannot be read\n");
        return;
    }
    reason = uefi_vars_set(uv, vendor_of(name), str, attributes,
                           (uint8_t *)data, size);
    printf("%s\n", uefi_reason_name(reason));
}

int main(int argc, char **argv)
{
    UefiVarConfig config = uefi_vars_default_config();
    g_autofree char *document = NULL;
    g_autoptr(UefiVarService) uv = NULL;

    if (argc < 2 || !g_file_get_contents(argv[1], &document, NULL, NULL)) {
        return 2;
    }
    uv = uefi_vars_new(&config, NULL, NULL);
    if (!uefi_load_store(uv, document, NULL, NULL, NULL)) {
        return 1;
    }
    uefi_vars_hard_reset(uv);
    for (int i = 2; i + 2 < argc; i += 3) {
        set(uv, argv[i], argv[i + 1], g_ascii_strtoull(argv[i + 2], NULL, 16));
    }
    return 0;
}
