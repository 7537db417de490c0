/* SPDX-License-Identifier: Apache-2.0
 *
 * number.h -- doubles as texts and texts as doubles, whatever the locale is.
 */
#ifndef BASE_NUMBER_H
#define BASE_NUMBER_H

#include <stdbool.h>
#include "base/str.h"

#define NUMBER_TEXT 32

/* The shortest decimal text that reads back as the number.  Whole ones below 2^53 look as
 * integers do; NaN, Inf, -Inf.  Answers the length. */
size_t number_print(double value, char text[NUMBER_TEXT]);
/* A decimal number of up to 300 characters, its sign and exponent included, or what number_print
 * has for those that are not finite, in any case; blanks around it do not count.  Correctly
 * rounded.  false: it is no number, or larger than a double can be. */
bool number_parse(struct varve_str text, double *value);
/* The same for a decimal integer that an int64 can hold. */
bool number_parse_int(struct varve_str text, int64_t *value);

#endif
