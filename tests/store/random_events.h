/* SPDX-License-Identifier: Apache-2.0
 *
 * random_events.h -- events of all shapes: what tests and fuzzing put through tables.
 */
#ifndef TESTS_RANDOM_EVENTS_H
#define TESTS_RANDOM_EVENTS_H

#include "../base/prng.h"
#include "store/eventset.h"

/* Adds up to `most` events of one table, at least one: columns of every mix of types, missing
 * cells, values that repeat and values that do not, unicode, empty texts, numbers at the edges. */
void random_events(struct eventset *set, struct prng *prng, size_t most);

#endif
