/* SPDX-License-Identifier: Apache-2.0
 *
 * rowset.c -- metrics, label sets, series and rows in memory.
 *
 * The hash of a label set is the sum of the hashes of its pairs, so deriving a
 * set costs as much as what it changes: take out the pair that is replaced, put in
 * the new one, look the sum up.  Only a set that was never seen is put together
 * and its texts kept; that is why nothing is interned before the look-up failed.
 *
 * Invariant: two sets have equal hashes just if they have equal pairs (hash.h
 * says why that may be relied upon), hence equal numbers.
 */
#include "store/rowset.h"

#include <string.h>

enum { PAIRS_CHUNK = 4096, LABELS_ON_STACK = 32 };

/* A label on its way into a set. */
struct wanted {
    struct h128 key, value;
    uint32_t key_id, value_id; /* 0: not known */
    const struct varve_label *label;
};

static enum varve_status
add_set(struct rowset *rowset, const struct label_pair *pairs, size_t count, struct h128 hash,
        uint32_t *set, struct varve_err *err)
{
    if (rowset->set_count >= HASH_NONE)
        return fail(err, VARVE_LIMIT, "", "more than %u label sets at once", HASH_NONE);
    TRY(mem_grow(rowset->mem, (void **)&rowset->sets, &rowset->set_capacity, rowset->set_count + 1,
                 sizeof *rowset->sets, err));
    uint32_t id = (uint32_t)rowset->set_count;
    TRY(hash_table_add(&rowset->set_table, hash, id, err));
    rowset->sets[id] = (struct label_set){pairs, (uint32_t)count, hash};
    rowset->set_count++;
    *set = id;
    return VARVE_OK;
}

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
        status = add_set(rowset, NULL, 0, (struct h128){0, 0}, &empty, err);
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
    TRY(intern_clear(&rowset->texts, err));
    uint32_t empty;
    return add_set(rowset, NULL, 0, (struct h128){0, 0}, &empty, err);
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

/* The pair of that key in a set, or NULL. */
static const struct label_pair *find_pair(const struct label_set *set, uint32_t key)
{
    for (uint32_t i = 0; i < set->count; i++)
        if (set->pairs[i].key == key)
            return &set->pairs[i];
    return NULL;
}

static struct h128 text_hash(const struct rowset *rowset, uint32_t text)
{
    return rowset->texts.items[text].hash;
}

/* Names repeat from set to set, and many values do. */
static struct wanted look_up_recent(const struct rowset *rowset, const struct varve_label *label)
{
    struct wanted w = {.label = label};
    size_t slot = intern_slot(label->key);
    const struct interned *texts = rowset->texts.items;
    uint32_t key = rowset->recent[slot].key, value = rowset->recent[slot].value;
    if (key == 0 || !str_equal(texts[key].text, label->key))
        return w;
    w.key_id = key;
    w.key = texts[key].hash;
    if (value == 0 || !str_equal(texts[value].text, label->value))
        return w;
    w.value_id = value;
    w.value = texts[value].hash;
    return w;
}

bool rowset_knows_label(const struct rowset *rowset, const struct varve_label *label)
{
    return look_up_recent(rowset, label).value_id != 0;
}

static struct wanted want(const struct rowset *rowset, const struct varve_label *label)
{
    struct wanted w = look_up_recent(rowset, label);
    if (w.key_id == 0)
        w.key = hash128(label->key.data, label->key.size, rowset->texts.seed);
    if (w.value_id == 0 && label->value.size > 0)
        w.value = hash128(label->value.data, label->value.size, rowset->texts.seed);
    return w;
}

/* Hashes the labels and makes the hash of the set they lead to. */
static enum varve_status
hash_labels(const struct rowset *rowset, const struct label_set *parent,
            const struct varve_label *labels, size_t count, struct wanted *wanted,
            struct h128 *hash, struct varve_err *err)
{
    *hash = parent->hash;
    for (size_t i = 0; i < count; i++) {
        const struct varve_label *label = &labels[i];
        struct wanted *w = &wanted[i];
        *w = want(rowset, label);
        for (size_t j = 0; j < i; j++)
            if (wanted[j].key.lo == w->key.lo && h128_equal(wanted[j].key, w->key))
                return fail(err, VARVE_INVALID, "", "label %.*s is given twice",
                            STR_ARG(label->key));
        if (label->key.size == 0)
            return fail(err, VARVE_INVALID, "", "a label without a name");
        if (parent->count > 0) {
            uint32_t key = w->key_id ? w->key_id : hash_table_get(&rowset->texts.table, w->key);
            const struct label_pair *old = key == HASH_NONE ? NULL : find_pair(parent, key);
            if (old)
                *hash = h128_sub(*hash, h128_pair(w->key, text_hash(rowset, old->value)));
        }
        if (label->value.size > 0)
            *hash = h128_add(*hash, h128_pair(w->key, w->value));
    }
    return VARVE_OK;
}

/* Sets, replaces or removes one pair among sorted ones. */
static void put_pair(const struct rowset *rowset, struct label_pair *pairs, size_t *count,
                     struct label_pair pair)
{
    struct varve_str key = intern_text(&rowset->texts, pair.key);
    size_t i = *count;
    while (i > 0 && pairs[i - 1].key != pair.key &&
           str_compare(intern_text(&rowset->texts, pairs[i - 1].key), key) > 0)
        i--;
    int there = i > 0 && pairs[i - 1].key == pair.key;
    if (there && pair.value != 0) {
        pairs[i - 1] = pair;
    } else if (there) {
        memmove(pairs + i - 1, pairs + i, (*count - i) * sizeof *pairs);
        *count -= 1;
    } else if (pair.value != 0) {
        memmove(pairs + i + 1, pairs + i, (*count - i) * sizeof *pairs);
        pairs[i] = pair;
        *count += 1;
    }
}

/* Puts a set together that was not known. */
static enum varve_status
make_set(struct rowset *rowset, const struct label_set *parent, const struct wanted *wanted,
         size_t count, struct h128 hash, uint32_t *set, struct varve_err *err)
{
    size_t most = parent->count + count, used = parent->count;
    if (most > ROWSET_LABELS)
        return fail(err, VARVE_LIMIT, "", "%zu labels, at most %d are possible", most,
                    ROWSET_LABELS);
    struct label_pair *pairs = arena_alloc(&rowset->arena, most * sizeof *pairs);
    if (!pairs)
        return fail_nomem(err, most * sizeof *pairs);
    if (used > 0)
        memcpy(pairs, parent->pairs, used * sizeof *pairs);
    for (size_t i = 0; i < count; i++) {
        const struct varve_label *label = wanted[i].label;
        struct label_pair pair = {wanted[i].key_id, wanted[i].value_id};
        if (pair.key == 0)
            TRY(intern_put_hash(&rowset->texts, label->key, wanted[i].key, &pair.key, err));
        if (pair.value == 0 && label->value.size > 0)
            TRY(intern_put_hash(&rowset->texts, label->value, wanted[i].value, &pair.value, err));
        size_t slot = intern_slot(label->key);
        rowset->recent[slot].key = pair.key;
        rowset->recent[slot].value = pair.value;
        put_pair(rowset, pairs, &used, pair);
    }
    return add_set(rowset, pairs, used, hash, set, err);
}

enum varve_status
rowset_labels(struct rowset *rowset, uint32_t parent, const struct varve_label *labels,
              size_t count, uint32_t *set, struct varve_err *err)
{
    if (parent >= rowset->set_count)
        return fail(err, VARVE_MISUSE, "", "label set %u, there are %zu", parent,
                    rowset->set_count);
    if (count > ROWSET_LABELS)
        return fail(err, VARVE_LIMIT, "", "%zu labels, at most %d are possible", count,
                    ROWSET_LABELS);
    struct wanted few[LABELS_ON_STACK], *wanted = few;
    size_t bytes = count * sizeof *wanted;
    if (count > LABELS_ON_STACK && !(wanted = mem_alloc(rowset->mem, bytes)))
        return fail_nomem(err, bytes);
    enum varve_status status;
    struct h128 hash;
    struct label_set from = rowset->sets[parent];
    TRYOUT(hash_labels(rowset, &from, labels, count, wanted, &hash, err));
    uint32_t known = hash_table_get(&rowset->set_table, hash);
    if (known == HASH_NONE)
        status = make_set(rowset, &from, wanted, count, hash, set, err);
    else
        *set = known;
out:
    if (wanted != few)
        mem_free(rowset->mem, wanted, bytes);
    return status;
}

enum varve_status rowset_set(struct rowset *rowset, const struct label_pair *pairs, uint32_t count,
                             struct h128 hash, uint32_t *set, struct varve_err *err)
{
    *set = hash_table_get(&rowset->set_table, hash);
    if (*set != HASH_NONE)
        return VARVE_OK;
    if (count > ROWSET_LABELS)
        return fail(err, VARVE_LIMIT, "", "%u labels, at most %d are possible", count,
                    ROWSET_LABELS);
    struct label_pair *copy = arena_alloc(&rowset->arena, count * sizeof *copy);
    if (!copy)
        return fail_nomem(err, count * sizeof *copy);
    memcpy(copy, pairs, count * sizeof *copy);
    return add_set(rowset, copy, count, hash, set, err);
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

enum varve_status rowset_series(struct rowset *rowset, uint32_t metric, uint32_t set,
                                uint32_t *series, struct varve_err *err)
{
    if (metric >= rowset->metric_count || set >= rowset->set_count)
        return fail(err, VARVE_MISUSE, "", "metric %u of %zu, label set %u of %zu", metric,
                    rowset->metric_count, set, rowset->set_count);
    uint32_t known = rowset->likely_series;
    if (known >= rowset->series_count || rowset->series[known].metric != metric ||
        rowset->series[known].set != set) {
        struct h128 name = text_hash(rowset, rowset->metrics[metric].name);
        struct h128 hash = h128_pair(name, rowset->sets[set].hash);
        known = hash_table_get(&rowset->series_table, hash);
        if (known == HASH_NONE)
            TRY(add_series(rowset, metric, set, hash, &known, err));
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
    return add_set(rowset, pairs, set->count, set->hash, id, err);
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

struct varve_str rowset_label(const struct rowset *rowset, uint32_t set, struct varve_str key)
{
    uint32_t id = intern_find(&rowset->texts, key);
    const struct label_pair *pair = id == HASH_NONE ? NULL : find_pair(&rowset->sets[set], id);
    return pair ? intern_text(&rowset->texts, pair->value) : STR("");
}
