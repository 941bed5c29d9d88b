/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: where the variables of a machine are kept
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qapi/qapi-commands-migration.h"
#include "qemu/error-report.h"
#include "qemu/notify.h"
#include "qemu/thread.h"
#include "qemu/timer.h"
#include "block/thread-pool.h"
#include "migration/misc.h"
#include "system/block-backend.h"
#include "system/runstate.h"
#include "system/system.h"
#include "hw/uefi/var-service-blk.h"
#include "hw/uefi/var-service-compat.h"
#include "hw/uefi/var-service-keeper.h"
#include "hw/uefi/var-service-load.h"
#include "hw/uefi/var-service-posix.h"
#include "hw/uefi/var-service-qapi.h"
#include "hw/uefi/var-service-storage.h"
#include "trace.h"

#define REPORT_MS       10000   /* between two reports of failure */

/* A file holds a document more than once. */
#define FILE_FACTOR     (4 * UEFI_TEXT_FACTOR)

/* A step of a fold in QEMU's thread pool */
typedef struct Step {
    UefiVarStorage *storage;    /* NULL when the result is no longer needed */
    UefiVarFileMedium *medium;
    int begun;                  /* by one thread or the other */
    QemuEvent done;
} Step;

typedef struct ModeNotifier {
    NotifierWithReturn notifier;
    UefiVarStorage *storage;
} ModeNotifier;

struct UefiVarStorage {
    char *name;                 /* of the file, or of the node */
    UefiVarService *service;
    const UefiVarMediumOps *ops;
    void *medium;               /* what they get: @file or @slots */
    UefiVarFileMedium file;
    size_t limit;               /* its largest size, bytes */
    BlockBackend *blk;          /* NULL for a file */
    UefiVarSlots *slots;
    UefiKeeper keeper;
    UefiKeeperState traced;
    QEMUTimer *timer;
    Step *step;                 /* under way, or NULL */
    bool coroutine;             /* the same on the block layer, */
    bool awaited;               /* whose end the keeper wants to hear of */

    /* The failure that lasts, for the administrator */
    char *failure;              /* NULL when all is well */
    UefiKeeperAsker asker;      /* who has been told */
    int64_t failing_since;      /* host clock, ms */
    int64_t report_after;       /* realtime clock, ms; limits the rate */
    QEMUTimer *report_later;
    bool reported;              /* failure has been reported */

    VMChangeStateEntry *run_state;
    ModeNotifier migration[MIG_MODE__MAX];
    Notifier shutdown;
    Notifier exit;
};

static int64_t now_ms(void)
{
    return qemu_clock_get_ms(QEMU_CLOCK_REALTIME);
}

/* ------------------------------------------------------------------------ */
/* Reports: one line when saving begins to fail, one when it works again */

static void report(void *opaque)
{
    UefiVarStorage *s = opaque;

    warn_report("uefi-vars: %s; %s", s->failure,
                s->asker == UEFI_KEEPER_GUEST
                ? "the guest is told that nothing was saved"
                : "variables are not saved until that is mended");
    qapi_event_send_uefi_vars_save_failed(s->name, s->failure);
    s->reported = true;
    s->report_after = now_ms() + REPORT_MS;
}

static void on_failed(void *opaque, const GError *err, UefiKeeperAsker asker)
{
    UefiVarStorage *s = opaque;

    if (!s->failure) {
        s->failing_since = qemu_clock_get_ms(QEMU_CLOCK_HOST);
    }
    g_free(s->failure);
    s->failure = g_strdup(err->message);
    s->asker = asker;
    if (s->reported) {
        return;
    }
    if (now_ms() >= s->report_after) {
        report(s);
    } else {
        timer_mod(s->report_later, s->report_after);
    }
}

static void on_worked(void *opaque)
{
    UefiVarStorage *s = opaque;

    timer_del(s->report_later);
    if (s->reported) {
        info_report("uefi-vars: %s: saving works again", s->name);
        qapi_event_send_uefi_vars_save_recovered(s->name);
        s->reported = false;
    }
    g_clear_pointer(&s->failure, g_free);
}

/* ------------------------------------------------------------------------ */
/* The file, by its name */

static bool uses_fdset(const UefiVarStorage *s)
{
    return g_str_has_prefix(s->name, "/dev/fdset/");
}

/* @created: made, readable by its owner alone as it may hold secrets */
static int open_fd(UefiVarStorage *s, bool create, bool *created,
                   Error **errp)
{
    int fd, own;

    *created = !uses_fdset(s) && access(s->name, F_OK) < 0 && errno == ENOENT;
    if (*created && !create) {
        return -1;
    }
    fd = *created ? qemu_create(s->name, O_RDWR | O_NONBLOCK, 0600, errp)
                  : qemu_open(s->name, O_RDWR | O_NONBLOCK, errp);
    if (fd < 0) {
        return -1;
    }
    /* The file layer calls close(), which a file of an fdset must not. */
    own = qemu_dup(fd);
    if (own < 0) {
        error_setg_errno(errp, errno, "%s", s->name);
    }
    qemu_close(fd);
    return own;
}

static UefiVarFile *on_open(void *opaque, bool create, GError **err)
{
    UefiVarStorage *s = opaque;
    Error *local_err = NULL;
    bool created;
    UefiVarFile *file;
    int fd = open_fd(s, create, &created, &local_err);

    if (local_err) {
        g_set_error(err, UEFI_VAR_FILE_ERROR, UEFI_VAR_FILE_ERROR_IO, "%s",
                    error_get_pretty(local_err));
        error_free(local_err);
    }
    if (fd < 0) {
        return NULL;
    }
    file = uefi_var_file_open(fd, s->name, uses_fdset(s) ? NULL : s->name,
                              s->limit, err);
    if (file && created) {
        /* Best effort: a directory that is not ours to open is not lost. */
        uefi_var_file_sync_parent(s->name);
    }
    return file;
}

/* Fill @service, in which there is nothing yet */
static bool load_content(const UefiVarStorage *s, UefiVarService *service,
                         const UefiVarContent *content, GPtrArray *warnings,
                         GError **err)
{
    g_autoptr(GError) text_err = NULL;

    if (uefi_load_store(service, content->document, content->records,
                        warnings, &text_err)) {
        return true;
    }
    g_set_error(err, UEFI_VAR_FILE_ERROR, UEFI_VAR_FILE_ERROR_DAMAGED,
                "%s: %s; nothing has been written to it: repair it, or move "
                "it away to begin with an empty store", s->name,
                text_err->message);
    return false;
}

static bool on_check(void *opaque, const UefiVarContent *content, GError **err)
{
    UefiVarStorage *s = opaque;
    g_autoptr(UefiVarService) service = uefi_vars_new(&s->service->config,
                                                      NULL, NULL);

    return load_content(s, service, content, NULL, err);
}

static char *on_document(void *opaque)
{
    UefiVarStorage *s = opaque;

    return uefi_text_print_document(s->service->store);
}

/* ------------------------------------------------------------------------ */
/* Time and threads */

static int64_t on_now(void *opaque)
{
    return now_ms();
}

static void on_alarm(void *opaque, int64_t when)
{
    UefiVarStorage *s = opaque;

    if (s->traced != s->keeper.state) {
        s->traced = s->keeper.state;
        trace_uefi_vars_keeper(s->name, uefi_keeper_state_name(s->traced));
    }
    if (when < 0) {
        timer_del(s->timer);
    } else {
        timer_mod(s->timer, when);
    }
}

/*
 * On the block layer nothing goes on beside a machine that is stopped: a
 * snapshot is made or loaded then, or the node goes elsewhere.  What is due has
 * its tick again when the machine runs.
 */
static void on_timer(void *opaque)
{
    UefiVarStorage *s = opaque;

    if (!s->blk || runstate_is_running()) {
        uefi_keeper_tick(&s->keeper);
    }
}

/* Whoever comes first does it: a pool may have no thread to spare. */
static bool step_run(Step *step)
{
    if (qatomic_xchg(&step->begun, 1)) {
        return false;
    }
    uefi_var_file_medium_ops.run(step->medium);
    qemu_event_set(&step->done);
    return true;
}

static int step_work(void *opaque)
{
    step_run(opaque);
    return 0;
}

static void step_done(void *opaque, int ret)
{
    Step *step = opaque;

    if (step->storage) {
        uefi_keeper_ran(&step->storage->keeper);
    }
    qemu_event_destroy(&step->done);
    g_free(step);
}

static void on_run(void *opaque)
{
    UefiVarStorage *s = opaque;
    Step *step = g_new0(Step, 1);

    step->storage = s;
    step->medium = &s->file;
    qemu_event_init(&step->done, false);
    s->step = step;
    thread_pool_submit_aio(step_work, step, step_done, step);
}

static void on_join(void *opaque)
{
    UefiVarStorage *s = opaque;
    Step *step = g_steal_pointer(&s->step);

    step->storage = NULL;
    if (!step_run(step)) {
        qemu_event_wait(&step->done);
    }
}

static const UefiKeeperHost file_host = {
    .now = on_now,
    .alarm = on_alarm,
    .document = on_document,
    .check = on_check,
    .run = on_run,
    .join = on_join,
    .failed = on_failed,
    .worked = on_worked,
};

/* ------------------------------------------------------------------------ */
/* The block layer has coroutines for what takes long */

static void coroutine_fn step_co(void *opaque)
{
    UefiVarStorage *s = opaque;

    s->ops->run(s->medium);
    s->coroutine = false;
    aio_wait_kick();
    if (s->awaited) {
        uefi_keeper_ran(&s->keeper);
    }
}

static void on_run_co(void *opaque)
{
    UefiVarStorage *s = opaque;

    s->coroutine = s->awaited = true;
    aio_co_schedule(qemu_get_aio_context(), qemu_coroutine_create(step_co, s));
}

static void wait_for_step(UefiVarStorage *s)
{
    AIO_WAIT_WHILE_UNLOCKED(NULL, s->coroutine);
}

static void on_join_co(void *opaque)
{
    UefiVarStorage *s = opaque;

    s->awaited = false;
    wait_for_step(s);
}

static const UefiKeeperHost blk_host = {
    .now = on_now,
    .alarm = on_alarm,
    .document = on_document,
    .check = on_check,
    .run = on_run_co,
    .join = on_join_co,
    .failed = on_failed,
    .worked = on_worked,
};

/* ------------------------------------------------------------------------ */
/* What the device asks */

UefiReason uefi_vars_storage_save(UefiVarStorage *s,
                                  const UefiVarChange *change)
{
    g_autofree char *record = uefi_text_print_change(change);
    g_autoptr(GError) err = NULL;
    bool saved = uefi_keeper_save(&s->keeper, record, strlen(record),
                                  runstate_is_running(), &err);

    trace_uefi_vars_save(s->name, change->vars->len,
                         saved ? "saved" : err->message);
    if (saved) {
        return UEFI_REASON_OK;
    }
    return g_error_matches(err, UEFI_VAR_FILE_ERROR, UEFI_VAR_FILE_ERROR_FULL)
           ? UEFI_REASON_SAVE_NO_SPACE : UEFI_REASON_SAVE_FAILED;
}

void uefi_vars_storage_unsaved(UefiVarStorage *s)
{
    uefi_keeper_unsaved(&s->keeper);
}

void uefi_vars_storage_leaving(UefiVarStorage *s)
{
    if (runstate_check(RUN_STATE_FINISH_MIGRATE)) {
        uefi_keeper_leave(&s->keeper);
    }
}

void uefi_vars_storage_loaded(UefiVarStorage *s, UefiVarService *service,
                              const char *mark)
{
    s->service = service;
    uefi_keeper_loaded(&s->keeper, mark);
}

const char *uefi_vars_storage_mark(const UefiVarStorage *s)
{
    return uefi_keeper_mark(&s->keeper);
}

bool uefi_vars_storage_waits(const UefiVarStorage *s)
{
    return s->keeper.state == UEFI_KEEPER_WAITING && !runstate_is_running();
}

UefiVarStorageInfo uefi_vars_storage_info(const UefiVarStorage *s)
{
    const char *node = s->blk ? uefi_vars_blk_node(s->blk) : NULL;
    bool taken = s->keeper.taken;

    return (UefiVarStorageInfo) {
        .name = node ?: s->name,
        .is_node = s->blk,
        .taken = taken,
        .journal = taken ? s->ops->journal_size(s->medium) : 0,
        .failure = s->failure,
        .failing_since = s->failing_since,
    };
}

/* ------------------------------------------------------------------------ */
/* What the machine does */

static void on_run_state(void *opaque, bool running, RunState state)
{
    UefiVarStorage *s = opaque;

    if (running) {
        uefi_keeper_run(&s->keeper);
    } else {
        wait_for_step(s);
        uefi_keeper_stop(&s->keeper);
    }
}

static bool colo_is_on(void)
{
    MigrationCapabilityStatusList *caps = qmp_query_migrate_capabilities(NULL);
    bool on = false;

    for (MigrationCapabilityStatusList *c = caps; c; c = c->next) {
        on |= c->value->capability == MIGRATION_CAPABILITY_X_COLO &&
              c->value->state;
    }
    qapi_free_MigrationCapabilityStatusList(caps);
    return on;
}

/*
 * Two machines that run the same guest would each write a file, or one file
 * both.  A machine that was paused already gets no notice of its run state
 * when its migration fails or is cancelled.
 */
static int on_migration(NotifierWithReturn *notifier, MigrationEvent *event,
                        Error **errp)
{
    UefiVarStorage *s = container_of(notifier, ModeNotifier,
                                     notifier)->storage;

    if (event->type == MIG_EVENT_PRECOPY_SETUP && colo_is_on()) {
        error_setg(errp, "uefi-vars: COLO cannot be used with a store that "
                   "is kept");
        return -ENOTSUP;
    }
    if (event->type == MIG_EVENT_PRECOPY_FAILED) {
        uefi_keeper_back(&s->keeper);
    }
    return 0;
}

/* The block layer closes all nodes before the exit. */
static void on_shutdown(Notifier *notifier, void *data)
{
    UefiVarStorage *s = container_of(notifier, UefiVarStorage, shutdown);

    if (s->blk) {
        wait_for_step(s);
        uefi_keeper_shutdown(&s->keeper);
    }
}

static void leave(UefiVarStorage *s)
{
    uefi_keeper_exit(&s->keeper);
    if (s->failure && !s->reported) {
        report(s);
    }
}

static void on_exit_of_qemu(Notifier *notifier, void *data)
{
    leave(container_of(notifier, UefiVarStorage, exit));
}

static void connect_machine(UefiVarStorage *s, DeviceState *dev)
{
    s->run_state = uefi_vars_add_run_state_handler(dev, on_run_state, s);
    for (int mode = 0; mode < MIG_MODE__MAX; mode++) {
        s->migration[mode].storage = s;
        migration_add_notifier_mode(&s->migration[mode].notifier,
                                    on_migration, mode);
    }
    s->shutdown.notify = on_shutdown;
    qemu_register_shutdown_notifier(&s->shutdown);
    s->exit.notify = on_exit_of_qemu;
    qemu_add_exit_notifier(&s->exit);
}

/* ------------------------------------------------------------------------ */
/* Life */

/* Mistakes with the name show at once, not only when the machine is here. */
static bool probe(UefiVarStorage *s, GError **err)
{
    g_autoptr(GError) local = NULL;
    g_autoptr(UefiVarFile) file = on_open(s, false, &local);

    if (local) {
        g_propagate_error(err, g_steal_pointer(&local));
        return false;
    }
    return true;
}

static bool start(UefiVarStorage *s, GError **err)
{
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
    g_auto(UefiVarContent) content = { };

    if (!uefi_keeper_start(&s->keeper, &content, err) ||
        !load_content(s, s->service, &content, warnings, err)) {
        return false;
    }
    if (content.torn > 0) {
        warn_report("uefi-vars: %s: %zu bytes at the end are a write that was "
                    "interrupted, and passed over", s->name, content.torn);
    }
    for (guint i = 0; i < warnings->len; i++) {
        warn_report("uefi-vars: %s: %s", s->name,
                    (char *)g_ptr_array_index(warnings, i));
    }
    if (s->file.unlockable) {
        warn_report("uefi-vars: %s: the file system has no locks; nothing "
                    "keeps a second user of the file away", s->name);
    }
    trace_uefi_vars_load(s->name, content.records->len,
                         s->ops->journal_size(s->medium));
    return true;
}

static void storage_free(UefiVarStorage *s)
{
    if (s->ops) {
        uefi_keeper_clear(&s->keeper);
    }
    g_clear_pointer(&s->slots, uefi_var_slots_free);
    g_clear_pointer(&s->timer, timer_free);
    g_clear_pointer(&s->report_later, timer_free);
    g_free(s->failure);
    g_free(s->name);
    g_free(s);
}

static void use_file(UefiVarStorage *s, const char *jsonfile)
{
    s->name = g_strdup(jsonfile);
    s->limit = MAX(UEFI_VAR_FILE_LIMIT,
                   (size_t)s->service->config.limits.nv_size * FILE_FACTOR);
    s->file.open = on_open;
    s->file.open_opaque = s;
    s->ops = &uefi_var_file_medium_ops;
    s->medium = &s->file;
}

static bool use_node(UefiVarStorage *s, BlockBackend *blk, Error **errp)
{
    size_t max = (size_t)s->service->config.limits.nv_size * UEFI_TEXT_FACTOR;

    s->blk = blk;
    s->slots = uefi_vars_blk_open(blk, max, errp);
    if (!s->slots) {
        return false;
    }
    s->name = g_strdup(bdrv_get_device_or_node_name(blk_bs(blk)));
    s->ops = &uefi_var_slots_medium_ops;
    s->medium = s->slots;
    return true;
}

static bool begin(UefiVarStorage *s, GError **err)
{
    if (!runstate_check(RUN_STATE_INMIGRATE)) {
        return start(s, err);
    }
    return s->blk || probe(s, err);
}

UefiVarStorage *uefi_vars_storage_new(const char *jsonfile, BlockBackend *blk,
                                      UefiVarService *service,
                                      DeviceState *dev, Error **errp)
{
    UefiVarStorage *s = g_new0(UefiVarStorage, 1);
    g_autoptr(GError) err = NULL;

    s->service = service;
    if (!blk) {
        use_file(s, jsonfile);
    } else if (!use_node(s, blk, errp)) {
        storage_free(s);
        return NULL;
    }
    s->timer = timer_new_ms(QEMU_CLOCK_REALTIME, on_timer, s);
    s->report_later = timer_new_ms(QEMU_CLOCK_REALTIME, report, s);
    uefi_keeper_init(&s->keeper, blk ? &blk_host : &file_host, s, s->ops,
                     s->medium);
    if (!begin(s, &err)) {
        error_setg(errp, "uefi-vars: %s", err->message);
        storage_free(s);
        return NULL;
    }
    connect_machine(s, dev);
    return s;
}

void uefi_vars_storage_free(UefiVarStorage *s)
{
    if (!s) {
        return;
    }
    leave(s);
    notifier_remove(&s->shutdown);
    qemu_remove_exit_notifier(&s->exit);
    for (int mode = 0; mode < MIG_MODE__MAX; mode++) {
        migration_remove_notifier(&s->migration[mode].notifier);
    }
    qemu_del_vm_change_state_handler(s->run_state);
    storage_free(s);
}
