/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_vql.c -- statements: what is parsed can be printed, and what is printed is parsed again and
 * means the same; what is refused is refused at a place of the text and with a message.
 *
 * A statement that is parsed is one statement to the splitter of scripts, too.
 */
#include "fuzz.h"

#include <string.h>

#include "lang/parse.h"
#include "lang/print.h"

/* All that the tokens say about themselves. */
static void check_tokens(const char *text, uint32_t size)
{
    struct lexer lexer;
    uint32_t at = 0;
    lex_begin(&lexer, text, size);
    for (;;) {
        const struct token token = lex_next(&lexer);
        MUST(token.place.from >= at && token.place.until <= size);
        if (token.kind == TOKEN_END)
            break;
        MUST(token.place.until > token.place.from);
        at = token.place.until;
    }
    MUST(lex_next(&lexer).kind == TOKEN_END);
}

/* Statements cut the text into pieces that are not empty. */
static void check_script(const char *text, uint32_t size)
{
    bool complete = true;
    for (uint32_t at = 0; at < size;) {
        const uint32_t end = lex_statement(text, size, at, &complete);
        MUST(end > at && end <= size && (complete ? text[end - 1] == ';' : end == size));
        at = end;
    }
}

static void check_error(const struct lang_error *error, enum varve_status status, size_t size)
{
    MUST(status == VARVE_INVALID || status == VARVE_INCOMPLETE || status == VARVE_LIMIT);
    MUST(error->message[0] != '\0' && strlen(error->message) < sizeof error->message);
    MUST(error->place.from <= error->place.until && error->place.until <= size);
}

/* What is behind the end that the splitter sees holds no token. */
static void check_one(const char *text, uint32_t size)
{
    struct lexer lexer;
    bool complete;
    const uint32_t end = lex_statement(text, size, 0, &complete);
    lex_begin(&lexer, text + end, size - end);
    MUST(lex_next(&lexer).kind == TOKEN_END);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct statement *statement, *again;
    struct lang_error error = {{0, 0}, ""};
    struct arena arena;
    struct buf first, second;
    struct mem mem;
    if (size > PARSE_BYTES)
        return 0;
    mem_init(&mem, NULL, 0);
    arena_init(&arena, &mem, 4096);
    buf_init(&first, &mem, 16 << 20);
    buf_init(&second, &mem, 16 << 20);
    check_tokens(text, (uint32_t)size);
    check_script(text, (uint32_t)size);
    enum varve_status status = parse_statement(text, size, &arena, &statement, &error);
    if (status == VARVE_OK) {
        check_one(text, (uint32_t)size);
        print_statement(&first, statement);
        MUST(buf_status(&first, NULL) == VARVE_OK);
        status = parse_statement((char *)first.data, first.size, &arena, &again, &error);
        MUST(status == VARVE_OK);
        MUST(ast_equal(statement, again));
        print_statement(&second, again);
        MUST(second.size == first.size && memcmp(first.data, second.data, first.size) == 0);
    } else {
        check_error(&error, status, size);
    }
    buf_free(&first);
    buf_free(&second);
    arena_free(&arena);
    MUST(mem.used == 0);
    return 0;
}
