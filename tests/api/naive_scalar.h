/* SPDX-License-Identifier: Apache-2.0
 *
 * naive_scalar.h -- expressions over the columns of one row, and what they are worth.
 */
#ifndef TESTS_NAIVE_SCALAR_H
#define TESTS_NAIVE_SCALAR_H

#include "lang/functions.h"
#include "naive.h"

enum scalar_kind { CONSTANT, COLUMN, CALL, CASE_OF, CASE_WHEN, BETWEEN_TWO };
struct scalar {
    enum scalar_kind kind;
    enum function function; /* of CALL */
    struct varve_cell constant;
    int column;
    bool negated; /* NOT IN, NOT BETWEEN */
    struct scalar *args[5];
    int count;
};

struct varve_cell
scalar_value(const struct scalar *s, const struct varve_cell *columns, const char *zone);

#endif
