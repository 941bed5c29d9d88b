/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Unit test of the UEFI variable service: messages of XenServer's firmware
 * (docs/specs/uefi-vars-xen.rst)
 */

#include "qemu/osdep.h"
#include "hw/uefi/var-service-xen-messages.h"
#include "uefi-test.h"

#define ROOM    512     /* of most messages, bytes; replies use it, too */

/* A message under construction; the reply after send() */
typedef struct Msg {
    GByteArray *bytes;
    size_t reply;       /* bytes of the reply */
    size_t pos;         /* of the next get */
} Msg;

static Msg *msg_new(uint32_t version, uint32_t command)
{
    Msg *m = g_new0(Msg, 1);

    m->bytes = g_byte_array_new();
    uefi_test_add(m->bytes, version, 4);
    uefi_test_add(m->bytes, command, 4);
    return m;
}

static void msg_free(Msg *m)
{
    g_byte_array_unref(m->bytes);
    g_free(m);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Msg, msg_free)

static void put_blob(Msg *m, const void *data, size_t size)
{
    uefi_test_add(m->bytes, size, 8);
    g_byte_array_append(m->bytes, data, size);
}

static void put_name(Msg *m, const char *name)
{
    uefi_test_add(m->bytes, 2 * strlen(name), 8);
    for (; *name; name++) {
        uefi_test_add(m->bytes, *name, 2);
    }
}

static void put_guid(Msg *m)
{
    g_byte_array_append(m->bytes, uefi_test_guid.b, sizeof(uefi_test_guid.b));
}

/* Exchange it in a heap block of @size bytes, its own size or more */
static void exchange(UefiTest *t, Msg *m, size_t size)
{
    g_autofree uint8_t *buf = g_malloc(MAX(size, 1));
    size_t sent = MIN(m->bytes->len, size);

    memset(buf, 0xa5, size);
    memcpy(buf, m->bytes->data, sent);
    m->reply = uefi_xen_message(t->uv, buf, size);
    g_assert_cmpint(m->reply, <=, size);
    /* What is behind the reply stays. */
    for (size_t i = m->reply; i < size; i++) {
        g_assert_cmphex(buf[i], ==, i < sent ? m->bytes->data[i] : 0xa5);
    }
    g_byte_array_set_size(m->bytes, 0);
    g_byte_array_append(m->bytes, buf, m->reply);
}

static uint64_t get(Msg *m, unsigned size)
{
    uint64_t value = 0;

    g_assert_cmpint(size, <=, m->reply - m->pos);
    for (unsigned i = 0; i < size; i++) {
        value |= (uint64_t)m->bytes->data[m->pos++] << 8 * i;
    }
    return value;
}

static EfiStatus send(UefiTest *t, Msg *m)
{
    uint64_t status;

    exchange(t, m, ROOM);
    status = get(m, 8);
    g_assert_cmpint(status >> 63, ==, (uint32_t)status ? 1 : 0);
    return status & ~(1ull << 63);
}

static void assert_end(const Msg *m)
{
    g_assert_cmpint(m->pos, ==, m->reply);
}

static Msg *msg_set(const char *name, uint32_t attributes, const char *value,
                    bool at_runtime)
{
    Msg *m = msg_new(1, UEFI_XEN_SET_VARIABLE);

    put_name(m, name);
    put_guid(m);
    put_blob(m, value, strlen(value));
    uefi_test_add(m->bytes, attributes, 4);
    uefi_test_add(m->bytes, at_runtime, 1);
    return m;
}

static Msg *msg_get(const char *name, uint64_t capacity, bool at_runtime)
{
    Msg *m = msg_new(1, UEFI_XEN_GET_VARIABLE);

    put_name(m, name);
    put_guid(m);
    uefi_test_add(m->bytes, capacity, 8);
    uefi_test_add(m->bytes, at_runtime, 1);
    return m;
}

static Msg *msg_next(const char *name, uint64_t capacity, bool at_runtime)
{
    Msg *m = msg_new(1, UEFI_XEN_GET_NEXT_VARIABLE_NAME);

    uefi_test_add(m->bytes, capacity, 8);
    put_name(m, name);
    put_guid(m);
    uefi_test_add(m->bytes, at_runtime, 1);
    return m;
}

static EfiStatus set(UefiTest *t, const char *name, uint32_t attributes,
                     const char *value, bool at_runtime)
{
    g_autoptr(Msg) m = msg_set(name, attributes, value, at_runtime);
    EfiStatus status = send(t, m);

    assert_end(m);
    return status;
}

static void assert_value(UefiTest *t, const char *name, uint32_t attributes,
                         const char *value, bool at_runtime)
{
    g_autoptr(Msg) m = msg_get(name, strlen(value), at_runtime);

    g_assert_cmpint(send(t, m), ==, EFI_SUCCESS);
    g_assert_cmphex(get(m, 4), ==, attributes);
    g_assert_cmpint(get(m, 8), ==, strlen(value));
    g_assert_cmpmem(m->bytes->data + m->pos, m->reply - m->pos, value,
                    strlen(value));
}

static EfiStatus status_of_get(UefiTest *t, const char *name, bool at_runtime)
{
    g_autoptr(Msg) m = msg_get(name, 100, at_runtime);

    return send(t, m);
}

/* ------------------------------------------------------------------------ */

static void test_get_set(void)
{
    g_autoptr(UefiTest) t = uefi_test_new(NULL);
    g_autoptr(Msg) small = msg_get("Var", 4, false);
    g_autoptr(Msg) missing = msg_get("Other", 100, false);
    unsigned saves;

    /* the first request has the end of DXE before it */
    g_assert_cmpint(status_of_get(t, "Var", false), ==, EFI_NOT_FOUND);
    saves = t->saves;
    g_assert_cmpint(set(t, "Var", ATTR_NV_BS, "value", false), ==,
                    EFI_SUCCESS);
    assert_value(t, "Var", ATTR_NV_BS, "value", false);
    g_assert_cmpint(t->saves, ==, saves + 1);

    g_assert_cmpint(send(t, small), ==, EFI_BUFFER_TOO_SMALL);
    g_assert_cmpint(get(small, 8), ==, 5);
    assert_end(small);
    g_assert_cmpint(send(t, missing), ==, EFI_NOT_FOUND);
    assert_end(missing);
    g_assert_cmpint(set(t, "Var", ATTR_BS, "other", false), ==,
                    EFI_INVALID_PARAMETER);
    g_assert_cmpint(set(t, "", ATTR_BS, "value", false), ==,
                    EFI_INVALID_PARAMETER);
    g_assert_cmpint(set(t, "Var", 0, "", false), ==, EFI_SUCCESS);
    g_assert_cmpint(status_of_get(t, "Var", false), ==, EFI_NOT_FOUND);
}

/* More than the message has room for can't be had. */
static void test_large(void)
{
    g_autoptr(UefiTest) t = uefi_test_new(NULL);
    g_autofree char *value = g_strnfill(ROOM - 8 - 4 - 8 + 1, 'x');
    g_autoptr(Msg) m = msg_get("Var", UINT64_MAX, false);
    g_autoptr(Msg) writing = msg_set("Var", ATTR_BS, value, false);

    exchange(t, writing, UEFI_XEN_MESSAGE_SIZE);
    g_assert_cmphex(get(writing, 8), ==, EFI_SUCCESS);
    g_assert_cmpint(send(t, m), ==, EFI_BUFFER_TOO_SMALL);
    g_assert_cmpint(get(m, 8), ==, strlen(value));
    assert_end(m);
    value[strlen(value) - 1] = 0;
    g_clear_pointer(&writing, msg_free);
    writing = msg_set("Var", ATTR_BS, value, false);
    exchange(t, writing, UEFI_XEN_MESSAGE_SIZE);
    assert_value(t, "Var", ATTR_BS, value, false);
}

static void test_next(void)
{
    g_autoptr(UefiTest) t = uefi_test_new(NULL);
    g_autoptr(Msg) first = NULL, small = NULL, unknown = NULL;

    g_assert_cmpint(set(t, "One", ATTR_BS, "1", false), ==, EFI_SUCCESS);
    g_assert_cmpint(set(t, "Two", ATTR_BS, "2", false), ==, EFI_SUCCESS);
    first = msg_next("One", 8, false);
    g_assert_cmpint(send(t, first), ==, EFI_SUCCESS);
    g_assert_cmpint(get(first, 8), ==, 6);
    g_assert_cmpint(get(first, 2), ==, 'T');
    g_assert_cmpint(get(first, 2), ==, 'w');
    g_assert_cmpint(get(first, 2), ==, 'o');
    g_assert_cmpmem(first->bytes->data + first->pos, 16, uefi_test_guid.b,
                    16);
    first->pos += 16;
    assert_end(first);

    small = msg_next("One", 7, false);
    g_assert_cmpint(send(t, small), ==, EFI_BUFFER_TOO_SMALL);
    g_assert_cmpint(get(small, 8), ==, 8);
    assert_end(small);
    unknown = msg_next("None", 100, false);
    g_assert_cmpint(send(t, unknown), ==, EFI_INVALID_PARAMETER);
    assert_end(unknown);
}

/* From one to the next, as a guest does, until there is no more */
static void test_all(void)
{
    g_autoptr(UefiTest) t = uefi_test_new(NULL);
    g_autoptr(GByteArray) where = g_byte_array_new();
    const UefiVariable *var = NULL;
    unsigned found = 0, there = 0;

    g_assert_cmpint(set(t, "One", ATTR_NV_BS, "1", false), ==, EFI_SUCCESS);
    uefi_test_add(where, 0, 8);                 /* empty name, any GUID */
    uefi_test_add(where, 0, 8);
    uefi_test_add(where, 0, 8);
    for (;;) {
        g_autoptr(Msg) m = msg_new(1, UEFI_XEN_GET_NEXT_VARIABLE_NAME);
        EfiStatus status;

        uefi_test_add(m->bytes, 100, 8);
        g_byte_array_append(m->bytes, where->data, where->len);
        uefi_test_add(m->bytes, 0, 1);
        status = send(t, m);
        if (status != EFI_SUCCESS) {
            g_assert_cmpint(status, ==, EFI_NOT_FOUND);
            assert_end(m);
            break;
        }
        /* Name and GUID come as they go. */
        g_byte_array_set_size(where, 0);
        g_byte_array_append(where, m->bytes->data + 8, m->reply - 8);
        found++;
    }
    while ((var = uefi_store_next(t->uv->store, UEFI_VIEW_BOOT, var))) {
        there++;
    }
    g_assert_cmpint(found, ==, there);
}

static void test_query(void)
{
    g_autoptr(UefiTest) t = uefi_test_new(NULL);
    g_autoptr(Msg) m = msg_new(1, UEFI_XEN_QUERY_VARIABLE_INFO);
    g_autoptr(Msg) bad = msg_new(1, UEFI_XEN_QUERY_VARIABLE_INFO);
    uint64_t maximum;

    uefi_test_add(m->bytes, ATTR_NV_BS, 4);
    g_assert_cmpint(send(t, m), ==, EFI_SUCCESS);
    maximum = get(m, 8);
    g_assert_cmpint(maximum, >, 0);
    g_assert_cmpint(get(m, 8), <=, maximum);
    /* what a SetVariable of this size can carry */
    g_assert_cmpint(get(m, 8), ==, ROOM - 45);
    assert_end(m);
    uefi_test_add(bad->bytes, 0, 4);
    g_assert_cmpint(send(t, bad), ==, EFI_INVALID_PARAMETER);
    assert_end(bad);
}

static void test_notify(void)
{
    g_autoptr(UefiTest) t = uefi_test_new(NULL);
    g_autoptr(Msg) m = msg_new(1, UEFI_XEN_NOTIFY_SECURE_BOOT_FAILURE);

    g_assert_cmpint(send(t, m), ==, EFI_SUCCESS);
    assert_end(m);
}

static void test_unknown(void)
{
    static const uint32_t heads[][2] = {
        { 0, UEFI_XEN_GET_VARIABLE }, { 2, UEFI_XEN_GET_VARIABLE },
        { 0x100, UEFI_XEN_GET_VARIABLE }, { 1, 5 }, { 1, UINT32_MAX },
    };
    g_autoptr(UefiTest) t = uefi_test_new(NULL);

    for (size_t i = 0; i < ARRAY_SIZE(heads); i++) {
        g_autoptr(Msg) m = msg_new(heads[i][0], heads[i][1]);

        exchange(t, m, ROOM);
        g_assert_cmpint(m->reply, ==, 0);
    }
    g_assert_cmpint(t->uv->phase, ==, UEFI_PHASE_DXE);
}

/* The boot does not come back, and a broken request does not end it. */
static void test_phase(void)
{
    g_autoptr(UefiTest) t = uefi_test_new(NULL);
    g_autoptr(Msg) cut = msg_get("Boot", 100, true);

    g_assert_cmpint(set(t, "Boot", ATTR_NV_BS, "b", false), ==, EFI_SUCCESS);
    g_assert_cmpint(set(t, "Both", ATTR_NV_RT, "r", false), ==, EFI_SUCCESS);
    g_assert_cmpint(t->uv->phase, ==, UEFI_PHASE_END_OF_DXE);
    exchange(t, cut, cut->bytes->len - 1);
    g_assert_cmpint(cut->reply, ==, 8);
    g_assert_cmpint(get(cut, 8) & 0xff, ==, EFI_ACCESS_DENIED);
    g_assert_cmpint(t->uv->phase, ==, UEFI_PHASE_END_OF_DXE);

    g_assert_cmpint(status_of_get(t, "Boot", true), ==, EFI_NOT_FOUND);
    g_assert_cmpint(t->uv->phase, ==, UEFI_PHASE_RUNTIME);
    g_assert_cmpint(status_of_get(t, "Boot", false), ==, EFI_NOT_FOUND);
    assert_value(t, "Both", ATTR_NV_RT, "r", false);
    g_assert_cmpint(set(t, "New", ATTR_NV_BS, "n", false), ==,
                    EFI_INVALID_PARAMETER);

    uefi_vars_hard_reset(t->uv);
    assert_value(t, "Boot", ATTR_NV_BS, "b", false);
}

/* Every request, cut to every length: never a byte beyond its end */
static void test_cut(void)
{
    g_autoptr(UefiTest) t = uefi_test_new(NULL);

    g_assert_cmpint(set(t, "Var", ATTR_BS, "v", false), ==, EFI_SUCCESS);
    for (unsigned command = 0; command < 4; command++) {
        for (size_t size = 0; ; size++) {
            g_autoptr(Msg) m =
                command == UEFI_XEN_GET_VARIABLE ? msg_get("Var", 9, 0) :
                command == UEFI_XEN_SET_VARIABLE
                    ? msg_set("New", ATTR_BS, "new", 0) :
                command == UEFI_XEN_GET_NEXT_VARIABLE_NAME
                    ? msg_next("", 99, 0) : msg_new(1, command);

            if (command == UEFI_XEN_QUERY_VARIABLE_INFO) {
                uefi_test_add(m->bytes, ATTR_BS, 4);
            }
            if (size == m->bytes->len) {
                break;
            }
            exchange(t, m, size);
            g_assert_cmpint(m->reply, ==, size < 8 ? 0 : 8);
            if (m->reply) {
                g_assert_cmpint(get(m, 8) & 0xff, ==, EFI_ACCESS_DENIED);
            }
        }
    }
    g_assert_cmpint(status_of_get(t, "New", false), ==, EFI_NOT_FOUND);
}

/* Lengths that lie, half a unit, NUL in a name */
static void test_names(void)
{
    static const uint64_t sizes[] = {
        3, 1, 7, ROOM, UINT32_MAX, UINT64_MAX, UINT64_MAX - 7, 1ull << 63,
    };
    g_autoptr(UefiTest) t = uefi_test_new(NULL);

    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        for (unsigned command = 0; command < 3; command++) {
            g_autoptr(Msg) m = msg_new(1, command);

            if (command == UEFI_XEN_GET_NEXT_VARIABLE_NAME) {
                uefi_test_add(m->bytes, 100, 8);
            }
            uefi_test_add(m->bytes, sizes[i], 8);
            for (int j = 0; j < 60; j++) {
                uefi_test_add(m->bytes, 'x', 2);
            }
            g_assert_cmpint(send(t, m), ==, EFI_ACCESS_DENIED);
            assert_end(m);
        }
    }
    {
        g_autoptr(Msg) m = msg_set("Name", ATTR_BS, "v", false);

        m->bytes->data[8 + 8 + 2] = 0;
        g_assert_cmpint(send(t, m), ==, EFI_ACCESS_DENIED);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/uefi-vars/xen/get-set", test_get_set);
    g_test_add_func("/uefi-vars/xen/large", test_large);
    g_test_add_func("/uefi-vars/xen/next", test_next);
    g_test_add_func("/uefi-vars/xen/all", test_all);
    g_test_add_func("/uefi-vars/xen/query", test_query);
    g_test_add_func("/uefi-vars/xen/notify", test_notify);
    g_test_add_func("/uefi-vars/xen/unknown", test_unknown);
    g_test_add_func("/uefi-vars/xen/phase", test_phase);
    g_test_add_func("/uefi-vars/xen/cut", test_cut);
    g_test_add_func("/uefi-vars/xen/names", test_names);
    return g_test_run();
}
