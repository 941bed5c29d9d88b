/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: whether the keys of a store let the firmware start a program
 *
 * The rules are those of UEFI 2.10, 32.5.3.3: dbx forbids by the hash of the
 * image and by certificates in the chain of a signature; db allows in the same
 * ways.  Dates of certificates do not matter.
 */

#include "qemu/osdep.h"
#include "tool.h"

static const struct {
    const UefiGuid *type;
    GChecksumType sum;
} hashes[] = {
    { &uefi_guid_cert_sha256, G_CHECKSUM_SHA256 },
    { &uefi_guid_cert_sha384, G_CHECKSUM_SHA384 },
    { &uefi_guid_cert_sha512, G_CHECKSUM_SHA512 },
    { &uefi_guid_cert_sha1, G_CHECKSUM_SHA1 },
};

/* The entry of the variable @id that @is_it takes; false: there is none */
static bool find_entry(const ToolStore *s, ToolKey id,
                       bool (*is_it)(const void *what,
                                     const ToolSignature *entry),
                       const void *what, ToolSignature *entry)
{
    const UefiVariable *var = tool_key_find(s, id);
    ToolSignatures in;

    if (!var) {
        return false;
    }
    tool_signatures_init(&in, g_bytes_get_data(var->data, NULL),
                         g_bytes_get_size(var->data));
    while (tool_signatures_next(&in, entry)) {
        if (is_it(what, entry)) {
            return true;
        }
    }
    return false;
}

static bool is_same(const void *what, const ToolSignature *entry)
{
    return tool_signature_same(what, entry);
}

static bool is_signer(const void *what, const ToolSignature *entry)
{
    return tool_image_signature_by(what, entry);
}

/* Whether the hash of @image is in the variable @id; @why says so */
static bool has_hash(const ToolStore *s, ToolKey id, GBytes *image,
                     ToolSignature *entry, GString *why)
{
    for (size_t i = 0; i < ARRAY_SIZE(hashes); i++) {
        uint8_t digest[64];
        ToolSignature sig = {
            .type = *hashes[i].type,
            .data = digest,
            .size = sizeof(digest),
        };

        if (tool_pe_hash(image, hashes[i].sum, digest, &sig.size) &&
            find_entry(s, id, is_same, &sig, entry)) {
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
                       const ToolImageSignature *sig, ToolSignature *entry,
                       GString *why)
{
    g_autofree char *shown = NULL;

    if (!find_entry(s, id, is_signer, sig, entry)) {
        return false;
    }
    shown = tool_signature_print(entry);
    g_string_append_printf(why, "it is signed for %s, in %s", shown,
                           tool_keys[id].name);
    return true;
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
bool tool_image_allowed(const ToolStore *s, GBytes *image, ToolSignature *by,
                        GString *why)
{
    unsigned invalid;
    g_autoptr(GPtrArray) sigs = read_signatures(image, &invalid);

    if (has_hash(s, TOOL_KEY_DBX, image, by, why)) {
        return false;
    }
    for (guint i = 0; i < sigs->len; i++) {
        if (has_signer(s, TOOL_KEY_DBX, sigs->pdata[i], by, why)) {
            return false;
        }
    }
    for (guint i = 0; i < sigs->len; i++) {
        if (has_signer(s, TOOL_KEY_DB, sigs->pdata[i], by, why)) {
            return true;
        }
    }
    if (has_hash(s, TOOL_KEY_DB, image, by, why)) {
        return true;
    }
    g_string_append(why, invalid ? "its signature is of another program" :
                         sigs->len ? "it is not signed for anybody in db" :
                         "it is not signed, and its hash is not in db");
    return false;
}
