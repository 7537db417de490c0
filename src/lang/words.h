/* SPDX-License-Identifier: Apache-2.0
 *
 * words.h -- the words of VQL: one table.
 *
 * A word's class says how far it may also be a name without double quotes:
 *
 *   PLAIN   anywhere
 *   SOFT    where a name is asked for; in an expression if what follows it leaves no doubt
 *   HARD    in an expression if what follows it leaves no doubt
 *   VALUE   never: it begins an expression itself, or a SELECT
 *
 * The words that begin a statement come first.
 */
#ifndef LANG_WORDS_H
#define LANG_WORDS_H

#include <stdbool.h>
#include "base/str.h"

/* clang-format off */
#define WORD_MAP(X) \
    X(SELECT, VALUE) X(WITH, HARD) X(SHOW, PLAIN) X(DESCRIBE, PLAIN) X(EXPLAIN, PLAIN) \
    X(LINT, PLAIN) X(CREATE, PLAIN) X(DROP, PLAIN) X(ALTER, PLAIN) X(IMPORT, PLAIN) \
    X(DELETE, PLAIN) X(SET, PLAIN) X(PROMQL, PLAIN) X(FROM, HARD) X(WHERE, HARD) \
    X(SINCE, HARD) X(UNTIL, HARD) X(BETWEEN, HARD) X(DURING, HARD) X(AT, HARD) X(EVERY, HARD) \
    X(GROUP, HARD) X(BY, HARD) X(FILL, SOFT) X(HAVING, HARD) X(COMPARE, SOFT) X(TOP, SOFT) \
    X(BOTTOM, SOFT) X(ORDER, HARD) X(LIMIT, SOFT) X(UNION, HARD) X(EXCEPT, HARD) \
    X(INTERSECT, HARD) X(DISTINCT, VALUE) X(NULL, VALUE) X(TRUE, VALUE) X(FALSE, VALUE) \
    X(NOT, VALUE) X(CASE, VALUE) X(AND, HARD) X(OR, HARD) X(IN, HARD) X(LIKE, HARD) \
    X(IS, HARD) X(WHEN, HARD) X(THEN, HARD) X(ELSE, HARD) X(END, HARD) X(AS, HARD) \
    X(FILTER, SOFT) X(OFFSET, SOFT) X(TZ, PLAIN) X(TO, PLAIN) X(AGO, PLAIN) X(PREVIOUS, PLAIN) \
    X(OTHER, PLAIN) X(ASC, PLAIN) X(DESC, PLAIN) X(SKIP, PLAIN) X(ALL, PLAIN) X(NONE, PLAIN) \
    X(PREV, PLAIN) X(WITHIN, PLAIN) X(LINEAR, PLAIN) X(NOW, PLAIN) X(START, PLAIN) \
    X(OF, PLAIN) X(TODAY, PLAIN) X(YESTERDAY, PLAIN) X(THIS, PLAIN) X(LAST, PLAIN) \
    X(AUTO, PLAIN) X(HOUR, PLAIN) X(DAY, PLAIN) X(WEEK, PLAIN) X(MONTH, PLAIN) \
    X(QUARTER, PLAIN) X(YEAR, PLAIN) X(METRICS, PLAIN) X(TABLES, PLAIN) X(LABELS, PLAIN) \
    X(VALUES, PLAIN) X(SERIES, PLAIN) X(CARDINALITY, PLAIN) X(PANELS, PLAIN) \
    X(DASHBOARDS, PLAIN) X(ALERTS, PLAIN) X(LOOKUPS, PLAIN) X(VIEWS, PLAIN) X(TIERS, PLAIN) \
    X(RETENTION, PLAIN) X(SETTINGS, PLAIN) X(NEW, PLAIN) X(VERSUS, PLAIN) X(ANALYZE, PLAIN) \
    X(REPLACE, PLAIN) X(VIEW, PLAIN) X(PANEL, PLAIN) X(ALERT, PLAIN) X(LOOKUP, PLAIN) \
    X(RULES, PLAIN) X(GRAFANA, PLAIN) X(FOREVER, PLAIN) X(FOR, PLAIN) X(CHECK, SOFT) \
    X(ON, PLAIN) X(EMPTY, PLAIN) X(OK, PLAIN) X(MESSAGE, PLAIN)
/* clang-format on */

enum word {
#define X(name, class) WORD_##name,
    WORD_MAP(X)
#undef X
        WORDS /* none of them */
};

enum word_class { WORD_PLAIN, WORD_SOFT, WORD_HARD, WORD_VALUE };

/* WORDS if it is none; in any case of letters. */
enum word word_find(struct varve_str text);
const char *word_text(enum word word);         /* "SELECT" */
enum word_class word_class_of(enum word word); /* PLAIN for WORDS */
bool word_begins_statement(enum word word);
/* The one of the words that the text may be meant for; WORDS: none is near enough. */
enum word word_nearest(struct varve_str text, const enum word *words, size_t count);

#endif
