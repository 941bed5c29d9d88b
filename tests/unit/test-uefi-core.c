/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: headers, dispatch, phases and resets
 */

#include "qemu/osdep.h"
#include "uefi-test.h"

/* A GUID that is no target */
static const UefiGuid nobody = UEFI_GUID(0x12345678, 0, 0,
                                         0, 0, 0, 0, 0, 0, 0, 0);

static size_t message_size(const UefiGuid *guid, const char *rest,
                           size_t rest_size, size_t buffer_size)
{
    g_autofree uint8_t *head = g_malloc(16 + rest_size);

    memcpy(head, guid->b, 16);
    memcpy(head + 16, rest, rest_size);
    return uefi_vars_message_size(head, 16 + rest_size, buffer_size);
}

/* 2.1: bounds of the header and of the length that it announces */
static void test_header(void)
{
    const UefiGuid *var = &uefi_guid_variable_protocol;

    g_assert_cmpuint(message_size(var, "\x3c\0\0\0\0\0\0\0", 8, 0x10000), ==,
                     84);
    g_assert_cmpuint(message_size(var, "\x3c\0\0\0\0\0\0\0", 8, 84), ==, 84);
    g_assert_cmpuint(message_size(var, "\x3c\0\0\0\0\0\0\0", 8, 83), ==, 0);
    g_assert_cmpuint(message_size(var, "\0\0\0\0\0\0\0\0", 8, 24), ==, 24);
    /* 32-bit: the upper half is the function number */
    g_assert_cmpuint(message_size(var, "\x2c\0\0\0\1\0\0\0", 8, 0x10000), ==,
                     64);
    g_assert_cmpuint(message_size(var, "\x2c\0\0\0\1\0\0\0", 8, 63), ==, 0);
    g_assert_cmpuint(message_size(var, "\xff\xff\xff\xff\1\0\0\0", 8, 0x10000),
                     ==, 0);
    g_assert_cmpuint(message_size(var, "\xff\xff\xff\xff\xff\xff\xff\xff", 8,
                                  0x10000), ==, 0);
    g_assert_cmpuint(message_size(var, "\xe8\xff\xff\xff\0\0\0\0", 8,
                                  0x10000), ==, 0);
    /* buffers too small for the one header, or for both */
    g_assert_cmpuint(message_size(var, "\1\0\0\0\0", 5, 21), ==, 21);
    g_assert_cmpuint(message_size(var, "\0\0\0\0", 4, 20), ==, 20);
    g_assert_cmpuint(message_size(var, "\0\0\0", 3, 19), ==, 0);
    g_assert_cmpuint(uefi_vars_message_size((const uint8_t *)"", 0, 0), ==, 0);
    /* an unknown sender has a 64-bit header */
    g_assert_cmpuint(message_size(&nobody, "\0\0\0\0\1\0\0\0", 8, 0x10000), ==,
                     0);
    g_assert_cmpuint(message_size(&nobody, "\0\0\0\0", 4, 20), ==, 0);
}

static void test_unknown_guid(void)
{
    g_autoptr(UefiTest) t = uefi_test_new(NULL);
    g_autoptr(GByteArray) data = g_byte_array_new();

    uefi_test_add(data, 0x1122334455667788, 8);
    g_assert_cmphex(uefi_test_send(t, &nobody, data), ==,
                    UEFI_VARS_STS_ERR_NOT_SUPPORTED);
    g_assert_cmphex(uefi_test_field(data, 0, 8), ==, 0x1122334455667788);
}

/* M1: no room for function and status, for either width of UINTN */
static void test_m1(void)
{
    g_autoptr(UefiTest) t = uefi_test_new(NULL);

    for (t->un_size = 4; t->un_size <= 8; t->un_size += 4) {
        for (unsigned size = 0; size < 2 * t->un_size; size++) {
            g_autoptr(GByteArray) data = g_byte_array_new();

            /* the function number tells a 32-bit message from another */
            uefi_test_add_un(t, data, 11);
            uefi_test_add_un(t, data, 0);
            g_byte_array_set_size(data, size);
            g_assert_cmphex(uefi_test_send(t, &uefi_guid_variable_protocol,
                                           data), ==,
                            UEFI_VARS_STS_ERR_BAD_BUFFER_SIZE);
        }
    }
}

/* 12: the published bytes of one request and its reply, 64-bit */
static void test_vector_64(void)
{
    static const char request[] =
        "\x33\xd5\x32\xed\xe6\x99\x09\x42\x9c\xc0\x2d\x72\xcd\xd9\x98\xa7"
        "\x3c\0\0\0\0\0\0\0" "\x01\0\0\0\0\0\0\0" "\0\0\0\0\0\0\0\0"
        "\x11\x11\x11\x11\x22\x22\x33\x33\x44\x44\x55\x55\x55\x55\x55\x55"
        "\x04\0\0\0\0\0\0\0" "\x04\0\0\0\0\0\0\0" "\0\0\0\0"
        "\x41\0\0\0" "\0\0\0";
    g_autoptr(UefiTest) t = uefi_test_new(NULL);
    g_autofree uint8_t *buf = g_memdup2(request, sizeof(request));

    g_assert_cmpuint(sizeof(request), ==, 84);
    g_assert_cmpuint(uefi_vars_message_size(buf, 24, 0x10000), ==, 84);
    g_assert_cmphex(uefi_vars_message(t->uv, buf, 84, 0x10000), ==, 0);
    g_assert_cmpmem(buf + 32, 8, "\x0e\0\0\0\0\0\0\x80", 8);
    g_assert_cmpmem(buf + 40, 44, request + 40, 44);

    uefi_test_set(t, &uefi_test_guid, "A", ATTR_BS, "xyz", 3);
    memcpy(buf, request, sizeof(request));
    g_assert_cmphex(uefi_vars_message(t->uv, buf, 84, 0x10000), ==, 0);
    g_assert_cmpmem(buf + 32, 8, "\0\0\0\0\0\0\0\0", 8);
    g_assert_cmpmem(buf + 56, 8, "\x03\0\0\0\0\0\0\0", 8);
    g_assert_cmpmem(buf + 72, 12, "\x02\0\0\0\x41\0\0\0xyz\0", 12);
}

static void test_vector_32(void)
{
    static const char request[] =
        "\x33\xd5\x32\xed\xe6\x99\x09\x42\x9c\xc0\x2d\x72\xcd\xd9\x98\xa7"
        "\x2c\0\0\0" "\x01\0\0\0" "\0\0\0\0"
        "\x11\x11\x11\x11\x22\x22\x33\x33\x44\x44\x55\x55\x55\x55\x55\x55"
        "\x04\0\0\0" "\x04\0\0\0" "\0\0\0\0" "\x41\0\0\0" "\0\0\0";
    g_autoptr(UefiTest) t = uefi_test_new(NULL);
    g_autofree uint8_t *buf = g_memdup2(request, sizeof(request));

    g_assert_cmpuint(sizeof(request), ==, 64);
    g_assert_cmpuint(uefi_vars_message_size(buf, 24, 0x10000), ==, 64);
    g_assert_cmphex(uefi_vars_message(t->uv, buf, 64, 0x10000), ==, 0);
    g_assert_cmpmem(buf + 24, 4, "\x0e\0\0\x80", 4);
    g_assert_cmpmem(buf + 28, 36, request + 28, 36);
}

/* 2.3, 9.2: phases go forward only, and none can be left out */
static void test_phases(void)
{
    g_autoptr(UefiTest) t = uefi_test_new(NULL);
    g_autoptr(GByteArray) none = g_byte_array_new();

    g_assert_cmpint(t->uv->phase, ==, UEFI_PHASE_DXE);
    uefi_test_event(t, &uefi_guid_ready_to_boot);
    g_assert_cmpint(t->uv->phase, ==, UEFI_PHASE_DXE);
    uefi_test_event(t, &uefi_guid_end_of_dxe);
    g_assert_cmpint(t->uv->phase, ==, UEFI_PHASE_END_OF_DXE);
    uefi_assert_reason(uefi_test_call(t, 5, none), OK);
    g_assert_cmpint(t->uv->phase, ==, UEFI_PHASE_READY_TO_BOOT);
    uefi_test_event(t, &uefi_guid_end_of_dxe);
    g_assert_cmpint(t->uv->phase, ==, UEFI_PHASE_READY_TO_BOOT);
    uefi_assert_reason(uefi_test_call(t, 6, none), OK);
    uefi_assert_reason(uefi_test_call(t, 6, none), OK);
    g_assert_cmpint(t->uv->phase, ==, UEFI_PHASE_RUNTIME);
    uefi_assert_reason(uefi_test_call(t, 5, none), READY_AT_RUNTIME);
    uefi_test_event(t, &uefi_guid_end_of_dxe);
    uefi_test_event(t, &uefi_guid_exit_boot_services);
    g_assert_cmpint(t->uv->phase, ==, UEFI_PHASE_RUNTIME);

    uefi_vars_hard_reset(t->uv);
    g_assert_cmpint(t->uv->phase, ==, UEFI_PHASE_DXE);
    uefi_test_event(t, &uefi_guid_exit_boot_services);
    g_assert_cmpint(t->uv->phase, ==, UEFI_PHASE_RUNTIME);
    uefi_assert_reason(uefi_test_call(t, 5, none), READY_AT_RUNTIME);
}

/* 9.1: volatile variables go, the others stay, in their order */
static void test_reset(void)
{
    g_autoptr(UefiTest) t = uefi_test_new(NULL);

    uefi_test_set(t, &uefi_test_guid, "keep1", ATTR_NV_RT, "1", 1);
    uefi_test_set(t, &uefi_test_guid, "lose", ATTR_BS_RT, "2", 1);
    uefi_test_set(t, &uefi_test_guid, "keep2", ATTR_NV_BS, "3", 1);
    uefi_test_phase(t, UEFI_PHASE_RUNTIME);
    uefi_vars_hard_reset(t->uv);
    uefi_assert_reason(uefi_test_get(t, &uefi_test_guid, "lose", NULL, NULL),
                       GET_MISSING);
    uefi_assert_value(t, &uefi_test_guid, "keep1", "1");
    uefi_assert_value(t, &uefi_test_guid, "keep2", "3");
}

/* 9.1: a reset after which nothing is different saves nothing */
static void test_idle_reset(void)
{
    g_autoptr(UefiTest) t = uefi_test_new(NULL);

    uefi_vars_hard_reset(t->uv);
    uefi_vars_hard_reset(t->uv);
    g_assert_cmpuint(t->saves, ==, 0);
}

static void test_functions(void)
{
    g_autoptr(UefiTest) t = uefi_test_new(NULL);
    static const uint64_t unsupported[] = { 0, 15, 16, 0x100000001 };

    for (t->un_size = 4; t->un_size <= 8; t->un_size += 4) {
        g_autoptr(GByteArray) payload = g_byte_array_new();

        for (size_t i = t->un_size == 4; i < ARRAY_SIZE(unsupported); i++) {
            uefi_assert_reason(uefi_test_call(t, unsupported[i], payload),
                               FUNCTION);
            if (t->un_size == 4 && i == 2) {
                break;
            }
        }
        uefi_assert_reason(uefi_test_call(t, 7, payload), NO_STATISTICS);
        uefi_assert_reason(uefi_test_call(t, 11, payload), MSG_SHORT);
        g_byte_array_set_size(payload, 64);
        uefi_assert_reason(uefi_test_call(t, 12, payload), NO_CACHE);
        uefi_assert_reason(uefi_test_call(t, 13, payload), NO_CACHE);
        uefi_assert_reason(uefi_test_call(t, 14, payload), NO_CACHE);
        uefi_assert_reason(uefi_test_call(t, 11, payload), OK);
        g_assert_cmpuint(uefi_test_field(payload, 0, t->un_size), ==,
                         t->un_size == 8 ? 65496 : 65508);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/uefi/core/2.1/header", test_header);
    g_test_add_func("/uefi/core/2.2/unknown-guid", test_unknown_guid);
    g_test_add_func("/uefi/core/M1/short", test_m1);
    g_test_add_func("/uefi/core/12/vector-64", test_vector_64);
    g_test_add_func("/uefi/core/12/vector-32", test_vector_32);
    g_test_add_func("/uefi/core/H12/phases", test_phases);
    g_test_add_func("/uefi/core/9.1/reset", test_reset);
    g_test_add_func("/uefi/core/9.1/idle-reset", test_idle_reset);
    g_test_add_func("/uefi/core/3.2/functions", test_functions);
    return g_test_run();
}
