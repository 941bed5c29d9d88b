/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: messages of the variable protocol (3)
 *
 * Reads and writes the fields of a message; what they mean is decided below.
 */

#include "qemu/osdep.h"
#include "hw/uefi/var-service-check.h"
#include "hw/uefi/var-service-get.h"
#include "hw/uefi/var-service-policy.h"
#include "hw/uefi/var-service-set.h"
#include "hw/uefi/var-service-vars.h"

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
    reason = uefi_vars_get(uv, &access.guid, name, &var);
    if (reason != UEFI_REASON_OK) {
        return reason;
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
    const UefiVariable *var;

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
    reason = uefi_vars_next(uv, &next.guid, name, &var);
    if (reason != UEFI_REASON_OK) {
        return reason;
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
/* Requests: the properties of VarCheck share the PROP layout */

typedef struct PropertyRequest {
    UefiGuid guid;
    uint16_t *name;             /* owned */
    size_t property_pos;        /* offset of Revision in the message */
    uint16_t revision;
    UefiVarProperty property;
} PropertyRequest;

static UefiReason read_property(UefiVarService *uv, UefiMsg *msg,
                                const char *request, PropertyRequest *req)
{
    UefiVarProperty *property = &req->property;
    uint64_t name_size;

    req->guid = uefi_msg_get_guid(msg);
    name_size = uefi_msg_get_un(msg);
    req->property_pos = msg->pos;
    req->revision = uefi_msg_get_u16(msg);
    property->flags = uefi_msg_get_u16(msg);
    property->attributes = uefi_msg_get_u32(msg);
    property->min_size = uefi_msg_get_un(msg);
    property->max_size = uefi_msg_get_un(msg);
    uefi_vars_note(uv, request, &req->guid, NULL);
    if (msg->overrun) {
        return UEFI_REASON_MSG_SHORT;
    }
    if (name_size > uefi_msg_left(msg)) {
        return UEFI_REASON_MSG_BOUNDS;
    }
    req->name = uefi_msg_get_name(msg, name_size);
    if (!req->name) {
        return UEFI_REASON_MSG_NAME;
    }
    uefi_vars_note(uv, request, &req->guid, req->name);
    return UEFI_REASON_OK;
}

static UefiReason property_set(UefiVarService *uv, UefiMsg *msg)
{
    PropertyRequest req = { };
    UefiReason reason = read_property(uv, msg, "VarCheckPropertySet", &req);
    g_autofree uint16_t *name = req.name;

    if (reason != UEFI_REASON_OK) {
        return reason;
    }
    if (uefi_vars_checks_on(uv)) {
        return UEFI_REASON_PROPERTY_CLOSED;
    }
    if (!*name) {
        return UEFI_REASON_PROPERTY_NO_NAME;
    }
    if (req.revision != EFI_VAR_CHECK_PROPERTY_REVISION) {
        return UEFI_REASON_PROPERTY_REVISION;
    }
    return uefi_check_set_property(uv, &req.guid, name, &req.property);
}

static UefiReason property_get(UefiVarService *uv, UefiMsg *msg)
{
    PropertyRequest req = { };
    UefiReason reason = read_property(uv, msg, "VarCheckPropertyGet", &req);
    g_autofree uint16_t *name = req.name;
    const UefiVarProperty *property;

    if (reason != UEFI_REASON_OK) {
        return reason;
    }
    if (!*name) {
        return UEFI_REASON_PROPERTY_GET_NO_NAME;
    }
    property = uefi_check_property(uv, &req.guid, name);
    if (!property) {
        return UEFI_REASON_PROPERTY_MISSING;
    }
    uefi_msg_seek(msg, req.property_pos);
    uefi_msg_put_u16(msg, EFI_VAR_CHECK_PROPERTY_REVISION);
    uefi_msg_put_u16(msg, property->flags);
    uefi_msg_put_u32(msg, property->attributes);
    uefi_msg_put_un(msg, property->min_size);
    uefi_msg_put_un(msg, property->max_size);
    return UEFI_REASON_OK;
}

/* ------------------------------------------------------------------------ */
/* Requests: QueryVariableInfo and the rest */

/* Bytes of a message before the payload of a function */
static size_t headers_size(const UefiMsg *msg)
{
    /* Function and ReturnStatus are of the width of UINTN. */
    return (msg->un_size == 8 ? EFI_MM_HEADER_SIZE_64 : EFI_MM_HEADER_SIZE_32) +
           2 * msg->un_size;
}

/* Bytes of name and value that one SetVariable can carry */
static size_t largest_carried(const UefiMsg *msg, size_t buffer_size,
                              uint32_t attr)
{
    /* GUID, DataSize, NameSize, Attributes (3.3), and the descriptor (7.1) */
    size_t other = headers_size(msg) + sizeof(UefiGuid) + 2 * msg->un_size +
                   sizeof(uint32_t) +
                   (attr & EFI_ATTR_AT ? EFI_AUTH2_CERT_OFFSET : 0);

    return buffer_size > other ? buffer_size - other : 0;
}

static UefiReason query_variable_info(UefiVarService *uv, UefiMsg *msg,
                                      size_t buffer_size)
{
    size_t pos = msg->pos;
    UefiVarSpace space;
    UefiReason reason;
    uint32_t attr;

    uefi_vars_note(uv, "QueryVariableInfo", NULL, NULL);
    uefi_msg_get_bytes(msg, 3 * sizeof(uint64_t));
    attr = uefi_msg_get_u32(msg);
    uefi_msg_get_u32(msg);      /* the structure is padded to 32 bytes */
    if (msg->overrun) {
        return UEFI_REASON_MSG_SHORT;
    }
    reason = uefi_vars_query(uv, attr, &space);
    if (reason != UEFI_REASON_OK) {
        return reason;
    }
    space.largest = MIN(space.largest, largest_carried(msg, buffer_size, attr));
    uefi_msg_seek(msg, pos);
    uefi_msg_put_u64(msg, space.maximum);
    uefi_msg_put_u64(msg, space.remaining);
    uefi_msg_put_u64(msg, space.largest);
    return UEFI_REASON_OK;
}

static UefiReason ready_to_boot(UefiVarService *uv, UefiVarPhase *phase)
{
    uefi_vars_note(uv, "ReadyToBoot", NULL, NULL);
    if (uefi_vars_at_runtime(uv)) {
        return UEFI_REASON_READY_AT_RUNTIME;
    }
    *phase = UEFI_PHASE_READY_TO_BOOT;
    return UEFI_REASON_OK;
}

static UefiReason exit_boot_services(UefiVarService *uv, UefiVarPhase *phase)
{
    uefi_vars_note(uv, "ExitBootServices", NULL, NULL);
    *phase = UEFI_PHASE_RUNTIME;
    return UEFI_REASON_OK;
}

static UefiReason get_payload_size(UefiVarService *uv, UefiMsg *msg,
                                   size_t buffer_size)
{
    uefi_vars_note(uv, "GetPayloadSize", NULL, NULL);
    if (uefi_msg_left(msg) < msg->un_size) {
        return UEFI_REASON_MSG_SHORT;
    }
    uefi_msg_put_un(msg, buffer_size - headers_size(msg));
    return UEFI_REASON_OK;
}

static UefiReason no_function(UefiVarService *uv, const char *request,
                              UefiReason reason)
{
    uefi_vars_note(uv, request, NULL, NULL);
    return reason;
}

static UefiReason call(UefiVarService *uv, uint64_t function, UefiMsg *msg,
                       size_t buffer_size, UefiVarPhase *phase)
{
    switch (function) {
    case EFI_VAR_FN_GET_VARIABLE:
        return get_variable(uv, msg);
    case EFI_VAR_FN_GET_NEXT_VARIABLE_NAME:
        return get_next_variable_name(uv, msg);
    case EFI_VAR_FN_SET_VARIABLE:
        return set_variable(uv, msg);
    case EFI_VAR_FN_QUERY_VARIABLE_INFO:
        return query_variable_info(uv, msg, buffer_size);
    case EFI_VAR_FN_READY_TO_BOOT:
        return ready_to_boot(uv, phase);
    case EFI_VAR_FN_EXIT_BOOT_SERVICE:
        return exit_boot_services(uv, phase);
    case EFI_VAR_FN_GET_STATISTICS:
        return no_function(uv, "GetStatistics", UEFI_REASON_NO_STATISTICS);
    case EFI_VAR_FN_LOCK_VARIABLE:
        return lock_variable(uv, msg);
    case EFI_VAR_FN_PROPERTY_SET:
        return property_set(uv, msg);
    case EFI_VAR_FN_PROPERTY_GET:
        return property_get(uv, msg);
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

bool uefi_vars_handle(UefiVarService *uv, UefiMsg *msg, size_t buffer_size,
                      UefiVarPhase *phase)
{
    uint64_t function = uefi_msg_get_un(msg);
    size_t status_pos = msg->pos;
    UefiReason reason;

    uefi_msg_get_un(msg);       /* ReturnStatus */
    if (msg->overrun) {
        return false;
    }
    reason = call(uv, function, msg, buffer_size, phase);
    msg->overrun = false;
    uefi_msg_seek(msg, status_pos);
    uefi_msg_put_status(msg, uefi_reason_status(reason));
    uv->answer.reason = reason;
    return true;
}
