/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The file of the command line tool: what no command lets through, but which
 * must not reach the file if one did
 */

#include "qemu/osdep.h"
#include <glib/gstdio.h>
#include "tool.h"

/* No variable can have the highest of these bits. */
#define BAD_ATTRIBUTES  0x87

static void add(ToolStore *s, const char *name, uint32_t attributes)
{
    g_autoptr(UefiVarChange) change = uefi_var_change_new();
    g_autofree uint16_t *str = uefi_str_from_ascii(name);

    uefi_var_change_add(change, uefi_variable_new(&uefi_guid_global, str,
                                                  attributes,
                                                  g_bytes_new("x", 1)));
    uefi_store_apply(s->uv->store, change);
}

static bool write_with(const char *path, uint32_t attributes, GError **err)
{
    const ToolForm form = { };
    g_autoptr(ToolStore) s = tool_store_open(path, TOOL_CREATE, &form, err);

    g_assert_nonnull(s);
    add(s, "A", attributes);
    return tool_store_fold(s, err);
}

static void test_unreadable(void)
{
    g_autofree char *dir = g_dir_make_tmp("test-store-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "vars.json", NULL);
    g_autofree char *before = NULL, *after = NULL;
    GError *err = NULL;

    /* a new file is not even made */
    g_assert_false(write_with(path, BAD_ATTRIBUTES, &err));
    g_assert_nonnull(strstr(err->message, path));
    g_assert_nonnull(strstr(err->message, "has a bit that no variable"));
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
    g_clear_error(&err);

    g_assert_true(write_with(path, EFI_ATTR_NV | EFI_ATTR_BS, &err));
    g_assert_true(g_file_get_contents(path, &before, NULL, &err));
    g_assert_false(write_with(path, BAD_ATTRIBUTES, &err));
    g_clear_error(&err);
    g_assert_true(g_file_get_contents(path, &after, NULL, &err));
    g_assert_cmpstr(before, ==, after);
    g_unlink(path);
    g_rmdir(dir);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/store/unreadable", test_unreadable);
    return g_test_run();
}
