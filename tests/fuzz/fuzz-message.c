/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: sequences of messages from a hostile guest
 *
 * The input is a program: each step makes one message, well formed but for
 * what the next bytes of the input spoil, and sends it in a heap buffer of
 * exactly its size.  Afterwards the service must still be sound.
 */

#include "qemu/osdep.h"
#include "fuzz.h"
#include "hw/uefi/var-service-api.h"
#include "hw/uefi/var-service.h"
#include "hw/uefi/var-service-msg.h"
#include "hw/uefi/var-service-xen-messages.h"

static const char *const names[] = {
    "A", "", "PK", "KEK", "db", "dbx", "SetupMode", "SecureBoot",
    "SecureBootEnable", "CustomMode", "certdb", "certdbv", "Boot0001",
    "Boot####", "BootOrder", "PlatformLang", "PlatformLangCodes", "Lang",
    "LangCodes", "MemoryOverwriteRequestControl",
    "MemoryOverwriteRequestControlLock", "VarErrorFlag", "HwErrRec0000",
};

static const UefiGuid *const vendors[] = {
    &uefi_guid_global, &uefi_guid_image_security,
    &uefi_guid_secure_boot_enable, &uefi_guid_custom_mode,
    &uefi_guid_cert_db, &uefi_guid_mor_control, &uefi_guid_mor_control_lock,
    &uefi_guid_var_error_flag, &uefi_guid_hw_error,
};

static const uint32_t attributes[] = {
    0, 0x01, 0x02, 0x03, 0x06, 0x07, 0x0f, 0x17, 0x26, 0x27, 0x37, 0x40, 0x46,
    0x47, 0x67, 0x80, 0xffffffff,
};

static void add(GByteArray *msg, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++) {
        uint8_t byte = value >> (8 * i);

        g_byte_array_append(msg, &byte, 1);
    }
}

static void add_guid(GByteArray *msg, FuzzInput *in)
{
    const UefiGuid *guid = vendors[fuzz_u8(in) % ARRAY_SIZE(vendors)];

    g_byte_array_append(msg, guid->b, sizeof(guid->b));
}

static void add_name(GByteArray *msg, const char *name)
{
    do {
        add(msg, (unsigned char)*name, 2);
    } while (*name++);
}

/* A length: nearly always the right one */
static uint64_t spoil(FuzzInput *in, uint64_t length)
{
    uint8_t how = fuzz_u8(in);

    switch (how) {
    case 0:
        return UINT64_MAX - fuzz_u8(in);
    case 1:
        return UINT32_MAX - fuzz_u8(in);
    case 2 ... 15:
        return length + (int8_t)fuzz_u8(in);
    default:
        return length;
    }
}

static void add_data(GByteArray *msg, FuzzInput *in, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        add(msg, fuzz_u8(in), 1);
    }
}

/* Functions 1 and 3: sizes, attributes, name and value */
static void add_access(GByteArray *msg, FuzzInput *in, unsigned un)
{
    const char *name = names[fuzz_u8(in) % ARRAY_SIZE(names)];
    uint32_t attr = attributes[fuzz_u8(in) % ARRAY_SIZE(attributes)];
    size_t size = fuzz_u8(in) % 96;

    add_guid(msg, in);
    add(msg, spoil(in, size), un);
    add(msg, spoil(in, 2 * strlen(name) + 2), un);
    add(msg, attr, 4);
    add_name(msg, name);
    if ((attr & EFI_ATTR_AT) && size >= EFI_AUTH2_CERT_OFFSET) {
        add(msg, 2024 + fuzz_u8(in) % 4, 2);
        add(msg, 0x0101, 6);
        add(msg, 0, 8);
        add(msg, spoil(in, 24), 4);
        add(msg, 0x0ef10200, 4);
        g_byte_array_append(msg, uefi_guid_cert_pkcs7.b, 16);
        size -= EFI_AUTH2_CERT_OFFSET;
    }
    add_data(msg, in, size);
}

/* Functions 2 and 8 */
static void add_next(GByteArray *msg, FuzzInput *in, unsigned un)
{
    const char *name = names[fuzz_u8(in) % ARRAY_SIZE(names)];

    add_guid(msg, in);
    add(msg, spoil(in, 2 * strlen(name) + 2 + 64), un);
    add_name(msg, name);
    add(msg, 0, 8);
    for (int i = 0; i < 7; i++) {
        add(msg, 0, 8);
    }
}

/* Functions 9 and 10 */
static void add_property(GByteArray *msg, FuzzInput *in, unsigned un)
{
    const char *name = names[fuzz_u8(in) % ARRAY_SIZE(names)];

    add_guid(msg, in);
    add(msg, spoil(in, 2 * strlen(name) + 2), un);
    add(msg, 1 + (fuzz_u8(in) == 0), 2);
    add(msg, fuzz_u8(in) & 1, 2);
    add(msg, attributes[fuzz_u8(in) % ARRAY_SIZE(attributes)], 4);
    add(msg, fuzz_u8(in), un);
    add(msg, fuzz_u8(in), un);
    add_name(msg, name);
}

static void add_variable_message(GByteArray *msg, FuzzInput *in, unsigned un)
{
    unsigned function = fuzz_u8(in) % 17;

    add(msg, function, un);
    add(msg, 0, un);
    switch (function) {
    case EFI_VAR_FN_GET_VARIABLE:
    case EFI_VAR_FN_SET_VARIABLE:
        add_access(msg, in, un);
        break;
    case EFI_VAR_FN_GET_NEXT_VARIABLE_NAME:
    case EFI_VAR_FN_LOCK_VARIABLE:
        add_next(msg, in, un);
        break;
    case EFI_VAR_FN_PROPERTY_SET:
    case EFI_VAR_FN_PROPERTY_GET:
        add_property(msg, in, un);
        break;
    default:
        add_data(msg, in, fuzz_u8(in) % 40);
    }
}

/* REGISTER's entry: lock on the state of another variable, or not */
static void add_policy_entry(GByteArray *msg, FuzzInput *in)
{
    const char *name = names[fuzz_u8(in) % ARRAY_SIZE(names)];
    const char *state = names[fuzz_u8(in) % ARRAY_SIZE(names)];
    unsigned type = fuzz_u8(in) % 5;
    size_t name_pos = EFI_VAR_POLICY_ENTRY_SIZE +
                      (type == 3 ? 18 + 2 * strlen(state) + 2 : 0);

    add(msg, EFI_VAR_POLICY_ENTRY_VERSION, 4);
    add(msg, spoil(in, name_pos + 2 * strlen(name) + 2), 2);
    add(msg, spoil(in, name_pos), 2);
    add_guid(msg, in);
    add(msg, fuzz_u8(in), 4);
    add(msg, spoil(in, UINT32_MAX), 4);
    add(msg, fuzz_u8(in) & 7, 4);
    add(msg, fuzz_u8(in) & 0x80, 4);
    add(msg, type, 4);
    if (type == 3) {
        add_guid(msg, in);
        add(msg, fuzz_u8(in), 2);
        add_name(msg, state);
    }
    add_name(msg, name);
}

static void add_policy_message(GByteArray *msg, FuzzInput *in, unsigned un)
{
    unsigned command = fuzz_u8(in) % 9;
    const char *name = names[fuzz_u8(in) % ARRAY_SIZE(names)];

    add(msg, EFI_VAR_POLICY_SIGNATURE, 4);
    add(msg, EFI_VAR_POLICY_REVISION, 4);
    add(msg, command, 4);
    add(msg, 0, un);
    switch (command) {
    case EFI_VAR_POLICY_REGISTER:
        add_policy_entry(msg, in);
        break;
    case EFI_VAR_POLICY_DUMP:
        add(msg, fuzz_u8(in) % 4, 4);
        break;
    case EFI_VAR_POLICY_GET_INFO:
    case EFI_VAR_POLICY_GET_LOCK_VAR_STATE_INFO:
        add_guid(msg, in);
        add(msg, spoil(in, 2 * strlen(name) + 2), 4);
        add(msg, spoil(in, 64), 4);
        for (int i = 0; i < 44; i++) {
            add(msg, 0, 1);
        }
        add_name(msg, name);
        break;
    default:
        add_data(msg, in, fuzz_u8(in) % 8);
    }
    if (fuzz_u8(in) & 1) {
        g_byte_array_set_size(msg, 16384 - 24 + 8 - un);
    }
}

static void add_raw_message(GByteArray *msg, FuzzInput *in)
{
    add_data(msg, in, fuzz_u8(in));
}

/* The message as the guest sends it, header included */
static GByteArray *make_message(FuzzInput *in)
{
    static const UefiGuid *const events[] = {
        &uefi_guid_end_of_dxe, &uefi_guid_ready_to_boot,
        &uefi_guid_exit_boot_services,
    };
    unsigned un = fuzz_u8(in) & 1 ? 4 : 8;
    g_autoptr(GByteArray) data = g_byte_array_new();
    GByteArray *msg = g_byte_array_new();
    const UefiGuid *target;
    uint8_t kind = fuzz_u8(in);

    if (kind < 200) {
        target = &uefi_guid_variable_protocol;
        add_variable_message(data, in, un);
    } else if (kind < 245) {
        target = &uefi_guid_policy_protocol;
        add_policy_message(data, in, un);
    } else {
        target = events[kind % ARRAY_SIZE(events)];
        add_raw_message(data, in);
    }
    g_byte_array_append(msg, target->b, sizeof(target->b));
    add(msg, spoil(in, data->len), un);
    g_byte_array_append(msg, data->data, data->len);
    return msg;
}

static void send_message(UefiVarService *uv, GByteArray *msg)
{
    g_autofree uint8_t *head = g_memdup2(msg->data, MIN(msg->len, 24));
    size_t size = uefi_vars_message_size(head, MIN(msg->len, 24), msg->len);
    g_autofree uint8_t *buf = NULL;

    if (size) {
        g_assert_cmpuint(size, <=, msg->len);
        buf = g_memdup2(msg->data, size);
        uefi_vars_message(uv, buf, size, UEFI_VARS_MAX_BUFFER_SIZE);
    }
}

/* A name or a value, with its length in bytes before it */
static void add_blob(GByteArray *msg, FuzzInput *in, const char *name,
                     size_t size)
{
    add(msg, spoil(in, name ? 2 * strlen(name) : size), 8);
    for (; name && *name; name++) {
        add(msg, fuzz_u8(in) ? (unsigned char)*name : 0, 2);
    }
    add_data(msg, in, size);
}

/* A request to uefi-vars-xen, in a block that may be shorter or longer */
static void send_xen_message(UefiVarService *uv, FuzzInput *in)
{
    const char *name = names[fuzz_u8(in) % ARRAY_SIZE(names)];
    g_autoptr(GByteArray) msg = g_byte_array_new();
    uint32_t command = fuzz_u8(in) % 6;
    g_autofree uint8_t *buf = NULL;
    size_t size;

    add(msg, fuzz_u8(in) ? UEFI_XEN_VERSION : 2, 4);
    add(msg, command, 4);
    if (command == UEFI_XEN_GET_NEXT_VARIABLE_NAME) {
        add(msg, spoil(in, 64), 8);
    }
    if (command != UEFI_XEN_QUERY_VARIABLE_INFO) {
        add_blob(msg, in, name, 0);
        add_guid(msg, in);
    }
    if (command == UEFI_XEN_GET_VARIABLE) {
        add(msg, spoil(in, 64), 8);
    } else if (command == UEFI_XEN_SET_VARIABLE) {
        add_blob(msg, in, NULL, fuzz_u8(in) % 96);
    }
    add(msg, attributes[fuzz_u8(in) % ARRAY_SIZE(attributes)],
        command == UEFI_XEN_SET_VARIABLE ||
        command == UEFI_XEN_QUERY_VARIABLE_INFO ? 4 : 0);
    add(msg, fuzz_u8(in) == 0, 1);
    size = spoil(in, msg->len) % 1024;
    buf = g_malloc0(MAX(size, 1));
    memcpy(buf, msg->data, MIN(size, msg->len));
    g_assert_cmpuint(uefi_xen_message(uv, buf, size), <=, size);
}

/* What must hold whatever the guest did */
static void check_service(const UefiVarService *uv)
{
    const UefiVariable *var = NULL;
    uint64_t used[UEFI_CLASS__MAX] = { };

    while ((var = uefi_store_next(uv->store, UEFI_VIEW_BOOT, var))) {
        gsize size = g_bytes_get_size(var->data);

        g_assert_true(*var->name);
        g_assert_cmpuint(size, >, 0);
        g_assert_false(var->attributes & ~EFI_ATTR_KIND);
        g_assert_true(uefi_store_find(uv->store, UEFI_VIEW_BOOT, &var->guid,
                                      var->name) == var);
        used[uefi_store_class(var->attributes)] +=
            uefi_store_record_size(var->name, size);
    }
    for (int class = 0; class < UEFI_CLASS__MAX; class++) {
        g_assert_cmpuint(used[class], ==,
                         uefi_store_used(uv->store, class));
        g_assert_cmpuint(used[class], <=,
                         uefi_store_capacity(uv->store, class));
    }
}

void fuzz_one(FuzzInput *in)
{
    UefiVarConfig config = uefi_vars_default_config();
    g_autoptr(UefiVarService) uv = NULL;

    config.limits.nv_size = UEFI_LIMIT_NV_SIZE_MIN;
    uv = uefi_vars_new(&config, NULL, NULL);
    uefi_vars_hard_reset(uv);
    while (!fuzz_end(in)) {
        UefiVarPhase phase = uv->phase;

        uint8_t what = fuzz_u8(in);

        if (what == 0) {
            uefi_vars_hard_reset(uv);
        } else if (what < 32) {
            send_xen_message(uv, in);
            g_assert_cmpint(uv->phase, >=, phase);
        } else {
            g_autoptr(GByteArray) msg = make_message(in);

            send_message(uv, msg);
            g_assert_cmpint(uv->phase, >=, phase);
        }
    }
    check_service(uv);
}
