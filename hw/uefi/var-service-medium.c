/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: a store file as a medium of the keeper
 */

#include "qemu/osdep.h"
#include "hw/uefi/var-service-medium.h"

void uefi_var_content_clear(UefiVarContent *content)
{
    g_clear_pointer(&content->document, g_free);
    g_clear_pointer(&content->records, g_ptr_array_unref);
}

static bool lock(UefiVarFileMedium *m, UefiVarFile *file, GError **err)
{
    g_autoptr(GError) local = NULL;

    m->unlockable = false;
    if (uefi_var_file_lock(file, &local)) {
        return true;
    }
    m->unlockable = g_error_matches(local, UEFI_VAR_FILE_ERROR,
                                    UEFI_VAR_FILE_ERROR_NO_LOCKS);
    if (!m->unlockable) {
        g_propagate_error(err, g_steal_pointer(&local));
    }
    return m->unlockable;
}

static bool load(UefiVarFile *file, const char *mark, UefiVarContent *content,
                 GError **err)
{
    uefi_var_file_expect(file, mark);
    if (!uefi_var_file_load(file, &content->document, &content->records,
                            err)) {
        return false;
    }
    content->torn = uefi_var_file_torn(file);
    content->age = uefi_var_file_age(file);
    return true;
}

static bool file_take(void *opaque, const char *mark, UefiVarContent *content,
                      GError **err)
{
    UefiVarFileMedium *m = opaque;
    g_autoptr(UefiVarFile) file = m->open(m->open_opaque, true, err);

    if (!file || !lock(m, file, err) || !load(file, mark, content, err)) {
        return false;
    }
    g_clear_pointer(&m->file, uefi_var_file_close);
    m->file = g_steal_pointer(&file);
    return true;
}

static void file_give(void *opaque)
{
    UefiVarFileMedium *m = opaque;

    g_clear_pointer(&m->file, uefi_var_file_close);
}

static UefiVarFileAge file_look(void *opaque, const char *mark)
{
    UefiVarFileMedium *m = opaque;
    g_autoptr(GError) err = NULL;
    g_autoptr(UefiVarFile) file = m->open(m->open_opaque, false, &err);
    g_auto(UefiVarContent) content = { };

    if (err || (file && !load(file, mark, &content, NULL))) {
        return UEFI_FILE_UNREADABLE;
    }
    return content.age;
}

static const char *file_mark(void *opaque)
{
    return uefi_var_file_mark(((UefiVarFileMedium *)opaque)->file);
}

static bool file_append(void *opaque, const char *record, size_t len,
                        GError **err)
{
    return uefi_var_file_append(((UefiVarFileMedium *)opaque)->file, record,
                                len, err);
}

static bool file_plan_fold(void *opaque, const char *document, size_t len,
                           GError **err)
{
    return uefi_var_file_plan_fold(((UefiVarFileMedium *)opaque)->file,
                                   document, len, err);
}

static bool file_plan_step(void *opaque, GError **err)
{
    return uefi_var_file_plan_step(((UefiVarFileMedium *)opaque)->file, err);
}

static void file_run(void *opaque)
{
    uefi_var_file_run(((UefiVarFileMedium *)opaque)->file);
}

static bool file_finish(void *opaque, GError **err)
{
    return uefi_var_file_finish(((UefiVarFileMedium *)opaque)->file, err);
}

static bool file_fold_pending(void *opaque)
{
    return uefi_var_file_fold_pending(((UefiVarFileMedium *)opaque)->file);
}

static UefiVarFoldNeed file_fold_need(void *opaque)
{
    return uefi_var_file_fold_need(((UefiVarFileMedium *)opaque)->file);
}

static size_t file_journal_size(void *opaque)
{
    return uefi_var_file_journal_size(((UefiVarFileMedium *)opaque)->file);
}

const UefiVarMediumOps uefi_var_file_medium_ops = {
    .take = file_take,
    .give = file_give,
    .look = file_look,
    .mark = file_mark,
    .append = file_append,
    .plan_fold = file_plan_fold,
    .plan_step = file_plan_step,
    .run = file_run,
    .finish = file_finish,
    .fold_pending = file_fold_pending,
    .fold_need = file_fold_need,
    .journal_size = file_journal_size,
};
