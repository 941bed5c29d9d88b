/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: print a variable
 */

#include "qemu/osdep.h"
#include "tool.h"
#include "hw/uefi/var-service-text.h"

static gboolean opt_raw;
static gboolean opt_hexdump;

static void print_text(const UefiVariable *var)
{
    g_autoptr(GString) out = g_string_new(NULL);
    g_autofree char *name = uefi_str_print(var->name);
    g_autofree char *vendor = uefi_guid_print(&var->guid);
    g_autofree char *attributes = tool_attributes(var->attributes);
    const char *known = tool_vendor_name(&var->guid);
    size_t size;
    const uint8_t *data = g_bytes_get_data(var->data, &size);

    g_string_append_printf(out, "name: %s\nvendor: %s%s%s%s\n"
                           "attributes: %s\nsize: %zu\n", name, vendor,
                           known ? " (" : "", known ?: "", known ? ")" : "",
                           attributes, size);
    if (var->attributes & EFI_ATTR_AT) {
        g_autofree char *time = tool_time(&var->time);

        g_string_append_printf(out, "time: %s\n", time);
    }
    g_string_append_c(out, '\n');
    if (opt_hexdump || !tool_decode(out, var)) {
        tool_hexdump(out, data, size);
    }
    fputs(out->str, stdout);
}

static void print_json(const GPtrArray *vars)
{
    g_autoptr(GString) out = g_string_new(NULL);

    for (guint i = 0; i < vars->len; i++) {
        g_string_append(out, i ? ",\n" : "");
        uefi_text_print_variable(out, vars->pdata[i]);
    }
    printf(vars->len > 1 ? "[\n%s\n]\n" : "%s\n", out->str);
}

static int run_get(char **args)
{
    g_autoptr(ToolStore) s = tool_open(args[0], TOOL_READ);
    g_autoptr(GPtrArray) vars = s ? tool_select(s, args + 1) : NULL;

    if (!vars) {
        return TOOL_FAILED;
    }
    if (tool_options.json) {
        print_json(vars);
        return TOOL_OK;
    }
    for (guint i = 0; i < vars->len; i++) {
        const UefiVariable *var = vars->pdata[i];

        if (opt_raw) {
            fwrite(g_bytes_get_data(var->data, NULL), 1,
                   g_bytes_get_size(var->data), stdout);
        } else {
            fputs(i ? "\n" : "", stdout);
            print_text(var);
        }
    }
    return TOOL_OK;
}

static const GOptionEntry get_options[] = {
    TOOL_OPTION_JSON, TOOL_OPTION_GUID,
    { "raw", 'r', 0, G_OPTION_ARG_NONE, &opt_raw,
      "Print the bytes of the value and nothing else", NULL },
    { "hexdump", 0, 0, G_OPTION_ARG_NONE, &opt_hexdump,
      "Print a hex dump even where the meaning is known", NULL },
    TOOL_OPTION_OLD('x', NONE, &opt_hexdump),
    TOOL_OPTION_DICTIONARY,
    { }
};

const ToolCommand tool_cmd_get = {
    .name = "get",
    .arguments = "FILE NAME...",
    .summary = "Print variables, decoded where that is possible.",
    .options = get_options,
    .min_args = 2,
    .max_args = -1,
    .run = run_get,
};
