/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: as a module of a QEMU whose schema does not have it
 *
 * Commands are added to the monitor's list when the module is loaded; events
 * go out under the number of another one, as theirs is not known.  That one
 * has no rate limit: the one of qapi/uefi.json is applied here.
 */

#include "qemu/osdep.h"
#include "qapi/qapi-emit-events.h"
#include "qapi/qmp-registry.h"
#include "qemu/module.h"
#include "qemu/timer.h"
#include "qobject/qdict.h"
#include "monitor/monitor-internal.h"
#include "system/qtest.h"
#include "uefi-vars-qapi-emit-events.h"
#include "uefi-vars-qapi-init-commands.h"

#define EVENT_MS    1000    /* between two events of one variable */

/* ------------------------------------------------------------------------ */
/* Events */

/* A variable of which managers have been told within the last EVENT_MS */
typedef struct RecentEvent {
    char *name;             /* of the variable, owned */
    QDict *next;            /* the event to be sent then, owned; or NULL */
    QEMUTimer *timer;
} RecentEvent;

/* The process has one monitor, and a few variables of which it is told. */
static GHashTable *recent_events;

static QEMUClockType event_clock(void)
{
    return qtest_enabled() ? QEMU_CLOCK_VIRTUAL : QEMU_CLOCK_REALTIME;
}

static void emit(QDict *event)
{
    /* One that neither is limited nor makes the monitor do more than send it */
    qapi_event_emit(QAPI_EVENT_RESUME, event);
}

static void recent_event_free(gpointer opaque)
{
    RecentEvent *recent = opaque;

    timer_free(recent->timer);
    g_free(recent->name);
    g_free(recent);
}

static void start_waiting(RecentEvent *recent)
{
    timer_mod(recent->timer, qemu_clock_get_ms(event_clock()) + EVENT_MS);
}

static void on_waited(void *opaque)
{
    RecentEvent *recent = opaque;
    g_autoptr(QDict) event = g_steal_pointer(&recent->next);

    if (event) {
        emit(event);
        start_waiting(recent);
    } else {
        g_hash_table_remove(recent_events, recent->name);
    }
}

static void emit_limited(QDict *event)
{
    const char *name = qdict_get_str(qdict_get_qdict(event, "data"), "name");
    RecentEvent *recent;

    if (!recent_events) {
        recent_events = g_hash_table_new_full(g_str_hash, g_str_equal, NULL,
                                              recent_event_free);
    }
    recent = g_hash_table_lookup(recent_events, name);
    if (recent) {
        qobject_unref(recent->next);
        recent->next = qobject_ref(event);
        return;
    }
    recent = g_new0(RecentEvent, 1);
    recent->name = g_strdup(name);
    recent->timer = timer_new_ms(event_clock(), on_waited, recent);
    g_hash_table_insert(recent_events, recent->name, recent);
    emit(event);
    start_waiting(recent);
}

void uefi_vars_qapi_event_emit(uefi_vars_QAPIEvent event, QDict *qdict)
{
    if (event == UEFI_VARS_QAPI_EVENT_UEFI_VARS_CHANGED) {
        emit_limited(qdict);
    } else {
        emit(qdict);
    }
}

/* ------------------------------------------------------------------------ */
/* Commands */

static void uefi_vars_register_commands(void)
{
    QmpCommandList ours;
    QmpCommand *cmd, *next;

    /* The generated function wants a list of its own. */
    uefi_vars_qmp_init_marshal(&ours);
    QTAILQ_FOREACH_SAFE(cmd, &ours, node, next) {
        qmp_register_command(&qmp_commands, cmd->name, cmd->fn, cmd->options,
                             cmd->features);
        g_free(cmd);
    }
}

type_init(uefi_vars_register_commands)
