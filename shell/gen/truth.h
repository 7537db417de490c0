/* SPDX-License-Identifier: Apache-2.0
 *
 * truth.h -- what the totals of a generated world are, counted while it is written.
 */
#ifndef GEN_TRUTH_H
#define GEN_TRUTH_H

#include <stdio.h>
#include "gen.h"

struct truth;

/* NULL: out of memory. */
struct truth *truth_new(const struct gen_options *options);
void truth_free(struct truth *t);
/* False: out of memory. */
bool truth_count(struct truth *t, const struct gen_export *e);
/* A body with so many points and events was written a second time. */
void truth_repeat(struct truth *t, uint64_t points, uint64_t events);

struct truth_summary {
    uint64_t points, events, duplicates, series, sessions;
};
struct truth_summary truth_summary(const struct truth *t);

/* The whole of truth.json.  Whether it could be written, ferror() tells. */
bool truth_write(const struct truth *t, const struct gen_world *world, const char *format,
                 uint64_t files, FILE *to);

#endif
