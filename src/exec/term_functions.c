/* SPDX-License-Identifier: Apache-2.0
 *
 * term_functions.c -- the routine of each function, and those of conditions and choices.
 *
 * A routine sees values, whatever their types, and answers NULL for what has no meaning: what the
 * binder has let pass can still vary from row to row.  AND and OR are three-valued: what is not
 * known decides nothing.
 */
#include <math.h>
#include <strings.h>

#include "base/number.h"
#include "exec/term_private.h"

/* ---- truth and comparing ----------------------------------------------------- */

static bool text_is(struct varve_str text, const char *word)
{
    return text.size == strlen(word) && strncasecmp(text.data, word, text.size) == 0;
}

int value_truth(struct value value)
{
    switch (value.type) {
    case TYPE_BOOL:
    case TYPE_INT:
    case TYPE_NANO:
        return value.as.i != 0;
    case TYPE_FLOAT:
        return isnan(value.as.f) ? -1 : value.as.f != 0;
    case TYPE_TEXT:
        if (text_is(value_str(value), "true") || text_is(value_str(value), "1"))
            return 1;
        return text_is(value_str(value), "false") || text_is(value_str(value), "0") ? 0 : -1;
    default:
        return -1;
    }
}

static struct value truth_value(int truth)
{
    return truth < 0 ? value_null() : value_int(TYPE_BOOL, truth);
}

/* The number or boolean that a text is, to compare it with `beside`. */
static bool read_as(struct value *text, uint32_t beside)
{
    int64_t whole;
    double number;
    if (beside == TYPE_BOOL) {
        int truth = value_truth(*text);
        *text = truth_value(truth);
        return truth >= 0;
    }
    if (beside != TYPE_INT && beside != TYPE_NANO && beside != TYPE_FLOAT)
        return false;
    if (number_parse_int(value_str(*text), &whole))
        *text = value_int(TYPE_INT, whole);
    else if (number_parse(value_str(*text), &number))
        *text = value_float(number);
    else
        return false;
    return true;
}

int term_compare(struct value a, struct value b)
{
    if (a.type != b.type && !(value_is_number(a) && value_is_number(b))) {
        bool read = a.type == TYPE_TEXT   ? read_as(&a, b.type)
                    : b.type == TYPE_TEXT ? read_as(&b, a.type)
                                          : false;
        if (!read)
            return 2;
    }
    int c = value_compare(a, b);
    return (c > 0) - (c < 0);
}

static enum varve_status run_eq(struct call *call, const struct value *args, struct value *result)
{
    (void)call;
    *result = value_int(TYPE_BOOL, term_compare(args[0], args[1]) == 0);
    return VARVE_OK;
}

static enum varve_status run_ne(struct call *call, const struct value *args, struct value *result)
{
    (void)call;
    *result = value_int(TYPE_BOOL, term_compare(args[0], args[1]) != 0);
    return VARVE_OK;
}

#define ORDER(name, condition)                                                 \
    static enum varve_status name(struct call *call, const struct value *args, \
                                  struct value *result)                        \
    {                                                                          \
        (void)call;                                                            \
        int c = term_compare(args[0], args[1]);                                \
        *result = c == 2 ? value_null() : value_int(TYPE_BOOL, (condition));   \
        return VARVE_OK;                                                       \
    }
ORDER(run_lt, c < 0)
ORDER(run_le, c <= 0)
ORDER(run_gt, c > 0)
ORDER(run_ge, c >= 0)
#undef ORDER

static enum varve_status run_in(struct call *call, const struct value *args, struct value *result)
{
    bool unknown = false;
    *result = value_null();
    if (value_is_null(args[0]))
        return VARVE_OK;
    for (uint32_t i = 1; i < call->count; i++) {
        unknown |= value_is_null(args[i]);
        if (!value_is_null(args[i]) && term_compare(args[0], args[i]) == 0) {
            *result = value_int(TYPE_BOOL, 1);
            return VARVE_OK;
        }
    }
    if (!unknown)
        *result = value_int(TYPE_BOOL, 0);
    return VARVE_OK;
}

static enum varve_status
run_isnull(struct call *call, const struct value *args, struct value *result)
{
    (void)call;
    *result = value_int(TYPE_BOOL, value_is_null(args[0]));
    return VARVE_OK;
}

static enum varve_status
run_notnull(struct call *call, const struct value *args, struct value *result)
{
    (void)call;
    *result = value_int(TYPE_BOOL, !value_is_null(args[0]));
    return VARVE_OK;
}

/* ---- AND, OR, NOT ---------------------------------------------------------------- */

static enum varve_status run_or(struct call *call, const struct value *args, struct value *result)
{
    (void)call;
    int a = value_truth(args[0]), b = value_truth(args[1]);
    *result = truth_value(a == 1 || b == 1 ? 1 : a < 0 || b < 0 ? -1 : 0);
    return VARVE_OK;
}

static enum varve_status run_and(struct call *call, const struct value *args, struct value *result)
{
    (void)call;
    int a = value_truth(args[0]), b = value_truth(args[1]);
    *result = truth_value(a == 0 || b == 0 ? 0 : a < 0 || b < 0 ? -1 : 1);
    return VARVE_OK;
}

static enum varve_status run_not(struct call *call, const struct value *args, struct value *result)
{
    (void)call;
    int a = value_truth(args[0]);
    *result = truth_value(a < 0 ? -1 : !a);
    return VARVE_OK;
}

static enum varve_status run_bool(struct call *call, const struct value *args, struct value *result)
{
    (void)call;
    *result = truth_value(value_truth(args[0]));
    return VARVE_OK;
}

/* ---- choices ------------------------------------------------------------------------ */

static enum varve_status run_if(struct call *call, const struct value *args, struct value *result)
{
    (void)call;
    *result = value_truth(args[0]) == 1 ? args[1] : args[2];
    return VARVE_OK;
}

static enum varve_status
run_coalesce(struct call *call, const struct value *args, struct value *result)
{
    *result = value_null();
    for (uint32_t i = 0; i < call->count && value_is_null(*result); i++)
        *result = args[i];
    return VARVE_OK;
}

static enum varve_status
run_nullif(struct call *call, const struct value *args, struct value *result)
{
    (void)call;
    bool are_equal =
        !value_is_null(args[0]) && !value_is_null(args[1]) && term_compare(args[0], args[1]) == 0;
    *result = are_equal ? value_null() : args[0];
    return VARVE_OK;
}

static void
extreme(const struct call *call, const struct value *args, int sign, struct value *result)
{
    *result = value_null();
    for (uint32_t i = 0; i < call->count; i++)
        if (!value_is_null(args[i]) &&
            (value_is_null(*result) || sign * value_compare(args[i], *result) > 0))
            *result = args[i];
}

static enum varve_status
run_least(struct call *call, const struct value *args, struct value *result)
{
    extreme(call, args, -1, result);
    return VARVE_OK;
}

static enum varve_status
run_greatest(struct call *call, const struct value *args, struct value *result)
{
    extreme(call, args, 1, result);
    return VARVE_OK;
}

/* ---- the table --------------------------------------------------------------------- */

const struct routine term_routines[FUNCTIONS] = {
    [FUNCTION_OR] = {run_or, true},
    [FUNCTION_AND] = {run_and, true},
    [FUNCTION_NOT] = {run_not, true},
    [FUNCTION_EQ] = {run_eq, false},
    [FUNCTION_NE] = {run_ne, false},
    [FUNCTION_LT] = {run_lt, false},
    [FUNCTION_LE] = {run_le, false},
    [FUNCTION_GT] = {run_gt, false},
    [FUNCTION_GE] = {run_ge, false},
    [FUNCTION_MATCH] = {term_match, false},
    [FUNCTION_NOMATCH] = {term_nomatch, false},
    [FUNCTION_LIKE] = {term_like, false},
    [FUNCTION_NOTLIKE] = {term_notlike, false},
    [FUNCTION_CONCAT] = {term_concat, false},
    [FUNCTION_ADD] = {term_add, false},
    [FUNCTION_SUB] = {term_sub, false},
    [FUNCTION_MUL] = {term_mul, false},
    [FUNCTION_DIV] = {term_div, false},
    [FUNCTION_MOD] = {term_mod, false},
    [FUNCTION_NEG] = {term_neg, false},
    [FUNCTION_ISNULL] = {run_isnull, true},
    [FUNCTION_NOTNULL] = {run_notnull, true},
    [FUNCTION_IN] = {run_in, true},
    [FUNCTION_IF] = {run_if, true},
    [FUNCTION_COALESCE] = {run_coalesce, true},
    [FUNCTION_NULLIF] = {run_nullif, true},
    [FUNCTION_LEAST] = {run_least, true},
    [FUNCTION_GREATEST] = {run_greatest, true},
    [FUNCTION_ABS] = {term_abs, false},
    [FUNCTION_ROUND] = {term_round, false},
    [FUNCTION_FLOOR] = {term_floor, false},
    [FUNCTION_CEIL] = {term_ceil, false},
    [FUNCTION_SQRT] = {term_sqrt, false},
    [FUNCTION_EXP] = {term_exp, false},
    [FUNCTION_LN] = {term_ln, false},
    [FUNCTION_LOG10] = {term_log10, false},
    [FUNCTION_LOG2] = {term_log2, false},
    [FUNCTION_POW] = {term_pow, false},
    [FUNCTION_SIGN] = {term_sign, false},
    [FUNCTION_LOWER] = {term_lower, false},
    [FUNCTION_UPPER] = {term_upper, false},
    [FUNCTION_LENGTH] = {term_length, false},
    [FUNCTION_SUBSTR] = {term_substr, false},
    [FUNCTION_REPLACE] = {term_replace, false},
    [FUNCTION_TRIM] = {term_trim, false},
    [FUNCTION_SPLIT] = {term_split, false},
    [FUNCTION_STARTS] = {term_starts, false},
    [FUNCTION_ENDS] = {term_ends, false},
    [FUNCTION_CONTAINS] = {term_contains, false},
    [FUNCTION_INT] = {term_to_int, false},
    [FUNCTION_FLOAT] = {term_to_float, false},
    [FUNCTION_TEXT] = {term_to_text, false},
    [FUNCTION_BOOL] = {run_bool, false},
    [FUNCTION_TRUNC] = {term_start_of, false},
    [FUNCTION_HOUR] = {term_hour, false},
    [FUNCTION_MINUTE] = {term_minute, false},
    [FUNCTION_WEEKDAY] = {term_weekday, false},
    [FUNCTION_DAY] = {term_day, false},
    [FUNCTION_MONTH] = {term_month, false},
    [FUNCTION_YEAR] = {term_year, false},
    [FUNCTION_SECONDS] = {term_seconds, false},
    [FUNCTION_FORMAT] = {term_format, false},
};
