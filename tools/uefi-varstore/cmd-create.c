/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: an empty store in an image, or on a block device
 */

#include "qemu/osdep.h"
#include "tool.h"
#include "hw/uefi/var-service-text.h"

static gboolean opt_replace;

/* A file that is missing is made as large as it has to be. */
static int open_medium(const char *path, uint64_t size)
{
    int fd = open(path, O_RDWR | O_CLOEXEC | O_CREAT | O_EXCL, 0600);

    if (fd < 0) {
        return open(path, O_RDWR | O_CLOEXEC);
    }
    if (ftruncate(fd, size) < 0) {
        unlink(path);
        close(fd);
        return -1;
    }
    return fd;
}

/* Whether there is nothing yet, or nothing any more */
static bool make_blank(ToolImage *m, const char *path, uint64_t size,
                       GError **err)
{
    g_auto(UefiVarContent) content = { };

    if (opt_replace && !tool_image_erase(m, size, path, err)) {
        return false;
    }
    if (!tool_image_read(m, &content, err)) {
        return false;
    }
    if (content.document) {
        g_set_error(err, UEFI_VAR_FILE_ERROR, UEFI_VAR_FILE_ERROR_CHANGED,
                    "%s: there is a store already (see --replace)", path);
        return false;
    }
    return true;
}

static int run_create(char **args)
{
    size_t max_document = tool_options.size * UEFI_TEXT_FACTOR;
    UefiVarConfig config = uefi_vars_default_config();
    g_autoptr(UefiVarService) none = uefi_vars_new(&config, NULL, NULL);
    g_autofree char *document = uefi_text_print_document(none->store);
    g_autoptr(ToolImage) m = NULL;
    g_autoptr(GError) err = NULL;
    int fd = open_medium(args[0], uefi_var_slots_capacity(max_document));

    if (fd < 0) {
        return tool_fail("%s: %s", args[0], g_strerror(errno));
    }
    m = tool_image_new(fd, args[0], true, max_document, &err);
    if (!m ||
        !make_blank(m, args[0], uefi_var_slots_most(max_document), &err) ||
        !tool_image_write(m, document, &err)) {
        return tool_fail_with(err);
    }
    return TOOL_OK;
}

static const GOptionEntry create_options[] = {
    { "replace", 0, 0, G_OPTION_ARG_NONE, &opt_replace,
      "Overwrite what IMAGE has", NULL },
    TOOL_OPTION_SIZE,
    { }
};

const ToolCommand tool_cmd_create = {
    .name = "create",
    .arguments = "IMAGE",
    .summary = "Make an empty store for drive=, in a raw image or on a block "
               "device.",
    .options = create_options,
    .min_args = 1,
    .max_args = 1,
    .run = run_create,
};
