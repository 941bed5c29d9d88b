/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * QTest of uefi-vars-xen: the ports, and the device in its machine
 *
 * What requests say is in tests/unit/test-uefi-xen.c and, for the rules, in
 * tests/conformance/run-xen.
 */

#include "qemu/osdep.h"
#include "hw/uefi/var-service-xen-messages.h"
#include "libqtest.h"
#include "libqos/uefi-vars-xen.h"

#define PORT_INDEX  0x104
#define PORT_DATA   0x108

static void assert_text(QUefiVars *uv, const char *name, bool at_runtime,
                        const char *text)
{
    g_autofree char *value = NULL;

    g_assert_cmpint(quefi_xen_get(uv, name, at_runtime, &value), ==,
                    EFI_SUCCESS);
    g_assert_cmpstr(value, ==, text);
}

static void assert_none(QUefiVars *uv, const char *name, bool at_runtime)
{
    char *value;

    g_assert_cmpint(quefi_xen_get(uv, name, at_runtime, &value), ==,
                    EFI_NOT_FOUND);
}

static void set(QUefiVars *uv, const char *name, uint32_t attributes,
                const char *text)
{
    g_assert_cmpint(quefi_xen_set_text(uv, name, attributes, text, false), ==,
                    EFI_SUCCESS);
}

static void check_store(const QUefiDevice *dev, const char *jsonfile,
                        const char *props, const char *args)
{
    QUefiVars *uv = quefi_launch(dev, false, jsonfile, props, args);
    g_autofree char *before = NULL, *after = NULL;

    set(uv, "Kept", QUEFI_NV_BS, "yes");
    set(uv, "Lost", EFI_ATTR_BS, "no");
    before = quefi_xen_list(uv, false);
    g_assert_cmpstr(before, ==, "Lost Kept");
    quefi_crash(uv);
    after = quefi_xen_list(uv, false);
    g_assert_cmpstr(after, ==, "Kept");
    assert_text(uv, "Kept", false, "yes");
    quefi_stop(uv);
}

static void test_store(const void *dev)
{
    char *path = quefi_tmp_path("vars.json");

    check_store(dev, path, NULL, NULL);
    quefi_tmp_free(path);
}

static void test_drive(const void *dev)
{
    char *path = quefi_tmp_path("vars.img");
    g_autofree char *args = quefi_drive_args(path);

    check_store(dev, NULL, "drive=vars", args);
    quefi_tmp_free(path);
}

static void test_phase(const void *dev)
{
    QUefiVars *uv = quefi_launch(dev, false, NULL, NULL, NULL);

    set(uv, "Boot", QUEFI_NV_BS, "b");
    set(uv, "Both", QUEFI_NV_BS_RT, "r");
    assert_text(uv, "Both", true, "r");
    assert_none(uv, "Boot", false);
    quefi_migrate(uv);
    assert_none(uv, "Boot", false);
    assert_text(uv, "Both", false, "r");
    quefi_suspend(uv);
    assert_none(uv, "Boot", false);
    qtest_system_reset(uv->qts);
    assert_text(uv, "Boot", false, "b");
    quefi_stop(uv);
}

/* A request that writes, as bytes for any place */
static QUefiMsg *msg_set(const char *name)
{
    QUefiMsg *msg = quefi_xen_msg_new(UEFI_XEN_VERSION,
                                      UEFI_XEN_SET_VARIABLE);

    quefi_xen_put_name(msg, name);
    quefi_put_guid(msg, QUEFI_VENDOR);
    quefi_xen_put_blob(msg, "x", 1);
    quefi_put(msg, 4, QUEFI_NV_BS);
    quefi_put(msg, 1, 0);
    return msg;
}

/* Only a message in RAM, whole, is one. */
static void test_frames(const void *dev)
{
    static const uint32_t frames[] = {
        4096 - 15,                      /* the last page is beyond RAM */
        4096, 0xfec00, 0xfffff, 0xffff0, 0x100000, UINT32_MAX,
        0xc0 - 15,                      /* the last page is ROM */
        0xc0,
    };
    QUefiVars *uv = quefi_launch(dev, false, NULL, NULL, NULL);
    g_autofree char *list = NULL;
    g_autoptr(QUefiMsg) last = msg_set("Last");

    for (size_t i = 0; i < ARRAY_SIZE(frames); i++) {
        g_autoptr(QUefiMsg) msg = msg_set("Bad");
        g_autoptr(GBytes) sent = g_bytes_new(msg->bytes->data,
                                             msg->bytes->len);

        quefi_xen_exchange(uv, msg, frames[i]);
        if (frames[i] < 0xc0 || frames[i] == frames[0]) {
            g_assert_cmpmem(msg->bytes->data, g_bytes_get_size(sent),
                            g_bytes_get_data(sent, NULL),
                            g_bytes_get_size(sent));
        }
    }
    quefi_xen_exchange(uv, last, 4096 - 16);
    g_assert_cmphex(quefi_get(last, 8), ==, EFI_SUCCESS);
    list = quefi_xen_list(uv, false);
    g_assert_cmpstr(list, ==, "Last");
    quefi_stop(uv);
}

/* Other widths and ports do nothing and say nothing. */
static void test_ports(const void *dev)
{
    QUefiVars *uv = quefi_launch(dev, false, NULL, NULL, NULL);
    g_autoptr(QUefiMsg) msg = msg_set("Bad");
    uint32_t frame = uv->dev->ram / UEFI_XEN_PAGE_SIZE;

    qtest_memwrite(uv->qts, uv->dev->ram, msg->bytes->data, msg->bytes->len);
    qtest_outw(uv->qts, UEFI_XEN_PORT, frame);
    qtest_outb(uv->qts, UEFI_XEN_PORT, frame);
    for (unsigned i = 1; i < UEFI_XEN_PORTS; i++) {
        qtest_outb(uv->qts, UEFI_XEN_PORT + i, frame);
    }
    qtest_outl(uv->qts, PORT_INDEX, frame);
    qtest_outl(uv->qts, PORT_DATA, frame);
    for (unsigned i = 0; i < UEFI_XEN_PORTS; i += 4) {
        g_assert_cmphex(qtest_inl(uv->qts, UEFI_XEN_PORT + i), ==, 0);
    }
    g_assert_cmphex(qtest_inb(uv->qts, PORT_DATA + 3), ==, 0);
    assert_none(uv, "Bad", false);
    quefi_stop(uv);
}

static void test_unknown(const void *dev)
{
    static const uint32_t heads[][2] = {
        { 2, UEFI_XEN_GET_VARIABLE }, { UEFI_XEN_VERSION, 5 },
    };
    QUefiVars *uv = quefi_launch(dev, false, NULL, NULL, NULL);

    for (size_t i = 0; i < ARRAY_SIZE(heads); i++) {
        g_autoptr(QUefiMsg) msg = quefi_xen_msg_new(heads[i][0], heads[i][1]);

        quefi_xen_exchange(uv, msg, uv->dev->ram / UEFI_XEN_PAGE_SIZE);
        g_assert_cmphex(quefi_get(msg, 4), ==, heads[i][0]);
        g_assert_cmphex(quefi_get(msg, 4), ==, heads[i][1]);
    }
    quefi_stop(uv);
}

static void assert_refused(const QUefiDevice *dev, const char *props,
                           const char *more, const char *why)
{
    g_autofree char *device = quefi_device_args(dev, props);
    g_autofree char *args = g_strdup_printf("%s %s", device, more);
    g_autofree char *err = quefi_refused(args);

    g_assert_nonnull(strstr(err, why));
}

static void test_refused(const void *dev)
{
    assert_refused(dev, NULL, "-device uefi-vars-isa",
                   "at most one UEFI variable store is permitted");
    assert_refused(dev, "use-pio=on", "", "'uefi-vars-xen.use-pio' not found");
    assert_refused(dev, "pcapfile=x", "",
                   "'uefi-vars-xen.pcapfile' not found");
    assert_refused(dev, "option-rom=on", "",
                   "'uefi-vars-xen.option-rom' not found");
    assert_refused(dev, "size=1", "", "size");
}

/* A machine that has not asked for it has nothing at the port. */
static void test_off(const void *opaque)
{
    const QUefiDevice *dev = opaque;
    g_autofree char *args = g_strdup_printf("-M %s", dev->machine);
    QTestState *qts = qtest_init(args);

    g_assert_cmphex(qtest_inl(qts, UEFI_XEN_PORT), ==, UINT32_MAX);
    qtest_quit(qts);
}

/* On other architectures there is no such device */
static void test_absent(void)
{
    g_autofree char *err = quefi_refused("-M none -device uefi-vars-xen");

    g_assert_nonnull(strstr(err, "'uefi-vars-xen' is not a valid device "
                                 "model"));
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(const void *dev);
    } tests[] = {
        { "store", test_store },
        { "drive", test_drive },
        { "phase", test_phase },
        { "frames", test_frames },
        { "ports", test_ports },
        { "unknown", test_unknown },
        { "refused", test_refused },
        { "off", test_off },
    };

    g_test_init(&argc, &argv, NULL);
    if (strcmp(qtest_get_arch(), "x86_64")) {
        qtest_add_func("uefi-vars/xen/absent", test_absent);
        return g_test_run();
    }
    for (size_t d = 0; d < ARRAY_SIZE(quefi_xen_devices); d++) {
        const QUefiDevice *dev = &quefi_xen_devices[d];

        if (!quefi_has_device(dev)) {
            continue;
        }
        for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
            g_autofree char *path = g_strdup_printf("uefi-vars/%s/%s",
                                                    dev->name, tests[i].name);

            qtest_add_data_func(path, dev, tests[i].run);
        }
    }
    return g_test_run();
}
