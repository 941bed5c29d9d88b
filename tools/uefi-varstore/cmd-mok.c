/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: keys of shim's own (MOK), as mokutil has them in the guest
 */

#include "qemu/osdep.h"
#include "tool.h"

static gboolean opt_mokx;

static const UefiVariable *find(const ToolStore *s, const char *name)
{
    return uefi_store_find_ascii(s->uv->store, UEFI_VIEW_BOOT,
                                 &tool_guid_shim, name);
}

static const char *list_name(void)
{
    return opt_mokx ? "MokListX" : "MokList";
}

/* @lists of no bytes remove the variable */
static int put(ToolStore *s, const GByteArray *lists)
{
    g_autofree uint16_t *name = uefi_str_from_ascii(list_name());
    g_autoptr(GError) err = NULL;
    UefiReason reason;

    /* no operating system sees it: shim would not trust it then */
    reason = lists->len
             ? uefi_vars_host_set(s->uv, &tool_guid_shim, name,
                                  EFI_ATTR_NV | EFI_ATTR_BS, lists->data,
                                  lists->len, false)
             : uefi_vars_host_delete(s->uv, &tool_guid_shim, name, false);
    if (reason != UEFI_REASON_OK) {
        return tool_fail("%s: %s is refused: %s", s->path, list_name(),
                         uefi_reason_text(reason));
    }
    return tool_store_fold(s, &err) ? TOOL_OK : tool_fail_with(err);
}

static int run_list(ToolStore *s, char **args)
{
    static const char *const names[] = { "MokList", "MokListX", "SbatLevel" };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        const UefiVariable *var = find(s, names[i]);
        g_autoptr(GString) out = g_string_new(NULL);

        if (var && !tool_decode(out, var)) {
            g_string_assign(out, "damaged\n");
        }
        printf("%s:%s%s", names[i], var ? "\n" : " none\n", out->str);
    }
    return TOOL_OK;
}

/* What @args name, as lists: files with keys, and hashes */
static GByteArray *collect(char **args)
{
    g_autoptr(GByteArray) lists = g_byte_array_new();
    UefiTime time = { };

    for (; *args; args++) {
        if (!tool_add_digest(lists, *args) &&
            !tool_read_keys(lists, *args, &tool_guid_shim, &time)) {
            return NULL;
        }
    }
    return g_steal_pointer(&lists);
}

static int run_add(ToolStore *s, char **args)
{
    g_autoptr(GByteArray) lists = collect(args);
    const UefiVariable *old = find(s, list_name());
    g_autoptr(GByteArray) value = g_byte_array_new();
    ToolSignatures in;
    ToolSignature sig;

    if (!lists) {
        return TOOL_FAILED;
    }
    if (old) {
        g_byte_array_append(value, g_bytes_get_data(old->data, NULL),
                            g_bytes_get_size(old->data));
    }
    tool_signatures_init(&in, lists->data, lists->len);
    while (tool_signatures_next(&in, &sig)) {
        if (!tool_signature_in(&sig, old)) {
            tool_signature_append(value, &sig);
        }
    }
    return put(s, value);
}

static int run_rm(ToolStore *s, char **args)
{
    g_autoptr(GByteArray) lists = collect(args);
    const UefiVariable *old = find(s, list_name());
    g_autoptr(GByteArray) rest =
        lists ? tool_signatures_without(old ? old->data : NULL, lists,
                                        list_name()) : NULL;

    return rest ? put(s, rest) : TOOL_FAILED;
}

static int run_mok(char **args)
{
    static const ToolVerb verbs[] = {
        { "list", TOOL_READ, NULL, run_list },
        { "add", TOOL_CREATE, "keys", run_add },
        { "rm", TOOL_WRITE, "keys", run_rm },
        { }
    };

    return tool_run_verb(verbs, args);
}

static const GOptionEntry mok_options[] = {
    { "mokx", 0, 0, G_OPTION_ARG_NONE, &opt_mokx,
      "What shim must not start (MokListX)", NULL },
    TOOL_OPTION_SIZE, TOOL_OPTION_HWERR_QUOTA,
    TOOL_OPTION_IN_PLACE, TOOL_OPTION_DICTIONARY,
    { }
};

const ToolCommand tool_cmd_mok = {
    .name = "mok",
    .arguments = "list|add|rm FILE [KEY...]",
    .summary = "See and change the keys that shim has of its own.",
    .options = mok_options,
    .min_args = 2,
    .max_args = -1,
    .run = run_mok,
};
