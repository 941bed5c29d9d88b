/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: the whole state as bytes, for migration
 */

#include "qemu/osdep.h"
#include "uefi-test.h"
#include "hw/uefi/var-service-state.h"

#define TEST    (&uefi_test_guid)

/* A service in the middle of its life: something of everything */
static UefiTest *busy_service(void)
{
    UefiTest *t = uefi_test_new(NULL);
    UefiVarChange *change;
    UefiVariable *var;
    g_autofree uint16_t *name = uefi_str_from_ascii("Signed");

    uefi_assert_reason(uefi_test_set(t, TEST, "A", ATTR_NV_RT, "one", 3), OK);
    uefi_assert_reason(uefi_test_set(t, TEST, "B", ATTR_NV_BS, "two", 3), OK);
    uefi_assert_reason(uefi_test_set(t, TEST, "V", ATTR_BS_RT, "vol", 3), OK);
    uefi_assert_reason(uefi_test_set(t, TEST, "A", ATTR_NV_RT, "three", 5),
                       OK);
    uefi_assert_reason(uefi_test_set(t, &uefi_guid_global, "LangCodes",
                                     ATTR_BS_RT, "engfra", 7), OK);
    change = uefi_var_change_new();
    var = uefi_variable_new(TEST, name, ATTR_AUTH,
                            g_bytes_new_static("signed", 6));
    memset(var->time.b, 7, sizeof(var->time.b));
    var->binding = g_bytes_new_static("0123456789abcdef0123456789abcdef", 32);
    uefi_var_change_add(change, var);
    uefi_store_apply(t->uv->store, change);
    uefi_var_change_free(change);
    uefi_test_phase(t, UEFI_PHASE_END_OF_DXE);
    return t;
}

static GBytes *busy_state(void)
{
    g_autoptr(UefiTest) t = busy_service();

    return uefi_vars_state_save(t->uv);
}

static bool load(UefiTest *t, GBytes *state, GError **err)
{
    gsize size;
    const uint8_t *data = g_bytes_get_data(state, &size);
    /* of exactly that size, for the sanitizer */
    g_autofree uint8_t *copy = g_memdup2(data, size);

    return uefi_vars_state_load(&t->uv, copy, size, err);
}

/* @state is refused, with a reason, and nothing has changed */
static void assert_refused(UefiTest *t, GBytes *state)
{
    g_autofree char *before = uefi_test_dump(t);
    g_autofree char *after = NULL;
    g_autoptr(GError) err = NULL;

    g_assert_false(load(t, state, &err));
    g_assert_nonnull(err);
    after = uefi_test_dump(t);
    g_assert_cmpstr(before, ==, after);
}

static void test_round_trip(void)
{
    g_autoptr(UefiTest) from = busy_service();
    g_autoptr(UefiTest) to = uefi_test_new(NULL);
    g_autofree char *here = uefi_test_dump(from);
    g_autofree char *there = NULL;
    g_autofree char *list_here = uefi_test_list(from);
    g_autofree char *list_there = NULL;
    g_autoptr(GBytes) state = uefi_vars_state_save(from->uv);
    g_autoptr(GBytes) again = NULL;
    g_autofree uint16_t *name = uefi_str_from_ascii("Signed");
    const UefiVariable *var;

    uefi_assert_reason(uefi_test_set(to, TEST, "Old", ATTR_NV_RT, "x", 1), OK);
    to->saves = 0;
    g_assert_true(load(to, state, NULL));
    there = uefi_test_dump(to);
    list_there = uefi_test_list(to);
    again = uefi_vars_state_save(to->uv);
    g_assert_cmpstr(here, ==, there);
    g_assert_cmpstr(list_here, ==, list_there);
    g_assert_true(g_bytes_equal(state, again));
    g_assert_cmpuint(to->saves, ==, 0);
    g_assert_cmpint(to->uv->phase, ==, UEFI_PHASE_END_OF_DXE);
    g_assert_true(to->uv->secure_boot.setup_mode);

    var = uefi_store_find(to->uv->store, UEFI_VIEW_BOOT, TEST, name);
    g_assert_nonnull(var);
    g_assert_cmpint(var->time.b[15], ==, 7);
    g_assert_cmpuint(g_bytes_get_size(var->binding), ==, 32);
    /* and it goes on where the other has stopped */
    uefi_assert_reason(uefi_test_set(to, TEST, "C", ATTR_NV_RT, "x", 1), OK);
    g_assert_cmpuint(to->saves, ==, 1);
}

static void test_empty(void)
{
    g_autoptr(UefiTest) from = uefi_test_new(NULL);
    g_autoptr(UefiTest) to = busy_service();
    g_autofree char *here = uefi_test_dump(from);
    g_autofree char *there = NULL;
    g_autoptr(GBytes) state = uefi_vars_state_save(from->uv);

    g_assert_true(load(to, state, NULL));
    there = uefi_test_dump(to);
    g_assert_cmpstr(here, ==, there);
    g_assert_cmpint(to->uv->phase, ==, UEFI_PHASE_DXE);
}

static void test_cut(void)
{
    g_autoptr(GBytes) state = busy_state();
    g_autoptr(UefiTest) t = uefi_test_new(NULL);

    for (gsize size = 0; size < g_bytes_get_size(state); size++) {
        g_autoptr(GBytes) cut = g_bytes_new_from_bytes(state, 0, size);

        assert_refused(t, cut);
    }
}

static void test_longer(void)
{
    g_autoptr(GBytes) state = busy_state();
    g_autoptr(UefiTest) t = uefi_test_new(NULL);
    GByteArray *more = g_bytes_unref_to_array(g_steal_pointer(&state));
    g_autoptr(GBytes) longer = NULL;

    g_byte_array_append(more, (const uint8_t *)"", 1);
    longer = g_byte_array_free_to_bytes(more);
    assert_refused(t, longer);
}

/* @state with a part of @size bytes behind it, of which @cut are missing */
static GBytes *with_part(GBytes *state, uint32_t tag, size_t size, size_t cut)
{
    GByteArray *out = g_bytes_unref_to_array(g_bytes_ref(state));

    uefi_bytes_put_u32(out, tag);
    uefi_bytes_put_u32(out, size);
    while (size-- > 0) {
        g_byte_array_append(out, (const uint8_t *)"x", 1);
    }
    g_byte_array_set_size(out, out->len - cut);
    return g_byte_array_free_to_bytes(out);
}

/* What a later release sends, and this one need not know */
static void test_optional_parts(void)
{
    g_autoptr(UefiTest) to = uefi_test_new(NULL);
    g_autoptr(GBytes) state = busy_state();
    g_autoptr(GBytes) one = with_part(state, UEFI_STATE_OPTIONAL | 7, 300, 0);
    g_autoptr(GBytes) two = with_part(one, UEFI_STATE_OPTIONAL, 0, 0);
    g_autoptr(GBytes) again = NULL;

    g_assert_true(load(to, two, NULL));
    again = uefi_vars_state_save(to->uv);
    g_assert_true(g_bytes_equal(state, again));
}

/* ... and what it cannot do without, or is cut */
static void test_other_parts(void)
{
    g_autoptr(UefiTest) to = uefi_test_new(NULL);
    g_autoptr(GBytes) state = busy_state();
    g_autoptr(GBytes) known = with_part(state, 7, 3, 0);
    g_autoptr(GBytes) behind = NULL;
    g_autoptr(GBytes) passed = with_part(state, UEFI_STATE_OPTIONAL, 3, 0);

    assert_refused(to, known);
    behind = with_part(passed, 7, 0, 0);
    assert_refused(to, behind);
    for (size_t cut = 1; cut < 8 + 3; cut++) {
        g_autoptr(GBytes) short_one = with_part(state, UEFI_STATE_OPTIONAL, 3,
                                                cut);

        assert_refused(to, short_one);
    }
}

/* Whatever one byte becomes: refused, or a state that can be saved again */
static void test_flip(void)
{
    static const uint8_t masks[] = { 0x01, 0x80, 0xff };
    g_autoptr(GBytes) state = busy_state();
    gsize size = g_bytes_get_size(state);

    for (gsize i = 0; i < size * ARRAY_SIZE(masks); i++) {
        g_autoptr(UefiTest) t = uefi_test_new(NULL);
        uint8_t *data = g_memdup2(g_bytes_get_data(state, NULL), size);
        g_autoptr(GBytes) flipped = g_bytes_new_take(data, size);

        data[i / ARRAY_SIZE(masks)] ^= masks[i % ARRAY_SIZE(masks)];
        if (load(t, flipped, NULL)) {
            g_autoptr(GBytes) again = uefi_vars_state_save(t->uv);

            g_assert_cmpuint(g_bytes_get_size(again), ==, size);
            uefi_vars_hard_reset(t->uv);
        } else {
            assert_refused(t, flipped);
        }
    }
}

/* Offsets of fields, and of those of the first variable */
enum {
    AT_VERSION = 0,
    AT_PHASE = 4,
    AT_COUNT = 8,
    AT_ATTRIBUTES = 12 + 16,
    AT_NAME_SIZE = AT_ATTRIBUTES + 4 + EFI_TIME_SIZE,
};

static void assert_field_refused(size_t at, uint32_t value)
{
    g_autoptr(UefiTest) t = uefi_test_new(NULL);
    g_autoptr(GBytes) state = busy_state();
    gsize size = g_bytes_get_size(state);
    uint8_t *data = g_memdup2(g_bytes_get_data(state, NULL), size);
    g_autoptr(GBytes) changed = g_bytes_new_take(data, size);
    UefiMsg msg;

    uefi_msg_init(&msg, data, size, 8);
    uefi_msg_seek(&msg, at);
    uefi_msg_put_u32(&msg, value);
    assert_refused(t, changed);
}

static void test_fields(void)
{
    static const uint32_t sizes[] = { 0, 1, 2, 3, 0x7fffffff, 0xffffffff };

    assert_field_refused(AT_VERSION, 0);
    assert_field_refused(AT_VERSION, 2);
    assert_field_refused(AT_PHASE, UEFI_PHASE__MAX);
    assert_field_refused(AT_PHASE, 0xffffffff);
    assert_field_refused(AT_COUNT, 0);
    assert_field_refused(AT_COUNT, 0xffffffff);
    assert_field_refused(AT_ATTRIBUTES, EFI_ATTR_ALL);
    assert_field_refused(AT_ATTRIBUTES, 0x80000007);
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        assert_field_refused(AT_NAME_SIZE, sizes[i]);
    }
}

static void test_no_room(void)
{
    UefiVarConfig config = uefi_vars_default_config();
    g_autoptr(UefiTest) from = uefi_test_new(NULL);
    g_autoptr(UefiTest) to = NULL;
    g_autoptr(GBytes) state = NULL;
    g_autofree char *data = g_strnfill(5000, 'x');

    config.limits.nv_size = UEFI_LIMIT_NV_SIZE_MIN;
    to = uefi_test_new(&config);
    uefi_assert_reason(uefi_test_set(from, TEST, "A", ATTR_NV_RT, data, 5000),
                       OK);
    state = uefi_vars_state_save(from->uv);
    assert_refused(to, state);
}

/* A private variable with a signer of @size bytes, whatever the rules say */
static void put_bound(UefiTest *t, const char *ascii, uint32_t attributes,
                      size_t size)
{
    g_autoptr(UefiVarChange) change = uefi_var_change_new();
    g_autofree uint16_t *name = uefi_str_from_ascii(ascii);
    UefiVariable *var = uefi_variable_new(TEST, name, attributes,
                                          g_bytes_new_static("x", 1));

    var->binding = g_bytes_new_take(g_malloc0(size), size);
    uefi_var_change_add(change, var);
    uefi_store_apply(t->uv->store, change);
}

/* Signers are limited one by one and all together, as in a file (10). */
static void test_signers(void)
{
    const size_t room = UEFI_LIMIT_NV_SIZE - 28;
    g_autoptr(UefiTest) to = uefi_test_new(NULL);

    for (int more = 0; more < 2; more++) {
        g_autoptr(UefiTest) one = uefi_test_new(NULL);
        g_autoptr(UefiTest) many = uefi_test_new(NULL);
        g_autoptr(GBytes) one_state = NULL;
        g_autoptr(GBytes) many_state = NULL;

        put_bound(one, "A", ATTR_AUTH, UEFI_LIMIT_BINDING + more);
        for (int i = 0; i < 0x40; i++) {
            g_autofree char *name = g_strdup_printf("%d", i);

            put_bound(many, name, ATTR_AUTH, room / 0x40);
        }
        put_bound(many, "last", ATTR_AUTH, room % 0x40 + more);
        one_state = uefi_vars_state_save(one->uv);
        many_state = uefi_vars_state_save(many->uv);
        if (more) {
            assert_refused(to, one_state);
            assert_refused(to, many_state);
        } else {
            g_assert_true(load(to, one_state, NULL));
            g_assert_true(load(to, many_state, NULL));
        }
    }
}

/* Nothing that a service can hold is larger than it says itself */
static void test_max(void)
{
    g_autoptr(UefiTest) t = uefi_test_new(NULL);
    g_autoptr(GBytes) state = NULL;

    for (unsigned i = 0; i < 10000; i++) {
        g_autofree char *name = g_strdup_printf("%u", i);

        uefi_test_set(t, TEST, name, ATTR_NV_RT, "x", 1);
        uefi_test_set(t, TEST, name, ATTR_BS_RT, "x", 1);
    }
    uefi_assert_reason(uefi_test_set(t, TEST, "more", ATTR_NV_RT, "x", 1),
                       STORE_FULL);
    state = uefi_vars_state_save(t->uv);
    g_assert_cmpuint(g_bytes_get_size(state), <, uefi_vars_state_max(t->uv));
}

/* Neither when the signers of a file take as much as all variables */
static void test_max_signers(void)
{
    UefiVarConfig config = uefi_vars_default_config();
    g_autoptr(UefiTest) t = NULL;
    g_autoptr(UefiTest) to = NULL;
    g_autoptr(GBytes) state = NULL;
    uint64_t room, volatile_room;

    config.limits.nv_size = 0x800000;
    t = uefi_test_new(&config);
    to = uefi_test_new(&config);
    room = uefi_store_capacity(t->uv->store, UEFI_CLASS_NV);
    volatile_room = uefi_store_capacity(t->uv->store, UEFI_CLASS_VOLATILE);
    for (unsigned i = 0; i < room / UEFI_LIMIT_BINDING; i++) {
        g_autofree char *name = g_strdup_printf("l%u", i);

        put_bound(t, name, ATTR_AUTH, UEFI_LIMIT_BINDING);
    }
    for (unsigned i = 0; uefi_store_used(t->uv->store, UEFI_CLASS_NV) + 100 <
                         room; i++) {
        g_autofree char *name = g_strdup_printf("%u", i);

        uefi_test_set(t, TEST, name, ATTR_NV_RT, "x", 1);
    }
    uefi_vars_hard_reset(t->uv);
    for (unsigned i = 0; uefi_store_used(t->uv->store, UEFI_CLASS_VOLATILE) +
                         100 < volatile_room; i++) {
        g_autofree char *name = g_strdup_printf("%u", i);

        put_bound(t, name, ATTR_BS_RT | EFI_ATTR_AT, 64);
    }
    state = uefi_vars_state_save(t->uv);
    g_assert_cmpuint(g_bytes_get_size(state), <, uefi_vars_state_max(t->uv));
    g_assert_true(load(to, state, NULL));
}

/* ------------------------------------------------------------------------ */
/* A snapshot is loaded while a change waits for its disk */

typedef struct Overtaken {
    UefiTest *t;
    GBytes *state;              /* that is loaded, once */
} Overtaken;

static UefiReason save_overtaken(void *opaque, const UefiVarChange *change)
{
    Overtaken *o = opaque;
    g_autoptr(GBytes) state = g_steal_pointer(&o->state);

    g_assert_nonnull(state);
    g_assert_true(load(o->t, state, NULL));
    return UEFI_REASON_SAVE_FAILED;
}

static void overtaken_set(UefiTest *t)
{
    uefi_assert_reason(uefi_test_set(t, TEST, "New", ATTR_NV_RT, "x", 1),
                       SAVE_FAILED);
}

static void overtaken_delete(UefiTest *t)
{
    uefi_assert_reason(uefi_test_set(t, TEST, "Old", ATTR_NV_RT, NULL, 0),
                       SAVE_FAILED);
}

static void overtaken_end_of_dxe(UefiTest *t)
{
    uefi_test_event(t, &uefi_guid_end_of_dxe);
}

static void overtaken_exit(UefiTest *t)
{
    uefi_test_event(t, &uefi_guid_exit_boot_services);
}

static void overtaken_reset(UefiTest *t)
{
    uefi_vars_hard_reset(t->uv);
}

/* The last guess of the key, which counts whatever becomes of it */
static void overtaken_unlock(UefiTest *t)
{
    uefi_test_set(t, &uefi_guid_mor_control_lock,
                  "MemoryOverwriteRequestControlLock", ATTR_NV_RT, "87654321",
                  UEFI_MOR_KEY_SIZE);
}

static void overtaken_host(UefiTest *t)
{
    g_autofree uint16_t *name = uefi_str_from_ascii("Old");
    g_autoptr(UefiVarService) uv = uefi_vars_ref(t->uv);

    g_assert_cmpint(uefi_vars_host_delete(uv, TEST, name, false), ==,
                    UEFI_REASON_SAVE_FAILED);
}

/* A machine with something to do in each of these */
static UefiTest *overtaken_machine(void)
{
    UefiTest *t = uefi_test_new(NULL);
    uint8_t on = 1;

    uefi_assert_reason(uefi_test_set(t, TEST, "Old", ATTR_NV_RT, "x", 1), OK);
    uefi_assert_reason(uefi_test_set(t, &uefi_guid_custom_mode, "CustomMode",
                                     EFI_ATTR_NV | EFI_ATTR_BS, &on, 1), OK);
    uefi_assert_reason(uefi_test_set(t, &uefi_guid_mor_control,
                                     "MemoryOverwriteRequestControl",
                                     ATTR_NV_RT, &on, 1), OK);
    uefi_assert_reason(uefi_test_set(t, &uefi_guid_mor_control_lock,
                                     "MemoryOverwriteRequestControlLock",
                                     ATTR_NV_RT, "12345678",
                                     UEFI_MOR_KEY_SIZE), OK);
    return t;
}

static void test_overtaken(void)
{
    static const UefiVarHost host = { .save = save_overtaken };
    static void (*const requests[])(UefiTest *t) = {
        overtaken_set, overtaken_delete, overtaken_end_of_dxe, overtaken_exit,
        overtaken_reset, overtaken_unlock, overtaken_host
    };
    g_autoptr(UefiTest) from = uefi_test_new(NULL);
    g_autoptr(GBytes) state = NULL;

    uefi_assert_reason(uefi_test_set(from, TEST, "Old", ATTR_NV_RT, "y", 1),
                       OK);
    state = uefi_vars_state_save(from->uv);
    for (size_t i = 0; i < G_N_ELEMENTS(requests); i++) {
        g_autoptr(UefiTest) t = overtaken_machine();
        Overtaken o = { t, g_bytes_ref(state) };
        g_autoptr(GBytes) after = NULL;

        t->uv->host = &host;
        t->uv->host_opaque = &o;
        requests[i](t);
        g_assert_null(o.state);
        after = uefi_vars_state_save(t->uv);
        g_assert_true(g_bytes_equal(state, after));
        g_assert_false(t->uv->mor.locked);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    g_test_add_func("/uefi/state/round-trip", test_round_trip);
    g_test_add_func("/uefi/state/empty", test_empty);
    g_test_add_func("/uefi/state/cut", test_cut);
    g_test_add_func("/uefi/state/longer", test_longer);
    g_test_add_func("/uefi/state/parts/optional", test_optional_parts);
    g_test_add_func("/uefi/state/parts/other", test_other_parts);
    g_test_add_func("/uefi/state/flip", test_flip);
    g_test_add_func("/uefi/state/fields", test_fields);
    g_test_add_func("/uefi/state/no-room", test_no_room);
    g_test_add_func("/uefi/state/H9/signers", test_signers);
    g_test_add_func("/uefi/state/max", test_max);
    g_test_add_func("/uefi/state/max-signers", test_max_signers);
    g_test_add_func("/uefi/state/overtaken", test_overtaken);
    return g_test_run();
}
