/* SPDX-License-Identifier: Apache-2.0
 *
 * parse_select.c -- queries: WITH, SELECTs joined by UNION and the like, items, FILL.
 *
 * Behind an item FILL belongs to the item, elsewhere it is a clause for all of them; a name is
 * always given by AS, so that a mistyped clause is never taken for one.
 */
#include "lang/parse_private.h"

/* ---- fill -------------------------------------------------------------------------- */

static enum varve_status fill_number(struct parser *parser, struct fill *fill)
{
    const uint32_t from = parser->token.place.from;
    const bool negative = parse_take_mark(parser, MARK('-', 0));
    struct expr *number = parse_new(parser, sizeof *number);
    if (!number)
        return VARVE_NOMEM;
    if (parser->token.kind == TOKEN_INT) {
        number->kind = EXPR_INT;
        TRY(parse_token_int(parser, negative, &number->integer));
    } else if (parser->token.kind == TOKEN_FLOAT) {
        number->kind = EXPR_FLOAT;
        TRY(parse_token_float(parser, &number->number));
        number->number = negative ? -number->number : number->number;
    } else {
        static const enum word words[] = {WORD_NONE, WORD_NULL, WORD_PREV, WORD_LINEAR};
        return parse_expected_words(parser, "none, null, prev, linear or a number", words,
                                    sizeof words / sizeof *words);
    }
    parse_next(parser);
    number->height = 1;
    number->place = parse_since(parser, from);
    fill->kind = FILL_NUMBER;
    fill->number = number;
    return VARVE_OK;
}

/* Behind FILL. */
enum varve_status parse_fill(struct parser *parser, struct fill *fill)
{
    const uint32_t from = parser->token.place.from;
    if (parse_take(parser, WORD_NONE)) {
        fill->kind = FILL_NONE;
    } else if (parse_take(parser, WORD_NULL)) {
        fill->kind = FILL_NULL;
    } else if (parse_take(parser, WORD_LINEAR)) {
        fill->kind = FILL_LINEAR;
    } else if (parse_take(parser, WORD_PREV) || parse_take(parser, WORD_PREVIOUS)) {
        fill->kind = FILL_PREV;
        if (parse_take(parser, WORD_WITHIN))
            TRY(parse_duration(parser, &fill->within));
    } else {
        TRY(fill_number(parser, fill));
    }
    fill->place = parse_since(parser, from);
    return VARVE_OK;
}

/* ---- items --------------------------------------------------------------------------- */

static enum varve_status star(struct parser *parser, struct item *item)
{
    item->expr = parse_new(parser, sizeof *item->expr);
    if (!item->expr)
        return VARVE_NOMEM;
    item->expr->kind = EXPR_STAR;
    item->expr->height = 1;
    item->expr->place = parser->token.place;
    item->place = parser->token.place;
    parse_next(parser);
    return VARVE_OK;
}

/* A word behind an item that is neither AS nor a clause, nor nearly one. */
static bool is_bare_alias(const struct parser *parser)
{
    const bool is_name = parser->token.kind == TOKEN_QUOTED ||
                         (parser->token.kind == TOKEN_WORD && parser->word == WORDS);
    return is_name && word_nearest(parse_text(parser, parser->token), parse_clause_words,
                                   parse_clause_word_count) == WORDS;
}

static enum varve_status item(struct parser *parser, struct item *item)
{
    const uint32_t from = parser->token.place.from;
    if (parse_is_mark(parser, MARK('*', 0)))
        return star(parser, item);
    TRY(parse_bare_expr(parser, &item->expr));
    if (parse_take(parser, WORD_FILL))
        TRY(parse_fill(parser, &item->fill));
    if (parse_take(parser, WORD_AS)) {
        TRY(parse_name(parser, "a name for the column", &item->alias, NULL));
    } else if (is_bare_alias(parser)) {
        const struct varve_str text = parse_text(parser, parser->token);
        return lang_fail(parser->error, VARVE_INVALID, parser->token.place,
                         "found %.*s, expected ',' or a clause (a name is given by AS %.*s)",
                         STR_ARG(text), STR_ARG(text));
    }
    item->place = parse_since(parser, from);
    return VARVE_OK;
}

static enum varve_status select(struct parser *parser, struct select *select)
{
    static const enum word words[] = {WORD_SELECT};
    const uint32_t from = parser->token.place.from;
    if (!parse_take(parser, WORD_SELECT))
        return parse_expected_words(parser, "SELECT", words, 1);
    select->distinct = parse_take(parser, WORD_DISTINCT);
    do {
        TRY(parse_add(parser, &select->items, select->item_count, sizeof *select->items));
        TRY(item(parser, &select->items[select->item_count++]));
    } while (parse_take_mark(parser, MARK(',', 0)));
    TRY(parse_clauses(parser, select));
    select->place = parse_since(parser, from);
    return VARVE_OK;
}

/* ---- queries ---------------------------------------------------------------------------- */

static enum varve_status with(struct parser *parser, struct with *with)
{
    TRY(parse_name(parser, "a name for the query in parentheses", &with->name, &with->place));
    TRY(parse_need(parser, WORD_AS));
    TRY(parse_need_mark(parser, '('));
    TRY(parse_query(parser, &with->query));
    if (parse_take_mark(parser, MARK(')', 0)))
        return VARVE_OK;
    return parse_expected_words(parser, "a clause or ')'", parse_clause_words,
                                parse_clause_word_count);
}

static enum set_op take_set_op(struct parser *parser)
{
    if (parse_take(parser, WORD_UNION))
        return parse_take(parser, WORD_ALL) ? SET_UNION_ALL : SET_UNION;
    if (parse_take(parser, WORD_EXCEPT))
        return SET_EXCEPT;
    return parse_take(parser, WORD_INTERSECT) ? SET_INTERSECT : SET_NONE;
}

static enum varve_status parts(struct parser *parser, struct query *query)
{
    enum set_op op = SET_NONE;
    struct place place = parser->token.place;
    do {
        TRY(parse_add(parser, &query->parts, query->part_count, sizeof *query->parts));
        struct query_part *part = &query->parts[query->part_count++];
        part->op = op;
        part->place = place;
        TRY(select(parser, &part->select));
        place = parser->token.place;
        op = take_set_op(parser);
    } while (op != SET_NONE);
    return VARVE_OK;
}

enum varve_status parse_query(struct parser *parser, struct query **out)
{
    const uint32_t from = parser->token.place.from;
    struct query *query = parse_new(parser, sizeof *query);
    if (!query)
        return VARVE_NOMEM;
    TRY(parse_enter(parser));
    if (parse_take(parser, WORD_WITH)) {
        do {
            TRY(parse_add(parser, &query->withs, query->with_count, sizeof *query->withs));
            TRY(with(parser, &query->withs[query->with_count++]));
        } while (parse_take_mark(parser, MARK(',', 0)));
    }
    TRY(parts(parser, query));
    parse_leave(parser);
    query->place = parse_since(parser, from);
    *out = query;
    return VARVE_OK;
}
