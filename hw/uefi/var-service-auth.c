/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: who may write which variable
 *
 * Who may write what (protocol 7).  Nothing is changed here: a request that
 * is allowed becomes a UefiVarChange that holds all of its effects, derived
 * variables included, and the cached state follows after the commit.
 */

#include "qemu/osdep.h"
#include "hw/uefi/var-service-auth.h"
#include "hw/uefi/var-service-certdb.h"
#include "hw/uefi/var-service-pkcs7.h"
#include "hw/uefi/var-service-policy.h"
#include "hw/uefi/var-service-secureboot.h"
#include "hw/uefi/var-service-siglist.h"

/* Which rule applies (7.2) */
typedef enum AuthRule {
    RULE_PRIVATE,
    RULE_PK,                    /* PK itself */
    RULE_KEK,                   /* KEK: signed by PK */
    RULE_DB,                    /* signed by PK or by one of KEK */
} AuthRule;

/* ------------------------------------------------------------------------ */
/* Looking at variables */

static const UefiVariable *find(const UefiVarService *uv, const UefiGuid *guid,
                                const char *name)
{
    return uefi_store_find_ascii(uv->store, UEFI_VIEW_BOOT, guid, name);
}

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

/* ------------------------------------------------------------------------ */
/* Signatures: what is common to all rules (7.3, S1 to S5) */

/* Everything that the descriptor's signature is made over (7.1) */
static GByteArray *signed_data(const UefiVarRequest *req)
{
    GByteArray *out = g_byte_array_new();

    uefi_bytes_put_str(out, req->name);
    g_byte_array_append(out, req->guid.b, sizeof(req->guid.b));
    uefi_bytes_put_u32(out, req->attributes);
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

    reason = uv->secure_boot.setup_mode ? trust_payload(req, p7)
                                        : trust_pk(uv, p7);
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
    return !uefi_secureboot_custom_mode(uv) &&
           (!uv->secure_boot.setup_mode || rule_of(req) == RULE_PK);
}

/*
 * Whether the keys of the vendor are no longer all there is: written without
 * the owner's signature in user mode, or a new owner (7.6)
 */
static bool modifies_vendor_keys(UefiVarService *uv, const UefiVarRequest *req)
{
    return rule_of(req) != RULE_PRIVATE && uv->secure_boot.vendor_keys &&
           needs_signature(uv, req) == uv->secure_boot.setup_mode;
}

/* Whether there is a PK once @req, a request for it, has been carried out */
static bool pk_remains(const UefiVarRequest *req)
{
    return !uefi_vars_is_delete(req) && (req->old || req->payload_size);
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
    if (rule == RULE_PK && pk_remains(req) == uv->secure_boot.setup_mode) {
        uefi_secureboot_put_mode(uv, change, !uv->secure_boot.setup_mode);
    }
    if (modifies_vendor_keys(uv, req)) {
        uefi_secureboot_put_keys_modified(uv, change);
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

        uefi_bytes_put_u32(out, size);
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
        reason = uefi_certdb_update(uv, change, &old->guid, old->name,
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
        reason = uefi_certdb_update(uv, change, &req->guid, req->name,
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
        uv->secure_boot.vendor_keys = false;
    }
    if (rule_of(req) == RULE_PK) {
        uv->secure_boot.setup_mode = !find(uv, &uefi_guid_global, "PK");
    }
}

/* ------------------------------------------------------------------------ */
/* The host, which needs no signature */

UefiReason uefi_auth_force(UefiVarService *uv, const UefiVarRequest *req,
                           UefiVarChange *change)
{
    bool remove = uefi_vars_is_delete(req);
    bool is_pk = rule_of(req) == RULE_PK;
    const UefiVariable *old = req->old;
    UefiReason reason;

    if (rule_of(req) == RULE_PRIVATE) {
        return remove && old && old->binding
               ? uefi_certdb_update(uv, change, &old->guid, old->name,
                                    old->attributes, NULL)
               : UEFI_REASON_OK;
    }
    reason = uefi_siglist_check(req->payload, req->payload_size, is_pk);
    if (reason != UEFI_REASON_OK) {
        return reason;
    }
    if (is_pk && remove != uv->secure_boot.setup_mode) {
        uefi_secureboot_put_mode(uv, change, remove);
    }
    /* As for keys that are replaced in custom mode (7.6) */
    if (uv->secure_boot.vendor_keys && (is_pk || !uv->secure_boot.setup_mode)) {
        uefi_secureboot_put_keys_modified(uv, change);
    }
    return UEFI_REASON_OK;
}
