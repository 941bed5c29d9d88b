/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * QTest of the UEFI variable service: streams of the device that is bundled
 * with QEMU 10.0
 *
 * A stream of our own is made, and the state of the device in it replaced by
 * one with the fields of the bundled device.
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "libqtest.h"
#include "libqos/uefi-vars.h"

#define SECTION_NAME    "uefi-vars-sysbus"
#define SECTION_FOOTER  0x7e
#define BUFFER_SIZE     64

typedef struct Adopt {
    QUefiVars *from;
    char *stream;           /* path */
    char *jsonfile;         /* path, of the machine that loads */
} Adopt;

/* ------------------------------------------------------------------------ */
/* Fields of the stream, big endian */

static void put(GByteArray *out, unsigned width, uint64_t value)
{
    while (width--) {
        uint8_t byte = value >> (8 * width);

        g_byte_array_append(out, &byte, 1);
    }
}

static void put_msg(GByteArray *out, const QUefiMsg *msg)
{
    g_byte_array_append(out, msg->bytes->data, msg->bytes->len);
}

/* EFI_TIME 2024-01-02 03:04:05 */
static void put_time(GByteArray *out)
{
    put(out, 2, 2024);
    put(out, 5, 0x0102030405);
    put(out, 4, 0);
}

static void put_variable(GByteArray *out, const char *guid, const char *name,
                         uint32_t attributes, const char *text)
{
    g_autoptr(QUefiMsg) msg = quefi_buf_new();

    quefi_put_guid(msg, guid);
    put(out, 1, 1);
    put_msg(out, msg);
    put(out, 4, quefi_str_size(name));
    put(out, 4, strlen(text));
    put(out, 4, attributes);
    g_byte_array_set_size(msg->bytes, 0);
    quefi_put_str(msg, name);
    quefi_put_bytes(msg, text, strlen(text));
    put_msg(out, msg);
    put_time(out);
}

/* A LOCK_NOW policy (6.2) */
static void put_policy(GByteArray *out, const char *name)
{
    g_autoptr(QUefiMsg) msg = quefi_buf_new();
    size_t size = EFI_VAR_POLICY_ENTRY_SIZE + quefi_str_size(name);

    quefi_put(msg, 4, EFI_VAR_POLICY_ENTRY_VERSION);
    quefi_put(msg, 2, size);
    quefi_put(msg, 2, EFI_VAR_POLICY_ENTRY_SIZE);
    quefi_put_guid(msg, QUEFI_VENDOR);
    quefi_put(msg, 4, 0);
    quefi_put(msg, 4, UINT32_MAX);
    quefi_put(msg, 8, 0);
    quefi_put(msg, 4, EFI_VAR_POLICY_LOCK_NOW);
    quefi_put_str(msg, name);
    put(out, 1, 1);
    put(out, 4, size);
    put_msg(out, msg);
}

static void put_registers(GByteArray *out, const QUefiVars *uv,
                          uint32_t buffer_size, uint32_t offset)
{
    put(out, 2, UEFI_VARS_STS_SUCCESS);
    put(out, 4, buffer_size);
    put(out, 4, (uint32_t)uv->buffer);
    put(out, 4, uv->buffer >> 32);
    put(out, 4, offset);
    for (uint32_t i = 0; i < buffer_size; i++) {
        put(out, 1, i);
    }
}

/* @phases: EndOfDxe, ReadyToBoot, ExitBootServices, policies locked */
static void put_phases(GByteArray *out, uint32_t phases)
{
    put(out, 4, phases);
    put(out, 8, 1000);      /* bytes used */
}

/* ------------------------------------------------------------------------ */
/* The file */

static size_t find(const uint8_t *data, size_t size, size_t from,
                   const void *what, size_t length)
{
    const uint8_t *at = memmem(data + from, size - from, what, length);

    g_assert_nonnull(at);
    return at - data;
}

/*
 * Put @state in place of what the stream says of the device.  The section's
 * name is between its number and 4 bytes each of instance and version; a
 * footer with the number ends it.
 */
static void replace_state(const char *path, const GByteArray *state)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    g_autofree char *data = NULL;
    gsize size;
    size_t name, start, end;
    uint8_t footer[5] = { SECTION_FOOTER };

    g_assert_true(g_file_get_contents(path, &data, &size, NULL));
    name = find((uint8_t *)data, size, 0, SECTION_NAME, strlen(SECTION_NAME));
    start = name + strlen(SECTION_NAME) + 8;
    memcpy(footer + 1, data + name - 5, 4);
    end = find((uint8_t *)data, size, start, footer, sizeof(footer));

    g_byte_array_append(out, (uint8_t *)data, start - 4);
    put(out, 4, 0);         /* version */
    g_byte_array_append(out, state->data, state->len);
    g_byte_array_append(out, (uint8_t *)data + end, size - end);
    g_assert_true(g_file_set_contents(path, (char *)out->data, out->len,
                                      NULL));
}

static void adopt_start(Adopt *a, const QUefiDoor *door)
{
    g_autofree char *uri = NULL;

    a->stream = quefi_tmp_path("stream");
    a->jsonfile = quefi_tmp_path("vars.json");
    a->from = quefi_start(door, false, NULL, NULL, NULL);
    uri = g_strdup_printf("file:%s", a->stream);
    qtest_qmp_assert_success(a->from->qts, "{'execute': 'migrate', "
                             "'arguments': {'uri': %s}}", uri);
    quefi_wait_migration(a->from->qts, "completed");
}

static void adopt_end(Adopt *a)
{
    quefi_stop(a->from);
    quefi_tmp_free(a->stream);
    quefi_tmp_free(a->jsonfile);
}

/* Ask a new machine to load the stream; it stays when that fails. */
static QUefiVars *begin_load(Adopt *a, const char *stream)
{
    g_autofree char *uri = g_strdup_printf("file:%s", stream);
    QUefiVars *to = quefi_launch(a->from->door, false, a->jsonfile, NULL,
                                 "-incoming defer");

    qtest_qmp_assert_success(to->qts, "{'execute': 'migrate-incoming', "
                             "'arguments': {'uri': %s, "
                             "'exit-on-error': false}}", uri);
    return to;
}

static QUefiVars *load(Adopt *a)
{
    QUefiVars *to = begin_load(a, a->stream);

    qtest_qmp_eventwait(to->qts, "RESUME");
    to->base = a->from->base;
    to->use_pio = a->from->use_pio;
    to->buffer = a->from->buffer;
    to->buffer_size = a->from->buffer_size;
    return to;
}

/* ------------------------------------------------------------------------ */
/* Tests */

static void put_variables(GByteArray *state)
{
    put_variable(state, QUEFI_VENDOR, "Stored", QUEFI_NV_BS_RT, "stored");
    put_variable(state, QUEFI_VENDOR, "Volatile", QUEFI_BS_RT, "volatile");
    put_variable(state, QUEFI_VENDOR, "Locked", QUEFI_NV_BS_RT, "locked");
    put_variable(state, QUEFI_GLOBAL, "SetupMode", QUEFI_BS_RT, "\x01");
    put_variable(state, QUEFI_GLOBAL, "VendorKeysNv",
                 QUEFI_NV_BS | EFI_ATTR_AT, "\x01");
    put(state, 1, 0);
}

static void test_boot(const void *door)
{
    Adopt a;
    QUefiVars *to;
    g_autoptr(GByteArray) state = g_byte_array_new();
    g_autofree char *text = NULL;

    adopt_start(&a, door);
    put_registers(state, a.from, BUFFER_SIZE, 4);
    put_phases(state, 0);
    put_variables(state);
    put_policy(state, "Locked");
    put_policy(state, "Locked");        /* the bundled device allows it */
    put(state, 1, 0);
    replace_state(a.stream, state);

    to = load(&a);
    g_assert_cmphex(quefi_read(to, UEFI_VARS_REG_BUFFER_SIZE, 4), ==,
                    BUFFER_SIZE);
    g_assert_cmphex(quefi_read(to, UEFI_VARS_REG_PIO_TRANSFER, 4), ==,
                    0x07060504);
    quefi_attach(to);
    quefi_assert_text(to, QUEFI_VENDOR, "Stored", QUEFI_NV_BS_RT, "stored");
    quefi_assert_text(to, QUEFI_VENDOR, "Volatile", QUEFI_BS_RT, "volatile");
    quefi_assert_text(to, QUEFI_GLOBAL, "SetupMode", QUEFI_BS_RT, "\x01");
    quefi_assert_none(to, QUEFI_GLOBAL, "VendorKeysNv");
    g_assert_cmpint(quefi_policy_register(to, QUEFI_VENDOR, "Locked", 0, 9, 0,
                                          0, EFI_VAR_POLICY_NO_LOCK), ==,
                    EFI_ALREADY_STARTED);
    quefi_event(to, QUEFI_END_OF_DXE);
    g_assert_cmpint(quefi_set_text(to, QUEFI_VENDOR, "Locked", QUEFI_NV_BS_RT,
                                   "x"), ==, EFI_WRITE_PROTECTED);
    quefi_stop(to);
    g_assert_true(g_file_get_contents(a.jsonfile, &text, NULL, NULL));
    g_assert_nonnull(strstr(text, "\"Stored\""));
    g_assert_null(strstr(text, "\"Volatile\""));
    adopt_end(&a);
}

static void test_runtime(const void *door)
{
    Adopt a;
    QUefiVars *to;
    g_autoptr(GByteArray) state = g_byte_array_new();

    adopt_start(&a, door);
    put_registers(state, a.from, a.from->buffer_size, 0);
    put_phases(state, 0x01010101);
    put_variables(state);
    put_policy(state, "Locked");
    put(state, 1, 0);
    replace_state(a.stream, state);

    /* The operating system goes on with the buffer it has programmed. */
    to = load(&a);
    g_assert_cmpint(quefi_set_text(to, QUEFI_VENDOR, "Locked", QUEFI_NV_BS_RT,
                                   "x"), ==, EFI_WRITE_PROTECTED);
    g_assert_cmpint(quefi_set_text(to, QUEFI_VENDOR, "Volatile", QUEFI_BS_RT,
                                   "x"), ==, EFI_WRITE_PROTECTED);
    g_assert_cmpint(quefi_set_text(to, QUEFI_VENDOR, "Stored", QUEFI_NV_BS_RT,
                                   "again"), ==, EFI_SUCCESS);
    quefi_stop(to);
    adopt_end(&a);
}

/* The stream is refused, and the file not even made */
static void assert_refused(Adopt *a, const GByteArray *state)
{
    g_autofree char *copy = quefi_tmp_path("stream");
    g_autofree char *data = NULL;
    gsize size;
    QUefiVars *to;

    g_assert_true(g_file_get_contents(a->stream, &data, &size, NULL));
    g_assert_true(g_file_set_contents(copy, data, size, NULL));
    replace_state(copy, state);
    to = begin_load(a, copy);
    quefi_wait_migration(to->qts, "failed");
    quefi_stop(to);
    g_assert_false(g_file_test(a->jsonfile, G_FILE_TEST_EXISTS));
    quefi_tmp_free(g_steal_pointer(&copy));
}

static void assert_registers_refused(Adopt *a, uint32_t buffer_size,
                                     uint32_t offset)
{
    g_autoptr(GByteArray) state = g_byte_array_new();

    put_registers(state, a->from, buffer_size, offset);
    put_phases(state, 0);
    put_variables(state);
    put(state, 1, 0);
    assert_refused(a, state);
}

/* @at: of a field of 4 bytes, from the start of a variable behind its 1 */
static void assert_variable_refused(Adopt *a, size_t at, uint32_t value)
{
    g_autoptr(GByteArray) state = g_byte_array_new();
    size_t variable;

    put_registers(state, a->from, 0, 0);
    put_phases(state, 0);
    variable = state->len + 1;
    put_variables(state);
    put(state, 1, 0);
    stl_be_p(state->data + variable + at, value);
    assert_refused(a, state);
}

static void assert_policy_refused(Adopt *a, uint32_t size)
{
    g_autoptr(GByteArray) state = g_byte_array_new();
    size_t policy;

    put_registers(state, a->from, 0, 0);
    put_phases(state, 0);
    put_variables(state);
    policy = state->len + 1;
    put_policy(state, "Locked");
    put(state, 1, 0);
    stl_be_p(state->data + policy, size);
    assert_refused(a, state);
}

static void test_hostile(const void *door)
{
    enum { AT_NAME_SIZE = 16, AT_DATA_SIZE = 20, AT_ATTRIBUTES = 24 };
    static const uint32_t sizes[] = { 0, 1, 3, 0x100000, 0xffffffff };
    Adopt a;

    adopt_start(&a, door);
    assert_registers_refused(&a, BUFFER_SIZE, BUFFER_SIZE + 1);
    assert_registers_refused(&a, UEFI_VARS_MAX_BUFFER_SIZE + 1, 0);
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        assert_variable_refused(&a, AT_NAME_SIZE, sizes[i]);
        assert_policy_refused(&a, sizes[i]);
    }
    assert_variable_refused(&a, AT_DATA_SIZE, 0);
    assert_variable_refused(&a, AT_DATA_SIZE, 0xffffffff);
    assert_variable_refused(&a, AT_ATTRIBUTES, 0x80000007);
    adopt_end(&a);
}

static void test_no_room(const void *door)
{
    Adopt a;
    g_autoptr(GByteArray) state = g_byte_array_new();

    adopt_start(&a, door);
    put_registers(state, a.from, 0, 0);
    put_phases(state, 0);
    for (int i = 0; i < 10000; i++) {
        g_autofree char *name = g_strdup_printf("%d", i);

        put_variable(state, QUEFI_VENDOR, name, QUEFI_NV_BS_RT, "x");
    }
    put(state, 2, 0);
    assert_refused(&a, state);
    adopt_end(&a);
}

static void add(const QUefiDoor *door, const char *name,
                void (*fn)(const void *door))
{
    g_autofree char *path = g_strdup_printf("uefi-vars/%s/adopt/%s",
                                            door->name, name);

    qtest_add_data_func(path, door, fn);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < quefi_n_doors; i++) {
        const QUefiDoor *door = &quefi_doors[i];

        /* The bundled device has no such door. */
        if (!quefi_has_door(door) || door->is_io) {
            continue;
        }
        add(door, "boot", test_boot);
        add(door, "runtime", test_runtime);
        add(door, "hostile", test_hostile);
        add(door, "no-room", test_no_room);
    }
    return g_test_run();
}
