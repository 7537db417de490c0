/* SPDX-License-Identifier: Apache-2.0
 *
 * parts.c -- cuts what a scan reads into parts, runs them, and has them merged in order.
 *
 * A part shares with others only what nobody changes: the plan, the named results, the lookups; and
 * the count of memory, which may be shared.  What it has read counts when it is merged.
 */
#include "exec/parts.h"

/* What is worth a part: so many segments, or so many rows.  Opening a segment costs as much as some
 * rows. */
enum { PART_SEGMENTS = 2, PART_ROWS = 1 << 17, SEGMENT_ROWS = 4096 };

/* ---- cutting ---------------------------------------------------------------------- */

static uint64_t weight_of(const struct source *source, const struct scan *scan)
{
    bool is_read = source_is_in(source, scan->table, scan->since, scan->until);
    return is_read ? source->rows + SEGMENT_ROWS : 0;
}

/* How many parts it is worth, and what all of it weighs. */
static uint32_t plan_parts(const struct parts *parts, uint64_t *total)
{
    const struct exec *exec = parts->whole->exec;
    uint64_t segments = 0, threads = exec->options.threads, worth;
    *total = 0;
    for (size_t i = 0; parts->scan && threads > 1 && i < exec->snapshot->source_count; i++) {
        uint64_t own = weight_of(&exec->snapshot->sources[i], parts->scan);
        segments += own > 0;
        *total += own;
    }
    worth = segments / PART_SEGMENTS;
    if (worth < *total / PART_ROWS)
        worth = segments < *total / PART_ROWS ? segments : *total / PART_ROWS;
    return (uint32_t)(worth < threads ? worth : threads);
}

/* Stretches of about the same weight. */
static void cut(struct parts *parts, uint32_t most, uint64_t total)
{
    const struct snapshot *snapshot = parts->whole->exec->snapshot;
    uint64_t weight = 0;
    size_t from = 0;
    for (size_t i = 0; i < snapshot->source_count; i++) {
        uint64_t own = weight_of(&snapshot->sources[i], parts->scan);
        bool is_last = parts->count + 1 == most;
        weight += own;
        if (own == 0 || is_last || weight < total / most * (parts->count + 1))
            continue;
        parts->items[parts->count++] = (struct op_part){.from = from, .until = i + 1};
        from = i + 1;
    }
    if (from < snapshot->source_count)
        parts->items[parts->count++] =
            (struct op_part){.from = from, .until = snapshot->source_count};
    for (uint32_t p = 0; p < parts->count; p++) {
        parts->items[p].parts = parts;
        parts->items[p].number = p;
    }
}

/* ---- running ------------------------------------------------------------------------ */

static int part_stop(void *context)
{
    struct op_part *part = context;
    const struct exec_options *options = &part->parts->whole->exec->options;
    if (pool_is_caller(part->pool) && options->stop && options->stop(options->stop_context)) {
        struct varve_err err;
        pool_stop(part->pool, fail(&err, VARVE_INTERRUPTED, "", "the query was stopped"), &err);
    }
    return !pool_wants(part->pool, part->number);
}

static enum varve_status
run_part(void *context, struct pool *pool, uint32_t number, struct varve_err *err)
{
    struct parts *parts = context;
    struct op_part *part = &parts->items[number];
    part->pool = pool;
    TRY(exec_share(parts->whole->exec, part_stop, part, &part->exec, err));
    return parts->run(part, err);
}

/* Without exec_check, which counts in what the parts are copying. */
static enum varve_status check_whole(void *context, struct varve_err *err)
{
    const struct parts *parts = context;
    return exec_options_check(&parts->whole->exec->options, err);
}

/* ---- merging ------------------------------------------------------------------------ */

static void count_part(struct exec *whole, const struct exec *part)
{
    for (uint32_t i = 0; i < whole->plan->node_count; i++) {
        struct node_stats *to = &whole->stats[i];
        const struct node_stats *from = &part->stats[i];
        to->rows += from->rows;
        to->batches += from->batches;
        to->nanos += from->nanos;
        to->bytes = to->bytes < from->bytes ? from->bytes : to->bytes;
        scan_stats_add(&to->scan, &from->scan);
    }
}

static void close_part(struct op_part *part)
{
    op_close(part->op);
    part->op = NULL;
    exec_unshare(&part->exec);
}

static enum varve_status merge_all(struct parts *parts, struct varve_err *err)
{
    for (uint32_t p = 0; p < parts->count; p++) {
        struct op_part *part = &parts->items[p];
        TRY(parts->merge(part, err));
        op_close(part->op);
        part->op = NULL; /* its memory is what the next one grows into */
    }
    for (uint32_t p = 0; p < parts->count; p++)
        count_part(parts->whole->exec, &parts->items[p].exec);
    return VARVE_OK;
}

enum varve_status parts_run(struct parts *parts, bool *done, struct varve_err *err)
{
    struct exec *exec = parts->whole->exec;
    uint64_t total;
    uint32_t most = plan_parts(parts, &total);
    size_t size = most * sizeof *parts->items;
    *done = most > 1;
    if (!*done)
        return VARVE_OK;
    parts->count = 0;
    parts->items = mem_zalloc(exec->mem, size);
    if (!parts->items)
        return fail_nomem(err, size);
    cut(parts, most, total);
    struct pool_job job = {parts->count, exec->options.threads, run_part, check_whole, parts};
    enum varve_status status = pool_run(&job, err);
    if (status == VARVE_OK)
        status = merge_all(parts, err);
    for (uint32_t p = 0; p < parts->count; p++)
        close_part(&parts->items[p]);
    mem_free(exec->mem, parts->items, size);
    parts->items = NULL;
    return status;
}
