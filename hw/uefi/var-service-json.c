/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: the JSON parser of QEMU
 *
 * The schema is qapi/uefi.json.  Visitors refuse members that it does not
 * have; as other programs may add their own, those are dropped before.
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qapi/qobject-input-visitor.h"
#include "qobject/qdict.h"
#include "qobject/qjson.h"
#include "qobject/qlist.h"
#include "qobject/qnum.h"
#include "hw/uefi/var-service-qapi.h"
#include "hw/uefi/var-service-text.h"

static bool propagate(GError **err, Error *local)
{
    uefi_text_fail(err, "%s", error_get_pretty(local));
    error_free(local);
    return false;
}

static void drop_unknown(QDict *dict, UefiTextObject kind, const char *where,
                         GPtrArray *warnings)
{
    const QDictEntry *next, *entry;

    for (entry = qdict_first(dict); entry; entry = next) {
        next = qdict_next(dict, entry);
        if (!uefi_text_knows(kind, qdict_entry_key(entry), where, warnings)) {
            qdict_del(dict, qdict_entry_key(entry));
        }
    }
}

static void drop_unknown_in_list(QDict *root, const char *key,
                                 GPtrArray *warnings)
{
    QList *list = qobject_to(QList, qdict_get(root, key));
    const QListEntry *entry;
    unsigned i = 0;

    if (!list) {
        return;
    }
    QLIST_FOREACH_ENTRY(list, entry) {
        g_autofree char *where = g_strdup_printf("%s[%u]", key, i++);
        QDict *dict = qobject_to(QDict, qlist_entry_obj(entry));

        if (dict) {
            drop_unknown(dict, UEFI_TEXT_VARIABLE, where, warnings);
        }
    }
}

/* First of all: what else is wrong may well be right in another version. */
static bool check_version(const QDict *root, GError **err)
{
    QNum *number = qobject_to(QNum, qdict_get(root, "version"));
    int64_t version;

    return !number || !qnum_get_try_int(number, &version) ||
           uefi_text_check_version(version, err);
}

static GPtrArray *take_entries(const UefiStoredVariableList *list)
{
    GPtrArray *entries =
        g_ptr_array_new_with_free_func((GDestroyNotify)uefi_text_entry_free);

    for (; list; list = list->next) {
        const UefiStoredVariable *var = list->value;
        UefiTextEntry *entry = g_new0(UefiTextEntry, 1);

        entry->name = g_strdup(var->name);
        entry->guid = g_strdup(var->guid);
        entry->has_attr = var->has_attr;
        entry->attr = var->attr;
        entry->data = g_strdup(var->data);
        entry->time = g_strdup(var->time);
        entry->timestamp = g_strdup(var->timestamp);
        entry->digest = g_strdup(var->digest);
        g_ptr_array_add(entries, entry);
    }
    return entries;
}

static GPtrArray *visit_change(Visitor *v, GError **err)
{
    g_autoptr(UefiStoredChange) change = NULL;
    Error *local = NULL;

    if (!visit_type_UefiStoredChange(v, NULL, &change, &local)) {
        propagate(err, local);
        return NULL;
    }
    return take_entries(change->change);
}

static GPtrArray *visit_document(Visitor *v, GError **err)
{
    g_autoptr(UefiStoredDocument) document = NULL;
    Error *local = NULL;

    if (!visit_type_UefiStoredDocument(v, NULL, &document, &local)) {
        propagate(err, local);
        return NULL;
    }
    return take_entries(document->variables);
}

GPtrArray *uefi_json_parse(const char *json, UefiTextObject kind,
                           GPtrArray *warnings, GError **err)
{
    Error *local = NULL;
    QObject *obj = qobject_from_json(json, &local);
    g_autoptr(QDict) root = qobject_to(QDict, obj);
    Visitor *v;
    GPtrArray *entries;

    if (!obj) {
        propagate(err, local);
        return NULL;
    }
    if (!root) {
        qobject_unref(obj);
        uefi_text_fail(err, "not a JSON object");
        return NULL;
    }
    if (!check_version(root, err)) {
        return NULL;
    }
    drop_unknown(root, kind, "", warnings);
    drop_unknown_in_list(root, kind == UEFI_TEXT_CHANGE ? "change"
                                                        : "variables",
                         warnings);
    v = qobject_input_visitor_new(QOBJECT(root));
    entries = kind == UEFI_TEXT_CHANGE ? visit_change(v, err)
                                       : visit_document(v, err);
    visit_free(v);
    return entries;
}
