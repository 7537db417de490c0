/* SPDX-License-Identifier: Apache-2.0
 *
 * json_samples.h -- the bodies of pb_samples.h in JSON.
 *
 * They must lead to the same lines; and so must everything that json_shuffle makes of them.
 */
#ifndef TESTS_JSON_SAMPLES_H
#define TESTS_JSON_SAMPLES_H

#include "../base/prng.h"
#include "base/buf.h"

extern const char json_sample_metrics[], json_sample_logs[], json_sample_traces[];

/* The same value with the members of each object in another order, with white space between, some
 * characters as escapes, and some keys in snake_case. */
void json_shuffle(struct prng *prng, const char *text, size_t size, struct buf *out);

#endif
