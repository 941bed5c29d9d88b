/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * QTest of the UEFI variable service: messages and ordinary variables
 *
 * Names of tests are rows of docs/specs/uefi-vars.rst.
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "libqtest.h"
#include "libqos/uefi-vars.h"

#define MAX_VAR (UEFI_TEST_MAX_VAR - EFI_VAR_RECORD_HEADER_SIZE)
#define UEFI_TEST_MAX_VAR   0x8400

/* Small enough to fill in a moment */
#define SMALL_STORE     16384
#define SMALL_PROPS     "size=16384,volatile-size=16384"

static void assert_set(QUefiVars *uv, const char *name, uint32_t attributes,
                       const char *text)
{
    g_assert_cmpint(quefi_set_text(uv, QUEFI_VENDOR, name, attributes, text),
                    ==, EFI_SUCCESS);
}

static void assert_list(QUefiVars *uv, const char *expected)
{
    g_autofree char *list = quefi_list(uv, QUEFI_VENDOR);

    g_assert_cmpstr(list, ==, expected);
}

/* ------------------------------------------------------------------------ */
/* Bytes on the wire */

static const uint8_t vector_64[] = {
    0x33, 0xd5, 0x32, 0xed, 0xe6, 0x99, 0x09, 0x42,
    0x9c, 0xc0, 0x2d, 0x72, 0xcd, 0xd9, 0x98, 0xa7,
    0x3c, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,     /* MessageLength */
    0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,     /* Function */
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,     /* ReturnStatus */
    0x11, 0x11, 0x11, 0x11, 0x22, 0x22, 0x33, 0x33,
    0x44, 0x44, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55,
    0x04, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,     /* DataSize */
    0x04, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,     /* NameSize */
    0x00, 0x00, 0x00, 0x00, 0x41, 0x00, 0x00, 0x00,     /* Attributes, Name */
    0x00, 0x00, 0x00, 0x00,                             /* Data */
};

static const uint8_t vector_32[] = {
    0x33, 0xd5, 0x32, 0xed, 0xe6, 0x99, 0x09, 0x42,
    0x9c, 0xc0, 0x2d, 0x72, 0xcd, 0xd9, 0x98, 0xa7,
    0x2c, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x11, 0x11, 0x11, 0x11,
    0x22, 0x22, 0x33, 0x33, 0x44, 0x44, 0x55, 0x55,
    0x55, 0x55, 0x55, 0x55, 0x04, 0x00, 0x00, 0x00,
    0x04, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x41, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
};

/* Sends bytes as they are, and returns the reply, for the caller to free */
static uint8_t *send_raw(QUefiVars *uv, const uint8_t *bytes, size_t size,
                         uint16_t status)
{
    g_autoptr(QUefiMsg) msg = quefi_buf_new();

    msg->un_size = uv->un_size;
    quefi_put_bytes(msg, bytes, size);
    g_assert_cmphex(quefi_send(uv, msg), ==, status);
    return g_memdup2(msg->bytes->data, size);
}

static void test_vector(QUefiVars *uv, const uint8_t *vector, size_t size,
                        size_t status_at, size_t attributes_at)
{
    g_autofree uint8_t *expected = g_memdup2(vector, size);
    g_autofree uint8_t *reply = NULL;

    /* Without the variable: nothing but a status */
    expected[status_at] = EFI_NOT_FOUND;
    expected[status_at + uv->un_size - 1] = 0x80;
    reply = send_raw(uv, vector, size, UEFI_VARS_STS_SUCCESS);
    g_assert_cmpmem(reply, size, expected, size);
    g_free(reply);

    /* With it */
    assert_set(uv, "A", QUEFI_BS_RT, "wxyz");
    expected[status_at] = 0;
    expected[status_at + uv->un_size - 1] = 0;
    expected[attributes_at] = QUEFI_BS_RT;
    memcpy(expected + size - 4, "wxyz", 4);
    reply = send_raw(uv, vector, size, UEFI_VARS_STS_SUCCESS);
    g_assert_cmpmem(reply, size, expected, size);
}

static void test_vector_64(QUefiVars *uv)
{
    test_vector(uv, vector_64, sizeof(vector_64), 32, 72);
}

static void test_vector_32(QUefiVars *uv)
{
    uv->un_size = 4;
    test_vector(uv, vector_32, sizeof(vector_32), 24, 52);
}

/* The driver of these tests builds what the vectors say */
static void test_builder(QUefiVars *uv)
{
    for (uv->un_size = 4; uv->un_size <= 8; uv->un_size += 4) {
        g_autoptr(QUefiMsg) msg =
            quefi_msg_access(uv, EFI_VAR_FN_GET_VARIABLE, QUEFI_VENDOR, "A",
                             0, 4);

        quefi_put(msg, 4, 0);
        quefi_finish(msg);
        if (uv->un_size == 8) {
            g_assert_cmpmem(msg->bytes->data, msg->bytes->len,
                            vector_64, sizeof(vector_64));
        } else {
            g_assert_cmpmem(msg->bytes->data, msg->bytes->len,
                            vector_32, sizeof(vector_32));
        }
    }
}

/* Bytes that a reply does not define stay as the guest sent them */
static void test_untouched(QUefiVars *uv)
{
    g_autoptr(QUefiMsg) msg =
        quefi_msg_access(uv, EFI_VAR_FN_GET_VARIABLE, QUEFI_VENDOR, "A", 0,
                         64);
    uint8_t filler[128];

    assert_set(uv, "A", QUEFI_BS_RT, "wxyz");
    memset(filler, 0xcc, sizeof(filler));
    quefi_put_bytes(msg, filler, 128);
    g_assert_cmpint(quefi_request(uv, msg), ==, EFI_SUCCESS);

    msg->pos += 16;
    g_assert_cmpint(quefi_get_un(msg), ==, 4);
    msg->pos = msg->bytes->len - 128;
    g_assert_cmpmem(msg->bytes->data + msg->pos, 4, "wxyz", 4);
    g_assert_cmpmem(msg->bytes->data + msg->pos + 4, 124, filler, 124);
}

static void test_unknown_guid(QUefiVars *uv)
{
    static const char *const guids[] = {
        "00000000-0000-0000-0000-000000000000",
        "68e8c853-2ba9-4dd7-9ac0-91e16155c935",
        "ed32d533-99e6-4209-9cc0-2d72cdd998a8",
        QUEFI_VENDOR,
    };

    for (size_t i = 0; i < ARRAY_SIZE(guids); i++) {
        g_autoptr(QUefiMsg) msg = quefi_msg_new(uv, guids[i]);

        quefi_put(msg, 8, EFI_VAR_FN_GET_PAYLOAD_SIZE);
        quefi_put(msg, 8, 0);
        quefi_put(msg, 8, 0);
        /* quefi_send() sees to it that nothing changed */
        g_assert_cmphex(quefi_send(uv, msg), ==,
                        UEFI_VARS_STS_ERR_NOT_SUPPORTED);
    }
}

/* MessageLength against the buffer, not against what lies in memory */
static void test_too_long(QUefiVars *uv)
{
    static const uint64_t lengths[] = {
        0x10000 - 23, 0x10000, UINT32_MAX, UINT64_MAX - 23, UINT64_MAX,
    };
    uint8_t bytes[sizeof(vector_64)];

    uv->use_pio = false;
    for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
        memcpy(bytes, vector_64, sizeof(bytes));
        stq_le_p(bytes + 16, lengths[i]);
        qtest_memwrite(uv->qts, uv->buffer, bytes, sizeof(bytes));
        g_assert_cmphex(quefi_command(uv, UEFI_VARS_CMD_DMA_MM), ==,
                        UEFI_VARS_STS_ERR_BAD_BUFFER_SIZE);
        qtest_memread(uv->qts, uv->buffer, bytes, sizeof(bytes));
        stq_le_p(bytes + 16, 0x3c);
        g_assert_cmpmem(bytes, sizeof(bytes), vector_64, sizeof(bytes));
    }
    /* The longest one that fits is a message like any other */
    memcpy(bytes, vector_64, sizeof(bytes));
    stq_le_p(bytes + 16, 0x10000 - 24);
    qtest_memwrite(uv->qts, uv->buffer, bytes, sizeof(bytes));
    g_assert_cmphex(quefi_command(uv, UEFI_VARS_CMD_DMA_MM), ==,
                    UEFI_VARS_STS_SUCCESS);
}

/* ------------------------------------------------------------------------ */
/* Malformed messages */

static void test_m1(QUefiVars *uv)
{
    for (size_t size = 0; size < 16; size++) {
        g_autofree uint8_t *reply = NULL;

        reply = send_raw(uv, vector_64, EFI_MM_HEADER_SIZE_64 + size,
                         UEFI_VARS_STS_ERR_BAD_BUFFER_SIZE);
    }
}

static void test_m3(QUefiVars *uv)
{
    static const struct {
        EfiVarFunction function;
        size_t fixed;
    } cases[] = {
        { EFI_VAR_FN_GET_VARIABLE, 36 },
        { EFI_VAR_FN_SET_VARIABLE, 36 },
        { EFI_VAR_FN_GET_NEXT_VARIABLE_NAME, 24 },
        { EFI_VAR_FN_QUERY_VARIABLE_INFO, 32 },
        { EFI_VAR_FN_GET_PAYLOAD_SIZE, 8 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        for (size_t size = 0; size < cases[i].fixed; size++) {
            g_autoptr(QUefiMsg) msg = quefi_msg_function(uv,
                                                         cases[i].function);

            for (size_t j = 0; j < size; j++) {
                quefi_put(msg, 1, 0);
            }
            g_assert_cmpint(quefi_request(uv, msg), ==, EFI_BAD_BUFFER_SIZE);
        }
    }
}

/* GetVariable and SetVariable with sizes and name as given */
static EfiStatus access_raw(QUefiVars *uv, EfiVarFunction function,
                            uint64_t data_size, uint64_t name_size,
                            const char *payload, size_t size)
{
    g_autoptr(QUefiMsg) msg = quefi_msg_function(uv, function);

    quefi_put_guid(msg, QUEFI_VENDOR);
    quefi_put_un(msg, data_size);
    quefi_put_un(msg, name_size);
    quefi_put(msg, 4, QUEFI_NV_BS_RT);
    quefi_put_bytes(msg, payload, size);
    return quefi_request(uv, msg);
}

static void test_m4_m5(QUefiVars *uv)
{
    static const EfiVarFunction functions[] = {
        EFI_VAR_FN_GET_VARIABLE, EFI_VAR_FN_SET_VARIABLE
    };

    for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
        EfiVarFunction fn = functions[i];

        /* M4 */
        g_assert_cmpint(access_raw(uv, fn, 5, 4, "A\0\0\0data", 8), ==,
                        EFI_ACCESS_DENIED);
        g_assert_cmpint(access_raw(uv, fn, 0, 10, "A\0\0\0data", 8), ==,
                        EFI_ACCESS_DENIED);
        g_assert_cmpint(access_raw(uv, fn, UINT64_MAX, 4, "A\0\0\0data", 8),
                        ==, EFI_ACCESS_DENIED);
        g_assert_cmpint(access_raw(uv, fn, 4, UINT64_MAX - 3, "A\0\0\0data",
                                   8), ==, EFI_ACCESS_DENIED);
        /* M5 */
        g_assert_cmpint(access_raw(uv, fn, 4, 0, "A\0\0\0data", 8), ==,
                        EFI_ACCESS_DENIED);
        g_assert_cmpint(access_raw(uv, fn, 4, 1, "A\0\0\0data", 8), ==,
                        EFI_ACCESS_DENIED);
        g_assert_cmpint(access_raw(uv, fn, 4, 4, "A\0B\0data", 8), ==,
                        EFI_ACCESS_DENIED);
        /* An empty name is well formed, and wrong */
        g_assert_cmpint(access_raw(uv, fn, 4, 2, "\0\0data", 6), ==,
                        fn == EFI_VAR_FN_SET_VARIABLE ? EFI_INVALID_PARAMETER
                                                      : EFI_NOT_FOUND);
    }
    assert_list(uv, "");

    /* An odd size and units behind the first NUL: the name is "A" */
    g_assert_cmpint(access_raw(uv, EFI_VAR_FN_SET_VARIABLE, 4, 9,
                               "A\0\0\0B\0\0\0?data", 13), ==, EFI_SUCCESS);
    quefi_assert_text(uv, QUEFI_VENDOR, "A", QUEFI_NV_BS_RT, "data");
    assert_list(uv, "A");
}

static EfiStatus next_raw(QUefiVars *uv, uint64_t name_size,
                          const char *payload, size_t size)
{
    g_autoptr(QUefiMsg) msg =
        quefi_msg_function(uv, EFI_VAR_FN_GET_NEXT_VARIABLE_NAME);

    quefi_put_guid(msg, QUEFI_VENDOR);
    quefi_put_un(msg, name_size);
    quefi_put_bytes(msg, payload, size);
    return quefi_request(uv, msg);
}

static void test_m6_m7(QUefiVars *uv)
{
    assert_set(uv, "A", QUEFI_BS_RT, "a");
    assert_set(uv, "B", QUEFI_BS_RT, "b");

    g_assert_cmpint(next_raw(uv, 6, "A\0\0\0", 4), ==, EFI_ACCESS_DENIED);
    g_assert_cmpint(next_raw(uv, UINT64_MAX, "A\0\0\0", 4), ==,
                    EFI_ACCESS_DENIED);
    g_assert_cmpint(next_raw(uv, 4, "A\0B\0", 4), ==, EFI_ACCESS_DENIED);
    g_assert_cmpint(next_raw(uv, 0, "", 0), ==, EFI_ACCESS_DENIED);
    /* Terminated, but not where NameSize ends */
    g_assert_cmpint(next_raw(uv, 2, "A\0\0\0", 4), ==,
                    EFI_INVALID_PARAMETER);
    g_assert_cmpint(next_raw(uv, 0, "A\0\0\0", 4), ==,
                    EFI_INVALID_PARAMETER);
    g_assert_cmpint(next_raw(uv, 4, "A\0\0\0", 4), ==, EFI_SUCCESS);
}

static void test_functions(QUefiVars *uv)
{
    static const unsigned unsupported[] = { 0, 7, 12, 13, 14, 15, 255 };

    for (size_t i = 0; i < ARRAY_SIZE(unsupported); i++) {
        g_autoptr(QUefiMsg) msg = quefi_msg_function(uv, unsupported[i]);

        /* Room for whatever these functions would carry */
        for (size_t j = 0; j < 64; j++) {
            quefi_put(msg, 1, 0);
        }
        g_assert_cmpint(quefi_request(uv, msg), ==, EFI_UNSUPPORTED);
    }
}

static void test_payload_size(QUefiVars *uv)
{
    g_assert_cmpint(quefi_payload_size(uv), ==, 65496);
    uv->un_size = 4;
    g_assert_cmpint(quefi_payload_size(uv), ==, 65508);
    uv->un_size = 8;
    quefi_program(uv, uv->buffer, 4096);
    g_assert_cmpint(quefi_payload_size(uv), ==, 4096 - 40);
}

/* ------------------------------------------------------------------------ */
/* Variables */

static void test_get(QUefiVars *uv)
{
    uint32_t attributes = 0;
    char data[8] = "";
    size_t size;

    assert_set(uv, "A", QUEFI_NV_BS, "value");
    /* 3.5/3 */
    for (size = 0; size < 5; size++) {
        size_t small = size;

        g_assert_cmpint(quefi_get_variable(uv, QUEFI_VENDOR, "A",
                                           &attributes, data, &small), ==,
                        EFI_BUFFER_TOO_SMALL);
        g_assert_cmpint(small, ==, 5);
        g_assert_cmphex(attributes, ==, QUEFI_NV_BS);
    }
    /* 3.5/4 */
    g_assert_cmpint(quefi_get_variable(uv, QUEFI_VENDOR, "A", &attributes,
                                       data, &size), ==, EFI_SUCCESS);
    g_assert_cmpmem(data, size, "value", 5);
    /* 3.5/2: another name, another case, another vendor */
    quefi_assert_none(uv, QUEFI_VENDOR, "B");
    quefi_assert_none(uv, QUEFI_VENDOR, "a");
    quefi_assert_none(uv, QUEFI_GLOBAL, "A");
    /* 3.5/1 */
    quefi_assert_none(uv, QUEFI_VENDOR, "");
}

static void test_update(QUefiVars *uv)
{
    assert_set(uv, "V1", QUEFI_BS_RT, "1");
    assert_set(uv, "N1", QUEFI_NV_BS_RT, "1");
    assert_set(uv, "V2", EFI_ATTR_BS, "2");
    assert_set(uv, "N2", QUEFI_NV_BS, "2");
    assert_list(uv, "V1 V2 N1 N2");
    /* U4: the same again moves nothing */
    assert_set(uv, "N1", QUEFI_NV_BS_RT, "1");
    assert_set(uv, "V1", QUEFI_BS_RT, "1");
    assert_list(uv, "V1 V2 N1 N2");
    /* U8 */
    assert_set(uv, "N1", QUEFI_NV_BS_RT, "one");
    assert_set(uv, "V1", QUEFI_BS_RT, "one");
    assert_list(uv, "V2 V1 N2 N1");
    quefi_assert_text(uv, QUEFI_VENDOR, "N1", QUEFI_NV_BS_RT, "one");
    quefi_assert_text(uv, QUEFI_VENDOR, "V1", QUEFI_BS_RT, "one");
}

static void test_delete(QUefiVars *uv)
{
    assert_set(uv, "A", QUEFI_NV_BS, "a");
    assert_set(uv, "B", QUEFI_NV_BS, "b");
    assert_set(uv, "C", QUEFI_NV_BS, "c");
    /* U3, both ways */
    assert_set(uv, "A", QUEFI_NV_BS, "");
    assert_set(uv, "B", 0, "ignored");
    quefi_assert_none(uv, QUEFI_VENDOR, "A");
    quefi_assert_none(uv, QUEFI_VENDOR, "B");
    assert_list(uv, "C");
    /* 4.2/14 rules for deletion as well */
    g_assert_cmpint(quefi_set_text(uv, QUEFI_VENDOR, "C", QUEFI_NV_BS_RT, ""),
                    ==, EFI_INVALID_PARAMETER);
    /* C2 */
    g_assert_cmpint(quefi_set_text(uv, QUEFI_VENDOR, "A", QUEFI_NV_BS, ""),
                    ==, EFI_NOT_FOUND);
    g_assert_cmpint(quefi_set_text(uv, QUEFI_VENDOR, "B", 0, ""), ==,
                    EFI_NOT_FOUND);
    assert_list(uv, "C");
}

static void test_append(QUefiVars *uv)
{
    /* C1, C5: the bit itself is not stored */
    assert_set(uv, "A", QUEFI_NV_BS | EFI_ATTR_AP, "");
    quefi_assert_none(uv, QUEFI_VENDOR, "A");
    assert_set(uv, "A", QUEFI_NV_BS | EFI_ATTR_AP, "one");
    quefi_assert_text(uv, QUEFI_VENDOR, "A", QUEFI_NV_BS, "one");
    /* U6 */
    assert_set(uv, "A", QUEFI_NV_BS | EFI_ATTR_AP, "two");
    assert_set(uv, "A", QUEFI_NV_BS | EFI_ATTR_AP, "");
    quefi_assert_text(uv, QUEFI_VENDOR, "A", QUEFI_NV_BS, "onetwo");
    /* 4.2/14 */
    g_assert_cmpint(quefi_set_text(uv, QUEFI_VENDOR, "A",
                                   QUEFI_BS_RT | EFI_ATTR_AP, "three"), ==,
                    EFI_INVALID_PARAMETER);
    quefi_assert_text(uv, QUEFI_VENDOR, "A", QUEFI_NV_BS, "onetwo");
}

static void test_attributes(QUefiVars *uv)
{
    static const struct {
        uint32_t attributes;
        EfiStatus status;
    } rows[] = {
        { 0x80 | QUEFI_NV_BS, EFI_INVALID_PARAMETER },              /* 2 */
        { 0x80000000 | QUEFI_NV_BS, EFI_INVALID_PARAMETER },        /* 2 */
        { EFI_ATTR_RT, EFI_INVALID_PARAMETER },                     /* 3 */
        { EFI_ATTR_NV | EFI_ATTR_RT, EFI_INVALID_PARAMETER },       /* 3 */
        { EFI_ATTR_RT | EFI_ATTR_AW, EFI_UNSUPPORTED },             /* 3 */
        { EFI_ATTR_NV, EFI_INVALID_PARAMETER },                     /* 4 */
        { EFI_ATTR_NV | EFI_ATTR_AW, EFI_UNSUPPORTED },             /* 4 */
        { QUEFI_NV_BS_RT | EFI_ATTR_HR, EFI_INVALID_PARAMETER },    /* 6 */
        { QUEFI_NV_BS | EFI_ATTR_AW | EFI_ATTR_AT, EFI_UNSUPPORTED }, /* 7 */
        { QUEFI_NV_BS | EFI_ATTR_AW, EFI_UNSUPPORTED },             /* 8 */
        { QUEFI_NV_BS | EFI_ATTR_AT, EFI_SECURITY_VIOLATION },      /* 9 */
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        g_assert_cmpint(quefi_set_text(uv, QUEFI_VENDOR, "A",
                                       rows[i].attributes, "data"), ==,
                        rows[i].status);
    }
    assert_list(uv, "");
    /* 4.2/14 */
    assert_set(uv, "A", QUEFI_NV_BS, "data");
    g_assert_cmpint(quefi_set_text(uv, QUEFI_VENDOR, "A", EFI_ATTR_BS,
                                   "other"), ==, EFI_INVALID_PARAMETER);
    quefi_assert_text(uv, QUEFI_VENDOR, "A", QUEFI_NV_BS, "data");
}

/* 4.2/10: name and value together */
static void test_max_size(QUefiVars *uv)
{
    size_t max = MAX_VAR - quefi_str_size("A");
    g_autofree uint8_t *data = g_malloc(max + 1);
    g_autofree uint8_t *back = g_malloc(max + 1);
    size_t size = max + 1;

    memset(data, 0x77, max + 1);
    g_assert_cmpint(quefi_set(uv, QUEFI_VENDOR, "A", QUEFI_NV_BS, data,
                              max + 1), ==, EFI_INVALID_PARAMETER);
    g_assert_cmpint(quefi_set(uv, QUEFI_VENDOR, "A", QUEFI_NV_BS, data, max),
                    ==, EFI_SUCCESS);
    g_assert_cmpint(quefi_get_variable(uv, QUEFI_VENDOR, "A", NULL, back,
                                       &size), ==, EFI_SUCCESS);
    g_assert_cmpmem(back, size, data, max);
    /* U5 */
    g_assert_cmpint(quefi_set_text(uv, QUEFI_VENDOR, "A",
                                   QUEFI_NV_BS | EFI_ATTR_AP, "+"), ==,
                    EFI_INVALID_PARAMETER);
}

static void test_next(QUefiVars *uv)
{
    char guid[QUEFI_GUID_LEN + 1] = QUEFI_VENDOR;
    g_autofree char *name = g_strdup("First");
    size_t size;

    assert_set(uv, "First", QUEFI_NV_BS, "1");
    assert_set(uv, "Second", QUEFI_NV_BS, "2");
    /* 3.6/4: nothing but NameSize changes, which quefi_get_next() checks */
    for (size = quefi_str_size("First"); size < quefi_str_size("Second");
         size++) {
        size_t small = size;

        g_assert_cmpint(quefi_get_next(uv, guid, &name, &small), ==,
                        EFI_BUFFER_TOO_SMALL);
        g_assert_cmpint(small, ==, quefi_str_size("Second"));
    }
    /* 3.6/5 */
    g_assert_cmpint(quefi_get_next(uv, guid, &name, &size), ==, EFI_SUCCESS);
    g_assert_cmpstr(name, ==, "Second");
    /* 3.6/3 */
    g_assert_cmpint(quefi_set_text(uv, QUEFI_VENDOR, "Last", QUEFI_NV_BS,
                                   "3"), ==, EFI_SUCCESS);
    g_assert_cmpint(quefi_get_next(uv, guid, &name, NULL), ==, EFI_SUCCESS);
    g_assert_cmpint(quefi_get_next(uv, guid, &name, NULL), ==,
                    EFI_NOT_FOUND);
    /* 3.6/2: where the enumeration stands has gone */
    assert_set(uv, "Last", 0, "");
    g_assert_cmpint(quefi_get_next(uv, guid, &name, NULL), ==,
                    EFI_INVALID_PARAMETER);
}

static void test_names(QUefiVars *uv)
{
    assert_set(uv, "Größe", QUEFI_NV_BS, "latin");
    assert_set(uv, "変数", QUEFI_NV_BS, "cjk");
    assert_set(uv, "🔑", QUEFI_NV_BS, "pair");
    assert_set(uv, "\"\\\x01/", QUEFI_NV_BS, "json");
    assert_list(uv, "Größe 変数 🔑 \"\\\x01/");
    quefi_restart(uv);
    assert_list(uv, "Größe 変数 🔑 \"\\\x01/");
    quefi_assert_text(uv, QUEFI_VENDOR, "🔑", QUEFI_NV_BS, "pair");
}

/* A name with a surrogate without partner, through the file as well */
static void test_surrogate(QUefiVars *uv)
{
    static const char whole[] = "A\0\0\xd8" "B\0\0\0value";
    static const char cut[] = "A\0\0\0value";

    g_assert_cmpint(access_raw(uv, EFI_VAR_FN_SET_VARIABLE, 5, 8, whole, 13),
                    ==, EFI_SUCCESS);
    for (int i = 0; i < 2; i++) {
        g_assert_cmpint(access_raw(uv, EFI_VAR_FN_GET_VARIABLE, 5, 8, whole,
                                   13), ==, EFI_SUCCESS);
        g_assert_cmpint(access_raw(uv, EFI_VAR_FN_GET_VARIABLE, 5, 4, cut, 9),
                        ==, EFI_NOT_FOUND);
        quefi_restart(uv);
    }
}

static void test_widths(QUefiVars *uv)
{
    uv->un_size = 4;
    assert_set(uv, "A", QUEFI_NV_BS, "set by 32");
    uv->un_size = 8;
    quefi_assert_text(uv, QUEFI_VENDOR, "A", QUEFI_NV_BS, "set by 32");
    assert_set(uv, "A", QUEFI_NV_BS, "set by 64");
    assert_set(uv, "B", QUEFI_NV_BS, "b");
    uv->un_size = 4;
    quefi_assert_text(uv, QUEFI_VENDOR, "A", QUEFI_NV_BS, "set by 64");
    assert_list(uv, "A B");
    quefi_assert_none(uv, QUEFI_VENDOR, "C");
    g_assert_cmpint(quefi_set_text(uv, QUEFI_VENDOR, "C", 0, ""), ==,
                    EFI_NOT_FOUND);
}

/* ------------------------------------------------------------------------ */
/* Space */

static void test_query(QUefiVars *uv)
{
    QUefiInfo info, before;

    g_assert_cmpint(quefi_query(uv, QUEFI_BS_RT, &info), ==, EFI_SUCCESS);
    g_assert_cmpint(info.max_storage, ==, 0x40000 - 28);
    g_assert_cmpint(info.max_size, ==, MAX_VAR);

    g_assert_cmpint(quefi_query(uv, QUEFI_NV_BS_RT, &before), ==,
                    EFI_SUCCESS);
    g_assert_cmpint(before.max_storage, ==, 262116);
    g_assert_cmpint(before.max_size, ==, MAX_VAR);
    /* A record is 60 bytes, name and value padded to 4 each */
    assert_set(uv, "A", QUEFI_NV_BS, "x");
    g_assert_cmpint(quefi_query(uv, QUEFI_NV_BS_RT, &info), ==, EFI_SUCCESS);
    g_assert_cmpint(before.remaining - info.remaining, ==, 68);
    assert_set(uv, "A", 0, "");
    g_assert_cmpint(quefi_query(uv, QUEFI_NV_BS_RT, &info), ==, EFI_SUCCESS);
    g_assert_cmpint(before.remaining, ==, info.remaining);
}

static void test_query_attributes(QUefiVars *uv)
{
    static const struct {
        uint32_t attributes;
        EfiStatus status;
    } rows[] = {
        { 0, EFI_INVALID_PARAMETER },                               /* 1 */
        { QUEFI_NV_BS | EFI_ATTR_AW, EFI_UNSUPPORTED },             /* 2 */
        { 0x80, EFI_UNSUPPORTED },                                  /* 3 */
        { EFI_ATTR_NV, EFI_INVALID_PARAMETER },                     /* 4 */
        { EFI_ATTR_NV | EFI_ATTR_RT, EFI_INVALID_PARAMETER },       /* 5 */
        { EFI_ATTR_BS | EFI_ATTR_HR, EFI_INVALID_PARAMETER },       /* 7 */
        { QUEFI_NV_BS | EFI_ATTR_HR, EFI_UNSUPPORTED },             /* 8 */
        { QUEFI_NV_BS | EFI_ATTR_AT, EFI_SUCCESS },                 /* 9 */
        { QUEFI_NV_BS | 0x80, EFI_SUCCESS },                        /* 9 */
    };
    QUefiInfo info;

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        g_assert_cmpint(quefi_query(uv, rows[i].attributes, &info), ==,
                        rows[i].status);
    }
    quefi_event(uv, QUEFI_EXIT_BOOT);
    g_assert_cmpint(quefi_query(uv, QUEFI_NV_BS, &info), ==,
                    EFI_INVALID_PARAMETER);                         /* 6 */
    g_assert_cmpint(quefi_query(uv, QUEFI_NV_BS_RT, &info), ==, EFI_SUCCESS);
}

/* Fills the store of @attributes to the last record of one byte */
static unsigned fill(QUefiVars *uv, uint32_t attributes, const char *prefix)
{
    g_autofree char *data = g_strnfill(2000, 'x');
    size_t size = 2000;
    unsigned n = 0;

    while (size) {
        g_autofree char *name = g_strdup_printf("%s%u", prefix, n);
        EfiStatus status = quefi_set(uv, QUEFI_VENDOR, name, attributes,
                                     data, size);

        if (status) {
            g_assert_cmpint(status, ==, EFI_OUT_OF_RESOURCES);
            quefi_assert_none(uv, QUEFI_VENDOR, name);
            size /= 2;
        } else {
            n++;
        }
    }
    return n;
}

/* 4.5: neither kind of variable can take the room of the other */
static void test_quota(QUefiVars *uv)
{
    QUefiInfo info;

    g_assert_cmpint(fill(uv, QUEFI_BS_RT, "V"), >, 6);
    g_assert_cmpint(quefi_query(uv, QUEFI_BS_RT, &info), ==, EFI_SUCCESS);
    g_assert_cmpint(info.max_storage, ==, SMALL_STORE - 28);
    g_assert_cmpint(info.remaining, <, 72);

    g_assert_cmpint(fill(uv, QUEFI_NV_BS, "N"), >, 6);
    g_assert_cmpint(quefi_query(uv, QUEFI_NV_BS, &info), ==, EFI_SUCCESS);
    g_assert_cmpint(info.max_storage, ==, SMALL_STORE - 28);
    g_assert_cmpint(info.remaining, <, 72);
    g_assert_cmpint(info.max_size, <, 12);

    /* A full store still lets go, and the old value stays when it must */
    g_assert_cmpint(quefi_set_text(uv, QUEFI_VENDOR, "N0",
                                   QUEFI_NV_BS | EFI_ATTR_AP,
                                   "more than there is room for, which is "
                                   "at most what a record of its own takes"),
                    ==, EFI_OUT_OF_RESOURCES);
    assert_set(uv, "N1", QUEFI_NV_BS, "shorter");
    assert_set(uv, "N0", 0, "");
    assert_set(uv, "New", QUEFI_NV_BS, "room again");

    quefi_reset(uv);
    g_assert_cmpint(quefi_query(uv, QUEFI_BS_RT, &info), ==, EFI_SUCCESS);
    g_assert_cmpint(info.remaining, >, SMALL_STORE - 1024);
    quefi_assert_text(uv, QUEFI_VENDOR, "New", QUEFI_NV_BS, "room again");
}

/* ------------------------------------------------------------------------ */
/* Phases */

static void make_one_of_each(QUefiVars *uv)
{
    assert_set(uv, "V-BS", EFI_ATTR_BS, "v");
    assert_set(uv, "V-RT", QUEFI_BS_RT, "v");
    assert_set(uv, "N-BS", QUEFI_NV_BS, "n");
    assert_set(uv, "N-RT", QUEFI_NV_BS_RT, "n");
}

static void assert_runtime(QUefiVars *uv)
{
    char guid[QUEFI_GUID_LEN + 1] = QUEFI_VENDOR;
    g_autofree char *name = g_strdup("N-BS");

    /* 4.4: what is not RT does not exist */
    quefi_assert_none(uv, QUEFI_VENDOR, "V-BS");
    quefi_assert_none(uv, QUEFI_VENDOR, "N-BS");
    assert_list(uv, "V-RT N-RT");
    g_assert_cmpint(quefi_get_next(uv, guid, &name, NULL), ==,
                    EFI_INVALID_PARAMETER);

    /* 4.2/13, U1, C3 */
    g_assert_cmpint(quefi_set_text(uv, QUEFI_VENDOR, "N-BS", QUEFI_NV_BS,
                                   "x"), ==, EFI_WRITE_PROTECTED);
    g_assert_cmpint(quefi_set_text(uv, QUEFI_VENDOR, "N-BS", 0, ""), ==,
                    EFI_WRITE_PROTECTED);
    g_assert_cmpint(quefi_set_text(uv, QUEFI_VENDOR, "V-RT", QUEFI_BS_RT,
                                   "x"), ==, EFI_WRITE_PROTECTED);
    g_assert_cmpint(quefi_set_text(uv, QUEFI_VENDOR, "V-RT", 0, ""), ==,
                    EFI_WRITE_PROTECTED);
    g_assert_cmpint(quefi_set_text(uv, QUEFI_VENDOR, "New", QUEFI_BS_RT,
                                   "x"), ==, EFI_INVALID_PARAMETER);
    g_assert_cmpint(quefi_set_text(uv, QUEFI_VENDOR, "New", QUEFI_NV_BS,
                                   "x"), ==, EFI_INVALID_PARAMETER);
    assert_set(uv, "New", QUEFI_NV_BS_RT, "x");
    assert_set(uv, "N-RT", QUEFI_NV_BS_RT, "y");
    quefi_assert_text(uv, QUEFI_VENDOR, "N-RT", QUEFI_NV_BS_RT, "y");
    assert_set(uv, "New", QUEFI_NV_BS_RT, "");
    quefi_assert_none(uv, QUEFI_VENDOR, "New");

    /* Phases go forward only */
    g_assert_cmpint(quefi_function(uv, EFI_VAR_FN_READY_TO_BOOT), ==,
                    EFI_UNSUPPORTED);
    quefi_event(uv, QUEFI_END_OF_DXE);
    quefi_event(uv, QUEFI_READY_TO_BOOT);
    g_assert_cmpint(quefi_function(uv, EFI_VAR_FN_EXIT_BOOT_SERVICE), ==,
                    EFI_SUCCESS);
    quefi_assert_none(uv, QUEFI_VENDOR, "V-BS");
}

static void test_phases(QUefiVars *uv)
{
    make_one_of_each(uv);
    quefi_event(uv, QUEFI_END_OF_DXE);
    quefi_event(uv, QUEFI_END_OF_DXE);
    assert_list(uv, "V-BS V-RT N-BS N-RT");
    g_assert_cmpint(quefi_function(uv, EFI_VAR_FN_READY_TO_BOOT), ==,
                    EFI_SUCCESS);
    g_assert_cmpint(quefi_function(uv, EFI_VAR_FN_READY_TO_BOOT), ==,
                    EFI_SUCCESS);
    quefi_event(uv, QUEFI_READY_TO_BOOT);
    assert_list(uv, "V-BS V-RT N-BS N-RT");
    g_assert_cmpint(quefi_function(uv, EFI_VAR_FN_EXIT_BOOT_SERVICE), ==,
                    EFI_SUCCESS);
    assert_runtime(uv);
}

static void test_exit_event(QUefiVars *uv)
{
    make_one_of_each(uv);
    quefi_event(uv, QUEFI_EXIT_BOOT);
    assert_runtime(uv);
}

static const QUefiCase cases[] = {
    { "12/get-variable-64", test_vector_64 },
    { "12/get-variable-32", test_vector_32 },
    { "12/builder", test_builder, .dma_only = true },
    { "H2/untouched", test_untouched },
    { "2.1/both-widths", test_widths },
    { "2.1/too-long", test_too_long, .dma_only = true },
    { "2.2/unknown-guid", test_unknown_guid },
    { "M1", test_m1 },
    { "M3", test_m3, .dma_only = true },
    { "M4-M5", test_m4_m5 },
    { "M6-M7", test_m6_m7 },
    { "3.2/unsupported", test_functions },
    { "3.9-11/payload-size", test_payload_size },
    { "3.5/get", test_get },
    { "3.6/get-next", test_next },
    { "3.8/query", test_query },
    { "3.8/attributes", test_query_attributes },
    { "4.2/attributes", test_attributes },
    { "4.2-10/max-size", test_max_size },
    { "4.3/update", test_update },
    { "4.3/delete", test_delete },
    { "4.3/append", test_append },
    { "4.5/quota", test_quota, SMALL_PROPS },
    { "8/names", test_names },
    { "8/surrogate", test_surrogate },
    { "9.2/phases", test_phases },
    { "9.2/exit-event", test_exit_event },
};

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    QUEFI_ADD_CASES(cases);
    return g_test_run();
}
