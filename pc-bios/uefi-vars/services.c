/*
 * The four variable services, each one message to the device (protocol §3)
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "driver.h"

enum {
    FN_GET_VARIABLE             = 1,
    FN_GET_NEXT_VARIABLE_NAME   = 2,
    FN_SET_VARIABLE             = 3,
    FN_QUERY_VARIABLE_INFO      = 4,
    FN_READY_TO_BOOT            = 5,
    FN_EXIT_BOOT_SERVICES       = 6,
    FN_GET_PAYLOAD_SIZE         = 11,
};

/*
 * Message layout of a 64-bit guest (protocol §2.1, §3.1, §3.3).  Natural
 * alignment gives exactly these offsets; sizeof() counts tail padding, so
 * take offsetof() for the variable part.
 */
typedef struct {
    EfiGuid guid;
    uint64_t length;
} MsgHeader;

typedef struct {
    MsgHeader hdr;
    uint64_t function;
    uint64_t status;
    union {
        struct {
            EfiGuid guid;
            uint64_t data_size;
            uint64_t name_size;
            uint32_t attributes;
            EfiChar name[];
        } access;
        struct {
            EfiGuid guid;
            uint64_t name_size;
            EfiChar name[];
        } next;
        struct {
            uint64_t max_storage;
            uint64_t remaining_storage;
            uint64_t max_size;
            uint32_t attributes;
            uint32_t reserved;
        } query;
        uint64_t payload_size;
    };
} Msg;

#define MSG_PAYLOAD     offsetof(Msg, access)
#define MSG_ACCESS      (offsetof(Msg, access.name) - MSG_PAYLOAD)
#define MSG_NEXT        (offsetof(Msg, next.name) - MSG_PAYLOAD)
#define MSG_QUERY       32

_Static_assert(MSG_PAYLOAD == 40, "message header");
_Static_assert(MSG_ACCESS == 36 && MSG_NEXT == 24, "message payload");

static const EfiGuid variable_guid = {
    0xed32d533, 0x99e6, 0x4209,
    { 0x9c, 0xc0, 0x2d, 0x72, 0xcd, 0xd9, 0x98, 0xa7 }
};

static const EfiBootServices *bs;
static bool at_runtime;
static Msg *msg;
static size_t max_payload = EXCHANGE_SIZE - MSG_PAYLOAD;

/*
 * One exchange buffer serves everybody: at boot time keep event handlers out
 * while a request is under way.  At runtime the operating system serialises
 * the calls (UEFI 8.1).
 */
static EfiTpl enter(void)
{
    return at_runtime ? 0 : bs->raise_tpl(TPL_NOTIFY);
}

static EfiStatus leave(EfiTpl tpl, EfiStatus status)
{
    if (!at_runtime) {
        bs->restore_tpl(tpl);
    }
    return status;
}

/* Empty request with room for @payload bytes, which the caller has checked */
static void start(uint64_t function, size_t payload)
{
    memset(msg, 0, MSG_PAYLOAD + payload);
    msg->hdr.guid = variable_guid;
    msg->hdr.length = MSG_PAYLOAD - sizeof(MsgHeader) + payload;
    msg->function = function;
    /* A device that does not answer must not look like success. */
    msg->status = EFI_DEVICE_ERROR;
}

static EfiStatus run(void)
{
    EfiStatus status = device_run(sizeof(MsgHeader) + msg->hdr.length);

    return EFI_ERROR(status) ? status : msg->status;
}

static EfiStatus simple(uint64_t function)
{
    EfiTpl tpl = enter();

    start(function, 0);
    return leave(tpl, run());
}

EfiStatus services_init(const EfiBootServices *boot_services, void *buffer)
{
    EfiStatus status;

    bs = boot_services;
    msg = buffer;

    start(FN_GET_PAYLOAD_SIZE, sizeof(msg->payload_size));
    status = run();
    if (EFI_ERROR(status)) {
        return status;
    }
    if (msg->payload_size < MSG_ACCESS) {
        return EFI_DEVICE_ERROR;
    }
    if (msg->payload_size < max_payload) {
        max_payload = msg->payload_size;
    }
    return EFI_SUCCESS;
}

EfiStatus services_ready_to_boot(void)
{
    return simple(FN_READY_TO_BOOT);
}

EfiStatus services_exit_boot_services(void)
{
    return simple(FN_EXIT_BOOT_SERVICES);
}

/* protocol §2.3: an event is one zero byte under the event's own GUID */
EfiStatus services_event(const EfiGuid *guid)
{
    EfiTpl tpl = enter();

    memset(msg, 0, sizeof(MsgHeader) + 1);
    msg->hdr.guid = *guid;
    msg->hdr.length = 1;
    return leave(tpl, device_run(sizeof(MsgHeader) + 1));
}

void services_enter_runtime(void)
{
    at_runtime = true;
}

void services_convert(const EfiRuntimeServices *rt)
{
    rt->convert_pointer(0, (void **)&msg);
}

/*
 * Fill in the fields that GetVariable and SetVariable share.
 * Returns the place of the data behind the name.
 */
static uint8_t *start_access(uint64_t function, const EfiChar *name,
                             size_t name_size, const EfiGuid *guid,
                             size_t data_size)
{
    start(function, MSG_ACCESS + name_size + data_size);
    msg->access.guid = *guid;
    msg->access.name_size = name_size;
    msg->access.data_size = data_size;
    memcpy(msg->access.name, name, name_size);
    return (uint8_t *)msg->access.name + name_size;
}

static EfiStatus get(const EfiChar *name, size_t name_size,
                     const EfiGuid *guid, uint32_t *attributes,
                     size_t *size, void *data)
{
    size_t room = max_payload - MSG_ACCESS - name_size;
    size_t capacity = *size < room ? *size : room;
    uint8_t *value;
    EfiStatus status;

    value = start_access(FN_GET_VARIABLE, name, name_size, guid, capacity);
    status = run();
    if (status != EFI_SUCCESS && status != EFI_BUFFER_TOO_SMALL) {
        return status;
    }
    if (status == EFI_SUCCESS) {
        if (msg->access.data_size > capacity) {
            return EFI_DEVICE_ERROR;
        }
        if (!data) {
            return EFI_INVALID_PARAMETER;
        }
        memcpy(data, value, msg->access.data_size);
    }
    *size = msg->access.data_size;
    if (attributes) {
        *attributes = msg->access.attributes;
    }
    return status;
}

EfiStatus vars_get(const EfiChar *name, const EfiGuid *guid,
                   uint32_t *attributes, size_t *size, void *data)
{
    size_t name_size;
    EfiTpl tpl;

    if (!name || !guid || !size) {
        return EFI_INVALID_PARAMETER;
    }
    if (!name[0]) {
        return EFI_NOT_FOUND;
    }
    name_size = name_bytes(name, max_payload - MSG_ACCESS);
    if (!name_size) {
        return EFI_INVALID_PARAMETER;
    }
    tpl = enter();
    return leave(tpl, get(name, name_size, guid, attributes, size, data));
}

static EfiStatus get_next(size_t *size, EfiChar *name, size_t name_size,
                          EfiGuid *guid)
{
    size_t room = max_payload - MSG_NEXT;
    size_t capacity = *size < room ? *size : room;
    EfiStatus status;

    /* The name lies within the capacity, its terminator included. */
    start(FN_GET_NEXT_VARIABLE_NAME, MSG_NEXT + capacity);
    msg->next.guid = *guid;
    msg->next.name_size = capacity;
    memcpy(msg->next.name, name, name_size);
    status = run();
    if (status == EFI_BUFFER_TOO_SMALL) {
        *size = msg->next.name_size;
    }
    if (status != EFI_SUCCESS) {
        return status;
    }
    if (msg->next.name_size > capacity) {
        return EFI_DEVICE_ERROR;
    }
    *size = msg->next.name_size;
    *guid = msg->next.guid;
    memcpy(name, msg->next.name, msg->next.name_size);
    return EFI_SUCCESS;
}

EfiStatus vars_get_next(size_t *size, EfiChar *name, EfiGuid *guid)
{
    size_t name_size, max = max_payload - MSG_NEXT;
    EfiTpl tpl;

    if (!size || !name || !guid) {
        return EFI_INVALID_PARAMETER;
    }
    name_size = name_bytes(name, *size < max ? *size : max);
    if (!name_size) {
        return EFI_INVALID_PARAMETER;
    }
    tpl = enter();
    return leave(tpl, get_next(size, name, name_size, guid));
}

EfiStatus vars_set(const EfiChar *name, const EfiGuid *guid,
                   uint32_t attributes, size_t size, const void *data)
{
    size_t name_size;
    uint8_t *value;
    EfiTpl tpl;

    if (!name || !name[0] || !guid || (size && !data)) {
        return EFI_INVALID_PARAMETER;
    }
    name_size = name_bytes(name, max_payload - MSG_ACCESS);
    if (!name_size || size > max_payload - MSG_ACCESS - name_size) {
        return EFI_INVALID_PARAMETER;
    }
    tpl = enter();
    value = start_access(FN_SET_VARIABLE, name, name_size, guid, size);
    msg->access.attributes = attributes;
    memcpy(value, data, size);
    return leave(tpl, run());
}

EfiStatus vars_query(uint32_t attributes, uint64_t *max_storage,
                     uint64_t *remaining_storage, uint64_t *max_size)
{
    EfiStatus status;
    EfiTpl tpl;

    if (!attributes || !max_storage || !remaining_storage || !max_size) {
        return EFI_INVALID_PARAMETER;
    }
    tpl = enter();
    start(FN_QUERY_VARIABLE_INFO, MSG_QUERY);
    msg->query.attributes = attributes;
    status = run();
    if (status == EFI_SUCCESS) {
        *max_storage = msg->query.max_storage;
        *remaining_storage = msg->query.remaining_storage;
        *max_size = msg->query.max_size;
    }
    return leave(tpl, status);
}
