/* SPDX-License-Identifier: Apache-2.0
 *
 * sample_events.h -- a working day of api_request events, as a fleet would send them.
 */
#ifndef TESTS_SAMPLE_EVENTS_H
#define TESTS_SAMPLE_EVENTS_H

#include "../base/prng.h"
#include "store/eventset.h"

enum { SAMPLE_FIELDS = 21 };

/* Adds n events of day 2026-10-08, session by session, with every field such an event has. */
void sample_api_requests(struct eventset *set, struct prng *prng, size_t n);

#endif
