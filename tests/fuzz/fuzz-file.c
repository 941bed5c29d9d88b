/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: a store file with any content
 *
 * The file lives in memory.  Whatever is in it, loading ends with a state or
 * with an error; after a state has been loaded, the file takes a change and a
 * fold, and a second load sees exactly them.
 */

#include "qemu/osdep.h"
#include "fuzz.h"
#include "hw/uefi/var-service-file.h"

#define FILE_LIMIT  (256 * 1024)    /* bytes */

static ssize_t mem_read(void *opaque, void *buf, size_t len, uint64_t offset)
{
    GByteArray *file = opaque;

    if ((guint)offset >= file->len) {
        return 0;
    }
    len = MIN(len, file->len - (size_t)offset);
    memcpy(buf, file->data + offset, len);
    return len;
}

static int mem_cut(void *opaque, uint64_t size)
{
    GByteArray *file = opaque;
    guint old = file->len;

    g_byte_array_set_size(file, size);
    if (file->len > old) {
        memset(file->data + old, 0, file->len - old);
    }
    return 0;
}

static ssize_t mem_write(void *opaque, const void *buf, size_t len,
                          uint64_t offset)
{
    GByteArray *file = opaque;

    if (offset + len > file->len) {
        mem_cut(file, offset + len);
    }
    memcpy(file->data + offset, buf, len);
    return len;
}

static int mem_sync(void *opaque)
{
    return 0;
}

static int64_t mem_note(void *opaque)
{
    return ((GByteArray *)opaque)->len;
}

/* Nobody else knows it. */
static UefiVarFileLook mem_look(void *opaque)
{
    return UEFI_FILE_UNCHANGED;
}

static const UefiVarFileOps mem_ops = {
    .read = mem_read,
    .write = mem_write,
    .sync = mem_sync,
    .cut = mem_cut,
    .note = mem_note,
    .look = mem_look,
};

static UefiVarFile *open_file(GByteArray *file)
{
    return uefi_var_file_new(&mem_ops, file, "fuzz", true, FILE_LIMIT);
}

/* A real history, for the input to damage */
static void make_history(GByteArray *file, FuzzInput *in)
{
    g_autoptr(UefiVarFile) f = open_file(file);
    g_autofree char *document = NULL;
    g_autoptr(GPtrArray) records = NULL;
    unsigned steps = fuzz_u8(in) % 8;

    g_assert_true(uefi_var_file_load(f, &document, &records, NULL));
    while (steps--) {
        g_autofree char *text = g_strnfill(1 + fuzz_u8(in), 'x');

        if (fuzz_u8(in) % 4) {
            uefi_var_file_append(f, text, strlen(text), NULL);
        } else {
            g_autofree char *json = g_strdup_printf("{\"%s\": 1}\n", text);

            uefi_var_file_fold_begin(f, json, strlen(json), NULL);
            if (fuzz_u8(in) & 1) {
                uefi_var_file_fold_step(f, NULL);
            }
        }
    }
}

static void damage(GByteArray *file, FuzzInput *in)
{
    unsigned hits = fuzz_u8(in) % 4;

    while (hits-- && file->len) {
        guint at = (fuzz_u8(in) << 8 | fuzz_u8(in)) % file->len;

        if (fuzz_u8(in) < 32) {
            g_byte_array_set_size(file, at);
        } else {
            file->data[at] ^= fuzz_u8(in);
        }
    }
}

static void check_still_works(GByteArray *file, UefiVarFile *f,
                              guint count)
{
    g_autofree char *document = NULL;
    g_autoptr(GPtrArray) records = NULL;
    g_autoptr(UefiVarFile) again = NULL;

    if (uefi_var_file_append(f, "last", 4, NULL)) {
        again = open_file(file);
        g_assert_true(uefi_var_file_load(again, &document, &records, NULL));
        g_assert_cmpuint(records->len, ==, count + 1);
        g_assert_cmpstr(records->pdata[count], ==, "last");
    }
    if (uefi_var_file_fold(f, "{}\n", 3, NULL)) {
        g_assert_cmpmem(file->data, file->len, "{}\n", 3);
    }
}

void fuzz_one(FuzzInput *in)
{
    g_autoptr(GByteArray) file = g_byte_array_new();
    g_autoptr(UefiVarFile) f = NULL;
    g_autofree char *document = NULL;
    g_autoptr(GPtrArray) records = NULL;
    g_autoptr(GByteArray) before = g_byte_array_new();
    g_autoptr(GError) err = NULL;

    if (fuzz_u8(in) & 1) {
        make_history(file, in);
        damage(file, in);
    } else {
        g_byte_array_append(file, in->data, in->size);
    }
    g_byte_array_append(before, file->data, file->len);
    f = open_file(file);
    if (uefi_var_file_load(f, &document, &records, &err)) {
        check_still_works(file, f, records->len);
    } else {
        g_assert_nonnull(err);
        g_assert_false(uefi_var_file_append(f, "x", 1, NULL));
        g_assert_cmpmem(file->data, file->len, before->data, before->len);
    }
}
