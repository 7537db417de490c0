/* SPDX-License-Identifier: Apache-2.0
 *
 * parse_private.h -- what the parts of the parser share: the state, tokens taken
 * one by one, and what is said when another one is needed.
 */
#ifndef LANG_PARSE_PRIVATE_H
#define LANG_PARSE_PRIVATE_H

#include "lang/parse.h"
#include "lang/words.h"

struct parser {
    struct lexer lexer;
    struct arena *arena;
    struct lang_error *error;
    struct token token, ahead; /* the next one to be taken, and the one behind it */
    enum word word, ahead_word;
    uint32_t taken; /* where the token before `token` ends */
    unsigned depth;
    bool bare; /* in an expression: BETWEEN begins a clause here, unless parentheses are open */
};

/* ---- tokens (parse_token.c) ------------------------------------------------ */

void parse_begin_at(struct parser *parser, uint32_t at); /* go on here */
void parse_next(struct parser *parser);
bool parse_is_mark(const struct parser *parser, uint16_t mark);
bool parse_take(struct parser *parser, enum word word);
bool parse_take_mark(struct parser *parser, uint16_t mark);
struct varve_str parse_text(const struct parser *parser, struct token token); /* as written */
/* From the start of something to the end of the token that was taken last. */
struct place parse_since(const struct parser *parser, uint32_t from);

/* Fails: what was expected, what was found.  A statement that ends here is incomplete. */
enum varve_status parse_expected(struct parser *parser, const char *what);
/* The same, and the one of the words that may have been meant. */
enum varve_status
parse_expected_words(struct parser *parser, const char *what, const enum word *words, size_t count);
enum varve_status parse_need(struct parser *parser, enum word word);
enum varve_status parse_need_mark(struct parser *parser, char mark);
/* One level deeper; each call that succeeds needs a parse_leave. */
enum varve_status parse_enter(struct parser *parser);
void parse_leave(struct parser *parser);

/* Zeroed.  NULL: no memory. */
void *parse_new(struct parser *parser, size_t size);
/* *array, which holds `count` elements, gets room for one more, zeroed. */
enum varve_status parse_add(struct parser *parser, void *array, uint32_t count, size_t size);

/* Whether the token can stand where a name is asked for. */
bool parse_is_name(const struct parser *parser);
/* what: "the name of a metric".  place may be NULL. */
enum varve_status
parse_name(struct parser *parser, const char *what, struct varve_str *name, struct place *place);
enum varve_status parse_string(struct parser *parser, const char *what, struct varve_str *string);
enum varve_status parse_count(struct parser *parser, const char *what, int64_t *count);
enum varve_status parse_duration(struct parser *parser, int64_t *nanos);
/* The value of a token; it is not taken. */
enum varve_status parse_token_name(struct parser *parser, struct varve_str *name);
enum varve_status parse_token_int(struct parser *parser, bool negative, int64_t *value);
enum varve_status parse_token_float(struct parser *parser, double *value);

/* ---- the grammar ------------------------------------------------------------- */

enum varve_status parse_expr(struct parser *parser, struct expr **expr);
/* One that a BETWEEN clause may follow. */
enum varve_status parse_bare_expr(struct parser *parser, struct expr **expr);
enum varve_status parse_selector(struct parser *parser, struct expr *name);

enum varve_status parse_when(struct parser *parser, const struct when **when);
/* Behind @, where an expression may go on: x @ now - 5m is moved, x @ now - y is a difference. */
enum varve_status parse_when_of_metric(struct parser *parser, const struct when **when);
enum varve_status parse_period(struct parser *parser, struct period *period);
enum varve_status parse_every(struct parser *parser, struct every *every);
/* A date literal in an expression; *local: it names no offset, and is read as UTC. */
enum varve_status parse_instant(struct parser *parser, int64_t *instant, bool *local);

enum varve_status parse_fill(struct parser *parser, struct fill *fill);
enum varve_status parse_clauses(struct parser *parser, struct select *select);
enum varve_status parse_query(struct parser *parser, struct query **query);
/* The words that may follow a SELECT. */
extern const enum word parse_clause_words[];
extern const size_t parse_clause_word_count;

enum varve_status parse_inner(struct parser *parser, bool clauses, struct statement **statement);
enum varve_status parse_show(struct parser *parser, struct statement *statement);
enum varve_status parse_create(struct parser *parser, struct statement *statement);
enum varve_status parse_object(struct parser *parser, enum object_kind *object);

#endif
