/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: command line
 */

#include "qemu/osdep.h"
#include "tool.h"

static const ToolCommand *const commands[] = {
    &tool_cmd_status, &tool_cmd_list, &tool_cmd_get, &tool_cmd_set,
    &tool_cmd_rm, &tool_cmd_diff, &tool_cmd_check, &tool_cmd_import,
    &tool_cmd_export, &tool_cmd_fold, &tool_cmd_enroll, &tool_cmd_reset_keys,
    &tool_cmd_sign, &tool_cmd_descriptor,
};

int tool_fail(const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    fprintf(stderr, TOOL_NAME ": %s\n", text);
    return TOOL_FAILED;
}

int tool_fail_with(const GError *err)
{
    return tool_fail("%s", err->message);
}

static void print_help(FILE *out)
{
    fputs("Usage: " TOOL_NAME " COMMAND [OPTION...] FILE [ARGUMENT...]\n\n"
          "See and change the UEFI variables that a QEMU device keeps in "
          "FILE.\n\nCommands:\n", out);
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        fprintf(out, "  %-19s %s\n", commands[i]->name,
                commands[i]->summary);
    }
    fputs("\n'" TOOL_NAME " COMMAND --help' shows the options of a command.\n",
          out);
}

static int usage_error(const ToolCommand *c, const char *reason)
{
    tool_fail("%s: %s", c->name, reason);
    fprintf(stderr, "Try '" TOOL_NAME " %s --help'.\n", c->name);
    return TOOL_USAGE;
}

/* @argv: begins with the name of the command */
static int run(const ToolCommand *c, char **argv)
{
    g_autofree char *program = g_strdup_printf(TOOL_NAME " %s", c->name);
    g_autoptr(GOptionContext) context = g_option_context_new(c->arguments);
    g_auto(GStrv) args = g_strdupv(argv);
    g_autoptr(GError) err = NULL;
    char **rest;
    int count;

    g_set_prgname(program);
    g_option_context_set_summary(context, c->summary);
    if (c->options) {
        g_option_context_add_main_entries(context, c->options, NULL);
    }
    if (!g_option_context_parse_strv(context, &args, &err)) {
        return usage_error(c, err->message);
    }
    rest = args + 1;
    if (*rest && !strcmp(*rest, "--")) {
        rest++;
    }
    count = g_strv_length(rest);
    if (count < c->min_args) {
        return usage_error(c, "an argument is missing");
    }
    if (c->max_args >= 0 && count > c->max_args) {
        return usage_error(c, "too many arguments");
    }
    return c->run(rest);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return TOOL_USAGE;
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
        print_help(stdout);
        return TOOL_OK;
    }
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        if (!strcmp(commands[i]->name, argv[1])) {
            int status = run(commands[i], argv + 1);

            if (fflush(stdout) || ferror(stdout)) {
                return tool_fail("standard output: %s", g_strerror(errno));
            }
            return status;
        }
    }
    tool_fail("there is no command '%s'", argv[1]);
    fputs("Try '" TOOL_NAME " --help'.\n", stderr);
    return TOOL_USAGE;
}
