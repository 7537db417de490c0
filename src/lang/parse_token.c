/* SPDX-License-Identifier: Apache-2.0
 *
 * parse_token.c -- the parser's hands: tokens taken one by one, their values, and
 * what is said when another one is needed.
 *
 * Each token is read once; one token of look-ahead beside the next one is all that
 * the grammar needs.  A token that is not closed, or that is none, fails wherever it
 * is met, because no part of the grammar asks for it.
 */
#include "lang/parse_private.h"

#include "base/number.h"

/* ---- taking -------------------------------------------------------------------- */

struct varve_str parse_text(const struct parser *parser, struct token token)
{
    return (struct varve_str){parser->lexer.text + token.place.from,
                              token.place.until - token.place.from};
}

static enum word word_of(const struct parser *parser, struct token token)
{
    return token.kind == TOKEN_WORD ? word_find(parse_text(parser, token)) : WORDS;
}

static void look(struct parser *parser)
{
    parser->ahead = lex_next(&parser->lexer);
    parser->ahead_word = word_of(parser, parser->ahead);
}

void parse_next(struct parser *parser)
{
    parser->taken = parser->token.place.until;
    parser->token = parser->ahead;
    parser->word = parser->ahead_word;
    look(parser);
}

void parse_begin_at(struct parser *parser, uint32_t at)
{
    parser->lexer.at = at;
    look(parser);
    parser->token = parser->ahead;
    parser->word = parser->ahead_word;
    parser->taken = at;
    look(parser);
}

bool parse_is_mark(const struct parser *parser, uint16_t mark)
{
    return parser->token.kind == TOKEN_MARK && parser->token.mark == mark;
}

bool parse_take(struct parser *parser, enum word word)
{
    if (parser->word != word)
        return false;
    parse_next(parser);
    return true;
}

bool parse_take_mark(struct parser *parser, uint16_t mark)
{
    if (!parse_is_mark(parser, mark))
        return false;
    parse_next(parser);
    return true;
}

struct place parse_since(const struct parser *parser, uint32_t from)
{
    return (struct place){from, parser->taken > from ? parser->taken : from};
}

/* ---- what was expected ----------------------------------------------------------- */

/* What ends too early, by its first byte. */
static const char *open_name(char first)
{
    return first == '\''  ? "a text in single quotes"
           : first == '"' ? "a name in double quotes"
                          : "a comment";
}

enum varve_status
parse_expected_words(struct parser *parser, const char *what, const enum word *words, size_t count)
{
    const struct token token = parser->token;
    const struct varve_str text = parse_text(parser, token);
    const char *quote = token.kind == TOKEN_STRING || token.kind == TOKEN_QUOTED ? "" : "'";
    if (token.kind == TOKEN_END)
        return lang_fail(parser->error, VARVE_INCOMPLETE,
                         (struct place){parser->taken, parser->taken},
                         "the statement ends where %s is expected", what);
    if (token.kind == TOKEN_OPEN)
        return lang_fail(parser->error, VARVE_INCOMPLETE, token.place, "%s is not closed",
                         open_name(text.data[0]));
    const bool is_word = token.kind == TOKEN_WORD && parser->word == WORDS;
    const enum word nearest = is_word ? word_nearest(text, words, count) : WORDS;
    if (nearest != WORDS)
        return lang_fail(parser->error, VARVE_INVALID, token.place,
                         "found '%.*s', expected %s (did you mean %s?)", STR_ARG(text), what,
                         word_text(nearest));
    if (token.kind == TOKEN_BAD && text.size > 1 && text.data[0] >= '0' && text.data[0] <= '9')
        return lang_fail(parser->error, VARVE_INVALID, token.place,
                         "'%.*s' is no number and no duration (90s, 15m, 1h30m, 7d)",
                         STR_ARG(text));
    return lang_fail(parser->error, VARVE_INVALID, token.place, "found %s%.*s%s, expected %s",
                     quote, STR_ARG(text), quote, what);
}

enum varve_status parse_expected(struct parser *parser, const char *what)
{
    return parse_expected_words(parser, what, NULL, 0);
}

enum varve_status parse_need(struct parser *parser, enum word word)
{
    if (parse_take(parser, word))
        return VARVE_OK;
    return parse_expected_words(parser, word_text(word), &word, 1);
}

enum varve_status parse_need_mark(struct parser *parser, char mark)
{
    const char what[] = {'\'', mark, '\'', '\0'};
    return parse_take_mark(parser, MARK(mark, 0)) ? VARVE_OK : parse_expected(parser, what);
}

enum varve_status parse_enter(struct parser *parser)
{
    if (parser->depth == PARSE_DEPTH)
        return lang_fail(
            parser->error, VARVE_LIMIT, parser->token.place,
            "more than %d levels inside each other; WITH name AS (...) takes out parts",
            PARSE_DEPTH);
    parser->depth++;
    return VARVE_OK;
}

void parse_leave(struct parser *parser)
{
    parser->depth--;
}

/* ---- memory ------------------------------------------------------------------------ */

void *parse_new(struct parser *parser, size_t size)
{
    return arena_zalloc(parser->arena, size);
}

enum varve_status parse_add(struct parser *parser, void *array, uint32_t count, size_t size)
{
    void *old, *new;
    memcpy(&old, array, sizeof old);
    if (count == 0 || (count >= 4 && (count & (count - 1)) == 0)) {
        new = parse_new(parser, mem_array(count ? (size_t)count * 2 : 4, size));
        if (!new)
            return VARVE_NOMEM;
        if (count)
            memcpy(new, old, count * size);
        memcpy(array, &new, sizeof new);
    }
    return VARVE_OK;
}

/* ---- values of tokens ---------------------------------------------------------------- */

/* What is between the quotes, doubled ones halved. */
static enum varve_status unquote(struct parser *parser, struct varve_str *out)
{
    const struct varve_str text = parse_text(parser, parser->token);
    char *copy = arena_copy(parser->arena, text.data + 1, text.size - 2);
    size_t size = 0;
    if (!copy)
        return VARVE_NOMEM;
    for (size_t i = 0; i < text.size - 2; i++) {
        copy[size++] = copy[i];
        i += copy[i] == text.data[0];
    }
    *out = (struct varve_str){copy, size};
    return VARVE_OK;
}

enum varve_status parse_token_name(struct parser *parser, struct varve_str *name)
{
    if (parser->token.kind == TOKEN_QUOTED || parser->token.kind == TOKEN_STRING)
        return unquote(parser, name);
    const struct varve_str text = parse_text(parser, parser->token);
    const char *copy = arena_copy(parser->arena, text.data, text.size);
    if (!copy)
        return VARVE_NOMEM;
    *name = (struct varve_str){copy, text.size};
    return VARVE_OK;
}

bool parse_is_name(const struct parser *parser)
{
    if (parser->token.kind == TOKEN_WORD)
        return word_class_of(parser->word) < WORD_HARD;
    return parser->token.kind == TOKEN_QUOTED;
}

enum varve_status
parse_name(struct parser *parser, const char *what, struct varve_str *name, struct place *place)
{
    if (parser->token.kind == TOKEN_WORD && !parse_is_name(parser))
        return lang_fail(parser->error, VARVE_INVALID, parser->token.place,
                         "found %s, expected %s (a name that is a keyword stands in double quotes)",
                         word_text(parser->word), what);
    if (!parse_is_name(parser))
        return parse_expected(parser, what);
    if (parser->token.kind == TOKEN_QUOTED && parse_text(parser, parser->token).size == 2)
        return lang_fail(parser->error, VARVE_INVALID, parser->token.place,
                         "a name has at least one character; expected %s", what);
    TRY(parse_token_name(parser, name));
    if (place)
        *place = parser->token.place;
    parse_next(parser);
    return VARVE_OK;
}

enum varve_status parse_string(struct parser *parser, const char *what, struct varve_str *string)
{
    if (parser->token.kind != TOKEN_STRING)
        return parse_expected(parser, what);
    TRY(unquote(parser, string));
    parse_next(parser);
    return VARVE_OK;
}

/* The digits without underscores; false: more of them than any number needs. */
static bool strip(struct varve_str text, char *out, size_t room, size_t *size)
{
    *size = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '_')
            continue;
        if (*size == room)
            return false;
        out[(*size)++] = text.data[i];
    }
    return true;
}

/* 0x1f; false: over 64 bits. */
static bool hex(struct varve_str text, bool negative, int64_t *value)
{
    uint64_t v = 0;
    for (size_t i = 2; i < text.size; i++) {
        const char c = text.data[i];
        const unsigned digit = c <= '9' ? c - '0' : (c | 32) - 'a' + 10;
        if (v >> 60)
            return false;
        v = v << 4 | digit;
    }
    if (v > (uint64_t)INT64_MAX + negative)
        return false;
    *value = (int64_t)(negative ? 0 - v : v);
    return true;
}

enum varve_status parse_token_int(struct parser *parser, bool negative, int64_t *value)
{
    char digits[280];
    size_t size;
    const struct varve_str text = parse_text(parser, parser->token);
    digits[0] = '-';
    const bool fits =
        text.size > 1 && (text.data[1] == 'x' || text.data[1] == 'X')
            ? hex(text, negative, value)
            : strip(text, digits + 1, sizeof digits - 1, &size) &&
                  number_parse_int((struct varve_str){digits + !negative, size + negative}, value);
    if (!fits)
        return lang_fail(parser->error, VARVE_INVALID, parser->token.place,
                         "an integer has at most 64 bits; with a point or an exponent it is a "
                         "floating-point number");
    return VARVE_OK;
}

enum varve_status parse_token_float(struct parser *parser, double *value)
{
    char digits[280];
    size_t size;
    const struct varve_str text = parse_text(parser, parser->token);
    if (!strip(text, digits, sizeof digits, &size) ||
        !number_parse((struct varve_str){digits, size}, value))
        return lang_fail(parser->error, VARVE_INVALID, parser->token.place,
                         "a floating-point number has at most %zu digits and is below 1.8e308",
                         sizeof digits);
    return VARVE_OK;
}

enum varve_status parse_count(struct parser *parser, const char *what, int64_t *count)
{
    if (parser->token.kind != TOKEN_INT)
        return parse_expected(parser, what);
    TRY(parse_token_int(parser, false, count));
    parse_next(parser);
    return VARVE_OK;
}

/* ---- durations -------------------------------------------------------------------------- */

static int64_t unit_nanos(char first, char second)
{
    switch (first) {
    case 'y':
        return 365 * NS_PER_DAY;
    case 'w':
        return 7 * NS_PER_DAY;
    case 'd':
        return NS_PER_DAY;
    case 'h':
        return 3600 * NS_PER_SECOND;
    case 'm':
        return second == 's' ? 1000000 : 60 * NS_PER_SECOND;
    case 's':
        return NS_PER_SECOND;
    default:
        return first == 'u' ? 1000 : 1;
    }
}

/* What the lexer found to be a duration, in nanoseconds; false: over 292 years. */
static bool duration_nanos(struct varve_str text, int64_t *nanos)
{
    *nanos = 0;
    for (size_t i = 0; i < text.size;) {
        int64_t count = 0;
        for (; text.data[i] <= '9'; i++)
            if (__builtin_mul_overflow(count, 10, &count) ||
                __builtin_add_overflow(count, text.data[i] - '0', &count))
                return false;
        const char second = i + 1 < text.size ? text.data[i + 1] : '\0';
        if (__builtin_mul_overflow(count, unit_nanos(text.data[i], second), &count) ||
            __builtin_add_overflow(*nanos, count, nanos))
            return false;
        while (i < text.size && text.data[i] > '9')
            i++;
    }
    return true;
}

enum varve_status parse_duration(struct parser *parser, int64_t *nanos)
{
    if (parser->token.kind != TOKEN_DURATION)
        return parse_expected(parser, "a duration such as 15m, 1h30m or 7d");
    if (!duration_nanos(parse_text(parser, parser->token), nanos))
        return lang_fail(parser->error, VARVE_INVALID, parser->token.place,
                         "a duration is at most 292 years");
    parse_next(parser);
    return VARVE_OK;
}
