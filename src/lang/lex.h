/* SPDX-License-Identifier: Apache-2.0
 *
 * lex.h -- a statement's text as tokens.
 *
 * Allocates nothing: a token is a kind and a place, and what it says is read
 * off the text.  PromQL's selectors and durations are tokens here too.
 */
#ifndef LANG_LEX_H
#define LANG_LEX_H

#include <stdbool.h>
#include "base/err.h"
#include "base/str.h"

/* Bytes [from, until) of the statement's text. */
struct place {
    uint32_t from, until;
};

/* What is wrong and where in the text.  message says what was found and what was expected, and
 * names the nearest thing there is where a name looks mistyped. */
struct lang_error {
    struct place place;
    char message[280];
};

/* Fills *error (if not NULL) and returns status. */
enum varve_status lang_fail(struct lang_error *error, enum varve_status status, struct place place,
                            const char *format, ...) VARVE_PRINTF(4, 5);

enum token_kind {
    TOKEN_END,      /* of the text */
    TOKEN_WORD,     /* cost, user.email, claude_code.cost.usage; keywords too */
    TOKEN_QUOTED,   /* "any name": a name, and in a matcher a string */
    TOKEN_STRING,   /* 'text', a quote inside is doubled */
    TOKEN_INT,      /* 123, 1_000, 0x1f */
    TOKEN_FLOAT,    /* 1.5, 1e6, .5 */
    TOKEN_DURATION, /* 90s, 15m, 1h30m, 7d, 2w: y (365 days) w d h m s ms us ns, in this order */
    TOKEN_DATE,     /* 2026-10-03, 2026-10-03T08:15:18.137Z */
    TOKEN_MARK,     /* ( ) [ ] { } , ; * / % + - = != <> < <= > >= =~ !~ @ || */
    TOKEN_OPEN,     /* a string, quoted name or comment that does not end */
    TOKEN_BAD       /* a character that begins nothing; 12x, which is no number */
};

struct token {
    enum token_kind kind;
    struct place place;
    uint16_t mark; /* of TOKEN_MARK: its first byte, and the second shifted by 8 */
};

struct lexer {
    const char *text;
    uint32_t size, at;
};

#define MARK(a, b) ((uint16_t)((unsigned char)(a) | (unsigned char)(b) << 8))

void lex_begin(struct lexer *lexer, const char *text, uint32_t size);
struct token lex_next(struct lexer *lexer); /* TOKEN_END again and again at the end */
/* Where the statement that begins at `from` ends, behind its semicolon; the size of the text if it
 * has none.  *complete: whether there was one.  Semicolons inside strings and comments do not
 * count. */
uint32_t lex_statement(const char *text, uint32_t size, uint32_t from, bool *complete);
/* Where the PromQL that begins at `from` ends: at a semicolon, at the end of the text or, with
 * `clauses`, where CREATE ALERT goes on.  *open: a string or a bracket is not closed
 * by then. */
uint32_t lex_promql(const char *text, uint32_t size, uint32_t from, bool clauses, bool *open);
/* Blanks where PromQL has comments: all else keeps its place. */
void lex_blank_comments(char *text, uint32_t size);

#endif
