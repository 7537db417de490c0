/* SPDX-License-Identifier: Apache-2.0
 *
 * ast.h -- what a VQL statement says, as a tree.
 *
 * The tree says what was written, not what it means: names are not resolved,
 * times not computed.  Every node knows its place in the text.  All of it lies in the
 * arena it was parsed into; texts are decoded copies there.  print.h makes text of it
 * again, and parsing that text gives an equal tree.
 *
 * Expressions are uniform: a kind, a payload and children, so that one walk
 * serves printing, comparing, binding and lowering.
 */
#ifndef LANG_AST_H
#define LANG_AST_H

#include "base/zone.h"
#include "lang/lex.h"

/* ---- expressions ---------------------------------------------------------- */

enum expr_kind {
    EXPR_NULL,
    EXPR_BOOL,     /* integer: 0 or 1 */
    EXPR_INT,      /* integer */
    EXPR_FLOAT,    /* number */
    EXPR_TEXT,     /* text */
    EXPR_DURATION, /* integer: nanoseconds */
    EXPR_TIME,     /* integer: nanoseconds since 1970; from a date literal: see `flags` */
    EXPR_NAME,     /* text: a label, a column, an alias, a metric; which, is for the binder to say
    */
    EXPR_STAR,     /* * as an item, or in count(*) */
    EXPR_METRIC,   /* selector: a name with matchers, OFFSET or @ */
    EXPR_CALL,     /* text: the function; args; distinct; filter */
    EXPR_UNARY,    /* op; 1 arg: -x, +x, NOT x, x IS NULL, x IS NOT NULL */
    EXPR_BINARY,   /* op; 2 args */
    EXPR_IN,       /* args[0] [NOT] IN (args[1...]) */
    EXPR_BETWEEN,  /* args[0] [NOT] BETWEEN args[1] AND args[2] */
    EXPR_CASE      /* [operand] WHEN a THEN b ... [ELSE c]: see `flags` */
};

/* Operators in the order of the table that parses them (parse_expr.c); text as it is printed. */
/* clang-format off */
#define OPERATOR_MAP(X) \
    X(OR, "OR") X(AND, "AND") X(NOT, "NOT") \
    X(EQ, "=") X(NE, "!=") X(LT, "<") X(LE, "<=") X(GT, ">") X(GE, ">=") \
    X(MATCH, "=~") X(NOMATCH, "!~") X(LIKE, "LIKE") X(NOTLIKE, "NOT LIKE") \
    X(CONCAT, "||") X(ADD, "+") X(SUB, "-") X(MUL, "*") X(DIV, "/") X(MOD, "%") \
    X(NEG, "-") X(POS, "+") X(ISNULL, "IS NULL") X(NOTNULL, "IS NOT NULL")

enum operator {
#define X(name, text) OPERATOR_##name,
    OPERATOR_MAP(X)
#undef X
    OPERATORS
};
/* clang-format on */

enum expr_flag {
    EXPR_NEGATED = 1,  /* NOT IN, NOT BETWEEN */
    EXPR_DISTINCT = 2, /* in a call */
    EXPR_OPERAND = 4,  /* CASE has an operand: args[0] */
    EXPR_ELSE = 8,     /* CASE has an ELSE: the last arg */
    EXPR_LOCAL = 32,   /* a time that names no zone: `integer` is what its clock shows, as UTC */
    EXPR_QUOTED = 16   /* a name that was written in double quotes; does not count for equality */
};

enum matcher_op { MATCH_EQ, MATCH_NE, MATCH_RE, MATCH_NRE };
struct matcher {
    struct place place;
    struct varve_str label, value;
    enum matcher_op op;
};

struct when;
struct selector {
    struct varve_str name;
    const struct matcher *matchers;
    uint32_t matcher_count;
    bool has_offset;
    int64_t offset;        /* nanoseconds; may be negative */
    const struct when *at; /* NULL: none */
};

struct expr {
    enum expr_kind kind;
    struct place place;
    enum operator op;
    unsigned flags; /* of enum expr_flag */
    int64_t integer;
    double number;
    struct varve_str text;
    const struct selector *selector;
    struct expr **args;
    uint32_t arg_count;
    struct expr *filter; /* FILTER (WHERE ...) of a call, or NULL */
    uint32_t height;     /* of the tree from here down: 1 without args; at most PARSE_HEIGHT */
};

/* ---- times ---------------------------------------------------------------- */

enum when_kind { WHEN_NOW, WHEN_AGO, WHEN_TIME, WHEN_START_OF };

/* A point in time; the clock and the zone turn it into an instant. */
struct when {
    enum when_kind kind;
    struct place place;
    enum calendar_unit unit;
    int64_t nanos;         /* AGO: the duration */
    struct varve_str text; /* TIME: 2026-10-03, 2026-10-03T08:15:18[.5][Z|+02:00] (that of the
                              statement's zone without an offset), or Unix seconds: 17[.5] */
    int64_t shift;         /* + or - durations, added up */
};

enum period_kind { PERIOD_TODAY, PERIOD_YESTERDAY, PERIOD_THIS, PERIOD_LAST, PERIOD_NAMED };
struct period {
    enum period_kind kind;
    struct place place;
    enum calendar_unit unit; /* of THIS and LAST */
    struct varve_str text;   /* NAMED: 2026, 2026-10, 2026-Q3, 2026-10-03; one that there is */
};

/* ---- queries -------------------------------------------------------------- */

enum fill_kind { FILL_UNSET, FILL_NONE, FILL_NULL, FILL_NUMBER, FILL_PREV, FILL_LINEAR };
struct fill {
    enum fill_kind kind;
    struct place place;
    struct expr *number; /* NUMBER: an INT or a FLOAT, which may be negative */
    int64_t within;      /* PREV: 0: any age */
};

struct item {
    struct place place;
    struct expr *expr;
    struct fill fill;
    struct varve_str alias; /* empty: none given */
};

enum range_kind { RANGE_UNSET, RANGE_SINCE, RANGE_BETWEEN, RANGE_DURING, RANGE_AT };
struct range {
    enum range_kind kind;
    struct place place;
    const struct when *since, *until; /* until NULL: now; AT: only since is set */
    struct period during;
};

enum every_kind { EVERY_UNSET, EVERY_DURATION, EVERY_CALENDAR, EVERY_AUTO };
struct every {
    enum every_kind kind;
    struct place place;
    int64_t duration;
    enum calendar_unit unit;
    struct varve_str zone; /* empty: that of the session */
};

enum compare_kind { COMPARE_UNSET, COMPARE_AGO, COMPARE_PREVIOUS };
struct compare {
    enum compare_kind kind;
    struct place place;
    int64_t ago;
};

struct top {
    struct place place; /* from == until: no such clause */
    bool bottom, other;
    int64_t count;
    struct expr *by;
    struct varve_str label; /* of the rest; empty: "other" */
};

struct order {
    struct expr *expr;
    bool descending;
};

struct query;
struct select {
    struct place place;
    bool distinct;
    struct item *items;
    uint32_t item_count;
    struct varve_str from; /* a table, a view, a name of WITH; empty: no FROM */
    struct place from_place;
    struct expr *where, *having; /* WHEN of an alert is a HAVING that says so when it is printed */
    bool having_is_when;
    struct range range;
    struct every every;
    struct expr **by;
    uint32_t by_count;
    struct fill fill;
    struct compare compare;
    struct top top;
    struct order *orders;
    uint32_t order_count;
    bool has_limit;
    int64_t limit, skip;
};

enum set_op { SET_NONE, SET_UNION, SET_UNION_ALL, SET_EXCEPT, SET_INTERSECT };

/* Selects joined from the left: the first has SET_NONE. */
struct query_part {
    enum set_op op;
    struct place place; /* of the operator */
    struct select select;
};
struct with {
    struct place place;
    struct varve_str name;
    struct query *query;
};
struct query {
    struct place place;
    struct with *withs;
    uint32_t with_count;
    struct query_part *parts;
    uint32_t part_count;
};

/* ---- statements ----------------------------------------------------------- */

enum statement_kind {
    STATEMENT_QUERY,
    STATEMENT_SHOW,
    STATEMENT_SHOW_NEW, /* SHOW NEW VALUES OF label IN m SINCE d VERSUS d [CHECK ...] */
    STATEMENT_DESCRIBE,
    STATEMENT_EXPLAIN,
    STATEMENT_LINT,
    STATEMENT_CREATE,
    STATEMENT_DROP,
    STATEMENT_ALTER_RETENTION,
    STATEMENT_IMPORT,
    STATEMENT_DELETE,
    STATEMENT_SET,
    STATEMENT_PROMQL /* text: what follows the word PROMQL, or a statement without a VQL keyword */
};

/* What SHOW shows and CREATE makes; one line a word. */
/* clang-format off */
#define SHOW_MAP(X) \
    X(METRICS) X(TABLES) X(LABELS) X(VALUES) X(SERIES) X(CARDINALITY) X(PANELS) X(DASHBOARDS) \
    X(ALERTS) X(LOOKUPS) X(VIEWS) X(TIERS) X(RETENTION) X(SETTINGS)
/* clang-format on */
enum show_kind {
#define X(name) SHOW_##name,
    SHOW_MAP(X)
#undef X
        SHOW_KINDS
};

enum object_kind { OBJECT_VIEW, OBJECT_PANEL, OBJECT_ALERT, OBJECT_LOOKUP };

struct show {
    enum show_kind kind;
    struct varve_str label, of; /* VALUES OF label IN of; LABELS OF of; SERIES of */
    struct place label_place, of_place;
    const struct when *since, *versus; /* SHOW NEW VALUES */
};

/* What an alert adds to its query. */
struct alert {
    int64_t for_duration, check_every; /* 0: not said */
    enum { EMPTY_UNSET, EMPTY_OK, EMPTY_ALERT } on_empty;
    bool has_message;
    struct varve_str message;
    struct expr *when; /* of PromQL; that of a SELECT is its HAVING */
};

struct create {
    enum object_kind object;
    bool replace;
    struct varve_str name;
    struct place name_place;
    struct statement *body; /* VIEW, PANEL, ALERT */
    struct alert alert;     /* ALERT */
    struct varve_str file;  /* LOOKUP name FROM 'file' */
    struct varve_str *on;   /* ON label {, label} */
    uint32_t on_count;
};

struct statement {
    enum statement_kind kind;
    struct place place;
    struct query *query; /* QUERY; of EXPLAIN the explained one is `inner` */
    struct show show;
    struct create create;    /* CREATE; DROP uses object and name */
    struct statement *inner; /* EXPLAIN, LINT */
    bool analyze, promql;    /* EXPLAIN ANALYZE, EXPLAIN PROMQL */
    struct varve_str name;   /* DESCRIBE, SET, DELETE FROM (empty: *), ALTER RETENTION; of IMPORT
                                  RULES or GRAFANA */
    struct place name_place;
    struct expr *value;       /* SET name = value */
    struct expr *where;       /* DELETE */
    const struct when *since; /* DELETE ... SINCE */
    int64_t duration;         /* ALTER RETENTION name TO duration; INT64_MAX: forever */
    struct varve_str text;    /* PROMQL, IMPORT's file */
};

#endif
