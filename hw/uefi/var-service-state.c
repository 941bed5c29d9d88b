/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: the whole state as bytes, for migration
 *
 * All little endian:
 *
 *     u32  UEFI_STATE_VERSION
 *     u32  phase
 *     u32  number of variables, which follow in the order of enumeration
 *     3 x  u32 size and that many bytes: checks, policies, trust
 *     parts, if any: u32 tag, u32 size and that many bytes
 *
 * A variable is its GUID, u32 attributes, the time, and three times u32 size
 * and that many bytes: the name with its terminator, the value, the binding.
 * Parts are what later releases add.  One that is not known is passed over if
 * its tag has UEFI_STATE_OPTIONAL; with any other the state is refused.
 * A stream may come from anywhere: nothing in it is trusted.
 */

#include "qemu/osdep.h"
#include "hw/uefi/var-service.h"
#include "hw/uefi/var-service-check.h"
#include "hw/uefi/var-service-msg.h"
#include "hw/uefi/var-service-policy.h"
#include "hw/uefi/var-service-secureboot.h"
#include "hw/uefi/var-service-state.h"

#define UEFI_STATE_VERSION  1

/* Room for checks, policies and trust, which have limits of their own */
#define UEFI_STATE_OTHER    (1024 * 1024)

/* ------------------------------------------------------------------------ */
/* Save */

static void put_bytes(GByteArray *out, GBytes *bytes)
{
    gsize size = 0;
    const uint8_t *data = bytes ? g_bytes_get_data(bytes, &size) : NULL;

    uefi_bytes_put_u32(out, size);
    if (size > 0) {
        g_byte_array_append(out, data, size);
    }
}

static void put_str(GByteArray *out, const uint16_t *str)
{
    static const uint8_t nul[2];

    uefi_bytes_put_u32(out, uefi_str_size(str));
    uefi_bytes_put_str(out, str);
    g_byte_array_append(out, nul, sizeof(nul));
}

/*
 * All is saved but the name's size, in_place, which only changes have, and
 * the links.
 */
UEFI_ALL_FIELDS(UefiVariable, *var,
                var->guid, var->name, var->name_size, var->attributes,
                var->time, var->data, var->binding, var->in_place,
                { } /* link */)

static uint32_t put_variables(GByteArray *out, const UefiVarStore *store)
{
    const UefiVariable *var = NULL;
    uint32_t count = 0;

    while ((var = uefi_store_next(store, UEFI_VIEW_BOOT, var))) {
        g_byte_array_append(out, var->guid.b, sizeof(var->guid.b));
        uefi_bytes_put_u32(out, var->attributes);
        g_byte_array_append(out, var->time.b, sizeof(var->time.b));
        put_str(out, var->name);
        put_bytes(out, var->data);
        put_bytes(out, var->binding);
        count++;
    }
    return count;
}

/* All but config, host and answer is saved. */
UEFI_ALL_FIELDS(UefiVarService, *uv,
                uv->config, uv->host, uv->host_opaque, uv->store, uv->phase,
                uv->check, uv->mor, uv->lang, uv->policy, uv->secure_boot,
                uv->answer)

GBytes *uefi_vars_state_save(const UefiVarService *uv)
{
    g_autoptr(GByteArray) vars = g_byte_array_new();
    uint32_t count = put_variables(vars, uv->store);
    g_autoptr(GBytes) check = uefi_check_save(uv);
    g_autoptr(GBytes) policy = uefi_policy_save(uv);
    g_autoptr(GBytes) trust = uefi_secureboot_save(uv);
    GByteArray *out = g_byte_array_sized_new(vars->len + 1024);

    uefi_bytes_put_u32(out, UEFI_STATE_VERSION);
    uefi_bytes_put_u32(out, uv->phase);
    uefi_bytes_put_u32(out, count);
    g_byte_array_append(out, vars->data, vars->len);
    put_bytes(out, check);
    put_bytes(out, policy);
    put_bytes(out, trust);
    return g_byte_array_free_to_bytes(out);
}

/* ------------------------------------------------------------------------ */
/* Load */

static bool fail(GError **err, const char *text)
{
    g_set_error_literal(err, UEFI_STATE_ERROR, 0, text);
    return false;
}

/* The next u32 size and so many bytes; NULL when there are not as many */
static GBytes *get_bytes(UefiMsg *msg)
{
    uint32_t size = uefi_msg_get_u32(msg);
    const uint8_t *data = uefi_msg_get_bytes(msg, size);

    return data ? g_bytes_new(data, size) : NULL;
}

/* A name is not empty, and ends where its size says */
static uint16_t *get_name(UefiMsg *msg)
{
    uint32_t size = uefi_msg_get_u32(msg);
    g_autofree uint16_t *name = uefi_msg_get_str(msg, size);

    if (!name || !*name || uefi_str_size(name) != size) {
        return NULL;
    }
    return g_steal_pointer(&name);
}

static UefiVariable *get_variable(UefiMsg *msg, GError **err)
{
    UefiGuid guid = uefi_msg_get_guid(msg);
    uint32_t attributes = uefi_msg_get_u32(msg);
    const uint8_t *time = uefi_msg_get_bytes(msg, EFI_TIME_SIZE);
    g_autofree uint16_t *name = get_name(msg);
    g_autoptr(GBytes) data = get_bytes(msg);
    g_autoptr(GBytes) binding = get_bytes(msg);
    UefiVariable *var;

    if (msg->overrun) {
        fail(err, "it ends within a variable");
        return NULL;
    }
    if (!name || attributes & ~EFI_ATTR_KIND || g_bytes_get_size(data) == 0 ||
        g_bytes_get_size(binding) > UEFI_LIMIT_BINDING) {
        fail(err, "a variable in it is not possible");
        return NULL;
    }
    var = uefi_variable_new(&guid, name, attributes,
                            g_steal_pointer(&data));
    memcpy(var->time.b, time, EFI_TIME_SIZE);
    if (g_bytes_get_size(binding) > 0) {
        var->binding = g_steal_pointer(&binding);
    }
    return var;
}

static bool get_variables(UefiVarStore *store, UefiMsg *msg, uint32_t count,
                          GError **err)
{
    while (count--) {
        g_autoptr(UefiVarChange) change = uefi_var_change_new();
        UefiVariable *var = get_variable(msg, err);

        if (!var) {
            return false;
        }
        uefi_var_change_add(change, var);
        if (uefi_store_find(store, UEFI_VIEW_BOOT, &var->guid, var->name)) {
            return fail(err, "a variable is in it twice");
        }
        uefi_store_apply(store, change);
    }
    return uefi_secureboot_all_fit(store) ||
           fail(err, "its variables need more room than there is here "
                "(properties size, volatile-size and hwerr-quota)");
}

static bool get_part(UefiVarService *uv, UefiMsg *msg,
                     bool (*load)(UefiVarService *, GBytes *, GError **),
                     GError **err)
{
    g_autoptr(GBytes) bytes = get_bytes(msg);

    return bytes ? load(uv, bytes, err) : fail(err, "it is too short");
}

/* There is no part that this release knows. */
static bool get_parts(UefiMsg *msg, GError **err)
{
    while (uefi_msg_left(msg) > 0) {
        uint32_t tag = uefi_msg_get_u32(msg);
        g_autoptr(GBytes) bytes = get_bytes(msg);

        if (!bytes) {
            return fail(err, "it ends within a part");
        }
        if (!(tag & UEFI_STATE_OPTIONAL)) {
            return fail(err, "it has a part that is not known here");
        }
    }
    return true;
}

static bool get_all(UefiVarService *uv, UefiMsg *msg, GError **err)
{
    uint32_t version = uefi_msg_get_u32(msg);
    uint32_t phase = uefi_msg_get_u32(msg);
    uint32_t count = uefi_msg_get_u32(msg);

    if (msg->overrun || version != UEFI_STATE_VERSION) {
        return fail(err, "its version is not known here");
    }
    if (phase >= UEFI_PHASE__MAX) {
        return fail(err, "its phase is not known here");
    }
    uv->phase = phase;
    return get_variables(uv->store, msg, count, err) &&
           get_part(uv, msg, uefi_check_load, err) &&
           get_part(uv, msg, uefi_policy_load, err) &&
           get_part(uv, msg, uefi_secureboot_load, err) &&
           get_parts(msg, err);
}

bool uefi_vars_state_load(UefiVarService **uv, const uint8_t *data,
                          size_t size, GError **err)
{
    g_autoptr(UefiVarService) other = uefi_vars_new(&(*uv)->config, NULL,
                                                    NULL);
    UefiMsg msg;

    uefi_msg_init(&msg, (uint8_t *)data, size, 8);
    if (!get_all(other, &msg, err)) {
        g_prefix_error(err, "the state of the variable store is refused: ");
        return false;
    }
    uefi_vars_replace(uv, g_steal_pointer(&other));
    return true;
}

size_t uefi_vars_state_max(const UefiVarService *uv)
{
    const UefiVarLimits *limits = &uv->config.limits;

    /*
     * A record (3.8) counts its header, name and value, and here takes less;
     * all bindings take no more than all records may, and certdb and certdbv
     * (7.4) less than records and bindings; the rest is UEFI_STATE_OTHER.
     */
    return 4 * ((size_t)limits->nv_size + limits->volatile_size) +
           UEFI_STATE_OTHER;
}
