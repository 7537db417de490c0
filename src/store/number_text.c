/* SPDX-License-Identifier: Apache-2.0
 *
 * number_text.c -- the shortest decimal text that reads back as the number.
 *
 * Any decimal of up to 15 digits survives being a double, so the shortest text
 * of a double is its 15 digits without the zeros at the end, or else 16, or else 17.
 * Only subnormal numbers have less to them and are tried from one digit up.
 *
 * The host program may have set a locale with another decimal separator than
 * the point; what the C library prints and reads back agrees in it, and the
 * separator is replaced at the end.
 */
#include "store/number_text.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Everything that is neither digit, sign nor exponent is the separator. */
static size_t with_point(char *text)
{
    size_t to = 0;
    for (size_t i = 0; text[i]; i++) {
        if (strchr("0123456789+-e", text[i]))
            text[to++] = text[i];
        else if (to > 0 && text[to - 1] != '.')
            text[to++] = '.';
    }
    text[to] = 0;
    return to;
}

static size_t float_text(double value, char text[NUMBER_TEXT])
{
    if (!isfinite(value)) {
        const char *name = isnan(value) ? "NaN" : value > 0 ? "Inf" : "-Inf";
        strcpy(text, name);
        return strlen(text);
    }
    if (fabs(value) < 0x1p53 && value == floor(value) && !(value == 0 && signbit(value)))
        return (size_t)snprintf(text, NUMBER_TEXT, "%" PRId64, (int64_t)value);
    int digits = fabs(value) < DBL_MIN ? 1 : 15;
    for (; digits <= 17; digits++) {
        snprintf(text, NUMBER_TEXT, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    return with_point(text);
}

size_t number_text(enum varve_type type, int64_t bits, char text[NUMBER_TEXT])
{
    double value;
    if (type == VARVE_BOOL)
        return (size_t)snprintf(text, NUMBER_TEXT, "%s", bits ? "true" : "false");
    if (type == VARVE_INT)
        return (size_t)snprintf(text, NUMBER_TEXT, "%" PRId64, bits);
    memcpy(&value, &bits, sizeof value);
    return float_text(value, text);
}
