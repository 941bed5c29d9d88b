/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: what a store is kept on
 *
 * The operations that the keeper needs: a file with a name has them
 * (var-service-medium.c), and whatever else holds a document and the changes
 * since.  Text goes in and out; a medium knows nothing of variables.
 */

#ifndef HW_UEFI_VAR_SERVICE_MEDIUM_H
#define HW_UEFI_VAR_SERVICE_MEDIUM_H

#include "hw/uefi/var-service-file.h"

/* What a medium says; all of it belongs to who has asked */
typedef struct UefiVarContent {
    char *document;         /* NULL when the store is blank */
    GPtrArray *records;     /* of char *: the changes since */
    size_t torn;            /* bytes of an interrupted write */
    UefiVarFileAge age;     /* compared to the mark that was asked for */
} UefiVarContent;

void uefi_var_content_clear(UefiVarContent *content);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(UefiVarContent, uefi_var_content_clear)

/**
 * UefiVarMediumOps: the operations
 *
 * What returns bool sets the error, of UEFI_VAR_FILE_ERROR, when it fails.
 * After a failure everything is as before, and the same can be tried again.
 */
typedef struct UefiVarMediumOps {
    /*
     * This side is the only one to write from now on.  The medium is found
     * anew, and made if it is missing; what it says becomes @content.  When
     * that fails nothing is held.
     * @mark: what it is expected to hold, or NULL; then what it holds is
     * durable
     */
    bool (*take)(void *opaque, const char *mark, UefiVarContent *content,
                 GError **err);
    /*
     * Somebody else may write.  Another operation that waits meanwhile fails,
     * and makes no further request.
     */
    void (*give)(void *opaque);
    /* What a medium that is not ours holds, compared to the state @mark */
    UefiVarFileAge (*look)(void *opaque, const char *mark);
    /* The state it holds; valid until it is written */
    const char *(*mark)(void *opaque);

    /* One change, durably; UEFI_VAR_FILE_ERROR_LONG: fold first */
    bool (*append)(void *opaque, const char *record, size_t len,
                   GError **err);
    /*
     * A fold is a number of steps: each is planned, run and finished.  Running
     * is what waits for the disk, and may be done in another thread; nothing
     * else is called meanwhile.  When the first step is finished the document
     * is durable.
     */
    bool (*plan_fold)(void *opaque, const char *document, size_t len,
                      GError **err);
    bool (*plan_step)(void *opaque, GError **err);
    void (*run)(void *opaque);
    bool (*finish)(void *opaque, GError **err);
    bool (*fold_pending)(void *opaque);
    UefiVarFoldNeed (*fold_need)(void *opaque);
    /* What a fold would clear away, bytes */
    size_t (*journal_size)(void *opaque);

    /*
     * Loading a snapshot of the machine takes the medium back as well, and must
     * not wait for it.
     */
    bool reverts;
} UefiVarMediumOps;

/* ------------------------------------------------------------------------ */
/* A file as medium */

/**
 * UefiVarFileOpen: open the file
 * @create: make one if there is none
 *
 * Returns NULL with @err set on failure, and without if there is none and
 * none is to be made.
 */
typedef UefiVarFile *UefiVarFileOpen(void *opaque, bool create, GError **err);

typedef struct UefiVarFileMedium {
    UefiVarFileOpen *open;
    void *open_opaque;
    UefiVarFile *file;      /* NULL while it is not ours */
    bool unlockable;        /* the file system has no locks */
} UefiVarFileMedium;

/* @opaque is a UefiVarFileMedium, whose @open the caller sets. */
extern const UefiVarMediumOps uefi_var_file_medium_ops;

#endif /* HW_UEFI_VAR_SERVICE_MEDIUM_H */
