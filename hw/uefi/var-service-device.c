/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: the service as part of a machine
 *
 * Connects the core to the store file, and both to resets, the run state and
 * migration.  The file belongs to this side only while the machine does: an
 * incoming migration leaves it alone until the machine is about to run here,
 * an outgoing one lets go of it when the machine has stopped for good.
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "qemu/module.h"
#include "migration/misc.h"
#include "system/system.h"
#include "hw/uefi/var-service-device.h"
#include "hw/uefi/var-service-load.h"
#include "hw/uefi/var-service-pkcs7.h"
#include "hw/uefi/var-service-posix.h"
#include "hw/uefi/var-service-qapi.h"
#include "trace.h"

#define IDLE_MS         1000    /* without writes, then the journal is folded */
#define STEP_MS         20      /* between the steps of a fold */
#define RETRY_MS        30000   /* after a fold that failed */
#define REPORT_MS       10000   /* between two reports of failure */
#define LEAST_RECORD    (EFI_VAR_RECORD_HEADER_SIZE + 8)

/* Text takes more room than records, and the file holds it more than once. */
#define FILE_FACTOR     16

UefiVarDevice *uefi_vars_find(void)
{
    Object *obj = object_resolve_path_type("", TYPE_UEFI_VARS_IF, NULL);

    return obj ? UEFI_VARS_IF_GET_CLASS(obj)->device(obj) : NULL;
}

/* ------------------------------------------------------------------------ */
/* Reports: one line when saving begins to fail, one when it works again */

static void report(void *opaque)
{
    UefiVarDevice *d = opaque;

    warn_report("uefi-vars: %s; the guest is told that nothing was saved",
                d->save_error);
    qapi_event_send_uefi_vars_save_failed(d->jsonfile, d->save_error);
    d->reported = true;
    d->report_after = qemu_clock_get_ms(QEMU_CLOCK_REALTIME) + REPORT_MS;
}

static void report_failure(UefiVarDevice *d, const GError *err)
{
    if (!d->save_error) {
        d->save_error_since = qemu_clock_get_ms(QEMU_CLOCK_HOST);
    }
    g_free(d->save_error);
    d->save_error = g_strdup(err->message);
    if (d->reported) {
        return;
    }
    if (qemu_clock_get_ms(QEMU_CLOCK_REALTIME) >= d->report_after) {
        report(d);
    } else {
        timer_mod(d->report_later, d->report_after);
    }
}

static void report_success(UefiVarDevice *d)
{
    timer_del(d->report_later);
    if (d->reported) {
        info_report("uefi-vars: %s: saving works again", d->jsonfile);
        qapi_event_send_uefi_vars_save_recovered(d->jsonfile);
        d->reported = false;
    }
    g_clear_pointer(&d->save_error, g_free);
}

/* ------------------------------------------------------------------------ */
/* The file */

static bool uses_fdset(const UefiVarDevice *d)
{
    return g_str_has_prefix(d->jsonfile, "/dev/fdset/");
}

/*
 * @create: make the file, readable by its owner alone as it may hold secrets,
 * if there is none; otherwise a missing file is no error, and stays closed.
 */
static bool file_open(UefiVarDevice *d, bool create, Error **errp)
{
    ERRP_GUARD();
    bool missing = !uses_fdset(d) && access(d->jsonfile, F_OK) < 0 &&
                   errno == ENOENT;
    g_autoptr(GError) err = NULL;
    int fd, own;

    if (missing && !create) {
        return true;
    }
    fd = missing ? qemu_create(d->jsonfile, O_RDWR | O_NONBLOCK, 0600, errp)
                 : qemu_open(d->jsonfile, O_RDWR | O_NONBLOCK, errp);
    if (fd < 0) {
        error_prepend(errp, "uefi-vars: ");
        return false;
    }
    /* The file layer calls close(), which a file of an fdset must not. */
    own = qemu_dup(fd);
    qemu_close(fd);
    if (own < 0) {
        error_setg_errno(errp, errno, "uefi-vars: %s", d->jsonfile);
        return false;
    }
    d->file = uefi_var_file_open(own, d->jsonfile,
                                 uses_fdset(d) ? NULL : d->jsonfile,
                                 MAX(UEFI_VAR_FILE_LIMIT,
                                     (size_t)d->config.limits.nv_size *
                                     FILE_FACTOR), &err);
    if (!d->file) {
        error_setg(errp, "uefi-vars: %s", err->message);
        return false;
    }
    if (missing) {
        /* Best effort: a directory that is not ours to open is not lost. */
        uefi_var_file_sync_parent(d->jsonfile);
    }
    return true;
}

static bool file_lock(UefiVarDevice *d, GError **errp)
{
    GError *err = NULL;

    if (uefi_var_file_lock(d->file, &err)) {
        return true;
    }
    if (g_error_matches(err, UEFI_VAR_FILE_ERROR,
                        UEFI_VAR_FILE_ERROR_NO_LOCKS)) {
        warn_report_once("uefi-vars: %s; nothing keeps a second user of the "
                         "file away", err->message);
        g_error_free(err);
        return true;
    }
    g_propagate_error(errp, err);
    return false;
}

/* Fill @service with what the file says; there is nothing in it yet. */
static bool file_read(UefiVarDevice *d, UefiVarService *service,
                      GPtrArray *warnings, GError **err)
{
    g_autofree char *document = NULL;
    g_autoptr(GPtrArray) records = NULL;
    g_autoptr(GError) text_err = NULL;

    if (!uefi_var_file_load(d->file, &document, &records, err)) {
        return false;
    }
    if (!uefi_load_store(service, document, records, warnings, &text_err)) {
        g_set_error(err, UEFI_VAR_FILE_ERROR, UEFI_VAR_FILE_ERROR_DAMAGED,
                    "%s: %s; nothing has been written to it: repair it, or "
                    "move it away to begin with an empty store",
                    d->jsonfile, text_err->message);
        return false;
    }
    trace_uefi_vars_load(d->jsonfile, records->len,
                         uefi_var_file_journal_size(d->file));
    return true;
}

/* Start of the machine */
static bool file_load(UefiVarDevice *d, GError **err)
{
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);

    if (!file_read(d, d->service, warnings, err)) {
        return false;
    }
    if (uefi_var_file_torn(d->file)) {
        warn_report("uefi-vars: %s: %zu bytes at the end are a write that was "
                    "interrupted, and passed over", d->jsonfile,
                    uefi_var_file_torn(d->file));
    }
    for (guint i = 0; i < warnings->len; i++) {
        warn_report("uefi-vars: %s: %s", d->jsonfile,
                    (char *)g_ptr_array_index(warnings, i));
    }
    return true;
}

/*
 * The machine runs here from now on, or does again: the file becomes ours.
 * What it says is of no interest, for the store is what counts; but it has to
 * be a store.
 */
static bool file_take(UefiVarDevice *d, GError **err)
{
    g_autoptr(UefiVarService) overwritten = uefi_vars_new(&d->config, NULL,
                                                          NULL);
    Error *local_err = NULL;

    if (!d->file && !file_open(d, true, &local_err)) {
        g_set_error(err, UEFI_VAR_FILE_ERROR, UEFI_VAR_FILE_ERROR_IO, "%s",
                    error_get_pretty(local_err));
        error_free(local_err);
        return false;
    }
    if (!file_lock(d, err) || !file_read(d, overwritten, NULL, err)) {
        return false;
    }
    d->locked = true;
    d->stale = true;
    trace_uefi_vars_own(d->jsonfile, "taken");
    return true;
}

static bool fold_result(UefiVarDevice *d, bool ok, const GError *err)
{
    trace_uefi_vars_fold(d->jsonfile, uefi_var_file_journal_size(d->file),
                         ok ? "done" : err->message);
    if (ok) {
        d->stale = false;
        report_success(d);
    }
    return ok;
}

static bool file_fold(UefiVarDevice *d, GError **errp)
{
    g_autofree char *document = uefi_text_print_document(d->service->store);
    GError *err = NULL;
    bool ok = uefi_var_file_fold(d->file, document, strlen(document), &err);

    fold_result(d, ok, err);
    if (err) {
        g_propagate_error(errp, err);
    }
    return ok;
}

/* Whether the next record can be appended: the file is ours and up to date */
static bool file_ready(UefiVarDevice *d, GError **err)
{
    if (d->owner == UEFI_OWNER_OTHER) {
        g_set_error(err, UEFI_VAR_FILE_ERROR, UEFI_VAR_FILE_ERROR_LOCKED,
                    "%s: the machine has been migrated away", d->jsonfile);
        return false;
    }
    return (d->locked || file_take(d, err)) &&
           (!d->stale || file_fold(d, err));
}

/* Everything into the document, now: stop, reset, exit */
static void file_settle(UefiVarDevice *d)
{
    g_autoptr(GError) err = NULL;

    if (!d->jsonfile || d->owner != UEFI_OWNER_SELF || !d->locked) {
        return;
    }
    timer_del(d->idle);
    if ((d->stale || uefi_var_file_journal_size(d->file) > 0) &&
        !file_fold(d, &err) && d->stale) {
        /* Otherwise nothing is lost: the journal has it all. */
        report_failure(d, err);
    }
}

static void file_give(UefiVarDevice *d)
{
    file_settle(d);
    if (d->locked) {
        uefi_var_file_unlock(d->file);
        d->locked = false;
    }
    if (d->owner == UEFI_OWNER_SELF) {
        d->owner = UEFI_OWNER_OTHER;
    }
    trace_uefi_vars_own(d->jsonfile, "given away");
}

/*
 * A busy guest must not grow the journal for ever.  Once it is a few times as
 * large as the store can be, the fold no longer waits for silence; if the
 * guest is faster than that, the fold is done in one go.
 */
typedef enum JournalSize {
    JOURNAL_LONG = 4,           /* times the size of the store */
    JOURNAL_HUGE = 32,
} JournalSize;

static bool journal_is(const UefiVarDevice *d, JournalSize size)
{
    return uefi_var_file_journal_size(d->file) >
           size * (size_t)d->config.limits.nv_size;
}

static void idle_later(UefiVarDevice *d, int64_t ms)
{
    timer_mod(d->idle, qemu_clock_get_ms(QEMU_CLOCK_REALTIME) + ms);
}

static bool fold_step(UefiVarDevice *d, GError **err)
{
    g_autofree char *document = NULL;

    if (uefi_var_file_fold_pending(d->file) && !journal_is(d, JOURNAL_HUGE)) {
        return uefi_var_file_fold_step(d->file, err);
    }
    document = uefi_text_print_document(d->service->store);
    if (journal_is(d, JOURNAL_HUGE)) {
        return uefi_var_file_fold(d->file, document, strlen(document), err);
    }
    return uefi_var_file_fold_begin(d->file, document, strlen(document), err);
}

static void on_idle(void *opaque)
{
    UefiVarDevice *d = opaque;
    g_autoptr(GError) err = NULL;
    bool folded;

    if (d->owner != UEFI_OWNER_SELF) {
        return;
    }
    if (!d->locked || d->stale) {
        if (file_ready(d, &err)) {
            report_success(d);
        } else {
            report_failure(d, err);
            idle_later(d, RETRY_MS);
        }
        return;
    }
    if (uefi_var_file_journal_size(d->file) == 0) {
        return;
    }
    folded = fold_step(d, &err);
    if (!fold_result(d, folded, err)) {
        /* Nothing is lost: the journal has it all. */
        idle_later(d, RETRY_MS);
    } else if (uefi_var_file_fold_pending(d->file)) {
        idle_later(d, STEP_MS);
    } else if (uefi_var_file_journal_size(d->file) > 0) {
        /* written meanwhile */
        idle_later(d, IDLE_MS);
    }
}

/* ------------------------------------------------------------------------ */
/* What the core asks of its host */

static bool save_record(UefiVarDevice *d, const UefiVarChange *change,
                        GError **err)
{
    g_autofree char *record = NULL;

    if (!file_ready(d, err)) {
        return false;
    }
    record = uefi_text_print_change(change);
    return uefi_var_file_append(d->file, record, strlen(record), err);
}

static UefiReason on_save(void *opaque, const UefiVarChange *change)
{
    UefiVarDevice *d = opaque;
    g_autoptr(GError) err = NULL;
    bool saved;

    if (!d->jsonfile) {
        return UEFI_REASON_OK;
    }
    if (d->owner == UEFI_OWNER_NOT_YET) {
        if (!runstate_is_running()) {
            /* A reset while the machine waits; the file follows later. */
            return UEFI_REASON_OK;
        }
        d->owner = UEFI_OWNER_SELF;
    }
    saved = save_record(d, change, &err);
    trace_uefi_vars_save(d->jsonfile, change->vars->len,
                         saved ? "saved" : err->message);
    if (!saved) {
        report_failure(d, err);
        return g_error_matches(err, UEFI_VAR_FILE_ERROR,
                               UEFI_VAR_FILE_ERROR_FULL)
               ? UEFI_REASON_SAVE_NO_SPACE : UEFI_REASON_SAVE_FAILED;
    }
    report_success(d);
    if (!timer_pending(d->idle) || (!journal_is(d, JOURNAL_LONG) &&
                                    !uefi_var_file_fold_pending(d->file))) {
        idle_later(d, IDLE_MS);
    }
    return UEFI_REASON_OK;
}

static void on_changed(void *opaque, const UefiVarChange *change, bool saved)
{
    UefiVarDevice *d = opaque;

    if (!saved) {
        d->stale = true;
        idle_later(d, RETRY_MS);
    }
    uefi_vars_watch_change(&d->watch, change);
}

static void on_answered(void *opaque, const UefiVarAnswer *answer)
{
    g_autofree char *name = NULL;
    g_autofree char *guid = NULL;

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

static void on_run_state(void *opaque, bool running, RunState state)
{
    UefiVarDevice *d = opaque;
    g_autoptr(GError) err = NULL;

    if (running) {
        d->owner = UEFI_OWNER_SELF;
        /* Whatever fails here fails again, or no more, at the next write. */
        if (!file_ready(d, &err)) {
            report_failure(d, err);
            idle_later(d, RETRY_MS);
        }
    } else {
        file_settle(d);
    }
}

void uefi_vars_device_leaving(UefiVarDevice *d)
{
    if (d->jsonfile && runstate_check(RUN_STATE_FINISH_MIGRATE)) {
        file_give(d);
    }
}

/*
 * A machine that was paused already gets no notice of its run state when its
 * migration fails or is cancelled.  The next write takes the file back.
 */
static int on_migration(NotifierWithReturn *notifier, MigrationEvent *event,
                        Error **errp)
{
    UefiVarDevice *d = container_of(notifier, UefiVarDevice, migration);

    if (event->type == MIG_EVENT_PRECOPY_FAILED &&
        d->owner == UEFI_OWNER_OTHER) {
        d->owner = UEFI_OWNER_SELF;
    }
    return 0;
}

static void file_leave(UefiVarDevice *d)
{
    file_settle(d);
    if (d->save_error && !d->reported) {
        report(d);
    }
    g_clear_pointer(&d->file, uefi_var_file_close);
    d->locked = false;
}

static void on_machine_exit(Notifier *notifier, void *data)
{
    file_leave(container_of(notifier, UefiVarDevice, exit));
}

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
    uefi_vars_hard_reset(d->service);
    uefi_vars_watch_store(&d->watch, d->service->store);
    file_settle(d);
}

void uefi_vars_device_loaded(UefiVarDevice *d)
{
    if (runstate_check(RUN_STATE_INMIGRATE)) {
        /* Nothing changes for a guest that arrives. */
        d->watch.on = false;
    }
    uefi_vars_watch_store(&d->watch, d->service->store);
    d->owner = UEFI_OWNER_NOT_YET;
    d->stale = true;
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

static bool start_file(UefiVarDevice *d, Error **errp)
{
    g_autoptr(GError) err = NULL;

    if (runstate_check(RUN_STATE_INMIGRATE)) {
        d->owner = UEFI_OWNER_NOT_YET;
        return file_open(d, false, errp);
    }
    if (!file_open(d, true, errp)) {
        return false;
    }
    if (!file_lock(d, &err) || !file_load(d, &err)) {
        error_setg(errp, "uefi-vars: %s", err->message);
        return false;
    }
    d->locked = true;
    return true;
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
    if (d->jsonfile && !start_file(d, errp)) {
        uefi_vars_rom_destroy(&d->rom);
        g_clear_pointer(&d->pcap, uefi_pcap_free);
        g_clear_pointer(&d->file, uefi_var_file_close);
        g_clear_pointer(&d->service, uefi_vars_free);
        return false;
    }
    if (d->jsonfile) {
        d->idle = timer_new_ms(QEMU_CLOCK_REALTIME, on_idle, d);
        d->report_later = timer_new_ms(QEMU_CLOCK_REALTIME, report, d);
        d->run_state = uefi_vars_add_run_state_handler(dev, on_run_state, d);
        migration_add_notifier(&d->migration, on_migration);
        d->exit.notify = on_machine_exit;
        qemu_add_exit_notifier(&d->exit);
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
    if (d->jsonfile) {
        file_leave(d);
        qemu_remove_exit_notifier(&d->exit);
        migration_remove_notifier(&d->migration);
        qemu_del_vm_change_state_handler(d->run_state);
        g_clear_pointer(&d->idle, timer_free);
        g_clear_pointer(&d->report_later, timer_free);
        g_clear_pointer(&d->save_error, g_free);
    }
    uefi_vars_rom_destroy(&d->rom);
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
