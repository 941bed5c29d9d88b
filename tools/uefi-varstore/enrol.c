/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: change the keys in a store
 *
 * The core changes its store in memory, by the rules for an administrator of
 * the host, one variable after the other; the caller writes the file once, at
 * the end, or not at all.
 */

#include "qemu/osdep.h"
#include "tool.h"
#include "hw/uefi/var-service-status.h"

static const uint32_t attributes =
    EFI_ATTR_NV | EFI_ATTR_BS | EFI_ATTR_RT | EFI_ATTR_AT;

const ToolKeyVariable tool_keys[TOOL_KEY__MAX] = {
    [TOOL_KEY_DBX] = { "dbx", &uefi_guid_image_security },
    [TOOL_KEY_DB] = { "db", &uefi_guid_image_security },
    [TOOL_KEY_KEK] = { "KEK", &uefi_guid_global },
    [TOOL_KEY_PK] = { "PK", &uefi_guid_global },
};

const UefiVariable *tool_key_find(const ToolStore *s, ToolKey id)
{
    return uefi_store_find_ascii(s->uv->store, UEFI_VIEW_BOOT,
                                 tool_keys[id].guid, tool_keys[id].name);
}

/* Time never goes back, so that no older update can be played again. */
static void put_time(ToolStore *s, ToolKey id, const UefiTime *time)
{
    g_autoptr(UefiVarChange) change = uefi_var_change_new();
    const UefiVariable *now = tool_key_find(s, id);
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

bool tool_key_set(ToolStore *s, ToolKey id, const void *lists, size_t size,
                  const UefiTime *time)
{
    g_autofree uint16_t *name = uefi_str_from_ascii(tool_keys[id].name);
    UefiReason reason;

    if (size) {
        reason = uefi_vars_host_set(s->uv, tool_keys[id].guid, name,
                                    attributes, lists, size, true);
    } else {
        reason = uefi_vars_host_delete(s->uv, tool_keys[id].guid, name, true);
    }
    if (reason != UEFI_REASON_OK) {
        tool_fail("%s: %s is refused: %s", s->path, tool_keys[id].name,
                  uefi_reason_text(reason));
        return false;
    }
    if (size && time) {
        put_time(s, id, time);
    }
    return true;
}

bool tool_key_append(ToolStore *s, ToolKey id, const GByteArray *lists,
                     const UefiTime *time)
{
    const UefiVariable *old = tool_key_find(s, id);
    g_autoptr(GByteArray) merged = g_byte_array_new();
    g_autoptr(GBytes) fresh = NULL;
    UefiReason reason;
    gsize size;
    const void *data;

    if (!old) {
        return tool_key_set(s, id, lists->data, lists->len, time);
    }
    fresh = uefi_siglist_new_only(old->data, lists->data, lists->len, &reason);
    if (!fresh) {
        tool_fail("%s: %s is refused: %s", s->path, tool_keys[id].name,
                  uefi_reason_text(reason));
        return false;
    }
    data = g_bytes_get_data(old->data, &size);
    g_byte_array_append(merged, data, size);
    data = g_bytes_get_data(fresh, &size);
    g_byte_array_append(merged, data, size);
    return tool_key_set(s, id, merged->data, merged->len, time);
}

/* ------------------------------------------------------------------------ */
/* Single signatures */

void tool_signatures_init(ToolSignatures *in, const void *data, size_t size)
{
    *in = (ToolSignatures) { };
    uefi_msg_init(&in->msg, (void *)data, size, 8);
}

bool tool_signatures_next(ToolSignatures *in, ToolSignature *sig)
{
    UefiMsg head;

    while (in->index == in->list.count) {
        if (!uefi_msg_left(&in->msg) ||
            uefi_siglist_next(&in->msg, &in->list) != UEFI_REASON_OK) {
            return false;
        }
        in->index = 0;
    }
    uefi_msg_init(&head, (void *)(in->list.sigs +
                                  in->index * in->list.sig_size),
                  UEFI_SIGLIST_OWNER_SIZE, 8);
    sig->type = in->list.type;
    sig->owner = uefi_msg_get_guid(&head);
    sig->data = uefi_siglist_cert(&in->list, in->index++, &sig->size);
    return true;
}

bool tool_signature_same(const ToolSignature *a, const ToolSignature *b)
{
    return uefi_guid_equal(&a->type, &b->type) && a->size == b->size &&
           !memcmp(a->data, b->data, a->size);
}

static bool is_in(const ToolSignature *sig, const void *data, size_t size)
{
    ToolSignatures in;
    ToolSignature other;

    tool_signatures_init(&in, data, size);
    while (tool_signatures_next(&in, &other)) {
        if (tool_signature_same(sig, &other)) {
            return true;
        }
    }
    return false;
}

bool tool_signature_in(const ToolSignature *sig, const UefiVariable *var)
{
    return var && is_in(sig, g_bytes_get_data(var->data, NULL),
                        g_bytes_get_size(var->data));
}

bool tool_signature_in_lists(const ToolSignature *sig, const GByteArray *lists)
{
    return is_in(sig, lists->data, lists->len);
}

/* The same, of a certificate also by its fingerprint in a list of hashes */
static bool is_meant(const ToolSignature *sig, const GByteArray *lists)
{
    uint8_t digest[UEFI_SHA256_SIZE];
    ToolSignature fingerprint = {
        .type = uefi_guid_cert_sha256,
        .data = digest,
        .size = sizeof(digest),
    };
    ToolSignatures in;
    ToolSignature other;

    uefi_sha256(sig->data, sig->size, digest);
    tool_signatures_init(&in, lists->data, lists->len);
    while (tool_signatures_next(&in, &other)) {
        if (tool_signature_same(sig, &other) ||
            (uefi_guid_equal(&sig->type, &uefi_guid_cert_x509) &&
             tool_signature_same(&fingerprint, &other))) {
            return true;
        }
    }
    return false;
}

/* @list without what @lists mean, grouped as it is; returns how many went */
static size_t copy_list(GByteArray *out, const UefiSigList *list,
                        const GByteArray *lists)
{
    size_t pos = out->len, head = UEFI_SIGLIST_HEADER_SIZE + list->header_size;
    size_t kept = 0;
    UefiMsg msg;

    g_byte_array_append(out, list->sigs - head, head);
    for (size_t i = 0; i < list->count; i++) {
        ToolSignature sig = { .type = list->type };

        sig.data = uefi_siglist_cert(list, i, &sig.size);
        if (!is_meant(&sig, lists)) {
            g_byte_array_append(out, list->sigs + i * list->sig_size,
                                list->sig_size);
            kept++;
        }
    }
    if (!kept) {
        g_byte_array_set_size(out, pos);
    } else {
        uefi_msg_init(&msg, out->data, out->len, 8);
        uefi_msg_seek(&msg, pos + sizeof(list->type));
        uefi_msg_put_u32(&msg, out->len - pos);
    }
    return list->count - kept;
}

GByteArray *tool_signatures_without(GBytes *value, const GByteArray *lists,
                                    const char *what)
{
    g_autoptr(GByteArray) rest = g_byte_array_new();
    size_t removed = 0;
    UefiMsg msg;

    uefi_msg_init(&msg, value ? (void *)g_bytes_get_data(value, NULL) : NULL,
                  value ? g_bytes_get_size(value) : 0, 8);
    while (uefi_msg_left(&msg)) {
        UefiSigList list;
        UefiReason reason = uefi_siglist_next(&msg, &list);

        if (reason != UEFI_REASON_OK) {
            tool_fail("%s is damaged: %s", what, uefi_reason_text(reason));
            return NULL;
        }
        removed += copy_list(rest, &list, lists);
    }
    if (!removed) {
        tool_fail("%s has none of them", what);
        return NULL;
    }
    return g_steal_pointer(&rest);
}

bool tool_key_remove(ToolStore *s, ToolKey id, const GByteArray *lists)
{
    const UefiVariable *old = tool_key_find(s, id);
    g_autoptr(GByteArray) rest = tool_signatures_without(
        old ? old->data : NULL, lists, tool_keys[id].name);

    return rest && tool_key_set(s, id, rest->data, rest->len, NULL);
}

/* Where the last list of @lists begins, if @sig can join it; else the end */
static size_t last_list(const GByteArray *lists, const ToolSignature *sig)
{
    size_t pos = lists->len;
    UefiMsg msg;

    if (uefi_guid_equal(&sig->type, &uefi_guid_cert_x509)) {
        return pos;             /* by custom, each has a list of its own */
    }
    uefi_msg_init(&msg, lists->data, lists->len, 8);
    while (uefi_msg_left(&msg)) {
        size_t start = msg.pos;
        UefiSigList list;

        if (uefi_siglist_next(&msg, &list) != UEFI_REASON_OK) {
            return lists->len;
        }
        pos = uefi_guid_equal(&list.type, &sig->type) &&
              list.sig_size == UEFI_SIGLIST_OWNER_SIZE + sig->size
              ? start : lists->len;
    }
    return pos;
}

void tool_signature_append(GByteArray *lists, const ToolSignature *sig)
{
    size_t end = lists->len, pos = last_list(lists, sig);
    size_t sig_size = UEFI_SIGLIST_OWNER_SIZE + sig->size;
    UefiMsg msg;

    end = pos < end ? end : end + UEFI_SIGLIST_HEADER_SIZE;
    g_byte_array_set_size(lists, end + sig_size);
    uefi_msg_init(&msg, lists->data, lists->len, 8);
    uefi_msg_seek(&msg, pos);
    uefi_msg_put_guid(&msg, &sig->type);
    uefi_msg_put_u32(&msg, lists->len - pos);
    uefi_msg_put_u32(&msg, 0);
    uefi_msg_put_u32(&msg, sig_size);
    uefi_msg_seek(&msg, end);
    uefi_msg_put_guid(&msg, &sig->owner);
    uefi_msg_put_bytes(&msg, sig->data, sig->size);
}

char *tool_signature_print(const ToolSignature *sig)
{
    g_autofree char *type = tool_signature_type(&sig->type);
    g_autoptr(UefiX509Info) info = NULL;
    GString *out = g_string_new(NULL);

    if (uefi_guid_equal(&sig->type, &uefi_guid_cert_x509)) {
        info = uefi_x509_info_new(sig->data, sig->size);
        g_string_append(out, info && info->subject ? info->subject
                                                   : "unreadable");
    } else {
        g_string_append_printf(out, "%s ", type);
        uefi_hex_append(out, sig->data, MIN(sig->size, 64));
    }
    return g_string_free(out, FALSE);
}
