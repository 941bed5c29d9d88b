/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What requests cost in a full store, by the names that a guest chooses
 *
 * Stores of equal size are filled with random names, with names that share
 * the value of a multiplicative hash, and with names that differ at the end
 * only.  Prints a table of CPU time for each request, and what it is beside
 * that with random names.
 */

#include "qemu/osdep.h"
#include <time.h>
#include "../unit/uefi-test.h"
#include "hw/uefi/var-service-load.h"

#define STORE_SIZE  0x400000
#define ROUNDS      3

/* Characters of three bytes in UTF-8, so that all files have one size */
#define FIRST_UNIT  0x4e00
#define LAST_UNIT   0x9f00
#define MULTIPLIER  33

/* What is measured, in this order */
enum { CREATE, READ, OVERWRITE, LIST, LOAD, DELETE, STEPS };

static const char *const step_names[STEPS] = {
    "create", "GetVariable", "overwrite", "GetNextVariableName", "load",
    "delete"
};

typedef struct Shape {
    size_t count;               /* of variables */
    size_t units;               /* of a name, without its terminator */
} Shape;

/* Set @number's name, @units long and filled with one character already */
typedef void (*Namer)(uint16_t *name, size_t units, uint32_t number);

/* ------------------------------------------------------------------------ */
/* Names */

static void name_at_random(uint16_t *name, size_t units, uint32_t number)
{
    uint32_t x = number + 1;

    for (size_t i = 0; i + 2 < units; i++) {
        x = x * 1664525 + 1013904223;
        name[i] = FIRST_UNIT + (x >> 16) % (LAST_UNIT - FIRST_UNIT);
    }
    name[units - 2] = FIRST_UNIT + number % 256;
    name[units - 1] = FIRST_UNIT + number / 256;
}

/* What one character adds, the next one takes away MULTIPLIER times. */
static void name_of_one_hash(uint16_t *name, size_t units, uint32_t number)
{
    const uint32_t choices = (LAST_UNIT - FIRST_UNIT) / MULTIPLIER;

    for (size_t i = 0; i + 1 < units; i += 2) {
        name[i] = FIRST_UNIT + number % choices;
        name[i + 1] = LAST_UNIT - MULTIPLIER * (number % choices);
        number /= choices;
    }
}

static void name_at_the_end(uint16_t *name, size_t units, uint32_t number)
{
    name[units - 2] = FIRST_UNIT + number / 256;
    name[units - 1] = FIRST_UNIT + number % 256;
}

static uint16_t **make_names(const Shape *shape, Namer namer)
{
    uint16_t **names = g_new0(uint16_t *, shape->count + 1);

    for (size_t i = 0; i < shape->count; i++) {
        names[i] = g_new0(uint16_t, shape->units + 1);
        for (size_t j = 0; j < shape->units; j++) {
            names[i][j] = FIRST_UNIT;
        }
        namer(names[i], shape->units, i);
    }
    return names;
}

/* ------------------------------------------------------------------------ */
/* Requests */

static void request(UefiTest *t, uint64_t function, const uint16_t *name,
                    uint32_t attributes, const void *value, size_t size)
{
    g_autoptr(GByteArray) payload = g_byte_array_new();

    uefi_test_add_guid(payload, &uefi_test_guid);
    uefi_test_add_un(t, payload, size);
    uefi_test_add_un(t, payload, uefi_str_size(name));
    uefi_test_add(payload, attributes, 4);
    g_byte_array_append(payload, (const uint8_t *)name, uefi_str_size(name));
    g_byte_array_append(payload, value, size);
    uefi_assert_reason(uefi_test_call(t, function, payload), OK);
}

/* One request for each variable, not in the order of their names */
static void request_all(UefiTest *t, uint64_t function, uint16_t **names,
                        size_t count, uint32_t attributes, const void *value,
                        size_t size)
{
    for (size_t i = 0; i < count; i++) {
        request(t, function, names[i * 7919 % count], attributes, value,
                size);
    }
}

static void list_all(UefiTest *t, const Shape *shape)
{
    const size_t room = (shape->units + 1) * sizeof(uint16_t) + 64;
    g_autoptr(GByteArray) next = g_byte_array_new();
    size_t seen = 0;

    uefi_test_add_guid(next, &uefi_test_guid);
    uefi_test_add_un(t, next, room);
    g_byte_array_set_size(next, next->len + room);
    memset(next->data + next->len - room, 0, room);
    while (uefi_test_call(t, EFI_VAR_FN_GET_NEXT_VARIABLE_NAME, next) ==
           UEFI_REASON_OK) {
        UefiMsg msg;

        uefi_msg_init(&msg, next->data, next->len, t->un_size);
        uefi_msg_seek(&msg, sizeof(UefiGuid));
        uefi_msg_put_un(&msg, room);
        seen++;
    }
    g_assert_cmpuint(seen, >=, shape->count);
}

static void load(UefiTest *t, const char *document)
{
    g_autoptr(GError) err = NULL;

    uefi_load_store(t->uv, document, NULL, NULL, &err);
    g_assert_no_error(err);
    uefi_vars_hard_reset(t->uv);
}

static void run_step(UefiTest *t, int step, const Shape *shape,
                     uint16_t **names, const char *document)
{
    uint64_t function = step == READ ? EFI_VAR_FN_GET_VARIABLE
                                     : EFI_VAR_FN_SET_VARIABLE;
    uint32_t attributes = step == DELETE ? 0 : ATTR_NV_RT;

    switch (step) {
    case LIST:
        list_all(t, shape);
        break;
    case LOAD:
        load(t, document);
        break;
    default:
        request_all(t, function, names, shape->count, attributes,
                    step == CREATE ? "old" : "new", step == DELETE ? 0 : 3);
    }
}

/* Microseconds of CPU for each variable, the best of some rounds */
static void measure(const Shape *shape, Namer namer, double best[STEPS])
{
    UefiVarConfig config = uefi_vars_default_config();
    uint16_t **names = make_names(shape, namer);

    config.limits.nv_size = STORE_SIZE;
    for (int round = 0; round < ROUNDS; round++) {
        g_autoptr(UefiTest) t = uefi_test_new(&config);

        for (int step = 0; step < STEPS; step++) {
            g_autofree char *document =
                uefi_text_print_document(t->uv->store);
            clock_t start = clock();
            double cost;

            run_step(t, step, shape, names, document);
            cost = 1e6 * (clock() - start) / CLOCKS_PER_SEC / shape->count;
            best[step] = round ? MIN(best[step], cost) : cost;
        }
    }
    g_strfreev((char **)names);
}

int main(void)
{
    static const Shape shapes[] = { { 4000, 450 }, { 50000, 7 } };
    static const Namer namers[] = {
        name_at_random, name_of_one_hash, name_at_the_end
    };

    printf("%-9s %-19s %9s %8s %6s\n", "variables", "request", "random",
           "one hash", "prefix");
    for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
        double cost[ARRAY_SIZE(namers)][STEPS];

        for (size_t j = 0; j < ARRAY_SIZE(namers); j++) {
            measure(&shapes[i], namers[j], cost[j]);
        }
        for (int step = 0; step < STEPS; step++) {
            printf("%-9zu %-19s %6.2f us %8.2f %6.2f\n", shapes[i].count,
                   step_names[step], cost[0][step],
                   cost[1][step] / cost[0][step],
                   cost[2][step] / cost[0][step]);
        }
    }
    return 0;
}
