/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: whether secure boot would start a UEFI program, and why
 */

#include "qemu/osdep.h"
#include "tool.h"
#include "hw/uefi/var-service-secureboot.h"
#include "hw/uefi/var-service-status.h"

/* Whether SbatLevel of the store lets shim start @image */
static bool check_sbat(const ToolStore *s, GBytes *image, GString *why)
{
    g_autoptr(GBytes) section = tool_pe_section(image, ".sbat");
    const UefiVariable *var =
        uefi_store_find_ascii(s->uv->store, UEFI_VIEW_BOOT, &tool_guid_shim,
                              "SbatLevel");

    return !section || !var || tool_sbat_allows(section, var->data, why);
}

/* ------------------------------------------------------------------------ */

static bool check_image(const ToolStore *s, GBytes *image, GString *why)
{
    UefiSecureBoot mode = uefi_secureboot_next(s->uv);
    ToolSignature by;

    if (!uefi_secure_boot_is_on(mode)) {
        g_string_append_printf(why, "secure boot is off: %s",
                               uefi_status_why(mode));
        return true;
    }
    return tool_image_allowed(s, image, &by, why) && check_sbat(s, image, why);
}

static int run_check_image(char **args)
{
    g_autoptr(GBytes) image = tool_read_file(args[0]);
    g_autoptr(ToolStore) s = image ? tool_open(args[1], TOOL_READ) : NULL;
    g_autoptr(GString) why = g_string_new(NULL);
    uint8_t digest[64];
    size_t size = sizeof(digest);
    bool starts;

    if (!s) {
        return TOOL_USAGE;
    }
    if (!tool_pe_hash(image, G_CHECKSUM_SHA256, digest, &size)) {
        tool_fail("%s: this is no UEFI program", args[0]);
        return TOOL_USAGE;
    }
    starts = check_image(s, image, why);
    if (tool_options.json) {
        Json *root = json_object_new_object();

        tool_json_add(root, "starts", json_object_new_boolean(starts));
        tool_json_add(root, "reason", tool_json_string(why->str));
        tool_print_json(root);
    } else {
        g_autofree char *shown = tool_printable(why->str);

        printf("%s: %s\n", starts ? "starts" : "refused", shown);
    }
    return starts ? TOOL_OK : TOOL_FAILED;
}

static const GOptionEntry check_image_options[] = {
    TOOL_OPTION_JSON,
    TOOL_OPTION_DICTIONARY,
    { }
};

const ToolCommand tool_cmd_check_image = {
    .name = "check-image",
    .arguments = "IMAGE FILE",
    .summary = "Tell whether secure boot starts a UEFI program, and why.",
    .options = check_image_options,
    .min_args = 2,
    .max_args = 2,
    .run = run_check_image,
};
