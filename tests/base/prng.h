/* SPDX-License-Identifier: Apache-2.0
 *
 * prng.h -- random numbers of the tests: seeded, printed, repeatable.
 *
 * VARVE_TEST_SEED in the environment replaces the seed, to repeat a failure.
 */
#ifndef TESTS_PRNG_H
#define TESTS_PRNG_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct prng {
    uint64_t state;
};

/* Every number: a step of a counter, mixed. */
static inline uint64_t prng_next(struct prng *prng)
{
    uint64_t x = prng->state += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* 0 .. below - 1; below > 0. */
static inline uint64_t prng_below(struct prng *prng, uint64_t below)
{
    return prng_next(prng) % below;
}

static inline struct prng prng_start(uint64_t seed)
{
    const char *text = getenv("VARVE_TEST_SEED");
    if (text && *text)
        seed = strtoull(text, NULL, 0);
    printf("# VARVE_TEST_SEED=%" PRIu64 "\n", seed);
    return (struct prng){seed};
}

#endif
