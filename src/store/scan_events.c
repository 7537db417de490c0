/* SPDX-License-Identifier: Apache-2.0
 *
 * scan_events.c -- rows of an event table, up to 1024 at a time.
 *
 * Filters compare texts.  On a column of numbers or booleans the value
 * asked for is read as one: 'true', '42', '0.25'.
 */
#include <stdlib.h>

#include "store/scan.h"

/* ---- filters ----------------------------------------------------------- */

static bool row_present(const struct table_values *v, uint32_t row)
{
    return !v->present || (v->present[row / 64] >> (row % 64) & 1);
}

/* Whether any of the filter's values, read as a number, is this one. */
static bool
number_listed(const struct scan_filter *filter, const struct table_values *v, uint32_t row)
{
    for (size_t i = 0; i < filter->count; i++) {
        struct varve_str s = filter->values[i];
        char text[64], *end;
        if (s.size == 0 || s.size >= sizeof text)
            continue;
        memcpy(text, s.data, s.size);
        text[s.size] = '\0';
        if (v->type == VARVE_BOOL) {
            if (str_equal(s, v->ints[row] ? STR("true") : STR("false")))
                return true;
        } else if (v->type == VARVE_INT) {
            long long number = strtoll(text, &end, 10);
            if (*end == '\0' && number == v->ints[row])
                return true;
        } else {
            double number = strtod(text, &end);
            if (*end == '\0' && number == v->floats[row])
                return true;
        }
    }
    return false;
}

static bool
number_passes(const struct scan_filter *filter, const struct table_values *v, uint32_t row)
{
    if (!row_present(v, row))
        return scan_filter_passes(filter, STR(""));
    return number_listed(filter, v, row) != filter->negate;
}

static enum varve_status
filter_texts(struct scan *scan, const struct scan_filter *filter, const struct table_values *v,
             uint32_t rows, uint8_t *passes, struct varve_err *err)
{
    uint8_t *allowed = arena_alloc(&scan->segment_arena, v->text_count + 1);
    if (!allowed)
        return fail_nomem(err, v->text_count);
    for (uint32_t i = 0; i < v->text_count; i++)
        allowed[i] = scan_filter_passes(filter, v->texts[i]);
    for (uint32_t r = 0; r < rows; r++)
        passes[r] &= allowed[v->codes[r]];
    return VARVE_OK;
}

static enum varve_status filter_rows(struct scan *scan, const struct scan_filter *filter,
                                     uint8_t *passes, struct varve_err *err)
{
    struct table *table = &scan->events.table;
    struct table_values values;
    uint32_t column = table_find_column(table, filter->key);
    if (column == UINT32_MAX) {
        if (!scan_filter_passes(filter, STR("")))
            memset(passes, 0, table->rows);
        return VARVE_OK;
    }
    TRY(table_values(table, column, &scan->segment_arena, &values, err));
    if (values.type == VARVE_TEXT)
        return filter_texts(scan, filter, &values, table->rows, passes, err);
    for (uint32_t r = 0; r < table->rows; r++)
        passes[r] = passes[r] && number_passes(filter, &values, r);
    return VARVE_OK;
}

/* ---- one segment ------------------------------------------------------- */

static enum varve_status keep_rows(struct scan *scan, struct varve_err *err)
{
    struct scan_events *e = &scan->events;
    uint32_t rows = e->table.rows;
    uint8_t *passes = arena_alloc(&scan->segment_arena, (size_t)rows + 1);
    e->kept = arena_alloc(&scan->segment_arena, mem_array((size_t)rows + 1, sizeof *e->kept));
    if (!passes || !e->kept)
        return fail_nomem(err, rows * sizeof *e->kept);
    for (uint32_t r = 0; r < rows; r++)
        passes[r] = e->times[r] >= scan->since && e->times[r] < scan->until;
    for (size_t i = 0; i < scan->filter_count; i++)
        TRY(filter_rows(scan, &scan->filters[i], passes, err));
    for (uint32_t r = 0; r < rows; r++)
        if (passes[r])
            e->kept[e->kept_count++] = r;
    return VARVE_OK;
}

static enum varve_status load_values(struct scan *scan, struct varve_err *err)
{
    struct scan_events *e = &scan->events;
    e->values =
        arena_zalloc(&scan->segment_arena, mem_array(scan->column_count + 1, sizeof *e->values));
    if (!e->values)
        return fail_nomem(err, scan->column_count * sizeof *e->values);
    for (size_t c = 0; c < scan->column_count; c++) {
        uint32_t column = table_find_column(&e->table, scan->columns[c]);
        if (column == UINT32_MAX)
            continue;
        TRY(table_values(&e->table, column, &scan->segment_arena, &e->values[c], err));
        scan->dictionaries[c] =
            (struct varve_dictionary){e->values[c].texts, e->values[c].text_count};
    }
    return VARVE_OK;
}

static enum varve_status
enter(struct scan *scan, struct source *source, bool *any, struct varve_err *err)
{
    struct scan_events *e = &scan->events;
    memset(e, 0, sizeof *e);
    TRY(snapshot_table(scan->snapshot, source, &scan->segment_arena, &e->table, err));
    TRY(table_times(&e->table, &scan->segment_arena, &e->times, err));
    TRY(keep_rows(scan, err));
    *any = e->kept_count > 0;
    return *any ? load_values(scan, err) : VARVE_OK;
}

/* ---- batches ----------------------------------------------------------- */

static void put_column(struct scan *scan, size_t c, const uint32_t *rows, uint32_t n)
{
    const struct table_values *v = &scan->events.values[c];
    struct column_output *o = &scan->out_values[c];
    struct varve_column *column = &scan->out_columns[c];
    *column = (struct varve_column){.type = (enum varve_type)v->type};
    if (v->type == VARVE_NULL)
        return;
    if (v->present) {
        memset(o->present, 0, sizeof o->present);
        for (uint32_t i = 0; i < n; i++)
            o->present[i / 64] |= (uint64_t)row_present(v, rows[i]) << (i % 64);
        column->present = o->present;
    }
    if (v->types) {
        for (uint32_t i = 0; i < n; i++)
            o->types[i] = v->types[rows[i]];
        column->types = o->types;
    }
    if (v->type == VARVE_TEXT) {
        for (uint32_t i = 0; i < n; i++)
            o->codes[i] = v->codes[rows[i]];
        column->codes = o->codes;
        column->dictionary = &scan->dictionaries[c];
    } else if (v->type == VARVE_FLOAT) {
        for (uint32_t i = 0; i < n; i++)
            o->floats[i] = v->floats[rows[i]];
        column->floats = o->floats;
    } else {
        for (uint32_t i = 0; i < n; i++)
            o->ints[i] = v->ints[rows[i]];
        column->ints = o->ints;
    }
}

enum varve_status scan_event_rows(struct scan *scan, struct varve_rows *rows, struct varve_err *err)
{
    struct scan_events *e = &scan->events;
    if (scan->inside && e->at == e->kept_count)
        scan->inside = false;
    if (!scan->inside)
        TRY(scan_next_segment(scan, enter, err));
    uint32_t n = e->kept_count - e->at < BLOCK_VALUES ? e->kept_count - e->at : BLOCK_VALUES;
    const uint32_t *at = e->kept + e->at;
    for (uint32_t i = 0; i < n; i++)
        scan->out->end[i] = e->times[at[i]];
    for (size_t c = 0; c < scan->column_count; c++)
        put_column(scan, c, at, n);
    e->at += n;
    scan_count_rows(scan, n);
    *rows = (struct varve_rows){.segment = scan->segment_number,
                                .rows = n,
                                .end = scan->out->end,
                                .columns = scan->out_columns};
    return VARVE_OK;
}
