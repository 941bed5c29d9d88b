/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: sign an update that a running guest hands to SetVariable
 */

#include "qemu/osdep.h"
#include "tool.h"

#define WIN_CERT_REVISION   0x0200

static char *opt_key;
static char *opt_cert;
static char *opt_password_file;
static gboolean opt_append;

/* What the update is for */
typedef struct Target {
    uint16_t *name;             /* owned */
    UefiGuid guid;
    uint32_t attributes;        /* as the guest has to pass them */
    UefiTime time;
    bool keys;                  /* the value is signature lists */
} Target;

static void target_clear(Target *t)
{
    g_free(t->name);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Target, target_clear)

static bool parse_target(Target *t, const char *name)
{
    UefiVarConfig config = uefi_vars_default_config();
    const UefiKnown *known = tool_known(name);

    t->attributes = tool_options.has_attributes ? tool_options.attributes
        : EFI_ATTR_NV | EFI_ATTR_BS | EFI_ATTR_RT | EFI_ATTR_AT;
    if (!tool_options.vendor && !known) {
        tool_fail("the vendor of '%s' is not known, use --guid", name);
        return false;
    }
    t->guid = *(tool_options.vendor ?: known->guid);
    t->keys = known && (known->property.attributes & EFI_ATTR_AT) &&
              uefi_guid_equal(&t->guid, known->guid);
    if (!tool_check_attributes(&config.limits, t->attributes)) {
        return false;
    }
    if (!(t->attributes & EFI_ATTR_AT)) {
        tool_fail("only variables with AT among their attributes are signed");
        return false;
    }
    t->attributes |= opt_append ? EFI_ATTR_AP : 0;
    t->name = tool_read_name(name);
    t->time = tool_options.time;
    /* an addition is in order at any time, so that it needs none (S2) */
    if (!tool_options.has_time && !opt_append) {
        t->time = tool_now();
    }
    return t->name;
}

static GByteArray *read_value(const Target *t, const char *path)
{
    g_autoptr(GByteArray) value = g_byte_array_new();
    g_autoptr(GBytes) file = NULL;
    UefiTime time = { };
    gsize size;
    const void *data;

    if (t->keys) {
        return tool_read_keys(value, path, &tool_options.owner, &time)
               ? g_steal_pointer(&value) : NULL;
    }
    file = tool_read_file(path);
    if (!file) {
        return NULL;
    }
    data = g_bytes_get_data(file, &size);
    g_byte_array_append(value, data, size);
    return g_steal_pointer(&value);
}

/* The first line of --password-file in @password, or NULL without the option */
static bool read_password(char **password)
{
    g_autoptr(GBytes) file = NULL;
    gsize size;
    const char *text;

    *password = NULL;
    if (opt_password_file) {
        file = tool_read_file(opt_password_file);
        if (!file) {
            return false;
        }
        text = g_bytes_get_data(file, &size);
        *password = g_strndup(text, size);
        g_strdelimit(*password, "\r\n", 0);
    }
    return true;
}

static ToolSigner *read_signer(void)
{
    g_autoptr(GBytes) key = tool_read_file(opt_key);
    g_autoptr(GBytes) cert = key ? tool_read_file(opt_cert) : NULL;
    g_autofree char *password = NULL;

    if (!cert || !read_password(&password)) {
        return NULL;
    }
    return tool_signer_new(key, password, opt_key, cert, opt_cert);
}

/* EFI_VARIABLE_AUTHENTICATION_2 and the value */
static GByteArray *make_update(const Target *t, GBytes *signature,
                               const GByteArray *value)
{
    GByteArray *out = g_byte_array_new();
    gsize size;
    const void *data = g_bytes_get_data(signature, &size);
    UefiMsg msg;

    g_byte_array_set_size(out, EFI_AUTH2_CERT_OFFSET + size + value->len);
    uefi_msg_init(&msg, out->data, out->len, 8);
    uefi_msg_put_bytes(&msg, t->time.b, sizeof(t->time.b));
    uefi_msg_put_u32(&msg, EFI_AUTH2_CERT_OFFSET - EFI_TIME_SIZE + size);
    uefi_msg_put_u16(&msg, WIN_CERT_REVISION);
    uefi_msg_put_u16(&msg, EFI_WIN_CERT_TYPE_EFI_GUID);
    uefi_msg_put_guid(&msg, &uefi_guid_cert_pkcs7);
    uefi_msg_put_bytes(&msg, data, size);
    uefi_msg_put_bytes(&msg, value->data, value->len);
    return out;
}

/* A FIFO, a terminal, standard output by its name: they stay what they are. */
static bool is_special(const char *path)
{
    struct stat st;

    return !stat(path, &st) && !S_ISREG(st.st_mode);
}

static int write_in_place(const GByteArray *update, const char *path)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    FILE *out = fd < 0 ? NULL : fdopen(fd, "wb");
    bool ok = out && fwrite(update->data, 1, update->len, out) == update->len;

    ok = out && !fclose(out) && ok;
    return ok ? TOOL_OK : tool_fail("%s: %s", path, g_strerror(errno));
}

static int write_update(const GByteArray *update, const char *path)
{
    g_autofree char *file = NULL;
    g_autoptr(GError) err = NULL;

    if (!strcmp(path, "-")) {
        fwrite(update->data, 1, update->len, stdout);
        return TOOL_OK;
    }
    if (is_special(path)) {
        return write_in_place(update, path);
    }
    file = tool_follow_links(path);
    if (!g_file_set_contents_full(file, (const char *)update->data,
                                  update->len, G_FILE_SET_CONTENTS_CONSISTENT,
                                  0666, &err)) {
        return tool_fail("%s", err->message);
    }
    return TOOL_OK;
}

static int run_sign(char **args)
{
    g_auto(Target) target = { };
    g_autoptr(ToolSigner) signer = NULL;
    g_autoptr(GByteArray) value = NULL, content = NULL, update = NULL;
    g_autoptr(GBytes) signature = NULL;

    if (!opt_key || !opt_cert) {
        return tool_usage("--key and --cert are needed");
    }
    if (!parse_target(&target, args[0])) {
        return TOOL_FAILED;
    }
    value = read_value(&target, args[1]);
    signer = value ? read_signer() : NULL;
    if (!signer) {
        return TOOL_FAILED;
    }
    content = tool_signed_data(target.name, &target.guid, target.attributes,
                               &target.time, value->data, value->len);
    signature = tool_sign(signer, content->data, content->len);
    if (!signature) {
        return TOOL_FAILED;
    }
    update = make_update(&target, signature, value);
    return write_update(update, args[2]);
}

static const GOptionEntry sign_options[] = {
    { "key", 'k', 0, G_OPTION_ARG_FILENAME, &opt_key,
      "Private key to sign with (PEM, DER)", "PATH" },
    { "cert", 'c', 0, G_OPTION_ARG_FILENAME, &opt_cert,
      "Certificate for that key (PEM, DER)", "PATH" },
    { "password-file", 'p', 0, G_OPTION_ARG_FILENAME, &opt_password_file,
      "Password of an encrypted key, on the first line", "PATH" },
    { "append", 'a', 0, G_OPTION_ARG_NONE, &opt_append,
      "The update adds to what the guest has", NULL },
    { "time", 0, 0, G_OPTION_ARG_CALLBACK, tool_option_time,
      "Time stamp, in UTC; now by default, or none with --append", "TIME" },
    TOOL_OPTION_GUID, TOOL_OPTION_ATTRIBUTES, TOOL_OPTION_OWNER,
    TOOL_OPTION_OLD('t', CALLBACK, tool_option_time),
    { }
};

const ToolCommand tool_cmd_sign = {
    .name = "sign",
    .arguments = "NAME INPUT OUTPUT",
    .summary = "Sign an update for a running guest.",
    .options = sign_options,
    .min_args = 3,
    .max_args = 3,
    .run = run_sign,
};
