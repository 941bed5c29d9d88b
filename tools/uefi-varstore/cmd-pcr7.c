/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: what the firmware will measure into PCR 7 of a TPM
 *
 * TCG PC Client Platform Firmware Profile 1.05, 3.3.4.8: the variables of
 * secure boot in a fixed order, each as an UEFI_VARIABLE_DATA, a missing one
 * as empty; dbt only when it is there; a separator; then, once each, the
 * entries of db that vouch for the programs that are started.
 */

#include "qemu/osdep.h"
#include "tool.h"
#include "hw/uefi/var-service-secureboot.h"

#define DIGEST_MAX      48

static gboolean opt_events;
static gboolean opt_force;
static char *opt_apply;
static char **opt_images;

static const struct {
    const char *name;
    GChecksumType type;
} banks[] = {
    { "sha1", G_CHECKSUM_SHA1 },
    { "sha256", G_CHECKSUM_SHA256 },
    { "sha384", G_CHECKSUM_SHA384 },
};

typedef struct Event {
    const char *type;
    const char *name;           /* of the variable, or "" */
    GBytes *measured;
} Event;

static void event_free(void *opaque)
{
    Event *e = opaque;

    g_bytes_unref(e->measured);
    g_free(e);
}

static void add_event(GPtrArray *events, const char *type, const char *name,
                      GBytes *measured)
{
    Event *e = g_new(Event, 1);

    *e = (Event) { type, name, measured };
    g_ptr_array_add(events, e);
}

/* UEFI_VARIABLE_DATA, with an owner before the data if there is one */
static GBytes *variable_data(const char *name, const UefiGuid *guid,
                             const UefiGuid *owner, const void *data,
                             size_t size)
{
    size_t len = strlen(name), owned = owner ? sizeof(owner->b) : 0;
    size_t total = sizeof(guid->b) + 16 + 2 * len + owned + size;
    uint8_t *buf = g_malloc(total);
    UefiMsg msg;

    uefi_msg_init(&msg, buf, total, 8);
    uefi_msg_put_guid(&msg, guid);
    uefi_msg_put_u64(&msg, len);
    uefi_msg_put_u64(&msg, owned + size);
    for (size_t i = 0; i < len; i++) {
        uefi_msg_put_u16(&msg, name[i]);
    }
    if (owner) {
        uefi_msg_put_guid(&msg, owner);
    }
    uefi_msg_put_bytes(&msg, data, size);
    return g_bytes_new_take(buf, total);
}

static void add_config(GPtrArray *events, const char *name,
                       const UefiGuid *guid, const void *data, size_t size)
{
    add_event(events, "EV_EFI_VARIABLE_DRIVER_CONFIG", name,
              variable_data(name, guid, NULL, data, size));
}

static void add_variable(GPtrArray *events, const UefiVariable *var,
                         const char *name, const UefiGuid *guid)
{
    add_config(events, name, guid,
               var ? g_bytes_get_data(var->data, NULL) : NULL,
               var ? g_bytes_get_size(var->data) : 0);
}

static void add_settings(GPtrArray *events, const ToolStore *s, bool on)
{
    static const uint8_t separator[4];
    const UefiVariable *dbt =
        uefi_store_find_ascii(s->uv->store, UEFI_VIEW_BOOT,
                              &uefi_guid_image_security, "dbt");
    uint8_t secure_boot = on;

    add_config(events, "SecureBoot", &uefi_guid_global, &secure_boot,
               sizeof(secure_boot));
    for (int id = TOOL_KEY__MAX - 1; id >= 0; id--) {
        add_variable(events, tool_key_find(s, id), tool_keys[id].name,
                     tool_keys[id].guid);
    }
    if (dbt) {
        add_variable(events, dbt, "dbt", &uefi_guid_image_security);
    }
    add_event(events, "EV_SEPARATOR", "",
              g_bytes_new_static(separator, sizeof(separator)));
}

static bool is_measured(const GPtrArray *events, GBytes *measured)
{
    for (guint i = 0; i < events->len; i++) {
        const Event *e = events->pdata[i];

        if (g_bytes_equal(e->measured, measured)) {
            return true;
        }
    }
    return false;
}

/* False after a message if the program at @path is not started */
static bool add_authority(GPtrArray *events, const ToolStore *s,
                          const char *path)
{
    g_autoptr(GString) why = g_string_new(NULL);
    g_autoptr(GBytes) image = tool_read_file(path);
    GBytes *measured;
    ToolSignature by;

    if (!image) {
        return false;
    }
    if (!tool_pe_is_image(image)) {
        tool_fail("%s: this is no UEFI program", path);
        return false;
    }
    if (!tool_image_allowed(s, image, &by, why)) {
        tool_fail("%s: not started with %s: %s", path, s->path, why->str);
        return false;
    }
    measured = variable_data("db", &uefi_guid_image_security, &by.owner,
                             by.data, by.size);
    if (is_measured(events, measured)) {
        g_bytes_unref(measured);
    } else {
        add_event(events, "EV_EFI_VARIABLE_AUTHORITY", "db", measured);
    }
    return true;
}

/* NULL after a message */
static GPtrArray *predict(const ToolStore *s)
{
    g_autoptr(GPtrArray) events = g_ptr_array_new_with_free_func(event_free);
    bool on;

    s->uv->config.force_secure_boot = opt_force;
    on = uefi_secure_boot_is_on(uefi_secureboot_next(s->uv));
    add_settings(events, s, on);
    for (char **image = opt_images; on && image && *image; image++) {
        if (!add_authority(events, s, *image)) {
            return NULL;
        }
    }
    return g_steal_pointer(&events);
}

/* ------------------------------------------------------------------------ */

static char *event_digest(const Event *e, GChecksumType type)
{
    return g_compute_checksum_for_bytes(type, e->measured);
}

/* The value of the PCR after @events; the caller frees */
static char *pcr_value(const GPtrArray *events, GChecksumType type)
{
    uint8_t pcr[DIGEST_MAX] = { }, digest[DIGEST_MAX];
    g_autoptr(GString) text = g_string_new(NULL);
    gsize size = g_checksum_type_get_length(type);

    for (guint i = 0; i < events->len; i++) {
        const Event *e = events->pdata[i];
        g_autoptr(GChecksum) inner = g_checksum_new(type);
        g_autoptr(GChecksum) outer = g_checksum_new(type);

        g_checksum_update(inner, g_bytes_get_data(e->measured, NULL),
                          g_bytes_get_size(e->measured));
        g_checksum_get_digest(inner, digest, &size);
        g_checksum_update(outer, pcr, size);
        g_checksum_update(outer, digest, size);
        g_checksum_get_digest(outer, pcr, &size);
    }
    uefi_hex_append(text, pcr, size);
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static void print_text(const GPtrArray *events)
{
    for (guint i = 0; opt_events && i < events->len; i++) {
        const Event *e = events->pdata[i];
        g_autofree char *digest = event_digest(e, G_CHECKSUM_SHA256);

        printf("  %s%s%s: %zu bytes, sha256 %s\n", e->type,
               *e->name ? " " : "", e->name, g_bytes_get_size(e->measured),
               digest);
    }
    for (size_t i = 0; i < ARRAY_SIZE(banks); i++) {
        g_autofree char *value = pcr_value(events, banks[i].type);

        printf("%s: %s\n", banks[i].name, value);
    }
}

static Json *event_to_json(const Event *e)
{
    Json *object = json_object_new_object();
    Json *digests = json_object_new_object();

    for (size_t i = 0; i < ARRAY_SIZE(banks); i++) {
        g_autofree char *digest = event_digest(e, banks[i].type);

        tool_json_add(digests, banks[i].name, json_object_new_string(digest));
    }
    tool_json_add(object, "type", json_object_new_string(e->type));
    tool_json_add(object, "name", json_object_new_string(e->name));
    tool_json_add(object, "digests", digests);
    return object;
}

static Json *to_json(const GPtrArray *events)
{
    Json *object = json_object_new_object();
    Json *list = json_object_new_array();

    for (size_t i = 0; i < ARRAY_SIZE(banks); i++) {
        g_autofree char *value = pcr_value(events, banks[i].type);

        tool_json_add(object, banks[i].name, json_object_new_string(value));
    }
    for (guint i = 0; i < events->len; i++) {
        json_object_array_add(list, event_to_json(events->pdata[i]));
    }
    tool_json_add(object, "events", list);
    return object;
}

/* What of @events is not among @others */
static void print_others(char sign, const GPtrArray *events,
                         const GPtrArray *others)
{
    for (guint i = 0; i < events->len; i++) {
        const Event *e = events->pdata[i];

        if (!is_measured(others, e->measured)) {
            printf("%c %s %s\n", sign, e->type, e->name);
        }
    }
}

static int print(const GPtrArray *before, const GPtrArray *after)
{
    g_autofree char *old = pcr_value(before, G_CHECKSUM_SHA256);
    g_autofree char *new = after ? pcr_value(after, G_CHECKSUM_SHA256) : NULL;

    if (tool_options.json) {
        Json *list = json_object_new_array();

        json_object_array_add(list, to_json(before));
        if (after) {
            json_object_array_add(list, to_json(after));
        }
        tool_print_json(list);
    } else if (!after) {
        print_text(before);
    } else {
        puts("before:");
        print_text(before);
        puts("after:");
        print_text(after);
        print_others('-', before, after);
        print_others('+', after, before);
    }
    return after && strcmp(old, new) ? TOOL_FAILED : TOOL_OK;
}

/* Of the store after the change, in memory; NULL after a message */
static GPtrArray *predict_change(const ToolStore *s, const char *document)
{
    GPtrArray *vars = tool_read_document(document);
    g_autoptr(UefiVarChange) change = vars ? tool_change_of(vars) : NULL;

    if (!change) {
        return NULL;
    }
    uefi_store_apply(s->uv->store, change);
    return predict(s);
}

static int run_pcr7(char **args)
{
    g_autoptr(ToolStore) s = tool_open(args[0], TOOL_READ);
    g_autoptr(GPtrArray) before = s ? predict(s) : NULL;
    g_autoptr(GPtrArray) after = NULL;
    g_autoptr(ToolStore) other = NULL;

    if (args[1] && opt_apply) {
        return tool_usage("--apply and a second store are one too many");
    }
    if (!before) {
        return TOOL_USAGE;
    }
    if (opt_apply) {
        after = predict_change(s, opt_apply);
    } else if (args[1]) {
        other = tool_open(args[1], TOOL_READ);
        after = other ? predict(other) : NULL;
    }
    if (!after && (opt_apply || args[1])) {
        return TOOL_USAGE;
    }
    return print(before, after);
}

static const GOptionEntry pcr7_options[] = {
    TOOL_OPTION_JSON,
    { "image", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &opt_images,
      "A program that is started, in that order; can be repeated", "IMAGE" },
    { "apply", 0, 0, G_OPTION_ARG_FILENAME, &opt_apply,
      "Also after the variables of a document are set", "DOCUMENT" },
    { "events", 'e', 0, G_OPTION_ARG_NONE, &opt_events,
      "Print what is measured, too", NULL },
    { "force-secure-boot", 0, 0, G_OPTION_ARG_NONE, &opt_force,
      "The device's force-secure-boot property is on", NULL },
    TOOL_OPTION_DICTIONARY,
    { }
};

const ToolCommand tool_cmd_pcr7 = {
    .name = "pcr7",
    .arguments = "FILE [AFTER]",
    .summary = "Foretell PCR 7 of a TPM; exit status 1 if it changes.",
    .options = pcr7_options,
    .min_args = 1,
    .max_args = 2,
    .run = run_pcr7,
};
