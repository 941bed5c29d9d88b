/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: signature lists
 */

#include "qemu/osdep.h"
#include "hw/uefi/var-service-siglist.h"
#include "hw/uefi/var-service-utils.h"
#include "hw/uefi/var-service-x509.h"

/* Data size of a certificate, which is free */
#define ANY_SIZE    0

/* Bytes of signature data by type (7.5); what is not here is refused. */
static const struct {
    const UefiGuid *type;
    size_t data_size;
} types[] = {
    { &uefi_guid_cert_sha1, 20 },
    { &uefi_guid_cert_sha224, 28 },
    { &uefi_guid_cert_sha256, 32 },
    { &uefi_guid_cert_sha384, 48 },
    { &uefi_guid_cert_sha512, 64 },
    { &uefi_guid_cert_rsa2048, 256 },
    { &uefi_guid_cert_rsa2048_sha1, 256 },
    { &uefi_guid_cert_rsa2048_sha256, 256 },
    { &uefi_guid_cert_x509, ANY_SIZE },
    { &uefi_guid_cert_x509_sha256, 48 },
    { &uefi_guid_cert_x509_sha384, 64 },
    { &uefi_guid_cert_x509_sha512, 80 },
};

UefiReason uefi_siglist_next(UefiMsg *msg, UefiSigList *list)
{
    size_t left = uefi_msg_left(msg);
    uint32_t list_size, sigs_size;

    list->type = uefi_msg_get_guid(msg);
    list_size = uefi_msg_get_u32(msg);
    list->header_size = uefi_msg_get_u32(msg);
    list->sig_size = uefi_msg_get_u32(msg);
    if (msg->overrun || list_size > left) {
        return UEFI_REASON_SIGLIST_REST;
    }
    if (list_size < UEFI_SIGLIST_HEADER_SIZE ||
        list->header_size > list_size - UEFI_SIGLIST_HEADER_SIZE ||
        list->sig_size <= UEFI_SIGLIST_OWNER_SIZE) {
        return UEFI_REASON_SIGLIST_BOUNDS;
    }
    sigs_size = list_size - UEFI_SIGLIST_HEADER_SIZE - list->header_size;
    if (sigs_size % list->sig_size) {
        return UEFI_REASON_SIGLIST_MULTIPLE;
    }
    list->count = sigs_size / list->sig_size;
    uefi_msg_get_bytes(msg, list->header_size);
    list->sigs = uefi_msg_get_bytes(msg, sigs_size);
    return UEFI_REASON_OK;
}

const uint8_t *uefi_siglist_cert(const UefiSigList *list, size_t i,
                                 size_t *size)
{
    *size = list->sig_size - UEFI_SIGLIST_OWNER_SIZE;
    return list->sigs + i * list->sig_size + UEFI_SIGLIST_OWNER_SIZE;
}

bool uefi_siglist_is_x509(const UefiSigList *list)
{
    return uefi_guid_equal(&list->type, &uefi_guid_cert_x509);
}

/* Q1 to Q4; @effort is what certificates have cost so far */
static UefiReason check_list(const UefiSigList *list, size_t *effort)
{
    size_t i, size;
    const uint8_t *cert;

    for (i = 0; i < ARRAY_SIZE(types); i++) {
        if (uefi_guid_equal(&list->type, types[i].type)) {
            break;
        }
    }
    if (i == ARRAY_SIZE(types)) {
        return UEFI_REASON_SIGLIST_TYPE;
    }
    if (types[i].data_size != ANY_SIZE &&
        list->sig_size != UEFI_SIGLIST_OWNER_SIZE + types[i].data_size) {
        return UEFI_REASON_SIGLIST_SIZE;
    }
    if (list->header_size) {
        return UEFI_REASON_SIGLIST_HEADER;
    }
    if (uefi_siglist_is_x509(list) && list->count) {
        cert = uefi_siglist_cert(list, 0, &size);
        return uefi_x509_check_rsa_key(cert, size, effort);
    }
    return UEFI_REASON_OK;
}

UefiReason uefi_siglist_check(const uint8_t *data, size_t size, bool single)
{
    UefiReason reason = UEFI_REASON_OK;
    size_t count = 0, effort = 0;
    UefiMsg msg;

    uefi_msg_init(&msg, (uint8_t *)data, size, 8);
    while (reason == UEFI_REASON_OK && uefi_msg_left(&msg)) {
        UefiSigList list;

        reason = uefi_siglist_next(&msg, &list);
        if (reason == UEFI_REASON_OK) {
            reason = check_list(&list, &effort);
            count += list.count;
        }
    }
    if (reason == UEFI_REASON_OK && single && count > 1) {
        return UEFI_REASON_SIGLIST_PK;
    }
    return reason;
}

/* What makes two signatures the same: type, size, owner and data */
static GBytes *signature_key(const UefiSigList *list, size_t i)
{
    GByteArray *key = g_byte_array_sized_new(sizeof(list->type) +
                                             list->sig_size);

    g_byte_array_append(key, list->type.b, sizeof(list->type.b));
    g_byte_array_append(key, list->sigs + i * list->sig_size, list->sig_size);
    return g_byte_array_free_to_bytes(key);
}

static GTree *collect(GBytes *value, UefiReason *reason)
{
    g_autoptr(GTree) known = uefi_bytes_set_new();
    UefiMsg msg;

    uefi_msg_init(&msg, (uint8_t *)g_bytes_get_data(value, NULL),
                  g_bytes_get_size(value), 8);
    while (uefi_msg_left(&msg)) {
        UefiSigList list;

        *reason = uefi_siglist_next(&msg, &list);
        if (*reason != UEFI_REASON_OK) {
            return NULL;
        }
        for (size_t i = 0; i < list.count; i++) {
            GBytes *key = signature_key(&list, i);

            g_tree_insert(known, key, key);
        }
    }
    return g_steal_pointer(&known);
}

static void put_list_header(GByteArray *out, size_t pos,
                            const UefiSigList *list, size_t count)
{
    UefiMsg msg;

    uefi_msg_init(&msg, out->data, out->len, 8);
    uefi_msg_seek(&msg, pos);
    uefi_msg_put_guid(&msg, &list->type);
    uefi_msg_put_u32(&msg, UEFI_SIGLIST_HEADER_SIZE + count * list->sig_size);
    uefi_msg_put_u32(&msg, 0);
    uefi_msg_put_u32(&msg, list->sig_size);
}

static void copy_unknown(GByteArray *out, const UefiSigList *list,
                         GTree *known)
{
    size_t pos = out->len, count = 0;

    g_byte_array_set_size(out, pos + UEFI_SIGLIST_HEADER_SIZE);
    for (size_t i = 0; i < list->count; i++) {
        g_autoptr(GBytes) key = signature_key(list, i);

        if (!g_tree_lookup(known, key)) {
            g_byte_array_append(out, list->sigs + i * list->sig_size,
                                list->sig_size);
            count++;
        }
    }
    if (count) {
        put_list_header(out, pos, list, count);
    } else {
        g_byte_array_set_size(out, pos);
    }
}

GBytes *uefi_siglist_new_only(GBytes *old, const uint8_t *data, size_t size,
                              UefiReason *reason)
{
    g_autoptr(GTree) known = NULL;
    g_autoptr(GByteArray) out = g_byte_array_sized_new(size);
    UefiMsg msg;

    *reason = UEFI_REASON_OK;
    known = collect(old, reason);
    uefi_msg_init(&msg, (uint8_t *)data, size, 8);
    while (*reason == UEFI_REASON_OK && uefi_msg_left(&msg)) {
        UefiSigList list;

        *reason = uefi_siglist_next(&msg, &list);
        if (*reason == UEFI_REASON_OK) {
            copy_unknown(out, &list, known);
        }
    }
    if (*reason != UEFI_REASON_OK) {
        return NULL;
    }
    return g_byte_array_free_to_bytes(g_steal_pointer(&out));
}
