/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: the keeper of a store
 *
 * Who owns the medium, when it is written, and what happens when that fails.
 */

#include "qemu/osdep.h"
#include "hw/uefi/var-service-keeper.h"

#define IDLE_MS     1000    /* without writes, then a fold may begin */
#define STEP_MS     20      /* between the steps of a fold */
#define RETRY_MS    30000   /* after a failure */

/* A mark that no state has: the content is not relied on */
#define NO_MARK     "-"

const char *uefi_keeper_state_name(UefiKeeperState state)
{
    static const char *const names[UEFI_KEEPER__MAX] = {
        [UEFI_KEEPER_WAITING] = "waiting",
        [UEFI_KEEPER_AWAY] = "away",
        [UEFI_KEEPER_UNTAKEN] = "untaken",
        [UEFI_KEEPER_BEHIND] = "behind",
        [UEFI_KEEPER_CLEAN] = "clean",
        [UEFI_KEEPER_FOLDING] = "folding",
    };

    return names[state];
}

static bool G_GNUC_PRINTF(3, 4) refuse(GError **err, UefiVarFileError code,
                                       const char *fmt, ...)
{
    va_list ap;

    if (err) {
        va_start(ap, fmt);
        *err = g_error_new_valist(UEFI_VAR_FILE_ERROR, code, fmt, ap);
        va_end(ap);
    }
    return false;
}

static int64_t now(const UefiKeeper *k)
{
    return k->host->now(k->host_opaque);
}

/* ------------------------------------------------------------------------ */
/* Success, failure and the next tick */

static void failed(UefiKeeper *k, const GError *err, UefiKeeperAsker asker)
{
    if (k->overtaken) {
        return;
    }
    k->failing = true;
    k->retry_at = now(k) + RETRY_MS;
    k->host->failed(k->host_opaque, err, asker);
}

static void worked(UefiKeeper *k)
{
    k->retry_at = 0;
    if (k->failing) {
        k->failing = false;
        k->host->worked(k->host_opaque);
    }
}

static int64_t next_fold(const UefiKeeper *k)
{
    switch (k->medium->fold_need(k->medium_opaque)) {
    case UEFI_FOLD_NOW:
        return MAX(k->retry_at, 0);
    case UEFI_FOLD_WHEN_IDLE:
        return MAX(k->retry_at, k->idle_at);
    default:
        return -1;
    }
}

/* Every event ends here: whatever is due has its tick. */
static void arm(UefiKeeper *k)
{
    int64_t when = -1;

    if (!k->running) {
        switch (k->state) {
        case UEFI_KEEPER_UNTAKEN:
        case UEFI_KEEPER_BEHIND:
            when = k->retry_at;
            break;
        case UEFI_KEEPER_CLEAN:
            when = next_fold(k);
            break;
        case UEFI_KEEPER_FOLDING:
            when = MAX(k->retry_at, k->step_at);
            break;
        default:
            break;
        }
    }
    k->host->alarm(k->host_opaque, when);
}

/*
 * While the medium waits for its disk it may let things happen.  The event that
 * is under way comes to its end all the same, and sees to what they ask for.
 */
static bool begin(UefiKeeper *k)
{
    bool idle = !k->busy;

    k->busy = true;
    return idle;
}

static void end(UefiKeeper *k)
{
    k->busy = k->overtaken = false;
    arm(k);
}

/* The medium has everything; it may be about to fold. */
static void set_clean(UefiKeeper *k)
{
    k->changed = false;
    k->state = k->medium->fold_pending(k->medium_opaque)
               ? UEFI_KEEPER_FOLDING : UEFI_KEEPER_CLEAN;
}

static void set_taken(UefiKeeper *k)
{
    if (k->changed) {
        k->state = UEFI_KEEPER_BEHIND;
    } else {
        set_clean(k);
    }
}

static void set_mark(UefiKeeper *k, const char *mark, UefiVarFileAge then)
{
    char *copy = g_strdup(mark);

    g_free(k->mark);
    k->mark = copy;
    k->then = then;
}

/* ------------------------------------------------------------------------ */
/* The medium, taken and given */

static void give(UefiKeeper *k)
{
    if (k->taken || k->busy) {
        k->medium->give(k->medium_opaque);
        k->taken = false;
    }
    uefi_var_content_clear(&k->old);
}

/*
 * Whether somebody else has gone on from the state that we have.  What was
 * something else before it was ours is a store of its own, or an older state.
 */
static bool moved_on(const UefiKeeper *k, UefiVarFileAge age)
{
    return (k->then == UEFI_FILE_SAME && age != UEFI_FILE_SAME) ||
           (k->then == UEFI_FILE_UNREADABLE && age == UEFI_FILE_AHEAD);
}

static bool is_blank(const UefiVarContent *content)
{
    return !content->document && content->records->len == 0;
}

static bool take(UefiKeeper *k, GError **err)
{
    const char *mark = k->mark ?: NO_MARK;

    uefi_var_content_clear(&k->old);
    if (!k->medium->take(k->medium_opaque, mark, &k->old, err)) {
        return false;
    }
    k->taken = true;
    if (!is_blank(&k->old) && moved_on(k, k->old.age)) {
        give(k);
        return refuse(err, UEFI_VAR_FILE_ERROR_CHANGED,
                      "it has changes that were made elsewhere since this "
                      "machine had it; move it away to keep the variables of "
                      "this machine instead");
    }
    k->changed |= k->old.age != UEFI_FILE_SAME;
    if (k->old.age == UEFI_FILE_SAME || is_blank(&k->old)) {
        uefi_var_content_clear(&k->old);
    }
    set_taken(k);
    if (k->state != UEFI_KEEPER_BEHIND) {
        worked(k);
    }
    return true;
}

/* What is no store is not written over, and perhaps not ours. */
static bool check_old(UefiKeeper *k, GError **err)
{
    if (k->old.records && !k->host->check(k->host_opaque, &k->old, err)) {
        give(k);
        k->state = UEFI_KEEPER_UNTAKEN;
        return false;
    }
    uefi_var_content_clear(&k->old);
    return true;
}

/* ------------------------------------------------------------------------ */
/* Folds */

static bool plan_fold(UefiKeeper *k, GError **err)
{
    g_autofree char *document = NULL;

    if (!check_old(k, err)) {
        return false;
    }
    document = k->host->document(k->host_opaque);
    if (!k->medium->plan_fold(k->medium_opaque, document, strlen(document),
                              err)) {
        return false;
    }
    k->whole = true;
    k->changed = false;
    return true;
}

static bool plan_step(UefiKeeper *k, GError **err)
{
    k->whole = false;
    return k->medium->plan_step(k->medium_opaque, err);
}

static bool finish(UefiKeeper *k, GError **err)
{
    bool behind = k->state == UEFI_KEEPER_BEHIND;

    if (!k->medium->finish(k->medium_opaque, err)) {
        k->changed |= behind && k->whole;
        return false;
    }
    k->refused &= !k->whole;
    if (k->state >= UEFI_KEEPER_BEHIND) {
        set_taken(k);
    }
    if (behind && !k->changed) {
        worked(k);
    }
    k->retry_at = 0;
    k->step_at = now(k) + STEP_MS;
    return true;
}

/* Only what is not durable otherwise is worth a report. */
static void fold_failed(UefiKeeper *k, const GError *err)
{
    if (k->overtaken) {
        return;
    }
    k->retry_at = now(k) + RETRY_MS;
    if (k->state <= UEFI_KEEPER_BEHIND) {
        failed(k, err, UEFI_KEEPER_NOBODY);
    }
}

/* A step that is under way is seen to its end before anything else. */
static void join(UefiKeeper *k)
{
    g_autoptr(GError) err = NULL;

    if (k->running) {
        k->host->join(k->host_opaque);
        k->running = false;
        if (!finish(k, &err) && k->state >= UEFI_KEEPER_BEHIND) {
            fold_failed(k, err);
        }
    }
}

/* Leave what has been planned to another thread */
static void run_elsewhere(UefiKeeper *k)
{
    k->running = true;
    k->host->run(k->host_opaque);
}

static bool run_here(UefiKeeper *k, GError **err)
{
    k->medium->run(k->medium_opaque);
    return finish(k, err);
}

/* What the medium lacks becomes durable, which is one step of a fold. */
static bool settle(UefiKeeper *k, GError **err)
{
    return k->state != UEFI_KEEPER_BEHIND ||
           (plan_fold(k, err) && run_here(k, err));
}

static bool fold(UefiKeeper *k, GError **err)
{
    bool ok = plan_fold(k, err) && run_here(k, err);

    while (ok && k->medium->fold_pending(k->medium_opaque)) {
        ok = plan_step(k, err) && run_here(k, err);
    }
    return ok;
}

/* ------------------------------------------------------------------------ */
/* Events */

bool uefi_keeper_start(UefiKeeper *k, UefiVarContent *content, GError **err)
{
    if (!k->medium->take(k->medium_opaque, NULL, content, err)) {
        return false;
    }
    k->taken = true;
    set_clean(k);
    arm(k);
    return true;
}

/* The machine is here: so should be the medium. */
static void arrive(UefiKeeper *k)
{
    if (k->state == UEFI_KEEPER_WAITING || k->state == UEFI_KEEPER_AWAY) {
        k->state = UEFI_KEEPER_UNTAKEN;
        k->retry_at = 0;
        if (k->taken) {
            set_taken(k);
        }
    }
}

void uefi_keeper_run(UefiKeeper *k)
{
    g_autoptr(GError) err = NULL;

    arrive(k);
    if (!begin(k)) {
        return;
    }
    if (k->state == UEFI_KEEPER_UNTAKEN && !take(k, &err)) {
        failed(k, err, UEFI_KEEPER_NOBODY);
    }
    end(k);
}

void uefi_keeper_stop(UefiKeeper *k)
{
    g_autoptr(GError) err = NULL;

    if (!begin(k)) {
        return;
    }
    if (k->state == UEFI_KEEPER_BEHIND) {
        join(k);
        if (!settle(k, &err)) {
            failed(k, err, UEFI_KEEPER_NOBODY);
        }
    }
    end(k);
}

void uefi_keeper_leave(UefiKeeper *k)
{
    join(k);
    if (k->refused && k->state > UEFI_KEEPER_BEHIND) {
        k->changed = true;
        k->state = UEFI_KEEPER_BEHIND;
    }
    /* Where this fails the state arrives all the same, as it is sent. */
    settle(k, NULL);
    if (k->taken) {
        set_mark(k, k->medium->mark(k->medium_opaque),
                 k->refused ? UEFI_FILE_OTHER : UEFI_FILE_SAME);
    }
    give(k);
    if (k->state != UEFI_KEEPER_WAITING) {
        k->state = UEFI_KEEPER_AWAY;
    }
    arm(k);
}

void uefi_keeper_back(UefiKeeper *k)
{
    if (k->state == UEFI_KEEPER_AWAY) {
        k->state = UEFI_KEEPER_UNTAKEN;
        k->retry_at = now(k) + RETRY_MS;
    }
    arm(k);
}

void uefi_keeper_loaded(UefiKeeper *k, const char *mark)
{
    if (k->medium->reverts) {
        join(k);
        give(k);
        k->overtaken = k->busy;
    }
    k->state = UEFI_KEEPER_WAITING;
    if (k->taken) {
        k->changed = !mark ||
                     strcmp(mark, k->medium->mark(k->medium_opaque));
        uefi_var_content_clear(&k->old);
    } else {
        k->changed = !mark;
        set_mark(k, mark, mark ? k->medium->look(k->medium_opaque, mark)
                               : UEFI_FILE_OTHER);
    }
    arm(k);
}

/* Takes the medium and brings it up to date, as far as that is due */
static bool make_ready(UefiKeeper *k, GError **err)
{
    join(k);
    if (k->overtaken) {
        return refuse(err, UEFI_VAR_FILE_ERROR_CHANGED,
                      "the machine has become another one");
    }
    return (k->state != UEFI_KEEPER_UNTAKEN || take(k, err)) &&
           settle(k, err);
}

static bool append(UefiKeeper *k, const char *record, size_t len,
                   GError **err)
{
    g_autoptr(GError) local = NULL;

    if (k->medium->append(k->medium_opaque, record, len, &local)) {
        return true;
    }
    if (!g_error_matches(local, UEFI_VAR_FILE_ERROR,
                         UEFI_VAR_FILE_ERROR_LONG)) {
        g_propagate_error(err, g_steal_pointer(&local));
        return false;
    }
    return fold(k, err) &&
           k->medium->append(k->medium_opaque, record, len, err);
}

bool uefi_keeper_save(UefiKeeper *k, const char *record, size_t len,
                      bool running, GError **err)
{
    g_autoptr(GError) local = NULL;

    if (k->state == UEFI_KEEPER_AWAY) {
        return refuse(err, UEFI_VAR_FILE_ERROR_LOCKED,
                      "the machine has been migrated away");
    }
    if (k->state == UEFI_KEEPER_WAITING && !running) {
        /* A reset while the machine waits; the medium follows later. */
        k->changed = true;
        return true;
    }
    if (!begin(k)) {
        return refuse(err, UEFI_VAR_FILE_ERROR_LOCKED,
                      "another write is under way");
    }
    arrive(k);
    if (make_ready(k, &local) && append(k, record, len, &local)) {
        k->refused = false;
        set_clean(k);
        worked(k);
        k->idle_at = now(k) + IDLE_MS;
        end(k);
        return true;
    }
    k->refused = k->taken;
    failed(k, local, UEFI_KEEPER_GUEST);
    end(k);
    g_propagate_error(err, g_steal_pointer(&local));
    return false;
}

void uefi_keeper_unsaved(UefiKeeper *k)
{
    k->changed = true;
    if (k->state > UEFI_KEEPER_BEHIND) {
        k->state = UEFI_KEEPER_BEHIND;
    }
    arm(k);
}

static void tick(UefiKeeper *k)
{
    g_autoptr(GError) err = NULL;
    bool planned;

    if (k->state == UEFI_KEEPER_UNTAKEN) {
        if (!take(k, &err)) {
            failed(k, err, UEFI_KEEPER_NOBODY);
        }
        return;
    }
    if (k->state < UEFI_KEEPER_BEHIND ||
        (k->state == UEFI_KEEPER_CLEAN && next_fold(k) < 0)) {
        return;
    }
    planned = k->state == UEFI_KEEPER_FOLDING ? plan_step(k, &err)
                                              : plan_fold(k, &err);
    if (planned) {
        run_elsewhere(k);
    } else {
        fold_failed(k, err);
    }
}

void uefi_keeper_tick(UefiKeeper *k)
{
    if (!begin(k)) {
        return;
    }
    if (!k->running) {
        tick(k);
    }
    end(k);
}

void uefi_keeper_ran(UefiKeeper *k)
{
    join(k);
    arm(k);
}

static bool has_all(const UefiKeeper *k)
{
    return k->state == UEFI_KEEPER_WAITING || k->state == UEFI_KEEPER_AWAY ||
           (k->state > UEFI_KEEPER_BEHIND &&
            k->medium->journal_size(k->medium_opaque) == 0) ||
           (k->state == UEFI_KEEPER_UNTAKEN && !k->changed &&
            k->then == UEFI_FILE_SAME);
}

void uefi_keeper_shutdown(UefiKeeper *k)
{
    g_autoptr(GError) err = NULL;

    if (!begin(k)) {
        return;
    }
    if (k->state <= UEFI_KEEPER_BEHIND && !has_all(k) &&
        !make_ready(k, &err)) {
        failed(k, err, UEFI_KEEPER_NOBODY);
    }
    end(k);
}

void uefi_keeper_exit(UefiKeeper *k)
{
    g_autoptr(GError) err = NULL;

    if (!begin(k)) {
        return;
    }
    join(k);
    if (!has_all(k) &&
        !((k->state != UEFI_KEEPER_UNTAKEN || take(k, &err)) &&
          fold(k, &err)) && k->state <= UEFI_KEEPER_BEHIND) {
        failed(k, err, UEFI_KEEPER_NOBODY);
    }
    give(k);
    k->state = UEFI_KEEPER_AWAY;
    end(k);
}

const char *uefi_keeper_mark(const UefiKeeper *k)
{
    if (k->changed || k->busy || k->state == UEFI_KEEPER_BEHIND) {
        return NULL;
    }
    return k->taken ? k->medium->mark(k->medium_opaque) : k->mark;
}

void uefi_keeper_init(UefiKeeper *k, const UefiKeeperHost *host,
                      void *host_opaque, const UefiVarMediumOps *medium,
                      void *medium_opaque)
{
    *k = (UefiKeeper) {
        .state = UEFI_KEEPER_WAITING,
        .host = host,
        .host_opaque = host_opaque,
        .medium = medium,
        .medium_opaque = medium_opaque,
        .then = UEFI_FILE_OTHER,
    };
}

void uefi_keeper_clear(UefiKeeper *k)
{
    give(k);
    g_clear_pointer(&k->mark, g_free);
}
