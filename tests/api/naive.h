/* SPDX-License-Identifier: Apache-2.0
 *
 * naive.h -- what statements should answer, worked out by loops over lists.
 *
 * A statement is built twice at once: as text for the store and as a tree for this.  Every cell
 * is computed by itself, from all points and events there are: no plans, no joins, no grids, no
 * order of evaluation.  Integers are exact, calendars are those of the C library.
 *
 * It knows what the grammar of test_vql_random.c can say, and no more.
 */
#ifndef TESTS_NAIVE_H
#define TESTS_NAIVE_H

#include "model.h"

/* ---- rows ------------------------------------------------------------------------ */

/* One pointer for each text. */
const char *intern(const char *text);
struct varve_cell cell_text(const char *text);               /* NULL for NULL */
int compare_cells(struct varve_cell a, struct varve_cell b); /* NULL last */

enum { CELLS_MOST = 20 };
struct rows {
    size_t columns, count, room;
    char names[CELLS_MOST][40];
    struct varve_cell (*cells)[CELLS_MOST];
};
struct varve_cell *rows_add(struct rows *rows);
void rows_free(struct rows *rows);
void rows_sort(struct rows *rows, size_t column, bool descending); /* then by all the others */

/* ---- the world ------------------------------------------------------------------ */

/* Labels of metrics and fields of events; those that both have stand at one place.  TEAM is
 * virtual: a lookup gives it to a USER. */
enum { LABEL_SESSION, LABEL_USER, LABEL_MODEL, LABEL_TEAM, LABEL_TYPE, LABELS };
enum { FIELD_TIME, FIELD_USER, FIELD_MODEL, FIELD_TEAM, FIELD_COST, FIELD_MS, FIELD_OK, FIELDS };
enum { METRICS = 6, KEYS_MOST = 2, ITEMS_MOST = 4 };
extern const char *const label_names[LABELS], *const field_names[FIELDS];

struct point {
    int64_t start, end;
    int series;
    struct varve_cell labels[LABELS]; /* interned texts, or NULL */
    struct varve_cell value;
};
struct series_list {
    const char *name;
    bool is_gauge;
    bool has_starts;      /* its points say when their counter began */
    struct point *points; /* by series and end */
    size_t count;
};
struct naive_world {
    struct series_list metrics[METRICS];
    struct rows events;            /* by time; columns are FIELDS */
    struct rows readings[METRICS]; /* the points of a metric as rows: FIELD_COST is the value */
    int64_t since, until;          /* about where they lie */
};

/* ---- conditions -------------------------------------------------------------------- */

enum condition_kind {
    ALWAYS,
    AND,
    OR,
    NOT,
    EQUAL,
    DIFFERENT,
    ONE_OF,
    LIKE_START,
    MATCHES,
    NOT_MATCHES,
    ABOVE,
    IS_TRUE,
    IS_NULL
};
/* Of columns: labels of a metric, fields of events, columns of rows. */
struct condition {
    enum condition_kind kind;
    struct condition *a, *b;
    int column;
    const char *texts[3]; /* to compare with; a prefix; of MATCHES: alternatives */
    int text_count;
    int64_t number;
};
/* 1 true, 0 false, -1 unknown. */
int condition_holds(const struct condition *c, const struct varve_cell *columns);

/* ---- expressions about a group -------------------------------------------------------- */

enum rollup {
    INCREASE,
    RATE,
    DELTA,
    FIRST,
    LAST,
    MIN_OF,
    MAX_OF,
    AVG_OF,
    SEEN,
    CHANGES,
    RESETS,
    ROLLUPS
};
enum aggregate {
    NATURAL,
    SUM,
    AVG,
    MIN,
    MAX,
    COUNT,
    MEDIAN,
    QUANTILE,
    STDDEV,
    LIST,
    FIRST_ROW,
    LAST_ROW,
    AGGREGATES
};
enum expr_kind {
    MEASURED,
    OF_ROWS,
    DISTINCT_LABEL,
    NUMBER,
    ALIAS,
    ADDED,
    SUBTRACTED,
    MULTIPLIED,
    DIVIDED,
    TOTAL,
    SHARE,
    COALESCED
};
struct expr {
    enum expr_kind kind;
    struct expr *a, *b;
    int64_t number; /* of an alias: the item */
    /* MEASURED, OF_ROWS, DISTINCT_LABEL */
    int metric, column;         /* column -1: count(*) */
    struct condition matcher;   /* a missing label is the empty text */
    int64_t offset, at, window; /* window 0: none */
    bool has_at, distinct;
    enum rollup rollup;
    enum aggregate aggregate;
    double quantile;
    const struct condition *filter;
};

/* ---- calendars -------------------------------------------------------------------------- */

struct width {
    enum { NO_BUCKETS, FIXED, DAYS, WEEKS, MONTHS, QUARTERS, YEARS } kind;
    int64_t nanos;
    const char *zone;
};
/* The start of the bucket that holds the instant, and of the one behind it. */
int64_t bucket_start(const struct width *width, int64_t instant, int64_t *next);
/* Of an hour (1) of the zone's clock, or a unit as above. */
int64_t unit_start(const char *zone, unsigned unit, int64_t instant, int64_t *next);
/* The same local time, days and months later. */
int64_t local_later(const char *zone, int64_t instant, int days, int months);
/* The same, by calendar widths. */
int64_t width_later(const struct width *width, int64_t instant, int count);
void nice_width(struct width *width, int64_t length);
struct tm;
int64_t local_instant(const char *zone, struct tm tm);
void local_fields(const char *zone, int64_t instant, struct tm *tm);

/* ---- statements -------------------------------------------------------------------------- */

enum fill_kind { FILL_WITH_NULL, FILL_NOT, FILL_WITH_NUMBER, FILL_WITH_PREVIOUS, FILL_ON_A_LINE };
struct fill {
    enum fill_kind kind;
    int64_t number, within; /* within 0: any age */
};
struct select {
    const struct rows *from; /* NULL: metrics only */
    bool from_is_timed;      /* its column 0 is to lie in the range */
    struct condition where;
    struct {
        struct expr *expr;
        char name[16];
        bool is_text; /* COMPARE TO adds no differences */
        struct fill fill;
    } items[ITEMS_MOST];
    size_t item_count;
    int64_t since, until;
    struct width width;
    int keys[KEYS_MOST];
    size_t key_count;
    struct fill fill;
    struct condition having; /* of the items */
    struct expr *rank;
    size_t top;
    bool bottom, has_other;
    const char *other; /* its name */
    bool has_compare;
    int64_t compare_since, compare_until;
    int order_item, order_part; /* -1: none; of COMPARE TO: 1 earlier, 2 change */
    bool descending;
    bool distinct;
    int64_t limit, skip; /* limit -1: none */
};

void naive_select(const struct naive_world *world, const struct select *select, struct rows *rows);
#endif
