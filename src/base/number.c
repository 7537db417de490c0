/* SPDX-License-Identifier: Apache-2.0
 *
 * number.c -- the shortest decimal text that reads back as the number, and reading.
 *
 * Any decimal of up to 15 digits survives being a double, so the shortest text
 * of a double is its 15 digits without the zeros at the end, or else 16, or else 17.
 * Only subnormal numbers have less to them and are tried from one digit up.
 *
 * The host program may have set a locale with another decimal separator than
 * the point; what the C library prints and reads back agrees in it, and the
 * separator is replaced at the end.  Reading does the same the other way: the syntax is checked
 * here, then the point is replaced by what the C library prints for it.
 */
#include "base/number.h"

#include <ctype.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

enum { PARSE_MOST = 300, SEPARATOR_MOST = 16 };

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

size_t number_print(double value, char text[NUMBER_TEXT])
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

static struct varve_str without_blanks(struct varve_str text)
{
    while (text.size && isspace((unsigned char)text.data[0]))
        text.data++, text.size--;
    while (text.size && isspace((unsigned char)text.data[text.size - 1]))
        text.size--;
    return text;
}

static size_t digits_at(struct varve_str text, size_t at)
{
    size_t count = 0;
    while (at + count < text.size && (unsigned)(text.data[at + count] - '0') < 10)
        count++;
    return count;
}

static bool is_sign(struct varve_str text, size_t at)
{
    return at < text.size && (text.data[at] == '+' || text.data[at] == '-');
}

static bool is_decimal(struct varve_str text)
{
    size_t at = is_sign(text, 0);
    size_t whole = digits_at(text, at), fraction = 0;
    at += whole;
    if (at < text.size && text.data[at] == '.') {
        fraction = digits_at(text, at + 1);
        at += 1 + fraction;
    }
    if (whole + fraction == 0)
        return false;
    if (at < text.size && (text.data[at] == 'e' || text.data[at] == 'E')) {
        at += 1u + is_sign(text, at + 1);
        size_t exponent = digits_at(text, at);
        at += exponent;
        if (exponent == 0)
            return false;
    }
    return at == text.size;
}

static bool parse_special(struct varve_str text, double *value)
{
    size_t sign = is_sign(text, 0);
    bool is_nan = text.size == 3 && strncasecmp(text.data, "nan", 3) == 0;
    if (!is_nan && !(text.size == sign + 3 && strncasecmp(text.data + sign, "inf", 3) == 0))
        return false;
    *value = is_nan ? (double)NAN : text.data[0] == '-' ? -HUGE_VAL : HUGE_VAL;
    return true;
}

bool number_parse(struct varve_str text, double *value)
{
    char copy[PARSE_MOST + SEPARATOR_MOST + 1], separator[SEPARATOR_MOST + 4];
    text = without_blanks(text);
    if (text.size >= 3 && text.size <= 4 && parse_special(text, value))
        return true;
    if (text.size > PARSE_MOST || !is_decimal(text))
        return false;
    /* "0<separator>5" */
    size_t printed = (size_t)snprintf(separator, sizeof separator, "%.1f", 0.5);
    size_t to = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] != '.')
            copy[to++] = text.data[i];
        else
            for (size_t k = 1; k + 1 < printed && k <= SEPARATOR_MOST; k++)
                copy[to++] = separator[k];
    }
    copy[to] = 0;
    double parsed = strtod(copy, NULL);
    if (!isfinite(parsed))
        return false;
    *value = parsed;
    return true;
}

bool number_parse_int(struct varve_str text, int64_t *value)
{
    text = without_blanks(text);
    size_t at = is_sign(text, 0);
    if (text.size == at || digits_at(text, at) != text.size - at)
        return false;
    bool is_negative = text.data[0] == '-';
    int64_t parsed = 0;
    for (; at < text.size; at++) {
        int digit = text.data[at] - '0';
        if (__builtin_mul_overflow(parsed, 10, &parsed) ||
            __builtin_add_overflow(parsed, is_negative ? -digit : digit, &parsed))
            return false;
    }
    *value = parsed;
    return true;
}
