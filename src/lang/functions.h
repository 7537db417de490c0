/* SPDX-License-Identifier: Apache-2.0
 *
 * functions.h -- the table of functions and operators of one row.
 *
 * One line a function.  The binder looks names up here and checks the number of arguments and
 * their types; the executor has one routine for each symbol; the documentation's list is checked
 * against it.  Operators are functions whose name cannot be written.
 *
 * Aggregates and roll-ups have tables of their own, in plan.h.
 */
#ifndef LANG_FUNCTIONS_H
#define LANG_FUNCTIONS_H

#include "lang/value.h"

/* How the type of the result follows from those of the arguments. */
enum function_result {
    RESULT_BOOL,
    RESULT_INT,
    RESULT_FLOAT,
    RESULT_TEXT,
    RESULT_TIME,
    RESULT_DURATION,
    RESULT_SAME, /* that of the arguments; of the first that is not NULL */
    RESULT_SUM,  /* INT, NANO, FLOAT as + has it; TIME - TIME is a DURATION, TIME + DURATION a TIME
    */
    RESULT_PRODUCT, /* INT*INT is INT, NANO*INT NANO, else FLOAT; DURATION*number a DURATION */
    RESULT_RATIO    /* always FLOAT; DURATION / DURATION too, DURATION / number a DURATION */
};

/* symbol, name, least and most arguments (-1: any), result, one line of help */
#define FUNCTION_MAP(X)                                                                        \
    X(OR, "OR", 2, 2, BOOL, "three-valued")                                                    \
    X(AND, "AND", 2, 2, BOOL, "three-valued")                                                  \
    X(NOT, "NOT", 1, 1, BOOL, "")                                                              \
    X(EQ, "=", 2, 2, BOOL, "")                                                                 \
    X(NE, "!=", 2, 2, BOOL, "")                                                                \
    X(LT, "<", 2, 2, BOOL, "")                                                                 \
    X(LE, "<=", 2, 2, BOOL, "")                                                                \
    X(GT, ">", 2, 2, BOOL, "")                                                                 \
    X(GE, ">=", 2, 2, BOOL, "")                                                                \
    X(MATCH, "=~", 2, 2, BOOL, "the whole text matches the pattern, a constant")               \
    X(NOMATCH, "!~", 2, 2, BOOL, "")                                                           \
    X(LIKE, "LIKE", 2, 2, BOOL, "% any text, _ any character")                                 \
    X(NOTLIKE, "NOT LIKE", 2, 2, BOOL, "")                                                     \
    X(CONCAT, "||", 2, 2, TEXT, "")                                                            \
    X(ADD, "+", 2, 2, SUM, "")                                                                 \
    X(SUB, "-", 2, 2, SUM, "")                                                                 \
    X(MUL, "*", 2, 2, PRODUCT, "")                                                             \
    X(DIV, "/", 2, 2, RATIO, "NULL when divided by zero")                                      \
    X(MOD, "%", 2, 2, SUM, "the sign of the dividend; NULL when divided by zero")              \
    X(NEG, "-", 1, 1, SAME, "")                                                                \
    X(ISNULL, "IS NULL", 1, 1, BOOL, "")                                                       \
    X(NOTNULL, "IS NOT NULL", 1, 1, BOOL, "")                                                  \
    X(IN, "IN", 2, -1, BOOL, "")                                                               \
    X(IF, "if", 3, 3, SAME, "if(condition, then, else)")                                       \
    X(COALESCE, "coalesce", 1, -1, SAME, "the first that is not NULL")                         \
    X(NULLIF, "nullif", 2, 2, SAME, "NULL if both are equal, else the first")                  \
    X(LEAST, "least", 1, -1, SAME, "the smallest that is not NULL")                            \
    X(GREATEST, "greatest", 1, -1, SAME, "the largest that is not NULL")                       \
    X(ABS, "abs", 1, 1, SAME, "")                                                              \
    X(ROUND, "round", 1, 2, SAME, "round(x, digits): half away from zero")                     \
    X(FLOOR, "floor", 1, 1, SAME, "")                                                          \
    X(CEIL, "ceil", 1, 1, SAME, "")                                                            \
    X(SQRT, "sqrt", 1, 1, FLOAT, "NULL below zero")                                            \
    X(EXP, "exp", 1, 1, FLOAT, "")                                                             \
    X(LN, "ln", 1, 1, FLOAT, "NULL at zero and below")                                         \
    X(LOG10, "log10", 1, 1, FLOAT, "NULL at zero and below")                                   \
    X(LOG2, "log2", 1, 1, FLOAT, "NULL at zero and below")                                     \
    X(POW, "pow", 2, 2, FLOAT, "")                                                             \
    X(SIGN, "sign", 1, 1, INT, "-1, 0 or 1")                                                   \
    X(LOWER, "lower", 1, 1, TEXT, "ASCII letters only")                                        \
    X(UPPER, "upper", 1, 1, TEXT, "ASCII letters only")                                        \
    X(LENGTH, "length", 1, 1, INT, "characters")                                               \
    X(SUBSTR, "substr", 2, 3, TEXT, "substr(text, from, count): the first character is 1")     \
    X(REPLACE, "replace", 3, 3, TEXT, "replace(text, what, by)")                               \
    X(TRIM, "trim", 1, 1, TEXT, "")                                                            \
    X(SPLIT, "split", 3, 3, TEXT, "split(text, separator, n): the n-th part, from 1")          \
    X(STARTS, "starts_with", 2, 2, BOOL, "")                                                   \
    X(ENDS, "ends_with", 2, 2, BOOL, "")                                                       \
    X(CONTAINS, "contains", 2, 2, BOOL, "")                                                    \
    X(INT, "int", 1, 1, INT, "a number, cut to an integer; a text that is a number")           \
    X(FLOAT, "float", 1, 1, FLOAT, "a number; a text that is a number; seconds of a duration") \
    X(TEXT, "text", 1, 1, TEXT, "")                                                            \
    X(BOOL, "bool", 1, 1, BOOL, "")                                                            \
    X(TRUNC, "start_of", 2, 2, TIME, "start_of('day', time), in the zone of the statement")    \
    X(HOUR, "hour", 1, 1, INT, "0 to 23, in the zone of the statement")                        \
    X(MINUTE, "minute", 1, 1, INT, "")                                                         \
    X(WEEKDAY, "weekday", 1, 1, INT, "1 Monday to 7 Sunday")                                   \
    X(DAY, "day_of_month", 1, 1, INT, "")                                                      \
    X(MONTH, "month_of_year", 1, 1, INT, "")                                                   \
    X(YEAR, "year_of", 1, 1, INT, "")                                                          \
    X(SECONDS, "seconds", 1, 1, FLOAT, "of a duration, or since 1970")                         \
    X(FORMAT, "format_time", 2, 2, TEXT, "format_time(time, '%Y-%m-%d %H:%M')")

enum function {
#define X(symbol, name, least, most, result, help) FUNCTION_##symbol,
    FUNCTION_MAP(X)
#undef X
        FUNCTIONS
};

struct function_info {
    const char *name;
    int least, most; /* -1: any */
    enum function_result result;
    const char *help;
};
extern const struct function_info function_table[FUNCTIONS];

/* FUNCTIONS if there is none; names in any case, operators not found. */
enum function function_find(struct varve_str name);

#endif
