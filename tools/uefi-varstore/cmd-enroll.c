/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: enrol keys, or remove some of them
 */

#include "qemu/osdep.h"
#include "tool.h"
#include "hw/uefi/var-service-posix.h"
#include "hw/uefi/var-service-secureboot.h"

/* What to enrol; all zero is nothing */
typedef struct Enrolment {
    GByteArray *lists[TOOL_KEY__MAX];   /* NULL: leave that key alone */
    UefiTime time[TOOL_KEY__MAX];
    ToolKeyPair pair[TOOL_KEY__MAX];    /* generated */
    GBytes *replaced[TOOL_KEY__MAX];    /* values of before, or NULL */
} Enrolment;

static char **opt_files[TOOL_KEY__MAX];
static char **opt_images[TOOL_KEY__MAX];
static char *opt_generate;
static gboolean opt_append;
static gboolean opt_replace;
static gboolean opt_remove;

static void enrolment_free(Enrolment *e)
{
    for (int id = 0; id < TOOL_KEY__MAX; id++) {
        g_clear_pointer(&e->lists[id], g_byte_array_unref);
        tool_key_pair_clear(&e->pair[id]);
        g_clear_pointer(&e->replaced[id], g_bytes_unref);
    }
    g_free(e);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Enrolment, enrolment_free)

/* ------------------------------------------------------------------------ */
/* What to enrol */

static bool generate(Enrolment *e, int id)
{
    g_autofree char *cn = g_strdup_printf("%s %s", opt_generate,
                                          tool_keys[id].name);
    g_autoptr(GPtrArray) ders = NULL;

    if (!tool_generate(cn, &e->pair[id])) {
        return false;
    }
    ders = tool_certificates(e->pair[id].cert, cn);
    if (!ders) {
        return false;
    }
    tool_add_certificate(e->lists[id], ders->pdata[0], &tool_options.owner);
    e->time[id] = tool_now();
    return true;
}

static bool collect_files(Enrolment *e, int id)
{
    for (char **path = opt_files[id]; path && *path; path++) {
        if (opt_remove && tool_add_digest(e->lists[id], *path)) {
            continue;
        }
        if (!tool_read_keys(e->lists[id], *path, &tool_options.owner,
                            &e->time[id])) {
            return false;
        }
    }
    for (char **path = opt_images[id]; path && *path; path++) {
        if (!tool_read_image_hash(e->lists[id], *path, &tool_options.owner,
                                  &e->time[id])) {
            return false;
        }
    }
    return true;
}

static bool collect(Enrolment *e, int id)
{
    bool own = opt_generate && id != TOOL_KEY_DBX;

    if (!opt_files[id] && !opt_images[id] && !own) {
        return true;
    }
    e->lists[id] = g_byte_array_new();
    if ((own && !generate(e, id)) || !collect_files(e, id)) {
        return false;
    }
    if (!e->lists[id]->len) {
        tool_fail("there is nothing to enrol in %s; 'rm' removes a variable",
                  tool_keys[id].name);
        return false;
    }
    return true;
}

/* ------------------------------------------------------------------------ */
/* Enrol */

/* What @old had that is not enrolled any more, on standard output */
static void tell_dropped(const ToolStore *s, int id, GBytes *old)
{
    ToolSignatures in;
    ToolSignature sig;
    unsigned count = 0;

    tool_signatures_init(&in, g_bytes_get_data(old, NULL),
                         g_bytes_get_size(old));
    while (tool_signatures_next(&in, &sig)) {
        count += !tool_signature_in(&sig, tool_key_find(s, id));
    }
    if (count) {
        printf("%s: %u signature%s no longer enrolled\n", tool_keys[id].name,
               count, count == 1 ? " is" : "s are");
    }
}

static bool enroll_key(ToolStore *s, Enrolment *e, int id)
{
    const UefiVariable *old = tool_key_find(s, id);
    GByteArray *lists = e->lists[id];

    if (opt_remove) {
        return tool_key_remove(s, id, lists);
    }
    /* revocations are only ever added to, unless that is said */
    if (opt_append || (id == TOOL_KEY_DBX && !opt_replace)) {
        return tool_key_append(s, id, lists, &e->time[id]);
    }
    e->replaced[id] = old ? g_bytes_ref(old->data) : NULL;
    return tool_key_set(s, id, lists->data, lists->len, &e->time[id]);
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
    for (int id = 0; id < TOOL_KEY__MAX; id++) {
        if (e->pair[id].key &&
            !write_pair(store, tool_keys[id].name, &e->pair[id], written)) {
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
    for (int id = 0; id < TOOL_KEY__MAX; id++) {
        if (e->lists[id] && !enroll_key(s, e, id)) {
            return false;
        }
    }
    if (!write_all(s, e)) {
        return false;
    }
    for (int id = 0; id < TOOL_KEY__MAX; id++) {
        if (e->replaced[id]) {
            tell_dropped(s, id, e->replaced[id]);
        }
    }
    return true;
}

/* ------------------------------------------------------------------------ */

static int check_usage(void)
{
    bool any = opt_generate;

    for (int id = 0; id < TOOL_KEY__MAX; id++) {
        any = any || opt_files[id] || opt_images[id];
    }
    if (!any) {
        return tool_usage("nothing to enrol; use --pk, --kek, --db, --dbx, "
                          "--db-hash, --dbx-hash or --generate");
    }
    if (opt_append + opt_replace + opt_remove > 1 ||
        (opt_remove && opt_generate)) {
        return tool_usage("--append, --replace and --remove exclude each "
                          "other, and --remove --generate");
    }
    if (opt_generate && opt_files[TOOL_KEY_PK]) {
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
    s = tool_open(args[0], opt_remove ? TOOL_WRITE : TOOL_CREATE);
    if (!s) {
        return TOOL_FAILED;
    }
    for (int id = 0; id < TOOL_KEY__MAX; id++) {
        if (!collect(e, id)) {
            return TOOL_FAILED;
        }
    }
    return enroll(s, e) ? TOOL_OK : TOOL_FAILED;
}

static const GOptionEntry enroll_options[] = {
    { "pk", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &opt_files[TOOL_KEY_PK],
      "The platform key: a certificate (PEM, DER), an ESL or .auth file",
      "PATH" },
    { "kek", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &opt_files[TOOL_KEY_KEK],
      "Who may update db and dbx; each of these can be repeated", "PATH" },
    { "db", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &opt_files[TOOL_KEY_DB],
      "What may boot", "PATH" },
    { "dbx", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &opt_files[TOOL_KEY_DBX],
      "What may not; this is added to what is enrolled", "PATH" },
    { "db-hash", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &opt_images[TOOL_KEY_DB],
      "A UEFI program that may boot, by its hash", "IMAGE" },
    { "dbx-hash", 0, 0, G_OPTION_ARG_FILENAME_ARRAY,
      &opt_images[TOOL_KEY_DBX], "A UEFI program that may not", "IMAGE" },
    /* as typed, whatever the locale */
    { "generate", 0, 0, G_OPTION_ARG_FILENAME, &opt_generate,
      "Make keys for PK, KEK and db, and write them beside FILE", "CN" },
    { "append", 'a', 0, G_OPTION_ARG_NONE, &opt_append,
      "Keep what is enrolled, and add what is new", NULL },
    { "replace", 0, 0, G_OPTION_ARG_NONE, &opt_replace,
      "Replace dbx, too", NULL },
    { "remove", 0, 0, G_OPTION_ARG_NONE, &opt_remove,
      "Remove them, rather than to enrol them", NULL },
    TOOL_OPTION_OWNER,
    TOOL_OPTION_SIZE, TOOL_OPTION_HWERR_QUOTA,
    TOOL_OPTION_IN_PLACE, TOOL_OPTION_DICTIONARY,
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
