/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * QTest of the UEFI variable service: the capture of property pcapfile
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "libqtest.h"
#include "libqos/uefi-vars.h"
#include "hw/uefi/var-service-pcap.h"

/* What is left of a capture */
typedef struct Capture {
    char *data;
    size_t size;
    size_t pos;
} Capture;

static uint32_t get32(Capture *c)
{
    uint32_t value;

    g_assert_cmpuint(c->size - c->pos, >=, sizeof(value));
    memcpy(&value, c->data + c->pos, sizeof(value));
    c->pos += sizeof(value);
    return value;
}

static void capture_open(Capture *c, const char *path)
{
    g_autoptr(GError) err = NULL;

    g_file_get_contents(path, &c->data, &c->size, &err);
    g_assert_no_error(err);
    c->pos = 0;
    g_assert_cmphex(get32(c), ==, UEFI_PCAP_MAGIC);
    /* two halves of a word in the order of the host */
    g_assert_cmphex(get32(c), ==, HOST_BIG_ENDIAN ? 0x00020004 : 0x00040002);
    g_assert_cmpuint(get32(c), ==, 0);
    g_assert_cmpuint(get32(c), ==, 0);
    g_assert_cmpuint(get32(c), ==, 65536);
    g_assert_cmpuint(get32(c), ==, 302);
}

static void capture_close(Capture *c)
{
    g_assert_cmpuint(c->pos, ==, c->size);
    g_free(c->data);
}

/* The next packet is of this type; returns its message of @size bytes */
static const char *next(Capture *c, UefiPcapType type, size_t *size)
{
    const char *message;

    g_assert_cmpuint(get32(c), >, 1700000000);  /* seconds; after 2023 */
    g_assert_cmpuint(get32(c), <, 1000000);
    *size = get32(c);
    g_assert_cmpuint(get32(c), ==, *size);
    g_assert_cmpuint(get32(c), ==, type);
    *size -= UEFI_PCAP_TYPE_SIZE;
    g_assert_cmpuint(*size, <=, c->size - c->pos);
    message = c->data + c->pos;
    c->pos += *size;
    return message;
}

static void assert_reset(Capture *c)
{
    size_t size;

    next(c, UEFI_PCAP_RESET, &size);
    g_assert_cmpuint(size, ==, 0);
}

/* A request of the variable protocol and its reply, with @status in it */
static void assert_exchange(Capture *c, uint64_t function, uint64_t status)
{
    size_t size, reply_size;
    const char *request = next(c, UEFI_PCAP_REQUEST, &size);
    const char *reply = next(c, UEFI_PCAP_REPLY, &reply_size);

    g_assert_cmpuint(size, ==, reply_size);
    g_assert_cmpuint(size, ==,
                     EFI_MM_HEADER_SIZE_64 + ldq_le_p(request + 16));
    g_assert_cmpuint(ldq_le_p(request + EFI_MM_HEADER_SIZE_64), ==, function);
    g_assert_cmphex(ldq_le_p(reply + EFI_MM_HEADER_SIZE_64 + 8), ==, status);
}

/* Resets, requests and replies, by DMA and by PIO, and none of the last run */
static void test_messages(const void *opaque)
{
    const QUefiDevice *dev = opaque;
    char *path = quefi_tmp_path("capture");
    g_autofree char *props = g_strdup_printf("pcapfile=%s", path);

    for (int pio = 0; pio < 2; pio++) {
        QUefiVars *uv = quefi_start(dev, pio, NULL, props, NULL);
        Capture c;
        struct stat st;

        quefi_set_text(uv, QUEFI_VENDOR, "A", QUEFI_NV_BS_RT, "value");
        quefi_assert_text(uv, QUEFI_VENDOR, "A", QUEFI_NV_BS_RT, "value");
        quefi_reset(uv);
        quefi_set_text(uv, QUEFI_VENDOR, "A", QUEFI_NV_BS_RT, "");
        quefi_set_text(uv, QUEFI_VENDOR, "A", QUEFI_NV_BS_RT, "");
        quefi_stop(uv);

        capture_open(&c, path);
        assert_reset(&c);
        assert_exchange(&c, EFI_VAR_FN_SET_VARIABLE, EFI_SUCCESS);
        assert_exchange(&c, EFI_VAR_FN_GET_VARIABLE, EFI_SUCCESS);
        assert_reset(&c);
        assert_exchange(&c, EFI_VAR_FN_SET_VARIABLE, EFI_SUCCESS);
        assert_exchange(&c, EFI_VAR_FN_SET_VARIABLE,
                        EFI_NOT_FOUND | 1ULL << 63);
        capture_close(&c);

        /* It may hold secrets. */
        g_assert_cmpint(stat(path, &st), ==, 0);
        g_assert_cmpint(st.st_mode & 0777, ==, 0600);
    }
    quefi_tmp_free(path);
}

/* A request that gets no reply has none in the capture */
static void test_no_reply(const void *opaque)
{
    const QUefiDevice *dev = opaque;
    char *path = quefi_tmp_path("capture");
    g_autofree char *props = g_strdup_printf("pcapfile=%s", path);
    QUefiVars *uv = quefi_start(dev, false, NULL, props, NULL);
    uint8_t message[EFI_MM_HEADER_SIZE_64 + 8] = { [16] = 8 };
    Capture c;
    size_t size;

    qtest_memwrite(uv->qts, uv->buffer, message, sizeof(message));
    g_assert_cmphex(quefi_command(uv, UEFI_VARS_CMD_DMA_MM), !=,
                    UEFI_VARS_STS_SUCCESS);
    quefi_stop(uv);

    capture_open(&c, path);
    assert_reset(&c);
    g_assert_cmpmem(next(&c, UEFI_PCAP_REQUEST, &size), sizeof(message),
                    message, sizeof(message));
    g_assert_cmpuint(size, ==, sizeof(message));
    capture_close(&c);
    quefi_tmp_free(path);
}

/* Anything but a capture stays, such as a store */
static void test_not_a_capture(const void *opaque)
{
    static const char text[] = "{\"version\": 2, \"variables\": [\n]}\n";
    const QUefiDevice *dev = opaque;
    char *path = quefi_tmp_path("vars.json");
    g_autofree char *props = g_strdup_printf("pcapfile=%s", path);
    g_autofree char *args = quefi_device_args(dev, props);
    g_autofree char *said = NULL, *now = NULL;

    g_assert_true(g_file_set_contents(path, text, -1, NULL));
    said = quefi_refused(args);
    g_assert_nonnull(strstr(said, path));
    g_assert_nonnull(strstr(said, "is not a capture"));
    g_assert_true(g_file_get_contents(path, &now, NULL, NULL));
    g_assert_cmpstr(now, ==, text);
    quefi_tmp_free(path);
}

/* The guest goes on when nothing more can be written */
static void test_full(const void *opaque)
{
    const QUefiDevice *dev = opaque;
    char *path = quefi_tmp_path("pipe");
    g_autofree char *props = g_strdup_printf("pcapfile=%s", path);
    g_autofree char *value = g_strnfill(20000, 'v');
    QUefiVars *uv;

    g_assert_cmpint(mkfifo(path, 0600), ==, 0);
    uv = quefi_start(dev, false, NULL, props, NULL);
    /* more than a pipe takes that nobody reads */
    for (int i = 0; i < 20; i++) {
        quefi_set_text(uv, QUEFI_VENDOR, "A", QUEFI_NV_BS_RT, value);
    }
    quefi_assert_text(uv, QUEFI_VENDOR, "A", QUEFI_NV_BS_RT, value);
    quefi_stop(uv);
    quefi_tmp_free(path);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    quefi_add_device_tests("pcap/messages", test_messages);
    quefi_add_device_tests("pcap/no-reply", test_no_reply);
    quefi_add_device_tests("pcap/not-a-capture", test_not_a_capture);
    quefi_add_device_tests("pcap/full", test_full);
    return g_test_run();
}
