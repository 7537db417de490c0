/* SPDX-License-Identifier: Apache-2.0
 *
 * naive_private.h -- between naive.c, which finds the rows, and naive_value.c, which fills them.
 */
#ifndef TESTS_NAIVE_PRIVATE_H
#define TESTS_NAIVE_PRIVATE_H

#include "naive.h"

/* Which rows of the lists belong to a group. */
struct group {
    bool is_total, is_other;
    struct varve_cell keys[KEYS_MOST];
};
struct work {
    const struct naive_world *world;
    const struct select *select;
    const struct group *kept; /* by TOP; NULL: all */
    size_t kept_count;
    const char *other; /* what the others are called */
    bool no_buckets;   /* while TOP ranks */
};
struct span {
    int64_t from, to;
};

/* The points of one series in a span of time. */
struct series {
    const struct point *first;
    struct varve_cell values[2000];
    int64_t starts[2000];
    size_t count;
};

extern const struct varve_cell nothing;
struct varve_cell cell_of(enum varve_cell_type type, int64_t i);
bool is_null(struct varve_cell c);
double number_of(struct varve_cell c);
struct varve_cell calculate(enum expr_kind kind, struct varve_cell a, struct varve_cell b);
bool same_keys(const struct select *s, const struct varve_cell *a, const struct varve_cell *b);
/* The group of a row of labels or fields; false: it is in none that is shown. */
bool group_of(const struct work *w, const struct varve_cell *columns, struct group *group);
bool same_group(const struct work *w, const struct group *a, const struct group *b);
struct span span_of(const struct work *w, const struct expr *e, struct span bucket);
bool is_counted(const struct work *w, const struct expr *e, const struct point *p);
bool next_series(const struct series_list *list, struct span span, size_t *at,
                 struct series *series);
bool has_buckets(const struct work *w);
struct varve_cell filled(const struct fill *fill, struct varve_cell cell); /* with its number */
/* done: the items of the row that are known; NULL: they are to be worked out. */
struct varve_cell evaluate(const struct work *w, const struct expr *e, struct span bucket,
                           const struct group *group, const struct varve_cell *done);

#endif
