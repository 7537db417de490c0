/* SPDX-License-Identifier: Apache-2.0
 *
 * chance.h -- numbers drawn from a seed, in integers only.
 *
 * No floating point is involved, so the same seed makes the same world on every machine.
 */
#ifndef GEN_CHANCE_H
#define GEN_CHANCE_H

#include <stdbool.h>
#include <stdint.h>

/* A stream of numbers; any 64 bits are a seed. */
struct chance {
    uint64_t state;
};

uint64_t chance_next(struct chance *c);
/* One number that depends on both and on their order. */
uint64_t chance_mix(uint64_t a, uint64_t b);
/* 0 .. bound-1; 0 of no bound. */
uint32_t chance_below(struct chance *c, uint32_t bound);
/* True in so many of a thousand cases. */
bool chance_permille(struct chance *c, uint32_t permille);
/* Log-normal in shape: half of them below the median, most within a factor of 2^(spread/256). */
int64_t chance_about(struct chance *c, int64_t median, uint32_t spread);
/* The index drawn from weights that are not all 0. */
unsigned chance_weighted(struct chance *c, const uint16_t *weights, unsigned count);
void chance_hex(struct chance *c, char *text, unsigned digits);
/* A random UUID, version 4. */
void chance_uuid(struct chance *c, char text[37]);
/* So many letters and digits, as the ids of requests and tools have them. */
void chance_id(struct chance *c, char *text, unsigned letters);

#endif
