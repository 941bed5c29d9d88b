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

/* Bytes up to a line feed, or what it reads as when it was zeroed */
static size_t line_length(const char *text, size_t size)
{
    size_t length = 0;

    while (length < size && text[length] && text[length] != '\n') {
        length++;
    }
    return length;
}

/* Name the records from @at on, none of which has been taken. */
static void name_records(ToolTransfer *t, const char *data, size_t size,
                         size_t at)
{
    while (at < size) {
        size_t length = line_length(data + at, size - at);

        if (uefi_journal_trimmed(data + at, length)) {
            g_autofree char *names = changed_names(data + at, length);

            tool_transfer_lost(t, at, NULL, *names
                               ? "a change of %s, which is as it was before"
                               : "a line that cannot be read", names);
        }
        at += length + 1;
    }
}

/* The variables of a document that is not damaged, or NULL */
static GPtrArray *parse_document(ToolTransfer *t, const char *data,
                                 size_t size)
{
    g_autofree char *text = NULL;

    if (!size || memchr(data, 0, size)) {
        return NULL;
    }
    text = g_strndup(data, size);
    return tool_uefivars_parse(t, text, NULL);
}

/* The document is @size bytes at @at of @data, as it is in the file. */
static void add_document(ToolTransfer *t, const char *data, size_t at,
                         size_t size)
{
    g_autoptr(GPtrArray) vars = parse_document(t, data + at, size);

    if (vars) {
        g_ptr_array_unref(t->vars);
        t->vars = g_steal_pointer(&vars);
    } else {
        tool_uefivars_rescue(t, data + at, size, at);
    }
}

/*
 * Put @var, which is taken over, into the list; without a value it goes.
 * Returns false with @err set if no device has room for it.
 */
static bool apply(ToolTransfer *t, GTree *index, UefiVariable *var,
                  GError **err)
{
    guint place = GPOINTER_TO_UINT(g_tree_lookup(index, var));

    if (place) {
        UefiVariable **old = (UefiVariable **)&t->vars->pdata[place - 1];

        t->taken -= uefi_store_record_size((*old)->name,
                                           g_bytes_get_size((*old)->data));
        g_tree_remove(index, var);
        g_clear_pointer(old, uefi_variable_free);
    }
    if (!var->data || !tool_transfer_take(t, var->name,
                                          g_bytes_get_size(var->data), err)) {
        bool removal = !var->data;

        uefi_variable_free(var);
        return removal;
    }
    g_ptr_array_add(t->vars, var);
    g_tree_insert(index, var, GUINT_TO_POINTER(t->vars->len));
    return true;
}

/* The places of the variables, from 1 on, of which the first counts */
static GTree *index_variables(ToolTransfer *t)
{
    GTree *index = g_tree_new_full(uefi_variable_compare, NULL, NULL, NULL);
    g_autoptr(GPtrArray) vars = t->vars;
    g_autoptr(GError) err = NULL;

    t->taken = 0;
    t->vars = g_ptr_array_new_with_free_func(
        (GDestroyNotify)uefi_variable_free);
    for (guint i = 0; i < vars->len && !err; i++) {
        UefiVariable *var = vars->pdata[i];

        if (g_tree_lookup(index, var)) {
            tool_transfer_lost_variable(t, var, "there is another one before "
                                        "it");
        } else if (!apply(t, index, g_steal_pointer(&vars->pdata[i]), &err)) {
            tool_add_line(t->lost, g_strdup(err->message));
        }
    }
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

/* Whether all of a record could be taken, which is freed */
static bool add_record(ToolTransfer *t, GTree *index, char *record,
                       GError **err)
{
    g_autofree char *text = record;
    g_autoptr(GPtrArray) vars = NULL;

    if (!tool_check_text(strlen(text), err)) {
        return false;
    }
    vars = uefi_text_parse(text, UEFI_TEXT_CHANGE, NULL, NULL);
    for (guint i = 0; vars && i < vars->len; i++) {
        if (!apply(t, index, g_steal_pointer(&vars->pdata[i]), err)) {
            return false;
        }
    }
    return vars || uefi_text_fail(err, "its text cannot be read");
}

static void add_records(ToolTransfer *t, UefiJournal *j)
{
    g_autoptr(GTree) index = index_variables(t);

    for (guint i = 0; i < j->records->len; i++) {
        g_autoptr(GError) err = NULL;

        if (!add_record(t, index, g_steal_pointer(&j->records->pdata[i]),
                        &err)) {
            tool_add_line(t->lost, g_strdup_printf("journal record %u: %s",
                                                   i + 1, err->message));
        }
    }
    close_up(t);
}

/* What it points to is in @in. */
static UefiJournal read_journal(const UefiMsg *in, bool loose)
{
    g_autofree char *data = g_malloc(in->size + 1);
    UefiJournal j = {
        .loose = loose,
        .records = g_ptr_array_new_with_free_func(g_free),
    };

    memcpy(data, in->buf, in->size);
    data[in->size] = 0;
    /* what was zeroed ends no document; it parts lines, as between records */
    for (size_t i = 0; loose && i < in->size; i++) {
        data[i] = data[i] ?: '\n';
    }
    uefi_journal_read(&j, data, in->size);
    if (j.based) {
        j.document = (const char *)in->buf + (j.document - data);
    }
    return j;
}

/* The records are not kept: to parse a document takes a multiple of it. */
static bool find_document(const UefiMsg *in, bool loose, size_t *at,
                          size_t *size, guint *records)
{
    g_auto(UefiJournal) j = read_journal(in, loose);

    *at = j.based ? j.document - (const char *)in->buf : 0;
    *size = j.based ? j.document_len : in->size;
    *records = j.records->len;
    return j.based;
}

static void add_journal(ToolTransfer *t, const UefiMsg *in)
{
    g_auto(UefiJournal) j = read_journal(in, true);

    add_records(t, &j);
    if (j.bad) {
        name_records(t, (const char *)in->buf, in->size, j.bad_at);
    }
}

static bool json_read(ToolTransfer *t, UefiMsg *in, GError **err)
{
    guint records, strict;
    size_t at, size;
    bool based;

    if (!in->size) {
        return true;
    }
    find_document(in, false, &at, &size, &strict);
    based = find_document(in, true, &at, &size, &records);
    if (!tool_check_text(size, err)) {
        return false;
    }
    if (!based) {
        tool_uefivars_rescue(t, (char *)in->buf, size, 0);
        return true;
    }
    if (records != strict) {
        tool_transfer_lost(t, at, NULL, "the document is not as it was when "
                           "its journal began; a value in it may be old or "
                           "wrong");
    }
    add_document(t, (char *)in->buf, at, size);
    add_journal(t, in);
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
