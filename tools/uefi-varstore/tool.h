/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: see and change a store of UEFI variables without the guest
 */

#ifndef UEFI_VARSTORE_TOOL_H
#define UEFI_VARSTORE_TOOL_H

#include <json-c/json.h>
#include "hw/uefi/var-service.h"
#include "hw/uefi/var-service-file.h"
#include "hw/uefi/var-service-known.h"
#include "hw/uefi/var-service-msg.h"
#include "hw/uefi/var-service-siglist.h"
#include "hw/uefi/var-service-slots.h"
#include "hw/uefi/var-service-x509.h"

#define TOOL_NAME "uefi-varstore"

/* Exit status: done; refused, or differs; wrong usage, or diff in trouble */
enum { TOOL_OK, TOOL_FAILED, TOOL_USAGE };

/** tool_note: @format to standard error on one line */
void tool_note(const char *format, ...) G_GNUC_PRINTF(1, 2);

/** tool_fail: the same; returns TOOL_FAILED */
int tool_fail(const char *format, ...) G_GNUC_PRINTF(1, 2);

/** tool_fail_with: the same with the message of @err */
int tool_fail_with(const GError *err);

/** tool_usage: what is wrong with the command line; returns TOOL_USAGE */
int tool_usage(const char *format, ...) G_GNUC_PRINTF(1, 2);


/* ------------------------------------------------------------------------ */
/* file.c: files, whatever is in them */

/**
 * tool_load_file: all of the regular file @path, in a buffer of just its size
 */
GBytes *tool_load_file(const char *path, GError **err);

/** tool_load_fd: the same of an open file */
GBytes *tool_load_fd(int fd, GError **err);

/** tool_follow_links: what @path stands for when it is a symbolic link */
char *tool_follow_links(const char *path);

/* ------------------------------------------------------------------------ */
/* store.c: a store in a file */

/* What a store is opened for */
typedef enum ToolAccess {
    TOOL_READ,
    TOOL_WRITE,
    TOOL_CREATE,        /* and a missing file is made by the first write */
} ToolAccess;

/* A store of another program (format.h), and what its file is like */
typedef struct ToolTransfer ToolTransfer;
typedef struct ToolFormat ToolFormat;

/* What is known of a file before it is read; all zero: nothing */
typedef struct ToolForm {
    const ToolFormat *format;   /* NULL: to be found out */
    const char *dictionary;     /* of the format aws */
    bool rescue;                /* take what can be had of a damaged one */
} ToolForm;

typedef struct ToolImage ToolImage;

typedef struct ToolStore {
    UefiVarService *uv;     /* holds the variables; see tool_configure() */
    char *path;
    bool is_stdin;          /* and that is its name */
    ToolAccess access;
    UefiVarFile *file;      /* NULL when there is none yet, or a directory */
    ToolImage *image;       /* or NULL; then there is no @file */
    ToolTransfer *foreign;  /* NULL: the file is one of ours */
    unsigned records;       /* in the journal */
    uint64_t used[UEFI_CLASS__MAX];     /* bytes of records, when read */
    GPtrArray *warnings;    /* char *, what was passed over while reading */
} ToolStore;

/**
 * tool_store_open: read the store in @path, in whatever form it is
 *
 * Holds the lock of the store until it is closed, unless for TOOL_READ.
 */
ToolStore *tool_store_open(const char *path, ToolAccess access,
                           const ToolForm *form, GError **err);
void tool_store_close(ToolStore *s);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ToolStore, tool_store_close)

/** tool_store_size: bytes that the variables count for */
uint64_t tool_store_size(const ToolStore *s);

/** tool_store_journal_size: bytes that a fold would clear away */
size_t tool_store_journal_size(const ToolStore *s);

/** tool_store_check_room: whether the device that @s is for can load it */
bool tool_store_check_room(const ToolStore *s, GError **err);

/** tool_store_commit: make @change, and fold the journal */
bool tool_store_commit(ToolStore *s, UefiVarChange *change, GError **err);

/**
 * tool_store_fold: write the file as a plain document, or in its own format
 *
 * Refused, with the file as it was, if the document could not be read again,
 * or has grown and is too large for the device that @s is for.
 */
bool tool_store_fold(ToolStore *s, GError **err);

/** tool_store_copy: copies of the variables, in order, owned by the array */
GPtrArray *tool_store_copy(const ToolStore *s);

/** tool_store_next: the variable behind @var, or the first for NULL */
const UefiVariable *tool_store_next(const ToolStore *s,
                                    const UefiVariable *var);

/* ------------------------------------------------------------------------ */
/* image.c: a store in a raw image or on a block device, as drive= has it */

/** tool_image_detect: whether @fd is of a block device, or of such an image */
bool tool_image_detect(int fd);

/**
 * tool_image_new: begin to use it
 * @fd: becomes the property of the result, or is closed when the call fails
 * @max_document: the longest that there will be, in bytes; 0 if there is a
 * store already
 */
ToolImage *tool_image_new(int fd, const char *path, bool write,
                          size_t max_document, GError **err);
void tool_image_free(ToolImage *m);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ToolImage, tool_image_free)

/** tool_image_read: what it holds; no document: nothing but zeroes */
bool tool_image_read(ToolImage *m, UefiVarContent *content, GError **err);

/** tool_image_write: make @document all that it holds, durably */
bool tool_image_write(ToolImage *m, const char *document, GError **err);

size_t tool_image_journal_size(const ToolImage *m);

/** tool_image_erase: zeroes for the first @size bytes, or all there are */
bool tool_image_erase(ToolImage *m, uint64_t size, const char *path,
                      GError **err);

/* ------------------------------------------------------------------------ */
/* foreign.c: a store of another program, opened like ours */

/**
 * tool_foreign_read: fill @s from @file, or from a directory for NULL
 *
 * Returns false without @err if the file is in no format known.
 */
bool tool_foreign_read(ToolStore *s, const ToolForm *form, GBytes *file,
                       GError **err);

/** tool_foreign_check_complete: whether all that was read can be written */
bool tool_foreign_check_complete(const ToolStore *s, GError **err);

/**
 * tool_foreign_check: whether the file can be written, and has the room
 * @vars: what it is to have, taken over
 */
bool tool_foreign_check(ToolStore *s, GPtrArray *vars, GError **err);

/**
 * tool_foreign_write: replace the file, all of it or nothing
 * @vars: what it is to have, taken over
 *
 * The old one is kept beside it, under a name of its own.
 */
bool tool_foreign_write(ToolStore *s, GPtrArray *vars, GError **err);

/** tool_foreign_remarks: what did not come over, and more, on one line */
char *tool_foreign_remarks(const ToolStore *s);

/** tool_foreign_clear: free s->foreign */
void tool_foreign_clear(ToolStore *s);

/* ------------------------------------------------------------------------ */
/* input.c: what commands are given; the functions say what fails */

/**
 * tool_open: tool_store_open() that says what happens
 *
 * A store of another program can be written with --in-place.
 */
ToolStore *tool_open(const char *path, ToolAccess access);

/** tool_print_warnings: what was passed over while reading */
void tool_print_warnings(const ToolStore *s);

/* What a command with verbs does: VERB FILE [ARGUMENT...] */
typedef struct ToolVerb {
    const char *name;           /* NULL: behind the last one */
    ToolAccess access;
    const char *arguments;      /* what they are, or NULL: none */
    int (*run)(ToolStore *s, char **args);
} ToolVerb;

/** tool_run_verb: the one of @verbs that @args begin with */
int tool_run_verb(const ToolVerb *verbs, char **args);

/**
 * tool_find: the only variable called @name, of @vendor unless that is NULL
 *
 * A name is what 'list' shows.  Returns NULL when there is none, and with
 * @ambiguous set when there are several.
 */
const UefiVariable *tool_find(const ToolStore *s, const char *name,
                              const UefiGuid *vendor, bool *ambiguous);

/** tool_find_or_fail: the same for --guid, saying so if there is not one */
const UefiVariable *tool_find_or_fail(const ToolStore *s, const char *name);

/** tool_is_selected: whether @var is of --guid, and its name fits @glob */
bool tool_is_selected(const UefiVariable *var, const char *glob);

/**
 * tool_select: variables by their names, or by patterns with * and ?
 *
 * Returns NULL if there is none for one of them.
 */
GPtrArray *tool_select(const ToolStore *s, char **names);

/** tool_read_file: all of @path, or of standard input for - */
GBytes *tool_read_file(const char *path);

/**
 * tool_read_document: variables of a JSON document, such as 'list' prints
 *
 * Returns NULL after a message.
 */
GPtrArray *tool_read_document(const char *path);

/** tool_change_of: a change that sets @vars, which it takes over */
UefiVarChange *tool_change_of(GPtrArray *vars);

/** tool_read_name: the name of a variable as 'list' shows it; caller frees */
uint16_t *tool_read_name(const char *name);

/* ------------------------------------------------------------------------ */
/* output.c: what commands print */

/** tool_printable: @text without what steers a terminal; the caller frees */
char *tool_printable(const char *text);

typedef struct json_object Json;

/** tool_print_json: @root on one line; takes it over */
void tool_print_json(Json *root);

/** tool_json_string, _name, _guid: new values */
Json *tool_json_string(const char *text);
Json *tool_json_name(const uint16_t *name);
Json *tool_json_guid(const UefiGuid *guid);

/** tool_json_add: @value, which is taken over, as a member of @object */
void tool_json_add(Json *object, const char *key, Json *value);

typedef struct ToolTable ToolTable;

/** tool_table_new: @right has a bit for each column of numbers */
ToolTable *tool_table_new(unsigned columns, unsigned right);
void tool_table_free(ToolTable *t);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ToolTable, tool_table_free)

/** tool_table_add: a row, to be filled with a string for each column */
char **tool_table_add(ToolTable *t);
void tool_table_print(const ToolTable *t);

/* ------------------------------------------------------------------------ */
/* options.c: options that several commands have */

/* What they say; a command has those in its list, and is run once. */
typedef struct ToolOptions {
    gboolean json;
    const UefiGuid *vendor;     /* NULL: not given */
    UefiGuid owner;             /* zero: not given */
    bool has_attributes;
    uint32_t attributes;
    bool has_time;
    UefiTime time;
    gint64 size;                /* properties of the device that */
    gint64 hwerr_quota;         /* the store is for, in bytes */
    gboolean in_place;
    char *dictionary;           /* file, or NULL */
} ToolOptions;

extern ToolOptions tool_options;

/* Parsers of values: whatever they refuse is a wrong usage */
gboolean tool_option_guid(const char *option, const char *value,
                          gpointer opaque, GError **err);
gboolean tool_option_owner(const char *option, const char *value,
                           gpointer opaque, GError **err);
gboolean tool_option_attributes(const char *option, const char *value,
                                gpointer opaque, GError **err);
gboolean tool_option_time(const char *option, const char *value,
                          gpointer opaque, GError **err);
gboolean tool_option_size(const char *option, const char *value,
                          gpointer opaque, GError **err);
gboolean tool_option_hwerr_quota(const char *option, const char *value,
                                 gpointer opaque, GError **err);

#define TOOL_OPTION_JSON \
    { "json", 'j', 0, G_OPTION_ARG_NONE, &tool_options.json, \
      "Print JSON instead of text", NULL }
#define TOOL_OPTION_GUID \
    { "guid", 'g', 0, G_OPTION_ARG_CALLBACK, tool_option_guid, \
      "Vendor of the variable, by GUID or known name", "GUID" }
#define TOOL_OPTION_OWNER \
    { "owner", 'o', 0, G_OPTION_ARG_CALLBACK, tool_option_owner, \
      "Owner of certificates, by GUID or known name; zero by default", \
      "GUID" }
#define TOOL_OPTION_ATTRIBUTES \
    { "attr", 'A', 0, G_OPTION_ARG_CALLBACK, tool_option_attributes, \
      "Attributes of the variable, such as NV,BS,RT", "LETTERS" }
#define TOOL_OPTION_SIZE \
    { "size", 's', 0, G_OPTION_ARG_CALLBACK, tool_option_size, \
      "The device's size property; 256k by default", "BYTES" }
#define TOOL_OPTION_HWERR_QUOTA \
    { "hwerr-quota", 0, 0, G_OPTION_ARG_CALLBACK, tool_option_hwerr_quota, \
      "The device's hwerr-quota property; 0 by default", "BYTES" }
#define TOOL_OPTION_DICTIONARY \
    { "dictionary", 0, 0, G_OPTION_ARG_FILENAME, &tool_options.dictionary, \
      "Dictionary of stores in the format aws", "PATH" }
#define TOOL_OPTION_IN_PLACE \
    { "in-place", 0, 0, G_OPTION_ARG_NONE, &tool_options.in_place, \
      "Write a store of another format, and keep the old one beside it", NULL }
/* A short option that has become one of another meaning elsewhere */
#define TOOL_OPTION_OLD(letter, type, value) \
    { (const char[]) { letter, 0 }, letter, G_OPTION_FLAG_HIDDEN, \
      G_OPTION_ARG_##type, value, NULL, NULL }

/** tool_check_limits: whether the properties fit each other */
bool tool_check_limits(GError **err);

/** tool_configure: limit @s as that device; before, it has hardly any limit */
void tool_configure(ToolStore *s);

/** tool_check_attributes: whether a device with @limits has such variables */
bool tool_check_attributes(const UefiVarLimits *limits, uint32_t attributes);

/* ------------------------------------------------------------------------ */
/* time.c: times of updates */

/** tool_now: the time of an update that is made now */
UefiTime tool_now(void);

/** tool_time_from: @when as EFI_TIME */
void tool_time_from(GDateTime *when, UefiTime *time);

/* ------------------------------------------------------------------------ */
/* keys.c: files with keys */

/** tool_add_certificate: append a signature list with @der in it to @lists */
void tool_add_certificate(GByteArray *lists, GBytes *der,
                          const UefiGuid *owner);

/**
 * tool_read_keys: append what is in @path to @lists
 * @path: may have OWNER: before it
 * @owner: of certificates otherwise; signature lists name their own
 * @time: raised to that of an authenticated update, or else to now
 *
 * A file holds certificates (PEM, or one in DER), signature lists, or an
 * authenticated update with those, whose signature is not looked at.  A file
 * without any is fine.
 */
bool tool_read_keys(GByteArray *lists, const char *path, const UefiGuid *owner,
                    UefiTime *time);

/** tool_parse_keys: the same of what was read from @path already */
bool tool_parse_keys(GByteArray *lists, GBytes *file, const char *path,
                     const UefiGuid *owner, UefiTime *time);

/** tool_read_image_hash: the same for the SHA-256 hash of a UEFI program */
bool tool_read_image_hash(GByteArray *lists, const char *path,
                          const UefiGuid *owner, UefiTime *time);

/**
 * tool_add_digest: a SHA-256 hash in hexadecimal, which is one of an image or
 * the fingerprint of a certificate; false if @text is none
 */
bool tool_add_digest(GByteArray *lists, const char *text);

/** tool_signed_data: what is signed (protocol 7.1): all that a guest passes */
GByteArray *tool_signed_data(const uint16_t *name, const UefiGuid *guid,
                             uint32_t attributes, const UefiTime *time,
                             const void *value, size_t size);

/** tool_auth_payload: the value in an authenticated update, NULL if none */
GBytes *tool_auth_payload(GBytes *file, UefiTime *time);

/* ------------------------------------------------------------------------ */
/* enrol.c: keys in a store; the functions say what fails */

/*
 * In the order in which keys are written: PK is the last one, as it ends
 * setup mode, and with that the freedom to write the others.
 */
typedef enum ToolKey {
    TOOL_KEY_DBX,
    TOOL_KEY_DB,
    TOOL_KEY_KEK,
    TOOL_KEY_PK,
    TOOL_KEY__MAX
} ToolKey;

typedef struct ToolKeyVariable {
    const char *name;
    const UefiGuid *guid;
} ToolKeyVariable;

extern const ToolKeyVariable tool_keys[TOOL_KEY__MAX];

/** tool_auth_key: what an authenticated update is signed for, or __MAX */
ToolKey tool_auth_key(GBytes *file);

const UefiVariable *tool_key_find(const ToolStore *s, ToolKey id);

/**
 * tool_key_set: make @lists the value; nothing removes the variable
 * @time: raises that of the variable; may be NULL
 */
bool tool_key_set(ToolStore *s, ToolKey id, const void *lists, size_t size,
                  const UefiTime *time);

/** tool_key_append: put what is new in @lists behind what is enrolled */
bool tool_key_append(ToolStore *s, ToolKey id, const GByteArray *lists,
                     const UefiTime *time);

/**
 * tool_key_remove: take what is in @lists out of the variable
 *
 * Fails if nothing of it is there.
 */
bool tool_key_remove(ToolStore *s, ToolKey id, const GByteArray *lists);

typedef struct ToolSignature {
    UefiGuid type;
    UefiGuid owner;
    const uint8_t *data;        /* borrowed, without the owner */
    size_t size;                /* bytes */
} ToolSignature;

/* Goes through the signatures of a value, as far as it is valid lists */
typedef struct ToolSignatures {
    UefiMsg msg;
    UefiSigList list;
    size_t index;
} ToolSignatures;

void tool_signatures_init(ToolSignatures *in, const void *data, size_t size);
bool tool_signatures_next(ToolSignatures *in, ToolSignature *sig);

/** tool_signature_same: whoever owns them */
bool tool_signature_same(const ToolSignature *a, const ToolSignature *b);

/** tool_signature_in: whether @var, which may be NULL, has it */
bool tool_signature_in(const ToolSignature *sig, const UefiVariable *var);

/** tool_signature_in_lists: the same for lists */
bool tool_signature_in_lists(const ToolSignature *sig,
                             const GByteArray *lists);

/**
 * tool_signatures_without: @value, which may be NULL, without what is in @lists
 * @what: name of the variable for messages
 *
 * The hash of a certificate in @lists means it, too.  Returns NULL after a
 * message if nothing of it is there.
 */
GByteArray *tool_signatures_without(GBytes *value, const GByteArray *lists,
                                    const char *what);

/** tool_signature_append: to @lists, hashes behind others in one list */
void tool_signature_append(GByteArray *lists, const ToolSignature *sig);

/** tool_signature_print: for people, on one line; the caller frees */
char *tool_signature_print(const ToolSignature *sig);

/* ------------------------------------------------------------------------ */
/* rules.c: what the device would have refused */

/** tool_rule_broken: what is wrong with @var, or NULL; the caller frees */
char *tool_rule_broken(const ToolStore *s, const UefiVariable *var);

/* ------------------------------------------------------------------------ */
/* loadopt.c: boot options */

typedef struct ToolLoadOption {
    uint32_t attributes;
    uint16_t *label;            /* owned when it has been parsed */
    const uint8_t *path;        /* borrowed, and sizes in bytes */
    size_t path_size;
    const uint8_t *more;        /* optional data */
    size_t more_size;
} ToolLoadOption;

/** tool_load_option_parse: false for what is none */
bool tool_load_option_parse(ToolLoadOption *opt, const void *data,
                            size_t size);
void tool_load_option_clear(ToolLoadOption *opt);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ToolLoadOption, tool_load_option_clear)

/** tool_load_option_print: as the value of a variable */
GBytes *tool_load_option_print(const ToolLoadOption *opt);

/* A partition in a GUID partition table */
typedef struct ToolPartition {
    uint32_t number;            /* from 1 on */
    uint64_t start;             /* first block */
    uint64_t blocks;
    UefiGuid uuid;
} ToolPartition;

/**
 * tool_partition_read: fill in @part from a raw image, saying what fails
 *
 * It is the one whose number @part has, or the first EFI system partition.
 */
bool tool_partition_read(const char *path, ToolPartition *part);

/** tool_path_add_partition, _file, _uri, _end: a node to a device path */
void tool_path_add_partition(GByteArray *path, const ToolPartition *part);
void tool_path_add_file(GByteArray *path, const uint16_t *file);
void tool_path_add_uri(GByteArray *path, const char *uri);
void tool_path_end(GByteArray *path);

/* ------------------------------------------------------------------------ */
/* pe.c: images of UEFI programs; all fail for what is none */

/**
 * tool_pe_hash: the Authenticode hash
 * @size: of @digest, set to what was written
 */
bool tool_pe_hash(GBytes *image, GChecksumType type, uint8_t *digest,
                  size_t *size);

/** tool_pe_is_image: whether it is one */
bool tool_pe_is_image(GBytes *image);

/** tool_pe_signatures: GBytes of each PKCS #7 signature */
GPtrArray *tool_pe_signatures(GBytes *image);

/** tool_pe_section: contents of the section @name, or NULL */
GBytes *tool_pe_section(GBytes *image, const char *name);

/* ------------------------------------------------------------------------ */
/* crypto.c: cryptography; @name is what a message calls the object */

/** tool_is_pem: whether @file is text with something in PEM */
bool tool_is_pem(GBytes *file);

/** tool_certificates: those in @file, PEM or DER, as an array of GBytes, DER */
GPtrArray *tool_certificates(GBytes *file, const char *name);

/** tool_validity: first and last day; the caller frees */
char *tool_validity(const UefiX509Info *info);

/** tool_print_certificate: what @data says, in lines that are indented */
void tool_print_certificate(GString *out, const uint8_t *data, size_t size);

typedef struct ToolKeyPair {
    GBytes *key;        /* PEM, PKCS #8, not encrypted */
    GBytes *cert;       /* PEM, signed by itself */
} ToolKeyPair;

/** tool_generate: an RSA key with a certificate for the common name @cn */
bool tool_generate(const char *cn, ToolKeyPair *pair);
void tool_key_pair_clear(ToolKeyPair *pair);

typedef struct ToolSigner ToolSigner;

/**
 * tool_signer_new: who signs with @key and the certificate @cert for it
 * @password: of an encrypted key, or NULL
 */
ToolSigner *tool_signer_new(GBytes *key, const char *password,
                            const char *key_name, GBytes *cert,
                            const char *cert_name);
void tool_signer_free(ToolSigner *s);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ToolSigner, tool_signer_free)

/** tool_sign: a detached PKCS #7 signature, DER SignedData */
GBytes *tool_sign(const ToolSigner *s, const void *data, size_t size);

typedef struct ToolImageSignature ToolImageSignature;

/**
 * tool_image_signature_new: read an Authenticode signature, DER ContentInfo
 *
 * Returns NULL for what is none, or not of @image.
 */
ToolImageSignature *tool_image_signature_new(GBytes *der, GBytes *image);
void tool_image_signature_free(ToolImageSignature *sig);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ToolImageSignature, tool_image_signature_free)

/**
 * tool_image_signature_by: whether @cert is in the chain of its signer
 * @cert: a certificate, or the hash of one; anything else is not
 */
bool tool_image_signature_by(const ToolImageSignature *sig,
                             const ToolSignature *cert);

/* ------------------------------------------------------------------------ */
/* verdict.c: what the keys of a store say of a program */

/**
 * tool_image_allowed: whether db and dbx let @image start
 * @by: set to the entry of db that vouches for it then
 * @why: gets the reason
 */
bool tool_image_allowed(const ToolStore *s, GBytes *image, ToolSignature *by,
                        GString *why);

/* sbat.c */

/**
 * tool_sbat_allows: whether shim starts a program whose section .sbat is @sbat
 * @level: the value of SbatLevel
 * @why: gets the reason if not
 */
bool tool_sbat_allows(GBytes *sbat, GBytes *level, GString *why);

/* ------------------------------------------------------------------------ */
/* names.c: what people call things */

/* Variables of shim's */
extern const UefiGuid tool_guid_shim;

/** tool_vendor_name: known name of @guid, or NULL */
const char *tool_vendor_name(const UefiGuid *guid);

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

/**
 * tool_known: what the name @name means when nothing else is said, or NULL
 *
 * The non-volatile variables that can be written, from the table of the core.
 */
const UefiKnown *tool_known(const char *name);

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
/* cmd-NAME.c, transfer.c: the commands */

typedef struct ToolCommand {
    const char *name;
    const char *arguments;
    const char *summary;
    const GOptionEntry *options;
    int min_args;
    int max_args;           /* -1: any number */
    int (*run)(char **args);    /* returns an exit status */
} ToolCommand;

extern const ToolCommand tool_cmd_apply;
extern const ToolCommand tool_cmd_boot;
extern const ToolCommand tool_cmd_check;
extern const ToolCommand tool_cmd_check_image;
extern const ToolCommand tool_cmd_clone;
extern const ToolCommand tool_cmd_create;
extern const ToolCommand tool_cmd_descriptor;
extern const ToolCommand tool_cmd_diff;
extern const ToolCommand tool_cmd_enroll;
extern const ToolCommand tool_cmd_export;
extern const ToolCommand tool_cmd_fold;
extern const ToolCommand tool_cmd_get;
extern const ToolCommand tool_cmd_import;
extern const ToolCommand tool_cmd_list;
extern const ToolCommand tool_cmd_mok;
extern const ToolCommand tool_cmd_pcr7;
extern const ToolCommand tool_cmd_replay;
extern const ToolCommand tool_cmd_reset_keys;
extern const ToolCommand tool_cmd_rm;
extern const ToolCommand tool_cmd_set;
extern const ToolCommand tool_cmd_sign;
extern const ToolCommand tool_cmd_status;
extern const ToolCommand tool_cmd_update;

#endif /* UEFI_VARSTORE_TOOL_H */
