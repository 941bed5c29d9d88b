/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: compare two stores
 */

#include "qemu/osdep.h"
#include "tool.h"

typedef struct Diff {
    GString *text;
    Json *list;
    unsigned count;
} Diff;

/* One variable that differs; @what is a list of words behind @sign */
static void diff_add(Diff *d, char sign, const UefiVariable *var,
                     const char *what)
{
    g_autofree char *name = uefi_str_print(var->name);
    g_autofree char *vendor = tool_vendor(&var->guid);
    Json *object = json_object_new_object();

    g_string_append_printf(d->text, "%c %s %s%s%s\n", sign, vendor, name,
                           *what ? ": " : "", what);
    tool_json_add(object, "name", tool_json_name(var->name));
    tool_json_add(object, "guid", tool_json_guid(&var->guid));
    tool_json_add(object, "change",
                  json_object_new_string(sign == '-' ? "removed" :
                                         sign == '+' ? "added" : what));
    json_object_array_add(d->list, object);
    d->count++;
}

static bool same_bytes(GBytes *a, GBytes *b)
{
    return a && b ? g_bytes_equal(a, b) : !a && !b;
}

static void diff_variable(Diff *d, const UefiVariable *a,
                          const UefiVariable *b)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    g_autofree char *what = NULL;

    if (a->attributes != b->attributes) {
        g_ptr_array_add(words, (char *)"attributes");
    }
    if (!same_bytes(a->data, b->data)) {
        g_ptr_array_add(words, (char *)"value");
    }
    if (memcmp(&a->time, &b->time, sizeof(a->time))) {
        g_ptr_array_add(words, (char *)"time");
    }
    if (!same_bytes(a->binding, b->binding)) {
        g_ptr_array_add(words, (char *)"signer");
    }
    if (words->len) {
        g_ptr_array_add(words, NULL);
        what = g_strjoinv(", ", (char **)words->pdata);
        diff_add(d, '~', a, what);
    }
}

static const UefiVariable *counterpart(const ToolStore *s,
                                       const UefiVariable *var)
{
    return uefi_store_find(s->uv->store, UEFI_VIEW_BOOT, &var->guid,
                           var->name);
}

static void diff_stores(Diff *d, const ToolStore *a, const ToolStore *b)
{
    const UefiVariable *var = NULL;

    while ((var = tool_store_next(a, var))) {
        const UefiVariable *other = counterpart(b, var);

        if (other) {
            diff_variable(d, var, other);
        } else {
            diff_add(d, '-', var, "");
        }
    }
    while ((var = tool_store_next(b, var))) {
        if (!counterpart(a, var)) {
            diff_add(d, '+', var, "");
        }
    }
}

static int run_diff(char **args)
{
    bool twice = !strcmp(args[0], "-") && !strcmp(args[1], "-");
    g_autoptr(ToolStore) a = twice ? NULL : tool_open(args[0], TOOL_READ);
    g_autoptr(ToolStore) b = a ? tool_open(args[1], TOOL_READ) : NULL;
    g_autoptr(GString) text = g_string_new(NULL);
    Diff d = { .text = text };

    if (twice) {
        return tool_usage("standard input can be one of the two");
    }
    if (!b) {
        return TOOL_USAGE;
    }
    d.list = json_object_new_array();
    diff_stores(&d, a, b);
    if (tool_options.json) {
        tool_print_json(d.list);
    } else {
        fputs(text->str, stdout);
        json_object_put(d.list);
    }
    return d.count ? TOOL_FAILED : TOOL_OK;
}

static const GOptionEntry diff_options[] = {
    TOOL_OPTION_JSON,
    TOOL_OPTION_DICTIONARY,
    { }
};

const ToolCommand tool_cmd_diff = {
    .name = "diff",
    .arguments = "A B",
    .summary = "Compare two stores; exit status 1 if they differ.",
    .options = diff_options,
    .min_args = 2,
    .max_args = 2,
    .run = run_diff,
};
