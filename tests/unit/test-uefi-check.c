/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: rules for well-known variables
 *
 * One component of a test's path is the row of docs/specs/uefi-vars.rst.
 */

#include "qemu/osdep.h"
#include "uefi-test.h"
#include "hw/uefi/var-service-check.h"
#include "hw/uefi/var-service-policy.h"

#define GLOBAL  (&uefi_guid_global)
#define IMGSEC  (&uefi_guid_image_security)
#define HWERR   (&uefi_guid_hw_error)
#define TEST    (&uefi_test_guid)

#define NV  EFI_ATTR_NV
#define BS  EFI_ATTR_BS
#define RT  EFI_ATTR_RT
#define HR  EFI_ATTR_HR
#define AT  EFI_ATTR_AT
#define AP  EFI_ATTR_AP

/* A device path: a file name "A", then the end */
#define PATH "\x04\x04\x08\x00\x41\x00\x00\x00\x7f\xff\x04\x00"
/* A load option: attributes, length of PATH, description "x", PATH */
#define OPTION "\x01\x00\x00\x00\x0c\x00\x78\x00\x00\x00" PATH

/* A byte string, without the NUL of C */
typedef struct Bytes {
    const char *data;
    size_t size;
} Bytes;

#define BYTES(s) { s, sizeof(s) - 1 }

static UefiTest *new_test(UefiVarPhase phase)
{
    UefiTest *t = uefi_test_new(NULL);

    uefi_test_phase(t, phase);
    return t;
}

/* What step 12 says to a write, as if it had passed all before */
static UefiReason check(UefiTest *t, const UefiGuid *guid, const char *ascii,
                        uint32_t attributes, const void *data, size_t size)
{
    g_autofree uint16_t *name = uefi_str_from_ascii(ascii);
    g_autofree uint8_t *copy = g_memdup2(data, size);
    const UefiVarRequest req = {
        .guid = *guid,
        .name = name,
        .known = uefi_known_find(guid, name),
        .attributes = attributes,
        .data = copy,
        .size = size,
        .payload = copy,
        .payload_size = size,
        .old = uefi_store_find(t->uv->store, UEFI_VIEW_BOOT, guid, name),
    };

    return uefi_check_rules(t->uv, &req);
}

/* ------------------------------------------------------------------------ */
/* Functions 9 and 10 */

typedef struct Property {
    uint16_t revision;
    uint16_t flags;
    uint32_t attributes;
    uint64_t min_size;
    uint64_t max_size;
} Property;

static GByteArray *property_payload(const UefiTest *t, const UefiGuid *guid,
                                    const char *name, const Property *p)
{
    GByteArray *payload = g_byte_array_new();

    uefi_test_add_guid(payload, guid);
    uefi_test_add_un(t, payload, 2 * (strlen(name) + 1));
    uefi_test_add(payload, p->revision, 2);
    uefi_test_add(payload, p->flags, 2);
    uefi_test_add(payload, p->attributes, 4);
    uefi_test_add_un(t, payload, p->min_size);
    uefi_test_add_un(t, payload, p->max_size);
    uefi_test_add_str(payload, name);
    return payload;
}

static UefiReason property_set(UefiTest *t, const UefiGuid *guid,
                               const char *name, const Property *p)
{
    g_autoptr(GByteArray) payload = property_payload(t, guid, name, p);

    return uefi_test_call(t, EFI_VAR_FN_PROPERTY_SET, payload);
}

static UefiReason property_get(UefiTest *t, const UefiGuid *guid,
                               const char *name, Property *p)
{
    static const Property noise = { 0x1111, 0x2222, 0x3333, 0x4444, 0x5555 };
    g_autoptr(GByteArray) payload = property_payload(t, guid, name, &noise);
    g_autoptr(GByteArray) before = g_byte_array_new();
    size_t pos = 16 + t->un_size, end = pos + 8 + 2 * t->un_size;
    UefiReason reason;

    g_byte_array_append(before, payload->data, payload->len);
    reason = uefi_test_call(t, EFI_VAR_FN_PROPERTY_GET, payload);
    g_assert_cmpmem(payload->data, pos, before->data, pos);
    g_assert_cmpmem(payload->data + end, payload->len - end,
                    before->data + end, before->len - end);
    if (reason != UEFI_REASON_OK) {
        g_assert_cmpmem(payload->data, payload->len,
                        before->data, before->len);
        return reason;
    }
    p->revision = uefi_test_field(payload, pos, 2);
    p->flags = uefi_test_field(payload, pos + 2, 2);
    p->attributes = uefi_test_field(payload, pos + 4, 4);
    p->min_size = uefi_test_field(payload, pos + 8, t->un_size);
    p->max_size = uefi_test_field(payload, pos + 8 + t->un_size, t->un_size);
    return reason;
}

/* NameSize as sent, with the name ab\0cd\0 behind it */
static UefiReason property_raw(UefiTest *t, unsigned function,
                               uint64_t name_size)
{
    g_autoptr(GByteArray) payload = g_byte_array_new();

    uefi_test_add_guid(payload, TEST);
    uefi_test_add_un(t, payload, name_size);
    uefi_test_add(payload, 1, 8);
    uefi_test_add_un(t, payload, 0);
    uefi_test_add_un(t, payload, 10);
    uefi_test_add_str(payload, "ab");
    uefi_test_add_str(payload, "cd");
    return uefi_test_call(t, function, payload);
}

static void test_property(gconstpointer un_size)
{
    static const Property set = { 1, 0, NV | BS, 2, 3 }, no = { 2, 0, 0, 0, 9 };
    g_autoptr(UefiTest) t = uefi_test_new(NULL);
    uint64_t infinite;
    Property got;

    t->un_size = GPOINTER_TO_UINT(un_size);
    infinite = t->un_size == 8 ? UINT64_MAX : UINT32_MAX;
    uefi_assert_reason(property_get(t, TEST, "X", &got), PROPERTY_MISSING);
    uefi_assert_reason(property_set(t, TEST, "", &set), PROPERTY_NO_NAME);
    uefi_assert_reason(property_set(t, TEST, "X", &no), PROPERTY_REVISION);
    uefi_assert_reason(property_get(t, TEST, "X", &got), PROPERTY_MISSING);
    uefi_assert_reason(property_get(t, TEST, "", &got), PROPERTY_GET_NO_NAME);

    uefi_assert_reason(property_set(t, TEST, "X", &set), OK);
    uefi_assert_reason(property_get(t, TEST, "X", &got), OK);
    g_assert_cmpmem(&got, sizeof(got), &set, sizeof(set));
    uefi_assert_reason(property_get(t, GLOBAL, "X", &got), PROPERTY_MISSING);

    uefi_assert_reason(property_get(t, GLOBAL, "Boot00AF", &got), OK);
    g_assert_cmpuint(got.min_size, ==, 6);
    g_assert_cmpuint(got.max_size, ==, infinite);

    uefi_test_phase(t, UEFI_PHASE_END_OF_DXE);
    uefi_assert_reason(property_set(t, TEST, "X", &set), PROPERTY_CLOSED);
    uefi_assert_reason(property_set(t, TEST, "", &set), PROPERTY_CLOSED);
    uefi_assert_reason(property_get(t, TEST, "X", &got), OK);
    uefi_assert_reason(check(t, TEST, "X", NV | BS, "abcd", 4), CHECK_SIZE);
    uefi_assert_reason(check(t, TEST, "X", NV | BS, "abc", 3), OK);
}

static void assert_answer(UefiTest *t, const char *request, const char *name)
{
    const UefiVarAnswer *answer = &t->uv->answer;

    g_assert_cmpstr(answer->request, ==, request);
    g_assert_true(uefi_guid_equal(&answer->guid, TEST));
    if (name) {
        g_assert_true(uefi_str_is(answer->name, name));
    } else {
        g_assert_null(answer->name);
    }
}

/* The host can see what has been asked, and about what. */
static void test_property_answers(void)
{
    static const Property one = { 1, 0, 0, 1, 1 };
    g_autoptr(UefiTest) t = uefi_test_new(NULL);
    Property got;

    property_set(t, TEST, "X", &one);
    assert_answer(t, "VarCheckPropertySet", "X");
    property_get(t, TEST, "Y", &got);
    assert_answer(t, "VarCheckPropertyGet", "Y");
    property_raw(t, EFI_VAR_FN_PROPERTY_SET, 1);
    assert_answer(t, "VarCheckPropertySet", NULL);
}

/* A property replaces that of the table, and the last one wins. */
static void test_property_replace(void)
{
    static const Property one = { 1, 0, 0, 1, 1 }, two = { 1, 0, 0, 2, 2 };
    g_autoptr(UefiTest) t = uefi_test_new(NULL);

    uefi_assert_reason(property_set(t, GLOBAL, "Timeout", &two), OK);
    uefi_assert_reason(property_set(t, GLOBAL, "Timeout", &one), OK);
    uefi_assert_reason(property_set(t, GLOBAL, "SetupMode", &one), OK);
    uefi_test_phase(t, UEFI_PHASE_END_OF_DXE);
    uefi_assert_reason(check(t, GLOBAL, "Timeout", BS, "a", 1), OK);
    uefi_assert_reason(check(t, GLOBAL, "Timeout", BS, "ab", 2), CHECK_SIZE);
    /* the state of the service stays its own all the same */
    uefi_assert_reason(check(t, GLOBAL, "SetupMode", BS, "a", 1), OK);
    uefi_assert_reason(uefi_test_set(t, GLOBAL, "SetupMode", BS | RT, "a", 1),
                       AUTH_STATE);
    uefi_vars_hard_reset(t->uv);
    uefi_test_phase(t, UEFI_PHASE_END_OF_DXE);
    uefi_assert_reason(check(t, GLOBAL, "Timeout", NV | BS | RT, "a", 1),
                       CHECK_SIZE);
}

/* The six names that end in #### are entries; other such names are names. */
static void test_property_wildcard(void)
{
    static const Property one = { 1, 0, 0, 1, 1 };
    g_autoptr(UefiTest) t = uefi_test_new(NULL);
    Property got;

    uefi_assert_reason(property_get(t, GLOBAL, "Key####", &got), OK);
    g_assert_cmpuint(got.min_size, ==, 10);
    uefi_assert_reason(property_set(t, GLOBAL, "Key####", &one), OK);
    uefi_assert_reason(property_get(t, GLOBAL, "Key0123", &got), OK);
    g_assert_cmpuint(got.min_size, ==, 1);
    uefi_assert_reason(property_get(t, GLOBAL, "Key012f", &got),
                       PROPERTY_MISSING);
    uefi_assert_reason(property_get(t, GLOBAL, "Key01##", &got),
                       PROPERTY_MISSING);
    uefi_assert_reason(property_get(t, GLOBAL, "Key01234", &got),
                       PROPERTY_MISSING);

    uefi_assert_reason(property_set(t, TEST, "My####", &one), OK);
    uefi_assert_reason(property_get(t, TEST, "My####", &got), OK);
    uefi_assert_reason(property_get(t, TEST, "My0000", &got),
                       PROPERTY_MISSING);

    /* an exact name goes before its pattern */
    uefi_assert_reason(property_set(t, GLOBAL, "Boot0001", &one), OK);
    uefi_assert_reason(property_get(t, GLOBAL, "Boot0001", &got), OK);
    g_assert_cmpuint(got.min_size, ==, 1);
    uefi_assert_reason(property_get(t, GLOBAL, "Boot0002", &got), OK);
    g_assert_cmpuint(got.min_size, ==, 6);
}

static void test_property_count(void)
{
    static const Property one = { 1, 0, 0, 1, 1 };
    g_autoptr(UefiTest) t = uefi_test_new(NULL);

    for (unsigned i = 0; i < UEFI_LIMIT_PROPERTIES; i++) {
        g_autofree char *name = g_strdup_printf("V%u", i);

        uefi_assert_reason(property_set(t, TEST, name, &one), OK);
    }
    uefi_assert_reason(property_set(t, TEST, "X", &one), PROPERTY_TABLE_FULL);
    uefi_assert_reason(property_set(t, TEST, "V0", &one), OK);
}

static void test_property_bytes(void)
{
    static const Property one = { 1, 0, 0, 1, 1 };
    g_autoptr(UefiTest) t = uefi_test_new(NULL);
    g_autofree char *half = g_strnfill(UEFI_LIMIT_PROPERTY_BYTES / 4 - 1, 'a');

    uefi_assert_reason(property_set(t, TEST, half, &one), OK);
    uefi_assert_reason(property_set(t, GLOBAL, half, &one), OK);
    uefi_assert_reason(property_set(t, TEST, "X", &one), PROPERTY_TABLE_FULL);
    uefi_vars_hard_reset(t->uv);
    uefi_assert_reason(property_set(t, TEST, "X", &one), OK);
}

static void test_property_message(gconstpointer un_size)
{
    static const unsigned functions[] = {
        EFI_VAR_FN_PROPERTY_SET, EFI_VAR_FN_PROPERTY_GET
    };
    g_autoptr(UefiTest) t = uefi_test_new(NULL);
    Property got;

    t->un_size = GPOINTER_TO_UINT(un_size);
    for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
        unsigned fn = functions[i];

        uefi_assert_reason(property_raw(t, fn, 13), MSG_BOUNDS);
        uefi_assert_reason(property_raw(t, fn, UINT64_MAX), MSG_BOUNDS);
        uefi_assert_reason(property_raw(t, fn, 0), MSG_NAME);
        uefi_assert_reason(property_raw(t, fn, 1), MSG_NAME);
        uefi_assert_reason(property_raw(t, fn, 2), MSG_NAME);
        uefi_assert_reason(property_raw(t, fn, 10), MSG_NAME);
        uefi_assert_reason(property_raw(t, fn, 6), OK);
        uefi_assert_reason(property_raw(t, fn, 7), OK);
        /* the name ends at its first NUL */
        uefi_assert_reason(property_raw(t, fn, 12), OK);
        uefi_assert_reason(property_get(t, TEST, "ab", &got), OK);
    }
}

static void test_property_cut(gconstpointer un_size)
{
    static const Property one = { 1, 0, 0, 1, 1 };
    g_autoptr(UefiTest) t = uefi_test_new(NULL);
    g_autoptr(GByteArray) whole = NULL;
    size_t fixed;

    t->un_size = GPOINTER_TO_UINT(un_size);
    fixed = 24 + 3 * t->un_size;
    whole = property_payload(t, TEST, "Name", &one);
    for (unsigned fn = EFI_VAR_FN_PROPERTY_SET;
         fn <= EFI_VAR_FN_PROPERTY_GET; fn++) {
        for (size_t size = 0; size < whole->len; size++) {
            g_autoptr(GByteArray) cut = g_byte_array_new();

            g_byte_array_append(cut, whole->data, size);
            if (size < fixed) {
                uefi_assert_reason(uefi_test_call(t, fn, cut), MSG_SHORT);
            } else {
                uefi_assert_reason(uefi_test_call(t, fn, cut), MSG_BOUNDS);
            }
            g_assert_cmpmem(cut->data, cut->len, whole->data, size);
        }
    }
}

/* ------------------------------------------------------------------------ */
/* Properties and content */

static void test_before_end_of_dxe(void)
{
    g_autoptr(UefiTest) t = new_test(UEFI_PHASE_DXE);

    uefi_assert_reason(uefi_test_set(t, GLOBAL, "Timeout", BS, "abc", 3), OK);
    uefi_assert_reason(uefi_test_set(t, GLOBAL, "NoSuch", BS, "abc", 3), OK);
    uefi_test_phase(t, UEFI_PHASE_END_OF_DXE);
    uefi_assert_reason(uefi_test_set(t, GLOBAL, "NoSuch", BS, "abc", 3),
                       CHECK_UNKNOWN);
    uefi_assert_reason(uefi_test_set(t, GLOBAL, "NoSuch", BS, "", 0), OK);
}

static void test_read_only(void)
{
    static const Property ro = { 1, 1, 0, 0, 9 };
    g_autoptr(UefiTest) t = uefi_test_new(NULL);

    uefi_assert_reason(property_set(t, TEST, "X", &ro), OK);
    uefi_assert_reason(uefi_test_set(t, TEST, "X", NV | BS, "a", 1), OK);
    uefi_test_phase(t, UEFI_PHASE_END_OF_DXE);
    uefi_assert_reason(uefi_test_set(t, TEST, "X", NV | BS, "b", 1),
                       CHECK_READ_ONLY);
    uefi_assert_reason(uefi_test_set(t, TEST, "X", NV | BS | AP, "b", 1),
                       CHECK_READ_ONLY);
    uefi_assert_reason(uefi_test_set(t, TEST, "X", NV | BS, "", 0),
                       CHECK_READ_ONLY);
    uefi_assert_reason(uefi_test_set(t, TEST, "X", 0, "", 0), CHECK_READ_ONLY);
    uefi_assert_value(t, TEST, "X", "a");
    uefi_assert_reason(check(t, GLOBAL, "SecureBoot", 0, "", 0),
                       CHECK_READ_ONLY);
}

static void test_attributes(void)
{
    static const Property any = { 1, 0, 0, 0, 9 };
    g_autoptr(UefiTest) t = uefi_test_new(NULL);

    uefi_assert_reason(property_set(t, TEST, "X", &any), OK);
    uefi_test_phase(t, UEFI_PHASE_END_OF_DXE);
    uefi_assert_reason(uefi_test_set(t, GLOBAL, "Timeout", BS | RT, "ab", 2),
                       CHECK_ATTRIBUTES);
    uefi_assert_reason(uefi_test_set(t, GLOBAL, "Timeout", NV | BS | RT,
                                     "ab", 2), OK);
    /* append is no attribute of a variable */
    uefi_assert_reason(uefi_test_set(t, GLOBAL, "BootOrder",
                                     NV | BS | RT | AP, "ab", 2), OK);
    /* a deletion may say anything, as far as this row goes */
    uefi_assert_reason(check(t, GLOBAL, "Timeout", BS, "", 0), OK);
    uefi_assert_reason(uefi_test_set(t, GLOBAL, "Timeout", 0, "", 0), OK);
    uefi_assert_reason(uefi_test_set(t, TEST, "X", BS, "a", 1), OK);
}

static void test_size(void)
{
    g_autoptr(UefiTest) t = new_test(UEFI_PHASE_END_OF_DXE);
    uint32_t a7 = NV | BS | RT;

    uefi_assert_reason(uefi_test_set(t, GLOBAL, "Timeout", a7, "a", 1),
                       CHECK_SIZE);
    uefi_assert_reason(uefi_test_set(t, GLOBAL, "Timeout", a7, "abc", 3),
                       CHECK_SIZE);
    uefi_assert_reason(uefi_test_set(t, GLOBAL, "Timeout", a7, "ab", 2), OK);
    uefi_assert_reason(uefi_test_set(t, GLOBAL, "Timeout", a7 | AP, "", 0),
                       OK);
    uefi_assert_reason(uefi_test_set(t, GLOBAL, "Timeout", a7 | AP, "a", 1),
                       CHECK_SIZE);
    uefi_assert_reason(uefi_test_set(t, GLOBAL, "Timeout", a7, "", 0), OK);
}

static void test_delete_passes(void)
{
    g_autoptr(UefiTest) t = new_test(UEFI_PHASE_END_OF_DXE);

    uefi_assert_reason(uefi_test_set(t, GLOBAL, "NoSuch", NV | BS, "", 0),
                       STORE_MISSING);
    uefi_assert_reason(uefi_test_set(t, GLOBAL, "NoSuch", 0, "a", 1),
                       STORE_MISSING);
    uefi_assert_reason(check(t, TEST, "X", NV | BS | HR, "", 0), OK);
    /* an append of nothing is no deletion */
    uefi_assert_reason(check(t, GLOBAL, "NoSuch", NV | BS | AP, "", 0),
                       CHECK_UNKNOWN);
}

static void test_error_records(void)
{
    UefiVarConfig config = uefi_vars_default_config();
    g_autoptr(UefiTest) t = NULL;
    uint32_t attr = NV | BS | RT | HR;

    config.limits.hwerr_quota = 0x1000;
    t = uefi_test_new(&config);
    uefi_test_phase(t, UEFI_PHASE_END_OF_DXE);
    uefi_assert_reason(uefi_test_set(t, HWERR, "HwErrRec00AF", attr, "a", 1),
                       OK);
    uefi_assert_reason(uefi_test_set(t, TEST, "HwErrRec0000", attr, "a", 1),
                       CHECK_HWERR);
    uefi_assert_reason(uefi_test_set(t, HWERR, "HwErrRec00af", attr, "a", 1),
                       CHECK_HWERR);
    uefi_assert_reason(uefi_test_set(t, HWERR, "HwErrRec000", attr, "a", 1),
                       CHECK_HWERR);
    uefi_assert_reason(uefi_test_set(t, HWERR, "HwErrRec00000", attr, "a", 1),
                       CHECK_HWERR);
    uefi_assert_reason(uefi_test_set(t, HWERR, "HwErrRec####", attr, "a", 1),
                       CHECK_HWERR);
    uefi_assert_reason(uefi_test_set(t, HWERR, "HwErrRec0001", NV | BS | RT,
                                     "a", 1), CHECK_ATTRIBUTES);
}

static void test_unknown(void)
{
    static const Property any = { 1, 0, 0, 0, 9 };
    g_autoptr(UefiTest) t = uefi_test_new(NULL);
    uint32_t a7 = NV | BS | RT;

    uefi_assert_reason(property_set(t, GLOBAL, "Mine", &any), OK);
    uefi_test_phase(t, UEFI_PHASE_END_OF_DXE);
    uefi_assert_reason(uefi_test_set(t, GLOBAL, "NoSuch", a7, "a", 1),
                       CHECK_UNKNOWN);
    uefi_assert_reason(uefi_test_set(t, GLOBAL, "boot0001", a7, "a", 1),
                       CHECK_UNKNOWN);
    uefi_assert_reason(uefi_test_set(t, GLOBAL, "Boot000a", a7, OPTION,
                                     sizeof(OPTION)), CHECK_UNKNOWN);
    uefi_assert_reason(uefi_test_set(t, GLOBAL, "Boot00001", a7, OPTION,
                                     sizeof(OPTION)), CHECK_UNKNOWN);
    uefi_assert_reason(uefi_test_set(t, GLOBAL, "AuditMode", a7, "a", 1),
                       CHECK_UNKNOWN);
    uefi_assert_reason(uefi_test_set(t, HWERR, "NoSuch", a7, "a", 1),
                       CHECK_UNKNOWN);
    uefi_assert_reason(check(t, IMGSEC, "dbr", a7 | AT, "a", 1),
                       CHECK_UNKNOWN);
    uefi_assert_reason(uefi_test_set(t, GLOBAL, "Mine", BS, "a", 1), OK);
    uefi_assert_reason(uefi_test_set(t, TEST, "NoSuch", BS, "a", 1), OK);
    /* the name of an entry with wildcards is known as such (13) */
    uefi_assert_reason(uefi_test_set(t, GLOBAL, "Boot####", a7, OPTION,
                                     sizeof(OPTION)), OK);
}

typedef struct Row {
    const UefiGuid *guid;
    const char *name;           /* with digits where the table has #### */
    const char *row;            /* NNNN, for # means something in TAP */
    bool read_only;
    uint32_t attributes;
    uint64_t min_size;
    uint64_t max_size;
    struct {
        Bytes good, bad;        /* NULL: any value will do */
    } content;
} Row;

#define A3      (NV | BS)
#define A6      (BS | RT)
#define A7      (NV | BS | RT)
#define INF     UINT64_MAX
#define ANY     { { NULL, 0 }, { NULL, 0 } }
#define ASCII   { BYTES("en\0"), BYTES("eng") }
#define EVEN    { BYTES("\0\0\1\0"), BYTES("\0\0\1") }
#define KEYS    { BYTES("0123456789abcd"), BYTES("0123456789ab") }
#define DEVPATH { BYTES(PATH), BYTES("\x7f\xff\x05\x00") }
#define LOADOPT { BYTES(OPTION), BYTES("\1\0\0\0\0\0\0\0\0\0\0\0") }

static const Row rows[] = {
    { GLOBAL, "LangCodes", "LangCodes", false, A6, 1, INF, ASCII },
    { GLOBAL, "Lang", "Lang", false, A7, 1, INF, ASCII },
    { GLOBAL, "PlatformLangCodes", "PlatformLangCodes", false, A6, 1, INF,
      ASCII },
    { GLOBAL, "PlatformLang", "PlatformLang", false, A7, 1, INF, ASCII },
    { GLOBAL, "Timeout", "Timeout", false, A7, 2, 2, ANY },
    { GLOBAL, "ConIn", "ConIn", false, A7, 4, INF, DEVPATH },
    { GLOBAL, "ConOut", "ConOut", false, A7, 4, INF, DEVPATH },
    { GLOBAL, "ErrOut", "ErrOut", false, A7, 4, INF, DEVPATH },
    { GLOBAL, "ConInDev", "ConInDev", false, A6, 4, INF, DEVPATH },
    { GLOBAL, "ConOutDev", "ConOutDev", false, A6, 4, INF, DEVPATH },
    { GLOBAL, "ErrOutDev", "ErrOutDev", false, A6, 4, INF, DEVPATH },
    { GLOBAL, "BootOrder", "BootOrder", false, A7, 2, INF, EVEN },
    { GLOBAL, "DriverOrder", "DriverOrder", false, A7, 2, INF, EVEN },
    { GLOBAL, "SysPrepOrder", "SysPrepOrder", false, A7, 2, INF, EVEN },
    { GLOBAL, "BootNext", "BootNext", false, A7, 2, 2, ANY },
    { GLOBAL, "BootCurrent", "BootCurrent", false, A6, 2, 2, ANY },
    { GLOBAL, "BootOptionSupport", "BootOptionSupport", false, A6, 4, 4, ANY },
    { GLOBAL, "HwErrRecSupport", "HwErrRecSupport", false, A7, 2, 2, ANY },
    { GLOBAL, "SetupMode", "SetupMode", true, A6, 1, 1, ANY },
    { GLOBAL, "SecureBoot", "SecureBoot", true, A6, 1, 1, ANY },
    { GLOBAL, "VendorKeys", "VendorKeys", true, A6, 1, 1, ANY },
    { GLOBAL, "SignatureSupport", "SignatureSupport", true, A6, 16, INF, ANY },
    { GLOBAL, "PK", "PK", false, A7 | AT, 1, INF, ANY },
    { GLOBAL, "KEK", "KEK", false, A7 | AT, 1, INF, ANY },
    { GLOBAL, "PKDefault", "PKDefault", true, A6, 1, INF, ANY },
    { GLOBAL, "KEKDefault", "KEKDefault", true, A6, 1, INF, ANY },
    { GLOBAL, "dbDefault", "dbDefault", true, A6, 1, INF, ANY },
    { GLOBAL, "dbxDefault", "dbxDefault", true, A6, 1, INF, ANY },
    { GLOBAL, "dbtDefault", "dbtDefault", true, A6, 1, INF, ANY },
    { GLOBAL, "OsIndicationsSupported", "OsIndicationsSupported", false,
      A6, 8, 8, ANY },
    { GLOBAL, "OsIndications", "OsIndications", false, A7, 8, 8, ANY },
    { GLOBAL, "Boot9ABC", "BootNNNN", false, A7, 6, INF, LOADOPT },
    { GLOBAL, "DriverDEF0", "DriverNNNN", false, A7, 6, INF, LOADOPT },
    { GLOBAL, "SysPrep1234", "SysPrepNNNN", false, A7, 6, INF, LOADOPT },
    { GLOBAL, "Key5678", "KeyNNNN", false, A7, 10, 22, KEYS },
    { GLOBAL, "PlatformRecovery0000", "PlatformRecoveryNNNN", false, A6, 6,
      INF, LOADOPT },
    { IMGSEC, "db", "db", false, A7 | AT, 1, INF, ANY },
    { IMGSEC, "dbx", "dbx", false, A7 | AT, 1, INF, ANY },
    { IMGSEC, "dbt", "dbt", false, A7 | AT, 1, INF, ANY },
    { HWERR, "HwErrRec0000", "HwErrRecNNNN", false, A7 | HR, 1, INF, ANY },
    { &uefi_guid_secure_boot_enable, "SecureBootEnable", "SecureBootEnable",
      false, A3, 1, 1, ANY },
    { &uefi_guid_custom_mode, "CustomMode", "CustomMode", false, A3, 1, 1,
      ANY },
    { &uefi_guid_vendor_keys_nv, "VendorKeysNv", "VendorKeysNv", true,
      A7 | AT, 1, 1, ANY },
    { &uefi_guid_cert_db, "certdb", "certdb", true, A7 | AT, 4, INF, ANY },
    { &uefi_guid_cert_db, "certdbv", "certdbv", true, A6 | AT, 4, INF, ANY },
    { &uefi_guid_var_error_flag, "VarErrorFlag", "VarErrorFlag", true, A7, 1,
      1, ANY },
};

static void check_bounds(UefiTest *t, const Row *row)
{
    g_autofree char *value = g_malloc0(row->min_size + 64);

    if (row->min_size > 1) {
        uefi_assert_reason(check(t, row->guid, row->name, row->attributes,
                                 value, row->min_size - 1), CHECK_SIZE);
    }
    if (row->max_size < INF) {
        uefi_assert_reason(check(t, row->guid, row->name, row->attributes,
                                 value, row->max_size + 1), CHECK_SIZE);
    }
    if (!row->content.good.data) {
        uefi_assert_reason(check(t, row->guid, row->name, row->attributes,
                                 value, row->min_size), OK);
        return;
    }
    uefi_assert_reason(check(t, row->guid, row->name, row->attributes,
                             row->content.good.data,
                             row->content.good.size), OK);
    uefi_assert_reason(check(t, row->guid, row->name, row->attributes,
                             row->content.bad.data,
                             row->content.bad.size), CHECK_CONTENT);
}

static void test_row(gconstpointer data)
{
    const Row *row = data;
    g_autoptr(UefiTest) t = new_test(UEFI_PHASE_END_OF_DXE);
    Property got;

    uefi_assert_reason(property_get(t, row->guid, row->name, &got), OK);
    g_assert_cmpuint(got.revision, ==, 1);
    g_assert_cmpuint(got.flags, ==, row->read_only);
    g_assert_cmphex(got.attributes, ==, row->attributes);
    g_assert_cmpuint(got.min_size, ==, row->min_size);
    g_assert_cmpuint(got.max_size, ==, row->max_size);
    if (row->read_only) {
        uefi_assert_reason(check(t, row->guid, row->name, row->attributes,
                                 "", 0), CHECK_READ_ONLY);
        return;
    }
    uefi_assert_reason(check(t, row->guid, row->name, 0, "", 0), OK);
    uefi_assert_reason(check(t, row->guid, row->name, BS, "a", 1),
                       CHECK_ATTRIBUTES);
    check_bounds(t, row);
}

typedef struct Content {
    const char *what;
    const char *name;           /* of a variable with attributes A7 */
    Bytes value;
    bool valid;
} Content;

static const Content contents[] = {
    { "ascii-late-nul", "PlatformLang", BYTES("e\0\0n"), true },
    { "ascii-only-nul", "PlatformLang", BYTES("\0"), true },
    { "ascii-no-nul", "PlatformLang", BYTES("e"), false },
    { "order-odd", "BootOrder", BYTES("\0\0\1\0\2"), false },
    { "key-18", "Key0000", BYTES("0123456789abcdefgh"), true },
    { "key-11", "Key0000", BYTES("0123456789a"), false },
    { "path-end", "ConIn", BYTES("\x7f\xff\x04\x00"), true },
    { "path-more", "ConIn", BYTES(PATH "more"), true },
    { "path-no-end-type", "ConIn",
      BYTES("\x01\xff\x05\x00\x41\x7f\xff\x04\x00"), true },
    { "path-no-end-subtype", "ConIn",
      BYTES("\x7f\x01\x05\x00\x41\x7f\xff\x04\x00"), true },
    { "path-no-file", "ConIn",
      BYTES("\x01\x04\x05\x00\x41\x04\x01\x05\x00\x41\x7f\xff\x04\x00"),
      true },
    { "path-no-end", "ConIn", BYTES("\x01\x01\x04\x00"), false },
    { "path-end-length", "ConIn", BYTES("\x7f\xff\x08\x00""1234"), false },
    { "path-node-0", "ConIn",
      BYTES("\x01\x01\x00\x00\x7f\xff\x04\x00"), false },
    { "path-node-3", "ConIn",
      BYTES("\x01\x01\x03\x00\x7f\xff\x04\x00"), false },
    { "path-node-long", "ConIn",
      BYTES("\x01\x01\xff\xff\x7f\xff\x04\x00"), false },
    { "path-node-last", "ConIn",
      BYTES("\x01\x01\x05\x00\x7f\xff\x04\x00"), false },
    { "path-cut-end", "ConIn",
      BYTES("\x01\x01\x04\x00\x7f\xff\x04"), false },
    { "path-file-open", "ConIn",
      BYTES("\x04\x04\x06\x00\x41\x00\x7f\xff\x04\x00"), false },
    { "path-file-bare", "ConIn",
      BYTES("\x04\x04\x04\x00\x7f\xff\x04\x00"), false },
    { "path-file-empty", "ConIn",
      BYTES("\x04\x04\x06\x00\x00\x00\x7f\xff\x04\x00"), true },
    { "option-data", "Boot0000", BYTES(OPTION "optional data"), true },
    { "option-no-name", "Boot0000",
      BYTES("\1\0\0\0\x04\0\0\0\x7f\xff\x04\0"), true },
    { "option-short-path", "Boot0000",
      BYTES("\1\0\0\0\x03\0\0\0\x7f\xff\x04\0"), false },
    { "option-long-path", "Boot0000",
      BYTES("\1\0\0\0\x05\0\0\0\x7f\xff\x04\0"), false },
    { "option-open-name", "Boot0000",
      BYTES("\1\0\0\0\x04\0\x41\0\x42\0\x43\0\x44\0"), false },
    { "option-odd-name", "Boot0000", BYTES("\1\0\0\0\x04\0\x41\0\0"), false },
    { "option-header", "Boot0000", BYTES("\1\0\0\0\x04\0"), false },
    { "option-end-outside", "Boot0000",
      BYTES("\1\0\0\0\x04\0\0\0\x01\x01\x04\0\x7f\xff\x04\0"), false },
};

static void test_content(gconstpointer data)
{
    const Content *content = data;
    g_autoptr(UefiTest) t = new_test(UEFI_PHASE_END_OF_DXE);
    UefiReason reason = uefi_test_set(t, GLOBAL, content->name, A7,
                                      content->value.data,
                                      content->value.size);

    if (content->valid) {
        uefi_assert_reason(reason, OK);
    } else {
        uefi_assert_reason(reason, CHECK_CONTENT);
    }
    /* no rule looks at an append of nothing, or at a deletion */
    uefi_assert_reason(uefi_test_set(t, GLOBAL, content->name, A7 | AP, "",
                                     0), OK);
    uefi_assert_reason(check(t, GLOBAL, content->name, A7, "", 0), OK);
}

/* Content is a rule of its own, whatever function 9 has made of the rest. */
static void test_content_property(void)
{
    static const Property any = { 1, 0, 0, 0, 99 };
    g_autoptr(UefiTest) t = uefi_test_new(NULL);

    uefi_assert_reason(property_set(t, GLOBAL, "SignatureSupport", &any), OK);
    uefi_assert_reason(property_set(t, GLOBAL, "Key####", &any), OK);
    uefi_test_phase(t, UEFI_PHASE_END_OF_DXE);
    uefi_assert_reason(check(t, GLOBAL, "SignatureSupport", BS,
                             "0123456789abcdef", 16), OK);
    uefi_assert_reason(check(t, GLOBAL, "SignatureSupport", BS,
                             "0123456789abcdefg", 17), CHECK_CONTENT);
    uefi_assert_reason(check(t, GLOBAL, "Key0000", BS, "abc", 3),
                       CHECK_CONTENT);
    uefi_assert_reason(check(t, GLOBAL, "Key0000", BS, "abcdef", 6), OK);
}

/* A code unit that only ends in a digit is none. */
static void test_unknown_wide(void)
{
    static const uint16_t wide[] = {
        'B', 'o', 'o', 't', '0', '0', '0', 0x130, 0
    };
    g_autoptr(UefiTest) t = new_test(UEFI_PHASE_END_OF_DXE);

    uefi_assert_reason(uefi_vars_set(t->uv, GLOBAL, wide, NV | BS | RT,
                                     (const uint8_t *)OPTION,
                                     sizeof(OPTION) - 1), CHECK_UNKNOWN);
}

/* No length of a device path or load option leads beyond the data. */
static void test_content_cut(void)
{
    g_autoptr(UefiTest) t = new_test(UEFI_PHASE_END_OF_DXE);

    for (size_t size = 6; size < sizeof(OPTION) - 1; size++) {
        uefi_assert_reason(check(t, GLOBAL, "Boot0000", A7, OPTION, size),
                           CHECK_CONTENT);
    }
    for (size_t size = 4; size < sizeof(PATH) - 1; size++) {
        uefi_assert_reason(check(t, GLOBAL, "ConIn", A7, PATH, size),
                           CHECK_CONTENT);
    }
    for (size_t i = 0; i < sizeof(OPTION) - 1; i++) {
        char option[] = OPTION;

        for (int value = 0; value < 256; value++) {
            option[i] = value;
            check(t, GLOBAL, "Boot0000", A7, option, sizeof(option) - 1);
        }
    }
}

/* ------------------------------------------------------------------------ */
/* Memory-overwrite request (5.4) */

#define MOR_NAME        "MemoryOverwriteRequestControl"
#define MOR_LOCK_NAME   "MemoryOverwriteRequestControlLock"

static UefiReason set_mor(UefiTest *t, uint32_t attributes, const void *data,
                          size_t size)
{
    return uefi_test_set(t, &uefi_guid_mor_control, MOR_NAME, attributes,
                         data, size);
}

static UefiReason set_lock(UefiTest *t, uint32_t attributes, const void *data,
                           size_t size)
{
    return uefi_test_set(t, &uefi_guid_mor_control_lock, MOR_LOCK_NAME,
                         attributes, data, size);
}

static UefiReason get_mor(UefiTest *t)
{
    return uefi_test_get(t, &uefi_guid_mor_control, MOR_NAME, NULL, NULL);
}

static UefiReason get_lock(UefiTest *t)
{
    return uefi_test_get(t, &uefi_guid_mor_control_lock, MOR_LOCK_NAME, NULL,
                         NULL);
}

static UefiTest *new_mor_test(bool has_tpm, bool has_mor)
{
    UefiVarConfig config = uefi_vars_default_config();
    UefiTest *t;

    config.has_tpm = has_tpm;
    t = uefi_test_new(&config);
    if (has_mor) {
        uefi_assert_reason(set_mor(t, A7, "\0", 1), OK);
    }
    uefi_test_phase(t, UEFI_PHASE_END_OF_DXE);
    return t;
}

static void assert_lock_value(UefiTest *t, uint8_t expected)
{
    g_autoptr(GBytes) value = NULL;
    uint32_t attributes;

    uefi_assert_reason(uefi_test_get(t, &uefi_guid_mor_control_lock,
                                     MOR_LOCK_NAME, &attributes, &value), OK);
    g_assert_cmphex(attributes, ==, A7);
    g_assert_cmpmem(g_bytes_get_data(value, NULL), g_bytes_get_size(value),
                    &expected, 1);
}

static void test_mor_lock_delete(void)
{
    g_autoptr(UefiTest) t = new_mor_test(true, true);

    uefi_assert_reason(set_lock(t, 0, "", 0), MOR_LOCK_DELETE);
    uefi_assert_reason(set_lock(t, A7, "", 0), MOR_LOCK_DELETE);
    uefi_assert_reason(set_lock(t, 0, "\1", 1), MOR_LOCK_DELETE);
    uefi_assert_reason(set_lock(t, A7 | AP, "", 0), MOR_LOCK_DELETE);
    assert_lock_value(t, 0);
}

static void test_mor_lock_form(void)
{
    g_autoptr(UefiTest) t = new_mor_test(true, true);

    uefi_assert_reason(set_lock(t, A3, "\1", 1), MOR_LOCK_FORM);
    uefi_assert_reason(set_lock(t, A7 | AP, "\1", 1), MOR_LOCK_FORM);
    uefi_assert_reason(set_lock(t, A7, "\1\1", 2), MOR_LOCK_FORM);
    uefi_assert_reason(set_lock(t, A7, "1234567", 7), MOR_LOCK_FORM);
    uefi_assert_reason(set_lock(t, A7, "123456789", 9), MOR_LOCK_FORM);
    assert_lock_value(t, 0);
}

static void test_mor_lock_unlocked(void)
{
    g_autoptr(UefiTest) t = new_mor_test(true, true);

    uefi_assert_reason(set_lock(t, A7, "\0", 1), OK);
    assert_lock_value(t, 0);
    uefi_assert_reason(set_mor(t, A7, "\1", 1), OK);
}

static void test_mor_lock_no_key(void)
{
    g_autoptr(UefiTest) t = new_mor_test(true, true);

    uefi_assert_reason(set_lock(t, A7, "\1", 1), OK);
    assert_lock_value(t, 1);
    uefi_assert_reason(set_mor(t, A7, "\1", 1), MOR_LOCKED);
    uefi_vars_hard_reset(t->uv);
    uefi_assert_reason(set_mor(t, A7, "\1", 1), OK);
}

static void test_mor_lock_value(void)
{
    g_autoptr(UefiTest) t = new_mor_test(true, true);

    uefi_assert_reason(set_lock(t, A7, "\2", 1), MOR_LOCK_VALUE);
    uefi_assert_reason(set_lock(t, A7, "\xff", 1), MOR_LOCK_VALUE);
    assert_lock_value(t, 0);
    uefi_assert_reason(set_mor(t, A7, "\1", 1), OK);
}

static void test_mor_lock_key(void)
{
    g_autoptr(UefiTest) t = new_mor_test(true, true);

    uefi_assert_reason(set_lock(t, A7, "12345678", 8), OK);
    assert_lock_value(t, 2);
    uefi_assert_reason(set_mor(t, A7, "\1", 1), MOR_LOCKED);
}

static void test_mor_lock_locked(void)
{
    g_autoptr(UefiTest) t = new_mor_test(true, true);

    uefi_assert_reason(set_lock(t, A7, "\1", 1), OK);
    uefi_assert_reason(set_lock(t, A7, "\0", 1), MOR_LOCK_LOCKED);
    uefi_assert_reason(set_lock(t, A7, "\0\0\0\0\0\0\0\0", 8),
                       MOR_LOCK_LOCKED);
    assert_lock_value(t, 1);

    uefi_vars_hard_reset(t->uv);
    uefi_test_phase(t, UEFI_PHASE_END_OF_DXE);
    assert_lock_value(t, 0);
    uefi_assert_reason(set_lock(t, A7, "12345678", 8), OK);
    uefi_assert_reason(set_lock(t, A7, "\0", 1), MOR_LOCK_LOCKED);
    assert_lock_value(t, 2);
}

static void test_mor_unlock(void)
{
    g_autoptr(UefiTest) t = new_mor_test(true, true);

    uefi_assert_reason(set_lock(t, A7, "12345678", 8), OK);
    uefi_assert_reason(set_lock(t, A7, "12345678", 8), OK);
    assert_lock_value(t, 0);
    uefi_assert_reason(set_mor(t, A7, "\1", 1), OK);
    /* the key is gone with the lock */
    uefi_assert_reason(set_lock(t, A7, "\1", 1), OK);
    uefi_assert_reason(set_lock(t, A7, "12345678", 8), MOR_LOCK_LOCKED);
}

static void test_mor_wrong_key(void)
{
    g_autoptr(UefiTest) t = new_mor_test(true, true);

    uefi_assert_reason(set_lock(t, A7, "12345678", 8), OK);
    uefi_assert_reason(set_lock(t, A7, "1234567x", 8), MOR_LOCK_KEY);
    assert_lock_value(t, 1);
    uefi_assert_reason(set_lock(t, A7, "12345678", 8), MOR_LOCK_LOCKED);
    uefi_assert_reason(set_mor(t, A7, "\1", 1), MOR_LOCKED);
}

/* The lock follows the variable, and only if that was written. */
static void test_mor_save_failed(void)
{
    g_autoptr(UefiTest) t = new_mor_test(true, true);

    t->save_result = UEFI_REASON_SAVE_FAILED;
    uefi_assert_reason(set_lock(t, A7, "12345678", 8), SAVE_FAILED);
    assert_lock_value(t, 0);
    t->save_result = UEFI_REASON_OK;
    uefi_assert_reason(set_mor(t, A7, "\1", 1), OK);
    uefi_assert_reason(set_lock(t, A7, "12345678", 8), OK);

    t->save_result = UEFI_REASON_SAVE_FAILED;
    uefi_assert_reason(set_lock(t, A7, "12345678", 8), SAVE_FAILED);
    assert_lock_value(t, 2);
    uefi_assert_reason(set_mor(t, A7, "\0", 1), MOR_LOCKED);
    t->save_result = UEFI_REASON_OK;
    uefi_assert_reason(set_lock(t, A7, "12345678", 8), OK);

    /* a wrong guess costs the key even so */
    uefi_assert_reason(set_lock(t, A7, "12345678", 8), OK);
    t->save_result = UEFI_REASON_SAVE_FAILED;
    uefi_assert_reason(set_lock(t, A7, "8765432x", 8), MOR_LOCK_KEY);
    t->save_result = UEFI_REASON_OK;
    uefi_assert_reason(set_lock(t, A7, "12345678", 8), MOR_LOCK_LOCKED);
}

static void test_mor(void)
{
    g_autoptr(UefiTest) t = uefi_test_new(NULL);

    /* also before EndOfDxe */
    uefi_assert_reason(set_mor(t, A3, "\1", 1), MOR_FORM);
    uefi_assert_reason(set_mor(t, A7, "\1\1", 2), MOR_FORM);
    uefi_assert_reason(set_mor(t, A7, "", 0), MOR_FORM);
    uefi_assert_reason(set_mor(t, 0, "", 0), MOR_FORM);
    uefi_assert_reason(set_mor(t, A7 | AP, "\1", 1), MOR_FORM);
    uefi_assert_reason(set_mor(t, A7, "\x11", 1), OK);
    uefi_assert_value(t, &uefi_guid_mor_control, MOR_NAME, "\x11");
    /* the names under another vendor are nothing special */
    uefi_assert_reason(uefi_test_set(t, TEST, MOR_NAME, A3, "ab", 2), OK);
    uefi_assert_reason(uefi_test_set(t, &uefi_guid_mor_control, "X", A3,
                                     "ab", 2), OK);
    uefi_assert_reason(uefi_test_set(t, &uefi_guid_mor_control, MOR_LOCK_NAME,
                                     A3, "ab", 2), OK);
}

static void test_mor_runtime(void)
{
    g_autoptr(UefiTest) t = new_mor_test(true, true);

    uefi_test_phase(t, UEFI_PHASE_RUNTIME);
    uefi_assert_reason(set_lock(t, A7, "12345678", 8), OK);
    uefi_assert_reason(set_mor(t, A7, "\1", 1), MOR_LOCKED);
    uefi_assert_reason(set_lock(t, A7, "12345678", 8), OK);
    uefi_assert_reason(set_mor(t, A7, "\1", 1), OK);
}

static void assert_no_mor(UefiTest *t)
{
    uefi_assert_reason(get_mor(t), GET_MISSING);
    uefi_assert_reason(get_lock(t), GET_MISSING);
    uefi_assert_reason(set_lock(t, A7, "\1", 1), POLICY_LOCKED_NOW);
    /* and so nothing is locked by that: it is the policy that refuses */
    uefi_assert_reason(set_mor(t, A7, "\1", 1), POLICY_LOCKED_NOW);
    uefi_assert_reason(get_mor(t), GET_MISSING);
}

static void test_mor_no_tpm(void)
{
    g_autoptr(UefiTest) t = uefi_test_new(NULL);

    uefi_assert_reason(set_mor(t, A7, "\1", 1), OK);
    uefi_assert_reason(set_lock(t, A7, "\0", 1), OK);
    uefi_test_phase(t, UEFI_PHASE_END_OF_DXE);
    assert_no_mor(t);
}

static void test_mor_absent(void)
{
    g_autoptr(UefiTest) t = new_mor_test(true, false);

    assert_no_mor(t);
}

/* Firmware that locks policies early gets no other machine by that. */
static void test_mor_policies_locked(void)
{
    g_autoptr(UefiTest) t = uefi_test_new(NULL);
    g_autoptr(GByteArray) none = g_byte_array_new();

    uefi_assert_reason(uefi_test_policy(t, EFI_VAR_POLICY_LOCK, none), OK);
    uefi_test_phase(t, UEFI_PHASE_END_OF_DXE);
    assert_no_mor(t);
}

/* Nor does a guest that leaves no room for policies. */
static void test_mor_policies_full(void)
{
    g_autoptr(UefiTest) t = uefi_test_new(NULL);
    UefiReason reason = UEFI_REASON_OK;

    for (unsigned i = 0; reason == UEFI_REASON_OK; i++) {
        const uint16_t name[] = { i + 1, 0 };

        reason = uefi_policy_lock_variable(t->uv, TEST, name);
    }
    uefi_assert_reason(reason, POLICY_TABLE_FULL);
    uefi_test_phase(t, UEFI_PHASE_END_OF_DXE);
    assert_no_mor(t);
}

static void test_mor_tpm(void)
{
    g_autoptr(UefiTest) t = new_mor_test(true, true);

    assert_lock_value(t, 0);
    uefi_assert_reason(set_mor(t, A7, "\1", 1), OK);
}

static void test_mor_disabled(void)
{
    UefiVarConfig config = uefi_vars_default_config();
    g_autoptr(UefiTest) t = NULL;
    g_autoptr(GByteArray) none = g_byte_array_new();

    config.allow_policy_disable = true;
    config.has_tpm = true;
    t = uefi_test_new(&config);
    uefi_assert_reason(uefi_test_policy(t, EFI_VAR_POLICY_DISABLE, none), OK);
    uefi_assert_reason(set_mor(t, A7, "\1", 1), OK);
    uefi_assert_reason(set_lock(t, A7, "\1", 1), OK);
    uefi_assert_reason(set_mor(t, A7, "\1", 1), MOR_LOCKED);
    uefi_assert_reason(set_mor(t, A7, "", 0), OK);
    uefi_assert_reason(set_lock(t, 0, "", 0), OK);
    uefi_assert_reason(get_lock(t), GET_MISSING);
}

/* ------------------------------------------------------------------------ */
/* Languages (5.5) */

#define LANG_CODES          "engfradeu"
#define PLATFORM_LANG_CODES "en;fr-FR;de-DE"

static UefiTest *new_lang_test(void)
{
    UefiTest *t = uefi_test_new(NULL);

    uefi_assert_reason(uefi_test_set(t, GLOBAL, "LangCodes", A6,
                                     LANG_CODES, sizeof(LANG_CODES)), OK);
    uefi_assert_reason(uefi_test_set(t, GLOBAL, "PlatformLangCodes", A6,
                                     PLATFORM_LANG_CODES,
                                     sizeof(PLATFORM_LANG_CODES)), OK);
    return t;
}

static void set_lang(UefiTest *t, const char *name, const char *lang)
{
    uefi_assert_reason(uefi_test_set(t, GLOBAL, name, A7, lang,
                                     strlen(lang) + 1), OK);
}

static void assert_lang(UefiTest *t, const char *name, const char *lang)
{
    g_autoptr(GBytes) value = NULL;
    uint32_t attributes;

    uefi_assert_reason(uefi_test_get(t, GLOBAL, name, &attributes, &value),
                       OK);
    g_assert_cmphex(attributes, ==, A7);
    g_assert_cmpmem(g_bytes_get_data(value, NULL), g_bytes_get_size(value),
                    lang, strlen(lang) + 1);
}

static void test_platform_lang(void)
{
    g_autoptr(UefiTest) t = new_lang_test();

    set_lang(t, "PlatformLang", "fr-FR");
    assert_lang(t, "Lang", "fra");
    set_lang(t, "PlatformLang", "de-DE-1996");
    assert_lang(t, "Lang", "deu");
    set_lang(t, "PlatformLang", "en-US");
    assert_lang(t, "Lang", "eng");
    /* what begins with it will do; only the first of a list counts */
    set_lang(t, "PlatformLang", "de;fr-FR");
    assert_lang(t, "Lang", "deu");
    /* less of it is looked for, but never nothing */
    set_lang(t, "PlatformLang", "it");
    assert_lang(t, "Lang", "deu");
    set_lang(t, "PlatformLang", "it-CH");
    assert_lang(t, "Lang", "deu");
    set_lang(t, "PlatformLang", "-DE");
    assert_lang(t, "Lang", "deu");
    set_lang(t, "PlatformLang", "");
    assert_lang(t, "Lang", "deu");
    uefi_assert_reason(uefi_test_set(t, GLOBAL, "PlatformLang", 0, "", 0), OK);
    assert_lang(t, "Lang", "deu");
}

static void test_lang(void)
{
    g_autoptr(UefiTest) t = new_lang_test();

    set_lang(t, "Lang", "deu");
    assert_lang(t, "PlatformLang", "de-DE");
    set_lang(t, "Lang", "fra");
    assert_lang(t, "PlatformLang", "fr-FR");
    set_lang(t, "Lang", "ita");
    assert_lang(t, "PlatformLang", "fr-FR");
    set_lang(t, "Lang", "en");
    assert_lang(t, "PlatformLang", "fr-FR");
    /* no terminator: legal before EndOfDxe */
    uefi_assert_reason(uefi_test_set(t, GLOBAL, "Lang", A7, "eng", 3), OK);
    assert_lang(t, "PlatformLang", "en");
}

/* The hook looks at the name alone. */
static void test_lang_vendor(void)
{
    g_autoptr(UefiTest) t = new_lang_test();

    uefi_assert_reason(uefi_test_set(t, TEST, "Lang", BS, "deu", 4), OK);
    assert_lang(t, "PlatformLang", "de-DE");
    uefi_assert_reason(uefi_test_get(t, GLOBAL, "Lang", NULL, NULL),
                       GET_MISSING);
}

static void test_lang_lists(void)
{
    g_autoptr(UefiTest) t = uefi_test_new(NULL);

    set_lang(t, "PlatformLang", "de");
    uefi_assert_reason(uefi_test_get(t, GLOBAL, "Lang", NULL, NULL),
                       GET_MISSING);
    /* empty codes don't count; a list may be shorter than the other */
    uefi_assert_reason(uefi_test_set(t, GLOBAL, "PlatformLangCodes", A6,
                                     ";en;;de;it", 11), OK);
    uefi_assert_reason(uefi_test_get(t, GLOBAL, "Lang", NULL, NULL),
                       GET_MISSING);
    uefi_assert_reason(uefi_test_set(t, GLOBAL, "LangCodes", A6,
                                     "engdeuit", 9), OK);
    assert_lang(t, "Lang", "deu");
    set_lang(t, "PlatformLang", "it");
    assert_lang(t, "Lang", "deu");
    set_lang(t, "PlatformLang", "en");
    assert_lang(t, "Lang", "eng");

    /* the next boot has its own lists */
    uefi_vars_hard_reset(t->uv);
    set_lang(t, "PlatformLang", "de");
    assert_lang(t, "Lang", "eng");
}

/* Without PlatformLang, it is made from Lang. */
static void test_lang_lists_lang(void)
{
    g_autoptr(UefiTest) t = uefi_test_new(NULL);

    set_lang(t, "Lang", "fra");
    uefi_assert_reason(uefi_test_set(t, GLOBAL, "LangCodes", A6,
                                     LANG_CODES, sizeof(LANG_CODES)), OK);
    uefi_assert_reason(uefi_test_set(t, GLOBAL, "PlatformLangCodes", A6,
                                     PLATFORM_LANG_CODES,
                                     sizeof(PLATFORM_LANG_CODES)), OK);
    assert_lang(t, "PlatformLang", "fr-FR");
}

static void test_lang_runtime(void)
{
    g_autoptr(UefiTest) t = new_lang_test();

    set_lang(t, "PlatformLang", "en");
    uefi_test_phase(t, UEFI_PHASE_RUNTIME);
    uefi_assert_reason(uefi_test_set(t, TEST, "LangCodes", A7, "engfra", 7),
                       LANG_RUNTIME);
    uefi_assert_reason(uefi_test_set(t, TEST, "PlatformLangCodes", A7, "en",
                                     3), LANG_RUNTIME);
    uefi_assert_reason(uefi_test_set(t, GLOBAL, "LangCodes", A6, LANG_CODES,
                                     sizeof(LANG_CODES)), LANG_RUNTIME);
    uefi_assert_reason(uefi_test_set(t, TEST, "LangCodes", A7, "", 0),
                       STORE_MISSING);
    set_lang(t, "PlatformLang", "fr-FR");
    assert_lang(t, "Lang", "fra");
}

static void test_lang_limit(void)
{
    g_autoptr(UefiTest) t = uefi_test_new(NULL);
    g_autofree char *codes = g_strnfill(UEFI_LIMIT_LANG_CODES, 'e');

    uefi_assert_reason(uefi_test_set(t, GLOBAL, "LangCodes", A6, codes,
                                     UEFI_LIMIT_LANG_CODES), OK);
    uefi_assert_reason(uefi_test_set(t, GLOBAL, "PlatformLangCodes", A6,
                                     codes, UEFI_LIMIT_LANG_CODES + 1),
                       LANG_LONG);
    set_lang(t, "Lang", "eee");
    uefi_assert_reason(uefi_test_get(t, GLOBAL, "PlatformLang", NULL, NULL),
                       GET_MISSING);
}

/* Fill the non-volatile quota, but for @room bytes */
static void fill_nv(UefiTest *t, size_t room)
{
    UefiVarStore *store = t->uv->store;
    g_autofree char *data = g_malloc0(0x8000);
    uint64_t left;

    /* header and name of "F00000" take 60 + 16 bytes */
    for (unsigned i = 0; ; i++) {
        g_autofree char *name = g_strdup_printf("F%05u", i);

        left = uefi_store_capacity(store, UEFI_CLASS_NV) -
               uefi_store_used(store, UEFI_CLASS_NV);
        if (left <= 60 + 16 + room) {
            break;
        }
        left -= 60 + 16 + room;
        uefi_assert_reason(uefi_test_set(t, TEST, name, NV | BS, data,
                                         left > 0x8000 ? 0x4000 : left), OK);
    }
    g_assert_cmpuint(left, ==, room);
}

static void test_lang_no_room(void)
{
    g_autoptr(UefiTest) t = new_lang_test();

    /* "PlatformLang" alone takes 60 + 28 + 4 bytes */
    fill_nv(t, 92);
    uefi_assert_reason(uefi_test_set(t, GLOBAL, "PlatformLang", A7, "en", 3),
                       STORE_FULL);
    uefi_assert_reason(uefi_test_get(t, GLOBAL, "PlatformLang", NULL, NULL),
                       GET_MISSING);
    uefi_assert_reason(uefi_test_get(t, GLOBAL, "Lang", NULL, NULL),
                       GET_MISSING);
}

/* A list is not refused because a language has no room. */
static void test_lang_list_no_room(void)
{
    g_autoptr(UefiTest) t = uefi_test_new(NULL);

    set_lang(t, "PlatformLang", "fr");
    fill_nv(t, 0);
    uefi_assert_reason(uefi_test_set(t, GLOBAL, "LangCodes", A6,
                                     LANG_CODES, sizeof(LANG_CODES)), OK);
    uefi_assert_reason(uefi_test_set(t, GLOBAL, "PlatformLangCodes", A6,
                                     PLATFORM_LANG_CODES,
                                     sizeof(PLATFORM_LANG_CODES)), OK);
    uefi_assert_reason(uefi_test_get(t, GLOBAL, "Lang", NULL, NULL),
                       GET_MISSING);
}

/* Nothing to do means nothing written. */
/* A tag is matched piece by piece; its length has a limit. */
static void test_lang_tag(void)
{
    g_autoptr(UefiTest) t = new_lang_test();
    g_autofree char *dashes = g_strnfill(UEFI_LIMIT_LANG_TAG - 5, '-');
    g_autofree char *longest = g_strconcat("fr-FR", dashes, NULL);
    g_autofree char *longer = g_strconcat("de-DE", dashes, "-", NULL);

    set_lang(t, "PlatformLang", longest);
    assert_lang(t, "Lang", "fra");
    set_lang(t, "PlatformLang", longer);
    assert_lang(t, "PlatformLang", longer);
    assert_lang(t, "Lang", "fra");
}

static void test_lang_unchanged(void)
{
    g_autoptr(UefiTest) t = new_lang_test();
    unsigned saves;

    set_lang(t, "PlatformLang", "fr-FR");
    saves = t->saves;
    g_assert_cmpuint(saves, ==, 1);
    set_lang(t, "PlatformLang", "fr-FR");
    g_assert_cmpuint(t->saves, ==, saves);
}

/* ------------------------------------------------------------------------ */
/* VarErrorFlag (5.6) */

static UefiReason get_error_flag(UefiTest *t, GBytes **value)
{
    return uefi_test_get(t, &uefi_guid_var_error_flag, "VarErrorFlag", NULL,
                         value);
}

static void assert_error_flag(UefiTest *t, uint8_t expected)
{
    g_autoptr(GBytes) value = NULL;

    uefi_assert_reason(get_error_flag(t, &value), OK);
    g_assert_cmpmem(g_bytes_get_data(value, NULL), g_bytes_get_size(value),
                    &expected, 1);
}

static void test_error_flag(void)
{
    g_autoptr(UefiTest) t = uefi_test_new(NULL);
    unsigned saves;

    uefi_assert_reason(get_error_flag(t, NULL), GET_MISSING);
    uefi_test_phase(t, UEFI_PHASE_END_OF_DXE);
    assert_error_flag(t, 0xff);
    uefi_assert_reason(uefi_test_set(t, &uefi_guid_var_error_flag,
                                     "VarErrorFlag", A7, "a", 1),
                       CHECK_READ_ONLY);

    /* later boots leave it alone */
    saves = t->saves;
    uefi_vars_hard_reset(t->uv);
    uefi_test_phase(t, UEFI_PHASE_END_OF_DXE);
    assert_error_flag(t, 0xff);
    g_assert_cmpuint(t->saves, ==, saves);
}

static void test_error_flag_early(void)
{
    g_autoptr(UefiTest) t = uefi_test_new(NULL);

    /* the flag itself takes 60 + 28 + 4 bytes */
    fill_nv(t, 0);
    uefi_assert_reason(uefi_test_set(t, TEST, "XXXXXX", NV | BS, "abcde", 5),
                       STORE_FULL);
    uefi_assert_reason(get_error_flag(t, NULL), GET_MISSING);
    uefi_assert_reason(uefi_test_set(t, TEST, "F00000", 0, "", 0), OK);
    uefi_test_phase(t, UEFI_PHASE_END_OF_DXE);
    assert_error_flag(t, 0xef);

    uefi_vars_hard_reset(t->uv);
    uefi_test_phase(t, UEFI_PHASE_END_OF_DXE);
    assert_error_flag(t, 0xff);
}

static void test_error_flag_late(void)
{
    g_autoptr(UefiTest) t = new_test(UEFI_PHASE_END_OF_DXE);

    fill_nv(t, 0);
    assert_error_flag(t, 0xff);
    uefi_assert_reason(uefi_test_set(t, TEST, "XXXXXX", NV | BS, "abcde", 5),
                       STORE_FULL);
    assert_error_flag(t, 0xef);
    uefi_assert_reason(uefi_test_set(t, TEST, "XXXXXX", NV | BS, "abcde", 5),
                       STORE_FULL);
    assert_error_flag(t, 0xef);
}

/* The flag itself is no reason to hold more than the quota. */
static void test_error_flag_no_room(void)
{
    UefiVarConfig config = uefi_vars_default_config();
    g_autoptr(UefiTest) t = NULL;
    UefiVarStore *store;

    config.has_tpm = true;
    t = uefi_test_new(&config);
    store = t->uv->store;
    uefi_assert_reason(set_mor(t, A7, "\0", 1), OK);
    fill_nv(t, 0);
    uefi_test_phase(t, UEFI_PHASE_END_OF_DXE);
    uefi_assert_reason(get_error_flag(t, NULL), GET_MISSING);
    uefi_assert_reason(get_lock(t), GET_MISSING);
    uefi_assert_reason(uefi_test_set(t, TEST, "XXXXXX", NV | BS, "abcde", 5),
                       STORE_FULL);
    uefi_assert_reason(get_error_flag(t, NULL), GET_MISSING);
    g_assert_cmpuint(uefi_store_used(store, UEFI_CLASS_NV), ==,
                     uefi_store_capacity(store, UEFI_CLASS_NV));

    uefi_assert_reason(uefi_test_set(t, TEST, "F00000", 0, "", 0), OK);
    fill_nv(t, 92);
    uefi_assert_reason(uefi_test_set(t, TEST, "XXXXXX", NV | BS,
                                     "0123456789abcdefg", 17), STORE_FULL);
    assert_error_flag(t, 0xef);
}

/* A full volatile quota is no error of the flash. */
static void test_error_flag_volatile(void)
{
    g_autoptr(UefiTest) t = new_test(UEFI_PHASE_END_OF_DXE);
    g_autofree char *data = g_malloc0(0x8000);
    UefiReason reason = UEFI_REASON_OK;

    for (unsigned i = 0; reason == UEFI_REASON_OK; i++) {
        g_autofree char *name = g_strdup_printf("F%u", i);

        reason = uefi_test_set(t, TEST, name, BS, data, 0x8000);
    }
    uefi_assert_reason(reason, STORE_VOLATILE_FULL);
    assert_error_flag(t, 0xff);
}

/* ------------------------------------------------------------------------ */
/* Migration */

static UefiTest *new_busy_test(void)
{
    static const Property a = { 1, 1, NV | BS, 2, UINT64_MAX - 1 };
    static const Property b = { 1, 0, 0, 0, 1 };
    UefiTest *t = new_lang_test();

    uefi_assert_reason(property_set(t, TEST, "Alpha", &a), OK);
    uefi_assert_reason(property_set(t, GLOBAL, "Boot####", &b), OK);
    uefi_assert_reason(set_mor(t, A7, "\1", 1), OK);
    uefi_assert_reason(set_lock(t, A7, "12345678", 8), OK);
    uefi_check_no_room(t->uv);
    return t;
}

static void test_save_load(void)
{
    g_autoptr(UefiTest) from = new_busy_test();
    g_autoptr(UefiTest) to = uefi_test_new(NULL);
    g_autoptr(GBytes) state = uefi_check_save(from->uv);
    g_autoptr(GBytes) again = NULL;
    Property got;

    g_assert_true(uefi_check_load(to->uv, state, NULL));
    again = uefi_check_save(to->uv);
    g_assert_true(g_bytes_equal(state, again));

    uefi_assert_reason(property_get(to, TEST, "Alpha", &got), OK);
    g_assert_cmpuint(got.flags, ==, 1);
    g_assert_cmphex(got.attributes, ==, NV | BS);
    g_assert_cmpuint(got.min_size, ==, 2);
    g_assert_cmpuint(got.max_size, ==, UINT64_MAX - 1);
    uefi_assert_reason(property_get(to, GLOBAL, "Boot0001", &got), OK);
    g_assert_cmpuint(got.max_size, ==, 1);
    set_lang(to, "PlatformLang", "de-DE");
    assert_lang(to, "Lang", "deu");
    uefi_assert_reason(set_mor(to, A7, "\1", 1), MOR_LOCKED);
    uefi_assert_reason(set_lock(to, A7, "12345678", 8), OK);
    uefi_test_phase(to, UEFI_PHASE_END_OF_DXE);
    assert_error_flag(to, 0xef);
}

/* The limits are part of what is checked: a state at its edge must load. */
static void test_save_load_full(void)
{
    static const Property one = { 1, 0, 0, 1, 1 };
    g_autoptr(UefiTest) from = uefi_test_new(NULL);
    g_autoptr(UefiTest) to = new_busy_test();
    g_autoptr(GBytes) state = NULL;
    g_autoptr(GBytes) again = NULL;
    g_autofree char *codes = g_strnfill(UEFI_LIMIT_LANG_CODES, 'e');

    uefi_assert_reason(uefi_test_set(from, GLOBAL, "LangCodes", A6, codes,
                                     UEFI_LIMIT_LANG_CODES), OK);
    for (unsigned i = 0; i < UEFI_LIMIT_PROPERTIES; i++) {
        g_autofree char *name = g_strdup_printf("V%061u", i);

        uefi_assert_reason(property_set(from, TEST, name, &one), OK);
    }
    state = uefi_check_save(from->uv);
    g_assert_true(uefi_check_load(to->uv, state, NULL));
    again = uefi_check_save(to->uv);
    g_assert_true(g_bytes_equal(state, again));
}

/* Nothing damaged is taken over, not even in part. */
static void assert_not_loaded(UefiTest *t, const uint8_t *bytes, size_t size)
{
    g_autoptr(GBytes) damaged = g_bytes_new_take(g_memdup2(bytes, size), size);
    g_autoptr(GBytes) before = uefi_check_save(t->uv);
    g_autoptr(GBytes) after = NULL;
    g_autoptr(GError) err = NULL;

    g_assert_false(uefi_check_load(t->uv, damaged, &err));
    g_assert_true(g_error_matches(err, UEFI_STATE_ERROR, 0));
    after = uefi_check_save(t->uv);
    g_assert_true(g_bytes_equal(before, after));
}

static void test_load_cut(void)
{
    g_autoptr(UefiTest) t = new_busy_test();
    g_autoptr(UefiTest) other = uefi_test_new(NULL);
    g_autoptr(GBytes) state = uefi_check_save(t->uv);
    size_t size;
    const uint8_t *bytes = g_bytes_get_data(state, &size);
    g_autofree uint8_t *longer = g_malloc0(size + 1);

    for (size_t cut = 0; cut < size; cut++) {
        assert_not_loaded(other, bytes, cut);
    }
    memcpy(longer, bytes, size);
    assert_not_loaded(other, longer, size + 1);
}

/* Offsets in the state of new_busy_test() */
enum {
    AT_VERSION = 0,
    AT_FLAGS = 4,
    AT_LANG_CODES = 14,
    AT_PLATFORM_LANG_CODES = AT_LANG_CODES + 4 + sizeof(LANG_CODES) - 1,
    AT_COUNT = AT_PLATFORM_LANG_CODES + 4 + sizeof(PLATFORM_LANG_CODES) - 1,
    AT_NAME_SIZE = AT_COUNT + 4 + 16,
    AT_NAME = AT_NAME_SIZE + 4,
};

static void test_load_hostile(void)
{
    static const struct {
        size_t offset;
        uint8_t value;
    } flips[] = {
        { AT_VERSION, 0 }, { AT_VERSION, 2 }, { AT_VERSION + 3, 1 },
        { AT_FLAGS, 0x1f },         /* unknown flag */
        { AT_FLAGS, 0x0e },         /* key without lock */
        { AT_FLAGS, 0x0d },         /* lock without its key */
        { AT_FLAGS, 0x0b },         /* a list that is said not to be there */
        { AT_FLAGS, 0x07 },
        { AT_LANG_CODES, 0xff }, { AT_LANG_CODES + 3, 0xff },
        { AT_LANG_CODES + 4, 0 },   /* NUL in a list */
        { AT_PLATFORM_LANG_CODES + 2, 1 },
        { AT_COUNT, 1 }, { AT_COUNT, 3 }, { AT_COUNT + 3, 0xff },
        { AT_NAME_SIZE, 0 }, { AT_NAME_SIZE, 1 }, { AT_NAME_SIZE, 10 },
        { AT_NAME_SIZE, 13 }, { AT_NAME_SIZE + 3, 0xff },
        { AT_NAME, 0 },             /* empty name */
        { AT_NAME + 4, 0 },         /* name ends too early */
        { AT_NAME + 10, 1 },        /* name does not end */
    };
    g_autoptr(UefiTest) t = new_busy_test();
    g_autoptr(UefiTest) other = uefi_test_new(NULL);
    g_autoptr(GBytes) state = uefi_check_save(t->uv);
    size_t size;
    const uint8_t *bytes = g_bytes_get_data(state, &size);

    for (size_t i = 0; i < ARRAY_SIZE(flips); i++) {
        g_autofree uint8_t *copy = g_memdup2(bytes, size);

        g_assert_cmphex(copy[flips[i].offset], !=, flips[i].value);
        copy[flips[i].offset] = flips[i].value;
        assert_not_loaded(other, copy, size);
    }
}

/* A list that no guest could have written */
static void test_load_long_list(void)
{
    g_autoptr(UefiTest) t = uefi_test_new(NULL);
    g_autoptr(GByteArray) state = g_byte_array_new();
    g_autofree char *codes = g_strnfill(UEFI_LIMIT_LANG_CODES + 1, 'e');
    g_autoptr(GBytes) good = NULL;

    uefi_test_add(state, 1, 4);
    uefi_test_add(state, 0x04, 2);
    uefi_test_add(state, 0, 8);
    uefi_test_add(state, UEFI_LIMIT_LANG_CODES, 4);
    g_byte_array_append(state, (uint8_t *)codes, UEFI_LIMIT_LANG_CODES);
    uefi_test_add(state, 0, 8);
    good = g_bytes_new(state->data, state->len);
    g_assert_true(uefi_check_load(t->uv, good, NULL));

    g_byte_array_set_size(state, 14);
    uefi_test_add(state, UEFI_LIMIT_LANG_CODES + 1, 4);
    g_byte_array_append(state, (uint8_t *)codes, UEFI_LIMIT_LANG_CODES + 1);
    uefi_test_add(state, 0, 8);
    assert_not_loaded(t, state->data, state->len);
}

/* The same property twice: what would the second mean? */
static void test_load_duplicate(void)
{
    static const Property one = { 1, 0, 0, 1, 1 };
    g_autoptr(UefiTest) t = uefi_test_new(NULL);
    g_autoptr(GBytes) state = NULL;
    g_autofree uint8_t *copy = NULL;
    size_t size;

    uefi_assert_reason(property_set(t, TEST, "A", &one), OK);
    uefi_assert_reason(property_set(t, TEST, "B", &one), OK);
    state = uefi_check_save(t->uv);
    copy = g_bytes_unref_to_data(g_steal_pointer(&state), &size);
    g_assert_cmphex(copy[size - 26], ==, 'B');
    copy[size - 26] = 'A';
    assert_not_loaded(t, copy, size);
}

/* Any byte may be anything: loads or does not, and can be saved again. */
static void test_load_flip(void)
{
    g_autoptr(UefiTest) t = new_busy_test();
    g_autoptr(GBytes) state = uefi_check_save(t->uv);
    size_t size;
    const uint8_t *bytes = g_bytes_get_data(state, &size);

    for (size_t i = 0; i < size; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            uint8_t *copy = g_memdup2(bytes, size);
            g_autoptr(GBytes) flipped = NULL;
            g_autoptr(GBytes) again = NULL;

            copy[i] ^= 1 << bit;
            flipped = g_bytes_new_take(copy, size);
            if (uefi_check_load(t->uv, flipped, NULL)) {
                again = uefi_check_save(t->uv);
                g_assert_true(g_bytes_equal(flipped, again));
            }
        }
    }
}

static void add_tables(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        g_autofree char *path = g_strdup_printf("/uefi/check/5.3-%s",
                                                rows[i].row);

        g_test_add_data_func(path, &rows[i], test_row);
    }
    for (size_t i = 0; i < ARRAY_SIZE(contents); i++) {
        g_autofree char *path = g_strdup_printf("/uefi/check/V7/%s",
                                                contents[i].what);

        g_test_add_data_func(path, &contents[i], test_content);
    }
}

static void add_widths(const char *path, GTestDataFunc func)
{
    g_autofree char *path64 = g_strconcat(path, "-64", NULL);
    g_autofree char *path32 = g_strconcat(path, "-32", NULL);

    g_test_add_data_func(path64, GUINT_TO_POINTER(8), func);
    g_test_add_data_func(path32, GUINT_TO_POINTER(4), func);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    add_widths("/uefi/check/3.9-9/3.9-10/set-get", test_property);
    add_widths("/uefi/check/M8/M9/bounds", test_property_message);
    add_widths("/uefi/check/M8/M9/cut", test_property_cut);
    g_test_add_func("/uefi/check/3.9-9/3.9-10/answers",
                    test_property_answers);
    g_test_add_func("/uefi/check/3.9-9/replace", test_property_replace);
    g_test_add_func("/uefi/check/3.9-10/wildcard", test_property_wildcard);
    g_test_add_func("/uefi/check/3.9-9/H9/count", test_property_count);
    g_test_add_func("/uefi/check/3.9-9/H9/bytes", test_property_bytes);

    g_test_add_func("/uefi/check/4.2-12/before-end-of-dxe",
                    test_before_end_of_dxe);
    g_test_add_func("/uefi/check/V1/read-only", test_read_only);
    g_test_add_func("/uefi/check/V2/attributes", test_attributes);
    g_test_add_func("/uefi/check/V3/size", test_size);
    g_test_add_func("/uefi/check/V4/delete", test_delete_passes);
    g_test_add_func("/uefi/check/V5/error-records", test_error_records);
    g_test_add_func("/uefi/check/V6/unknown", test_unknown);
    g_test_add_func("/uefi/check/V6/wide", test_unknown_wide);
    g_test_add_func("/uefi/check/V7/property", test_content_property);
    g_test_add_func("/uefi/check/V7/cut", test_content_cut);
    add_tables();

    g_test_add_func("/uefi/check/L1/delete", test_mor_lock_delete);
    g_test_add_func("/uefi/check/L2/form", test_mor_lock_form);
    g_test_add_func("/uefi/check/L3/unlocked", test_mor_lock_unlocked);
    g_test_add_func("/uefi/check/L4/lock", test_mor_lock_no_key);
    g_test_add_func("/uefi/check/L5/value", test_mor_lock_value);
    g_test_add_func("/uefi/check/L6/lock-with-key", test_mor_lock_key);
    g_test_add_func("/uefi/check/L7/locked", test_mor_lock_locked);
    g_test_add_func("/uefi/check/L8/unlock", test_mor_unlock);
    g_test_add_func("/uefi/check/L9/wrong-key", test_mor_wrong_key);
    g_test_add_func("/uefi/check/L6/L8/L9/save-failed", test_mor_save_failed);
    g_test_add_func("/uefi/check/5.4-mor/4.2-11/form", test_mor);
    g_test_add_func("/uefi/check/5.4-mor/runtime", test_mor_runtime);
    g_test_add_func("/uefi/check/5.4-mor/disabled", test_mor_disabled);
    g_test_add_func("/uefi/check/5.4-end-of-dxe/9.2-end-of-dxe/tpm",
                    test_mor_tpm);
    g_test_add_func("/uefi/check/5.4-end-of-dxe/9.2-end-of-dxe/no-tpm",
                    test_mor_no_tpm);
    g_test_add_func("/uefi/check/5.4-end-of-dxe/9.2-end-of-dxe/no-mor",
                    test_mor_absent);
    g_test_add_func("/uefi/check/5.4-end-of-dxe/9.2-end-of-dxe/locked",
                    test_mor_policies_locked);
    g_test_add_func("/uefi/check/5.4-end-of-dxe/9.2-end-of-dxe/H9/full",
                    test_mor_policies_full);

    g_test_add_func("/uefi/check/5.5-PlatformLang", test_platform_lang);
    g_test_add_func("/uefi/check/5.5-Lang", test_lang);
    g_test_add_func("/uefi/check/5.5-LangCodes/lists", test_lang_lists);
    g_test_add_func("/uefi/check/5.5-LangCodes/lang", test_lang_lists_lang);
    g_test_add_func("/uefi/check/5.5-LangCodes/4.2-15/runtime",
                    test_lang_runtime);
    g_test_add_func("/uefi/check/5.5-LangCodes/H9/limit", test_lang_limit);
    g_test_add_func("/uefi/check/5.5-PlatformLang/H9/tag", test_lang_tag);
    g_test_add_func("/uefi/check/5.5-LangCodes/no-room",
                    test_lang_list_no_room);
    g_test_add_func("/uefi/check/5.5-Lang/vendor", test_lang_vendor);
    g_test_add_func("/uefi/check/5.5-PlatformLang/4.2-15/no-room",
                    test_lang_no_room);
    g_test_add_func("/uefi/check/5.5-PlatformLang/unchanged",
                    test_lang_unchanged);

    g_test_add_func("/uefi/check/5.6-VarErrorFlag/9.2-end-of-dxe/flag",
                    test_error_flag);
    g_test_add_func("/uefi/check/5.6-VarErrorFlag/before",
                    test_error_flag_early);
    g_test_add_func("/uefi/check/5.6-VarErrorFlag/after",
                    test_error_flag_late);
    g_test_add_func("/uefi/check/5.6-VarErrorFlag/no-room",
                    test_error_flag_no_room);
    g_test_add_func("/uefi/check/5.6-VarErrorFlag/volatile",
                    test_error_flag_volatile);

    g_test_add_func("/uefi/check/state/round-trip", test_save_load);
    g_test_add_func("/uefi/check/state/full", test_save_load_full);
    g_test_add_func("/uefi/check/state/cut", test_load_cut);
    g_test_add_func("/uefi/check/state/hostile", test_load_hostile);
    g_test_add_func("/uefi/check/state/H9/long-list", test_load_long_list);
    g_test_add_func("/uefi/check/state/duplicate", test_load_duplicate);
    g_test_add_func("/uefi/check/state/flip", test_load_flip);
    return g_test_run();
}
