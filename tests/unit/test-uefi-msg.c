/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: the cursor, GUIDs, strings and times
 */

#include "qemu/osdep.h"
#include "uefi-test.h"

static void test_get(void)
{
    g_autofree uint8_t *buf = g_memdup2("\x01\x02\x03\x04\x05\x06\x07\x08"
                                        "\x11\x12\x13\x14\x15\x16\x17", 15);
    UefiMsg msg;

    uefi_msg_init(&msg, buf, 15, 4);
    g_assert_cmphex(uefi_msg_get_u8(&msg), ==, 0x01);
    g_assert_cmphex(uefi_msg_get_u16(&msg), ==, 0x0302);
    g_assert_cmphex(uefi_msg_get_u32(&msg), ==, 0x07060504);
    g_assert_cmphex(uefi_msg_get_un(&msg), ==, 0x13121108);
    g_assert_cmpuint(uefi_msg_left(&msg), ==, 4);
    uefi_msg_seek(&msg, 0);
    msg.un_size = 8;
    g_assert_cmphex(uefi_msg_get_un(&msg), ==, 0x0807060504030201);
    g_assert_false(msg.overrun);
}

static void test_overrun(void)
{
    g_autofree uint8_t *buf = g_memdup2("\x01\x02\x03", 3);
    UefiMsg msg;

    uefi_msg_init(&msg, buf, 3, 8);
    g_assert_cmphex(uefi_msg_get_u32(&msg), ==, 0);
    g_assert_true(msg.overrun);
    /* sticky: what would fit is refused as well */
    g_assert_cmphex(uefi_msg_get_u8(&msg), ==, 0);
    uefi_msg_put_u8(&msg, 0xff);
    g_assert_null(uefi_msg_get_bytes(&msg, 1));
    g_assert_cmphex(buf[0], ==, 0x01);

    uefi_msg_init(&msg, buf, 3, 8);
    uefi_msg_seek(&msg, 4);
    g_assert_true(msg.overrun);

    uefi_msg_init(&msg, buf, 3, 8);
    g_assert_null(uefi_msg_get_bytes(&msg, SIZE_MAX));
    g_assert_true(msg.overrun);
}

static void test_put(void)
{
    static const uint16_t ab[] = { 'A', 0xd800, 0 };
    g_autofree uint8_t *buf = g_malloc0(32);
    UefiMsg msg;

    uefi_msg_init(&msg, buf, 32, 4);
    uefi_msg_put_u8(&msg, 0x01);
    uefi_msg_put_u16(&msg, 0x0203);
    uefi_msg_put_u32(&msg, 0x04050607);
    uefi_msg_put_u64(&msg, 0x08090a0b0c0d0e0f);
    uefi_msg_put_un(&msg, 0xaabbccdd);
    uefi_msg_put_str(&msg, ab);
    uefi_msg_put_bytes(&msg, "xyz", 3);
    uefi_msg_put_u32(&msg, 0xeeeeeeee);
    uefi_msg_put_bytes(&msg, NULL, 0);
    g_assert_false(msg.overrun);
    g_assert_cmpmem(buf, 32, "\x01\x03\x02\x07\x06\x05\x04"
                    "\x0f\x0e\x0d\x0c\x0b\x0a\x09\x08\xdd\xcc\xbb\xaa"
                    "\x41\x00\x00\xd8\x00\x00xyz\xee\xee\xee\xee", 32);
    uefi_msg_put_u8(&msg, 1);
    g_assert_true(msg.overrun);
}

static void test_status(void)
{
    uint8_t buf[8] = { };
    UefiMsg msg;

    uefi_msg_init(&msg, buf, 8, 8);
    uefi_msg_put_status(&msg, EFI_NOT_FOUND);
    g_assert_cmpmem(buf, 8, "\x0e\0\0\0\0\0\0\x80", 8);
    uefi_msg_init(&msg, buf, 4, 4);
    uefi_msg_put_status(&msg, EFI_NOT_FOUND);
    g_assert_cmpmem(buf, 4, "\x0e\0\0\x80", 4);
    uefi_msg_init(&msg, buf, 8, 8);
    uefi_msg_put_status(&msg, EFI_SUCCESS);
    g_assert_cmpmem(buf, 8, "\0\0\0\0\0\0\0\0", 8);
}

static uint16_t *read_str(const char *bytes, size_t size, bool name)
{
    g_autofree uint8_t *buf = g_memdup2(bytes, size);
    UefiMsg msg;

    uefi_msg_init(&msg, buf, size, 8);
    return name ? uefi_msg_get_name(&msg, size) : uefi_msg_get_str(&msg, size);
}

static void check_str(const char *bytes, size_t size, bool name,
                      const char *expected)
{
    g_autofree uint16_t *str = read_str(bytes, size, name);

    if (expected) {
        g_assert_nonnull(str);
        g_assert_true(uefi_str_is(str, expected));
    } else {
        g_assert_null(str);
    }
}

/* H3: sizes of 0, 1 and odd; no NUL, one NUL alone, an embedded NUL */
static void test_str(void)
{
    check_str("A\0\0\0", 4, false, "A");
    check_str("A\0\0\0B\0", 6, false, "A");
    check_str("\0\0", 2, false, "");
    check_str("A\0B\0", 4, false, NULL);
    check_str("A\0\0", 3, false, NULL);
    check_str("\0", 1, false, NULL);
    check_str("", 0, false, NULL);

    check_str("A\0\0\0", 4, true, "A");
    check_str("A\0\0\0\xff", 5, true, "A");
    check_str("A\0\0\0B\0\0\0", 8, true, "A");
    check_str("A\0\0\0B\0", 6, true, NULL);
    check_str("\0\0", 2, true, "");
    check_str("\0", 1, true, NULL);
    check_str("", 0, true, NULL);
}

static void test_guid(void)
{
    const char *text = "d719b2cb-3d3a-4596-a3bc-dad00e67656f";
    g_autofree char *printed = uefi_guid_print(&uefi_guid_image_security);
    static const char *const bad[] = {
        "", "d719b2cb", "d719b2cb-3d3a-4596-a3bc-dad00e67656",
        "d719b2cb-3d3a-4596-a3bc-dad00e67656f0",
        "d719b2cb03d3a-4596-a3bc-dad00e67656f",
        "d719b2cb-3d3a-4596-a3bc0dad00e67656f",
        "g719b2cb-3d3a-4596-a3bc-dad00e67656f",
        "{d719b2cb-3d3a-4596-a3bc-dad00e67656",
    };
    UefiGuid guid = { };

    g_assert_cmpstr(printed, ==, text);
    g_assert_cmpmem(uefi_guid_image_security.b, 16,
                    "\xcb\xb2\x19\xd7\x3a\x3d\x96\x45"
                    "\xa3\xbc\xda\xd0\x0e\x67\x65\x6f", 16);
    g_assert_true(uefi_guid_parse(text, &guid));
    g_assert_true(uefi_guid_equal(&guid, &uefi_guid_image_security));
    g_assert_true(uefi_guid_parse("D719B2CB-3D3A-4596-A3BC-DAD00E67656F",
                                  &guid));
    g_assert_true(uefi_guid_equal(&guid, &uefi_guid_image_security));
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        g_assert_false(uefi_guid_parse(bad[i], &guid));
    }
    g_assert_cmpstr(uefi_guid_name(&guid), ==, "IMGSEC");
    g_assert_null(uefi_guid_name(&uefi_test_guid));
}

static void test_names(void)
{
    static const uint16_t odd[] = { 'a', 0xd83d, 0xde00, 0xd800, 0x1b, 0xe4,
                                    0xdc00, 0 };
    static const uint16_t hidden[] = { '\\', 0x9b, 0x202e, 0x200b, 0xfeff,
                                       0xdb40, 0xdc41, 0xe4, 0 };
    g_autofree char *text = uefi_str_print(odd);
    g_autofree char *name = uefi_str_print(hidden);
    g_autoptr(GString) visible = g_string_new(NULL);
    g_autofree uint16_t *abc = uefi_str_from_ascii("abc");
    g_autofree uint16_t *copy = uefi_str_dup(abc);

    g_assert_cmpstr(text, ==, "a\U0001f600\\ud800\\u001b\u00e4\\udc00");
    g_assert_cmpstr(name, ==, "\\u005c\\u009b\\u202e\\u200b\\ufeff"
                    "\\udb40\\udc41\u00e4");
    uefi_str_append_visible(visible, hidden);
    g_assert_cmpstr(visible->str, ==, "\\\\u009b\\u202e\\u200b\\ufeff"
                    "\\udb40\\udc41\u00e4");
    g_assert_cmpuint(uefi_str_len(abc), ==, 3);
    g_assert_cmpuint(uefi_str_size(abc), ==, 8);
    g_assert_true(uefi_str_equal(abc, copy));
    g_assert_true(uefi_str_is(abc, "abc"));
    g_assert_false(uefi_str_is(abc, "ab"));
    g_assert_false(uefi_str_is(abc, "abcd"));
    g_assert_false(uefi_str_is(abc, "Abc"));
    g_assert_false(uefi_str_equal(abc, odd));
}

static void test_time(void)
{
    const UefiTime base = { { 0xe8, 0x07, 1, 2, 3, 4, 5 } };

    g_assert_cmpint(uefi_time_compare(&base, &base), ==, 0);
    for (unsigned i = 0; i < 7; i++) {
        UefiTime later = base;

        later.b[i]++;
        g_assert_cmpint(uefi_time_compare(&later, &base), >, 0);
        g_assert_cmpint(uefi_time_compare(&base, &later), <, 0);
    }
    for (unsigned i = 7; i < EFI_TIME_SIZE; i++) {
        UefiTime same = base;

        same.b[i]++;
        g_assert_cmpint(uefi_time_compare(&same, &base), ==, 0);
    }
    /* the year is 16 bits, little endian */
    g_assert_cmpint(uefi_time_compare(&(UefiTime) { { 0x00, 0x08 } },
                                      &(UefiTime) { { 0xff, 0x07 } }), >, 0);
}

/* Every reason has its one status and a text that begins with its row. */
static void test_reasons(void)
{
    for (int reason = 0; reason < UEFI_REASON__MAX; reason++) {
        bool ok = reason == UEFI_REASON_OK;

        g_assert_nonnull(uefi_reason_name(reason));
        g_assert_true((uefi_reason_status(reason) == EFI_SUCCESS) == ok);
        g_assert_true(ok || strstr(uefi_reason_text(reason), ": "));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/uefi/msg/get", test_get);
    g_test_add_func("/uefi/msg/overrun", test_overrun);
    g_test_add_func("/uefi/msg/put", test_put);
    g_test_add_func("/uefi/msg/status", test_status);
    g_test_add_func("/uefi/msg/H3/str", test_str);
    g_test_add_func("/uefi/guid/text", test_guid);
    g_test_add_func("/uefi/utils/names", test_names);
    g_test_add_func("/uefi/utils/time", test_time);
    g_test_add_func("/uefi/utils/reasons", test_reasons);
    return g_test_run();
}
