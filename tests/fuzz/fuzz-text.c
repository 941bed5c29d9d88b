/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: JSON documents, changes, and saved state
 *
 * The first byte says what the input is taken for; most are pieced together
 * from the tokens of a real document so that the parser is got past.
 */

#include "qemu/osdep.h"
#include "fuzz.h"
#include "hw/uefi/var-service-check.h"
#include "hw/uefi/var-service-load.h"
#include "hw/uefi/var-service-policy.h"
#include "hw/uefi/var-service-secureboot.h"
#include "hw/uefi/var-service-state.h"

static const char *const tokens[] = {
    "{", "}", "[", "]", ",", ":", "\"", "\\u", "d800", "dc00", "0041", "null",
    "true", "1e999", "-1", "2", "39", "7", "4294967296", "\n", "\xc3\xa4",
    "\xf4\x8d\xa0\x80", "\xed\xa0\x80", "\"version\": 2", "\"variables\": [",
    "\"name\": \"a\"", "\"guid\": \"8be4df61-93ca-11d2-aa0d-00e098032b8c\"",
    "\"attr\": 7", "\"attr\": 39", "\"data\": \"00ff\"", "\"data\": \"0\"",
    "\"time\": \"e8070102030405000000000000000000\"", "\"timestamp\": ",
    "\"digest\": \"00\"", "\"change\": [", "\"certdb\"",
};

static char *make_text(FuzzInput *in)
{
    GString *text = g_string_new("{\"version\": 2, \"variables\": [");
    uint8_t how = fuzz_u8(in);

    if (how & 1) {
        g_string_assign(text, how & 2 ? "{\"change\": [" : "");
    }
    while (!fuzz_end(in)) {
        uint8_t which = fuzz_u8(in);

        if (which < 250) {
            g_string_append(text, tokens[which % ARRAY_SIZE(tokens)]);
        } else {
            g_string_append_c(text, fuzz_u8(in) ?: ' ');
        }
    }
    return g_string_free(text, FALSE);
}

static void fuzz_document(const char *text)
{
    UefiVarConfig config = uefi_vars_default_config();
    g_autoptr(UefiVarService) uv = uefi_vars_new(&config, NULL, NULL);
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) err = NULL;

    if (uefi_load_store(uv, text, NULL, warnings, &err)) {
        g_autofree char *once = uefi_text_print_document(uv->store);
        g_autoptr(UefiVarService) again = uefi_vars_new(&config, NULL, NULL);
        g_autofree char *twice = NULL;

        g_assert_no_error(err);
        /* what we print loads, and prints the same */
        g_assert_true(uefi_load_store(again, once, NULL, NULL, NULL));
        twice = uefi_text_print_document(again->store);
        g_assert_cmpstr(once, ==, twice);
    } else {
        g_assert_nonnull(err);
        g_assert_null(strchr(err->message, '\n'));
    }
}

static void fuzz_change(const char *text)
{
    g_autoptr(GError) err = NULL;
    g_autoptr(UefiVarChange) change = uefi_text_parse_change(text, &err);

    g_assert_true(!change == !!err);
}

/* A good state up to some point, or all of it, and whatever comes then */
static bool load_state(UefiVarService **uv, FuzzInput *in, GError **err)
{
    g_autoptr(GByteArray) state =
        g_bytes_unref_to_array(uefi_vars_state_save(*uv));
    uint8_t cut = fuzz_u8(in);

    if (fuzz_u8(in) % 2) {
        g_byte_array_set_size(state, state->len * cut / 256);
    }
    g_byte_array_append(state, in->data, in->size);
    return uefi_vars_state_load(uv, state->data, state->len, err);
}

/* State that comes with a migration stream */
static void fuzz_state(FuzzInput *in)
{
    UefiVarConfig config = uefi_vars_default_config();
    g_autoptr(UefiVarService) uv = uefi_vars_new(&config, NULL, NULL);
    uint8_t which = fuzz_u8(in);
    g_autofree uint8_t *copy = g_memdup2(in->data, in->size);
    g_autoptr(GBytes) state = g_bytes_new_static(copy, in->size);
    g_autoptr(GError) err = NULL;
    bool loaded;

    uefi_vars_hard_reset(uv);
    if (which % 4 == 0) {
        loaded = uefi_check_load(uv, state, &err);
    } else if (which % 4 == 1) {
        loaded = uefi_policy_load(uv, state, &err);
    } else if (which % 4 == 2) {
        loaded = uefi_secureboot_load(uv, state, &err);
    } else {
        loaded = load_state(&uv, in, &err);
    }
    g_assert_true(loaded == !err);
}

void fuzz_one(FuzzInput *in)
{
    uint8_t kind = fuzz_u8(in);

    if (kind < 64) {
        fuzz_state(in);
    } else if (kind < 96) {
        g_autofree char *text = g_strndup((const char *)in->data, in->size);

        fuzz_document(text);
        fuzz_change(text);
    } else {
        g_autofree char *text = make_text(in);

        fuzz_document(text);
        fuzz_change(text);
    }
}
