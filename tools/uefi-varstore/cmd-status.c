/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: the state of secure boot, and who holds the keys
 *
 * The members of the JSON form are those of query-uefi-vars-status.
 */

#include "qemu/osdep.h"
#include "tool.h"
#include "hw/uefi/var-service-status.h"

static gboolean opt_force;

static void print_key(const UefiKeyStatus *key)
{
    printf("%s:", key->name);
    if (!key->var) {
        printf(" none");
    }
    for (guint i = 0; i < key->counts->len; i++) {
        const UefiSigCount *count =
            &g_array_index(key->counts, UefiSigCount, i);
        g_autofree char *type = tool_signature_type(&count->type);

        printf("%s %zu %s", i ? "," : "", count->count, type);
    }
    if (key->damaged) {
        printf("%s damaged", key->counts->len ? "," : "");
    }
    if (key->var) {
        g_autofree char *time = tool_time(&key->var->time);

        printf("%s of %s", key->counts->len || key->damaged ? "," : "", time);
    }
    printf("\n");
    for (guint i = 0; i < key->certs->len; i++) {
        const UefiKeyCert *cert = key->certs->pdata[i];
        g_autofree char *owner = tool_vendor(&cert->owner);
        g_autofree char *validity = cert->info ? tool_validity(cert->info)
                                               : g_strdup("?");
        g_autoptr(GString) digest = g_string_new(NULL);

        uefi_hex_append(digest, cert->sha256, sizeof(cert->sha256));
        printf("  %s (owner %s)\n    valid %s, SHA-256 %s\n",
               cert->info && cert->info->subject ? cert->info->subject
                                                 : "not readable",
               owner, validity, digest->str);
    }
}

/* The certificates that end in 2026, and what takes their place */
static void print_readiness(const UefiVarStatus *status)
{
    printf("keys of 2023: %s\n", uefi_readiness_name(status->readiness));
    for (UefiVendorCertId id = 0; id < UEFI_VENDOR__MAX; id++) {
        const UefiVendorCert *cert = &uefi_vendor_certs[id];

        if (status->known[id] && cert->successor < UEFI_VENDOR__MAX) {
            printf("  %s: %s signs until %s, %s %s\n",
                   status->keys[cert->key].name, cert->name, cert->until,
                   uefi_vendor_certs[cert->successor].name,
                   status->known[cert->successor] ? "is there"
                                                  : "is MISSING");
        }
    }
}

static void print_text(const UefiVarStatus *status, uint64_t used,
                       uint64_t room)
{
    printf("mode: %s\n", status->setup_mode ? "setup" : "user");
    printf("next boot: secure boot is %s: %s\n",
           uefi_secure_boot_is_on(status->next) ? "on" : "off",
           uefi_status_why(status->next));
    for (int id = 0; id < UEFI_KEY__MAX; id++) {
        print_key(&status->keys[id]);
    }
    print_readiness(status);
    printf("room: %" PRIu64 " of %" PRIu64 " bytes used, %" PRIu64
           " for a dbx update\n", used, room, status->dbx_room);
}

static Json *key_to_json(const UefiKeyStatus *key)
{
    Json *object = json_object_new_object();
    Json *signatures = json_object_new_array();
    Json *certificates = json_object_new_array();
    g_autofree char *time = key->var ? uefi_time_print(&key->var->time) : NULL;

    for (guint i = 0; i < key->counts->len; i++) {
        const UefiSigCount *count =
            &g_array_index(key->counts, UefiSigCount, i);
        g_autofree char *type = tool_signature_type(&count->type);
        Json *item = json_object_new_object();

        tool_json_add(item, "type", json_object_new_string(type));
        tool_json_add(item, "count", json_object_new_int64(count->count));
        json_object_array_add(signatures, item);
    }
    for (guint i = 0; i < key->certs->len; i++) {
        const UefiKeyCert *cert = key->certs->pdata[i];
        g_autoptr(GString) digest = g_string_new(NULL);
        Json *item = json_object_new_object();

        uefi_hex_append(digest, cert->sha256, sizeof(cert->sha256));
        tool_json_add(item, "owner", tool_json_guid(&cert->owner));
        if (cert->info && cert->info->subject) {
            tool_json_add(item, "subject",
                          tool_json_string(cert->info->subject));
        }
        tool_json_add(item, "sha256", json_object_new_string(digest->str));
        if (cert->info && cert->info->ends >= 0) {
            tool_json_add(item, "ends",
                          json_object_new_int64(cert->info->ends));
        }
        json_object_array_add(certificates, item);
    }
    tool_json_add(object, "name", json_object_new_string(key->name));
    tool_json_add(object, "size", json_object_new_int64(
        key->var ? g_bytes_get_size(key->var->data) : 0));
    if (time) {
        tool_json_add(object, "time", json_object_new_string(time));
    }
    tool_json_add(object, "signatures", signatures);
    tool_json_add(object, "certificates", certificates);
    tool_json_add(object, "damaged", json_object_new_boolean(key->damaged));
    return object;
}

static Json *known_to_json(const UefiVarStatus *status)
{
    Json *list = json_object_new_array();

    for (UefiVendorCertId id = 0; id < UEFI_VENDOR__MAX; id++) {
        const UefiVendorCert *cert = &uefi_vendor_certs[id];
        Json *item = json_object_new_object();

        tool_json_add(item, "name", json_object_new_string(cert->name));
        tool_json_add(item, "key", json_object_new_string(
            status->keys[cert->key].name));
        tool_json_add(item, "until", json_object_new_string(cert->until));
        if (cert->successor < UEFI_VENDOR__MAX) {
            tool_json_add(item, "successor", json_object_new_string(
                uefi_vendor_certs[cert->successor].name));
        }
        tool_json_add(item, "enrolled",
                      json_object_new_boolean(status->known[id]));
        json_object_array_add(list, item);
    }
    return list;
}

static void print_json(const UefiVarStatus *status, uint64_t used,
                       uint64_t room)
{
    static const char *const next[] = {
        [UEFI_SECURE_BOOT_SETUP_MODE] = "setup-mode",
        [UEFI_SECURE_BOOT_DISABLED] = "disabled",
        [UEFI_SECURE_BOOT_ENABLED] = "enabled",
        [UEFI_SECURE_BOOT_FORCED] = "forced",
    };
    Json *root = json_object_new_object();
    Json *keys = json_object_new_array();

    for (int id = 0; id < UEFI_KEY__MAX; id++) {
        json_object_array_add(keys, key_to_json(&status->keys[id]));
    }
    tool_json_add(root, "setup-mode",
                  json_object_new_boolean(status->setup_mode));
    tool_json_add(root, "next-boot",
                  json_object_new_string(next[status->next]));
    tool_json_add(root, "keys", keys);
    tool_json_add(root, "dbx-room", json_object_new_int64(status->dbx_room));
    tool_json_add(root, "readiness", json_object_new_string(
        uefi_readiness_name(status->readiness)));
    tool_json_add(root, "known-certificates", known_to_json(status));
    tool_json_add(root, "used", json_object_new_int64(used));
    tool_json_add(root, "limit", json_object_new_int64(room));
    tool_print_json(root);
}

static void print_status(ToolStore *s, bool force, bool json)
{
    g_autoptr(UefiVarStatus) status = NULL;
    uint64_t used, room;

    s->uv->config.force_secure_boot = force;
    status = uefi_status_new(s->uv);
    used = uefi_store_used(s->uv->store, UEFI_CLASS_NV);
    room = uefi_store_capacity(s->uv->store, UEFI_CLASS_NV);
    if (json) {
        print_json(status, used, room);
    } else {
        print_text(status, used, room);
    }
}

static int run_status(char **args)
{
    g_autoptr(ToolStore) s = NULL;

    s = tool_open(args[0], TOOL_READ);
    if (!s) {
        return TOOL_FAILED;
    }
    tool_configure(s);
    print_status(s, opt_force, tool_options.json);
    return TOOL_OK;
}

static const GOptionEntry status_options[] = {
    TOOL_OPTION_JSON, TOOL_OPTION_SIZE, TOOL_OPTION_HWERR_QUOTA,
    { "force-secure-boot", 0, 0, G_OPTION_ARG_NONE, &opt_force,
      "The device's force-secure-boot property is on", NULL },
    TOOL_OPTION_DICTIONARY,
    { }
};

const ToolCommand tool_cmd_status = {
    .name = "status",
    .arguments = "FILE",
    .summary = "Tell the state of secure boot, and whose keys count.",
    .options = status_options,
    .min_args = 1,
    .max_args = 1,
    .run = run_status,
};
