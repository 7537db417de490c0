/* SPDX-License-Identifier: Apache-2.0
 *
 * model.h -- what a store should answer, worked out in the simplest way there is.
 *
 * The model keeps every point and event it was ever told in one plain list and
 * works all answers out anew each time.  It shares no code with the store: not
 * the rounding of money, not the sums of doubles, not the idea of a day.
 *
 *  - A point told twice (same series, start, end, value) is one point.
 *  - A cumulative counter with a known start: its readings by end, the largest at each end, the
 *    running maximum of those; its rows are what that maximum rose by, one row per end.
 *  - One that began at VARVE_FROM_ZERO: the same, but each reading is compared with the one before
 *    it, and all of it counts where it fell.
 *  - One without a start: the first reading is no row, a fall is a reset and counts from zero.
 *    Only right when its readings were told in the order of their ends.
 *  - All else is a row as it is.
 *
 * Numbers are exact: a whole part and a count of 2^-72, both of 128 bits.
 */
#ifndef TESTS_MODEL_H
#define TESTS_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "varve.h"

__extension__ typedef __int128 wide;

struct exact {
    wide whole, grains; /* 0 <= grains < 2^72 */
};

struct exact exact_of_int(int64_t i);
struct exact exact_of_double(double f); /* ends the program when it is too large or too fine */
void exact_add(struct exact *to, struct exact n);
struct exact exact_minus(struct exact a, struct exact b);
int exact_compare(struct exact a, struct exact b);
void exact_text(struct exact n, char text[80]);

/* v * 10^9 rounded to the nearest integer, ties to even: worked out in integers. */
wide nanos_of_double(double v);

/* Labels as one text: "key=value\n" for each, sorted by key; keys and values without '=' and
 * '\n'. */
#define LABELS_TEXT 320
struct labels {
    char text[LABELS_TEXT];
};
/* Sets (or with an empty value removes) one label. */
void labels_set(struct labels *labels, const char *key, const char *value);
/* The value of a key, "" if it is not there; good until the next call but three. */
const char *labels_get(const struct labels *labels, const char *key);

struct row_answer {
    struct labels labels;
    int64_t start, end;
    struct exact value;
};
struct group_answer {
    struct labels labels; /* only the keys asked for */
    struct exact sum;
    uint64_t points;
};
struct event_answer {
    int64_t time;
    char text[256]; /* "name=type:value\n" for each field, sorted by name */
};

struct model;

struct model *model_new(void);
struct model *model_copy(const struct model *model);
void model_free(struct model *model);

void model_counter(struct model *model, const char *metric, int scale, const struct labels *labels,
                   enum varve_temporality temporality, int64_t start, int64_t end,
                   struct varve_value value);
void model_gauge(struct model *model, const char *metric, int scale, const struct labels *labels,
                 int64_t time, struct varve_value value);
void model_event(struct model *model, const char *table, int64_t time, const char *text);
/* Days that ended before `before` are forgotten, and what comes for them later is not taken. */
void model_forget(struct model *model, int64_t before);

/* Rows of the metric with since <= end < until, sorted; free() them. */
size_t model_rows(const struct model *model, const char *metric, int64_t since, int64_t until,
                  struct row_answer **rows);
size_t model_events(const struct model *model, const char *table, int64_t since, int64_t until,
                    struct event_answer **events);
/* All rows and all events there are. */
uint64_t model_points(const struct model *model);
uint64_t model_event_count(const struct model *model);

/* Adds rows up by the keys; sorted by labels; free() them. */
size_t group_rows(const struct row_answer *rows, size_t count, const char *const *keys,
                  size_t key_count, struct group_answer **groups);
int compare_row_answers(const void *a, const void *b);
int compare_group_answers(const void *a, const void *b);
int compare_event_answers(const void *a, const void *b);

#endif
