/* SPDX-License-Identifier: Apache-2.0
 *
 * lex.c -- a statement's text as tokens.
 *
 * The first byte of a token decides what it is, and a number's form decides whether
 * it is an integer, a float, a duration or a date.  A run of letters and digits
 * that is none of these is one bad token, so that a message can show all of it.
 *
 * Invariant: a token that is not TOKEN_END has at least one byte, and the next
 * one begins at its end or behind it, so that reading a text takes linear time.
 *
 * It knows no keywords and decodes nothing.
 */
#include "lang/lex.h"

#include <assert.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_word_byte(char c)
{
    return is_letter(c) || is_digit(c);
}

/* The byte `ahead` of the lexer, or 0 behind the end. */
static char peek(const struct lexer *lexer, uint32_t ahead)
{
    return ahead < lexer->size - lexer->at ? lexer->text[lexer->at + ahead] : '\0';
}

void lex_begin(struct lexer *lexer, const char *text, uint32_t size)
{
    *lexer = (struct lexer){.text = text, .size = size};
}

/* ---- white space and comments ------------------------------------------------- */

/* Past white space and comments.  false: a comment does not end; the lexer stays at its start. */
static bool skip_space(struct lexer *lexer)
{
    for (;;) {
        const char c = peek(lexer, 0);
        if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v') {
            lexer->at++;
        } else if (c == '-' && peek(lexer, 1) == '-') {
            while (lexer->at < lexer->size && lexer->text[lexer->at] != '\n')
                lexer->at++;
        } else if (c == '/' && peek(lexer, 1) == '*') {
            const char *from = lexer->text + lexer->at + 2;
            const size_t left = lexer->size - lexer->at - 2;
            const char *end = memmem(from, left, "*/", 2);
            if (!end)
                return false;
            lexer->at = (uint32_t)(end - lexer->text) + 2;
        } else {
            return true;
        }
    }
}

/* ---- numbers, durations, dates ------------------------------------------------- */

/* `count` digits, `ahead` of the lexer. */
static bool digits_at(const struct lexer *lexer, uint32_t ahead, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (!is_digit(peek(lexer, ahead + i)))
            return false;
    return true;
}

/* How long the offset or Z is that stands `at` bytes ahead; 0: none. */
static uint32_t offset_size(const struct lexer *lexer, uint32_t at)
{
    const char c = peek(lexer, at);
    if (c == 'Z' || c == 'z')
        return 1;
    if ((c == '+' || c == '-') && digits_at(lexer, at + 1, 2) && peek(lexer, at + 3) == ':' &&
        digits_at(lexer, at + 4, 2))
        return 6;
    return 0;
}

/* How long a date is, with the time of day and the offset behind it; 0: it is none. */
static uint32_t date_size(const struct lexer *lexer)
{
    uint32_t size = 10;
    if (!digits_at(lexer, 0, 4) || peek(lexer, 4) != '-' || !digits_at(lexer, 5, 2) ||
        peek(lexer, 7) != '-' || !digits_at(lexer, 8, 2) || is_digit(peek(lexer, 10)))
        return 0;
    const char mark = peek(lexer, 10);
    if ((mark != 'T' && mark != 't') || !digits_at(lexer, 11, 2) || peek(lexer, 13) != ':' ||
        !digits_at(lexer, 14, 2))
        return size;
    size = 16;
    if (peek(lexer, 16) == ':' && digits_at(lexer, 17, 2)) {
        size = 19;
        if (peek(lexer, 19) == '.' && is_digit(peek(lexer, 20)))
            for (size = 20; is_digit(peek(lexer, size));)
                size++;
    }
    return size + offset_size(lexer, size);
}

/* How long a unit is that stands `at` bytes ahead, and its rank from the largest; 0: none. */
static uint32_t unit_size(const struct lexer *lexer, uint32_t at, int *rank)
{
    static const char *const units[] = {"y", "w", "d", "h", "m", "s", "ms", "us", "ns"};
    for (int i = 0; i < (int)(sizeof units / sizeof *units); i++) {
        const uint32_t size = (uint32_t)strlen(units[i]);
        if (peek(lexer, at) == units[i][0] && (size == 1 || peek(lexer, at + 1) == units[i][1]) &&
            !is_letter(peek(lexer, at + size))) {
            *rank = i;
            return size;
        }
    }
    return 0;
}

/* How long a duration is: numbers with units that get smaller; 0: it is none. */
static uint32_t duration_size(const struct lexer *lexer)
{
    uint32_t size = 0;
    for (int last = -1, rank = 0; is_digit(peek(lexer, size)); last = rank) {
        while (is_digit(peek(lexer, size)))
            size++;
        const uint32_t unit = unit_size(lexer, size, &rank);
        if (unit == 0 || rank <= last)
            return 0;
        size += unit;
    }
    return size;
}

/* Digits with single underscores between them, `at` bytes ahead. */
static uint32_t skip_digits(const struct lexer *lexer, uint32_t at)
{
    while (is_digit(peek(lexer, at)) || (peek(lexer, at) == '_' && is_digit(peek(lexer, at + 1))))
        at++;
    return at;
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* How long the number is; what kind it is. */
static uint32_t number_size(const struct lexer *lexer, enum token_kind *kind)
{
    uint32_t size = 0;
    *kind = TOKEN_INT;
    if (peek(lexer, 0) == '0' && (peek(lexer, 1) == 'x' || peek(lexer, 1) == 'X') &&
        is_hex(peek(lexer, 2))) {
        for (size = 2; is_hex(peek(lexer, size));)
            size++;
        return size;
    }
    size = skip_digits(lexer, 0);
    if (peek(lexer, size) == '.' && is_digit(peek(lexer, size + 1))) {
        *kind = TOKEN_FLOAT;
        size = skip_digits(lexer, size + 1);
    }
    if (peek(lexer, size) == 'e' || peek(lexer, size) == 'E') {
        const char sign = peek(lexer, size + 1);
        const uint32_t from = size + (sign == '+' || sign == '-' ? 2 : 1);
        if (is_digit(peek(lexer, from))) {
            *kind = TOKEN_FLOAT;
            size = from;
            while (is_digit(peek(lexer, size)))
                size++;
        }
    }
    return size;
}

/* Whatever begins with a digit. */
static uint32_t digits_token(const struct lexer *lexer, enum token_kind *kind)
{
    uint32_t size = date_size(lexer);
    *kind = TOKEN_DATE;
    if (size == 0) {
        size = duration_size(lexer);
        *kind = TOKEN_DURATION;
    }
    if (size == 0)
        size = number_size(lexer, kind);
    if (is_word_byte(peek(lexer, size))) {
        *kind = TOKEN_BAD;
        while (is_word_byte(peek(lexer, size)))
            size++;
    }
    return size;
}

/* ---- words, quotes, marks -------------------------------------------------------- */

/* A dot or a colon belongs to a name if a letter or a digit follows. */
static uint32_t word_size(const struct lexer *lexer)
{
    uint32_t size = 1;
    for (;;) {
        const char c = peek(lexer, size);
        if (!is_word_byte(c) && ((c != '.' && c != ':') || !is_word_byte(peek(lexer, size + 1))))
            return size;
        size++;
    }
}

/* From quote to quote; a doubled one is inside.  0: it does not end. */
static uint32_t quoted_size(const struct lexer *lexer)
{
    const char quote = peek(lexer, 0);
    const uint32_t left = lexer->size - lexer->at;
    for (uint32_t size = 1; size < left;) {
        const char *from = lexer->text + lexer->at + size;
        const char *end = memchr(from, quote, left - size);
        if (!end)
            return 0;
        size += (uint32_t)(end - from) + 1;
        if (peek(lexer, size) != quote)
            return size;
        size++;
    }
    return 0;
}

/* How long the mark is; 0: none. */
static uint32_t mark_size(const struct lexer *lexer)
{
    static const char pairs[][2] = {{'=', '='}, {'=', '~'}, {'!', '='}, {'!', '~'},
                                    {'<', '='}, {'<', '>'}, {'>', '='}, {'|', '|'}};
    const char c = peek(lexer, 0), second = peek(lexer, 1);
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (c == pairs[i][0] && second == pairs[i][1])
            return 2;
    return c && strchr("()[]{},;*/%+-=<>@", c) ? 1 : 0;
}

/* How many bytes the character has that begins nothing, as far as one can tell. */
static uint32_t character_size(const struct lexer *lexer)
{
    uint32_t size = 1;
    while (size < 4 && ((unsigned char)peek(lexer, size) & 0xc0) == 0x80)
        size++;
    return size;
}

struct token lex_next(struct lexer *lexer)
{
    struct token token = {TOKEN_END, {lexer->size, lexer->size}, 0};
    const bool closed = skip_space(lexer);
    const char c = peek(lexer, 0);
    uint32_t size = lexer->size - lexer->at;
    if (size == 0)
        return token;
    token.kind = TOKEN_OPEN;
    if (!closed) {
        /* All that is left. */
    } else if (is_digit(c) || (c == '.' && is_digit(peek(lexer, 1)))) {
        size = digits_token(lexer, &token.kind);
    } else if (is_letter(c)) {
        token.kind = TOKEN_WORD;
        size = word_size(lexer);
    } else if (c == '\'' || c == '"') {
        const uint32_t quoted = quoted_size(lexer);
        if (quoted) {
            token.kind = c == '"' ? TOKEN_QUOTED : TOKEN_STRING;
            size = quoted;
        }
    } else if (mark_size(lexer)) {
        token.kind = TOKEN_MARK;
        size = mark_size(lexer);
        token.mark = MARK(c, size == 2 ? peek(lexer, 1) : 0);
    } else {
        token.kind = TOKEN_BAD;
        size = character_size(lexer);
    }
    assert(size > 0 && size <= lexer->size - lexer->at);
    token.place = (struct place){lexer->at, lexer->at + size};
    lexer->at += size;
    return token;
}
