/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: why a request was answered the way it was
 *
 * Each reason has exactly one status for the guest, and a text for the host
 * that begins with the row of docs/specs/uefi-vars.rst that rules.
 */

#ifndef HW_UEFI_VAR_SERVICE_REASON_H
#define HW_UEFI_VAR_SERVICE_REASON_H

#include "hw/uefi/var-service-edk2.h"

#define UEFI_REASONS(X)                                                     \
    X(OK, SUCCESS, "done")                                                  \
    /* messages */                                                          \
    X(MSG_SHORT, BAD_BUFFER_SIZE, "M3: payload too short")                  \
    X(MSG_BOUNDS, ACCESS_DENIED, "M4: name or data beyond the payload")     \
    X(MSG_NAME, ACCESS_DENIED, "M5: name is not terminated")                \
    X(MSG_NEXT_BOUNDS, ACCESS_DENIED, "M6: name beyond the payload")        \
    X(MSG_NEXT_NAME, ACCESS_DENIED, "M7: payload is not terminated")        \
    X(FUNCTION, UNSUPPORTED, "3.2: no such function")                       \
    X(NO_STATISTICS, UNSUPPORTED, "3.9/7: no statistics")                   \
    X(NO_CACHE, UNSUPPORTED, "3.9/12: no runtime cache")                    \
    X(READY_AT_RUNTIME, UNSUPPORTED, "3.9/5: ReadyToBoot at runtime")       \
    /* GetVariable, GetNextVariableName */                                  \
    X(GET_NO_NAME, NOT_FOUND, "3.5/1: empty name")                          \
    X(GET_MISSING, NOT_FOUND, "3.5/2: no such variable")                    \
    X(GET_TOO_SMALL, BUFFER_TOO_SMALL, "3.5/3: value does not fit")         \
    X(NEXT_NAME, INVALID_PARAMETER, "3.6/1: name is not terminated")        \
    X(NEXT_MISSING, INVALID_PARAMETER, "3.6/2: no such variable")           \
    X(NEXT_END, NOT_FOUND, "3.6/3: no further variable")                    \
    X(NEXT_TOO_SMALL, BUFFER_TOO_SMALL, "3.6/4: name does not fit")         \
    /* QueryVariableInfo */                                                 \
    X(QUERY_NONE, INVALID_PARAMETER, "3.8/1: no attributes")                \
    X(QUERY_AW, UNSUPPORTED, "3.8/2: counter-based authentication")         \
    X(QUERY_UNKNOWN, UNSUPPORTED, "3.8/3: no known attribute")              \
    X(QUERY_NV_ONLY, INVALID_PARAMETER, "3.8/4: non-volatile alone")        \
    X(QUERY_RT_NO_BS, INVALID_PARAMETER, "3.8/5: runtime without boot")     \
    X(QUERY_NO_RT, INVALID_PARAMETER, "3.8/6: not visible at runtime")      \
    X(QUERY_HR_NO_NV, INVALID_PARAMETER, "3.8/7: volatile error record")    \
    X(QUERY_NO_HR, UNSUPPORTED, "3.8/8: no room for error records")         \
    /* SetVariable */                                                       \
    X(SET_NO_NAME, INVALID_PARAMETER, "4.2/1: empty name")                  \
    X(SET_UNKNOWN, INVALID_PARAMETER, "4.2/2: unknown attribute")           \
    X(SET_RT_NO_BS, INVALID_PARAMETER, "4.2/3: runtime without boot")       \
    X(SET_RT_NO_BS_AW, UNSUPPORTED, "4.2/3: the same, counter-based")       \
    X(SET_NV_ONLY, INVALID_PARAMETER, "4.2/4: non-volatile alone")          \
    X(SET_NV_ONLY_AW, UNSUPPORTED, "4.2/4: the same, counter-based")        \
    X(SET_NO_HR, INVALID_PARAMETER, "4.2/6: no room for error records")     \
    X(SET_AW_AT, UNSUPPORTED, "4.2/7: two ways of authentication")          \
    X(SET_AW_SIZE, UNSUPPORTED, "4.2/8: counter-based authentication")      \
    X(SET_DESCRIPTOR, SECURITY_VIOLATION, "4.2/9: bad descriptor")          \
    X(SET_TOO_LARGE, INVALID_PARAMETER, "4.2/10: name and value too large") \
    X(SET_NOT_RUNTIME, WRITE_PROTECTED, "4.2/13: not a runtime variable")   \
    X(SET_ATTRIBUTES, INVALID_PARAMETER, "4.2/14: other attributes stored") \
    X(SET_NOT_SIGNED, WRITE_PROTECTED, "4.2/17: stored one is signed")      \
    /* store update */                                                      \
    X(STORE_VOLATILE, WRITE_PROTECTED, "U1: volatile at runtime")           \
    X(STORE_NO_NV_RT, INVALID_PARAMETER, "U2: lacks NV or RT at runtime")   \
    X(STORE_APPEND, INVALID_PARAMETER, "U5: grows too large by append")     \
    X(STORE_MISSING, NOT_FOUND, "C2: nothing to delete")                    \
    X(STORE_NEW_NO_NV_RT, INVALID_PARAMETER, "C3: not NV and RT")           \
    X(STORE_FULL, OUT_OF_RESOURCES, "4.5: non-volatile quota")              \
    X(STORE_VOLATILE_FULL, OUT_OF_RESOURCES, "4.5: volatile quota")         \
    X(STORE_HWERR_FULL, OUT_OF_RESOURCES, "4.5: error record quota")        \
    /* persistence */                                                       \
    X(SAVE_FAILED, DEVICE_ERROR, "10: saving failed")                       \
    X(SAVE_NO_SPACE, OUT_OF_RESOURCES, "10: saving failed, disk full")      \
    /* var-service-check.c */                                               \
    /* var-service-policy.c */                                              \
    /* var-service-auth.c, -siglist.c, -pkcs7.c */                          \

typedef enum UefiReason {
#define X(name, status, text) UEFI_REASON_##name,
    UEFI_REASONS(X)
#undef X
    UEFI_REASON__MAX
} UefiReason;

/**
 * uefi_reason_status: the status that the guest sees for @reason
 */
EfiStatus uefi_reason_status(UefiReason reason);

/**
 * uefi_reason_text: why, for the host; static
 */
const char *uefi_reason_text(UefiReason reason);

/**
 * uefi_reason_name: the name of the enumerator without its prefix; static
 */
const char *uefi_reason_name(UefiReason reason);

#endif /* HW_UEFI_VAR_SERVICE_REASON_H */
