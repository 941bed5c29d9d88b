/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * QTest of vmfwupdate: a guest that replaces its firmware
 * (docs/specs/vmfwupdate.rst), beside a store of UEFI variables
 */

#include "qemu/osdep.h"
#include "qobject/qdict.h"
#include "qemu/bswap.h"
#include "qemu/cutils.h"
#include "qemu/units.h"
#include "standard-headers/linux/qemu_fw_cfg.h"
#include "hw/misc/vmfwupdate.h"
#include "libqtest.h"
#include "libqos/fw_cfg.h"
#include "libqos/uefi-vars.h"

#define DEVICE          "-m 16 -device vmfwupdate"
#define BIOS_SIZE       (256 * KiB)             /* of SeaBIOS */
#define BIOS_BASE       (4 * GiB - BIOS_SIZE)
#define ISA_BIOS_SIZE   (128 * KiB)
#define ISA_BIOS_BASE   (1 * MiB - ISA_BIOS_SIZE)
#define FW_CFG_BASE     0x510

#define IMAGE           (2 * MiB)   /* where the guest puts its image */
#define DMA             (1 * MiB)   /* descriptor of a transfer, its data */

/* ------------------------------------------------------------------------ */
/* The guest's side of fw_cfg */

static bool find_file(QTestState *qts, const char *name,
                      struct fw_cfg_file *file)
{
    QFWCFG *fw_cfg = pc_fw_cfg_init(qts);
    uint32_t count;
    bool found = false;

    qfw_cfg_get(fw_cfg, FW_CFG_FILE_DIR, &count, sizeof(count));
    for (uint32_t i = 0; i < be32_to_cpu(count) && !found; i++) {
        qfw_cfg_read_data(fw_cfg, file, sizeof(*file));
        found = !strcmp(file->name, name);
    }
    pc_fw_cfg_uninit(fw_cfg);
    return found;
}

/* A transfer by DMA from the start of a file; false if the device refuses */
static bool transfer(QTestState *qts, const char *name, uint32_t control,
                     uint32_t size)
{
    struct fw_cfg_file file;
    struct fw_cfg_dma_access access = {
        .length = cpu_to_be32(size),
        .address = cpu_to_be64(DMA + sizeof(access)),
    };

    g_assert_true(find_file(qts, name, &file));
    access.control = cpu_to_be32(control | FW_CFG_DMA_CTL_SELECT |
                                 be16_to_cpu(file.select) << 16);
    qtest_memwrite(qts, DMA, &access, sizeof(access));
    qtest_outl(qts, FW_CFG_BASE + 4, 0);
    qtest_outl(qts, FW_CFG_BASE + 8, cpu_to_be32(DMA));
    qtest_memread(qts, DMA, &access, sizeof(access));
    g_assert_cmphex(be32_to_cpu(access.control) & ~FW_CFG_DMA_CTL_ERROR, ==,
                    0);
    return !access.control;
}

static bool write_file(QTestState *qts, const char *name, const void *data,
                       uint32_t size)
{
    qtest_memwrite(qts, DMA + sizeof(struct fw_cfg_dma_access), data, size);
    return transfer(qts, name, FW_CFG_DMA_CTL_WRITE, size);
}

static void read_file(QTestState *qts, const char *name, void *data,
                      uint32_t size)
{
    struct fw_cfg_file file;

    g_assert_true(find_file(qts, name, &file));
    g_assert_cmpint(be32_to_cpu(file.size), ==, size);
    g_assert_true(transfer(qts, name, FW_CFG_DMA_CTL_READ, size));
    qtest_memread(qts, DMA + sizeof(struct fw_cfg_dma_access), data, size);
}

static uint64_t read_u64(QTestState *qts, const char *name)
{
    uint8_t bytes[8];

    read_file(qts, name, bytes, sizeof(bytes));
    return ldq_le_p(bytes);
}

static uint8_t read_u8(QTestState *qts, const char *name)
{
    uint8_t byte;

    read_file(qts, name, &byte, sizeof(byte));
    return byte;
}

static void write_addr(QTestState *qts, uint64_t addr)
{
    uint8_t bytes[8];

    stq_le_p(bytes, addr);
    g_assert_true(write_file(qts, VMFWUPDATE_BIOS_ADDR_FILE, bytes,
                             sizeof(bytes)));
    g_assert_cmphex(read_u64(qts, VMFWUPDATE_BIOS_ADDR_FILE), ==, addr);
}

static void disable(QTestState *qts, uint8_t value)
{
    g_assert_true(write_file(qts, VMFWUPDATE_DISABLE_FILE, &value, 1));
    g_assert_cmpint(read_u8(qts, VMFWUPDATE_DISABLE_FILE), ==, 1);
}

/* ------------------------------------------------------------------------ */
/* The firmware */

/* An image that no other byte of the machine looks like */
static uint8_t *make_image(QTestState *qts, uint64_t addr, uint32_t seed)
{
    uint8_t *image = g_malloc(BIOS_SIZE);

    for (size_t i = 0; i < BIOS_SIZE; i += 4) {
        seed = seed * 1664525 + 1013904223;
        stl_le_p(image + i, seed);
    }
    qtest_memwrite(qts, addr, image, BIOS_SIZE);
    return image;
}

static uint8_t *read_bios(QTestState *qts)
{
    uint8_t *bios = g_malloc(BIOS_SIZE);
    g_autofree uint8_t *low = g_malloc(ISA_BIOS_SIZE);

    qtest_memread(qts, BIOS_BASE, bios, BIOS_SIZE);
    /* What is below 1 MiB is the same memory */
    qtest_memread(qts, ISA_BIOS_BASE, low, ISA_BIOS_SIZE);
    g_assert_cmpmem(low, ISA_BIOS_SIZE,
                    bios + BIOS_SIZE - ISA_BIOS_SIZE, ISA_BIOS_SIZE);
    return bios;
}

static void assert_bios(QTestState *qts, const uint8_t *image)
{
    g_autofree uint8_t *bios = read_bios(qts);

    g_assert_cmpmem(bios, BIOS_SIZE, image, BIOS_SIZE);
}

/* ------------------------------------------------------------------------ */

static void test_files(const void *opaque)
{
    static const char *const read_only[] = {
        VMFWUPDATE_CAP_FILE, VMFWUPDATE_BIOS_SIZE_FILE,
    };
    static const uint8_t ones[8] = { 1, 1, 1, 1, 1, 1, 1, 1 };
    QUefiVars *uv = quefi_launch(opaque, false, NULL, NULL, DEVICE);
    uint8_t opaque_file[VMFWUPDATE_OPAQUE_SIZE];

    for (size_t i = 0; i < ARRAY_SIZE(read_only); i++) {
        g_assert_false(write_file(uv->qts, read_only[i], ones, 8));
    }
    g_assert_cmphex(read_u64(uv->qts, VMFWUPDATE_CAP_FILE), ==, 0);
    g_assert_cmphex(read_u64(uv->qts, VMFWUPDATE_BIOS_SIZE_FILE), ==,
                    BIOS_SIZE);
    g_assert_cmphex(read_u64(uv->qts, VMFWUPDATE_BIOS_ADDR_FILE), ==, 0);
    g_assert_cmpint(read_u8(uv->qts, VMFWUPDATE_DISABLE_FILE), ==, 0);
    read_file(uv->qts, VMFWUPDATE_OPAQUE_FILE, opaque_file,
              sizeof(opaque_file));
    g_assert_true(buffer_is_zero(opaque_file, sizeof(opaque_file)));
    quefi_stop(uv);
}

static void test_replace(const void *opaque)
{
    QUefiVars *uv = quefi_launch(opaque, false, NULL, NULL, DEVICE);
    g_autofree uint8_t *old = read_bios(uv->qts);
    g_autofree uint8_t *first = make_image(uv->qts, IMAGE, 1);
    g_autofree uint8_t *second = NULL;
    uint8_t vector[16];
    char note[VMFWUPDATE_OPAQUE_SIZE] = "the kernel is at";
    char note_now[sizeof(note)];

    note[sizeof(note) - 1] = 'x';
    g_assert_true(write_file(uv->qts, VMFWUPDATE_OPAQUE_FILE, note,
                             sizeof(note)));
    write_addr(uv->qts, IMAGE);
    assert_bios(uv->qts, old);

    qtest_system_reset(uv->qts);
    assert_bios(uv->qts, first);
    qtest_memread(uv->qts, 0xfffffff0, vector, sizeof(vector));
    g_assert_cmpmem(vector, sizeof(vector),
                    first + BIOS_SIZE - sizeof(vector), sizeof(vector));
    g_assert_cmphex(read_u64(uv->qts, VMFWUPDATE_BIOS_ADDR_FILE), ==, 0);
    read_file(uv->qts, VMFWUPDATE_OPAQUE_FILE, note_now, sizeof(note_now));
    g_assert_cmpmem(note_now, sizeof(note), note, sizeof(note));

    /* It stays, whatever becomes of the memory that it came from */
    qtest_memset(uv->qts, IMAGE, 0, BIOS_SIZE);
    qtest_system_reset(uv->qts);
    assert_bios(uv->qts, first);

    /* and can be replaced again, from an odd address */
    second = make_image(uv->qts, IMAGE + 1, 2);
    write_addr(uv->qts, IMAGE + 1);
    qtest_system_reset(uv->qts);
    assert_bios(uv->qts, second);

    quefi_restart(uv);
    assert_bios(uv->qts, old);
    quefi_stop(uv);
}

static void test_disable(const void *opaque)
{
    QUefiVars *uv = quefi_launch(opaque, false, NULL, NULL, DEVICE);
    g_autofree uint8_t *old = read_bios(uv->qts);
    g_autofree uint8_t *image = make_image(uv->qts, IMAGE, 1);

    for (unsigned value = 0; value < 3; value++) {
        write_addr(uv->qts, IMAGE);
        disable(uv->qts, value);
        disable(uv->qts, 0);
        qtest_system_reset(uv->qts);
        assert_bios(uv->qts, old);
        g_assert_cmphex(read_u64(uv->qts, VMFWUPDATE_BIOS_ADDR_FILE), ==, 0);
        g_assert_cmpint(read_u8(uv->qts, VMFWUPDATE_DISABLE_FILE), ==, 0);
    }
    write_addr(uv->qts, IMAGE);
    qtest_system_reset(uv->qts);
    assert_bios(uv->qts, image);
    quefi_stop(uv);
}

static void test_not_ram(const void *opaque)
{
    static const uint64_t bad[] = {
        0xc0000 - 1,                    /* runs into ROM */
        0xc0000,
        16 * MiB - BIOS_SIZE + 1,       /* one byte beyond RAM */
        16 * MiB,
        0xfec00000,                     /* I/O APIC */
        BIOS_BASE,                      /* the firmware itself */
        4 * GiB - 1,
        4 * GiB,
        UINT64_MAX - BIOS_SIZE + 1,
        UINT64_MAX,
    };
    QUefiVars *uv = quefi_launch(opaque, false, NULL, NULL, DEVICE);
    g_autofree uint8_t *old = read_bios(uv->qts);
    g_autofree uint8_t *image = NULL;

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        write_addr(uv->qts, bad[i]);
        qtest_system_reset(uv->qts);
        assert_bios(uv->qts, old);
        g_assert_cmphex(read_u64(uv->qts, VMFWUPDATE_BIOS_ADDR_FILE), ==, 0);
    }
    /* the last bytes of RAM are good */
    image = make_image(uv->qts, 16 * MiB - BIOS_SIZE, 1);
    write_addr(uv->qts, 16 * MiB - BIOS_SIZE);
    qtest_system_reset(uv->qts);
    assert_bios(uv->qts, image);
    quefi_stop(uv);
}

/* A machine that wakes up is the same machine */
static void test_wakeup(const void *opaque)
{
    QUefiVars *uv = quefi_launch(opaque, false, NULL, NULL, DEVICE);
    g_autofree uint8_t *old = read_bios(uv->qts);
    g_autofree uint8_t *image = make_image(uv->qts, IMAGE, 1);

    write_addr(uv->qts, IMAGE);
    quefi_suspend(uv);
    assert_bios(uv->qts, old);
    g_assert_cmphex(read_u64(uv->qts, VMFWUPDATE_BIOS_ADDR_FILE), ==, IMAGE);
    qtest_system_reset(uv->qts);
    assert_bios(uv->qts, image);
    quefi_stop(uv);
}

static void test_migrate(const void *opaque)
{
    QUefiVars *uv = quefi_launch(opaque, false, NULL, NULL, DEVICE);
    g_autofree uint8_t *first = make_image(uv->qts, IMAGE, 1);
    g_autofree uint8_t *second = NULL;
    char note[VMFWUPDATE_OPAQUE_SIZE] = "kept";

    write_addr(uv->qts, IMAGE);
    g_assert_true(write_file(uv->qts, VMFWUPDATE_OPAQUE_FILE, note, 5));
    qtest_system_reset(uv->qts);
    second = make_image(uv->qts, IMAGE, 2);
    write_addr(uv->qts, IMAGE);
    quefi_migrate(uv);
    assert_bios(uv->qts, first);
    g_assert_cmphex(read_u64(uv->qts, VMFWUPDATE_BIOS_ADDR_FILE), ==, IMAGE);
    read_file(uv->qts, VMFWUPDATE_OPAQUE_FILE, note, sizeof(note));
    g_assert_cmpstr(note, ==, "kept");
    qtest_system_reset(uv->qts);
    assert_bios(uv->qts, second);

    /* Disabled stays disabled */
    write_addr(uv->qts, IMAGE + 1);
    disable(uv->qts, 1);
    quefi_migrate(uv);
    g_assert_cmpint(read_u8(uv->qts, VMFWUPDATE_DISABLE_FILE), ==, 1);
    qtest_system_reset(uv->qts);
    assert_bios(uv->qts, second);
    quefi_stop(uv);
}

/* A snapshot has the firmware of its time, wherever it is loaded */
static void test_snapshot(const void *opaque)
{
    QUefiVars *uv = quefi_launch(opaque, false, NULL, NULL, DEVICE);
    g_autofree uint8_t *first = make_image(uv->qts, IMAGE, 1);
    g_autofree uint8_t *second = NULL;
    char *disk = quefi_tmp_path("disk");
    g_autofree char *args = g_strdup_printf(
        DEVICE " -drive if=none,format=qcow2,file=%s -loadvm now", disk);

    write_addr(uv->qts, IMAGE);
    qtest_system_reset(uv->qts);
    second = make_image(uv->qts, IMAGE, 2);
    write_addr(uv->qts, IMAGE);
    quefi_add_disk(uv, disk);
    quefi_snapshot(uv, "savevm");
    qtest_system_reset(uv->qts);
    assert_bios(uv->qts, second);

    quefi_snapshot(uv, "loadvm");
    assert_bios(uv->qts, first);
    g_assert_cmphex(read_u64(uv->qts, VMFWUPDATE_BIOS_ADDR_FILE), ==, IMAGE);
    quefi_stop(uv);

    uv = quefi_launch(opaque, false, NULL, NULL, args);
    assert_bios(uv->qts, first);
    qtest_system_reset(uv->qts);
    assert_bios(uv->qts, second);
    qtest_system_reset(uv->qts);
    assert_bios(uv->qts, second);
    quefi_stop(uv);
    quefi_tmp_free(disk);
}

static void assert_refused(const char *machine, const char *args,
                           const char *why)
{
    g_autofree char *all = g_strdup_printf(
        "-M %s -nodefaults -L /usr/share/seabios -device vmfwupdate %s",
        machine, args);
    g_autofree char *err = quefi_refused(all);

    g_assert_nonnull(strstr(err, why));
}

/* More files for the guest, until there is no room for ours: no abort */
static void assert_crowded(const char *machine)
{
    g_autoptr(GString) args = g_string_new("");
    g_autofree char *more = NULL;
    g_autofree char *out = NULL;

    for (unsigned i = 0; i < 20; i++) {
        g_string_append_printf(args, "-fw_cfg name=opt/file%u,string=x ", i);
    }
    assert_refused(machine, args->str, "fw_cfg has no room for 5 more files");
    more = g_strdup_printf("-M %s -nodefaults -L /usr/share/seabios -device "
                           "vmfwupdate %s -global fw_cfg.x-file-slots=64",
                           machine, args->str);
    out = quefi_output(more);
    g_assert_nonnull(strstr(out, "return"));
}

static void test_refused(const void *opaque)
{
    const QUefiDevice *dev = opaque;
    g_autofree char *machine = g_strndup(dev->machine,
                                         strcspn(dev->machine, " "));
    char *path = quefi_tmp_path("flash.fd");
    g_autofree char *pflash =
        g_strdup_printf("-drive if=pflash,format=raw,file=%s", path);
    QUefiVars *uv;
    QDict *rsp;

    g_assert_true(g_file_set_contents(path, "", 0, NULL));
    g_assert_cmpint(truncate(path, BIOS_SIZE), ==, 0);
    assert_refused(machine, pflash, "the firmware is in flash");
    assert_refused(machine, "-device vmfwupdate",
                   "at most one vmfwupdate device is permitted");
    quefi_tmp_free(path);
    assert_refused(machine, "-global fw_cfg.dma_enabled=off",
                   "vmfwupdate needs fw_cfg with DMA");
    assert_crowded(machine);

    uv = quefi_launch(dev, false, NULL, NULL, NULL);
    rsp = qtest_qmp(uv->qts, "{'execute': 'device_add', "
                             "'arguments': {'driver': 'vmfwupdate'}}");
    g_assert_nonnull(strstr(qdict_get_str(qdict_get_qdict(rsp, "error"),
                                          "desc"), "hotplug"));
    qobject_unref(rsp);
    quefi_stop(uv);
}

static void test_other_machines(void)
{
    const char *why = "vmfwupdate needs a machine of type pc or q35";

    assert_refused("none", "", why);
    if (qtest_has_machine("microvm")) {
        assert_refused("microvm", "", why);
    }
    if (qtest_has_machine("isapc")) {
        assert_refused("isapc", "-cpu 486", why);
    }
}

/* On other architectures there is no such device */
static void test_absent(void)
{
    g_autofree char *err = quefi_refused("-M none -device vmfwupdate");

    g_assert_nonnull(strstr(err, "'vmfwupdate' is not a valid device model"));
}

static void add_tests(const QUefiDevice *dev)
{
    static const struct {
        const char *name;
        void (*run)(const void *dev);
    } tests[] = {
        { "files", test_files },
        { "replace", test_replace },
        { "disable", test_disable },
        { "not-ram", test_not_ram },
        { "wakeup", test_wakeup },
        { "migrate", test_migrate },
        { "snapshot", test_snapshot },
        { "refused", test_refused },
    };

    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        g_autofree char *path = g_strdup_printf("vmfwupdate/%.*s/%s",
            (int)strcspn(dev->machine, " "), dev->machine, tests[i].name);

        qtest_add_data_func(path, dev, tests[i].run);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    if (strcmp(qtest_get_arch(), "x86_64")) {
        qtest_add_func("vmfwupdate/absent", test_absent);
        return g_test_run();
    }
    /* A machine of each type, with a store of variables */
    for (size_t i = 0; i < quefi_n_devices; i++) {
        if (!strcmp(quefi_devices[i].name, "isa") ||
            !strcmp(quefi_devices[i].name, "x64")) {
            add_tests(&quefi_devices[i]);
        }
    }
    qtest_add_func("vmfwupdate/other-machines", test_other_machines);
    return g_test_run();
}
