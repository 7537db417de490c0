/* SPDX-License-Identifier: Apache-2.0
 *
 * vector.h -- up to 1024 rows on their way between two operators, column by column.
 *
 * A vector holds one column in the form in which it is at hand: codes of a dictionary as the
 * segment has them, plain numbers, one value for all rows, or values with their types beside them.
 * vector_value() reads any form; loops that matter look at the form first.  Nothing here is owned:
 * a batch is good until the operator that gave it is asked for the next one.
 *
 * `selected` lists the rows of the batch that count, ascending; NULL: all of them.
 */
#ifndef EXEC_VECTOR_H
#define EXEC_VECTOR_H

#include "lang/plan.h"
#include "lang/value.h"

#define BATCH_ROWS VARVE_BATCH_ROWS

enum vector_form {
    VECTOR_CONST,  /* value, in every row */
    VECTOR_VALUES, /* values[row] */
    VECTOR_INTS,   /* ints[row], all of type `type` */
    VECTOR_FLOATS, /* floats[row] */
    VECTOR_CODES   /* texts of a dictionary; code 0 is NULL */
};

struct vector {
    enum vector_form form;
    enum value_type type;    /* of INTS */
    const uint64_t *present; /* of INTS and FLOATS: bit i % 64 of word i / 64; NULL: all are */
    struct value value;
    const struct value *values;
    const int64_t *ints;
    const double *floats;
    const uint32_t *codes;
    const struct varve_dictionary *dictionary;
};

struct batch {
    uint32_t rows, column_count;
    struct vector *columns;
    uint32_t segment;         /* changes when dictionaries do; counts from 1 */
    const uint16_t *selected; /* selected_count of them; NULL: all rows */
    uint32_t selected_count;
};

static inline uint32_t batch_count(const struct batch *batch)
{
    return batch->selected ? batch->selected_count : batch->rows;
}
static inline uint32_t batch_row(const struct batch *batch, uint32_t i)
{
    return batch->selected ? batch->selected[i] : i;
}

static inline struct value vector_value(const struct vector *v, uint32_t row)
{
    bool is_there = !v->present || (v->present[row / 64] >> (row % 64) & 1);
    switch (v->form) {
    case VECTOR_CONST:
        return v->value;
    case VECTOR_VALUES:
        return v->values[row];
    case VECTOR_INTS:
        return is_there ? value_int(v->type, v->ints[row]) : value_null();
    case VECTOR_FLOATS:
        return is_there ? value_float(v->floats[row]) : value_null();
    case VECTOR_CODES:
        return v->codes[row] ? value_text(v->dictionary->texts[v->codes[row]]) : value_null();
    }
    return value_null();
}

/* A column of a scan as a vector; of a metric's values `scale` says whether they are NANO. */
struct vector vector_of_column(const struct varve_column *column);

#endif
