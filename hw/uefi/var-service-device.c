/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: the service as part of a machine
 *
 * Properties, resets, and what the core asks of its host.
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "qemu/module.h"
#include "system/system.h"
#include "hw/uefi/var-service-device.h"
#include "hw/uefi/var-service-pkcs7.h"
#include "trace.h"

#define LEAST_RECORD    (EFI_VAR_RECORD_HEADER_SIZE + 8)

UefiVarDevice *uefi_vars_find(void)
{
    Object *obj = object_resolve_path_type("", TYPE_UEFI_VARS_IF, NULL);

    return obj ? UEFI_VARS_IF_GET_CLASS(obj)->device(obj) : NULL;
}

/* ------------------------------------------------------------------------ */
/* What the core asks of its host */

static UefiReason on_save(void *opaque, const UefiVarChange *change)
{
    UefiVarDevice *d = opaque;

    return d->storage ? uefi_vars_storage_save(d->storage, change)
                      : UEFI_REASON_OK;
}

static void on_changed(void *opaque, const UefiVarChange *change, bool saved)
{
    UefiVarDevice *d = opaque;

    if (!saved && d->storage) {
        uefi_vars_storage_unsaved(d->storage);
    }
    uefi_vars_watch_change(&d->watch, change);
}

static void forget_refused(UefiVarDevice *d)
{
    d->refused = 0;
    g_clear_pointer(&d->last_refused.name, g_free);
}

/* Firmware deletes what is not there all the time: nobody asks about that. */
static void note_refused(UefiVarDevice *d, const UefiVarAnswer *answer)
{
    if (strcmp(answer->request, "SetVariable") ||
        uefi_reason_status(answer->reason) == EFI_SUCCESS ||
        answer->reason == UEFI_REASON_STORE_MISSING) {
        return;
    }
    g_free(d->last_refused.name);
    d->last_refused = *answer;
    d->last_refused.name = answer->name ? uefi_str_dup(answer->name) : NULL;
    d->refused++;
}

static void on_answered(void *opaque, const UefiVarAnswer *answer)
{
    g_autofree char *name = NULL;
    g_autofree char *guid = NULL;

    note_refused(opaque, answer);
    if (!trace_event_get_state_backends(TRACE_UEFI_VARS_ANSWER)) {
        return;
    }
    name = answer->name ? uefi_str_print(answer->name) : g_strdup("-");
    guid = uefi_guid_print(&answer->guid);
    trace_uefi_vars_answer(answer->request, name, guid,
                           uefi_reason_status(answer->reason),
                           uefi_reason_text(answer->reason));
}

static const char *phase_name(UefiVarPhase phase)
{
    switch (phase) {
    case UEFI_PHASE_DXE:
        return "DXE";
    case UEFI_PHASE_END_OF_DXE:
        return "EndOfDxe";
    case UEFI_PHASE_READY_TO_BOOT:
        return "ReadyToBoot";
    case UEFI_PHASE_RUNTIME:
        return "ExitBootServices";
    default:
        return "unknown";
    }
}

static void on_phase(void *opaque, UefiVarPhase phase)
{
    trace_uefi_vars_phase(phase_name(phase));
}

static const UefiVarHost uefi_vars_host = {
    .save = on_save,
    .changed = on_changed,
    .answered = on_answered,
    .phase = on_phase,
};

/* ------------------------------------------------------------------------ */
/* What the machine does */

/* The firmware knows, but does not tell (5.4) */
static bool has_tpm(const UefiVarDevice *d)
{
    return d->tpm == ON_OFF_AUTO_ON ||
           (d->tpm == ON_OFF_AUTO_AUTO &&
            object_resolve_path_type("", "tpm-if", NULL));
}

static void uefi_vars_device_reset(Object *obj, ResetType type)
{
    UefiVarDevice *d = UEFI_VARS_IF_GET_CLASS(obj)->device(obj);

    /*
     * After S3 the operating system goes on with the buffer, the phase and
     * the variables it had (9.3); after loading a snapshot with those in it.
     */
    if (type == RESET_TYPE_WAKEUP || type == RESET_TYPE_SNAPSHOT_LOAD) {
        return;
    }
    if (!d->service) {
        return;                 /* on its bus still, but unrealized */
    }
    uefi_pcap_add(d->pcap, UEFI_PCAP_RESET, NULL, 0);
    uefi_vars_regs_reset(&d->regs);
    d->service->config.has_tpm = has_tpm(d);
    forget_refused(d);
    uefi_vars_hard_reset(d->service);
    uefi_vars_watch_store(&d->watch, d->service->store);
}

void uefi_vars_transit_clear(UefiVarTransit *t)
{
    uefi_vars_free(t->adopted);
    g_free(t->pio);
    g_free(t->state);
    memset(t, 0, sizeof(*t));
}

void uefi_vars_device_loaded(UefiVarDevice *d, const char *mark)
{
    if (runstate_check(RUN_STATE_INMIGRATE)) {
        /* Nothing changes for a guest that arrives. */
        d->watch.on = false;
    }
    d->waits = false;
    d->regs.service = d->service;
    uefi_vars_watch_store(&d->watch, d->service->store);
    if (d->storage) {
        uefi_vars_storage_loaded(d->storage, d->service, mark);
    }
}

/* ------------------------------------------------------------------------ */
/* Realize */

static bool check_alone(Error **errp)
{
    bool ambiguous = false;

    object_resolve_path_type("", TYPE_UEFI_VARS_IF, &ambiguous);
    if (ambiguous) {
        error_setg(errp, "at most one UEFI variable store is permitted");
    }
    return !ambiguous;
}

static bool check_range(const char *property, uint32_t value, uint32_t min,
                        uint32_t max, Error **errp)
{
    if (value < min || value > max) {
        error_setg(errp, "uefi-vars: %s is %" PRIu32 ", but must be between "
                   "%" PRIu32 " and %" PRIu32 " bytes",
                   property, value, min, max);
        return false;
    }
    return true;
}

static bool check_limits(const UefiVarLimits *limits, Error **errp)
{
    return check_range("size", limits->nv_size, UEFI_LIMIT_NV_SIZE_MIN,
                       UEFI_LIMIT_NV_SIZE_MAX, errp) &&
           check_range("volatile-size", limits->volatile_size,
                       UEFI_LIMIT_NV_SIZE_MIN, UEFI_LIMIT_NV_SIZE_MAX, errp) &&
           check_range("hwerr-quota", limits->hwerr_quota, 0,
                       limits->nv_size - UEFI_LIMIT_NV_SIZE_MIN, errp) &&
           check_range("max-variable-size", limits->max_var,
                       LEAST_RECORD, UEFI_LIMIT_NV_SIZE_MAX, errp) &&
           check_range("max-auth-variable-size", limits->max_auth,
                       LEAST_RECORD, UEFI_LIMIT_NV_SIZE_MAX, errp) &&
           check_range("max-volatile-variable-size", limits->max_volatile,
                       LEAST_RECORD, UEFI_LIMIT_NV_SIZE_MAX, errp) &&
           check_range("max-hwerr-variable-size", limits->max_hwerr,
                       LEAST_RECORD, UEFI_LIMIT_NV_SIZE_MAX, errp);
}

static bool start_pcap(UefiVarDevice *d, Error **errp)
{
    ERRP_GUARD();
    g_autoptr(GError) err = NULL;
    int fd;

    if (!d->pcapfile) {
        return true;
    }
    fd = qemu_create(d->pcapfile, O_RDWR | O_NONBLOCK, 0600, errp);
    if (fd < 0) {
        error_prepend(errp, "uefi-vars: ");
        return false;
    }
    d->pcap = uefi_pcap_new(fd, d->pcapfile, &err);
    if (!d->pcap) {
        error_setg(errp, "uefi-vars: %s", err->message);
    }
    return d->pcap;
}

bool uefi_vars_device_realize(UefiVarDevice *d, DeviceState *dev,
                              AddressSpace *as, uint64_t region_size,
                              Error **errp)
{
    if (!check_alone(errp) || !check_limits(&d->config.limits, errp)) {
        return false;
    }
    if (d->regs.mr.owner) {
        /* Its bus and fw_cfg would have it twice. */
        error_setg(errp, "uefi-vars: a store that was taken out of its "
                   "machine cannot come back");
        return false;
    }
    if (d->jsonfile && !*d->jsonfile) {
        error_setg(errp, "uefi-vars: jsonfile is empty");
        return false;
    }
    if (d->jsonfile && d->drive) {
        error_setg(errp, "uefi-vars: drive and jsonfile cannot both be given");
        return false;
    }
    if (!uefi_pkcs7_available()) {
        warn_report("uefi-vars: this QEMU is built without GnuTLS, so every "
                    "signed variable write of the guest is refused");
    }
    if (!uefi_vars_rom_create(&d->rom, OBJECT(dev), errp)) {
        return false;
    }
    if (!start_pcap(d, errp)) {
        uefi_vars_rom_destroy(&d->rom);
        return false;
    }
    d->service = uefi_vars_new(&d->config, &uefi_vars_host, d);
    d->waits = runstate_check(RUN_STATE_INMIGRATE);
    if (d->jsonfile || d->drive) {
        d->storage = uefi_vars_storage_new(d->jsonfile, d->drive, d->service,
                                           dev, errp);
        if (!d->storage) {
            uefi_vars_rom_destroy(&d->rom);
            g_clear_pointer(&d->pcap, uefi_pcap_free);
            g_clear_pointer(&d->service, uefi_vars_free);
            return false;
        }
    }
    d->regs.as = as;
    d->regs.service = d->service;
    d->regs.pcap = d->pcap;
    uefi_vars_regs_init(&d->regs, OBJECT(dev), region_size);
    return true;
}

void uefi_vars_device_unrealize(DeviceState *dev)
{
    UefiVarDevice *d = UEFI_VARS_IF_GET_CLASS(dev)->device(OBJECT(dev));

    if (d->regs.mr.container) {
        memory_region_del_subregion(d->regs.mr.container, &d->regs.mr);
    }
    g_clear_pointer(&d->storage, uefi_vars_storage_free);
    uefi_vars_rom_destroy(&d->rom);
    forget_refused(d);
    uefi_vars_watch_clear(&d->watch);
    uefi_vars_transit_clear(&d->transit);
    uefi_vars_regs_reset(&d->regs);
    d->regs.service = NULL;
    d->regs.pcap = NULL;
    g_clear_pointer(&d->pcap, uefi_pcap_free);
    g_clear_pointer(&d->service, uefi_vars_free);
}

/* ------------------------------------------------------------------------ */
/* Class */

static const struct {
    const char *name;
    const char *text;
} property_descriptions[] = {
    { "jsonfile", "file that holds the non-volatile variables; made if "
      "missing; without it they are lost at exit" },
    { "drive", "block node that holds them instead" },
    { "pcapfile", "file for a capture of all messages, values included" },
    { "tpm", "whether the firmware uses a TPM, and with it keeps the request "
      "to overwrite memory; auto: if the machine has one" },
    { "option-rom", "give the machine a PCI function with the driver that "
      "stock firmware needs" },
    { "option-rom-addr", "its PCI address, 1e.0 if not given" },
    { "romfile", "file with another driver" },
    { "use-pio", "advise the guest to transfer messages through a register "
      "instead of DMA" },
    { "force-secure-boot", "secure boot cannot be turned off in the guest" },
    { "disable-custom-mode", "custom mode, which replaces keys without "
      "signature, cannot be turned on in the guest" },
    { "auth-delete-needs-signature", "an authenticated variable cannot be "
      "deleted without a signature; edk2 lets the guest do that" },
    { "size", "room for non-volatile variables, bytes" },
    { "volatile-size", "room for volatile variables, bytes" },
    { "max-variable-size", "largest non-volatile variable, bytes, name and "
      "header included; one message carries 65460 of name and value" },
    { "max-auth-variable-size", "largest authenticated variable, bytes, name "
      "and header included; one message carries 65420 of name, value and "
      "signature" },
    { "max-volatile-variable-size", "largest volatile variable, bytes, name "
      "and header included; one message carries 65460 of name and value" },
    { "max-hwerr-variable-size", "largest hardware error record, bytes, name "
      "and header included; one message carries 65460 of name and value" },
    { "hwerr-quota", "part of size that is kept for hardware error records, "
      "bytes" },
};

void uefi_vars_device_class_init(ObjectClass *oc,
                                 UefiVarDevice *(*device)(Object *obj))
{
    DeviceClass *dc = DEVICE_CLASS(oc);

    for (size_t i = 0; i < ARRAY_SIZE(property_descriptions); i++) {
        const char *name = property_descriptions[i].name;

        if (object_class_property_find(oc, name)) {
            object_class_property_set_description(
                oc, name, property_descriptions[i].text);
        }
    }
    set_bit(DEVICE_CATEGORY_MISC, dc->categories);
    dc->user_creatable = true;
    dc->hotpluggable = false;
    dc->unrealize = uefi_vars_device_unrealize;
    RESETTABLE_CLASS(oc)->phases.hold = uefi_vars_device_reset;
    UEFI_VARS_IF_CLASS(oc)->device = device;
}

static const TypeInfo uefi_vars_if_info = {
    .name = TYPE_UEFI_VARS_IF,
    .parent = TYPE_INTERFACE,
    .class_size = sizeof(UefiVarsIfClass),
};

static void uefi_vars_if_register_types(void)
{
    type_register_static(&uefi_vars_if_info);
}

type_init(uefi_vars_if_register_types)
