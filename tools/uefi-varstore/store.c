/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: the file
 */

#include "qemu/osdep.h"
#include <sys/mman.h>
#include "format.h"
#include "hw/uefi/var-service-load.h"
#include "hw/uefi/var-service-posix.h"

/* A store that a QEMU writes to may change while it is read. */
#define TRIES           50
#define IMAGE_TRIES     5
#define TRY_AGAIN_US    20000

/* A FIFO is refused later, and must not make us wait before. */
#define OPEN_FLAGS      (O_CLOEXEC | O_NOCTTY | O_NONBLOCK)

static bool fail_errno(GError **err, const char *path)
{
    g_set_error(err, G_FILE_ERROR, g_file_error_from_errno(errno), "%s: %s",
                path, g_strerror(errno));
    return false;
}

static bool read_file(ToolStore *s, char **document, GPtrArray **records,
                      GError **err)
{
    for (int i = 0; ; i++) {
        g_autoptr(GError) local = NULL;

        if (uefi_var_file_load(s->file, document, records, &local)) {
            return true;
        }
        if (i == TRIES || !g_error_matches(local, UEFI_VAR_FILE_ERROR,
                                           UEFI_VAR_FILE_ERROR_CHANGED)) {
            g_propagate_error(err, g_steal_pointer(&local));
            return false;
        }
        g_usleep(TRY_AGAIN_US);
    }
}

static bool check_texts(const char *document, const GPtrArray *records,
                        GError **err)
{
    for (guint i = 0; i < records->len; i++) {
        if (!tool_check_text(strlen(records->pdata[i]), err)) {
            return false;
        }
    }
    return tool_check_text(document ? strlen(document) : 0, err);
}

static bool load(ToolStore *s, const char *document, GPtrArray *records,
                 size_t torn, GError **err)
{
    s->records = records->len;
    if (torn) {
        g_ptr_array_add(s->warnings,
                        g_strdup_printf("%zu bytes at the end are a write "
                                        "that was interrupted, and passed "
                                        "over", torn));
    }
    if (!check_texts(document, records, err) ||
        !uefi_load_store(s->uv, document, records, s->warnings, err)) {
        g_prefix_error(err, "%s: ", s->path);
        return false;
    }
    return true;
}

static bool load_file(ToolStore *s, GError **err)
{
    g_autofree char *document = NULL;
    g_autoptr(GPtrArray) records = NULL;

    return read_file(s, &document, &records, err) &&
           load(s, document, records, uefi_var_file_torn(s->file), err);
}

static bool read_image(ToolStore *s, UefiVarContent *content, GError **err)
{
    for (int i = 0; ; i++) {
        g_autoptr(GError) local = NULL;

        if (tool_image_read(s->image, content, &local)) {
            return true;
        }
        if (i == IMAGE_TRIES || s->access != TOOL_READ) {
            g_propagate_error(err, g_steal_pointer(&local));
            return false;
        }
        g_usleep(TRY_AGAIN_US);
    }
}

/* @fd is taken over */
static bool load_image(ToolStore *s, int fd, GError **err)
{
    bool write = s->access != TOOL_READ;
    g_auto(UefiVarContent) content = { };

    s->image = tool_image_new(fd, s->path, write, 0, err);
    if (!s->image || !read_image(s, &content, err)) {
        return false;
    }
    if (write && !content.document && content.records->len == 0) {
        return uefi_text_fail(err, "%s: there is no store yet (see create)",
                              s->path);
    }
    return load(s, content.document, content.records, content.torn, err);
}

/* @fd is taken over */
static bool use_file(ToolStore *s, int fd, bool write, GError **err)
{
    s->file = uefi_var_file_open(fd, s->path, s->is_stdin ? NULL : s->path, 0,
                                 err);
    return s->file && (!write || uefi_var_file_lock(s->file, err));
}

/* What a file begins with that is not white space, or EOF */
static int first_character(int fd)
{
    char buf[64];
    ssize_t count = pread(fd, buf, sizeof(buf), 0);

    for (ssize_t i = 0; i < count; i++) {
        if (!g_ascii_isspace(buf[i])) {
            return (uint8_t)buf[i];
        }
    }
    return EOF;
}

/* A document such as ours, but for little, or one of ours that is damaged */
static bool load_as(ToolStore *s, int fd, const ToolFormat *format,
                    bool rescue)
{
    const ToolForm form = { .format = format, .rescue = rescue };
    g_autoptr(GBytes) bytes = tool_load_fd(fd, NULL);

    return bytes && tool_foreign_read(s, &form, bytes, NULL);
}

static bool load_ours(ToolStore *s, int fd, const ToolForm *form, GError **err)
{
    g_autoptr(GError) local = NULL;

    if (load_file(s, &local) || load_as(s, fd, &tool_format_uefivars, false)) {
        return true;
    }
    g_ptr_array_set_size(s->warnings, 0);
    if (!form->rescue || !load_as(s, fd, &tool_format_json, true)) {
        g_propagate_error(err, g_steal_pointer(&local));
        return false;
    }
    return s->foreign->lost->len ||
           tool_transfer_lost(s->foreign, 0, NULL, "something is wrong: %s",
                              local->message);
}

static bool fail_unknown(const ToolStore *s, GError **err)
{
    g_autofree char *names = tool_format_names();

    return uefi_text_fail(err, "%s: neither a store of ours nor in one of the "
                          "other formats known here (%s)", s->path, names);
}

static bool load_any(ToolStore *s, int fd, const ToolForm *form, GError **err)
{
    g_autoptr(GBytes) file = tool_load_fd(fd, err);
    g_autoptr(GError) local = NULL;

    if (!file) {
        g_prefix_error(err, "%s: ", s->path);
        return false;
    }
    if (tool_foreign_read(s, form, file, &local)) {
        return true;
    }
    if (local) {
        g_propagate_error(err, g_steal_pointer(&local));
        return false;
    }
    /* one of ours can be found behind bytes that are none */
    return load_ours(s, fd, form, NULL) || fail_unknown(s, err);
}

/* Standard input as a file without a name, or -1 */
static int open_stdin(void)
{
    int fd = memfd_create("stdin", MFD_CLOEXEC);
    uint64_t total = 0;
    char buf[4096];
    ssize_t count;

    while (fd >= 0 && (count = read(STDIN_FILENO, buf, sizeof(buf)))) {
        total += MAX(count, 0);
        errno = total > UEFI_VAR_FILE_LIMIT ? EFBIG : errno;
        if (count < 0 || total > UEFI_VAR_FILE_LIMIT ||
            write(fd, buf, count) != count) {
            close(fd);
            return -1;
        }
    }
    lseek(fd, 0, SEEK_SET);
    return fd;
}

static bool open_file(ToolStore *s, const ToolForm *form, GError **err)
{
    bool write = s->access != TOOL_READ;
    int fd = s->is_stdin ? open_stdin()
                         : open(s->path,
                                OPEN_FLAGS | (write ? O_RDWR : O_RDONLY));
    int first;

    if (fd < 0) {
        return (errno == ENOENT && s->access == TOOL_CREATE) ||
               fail_errno(err, s->path);
    }
    if (!form->format && tool_image_detect(fd)) {
        return load_image(s, fd, err);
    }
    if (!use_file(s, fd, write, err)) {
        return false;
    }
    /* one of ours may change behind that while we look */
    first = first_character(fd);
    if (!form->format && (first == '{' || first == '#' || first == EOF)) {
        return load_ours(s, fd, form, err);
    }
    return load_any(s, fd, form, err);
}

ToolStore *tool_store_open(const char *path, ToolAccess access,
                           const ToolForm *form, GError **err)
{
    UefiVarConfig config = uefi_vars_default_config();
    g_autoptr(ToolStore) s = g_new0(ToolStore, 1);

    /* Whatever fits the device that the store is for can be read. */
    config.limits.nv_size = 2 * UEFI_LIMIT_NV_SIZE_MAX;
    config.limits.hwerr_quota = UEFI_LIMIT_NV_SIZE_MAX;
    s->uv = uefi_vars_new(&config, NULL, NULL);
    s->is_stdin = !strcmp(path, "-");
    s->path = g_strdup(s->is_stdin ? "standard input" : path);
    s->access = access;
    s->warnings = g_ptr_array_new_with_free_func(g_free);
    if (s->is_stdin && access != TOOL_READ) {
        uefi_text_fail(err, "%s: a store in it can only be read", s->path);
        return NULL;
    }
    if (!(!s->is_stdin && g_file_test(path, G_FILE_TEST_IS_DIR)
          ? tool_foreign_read(s, form, NULL, err)
          : open_file(s, form, err))) {
        return NULL;
    }
    for (int class = 0; class < UEFI_CLASS__MAX; class++) {
        s->used[class] = uefi_store_used(s->uv->store, class);
    }
    return g_steal_pointer(&s);
}

void tool_store_close(ToolStore *s)
{
    if (s) {
        tool_foreign_clear(s);
        uefi_vars_free(s->uv);
        uefi_var_file_close(s->file);
        tool_image_free(s->image);
        g_ptr_array_unref(s->warnings);
        g_free(s->path);
        g_free(s);
    }
}

uint64_t tool_store_size(const ToolStore *s)
{
    return uefi_store_used(s->uv->store, UEFI_CLASS_NV) +
           uefi_store_used(s->uv->store, UEFI_CLASS_HWERR);
}

size_t tool_store_journal_size(const ToolStore *s)
{
    return s->image ? tool_image_journal_size(s->image)
                    : s->file ? uefi_var_file_journal_size(s->file) : 0;
}

/*
 * A file comes into being only when there is something to write into it.
 *
 * @created: set to its path, to be unlinked when that fails
 */
static bool create_file(ToolStore *s, char **created, GError **err)
{
    g_autofree char *path = tool_follow_links(s->path);
    int fd = open(path, OPEN_FLAGS | O_RDWR | O_CREAT | O_EXCL, 0600);
    g_autofree char *document = NULL;
    g_autoptr(GPtrArray) records = NULL;
    bool ok;

    if (fd < 0) {
        return fail_errno(err, s->path);
    }
    uefi_var_file_sync_parent(path);
    ok = use_file(s, fd, true, err);
    if (ok || !g_error_matches(*err, UEFI_VAR_FILE_ERROR,
                               UEFI_VAR_FILE_ERROR_LOCKED)) {
        /* otherwise a QEMU was faster, and keeps it */
        *created = g_steal_pointer(&path);
    }
    /* only what has been read can be written */
    return ok && read_file(s, &document, &records, err);
}

/* A safety net: the commands are to let nothing through that ends here. */
static bool check_document(const ToolStore *s, const char *document,
                           GError **err)
{
    g_autoptr(GPtrArray) vars = uefi_load_parse(document, NULL, err);

    if (!vars) {
        g_prefix_error(err, "%s: not written, as nothing could read it: ",
                       s->path);
    }
    return vars;
}

bool tool_store_check_room(const ToolStore *s, GError **err)
{
    if (!uefi_load_check_room(s->uv->store, err)) {
        g_prefix_error(err, "%s: ", s->path);
        return false;
    }
    return true;
}

/* What has become too small for a store can still lose variables. */
static bool check_growth(const ToolStore *s, GError **err)
{
    bool grown = false;

    for (int class = 0; class < UEFI_CLASS__MAX; class++) {
        grown |= uefi_store_used(s->uv->store, class) > s->used[class];
    }
    return !grown || tool_store_check_room(s, err);
}

bool tool_store_fold(ToolStore *s, GError **err)
{
    g_autofree char *document = uefi_text_print_document(s->uv->store);
    g_autofree char *created = NULL;
    bool ok;

    if (s->foreign) {
        return check_document(s, document, err) &&
               tool_foreign_write(s, tool_store_copy(s), err);
    }
    ok = check_growth(s, err) && check_document(s, document, err);
    if (s->image) {
        return ok && tool_image_write(s->image, document, err);
    }
    ok = ok &&
         (s->file || create_file(s, &created, err)) &&
         uefi_var_file_fold(s->file, document, strlen(document), err);

    if (!ok && created) {
        unlink(created);
    }
    return ok;
}

bool tool_store_commit(ToolStore *s, UefiVarChange *change, GError **err)
{
    uefi_store_apply(s->uv->store, change);
    return tool_store_fold(s, err);
}

GPtrArray *tool_store_copy(const ToolStore *s)
{
    GPtrArray *vars = g_ptr_array_new_with_free_func(
        (GDestroyNotify)uefi_variable_free);
    const UefiVariable *var = NULL;

    while ((var = tool_store_next(s, var))) {
        UefiVariable *copy =
            uefi_variable_new(&var->guid, var->name, var->attributes,
                              g_bytes_ref(var->data));

        copy->time = var->time;
        copy->binding = var->binding ? g_bytes_ref(var->binding) : NULL;
        g_ptr_array_add(vars, copy);
    }
    return vars;
}

const UefiVariable *tool_store_next(const ToolStore *s,
                                    const UefiVariable *var)
{
    return uefi_store_next(s->uv->store, UEFI_VIEW_BOOT, var);
}
