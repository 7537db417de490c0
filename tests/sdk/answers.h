/* SPDX-License-Identifier: Apache-2.0
 *
 * answers.h -- what expected.json says, asked of a store.
 *
 * Each function ends the test with a message where the store says something else.
 */
#ifndef TESTS_SDK_ANSWERS_H
#define TESTS_SDK_ANSWERS_H

#include <jansson.h>

#include "varve.h"

/* Every counter by its labels, and the total of each metric, to the last unit. */
void answers_counters(varve_snapshot *snapshot, const json_t *expected);
/* The last reading, and that there is none that nobody took. */
void answers_gauges(varve_snapshot *snapshot, const json_t *expected);
void answers_histograms(varve_snapshot *snapshot, const json_t *expected);
/* Every table: its rows; of every field how often it is there, its type, and its sum or how often
 * it has each text. */
void answers_events(varve_snapshot *snapshot, const json_t *expected);
/* What must not be kept is no field of its table. */
void answers_secrets(varve_snapshot *snapshot, const json_t *expected);

#endif
