/* SPDX-License-Identifier: Apache-2.0
 *
 * lower_term.c -- bound expressions: constants, columns, and calls whose arguments fit.
 *
 * Types are those of columns as far as they are known before a row has been read; an argument
 * whose type is not known fits everywhere, and is looked at when it is run.  What can never fit is
 * an error here, with the place of the argument.
 *
 * Terms are trees, never shared: what is put in for an alias is made anew.  Their number in a
 * statement and their depth are bounded, so that a chain of aliases that doubles at each step is
 * refused instead of filling the memory.
 */
#include <stdio.h>

#include "base/regex.h"
#include "lang/lower_private.h"

/* ---- making ------------------------------------------------------------------- */

static enum varve_status term_new(struct lower *l, enum term_kind kind, struct place place,
                                  enum value_type type, struct term **term)
{
    struct term *made;
    if (++l->terms > LOWER_TERMS_MAX)
        return lower_fail(l, VARVE_LIMIT, place,
                          "the statement has over %d terms once aliases are put in",
                          LOWER_TERMS_MAX);
    TRY(lower_alloc(l, &made, 1, sizeof *made));
    made->kind = kind;
    made->place = lower_place(l, place);
    made->type = type;
    made->depth = 1;
    *term = made;
    return VARVE_OK;
}

enum varve_status
lower_term_const(struct lower *l, struct place place, struct value value, struct term **term)
{
    TRY(term_new(l, TERM_CONST, place, (enum value_type)value.type, term));
    (*term)->value = value;
    return VARVE_OK;
}

enum varve_status lower_term_column(struct lower *l, struct place place, uint32_t index,
                                    enum value_type type, struct term **term)
{
    TRY(term_new(l, TERM_COLUMN, place, type, term));
    (*term)->index = index;
    return VARVE_OK;
}

bool lower_term_equal(const struct term *a, const struct term *b)
{
    if (!a || !b)
        return a == b;
    if (a->kind != b->kind || a->arg_count != b->arg_count)
        return false;
    if (a->kind == TERM_COLUMN)
        return a->index == b->index;
    if (a->kind == TERM_CONST)
        return a->value.type == b->value.type && value_compare(a->value, b->value) == 0;
    if (a->function != b->function)
        return false;
    for (uint32_t i = 0; i < a->arg_count; i++)
        if (!lower_term_equal(a->args[i], b->args[i]))
            return false;
    return true;
}

/* ---- types -------------------------------------------------------------------- */

static bool is_number(enum value_type type)
{
    return type == TYPE_INT || type == TYPE_NANO || type == TYPE_FLOAT;
}

/* What values of both types have in common; TYPE_NULL: nothing, or not known. */
enum value_type lower_type_common(enum value_type a, enum value_type b)
{
    if (a == b)
        return a;
    if (!is_number(a) || !is_number(b))
        return TYPE_NULL;
    return a == TYPE_FLOAT || b == TYPE_FLOAT ? TYPE_FLOAT : TYPE_NANO;
}

static bool comparable(enum value_type a, enum value_type b)
{
    return a == TYPE_NULL || b == TYPE_NULL || a == b || (is_number(a) && is_number(b));
}

static bool is_null(const struct term *term)
{
    return term->kind == TERM_CONST && value_is_null(term->value);
}

/* What an argument has to be: c a condition, n a number, d a number or a duration, t a text, T a
 * time, s a time or a duration, = of one sort with those before that say so, * anything.  The last
 * letter holds for all that follow. */
static const char *const signatures[FUNCTIONS] = {
    [FUNCTION_OR] = "c",      [FUNCTION_AND] = "c",     [FUNCTION_NOT] = "c",
    [FUNCTION_EQ] = "=",      [FUNCTION_NE] = "=",      [FUNCTION_LT] = "=",
    [FUNCTION_LE] = "=",      [FUNCTION_GT] = "=",      [FUNCTION_GE] = "=",
    [FUNCTION_MATCH] = "t",   [FUNCTION_NOMATCH] = "t", [FUNCTION_LIKE] = "t",
    [FUNCTION_NOTLIKE] = "t", [FUNCTION_CONCAT] = "t",  [FUNCTION_NEG] = "d",
    [FUNCTION_IN] = "=",      [FUNCTION_IF] = "c=",     [FUNCTION_COALESCE] = "=",
    [FUNCTION_NULLIF] = "=",  [FUNCTION_LEAST] = "=",   [FUNCTION_GREATEST] = "=",
    [FUNCTION_ABS] = "d",     [FUNCTION_ROUND] = "n",   [FUNCTION_FLOOR] = "n",
    [FUNCTION_CEIL] = "n",    [FUNCTION_SQRT] = "n",    [FUNCTION_EXP] = "n",
    [FUNCTION_LN] = "n",      [FUNCTION_LOG10] = "n",   [FUNCTION_LOG2] = "n",
    [FUNCTION_POW] = "n",     [FUNCTION_SIGN] = "d",    [FUNCTION_LOWER] = "t",
    [FUNCTION_UPPER] = "t",   [FUNCTION_LENGTH] = "t",  [FUNCTION_SUBSTR] = "tn",
    [FUNCTION_REPLACE] = "t", [FUNCTION_TRIM] = "t",    [FUNCTION_SPLIT] = "ttn",
    [FUNCTION_STARTS] = "t",  [FUNCTION_ENDS] = "t",    [FUNCTION_CONTAINS] = "t",
    [FUNCTION_TRUNC] = "tT",  [FUNCTION_HOUR] = "T",    [FUNCTION_MINUTE] = "T",
    [FUNCTION_WEEKDAY] = "T", [FUNCTION_DAY] = "T",     [FUNCTION_MONTH] = "T",
    [FUNCTION_YEAR] = "T",    [FUNCTION_SECONDS] = "s", [FUNCTION_FORMAT] = "Tt",
    [FUNCTION_MOD] = "n"};

static bool fits(char letter, enum value_type type)
{
    switch (letter) {
    case 'c':
        return type == TYPE_BOOL;
    case 'n':
        return is_number(type);
    case 'd':
        return is_number(type) || type == TYPE_DURATION;
    case 't':
        return type == TYPE_TEXT;
    case 'T':
        return type == TYPE_TIME;
    case 's':
        return type == TYPE_TIME || type == TYPE_DURATION;
    default:
        return true;
    }
}

static const char *expected(char letter)
{
    switch (letter) {
    case 'c':
        return "a condition";
    case 'n':
        return "a number";
    case 'd':
        return "a number or a duration";
    case 't':
        return "a text";
    case 'T':
        return "a time";
    default:
        return "a time or a duration";
    }
}

/* Operators as they are, functions with the parentheses that they are called with. */
static const char *called(enum function function)
{
    static const char *const names[FUNCTIONS] = {
#define X(symbol, name, least, most, result, help) name "()",
        FUNCTION_MAP(X)
#undef X
    };
    return function < FUNCTION_IF ? function_table[function].name : names[function];
}

/* A text that stands beside a time is that time: time > '2026-10-03'. */
static void text_as_time(const struct lower *l, struct term **args, uint32_t count)
{
    bool any = false;
    for (uint32_t i = 0; i < count; i++)
        any |= args[i]->type == TYPE_TIME;
    for (uint32_t i = 0; any && i < count; i++) {
        struct varve_str text = value_str(args[i]->value);
        int64_t instant;
        if (args[i]->kind == TERM_CONST && args[i]->type == TYPE_TEXT &&
            (lower_local_time(text, l->select_zone, &instant) ||
             instant_parse(text.data, text.size, &instant, NULL) == VARVE_OK)) {
            args[i]->value = value_int(TYPE_TIME, instant);
            args[i]->type = TYPE_TIME;
        }
    }
}

static enum varve_status
check_types(struct lower *l, enum function function, struct term **args, uint32_t count)
{
    const char *signature = signatures[function] ? signatures[function] : "*";
    const struct term *first = NULL;
    if (strchr(signature, '='))
        text_as_time(l, args, count);
    for (uint32_t i = 0; i < count; i++) {
        if (args[i]->type != TYPE_NULL && !fits(*signature, args[i]->type))
            return lower_fail(l, VARVE_INVALID, args[i]->place, "%s needs %s, found %s",
                              called(function), expected(*signature),
                              value_type_name(args[i]->type));
        if (*signature == '=' && first && !comparable(first->type, args[i]->type))
            return lower_fail(l, VARVE_INVALID, args[i]->place,
                              "%s needs values of one sort, found %s and %s", called(function),
                              value_type_name(first->type), value_type_name(args[i]->type));
        if (*signature == '=' && (!first || first->type == TYPE_NULL))
            first = args[i];
        signature += signature[1] != 0;
    }
    return VARVE_OK;
}

static enum value_type sum_type(enum function function, enum value_type a, enum value_type b)
{
    if (a == TYPE_TIME && b == TYPE_TIME)
        return function == FUNCTION_SUB ? TYPE_DURATION : TYPES;
    if (a == TYPE_TIME && b == TYPE_DURATION)
        return TYPE_TIME;
    if (a == TYPE_DURATION && b == TYPE_TIME)
        return function == FUNCTION_ADD ? TYPE_TIME : TYPES;
    if (a == TYPE_DURATION && b == TYPE_DURATION)
        return TYPE_DURATION;
    if (is_number(a) && is_number(b))
        return lower_type_common(a, b);
    return TYPES;
}

static enum value_type product_type(enum function function, enum value_type a, enum value_type b)
{
    if (a == TYPE_DURATION && is_number(b))
        return TYPE_DURATION;
    if (function == FUNCTION_DIV)
        return (is_number(a) && is_number(b)) || (a == TYPE_DURATION && b == TYPE_DURATION)
                   ? TYPE_FLOAT
                   : TYPES;
    if (is_number(a) && b == TYPE_DURATION)
        return TYPE_DURATION;
    if (!is_number(a) || !is_number(b))
        return TYPES;
    if (a == TYPE_INT && b == TYPE_INT)
        return TYPE_INT;
    return (a == TYPE_INT && b == TYPE_NANO) || (a == TYPE_NANO && b == TYPE_INT) ? TYPE_NANO
                                                                                  : TYPE_FLOAT;
}

/* Of +, -, *, / and %: TYPES if they do not go together. */
static enum value_type
arithmetic_type(enum function function, const struct term *a, const struct term *b)
{
    bool unknown_a = a->type == TYPE_NULL, unknown_b = b->type == TYPE_NULL;
    if (unknown_a || unknown_b) {
        enum value_type known = unknown_a ? b->type : a->type;
        return known == TYPE_TEXT || known == TYPE_BOOL ? TYPES : TYPE_NULL;
    }
    if (function == FUNCTION_MUL || function == FUNCTION_DIV)
        return product_type(function, a->type, b->type);
    return sum_type(function, a->type, b->type);
}

/* The common type of the arguments from `from` on; constant NULLs do not count. */
static enum value_type same_type(struct term **args, uint32_t from, uint32_t count)
{
    enum value_type type = TYPE_NULL;
    bool any = false;
    for (uint32_t i = from; i < count; i++)
        if (!is_null(args[i])) {
            type = any ? lower_type_common(type, args[i]->type) : args[i]->type;
            any = true;
        }
    return type;
}

static enum varve_status set_type(struct lower *l, struct term *term)
{
    static const enum value_type results[] = {
        [RESULT_BOOL] = TYPE_BOOL, [RESULT_INT] = TYPE_INT,   [RESULT_FLOAT] = TYPE_FLOAT,
        [RESULT_TEXT] = TYPE_TEXT, [RESULT_TIME] = TYPE_TIME, [RESULT_DURATION] = TYPE_DURATION};
    enum function_result result = function_table[term->function].result;
    uint32_t count = term->arg_count;
    if (result < RESULT_SAME) {
        term->type = results[result];
    } else if (result == RESULT_SAME) {
        if (term->function == FUNCTION_ROUND || term->function == FUNCTION_NULLIF)
            count = 1;
        term->type = same_type(term->args, term->function == FUNCTION_IF, count);
    } else {
        struct term *a = term->args[0], *b = term->args[1];
        term->type = arithmetic_type(term->function, a, b);
        if (term->type == TYPES)
            return lower_fail(l, VARVE_INVALID, term->place, "%s %s %s has no meaning",
                              value_type_name(a->type), called(term->function),
                              value_type_name(b->type));
    }
    return VARVE_OK;
}

/* ---- calls -------------------------------------------------------------------- */

static enum varve_status
check_count(struct lower *l, struct place place, enum function function, uint32_t count)
{
    const struct function_info *info = &function_table[function];
    char takes[64];
    if (count >= (uint32_t)info->least && (info->most < 0 || count <= (uint32_t)info->most))
        return VARVE_OK;
    if (info->most < 0)
        snprintf(takes, sizeof takes, "at least %d argument%s", info->least,
                 info->least == 1 ? "" : "s");
    else if (info->most != info->least)
        snprintf(takes, sizeof takes, "%d to %d arguments", info->least, info->most);
    else
        snprintf(takes, sizeof takes, "%d argument%s", info->least, info->least == 1 ? "" : "s");
    return lower_fail(l, VARVE_INVALID, place, "%s() takes %s, found %u", info->name, takes,
                      (unsigned)count);
}

enum varve_status
lower_pattern(struct lower *l, struct varve_str pattern, struct place place, bool *matches_empty)
{
    struct varve_err err = {0};
    struct regex *regex;
    enum varve_status status = regex_new(l->arena->mem, pattern, true, &regex, &err);
    if (status == VARVE_NOMEM)
        return fail_nomem(l->err, pattern.size);
    if (status != VARVE_OK)
        return lower_fail(l, VARVE_INVALID, place, "the pattern cannot be used: %s", err.message);
    status = regex_match(regex, STR(""), matches_empty, &err);
    regex_free(regex);
    if (status == VARVE_NOMEM)
        return fail_nomem(l->err, pattern.size);
    if (status != VARVE_OK)
        return lower_fail(l, VARVE_LIMIT, place, "the pattern cannot be used: %s", err.message);
    return VARVE_OK;
}

/* What has to be written there and not computed: patterns, units. */
static enum varve_status check_constants(struct lower *l, const struct term *term)
{
    bool empty;
    const struct term *arg = NULL;
    if (term->function == FUNCTION_MATCH || term->function == FUNCTION_NOMATCH)
        arg = term->args[1];
    else if (term->function == FUNCTION_TRUNC)
        arg = term->args[0];
    if (!arg)
        return VARVE_OK;
    if (arg->kind != TERM_CONST || arg->type != TYPE_TEXT)
        return lower_fail(l, VARVE_INVALID, arg->place, "%s needs a constant text here",
                          called(term->function));
    if (term->function != FUNCTION_TRUNC)
        return lower_pattern(l, value_str(arg->value), arg->place, &empty);
    for (int i = UNIT_HOUR; i < CALENDAR_UNITS; i++)
        if (lower_name_is(value_str(arg->value), calendar_unit_names[i]))
            return VARVE_OK;
    return lower_fail(l, VARVE_INVALID, arg->place,
                      "'%.*s' is no unit: hour, day, week, month, quarter or year",
                      STR_ARG(value_str(arg->value)));
}

enum varve_status lower_term_call(struct lower *l, struct place place, enum function function,
                                  struct term **args, uint32_t count, struct term **term)
{
    struct term *made = NULL;
    TRY(check_count(l, place, function, count));
    TRY(term_new(l, TERM_CALL, place, TYPE_NULL, &made));
    made->function = function;
    made->arg_count = count;
    if (function >= FUNCTION_TRUNC)
        made->value = value_text(l->select_zone_name);
    TRY(lower_alloc(l, &made->args, count, sizeof(struct term *)));
    for (uint32_t i = 0; i < count; i++) {
        made->args[i] = args[i];
        if (args[i]->depth >= made->depth)
            made->depth = args[i]->depth + 1;
    }
    if (made->depth > TERM_DEPTH_MAX)
        return lower_fail(l, VARVE_LIMIT, place,
                          "an expression nests deeper than %d once aliases are put in",
                          TERM_DEPTH_MAX);
    TRY(check_types(l, function, made->args, count));
    TRY(set_type(l, made));
    TRY(check_constants(l, made));
    *term = made;
    return VARVE_OK;
}

enum varve_status lower_term_call2(struct lower *l, struct place place, enum function function,
                                   struct term *a, struct term *b, struct term **term)
{
    struct term *args[] = {a, b};
    return lower_term_call(l, place, function, args, 2, term);
}

enum varve_status
lower_term_and(struct lower *l, struct term *a, struct term *b, struct term **term)
{
    if (!a || !b) {
        *term = a ? a : b;
        return VARVE_OK;
    }
    return lower_term_call2(l, a->place, FUNCTION_AND, a, b, term);
}

enum varve_status lower_term_condition(struct lower *l, const struct term *term, const char *clause)
{
    if (term->type == TYPE_BOOL || term->type == TYPE_NULL)
        return VARVE_OK;
    return lower_fail(l, VARVE_INVALID, term->place, "%s needs a condition, found %s", clause,
                      value_type_name(term->type));
}

/* ---- symbols ------------------------------------------------------------------- */

uint32_t lower_place_symbol(uint32_t symbol, const struct layout *layout)
{
    if (symbol >= SYMBOL_COMPARE)
        return layout->compares[symbol - SYMBOL_COMPARE];
    if (symbol >= SYMBOL_ITEM)
        return layout->items[symbol - SYMBOL_ITEM];
    if (symbol >= SYMBOL_SLOT)
        return layout->slots[symbol - SYMBOL_SLOT];
    if (symbol >= SYMBOL_KEY)
        return symbol - SYMBOL_KEY + layout->has_bucket;
    return 0;
}

enum varve_status lower_place_term(struct lower *l, const struct term *term,
                                   const struct layout *layout, struct term **placed)
{
    struct term *made;
    TRY(lower_alloc(l, &made, 1, sizeof *made));
    *made = *term;
    if (term->kind == TERM_COLUMN)
        made->index = lower_place_symbol(term->index, layout);
    if (term->arg_count)
        TRY(lower_alloc(l, &made->args, term->arg_count, sizeof(struct term *)));
    for (uint32_t i = 0; i < term->arg_count; i++)
        TRY(lower_place_term(l, term->args[i], layout, &made->args[i]));
    *placed = made;
    return VARVE_OK;
}
