/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: stores that have been damaged
 *
 * A store of some format is cut, overwritten and has parts moved.  A rescue of
 * it never gives what no store can have, tells that something is lost exactly
 * when the store is not accepted as it is, and otherwise gives the same.
 */

#include "qemu/osdep.h"
#include "fuzz.h"
#include "format.h"
#include "hw/uefi/var-service-journal.h"
#include "hw/uefi/var-service-load.h"

#define VOLUME_HEADER   72
#define STORE_SIZE      1024

static void add(GPtrArray *vars, const char *name, uint32_t attributes,
                const char *value)
{
    g_autofree uint16_t *str = uefi_str_from_ascii(name);

    g_ptr_array_add(vars, uefi_variable_new(
        &uefi_guid_global, str, attributes, g_bytes_new(value,
                                                        strlen(value))));
}

static void put_u16(GByteArray *out, size_t at, uint16_t value)
{
    out->data[at] = value;
    out->data[at + 1] = value >> 8;
}

/* A volume whose store has no records */
static GBytes *blank_flash(void)
{
    static const uint8_t volume[] = {
        0x8d, 0x2b, 0xf1, 0xff, 0x96, 0x76, 0x8b, 0x4c,
        0xa9, 0x85, 0x27, 0x47, 0x07, 0x5b, 0x4f, 0x50,
    };
    static const uint8_t store[] = {
        0x78, 0x2c, 0xf3, 0xaa, 0x7b, 0x94, 0x9a, 0x43,
        0xa1, 0x80, 0x2e, 0x14, 0x4e, 0xc3, 0x77, 0x92,
    };
    GByteArray *out = g_byte_array_new();
    uint16_t sum = 0;

    g_byte_array_set_size(out, VOLUME_HEADER + STORE_SIZE);
    memset(out->data, 0, out->len);
    memcpy(out->data + 16, volume, sizeof(volume));
    put_u16(out, 32, out->len);
    memcpy(out->data + 40, "_FVH", 4);
    put_u16(out, 48, VOLUME_HEADER);
    out->data[55] = 2;
    put_u16(out, 60, 4096);
    for (size_t i = 0; i < VOLUME_HEADER; i += 2) {
        sum += out->data[i] | out->data[i + 1] << 8;
    }
    put_u16(out, 50, -sum);
    memcpy(out->data + VOLUME_HEADER, store, sizeof(store));
    put_u16(out, VOLUME_HEADER + 16, STORE_SIZE);
    out->data[VOLUME_HEADER + 20] = 0x5a;
    out->data[VOLUME_HEADER + 21] = 0xfe;
    return g_byte_array_free_to_bytes(out);
}

/* A document with two changes behind it */
static GByteArray *journal(const ToolTransfer *t)
{
    g_autoptr(GString) text = g_string_new("{\"version\": 2, "
                                           "\"variables\": [\n");
    UefiJournalSum sum;

    for (guint i = 0; i < t->vars->len; i++) {
        g_string_append(text, i ? ",\n" : "");
        uefi_text_print_variable(text, t->vars->pdata[i]);
    }
    g_string_append(text, "\n]}\n");
    sum = uefi_journal_sum(text->str, text->len - 1);
    for (guint i = 0; i < 2; i++) {
        g_autoptr(GString) change = g_string_new("{\"change\": [");

        uefi_text_print_variable(change, t->vars->pdata[i]);
        g_string_append(change, "]}");
        sum = uefi_journal_add(text, UEFI_JOURNAL_CHANGE, i + 1, &sum,
                               change->str, change->len);
    }
    return g_byte_array_append(g_byte_array_new(), (uint8_t *)text->str,
                               text->len);
}

static GByteArray *make(const ToolFormat *format, uint8_t how)
{
    g_autoptr(ToolTransfer) t = tool_transfer_new("fuzz");
    GByteArray *out;

    add(t->vars, "Lang", 7, "eng");
    add(t->vars, "Own{\"", 3, "a value");
    add(t->vars, "Authenticated", 39, "another");
    t->version = how & 1 ? format->versions : format->version;
    t->base64 = how & 2;
    t->image = blank_flash();
    out = format->write ? format->write(t, NULL) : journal(t);
    g_assert_nonnull(out);
    return out;
}

/* Cut, overwrite, or move a part. */
static void damage(FuzzInput *in, GByteArray *store)
{
    for (uint8_t i = fuzz_u8(in) & 7; i && store->len; i--) {
        uint8_t how = fuzz_u8(in);
        size_t at = (fuzz_u8(in) | fuzz_u8(in) << 8) % store->len;
        size_t to = (fuzz_u8(in) | fuzz_u8(in) << 8) % store->len;
        size_t len = fuzz_u8(in);

        len = MIN(len, store->len - MAX(at, to));
        switch (how & 3) {
        case 0:
            store->data[at] = fuzz_u8(in);
            break;
        case 1:
            memset(store->data + at, how & 4 ? 0xff : 0, len);
            break;
        case 2:
            memmove(store->data + to, store->data + at, len);
            break;
        default:
            g_byte_array_set_size(store, at);
        }
    }
}

static ToolTransfer *parse(const ToolFormat *format, GBytes *bytes,
                           bool rescue)
{
    g_autoptr(ToolTransfer) t = tool_transfer_new("fuzz");

    t->format = format;
    t->lost = rescue ? g_ptr_array_new_with_free_func(g_free) : NULL;
    return tool_format_parse(t, bytes, NULL) ? g_steal_pointer(&t) : NULL;
}

/* How many variables a store of ours has, as its device would see it, or -1 */
static int load(GBytes *bytes)
{
    UefiVarConfig config = uefi_vars_default_config();
    g_autofree char *data = g_strndup("", g_bytes_get_size(bytes));
    size_t size = g_bytes_get_size(bytes);
    g_autofree char *document = NULL;
    g_auto(UefiJournal) j = {
        .records = g_ptr_array_new_with_free_func(g_free),
    };
    UefiVarService *uv = uefi_vars_new(&config, NULL, NULL);
    const UefiVariable *var = NULL;
    int count = -1;

    memcpy(data, g_bytes_get_data(bytes, NULL) ?: "", size);
    uefi_journal_read(&j, data, size);
    if (uefi_journal_ok(&j, data, size) && !uefi_journal_torn(&j, data, size)) {
        document = g_strndup(j.document, j.document_len);
        if (uefi_load_store(uv, document, j.records, NULL, NULL)) {
            count = 0;
        }
    }
    while (count >= 0 && (var = uefi_store_next(uv->store, UEFI_VIEW_BOOT,
                                                var))) {
        count++;
    }
    uefi_vars_free(uv);
    return count;
}

void fuzz_one(FuzzInput *in)
{
    static const ToolFormat *const formats[] = {
        &tool_format_edk2, &tool_format_json, &tool_format_uboot,
        &tool_format_uefivars, &tool_format_xen,
    };
    uint8_t how = fuzz_u8(in);
    const ToolFormat *format = formats[how % ARRAY_SIZE(formats)];
    g_autoptr(GByteArray) store = make(format, fuzz_u8(in));
    g_autoptr(GBytes) bytes = NULL;
    g_autoptr(ToolTransfer) rescued = NULL;
    int count;

    damage(in, store);
    /* a buffer of just that size */
    bytes = g_bytes_new(store->data, store->len);
    rescued = parse(format, bytes, true);
    if (format == &tool_format_json) {
        count = load(bytes);
    } else {
        g_autoptr(ToolTransfer) strict = parse(format, bytes, false);

        count = strict ? strict->vars->len : -1;
        g_assert_true(strict || !rescued || rescued->lost->len);
    }
    if (count >= 0) {
        g_assert_nonnull(rescued);
        g_assert_cmpint(rescued->vars->len, ==, count);
        g_assert_cmpint(rescued->lost->len, ==, 0);
    }
}
