/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: the variable protocol, functions 1 to 4
 *
 * A component of the path of a test is the row that it is about.
 */

#include "qemu/osdep.h"
#include "hw/uefi/var-service-state.h"
#include "hw/uefi/var-service-load.h"
#include "uefi-test.h"

#define V   (&uefi_test_guid)

typedef struct Test {
    UefiTest *t;
} Test;

static void setup(Test *test, gconstpointer un_size)
{
    test->t = uefi_test_new(NULL);
    test->t->un_size = GPOINTER_TO_UINT(un_size);
}

static void teardown(Test *test, gconstpointer unused)
{
    uefi_test_free(test->t);
}

/* An ACCESS payload (3.3) with any sizes and bytes behind the fixed part */
static GByteArray *access_payload(UefiTest *t, uint64_t data_size,
                                  uint64_t name_size, uint32_t attributes,
                                  const char *rest, size_t rest_size)
{
    GByteArray *payload = g_byte_array_new();

    uefi_test_add_guid(payload, V);
    uefi_test_add_un(t, payload, data_size);
    uefi_test_add_un(t, payload, name_size);
    uefi_test_add(payload, attributes, 4);
    g_byte_array_append(payload, (const uint8_t *)rest, rest_size);
    return payload;
}

static UefiReason call_access(UefiTest *t, uint64_t function,
                              uint64_t data_size, uint64_t name_size,
                              const char *rest, size_t rest_size)
{
    g_autoptr(GByteArray) payload =
        access_payload(t, data_size, name_size, ATTR_BS, rest, rest_size);

    return uefi_test_call(t, function, payload);
}

/* ------------------------------------------------------------------------ */
/* 3.4: messages */

static void test_m3(Test *test, gconstpointer unused)
{
    UefiTest *t = test->t;
    static const struct {
        uint64_t function;
        unsigned fixed_64, fixed_32;
    } functions[] = {
        { EFI_VAR_FN_GET_VARIABLE, 36, 28 },
        { EFI_VAR_FN_GET_NEXT_VARIABLE_NAME, 24, 20 },
        { EFI_VAR_FN_SET_VARIABLE, 36, 28 },
        { EFI_VAR_FN_QUERY_VARIABLE_INFO, 32, 32 },
        { EFI_VAR_FN_LOCK_VARIABLE, 24, 20 },
        { EFI_VAR_FN_GET_PAYLOAD_SIZE, 8, 4 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
        unsigned fixed = t->un_size == 8 ? functions[i].fixed_64
                                         : functions[i].fixed_32;

        for (unsigned size = 0; size <= fixed; size++) {
            g_autoptr(GByteArray) payload = g_byte_array_new();
            g_autofree uint8_t *before = NULL;

            for (unsigned byte = 0; byte < size; byte++) {
                uefi_test_add(payload, 0xee, 1);
            }
            before = g_memdup2(payload->data, size);
            uefi_test_call(t, functions[i].function, payload);
            g_assert_true((t->uv->answer.reason == UEFI_REASON_MSG_SHORT) ==
                          (size < fixed));
            if (size < fixed) {
                g_assert_cmpmem(payload->data, size, before, size);
            }
        }
    }
}

static void test_m4(Test *test, gconstpointer unused)
{
    static const uint64_t functions[] = { EFI_VAR_FN_GET_VARIABLE,
                                          EFI_VAR_FN_SET_VARIABLE };
    UefiTest *t = test->t;
    uint64_t huge = t->un_size == 8 ? UINT64_MAX : UINT32_MAX;

    for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
        uint64_t fn = functions[i];

        uefi_assert_reason(call_access(t, fn, 2, 4, "A\0\0\0x", 5),
                           MSG_BOUNDS);
        uefi_assert_reason(call_access(t, fn, 0, 6, "A\0\0\0x", 5),
                           MSG_BOUNDS);
        uefi_assert_reason(call_access(t, fn, huge, 4, "A\0\0\0x", 5),
                           MSG_BOUNDS);
        uefi_assert_reason(call_access(t, fn, 1, huge, "A\0\0\0x", 5),
                           MSG_BOUNDS);
        /* the sum wraps to something small */
        uefi_assert_reason(call_access(t, fn, huge - 2, 4, "A\0\0\0x", 5),
                           MSG_BOUNDS);
        /* precedence: M4 before M5 */
        uefi_assert_reason(call_access(t, fn, 6, 0, "A\0\0\0x", 5),
                           MSG_BOUNDS);
    }
}

static void test_m5(Test *test, gconstpointer unused)
{
    static const uint64_t functions[] = { EFI_VAR_FN_GET_VARIABLE,
                                          EFI_VAR_FN_SET_VARIABLE };
    UefiTest *t = test->t;

    for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
        uint64_t fn = functions[i];

        uefi_assert_reason(call_access(t, fn, 0, 0, "", 0), MSG_NAME);
        uefi_assert_reason(call_access(t, fn, 0, 1, "\0", 1), MSG_NAME);
        uefi_assert_reason(call_access(t, fn, 0, 2, "A\0", 2), MSG_NAME);
        uefi_assert_reason(call_access(t, fn, 0, 3, "A\0\0", 3), MSG_NAME);
        uefi_assert_reason(call_access(t, fn, 0, 6, "A\0\0\0B\0", 6),
                           MSG_NAME);
    }
}

/* M5: an earlier NUL ends the name; an odd size moves the data, no more */
static void test_m5_effective(Test *test, gconstpointer unused)
{
    UefiTest *t = test->t;

    uefi_assert_reason(call_access(t, EFI_VAR_FN_SET_VARIABLE, 2, 8,
                                   "A\0\0\0B\0\0\0hi", 10), OK);
    uefi_assert_value(t, V, "A", "hi");
    uefi_assert_reason(call_access(t, EFI_VAR_FN_SET_VARIABLE, 2, 5,
                                   "B\0\0\0\x77yo", 7), OK);
    uefi_assert_value(t, V, "B", "yo");
}

static GByteArray *next_payload(UefiTest *t, const UefiGuid *guid,
                                uint64_t name_size, const char *rest,
                                size_t rest_size)
{
    GByteArray *payload = g_byte_array_new();

    uefi_test_add_guid(payload, guid);
    uefi_test_add_un(t, payload, name_size);
    g_byte_array_append(payload, (const uint8_t *)rest, rest_size);
    return payload;
}

static UefiReason call_next(UefiTest *t, uint64_t name_size, const char *rest,
                            size_t rest_size)
{
    g_autoptr(GByteArray) payload = next_payload(t, V, name_size, rest,
                                                 rest_size);

    return uefi_test_call(t, EFI_VAR_FN_GET_NEXT_VARIABLE_NAME, payload);
}

static void test_m6(Test *test, gconstpointer unused)
{
    UefiTest *t = test->t;

    uefi_assert_reason(call_next(t, 3, "\0\0", 2), MSG_NEXT_BOUNDS);
    uefi_assert_reason(call_next(t, t->un_size == 8 ? UINT64_MAX : UINT32_MAX,
                                 "\0\0", 2), MSG_NEXT_BOUNDS);
}

static void test_m7(Test *test, gconstpointer unused)
{
    UefiTest *t = test->t;

    uefi_assert_reason(call_next(t, 0, "", 0), MSG_NEXT_NAME);
    uefi_assert_reason(call_next(t, 0, "\0", 1), MSG_NEXT_NAME);
    uefi_assert_reason(call_next(t, 2, "\0\0A\0", 4), MSG_NEXT_NAME);
    /* precedence: M7 before 3.6/1 */
    uefi_assert_reason(call_next(t, 0, "A\0", 2), MSG_NEXT_NAME);
}

/* M9: LockVariable and PropertySet are held to the same bounds */
static void test_m9(Test *test, gconstpointer unused)
{
    UefiTest *t = test->t;
    g_autoptr(GByteArray) beyond = next_payload(t, V, 6, "A\0\0\0", 4);
    g_autoptr(GByteArray) open = next_payload(t, V, 2, "A\0", 2);
    g_autoptr(GByteArray) tiny = next_payload(t, V, 1, "\0", 1);

    uefi_assert_reason(uefi_test_call(t, 8, beyond), MSG_BOUNDS);
    uefi_assert_reason(uefi_test_call(t, 8, open), MSG_NAME);
    uefi_assert_reason(uefi_test_call(t, 8, tiny), MSG_NAME);
}

/* ------------------------------------------------------------------------ */
/* 3.5: GetVariable */

static void test_get(Test *test, gconstpointer unused)
{
    UefiTest *t = test->t;
    uint32_t attributes;

    uefi_assert_reason(uefi_test_get(t, V, "", NULL, NULL), GET_NO_NAME);
    uefi_assert_reason(uefi_test_get(t, V, "A", NULL, NULL), GET_MISSING);
    uefi_assert_reason(uefi_test_set(t, V, "A", ATTR_NV_BS | EFI_ATTR_AP,
                                     "abc", 3), OK);
    uefi_assert_value(t, V, "A", "abc");
    uefi_test_get(t, V, "A", &attributes, NULL);
    g_assert_cmphex(attributes, ==, ATTR_NV_BS);
    uefi_assert_reason(uefi_test_get(t, &uefi_guid_global, "A", NULL, NULL),
                       GET_MISSING);
    uefi_test_phase(t, UEFI_PHASE_RUNTIME);
    uefi_assert_reason(uefi_test_get(t, V, "A", NULL, NULL), GET_MISSING);
}

/* 3.5: which bytes of the reply change, and that no other does */
static void test_get_reply(Test *test, gconstpointer unused)
{
    UefiTest *t = test->t;
    size_t attr_pos = 16 + 2 * t->un_size, data_pos = attr_pos + 8;

    uefi_test_set(t, V, "A", ATTR_BS_RT, "abcd", 4);
    for (unsigned capacity = 0; capacity <= 6; capacity++) {
        g_autoptr(GByteArray) payload =
            access_payload(t, capacity, 4, 0xeeeeeeee,
                           "A\0\0\0zzzzzzzzz", 4 + capacity);
        g_autoptr(GByteArray) expected = g_byte_array_new();

        g_byte_array_append(expected, payload->data, payload->len);
        expected->data[16] = 4;
        memcpy(expected->data + attr_pos, "\6\0\0\0", 4);
        if (capacity < 4) {
            uefi_assert_reason(uefi_test_call(t, 1, payload), GET_TOO_SMALL);
        } else {
            memcpy(expected->data + data_pos, "abcd", 4);
            uefi_assert_reason(uefi_test_call(t, 1, payload), OK);
        }
        g_assert_cmpmem(payload->data, payload->len,
                        expected->data, expected->len);
    }
}

static void test_get_missing_reply(Test *test, gconstpointer unused)
{
    UefiTest *t = test->t;
    g_autoptr(GByteArray) payload =
        access_payload(t, 4, 4, 0xeeeeeeee, "A\0\0\0zzzz", 8);
    g_autofree uint8_t *before = g_memdup2(payload->data, payload->len);

    uefi_assert_reason(uefi_test_call(t, 1, payload), GET_MISSING);
    g_assert_cmpmem(payload->data, payload->len, before, payload->len);
}

/* ------------------------------------------------------------------------ */
/* 3.6: GetNextVariableName */

static void test_next(Test *test, gconstpointer unused)
{
    UefiTest *t = test->t;

    uefi_assert_reason(call_next(t, 0, "\0\0", 2), NEXT_NAME);
    uefi_assert_reason(call_next(t, 1, "\0\0", 2), NEXT_NAME);
    uefi_assert_reason(call_next(t, 2, "A\0\0\0", 4), NEXT_NAME);
    uefi_assert_reason(call_next(t, 4, "A\0\0\0", 4), NEXT_MISSING);
    uefi_test_set(t, V, "A", ATTR_NV_BS, "x", 1);
    uefi_assert_reason(call_next(t, 4, "A\0\0\0", 4), NEXT_END);
    uefi_test_set(t, V, "longer", ATTR_NV_RT, "x", 1);
    uefi_assert_reason(call_next(t, 4, "A\0\0\0", 4), NEXT_TOO_SMALL);
    uefi_test_phase(t, UEFI_PHASE_RUNTIME);
    uefi_assert_reason(call_next(t, 4, "A\0\0\0", 4), NEXT_MISSING);
}

static void test_next_reply(Test *test, gconstpointer unused)
{
    UefiTest *t = test->t;
    size_t fixed = 16 + t->un_size;
    g_autoptr(GByteArray) small = next_payload(t, V, 4, "A\0\0\0zz\0\0", 8);
    g_autoptr(GByteArray) large = next_payload(t, V, 10, "A\0\0\0zzyyxx\0\0",
                                               12);
    g_autofree uint8_t *before = g_memdup2(small->data, small->len);

    uefi_test_set(t, V, "A", ATTR_NV_BS, "x", 1);
    uefi_test_set(t, &uefi_guid_global, "BC", ATTR_NV_BS, "x", 1);
    /* too small: only NameSize changes */
    uefi_assert_reason(uefi_test_call(t, 2, small), NEXT_TOO_SMALL);
    before[16] = 6;
    g_assert_cmpmem(small->data, small->len, before, small->len);

    uefi_assert_reason(uefi_test_call(t, 2, large), OK);
    g_assert_cmpmem(large->data, 16, uefi_guid_global.b, 16);
    g_assert_cmpuint(uefi_test_field(large, 16, t->un_size), ==, 6);
    g_assert_cmpmem(large->data + fixed, 12, "B\0C\0\0\0yyxx\0\0", 12);
}

/* 3.6: an empty name finds the first variable whatever the GUID says */
static void test_next_first(Test *test, gconstpointer unused)
{
    UefiTest *t = test->t;
    g_autoptr(GByteArray) payload =
        next_payload(t, &uefi_guid_hw_error, 40,
                     "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                     "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 40);

    g_autofree char *list = uefi_test_list(t);

    uefi_assert_reason(uefi_test_call(t, 2, payload), OK);
    g_assert_nonnull(strstr(list, "SetupMode"));
}

static const char *tail(const char *list, const char *from)
{
    return strstr(list, from) ?: list;
}

/* 8: order of the last effective write, and deletion while enumerating */
static void test_order(Test *test, gconstpointer unused)
{
    UefiTest *t = test->t;
    g_autofree char *list = NULL, *later = NULL, *runtime = NULL;

    uefi_test_set(t, V, "t-a", ATTR_NV_RT, "1", 1);
    uefi_test_set(t, V, "t-b", ATTR_NV_BS, "1", 1);
    uefi_test_set(t, V, "t-c", ATTR_NV_RT, "1", 1);
    uefi_test_set(t, V, "t-a", ATTR_NV_RT, "1", 1);
    list = uefi_test_list(t);
    g_assert_cmpstr(tail(list, "t-"), ==, "t-a t-b t-c");
    uefi_test_set(t, V, "t-a", ATTR_NV_RT, "2", 1);
    later = uefi_test_list(t);
    g_assert_cmpstr(tail(later, "t-"), ==, "t-b t-c t-a");
    uefi_test_phase(t, UEFI_PHASE_RUNTIME);
    runtime = uefi_test_list(t);
    g_assert_nonnull(strstr(runtime, "t-c t-a"));
    g_assert_null(strstr(runtime, "t-b"));
    uefi_test_set(t, V, "t-c", ATTR_NV_RT, "", 0);
    uefi_assert_reason(call_next(t, 8, "t\0-\0c\0\0\0", 8), NEXT_MISSING);
}

/* ------------------------------------------------------------------------ */
/* 3.8: QueryVariableInfo */

static UefiReason query(UefiTest *t, uint32_t attributes, uint64_t *result)
{
    g_autoptr(GByteArray) payload = g_byte_array_new();
    UefiReason reason;

    g_byte_array_set_size(payload, 24);
    memset(payload->data, 0xee, 24);
    uefi_test_add(payload, attributes, 8);
    reason = uefi_test_call(t, EFI_VAR_FN_QUERY_VARIABLE_INFO, payload);
    g_assert_cmphex(uefi_test_field(payload, 24, 8), ==, attributes);
    for (int i = 0; i < 3; i++) {
        uint64_t value = uefi_test_field(payload, 8 * i, 8);

        if (result) {
            result[i] = value;
        }
        g_assert_true(reason == UEFI_REASON_OK ||
                      value == 0xeeeeeeeeeeeeeeee);
    }
    return reason;
}

static void test_query_attributes(Test *test, gconstpointer unused)
{
    UefiTest *t = test->t;

    uefi_assert_reason(query(t, 0, NULL), QUERY_NONE);
    uefi_assert_reason(query(t, ATTR_NV_RT | EFI_ATTR_AW, NULL), QUERY_AW);
    uefi_assert_reason(query(t, 0x80, NULL), QUERY_UNKNOWN);
    uefi_assert_reason(query(t, 0x80 | ATTR_NV_RT, NULL), OK);
    uefi_assert_reason(query(t, EFI_ATTR_NV, NULL), QUERY_NV_ONLY);
    uefi_assert_reason(query(t, EFI_ATTR_NV | 0x80, NULL), QUERY_NV_ONLY);
    uefi_assert_reason(query(t, EFI_ATTR_NV | EFI_ATTR_RT, NULL),
                       QUERY_RT_NO_BS);
    uefi_assert_reason(query(t, ATTR_BS | EFI_ATTR_HR, NULL),
                       QUERY_HR_NO_NV);
    uefi_assert_reason(query(t, ATTR_NV_RT | EFI_ATTR_HR, NULL), QUERY_NO_HR);
    uefi_assert_reason(query(t, ATTR_AUTH | EFI_ATTR_HR, NULL), OK);
    uefi_assert_reason(query(t, ATTR_NV_RT | EFI_ATTR_AP, NULL), OK);
    uefi_assert_reason(query(t, ATTR_BS, NULL), OK);
    uefi_test_phase(t, UEFI_PHASE_RUNTIME);
    uefi_assert_reason(query(t, ATTR_BS, NULL), QUERY_NO_RT);
    uefi_assert_reason(query(t, ATTR_NV_BS, NULL), QUERY_NO_RT);
    uefi_assert_reason(query(t, ATTR_NV_RT, NULL), OK);
}

static void test_query_sizes(Test *test, gconstpointer unused)
{
    UefiTest *t = test->t;
    uint64_t before[3], after[3];

    uefi_assert_reason(query(t, ATTR_NV_RT, before), OK);
    g_assert_cmpuint(before[0], ==, 262116);
    g_assert_cmpuint(before[2], ==, 0x8400 - 60);
    uefi_test_set(t, V, "A", ATTR_NV_RT, "x", 1);
    uefi_assert_reason(query(t, ATTR_NV_RT, after), OK);
    g_assert_cmpuint(after[0], ==, 262116);
    g_assert_cmpuint(before[1] - after[1], ==, 68);

    uefi_assert_reason(query(t, ATTR_BS, before), OK);
    g_assert_cmpuint(before[0], ==, 0x40000 - 28);
    uefi_test_set(t, V, "B", ATTR_BS, "x", 1);
    uefi_assert_reason(query(t, ATTR_BS, after), OK);
    g_assert_cmpuint(before[1] - after[1], ==, 68);
}

static uint64_t largest(UefiTest *t, uint32_t attributes)
{
    uint64_t sizes[3];

    uefi_assert_reason(query(t, attributes, sizes), OK);
    return sizes[2];
}

/* However much there is room for, one message has to carry it. */
static void test_query_message(Test *test, gconstpointer unused)
{
    UefiVarConfig config = uefi_vars_default_config();
    unsigned un_size = test->t->un_size;
    uint64_t carried = un_size == 8 ? 65460 : 65480;
    g_autofree void *value = g_malloc0(carried);
    g_autoptr(UefiTest) t = NULL;

    config.limits.nv_size = UEFI_LIMIT_NV_SIZE_MAX;
    config.limits.max_var = 0x100000;
    config.limits.max_auth = 0x100000;
    t = uefi_test_new(&config);
    t->un_size = un_size;
    g_assert_cmpuint(largest(t, ATTR_NV_RT), ==, carried);
    g_assert_cmpuint(largest(t, ATTR_AUTH), ==, carried - 40);
    g_assert_cmpuint(largest(t, ATTR_BS), ==, UEFI_LIMIT_MAX_VOLATILE - 60);
    /* a name of four bytes, and as many as are left of that */
    uefi_assert_reason(uefi_test_set(t, V, "A", ATTR_NV_RT, value,
                                     carried - 4), OK);
    t->buffer_size = 0x1000;
    g_assert_cmpuint(largest(t, ATTR_NV_RT), ==, 0x1000 - 0x10000 + carried);
    t->buffer_size = un_size == 8 ? 72 : 60;    /* just the question */
    g_assert_cmpuint(largest(t, ATTR_NV_RT), ==, un_size == 8 ? 0 : 4);
}

/* 3.8: MaximumVariableSize follows what remains */
static void test_query_largest(Test *test, gconstpointer unused)
{
    UefiTest *t = test->t;
    uint64_t result[3];
    g_autofree char *fill = g_strnfill(4096, 'f');

    t->uv->config.limits.nv_size =
        28 + uefi_store_used(t->uv->store, UEFI_CLASS_NV) + 1000;
    query(t, ATTR_NV_RT, result);
    g_assert_cmpuint(result[1], ==, 1000);
    g_assert_cmpuint(result[2], ==, 940);
    uefi_assert_reason(uefi_test_set(t, V, "A", ATTR_NV_RT, fill, 937),
                       STORE_FULL);
    uefi_assert_reason(uefi_test_set(t, V, "A", ATTR_NV_RT, fill, 880), OK);
    query(t, ATTR_NV_RT, result);
    g_assert_cmpuint(result[1], ==, 56);
    g_assert_cmpuint(result[2], ==, 0);
}

static void test_query_hwerr(Test *test, gconstpointer unused)
{
    UefiTest *t = test->t;
    uint64_t result[3];

    t->uv->config.limits.hwerr_quota = 0x2000;
    uefi_assert_reason(query(t, ATTR_NV_RT | EFI_ATTR_HR, result), OK);
    g_assert_cmpuint(result[0], ==, 0x2000);
    g_assert_cmpuint(result[2], ==, 0x2000 - 60);
    query(t, ATTR_NV_RT, result);
    g_assert_cmpuint(result[0], ==, 262116 - 0x2000);
}

/* ------------------------------------------------------------------------ */
/* 4.2: SetVariable, order of checks */

static UefiReason set(UefiTest *t, const char *name, uint32_t attributes,
                      const char *value)
{
    return uefi_test_set(t, V, name, attributes, value, strlen(value));
}

static void test_set_attributes(Test *test, gconstpointer unused)
{
    UefiTest *t = test->t;
    const uint32_t aw = EFI_ATTR_AW, at = EFI_ATTR_AT;

    uefi_assert_reason(set(t, "", 0x80, "x"), SET_NO_NAME);
    for (int bit = 7; bit < 32; bit++) {
        uefi_assert_reason(set(t, "A", ATTR_NV_RT | 1u << bit, "x"),
                           SET_UNKNOWN);
    }
    uefi_assert_reason(set(t, "A", EFI_ATTR_RT, "x"), SET_RT_NO_BS);
    uefi_assert_reason(set(t, "A", EFI_ATTR_RT | aw, "x"), SET_RT_NO_BS_AW);
    uefi_assert_reason(set(t, "A", EFI_ATTR_NV, "x"), SET_NV_ONLY);
    uefi_assert_reason(set(t, "A", EFI_ATTR_NV | aw, "x"), SET_NV_ONLY_AW);
    uefi_assert_reason(set(t, "A", ATTR_NV_RT | EFI_ATTR_HR, "x"), SET_NO_HR);
    uefi_assert_reason(set(t, "A", ATTR_NV_RT | at | aw, "x"), SET_AW_AT);
    uefi_assert_reason(set(t, "A", ATTR_NV_RT | aw, "x"), SET_AW_SIZE);
    g_assert_cmpuint(t->saves, ==, 0);
}

/* Row 9: dwLength 0 to 23, beyond the data, and a cut descriptor (H4) */
static void test_set_descriptor(Test *test, gconstpointer unused)
{
    UefiTest *t = test->t;
    static const uint32_t bad[] = { 0, 1, 23, 26, 0xffff, 0xffffffff,
                                    0xfffffff0 };
    uint8_t data[41] = { 0xe8, 0x07, 1, 1 };

    for (size_t size = 0; size < 40; size++) {
        uefi_assert_reason(uefi_test_set(t, V, "A", ATTR_AUTH, data, size),
                           SET_DESCRIPTOR);
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        for (int byte = 0; byte < 4; byte++) {
            data[16 + byte] = bad[i] >> (8 * byte);
        }
        uefi_assert_reason(uefi_test_set(t, V, "A", ATTR_AUTH, data, 41),
                           SET_DESCRIPTOR);
    }
}

static void test_set_too_large(Test *test, gconstpointer unused)
{
    UefiTest *t = test->t;
    UefiVarLimits *limits = &t->uv->config.limits;
    g_autofree char *fill = g_strnfill(0x9000, 'f');

    limits->max_volatile = 1000;
    uefi_assert_reason(uefi_test_set(t, V, "A", ATTR_NV_RT, fill, 33729),
                       SET_TOO_LARGE);
    uefi_assert_reason(uefi_test_set(t, V, "A", ATTR_NV_RT, fill, 33728), OK);
    uefi_assert_reason(uefi_test_set(t, V, "B", ATTR_BS, fill, 937),
                       SET_TOO_LARGE);
    uefi_assert_reason(uefi_test_set(t, V, "B", ATTR_BS, fill, 936), OK);
    limits->hwerr_quota = 0x4000;
    limits->max_hwerr = 500;
    uefi_assert_reason(uefi_test_set(t, V, "C", ATTR_NV_RT | EFI_ATTR_HR,
                                     fill, 437), SET_TOO_LARGE);
    uefi_assert_reason(uefi_test_set(t, V, "C", ATTR_NV_RT | EFI_ATTR_HR,
                                     fill, 436), OK);
}

static void test_set_not_runtime(Test *test, gconstpointer unused)
{
    UefiTest *t = test->t;

    set(t, "A", ATTR_NV_BS, "x");
    uefi_test_phase(t, UEFI_PHASE_RUNTIME);
    uefi_assert_reason(set(t, "A", ATTR_NV_BS, "y"), SET_NOT_RUNTIME);
    uefi_assert_reason(set(t, "A", ATTR_NV_RT, "y"), SET_NOT_RUNTIME);
    uefi_assert_reason(set(t, "A", 0, ""), SET_NOT_RUNTIME);
}

static void test_set_other_attributes(Test *test, gconstpointer unused)
{
    UefiTest *t = test->t;

    set(t, "A", ATTR_NV_RT, "x");
    uefi_assert_reason(set(t, "A", ATTR_NV_BS, "y"), SET_ATTRIBUTES);
    uefi_assert_reason(set(t, "A", ATTR_BS_RT, ""), SET_ATTRIBUTES);
    uefi_assert_reason(set(t, "A", EFI_ATTR_AP, ""), SET_ATTRIBUTES);
    uefi_assert_value(t, V, "A", "x");
    uefi_assert_reason(set(t, "A", 0, "y"), OK);
    uefi_assert_reason(uefi_test_get(t, V, "A", NULL, NULL), GET_MISSING);
}

/* Row 18 is 4.3; that a write that passes 1 to 17 gets there */
static void test_set_update(Test *test, gconstpointer unused)
{
    UefiTest *t = test->t;

    uefi_assert_reason(set(t, "A", ATTR_NV_RT, "one"), OK);
    uefi_assert_reason(set(t, "A", ATTR_NV_RT, "two"), OK);
    uefi_assert_value(t, V, "A", "two");
    g_assert_cmpuint(t->saves, ==, 2);
}

/* ------------------------------------------------------------------------ */
/* 4.3: store update */

static void test_u1(Test *test, gconstpointer unused)
{
    UefiTest *t = test->t;

    set(t, "A", ATTR_BS_RT, "x");
    uefi_test_phase(t, UEFI_PHASE_RUNTIME);
    uefi_assert_reason(set(t, "A", ATTR_BS_RT, "y"), STORE_VOLATILE);
    uefi_assert_reason(set(t, "A", ATTR_BS_RT, ""), STORE_VOLATILE);
    uefi_assert_value(t, V, "A", "x");
}

/* U2 is behind row 13, which takes every variable that lacks RT. */
static void test_u2(Test *test, gconstpointer unused)
{
    UefiTest *t = test->t;
    g_autoptr(UefiVarChange) change = uefi_var_change_new();
    g_autofree uint16_t *name = uefi_str_from_ascii("A");
    UefiVarRequest req = { .guid = *V, .name = name, .attributes = ATTR_NV_BS };

    set(t, "A", ATTR_NV_BS, "x");
    uefi_test_phase(t, UEFI_PHASE_RUNTIME);
    req.old = uefi_store_find(t->uv->store, UEFI_VIEW_BOOT, V, name);
    uefi_assert_reason(uefi_vars_update(t->uv, &req, change), STORE_NO_NV_RT);
    g_assert_cmpuint(change->vars->len, ==, 0);
}

static void test_u3(Test *test, gconstpointer unused)
{
    UefiTest *t = test->t;

    set(t, "A", ATTR_NV_RT, "x");
    set(t, "B", ATTR_NV_RT, "x");
    uefi_assert_reason(set(t, "A", ATTR_NV_RT, ""), OK);
    uefi_assert_reason(set(t, "B", 0, "ignored"), OK);
    uefi_assert_reason(uefi_test_get(t, V, "A", NULL, NULL), GET_MISSING);
    uefi_assert_reason(uefi_test_get(t, V, "B", NULL, NULL), GET_MISSING);
}

static void test_u4(Test *test, gconstpointer unused)
{
    UefiTest *t = test->t;
    g_autofree char *before = NULL, *after = NULL;

    set(t, "A", ATTR_NV_RT, "x");
    set(t, "B", ATTR_NV_RT, "x");
    before = uefi_test_dump(t);
    t->saves = 0;
    uefi_assert_reason(set(t, "A", ATTR_NV_RT, "x"), OK);
    after = uefi_test_dump(t);
    g_assert_cmpstr(before, ==, after);
    g_assert_cmpuint(t->saves, ==, 0);
}

static void test_u5(Test *test, gconstpointer unused)
{
    UefiTest *t = test->t;
    g_autofree char *fill = g_strnfill(0x9000, 'f');
    const uint32_t append = ATTR_NV_RT | EFI_ATTR_AP;

    /* the name "AB" is padded from 6 to 8 bytes, which row 10 does not count */
    uefi_test_set(t, V, "AB", ATTR_NV_RT, fill, 33000);
    uefi_assert_reason(uefi_test_set(t, V, "AB", append, fill, 725),
                       STORE_APPEND);
    uefi_assert_reason(uefi_test_set(t, V, "AB", append, fill, 724), OK);
    uefi_assert_reason(uefi_test_set(t, V, "AB", append, fill, 1),
                       STORE_APPEND);
}

static void test_u6(Test *test, gconstpointer unused)
{
    UefiTest *t = test->t;
    g_autofree char *list = NULL;
    unsigned saves;

    set(t, "t-A", ATTR_NV_RT, "one");
    set(t, "t-B", ATTR_NV_RT, "x");
    uefi_assert_reason(set(t, "t-A", ATTR_NV_RT | EFI_ATTR_AP, "two"), OK);
    uefi_assert_value(t, V, "t-A", "onetwo");
    /* nothing at all is worth no write */
    saves = t->saves;
    uefi_assert_reason(set(t, "t-B", ATTR_NV_RT | EFI_ATTR_AP, ""), OK);
    uefi_assert_value(t, V, "t-B", "x");
    g_assert_cmpuint(t->saves, ==, saves);
    list = uefi_test_list(t);
    g_assert_cmpstr(tail(list, "t-"), ==, "t-A t-B");
}

static void test_u7(Test *test, gconstpointer unused)
{
    UefiTest *t = test->t;

    set(t, "A", ATTR_NV_RT, "x");
    t->uv->config.limits.nv_size =
        28 + uefi_store_used(t->uv->store, UEFI_CLASS_NV);
    uefi_assert_reason(set(t, "A", ATTR_NV_RT, "wxyz"), OK);
    uefi_assert_reason(set(t, "A", ATTR_NV_RT, "vwxyz"), STORE_FULL);
    uefi_assert_value(t, V, "A", "wxyz");
}

static void test_u8(Test *test, gconstpointer unused)
{
    UefiTest *t = test->t;
    g_autofree char *list = NULL;

    set(t, "t-A", ATTR_NV_RT, "x");
    set(t, "t-B", ATTR_NV_RT, "x");
    uefi_assert_reason(set(t, "t-A", ATTR_NV_RT, "y"), OK);
    list = uefi_test_list(t);
    g_assert_cmpstr(tail(list, "t-"), ==, "t-B t-A");
}

static void test_c1(Test *test, gconstpointer unused)
{
    UefiTest *t = test->t;

    uefi_assert_reason(set(t, "A", ATTR_NV_RT | EFI_ATTR_AP, ""), OK);
    uefi_assert_reason(uefi_test_get(t, V, "A", NULL, NULL), GET_MISSING);
    g_assert_cmpuint(t->saves, ==, 0);
}

static void test_c2(Test *test, gconstpointer unused)
{
    UefiTest *t = test->t;

    uefi_assert_reason(set(t, "A", ATTR_NV_RT, ""), STORE_MISSING);
    uefi_assert_reason(set(t, "A", 0, "x"), STORE_MISSING);
    uefi_assert_reason(set(t, "A", EFI_ATTR_AP, "x"), STORE_MISSING);
}

static void test_c3(Test *test, gconstpointer unused)
{
    UefiTest *t = test->t;

    uefi_test_phase(t, UEFI_PHASE_RUNTIME);
    uefi_assert_reason(set(t, "A", ATTR_BS_RT, "x"), STORE_NEW_NO_NV_RT);
    uefi_assert_reason(set(t, "A", ATTR_NV_BS, "x"), STORE_NEW_NO_NV_RT);
    uefi_assert_reason(set(t, "A", ATTR_NV_RT, "x"), OK);
}

/* C4, and that neither class can use up the other's room */
static void test_c4(Test *test, gconstpointer unused)
{
    UefiTest *t = test->t;
    UefiVarLimits *limits = &t->uv->config.limits;

    limits->nv_size = 28 + uefi_store_used(t->uv->store, UEFI_CLASS_NV);
    uefi_assert_reason(set(t, "A", ATTR_NV_RT, "x"), STORE_FULL);
    uefi_assert_reason(set(t, "A", ATTR_BS, "x"), OK);
    limits->nv_size = UEFI_LIMIT_NV_SIZE;
    limits->volatile_size =
        28 + uefi_store_used(t->uv->store, UEFI_CLASS_VOLATILE);
    uefi_assert_reason(set(t, "B", ATTR_BS, "x"), STORE_VOLATILE_FULL);
    uefi_assert_reason(set(t, "B", ATTR_NV_RT, "x"), OK);
}

static void test_c5(Test *test, gconstpointer unused)
{
    UefiTest *t = test->t;
    uint32_t attributes;

    uefi_assert_reason(set(t, "A", ATTR_NV_RT | EFI_ATTR_AP, "x"), OK);
    uefi_test_get(t, V, "A", &attributes, NULL);
    g_assert_cmphex(attributes, ==, ATTR_NV_RT);
}

/* 10: a failed save is told to the guest and leaves everything as it was */
static void test_save_fails(Test *test, gconstpointer unused)
{
    UefiTest *t = test->t;
    g_autofree char *before = NULL, *after = NULL;

    set(t, "A", ATTR_NV_RT, "x");
    before = uefi_test_dump(t);
    t->save_result = UEFI_REASON_SAVE_FAILED;
    uefi_assert_reason(set(t, "A", ATTR_NV_RT, "y"), SAVE_FAILED);
    t->save_result = UEFI_REASON_SAVE_NO_SPACE;
    uefi_assert_reason(set(t, "B", ATTR_NV_RT, "y"), SAVE_NO_SPACE);
    uefi_assert_reason(set(t, "A", ATTR_NV_RT, ""), SAVE_NO_SPACE);
    after = uefi_test_dump(t);
    g_assert_cmpstr(before, ==, after);
    /* what is volatile needs no disk */
    uefi_assert_reason(set(t, "C", ATTR_BS_RT, "y"), OK);
}

/*
 * 9.1: what init puts back after a guest has removed it and filled the store
 * must neither be lost nor keep the machine from starting or migrating.
 */
static void test_full_reset(Test *test, gconstpointer unused)
{
    UefiTest *t = test->t;
    g_autofree char *fill = g_strnfill(33000, 'f'), *document = NULL;
    g_autoptr(UefiTest) again = uefi_test_new(NULL);
    g_autoptr(UefiVarService) fresh = NULL;
    g_autoptr(GBytes) state = NULL;
    unsigned number = 0;
    uint8_t value = 0;

    uefi_test_set(t, &uefi_guid_custom_mode, "CustomMode", ATTR_NV_BS, "", 0);
    for (size_t size = 33000; size; size /= 2) {
        UefiReason reason;

        do {
            g_autofree char *name = g_strdup_printf("f%u", number++);

            reason = uefi_test_set(t, V, name, ATTR_NV_RT, fill, size);
        } while (reason == UEFI_REASON_OK);
        uefi_assert_reason(reason, STORE_FULL);
    }
    t->saves = 0;
    uefi_vars_hard_reset(t->uv);
    g_assert_cmpuint(t->saves, ==, 1);
    uefi_assert_reason(uefi_test_get(t, &uefi_guid_custom_mode, "CustomMode",
                                     NULL, NULL), OK);
    g_assert_cmpuint(uefi_store_used(t->uv->store, UEFI_CLASS_NV), >,
                     uefi_store_capacity(t->uv->store, UEFI_CLASS_NV));

    document = uefi_text_print_document(t->uv->store);
    fresh = uefi_vars_new(&t->uv->config, NULL, NULL);
    g_assert_true(uefi_load_store(fresh, document, NULL, NULL, NULL));
    state = uefi_vars_state_save(t->uv);
    g_assert_true(uefi_vars_state_load(&again->uv,
                                       g_bytes_get_data(state, NULL),
                                       g_bytes_get_size(state), NULL));
    /* and it can shrink, and only shrink */
    uefi_assert_reason(uefi_test_set(t, V, "f0", ATTR_NV_RT, &value, 1), OK);
    uefi_assert_reason(uefi_test_set(t, V, "f1", ATTR_NV_RT, "", 0), OK);
}

/* Every unit but NUL is legal in a name; lookups see each bit of it. */
static void test_names(Test *test, gconstpointer unused)
{
    UefiTest *t = test->t;

    for (unsigned unit = 1; unit <= 0xffff; unit += 0xff) {
        char name[] = { 'n', 0, unit & 0xff, unit >> 8, 0, 0, 'x' };
        g_autoptr(GByteArray) payload =
            access_payload(t, 1, 6, ATTR_BS, name, sizeof(name));

        uefi_assert_reason(uefi_test_call(t, 3, payload), OK);
        uefi_assert_reason(uefi_test_call(t, 1, payload), OK);
        name[2] ^= 1;
        g_byte_array_unref(g_steal_pointer(&payload));
        payload = access_payload(t, 1, 6, ATTR_BS, name, sizeof(name));
        uefi_assert_reason(uefi_test_call(t, 1, payload), GET_MISSING);
    }
}

static const struct {
    const char *path;
    void (*func)(Test *test, gconstpointer unused);
} tests[] = {
    { "M3/short", test_m3 },
    { "M4/bounds", test_m4 },
    { "M5/unterminated", test_m5 },
    { "M5/effective-name", test_m5_effective },
    { "M6/bounds", test_m6 },
    { "M7/unterminated", test_m7 },
    { "M9/lock-variable", test_m9 },
    { "3.5-1/3.5-2/get", test_get },
    { "3.5-3/3.5-4/reply", test_get_reply },
    { "3.5-2/untouched", test_get_missing_reply },
    { "3.6-1/3.6-2/3.6-3/next", test_next },
    { "3.6-4/3.6-5/reply", test_next_reply },
    { "3.6-5/first", test_next_first },
    { "8/order", test_order },
    { "3.8-1/3.8-2/3.8-3/3.8-4/3.8-5/3.8-6/3.8-7/3.8-8/attributes",
      test_query_attributes },
    { "3.8-9/sizes", test_query_sizes },
    { "3.8-9/message", test_query_message },
    { "3.8-9/largest", test_query_largest },
    { "3.8-9/hwerr", test_query_hwerr },
    { "4.2-1/4.2-2/4.2-3/4.2-4/4.2-6/4.2-7/4.2-8/attributes",
      test_set_attributes },
    { "4.2-9/descriptor", test_set_descriptor },
    { "4.2-10/too-large", test_set_too_large },
    { "4.2-13/not-runtime", test_set_not_runtime },
    { "4.2-14/other-attributes", test_set_other_attributes },
    { "4.2-18/update", test_set_update },
    { "U1/volatile", test_u1 },
    { "U2/no-nv-rt", test_u2 },
    { "U3/delete", test_u3 },
    { "U4/identical", test_u4 },
    { "U5/append-too-large", test_u5 },
    { "U6/append", test_u6 },
    { "U7/quota", test_u7 },
    { "U8/order", test_u8 },
    { "C1/append-nothing", test_c1 },
    { "C2/missing", test_c2 },
    { "C3/runtime", test_c3 },
    { "C4/quota", test_c4 },
    { "C5/create", test_c5 },
    { "10/save-fails", test_save_fails },
    { "9.1/full-reset", test_full_reset },
    { "8/names", test_names },
};

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        for (unsigned un_size = 4; un_size <= 8; un_size += 4) {
            g_autofree char *path =
                g_strdup_printf("/uefi/vars/%u-bit/%s", 8 * un_size,
                                tests[i].path);

            g_test_add(path, Test, GUINT_TO_POINTER(un_size), setup,
                       tests[i].func, teardown);
        }
    }
    return g_test_run();
}
