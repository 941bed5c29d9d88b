/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: the database of variables
 */

#include "qemu/osdep.h"
#include "uefi-test.h"

typedef struct StoreTest {
    UefiVarLimits limits;
    UefiVarStore *store;
} StoreTest;

static void setup(StoreTest *t, gconstpointer unused)
{
    t->limits = uefi_vars_default_config().limits;
    t->store = uefi_store_new(&t->limits);
}

static void teardown(StoreTest *t, gconstpointer unused)
{
    uefi_store_free(t->store);
}

static void add(UefiVarChange *change, const char *name, uint32_t attributes,
                size_t size)
{
    g_autofree uint16_t *str = uefi_str_from_ascii(name);
    g_autofree char *value = g_strnfill(size, 'x');

    uefi_var_change_add(change,
                        uefi_variable_new(&uefi_test_guid, str, attributes,
                                          g_bytes_new(value, size)));
}

static void put(StoreTest *t, const char *name, uint32_t attributes,
                size_t size)
{
    g_autoptr(UefiVarChange) change = uefi_var_change_new();

    add(change, name, attributes, size);
    uefi_assert_reason(uefi_store_check(t->store, change), OK);
    uefi_store_apply(t->store, change);
    g_assert_cmpuint(change->vars->len, ==, 0);
}

static void del(StoreTest *t, const char *name)
{
    g_autoptr(UefiVarChange) change = uefi_var_change_new();
    g_autofree uint16_t *str = uefi_str_from_ascii(name);

    uefi_var_change_remove(change, &uefi_test_guid, str);
    uefi_store_apply(t->store, change);
}

static void check_order(StoreTest *t, UefiVarView view, const char *expected)
{
    g_autoptr(GString) list = g_string_new(NULL);
    const UefiVariable *var = NULL;

    while ((var = uefi_store_next(t->store, view, var))) {
        g_autofree char *name = uefi_str_print(var->name);

        g_string_append(list, name);
    }
    g_assert_cmpstr(list->str, ==, expected);
}

static const UefiVariable *find(StoreTest *t, UefiVarView view,
                                const char *name)
{
    return uefi_store_find_ascii(t->store, view, &uefi_test_guid, name);
}

/* 8: volatile first; create and update move to the end, deletion does not */
static void test_order(StoreTest *t, gconstpointer unused)
{
    check_order(t, UEFI_VIEW_BOOT, "");
    put(t, "a", ATTR_NV_RT, 1);
    put(t, "b", ATTR_BS, 1);
    put(t, "c", ATTR_NV_BS, 1);
    put(t, "d", ATTR_BS_RT, 1);
    put(t, "e", ATTR_NV_RT, 1);
    check_order(t, UEFI_VIEW_BOOT, "bdace");
    check_order(t, UEFI_VIEW_RUNTIME, "dae");
    put(t, "a", ATTR_NV_RT, 2);
    put(t, "b", ATTR_BS, 2);
    check_order(t, UEFI_VIEW_BOOT, "dbcea");
    check_order(t, UEFI_VIEW_RUNTIME, "dea");
    del(t, "e");
    del(t, "nobody");
    check_order(t, UEFI_VIEW_BOOT, "dbca");
    del(t, "a");
    del(t, "c");
    check_order(t, UEFI_VIEW_BOOT, "db");
    check_order(t, UEFI_VIEW_RUNTIME, "d");
    del(t, "d");
    check_order(t, UEFI_VIEW_RUNTIME, "");
}

/* A change can keep the place of a variable, as edk2 does for SetupMode. */
static void test_in_place(StoreTest *t, gconstpointer unused)
{
    g_autoptr(UefiVarChange) change = uefi_var_change_new();
    UefiVariable *var;

    put(t, "a", ATTR_BS_RT, 1);
    put(t, "b", ATTR_BS_RT, 1);
    add(change, "a", ATTR_BS_RT, 8);
    var = change->vars->pdata[0];
    var->in_place = true;
    uefi_store_apply(t->store, change);
    check_order(t, UEFI_VIEW_BOOT, "ab");
    check_order(t, UEFI_VIEW_RUNTIME, "ab");
    g_assert_cmpuint(g_bytes_get_size(find(t, UEFI_VIEW_BOOT, "a")->data), ==,
                     8);
    g_assert_cmpuint(uefi_store_used(t->store, UEFI_CLASS_VOLATILE), ==,
                     72 + 68);
}

static void test_find(StoreTest *t, gconstpointer unused)
{
    put(t, "boot", ATTR_NV_BS, 1);
    put(t, "both", ATTR_BS_RT, 1);
    g_assert_nonnull(find(t, UEFI_VIEW_BOOT, "boot"));
    g_assert_null(find(t, UEFI_VIEW_RUNTIME, "boot"));
    g_assert_nonnull(find(t, UEFI_VIEW_RUNTIME, "both"));
    g_assert_null(find(t, UEFI_VIEW_BOOT, "Boot"));
    g_assert_null(find(t, UEFI_VIEW_BOOT, "boo"));
    g_assert_null(uefi_store_find_ascii(t->store, UEFI_VIEW_BOOT,
                                        &uefi_guid_global, "boot"));
    uefi_store_drop_volatile(t->store);
    g_assert_null(find(t, UEFI_VIEW_BOOT, "both"));
    g_assert_nonnull(find(t, UEFI_VIEW_BOOT, "boot"));
}

/* 3.8, 12: a record is 60 bytes, the name and the value, padded to 4 */
static void test_record(StoreTest *t, gconstpointer unused)
{
    g_autofree uint16_t *a = uefi_str_from_ascii("A");
    g_autofree uint16_t *ab = uefi_str_from_ascii("AB");

    g_assert_cmpuint(uefi_store_record_size(a, 1), ==, 68);
    g_assert_cmpuint(uefi_store_record_size(a, 4), ==, 68);
    g_assert_cmpuint(uefi_store_record_size(a, 5), ==, 72);
    g_assert_cmpuint(uefi_store_record_size(ab, 0), ==, 68);
    put(t, "A", ATTR_NV_RT, 1);
    put(t, "AB", ATTR_BS_RT, 9);
    g_assert_cmpuint(uefi_store_used(t->store, UEFI_CLASS_NV), ==, 68);
    g_assert_cmpuint(uefi_store_used(t->store, UEFI_CLASS_VOLATILE), ==, 80);
    put(t, "A", ATTR_NV_RT, 100);
    g_assert_cmpuint(uefi_store_used(t->store, UEFI_CLASS_NV), ==, 164);
    del(t, "A");
    g_assert_cmpuint(uefi_store_used(t->store, UEFI_CLASS_NV), ==, 0);
}

/* 4.5: each class has its own quota, used up to the last byte */
static void test_quota(StoreTest *t, gconstpointer unused)
{
    g_autoptr(UefiVarChange) change = uefi_var_change_new();

    t->limits.nv_size = 28 + 200;
    t->limits.volatile_size = 28 + 100;
    g_assert_cmpuint(uefi_store_capacity(t->store, UEFI_CLASS_NV), ==, 200);
    put(t, "A", ATTR_NV_RT, 136);           /* 60 + 4 + 136 */
    g_assert_cmpuint(uefi_store_used(t->store, UEFI_CLASS_NV), ==, 200);

    add(change, "B", ATTR_NV_RT, 1);
    uefi_assert_reason(uefi_store_check(t->store, change), STORE_FULL);
    g_ptr_array_set_size(change->vars, 0);
    add(change, "A", ATTR_NV_RT, 137);
    uefi_assert_reason(uefi_store_check(t->store, change), STORE_FULL);
    g_ptr_array_set_size(change->vars, 0);
    add(change, "A", ATTR_NV_RT, 136);
    uefi_assert_reason(uefi_store_check(t->store, change), OK);
    g_ptr_array_set_size(change->vars, 0);

    add(change, "V", ATTR_BS, 37);
    uefi_assert_reason(uefi_store_check(t->store, change),
                       STORE_VOLATILE_FULL);
    g_ptr_array_set_size(change->vars, 0);
    add(change, "V", ATTR_BS, 36);
    uefi_assert_reason(uefi_store_check(t->store, change), OK);

    /* an overfull store can shrink, and only shrink */
    g_ptr_array_set_size(change->vars, 0);
    t->limits.nv_size = 28 + 100;
    add(change, "A", ATTR_NV_RT, 132);
    uefi_assert_reason(uefi_store_check(t->store, change), OK);
    g_ptr_array_set_size(change->vars, 0);
    add(change, "A", ATTR_NV_RT, 140);
    uefi_assert_reason(uefi_store_check(t->store, change), STORE_FULL);
}

/* What a transaction leaves counts, not what it passes through. */
static void test_transaction(StoreTest *t, gconstpointer unused)
{
    g_autoptr(UefiVarChange) change = uefi_var_change_new();
    g_autofree uint16_t *a = uefi_str_from_ascii("A");

    t->limits.nv_size = 28 + 200;
    put(t, "A", ATTR_NV_RT, 136);
    add(change, "B", ATTR_NV_RT, 136);
    add(change, "C", ATTR_NV_RT, 136);
    uefi_var_change_remove(change, &uefi_test_guid, a);
    uefi_assert_reason(uefi_store_check(t->store, change), STORE_FULL);
    uefi_var_change_remove(change, &uefi_test_guid,
                           ((UefiVariable *)change->vars->pdata[1])->name);
    uefi_assert_reason(uefi_store_check(t->store, change), OK);
    g_assert_true(uefi_var_change_touches_nv(t->store, change));
    uefi_store_apply(t->store, change);
    check_order(t, UEFI_VIEW_BOOT, "B");
}

static void test_hwerr(StoreTest *t, gconstpointer unused)
{
    t->limits.hwerr_quota = 0x1000;
    put(t, "H", ATTR_NV_RT | EFI_ATTR_HR, 4);
    g_assert_cmpuint(uefi_store_used(t->store, UEFI_CLASS_HWERR), ==, 68);
    g_assert_cmpuint(uefi_store_used(t->store, UEFI_CLASS_NV), ==, 0);
    g_assert_cmpuint(uefi_store_capacity(t->store, UEFI_CLASS_NV), ==,
                     UEFI_LIMIT_NV_SIZE - 28 - 0x1000);
}

static void test_touches_nv(StoreTest *t, gconstpointer unused)
{
    g_autoptr(UefiVarChange) change = uefi_var_change_new();
    g_autofree uint16_t *name = uefi_str_from_ascii("N");

    add(change, "V", ATTR_BS_RT, 1);
    uefi_var_change_remove(change, &uefi_test_guid, name);
    g_assert_false(uefi_var_change_touches_nv(t->store, change));
    put(t, "N", ATTR_NV_RT, 1);
    g_assert_true(uefi_var_change_touches_nv(t->store, change));
}

/* Lookup and enumeration must not slow down with the store. */
static void test_many(StoreTest *t, gconstpointer unused)
{
    const UefiVariable *var = NULL;
    unsigned count = 0;

    t->limits.nv_size = 0x4000000;
    for (unsigned i = 0; i < 20000; i++) {
        g_autofree char *name = g_strdup_printf("Variable%05u", i);

        put(t, name, i % 100 ? ATTR_NV_BS : ATTR_NV_RT, 8);
    }
    while ((var = uefi_store_next(t->store, UEFI_VIEW_RUNTIME, var))) {
        g_assert_true(uefi_store_find(t->store, UEFI_VIEW_RUNTIME,
                                      &var->guid, var->name) == var);
        count++;
    }
    g_assert_cmpuint(count, ==, 200);
}

#define TEST(path, func) \
    g_test_add("/uefi/store/" path, StoreTest, NULL, setup, func, teardown)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    TEST("8/order", test_order);
    TEST("8/in-place", test_in_place);
    TEST("8/find", test_find);
    TEST("3.8/record", test_record);
    TEST("4.5/quota", test_quota);
    TEST("4.5/transaction", test_transaction);
    TEST("4.5/hwerr", test_hwerr);
    TEST("touches-nv", test_touches_nv);
    TEST("8/many", test_many);
    return g_test_run();
}
