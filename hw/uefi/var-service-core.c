/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: life of the service, phases, dispatch of messages
 */

#include "qemu/osdep.h"
#include "hw/uefi/var-service.h"
#include "hw/uefi/var-service-api.h"
#include "hw/uefi/var-service-check.h"
#include "hw/uefi/var-service-lang.h"
#include "hw/uefi/var-service-mor.h"
#include "hw/uefi/var-service-policy-messages.h"
#include "hw/uefi/var-service-policy.h"
#include "hw/uefi/var-service-secureboot.h"
#include "hw/uefi/var-service-vars.h"

UefiVarConfig uefi_vars_default_config(void)
{
    return (UefiVarConfig) {
        .limits = {
            .nv_size = UEFI_LIMIT_NV_SIZE,
            .volatile_size = UEFI_LIMIT_VOLATILE_SIZE,
            .max_var = UEFI_LIMIT_MAX_VAR,
            .max_auth = UEFI_LIMIT_MAX_AUTH,
            .max_volatile = UEFI_LIMIT_MAX_VOLATILE,
            .max_hwerr = UEFI_LIMIT_MAX_HWERR,
            .hwerr_quota = UEFI_LIMIT_HWERR_QUOTA,
        },
        .auth_delete_needs_signature = true,
    };
}

static const UefiVarHost no_host;

UefiVarService *uefi_vars_new(const UefiVarConfig *config,
                              const UefiVarHost *host, void *host_opaque)
{
    UefiVarService *uv = g_rc_box_new0(UefiVarService);

    uv->config = *config;
    uv->host = host ? host : &no_host;
    uv->host_opaque = host_opaque;
    uv->store = uefi_store_new(&uv->config.limits);
    uv->check = uefi_check_new();
    uv->policy = uefi_policy_new();
    uv->secure_boot.setup_mode = true;
    return uv;
}

static void clear(UefiVarService *uv)
{
    uefi_lang_clear(&uv->lang);
    uefi_policy_free(uv->policy);
    uefi_check_free(uv->check);
    uefi_store_free(uv->store);
    g_free(uv->answer.name);
}

UefiVarService *uefi_vars_ref(UefiVarService *uv)
{
    return g_rc_box_acquire(uv);
}

void uefi_vars_free(UefiVarService *uv)
{
    if (uv) {
        g_rc_box_release_full(uv, (GDestroyNotify)clear);
    }
}

void uefi_vars_replace(UefiVarService **uv, UefiVarService *by)
{
    g_autoptr(UefiVarService) old = *uv;

    by->host = old->host;
    by->host_opaque = old->host_opaque;
    old->host = &no_host;
    *uv = by;
}

void uefi_vars_hard_reset(UefiVarService *service)
{
    g_autoptr(UefiVarService) uv = uefi_vars_ref(service);

    uefi_store_drop_volatile(uv->store);
    uv->phase = UEFI_PHASE_DXE;
    uefi_check_reset(uv);
    uv->mor = (UefiMorState) { };
    uefi_lang_clear(&uv->lang);
    uefi_policy_reset(uv);
    uefi_secureboot_init(uv);
    if (uv->host->phase) {
        uv->host->phase(uv->host_opaque, uv->phase);
    }
}

void uefi_vars_enter_phase(UefiVarService *uv, UefiVarPhase phase)
{
    bool end_of_dxe = uv->phase < UEFI_PHASE_END_OF_DXE;

    if (phase <= uv->phase) {
        return;
    }
    /*
     * A later phase that arrives first brings EndOfDxe with it (9.2): a guest
     * must not keep the rights of platform firmware by leaving out a message.
     */
    if (end_of_dxe) {
        uv->phase = UEFI_PHASE_END_OF_DXE;
        uefi_mor_end_of_dxe(uv);
        uefi_check_end_of_dxe(uv);
        uefi_policy_lock(uv);
    }
    uv->phase = phase;
    if (uv->host->phase) {
        uv->host->phase(uv->host_opaque, phase);
    }
}

void uefi_vars_answered(UefiVarService *uv, UefiReason reason)
{
    uv->answer.reason = reason;
    if (uv->host->answered) {
        uv->host->answered(uv->host_opaque, &uv->answer);
    }
}

/* Where the parts of a message are, which depends on the guest's UINTN */
typedef struct MsgFrame {
    UefiGuid guid;
    unsigned un_size;
    size_t header_size;
    uint64_t data_size;
} MsgFrame;

/* Only known senders come with a 32-bit header; see read_frame() */
static bool is_known(const UefiGuid *guid)
{
    return uefi_guid_equal(guid, &uefi_guid_variable_protocol) ||
           uefi_guid_equal(guid, &uefi_guid_policy_protocol) ||
           uefi_guid_equal(guid, &uefi_guid_end_of_dxe) ||
           uefi_guid_equal(guid, &uefi_guid_ready_to_boot) ||
           uefi_guid_equal(guid, &uefi_guid_exit_boot_services);
}

/*
 * Detect the width of UINTN (2.1): the upper half of a 64-bit MessageLength
 * is zero, while a 32-bit message has its function number or its signature
 * there.  A buffer without room for a 64-bit header holds a 32-bit one.
 */
static bool read_frame(const uint8_t *head, size_t head_size, MsgFrame *frame)
{
    UefiMsg msg;

    uefi_msg_init(&msg, (uint8_t *)head, head_size, 8);
    frame->guid = uefi_msg_get_guid(&msg);
    frame->data_size = uefi_msg_get_u64(&msg);
    frame->un_size = 8;
    frame->header_size = EFI_MM_HEADER_SIZE_64;
    if (!is_known(&frame->guid) ||
        (!msg.overrun && frame->data_size >> 32 == 0)) {
        return !msg.overrun;
    }
    uefi_msg_init(&msg, (uint8_t *)head, head_size, 4);
    uefi_msg_seek(&msg, sizeof(frame->guid));
    frame->data_size = uefi_msg_get_un(&msg);
    frame->un_size = 4;
    frame->header_size = EFI_MM_HEADER_SIZE_32;
    return !msg.overrun;
}

size_t uefi_vars_message_size(const uint8_t *head, size_t head_size,
                              size_t buffer_size)
{
    MsgFrame frame;

    if (!read_frame(head, head_size, &frame) ||
        frame.header_size > buffer_size ||
        frame.data_size > buffer_size - frame.header_size) {
        return 0;
    }
    return frame.header_size + frame.data_size;
}

static void answer_event(UefiVarService *uv, const char *name,
                         UefiVarPhase phase)
{
    uefi_vars_note(uv, name, NULL, NULL);
    uefi_vars_enter_phase(uv, phase);
}

static uint16_t dispatch(UefiVarService *uv, const UefiGuid *guid,
                         UefiMsg *msg, size_t buffer_size)
{
    UefiVarPhase phase = UEFI_PHASE_DXE;    /* which is entered already */
    bool long_enough = true;

    if (uefi_guid_equal(guid, &uefi_guid_variable_protocol)) {
        long_enough = uefi_vars_handle(uv, msg, buffer_size, &phase);
        uefi_vars_enter_phase(uv, phase);
    } else if (uefi_guid_equal(guid, &uefi_guid_policy_protocol)) {
        long_enough = uefi_policy_handle(uv, msg);
    } else if (uefi_guid_equal(guid, &uefi_guid_end_of_dxe)) {
        answer_event(uv, "EndOfDxe", UEFI_PHASE_END_OF_DXE);
    } else if (uefi_guid_equal(guid, &uefi_guid_ready_to_boot)) {
        /* Function 5 carries the meaning; alone, the event has none (2.3). */
        uefi_vars_note(uv, "ReadyToBoot event", NULL, NULL);
    } else if (uefi_guid_equal(guid, &uefi_guid_exit_boot_services)) {
        answer_event(uv, "ExitBootServices event", UEFI_PHASE_RUNTIME);
    } else {
        return UEFI_VARS_STS_ERR_NOT_SUPPORTED;
    }
    return long_enough ? UEFI_VARS_STS_SUCCESS
                       : UEFI_VARS_STS_ERR_BAD_BUFFER_SIZE;
}

uint16_t uefi_vars_message(UefiVarService *service, uint8_t *buf, size_t size,
                           size_t buffer_size)
{
    g_autoptr(UefiVarService) uv = uefi_vars_ref(service);
    MsgFrame frame;
    UefiMsg msg;
    uint16_t sts;

    if (!read_frame(buf, size, &frame) || size < frame.header_size) {
        return UEFI_VARS_STS_ERR_BAD_BUFFER_SIZE;
    }
    uefi_msg_init(&msg, buf + frame.header_size, size - frame.header_size,
                  frame.un_size);
    sts = dispatch(uv, &frame.guid, &msg, buffer_size);
    if (sts == UEFI_VARS_STS_SUCCESS) {
        uefi_vars_answered(uv, uv->answer.reason);
    }
    return sts;
}
