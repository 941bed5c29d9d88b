/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: constants of the messages that edk2's variable
 * driver sends, and of the UEFI specification behind them
 *
 * Layouts are not structs: fields are read and written through UefiMsg.
 */

#ifndef HW_UEFI_VAR_SERVICE_EDK2_H
#define HW_UEFI_VAR_SERVICE_EDK2_H

/* Status codes without the error bit, which depends on the width of UINTN */
typedef enum EfiStatus {
    EFI_SUCCESS                 = 0,
    EFI_INVALID_PARAMETER       = 2,
    EFI_UNSUPPORTED             = 3,
    EFI_BAD_BUFFER_SIZE         = 4,
    EFI_BUFFER_TOO_SMALL        = 5,
    EFI_NOT_READY               = 6,
    EFI_DEVICE_ERROR            = 7,
    EFI_WRITE_PROTECTED         = 8,
    EFI_OUT_OF_RESOURCES        = 9,
    EFI_NOT_FOUND               = 14,
    EFI_ACCESS_DENIED           = 15,
    EFI_TIMEOUT                 = 18,
    EFI_ALREADY_STARTED         = 20,
    EFI_ABORTED                 = 21,
    EFI_SECURITY_VIOLATION      = 26,
} EfiStatus;

/* Variable attributes */
#define EFI_VARIABLE_NON_VOLATILE                           0x01u
#define EFI_VARIABLE_BOOTSERVICE_ACCESS                     0x02u
#define EFI_VARIABLE_RUNTIME_ACCESS                         0x04u
#define EFI_VARIABLE_HARDWARE_ERROR_RECORD                  0x08u
#define EFI_VARIABLE_AUTHENTICATED_WRITE_ACCESS             0x10u
#define EFI_VARIABLE_TIME_BASED_AUTHENTICATED_WRITE_ACCESS  0x20u
#define EFI_VARIABLE_APPEND_WRITE                           0x40u

/* Short names, as the tables of the specification are long enough already */
#define EFI_ATTR_NV     EFI_VARIABLE_NON_VOLATILE
#define EFI_ATTR_BS     EFI_VARIABLE_BOOTSERVICE_ACCESS
#define EFI_ATTR_RT     EFI_VARIABLE_RUNTIME_ACCESS
#define EFI_ATTR_HR     EFI_VARIABLE_HARDWARE_ERROR_RECORD
#define EFI_ATTR_AW     EFI_VARIABLE_AUTHENTICATED_WRITE_ACCESS
#define EFI_ATTR_AT     EFI_VARIABLE_TIME_BASED_AUTHENTICATED_WRITE_ACCESS
#define EFI_ATTR_AP     EFI_VARIABLE_APPEND_WRITE
#define EFI_ATTR_ALL    0x7fu
/* Everything that says what a variable is, that is, all but append */
#define EFI_ATTR_KIND   0x3fu
/* What is looked at where counter-based authentication is not */
#define EFI_ATTR_NOT_AW (EFI_ATTR_ALL & ~EFI_ATTR_AW)

/* EFI_MM_COMMUNICATE_HEADER: GUID, MessageLength (UINTN), data */
#define EFI_MM_HEADER_SIZE_64   24
#define EFI_MM_HEADER_SIZE_32   20

/* Functions of the variable protocol */
typedef enum EfiVarFunction {
    EFI_VAR_FN_GET_VARIABLE             = 1,
    EFI_VAR_FN_GET_NEXT_VARIABLE_NAME   = 2,
    EFI_VAR_FN_SET_VARIABLE             = 3,
    EFI_VAR_FN_QUERY_VARIABLE_INFO      = 4,
    EFI_VAR_FN_READY_TO_BOOT            = 5,
    EFI_VAR_FN_EXIT_BOOT_SERVICE        = 6,
    EFI_VAR_FN_GET_STATISTICS           = 7,
    EFI_VAR_FN_LOCK_VARIABLE            = 8,
    EFI_VAR_FN_PROPERTY_SET             = 9,
    EFI_VAR_FN_PROPERTY_GET             = 10,
    EFI_VAR_FN_GET_PAYLOAD_SIZE         = 11,
    EFI_VAR_FN_INIT_RUNTIME_CACHE       = 12,
    EFI_VAR_FN_SYNC_RUNTIME_CACHE       = 13,
    EFI_VAR_FN_GET_RUNTIME_CACHE_INFO   = 14,
} EfiVarFunction;

/* Commands of the variable policy protocol */
#define EFI_VAR_POLICY_SIGNATURE        0x43504356u     /* "VCPC" */
#define EFI_VAR_POLICY_REVISION         1
#define EFI_VAR_POLICY_EXCHANGE_SIZE    16384

typedef enum EfiVarPolicyCommand {
    EFI_VAR_POLICY_DISABLE                  = 1,
    EFI_VAR_POLICY_IS_ENABLED               = 2,
    EFI_VAR_POLICY_REGISTER                 = 3,
    EFI_VAR_POLICY_DUMP                     = 4,
    EFI_VAR_POLICY_LOCK                     = 5,
    EFI_VAR_POLICY_GET_INFO                 = 6,
    EFI_VAR_POLICY_GET_LOCK_VAR_STATE_INFO  = 7,
} EfiVarPolicyCommand;

#define EFI_VAR_POLICY_ENTRY_VERSION    0x00010000u
#define EFI_VAR_POLICY_ENTRY_SIZE       44

typedef enum EfiVarPolicyLock {
    EFI_VAR_POLICY_NO_LOCK              = 0,
    EFI_VAR_POLICY_LOCK_NOW             = 1,
    EFI_VAR_POLICY_LOCK_ON_CREATE       = 2,
    EFI_VAR_POLICY_LOCK_ON_VAR_STATE    = 3,
} EfiVarPolicyLock;

#define EFI_VAR_CHECK_PROPERTY_REVISION     1
#define EFI_VAR_CHECK_PROPERTY_READ_ONLY    0x0001u

/* EFI_TIME, and EFI_VARIABLE_AUTHENTICATION_2 that begins with one */
#define EFI_TIME_SIZE                   16
#define EFI_AUTH2_CERT_OFFSET           40
#define EFI_WIN_CERT_TYPE_EFI_GUID      0x0ef1

/*
 * Accounting of edk2's flash store: a store begins with a header of 28 bytes,
 * a record is a header of 60 bytes, the name and the value, each padded to 4.
 */
#define EFI_VAR_STORE_HEADER_SIZE       28
#define EFI_VAR_RECORD_HEADER_SIZE      60

#endif /* HW_UEFI_VAR_SERVICE_EDK2_H */
