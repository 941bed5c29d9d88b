/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: the request, and what it does to the store
 *
 * What every rule works with.  Nothing here asks whether a request is allowed,
 * save for what the store update itself demands (4.3).
 */

#include "qemu/osdep.h"
#include "hw/uefi/var-service-update.h"

/* ------------------------------------------------------------------------ */
/* Questions about phase and view */

UefiVarView uefi_vars_view(const UefiVarService *uv)
{
    return uefi_vars_at_runtime(uv) ? UEFI_VIEW_RUNTIME : UEFI_VIEW_BOOT;
}

bool uefi_vars_checks_on(const UefiVarService *uv)
{
    return uv->phase >= UEFI_PHASE_END_OF_DXE;
}

bool uefi_vars_at_runtime(const UefiVarService *uv)
{
    return uv->phase >= UEFI_PHASE_RUNTIME;
}

void uefi_vars_note(UefiVarService *uv, const char *request,
                    const UefiGuid *guid, const uint16_t *name)
{
    UefiVarAnswer *answer = &uv->answer;

    g_clear_pointer(&answer->name, g_free);
    answer->request = request;
    answer->guid = guid ? *guid : (UefiGuid) { };
    answer->name = name ? uefi_str_dup(name) : NULL;
    answer->reason = UEFI_REASON_OK;
}

GQuark uefi_state_error_quark(void)
{
    return g_quark_from_static_string("uefi-state-error");
}

/* ------------------------------------------------------------------------ */
/* The request */

bool uefi_vars_is_delete(const UefiVarRequest *req)
{
    return req->attributes == 0 ||
           (!(req->attributes & EFI_ATTR_AP) && req->payload_size == 0);
}

/* The largest record that a variable with these attributes may have */
uint32_t uefi_vars_max_record(const UefiVarService *uv, uint32_t attributes)
{
    const UefiVarLimits *limits = &uv->config.limits;

    if (attributes & EFI_ATTR_HR) {
        return limits->max_hwerr;
    }
    if (attributes & (EFI_ATTR_AT | EFI_ATTR_AW)) {
        return limits->max_auth;
    }
    return attributes & EFI_ATTR_NV ? limits->max_var : limits->max_volatile;
}

/* ------------------------------------------------------------------------ */
/* The store update (4.3) */

/* U3; by now the request is one for this variable. */
static bool removes(const UefiVarRequest *req)
{
    return (!(req->attributes & EFI_ATTR_AP) && req->payload_size == 0) ||
           !(req->attributes & (EFI_ATTR_BS | EFI_ATTR_RT));
}

/* U1, U2 and U5: whether the stored variable may be changed in this way */
static UefiReason may_update(const UefiVarService *uv,
                             const UefiVarRequest *req)
{
    const UefiVariable *old = req->old;
    size_t appended = g_bytes_get_size(old->data) + req->payload_size;

    if (uefi_vars_at_runtime(uv) && !(old->attributes & EFI_ATTR_NV)) {
        return UEFI_REASON_STORE_VOLATILE;
    }
    if (uefi_vars_at_runtime(uv) && !(old->attributes & EFI_ATTR_RT)) {
        return UEFI_REASON_STORE_NO_NV_RT;
    }
    if ((req->attributes & EFI_ATTR_AP) && !removes(req) &&
        EFI_VAR_RECORD_HEADER_SIZE + ROUND_UP(uefi_str_size(req->name), 4) +
        appended > uefi_vars_max_record(uv, req->attributes)) {
        return UEFI_REASON_STORE_APPEND;
    }
    return UEFI_REASON_OK;
}

/* U4 */
static bool is_stored(const UefiVarRequest *req)
{
    gsize size;
    const uint8_t *data = g_bytes_get_data(req->old->data, &size);

    return !(req->attributes & (EFI_ATTR_AP | EFI_ATTR_AT)) &&
           req->payload_size == size &&
           memcmp(req->payload, data, size) == 0;
}

/* U6, U8: what the stored variable becomes */
static UefiVariable *new_value(const UefiVarRequest *req)
{
    const UefiVariable *old = req->old;
    bool append = req->attributes & EFI_ATTR_AP;
    GByteArray *value = g_byte_array_new();
    UefiVariable *var;

    if (append) {
        g_byte_array_append(value, g_bytes_get_data(old->data, NULL),
                            g_bytes_get_size(old->data));
    }
    g_byte_array_append(value, req->payload, req->payload_size);
    var = uefi_variable_new(&old->guid, old->name, old->attributes,
                            g_byte_array_free_to_bytes(value));
    if (req->attributes & EFI_ATTR_AT) {
        bool keep = append && uefi_time_compare(&old->time, &req->time) > 0;

        var->time = keep ? old->time : req->time;
    }
    if (req->binding || old->binding) {
        var->binding = g_bytes_ref(req->binding ?: old->binding);
    }
    return var;
}

static UefiReason update_existing(UefiVarService *uv,
                                  const UefiVarRequest *req,
                                  UefiVarChange *change)
{
    UefiReason reason = may_update(uv, req);

    if (reason != UEFI_REASON_OK) {
        return reason;
    }
    if (removes(req)) {
        uefi_var_change_remove(change, &req->old->guid, req->old->name);
    } else if (!is_stored(req)) {
        uefi_var_change_add(change, new_value(req));
    }
    return UEFI_REASON_OK;
}

static UefiReason create(UefiVarService *uv, const UefiVarRequest *req,
                         UefiVarChange *change)
{
    uint32_t attr = req->attributes;
    bool append = attr & EFI_ATTR_AP;
    UefiVariable *var;

    if (append && req->payload_size == 0) {
        return UEFI_REASON_OK;
    }
    if (req->payload_size == 0 || !(attr & (EFI_ATTR_BS | EFI_ATTR_RT))) {
        return UEFI_REASON_STORE_MISSING;
    }
    if (uefi_vars_at_runtime(uv) &&
        (!(attr & EFI_ATTR_NV) || !(attr & EFI_ATTR_RT))) {
        return UEFI_REASON_STORE_NEW_NO_NV_RT;
    }
    var = uefi_variable_new(&req->guid, req->name, attr & EFI_ATTR_KIND,
                            g_bytes_new(req->payload, req->payload_size));
    if (!append) {
        var->time = req->time;
    }
    if (req->binding) {
        var->binding = g_bytes_ref(req->binding);
    }
    uefi_var_change_add(change, var);
    return UEFI_REASON_OK;
}

UefiReason uefi_vars_update(UefiVarService *uv, const UefiVarRequest *req,
                            UefiVarChange *change)
{
    return req->old ? update_existing(uv, req, change)
                    : create(uv, req, change);
}

/* ------------------------------------------------------------------------ */
/* Changes */

static UefiReason save(UefiVarService *uv, const UefiVarChange *change)
{
    if (!uv->host->save || !uefi_var_change_touches_nv(uv->store, change)) {
        return UEFI_REASON_OK;
    }
    return uv->host->save(uv->host_opaque, change);
}

static void publish(UefiVarService *uv, UefiVarChange *change, bool saved)
{
    if (uv->host->changed) {
        uv->host->changed(uv->host_opaque, change, saved);
    }
    uefi_store_apply(uv->store, change);
}

UefiReason uefi_vars_commit(UefiVarService *uv, UefiVarChange *change)
{
    UefiReason reason = uefi_store_check(uv->store, change);

    if (reason == UEFI_REASON_OK) {
        reason = save(uv, change);
    }
    if (reason == UEFI_REASON_OK) {
        publish(uv, change, true);
    }
    return reason;
}

void uefi_vars_commit_own(UefiVarService *uv, UefiVarChange *change)
{
    bool saved = save(uv, change) == UEFI_REASON_OK;

    publish(uv, change, saved);
}

UefiVariable *uefi_vars_put(UefiVarService *uv, UefiVarChange *change,
                            const UefiGuid *guid, const char *name,
                            uint32_t attributes, const void *data,
                            size_t size)
{
    g_autofree uint16_t *str = uefi_str_from_ascii(name);
    const UefiVariable *old = uefi_store_find(uv->store, UEFI_VIEW_BOOT,
                                              guid, str);
    g_autoptr(GBytes) value = g_bytes_new(data, size);
    UefiVariable *var;

    if (old && old->attributes == attributes &&
        g_bytes_equal(old->data, value)) {
        return NULL;
    }
    var = uefi_variable_new(guid, str, attributes, g_steal_pointer(&value));
    uefi_var_change_add(change, var);
    return var;
}
