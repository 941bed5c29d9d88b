/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: variable policies (docs/specs/uefi-vars.rst, 6)
 *
 * Platform firmware registers policies early in a boot; after EndOfDxe they
 * are the last check before a variable is written.  The table is what the
 * guest sees of it in DUMP: entries as registered, back to back.  The same
 * bytes are what migrates.
 */

#include "qemu/osdep.h"
#include "hw/uefi/var-service-msg.h"
#include "hw/uefi/var-service-policy.h"

/*
 * What all entries may have, bytes: those of the guest, and with them those of
 * the service itself, which come last and must find room (5.4)
 */
#define POLICY_ROOM_GUEST       UEFI_LIMIT_POLICY_BYTES
#define POLICY_ROOM_ALL         (POLICY_ROOM_GUEST + 256)

/* A name that is no name at all fits everything, and fits worst (6.4). */
#define POLICY_PRIORITY_WORST   255

static void policy_free(UefiVarPolicy *policy)
{
    if (policy) {
        g_clear_pointer(&policy->entry, g_bytes_unref);
        g_free(policy->name);
        g_free(policy->state_name);
        g_free(policy);
    }
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(UefiVarPolicy, policy_free)

UefiVarPolicyState *uefi_policy_new(void)
{
    UefiVarPolicyState *state = g_new0(UefiVarPolicyState, 1);

    state->table =
        g_ptr_array_new_with_free_func((GDestroyNotify)policy_free);
    return state;
}

void uefi_policy_free(UefiVarPolicyState *state)
{
    if (state) {
        g_ptr_array_unref(state->table);
        g_clear_pointer(&state->snapshot, g_bytes_unref);
        g_free(state);
    }
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(UefiVarPolicyState, uefi_policy_free)

void uefi_policy_reset(UefiVarService *uv)
{
    uefi_policy_free(uv->policy);
    uv->policy = uefi_policy_new();
}

void uefi_policy_lock(UefiVarService *uv)
{
    uv->policy->locked = true;
}

bool uefi_policy_locked(const UefiVarService *uv)
{
    return uv->policy->locked;
}

size_t uefi_policy_count(const UefiVarService *uv)
{
    return uv->policy->table->len;
}

bool uefi_policy_disabled(const UefiVarService *uv)
{
    return uv->policy->disabled;
}

/* ------------------------------------------------------------------------ */
/* Entries (6.2, 6.3) */

/* The string that fills the next @size bytes exactly, or NULL */
static uint16_t *get_exact_str(UefiMsg *msg, size_t size)
{
    g_autofree uint16_t *str = uefi_msg_get_str(msg, size);

    if (!str || uefi_str_size(str) != size) {
        return NULL;
    }
    return g_steal_pointer(&str);
}

static UefiReason parse_state(UefiVarPolicy *policy, UefiMsg *msg, size_t size)
{
    if (size < POLICY_STATE_SIZE) {
        return UEFI_REASON_POLICY_STATE;
    }
    policy->state_guid = uefi_msg_get_guid(msg);
    policy->state_value = uefi_msg_get_u8(msg);
    uefi_msg_get_u8(msg);
    policy->state_name = get_exact_str(msg, size - POLICY_STATE_SIZE);
    return policy->state_name ? UEFI_REASON_OK : UEFI_REASON_POLICY_STATE;
}

static UefiReason parse_name(UefiVarPolicy *policy, UefiMsg *msg)
{
    size_t wildcards = 0;

    if (!uefi_msg_left(msg)) {
        policy->priority = POLICY_PRIORITY_WORST;
        return UEFI_REASON_OK;
    }
    policy->name = get_exact_str(msg, uefi_msg_left(msg));
    if (!policy->name) {
        return UEFI_REASON_POLICY_NAME;
    }
    for (const uint16_t *c = policy->name; *c; c++) {
        wildcards += *c == '#';
    }
    if (wildcards > POLICY_PRIORITY_WORST) {
        return UEFI_REASON_POLICY_WILDCARDS;
    }
    policy->priority = wildcards;
    return UEFI_REASON_OK;
}

/* Row G4; @policy->entry is complete and at least as long as its fixed part */
static UefiReason parse_entry(UefiVarPolicy *policy)
{
    UefiMsg msg;
    size_t size, name_offset;
    const void *entry = g_bytes_get_data(policy->entry, &size);

    uefi_msg_init(&msg, (void *)entry, size, 8);
    uefi_msg_get_u32(&msg);
    uefi_msg_get_u16(&msg);
    name_offset = uefi_msg_get_u16(&msg);
    policy->guid = uefi_msg_get_guid(&msg);
    policy->min_size = uefi_msg_get_u32(&msg);
    policy->max_size = uefi_msg_get_u32(&msg);
    policy->must_have = uefi_msg_get_u32(&msg);
    policy->cant_have = uefi_msg_get_u32(&msg);
    policy->lock = uefi_msg_get_u8(&msg);
    uefi_msg_seek(&msg, EFI_VAR_POLICY_ENTRY_SIZE);

    if (policy->max_size == 0) {
        return UEFI_REASON_POLICY_MAX_SIZE;
    }
    if (policy->lock > EFI_VAR_POLICY_LOCK_ON_VAR_STATE) {
        return UEFI_REASON_POLICY_LOCK_TYPE;
    }
    if (name_offset < msg.pos || name_offset > size) {
        return UEFI_REASON_POLICY_OFFSET;
    }
    if (policy->lock == EFI_VAR_POLICY_LOCK_ON_VAR_STATE) {
        UefiReason reason = parse_state(policy, &msg, name_offset - msg.pos);

        if (reason != UEFI_REASON_OK) {
            return reason;
        }
    } else if (name_offset != msg.pos) {
        return UEFI_REASON_POLICY_OFFSET;
    }
    return parse_name(policy, &msg);
}

/* Row G5: only a name without wildcards can be registered just once. */
static bool is_registered(const UefiVarPolicyState *state,
                          const UefiVarPolicy *policy)
{
    if (policy->priority) {
        return false;
    }
    for (guint i = 0; i < state->table->len; i++) {
        const UefiVarPolicy *other = state->table->pdata[i];

        if (other->name && uefi_guid_equal(&other->guid, &policy->guid) &&
            uefi_str_equal(other->name, policy->name)) {
            return true;
        }
    }
    return false;
}

/*
 * Rows G4 to G6 for an entry of @size bytes, at least those of the fixed part
 * @room: POLICY_ROOM_
 * @uv: notes what the entry is about, NULL: nobody asks
 */
static UefiReason table_add(UefiVarPolicyState *state, const void *entry,
                            size_t size, size_t room, UefiVarService *uv)
{
    g_autoptr(UefiVarPolicy) policy = g_new0(UefiVarPolicy, 1);
    UefiReason reason;

    policy->entry = g_bytes_new(entry, size);
    reason = parse_entry(policy);
    if (uv) {
        uefi_vars_note(uv, uv->answer.request, &policy->guid, policy->name);
    }
    if (reason != UEFI_REASON_OK) {
        return reason;
    }
    if (is_registered(state, policy)) {
        return UEFI_REASON_POLICY_EXISTS;
    }
    if (state->table_size + size > room) {
        return UEFI_REASON_POLICY_TABLE_FULL;
    }
    state->table_size += size;
    g_ptr_array_add(state->table, g_steal_pointer(&policy));
    return UEFI_REASON_OK;
}

GBytes *uefi_policy_table(const UefiVarPolicyState *state)
{
    GByteArray *bytes;

    if (!state->table->len) {
        return NULL;
    }
    bytes = g_byte_array_sized_new(state->table_size);
    for (guint i = 0; i < state->table->len; i++) {
        const UefiVarPolicy *policy = state->table->pdata[i];
        size_t size;
        const void *entry = g_bytes_get_data(policy->entry, &size);

        g_byte_array_append(bytes, entry, size);
    }
    return g_byte_array_free_to_bytes(bytes);
}

const uint8_t *uefi_policy_get_entry(UefiMsg *msg, size_t *size)
{
    size_t start = msg->pos;
    uint32_t version = uefi_msg_get_u32(msg);

    *size = uefi_msg_get_u16(msg);
    uefi_msg_seek(msg, start);
    if (version != EFI_VAR_POLICY_ENTRY_VERSION ||
        *size < EFI_VAR_POLICY_ENTRY_SIZE) {
        return NULL;
    }
    return uefi_msg_get_bytes(msg, *size);
}

UefiReason uefi_policy_register(UefiVarService *uv, const void *entry,
                                size_t size)
{
    if (uv->policy->locked) {
        return UEFI_REASON_POLICY_LOCKED;
    }
    return table_add(uv->policy, entry, size, POLICY_ROOM_GUEST, uv);
}

/* ------------------------------------------------------------------------ */
/* Matching and enforcement (6.4, 6.5) */

static bool is_hex_digit(uint16_t c)
{
    return c < 0x80 && g_ascii_isxdigit(c);
}

static bool name_matches(const uint16_t *pattern, const uint16_t *name)
{
    for (; *pattern; pattern++, name++) {
        if (*pattern == '#' ? !is_hex_digit(*name) : *pattern != *name) {
            return false;
        }
    }
    return *name == 0;
}

const UefiVarPolicy *uefi_policy_find(const UefiVarService *uv,
                                      const UefiGuid *guid,
                                      const uint16_t *name)
{
    const UefiVarPolicyState *state = uv->policy;
    const UefiVarPolicy *best = NULL;

    for (guint i = 0; i < state->table->len; i++) {
        const UefiVarPolicy *policy = state->table->pdata[i];

        if ((!best || policy->priority < best->priority) &&
            uefi_guid_equal(&policy->guid, guid) &&
            (!policy->name || name_matches(policy->name, name))) {
            best = policy;
        }
    }
    return best;
}

static bool state_is_reached(UefiVarService *uv, const UefiVarPolicy *policy)
{
    const UefiVariable *var =
        uefi_store_find(uv->store, uefi_vars_view(uv), &policy->state_guid,
                        policy->state_name);
    const uint8_t *value;
    size_t size;

    if (!var) {
        return false;
    }
    value = g_bytes_get_data(var->data, &size);
    return size == 1 && *value == policy->state_value;
}

static UefiReason check_lock(UefiVarService *uv, const UefiVarPolicy *policy,
                             const UefiVarRequest *req)
{
    switch (policy->lock) {
    case EFI_VAR_POLICY_LOCK_NOW:
        return UEFI_REASON_POLICY_LOCKED_NOW;
    case EFI_VAR_POLICY_LOCK_ON_CREATE:
        return uefi_store_find(uv->store, uefi_vars_view(uv), &req->guid,
                               req->name)
               ? UEFI_REASON_POLICY_LOCKED_CREATED : UEFI_REASON_OK;
    case EFI_VAR_POLICY_LOCK_ON_VAR_STATE:
        return state_is_reached(uv, policy)
               ? UEFI_REASON_POLICY_LOCKED_STATE : UEFI_REASON_OK;
    default:
        return UEFI_REASON_OK;
    }
}

UefiReason uefi_policy_check(UefiVarService *uv, const UefiVarRequest *req)
{
    const UefiVarPolicy *policy;
    uint32_t attributes = req->attributes;
    /* Unlike elsewhere, data without attributes is no deletion here (6.5). */
    bool deletes = !(attributes & EFI_ATTR_AP) && !req->payload_size;

    if (uv->policy->disabled) {
        return UEFI_REASON_OK;
    }
    policy = uefi_policy_find(uv, &req->guid, req->name);
    if (!policy) {
        return UEFI_REASON_OK;
    }
    if (!deletes) {
        if (req->payload_size < policy->min_size ||
            req->payload_size > policy->max_size) {
            return UEFI_REASON_POLICY_SIZE;
        }
        if ((attributes & policy->must_have) != policy->must_have ||
            (attributes & policy->cant_have)) {
            return UEFI_REASON_POLICY_ATTRIBUTES;
        }
    }
    return check_lock(uv, policy, req);
}

/* ------------------------------------------------------------------------ */
/* Function 8 of the variable protocol (3.9) */

static UefiReason add_lock_now(UefiVarPolicyState *state, const UefiGuid *guid,
                               const uint16_t *name, size_t room)
{
    size_t size = EFI_VAR_POLICY_ENTRY_SIZE + uefi_str_size(name);
    g_autofree uint8_t *entry = NULL;
    UefiMsg msg;

    if (size > UINT16_MAX) {
        return UEFI_REASON_LOCK_NAME_LONG;
    }
    entry = g_malloc0(size);
    uefi_msg_init(&msg, entry, size, 8);
    uefi_msg_put_u32(&msg, EFI_VAR_POLICY_ENTRY_VERSION);
    uefi_msg_put_u16(&msg, size);
    uefi_msg_put_u16(&msg, EFI_VAR_POLICY_ENTRY_SIZE);
    uefi_msg_put_guid(&msg, guid);
    uefi_msg_put_u32(&msg, 0);
    uefi_msg_put_u32(&msg, UINT32_MAX);
    uefi_msg_put_u32(&msg, 0);
    uefi_msg_put_u32(&msg, 0);
    uefi_msg_put_u8(&msg, EFI_VAR_POLICY_LOCK_NOW);
    uefi_msg_seek(&msg, EFI_VAR_POLICY_ENTRY_SIZE);
    uefi_msg_put_str(&msg, name);
    return table_add(state, entry, size, room, NULL);
}

UefiReason uefi_policy_lock_now(UefiVarService *uv, const UefiGuid *guid,
                                const uint16_t *name)
{
    return add_lock_now(uv->policy, guid, name, POLICY_ROOM_ALL);
}

UefiReason uefi_policy_lock_variable(UefiVarService *uv, const UefiGuid *guid,
                                     const uint16_t *name)
{
    const UefiVarRequest deletion = { .guid = *guid, .name = name };
    UefiReason reason;

    if (uefi_vars_checks_on(uv)) {
        return UEFI_REASON_LOCK_CLOSED;
    }
    if (!*name) {
        return UEFI_REASON_LOCK_NO_NAME;
    }
    if (uv->policy->locked) {
        return UEFI_REASON_POLICY_LOCKED;
    }
    reason = add_lock_now(uv->policy, guid, name, POLICY_ROOM_GUEST);
    if (reason != UEFI_REASON_POLICY_EXISTS) {
        return reason;
    }
    /* Somebody else's policy will do if it locks the variable now. */
    reason = uefi_policy_check(uv, &deletion);
    return uefi_reason_status(reason) == EFI_WRITE_PROTECTED
           ? UEFI_REASON_OK : UEFI_REASON_LOCK_EXISTS;
}

/* ------------------------------------------------------------------------ */
/* Migration: u32 version, u8 flags, then the entries as DUMP has them */

#define POLICY_STATE_VERSION    1
#define POLICY_FLAG_LOCKED      0x01
#define POLICY_FLAG_DISABLED    0x02

/* All is saved but the snapshot; a policy as the entry that it comes from. */
UEFI_ALL_FIELDS(UefiVarPolicyState, *state,
                state->table, state->table_size, state->locked,
                state->disabled, state->snapshot)
UEFI_ALL_FIELDS(UefiVarPolicy, *policy,
                policy->entry, policy->guid, policy->min_size,
                policy->max_size, policy->must_have, policy->cant_have,
                policy->lock, policy->priority, policy->name,
                policy->state_guid, policy->state_value, policy->state_name)

GBytes *uefi_policy_save(const UefiVarService *uv)
{
    const UefiVarPolicyState *state = uv->policy;
    g_autoptr(GBytes) table = uefi_policy_table(state);
    size_t size = sizeof(uint32_t) + 1 + state->table_size;
    uint8_t *bytes = g_malloc0(size);
    UefiMsg msg;

    uefi_msg_init(&msg, bytes, size, 8);
    uefi_msg_put_u32(&msg, POLICY_STATE_VERSION);
    uefi_msg_put_u8(&msg, (state->locked ? POLICY_FLAG_LOCKED : 0) |
                          (state->disabled ? POLICY_FLAG_DISABLED : 0));
    if (table) {
        uefi_msg_put_bytes(&msg, g_bytes_get_data(table, NULL),
                           state->table_size);
    }
    return g_bytes_new_take(bytes, size);
}

static bool load_entry(UefiVarPolicyState *state, UefiMsg *msg, GError **err)
{
    size_t start = msg->pos, size;
    const uint8_t *entry = uefi_policy_get_entry(msg, &size);
    UefiReason reason =
        entry ? table_add(state, entry, size, POLICY_ROOM_ALL, NULL)
              : UEFI_REASON_POLICY_ENTRY;

    if (reason != UEFI_REASON_OK) {
        g_set_error(err, UEFI_STATE_ERROR, 0,
                    "variable policy at offset %zu of its state: %s",
                    start, uefi_reason_text(reason));
        return false;
    }
    return true;
}

bool uefi_policy_load(UefiVarService *uv, GBytes *bytes, GError **err)
{
    g_autoptr(UefiVarPolicyState) state = uefi_policy_new();
    size_t size;
    const void *data = g_bytes_get_data(bytes, &size);
    uint32_t version;
    uint8_t flags;
    UefiMsg msg;

    uefi_msg_init(&msg, (void *)data, size, 8);
    version = uefi_msg_get_u32(&msg);
    flags = uefi_msg_get_u8(&msg);
    if (msg.overrun || version != POLICY_STATE_VERSION ||
        (flags & ~(POLICY_FLAG_LOCKED | POLICY_FLAG_DISABLED))) {
        g_set_error(err, UEFI_STATE_ERROR, 0,
                    "state of variable policies: version %" PRIu32
                    ", flags 0x%x, %zu bytes are not known here",
                    version, flags, size);
        return false;
    }
    state->locked = flags & POLICY_FLAG_LOCKED;
    state->disabled = flags & POLICY_FLAG_DISABLED;
    while (uefi_msg_left(&msg)) {
        if (!load_entry(state, &msg, err)) {
            return false;
        }
    }
    uefi_policy_free(uv->policy);
    uv->policy = g_steal_pointer(&state);
    return true;
}
