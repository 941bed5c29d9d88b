/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: whether secure boot would start a UEFI program, and why
 *
 * The rules are those of UEFI 2.10, 32.5.3.3: dbx forbids by the hash of the
 * image and by certificates in the chain of a signature; db allows in the same
 * ways.  Dates of certificates do not matter.
 */

#include "qemu/osdep.h"
#include "tool.h"
#include "hw/uefi/var-service-secureboot.h"
#include "hw/uefi/var-service-status.h"

static const struct {
    const UefiGuid *type;
    GChecksumType sum;
} hashes[] = {
    { &uefi_guid_cert_sha256, G_CHECKSUM_SHA256 },
    { &uefi_guid_cert_sha384, G_CHECKSUM_SHA384 },
    { &uefi_guid_cert_sha512, G_CHECKSUM_SHA512 },
    { &uefi_guid_cert_sha1, G_CHECKSUM_SHA1 },
};

/* Whether the hash of @image is in the variable @id; @why says so */
static bool has_hash(const ToolStore *s, ToolKey id, GBytes *image,
                     GString *why)
{
    for (size_t i = 0; i < ARRAY_SIZE(hashes); i++) {
        uint8_t digest[64];
        ToolSignature sig = {
            .type = *hashes[i].type,
            .data = digest,
            .size = sizeof(digest),
        };

        if (tool_pe_hash(image, hashes[i].sum, digest, &sig.size) &&
            tool_signature_in(&sig, tool_key_find(s, id))) {
            g_autofree char *shown = tool_signature_print(&sig);

            g_string_append_printf(why, "%s has its hash, %s",
                                   tool_keys[id].name, shown);
            return true;
        }
    }
    return false;
}

/* Whether a certificate of the variable @id vouches for @sig; @why says so */
static bool has_signer(const ToolStore *s, ToolKey id,
                       const ToolImageSignature *sig, GString *why)
{
    const UefiVariable *var = tool_key_find(s, id);
    ToolSignatures in;
    ToolSignature cert;

    if (!var) {
        return false;
    }
    tool_signatures_init(&in, g_bytes_get_data(var->data, NULL),
                         g_bytes_get_size(var->data));
    while (tool_signatures_next(&in, &cert)) {
        if (tool_image_signature_by(sig, &cert)) {
            g_autofree char *shown = tool_signature_print(&cert);

            g_string_append_printf(why, "it is signed for %s, in %s", shown,
                                   tool_keys[id].name);
            return true;
        }
    }
    return false;
}

/* The signatures that are valid for @image */
static GPtrArray *read_signatures(GBytes *image, unsigned *invalid)
{
    g_autoptr(GPtrArray) ders = tool_pe_signatures(image);
    GPtrArray *sigs = g_ptr_array_new_with_free_func(
        (GDestroyNotify)tool_image_signature_free);

    *invalid = 0;
    for (guint i = 0; i < ders->len; i++) {
        ToolImageSignature *sig =
            tool_image_signature_new(ders->pdata[i], image);

        if (sig) {
            g_ptr_array_add(sigs, sig);
        } else {
            ++*invalid;
        }
    }
    return sigs;
}

/* What is forbidden once stays so, whoever else allows it. */
static bool check_keys(const ToolStore *s, GBytes *image, GString *why)
{
    unsigned invalid;
    g_autoptr(GPtrArray) sigs = read_signatures(image, &invalid);

    if (has_hash(s, TOOL_KEY_DBX, image, why)) {
        return false;
    }
    for (guint i = 0; i < sigs->len; i++) {
        if (has_signer(s, TOOL_KEY_DBX, sigs->pdata[i], why)) {
            return false;
        }
    }
    for (guint i = 0; i < sigs->len; i++) {
        if (has_signer(s, TOOL_KEY_DB, sigs->pdata[i], why)) {
            return true;
        }
    }
    if (has_hash(s, TOOL_KEY_DB, image, why)) {
        return true;
    }
    g_string_append(why, invalid ? "its signature is of another program" :
                         sigs->len ? "it is not signed for anybody in db" :
                         "it is not signed, and its hash is not in db");
    return false;
}

/* ------------------------------------------------------------------------ */
/* SBAT: generations of components, which shim compares with SbatLevel */

/* A line of SBAT: its component and generation */
static bool split_line(const char *line, char **component, guint64 *number)
{
    g_auto(GStrv) parts = g_strsplit(line, ",", 3);

    if (!parts[0] || !parts[1] ||
        !g_ascii_string_to_unsigned(g_strstrip(parts[1]), 10, 0, G_MAXINT32,
                                    number, NULL)) {
        return false;
    }
    *component = g_strdup(g_strstrip(parts[0]));
    return true;
}

/* The generation that @level demands of @component, or 0 */
static guint64 demanded(char **level, const char *component)
{
    for (; *level; level++) {
        g_autofree char *name = NULL;
        guint64 number;

        if (split_line(*level, &name, &number) && !strcmp(name, component)) {
            return number;
        }
    }
    return 0;
}

static char **lines_of(GBytes *text)
{
    gsize size;
    const char *data = g_bytes_get_data(text, &size);
    g_autofree char *copy = g_strndup(data ?: "", size);

    return g_strsplit(copy, "\n", -1);
}

/* Whether SbatLevel of the store lets shim start @image */
static bool check_sbat(const ToolStore *s, GBytes *image, GString *why)
{
    g_autoptr(GBytes) section = tool_pe_section(image, ".sbat");
    const UefiVariable *var =
        uefi_store_find_ascii(s->uv->store, UEFI_VIEW_BOOT, &tool_guid_shim,
                              "SbatLevel");
    g_auto(GStrv) level = var ? lines_of(var->data) : NULL;
    g_auto(GStrv) lines = section ? lines_of(section) : NULL;

    for (char **line = lines; level && line && *line; line++) {
        g_autofree char *component = NULL;
        guint64 number, least;

        if (!split_line(*line, &component, &number)) {
            continue;
        }
        least = demanded(level, component);
        if (number < least) {
            g_string_append_printf(why, "; but shim would not, as SbatLevel "
                                   "demands generation %" PRIu64 " of %s, "
                                   "and it has %" PRIu64, least, component,
                                   number);
            return false;
        }
    }
    return true;
}

/* ------------------------------------------------------------------------ */

static bool check_image(const ToolStore *s, GBytes *image, GString *why)
{
    UefiSecureBoot mode = uefi_secureboot_next(s->uv);

    if (!uefi_secure_boot_is_on(mode)) {
        g_string_append_printf(why, "secure boot is off: %s",
                               uefi_status_why(mode));
        return true;
    }
    return check_keys(s, image, why) && check_sbat(s, image, why);
}

static int run_check_image(char **args)
{
    g_autoptr(GBytes) image = tool_read_file(args[0]);
    g_autoptr(ToolStore) s = image ? tool_open(args[1], TOOL_READ) : NULL;
    g_autoptr(GString) why = g_string_new(NULL);
    uint8_t digest[64];
    size_t size = sizeof(digest);
    bool starts;

    if (!s) {
        return TOOL_USAGE;
    }
    if (!tool_pe_hash(image, G_CHECKSUM_SHA256, digest, &size)) {
        tool_fail("%s: this is no UEFI program", args[0]);
        return TOOL_USAGE;
    }
    starts = check_image(s, image, why);
    if (tool_options.json) {
        Json *root = json_object_new_object();

        tool_json_add(root, "starts", json_object_new_boolean(starts));
        tool_json_add(root, "reason", tool_json_string(why->str));
        tool_print_json(root);
    } else {
        g_autofree char *shown = tool_printable(why->str);

        printf("%s: %s\n", starts ? "starts" : "refused", shown);
    }
    return starts ? TOOL_OK : TOOL_FAILED;
}

static const GOptionEntry check_image_options[] = {
    TOOL_OPTION_JSON, { }
};

const ToolCommand tool_cmd_check_image = {
    .name = "check-image",
    .arguments = "IMAGE FILE",
    .summary = "Tell whether secure boot starts a UEFI program, and why.",
    .options = check_image_options,
    .min_args = 2,
    .max_args = 2,
    .run = run_check_image,
};
