/* SPDX-License-Identifier: Apache-2.0
 *
 * print_expr.c -- expressions, times and names as text.
 *
 * Parentheses stand only where the text would be read differently without them.  What
 * decides is the power of the operator around (as the parser has it), whether a clause BETWEEN
 * could be meant, and whether a sign comes behind: after @ it would move the time.
 */
#include "lang/print_private.h"

#include "base/number.h"
#include "lang/words.h"

#include <stdio.h>

/* From the loosest to the tightest, as parse_expr.c reads them. */
enum power { NONE, OR, AND, NOT, COMPARE, CONCAT, ADD, MUL, SIGN, OPERAND };

/* Where an expression stands. */
struct around {
    enum power least;   /* what does not bind tighter needs parentheses */
    bool bare;          /* BETWEEN would be a clause */
    bool before_a_sign; /* + or - follows */
};

static const char *const operator_texts[OPERATORS] = {
#define X(name, text) text,
    OPERATOR_MAP(X)
#undef X
};

static void print(struct buf *out, const struct expr *expr, struct around around);

/* ---- small texts ------------------------------------------------------------------ */

void print_text(struct buf *out, const char *text)
{
    buf_put(out, text, strlen(text));
}

/* In quotes; one inside is doubled. */
static void quoted(struct buf *out, struct varve_str s, char quote)
{
    buf_put8(out, (uint8_t)quote);
    for (size_t i = 0; i < s.size; i++) {
        if (s.data[i] == quote)
            buf_put8(out, (uint8_t)quote);
        buf_put8(out, (uint8_t)s.data[i]);
    }
    buf_put8(out, (uint8_t)quote);
}

void print_string(struct buf *out, struct varve_str s)
{
    quoted(out, s, '\'');
}

/* Whether the text is one token of this kind. */
static bool is_token(struct varve_str s, enum token_kind kind)
{
    struct lexer lexer;
    lex_begin(&lexer, s.data, (uint32_t)s.size);
    const struct token token = lex_next(&lexer);
    return token.kind == kind && token.place.from == 0 && token.place.until == s.size;
}

void print_name(struct buf *out, struct varve_str name)
{
    if (is_token(name, TOKEN_WORD) && word_class_of(word_find(name)) == WORD_PLAIN)
        buf_put(out, name.data, name.size);
    else
        quoted(out, name, '"');
}

void print_int(struct buf *out, int64_t value)
{
    char text[24];
    const int size = snprintf(text, sizeof text, "%lld", (long long)value);
    buf_put(out, text, (size_t)size);
}

static void print_double(struct buf *out, double value)
{
    char text[NUMBER_TEXT];
    const size_t size = number_print(value, text);
    buf_put(out, text, size);
    if (!memchr(text, '.', size) && !memchr(text, 'e', size))
        print_text(out, ".0");
}

void print_duration(struct buf *out, int64_t nanos)
{
    static const struct {
        uint64_t nanos;
        const char *name;
    } units[] = {{(uint64_t)NS_PER_DAY, "d"},
                 {3600000000000, "h"},
                 {60000000000, "m"},
                 {1000000000, "s"},
                 {1000000, "ms"},
                 {1000, "us"},
                 {1, "ns"}};
    uint64_t left = nanos < 0 ? 0 - (uint64_t)nanos : (uint64_t)nanos;
    if (nanos < 0)
        print_text(out, "-");
    if (nanos == 0)
        print_text(out, "0s");
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        const uint64_t count = left / units[i].nanos;
        left %= units[i].nanos;
        if (count > 0) {
            print_int(out, (int64_t)count);
            print_text(out, units[i].name);
        }
    }
}

/* ---- times and metrics ------------------------------------------------------------- */

void print_when(struct buf *out, const struct when *when)
{
    switch (when->kind) {
    case WHEN_NOW:
        print_text(out, "now");
        break;
    case WHEN_AGO:
        print_duration(out, when->nanos);
        break;
    case WHEN_START_OF:
        print_text(out, "start of ");
        print_text(out, calendar_unit_names[when->unit]);
        break;
    case WHEN_TIME:
        if (is_token(when->text, TOKEN_DATE) || is_token(when->text, TOKEN_INT) ||
            is_token(when->text, TOKEN_FLOAT))
            buf_put(out, when->text.data, when->text.size);
        else
            print_string(out, when->text);
        break;
    }
    if (when->shift != 0) {
        print_text(out, when->shift < 0 ? " - " : " + ");
        print_duration(out, when->shift < 0 ? -when->shift : when->shift);
    }
}

static void print_selector(struct buf *out, const struct selector *selector)
{
    static const char *const ops[] = {"=", "!=", "=~", "!~"};
    print_name(out, selector->name);
    if (selector->matcher_count > 0 || (!selector->has_offset && !selector->at)) {
        print_text(out, "{");
        for (uint32_t i = 0; i < selector->matcher_count; i++) {
            print_text(out, i ? ", " : "");
            print_name(out, selector->matchers[i].label);
            print_text(out, ops[selector->matchers[i].op]);
            print_string(out, selector->matchers[i].value);
        }
        print_text(out, "}");
    }
    if (selector->has_offset) {
        print_text(out, " OFFSET ");
        print_duration(out, selector->offset);
    }
    if (selector->at) {
        print_text(out, " @ ");
        print_when(out, selector->at);
    }
}

/* ---- expressions ---------------------------------------------------------------------- */

static enum power operator_power(enum operator op)
{
    switch (op) {
    case OPERATOR_OR:
        return OR;
    case OPERATOR_AND:
        return AND;
    case OPERATOR_NOT:
        return NOT;
    case OPERATOR_CONCAT:
        return CONCAT;
    case OPERATOR_ADD:
    case OPERATOR_SUB:
        return ADD;
    case OPERATOR_MUL:
    case OPERATOR_DIV:
    case OPERATOR_MOD:
        return MUL;
    case OPERATOR_NEG:
    case OPERATOR_POS:
        return SIGN;
    default:
        return COMPARE;
    }
}

static enum power power_of(const struct expr *expr)
{
    switch (expr->kind) {
    case EXPR_UNARY:
    case EXPR_BINARY:
        return operator_power(expr->op);
    case EXPR_IN:
    case EXPR_BETWEEN:
        return COMPARE;
    default:
        return OPERAND;
    }
}

static bool needs_parentheses(const struct expr *expr, struct around around)
{
    const bool is_clause =
        around.bare && expr->kind == EXPR_BETWEEN && !(expr->flags & EXPR_NEGATED);
    const bool is_moved = around.before_a_sign && expr->kind == EXPR_METRIC && expr->selector->at;
    return power_of(expr) <= around.least || is_clause || is_moved;
}

static void list(struct buf *out, struct expr *const *args, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        print_text(out, i ? ", " : "");
        print_expr(out, args[i]);
    }
}

static void print_call(struct buf *out, const struct expr *expr)
{
    buf_put(out, expr->text.data, expr->text.size);
    print_text(out, expr->flags & EXPR_DISTINCT ? "(DISTINCT " : "(");
    list(out, expr->args, expr->arg_count);
    print_text(out, ")");
    if (expr->filter) {
        print_text(out, " FILTER (WHERE ");
        print_expr(out, expr->filter);
        print_text(out, ")");
    }
}

static void print_case(struct buf *out, const struct expr *expr)
{
    uint32_t i = 0;
    const uint32_t ends = expr->arg_count - (expr->flags & EXPR_ELSE ? 1 : 0);
    print_text(out, "CASE");
    if (expr->flags & EXPR_OPERAND) {
        print_text(out, " ");
        print_expr(out, expr->args[i++]);
    }
    for (; i + 1 < ends; i += 2) {
        print_text(out, " WHEN ");
        print_expr(out, expr->args[i]);
        print_text(out, " THEN ");
        print_expr(out, expr->args[i + 1]);
    }
    if (expr->flags & EXPR_ELSE) {
        print_text(out, " ELSE ");
        print_expr(out, expr->args[ends]);
    }
    print_text(out, " END");
}

/* A number whose sign is part of it: -5 is one, -(5) is not. */
static bool is_number(const struct expr *expr)
{
    return expr->kind == EXPR_INT || expr->kind == EXPR_FLOAT || expr->kind == EXPR_DURATION;
}

static bool is_negative(const struct expr *expr)
{
    return expr->kind == EXPR_FLOAT ? __builtin_signbit(expr->number) != 0 : expr->integer < 0;
}

static void print_sign(struct buf *out, const struct expr *expr, struct around around)
{
    const struct expr *arg = expr->args[0];
    const bool minus = expr->op == OPERATOR_NEG;
    const bool is_signed = (is_number(arg) && is_negative(arg)) ||
                           (arg->kind == EXPR_UNARY && arg->op == OPERATOR_NEG);
    around.least = MUL;
    print_text(out, minus ? "-" : "+");
    if (minus && is_signed)
        print_text(out, " "); /* two of them would begin a comment */
    if (minus && is_number(arg) && !is_negative(arg))
        around.least = OPERAND;
    print(out, arg, around);
}

static void print_unary(struct buf *out, const struct expr *expr, struct around around)
{
    if (expr->op == OPERATOR_NEG || expr->op == OPERATOR_POS) {
        print_sign(out, expr, around);
    } else if (expr->op == OPERATOR_NOT) {
        around.least = AND;
        print_text(out, "NOT ");
        print(out, expr->args[0], around);
    } else {
        around.least = COMPARE;
        around.before_a_sign = false;
        print(out, expr->args[0], around);
        print_text(out, " ");
        print_text(out, operator_texts[expr->op]);
    }
}

static void print_binary(struct buf *out, const struct expr *expr, struct around around)
{
    const enum power power = operator_power(expr->op);
    struct around left = around, right = around;
    left.least = power == COMPARE ? COMPARE : power - 1;
    left.before_a_sign = power == ADD;
    right.least = power;
    print(out, expr->args[0], left);
    print_text(out, " ");
    print_text(out, operator_texts[expr->op]);
    print_text(out, " ");
    print(out, expr->args[1], right);
}

/* [NOT] IN, [NOT] BETWEEN */
static void print_several(struct buf *out, const struct expr *expr, struct around around)
{
    around.least = COMPARE;
    around.before_a_sign = false;
    print(out, expr->args[0], around);
    print_text(out, expr->flags & EXPR_NEGATED ? " NOT" : "");
    if (expr->kind == EXPR_IN) {
        print_text(out, " IN (");
        list(out, expr->args + 1, expr->arg_count - 1);
        print_text(out, ")");
        return;
    }
    print_text(out, " BETWEEN ");
    print(out, expr->args[1], around);
    print_text(out, " AND ");
    print(out, expr->args[2], around);
}

static void print_literal(struct buf *out, const struct expr *expr)
{
    char time[INSTANT_TEXT];
    switch (expr->kind) {
    case EXPR_NULL:
        print_text(out, "NULL");
        break;
    case EXPR_BOOL:
        print_text(out, expr->integer ? "TRUE" : "FALSE");
        break;
    case EXPR_INT:
        print_int(out, expr->integer);
        break;
    case EXPR_FLOAT:
        print_double(out, expr->number);
        break;
    case EXPR_DURATION:
        print_duration(out, expr->integer);
        break;
    case EXPR_TIME:
        instant_text(expr->integer, time);
        if (expr->flags & EXPR_LOCAL)
            time[strlen(time) - 1] = '\0'; /* the Z */
        print_text(out, time);
        break;
    default:
        print_string(out, expr->text);
        break;
    }
}

static void print_node(struct buf *out, const struct expr *expr, struct around around)
{
    switch (expr->kind) {
    case EXPR_NAME:
        if (expr->flags & EXPR_QUOTED)
            quoted(out, expr->text, '"');
        else
            print_name(out, expr->text);
        break;
    case EXPR_STAR:
        print_text(out, "*");
        break;
    case EXPR_METRIC:
        print_selector(out, expr->selector);
        break;
    case EXPR_CALL:
        print_call(out, expr);
        break;
    case EXPR_UNARY:
        print_unary(out, expr, around);
        break;
    case EXPR_BINARY:
        print_binary(out, expr, around);
        break;
    case EXPR_IN:
    case EXPR_BETWEEN:
        print_several(out, expr, around);
        break;
    case EXPR_CASE:
        print_case(out, expr);
        break;
    default:
        print_literal(out, expr);
        break;
    }
}

static void print(struct buf *out, const struct expr *expr, struct around around)
{
    if (needs_parentheses(expr, around)) {
        print_text(out, "(");
        print_node(out, expr, (struct around){NONE, false, false});
        print_text(out, ")");
    } else {
        print_node(out, expr, around);
    }
}

void print_expr(struct buf *out, const struct expr *expr)
{
    print(out, expr, (struct around){NONE, false, false});
}

void print_bare_expr(struct buf *out, const struct expr *expr)
{
    print(out, expr, (struct around){NONE, true, false});
}
