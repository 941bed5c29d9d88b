/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: stores of other programs, what they have in common
 */

#include "qemu/osdep.h"
#include "format.h"
#include "hw/uefi/var-service-load.h"

/* A store of UEFI_LIMIT_NV_SIZE_MAX takes less, however it is laid out. */
#define TEXT_LIMIT (32 * 1024 * 1024)

/* What is told of a file, of each kind; nobody reads more. */
#define MAX_LINES 1000

/* Those that hold another one before that: edk2's can be anywhere in a file. */
static const ToolFormat *const formats[] = {
    &tool_format_aws, &tool_format_efivarfs, &tool_format_lxd,
    &tool_format_uboot, &tool_format_uefivars, &tool_format_virtualbox,
    &tool_format_vmgs, &tool_format_vmware, &tool_format_xen,
    &tool_format_smmstore, &tool_format_edk2,
};

const ToolFormat *tool_format_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
        if (!strcmp(formats[i]->name, name)) {
            return formats[i];
        }
    }
    return NULL;
}

char *tool_format_names(void)
{
    const char *names[ARRAY_SIZE(formats) + 1] = { };

    for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
        names[i] = formats[i]->name;
    }
    return g_strjoinv(", ", (char **)names);
}

/* ------------------------------------------------------------------------ */
/* Bytes */

UefiMsg tool_cursor(GBytes *bytes)
{
    size_t size;
    const void *data = g_bytes_get_data(bytes, &size);
    UefiMsg msg;

    uefi_msg_init(&msg, (void *)data, size, 8);
    return msg;
}

bool tool_starts_with(const UefiMsg *in, const char *text)
{
    return in->size >= strlen(text) && !memcmp(in->buf, text, strlen(text));
}

bool tool_check_text(size_t size, GError **err)
{
    return size <= TEXT_LIMIT ||
           uefi_text_fail(err, "the text is longer than that of any store (%d "
                          "bytes)", TEXT_LIMIT);
}

GBytes *tool_read_base64(ToolTransfer *t, const UefiMsg *in)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_autofree uint8_t *data = NULL;
    size_t digits, size;

    for (size_t i = 0; i < in->size; i++) {
        if (!g_ascii_isspace(in->buf[i])) {
            g_string_append_c(text, in->buf[i]);
        }
    }
    digits = strspn(text->str, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqr"
                    "stuvwxyz0123456789+/");
    digits += strspn(text->str + digits, "=");
    if (digits != text->len || text->len % 4 ||
        g_str_has_suffix(text->str, "===")) {
        if (!tool_transfer_lost(t, digits, NULL, "from here on it is not "
                                "base64")) {
            return NULL;
        }
        g_string_truncate(text, digits & ~3);
    }
    data = g_base64_decode(text->str, &size);
    /* a buffer of just that size */
    return g_bytes_new(data, size);
}

GByteArray *tool_write_base64(GByteArray *bytes)
{
    char *text = g_base64_encode(bytes->data, bytes->len);

    g_byte_array_unref(bytes);
    return g_byte_array_new_take((guint8 *)text, strlen(text));
}

const uint8_t *tool_get_blob(UefiMsg *in, size_t *size)
{
    uint64_t wanted = uefi_msg_get_u64(in);

    *size = MIN(wanted, SIZE_MAX);
    return uefi_msg_get_bytes(in, *size);
}

bool tool_is_zero(const uint8_t *data, size_t size)
{
    while (size && !*data) {
        data++;
        size--;
    }
    return !size;
}

/* ------------------------------------------------------------------------ */
/* Variables */

static const char *const losses[TOOL_LOSS__MAX] = {
    [TOOL_LOSS_VOLATILE] = "volatile variables left out",
    [TOOL_LOSS_TIME] = "authenticated variables that lose their time stamp",
    [TOOL_LOSS_BINDING] = "private variables that lose their signer",
    [TOOL_LOSS_NAME] = "variables left out, as their names do not fit",
    [TOOL_LOSS_MARK] = "variables that lose a mark of U-Boot's own",
};

ToolTransfer *tool_transfer_new(const char *path)
{
    ToolTransfer *t = g_new0(ToolTransfer, 1);

    t->path = g_strdup(path);
    t->vars = g_ptr_array_new_with_free_func(
        (GDestroyNotify)uefi_variable_free);
    t->notes = g_ptr_array_new_with_free_func(g_free);
    return t;
}

void tool_transfer_free(ToolTransfer *t)
{
    if (t) {
        g_free(t->path);
        g_ptr_array_unref(t->vars);
        g_ptr_array_unref(t->notes);
        g_clear_pointer(&t->lost, g_ptr_array_unref);
        g_clear_pointer(&t->file, g_bytes_unref);
        g_clear_pointer(&t->image, g_bytes_unref);
        g_clear_pointer(&t->rest, g_bytes_unref);
        g_free(t);
    }
}

GPtrArray *tool_transfer_remarks(const ToolTransfer *t)
{
    GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < t->notes->len; i++) {
        g_ptr_array_add(lines, g_strdup(t->notes->pdata[i]));
    }
    for (int i = 0; i < TOOL_LOSS__MAX; i++) {
        if (t->losses[i]) {
            g_ptr_array_add(lines, g_strdup_printf("%s: %u", losses[i],
                                                   t->losses[i]));
        }
    }
    return lines;
}

void tool_add_line(GPtrArray *lines, char *line)
{
    if (lines->len == MAX_LINES) {
        g_ptr_array_add(lines, g_strdup("more of this kind"));
    }
    if (lines->len > MAX_LINES) {
        g_free(line);
    } else {
        g_ptr_array_add(lines, line);
    }
}

bool tool_transfer_lost(ToolTransfer *t, size_t at, GError **err,
                        const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    if (!t->lost) {
        return uefi_text_fail(err, "%s", text);
    }
    tool_add_line(t->lost, g_strdup_printf("byte %zu: %s", at, text));
    return true;
}

void tool_transfer_lost_variable(ToolTransfer *t, const UefiVariable *var,
                                 const char *why)
{
    g_autofree char *name = uefi_str_print(var->name);

    tool_add_line(t->lost, g_strdup_printf("the variable '%s': %s", name,
                                           why));
}

void tool_transfer_note(ToolTransfer *t, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    tool_add_line(t->notes, g_strdup_vprintf(format, args));
    va_end(args);
}

/* NULL unless @data is one unit or more, none of them zero */
static uint16_t *read_units(const uint8_t *data, size_t size)
{
    g_autofree uint16_t *name = g_new0(uint16_t, size / 2 + 1);

    if (!size || size % 2) {
        return NULL;
    }
    for (size_t i = 0; i < size / 2; i++) {
        name[i] = data[2 * i] | data[2 * i + 1] << 8;
        if (!name[i]) {
            return NULL;
        }
    }
    return g_steal_pointer(&name);
}

/* Before they take a multiple of the file's size in memory */
bool tool_transfer_take(ToolTransfer *t, const uint16_t *name, size_t size,
                        GError **err)
{
    t->taken += uefi_store_record_size(name, size);
    return t->taken <= UEFI_LIMIT_NV_SIZE_MAX ||
           uefi_text_fail(err, "from variable %u on there is more than any "
                          "device has room for (%d bytes)", t->vars->len + 1,
                          UEFI_LIMIT_NV_SIZE_MAX);
}

/* @units is taken over; NULL for what is no name */
static UefiVariable *add(ToolTransfer *t, const UefiGuid *guid,
                         uint16_t *units, uint32_t attributes,
                         const uint8_t *data, size_t data_size, GError **err)
{
    g_autofree uint16_t *name = units;
    UefiVariable *var;

    if (!name || !*name) {
        uefi_text_fail(err, "variable %u has no valid name",
                       t->vars->len + 1);
        return NULL;
    }
    if (!data_size) {
        g_autofree char *shown = uefi_str_print(name);

        uefi_text_fail(err, "variable '%s' has no value", shown);
        return NULL;
    }
    if (!(attributes & EFI_ATTR_NV)) {
        t->losses[TOOL_LOSS_VOLATILE]++;
        return NULL;
    }
    if (!tool_transfer_take(t, name, data_size, err)) {
        return NULL;
    }
    var = uefi_variable_new(guid, name, attributes,
                            g_bytes_new(data, data_size));
    g_ptr_array_add(t->vars, var);
    return var;
}

UefiVariable *tool_transfer_add(ToolTransfer *t, const UefiGuid *guid,
                                const uint8_t *name, size_t name_size,
                                uint32_t attributes, const uint8_t *data,
                                size_t data_size, GError **err)
{
    return add(t, guid, read_units(name, name_size), attributes, data,
               data_size, err);
}

UefiVariable *tool_transfer_add_utf8(ToolTransfer *t, const UefiGuid *guid,
                                     const uint8_t *name, size_t name_size,
                                     uint32_t attributes, const uint8_t *data,
                                     size_t data_size, GError **err)
{
    g_autofree char *text = g_strndup((const char *)name, name_size);
    uint16_t *units = NULL;

    /* a NUL within the name makes it shorter */
    if (strlen(text) == name_size) {
        units = g_utf8_to_utf16(text, -1, NULL, NULL, NULL);
    }
    return add(t, guid, units, attributes, data, data_size, err);
}

void tool_transfer_signed(UefiVariable *var, const uint8_t *time,
                          const uint8_t *digest, size_t digest_size)
{
    memcpy(var->time.b, time, sizeof(var->time.b));
    if (!tool_is_zero(digest, digest_size)) {
        var->binding = g_bytes_new(digest, digest_size);
    }
}

/* Keys of secure boot have no signer of their own: others sign them. */
static bool is_private(const UefiVariable *var)
{
    g_autofree char *name = uefi_str_print(var->name);
    const UefiKnown *known = tool_known(name);

    return !uefi_guid_equal(&var->guid, &uefi_guid_vendor_keys_nv) &&
           (!known || !uefi_guid_equal(&var->guid, known->guid));
}

void tool_transfer_unsigned(ToolTransfer *t, const UefiVariable *var)
{
    t->losses[TOOL_LOSS_BINDING] += (var->attributes & EFI_ATTR_AT) &&
                                    is_private(var);
}

static GBytes *key_of(const UefiVariable *var)
{
    GByteArray *key = g_byte_array_new();

    g_byte_array_append(key, var->guid.b, sizeof(var->guid.b));
    g_byte_array_append(key, (const uint8_t *)var->name,
                        uefi_str_size(var->name));
    return g_byte_array_free_to_bytes(key);
}

void tool_transfer_keep_last(ToolTransfer *t)
{
    g_autoptr(GHashTable) seen =
        g_hash_table_new_full(g_bytes_hash, g_bytes_equal,
                              (GDestroyNotify)g_bytes_unref, NULL);
    guint kept = t->vars->len;

    for (guint i = t->vars->len; i-- > 0; ) {
        UefiVariable *var = t->vars->pdata[i];

        if (g_hash_table_add(seen, key_of(var))) {
            /* the list grows from its end, in order */
            t->vars->pdata[i] = t->vars->pdata[--kept];
            t->vars->pdata[kept] = var;
        }
    }
    if (kept) {
        tool_transfer_note(t, "older values of variables are left out: %u",
                           kept);
        g_ptr_array_remove_range(t->vars, 0, kept);
    }
}

bool tool_transfer_read(ToolTransfer *t, UefiMsg *in, uint64_t count,
                        ToolReadVariable *read, GError **err)
{
    size_t at = in->pos;
    uint64_t i;

    /* when something is damaged, the number may be */
    for (i = 0; t->lost ? uefi_msg_left(in) : i < count; i++) {
        g_autoptr(GError) local = NULL;

        if (!read(t, in, &local)) {
            if (!tool_transfer_lost(t, at, err, "%s", local->message)) {
                return false;
            }
            break;
        }
        at = in->pos;
    }
    if (i != count) {
        return tool_transfer_lost(t, at, err, "%" PRIu64 " variables are "
                                  "there, the header says %" PRIu64, i, count);
    }
    return t->lost || !uefi_msg_left(in) ||
           uefi_text_fail(err, "%zu bytes are left behind the last variable",
                          uefi_msg_left(in));
}

/*
 * Through the text form of our own, which checks everything a document needs
 * and knows what other programs keep differently, such as certdb.
 */
static GPtrArray *check(UefiVariable *const *vars, guint count,
                        GPtrArray *notes, GError **err)
{
    g_autoptr(GString) text = g_string_new(NULL);

    g_string_append_printf(text, "{\"version\": %d, \"variables\": [",
                           UEFI_TEXT_VERSION);
    for (guint i = 0; i < count; i++) {
        g_string_append(text, i ? ",\n" : "\n");
        uefi_text_print_variable(text, vars[i]);
    }
    g_string_append(text, "]}");
    return uefi_load_parse(text->str, notes, err);
}

/* Leave out, and name, what no store can have. */
static void sort_out(ToolTransfer *t)
{
    g_autoptr(GTree) index = g_tree_new_full(uefi_variable_compare, NULL, NULL,
                                             NULL);
    GPtrArray *good = g_ptr_array_new_with_free_func(
        (GDestroyNotify)uefi_variable_free);

    for (guint i = 0; i < t->vars->len; i++) {
        UefiVariable *var = t->vars->pdata[i];
        g_autoptr(GError) err = NULL;
        g_autoptr(GPtrArray) one = check(&var, 1, NULL, &err);

        if (one && !g_tree_lookup(index, var)) {
            g_tree_insert(index, var, var);
            g_ptr_array_add(good, g_steal_pointer(&t->vars->pdata[i]));
            continue;
        }
        tool_transfer_lost_variable(t, var, one ? "there is another one before "
                                    "it" : err->message);
    }
    g_ptr_array_unref(t->vars);
    t->vars = good;
}

static bool normalize(ToolTransfer *t, GError **err)
{
    g_autoptr(GPtrArray) vars = NULL;

    vars = check((UefiVariable **)t->vars->pdata, t->vars->len, t->notes,
                 t->lost ? NULL : err);
    if (!vars && t->lost) {
        sort_out(t);
        vars = check((UefiVariable **)t->vars->pdata, t->vars->len, t->notes,
                     err);
    }
    if (!vars) {
        return false;
    }
    g_ptr_array_unref(t->vars);
    t->vars = g_steal_pointer(&vars);
    return true;
}

/* ------------------------------------------------------------------------ */

const ToolFormat *tool_format_detect(GBytes *bytes, bool damaged)
{
    for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
        bool (*detect)(UefiMsg *) = damaged ? formats[i]->detect_damaged
                                            : formats[i]->detect;
        UefiMsg msg = tool_cursor(bytes);

        if (detect && detect(&msg)) {
            return formats[i];
        }
    }
    return NULL;
}

bool tool_format_parse(ToolTransfer *t, GBytes *bytes, GError **err)
{
    UefiMsg msg = { };

    if (!bytes && t->format->detect) {
        return uefi_text_fail(err, "a directory is not in the format %s",
                              t->format->name);
    }
    if (bytes && !t->format->detect) {
        return uefi_text_fail(err, "not a directory");
    }
    if (bytes) {
        t->image = g_bytes_ref(bytes);
        msg = tool_cursor(bytes);
    }
    if (!t->format->read(t, bytes ? &msg : NULL, err) ||
        !normalize(t, err)) {
        return false;
    }
    return t->vars->len || !t->lost || !t->lost->len ||
           uefi_text_fail(err, "nothing can be had of it: %s",
                          (char *)t->lost->pdata[0]);
}

bool tool_format_write(ToolTransfer *t, GError **err)
{
    const ToolFormat *format = t->format;
    g_autoptr(GByteArray) bytes = NULL;
    bool is_stdout = !strcmp(t->path, "-");
    struct stat st;

    if (is_stdout && format->write_directory) {
        return uefi_text_fail(err, "the format is a directory");
    }
    if (!is_stdout && !lstat(t->path, &st)) {
        return uefi_text_fail(err, "%s", g_strerror(EEXIST));
    }
    if (format->write_directory) {
        return format->write_directory(t, err);
    }
    bytes = format->write(t, err);
    if (bytes && is_stdout) {
        fwrite(bytes->data, 1, bytes->len, stdout);
        return true;
    }
    return bytes &&
           g_file_set_contents_full(t->path, (const char *)bytes->data,
                                    bytes->len, G_FILE_SET_CONTENTS_CONSISTENT |
                                    G_FILE_SET_CONTENTS_DURABLE, 0600, err);
}
