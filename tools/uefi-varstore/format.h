/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: stores of other programs
 *
 * A format is a file format-NAME.c and a line of the table in format.c.  It
 * turns foreign bytes into variables and back; whatever is the same for all
 * of them (certdb, duplicates, volatile variables) is not its business.
 */

#ifndef UEFI_VARSTORE_FORMAT_H
#define UEFI_VARSTORE_FORMAT_H

#include "tool.h"

/* What did not come over, with the number of variables concerned */
typedef enum ToolLoss {
    TOOL_LOSS_VOLATILE,     /* left out: they do not outlive a reset */
    TOOL_LOSS_TIME,         /* time stamps of authenticated variables */
    TOOL_LOSS_BINDING,      /* signers of private variables */
    TOOL_LOSS_NAME,         /* left out: the format cannot hold the name */
    TOOL_LOSS_MARK,         /* what only the firmware may write */
    TOOL_LOSS__MAX
} ToolLoss;

typedef struct ToolContainer ToolContainer;

/* A foreign store, as it has been read or is to be written */
struct ToolTransfer {
    char *path;
    const ToolFormat *format;
    const ToolContainer *container; /* that it is in, or NULL */
    GBytes *file;           /* the bytes on disk, or NULL: a directory */
    const char *dictionary; /* file for the compression of AWS, or NULL */
    GPtrArray *vars;        /* UefiVariable, in order, owned */
    uint64_t taken;         /* what those count for, bytes */
    GPtrArray *notes;       /* char *, what else is worth a line */
    unsigned losses[TOOL_LOSS__MAX];
    GPtrArray *lost;        /* char *; NULL: what is damaged is an error */

    /* What is written again as it was read */
    unsigned version;       /* of the format */
    bool base64;            /* it is text */
    GBytes *image;          /* everything, or what is to be filled */
    const char *template;   /* file that the image is from, NULL: path */
    GBytes *rest;           /* what is no variable, or NULL */
    size_t room;            /* of the device, bytes; 0: there is no limit */
};

/** tool_transfer_new: nothing yet, of @path */
ToolTransfer *tool_transfer_new(const char *path);
void tool_transfer_free(ToolTransfer *t);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ToolTransfer, tool_transfer_free)

/** tool_transfer_remarks: notes and losses, as lines for people */
GPtrArray *tool_transfer_remarks(const ToolTransfer *t);

struct ToolFormat {
    const char *name;

    /** detect: whether @in looks like it; NULL when it is a directory */
    bool (*detect)(UefiMsg *in);

    /** detect_damaged: the same, if nothing has been detected */
    bool (*detect_damaged)(UefiMsg *in);

    /** read: add what @in holds to @t; @in is NULL for a directory */
    bool (*read)(ToolTransfer *t, UefiMsg *in, GError **err);

    /**
     * write: the variables of @t as a new file, or NULL with @err set
     *
     * A format without it has write_directory, which makes @t->path, or can
     * only be read.
     */
    GByteArray *(*write)(ToolTransfer *t, GError **err);
    bool (*write_directory)(ToolTransfer *t, GError **err);

    bool needs_template;    /* to write */
    bool needs_dictionary;  /* to write */
    unsigned version;       /* to write when none is asked for; 0: no choice */
    unsigned versions;      /* the highest that can be written */
};

extern const ToolFormat tool_format_aws;
extern const ToolFormat tool_format_edk2;
extern const ToolFormat tool_format_efivarfs;
extern const ToolFormat tool_format_lxd;
extern const ToolFormat tool_format_smmstore;
extern const ToolFormat tool_format_uboot;
extern const ToolFormat tool_format_uefivars;
extern const ToolFormat tool_format_virtualbox;
extern const ToolFormat tool_format_vmgs;
extern const ToolFormat tool_format_vmware;
extern const ToolFormat tool_format_xen;

/* A store of ours that is damaged (rescue.c) */
extern const ToolFormat tool_format_json;

/** tool_format_find: the format called @name, or NULL */
const ToolFormat *tool_format_find(const char *name);

/** tool_format_names: all of them, for people; the caller frees */
char *tool_format_names(void);

/** tool_format_detect: what @bytes are, or if @damaged have been, or NULL */
const ToolFormat *tool_format_detect(GBytes *bytes, bool damaged);

/**
 * tool_format_parse: fill @t with the variables of a file of @t->format
 * @bytes: of the file, or NULL for a directory
 */
bool tool_format_parse(ToolTransfer *t, GBytes *bytes, GError **err);

/** tool_format_write: make a store of the variables of @t at @t->path */
bool tool_format_write(ToolTransfer *t, GError **err);

/* ------------------------------------------------------------------------ */
/* For formats */

struct ToolContainer {
    const char *name;           /* for people */
    const char *driver;         /* of qemu-img; NULL: there is none */
    size_t offset;              /* of the magic, bytes */
    const char *magic;
    size_t size;                /* bytes */
};

/** tool_container_find: what @bytes, all of a file, are, or NULL: raw */
const ToolContainer *tool_container_find(GBytes *bytes);

/**
 * tool_container_unpack: what the file @path holds
 *
 * An image of a disk is read by qemu-img, if that is installed.  Returns NULL
 * with @err set for what has to be unpacked first.
 */
GBytes *tool_container_unpack(const ToolContainer *kind, const char *path,
                              GError **err);

/** tool_container_pack: the other way round; the file exists, of that kind */
bool tool_container_pack(const ToolContainer *kind, const char *path,
                         const GByteArray *bytes, GError **err);

/* What a working block of edk2 begins with */
extern const UefiGuid tool_guid_working_block;

/**
 * tool_ftw_finish: do what edk2 does at its next start
 * @image: of its flash, which is changed
 * @volume: where the first header of a firmware volume is, bytes
 * @block_size: of the flash, bytes
 *
 * Returns whether a write of the firmware had been interrupted, and has been
 * finished now.
 */
bool tool_ftw_finish(UefiMsg *image, size_t volume, uint64_t block_size);

/** tool_cursor: a cursor that reads @bytes, which it borrows */
UefiMsg tool_cursor(GBytes *bytes);

/** tool_starts_with: whether the first bytes under @in are those of @text */
bool tool_starts_with(const UefiMsg *in, const char *text);

/** tool_check_text: whether a store can have so long a text form, in bytes */
bool tool_check_text(size_t size, GError **err);

/** tool_read_base64: NULL unless @in is base64, line breaks not counting */
GBytes *tool_read_base64(ToolTransfer *t, const UefiMsg *in);

/** tool_write_base64: @bytes, which are taken over, as text */
GByteArray *tool_write_base64(GByteArray *bytes);

/** tool_get_blob: bytes with their number before them (u64), or NULL */
const uint8_t *tool_get_blob(UefiMsg *in, size_t *size);

/** tool_is_zero: whether @data has no byte but 0 */
bool tool_is_zero(const uint8_t *data, size_t size);

/**
 * tool_transfer_add: a variable that has been read
 * @name: its units, without NUL; @name_size: bytes
 *
 * A volatile one is counted and left out, then and on error NULL is returned;
 * @err tells which.
 */
UefiVariable *tool_transfer_add(ToolTransfer *t, const UefiGuid *guid,
                                const uint8_t *name, size_t name_size,
                                uint32_t attributes, const uint8_t *data,
                                size_t data_size, GError **err);

/** tool_transfer_add_utf8: the same, for a name in UTF-8, without NUL */
UefiVariable *tool_transfer_add_utf8(ToolTransfer *t, const UefiGuid *guid,
                                     const uint8_t *name, size_t name_size,
                                     uint32_t attributes, const uint8_t *data,
                                     size_t data_size, GError **err);

/** tool_transfer_signed: when @var was signed, and by whom; zeroes: nobody */
void tool_transfer_signed(UefiVariable *var, const uint8_t *time,
                          const uint8_t *digest, size_t digest_size);

/** tool_transfer_unsigned: nothing tells who signed @var, if anybody has to */
void tool_transfer_unsigned(ToolTransfer *t, const UefiVariable *var);

/** tool_transfer_keep_last: of variables that are there more than once */
void tool_transfer_keep_last(ToolTransfer *t);

typedef bool ToolReadVariable(ToolTransfer *t, UefiMsg *in, GError **err);

/** tool_transfer_read: @count variables with @read, and nothing behind them */
bool tool_transfer_read(ToolTransfer *t, UefiMsg *in, uint64_t count,
                        ToolReadVariable *read, GError **err);

/**
 * tool_transfer_take: count a variable for what it takes in a store
 * @size: of its value, bytes
 *
 * Returns false with @err set from the first one on that no device has room
 * for.
 */
bool tool_transfer_take(ToolTransfer *t, const uint16_t *name, size_t size,
                        GError **err);

/** tool_add_line: @line, which is taken over, or that there is more */
void tool_add_line(GPtrArray *lines, char *line);

/**
 * tool_transfer_lost: something at byte @at is damaged
 *
 * Returns true if it is to be left out, and has been named; the reader goes on
 * with what it can still trust.
 */
bool tool_transfer_lost(ToolTransfer *t, size_t at, GError **err,
                        const char *format, ...) G_GNUC_PRINTF(4, 5);

/** tool_transfer_lost_variable: @var, which was read, is left out */
void tool_transfer_lost_variable(ToolTransfer *t, const UefiVariable *var,
                                 const char *why);

/**
 * tool_uefivars_parse: the variables of a document of version 2, as they are
 */
GPtrArray *tool_uefivars_parse(ToolTransfer *t, const char *text,
                               GError **err);

/**
 * tool_uefivars_rescue: add the variables that can be found in JSON text
 * @at: where it begins in the file, bytes
 */
void tool_uefivars_rescue(ToolTransfer *t, const char *text, size_t size,
                          size_t at);

/** tool_transfer_note: something to be told about the transfer */
void tool_transfer_note(ToolTransfer *t, const char *format, ...)
    G_GNUC_PRINTF(2, 3);

#endif /* UEFI_VARSTORE_FORMAT_H */
