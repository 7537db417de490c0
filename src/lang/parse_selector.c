/* SPDX-License-Identifier: Apache-2.0
 *
 * parse_selector.c -- a metric with matchers, OFFSET or @: PromQL's selectors inside VQL.
 *
 *     tokens{type='input', model=~"claude-opus.*"} OFFSET 1d @ start of day
 *
 * A label may be written in double quotes, a value in either.  There are no escapes with a
 * backslash: what stands between the quotes is the value, so a pattern is written once.
 */
#include "lang/parse_private.h"

static enum varve_status matcher_op(struct parser *parser, enum matcher_op *op)
{
    if (parse_take_mark(parser, MARK('=', 0)) || parse_take_mark(parser, MARK('=', '=')))
        *op = MATCH_EQ;
    else if (parse_take_mark(parser, MARK('!', '=')) || parse_take_mark(parser, MARK('<', '>')))
        *op = MATCH_NE;
    else if (parse_take_mark(parser, MARK('=', '~')))
        *op = MATCH_RE;
    else if (parse_take_mark(parser, MARK('!', '~')))
        *op = MATCH_NRE;
    else
        return parse_expected(parser, "=, !=, =~ or !~ behind the label");
    return VARVE_OK;
}

static enum varve_status matcher(struct parser *parser, struct matcher *matcher)
{
    const uint32_t from = parser->token.place.from;
    if (parser->token.kind != TOKEN_WORD && parser->token.kind != TOKEN_QUOTED)
        return parse_expected(parser, "a label such as type='input'");
    TRY(parse_token_name(parser, &matcher->label));
    parse_next(parser);
    TRY(matcher_op(parser, &matcher->op));
    if (parser->token.kind != TOKEN_STRING && parser->token.kind != TOKEN_QUOTED)
        return parse_expected(parser, "a value in quotes");
    TRY(parse_token_name(parser, &matcher->value));
    parse_next(parser);
    matcher->place = parse_since(parser, from);
    return VARVE_OK;
}

/* Behind the brace.  A comma may follow the last one. */
static enum varve_status matchers(struct parser *parser, struct selector *selector)
{
    struct matcher *list = NULL;
    while (!parse_take_mark(parser, MARK('}', 0))) {
        TRY(parse_add(parser, &list, selector->matcher_count, sizeof *list));
        TRY(matcher(parser, &list[selector->matcher_count++]));
        if (!parse_take_mark(parser, MARK(',', 0)) && !parse_is_mark(parser, MARK('}', 0)))
            return parse_expected(parser, "',' or '}'");
    }
    selector->matchers = list;
    return VARVE_OK;
}

static enum varve_status offset(struct parser *parser, struct selector *selector)
{
    if (selector->has_offset)
        return lang_fail(parser->error, VARVE_INVALID, parser->token.place,
                         "OFFSET is given twice for one metric");
    parse_next(parser);
    const bool negative = parse_take_mark(parser, MARK('-', 0));
    TRY(parse_duration(parser, &selector->offset));
    if (negative)
        selector->offset = -selector->offset;
    selector->has_offset = true;
    return VARVE_OK;
}

/* Behind the name, which becomes a metric. */
enum varve_status parse_selector(struct parser *parser, struct expr *name)
{
    struct selector *selector = parse_new(parser, sizeof *selector);
    if (!selector)
        return VARVE_NOMEM;
    selector->name = name->text;
    if (parse_take_mark(parser, MARK('{', 0)))
        TRY(matchers(parser, selector));
    for (;;) {
        if (parser->word == WORD_OFFSET) {
            TRY(offset(parser, selector));
        } else if (parse_is_mark(parser, MARK('@', 0))) {
            if (selector->at)
                return lang_fail(parser->error, VARVE_INVALID, parser->token.place,
                                 "@ is given twice for one metric");
            parse_next(parser);
            TRY(parse_when_of_metric(parser, &selector->at));
        } else {
            break;
        }
    }
    name->kind = EXPR_METRIC;
    name->selector = selector;
    name->place = parse_since(parser, name->place.from);
    return VARVE_OK;
}
