/* SPDX-License-Identifier: Apache-2.0
 *
 * sample_day.h -- the counters of made-up developers at work: what sizes are measured with.
 */
#ifndef TESTS_SAMPLE_DAY_H
#define TESTS_SAMPLE_DAY_H

#include "../base/prng.h"
#include "store/rowset.h"

struct day_shape {
    unsigned developers, sessions; /* of each */
    unsigned points;               /* of each series, a minute apart */
    int64_t spread;                /* nanoseconds in which the sessions begin */
};

/* Adds a day's rows in order of arrival: four kinds of tokens and the cost of each session and
 * model. Three sessions in ten use a second model, at times of its own. */
void sample_day(struct rowset *rowset, struct prng *prng, const struct day_shape *shape);

#endif
