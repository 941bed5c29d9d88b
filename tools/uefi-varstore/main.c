/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: command line
 */

#include "qemu/osdep.h"
#include <locale.h>
#include "tool.h"

static const ToolCommand *const commands[] = {
    &tool_cmd_status, &tool_cmd_list, &tool_cmd_get, &tool_cmd_set,
    &tool_cmd_rm, &tool_cmd_apply, &tool_cmd_boot, &tool_cmd_diff,
    &tool_cmd_check, &tool_cmd_clone, &tool_cmd_create, &tool_cmd_import,
    &tool_cmd_export, &tool_cmd_fold, &tool_cmd_enroll, &tool_cmd_update,
    &tool_cmd_reset_keys, &tool_cmd_sign, &tool_cmd_check_image, &tool_cmd_mok,
    &tool_cmd_pcr7, &tool_cmd_descriptor, &tool_cmd_replay,
};

static void print_help(FILE *out)
{
    fputs("Usage: " TOOL_NAME " COMMAND [OPTION...] FILE [ARGUMENT...]\n\n"
          "See and change the UEFI variables that a QEMU device keeps in "
          "FILE.\n\nCommands:\n", out);
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        fprintf(out, "  %-19s %s\n", commands[i]->name,
                commands[i]->summary);
    }
    fputs("\n'" TOOL_NAME " help COMMAND' shows the options of a command.\n",
          out);
}

int tool_usage(const char *format, ...)
{
    const char *command = g_get_prgname() + strlen(TOOL_NAME " ");
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    tool_fail("%s: %s", command, text);
    fprintf(stderr, "Try '%s --help'.\n", g_get_prgname());
    return TOOL_USAGE;
}

/* @argv: begins with the name of the command */
static bool parse(const ToolCommand *c, char **argv, char ***rest,
                  GError **err)
{
    const GOptionEntry arguments[] = {
        { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, rest, NULL,
          c->arguments },
        { }
    };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_auto(GStrv) args = g_strdupv(argv);

    g_option_context_set_summary(context, c->summary);
    if (c->options) {
        g_option_context_add_main_entries(context, c->options, NULL);
    }
    g_option_context_add_main_entries(context, arguments, NULL);
    return g_option_context_parse_strv(context, &args, err) &&
           tool_check_limits(err);
}

static int run(const ToolCommand *c, char **argv)
{
    g_autofree char *program = g_strdup_printf(TOOL_NAME " %s", c->name);
    g_auto(GStrv) args = NULL;
    g_autoptr(GError) err = NULL;
    int count, status;

    g_set_prgname(program);
    if (!parse(c, argv, &args, &err)) {
        return tool_usage("%s", err->message);
    }
    count = args ? g_strv_length(args) : 0;
    if (count < c->min_args) {
        return tool_usage("an argument is missing");
    }
    if (c->max_args >= 0 && count > c->max_args) {
        return tool_usage("there are too many arguments");
    }
    status = c->run(args);
    if (fflush(stdout) || ferror(stdout)) {
        return tool_fail("standard output: %s", g_strerror(errno));
    }
    return status;
}

static const ToolCommand *find(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        if (!strcmp(commands[i]->name, name)) {
            return commands[i];
        }
    }
    tool_fail("there is no command '%s'", name);
    fputs("Try '" TOOL_NAME " --help'.\n", stderr);
    return NULL;
}

static int help(const char *name)
{
    char *const args[] = { (char *)name, (char *)"--help", NULL };
    const ToolCommand *c = name ? find(name) : NULL;

    if (!name) {
        print_help(stdout);
        return TOOL_OK;
    }
    return c ? run(c, (char **)args) : TOOL_USAGE;
}

int main(int argc, char **argv)
{
    const char *command = argc < 2 ? NULL : argv[1];
    const ToolCommand *c;

    setlocale(LC_ALL, "");
    if (!command) {
        print_help(stderr);
        return TOOL_USAGE;
    }
    if (!strcmp(command, "--version")) {
        puts(TOOL_NAME " " TOOL_VERSION);
        return TOOL_OK;
    }
    if (!strcmp(command, "--help") || !strcmp(command, "-h") ||
        !strcmp(command, "help")) {
        return help(argv[2]);
    }
    c = find(command);
    return c ? run(c, argv + 1) : TOOL_USAGE;
}
