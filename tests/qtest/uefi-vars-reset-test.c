/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * QTest of the UEFI variable service: what survives which kind of reset
 *
 * Names of tests are rows of docs/specs/uefi-vars.rst.
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "libqtest.h"
#include "libqos/uefi-vars.h"

static void assert_set(QUefiVars *uv, const char *name, uint32_t attributes,
                       const char *text)
{
    g_assert_cmpint(quefi_set_text(uv, QUEFI_VENDOR, name, attributes, text),
                    ==, EFI_SUCCESS);
}

static void make_variables(QUefiVars *uv)
{
    assert_set(uv, "V-BS", EFI_ATTR_BS, "volatile");
    assert_set(uv, "V-RT", QUEFI_BS_RT, "volatile, runtime");
    assert_set(uv, "N-BS", QUEFI_NV_BS, "non-volatile");
    assert_set(uv, "N-RT", QUEFI_NV_BS_RT, "non-volatile, runtime");
    assert_set(uv, "N-BS", QUEFI_NV_BS, "updated");
}

/* After a hard reset: boot time again, and only what is non-volatile */
static void assert_hard_reset(QUefiVars *uv)
{
    g_autofree char *list = quefi_list(uv, QUEFI_VENDOR);

    g_assert_cmpstr(list, ==, "N-RT N-BS");
    quefi_assert_text(uv, QUEFI_VENDOR, "N-BS", QUEFI_NV_BS, "updated");
    quefi_assert_text(uv, QUEFI_VENDOR, "N-RT", QUEFI_NV_BS_RT,
                      "non-volatile, runtime");
    g_assert_cmpint(quefi_function(uv, EFI_VAR_FN_READY_TO_BOOT), ==,
                    EFI_SUCCESS);
}

static void test_system_reset(QUefiVars *uv)
{
    for (int i = 0; i < 3; i++) {
        make_variables(uv);
        quefi_event(uv, QUEFI_END_OF_DXE);
        quefi_event(uv, QUEFI_EXIT_BOOT);
        quefi_reset(uv);
        assert_hard_reset(uv);
        assert_set(uv, "N-RT", 0, "");
        assert_set(uv, "N-BS", 0, "");
    }
}

static void test_restart(QUefiVars *uv)
{
    make_variables(uv);
    quefi_event(uv, QUEFI_EXIT_BOOT);
    quefi_restart(uv);
    assert_hard_reset(uv);
    quefi_restart(uv);
    assert_hard_reset(uv);
}

/* A guest that saw success finds its variable again, even so */
static void test_crash(QUefiVars *uv)
{
    make_variables(uv);
    quefi_crash(uv);
    assert_hard_reset(uv);
    assert_set(uv, "N-RT", 0, "");
    assert_set(uv, "N-RT", QUEFI_NV_BS_RT, "again");
    quefi_crash(uv);
    quefi_assert_text(uv, QUEFI_VENDOR, "N-RT", QUEFI_NV_BS_RT, "again");
    quefi_assert_text(uv, QUEFI_VENDOR, "N-BS", QUEFI_NV_BS, "updated");
    assert_set(uv, "N-RT", 0, "");
    quefi_crash(uv);
    quefi_assert_none(uv, QUEFI_VENDOR, "N-RT");
}

/* ------------------------------------------------------------------------ */
/* x86: reset by the guest, suspend to RAM */

static void test_s3_registers(QUefiVars *uv)
{
    uint32_t crc = quefi_crc32c("12345678", 8);

    quefi_program(uv, uv->buffer + 0x1000, 0x8000);
    quefi_command(uv, 0xff);
    quefi_pio_write(uv, "12345678", 8);
    quefi_suspend(uv);
    g_assert_cmphex(quefi_read(uv, UEFI_VARS_REG_MAGIC, 2), ==,
                    UEFI_VARS_MAGIC);
    g_assert_cmphex(quefi_read(uv, UEFI_VARS_REG_BUFFER_SIZE, 4), ==, 0x8000);
    g_assert_cmphex(quefi_read(uv, UEFI_VARS_REG_DMA_ADDR_LO, 4), ==,
                    uv->buffer);
    g_assert_cmphex(quefi_read(uv, UEFI_VARS_REG_PIO_CRC32C, 4), ==, crc);
    quefi_command(uv, UEFI_VARS_CMD_PIO_ZERO_OFFSET);
    g_assert_cmphex(quefi_read(uv, UEFI_VARS_REG_PIO_TRANSFER, 4), ==,
                    ldl_le_p("1234"));
}

/* The system goes on with the buffer it had, in the phase it was in */
static void test_s3_runtime(QUefiVars *uv)
{
    g_autofree char *list = NULL;

    make_variables(uv);
    quefi_event(uv, QUEFI_END_OF_DXE);
    quefi_event(uv, QUEFI_READY_TO_BOOT);
    quefi_event(uv, QUEFI_EXIT_BOOT);
    quefi_suspend(uv);
    list = quefi_list(uv, QUEFI_VENDOR);
    g_assert_cmpstr(list, ==, "V-RT N-RT");
    quefi_assert_none(uv, QUEFI_VENDOR, "N-BS");
    g_assert_cmpint(quefi_function(uv, EFI_VAR_FN_READY_TO_BOOT), ==,
                    EFI_UNSUPPORTED);
    assert_set(uv, "N-RT", QUEFI_NV_BS_RT, "woken");

    /* A real reset still is one */
    quefi_reset(uv);
    g_free(list);
    list = quefi_list(uv, QUEFI_VENDOR);
    g_assert_cmpstr(list, ==, "N-BS N-RT");
    quefi_assert_text(uv, QUEFI_VENDOR, "N-RT", QUEFI_NV_BS_RT, "woken");
}

static void test_s3_boot_time(QUefiVars *uv)
{
    g_autofree char *list = NULL;

    make_variables(uv);
    quefi_suspend(uv);
    list = quefi_list(uv, QUEFI_VENDOR);
    g_assert_cmpstr(list, ==, "V-BS V-RT N-RT N-BS");
}

static void test_guest_reset(QUefiVars *uv)
{
    make_variables(uv);
    quefi_event(uv, QUEFI_EXIT_BOOT);
    qtest_outb(uv->qts, 0xcf9, 0x02);
    qtest_outb(uv->qts, 0xcf9, 0x06);
    qtest_qmp_eventwait(uv->qts, "RESET");
    quefi_attach(uv);
    assert_hard_reset(uv);
}

static const QUefiCase cases[] = {
    { "9.1/system-reset", test_system_reset },
    { "9.1/restart", test_restart },
    { "9.1/crash", test_crash },
};

static const QUefiCase x86_cases[] = {
    { "9.3/guest-reset", test_guest_reset },
    { "9.3/s3-registers", test_s3_registers },
    { "9.3/s3-runtime", test_s3_runtime },
    { "9.3/s3-boot-time", test_s3_boot_time },
};

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    QUEFI_ADD_CASES(cases);
    if (!strcmp(qtest_get_arch(), "x86_64")) {
        QUEFI_ADD_CASES(x86_cases);
    }
    return g_test_run();
}
