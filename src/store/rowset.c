/* SPDX-License-Identifier: Apache-2.0
 *
 * rowset.c -- metrics, series and rows in memory; label sets are made in rowset_sets.c.
 *
 * Whatever has a number is found by the hash of what it is, which does not depend on numbers: so
 * series go from one rowset into another by looking their hashes up.
 */
#include "store/rowset.h"

#include <string.h>

enum { PAIRS_CHUNK = 4096 };

enum varve_status
rowset_init(struct rowset *rowset, struct mem *mem, uint64_t seed, struct varve_err *err)
{
    *rowset = (struct rowset){.mem = mem};
    arena_init(&rowset->arena, mem, PAIRS_CHUNK);
    hash_table_init(&rowset->metric_table, mem);
    hash_table_init(&rowset->set_table, mem);
    hash_table_init(&rowset->series_table, mem);
    uint32_t empty;
    enum varve_status status = intern_init(&rowset->texts, mem, seed, err);
    if (status == VARVE_OK)
        status = rowset_add_set(rowset, NULL, 0, (struct h128){0, 0}, &empty, err);
    if (status != VARVE_OK)
        rowset_free(rowset);
    return status;
}

void rowset_free(struct rowset *rowset)
{
    struct mem *mem = rowset->mem;
    mem_free(mem, rowset->rows, rowset->row_capacity * sizeof *rowset->rows);
    mem_free(mem, rowset->series, rowset->series_capacity * sizeof *rowset->series);
    mem_free(mem, rowset->sets, rowset->set_capacity * sizeof *rowset->sets);
    mem_free(mem, rowset->metrics, rowset->metric_capacity * sizeof *rowset->metrics);
    hash_table_free(&rowset->series_table);
    hash_table_free(&rowset->set_table);
    hash_table_free(&rowset->metric_table);
    intern_free(&rowset->texts);
    arena_free(&rowset->arena);
    *rowset = (struct rowset){.mem = mem};
}

enum varve_status rowset_clear(struct rowset *rowset, struct varve_err *err)
{
    hash_table_clear(&rowset->metric_table);
    hash_table_clear(&rowset->set_table);
    hash_table_clear(&rowset->series_table);
    arena_clear(&rowset->arena);
    rowset->metric_count = rowset->set_count = rowset->series_count = rowset->row_count = 0;
    memset(rowset->recent, 0, sizeof rowset->recent);
    for (size_t i = 0; i < ROWSET_SHAPES; i++)
        rowset->shapes[i].inherited = rowset->shapes[i].own = 0;
    TRY(intern_clear(&rowset->texts, err));
    uint32_t empty;
    return rowset_add_set(rowset, NULL, 0, (struct h128){0, 0}, &empty, err);
}

/* A metric whose name is known: does the new description agree? */
static enum varve_status agree(struct rowset *rowset, uint32_t id, struct varve_str unit,
                               uint8_t kind, uint8_t scale, struct varve_err *err)
{
    struct rowset_metric *metric = &rowset->metrics[id];
    struct varve_str name = intern_text(&rowset->texts, metric->name);
    if (metric->kind != kind)
        return fail(err, VARVE_INVALID, "", "metric %.*s is of kind %u here and of kind %u before",
                    STR_ARG(name), kind, metric->kind);
    if (metric->scale != scale)
        return fail(err, VARVE_INVALID, "",
                    "metric %.*s counts in units of 1e-%u here and of 1e-%u before", STR_ARG(name),
                    scale, metric->scale);
    if (metric->unit == 0 && unit.size > 0)
        TRY(intern_put(&rowset->texts, unit, &metric->unit, err));
    return VARVE_OK;
}

enum varve_status rowset_metric(struct rowset *rowset, struct varve_str name, struct varve_str unit,
                                uint8_t kind, uint8_t scale, uint32_t *id, struct varve_err *err)
{
    struct h128 hash = hash128(name.data, name.size, rowset->texts.seed);
    uint32_t known = hash_table_get(&rowset->metric_table, hash);
    if (known != HASH_NONE) {
        TRY(agree(rowset, known, unit, kind, scale, err));
        *id = known;
        return VARVE_OK;
    }
    struct rowset_metric metric = {.kind = kind, .scale = scale};
    TRY(intern_put_hash(&rowset->texts, name, hash, &metric.name, err));
    TRY(intern_put(&rowset->texts, unit, &metric.unit, err));
    TRY(mem_grow(rowset->mem, (void **)&rowset->metrics, &rowset->metric_capacity,
                 rowset->metric_count + 1, sizeof *rowset->metrics, err));
    uint32_t next = (uint32_t)rowset->metric_count;
    TRY(hash_table_add(&rowset->metric_table, hash, next, err));
    rowset->metrics[next] = metric;
    rowset->metric_count++;
    *id = next;
    return VARVE_OK;
}

uint32_t rowset_find_metric(const struct rowset *rowset, struct varve_str name)
{
    return hash_table_get(&rowset->metric_table, hash128(name.data, name.size, rowset->texts.seed));
}

static enum varve_status add_series(struct rowset *rowset, uint32_t metric, uint32_t set,
                                    struct h128 hash, uint32_t *series, struct varve_err *err)
{
    if (rowset->series_count >= HASH_NONE)
        return fail(err, VARVE_LIMIT, "", "more than %u series at once", HASH_NONE);
    TRY(mem_grow(rowset->mem, (void **)&rowset->series, &rowset->series_capacity,
                 rowset->series_count + 1, sizeof *rowset->series, err));
    uint32_t next = (uint32_t)rowset->series_count;
    TRY(hash_table_add(&rowset->series_table, hash, next, err));
    rowset->series[next] = (struct rowset_series){metric, set, hash};
    rowset->series_count++;
    *series = next;
    return VARVE_OK;
}

static bool is_series(const struct rowset *rowset, uint32_t series, uint32_t metric, uint32_t set)
{
    return series < rowset->series_count && rowset->series[series].metric == metric &&
           rowset->series[series].set == set;
}

enum varve_status rowset_series(struct rowset *rowset, uint32_t metric, uint32_t set,
                                uint32_t *series, struct varve_err *err)
{
    if (metric >= rowset->metric_count || set >= rowset->set_count)
        return fail(err, VARVE_MISUSE, "", "metric %u of %zu, label set %u of %zu", metric,
                    rowset->metric_count, set, rowset->set_count);
    struct label_set *labels = &rowset->sets[set];
    uint32_t known = rowset->likely_series;
    if (!is_series(rowset, known, metric, set))
        known = labels->series;
    if (!is_series(rowset, known, metric, set)) {
        struct h128 name = rowset->texts.items[rowset->metrics[metric].name].hash;
        struct h128 hash = h128_pair(name, labels->hash);
        known = hash_table_get(&rowset->series_table, hash);
        if (known == HASH_NONE)
            TRY(add_series(rowset, metric, set, hash, &known, err));
        labels->series = known;
    }
    *series = known;
    rowset->likely_series = known + 1;
    return VARVE_OK;
}

enum varve_status rowset_grow(struct rowset *rowset, size_t rows, struct varve_err *err)
{
    return mem_grow(rowset->mem, (void **)&rowset->rows, &rowset->row_capacity,
                    rowset->row_count + rows, sizeof *rowset->rows, err);
}

void rowset_by_series(const struct rowset *rowset, const uint32_t *index, size_t count,
                      uint32_t *ends, uint32_t *order)
{
    const struct row *rows = rowset->rows;
    size_t series = rowset->series_count;
    memset(ends, 0, (series + 1) * sizeof *ends);
    for (size_t i = 0; i < count; i++)
        ends[rows[index ? index[i] : i].series + 1]++;
    for (size_t s = 0; s < series; s++)
        ends[s + 1] += ends[s];
    for (size_t i = 0; i < count; i++) {
        uint32_t at = index ? index[i] : (uint32_t)i;
        order[ends[rows[at].series]++] = at;
    }
}

/* A text of another rowset, here. */
static enum varve_status
import_text(struct rowset *rowset, const struct rowset *from, uint32_t text, uint32_t *texts,
            uint32_t *id, struct varve_err *err)
{
    const struct interned *item = &from->texts.items[text];
    if (texts && texts[text] != HASH_NONE) {
        *id = texts[text];
        return VARVE_OK;
    }
    TRY(intern_put_hash(&rowset->texts, item->text, item->hash, id, err));
    if (texts)
        texts[text] = *id;
    return VARVE_OK;
}

/* A label set of another rowset: its pairs are in order, its hash is known. */
static enum varve_status
import_set(struct rowset *rowset, const struct rowset *from, const struct label_set *set,
           uint32_t *texts, uint32_t *id, struct varve_err *err)
{
    *id = hash_table_get(&rowset->set_table, set->hash);
    if (*id != HASH_NONE)
        return VARVE_OK;
    struct label_pair *pairs = arena_alloc(&rowset->arena, set->count * sizeof *pairs);
    if (!pairs)
        return fail_nomem(err, set->count * sizeof *pairs);
    for (uint32_t i = 0; i < set->count; i++) {
        TRY(import_text(rowset, from, set->pairs[i].key, texts, &pairs[i].key, err));
        TRY(import_text(rowset, from, set->pairs[i].value, texts, &pairs[i].value, err));
    }
    return rowset_add_set(rowset, pairs, set->count, set->hash, id, err);
}

enum varve_status
rowset_import_mapped(struct rowset *rowset, const struct rowset *from, uint32_t series,
                     uint32_t *texts, uint32_t *id, struct varve_err *err)
{
    if (series >= from->series_count || from->texts.seed != rowset->texts.seed)
        return fail(err, VARVE_MISUSE, "", "series %u of %zu, or sets of different seeds", series,
                    from->series_count);
    const struct rowset_series *s = &from->series[series];
    *id = hash_table_get(&rowset->series_table, s->hash);
    if (*id != HASH_NONE)
        return VARVE_OK;
    const struct rowset_metric *m = &from->metrics[s->metric];
    uint32_t metric, set;
    TRY(rowset_metric(rowset, intern_text(&from->texts, m->name),
                      intern_text(&from->texts, m->unit), m->kind, m->scale, &metric, err));
    TRY(import_set(rowset, from, &from->sets[s->set], texts, &set, err));
    return add_series(rowset, metric, set, s->hash, id, err);
}

enum varve_status rowset_import(struct rowset *rowset, const struct rowset *from, uint32_t series,
                                uint32_t *id, struct varve_err *err)
{
    return rowset_import_mapped(rowset, from, series, NULL, id, err);
}

uint32_t rowset_find(const struct rowset *rowset, struct h128 hash)
{
    return hash_table_get(&rowset->series_table, hash);
}
