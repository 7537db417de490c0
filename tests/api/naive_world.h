/* SPDX-License-Identifier: Apache-2.0
 *
 * naive_world.h -- a store with a few days of telemetry, and the same as plain lists.
 *
 * Half of it is sealed, half in the journal.  There are counters of all kinds with late readings,
 * new starts and baselines, gauges, and the events of the table api_call, with fields missing.
 */
#ifndef TESTS_NAIVE_WORLD_H
#define TESTS_NAIVE_WORLD_H

#include "../base/prng.h"
#include "naive.h"
#include "small.h"

void naive_world_make(struct naive_world *world, struct prng *prng, struct small *small);
void naive_world_free(struct naive_world *world);

#endif
