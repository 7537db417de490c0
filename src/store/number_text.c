/* SPDX-License-Identifier: Apache-2.0
 *
 * number_text.c -- cells that are numbers, as texts.
 */
#include "store/number_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

size_t number_text(enum varve_type type, int64_t bits, char text[NUMBER_TEXT])
{
    double value;
    if (type == VARVE_BOOL)
        return (size_t)snprintf(text, NUMBER_TEXT, "%s", bits ? "true" : "false");
    if (type == VARVE_INT)
        return (size_t)snprintf(text, NUMBER_TEXT, "%" PRId64, bits);
    memcpy(&value, &bits, sizeof value);
    return number_print(value, text);
}
