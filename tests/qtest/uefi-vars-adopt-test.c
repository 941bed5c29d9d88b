/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * QTest of the UEFI variable service: streams of the device that is bundled
 * with QEMU
 *
 * A stream of our own is made, and the state of the device in it replaced by
 * one with the fields of the bundled device, or by what that device has sent.
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "libqtest.h"
#include "libqos/uefi-vars.h"

#define SECTION_NAME    "uefi-vars-sysbus"
#define SECTION_FOOTER  0x7e
#define SUBSECTION      5
#define DIGEST_NAME     "uefi-variable-digest"
#define DIGEST_SIZE     32
#define DIGEST_BEGIN    "00010203"
#define BUFFER_SIZE     64

/* What the releases of the bundled device send */
typedef struct Layout {
    const char *version;    /* of QEMU */
    bool digests;           /* of private variables */
    const char *recorded;   /* what one did send, base64 */
} Layout;

static const Layout layouts[] = {
    {
        .version = "10.0",
        .recorded =             /* 10.0.13 */
        "AAAAAABAACAAAAAAAAAAAAAEAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g"
        "ISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+PwAAAAAAAAAAAAAFWgERERERIiIz"
        "M0REVVVVVVVVAAAADgAAAAYAAAAHUwB0AG8AcgBlAGQAAABzdG9yZWQAAAAAAAAAAAAA"
        "AAERERERIiIzM0REVVVVVVVVAAAADgAAAAYAAAAHTABvAGMAawBlAGQAAABsb2NrZWQA"
        "AAAAAAAAAAAAAAERERERIiIzM0REVVVVVVVVAAAAEAAAAAcAAAAnUAByAGkAdgBhAHQA"
        "ZQAAAHByaXZhdGUH6AECAwQFAAAAAAFh3+SLypPSEaoNAOCYAyuMAAAAFAAAAAEAAAAG"
        "UwBlAHQAdQBwAE0AbwBkAGUAAAABAAAAAAAAAAAAAAABYd/ki8qT0hGqDQDgmAMrjAAA"
        "ACIAAABQAAAABlMAaQBnAG4AYQB0AHUAcgBlAFMAdQBwAHAAbwByAHQAAAAmFsTBTFCS"
        "QKypQfk2k0MoB1M+/9CfyUiF8YrVbHAeAa4PPgnEplBPnxvUHiuJwZroZlc8nCY0TqoU"
        "7XduhbO2oVnApeSUp0qHtasVXCvwcgAAAAAAAAAAAAAAAWHf5IvKk9IRqg0A4JgDK4wA"
        "AAAWAAAAAQAAAAZTAGUAYwB1AHIAZQBCAG8AbwB0AAAAAAAAAAAAAAAAAAAAAQzsdsAo"
        "cJlDoHJx7lxEi58AAAAWAAAAAQAAAANDAHUAcwB0AG8AbQBNAG8AZABlAAAAAAAAAAAA"
        "AAAAAAAAAWHf5IvKk9IRqg0A4JgDK4wAAAAaAAAAAQAAACNWAGUAbgBkAG8AcgBLAGUA"
        "eQBzAE4AdgAAAAAAAAAAAAAAAAAAAAFh3+SLypPSEaoNAOCYAyuMAAAAFgAAAAEAAAAG"
        "VgBlAG4AZABvAHIASwBlAHkAcwAAAAAAAAAAAAAAAAAAAAERERERIiIzM0REVVVVVVVV"
        "AAAAEgAAAAgAAAAGVgBvAGwAYQB0AGkAbABlAAAAdm9sYXRpbGUAAAAAAAAAAAAAAAAB"
        "AAAAOgAAAQA6ACwAERERESIiMzNERFVVVVVVVQAAAAD/////AAAAAAAAAAABAAAATABv"
        "AGMAawBlAGQAAAAA",
    }, {
        .version = "11.1",
        .digests = true,
        .recorded =             /* 11.1.3 */
        "AAAAAABAACAAAAAAAAAAAAAEAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g"
        "ISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+PwAAAAAAAAAAAAAFWgERERERIiIz"
        "M0REVVVVVVVVAAAADgAAAAYAAAAHUwB0AG8AcgBlAGQAAABzdG9yZWQAAAAAAAAAAAAA"
        "AAERERERIiIzM0REVVVVVVVVAAAADgAAAAYAAAAHTABvAGMAawBlAGQAAABsb2NrZWQA"
        "AAAAAAAAAAAAAAERERERIiIzM0REVVVVVVVVAAAAEAAAAAcAAAAnUAByAGkAdgBhAHQA"
        "ZQAAAHByaXZhdGUH6AECAwQFAAAAAAUUdWVmaS12YXJpYWJsZS1kaWdlc3QAAAAAAAAA"
        "IAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4fAWHf5IvKk9IRqg0A4JgDK4wA"
        "AAAUAAAAAQAAAAZTAGUAdAB1AHAATQBvAGQAZQAAAAEAAAAAAAAAAAAAAAFh3+SLypPS"
        "EaoNAOCYAyuMAAAAIgAAAFAAAAAGUwBpAGcAbgBhAHQAdQByAGUAUwB1AHAAcABvAHIA"
        "dAAAACYWxMFMUJJArKlB+TaTQygHUz7/0J/JSIXxitVscB4Brg8+CcSmUE+fG9QeK4nB"
        "muhmVzycJjROqhTtd26Fs7ahWcCl5JSnSoe1qxVcK/ByAAAAAAAAAAAAAAABYd/ki8qT"
        "0hGqDQDgmAMrjAAAABYAAAABAAAABlMAZQBjAHUAcgBlAEIAbwBvAHQAAAAAAAAAAAAA"
        "AAAAAAABDOx2wChwmUOgcnHuXESLnwAAABYAAAABAAAAA0MAdQBzAHQAbwBtAE0AbwBk"
        "AGUAAAAAAAAAAAAAAAAAAAABYd/ki8qT0hGqDQDgmAMrjAAAABoAAAABAAAAI1YAZQBu"
        "AGQAbwByAEsAZQB5AHMATgB2AAAAAAAAAAAAAAAAAAAABRR1ZWZpLXZhcmlhYmxlLWRp"
        "Z2VzdAAAAAAAAAAAAWHf5IvKk9IRqg0A4JgDK4wAAAAWAAAAAQAAAAZWAGUAbgBkAG8A"
        "cgBLAGUAeQBzAAAAAAAAAAAAAAAAAAAAAREREREiIjMzRERVVVVVVVUAAAASAAAACAAA"
        "AAZWAG8AbABhAHQAaQBsAGUAAAB2b2xhdGlsZQAAAAAAAAAAAAAAAAEAAAA6AAABADoA"
        "LAARERERIiIzM0REVVVVVVVVAAAAAP////8AAAAAAAAAAAEAAABMAG8AYwBrAGUAZAAA"
        "AAA=",
    },
};

typedef struct Case {
    const QUefiDevice *dev;
    const Layout *layout;
} Case;

typedef struct Adopt {
    const Layout *layout;
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

/* The subsection behind a variable, filled with 0, 1, 2 and so on */
static void put_digest(GByteArray *out, uint32_t size)
{
    put(out, 1, SUBSECTION);
    put(out, 1, strlen(DIGEST_NAME));
    g_byte_array_append(out, (const uint8_t *)DIGEST_NAME,
                        strlen(DIGEST_NAME));
    put(out, 4, 0);         /* version */
    put(out, 4, size);
    for (uint32_t i = 0; i < size; i++) {
        put(out, 1, i);
    }
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

static void adopt_start(Adopt *a, const Case *c)
{
    g_autofree char *uri = NULL;

    a->layout = c->layout;
    a->stream = quefi_tmp_path("stream");
    a->jsonfile = quefi_tmp_path("vars.json");
    a->from = quefi_start(c->dev, false, NULL, NULL, NULL);
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
    QUefiVars *to = quefi_launch(a->from->dev, false, a->jsonfile, NULL,
                                 "-incoming defer");

    qtest_qmp_assert_success(to->qts, "{'execute': 'migrate-incoming', "
                             "'arguments': {'uri': %s, "
                             "'exit-on-error': false}}", uri);
    return to;
}

static QUefiVars *load(Adopt *a)
{
    QUefiVars *to = begin_load(a, a->stream);

    quefi_wait_migration(to->qts, "completed");
    qtest_qmp_eventwait(to->qts, "RESUME");
    to->base = a->from->base;
    to->use_pio = a->from->use_pio;
    to->buffer = a->from->buffer;
    to->buffer_size = a->from->buffer_size;
    return to;
}

/* ------------------------------------------------------------------------ */
/* A state */

typedef enum Part { REGISTERS, VARIABLE, DIGEST, POLICY, PART__MAX } Part;

/* @part: where each begins, its mark included; 0 for one that is missing */
static GByteArray *make_state(const Adopt *a, uint32_t buffer_size,
                              uint32_t offset, uint32_t phases,
                              size_t part[PART__MAX])
{
    GByteArray *state = g_byte_array_new();

    memset(part, 0, PART__MAX * sizeof(*part));
    put_registers(state, a->from, buffer_size, offset);
    put_phases(state, phases);
    put_variable(state, QUEFI_VENDOR, "Stored", QUEFI_NV_BS_RT, "stored");
    put_variable(state, QUEFI_VENDOR, "Volatile", QUEFI_BS_RT, "volatile");
    put_variable(state, QUEFI_VENDOR, "Locked", QUEFI_NV_BS_RT, "locked");
    put_variable(state, QUEFI_GLOBAL, "SetupMode", QUEFI_BS_RT, "\x01");
    part[VARIABLE] = state->len;
    put_variable(state, QUEFI_VENDOR, "Private",
                 QUEFI_NV_BS_RT | EFI_ATTR_AT, "private");
    if (a->layout->digests) {
        part[DIGEST] = state->len;
        put_digest(state, DIGEST_SIZE);
    }
    put_variable(state, QUEFI_GLOBAL, "VendorKeysNv",
                 QUEFI_NV_BS | EFI_ATTR_AT, "\x01");
    if (a->layout->digests) {
        put_digest(state, 0);
    }
    put(state, 1, 0);
    part[POLICY] = state->len;
    put_policy(state, "Locked");
    put_policy(state, "Locked");        /* the bundled device allows it */
    put(state, 1, 0);
    return state;
}

/* ------------------------------------------------------------------------ */
/* Tests */

/* The time of put_time(), and no signer where the stream has none */
static void assert_file(const Adopt *a)
{
    g_autofree char *text = NULL;

    g_assert_true(g_file_get_contents(a->jsonfile, &text, NULL, NULL));
    g_assert_nonnull(strstr(text, "\"Stored\""));
    g_assert_null(strstr(text, "\"Volatile\""));
    g_assert_nonnull(strstr(text, "\"time\": \"e8070102030405000000000000"));
    g_assert_cmpint(!!strstr(text, "\"digest\": \"" DIGEST_BEGIN), ==,
                    a->layout->digests);
}

static void adopt_boot(Adopt *a, const GByteArray *state)
{
    QUefiVars *to;

    replace_state(a->stream, state);
    to = load(a);
    g_assert_cmphex(quefi_read(to, UEFI_VARS_REG_BUFFER_SIZE, 4), ==,
                    BUFFER_SIZE);
    g_assert_cmphex(quefi_read(to, UEFI_VARS_REG_PIO_TRANSFER, 4), ==,
                    0x07060504);
    quefi_attach(to);
    quefi_assert_text(to, QUEFI_VENDOR, "Stored", QUEFI_NV_BS_RT, "stored");
    quefi_assert_text(to, QUEFI_VENDOR, "Volatile", QUEFI_BS_RT, "volatile");
    quefi_assert_text(to, QUEFI_VENDOR, "Private",
                      QUEFI_NV_BS_RT | EFI_ATTR_AT, "private");
    quefi_assert_text(to, QUEFI_GLOBAL, "SetupMode", QUEFI_BS_RT, "\x01");
    quefi_assert_none(to, QUEFI_GLOBAL, "VendorKeysNv");
    g_assert_cmpint(quefi_policy_register(to, QUEFI_VENDOR, "Locked", 0, 9, 0,
                                          0, EFI_VAR_POLICY_NO_LOCK), ==,
                    EFI_ALREADY_STARTED);
    quefi_event(to, QUEFI_END_OF_DXE);
    g_assert_cmpint(quefi_set_text(to, QUEFI_VENDOR, "Locked", QUEFI_NV_BS_RT,
                                   "x"), ==, EFI_WRITE_PROTECTED);
    quefi_stop(to);
    assert_file(a);
}

static void test_boot(const void *data)
{
    Adopt a;
    size_t part[PART__MAX];
    g_autoptr(GByteArray) state = NULL;

    adopt_start(&a, data);
    state = make_state(&a, BUFFER_SIZE, 4, 0, part);
    adopt_boot(&a, state);
    adopt_end(&a);
}

static void test_recorded(const void *data)
{
    Adopt a;
    g_autoptr(GByteArray) state = NULL;
    guchar *bytes;
    gsize size;

    adopt_start(&a, data);
    bytes = g_base64_decode(a.layout->recorded, &size);
    state = g_byte_array_new_take(bytes, size);
    adopt_boot(&a, state);
    adopt_end(&a);
}

static void test_runtime(const void *data)
{
    Adopt a;
    QUefiVars *to;
    size_t part[PART__MAX];
    g_autoptr(GByteArray) state = NULL;

    adopt_start(&a, data);
    state = make_state(&a, a.from->buffer_size, 0, 0x01010101, part);
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

/* Four bytes of a part get another value */
static void test_hostile(const void *data)
{
    static const struct {
        Part part;
        size_t at;
        uint32_t value;
    } edges[] = {
        { REGISTERS, 2, UEFI_VARS_MAX_BUFFER_SIZE + 1 },
        { REGISTERS, 14, BUFFER_SIZE + 1 },
        { VARIABLE, 0, 0x02000000 },            /* mark */
        { VARIABLE, 17, 0 },                    /* size of the name */
        { VARIABLE, 17, 1 },
        { VARIABLE, 17, 3 },
        { VARIABLE, 17, 0x100000 },
        { VARIABLE, 17, 0xffffffff },
        { VARIABLE, 21, 0 },                    /* of the data */
        { VARIABLE, 21, 0xffffffff },
        { VARIABLE, 25, 0x80000007 },           /* attributes */
        { DIGEST, 0, 0x06147565 },              /* mark */
        { DIGEST, 0, 0x05137565 },              /* size of the name */
        { DIGEST, 2, 0x55454649 },              /* name */
        { DIGEST, 22, 1 },                      /* version */
        { DIGEST, 26, DIGEST_SIZE + 1 },        /* size */
        { DIGEST, 26, 0x100000 },
        { DIGEST, 26, 0xffffffff },
        { POLICY, 0, 0x02000000 },              /* mark */
        { POLICY, 1, 0 },                       /* size */
        { POLICY, 1, 1 },
        { POLICY, 1, 3 },
        { POLICY, 1, 0x100000 },
        { POLICY, 1, 0xffffffff },
    };
    Adopt a;

    adopt_start(&a, data);
    for (size_t i = 0; i < ARRAY_SIZE(edges); i++) {
        size_t part[PART__MAX];
        g_autoptr(GByteArray) state = make_state(&a, BUFFER_SIZE, 4, 0, part);

        if (edges[i].part == DIGEST && !a.layout->digests) {
            continue;
        }
        stl_be_p(state->data + part[edges[i].part] + edges[i].at,
                 edges[i].value);
        assert_refused(&a, state);
    }
    adopt_end(&a);
}

static void refuse_many(const void *data, int count, uint32_t digest_size)
{
    Adopt a;
    g_autoptr(GByteArray) state = g_byte_array_new();

    adopt_start(&a, data);
    put_registers(state, a.from, 0, 0);
    put_phases(state, 0);
    for (int i = 0; i < count; i++) {
        g_autofree char *name = g_strdup_printf("%d", i);

        put_variable(state, QUEFI_VENDOR, name, QUEFI_NV_BS_RT | EFI_ATTR_AT,
                     "x");
        if (digest_size > 0) {
            put_digest(state, digest_size);
        }
    }
    put(state, 2, 0);
    assert_refused(&a, state);
    adopt_end(&a);
}

static void test_no_room(const void *data)
{
    refuse_many(data, 10000, 0);
}

static void test_large_digests(const void *data)
{
    refuse_many(data, 300, 8192);
}

static void add(const Case *c, const char *name, void (*fn)(const void *data))
{
    g_autofree char *path =
        g_strdup_printf("uefi-vars/%s/adopt/%s/%s", c->dev->name,
                        c->layout->version, name);

    qtest_add_data_func_full(path, g_memdup2(c, sizeof(*c)), fn, g_free);
}

static void add_all(const Case *c)
{
    add(c, "boot", test_boot);
    add(c, "recorded", test_recorded);
    add(c, "runtime", test_runtime);
    add(c, "hostile", test_hostile);
    add(c, "no-room", test_no_room);
    if (c->layout->digests) {
        add(c, "large-digests", test_large_digests);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < quefi_n_devices; i++) {
        const QUefiDevice *dev = &quefi_devices[i];

        /* QEMU bundles no such device. */
        if (!quefi_has_device(dev) || dev->is_io) {
            continue;
        }
        for (size_t j = 0; j < ARRAY_SIZE(layouts); j++) {
            add_all(&(Case) { .dev = dev, .layout = &layouts[j] });
        }
    }
    return g_test_run();
}
