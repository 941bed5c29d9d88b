/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: what can be had of a damaged store of ours
 *
 * Of its document, what can be found.  Of its journal, the records up to the
 * first one that is damaged: what one behind that says may not be the last
 * word, so that none of them is taken, but all are named.
 */

#include "qemu/osdep.h"
#include "format.h"
#include "hw/uefi/var-service-journal.h"
#include "hw/uefi/var-service-text.h"

/* The names of the variables that a record would have changed */
static char *changed_names(const char *line, size_t size)
{
    g_autofree char *text = g_strndup(line, size);
    char *begin = strchr(text, '{'), *end = strrchr(text, '}');
    g_autoptr(GPtrArray) vars = NULL;
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);

    if (begin && end && end > begin) {
        end[1] = 0;
        vars = uefi_text_parse(begin, UEFI_TEXT_CHANGE, NULL, NULL);
    }
    for (guint i = 0; vars && i < vars->len; i++) {
        const UefiVariable *var = vars->pdata[i];

        g_ptr_array_add(names, uefi_str_print(var->name));
    }
    g_ptr_array_add(names, NULL);
    return g_strjoinv(", ", (char **)names->pdata);
}

/* Name the records from @at on, none of which has been taken. */
static void name_records(ToolTransfer *t, const char *data, size_t size,
                         size_t at)
{
    while (at < size) {
        const char *end = memchr(data + at, '\n', size - at);
        size_t next = end ? end - data + 1 : size;
        g_autofree char *names = changed_names(data + at, next - at);

        if (uefi_journal_trimmed(data + at, next - at)) {
            tool_transfer_lost(t, at, NULL, *names
                               ? "a change of %s, which is as it was before"
                               : "a line that cannot be read", names);
        }
        at = next;
    }
}

/* The document is @size bytes at @at of @data, as it is in the file. */
static void add_document(ToolTransfer *t, const char *data, size_t at,
                         size_t size)
{
    g_autofree char *text = g_strndup(data + at, size);
    g_autoptr(GPtrArray) vars = NULL;

    if (strlen(text) == size && size) {
        vars = tool_uefivars_parse(t, text, NULL);
    }
    if (vars) {
        g_ptr_array_unref(t->vars);
        t->vars = g_steal_pointer(&vars);
    } else {
        tool_uefivars_rescue(t, data + at, size, at);
    }
}

/* Put @var, which is taken over, into the list; without a value it goes. */
static void apply(ToolTransfer *t, GTree *index, UefiVariable *var)
{
    guint place = GPOINTER_TO_UINT(g_tree_lookup(index, var));

    if (place) {
        g_tree_remove(index, var);
        g_clear_pointer((UefiVariable **)&t->vars->pdata[place - 1],
                        uefi_variable_free);
    }
    if (var->data) {
        g_ptr_array_add(t->vars, var);
        g_tree_insert(index, var, GUINT_TO_POINTER(t->vars->len));
    } else {
        uefi_variable_free(var);
    }
}

/* The places of the variables, from 1 on, of which the first counts */
static GTree *index_variables(ToolTransfer *t)
{
    GTree *index = g_tree_new_full(uefi_variable_compare, NULL, NULL, NULL);
    GPtrArray *vars = t->vars;

    t->vars = g_ptr_array_new_with_free_func(
        (GDestroyNotify)uefi_variable_free);
    for (guint i = 0; i < vars->len; i++) {
        UefiVariable *var = vars->pdata[i];

        if (g_tree_lookup(index, var)) {
            tool_transfer_lost_variable(t, var, "there is another one before "
                                        "it");
        } else {
            apply(t, index, g_steal_pointer(&vars->pdata[i]));
        }
    }
    g_ptr_array_unref(vars);
    return index;
}

/* Drop the places of variables that have been removed. */
static void close_up(ToolTransfer *t)
{
    guint count = 0;

    for (guint i = 0; i < t->vars->len; i++) {
        UefiVariable *var = g_steal_pointer(&t->vars->pdata[i]);

        if (var) {
            t->vars->pdata[count++] = var;
        }
    }
    g_ptr_array_set_size(t->vars, count);
}

static void add_records(ToolTransfer *t, const UefiJournal *j)
{
    g_autoptr(GTree) index = index_variables(t);

    for (guint i = 0; i < j->records->len; i++) {
        g_autoptr(GPtrArray) vars =
            uefi_text_parse(j->records->pdata[i], UEFI_TEXT_CHANGE, NULL,
                            NULL);

        for (guint k = 0; vars && k < vars->len; k++) {
            apply(t, index, g_steal_pointer(&vars->pdata[k]));
        }
        if (!vars) {
            g_ptr_array_add(t->lost, g_strdup_printf(
                "journal record %u: its text cannot be read", i + 1));
        }
    }
    close_up(t);
}

static UefiJournal read_journal(const char *data, size_t size, bool loose)
{
    UefiJournal j = {
        .loose = loose,
        .records = g_ptr_array_new_with_free_func(g_free),
    };

    uefi_journal_read(&j, data, size);
    return j;
}

static bool json_read(ToolTransfer *t, UefiMsg *in, GError **err)
{
    g_autofree char *data = g_malloc(in->size + 1);
    g_auto(UefiJournal) strict = { };
    g_auto(UefiJournal) j = { };

    if (!in->size) {
        return true;
    }
    memcpy(data, in->buf, in->size);
    data[in->size] = 0;
    strict = read_journal(data, in->size, false);
    /* what was zeroed ends no document; it parts lines, as between records */
    for (size_t i = 0; i < in->size; i++) {
        data[i] = data[i] ?: '\n';
    }
    j = read_journal(data, in->size, true);
    if (!tool_check_text(j.based ? j.document_len : in->size, err)) {
        return false;
    }
    if (!j.based) {
        tool_uefivars_rescue(t, (char *)in->buf, in->size, 0);
        return true;
    }
    if (j.records->len != strict.records->len) {
        tool_transfer_lost(t, j.document - data, NULL, "the document is not "
                           "as it was when its journal began; a value in it "
                           "may be old or wrong");
    }
    add_document(t, (char *)in->buf, j.document - data, j.document_len);
    add_records(t, &j);
    if (j.bad) {
        name_records(t, data, in->size, j.bad_at);
    }
    return true;
}

/* It is ours when it is in no other format. */
static bool never(UefiMsg *in)
{
    return false;
}

const ToolFormat tool_format_json = {
    .name = "json",
    .detect = never,
    .read = json_read,
};
