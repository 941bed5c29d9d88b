/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: the JSON parser of the standalone build
 *
 * The twin of hw/uefi/var-service-json.c: takes what the QAPI schema takes
 * (qapi/uefi.json), and refuses the rest in the same words.
 */

#include "qemu/osdep.h"
#include <json-c/json.h>
#include "hw/uefi/var-service-text.h"

typedef struct json_object JsonObject;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(JsonObject, json_object_put)

typedef struct json_tokener JsonTokener;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(JsonTokener, json_tokener_free)

static bool wrong_type(GError **err, const char *path, const char *expected)
{
    return uefi_text_fail(err, "Invalid parameter type for '%s', expected: %s",
                          path, expected);
}

static bool missing(GError **err, const char *path)
{
    return uefi_text_fail(err, "Parameter '%s' is missing", path);
}

static bool get_str(JsonObject *obj, const char *path, const char *key,
                    bool required, char **str, GError **err)
{
    g_autofree char *full = g_strdup_printf("%s.%s", path, key);
    JsonObject *value;

    if (!json_object_object_get_ex(obj, key, &value)) {
        return !required || missing(err, full);
    }
    if (!json_object_is_type(value, json_type_string)) {
        return wrong_type(err, full, "string");
    }
    *str = g_strdup(json_object_get_string(value));
    return true;
}

static bool get_int(JsonObject *value, const char *path, int64_t *number,
                    GError **err)
{
    if (!json_object_is_type(value, json_type_int)) {
        return wrong_type(err, path, "integer");
    }
    *number = json_object_get_int64(value);
    /* This is also what json-c makes of any larger number. */
    if (*number == INT64_MAX || *number == INT64_MIN) {
        return wrong_type(err, path, "integer");
    }
    return true;
}

static bool get_attr(JsonObject *obj, const char *path, UefiTextEntry *entry,
                     GError **err)
{
    g_autofree char *full = g_strdup_printf("%s.attr", path);
    JsonObject *value;

    entry->has_attr = json_object_object_get_ex(obj, "attr", &value);
    return !entry->has_attr || get_int(value, full, &entry->attr, err);
}

static void warn_unknown(JsonObject *obj, UefiTextObject kind,
                         const char *path, GPtrArray *warnings)
{
    struct json_object_iterator it = json_object_iter_begin(obj);
    struct json_object_iterator end = json_object_iter_end(obj);

    for (; !json_object_iter_equal(&it, &end); json_object_iter_next(&it)) {
        uefi_text_knows(kind, json_object_iter_peek_name(&it), path,
                        warnings);
    }
}

static UefiTextEntry *parse_entry(JsonObject *obj, const char *path,
                                  GPtrArray *warnings, GError **err)
{
    UefiTextEntry *entry;

    if (!json_object_is_type(obj, json_type_object)) {
        wrong_type(err, path, "object");
        return NULL;
    }
    warn_unknown(obj, UEFI_TEXT_VARIABLE, path, warnings);
    entry = g_new0(UefiTextEntry, 1);
    if (!get_str(obj, path, "name", true, &entry->name, err) ||
        !get_str(obj, path, "guid", true, &entry->guid, err) ||
        !get_attr(obj, path, entry, err) ||
        !get_str(obj, path, "data", false, &entry->data, err) ||
        !get_str(obj, path, "time", false, &entry->time, err) ||
        !get_str(obj, path, "timestamp", false, &entry->timestamp, err) ||
        !get_str(obj, path, "digest", false, &entry->digest, err)) {
        uefi_text_entry_free(entry);
        return NULL;
    }
    return entry;
}

static GPtrArray *parse_entries(JsonObject *root, const char *key,
                                GPtrArray *warnings, GError **err)
{
    g_autoptr(GPtrArray) entries =
        g_ptr_array_new_with_free_func((GDestroyNotify)uefi_text_entry_free);
    JsonObject *list;

    if (!json_object_object_get_ex(root, key, &list)) {
        missing(err, key);
        return NULL;
    }
    if (!json_object_is_type(list, json_type_array)) {
        wrong_type(err, key, "array");
        return NULL;
    }
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        g_autofree char *path = g_strdup_printf("%s[%zu]", key, i);
        UefiTextEntry *entry =
            parse_entry(json_object_array_get_idx(list, i), path, warnings,
                        err);

        if (!entry) {
            return NULL;
        }
        g_ptr_array_add(entries, entry);
    }
    return g_steal_pointer(&entries);
}

static bool check_version(JsonObject *root, GError **err)
{
    JsonObject *value;
    int64_t version;

    if (!json_object_object_get_ex(root, "version", &value)) {
        return missing(err, "version");
    }
    return get_int(value, "version", &version, err) &&
           uefi_text_check_version(version, err);
}

static JsonObject *parse_tree(const char *json, GError **err)
{
    g_autoptr(JsonTokener) tokener = json_tokener_new_ex(UEFI_JSON_DEPTH + 1);
    g_autoptr(JsonObject) root = NULL;
    size_t len = strlen(json);

    if (len >= INT_MAX) {
        uefi_text_fail(err, "%zu bytes are too many", len);
        return NULL;
    }
    /*
     * Not strict: uefi_json_strict() has checked the syntax, and json-c 0.17
     * would refuse numbers out of range before we can say which.  The
     * terminator counts, or else a number at the end would not end.
     */
    root = json_tokener_parse_ex(tokener, json, len + 1);
    if (json_tokener_get_error(tokener) != json_tokener_success) {
        uefi_text_fail(err, "JSON parse error, %s",
                       json_tokener_error_desc(
                           json_tokener_get_error(tokener)));
        return NULL;
    }
    if (!json_object_is_type(root, json_type_object)) {
        uefi_text_fail(err, "not a JSON object");
        return NULL;
    }
    return g_steal_pointer(&root);
}

GPtrArray *uefi_json_parse(const char *json, UefiTextObject kind,
                           GPtrArray *warnings, GError **err)
{
    g_autoptr(JsonObject) root = parse_tree(json, err);

    if (!root) {
        return NULL;
    }
    warn_unknown(root, kind, "", warnings);
    if (kind == UEFI_TEXT_CHANGE) {
        return parse_entries(root, "change", warnings, err);
    }
    if (!check_version(root, err)) {
        return NULL;
    }
    return parse_entries(root, "variables", warnings, err);
}
