/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * QTest of the UEFI variable service: QMP, HMP and events
 */

#include "qemu/osdep.h"
#include <sys/resource.h>
#include "qemu/bswap.h"
#include "qobject/qdict.h"
#include "qobject/qlist.h"
#include "libqtest.h"
#include "libqos/uefi-vars.h"

#define SBENABLE    "f0a30bc7-af08-4556-99c4-001009c93a44"

/* A signature list with one certificate: type, sizes, owner */
#define CERT_LIST                                                           \
    "a159c0a5e494a74a87b5ab155c2bf072d301000000000000b7010000"              \
    "33333333222211114444555555555555"                                      \
    "308201a33082014da00302010202146c5a74df397685934bd98d5973ef5de021a3"    \
    "cbc4300d06092a864886f70d01010b050030263113301106035504030c0a546573"    \
    "74206f776e6572310f300d060355040a0c064e6f626f6479301e170d3236313132"    \
    "313037313131335a170d3236313132323037313131335a30263113301106035504"    \
    "030c0a54657374206f776e6572310f300d060355040a0c064e6f626f6479305c30"    \
    "0d06092a864886f70d0101010500034b003048024100f4a64b20382e749c10dbd6"    \
    "926ab4ed5f63065b44e96fa9328a66ac1d0bf6d0678bb82d8d50877cc808e518db"    \
    "52e16a7392bac8d7cfa8ff7feb0fc404c5b3f26d0203010001a3533051301d0603"    \
    "551d0e04160414e75127d33ff55b9d5dddcb06a93fd1a99ecbcaad301f0603551d"    \
    "23041830168014e75127d33ff55b9d5dddcb06a93fd1a99ecbcaad300f0603551d"    \
    "130101ff040530030101ff300d06092a864886f70d01010b0500034100b2fab2c3"    \
    "a2e5ddfe799a2f4d8e508f2d96727182dfb40f30e5e8480c4e4d0b072c3417d444"    \
    "a3e36e1f80f76823f999a070f27e64911ed77428ebe05553cbdc5a"

/* One device is enough: none of them knows of the monitor */
static const QUefiDevice *dev;

static QUefiVars *start(const char *path)
{
    return quefi_start(dev, false, path, NULL, NULL);
}

static void stop(QUefiVars *uv, char *path)
{
    quefi_stop(uv);
    quefi_tmp_free(path);
}

/* The command fails, and says why with @why in it */
static void assert_error(QDict *response, const char *why)
{
    const char *text;

    g_assert_true(qdict_haskey(response, "error"));
    text = qdict_get_str(qdict_get_qdict(response, "error"), "desc");
    g_test_message("%s", text);
    g_assert_nonnull(strstr(text, why));
    qobject_unref(response);
}

/* Names of the variables of a page, "A B C" */
static char *names(QDict *page)
{
    GString *text = g_string_new(NULL);
    const QListEntry *entry;

    QLIST_FOREACH_ENTRY(qdict_get_qlist(page, "variables"), entry) {
        QDict *var = qobject_to(QDict, qlist_entry_obj(entry));

        g_string_append_printf(text, "%s%s", text->len ? " " : "",
                               qdict_get_str(var, "name"));
    }
    return g_string_free(text, FALSE);
}

static void assert_page(QDict *page, const char *expected, int matches)
{
    g_autofree char *text = names(page);

    g_assert_cmpstr(text, ==, expected);
    g_assert_cmpint(qdict_get_int(page, "matches"), ==, matches);
    qobject_unref(page);
}

/* The only variable of a page that was asked for */
static QDict *query_one(QUefiVars *uv, const char *guid, const char *name)
{
    QDict *page = qtest_qmp_assert_success_ref(
        uv->qts, "{'execute': 'query-uefi-vars', 'arguments': "
        "{'guid': %s, 'name': %s, 'data': true}}", guid, name);
    QDict *var = qobject_to(QDict, qlist_peek(qdict_get_qlist(page,
                                                              "variables")));

    g_assert_nonnull(var);
    g_assert_cmpint(qdict_get_int(page, "matches"), ==, 1);
    qobject_ref(var);
    qobject_unref(page);
    return var;
}

static QDict *query_status(QUefiVars *uv)
{
    return qtest_qmp_assert_success_ref(uv->qts, "{'execute': "
                                        "'query-uefi-vars-status'}");
}

static void host_set(QUefiVars *uv, const char *guid, const char *name,
                     const char *data)
{
    qtest_qmp_assert_success(uv->qts, "{'execute': 'uefi-vars-set', "
                             "'arguments': {'guid': %s, 'name': %s, "
                             "'data': %s}}", guid, name, data);
}

static void host_delete(QUefiVars *uv, const char *guid, const char *name)
{
    qtest_qmp_assert_success(uv->qts, "{'execute': 'uefi-vars-delete', "
                             "'arguments': {'guid': %s, 'name': %s}}", guid,
                             name);
}

/* ------------------------------------------------------------------------ */
/* query-uefi-vars */

static void test_query(void)
{
    QUefiVars *uv = start(NULL);
    QDict *var;

    quefi_set_text(uv, QUEFI_VENDOR, "Alpha", QUEFI_NV_BS, "a");
    quefi_set_text(uv, QUEFI_VENDOR, "Beta", QUEFI_NV_BS_RT, "bcd");
    quefi_set_text(uv, QUEFI_VENDOR, "Gamma", EFI_ATTR_BS, "g");

    /* Volatile ones are first */
    assert_page(qtest_qmp_assert_success_ref(
        uv->qts, "{'execute': 'query-uefi-vars', 'arguments': "
        "{'guid': %s}}", QUEFI_VENDOR), "Gamma Alpha Beta", 3);
    assert_page(qtest_qmp_assert_success_ref(
        uv->qts, "{'execute': 'query-uefi-vars', 'arguments': "
        "{'guid': %s, 'name': '*eta'}}", QUEFI_VENDOR), "Beta", 1);
    assert_page(qtest_qmp_assert_success_ref(
        uv->qts, "{'execute': 'query-uefi-vars', 'arguments': "
        "{'name': '?amma'}}"), "Gamma", 1);
    assert_page(qtest_qmp_assert_success_ref(
        uv->qts, "{'execute': 'query-uefi-vars', 'arguments': "
        "{'guid': %s, 'name': 'Beta'}}", QUEFI_GLOBAL), "", 0);
    assert_page(qtest_qmp_assert_success_ref(
        uv->qts, "{'execute': 'query-uefi-vars', 'arguments': "
        "{'guid': %s, 'skip': 1, 'limit': 1}}", QUEFI_VENDOR), "Alpha", 3);
    assert_page(qtest_qmp_assert_success_ref(
        uv->qts, "{'execute': 'query-uefi-vars', 'arguments': "
        "{'guid': %s, 'skip': 7}}", QUEFI_VENDOR), "", 3);

    var = query_one(uv, QUEFI_VENDOR, "Beta");
    g_assert_cmpstr(qdict_get_str(var, "guid"), ==, QUEFI_VENDOR);
    g_assert_cmpint(qdict_get_int(var, "size"), ==, 3);
    g_assert_cmpstr(qdict_get_str(var, "data"), ==, "626364");
    g_assert_cmpuint(qlist_size(qdict_get_qlist(var, "attributes")), ==, 3);
    g_assert_false(qdict_haskey(var, "time"));
    qobject_unref(var);

    assert_error(qtest_qmp(uv->qts, "{'execute': 'query-uefi-vars', "
                           "'arguments': {'guid': '1234'}}"), "1234");
    assert_error(qtest_qmp(uv->qts, "{'execute': 'query-uefi-vars', "
                           "'arguments': {'limit': 0}}"), "limit");
    quefi_stop(uv);
}

/* What the guest does not see any more, the host does */
static void test_query_runtime(void)
{
    QUefiVars *uv = start(NULL);
    QDict *status;

    quefi_set_text(uv, QUEFI_VENDOR, "Hidden", QUEFI_NV_BS, "a");
    quefi_event(uv, QUEFI_EXIT_BOOT);
    quefi_assert_none(uv, QUEFI_VENDOR, "Hidden");
    qobject_unref(query_one(uv, QUEFI_VENDOR, "Hidden"));
    status = query_status(uv);
    g_assert_cmpstr(qdict_get_str(status, "phase"), ==, "runtime");
    g_assert_true(qdict_get_bool(status, "policies-locked"));
    qobject_unref(status);
    quefi_stop(uv);
}

/* ------------------------------------------------------------------------ */
/* uefi-vars-set, uefi-vars-delete */

static void test_set(void)
{
    char *path = quefi_tmp_path("vars.json");
    QUefiVars *uv = start(path);

    host_set(uv, QUEFI_VENDOR, "A", "6f6E65");
    quefi_assert_text(uv, QUEFI_VENDOR, "A", QUEFI_NV_BS_RT, "one");
    quefi_crash(uv);
    quefi_assert_text(uv, QUEFI_VENDOR, "A", QUEFI_NV_BS_RT, "one");

    /* Attributes stay those of the guest's variable */
    quefi_set_text(uv, QUEFI_VENDOR, "B", QUEFI_NV_BS, "guest");
    host_set(uv, QUEFI_VENDOR, "B", "686f7374");
    quefi_assert_text(uv, QUEFI_VENDOR, "B", QUEFI_NV_BS, "host");
    host_delete(uv, QUEFI_VENDOR, "A");
    quefi_assert_none(uv, QUEFI_VENDOR, "A");
    quefi_crash(uv);
    quefi_assert_none(uv, QUEFI_VENDOR, "A");
    quefi_assert_text(uv, QUEFI_VENDOR, "B", QUEFI_NV_BS, "host");

    qtest_qmp_assert_success(uv->qts, "{'execute': 'uefi-vars-set', "
                             "'arguments': {'guid': %s, 'name': 'C', "
                             "'data': '63', 'attributes': ['boot']}}",
                             QUEFI_VENDOR);
    quefi_assert_text(uv, QUEFI_VENDOR, "C", EFI_ATTR_BS, "c");
    quefi_reset(uv);
    quefi_assert_none(uv, QUEFI_VENDOR, "C");
    stop(uv, path);
}

/* Setup at the next boot, as managers do it while the guest runs */
static void test_os_indications(void)
{
    QUefiVars *uv = start(NULL);
    uint64_t value = 0;
    size_t size = sizeof(value);

    quefi_event(uv, QUEFI_EXIT_BOOT);
    host_set(uv, QUEFI_GLOBAL, "OsIndications", "0100000000000000");
    g_assert_cmpint(quefi_get_variable(uv, QUEFI_GLOBAL, "OsIndications",
                                       NULL, &value, &size), ==, EFI_SUCCESS);
    g_assert_cmphex(ldq_le_p(&value), ==, 1);
    quefi_stop(uv);
}

static const struct {
    const char *arguments;
    const char *why;
} refused[] = {
    { "'guid': '" QUEFI_GLOBAL "', 'name': 'SetupMode', 'data': '00', "
      "'force': true", "state of the service" },
    { "'guid': '" QUEFI_GLOBAL "', 'name': 'Nonsense', 'data': '00'",
      "not defined" },
    { "'guid': '" QUEFI_GLOBAL "', 'name': 'BootOrder', 'data': '00'",
      "size" },
    { "'guid': '" QUEFI_GLOBAL "', 'name': 'PK', 'data': '00', "
      "'attributes': ['non-volatile', 'boot', 'runtime', 'authenticated']",
      "not forced" },
    { "'guid': '" QUEFI_VENDOR "', 'name': '', 'data': '00'", "name" },
    { "'guid': '" QUEFI_VENDOR "', 'name': 'A', 'data': ''", "no value" },
    { "'guid': '" QUEFI_VENDOR "', 'name': 'A', 'data': '0'", "data" },
    { "'guid': '" QUEFI_VENDOR "', 'name': 'A', 'data': '0g'", "data" },
    { "'guid': 'x', 'name': 'A', 'data': '00'", "GUID" },
    { "'guid': '" QUEFI_VENDOR "', 'name': 'A', 'data': '00', "
      "'attributes': []", "boot time" },
    { "'guid': '" QUEFI_VENDOR "', 'name': 'A', 'data': '00', "
      "'attributes': ['boot', 'counter-authenticated']", "counter" },
};

static void test_refused(void)
{
    QUefiVars *uv = start(NULL);

    for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
        g_autofree char *command = g_strdup_printf(
            "{'execute': 'uefi-vars-set', 'arguments': {%s}}",
            refused[i].arguments);

        qtest_qmp_send_raw(uv->qts, "%s", command);
        assert_error(qtest_qmp_receive(uv->qts), refused[i].why);
    }
    assert_error(qtest_qmp(uv->qts, "{'execute': 'uefi-vars-delete', "
                           "'arguments': {'guid': %s, 'name': 'A'}}",
                           QUEFI_VENDOR), "nothing to delete");
    quefi_stop(uv);
}

/* A guest can make names that are hard to type */
static void test_names(void)
{
    QUefiVars *uv = start(NULL);
    QDict *var;

    quefi_set_text(uv, QUEFI_VENDOR, "a\tb", QUEFI_NV_BS, "x");
    var = query_one(uv, QUEFI_VENDOR, "a*");
    g_assert_cmpstr(qdict_get_str(var, "name"), ==, "a\\u0009b");
    qobject_unref(var);
    host_set(uv, QUEFI_VENDOR, "a\\u0009b", "79");
    quefi_assert_text(uv, QUEFI_VENDOR, "a\tb", QUEFI_NV_BS, "y");
    host_delete(uv, QUEFI_VENDOR, "a\\u0009b");
    quefi_assert_none(uv, QUEFI_VENDOR, "a\tb");

    host_set(uv, QUEFI_VENDOR, "\303\274\360\237\230\200", "7a");
    quefi_assert_text(uv, QUEFI_VENDOR, "\303\274\360\237\230\200",
                      QUEFI_NV_BS_RT, "z");
    quefi_stop(uv);
}

/* ------------------------------------------------------------------------ */
/* Keys and status */

static void force_pk(QUefiVars *uv)
{
    qtest_qmp_assert_success(uv->qts, "{'execute': 'uefi-vars-set', "
                             "'arguments': {'guid': %s, 'name': 'PK', "
                             "'data': %s, 'force': true, 'attributes': "
                             "['non-volatile', 'boot', 'runtime', "
                             "'authenticated']}}", QUEFI_GLOBAL, CERT_LIST);
}

static QDict *find_key(QDict *status, const char *name)
{
    const QListEntry *entry;

    QLIST_FOREACH_ENTRY(qdict_get_qlist(status, "keys"), entry) {
        QDict *key = qobject_to(QDict, qlist_entry_obj(entry));

        if (!strcmp(qdict_get_str(key, "name"), name)) {
            return key;
        }
    }
    g_assert_not_reached();
}

static void test_status(void)
{
    char *path = quefi_tmp_path("vars.json");
    QUefiVars *uv = start(path);
    QDict *status = query_status(uv), *usage;

    g_assert_true(qdict_get_bool(status, "setup-mode"));
    g_assert_false(qdict_get_bool(status, "secure-boot"));
    g_assert_cmpstr(qdict_get_str(status, "next-boot"), ==, "setup-mode");
    g_assert_cmpstr(qdict_get_str(status, "phase"), ==, "platform");
    g_assert_cmpint(qdict_get_int(status, "policies"), ==, 0);
    g_assert_false(qdict_get_bool(status, "policies-locked"));
    g_assert_cmpint(qdict_get_int(status, "dbx-room"), ==, 0x8400 - 60 - 8);
    g_assert_cmpint(qdict_get_int(find_key(status, "dbx"), "size"), ==, 0);
    g_assert_cmpuint(qlist_size(qdict_get_qlist(status, "usage")), ==, 3);
    g_assert_cmpstr(qdict_get_str(status, "file"), ==, path);
    /* what the service itself has made at the start */
    g_assert_cmpint(qdict_get_int(status, "journal"), >, 0);
    g_assert_false(qdict_haskey(status, "failure"));
    qobject_unref(status);

    g_assert_cmpint(quefi_policy_register(uv, QUEFI_VENDOR, "P", 0, 100, 0, 0,
                                          EFI_VAR_POLICY_NO_LOCK),
                    ==, EFI_SUCCESS);
    quefi_set_text(uv, QUEFI_VENDOR, "A", EFI_ATTR_BS, "a");
    quefi_set_text(uv, QUEFI_VENDOR, "B", QUEFI_NV_BS, "b");
    quefi_event(uv, QUEFI_END_OF_DXE);
    status = query_status(uv);
    g_assert_cmpstr(qdict_get_str(status, "phase"), ==, "end-of-dxe");
    g_assert_cmpint(qdict_get_int(status, "policies"), >=, 1);
    g_assert_cmpint(qdict_get_int(status, "journal"), >, 0);
    usage = qobject_to(QDict, qlist_peek(qdict_get_qlist(status, "usage")));
    g_assert_cmpstr(qdict_get_str(usage, "class"), ==, "volatile");
    g_assert_cmpint(qdict_get_int(usage, "limit"), ==, 0x40000 - 28);
    g_assert_cmpint(qdict_get_int(usage, "used"), >, 68);
    qobject_unref(status);
    stop(uv, path);
}

/* The last write that was refused, and how many were since the reset */
static void test_refused_writes(void)
{
    QUefiVars *uv = quefi_start(dev, false, NULL, NULL, NULL);
    QDict *status = query_status(uv), *refused;

    g_assert_false(qdict_haskey(status, "refused"));
    qobject_unref(status);
    /* what works does not count, nor what is not there */
    quefi_set_text(uv, QUEFI_VENDOR, "A", EFI_ATTR_BS, "a");
    g_assert_cmpint(quefi_set(uv, QUEFI_VENDOR, "B", EFI_ATTR_BS, "", 0), ==,
                    EFI_NOT_FOUND);
    for (int i = 1; i <= 2; i++) {
        const char *name = i == 1 ? "A" : "B";

        g_assert_cmpint(quefi_set(uv, QUEFI_VENDOR, name, EFI_ATTR_RT, "x", 1),
                        ==, EFI_INVALID_PARAMETER);
        quefi_set_text(uv, QUEFI_VENDOR, "C", EFI_ATTR_BS, "c");
        status = query_status(uv);
        refused = qdict_get_qdict(status, "refused");
        g_assert_cmpint(qdict_get_int(refused, "count"), ==, i);
        g_assert_cmpstr(qdict_get_str(refused, "name"), ==, name);
        g_assert_cmpstr(qdict_get_str(refused, "guid"), ==, QUEFI_VENDOR);
        g_assert_cmpstr(qdict_get_str(refused, "reason"), ==,
                        "4.2/3: runtime without boot");
        qobject_unref(status);
    }
    quefi_reset(uv);
    status = query_status(uv);
    g_assert_false(qdict_haskey(status, "refused"));
    qobject_unref(status);
    quefi_stop(uv);
}

/* What is enrolled by force is there at once, for guest and host */
static void test_keys(void)
{
    char *path = quefi_tmp_path("vars.json");
    QUefiVars *uv = start(path);
    QDict *status, *key, *cert, *count;

    force_pk(uv);
    quefi_assert_text(uv, QUEFI_GLOBAL, "SecureBoot", QUEFI_BS_RT, "\1");
    status = query_status(uv);
    g_assert_false(qdict_get_bool(status, "setup-mode"));
    g_assert_true(qdict_get_bool(status, "secure-boot"));
    g_assert_cmpstr(qdict_get_str(status, "next-boot"), ==, "enabled");
    key = find_key(status, "PK");
    g_assert_false(qdict_get_bool(key, "damaged"));
    count = qobject_to(QDict, qlist_peek(qdict_get_qlist(key, "signatures")));
    g_assert_cmpstr(qdict_get_str(count, "type"), ==, "x509");
    g_assert_cmpint(qdict_get_int(count, "count"), ==, 1);
    cert = qobject_to(QDict, qlist_peek(qdict_get_qlist(key,
                                                        "certificates")));
    g_assert_cmpstr(qdict_get_str(cert, "owner"), ==,
                    "33333333-2222-1111-4444-555555555555");
    g_assert_nonnull(strstr(qdict_get_str(cert, "subject"), "CN=Test owner"));
    qobject_unref(status);

    /* Secure boot is off from the next boot on, and it is said why */
    host_set(uv, SBENABLE, "SecureBootEnable", "00");
    status = query_status(uv);
    g_assert_true(qdict_get_bool(status, "secure-boot"));
    g_assert_cmpstr(qdict_get_str(status, "next-boot"), ==, "disabled");
    qobject_unref(status);
    quefi_restart(uv);
    status = query_status(uv);
    g_assert_false(qdict_get_bool(status, "setup-mode"));
    g_assert_false(qdict_get_bool(status, "secure-boot"));
    qobject_unref(status);

    qtest_qmp_assert_success(uv->qts, "{'execute': 'uefi-vars-delete', "
                             "'arguments': {'guid': %s, 'name': 'PK', "
                             "'force': true}}", QUEFI_GLOBAL);
    status = query_status(uv);
    g_assert_true(qdict_get_bool(status, "setup-mode"));
    qobject_unref(status);
    stop(uv, path);
}

static void test_forced(void)
{
    QUefiVars *uv = quefi_start(dev, false, NULL, "force-secure-boot=on",
                                NULL);
    QDict *status;

    force_pk(uv);
    status = query_status(uv);
    g_assert_cmpstr(qdict_get_str(status, "next-boot"), ==, "forced");
    g_assert_false(qdict_haskey(status, "file"));
    qobject_unref(status);
    quefi_stop(uv);
}

/* ------------------------------------------------------------------------ */
/* Events */

/* Whatever else is waited for, these are noted: "A B", or "-A" for one gone */
static bool note_change(QTestState *qts, const char *name, QDict *event,
                        void *opaque)
{
    QDict *data = qdict_get_qdict(event, "data");
    GString *changes = opaque;

    if (strcmp(name, "UEFI_VARS_CHANGED")) {
        return false;
    }
    g_string_append_printf(changes, "%s%s%s", changes->len ? " " : "",
                           qdict_get_bool(data, "exists") ? "" : "-",
                           qdict_get_str(data, "name"));
    return true;
}

static GString *watch(QUefiVars *uv)
{
    GString *changes = g_string_new(NULL);

    qtest_qmp_set_event_callback(uv->qts, note_change, changes);
    return changes;
}

/* After an answer to a command, all events before it have been received */
static void assert_changed(QUefiVars *uv, GString *changes,
                           const char *expected)
{
    qobject_unref(query_status(uv));
    g_assert_cmpstr(changes->str, ==, expected);
    g_string_truncate(changes, 0);
}

static void set_boot_order(QUefiVars *uv, uint16_t first)
{
    uint16_t value = cpu_to_le16(first);

    g_assert_cmpint(quefi_set(uv, QUEFI_GLOBAL, "BootOrder", QUEFI_NV_BS_RT,
                              &value, sizeof(value)), ==, EFI_SUCCESS);
}

static void one_second(QUefiVars *uv)
{
    qtest_clock_step(uv->qts, 1100 * 1000 * 1000);
}

static void test_changed(void)
{
    QUefiVars *uv = start(NULL);
    g_autoptr(GString) changes = watch(uv);

    set_boot_order(uv, 1);
    assert_changed(uv, changes, "BootOrder");
    quefi_set_text(uv, QUEFI_VENDOR, "Other", QUEFI_NV_BS, "x");
    set_boot_order(uv, 1);
    assert_changed(uv, changes, "");

    /* Many changes in a second are one event, but each variable has its own */
    for (int i = 2; i < 50; i++) {
        set_boot_order(uv, i);
    }
    host_set(uv, QUEFI_GLOBAL, "BootNext", "0100");
    assert_changed(uv, changes, "BootNext");
    host_delete(uv, QUEFI_GLOBAL, "BootOrder");
    one_second(uv);
    assert_changed(uv, changes, "-BootOrder");
    one_second(uv);
    assert_changed(uv, changes, "");
    quefi_stop(uv);
}

static void test_changed_keys(void)
{
    char *path = quefi_tmp_path("vars.json");
    QUefiVars *uv = start(path);
    g_autoptr(GString) changes = watch(uv), again = NULL;

    force_pk(uv);
    assert_changed(uv, changes, "PK SetupMode SecureBoot SecureBootEnable");
    one_second(uv);
    quefi_reset(uv);
    assert_changed(uv, changes, "");
    quefi_restart(uv);
    again = watch(uv);
    assert_changed(uv, again, "");

    host_set(uv, SBENABLE, "SecureBootEnable", "00");
    assert_changed(uv, again, "SecureBootEnable");
    quefi_reset(uv);
    assert_changed(uv, again, "SecureBoot");
    stop(uv, path);
}

static void wait_migrated(QTestState *qts)
{
    bool done = false;

    while (!done) {
        QDict *info = qtest_qmp_assert_success_ref(qts, "{'execute': "
                                                   "'query-migrate'}");
        const char *status = qdict_get_try_str(info, "status");

        g_assert_cmpstr(status, !=, "failed");
        done = !g_strcmp0(status, "completed");
        qobject_unref(info);
        g_usleep(10000);
    }
}

/* For a guest that moves nothing changes */
static void test_changed_migration(void)
{
    char *path = quefi_tmp_path("vars.json");
    g_autofree char *stream = g_strconcat(path, ".stream", NULL);
    g_autofree char *uri = g_strconcat("file:", stream, NULL);
    QUefiVars *uv = start(path);
    g_autofree char *args = g_strconcat(uv->args, " -incoming defer", NULL);
    g_autoptr(GString) changes = NULL;

    force_pk(uv);
    qtest_qmp_assert_success(uv->qts, "{'execute': 'migrate', 'arguments': "
                             "{'uri': %s}}", uri);
    wait_migrated(uv->qts);
    qtest_quit(uv->qts);

    uv->qts = qtest_init(args);
    changes = watch(uv);
    qtest_qmp_assert_success(uv->qts, "{'execute': 'migrate-incoming', "
                             "'arguments': {'uri': %s}}", uri);
    wait_migrated(uv->qts);
    qtest_qmp_eventwait(uv->qts, "RESUME");
    assert_changed(uv, changes, "");
    /* From here on, what changes is told again */
    host_set(uv, SBENABLE, "SecureBootEnable", "00");
    assert_changed(uv, changes, "SecureBootEnable");
    unlink(stream);
    stop(uv, path);
}

static void limit_file_size(QUefiVars *uv, rlim_t size)
{
    struct rlimit limit;
    pid_t pid = qtest_pid(uv->qts);

    g_assert_cmpint(prlimit(pid, RLIMIT_FSIZE, NULL, &limit), ==, 0);
    limit.rlim_cur = MIN(size, limit.rlim_max);
    g_assert_cmpint(prlimit(pid, RLIMIT_FSIZE, &limit, NULL), ==, 0);
}

/* A file that cannot grow stands for a full disk */
static void test_save_failed(void)
{
    char *path = quefi_tmp_path("vars.json");
    QUefiVars *uv;
    QDict *event, *status, *failure;
    struct sigaction ignore = { .sa_handler = SIG_IGN }, before;
    struct stat st;

    /* QEMU inherits that it is told of the limit by an error, not a signal */
    sigaction(SIGXFSZ, &ignore, &before);
    uv = start(path);
    quefi_set_text(uv, QUEFI_VENDOR, "A", QUEFI_NV_BS, "old");
    g_assert_cmpint(stat(path, &st), ==, 0);
    limit_file_size(uv, st.st_size);
    g_assert_cmpint(quefi_set_text(uv, QUEFI_VENDOR, "A", QUEFI_NV_BS, "new"),
                    ==, EFI_OUT_OF_RESOURCES);
    quefi_assert_text(uv, QUEFI_VENDOR, "A", QUEFI_NV_BS, "old");
    event = qtest_qmp_eventwait_ref(uv->qts, "UEFI_VARS_SAVE_FAILED");
    g_assert_cmpstr(qdict_get_str(qdict_get_qdict(event, "data"), "file"),
                    ==, path);
    qobject_unref(event);

    /* The host has no more luck than the guest, and is told the reason */
    assert_error(qtest_qmp(uv->qts, "{'execute': 'uefi-vars-set', "
                           "'arguments': {'guid': %s, 'name': 'B', "
                           "'data': '00'}}", QUEFI_VENDOR), path);
    quefi_assert_none(uv, QUEFI_VENDOR, "B");
    status = query_status(uv);
    g_assert_null(qtest_qmp_event_ref(uv->qts, "UEFI_VARS_SAVE_FAILED"));
    failure = qdict_get_qdict(status, "failure");
    g_assert_nonnull(strstr(qdict_get_str(failure, "reason"), path));
    g_assert_cmpint(labs(time(NULL) - qdict_get_int(failure, "since")), <,
                    600);
    qobject_unref(status);

    limit_file_size(uv, RLIM_INFINITY);
    host_set(uv, QUEFI_VENDOR, "B", "00");
    qtest_qmp_eventwait(uv->qts, "UEFI_VARS_SAVE_RECOVERED");
    status = query_status(uv);
    g_assert_false(qdict_haskey(status, "failure"));
    qobject_unref(status);
    sigaction(SIGXFSZ, &before, NULL);
    stop(uv, path);
}

/* ------------------------------------------------------------------------ */
/* Many variables */

#define MANY    4000

static void write_many(const char *path)
{
    FILE *f = fopen(path, "w");

    g_assert_nonnull(f);
    fprintf(f, "{\"version\": 2, \"variables\": [\n");
    for (int i = 0; i < MANY; i++) {
        fprintf(f, "{\"name\": \"Variable%04d\", \"guid\": \"" QUEFI_VENDOR
                "\", \"attr\": 7, \"data\": \"%0600d\"}%s\n", i, 0,
                i < MANY - 1 ? "," : "");
    }
    fprintf(f, "]}\n");
    g_assert_cmpint(fclose(f), ==, 0);
}

/* Every answer is of limited size, and together they are complete */
static int walk_pages(QUefiVars *uv, bool data)
{
    int64_t got = 0, matches;
    int pages = 0;

    do {
        QDict *page = qtest_qmp_assert_success_ref(
            uv->qts, "{'execute': 'query-uefi-vars', 'arguments': "
            "{'guid': %s, 'data': %i, 'skip': %" PRId64 ", "
            "'limit': 5000}}", QUEFI_VENDOR, data, got);

        matches = qdict_get_int(page, "matches");
        g_assert_false(qlist_empty(qdict_get_qlist(page, "variables")));
        got += qlist_size(qdict_get_qlist(page, "variables"));
        qobject_unref(page);
        pages++;
    } while (got < matches);
    g_assert_cmpint(got, ==, MANY);
    return pages;
}

static void test_many(void)
{
    char *path = quefi_tmp_path("vars.json");
    QUefiVars *uv;
    QDict *page;

    write_many(path);
    uv = quefi_start(dev, false, path, "size=4M", NULL);
    page = qtest_qmp_assert_success_ref(uv->qts,
                                        "{'execute': 'query-uefi-vars'}");
    g_assert_cmpuint(qlist_size(qdict_get_qlist(page, "variables")), ==,
                     1000);
    g_assert_cmpint(qdict_get_int(page, "matches"), >=, MANY);
    qobject_unref(page);
    g_assert_cmpint(walk_pages(uv, false), ==, 1);
    /* 300 bytes each, 1 MiB on a page */
    g_assert_cmpint(walk_pages(uv, true), ==, 2);
    stop(uv, path);
}

/* ------------------------------------------------------------------------ */
/* HMP, and machines without a store */

static void assert_hmp(QTestState *qts, const char *command, const char *part)
{
    g_autofree char *text = qtest_hmp(qts, "%s", command);

    g_test_message("%s", text);
    g_assert_nonnull(strstr(text, part));
}

static void test_hmp_many(void)
{
    char *path = quefi_tmp_path("vars.json");
    QUefiVars *uv;

    write_many(path);
    uv = quefi_start(dev, false, path, "size=4M", NULL);
    assert_hmp(uv->qts, "info uefi-vars", "and 30");
    stop(uv, path);
}

static void test_hmp(void)
{
    char *path = quefi_tmp_path("vars.json");
    QUefiVars *uv = start(path);
    g_autofree char *text = NULL;

    quefi_set_text(uv, QUEFI_VENDOR, "Mine", QUEFI_NV_BS, "1234567");
    force_pk(uv);
    assert_hmp(uv->qts, "info uefi-vars",
               QUEFI_VENDOR " NV,BS             7 Mine");
    text = qtest_hmp(uv->qts, "info uefi-vars Mi*");
    g_assert_null(strstr(text, "SetupMode"));
    assert_hmp(uv->qts, "info uefi-vars-status", "on, with a platform key");
    assert_hmp(uv->qts, "info uefi-vars-status", "CN=Test owner");
    assert_hmp(uv->qts, "info uefi-vars-status", path);
    stop(uv, path);
}

static void test_no_store(void)
{
    QTestState *qts = qtest_init("-M none");

    assert_error(qtest_qmp(qts, "{'execute': 'query-uefi-vars'}"),
                 "no UEFI variable store");
    assert_error(qtest_qmp(qts, "{'execute': 'query-uefi-vars-status'}"),
                 "no UEFI variable store");
    assert_error(qtest_qmp(qts, "{'execute': 'uefi-vars-set', 'arguments': "
                           "{'guid': %s, 'name': 'A', 'data': '00'}}",
                           QUEFI_VENDOR), "no UEFI variable store");
    assert_error(qtest_qmp(qts, "{'execute': 'uefi-vars-delete', "
                           "'arguments': {'guid': %s, 'name': 'A'}}",
                           QUEFI_VENDOR), "no UEFI variable store");
    assert_hmp(qts, "info uefi-vars", "no UEFI variable store");
    assert_hmp(qts, "info uefi-vars-status", "no UEFI variable store");
    qtest_quit(qts);
}

/* The store is still to come, with the machine */
static void test_incoming(void)
{
    g_autofree char *args = quefi_device_args(dev, NULL);
    g_autofree char *all = g_strdup_printf("%s -incoming defer", args);
    QTestState *qts = qtest_init(all);

    assert_error(qtest_qmp(qts, "{'execute': 'uefi-vars-set', 'arguments': "
                           "{'guid': %s, 'name': 'A', 'data': '00'}}",
                           QUEFI_VENDOR), "migration");
    qtest_quit(qts);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < quefi_n_devices; i++) {
        const QUefiDevice *d = &quefi_devices[i];

        if (!strcmp(d->arch, qtest_get_arch()) && !d->is_global &&
            qtest_has_device(d->type)) {
            dev = d;
        }
    }
    /*
     * A module for a distribution's QEMU brings QMP along when it is loaded,
     * and no HMP.
     */
    if (!g_getenv("UEFI_VARS_MODULE")) {
        qtest_add_func("uefi-vars/monitor/no-store", test_no_store);
        if (dev) {
            qtest_add_func("uefi-vars/monitor/hmp", test_hmp);
            qtest_add_func("uefi-vars/monitor/hmp-many", test_hmp_many);
        }
    }
    if (dev) {
        qtest_add_func("uefi-vars/monitor/query", test_query);
        qtest_add_func("uefi-vars/monitor/query-runtime", test_query_runtime);
        qtest_add_func("uefi-vars/monitor/set", test_set);
        qtest_add_func("uefi-vars/monitor/os-indications",
                       test_os_indications);
        qtest_add_func("uefi-vars/monitor/refused", test_refused);
        qtest_add_func("uefi-vars/monitor/names", test_names);
        qtest_add_func("uefi-vars/monitor/status", test_status);
        qtest_add_func("uefi-vars/monitor/refused-writes",
                       test_refused_writes);
        qtest_add_func("uefi-vars/monitor/keys", test_keys);
        qtest_add_func("uefi-vars/monitor/forced", test_forced);
        qtest_add_func("uefi-vars/monitor/changed", test_changed);
        qtest_add_func("uefi-vars/monitor/changed-keys", test_changed_keys);
        qtest_add_func("uefi-vars/monitor/changed-migration",
                       test_changed_migration);
        qtest_add_func("uefi-vars/monitor/save-failed", test_save_failed);
        qtest_add_func("uefi-vars/monitor/many", test_many);
        qtest_add_func("uefi-vars/monitor/incoming", test_incoming);
    }
    return g_test_run();
}
