/* SPDX-License-Identifier: Apache-2.0
 *
 * number_text.h -- numbers as the texts that stand for them beside texts.
 */
#ifndef STORE_NUMBER_TEXT_H
#define STORE_NUMBER_TEXT_H

#include "base/number.h"

/* The shortest decimal text of an INT or FLOAT, "true" or "false" of a BOOL; bits as in struct
 * cell.  Whole doubles look as ints do; NaN, Inf, -Inf.  The locale plays no part.  Answers the
 * length. */
size_t number_text(enum varve_type type, int64_t bits, char text[NUMBER_TEXT]);

#endif
