/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: streams of the device bundled with QEMU
 *
 * That device has the type names of ours and version 0.  Its stream holds
 * nothing of MOR and language lists; 11.1 has the bindings of variables
 * (7.4) where 10.0 has none.  The order of the fields is known from the
 * description that QEMU puts at the end of every stream, and from the bytes
 * that both send.
 *
 * What comes in is given to a new service as a guest would: that one derives
 * what the stream lacks, and its state is taken over like any other.
 */

#include "qemu/osdep.h"
#include "qemu/cutils.h"
#include "qemu/error-report.h"
#include "migration/qemu-file-types.h"
#include "migration/vmstate.h"
#include "hw/uefi/var-service-policy-messages.h"
#include "hw/uefi/var-service-policy.h"
#include "hw/uefi/var-service-secureboot.h"
#include "hw/uefi/var-service-state.h"
#include "hw/uefi/var-service-vmstate.h"

#define MAX_POLICY_SIZE     0xffff      /* of one entry, bytes */

/* What stands before an entry of a list, and behind the last one */
enum {
    MARK_END,
    MARK_ENTRY,
    MARK_SUBSECTION = 5,                /* belongs to the entry before it */
};

static int refuse(const char *why)
{
    error_report("uefi-vars: the bundled device's state is refused: %s", why);
    return -EINVAL;
}

static bool read_bytes(QEMUFile *f, void *buf, size_t size)
{
    return qemu_get_buffer(f, buf, size) == size && !qemu_file_get_error(f);
}

/* Fields stand in the stream big endian, and are little endian in EFI_TIME. */
static UefiTime read_time(QEMUFile *f)
{
    UefiTime time = { };
    UefiMsg msg;

    uefi_msg_init(&msg, time.b, sizeof(time.b), 8);
    uefi_msg_put_u16(&msg, qemu_get_be16(f));           /* year */
    for (int i = 0; i < 5; i++) {
        uefi_msg_put_u8(&msg, qemu_get_byte(f));        /* month to second */
    }
    uefi_msg_seek(&msg, 8);
    uefi_msg_put_u32(&msg, qemu_get_be32(f));           /* nanosecond */
    return time;
}

/* Returns NULL for what no variable of ours can be */
static UefiVariable *read_variable(QEMUFile *f, size_t max)
{
    UefiGuid guid;
    bool ok = read_bytes(f, guid.b, sizeof(guid.b));
    uint32_t name_size = qemu_get_be32(f);
    uint32_t data_size = qemu_get_be32(f);
    uint32_t attributes = qemu_get_be32(f);
    g_autofree uint16_t *name = NULL;
    g_autofree uint8_t *buf = NULL;
    UefiVariable *var;
    UefiMsg msg;

    if (!ok || name_size > max || data_size > max || data_size == 0 ||
        attributes & ~EFI_ATTR_KIND) {
        return NULL;
    }
    buf = g_malloc(name_size + data_size);
    if (!read_bytes(f, buf, name_size + data_size)) {
        return NULL;
    }
    uefi_msg_init(&msg, buf, name_size, 8);
    name = uefi_msg_get_str(&msg, name_size);
    if (!name || !*name) {
        return NULL;
    }
    /* The bundled device keeps it under the wrong GUID (10). */
    if (uefi_str_is(name, "VendorKeysNv") &&
        uefi_guid_equal(&guid, &uefi_guid_global)) {
        guid = uefi_guid_vendor_keys_nv;
    }
    var = uefi_variable_new(&guid, name, attributes,
                            g_bytes_new(buf + name_size, data_size));
    var->time = read_time(f);
    if (!(attributes & EFI_ATTR_AT)) {
        memset(&var->time, 0, sizeof(var->time));
    }
    return var;
}

/*
 * The subsection that 11.1 puts behind a variable bound to its signer, and,
 * empty, behind some that are not
 */
static bool read_binding(QEMUFile *f, UefiVariable *var)
{
    static const char expected[] = "uefi-variable-digest";
    char id[sizeof(expected) - 1];
    g_autofree uint8_t *digest = NULL;
    uint32_t version, size;

    if (qemu_get_byte(f) != sizeof(id) || !read_bytes(f, id, sizeof(id)) ||
        memcmp(id, expected, sizeof(id))) {
        return false;
    }
    version = qemu_get_be32(f);
    size = qemu_get_be32(f);
    if (version != 0 || size > UEFI_LIMIT_BINDING) {
        return false;
    }
    digest = g_malloc(size);
    if (!read_bytes(f, digest, size)) {
        return false;
    }
    if (var->attributes & EFI_ATTR_AT && !buffer_is_zero(digest, size)) {
        var->binding = g_bytes_new_take(g_steal_pointer(&digest), size);
    }
    return true;
}

/* A variable and @mark, what stands behind it; NULL as above */
static UefiVariable *read_entry(QEMUFile *f, size_t max, uint8_t *mark)
{
    g_autoptr(UefiVariable) var = read_variable(f, max);

    if (!var) {
        return NULL;
    }
    *mark = qemu_get_byte(f);
    if (*mark == MARK_SUBSECTION) {
        if (!read_binding(f, var)) {
            return NULL;
        }
        *mark = qemu_get_byte(f);
    }
    return g_steal_pointer(&var);
}

static size_t room_of(const UefiVariable *var)
{
    return uefi_store_record_size(var->name, g_bytes_get_size(var->data)) +
           (var->binding ? g_bytes_get_size(var->binding) : 0);
}

static void add(UefiVarStore *store, UefiVariable *var)
{
    g_autoptr(UefiVarChange) change = uefi_var_change_new();

    uefi_var_change_add(change, var);
    uefi_store_apply(store, change);
}

/*
 * Volatile variables that the service derives from others are its own to
 * set; everything else volatile comes from the stream.
 */
static void add_volatile(UefiVarStore *store, GPtrArray *vars)
{
    while (vars->len > 0) {
        UefiVariable *var = g_ptr_array_steal_index(vars, 0);

        if (uefi_store_find(store, UEFI_VIEW_BOOT, &var->guid, var->name)) {
            uefi_variable_free(var);
        } else {
            add(store, var);
        }
    }
}

static int get_variables(QEMUFile *f, void *pv, size_t size,
                         const VMStateField *field)
{
    UefiVarDevice *d = pv;
    UefiVarService *uv = uefi_vars_new(&d->service->config, NULL, NULL);
    size_t max = uefi_vars_state_max(uv);
    g_autoptr(GPtrArray) late =
        g_ptr_array_new_with_free_func((GDestroyNotify)uefi_variable_free);
    uint8_t mark = qemu_get_byte(f);
    size_t total = 0;

    d->transit.adopted = uv;
    while (mark == MARK_ENTRY) {
        UefiVariable *var = read_entry(f, max, &mark);

        if (!var) {
            return refuse("a variable in it is not possible");
        }
        total += room_of(var);
        if (total > max) {
            uefi_variable_free(var);
            return refuse("it has too many variables");
        }
        if (var->attributes & EFI_ATTR_NV) {
            add(uv->store, var);
        } else {
            g_ptr_array_add(late, var);
        }
    }
    if (mark != MARK_END) {
        return refuse("its list of variables is of an unknown kind");
    }
    uefi_vars_hard_reset(uv);
    add_volatile(uv->store, late);
    if (!uefi_secureboot_all_fit(uv->store)) {
        return refuse("its variables need more room than there is here");
    }
    return 0;
}

/* As if the guest had sent it (6.1, 6.3) */
static bool register_policy(UefiVarService *uv, const uint8_t *entry,
                            size_t size)
{
    const size_t header_size = 20, result_at = 12;
    g_autofree uint8_t *buf = g_malloc0(header_size + size);
    uint64_t result;
    UefiMsg msg;

    uefi_msg_init(&msg, buf, header_size + size, 8);
    uefi_msg_put_u32(&msg, EFI_VAR_POLICY_SIGNATURE);
    uefi_msg_put_u32(&msg, EFI_VAR_POLICY_REVISION);
    uefi_msg_put_u32(&msg, EFI_VAR_POLICY_REGISTER);
    uefi_msg_seek(&msg, header_size);
    uefi_msg_put_bytes(&msg, entry, size);
    uefi_msg_seek(&msg, 0);
    if (!uefi_policy_handle(uv, &msg)) {
        return false;
    }
    uefi_msg_seek(&msg, result_at);
    result = uefi_msg_get_un(&msg);
    /* The bundled device keeps repetitions. */
    return result == EFI_SUCCESS ||
           (result & UINT32_MAX) == EFI_ALREADY_STARTED;
}

static int get_policies(QEMUFile *f, void *pv, size_t size,
                        const VMStateField *field)
{
    UefiVarDevice *d = pv;
    g_autofree uint8_t *entry = g_malloc(MAX_POLICY_SIZE);
    uint32_t count = 0;
    uint8_t mark;

    while ((mark = qemu_get_byte(f)) == MARK_ENTRY) {
        uint32_t entry_size = qemu_get_be32(f);

        if (entry_size > MAX_POLICY_SIZE ||
            ++count > UEFI_LIMIT_POLICY_BYTES ||
            !read_bytes(f, entry, entry_size) ||
            !register_policy(d->transit.adopted, entry, entry_size)) {
            return refuse("a policy in it is not possible");
        }
    }
    if (mark != MARK_END) {
        return refuse("its list of policies is of an unknown kind");
    }
    return qemu_file_get_error(f);
}

static int put_nothing(QEMUFile *f, void *pv, size_t size,
                       const VMStateField *field, JSONWriter *desc)
{
    return 0;   /* never asked for: the field does not exist when we save */
}

static const VMStateInfo info_variables = {
    .name = "bundled variables",
    .get = get_variables,
    .put = put_nothing,
};

static const VMStateInfo info_policies = {
    .name = "bundled policies",
    .get = get_policies,
    .put = put_nothing,
};

static int bundled_pre_load(void *opaque)
{
    UefiVarDevice *d = opaque;

    uefi_vars_transit_clear(&d->transit);
    return 0;
}

static UefiVarPhase phase_of(const UefiVarTransit *t)
{
    if (t->exit_boot_service) {
        return UEFI_PHASE_RUNTIME;
    }
    if (t->ready_to_boot) {
        return UEFI_PHASE_READY_TO_BOOT;
    }
    return t->end_of_dxe ? UEFI_PHASE_END_OF_DXE : UEFI_PHASE_DXE;
}

static int bundled_post_load(void *opaque, int version_id)
{
    UefiVarDevice *d = opaque;
    UefiVarTransit *t = &d->transit;
    gsize size;

    t->adopted->config.has_tpm = d->service->config.has_tpm;
    uefi_vars_enter_phase(t->adopted, phase_of(t));
    if (t->policy_locked) {
        uefi_policy_lock(t->adopted);
    }
    t->dma_addr = deposit64(t->dma_lo, 32, 32, t->dma_hi);
    t->state = g_bytes_unref_to_data(uefi_vars_state_save(t->adopted), &size);
    t->state_size = size;
    if (size > uefi_vars_state_max(d->service)) {
        /* It could not be sent on. */
        return refuse("it has too many variables");
    }
    return uefi_vars_transit_arrived(d);
}

const VMStateDescription vmstate_uefi_vars_bundled = {
    .name = "uefi-vars",
    .version_id = 0,
    .minimum_version_id = 0,
    .pre_load = bundled_pre_load,
    .post_load = bundled_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT16(transit.status, UefiVarDevice),
        VMSTATE_UINT32(transit.buffer_size, UefiVarDevice),
        VMSTATE_UINT32(transit.dma_lo, UefiVarDevice),
        VMSTATE_UINT32(transit.dma_hi, UefiVarDevice),
        VMSTATE_UINT32(transit.pio_offset, UefiVarDevice),
        VMSTATE_VALIDATE("buffer size and offset", uefi_vars_transit_valid),
        VMSTATE_VBUFFER_ALLOC_UINT32(transit.pio, UefiVarDevice, 0, NULL,
                                     transit.buffer_size),
        VMSTATE_BOOL(transit.end_of_dxe, UefiVarDevice),
        VMSTATE_BOOL(transit.ready_to_boot, UefiVarDevice),
        VMSTATE_BOOL(transit.exit_boot_service, UefiVarDevice),
        VMSTATE_BOOL(transit.policy_locked, UefiVarDevice),
        VMSTATE_UNUSED(8),      /* bytes used, which we count ourselves */
        {
            .name = "variables",
            .info = &info_variables,
            .flags = VMS_SINGLE,
            .size = sizeof(UefiVarDevice),
        },
        {
            .name = "var_policies",
            .info = &info_policies,
            .flags = VMS_SINGLE,
            .size = sizeof(UefiVarDevice),
        },
        VMSTATE_END_OF_LIST()
    }
};
