/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: move stores between systems
 */

#include "qemu/osdep.h"
#include "format.h"

/* Options */
static gboolean opt_replace;
static gboolean opt_rescue;
static char *opt_format;
static char *opt_template;

/* What the user would not expect, once it has happened */
static void print_notes(const ToolTransfer *t)
{
    g_autoptr(GPtrArray) lines = tool_transfer_remarks(t);

    for (guint i = 0; i < lines->len; i++) {
        tool_note("%s: note: %s", t->path, (char *)lines->pdata[i]);
    }
}

/* What was damaged; whether there is any */
static bool print_lost(const ToolTransfer *t)
{
    for (guint i = 0; t->lost && i < t->lost->len; i++) {
        tool_note("%s: lost: %s", t->path, (char *)t->lost->pdata[i]);
    }
    return t->lost && t->lost->len;
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
static bool get_format_and_version(ToolTransfer *t)
{
    g_auto(GStrv) parts = g_strsplit(opt_format ?: "", ":", 2);

    if (!parts[0]) {
        tool_usage("--format is needed");
        return false;
    }
    if (!get_format(&t->format, parts[0])) {
        return false;
    }
    t->version = t->format->version;
    return !parts[1] || parse_version(t->format, parts[1], t);
}

/* ------------------------------------------------------------------------ */
/* import */

/* All variables of @from instead of those of @s */
static UefiVarChange *make_change(const ToolStore *s, const ToolStore *from)
{
    UefiVarChange *change = uefi_var_change_new();
    g_autoptr(GPtrArray) vars = tool_store_copy(from);
    const UefiVariable *var = NULL;

    while ((var = tool_store_next(s, var))) {
        uefi_var_change_remove(change, &var->guid, var->name);
    }
    for (guint i = 0; i < vars->len; i++) {
        uefi_var_change_add(change, g_steal_pointer(&vars->pdata[i]));
    }
    return change;
}

static int write_store(const ToolStore *from, const char *path)
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
    change = make_change(s, from);
    tool_configure(s);
    if (!tool_store_commit(s, change, &err)) {
        return tool_fail("%s", err->message);
    }
    return TOOL_OK;
}

static int run_import(char **args)
{
    ToolForm form = {
        .dictionary = tool_options.dictionary,
        .rescue = opt_rescue,
    };
    g_autoptr(ToolStore) s = NULL;
    g_autoptr(GError) err = NULL;
    struct stat st;
    int status;

    if (!get_format(&form.format, opt_format)) {
        return TOOL_USAGE;
    }
    s = tool_store_open(args[0], TOOL_READ, &form, &err);
    if (!s) {
        return tool_fail_with(err);
    }
    if (!s->foreign && !s->image && !stat(args[0], &st) && !st.st_size) {
        return tool_fail("%s: the file is empty", args[0]);
    }
    status = write_store(s, args[1]);
    if (status != TOOL_OK) {
        return status;
    }
    tool_print_warnings(s);
    if (s->foreign) {
        print_notes(s->foreign);
    }
    return s->foreign && print_lost(s->foreign) ? TOOL_FAILED : TOOL_OK;
}

static const GOptionEntry import_options[] = {
    { "format", 'f', 0, G_OPTION_ARG_STRING, &opt_format,
      "Format of SOURCE, when it is not recognized", "NAME" },
    { "replace", 0, 0, G_OPTION_ARG_NONE, &opt_replace,
      "Drop the variables that FILE has", NULL },
    { "rescue", 0, 0, G_OPTION_ARG_NONE, &opt_rescue,
      "Take what can be had of a damaged SOURCE, and name the rest", NULL },
    TOOL_OPTION_DICTIONARY,
    TOOL_OPTION_OLD('d', FILENAME, &tool_options.dictionary),
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

static bool check_needs(const char *option, bool needed, const char *value)
{
    if (needed && !value) {
        tool_usage("this format needs --%s", option);
        return false;
    }
    return true;
}

/* The image to fill, which can be one of a disk */
static bool read_template(ToolTransfer *t)
{
    g_autoptr(GError) err = NULL;
    g_autoptr(GBytes) file = tool_load_file(opt_template, &err);
    const ToolContainer *container = file ? tool_container_find(file) : NULL;

    t->template = opt_template;
    if (file) {
        t->image = container ? tool_container_unpack(container, opt_template,
                                                     &err)
                             : g_bytes_ref(file);
    }
    if (!t->image) {
        tool_fail("%s: %s", opt_template, err->message);
    }
    return t->image;
}

static int run_export(char **args)
{
    g_autoptr(ToolTransfer) t = tool_transfer_new(args[1]);
    g_autoptr(ToolStore) s = NULL;
    g_autoptr(GError) err = NULL;

    if (!get_format_and_version(t)) {
        return TOOL_USAGE;
    }
    if (!t->format->write && !t->format->write_directory) {
        return tool_usage("the format %s can only be read", t->format->name);
    }
    t->dictionary = tool_options.dictionary;
    if (!check_needs("template", t->format->needs_template, opt_template) ||
        !check_needs("dictionary", t->format->needs_dictionary,
                     t->dictionary)) {
        return TOOL_USAGE;
    }
    s = tool_open(args[0], TOOL_READ);
    if (!s || (opt_template && !read_template(t))) {
        return TOOL_FAILED;
    }
    g_ptr_array_unref(t->vars);
    t->vars = tool_store_copy(s);
    if (!tool_format_write(t, &err)) {
        return tool_fail("%s: %s", args[1], err->message);
    }
    print_notes(t);
    return TOOL_OK;
}

static const GOptionEntry export_options[] = {
    { "format", 'f', 0, G_OPTION_ARG_STRING, &opt_format,
      "Format of TARGET, and which version of it", "NAME[:VERSION]" },
    { "template", 't', 0, G_OPTION_ARG_FILENAME, &opt_template,
      "Flash image to take everything but the variables from", "IMAGE" },
    TOOL_OPTION_DICTIONARY,
    TOOL_OPTION_OLD('d', FILENAME, &tool_options.dictionary),
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
