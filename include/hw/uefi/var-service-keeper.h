/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: the keeper of a store
 *
 * Decides who owns the medium, when it is written, and what happens when that
 * fails.  It is a machine of states and events, which docs/devel/uefi-vars.rst
 * has as a table; clock, medium and texts are given to it.
 */

#ifndef HW_UEFI_VAR_SERVICE_KEEPER_H
#define HW_UEFI_VAR_SERVICE_KEEPER_H

#include "hw/uefi/var-service-medium.h"

typedef enum UefiKeeperState {
    UEFI_KEEPER_WAITING,    /* for the machine to run with what it loads */
    UEFI_KEEPER_AWAY,       /* the machine has been sent to somebody else */
    UEFI_KEEPER_UNTAKEN,    /* the machine is here, the medium not yet ours */
    UEFI_KEEPER_BEHIND,     /* the medium is ours, and lacks something */
    UEFI_KEEPER_CLEAN,      /* it says what the store says */
    UEFI_KEEPER_FOLDING,    /* the same, and a fold is under way */
    UEFI_KEEPER__MAX
} UefiKeeperState;

const char *uefi_keeper_state_name(UefiKeeperState state);

/* Who hears of a failure, beside the administrator */
typedef enum UefiKeeperAsker {
    UEFI_KEEPER_NOBODY,     /* it is tried again, or was the last attempt */
    UEFI_KEEPER_GUEST,      /* or whoever else asked for a write */
} UefiKeeperAsker;

/**
 * UefiKeeperHost: what the keeper asks of its surroundings
 *
 * Nothing here may call the keeper back.
 */
typedef struct UefiKeeperHost {
    int64_t (*now)(void *opaque);               /* ms */
    /* uefi_keeper_tick() is to be called at @when, ms; negative: not at all */
    void (*alarm)(void *opaque, int64_t when);
    /* The store as it is now, as a document; the keeper frees it */
    char *(*document)(void *opaque);
    /* Whether @content, which is about to be written over, is a store */
    bool (*check)(void *opaque, const UefiVarContent *content, GError **err);
    /*
     * Call the medium's run(), in another thread, and uefi_keeper_ran() when
     * it has returned; @join waits until it has, or calls it.
     */
    void (*run)(void *opaque);
    void (*join)(void *opaque);
    /* Nothing can be saved, or @asker has been told so; and no longer so */
    void (*failed)(void *opaque, const GError *err, UefiKeeperAsker asker);
    void (*worked)(void *opaque);
} UefiKeeperHost;

typedef struct UefiKeeper {
    UefiKeeperState state;
    const UefiKeeperHost *host;
    void *host_opaque;
    const UefiVarMediumOps *medium;
    void *medium_opaque;

    bool taken;             /* the medium is ours */
    bool changed;           /* the store is not what the medium says */
    bool refused;           /* and may hold a record that was not saved */
    char *mark;             /* of the state that came, or that was given */
    UefiVarFileAge then;    /* what the medium held when that happened */
    UefiVarContent old;     /* of another store, to be checked and replaced */
    bool running;           /* a step of a fold is with host->run() */
    bool whole;             /* it makes up for what had changed */
    bool failing;           /* host->failed() has not been taken back */
    bool busy;              /* an event is under way, */
    bool overtaken;         /* and the machine has been loaded meanwhile */
    int64_t idle_at;        /* ms: the machine counts as idle */
    int64_t step_at;        /* ms: the next step of a fold */
    int64_t retry_at;       /* ms: not before, after a failure */
} UefiKeeper;

/**
 * uefi_keeper_init: begin to wait for the machine
 *
 * Nothing is touched yet.
 */
void uefi_keeper_init(UefiKeeper *k, const UefiKeeperHost *host,
                      void *host_opaque, const UefiVarMediumOps *medium,
                      void *medium_opaque);
void uefi_keeper_clear(UefiKeeper *k);

/**
 * uefi_keeper_start: the machine begins here, with what the medium says
 *
 * @content is what the store is to be made of.  Where that fails the keeper is
 * to be cleared.
 */
bool uefi_keeper_start(UefiKeeper *k, UefiVarContent *content, GError **err);

/* Events */

/** uefi_keeper_run: the machine runs here from now on, or again */
void uefi_keeper_run(UefiKeeper *k);

/** uefi_keeper_stop: it does not run for now */
void uefi_keeper_stop(UefiKeeper *k);

/** uefi_keeper_leave: its state goes to somebody else, who will run it */
void uefi_keeper_leave(UefiKeeper *k);

/** uefi_keeper_back: it did not arrive there, and is ours again */
void uefi_keeper_back(UefiKeeper *k);

/**
 * uefi_keeper_loaded: the store has become that of a stream
 * @mark: what uefi_keeper_mark() was when it was sent, or NULL
 */
void uefi_keeper_loaded(UefiKeeper *k, const char *mark);

/**
 * uefi_keeper_save: make a change durable before it happens
 * @running: whether the machine runs
 *
 * On failure nothing has happened, and @err is set.
 */
bool uefi_keeper_save(UefiKeeper *k, const char *record, size_t len,
                      bool running, GError **err);

/** uefi_keeper_unsaved: the store changes although that could not be saved */
void uefi_keeper_unsaved(UefiKeeper *k);

/** uefi_keeper_tick: the time of the last alarm has come */
void uefi_keeper_tick(UefiKeeper *k);

/** uefi_keeper_ran: what host->run() was called for has been done */
void uefi_keeper_ran(UefiKeeper *k);

/**
 * uefi_keeper_shutdown: the machine is about to end, but may be kept
 *
 * A medium that will be gone at the exit gets what it lacks.
 */
void uefi_keeper_shutdown(UefiKeeper *k);

/**
 * uefi_keeper_exit: write what is due and let go of the medium
 *
 * What cannot be written is lost, which host->failed() is told.
 */
void uefi_keeper_exit(UefiKeeper *k);

/** uefi_keeper_mark: the state that the medium holds, or NULL */
const char *uefi_keeper_mark(const UefiKeeper *k);

#endif /* HW_UEFI_VAR_SERVICE_KEEPER_H */
