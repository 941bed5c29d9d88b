/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: what the unit tests share
 *
 * A UefiTest is a service and the guest that talks to it.  Every message goes
 * through uefi_vars_message() in a heap buffer of exactly its size.
 */

#ifndef TESTS_UNIT_UEFI_TEST_H
#define TESTS_UNIT_UEFI_TEST_H

#include "hw/uefi/var-service-api.h"
#include "hw/uefi/var-service.h"
#include "hw/uefi/var-service-msg.h"

typedef struct UefiTest {
    UefiVarService *uv;
    unsigned un_size;           /* of the guest: 8 (default) or 4 bytes */
    size_t buffer_size;         /* of the guest's exchange buffer */
    UefiReason save_result;     /* what the host's save callback answers */
    unsigned saves;             /* how often it was asked */
} UefiTest;

/* Vendor GUID 11111111-2222-3333-4444-555555555555, known to nobody */
extern const UefiGuid uefi_test_guid;

#define ATTR_BS     EFI_ATTR_BS
#define ATTR_BS_RT  (EFI_ATTR_BS | EFI_ATTR_RT)
#define ATTR_NV_BS  (EFI_ATTR_NV | EFI_ATTR_BS)
#define ATTR_NV_RT  (EFI_ATTR_NV | EFI_ATTR_BS | EFI_ATTR_RT)
#define ATTR_AUTH   (ATTR_NV_RT | EFI_ATTR_AT)

/** uefi_test_new: a service after its first reset; NULL for the default */
UefiTest *uefi_test_new(const UefiVarConfig *config);
void uefi_test_free(UefiTest *t);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(UefiTest, uefi_test_free)

/* Append fields to a payload, little endian */
void uefi_test_add(GByteArray *payload, uint64_t value, unsigned size);
void uefi_test_add_un(const UefiTest *t, GByteArray *payload, uint64_t value);
void uefi_test_add_guid(GByteArray *payload, const UefiGuid *guid);
void uefi_test_add_str(GByteArray *payload, const char *ascii);

/** uefi_test_field: a little-endian field of a reply */
uint64_t uefi_test_field(const GByteArray *payload, size_t pos, unsigned size);

/**
 * uefi_test_send: one message; its data are replaced by those of the reply
 *
 * Returns the UEFI_VARS_STS_ value.
 */
uint16_t uefi_test_send(UefiTest *t, const UefiGuid *guid, GByteArray *data);

/**
 * uefi_test_call: one request of the variable protocol
 * @payload: replaced by that of the reply
 *
 * Asserts that the transport succeeds and that the status is that of the
 * reason; returns the reason.
 */
UefiReason uefi_test_call(UefiTest *t, uint64_t function, GByteArray *payload);

/** uefi_test_policy: the same for the policy protocol */
UefiReason uefi_test_policy(UefiTest *t, uint32_t command, GByteArray *params);

/** uefi_test_event: send one of the three events */
void uefi_test_event(UefiTest *t, const UefiGuid *event);

/* The four runtime services; names are ASCII */
UefiReason uefi_test_set(UefiTest *t, const UefiGuid *guid, const char *name,
                         uint32_t attributes, const void *data, size_t size);

/** @data: set to the value, for the caller to free; may be NULL */
UefiReason uefi_test_get(UefiTest *t, const UefiGuid *guid, const char *name,
                         uint32_t *attributes, GBytes **data);

/** uefi_test_list: all names that the guest sees, in order, "A B C" */
char *uefi_test_list(UefiTest *t);

/** uefi_test_phase: go there the way firmware does */
void uefi_test_phase(UefiTest *t, UefiVarPhase phase);

/** uefi_test_dump: the whole store as text, to compare before and after */
char *uefi_test_dump(UefiTest *t);

#define uefi_assert_reason(expr, expected)                                  \
    g_assert_cmpstr(uefi_reason_name(expr), ==,                             \
                    uefi_reason_name(UEFI_REASON_##expected))

/** uefi_assert_value: the variable holds exactly the bytes of @text */
#define uefi_assert_value(t, guid, name, text) do {                         \
    g_autoptr(GBytes) value_ = NULL;                                        \
    uefi_assert_reason(uefi_test_get(t, guid, name, NULL, &value_), OK);    \
    g_assert_cmpmem(g_bytes_get_data(value_, NULL),                         \
                    g_bytes_get_size(value_), text, strlen(text));          \
} while (0)

#endif /* TESTS_UNIT_UEFI_TEST_H */
