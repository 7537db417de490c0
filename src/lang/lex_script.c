/* SPDX-License-Identifier: Apache-2.0
 *
 * lex_script.c -- where a statement of a script ends.
 *
 * A script mixes two languages whose strings and comments differ: in PromQL a
 * backslash escapes, # begins a comment and -- does not.  So the first word of a statement
 * matters, and those where a statement stands inside another: behind LINT, EXPLAIN and the
 * AS of a CREATE.  Beyond that nothing is understood: a semicolon outside of strings and comments
 * ends a statement, whatever else is wrong with it.
 */
#include "lang/lex.h"
#include "lang/words.h"

/* ---- PromQL, as far as its end ------------------------------------------------- */

/* Behind the string that begins at `at`; the size if it does not end. */
static uint32_t skip_string(const char *text, uint32_t size, uint32_t at)
{
    const char quote = text[at];
    for (at++; at < size; at++) {
        if (text[at] == '\\' && quote != '`')
            at++;
        else if (text[at] == quote)
            return at + 1;
    }
    return size + 1;
}

static bool is_promql_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == ':' || c == '.';
}

static enum word word_of(const char *text, struct token token)
{
    const struct varve_str s = {text + token.place.from, token.place.until - token.place.from};
    return token.kind == TOKEN_WORD ? word_find(s) : WORDS;
}

/* How far to look for the second word of a clause: a bound, so that time stays linear. */
enum { LOOK_AHEAD = 256 };

/* Whether a clause of CREATE ALERT begins with this word; the one behind it tells. */
static bool is_alert_clause(const char *text, uint32_t size, uint32_t from, uint32_t until)
{
    const uint32_t end = size - until > LOOK_AHEAD ? until + LOOK_AHEAD : size;
    struct lexer lexer = {text, end, until};
    const enum word word = word_find((struct varve_str){text + from, until - from});
    if (word == WORD_WHEN)
        return true;
    if (word != WORD_FOR && word != WORD_CHECK && word != WORD_ON && word != WORD_MESSAGE)
        return false;
    const struct token next = lex_next(&lexer);
    const enum word second = word_of(text, next);
    return (word == WORD_FOR && next.kind == TOKEN_DURATION) ||
           (word == WORD_CHECK && second == WORD_EVERY) ||
           (word == WORD_ON && second == WORD_EMPTY) ||
           (word == WORD_MESSAGE && next.kind == TOKEN_STRING);
}

uint32_t lex_promql(const char *text, uint32_t size, uint32_t from, bool clauses, bool *open)
{
    uint32_t at = from, depth = 0;
    while (at < size && text[at] != ';') {
        const char c = text[at];
        const uint32_t begin = at;
        if (c == '"' || c == '\'' || c == '`') {
            at = skip_string(text, size, at);
        } else if (c == '#') {
            while (at < size && text[at] != '\n')
                at++;
        } else if (is_promql_word(c)) {
            while (at < size && is_promql_word(text[at]))
                at++;
            if (clauses && depth == 0 && is_alert_clause(text, size, begin, at)) {
                at = begin;
                break;
            }
        } else {
            depth += c == '(' || c == '[' || c == '{';
            depth -= depth > 0 && (c == ')' || c == ']' || c == '}');
            at++;
        }
    }
    *open = at > size || depth > 0;
    return at > size ? size : at;
}

void lex_blank_comments(char *text, uint32_t size)
{
    for (uint32_t at = 0; at < size;) {
        if (text[at] == '"' || text[at] == '\'' || text[at] == '`') {
            at = skip_string(text, size, at);
        } else if (text[at] == '#') {
            while (at < size && text[at] != '\n')
                text[at++] = ' ';
        } else {
            at++;
        }
    }
}

/* ---- statements ------------------------------------------------------------------ */

/* What the next token is the beginning of. */
enum inside { BODY, EXPLAINED, VQL, CREATING };

/* What comes behind the token that was read in `inside`. */
static enum inside step(enum inside inside, enum word word)
{
    if (inside == CREATING)
        return word == WORD_AS ? BODY : CREATING;
    if (inside == VQL)
        return VQL;
    if (word == WORD_EXPLAIN)
        return EXPLAINED;
    if (word == WORD_LINT || (inside == EXPLAINED && word == WORD_ANALYZE))
        return BODY;
    if (inside == EXPLAINED && word == WORD_PROMQL)
        return BODY;
    return word == WORD_CREATE ? CREATING : VQL;
}

uint32_t lex_statement(const char *text, uint32_t size, uint32_t from, bool *complete)
{
    struct lexer lexer = {text, size, from};
    enum inside inside = BODY;
    for (;;) {
        const struct token token = lex_next(&lexer);
        const enum word word = word_of(text, token);
        *complete = token.kind == TOKEN_MARK && token.mark == MARK(';', 0);
        if (*complete)
            return token.place.until;
        if (token.kind == TOKEN_END)
            return size;
        const bool at_body = inside == BODY || inside == EXPLAINED;
        const bool explained = inside == EXPLAINED && word == WORD_ANALYZE;
        if (at_body && !explained &&
            (!word_begins_statement(word) || (inside == BODY && word == WORD_PROMQL))) {
            bool open;
            const uint32_t end = lex_promql(text, size, token.place.from, false, &open);
            *complete = end < size;
            return *complete ? end + 1 : size;
        }
        inside = step(inside, word);
    }
}
