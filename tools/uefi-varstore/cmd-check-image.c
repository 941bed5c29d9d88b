/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: whether secure boot would start a UEFI program, and why
 */

#include "qemu/osdep.h"
#include "tool.h"
#include "hw/uefi/var-service-secureboot.h"
#include "hw/uefi/var-service-status.h"

/* ------------------------------------------------------------------------ */
/* SBAT: generations of components, which shim compares with SbatLevel */

/* A line of SBAT: its component and generation */
static bool split_line(const char *line, char **component, guint64 *number)
{
    g_auto(GStrv) parts = g_strsplit(line, ",", 3);

    if (!parts[0] || !parts[1] ||
        !g_ascii_string_to_unsigned(g_strstrip(parts[1]), 10, 0, G_MAXINT32,
                                    number, NULL)) {
        return false;
    }
    *component = g_strdup(g_strstrip(parts[0]));
    return true;
}

/* The generation that @level demands of @component, or 0 */
static guint64 demanded(char **level, const char *component)
{
    for (; *level; level++) {
        g_autofree char *name = NULL;
        guint64 number;

        if (split_line(*level, &name, &number) && !strcmp(name, component)) {
            return number;
        }
    }
    return 0;
}

static char **lines_of(GBytes *text)
{
    gsize size;
    const char *data = g_bytes_get_data(text, &size);
    g_autofree char *copy = g_strndup(data ?: "", size);

    return g_strsplit(copy, "\n", -1);
}

/* Whether SbatLevel of the store lets shim start @image */
static bool check_sbat(const ToolStore *s, GBytes *image, GString *why)
{
    g_autoptr(GBytes) section = tool_pe_section(image, ".sbat");
    const UefiVariable *var =
        uefi_store_find_ascii(s->uv->store, UEFI_VIEW_BOOT, &tool_guid_shim,
                              "SbatLevel");
    g_auto(GStrv) level = var ? lines_of(var->data) : NULL;
    g_auto(GStrv) lines = section ? lines_of(section) : NULL;

    for (char **line = lines; level && line && *line; line++) {
        g_autofree char *component = NULL;
        guint64 number, least;

        if (!split_line(*line, &component, &number)) {
            continue;
        }
        least = demanded(level, component);
        if (number < least) {
            g_string_append_printf(why, "; but shim would not, as SbatLevel "
                                   "demands generation %" PRIu64 " of %s, "
                                   "and it has %" PRIu64, least, component,
                                   number);
            return false;
        }
    }
    return true;
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
