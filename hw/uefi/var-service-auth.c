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
#include "hw/uefi/var-service-known.h"
#include "hw/uefi/var-service-pkcs7.h"
#include "hw/uefi/var-service-policy.h"
#include "hw/uefi/var-service-secureboot.h"
#include "hw/uefi/var-service-siglist.h"

/* ------------------------------------------------------------------------ */
/* The plan */

static UefiAuthRule rule_of(const UefiVarRequest *req)
{
    switch (req->known->id) {
    case UEFI_KNOWN_PK:
        return UEFI_AUTH_PK;
    case UEFI_KNOWN_KEK:
        return UEFI_AUTH_KEK;
    case UEFI_KNOWN_DB:
    case UEFI_KNOWN_DBX:
    case UEFI_KNOWN_DBT:
        return UEFI_AUTH_DB;
    default:
        return UEFI_AUTH_PRIVATE;
    }
}

static UefiAuthMode mode_after(const UefiVarService *uv,
                               const UefiVarRequest *req)
{
    bool remains = !uefi_vars_is_delete(req) && (req->old ||
                                                 req->payload_size);

    if (uv->secure_boot.setup_mode) {
        return remains ? UEFI_AUTH_MODE_USER : UEFI_AUTH_MODE_STAYS;
    }
    return remains ? UEFI_AUTH_MODE_STAYS : UEFI_AUTH_MODE_SETUP;
}

static UefiAuthPlan make_plan(const UefiVarService *uv,
                              const UefiVarRequest *req, bool host)
{
    bool setup_mode = uv->secure_boot.setup_mode;
    UefiAuthPlan plan = { .rule = rule_of(req) };
    bool custom;

    if (plan.rule == UEFI_AUTH_PRIVATE) {
        return plan;
    }
    custom = host || uefi_secureboot_custom_mode(uv);
    if (plan.rule == UEFI_AUTH_PK) {
        plan.mode = mode_after(uv, req);
    }
    /* Not in setup mode, but for PK, which signs itself (K2, K4, K7) */
    plan.needs_signature = !custom &&
                           (!setup_mode || plan.rule == UEFI_AUTH_PK);
    plan.modifies_vendor_keys = custom && uv->secure_boot.vendor_keys &&
                                (!setup_mode || plan.rule == UEFI_AUTH_PK);
    return plan;
}

UefiAuthPlan uefi_auth_plan(const UefiVarService *uv,
                            const UefiVarRequest *req)
{
    return make_plan(uv, req, false);
}

UefiAuthPlan uefi_auth_plan_host(const UefiVarService *uv,
                                 const UefiVarRequest *req)
{
    return make_plan(uv, req, true);
}

static void put_effects(UefiVarService *uv, const UefiAuthPlan *plan,
                        UefiVarChange *change)
{
    if (plan->mode != UEFI_AUTH_MODE_STAYS) {
        uefi_secureboot_put_mode(uv, change,
                                 plan->mode == UEFI_AUTH_MODE_SETUP);
    }
    if (plan->modifies_vendor_keys) {
        uefi_secureboot_put_keys_modified(uv, change);
    }
}

/* ------------------------------------------------------------------------ */
/* Signatures: what is common to all rules (7.3, S1 to S5) */

/*
 * Everything that the descriptor's signature is made over (7.1), had the
 * request come with @attributes
 */
static GByteArray *signed_data(const UefiVarRequest *req, uint32_t attributes)
{
    GByteArray *out = g_byte_array_new();

    uefi_bytes_put_str(out, req->name);
    g_byte_array_append(out, req->guid.b, sizeof(req->guid.b));
    uefi_bytes_put_u32(out, attributes);
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

/* S5: the firmware has disabled the policies, and deletes. */
static bool may_waive(const UefiVarService *uv, const UefiVarRequest *req)
{
    return uefi_policy_disabled(uv) && uefi_vars_is_delete(req);
}

typedef enum SignatureKind {
    SIGNATURE_REFUSED,          /* for a reason */
    SIGNATURE_GIVEN,            /* and not yet verified */
    SIGNATURE_WAIVED,           /* S5 */
} SignatureKind;

/* What rows S1 to S5 make of the descriptor of a request */
typedef struct Signature {
    SignatureKind kind;
    UefiReason reason;          /* if refused */
    UefiPkcs7 *p7;              /* if given; owned */
} Signature;

static void signature_clear(Signature *signature)
{
    g_clear_pointer(&signature->p7, uefi_pkcs7_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Signature, signature_clear)

static Signature refused(UefiReason reason)
{
    return (Signature) { .kind = SIGNATURE_REFUSED, .reason = reason };
}

static Signature read_signature(UefiVarService *uv, const UefiVarRequest *req)
{
    bool append = req->attributes & EFI_ATTR_AP;
    Signature signature = { .kind = SIGNATURE_GIVEN };
    uint32_t cert_size;
    uint16_t cert_type;
    UefiGuid cert_guid;
    UefiMsg msg;

    if (!time_is_plain(&req->time)) {
        return refused(UEFI_REASON_AUTH_TIME_FORM);
    }
    if (req->old && !append &&
        uefi_time_compare(&req->time, &req->old->time) <= 0) {
        return refused(UEFI_REASON_AUTH_TIME_OLD);
    }

    uefi_msg_init(&msg, (uint8_t *)req->data, req->size, 8);
    uefi_msg_seek(&msg, EFI_TIME_SIZE);
    cert_size = uefi_msg_get_u32(&msg);
    uefi_msg_get_u16(&msg);     /* wRevision, which edk2 does not look at */
    cert_type = uefi_msg_get_u16(&msg);
    cert_guid = uefi_msg_get_guid(&msg);
    if (msg.overrun || cert_type != EFI_WIN_CERT_TYPE_EFI_GUID ||
        !uefi_guid_equal(&cert_guid, &uefi_guid_cert_pkcs7)) {
        return refused(UEFI_REASON_AUTH_CERT_TYPE);
    }
    /* Row 9 of 4.2 has seen to it that the certificate is inside the data. */
    cert_size -= EFI_AUTH2_CERT_OFFSET - EFI_TIME_SIZE;
    signature.p7 = uefi_pkcs7_parse(uefi_msg_get_bytes(&msg, cert_size),
                                    cert_size, &signature.reason);
    if (!signature.p7) {
        return refused(signature.reason);
    }
    if (may_waive(uv, req)) {
        signature_clear(&signature);
        signature.kind = SIGNATURE_WAIVED;
    }
    return signature;
}

/* S6, but for the question whom to trust */
static UefiReason verify(const UefiVarRequest *req, UefiPkcs7 *p7)
{
    g_autoptr(GByteArray) data = signed_data(req, req->attributes);
    g_autoptr(GByteArray) other = NULL;
    UefiReason reason = uefi_pkcs7_verify(p7, data->data, data->len);

    if (reason != UEFI_REASON_PKCS7_SIGNATURE) {
        return reason;
    }
    /* An update that is meant for the other way of writing is common. */
    other = signed_data(req, req->attributes ^ EFI_ATTR_AP);
    if (!uefi_pkcs7_is_over(p7, other->data, other->len)) {
        return reason;
    }
    return req->attributes & EFI_ATTR_AP ? UEFI_REASON_AUTH_FOR_WRITE
                                         : UEFI_REASON_AUTH_FOR_APPEND;
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
    const UefiVariable *pk = uefi_known_stored(uv, UEFI_KNOWN_PK);
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
    const UefiVariable *kek = uefi_known_stored(uv, UEFI_KNOWN_KEK);
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
    bool is_pk = req->known->id == UEFI_KNOWN_PK;
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

/* K3, K4 and K8 for a signature that every signer has made */
static UefiReason set_trusted(UefiVarService *uv, const UefiVarRequest *req,
                              const UefiAuthPlan *plan, UefiPkcs7 *p7,
                              UefiVarChange *change)
{
    UefiReason reason = uv->secure_boot.setup_mode ? trust_payload(req, p7)
                                                   : trust_pk(uv, p7);

    if (reason == UEFI_REASON_OK) {
        reason = update_lists(uv, req, change);
    }
    if (reason != UEFI_REASON_OK && plan->rule == UEFI_AUTH_DB) {
        /* Whatever was wrong with PK, the word of KEK is final. */
        reason = trust_kek(uv, p7);
        if (reason == UEFI_REASON_OK) {
            reason = update_lists(uv, req, change);
        }
    }
    return reason;
}

/* K3, K4, K8: with a signature */
static UefiReason set_signed(UefiVarService *uv, const UefiVarRequest *req,
                             const UefiAuthPlan *plan, UefiVarChange *change)
{
    g_auto(Signature) signature = read_signature(uv, req);
    UefiReason reason;

    switch (signature.kind) {
    case SIGNATURE_REFUSED:
        return signature.reason;
    case SIGNATURE_WAIVED:
        g_assert(may_waive(uv, req));
        return update_lists(uv, req, change);
    case SIGNATURE_GIVEN:
        break;
    }
    reason = verify(req, signature.p7);
    if (reason != UEFI_REASON_OK) {
        /* edk2 looks for KEK before it looks at the signature */
        return plan->rule == UEFI_AUTH_DB &&
               !uefi_known_stored(uv, UEFI_KNOWN_KEK)
               ? UEFI_REASON_AUTH_NO_KEK : reason;
    }
    return set_trusted(uv, req, plan, signature.p7, change);
}

static UefiReason set_key(UefiVarService *uv, const UefiVarRequest *req,
                          const UefiAuthPlan *plan, UefiVarChange *change)
{
    const uint32_t must_have = EFI_ATTR_NV | EFI_ATTR_AT;
    UefiReason reason;

    if ((req->attributes & must_have) != must_have) {
        return plan->rule == UEFI_AUTH_DB ? UEFI_REASON_AUTH_KEK_ATTRIBUTES
                                          : UEFI_REASON_AUTH_PK_ATTRIBUTES;
    }
    reason = plan->needs_signature ? set_signed(uv, req, plan, change)
                                   : update_lists(uv, req, change);
    if (reason == UEFI_REASON_OK) {
        put_effects(uv, plan, change);
    }
    return reason;
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
    g_autoptr(GBytes) ours = NULL;
    UefiReason reason = verify(req, p7);
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

/* T5, and 4.3; @binding is what the variable should be bound to */
static UefiReason update_bound(UefiVarService *uv, const UefiVarRequest *req,
                               GBytes *binding, UefiVarChange *change)
{
    const UefiVariable *old = req->old;
    UefiVarRequest bound = *req;
    UefiReason reason = UEFI_REASON_OK;

    if (!uefi_vars_is_delete(req) &&
        (old ? !g_bytes_equal(binding, old->binding) : req->payload_size)) {
        bound.binding = binding;
        reason = uefi_certdb_update(uv, change, &req->guid, req->name,
                                    req->attributes, binding);
    }
    return reason == UEFI_REASON_OK ? update_private(uv, &bound, change)
                                    : reason;
}

/* K11 */
static UefiReason set_private_signed(UefiVarService *uv,
                                     const UefiVarRequest *req,
                                     UefiVarChange *change)
{
    g_auto(Signature) signature = read_signature(uv, req);
    g_autoptr(GBytes) binding = NULL;
    UefiReason reason;

    switch (signature.kind) {
    case SIGNATURE_REFUSED:
        return signature.reason;
    case SIGNATURE_WAIVED:
        g_assert(may_waive(uv, req));
        return update_private(uv, req, change);
    case SIGNATURE_GIVEN:
        break;
    }
    reason = check_signer(req, signature.p7, &binding);
    return reason == UEFI_REASON_OK ? update_bound(uv, req, binding, change)
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
                         const UefiAuthPlan *plan, UefiVarChange *change)
{
    return plan->rule == UEFI_AUTH_PRIVATE ? set_private(uv, req, change)
                                           : set_key(uv, req, plan, change);
}

UefiReason uefi_auth_set_host(UefiVarService *uv, const UefiVarRequest *req,
                              const UefiAuthPlan *plan,
                              UefiVarChange *change)
{
    const UefiVariable *old = req->old;
    UefiReason reason;

    if (plan->rule == UEFI_AUTH_PRIVATE) {
        return uefi_vars_is_delete(req) && old && old->binding
               ? uefi_certdb_update(uv, change, &old->guid, old->name,
                                    old->attributes, NULL)
               : UEFI_REASON_OK;
    }
    reason = uefi_siglist_check(req->payload, req->payload_size,
                                plan->rule == UEFI_AUTH_PK);
    if (reason == UEFI_REASON_OK) {
        put_effects(uv, plan, change);
    }
    return reason;
}

void uefi_auth_committed(UefiVarService *uv, const UefiAuthPlan *plan)
{
    if (plan->rule != UEFI_AUTH_PRIVATE) {
        uefi_secureboot_follow(uv);
    }
}
