/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: messages of the variable policy protocol (6.1)
 */

#include "qemu/osdep.h"
#include "hw/uefi/var-service-policy-messages.h"
#include "hw/uefi/var-service-policy.h"

/* What the larger parameters begin with, bytes (6.6, 6.7) */
#define POLICY_DUMP_HEADER_SIZE 13
#define POLICY_INFO_HEADER_SIZE 68

/* ------------------------------------------------------------------------ */
/* Commands (6.1); the cursor stands at the parameters */

/*
 * The bytes from the cursor to the end of the exchange area, which DUMP and
 * the two GET commands want to be there whole; 0 if the message is shorter
 */
static size_t exchange_left(const UefiMsg *msg)
{
    size_t header = msg->un_size == 8 ? EFI_MM_HEADER_SIZE_64
                                      : EFI_MM_HEADER_SIZE_32;
    size_t end = EFI_VAR_POLICY_EXCHANGE_SIZE - header;

    return msg->size < end ? 0 : end - msg->pos;
}

static UefiReason policy_disable(UefiVarService *uv)
{
    if (uv->policy->disabled) {
        return UEFI_REASON_POLICY_DISABLED;
    }
    if (uv->policy->locked) {
        return UEFI_REASON_POLICY_LOCKED;
    }
    if (!uv->config.allow_policy_disable) {
        return UEFI_REASON_POLICY_NO_DISABLE;
    }
    uv->policy->disabled = true;
    return UEFI_REASON_OK;
}

static UefiReason policy_is_enabled(UefiVarService *uv, UefiMsg *msg)
{
    uefi_msg_put_u8(msg, !uv->policy->disabled);
    return msg->overrun ? UEFI_REASON_POLICY_SHORT : UEFI_REASON_OK;
}

static UefiReason policy_register(UefiVarService *uv, UefiMsg *msg)
{
    const uint8_t *entry;
    size_t size;

    if (uefi_msg_left(msg) < EFI_VAR_POLICY_ENTRY_SIZE) {
        return UEFI_REASON_POLICY_ENTRY_SHORT;
    }
    entry = uefi_policy_get_entry(msg, &size);
    if (!entry) {
        return UEFI_REASON_POLICY_ENTRY;
    }
    return uefi_policy_register(uv, entry, size);
}

/* What DUMP tells about a page, behind the number of the page */
static void put_page_header(UefiMsg *msg, size_t total, size_t size, bool more)
{
    uefi_msg_put_u32(msg, total);
    uefi_msg_put_u32(msg, size);
    uefi_msg_put_u8(msg, more);
}

static UefiReason dump_page(UefiVarPolicyState *state, UefiMsg *msg,
                            uint32_t page, size_t capacity)
{
    size_t total, offset, size;
    const uint8_t *bytes;

    if (!state->snapshot) {
        put_page_header(msg, 0, 0, false);
        return UEFI_REASON_DUMP_NO_SNAPSHOT;
    }
    bytes = g_bytes_get_data(state->snapshot, &total);
    if (page > (total + capacity - 1) / capacity) {
        uefi_msg_put_u32(msg, total);
        return UEFI_REASON_DUMP_PAGE;
    }
    offset = (page - 1) * capacity;
    size = MIN(capacity, total - offset);
    put_page_header(msg, total, size, offset + size < total);
    uefi_msg_put_bytes(msg, bytes + offset, size);
    if (offset + size == total) {
        g_clear_pointer(&state->snapshot, g_bytes_unref);
    }
    return UEFI_REASON_OK;
}

static UefiReason policy_dump(UefiVarService *uv, UefiMsg *msg)
{
    UefiVarPolicyState *state = uv->policy;
    size_t room = exchange_left(msg);
    uint32_t page = uefi_msg_get_u32(msg);

    if (!room) {
        return UEFI_REASON_DUMP_SHORT;
    }
    if (page) {
        return dump_page(state, msg, page, room - POLICY_DUMP_HEADER_SIZE);
    }
    g_clear_pointer(&state->snapshot, g_bytes_unref);
    state->snapshot = uefi_policy_table(state);
    put_page_header(msg, state->table_size, 0, state->snapshot != NULL);
    return UEFI_REASON_OK;
}

static UefiReason policy_lock(UefiVarService *uv)
{
    if (uv->policy->locked) {
        return UEFI_REASON_POLICY_LOCKED;
    }
    uefi_policy_lock(uv);
    return UEFI_REASON_OK;
}

/* What GET_INFO and GET_LOCK_VAR_STATE_INFO are asked (6.7) */
typedef struct PolicyQuery {
    size_t out;                 /* offset of OutputNameSize in the message */
    UefiGuid guid;
    uint16_t *name;             /* owned */
    size_t capacity;            /* for the answer's name, as claimed, bytes */
    size_t room;                /* for the same, as there is, bytes */
} PolicyQuery;

static UefiReason get_query(UefiMsg *msg, PolicyQuery *query)
{
    size_t start = msg->pos;
    size_t room = exchange_left(msg);
    uint32_t name_size;

    query->guid = uefi_msg_get_guid(msg);
    name_size = uefi_msg_get_u32(msg);
    query->out = msg->pos;
    query->capacity = uefi_msg_get_u32(msg);
    if (!room) {
        return UEFI_REASON_INFO_SHORT;
    }
    room -= POLICY_INFO_HEADER_SIZE;
    if (name_size > room) {
        return UEFI_REASON_INFO_BOUNDS;
    }
    uefi_msg_seek(msg, start + POLICY_INFO_HEADER_SIZE);
    query->name = uefi_msg_get_str(msg, name_size);
    query->room = room - name_size;
    /* A name that leaves nothing of the area is as bad as an endless one. */
    if (!query->name || uefi_str_size(query->name) >= room) {
        return UEFI_REASON_INFO_NAME;
    }
    return UEFI_REASON_OK;
}

/* The 44 bytes about a policy: @size bytes of @fixed, then zeroes */
static void put_fixed(UefiMsg *msg, const PolicyQuery *query,
                      const uint8_t *fixed, size_t size)
{
    static const uint8_t zeroes[EFI_VAR_POLICY_ENTRY_SIZE];

    uefi_msg_seek(msg, query->out + sizeof(uint32_t));
    uefi_msg_put_bytes(msg, fixed, size);
    uefi_msg_put_bytes(msg, zeroes, sizeof(zeroes) - size);
}

/* The cursor stands where the answer's name belongs. */
static UefiReason put_info(UefiMsg *msg, const PolicyQuery *query,
                           const UefiVarPolicy *policy, bool state)
{
    const uint8_t *fixed = g_bytes_get_data(policy->entry, NULL);
    const uint16_t *name = state ? policy->state_name : policy->name;
    size_t size = name ? uefi_str_size(name) : 0;
    UefiMsg names = *msg;

    if (size <= query->capacity && size > query->room) {
        return UEFI_REASON_INFO_ROOM;
    }
    put_fixed(msg, query, state ? fixed + EFI_VAR_POLICY_ENTRY_SIZE : fixed,
              state ? POLICY_STATE_SIZE : EFI_VAR_POLICY_ENTRY_SIZE);
    uefi_msg_seek(msg, query->out);
    uefi_msg_put_u32(msg, size);
    if (size > query->capacity) {
        return UEFI_REASON_INFO_TOO_SMALL;
    }
    if (name) {
        uefi_msg_put_str(&names, name);
        return UEFI_REASON_OK;
    }
    for (size_t i = MIN(query->capacity, query->room); i; i--) {
        uefi_msg_put_u8(&names, 0);
    }
    return UEFI_REASON_OK;
}

static UefiReason policy_get(UefiVarService *uv, UefiMsg *msg, bool state)
{
    PolicyQuery query = { };
    const UefiVarPolicy *policy;
    UefiReason reason = get_query(msg, &query);
    g_autofree uint16_t *name = query.name;

    if (reason != UEFI_REASON_OK) {
        return reason;
    }
    uefi_vars_note(uv, uv->answer.request, &query.guid, name);
    policy = uefi_policy_find(uv, &query.guid, name);
    if (policy && state && !policy->state_name) {
        put_fixed(msg, &query, NULL, 0);
        return UEFI_REASON_INFO_NO_STATE;
    }
    if (!policy) {
        put_fixed(msg, &query, NULL, 0);
        return UEFI_REASON_INFO_MISSING;
    }
    return put_info(msg, &query, policy, state);
}

static const char *const command_names[] = {
    [EFI_VAR_POLICY_DISABLE] = "DisableVariablePolicy",
    [EFI_VAR_POLICY_IS_ENABLED] = "IsVariablePolicyEnabled",
    [EFI_VAR_POLICY_REGISTER] = "RegisterVariablePolicy",
    [EFI_VAR_POLICY_DUMP] = "DumpVariablePolicy",
    [EFI_VAR_POLICY_LOCK] = "LockVariablePolicy",
    [EFI_VAR_POLICY_GET_INFO] = "GetVariablePolicyInfo",
    [EFI_VAR_POLICY_GET_LOCK_VAR_STATE_INFO] =
        "GetLockOnVariableStateVariablePolicyInfo",
};

static UefiReason policy_command(UefiVarService *uv, UefiMsg *msg,
                                 uint32_t command)
{
    /* Another command ends the reading of pages (row P3). */
    if (command != EFI_VAR_POLICY_DUMP) {
        g_clear_pointer(&uv->policy->snapshot, g_bytes_unref);
    }
    if (command < ARRAY_SIZE(command_names) && command_names[command]) {
        uefi_vars_note(uv, command_names[command], NULL, NULL);
    }
    switch (command) {
    case EFI_VAR_POLICY_DISABLE:
        return policy_disable(uv);
    case EFI_VAR_POLICY_IS_ENABLED:
        return policy_is_enabled(uv, msg);
    case EFI_VAR_POLICY_REGISTER:
        return policy_register(uv, msg);
    case EFI_VAR_POLICY_DUMP:
        return policy_dump(uv, msg);
    case EFI_VAR_POLICY_LOCK:
        return policy_lock(uv);
    case EFI_VAR_POLICY_GET_INFO:
        return policy_get(uv, msg, false);
    case EFI_VAR_POLICY_GET_LOCK_VAR_STATE_INFO:
        return policy_get(uv, msg, true);
    default:
        return UEFI_REASON_POLICY_COMMAND;
    }
}

bool uefi_policy_handle(UefiVarService *uv, UefiMsg *msg)
{
    uint32_t signature = uefi_msg_get_u32(msg);
    uint32_t revision = uefi_msg_get_u32(msg);
    uint32_t command = uefi_msg_get_u32(msg);
    UefiMsg result = *msg;
    UefiReason reason = UEFI_REASON_POLICY_HEADER;

    uefi_msg_get_un(msg);
    if (msg->overrun) {
        return false;
    }
    uefi_vars_note(uv, "VariablePolicy", NULL, NULL);
    if (signature == EFI_VAR_POLICY_SIGNATURE &&
        revision == EFI_VAR_POLICY_REVISION) {
        reason = policy_command(uv, msg, command);
    }
    uv->answer.reason = reason;
    uefi_msg_put_status(&result, uefi_reason_status(reason));
    return true;
}
