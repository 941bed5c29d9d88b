/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: what the files of the core offer each other
 *
 * The layers and the direction in which data flows through them are described
 * in docs/devel/uefi-vars.rst; the semantics, and the row numbers that
 * comments cite, in docs/specs/uefi-vars.rst.
 *
 * The core is deterministic: no clock, no environment, no global state and no
 * I/O of its own.  It depends on GLib and qemu/osdep.h alone.
 */

#ifndef HW_UEFI_VAR_SERVICE_H
#define HW_UEFI_VAR_SERVICE_H

#include "hw/uefi/var-service-edk2.h"
#include "hw/uefi/var-service-reason.h"

typedef struct UefiVarService UefiVarService;

/*
 * UEFI_ALL_FIELDS: all fields of @type, in order, beside the code that saves
 * its state; { } stands for an array or what cannot be copied
 * @pointer: how they are written below, as "*name"
 *
 * Without a word about a field that is new nothing compiles: whoever adds it
 * has to say here, and in that code, whether it migrates.  Unlike the size of
 * @type this notices what fits into its padding, and it is the same on every
 * host.
 */
#define UEFI_ALL_FIELDS(type, pointer, ...)                                 \
    _Pragma("GCC diagnostic push")                                          \
    _Pragma("GCC diagnostic error \"-Wmissing-field-initializers\"")        \
    static inline G_GNUC_UNUSED type type##_all_fields(const type pointer)  \
    {                                                                       \
        return (type) { __VA_ARGS__ };                                      \
    }                                                                       \
    _Pragma("GCC diagnostic pop")

/* ------------------------------------------------------------------------ */
/* var-service-guid.c */

/* A GUID as it stands on the wire (mixed endian, UEFI 2.10 appendix A) */
typedef struct UefiGuid {
    uint8_t b[16];
} UefiGuid;

#define UEFI_GUID_TEXT_LEN 36   /* characters, without the terminator */

/* The initializer of a UefiGuid from its printed form aaaaaaaa-bbbb-cccc-… */
#define UEFI_GUID(a, b, c, d0, d1, e0, e1, e2, e3, e4, e5)                  \
    { { (a) & 0xff, ((a) >> 8) & 0xff, ((a) >> 16) & 0xff, (a) >> 24,       \
        (b) & 0xff, (b) >> 8, (c) & 0xff, (c) >> 8,                         \
        d0, d1, e0, e1, e2, e3, e4, e5 } }

/* Message targets */
extern const UefiGuid uefi_guid_variable_protocol;
extern const UefiGuid uefi_guid_policy_protocol;
extern const UefiGuid uefi_guid_end_of_dxe;
extern const UefiGuid uefi_guid_ready_to_boot;
extern const UefiGuid uefi_guid_exit_boot_services;

/* Variable vendors */
extern const UefiGuid uefi_guid_global;
extern const UefiGuid uefi_guid_image_security;
extern const UefiGuid uefi_guid_secure_boot_enable;
extern const UefiGuid uefi_guid_custom_mode;
extern const UefiGuid uefi_guid_vendor_keys_nv;
extern const UefiGuid uefi_guid_cert_db;
extern const UefiGuid uefi_guid_hw_error;
extern const UefiGuid uefi_guid_var_error_flag;
extern const UefiGuid uefi_guid_mor_control;
extern const UefiGuid uefi_guid_mor_control_lock;

/* Certificate and signature types */
extern const UefiGuid uefi_guid_cert_pkcs7;
extern const UefiGuid uefi_guid_cert_x509;
extern const UefiGuid uefi_guid_cert_sha1;
extern const UefiGuid uefi_guid_cert_sha224;
extern const UefiGuid uefi_guid_cert_sha256;
extern const UefiGuid uefi_guid_cert_sha384;
extern const UefiGuid uefi_guid_cert_sha512;
extern const UefiGuid uefi_guid_cert_rsa2048;
extern const UefiGuid uefi_guid_cert_rsa2048_sha1;
extern const UefiGuid uefi_guid_cert_rsa2048_sha256;
extern const UefiGuid uefi_guid_cert_x509_sha256;
extern const UefiGuid uefi_guid_cert_x509_sha384;
extern const UefiGuid uefi_guid_cert_x509_sha512;

bool uefi_guid_equal(const UefiGuid *a, const UefiGuid *b);

/**
 * uefi_guid_parse: read the canonical text form, either case
 *
 * Returns false, with @guid untouched, for anything else.
 */
bool uefi_guid_parse(const char *text, UefiGuid *guid);

/**
 * uefi_guid_print: the canonical text form in lower case; the caller frees
 */
char *uefi_guid_print(const UefiGuid *guid);

/**
 * uefi_guid_name: a short name such as "GLOBAL", or NULL when not known here
 */
const char *uefi_guid_name(const UefiGuid *guid);

/* ------------------------------------------------------------------------ */
/* var-service-utils.c: CHAR16 strings, times, variables */

/*
 * CHAR16 strings are arrays of 16-bit units in host byte order that end with
 * a zero unit.  Any other unit is legal in the name of a variable, surrogates
 * without partner included.
 */

/** uefi_str_len: length in units, without the terminator */
size_t uefi_str_len(const uint16_t *str);

/** uefi_str_size: size in bytes on the wire, terminator included */
size_t uefi_str_size(const uint16_t *str);

bool uefi_str_equal(const uint16_t *a, const uint16_t *b);

/** uefi_str_is: whether @str has exactly the characters of @ascii */
bool uefi_str_is(const uint16_t *str, const char *ascii);

/** uefi_str_dup: a copy; the caller frees */
uint16_t *uefi_str_dup(const uint16_t *str);

/** uefi_str_from_ascii: @ascii as CHAR16; the caller frees */
uint16_t *uefi_str_from_ascii(const char *ascii);

/**
 * uefi_str_append: @str as UTF-8, at the end of @out
 * @escape: ASCII characters that must not appear as themselves
 *
 * They, surrogates without partner, control characters and what is no
 * character at all become \uXXXX, unit for unit.
 */
void uefi_str_append(GString *out, const uint16_t *str, const char *escape);

/**
 * uefi_str_append_visible: text for people
 *
 * As above, and what cannot be seen or steers a terminal becomes \uXXXX, too.
 */
void uefi_str_append_visible(GString *out, const uint16_t *str);

/**
 * uefi_str_print: the same for names, a backslash becoming \u005c
 *
 * So no two names are printed alike.  The caller frees.
 */
char *uefi_str_print(const uint16_t *str);

/** uefi_hex_append: two digits for each byte, in small letters */
void uefi_hex_append(GString *out, const uint8_t *data, size_t size);

/* An EFI_TIME as it stands on the wire */
typedef struct UefiTime {
    uint8_t b[EFI_TIME_SIZE];
} UefiTime;

/**
 * uefi_time_compare: by year, month, day, hour, minute and second
 *
 * Returns less than, equal to or greater than 0, as @a is to @b.
 */
int uefi_time_compare(const UefiTime *a, const UefiTime *b);

/**
 * uefi_time_print: "YYYY-MM-DDThh:mm:ss", or NULL if all of that is 0
 *
 * The caller frees it.
 */
char *uefi_time_print(const UefiTime *time);

/*
 * A variable.  Values are immutable and shared; a variable whose data is NULL
 * stands for its removal in a UefiVarChange.
 */
typedef struct UefiVariable {
    UefiGuid guid;
    uint16_t *name;         /* owned */
    size_t name_size;       /* bytes, terminator included */
    uint32_t attributes;    /* never with EFI_ATTR_AP */
    UefiTime time;          /* zero unless EFI_ATTR_AT */
    GBytes *data;           /* owned reference */
    GBytes *binding;        /* signer (7.4), owned reference; NULL for none */
    bool in_place;          /* in a change: keep the place of the old value */
    GList link[2];          /* place in the store, one for each UefiVarView */
} UefiVariable;

/**
 * uefi_variable_new: a variable outside any store, its time zero
 * @name: copied
 * @data: reference is taken over; NULL for a removal
 */
UefiVariable *uefi_variable_new(const UefiGuid *guid, const uint16_t *name,
                                uint32_t attributes, GBytes *data);
void uefi_variable_free(UefiVariable *var);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(UefiVariable, uefi_variable_free)

/** uefi_variable_key: to look a variable up by; borrows @name */
UefiVariable uefi_variable_key(const UefiGuid *guid, const uint16_t *name);

/**
 * uefi_variable_compare: a total order by GUID and name, for a GTree
 *
 * Guests choose names.  Whatever they are, a tree finds each in a few steps; a
 * hash that the guest knows does not.
 */
int uefi_variable_compare(gconstpointer a, gconstpointer b, gpointer unused);

/** uefi_bytes_set_new: a set of GBytes, which it owns, for the same reason */
GTree *uefi_bytes_set_new(void);

/** uefi_variable_is: whether @var is the one named (@guid, @ascii) */
bool uefi_variable_is(const UefiVariable *var, const UefiGuid *guid,
                      const char *ascii);

/** uefi_variable_is_persistent: whether @var belongs into the file */
bool uefi_variable_is_persistent(const UefiVariable *var);

/* ------------------------------------------------------------------------ */
/* var-service-msg.c: the cursor */

/*
 * Reads and writes the fields of a message, all little endian.  A field
 * beyond the end reads as zero, is not written, and sets @overrun, which
 * stays set: handlers look at it once.
 */
typedef struct UefiMsg {
    uint8_t *buf;       /* borrowed */
    size_t size;        /* bytes */
    size_t pos;         /* offset of the next field, bytes */
    unsigned un_size;   /* width of the guest's UINTN: 4 or 8 bytes */
    bool overrun;
} UefiMsg;

void uefi_msg_init(UefiMsg *msg, void *buf, size_t size, unsigned un_size);

/** uefi_msg_left: bytes behind the cursor */
size_t uefi_msg_left(const UefiMsg *msg);

/** uefi_msg_seek: go to byte offset @pos */
void uefi_msg_seek(UefiMsg *msg, size_t pos);

uint8_t uefi_msg_get_u8(UefiMsg *msg);
uint16_t uefi_msg_get_u16(UefiMsg *msg);
uint32_t uefi_msg_get_u32(UefiMsg *msg);
uint64_t uefi_msg_get_u64(UefiMsg *msg);
uint64_t uefi_msg_get_un(UefiMsg *msg);
UefiGuid uefi_msg_get_guid(UefiMsg *msg);

/**
 * uefi_msg_get_bytes: the next @size bytes in place
 *
 * Returns NULL on overrun, else a pointer into the message, never NULL.
 */
const uint8_t *uefi_msg_get_bytes(UefiMsg *msg, size_t size);

/**
 * uefi_msg_get_str: a CHAR16 string from the next @size bytes
 *
 * The string ends at its first NUL; units behind it are passed over, and so
 * is an odd last byte.  Returns NULL, for the caller to free otherwise, when
 * there is no NUL in the whole units, or on overrun.
 */
uint16_t *uefi_msg_get_str(UefiMsg *msg, size_t size);

/**
 * uefi_msg_get_name: the same for the name of a variable (M5)
 *
 * The last whole unit must be a NUL, too; an earlier one ends the name.
 */
uint16_t *uefi_msg_get_name(UefiMsg *msg, size_t size);

void uefi_msg_put_u8(UefiMsg *msg, uint8_t value);
void uefi_msg_put_u16(UefiMsg *msg, uint16_t value);
void uefi_msg_put_u32(UefiMsg *msg, uint32_t value);
void uefi_msg_put_u64(UefiMsg *msg, uint64_t value);
void uefi_msg_put_un(UefiMsg *msg, uint64_t value);
void uefi_msg_put_guid(UefiMsg *msg, const UefiGuid *guid);
void uefi_msg_put_bytes(UefiMsg *msg, const void *data, size_t size);

/** uefi_msg_put_str: the units of @str and its terminator */
void uefi_msg_put_str(UefiMsg *msg, const uint16_t *str);

/** uefi_msg_put_status: a UINTN-sized status, with the error bit if one */
void uefi_msg_put_status(UefiMsg *msg, EfiStatus status);

/* ------------------------------------------------------------------------ */
/* Limits: one number each, with the edk2 constant that it mirrors */

typedef struct UefiVarLimits {
    uint32_t nv_size;           /* PcdFlashNvStorageVariableSize */
    uint32_t volatile_size;     /* PcdVariableStoreSize */
    uint32_t max_var;           /* PcdMaxVariableSize */
    uint32_t max_auth;          /* PcdMaxAuthVariableSize */
    uint32_t max_volatile;      /* PcdMaxVolatileVariableSize */
    uint32_t max_hwerr;         /* PcdMaxHardwareErrorVariableSize */
    uint32_t hwerr_quota;       /* PcdHwErrStorageSize */
} UefiVarLimits;

#define UEFI_LIMIT_NV_SIZE          0x40000
#define UEFI_LIMIT_NV_SIZE_MIN      4096
/*
 * QEMU's JSON parser takes 2 million tokens, and the least record can become
 * 26 of them: what fits here can be read again.
 */
#define UEFI_LIMIT_NV_SIZE_MAX      0x400000
#define UEFI_LIMIT_VOLATILE_SIZE    0x40000
#define UEFI_LIMIT_MAX_VAR          0x8400
#define UEFI_LIMIT_MAX_AUTH         0x8400
#define UEFI_LIMIT_MAX_VOLATILE     0x8400
#define UEFI_LIMIT_MAX_HWERR        0x8000
#define UEFI_LIMIT_HWERR_QUOTA      0

/* What a guest can make the host hold that is no variable (ours) */
#define UEFI_LIMIT_POLICY_BYTES     0x10000     /* all of the guest, bytes */
#define UEFI_LIMIT_PROPERTIES       512         /* set by function 9 */
#define UEFI_LIMIT_PROPERTY_BYTES   0x10000     /* all their names, bytes */
#define UEFI_LIMIT_LANG_CODES       0x1000      /* each list, bytes */
#define UEFI_LIMIT_LANG_TAG         255         /* one language, characters */
/* Signer of one variable (7.4), bytes: a digest, or few certificates (T3) */
#define UEFI_LIMIT_BINDING          0x2000
/* What a guest can make the host walk in one request (ours) */
#define UEFI_LIMIT_CERTIFICATES     64          /* in one signature */
#define UEFI_LIMIT_PARSE_EFFORT     0x2000000   /* squared sizes of those */
#define UEFI_LIMIT_VALUE_EFFORT     0x4000000   /* the same for a value's */
#define UEFI_LIMIT_IGNORED_BYTES    8192        /* attributes, CRLs */
#define UEFI_LIMIT_SIGNERS          4           /* in one signature */
#define UEFI_LIMIT_ATTRIBUTES       32          /* of one signer */
#define UEFI_LIMIT_EXTENSIONS       64          /* of one certificate */
#define UEFI_LIMIT_KEY_BITS         8192        /* of one RSA key */
#define UEFI_LIMIT_KEY_EFFORT       64          /* RSA-2048 verifications */

/* ------------------------------------------------------------------------ */
/* var-service-store.c: variables; find, order, quota, change sets */

/* Who looks: at runtime only variables with EFI_ATTR_RT exist. */
typedef enum UefiVarView {
    UEFI_VIEW_BOOT,
    UEFI_VIEW_RUNTIME,
    UEFI_VIEW__MAX
} UefiVarView;

/* What a variable counts against */
typedef enum UefiVarClass {
    UEFI_CLASS_VOLATILE,
    UEFI_CLASS_NV,
    UEFI_CLASS_HWERR,
    UEFI_CLASS__MAX
} UefiVarClass;

/* Variables set and removed by one request, in order, all or nothing */
typedef struct UefiVarChange {
    GPtrArray *vars;        /* UefiVariable, owned */
} UefiVarChange;

UefiVarChange *uefi_var_change_new(void);
void uefi_var_change_free(UefiVarChange *change);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(UefiVarChange, uefi_var_change_free)

/** uefi_var_change_add: @var is taken over; without data it is a removal */
void uefi_var_change_add(UefiVarChange *change, UefiVariable *var);

/** uefi_var_change_remove: remove the variable (@guid, @name) */
void uefi_var_change_remove(UefiVarChange *change, const UefiGuid *guid,
                            const uint16_t *name);

typedef struct UefiVarStore UefiVarStore;

/** uefi_store_new: an empty store; @limits is borrowed for its life */
UefiVarStore *uefi_store_new(const UefiVarLimits *limits);
void uefi_store_free(UefiVarStore *store);

/** uefi_store_find: the variable as stored, or NULL; valid until a change */
const UefiVariable *uefi_store_find(const UefiVarStore *store,
                                    UefiVarView view, const UefiGuid *guid,
                                    const uint16_t *name);

/** uefi_store_find_ascii: the same, for a well-known name */
const UefiVariable *uefi_store_find_ascii(const UefiVarStore *store,
                                          UefiVarView view,
                                          const UefiGuid *guid,
                                          const char *name);

/**
 * uefi_store_next: the variable behind @var, or the first for NULL
 *
 * Volatile variables come first, then non-volatile ones, each in the order of
 * their last effective write (8).  Returns NULL at the end.
 */
const UefiVariable *uefi_store_next(const UefiVarStore *store,
                                    UefiVarView view,
                                    const UefiVariable *var);

/** uefi_store_class: what @attributes count against */
UefiVarClass uefi_store_class(uint32_t attributes);

/** uefi_store_capacity: bytes of records that a class can hold */
uint64_t uefi_store_capacity(const UefiVarStore *store, UefiVarClass class);

/** uefi_store_used: bytes of records that a class holds */
uint64_t uefi_store_used(const UefiVarStore *store, UefiVarClass class);

/**
 * uefi_store_bindings: bytes of the signers that a class is bound to (7.4)
 *
 * A digest is smaller than the record of its variable: a guest cannot make
 * them larger than the capacity of the class.
 */
uint64_t uefi_store_bindings(const UefiVarStore *store, UefiVarClass class);

/** uefi_store_record_size: bytes that a variable counts for (3.8) */
uint64_t uefi_store_record_size(const uint16_t *name, size_t data_size);

/**
 * uefi_store_check: whether the store can hold what @change makes of it
 *
 * Only a class that grows is checked, so that an overfull store (a smaller
 * limit than last time) can still shrink.
 */
UefiReason uefi_store_check(const UefiVarStore *store,
                            const UefiVarChange *change);

/**
 * uefi_store_fits: whether the variables of a class are not too many to load
 *
 * Those that init makes, whatever the quota (9.1), are not counted: a guest
 * may have removed them and filled the store.
 */
bool uefi_store_fits(const UefiVarStore *store, UefiVarClass class);

/** uefi_store_all_fit: the same of every class, and of their bindings */
bool uefi_store_all_fit(const UefiVarStore *store);

/** uefi_store_apply: publish @change and leave it empty */
void uefi_store_apply(UefiVarStore *store, UefiVarChange *change);

/** uefi_store_drop_volatile: what a hard reset does to variables */
void uefi_store_drop_volatile(UefiVarStore *store);

/** uefi_var_change_touches_nv: whether @change alters what is persistent */
bool uefi_var_change_touches_nv(const UefiVarStore *store,
                                const UefiVarChange *change);

/* ------------------------------------------------------------------------ */
/* var-service-core.c: the service, its phases, dispatch of messages */

/* Phases of a boot; they only go forward until a hard reset (H12). */
typedef enum UefiVarPhase {
    UEFI_PHASE_DXE,             /* platform firmware alone runs */
    UEFI_PHASE_END_OF_DXE,      /* checks and policies are enforced */
    UEFI_PHASE_READY_TO_BOOT,   /* a boot option is about to run */
    UEFI_PHASE_RUNTIME,         /* after ExitBootServices */
    UEFI_PHASE__MAX
} UefiVarPhase;

/* The answer to a request, for traces and tests */
typedef struct UefiVarAnswer {
    const char *request;        /* name of the function; static */
    UefiGuid guid;
    uint16_t *name;             /* owned; NULL where the request has none */
    UefiReason reason;
} UefiVarAnswer;

/* What the service needs of its host; every member may be NULL. */
typedef struct UefiVarHost {
    /*
     * Make @change durable before it is published; called only for changes
     * that touch non-volatile variables.  Anything but UEFI_REASON_OK means
     * that nothing was saved, and the guest is told so.
     */
    UefiReason (*save)(void *opaque, const UefiVarChange *change);
    /*
     * @change is about to be published, even if it could not be saved, which
     * happens to state of the service itself
     */
    void (*changed)(void *opaque, const UefiVarChange *change, bool saved);
    /* A request has been answered */
    void (*answered)(void *opaque, const UefiVarAnswer *answer);
    void (*phase)(void *opaque, UefiVarPhase phase);
} UefiVarHost;

/* Choices of the host administrator; constant for the life of the service */
typedef struct UefiVarConfig {
    UefiVarLimits limits;
    bool force_secure_boot;         /* 7.6 */
    bool disable_custom_mode;       /* 7.6 */
    bool auth_delete_needs_signature;   /* 7.2 K9; edk2: false */
    bool has_tpm;                   /* 5.4: keep MOR at EndOfDxe */
    bool allow_policy_disable;      /* 6.1 command 1; default off */
} UefiVarConfig;

/** uefi_vars_default_config: the configuration of a stock OVMF build */
UefiVarConfig uefi_vars_default_config(void);

typedef struct UefiVarCheckState UefiVarCheckState;
typedef struct UefiVarPolicyState UefiVarPolicyState;
typedef struct UefiVarAuthState UefiVarAuthState;

struct UefiVarService {
    UefiVarConfig config;
    const UefiVarHost *host;        /* borrowed */
    void *host_opaque;
    UefiVarStore *store;
    UefiVarPhase phase;
    UefiVarCheckState *check;       /* var-service-check.c */
    UefiVarPolicyState *policy;     /* var-service-policy.c */
    UefiVarAuthState *auth;         /* var-service-auth.c */
    UefiVarAnswer answer;           /* to the last request */
};

/**
 * uefi_vars_new: a service with an empty store, before its first reset
 *
 * @config is copied; @host is borrowed for the life of the service and may be
 * NULL for a service that keeps nothing.
 */
UefiVarService *uefi_vars_new(const UefiVarConfig *config,
                              const UefiVarHost *host, void *host_opaque);
void uefi_vars_free(UefiVarService *uv);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(UefiVarService, uefi_vars_free)

/**
 * uefi_vars_hard_reset: power on and system reset (9.1)
 *
 * Volatile variables and all state of the boot go; derived variables are
 * made anew.  Call once after loading the store, too.  Not for S3 wake-up.
 */
void uefi_vars_hard_reset(UefiVarService *uv);

/**
 * uefi_vars_message_size: bytes of a message, from its first bytes
 * @head: the first @head_size bytes of the message
 * @head_size: at least EFI_MM_HEADER_SIZE_64, or all that the buffer has
 * @buffer_size: of the exchange buffer
 *
 * Returns 0 when the header or the length it announces does not fit the
 * buffer, which is UEFI_VARS_STS_ERR_BAD_BUFFER_SIZE to the guest.
 */
size_t uefi_vars_message_size(const uint8_t *head, size_t head_size,
                              size_t buffer_size);

/**
 * uefi_vars_message: handle one message
 * @buf: the host's own copy of the message, header included; the reply
 *       replaces it
 * @size: bytes, from uefi_vars_message_size()
 * @buffer_size: of the exchange buffer
 *
 * Returns a UEFI_VARS_STS_ value; the reply goes back to the guest, @size
 * bytes of it, only for UEFI_VARS_STS_SUCCESS.
 */
uint16_t uefi_vars_message(UefiVarService *uv, uint8_t *buf, size_t size,
                           size_t buffer_size);

/** uefi_vars_enter_phase: go forward to @phase; nothing if already there */
void uefi_vars_enter_phase(UefiVarService *uv, UefiVarPhase phase);

/** uefi_vars_view: what the guest can see in this phase */
UefiVarView uefi_vars_view(const UefiVarService *uv);

/** uefi_vars_checks_on: whether VarCheck and policies are enforced (5) */
bool uefi_vars_checks_on(const UefiVarService *uv);

/** uefi_vars_at_runtime: whether ExitBootServices has been called */
bool uefi_vars_at_runtime(const UefiVarService *uv);

/**
 * uefi_vars_note: remember what is being asked, for the answer
 * @request: static
 * @guid, @name: NULL where the request names no variable
 */
void uefi_vars_note(UefiVarService *uv, const char *request,
                    const UefiGuid *guid, const uint16_t *name);

/* ------------------------------------------------------------------------ */
/* var-service-vars.c: the variable protocol */

/* A SetVariable request after the checks of 4.2 rows 1 to 10 */
typedef struct UefiVarRequest {
    UefiGuid guid;
    const uint16_t *name;
    uint32_t attributes;        /* as passed, EFI_ATTR_AP included */
    const uint8_t *data;        /* as passed, descriptor included */
    size_t size;                /* bytes */
    const uint8_t *payload;     /* the new value: data without descriptor */
    size_t payload_size;        /* bytes */
    UefiTime time;              /* of the descriptor; zero without AT */
    GBytes *binding;            /* new signer (7.4), borrowed, or NULL */
    const UefiVariable *old;    /* as stored, without regard to RT, or NULL */
} UefiVarRequest;

/** uefi_vars_is_for: whether the request names (@guid, @ascii) */
bool uefi_vars_is_for(const UefiVarRequest *req, const UefiGuid *guid,
                      const char *ascii);

/** uefi_vars_is_delete: no append and no payload, or no attributes (4.2) */
bool uefi_vars_is_delete(const UefiVarRequest *req);

/**
 * uefi_vars_handle: answer one message of the variable protocol (3)
 * @msg: message data, cursor at 0
 * @buffer_size: of the exchange buffer
 *
 * Returns false when the message is too short for a status (M1).
 */
bool uefi_vars_handle(UefiVarService *uv, UefiMsg *msg, size_t buffer_size);

/**
 * uefi_vars_set: SetVariable, all of 4.2 for a request of the guest
 * @data, @size: as passed, descriptor included
 */
UefiReason uefi_vars_set(UefiVarService *uv, const UefiGuid *guid,
                         const uint16_t *name, uint32_t attributes,
                         const uint8_t *data, size_t size);

/**
 * uefi_vars_host_attributes: whether uefi_vars_host_set() takes @attributes
 *
 * For tools as well: whoever passes others makes a variable that no guest
 * could have made.
 */
UefiReason uefi_vars_host_attributes(const UefiVarLimits *limits,
                                     uint32_t attributes);

/**
 * uefi_vars_host_set: set a variable for the administrator of the host
 * @attributes: all of them, as they are to be; without EFI_ATTR_AP
 * @data: the new value, without descriptor; @size bytes, at least 1
 * @force: authenticated variables, too
 *
 * What is known to be wrong is refused as for a guest: attributes, sizes,
 * content of well-known variables, state of the service itself.  Phases,
 * policies and signatures don't matter.  The time stamp of the old value
 * stays, so that no older update of a signer comes back, and so does the
 * signer that a variable is bound to; a new one has neither.
 */
UefiReason uefi_vars_host_set(UefiVarService *uv, const UefiGuid *guid,
                              const uint16_t *name, uint32_t attributes,
                              const uint8_t *data, size_t size, bool force);

/** uefi_vars_host_delete: the same for removing a variable */
UefiReason uefi_vars_host_delete(UefiVarService *uv, const UefiGuid *guid,
                                 const uint16_t *name, bool force);

/**
 * uefi_vars_write: steps 12 to 18 of 4.2, then commit
 */
UefiReason uefi_vars_write(UefiVarService *uv, const UefiVarRequest *req);

/**
 * uefi_vars_update: the store update of 4.3, into @change
 *
 * Adds nothing when the request has no effect (U4, C1).
 */
UefiReason uefi_vars_update(UefiVarService *uv, const UefiVarRequest *req,
                            UefiVarChange *change);

/**
 * uefi_vars_put: set a variable of the service itself, into @change
 *
 * No checks, and whatever stood there is replaced.  Returns the variable in
 * @change, or NULL when it already is exactly that and nothing was added.
 */
UefiVariable *uefi_vars_put(UefiVarService *uv, UefiVarChange *change,
                            const UefiGuid *guid, const char *name,
                            uint32_t attributes, const void *data,
                            size_t size);

/**
 * uefi_vars_commit: quota, durable, published; in that order, or not at all
 *
 * @change is empty afterwards if it was published.
 */
UefiReason uefi_vars_commit(UefiVarService *uv, UefiVarChange *change);

/**
 * uefi_vars_commit_own: publish the service's own state whatever happens
 *
 * For init and phase changes (9.1, 9.2): a full quota or a failing disk must
 * not leave a guest with yesterday's secure boot state.
 */
void uefi_vars_commit_own(UefiVarService *uv, UefiVarChange *change);

/* ------------------------------------------------------------------------ */
/* var-service-check.c: rules for well-known variables (5) */

UefiVarCheckState *uefi_check_new(void);
void uefi_check_free(UefiVarCheckState *check);

/** uefi_check_reset: forget everything that belongs to one boot */
void uefi_check_reset(UefiVarService *uv);

/** uefi_check_end_of_dxe: the actions of 9.2 on MOR and VarErrorFlag */
void uefi_check_end_of_dxe(UefiVarService *uv);

/**
 * uefi_check_mor: step 11 of 4.2, the memory-overwrite variables (5.4)
 *
 * Returns true when the request ends here, with the answer in @reason.
 */
bool uefi_check_mor(UefiVarService *uv, const UefiVarRequest *req,
                    UefiReason *reason);

/** uefi_check_rules: VarCheck alone, V1 to V7 */
UefiReason uefi_check_rules(UefiVarService *uv, const UefiVarRequest *req);

/** uefi_check_set: VarCheck, then the policies; after EndOfDxe */
UefiReason uefi_check_set(UefiVarService *uv, const UefiVarRequest *req);

/** uefi_check_language: step 15 of 4.2 (5.5), into @change */
UefiReason uefi_check_language(UefiVarService *uv, const UefiVarRequest *req,
                               UefiVarChange *change);

/** uefi_check_no_room: an NV write failed for want of space (5.6) */
void uefi_check_no_room(UefiVarService *uv);

/** uefi_check_property_set, _get: functions 9 and 10, cursor at payload */
UefiReason uefi_check_property_set(UefiVarService *uv, UefiMsg *msg);
UefiReason uefi_check_property_get(UefiVarService *uv, UefiMsg *msg);

/* Domain of the errors of uefi_check_load() and uefi_policy_load() */
#define UEFI_STATE_ERROR (uefi_state_error_quark())
GQuark uefi_state_error_quark(void);

/**
 * uefi_check_save: state of the boot for migration; the caller unrefs
 *
 * Properties set by function 9, MOR lock and key, language lists, shadow of
 * VarErrorFlag; versioned, little endian.
 */
GBytes *uefi_check_save(const UefiVarService *uv);

/**
 * uefi_check_load: take over what uefi_check_save() gave
 *
 * Everything is validated first; on failure nothing has changed.
 */
bool uefi_check_load(UefiVarService *uv, GBytes *bytes, GError **err);

/* ------------------------------------------------------------------------ */
/* var-service-policy.c: variable policies (6) */

UefiVarPolicyState *uefi_policy_new(void);
void uefi_policy_free(UefiVarPolicyState *policy);
void uefi_policy_reset(UefiVarService *uv);

/**
 * uefi_policy_handle: answer one message of the policy protocol
 *
 * Returns false when the message is too short for a result (P1).
 */
bool uefi_policy_handle(UefiVarService *uv, UefiMsg *msg);

/** uefi_policy_lock: no more policies in this boot (command 5, EndOfDxe) */
void uefi_policy_lock(UefiVarService *uv);

/** uefi_policy_locked: whether policies can no longer be registered */
bool uefi_policy_locked(const UefiVarService *uv);

/** uefi_policy_count: number of registered policies */
size_t uefi_policy_count(const UefiVarService *uv);

/** uefi_policy_disabled: whether command 1 has succeeded */
bool uefi_policy_disabled(const UefiVarService *uv);

/** uefi_policy_check: rows N1 to N6 for a SetVariable */
UefiReason uefi_policy_check(UefiVarService *uv, const UefiVarRequest *req);

/** uefi_policy_lock_variable: function 8, a LOCK_NOW policy for one name */
UefiReason uefi_policy_lock_variable(UefiVarService *uv, const UefiGuid *guid,
                                     const uint16_t *name);

/**
 * uefi_policy_lock_now: a LOCK_NOW policy of the service itself (5.4)
 *
 * Neither the lock nor the guest's own policies, however many, stand in its
 * way; a policy that the name already has stays as it is.
 */
UefiReason uefi_policy_lock_now(UefiVarService *uv, const UefiGuid *guid,
                                const uint16_t *name);

/**
 * uefi_policy_save: all policies and flags for migration; the caller unrefs
 *
 * Versioned, little endian.  The snapshot of a DUMP in progress is left out:
 * the client starts over (6.6).
 */
GBytes *uefi_policy_save(const UefiVarService *uv);

/**
 * uefi_policy_load: take over what uefi_policy_save() gave
 *
 * Everything is validated first; on failure nothing has changed.
 */
bool uefi_policy_load(UefiVarService *uv, GBytes *bytes, GError **err);

/* ------------------------------------------------------------------------ */
/* var-service-auth.c: authenticated variables and secure boot state (7) */

UefiVarAuthState *uefi_auth_new(void);
void uefi_auth_free(UefiVarAuthState *auth);

/** uefi_auth_init: derived variables at hard reset, in the order of 9.1 */
void uefi_auth_init(UefiVarService *uv);

/**
 * uefi_auth_protect: variables that no guest may write in this way (7.6, 7.7)
 *
 * State of the service is read-only in every phase, whatever the attributes
 * of the request, so this comes before all else that looks at the store.
 */
UefiReason uefi_auth_protect(UefiVarService *uv, const UefiVarRequest *req);

/**
 * uefi_auth_set: steps 16 to 18 of 4.2: who may write, then 4.3
 *
 * On success @change holds every variable that the request sets or removes.
 */
UefiReason uefi_auth_set(UefiVarService *uv, const UefiVarRequest *req,
                         UefiVarChange *change);

/**
 * uefi_auth_committed: @req has been committed; follow with cached state
 *
 * @req->old is NULL by now.
 */
void uefi_auth_committed(UefiVarService *uv, const UefiVarRequest *req);

/**
 * uefi_auth_force: what follows from a request of the host, into @change
 *
 * The request itself is in there already; nobody has signed it.  Keys are
 * checked to be signature lists, and have all effects that they have when a
 * guest writes them in custom mode: enrolling or removing PK changes the
 * platform mode at once.
 */
UefiReason uefi_auth_force(UefiVarService *uv, const UefiVarRequest *req,
                           UefiVarChange *change);

/** uefi_auth_forced: it has been committed; follow with cached state */
void uefi_auth_forced(UefiVarService *uv);

/** uefi_auth_setup_mode: cached platform mode, never read from a variable */
bool uefi_auth_setup_mode(const UefiVarService *uv);

/* What the next reset will make of SecureBoot, and why */
typedef enum UefiSecureBoot {
    UEFI_SECURE_BOOT_SETUP_MODE,    /* off: there is no PK */
    UEFI_SECURE_BOOT_DISABLED,      /* off: SecureBootEnable is not 1 */
    UEFI_SECURE_BOOT_ENABLED,       /* on */
    UEFI_SECURE_BOOT_FORCED,        /* on, as the host insists */
} UefiSecureBoot;

/** uefi_auth_next_secure_boot: from the variables as they are now (9.1) */
UefiSecureBoot uefi_auth_next_secure_boot(const UefiVarService *uv);

static inline bool uefi_secure_boot_is_on(UefiSecureBoot state)
{
    return state == UEFI_SECURE_BOOT_ENABLED ||
           state == UEFI_SECURE_BOOT_FORCED;
}

/**
 * uefi_auth_save: cached state for migration; the caller unrefs
 *
 * Versioned, little endian.
 */
GBytes *uefi_auth_save(const UefiVarService *uv);

/**
 * uefi_auth_load: take over what uefi_auth_save() gave
 *
 * Call it after the store has been loaded, with which the state must agree.
 * Everything is validated first; on failure nothing has changed.
 */
bool uefi_auth_load(UefiVarService *uv, GBytes *bytes, GError **err);

/* ------------------------------------------------------------------------ */
/* var-service-state.c: the whole state, for migration */

/**
 * uefi_vars_state_save: phase, variables, checks, policies and trust
 *
 * Versioned, little endian; the caller unrefs.
 */
GBytes *uefi_vars_state_save(const UefiVarService *uv);

/**
 * uefi_vars_state_load: become what uefi_vars_state_save() gave
 * @data, @size: bytes that may come from anywhere
 *
 * Everything is validated first; on failure nothing has changed.  The host is
 * not asked to save anything.
 */
bool uefi_vars_state_load(UefiVarService *uv, const uint8_t *data, size_t size,
                          GError **err);

/** uefi_vars_state_max: more bytes than any state can have that fits @uv */
size_t uefi_vars_state_max(const UefiVarService *uv);

#endif /* HW_UEFI_VAR_SERVICE_H */
