/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: move stores between systems
 */

#include "qemu/osdep.h"
#include "format.h"

/* Options */
static gboolean opt_replace;
static char *opt_format;
static char *opt_template;
static char *opt_dictionary;

#define OPTION_DICTIONARY \
    { "dictionary", 0, 0, G_OPTION_ARG_FILENAME, &opt_dictionary, \
      "Dictionary of the format aws", "PATH" }

static const char *const losses[TOOL_LOSS__MAX] = {
    [TOOL_LOSS_VOLATILE] = "volatile variables left out",
    [TOOL_LOSS_TIME] = "authenticated variables that lose their time stamp",
    [TOOL_LOSS_BINDING] = "private variables that lose their signer",
    [TOOL_LOSS_NAME] = "variables left out, as their names do not fit",
};

static void transfer_init(ToolTransfer *t, const char *path)
{
    *t = (ToolTransfer) {
        .path = path,
        .template = opt_template,
        .dictionary = opt_dictionary,
        .vars = g_ptr_array_new_with_free_func(
            (GDestroyNotify)uefi_variable_free),
        .notes = g_ptr_array_new_with_free_func(g_free),
    };
}

static void transfer_clear(ToolTransfer *t)
{
    g_ptr_array_unref(t->vars);
    g_ptr_array_unref(t->notes);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ToolTransfer, transfer_clear)

/* What the user would not expect, once it has happened */
static void print_notes(const ToolTransfer *t)
{
    for (guint i = 0; i < t->notes->len; i++) {
        tool_note("%s: note: %s", t->path, (char *)t->notes->pdata[i]);
    }
    for (int i = 0; i < TOOL_LOSS__MAX; i++) {
        if (t->losses[i]) {
            tool_note("%s: note: %s: %u", t->path, losses[i], t->losses[i]);
        }
    }
}

static bool parse_version(const ToolFormat *format, const char *text,
                          ToolTransfer *t)
{
    guint64 version;

    if (!g_ascii_string_to_unsigned(text, 10, 1, MAX(format->versions, 1),
                                    &version, NULL) || !format->version) {
        tool_usage("the format %s has no version '%s'", format->name, text);
        return false;
    }
    t->version = version;
    return true;
}

/* The format called @name, or NULL if @name is; false if there is none */
static bool get_format(const ToolFormat **format, const char *name)
{
    g_autofree char *names = tool_format_names();

    *format = name ? tool_format_find(name) : NULL;
    if (name && !*format) {
        tool_usage("there is no format '%s'; there are: %s", name, names);
        return false;
    }
    return true;
}

/* NAME[:VERSION] */
static bool get_format_and_version(const ToolFormat **format, ToolTransfer *t)
{
    g_auto(GStrv) parts = g_strsplit(opt_format ?: "", ":", 2);

    if (!parts[0]) {
        tool_usage("--format is needed");
        return false;
    }
    if (!get_format(format, parts[0])) {
        return false;
    }
    t->version = (*format)->version;
    return !parts[1] || parse_version(*format, parts[1], t);
}

/* ------------------------------------------------------------------------ */
/* import */

/* All variables of @t instead of those of @s */
static UefiVarChange *make_change(const ToolStore *s, ToolTransfer *t)
{
    UefiVarChange *change = uefi_var_change_new();
    const UefiVariable *var = NULL;

    while ((var = tool_store_next(s, var))) {
        uefi_var_change_remove(change, &var->guid, var->name);
    }
    /* they go to the change */
    g_ptr_array_set_free_func(t->vars, NULL);
    for (guint i = 0; i < t->vars->len; i++) {
        uefi_var_change_add(change, t->vars->pdata[i]);
    }
    g_ptr_array_set_size(t->vars, 0);
    return change;
}

static int write_store(ToolTransfer *t, const char *path)
{
    g_autoptr(GError) err = NULL;
    g_autoptr(ToolStore) s = tool_open(path, TOOL_CREATE);
    g_autoptr(UefiVarChange) change = NULL;

    if (!s) {
        return TOOL_FAILED;
    }
    if (tool_store_next(s, NULL) && !opt_replace) {
        return tool_fail("%s: there are variables already (see --replace)",
                         path);
    }
    change = make_change(s, t);
    tool_configure(s);
    if (!tool_store_commit(s, change, &err)) {
        return tool_fail("%s", err->message);
    }
    return TOOL_OK;
}

static int run_import(char **args)
{
    g_auto(ToolTransfer) t = { };
    g_autoptr(GError) err = NULL;
    const ToolFormat *format;
    int status;

    transfer_init(&t, args[0]);
    if (!get_format(&format, opt_format)) {
        return TOOL_USAGE;
    }
    if (!tool_format_read(&t, format, &err)) {
        return tool_fail("%s: %s", args[0], err->message);
    }
    status = write_store(&t, args[1]);
    if (status == TOOL_OK) {
        print_notes(&t);
    }
    return status;
}

static const GOptionEntry import_options[] = {
    { "format", 'f', 0, G_OPTION_ARG_STRING, &opt_format,
      "Format of SOURCE, when it is not recognized", "NAME" },
    { "replace", 0, 0, G_OPTION_ARG_NONE, &opt_replace,
      "Drop the variables that FILE has", NULL },
    OPTION_DICTIONARY, TOOL_OPTION_OLD('d', FILENAME, &opt_dictionary),
    TOOL_OPTION_SIZE, TOOL_OPTION_HWERR_QUOTA,
    { }
};

const ToolCommand tool_cmd_import = {
    .name = "import",
    .arguments = "SOURCE FILE",
    .summary = "Make a store of what another system keeps.",
    .options = import_options,
    .min_args = 2,
    .max_args = 2,
    .run = run_import,
};

/* ------------------------------------------------------------------------ */
/* export */

static bool get_variables(ToolTransfer *t, const char *path)
{
    g_autoptr(ToolStore) s = tool_open(path, TOOL_READ);
    const UefiVariable *var = NULL;

    while (s && (var = tool_store_next(s, var))) {
        UefiVariable *copy =
            uefi_variable_new(&var->guid, var->name, var->attributes,
                              g_bytes_ref(var->data));

        copy->time = var->time;
        copy->binding = var->binding ? g_bytes_ref(var->binding) : NULL;
        g_ptr_array_add(t->vars, copy);
    }
    return s;
}

static bool check_needs(const char *option, bool needed, const char *value)
{
    if (needed && !value) {
        tool_usage("this format needs --%s", option);
        return false;
    }
    return true;
}

static int run_export(char **args)
{
    g_auto(ToolTransfer) t = { };
    g_autoptr(GError) err = NULL;
    const ToolFormat *format;

    transfer_init(&t, args[1]);
    if (!get_format_and_version(&format, &t)) {
        return TOOL_USAGE;
    }
    if (!check_needs("template", format->needs_template, opt_template) ||
        !check_needs("dictionary", format->needs_dictionary,
                     opt_dictionary)) {
        return TOOL_USAGE;
    }
    if (!get_variables(&t, args[0])) {
        return TOOL_FAILED;
    }
    if (!tool_format_write(&t, format, &err)) {
        return tool_fail("%s: %s", args[1], err->message);
    }
    print_notes(&t);
    return TOOL_OK;
}

static const GOptionEntry export_options[] = {
    { "format", 'f', 0, G_OPTION_ARG_STRING, &opt_format,
      "Format of TARGET, and which version of it", "NAME[:VERSION]" },
    { "template", 't', 0, G_OPTION_ARG_FILENAME, &opt_template,
      "Flash image to take everything but the variables from", "IMAGE" },
    OPTION_DICTIONARY, TOOL_OPTION_OLD('d', FILENAME, &opt_dictionary),
    { }
};

const ToolCommand tool_cmd_export = {
    .name = "export",
    .arguments = "FILE TARGET",
    .summary = "Make what another system keeps of a store.",
    .options = export_options,
    .min_args = 2,
    .max_args = 2,
    .run = run_export,
};
