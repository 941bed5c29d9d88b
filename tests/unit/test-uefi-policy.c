/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: variable policies
 *
 * One component of a test's path is the row of docs/specs/uefi-vars.rst.
 */

#include "qemu/osdep.h"
#include "uefi-test.h"
#include "hw/uefi/var-service-policy.h"

#define TEST    (&uefi_test_guid)
#define GLOBAL  (&uefi_guid_global)

#define NV  EFI_ATTR_NV
#define BS  EFI_ATTR_BS
#define RT  EFI_ATTR_RT
#define AP  EFI_ATTR_AP

/* What a policy says; everything that is left out says nothing. */
typedef struct Policy {
    const UefiGuid *guid;       /* NULL: TEST */
    const char *name;           /* NULL: the whole namespace */
    uint32_t min_size;
    uint32_t max_size;          /* 0: no limit */
    uint32_t must_have;
    uint32_t cant_have;
    uint8_t lock;
    const char *state_name;     /* of a variable under TEST */
    uint8_t state_value;
} Policy;

#define ENTRY_SIZE      EFI_VAR_POLICY_ENTRY_SIZE
#define STATE_SIZE      18

/* Offsets of fields of an entry */
enum {
    AT_VERSION = 0,
    AT_SIZE = 4,
    AT_OFFSET = 6,
    AT_MAX_SIZE = 28,
    AT_LOCK = 40,
};

static void add_entry(GByteArray *bytes, const Policy *p)
{
    size_t name_size = p->name ? 2 * (strlen(p->name) + 1) : 0;
    size_t offset = ENTRY_SIZE;

    if (p->state_name) {
        offset += STATE_SIZE + 2 * (strlen(p->state_name) + 1);
    }
    uefi_test_add(bytes, EFI_VAR_POLICY_ENTRY_VERSION, 4);
    uefi_test_add(bytes, offset + name_size, 2);
    uefi_test_add(bytes, offset, 2);
    uefi_test_add_guid(bytes, p->guid ?: TEST);
    uefi_test_add(bytes, p->min_size, 4);
    uefi_test_add(bytes, p->max_size ?: UINT32_MAX, 4);
    uefi_test_add(bytes, p->must_have, 4);
    uefi_test_add(bytes, p->cant_have, 4);
    uefi_test_add(bytes, p->lock, 1);
    uefi_test_add(bytes, 0xaaaaaa, 3);      /* padding is kept as it is */
    if (p->state_name) {
        uefi_test_add_guid(bytes, TEST);
        uefi_test_add(bytes, p->state_value, 1);
        uefi_test_add(bytes, 0xbb, 1);
        uefi_test_add_str(bytes, p->state_name);
    }
    if (p->name) {
        uefi_test_add_str(bytes, p->name);
    }
}

static UefiReason add_policy(UefiTest *t, const Policy *p)
{
    g_autoptr(GByteArray) params = g_byte_array_new();

    add_entry(params, p);
    return uefi_test_policy(t, EFI_VAR_POLICY_REGISTER, params);
}

static UefiReason command(UefiTest *t, uint32_t command)
{
    g_autoptr(GByteArray) none = g_byte_array_new();

    return uefi_test_policy(t, command, none);
}

static UefiTest *new_test(gconstpointer un_size)
{
    UefiTest *t = uefi_test_new(NULL);

    t->un_size = GPOINTER_TO_UINT(un_size);
    return t;
}

/* A service with one policy, after EndOfDxe */
static UefiTest *new_policy_test(const Policy *p)
{
    UefiTest *t = uefi_test_new(NULL);

    uefi_assert_reason(add_policy(t, p), OK);
    uefi_test_phase(t, UEFI_PHASE_END_OF_DXE);
    return t;
}

static UefiReason set(UefiTest *t, const char *name, uint32_t attributes,
                      const char *text)
{
    return uefi_test_set(t, TEST, name, attributes, text, strlen(text));
}

/* ------------------------------------------------------------------------ */
/* Messages and small commands (6.1) */

static void test_short(gconstpointer un_size)
{
    g_autoptr(UefiTest) t = new_test(un_size);

    for (size_t size = 0; size < 12 + t->un_size; size++) {
        g_autoptr(GByteArray) data = g_byte_array_new();

        uefi_test_add(data, EFI_VAR_POLICY_SIGNATURE, 4);
        uefi_test_add(data, EFI_VAR_POLICY_REVISION, 4);
        uefi_test_add(data, EFI_VAR_POLICY_LOCK, 8);
        uefi_test_add(data, 0, 4);
        g_byte_array_set_size(data, size);
        g_assert_cmphex(uefi_test_send(t, &uefi_guid_policy_protocol, data),
                        ==, UEFI_VARS_STS_ERR_BAD_BUFFER_SIZE);
    }
    uefi_assert_reason(command(t, EFI_VAR_POLICY_LOCK), OK);
}

static void test_long(gconstpointer un_size)
{
    g_autoptr(UefiTest) t = new_test(un_size);
    g_autoptr(GByteArray) params = g_byte_array_new();

    g_byte_array_set_size(params, 0x8000);
    memset(params->data, 0xee, params->len);
    uefi_assert_reason(uefi_test_policy(t, EFI_VAR_POLICY_IS_ENABLED, params),
                       OK);
    g_assert_cmphex(params->data[0], ==, 1);
    g_assert_cmphex(params->data[1], ==, 0xee);
}

static void test_header(gconstpointer un_size)
{
    static const uint32_t headers[][2] = {
        { 0x43504357, 1 }, { 0x56435043, 1 },
        { EFI_VAR_POLICY_SIGNATURE, 0 }, { EFI_VAR_POLICY_SIGNATURE, 2 },
    };
    g_autoptr(UefiTest) t = new_test(un_size);

    for (size_t i = 0; i < ARRAY_SIZE(headers); i++) {
        g_autoptr(GByteArray) data = g_byte_array_new();

        uefi_test_add(data, headers[i][0], 4);
        uefi_test_add(data, headers[i][1], 4);
        uefi_test_add(data, EFI_VAR_POLICY_LOCK, 4);
        uefi_test_add_un(t, data, 0);
        g_assert_cmphex(uefi_test_send(t, &uefi_guid_policy_protocol, data),
                        ==, UEFI_VARS_STS_SUCCESS);
        uefi_assert_reason(t->uv->answer.reason, POLICY_HEADER);
        g_assert_cmphex(uefi_test_field(data, 12, t->un_size) & 0xff, ==,
                        EFI_INVALID_PARAMETER);
    }
    uefi_assert_reason(command(t, EFI_VAR_POLICY_LOCK), OK);
}

static void test_unknown_command(gconstpointer un_size)
{
    g_autoptr(UefiTest) t = new_test(un_size);

    uefi_assert_reason(command(t, 0), POLICY_COMMAND);
    uefi_assert_reason(command(t, 8), POLICY_COMMAND);
    uefi_assert_reason(command(t, UINT32_MAX), POLICY_COMMAND);
}

static UefiReason is_enabled(UefiTest *t, uint8_t *state)
{
    g_autoptr(GByteArray) params = g_byte_array_new();
    UefiReason reason;

    uefi_test_add(params, 0xee, 1);
    reason = uefi_test_policy(t, EFI_VAR_POLICY_IS_ENABLED, params);
    *state = params->data[0];
    return reason;
}

static void test_is_enabled(gconstpointer un_size)
{
    g_autoptr(UefiTest) t = new_test(un_size);
    uint8_t state;

    uefi_assert_reason(command(t, EFI_VAR_POLICY_IS_ENABLED), POLICY_SHORT);
    uefi_assert_reason(is_enabled(t, &state), OK);
    g_assert_cmphex(state, ==, 1);
}

static void test_disable(void)
{
    UefiVarConfig config = uefi_vars_default_config();
    static const Policy lock = { .name = "X", .lock = 1 };
    g_autoptr(UefiTest) t = NULL;
    uint8_t state;

    config.allow_policy_disable = true;
    t = uefi_test_new(&config);
    uefi_assert_reason(add_policy(t, &lock), OK);
    uefi_assert_reason(command(t, EFI_VAR_POLICY_DISABLE), OK);
    uefi_assert_reason(is_enabled(t, &state), OK);
    g_assert_cmphex(state, ==, 0);
    uefi_assert_reason(command(t, EFI_VAR_POLICY_DISABLE), POLICY_DISABLED);
    /* registering goes on, without effect */
    uefi_assert_reason(add_policy(t, &lock), POLICY_EXISTS);
    uefi_assert_reason(command(t, EFI_VAR_POLICY_LOCK), OK);
    uefi_assert_reason(command(t, EFI_VAR_POLICY_DISABLE), POLICY_DISABLED);
    uefi_test_phase(t, UEFI_PHASE_END_OF_DXE);
    uefi_assert_reason(set(t, "X", NV | BS, "a"), OK);

    /* the next boot is another one */
    uefi_vars_hard_reset(t->uv);
    uefi_assert_reason(is_enabled(t, &state), OK);
    g_assert_cmphex(state, ==, 1);
    uefi_test_phase(t, UEFI_PHASE_END_OF_DXE);
    uefi_assert_reason(command(t, EFI_VAR_POLICY_DISABLE), POLICY_LOCKED);
}

static void test_disable_forbidden(void)
{
    g_autoptr(UefiTest) t = uefi_test_new(NULL);
    uint8_t state;

    uefi_assert_reason(command(t, EFI_VAR_POLICY_DISABLE), POLICY_NO_DISABLE);
    uefi_assert_reason(command(t, EFI_VAR_POLICY_LOCK), OK);
    uefi_assert_reason(command(t, EFI_VAR_POLICY_DISABLE), POLICY_LOCKED);
    uefi_assert_reason(is_enabled(t, &state), OK);
    g_assert_cmphex(state, ==, 1);
}

static void test_lock(void)
{
    static const Policy any = { .name = "X" };
    g_autoptr(UefiTest) t = uefi_test_new(NULL);

    uefi_assert_reason(command(t, EFI_VAR_POLICY_LOCK), OK);
    uefi_assert_reason(command(t, EFI_VAR_POLICY_LOCK), POLICY_LOCKED);
    uefi_assert_reason(add_policy(t, &any), POLICY_LOCKED);
    uefi_vars_hard_reset(t->uv);
    uefi_assert_reason(add_policy(t, &any), OK);
}

static void test_lock_end_of_dxe(void)
{
    static const Policy any = { .name = "X" };
    g_autoptr(UefiTest) t = uefi_test_new(NULL);

    uefi_test_phase(t, UEFI_PHASE_END_OF_DXE);
    uefi_assert_reason(command(t, EFI_VAR_POLICY_LOCK), POLICY_LOCKED);
    uefi_assert_reason(add_policy(t, &any), POLICY_LOCKED);
    uefi_assert_reason(command(t, EFI_VAR_POLICY_DISABLE), POLICY_LOCKED);
}

/* ------------------------------------------------------------------------ */
/* REGISTER (6.2, 6.3) */

/* Register @entry with @value in the field of @size bytes at @pos */
static UefiReason add_changed(UefiTest *t, const Policy *p, size_t pos,
                              uint64_t value, unsigned size)
{
    g_autoptr(GByteArray) params = g_byte_array_new();

    add_entry(params, p);
    for (unsigned i = 0; i < size; i++) {
        params->data[pos + i] = value >> (8 * i);
    }
    return uefi_test_policy(t, EFI_VAR_POLICY_REGISTER, params);
}

static void test_register_cut(gconstpointer un_size)
{
    static const Policy p = { .name = "Name", .lock = 3, .state_name = "St" };
    g_autoptr(UefiTest) t = new_test(un_size);
    g_autoptr(GByteArray) whole = g_byte_array_new();

    add_entry(whole, &p);
    for (size_t size = 0; size < whole->len; size++) {
        g_autoptr(GByteArray) cut = g_byte_array_new();
        UefiReason reason;

        g_byte_array_append(cut, whole->data, size);
        reason = uefi_test_policy(t, EFI_VAR_POLICY_REGISTER, cut);
        if (size < ENTRY_SIZE) {
            uefi_assert_reason(reason, POLICY_ENTRY_SHORT);
        } else {
            uefi_assert_reason(reason, POLICY_ENTRY);
        }
        g_assert_cmpmem(cut->data, size, whole->data, size);
    }
}

static void test_version_and_size(gconstpointer un_size)
{
    static const Policy p = { .name = "Name" }, any = { };
    g_autoptr(UefiTest) t = new_test(un_size);

    uefi_assert_reason(add_changed(t, &p, AT_VERSION, 0, 4), POLICY_ENTRY);
    uefi_assert_reason(add_changed(t, &p, AT_VERSION, 0x10001, 4),
                       POLICY_ENTRY);
    uefi_assert_reason(add_changed(t, &p, AT_SIZE, 0, 2), POLICY_ENTRY);
    uefi_assert_reason(add_changed(t, &p, AT_SIZE, ENTRY_SIZE - 1, 2),
                       POLICY_ENTRY);
    uefi_assert_reason(add_changed(t, &p, AT_SIZE, ENTRY_SIZE + 11, 2),
                       POLICY_ENTRY);
    uefi_assert_reason(add_changed(t, &p, AT_SIZE, 0xffff, 2), POLICY_ENTRY);
    /* bytes behind the entry are no part of it */
    uefi_assert_reason(add_changed(t, &p, AT_SIZE, ENTRY_SIZE, 2), OK);
    uefi_assert_reason(add_changed(t, &any, AT_SIZE, ENTRY_SIZE, 2), OK);
}

/* Once locked, a bad entry is still bad (G2), but what is in it is not read */
static void test_register_locked(void)
{
    static const Policy p = { .name = "Name" };
    g_autoptr(UefiTest) t = uefi_test_new(NULL);

    uefi_assert_reason(add_policy(t, &p), OK);
    uefi_assert_reason(command(t, EFI_VAR_POLICY_LOCK), OK);
    uefi_assert_reason(add_changed(t, &p, AT_VERSION, 0, 4), POLICY_ENTRY);
    uefi_assert_reason(add_changed(t, &p, AT_MAX_SIZE, 0, 4), POLICY_LOCKED);
    uefi_assert_reason(add_policy(t, &p), POLICY_LOCKED);
}

static void test_max_size_0(void)
{
    static const Policy p = { .name = "X" }, odd = {
        .name = "Y", .min_size = 2, .max_size = 1
    };
    g_autoptr(UefiTest) t = uefi_test_new(NULL);

    uefi_assert_reason(add_changed(t, &p, AT_MAX_SIZE, 0, 4),
                       POLICY_MAX_SIZE);
    uefi_assert_reason(add_changed(t, &p, AT_MAX_SIZE, 1, 4), OK);
    uefi_assert_reason(add_policy(t, &odd), OK);
}

static void test_lock_type(void)
{
    static const Policy p = { .name = "X" };
    g_autoptr(UefiTest) t = uefi_test_new(NULL);

    uefi_assert_reason(add_changed(t, &p, AT_LOCK, 4, 1), POLICY_LOCK_TYPE);
    uefi_assert_reason(add_changed(t, &p, AT_LOCK, 255, 1), POLICY_LOCK_TYPE);
    uefi_assert_reason(add_changed(t, &p, AT_LOCK, 2, 1), OK);
}

static void test_offset(void)
{
    static const Policy p = { .name = "abc" };
    static const Policy state = { .name = "abc", .lock = 3,
                                  .state_name = "S" };
    g_autoptr(UefiTest) t = uefi_test_new(NULL);
    static const uint16_t offsets[] = { 0, 1, 43, 45, 46, 52, 53, 0xffff };

    for (size_t i = 0; i < ARRAY_SIZE(offsets); i++) {
        uefi_assert_reason(add_changed(t, &p, AT_OFFSET, offsets[i], 2),
                           POLICY_OFFSET);
    }
    uefi_assert_reason(add_changed(t, &state, AT_OFFSET, 0, 2),
                       POLICY_OFFSET);
    uefi_assert_reason(add_changed(t, &state, AT_OFFSET, 43, 2),
                       POLICY_OFFSET);
    uefi_assert_reason(add_changed(t, &state, AT_OFFSET, 0xffff, 2),
                       POLICY_OFFSET);
    /* descriptor of a type that has none, and none for a type that has */
    uefi_assert_reason(add_changed(t, &state, AT_LOCK, 1, 1), POLICY_OFFSET);
    uefi_assert_reason(add_changed(t, &p, AT_LOCK, 3, 1), POLICY_STATE);
}

static void test_state_name(void)
{
    static const Policy p = { .name = "abc", .lock = 3, .state_name = "ST" };
    g_autoptr(UefiTest) t = uefi_test_new(NULL);
    const size_t name = ENTRY_SIZE + STATE_SIZE;

    for (uint16_t offset = ENTRY_SIZE; offset <= name + 6 + 8; offset++) {
        if (offset != name + 6) {
            uefi_assert_reason(add_changed(t, &p, AT_OFFSET, offset, 2),
                               POLICY_STATE);
        }
    }
    uefi_assert_reason(add_changed(t, &p, name + 2, 0, 2), POLICY_STATE);
    uefi_assert_reason(add_changed(t, &p, name + 4, 'X', 2), POLICY_STATE);
    uefi_assert_reason(add_policy(t, &p), OK);
}

static void test_name(void)
{
    static const Policy p = { .name = "abc" };
    g_autoptr(UefiTest) t = uefi_test_new(NULL);

    uefi_assert_reason(add_changed(t, &p, AT_SIZE, ENTRY_SIZE + 1, 2),
                       POLICY_NAME);
    uefi_assert_reason(add_changed(t, &p, AT_SIZE, ENTRY_SIZE + 7, 2),
                       POLICY_NAME);
    uefi_assert_reason(add_changed(t, &p, AT_SIZE, ENTRY_SIZE + 6, 2),
                       POLICY_NAME);
    uefi_assert_reason(add_changed(t, &p, ENTRY_SIZE + 2, 0, 2), POLICY_NAME);
    uefi_assert_reason(add_changed(t, &p, ENTRY_SIZE + 6, 'd', 2),
                       POLICY_NAME);
    uefi_assert_reason(add_policy(t, &p), OK);
}

/* An empty name is a name, and belongs to no variable. */
static void test_empty_name(void)
{
    static const Policy p = { .name = "", .lock = 1 };
    static const Policy state = { .name = "X", .lock = 3, .state_name = "" };
    g_autoptr(UefiTest) t = uefi_test_new(NULL);

    uefi_assert_reason(add_policy(t, &p), OK);
    uefi_assert_reason(add_policy(t, &p), POLICY_EXISTS);
    uefi_assert_reason(add_policy(t, &state), OK);
    uefi_test_phase(t, UEFI_PHASE_END_OF_DXE);
    uefi_assert_reason(set(t, "X", NV | BS, "a"), OK);
}

static void test_wildcards(void)
{
    g_autoptr(UefiTest) t = uefi_test_new(NULL);
    g_autofree char *most = g_strnfill(255, '#');
    g_autofree char *more = g_strnfill(256, '#');
    g_autofree char *digits = g_strnfill(255, '7');
    const Policy p = { .name = most, .lock = 1 }, q = { .name = more };

    uefi_assert_reason(add_policy(t, &p), OK);
    uefi_assert_reason(add_policy(t, &q), POLICY_WILDCARDS);
    uefi_test_phase(t, UEFI_PHASE_END_OF_DXE);
    uefi_assert_reason(set(t, digits, NV | BS, "a"), POLICY_LOCKED_NOW);
}

static void test_exists(void)
{
    static const Policy p = { .name = "X" }, q = { .name = "X", .lock = 1 };
    static const Policy other = { .guid = GLOBAL, .name = "X" };
    static const Policy longer = { .name = "X1" };
    g_autoptr(UefiTest) t = uefi_test_new(NULL);

    uefi_assert_reason(add_policy(t, &p), OK);
    uefi_assert_reason(add_policy(t, &p), POLICY_EXISTS);
    uefi_assert_reason(add_policy(t, &q), POLICY_EXISTS);
    uefi_assert_reason(add_policy(t, &other), OK);
    uefi_assert_reason(add_policy(t, &longer), OK);
}

static void test_appended(gconstpointer un_size)
{
    static const Policy wild = { .name = "X#" }, all = { };
    static const Policy wild_lock = { .name = "X#", .lock = 1 };
    static const Policy all_lock = { .lock = 1 };
    g_autoptr(UefiTest) t = new_test(un_size);

    /* no check for duplicates here; the earlier one keeps winning */
    uefi_assert_reason(add_policy(t, &wild), OK);
    uefi_assert_reason(add_policy(t, &wild_lock), OK);
    uefi_assert_reason(add_policy(t, &all), OK);
    uefi_assert_reason(add_policy(t, &all_lock), OK);
    uefi_test_phase(t, UEFI_PHASE_END_OF_DXE);
    uefi_assert_reason(set(t, "X1", NV | BS, "a"), OK);
    uefi_assert_reason(set(t, "Y", NV | BS, "a"), OK);
}

/* Fill the table but for @room bytes, which must be 64 or more */
static void fill_table(UefiTest *t, size_t room)
{
    static const Policy all = { };
    size_t left = UEFI_LIMIT_POLICY_BYTES - room;
    g_autofree char *name = NULL;

    while (left >= 2 * ENTRY_SIZE + 2) {
        uefi_assert_reason(add_policy(t, &all), OK);
        left -= ENTRY_SIZE;
    }
    name = g_strnfill((left - ENTRY_SIZE) / 2 - 1, '#');
    uefi_assert_reason(add_policy(t, &(Policy) { .name = name }), OK);
}

static void test_table_limit(void)
{
    static const Policy all = { }, one = { .name = "X" };
    g_autoptr(UefiTest) t = uefi_test_new(NULL);

    fill_table(t, ENTRY_SIZE + 4);
    uefi_assert_reason(add_policy(t, &(Policy) { .name = "XY" }),
                       POLICY_TABLE_FULL);
    uefi_assert_reason(add_policy(t, &one), OK);
    uefi_assert_reason(add_policy(t, &all), POLICY_TABLE_FULL);
    uefi_assert_reason(add_policy(t, &one), POLICY_EXISTS);
    uefi_vars_hard_reset(t->uv);
    uefi_assert_reason(add_policy(t, &all), OK);
}

/* ------------------------------------------------------------------------ */
/* Matching (6.4) */

static void test_match(void)
{
    static const Policy p = { .name = "A#b#", .lock = 1 };
    static const struct {
        const char *name;
        bool locked;
    } names[] = {
        { "A1b2", true }, { "Afb0", true }, { "AFb9", true },
        { "Agb0", false }, { "AGb0", false }, { "A:b0", false },
        { "A/b0", false }, { "A@b0", false }, { "A`b0", false },
        { "A1b", false }, { "A1b22", false }, { "a1b2", false },
        { "A1B2", false }, { "A#b#", false }, { "A1b#", false },
    };
    g_autoptr(UefiTest) t = new_policy_test(&p);

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        UefiReason reason = set(t, names[i].name, NV | BS, "a");

        if (names[i].locked) {
            uefi_assert_reason(reason, POLICY_LOCKED_NOW);
        } else {
            uefi_assert_reason(reason, OK);
        }
    }
    uefi_assert_reason(uefi_test_set(t, &uefi_guid_var_error_flag, "A1b2",
                                     NV | BS, "a", 1), OK);
}

/* A code unit that only ends in a digit is none. */
static void test_match_wide(void)
{
    static const Policy p = { .name = "#", .lock = 1 };
    static const uint16_t wide[] = { 0x130, 0 }, zero[] = { '0', 0 };
    g_autoptr(UefiTest) t = new_policy_test(&p);

    uefi_assert_reason(uefi_vars_set(t->uv, TEST, wide, NV | BS,
                                     (const uint8_t *)"a", 1), OK);
    uefi_assert_reason(uefi_vars_set(t->uv, TEST, zero, NV | BS,
                                     (const uint8_t *)"a", 1),
                       POLICY_LOCKED_NOW);
}

static void test_match_namespace(void)
{
    static const Policy p = { .lock = 1 };
    g_autoptr(UefiTest) t = new_policy_test(&p);

    uefi_assert_reason(set(t, "X", NV | BS, "a"), POLICY_LOCKED_NOW);
    uefi_assert_reason(set(t, "Anything", NV | BS, "a"), POLICY_LOCKED_NOW);
    uefi_assert_reason(uefi_test_set(t, &uefi_guid_var_error_flag, "X",
                                     NV | BS, "a", 1), OK);
}

/* The policy with fewest wildcards decides alone. */
static void test_priority(void)
{
    static const Policy policies[] = {
        { .lock = 1 },
        { .name = "##", .max_size = 1 },
        { .name = "1#", .max_size = 2 },
        { .name = "#2", .max_size = 3 },
        { .name = "12", .max_size = 4 },
    };
    g_autoptr(UefiTest) t = uefi_test_new(NULL);

    for (size_t i = 0; i < ARRAY_SIZE(policies); i++) {
        uefi_assert_reason(add_policy(t, &policies[i]), OK);
    }
    uefi_test_phase(t, UEFI_PHASE_END_OF_DXE);
    uefi_assert_reason(set(t, "12", NV | BS, "abcde"), POLICY_SIZE);
    uefi_assert_reason(set(t, "12", NV | BS, "abcd"), OK);
    uefi_assert_reason(set(t, "32", NV | BS, "abcd"), POLICY_SIZE);
    uefi_assert_reason(set(t, "32", NV | BS, "abc"), OK);
    uefi_assert_reason(set(t, "1f", NV | BS, "abc"), POLICY_SIZE);
    uefi_assert_reason(set(t, "1f", NV | BS, "ab"), OK);
    uefi_assert_reason(set(t, "ff", NV | BS, "ab"), POLICY_SIZE);
    uefi_assert_reason(set(t, "ff", NV | BS, "a"), OK);
    uefi_assert_reason(set(t, "fff", NV | BS, "a"), POLICY_LOCKED_NOW);
}

/* ------------------------------------------------------------------------ */
/* Enforcement (6.5) */

static void test_no_match(void)
{
    static const Policy p = { .name = "X", .lock = 1 };
    g_autoptr(UefiTest) t = new_policy_test(&p);

    uefi_assert_reason(set(t, "Y", NV | BS, "a"), OK);
    uefi_assert_reason(set(t, "Y", NV | BS, ""), OK);
}

static void test_not_before_end_of_dxe(void)
{
    static const Policy p = { .name = "X", .lock = 1 };
    g_autoptr(UefiTest) t = uefi_test_new(NULL);

    uefi_assert_reason(add_policy(t, &p), OK);
    uefi_assert_reason(set(t, "X", NV | BS, "a"), OK);
    uefi_test_phase(t, UEFI_PHASE_READY_TO_BOOT);
    uefi_assert_reason(set(t, "X", NV | BS, "b"), POLICY_LOCKED_NOW);
    uefi_test_phase(t, UEFI_PHASE_RUNTIME);
    uefi_assert_reason(set(t, "X", NV | BS | RT, "b"), POLICY_LOCKED_NOW);
    uefi_vars_hard_reset(t->uv);
    uefi_assert_reason(set(t, "X", NV | BS, "b"), OK);
}

static void test_sizes(void)
{
    static const Policy p = { .name = "X", .min_size = 2, .max_size = 3 };
    g_autoptr(UefiTest) t = new_policy_test(&p);

    uefi_assert_reason(set(t, "X", NV | BS, "a"), POLICY_SIZE);
    uefi_assert_reason(set(t, "X", NV | BS, "abcd"), POLICY_SIZE);
    uefi_assert_reason(set(t, "X", NV | BS, "ab"), OK);
    uefi_assert_reason(set(t, "X", NV | BS, "abc"), OK);
    /* an append counts by what it adds, one of nothing as nothing */
    uefi_assert_reason(set(t, "X", NV | BS | AP, "abc"), OK);
    uefi_assert_reason(set(t, "X", NV | BS | AP, ""), POLICY_SIZE);
    uefi_assert_reason(set(t, "X", NV | BS, ""), OK);
}

static void test_attributes(void)
{
    static const Policy p = { .name = "X", .must_have = NV,
                              .cant_have = RT | AP };
    g_autoptr(UefiTest) t = new_policy_test(&p);

    uefi_assert_reason(set(t, "X", BS, "a"), POLICY_ATTRIBUTES);
    uefi_assert_reason(set(t, "X", NV | BS | RT, "a"), POLICY_ATTRIBUTES);
    uefi_assert_reason(set(t, "X", NV | BS | AP, "a"), POLICY_ATTRIBUTES);
    uefi_assert_reason(set(t, "X", NV | BS, "a"), OK);
    /* data without attributes is no deletion to a policy */
    uefi_assert_reason(set(t, "X", 0, "a"), POLICY_ATTRIBUTES);
    uefi_assert_reason(set(t, "X", 0, ""), OK);
}

static void test_lock_now(void)
{
    static const Policy p = { .name = "X", .min_size = 2, .lock = 1 };
    g_autoptr(UefiTest) t = uefi_test_new(NULL);

    uefi_assert_reason(add_policy(t, &p), OK);
    uefi_assert_reason(set(t, "X", NV | BS, "abc"), OK);
    uefi_test_phase(t, UEFI_PHASE_END_OF_DXE);
    uefi_assert_reason(set(t, "X", NV | BS, "abc"), POLICY_LOCKED_NOW);
    uefi_assert_reason(set(t, "X", NV | BS, ""), POLICY_LOCKED_NOW);
    uefi_assert_reason(set(t, "X", 0, ""), POLICY_LOCKED_NOW);
    uefi_assert_reason(set(t, "X", NV | BS | AP, "bc"), POLICY_LOCKED_NOW);
    uefi_assert_reason(set(t, "X", NV | BS, "a"), POLICY_SIZE);
    uefi_assert_value(t, TEST, "X", "abc");
}

static void test_lock_on_create(void)
{
    static const Policy p = { .name = "X", .lock = 2 };
    g_autoptr(UefiTest) t = new_policy_test(&p);

    uefi_assert_reason(set(t, "X", NV | BS, ""), STORE_MISSING);
    uefi_assert_reason(set(t, "X", NV | BS, "a"), OK);
    uefi_assert_reason(set(t, "X", NV | BS, "b"), POLICY_LOCKED_CREATED);
    uefi_assert_reason(set(t, "X", NV | BS, ""), POLICY_LOCKED_CREATED);
    uefi_assert_reason(set(t, "X", 0, ""), POLICY_LOCKED_CREATED);
    uefi_assert_value(t, TEST, "X", "a");
    /* at runtime it does not seem to exist, but other rules hold */
    uefi_test_phase(t, UEFI_PHASE_RUNTIME);
    uefi_assert_reason(set(t, "X", NV | BS, "b"), SET_NOT_RUNTIME);
}

static void test_lock_on_state(void)
{
    static const Policy p = { .name = "X", .lock = 3, .state_name = "S",
                              .state_value = 7 };
    g_autoptr(UefiTest) t = new_policy_test(&p);

    uefi_assert_reason(set(t, "X", NV | BS, "a"), OK);
    uefi_assert_reason(set(t, "S", BS, "\6"), OK);
    uefi_assert_reason(set(t, "X", NV | BS, "b"), OK);
    uefi_assert_reason(set(t, "S", BS, "\7\7"), OK);
    uefi_assert_reason(set(t, "X", NV | BS, "c"), OK);
    uefi_assert_reason(set(t, "S", BS, "\7"), OK);
    uefi_assert_reason(set(t, "X", NV | BS, "d"), POLICY_LOCKED_STATE);
    uefi_assert_reason(set(t, "X", NV | BS, ""), POLICY_LOCKED_STATE);
    uefi_assert_value(t, TEST, "X", "c");
    uefi_assert_reason(set(t, "S", BS, "\6"), OK);
    uefi_assert_reason(set(t, "X", NV | BS, ""), OK);
}

/* A state variable that is not for the system seems not to exist there. */
static void test_lock_on_state_runtime(void)
{
    static const Policy p = { .name = "X", .lock = 3, .state_name = "S",
                              .state_value = 7 };
    static const Policy q = { .name = "Y", .lock = 3, .state_name = "R",
                              .state_value = 7 };
    g_autoptr(UefiTest) t = uefi_test_new(NULL);

    uefi_assert_reason(add_policy(t, &p), OK);
    uefi_assert_reason(add_policy(t, &q), OK);
    uefi_assert_reason(set(t, "S", NV | BS, "\7"), OK);
    uefi_assert_reason(set(t, "R", BS | RT, "\7"), OK);
    uefi_test_phase(t, UEFI_PHASE_END_OF_DXE);
    uefi_assert_reason(set(t, "X", NV | BS | RT, "a"), POLICY_LOCKED_STATE);
    uefi_test_phase(t, UEFI_PHASE_RUNTIME);
    uefi_assert_reason(set(t, "X", NV | BS | RT, "a"), OK);
    uefi_assert_reason(set(t, "Y", NV | BS | RT, "a"), POLICY_LOCKED_STATE);
}

/* A policy sees what was before the write: locking by itself works once. */
static void test_lock_on_own_state(void)
{
    static const Policy p = { .name = "X", .lock = 3, .state_name = "X",
                              .state_value = 1 };
    g_autoptr(UefiTest) t = new_policy_test(&p);

    uefi_assert_reason(set(t, "X", NV | BS, "\2"), OK);
    uefi_assert_reason(set(t, "X", NV | BS, "\1"), OK);
    uefi_assert_reason(set(t, "X", NV | BS, "\2"), POLICY_LOCKED_STATE);
}

/* ------------------------------------------------------------------------ */
/* DUMP (6.6) */

#define DUMP_HEADER 13

typedef struct Page {
    uint32_t total;
    uint32_t size;
    uint8_t more;
    GByteArray *bytes;          /* all of the page area */
} Page;

static void page_clear(Page *page)
{
    g_clear_pointer(&page->bytes, g_byte_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Page, page_clear)

static size_t page_capacity(const UefiTest *t)
{
    return t->un_size == 8 ? 16327 : 16335;
}

static UefiReason dump_sized(UefiTest *t, uint32_t number, size_t capacity,
                             Page *page)
{
    g_autoptr(GByteArray) params = g_byte_array_new();
    UefiReason reason;

    uefi_test_add(params, number, 4);
    g_byte_array_set_size(params, DUMP_HEADER + capacity);
    memset(params->data + 4, 0xee, params->len - 4);
    reason = uefi_test_policy(t, EFI_VAR_POLICY_DUMP, params);
    g_assert_cmpuint(uefi_test_field(params, 0, 4), ==, number);
    page_clear(page);
    page->total = uefi_test_field(params, 4, 4);
    page->size = uefi_test_field(params, 8, 4);
    page->more = uefi_test_field(params, 12, 1);
    page->bytes = g_byte_array_new();
    g_byte_array_append(page->bytes, params->data + DUMP_HEADER, capacity);
    return reason;
}

static UefiReason dump(UefiTest *t, uint32_t number, Page *page)
{
    return dump_sized(t, number, page_capacity(t), page);
}

static void assert_noise(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        g_assert_cmphex(bytes[i], ==, 0xee);
    }
}

/* Read all pages and compare with what has been registered */
static void assert_dump(UefiTest *t, const GByteArray *expected)
{
    size_t capacity = page_capacity(t), offset = 0;
    g_auto(Page) page = { };
    uint32_t number = 0;

    uefi_assert_reason(dump(t, 0, &page), OK);
    g_assert_cmpuint(page.total, ==, expected->len);
    g_assert_cmpuint(page.size, ==, 0);
    g_assert_cmpuint(page.more, ==, expected->len != 0);
    assert_noise(page.bytes->data, page.bytes->len);
    while (page.more) {
        uefi_assert_reason(dump(t, ++number, &page), OK);
        g_assert_cmpuint(page.total, ==, expected->len);
        g_assert_cmpuint(page.size, ==,
                         MIN(capacity, expected->len - offset));
        g_assert_cmpmem(page.bytes->data, page.size,
                        expected->data + offset, page.size);
        assert_noise(page.bytes->data + page.size, capacity - page.size);
        offset += page.size;
        g_assert_cmpuint(page.more, ==, offset < expected->len);
    }
    g_assert_cmpuint(offset, ==, expected->len);
    /* the snapshot is gone with its last page */
    uefi_assert_reason(dump(t, 1, &page), DUMP_NO_SNAPSHOT);
}

/* Policies whose entries take @size bytes together, and these bytes */
static GByteArray *add_policies(UefiTest *t, size_t size)
{
    GByteArray *all = g_byte_array_new();
    Policy p = { .lock = 3, .state_name = "S", .name = "##" };

    while (size - all->len >= 0x1000) {
        add_entry(all, &p);
        uefi_assert_reason(add_policy(t, &p), OK);
    }
    while (all->len < size) {
        size_t left = size - all->len;
        size_t name = MIN(left, 600) - ENTRY_SIZE;
        g_autofree char *wild = NULL;

        if (left > 600 && left < 600 + ENTRY_SIZE + 2) {
            name -= 100;
        }
        wild = name ? g_strnfill(name / 2 - 1, 'x') : NULL;
        if (wild && *wild) {
            *wild = '#';
        }
        p = (Policy) { .name = wild };
        add_entry(all, &p);
        uefi_assert_reason(add_policy(t, &p), OK);
    }
    g_assert_cmpuint(all->len, ==, size);
    return all;
}

static void have_policies(UefiTest *t, size_t size)
{
    g_byte_array_unref(add_policies(t, size));
}

static void test_dump_empty(gconstpointer un_size)
{
    g_autoptr(UefiTest) t = new_test(un_size);
    g_autoptr(GByteArray) none = g_byte_array_new();

    assert_dump(t, none);
}

static void test_dump_one(gconstpointer un_size)
{
    g_autoptr(UefiTest) t = new_test(un_size);
    g_autoptr(GByteArray) all = add_policies(t, 600);

    g_auto(Page) page = { };

    assert_dump(t, all);
    /* page 0 starts over at any time */
    uefi_assert_reason(dump(t, 0, &page), OK);
    assert_dump(t, all);
}

static void test_dump_pages(gconstpointer un_size)
{
    g_autoptr(UefiTest) t = new_test(un_size);
    g_autoptr(GByteArray) all = add_policies(t, 40000);

    assert_dump(t, all);
    uefi_test_phase(t, UEFI_PHASE_RUNTIME);
    uefi_assert_reason(command(t, EFI_VAR_POLICY_LOCK), POLICY_LOCKED);
}

/* The last page is full when the total is a multiple of the capacity. */
static void test_dump_multiple(gconstpointer un_size)
{
    g_autoptr(UefiTest) t = new_test(un_size);
    g_autoptr(GByteArray) all = add_policies(t, 2 * page_capacity(t));
    g_auto(Page) page = { };

    assert_dump(t, all);
    uefi_assert_reason(dump(t, 0, &page), OK);
    uefi_assert_reason(dump(t, 3, &page), DUMP_PAGE);
}

/* One byte less than a page, and one more */
static void test_dump_edges(gconstpointer un_size)
{
    for (int i = -1; i <= 1; i += 2) {
        g_autoptr(UefiTest) t = new_test(un_size);
        g_autoptr(GByteArray) all = add_policies(t, page_capacity(t) + i);
        g_auto(Page) page = { };

        assert_dump(t, all);
        uefi_assert_reason(dump(t, 0, &page), OK);
        uefi_assert_reason(dump(t, i < 0 ? 2 : 3, &page), DUMP_PAGE);
    }
}

static void test_dump_limit(gconstpointer un_size)
{
    g_autoptr(UefiTest) t = new_test(un_size);
    g_autoptr(GByteArray) all = add_policies(t, UEFI_LIMIT_POLICY_BYTES);

    assert_dump(t, all);
}

/* The two of the service itself (5.4), behind the guest's */
static void add_own_entries(GByteArray *bytes)
{
    const Policy own[] = {
        { .guid = &uefi_guid_mor_control, .lock = 1,
          .name = "MemoryOverwriteRequestControl" },
        { .guid = &uefi_guid_mor_control_lock, .lock = 1,
          .name = "MemoryOverwriteRequestControlLock" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
        size_t start = bytes->len;

        add_entry(bytes, &own[i]);
        memset(bytes->data + start + AT_LOCK + 1, 0, 3);
    }
}

/* They need neither the guest's room nor its permission, and migrate. */
static void test_own_policies(gconstpointer un_size)
{
    g_autoptr(UefiTest) t = new_test(un_size);
    g_autoptr(UefiTest) to = new_test(un_size);
    g_autoptr(GByteArray) all = add_policies(t, UEFI_LIMIT_POLICY_BYTES);
    g_autoptr(GBytes) state = NULL;
    g_autoptr(GBytes) again = NULL;

    uefi_assert_reason(command(t, EFI_VAR_POLICY_LOCK), OK);
    uefi_test_phase(t, UEFI_PHASE_END_OF_DXE);
    add_own_entries(all);
    assert_dump(t, all);

    state = uefi_policy_save(t->uv);
    g_assert_true(uefi_policy_load(to->uv, state, NULL));
    assert_dump(to, all);
    again = uefi_policy_save(to->uv);
    g_assert_true(g_bytes_equal(state, again));
    uefi_assert_reason(add_policy(to, &(Policy) { }), POLICY_LOCKED);
    uefi_test_phase(to, UEFI_PHASE_END_OF_DXE);
    assert_dump(to, all);
}

static void test_dump_no_snapshot(gconstpointer un_size)
{
    g_autoptr(UefiTest) t = new_test(un_size);
    g_auto(Page) page = { };

    have_policies(t, 600);
    uefi_assert_reason(dump(t, 1, &page), DUMP_NO_SNAPSHOT);
    g_assert_cmpuint(page.total, ==, 0);
    g_assert_cmpuint(page.size, ==, 0);
    g_assert_cmpuint(page.more, ==, 0);
    assert_noise(page.bytes->data, page.bytes->len);
    uefi_assert_reason(dump(t, UINT32_MAX, &page), DUMP_NO_SNAPSHOT);
}

static void test_dump_beyond(gconstpointer un_size)
{
    g_autoptr(UefiTest) t = new_test(un_size);
    g_auto(Page) page = { };

    have_policies(t, 20000);
    uefi_assert_reason(dump(t, 0, &page), OK);
    uefi_assert_reason(dump(t, 3, &page), DUMP_PAGE);
    g_assert_cmpuint(page.total, ==, 20000);
    g_assert_cmphex(page.size, ==, 0xeeeeeeee);
    g_assert_cmphex(page.more, ==, 0xee);
    uefi_assert_reason(dump(t, UINT32_MAX, &page), DUMP_PAGE);
    /* pages may be read in any order, until the last one */
    uefi_assert_reason(dump(t, 1, &page), OK);
    uefi_assert_reason(dump(t, 1, &page), OK);
    g_assert_cmpuint(page.more, ==, 1);
    uefi_assert_reason(dump(t, 2, &page), OK);
    g_assert_cmpuint(page.more, ==, 0);
    uefi_assert_reason(dump(t, 2, &page), DUMP_NO_SNAPSHOT);
}

/* Whoever asks for something else has to start over. */
static void test_dump_interrupted(gconstpointer un_size)
{
    static const uint32_t others[] = {
        EFI_VAR_POLICY_DISABLE, EFI_VAR_POLICY_IS_ENABLED,
        EFI_VAR_POLICY_REGISTER, EFI_VAR_POLICY_LOCK,
        EFI_VAR_POLICY_GET_INFO, EFI_VAR_POLICY_GET_LOCK_VAR_STATE_INFO, 99,
    };
    g_autoptr(UefiTest) t = new_test(un_size);
    g_auto(Page) page = { };

    have_policies(t, 20000);
    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        uefi_assert_reason(dump(t, 0, &page), OK);
        command(t, others[i]);
        uefi_assert_reason(dump(t, 1, &page), DUMP_NO_SNAPSHOT);
    }
}

static void test_dump_short(gconstpointer un_size)
{
    g_autoptr(UefiTest) t = new_test(un_size);
    g_autoptr(GByteArray) all = add_policies(t, 600);
    g_auto(Page) page = { };

    uefi_assert_reason(command(t, EFI_VAR_POLICY_DUMP), DUMP_SHORT);
    uefi_assert_reason(dump_sized(t, 0, page_capacity(t) - 1, &page),
                       DUMP_SHORT);
    uefi_assert_reason(dump_sized(t, 0, page_capacity(t), &page), OK);
    uefi_assert_reason(dump_sized(t, 1, page_capacity(t) - 1, &page),
                       DUMP_SHORT);
    assert_noise(page.bytes->data, page.bytes->len);
    /* more room is not used */
    uefi_assert_reason(dump_sized(t, 1, page_capacity(t) + 9, &page), OK);
    g_assert_cmpmem(page.bytes->data, page.size, all->data, all->len);
}

/* ------------------------------------------------------------------------ */
/* GET_INFO and GET_LOCK_VAR_STATE_INFO (6.7) */

#define INFO_HEADER 68

static size_t info_capacity(const UefiTest *t)
{
    return t->un_size == 8 ? 16272 : 16280;
}

/* All parameters, the fields for the answer filled with 0xee */
static GByteArray *info_params(UefiTest *t, const char *name,
                               uint32_t name_size, uint32_t capacity)
{
    GByteArray *params = g_byte_array_new();
    size_t used;

    uefi_test_add_guid(params, TEST);
    uefi_test_add(params, name_size, 4);
    uefi_test_add(params, capacity, 4);
    g_byte_array_set_size(params, INFO_HEADER);
    uefi_test_add_str(params, name);
    used = params->len;
    g_byte_array_set_size(params, INFO_HEADER + info_capacity(t));
    memset(params->data + 24, 0xee, ENTRY_SIZE);
    memset(params->data + used, 0xee, params->len - used);
    return params;
}

static UefiReason get_info(UefiTest *t, uint32_t cmd, const char *name,
                           uint32_t capacity, GByteArray **params)
{
    size_t name_size = 2 * (strlen(name) + 1);

    g_clear_pointer(params, g_byte_array_unref);
    *params = info_params(t, name, name_size, capacity);
    return uefi_test_policy(t, cmd, *params);
}

/* The answer has the @size bytes of @fixed, zeroes, @name and nothing more. */
static void assert_info(const GByteArray *params, const void *fixed,
                        size_t size, const char *name)
{
    g_autoptr(GByteArray) expected = g_byte_array_new();
    size_t in = uefi_test_field(params, 16, 4);

    uefi_test_add_str(expected, name);
    g_assert_cmpuint(uefi_test_field(params, 20, 4), ==, expected->len);
    g_assert_cmpmem(params->data + 24, size, fixed, size);
    for (size_t i = size; i < ENTRY_SIZE; i++) {
        g_assert_cmphex(params->data[24 + i], ==, 0);
    }
    g_assert_cmpmem(params->data + INFO_HEADER + in, expected->len,
                    expected->data, expected->len);
    assert_noise(params->data + INFO_HEADER + in + expected->len,
                 params->len - INFO_HEADER - in - expected->len);
}

static void assert_no_info(const GByteArray *params, uint32_t capacity)
{
    g_assert_cmpuint(uefi_test_field(params, 20, 4), ==, capacity);
    for (size_t i = 0; i < ENTRY_SIZE; i++) {
        g_assert_cmphex(params->data[24 + i], ==, 0);
    }
    assert_noise(params->data + INFO_HEADER + 4,
                 params->len - INFO_HEADER - 4);
}

static void test_info_missing(gconstpointer un_size)
{
    static const Policy p = { .name = "Y" };
    g_autoptr(UefiTest) t = new_test(un_size);
    g_autoptr(GByteArray) params = NULL;

    uefi_assert_reason(add_policy(t, &p), OK);
    uefi_assert_reason(get_info(t, EFI_VAR_POLICY_GET_INFO, "X", 100,
                                &params), INFO_MISSING);
    assert_no_info(params, 100);
    uefi_assert_reason(get_info(t, EFI_VAR_POLICY_GET_LOCK_VAR_STATE_INFO,
                                "X", 100, &params), INFO_MISSING);
    assert_no_info(params, 100);
}

static void test_info_no_state(gconstpointer un_size)
{
    static const Policy p = { .name = "X", .lock = 2 };
    g_autoptr(UefiTest) t = new_test(un_size);
    g_autoptr(GByteArray) params = NULL;

    uefi_assert_reason(add_policy(t, &p), OK);
    uefi_assert_reason(get_info(t, EFI_VAR_POLICY_GET_LOCK_VAR_STATE_INFO,
                                "X", 100, &params), INFO_NO_STATE);
    assert_no_info(params, 100);
}

static void test_info_no_name(gconstpointer un_size)
{
    static const Policy p = { .lock = 3, .state_name = "St" };
    g_autoptr(UefiTest) t = new_test(un_size);
    g_autoptr(GByteArray) params = NULL;
    g_autoptr(GByteArray) entry = g_byte_array_new();
    size_t left;

    add_entry(entry, &p);
    uefi_assert_reason(add_policy(t, &p), OK);
    uefi_assert_reason(get_info(t, EFI_VAR_POLICY_GET_INFO, "X", 10, &params),
                       OK);
    g_assert_cmpuint(uefi_test_field(params, 20, 4), ==, 0);
    g_assert_cmpmem(params->data + 24, ENTRY_SIZE, entry->data, ENTRY_SIZE);
    for (size_t i = 0; i < 10; i++) {
        g_assert_cmphex(params->data[INFO_HEADER + 4 + i], ==, 0);
    }
    assert_noise(params->data + INFO_HEADER + 14,
                 params->len - INFO_HEADER - 14);

    /* the area that is filled ends with the message at the latest */
    uefi_assert_reason(get_info(t, EFI_VAR_POLICY_GET_INFO, "X", UINT32_MAX,
                                &params), OK);
    left = params->len - INFO_HEADER - 4;
    for (size_t i = 0; i < left; i++) {
        g_assert_cmphex(params->data[INFO_HEADER + 4 + i], ==, 0);
    }
    uefi_assert_reason(get_info(t, EFI_VAR_POLICY_GET_LOCK_VAR_STATE_INFO,
                                "X", 6, &params), OK);
    assert_info(params, entry->data + ENTRY_SIZE, STATE_SIZE, "St");
}

static void test_info_too_small(gconstpointer un_size)
{
    static const Policy p = { .name = "X#", .lock = 3, .state_name = "State" };
    g_autoptr(UefiTest) t = new_test(un_size);
    g_autoptr(GByteArray) params = NULL;
    g_autoptr(GByteArray) entry = g_byte_array_new();

    add_entry(entry, &p);
    uefi_assert_reason(add_policy(t, &p), OK);
    uefi_assert_reason(get_info(t, EFI_VAR_POLICY_GET_INFO, "X1", 5, &params),
                       INFO_TOO_SMALL);
    g_assert_cmpuint(uefi_test_field(params, 20, 4), ==, 6);
    g_assert_cmpmem(params->data + 24, ENTRY_SIZE, entry->data, ENTRY_SIZE);
    assert_noise(params->data + INFO_HEADER + 6,
                 params->len - INFO_HEADER - 6);

    uefi_assert_reason(get_info(t, EFI_VAR_POLICY_GET_LOCK_VAR_STATE_INFO,
                                "X1", 0, &params), INFO_TOO_SMALL);
    g_assert_cmpuint(uefi_test_field(params, 20, 4), ==, 12);
    g_assert_cmpmem(params->data + 24, STATE_SIZE, entry->data + ENTRY_SIZE,
                    STATE_SIZE);
    assert_noise(params->data + INFO_HEADER + 6,
                 params->len - INFO_HEADER - 6);
}

static void test_info(gconstpointer un_size)
{
    static const Policy p = { .name = "X#", .min_size = 1, .max_size = 9,
                              .must_have = NV, .cant_have = RT, .lock = 3,
                              .state_name = "State", .state_value = 5 };
    g_autoptr(UefiTest) t = new_test(un_size);
    g_autoptr(GByteArray) params = NULL;
    g_autoptr(GByteArray) entry = g_byte_array_new();

    add_entry(entry, &p);
    uefi_assert_reason(add_policy(t, &p), OK);
    uefi_assert_reason(get_info(t, EFI_VAR_POLICY_GET_INFO, "X1", 6, &params),
                       OK);
    assert_info(params, entry->data, ENTRY_SIZE, "X#");
    uefi_assert_reason(get_info(t, EFI_VAR_POLICY_GET_LOCK_VAR_STATE_INFO,
                                "X1", 12, &params), OK);
    assert_info(params, entry->data + ENTRY_SIZE, STATE_SIZE, "State");

    /* asking goes on when the table is locked */
    uefi_test_phase(t, UEFI_PHASE_RUNTIME);
    uefi_assert_reason(get_info(t, EFI_VAR_POLICY_GET_INFO, "X1", UINT32_MAX,
                                &params), OK);
    assert_info(params, entry->data, ENTRY_SIZE, "X#");
}

static UefiReason get_info_raw(UefiTest *t, const char *name,
                               uint32_t name_size)
{
    g_autoptr(GByteArray) params = info_params(t, name, name_size, 100);

    return uefi_test_policy(t, EFI_VAR_POLICY_GET_INFO, params);
}

static void test_info_name(gconstpointer un_size)
{
    static const Policy all = { };
    g_autoptr(UefiTest) t = new_test(un_size);
    size_t area = info_capacity(t);
    g_autofree char *whole = g_strnfill(area / 2 - 1, 'x');

    uefi_assert_reason(add_policy(t, &all), OK);
    uefi_assert_reason(get_info_raw(t, "X", area + 1), INFO_BOUNDS);
    uefi_assert_reason(get_info_raw(t, "X", UINT32_MAX), INFO_BOUNDS);
    uefi_assert_reason(get_info_raw(t, "X", 0), INFO_NAME);
    uefi_assert_reason(get_info_raw(t, "X", 1), INFO_NAME);
    uefi_assert_reason(get_info_raw(t, "X", 2), INFO_NAME);
    uefi_assert_reason(get_info_raw(t, "X", 3), INFO_NAME);
    uefi_assert_reason(get_info_raw(t, "X", 4), OK);
    uefi_assert_reason(get_info_raw(t, "X", 5), OK);
    /* a name that fills the area leaves no room to believe in its end */
    uefi_assert_reason(get_info_raw(t, whole, area), INFO_NAME);
    uefi_assert_reason(get_info_raw(t, whole + 1, area - 2), OK);
}

static void test_info_room(gconstpointer un_size)
{
    g_autoptr(UefiTest) t = new_test(un_size);
    g_autofree char *half = g_strnfill(info_capacity(t) / 4, 'x');
    g_autoptr(GByteArray) params = NULL;
    const Policy p = { .name = half }, fits = { .name = half + 1 };
    size_t size = 2 * (strlen(half) + 1);

    /* the name comes in and has to go out again: not both fit */
    uefi_assert_reason(add_policy(t, &p), OK);
    uefi_assert_reason(get_info(t, EFI_VAR_POLICY_GET_INFO, half, UINT32_MAX,
                                &params), INFO_ROOM);
    g_assert_cmphex(uefi_test_field(params, 20, 4), ==, UINT32_MAX);
    assert_noise(params->data + 24, ENTRY_SIZE);
    assert_noise(params->data + INFO_HEADER + size,
                 params->len - INFO_HEADER - size);
    uefi_assert_reason(get_info(t, EFI_VAR_POLICY_GET_INFO, half, size,
                                &params), INFO_ROOM);
    uefi_assert_reason(get_info(t, EFI_VAR_POLICY_GET_INFO, half, size - 1,
                                &params), INFO_TOO_SMALL);
    /* two of them can fill the area to its last byte */
    uefi_assert_reason(add_policy(t, &fits), OK);
    uefi_assert_reason(get_info(t, EFI_VAR_POLICY_GET_INFO, half + 1, size,
                                &params), OK);
    g_assert_cmpuint(uefi_test_field(params, params->len - 4, 4), ==, 'x');
}

/* Every length but the whole one is too short, and nothing is answered. */
static void test_info_cut(gconstpointer un_size)
{
    static const Policy all = { .lock = 3, .state_name = "S" };
    g_autoptr(UefiTest) t = new_test(un_size);
    g_autoptr(GByteArray) whole = info_params(t, "X", 4, 100);

    uefi_assert_reason(add_policy(t, &all), OK);
    for (size_t size = 0; size < whole->len; size++) {
        g_autoptr(GByteArray) cut = g_byte_array_new();
        uint32_t cmd = size % 2 ? EFI_VAR_POLICY_GET_INFO
                                : EFI_VAR_POLICY_GET_LOCK_VAR_STATE_INFO;

        g_byte_array_append(cut, whole->data, size);
        uefi_assert_reason(uefi_test_policy(t, cmd, cut), INFO_SHORT);
        g_assert_cmpmem(cut->data, size, whole->data, size);
    }
    uefi_assert_reason(uefi_test_policy(t, EFI_VAR_POLICY_GET_INFO, whole),
                       OK);
}

static void test_dump_cut(gconstpointer un_size)
{
    g_autoptr(UefiTest) t = new_test(un_size);
    g_autoptr(GByteArray) whole = g_byte_array_new();

    have_policies(t, 600);
    g_byte_array_set_size(whole, DUMP_HEADER + page_capacity(t));
    memset(whole->data, 0, whole->len);
    uefi_assert_reason(uefi_test_policy(t, EFI_VAR_POLICY_DUMP, whole), OK);
    whole->data[0] = 1;
    for (size_t size = 0; size < whole->len; size++) {
        g_autoptr(GByteArray) cut = g_byte_array_new();

        g_byte_array_append(cut, whole->data, size);
        uefi_assert_reason(uefi_test_policy(t, EFI_VAR_POLICY_DUMP, cut),
                           DUMP_SHORT);
        g_assert_cmpmem(cut->data, size, whole->data, size);
    }
    uefi_assert_reason(uefi_test_policy(t, EFI_VAR_POLICY_DUMP, whole), OK);
}

static void assert_answer(UefiTest *t, const char *request, const char *name)
{
    const UefiVarAnswer *answer = &t->uv->answer;

    g_assert_cmpstr(answer->request, ==, request);
    if (name) {
        g_assert_true(uefi_guid_equal(&answer->guid, TEST));
        g_assert_true(uefi_str_is(answer->name, name));
    } else {
        g_assert_null(answer->name);
    }
}

/* The host can see what has been asked, and about what. */
static void test_answers(void)
{
    static const Policy p = { .name = "X#", .lock = 1 };
    g_autoptr(UefiTest) t = uefi_test_new(NULL);
    g_autoptr(GByteArray) params = NULL;

    add_policy(t, &p);
    assert_answer(t, "RegisterVariablePolicy", "X#");
    add_changed(t, &p, AT_MAX_SIZE, 0, 4);
    assert_answer(t, "RegisterVariablePolicy", NULL);
    get_info(t, EFI_VAR_POLICY_GET_INFO, "X1", 9, &params);
    assert_answer(t, "GetVariablePolicyInfo", "X1");
    command(t, EFI_VAR_POLICY_LOCK);
    assert_answer(t, "LockVariablePolicy", NULL);
    command(t, 0);
    assert_answer(t, "VariablePolicy", NULL);
    command(t, 8);
    assert_answer(t, "VariablePolicy", NULL);
}

/* ------------------------------------------------------------------------ */
/* Function 8 of the variable protocol (3.9) */

static UefiReason lock_variable(UefiTest *t, const char *name)
{
    g_autoptr(GByteArray) payload = g_byte_array_new();

    uefi_test_add_guid(payload, TEST);
    uefi_test_add_un(t, payload, 2 * (strlen(name) + 1));
    uefi_test_add_str(payload, name);
    return uefi_test_call(t, EFI_VAR_FN_LOCK_VARIABLE, payload);
}

static void test_lock_variable(gconstpointer un_size)
{
    g_autoptr(UefiTest) t = new_test(un_size);
    g_autoptr(GByteArray) expected = g_byte_array_new();
    g_auto(Page) page = { };

    uefi_assert_reason(set(t, "X", NV | BS, "a"), OK);
    uefi_assert_reason(lock_variable(t, "X"), OK);
    uefi_assert_reason(lock_variable(t, "X"), OK);
    uefi_assert_reason(lock_variable(t, ""), LOCK_NO_NAME);
    add_entry(expected, &(Policy) { .name = "X", .lock = 1 });
    memset(expected->data + AT_LOCK + 1, 0, 3);
    uefi_assert_reason(dump(t, 0, &page), OK);
    uefi_assert_reason(dump(t, 1, &page), OK);
    g_assert_cmpmem(page.bytes->data, page.size,
                    expected->data, expected->len);

    uefi_assert_reason(set(t, "X", NV | BS, "b"), OK);
    uefi_test_phase(t, UEFI_PHASE_END_OF_DXE);
    uefi_assert_reason(set(t, "X", NV | BS, "c"), POLICY_LOCKED_NOW);
    uefi_assert_reason(lock_variable(t, "X"), LOCK_CLOSED);
    uefi_assert_reason(lock_variable(t, "Y"), LOCK_CLOSED);
    uefi_assert_reason(lock_variable(t, ""), LOCK_CLOSED);
}

/* Pages that are being read are those of the table as it was at page 0. */
static void test_lock_variable_dump(gconstpointer un_size)
{
    g_autoptr(UefiTest) t = new_test(un_size);
    g_auto(Page) page = { };

    have_policies(t, 20000);
    uefi_assert_reason(dump(t, 0, &page), OK);
    uefi_assert_reason(lock_variable(t, "X"), OK);
    uefi_assert_reason(dump(t, 2, &page), OK);
    g_assert_cmpuint(page.total, ==, 20000);
    g_assert_cmpuint(page.size, ==, 20000 - page_capacity(t));
    uefi_assert_reason(dump(t, 0, &page), OK);
    g_assert_cmpuint(page.total, ==, 20000 + ENTRY_SIZE + 4);
}

static void test_lock_variable_locked(void)
{
    g_autoptr(UefiTest) t = uefi_test_new(NULL);

    uefi_assert_reason(lock_variable(t, "X"), OK);
    uefi_assert_reason(command(t, EFI_VAR_POLICY_LOCK), OK);
    uefi_assert_reason(lock_variable(t, "Y"), POLICY_LOCKED);
    uefi_assert_reason(lock_variable(t, "X"), POLICY_LOCKED);
}

/* A name that has a policy is fine when that policy locks it now. */
static void test_lock_variable_exists(void)
{
    static const Policy none = { .name = "N" };
    static const Policy create = { .name = "C", .lock = 2 };
    static const Policy state = { .name = "S", .lock = 3, .state_name = "V",
                                  .state_value = 1 };
    g_autoptr(UefiTest) t = uefi_test_new(NULL);

    uefi_assert_reason(add_policy(t, &none), OK);
    uefi_assert_reason(add_policy(t, &create), OK);
    uefi_assert_reason(add_policy(t, &state), OK);
    uefi_assert_reason(lock_variable(t, "N"), LOCK_EXISTS);
    uefi_assert_reason(lock_variable(t, "C"), LOCK_EXISTS);
    uefi_assert_reason(lock_variable(t, "S"), LOCK_EXISTS);
    uefi_assert_reason(set(t, "C", NV | BS, "a"), OK);
    uefi_assert_reason(set(t, "V", NV | BS, "\1"), OK);
    uefi_assert_reason(lock_variable(t, "C"), OK);
    uefi_assert_reason(lock_variable(t, "S"), OK);
}

/* NameSize as sent, with the name ab\0cd\0 behind it */
static UefiReason lock_raw(UefiTest *t, uint64_t name_size)
{
    g_autoptr(GByteArray) payload = g_byte_array_new();

    uefi_test_add_guid(payload, TEST);
    uefi_test_add_un(t, payload, name_size);
    uefi_test_add_str(payload, "ab");
    uefi_test_add_str(payload, "cd");
    return uefi_test_call(t, EFI_VAR_FN_LOCK_VARIABLE, payload);
}

static void test_lock_variable_message(gconstpointer un_size)
{
    g_autoptr(UefiTest) t = new_test(un_size);
    g_autoptr(GByteArray) whole = g_byte_array_new();

    uefi_assert_reason(lock_raw(t, 13), MSG_BOUNDS);
    uefi_assert_reason(lock_raw(t, UINT64_MAX), MSG_BOUNDS);
    uefi_assert_reason(lock_raw(t, 0), MSG_NAME);
    uefi_assert_reason(lock_raw(t, 1), MSG_NAME);
    uefi_assert_reason(lock_raw(t, 4), MSG_NAME);
    uefi_assert_reason(lock_raw(t, 10), MSG_NAME);
    uefi_assert_reason(lock_raw(t, 12), OK);
    uefi_assert_reason(lock_raw(t, 7), OK);

    uefi_test_add_guid(whole, TEST);
    uefi_test_add_un(t, whole, 6);
    uefi_test_add_str(whole, "ab");
    for (size_t size = 0; size < whole->len; size++) {
        g_autoptr(GByteArray) cut = g_byte_array_new();
        UefiReason reason;

        g_byte_array_append(cut, whole->data, size);
        reason = uefi_test_call(t, EFI_VAR_FN_LOCK_VARIABLE, cut);
        if (size < 16 + t->un_size) {
            uefi_assert_reason(reason, MSG_SHORT);
        } else {
            uefi_assert_reason(reason, MSG_BOUNDS);
        }
    }
}

/* Names are CHAR16, lone surrogates included. */
static void test_lock_variable_surrogate(void)
{
    static const uint16_t name[] = { 0xd800, 'x', 0 };
    g_autoptr(UefiTest) t = uefi_test_new(NULL);
    g_autoptr(GByteArray) payload = g_byte_array_new();

    uefi_test_add_guid(payload, TEST);
    uefi_test_add_un(t, payload, sizeof(name));
    for (size_t i = 0; i < ARRAY_SIZE(name); i++) {
        uefi_test_add(payload, name[i], 2);
    }
    uefi_assert_reason(uefi_test_call(t, EFI_VAR_FN_LOCK_VARIABLE, payload),
                       OK);
    uefi_test_phase(t, UEFI_PHASE_END_OF_DXE);
    uefi_assert_reason(uefi_vars_set(t->uv, TEST, name, NV | BS,
                                     (const uint8_t *)"a", 1),
                       POLICY_LOCKED_NOW);
}

/* An entry says how long it is in 16 bits. */
static void test_lock_variable_size(void)
{
    g_autoptr(UefiTest) t = uefi_test_new(NULL);
    const size_t most = (UINT16_MAX - ENTRY_SIZE) / 2 - 1;
    g_autofree char *ascii = g_strnfill(most + 1, 'a');
    g_autofree uint16_t *name = uefi_str_from_ascii(ascii);

    uefi_assert_reason(uefi_policy_lock_variable(t->uv, TEST, name),
                       LOCK_NAME_LONG);
    uefi_assert_reason(uefi_policy_lock_variable(t->uv, TEST, name + 1), OK);
    uefi_assert_reason(lock_variable(t, "X"), POLICY_TABLE_FULL);
}

static void test_lock_variable_limit(void)
{
    g_autoptr(UefiTest) t = uefi_test_new(NULL);
    g_autofree char *name = g_strnfill(0x2000, 'a');
    UefiReason reason = UEFI_REASON_OK;
    unsigned count;

    for (count = 0; reason == UEFI_REASON_OK; count++) {
        name[0] = 'a' + count;
        reason = lock_variable(t, name);
    }
    uefi_assert_reason(reason, POLICY_TABLE_FULL);
    g_assert_cmpuint(count, ==, 4);
    name[0] = 'a';
    for (unsigned i = 0; i < 100; i++) {
        uefi_assert_reason(lock_variable(t, name), OK);
    }
}

/* ------------------------------------------------------------------------ */
/* Migration */

static void test_save_load(gconstpointer un_size)
{
    g_autoptr(UefiTest) from = new_test(un_size);
    g_autoptr(UefiTest) to = new_test(un_size);
    g_autoptr(GByteArray) all = add_policies(from, UEFI_LIMIT_POLICY_BYTES);
    g_autoptr(GBytes) state = NULL;
    g_autoptr(GBytes) again = NULL;
    g_auto(Page) page = { };

    uefi_assert_reason(command(from, EFI_VAR_POLICY_LOCK), OK);
    uefi_assert_reason(dump(from, 0, &page), OK);
    state = uefi_policy_save(from->uv);
    uefi_assert_reason(add_policy(to, &(Policy) { .lock = 1 }), OK);
    uefi_assert_reason(dump(to, 0, &page), OK);
    g_assert_true(uefi_policy_load(to->uv, state, NULL));
    again = uefi_policy_save(to->uv);
    g_assert_true(g_bytes_equal(state, again));

    /* pages have to be asked for again; all policies are there */
    uefi_assert_reason(dump(to, 1, &page), DUMP_NO_SNAPSHOT);
    assert_dump(to, all);
    uefi_assert_reason(command(to, EFI_VAR_POLICY_LOCK), POLICY_LOCKED);
}

static void test_save_load_enforced(void)
{
    static const Policy lock = { .name = "L#", .lock = 1 };
    static const Policy state = { .name = "S", .lock = 3, .state_name = "V",
                                  .state_value = 1 };
    static const Policy size = { .name = "M", .min_size = 2, .max_size = 3,
                                 .must_have = NV, .cant_have = RT };
    g_autoptr(UefiTest) from = uefi_test_new(NULL);
    g_autoptr(UefiTest) to = uefi_test_new(NULL);
    g_autoptr(GBytes) saved = NULL;

    uefi_assert_reason(add_policy(from, &lock), OK);
    uefi_assert_reason(add_policy(from, &state), OK);
    uefi_assert_reason(add_policy(from, &size), OK);
    saved = uefi_policy_save(from->uv);
    g_assert_true(uefi_policy_load(to->uv, saved, NULL));
    uefi_test_phase(to, UEFI_PHASE_END_OF_DXE);
    uefi_assert_reason(set(to, "La", NV | BS, "a"), POLICY_LOCKED_NOW);
    uefi_assert_reason(set(to, "S", NV | BS, "a"), OK);
    uefi_assert_reason(set(to, "V", NV | BS, "\1"), OK);
    uefi_assert_reason(set(to, "S", NV | BS, "a"), POLICY_LOCKED_STATE);
    uefi_assert_reason(set(to, "M", NV | BS, "a"), POLICY_SIZE);
    uefi_assert_reason(set(to, "M", BS, "ab"), POLICY_ATTRIBUTES);
}

static void test_save_load_disabled(void)
{
    UefiVarConfig config = uefi_vars_default_config();
    g_autoptr(UefiTest) from = NULL;
    g_autoptr(UefiTest) to = uefi_test_new(NULL);
    g_autoptr(GBytes) saved = NULL;
    uint8_t state;

    config.allow_policy_disable = true;
    from = uefi_test_new(&config);
    uefi_assert_reason(command(from, EFI_VAR_POLICY_DISABLE), OK);
    saved = uefi_policy_save(from->uv);
    g_assert_true(uefi_policy_load(to->uv, saved, NULL));
    uefi_assert_reason(is_enabled(to, &state), OK);
    g_assert_cmphex(state, ==, 0);
    uefi_assert_reason(command(to, EFI_VAR_POLICY_LOCK), OK);
}

/* Nothing damaged is taken over, not even in part. */
static void assert_not_loaded(const uint8_t *bytes, size_t size)
{
    g_autoptr(UefiTest) t = uefi_test_new(NULL);
    g_autoptr(GBytes) damaged = g_bytes_new_take(g_memdup2(bytes, size), size);
    g_autoptr(GBytes) before = NULL;
    g_autoptr(GBytes) after = NULL;
    g_autoptr(GError) err = NULL;

    uefi_assert_reason(add_policy(t, &(Policy) { .name = "Old" }), OK);
    before = uefi_policy_save(t->uv);
    g_assert_false(uefi_policy_load(t->uv, damaged, &err));
    g_assert_true(g_error_matches(err, UEFI_STATE_ERROR, 0));
    after = uefi_policy_save(t->uv);
    g_assert_true(g_bytes_equal(before, after));
}

/* Version, flags, then the entry of "One" and that of "Two" */
enum {
    AT_STATE_FLAGS = 4,
    AT_FIRST = 5,
    AT_SECOND = AT_FIRST + ENTRY_SIZE + 8,
};

static GBytes *two_policies(void)
{
    g_autoptr(UefiTest) t = uefi_test_new(NULL);

    uefi_assert_reason(add_policy(t, &(Policy) { .name = "One" }), OK);
    uefi_assert_reason(add_policy(t, &(Policy) { .name = "Two" }), OK);
    return uefi_policy_save(t->uv);
}

static void test_load_cut(void)
{
    g_autoptr(GBytes) state = two_policies();
    size_t size;
    const uint8_t *bytes = g_bytes_get_data(state, &size);
    g_autofree uint8_t *longer = g_malloc0(size + 1);

    g_assert_cmpuint(size, ==, AT_SECOND + ENTRY_SIZE + 8);
    for (size_t cut = 0; cut < size; cut++) {
        /* a table that ends behind an entry is a table */
        if (cut != AT_FIRST && cut != AT_SECOND) {
            assert_not_loaded(bytes, cut);
        }
    }
    memcpy(longer, bytes, size);
    assert_not_loaded(longer, size + 1);
}

static void test_load_hostile(void)
{
    static const struct {
        size_t offset;
        uint8_t value;
    } flips[] = {
        { 0, 0 }, { 0, 2 }, { 3, 1 },
        { AT_STATE_FLAGS, 4 }, { AT_STATE_FLAGS, 0x80 },
        { AT_FIRST + AT_VERSION, 1 },
        { AT_FIRST + AT_SIZE, 0 }, { AT_FIRST + AT_SIZE, 43 },
        { AT_FIRST + AT_SIZE, 44 }, { AT_FIRST + AT_SIZE + 1, 0xff },
        { AT_FIRST + AT_OFFSET, 0 }, { AT_FIRST + AT_OFFSET, 45 },
        { AT_FIRST + AT_OFFSET, 46 }, { AT_FIRST + AT_OFFSET + 1, 0xff },
        { AT_FIRST + AT_LOCK, 3 }, { AT_FIRST + AT_LOCK, 4 },
        { AT_FIRST + ENTRY_SIZE, 0 }, { AT_FIRST + ENTRY_SIZE + 6, 1 },
    };
    g_autoptr(GBytes) state = two_policies();
    size_t size;
    const uint8_t *bytes = g_bytes_get_data(state, &size);
    g_autofree uint8_t *same = g_memdup2(bytes, size);

    for (size_t i = 0; i < ARRAY_SIZE(flips); i++) {
        g_autofree uint8_t *copy = g_memdup2(bytes, size);

        g_assert_cmphex(copy[flips[i].offset], !=, flips[i].value);
        copy[flips[i].offset] = flips[i].value;
        assert_not_loaded(copy, size);
    }
    memset(same + AT_FIRST + AT_MAX_SIZE, 0, 4);
    assert_not_loaded(same, size);
    memcpy(same + AT_FIRST, bytes + AT_SECOND, size - AT_SECOND);
    assert_not_loaded(same, size);
}

/* What a guest can fill, and the policies of the service, but no more */
static void test_load_too_much(void)
{
    g_autoptr(UefiTest) t = uefi_test_new(NULL);
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    g_autoptr(GByteArray) all = add_policies(t, UEFI_LIMIT_POLICY_BYTES);
    g_autoptr(GBytes) full = NULL;

    add_own_entries(all);
    uefi_test_add(bytes, 1, 5);
    g_byte_array_append(bytes, all->data, all->len);
    full = g_bytes_new(bytes->data, bytes->len);
    g_assert_true(uefi_policy_load(t->uv, full, NULL));
    add_entry(bytes, &(Policy) { });
    assert_not_loaded(bytes->data, bytes->len);
}

/* Any byte may be anything: loads or does not, and can be saved again. */
static void test_load_flip(void)
{
    g_autoptr(UefiTest) t = uefi_test_new(NULL);
    g_autoptr(GBytes) state = NULL;
    const uint8_t *bytes;
    size_t size;

    uefi_assert_reason(add_policy(t, &(Policy) {
        .name = "N#", .lock = 3, .state_name = "S"
    }), OK);
    uefi_assert_reason(add_policy(t, &(Policy) { }), OK);
    state = uefi_policy_save(t->uv);
    bytes = g_bytes_get_data(state, &size);
    for (size_t i = 0; i < size; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            uint8_t *copy = g_memdup2(bytes, size);
            g_autoptr(GBytes) flipped = NULL;
            g_autoptr(GBytes) again = NULL;

            copy[i] ^= 1 << bit;
            flipped = g_bytes_new_take(copy, size);
            if (uefi_policy_load(t->uv, flipped, NULL)) {
                again = uefi_policy_save(t->uv);
                g_assert_true(g_bytes_equal(flipped, again));
            }
        }
    }
}

static void add_widths(const char *path, GTestDataFunc func)
{
    g_autofree char *path64 = g_strconcat(path, "-64", NULL);
    g_autofree char *path32 = g_strconcat(path, "-32", NULL);

    g_test_add_data_func(path64, GUINT_TO_POINTER(8), func);
    g_test_add_data_func(path32, GUINT_TO_POINTER(4), func);
}

static void add_command_tests(void)
{
    add_widths("/uefi/policy/P1/short", test_short);
    add_widths("/uefi/policy/P1/long", test_long);
    add_widths("/uefi/policy/P2/header", test_header);
    add_widths("/uefi/policy/P3/6.6-page-n/interrupted",
               test_dump_interrupted);
    add_widths("/uefi/policy/P4/unknown-command", test_unknown_command);
    g_test_add_func("/uefi/policy/6.1-1/disable", test_disable);
    g_test_add_func("/uefi/policy/6.1-1/forbidden", test_disable_forbidden);
    add_widths("/uefi/policy/6.1-2/is-enabled", test_is_enabled);
    g_test_add_func("/uefi/policy/6.1-5/lock", test_lock);
    g_test_add_func("/uefi/policy/6.1-5/9.2-end-of-dxe/lock",
                    test_lock_end_of_dxe);

    add_widths("/uefi/policy/6.6-page-0/empty", test_dump_empty);
    add_widths("/uefi/policy/6.6-page-0/one", test_dump_one);
    add_widths("/uefi/policy/6.6-page-n/several", test_dump_pages);
    add_widths("/uefi/policy/6.6-page-last/multiple", test_dump_multiple);
    add_widths("/uefi/policy/6.6-page-last/edges", test_dump_edges);
    add_widths("/uefi/policy/6.6-page-last/limit", test_dump_limit);
    add_widths("/uefi/policy/6.6-no-snapshot/timeout", test_dump_no_snapshot);
    add_widths("/uefi/policy/6.6-page-beyond/invalid", test_dump_beyond);
    add_widths("/uefi/policy/6.6-short/bounds", test_dump_short);
    add_widths("/uefi/policy/6.6-short/cut", test_dump_cut);

    add_widths("/uefi/policy/I1/no-policy", test_info_missing);
    add_widths("/uefi/policy/I2/no-state", test_info_no_state);
    add_widths("/uefi/policy/I3/no-name", test_info_no_name);
    add_widths("/uefi/policy/I4/too-small", test_info_too_small);
    add_widths("/uefi/policy/I5/info", test_info);
    add_widths("/uefi/policy/6.7-name/bounds", test_info_name);
    add_widths("/uefi/policy/6.7-name/room", test_info_room);
    add_widths("/uefi/policy/6.7-short/cut", test_info_cut);
}

static void add_register_tests(void)
{
    add_widths("/uefi/policy/G1/G2/cut", test_register_cut);
    add_widths("/uefi/policy/G2/version-and-size", test_version_and_size);
    g_test_add_func("/uefi/policy/G3/locked", test_register_locked);
    g_test_add_func("/uefi/policy/G4/max-size-0", test_max_size_0);
    g_test_add_func("/uefi/policy/G4/lock-type", test_lock_type);
    g_test_add_func("/uefi/policy/G4/H7/offset", test_offset);
    g_test_add_func("/uefi/policy/G4/H7/state-name", test_state_name);
    g_test_add_func("/uefi/policy/G4/H7/name", test_name);
    g_test_add_func("/uefi/policy/G4/empty-name", test_empty_name);
    g_test_add_func("/uefi/policy/G4/wildcards", test_wildcards);
    g_test_add_func("/uefi/policy/G5/exists", test_exists);
    add_widths("/uefi/policy/G6/appended", test_appended);
    g_test_add_func("/uefi/policy/G6/H9/limit", test_table_limit);

    g_test_add_func("/uefi/policy/6.4-match/name", test_match);
    g_test_add_func("/uefi/policy/6.4-match/wide", test_match_wide);
    g_test_add_func("/uefi/policy/6.4-match/namespace", test_match_namespace);
    g_test_add_func("/uefi/policy/6.4-priority", test_priority);

    add_widths("/uefi/policy/3.9-8/lock", test_lock_variable);
    add_widths("/uefi/policy/3.9-8/6.6-page-n/dump", test_lock_variable_dump);
    g_test_add_func("/uefi/policy/3.9-8/locked", test_lock_variable_locked);
    g_test_add_func("/uefi/policy/3.9-8/exists", test_lock_variable_exists);
    add_widths("/uefi/policy/3.9-8/M9/message", test_lock_variable_message);
    g_test_add_func("/uefi/policy/3.9-8/surrogate",
                    test_lock_variable_surrogate);
    g_test_add_func("/uefi/policy/3.9-8/size", test_lock_variable_size);
    g_test_add_func("/uefi/policy/3.9-8/H9/limit", test_lock_variable_limit);
}

static void add_enforcement_tests(void)
{
    g_test_add_func("/uefi/policy/N1/no-match", test_no_match);
    g_test_add_func("/uefi/policy/N1/before-end-of-dxe",
                    test_not_before_end_of_dxe);
    g_test_add_func("/uefi/policy/N2/size", test_sizes);
    g_test_add_func("/uefi/policy/N3/attributes", test_attributes);
    g_test_add_func("/uefi/policy/N4/lock-now", test_lock_now);
    g_test_add_func("/uefi/policy/N5/lock-on-create", test_lock_on_create);
    g_test_add_func("/uefi/policy/N6/lock-on-state", test_lock_on_state);
    g_test_add_func("/uefi/policy/N6/runtime", test_lock_on_state_runtime);
    g_test_add_func("/uefi/policy/N6/own-state", test_lock_on_own_state);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    add_command_tests();
    add_register_tests();
    add_enforcement_tests();

    g_test_add_func("/uefi/policy/answers", test_answers);
    add_widths("/uefi/policy/5.4-end-of-dxe/H9/own", test_own_policies);
    add_widths("/uefi/policy/state/round-trip", test_save_load);
    g_test_add_func("/uefi/policy/state/enforced", test_save_load_enforced);
    g_test_add_func("/uefi/policy/state/disabled", test_save_load_disabled);
    g_test_add_func("/uefi/policy/state/cut", test_load_cut);
    g_test_add_func("/uefi/policy/state/hostile", test_load_hostile);
    g_test_add_func("/uefi/policy/state/too-much", test_load_too_much);
    g_test_add_func("/uefi/policy/state/flip", test_load_flip);
    return g_test_run();
}
