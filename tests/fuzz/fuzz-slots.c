/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: a medium of fixed size with any content
 *
 * The medium lives in memory, and has a store, of which an input changes some
 * bytes.  Whatever comes of it, loading ends with a state or with an error;
 * after a state has been loaded, the medium takes a change and a fold, and a
 * second load sees exactly them.
 */

#include "qemu/osdep.h"
#include "fuzz.h"
#include "hw/uefi/var-service-slots.h"

#define DOCUMENT_MAX    1024    /* bytes, so that slots are small */
#define ALIGNMENT       512

static int mem_read(void *opaque, uint64_t offset, void *buf, size_t len)
{
    GByteArray *medium = opaque;

    g_assert_cmpuint(offset % ALIGNMENT, ==, 0);
    g_assert_cmpuint(offset + len, <=, medium->len);
    memcpy(buf, medium->data + offset, len);
    return 0;
}

static int mem_write(void *opaque, uint64_t offset, const void *buf,
                     size_t len)
{
    GByteArray *medium = opaque;

    g_assert_cmpuint(offset % ALIGNMENT, ==, 0);
    g_assert_cmpuint(offset + len, <=, medium->len);
    memcpy(medium->data + offset, buf, len);
    return 0;
}

static int mem_write_zeroes(void *opaque, uint64_t offset, uint64_t len)
{
    GByteArray *medium = opaque;

    g_assert_cmpuint(offset + len, <=, medium->len);
    memset(medium->data + offset, 0, len);
    return 0;
}

static int mem_flush(void *opaque)
{
    return 0;
}

static uint32_t mem_alignment(void *opaque)
{
    return ALIGNMENT;
}

static const UefiVarSlotsOps mem_ops = {
    .read = mem_read,
    .write = mem_write,
    .write_zeroes = mem_write_zeroes,
    .flush = mem_flush,
    .alignment = mem_alignment,
};

static const UefiVarMediumOps *const ops = &uefi_var_slots_medium_ops;

static UefiVarSlots *open_medium(GByteArray *medium)
{
    return uefi_var_slots_new(&mem_ops, medium, "medium", medium->len,
                              DOCUMENT_MAX);
}

static void fold(UefiVarSlots *s, const char *document)
{
    g_assert_true(ops->plan_fold(s, document, strlen(document), NULL));
    ops->run(s);
    g_assert_true(ops->finish(s, NULL));
}

/* A store with a document and a change in each slot */
static void make_good(GByteArray *medium)
{
    g_autoptr(UefiVarSlots) s = open_medium(medium);
    g_auto(UefiVarContent) content = { };

    g_assert_true(ops->take(s, NULL, &content, NULL));
    for (int i = 0; i < 3; i++) {
        g_assert_true(ops->append(s, "change", 6, NULL));
        fold(s, i % 2 ? "{1}" : "{2}");
    }
    g_assert_true(ops->append(s, "last", 4, NULL));
}

/* Bytes of superblocks and of what slots begin with */
static void spoil(GByteArray *medium, FuzzInput *in)
{
    static const uint32_t places[] = {
        0, UEFI_VAR_SLOTS_STRIDE, 2 * UEFI_VAR_SLOTS_STRIDE
    };
    uint32_t slot_size = (medium->len - places[2]) / 2;

    for (int count = fuzz_u8(in) % 8; count > 0; count--) {
        uint8_t where = fuzz_u8(in);
        uint32_t at = places[where % 3] + (where & 0x80 ? slot_size : 0);

        /* a block is mostly zeroes behind its text */
        at += where & 0x40 ? (fuzz_u8(in) << 8 | fuzz_u8(in)) : fuzz_u8(in);
        medium->data[at % medium->len] = fuzz_u8(in);
    }
}

static void check_use(GByteArray *medium, UefiVarSlots *s, guint records)
{
    g_autoptr(UefiVarSlots) again = open_medium(medium);
    g_auto(UefiVarContent) content = { };
    g_auto(UefiVarContent) folded = { };

    if (ops->append(s, "new", 3, NULL)) {
        g_assert_true(ops->take(again, NULL, &content, NULL));
        g_assert_cmpuint(content.records->len, ==, records + 1);
        g_assert_cmpstr(content.records->pdata[records], ==, "new");
    }
    fold(s, "{folded}");
    g_assert_true(ops->take(again, NULL, &folded, NULL));
    g_assert_cmpuint(folded.records->len, ==, 0);
    g_assert_cmpstr(folded.document, ==, "{folded}");
}

void fuzz_one(FuzzInput *in)
{
    g_autoptr(GByteArray) medium = g_byte_array_new();
    g_autoptr(UefiVarSlots) s = NULL;
    g_auto(UefiVarContent) content = { };
    g_autoptr(GError) err = NULL;

    g_byte_array_set_size(medium, uefi_var_slots_capacity(DOCUMENT_MAX));
    memset(medium->data, 0, medium->len);
    make_good(medium);
    spoil(medium, in);
    s = open_medium(medium);
    if (ops->take(s, NULL, &content, &err)) {
        check_use(medium, s, content.records->len);
    } else {
        g_assert_nonnull(err);
        g_assert_false(ops->append(s, "new", 3, NULL));
    }
}
