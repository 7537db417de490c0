/* SPDX-License-Identifier: Apache-2.0
 *
 * statement.c -- the public interface: runs a statement.
 *
 * Text becomes a tree, the tree a plan, the plan a running executor.  What each kind of
 * statement needs is a table; those that change something are in change.c.
 */
#include "api/change.h"
#include "api/result.h"
#include "base/clock.h"
#include "lang/parse.h"
#include "lang/print.h"

enum { TEXT_MOST = 64 << 20 };

/* ---- statements that read -------------------------------------------------------- */

static enum varve_status
make_plan(struct running *run, const struct statement *statement, struct varve_err *err)
{
    struct varve_result *r = run->result;
    struct schema schema = store_schema(&r->names);
    struct lower_options options = {.now = r->options.now, .zone = r->options.zone};
    TRY(result_snapshot(r, err));
    return lower_statement(statement, &schema, &options, &r->arena, &r->plan, run->error, err);
}

static enum varve_status run_query(struct running *run, struct varve_err *err)
{
    TRY(make_plan(run, run->statement, err));
    return result_start(run->result, err);
}

/* Runs it to its end and prints the plan with what came of it. */
static enum varve_status run_explain(struct running *run, struct varve_err *err)
{
    struct varve_result *r = run->result;
    const struct statement *explain = run->statement;
    if (explain->promql)
        return lang_fail(run->error, VARVE_INVALID, explain->place,
                         "EXPLAIN PROMQL is not known to this version");
    run->statement = explain->inner;
    TRY(make_plan(run, explain->inner, err));
    if (explain->analyze) {
        struct batch batch;
        enum varve_status status = result_start(r, err);
        while (status == VARVE_OK)
            status = exec_next(r->exec, &batch, err);
        if (status != VARVE_DONE)
            return status;
    }
    explain_plan(&r->text, r->plan, explain->analyze ? r->exec->stats : NULL);
    exec_close(r->exec);
    r->exec = NULL;
    return result_lines(r, "plan", err);
}

static enum varve_status not_yet(struct running *run, struct varve_err *err)
{
    (void)err;
    return lang_fail(run->error, VARVE_INVALID, run->statement->place,
                     "this version does not know this statement; docs/query-language.md lists "
                     "those it knows");
}

static enum varve_status (*const runners[])(struct running *run, struct varve_err *err) = {
    [STATEMENT_QUERY] = run_query,         [STATEMENT_SHOW] = run_query,
    [STATEMENT_SHOW_NEW] = run_query,      [STATEMENT_DESCRIBE] = run_query,
    [STATEMENT_EXPLAIN] = run_explain,     [STATEMENT_LINT] = not_yet,
    [STATEMENT_CREATE] = change_create,    [STATEMENT_DROP] = change_drop,
    [STATEMENT_ALTER_RETENTION] = not_yet, [STATEMENT_IMPORT] = not_yet,
    [STATEMENT_DELETE] = change_delete,    [STATEMENT_SET] = change_set,
    [STATEMENT_PROMQL] = not_yet,
};

/* ---- running -------------------------------------------------------------------- */

/* What a statement takes, its handle holds. */
static void *resize_in_store(void *context, void *pointer, size_t old_size, size_t new_size)
{
    return mem_resize(context, pointer, old_size, new_size);
}

static enum varve_status new_result(struct store *store, const struct varve_run_options *options,
                                    struct varve_result **result, struct varve_err *err)
{
    struct varve_result *r = mem_zalloc(&store->mem, sizeof *r);
    if (!r)
        return fail_nomem(err, sizeof *r);
    r->store = store;
    r->began = clock_monotonic();
    if (options)
        r->options = *options;
    const struct varve_allocator counted = {resize_in_store, &store->mem};
    mem_init(&r->mem, &counted, (size_t)r->options.max_memory);
    arena_init(&r->arena, &r->mem, 1 << 14);
    buf_init(&r->text, &r->mem, TEXT_MOST);
    if (r->options.now == 0)
        r->options.now = clock_now();
    r->exec_options = (struct exec_options){
        .deadline = r->options.timeout > 0 ? r->began + r->options.timeout : 0,
        .timeout = r->options.timeout,
        .max_rows = r->options.max_rows,
        .stop = r->options.stop || r->options.progress ? result_stop : NULL,
        .stop_context = r,
        .threads = r->options.threads};
    r->caller = pthread_self();
    r->names = (struct store_names){.store = store, .arena = &r->arena};
    *result = r;
    return VARVE_OK;
}

/* The zone's name outlives the call. */
static enum varve_status keep_zone(struct varve_result *r, struct varve_err *err)
{
    struct varve_str zone = r->options.zone.size > 0 ? r->options.zone : varve_str("UTC");
    const char *copy = arena_copy(&r->arena, zone.data, zone.size);
    r->options.zone = (struct varve_str){copy, zone.size};
    return copy ? VARVE_OK : fail_nomem(err, zone.size);
}

static enum varve_status run_text(struct varve_result *r, struct varve_str text,
                                  struct lang_error *error, struct varve_err *err)
{
    struct running run = {.result = r, .error = error};
    char *copy = arena_copy(&r->arena, text.data, text.size);
    if (!copy)
        return fail_nomem(err, text.size);
    TRY(keep_zone(r, err));
    struct statement *statement;
    TRY(parse_statement(copy, text.size, &r->arena, &statement, error));
    run.statement = statement;
    return runners[run.statement->kind](&run, err);
}

enum varve_status
varve_run(varve *db, struct varve_str text, const struct varve_run_options *options,
          varve_result **result, struct varve_spot *spot, struct varve_err *err)
{
    struct varve_result *r = NULL;
    struct lang_error error = {.message = ""};
    if (spot)
        *spot = (struct varve_spot){0, 0};
    TRY(api_check(store_of(db), "varve_run", err));
    TRY(new_result(store_of(db), options, &r, err));
    enum varve_status status = run_text(r, text, &error, err);
    r->nanoseconds = clock_monotonic() - r->began;
    if (status == VARVE_OK) {
        *result = r;
        return VARVE_OK;
    }
    status = exec_explain_memory(&r->mem, status, err);
    /* What is wrong with the text is said by the language; all else has filled err. */
    if (error.message[0]) {
        fail(err, status, "", "%s", error.message);
        if (spot)
            *spot = (struct varve_spot){error.place.from, error.place.until - error.place.from};
    }
    varve_result_free(r);
    return status;
}

/* ---- texts ------------------------------------------------------------------------- */

size_t varve_statement_end(struct varve_str text, size_t from, int *complete)
{
    bool is_complete = false;
    size_t end = text.size > UINT32_MAX
                     ? text.size
                     : lex_statement(text.data, (uint32_t)text.size, (uint32_t)from, &is_complete);
    *complete = is_complete;
    return end;
}

int varve_statement_is_vql(struct varve_str text)
{
    return parse_is_vql(text.data, text.size);
}
