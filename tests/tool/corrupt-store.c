/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Read a store of another program cut to every length, and with every bit
 * flipped, each time from a buffer of just its size, and write and rescue it
 *
 * usage: corrupt-store FORMAT FILE [DICTIONARY]
 *
 * Fails when a cut one is accepted, or one is refused without saying why on
 * one line; when what is accepted reads otherwise after it has been written;
 * when a rescue of it gives anything else, or one of a cut store gives a
 * variable that was not there.
 */

#include "qemu/osdep.h"
#include "format.h"

static const ToolFormat *format;
static const char *dictionary;
static ToolTransfer *whole;         /* the file as it is */

/* NULL for what is refused; @reason then tells whether it is said why */
static ToolTransfer *parse(GBytes *bytes, bool rescue, bool *reason)
{
    g_autoptr(ToolTransfer) t = tool_transfer_new("corrupt");
    g_autoptr(GError) err = NULL;

    t->format = format;
    t->dictionary = dictionary;
    t->lost = rescue ? g_ptr_array_new_with_free_func(g_free) : NULL;
    if (tool_format_parse(t, bytes, &err)) {
        *reason = true;
        return g_steal_pointer(&t);
    }
    *reason = err && *err->message && !strchr(err->message, '\n');
    return NULL;
}

static bool is_same(const UefiVariable *a, const UefiVariable *b)
{
    return !uefi_variable_compare(a, b, NULL) &&
           a->attributes == b->attributes && g_bytes_equal(a->data, b->data) &&
           !memcmp(&a->time, &b->time, sizeof(a->time)) &&
           !a->binding == !b->binding &&
           (!a->binding || g_bytes_equal(a->binding, b->binding));
}

/* Whether all variables of @a are in @b, as they are */
static bool is_within(const ToolTransfer *a, const ToolTransfer *b)
{
    for (guint i = 0; i < a->vars->len; i++) {
        guint k = 0;

        while (k < b->vars->len &&
               !is_same(a->vars->pdata[i], b->vars->pdata[k])) {
            k++;
        }
        if (k == b->vars->len) {
            return false;
        }
    }
    return true;
}

static bool is_equal(const ToolTransfer *a, const ToolTransfer *b)
{
    return a->vars->len == b->vars->len && is_within(a, b);
}

/* Whether @t reads the same when it has been written, or is refused */
static bool check_write(ToolTransfer *t)
{
    g_autoptr(GError) err = NULL;
    g_autoptr(GByteArray) written = format->write(t, &err);
    g_autoptr(GBytes) bytes =
        written ? g_bytes_new(written->data, written->len) : NULL;
    bool reason;
    g_autoptr(ToolTransfer) again = bytes ? parse(bytes, false, &reason)
                                          : NULL;

    return again ? is_equal(t, again) : err && *err->message;
}

/* The name of what is wrong with the answers to @data, or NULL */
static const char *check(const uint8_t *data, size_t size, bool cut,
                         bool *accepted)
{
    g_autoptr(GBytes) bytes = g_bytes_new(data, size);
    bool reason, rescue_reason;
    g_autoptr(ToolTransfer) t = parse(bytes, false, &reason);
    g_autoptr(ToolTransfer) rescued = parse(bytes, true, &rescue_reason);

    *accepted = t;
    if (!reason || !rescue_reason) {
        return "refused without a reason";
    }
    if (t && cut) {
        return "accepted";
    }
    if (t && (!rescued || rescued->lost->len || !is_equal(t, rescued))) {
        return "another one when it is rescued";
    }
    if (!t && rescued && !rescued->lost->len) {
        return "rescued without telling what is lost";
    }
    if (cut && rescued && !is_within(rescued, whole)) {
        return "rescued with variables that were not there";
    }
    return t && format->write && !check_write(t) ? "written as another one"
                                                 : NULL;
}

static bool check_cuts(const uint8_t *data, size_t size)
{
    for (size_t cut = 0; cut < size; cut++) {
        bool accepted;
        const char *wrong = check(data, cut, true, &accepted);

        if (wrong) {
            printf("cut to %zu bytes: %s\n", cut, wrong);
            return false;
        }
    }
    return true;
}

static bool check_flips(uint8_t *data, size_t size, unsigned *refused)
{
    for (size_t bit = 0; bit < 8 * size; bit++) {
        const char *wrong;
        bool accepted;

        data[bit / 8] ^= 1 << bit % 8;
        wrong = check(data, size, false, &accepted);
        data[bit / 8] ^= 1 << bit % 8;
        if (wrong) {
            printf("bit %zu: %s\n", bit, wrong);
            return false;
        }
        *refused += !accepted;
    }
    return true;
}

static bool run(uint8_t *data, size_t size)
{
    g_autoptr(GBytes) bytes = g_bytes_new(data, size);
    unsigned refused = 0;
    bool reason;

    whole = parse(bytes, false, &reason);
    if (!whole) {
        puts("the file is not accepted as it is");
        return false;
    }
    if (!check_cuts(data, size) || !check_flips(data, size, &refused)) {
        return false;
    }
    printf("%zu cuts refused, %u of %zu flips\n", size, refused, 8 * size);
    return true;
}

int main(int argc, char **argv)
{
    g_autoptr(GError) err = NULL;
    g_autofree char *data = NULL;
    gsize size;
    bool ok;

    format = argc > 2 ? tool_format_find(argv[1]) : NULL;
    if (!format || !g_file_get_contents(argv[2], &data, &size, &err)) {
        fputs("usage: corrupt-store FORMAT FILE [DICTIONARY]\n", stderr);
        return 2;
    }
    dictionary = argv[3];
    ok = run((uint8_t *)data, size);
    g_clear_pointer(&whole, tool_transfer_free);
    return !ok;
}
