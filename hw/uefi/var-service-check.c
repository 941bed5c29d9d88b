/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: rules for well-known variables
 * (docs/specs/uefi-vars.rst, 5)
 *
 * What attributes, size and content the variables of the specification must
 * have, and who may write them; the memory-overwrite variables and their lock;
 * Lang as the shadow of PlatformLang; VarErrorFlag.
 */

#include "qemu/osdep.h"
#include "hw/uefi/var-service.h"

#define MOR_NAME        "MemoryOverwriteRequestControl"
#define MOR_LOCK_NAME   "MemoryOverwriteRequestControlLock"
#define MOR_KEY_SIZE    8

/* Values of the MOR lock variable, as the guest reads them (5.4) */
enum { MOR_UNLOCKED, MOR_LOCKED, MOR_LOCKED_WITH_KEY };

/* The bit of VarErrorFlag that says that there was no room (5.6) */
#define VAR_ERROR_NO_ROOM   0x10

typedef struct UefiVarProperty {
    uint16_t flags;             /* EFI_VAR_CHECK_PROPERTY_READ_ONLY */
    uint32_t attributes;        /* 0: any */
    uint64_t min_size;          /* bytes */
    uint64_t max_size;          /* bytes */
} UefiVarProperty;

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
    bool mor_locked;
    bool mor_has_key;
    uint8_t mor_key[MOR_KEY_SIZE];
    char *lang_codes;           /* NULL until they are written */
    char *platform_lang_codes;
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
        g_free(check->lang_codes);
        g_free(check->platform_lang_codes);
        g_free(check);
    }
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(UefiVarCheckState, uefi_check_free)

void uefi_check_reset(UefiVarService *uv)
{
    uefi_check_free(uv->check);
    uv->check = uefi_check_new();
}

/* ------------------------------------------------------------------------ */
/* Content of well-known variables (5.3) */

static bool is_any(const uint8_t *data, size_t size)
{
    return true;
}

static bool is_ascii(const uint8_t *data, size_t size)
{
    return memchr(data, 0, size);
}

static bool is_u16_list(const uint8_t *data, size_t size)
{
    return size % sizeof(uint16_t) == 0;
}

static bool is_guid_list(const uint8_t *data, size_t size)
{
    return size % sizeof(UefiGuid) == 0;
}

/* EFI_KEY_OPTION (UEFI 2.10, 3.1.6): 10 bytes, then keys of 4 bytes */
static bool is_key_option(const uint8_t *data, size_t size)
{
    return size % 4 == 10 % 4;
}

/* UEFI 2.10, 10.3: nodes of type, subtype and length, up to an end node */
static bool is_device_path(const uint8_t *data, size_t size)
{
    UefiMsg msg;

    uefi_msg_init(&msg, (void *)data, size, 8);
    while (uefi_msg_left(&msg) >= 4) {
        size_t start = msg.pos;
        uint8_t type = uefi_msg_get_u8(&msg);
        uint8_t subtype = uefi_msg_get_u8(&msg);
        size_t length = uefi_msg_get_u16(&msg);

        if (type == 0x7f && subtype == 0xff) {
            return length == 4;
        }
        if (length < 4 || length > size - start) {
            return false;
        }
        if (type == 0x04 && subtype == 0x04) {
            /* A file name must be terminated within its node. */
            uefi_msg_seek(&msg, start + length - 2);
            if (uefi_msg_get_u16(&msg) != 0) {
                return false;
            }
        }
        uefi_msg_seek(&msg, start + length);
    }
    return false;
}

/* EFI_LOAD_OPTION (UEFI 2.10, 3.1.3) */
static bool is_load_option(const uint8_t *data, size_t size)
{
    const uint8_t *path;
    uint16_t path_size;
    UefiMsg msg;

    uefi_msg_init(&msg, (void *)data, size, 8);
    uefi_msg_get_u32(&msg);
    path_size = uefi_msg_get_u16(&msg);
    while (uefi_msg_get_u16(&msg) != 0) {
        continue;               /* the description; ends on overrun, too */
    }
    path = uefi_msg_get_bytes(&msg, path_size);
    return path && is_device_path(path, path_size);
}

/* ------------------------------------------------------------------------ */
/* Well-known variables (5.3) */

typedef struct KnownVariable {
    const UefiGuid *guid;
    const char *name;           /* #### at the end: four upper-case digits */
    bool (*is_valid)(const uint8_t *data, size_t size);
    UefiVarProperty property;
} KnownVariable;

#define GLOBAL  (&uefi_guid_global)
#define IMGSEC  (&uefi_guid_image_security)
#define RW      0
#define RO      EFI_VAR_CHECK_PROPERTY_READ_ONLY
#define A3      (EFI_ATTR_NV | EFI_ATTR_BS)
#define A6      (EFI_ATTR_BS | EFI_ATTR_RT)
#define A7      (EFI_ATTR_NV | A6)
#define A0F     (EFI_ATTR_HR | A7)
#define A26     (EFI_ATTR_AT | A6)
#define A27     (EFI_ATTR_AT | A7)
#define INF     UINT64_MAX

static const KnownVariable known_variables[] = {
    { GLOBAL, "LangCodes",              is_ascii,       { RW, A6, 1, INF } },
    { GLOBAL, "Lang",                   is_ascii,       { RW, A7, 1, INF } },
    { GLOBAL, "PlatformLangCodes",      is_ascii,       { RW, A6, 1, INF } },
    { GLOBAL, "PlatformLang",           is_ascii,       { RW, A7, 1, INF } },
    { GLOBAL, "Timeout",                is_any,         { RW, A7, 2, 2 } },
    { GLOBAL, "ConIn",                  is_device_path, { RW, A7, 4, INF } },
    { GLOBAL, "ConOut",                 is_device_path, { RW, A7, 4, INF } },
    { GLOBAL, "ErrOut",                 is_device_path, { RW, A7, 4, INF } },
    { GLOBAL, "ConInDev",               is_device_path, { RW, A6, 4, INF } },
    { GLOBAL, "ConOutDev",              is_device_path, { RW, A6, 4, INF } },
    { GLOBAL, "ErrOutDev",              is_device_path, { RW, A6, 4, INF } },
    { GLOBAL, "BootOrder",              is_u16_list,    { RW, A7, 2, INF } },
    { GLOBAL, "DriverOrder",            is_u16_list,    { RW, A7, 2, INF } },
    { GLOBAL, "SysPrepOrder",           is_u16_list,    { RW, A7, 2, INF } },
    { GLOBAL, "BootNext",               is_any,         { RW, A7, 2, 2 } },
    { GLOBAL, "BootCurrent",            is_any,         { RW, A6, 2, 2 } },
    { GLOBAL, "BootOptionSupport",      is_any,         { RW, A6, 4, 4 } },
    { GLOBAL, "HwErrRecSupport",        is_any,         { RW, A7, 2, 2 } },
    { GLOBAL, "SetupMode",              is_any,         { RO, A6, 1, 1 } },
    { GLOBAL, "SecureBoot",             is_any,         { RO, A6, 1, 1 } },
    { GLOBAL, "VendorKeys",             is_any,         { RO, A6, 1, 1 } },
    { GLOBAL, "SignatureSupport",       is_guid_list,   { RO, A6, 16, INF } },
    { GLOBAL, "PK",                     is_any,         { RW, A27, 1, INF } },
    { GLOBAL, "KEK",                    is_any,         { RW, A27, 1, INF } },
    { GLOBAL, "PKDefault",              is_any,         { RO, A6, 1, INF } },
    { GLOBAL, "KEKDefault",             is_any,         { RO, A6, 1, INF } },
    { GLOBAL, "dbDefault",              is_any,         { RO, A6, 1, INF } },
    { GLOBAL, "dbxDefault",             is_any,         { RO, A6, 1, INF } },
    { GLOBAL, "dbtDefault",             is_any,         { RO, A6, 1, INF } },
    { GLOBAL, "OsIndicationsSupported", is_any,         { RW, A6, 8, 8 } },
    { GLOBAL, "OsIndications",          is_any,         { RW, A7, 8, 8 } },
    { GLOBAL, "Boot####",               is_load_option, { RW, A7, 6, INF } },
    { GLOBAL, "Driver####",             is_load_option, { RW, A7, 6, INF } },
    { GLOBAL, "SysPrep####",            is_load_option, { RW, A7, 6, INF } },
    { GLOBAL, "Key####",                is_key_option,  { RW, A7, 10, 22 } },
    { GLOBAL, "PlatformRecovery####",   is_load_option, { RW, A6, 6, INF } },
    { IMGSEC, "db",                     is_any,         { RW, A27, 1, INF } },
    { IMGSEC, "dbx",                    is_any,         { RW, A27, 1, INF } },
    { IMGSEC, "dbt",                    is_any,         { RW, A27, 1, INF } },
    { &uefi_guid_hw_error, "HwErrRec####",
                                        is_any,         { RW, A0F, 1, INF } },
    { &uefi_guid_secure_boot_enable, "SecureBootEnable",
                                        is_any,         { RW, A3, 1, 1 } },
    { &uefi_guid_custom_mode, "CustomMode",
                                        is_any,         { RW, A3, 1, 1 } },
    { &uefi_guid_vendor_keys_nv, "VendorKeysNv",
                                        is_any,         { RO, A27, 1, 1 } },
    { &uefi_guid_cert_db, "certdb",     is_any,         { RO, A27, 4, INF } },
    { &uefi_guid_cert_db, "certdbv",    is_any,         { RO, A26, 4, INF } },
    { &uefi_guid_var_error_flag, "VarErrorFlag",
                                        is_any,         { RO, A7, 1, 1 } },
};

/* Whether @name is @pattern with four upper-case hex digits for its "####" */
static bool fits_pattern(const char *pattern, const uint16_t *name)
{
    static const char digits[] = "0123456789ABCDEF";

    if (!g_str_has_suffix(pattern, "####") ||
        uefi_str_len(name) != strlen(pattern)) {
        return false;
    }
    for (; *pattern; pattern++, name++) {
        if (*pattern == '#' ? *name >= 0x80 || !strchr(digits, *name)
                            : *pattern != *name) {
            return false;
        }
    }
    return true;
}

/* A pattern itself is a name like any other, and stands for its entry. */
static const KnownVariable *find_known(const UefiGuid *guid,
                                       const uint16_t *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(known_variables); i++) {
        const KnownVariable *known = &known_variables[i];

        if (uefi_guid_equal(known->guid, guid) &&
            (uefi_str_is(name, known->name) ||
             fits_pattern(known->name, name))) {
            return known;
        }
    }
    return NULL;
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
                                            const uint16_t *name)
{
    const SetProperty *set = find_set(check, guid, name);
    const KnownVariable *known = set ? NULL : find_known(guid, name);

    if (known) {
        g_autofree uint16_t *known_name = uefi_str_from_ascii(known->name);

        set = find_set(check, guid, known_name);
    }
    if (set) {
        return &set->property;
    }
    return known ? &known->property : NULL;
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

static UefiReason check_known(const UefiVarProperty *property,
                              const UefiVarRequest *req)
{
    const KnownVariable *known = find_known(&req->guid, req->name);

    if (uefi_vars_is_delete(req)) {
        return UEFI_REASON_OK;
    }
    if ((req->attributes & EFI_ATTR_HR) &&
        !(uefi_guid_equal(&req->guid, &uefi_guid_hw_error) &&
          fits_pattern("HwErrRec####", req->name))) {
        return UEFI_REASON_CHECK_HWERR;
    }
    if (!property && is_closed_vendor(&req->guid)) {
        return UEFI_REASON_CHECK_UNKNOWN;
    }
    if (known && req->payload_size &&
        !known->is_valid(req->payload, req->payload_size)) {
        return UEFI_REASON_CHECK_CONTENT;
    }
    return UEFI_REASON_OK;
}

UefiReason uefi_check_rules(UefiVarService *uv, const UefiVarRequest *req)
{
    const UefiVarProperty *property = find_property(uv->check, &req->guid,
                                                    req->name);
    UefiReason reason = property ? check_property(property, req)
                                 : UEFI_REASON_OK;

    return reason == UEFI_REASON_OK ? check_known(property, req) : reason;
}

UefiReason uefi_check_set(UefiVarService *uv, const UefiVarRequest *req)
{
    UefiReason reason = uefi_check_rules(uv, req);

    return reason == UEFI_REASON_OK ? uefi_policy_check(uv, req) : reason;
}

/* ------------------------------------------------------------------------ */
/* Functions 9 and 10 of the variable protocol (3.3, 3.9) */

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

UefiReason uefi_check_property_set(UefiVarService *uv, UefiMsg *msg)
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
    return set_property(uv->check, &req.guid, name, &req.property);
}

UefiReason uefi_check_property_get(UefiVarService *uv, UefiMsg *msg)
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
    property = find_property(uv->check, &req.guid, name);
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
/* Memory-overwrite request and its lock (5.4) */

/* Whatever the guest has written, the variable holds one byte. */
static UefiReason store_mor_lock(UefiVarService *uv, const UefiVarRequest *req,
                                 uint8_t value)
{
    UefiVarRequest inner = *req;

    inner.data = inner.payload = &value;
    inner.size = inner.payload_size = sizeof(value);
    return uefi_vars_write(uv, &inner);
}

static void forget_mor_key(UefiVarCheckState *check)
{
    check->mor_has_key = false;
    memset(check->mor_key, 0, sizeof(check->mor_key));
}

/* Rows L3 to L6 */
static UefiReason mor_lock(UefiVarService *uv, const UefiVarRequest *req)
{
    UefiVarCheckState *check = uv->check;
    bool with_key = req->payload_size == MOR_KEY_SIZE;
    uint8_t value = with_key ? MOR_LOCKED_WITH_KEY : *req->payload;
    UefiReason reason;

    if (!with_key && value != MOR_UNLOCKED && value != MOR_LOCKED) {
        return UEFI_REASON_MOR_LOCK_VALUE;
    }
    reason = store_mor_lock(uv, req, value);
    if (reason != UEFI_REASON_OK) {
        return reason;
    }
    check->mor_locked = value != MOR_UNLOCKED;
    check->mor_has_key = with_key;
    if (with_key) {
        memcpy(check->mor_key, req->payload, MOR_KEY_SIZE);
    }
    return UEFI_REASON_OK;
}

/* Rows L7 to L9 */
static UefiReason mor_unlock(UefiVarService *uv, const UefiVarRequest *req)
{
    UefiVarCheckState *check = uv->check;
    UefiReason reason;

    if (!check->mor_has_key || req->payload_size != MOR_KEY_SIZE) {
        return UEFI_REASON_MOR_LOCK_LOCKED;
    }
    if (memcmp(check->mor_key, req->payload, MOR_KEY_SIZE) != 0) {
        /* One guess is all there is, so that keys cannot be tried out. */
        forget_mor_key(check);
        store_mor_lock(uv, req, MOR_LOCKED);
        return UEFI_REASON_MOR_LOCK_KEY;
    }
    reason = store_mor_lock(uv, req, MOR_UNLOCKED);
    if (reason == UEFI_REASON_OK) {
        forget_mor_key(check);
        check->mor_locked = false;
    }
    return reason;
}

static UefiReason write_mor_lock(UefiVarService *uv,
                                 const UefiVarRequest *req)
{
    if (req->attributes == 0 || req->payload_size == 0) {
        return UEFI_REASON_MOR_LOCK_DELETE;
    }
    if (req->attributes != A7 || (req->payload_size != 1 &&
                                  req->payload_size != MOR_KEY_SIZE)) {
        return UEFI_REASON_MOR_LOCK_FORM;
    }
    return uv->check->mor_locked ? mor_unlock(uv, req) : mor_lock(uv, req);
}

static UefiReason check_mor(UefiVarService *uv, const UefiVarRequest *req)
{
    if (req->attributes != A7 || req->payload_size != 1) {
        return UEFI_REASON_MOR_FORM;
    }
    return uv->check->mor_locked ? UEFI_REASON_MOR_LOCKED : UEFI_REASON_OK;
}

bool uefi_check_mor(UefiVarService *uv, const UefiVarRequest *req,
                    UefiReason *reason)
{
    bool is_mor = uefi_vars_is_for(req, &uefi_guid_mor_control, MOR_NAME);
    bool is_lock = uefi_vars_is_for(req, &uefi_guid_mor_control_lock,
                                     MOR_LOCK_NAME);

    if (!is_mor && !is_lock) {
        return false;
    }
    if (uefi_policy_disabled(uv) &&
        (req->attributes == 0 || req->payload_size == 0)) {
        return false;
    }
    if (is_lock) {
        *reason = write_mor_lock(uv, req);
        return true;
    }
    *reason = check_mor(uv, req);
    return *reason != UEFI_REASON_OK;
}

/* ------------------------------------------------------------------------ */
/* EndOfDxe (5.4, 5.6, 9.2) */

/* Remove a variable for good, unless the firmware has a policy for it. */
static void ban(UefiVarService *uv, UefiVarChange *change,
                const UefiGuid *guid, const char *ascii)
{
    g_autofree uint16_t *name = uefi_str_from_ascii(ascii);

    if (uefi_store_find(uv->store, UEFI_VIEW_BOOT, guid, name)) {
        uefi_var_change_remove(change, guid, name);
    }
    uefi_policy_lock_now(uv, guid, name);
}

/* What finds no room stays as it is: nothing depends on these variables. */
static void put_byte(UefiVarService *uv, const UefiGuid *guid,
                     const char *name, uint8_t value)
{
    g_autoptr(UefiVarChange) change = uefi_var_change_new();

    uefi_vars_put(uv, change, guid, name, A7, &value, sizeof(value));
    uefi_vars_commit(uv, change);
}

static void put_var_error_flag(UefiVarService *uv, uint8_t flag)
{
    put_byte(uv, &uefi_guid_var_error_flag, "VarErrorFlag", flag);
}

void uefi_check_end_of_dxe(UefiVarService *uv)
{
    g_autoptr(UefiVarChange) change = uefi_var_change_new();

    if (uv->config.has_tpm &&
        uefi_store_find_ascii(uv->store, UEFI_VIEW_BOOT,
                              &uefi_guid_mor_control, MOR_NAME)) {
        put_byte(uv, &uefi_guid_mor_control_lock, MOR_LOCK_NAME,
                 MOR_UNLOCKED);
    } else {
        /* Nobody would act on a request to overwrite memory. */
        ban(uv, change, &uefi_guid_mor_control, MOR_NAME);
        ban(uv, change, &uefi_guid_mor_control_lock, MOR_LOCK_NAME);
        uefi_vars_commit_own(uv, change);
    }
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
    var = uefi_store_find_ascii(uv->store, UEFI_VIEW_BOOT,
                                &uefi_guid_var_error_flag, "VarErrorFlag");
    if (var) {
        flag = *(const uint8_t *)g_bytes_get_data(var->data, NULL);
    }
    put_var_error_flag(uv, flag & ~VAR_ERROR_NO_ROOM);
}

/* ------------------------------------------------------------------------ */
/* Lang follows PlatformLang, and the other way round (5.5) */

/* RFC 4646 codes are separated by semicolons; empty ones don't count. */
static char **split_platform_codes(const char *codes)
{
    g_auto(GStrv) all = g_strsplit(codes, ";", -1);
    GPtrArray *list = g_ptr_array_new();

    for (char **code = all; *code; code++) {
        if (**code) {
            g_ptr_array_add(list, g_strdup(*code));
        }
    }
    g_ptr_array_add(list, NULL);
    return (char **)g_ptr_array_free(list, FALSE);
}

/* ISO 639-2 codes have three letters each and nothing between them. */
static char **split_lang_codes(const char *codes)
{
    GPtrArray *list = g_ptr_array_new();

    for (size_t len = strlen(codes); len >= 3; len -= 3, codes += 3) {
        g_ptr_array_add(list, g_strndup(codes, 3));
    }
    g_ptr_array_add(list, NULL);
    return (char **)g_ptr_array_free(list, FALSE);
}

static int find_prefix(char **codes, const char *prefix)
{
    for (int i = 0; codes[i]; i++) {
        if (g_str_has_prefix(codes[i], prefix)) {
            return i;
        }
    }
    return -1;
}

/* The first code that begins with @lang, else with less and less of it */
static int match_platform_lang(char **codes, const char *lang)
{
    size_t size = strcspn(lang, ";");
    g_autofree char *range = g_strndup(lang, size);
    int index = -1;

    /* A guest could make each of many dashes cost a walk over all codes. */
    if (size > UEFI_LIMIT_LANG_TAG) {
        return -1;
    }
    while (*range && index < 0) {
        char *dash = strrchr(range, '-');

        index = find_prefix(codes, range);
        *(dash ?: range) = '\0';
    }
    return index;
}

static int match_lang(char **codes, const char *lang)
{
    g_autofree char *code = g_strndup(lang, 3);

    return strlen(code) == 3 ? find_prefix(codes, code) : -1;
}

/* Put Lang for a PlatformLang of @value, or PlatformLang for a Lang. */
static void put_counterpart(UefiVarService *uv, bool platform,
                            const void *value, size_t size,
                            UefiVarChange *change)
{
    const UefiVarCheckState *check = uv->check;
    g_autofree char *lang = g_strndup(value, size);
    g_auto(GStrv) platform_codes = NULL;
    g_auto(GStrv) codes = NULL;
    char **theirs;
    int index;

    if (!check->lang_codes || !check->platform_lang_codes) {
        return;
    }
    platform_codes = split_platform_codes(check->platform_lang_codes);
    codes = split_lang_codes(check->lang_codes);
    theirs = platform ? codes : platform_codes;
    index = platform ? match_platform_lang(platform_codes, lang)
                     : match_lang(codes, lang);
    if (index >= 0 && (guint)index < g_strv_length(theirs)) {
        uefi_vars_put(uv, change, &uefi_guid_global,
                      platform ? "Lang" : "PlatformLang", A7,
                      theirs[index], strlen(theirs[index]) + 1);
    }
}

/* A new list may change what belongs to the language that is set. */
static void renew_counterpart(UefiVarService *uv, UefiVarChange *change)
{
    g_autoptr(UefiVarChange) own = uefi_var_change_new();
    const UefiVariable *var;
    bool platform;

    var = uefi_store_find_ascii(uv->store, UEFI_VIEW_BOOT, &uefi_guid_global,
                                "PlatformLang");
    platform = var;
    if (!var) {
        var = uefi_store_find_ascii(uv->store, UEFI_VIEW_BOOT,
                                    &uefi_guid_global, "Lang");
    }
    if (!var) {
        return;
    }
    put_counterpart(uv, platform, g_bytes_get_data(var->data, NULL),
                    g_bytes_get_size(var->data), own);
    /* The list itself must not fail for want of room for a language. */
    if (uefi_store_check(uv->store, own) == UEFI_REASON_OK) {
        while (own->vars->len) {
            uefi_var_change_add(change, g_ptr_array_steal_index(own->vars, 0));
        }
    }
}

static UefiReason remember_codes(UefiVarService *uv, const UefiVarRequest *req,
                                 char **codes, UefiVarChange *change)
{
    if (uefi_vars_at_runtime(uv)) {
        return UEFI_REASON_LANG_RUNTIME;
    }
    if (req->payload_size > UEFI_LIMIT_LANG_CODES) {
        return UEFI_REASON_LANG_LONG;
    }
    g_free(*codes);
    *codes = g_strndup((const char *)req->payload, req->payload_size);
    renew_counterpart(uv, change);
    return UEFI_REASON_OK;
}

UefiReason uefi_check_language(UefiVarService *uv, const UefiVarRequest *req,
                               UefiVarChange *change)
{
    UefiVarCheckState *check = uv->check;

    if (!req->payload_size) {
        return UEFI_REASON_OK;
    }
    if (uefi_str_is(req->name, "PlatformLangCodes")) {
        return remember_codes(uv, req, &check->platform_lang_codes, change);
    }
    if (uefi_str_is(req->name, "LangCodes")) {
        return remember_codes(uv, req, &check->lang_codes, change);
    }
    if (uefi_str_is(req->name, "PlatformLang") ||
        uefi_str_is(req->name, "Lang")) {
        put_counterpart(uv, uefi_str_is(req->name, "PlatformLang"),
                        req->payload, req->payload_size, change);
    }
    return UEFI_REASON_OK;
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
#define CHECK_STATE_FIXED_SIZE          (4 + 1 + 1 + MOR_KEY_SIZE + 4 + 4 + 4)
#define CHECK_PROPERTY_FIXED_SIZE       (16 + 4 + 2 + 4 + 8 + 8)

/* All of it is saved, name_bytes as the names that it counts. */
UEFI_ALL_FIELDS(UefiVarCheckState, *check,
                check->properties, check->name_bytes, check->mor_locked,
                check->mor_has_key, { } /* mor_key */, check->lang_codes,
                check->platform_lang_codes, check->var_error_flag)
UEFI_ALL_FIELDS(SetProperty, *set, set->guid, set->name, set->property)
UEFI_ALL_FIELDS(UefiVarProperty, *property,
                property->flags, property->attributes, property->min_size,
                property->max_size)

GQuark uefi_state_error_quark(void)
{
    return g_quark_from_static_string("uefi-state-error");
}

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
    const GPtrArray *properties = check->properties;
    size_t size = CHECK_STATE_FIXED_SIZE + codes_length(check->lang_codes) +
                  codes_length(check->platform_lang_codes) +
                  properties->len * CHECK_PROPERTY_FIXED_SIZE +
                  check->name_bytes;
    uint8_t *bytes = g_malloc0(size);
    UefiMsg msg;

    uefi_msg_init(&msg, bytes, size, 8);
    uefi_msg_put_u32(&msg, CHECK_STATE_VERSION);
    uefi_msg_put_u8(&msg,
        (check->mor_locked ? CHECK_FLAG_MOR_LOCKED : 0) |
        (check->mor_has_key ? CHECK_FLAG_MOR_KEY : 0) |
        (check->lang_codes ? CHECK_FLAG_LANG_CODES : 0) |
        (check->platform_lang_codes ? CHECK_FLAG_PLATFORM_LANG_CODES : 0));
    uefi_msg_put_u8(&msg, check->var_error_flag);
    uefi_msg_put_bytes(&msg, check->mor_key, MOR_KEY_SIZE);
    save_codes(&msg, check->lang_codes);
    save_codes(&msg, check->platform_lang_codes);
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

static bool load_header(UefiVarCheckState *check, UefiMsg *msg)
{
    static const uint8_t no_key[MOR_KEY_SIZE];
    uint32_t version = uefi_msg_get_u32(msg);
    uint8_t flags = uefi_msg_get_u8(msg);
    const uint8_t *key;

    check->var_error_flag = uefi_msg_get_u8(msg);
    key = uefi_msg_get_bytes(msg, MOR_KEY_SIZE);
    if (!key || version != CHECK_STATE_VERSION || (flags & ~CHECK_FLAG_ALL)) {
        return false;
    }
    check->mor_locked = flags & CHECK_FLAG_MOR_LOCKED;
    check->mor_has_key = flags & CHECK_FLAG_MOR_KEY;
    memcpy(check->mor_key, key, MOR_KEY_SIZE);
    /* A key belongs to a lock, and is gone with it. */
    if (check->mor_has_key ? !check->mor_locked
                           : memcmp(key, no_key, MOR_KEY_SIZE) != 0) {
        return false;
    }
    return load_codes(msg, flags & CHECK_FLAG_LANG_CODES,
                      &check->lang_codes) &&
           load_codes(msg, flags & CHECK_FLAG_PLATFORM_LANG_CODES,
                      &check->platform_lang_codes);
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
    size_t size;
    const void *data = g_bytes_get_data(bytes, &size);
    UefiMsg msg;

    uefi_msg_init(&msg, (void *)data, size, 8);
    if (!load_header(check, &msg) || !load_properties(check, &msg)) {
        g_set_error(err, UEFI_STATE_ERROR, 0,
                    "state of variable checks is damaged near offset %zu "
                    "of %zu", msg.pos, size);
        return false;
    }
    uefi_check_free(uv->check);
    uv->check = g_steal_pointer(&check);
    return true;
}
