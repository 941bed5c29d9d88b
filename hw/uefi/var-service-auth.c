/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: authenticated variables and secure boot state
 *
 * Who may write what (protocol 7).  Nothing is changed here: a request that
 * is allowed becomes a UefiVarChange that holds all of its effects, derived
 * variables included, and the cached state follows after the commit.
 */

#include "qemu/osdep.h"
#include "hw/uefi/var-service.h"
#include "hw/uefi/var-service-pkcs7.h"
#include "hw/uefi/var-service-siglist.h"

/* Attributes by their names in the property table (5.3) */
#define ATTR_A3     (EFI_ATTR_NV | EFI_ATTR_BS)
#define ATTR_A6     (EFI_ATTR_BS | EFI_ATTR_RT)
#define ATTR_A23    (ATTR_A3 | EFI_ATTR_AT)
#define ATTR_A26    (ATTR_A6 | EFI_ATTR_AT)
#define ATTR_A27    (EFI_ATTR_NV | ATTR_A26)

/* A record of certdb: GUID, three lengths, name, digest (7.4) */
#define CERTDB_HEADER_SIZE  4
#define CERTDB_RECORD_SIZE  28
/* What edk2 keeps free of the largest authenticated variable */
#define CERTDB_RESERVE      16

/* State of a migration stream: version, then two flags of a byte each */
#define AUTH_STATE_VERSION  1
#define AUTH_STATE_SIZE     6

/* Cached, so that no variable that a guest could write is believed (H13) */
struct UefiVarAuthState {
    bool setup_mode;            /* there is no PK */
    bool vendor_keys;           /* the value of VendorKeys */
};

/* Which rule applies (7.2) */
typedef enum AuthRule {
    RULE_PRIVATE,
    RULE_PK,                    /* PK itself */
    RULE_KEK,                   /* KEK: signed by PK */
    RULE_DB,                    /* signed by PK or by one of KEK */
} AuthRule;

static const uint8_t byte_0 = 0, byte_1 = 1;

UefiVarAuthState *uefi_auth_new(void)
{
    UefiVarAuthState *auth = g_new0(UefiVarAuthState, 1);

    auth->setup_mode = true;
    return auth;
}

void uefi_auth_free(UefiVarAuthState *auth)
{
    g_free(auth);
}

bool uefi_auth_setup_mode(const UefiVarService *uv)
{
    return uv->auth->setup_mode;
}

/* ------------------------------------------------------------------------ */
/* Looking at variables */

static AuthRule rule_of(const UefiVarRequest *req)
{
    if (uefi_vars_is_for(req, &uefi_guid_global, "PK")) {
        return RULE_PK;
    }
    if (uefi_vars_is_for(req, &uefi_guid_global, "KEK")) {
        return RULE_KEK;
    }
    if (uefi_vars_is_for(req, &uefi_guid_image_security, "db") ||
        uefi_vars_is_for(req, &uefi_guid_image_security, "dbx") ||
        uefi_vars_is_for(req, &uefi_guid_image_security, "dbt")) {
        return RULE_DB;
    }
    return RULE_PRIVATE;
}

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

/* Never at runtime, as CustomMode is not visible then (7.2) */
static bool custom_mode(const UefiVarService *uv)
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

/* ------------------------------------------------------------------------ */
/* certdb and certdbv: the bindings as the guest sees them (7.4) */

static void put_u32(GByteArray *out, uint32_t value)
{
    uint8_t bytes[] = { value, value >> 8, value >> 16, value >> 24 };

    g_byte_array_append(out, bytes, sizeof(bytes));
}

static void put_name(GByteArray *out, const uint16_t *name)
{
    for (; *name; name++) {
        uint8_t bytes[] = { *name, *name >> 8 };

        g_byte_array_append(out, bytes, sizeof(bytes));
    }
}

static void put_binding(GByteArray *out, const UefiGuid *guid,
                        const uint16_t *name, GBytes *binding)
{
    gsize len = uefi_str_len(name), size;
    const uint8_t *data = g_bytes_get_data(binding, &size);

    g_byte_array_append(out, guid->b, sizeof(guid->b));
    put_u32(out, CERTDB_RECORD_SIZE + 2 * len + size);
    put_u32(out, len);
    put_u32(out, size);
    put_name(out, name);
    g_byte_array_append(out, data, size);
}

/*
 * Set or, with @binding NULL, remove the binding of one variable; an empty
 * @name is that of none.  Bindings of volatile variables stand apart, as they
 * go with the next reset.
 */
static UefiReason update_certdb(UefiVarService *uv, UefiVarChange *change,
                                const UefiGuid *guid, const uint16_t *name,
                                uint32_t attributes, GBytes *binding)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    bool nv = attributes & EFI_ATTR_NV;
    const UefiVariable *var = NULL;
    UefiMsg msg;

    if (binding && !nv && uefi_vars_at_runtime(uv)) {
        return UEFI_REASON_AUTH_CERTDB_RUNTIME;
    }
    put_u32(out, 0);
    while ((var = uefi_store_next(uv->store, UEFI_VIEW_BOOT, var))) {
        if (var->binding && !(var->attributes & EFI_ATTR_NV) == !nv &&
            !(uefi_guid_equal(&var->guid, guid) &&
              uefi_str_equal(var->name, name))) {
            put_binding(out, &var->guid, var->name, var->binding);
        }
    }
    if (binding) {
        put_binding(out, guid, name, binding);
        if (out->len + CERTDB_RESERVE > uv->config.limits.max_auth) {
            return UEFI_REASON_AUTH_CERTDB_FULL;
        }
    }
    uefi_msg_init(&msg, out->data, out->len, 8);
    uefi_msg_put_u32(&msg, out->len);
    uefi_vars_put(uv, change, &uefi_guid_cert_db, nv ? "certdb" : "certdbv",
                  nv ? ATTR_A27 : ATTR_A26, out->data, out->len);
    return UEFI_REASON_OK;
}

/* ------------------------------------------------------------------------ */
/* Signatures: what is common to all rules (7.3, S1 to S5) */

/* Everything that the descriptor's signature is made over (7.1) */
static GByteArray *signed_data(const UefiVarRequest *req)
{
    GByteArray *out = g_byte_array_new();

    put_name(out, req->name);
    g_byte_array_append(out, req->guid.b, sizeof(req->guid.b));
    put_u32(out, req->attributes);
    g_byte_array_append(out, req->time.b, sizeof(req->time.b));
    g_byte_array_append(out, req->payload, req->payload_size);
    return out;
}

/* S1: all fields of the time that a comparison does not look at are zero */
static bool time_is_plain(const UefiTime *time)
{
    static const uint8_t zero[EFI_TIME_SIZE];
    const size_t pad1 = 7;

    return memcmp(time->b + pad1, zero, EFI_TIME_SIZE - pad1) == 0;
}

/*
 * Rows S1 to S5.  OK without a signature in @p7 means that none is needed:
 * the firmware has disabled the policies, and deletes.
 */
static UefiReason read_signature(UefiVarService *uv, const UefiVarRequest *req,
                                 UefiPkcs7 **p7)
{
    bool append = req->attributes & EFI_ATTR_AP;
    uint32_t cert_size;
    uint16_t cert_type;
    UefiGuid cert_guid;
    UefiReason reason;
    UefiMsg msg;

    if (!time_is_plain(&req->time)) {
        return UEFI_REASON_AUTH_TIME_FORM;
    }
    if (req->old && !append &&
        uefi_time_compare(&req->time, &req->old->time) <= 0) {
        return UEFI_REASON_AUTH_TIME_OLD;
    }

    uefi_msg_init(&msg, (uint8_t *)req->data, req->size, 8);
    uefi_msg_seek(&msg, EFI_TIME_SIZE);
    cert_size = uefi_msg_get_u32(&msg);
    uefi_msg_get_u16(&msg);     /* wRevision, which edk2 does not look at */
    cert_type = uefi_msg_get_u16(&msg);
    cert_guid = uefi_msg_get_guid(&msg);
    if (msg.overrun || cert_type != EFI_WIN_CERT_TYPE_EFI_GUID ||
        !uefi_guid_equal(&cert_guid, &uefi_guid_cert_pkcs7)) {
        return UEFI_REASON_AUTH_CERT_TYPE;
    }
    /* Row 9 of 4.2 has seen to it that the certificate is inside the data. */
    cert_size -= EFI_AUTH2_CERT_OFFSET - EFI_TIME_SIZE;
    *p7 = uefi_pkcs7_parse(uefi_msg_get_bytes(&msg, cert_size), cert_size,
                           &reason);
    if (*p7 && req->payload_size == 0 && !append &&
        uefi_policy_disabled(uv)) {
        g_clear_pointer(p7, uefi_pkcs7_free);
    }
    return reason;
}

/* ------------------------------------------------------------------------ */
/* PK, KEK, db, dbx, dbt: trust anchors (S6) */

/* The certificate that a value of PK begins with */
static const uint8_t *first_cert(const uint8_t *data, size_t size,
                                 size_t *cert_size)
{
    UefiSigList list;
    UefiMsg msg;

    uefi_msg_init(&msg, (uint8_t *)data, size, 8);
    if (size == 0 || uefi_siglist_next(&msg, &list) != UEFI_REASON_OK ||
        list.count == 0) {
        return NULL;
    }
    return uefi_siglist_cert(&list, 0, cert_size);
}

/* The first signer has to be PK itself; there is no chaining to it. */
static UefiReason trust_pk(UefiVarService *uv, UefiPkcs7 *p7)
{
    const UefiVariable *pk = find(uv, &uefi_guid_global, "PK");
    gsize size;
    const uint8_t *data = pk ? g_bytes_get_data(pk->data, &size) : NULL;
    size_t cert_size, signer_size;
    const uint8_t *cert = data ? first_cert(data, size, &cert_size) : NULL;
    const uint8_t *signer = uefi_pkcs7_signer(p7, 0, &signer_size);

    if (!cert) {
        return UEFI_REASON_AUTH_NO_ANCHOR;
    }
    if (signer_size != cert_size || memcmp(signer, cert, cert_size)) {
        return UEFI_REASON_AUTH_NOT_PK;
    }
    return uefi_pkcs7_chains_to(p7, cert, cert_size);
}

/* The first PK has to be signed by itself (K4). */
static UefiReason trust_payload(const UefiVarRequest *req, UefiPkcs7 *p7)
{
    size_t size;
    const uint8_t *cert = first_cert(req->payload, req->payload_size, &size);

    return cert ? uefi_pkcs7_chains_to(p7, cert, size)
                : UEFI_REASON_AUTH_NO_ANCHOR;
}

/* Any certificate in KEK will do. */
static UefiReason trust_kek(UefiVarService *uv, UefiPkcs7 *p7)
{
    const UefiVariable *kek = find(uv, &uefi_guid_global, "KEK");
    UefiReason reason = UEFI_REASON_AUTH_NO_ANCHOR;
    UefiSigList list;
    UefiMsg msg;

    if (!kek) {
        return UEFI_REASON_AUTH_NO_KEK;
    }
    uefi_msg_init(&msg, (uint8_t *)g_bytes_get_data(kek->data, NULL),
                  g_bytes_get_size(kek->data), 8);
    while (uefi_msg_left(&msg) &&
           uefi_siglist_next(&msg, &list) == UEFI_REASON_OK) {
        for (size_t i = 0; uefi_siglist_is_x509(&list) && i < list.count; i++) {
            size_t size;
            const uint8_t *cert = uefi_siglist_cert(&list, i, &size);

            reason = uefi_pkcs7_chains_to(p7, cert, size);
            if (reason == UEFI_REASON_OK) {
                return UEFI_REASON_OK;
            }
        }
    }
    return reason;
}

/* ------------------------------------------------------------------------ */
/* PK, KEK, db, dbx, dbt: the rules K1 to K8 */

/* S7, then 4.3; what is appended is merged into the lists that are there */
static UefiReason update_lists(UefiVarService *uv, const UefiVarRequest *req,
                               UefiVarChange *change)
{
    bool is_pk = rule_of(req) == RULE_PK;
    bool merge = req->old && (req->attributes & EFI_ATTR_AP);
    UefiVarRequest merged = *req;
    g_autoptr(GBytes) fresh = NULL;
    UefiReason reason = uefi_siglist_check(req->payload, req->payload_size,
                                           is_pk);

    if (reason != UEFI_REASON_OK || !merge) {
        return reason == UEFI_REASON_OK ? uefi_vars_update(uv, req, change)
                                        : reason;
    }
    if (is_pk && req->payload_size) {
        return UEFI_REASON_SIGLIST_PK;
    }
    fresh = uefi_siglist_new_only(req->old->data, req->payload,
                                  req->payload_size, &reason);
    if (!fresh) {
        return reason;
    }
    merged.payload = g_bytes_get_data(fresh, &merged.payload_size);
    return uefi_vars_update(uv, &merged, change);
}

/* K3, K4, K8: with a signature */
static UefiReason set_signed(UefiVarService *uv, const UefiVarRequest *req,
                             UefiVarChange *change)
{
    AuthRule rule = rule_of(req);
    g_autoptr(UefiPkcs7) p7 = NULL;
    UefiReason reason = read_signature(uv, req, &p7);

    if (p7) {
        g_autoptr(GByteArray) data = signed_data(req);

        reason = uefi_pkcs7_verify(p7, data->data, data->len);
    }
    if (reason != UEFI_REASON_OK) {
        /* edk2 looks for KEK before it looks at the signature */
        if (p7 && rule == RULE_DB && !find(uv, &uefi_guid_global, "KEK")) {
            return UEFI_REASON_AUTH_NO_KEK;
        }
        return reason;
    }
    if (!p7) {
        return update_lists(uv, req, change);
    }

    reason = uv->auth->setup_mode ? trust_payload(req, p7) : trust_pk(uv, p7);
    if (reason == UEFI_REASON_OK) {
        reason = update_lists(uv, req, change);
    }
    if (reason != UEFI_REASON_OK && rule == RULE_DB) {
        /* Whatever was wrong with PK, the word of KEK is final. */
        reason = trust_kek(uv, p7);
        if (reason == UEFI_REASON_OK) {
            reason = update_lists(uv, req, change);
        }
    }
    return reason;
}

/* Whether a signature is needed: not in setup mode, but for PK (K2, K4, K7) */
static bool needs_signature(UefiVarService *uv, const UefiVarRequest *req)
{
    return !custom_mode(uv) &&
           (!uv->auth->setup_mode || rule_of(req) == RULE_PK);
}

/*
 * Whether the keys of the vendor are no longer all there is: written without
 * the owner's signature in user mode, or a new owner (7.6)
 */
static bool modifies_vendor_keys(UefiVarService *uv, const UefiVarRequest *req)
{
    return rule_of(req) != RULE_PRIVATE && uv->auth->vendor_keys &&
           needs_signature(uv, req) == uv->auth->setup_mode;
}

static void put_vendor_keys_modified(UefiVarService *uv, UefiVarChange *change)
{
    put_byte(uv, change, &uefi_guid_vendor_keys_nv, "VendorKeysNv", ATTR_A23,
             false);
    put_byte(uv, change, &uefi_guid_global, "VendorKeys", ATTR_A6, false);
}

/* Whether there is a PK once @req, a request for it, has been carried out */
static bool pk_remains(const UefiVarRequest *req)
{
    return !uefi_vars_is_delete(req) && (req->old || req->payload_size);
}

/* K5: what follows from a PK that comes or goes (7.6) */
static void change_mode(UefiVarService *uv, UefiVarChange *change, bool setup)
{
    UefiVariable *mode = put_byte(uv, change, &uefi_guid_global, "SetupMode",
                                  ATTR_A6, setup);

    /* edk2 overwrites it where it is, so the enumeration stays as it was. */
    if (mode) {
        mode->in_place = true;
    }
    if (uefi_vars_at_runtime(uv)) {
        return;
    }
    put_byte(uv, change, &uefi_guid_global, "SecureBoot", ATTR_A6, !setup);
    if (!setup) {
        put_byte(uv, change, &uefi_guid_secure_boot_enable,
                 "SecureBootEnable", ATTR_A3, true);
    } else if (!uv->config.force_secure_boot) {
        const UefiVariable *enable = find(uv, &uefi_guid_secure_boot_enable,
                                          "SecureBootEnable");

        if (enable) {
            uefi_var_change_remove(change, &enable->guid, enable->name);
        }
    }
}

static UefiReason set_key(UefiVarService *uv, const UefiVarRequest *req,
                          UefiVarChange *change)
{
    const uint32_t must_have = EFI_ATTR_NV | EFI_ATTR_AT;
    AuthRule rule = rule_of(req);
    UefiReason reason;

    if ((req->attributes & must_have) != must_have) {
        return rule == RULE_DB ? UEFI_REASON_AUTH_KEK_ATTRIBUTES
                               : UEFI_REASON_AUTH_PK_ATTRIBUTES;
    }
    reason = needs_signature(uv, req) ? set_signed(uv, req, change)
                                      : update_lists(uv, req, change);
    if (reason != UEFI_REASON_OK) {
        return reason;
    }
    if (rule == RULE_PK && pk_remains(req) == uv->auth->setup_mode) {
        change_mode(uv, change, !uv->auth->setup_mode);
    }
    if (modifies_vendor_keys(uv, req)) {
        put_vendor_keys_modified(uv, change);
    }
    return UEFI_REASON_OK;
}

/* ------------------------------------------------------------------------ */
/* Everything else: bound to the signer that created it (7.4) */

/* The binding of other versions: all signers, the last one first (T3) */
static GBytes *signer_list(const UefiPkcs7 *p7)
{
    GByteArray *out = g_byte_array_new();
    uint8_t count = uefi_pkcs7_signers(p7);

    g_byte_array_append(out, &count, 1);
    for (size_t i = count; i > 0; i--) {
        size_t size;
        const uint8_t *cert = uefi_pkcs7_signer(p7, i - 1, &size);

        put_u32(out, size);
        g_byte_array_append(out, cert, size);
    }
    return g_byte_array_free_to_bytes(out);
}

/*
 * The device that QEMU bundled binds to the common name of the signer and to
 * the last certificate of the bag, without a look at whether the one leads to
 * the other.  Here it must.
 */
static bool is_bound_by_qemu(UefiPkcs7 *p7, GBytes *binding)
{
    g_autoptr(GBytes) theirs = uefi_pkcs7_binding_of_qemu(p7);
    size_t size;
    const uint8_t *last = uefi_pkcs7_last_certificate(p7, &size);

    return theirs && g_bytes_equal(theirs, binding) &&
           uefi_pkcs7_chains_to(p7, last, size) == UEFI_REASON_OK;
}

/*
 * T3: whether the signer is the one that the variable is bound to.  Then
 * @ours, the binding as it is made today, is what the variable should have.
 */
static UefiReason check_binding(UefiPkcs7 *p7, GBytes *binding, GBytes *ours)
{
    g_autoptr(GBytes) list = NULL;

    if (!binding) {
        return UEFI_REASON_AUTH_NO_BINDING;
    }
    if (g_bytes_equal(binding, ours) || is_bound_by_qemu(p7, binding)) {
        return UEFI_REASON_OK;
    }
    if (g_bytes_get_size(binding) == uefi_pkcs7_digest_size(p7)) {
        return UEFI_REASON_AUTH_OTHER_SIGNER;
    }
    list = signer_list(p7);
    return g_bytes_equal(binding, list) ? UEFI_REASON_OK
                                        : UEFI_REASON_AUTH_OTHER_SIGNER;
}

/* T1 to T4; @binding is what the variable should be bound to */
static UefiReason check_signer(const UefiVarRequest *req, UefiPkcs7 *p7,
                               GBytes **binding)
{
    g_autoptr(GByteArray) data = signed_data(req);
    g_autoptr(GBytes) ours = NULL;
    UefiReason reason = uefi_pkcs7_verify(p7, data->data, data->len);
    const uint8_t *top;
    size_t size;

    if (reason != UEFI_REASON_OK) {
        return reason;
    }
    ours = uefi_pkcs7_binding(p7);
    if (!ours) {
        return UEFI_REASON_AUTH_NO_NAME;
    }
    if (req->old) {
        reason = check_binding(p7, req->old->binding, ours);
    }
    if (reason == UEFI_REASON_OK) {
        top = uefi_pkcs7_signer(p7, 0, &size);
        reason = uefi_pkcs7_chains_to(p7, top, size);
    }
    *binding = g_steal_pointer(&ours);
    return reason;
}

/* 4.3; when the variable goes, its binding goes with it */
static UefiReason update_private(UefiVarService *uv, const UefiVarRequest *req,
                                 UefiVarChange *change)
{
    const UefiVariable *old = req->old;
    UefiReason reason = uefi_vars_update(uv, req, change);

    if (reason == UEFI_REASON_OK && old && uefi_vars_is_delete(req)) {
        reason = update_certdb(uv, change, &old->guid, old->name,
                               old->attributes, NULL);
    }
    return reason;
}

/* K11 */
static UefiReason set_private_signed(UefiVarService *uv,
                                     const UefiVarRequest *req,
                                     UefiVarChange *change)
{
    const UefiVariable *old = req->old;
    UefiVarRequest bound = *req;
    g_autoptr(UefiPkcs7) p7 = NULL;
    g_autoptr(GBytes) binding = NULL;
    UefiReason reason = read_signature(uv, req, &p7);

    if (reason == UEFI_REASON_OK && p7) {
        reason = check_signer(req, p7, &binding);
    }
    if (reason == UEFI_REASON_OK && !uefi_vars_is_delete(req) && binding &&
        (old ? !g_bytes_equal(binding, old->binding) : req->payload_size)) {
        bound.binding = binding;
        reason = update_certdb(uv, change, &req->guid, req->name,
                               req->attributes, binding);
    }
    return reason == UEFI_REASON_OK ? update_private(uv, &bound, change)
                                    : reason;
}

static UefiReason set_private(UefiVarService *uv, const UefiVarRequest *req,
                              UefiVarChange *change)
{
    const uint32_t signed_kind = EFI_ATTR_AT | EFI_ATTR_AW;
    const UefiVariable *old = req->old;

    if (!uv->config.auth_delete_needs_signature && old &&
        req->attributes == old->attributes &&
        (req->attributes & EFI_ATTR_AT) && req->payload_size == 0) {
        return update_private(uv, req, change);
    }
    if (req->attributes & EFI_ATTR_AW) {
        return UEFI_REASON_AUTH_COUNTER;
    }
    if (req->attributes & EFI_ATTR_AT) {
        return set_private_signed(uv, req, change);
    }
    if (old && (old->attributes & signed_kind)) {
        return UEFI_REASON_SET_NOT_SIGNED;
    }
    return uefi_vars_update(uv, req, change);
}

/* ------------------------------------------------------------------------ */
/* Requests */

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

UefiReason uefi_auth_protect(UefiVarService *uv, const UefiVarRequest *req)
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

UefiReason uefi_auth_set(UefiVarService *uv, const UefiVarRequest *req,
                         UefiVarChange *change)
{
    return rule_of(req) == RULE_PRIVATE ? set_private(uv, req, change)
                                        : set_key(uv, req, change);
}

void uefi_auth_committed(UefiVarService *uv, const UefiVarRequest *req)
{
    /* In this order: the question depends on the mode before the request. */
    if (modifies_vendor_keys(uv, req)) {
        uv->auth->vendor_keys = false;
    }
    if (rule_of(req) == RULE_PK) {
        uv->auth->setup_mode = !find(uv, &uefi_guid_global, "PK");
    }
}

/* ------------------------------------------------------------------------ */
/* The host, which needs no signature */

/* Cached state from variables that no guest writes; whether there was any */
static bool read_mode(UefiVarService *uv)
{
    const UefiVariable *vendor = find(uv, &uefi_guid_vendor_keys_nv,
                                      "VendorKeysNv");

    uv->auth->setup_mode = !find(uv, &uefi_guid_global, "PK");
    uv->auth->vendor_keys = !vendor || is_one(vendor);
    return vendor;
}

UefiReason uefi_auth_force(UefiVarService *uv, const UefiVarRequest *req,
                           UefiVarChange *change)
{
    bool remove = uefi_vars_is_delete(req);
    bool is_pk = rule_of(req) == RULE_PK;
    const UefiVariable *old = req->old;
    UefiReason reason;

    if (rule_of(req) == RULE_PRIVATE) {
        return remove && old && old->binding
               ? update_certdb(uv, change, &old->guid, old->name,
                               old->attributes, NULL)
               : UEFI_REASON_OK;
    }
    reason = uefi_siglist_check(req->payload, req->payload_size, is_pk);
    if (reason != UEFI_REASON_OK) {
        return reason;
    }
    if (is_pk && remove != uv->auth->setup_mode) {
        change_mode(uv, change, remove);
    }
    /* As for keys that are replaced in custom mode (7.6) */
    if (uv->auth->vendor_keys && (is_pk || !uv->auth->setup_mode)) {
        put_vendor_keys_modified(uv, change);
    }
    return UEFI_REASON_OK;
}

void uefi_auth_forced(UefiVarService *uv)
{
    read_mode(uv);
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
    uefi_vars_put(uv, change, &uefi_guid_global, "SignatureSupport", ATTR_A6,
                  support, sizeof(support));
}

UefiSecureBoot uefi_auth_next_secure_boot(const UefiVarService *uv)
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
    UefiSecureBoot next = uefi_auth_next_secure_boot(uv);

    if (uv->config.force_secure_boot || (!var && !uv->auth->setup_mode)) {
        put_byte(uv, change, &uefi_guid_secure_boot_enable,
                 "SecureBootEnable", ATTR_A3, true);
    }
    put_byte(uv, change, &uefi_guid_global, "SecureBoot", ATTR_A6,
             uefi_secure_boot_is_on(next));
}

void uefi_auth_init(UefiVarService *uv)
{
    static const uint16_t no_name[] = { 0 };
    g_autoptr(UefiVarChange) change = uefi_var_change_new();
    bool has_vendor = read_mode(uv);

    put_byte(uv, change, &uefi_guid_global, "SetupMode", ATTR_A6,
             uv->auth->setup_mode);
    put_signature_support(uv, change);
    put_secure_boot(uv, change);
    put_byte(uv, change, &uefi_guid_custom_mode, "CustomMode", ATTR_A3, false);
    update_certdb(uv, change, &uefi_guid_cert_db, no_name, EFI_ATTR_NV, NULL);
    update_certdb(uv, change, &uefi_guid_cert_db, no_name, 0, NULL);
    if (!has_vendor) {
        put_byte(uv, change, &uefi_guid_vendor_keys_nv, "VendorKeysNv",
                 ATTR_A23, true);
    }
    put_byte(uv, change, &uefi_guid_global, "VendorKeys", ATTR_A6,
             uv->auth->vendor_keys);
    uefi_vars_commit_own(uv, change);
}

/* ------------------------------------------------------------------------ */
/* Migration */

UEFI_ALL_FIELDS(UefiVarAuthState, *auth, auth->setup_mode, auth->vendor_keys)

GBytes *uefi_auth_save(const UefiVarService *uv)
{
    GByteArray *out = g_byte_array_sized_new(AUTH_STATE_SIZE);
    const uint8_t flags[] = { uv->auth->setup_mode, uv->auth->vendor_keys };

    put_u32(out, AUTH_STATE_VERSION);
    g_byte_array_append(out, flags, sizeof(flags));
    return g_byte_array_free_to_bytes(out);
}

bool uefi_auth_load(UefiVarService *uv, GBytes *bytes, GError **err)
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
    if (msg.overrun || uefi_msg_left(&msg) || version != AUTH_STATE_VERSION) {
        g_set_error(err, UEFI_STATE_ERROR, 0,
                    "secure boot state is not of version %d",
                    AUTH_STATE_VERSION);
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
    uv->auth->setup_mode = setup_mode;
    uv->auth->vendor_keys = vendor_keys;
    return true;
}
