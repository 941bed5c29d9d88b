/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The entry points of a fuzzer: for a fuzzing engine, or stand-alone
 *
 *     fuzz-NAME [--seed N] [--runs N] [FILE...]
 */

#include "qemu/osdep.h"
#include "fuzz.h"

#ifdef FUZZING_ENGINE

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FuzzInput in = { data, size };

    fuzz_one(&in);
    return 0;
}

#else

#define INPUT_SIZE  2048    /* bytes, of a generated input */

static int seed = 1;
static int runs = 3000;
static char **files;

static void run_random(void)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(seed);

    for (int run = 0; run < runs; run++) {
        size_t size = g_rand_int_range(rand, 0, INPUT_SIZE);
        g_autofree uint8_t *data = g_malloc(size);
        FuzzInput in = { data, size };

        for (size_t i = 0; i < size; i++) {
            data[i] = g_rand_int(rand);
        }
        fuzz_one(&in);
    }
    g_test_message("%d inputs of seed %d", runs, seed);
}

static void run_files(void)
{
    for (char **file = files; *file; file++) {
        g_autofree char *data = NULL;
        gsize size;
        FuzzInput in;

        g_assert_true(g_file_get_contents(*file, &data, &size, NULL));
        in = (FuzzInput) { (const uint8_t *)data, size };
        fuzz_one(&in);
    }
}

int main(int argc, char **argv)
{
    const GOptionEntry entries[] = {
        { "seed", 0, 0, G_OPTION_ARG_INT, &seed, "seed of the inputs", "N" },
        { "runs", 0, 0, G_OPTION_ARG_INT, &runs, "number of inputs", "N" },
        { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &files,
          "inputs to run instead", "FILE" },
        { }
    };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_autoptr(GError) err = NULL;
    g_autofree char *name = g_path_get_basename(argv[0]);
    g_autofree char *path = g_strdup_printf("/uefi/fuzz/%s", name);

    /* GLib has an option --seed as well, of another form */
    g_option_context_add_main_entries(context, entries, NULL);
    g_option_context_set_ignore_unknown_options(context, true);
    if (!g_option_context_parse(context, &argc, &argv, &err)) {
        g_printerr("%s: %s\n", name, err->message);
        return 2;
    }
    g_test_init(&argc, &argv, NULL);
    g_test_add_func(path, files ? run_files : run_random);
    return g_test_run();
}

#endif
