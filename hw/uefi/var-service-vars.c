/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: the variable protocol
 */

#include "qemu/osdep.h"
#include "hw/uefi/var-service.h"

/* Bits that QueryVariableInfo and row 4 of 4.2 look at: all but AW */
#define ATTR_MASK   (EFI_ATTR_ALL & ~EFI_ATTR_AW)

/* Size of EFI_VARIABLE_AUTHENTICATION with its RSA-2048 certificate */
#define AW_DESCRIPTOR_SIZE  560

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

/* ------------------------------------------------------------------------ */
/* SetVariable */

/* The largest record that a variable with these attributes may have */
static uint32_t max_record(const UefiVarService *uv, uint32_t attributes)
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

/* Rows 2 to 7 */
static UefiReason check_attributes(const UefiVarLimits *limits, uint32_t attr)
{
    bool aw = attr & EFI_ATTR_AW;

    if (attr & ~EFI_ATTR_ALL) {
        return UEFI_REASON_SET_UNKNOWN;
    }
    if ((attr & EFI_ATTR_RT) && !(attr & EFI_ATTR_BS)) {
        return aw ? UEFI_REASON_SET_RT_NO_BS_AW : UEFI_REASON_SET_RT_NO_BS;
    }
    if ((attr & ATTR_MASK) == EFI_ATTR_NV) {
        return aw ? UEFI_REASON_SET_NV_ONLY_AW : UEFI_REASON_SET_NV_ONLY;
    }
    if (!(attr & (EFI_ATTR_AT | EFI_ATTR_AW)) && (attr & EFI_ATTR_HR) &&
        limits->hwerr_quota == 0) {
        return UEFI_REASON_SET_NO_HR;
    }
    if (aw && (attr & EFI_ATTR_AT)) {
        return UEFI_REASON_SET_AW_AT;
    }
    return UEFI_REASON_OK;
}

/* Rows 8 and 9: where the descriptor ends and the new value begins */
static UefiReason split_descriptor(UefiVarRequest *req)
{
    uint32_t cert_size;
    UefiMsg msg;

    req->payload = req->data;
    req->payload_size = req->size;
    if (req->attributes & EFI_ATTR_AW) {
        if (req->size != AW_DESCRIPTOR_SIZE) {
            return UEFI_REASON_SET_AW_SIZE;
        }
        req->payload += AW_DESCRIPTOR_SIZE;
        req->payload_size = 0;
    }
    if (!(req->attributes & EFI_ATTR_AT)) {
        return UEFI_REASON_OK;
    }
    uefi_msg_init(&msg, (uint8_t *)req->data, req->size, 8);
    if (req->size < EFI_AUTH2_CERT_OFFSET) {
        return UEFI_REASON_SET_DESCRIPTOR;
    }
    memcpy(req->time.b, uefi_msg_get_bytes(&msg, EFI_TIME_SIZE),
           EFI_TIME_SIZE);
    cert_size = uefi_msg_get_u32(&msg);
    if (cert_size < EFI_AUTH2_CERT_OFFSET - EFI_TIME_SIZE ||
        cert_size > req->size - EFI_TIME_SIZE) {
        return UEFI_REASON_SET_DESCRIPTOR;
    }
    req->payload += EFI_TIME_SIZE + cert_size;
    req->payload_size -= EFI_TIME_SIZE + cert_size;
    return UEFI_REASON_OK;
}

bool uefi_vars_is_for(const UefiVarRequest *req, const UefiGuid *guid,
                      const char *ascii)
{
    return uefi_guid_equal(&req->guid, guid) && uefi_str_is(req->name, ascii);
}

bool uefi_vars_is_delete(const UefiVarRequest *req)
{
    return req->attributes == 0 ||
           (!(req->attributes & EFI_ATTR_AP) && req->payload_size == 0);
}

static UefiReason update_existing(UefiVarService *uv,
                                  const UefiVarRequest *req,
                                  UefiVarChange *change)
{
    const UefiVariable *old = req->old;
    uint32_t attr = req->attributes;
    bool append = attr & EFI_ATTR_AP;
    gsize old_size;
    const uint8_t *old_data = g_bytes_get_data(old->data, &old_size);
    g_autoptr(GByteArray) value = g_byte_array_new();
    UefiVariable *var;

    if (uefi_vars_at_runtime(uv) && !(old->attributes & EFI_ATTR_NV)) {
        return UEFI_REASON_STORE_VOLATILE;
    }
    if (uefi_vars_at_runtime(uv) && !(old->attributes & EFI_ATTR_RT)) {
        return UEFI_REASON_STORE_NO_NV_RT;
    }
    if ((!append && req->payload_size == 0) ||
        !(attr & (EFI_ATTR_BS | EFI_ATTR_RT))) {
        uefi_var_change_remove(change, &old->guid, old->name);
        return UEFI_REASON_OK;
    }
    if (!append && !(attr & EFI_ATTR_AT) && req->payload_size == old_size &&
        memcmp(req->payload, old_data, old_size) == 0) {
        return UEFI_REASON_OK;
    }
    if (append && EFI_VAR_RECORD_HEADER_SIZE +
                  ROUND_UP(uefi_str_size(req->name), 4) +
                  old_size + req->payload_size > max_record(uv, attr)) {
        return UEFI_REASON_STORE_APPEND;
    }

    if (append) {
        g_byte_array_append(value, old_data, old_size);
    }
    g_byte_array_append(value, req->payload, req->payload_size);
    var = uefi_variable_new(&old->guid, old->name, old->attributes,
                            g_byte_array_free_to_bytes(
                                g_steal_pointer(&value)));
    if (attr & EFI_ATTR_AT) {
        bool keep = append && uefi_time_compare(&old->time, &req->time) > 0;

        var->time = keep ? old->time : req->time;
    }
    if (req->binding || old->binding) {
        var->binding = g_bytes_ref(req->binding ?: old->binding);
    }
    uefi_var_change_add(change, var);
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

UefiReason uefi_vars_write(UefiVarService *uv, const UefiVarRequest *req)
{
    g_autoptr(UefiVarChange) change = uefi_var_change_new();
    const UefiVariable *old = req->old;
    UefiReason reason;

    reason = uefi_auth_protect(uv, req);
    if (reason == UEFI_REASON_OK && uefi_vars_checks_on(uv)) {
        reason = uefi_check_set(uv, req);
    }
    if (reason != UEFI_REASON_OK) {
        return reason;
    }
    if (old && uefi_vars_at_runtime(uv) && !(old->attributes & EFI_ATTR_RT)) {
        return UEFI_REASON_SET_NOT_RUNTIME;
    }
    if (old && req->attributes &&
        (req->attributes & ~EFI_ATTR_AP) != old->attributes) {
        return UEFI_REASON_SET_ATTRIBUTES;
    }
    reason = uefi_check_language(uv, req, change);
    if (reason == UEFI_REASON_OK) {
        reason = uefi_auth_set(uv, req, change);
    }
    if (reason == UEFI_REASON_OK) {
        reason = uefi_vars_commit(uv, change);
    }
    if (reason == UEFI_REASON_OK) {
        UefiVarRequest done = *req;

        done.old = NULL;        /* it may be gone */
        uefi_auth_committed(uv, &done);
    } else if (reason == UEFI_REASON_STORE_FULL) {
        uefi_check_no_room(uv);
    }
    return reason;
}

UefiReason uefi_vars_set(UefiVarService *uv, const UefiGuid *guid,
                         const uint16_t *name, uint32_t attributes,
                         const uint8_t *data, size_t size)
{
    UefiVarRequest req = {
        .guid = *guid,
        .name = name,
        .attributes = attributes,
        .data = data,
        .size = size,
    };
    UefiReason reason;

    if (!*name) {
        return UEFI_REASON_SET_NO_NAME;
    }
    reason = check_attributes(&uv->config.limits, attributes);
    if (reason == UEFI_REASON_OK) {
        reason = split_descriptor(&req);
    }
    if (reason != UEFI_REASON_OK) {
        return reason;
    }
    if (EFI_VAR_RECORD_HEADER_SIZE + uefi_str_size(name) + req.payload_size >
        max_record(uv, attributes)) {
        return UEFI_REASON_SET_TOO_LARGE;
    }
    req.old = uefi_store_find(uv->store, UEFI_VIEW_BOOT, guid, name);
    if (uefi_check_mor(uv, &req, &reason)) {
        return reason;
    }
    return uefi_vars_write(uv, &req);
}

/* ------------------------------------------------------------------------ */
/* The host sets and removes, without regard to phases and policies */

static void host_update(const UefiVarRequest *req, UefiVarChange *change)
{
    const UefiVariable *old = req->old;
    g_autoptr(GBytes) value = g_bytes_new(req->payload, req->payload_size);
    UefiVariable *var;

    if (uefi_vars_is_delete(req)) {
        uefi_var_change_remove(change, &req->guid, req->name);
        return;
    }
    if (old && g_bytes_equal(old->data, value)) {
        return;
    }
    var = uefi_variable_new(&req->guid, req->name, req->attributes,
                            g_steal_pointer(&value));
    if (old) {
        var->time = old->time;
        var->binding = old->binding ? g_bytes_ref(old->binding) : NULL;
    }
    uefi_var_change_add(change, var);
}

static UefiReason host_write(UefiVarService *uv, const UefiVarRequest *req,
                             bool force)
{
    g_autoptr(UefiVarChange) change = uefi_var_change_new();
    UefiReason reason = uefi_auth_protect(uv, req);

    if (reason != UEFI_REASON_OK) {
        return reason;
    }
    if ((req->attributes & EFI_ATTR_AT) && !force) {
        return UEFI_REASON_HOST_NOT_FORCED;
    }
    if (uefi_check_mor(uv, req, &reason)) {
        return reason;
    }
    reason = uefi_check_rules(uv, req);
    if (reason == UEFI_REASON_OK) {
        reason = uefi_check_language(uv, req, change);
    }
    if (reason == UEFI_REASON_OK) {
        host_update(req, change);
        reason = uefi_auth_force(uv, req, change);
    }
    if (reason == UEFI_REASON_OK) {
        reason = uefi_vars_commit(uv, change);
    }
    if (reason == UEFI_REASON_OK) {
        uefi_auth_forced(uv);
    }
    return reason;
}

UefiReason uefi_vars_host_attributes(const UefiVarLimits *limits,
                                     uint32_t attributes)
{
    UefiReason reason = check_attributes(limits, attributes);

    if (reason != UEFI_REASON_OK) {
        return reason;
    }
    if (attributes & EFI_ATTR_AW) {
        return UEFI_REASON_AUTH_COUNTER;
    }
    if (!(attributes & EFI_ATTR_BS) || (attributes & EFI_ATTR_AP)) {
        return UEFI_REASON_HOST_ATTRIBUTES;
    }
    return UEFI_REASON_OK;
}

UefiReason uefi_vars_host_set(UefiVarService *uv, const UefiGuid *guid,
                              const uint16_t *name, uint32_t attributes,
                              const uint8_t *data, size_t size, bool force)
{
    UefiVarRequest req = {
        .guid = *guid,
        .name = name,
        .attributes = attributes,
        .data = data,
        .size = size,
        .payload = data,
        .payload_size = size,
        .old = uefi_store_find(uv->store, UEFI_VIEW_BOOT, guid, name),
    };
    UefiReason reason = uefi_vars_host_attributes(&uv->config.limits,
                                                  attributes);

    if (!*name) {
        return UEFI_REASON_SET_NO_NAME;
    }
    if (reason != UEFI_REASON_OK) {
        return reason;
    }
    if (size == 0) {
        return UEFI_REASON_HOST_NO_VALUE;
    }
    if (EFI_VAR_RECORD_HEADER_SIZE + uefi_str_size(name) + size >
        max_record(uv, attributes)) {
        return UEFI_REASON_SET_TOO_LARGE;
    }
    if (req.old && req.old->attributes != attributes) {
        return UEFI_REASON_SET_ATTRIBUTES;
    }
    return host_write(uv, &req, force);
}

UefiReason uefi_vars_host_delete(UefiVarService *uv, const UefiGuid *guid,
                                 const uint16_t *name, bool force)
{
    const UefiVariable *old = uefi_store_find(uv->store, UEFI_VIEW_BOOT, guid,
                                              name);
    UefiVarRequest req = {
        .guid = *guid,
        .name = name,
        .old = old,
    };

    if (!old) {
        return UEFI_REASON_STORE_MISSING;
    }
    req.attributes = old->attributes;
    return host_write(uv, &req, force);
}

/* ------------------------------------------------------------------------ */
/* Requests: GetVariable and SetVariable share the ACCESS layout (3.3) */

typedef struct Access {
    UefiGuid guid;
    uint64_t data_size;
    uint64_t name_size;
    uint32_t attributes;
    uint16_t *name;
    size_t data_size_pos;
    size_t attributes_pos;
    size_t data_pos;
} Access;

static UefiReason read_access(UefiMsg *msg, Access *access)
{
    uint64_t left;

    access->guid = uefi_msg_get_guid(msg);
    access->data_size_pos = msg->pos;
    access->data_size = uefi_msg_get_un(msg);
    access->name_size = uefi_msg_get_un(msg);
    access->attributes_pos = msg->pos;
    access->attributes = uefi_msg_get_u32(msg);
    if (msg->overrun) {
        return UEFI_REASON_MSG_SHORT;
    }
    left = uefi_msg_left(msg);
    if (access->name_size > left ||
        access->data_size > left - access->name_size) {
        return UEFI_REASON_MSG_BOUNDS;
    }
    access->name = uefi_msg_get_name(msg, access->name_size);
    access->data_pos = msg->pos;
    return access->name ? UEFI_REASON_OK : UEFI_REASON_MSG_NAME;
}

static UefiReason get_variable(UefiVarService *uv, UefiMsg *msg)
{
    Access access = { };
    UefiReason reason = read_access(msg, &access);
    g_autofree uint16_t *name = access.name;
    const UefiVariable *var;
    const void *data;
    gsize size;

    uefi_vars_note(uv, "GetVariable", &access.guid, name);
    if (reason != UEFI_REASON_OK) {
        return reason;
    }
    if (!*name) {
        return UEFI_REASON_GET_NO_NAME;
    }
    var = uefi_store_find(uv->store, uefi_vars_view(uv), &access.guid, name);
    if (!var) {
        return UEFI_REASON_GET_MISSING;
    }
    data = g_bytes_get_data(var->data, &size);
    uefi_msg_seek(msg, access.data_size_pos);
    uefi_msg_put_un(msg, size);
    uefi_msg_seek(msg, access.attributes_pos);
    uefi_msg_put_u32(msg, var->attributes);
    if (access.data_size < size) {
        return UEFI_REASON_GET_TOO_SMALL;
    }
    uefi_msg_seek(msg, access.data_pos);
    uefi_msg_put_bytes(msg, data, size);
    return UEFI_REASON_OK;
}

static UefiReason set_variable(UefiVarService *uv, UefiMsg *msg)
{
    Access access = { };
    UefiReason reason = read_access(msg, &access);
    g_autofree uint16_t *name = access.name;

    uefi_vars_note(uv, "SetVariable", &access.guid, name);
    if (reason != UEFI_REASON_OK) {
        return reason;
    }
    return uefi_vars_set(uv, &access.guid, name, access.attributes,
                         uefi_msg_get_bytes(msg, access.data_size),
                         access.data_size);
}

/* ------------------------------------------------------------------------ */
/* Requests: GetNextVariableName and LockVariable share the NEXT layout */

typedef struct Next {
    size_t guid_pos;
    UefiGuid guid;
    size_t name_size_pos;
    uint64_t name_size;
    size_t name_pos;
} Next;

static UefiReason read_next(UefiMsg *msg, Next *next)
{
    next->guid_pos = msg->pos;
    next->guid = uefi_msg_get_guid(msg);
    next->name_size_pos = msg->pos;
    next->name_size = uefi_msg_get_un(msg);
    next->name_pos = msg->pos;
    if (msg->overrun) {
        return UEFI_REASON_MSG_SHORT;
    }
    return next->name_size > uefi_msg_left(msg) ? UEFI_REASON_MSG_NEXT_BOUNDS
                                                : UEFI_REASON_OK;
}

/* M7 wants the end of the payload to be a NUL, wherever the name ends */
static bool payload_is_terminated(const UefiMsg *msg)
{
    UefiMsg rest = *msg;
    g_autofree uint16_t *str = uefi_msg_get_name(&rest, uefi_msg_left(&rest));

    return str;
}

static UefiReason get_next_variable_name(UefiVarService *uv, UefiMsg *msg)
{
    Next next;
    UefiReason reason = read_next(msg, &next);
    g_autofree uint16_t *name = NULL;
    const UefiVariable *var = NULL;
    UefiVarView view = uefi_vars_view(uv);

    uefi_vars_note(uv, "GetNextVariableName", &next.guid, NULL);
    if (reason != UEFI_REASON_OK) {
        return reason;
    }
    if (!payload_is_terminated(msg)) {
        return UEFI_REASON_MSG_NEXT_NAME;
    }
    name = uefi_msg_get_str(msg, next.name_size);
    if (!name) {
        return UEFI_REASON_NEXT_NAME;
    }
    uefi_vars_note(uv, "GetNextVariableName", &next.guid, name);
    if (*name) {
        var = uefi_store_find(uv->store, view, &next.guid, name);
        if (!var) {
            return UEFI_REASON_NEXT_MISSING;
        }
    }
    var = uefi_store_next(uv->store, view, var);
    if (!var) {
        return UEFI_REASON_NEXT_END;
    }
    uefi_msg_seek(msg, next.name_size_pos);
    uefi_msg_put_un(msg, uefi_str_size(var->name));
    if (uefi_str_size(var->name) > next.name_size) {
        return UEFI_REASON_NEXT_TOO_SMALL;
    }
    uefi_msg_seek(msg, next.guid_pos);
    uefi_msg_put_guid(msg, &var->guid);
    uefi_msg_seek(msg, next.name_pos);
    uefi_msg_put_str(msg, var->name);
    return UEFI_REASON_OK;
}

static UefiReason lock_variable(UefiVarService *uv, UefiMsg *msg)
{
    Next next;
    UefiReason reason = read_next(msg, &next);
    g_autofree uint16_t *name = NULL;

    uefi_vars_note(uv, "LockVariable", &next.guid, NULL);
    if (reason == UEFI_REASON_MSG_NEXT_BOUNDS) {
        return UEFI_REASON_MSG_BOUNDS;
    }
    if (reason != UEFI_REASON_OK) {
        return reason;
    }
    name = uefi_msg_get_name(msg, next.name_size);
    if (!name) {
        return UEFI_REASON_MSG_NAME;
    }
    uefi_vars_note(uv, "LockVariable", &next.guid, name);
    return uefi_policy_lock_variable(uv, &next.guid, name);
}

/* ------------------------------------------------------------------------ */
/* Requests: QueryVariableInfo and the rest */

static UefiReason check_query(const UefiVarService *uv, uint32_t attr)
{
    if (attr == 0) {
        return UEFI_REASON_QUERY_NONE;
    }
    if (attr & EFI_ATTR_AW) {
        return UEFI_REASON_QUERY_AW;
    }
    if (!(attr & ATTR_MASK)) {
        return UEFI_REASON_QUERY_UNKNOWN;
    }
    if ((attr & ATTR_MASK) == EFI_ATTR_NV) {
        return UEFI_REASON_QUERY_NV_ONLY;
    }
    if ((attr & EFI_ATTR_RT) && !(attr & EFI_ATTR_BS)) {
        return UEFI_REASON_QUERY_RT_NO_BS;
    }
    if (uefi_vars_at_runtime(uv) && !(attr & EFI_ATTR_RT)) {
        return UEFI_REASON_QUERY_NO_RT;
    }
    if ((attr & EFI_ATTR_HR) && !(attr & EFI_ATTR_NV)) {
        return UEFI_REASON_QUERY_HR_NO_NV;
    }
    if ((attr & EFI_ATTR_HR) && !(attr & EFI_ATTR_AT) &&
        uv->config.limits.hwerr_quota == 0) {
        return UEFI_REASON_QUERY_NO_HR;
    }
    return UEFI_REASON_OK;
}

static UefiReason query_variable_info(UefiVarService *uv, UefiMsg *msg)
{
    size_t pos = msg->pos;
    uint64_t maximum, used, remaining, largest;
    UefiVarClass class;
    UefiReason reason;
    uint32_t attr;

    uefi_vars_note(uv, "QueryVariableInfo", NULL, NULL);
    uefi_msg_get_bytes(msg, 3 * sizeof(uint64_t));
    attr = uefi_msg_get_u32(msg);
    uefi_msg_get_u32(msg);      /* the structure is padded to 32 bytes */
    if (msg->overrun) {
        return UEFI_REASON_MSG_SHORT;
    }
    reason = check_query(uv, attr);
    if (reason != UEFI_REASON_OK) {
        return reason;
    }
    class = uefi_store_class(attr);
    maximum = uefi_store_capacity(uv->store, class);
    used = uefi_store_used(uv->store, class);
    remaining = maximum > used ? maximum - used : 0;
    largest = max_record(uv, attr) - EFI_VAR_RECORD_HEADER_SIZE;
    if (remaining < EFI_VAR_RECORD_HEADER_SIZE) {
        largest = 0;
    } else {
        largest = MIN(largest, remaining - EFI_VAR_RECORD_HEADER_SIZE);
    }
    uefi_msg_seek(msg, pos);
    uefi_msg_put_u64(msg, maximum);
    uefi_msg_put_u64(msg, remaining);
    uefi_msg_put_u64(msg, largest);
    return UEFI_REASON_OK;
}

static UefiReason ready_to_boot(UefiVarService *uv)
{
    uefi_vars_note(uv, "ReadyToBoot", NULL, NULL);
    if (uefi_vars_at_runtime(uv)) {
        return UEFI_REASON_READY_AT_RUNTIME;
    }
    uefi_vars_enter_phase(uv, UEFI_PHASE_READY_TO_BOOT);
    return UEFI_REASON_OK;
}

static UefiReason exit_boot_services(UefiVarService *uv)
{
    uefi_vars_note(uv, "ExitBootServices", NULL, NULL);
    uefi_vars_enter_phase(uv, UEFI_PHASE_RUNTIME);
    return UEFI_REASON_OK;
}

static UefiReason get_payload_size(UefiVarService *uv, UefiMsg *msg,
                                   size_t buffer_size)
{
    /* Header of the message, then Function and ReturnStatus */
    size_t overhead = msg->un_size == 8 ? EFI_MM_HEADER_SIZE_64 + 16
                                        : EFI_MM_HEADER_SIZE_32 + 8;

    uefi_vars_note(uv, "GetPayloadSize", NULL, NULL);
    if (uefi_msg_left(msg) < msg->un_size) {
        return UEFI_REASON_MSG_SHORT;
    }
    uefi_msg_put_un(msg, buffer_size - overhead);
    return UEFI_REASON_OK;
}

static UefiReason no_function(UefiVarService *uv, const char *request,
                              UefiReason reason)
{
    uefi_vars_note(uv, request, NULL, NULL);
    return reason;
}

static UefiReason call(UefiVarService *uv, uint64_t function, UefiMsg *msg,
                       size_t buffer_size)
{
    switch (function) {
    case EFI_VAR_FN_GET_VARIABLE:
        return get_variable(uv, msg);
    case EFI_VAR_FN_GET_NEXT_VARIABLE_NAME:
        return get_next_variable_name(uv, msg);
    case EFI_VAR_FN_SET_VARIABLE:
        return set_variable(uv, msg);
    case EFI_VAR_FN_QUERY_VARIABLE_INFO:
        return query_variable_info(uv, msg);
    case EFI_VAR_FN_READY_TO_BOOT:
        return ready_to_boot(uv);
    case EFI_VAR_FN_EXIT_BOOT_SERVICE:
        return exit_boot_services(uv);
    case EFI_VAR_FN_GET_STATISTICS:
        return no_function(uv, "GetStatistics", UEFI_REASON_NO_STATISTICS);
    case EFI_VAR_FN_LOCK_VARIABLE:
        return lock_variable(uv, msg);
    case EFI_VAR_FN_PROPERTY_SET:
        return uefi_check_property_set(uv, msg);
    case EFI_VAR_FN_PROPERTY_GET:
        return uefi_check_property_get(uv, msg);
    case EFI_VAR_FN_GET_PAYLOAD_SIZE:
        return get_payload_size(uv, msg, buffer_size);
    case EFI_VAR_FN_INIT_RUNTIME_CACHE:
        return no_function(uv, "InitRuntimeCache", UEFI_REASON_NO_CACHE);
    case EFI_VAR_FN_SYNC_RUNTIME_CACHE:
        return no_function(uv, "SyncRuntimeCache", UEFI_REASON_NO_CACHE);
    case EFI_VAR_FN_GET_RUNTIME_CACHE_INFO:
        return no_function(uv, "GetRuntimeCacheInfo", UEFI_REASON_NO_CACHE);
    default:
        return no_function(uv, "unknown function", UEFI_REASON_FUNCTION);
    }
}

bool uefi_vars_handle(UefiVarService *uv, UefiMsg *msg, size_t buffer_size)
{
    uint64_t function = uefi_msg_get_un(msg);
    size_t status_pos = msg->pos;
    UefiReason reason;

    uefi_msg_get_un(msg);       /* ReturnStatus */
    if (msg->overrun) {
        return false;
    }
    reason = call(uv, function, msg, buffer_size);
    msg->overrun = false;
    uefi_msg_seek(msg, status_pos);
    uefi_msg_put_status(msg, uefi_reason_status(reason));
    uv->answer.reason = reason;
    return true;
}
