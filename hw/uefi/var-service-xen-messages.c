/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: messages of XenServer's and XCP-ng's firmware
 *
 * The same four services in another wire format (docs/specs/uefi-vars-xen.rst)
 */

#include "qemu/osdep.h"
#include "hw/uefi/var-service-get.h"
#include "hw/uefi/var-service-msg.h"
#include "hw/uefi/var-service-xen-messages.h"

#define STATUS_SIZE     8       /* bytes, in front of each reply */

/* A value that is known to be in the message */
static UefiReason get_data(UefiMsg *msg, const uint8_t **data, size_t *size)
{
    uint64_t length = uefi_msg_get_u64(msg);

    if (msg->overrun || length > uefi_msg_left(msg)) {
        return UEFI_REASON_MSG_BOUNDS;
    }
    *size = length;
    *data = uefi_msg_get_bytes(msg, length);
    return UEFI_REASON_OK;
}

/* A name, which has no NUL on the wire and gets one here; *@name is owned */
static UefiReason get_name(UefiMsg *msg, uint16_t **name)
{
    const uint8_t *data;
    size_t size;
    UefiReason reason = get_data(msg, &data, &size);
    UefiMsg units;

    if (reason != UEFI_REASON_OK) {
        return reason;
    }
    if (size % 2) {
        return UEFI_REASON_MSG_NAME;
    }
    *name = g_new0(uint16_t, size / 2 + 1);
    uefi_msg_init(&units, (uint8_t *)data, size, 8);
    for (size_t i = 0; i < size / 2; i++) {
        (*name)[i] = uefi_msg_get_u16(&units);
        if (!(*name)[i]) {
            return UEFI_REASON_MSG_NAME;
        }
    }
    return UEFI_REASON_OK;
}

/*
 * The last field of a request tells the phase, and is only looked at once the
 * request is known to be whole.
 */
static UefiReason get_phase(UefiVarService *uv, UefiMsg *msg)
{
    bool at_runtime = uefi_msg_get_u8(msg);

    if (msg->overrun) {
        return UEFI_REASON_MSG_BOUNDS;
    }
    if (at_runtime) {
        uefi_vars_enter_phase(uv, UEFI_PHASE_RUNTIME);
    }
    return UEFI_REASON_OK;
}

/*
 * What does not fit: the size that the guest needs.  More than is left of the
 * message can't be had, whatever the guest has room for.
 */
static bool is_too_small(UefiMsg *reply, uint64_t capacity, size_t size,
                         size_t others)
{
    if (size <= capacity && size + others <= uefi_msg_left(reply)) {
        return false;
    }
    uefi_msg_put_u64(reply, size);
    return true;
}

static UefiReason get_variable(UefiVarService *uv, UefiMsg *msg,
                               UefiMsg *reply)
{
    g_autofree uint16_t *name = NULL;
    UefiReason reason = get_name(msg, &name);
    UefiGuid guid = uefi_msg_get_guid(msg);
    uint64_t capacity = uefi_msg_get_u64(msg);
    const UefiVariable *var;
    const void *data;
    gsize size;

    uefi_vars_note(uv, "GetVariable", &guid, name);
    if (reason == UEFI_REASON_OK) {
        reason = get_phase(uv, msg);
    }
    if (reason == UEFI_REASON_OK) {
        reason = uefi_vars_get(uv, &guid, name, &var);
    }
    if (reason != UEFI_REASON_OK) {
        return reason;
    }
    data = g_bytes_get_data(var->data, &size);
    if (is_too_small(reply, capacity, size, 4 + 8)) {
        return UEFI_REASON_GET_TOO_SMALL;
    }
    uefi_msg_put_u32(reply, var->attributes);
    uefi_msg_put_u64(reply, size);
    uefi_msg_put_bytes(reply, data, size);
    return UEFI_REASON_OK;
}

static UefiReason set_variable(UefiVarService *uv, UefiMsg *msg)
{
    g_autofree uint16_t *name = NULL;
    UefiReason reason = get_name(msg, &name);
    UefiGuid guid = uefi_msg_get_guid(msg);
    uint32_t attributes;
    const uint8_t *data;
    size_t size;

    uefi_vars_note(uv, "SetVariable", &guid, name);
    if (reason == UEFI_REASON_OK) {
        reason = get_data(msg, &data, &size);
    }
    attributes = uefi_msg_get_u32(msg);
    if (reason == UEFI_REASON_OK) {
        reason = get_phase(uv, msg);
    }
    if (reason != UEFI_REASON_OK) {
        return reason;
    }
    return uefi_vars_set(uv, &guid, name, attributes, data, size);
}

static UefiReason get_next_variable_name(UefiVarService *uv, UefiMsg *msg,
                                         UefiMsg *reply)
{
    g_autofree uint16_t *name = NULL;
    uint64_t capacity = uefi_msg_get_u64(msg);
    UefiReason reason = get_name(msg, &name);
    UefiGuid guid = uefi_msg_get_guid(msg);
    const UefiVariable *var;
    size_t len;

    uefi_vars_note(uv, "GetNextVariableName", &guid, name);
    if (reason == UEFI_REASON_OK) {
        reason = get_phase(uv, msg);
    }
    if (reason == UEFI_REASON_OK) {
        reason = uefi_vars_next(uv, &guid, name, &var);
    }
    if (reason != UEFI_REASON_OK) {
        return reason;
    }
    /* The NUL counts, and is the guest's to add. */
    if (is_too_small(reply, capacity, uefi_str_size(var->name),
                     8 + sizeof(guid))) {
        return UEFI_REASON_NEXT_TOO_SMALL;
    }
    len = uefi_str_len(var->name);
    uefi_msg_put_u64(reply, len * 2);
    for (size_t i = 0; i < len; i++) {
        uefi_msg_put_u16(reply, var->name[i]);
    }
    uefi_msg_put_guid(reply, &var->guid);
    return UEFI_REASON_OK;
}

/* Bytes of name and value that one SetVariable can carry */
static size_t largest_carried(const UefiMsg *msg, uint32_t attributes)
{
    size_t other = 4 + 4 + 8 + sizeof(UefiGuid) + 8 + 4 + 1 +
                   (attributes & EFI_ATTR_AT ? EFI_AUTH2_CERT_OFFSET : 0);

    return msg->size > other ? msg->size - other : 0;
}

/* This request does not tell the phase, so it is that of the others. */
static UefiReason query_variable_info(UefiVarService *uv, UefiMsg *msg,
                                      UefiMsg *reply)
{
    uint32_t attributes = uefi_msg_get_u32(msg);
    UefiVarSpace space;
    UefiReason reason;

    uefi_vars_note(uv, "QueryVariableInfo", NULL, NULL);
    if (msg->overrun) {
        return UEFI_REASON_MSG_BOUNDS;
    }
    reason = uefi_vars_query(uv, attributes, &space);
    if (reason == UEFI_REASON_OK) {
        uefi_msg_put_u64(reply, space.maximum);
        uefi_msg_put_u64(reply, space.remaining);
        uefi_msg_put_u64(reply, MIN(space.largest,
                                    largest_carried(msg, attributes)));
    }
    return reason;
}

static UefiReason call(UefiVarService *uv, uint32_t command, UefiMsg *msg,
                       UefiMsg *reply)
{
    switch (command) {
    case UEFI_XEN_GET_VARIABLE:
        return get_variable(uv, msg, reply);
    case UEFI_XEN_SET_VARIABLE:
        return set_variable(uv, msg);
    case UEFI_XEN_GET_NEXT_VARIABLE_NAME:
        return get_next_variable_name(uv, msg, reply);
    case UEFI_XEN_QUERY_VARIABLE_INFO:
        return query_variable_info(uv, msg, reply);
    default:
        /* It shows up in traces, as every request does. */
        uefi_vars_note(uv, "NotifySecureBootFailure", NULL, NULL);
        return UEFI_REASON_OK;
    }
}

size_t uefi_xen_message(UefiVarService *service, uint8_t *buf, size_t size)
{
    g_autoptr(UefiVarService) uv = uefi_vars_ref(service);
    UefiReason reason;
    uint32_t version, command;
    UefiMsg msg, reply;
    size_t length;

    uefi_msg_init(&msg, buf, size, 8);
    reply = msg;
    version = uefi_msg_get_u32(&msg);
    command = uefi_msg_get_u32(&msg);
    if (msg.overrun || version != UEFI_XEN_VERSION ||
        command > UEFI_XEN_NOTIFY_SECURE_BOOT_FAILURE) {
        return 0;
    }
    /*
     * The end of DXE has no message here.  It is behind the guest from the
     * start: nobody gets rights that could not be taken away again.
     */
    uefi_vars_enter_phase(uv, UEFI_PHASE_END_OF_DXE);
    uefi_msg_seek(&reply, STATUS_SIZE);
    reason = call(uv, command, &msg, &reply);
    length = reply.pos;
    uefi_msg_seek(&reply, 0);
    uefi_msg_put_status(&reply, uefi_reason_status(reason));
    uefi_vars_answered(uv, reason);
    return length;
}
