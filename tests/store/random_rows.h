/* SPDX-License-Identifier: Apache-2.0
 *
 * random_rows.h -- metric rows of all shapes: what tests and fuzzing put through segments.
 */
#ifndef TESTS_RANDOM_ROWS_H
#define TESTS_RANDOM_ROWS_H

#include "../base/prng.h"
#include "store/rowset.h"

/* Adds up to about `most` rows, at least one, in random order: every mode and number type,
 * labels that follow from each other and labels that do not, missing ones, times that series
 * share and times that are their own, unknown starts, equal rows, readings with adjustments,
 * numbers at the edges. */
void random_rows(struct rowset *rowset, struct prng *prng, size_t most);
void shuffle_rows(struct rowset *rowset, struct prng *prng);

/* The rows a segment gives back: readings and adjustments added up as segment_build says, and
 * sorted by what a row is; its series by hash.  Changes the rowset. */
void settle_rows(struct rowset *rowset);
/* Whether two settled rowsets have the same rows. */
bool same_rows(const struct rowset *a, const struct rowset *b);

#endif
