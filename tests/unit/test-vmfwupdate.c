/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Unit test of the UEFI program of vmfwupdate: which firmware in a kernel image
 * fits which machine (docs/specs/vmfwupdate.rst)
 */

#include "qemu/osdep.h"
#include "hw/uefi/var-service.h"
#include "../../pc-bios/vmfwupdate/vmfwupdate.h"

#define DEVICE_TREE 0x1000001c
#define FIRMWARE    0x2000001c

#define ALL_STRINGS ((1u << HW_STRINGS) - 1)

/* A copy that ends where the heap block ends: one byte more is noticed */
static Bytes exact(const GByteArray *array, size_t size)
{
    return (Bytes) { g_memdup2(array->data, size), size };
}

static void release(Bytes bytes)
{
    g_free((void *)bytes.data);
}

static void add32(GByteArray *array, uint32_t value)
{
    uint8_t bytes[4] = { value, value >> 8, value >> 16, value >> 24 };

    g_byte_array_append(array, bytes, sizeof(bytes));
}

static void add_text(GByteArray *array, const char *text)
{
    g_byte_array_append(array, (const uint8_t *)text, strlen(text) + 1);
}

static void pad(GByteArray *array, size_t size)
{
    static const uint8_t zero;

    while (array->len < size) {
        g_byte_array_append(array, &zero, 1);
    }
}

/* ------------------------------------------------------------------------ */
/* The machine */

/* What SMBIOS may say, with what is to be stripped */
static GByteArray *make_smbios(void)
{
    static const uint8_t bios[4] = { 0, 4 };
    static const uint8_t end[6] = { 127, 4 };
    static const uint8_t board[8] = { 2, 8, 2, 0, 1, 2 };
    uint8_t system[0x1b] = { 1, 0x1b, 1, 0, 1, 2 };
    GByteArray *table = g_byte_array_new();

    system[0x19] = 3;
    system[0x1a] = 4;
    g_byte_array_append(table, bios, sizeof(bios));
    pad(table, table->len + 2);
    g_byte_array_append(table, system, sizeof(system));
    add_text(table, "  00Example ");
    add_text(table, "Model 1");
    add_text(table, "SKU9");
    add_text(table, "Fam");
    pad(table, table->len + 1);
    g_byte_array_append(table, board, sizeof(board));
    add_text(table, "Board Inc");
    add_text(table, "Board");
    pad(table, table->len + 1);
    g_byte_array_append(table, end, sizeof(end));
    return table;
}

static void assert_string(Bytes string, const char *text)
{
    g_assert_cmpmem(string.data, string.size, text, strlen(text));
}

static void test_smbios(void)
{
    g_autoptr(GByteArray) table = make_smbios();
    Bytes bytes = exact(table, table->len);
    Hardware hw;

    hw_read(&hw, bytes);
    assert_string(hw.strings[HW_MANUFACTURER], "Example");
    assert_string(hw.strings[HW_FAMILY], "Fam");
    assert_string(hw.strings[HW_PRODUCT], "Model 1");
    assert_string(hw.strings[HW_SKU], "SKU9");
    assert_string(hw.strings[HW_BOARD_MANUFACTURER], "Board Inc");
    assert_string(hw.strings[HW_BOARD_PRODUCT], "Board");
    release(bytes);

    for (size_t size = 0; size < table->len; size++) {
        bytes = exact(table, size);
        hw_read(&hw, bytes);
        release(bytes);
    }
}

static void assert_chid(const Hardware *hw, unsigned mask, const char *guid)
{
    uint8_t chid[CHID_SIZE];
    UefiGuid parsed;

    g_assert_true(hw_chid(hw, mask, chid));
    g_assert_true(uefi_guid_parse(guid, &parsed));
    g_assert_cmpmem(chid, sizeof(chid), &parsed, sizeof(parsed));
}

static void test_chid(void)
{
    static const char a[] = "LENOVO", umlaut[] = "M\xc3\xbcller";
    g_autofree char *longest = g_strnfill(600, 'x');
    uint8_t chid[CHID_SIZE];
    Hardware hw = {
        .strings[HW_MANUFACTURER] = { (const uint8_t *)a, strlen(a) },
    };

    /* The identifier of this manufacturer is widely known. */
    assert_chid(&hw, 1, "6de5d951-d755-576b-bd09-c5cf66b27234");
    hw.strings[HW_FAMILY] = (Bytes) { (const uint8_t *)umlaut,
                                      strlen(umlaut) };
    g_assert_false(hw_chid(&hw, ALL_STRINGS, chid));
    for (size_t size = 490; size < 600; size++) {
        hw.strings[HW_FAMILY] = (Bytes) { (const uint8_t *)longest, size };
        g_assert_true(hw_chid(&hw, 3, chid) == (size <= 497));
    }
}

/* ------------------------------------------------------------------------ */
/* The section .hwids */

static void add_entry(GByteArray *hwids, uint32_t descriptor,
                      const char *guid, uint32_t id)
{
    UefiGuid parsed;

    add32(hwids, descriptor);
    g_assert_true(uefi_guid_parse(guid, &parsed));
    g_byte_array_append(hwids, (uint8_t *)&parsed, sizeof(parsed));
    add32(hwids, 0);
    add32(hwids, id);
}

/* Identifiers of the machine above by strings used, least specific first */
static const char *const chids[] = {
    "b63f0fbb-7c4e-5b3f-a86d-00e20f2e273d",     /* type 9 */
    "217fed09-5e96-5921-b822-a28332bfa85a",     /* 7 */
    "d11306df-4367-54dc-a4b5-69ba6373dbfd",     /* 5 */
    "4dac4535-8d82-5698-9b1b-3a7371067538",     /* 4 */
    "e0eba534-582c-58d3-b7b0-20e4d29fe6a2",     /* 10 */
    "ebd3795f-784a-540a-85f1-de131d8efebe",     /* 8 */
    "43730a04-ebee-59df-bcc6-881c572b7de6",     /* 6 */
    "5bf4a224-012d-5776-8da2-f1533e5fe968",     /* 3 */
};

/* The @n least specific identifiers; each firmware has the number as name */
static GByteArray *make_hwids(size_t n)
{
    GByteArray *hwids = g_byte_array_new();
    uint32_t strings = (n + 2) * 28;

    add_entry(hwids, DEVICE_TREE, chids[7], strings);
    for (size_t i = 0; i < n; i++) {
        add_entry(hwids, FIRMWARE, chids[i], strings + i * 2);
    }
    pad(hwids, strings);
    for (size_t i = 0; i < n; i++) {
        char text[] = { '0' + i, 0 };

        add_text(hwids, text);
    }
    return hwids;
}

static void test_match(void)
{
    g_autoptr(GByteArray) table = make_smbios();
    Hardware hw;

    hw_read(&hw, (Bytes) { table->data, table->len });
    for (size_t n = 0; n <= ARRAY_SIZE(chids); n++) {
        g_autoptr(GByteArray) hwids = make_hwids(n);

        for (size_t size = 0; size <= hwids->len; size++) {
            Bytes bytes = exact(hwids, size);
            Bytes id = hwids_match(bytes, &hw);

            if (size < hwids->len || !n) {
                g_assert_cmpint(id.size, ==, 0);
            } else {
                g_assert_cmpint(id.size, ==, 1);
                g_assert_cmpint(*id.data, ==, '0' + n - 1);
            }
            release(bytes);
        }
        if (n) {
            /* A list with what nobody knows is not understood at all */
            hwids->data[n * 28 + 3] = 0x30;
            g_assert_cmpint(hwids_match((Bytes) { hwids->data, hwids->len },
                                        &hw).size, ==, 0);
        }
    }
}

/* ------------------------------------------------------------------------ */
/* The image */

static void add_section(GByteArray *headers, GByteArray *content,
                        const char *name, const GByteArray *data)
{
    char padded[8] = "";
    uint32_t at = 0x400 + content->len;

    memcpy(padded, name, strlen(name));
    g_byte_array_append(headers, (uint8_t *)padded, 8);
    add32(headers, data->len);
    add32(headers, at + 0x1000);
    add32(headers, ROUND_UP(data->len, 512));
    add32(headers, at);
    pad(headers, headers->len + 16);
    g_byte_array_append(content, data->data, data->len);
    pad(content, ROUND_UP(content->len, 512));
}

static GByteArray *make_efifw(const char *id, const char *firmware)
{
    GByteArray *efifw = g_byte_array_new();

    add32(efifw, 0xfeeddead);
    add32(efifw, 16);
    add32(efifw, strlen(id) + 1);
    add32(efifw, strlen(firmware));
    add_text(efifw, id);
    g_byte_array_append(efifw, (const uint8_t *)firmware, strlen(firmware));
    return efifw;
}

static GByteArray *make_uki(void)
{
    GByteArray *image = g_byte_array_new();
    g_autoptr(GByteArray) headers = g_byte_array_new();
    g_autoptr(GByteArray) content = g_byte_array_new();
    g_autoptr(GByteArray) hwids = make_hwids(3);
    g_autoptr(GByteArray) other = make_efifw("1", "not this one");
    g_autoptr(GByteArray) longer = make_efifw("22", "nor this");
    g_autoptr(GByteArray) good = make_efifw("2", "this one");

    add_section(headers, content, ".efifw", other);
    add_section(headers, content, ".efifwx", good);
    add_section(headers, content, ".efifw", longer);
    add_section(headers, content, ".efifw", good);
    add_section(headers, content, ".hwids", hwids);
    add_section(headers, content, ".efifw", other);
    g_byte_array_append(image, (const uint8_t *)"MZ", 2);
    pad(image, 0x3c);
    add32(image, 0x40);
    g_byte_array_append(image, (const uint8_t *)"PE\0", 4);
    add32(image, 0x8664 | 6 << 16);
    pad(image, image->len + 12);
    add32(image, 0x10);                 /* size of the optional header */
    pad(image, image->len + 0x10);
    g_byte_array_append(image, headers->data, headers->len);
    pad(image, 0x400);
    g_byte_array_append(image, content->data, content->len);
    return image;
}

static void test_firmware(void)
{
    g_autoptr(GByteArray) table = make_smbios();
    g_autoptr(GByteArray) image = make_uki();
    Hardware hw;
    Bytes firmware;
    unsigned found = 0;

    hw_read(&hw, (Bytes) { table->data, table->len });
    for (size_t size = 0; size <= image->len; size++) {
        Uki uki = { exact(image, size), false };

        if (uki_firmware(&uki, &hw, &firmware)) {
            assert_string(firmware, "this one");
            found++;
        }
        release(uki.bytes);
    }
    /* only once the section .hwids is whole */
    g_assert_cmpint(found, >, 0);
    g_assert_cmpint(found, <, 1536);

    /* In memory sections are elsewhere. */
    {
        g_autoptr(GByteArray) loaded = g_byte_array_new();
        Uki uki = { .loaded = true };

        g_byte_array_append(loaded, image->data, 0x400);
        pad(loaded, 0x1400);
        g_byte_array_append(loaded, image->data + 0x400, image->len - 0x400);
        uki.bytes = exact(loaded, loaded->len);
        g_assert_true(uki_firmware(&uki, &hw, &firmware));
        assert_string(firmware, "this one");
        release(uki.bytes);
    }
}

/* Whatever bytes an image has, nothing beyond its end is looked at. */
static void test_damaged(void)
{
    g_autoptr(GByteArray) table = make_smbios();
    g_autoptr(GByteArray) image = make_uki();
    Hardware hw;
    Bytes firmware;

    hw_read(&hw, (Bytes) { table->data, table->len });
    for (unsigned run = 0; run < 20000; run++) {
        Uki uki = { exact(image, image->len), run & 1 };
        uint8_t *bytes = (uint8_t *)uki.bytes.data;

        for (unsigned i = 0; i < 3; i++) {
            bytes[g_test_rand_int_range(0, image->len)] =
                g_test_rand_bit() ? 0xff : g_test_rand_int();
        }
        bytes[g_test_rand_int_range(0, 0x180)] = g_test_rand_int();
        if (uki_firmware(&uki, &hw, &firmware)) {
            g_assert_true(firmware.data >= uki.bytes.data &&
                          firmware.data + firmware.size <=
                          uki.bytes.data + uki.bytes.size);
        }
        release(uki.bytes);
    }
}

static void test_sha1(void)
{
    g_autofree char *text = g_strnfill(200, 'a');

    for (size_t size = 0; size <= 200; size++) {
        Bytes bytes = { g_memdup2(text, size ?: 1), size };
        g_autofree char *want = g_compute_checksum_for_data(
            G_CHECKSUM_SHA1, bytes.data, size);
        uint8_t digest[SHA1_SIZE];
        g_autoptr(GString) have = g_string_new("");

        sha1(bytes, digest);
        for (unsigned i = 0; i < SHA1_SIZE; i++) {
            g_string_append_printf(have, "%02x", digest[i]);
        }
        g_assert_cmpstr(have->str, ==, want);
        release(bytes);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/vmfwupdate/sha1", test_sha1);
    g_test_add_func("/vmfwupdate/smbios", test_smbios);
    g_test_add_func("/vmfwupdate/chid", test_chid);
    g_test_add_func("/vmfwupdate/match", test_match);
    g_test_add_func("/vmfwupdate/firmware", test_firmware);
    g_test_add_func("/vmfwupdate/damaged", test_damaged);
    return g_test_run();
}
