/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: modes of secure boot (7.6)
 *
 * The variables that show them, who may write those, and what follows from a
 * platform key that comes or goes.
 */

#include "qemu/osdep.h"
#include "hw/uefi/var-service-certdb.h"
#include "hw/uefi/var-service-known.h"
#include "hw/uefi/var-service-msg.h"
#include "hw/uefi/var-service-secureboot.h"

/* State of a migration stream: version, then two flags of a byte each */
#define SECURE_BOOT_STATE_VERSION  1
#define SECURE_BOOT_STATE_SIZE     6

bool uefi_secureboot_custom_mode(const UefiVarService *uv)
{
    const UefiVariable *var = uefi_known_stored(uv, UEFI_KNOWN_CUSTOM_MODE);
    bool visible = var && (!uefi_vars_at_runtime(uv) ||
                           (var->attributes & EFI_ATTR_RT));

    return visible && uefi_known_is_on(uv, UEFI_KNOWN_CUSTOM_MODE);
}

/* Unlike what VarCheck would ask of it, it is for boot time alone (7.6). */
static void put_vendor_keys_nv(UefiVarService *uv, UefiVarChange *change,
                               uint8_t value)
{
    const UefiKnown *known = uefi_known(UEFI_KNOWN_VENDOR_KEYS_NV);

    uefi_vars_put(uv, change, known->guid, known->name,
                  known->property.attributes & ~EFI_ATTR_RT, &value,
                  sizeof(value));
}

void uefi_secureboot_put_keys_modified(UefiVarService *uv,
                                       UefiVarChange *change)
{
    put_vendor_keys_nv(uv, change, 0);
    uefi_known_put_byte(uv, change, UEFI_KNOWN_VENDOR_KEYS, 0);
}

void uefi_secureboot_put_mode(UefiVarService *uv, UefiVarChange *change,
                              bool setup)
{
    UefiVariable *mode = uefi_known_put_byte(uv, change, UEFI_KNOWN_SETUP_MODE,
                                             setup);
    const UefiVariable *enable;

    /* edk2 overwrites it where it is, so the enumeration stays as it was. */
    if (mode) {
        mode->in_place = true;
    }
    if (uefi_vars_at_runtime(uv)) {
        return;
    }
    uefi_known_put_byte(uv, change, UEFI_KNOWN_SECURE_BOOT, !setup);
    if (!setup) {
        uefi_known_put_byte(uv, change, UEFI_KNOWN_SECURE_BOOT_ENABLE, 1);
        return;
    }
    enable = uefi_known_stored(uv, UEFI_KNOWN_SECURE_BOOT_ENABLE);
    if (enable && !uv->config.force_secure_boot) {
        uefi_var_change_remove(change, &enable->guid, enable->name);
    }
}

/* Whether the value would be exactly the byte 1 after the request (13) */
static bool leaves_one(const UefiVarRequest *req)
{
    if (uefi_vars_is_delete(req)) {
        return false;
    }
    if ((req->attributes & EFI_ATTR_AP) && req->old) {
        const uint8_t *old = g_bytes_get_data(req->old->data, NULL);

        return req->payload_size == 0 &&
               g_bytes_get_size(req->old->data) == 1 && *old == 1;
    }
    return req->payload_size == 1 && *req->payload == 1;
}

UefiReason uefi_secureboot_protect(UefiVarService *uv,
                                   const UefiVarRequest *req)
{
    if (req->known->kind == UEFI_KNOWN_KIND_STATE) {
        return UEFI_REASON_AUTH_STATE;
    }
    switch (req->known->id) {
    case UEFI_KNOWN_SECURE_BOOT_ENABLE:
        return uv->config.force_secure_boot && !leaves_one(req)
               ? UEFI_REASON_AUTH_FORCED : UEFI_REASON_OK;
    case UEFI_KNOWN_CUSTOM_MODE:
        return uv->config.disable_custom_mode ? UEFI_REASON_AUTH_NO_CUSTOM
                                              : UEFI_REASON_OK;
    default:
        return UEFI_REASON_OK;
    }
}

void uefi_secureboot_follow(UefiVarService *uv)
{
    uv->secure_boot = (UefiTrustState) {
        .setup_mode = !uefi_known_stored(uv, UEFI_KNOWN_PK),
        .vendor_keys = !uefi_known_stored(uv, UEFI_KNOWN_VENDOR_KEYS_NV) ||
                       uefi_known_is_on(uv, UEFI_KNOWN_VENDOR_KEYS_NV),
    };
}

/* ------------------------------------------------------------------------ */
/* Reset (7.6, 9.1) */

static void put_signature_support(UefiVarService *uv, UefiVarChange *change)
{
    const UefiGuid support[] = {
        uefi_guid_cert_sha1, uefi_guid_cert_sha256, uefi_guid_cert_sha384,
        uefi_guid_cert_sha512, uefi_guid_cert_rsa2048, uefi_guid_cert_x509,
    };

    QEMU_BUILD_BUG_ON(sizeof(support) != ARRAY_SIZE(support) * 16);
    uefi_known_put(uv, change, UEFI_KNOWN_SIGNATURE_SUPPORT, support,
                   sizeof(support));
}

UefiSecureBoot uefi_secureboot_next(const UefiVarService *uv)
{
    if (!uefi_known_stored(uv, UEFI_KNOWN_PK)) {
        return UEFI_SECURE_BOOT_SETUP_MODE;
    }
    if (uv->config.force_secure_boot) {
        return UEFI_SECURE_BOOT_FORCED;
    }
    return !uefi_known_stored(uv, UEFI_KNOWN_SECURE_BOOT_ENABLE) ||
           uefi_known_is_on(uv, UEFI_KNOWN_SECURE_BOOT_ENABLE)
           ? UEFI_SECURE_BOOT_ENABLED : UEFI_SECURE_BOOT_DISABLED;
}

static void put_secure_boot(UefiVarService *uv, UefiVarChange *change)
{
    UefiSecureBoot next = uefi_secureboot_next(uv);

    if (uv->config.force_secure_boot ||
        (!uv->secure_boot.setup_mode &&
         !uefi_known_stored(uv, UEFI_KNOWN_SECURE_BOOT_ENABLE))) {
        uefi_known_put_byte(uv, change, UEFI_KNOWN_SECURE_BOOT_ENABLE, 1);
    }
    uefi_known_put_byte(uv, change, UEFI_KNOWN_SECURE_BOOT,
                        uefi_secure_boot_is_on(next));
}

void uefi_secureboot_init(UefiVarService *uv)
{
    static const uint16_t no_name[] = { 0 };
    g_autoptr(UefiVarChange) change = uefi_var_change_new();

    uefi_secureboot_follow(uv);
    uefi_known_put_byte(uv, change, UEFI_KNOWN_SETUP_MODE,
                        uv->secure_boot.setup_mode);
    put_signature_support(uv, change);
    put_secure_boot(uv, change);
    uefi_known_put_byte(uv, change, UEFI_KNOWN_CUSTOM_MODE, 0);
    uefi_certdb_update(uv, change, &uefi_guid_cert_db, no_name, EFI_ATTR_NV,
                       NULL);
    uefi_certdb_update(uv, change, &uefi_guid_cert_db, no_name, 0, NULL);
    if (!uefi_known_stored(uv, UEFI_KNOWN_VENDOR_KEYS_NV)) {
        put_vendor_keys_nv(uv, change, 1);
    }
    uefi_known_put_byte(uv, change, UEFI_KNOWN_VENDOR_KEYS,
                        uv->secure_boot.vendor_keys);
    uefi_vars_commit_own(uv, change);
}

static bool is_made_by_init(const UefiKnown *known)
{
    return known->kind == UEFI_KNOWN_KIND_STATE ||
           known->id == UEFI_KNOWN_SECURE_BOOT_ENABLE ||
           known->id == UEFI_KNOWN_CUSTOM_MODE;
}

bool uefi_secureboot_fits(const UefiVarStore *store, UefiVarClass class)
{
    uint64_t used = uefi_store_used(store, class);

    for (int id = 0; id < UEFI_KNOWN__MAX; id++) {
        const UefiKnown *known = uefi_known(id);
        const UefiVariable *var = is_made_by_init(known)
            ? uefi_store_find_ascii(store, UEFI_VIEW_BOOT, known->guid,
                                    known->name) : NULL;

        if (var && uefi_store_class(var->attributes) == class) {
            used -= uefi_store_record_size(var->name,
                                           g_bytes_get_size(var->data));
        }
    }
    return used <= uefi_store_capacity(store, class);
}

bool uefi_secureboot_all_fit(const UefiVarStore *store)
{
    for (int class = 0; class < UEFI_CLASS__MAX; class++) {
        if (!uefi_secureboot_fits(store, class) ||
            uefi_store_bindings(store, class) >
            uefi_store_capacity(store, class)) {
            return false;
        }
    }
    return true;
}

/* ------------------------------------------------------------------------ */
/* Migration */

UEFI_ALL_FIELDS(UefiTrustState, *state, state->setup_mode,
                state->vendor_keys)

GBytes *uefi_secureboot_save(const UefiVarService *uv)
{
    GByteArray *out = g_byte_array_sized_new(SECURE_BOOT_STATE_SIZE);
    const UefiTrustState *state = &uv->secure_boot;
    const uint8_t flags[] = { state->setup_mode, state->vendor_keys };

    uefi_bytes_put_u32(out, SECURE_BOOT_STATE_VERSION);
    g_byte_array_append(out, flags, sizeof(flags));
    return g_byte_array_free_to_bytes(out);
}

bool uefi_secureboot_load(UefiVarService *uv, GBytes *bytes, GError **err)
{
    bool has_pk = uefi_known_stored(uv, UEFI_KNOWN_PK);
    uint8_t setup_mode, vendor_keys;
    uint32_t version;
    UefiMsg msg;

    uefi_msg_init(&msg, (uint8_t *)g_bytes_get_data(bytes, NULL),
                  g_bytes_get_size(bytes), 8);
    version = uefi_msg_get_u32(&msg);
    setup_mode = uefi_msg_get_u8(&msg);
    vendor_keys = uefi_msg_get_u8(&msg);
    if (msg.overrun || uefi_msg_left(&msg) ||
        version != SECURE_BOOT_STATE_VERSION) {
        g_set_error(err, UEFI_STATE_ERROR, 0,
                    "secure boot state is not of version %d",
                    SECURE_BOOT_STATE_VERSION);
        return false;
    }
    if (setup_mode > 1 || vendor_keys > 1) {
        g_set_error(err, UEFI_STATE_ERROR, 0,
                    "secure boot state has flags that are neither 0 nor 1");
        return false;
    }
    if (setup_mode == has_pk) {
        g_set_error(err, UEFI_STATE_ERROR, 0,
                    "setup mode is %s, but PK is %s", setup_mode ? "on" : "off",
                    has_pk ? "enrolled" : "not enrolled");
        return false;
    }
    uv->secure_boot.setup_mode = setup_mode;
    uv->secure_boot.vendor_keys = vendor_keys;
    return true;
}
