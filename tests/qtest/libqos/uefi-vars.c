/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * libqos driver for the UEFI variable service
 */

#include "qemu/osdep.h"
#include <sys/wait.h>
#include "standard-headers/linux/pci_regs.h"
#include "qemu/bswap.h"
#include "qemu/crc32c.h"
#include "qemu/uuid.h"
#include "qobject/qlist.h"
#include "uefi-vars.h"

/* Its name since 10.1 */
#if QEMU_VERSION_MAJOR == 10 && QEMU_VERSION_MINOR == 0
#define qtest_init_ext  qtest_init_with_env_and_capabilities
#endif

#define IMAGE_SIZE      (4 * 1024 * 1024)
#define GUARD_SIZE      16
#define GUARD_BYTE      0xa5

#define FDT_BASE        0x40000000
#define FDT_BEGIN_NODE  1
#define FDT_END_NODE    2
#define FDT_PROP        3
#define FDT_NOP         4

#define PM_BASE         0x600
#define PM1_CNT_S3      0x2400      /* SLP_EN, SLP_TYP 1 */

/* The firmware of pc machines is loaded but does not run */
#define PC_ARGS         "-nodefaults -L /usr/share/seabios " \
                        "-global apic-common.vapic=off"
#define PC_RAM          0x200000
#define VIRT_ARGS       "-nodefaults"
#define VIRT_RAM        0x41000000

const QUefiDevice quefi_devices[] = {
    {
        .name = "isa", .arch = "x86_64", .type = TYPE_UEFI_VARS_ISA,
        .machine = "pc " PC_ARGS, .ram = PC_RAM,
        .base = UEFI_VARS_ISA_BASE, .is_io = true,
    }, {
        .name = "isa-q35", .arch = "x86_64", .type = TYPE_UEFI_VARS_ISA,
        .machine = "q35 " PC_ARGS, .ram = PC_RAM,
        .base = UEFI_VARS_ISA_BASE, .is_io = true,
    }, {
        .name = "x64", .arch = "x86_64", .type = TYPE_UEFI_VARS_X64,
        .machine = "q35 " PC_ARGS, .ram = PC_RAM, .base = UEFI_VARS_X64_BASE,
    }, {
        .name = "x64-pc", .arch = "x86_64", .type = TYPE_UEFI_VARS_X64,
        .machine = "pc " PC_ARGS, .ram = PC_RAM, .base = UEFI_VARS_X64_BASE,
    }, {
        .name = "sysbus", .arch = "aarch64", .type = TYPE_UEFI_VARS_SYSBUS,
        .machine = "virt,x-uefi-vars=on " VIRT_ARGS, .ram = VIRT_RAM,
        .is_global = true,
    }, {
        .name = "sysbus-device", .arch = "aarch64",
        .type = TYPE_UEFI_VARS_SYSBUS,
        .machine = "virt " VIRT_ARGS, .ram = VIRT_RAM,
    },
};
const size_t quefi_n_devices = ARRAY_SIZE(quefi_devices);

/* ------------------------------------------------------------------------ */
/* Command lines */

char *quefi_device_args(const QUefiDevice *dev, const char *props)
{
    GString *args = g_string_new(NULL);

    g_string_printf(args, "-M %s", dev->machine);
    if (dev->is_global) {
        g_auto(GStrv) list = g_strsplit(props ?: "", ",", 0);

        for (char **prop = list; *prop; prop++) {
            g_string_append_printf(args, " -global %s.%s", dev->type, *prop);
        }
    } else {
        g_string_append_printf(args, " -device %s%s%s", dev->type,
                               props ? "," : "", props ?: "");
    }
    return g_string_free(args, false);
}

/* Runs QEMU with a monitor that quits as soon as the machine is ready */
static int quefi_spawn(const char *args, char **out, char **err)
{
    static const char quit[] =
        "{\"execute\":\"qmp_capabilities\"}{\"execute\":\"quit\"}";
    g_autofree char *command =
        g_strdup_printf("echo '%s' | exec %s -accel qtest -display none "
                        "-qmp stdio %s", quit,
                        g_getenv("QTEST_QEMU_BINARY"), args);
    const char *argv[] = { "/bin/sh", "-c", command, NULL };
    g_autoptr(GError) error = NULL;
    int status;

    g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_DEFAULT, NULL, NULL,
                 out, err, &status, &error);
    g_assert_no_error(error);
    g_assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

char *quefi_refused(const char *args)
{
    char *err;

    g_assert_cmpint(quefi_spawn(args, NULL, &err), ==, 1);
    return err;
}

char *quefi_output(const char *args)
{
    char *out;

    g_assert_cmpint(quefi_spawn(args, &out, NULL), ==, 0);
    return out;
}

/* ------------------------------------------------------------------------ */
/* Device tree */

static uint32_t be32(const uint8_t *p)
{
    return ldl_be_p(p);
}

uint8_t *quefi_fdt_load(QUefiVars *uv)
{
    uint8_t head[8];
    uint8_t *fdt;
    uint32_t size;

    qtest_memread(uv->qts, FDT_BASE, head, sizeof(head));
    g_assert_cmphex(be32(head), ==, 0xd00dfeed);
    size = be32(head + 4);
    fdt = g_malloc(size);
    qtest_memread(uv->qts, FDT_BASE, fdt, size);
    return fdt;
}

static uint32_t fdt_after_name(const uint8_t *fdt, uint32_t node)
{
    return ROUND_UP(node + strlen((const char *)fdt + node) + 1, 4);
}

/* The property of that name among those that begin at @pos, or NULL */
static const uint8_t *fdt_prop_at(const uint8_t *fdt, uint32_t pos,
                                  const char *name, uint32_t *len)
{
    const char *strings = (const char *)fdt + be32(fdt + 12);

    for (;;) {
        switch (be32(fdt + pos)) {
        case FDT_PROP:
            *len = be32(fdt + pos + 4);
            if (!strcmp(strings + be32(fdt + pos + 8), name)) {
                return fdt + pos + 12;
            }
            pos = ROUND_UP(pos + 12 + *len, 4);
            break;
        case FDT_NOP:
            pos += 4;
            break;
        default:
            return NULL;
        }
    }
}

const uint8_t *quefi_fdt_prop(const uint8_t *fdt, uint32_t node,
                              const char *name, uint32_t *len)
{
    return fdt_prop_at(fdt, fdt_after_name(fdt, node), name, len);
}

static bool fdt_is_compatible(const uint8_t *fdt, uint32_t node,
                              const char *compatible)
{
    uint32_t len;
    const char *list = (const char *)quefi_fdt_prop(fdt, node, "compatible",
                                                    &len);

    for (const char *p = list; list && p < list + len; p += strlen(p) + 1) {
        if (!strcmp(p, compatible)) {
            return true;
        }
    }
    return false;
}

uint32_t quefi_fdt_find(const uint8_t *fdt, const char *compatible,
                        uint32_t *parent)
{
    uint32_t pos = be32(fdt + 8);
    uint32_t stack[16] = { 0 };
    unsigned depth = 0;

    for (;;) {
        uint32_t token = be32(fdt + pos);

        pos += 4;
        switch (token) {
        case FDT_BEGIN_NODE:
            g_assert_cmpint(depth + 1, <, ARRAY_SIZE(stack));
            stack[++depth] = pos;
            if (fdt_is_compatible(fdt, pos, compatible)) {
                *parent = stack[depth - 1];
                return pos;
            }
            pos = fdt_after_name(fdt, pos);
            break;
        case FDT_END_NODE:
            depth--;
            break;
        case FDT_PROP:
            pos = ROUND_UP(pos + 8 + be32(fdt + pos), 4);
            break;
        case FDT_NOP:
            break;
        default:
            return 0;
        }
    }
}

/* What firmware computes: offset in the bus, by the ranges of the bus */
static uint64_t quefi_fdt_base(QUefiVars *uv)
{
    g_autofree uint8_t *fdt = quefi_fdt_load(uv);
    uint32_t parent, len;
    uint32_t node = quefi_fdt_find(fdt, UEFI_VARS_FDT_COMPAT, &parent);
    const uint8_t *reg, *ranges;

    g_assert_cmpint(node, !=, 0);
    reg = quefi_fdt_prop(fdt, node, "reg", &len);
    g_assert_nonnull(reg);
    g_assert_cmpint(len, ==, 8);
    ranges = quefi_fdt_prop(fdt, parent, "ranges", &len);
    g_assert_nonnull(ranges);
    g_assert_cmpint(len, ==, 16);
    return be32(reg) - be32(ranges) + ldq_be_p(ranges + 4);
}

/* ------------------------------------------------------------------------ */
/* Registers */

uint64_t quefi_read(QUefiVars *uv, unsigned offset, unsigned width)
{
    uint64_t addr = uv->base + offset;
    bool is_io = uv->dev->is_io;

    switch (width) {
    case 1:
        return is_io ? qtest_inb(uv->qts, addr) : qtest_readb(uv->qts, addr);
    case 2:
        return is_io ? qtest_inw(uv->qts, addr) : qtest_readw(uv->qts, addr);
    case 4:
        return is_io ? qtest_inl(uv->qts, addr) : qtest_readl(uv->qts, addr);
    default:
        g_assert_false(is_io);
        return qtest_readq(uv->qts, addr);
    }
}

void quefi_write(QUefiVars *uv, unsigned offset, unsigned width,
                 uint64_t value)
{
    uint64_t addr = uv->base + offset;
    bool is_io = uv->dev->is_io;

    switch (width) {
    case 1:
        if (is_io) {
            qtest_outb(uv->qts, addr, value);
        } else {
            qtest_writeb(uv->qts, addr, value);
        }
        break;
    case 2:
        if (is_io) {
            qtest_outw(uv->qts, addr, value);
        } else {
            qtest_writew(uv->qts, addr, value);
        }
        break;
    case 4:
        if (is_io) {
            qtest_outl(uv->qts, addr, value);
        } else {
            qtest_writel(uv->qts, addr, value);
        }
        break;
    default:
        g_assert_false(is_io);
        qtest_writeq(uv->qts, addr, value);
        break;
    }
}

uint16_t quefi_command(QUefiVars *uv, uint16_t command)
{
    quefi_write(uv, UEFI_VARS_REG_CMD_STS, 2, command);
    return quefi_read(uv, UEFI_VARS_REG_CMD_STS, 2);
}

void quefi_program(QUefiVars *uv, uint64_t address, uint32_t size)
{
    quefi_write(uv, UEFI_VARS_REG_BUFFER_SIZE, 4, size);
    quefi_write(uv, UEFI_VARS_REG_DMA_ADDR_LO, 4, address);
    quefi_write(uv, UEFI_VARS_REG_DMA_ADDR_HI, 4, address >> 32);
    uv->buffer = address;
    uv->buffer_size = MIN(size, UEFI_VARS_MAX_BUFFER_SIZE);
}

uint32_t quefi_crc32c(const void *data, size_t size)
{
    return crc32c(0xffffffff, data, size);
}

static void quefi_check_crc(QUefiVars *uv, const void *data, size_t size)
{
    g_assert_cmphex(quefi_read(uv, UEFI_VARS_REG_PIO_CRC32C, 4), ==,
                    quefi_crc32c(data, size));
}

static void quefi_pio_rewind(QUefiVars *uv)
{
    g_assert_cmphex(quefi_command(uv, UEFI_VARS_CMD_PIO_ZERO_OFFSET), ==,
                    UEFI_VARS_STS_SUCCESS);
    quefi_check_crc(uv, NULL, 0);
}

void quefi_pio_write(QUefiVars *uv, const void *data, size_t size)
{
    const uint8_t *bytes = data;

    g_assert_cmpint(size % 4, ==, 0);
    quefi_pio_rewind(uv);
    for (size_t i = 0; i < size; i += 4) {
        quefi_write(uv, UEFI_VARS_REG_PIO_TRANSFER, 4, ldl_le_p(bytes + i));
    }
    quefi_check_crc(uv, data, size);
}

void quefi_pio_read(QUefiVars *uv, void *data, size_t size)
{
    uint8_t *bytes = data;

    g_assert_cmpint(size % 4, ==, 0);
    quefi_pio_rewind(uv);
    for (size_t i = 0; i < size; i += 4) {
        stl_le_p(bytes + i, quefi_read(uv, UEFI_VARS_REG_PIO_TRANSFER, 4));
    }
    quefi_check_crc(uv, data, size);
}

/* ------------------------------------------------------------------------ */
/* Machine */

void quefi_attach(QUefiVars *uv)
{
    if (uv->dev->is_xen) {
        return;
    }
    uv->base = uv->dev->base ?: quefi_fdt_base(uv);
    g_assert_cmphex(quefi_read(uv, UEFI_VARS_REG_MAGIC, 2), ==,
                    UEFI_VARS_MAGIC);
    g_assert_cmphex(quefi_command(uv, UEFI_VARS_CMD_RESET), ==,
                    UEFI_VARS_STS_SUCCESS);
    quefi_program(uv, uv->dev->ram, UEFI_VARS_MAX_BUFFER_SIZE);
    uv->use_pio = quefi_read(uv, UEFI_VARS_REG_FLAGS, 4) &
        UEFI_VARS_FLAG_USE_PIO;
}

static QUefiVars *launch(const QUefiDevice *dev, bool pio,
                         const char *jsonfile, const char *props,
                         const char *args, bool connect)
{
    QUefiVars *uv = g_new0(QUefiVars, 1);
    g_autofree char *file = g_strconcat("jsonfile=", jsonfile, NULL);
    char *list[4] = { };
    g_autofree char *all = NULL;
    g_autofree char *device_args = NULL;
    size_t n = 0;

    if (!dev->is_xen) {
        list[n++] = (char *)(pio ? "use-pio=on" : "use-pio=off");
    }
    if (jsonfile) {
        list[n++] = file;
    }
    if (props) {
        list[n++] = (char *)props;
    }
    all = n ? g_strjoinv(",", list) : NULL;
    device_args = quefi_device_args(dev, all);

    uv->dev = dev;
    uv->un_size = 8;
    uv->jsonfile = g_strdup(jsonfile);
    uv->args = g_strconcat(device_args, " ", args, NULL);
    uv->qts = qtest_init_ext(NULL, uv->args, NULL, connect);
    return uv;
}

QUefiVars *quefi_launch(const QUefiDevice *dev, bool pio, const char *jsonfile,
                        const char *props, const char *args)
{
    return launch(dev, pio, jsonfile, props, args, true);
}

QUefiVars *quefi_launch_mute(const QUefiDevice *dev, bool pio,
                             const char *jsonfile, const char *props,
                             const char *args)
{
    return launch(dev, pio, jsonfile, props, args, false);
}

void quefi_connect(QUefiVars *uv)
{
    qtest_connect(uv->qts);
    qtest_qmp_handshake(uv->qts, NULL);
}

QUefiVars *quefi_start(const QUefiDevice *dev, bool pio, const char *jsonfile,
                       const char *props, const char *args)
{
    QUefiVars *uv = quefi_launch(dev, pio, jsonfile, props, args);

    quefi_attach(uv);
    g_assert_cmpint(uv->use_pio, ==, pio);
    return uv;
}

/* qtest_quit() alone looks only every 100 ms whether QEMU has gone */
static void quefi_quit(QUefiVars *uv)
{
    kill(qtest_pid(uv->qts), SIGTERM);
    for (int i = 0; i < 10000 && qtest_probe_child(uv->qts); i++) {
        g_usleep(1000);
    }
    qtest_quit(uv->qts);
}

void quefi_stop(QUefiVars *uv)
{
    quefi_quit(uv);
    g_free(uv->args);
    g_free(uv->jsonfile);
    g_free(uv);
}

void quefi_restart(QUefiVars *uv)
{
    quefi_quit(uv);
    uv->qts = qtest_init(uv->args);
    quefi_attach(uv);
}

void quefi_crash(QUefiVars *uv)
{
    pid_t pid = qtest_pid(uv->qts);
    int status;

    kill(pid, SIGKILL);
    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    g_assert_true(WIFSIGNALED(status));
    g_assert_false(qtest_probe_child(uv->qts));
    qtest_quit(uv->qts);

    uv->qts = qtest_init(uv->args);
    quefi_attach(uv);
}

void quefi_wait_migration(QTestState *qts, const char *status)
{
    for (;;) {
        QDict *rsp = qtest_qmp(qts, "{'execute': 'query-migrate'}");
        const char *now = qdict_get_try_str(qdict_get_qdict(rsp, "return"),
                                            "status");
        bool done = !g_strcmp0(now, status);
        bool ended = !g_strcmp0(now, "completed") ||
            !g_strcmp0(now, "failed");

        g_assert_true(done || !ended);
        qobject_unref(rsp);
        if (done) {
            return;
        }
        g_usleep(1000);
    }
}

void quefi_migrate(QUefiVars *uv)
{
    char *stream = quefi_tmp_path("stream");
    g_autofree char *uri = g_strdup_printf("file:%s", stream);
    g_autofree char *args = g_strdup_printf("%s -incoming defer", uv->args);

    qtest_qmp_assert_success(uv->qts, "{'execute': 'migrate', "
                             "'arguments': {'uri': %s}}", uri);
    quefi_wait_migration(uv->qts, "completed");
    quefi_quit(uv);
    uv->qts = qtest_init(args);
    qtest_qmp_assert_success(uv->qts, "{'execute': 'migrate-incoming', "
                             "'arguments': {'uri': %s}}", uri);
    qtest_qmp_eventwait(uv->qts, "RESUME");
    quefi_tmp_free(stream);
}

static void wait_job(QUefiVars *uv, const char *id)
{
    for (;;) {
        QDict *rsp = qtest_qmp(uv->qts, "{'execute': 'query-jobs'}");
        const QListEntry *entry = qlist_first(qdict_get_qlist(rsp, "return"));
        QDict *job = qobject_to(QDict, qlist_entry_obj(entry));
        bool done = !strcmp(qdict_get_str(job, "status"), "concluded");

        g_assert_false(qdict_haskey(job, "error"));
        qobject_unref(rsp);
        if (done) {
            break;
        }
        g_usleep(1000);
    }
    qtest_qmp_assert_success(uv->qts, "{'execute': 'job-dismiss', "
                             "'arguments': {'id': %s}}", id);
}

void quefi_add_disk(QUefiVars *uv, const char *path)
{
    g_assert_true(g_file_set_contents(path, "", 0, NULL));
    qtest_qmp_assert_success(uv->qts, "{'execute': 'blockdev-add', "
                             "'arguments': {'driver': 'file', 'node-name': "
                             "'file', 'cache': {'no-flush': true}, "
                             "'filename': %s}}", path);
    /* one cluster takes all of a snapshot of little */
    qtest_qmp_assert_success(uv->qts, "{'execute': 'blockdev-create', "
                             "'arguments': {'job-id': 'create', 'options': "
                             "{'driver': 'qcow2', 'file': 'file', "
                             "'size': 1048576, "
                             "'cluster-size': 2097152}}}");
    wait_job(uv, "create");
    qtest_qmp_assert_success(uv->qts, "{'execute': 'blockdev-add', "
                             "'arguments': {'driver': 'qcow2', 'node-name': "
                             "'image', 'cache': {'no-flush': true}, "
                             "'file': 'file'}}");
}

void quefi_snapshot(QUefiVars *uv, const char *command)
{
    g_autofree char *answer = qtest_hmp(uv->qts, "%s now", command);

    g_assert_cmpstr(answer, ==, "");
}

void quefi_reset(QUefiVars *uv)
{
    qtest_system_reset(uv->qts);
    quefi_attach(uv);
}

/* ------------------------------------------------------------------------ */
/* Suspend to RAM on x86 */

static void pci_write(QUefiVars *uv, unsigned devfn, unsigned offset,
                      uint32_t value)
{
    qtest_outl(uv->qts, 0xcf8, 0x80000000 | devfn << 8 | offset);
    qtest_outl(uv->qts, 0xcfc, value);
}

static uint8_t pci_read(QUefiVars *uv, unsigned devfn, unsigned offset)
{
    qtest_outl(uv->qts, 0xcf8, 0x80000000 | devfn << 8 | offset);
    return qtest_inl(uv->qts, 0xcfc);
}

/* What firmware does so that the power management registers answer */
static void enable_pm(QUefiVars *uv)
{
    if (g_str_has_prefix(uv->dev->machine, "q35")) {
        pci_write(uv, 31 << 3, 0x40, PM_BASE | 1);
        pci_write(uv, 31 << 3, 0x44, 0x80);
    } else {
        pci_write(uv, 1 << 3 | 3, 0x40, PM_BASE | 1);
        pci_write(uv, 1 << 3 | 3, 0x80, 1);
    }
}

void quefi_suspend(QUefiVars *uv)
{
    enable_pm(uv);
    /* A register of the host bridge tells whether there was a reset */
    pci_write(uv, 0, PCI_CACHE_LINE_SIZE, 0x10);
    g_assert_cmphex(pci_read(uv, 0, PCI_CACHE_LINE_SIZE), ==, 0x10);
    qtest_outw(uv->qts, PM_BASE + 4, PM1_CNT_S3);
    qtest_qmp_eventwait(uv->qts, "SUSPEND");
    qtest_qmp_assert_success(uv->qts, "{'execute': 'system_wakeup'}");
    qtest_qmp_eventwait(uv->qts, "WAKEUP");
    g_assert_cmphex(pci_read(uv, 0, PCI_CACHE_LINE_SIZE), ==, 0);
}

/* ------------------------------------------------------------------------ */
/* Messages: fields */

/* GUIDs are mixed endian on the wire (UEFI 2.10 appendix A) */
static QemuUUID quefi_guid(const char *guid)
{
    QemuUUID uuid;

    g_assert_cmpint(qemu_uuid_parse(guid, &uuid), ==, 0);
    return qemu_uuid_bswap(uuid);
}

size_t quefi_msg_header_size(const QUefiMsg *msg)
{
    return msg->un_size == 8 ? EFI_MM_HEADER_SIZE_64 : EFI_MM_HEADER_SIZE_32;
}

QUefiMsg *quefi_buf_new(void)
{
    QUefiMsg *msg = g_new0(QUefiMsg, 1);

    msg->bytes = g_byte_array_new();
    return msg;
}

QUefiMsg *quefi_msg_new(QUefiVars *uv, const char *guid)
{
    QUefiMsg *msg = quefi_buf_new();

    msg->un_size = uv->un_size;
    quefi_put_guid(msg, guid);
    quefi_put_un(msg, 0);
    return msg;
}

void quefi_msg_free(QUefiMsg *msg)
{
    g_byte_array_unref(msg->bytes);
    g_free(msg);
}

void quefi_put(QUefiMsg *msg, unsigned width, uint64_t value)
{
    uint8_t bytes[8];

    stq_le_p(bytes, value);
    quefi_put_bytes(msg, bytes, width);
}

void quefi_put_un(QUefiMsg *msg, uint64_t value)
{
    quefi_put(msg, msg->un_size, value);
}

void quefi_put_guid(QUefiMsg *msg, const char *guid)
{
    QemuUUID uuid = quefi_guid(guid);

    quefi_put_bytes(msg, uuid.data, sizeof(uuid.data));
}

void quefi_put_bytes(QUefiMsg *msg, const void *data, size_t size)
{
    g_byte_array_append(msg->bytes, data, size);
}

static uint16_t *quefi_str(const char *text, size_t *size)
{
    glong units;
    uint16_t *str = g_utf8_to_utf16(text, -1, NULL, &units, NULL);

    g_assert_nonnull(str);
    *size = (units + 1) * 2;
    for (glong i = 0; i < units; i++) {
        str[i] = cpu_to_le16(str[i]);
    }
    return str;
}

void quefi_put_str(QUefiMsg *msg, const char *text)
{
    size_t size;
    g_autofree uint16_t *str = quefi_str(text, &size);

    quefi_put_bytes(msg, str, size);
}

void quefi_put_chars(QUefiMsg *msg, const char *text)
{
    size_t size;
    g_autofree uint16_t *str = quefi_str(text, &size);

    quefi_put_bytes(msg, str, size - 2);
}

size_t quefi_str_size(const char *text)
{
    size_t size;

    g_free(quefi_str(text, &size));
    return size;
}

void quefi_get_bytes(QUefiMsg *msg, void *data, size_t size)
{
    g_assert_cmpint(msg->pos + size, <=, msg->bytes->len);
    memcpy(data, msg->bytes->data + msg->pos, size);
    msg->pos += size;
}

uint64_t quefi_get(QUefiMsg *msg, unsigned width)
{
    uint8_t bytes[8] = { 0 };

    quefi_get_bytes(msg, bytes, width);
    return ldq_le_p(bytes);
}

uint64_t quefi_get_un(QUefiMsg *msg)
{
    return quefi_get(msg, msg->un_size);
}

char *quefi_get_guid(QUefiMsg *msg)
{
    QemuUUID uuid;

    quefi_get_bytes(msg, uuid.data, sizeof(uuid.data));
    uuid = qemu_uuid_bswap(uuid);
    return qemu_uuid_unparse_strdup(&uuid);
}

char *quefi_get_str(QUefiMsg *msg, size_t size)
{
    g_autofree uint16_t *str = g_malloc0(size + 2);
    char *text;

    quefi_get_bytes(msg, str, size);
    for (size_t i = 0; i < size / 2; i++) {
        str[i] = le16_to_cpu(str[i]);
    }
    text = g_utf16_to_utf8(str, -1, NULL, NULL, NULL);
    g_assert_nonnull(text);
    return text;
}

EfiStatus quefi_get_status(QUefiMsg *msg)
{
    uint64_t error = 1ull << (msg->un_size * 8 - 1);
    uint64_t status = quefi_get_un(msg);

    g_assert_cmphex(status & error, ==, status ? error : 0);
    return status & ~error;
}

/* ------------------------------------------------------------------------ */
/* Messages: exchange */

void quefi_finish(QUefiMsg *msg)
{
    size_t header_size = quefi_msg_header_size(msg);
    uint8_t *length = msg->bytes->data + header_size - msg->un_size;

    if (msg->un_size == 8) {
        stq_le_p(length, msg->bytes->len - header_size);
    } else {
        stl_le_p(length, msg->bytes->len - header_size);
    }
}

static uint16_t quefi_exchange(QUefiVars *uv, uint8_t *buf, size_t size)
{
    uint16_t status;

    if (uv->use_pio) {
        quefi_pio_write(uv, buf, size);
        status = quefi_command(uv, UEFI_VARS_CMD_PIO_MM);
        quefi_pio_read(uv, buf, size);
    } else {
        qtest_memwrite(uv->qts, uv->buffer, buf, size);
        status = quefi_command(uv, UEFI_VARS_CMD_DMA_MM);
        qtest_memread(uv->qts, uv->buffer, buf, size);
    }
    return status;
}

uint16_t quefi_send(QUefiVars *uv, QUefiMsg *msg)
{
    size_t header_size = quefi_msg_header_size(msg);
    size_t size = msg->bytes->len;
    size_t guarded = ROUND_UP(size, 4);
    g_autofree uint8_t *buf = NULL;
    uint16_t status;

    quefi_finish(msg);
    guarded = MIN(guarded + GUARD_SIZE, MAX(guarded, uv->buffer_size));
    buf = g_malloc(guarded);
    memset(buf, GUARD_BYTE, guarded);
    memcpy(buf, msg->bytes->data, size);

    status = quefi_exchange(uv, buf, guarded);

    g_assert_cmpmem(buf, header_size, msg->bytes->data, header_size);
    for (size_t i = size; i < guarded; i++) {
        g_assert_cmphex(buf[i], ==, GUARD_BYTE);
    }
    if (status != UEFI_VARS_STS_SUCCESS) {
        g_assert_cmpmem(buf, size, msg->bytes->data, size);
    }
    memcpy(msg->bytes->data, buf, size);
    msg->pos = header_size;
    return status;
}

/* ------------------------------------------------------------------------ */
/* Requests */

QUefiMsg *quefi_msg_function(QUefiVars *uv, EfiVarFunction function)
{
    QUefiMsg *msg = quefi_msg_new(uv, QUEFI_VARIABLE_PROTOCOL);

    quefi_put_un(msg, function);
    quefi_put_un(msg, 0);
    return msg;
}

QUefiMsg *quefi_msg_access(QUefiVars *uv, EfiVarFunction function,
                           const char *guid, const char *name,
                           uint32_t attributes, size_t data_size)
{
    QUefiMsg *msg = quefi_msg_function(uv, function);

    quefi_put_guid(msg, guid);
    quefi_put_un(msg, data_size);
    quefi_put_un(msg, quefi_str_size(name));
    quefi_put(msg, 4, attributes);
    quefi_put_str(msg, name);
    return msg;
}

EfiStatus quefi_request(QUefiVars *uv, QUefiMsg *msg)
{
    EfiVarFunction function = ldl_le_p(msg->bytes->data +
                                       quefi_msg_header_size(msg));

    g_assert_cmphex(quefi_send(uv, msg), ==, UEFI_VARS_STS_SUCCESS);
    g_assert_cmpint(quefi_get_un(msg), ==, function);
    return quefi_get_status(msg);
}

EfiStatus quefi_set(QUefiVars *uv, const char *guid, const char *name,
                    uint32_t attributes, const void *data, size_t size)
{
    g_autoptr(QUefiMsg) msg = quefi_msg_access(uv, EFI_VAR_FN_SET_VARIABLE,
                                               guid, name, attributes, size);
    g_autoptr(GByteArray) request = g_byte_array_new();
    size_t payload;
    EfiStatus status;

    quefi_put_bytes(msg, data, size);
    g_byte_array_append(request, msg->bytes->data, msg->bytes->len);
    status = quefi_request(uv, msg);

    /* The reply is a status and nothing else */
    payload = msg->pos;
    g_assert_cmpmem(msg->bytes->data + payload, msg->bytes->len - payload,
                    request->data + payload, request->len - payload);
    return status;
}

EfiStatus quefi_set_text(QUefiVars *uv, const char *guid, const char *name,
                         uint32_t attributes, const char *text)
{
    return quefi_set(uv, guid, name, attributes, text, strlen(text));
}

EfiStatus quefi_get_variable(QUefiVars *uv, const char *guid,
                             const char *name, uint32_t *attributes,
                             void *data, size_t *size)
{
    size_t capacity = *size;
    g_autoptr(QUefiMsg) msg = quefi_msg_access(uv, EFI_VAR_FN_GET_VARIABLE,
                                               guid, name,
                                               attributes ? *attributes : 0,
                                               capacity);
    g_autofree uint8_t *zeroes = g_malloc0(capacity);
    g_autofree char *reply_guid = NULL;
    g_autofree char *reply_name = NULL;
    EfiStatus status;
    uint32_t reply_attributes;

    quefi_put_bytes(msg, zeroes, capacity);
    status = quefi_request(uv, msg);

    reply_guid = quefi_get_guid(msg);
    g_assert_cmpstr(reply_guid, ==, guid);
    *size = quefi_get_un(msg);
    g_assert_cmpint(quefi_get_un(msg), ==, quefi_str_size(name));
    reply_attributes = quefi_get(msg, 4);
    reply_name = quefi_get_str(msg, quefi_str_size(name));
    g_assert_cmpstr(reply_name, ==, name);
    if (attributes) {
        *attributes = reply_attributes;
    }

    switch (status) {
    case EFI_SUCCESS:
        g_assert_cmpint(*size, <=, capacity);
        quefi_get_bytes(msg, data, *size);
        capacity -= *size;
        break;
    case EFI_BUFFER_TOO_SMALL:
        g_assert_cmpint(*size, >, capacity);
        break;
    default:
        g_assert_cmpint(*size, ==, capacity);
        break;
    }
    g_assert_cmpmem(msg->bytes->data + msg->pos, msg->bytes->len - msg->pos,
                    zeroes, capacity);
    return status;
}

void quefi_assert_text(QUefiVars *uv, const char *guid, const char *name,
                       uint32_t attributes, const char *text)
{
    size_t size = strlen(text) + 64;
    g_autofree char *data = g_malloc(size);
    uint32_t reply_attributes = 0;

    g_assert_cmpint(quefi_get_variable(uv, guid, name, &reply_attributes,
                                       data, &size), ==, EFI_SUCCESS);
    g_assert_cmpmem(data, size, text, strlen(text));
    g_assert_cmphex(reply_attributes, ==, attributes);
}

void quefi_assert_none(QUefiVars *uv, const char *guid, const char *name)
{
    size_t size = 0;

    g_assert_cmpint(quefi_get_variable(uv, guid, name, NULL, NULL, &size), ==,
                    EFI_NOT_FOUND);
}

EfiStatus quefi_get_next(QUefiVars *uv, char *guid, char **name, size_t *size)
{
    g_autoptr(QUefiMsg) msg =
        quefi_msg_function(uv, EFI_VAR_FN_GET_NEXT_VARIABLE_NAME);
    size_t plenty = 128;
    size_t *capacity = size ?: &plenty;
    g_autofree char *reply_guid = NULL;
    size_t room;
    EfiStatus status;

    quefi_put_guid(msg, guid);
    quefi_put_un(msg, *capacity);
    quefi_put_str(msg, *name);
    room = MAX(*capacity, quefi_str_size(*name));
    while (room > quefi_str_size(*name)) {
        quefi_put(msg, 1, 0);
        room--;
    }
    status = quefi_request(uv, msg);

    reply_guid = quefi_get_guid(msg);
    *capacity = quefi_get_un(msg);
    if (status == EFI_SUCCESS) {
        g_free(*name);
        *name = quefi_get_str(msg, *capacity);
        g_assert_cmpint(quefi_str_size(*name), ==, *capacity);
        strcpy(guid, reply_guid);
    } else {
        g_autofree char *same = quefi_get_str(msg, quefi_str_size(*name));

        g_assert_cmpstr(reply_guid, ==, guid);
        g_assert_cmpstr(same, ==, *name);
    }
    return status;
}

char *quefi_list(QUefiVars *uv, const char *guid)
{
    GString *list = g_string_new(NULL);
    char next_guid[QUEFI_GUID_LEN + 1] =
        "00000000-0000-0000-0000-000000000000";
    g_autofree char *name = g_strdup("");
    EfiStatus status;
    unsigned n = 0;

    while (!(status = quefi_get_next(uv, next_guid, &name, NULL))) {
        if (!strcmp(next_guid, guid)) {
            g_string_append_printf(list, "%s%s", list->len ? " " : "", name);
        }
        g_assert_cmpint(n++, <, 10000);
    }
    g_assert_cmpint(status, ==, EFI_NOT_FOUND);
    return g_string_free(list, false);
}

EfiStatus quefi_query(QUefiVars *uv, uint32_t attributes, QUefiInfo *info)
{
    g_autoptr(QUefiMsg) msg =
        quefi_msg_function(uv, EFI_VAR_FN_QUERY_VARIABLE_INFO);
    EfiStatus status;

    quefi_put(msg, 8, 0);
    quefi_put(msg, 8, 0);
    quefi_put(msg, 8, 0);
    quefi_put(msg, 4, attributes);
    quefi_put(msg, 4, 0);
    status = quefi_request(uv, msg);
    info->max_storage = quefi_get(msg, 8);
    info->remaining = quefi_get(msg, 8);
    info->max_size = quefi_get(msg, 8);
    g_assert_cmphex(quefi_get(msg, 4), ==, attributes);
    g_assert_cmphex(quefi_get(msg, 4), ==, 0);
    return status;
}

EfiStatus quefi_function(QUefiVars *uv, EfiVarFunction function)
{
    g_autoptr(QUefiMsg) msg = quefi_msg_function(uv, function);

    return quefi_request(uv, msg);
}

uint64_t quefi_payload_size(QUefiVars *uv)
{
    g_autoptr(QUefiMsg) msg =
        quefi_msg_function(uv, EFI_VAR_FN_GET_PAYLOAD_SIZE);

    quefi_put_un(msg, 0);
    g_assert_cmpint(quefi_request(uv, msg), ==, EFI_SUCCESS);
    return quefi_get_un(msg);
}

EfiStatus quefi_lock(QUefiVars *uv, const char *guid, const char *name)
{
    g_autoptr(QUefiMsg) msg = quefi_msg_function(uv, EFI_VAR_FN_LOCK_VARIABLE);

    quefi_put_guid(msg, guid);
    quefi_put_un(msg, quefi_str_size(name));
    quefi_put_str(msg, name);
    return quefi_request(uv, msg);
}

void quefi_event(QUefiVars *uv, const char *guid)
{
    g_autoptr(QUefiMsg) msg = quefi_msg_new(uv, guid);

    quefi_put(msg, 1, 0);
    g_assert_cmphex(quefi_send(uv, msg), ==, UEFI_VARS_STS_SUCCESS);
}

EfiStatus quefi_policy(QUefiVars *uv, EfiVarPolicyCommand command,
                       void *params, size_t size)
{
    g_autoptr(QUefiMsg) msg = quefi_msg_new(uv, QUEFI_POLICY_PROTOCOL);
    EfiStatus status;

    quefi_put(msg, 4, EFI_VAR_POLICY_SIGNATURE);
    quefi_put(msg, 4, EFI_VAR_POLICY_REVISION);
    quefi_put(msg, 4, command);
    quefi_put_un(msg, 0);
    quefi_put_bytes(msg, params, size);
    while (msg->bytes->len < EFI_VAR_POLICY_EXCHANGE_SIZE) {
        quefi_put(msg, 1, 0);
    }
    g_assert_cmphex(quefi_send(uv, msg), ==, UEFI_VARS_STS_SUCCESS);

    g_assert_cmphex(quefi_get(msg, 4), ==, EFI_VAR_POLICY_SIGNATURE);
    g_assert_cmphex(quefi_get(msg, 4), ==, EFI_VAR_POLICY_REVISION);
    g_assert_cmphex(quefi_get(msg, 4), ==, command);
    status = quefi_get_status(msg);
    quefi_get_bytes(msg, params, size);
    return status;
}

EfiStatus quefi_policy_register(QUefiVars *uv, const char *guid,
                                const char *name, uint32_t min, uint32_t max,
                                uint32_t must, uint32_t cant,
                                EfiVarPolicyLock lock)
{
    g_autoptr(QUefiMsg) entry = quefi_buf_new();

    quefi_put(entry, 4, EFI_VAR_POLICY_ENTRY_VERSION);
    quefi_put(entry, 2, EFI_VAR_POLICY_ENTRY_SIZE +
                        (name ? quefi_str_size(name) : 0));
    quefi_put(entry, 2, EFI_VAR_POLICY_ENTRY_SIZE);
    quefi_put_guid(entry, guid);
    quefi_put(entry, 4, min);
    quefi_put(entry, 4, max);
    quefi_put(entry, 4, must);
    quefi_put(entry, 4, cant);
    quefi_put(entry, 4, lock);
    if (name) {
        quefi_put_str(entry, name);
    }
    return quefi_policy(uv, EFI_VAR_POLICY_REGISTER, entry->bytes->data,
                        entry->bytes->len);
}

/* ------------------------------------------------------------------------ */
/* Test cases */

typedef struct QUefiRun {
    const QUefiCase *test;
    const QUefiDevice *dev;
    bool pio;
} QUefiRun;

char *quefi_drive_args(const char *path)
{
    g_assert_true(g_file_set_contents(path, "", 0, NULL));
    g_assert_cmpint(truncate(path, IMAGE_SIZE), ==, 0);
    return g_strdup_printf("-blockdev driver=file,node-name=vars,filename=%s",
                           path);
}

char *quefi_tmp_path(const char *name)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *dir = g_dir_make_tmp("uefi-vars-XXXXXX", &error);

    g_assert_no_error(error);
    return g_build_filename(dir, name, NULL);
}

void quefi_tmp_free(char *path)
{
    g_autofree char *dir = g_path_get_dirname(path);

    unlink(path);
    g_assert_cmpint(rmdir(dir), ==, 0);
    g_free(path);
}

static void quefi_run(const void *opaque)
{
    const QUefiRun *run = opaque;
    char *jsonfile = quefi_tmp_path("vars.json");
    QUefiVars *uv = quefi_start(run->dev, run->pio, jsonfile,
                                run->test->props, NULL);

    run->test->run(uv);
    quefi_stop(uv);
    quefi_tmp_free(jsonfile);
}

bool quefi_has_device(const QUefiDevice *dev)
{
    const char *only = g_getenv("UEFI_VARS_DEVICES");
    g_auto(GStrv) names = only ? g_strsplit(only, " ", 0) : NULL;

    return !strcmp(dev->arch, qtest_get_arch()) &&
        (!names || g_strv_contains((const char *const *)names, dev->name)) &&
        qtest_has_device(dev->type);
}

/* A build may leave out devices, but one of an architecture it must have */
static void quefi_check_devices(void)
{
    bool wanted = false, found = false;

    for (size_t d = 0; d < quefi_n_devices; d++) {
        wanted |= !strcmp(quefi_devices[d].arch, qtest_get_arch());
        found |= quefi_has_device(&quefi_devices[d]);
    }
    g_assert_cmpint(wanted, ==, found);
}

void quefi_add_cases(const QUefiCase *cases, size_t n)
{
    quefi_check_devices();
    for (size_t d = 0; d < quefi_n_devices; d++) {
        const QUefiDevice *dev = &quefi_devices[d];

        for (size_t i = 0; quefi_has_device(dev) && i < 2 * n; i++) {
            bool pio = i >= n;
            const QUefiCase *test = &cases[i % n];
            g_autofree char *path =
                g_strdup_printf("uefi-vars/%s/%s/%s", dev->name,
                                pio ? "pio" : "dma", test->name);
            QUefiRun *run;

            if (pio && test->dma_only) {
                continue;
            }
            run = g_new(QUefiRun, 1);
            *run = (QUefiRun) { test, dev, pio };
            qtest_add_data_func_full(path, run, quefi_run, g_free);
        }
    }
}

void quefi_add_device_tests(const char *name, void (*fn)(const void *dev))
{
    quefi_check_devices();
    for (size_t d = 0; d < quefi_n_devices; d++) {
        const QUefiDevice *dev = &quefi_devices[d];

        if (quefi_has_device(dev)) {
            g_autofree char *path = g_strdup_printf("uefi-vars/%s/%s",
                                                    dev->name, name);

            qtest_add_data_func(path, dev, fn);
        }
    }
}
