/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Read a store of another program cut to every length, and with every bit
 * flipped, each time from a buffer of just its size
 *
 * usage: corrupt-store FORMAT FILE [DICTIONARY]
 *
 * Fails when a cut one is accepted, or one is refused without saying why on
 * one line.
 */

#include "qemu/osdep.h"
#include "format.h"

static const ToolFormat *format;
static const char *dictionary;

/* Returns 1 if the bytes are accepted, 0 if refused, -1 if without a reason. */
static int try_read(const uint8_t *data, size_t size)
{
    g_autoptr(GBytes) bytes = g_bytes_new(data, size);
    g_autoptr(GError) err = NULL;
    g_autoptr(ToolTransfer) t = tool_transfer_new("corrupt");
    bool ok;

    t->format = format;
    t->dictionary = dictionary;
    ok = tool_format_parse(t, bytes, &err);
    if (ok) {
        return 1;
    }
    return err && *err->message && !strchr(err->message, '\n') ? 0 : -1;
}

static bool check_cuts(const uint8_t *data, size_t size)
{
    for (size_t cut = 0; cut < size; cut++) {
        if (try_read(data, cut)) {
            printf("cut to %zu bytes: wrong answer\n", cut);
            return false;
        }
    }
    return true;
}

static bool check_flips(uint8_t *data, size_t size, unsigned *refused)
{
    for (size_t bit = 0; bit < 8 * size; bit++) {
        int result;

        data[bit / 8] ^= 1 << bit % 8;
        result = try_read(data, size);
        data[bit / 8] ^= 1 << bit % 8;
        if (result < 0) {
            printf("bit %zu: refused without a reason\n", bit);
            return false;
        }
        *refused += !result;
    }
    return true;
}

int main(int argc, char **argv)
{
    g_autoptr(GError) err = NULL;
    g_autofree char *data = NULL;
    unsigned refused = 0;
    gsize size;

    format = argc > 2 ? tool_format_find(argv[1]) : NULL;
    if (!format || !g_file_get_contents(argv[2], &data, &size, &err)) {
        fputs("usage: corrupt-store FORMAT FILE [DICTIONARY]\n", stderr);
        return 2;
    }
    dictionary = argv[3];
    if (try_read((uint8_t *)data, size) != 1) {
        puts("the file is not accepted as it is");
        return 1;
    }
    if (!check_cuts((uint8_t *)data, size) ||
        !check_flips((uint8_t *)data, size, &refused)) {
        return 1;
    }
    printf("%zu cuts refused, %u of %zu flips\n", (size_t)size, refused,
           8 * (size_t)size);
    return 0;
}
