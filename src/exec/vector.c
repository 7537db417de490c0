/* SPDX-License-Identifier: Apache-2.0
 *
 * vector.c -- a column as a scan lends it, seen as a vector.
 */
#include "exec/vector.h"

struct vector vector_of_column(const struct varve_column *column)
{
    struct vector v = {.present = column->present};
    switch (column->type) {
    case VARVE_TEXT:
        v.form = VECTOR_CODES;
        v.codes = column->codes;
        v.dictionary = column->dictionary;
        return v;
    case VARVE_INT:
    case VARVE_BOOL:
        v.form = VECTOR_INTS;
        v.type = column->type == VARVE_BOOL ? TYPE_BOOL : TYPE_INT;
        v.ints = column->ints;
        return v;
    case VARVE_FLOAT:
        v.form = VECTOR_FLOATS;
        v.floats = column->floats;
        return v;
    case VARVE_NULL:
        break;
    }
    return (struct vector){.form = VECTOR_CONST, .value = value_null()};
}
