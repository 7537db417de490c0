/* SPDX-License-Identifier: Apache-2.0
 *
 * term_functions_number.c -- arithmetic.
 *
 * Integers and decimals are computed exactly, in 128 bits; a result that does not fit into its type
 * becomes the double nearest to it.  Times and durations that do not fit are NULL, and so
 * is what is divided by zero.  A duration is scaled as a decimal of seconds is.
 */
#include <math.h>

#include "base/number.h"
#include "exec/term_private.h"

static bool fits(wide x)
{
    return x == (int64_t)x;
}

/* An exact result as its type, or as the nearest double. */
static struct value exact(enum value_type type, wide x)
{
    if (fits(x))
        return value_int(type, (int64_t)x);
    if (type == TYPE_INT)
        return value_float((double)x);
    if (type == TYPE_NANO)
        return value_float(value_wide_nanos(x));
    return value_null();
}

static bool is_exact(struct value v)
{
    return v.type == TYPE_INT || v.type == TYPE_NANO;
}

/* In units of 1e-9. */
static wide nanos(struct value v)
{
    return v.type == TYPE_INT ? (wide)v.as.i * NANO : v.as.i;
}

static enum varve_status add(struct value a, struct value b, int sign, struct value *result)
{
    *result = value_null();
    if (is_exact(a) && is_exact(b)) {
        if (a.type == TYPE_INT && b.type == TYPE_INT)
            *result = exact(TYPE_INT, (wide)a.as.i + (wide)sign * b.as.i);
        else
            *result = exact(TYPE_NANO, nanos(a) + sign * nanos(b));
    } else if (value_is_number(a) && value_is_number(b)) {
        *result = value_float(value_double(a) + sign * value_double(b));
    } else if (a.type == TYPE_DURATION && b.type == TYPE_DURATION) {
        *result = exact(TYPE_DURATION, (wide)a.as.i + (wide)sign * b.as.i);
    } else if (a.type == TYPE_TIME && b.type == TYPE_DURATION) {
        *result = exact(TYPE_TIME, (wide)a.as.i + (wide)sign * b.as.i);
    } else if (a.type == TYPE_DURATION && b.type == TYPE_TIME && sign > 0) {
        *result = exact(TYPE_TIME, (wide)a.as.i + b.as.i);
    } else if (a.type == TYPE_TIME && b.type == TYPE_TIME && sign < 0) {
        *result = exact(TYPE_DURATION, (wide)a.as.i - b.as.i);
    }
    return VARVE_OK;
}

enum varve_status term_add(struct call *call, const struct value *args, struct value *result)
{
    (void)call;
    return add(args[0], args[1], 1, result);
}

enum varve_status term_sub(struct call *call, const struct value *args, struct value *result)
{
    (void)call;
    return add(args[0], args[1], -1, result);
}

/* x / by, half away from zero. */
static wide divide_rounded(wide x, wide by)
{
    wide half = by / 2;
    return x < 0 ? -((-x + half) / by) : (x + half) / by;
}

static struct value duration_of(double nanoseconds)
{
    double rounded = round(nanoseconds);
    if (!(rounded >= -0x1p63 && rounded < 0x1p63))
        return value_null();
    return value_int(TYPE_DURATION, (int64_t)rounded);
}

static struct value scale_duration(int64_t duration, struct value by)
{
    if (by.type == TYPE_INT)
        return exact(TYPE_DURATION, (wide)duration * by.as.i);
    if (by.type == TYPE_NANO)
        return exact(TYPE_DURATION, divide_rounded((wide)duration * by.as.i, NANO));
    return duration_of((double)duration * by.as.f);
}

enum varve_status term_mul(struct call *call, const struct value *args, struct value *result)
{
    struct value a = args[0], b = args[1];
    (void)call;
    *result = value_null();
    if (a.type == TYPE_DURATION && value_is_number(b))
        *result = scale_duration(a.as.i, b);
    else if (b.type == TYPE_DURATION && value_is_number(a))
        *result = scale_duration(b.as.i, a);
    else if (is_exact(a) && is_exact(b) && (a.type == TYPE_INT || b.type == TYPE_INT))
        *result =
            exact(a.type == TYPE_INT ? (enum value_type)b.type : TYPE_NANO, (wide)a.as.i * b.as.i);
    else if (value_is_number(a) && value_is_number(b))
        *result = value_float(value_double(a) * value_double(b));
    return VARVE_OK;
}

/* Both are whole multiples of one unit, which cancels out; small ones are rounded only once. */
static double ratio(struct value a, struct value b)
{
    if (is_exact(a) && is_exact(b) && a.type != b.type) {
        wide x = nanos(a), y = nanos(b), most = (wide)1 << 53;
        if (x <= most && x >= -most && y <= most && y >= -most)
            return (double)x / (double)y;
    } else if (a.type != TYPE_FLOAT && a.type == b.type) {
        return (double)a.as.i / (double)b.as.i;
    }
    return value_double(a) / value_double(b);
}

static bool is_zero(struct value v)
{
    return v.type == TYPE_FLOAT ? v.as.f == 0 : v.as.i == 0;
}

enum varve_status term_div(struct call *call, const struct value *args, struct value *result)
{
    struct value a = args[0], b = args[1];
    (void)call;
    *result = value_null();
    if (value_is_number(a) && value_is_number(b)) {
        if (!is_zero(b))
            *result = value_float(ratio(a, b));
    } else if (a.type == TYPE_DURATION && b.type == TYPE_DURATION) {
        if (b.as.i != 0)
            *result = value_float(ratio(a, b));
    } else if (a.type == TYPE_DURATION && value_is_number(b) && !is_zero(b)) {
        *result = duration_of((double)a.as.i / value_double(b));
    }
    return VARVE_OK;
}

enum varve_status term_mod(struct call *call, const struct value *args, struct value *result)
{
    struct value a = args[0], b = args[1];
    (void)call;
    *result = value_null();
    bool numbers = value_is_number(a) && value_is_number(b);
    if (!(numbers || (a.type == TYPE_DURATION && b.type == TYPE_DURATION)) || is_zero(b))
        return VARVE_OK;
    if (a.type == b.type && a.type != TYPE_FLOAT)
        *result = exact((enum value_type)a.type, (wide)a.as.i % b.as.i);
    else if (is_exact(a) && is_exact(b))
        *result = exact(TYPE_NANO, nanos(a) % nanos(b));
    else
        *result = value_float(fmod(value_double(a), value_double(b)));
    return VARVE_OK;
}

/* ---- one number ---------------------------------------------------------------- */

static bool has_worth(struct value v)
{
    return value_is_number(v) || v.type == TYPE_DURATION;
}

enum varve_status term_neg(struct call *call, const struct value *args, struct value *result)
{
    struct value v = args[0];
    (void)call;
    *result = !has_worth(v)          ? value_null()
              : v.type == TYPE_FLOAT ? value_float(-v.as.f)
                                     : exact((enum value_type)v.type, -(wide)v.as.i);
    return VARVE_OK;
}

enum varve_status term_abs(struct call *call, const struct value *args, struct value *result)
{
    struct value v = args[0];
    if (v.type == TYPE_FLOAT)
        *result = value_float(fabs(v.as.f));
    else if (has_worth(v) && v.as.i < 0)
        return term_neg(call, args, result);
    else
        *result = has_worth(v) ? v : value_null();
    return VARVE_OK;
}

enum varve_status term_sign(struct call *call, const struct value *args, struct value *result)
{
    struct value v = args[0];
    (void)call;
    *result = value_null();
    if (v.type == TYPE_FLOAT && !isnan(v.as.f))
        *result = value_int(TYPE_INT, (v.as.f > 0) - (v.as.f < 0));
    else if (v.type != TYPE_FLOAT && has_worth(v))
        *result = value_int(TYPE_INT, (v.as.i > 0) - (v.as.i < 0));
    return VARVE_OK;
}

enum direction { HALF_AWAY, DOWN, UP };

static struct value round_exact(struct value v, wide unit, enum direction direction)
{
    wide x = v.as.i, rest = x % unit;
    if (direction == HALF_AWAY)
        x = divide_rounded(x, unit) * unit;
    else if (rest != 0)
        x = x - rest +
            (direction == DOWN && rest < 0 ? -unit
             : direction == UP && rest > 0 ? unit
                                           : 0);
    return exact((enum value_type)v.type, x);
}

static double round_double(double x, int64_t digits)
{
    double unit = pow(10, (double)(digits < 0 ? -digits : digits));
    double scaled = digits < 0 ? x / unit : x * unit;
    if (digits == 0 || !isfinite(unit))
        return digits < 0 && isfinite(x) ? 0 : digits > 0 ? x : round(x);
    if (!isfinite(scaled) || fabs(scaled) >= 0x1p52)
        return x;
    return digits < 0 ? round(scaled) * unit : round(scaled) / unit;
}

/* Integers have no digits behind the point, decimals and durations nine. */
static struct value round_to(struct value v, int64_t digits)
{
    if (v.type == TYPE_FLOAT)
        return value_float(round_double(v.as.f, digits));
    int64_t behind = v.type == TYPE_INT ? 0 : 9;
    if (digits >= behind)
        return v;
    wide unit = 1;
    for (; digits < behind && unit < (wide)NANO * NANO * NANO; digits++)
        unit *= 10;
    return round_exact(v, unit, HALF_AWAY);
}

enum varve_status term_round(struct call *call, const struct value *args, struct value *result)
{
    int64_t digits = 0;
    *result = value_null();
    if (has_worth(args[0]) && (call->count < 2 || term_whole(args[1], &digits)))
        *result = round_to(args[0], digits > 400 ? 400 : digits < -400 ? -400 : digits);
    return VARVE_OK;
}

static struct value to_whole(struct value v, enum direction direction)
{
    if (!has_worth(v))
        return value_null();
    if (v.type == TYPE_FLOAT)
        return value_float(direction == DOWN ? floor(v.as.f) : ceil(v.as.f));
    return v.type == TYPE_INT ? v : round_exact(v, NANO, direction);
}

enum varve_status term_floor(struct call *call, const struct value *args, struct value *result)
{
    (void)call;
    *result = to_whole(args[0], DOWN);
    return VARVE_OK;
}

enum varve_status term_ceil(struct call *call, const struct value *args, struct value *result)
{
    (void)call;
    *result = to_whole(args[0], UP);
    return VARVE_OK;
}

#define OF_DOUBLE(name, condition, function)                                                  \
    enum varve_status name(struct call *call, const struct value *args, struct value *result) \
    {                                                                                         \
        (void)call;                                                                           \
        double x = value_is_number(args[0]) ? value_double(args[0]) : (double)NAN;            \
        *result = (condition) ? value_float(function(x)) : value_null();                      \
        return VARVE_OK;                                                                      \
    }
OF_DOUBLE(term_sqrt, x >= 0, sqrt)
OF_DOUBLE(term_exp, !isnan(x), exp)
OF_DOUBLE(term_ln, x > 0, log)
OF_DOUBLE(term_log10, x > 0, log10)
OF_DOUBLE(term_log2, x > 0, log2)
#undef OF_DOUBLE

enum varve_status term_pow(struct call *call, const struct value *args, struct value *result)
{
    (void)call;
    *result = value_null();
    if (!value_is_number(args[0]) || !value_is_number(args[1]))
        return VARVE_OK;
    double power = pow(value_double(args[0]), value_double(args[1]));
    if (!isnan(power))
        *result = value_float(power);
    return VARVE_OK;
}

/* ---- conversions --------------------------------------------------------------- */

static struct value cut(double x)
{
    if (!(x >= -0x1p63 && x < 0x1p63))
        return value_null();
    return value_int(TYPE_INT, (int64_t)x);
}

enum varve_status term_to_int(struct call *call, const struct value *args, struct value *result)
{
    struct value v = args[0];
    int64_t whole;
    double number;
    (void)call;
    *result = value_null();
    switch (v.type) {
    case TYPE_BOOL:
    case TYPE_INT:
        *result = value_int(TYPE_INT, v.as.i);
        break;
    case TYPE_NANO:
    case TYPE_TIME:
    case TYPE_DURATION:
        *result = value_int(TYPE_INT, v.as.i / NANO);
        break;
    case TYPE_FLOAT:
        *result = cut(v.as.f);
        break;
    case TYPE_TEXT:
        if (number_parse_int(value_str(v), &whole))
            *result = value_int(TYPE_INT, whole);
        else if (number_parse(value_str(v), &number))
            *result = cut(number);
        break;
    default:
        break;
    }
    return VARVE_OK;
}

enum varve_status term_to_float(struct call *call, const struct value *args, struct value *result)
{
    double number;
    (void)call;
    *result = value_null();
    if (args[0].type != TYPE_TEXT)
        *result = value_float(value_double(args[0]));
    else if (number_parse(value_str(args[0]), &number))
        *result = value_float(number);
    return VARVE_OK;
}

bool term_whole(struct value value, int64_t *whole)
{
    struct value v;
    if (!value_is_number(value) || term_to_int(NULL, &value, &v) != VARVE_OK || value_is_null(v))
        return false;
    *whole = v.as.i;
    return true;
}
