/* SPDX-License-Identifier: Apache-2.0
 *
 * extract.c -- some rows of a rowset as a rowset of their own, to be built from.
 *
 * What is taken out of a rowset is told apart there already, so numbers are all that has to be
 * mapped: no text is hashed, compared or looked up.  Numbers are given in the order in which
 * things are met, and each thing is copied when it gets its number.
 *
 * Rows are counted by series first and then put in their places, which a build would have to do
 * otherwise.
 */
#include "store/extract.h"

#include <string.h>

enum { CHUNK = 4096 };

struct extract {
    struct rowset *to;
    const struct rowset *from;
    const struct extract_maps *maps;
};

/* The number that a slot of a map has now, or HASH_NONE. */
static uint32_t number_in(const struct extract *x, uint64_t slot)
{
    return slot >> 32 == x->maps->epoch ? (uint32_t)slot : HASH_NONE;
}

static uint64_t slot_of(const struct extract *x, size_t number)
{
    return (uint64_t)x->maps->epoch << 32 | number;
}

static enum varve_status
take_text(struct extract *x, uint32_t text, uint32_t *here, struct varve_err *err)
{
    struct intern *texts = &x->to->texts;
    *here = number_in(x, x->maps->texts[text]);
    if (*here != HASH_NONE)
        return VARVE_OK;
    TRY(mem_grow(x->to->mem, (void **)&texts->items, &texts->capacity, texts->count + 1,
                 sizeof *texts->items, err));
    struct interned item = x->from->texts.items[text];
    item.text.data = arena_copy(&texts->arena, item.text.data, item.text.size);
    if (!item.text.data)
        return fail_nomem(err, item.text.size);
    x->maps->texts[text] = slot_of(x, texts->count);
    *here = (uint32_t)texts->count;
    texts->items[texts->count++] = item;
    return VARVE_OK;
}

static enum varve_status
take_set(struct extract *x, uint32_t set, uint32_t *here, struct varve_err *err)
{
    struct rowset *to = x->to;
    *here = number_in(x, x->maps->sets[set]);
    if (*here != HASH_NONE)
        return VARVE_OK;
    TRY(mem_grow(to->mem, (void **)&to->sets, &to->set_capacity, to->set_count + 1,
                 sizeof *to->sets, err));
    struct label_set copy = x->from->sets[set];
    struct label_pair *pairs = arena_alloc(&to->arena, copy.count * sizeof *pairs);
    if (!pairs)
        return fail_nomem(err, copy.count * sizeof *pairs);
    for (uint32_t i = 0; i < copy.count; i++) {
        TRY(take_text(x, copy.pairs[i].key, &pairs[i].key, err));
        TRY(take_text(x, copy.pairs[i].value, &pairs[i].value, err));
    }
    copy.pairs = pairs;
    x->maps->sets[set] = slot_of(x, to->set_count);
    *here = (uint32_t)to->set_count;
    to->sets[to->set_count++] = copy;
    return VARVE_OK;
}

/* All of them: they are few. */
static enum varve_status take_metrics(struct extract *x, struct varve_err *err)
{
    struct rowset *to = x->to;
    size_t count = x->from->metric_count;
    TRY(mem_grow(to->mem, (void **)&to->metrics, &to->metric_capacity, count, sizeof *to->metrics,
                 err));
    for (; to->metric_count < count; to->metric_count++) {
        struct rowset_metric metric = x->from->metrics[to->metric_count];
        TRY(take_text(x, metric.name, &metric.name, err));
        TRY(take_text(x, metric.unit, &metric.unit, err));
        to->metrics[to->metric_count] = metric;
    }
    return VARVE_OK;
}

static enum varve_status
take_series(struct extract *x, uint32_t series, uint32_t *here, struct varve_err *err)
{
    struct rowset *to = x->to;
    *here = number_in(x, x->maps->series[series]);
    if (*here != HASH_NONE)
        return VARVE_OK;
    TRY(mem_grow(to->mem, (void **)&to->series, &to->series_capacity, to->series_count + 1,
                 sizeof *to->series, err));
    struct rowset_series copy = x->from->series[series];
    TRY(take_set(x, copy.set, &copy.set, err));
    x->maps->series[series] = slot_of(x, to->series_count);
    *here = (uint32_t)to->series_count;
    to->series[to->series_count++] = copy;
    return VARVE_OK;
}

/* Takes all series; ends[s] becomes the number of rows of series s.  Rows of one series mostly
 * stand together. */
static enum varve_status count_rows(struct extract *x, const uint32_t *index, uint32_t count,
                                    uint32_t *ends, struct varve_err *err)
{
    const struct row *rows = x->from->rows;
    for (uint32_t i = 0, next; i < count; i = next) {
        uint32_t there = rows[index[i]].series, here;
        for (next = i + 1; next < count && rows[index[next]].series == there;)
            next++;
        TRY(take_series(x, there, &here, err));
        ends[here] += next - i;
    }
    return VARVE_OK;
}

static void
place_rows(const struct extract *x, const uint32_t *index, uint32_t count, uint32_t *ends)
{
    const struct row *rows = x->from->rows;
    uint32_t at = 0;
    for (size_t s = 0; s < x->to->series_count; s++) {
        uint32_t n = ends[s];
        ends[s] = at;
        at += n;
    }
    for (uint32_t i = 0, next; i < count; i = next) {
        uint32_t there = rows[index[i]].series, here = (uint32_t)x->maps->series[there];
        struct row *to = x->to->rows + ends[here];
        for (next = i; next < count && rows[index[next]].series == there; next++) {
            *to = rows[index[next]];
            to++->series = here;
        }
        ends[here] += next - i;
    }
    x->to->row_count = count;
}

static uint64_t *no_numbers(struct arena *arena, size_t count)
{
    return arena_zalloc(arena, mem_array(count + 1, sizeof(uint64_t)));
}

enum varve_status extract_begin(struct extract_maps *maps, const struct rowset *from,
                                struct arena *arena, struct varve_err *err)
{
    *maps = (struct extract_maps){.series = no_numbers(arena, from->series_count),
                                  .sets = no_numbers(arena, from->set_count),
                                  .texts = no_numbers(arena, from->texts.count)};
    if (!maps->series || !maps->sets || !maps->texts)
        return fail_nomem(err, from->texts.count * sizeof *maps->texts);
    return VARVE_OK;
}

static void begin(struct rowset *to, const struct rowset *from)
{
    *to = (struct rowset){.mem = from->mem};
    arena_init(&to->arena, from->mem, CHUNK);
    to->texts = (struct intern){.mem = from->mem, .seed = from->texts.seed};
    arena_init(&to->texts.arena, from->mem, CHUNK);
}

enum varve_status
extract_rows(struct extract_maps *maps, struct rowset *to, const struct rowset *from,
             const uint32_t *index, uint32_t count, struct arena *arena, struct varve_err *err)
{
    struct extract x = {to, from, maps};
    size_t most = count < from->series_count ? count : from->series_count;
    size_t bytes = mem_array(count, sizeof *to->rows);
    uint32_t *ends = arena_zalloc(arena, mem_array(most + 1, sizeof *ends)), empty;
    maps->epoch++;
    begin(to, from);
    to->rows = mem_alloc(to->mem, bytes);
    if (!ends || !to->rows)
        return fail_nomem(err, bytes);
    to->row_capacity = count;
    TRY(take_text(&x, 0, &empty, err));
    TRY(take_set(&x, 0, &empty, err));
    TRY(take_metrics(&x, err));
    TRY(count_rows(&x, index, count, ends, err));
    place_rows(&x, index, count, ends);
    return VARVE_OK;
}
