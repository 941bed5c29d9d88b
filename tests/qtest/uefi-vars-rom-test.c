/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * QTest of the UEFI variable service: option-rom=on, the PCI function that
 * carries the driver for stock firmware
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "standard-headers/linux/pci_regs.h"
#include "qobject/qdict.h"
#include "qobject/qlist.h"
#include "libqtest.h"
#include "libqos/uefi-vars.h"

#define SLOT            0x1e
#define ROM_SIZE        0x40000
#define ROM_BASE        0xe0000000

/* Configuration space by ports */
#define PCI_ADDRESS     0xcf8
#define PCI_DATA        0xcfc

/* UEFI 14.4.2: header of an image in the ROM, and what it points at */
#define IMAGE_BLOCKS    0x02
#define IMAGE_SIGNATURE 0x04
#define IMAGE_MACHINE   0x0a
#define IMAGE_PCIR      0x18
#define PCIR_VENDOR     0x04
#define PCIR_CODE_TYPE  0x14
#define PCIR_INDICATOR  0x15

static QDict *first_where(QList *list, const char *key, int64_t value)
{
    QListEntry *entry;

    QLIST_FOREACH_ENTRY(list, entry) {
        QDict *item = qobject_to(QDict, qlist_entry_obj(entry));

        if (qdict_get_int(item, key) == value) {
            return item;
        }
    }
    return NULL;
}

/* The function at @slot of the first bus, for the caller to unref, or NULL */
static QDict *find_function(QTestState *qts, int slot)
{
    QDict *rsp = qtest_qmp(qts, "{'execute': 'query-pci'}");
    QDict *bus = first_where(qdict_get_qlist(rsp, "return"), "bus", 0);
    QDict *found = first_where(qdict_get_qlist(bus, "devices"), "slot", slot);

    qobject_ref(found);
    qobject_unref(rsp);
    return found;
}

static void assert_function(QTestState *qts, int slot)
{
    QDict *function = find_function(qts, slot);
    QDict *id, *rom;

    g_assert_nonnull(function);
    id = qdict_get_qdict(function, "id");
    g_assert_cmphex(qdict_get_int(id, "vendor"), ==, UEFI_VARS_ROM_VENDOR_ID);
    g_assert_cmphex(qdict_get_int(id, "device"), ==, UEFI_VARS_ROM_DEVICE_ID);
    /* No registers: the ROM is the only region */
    g_assert_cmpint(qlist_size(qdict_get_qlist(function, "regions")), ==, 1);
    rom = qobject_to(QDict, qlist_peek(qdict_get_qlist(function, "regions")));
    g_assert_cmpint(qdict_get_int(rom, "bar"), ==, 6);
    g_assert_cmphex(qdict_get_int(rom, "size"), ==, ROM_SIZE);
    qobject_unref(function);
}

static void test_place(const void *opaque)
{
    const QUefiDevice *dev = opaque;
    QUefiVars *uv = quefi_start(dev, false, NULL, NULL, NULL);

    g_assert_null(find_function(uv->qts, SLOT));
    quefi_stop(uv);

    uv = quefi_start(dev, false, NULL, "option-rom=on", NULL);
    assert_function(uv->qts, SLOT);
    quefi_stop(uv);

    uv = quefi_start(dev, false, NULL, "option-rom=on,option-rom-addr=9",
                     NULL);
    assert_function(uv->qts, 9);
    g_assert_null(find_function(uv->qts, SLOT));
    quefi_stop(uv);
}

/* An expander has a root bus, too, but takes bridges only. */
static void test_expander(void)
{
    QTestState *qts = qtest_init("-M q35 -nodefaults -L /usr/share/seabios "
                                 "-device pxb-pcie,bus_nr=128 "
                                 "-device " TYPE_UEFI_VARS_X64
                                 ",option-rom=on");

    assert_function(qts, SLOT);
    qtest_quit(qts);
}

static void test_refused(const void *opaque)
{
    static const struct {
        const char *props;
        const char *says;
    } cases[] = {
        { "option-rom=on,option-rom-addr=0.0",
          "option-rom-addr: PCI address 00.0 is in use by " },
        { "option-rom=on,option-rom-addr=-1", "option-rom-addr" },
        { "option-rom=on,option-rom-addr=1f.8", "option-rom-addr" },
        { "option-rom=on,romfile=nowhere.rom",
          "failed to find romfile \"nowhere.rom\"" },
        { "romfile=uefi-vars.rom", "romfile needs option-rom=on" },
    };
    const QUefiDevice *dev = opaque;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        g_autofree char *args = quefi_device_args(dev, cases[i].props);
        g_autofree char *err = quefi_refused(args);

        g_test_message("%s", err);
        g_assert_nonnull(strstr(err, cases[i].says));
        g_assert_true(strchr(err, '\n') == err + strlen(err) - 1);
    }
}

static void test_no_pci(void)
{
    g_autofree char *err = quefi_refused("-M isapc -nodefaults "
                                         "-L /usr/share/seabios -device "
                                         TYPE_UEFI_VARS_ISA ",option-rom=on");

    g_test_message("%s", err);
    g_assert_nonnull(strstr(err, "option-rom needs a machine with PCI"));
}

/* ------------------------------------------------------------------------ */
/* What the ROM holds, on x86, whose configuration space is easy to reach */

static void config_select(QUefiVars *uv, unsigned reg)
{
    qtest_outl(uv->qts, PCI_ADDRESS, 0x80000000 | SLOT << 11 | reg);
}

static void config_write(QUefiVars *uv, unsigned reg, uint32_t value)
{
    config_select(uv, reg);
    qtest_outl(uv->qts, PCI_DATA, value);
}

static uint32_t config_read(QUefiVars *uv, unsigned reg)
{
    config_select(uv, reg);
    return qtest_inl(uv->qts, PCI_DATA);
}

static void map_rom(QUefiVars *uv)
{
    config_write(uv, PCI_ROM_ADDRESS, ROM_BASE | PCI_ROM_ADDRESS_ENABLE);
    config_write(uv, PCI_COMMAND, PCI_COMMAND_MEMORY);
}

static uint8_t *read_rom(QUefiVars *uv)
{
    uint8_t *rom = g_malloc(ROM_SIZE);

    qtest_memread(uv->qts, ROM_BASE, rom, ROM_SIZE);
    return rom;
}

/* Machine types of the EFI images, space separated */
static char *list_images(const uint8_t *rom)
{
    GString *list = g_string_new(NULL);
    const uint8_t *pcir;
    size_t at = 0;

    do {
        const uint8_t *image = rom + at;

        g_assert_cmphex(lduw_le_p(image), ==, 0xaa55);
        g_assert_cmphex(ldl_le_p(image + IMAGE_SIGNATURE), ==, 0x0ef1);
        pcir = image + lduw_le_p(image + IMAGE_PCIR);
        g_assert_cmpint(memcmp(pcir, "PCIR", 4), ==, 0);
        g_assert_cmphex(ldl_le_p(pcir + PCIR_VENDOR), ==,
                        UEFI_VARS_ROM_DEVICE_ID << 16 |
                        UEFI_VARS_ROM_VENDOR_ID);
        g_assert_cmpint(pcir[PCIR_CODE_TYPE], ==, 3);
        g_string_append_printf(list, "%s%x", list->len ? " " : "",
                               lduw_le_p(image + IMAGE_MACHINE));
        at += lduw_le_p(image + IMAGE_BLOCKS) * 512;
        g_assert_cmpint(at, <, ROM_SIZE);
    } while (!(pcir[PCIR_INDICATOR] & 0x80));
    return g_string_free(list, false);
}

static void test_images(const void *opaque)
{
    QUefiVars *uv = quefi_start(opaque, false, NULL, "option-rom=on", NULL);
    g_autofree uint8_t *rom = NULL;
    g_autofree char *images = NULL;

    map_rom(uv);
    rom = read_rom(uv);
    images = list_images(rom);
    /* and those that the compiler of the build knows, after these */
    g_assert_true(g_str_has_prefix(images, "8664 aa64"));
    quefi_stop(uv);
}

static void test_romfile(const void *opaque)
{
    char *path = quefi_tmp_path("other.rom");
    g_autofree char *props = g_strdup_printf("option-rom=on,romfile=%s",
                                             path);
    g_autofree uint8_t *rom = NULL;
    QUefiVars *uv;

    g_assert_true(g_file_set_contents(path, "another driver", -1, NULL));
    uv = quefi_start(opaque, false, NULL, props, NULL);
    map_rom(uv);
    rom = read_rom(uv);
    g_assert_cmpmem(rom, 14, "another driver", 14);
    quefi_stop(uv);
    quefi_tmp_free(path);
}

/* ------------------------------------------------------------------------ */

/* The ROM stays where the guest has put it, and the store is there as well. */
static void test_migrate(const void *opaque)
{
    const QUefiDevice *dev = opaque;
    bool is_x86 = !strcmp(dev->arch, "x86_64");
    QUefiVars *uv = quefi_start(dev, false, NULL, "option-rom=on", "-m 18");
    g_autofree uint8_t *before = NULL, *after = NULL;

    if (is_x86) {
        map_rom(uv);
        before = read_rom(uv);
    }
    g_assert_cmpint(quefi_set_text(uv, QUEFI_VENDOR, "Moves", QUEFI_NV_BS,
                                   "yes"), ==, EFI_SUCCESS);
    quefi_migrate(uv);
    assert_function(uv->qts, SLOT);
    quefi_assert_text(uv, QUEFI_VENDOR, "Moves", QUEFI_NV_BS, "yes");
    if (is_x86) {
        g_assert_cmphex(config_read(uv, PCI_ROM_ADDRESS), ==,
                        ROM_BASE | PCI_ROM_ADDRESS_ENABLE);
        after = read_rom(uv);
        g_assert_cmpmem(before, ROM_SIZE, after, ROM_SIZE);
    }
    quefi_stop(uv);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    quefi_add_device_tests("rom/place", test_place);
    quefi_add_device_tests("rom/refused", test_refused);
    quefi_add_device_tests("rom/migrate", test_migrate);
    if (!strcmp(qtest_get_arch(), "x86_64")) {
        quefi_add_device_tests("rom/images", test_images);
        quefi_add_device_tests("rom/romfile", test_romfile);
    }
    if (!strcmp(qtest_get_arch(), "x86_64") && qtest_has_device("pxb-pcie")) {
        qtest_add_func("uefi-vars/rom/expander", test_expander);
    }
    if (qtest_has_machine("isapc") && qtest_has_device(TYPE_UEFI_VARS_ISA)) {
        qtest_add_func("uefi-vars/rom/no-pci", test_no_pci);
    }
    return g_test_run();
}
