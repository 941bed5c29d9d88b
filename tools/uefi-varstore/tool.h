/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: see and change a store of UEFI variables without the guest
 */

#ifndef UEFI_VARSTORE_TOOL_H
#define UEFI_VARSTORE_TOOL_H

#include "hw/uefi/var-service.h"
#include "hw/uefi/var-service-file.h"

#define TOOL_NAME "uefi-varstore"

/* Exit status: done; does not work, or differs; wrong usage */
enum { TOOL_OK, TOOL_FAILED, TOOL_USAGE };

/** tool_fail: @format to standard error on one line; returns TOOL_FAILED */
int tool_fail(const char *format, ...) G_GNUC_PRINTF(1, 2);

/* ------------------------------------------------------------------------ */
/* store.c: the file */

/* What a store is opened for */
typedef enum ToolAccess {
    TOOL_READ,          /* a missing file is a blank store */
    TOOL_WRITE,         /* the file must exist */
    TOOL_CREATE,        /* a missing file is made by the first write */
} ToolAccess;

typedef struct ToolStore {
    UefiVarService *uv;     /* holds the variables, with hardly any limit */
    char *path;
    UefiVarFile *file;      /* NULL when there is none yet */
    unsigned records;       /* in the journal */
    GPtrArray *warnings;    /* char *, what was passed over while reading */
} ToolStore;

/**
 * tool_store_open: read the store in @path
 *
 * Holds the lock of the store until it is closed, unless for TOOL_READ.
 */
ToolStore *tool_store_open(const char *path, ToolAccess access, GError **err);
void tool_store_close(ToolStore *s);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ToolStore, tool_store_close)

/** tool_store_size: bytes that the variables count for */
uint64_t tool_store_size(const ToolStore *s);

/**
 * tool_store_commit: make @change, and fold the journal
 * @limit: bytes that a store which grows must fit in, as the device counts
 */
bool tool_store_commit(ToolStore *s, UefiVarChange *change, uint64_t limit,
                       GError **err);

/** tool_store_fold: write the file as a plain document */
bool tool_store_fold(ToolStore *s, GError **err);

/** tool_store_next: the variable behind @var, or the first for NULL */
const UefiVariable *tool_store_next(const ToolStore *s,
                                    const UefiVariable *var);

/* ------------------------------------------------------------------------ */
/* names.c: what people call things */

/** tool_vendor: known name or printed form of @guid; the caller frees */
char *tool_vendor(const UefiGuid *guid);

/** tool_parse_vendor: the inverse, names in either case */
bool tool_parse_vendor(const char *text, UefiGuid *guid);

/** tool_attributes: "NV,BS,RT"; the caller frees */
char *tool_attributes(uint32_t attributes);

/** tool_parse_attributes: the inverse, or a number */
bool tool_parse_attributes(const char *text, uint32_t *attributes);

/** tool_time: date and time of an EFI_TIME, - for none; the caller frees */
char *tool_time(const UefiTime *time);

/** tool_signature_type: known name or GUID of it; the caller frees */
char *tool_signature_type(const UefiGuid *type);

/* What a well-known name means when nothing else is said */
typedef struct ToolKnown {
    const char *pattern;    /* of the name; # is a hexadecimal digit */
    const UefiGuid *guid;
    uint32_t attributes;
} ToolKnown;

/** tool_known: what is known of the name @name, or NULL */
const ToolKnown *tool_known(const char *name);

/** tool_matches: whether @name fits @pattern; # is a hexadecimal digit */
bool tool_matches(const char *pattern, const char *name);

/* ------------------------------------------------------------------------ */
/* decode.c, devpath.c: what values mean */

/**
 * tool_decode: explain the value of @var, in lines
 *
 * Returns false, with nothing in @out, when nobody knows what it means.
 */
bool tool_decode(GString *out, const UefiVariable *var);

/** tool_hexdump: offset, bytes and characters, in lines */
void tool_hexdump(GString *out, const uint8_t *data, size_t size);

/**
 * tool_device_path: the text form of UEFI 2.10, 10.6.1.6
 *
 * Returns false for bytes that are no device path.
 */
bool tool_device_path(GString *out, const uint8_t *data, size_t size);

/* ------------------------------------------------------------------------ */
/* status.c: secure boot */

/**
 * tool_print_status: what the store means for secure boot
 * @size, @force: properties of the device
 *
 * Afterwards the store has the limits of that device.
 */
void tool_print_status(ToolStore *s, uint64_t size, bool force, bool json);

/* ------------------------------------------------------------------------ */
/* commands.c: each returns an exit status */

typedef struct ToolCommand {
    const char *name;
    const char *arguments;
    const char *summary;
    const GOptionEntry *options;
    int min_args;
    int max_args;           /* -1: any number */
    int (*run)(char **args);
} ToolCommand;

extern const ToolCommand tool_commands[];   /* ends with a NULL name */

#endif /* UEFI_VARSTORE_TOOL_H */
