/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: VarCheck (5.1, 5.2)
 *
 * What attributes, size and content the variables of the specification, and
 * those that the firmware has named, must have; VarErrorFlag.
 */

#include "qemu/osdep.h"
#include "hw/uefi/var-service-check.h"
#include "hw/uefi/var-service-lang.h"
#include "hw/uefi/var-service-msg.h"

/* The bit of VarErrorFlag that says that there was no room (5.6) */
#define VAR_ERROR_NO_ROOM   0x10

/* A property set by function 9 */
typedef struct SetProperty {
    UefiGuid guid;
    uint16_t *name;
    UefiVarProperty property;
} SetProperty;

/* Everything in here belongs to one boot. */
struct UefiVarCheckState {
    GPtrArray *properties;      /* SetProperty */
    size_t name_bytes;          /* of all their names */
    uint8_t var_error_flag;     /* what VarErrorFlag becomes at EndOfDxe */
};

static void property_free(SetProperty *set)
{
    if (set) {
        g_free(set->name);
        g_free(set);
    }
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SetProperty, property_free)

UefiVarCheckState *uefi_check_new(void)
{
    UefiVarCheckState *check = g_new0(UefiVarCheckState, 1);

    check->properties =
        g_ptr_array_new_with_free_func((GDestroyNotify)property_free);
    check->var_error_flag = 0xff;
    return check;
}

void uefi_check_free(UefiVarCheckState *check)
{
    if (check) {
        g_ptr_array_unref(check->properties);
        g_free(check);
    }
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(UefiVarCheckState, uefi_check_free)

void uefi_check_reset(UefiVarService *uv)
{
    uefi_check_free(uv->check);
    uv->check = uefi_check_new();
}

static SetProperty *find_set(const UefiVarCheckState *check,
                             const UefiGuid *guid, const uint16_t *name)
{
    for (guint i = 0; i < check->properties->len; i++) {
        SetProperty *set = check->properties->pdata[i];

        if (uefi_guid_equal(&set->guid, guid) &&
            uefi_str_equal(set->name, name)) {
            return set;
        }
    }
    return NULL;
}

/* 5.1: what was set for the name, else for its pattern, else what is known */
static const UefiVarProperty *find_property(const UefiVarCheckState *check,
                                            const UefiGuid *guid,
                                            const uint16_t *name,
                                            const UefiKnown *known)
{
    const SetProperty *set = find_set(check, guid, name);
    bool has_property = known->kind != UEFI_KNOWN_KIND_FREE;

    if (!set && has_property) {
        g_autofree uint16_t *known_name = uefi_str_from_ascii(known->name);

        set = find_set(check, guid, known_name);
    }
    if (set) {
        return &set->property;
    }
    return has_property ? &known->property : NULL;
}

const UefiVarProperty *uefi_check_property(const UefiVarService *uv,
                                           const UefiGuid *guid,
                                           const uint16_t *name)
{
    return find_property(uv->check, guid, name, uefi_known_find(guid, name));
}

/* ------------------------------------------------------------------------ */
/* VarCheck (5.1, 5.2) */

static UefiReason check_property(const UefiVarProperty *property,
                                 const UefiVarRequest *req)
{
    uint32_t attributes = req->attributes & ~EFI_ATTR_AP;
    size_t size = req->payload_size;

    if (property->flags & EFI_VAR_CHECK_PROPERTY_READ_ONLY) {
        return UEFI_REASON_CHECK_READ_ONLY;
    }
    if (uefi_vars_is_delete(req)) {
        return UEFI_REASON_OK;
    }
    if (property->attributes && attributes != property->attributes) {
        return UEFI_REASON_CHECK_ATTRIBUTES;
    }
    if (size && (size < property->min_size || size > property->max_size)) {
        return UEFI_REASON_CHECK_SIZE;
    }
    return UEFI_REASON_OK;
}

static bool is_closed_vendor(const UefiGuid *guid)
{
    return uefi_guid_equal(guid, &uefi_guid_global) ||
           uefi_guid_equal(guid, &uefi_guid_image_security) ||
           uefi_guid_equal(guid, &uefi_guid_hw_error);
}

/* A literal pattern is no record. */
static bool is_error_record(const UefiVarRequest *req)
{
    return req->known->id == UEFI_KNOWN_HW_ERR_REC &&
           !uefi_str_is(req->name, req->known->name);
}

static UefiReason check_known(const UefiVarProperty *property,
                              const UefiVarRequest *req)
{
    if (uefi_vars_is_delete(req)) {
        return UEFI_REASON_OK;
    }
    if ((req->attributes & EFI_ATTR_HR) && !is_error_record(req)) {
        return UEFI_REASON_CHECK_HWERR;
    }
    if (!property && is_closed_vendor(&req->guid)) {
        return UEFI_REASON_CHECK_UNKNOWN;
    }
    if (req->payload_size &&
        !req->known->is_valid(req->payload, req->payload_size)) {
        return UEFI_REASON_CHECK_CONTENT;
    }
    return UEFI_REASON_OK;
}

UefiReason uefi_check_rules(UefiVarService *uv, const UefiVarRequest *req)
{
    const UefiVarProperty *property = find_property(uv->check, &req->guid,
                                                    req->name, req->known);
    UefiReason reason = property ? check_property(property, req)
                                 : UEFI_REASON_OK;

    return reason == UEFI_REASON_OK ? check_known(property, req) : reason;
}

static UefiReason set_property(UefiVarCheckState *check, const UefiGuid *guid,
                               const uint16_t *name,
                               const UefiVarProperty *property)
{
    SetProperty *set = find_set(check, guid, name);
    size_t name_size = uefi_str_size(name);

    if (!set) {
        if (check->properties->len >= UEFI_LIMIT_PROPERTIES ||
            name_size > UEFI_LIMIT_PROPERTY_BYTES - check->name_bytes) {
            return UEFI_REASON_PROPERTY_TABLE_FULL;
        }
        set = g_new0(SetProperty, 1);
        set->guid = *guid;
        set->name = uefi_str_dup(name);
        check->name_bytes += name_size;
        g_ptr_array_add(check->properties, set);
    }
    set->property = *property;
    return UEFI_REASON_OK;
}

UefiReason uefi_check_set_property(UefiVarService *uv, const UefiGuid *guid,
                                   const uint16_t *name,
                                   const UefiVarProperty *property)
{
    return set_property(uv->check, guid, name, property);
}

/* ------------------------------------------------------------------------ */
/* VarErrorFlag (5.6) */

/* What finds no room stays as it is: nothing depends on the variable. */
static void put_var_error_flag(UefiVarService *uv, uint8_t flag)
{
    g_autoptr(UefiVarChange) change = uefi_var_change_new();

    uefi_known_put_byte(uv, change, UEFI_KNOWN_VAR_ERROR_FLAG, flag);
    uefi_vars_commit(uv, change);
}

void uefi_check_end_of_dxe(UefiVarService *uv)
{
    put_var_error_flag(uv, uv->check->var_error_flag);
}

void uefi_check_no_room(UefiVarService *uv)
{
    const UefiVariable *var;
    uint8_t flag = 0xff;

    if (!uefi_vars_checks_on(uv)) {
        uv->check->var_error_flag &= ~VAR_ERROR_NO_ROOM;
        return;
    }
    var = uefi_known_stored(uv, UEFI_KNOWN_VAR_ERROR_FLAG);
    if (var) {
        flag = *(const uint8_t *)g_bytes_get_data(var->data, NULL);
    }
    put_var_error_flag(uv, flag & ~VAR_ERROR_NO_ROOM);
}

/* ------------------------------------------------------------------------ */
/*
 * Migration: u32 version, u8 flags, u8 VarErrorFlag, 8 bytes of key, LangCodes
 * and PlatformLangCodes as u32 length and characters, u32 number of properties,
 * and for each a GUID, u32 size and characters of the name, u16 flags, u32
 * attributes, u64 smallest and u64 largest size.
 */

#define CHECK_STATE_VERSION             1
#define CHECK_FLAG_MOR_LOCKED           0x01
#define CHECK_FLAG_MOR_KEY              0x02
#define CHECK_FLAG_LANG_CODES           0x04
#define CHECK_FLAG_PLATFORM_LANG_CODES  0x08
#define CHECK_FLAG_ALL                  0x0f

/* Sizes without what varies */
#define CHECK_STATE_FIXED_SIZE      (4 + 1 + 1 + UEFI_MOR_KEY_SIZE + 4 + 4 + 4)
#define CHECK_PROPERTY_FIXED_SIZE   (16 + 4 + 2 + 4 + 8 + 8)

/* All of it is saved, name_bytes as the names that it counts. */
UEFI_ALL_FIELDS(UefiVarCheckState, *check,
                check->properties, check->name_bytes, check->var_error_flag)
UEFI_ALL_FIELDS(UefiMorState, *mor, mor->locked, mor->has_key, { } /* key */)
UEFI_ALL_FIELDS(UefiLangState, *lang, lang->codes, lang->platform_codes)
UEFI_ALL_FIELDS(SetProperty, *set, set->guid, set->name, set->property)
UEFI_ALL_FIELDS(UefiVarProperty, *property,
                property->flags, property->attributes, property->min_size,
                property->max_size)

static size_t codes_length(const char *codes)
{
    return codes ? strlen(codes) : 0;
}

static void save_codes(UefiMsg *msg, const char *codes)
{
    uefi_msg_put_u32(msg, codes_length(codes));
    uefi_msg_put_bytes(msg, codes, codes_length(codes));
}

static void save_property(UefiMsg *msg, const SetProperty *set)
{
    const UefiVarProperty *property = &set->property;

    uefi_msg_put_guid(msg, &set->guid);
    uefi_msg_put_u32(msg, uefi_str_size(set->name));
    uefi_msg_put_str(msg, set->name);
    uefi_msg_put_u16(msg, property->flags);
    uefi_msg_put_u32(msg, property->attributes);
    uefi_msg_put_u64(msg, property->min_size);
    uefi_msg_put_u64(msg, property->max_size);
}

GBytes *uefi_check_save(const UefiVarService *uv)
{
    const UefiVarCheckState *check = uv->check;
    const UefiMorState *mor = &uv->mor;
    const UefiLangState *lang = &uv->lang;
    const GPtrArray *properties = check->properties;
    size_t size = CHECK_STATE_FIXED_SIZE + codes_length(lang->codes) +
                  codes_length(lang->platform_codes) +
                  properties->len * CHECK_PROPERTY_FIXED_SIZE +
                  check->name_bytes;
    uint8_t *bytes = g_malloc0(size);
    UefiMsg msg;

    uefi_msg_init(&msg, bytes, size, 8);
    uefi_msg_put_u32(&msg, CHECK_STATE_VERSION);
    uefi_msg_put_u8(&msg,
        (mor->locked ? CHECK_FLAG_MOR_LOCKED : 0) |
        (mor->has_key ? CHECK_FLAG_MOR_KEY : 0) |
        (lang->codes ? CHECK_FLAG_LANG_CODES : 0) |
        (lang->platform_codes ? CHECK_FLAG_PLATFORM_LANG_CODES : 0));
    uefi_msg_put_u8(&msg, check->var_error_flag);
    uefi_msg_put_bytes(&msg, mor->key, UEFI_MOR_KEY_SIZE);
    save_codes(&msg, lang->codes);
    save_codes(&msg, lang->platform_codes);
    uefi_msg_put_u32(&msg, properties->len);
    for (guint i = 0; i < properties->len; i++) {
        save_property(&msg, properties->pdata[i]);
    }
    return g_bytes_new_take(bytes, size);
}

static bool load_codes(UefiMsg *msg, bool known, char **codes)
{
    uint32_t length = uefi_msg_get_u32(msg);
    const uint8_t *text = uefi_msg_get_bytes(msg, length);

    if (!text || length > UEFI_LIMIT_LANG_CODES || memchr(text, 0, length)) {
        return false;
    }
    *codes = known ? g_strndup((const char *)text, length) : NULL;
    return known || !length;
}

static bool load_header(UefiVarCheckState *check, UefiMorState *mor,
                        UefiLangState *lang, UefiMsg *msg)
{
    static const uint8_t no_key[UEFI_MOR_KEY_SIZE];
    uint32_t version = uefi_msg_get_u32(msg);
    uint8_t flags = uefi_msg_get_u8(msg);
    const uint8_t *key;

    check->var_error_flag = uefi_msg_get_u8(msg);
    key = uefi_msg_get_bytes(msg, UEFI_MOR_KEY_SIZE);
    if (!key || version != CHECK_STATE_VERSION || (flags & ~CHECK_FLAG_ALL)) {
        return false;
    }
    mor->locked = flags & CHECK_FLAG_MOR_LOCKED;
    mor->has_key = flags & CHECK_FLAG_MOR_KEY;
    memcpy(mor->key, key, UEFI_MOR_KEY_SIZE);
    /* A key belongs to a lock, and is gone with it. */
    if (mor->has_key ? !mor->locked
                     : memcmp(key, no_key, UEFI_MOR_KEY_SIZE) != 0) {
        return false;
    }
    return load_codes(msg, flags & CHECK_FLAG_LANG_CODES, &lang->codes) &&
           load_codes(msg, flags & CHECK_FLAG_PLATFORM_LANG_CODES,
                      &lang->platform_codes);
}

static bool load_property(UefiVarCheckState *check, UefiMsg *msg)
{
    UefiGuid guid = uefi_msg_get_guid(msg);
    uint32_t name_size = uefi_msg_get_u32(msg);
    g_autofree uint16_t *name = uefi_msg_get_str(msg, name_size);
    UefiVarProperty property;

    property.flags = uefi_msg_get_u16(msg);
    property.attributes = uefi_msg_get_u32(msg);
    property.min_size = uefi_msg_get_u64(msg);
    property.max_size = uefi_msg_get_u64(msg);
    return !msg->overrun && name && *name &&
           uefi_str_size(name) == name_size &&
           !find_set(check, &guid, name) &&
           set_property(check, &guid, name, &property) == UEFI_REASON_OK;
}

static bool load_properties(UefiVarCheckState *check, UefiMsg *msg)
{
    uint32_t count = uefi_msg_get_u32(msg);

    /* set_property() ends a hostile count at its limit */
    while (count--) {
        if (!load_property(check, msg)) {
            return false;
        }
    }
    return !msg->overrun && !uefi_msg_left(msg);
}

bool uefi_check_load(UefiVarService *uv, GBytes *bytes, GError **err)
{
    g_autoptr(UefiVarCheckState) check = uefi_check_new();
    g_auto(UefiLangState) lang = { };
    UefiMorState mor = { };
    size_t size;
    const void *data = g_bytes_get_data(bytes, &size);
    UefiMsg msg;

    uefi_msg_init(&msg, (void *)data, size, 8);
    if (!load_header(check, &mor, &lang, &msg) ||
        !load_properties(check, &msg)) {
        g_set_error(err, UEFI_STATE_ERROR, 0,
                    "state of variable checks is damaged near offset %zu "
                    "of %zu", msg.pos, size);
        return false;
    }
    uefi_check_free(uv->check);
    uv->check = g_steal_pointer(&check);
    uv->mor = mor;
    uefi_lang_clear(&uv->lang);
    uv->lang = lang;
    lang = (UefiLangState) { };
    return true;
}
