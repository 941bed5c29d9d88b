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

static const uint8_t byte_0 = 0, byte_1 = 1;

static const UefiVariable *find(const UefiVarService *uv, const UefiGuid *guid,
                                const char *name)
{
    return uefi_store_find_ascii(uv->store, UEFI_VIEW_BOOT, guid, name);
}

/* Whether the first byte of a variable is 1; not for a missing one */
static bool is_one(const UefiVariable *var)
{
    gsize size;
    const uint8_t *data = var ? g_bytes_get_data(var->data, &size) : NULL;

    return data && size && data[0] == 1;
}

bool uefi_secureboot_custom_mode(const UefiVarService *uv)
{
    return is_one(uefi_store_find_ascii(uv->store, uefi_vars_view(uv),
                                        &uefi_guid_custom_mode,
                                        "CustomMode"));
}

static UefiVariable *put_byte(UefiVarService *uv, UefiVarChange *change,
                              const UefiGuid *guid, const char *name,
                              uint32_t attributes, bool value)
{
    return uefi_vars_put(uv, change, guid, name, attributes,
                         value ? &byte_1 : &byte_0, 1);
}

void uefi_secureboot_put_keys_modified(UefiVarService *uv,
                                       UefiVarChange *change)
{
    put_byte(uv, change, &uefi_guid_vendor_keys_nv, "VendorKeysNv",
             UEFI_ATTR_A23, false);
    put_byte(uv, change, &uefi_guid_global, "VendorKeys", UEFI_ATTR_A6, false);
}

void uefi_secureboot_put_mode(UefiVarService *uv, UefiVarChange *change,
                              bool setup)
{
    UefiVariable *mode = put_byte(uv, change, &uefi_guid_global, "SetupMode",
                                  UEFI_ATTR_A6, setup);

    /* edk2 overwrites it where it is, so the enumeration stays as it was. */
    if (mode) {
        mode->in_place = true;
    }
    if (uefi_vars_at_runtime(uv)) {
        return;
    }
    put_byte(uv, change, &uefi_guid_global, "SecureBoot", UEFI_ATTR_A6, !setup);
    if (!setup) {
        put_byte(uv, change, &uefi_guid_secure_boot_enable,
                 "SecureBootEnable", UEFI_ATTR_A3, true);
    } else if (!uv->config.force_secure_boot) {
        const UefiVariable *enable = find(uv, &uefi_guid_secure_boot_enable,
                                          "SecureBootEnable");

        if (enable) {
            uefi_var_change_remove(change, &enable->guid, enable->name);
        }
    }
}

static bool is_state(const UefiVarRequest *req)
{
    return uefi_vars_is_for(req, &uefi_guid_global, "SetupMode") ||
           uefi_vars_is_for(req, &uefi_guid_global, "SecureBoot") ||
           uefi_vars_is_for(req, &uefi_guid_global, "SignatureSupport") ||
           uefi_vars_is_for(req, &uefi_guid_global, "VendorKeys") ||
           uefi_vars_is_for(req, &uefi_guid_vendor_keys_nv, "VendorKeysNv") ||
           uefi_vars_is_for(req, &uefi_guid_cert_db, "certdb") ||
           uefi_vars_is_for(req, &uefi_guid_cert_db, "certdbv");
}

/* Whether the value would be exactly the byte 1 after the request (13) */
static bool leaves_one(const UefiVarRequest *req)
{
    if (uefi_vars_is_delete(req)) {
        return false;
    }
    if ((req->attributes & EFI_ATTR_AP) && req->old) {
        return req->payload_size == 0 && is_one(req->old) &&
               g_bytes_get_size(req->old->data) == 1;
    }
    return req->payload_size == 1 && req->payload[0] == 1;
}

UefiReason uefi_secureboot_protect(UefiVarService *uv,
                                   const UefiVarRequest *req)
{
    if (is_state(req)) {
        return UEFI_REASON_AUTH_STATE;
    }
    if (uv->config.force_secure_boot &&
        uefi_vars_is_for(req, &uefi_guid_secure_boot_enable,
                         "SecureBootEnable") &&
        !leaves_one(req)) {
        return UEFI_REASON_AUTH_FORCED;
    }
    if (uv->config.disable_custom_mode &&
        uefi_vars_is_for(req, &uefi_guid_custom_mode, "CustomMode")) {
        return UEFI_REASON_AUTH_NO_CUSTOM;
    }
    return UEFI_REASON_OK;
}

void uefi_secureboot_follow(UefiVarService *uv)
{
    const UefiVariable *vendor = find(uv, &uefi_guid_vendor_keys_nv,
                                      "VendorKeysNv");

    uv->secure_boot.setup_mode = !find(uv, &uefi_guid_global, "PK");
    uv->secure_boot.vendor_keys = !vendor || is_one(vendor);
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
    uefi_vars_put(uv, change, &uefi_guid_global, "SignatureSupport",
                  UEFI_ATTR_A6, support, sizeof(support));
}

UefiSecureBoot uefi_secureboot_next(const UefiVarService *uv)
{
    const UefiVariable *var = find(uv, &uefi_guid_secure_boot_enable,
                                   "SecureBootEnable");

    if (!find(uv, &uefi_guid_global, "PK")) {
        return UEFI_SECURE_BOOT_SETUP_MODE;
    }
    if (uv->config.force_secure_boot) {
        return UEFI_SECURE_BOOT_FORCED;
    }
    return !var || is_one(var) ? UEFI_SECURE_BOOT_ENABLED
                               : UEFI_SECURE_BOOT_DISABLED;
}

static void put_secure_boot(UefiVarService *uv, UefiVarChange *change)
{
    const UefiVariable *var = find(uv, &uefi_guid_secure_boot_enable,
                                   "SecureBootEnable");
    UefiSecureBoot next = uefi_secureboot_next(uv);

    if (uv->config.force_secure_boot || (!var && !uv->secure_boot.setup_mode)) {
        put_byte(uv, change, &uefi_guid_secure_boot_enable,
                 "SecureBootEnable", UEFI_ATTR_A3, true);
    }
    put_byte(uv, change, &uefi_guid_global, "SecureBoot", UEFI_ATTR_A6,
             uefi_secure_boot_is_on(next));
}

void uefi_secureboot_init(UefiVarService *uv)
{
    static const uint16_t no_name[] = { 0 };
    g_autoptr(UefiVarChange) change = uefi_var_change_new();

    uefi_secureboot_follow(uv);
    put_byte(uv, change, &uefi_guid_global, "SetupMode", UEFI_ATTR_A6,
             uv->secure_boot.setup_mode);
    put_signature_support(uv, change);
    put_secure_boot(uv, change);
    put_byte(uv, change, &uefi_guid_custom_mode, "CustomMode",
             UEFI_ATTR_A3, false);
    uefi_certdb_update(uv, change, &uefi_guid_cert_db, no_name, EFI_ATTR_NV,
                       NULL);
    uefi_certdb_update(uv, change, &uefi_guid_cert_db, no_name, 0, NULL);
    if (!find(uv, &uefi_guid_vendor_keys_nv, "VendorKeysNv")) {
        put_byte(uv, change, &uefi_guid_vendor_keys_nv, "VendorKeysNv",
                 UEFI_ATTR_A23, true);
    }
    put_byte(uv, change, &uefi_guid_global, "VendorKeys", UEFI_ATTR_A6,
             uv->secure_boot.vendor_keys);
    uefi_vars_commit_own(uv, change);
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
    bool has_pk = find(uv, &uefi_guid_global, "PK");
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
