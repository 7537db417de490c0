/* SPDX-License-Identifier: Apache-2.0
 *
 * value.h -- one value of a query: 16 bytes, with its type beside it.
 *
 * Types are of values, not of columns: an event's attribute that changed its type between
 * versions gives integers in one row and texts in another.  NULL is a value that is not known;
 * what is computed from it is NULL.  A NANO is an exact decimal: money and seconds stay exact
 * through sums and differences.  Texts point into memory that somebody else owns.
 */
#ifndef LANG_VALUE_H
#define LANG_VALUE_H

#include "base/str.h"

enum value_type {
    TYPE_NULL, /* a value: not known; a column: nothing but NULLs, or known only when run */
    TYPE_BOOL,
    TYPE_INT,
    TYPE_NANO, /* an integer of 1e-9 */
    TYPE_FLOAT,
    TYPE_TIME,     /* nanoseconds since 1970 */
    TYPE_DURATION, /* nanoseconds */
    TYPE_TEXT,
    TYPES
};

struct value {
    uint32_t type; /* enum value_type */
    uint32_t size; /* of a text */
    union {
        int64_t i; /* BOOL, INT, NANO, TIME, DURATION */
        double f;
        const char *s;
    } as;
};

static inline struct value value_null(void)
{
    return (struct value){.type = TYPE_NULL, .as.i = 0};
}
static inline struct value value_int(enum value_type type, int64_t i)
{
    return (struct value){.type = type, .as.i = i};
}
static inline struct value value_float(double f)
{
    return (struct value){.type = TYPE_FLOAT, .as.f = f};
}
static inline struct value value_text(struct varve_str s)
{
    return (struct value){.type = TYPE_TEXT, .size = (uint32_t)s.size, .as.s = s.data};
}
static inline struct varve_str value_str(struct value v)
{
    return (struct varve_str){v.as.s, v.size};
}
static inline bool value_is_null(struct value v)
{
    return v.type == TYPE_NULL;
}
static inline bool value_is_number(struct value v)
{
    return v.type == TYPE_INT || v.type == TYPE_NANO || v.type == TYPE_FLOAT;
}

/* A total order: numbers by what they are worth, whatever their types (exactly: no integer is
 * rounded to compare it with a double; NaN after all other numbers); values of different sorts in
 * the order BOOL, numbers, TIME, DURATION, TEXT; NULL after everything. */
int value_compare(struct value a, struct value b);
/* Equal values have equal hashes. */
uint64_t value_hash(struct value v);
/* A number as a double, correctly rounded; DURATION in seconds, TIME in seconds since 1970,
 * BOOL 0 or 1.  NaN for NULL and TEXT. */
double value_double(struct value v);
/* A sum of NANOs, in units of 1e-9, as the double nearest to it. */
__extension__ typedef __int128 value_wide;
double value_wide_nanos(value_wide nanos);

#define VALUE_TEXT_MAX 48
/* The exact text of a value that is no TEXT: "NULL", "true", "12", "0.25", the shortest form of a
 * double that reads back to it, RFC 3339 with milliseconds (or nine digits), a duration as 1h30m.
 * Answers the length. */
size_t value_print(struct value v, char text[VALUE_TEXT_MAX]);

const char *value_type_name(enum value_type type); /* "integer", "text" */

#endif
