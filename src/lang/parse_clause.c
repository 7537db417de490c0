/* SPDX-License-Identifier: Apache-2.0
 *
 * parse_clause.c -- the clauses of a SELECT, in any order, each at most once.
 *
 * One table: the word, and what reads the rest.  Words that answer one question (SINCE, BETWEEN,
 * DURING, AT: which time; TOP, BOTTOM: which groups) share a slot, and a slot that is taken names
 * the clause that took it.
 */
#include "lang/parse_private.h"

enum slot {
    SLOT_FROM,
    SLOT_WHERE,
    SLOT_RANGE,
    SLOT_EVERY,
    SLOT_BY,
    SLOT_FILL,
    SLOT_HAVING,
    SLOT_COMPARE,
    SLOT_TOP,
    SLOT_ORDER,
    SLOT_LIMIT,
    SLOTS
};

const enum word parse_clause_words[] = {
    WORD_FROM,    WORD_WHERE,     WORD_SINCE,  WORD_UNTIL, WORD_BETWEEN, WORD_DURING,
    WORD_AT,      WORD_EVERY,     WORD_GROUP,  WORD_BY,    WORD_FILL,    WORD_HAVING,
    WORD_COMPARE, WORD_TOP,       WORD_BOTTOM, WORD_ORDER, WORD_LIMIT,   WORD_UNION,
    WORD_EXCEPT,  WORD_INTERSECT, WORD_AND,    WORD_OR,    WORD_LIKE,    WORD_OFFSET,
    WORD_AS,      WORD_FILTER,    WORD_WHEN,   WORD_CHECK, WORD_MESSAGE,
};
const size_t parse_clause_word_count = sizeof parse_clause_words / sizeof *parse_clause_words;

/* ---- the clauses, each behind its first word ---------------------------------------- */

static enum varve_status from(struct parser *parser, struct select *select)
{
    if (parse_is_mark(parser, MARK('(', 0)))
        return lang_fail(parser->error, VARVE_INVALID, parser->token.place,
                         "found '('; give the inner query a name: WITH name AS (SELECT ...)");
    return parse_name(parser, "the name of a table", &select->from, &select->from_place);
}

static enum varve_status where(struct parser *parser, struct select *select)
{
    return parse_expr(parser, &select->where);
}

static enum varve_status having(struct parser *parser, struct select *select)
{
    return parse_expr(parser, &select->having);
}

static enum varve_status since(struct parser *parser, struct select *select)
{
    select->range.kind = RANGE_SINCE;
    TRY(parse_when(parser, &select->range.since));
    return parse_take(parser, WORD_UNTIL) ? parse_when(parser, &select->range.until) : VARVE_OK;
}

static enum varve_status between_times(struct parser *parser, struct range *range)
{
    range->kind = RANGE_BETWEEN;
    TRY(parse_when(parser, &range->since));
    TRY(parse_need(parser, WORD_AND));
    return parse_when(parser, &range->until);
}

/* What may follow a comparison and never a range. */
static bool goes_on_as_value(const struct parser *parser)
{
    return parse_is_mark(parser, ',') || parser->word == WORD_AS || parser->word == WORD_AND ||
           parser->word == WORD_OR || parser->word == WORD_ASC || parser->word == WORD_DESC;
}

/* Behind an item, a key or a finished condition BETWEEN is the range of the statement.  Who meant
 * to compare learns what to write. */
static enum varve_status between(struct parser *parser, struct select *select)
{
    const enum varve_status status = between_times(parser, &select->range);
    if (status == VARVE_OK && !goes_on_as_value(parser))
        return VARVE_OK;
    if (status != VARVE_OK && (status != VARVE_INVALID || !parser->error))
        return status;
    if (status == VARVE_OK)
        (void)parse_expected(parser, "a clause or the end of the statement");
    char message[sizeof parser->error->message];
    memcpy(message, parser->error->message, sizeof message);
    return lang_fail(parser->error, VARVE_INVALID, parser->error->place,
                     "%s; BETWEEN is the range of time here, a comparison needs parentheses: "
                     "(x BETWEEN 1 AND 5)",
                     message);
}

static enum varve_status during(struct parser *parser, struct select *select)
{
    select->range.kind = RANGE_DURING;
    return parse_period(parser, &select->range.during);
}

static enum varve_status at(struct parser *parser, struct select *select)
{
    select->range.kind = RANGE_AT;
    return parse_when(parser, &select->range.since);
}

static enum varve_status every(struct parser *parser, struct select *select)
{
    return parse_every(parser, &select->every);
}

static enum varve_status by(struct parser *parser, struct select *select)
{
    do {
        TRY(parse_add(parser, &select->by, select->by_count, sizeof *select->by));
        TRY(parse_bare_expr(parser, &select->by[select->by_count++]));
    } while (parse_take_mark(parser, MARK(',', 0)));
    return VARVE_OK;
}

static enum varve_status group(struct parser *parser, struct select *select)
{
    TRY(parse_need(parser, WORD_BY));
    return by(parser, select);
}

static enum varve_status fill(struct parser *parser, struct select *select)
{
    return parse_fill(parser, &select->fill);
}

static enum varve_status compare(struct parser *parser, struct select *select)
{
    static const enum word words[] = {WORD_PREVIOUS};
    TRY(parse_need(parser, WORD_TO));
    if (parse_take(parser, WORD_PREVIOUS)) {
        select->compare.kind = COMPARE_PREVIOUS;
        return VARVE_OK;
    }
    if (parser->token.kind != TOKEN_DURATION)
        return parse_expected_words(parser, "previous, or a duration such as 7d AGO", words, 1);
    select->compare.kind = COMPARE_AGO;
    TRY(parse_duration(parser, &select->compare.ago));
    (void)parse_take(parser, WORD_AGO);
    return VARVE_OK;
}

/* TOP 5 BY usd WITH OTHER 'rest' */
static enum varve_status top(struct parser *parser, struct select *select)
{
    const struct place place = parser->token.place;
    TRY(parse_count(parser, "a number of groups to keep", &select->top.count));
    if (select->top.count == 0)
        return lang_fail(parser->error, VARVE_INVALID, place, "TOP keeps at least one group");
    TRY(parse_need(parser, WORD_BY));
    TRY(parse_bare_expr(parser, &select->top.by));
    if (!parse_take(parser, WORD_WITH))
        return VARVE_OK;
    TRY(parse_need(parser, WORD_OTHER));
    select->top.other = true;
    if (parser->token.kind == TOKEN_STRING)
        return parse_string(parser, "a text", &select->top.label);
    return VARVE_OK;
}

static enum varve_status bottom(struct parser *parser, struct select *select)
{
    select->top.bottom = true;
    return top(parser, select);
}

static enum varve_status order(struct parser *parser, struct select *select)
{
    TRY(parse_need(parser, WORD_BY));
    do {
        TRY(parse_add(parser, &select->orders, select->order_count, sizeof *select->orders));
        struct order *next = &select->orders[select->order_count++];
        TRY(parse_bare_expr(parser, &next->expr));
        next->descending = parse_take(parser, WORD_DESC);
        if (!next->descending)
            (void)parse_take(parser, WORD_ASC);
    } while (parse_take_mark(parser, MARK(',', 0)));
    return VARVE_OK;
}

static enum varve_status limit(struct parser *parser, struct select *select)
{
    select->has_limit = true;
    TRY(parse_count(parser, "a number of rows to keep", &select->limit));
    if (parser->word == WORD_OFFSET)
        return lang_fail(parser->error, VARVE_INVALID, parser->token.place,
                         "found OFFSET, which is of metrics; write LIMIT %lld SKIP n",
                         (long long)select->limit);
    if (parse_take(parser, WORD_SKIP))
        return parse_count(parser, "a number of rows to skip", &select->skip);
    return VARVE_OK;
}

/* ---- the table ----------------------------------------------------------------------- */

static const struct clause {
    enum word word;
    enum slot slot;
    enum varve_status (*read)(struct parser *parser, struct select *select);
} clauses[] = {
    {WORD_FROM, SLOT_FROM, from},       {WORD_WHERE, SLOT_WHERE, where},
    {WORD_SINCE, SLOT_RANGE, since},    {WORD_BETWEEN, SLOT_RANGE, between},
    {WORD_DURING, SLOT_RANGE, during},  {WORD_AT, SLOT_RANGE, at},
    {WORD_EVERY, SLOT_EVERY, every},    {WORD_BY, SLOT_BY, by},
    {WORD_GROUP, SLOT_BY, group},       {WORD_FILL, SLOT_FILL, fill},
    {WORD_HAVING, SLOT_HAVING, having}, {WORD_COMPARE, SLOT_COMPARE, compare},
    {WORD_TOP, SLOT_TOP, top},          {WORD_BOTTOM, SLOT_TOP, bottom},
    {WORD_ORDER, SLOT_ORDER, order},    {WORD_LIMIT, SLOT_LIMIT, limit},
};

static const struct clause *find(enum word word)
{
    for (size_t i = 0; i < sizeof clauses / sizeof *clauses; i++)
        if (clauses[i].word == word)
            return &clauses[i];
    return NULL;
}

static void set_place(struct select *select, enum slot slot, struct place place)
{
    if (slot == SLOT_RANGE)
        select->range.place = place;
    else if (slot == SLOT_EVERY)
        select->every.place = place;
    else if (slot == SLOT_COMPARE)
        select->compare.place = place;
    else if (slot == SLOT_TOP)
        select->top.place = place;
}

static enum varve_status twice(struct parser *parser, enum slot slot, struct place first)
{
    const struct varve_str text = {parser->lexer.text + first.from, first.until - first.from};
    const char *word = word_text(parser->word);
    if (slot == SLOT_RANGE)
        return lang_fail(parser->error, VARVE_INVALID, parser->token.place,
                         "found %s, but the range is given already: '%.*s'", word, STR_ARG(text));
    return lang_fail(parser->error, VARVE_INVALID, parser->token.place,
                     "a second %s; the first is '%.*s'", word, STR_ARG(text));
}

enum varve_status parse_clauses(struct parser *parser, struct select *select)
{
    struct place places[SLOTS] = {{0, 0}};
    const struct clause *clause;
    while ((clause = find(parser->word))) {
        const uint32_t begin = parser->token.place.from;
        struct place *place = &places[clause->slot];
        if (place->until > 0)
            return twice(parser, clause->slot, *place);
        parse_next(parser);
        TRY(clause->read(parser, select));
        *place = parse_since(parser, begin);
        set_place(select, clause->slot, *place);
    }
    if (parser->word == WORD_UNTIL)
        return lang_fail(parser->error, VARVE_INVALID, parser->token.place,
                         "UNTIL stands behind SINCE: SINCE 7d UNTIL 1d");
    return VARVE_OK;
}
