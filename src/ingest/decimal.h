/* SPDX-License-Identifier: Apache-2.0
 *
 * decimal.h -- numbers in text, exactly: as doubles, and as nanoseconds.
 *
 * The grammar is that of JSON and of the text formats together: an optional sign, digits with or
 * without a point, an optional exponent.  The locale plays no part.
 */
#ifndef INGEST_DECIMAL_H
#define INGEST_DECIMAL_H

#include "base/str.h"

struct decimal {
    uint64_t mantissa; /* of the first 19 significant digits */
    int exponent;      /* of ten; beyond +-9999 it stays there */
    bool negative;
    bool more; /* digits other than zero follow those of the mantissa */
};

/* The number at the front of the text: its length, or 0 when there is none. */
size_t decimal_scan(struct varve_str text, struct decimal *decimal);
/* The double nearest to `text`, which decimal_scan has found to be this number; ties to even.  What
 * is too large is infinite. */
double decimal_double(const struct decimal *decimal, struct varve_str text);
/* decimal * 10^scale, rounded down, as in "seconds to nanoseconds" with scale 9; false when it does
 * not fit. */
bool decimal_scaled(const struct decimal *decimal, int scale, int64_t *out);

#endif
