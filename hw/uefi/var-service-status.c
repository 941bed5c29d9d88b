/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: what an administrator wants to know of a store
 */

#include "qemu/osdep.h"
#include "hw/uefi/var-service-known.h"
#include "hw/uefi/var-service-status.h"
#include "hw/uefi/var-service-x509.h"

static const UefiKnownId keys[UEFI_KEY__MAX] = {
    [UEFI_KEY_PK] = UEFI_KNOWN_PK,
    [UEFI_KEY_KEK] = UEFI_KNOWN_KEK,
    [UEFI_KEY_DB] = UEFI_KNOWN_DB,
    [UEFI_KEY_DBX] = UEFI_KNOWN_DBX,
};

const UefiVendorCert uefi_vendor_certs[UEFI_VENDOR__MAX] = {
    [UEFI_VENDOR_KEK_2011] = {
        .name = "Microsoft Corporation KEK CA 2011",
        .until = "2026-06-24",
        .key = UEFI_KEY_KEK,
        .successor = UEFI_VENDOR_KEK_2023,
        .sha256 = {
            0xa1, 0x11, 0x7f, 0x51, 0x6a, 0x32, 0xce, 0xfc,
            0xba, 0x3f, 0x2d, 0x1a, 0xce, 0x10, 0xa8, 0x79,
            0x72, 0xfd, 0x6b, 0xbe, 0x8f, 0xe0, 0xd0, 0xb9,
            0x96, 0xe0, 0x9e, 0x65, 0xd8, 0x02, 0xa5, 0x03,
        },
    },
    [UEFI_VENDOR_WINDOWS_2011] = {
        .name = "Microsoft Windows Production PCA 2011",
        .until = "2026-10-19",
        .key = UEFI_KEY_DB,
        .successor = UEFI_VENDOR_WINDOWS_2023,
        .sha256 = {
            0xe8, 0xe9, 0x5f, 0x07, 0x33, 0xa5, 0x5e, 0x8b,
            0xad, 0x7b, 0xe0, 0xa1, 0x41, 0x3e, 0xe2, 0x3c,
            0x51, 0xfc, 0xea, 0x64, 0xb3, 0xc8, 0xfa, 0x6a,
            0x78, 0x69, 0x35, 0xfd, 0xdc, 0xc7, 0x19, 0x61,
        },
    },
    [UEFI_VENDOR_UEFI_2011] = {
        .name = "Microsoft Corporation UEFI CA 2011",
        .until = "2026-06-27",
        .key = UEFI_KEY_DB,
        .successor = UEFI_VENDOR_UEFI_2023,
        .sha256 = {
            0x48, 0xe9, 0x9b, 0x99, 0x1f, 0x57, 0xfc, 0x52,
            0xf7, 0x61, 0x49, 0x59, 0x9b, 0xff, 0x0a, 0x58,
            0xc4, 0x71, 0x54, 0x22, 0x9b, 0x9f, 0x8d, 0x60,
            0x3a, 0xc4, 0x0d, 0x35, 0x00, 0x24, 0x85, 0x07,
        },
    },
    [UEFI_VENDOR_KEK_2023] = {
        .name = "Microsoft Corporation KEK 2K CA 2023",
        .until = "2038-03-02",
        .key = UEFI_KEY_KEK,
        .successor = UEFI_VENDOR__MAX,
        .sha256 = {
            0x3c, 0xd3, 0xf0, 0x30, 0x9e, 0xda, 0xe2, 0x28,
            0x76, 0x7a, 0x97, 0x6d, 0xd4, 0x0d, 0x9f, 0x4a,
            0xff, 0xc4, 0xfb, 0xd5, 0x21, 0x8f, 0x2e, 0x8c,
            0xc3, 0xc9, 0xdd, 0x97, 0xe8, 0xac, 0x6f, 0x9d,
        },
    },
    [UEFI_VENDOR_WINDOWS_2023] = {
        .name = "Windows UEFI CA 2023",
        .until = "2035-06-13",
        .key = UEFI_KEY_DB,
        .successor = UEFI_VENDOR__MAX,
        .sha256 = {
            0x07, 0x6f, 0x1f, 0xea, 0x90, 0xac, 0x29, 0x15,
            0x5e, 0xbf, 0x77, 0xc1, 0x76, 0x82, 0xf7, 0x5f,
            0x1f, 0xdd, 0x1b, 0xe1, 0x96, 0xda, 0x30, 0x2d,
            0xc8, 0x46, 0x1e, 0x35, 0x0a, 0x9a, 0xe3, 0x30,
        },
    },
    [UEFI_VENDOR_UEFI_2023] = {
        .name = "Microsoft UEFI CA 2023",
        .until = "2038-06-13",
        .key = UEFI_KEY_DB,
        .successor = UEFI_VENDOR__MAX,
        .sha256 = {
            0xf6, 0x12, 0x4e, 0x34, 0x12, 0x5b, 0xee, 0x3f,
            0xe6, 0xd7, 0x9a, 0x57, 0x4e, 0xaa, 0x7b, 0x91,
            0xc0, 0xe7, 0xbd, 0x9d, 0x92, 0x9c, 0x1a, 0x32,
            0x11, 0x78, 0xef, 0xd6, 0x11, 0xda, 0xd9, 0x01,
        },
    },
    [UEFI_VENDOR_ROM_2023] = {
        .name = "Microsoft Option ROM UEFI CA 2023",
        .until = "2038-10-26",
        .key = UEFI_KEY_DB,
        .successor = UEFI_VENDOR__MAX,
        .sha256 = {
            0xe5, 0xbe, 0x3e, 0x64, 0xc6, 0xe6, 0x6a, 0x28,
            0x14, 0x57, 0xec, 0xde, 0xce, 0x0d, 0x6d, 0x07,
            0x87, 0x57, 0x7a, 0xad, 0x2a, 0x3a, 0x01, 0x44,
            0x26, 0x2c, 0x10, 0xc1, 0x4b, 0xa8, 0xd8, 0xf1,
        },
    },
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

/* ------------------------------------------------------------------------ */
/* Keys */

static void cert_free(gpointer opaque)
{
    UefiKeyCert *cert = opaque;

    uefi_x509_info_free(cert->info);
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

void uefi_sha256(const void *data, size_t size, uint8_t *digest)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    gsize digest_size = UEFI_SHA256_SIZE;

    g_checksum_update(sum, data, size);
    g_checksum_get_digest(sum, digest, &digest_size);
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
        cert->info = uefi_x509_info_new(der, size);
        uefi_sha256(der, size, cert->sha256);
        g_ptr_array_add(certs, cert);
    }
}

static void look_at_key(const UefiVarService *uv, UefiKey id,
                        UefiKeyStatus *key)
{
    const UefiKnown *known = uefi_known(keys[id]);
    UefiMsg msg;

    key->name = known->name;
    key->guid = known->guid;
    key->var = uefi_known_stored(uv, keys[id]);
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
/* Well-known certificates */

UefiVendorCertId uefi_vendor_cert_find(const uint8_t *sha256)
{
    UefiVendorCertId id = 0;

    while (id < UEFI_VENDOR__MAX &&
           memcmp(uefi_vendor_certs[id].sha256, sha256, UEFI_SHA256_SIZE)) {
        id++;
    }
    return id;
}

static void look_for_known(UefiVarStatus *status, UefiKey key)
{
    const GPtrArray *certs = status->keys[key].certs;

    for (guint i = 0; i < certs->len; i++) {
        const UefiKeyCert *cert = certs->pdata[i];
        UefiVendorCertId id = uefi_vendor_cert_find(cert->sha256);

        if (id < UEFI_VENDOR__MAX && uefi_vendor_certs[id].key == key) {
            status->known[id] = true;
        }
    }
}

static UefiReadiness readiness(const UefiVarStatus *status)
{
    bool any = false;

    if (status->setup_mode && !status->keys[UEFI_KEY_KEK].var &&
        !status->keys[UEFI_KEY_DB].var) {
        return UEFI_READINESS_NONE;
    }
    for (UefiVendorCertId id = 0; id < UEFI_VENDOR__MAX; id++) {
        UefiVendorCertId successor = uefi_vendor_certs[id].successor;

        if (status->known[id] && successor < UEFI_VENDOR__MAX &&
            !status->known[successor]) {
            return UEFI_READINESS_OUTDATED;
        }
        any |= status->known[id];
    }
    return any ? UEFI_READINESS_READY : UEFI_READINESS_OWN;
}

const char *uefi_readiness_name(UefiReadiness readiness)
{
    static const char *const names[] = {
        [UEFI_READINESS_NONE] = "none",
        [UEFI_READINESS_OWN] = "own",
        [UEFI_READINESS_OUTDATED] = "outdated",
        [UEFI_READINESS_READY] = "ready",
    };

    return names[readiness];
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
    status->secure_boot = uefi_known_is_on(uv, UEFI_KNOWN_SECURE_BOOT);
    status->custom_mode = uefi_known_is_on(uv, UEFI_KNOWN_CUSTOM_MODE);
    status->next = uefi_secureboot_next(uv);
    status->dbx_room = room_in_dbx(uv, status->keys[UEFI_KEY_DBX].var);
    look_for_known(status, UEFI_KEY_KEK);
    look_for_known(status, UEFI_KEY_DB);
    status->readiness = readiness(status);
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
