/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: enrol and remove keys
 *
 * The core changes its store in memory, by the rules for an administrator of
 * the host, one variable after the other; the file is written once, at the
 * end, or not at all.
 */

#include "qemu/osdep.h"
#include "tool.h"
#include "hw/uefi/var-service-secureboot.h"
#include "hw/uefi/var-service-siglist.h"

static const uint32_t key_attributes =
    EFI_ATTR_NV | EFI_ATTR_BS | EFI_ATTR_RT | EFI_ATTR_AT;

/*
 * The order in which keys are written: PK is the last one, as it ends setup
 * mode, and with that the freedom to write the others.
 */
enum { KEY_DBX, KEY_DB, KEY_KEK, KEY_PK, KEY__MAX };

static const struct {
    const char *name;
    const UefiGuid *guid;
    bool generated;
} keys[KEY__MAX] = {
    [KEY_DBX] = { "dbx", &uefi_guid_image_security, false },
    [KEY_DB] = { "db", &uefi_guid_image_security, true },
    [KEY_KEK] = { "KEK", &uefi_guid_global, true },
    [KEY_PK] = { "PK", &uefi_guid_global, true },
};

/* What to enrol; all zero is nothing */
typedef struct Enrolment {
    GByteArray *lists[KEY__MAX];    /* NULL: leave that key alone */
    UefiTime time[KEY__MAX];
    ToolKeyPair pair[KEY__MAX];     /* generated */
} Enrolment;

static char **opt_files[KEY__MAX];
static char *opt_generate;
static gboolean opt_append;

static void enrolment_free(Enrolment *e)
{
    for (int id = 0; id < KEY__MAX; id++) {
        g_clear_pointer(&e->lists[id], g_byte_array_unref);
        tool_key_pair_clear(&e->pair[id]);
    }
    g_free(e);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Enrolment, enrolment_free)

static const UefiVariable *find_key(const ToolStore *s, const char *name,
                                    const UefiGuid *guid)
{
    return uefi_store_find_ascii(s->uv->store, UEFI_VIEW_BOOT, guid, name);
}

/* ------------------------------------------------------------------------ */
/* What to enrol */

static bool generate(Enrolment *e, int id)
{
    g_autofree char *cn = g_strdup_printf("%s %s", opt_generate,
                                          keys[id].name);
    g_autoptr(GPtrArray) ders = NULL;

    if (!tool_generate(cn, &e->pair[id])) {
        return false;
    }
    ders = tool_certificates(e->pair[id].cert, cn);
    if (!ders) {
        return false;
    }
    tool_add_certificate(e->lists[id], ders->pdata[0],
                         &tool_options.owner);
    e->time[id] = tool_now();
    return true;
}

static bool collect(Enrolment *e, int id)
{
    bool own = opt_generate && keys[id].generated;

    if (!opt_files[id] && !own) {
        return true;
    }
    e->lists[id] = g_byte_array_new();
    if (own && !generate(e, id)) {
        return false;
    }
    for (char **path = opt_files[id]; path && *path; path++) {
        if (!tool_read_keys(e->lists[id], *path, &tool_options.owner,
                            &e->time[id])) {
            return false;
        }
    }
    if (!e->lists[id]->len) {
        tool_fail("there is nothing to enrol in %s; 'rm' removes a variable",
                  keys[id].name);
        return false;
    }
    return true;
}

/* ------------------------------------------------------------------------ */
/* Enrol */

/* Put what is new in @lists behind what is enrolled already */
static UefiReason append(GByteArray *lists, const UefiVariable *old)
{
    g_autoptr(GBytes) fresh = NULL;
    UefiReason reason;
    gsize size;
    const void *data;

    fresh = uefi_siglist_new_only(old->data, lists->data, lists->len, &reason);
    if (!fresh) {
        return reason;
    }
    g_byte_array_set_size(lists, 0);
    data = g_bytes_get_data(old->data, &size);
    g_byte_array_append(lists, data, size);
    data = g_bytes_get_data(fresh, &size);
    g_byte_array_append(lists, data, size);
    return UEFI_REASON_OK;
}

/* Time never goes back, so that no older update can be played again. */
static void put_time(ToolStore *s, int id, const UefiTime *time)
{
    g_autoptr(UefiVarChange) change = uefi_var_change_new();
    const UefiVariable *now = find_key(s, keys[id].name, keys[id].guid);
    UefiVariable *var;

    if (uefi_time_compare(&now->time, time) >= 0) {
        return;
    }
    var = uefi_variable_new(&now->guid, now->name, now->attributes,
                            g_bytes_ref(now->data));
    var->time = *time;
    uefi_var_change_add(change, var);
    uefi_store_apply(s->uv->store, change);
}

static UefiReason enroll_key(ToolStore *s, Enrolment *e, int id)
{
    const UefiVariable *old = find_key(s, keys[id].name, keys[id].guid);
    g_autofree uint16_t *name = uefi_str_from_ascii(keys[id].name);
    GByteArray *lists = e->lists[id];
    UefiReason reason = UEFI_REASON_OK;

    if (old && opt_append) {
        reason = append(lists, old);
    }
    if (reason == UEFI_REASON_OK) {
        reason = uefi_vars_host_set(s->uv, keys[id].guid, name, key_attributes,
                                    lists->data, lists->len, true);
    }
    if (reason == UEFI_REASON_OK) {
        put_time(s, id, &e->time[id]);
    }
    return reason;
}

/* ------------------------------------------------------------------------ */
/* Keys of one's own stand beside the store. */

static bool write_new(const char *path, GBytes *content, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    FILE *out = fd < 0 ? NULL : fdopen(fd, "wb");
    gsize size;
    const void *data = g_bytes_get_data(content, &size);
    bool ok;

    if (!out) {
        tool_fail("%s: %s", path, g_strerror(errno));
        return false;
    }
    ok = fwrite(data, 1, size, out) == size && !fflush(out) && !fsync(fd);
    ok = !fclose(out) && ok;
    if (!ok) {
        tool_fail("%s: %s", path, g_strerror(errno));
        unlink(path);
    }
    return ok;
}

/* @written: gets the path of each file that is there afterwards */
static bool write_pair(const char *store, const char *name,
                       const ToolKeyPair *pair, GPtrArray *written)
{
    char *key = g_strdup_printf("%s.%s.key", store, name);
    char *cert = g_strdup_printf("%s.%s.crt", store, name);
    bool ok = write_new(key, pair->key, 0600);

    if (ok) {
        g_ptr_array_add(written, g_steal_pointer(&key));
        ok = write_new(cert, pair->cert, 0600);
    }
    if (ok) {
        g_ptr_array_add(written, g_steal_pointer(&cert));
    }
    g_free(key);
    g_free(cert);
    return ok;
}

static bool write_pairs(const char *store, const Enrolment *e,
                        GPtrArray *written)
{
    for (int id = 0; id < KEY__MAX; id++) {
        if (e->pair[id].key &&
            !write_pair(store, keys[id].name, &e->pair[id], written)) {
            return false;
        }
    }
    if (written->len) {
        uefi_var_file_sync_parent(store);
    }
    return true;
}

/* The keys first: a store that trusts a key which is lost is of no use. */
static bool write_all(ToolStore *s, const Enrolment *e)
{
    g_autoptr(GPtrArray) written = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) err = NULL;
    bool ok = write_pairs(s->path, e, written);

    if (ok && !tool_store_fold(s, &err)) {
        tool_fail("%s", err->message);
        ok = false;
    }
    for (guint i = 0; !ok && i < written->len; i++) {
        unlink(written->pdata[i]);
    }
    return ok;
}

static bool enroll(ToolStore *s, Enrolment *e)
{
    tool_configure(s);
    uefi_secureboot_follow(s->uv);
    for (int id = 0; id < KEY__MAX; id++) {
        UefiReason reason = e->lists[id] ? enroll_key(s, e, id)
                                         : UEFI_REASON_OK;

        if (reason != UEFI_REASON_OK) {
            tool_fail("%s is refused: %s", keys[id].name,
                      uefi_reason_text(reason));
            return false;
        }
    }
    return write_all(s, e);
}

/* ------------------------------------------------------------------------ */

static int check_usage(void)
{
    bool any = opt_generate;

    for (int id = 0; id < KEY__MAX; id++) {
        any = any || opt_files[id];
    }
    if (!any) {
        return tool_usage("nothing to enrol; use --pk, --kek, --db, --dbx or "
                     "--generate");
    }
    if (opt_generate && opt_files[KEY_PK]) {
        return tool_usage("there is one PK only: --pk or --generate");
    }
    /* with " KEK" behind it, at most 64 characters (RFC 5280) */
    if (opt_generate && (!*opt_generate || strlen(opt_generate) > 60 ||
                         !g_utf8_validate(opt_generate, -1, NULL))) {
        return tool_usage("--generate takes a name of 1 to 60 bytes");
    }
    return TOOL_OK;
}

static int run_enroll(char **args)
{
    g_autoptr(Enrolment) e = g_new0(Enrolment, 1);
    g_autoptr(ToolStore) s = NULL;
    int status = check_usage();

    if (status != TOOL_OK) {
        return status;
    }
    s = tool_open(args[0], TOOL_CREATE);
    if (!s) {
        return TOOL_FAILED;
    }
    for (int id = 0; id < KEY__MAX; id++) {
        if (!collect(e, id)) {
            return TOOL_FAILED;
        }
    }
    return enroll(s, e) ? TOOL_OK : TOOL_FAILED;
}

static const GOptionEntry enroll_options[] = {
    { "pk", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &opt_files[KEY_PK],
      "The platform key: a certificate (PEM, DER), an ESL or .auth file",
      "PATH" },
    { "kek", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &opt_files[KEY_KEK],
      "Who may update db and dbx; each of these can be repeated", "PATH" },
    { "db", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &opt_files[KEY_DB],
      "What may boot", "PATH" },
    { "dbx", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &opt_files[KEY_DBX],
      "What may not", "PATH" },
    /* as typed, whatever the locale */
    { "generate", 0, 0, G_OPTION_ARG_FILENAME, &opt_generate,
      "Make keys for PK, KEK and db, and write them beside FILE", "CN" },
    { "append", 'a', 0, G_OPTION_ARG_NONE, &opt_append,
      "Keep what is enrolled, and add what is new", NULL },
    TOOL_OPTION_OWNER,
    TOOL_OPTION_SIZE, TOOL_OPTION_HWERR_QUOTA,
    { }
};

const ToolCommand tool_cmd_enroll = {
    .name = "enroll",
    .arguments = "FILE",
    .summary = "Enrol keys for secure boot, all or none.",
    .options = enroll_options,
    .min_args = 1,
    .max_args = 1,
    .run = run_enroll,
};
