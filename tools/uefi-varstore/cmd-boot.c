/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: boot entries, as efibootmgr has them
 */

#include "qemu/osdep.h"
#include "tool.h"

#define ACTIVE      0x00000001u     /* LOAD_OPTION_ACTIVE */
#define NUMBERS     0x10000         /* of boot entries */

static char *opt_file;
static char *opt_uri;
static char *opt_label;
static char *opt_args;
static char *opt_partition;
static char *opt_disk;
static int opt_part;
static gboolean opt_last;

/* ------------------------------------------------------------------------ */
/* Variables */

static const UefiVariable *find(const ToolStore *s, const char *name)
{
    return uefi_store_find_ascii(s->uv->store, UEFI_VIEW_BOOT,
                                 &uefi_guid_global, name);
}

static const UefiVariable *find_entry(const ToolStore *s, unsigned number)
{
    g_autofree char *name = g_strdup_printf("Boot%04X", number);

    return find(s, name);
}

/* @size of 0 removes the variable */
static bool put(ToolStore *s, const char *name, const void *data, size_t size)
{
    g_autofree uint16_t *str = uefi_str_from_ascii(name);
    UefiReason reason = UEFI_REASON_OK;

    if (size) {
        reason = uefi_vars_host_set(s->uv, &uefi_guid_global, str,
                                    EFI_ATTR_NV | EFI_ATTR_BS | EFI_ATTR_RT,
                                    data, size, false);
    } else if (find(s, name)) {
        reason = uefi_vars_host_delete(s->uv, &uefi_guid_global, str, false);
    }
    if (reason != UEFI_REASON_OK) {
        tool_fail("%s: %s is refused: %s", s->path, name,
                  uefi_reason_text(reason));
    }
    return reason == UEFI_REASON_OK;
}

static bool put_entry(ToolStore *s, unsigned number, GBytes *value)
{
    g_autofree char *name = g_strdup_printf("Boot%04X", number);
    gsize size = 0;
    const void *data = value ? g_bytes_get_data(value, &size) : NULL;

    return put(s, name, data, size);
}

/* A list of numbers, such as BootOrder */
static GArray *get_numbers(const ToolStore *s, const char *name)
{
    const UefiVariable *var = find(s, name);
    GArray *numbers = g_array_new(false, false, sizeof(uint16_t));
    UefiMsg msg;

    if (var) {
        uefi_msg_init(&msg, (void *)g_bytes_get_data(var->data, NULL),
                      g_bytes_get_size(var->data), 8);
        while (uefi_msg_left(&msg) >= 2) {
            uint16_t number = uefi_msg_get_u16(&msg);

            g_array_append_val(numbers, number);
        }
    }
    return numbers;
}

static bool put_numbers(ToolStore *s, const char *name, const GArray *numbers)
{
    size_t size = numbers->len * sizeof(uint16_t);
    g_autofree uint8_t *data = g_malloc(size);
    UefiMsg msg;

    uefi_msg_init(&msg, data, size, 8);
    for (guint i = 0; i < numbers->len; i++) {
        uefi_msg_put_u16(&msg, g_array_index(numbers, uint16_t, i));
    }
    return put(s, name, data, size);
}

static int place_of(const GArray *numbers, unsigned number)
{
    for (guint i = 0; i < numbers->len; i++) {
        if (g_array_index(numbers, uint16_t, i) == number) {
            return i;
        }
    }
    return -1;
}

/* 0001, or Boot0001 */
static bool parse_number(const char *text, uint16_t *number)
{
    const char *digits = g_str_has_prefix(text, "Boot") ? text + 4 : text;
    guint64 value;

    if (strlen(digits) > 4 ||
        !g_ascii_string_to_unsigned(digits, 16, 0, NUMBERS - 1, &value,
                                    NULL)) {
        return false;
    }
    *number = value;
    return true;
}

static int commit(ToolStore *s)
{
    g_autoptr(GError) err = NULL;

    return tool_store_fold(s, &err) ? TOOL_OK : tool_fail_with(err);
}

/* ------------------------------------------------------------------------ */
/* list */

enum { COLUMN_PLACE, COLUMN_NUMBER, COLUMN_STATE, COLUMN_LABEL, COLUMN_PATH,
       COLUMN__MAX };

typedef struct List {
    const ToolStore *s;
    GArray *order;
    GArray *next;
    ToolTable *table;
    Json *json;
} List;

static void list_entry(List *l, unsigned number, const UefiVariable *var)
{
    int place = place_of(l->order, number);
    bool next = place_of(l->next, number) == 0;
    g_auto(ToolLoadOption) opt = { };
    gsize size;
    const void *data = g_bytes_get_data(var->data, &size);
    bool good = tool_load_option_parse(&opt, data, size);
    g_autoptr(GString) label = g_string_new(NULL), path = g_string_new(NULL);
    char **row = tool_table_add(l->table);
    Json *item = json_object_new_object();

    if (!good || !tool_device_path(path, opt.path, opt.path_size)) {
        g_string_assign(path, "damaged");
    }
    if (good) {
        uefi_str_append_visible(label, opt.label);
    }
    row[COLUMN_PLACE] = place < 0 ? g_strdup("-")
                                  : g_strdup_printf("%d", place + 1);
    row[COLUMN_NUMBER] = g_strdup_printf("Boot%04X", number);
    row[COLUMN_STATE] = g_strdup_printf(
        "%s%s", opt.attributes & ACTIVE ? "active" : "inactive",
        next ? ",next" : "");
    row[COLUMN_LABEL] = g_strdup(label->str);
    row[COLUMN_PATH] = g_strdup(path->str);
    tool_json_add(item, "name", json_object_new_string(row[COLUMN_NUMBER]));
    tool_json_add(item, "place", place < 0 ? NULL
                                           : json_object_new_int(place + 1));
    tool_json_add(item, "active",
                  json_object_new_boolean(opt.attributes & ACTIVE));
    tool_json_add(item, "next", json_object_new_boolean(next));
    tool_json_add(item, "label", json_object_new_string(label->str));
    tool_json_add(item, "path", json_object_new_string(path->str));
    json_object_array_add(l->json, item);
}

/* In boot order, then the others by number */
static void list_entries(List *l)
{
    for (guint i = 0; i < l->order->len; i++) {
        uint16_t number = g_array_index(l->order, uint16_t, i);
        const UefiVariable *var = find_entry(l->s, number);

        if (var && place_of(l->order, number) == i) {
            list_entry(l, number, var);
        }
    }
    for (unsigned number = 0; number < NUMBERS; number++) {
        const UefiVariable *var = find_entry(l->s, number);

        if (var && place_of(l->order, number) < 0) {
            list_entry(l, number, var);
        }
    }
}

static int run_list(ToolStore *s, char **args)
{
    g_autoptr(GArray) order = get_numbers(s, "BootOrder");
    g_autoptr(GArray) next = get_numbers(s, "BootNext");
    g_autoptr(ToolTable) table = tool_table_new(COLUMN__MAX,
                                                1 << COLUMN_PLACE);
    List l = {
        .s = s,
        .order = order,
        .next = next,
        .table = table,
        .json = json_object_new_array(),
    };

    list_entries(&l);
    if (tool_options.json) {
        tool_print_json(l.json);
    } else {
        json_object_put(l.json);
        tool_table_print(table);
    }
    return TOOL_OK;
}

/* ------------------------------------------------------------------------ */
/* add */

/* UUID[,NUMBER,START,BLOCKS]; without the rest it is the first partition */
static bool parse_partition(const char *text, ToolPartition *part)
{
    g_auto(GStrv) parts = g_strsplit(text, ",", 4);
    unsigned count = g_strv_length(parts);
    guint64 number = 1, start = 0, blocks = 0;

    if ((count != 1 && count != 4) || !uefi_guid_parse(parts[0], &part->uuid) ||
        (count == 4 &&
         (!g_ascii_string_to_unsigned(parts[1], 10, 1, UINT32_MAX, &number,
                                      NULL) ||
          !g_ascii_string_to_unsigned(parts[2], 10, 0, INT64_MAX, &start,
                                      NULL) ||
          !g_ascii_string_to_unsigned(parts[3], 10, 0, INT64_MAX, &blocks,
                                      NULL)))) {
        tool_usage("--partition is a UUID, or UUID,NUMBER,START,BLOCKS");
        return false;
    }
    part->number = number;
    part->start = start;
    part->blocks = blocks;
    return true;
}

/* NULL for text that is not UTF-8 */
static uint16_t *to_utf16(const char *option, const char *text)
{
    uint16_t *str = g_utf8_to_utf16(text, -1, NULL, NULL, NULL);

    if (!str) {
        tool_usage("%s is not UTF-8", option);
    }
    return str;
}

static bool make_file_path(GByteArray *path)
{
    g_autofree char *name = g_strdelimit(g_strdup(opt_file), "/", '\\');
    g_autofree uint16_t *str = to_utf16("--file", name);
    ToolPartition part = { .number = opt_part };

    if (!str) {
        return false;
    }
    if (opt_disk) {
        if (!tool_partition_read(opt_disk, &part)) {
            return false;
        }
        tool_path_add_partition(path, &part);
    } else if (opt_partition) {
        if (!parse_partition(opt_partition, &part)) {
            return false;
        }
        tool_path_add_partition(path, &part);
    }
    tool_path_add_file(path, str);
    return true;
}

/* NULL after a message */
static GBytes *make_entry(void)
{
    g_autoptr(GByteArray) path = g_byte_array_new();
    g_autofree uint16_t *label = to_utf16("--label", opt_label);
    g_autofree uint16_t *more = opt_args ? to_utf16("--args", opt_args) : NULL;
    ToolLoadOption opt = { .attributes = ACTIVE, .label = label };

    if (!label || (opt_args && !more)) {
        return NULL;
    }
    if (opt_uri) {
        tool_path_add_uri(path, opt_uri);
    } else if (!make_file_path(path)) {
        return NULL;
    }
    tool_path_end(path);
    if (path->len > UINT16_MAX) {
        tool_fail("the path is too long");
        return NULL;
    }
    opt.path = path->data;
    opt.path_size = path->len;
    if (more) {
        /* the units as they are in memory, made little endian */
        for (size_t i = 0; more[i]; i++) {
            more[i] = GUINT16_TO_LE(more[i]);
        }
        opt.more = (uint8_t *)more;
        opt.more_size = uefi_str_len(more) * sizeof(*more);
    }
    return tool_load_option_print(&opt);
}

static int run_add(ToolStore *s, char **args)
{
    g_autoptr(GArray) order = get_numbers(s, "BootOrder");
    g_autoptr(GBytes) value = NULL;
    uint16_t free_number = 0;

    if (!opt_label || !!opt_file + !!opt_uri != 1) {
        return tool_usage("--label and one of --file and --uri are needed");
    }
    if ((opt_uri && (opt_disk || opt_partition)) ||
        (opt_disk && opt_partition) || opt_part < 0) {
        return tool_usage("a file is on one of --disk and --partition");
    }
    value = make_entry();
    if (!value) {
        return TOOL_FAILED;
    }
    while (find_entry(s, free_number)) {
        if (free_number == NUMBERS - 1) {
            return tool_fail("%s: there are too many entries", s->path);
        }
        free_number++;
    }
    if (place_of(order, free_number) >= 0) {
        g_array_remove_index(order, place_of(order, free_number));
    }
    g_array_insert_val(order, opt_last ? order->len : 0, free_number);
    if (!put_entry(s, free_number, value) ||
        !put_numbers(s, "BootOrder", order)) {
        return TOOL_FAILED;
    }
    return commit(s);
}

/* ------------------------------------------------------------------------ */
/* rm, order, next, enable, disable */

/* Numbers of entries that exist; NULL after a message */
static GArray *take_entries(const ToolStore *s, char **args)
{
    g_autoptr(GArray) numbers = g_array_new(false, false, sizeof(uint16_t));

    for (; *args; args++) {
        g_auto(GStrv) parts = g_strsplit(*args, ",", -1);

        for (char **part = parts; *part; part++) {
            uint16_t number;

            if (!parse_number(*part, &number) || !find_entry(s, number)) {
                tool_fail("%s: there is no boot entry '%s', which is a number "
                          "such as 0001", s->path, *part);
                return NULL;
            }
            if (place_of(numbers, number) < 0) {
                g_array_append_val(numbers, number);
            }
        }
    }
    return g_steal_pointer(&numbers);
}

static int run_rm(ToolStore *s, char **args)
{
    g_autoptr(GArray) numbers = take_entries(s, args);
    g_autoptr(GArray) order = get_numbers(s, "BootOrder");
    g_autoptr(GArray) next = get_numbers(s, "BootNext");

    for (guint i = 0; numbers && i < numbers->len; i++) {
        uint16_t number = g_array_index(numbers, uint16_t, i);
        int place;

        while ((place = place_of(order, number)) >= 0) {
            g_array_remove_index(order, place);
        }
        if (!put_entry(s, number, NULL) ||
            (place_of(next, number) >= 0 && !put(s, "BootNext", NULL, 0))) {
            return TOOL_FAILED;
        }
    }
    if (!numbers || !put_numbers(s, "BootOrder", order)) {
        return TOOL_FAILED;
    }
    return commit(s);
}

/* Those that are named come first, the others stay behind them */
static int run_order(ToolStore *s, char **args)
{
    g_autoptr(GArray) numbers = take_entries(s, args);
    g_autoptr(GArray) order = get_numbers(s, "BootOrder");

    if (!numbers) {
        return TOOL_FAILED;
    }
    for (guint i = 0; i < order->len; i++) {
        uint16_t number = g_array_index(order, uint16_t, i);

        if (place_of(numbers, number) < 0) {
            g_array_append_val(numbers, number);
        }
    }
    return put_numbers(s, "BootOrder", numbers) ? commit(s) : TOOL_FAILED;
}

static int run_next(ToolStore *s, char **args)
{
    g_autoptr(GArray) numbers = NULL;

    if (!strcmp(args[0], "none")) {
        return put(s, "BootNext", NULL, 0) ? commit(s) : TOOL_FAILED;
    }
    numbers = take_entries(s, args);
    if (!numbers) {
        return TOOL_FAILED;
    }
    if (numbers->len != 1) {
        return tool_usage("there is one next entry");
    }
    return put_numbers(s, "BootNext", numbers) ? commit(s) : TOOL_FAILED;
}

static int set_active(ToolStore *s, char **args, bool active)
{
    g_autoptr(GArray) numbers = take_entries(s, args);

    for (guint i = 0; numbers && i < numbers->len; i++) {
        uint16_t number = g_array_index(numbers, uint16_t, i);
        const UefiVariable *var = find_entry(s, number);
        g_autoptr(GByteArray) copy = g_byte_array_new();
        g_autoptr(GBytes) value = NULL;

        /* the rest of it may be anything */
        g_byte_array_append(copy, g_bytes_get_data(var->data, NULL),
                            g_bytes_get_size(var->data));
        copy->data[0] = (copy->data[0] & ~ACTIVE) | (active ? ACTIVE : 0);
        value = g_byte_array_free_to_bytes(g_steal_pointer(&copy));
        if (!put_entry(s, number, value)) {
            return TOOL_FAILED;
        }
    }
    return numbers ? commit(s) : TOOL_FAILED;
}

static int run_enable(ToolStore *s, char **args)
{
    return set_active(s, args, true);
}

static int run_disable(ToolStore *s, char **args)
{
    return set_active(s, args, false);
}

/* ------------------------------------------------------------------------ */

static int run_boot(char **args)
{
    static const char numbers[] = "numbers of entries";
    static const ToolVerb verbs[] = {
        { "list", TOOL_READ, NULL, run_list },
        { "add", TOOL_CREATE, NULL, run_add },
        { "rm", TOOL_WRITE, numbers, run_rm },
        { "order", TOOL_WRITE, numbers, run_order },
        { "next", TOOL_WRITE, numbers, run_next },
        { "enable", TOOL_WRITE, numbers, run_enable },
        { "disable", TOOL_WRITE, numbers, run_disable },
        { }
    };

    return tool_run_verb(verbs, args);
}

static const GOptionEntry boot_options[] = {
    { "label", 'l', 0, G_OPTION_ARG_FILENAME, &opt_label,
      "add: what people read of the entry", "TEXT" },
    { "file", 0, 0, G_OPTION_ARG_FILENAME, &opt_file,
      "add: the program, such as /EFI/debian/shimx64.efi", "PATH" },
    { "partition", 0, 0, G_OPTION_ARG_STRING, &opt_partition,
      "add: where the program is", "UUID[,NUMBER,START,BLOCKS]" },
    { "disk", 0, 0, G_OPTION_ARG_FILENAME, &opt_disk,
      "add: the raw image of the disk where the program is", "IMAGE" },
    { "part", 0, 0, G_OPTION_ARG_INT, &opt_part,
      "add: the partition of the disk; its first ESP by default", "NUMBER" },
    { "uri", 0, 0, G_OPTION_ARG_STRING, &opt_uri,
      "add: a program or image to get from the network", "URI" },
    { "args", 0, 0, G_OPTION_ARG_FILENAME, &opt_args,
      "add: command line of the program", "TEXT" },
    { "last", 0, 0, G_OPTION_ARG_NONE, &opt_last,
      "add: behind the other entries, not before them", NULL },
    TOOL_OPTION_JSON, TOOL_OPTION_SIZE, TOOL_OPTION_HWERR_QUOTA,
    TOOL_OPTION_IN_PLACE, TOOL_OPTION_DICTIONARY,
    { }
};

const ToolCommand tool_cmd_boot = {
    .name = "boot",
    .arguments = "list|add|rm|order|next|enable|disable FILE [NUMBER...]",
    .summary = "See and change boot entries.",
    .options = boot_options,
    .min_args = 2,
    .max_args = -1,
    .run = run_boot,
};
