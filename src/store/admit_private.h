/* SPDX-License-Identifier: Apache-2.0
 *
 * admit_private.h -- what the files of admit share.
 *
 *   admit.c        counters with a known start, and without any; points
 *   admit_zero.c   counters that began at zero at a time that is not known
 */
#ifndef STORE_ADMIT_PRIVATE_H
#define STORE_ADMIT_PRIVATE_H

#include "store/admit.h"

/* ---- numbers ----------------------------------------------------------- */

/* A number as the sender had it: arithmetic is on integers where both are. */
struct number {
    bool is_float;
    int64_t i;
    double f; /* always set */
};

static inline struct number number_of(const struct row *row)
{
    struct number n = {row->is_float, row->value, 0};
    if (row->is_float)
        memcpy(&n.f, &row->value, sizeof n.f);
    else
        n.f = (double)row->value;
    return n;
}

static inline struct number number_of_stream(const struct stream *stream)
{
    struct row row = {.is_float = stream->is_float, .value = stream->reading};
    return number_of(&row);
}

static inline int64_t number_bits(struct number n)
{
    int64_t bits = n.i;
    if (n.is_float)
        memcpy(&bits, &n.f, sizeof bits);
    return bits;
}

static inline struct number number_float(double f)
{
    return (struct number){true, 0, f};
}

static inline struct number number_int(int64_t i)
{
    return (struct number){false, i, (double)i};
}

/* Readings are not negative, so neither of these can leave int64 by much: sums that would become
 * doubles. */
static inline struct number number_add(struct number a, struct number b)
{
    int64_t i;
    if (!a.is_float && !b.is_float && !__builtin_add_overflow(a.i, b.i, &i))
        return number_int(i);
    return number_float(a.f + b.f);
}

static inline struct number number_sub(struct number a, struct number b)
{
    int64_t i;
    if (!a.is_float && !b.is_float && !__builtin_sub_overflow(a.i, b.i, &i))
        return number_int(i);
    return number_float(a.f - b.f);
}

static inline int number_compare(struct number a, struct number b)
{
    if (!a.is_float && !b.is_float)
        return (a.i > b.i) - (a.i < b.i);
    return (a.f > b.f) - (a.f < b.f);
}

static inline bool number_is_zero(struct number n)
{
    return n.is_float ? n.f == 0 : n.i == 0;
}

/* ---- a stream's rows, in order ----------------------------------------- */

/* All rows of a stream at one end. */
struct step {
    int64_t end;
    bool has_row, has_base;
    struct number increment, base;
};

struct history {
    struct row_list rows;
    struct step *steps;
    size_t count;
};
void history_free(struct admit *admit, struct history *history);
/* Sorts the rows that were collected and makes steps of them. */
enum varve_status
history_fold(struct admit *admit, struct history *history, struct varve_err *err) VARVE_CHECKED;

static inline void stream_set_reading(struct stream *stream, struct number reading)
{
    stream->is_float = reading.is_float;
    stream->reading = number_bits(reading);
}
static inline void stream_set(struct stream *stream, struct number reading)
{
    stream->has_reading = true;
    stream_set_reading(stream, reading);
}

/* Puts a row into the head. */
enum varve_status
admit_emit(struct admit *admit, uint32_t series, int64_t start, enum row_mode mode, int64_t end,
           struct number value, struct varve_err *err) VARVE_CHECKED;

/* A reading whose start is VARVE_FROM_ZERO. */
enum varve_status
admit_from_zero(struct admit *admit, const struct row *row, struct varve_err *err) VARVE_CHECKED;

#endif
