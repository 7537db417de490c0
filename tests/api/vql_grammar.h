/* SPDX-License-Identifier: Apache-2.0
 *
 * vql_grammar.h -- writes random statements.
 */
#ifndef TESTS_VQL_GRAMMAR_H
#define TESTS_VQL_GRAMMAR_H

#include "naive_scalar.h"
#include "naive_world.h"

/* A statement as it grows. */
struct gen {
    struct prng *prng;
    const struct naive_world *world;
    struct expr exprs[60];
    size_t expr_count;
    struct condition conditions[60];
    size_t condition_count;
    struct scalar scalars[400];
    size_t scalar_count;
    bool is_computed;     /* the SELECT is FROM computed */
    bool keys_by_alias;   /* BY k0 */
    bool has_own_range;   /* else that of who reads it: since and until are set */
    bool is_tame;         /* no numbers of which sums are not exact */
    struct rows computed; /* events, with the two expressions behind the fields */
    char computed_text[2][1500];
    char before[17000]; /* a statement to be run first */
    char text[16000];
    size_t size;
    struct select *select;
    bool is_exact[ITEMS_MOST]; /* items that may be sorted by: no doubles that were rounded */
    int from_metric;           /* of FROM; -1: none */
    int64_t now;
    char range[200], every[100]; /* the clauses, as text */
    bool range_is_between, is_instant;
    struct width period; /* of DURING; NO_BUCKETS: none */
    int64_t period_since, period_until;
    bool only_labels; /* conditions may use what only metrics have, or only events */
    bool only_fields;
};

/* has_metrics and has_rows: what the SELECT is about. */
struct subject {
    bool has_metrics, has_rows;
};

enum { ZONES = 4 };
extern const char *const zones[ZONES];

unsigned dice(struct gen *g, unsigned sides);
void say(struct gen *g, const char *format, ...) VARVE_PRINTF(2, 3);
struct expr *new_expr(struct gen *g, enum expr_kind kind);
struct condition *new_condition(struct gen *g);
/* One value of a group; exact: no doubles that are rounded, and rows are made by it. */
struct expr *simple(struct gen *g, struct subject about, bool exact);
struct expr *alias(struct gen *g, size_t item);
/* One of the first items that is a number; the very first one is. */
size_t some_item(struct gen *g, size_t count);
struct expr *item_expr(struct gen *g, struct subject about, size_t i);
void say_time(struct gen *g, int64_t instant);
/* The range of g->select, in the zone; may_be_instant: AT. */
void choose_range(struct gen *g, const char *zone, bool may_be_instant);
/* Range and buckets. */
void choose_times(struct gen *g, const char *session_zone, bool may_be_instant);
void say_compare(struct gen *g);
void say_where(struct gen *g, struct subject about);
/* An expression over the fields of an event: N a number, W a whole one, T a text, B a condition, I
 * an instant, D a duration. */
struct scalar *scalar(struct gen *g, char want, unsigned depth);
void check_scalars(void);       /* there is a test of every function */
void say_source(struct gen *g); /* the table or the metric */
const char *column_name(const struct gen *g, int field);
/* A SELECT with its clauses in any order; inner: it is to be read by another. */
void say_select(struct gen *g, struct select *s, const char *session_zone, bool inner);

#endif
