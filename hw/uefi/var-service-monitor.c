/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: QMP commands
 *
 * What is looked up, decided and written is the core's; here it gets the form
 * of qapi/uefi.json.
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "hw/uefi/var-service-device.h"
#include "hw/uefi/var-service-known.h"
#include "hw/uefi/var-service-policy.h"
#include "hw/uefi/var-service-qapi.h"
#include "hw/uefi/var-service-status.h"
#include "trace.h"

/* Bounds of one answer, so that a monitor is not kept busy */
#define LIMIT_DEFAULT   1000
#define LIMIT_MAX       5000
#define DATA_MAX        (1024 * 1024)   /* bytes of values */

static const struct {
    uint32_t bit;
    UefiVarAttribute attribute;
} attributes_table[] = {
    { EFI_ATTR_NV, UEFI_VAR_ATTRIBUTE_NON_VOLATILE },
    { EFI_ATTR_BS, UEFI_VAR_ATTRIBUTE_BOOT },
    { EFI_ATTR_RT, UEFI_VAR_ATTRIBUTE_RUNTIME },
    { EFI_ATTR_HR, UEFI_VAR_ATTRIBUTE_HARDWARE_ERROR },
    { EFI_ATTR_AW, UEFI_VAR_ATTRIBUTE_COUNTER_AUTHENTICATED },
    { EFI_ATTR_AT, UEFI_VAR_ATTRIBUTE_AUTHENTICATED },
};

static UefiVarDevice *find_device(Error **errp)
{
    UefiVarDevice *d = uefi_vars_find();

    if (!d || !d->service) {
        error_setg(errp, "this machine has no UEFI variable store");
        return NULL;
    }
    return d;
}

/* ------------------------------------------------------------------------ */
/* Forms of values */

static UefiVarAttributeList *attributes_list(uint32_t attributes)
{
    UefiVarAttributeList *list = NULL, **tail = &list;

    for (size_t i = 0; i < ARRAY_SIZE(attributes_table); i++) {
        if (attributes & attributes_table[i].bit) {
            QAPI_LIST_APPEND(tail, attributes_table[i].attribute);
        }
    }
    return list;
}

static uint32_t attributes_bits(const UefiVarAttributeList *list)
{
    uint32_t bits = 0;

    for (; list; list = list->next) {
        for (size_t i = 0; i < ARRAY_SIZE(attributes_table); i++) {
            if (list->value == attributes_table[i].attribute) {
                bits |= attributes_table[i].bit;
            }
        }
    }
    return bits;
}

static char *hex_text(const uint8_t *data, size_t size)
{
    GString *text = g_string_sized_new(2 * size + 1);

    uefi_hex_append(text, data, size);
    return g_string_free(text, FALSE);
}

/* NULL, with @errp set, for anything but pairs of digits */
static GByteArray *parse_hex(const char *text, Error **errp)
{
    size_t len = strlen(text);
    g_autoptr(GByteArray) bytes = g_byte_array_sized_new(len / 2);

    for (size_t i = 0; i < len; i += 2) {
        int high = g_ascii_xdigit_value(text[i]);
        int low = g_ascii_xdigit_value(text[i + 1]);
        uint8_t byte = high << 4 | low;

        if (high < 0 || low < 0) {
            error_setg(errp, "'data' is not an even number of hexadecimal "
                       "digits");
            return NULL;
        }
        g_byte_array_append(bytes, &byte, 1);
    }
    return g_steal_pointer(&bytes);
}

static bool parse_guid(const char *text, UefiGuid *guid, Error **errp)
{
    if (!uefi_guid_parse(text, guid)) {
        error_setg(errp, "'%s' is not a GUID", text);
        return false;
    }
    return true;
}

/*
 * The name of a variable from its printed form.  A name that a guest made of
 * other things than characters is found by what it looks like.
 */
static uint16_t *parse_name(const UefiVarStore *store, const UefiGuid *guid,
                            const char *text, Error **errp)
{
    g_autofree uint16_t *name = g_utf8_to_utf16(text, -1, NULL, NULL, NULL);
    const UefiVariable *var = NULL;

    if (!name) {
        error_setg(errp, "'name' is not text");
        return NULL;
    }
    if (uefi_store_find(store, UEFI_VIEW_BOOT, guid, name) ||
        !strstr(text, "\\u")) {
        return g_steal_pointer(&name);
    }
    while ((var = uefi_store_next(store, UEFI_VIEW_BOOT, var))) {
        g_autofree char *printed = uefi_str_print(var->name);

        if (uefi_guid_equal(&var->guid, guid) && !strcmp(printed, text)) {
            return uefi_str_dup(var->name);
        }
    }
    return g_steal_pointer(&name);
}

/* ------------------------------------------------------------------------ */
/* Variables */

static UefiVarInfo *variable_info(const UefiVariable *var, const char *name,
                                  bool with_data)
{
    UefiVarInfo *info = g_new0(UefiVarInfo, 1);

    info->name = g_strdup(name);
    info->guid = uefi_guid_print(&var->guid);
    info->attributes = attributes_list(var->attributes);
    info->size = g_bytes_get_size(var->data);
    info->time = uefi_time_print(&var->time);
    if (with_data) {
        info->data = hex_text(g_bytes_get_data(var->data, NULL), info->size);
    }
    return info;
}

UefiVarInfoPage *qmp_query_uefi_vars(const char *guid_text, const char *name,
                                     bool has_data, bool with_data,
                                     bool has_skip, uint64_t skip,
                                     bool has_limit, uint64_t limit,
                                     Error **errp)
{
    UefiVarDevice *d = find_device(errp);
    g_autoptr(GPatternSpec) pattern = NULL;
    UefiVarInfoPage *page;
    UefiVarInfoList **tail;
    const UefiVariable *var = NULL;
    uint64_t told = 0, bytes = 0;
    UefiGuid guid;

    limit = has_limit ? limit : LIMIT_DEFAULT;
    if (!d || (guid_text && !parse_guid(guid_text, &guid, errp))) {
        return NULL;
    }
    if (limit < 1 || limit > LIMIT_MAX) {
        error_setg(errp, "'limit' must be between 1 and %d", LIMIT_MAX);
        return NULL;
    }
    pattern = g_pattern_spec_new(name ?: "*");
    page = g_new0(UefiVarInfoPage, 1);
    tail = &page->variables;
    while ((var = uefi_store_next(d->service->store, UEFI_VIEW_BOOT, var))) {
        g_autofree char *printed = NULL;

        if (guid_text && !uefi_guid_equal(&var->guid, &guid)) {
            continue;
        }
        printed = uefi_str_print(var->name);
        if (!g_pattern_match_string(pattern, printed)) {
            continue;
        }
        if (page->matches++ >= skip && told < limit && bytes < DATA_MAX) {
            QAPI_LIST_APPEND(tail, variable_info(var, printed, with_data));
            told++;
            bytes += with_data ? g_bytes_get_size(var->data) : 0;
        }
    }
    return page;
}

/* ------------------------------------------------------------------------ */
/* Status */

static UefiKeyInfo *key_info(const UefiKeyStatus *key)
{
    UefiKeyInfo *info = g_new0(UefiKeyInfo, 1);
    UefiSignatureCountList **signatures = &info->signatures;
    UefiCertificateInfoList **certificates = &info->certificates;

    info->name = g_strdup(key->name);
    info->size = key->var ? g_bytes_get_size(key->var->data) : 0;
    info->time = key->var ? uefi_time_print(&key->var->time) : NULL;
    info->damaged = key->damaged;
    for (guint i = 0; i < key->counts->len; i++) {
        const UefiSigCount *count = &g_array_index(key->counts, UefiSigCount,
                                                   i);
        const char *type = uefi_sig_type_name(&count->type);
        UefiSignatureCount *c = g_new0(UefiSignatureCount, 1);

        c->type = type ? g_strdup(type) : uefi_guid_print(&count->type);
        c->count = count->count;
        QAPI_LIST_APPEND(signatures, c);
    }
    for (guint i = 0; i < key->certs->len; i++) {
        const UefiKeyCert *cert = g_ptr_array_index(key->certs, i);
        UefiCertificateInfo *c = g_new0(UefiCertificateInfo, 1);

        c->owner = uefi_guid_print(&cert->owner);
        c->subject = g_strdup(cert->info ? cert->info->subject : NULL);
        c->sha256 = hex_text(cert->sha256, sizeof(cert->sha256));
        if (cert->info && cert->info->ends >= 0) {
            c->has_ends = true;
            c->ends = cert->info->ends;
        }
        QAPI_LIST_APPEND(certificates, c);
    }
    return info;
}

static UefiKnownCertificateList *known_certificates(
    const UefiVarStatus *status)
{
    UefiKnownCertificateList *list = NULL, **tail = &list;

    for (UefiVendorCertId id = 0; id < UEFI_VENDOR__MAX; id++) {
        const UefiVendorCert *cert = &uefi_vendor_certs[id];
        UefiKnownCertificate *known = g_new0(UefiKnownCertificate, 1);

        known->name = g_strdup(cert->name);
        known->key = g_strdup(status->keys[cert->key].name);
        known->until = g_strdup(cert->until);
        known->enrolled = status->known[id];
        if (cert->successor < UEFI_VENDOR__MAX) {
            known->successor =
                g_strdup(uefi_vendor_certs[cert->successor].name);
        }
        QAPI_LIST_APPEND(tail, known);
    }
    return list;
}

static UefiKeyReadiness key_readiness(UefiReadiness readiness)
{
    static const UefiKeyReadiness words[] = {
        [UEFI_READINESS_NONE] = UEFI_KEY_READINESS_NONE,
        [UEFI_READINESS_OWN] = UEFI_KEY_READINESS_OWN,
        [UEFI_READINESS_OUTDATED] = UEFI_KEY_READINESS_OUTDATED,
        [UEFI_READINESS_READY] = UEFI_KEY_READINESS_READY,
    };

    return words[readiness];
}

static UefiVarUsage *usage(const UefiVarService *uv, UefiVarClass class)
{
    static const UefiVarRoom rooms[UEFI_CLASS__MAX] = {
        [UEFI_CLASS_VOLATILE] = UEFI_VAR_ROOM_VOLATILE,
        [UEFI_CLASS_NV] = UEFI_VAR_ROOM_NON_VOLATILE,
        [UEFI_CLASS_HWERR] = UEFI_VAR_ROOM_HARDWARE_ERROR,
    };
    const UefiVarLimits *limits = &uv->config.limits;
    const uint32_t largest[UEFI_CLASS__MAX] = {
        [UEFI_CLASS_VOLATILE] = limits->max_volatile,
        [UEFI_CLASS_NV] = limits->max_var,
        [UEFI_CLASS_HWERR] = limits->max_hwerr,
    };
    UefiVarUsage *u = g_new0(UefiVarUsage, 1);

    u->q_class = rooms[class];
    u->used = uefi_store_used(uv->store, class);
    u->limit = uefi_store_capacity(uv->store, class);
    u->largest = largest[class];
    return u;
}

static UefiSecureBootState next_boot(UefiSecureBoot next)
{
    static const UefiSecureBootState states[] = {
        [UEFI_SECURE_BOOT_SETUP_MODE] = UEFI_SECURE_BOOT_STATE_SETUP_MODE,
        [UEFI_SECURE_BOOT_DISABLED] = UEFI_SECURE_BOOT_STATE_DISABLED,
        [UEFI_SECURE_BOOT_ENABLED] = UEFI_SECURE_BOOT_STATE_ENABLED,
        [UEFI_SECURE_BOOT_FORCED] = UEFI_SECURE_BOOT_STATE_FORCED,
    };

    return states[next];
}

static UefiBootPhase boot_phase(UefiVarPhase phase)
{
    static const UefiBootPhase phases[UEFI_PHASE__MAX] = {
        [UEFI_PHASE_DXE] = UEFI_BOOT_PHASE_PLATFORM,
        [UEFI_PHASE_END_OF_DXE] = UEFI_BOOT_PHASE_END_OF_DXE,
        [UEFI_PHASE_READY_TO_BOOT] = UEFI_BOOT_PHASE_READY_TO_BOOT,
        [UEFI_PHASE_RUNTIME] = UEFI_BOOT_PHASE_RUNTIME,
    };

    return phases[phase];
}

static void file_info(const UefiVarDevice *d, UefiVarStoreInfo *info)
{
    UefiVarStorageInfo storage;

    if (!d->storage) {
        return;
    }
    storage = uefi_vars_storage_info(d->storage);
    if (storage.is_node) {
        info->node = g_strdup(storage.name);
    } else {
        info->file = g_strdup(storage.name);
    }
    info->has_journal = storage.taken;
    info->journal = storage.journal;
    if (storage.failure) {
        info->failure = g_new0(UefiVarSaveFailure, 1);
        info->failure->reason = g_strdup(storage.failure);
        info->failure->since = storage.failing_since / 1000;
    }
}

static UefiVarRefusedWrites *refused_writes(const UefiVarDevice *d)
{
    const UefiVarAnswer *last = &d->last_refused;
    UefiVarRefusedWrites *refused;

    if (!d->refused) {
        return NULL;
    }
    refused = g_new0(UefiVarRefusedWrites, 1);
    refused->count = d->refused;
    refused->guid = uefi_guid_print(&last->guid);
    refused->name = last->name ? uefi_str_print(last->name) : NULL;
    refused->reason = g_strdup(uefi_reason_text(last->reason));
    return refused;
}

UefiVarStoreInfo *qmp_query_uefi_vars_status(Error **errp)
{
    UefiVarDevice *d = find_device(errp);
    g_autoptr(UefiVarStatus) status = NULL;
    UefiVarStoreInfo *info;
    UefiKeyInfoList **keys;
    UefiVarUsageList **usages;

    if (!d) {
        return NULL;
    }
    if (d->waits) {
        error_setg(errp, "the UEFI variables come with the machine, whose "
                   "migration has not arrived yet");
        return NULL;
    }
    status = uefi_status_new(d->service);
    info = g_new0(UefiVarStoreInfo, 1);
    info->setup_mode = status->setup_mode;
    info->secure_boot = status->secure_boot;
    info->next_boot = next_boot(status->next);
    info->custom_mode = status->custom_mode;
    keys = &info->keys;
    for (int id = 0; id < UEFI_KEY__MAX; id++) {
        QAPI_LIST_APPEND(keys, key_info(&status->keys[id]));
    }
    info->dbx_room = status->dbx_room;
    info->readiness = key_readiness(status->readiness);
    info->known_certificates = known_certificates(status);
    info->phase = boot_phase(d->service->phase);
    info->policies = uefi_policy_count(d->service);
    info->policies_locked = uefi_policy_locked(d->service);
    info->policies_disabled = uefi_policy_disabled(d->service);
    usages = &info->usage;
    for (int class = 0; class < UEFI_CLASS__MAX; class++) {
        QAPI_LIST_APPEND(usages, usage(d->service, class));
    }
    file_info(d, info);
    info->refused = refused_writes(d);
    return info;
}

/* ------------------------------------------------------------------------ */
/* Writing */

/* The text of a reason without the row of the specification before it */
static const char *plain_text(UefiReason reason)
{
    const char *text = uefi_reason_text(reason), *colon = strstr(text, ": ");

    return colon ? colon + 2 : text;
}

static const char *why_not_saved(const UefiVarDevice *d, UefiReason reason)
{
    const char *failure = d->storage
                          ? uefi_vars_storage_info(d->storage).failure : NULL;

    return failure ?: plain_text(reason);
}

static void check_written(const UefiVarDevice *d, UefiReason reason,
                          const char *done, const char *name,
                          const char *guid, Error **errp)
{
    trace_uefi_vars_host_write(done, name, guid, uefi_reason_text(reason));
    if (reason == UEFI_REASON_SAVE_FAILED ||
        reason == UEFI_REASON_SAVE_NO_SPACE) {
        error_setg(errp, "UEFI variable %s was not %s: %s", name, done,
                   why_not_saved(d, reason));
    } else if (reason != UEFI_REASON_OK) {
        error_setg(errp, "UEFI variable %s was not %s: %s", name, done,
                   plain_text(reason));
    }
}

/* A machine that is still to arrive brings its variables with it. */
static UefiVarDevice *find_writable(Error **errp)
{
    UefiVarDevice *d = find_device(errp);

    if (d && (d->waits ||
              (d->storage && uefi_vars_storage_waits(d->storage)))) {
        /* Nothing could be made durable yet, nor would it be kept. */
        error_setg(errp, "UEFI variables cannot be changed after an incoming "
                   "migration or a snapshot before the machine runs");
        return NULL;
    }
    return d;
}

void qmp_uefi_vars_set(const char *name, const char *guid_text,
                       const char *data, bool has_attributes,
                       UefiVarAttributeList *attributes, bool has_force,
                       bool force, Error **errp)
{
    UefiVarDevice *d = find_writable(errp);
    g_autoptr(UefiVarService) uv = d ? uefi_vars_ref(d->service) : NULL;
    uint32_t bits = EFI_ATTR_NV | EFI_ATTR_BS | EFI_ATTR_RT;
    g_autoptr(GByteArray) value = NULL;
    g_autofree uint16_t *str = NULL;
    const UefiVariable *old;
    UefiGuid guid;
    UefiReason reason;

    if (!d || !parse_guid(guid_text, &guid, errp)) {
        return;
    }
    value = parse_hex(data, errp);
    str = value ? parse_name(uv->store, &guid, name, errp) : NULL;
    if (!str) {
        return;
    }
    old = uefi_store_find(uv->store, UEFI_VIEW_BOOT, &guid, str);
    if (has_attributes) {
        bits = attributes_bits(attributes);
    } else if (old) {
        bits = old->attributes;
    }
    reason = uefi_vars_host_set(uv, &guid, str, bits, value->data, value->len,
                                has_force && force);
    check_written(d, reason, "set", name, guid_text, errp);
}

void qmp_uefi_vars_delete(const char *name, const char *guid_text,
                          bool has_force, bool force, Error **errp)
{
    UefiVarDevice *d = find_writable(errp);
    g_autoptr(UefiVarService) uv = d ? uefi_vars_ref(d->service) : NULL;
    g_autofree uint16_t *str = NULL;
    UefiGuid guid;
    UefiReason reason;

    if (!d || !parse_guid(guid_text, &guid, errp)) {
        return;
    }
    str = parse_name(uv->store, &guid, name, errp);
    if (!str) {
        return;
    }
    reason = uefi_vars_host_delete(uv, &guid, str, has_force && force);
    check_written(d, reason, "deleted", name, guid_text, errp);
}
