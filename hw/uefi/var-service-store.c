/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: the database of variables
 *
 * A variable is found in a tree ordered by (GUID, name).  It stands in one list
 * per view, so that enumeration never walks over what the guest cannot see.
 */

#include "qemu/osdep.h"
#include "hw/uefi/var-service-store.h"

/* Volatile and non-volatile variables are two stores to the guest (8). */
enum { ORDER_VOLATILE, ORDER_NV, ORDER__MAX };

struct UefiVarStore {
    const UefiVarLimits *limits;
    GTree *vars;                /* set of UefiVariable, owned */
    GQueue order[ORDER__MAX][UEFI_VIEW__MAX];
    uint64_t used[UEFI_CLASS__MAX];
};

UefiVarChange *uefi_var_change_new(void)
{
    UefiVarChange *change = g_new0(UefiVarChange, 1);

    change->vars =
        g_ptr_array_new_with_free_func((GDestroyNotify)uefi_variable_free);
    return change;
}

void uefi_var_change_free(UefiVarChange *change)
{
    if (change) {
        g_ptr_array_unref(change->vars);
        g_free(change);
    }
}

void uefi_var_change_add(UefiVarChange *change, UefiVariable *var)
{
    g_ptr_array_add(change->vars, var);
}

void uefi_var_change_remove(UefiVarChange *change, const UefiGuid *guid,
                            const uint16_t *name)
{
    uefi_var_change_add(change, uefi_variable_new(guid, name, 0, NULL));
}

static bool var_visible(const UefiVariable *var, UefiVarView view)
{
    return view == UEFI_VIEW_BOOT || (var->attributes & EFI_ATTR_RT);
}

static GQueue *var_order(UefiVarStore *store, const UefiVariable *var,
                         UefiVarView view)
{
    bool nv = var->attributes & EFI_ATTR_NV;

    return &store->order[nv ? ORDER_NV : ORDER_VOLATILE][view];
}

UefiVarStore *uefi_store_new(const UefiVarLimits *limits)
{
    UefiVarStore *store = g_new0(UefiVarStore, 1);

    store->limits = limits;
    store->vars = g_tree_new_full(uefi_variable_compare, NULL,
                                  (GDestroyNotify)uefi_variable_free, NULL);
    return store;
}

void uefi_store_free(UefiVarStore *store)
{
    if (store) {
        g_tree_unref(store->vars);
        g_free(store);
    }
}

const UefiVariable *uefi_store_find(const UefiVarStore *store,
                                    UefiVarView view, const UefiGuid *guid,
                                    const uint16_t *name)
{
    const UefiVariable key = uefi_variable_key(guid, name);
    const UefiVariable *var = g_tree_lookup(store->vars, &key);

    return var && var_visible(var, view) ? var : NULL;
}

const UefiVariable *uefi_store_find_ascii(const UefiVarStore *store,
                                          UefiVarView view,
                                          const UefiGuid *guid,
                                          const char *name)
{
    g_autofree uint16_t *str = uefi_str_from_ascii(name);

    return uefi_store_find(store, view, guid, str);
}

const UefiVariable *uefi_store_next(const UefiVarStore *store,
                                    UefiVarView view,
                                    const UefiVariable *var)
{
    const GList *next;

    if (!var) {
        next = store->order[ORDER_VOLATILE][view].head;
    } else {
        next = var->link[view].next;
        if (!next && (var->attributes & EFI_ATTR_NV)) {
            return NULL;
        }
    }
    if (!next) {
        next = store->order[ORDER_NV][view].head;
    }
    return next ? next->data : NULL;
}

UefiVarClass uefi_store_class(uint32_t attributes)
{
    if (!(attributes & EFI_ATTR_NV)) {
        return UEFI_CLASS_VOLATILE;
    }
    return attributes & EFI_ATTR_HR ? UEFI_CLASS_HWERR : UEFI_CLASS_NV;
}

uint64_t uefi_store_capacity(const UefiVarStore *store, UefiVarClass class)
{
    const UefiVarLimits *limits = store->limits;

    switch (class) {
    case UEFI_CLASS_VOLATILE:
        return limits->volatile_size - EFI_VAR_STORE_HEADER_SIZE;
    case UEFI_CLASS_NV:
        return limits->nv_size - EFI_VAR_STORE_HEADER_SIZE -
               limits->hwerr_quota;
    default:
        return limits->hwerr_quota;
    }
}

uint64_t uefi_store_used(const UefiVarStore *store, UefiVarClass class)
{
    return store->used[class];
}

uint64_t uefi_store_bindings(const UefiVarStore *store, UefiVarClass class)
{
    const UefiVariable *var = NULL;
    uint64_t size = 0;

    while ((var = uefi_store_next(store, UEFI_VIEW_BOOT, var))) {
        if (var->binding && uefi_store_class(var->attributes) == class) {
            size += g_bytes_get_size(var->binding);
        }
    }
    return size;
}

uint64_t uefi_store_record_size(const uint16_t *name, size_t data_size)
{
    return EFI_VAR_RECORD_HEADER_SIZE + ROUND_UP(uefi_str_size(name), 4) +
           ROUND_UP((uint64_t)data_size, 4);
}

static uint64_t var_record_size(const UefiVariable *var)
{
    return uefi_store_record_size(var->name, g_bytes_get_size(var->data));
}

UefiReason uefi_store_check(const UefiVarStore *store,
                            const UefiVarChange *change)
{
    static const UefiReason full[UEFI_CLASS__MAX] = {
        [UEFI_CLASS_VOLATILE] = UEFI_REASON_STORE_VOLATILE_FULL,
        [UEFI_CLASS_NV] = UEFI_REASON_STORE_FULL,
        [UEFI_CLASS_HWERR] = UEFI_REASON_STORE_HWERR_FULL,
    };
    g_autoptr(GTree) latest = g_tree_new_full(uefi_variable_compare, NULL,
                                              NULL, NULL);
    uint64_t added[UEFI_CLASS__MAX] = { }, freed[UEFI_CLASS__MAX] = { };

    for (guint i = change->vars->len; i-- > 0;) {
        UefiVariable *var = change->vars->pdata[i];
        const UefiVariable *old = g_tree_lookup(store->vars, var);

        /* The last word on a variable is what the store will hold. */
        if (g_tree_lookup(latest, var)) {
            continue;
        }
        g_tree_insert(latest, var, var);
        if (old) {
            freed[uefi_store_class(old->attributes)] += var_record_size(old);
        }
        if (var->data) {
            added[uefi_store_class(var->attributes)] += var_record_size(var);
        }
    }
    for (int class = 0; class < UEFI_CLASS__MAX; class++) {
        uint64_t used = store->used[class] - freed[class] + added[class];

        if (added[class] > freed[class] &&
            used > uefi_store_capacity(store, class)) {
            return full[class];
        }
    }
    return UEFI_REASON_OK;
}

static void store_remove(UefiVarStore *store, UefiVariable *var)
{
    for (int view = 0; view < UEFI_VIEW__MAX; view++) {
        if (var_visible(var, view)) {
            g_queue_unlink(var_order(store, var, view), &var->link[view]);
        }
    }
    store->used[uefi_store_class(var->attributes)] -= var_record_size(var);
    g_tree_remove(store->vars, var);
}

static void store_add(UefiVarStore *store, UefiVariable *var)
{
    for (int view = 0; view < UEFI_VIEW__MAX; view++) {
        if (var_visible(var, view)) {
            g_queue_push_tail_link(var_order(store, var, view),
                                   &var->link[view]);
        }
    }
    store->used[uefi_store_class(var->attributes)] += var_record_size(var);
    g_tree_insert(store->vars, var, var);
}

/* A new value for a variable that keeps attributes and place */
static void store_overwrite(UefiVarStore *store, UefiVariable *old,
                            UefiVariable *var)
{
    uint64_t *used = &store->used[uefi_store_class(old->attributes)];

    *used += var_record_size(var) - var_record_size(old);
    g_bytes_unref(old->data);
    old->data = g_bytes_ref(var->data);
}

void uefi_store_apply(UefiVarStore *store, UefiVarChange *change)
{
    gsize count;
    g_autofree gpointer *vars = g_ptr_array_steal(change->vars, &count);

    for (gsize i = 0; i < count; i++) {
        UefiVariable *var = vars[i];
        UefiVariable *old = g_tree_lookup(store->vars, var);

        if (old && var->in_place && old->attributes == var->attributes) {
            store_overwrite(store, old, var);
            uefi_variable_free(var);
            continue;
        }
        if (old) {
            store_remove(store, old);
        }
        if (var->data) {
            store_add(store, var);
        } else {
            uefi_variable_free(var);
        }
    }
}

void uefi_store_drop_volatile(UefiVarStore *store)
{
    GQueue *order = &store->order[ORDER_VOLATILE][UEFI_VIEW_BOOT];

    while (order->head) {
        store_remove(store, order->head->data);
    }
}

/* An append of nothing, say: it moves a variable, but makes no other of it. */
static bool is_same(const UefiVariable *old, const UefiVariable *var)
{
    return old && var->data && old->attributes == var->attributes &&
           g_bytes_equal(old->data, var->data) &&
           memcmp(&old->time, &var->time, sizeof(var->time)) == 0 &&
           !old->binding == !var->binding &&
           (!var->binding || g_bytes_equal(old->binding, var->binding));
}

bool uefi_var_change_touches_nv(const UefiVarStore *store,
                                const UefiVarChange *change)
{
    for (guint i = 0; i < change->vars->len; i++) {
        const UefiVariable *var = change->vars->pdata[i];
        const UefiVariable *old = g_tree_lookup(store->vars, var);

        if (!is_same(old, var) &&
            ((var->data && uefi_variable_is_persistent(var)) ||
             (old && uefi_variable_is_persistent(old)))) {
            return true;
        }
    }
    return false;
}
