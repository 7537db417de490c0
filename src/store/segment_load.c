/* SPDX-License-Identifier: Apache-2.0
 *
 * segment_load.c -- every row of a segment back into a rowset.
 *
 * The texts of the dictionaries are interned once each; the label set of a run
 * is then found by adding up hashes that are at hand, without touching a text.
 * Codes are read for a block of runs at a time, rows for up to 1024 at a time.
 *
 * Bytes that pass their checksum but were made by no builder are refused where
 * they would break what a rowset promises: keys twice, empty values, modes
 * there are not.  segment_verify checks the rest.
 */
#include "base/err.h"
#include "store/segment_view.h"
#include "store/sort.h"

#include <string.h>

struct load_key {
    uint32_t text;       /* interned in the rowset */
    uint32_t *values;    /* by code */
    struct h128 *hashes; /* of (key, value), by code */
    uint32_t *codes;     /* of the runs at hand */
};
struct load {
    struct segment *segment;
    struct rowset *rowset;
    struct arena arena;
    struct load_key *keys;    /* sorted by text */
    struct label_pair *pairs; /* of the run at hand */
    int64_t *starts, *ends;
    int64_t *ints;
    double *floats;
    uint32_t block; /* which of the value column is decoded */
};

static int compare_keys(const void *context, uint32_t a, uint32_t b)
{
    const struct varve_str *keys = context;
    return str_compare(keys[a], keys[b]);
}

static enum varve_status
load_key(struct load *load, uint32_t k, struct load_key *key, struct varve_err *err)
{
    const struct varve_str *texts = NULL;
    uint32_t count;
    TRY(intern_put(&load->rowset->texts, load->segment->keys[k], &key->text, err));
    TRY(segment_dictionary(load->segment, k, &load->arena, &texts, &count, err));
    TRY(segment_array(&load->arena, count, sizeof *key->values, &key->values, err));
    TRY(segment_array(&load->arena, count, sizeof *key->hashes, &key->hashes, err));
    TRY(segment_array(&load->arena, BLOCK_VALUES, sizeof *key->codes, &key->codes, err));
    key->values[0] = 0;
    key->hashes[0] = (struct h128){0, 0};
    for (uint32_t i = 1; i < count; i++) {
        if (texts[i].size == 0)
            return segment_damaged(load->segment, err, "an empty value of label key %u", k);
        TRY(intern_put(&load->rowset->texts, texts[i], &key->values[i], err));
        key->hashes[i] = h128_pair(load->rowset->texts.items[key->text].hash,
                                   load->rowset->texts.items[key->values[i]].hash);
    }
    return VARVE_OK;
}

/* order: the keys sorted by their texts. */
static enum varve_status load_keys(struct load *load, uint32_t **order, struct varve_err *err)
{
    struct segment *segment = load->segment;
    uint32_t n = segment->key_count;
    TRY(segment_array(&load->arena, n * (size_t)2, sizeof **order, order, err));
    TRY(segment_array(&load->arena, n, sizeof *load->keys, &load->keys, err));
    TRY(segment_array(&load->arena, n, sizeof *load->pairs, &load->pairs, err));
    for (uint32_t k = 0; k < n; k++)
        (*order)[k] = k;
    sort_numbers(*order, *order + n, n, compare_keys, segment->keys);
    for (uint32_t i = 0; i < n; i++) {
        struct varve_str key = segment->keys[(*order)[i]];
        if (key.size == 0 || (i > 0 && str_equal(key, segment->keys[(*order)[i - 1]])))
            return segment_damaged(segment, err, "label key %u is empty or there twice",
                                   (*order)[i]);
        TRY(load_key(load, (*order)[i], &load->keys[i], err));
    }
    return VARVE_OK;
}

/* The label set of run `i` of those whose codes are at hand. */
static enum varve_status
find_set(struct load *load, uint32_t i, uint32_t *set, struct varve_err *err)
{
    struct h128 hash = {0, 0};
    uint32_t count = 0;
    for (uint32_t k = 0; k < load->segment->key_count; k++) {
        const struct load_key *key = &load->keys[k];
        uint32_t code = key->codes[i];
        if (code == 0)
            continue;
        hash = h128_add(hash, key->hashes[code]);
        load->pairs[count++] = (struct label_pair){key->text, key->values[code]};
    }
    return rowset_set(load->rowset, load->pairs, count, hash, set, err);
}

/* The values of rows [row, row + n) of a metric's ints or floats, as bits. */
static enum varve_status load_values(struct load *load, const struct column *column, uint32_t row,
                                     uint32_t n, struct row *rows, struct varve_err *err)
{
    for (uint32_t i = 0; i < n; i++, row++) {
        uint32_t block = row / BLOCK_VALUES;
        if (row >= column->count)
            return segment_damaged(load->segment, err, "value %u of %u", row, column->count);
        if (block != load->block) {
            load->block = block;
            if (column->type == COLUMN_INTS)
                TRY(column_ints(column, block, load->ints, err));
            else
                TRY(column_floats(column, block, load->floats, err));
        }
        if (column->type == COLUMN_INTS)
            rows[i].value = load->ints[row % BLOCK_VALUES];
        else
            memcpy(&rows[i].value, &load->floats[row % BLOCK_VALUES], sizeof rows[i].value);
    }
    return VARVE_OK;
}

static enum varve_status
load_run(struct load *load, const struct segment_runs *runs, uint32_t r, uint32_t series,
         const struct column *column, struct varve_err *err)
{
    struct rowset *rowset = load->rowset;
    for (uint32_t from = 0, n; from < runs->rows[r]; from += n) {
        n = runs->rows[r] - from;
        n = n < BLOCK_VALUES ? n : BLOCK_VALUES;
        TRY(segment_times(load->segment, runs->time[r], from, n, load->starts, load->ends, err));
        TRY(rowset_grow(rowset, n, err));
        struct row *rows = rowset->rows + rowset->row_count;
        for (uint32_t i = 0; i < n; i++)
            rows[i] = (struct row){.series = series,
                                   .mode = runs->mode[r],
                                   .is_float = column->type == COLUMN_FLOATS,
                                   .start = load->starts[i],
                                   .end = load->ends[i]};
        TRY(load_values(load, column, runs->row_at[r] + from, n, rows, err));
        rowset->row_count += n;
    }
    return VARVE_OK;
}

/* Codes of the block of runs that holds run `run` of the segment. */
static enum varve_status
load_codes(struct load *load, const uint32_t *order, uint32_t run, struct varve_err *err)
{
    uint32_t from = run - run % BLOCK_VALUES, n = load->segment->run_count - from;
    n = n < BLOCK_VALUES ? n : BLOCK_VALUES;
    for (uint32_t k = 0; k < load->segment->key_count; k++)
        TRY(segment_codes(load->segment, order[k], from, n, load->keys[k].codes, err));
    return VARVE_OK;
}

static enum varve_status load_metric(struct load *load, uint32_t m, const uint32_t *order,
                                     struct arena *arena, struct varve_err *err)
{
    struct segment *segment = load->segment;
    const struct segment_metric *metric = &segment->metrics[m];
    struct segment_runs runs;
    struct column ints = {.type = COLUMN_INTS}, floats = {.type = COLUMN_FLOATS};
    uint32_t id, set, series;
    TRY(rowset_metric(load->rowset, metric->name, metric->unit, metric->kind, metric->scale, &id,
                      err));
    TRY(segment_runs(segment, m, arena, &runs, err));
    if (metric->int_runs > 0)
        TRY(segment_need(segment, segment_ints(segment, m, &ints, err), err));
    if (metric->float_runs > 0)
        TRY(segment_need(segment, segment_floats(segment, m, &floats, err), err));
    load->block = UINT32_MAX;
    for (uint32_t r = 0; r < runs.count; r++) {
        uint32_t run = metric->first_run + r;
        if (r == 0 || run % BLOCK_VALUES == 0)
            TRY(load_codes(load, order, run, err));
        if (r == runs.ints)
            load->block = UINT32_MAX;
        TRY(find_set(load, run % BLOCK_VALUES, &set, err));
        TRY(rowset_series(load->rowset, id, set, &series, err));
        TRY(load_run(load, &runs, r, series, r < runs.ints ? &ints : &floats, err));
    }
    return VARVE_OK;
}

static enum varve_status load_all(struct load *load, struct varve_err *err)
{
    uint32_t *order = NULL;
    struct arena runs;
    TRY(segment_array(&load->arena, BLOCK_VALUES, sizeof *load->starts, &load->starts, err));
    TRY(segment_array(&load->arena, BLOCK_VALUES, sizeof *load->ends, &load->ends, err));
    TRY(segment_array(&load->arena, BLOCK_VALUES, sizeof *load->ints, &load->ints, err));
    TRY(segment_array(&load->arena, BLOCK_VALUES, sizeof *load->floats, &load->floats, err));
    TRY(load_keys(load, &order, err));
    arena_init(&runs, load->arena.mem, load->arena.chunk);
    enum varve_status status = VARVE_OK;
    for (uint32_t m = 0; m < load->segment->metric_count && status == VARVE_OK; m++) {
        status = load_metric(load, m, order, &runs, err);
        arena_clear(&runs);
    }
    arena_free(&runs);
    return status;
}

enum varve_status
segment_load(struct segment *segment, struct rowset *rowset, struct varve_err *err)
{
    struct load load = {.segment = segment, .rowset = rowset};
    arena_init(&load.arena, segment->arena->mem, segment->arena->chunk);
    size_t rows = rowset->row_count;
    enum varve_status status = rowset_grow(rowset, segment->blob.head.rows, err);
    if (status == VARVE_OK)
        status = load_all(&load, err);
    if (status == VARVE_OK && rowset->row_count - rows != segment->blob.head.rows)
        status = segment_damaged(segment, err, "%zu rows, the head says %u",
                                 rowset->row_count - rows, segment->blob.head.rows);
    if (status != VARVE_OK)
        rowset->row_count = rows;
    arena_free(&load.arena);
    return status;
}
