/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * libqos driver for the UEFI variable service (docs/specs/uefi-vars.rst)
 *
 * Plays the firmware: finds the device in the way that the machine
 * has, programs it, and exchanges messages by DMA or by PIO, whichever the
 * device asks for.  Every exchange also checks what every reply must obey:
 * the header comes back as it was sent, nothing behind the message changes,
 * and checksums of PIO transfers are right.
 */

#ifndef LIBQOS_UEFI_VARS_H
#define LIBQOS_UEFI_VARS_H

#include "../libqtest.h"
#include "hw/uefi/var-service-api.h"
#include "hw/uefi/var-service-edk2.h"

/* ------------------------------------------------------------------------ */
/* A device of the family, and a machine that can have it */

typedef struct QUefiDevice {
    const char *name;       /* in test paths */
    const char *arch;       /* as in qtest_get_arch() */
    const char *type;       /* QOM type of the device */
    const char *machine;    /* for -M */
    uint64_t ram;           /* guest-physical address of RAM to play with */
    uint64_t base;          /* of the registers; 0: look into the FDT */
    bool is_io;             /* @base is an I/O port */
    bool is_global;         /* the machine makes it, -global configures it */
    bool is_xen;            /* no registers of ours: uefi-vars-xen.h */
} QUefiDevice;

extern const QUefiDevice quefi_devices[];
extern const size_t quefi_n_devices;

/**
 * quefi_has_device: whether the QEMU under test can have that one
 *
 * UEFI_VARS_DEVICES in the environment, "NAME NAME...", leaves only those.
 */
bool quefi_has_device(const QUefiDevice *dev);

/* RAM at QUefiDevice.ram that belongs to the test, bytes */
#define QUEFI_RAM_SIZE  0x100000

/**
 * quefi_device_args: the command line that makes a machine with the device
 * @props: properties of the device, "a=b,c=d", or NULL
 *
 * Returns a string for the shell, for the caller to free.
 */
char *quefi_device_args(const QUefiDevice *dev, const char *props);

/**
 * quefi_refused: start a QEMU that must refuse to run
 * @args: command line, as in quefi_device_args()
 *
 * Asserts that QEMU exits with status 1, and returns what it wrote to
 * stderr, for the caller to free.
 */
char *quefi_refused(const char *args);

/**
 * quefi_output: run QEMU until it exits by itself with status 0
 *
 * Returns its standard output, for the caller to free.
 */
char *quefi_output(const char *args);

/* ------------------------------------------------------------------------ */
/* A running machine */

typedef struct QUefiVars {
    QTestState *qts;
    const QUefiDevice *dev;
    char *jsonfile;         /* path, or NULL */
    char *args;             /* command line */
    uint64_t base;          /* of the registers */
    bool use_pio;           /* what the device asks for */
    uint64_t buffer;        /* guest-physical address of the exchange buffer */
    uint32_t buffer_size;   /* bytes */
    unsigned un_size;       /* width of UINTN of our messages: 8 or 4 bytes */
} QUefiVars;

/**
 * quefi_start: run a machine and attach to the device
 * @pio: whether to configure the device for PIO transfer
 * @jsonfile: path of the store, or NULL for none
 * @props: further properties of the device, or NULL
 * @args: further command line, or NULL
 */
QUefiVars *quefi_start(const QUefiDevice *dev, bool pio, const char *jsonfile,
                       const char *props, const char *args);

/** quefi_launch: the same without attaching, for an incoming migration */
QUefiVars *quefi_launch(const QUefiDevice *dev, bool pio, const char *jsonfile,
                        const char *props, const char *args);

/**
 * quefi_launch_mute: the same for one that waits before it has a monitor
 *
 * quefi_connect() comes next, when that is over.
 */
QUefiVars *quefi_launch_mute(const QUefiDevice *dev, bool pio,
                             const char *jsonfile, const char *props,
                             const char *args);

/** quefi_connect: to the monitor of quefi_launch_mute() */
void quefi_connect(QUefiVars *uv);

/** quefi_stop: quit QEMU in an orderly way */
void quefi_stop(QUefiVars *uv);

/** quefi_restart: quit QEMU and run it again with the same command line */
void quefi_restart(QUefiVars *uv);

/** quefi_crash: the same, but by SIGKILL */
void quefi_crash(QUefiVars *uv);

/**
 * quefi_migrate: to another QEMU of the same command line, through a file
 *
 * Does not attach: the device works on as it was.
 */
void quefi_migrate(QUefiVars *uv);

/** quefi_wait_migration: until query-migrate has this status */
void quefi_wait_migration(QTestState *qts, const char *status);

/** quefi_add_disk: an image that takes snapshots, at @path */
void quefi_add_disk(QUefiVars *uv, const char *path);

/** quefi_snapshot: "savevm" or "loadvm", of the one that there is */
void quefi_snapshot(QUefiVars *uv, const char *command);

/** quefi_reset: system reset, then attach again */
void quefi_reset(QUefiVars *uv);

/**
 * quefi_suspend: to RAM (S3) and back, on x86
 *
 * Asserts that a wakeup reset went through the machine.  Does not attach: the
 * device works on as it was.
 */
void quefi_suspend(QUefiVars *uv);

/** quefi_attach: find the device and program it, as firmware does */
void quefi_attach(QUefiVars *uv);

/** quefi_read, quefi_write: a register, @width bytes (1, 2, 4; 8 for MMIO) */
uint64_t quefi_read(QUefiVars *uv, unsigned offset, unsigned width);
void quefi_write(QUefiVars *uv, unsigned offset, unsigned width,
                 uint64_t value);

/** quefi_command: run a command, returns the status */
uint16_t quefi_command(QUefiVars *uv, uint16_t command);

/** quefi_program: buffer size and address registers */
void quefi_program(QUefiVars *uv, uint64_t address, uint32_t size);

/** quefi_pio_write, quefi_pio_read: all of [0, size), checking checksums */
void quefi_pio_write(QUefiVars *uv, const void *data, size_t size);
void quefi_pio_read(QUefiVars *uv, void *data, size_t size);

/** quefi_crc32c: of @size bytes, as the device computes it */
uint32_t quefi_crc32c(const void *data, size_t size);

/*
 * The device tree, as the machine left it at the start of RAM.  A node is the
 * offset of its name in the blob; 0 is none.
 */
uint8_t *quefi_fdt_load(QUefiVars *uv);
/** quefi_fdt_find: the first node that is @compatible, and its parent */
uint32_t quefi_fdt_find(const uint8_t *fdt, const char *compatible,
                        uint32_t *parent);
/** quefi_fdt_prop: a property and its length in bytes, or NULL */
const uint8_t *quefi_fdt_prop(const uint8_t *fdt, uint32_t node,
                              const char *name, uint32_t *len);

/* ------------------------------------------------------------------------ */
/* Messages */

/* GUIDs are given and returned in their printed form, in lower case. */
#define QUEFI_GUID_LEN          36

#define QUEFI_VARIABLE_PROTOCOL "ed32d533-99e6-4209-9cc0-2d72cdd998a7"
#define QUEFI_POLICY_PROTOCOL   "da1b0d11-d1a7-46c4-9dc9-f3714875c6eb"
#define QUEFI_END_OF_DXE        "02ce967a-dd7e-4ffc-9ee7-810cf0470880"
#define QUEFI_READY_TO_BOOT     "7ce88fb3-4bd7-4679-87a8-a8d8dee50d2b"
#define QUEFI_EXIT_BOOT         "27abf055-b1b8-4c26-8048-748f37baa2df"

#define QUEFI_GLOBAL            "8be4df61-93ca-11d2-aa0d-00e098032b8c"
#define QUEFI_IMGSEC            "d719b2cb-3d3a-4596-a3bc-dad00e67656f"
/* Some vendor's own */
#define QUEFI_VENDOR            "11111111-2222-3333-4444-555555555555"

#define QUEFI_NV_BS     (EFI_ATTR_NV | EFI_ATTR_BS)
#define QUEFI_BS_RT     (EFI_ATTR_BS | EFI_ATTR_RT)
#define QUEFI_NV_BS_RT  (EFI_ATTR_NV | EFI_ATTR_BS | EFI_ATTR_RT)

/*
 * A message under construction or the reply that replaced it.  Fields are
 * appended by put, and read at @pos by get.
 */
typedef struct QUefiMsg {
    GByteArray *bytes;      /* header included */
    size_t pos;             /* of the next get, bytes */
    unsigned un_size;
} QUefiMsg;

/** quefi_msg_new: a message to @guid; the header is made by quefi_send() */
QUefiMsg *quefi_msg_new(QUefiVars *uv, const char *guid);
/** quefi_buf_new: no header, just bytes; not for fields of UINTN size */
QUefiMsg *quefi_buf_new(void);
void quefi_msg_free(QUefiMsg *msg);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(QUefiMsg, quefi_msg_free)

/** quefi_msg_header_size: bytes of the MM header */
size_t quefi_msg_header_size(const QUefiMsg *msg);

void quefi_put(QUefiMsg *msg, unsigned width, uint64_t value);
void quefi_put_un(QUefiMsg *msg, uint64_t value);
void quefi_put_guid(QUefiMsg *msg, const char *guid);
void quefi_put_bytes(QUefiMsg *msg, const void *data, size_t size);
/** quefi_put_str: UTF-8 @text as CHAR16, with its terminator */
void quefi_put_str(QUefiMsg *msg, const char *text);
/** quefi_put_chars: the same without terminator */
void quefi_put_chars(QUefiMsg *msg, const char *text);

/** quefi_str_size: bytes that quefi_put_str() appends for @text */
size_t quefi_str_size(const char *text);

uint64_t quefi_get(QUefiMsg *msg, unsigned width);
uint64_t quefi_get_un(QUefiMsg *msg);
char *quefi_get_guid(QUefiMsg *msg);
void quefi_get_bytes(QUefiMsg *msg, void *data, size_t size);
char *quefi_get_str(QUefiMsg *msg, size_t size);

/** quefi_get_status: a UINTN-sized status; asserts a proper error bit */
EfiStatus quefi_get_status(QUefiMsg *msg);

/**
 * quefi_finish: fill in MessageLength
 *
 * quefi_send() does that, too; here for messages that go another way.
 */
void quefi_finish(QUefiMsg *msg);

/**
 * quefi_send: exchange a message, @msg becomes the reply
 *
 * Returns UEFI_VARS_STS_, and leaves the position behind the header.
 */
uint16_t quefi_send(QUefiVars *uv, QUefiMsg *msg);

/* ------------------------------------------------------------------------ */
/* Requests; each asserts that the transport succeeds */

/** quefi_msg_function: a message of the variable protocol, up to its payload */
QUefiMsg *quefi_msg_function(QUefiVars *uv, EfiVarFunction function);

/** quefi_msg_access: the payload of GetVariable and SetVariable up to data */
QUefiMsg *quefi_msg_access(QUefiVars *uv, EfiVarFunction function,
                           const char *guid, const char *name,
                           uint32_t attributes, size_t data_size);

/** quefi_request: send @msg; the position is then that of the payload */
EfiStatus quefi_request(QUefiVars *uv, QUefiMsg *msg);

EfiStatus quefi_set(QUefiVars *uv, const char *guid, const char *name,
                    uint32_t attributes, const void *data, size_t size);
/** quefi_set_text: a value of the characters of @text, without terminator */
EfiStatus quefi_set_text(QUefiVars *uv, const char *guid, const char *name,
                         uint32_t attributes, const char *text);

/**
 * quefi_get_variable: GetVariable
 * @attributes: in and out, or NULL
 * @data: room for *@size bytes
 * @size: in and out, bytes
 */
EfiStatus quefi_get_variable(QUefiVars *uv, const char *guid,
                             const char *name, uint32_t *attributes,
                             void *data, size_t *size);

/** quefi_assert_text: that a variable exists with exactly this value */
void quefi_assert_text(QUefiVars *uv, const char *guid, const char *name,
                       uint32_t attributes, const char *text);
/** quefi_assert_none: that GetVariable says NOT_FOUND */
void quefi_assert_none(QUefiVars *uv, const char *guid, const char *name);

/**
 * quefi_get_next: GetNextVariableName
 * @guid: in and out, QUEFI_GUID_LEN + 1 characters
 * @name: in and out, UTF-8, replaced on success
 * @size: capacity in, size out, bytes of CHAR16; NULL for 128
 */
EfiStatus quefi_get_next(QUefiVars *uv, char *guid, char **name,
                         size_t *size);

/** quefi_list: names of all visible variables of @guid, in order, "A B C" */
char *quefi_list(QUefiVars *uv, const char *guid);

typedef struct QUefiInfo {
    uint64_t max_storage;
    uint64_t remaining;
    uint64_t max_size;
} QUefiInfo;

EfiStatus quefi_query(QUefiVars *uv, uint32_t attributes, QUefiInfo *info);

/** quefi_function: a function without payload */
EfiStatus quefi_function(QUefiVars *uv, EfiVarFunction function);

/** quefi_payload_size: GetPayloadSize, bytes */
uint64_t quefi_payload_size(QUefiVars *uv);

/** quefi_lock: LockVariable */
EfiStatus quefi_lock(QUefiVars *uv, const char *guid, const char *name);

/** quefi_event: one of the three events */
void quefi_event(QUefiVars *uv, const char *guid);

/**
 * quefi_policy: a command of the policy protocol
 * @params: in and out, @size bytes, at most what an exchange has room for
 */
EfiStatus quefi_policy(QUefiVars *uv, EfiVarPolicyCommand command,
                       void *params, size_t size);

/** quefi_policy_register: @name may be NULL for the whole namespace */
EfiStatus quefi_policy_register(QUefiVars *uv, const char *guid,
                                const char *name, uint32_t min, uint32_t max,
                                uint32_t must, uint32_t cant,
                                EfiVarPolicyLock lock);

/* ------------------------------------------------------------------------ */
/* Test cases */

/* A body that is written once and runs over every device */
typedef struct QUefiCase {
    const char *name;       /* rows of the specification, where it has any */
    void (*run)(QUefiVars *uv);
    const char *props;      /* further properties of the device, or NULL */
    bool dma_only;          /* no word of it would differ with PIO */
} QUefiCase;

/**
 * quefi_add_cases: register each case for each device of this architecture,
 * with DMA and with PIO, as uefi-vars/DEVICE/TRANSFER/NAME
 *
 * Each runs on a machine of its own with an empty store in a file.
 */
void quefi_add_cases(const QUefiCase *cases, size_t n);

#define QUEFI_ADD_CASES(cases) quefi_add_cases(cases, ARRAY_SIZE(cases))

/**
 * quefi_add_device_tests: register a test for each device of this architecture,
 * as uefi-vars/DEVICE/NAME; @fn gets the QUefiDevice
 */
void quefi_add_device_tests(const char *name, void (*fn)(const void *dev));

/** quefi_drive_args: make an image for a store, which is the node "vars" */
char *quefi_drive_args(const char *path);

/** quefi_tmp_path: a path in a new directory; for quefi_tmp_free() to remove */
char *quefi_tmp_path(const char *name);
/** quefi_tmp_free: remove the file, its directory, and free @path */
void quefi_tmp_free(char *path);

#endif /* LIBQOS_UEFI_VARS_H */
