/* SPDX-License-Identifier: Apache-2.0
 *
 * measure_series.c -- which runs belong to one series.
 *
 * A series is its labels, and comes in runs of several segments, each with codes of its own.  A run
 * is identified by the sum of the 128-bit hashes of its labels, (name, text), of which each is
 * made once a dictionary entry: no text is read once a run, and the order of labels plays no part.
 */
#include "exec/measure_private.h"

#define SEED UINT64_C(0x7372736c6162656c)

static enum varve_status
add_names(const struct segment *segment, struct hash_table *known, struct arena *arena,
          struct varve_str **names, size_t *capacity, uint32_t *count, struct varve_err *err)
{
    for (uint32_t k = 0; k < segment->key_count; k++) {
        struct varve_str key = segment->keys[k];
        struct h128 hash = hash128(key.data, key.size, SEED);
        if (hash_table_get(known, hash) != HASH_NONE)
            continue;
        TRY(mem_grow(known->mem, (void **)names, capacity, (size_t)*count + 1, sizeof **names,
                     err));
        char *copy = arena_copy(arena, key.data, key.size);
        if (!copy)
            return fail_nomem(err, key.size);
        TRY(hash_table_add(known, hash, *count, err));
        (*names)[(*count)++] = (struct varve_str){copy, key.size};
    }
    return VARVE_OK;
}

/* The names go into a list that is freed here, and then as one array into the arena. */
enum varve_status
series_labels(struct snapshot *snapshot, struct varve_str metric, struct time_range range,
              struct arena *arena, struct varve_str **out, uint32_t *count, struct varve_err *err)
{
    enum varve_status status = VARVE_OK;
    struct hash_table known;
    struct arena scratch;
    struct varve_str *names = NULL;
    size_t capacity = 0;
    *count = 0;
    hash_table_init(&known, arena->mem);
    arena_init(&scratch, arena->mem, 1 << 14);
    for (size_t i = 0; i < snapshot->source_count && status == VARVE_OK; i++) {
        struct source *source = &snapshot->sources[i];
        struct segment segment;
        if (!source_is_in(source, 0, range.since, range.until))
            continue;
        arena_clear(&scratch);
        TRYOUT(snapshot_segment(snapshot, source, &scratch, &segment, err));
        if (segment_find_metric(&segment, metric) != UINT32_MAX)
            TRYOUT(add_names(&segment, &known, arena, &names, &capacity, count, err));
    }
    *out = arena_alloc(arena, mem_array((size_t)*count + 1, sizeof **out));
    if (!*out)
        status = fail_nomem(err, *count * sizeof **out);
    else if (*count)
        memcpy(*out, names, *count * sizeof *names);
out:
    mem_free(arena->mem, names, capacity * sizeof *names);
    hash_table_free(&known);
    arena_free(&scratch);
    return status;
}

/* ---- hashes -------------------------------------------------------------------------- */

static enum varve_status make_room(struct series_hashes *h, size_t count, struct varve_err *err)
{
    TRY(mem_grow(h->mem, (void **)&h->columns, &h->capacity, count, sizeof *h->columns, err));
    while (h->count < count)
        h->columns[h->count++] = (struct hashed_column){NULL, 0};
    return VARVE_OK;
}

static enum varve_status
hash_texts(struct series_hashes *h, const struct input *in, uint32_t c, struct varve_err *err)
{
    const struct varve_dictionary *d = in->read[c].dictionary;
    if (!d)
        return VARVE_OK;
    struct hashed_column *column = &h->columns[c];
    struct h128 name = hash128(in->columns[c].data, in->columns[c].size, SEED);
    TRY(mem_grow(h->mem, (void **)&column->by_code, &column->capacity, d->count,
                 sizeof *column->by_code, err));
    column->by_code[0] = (struct h128){0, 0};
    for (uint32_t i = 1; i < d->count; i++)
        column->by_code[i] = h128_pair(name, hash128(d->texts[i].data, d->texts[i].size, SEED));
    return VARVE_OK;
}

enum varve_status series_hash_runs(struct series_hashes *h, const struct input *in,
                                   const struct batch *batch, struct varve_err *err)
{
    TRY(make_room(h, in->column_count, err));
    if (h->serial != batch->segment) {
        h->serial = 0;
        for (uint32_t c = 0; c < in->column_count; c++)
            TRY(hash_texts(h, in, c, err));
        h->serial = batch->segment;
    }
    memset(h->of_run, 0, batch->rows * sizeof *h->of_run);
    for (uint32_t c = 0; c < in->column_count; c++) {
        const struct varve_column *column = &in->read[c];
        for (uint32_t r = 0; column->dictionary && r < batch->rows; r++)
            h->of_run[r] = h128_add(h->of_run[r], h->columns[c].by_code[column->codes[r]]);
    }
    return VARVE_OK;
}

void series_hashes_free(struct series_hashes *h)
{
    if (!h->mem)
        return;
    for (size_t c = 0; c < h->count; c++)
        mem_free(h->mem, h->columns[c].by_code,
                 h->columns[c].capacity * sizeof *h->columns[c].by_code);
    mem_free(h->mem, h->columns, h->capacity * sizeof *h->columns);
    *h = (struct series_hashes){0};
}
