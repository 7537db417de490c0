/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_plan.c -- statements become plans over a made-up schema: a plan keeps the promises of
 * plan.h (plan_check), what is refused is refused at a place of the text and with a message, and
 * the statement as it is printed becomes the same plan.
 */
#include "fuzz.h"

#include <string.h>

#include "../lang/made_up_schema.h"
#include "../lang/plan_check.h"
#include "base/clock.h"
#include "lang/explain.h"
#include "lang/lower.h"
#include "lang/parse.h"
#include "lang/print.h"

static const struct lower_options options = {.now = INT64_C(1791462600) * NS_PER_SECOND};

static void check_error(const struct lang_error *error, enum varve_status status, size_t size)
{
    MUST(status == VARVE_INVALID || status == VARVE_NOTFOUND || status == VARVE_LIMIT);
    MUST(error->message[0] != '\0' && strlen(error->message) < sizeof error->message);
    MUST(error->place.from <= error->place.until && error->place.until <= size);
}

/* Explains the plan of a statement into *out; false: it has none. */
static bool
explain(const struct statement *statement, size_t size, struct arena *arena, struct buf *out)
{
    struct lang_error error = {0};
    struct varve_err err = {0};
    struct plan *plan;
    enum varve_status status =
        lower_statement(statement, &made_up_schema, &options, arena, &plan, &error, &err);
    if (status != VARVE_OK) {
        check_error(&error, status, size);
        return false;
    }
    const char *wrong = plan_check(plan);
    if (wrong)
        fprintf(stderr, "not so: %s\n", wrong);
    MUST(!wrong);
    explain_plan(out, plan, NULL);
    return true;
}

static void
check_printed(const struct statement *statement, const struct buf *explained, struct arena *arena)
{
    struct buf text, again;
    struct statement *printed;
    struct lang_error error;
    buf_init(&text, arena->mem, 8u << 20);
    buf_init(&again, arena->mem, 8u << 20);
    print_statement(&text, statement);
    if (buf_status(&text, NULL) == VARVE_OK && text.size <= PARSE_BYTES) {
        MUST(parse_statement((const char *)text.data, text.size, arena, &printed, &error) ==
             VARVE_OK);
        MUST(explain(printed, text.size, arena, &again));
        MUST(again.size == explained->size && again.status == explained->status);
        MUST(again.size == 0 || memcmp(again.data, explained->data, again.size) == 0);
    }
    buf_free(&text);
    buf_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mem mem;
    struct arena arena;
    struct buf out;
    struct statement *statement;
    struct lang_error error;
    mem_init(&mem, NULL, 0);
    arena_init(&arena, &mem, 4096);
    buf_init(&out, &mem, 8u << 20);
    enum varve_status status =
        parse_statement((const char *)data, size, &arena, &statement, &error);
    if (status == VARVE_OK && statement->kind == STATEMENT_CREATE && statement->create.body)
        statement = statement->create.body;
    if (status == VARVE_OK && explain(statement, size, &arena, &out))
        check_printed(statement, &out, &arena);
    buf_free(&out);
    arena_free(&arena);
    return 0;
}
