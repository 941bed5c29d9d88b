/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * QTest of the UEFI variable service: registers, DMA and PIO transfer
 *
 * Names of tests are rows of docs/specs/uefi-vars.rst.
 */

#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "libqtest.h"
#include "libqos/uefi-vars.h"

#define REG_MAGIC   UEFI_VARS_REG_MAGIC
#define REG_CMD_STS UEFI_VARS_REG_CMD_STS
#define REG_SIZE    UEFI_VARS_REG_BUFFER_SIZE
#define REG_ADDR_LO UEFI_VARS_REG_DMA_ADDR_LO
#define REG_ADDR_HI UEFI_VARS_REG_DMA_ADDR_HI
#define REG_PIO     UEFI_VARS_REG_PIO_TRANSFER
#define REG_CRC     UEFI_VARS_REG_PIO_CRC32C
#define REG_FLAGS   UEFI_VARS_REG_FLAGS

/* RAM that all machines have by default, bytes */
#define RAM_SIZE    (128 * MiB)

static uint64_t ram_end(QUefiVars *uv)
{
    return (uv->dev->arch[0] == 'a' ? 0x40000000 : 0) + RAM_SIZE;
}

/* Whether the device still does its work */
static void assert_alive(QUefiVars *uv)
{
    g_assert_cmphex(quefi_command(uv, UEFI_VARS_CMD_RESET), ==,
                    UEFI_VARS_STS_SUCCESS);
    quefi_program(uv, uv->dev->ram, UEFI_VARS_MAX_BUFFER_SIZE);
    g_assert_cmpint(quefi_set_text(uv, QUEFI_VENDOR, "Alive", QUEFI_BS_RT,
                                   "yes"), ==, EFI_SUCCESS);
    quefi_assert_text(uv, QUEFI_VENDOR, "Alive", QUEFI_BS_RT, "yes");
}

/* A complete message that creates a variable */
static QUefiMsg *set_message(QUefiVars *uv, const char *name)
{
    QUefiMsg *msg = quefi_msg_access(uv, EFI_VAR_FN_SET_VARIABLE,
                                     QUEFI_VENDOR, name, QUEFI_BS_RT, 4);

    quefi_put(msg, 4, 0x01020304);
    quefi_finish(msg);
    return msg;
}

/* Run the message at @address; nothing but its reply is looked at */
static uint16_t run_at(QUefiVars *uv, uint64_t address)
{
    quefi_program(uv, address, UEFI_VARS_MAX_BUFFER_SIZE);
    return quefi_command(uv, UEFI_VARS_CMD_DMA_MM);
}

static void test_magic(QUefiVars *uv)
{
    quefi_write(uv, REG_MAGIC, 2, 0x1234);
    g_assert_cmphex(quefi_read(uv, REG_MAGIC, 2), ==, 0x0ef1);
}

static void test_sync(QUefiVars *uv)
{
    g_autoptr(QUefiMsg) msg = set_message(uv, "Sync");

    /* The first status read after a command is the final one. */
    for (int i = 0; i < 100; i++) {
        g_assert_cmphex(quefi_send(uv, msg), ==, UEFI_VARS_STS_SUCCESS);
        g_assert_cmphex(quefi_read(uv, REG_CMD_STS, 2), ==,
                        UEFI_VARS_STS_SUCCESS);
    }
}

static void test_order(QUefiVars *uv)
{
    static const unsigned orders[][3] = {
        { REG_ADDR_LO, REG_ADDR_HI, REG_SIZE },
        { REG_SIZE, REG_ADDR_LO, REG_ADDR_HI },
        { REG_ADDR_HI, REG_SIZE, REG_ADDR_LO },
    };
    g_autoptr(QUefiMsg) msg = set_message(uv, "Order");

    qtest_memwrite(uv->qts, uv->buffer, msg->bytes->data, msg->bytes->len);
    for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
        quefi_command(uv, UEFI_VARS_CMD_RESET);
        for (size_t j = 0; j < 3; j++) {
            unsigned reg = orders[i][j];

            quefi_write(uv, reg, 4, reg == REG_SIZE ? 0x10000 :
                        reg == REG_ADDR_LO ? uv->buffer : 0);
        }
        g_assert_cmphex(quefi_read(uv, REG_SIZE, 4), ==, 0x10000);
        g_assert_cmphex(quefi_read(uv, REG_ADDR_LO, 4), ==, uv->buffer);
        g_assert_cmphex(quefi_read(uv, REG_ADDR_HI, 4), ==, 0);
        g_assert_cmphex(quefi_command(uv, UEFI_VARS_CMD_DMA_MM), ==,
                        UEFI_VARS_STS_SUCCESS);
    }
    quefi_write(uv, REG_ADDR_HI, 4, 0x89abcdef);
    g_assert_cmphex(quefi_read(uv, REG_ADDR_HI, 4), ==, 0x89abcdef);
    g_assert_cmphex(quefi_read(uv, REG_ADDR_LO, 4), ==, uv->buffer);
}

static void test_clamp(QUefiVars *uv)
{
    static const uint32_t sizes[][2] = {
        { 0, 0 }, { 1, 1 }, { 23, 23 }, { 24, 24 }, { 39, 39 }, { 40, 40 },
        { 0xffff, 0xffff }, { 0x10000, 0x10000 }, { 0x10001, 0x10000 },
        { 0x20000, 0x10000 }, { 0xffffffff, 0x10000 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        quefi_write(uv, REG_SIZE, 4, sizes[i][0]);
        g_assert_cmphex(quefi_read(uv, REG_SIZE, 4), ==, sizes[i][1]);
    }
    assert_alive(uv);
}

static void test_undefined(QUefiVars *uv)
{
    static const unsigned holes[][2] = {
        { 0x06, 2 }, { 0x0a, 2 }, { 0x0e, 2 }, { 0x12, 2 }, { 0x14, 4 },
        { 0x16, 2 }, { 0x1a, 2 }, { 0x1e, 2 }, { 0x07, 1 }, { 0x13, 1 },
        { 0x1f, 1 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(holes); i++) {
        unsigned offset = holes[i][0], width = holes[i][1];

        g_assert_cmphex(quefi_read(uv, offset, width), ==,
                        MAKE_64BIT_MASK(0, width * 8));
        quefi_write(uv, offset, width, 0);
    }
    g_assert_cmphex(quefi_read(uv, REG_SIZE, 4), ==, 0x10000);
    g_assert_cmphex(quefi_read(uv, REG_ADDR_LO, 4), ==, uv->buffer);
    g_assert_cmphex(quefi_read(uv, REG_ADDR_HI, 4), ==, 0);
    g_assert_cmphex(quefi_read(uv, REG_CRC, 4), ==, 0);
    assert_alive(uv);
}

/* Every width at every offset: no crash, and the device works on */
static void test_widths(QUefiVars *uv)
{
    unsigned max = uv->dev->is_io ? 4 : 8;

    for (unsigned width = 1; width <= max; width *= 2) {
        for (unsigned offset = 0; offset + width <= UEFI_VARS_REGS_SIZE;
             offset++) {
            quefi_read(uv, offset, width);
            quefi_write(uv, offset, width, 0x0102030405060708);
            quefi_write(uv, offset, width, UINT64_MAX);
            quefi_write(uv, offset, width, 0);
        }
    }
    g_assert_cmphex(quefi_read(uv, REG_MAGIC, 2), ==, 0x0ef1);
    assert_alive(uv);
}

static void test_read_only(QUefiVars *uv)
{
    uint32_t flags = quefi_read(uv, REG_FLAGS, 4);

    g_assert_cmphex(flags, ==, uv->use_pio ? UEFI_VARS_FLAG_USE_PIO : 0);
    quefi_write(uv, REG_FLAGS, 4, ~flags);
    g_assert_cmphex(quefi_read(uv, REG_FLAGS, 4), ==, flags);
    quefi_write(uv, REG_CRC, 4, 0x12345678);
    g_assert_cmphex(quefi_read(uv, REG_CRC, 4), ==, 0);
}

static void test_size_clears_pio(QUefiVars *uv)
{
    uint8_t data[64];

    memset(data, 0x5a, sizeof(data));
    quefi_pio_write(uv, data, sizeof(data));
    quefi_write(uv, REG_SIZE, 4, sizeof(data));
    g_assert_cmphex(quefi_read(uv, REG_CRC, 4), ==, 0);
    for (size_t i = 0; i < sizeof(data); i += 4) {
        g_assert_cmphex(quefi_read(uv, REG_PIO, 4), ==, 0);
    }
    memset(data, 0, sizeof(data));
    g_assert_cmphex(quefi_read(uv, REG_CRC, 4), ==,
                    quefi_crc32c(data, sizeof(data)));
}

static void test_dma_fails(QUefiVars *uv)
{
    g_autoptr(QUefiMsg) msg = set_message(uv, "Lost");
    size_t size = msg->bytes->len;
    g_autofree uint8_t *back = g_malloc(size);
    uint64_t edge = ram_end(uv) - size + 1;
    const uint64_t bad[] = {
        ram_end(uv),                    /* just behind RAM */
        0x00007fff00000000ull,          /* far from anything */
        UINT64_MAX - 15,                /* wraps */
        UINT64_MAX,
    };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        g_assert_cmphex(run_at(uv, bad[i]), ==, UEFI_VARS_STS_ERR_UNKNOWN);
    }
    /* All but its last byte is in RAM: not run, and not touched either */
    qtest_memwrite(uv->qts, edge, msg->bytes->data, size - 1);
    g_assert_cmphex(run_at(uv, edge), ==, UEFI_VARS_STS_ERR_UNKNOWN);
    qtest_memread(uv->qts, edge, back, size - 1);
    g_assert_cmpmem(back, size - 1, msg->bytes->data, size - 1);
    /* Only the header is in RAM */
    edge = ram_end(uv) - 24;
    qtest_memwrite(uv->qts, edge, msg->bytes->data, 24);
    g_assert_cmphex(run_at(uv, edge), ==, UEFI_VARS_STS_ERR_UNKNOWN);

    quefi_attach(uv);
    quefi_assert_none(uv, QUEFI_VENDOR, "Lost");
    assert_alive(uv);
}

/* The message counts, not what the buffer could hold */
static void test_dma_ram_end(QUefiVars *uv)
{
    g_autoptr(QUefiMsg) msg = set_message(uv, "Edge");
    uint64_t edge = ram_end(uv) - msg->bytes->len;

    qtest_memwrite(uv->qts, edge, msg->bytes->data, msg->bytes->len);
    g_assert_cmphex(run_at(uv, edge), ==, UEFI_VARS_STS_SUCCESS);
    quefi_attach(uv);
    quefi_assert_text(uv, QUEFI_VENDOR, "Edge", QUEFI_BS_RT,
                      "\x04\x03\x02\x01");
}

/* No message can lie in registers, those of the device least of all */
static void test_dma_mmio(QUefiVars *uv)
{
    /* IO-APIC or GIC distributor */
    uint64_t other = uv->dev->arch[0] == 'a' ? 0x08000000 : 0xfec00000;
    uint64_t own = uv->dev->is_io ? UEFI_VARS_X64_BASE : uv->base;

    g_assert_cmphex(run_at(uv, own), !=, UEFI_VARS_STS_SUCCESS);
    g_assert_cmphex(run_at(uv, own - 64), !=, UEFI_VARS_STS_SUCCESS);
    g_assert_cmphex(run_at(uv, other), !=, UEFI_VARS_STS_SUCCESS);
    assert_alive(uv);
}

/* The flag is advice: both transfers work, whatever it says */
static void test_other_transfer(QUefiVars *uv)
{
    uv->use_pio = !uv->use_pio;
    assert_alive(uv);
    uv->use_pio = !uv->use_pio;
    assert_alive(uv);
}

static void test_pio_widths(QUefiVars *uv)
{
    static const uint8_t data[] = {
        1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16
    };
    unsigned max = uv->dev->is_io ? 4 : 8;

    for (unsigned width = 1; width <= max; width *= 2) {
        quefi_write(uv, REG_SIZE, 4, sizeof(data));
        for (size_t i = 0; i < sizeof(data); i += width) {
            uint8_t part[8] = { 0 };

            memcpy(part, data + i, width);
            quefi_write(uv, REG_PIO, width, ldq_le_p(part));
            g_assert_cmphex(quefi_read(uv, REG_CRC, 4), ==,
                            quefi_crc32c(data, i + width));
        }
        quefi_command(uv, UEFI_VARS_CMD_PIO_ZERO_OFFSET);
        for (size_t i = 0; i < sizeof(data); i += width) {
            uint8_t part[8];

            stq_le_p(part, quefi_read(uv, REG_PIO, width));
            g_assert_cmpmem(part, width, data + i, width);
            g_assert_cmphex(quefi_read(uv, REG_CRC, 4), ==,
                            quefi_crc32c(data, i + width));
        }
    }
}

/* What does not fit behind the offset is refused whole */
static void test_pio_bounds(QUefiVars *uv)
{
    static const uint8_t data[] = { 1, 2, 3, 4, 5, 6 };

    quefi_write(uv, REG_SIZE, 4, sizeof(data));
    quefi_write(uv, REG_PIO, 4, 0x04030201);
    quefi_write(uv, REG_PIO, 4, 0xffffffff);
    g_assert_cmphex(quefi_read(uv, REG_PIO, 4), ==, 0);
    g_assert_cmphex(quefi_read(uv, REG_CRC, 4), ==, quefi_crc32c(data, 4));
    quefi_write(uv, REG_PIO, 1, 5);
    quefi_write(uv, REG_PIO, 2, 0xffff);
    g_assert_cmphex(quefi_read(uv, REG_PIO, 2), ==, 0);
    g_assert_cmphex(quefi_read(uv, REG_CRC, 4), ==, quefi_crc32c(data, 5));
    quefi_write(uv, REG_PIO, 1, 6);
    quefi_write(uv, REG_PIO, 1, 0xff);
    g_assert_cmphex(quefi_read(uv, REG_PIO, 1), ==, 0);
    g_assert_cmphex(quefi_read(uv, REG_CRC, 4), ==, quefi_crc32c(data, 6));

    /* No buffer at all */
    quefi_command(uv, UEFI_VARS_CMD_RESET);
    quefi_write(uv, REG_PIO, 1, 0xff);
    g_assert_cmphex(quefi_read(uv, REG_PIO, 1), ==, 0);
    g_assert_cmphex(quefi_read(uv, REG_CRC, 4), ==, 0);
    assert_alive(uv);
}

static void assert_pio_crc(QUefiVars *uv, const void *data, size_t size,
                           uint32_t crc)
{
    const uint8_t *bytes = data;

    quefi_command(uv, UEFI_VARS_CMD_PIO_ZERO_OFFSET);
    for (size_t i = 0; i < size; i++) {
        quefi_write(uv, REG_PIO, 1, bytes[i]);
    }
    g_assert_cmphex(quefi_read(uv, REG_CRC, 4), ==, crc);
}

static void test_pio_crc(QUefiVars *uv)
{
    uint8_t zeroes[32] = { 0 };
    uint8_t ones[32];

    memset(ones, 0xff, sizeof(ones));
    assert_pio_crc(uv, "", 0, 0x00000000);
    assert_pio_crc(uv, "123456789", 9, 0xe3069283);
    assert_pio_crc(uv, zeroes, 16, 0x42709aea);
    assert_pio_crc(uv, zeroes, 32, 0x8a9136aa);
    assert_pio_crc(uv, ones, 32, 0x62a8ab43);
}

/* PIO_MM: reply over the request, offset where it was */
static void test_pio_message(QUefiVars *uv)
{
    g_autoptr(QUefiMsg) msg = set_message(uv, "Pio");
    size_t size = ROUND_UP(msg->bytes->len, 4);
    g_autofree uint8_t *reply = g_malloc(size);

    g_byte_array_set_size(msg->bytes, size);
    quefi_pio_write(uv, msg->bytes->data, size);
    g_assert_cmphex(quefi_command(uv, UEFI_VARS_CMD_PIO_MM), ==,
                    UEFI_VARS_STS_SUCCESS);
    /* The offset stands behind the message: the buffer goes on with zeroes */
    g_assert_cmphex(quefi_read(uv, REG_PIO, 4), ==, 0);
    quefi_pio_read(uv, reply, size);
    g_assert_cmpmem(reply, size, msg->bytes->data, size);
    quefi_assert_text(uv, QUEFI_VENDOR, "Pio", QUEFI_BS_RT,
                      "\x04\x03\x02\x01");
}

static void test_cmd_reset(QUefiVars *uv)
{
    g_assert_cmpint(quefi_set_text(uv, QUEFI_VENDOR, "Volatile", QUEFI_BS_RT,
                                   "v"), ==, EFI_SUCCESS);
    g_assert_cmpint(quefi_set_text(uv, QUEFI_VENDOR, "Boot", EFI_ATTR_BS,
                                   "b"), ==, EFI_SUCCESS);
    g_assert_cmpint(quefi_function(uv, EFI_VAR_FN_EXIT_BOOT_SERVICE), ==,
                    EFI_SUCCESS);
    quefi_pio_write(uv, "1234", 4);

    g_assert_cmphex(quefi_command(uv, UEFI_VARS_CMD_RESET), ==,
                    UEFI_VARS_STS_SUCCESS);
    g_assert_cmphex(quefi_read(uv, REG_SIZE, 4), ==, 0);
    g_assert_cmphex(quefi_read(uv, REG_ADDR_LO, 4), ==, 0);
    g_assert_cmphex(quefi_read(uv, REG_ADDR_HI, 4), ==, 0);
    g_assert_cmphex(quefi_read(uv, REG_CRC, 4), ==, 0);
    g_assert_cmphex(quefi_command(uv, UEFI_VARS_CMD_DMA_MM), ==,
                    UEFI_VARS_STS_ERR_BAD_BUFFER_SIZE);
    g_assert_cmphex(quefi_command(uv, UEFI_VARS_CMD_PIO_MM), ==,
                    UEFI_VARS_STS_ERR_BAD_BUFFER_SIZE);

    /* Variables and the phase are not its business */
    quefi_attach(uv);
    quefi_assert_text(uv, QUEFI_VENDOR, "Volatile", QUEFI_BS_RT, "v");
    quefi_assert_none(uv, QUEFI_VENDOR, "Boot");
    g_assert_cmpint(quefi_function(uv, EFI_VAR_FN_READY_TO_BOOT), ==,
                    EFI_UNSUPPORTED);
}

static void test_cmd_unknown(QUefiVars *uv)
{
    static const uint16_t commands[] = { 0, 5, 0x0102, 0x8000, 0xffff };

    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        g_assert_cmphex(quefi_command(uv, commands[i]), ==,
                        UEFI_VARS_STS_ERR_NOT_SUPPORTED);
    }
    g_assert_cmphex(quefi_read(uv, REG_SIZE, 4), ==, 0x10000);
    g_assert_cmphex(quefi_read(uv, REG_ADDR_LO, 4), ==, uv->buffer);
}

static uint16_t run_sized(QUefiVars *uv, uint32_t size)
{
    quefi_write(uv, REG_SIZE, 4, size);
    return quefi_command(uv, UEFI_VARS_CMD_DMA_MM);
}

/* The smallest message is a header and a function without payload: 40 bytes */
static void test_small_buffers(QUefiVars *uv)
{
    static const uint32_t short_sizes[] = { 0, 1, 19, 20, 23, 24, 39 };
    g_autoptr(QUefiMsg) msg =
        quefi_msg_function(uv, EFI_VAR_FN_READY_TO_BOOT);

    quefi_finish(msg);
    g_assert_cmpint(msg->bytes->len, ==, 40);
    qtest_memwrite(uv->qts, uv->buffer, msg->bytes->data, msg->bytes->len);
    for (size_t i = 0; i < ARRAY_SIZE(short_sizes); i++) {
        g_assert_cmphex(run_sized(uv, short_sizes[i]), ==,
                        UEFI_VARS_STS_ERR_BAD_BUFFER_SIZE);
    }
    g_assert_cmphex(run_sized(uv, 40), ==, UEFI_VARS_STS_SUCCESS);
    g_assert_cmphex(run_sized(uv, 0x10001), ==, UEFI_VARS_STS_SUCCESS);
    g_assert_cmphex(run_sized(uv, 0xffffffff), ==, UEFI_VARS_STS_SUCCESS);
}

static void test_shrink(QUefiVars *uv)
{
    g_autoptr(QUefiMsg) msg = set_message(uv, "Shrunk");
    size_t size = ROUND_UP(msg->bytes->len, 4);

    g_byte_array_set_size(msg->bytes, size);
    for (uint32_t small = 0; small < 48; small++) {
        quefi_write(uv, REG_SIZE, 4, UEFI_VARS_MAX_BUFFER_SIZE);
        quefi_pio_write(uv, msg->bytes->data, size);
        quefi_write(uv, REG_SIZE, 4, small);
        g_assert_cmphex(quefi_read(uv, REG_CRC, 4), ==, 0);
        g_assert_cmphex(quefi_read(uv, REG_PIO, 4), ==, 0);
        g_assert_cmphex(quefi_command(uv, UEFI_VARS_CMD_PIO_MM), !=,
                        UEFI_VARS_STS_SUCCESS);
    }
    quefi_attach(uv);
    quefi_assert_none(uv, QUEFI_VENDOR, "Shrunk");
}

/* Whatever a guest writes in whatever order: no crash, and it works on */
static void test_random(QUefiVars *uv)
{
    static const uint32_t values[] = {
        0, 1, 2, 3, 4, 5, 0x17, 0x18, 0x28, 0x54, 0xffff, 0x10000, 0x10001,
        0x7fffffff, 0x80000000, 0xfef10000, 0xfffffff0, 0xffffffff,
    };
    g_autoptr(QUefiMsg) msg = set_message(uv, "Random");
    unsigned widths = uv->dev->is_io ? 3 : 4;

    for (int i = 0; i < 4000; i++) {
        unsigned width = 1 << g_test_rand_int_range(0, widths);
        unsigned offset = g_test_rand_int_range(0, UEFI_VARS_REGS_SIZE -
                                                width + 1);
        uint64_t value = values[g_test_rand_int_range(0, ARRAY_SIZE(values))];

        switch (g_test_rand_int_range(0, 8)) {
        case 0:
            quefi_read(uv, offset, width);
            break;
        case 1:
            qtest_memwrite(uv->qts, uv->dev->ram, msg->bytes->data,
                           msg->bytes->len);
            quefi_write(uv, REG_ADDR_LO, 4, uv->dev->ram);
            quefi_write(uv, REG_ADDR_HI, 4, 0);
            break;
        case 2:
            quefi_command(uv, g_test_rand_int_range(0, 6));
            break;
        case 3:
            value = g_test_rand_int();
            /* fall through */
        default:
            quefi_write(uv, g_test_rand_bit() ? offset : offset & ~3, width,
                        value);
            break;
        }
    }
    assert_alive(uv);
}

static void test_power_on(QUefiVars *uv)
{
    quefi_pio_write(uv, "1234", 4);
    qtest_system_reset(uv->qts);
    g_assert_cmphex(quefi_read(uv, REG_MAGIC, 2), ==, 0x0ef1);
    g_assert_cmphex(quefi_read(uv, REG_CMD_STS, 2), ==, 0);
    g_assert_cmphex(quefi_read(uv, REG_SIZE, 4), ==, 0);
    g_assert_cmphex(quefi_read(uv, REG_ADDR_LO, 4), ==, 0);
    g_assert_cmphex(quefi_read(uv, REG_ADDR_HI, 4), ==, 0);
    g_assert_cmphex(quefi_read(uv, REG_CRC, 4), ==, 0);
    g_assert_cmphex(quefi_read(uv, REG_FLAGS, 4), ==, uv->use_pio ? 1 : 0);
}

static const QUefiCase cases[] = {
    { "1.1/magic", test_magic, .dma_only = true },
    { "1.1/power-on", test_power_on },
    { "1.1/flags", test_read_only },
    { "1.1/command-reset", test_cmd_reset },
    { "1.1/command-unknown", test_cmd_unknown, .dma_only = true },
    { "R1", test_sync },
    { "R2", test_order, .dma_only = true },
    { "R3", test_clamp, .dma_only = true },
    { "R4", test_undefined, .dma_only = true },
    { "R5", test_widths, .dma_only = true },
    { "R6", test_size_clears_pio },
    { "R7", test_dma_fails, .dma_only = true },
    { "R7/ram-end", test_dma_ram_end, .dma_only = true },
    { "R8", test_other_transfer },
    { "1.2/widths", test_pio_widths },
    { "1.2/bounds", test_pio_bounds },
    { "1.2/crc", test_pio_crc },
    { "1.2/message", test_pio_message },
    { "H8/small", test_small_buffers, .dma_only = true },
    { "H8/shrink", test_shrink },
    { "H8/mmio", test_dma_mmio, .dma_only = true },
    { "H8/random", test_random, .dma_only = true },
};

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    QUEFI_ADD_CASES(cases);
    return g_test_run();
}
