/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: bring stores to the keys of 2023, and their dbx up to date
 *
 * Nobody gets to trust more than before: a certificate is added only where the
 * one that it succeeds is enrolled, and revocations only forbid.
 */

#include "qemu/osdep.h"
#include "tool.h"
#include "hw/uefi/var-service-secureboot.h"
#include "hw/uefi/var-service-status.h"

static char **opt_from;
static gboolean opt_dry_run;
static gboolean opt_all;

/* What there is to add, and how much was not taken */
typedef struct Sources {
    GByteArray *lists[TOOL_KEY__MAX];
    unsigned left_out;
} Sources;

static void sources_clear(Sources *src)
{
    for (int id = 0; id < TOOL_KEY__MAX; id++) {
        g_clear_pointer(&src->lists[id], g_byte_array_unref);
    }
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Sources, sources_clear)

/* ------------------------------------------------------------------------ */
/* Sources */

static UefiVendorCertId vendor_cert(const ToolSignature *sig)
{
    uint8_t digest[UEFI_SHA256_SIZE];

    if (!uefi_guid_equal(&sig->type, &uefi_guid_cert_x509)) {
        return UEFI_VENDOR__MAX;
    }
    uefi_sha256(sig->data, sig->size, digest);
    return uefi_vendor_cert_find(digest);
}

/*
 * Where @sig goes, TOOL_KEY__MAX: nowhere
 * @from: the variable that it was in, or TOOL_KEY__MAX when that is not known
 */
static ToolKey place(const ToolSignature *sig, ToolKey from)
{
    UefiVendorCertId id = vendor_cert(sig);
    bool x509 = uefi_guid_equal(&sig->type, &uefi_guid_cert_x509);

    if (from == TOOL_KEY_DBX) {
        /* a certificate there forbids all that it has ever signed */
        return x509 && !opt_all ? TOOL_KEY__MAX : TOOL_KEY_DBX;
    }
    if (id < UEFI_VENDOR__MAX &&
        uefi_vendor_certs[id].successor == UEFI_VENDOR__MAX) {
        return uefi_vendor_certs[id].key == UEFI_KEY_KEK ? TOOL_KEY_KEK
                                                         : TOOL_KEY_DB;
    }
    return opt_all && from != TOOL_KEY_PK ? from : TOOL_KEY__MAX;
}

static void add_lists(Sources *src, ToolKey from, const void *data,
                      size_t size)
{
    ToolSignatures in;
    ToolSignature sig;

    tool_signatures_init(&in, data, size);
    while (tool_signatures_next(&in, &sig)) {
        ToolKey id = place(&sig, from);

        if (id < TOOL_KEY__MAX) {
            tool_signature_append(src->lists[id], &sig);
        } else {
            src->left_out++;
        }
    }
}

static void add_variable(Sources *src, const UefiVariable *var)
{
    for (ToolKey id = 0; id < TOOL_KEY_PK; id++) {
        if (uefi_variable_is(var, tool_keys[id].guid, tool_keys[id].name)) {
            add_lists(src, id, g_bytes_get_data(var->data, NULL),
                      g_bytes_get_size(var->data));
        }
    }
}

static bool add_store(Sources *src, const char *path)
{
    g_autoptr(ToolStore) s = tool_open(path, TOOL_READ);
    const UefiVariable *var = NULL;

    while (s && (var = tool_store_next(s, var))) {
        add_variable(src, var);
    }
    return s;
}

/* Lists that do not say what they are for: a name can tell that of hashes. */
static ToolKey key_of_name(const char *path)
{
    g_autofree char *base = g_path_get_basename(path);
    g_autofree char *lower = g_ascii_strdown(base, -1);

    return strstr(lower, "dbx") ? TOOL_KEY_DBX : TOOL_KEY__MAX;
}

static bool looks_like_keys(GBytes *file)
{
    UefiTime time;
    g_autoptr(GBytes) value = tool_auth_payload(file, &time);
    gsize size;
    const uint8_t *data = g_bytes_get_data(file, &size);

    return value || tool_is_pem(file) || (size && data[0] == 0x30) ||
           (size && uefi_siglist_check(data, size, false) == UEFI_REASON_OK);
}

static bool add_file(Sources *src, const char *path)
{
    g_autoptr(GBytes) file = tool_read_file(path);
    g_autoptr(GByteArray) lists = g_byte_array_new();
    UefiTime time = { }, signed_time;
    g_autoptr(GBytes) value = NULL;
    ToolKey from = key_of_name(path);

    if (!file) {
        return false;
    }
    if (!looks_like_keys(file)) {
        return add_store(src, path);
    }
    value = tool_auth_payload(file, &signed_time);
    if (value) {
        from = tool_auth_key(file);
    }
    if (value && from == TOOL_KEY__MAX) {
        tool_fail("%s: its signature is of no update of a key", path);
        return false;
    }
    if (!tool_parse_keys(lists, file, path, &tool_options.owner, &time)) {
        return false;
    }
    add_lists(src, from, lists->data, lists->len);
    return true;
}

static int by_name(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool add_directory(Sources *src, const char *path)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) err = NULL;
    GDir *dir = g_dir_open(path, 0, &err);
    const char *name;

    if (!dir) {
        tool_fail("%s", err->message);
        return false;
    }
    while ((name = g_dir_read_name(dir))) {
        g_ptr_array_add(names, g_build_filename(path, name, NULL));
    }
    g_dir_close(dir);
    g_ptr_array_sort(names, by_name);
    for (guint i = 0; i < names->len; i++) {
        if (g_file_test(names->pdata[i], G_FILE_TEST_IS_REGULAR) &&
            !add_file(src, names->pdata[i])) {
            tool_note("%s: note: left out", (char *)names->pdata[i]);
        }
    }
    return true;
}

static bool read_sources(Sources *src)
{
    for (int id = 0; id < TOOL_KEY__MAX; id++) {
        src->lists[id] = g_byte_array_new();
    }
    for (char **path = opt_from; *path; path++) {
        if (!(g_file_test(*path, G_FILE_TEST_IS_DIR)
              ? add_directory(src, *path) : add_file(src, *path))) {
            return false;
        }
    }
    return true;
}

/* ------------------------------------------------------------------------ */
/* Stores */

/* Whether the store trusts what @id succeeds */
static bool is_wanted(const UefiVarStatus *status, UefiVendorCertId id)
{
    if (id == UEFI_VENDOR_ROM_2023) {
        /* programs and option ROMs had one certificate in 2011 */
        return status->known[UEFI_VENDOR_UEFI_2011] ||
               status->known[UEFI_VENDOR_UEFI_2023];
    }
    for (UefiVendorCertId old = 0; old < UEFI_VENDOR__MAX; old++) {
        if (uefi_vendor_certs[old].successor == id && status->known[old]) {
            return true;
        }
    }
    return false;
}

/* What of @lists the store lacks and should have, as lists */
static GByteArray *missing(const ToolStore *s, const UefiVarStatus *status,
                           ToolKey id, const GByteArray *lists)
{
    GByteArray *out = g_byte_array_new();
    ToolSignatures in;
    ToolSignature sig;

    tool_signatures_init(&in, lists->data, lists->len);
    while (tool_signatures_next(&in, &sig)) {
        UefiVendorCertId cert = vendor_cert(&sig);

        if (!tool_signature_in(&sig, tool_key_find(s, id)) &&
            (opt_all || id == TOOL_KEY_DBX || is_wanted(status, cert)) &&
            !tool_signature_in_lists(&sig, out)) {
            tool_signature_append(out, &sig);
        }
    }
    return out;
}

/* What happens to one store */
typedef struct Update {
    ToolStore *s;
    Json *added;            /* of all variables */
    GString *text;
    size_t bytes;           /* by which the values grow */
    unsigned count;
} Update;

static void tell(Update *u, ToolKey id, const GByteArray *lists)
{
    unsigned hashes = 0;
    ToolSignatures in;
    ToolSignature sig;

    tool_signatures_init(&in, lists->data, lists->len);
    while (tool_signatures_next(&in, &sig)) {
        g_autofree char *shown = tool_signature_print(&sig);
        Json *item = json_object_new_object();

        u->count++;
        tool_json_add(item, "key", json_object_new_string(tool_keys[id].name));
        tool_json_add(item, "signature", tool_json_string(shown));
        json_object_array_add(u->added, item);
        if (!uefi_guid_equal(&sig.type, &uefi_guid_cert_x509)) {
            hashes++;
            continue;
        }
        g_string_append_printf(u->text, "  %s: + %s\n", tool_keys[id].name,
                               shown);
    }
    if (hashes) {
        g_string_append_printf(u->text, "  %s: + %u hashes\n",
                               tool_keys[id].name, hashes);
    }
}

static size_t value_size(const ToolStore *s, ToolKey id)
{
    const UefiVariable *var = tool_key_find(s, id);

    return var ? g_bytes_get_size(var->data) : 0;
}

static bool update_key(Update *u, const UefiVarStatus *status, ToolKey id,
                       const GByteArray *lists)
{
    g_autoptr(GByteArray) fresh = missing(u->s, status, id, lists);
    size_t before = value_size(u->s, id);

    if (!fresh->len) {
        return true;
    }
    tell(u, id, fresh);
    if (!tool_key_append(u->s, id, fresh, NULL)) {
        return false;
    }
    u->bytes += value_size(u->s, id) - before;
    return true;
}

static bool try_store(ToolStore *s, GError **err)
{
    return s->foreign ? tool_foreign_check(s, tool_store_copy(s), err)
                      : tool_store_check_room(s, err);
}

/* Everything in memory, then the file once */
static bool update_store(Update *u, const Sources *src)
{
    g_autoptr(UefiVarStatus) status = uefi_status_new(u->s->uv);
    g_autoptr(GError) err = NULL;

    if (status->readiness == UEFI_READINESS_NONE) {
        return true;
    }
    tool_configure(u->s);
    uefi_secureboot_follow(u->s->uv);
    for (ToolKey id = 0; id < TOOL_KEY_PK; id++) {
        if (!update_key(u, status, id, src->lists[id])) {
            return false;
        }
    }
    if (u->count && !(opt_dry_run ? try_store(u->s, &err)
                                  : tool_store_fold(u->s, &err))) {
        tool_fail_with(err);
        return false;
    }
    return true;
}

static void report(const Update *u, Json *all)
{
    g_autoptr(UefiVarStatus) status = uefi_status_new(u->s->uv);
    const char *word = uefi_readiness_name(status->readiness);
    Json *item = json_object_new_object();

    tool_json_add(item, "store", tool_json_string(u->s->path));
    tool_json_add(item, "added", json_object_get(u->added));
    tool_json_add(item, "bytes", json_object_new_int64(u->bytes));
    tool_json_add(item, "dbx-room", json_object_new_int64(status->dbx_room));
    tool_json_add(item, "readiness", json_object_new_string(word));
    json_object_array_add(all, item);
    if (tool_options.json) {
        return;
    }
    if (!u->count) {
        printf("%s: nothing to add; %s\n", u->s->path, word);
    } else {
        printf("%s: %s, %zu bytes more, %" PRIu64 " left for a dbx update; "
               "%s\n%s", u->s->path,
               opt_dry_run ? "would be updated" : "updated", u->bytes,
               status->dbx_room, word, u->text->str);
    }
}

static bool update_path(const char *path, const Sources *src, Json *all)
{
    g_autoptr(ToolStore) s = tool_open(path,
                                       opt_dry_run ? TOOL_READ : TOOL_WRITE);
    g_autoptr(GString) text = g_string_new(NULL);
    Update u = { .s = s, .text = text };
    bool ok;

    if (!s) {
        return false;
    }
    u.added = json_object_new_array();
    ok = update_store(&u, src);
    if (ok) {
        report(&u, all);
    }
    json_object_put(u.added);
    return ok;
}

static int run_update(char **args)
{
    g_auto(Sources) src = { };
    Json *all;
    bool ok = true;

    if (!opt_from) {
        return tool_usage("--from is needed: whatever has the new keys");
    }
    if (!read_sources(&src)) {
        return TOOL_FAILED;
    }
    all = json_object_new_array();
    for (char **path = args; *path; path++) {
        ok &= update_path(*path, &src, all);
    }
    if (tool_options.json) {
        tool_print_json(all);
    } else {
        json_object_put(all);
    }
    if (src.left_out) {
        tool_note("note: %u certificates and hashes of the sources are not "
                  "for an update (see --all)", src.left_out);
    }
    return ok ? TOOL_OK : TOOL_FAILED;
}

static const GOptionEntry update_options[] = {
    { "from", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &opt_from,
      "A template, store, .auth, ESL, certificate or directory of those; can "
      "be repeated", "SOURCE" },
    { "dry-run", 'n', 0, G_OPTION_ARG_NONE, &opt_dry_run,
      "Show what would change, and change nothing", NULL },
    { "all", 0, 0, G_OPTION_ARG_NONE, &opt_all,
      "Add whatever KEK, db and dbx of the sources have", NULL },
    TOOL_OPTION_JSON, TOOL_OPTION_OWNER,
    TOOL_OPTION_SIZE, TOOL_OPTION_HWERR_QUOTA,
    TOOL_OPTION_IN_PLACE, TOOL_OPTION_DICTIONARY,
    { }
};

const ToolCommand tool_cmd_update = {
    .name = "update",
    .arguments = "FILE...",
    .summary = "Bring stores to the keys of 2023, and dbx up to date.",
    .options = update_options,
    .min_args = 1,
    .max_args = -1,
    .run = run_update,
};
