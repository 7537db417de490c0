/* SPDX-License-Identifier: Apache-2.0
 *
 * result.c -- the public interface: columns and rows of a statement.
 */
#include "api/result.h"

#include <stdio.h>

#include "api/note.h"
#include "base/clock.h"

_Static_assert(VARVE_CELL_BOOL == (int)TYPE_BOOL && VARVE_CELL_NANO == (int)TYPE_NANO &&
                   VARVE_CELL_TIME == (int)TYPE_TIME && VARVE_CELL_TEXT == (int)TYPE_TEXT &&
                   VARVE_CELL_DURATION == (int)TYPE_DURATION,
               "a cell's type is the type of its value");

static struct varve_cell cell_of(struct value v)
{
    struct varve_cell cell = {.type = (enum varve_cell_type)v.type};
    if (v.type == TYPE_TEXT)
        cell.as.s = value_str(v);
    else if (v.type == TYPE_FLOAT)
        cell.as.f = v.as.f;
    else
        cell.as.i = v.as.i;
    return cell;
}

size_t varve_cell_print(const struct varve_cell *cell, char text[VARVE_CELL_TEXT_MAX])
{
    _Static_assert(VARVE_CELL_TEXT_MAX == VALUE_TEXT_MAX, "the same room");
    struct value v = {.type = (uint32_t)cell->type};
    if (cell->type == VARVE_CELL_TEXT)
        v = value_text((struct varve_str){cell->as.s.data, str_cut(cell->as.s, 40)});
    else if (cell->type == VARVE_CELL_FLOAT)
        v.as.f = cell->as.f;
    else
        v.as.i = cell->as.i;
    if (v.type != TYPE_TEXT)
        return value_print(v, text);
    return (size_t)snprintf(text, VARVE_CELL_TEXT_MAX, "%.*s", (int)v.size, v.as.s);
}

/* ---- starting ----------------------------------------------------------------- */

static enum varve_status make_columns(struct varve_result *r, size_t count, struct varve_err *err)
{
    size_t size = mem_array(count + 1, sizeof *r->columns);
    size_t cells = mem_array((count + 1) * BATCH_ROWS, sizeof *r->cells);
    r->columns = arena_zalloc(&r->arena, size);
    r->cells = arena_alloc(&r->arena, cells);
    r->column_count = count;
    return r->columns && r->cells ? VARVE_OK : fail_nomem(err, cells);
}

int result_stop(void *result)
{
    struct varve_result *r = result;
    if (r->options.progress && r->snapshot && pthread_equal(r->caller, pthread_self())) {
        struct varve_progress progress = {.segments = r->snapshot->sources_read,
                                          .planned = r->planned,
                                          .rows = r->snapshot->rows_read};
        if (progress.planned > 0 && progress.segments > progress.planned)
            progress.segments = progress.planned;
        r->options.progress(r->options.progress_context, &progress);
    }
    return r->options.stop && r->options.stop(r->options.stop_context);
}

static enum varve_status check_result(void *context, struct varve_err *err)
{
    const struct varve_result *r = context;
    return exec_options_check(&r->exec_options, err);
}

enum varve_status result_snapshot(struct varve_result *r, struct varve_err *err)
{
    TRY(snapshot_open(r->store, &r->snapshot, err));
    r->snapshot->mem = &r->mem;
    r->snapshot->check = check_result;
    r->snapshot->check_context = r;
    r->names.snapshot = r->snapshot;
    return VARVE_OK;
}

enum varve_status result_start(struct varve_result *r, struct varve_err *err)
{
    const struct node *root = r->plan->root;
    TRY(make_columns(r, root->column_count, err));
    for (uint32_t i = 0; i < root->column_count; i++)
        r->columns[i] =
            (struct varve_column_info){root->columns[i].name, root->columns[i].unit,
                                       (enum varve_cell_type)root->columns[i].type,
                                       i < root->key_count + (root->has_bucket ? 1 : 0)};
    TRY(exec_open(r->plan, r->snapshot, &r->names.lookups, &r->exec_options, &r->mem, &r->exec,
                  err));
    if (r->options.progress)
        r->planned = exec_planned(r->exec);
    return VARVE_OK;
}

enum varve_status result_lines(struct varve_result *r, const char *column, struct varve_err *err)
{
    TRY(buf_status(&r->text, err));
    TRY(make_columns(r, 1, err));
    r->columns[0] = (struct varve_column_info){.name = varve_str(column), .type = VARVE_CELL_TEXT};
    r->has_text = true;
    return VARVE_OK;
}

/* ---- fetching ------------------------------------------------------------------- */

const struct varve_column_info *varve_result_columns(const varve_result *result, size_t *count)
{
    *count = result->column_count;
    return result->columns;
}

static enum varve_status next_lines(struct varve_result *r, size_t *rows)
{
    const char *text = (const char *)r->text.data;
    for (*rows = 0; *rows < BATCH_ROWS && r->text_at < r->text.size; (*rows)++) {
        const char *from = text + r->text_at;
        const char *end = memchr(from, '\n', r->text.size - r->text_at);
        size_t size = end ? (size_t)(end - from) : r->text.size - r->text_at;
        r->cells[*rows] = (struct varve_cell){.type = VARVE_CELL_TEXT, .as.s = {from, size}};
        r->text_at += size + (end ? 1 : 0);
    }
    return *rows > 0 ? VARVE_OK : VARVE_DONE;
}

static enum varve_status next_batch(struct varve_result *r, size_t *rows, struct varve_err *err)
{
    struct batch batch;
    TRY(exec_next(r->exec, &batch, err));
    *rows = batch_count(&batch);
    for (uint32_t c = 0; c < r->column_count; c++)
        for (uint32_t i = 0; i < *rows; i++) {
            struct value v = vector_value(&batch.columns[c], batch_row(&batch, i));
            r->cells[i * r->column_count + c] = cell_of(v);
            r->has_values |= v.type != TYPE_NULL && !r->columns[c].is_key;
        }
    return VARVE_OK;
}

enum varve_status varve_result_next(varve_result *result, const struct varve_cell **cells,
                                    size_t *rows, struct varve_err *err)
{
    if (!result)
        return fail(err, VARVE_MISUSE, "varve_result_next", "the result is NULL");
    TRY(api_check(result->store, "varve_result_next", err));
    int64_t began = clock_monotonic();
    size_t n = 0;
    result->caller = pthread_self();
    enum varve_status status = VARVE_DONE;
    if (result->has_text)
        status = next_lines(result, &n);
    /* An empty batch is no reason to bother the caller. */
    while (result->exec && (status = next_batch(result, &n, err)) == VARVE_OK && n == 0)
        ;
    if (status == VARVE_DONE && result->exec && !result->has_values && !result->note[0])
        note_why_empty(result->plan, result->snapshot, result->note, sizeof result->note);
    result->nanoseconds += clock_monotonic() - began;
    if (status != VARVE_OK)
        return status;
    result->rows += n;
    *rows = n;
    *cells = result->cells;
    return VARVE_OK;
}

/* ---- about it --------------------------------------------------------------------- */

struct varve_scan_stats result_scan_stats(const struct varve_result *r)
{
    struct varve_scan_stats sum = {.rows = 0};
    for (uint32_t i = 0; r->exec && i < r->plan->node_count; i++)
        scan_stats_add(&sum, &r->exec->stats[i].scan);
    return sum;
}

static struct varve_str bucket_text(struct varve_result *r)
{
    const struct bucket *bucket = &r->plan->bucket;
    char text[VALUE_TEXT_MAX] = "";
    size_t size = 0;
    if (bucket->kind == BUCKET_CALENDAR)
        return varve_str(calendar_unit_names[bucket->unit]);
    if (bucket->kind == BUCKET_FIXED)
        size = value_print(value_int(TYPE_DURATION, bucket->width), text);
    const char *copy = arena_copy(&r->arena, text, size);
    return (struct varve_str){copy ? copy : "", copy ? size : 0};
}

void varve_result_info(varve_result *result, struct varve_result_info *info)
{
    struct varve_scan_stats stats = result_scan_stats(result);
    const struct plan *plan = result->plan;
    *info = (struct varve_result_info){.note = varve_str(result->note),
                                       .rows = result->rows,
                                       .points = stats.rows,
                                       .runs = stats.runs,
                                       .runs_from_headers = stats.runs_from_headers,
                                       .segments = stats.segments,
                                       .nanoseconds = result->nanoseconds};
    if (!plan)
        return;
    info->has_range = plan->range.since <= plan->range.until;
    info->since = plan->range.since;
    info->until = plan->range.until;
    info->zone = plan->zone;
    info->bucket = bucket_text(result);
}

void varve_result_free(varve_result *result)
{
    if (!result)
        return;
    struct store *store = result->store;
    exec_close(result->exec);
    if (result->snapshot && api_check(store, "varve_result_free", NULL) == VARVE_OK)
        snapshot_close(result->snapshot);
    buf_free(&result->text);
    arena_free(&result->arena);
    mem_free(&store->mem, result, sizeof *result);
}
