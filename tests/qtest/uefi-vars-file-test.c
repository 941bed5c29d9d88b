/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * QTest of the UEFI variable service: the store file, as QEMU handles it
 *
 * Numbers in the names of tests are sections of docs/specs/uefi-vars.rst.
 */

#include "qemu/osdep.h"
#include <sys/resource.h>
#include "qapi/error.h"
#include "qobject/qdict.h"
#include "qobject/qjson.h"
#include "qobject/qlist.h"
#include "libqtest.h"
#include "libqos/uefi-vars.h"

/* One device is enough: none of them knows about files */
static const QUefiDevice *dev;

/* Contents of a file, which may hold NUL */
static GBytes *read_file(const char *path)
{
    g_autoptr(GError) error = NULL;
    char *text;
    gsize size;

    g_file_get_contents(path, &text, &size, &error);
    g_assert_no_error(error);
    return g_bytes_new_take(text, size);
}

/* In place: g_file_set_contents() would make a new file */
static void write_file(const char *path, const void *data, size_t size)
{
    FILE *f = fopen(path, "w");

    g_assert_nonnull(f);
    g_assert_cmpint(fwrite(data, 1, size, f), ==, size);
    g_assert_cmpint(fclose(f), ==, 0);
}

static void assert_unchanged(const char *path, const void *data, size_t size)
{
    g_autoptr(GBytes) now = read_file(path);

    g_assert_cmpmem(g_bytes_get_data(now, NULL), g_bytes_get_size(now),
                    data, size);
}

static QUefiVars *start(const char *path)
{
    return quefi_start(dev, false, path, NULL, NULL);
}

static void assert_set(QUefiVars *uv, const char *name, uint32_t attributes,
                       const char *text)
{
    g_assert_cmpint(quefi_set_text(uv, QUEFI_VENDOR, name, attributes, text),
                    ==, EFI_SUCCESS);
}

/* The variables in the file, which must be a version-2 document by now */
static QList *read_variables(const char *path, QDict **document)
{
    g_autoptr(GBytes) bytes = read_file(path);
    g_autofree char *text = g_strndup(g_bytes_get_data(bytes, NULL),
                                      g_bytes_get_size(bytes));

    *document = qobject_to(QDict, qobject_from_json(text, &error_abort));
    g_assert_nonnull(*document);
    g_assert_cmpint(qdict_get_int(*document, "version"), ==, 2);
    return qdict_get_qlist(*document, "variables");
}

static QDict *find_variable(QList *list, const char *guid, const char *name)
{
    const QListEntry *entry;

    QLIST_FOREACH_ENTRY(list, entry) {
        QDict *var = qobject_to(QDict, qlist_entry_obj(entry));

        if (!strcmp(qdict_get_str(var, "name"), name) &&
            !strcmp(qdict_get_str(var, "guid"), guid)) {
            return var;
        }
    }
    return NULL;
}

/* ------------------------------------------------------------------------ */
/* The file itself */

static void test_created(void)
{
    char *path = quefi_tmp_path("vars.json");
    mode_t mask = umask(0);
    QUefiVars *uv = start(path);
    struct stat st;

    assert_set(uv, "A", QUEFI_NV_BS, "a");
    quefi_stop(uv);
    umask(mask);
    g_assert_cmpint(stat(path, &st), ==, 0);
    g_assert_cmphex(st.st_mode & 07777, ==, 0600);
    quefi_tmp_free(path);
}

/* One file from the beginning to the end, whoever made it */
static void test_inode(void)
{
    char *path = quefi_tmp_path("vars.json");
    struct stat before, after;
    QUefiVars *uv;

    write_file(path, "", 0);
    g_assert_cmpint(chmod(path, 0640), ==, 0);
    g_assert_cmpint(stat(path, &before), ==, 0);

    uv = start(path);
    assert_set(uv, "A", QUEFI_NV_BS, "a");
    quefi_restart(uv);
    quefi_assert_text(uv, QUEFI_VENDOR, "A", QUEFI_NV_BS, "a");
    assert_set(uv, "A", QUEFI_NV_BS, "longer than before");
    assert_set(uv, "A", 0, "");
    quefi_reset(uv);
    quefi_stop(uv);

    g_assert_cmpint(stat(path, &after), ==, 0);
    g_assert_cmpint(before.st_ino, ==, after.st_ino);
    g_assert_cmphex(after.st_mode & 07777, ==, 0640);
    /* No companion: the directory can be removed with this one file */
    quefi_tmp_free(path);
}

static void test_text(void)
{
    char *path = quefi_tmp_path("vars.json");
    QUefiVars *uv = start(path);
    QDict *document, *var;
    QList *list;

    assert_set(uv, "Größe", QUEFI_NV_BS_RT, "\x01\xff");
    assert_set(uv, "Volatile", QUEFI_BS_RT, "v");
    quefi_stop(uv);

    list = read_variables(path, &document);
    var = find_variable(list, QUEFI_VENDOR, "Größe");
    g_assert_nonnull(var);
    g_assert_cmpint(qdict_get_int(var, "attr"), ==, 7);
    g_assert_cmpstr(qdict_get_str(var, "data"), ==, "01ff");
    g_assert_false(qdict_haskey(var, "time"));
    g_assert_null(find_variable(list, QUEFI_VENDOR, "Volatile"));
    qobject_unref(document);
    quefi_tmp_free(path);
}

/* 9.1: no rewriting when nothing non-volatile has changed */
static void test_untouched(void)
{
    char *path = quefi_tmp_path("vars.json");
    QUefiVars *uv = start(path);
    g_autoptr(GBytes) before = NULL;
    struct stat st1, st2;

    assert_set(uv, "A", QUEFI_NV_BS, "a");
    assert_set(uv, "B", QUEFI_NV_BS, "b");
    quefi_stop(uv);
    before = read_file(path);
    g_assert_cmpint(stat(path, &st1), ==, 0);

    uv = start(path);
    assert_set(uv, "A", QUEFI_NV_BS, "a");
    assert_set(uv, "Volatile", QUEFI_BS_RT, "v");
    quefi_reset(uv);
    quefi_stop(uv);
    assert_unchanged(path, g_bytes_get_data(before, NULL),
                     g_bytes_get_size(before));
    g_assert_cmpint(stat(path, &st2), ==, 0);
    g_assert_cmpint(st1.st_mtim.tv_sec, ==, st2.st_mtim.tv_sec);
    g_assert_cmpint(st1.st_mtim.tv_nsec, ==, st2.st_mtim.tv_nsec);
    quefi_tmp_free(path);
}

/* 9.3: stopping writes nothing, for what was acknowledged is there */
static void test_stop(void)
{
    char *path = quefi_tmp_path("vars.json");
    QUefiVars *uv = start(path);

    for (int i = 0; i < 3; i++) {
        g_autofree char *name = g_strdup_printf("Stop%d", i);
        g_autoptr(GBytes) before = NULL;

        assert_set(uv, name, QUEFI_NV_BS, name);
        before = read_file(path);
        qtest_qmp_assert_success(uv->qts, "{'execute': 'stop'}");
        qtest_qmp_eventwait(uv->qts, "STOP");
        assert_unchanged(path, g_bytes_get_data(before, NULL),
                         g_bytes_get_size(before));
        qtest_qmp_assert_success(uv->qts, "{'execute': 'cont'}");
        qtest_qmp_eventwait(uv->qts, "RESUME");
    }
    quefi_crash(uv);
    quefi_assert_text(uv, QUEFI_VENDOR, "Stop2", QUEFI_NV_BS, "Stop2");
    quefi_stop(uv);
    quefi_tmp_free(path);
}

/* When QEMU has ended other programs can read the file */
static void test_exit(void)
{
    char *path = quefi_tmp_path("vars.json");
    QUefiVars *uv = start(path);
    QDict *document;

    assert_set(uv, "A", QUEFI_NV_BS, "a");
    quefi_stop(uv);
    g_assert_nonnull(find_variable(read_variables(path, &document),
                                   QUEFI_VENDOR, "A"));
    qobject_unref(document);
    quefi_tmp_free(path);
}

/* A save that fails is said to the guest, and changes nothing (10) */
static void test_full(void)
{
    const struct sigaction ignore = { .sa_handler = SIG_IGN };
    char *path = quefi_tmp_path("vars.json");
    g_autofree char *text = NULL;
    QUefiVars *uv;
    struct rlimit limit;
    struct stat st;
    EfiStatus status;

    /* QEMU inherits that, and sees EFBIG from write() instead */
    g_assert_cmpint(sigaction(SIGXFSZ, &ignore, NULL), ==, 0);
    uv = start(path);
    assert_set(uv, "A", QUEFI_NV_BS, "kept");
    g_assert_cmpint(stat(path, &st), ==, 0);
    /* QEMU may not make files larger than this one is by now */
    g_assert_cmpint(prlimit(qtest_pid(uv->qts), RLIMIT_FSIZE, NULL, &limit),
                    ==, 0);
    limit.rlim_cur = st.st_size + 16;
    g_assert_cmpint(prlimit(qtest_pid(uv->qts), RLIMIT_FSIZE, &limit, NULL),
                    ==, 0);
    text = g_strnfill(3000, 'x');
    status = quefi_set_text(uv, QUEFI_VENDOR, "A", QUEFI_NV_BS, text);
    g_assert_true(status == EFI_DEVICE_ERROR ||
                  status == EFI_OUT_OF_RESOURCES);
    quefi_assert_text(uv, QUEFI_VENDOR, "A", QUEFI_NV_BS, "kept");

    limit.rlim_cur = limit.rlim_max;
    g_assert_cmpint(prlimit(qtest_pid(uv->qts), RLIMIT_FSIZE, &limit, NULL),
                    ==, 0);
    assert_set(uv, "A", QUEFI_NV_BS, "there is room again");
    quefi_crash(uv);
    quefi_assert_text(uv, QUEFI_VENDOR, "A", QUEFI_NV_BS,
                      "there is room again");
    quefi_stop(uv);
    quefi_tmp_free(path);
}

/* Managers pass descriptors instead of names */
static void test_fdset(void)
{
    char *path = quefi_tmp_path("vars.json");
    g_autofree char *args = NULL;
    QUefiVars *uv;
    int fd = open(path, O_RDWR | O_CREAT, 0600);

    g_assert_cmpint(fd, >=, 0);
    args = g_strdup_printf("-add-fd fd=%d,set=7", fd);
    uv = quefi_start(dev, false, "/dev/fdset/7", NULL, args);
    assert_set(uv, "A", QUEFI_NV_BS, "through a descriptor");
    quefi_stop(uv);
    close(fd);

    uv = start(path);
    quefi_assert_text(uv, QUEFI_VENDOR, "A", QUEFI_NV_BS,
                      "through a descriptor");
    quefi_stop(uv);
    quefi_tmp_free(path);
}

static void test_none(void)
{
    QUefiVars *uv = start(NULL);

    assert_set(uv, "A", QUEFI_NV_BS, "a");
    quefi_reset(uv);
    quefi_assert_text(uv, QUEFI_VENDOR, "A", QUEFI_NV_BS, "a");
    quefi_restart(uv);
    quefi_assert_none(uv, QUEFI_VENDOR, "A");
    quefi_stop(uv);
}

/* QEMU must refuse @path with one line that names it and @reason */
static void assert_refused(const char *path, const char *reason)
{
    g_autofree char *props = g_strdup_printf("jsonfile=%s,use-pio=off", path);
    g_autofree char *args = quefi_device_args(dev, props);
    g_autofree char *err = quefi_refused(args);
    const char *message = g_strrstr(err, "use-pio=off");

    g_test_message("%s", err);
    g_assert_nonnull(message);
    g_assert_nonnull(strstr(message, path));
    g_assert_nonnull(strstr(message, reason));
    g_assert_true(strchr(err, '\n') == err + strlen(err) - 1);
}

static void test_second_user(void)
{
    char *path = quefi_tmp_path("vars.json");
    QUefiVars *uv = start(path);
    g_autoptr(GBytes) before = NULL;

    assert_set(uv, "A", QUEFI_NV_BS, "a");
    before = read_file(path);
    assert_refused(path, "use");
    assert_unchanged(path, g_bytes_get_data(before, NULL),
                     g_bytes_get_size(before));
    quefi_restart(uv);
    quefi_assert_text(uv, QUEFI_VENDOR, "A", QUEFI_NV_BS, "a");
    quefi_stop(uv);
    quefi_tmp_free(path);
}

static void test_not_a_file(void)
{
    char *path = quefi_tmp_path("vars.json");

    g_assert_cmpint(mkdir(path, 0700), ==, 0);
    assert_refused(path, "");
    g_assert_cmpint(rmdir(path), ==, 0);
    quefi_tmp_free(path);
}

/* ------------------------------------------------------------------------ */
/* Files of others */

#define ENTRY(rest) \
    "{\"name\": \"A\", \"guid\": \"" QUEFI_VENDOR "\", " rest "}"
#define DOCUMENT(entries) \
    "{\"version\": 2, \"variables\": [" entries "]}"

static void test_foreign(void)
{
    static const char *const files[] = {
        DOCUMENT(ENTRY("\"attr\": 3, \"data\": \"6f6b\"")),
        /* order of keys, case of digits, white space, keys of others */
        "\n { \"variables\" : [\n{\"data\":\"6F6B\",\"attr\":3,\"guid\":"
        "\"" QUEFI_VENDOR "\",\"name\":\"A\",\"origin\":\"me\"}\n],"
        "\"version\":2, \"comment\": [1, {\"x\": null}] }\n",
        /* append is no attribute of a variable, but it has been written */
        DOCUMENT(ENTRY("\"attr\": 67, \"data\": \"6f6b\"")),
        DOCUMENT("{\"name\": \"\\u0041\", \"guid\": "
                 "\"11111111-2222-3333-4444-555555555555\", \"attr\": 3, "
                 "\"data\": \"6f6b\"}"),
    };

    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        char *path = quefi_tmp_path("vars.json");
        QUefiVars *uv;

        write_file(path, files[i], strlen(files[i]));
        uv = start(path);
        quefi_assert_text(uv, QUEFI_VENDOR, "A", QUEFI_NV_BS, "ok");
        assert_set(uv, "B", QUEFI_NV_BS, "b");
        quefi_restart(uv);
        quefi_assert_text(uv, QUEFI_VENDOR, "A", QUEFI_NV_BS, "ok");
        quefi_assert_text(uv, QUEFI_VENDOR, "B", QUEFI_NV_BS, "b");
        quefi_stop(uv);
        quefi_tmp_free(path);
    }
}

/* Both names of the time are read, and one is written */
static void test_time(void)
{
    static const char *const keys[] = { "time", "timestamp" };
    static const char time[] = "e8070102030405000000000000000000";

    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        char *path = quefi_tmp_path("vars.json");
        g_autofree char *text = g_strdup_printf(
            DOCUMENT(ENTRY("\"attr\": 39, \"data\": \"6f6b\", "
                           "\"%s\": \"%s\"")), keys[i], time);
        QUefiVars *uv;
        QDict *document, *var;

        write_file(path, text, strlen(text));
        uv = start(path);
        quefi_assert_text(uv, QUEFI_VENDOR, "A",
                          QUEFI_NV_BS_RT | EFI_ATTR_AT, "ok");
        assert_set(uv, "B", QUEFI_NV_BS, "b");
        quefi_stop(uv);

        var = find_variable(read_variables(path, &document), QUEFI_VENDOR,
                            "A");
        g_assert_nonnull(var);
        g_assert_cmpstr(qdict_get_str(var, "time"), ==, time);
        qobject_unref(document);
        quefi_tmp_free(path);
    }
}

static void test_order(void)
{
    char *path = quefi_tmp_path("vars.json");
    QUefiVars *uv = start(path);
    g_autofree char *before = NULL, *after = NULL;

    for (int i = 0; i < 40; i++) {
        g_autofree char *name = g_strdup_printf("Variable%d", i * 7 % 40);

        assert_set(uv, name, QUEFI_NV_BS_RT, name);
    }
    assert_set(uv, "Variable5", QUEFI_NV_BS_RT, "moved to the end");
    assert_set(uv, "Variable6", 0, "");
    before = quefi_list(uv, QUEFI_VENDOR);
    g_assert_true(g_str_has_suffix(before, " Variable33 Variable5"));
    quefi_restart(uv);
    after = quefi_list(uv, QUEFI_VENDOR);
    g_assert_cmpstr(before, ==, after);
    quefi_stop(uv);
    quefi_tmp_free(path);
}

/* ------------------------------------------------------------------------ */
/* Damage */

static const struct {
    const char *text;
    const char *reason;     /* part of the message */
} damaged[] = {
    { " ", "" },
    { "\n\n", "" },
    { "{", "" },
    { "null", "" },
    { "[]", "" },
    { "{}", "version" },
    { "{\"version\": 2}", "variables" },
    { "{\"version\": 1, \"variables\": []}", "version" },
    { "{\"version\": 3, \"variables\": []}", "version" },
    { "{\"version\": \"2\", \"variables\": []}", "version" },
    { "{\"version\": 2, \"variables\": {}}", "variables" },
    { "{\"version\": 2, \"variables\": [1]}", "" },
    { DOCUMENT("") "x", "" },
    { DOCUMENT("") DOCUMENT(""), "" },
    { DOCUMENT(ENTRY("\"attr\": 3, \"data\": \"6f6b\"") ","), "" },
    { DOCUMENT(ENTRY("\"attr\": 3")), "data" },
    { DOCUMENT(ENTRY("\"data\": \"00\"")), "attr" },
    { DOCUMENT(ENTRY("\"attr\": \"3\", \"data\": \"00\"")), "attr" },
    { DOCUMENT(ENTRY("\"attr\": -1, \"data\": \"00\"")), "attr" },
    { DOCUMENT(ENTRY("\"attr\": 4294967299, \"data\": \"00\"")), "attr" },
    { DOCUMENT(ENTRY("\"attr\": 2, \"data\": \"00\"")), "A" },
    { DOCUMENT(ENTRY("\"attr\": 3, \"data\": \"\"")), "data" },
    { DOCUMENT(ENTRY("\"attr\": 3, \"data\": \"0\"")), "data" },
    { DOCUMENT(ENTRY("\"attr\": 3, \"data\": \"0g\"")), "data" },
    { DOCUMENT(ENTRY("\"attr\": 3, \"data\": 0")), "data" },
    { DOCUMENT(ENTRY("\"attr\": 39, \"data\": \"00\", \"time\": \"00\"")),
      "time" },
    { DOCUMENT(ENTRY("\"attr\": 39, \"data\": \"00\", \"time\": "
                     "\"zz000000000000000000000000000000\"")), "time" },
    { DOCUMENT(ENTRY("\"attr\": 39, \"data\": \"00\", \"digest\": \"0\"")),
      "digest" },
    { DOCUMENT("{\"name\": \"\", \"guid\": \"" QUEFI_VENDOR "\", "
               "\"attr\": 3, \"data\": \"00\"}"), "name" },
    { DOCUMENT("{\"name\": \"A\\u0000B\", \"guid\": \"" QUEFI_VENDOR "\", "
               "\"attr\": 3, \"data\": \"00\"}"), "" },
    { DOCUMENT("{\"guid\": \"" QUEFI_VENDOR "\", "
               "\"attr\": 3, \"data\": \"00\"}"), "name" },
    { DOCUMENT("{\"name\": \"A\", \"attr\": 3, \"data\": \"00\"}"), "guid" },
    { DOCUMENT("{\"name\": \"A\", \"guid\": \"1111\", \"attr\": 3, "
               "\"data\": \"00\"}"), "guid" },
    { DOCUMENT("{\"name\": \"A\", \"guid\": "
               "\"11111111-2222-3333-4444-55555555555g\", \"attr\": 3, "
               "\"data\": \"00\"}"), "guid" },
    { DOCUMENT(ENTRY("\"attr\": 3, \"data\": \"00\"") ","
               ENTRY("\"attr\": 3, \"data\": \"01\"")), "A" },
};

static void assert_damage(const void *data, size_t size, const char *reason)
{
    char *path = quefi_tmp_path("vars.json");

    g_test_message("%.*s", (int)size, (const char *)data);
    write_file(path, data, size);
    assert_refused(path, reason);
    assert_unchanged(path, data, size);
    quefi_tmp_free(path);
}

static void test_damaged(void)
{
    static const char zeroes[4096];

    for (size_t i = 0; i < ARRAY_SIZE(damaged); i++) {
        assert_damage(damaged[i].text, strlen(damaged[i].text),
                      damaged[i].reason);
    }
    /* What some file systems leave of a file after a loss of power */
    assert_damage(zeroes, sizeof(zeroes), "");
    assert_damage("\x7f" "ELF", 4, "");
    assert_damage("{\"version\": 2, \"variables\": [\xff]}", 31, "");
}

/* A good file, cut anywhere, is never taken for a store */
static void test_cut(void)
{
    static const char text[] = DOCUMENT(ENTRY("\"attr\": 3, \"data\": "
                                              "\"6f6b\""));

    for (size_t size = 1; size < strlen(text); size += 9) {
        assert_damage(text, size, "");
    }
    assert_damage(text, strlen(text) - 1, "");
}

static void test_too_large(void)
{
    char *path = quefi_tmp_path("vars.json");
    g_autofree char *hex = g_strnfill(2 * 5000, '7');
    g_autofree char *text = g_strdup_printf(
        DOCUMENT(ENTRY("\"attr\": 3, \"data\": \"%s\"")), hex);
    g_autofree char *props = g_strdup_printf("jsonfile=%s,size=4096", path);
    g_autofree char *args = quefi_device_args(dev, props);
    g_autofree char *err = NULL;

    write_file(path, text, strlen(text));
    err = quefi_refused(args);
    g_assert_nonnull(strstr(err, "size"));
    assert_unchanged(path, text, strlen(text));
    quefi_tmp_free(path);
}

/* The journal of a guest that never pauses is folded between its writes. */
static void test_busy(void)
{
    char *path = quefi_tmp_path("vars.json");
    QUefiVars *uv = start(path);
    g_autofree char *value = NULL;
    gint64 begin = g_get_monotonic_time();
    struct stat st = { };
    off_t before;
    int i = 0;

    do {
        g_assert_cmpint(g_get_monotonic_time() - begin, <,
                        60 * G_USEC_PER_SEC);
        g_free(value);
        value = g_strdup_printf("%01000d", i++);
        assert_set(uv, "A", QUEFI_NV_BS, value);
        before = st.st_size;
        g_assert_cmpint(stat(path, &st), ==, 0);
    } while (st.st_size >= before);
    g_assert_cmpint(before, >, 256 * 1024);
    quefi_crash(uv);
    quefi_assert_text(uv, QUEFI_VENDOR, "A", QUEFI_NV_BS, value);
    quefi_stop(uv);
    quefi_tmp_free(path);
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
    if (dev) {
        qtest_add_func("uefi-vars/file/created", test_created);
        qtest_add_func("uefi-vars/file/inode", test_inode);
        qtest_add_func("uefi-vars/file/10/text", test_text);
        qtest_add_func("uefi-vars/file/10/time", test_time);
        qtest_add_func("uefi-vars/file/10/foreign", test_foreign);
        qtest_add_func("uefi-vars/file/10/damaged", test_damaged);
        qtest_add_func("uefi-vars/file/10/cut", test_cut);
        qtest_add_func("uefi-vars/file/10/too-large", test_too_large);
        qtest_add_func("uefi-vars/file/8/order", test_order);
        qtest_add_func("uefi-vars/file/9.1/untouched", test_untouched);
        qtest_add_func("uefi-vars/file/9.3/stop", test_stop);
        qtest_add_func("uefi-vars/file/9.3/exit", test_exit);
        qtest_add_func("uefi-vars/file/10/full", test_full);
        qtest_add_func("uefi-vars/file/busy", test_busy);
        qtest_add_func("uefi-vars/file/fdset", test_fdset);
        qtest_add_func("uefi-vars/file/none", test_none);
        qtest_add_func("uefi-vars/file/second-user", test_second_user);
        qtest_add_func("uefi-vars/file/not-a-file", test_not_a_file);
    }
    return g_test_run();
}
