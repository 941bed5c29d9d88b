/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * QTest of the UEFI variable service: how the device sits in its machine,
 * how firmware and operating system find it, how managers ask for it
 *
 * Numbers in the names of tests are sections of docs/specs/uefi-vars.rst.
 */

#include "qemu/osdep.h"
#include "qobject/qdict.h"
#include "qobject/qlist.h"
#include "qobject/qstring.h"
#include "libqtest.h"
#include "libqos/fw_cfg.h"
#include "libqos/uefi-vars.h"

#define FLASH_SIZE_PC   0x40000
#define FLASH_SIZE_VIRT 0x4000000

static bool is_x86(void)
{
    return !strcmp(qtest_get_arch(), "x86_64");
}

static void assert_works(QUefiVars *uv)
{
    g_assert_cmpint(quefi_set_text(uv, QUEFI_VENDOR, "Works", QUEFI_NV_BS,
                                   "yes"), ==, EFI_SUCCESS);
    quefi_assert_text(uv, QUEFI_VENDOR, "Works", QUEFI_NV_BS, "yes");
}

/* ------------------------------------------------------------------------ */
/* How managers see the type */

/* libvirt looks for the name in this list */
static void test_types(const void *opaque)
{
    const QUefiDevice *dev = opaque;
    QTestState *qts = qtest_init("-M none");
    QDict *rsp = qtest_qmp(qts, "{'execute': 'qom-list-types', 'arguments': "
                                "{'implements': 'device'}}");
    const QListEntry *entry;
    bool found = false;

    QLIST_FOREACH_ENTRY(qdict_get_qlist(rsp, "return"), entry) {
        QDict *type = qobject_to(QDict, qlist_entry_obj(entry));

        found |= !strcmp(qdict_get_str(type, "name"), dev->type);
    }
    g_assert_true(found);
    qobject_unref(rsp);
    qtest_quit(qts);
}

static void test_help(const void *opaque)
{
    static const char *const properties[] = {
        "auth-delete-needs-signature", "disable-custom-mode",
        "force-secure-boot", "hwerr-quota", "jsonfile",
        "max-auth-variable-size", "max-hwerr-variable-size",
        "max-variable-size", "max-volatile-variable-size",
        "option-rom", "option-rom-addr", "romfile", "size", "use-pio",
        "volatile-size",
    };
    const QUefiDevice *dev = opaque;
    g_autofree char *args = g_strdup_printf("-device %s,help", dev->type);
    g_autofree char *help = quefi_output(args);

    for (size_t i = 0; i < ARRAY_SIZE(properties); i++) {
        g_autofree char *start = g_strdup_printf("\n  %s=", properties[i]);
        const char *line = strstr(help, start);
        const char *text;

        g_assert_nonnull(line);
        /* "  name=<type>           - text (default: x)" */
        text = strstr(line, " - ");
        g_assert_nonnull(text);
        g_assert_true(text < strchr(line + 1, '\n'));
        g_assert_false(g_str_has_prefix(text, " -  (default"));
        g_assert_true(g_ascii_isalpha(text[3]));
    }
}

/* The command line of libvirt: JSON, plain path, sandbox where there is one */
static void test_libvirt(const void *opaque)
{
    const QUefiDevice *dev = opaque;
    char *path = quefi_tmp_path("vars.json");
    g_autofree char *args = NULL;
    g_autofree char *device = NULL;
    QTestState *qts = qtest_init("-M none");
    QDict *rsp = qtest_qmp(qts, "{'execute': 'query-command-line-options'}");
    const QListEntry *entry;
    bool sandbox = false;
    QUefiVars uv = { .dev = dev, .un_size = 8 };

    QLIST_FOREACH_ENTRY(qdict_get_qlist(rsp, "return"), entry) {
        QDict *option = qobject_to(QDict, qlist_entry_obj(entry));

        sandbox |= !strcmp(qdict_get_str(option, "option"), "sandbox") &&
            !qlist_empty(qdict_get_qlist(option, "parameters"));
    }
    qobject_unref(rsp);
    qtest_quit(qts);

    device = dev->is_global ?
        g_strdup_printf("-global %s.jsonfile=%s", dev->type, path) :
        g_strdup_printf("-device '{\"driver\":\"%s\",\"jsonfile\":\"%s\"}'",
                        dev->type, path);
    args = g_strdup_printf("-M %s %s %s", dev->machine, device, sandbox ?
                           "-sandbox on,obsolete=deny,elevateprivileges=deny,"
                           "spawn=deny,resourcecontrol=deny" : "");
    g_test_message("%s", args);
    for (int i = 0; i < 2; i++) {
        uv.qts = qtest_init(args);
        quefi_attach(&uv);
        if (i == 0) {
            assert_works(&uv);
        } else {
            quefi_assert_text(&uv, QUEFI_VENDOR, "Works", QUEFI_NV_BS, "yes");
        }
        qtest_quit(uv.qts);
    }
    quefi_tmp_free(path);
}

/* ------------------------------------------------------------------------ */
/* A store on a node of the block layer; tests/drive has all the rest of it */

static void test_drive(const void *dev)
{
    char *path = quefi_tmp_path("vars.img");
    g_autofree char *args = quefi_drive_args(path);
    QUefiVars *uv = quefi_start(dev, false, NULL, "drive=vars", args);

    assert_works(uv);
    quefi_crash(uv);
    quefi_assert_text(uv, QUEFI_VENDOR, "Works", QUEFI_NV_BS, "yes");
    quefi_stop(uv);
    quefi_tmp_free(path);
}

/* ------------------------------------------------------------------------ */
/* What realize refuses */

static void assert_refused(const char *args, const char *reason)
{
    g_autofree char *err = quefi_refused(args);

    g_test_message("%s", err);
    g_assert_nonnull(strstr(err, reason));
    g_assert_true(strchr(err, '\n') == err + strlen(err) - 1);
}

/* One store on a machine, whichever way the two would have come */
static void test_second(const void *opaque)
{
    const QUefiDevice *dev = opaque;

    for (size_t i = 0; i < quefi_n_devices; i++) {
        const QUefiDevice *other = &quefi_devices[i];
        g_autofree char *first = NULL, *args = NULL;

        if (!strcmp(other->arch, dev->arch) && qtest_has_device(other->type)) {
            first = quefi_device_args(dev, NULL);
            args = g_strdup_printf("%s -device %s", first, other->type);
            assert_refused(args, "one");
        }
    }
}

/* ------------------------------------------------------------------------ */
/* Out of its machine: no user should, but qom-set lets him */

/* QOM path of the device, which has no name */
static char *find_device(QUefiVars *uv)
{
    static const char anon[] = "/machine/peripheral-anon";
    g_autofree char *type = g_strdup_printf("child<%s>", uv->dev->type);
    QDict *rsp = qtest_qmp(uv->qts, "{'execute': 'qom-list', 'arguments': "
                           "{'path': %s}}", anon);
    char *path = NULL;
    QListEntry *entry;

    QLIST_FOREACH_ENTRY(qdict_get_qlist(rsp, "return"), entry) {
        QDict *child = qobject_to(QDict, qlist_entry_obj(entry));

        if (!strcmp(qdict_get_str(child, "type"), type)) {
            path = g_strdup_printf("%s/%s", anon,
                                   qdict_get_str(child, "name"));
        }
    }
    g_assert_nonnull(path);
    qobject_unref(rsp);
    return path;
}

static void test_unrealize(const void *opaque)
{
    const QUefiDevice *dev = opaque;
    char *file = quefi_tmp_path("vars.json");
    QUefiVars *uv = quefi_start(dev, false, file, "option-rom=on", NULL);
    QUefiVars *other;
    g_autofree char *path = find_device(uv);
    g_autofree char *rom = g_strdup_printf("%s/option-rom-function", path);

    g_assert_cmpint(quefi_set_text(uv, QUEFI_VENDOR, "Kept", QUEFI_NV_BS_RT,
                                   "yes"), ==, EFI_SUCCESS);
    qtest_qmp_assert_success(uv->qts, "{'execute': 'qom-set', 'arguments': "
                             "{'path': %s, 'property': 'realized', "
                             "'value': false}}", path);

    /* Its option ROM has gone with it */
    qobject_unref(qtest_qmp_assert_failure_ref(uv->qts, "{'execute': "
        "'qom-list', 'arguments': {'path': %s}}", rom));

    /* The file is free, and all is in it */
    other = quefi_start(dev, false, file, NULL, NULL);
    quefi_assert_text(other, QUEFI_VENDOR, "Kept", QUEFI_NV_BS_RT, "yes");

    /* Nothing that happens to the machine reaches the device any more */
    g_assert_cmphex(quefi_read(uv, UEFI_VARS_REG_MAGIC, 2), !=,
                    UEFI_VARS_MAGIC);
    quefi_write(uv, UEFI_VARS_REG_CMD_STS, 2, UEFI_VARS_CMD_DMA_MM);
    qtest_system_reset(uv->qts);
    qtest_qmp_assert_success(uv->qts, "{'execute': 'stop'}");
    qtest_qmp_assert_success(uv->qts, "{'execute': 'cont'}");
    qobject_unref(qtest_qmp_assert_failure_ref(uv->qts, "{'execute': "
                                               "'query-uefi-vars'}"));
    g_usleep(1200 * 1000);      /* the journal would have been folded by now */
    qobject_unref(qtest_qmp_assert_failure_ref(uv->qts, "{'execute': "
        "'qom-set', 'arguments': {'path': %s, 'property': 'realized', "
        "'value': true}}", path));
    quefi_assert_text(other, QUEFI_VENDOR, "Kept", QUEFI_NV_BS_RT, "yes");
    quefi_stop(other);
    quefi_stop(uv);
    quefi_tmp_free(file);
}

static void test_size(const void *opaque)
{
    const QUefiDevice *dev = opaque;
    static const char *const bad[] = {
        "size=0", "size=1", "size=4095", "size=3G", "volatile-size=4095",
        "hwerr-quota=262144", "max-variable-size=0",
    };
    QUefiVars *uv;
    QUefiInfo info;

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        g_autofree char *args = quefi_device_args(dev, bad[i]);

        g_auto(GStrv) prop = g_strsplit(bad[i], "=", 2);

        assert_refused(args, prop[0]);
    }
    uv = quefi_start(dev, false, NULL, "size=4096", NULL);
    g_assert_cmpint(quefi_query(uv, QUEFI_NV_BS, &info), ==, EFI_SUCCESS);
    g_assert_cmpint(info.max_storage, ==, 4096 - 28);
    quefi_stop(uv);
}

/* 4.5: each limit is the one that was asked for */
static void test_limits(const void *opaque)
{
    const QUefiDevice *dev = opaque;
    QUefiVars *uv = quefi_start(dev, false, NULL,
                                "size=65536,volatile-size=32768,"
                                "max-variable-size=1024,"
                                "max-auth-variable-size=2048,"
                                "max-volatile-variable-size=4096,"
                                "max-hwerr-variable-size=8192,"
                                "hwerr-quota=16384", NULL);
    QUefiInfo info;

    g_assert_cmpint(quefi_query(uv, QUEFI_NV_BS, &info), ==, EFI_SUCCESS);
    g_assert_cmpint(info.max_storage, ==, 65536 - 28 - 16384);
    g_assert_cmpint(info.max_size, ==, 1024 - 60);
    g_assert_cmpint(quefi_query(uv, QUEFI_NV_BS | EFI_ATTR_AT, &info), ==,
                    EFI_SUCCESS);
    g_assert_cmpint(info.max_size, ==, 2048 - 60);
    g_assert_cmpint(quefi_query(uv, EFI_ATTR_BS, &info), ==, EFI_SUCCESS);
    g_assert_cmpint(info.max_storage, ==, 32768 - 28);
    g_assert_cmpint(info.max_size, ==, 4096 - 60);
    g_assert_cmpint(quefi_query(uv, QUEFI_NV_BS_RT | EFI_ATTR_HR, &info), ==,
                    EFI_SUCCESS);
    g_assert_cmpint(info.max_storage, ==, 16384);
    g_assert_cmpint(info.max_size, ==, 8192 - 60);
    quefi_stop(uv);
}

/* ------------------------------------------------------------------------ */
/* Discovery on x86: fw_cfg and ACPI */

/* Returns the file and its size, NULL when there is none */
static uint8_t *fw_cfg_file(QUefiVars *uv, const char *name, size_t *size)
{
    QFWCFG *fw_cfg = pc_fw_cfg_init(uv->qts);
    uint8_t *data = g_malloc(0x4000);

    *size = qfw_cfg_get_file(fw_cfg, name, data, 0x4000);
    pc_fw_cfg_uninit(fw_cfg);
    if (!*size) {
        g_clear_pointer(&data, g_free);
    }
    return data;
}

static void test_hardware_info(const void *opaque)
{
    static const uint8_t vector[] = {
        0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00, 0xf1, 0xfe, 0x00, 0x00, 0x00, 0x00,
    };
    const QUefiDevice *dev = opaque;
    QUefiVars *uv = quefi_start(dev, false, NULL, NULL, NULL);

    for (int i = 0; i < 2; i++) {
        size_t size;
        g_autofree uint8_t *data = fw_cfg_file(uv, "etc/hardware-info",
                                               &size);

        if (!strcmp(dev->type, TYPE_UEFI_VARS_X64)) {
            g_assert_nonnull(data);
            g_assert_cmpmem(data, size, vector, sizeof(vector));
        } else {
            g_assert_null(data);
        }
        quefi_reset(uv);
    }
    quefi_stop(uv);
}

/* Offset of @needle in @hay, or -1 */
static ssize_t find(const uint8_t *hay, size_t size, const void *needle,
                    size_t needle_size)
{
    const uint8_t *at = memmem(hay, size, needle, needle_size);

    return at ? at - hay : -1;
}

#define FIND(hay, size, needle) \
    find(hay, size, needle, sizeof(needle) - 1)

/* The body of Device (QEFI) in the DSDT, or NULL */
static const uint8_t *acpi_node(const uint8_t *aml, size_t size, size_t *len)
{
    ssize_t at = FIND(aml, size, "QEFI");
    size_t start, extra;

    if (at < 0) {
        return NULL;
    }
    /* DefDevice: 5b 82 PkgLength NameString; PkgLength counts itself */
    for (extra = 0; extra < 4; extra++) {
        start = at - 1 - extra;
        if (aml[start - 2] == 0x5b && aml[start - 1] == 0x82 &&
            aml[start] >> 6 == extra) {
            break;
        }
    }
    g_assert_cmpint(extra, <, 4);
    *len = extra ? aml[start] & 0xf : aml[start] & 0x3f;
    for (size_t i = 0; i < extra; i++) {
        *len |= aml[start + 1 + i] << (4 + 8 * i);
    }
    *len -= at - start;
    g_assert_cmpint(at + *len, <=, size);
    return aml + at;
}

static void test_acpi(const void *opaque)
{
    const QUefiDevice *dev = opaque;
    QUefiVars *uv = quefi_start(dev, false, NULL, NULL, NULL);
    size_t size, len = 0;
    g_autofree uint8_t *tables = fw_cfg_file(uv, "etc/acpi/tables", &size);
    const uint8_t *node;
    ssize_t io;

    g_assert_nonnull(tables);
    g_assert_cmpint(FIND(tables, size, "DSDT"), >=, 0);
    node = acpi_node(tables, size, &len);
    if (!dev->is_io) {
        g_assert_null(node);
    } else {
        g_assert_nonnull(node);
        /* Name (_HID, "UEFIVARS") */
        g_assert_cmpint(FIND(node, len, "\x08_HID\x0dUEFIVARS\0"), >=, 0);
        /* Name (_STA, 0x0b): there, working, not shown */
        g_assert_cmpint(FIND(node, len, "\x08_STA\x0a\x0b"), >=, 0);
        /* IO (Decode16, 0x520, 0x520, any alignment, 0x20) */
        g_assert_cmpint(FIND(node, len, "\x08_CRS\x11"), >=, 0);
        io = FIND(node, len, "\x47\x01\x20\x05\x20\x05");
        g_assert_cmpint(io, >=, 0);
        g_assert_cmphex(node[io + 7], ==, 0x20);
    }
    quefi_stop(uv);
}

/* ------------------------------------------------------------------------ */
/* Discovery by device tree */

static void assert_fdt(const uint8_t *fdt)
{
    uint32_t parent, len;
    uint32_t node = quefi_fdt_find(fdt, "qemu,uefi-vars", &parent);
    g_autofree char *name = NULL;
    const uint8_t *value;

    g_assert_cmpint(node, !=, 0);
    value = quefi_fdt_prop(fdt, node, "compatible", &len);
    g_assert_cmpmem(value, len, "qemu,uefi-vars", 15);
    value = quefi_fdt_prop(fdt, node, "reg", &len);
    g_assert_cmpint(len, ==, 8);
    g_assert_cmpmem(value + 4, 4, "\0\0\0\x20", 4);
    name = g_strdup_printf("qemu-uefi-vars@%x", value[0] << 24 |
                           value[1] << 16 | value[2] << 8 | value[3]);
    g_assert_cmpstr((const char *)fdt + node, ==, name);

    value = quefi_fdt_prop(fdt, parent, "compatible", &len);
    g_assert_cmpmem(value, len, "qemu,platform\0simple-bus", 25);
    value = quefi_fdt_prop(fdt, parent, "#address-cells", &len);
    g_assert_cmpmem(value, len, "\0\0\0\x01", 4);
    value = quefi_fdt_prop(fdt, parent, "#size-cells", &len);
    g_assert_cmpmem(value, len, "\0\0\0\x01", 4);
}

static void test_fdt(const void *opaque)
{
    const QUefiDevice *dev = opaque;
    QUefiVars *uv = quefi_start(dev, false, NULL, NULL, NULL);
    g_autofree uint8_t *fdt = quefi_fdt_load(uv);

    assert_fdt(fdt);

    /* The page is its own: nothing else answers in the rest of it */
    g_assert_cmphex(uv->base % UEFI_VARS_PAGE_SIZE, ==, 0);
    for (unsigned i = UEFI_VARS_REGS_SIZE; i < UEFI_VARS_PAGE_SIZE; i += 4) {
        g_assert_cmphex(quefi_read(uv, i, 4), ==, UINT32_MAX);
        quefi_write(uv, i, 4, 0);
    }
    assert_works(uv);
    quefi_stop(uv);
}

/* Drivers for either way of discovery find it, and the bus has its address. */
static void test_microvm(void)
{
    static const QUefiDevice dev = {
        .name = "microvm", .arch = "x86_64", .type = TYPE_UEFI_VARS_X64,
        .machine = "microvm,pcie=on -nodefaults -L /usr/share/seabios",
        .ram = 0x200000, .base = UEFI_VARS_X64_BASE,
    };
    QUefiVars *uv = quefi_start(&dev, false, NULL, "option-rom=on", NULL);
    size_t size;
    g_autofree uint8_t *info = fw_cfg_file(uv, "etc/hardware-info", &size);
    g_autofree uint8_t *fdt = fw_cfg_file(uv, "etc/fdt", &size);
    uint32_t parent, len;
    const uint8_t *ranges;

    g_assert_nonnull(info);
    g_assert_nonnull(fdt);
    assert_fdt(fdt);
    quefi_fdt_find(fdt, "qemu,uefi-vars", &parent);
    ranges = quefi_fdt_prop(fdt, parent, "ranges", &len);
    g_assert_cmpmem(ranges, len,
                    "\0\0\0\0" "\0\0\0\0\xfe\xf1\0\0" "\0\0\x10\0", 16);
    assert_works(uv);
    quefi_stop(uv);

    /* Without the device nothing is said of it */
    uv = g_new0(QUefiVars, 1);
    uv->qts = qtest_initf("-M %s", dev.machine);
    g_assert_null(fw_cfg_file(uv, "etc/hardware-info", &size));
    g_free(fdt);
    fdt = fw_cfg_file(uv, "etc/fdt", &size);
    g_assert_cmpint(quefi_fdt_find(fdt, "qemu,uefi-vars", &parent), ==, 0);
    qtest_quit(uv->qts);
    g_free(uv);
}

/* ------------------------------------------------------------------------ */
/* Beside flash with firmware of its own */

static void test_pflash(const void *opaque)
{
    const QUefiDevice *dev = opaque;
    size_t size = is_x86() ? FLASH_SIZE_PC : FLASH_SIZE_VIRT;
    uint64_t base = is_x86() ? 0x100000000ull - size : 0;
    char *path = quefi_tmp_path("flash.fd");
    g_autofree char *args =
        g_strdup_printf("-drive if=pflash,format=raw,unit=0,file=%s,"
                        "readonly=on", path);
    QUefiVars form = { .un_size = 8 };
    g_autoptr(QUefiMsg) msg = quefi_msg_access(&form, EFI_VAR_FN_SET_VARIABLE,
                                               QUEFI_VENDOR, "Flash",
                                               QUEFI_NV_BS, 4);
    FILE *flash = fopen(path, "w");
    QUefiVars *uv;

    quefi_put(msg, 4, 0x01020304);
    quefi_finish(msg);
    g_assert_nonnull(flash);
    g_assert_cmpint(fwrite(msg->bytes->data, 1, msg->bytes->len, flash), ==,
                    msg->bytes->len);
    g_assert_cmpint(ftruncate(fileno(flash), size), ==, 0);
    fclose(flash);

    uv = quefi_start(dev, false, NULL, NULL, args);
    assert_works(uv);
    g_assert_cmphex(qtest_readl(uv->qts, base), ==, 0xed32d533);

    /* R7: no message is run whose reply would have no place */
    quefi_program(uv, base, UEFI_VARS_MAX_BUFFER_SIZE);
    g_assert_cmphex(quefi_command(uv, UEFI_VARS_CMD_DMA_MM), ==,
                    UEFI_VARS_STS_ERR_UNKNOWN);
    quefi_attach(uv);
    quefi_assert_none(uv, QUEFI_VENDOR, "Flash");
    assert_works(uv);
    quefi_stop(uv);
    quefi_tmp_free(path);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    quefi_add_device_tests("machine/types", test_types);
    quefi_add_device_tests("machine/help", test_help);
    quefi_add_device_tests("machine/libvirt", test_libvirt);
    quefi_add_device_tests("machine/drive", test_drive);
    quefi_add_device_tests("machine/second", test_second);
    quefi_add_device_tests("machine/unrealize", test_unrealize);
    quefi_add_device_tests("machine/4.5/size", test_size);
    quefi_add_device_tests("machine/4.5/limits", test_limits);
    quefi_add_device_tests("machine/pflash", test_pflash);
    if (is_x86()) {
        quefi_add_device_tests("machine/1.3/hardware-info",
                               test_hardware_info);
        quefi_add_device_tests("machine/1.3/acpi", test_acpi);
    } else {
        quefi_add_device_tests("machine/1.3/fdt", test_fdt);
    }
    /* The machines of a distribution's QEMU are as it has them. */
    if (qtest_has_machine("microvm") && !g_getenv("UEFI_VARS_MODULE")) {
        qtest_add_func("uefi-vars/microvm/machine/1.3/fdt", test_microvm);
    }
    return g_test_run();
}
