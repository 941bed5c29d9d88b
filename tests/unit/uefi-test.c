/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: what the unit tests share
 */

#include "qemu/osdep.h"
#include "uefi-test.h"

const UefiGuid uefi_test_guid =
    UEFI_GUID(0x11111111, 0x2222, 0x3333,
              0x44, 0x44, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55);

static UefiReason test_save(void *opaque, const UefiVarChange *change)
{
    UefiTest *t = opaque;

    g_assert_cmpuint(change->vars->len, >, 0);
    t->saves++;
    return t->save_result;
}

static const UefiVarHost test_host = {
    .save = test_save,
};

UefiTest *uefi_test_new(const UefiVarConfig *config)
{
    UefiVarConfig stock = uefi_vars_default_config();
    UefiTest *t = g_new0(UefiTest, 1);

    t->un_size = 8;
    t->buffer_size = UEFI_VARS_MAX_BUFFER_SIZE;
    t->uv = uefi_vars_new(config ?: &stock, &test_host, t);
    uefi_vars_hard_reset(t->uv);
    t->saves = 0;
    return t;
}

void uefi_test_free(UefiTest *t)
{
    uefi_vars_free(t->uv);
    g_free(t);
}

void uefi_test_add(GByteArray *payload, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++) {
        uint8_t byte = value >> (8 * i);

        g_byte_array_append(payload, &byte, 1);
    }
}

void uefi_test_add_un(const UefiTest *t, GByteArray *payload, uint64_t value)
{
    uefi_test_add(payload, value, t->un_size);
}

void uefi_test_add_guid(GByteArray *payload, const UefiGuid *guid)
{
    g_byte_array_append(payload, guid->b, sizeof(guid->b));
}

void uefi_test_add_str(GByteArray *payload, const char *ascii)
{
    do {
        uefi_test_add(payload, (unsigned char)*ascii, 2);
    } while (*ascii++);
}

uint64_t uefi_test_field(const GByteArray *payload, size_t pos, unsigned size)
{
    uint64_t value = 0;

    g_assert_cmpuint(pos + size, <=, payload->len);
    for (unsigned i = 0; i < size; i++) {
        value |= (uint64_t)payload->data[pos + i] << (8 * i);
    }
    return value;
}

uint16_t uefi_test_send(UefiTest *t, const UefiGuid *guid, GByteArray *data)
{
    g_autoptr(GByteArray) msg = g_byte_array_new();
    size_t header_size = 16 + t->un_size, size;
    g_autofree uint8_t *buf = NULL;
    uint16_t sts;

    uefi_test_add_guid(msg, guid);
    uefi_test_add_un(t, msg, data->len);
    g_byte_array_append(msg, data->data, data->len);
    size = uefi_vars_message_size(msg->data, MIN(msg->len, 24),
                                  t->buffer_size);
    if (size == 0) {
        return UEFI_VARS_STS_ERR_BAD_BUFFER_SIZE;
    }
    g_assert_cmpuint(size, ==, msg->len);
    buf = g_memdup2(msg->data, size);
    sts = uefi_vars_message(t->uv, buf, size, t->buffer_size);
    g_assert_cmpmem(buf, header_size, msg->data, header_size);
    if (sts == UEFI_VARS_STS_SUCCESS) {
        memcpy(data->data, buf + header_size, data->len);
    }
    return sts;
}

/* The status field of a reply is the one that the reason asks for */
static void check_status(UefiTest *t, UefiReason reason, uint64_t field)
{
    EfiStatus status = uefi_reason_status(reason);
    uint64_t error = status ? 1ull << (8 * t->un_size - 1) : 0;

    g_assert_cmphex(field, ==, error | status);
}

UefiReason uefi_test_call(UefiTest *t, uint64_t function, GByteArray *payload)
{
    g_autoptr(UefiVarService) uv = uefi_vars_ref(t->uv);
    g_autoptr(GByteArray) data = g_byte_array_new();

    uefi_test_add_un(t, data, function);
    uefi_test_add_un(t, data, 0);
    g_byte_array_append(data, payload->data, payload->len);
    g_assert_cmphex(uefi_test_send(t, &uefi_guid_variable_protocol, data), ==,
                    UEFI_VARS_STS_SUCCESS);
    check_status(t, uv->answer.reason,
                 uefi_test_field(data, t->un_size, t->un_size));
    if (payload->len) {
        memcpy(payload->data, data->data + 2 * t->un_size, payload->len);
    }
    return uv->answer.reason;
}

UefiReason uefi_test_policy(UefiTest *t, uint32_t command, GByteArray *params)
{
    g_autoptr(GByteArray) data = g_byte_array_new();

    uefi_test_add(data, EFI_VAR_POLICY_SIGNATURE, 4);
    uefi_test_add(data, EFI_VAR_POLICY_REVISION, 4);
    uefi_test_add(data, command, 4);
    uefi_test_add_un(t, data, 0);
    g_byte_array_append(data, params->data, params->len);
    g_assert_cmphex(uefi_test_send(t, &uefi_guid_policy_protocol, data), ==,
                    UEFI_VARS_STS_SUCCESS);
    check_status(t, t->uv->answer.reason,
                 uefi_test_field(data, 12, t->un_size));
    if (params->len) {
        memcpy(params->data, data->data + 12 + t->un_size, params->len);
    }
    return t->uv->answer.reason;
}

void uefi_test_event(UefiTest *t, const UefiGuid *event)
{
    g_autoptr(GByteArray) data = g_byte_array_new();

    uefi_test_add(data, 0, 1);
    g_assert_cmphex(uefi_test_send(t, event, data), ==, UEFI_VARS_STS_SUCCESS);
}

UefiReason uefi_test_set(UefiTest *t, const UefiGuid *guid, const char *name,
                         uint32_t attributes, const void *data, size_t size)
{
    g_autoptr(GByteArray) payload = g_byte_array_new();

    uefi_test_add_guid(payload, guid);
    uefi_test_add_un(t, payload, size);
    uefi_test_add_un(t, payload, 2 * (strlen(name) + 1));
    uefi_test_add(payload, attributes, 4);
    uefi_test_add_str(payload, name);
    g_byte_array_append(payload, data, size);
    return uefi_test_call(t, EFI_VAR_FN_SET_VARIABLE, payload);
}

UefiReason uefi_test_get(UefiTest *t, const UefiGuid *guid, const char *name,
                         uint32_t *attributes, GBytes **data)
{
    g_autoptr(GByteArray) payload = g_byte_array_new();
    size_t name_size = 2 * (strlen(name) + 1);
    size_t fixed = 20 + 2 * t->un_size, capacity = 0xd000, size;
    UefiReason reason;

    uefi_test_add_guid(payload, guid);
    uefi_test_add_un(t, payload, capacity);
    uefi_test_add_un(t, payload, name_size);
    uefi_test_add(payload, 0, 4);
    uefi_test_add_str(payload, name);
    g_byte_array_set_size(payload, fixed + name_size + capacity);
    reason = uefi_test_call(t, EFI_VAR_FN_GET_VARIABLE, payload);
    if (attributes) {
        *attributes = uefi_test_field(payload, fixed - 4, 4);
    }
    if (reason == UEFI_REASON_OK && data) {
        size = uefi_test_field(payload, 16, t->un_size);
        *data = g_bytes_new(payload->data + fixed + name_size, size);
    }
    return reason;
}

char *uefi_test_list(UefiTest *t)
{
    g_autoptr(GByteArray) payload = g_byte_array_new();
    GString *list = g_string_new(NULL);
    size_t capacity = 1024;

    g_byte_array_set_size(payload, 16 + t->un_size + capacity);
    memset(payload->data, 0, payload->len);
    for (;;) {
        g_autoptr(GByteArray) size = g_byte_array_new();

        uefi_test_add_un(t, size, capacity);
        memcpy(payload->data + 16, size->data, t->un_size);
        if (uefi_test_call(t, EFI_VAR_FN_GET_NEXT_VARIABLE_NAME, payload) !=
            UEFI_REASON_OK) {
            uefi_assert_reason(t->uv->answer.reason, NEXT_END);
            return g_string_free(list, FALSE);
        }
        if (list->len) {
            g_string_append_c(list, ' ');
        }
        for (size_t pos = 16 + t->un_size; uefi_test_field(payload, pos, 2);
             pos += 2) {
            g_string_append_unichar(list, uefi_test_field(payload, pos, 2));
        }
    }
}

void uefi_test_phase(UefiTest *t, UefiVarPhase phase)
{
    g_autoptr(GByteArray) none = g_byte_array_new();

    if (phase >= UEFI_PHASE_END_OF_DXE) {
        uefi_test_event(t, &uefi_guid_end_of_dxe);
    }
    if (phase == UEFI_PHASE_READY_TO_BOOT) {
        uefi_test_call(t, EFI_VAR_FN_READY_TO_BOOT, none);
    }
    if (phase >= UEFI_PHASE_RUNTIME) {
        uefi_test_call(t, EFI_VAR_FN_EXIT_BOOT_SERVICE, none);
    }
}

char *uefi_test_dump(UefiTest *t)
{
    GString *text = g_string_new(NULL);
    const UefiVariable *var = NULL;

    while ((var = uefi_store_next(t->uv->store, UEFI_VIEW_BOOT, var))) {
        g_autofree char *guid = uefi_guid_print(&var->guid);
        g_autofree char *name = uefi_str_print(var->name);
        gsize size;
        const uint8_t *data = g_bytes_get_data(var->data, &size);

        g_string_append_printf(text, "%s %s 0x%x ", guid, name,
                               var->attributes);
        for (size_t i = 0; i < sizeof(var->time.b); i++) {
            g_string_append_printf(text, "%02x", var->time.b[i]);
        }
        g_string_append_c(text, ' ');
        for (size_t i = 0; i < size; i++) {
            g_string_append_printf(text, "%02x", data[i]);
        }
        if (var->binding) {
            data = g_bytes_get_data(var->binding, &size);
            g_string_append_c(text, ' ');
            for (size_t i = 0; i < size; i++) {
                g_string_append_printf(text, "%02x", data[i]);
            }
        }
        g_string_append_c(text, '\n');
    }
    return g_string_free(text, FALSE);
}
