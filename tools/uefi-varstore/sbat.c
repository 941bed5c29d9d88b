/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: SBAT: generations of components, which shim compares with
 * those that its variable SbatLevel demands
 *
 * Both are text, one component in a line: its name, its generation, and more
 * that does not matter here, with commas in between.
 */

#include "qemu/osdep.h"
#include "tool.h"

/* A line: its component and generation */
static bool split_line(const char *line, char **component, guint64 *number)
{
    g_auto(GStrv) parts = g_strsplit(line, ",", 3);

    if (!parts[0] || !parts[1] ||
        !g_ascii_string_to_unsigned(g_strstrip(parts[1]), 10, 0, G_MAXINT32,
                                    number, NULL)) {
        return false;
    }
    *component = g_strdup(g_strstrip(parts[0]));
    return true;
}

static char **lines_of(GBytes *text)
{
    gsize size;
    const char *data = g_bytes_get_data(text, &size);
    g_autofree char *copy = g_strndup(data ?: "", size);

    return g_strsplit(copy, "\n", -1);
}

/* Generations by component; of one that is there twice, the first */
static GHashTable *read_level(GBytes *text)
{
    GHashTable *level = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                              NULL);
    g_auto(GStrv) lines = lines_of(text);

    for (char **line = lines; *line; line++) {
        g_autofree char *component = NULL;
        guint64 number;

        if (split_line(*line, &component, &number) &&
            !g_hash_table_contains(level, component)) {
            g_hash_table_insert(level, g_steal_pointer(&component),
                                GSIZE_TO_POINTER(number));
        }
    }
    return level;
}

bool tool_sbat_allows(GBytes *sbat, GBytes *level, GString *why)
{
    g_autoptr(GHashTable) demanded = read_level(level);
    g_auto(GStrv) lines = lines_of(sbat);

    for (char **line = lines; *line; line++) {
        g_autofree char *component = NULL;
        guint64 number, least;

        if (!split_line(*line, &component, &number)) {
            continue;
        }
        least = GPOINTER_TO_SIZE(g_hash_table_lookup(demanded, component));
        if (number < least) {
            g_string_append_printf(why, "; but shim would not, as SbatLevel "
                                   "demands generation %" PRIu64 " of %s, "
                                   "and it has %" PRIu64, least, component,
                                   number);
            return false;
        }
    }
    return true;
}
