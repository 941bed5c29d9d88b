/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: descriptors, from which managers of virtual machines learn
 * what firmware there is
 *
 * The format is docs/interop/firmware.json of QEMU.
 */

#include "qemu/osdep.h"
#include "tool.h"
#include "hw/uefi/var-service-status.h"

/* A store without variables, which an installation of QEMU brings */
#define BLANK_STORE     "uefi-vars-blank.json"

/* The first firmware volume of an image begins within so many bytes. */
#define VOLUME_WITHIN   (64 * 1024)

static char *opt_arch;
static char **opt_machines;
static gboolean opt_secure_boot;
static char *opt_template;
static char *opt_description;

static const GOptionEntry options[] = {
    { "arch", 0, 0, G_OPTION_ARG_STRING, &opt_arch,
      "aarch64, loongarch64, riscv64 or x86_64", "ARCH" },
    { "machine", 'm', 0, G_OPTION_ARG_STRING_ARRAY, &opt_machines,
      "Machine types that the firmware is for; can be repeated", "GLOB" },
    { "secure-boot", 0, 0, G_OPTION_ARG_NONE, &opt_secure_boot,
      "The firmware was built with secure boot", NULL },
    { "template", 't', 0, G_OPTION_ARG_FILENAME, &opt_template,
      "The store that a new guest begins with", "FILE" },
    { "description", 0, 0, G_OPTION_ARG_STRING, &opt_description,
      "What people read about the firmware", "TEXT" },
    TOOL_OPTION_OLD('a', STRING, &opt_arch),
    TOOL_OPTION_OLD('d', STRING, &opt_description),
    { }
};

/* Architectures that have a device, and their machines by default */
static const struct {
    const char *arch;
    const char *machine;
} targets[] = {
    { "aarch64", "virt-*" },
    { "loongarch64", "virt*" },
    { "riscv64", "virt*" },
    { "x86_64", "pc-q35-*" },
};

static const char *default_machine(const char *arch)
{
    for (size_t i = 0; i < G_N_ELEMENTS(targets); i++) {
        if (!strcmp(targets[i].arch, arch)) {
            return targets[i].machine;
        }
    }
    return NULL;
}

/* The file that @path names is firmware: PI 1.8, volume 3, 3.2.1 */
static bool check_image(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    g_autofree uint8_t *start = g_malloc(VOLUME_WITHIN);
    ssize_t size;

    /* pread() refuses what is no file */
    size = fd < 0 ? -1 : pread(fd, start, VOLUME_WITHIN, 0);
    if (size < 0) {
        tool_fail("%s: %s", path, g_strerror(errno));
    }
    if (fd >= 0) {
        close(fd);
    }
    for (ssize_t i = 0; i + 4 <= size; i++) {
        if (!memcmp(start + i, "_FVH", 4)) {
            return true;
        }
    }
    if (size >= 0) {
        tool_fail("%s: this is no image of UEFI firmware", path);
    }
    return false;
}

/* Whether a guest that begins with the store @path has secure boot on */
static bool read_template(const char *path, bool *secure_boot)
{
    g_autoptr(GError) err = NULL;
    g_autoptr(UefiVarStatus) status = NULL;
    const ToolForm form = { };
    g_autoptr(ToolStore) s = tool_store_open(path, TOOL_READ, &form, &err);

    if (!s) {
        tool_fail("%s", err->message);
        return false;
    }
    if (s->foreign) {
        tool_fail("%s: not a store that a guest can begin with; use 'import'",
                  path);
        return false;
    }
    status = uefi_status_new(s->uv);
    *secure_boot = uefi_secure_boot_is_on(status->next);
    return true;
}

/* The blank store beside @image or of an installed QEMU, or NULL */
static char *find_blank(const char *image)
{
    g_autofree char *beside = g_path_get_dirname(image);
    const char *const dirs[] = {
        beside, "/usr/share/qemu", "/usr/local/share/qemu"
    };

    for (size_t i = 0; i < G_N_ELEMENTS(dirs); i++) {
        g_autofree char *path = g_build_filename(dirs[i], BLANK_STORE, NULL);

        if (access(path, R_OK) == 0) {
            return g_steal_pointer(&path);
        }
    }
    fprintf(stderr, TOOL_NAME ": warning: without --template libvirt gives a "
            "guest no store, and there is no " BLANK_STORE "\n");
    return NULL;
}

/* The absolute form of @path, or NULL after a message */
static char *absolute(const char *path)
{
    char *result = g_canonicalize_filename(path, NULL);

    if (!g_utf8_validate(result, -1, NULL)) {
        tool_fail("a path in a descriptor is UTF-8");
        g_clear_pointer(&result, g_free);
    }
    return result;
}

static Json *list_of(const char *const *items)
{
    Json *list = json_object_new_array();

    for (size_t i = 0; items[i]; i++) {
        json_object_array_add(list, json_object_new_string(items[i]));
    }
    return list;
}

static Json *mapping(const char *image, const char *template)
{
    Json *object = json_object_new_object();

    tool_json_add(object, "device", json_object_new_string("memory"));
    tool_json_add(object, "filename", json_object_new_string(image));
    if (template) {
        Json *vars = json_object_new_object();

        tool_json_add(vars, "template", json_object_new_string(template));
        tool_json_add(object, "uefi-vars", vars);
    }
    return object;
}

static Json *target(const char *arch, const char *const *machines)
{
    Json *list = json_object_new_array();
    Json *object = json_object_new_object();

    tool_json_add(object, "architecture", json_object_new_string(arch));
    tool_json_add(object, "machines", list_of(machines));
    json_object_array_add(list, object);
    return list;
}

/* @enrolled: the template has secure boot on */
static void print_descriptor(const char *image, const char *template,
                             bool enrolled)
{
    const char *const machines[] = { default_machine(opt_arch), NULL };
    const char *const features[] = {
        "host-uefi-vars",
        opt_secure_boot ? "secure-boot" : NULL,
        enrolled ? "enrolled-keys" : NULL,
        NULL
    };
    const char *const interfaces[] = { "uefi", NULL };
    const char *const tags[] = { NULL };
    g_autofree char *description = g_strdup_printf(
        "UEFI firmware for %s%s, variables kept by the host", opt_arch,
        opt_secure_boot ? ", with Secure Boot" : "");
    Json *root = json_object_new_object();

    tool_json_add(root, "description", json_object_new_string(
        opt_description ? opt_description : description));
    tool_json_add(root, "interface-types", list_of(interfaces));
    tool_json_add(root, "mapping", mapping(image, template));
    tool_json_add(root, "targets", target(opt_arch, opt_machines ?
                                (const char *const *)opt_machines :
                                machines));
    tool_json_add(root, "features", list_of(features));
    tool_json_add(root, "tags", list_of(tags));
    puts(json_object_to_json_string_ext(root, JSON_C_TO_STRING_PRETTY |
                                        JSON_C_TO_STRING_SPACED |
                                        JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(root);
}

static int run_descriptor(char **args)
{
    g_autofree char *image = NULL;
    g_autofree char *template = NULL;
    bool template_enforces = false;

    if (!opt_arch || !default_machine(opt_arch)) {
        return tool_usage("--arch is aarch64, loongarch64, riscv64 or "
                          "x86_64");
    }
    image = absolute(args[0]);
    if (!image || !check_image(image)) {
        return TOOL_FAILED;
    }
    if (opt_template) {
        template = absolute(opt_template);
        if (!template || !read_template(template, &template_enforces)) {
            return TOOL_FAILED;
        }
    } else {
        template = find_blank(image);
    }
    print_descriptor(image, template, opt_secure_boot && template_enforces);
    return TOOL_OK;
}

const ToolCommand tool_cmd_descriptor = {
    .name = "firmware-descriptor",
    .arguments = "IMAGE",
    .summary = "Describe firmware for libvirt and the like.",
    .options = options,
    .min_args = 1,
    .max_args = 1,
    .run = run_descriptor,
};
