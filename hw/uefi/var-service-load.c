/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: what the text of a store means
 */

#include "qemu/osdep.h"
#include "hw/uefi/var-service-load.h"
#include "hw/uefi/var-service-secureboot.h"

/* The variables by GUID and name, or NULL when two share them */
static GTree *index_variables(GPtrArray *vars, GError **err)
{
    g_autoptr(GTree) index = g_tree_new_full(uefi_variable_compare, NULL,
                                             NULL, NULL);

    for (guint i = 0; i < vars->len; i++) {
        UefiVariable *var = vars->pdata[i];

        if (g_tree_lookup(index, var)) {
            g_autofree char *name = uefi_str_print(var->name);

            uefi_text_fail(err, "variables[%u] (\"%s\"): an earlier entry has "
                           "the same name and guid; remove one of the two", i,
                           name);
            return NULL;
        }
        g_tree_insert(index, var, var);
    }
    return g_steal_pointer(&index);
}

/*
 * One record of certdb: GUID, length of the record, length of the name in
 * CHAR16, length of the digest, name without NUL, digest (7.4).
 */
static bool read_binding(UefiMsg *msg, GTree *index)
{
    size_t start = msg->pos;
    UefiGuid guid = uefi_msg_get_guid(msg);
    uint32_t size = uefi_msg_get_u32(msg);
    uint32_t units = uefi_msg_get_u32(msg);
    uint32_t digest_size = uefi_msg_get_u32(msg);
    g_autofree uint16_t *name = NULL;
    const uint8_t *digest;
    UefiVariable key, *var;

    if (units > uefi_msg_left(msg) / 2) {
        return false;
    }
    name = g_new0(uint16_t, units + 1);
    for (uint32_t i = 0; i < units; i++) {
        name[i] = uefi_msg_get_u16(msg);
    }
    digest = uefi_msg_get_bytes(msg, digest_size);
    if (!digest || !digest_size || digest_size > UEFI_LIMIT_BINDING ||
        msg->pos - start != size) {
        return false;
    }
    key = uefi_variable_key(&guid, name);
    var = g_tree_lookup(index, &key);
    if (var && (var->attributes & EFI_ATTR_AT) && !var->binding) {
        var->binding = g_bytes_new(digest, digest_size);
    }
    return true;
}

static bool read_certdb(const UefiVariable *certdb, GTree *index)
{
    size_t size;
    const void *data = g_bytes_get_data(certdb->data, &size);
    g_autofree uint8_t *copy = g_memdup2(data, size);
    UefiMsg msg;

    uefi_msg_init(&msg, copy, size, 8);
    if (uefi_msg_get_u32(&msg) != size) {
        return false;
    }
    while (uefi_msg_left(&msg)) {
        if (!read_binding(&msg, index)) {
            return false;
        }
    }
    return true;
}

/* Firmware keeps the bindings in one variable; we keep each with its own. */
static bool take_certdb(GPtrArray *vars, GTree *index, GError **err)
{
    for (guint i = 0; i < vars->len; i++) {
        UefiVariable *var = vars->pdata[i];

        if (!uefi_variable_is(var, &uefi_guid_cert_db, "certdb")) {
            continue;
        }
        if (!read_certdb(var, index)) {
            return uefi_text_fail(err, "variables[%u] (\"certdb\"): the list "
                                  "of signers is damaged; without this entry "
                                  "private variables can only be read", i);
        }
        g_tree_remove(index, var);
        g_ptr_array_remove_index(vars, i);
        break;
    }
    return true;
}

/* The device bundled with QEMU keeps VendorKeysNv under a GUID not its own. */
static void move_vendor_keys(GPtrArray *vars, GTree *index)
{
    g_autofree uint16_t *name = uefi_str_from_ascii("VendorKeysNv");
    const UefiVariable ours = uefi_variable_key(&uefi_guid_vendor_keys_nv,
                                                name);
    const UefiVariable theirs = uefi_variable_key(&uefi_guid_global, name);
    UefiVariable *var = g_tree_lookup(index, &theirs);

    if (var && !g_tree_lookup(index, &ours)) {
        g_tree_remove(index, var);
        var->guid = ours.guid;
        g_tree_insert(index, var, var);
    }
}

GPtrArray *uefi_load_parse(const char *text, GPtrArray *warnings,
                                    GError **err)
{
    g_autoptr(GPtrArray) vars = NULL;
    g_autoptr(GTree) index = NULL;

    if (!*text) {
        return g_ptr_array_new_with_free_func(
            (GDestroyNotify)uefi_variable_free);
    }
    vars = uefi_text_parse(text, UEFI_TEXT_DOCUMENT, warnings, err);
    if (!vars) {
        return NULL;
    }
    index = index_variables(vars, err);
    if (!index || !take_certdb(vars, index, err)) {
        return NULL;
    }
    move_vendor_keys(vars, index);
    return g_steal_pointer(&vars);
}

/* ------------------------------------------------------------------------ */
/* Loading */

static bool load_document(UefiVarStore *store, const char *document,
                          GPtrArray *warnings, GError **err)
{
    g_autoptr(UefiVarChange) change = uefi_var_change_new();
    g_autoptr(GPtrArray) vars =
        uefi_load_parse(document, warnings, err);

    if (!vars) {
        return false;
    }
    for (guint i = 0; i < vars->len; i++) {
        uefi_var_change_add(change, g_steal_pointer(&vars->pdata[i]));
        uefi_store_apply(store, change);
    }
    return true;
}

static bool load_records(UefiVarStore *store, GPtrArray *records, GError **err)
{
    for (guint i = 0; records && i < records->len; i++) {
        g_autoptr(UefiVarChange) change =
            uefi_text_parse_change(records->pdata[i], err);

        if (!change) {
            g_prefix_error(err, "journal record %u: ", i + 1);
            return false;
        }
        uefi_store_apply(store, change);
        /* a size that was larger then may have been enough, but not this */
        if (uefi_store_used(store, UEFI_CLASS_NV) +
            uefi_store_used(store, UEFI_CLASS_HWERR) >
            UEFI_LIMIT_NV_SIZE_MAX) {
            return uefi_text_fail(err, "journal record %u: with it, there is "
                                  "more than any device has room for (%d "
                                  "bytes)", i + 1, UEFI_LIMIT_NV_SIZE_MAX);
        }
    }
    return true;
}

static bool check_bindings(const UefiVarStore *store, UefiVarClass class,
                           GError **err)
{
    uint64_t used = uefi_store_bindings(store, class);
    uint64_t room = uefi_store_capacity(store, class);

    return used <= room ||
           uefi_text_fail(err, "the signers (digest) of the variables take %"
                          PRIu64 " bytes, but there is room for %" PRIu64
                          "; a digest has at most 64: remove the entries "
                          "where it is longer", used, room);
}

bool uefi_load_check_room(const UefiVarStore *store, GError **err)
{
    uint64_t nv = uefi_store_used(store, UEFI_CLASS_NV);
    uint64_t nv_room = uefi_store_capacity(store, UEFI_CLASS_NV);
    uint64_t hwerr = uefi_store_used(store, UEFI_CLASS_HWERR);
    uint64_t hwerr_room = uefi_store_capacity(store, UEFI_CLASS_HWERR);

    if (!uefi_secureboot_fits(store, UEFI_CLASS_NV)) {
        return uefi_text_fail(err, "the variables take %" PRIu64 " bytes, but "
                              "there is room for %" PRIu64 "; size has to be "
                              "at least %" PRIu64, nv, nv_room,
                              nv + EFI_VAR_STORE_HEADER_SIZE + hwerr_room);
    }
    if (!uefi_secureboot_fits(store, UEFI_CLASS_HWERR)) {
        return uefi_text_fail(err, "the hardware error records take %" PRIu64
                              " bytes, but there is room for %" PRIu64
                              "; remove them or raise their quota", hwerr,
                              hwerr_room);
    }
    return check_bindings(store, UEFI_CLASS_NV, err) &&
           check_bindings(store, UEFI_CLASS_HWERR, err);
}

bool uefi_load_store(UefiVarService *uv, const char *document,
                    GPtrArray *records, GPtrArray *warnings, GError **err)
{
    UefiVarStore *store = uefi_store_new(&uv->config.limits);

    if (!load_document(store, document ?: "", warnings, err) ||
        !load_records(store, records, err) ||
        !uefi_load_check_room(store, err)) {
        uefi_store_free(store);
        return false;
    }
    uefi_store_free(uv->store);
    uv->store = store;
    return true;
}
