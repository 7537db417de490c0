/* SPDX-License-Identifier: Apache-2.0
 *
 * parse.c -- statements: which one it is, and those that are short.
 *
 * The first word decides.  What begins with no word of VQL is PromQL, which is kept as text, unless
 * its first two words cannot be the beginning of any PromQL and the first is nearly one of VQL's.
 *
 * The text is checked to be UTF-8 before it is read, so that every text in the tree is.
 */
#include "lang/parse_private.h"

#include <strings.h>

/* ---- PromQL ------------------------------------------------------------------------ */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

/* From `from` on, which is where the next token begins, or what is skipped before it: VQL's
 * comments may be PromQL. */
static enum varve_status
promql(struct parser *parser, uint32_t from, bool clauses, struct statement **out)
{
    const char *text = parser->lexer.text;
    bool open;
    const uint32_t end = lex_promql(text, parser->lexer.size, from, clauses, &open);
    uint32_t until = end;
    struct statement *statement = parse_new(parser, sizeof *statement);
    char *copy = arena_copy(parser->arena, text + from, until - from);
    if (!statement || !copy)
        return VARVE_NOMEM;
    if (open)
        return lang_fail(
            parser->error, end == parser->lexer.size ? VARVE_INCOMPLETE : VARVE_INVALID,
            (struct place){from, until}, "the expression ends in an open string or bracket");
    lex_blank_comments(copy, until - from);
    for (; until > from && is_blank(copy[until - from - 1]); until--)
        continue;
    for (; from < until && is_blank(*copy); from++)
        copy++;
    parse_begin_at(parser, end);
    parser->taken = until;
    if (from == until)
        return parse_expected(parser, "a PromQL expression");
    statement->kind = STATEMENT_PROMQL;
    statement->place = (struct place){from, until};
    statement->text = (struct varve_str){copy, until - from};
    *out = statement;
    return VARVE_OK;
}

/* Whether a word can stand behind the first one of a PromQL expression. */
static bool goes_on_in_promql(const struct parser *parser)
{
    static const char *const words[] = {"by", "without", "offset", "and", "or", "unless", "atan2"};
    const struct varve_str text = parse_text(parser, parser->ahead);
    if (parser->ahead.kind != TOKEN_WORD)
        return parser->ahead.kind == TOKEN_MARK || parser->ahead.kind == TOKEN_END;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i]) == text.size && strncasecmp(words[i], text.data, text.size) == 0)
            return true;
    return false;
}

static enum varve_status
promql_or_mistyped(struct parser *parser, bool clauses, struct statement **out)
{
    enum word words[WORD_PROMQL + 1];
    const struct token token = parser->token;
    for (int i = 0; i <= WORD_PROMQL; i++)
        words[i] = (enum word)i;
    const bool is_nothing = token.kind == TOKEN_END || parse_is_mark(parser, MARK(';', 0)) ||
                            (token.kind == TOKEN_OPEN && parse_text(parser, token).data[0] == '/');
    if (is_nothing)
        return parse_expected(parser, "a statement");
    if (token.kind == TOKEN_WORD && !goes_on_in_promql(parser) &&
        word_nearest(parse_text(parser, token), words, WORD_PROMQL + 1) != WORDS)
        return parse_expected_words(parser, "a statement", words, WORD_PROMQL + 1);
    return promql(parser, parser->token.place.from, clauses, out);
}

/* ---- short statements ------------------------------------------------------------------ */

static enum varve_status describe(struct parser *parser, struct statement *statement)
{
    return parse_name(parser, "the name of a metric, a table or a label", &statement->name,
                      &statement->name_place);
}

/* EXPLAIN PROMQL SELECT ... asks for PromQL that means the same; EXPLAIN PROMQL sum(x) and EXPLAIN
 * PROMQL PROMQL sum(x) explain PromQL. */
static bool is_twin(const struct parser *parser)
{
    return word_begins_statement(parser->ahead_word);
}

static enum varve_status explain(struct parser *parser, struct statement *statement)
{
    statement->analyze = parse_take(parser, WORD_ANALYZE);
    const bool is_promql = parser->word == WORD_PROMQL && !is_twin(parser);
    statement->promql = !statement->analyze && !is_promql && parse_take(parser, WORD_PROMQL);
    const struct place place = parser->token.place;
    TRY(parse_inner(parser, false, &statement->inner));
    const enum statement_kind kind = statement->inner->kind;
    statement->promql = statement->promql && kind != STATEMENT_PROMQL;
    if (kind != STATEMENT_QUERY && kind != STATEMENT_PROMQL && kind != STATEMENT_SHOW &&
        kind != STATEMENT_SHOW_NEW && kind != STATEMENT_DESCRIBE)
        return lang_fail(parser->error, VARVE_INVALID, place, "only queries can be explained");
    return VARVE_OK;
}

static enum varve_status lint(struct parser *parser, struct statement *statement)
{
    return parse_inner(parser, false, &statement->inner);
}

static enum varve_status drop(struct parser *parser, struct statement *statement)
{
    TRY(parse_object(parser, &statement->create.object));
    return parse_name(parser, "its name", &statement->create.name, &statement->create.name_place);
}

/* A name, or * for all of them: an empty name. */
static enum varve_status
name_or_star(struct parser *parser, const char *what, struct statement *statement)
{
    statement->name_place = parser->token.place;
    if (parse_take_mark(parser, MARK('*', 0)))
        return VARVE_OK;
    return parse_name(parser, what, &statement->name, &statement->name_place);
}

static enum varve_status alter(struct parser *parser, struct statement *statement)
{
    static const enum word words[] = {WORD_FOREVER};
    TRY(parse_need(parser, WORD_RETENTION));
    TRY(name_or_star(parser, "the name of a metric, a table or a tier, or *", statement));
    TRY(parse_need(parser, WORD_TO));
    statement->duration = INT64_MAX;
    if (parse_take(parser, WORD_FOREVER))
        return VARVE_OK;
    if (parser->token.kind != TOKEN_DURATION)
        return parse_expected_words(parser, "forever, or a duration such as 400d", words, 1);
    return parse_duration(parser, &statement->duration);
}

static enum varve_status import(struct parser *parser, struct statement *statement)
{
    static const enum word words[] = {WORD_RULES, WORD_GRAFANA};
    if (parser->word != WORD_RULES && parser->word != WORD_GRAFANA)
        return parse_expected_words(parser, "RULES or GRAFANA", words, 2);
    statement->name = parser->word == WORD_RULES ? STR("RULES") : STR("GRAFANA");
    statement->name_place = parser->token.place;
    parse_next(parser);
    return parse_string(parser, "the path of a file in single quotes", &statement->text);
}

/* DELETE FROM name|* WHERE ... [SINCE ...]: without WHERE nothing is deleted by mistake. */
static enum varve_status delete (struct parser *parser, struct statement *statement) {
    TRY(parse_need(parser, WORD_FROM));
    TRY(name_or_star(parser, "the name of a metric or a table, or *", statement));
    for (;;){if (parser->word == WORD_WHERE &&
                 !statement->where){parse_next(parser); TRY(parse_expr(parser, &statement->where));}
else if (parser->word == WORD_SINCE && !statement->since)
{
    parse_next(parser);
    TRY(parse_when(parser, &statement->since));
}
else
{
    break;
}
}
return statement->where ? VARVE_OK : parse_need(parser, WORD_WHERE);
}

static enum varve_status set(struct parser *parser, struct statement *statement)
{
    TRY(parse_name(parser, "the name of a setting", &statement->name, &statement->name_place));
    if (!parse_take_mark(parser, MARK('=', 0)) && !parse_take(parser, WORD_TO))
        return parse_expected(parser, "= and a value");
    return parse_expr(parser, &statement->value);
}

/* ---- statements --------------------------------------------------------------------------- */

static const struct {
    enum word word;
    enum statement_kind kind;
    enum varve_status (*read)(struct parser *parser, struct statement *statement);
} statements[] = {
    {WORD_SHOW, STATEMENT_SHOW, parse_show},        {WORD_DESCRIBE, STATEMENT_DESCRIBE, describe},
    {WORD_EXPLAIN, STATEMENT_EXPLAIN, explain},     {WORD_LINT, STATEMENT_LINT, lint},
    {WORD_CREATE, STATEMENT_CREATE, parse_create},  {WORD_DROP, STATEMENT_DROP, drop},
    {WORD_ALTER, STATEMENT_ALTER_RETENTION, alter}, {WORD_IMPORT, STATEMENT_IMPORT, import},
    {WORD_DELETE, STATEMENT_DELETE, delete},        {WORD_SET, STATEMENT_SET, set},
};

static enum varve_status of_word(struct parser *parser, struct statement **out)
{
    const uint32_t from = parser->token.place.from;
    struct statement *statement = parse_new(parser, sizeof *statement);
    if (!statement)
        return VARVE_NOMEM;
    if (parser->word == WORD_SELECT || parser->word == WORD_WITH) {
        statement->kind = STATEMENT_QUERY;
        TRY(parse_query(parser, &statement->query));
    }
    for (size_t i = 0; i < sizeof statements / sizeof *statements && !statement->query; i++) {
        if (statements[i].word != parser->word)
            continue;
        statement->kind = statements[i].kind;
        parse_next(parser);
        TRY(statements[i].read(parser, statement));
        break;
    }
    statement->place = parse_since(parser, from);
    *out = statement;
    return VARVE_OK;
}

/* A statement, which may stand inside another.  clauses: of an alert, whose own follow. */
enum varve_status parse_inner(struct parser *parser, bool clauses, struct statement **out)
{
    TRY(parse_enter(parser));
    if (parse_take(parser, WORD_PROMQL))
        TRY(promql(parser, parser->taken, clauses, out));
    else if (word_begins_statement(parser->word))
        TRY(of_word(parser, out));
    else
        TRY(promql_or_mistyped(parser, clauses, out));
    parse_leave(parser);
    return VARVE_OK;
}

/* ---- the way in ------------------------------------------------------------------ */

/* Where the first byte stands that no text has; the size if there is none. */
static size_t bad_byte(const char *text, size_t size)
{
    const char *zero = memchr(text, '\0', size);
    const size_t end = zero ? (size_t)(zero - text) : size;
    size_t at = 0, length;
    if (str_is_utf8((struct varve_str){text, end}))
        return end;
    /* Character by character: as many bytes as the first one asks for. */
    for (; at < end; at += length) {
        const unsigned lead = (unsigned char)text[at];
        length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
        if (length > end - at || !str_is_utf8((struct varve_str){text + at, length}))
            break;
    }
    return at;
}

static enum varve_status check_text(const char *text, size_t size, struct lang_error *error)
{
    if (size > PARSE_BYTES)
        return lang_fail(error, VARVE_LIMIT, (struct place){0, 0},
                         "a statement of %zu bytes; the longest one has %u", size, PARSE_BYTES);
    const size_t bad = bad_byte(text, size);
    if (bad < size)
        return lang_fail(error, VARVE_INVALID, (struct place){(uint32_t)bad, (uint32_t)bad + 1},
                         "the byte 0x%02x here is not UTF-8 text", (unsigned char)text[bad]);
    return VARVE_OK;
}

enum varve_status parse_statement(const char *text, size_t size, struct arena *arena,
                                  struct statement **out, struct lang_error *error)
{
    struct parser parser = {.arena = arena, .error = error};
    struct statement *statement = NULL;
    TRY(check_text(text, size, error));
    lex_begin(&parser.lexer, text, (uint32_t)size);
    parse_begin_at(&parser, 0);
    TRY(parse_inner(&parser, false, &statement));
    (void)parse_take_mark(&parser, MARK(';', 0));
    if (parser.token.kind != TOKEN_END) {
        const bool is_query = statement->kind == STATEMENT_QUERY;
        const bool is_closed = text[parser.taken - 1] == ';';
        return parse_expected_words(&parser,
                                    is_closed  ? "nothing behind the semicolon"
                                    : is_query ? "a clause or the end of the statement"
                                               : "the end of the statement",
                                    parse_clause_words, is_closed ? 0 : parse_clause_word_count);
    }
    *out = statement;
    return VARVE_OK;
}

bool parse_is_vql(const char *text, size_t size)
{
    struct lexer lexer;
    lex_begin(&lexer, text, size > PARSE_BYTES ? PARSE_BYTES : (uint32_t)size);
    const struct token token = lex_next(&lexer);
    return token.kind == TOKEN_WORD &&
           word_begins_statement(word_find(
               (struct varve_str){text + token.place.from, token.place.until - token.place.from}));
}
