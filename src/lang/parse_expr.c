/* SPDX-License-Identifier: Apache-2.0
 *
 * parse_expr.c -- expressions, by a table of binding powers.
 *
 * An operand is read, then operators as long as they bind tighter than what is to the left.
 * From the loosest to the tightest:
 *
 *     OR   AND   NOT   = != < <= > >= =~ !~ LIKE IN BETWEEN IS   ||   + -   * / %   -x +x
 *
 * Comparisons do not chain: 1 < x < 5 is an error that says what to write.  BETWEEN is also a
 * clause of SELECT; where one may follow (bare), the operator needs parentheses.
 *
 * Recursion is bounded twice: by the depth of what stands inside each other, and by the height of
 * the tree, which a long chain of operators makes without recursion here, but not there where the
 * tree is walked.
 */
#include "lang/parse_private.h"

enum power {
    POWER_NONE,
    POWER_OR,
    POWER_AND,
    POWER_NOT,
    POWER_COMPARE,
    POWER_CONCAT,
    POWER_ADD,
    POWER_MUL,
    POWER_SIGN
};

/* Which operators a token may be between two operands. */
static const struct infix {
    uint16_t mark; /* 0: a word */
    enum word word;
    enum operator op;
    enum power power;
} infix_table[] = {
    {0, WORD_OR, OPERATOR_OR, POWER_OR},
    {0, WORD_AND, OPERATOR_AND, POWER_AND},
    {MARK('=', 0), WORDS, OPERATOR_EQ, POWER_COMPARE},
    {MARK('=', '='), WORDS, OPERATOR_EQ, POWER_COMPARE},
    {MARK('!', '='), WORDS, OPERATOR_NE, POWER_COMPARE},
    {MARK('<', '>'), WORDS, OPERATOR_NE, POWER_COMPARE},
    {MARK('<', 0), WORDS, OPERATOR_LT, POWER_COMPARE},
    {MARK('<', '='), WORDS, OPERATOR_LE, POWER_COMPARE},
    {MARK('>', 0), WORDS, OPERATOR_GT, POWER_COMPARE},
    {MARK('>', '='), WORDS, OPERATOR_GE, POWER_COMPARE},
    {MARK('=', '~'), WORDS, OPERATOR_MATCH, POWER_COMPARE},
    {MARK('!', '~'), WORDS, OPERATOR_NOMATCH, POWER_COMPARE},
    {0, WORD_LIKE, OPERATOR_LIKE, POWER_COMPARE},
    {0, WORD_IN, OPERATORS, POWER_COMPARE},
    {0, WORD_BETWEEN, OPERATORS, POWER_COMPARE},
    {0, WORD_IS, OPERATOR_ISNULL, POWER_COMPARE},
    {0, WORD_NOT, OPERATOR_NOTLIKE, POWER_COMPARE},
    {MARK('|', '|'), WORDS, OPERATOR_CONCAT, POWER_CONCAT},
    {MARK('+', 0), WORDS, OPERATOR_ADD, POWER_ADD},
    {MARK('-', 0), WORDS, OPERATOR_SUB, POWER_ADD},
    {MARK('*', 0), WORDS, OPERATOR_MUL, POWER_MUL},
    {MARK('/', 0), WORDS, OPERATOR_DIV, POWER_MUL},
    {MARK('%', 0), WORDS, OPERATOR_MOD, POWER_MUL},
};

static enum varve_status binding(struct parser *parser, enum power least, struct expr **out);

/* ---- nodes ------------------------------------------------------------------------------ */

static struct expr *new_expr(struct parser *parser, enum expr_kind kind)
{
    struct expr *expr = parse_new(parser, sizeof *expr);
    if (expr) {
        expr->kind = kind;
        expr->place = parser->token.place;
        expr->height = 1;
    }
    return expr;
}

static enum varve_status add_arg(struct parser *parser, struct expr *expr, struct expr *arg)
{
    TRY(parse_add(parser, &expr->args, expr->arg_count, sizeof *expr->args));
    expr->args[expr->arg_count++] = arg;
    return VARVE_OK;
}

/* Sets the height of a node that has got all of its args. */
static enum varve_status finish(struct parser *parser, struct expr *expr, uint32_t from)
{
    uint32_t height = expr->filter ? expr->filter->height : 0;
    for (uint32_t i = 0; i < expr->arg_count; i++)
        if (expr->args[i]->height > height)
            height = expr->args[i]->height;
    expr->height = height + 1;
    expr->place = parse_since(parser, from);
    if (expr->height > PARSE_HEIGHT)
        return lang_fail(parser->error, VARVE_LIMIT, expr->place,
                         "an expression of more than %d operators in a row; IN (...) takes any "
                         "number of values",
                         PARSE_HEIGHT);
    return VARVE_OK;
}

/* Both args of an operator, or one if right is NULL. */
static enum varve_status
make(struct parser *parser, enum expr_kind kind, enum operator op, struct expr *left,
     struct expr *right, uint32_t from, struct expr **out)
{
    struct expr *expr = new_expr(parser, kind);
    if (!expr)
        return VARVE_NOMEM;
    expr->op = op;
    TRY(add_arg(parser, expr, left));
    if (right)
        TRY(add_arg(parser, expr, right));
    *out = expr;
    return finish(parser, expr, from);
}

/* ---- operands ------------------------------------------------------------------------------ */

/* An INT, a FLOAT or a DURATION, negative if a minus stood before it. */
static enum varve_status
number(struct parser *parser, bool negative, uint32_t from, struct expr **out)
{
    const enum token_kind kind = parser->token.kind;
    struct expr *expr = new_expr(parser, kind == TOKEN_INT     ? EXPR_INT
                                         : kind == TOKEN_FLOAT ? EXPR_FLOAT
                                                               : EXPR_DURATION);
    if (!expr)
        return VARVE_NOMEM;
    if (kind == TOKEN_DURATION) {
        TRY(parse_duration(parser, &expr->integer));
        expr->integer = negative ? -expr->integer : expr->integer;
    } else {
        if (kind == TOKEN_INT)
            TRY(parse_token_int(parser, negative, &expr->integer));
        else
            TRY(parse_token_float(parser, &expr->number));
        expr->number = negative && kind == TOKEN_FLOAT ? -expr->number : expr->number;
        parse_next(parser);
    }
    *out = expr;
    return finish(parser, expr, from);
}

static bool is_number(enum token_kind kind)
{
    return kind == TOKEN_INT || kind == TOKEN_FLOAT || kind == TOKEN_DURATION;
}

static enum varve_status sign(struct parser *parser, struct expr **out)
{
    const uint32_t from = parser->token.place.from;
    const bool negative = parse_is_mark(parser, '-');
    struct expr *arg;
    parse_next(parser);
    if (negative && is_number(parser->token.kind))
        return number(parser, true, from, out);
    TRY(parse_enter(parser));
    TRY(binding(parser, POWER_SIGN, &arg));
    parse_leave(parser);
    return make(parser, EXPR_UNARY, negative ? OPERATOR_NEG : OPERATOR_POS, arg, NULL, from, out);
}

static enum varve_status negation(struct parser *parser, enum power least, struct expr **out)
{
    const uint32_t from = parser->token.place.from;
    struct expr *arg;
    if (least > POWER_NOT)
        return lang_fail(parser->error, VARVE_INVALID, parser->token.place,
                         "NOT binds looser than what is before it; write (NOT ...)");
    parse_next(parser);
    TRY(parse_enter(parser));
    TRY(binding(parser, POWER_NOT, &arg));
    parse_leave(parser);
    return make(parser, EXPR_UNARY, OPERATOR_NOT, arg, NULL, from, out);
}

/* An expression behind an open bracket, which is taken already: clauses are far away. */
static enum varve_status inside(struct parser *parser, struct expr **out)
{
    const bool bare = parser->bare;
    parser->bare = false;
    TRY(parse_enter(parser));
    TRY(binding(parser, POWER_NONE, out));
    parse_leave(parser);
    parser->bare = bare;
    return VARVE_OK;
}

static enum varve_status parenthesised(struct parser *parser, struct expr **out)
{
    parse_next(parser);
    if (parser->word == WORD_SELECT)
        return lang_fail(
            parser->error, VARVE_INVALID, parser->token.place,
            "a SELECT inside an expression; give it a name: WITH name AS (SELECT ...)");
    TRY(inside(parser, out));
    return parse_need_mark(parser, ')');
}

static enum varve_status literal(struct parser *parser, enum expr_kind kind, struct expr **out)
{
    struct expr *expr = new_expr(parser, kind);
    bool local = false;
    if (!expr)
        return VARVE_NOMEM;
    expr->integer = parser->word == WORD_TRUE;
    if (kind == EXPR_TEXT)
        TRY(parse_token_name(parser, &expr->text));
    if (kind == EXPR_TIME)
        TRY(parse_instant(parser, &expr->integer, &local));
    else
        parse_next(parser);
    if (local)
        expr->flags |= EXPR_LOCAL;
    *out = expr;
    return VARVE_OK;
}

/* CASE [x] WHEN a THEN b ... [ELSE c] END */
static enum varve_status cases(struct parser *parser, struct expr **out)
{
    static const enum word words[] = {WORD_WHEN, WORD_ELSE, WORD_END};
    const uint32_t from = parser->token.place.from;
    struct expr *expr = new_expr(parser, EXPR_CASE), *arg;
    if (!expr)
        return VARVE_NOMEM;
    parse_next(parser);
    if (parser->word != WORD_WHEN) {
        TRY(inside(parser, &arg));
        TRY(add_arg(parser, expr, arg));
        expr->flags |= EXPR_OPERAND;
    }
    if (parser->word != WORD_WHEN)
        return parse_need(parser, WORD_WHEN);
    while (parse_take(parser, WORD_WHEN)) {
        TRY(inside(parser, &arg));
        TRY(add_arg(parser, expr, arg));
        TRY(parse_need(parser, WORD_THEN));
        TRY(inside(parser, &arg));
        TRY(add_arg(parser, expr, arg));
    }
    if (parse_take(parser, WORD_ELSE)) {
        TRY(inside(parser, &arg));
        TRY(add_arg(parser, expr, arg));
        expr->flags |= EXPR_ELSE;
    }
    if (!parse_take(parser, WORD_END))
        return parse_expected_words(parser, "an operator, WHEN, ELSE or END", words,
                                    sizeof words / sizeof *words);
    *out = expr;
    return finish(parser, expr, from);
}

/* ---- calls and names ----------------------------------------------------------------------- */

/* FILTER (WHERE ...) */
static enum varve_status filter(struct parser *parser, struct expr *call)
{
    parse_next(parser);
    TRY(parse_need_mark(parser, '('));
    TRY(parse_need(parser, WORD_WHERE));
    TRY(inside(parser, &call->filter));
    return parse_need_mark(parser, ')');
}

static enum varve_status call_args(struct parser *parser, struct expr *call)
{
    struct expr *arg;
    if (parse_take(parser, WORD_DISTINCT))
        call->flags |= EXPR_DISTINCT;
    else if (parse_is_mark(parser, ')'))
        return VARVE_OK;
    if (parse_is_mark(parser, '*')) {
        if (!(arg = new_expr(parser, EXPR_STAR)))
            return VARVE_NOMEM;
        parse_next(parser);
        return add_arg(parser, call, arg);
    }
    do {
        TRY(inside(parser, &arg));
        TRY(add_arg(parser, call, arg));
    } while (parse_take_mark(parser, ','));
    return VARVE_OK;
}

/* Names of functions are in any case; in the tree they are in small letters. */
static enum varve_status call(struct parser *parser, struct expr **out)
{
    const uint32_t from = parser->token.place.from;
    struct expr *expr = new_expr(parser, EXPR_CALL);
    const struct varve_str name = parse_text(parser, parser->token);
    char *copy = expr ? arena_copy(parser->arena, name.data, name.size) : NULL;
    if (!copy)
        return VARVE_NOMEM;
    for (size_t i = 0; i < name.size; i++)
        if (copy[i] >= 'A' && copy[i] <= 'Z')
            copy[i] = (char)(copy[i] + ('a' - 'A'));
    expr->text = (struct varve_str){copy, name.size};
    parse_next(parser);
    parse_next(parser);
    TRY(call_args(parser, expr));
    if (!parse_take_mark(parser, ')'))
        return parse_expected(parser, "',' or ')'");
    if (parser->word == WORD_FILTER)
        TRY(filter(parser, expr));
    *out = expr;
    return finish(parser, expr, from);
}

static bool selects(const struct parser *parser)
{
    const bool shifts = parser->ahead.kind == TOKEN_DURATION ||
                        (parser->ahead.kind == TOKEN_MARK && parser->ahead.mark == MARK('-', 0));
    return parse_is_mark(parser, '{') || parse_is_mark(parser, '@') ||
           (parser->word == WORD_OFFSET && shifts);
}

static enum varve_status name(struct parser *parser, struct expr **out)
{
    struct expr *expr = new_expr(parser, EXPR_NAME);
    if (!expr)
        return VARVE_NOMEM;
    if (parser->token.kind == TOKEN_QUOTED)
        expr->flags |= EXPR_QUOTED;
    if (parser->token.kind == TOKEN_QUOTED && parse_text(parser, parser->token).size == 2)
        return lang_fail(parser->error, VARVE_INVALID, parser->token.place,
                         "a name has at least one character; a text stands in single quotes: ''");
    TRY(parse_token_name(parser, &expr->text));
    parse_next(parser);
    if (selects(parser))
        TRY(parse_selector(parser, expr));
    if (parse_is_mark(parser, '['))
        return lang_fail(parser->error, VARVE_INVALID, parser->token.place,
                         "found '['; the window is an argument here: increase(%.*s, 1h)",
                         STR_ARG(expr->text));
    *out = expr;
    return VARVE_OK;
}

/* Whether a keyword that is about to be read as an operand is a name there: what follows would
 * make no sense behind the keyword. */
static bool keyword_is_name(const struct parser *parser)
{
    static const char follows[] = "=!<>*/%+|{@,)";
    const enum word_class class = word_class_of(parser->word);
    if (class == WORD_PLAIN)
        return true;
    if (class == WORD_VALUE)
        return false;
    if (parser->ahead.kind == TOKEN_MARK)
        return strchr(follows, parser->ahead.mark & 0xff) != NULL;
    return parser->ahead_word == WORD_AS || parser->ahead_word == WORD_IS;
}

static enum varve_status no_operand(struct parser *parser)
{
    static const char what[] = "a value, a name or a function";
    if (parser->token.kind == TOKEN_WORD)
        return lang_fail(parser->error, VARVE_INVALID, parser->token.place,
                         "found %s, expected %s (a name that is a keyword stands in double quotes)",
                         word_text(parser->word), what);
    return parse_expected(parser, what);
}

static enum varve_status word_operand(struct parser *parser, enum power least, struct expr **out)
{
    switch (parser->word) {
    case WORD_NOT:
        return negation(parser, least, out);
    case WORD_CASE:
        return cases(parser, out);
    case WORD_NULL:
        return literal(parser, EXPR_NULL, out);
    case WORD_TRUE:
    case WORD_FALSE:
        return literal(parser, EXPR_BOOL, out);
    default:
        if (!keyword_is_name(parser))
            return no_operand(parser);
        if (parser->ahead.kind == TOKEN_MARK && parser->ahead.mark == MARK('(', 0))
            return call(parser, out);
        return name(parser, out);
    }
}

static enum varve_status operand(struct parser *parser, enum power least, struct expr **out)
{
    switch (parser->token.kind) {
    case TOKEN_WORD:
        return word_operand(parser, least, out);
    case TOKEN_QUOTED:
        return name(parser, out);
    case TOKEN_STRING:
        return literal(parser, EXPR_TEXT, out);
    case TOKEN_DATE:
        return literal(parser, EXPR_TIME, out);
    case TOKEN_INT:
    case TOKEN_FLOAT:
    case TOKEN_DURATION:
        return number(parser, false, parser->token.place.from, out);
    default:
        if (parse_is_mark(parser, '('))
            return parenthesised(parser, out);
        if (parse_is_mark(parser, '-') || parse_is_mark(parser, '+'))
            return sign(parser, out);
        return no_operand(parser);
    }
}

/* ---- operators ------------------------------------------------------------------- */

/* The operator that is next, or NULL: the expression ends. */
static const struct infix *infix(const struct parser *parser)
{
    const bool is_mark = parser->token.kind == TOKEN_MARK;
    if (!is_mark && parser->word == WORDS)
        return NULL;
    if (parser->word == WORD_BETWEEN && parser->bare)
        return NULL;
    if (parser->word == WORD_NOT && parser->ahead_word != WORD_LIKE &&
        parser->ahead_word != WORD_IN && parser->ahead_word != WORD_BETWEEN)
        return NULL;
    for (size_t i = 0; i < sizeof infix_table / sizeof *infix_table; i++)
        if (is_mark ? infix_table[i].mark == parser->token.mark
                    : infix_table[i].mark == 0 && infix_table[i].word == parser->word)
            return &infix_table[i];
    return NULL;
}

/* IN (a, b), behind the IN. */
static enum varve_status in_list(struct parser *parser, struct expr *expr)
{
    struct expr *arg;
    TRY(parse_need_mark(parser, '('));
    do {
        TRY(inside(parser, &arg));
        TRY(add_arg(parser, expr, arg));
    } while (parse_take_mark(parser, ','));
    return parse_take_mark(parser, ')') ? VARVE_OK : parse_expected(parser, "',' or ')'");
}

/* BETWEEN a AND b, behind the BETWEEN. */
static enum varve_status between(struct parser *parser, struct expr *expr)
{
    struct expr *arg;
    TRY(binding(parser, POWER_COMPARE, &arg));
    TRY(add_arg(parser, expr, arg));
    TRY(parse_need(parser, WORD_AND));
    TRY(binding(parser, POWER_COMPARE, &arg));
    return add_arg(parser, expr, arg);
}

/* [NOT] IN, [NOT] BETWEEN: the tokens before the list are still there. */
static enum varve_status
several(struct parser *parser, struct expr *left, uint32_t from, struct expr **out)
{
    struct expr *expr = new_expr(parser, EXPR_IN);
    if (!expr)
        return VARVE_NOMEM;
    TRY(add_arg(parser, expr, left));
    if (parse_take(parser, WORD_NOT))
        expr->flags |= EXPR_NEGATED;
    if (parse_take(parser, WORD_IN)) {
        TRY(in_list(parser, expr));
    } else {
        expr->kind = EXPR_BETWEEN;
        parse_next(parser);
        TRY(between(parser, expr));
    }
    *out = expr;
    return finish(parser, expr, from);
}

static enum varve_status
is_null(struct parser *parser, struct expr *left, uint32_t from, struct expr **out)
{
    parse_next(parser);
    const bool negated = parse_take(parser, WORD_NOT);
    TRY(parse_need(parser, WORD_NULL));
    return make(parser, EXPR_UNARY, negated ? OPERATOR_NOTNULL : OPERATOR_ISNULL, left, NULL, from,
                out);
}

static enum varve_status operation(struct parser *parser, const struct infix *infix,
                                   struct expr *left, uint32_t from, struct expr **out)
{
    struct expr *right;
    if (infix->op == OPERATORS || (infix->word == WORD_NOT && parser->ahead_word != WORD_LIKE))
        return several(parser, left, from, out);
    if (infix->word == WORD_IS)
        return is_null(parser, left, from, out);
    if (infix->word == WORD_NOT)
        parse_next(parser);
    parse_next(parser);
    TRY(binding(parser, infix->power, &right));
    return make(parser, EXPR_BINARY, infix->op, left, right, from, out);
}

/* An operand and the operators behind it that bind tighter than `least`.  `loosest` is that of
 * the last operator in what is to the left: a BETWEEN that would bind tighter can only be the
 * clause, as in WHERE a AND b = c BETWEEN ... */
static enum varve_status binding(struct parser *parser, enum power least, struct expr **out)
{
    const uint32_t from = parser->token.place.from;
    enum power loosest = parser->word == WORD_NOT ? POWER_NOT : POWER_SIGN;
    const struct infix *next;
    struct expr *left;
    TRY(operand(parser, least, &left));
    while ((next = infix(parser)) && next->power > least) {
        if (next->power == POWER_COMPARE && loosest <= POWER_COMPARE) {
            if (next->word == WORD_BETWEEN)
                break;
            return lang_fail(parser->error, VARVE_INVALID, parser->token.place,
                             "comparisons do not chain: write a < b AND b < c, or parentheses");
        }
        loosest = next->power;
        TRY(operation(parser, next, left, from, &left));
    }
    *out = left;
    return VARVE_OK;
}

enum varve_status parse_expr(struct parser *parser, struct expr **expr)
{
    return inside(parser, expr);
}

enum varve_status parse_bare_expr(struct parser *parser, struct expr **expr)
{
    const bool bare = parser->bare;
    parser->bare = true;
    TRY(binding(parser, POWER_NONE, expr));
    parser->bare = bare;
    return VARVE_OK;
}
