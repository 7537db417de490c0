/* SPDX-License-Identifier: Apache-2.0
 *
 * shapes.h -- blocks of integers of every kind that the codecs treat differently.
 */
#ifndef TESTS_SHAPES_H
#define TESTS_SHAPES_H

#include <stddef.h>
#include <stdint.h>

#include "../base/prng.h"

struct shape {
    const char *name;
    void (*make)(int64_t *values, size_t n, struct prng *prng);
};

extern const struct shape shapes[];
extern const size_t shape_count;

/* A number with so many bits (0..64), its highest one set. */
uint64_t number_of_bits(struct prng *prng, unsigned bits);

#endif
