/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: what an administrator wants to know of a store
 */

#include "qemu/osdep.h"
#include "hw/uefi/var-service-x509.h"
#include "hw/uefi/var-service-status.h"

static const struct {
    const char *name;
    const UefiGuid *guid;
} keys[UEFI_KEY__MAX] = {
    [UEFI_KEY_PK] = { "PK", &uefi_guid_global },
    [UEFI_KEY_KEK] = { "KEK", &uefi_guid_global },
    [UEFI_KEY_DB] = { "db", &uefi_guid_image_security },
    [UEFI_KEY_DBX] = { "dbx", &uefi_guid_image_security },
};

const char *uefi_sig_type_name(const UefiGuid *type)
{
    static const struct {
        const UefiGuid *type;
        const char *name;
    } names[] = {
        { &uefi_guid_cert_x509,             "x509" },
        { &uefi_guid_cert_sha1,             "sha1" },
        { &uefi_guid_cert_sha224,           "sha224" },
        { &uefi_guid_cert_sha256,           "sha256" },
        { &uefi_guid_cert_sha384,           "sha384" },
        { &uefi_guid_cert_sha512,           "sha512" },
        { &uefi_guid_cert_rsa2048,          "rsa2048" },
        { &uefi_guid_cert_rsa2048_sha1,     "rsa2048-sha1" },
        { &uefi_guid_cert_rsa2048_sha256,   "rsa2048-sha256" },
        { &uefi_guid_cert_x509_sha256,      "x509-sha256" },
        { &uefi_guid_cert_x509_sha384,      "x509-sha384" },
        { &uefi_guid_cert_x509_sha512,      "x509-sha512" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (uefi_guid_equal(type, names[i].type)) {
            return names[i].name;
        }
    }
    return NULL;
}

const char *uefi_status_why(UefiSecureBoot next)
{
    switch (next) {
    case UEFI_SECURE_BOOT_SETUP_MODE:
        return "no platform key is enrolled";
    case UEFI_SECURE_BOOT_DISABLED:
        return "a platform key is enrolled, but SecureBootEnable is off";
    case UEFI_SECURE_BOOT_ENABLED:
        return "a platform key is enrolled";
    case UEFI_SECURE_BOOT_FORCED:
        return "a platform key is enrolled, and the host forces it";
    }
    return "unknown";
}

static const UefiVariable *find(const UefiVarService *uv, const UefiGuid *guid,
                                const char *name)
{
    return uefi_store_find_ascii(uv->store, UEFI_VIEW_BOOT, guid, name);
}

static bool is_on(const UefiVarService *uv, const UefiGuid *guid,
                  const char *name)
{
    const UefiVariable *var = find(uv, guid, name);
    gsize size;
    const uint8_t *data = var ? g_bytes_get_data(var->data, &size) : NULL;

    return data && size && data[0] == 1;
}

/* ------------------------------------------------------------------------ */
/* Keys */

static void cert_free(gpointer opaque)
{
    UefiKeyCert *cert = opaque;

    g_free(cert->subject);
    g_free(cert);
}

void uefi_sig_count(GArray *counts, const UefiSigList *list)
{
    UefiSigCount fresh = { .type = list->type, .count = list->count };

    for (guint i = 0; i < counts->len; i++) {
        UefiSigCount *known = &g_array_index(counts, UefiSigCount, i);

        if (uefi_guid_equal(&known->type, &list->type)) {
            known->count += list->count;
            return;
        }
    }
    g_array_append_val(counts, fresh);
}

static void describe(GPtrArray *certs, const UefiSigList *list)
{
    for (size_t i = 0; i < list->count && certs->len < UEFI_STATUS_CERTS;
         i++) {
        UefiKeyCert *cert = g_new0(UefiKeyCert, 1);
        size_t size;
        const uint8_t *der = uefi_siglist_cert(list, i, &size);

        memcpy(cert->owner.b, list->sigs + i * list->sig_size,
               sizeof(cert->owner.b));
        cert->subject = uefi_x509_subject(der, size);
        g_ptr_array_add(certs, cert);
    }
}

static void look_at_key(const UefiVarService *uv, UefiKey id,
                        UefiKeyStatus *key)
{
    UefiMsg msg;

    key->name = keys[id].name;
    key->guid = keys[id].guid;
    key->var = find(uv, key->guid, key->name);
    key->counts = g_array_new(false, false, sizeof(UefiSigCount));
    key->certs = g_ptr_array_new_with_free_func(cert_free);
    if (!key->var) {
        return;
    }
    uefi_msg_init(&msg, (uint8_t *)g_bytes_get_data(key->var->data, NULL),
                  g_bytes_get_size(key->var->data), 8);
    while (uefi_msg_left(&msg)) {
        UefiSigList list;

        if (uefi_siglist_next(&msg, &list) != UEFI_REASON_OK) {
            key->damaged = true;
            return;
        }
        uefi_sig_count(key->counts, &list);
        if (uefi_siglist_is_x509(&list)) {
            describe(key->certs, &list);
        }
    }
}

/*
 * What an update of dbx can append: the new value is limited by the largest
 * authenticated variable (U5; 4.2 row 10), its record by the quota (4.5).
 */
static uint64_t room_in_dbx(const UefiVarService *uv, const UefiVariable *dbx)
{
    static const uint16_t name[] = { 'd', 'b', 'x', 0 };
    uint64_t capacity = uefi_store_capacity(uv->store, UEFI_CLASS_NV);
    uint64_t used = uefi_store_used(uv->store, UEFI_CLASS_NV);
    size_t size = dbx ? g_bytes_get_size(dbx->data) : 0;
    uint64_t record = uefi_store_record_size(name, size);
    uint64_t others = used - (dbx ? record : 0);
    uint64_t empty = uefi_store_record_size(name, 0);
    uint64_t largest = MIN(uv->config.limits.max_auth,
                           capacity > others ? (capacity - others) & ~3 : 0);

    return largest > empty + size ? largest - empty - size : 0;
}

/* ------------------------------------------------------------------------ */
/* All of it */

UefiVarStatus *uefi_status_new(const UefiVarService *uv)
{
    UefiVarStatus *status = g_new0(UefiVarStatus, 1);

    for (int id = 0; id < UEFI_KEY__MAX; id++) {
        look_at_key(uv, id, &status->keys[id]);
    }
    status->setup_mode = !status->keys[UEFI_KEY_PK].var;
    status->secure_boot = is_on(uv, &uefi_guid_global, "SecureBoot");
    status->custom_mode = is_on(uv, &uefi_guid_custom_mode, "CustomMode");
    status->next = uefi_secureboot_next(uv);
    status->dbx_room = room_in_dbx(uv, status->keys[UEFI_KEY_DBX].var);
    return status;
}

void uefi_status_free(UefiVarStatus *status)
{
    if (!status) {
        return;
    }
    for (int id = 0; id < UEFI_KEY__MAX; id++) {
        g_array_unref(status->keys[id].counts);
        g_ptr_array_unref(status->keys[id].certs);
    }
    g_free(status);
}
