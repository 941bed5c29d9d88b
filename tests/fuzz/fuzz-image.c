/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: images of UEFI programs, SBAT, and device paths
 *
 * The fields of an image that say where something is come from the input; the
 * rest of it is as it should be, so that the reader is got into.
 */

#include "qemu/osdep.h"
#include "fuzz.h"
#include "tool.h"

#define IMAGE_SIZE      1024
#define PE              0x40
#define OPTIONAL        (PE + 24)
#define SECTIONS        (OPTIONAL + 240)

static void put(uint8_t *image, size_t pos, uint32_t value)
{
    for (int i = 0; i < 4; i++) {
        image[pos + i] = value >> 8 * i;
    }
}

/* Mostly within the image, or just behind it */
static uint32_t number(FuzzInput *in)
{
    uint8_t how = fuzz_u8(in);
    uint32_t value = fuzz_u8(in) | fuzz_u8(in) << 8;

    switch (how & 7) {
    case 0:
        return value;
    case 1:
        return UINT32_MAX - (value & 0xff);
    case 2:
        return IMAGE_SIZE - 8 + (value & 15);
    default:
        return value % IMAGE_SIZE;
    }
}

static GBytes *make_image(FuzzInput *in)
{
    uint8_t *image = g_malloc0(IMAGE_SIZE);
    uint8_t how = fuzz_u8(in);
    size_t size = how & 1 ? IMAGE_SIZE : number(in) % (IMAGE_SIZE + 1);
    GBytes *bytes;

    put(image, 0, 0x5a4d);
    put(image, 0x3c, how & 2 ? number(in) : PE);
    put(image, PE, 0x4550);
    put(image, PE + 4, (fuzz_u8(in) & 7) << 16);        /* sections */
    put(image, PE + 20, how & 4 ? number(in) : 240);
    put(image, OPTIONAL, how & 8 ? 0x10b : 0x20b);
    put(image, OPTIONAL + 60, how & 16 ? number(in) : 512);
    put(image, OPTIONAL + 108, how & 32 ? number(in) : 16);
    put(image, OPTIONAL + 112 + 32, number(in));        /* signatures */
    put(image, OPTIONAL + 112 + 36, number(in));
    for (int i = 0; i < 3; i++) {
        memcpy(image + SECTIONS + 40 * i, ".sbat", 5);
        put(image, SECTIONS + 40 * i + 8, number(in));
        put(image, SECTIONS + 40 * i + 16, number(in));
        put(image, SECTIONS + 40 * i + 20, number(in));
    }
    /* sizes and types of signatures */
    for (size_t pos = 512; pos < IMAGE_SIZE; pos += 64) {
        put(image, pos, number(in));
        put(image, pos + 4, 2 << 16);
    }
    /* a buffer of just that size */
    bytes = g_bytes_new(image, size);
    g_free(image);
    return bytes;
}

/* Lines of SBAT, mostly */
static GBytes *make_sbat(FuzzInput *in)
{
    static const char *const words[] = {
        "shim,", "grub,", "1", "2", "\n", ",", " ", "x\n", "99999999999",
        "shim,3\n", "grub,1,x,y,z\n", "-",
    };
    g_autoptr(GString) text = g_string_new(NULL);

    while (fuzz_u8(in) & 15) {
        g_string_append(text, words[fuzz_u8(in) % ARRAY_SIZE(words)]);
    }
    return g_bytes_new(text->str, text->len);
}

static void fuzz_sbat(FuzzInput *in)
{
    g_autoptr(GBytes) sbat = make_sbat(in);
    g_autoptr(GBytes) level = make_sbat(in);
    g_autoptr(GString) why = g_string_new(NULL);
    bool allowed = tool_sbat_allows(sbat, level, why);

    g_assert_true(allowed == !why->len);
}

static void fuzz_path(FuzzInput *in)
{
    g_autoptr(GString) out = g_string_new(NULL);
    g_autofree uint8_t *data = g_memdup2(in->data, in->size);

    if (tool_device_path(out, data, in->size)) {
        g_assert_true(g_utf8_validate(out->str, -1, NULL));
    }
}

void fuzz_one(FuzzInput *in)
{
    g_autoptr(GBytes) image = make_image(in);
    g_autoptr(GPtrArray) signatures = tool_pe_signatures(image);
    g_autoptr(GBytes) section = tool_pe_section(image, ".sbat");
    uint8_t digest[64];
    size_t size = sizeof(digest);
    bool hashed = tool_pe_hash(image, G_CHECKSUM_SHA256, digest, &size);

    /* all agree what an image is */
    g_assert_true(signatures || (!section && !hashed));
    g_assert_true(!hashed || size == 32);
    fuzz_sbat(in);
    fuzz_path(in);
}
