/* SPDX-License-Identifier: Apache-2.0
 *
 * plan.h -- what is to be done, as a small tree of operations on tables.
 *
 * Both languages lower to this; the executor runs it, EXPLAIN prints it, and
 * other engines' SQL and PromQL can be made of it, so it holds data only: no pointers to
 * functions, no state of a run.  Times are instants already, names are those of the store, and
 * every node knows the place in the statement that asked for it.
 *
 * A node makes a table of columns in a fixed order.  Nodes that measure put the columns of
 * their key first: the bucket's time if there are buckets, then the BY keys, then the values.
 *
 *   VALUES     one row of no columns: the input of SELECT 1 + 1
 *   MEASURE    metrics -> one value per bucket and keys: a roll-up and an aggregate over series
 *   SCAN       rows of an event table or of a metric, by time
 *   GROUP      -> one row per bucket and keys, with aggregates
 *   ALIGN      several grouped tables -> one, joined on bucket and keys
 *   GRID       a row for each group and each bucket of the range
 *   FILL       values for NULLs from neighbours in time
 *   SHIFT      moves the buckets of one range to those of another
 *   COMPUTE    appends columns
 *   PICK       keeps some columns, under names
 *   FILTER     keeps the rows for which a condition is true
 *   SORT, LIMIT, DISTINCT, SET (UNION, EXCEPT, INTERSECT)
 *   NAMED      a result made once: of a WITH, or the groups that a TOP keeps
 *   CATALOGUE  what SHOW and DESCRIBE list
 *
 * Without keys and buckets, MEASURE, GROUP and ALIGN make exactly one row.
 */
#ifndef LANG_PLAN_H
#define LANG_PLAN_H

#include "lang/ast.h"
#include "lang/functions.h"

/* ---- bound expressions ------------------------------------------------------ */

enum term_kind {
    TERM_CONST,  /* value */
    TERM_COLUMN, /* column `index` of the input */
    TERM_CALL    /* function of args */
};

struct term {
    enum term_kind kind;
    enum value_type type; /* of the result; TYPE_NULL where it is known only when run */
    struct place place;
    uint32_t index;         /* COLUMN */
    enum function function; /* CALL */
    struct value value;     /* CONST; CALL of a function of the calendar: the name of its zone */
    struct term **args;
    uint32_t arg_count;
    uint32_t depth; /* of the tree: 1 for a leaf */
};
#define TERM_DEPTH_MAX 500

/* A column of a node's result. */
struct column_info {
    struct varve_str name;
    enum value_type type;  /* TYPE_NULL: known when run */
    struct varve_str unit; /* "USD", "tokens", "s", "%"; may be empty */
};

/* ---- ranges and buckets ------------------------------------------------------ */

struct time_range {
    int64_t since, until; /* half-open */
};

enum bucket_kind { BUCKET_NONE, BUCKET_FIXED, BUCKET_CALENDAR };
struct bucket {
    enum bucket_kind kind;
    int64_t width;           /* FIXED: nanoseconds; buckets begin at multiples of it since 1970 */
    enum calendar_unit unit; /* CALENDAR */
    struct varve_str zone;   /* CALENDAR */
};

/* ---- what is read -------------------------------------------------------------- */

/* A column to read: a label of a metric or a column of a table, under the store's name.  A virtual
 * label is looked up: the value of `name`, in the lookup, gives that of its column. */
struct column_ref {
    struct place place;
    struct varve_str name;
    struct varve_str lookup, field; /* empty: not virtual */
};

/* A condition on one label that a scan decides on dictionaries.  A missing label is the empty
 * text. */
struct label_filter {
    struct place place;
    struct column_ref label;
    enum matcher_op op;             /* EQ: one of the values; NE: none of them; RE, NRE: values[0]
    */
    const struct varve_str *values; /* is a pattern that has to match as a whole */
    uint32_t value_count;
};

/* One selector of a metric. */
struct metric_source {
    struct place place;
    struct varve_str name;
    enum varve_kind kind;
    struct label_filter *filters;
    uint32_t filter_count;
    int64_t offset; /* what was measured at t - offset counts as of t */
};

/* ---- aggregates and roll-ups ----------------------------------------------------- */

/* symbol, name, help.  Of one series over one bucket or window; increments count at their end. */
#define ROLLUP_MAP(X)                                                                 \
    X(INCREASE, "increase", "the sum of the increments; of a gauge: last less first") \
    X(RATE, "rate", "increase per second of the bucket or window")                    \
    X(DELTA, "delta", "of a gauge: last less first")                                  \
    X(FIRST, "first", "the first value: a gauge's reading, a counter's increment")    \
    X(LAST, "last", "the last value")                                                 \
    X(MIN_OF, "min_of", "the smallest value")                                         \
    X(MAX_OF, "max_of", "the largest value")                                          \
    X(AVG_OF, "avg_of", "the mean of the values")                                     \
    X(SEEN, "seen", "the number of points")                                           \
    X(RESETS, "resets", "how often the counter began anew: starts less one")          \
    X(CHANGES, "changes", "how often the value differs from the one before")
enum rollup {
#define X(symbol, name, help) ROLLUP_##symbol,
    ROLLUP_MAP(X)
#undef X
        ROLLUPS
};

/* symbol, name, arguments beside the first, help */
#define AGGREGATE_MAP(X)                                             \
    X(SUM, "sum", 0, "exact, in any order")                          \
    X(AVG, "avg", 0, "the exact sum divided by the count")           \
    X(MIN, "min", 0, "")                                             \
    X(MAX, "max", 0, "")                                             \
    X(COUNT, "count", 0, "values that are not NULL; count(*) rows")  \
    X(MEDIAN, "median", 0, "quantile(x, 0.5)")                       \
    X(QUANTILE, "quantile", 1, "exact; between two values linearly") \
    X(STDDEV, "stddev", 0, "of the population")                      \
    X(LIST, "list", 0, "the distinct values, sorted, with commas")   \
    X(FIRST, "first", 0, "the value of the earliest row")            \
    X(LAST, "last", 0, "the value of the latest row")
enum aggregate_kind {
#define X(symbol, name, arguments, help) AGGREGATE_##symbol,
    AGGREGATE_MAP(X)
#undef X
        AGGREGATES
};

struct aggregate {
    enum aggregate_kind kind;
    bool distinct;
    struct place place;
    struct term *of;     /* NULL: count(*); of a MEASURE: the roll-up's value */
    struct term *filter; /* NULL: all rows */
    double quantile;
};

/* The groups that a TOP keeps: the keys in the first columns of a named result.  The others become
 * one group with `label` in the first key and NULL in the rest, or are left out. */
struct keep {
    bool is_set, other;
    uint32_t named;
    struct varve_str label;
};

/* ---- nodes --------------------------------------------------------------------- */

enum node_kind {
    NODE_VALUES,
    NODE_MEASURE,
    NODE_SCAN,
    NODE_GROUP,
    NODE_ALIGN,
    NODE_GRID,
    NODE_FILL,
    NODE_SHIFT,
    NODE_COMPUTE,
    NODE_PICK,
    NODE_FILTER,
    NODE_SORT,
    NODE_LIMIT,
    NODE_DISTINCT,
    NODE_SET,
    NODE_NAMED,
    NODE_CATALOGUE,
    NODE_KINDS
};

/* How an input of an ALIGN is joined. */
struct align_input {
    bool has_bucket, has_keys; /* what of the key it has; has_keys is true when there are none */
    bool adds_rows;            /* FULL OUTER; else it only adds values to rows that are there */
};

struct node {
    enum node_kind kind;
    uint32_t number; /* counts the nodes of a plan from 0 */
    struct place place;
    struct node **inputs;
    uint32_t input_count;
    struct column_info *columns; /* of the result */
    uint32_t column_count;
    bool has_bucket;    /* the first column is the bucket's time */
    uint32_t key_count; /* columns of the key behind it */
    union {
        /* Reads `labels`; where, keys, aggregate.of and .filter are terms over them.  One value
         * column.  Several sources only for count(DISTINCT label) over the series of all. */
        struct {
            struct metric_source *sources;
            uint32_t source_count;
            struct column_ref *labels;
            uint32_t label_count;
            struct term *where; /* NULL: all series */
            struct term **keys;
            enum rollup function;
            int64_t window; /* trails the row's end; 0: the bucket, or the range */
            struct aggregate aggregate;
            struct bucket bucket;
            struct time_range range;
            struct keep keep;
        } measure;
        /* The columns are those read: `time` is the first; a metric also has `start` and `value`.
         * */
        struct {
            struct varve_str source;
            bool is_metric;
            struct column_ref *read;
            uint32_t read_count; /* = column_count */
            struct label_filter *filters;
            uint32_t filter_count;
            struct time_range range;
        } scan;
        struct {
            struct term **keys;
            struct aggregate *aggregates;
            uint32_t aggregate_count;
            struct bucket bucket;
            struct time_range range;
            uint32_t time_column; /* of the input, when there are buckets */
            struct keep keep;
        } group;
        struct {
            struct align_input *inputs; /* input_count of them */
        } align;
        struct {
            struct bucket bucket;
            struct time_range range;
        } grid;
        struct {
            const struct fill *fills; /* one a column of the result; PREV and LINEAR count */
        } fill;
        struct {
            struct bucket bucket; /* the n-th bucket of `from` becomes the n-th of `to` */
            struct time_range from, to;
        } shift;
        struct {
            struct term **terms; /* appended to the input's columns */
            uint32_t term_count;
        } compute;
        struct {
            uint32_t *from; /* column numbers of the input */
        } pick;
        struct {
            struct term *condition;
        } filter;
        /* By these columns, then by all the others from the left, ascending; NULL last. */
        struct {
            uint32_t *by;
            bool *descending;
            uint32_t count;
        } sort;
        struct {
            int64_t count, skip; /* count -1: all */
            bool numbered;       /* appends a column with 1, 2, ... */
        } limit;
        struct {
            enum set_op op; /* two inputs; the result has no order */
        } set;
        struct {
            uint32_t number; /* in the plan's named results */
        } named;
        struct {
            enum show_kind what; /* SHOW_KINDS: DESCRIBE */
            bool only_new;
            struct column_ref label;
            struct varve_str of; /* a metric, a table; may be empty */
            bool of_is_metric;
            struct time_range range, versus;
        } catalogue;
    } as;
};

struct plan {
    struct node *root;
    struct node **named; /* in an order in which none needs a later one */
    uint32_t named_count;
    uint32_t node_count;
    struct time_range range; /* of the statement, for the footer; since > until: it has none */
    struct bucket bucket;
    struct varve_str zone;
    int64_t now;
};

#endif
