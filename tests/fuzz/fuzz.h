/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What the fuzzers share: an input that never ends in the middle of a value,
 * and a main function for builds without a fuzzing engine
 *
 * Built with -fsanitize=fuzzer a fuzzer explores by coverage.  Built without,
 * it runs a number of inputs from a seeded generator, or the files that it is
 * given, and reports in TAP.
 */

#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

typedef struct FuzzInput {
    const uint8_t *data;
    size_t size;        /* bytes left */
} FuzzInput;

static inline bool fuzz_end(const FuzzInput *in)
{
    return in->size == 0;
}

/** fuzz_u8: the next byte, 0 at the end */
static inline uint8_t fuzz_u8(FuzzInput *in)
{
    if (!in->size) {
        return 0;
    }
    in->size--;
    return *in->data++;
}

/** fuzz_one: one input, from start to end; aborts on a finding */
void fuzz_one(FuzzInput *in);

/** LLVMFuzzerTestOneInput: what a fuzzing engine calls; returns 0 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif /* TESTS_FUZZ_FUZZ_H */
