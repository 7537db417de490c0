/* SPDX-License-Identifier: Apache-2.0
 *
 * scan_adjust.c -- the rows of a metric as they are meant: late readings moved where they belong.
 *
 * A reading of a cumulative counter that comes late takes a part of an increment that is stored
 * already, by a row of its own, until both are put together in one segment.  Who lists rows, or
 * counts them, or looks for the largest, must not see that: what came in and when is no part of an
 * answer.  So these rows are collected first, and taken from the increments of the same
 * series, start and end as those pass by.
 *
 * There are few of them, if any: whether there are is asked of the headers of runs.
 */
#include "exec/scan_adjust.h"

#include "exec/measure_private.h"

#define SEED UINT64_C(0x61646a7573746564)

/* What is to be taken from one row, as something negative to be added. */
struct adjustment {
    i128 ints;
    struct fsum *floats; /* NULL: none */
};

struct scan_adjust {
    struct mem *mem;
    struct arena arena;
    struct varve_str *labels; /* all that a series may have */
    struct h128 *label_hashes;
    uint32_t label_count;
    struct hash_table table; /* of a series, a start and an end: number of the adjustment */
    struct adjustment *adjustments;
    size_t count, capacity;
};

void scan_adjust_free(struct scan_adjust *a)
{
    if (!a)
        return;
    struct mem *mem = a->mem;
    hash_table_free(&a->table);
    mem_free(mem, a->adjustments, a->capacity * sizeof *a->adjustments);
    arena_free(&a->arena);
    mem_free(mem, a, sizeof *a);
}

uint32_t scan_adjust_labels(const struct scan_adjust *a, const struct varve_str **names)
{
    *names = a->labels;
    return a->label_count;
}

/* ---- which row ---------------------------------------------------------------------- */

static struct h128
series_of(const struct scan_adjust *a, const struct varve_column *labels, uint32_t run)
{
    struct h128 series = {0, 0};
    for (uint32_t i = 0; i < a->label_count; i++) {
        const struct varve_column *label = &labels[i];
        uint32_t code = label->dictionary ? label->codes[run] : 0;
        if (code == 0)
            continue;
        struct varve_str text = label->dictionary->texts[code];
        series =
            h128_add(series, h128_pair(a->label_hashes[i], hash128(text.data, text.size, SEED)));
    }
    return series;
}

static struct h128 row_of(struct h128 series, int64_t start, int64_t end)
{
    return h128_pair(series, (struct h128){(uint64_t)start * UINT64_C(0x9e3779b97f4a7c15),
                                           (uint64_t)end * UINT64_C(0xd6e8feb86659fd93)});
}

/* ---- collecting ---------------------------------------------------------------------- */

static enum varve_status
add(struct scan_adjust *a, struct h128 row, struct adjustment **found, struct varve_err *err)
{
    uint32_t number = hash_table_get(&a->table, row);
    if (number == HASH_NONE) {
        if (a->count >= HASH_NONE)
            return fail(err, VARVE_LIMIT, "query", "too many late readings: take a shorter range");
        TRY(mem_grow(a->mem, (void **)&a->adjustments, &a->capacity, a->count + 1,
                     sizeof *a->adjustments, err));
        TRY(hash_table_add(&a->table, row, (uint32_t)a->count, err));
        number = (uint32_t)a->count++;
        a->adjustments[number] = (struct adjustment){0, NULL};
    }
    *found = &a->adjustments[number];
    return VARVE_OK;
}

static enum varve_status
add_float(struct scan_adjust *a, struct adjustment *to, double value, struct varve_err *err)
{
    if (!to->floats) {
        to->floats = arena_alloc(&a->arena, sizeof *to->floats);
        if (!to->floats)
            return fail_nomem(err, sizeof *to->floats);
        fsum_clear(to->floats);
    }
    fsum_add(to->floats, value);
    return VARVE_OK;
}

static enum varve_status
take_run(struct scan_adjust *a, const struct varve_rows *rows, uint32_t run, struct varve_err *err)
{
    struct h128 series = series_of(a, rows->columns, run);
    for (uint32_t i = rows->run_start[run]; i < rows->run_start[run + 1]; i++) {
        struct adjustment *to = NULL;
        TRY(add(a, row_of(series, rows->start[i], rows->end[i]), &to, err));
        if (rows->floats)
            TRY(add_float(a, to, rows->floats[i], err));
        else
            to->ints += rows->ints[i];
    }
    return VARVE_OK;
}

static enum varve_status collect(struct scan_adjust *a, struct exec *exec,
                                 const struct varve_query *of, struct varve_err *err)
{
    struct varve_query query = *of;
    struct varve_rows rows;
    struct scan *scan;
    enum varve_status status;
    query.columns = a->labels;
    query.column_count = a->label_count;
    TRY(scan_open(exec->snapshot, &query, &scan, err));
    while ((status = scan_rows(scan, &rows, err)) == VARVE_OK) {
        TRYOUT(exec_check(exec, err));
        for (uint32_t run = 0; run < rows.runs; run++)
            if (rows.run_form[run] == VARVE_FORM_ADJUSTMENT)
                TRYOUT(take_run(a, &rows, run, err));
    }
out:
    scan_close(scan);
    return status == VARVE_DONE ? VARVE_OK : status;
}

/* Runs that have rows and no points. */
enum varve_status
scan_adjust_any(struct exec *exec, const struct varve_query *of, bool *any, struct varve_err *err)
{
    struct varve_query query = *of;
    struct varve_runs runs;
    struct scan *scan;
    enum varve_status status;
    *any = false;
    query.column_count = 0;
    status = scan_open(exec->snapshot, &query, &scan, err);
    if (status == VARVE_NOTFOUND)
        return VARVE_OK;
    TRY(status);
    while (!*any && (status = scan_runs(scan, &runs, err)) == VARVE_OK) {
        TRYOUT(exec_check(exec, err));
        if (runs.kind == VARVE_GAUGE)
            break;
        for (uint32_t run = 0; run < runs.runs; run++)
            *any |= runs.points[run] == 0;
    }
out:
    scan_close(scan);
    return status == VARVE_DONE ? VARVE_OK : status;
}

static enum varve_status find_labels(struct scan_adjust *a, struct exec *exec,
                                     const struct varve_query *query, struct varve_err *err)
{
    struct time_range range = {query->since, query->until};
    TRY(series_labels(exec->snapshot, query->source, range, &a->arena, &a->labels, &a->label_count,
                      err));
    a->label_hashes =
        arena_alloc(&a->arena, mem_array((size_t)a->label_count + 1, sizeof *a->label_hashes));
    if (!a->label_hashes)
        return fail_nomem(err, a->label_count * sizeof *a->label_hashes);
    for (uint32_t i = 0; i < a->label_count; i++)
        a->label_hashes[i] = hash128(a->labels[i].data, a->labels[i].size, SEED);
    return VARVE_OK;
}

enum varve_status scan_adjust_find(struct exec *exec, const struct varve_query *query,
                                   struct scan_adjust **adjust, struct varve_err *err)
{
    bool any;
    *adjust = NULL;
    TRY(scan_adjust_any(exec, query, &any, err));
    if (!any)
        return VARVE_OK;
    struct scan_adjust *a = mem_zalloc(exec->mem, sizeof *a);
    if (!a)
        return fail_nomem(err, sizeof *a);
    a->mem = exec->mem;
    arena_init(&a->arena, exec->mem, 1 << 12);
    hash_table_init(&a->table, exec->mem);
    enum varve_status status = find_labels(a, exec, query, err);
    if (status == VARVE_OK)
        status = collect(a, exec, query, err);
    if (status == VARVE_OK && a->count > 0)
        *adjust = a;
    else
        scan_adjust_free(a);
    return status;
}

/* ---- rows that pass by ---------------------------------------------------------------- */

static struct value value_at(const struct varve_rows *rows, uint32_t i)
{
    if (rows->floats)
        return value_float(rows->floats[i]);
    return value_int(rows->scale == 9 ? TYPE_NANO : TYPE_INT, rows->ints[i]);
}

static struct value adjusted(const struct varve_rows *rows, uint32_t i, const struct adjustment *by)
{
    struct fsum floats;
    i128 ints = by->ints + (rows->floats ? 0 : rows->ints[i]);
    fsum_clear(&floats);
    if (by->floats)
        fsum_merge(&floats, by->floats);
    if (rows->floats)
        fsum_add(&floats, rows->floats[i]);
    return number_sum(ints, rows->floats || by->floats ? &floats : NULL, rows->scale);
}

void scan_adjust_rows(struct scan_adjust *a, const struct varve_rows *rows, uint32_t first,
                      struct value *values, uint16_t *selected, uint32_t *count)
{
    *count = 0;
    for (uint32_t run = 0; run < rows->runs; run++) {
        uint8_t form = rows->run_form[run];
        struct h128 series = {0, 0};
        if (form == VARVE_FORM_ADJUSTMENT)
            continue;
        if (form == VARVE_FORM_CUMULATIVE)
            series = series_of(a, rows->columns + first, run);
        for (uint32_t i = rows->run_start[run]; i < rows->run_start[run + 1]; i++) {
            uint32_t number = HASH_NONE;
            if (form == VARVE_FORM_CUMULATIVE)
                number = hash_table_get(&a->table, row_of(series, rows->start[i], rows->end[i]));
            values[i] = number == HASH_NONE ? value_at(rows, i)
                                            : adjusted(rows, i, &a->adjustments[number]);
            selected[(*count)++] = (uint16_t)i;
        }
    }
}
