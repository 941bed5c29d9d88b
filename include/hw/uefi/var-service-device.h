/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: what all devices share besides the registers
 *
 * Connects the core to the rest of QEMU: properties, the store file, the run
 * state of the machine, resets, migration.
 */

#ifndef HW_UEFI_VAR_SERVICE_DEVICE_H
#define HW_UEFI_VAR_SERVICE_DEVICE_H

#include "qemu/notify.h"
#include "qemu/timer.h"
#include "system/runstate.h"
#include "hw/uefi/var-service-regs.h"
#include "hw/uefi/var-service-storage.h"
#include "hw/uefi/var-service-rom.h"
#include "hw/uefi/var-service-watch.h"

#define UEFI_MARK_SIZE  32      /* bytes, with the terminator */

/* What travels in a migration stream, on its way in or out */
typedef struct UefiVarTransit {
    uint16_t status;
    uint64_t dma_addr;
    uint32_t buffer_size;       /* bytes */
    uint32_t pio_offset;        /* bytes */
    uint8_t *pio;               /* buffer_size bytes, owned */
    uint32_t state_size;        /* bytes */
    uint8_t *state;             /* of uefi_vars_state_save(), owned */
    uint8_t mark[UEFI_MARK_SIZE];   /* of what the store file held, or empty */

    /* Of a stream of the bundled device only */
    uint32_t dma_lo, dma_hi;
    bool end_of_dxe, ready_to_boot, exit_boot_service, policy_locked;
    UefiVarService *adopted;    /* owned */
} UefiVarTransit;

/* Plain state, no QOM object: each device embeds it. */
typedef struct UefiVarDevice {
    /* Properties */
    char *jsonfile;
    BlockBackend *drive;
    char *pcapfile;
    OnOffAuto tpm;              /* auto: look at the machine */
    UefiVarConfig config;
    UefiVarRom rom;

    UefiPcap *pcap;             /* NULL without @pcapfile */
    UefiVarRegs regs;
    UefiVarService *service;

    UefiVarStorage *storage;    /* NULL without @jsonfile and @drive */
    bool waits;                 /* for its first state to come by a stream */

    /* Writes of the guest that were refused since its last reset */
    uint64_t refused;
    UefiVarAnswer last_refused; /* its name is owned, and may be NULL */

    UefiVarWatch watch;
    UefiVarTransit transit;
} UefiVarDevice;

/* By this interface the device is found, whatever bus it is on. */
#define TYPE_UEFI_VARS_IF "uefi-vars-if"
typedef struct UefiVarsIf UefiVarsIf;
typedef struct UefiVarsIfClass UefiVarsIfClass;
DECLARE_CLASS_CHECKERS(UefiVarsIfClass, UEFI_VARS_IF, TYPE_UEFI_VARS_IF)

struct UefiVarsIfClass {
    InterfaceClass parent_class;
    UefiVarDevice *(*device)(Object *obj);
};

/** uefi_vars_find: the store of the machine, or NULL */
UefiVarDevice *uefi_vars_find(void);

/*
 * The properties of every device: to be listed in its array, @field being the
 * UefiVarDevice in the device's state.  uefi_vars_device_class_init() tells
 * what they mean.
 */
#define DEFINE_UEFI_VARS_STORE_PROPERTIES(state, field)                     \
    DEFINE_PROP_STRING("jsonfile", state, field.jsonfile),                  \
    DEFINE_PROP_DRIVE("drive", state, field.drive),                         \
    DEFINE_PROP_ON_OFF_AUTO("tpm", state, field.tpm, ON_OFF_AUTO_AUTO),     \
    DEFINE_PROP_BOOL("force-secure-boot", state,                            \
                     field.config.force_secure_boot, false),                \
    DEFINE_PROP_BOOL("disable-custom-mode", state,                          \
                     field.config.disable_custom_mode, false),              \
    DEFINE_PROP_BOOL("auth-delete-needs-signature", state,                  \
                     field.config.auth_delete_needs_signature, true),       \
    DEFINE_PROP_SIZE32("size", state, field.config.limits.nv_size,          \
                       UEFI_LIMIT_NV_SIZE),                                 \
    DEFINE_PROP_SIZE32("volatile-size", state,                              \
                       field.config.limits.volatile_size,                   \
                       UEFI_LIMIT_VOLATILE_SIZE),                           \
    DEFINE_PROP_SIZE32("max-variable-size", state,                          \
                       field.config.limits.max_var,                         \
                       UEFI_LIMIT_MAX_VAR),                                 \
    DEFINE_PROP_SIZE32("max-auth-variable-size", state,                     \
                       field.config.limits.max_auth,                        \
                       UEFI_LIMIT_MAX_AUTH),                                \
    DEFINE_PROP_SIZE32("max-volatile-variable-size", state,                 \
                       field.config.limits.max_volatile,                    \
                       UEFI_LIMIT_MAX_VOLATILE),                            \
    DEFINE_PROP_SIZE32("max-hwerr-variable-size", state,                    \
                       field.config.limits.max_hwerr,                       \
                       UEFI_LIMIT_MAX_HWERR),                               \
    DEFINE_PROP_SIZE32("hwerr-quota", state,                                \
                       field.config.limits.hwerr_quota,                     \
                       UEFI_LIMIT_HWERR_QUOTA)

/* The same, of devices with the register block */
#define DEFINE_UEFI_VARS_PROPERTIES(state, field)                           \
    DEFINE_UEFI_VARS_STORE_PROPERTIES(state, field),                        \
    DEFINE_PROP_STRING("pcapfile", state, field.pcapfile),                  \
    DEFINE_UEFI_VARS_ROM_PROPERTIES(state, field.rom),                      \
    DEFINE_PROP_BOOL("use-pio", state, field.regs.use_pio, false)

/**
 * uefi_vars_device_class_init: what is the same for the class of every device
 *
 * The class must implement TYPE_UEFI_VARS_IF, and have its properties set
 * before.
 */
void uefi_vars_device_class_init(ObjectClass *oc,
                                 UefiVarDevice *(*device)(Object *obj));

/**
 * uefi_vars_device_realize: check properties, open and load the store
 * @as: what DMA addresses mean
 * @region_size: of the register region, bytes
 *
 * The device maps @d->regs.mr afterwards.
 */
bool uefi_vars_device_realize(UefiVarDevice *d, DeviceState *dev,
                              AddressSpace *as, uint64_t region_size,
                              Error **errp);

/** uefi_vars_device_unrealize: the end of it; what else is mapped goes first */
void uefi_vars_device_unrealize(DeviceState *dev);

/** uefi_vars_device_loaded: the state has been replaced by a stream's */
void uefi_vars_device_loaded(UefiVarDevice *d, const char *mark);

/** uefi_vars_transit_clear: free what @t owns, and make it empty */
void uefi_vars_transit_clear(UefiVarTransit *t);

#endif /* HW_UEFI_VAR_SERVICE_DEVICE_H */
