/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: the request, and what it does to the store
 *
 * What every rule works with: the service and its state, the request, the
 * questions that rules ask about phase and view, the store update of 4.3, and
 * the commit.  It does not know who asks, nor why it is allowed.
 */

#ifndef HW_UEFI_VAR_SERVICE_UPDATE_H
#define HW_UEFI_VAR_SERVICE_UPDATE_H

#include "hw/uefi/var-service-store.h"

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

#define UEFI_MOR_KEY_SIZE   8

typedef struct UefiVarCheckState UefiVarCheckState;
typedef struct UefiVarPolicyState UefiVarPolicyState;

/* The lock of the memory-overwrite request (5.4) */
typedef struct UefiMorState {
    bool locked;
    bool has_key;
    uint8_t key[UEFI_MOR_KEY_SIZE];
} UefiMorState;

/* Lists of languages (5.5), NULL until they are written */
typedef struct UefiLangState {
    char *codes;
    char *platform_codes;
} UefiLangState;

/* Cached, so that no variable that a guest could write is believed (H13) */
typedef struct UefiTrustState {
    bool setup_mode;            /* there is no PK */
    bool vendor_keys;           /* the value of VendorKeys */
} UefiTrustState;

/*
 * The service.  Each file keeps its own part of the state; nobody else changes
 * it.
 */
typedef struct UefiVarService {
    UefiVarConfig config;
    const UefiVarHost *host;        /* borrowed */
    void *host_opaque;
    UefiVarStore *store;
    UefiVarPhase phase;
    UefiVarCheckState *check;       /* var-service-check.c */
    UefiMorState mor;               /* var-service-mor.c */
    UefiLangState lang;             /* var-service-lang.c */
    UefiVarPolicyState *policy;     /* var-service-policy.c */
    UefiTrustState secure_boot;    /* var-service-secureboot.c */
    UefiVarAnswer answer;           /* to the last request */
} UefiVarService;

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

typedef struct UefiKnown UefiKnown;

/* A SetVariable request after the checks of 4.2 rows 1 to 10 */
typedef struct UefiVarRequest {
    UefiGuid guid;
    const uint16_t *name;
    const UefiKnown *known;     /* what it names (var-service-known.h) */
    uint32_t attributes;        /* as passed, EFI_ATTR_AP included */
    const uint8_t *data;        /* as passed, descriptor included */
    size_t size;                /* bytes */
    const uint8_t *payload;     /* the new value: data without descriptor */
    size_t payload_size;        /* bytes */
    UefiTime time;              /* of the descriptor; zero without AT */
    GBytes *binding;            /* new signer (7.4), borrowed, or NULL */
    const UefiVariable *old;    /* as stored, without regard to RT, or NULL */
} UefiVarRequest;

/** uefi_vars_is_delete: no append and no payload, or no attributes (4.2) */
bool uefi_vars_is_delete(const UefiVarRequest *req);

/** uefi_vars_max_record: the largest that a variable of @attributes may have */
uint32_t uefi_vars_max_record(const UefiVarService *uv, uint32_t attributes);

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

/* Domain of the errors of what loads state */
#define UEFI_STATE_ERROR (uefi_state_error_quark())
GQuark uefi_state_error_quark(void);

#endif /* HW_UEFI_VAR_SERVICE_UPDATE_H */
