/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: languages (5.5)
 *
 * Lang follows PlatformLang, and the other way round, by the lists of codes
 * that the firmware has written.
 */

#include "qemu/osdep.h"
#include "hw/uefi/var-service-known.h"
#include "hw/uefi/var-service-lang.h"

void uefi_lang_clear(UefiLangState *lang)
{
    g_clear_pointer(&lang->codes, g_free);
    g_clear_pointer(&lang->platform_codes, g_free);
}

/* RFC 4646 codes are separated by semicolons; empty ones don't count. */
static char **split_platform_codes(const char *codes)
{
    g_auto(GStrv) all = g_strsplit(codes, ";", -1);
    GPtrArray *list = g_ptr_array_new();

    for (char **code = all; *code; code++) {
        if (**code) {
            g_ptr_array_add(list, g_strdup(*code));
        }
    }
    g_ptr_array_add(list, NULL);
    return (char **)g_ptr_array_free(list, FALSE);
}

/* ISO 639-2 codes have three letters each and nothing between them. */
static char **split_lang_codes(const char *codes)
{
    GPtrArray *list = g_ptr_array_new();

    for (size_t len = strlen(codes); len >= 3; len -= 3, codes += 3) {
        g_ptr_array_add(list, g_strndup(codes, 3));
    }
    g_ptr_array_add(list, NULL);
    return (char **)g_ptr_array_free(list, FALSE);
}

static int find_prefix(char **codes, const char *prefix)
{
    for (int i = 0; codes[i]; i++) {
        if (g_str_has_prefix(codes[i], prefix)) {
            return i;
        }
    }
    return -1;
}

/* The first code that begins with @lang, else with less and less of it */
static int match_platform_lang(char **codes, const char *lang)
{
    size_t size = strcspn(lang, ";");
    g_autofree char *range = g_strndup(lang, size);
    int index = -1;

    /* A guest could make each of many dashes cost a walk over all codes. */
    if (size > UEFI_LIMIT_LANG_TAG) {
        return -1;
    }
    while (*range && index < 0) {
        char *dash = strrchr(range, '-');

        index = find_prefix(codes, range);
        *(dash ?: range) = '\0';
    }
    return index;
}

static int match_lang(char **codes, const char *lang)
{
    g_autofree char *code = g_strndup(lang, 3);

    return strlen(code) == 3 ? find_prefix(codes, code) : -1;
}

/* Put Lang for a PlatformLang of @value, or PlatformLang for a Lang. */
static void put_counterpart(UefiVarService *uv, const UefiLangState *lists,
                            bool platform, const void *value, size_t size,
                            UefiVarChange *change)
{
    g_autofree char *lang = g_strndup(value, size);
    g_auto(GStrv) platform_codes = NULL;
    g_auto(GStrv) codes = NULL;
    char **theirs;
    int index;

    if (!lists->codes || !lists->platform_codes) {
        return;
    }
    platform_codes = split_platform_codes(lists->platform_codes);
    codes = split_lang_codes(lists->codes);
    theirs = platform ? codes : platform_codes;
    index = platform ? match_platform_lang(platform_codes, lang)
                     : match_lang(codes, lang);
    if (index >= 0 && (guint)index < g_strv_length(theirs)) {
        uefi_known_put(uv, change, platform ? UEFI_KNOWN_LANG
                                            : UEFI_KNOWN_PLATFORM_LANG,
                       theirs[index], strlen(theirs[index]) + 1);
    }
}

static void renew_counterpart(UefiVarService *uv, const UefiLangState *lists,
                              UefiVarChange *change)
{
    g_autoptr(UefiVarChange) own = uefi_var_change_new();
    const UefiVariable *var;
    bool platform;

    var = uefi_known_stored(uv, UEFI_KNOWN_PLATFORM_LANG);
    platform = var;
    if (!var) {
        var = uefi_known_stored(uv, UEFI_KNOWN_LANG);
    }
    if (!var) {
        return;
    }
    put_counterpart(uv, lists, platform, g_bytes_get_data(var->data, NULL),
                    g_bytes_get_size(var->data), own);
    /* The list itself must not fail for want of room for a language. */
    if (uefi_store_check(uv->store, own) == UEFI_REASON_OK) {
        while (own->vars->len) {
            uefi_var_change_add(change, g_ptr_array_steal_index(own->vars, 0));
        }
    }
}

/* Which of the lists a request writes, or NULL */
static char **written_list(UefiLangState *lists, const UefiVarRequest *req)
{
    switch (req->payload_size ? req->known->id : UEFI_KNOWN_NONE) {
    case UEFI_KNOWN_PLATFORM_LANG_CODES:
    case UEFI_KNOWN_OTHER_PLATFORM_LANG_CODES:
        return &lists->platform_codes;
    case UEFI_KNOWN_LANG_CODES:
    case UEFI_KNOWN_OTHER_LANG_CODES:
        return &lists->codes;
    default:
        return NULL;
    }
}

UefiReason uefi_lang_check(const UefiVarService *uv,
                           const UefiVarRequest *req)
{
    UefiLangState lists = uv->lang;

    return uefi_vars_at_runtime(uv) && written_list(&lists, req)
           ? UEFI_REASON_LANG_RUNTIME : UEFI_REASON_OK;
}

/* A new list may change what belongs to the language that is set. */
static UefiReason update_list(UefiVarService *uv, UefiLangState *lists,
                              char **list, const UefiVarRequest *req,
                              UefiVarChange *change)
{
    g_autofree char *codes = g_strndup((const char *)req->payload,
                                       req->payload_size);

    if (req->payload_size > UEFI_LIMIT_LANG_CODES) {
        return UEFI_REASON_LANG_LONG;
    }
    *list = codes;
    renew_counterpart(uv, lists, change);
    return UEFI_REASON_OK;
}

UefiReason uefi_lang_update(UefiVarService *uv, const UefiVarRequest *req,
                            UefiVarChange *change)
{
    UefiLangState lists = uv->lang;
    char **list = written_list(&lists, req);
    bool platform = false;

    if (list) {
        return update_list(uv, &lists, list, req, change);
    }
    switch (req->payload_size ? req->known->id : UEFI_KNOWN_NONE) {
    case UEFI_KNOWN_PLATFORM_LANG:
    case UEFI_KNOWN_OTHER_PLATFORM_LANG:
        platform = true;
        /* fall through */
    case UEFI_KNOWN_LANG:
    case UEFI_KNOWN_OTHER_LANG:
        put_counterpart(uv, &lists, platform, req->payload, req->payload_size,
                        change);
        break;
    default:
        break;
    }
    return UEFI_REASON_OK;
}

void uefi_lang_committed(UefiVarService *uv, const UefiVarRequest *req)
{
    char **list = written_list(&uv->lang, req);

    if (list) {
        g_free(*list);
        *list = g_strndup((const char *)req->payload, req->payload_size);
    }
}
