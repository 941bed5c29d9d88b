/*
 * The part of the UEFI and PI interfaces that the variable driver uses
 *
 * Written from the UEFI specification 2.10 and the PI specification 1.8
 * (volume 2, DXE services).  Members that the driver does not touch are void
 * pointers that only hold the place.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef UEFI_VARS_EFI_H
#define UEFI_VARS_EFI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * All targets (x86_64-unknown-windows and its siblings) use UEFI's calling
 * convention by default, so functions need no attribute.
 */

typedef uint64_t EfiStatus;
typedef uint64_t EfiTpl;
typedef void *EfiHandle;
typedef void *EfiEvent;
typedef uint16_t EfiChar;

#define EFI_ERROR_BIT           (1ull << 63)
#define EFI_SUCCESS             0
#define EFI_LOAD_ERROR          (EFI_ERROR_BIT | 1)
#define EFI_INVALID_PARAMETER   (EFI_ERROR_BIT | 2)
#define EFI_UNSUPPORTED         (EFI_ERROR_BIT | 3)
#define EFI_BAD_BUFFER_SIZE     (EFI_ERROR_BIT | 4)
#define EFI_BUFFER_TOO_SMALL    (EFI_ERROR_BIT | 5)
#define EFI_DEVICE_ERROR        (EFI_ERROR_BIT | 7)
#define EFI_OUT_OF_RESOURCES    (EFI_ERROR_BIT | 9)
#define EFI_NOT_FOUND           (EFI_ERROR_BIT | 14)
#define EFI_ACCESS_DENIED       (EFI_ERROR_BIT | 15)
#define EFI_ALREADY_STARTED     (EFI_ERROR_BIT | 20)
#define EFI_ERROR(status)       ((status) & EFI_ERROR_BIT)

#define TPL_CALLBACK            8
#define TPL_NOTIFY              16

#define EVT_NOTIFY_SIGNAL       0x00000200

#define EFI_MEMORY_UC           0x0000000000000001ull
#define EFI_MEMORY_XP           0x0000000000004000ull
#define EFI_MEMORY_RUNTIME      0x8000000000000000ull
#define EFI_PAGE_SIZE           4096

/* UEFI 8.2: variable attributes */
#define EFI_VARIABLE_NON_VOLATILE                       0x01
#define EFI_VARIABLE_AUTHENTICATED_WRITE_ACCESS         0x10
#define EFI_VARIABLE_TIME_BASED_AUTHENTICATED_WRITE     0x20

typedef struct {
    uint32_t a;
    uint16_t b, c;
    uint8_t d[8];
} EfiGuid;

/* EFI_ALLOCATE_TYPE and EFI_MEMORY_TYPE */
enum { EFI_ALLOCATE_ANY_PAGES = 0 };
enum { EFI_BOOT_SERVICES_DATA = 4, EFI_RUNTIME_SERVICES_DATA = 6 };

/* EFI_GCD_MEMORY_TYPE (PI volume 2, 7.2) */
enum { EFI_GCD_MEMORY_MAPPED_IO = 3 };

typedef struct {
    uint64_t signature;
    uint32_t revision;
    uint32_t header_size;
    uint32_t crc32;
    uint32_t reserved;
} EfiTableHeader;

typedef struct EfiTextOutput EfiTextOutput;
struct EfiTextOutput {
    void *reset;
    EfiStatus (*output_string)(EfiTextOutput *self, const EfiChar *string);
    /* more that is not used */
};

typedef void EfiEventNotify(EfiEvent event, void *context);

typedef struct {
    EfiTableHeader hdr;
    EfiTpl (*raise_tpl)(EfiTpl tpl);
    void (*restore_tpl)(EfiTpl tpl);
    EfiStatus (*allocate_pages)(uint32_t how, uint32_t type, size_t pages,
                                uint64_t *addr);
    EfiStatus (*free_pages)(uint64_t addr, size_t pages);
    void *get_memory_map;
    EfiStatus (*allocate_pool)(uint32_t type, size_t size, void **buffer);
    EfiStatus (*free_pool)(void *buffer);
    void *create_event;
    void *set_timer, *wait_for_event, *signal_event;
    EfiStatus (*close_event)(EfiEvent event);
    void *check_event;
    void *install_protocol, *reinstall_protocol, *uninstall_protocol;
    EfiStatus (*handle_protocol)(EfiHandle handle, const EfiGuid *protocol,
                                 void **interface);
    void *reserved;
    void *register_protocol_notify;
    EfiStatus (*locate_handle)(uint32_t how, const EfiGuid *protocol,
                               void *key, size_t *size, EfiHandle *handles);
    void *locate_device_path, *install_configuration_table;
    void *load_image, *start_image, *exit, *unload_image;
    void *exit_boot_services;
    void *get_next_monotonic_count, *stall, *set_watchdog_timer;
    void *connect_controller, *disconnect_controller;
    void *open_protocol, *close_protocol, *open_protocol_information;
    void *protocols_per_handle, *locate_handle_buffer, *locate_protocol;
    void *install_multiple, *uninstall_multiple;
    EfiStatus (*calculate_crc32)(void *data, size_t size, uint32_t *crc);
    void *copy_mem, *set_mem;
    EfiStatus (*create_event_ex)(uint32_t type, EfiTpl tpl,
                                 EfiEventNotify *notify, const void *context,
                                 const EfiGuid *group, EfiEvent *event);
} EfiBootServices;

typedef EfiStatus EfiGetVariable(const EfiChar *name, const EfiGuid *guid,
                                 uint32_t *attributes, size_t *size,
                                 void *data);
typedef EfiStatus EfiGetNextVariableName(size_t *size, EfiChar *name,
                                         EfiGuid *guid);
typedef EfiStatus EfiSetVariable(const EfiChar *name, const EfiGuid *guid,
                                 uint32_t attributes, size_t size,
                                 const void *data);
typedef EfiStatus EfiQueryVariableInfo(uint32_t attributes,
                                       uint64_t *max_storage,
                                       uint64_t *remaining_storage,
                                       uint64_t *max_size);

typedef struct {
    EfiTableHeader hdr;
    void *get_time, *set_time, *get_wakeup_time, *set_wakeup_time;
    void *set_virtual_address_map;
    EfiStatus (*convert_pointer)(size_t disposition, void **address);
    EfiGetVariable *get_variable;
    EfiGetNextVariableName *get_next_variable_name;
    EfiSetVariable *set_variable;
    void *get_next_high_monotonic_count;
    void (*reset_system)(uint32_t type, EfiStatus status, size_t size,
                         const void *data);
    void *update_capsule, *query_capsule_capabilities;
    EfiQueryVariableInfo *query_variable_info;
} EfiRuntimeServices;

typedef struct {
    EfiGuid guid;
    void *table;
} EfiConfigurationTable;

typedef struct {
    EfiTableHeader hdr;
    EfiChar *firmware_vendor;
    uint32_t firmware_revision;
    EfiHandle con_in_handle;
    void *con_in;
    EfiHandle con_out_handle;
    EfiTextOutput *con_out;
    EfiHandle std_err_handle;
    EfiTextOutput *std_err;
    EfiRuntimeServices *runtime;
    EfiBootServices *boot;
    size_t table_count;
    EfiConfigurationTable *tables;
} EfiSystemTable;

/* The first members of the DXE services table (PI volume 2, 7.2) */
typedef struct {
    EfiTableHeader hdr;
    EfiStatus (*add_memory_space)(uint32_t type, uint64_t base,
                                  uint64_t length, uint64_t capabilities);
    void *allocate_memory_space, *free_memory_space, *remove_memory_space;
    void *get_memory_space_descriptor;
    EfiStatus (*set_memory_space_attributes)(uint64_t base, uint64_t length,
                                             uint64_t attributes);
} EfiDxeServices;

typedef struct {
    uint32_t type;
    uint32_t pad;
    uint64_t physical;
    uint64_t virtual;
    uint64_t pages;
    uint64_t attribute;
} EfiMemoryDescriptor;

/* UEFI 4.6.3 */
typedef struct {
    uint32_t version;
    uint32_t count;
    uint32_t descriptor_size;
    uint32_t flags;
    uint8_t descriptors[];
} EfiMemoryAttributesTable;

#define GUID_EVENT_READY_TO_BOOT \
    { 0x7ce88fb3, 0x4bd7, 0x4679, \
      { 0x87, 0xa8, 0xa8, 0xd8, 0xde, 0xe5, 0x0d, 0x2b } }
#define GUID_EVENT_EXIT_BOOT_SERVICES \
    { 0x27abf055, 0xb1b8, 0x4c26, \
      { 0x80, 0x48, 0x74, 0x8f, 0x37, 0xba, 0xa2, 0xdf } }
#define GUID_EVENT_VIRTUAL_ADDRESS_CHANGE \
    { 0x13fa7698, 0xc831, 0x49c7, \
      { 0x87, 0xea, 0x8f, 0x43, 0xfc, 0xc2, 0x51, 0x96 } }
#define GUID_EVENT_END_OF_DXE \
    { 0x02ce967a, 0xdd7e, 0x4ffc, \
      { 0x9e, 0xe7, 0x81, 0x0c, 0xf0, 0x47, 0x08, 0x80 } }
#define GUID_DXE_SERVICES_TABLE \
    { 0x05ad34ba, 0x6f02, 0x4214, \
      { 0x95, 0x2e, 0x4d, 0xa0, 0x39, 0x8e, 0x2b, 0xb9 } }
#define GUID_MEMORY_ATTRIBUTES_TABLE \
    { 0xdcfa911d, 0x26eb, 0x469f, \
      { 0xa2, 0x20, 0x38, 0xb7, 0xdc, 0x46, 0x12, 0x20 } }
#define GUID_DEVICE_TREE_TABLE \
    { 0xb1b621d5, 0xf19c, 0x41a5, \
      { 0x83, 0x0b, 0xd9, 0x15, 0x2c, 0x69, 0xaa, 0xe0 } }
#define GUID_HOB_LIST_TABLE \
    { 0x7739f24c, 0x93d7, 0x11d4, \
      { 0x9a, 0x3a, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d } }
#define GUID_IMAGE_SECURITY_DATABASE \
    { 0xd719b2cb, 0x3d3a, 0x4596, \
      { 0xa3, 0xbc, 0xda, 0xd0, 0x0e, 0x67, 0x65, 0x6f } }
#define GUID_GLOBAL_VARIABLE \
    { 0x8be4df61, 0x93ca, 0x11d2, \
      { 0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c } }

#endif /* UEFI_VARS_EFI_H */
