/* SPDX-License-Identifier: Apache-2.0
 *
 * sealed.c -- an index from series to runs, day by day, made when needed.
 *
 * The hash of a series is the metric's name paired with the sum over its
 * labels, so the hashes of all runs of a segment come from its dictionaries with a
 * few additions a run; no label is looked at twice.
 */
#include "store/sealed.h"

#include "base/clock.h"

#define FILTER_BITS_PER_SERIES 12
#define FILTER_PROBES 4

struct sealed_filter {
    int32_t day;
    uint64_t generation;
    uint64_t *words;
    size_t word_count; /* a power of two */
};

/* Runs of up to so many rows are kept decoded, up to so many bytes of all days together, once a day
 * has been asked for so many series. */
enum { KEPT_ROWS = 8192, KEPT_BYTES = 32 << 20, KEPT_FROM = 32 };

/* A column of values as bits, and those of its blocks that are decoded. */
struct kept_column {
    struct column column;
    int64_t **blocks;
};
struct indexed_metric {
    struct segment_runs runs;
    struct kept_column ints, floats;
};
/* The times of a timeline, once they are decoded. */
struct kept_times {
    int64_t *starts, *ends;
};

struct sealed_index {
    int32_t day;
    uint64_t generation;
    uint32_t file_generation;
    struct segfile *file;
    struct arena arena;
    struct segment segment;
    struct indexed_metric *metrics;
    struct hash_table table; /* series hash -> a run */
    uint32_t *next;          /* run -> another run of the same series, or HASH_NONE */
    struct arena kept;       /* what is decoded: whole batches ask for the rows of one day */
    struct kept_times *times;
    uint32_t asked; /* for how many series */
};

/* ---- lists of rows ----------------------------------------------------- */

void row_list_free(struct row_list *list)
{
    mem_free(list->mem, list->rows, list->capacity * sizeof *list->rows);
    list->rows = NULL;
    list->count = list->capacity = 0;
}

enum varve_status row_list_add(struct row_list *list, const struct row *row, struct varve_err *err)
{
    TRY(mem_grow(list->mem, (void **)&list->rows, &list->capacity, list->count + 1, sizeof *row,
                 err));
    list->rows[list->count++] = *row;
    return VARVE_OK;
}

/* ---- filters ----------------------------------------------------------- */

static size_t filter_position(const struct sealed *sealed, int32_t day)
{
    size_t low = 0, high = sealed->filter_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (sealed->filters[middle].day < day)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool filter_touch(struct sealed_filter *filter, struct h128 hash, bool set)
{
    uint64_t bit = hash.lo, mask = filter->word_count * 64 - 1;
    for (int i = 0; i < FILTER_PROBES; i++, bit += hash.hi | 1) {
        uint64_t *word = &filter->words[(bit & mask) / 64], flag = UINT64_C(1) << (bit & 63);
        if (set)
            *word |= flag;
        else if (!(*word & flag))
            return false;
    }
    return true;
}

static void filter_drop(struct sealed *sealed, size_t at)
{
    struct sealed_filter *f = &sealed->filters[at];
    mem_free(sealed->mem, f->words, f->word_count * 8);
    sealed->filter_count--;
    memmove(f, f + 1, (sealed->filter_count - at) * sizeof *f);
}

static enum varve_status
filter_add(struct sealed *sealed, const struct sealed_index *index, struct varve_err *err)
{
    size_t at = filter_position(sealed, index->day);
    if (at < sealed->filter_count && sealed->filters[at].day == index->day) {
        if (sealed->filters[at].generation == index->generation)
            return VARVE_OK;
        filter_drop(sealed, at);
    }
    TRY(mem_grow(sealed->mem, (void **)&sealed->filters, &sealed->filter_capacity,
                 sealed->filter_count + 1, sizeof *sealed->filters, err));
    struct sealed_filter filter = {index->day, index->generation, NULL, 1};
    while (filter.word_count * 64 < index->table.count * FILTER_BITS_PER_SERIES)
        filter.word_count *= 2;
    filter.words = mem_zalloc(sealed->mem, filter.word_count * 8);
    if (!filter.words)
        return fail_nomem(err, filter.word_count * 8);
    for (size_t i = 0; i < index->table.capacity; i++)
        if (index->table.slots[i].used)
            filter_touch(&filter, hash_slot_key(&index->table.slots[i]), true);
    memmove(sealed->filters + at + 1, sealed->filters + at,
            (sealed->filter_count - at) * sizeof filter);
    sealed->filters[at] = filter;
    sealed->filter_count++;
    return VARVE_OK;
}

/* False when the day surely has no such series. */
static bool filter_may_have(struct sealed *sealed, const struct day_record *day, struct h128 series)
{
    size_t at = filter_position(sealed, day->day);
    if (at == sealed->filter_count || sealed->filters[at].day != day->day ||
        sealed->filters[at].generation != day->generation)
        return true;
    return filter_touch(&sealed->filters[at], hash_kept(series), false);
}

/* ---- indexes ----------------------------------------------------------- */

static void index_free(struct sealed *sealed, struct sealed_index *index)
{
    if (!index)
        return;
    hash_table_free(&index->table);
    arena_free(&index->arena);
    arena_free(&index->kept);
    if (index->file)
        segfile_release(sealed->files, index->file);
    mem_free(sealed->mem, index, sizeof *index);
}

/* hashes[r] becomes the series hash of the metric's r-th run. */
static enum varve_status
hash_runs(struct sealed *sealed, struct segment *segment, const struct segment_metric *metric,
          struct arena *arena, struct h128 *hashes, struct varve_err *err)
{
    uint32_t count = metric->int_runs + metric->float_runs;
    uint32_t *codes = arena_alloc(arena, mem_array(count + 1, sizeof *codes));
    if (!codes)
        return fail_nomem(err, count * sizeof *codes);
    memset(hashes, 0, count * sizeof *hashes);
    for (uint32_t k = 0; k < segment->key_count; k++) {
        const struct varve_str *texts;
        uint32_t text_count;
        TRY(segment_dictionary(segment, k, arena, &texts, &text_count, err));
        struct h128 *pairs = arena_alloc(arena, mem_array(text_count, sizeof *pairs));
        if (!pairs)
            return fail_nomem(err, text_count * sizeof *pairs);
        struct h128 key = hash128(segment->keys[k].data, segment->keys[k].size, sealed->seed);
        pairs[0] = (struct h128){0, 0};
        for (uint32_t i = 1; i < text_count; i++)
            pairs[i] = h128_pair(key, hash128(texts[i].data, texts[i].size, sealed->seed));
        TRY(segment_codes(segment, k, metric->first_run, count, codes, err));
        for (uint32_t r = 0; r < count; r++)
            hashes[r] = h128_add(hashes[r], pairs[codes[r]]);
    }
    struct h128 name = hash128(metric->name.data, metric->name.size, sealed->seed);
    for (uint32_t r = 0; r < count; r++)
        hashes[r] = h128_pair(name, hashes[r]);
    return VARVE_OK;
}

static enum varve_status
index_runs(struct sealed_index *index, uint32_t first_run, const struct h128 *hashes,
           uint32_t count, struct varve_err *err)
{
    for (uint32_t r = 0; r < count; r++) {
        uint32_t run = first_run + r, head = hash_table_get(&index->table, hashes[r]);
        index->next[run] = HASH_NONE;
        if (head == HASH_NONE) {
            TRY(hash_table_add(&index->table, hashes[r], run, err));
        } else {
            index->next[run] = index->next[head];
            index->next[head] = run;
        }
    }
    return VARVE_OK;
}

static enum varve_status index_metric(struct sealed *sealed, struct sealed_index *index, uint32_t m,
                                      struct arena *scratch, struct varve_err *err)
{
    const struct segment_metric *metric = &index->segment.metrics[m];
    uint32_t count = metric->int_runs + metric->float_runs;
    struct h128 *hashes = arena_alloc(scratch, mem_array(count + 1, sizeof *hashes));
    if (!hashes)
        return fail_nomem(err, count * sizeof *hashes);
    TRY(hash_runs(sealed, &index->segment, metric, scratch, hashes, err));
    TRY(index_runs(index, metric->first_run, hashes, count, err));
    struct indexed_metric *im = &index->metrics[m];
    TRY(segment_runs(&index->segment, m, &index->arena, &im->runs, err));
    if (metric->int_runs)
        TRY(segment_ints(&index->segment, m, &im->ints.column, err));
    if (metric->float_runs)
        TRY(segment_floats(&index->segment, m, &im->floats.column, err));
    return VARVE_OK;
}

static enum varve_status index_fill(struct sealed *sealed, struct sealed_index *index,
                                    const struct day_record *day, struct varve_err *err)
{
    const uint8_t *bytes;
    size_t size;
    char place[INSTANT_TEXT];
    struct segment *segment = &index->segment;
    struct arena scratch;
    struct segfile_id file = {month_of_day(day->day), day->file_generation};
    struct segment_id id = {day->day, 0, day->generation};
    enum varve_status status;
    arena_init(&scratch, sealed->mem, 1 << 16);
    day_text(day->day, place);
    TRYOUT(segfile_acquire(sealed->files, file, &index->file, err));
    TRYOUT(segfile_get(index->file, id, &bytes, &size, err));
    TRYOUT(segment_open(segment, &index->arena, sealed->texts, bytes, size,
                        segment_seed(sealed->seed, day->day, 0, day->generation), place, err));
    index->next =
        arena_alloc(&index->arena, mem_array(segment->run_count + 1, sizeof *index->next));
    index->metrics =
        arena_zalloc(&index->arena, mem_array(segment->metric_count + 1, sizeof *index->metrics));
    if (!index->next || !index->metrics) {
        status = fail_nomem(err, segment->run_count * sizeof *index->next);
        goto out;
    }
    for (uint32_t m = 0; m < segment->metric_count; m++)
        TRYOUT(index_metric(sealed, index, m, &scratch, err));
    TRYOUT(filter_add(sealed, index, err));
out:
    arena_free(&scratch);
    return status;
}

static enum varve_status index_make(struct sealed *sealed, const struct day_record *day,
                                    struct sealed_index **out, struct varve_err *err)
{
    struct sealed_index *index = mem_zalloc(sealed->mem, sizeof *index);
    if (!index)
        return fail_nomem(err, sizeof *index);
    index->day = day->day;
    index->generation = day->generation;
    index->file_generation = day->file_generation;
    arena_init(&index->arena, sealed->mem, 1 << 16);
    arena_init(&index->kept, sealed->mem, 1 << 16);
    hash_table_init(&index->table, sealed->mem);
    enum varve_status status = index_fill(sealed, index, day, err);
    if (status != VARVE_OK) {
        index_free(sealed, index);
        return status;
    }
    *out = index;
    return VARVE_OK;
}

/* The index of a day, moved to the front. */
static enum varve_status index_get(struct sealed *sealed, const struct day_record *day,
                                   struct sealed_index **out, struct varve_err *err)
{
    struct sealed_index *found = NULL;
    int at = 0;
    for (; at < SEALED_INDEXES && !found; at++)
        if (sealed->indexes[at] && sealed->indexes[at]->day == day->day &&
            sealed->indexes[at]->generation == day->generation)
            found = sealed->indexes[at];
    if (!found) {
        TRY(index_make(sealed, day, &found, err));
        index_free(sealed, sealed->indexes[SEALED_INDEXES - 1]);
        at = SEALED_INDEXES;
    }
    memmove(sealed->indexes + 1, sealed->indexes, (size_t)(at - 1) * sizeof *sealed->indexes);
    sealed->indexes[0] = found;
    *out = found;
    return VARVE_OK;
}

void sealed_init(struct sealed *sealed, struct mem *mem, struct segfiles *files,
                 struct text_codec *texts, uint64_t seed)
{
    *sealed = (struct sealed){.mem = mem, .files = files, .texts = texts, .seed = seed};
}

void sealed_let_go(struct sealed *sealed)
{
    for (int i = 0; i < SEALED_INDEXES; i++) {
        index_free(sealed, sealed->indexes[i]);
        sealed->indexes[i] = NULL;
    }
}

void sealed_free(struct sealed *sealed)
{
    sealed_let_go(sealed);
    while (sealed->filter_count)
        filter_drop(sealed, sealed->filter_count - 1);
    mem_free(sealed->mem, sealed->filters, sealed->filter_capacity * sizeof *sealed->filters);
    memset(sealed, 0, sizeof *sealed);
}

void sealed_refresh(struct sealed *sealed, const struct catalogue *catalogue)
{
    int kept = 0;
    for (int i = 0; i < SEALED_INDEXES; i++) {
        struct sealed_index *index = sealed->indexes[i];
        sealed->indexes[i] = NULL;
        const struct day_record *d = index ? catalogue_find(catalogue, index->day, 0) : NULL;
        if (d && d->generation == index->generation && d->file_generation == index->file_generation)
            sealed->indexes[kept++] = index;
        else
            index_free(sealed, index);
    }
    for (size_t i = sealed->filter_count; i-- > 0;) {
        const struct day_record *d = catalogue_find(catalogue, sealed->filters[i].day, 0);
        if (!d || d->generation != sealed->filters[i].generation)
            filter_drop(sealed, i);
    }
}

static struct indexed_metric *
metric_of_run(struct sealed_index *index, uint32_t run, uint32_t *local)
{
    for (uint32_t m = 0; m < index->segment.metric_count; m++) {
        uint32_t first = index->segment.metrics[m].first_run;
        if (run >= first && run - first < index->metrics[m].runs.count) {
            *local = run - first;
            return &index->metrics[m];
        }
    }
    return NULL;
}

/* ---- rows --------------------------------------------------------------- */

static void forget_kept(struct sealed *sealed, struct sealed_index *index)
{
    arena_free(&index->kept);
    arena_init(&index->kept, sealed->mem, 1 << 16);
    index->times = NULL;
    for (uint32_t m = 0; m < index->segment.metric_count; m++)
        index->metrics[m].ints.blocks = index->metrics[m].floats.blocks = NULL;
}

/* Before anything kept is looked at: makes room when there is too much of it. */
static void bound_kept(struct sealed *sealed)
{
    size_t cap = sealed->mem->cap / 16, most = cap && cap < KEPT_BYTES ? cap : KEPT_BYTES;
    if (sealed->kept_bytes <= most)
        return;
    for (int i = 0; i < SEALED_INDEXES && sealed->indexes[i]; i++)
        forget_kept(sealed, sealed->indexes[i]);
    sealed->kept_bytes = 0;
}

static void *keep(struct sealed *sealed, struct sealed_index *index, size_t count, size_t size,
                  bool zeroed, struct varve_err *err)
{
    size_t bytes = mem_array(count, size);
    void *room = bytes ? arena_alloc(&index->kept, bytes) : NULL;
    if (!room)
        fail_nomem(err, bytes);
    if (room && zeroed)
        memset(room, 0, bytes);
    sealed->kept_bytes += bytes;
    return room;
}

/* The values [at, at + count) of a column, as bits; no more than a block. */
static enum varve_status read_values(const struct column *column, uint32_t at, uint32_t count,
                                     int64_t *values, struct varve_err *err)
{
    double floats[BLOCK_VALUES];
    if (column->type == COLUMN_INTS)
        return column_int_range(column, at, count, values, err);
    TRY(column_float_range(column, at, count, floats, err));
    memcpy(values, floats, count * sizeof *values);
    return VARVE_OK;
}

static enum varve_status
block_of(struct sealed *sealed, struct sealed_index *index, struct kept_column *column,
         uint32_t block, const int64_t **values, struct varve_err *err)
{
    const struct column *c = &column->column;
    if (!column->blocks)
        column->blocks = keep(sealed, index, c->count / BLOCK_VALUES + (size_t)1,
                              sizeof *column->blocks, true, err);
    if (!column->blocks)
        return VARVE_NOMEM;
    if (!column->blocks[block]) {
        uint32_t from = block * BLOCK_VALUES;
        uint32_t n = c->count - from < BLOCK_VALUES ? c->count - from : BLOCK_VALUES;
        int64_t *room = keep(sealed, index, n, sizeof *room, false, err);
        if (!room)
            return VARVE_NOMEM;
        TRY(read_values(c, from, n, room, err));
        column->blocks[block] = room;
    }
    *values = column->blocks[block];
    return VARVE_OK;
}

/* The same from blocks that are kept. */
static enum varve_status
kept_values(struct sealed *sealed, struct sealed_index *index, struct kept_column *column,
            uint32_t at, uint32_t count, int64_t *values, struct varve_err *err)
{
    if (at > column->column.count || count > column->column.count - at)
        return fail(err, VARVE_CORRUPT, index->segment.blob.place,
                    "values of a run are missing in a column of %u", column->column.count);
    for (uint32_t n; count > 0; at += n, values += n, count -= n) {
        const int64_t *block;
        TRY(block_of(sealed, index, column, at / BLOCK_VALUES, &block, err));
        n = BLOCK_VALUES - at % BLOCK_VALUES;
        n = n < count ? n : count;
        memcpy(values, block + at % BLOCK_VALUES, n * sizeof *values);
    }
    return VARVE_OK;
}

static enum varve_status times_of(struct sealed *sealed, struct sealed_index *index, uint32_t time,
                                  uint32_t rows, struct kept_times *times, struct varve_err *err)
{
    if (!index->times)
        index->times = keep(sealed, index, index->segment.time_count + (size_t)1,
                            sizeof *index->times, true, err);
    if (!index->times)
        return VARVE_NOMEM;
    struct kept_times *known = &index->times[time];
    if (!known->ends) {
        int64_t *room = keep(sealed, index, rows * (size_t)2, sizeof *room, false, err);
        if (!room)
            return VARVE_NOMEM;
        TRY(segment_times(&index->segment, time, 0, rows, room, room + rows, err));
        *known = (struct kept_times){room, room + rows};
    }
    *times = *known;
    return VARVE_OK;
}

static enum varve_status list_add(struct row_list *list, const struct segment_runs *runs,
                                  uint32_t run, const int64_t *starts, const int64_t *ends,
                                  const int64_t *values, uint32_t n, struct varve_err *err)
{
    for (uint32_t i = 0; i < n; i++) {
        struct row row = {.mode = runs->mode[run],
                          .is_float = run >= runs->ints,
                          .start = starts[i],
                          .end = ends[i],
                          .value = values[i]};
        TRY(row_list_add(list, &row, err));
    }
    return VARVE_OK;
}

static bool is_kept(const struct sealed_index *index, const struct segment_runs *runs, uint32_t run)
{
    return index->asked > KEPT_FROM && runs->rows[run] <= KEPT_ROWS;
}

/* Appends the rows of a run to the list. */
static enum varve_status
append_run(struct sealed *sealed, struct sealed_index *index, struct indexed_metric *metric,
           uint32_t run, struct row_list *list, struct varve_err *err)
{
    const struct segment_runs *runs = &metric->runs;
    struct kept_column *column = run < runs->ints ? &metric->ints : &metric->floats;
    int64_t starts[BLOCK_VALUES], ends[BLOCK_VALUES], values[BLOCK_VALUES];
    uint32_t rows = runs->rows[run];
    struct kept_times times;
    bool kept = is_kept(index, runs, run);
    if (kept)
        TRY(times_of(sealed, index, runs->time[run], rows, &times, err));
    for (uint32_t from = 0; from < rows; from += BLOCK_VALUES) {
        uint32_t n = rows - from < BLOCK_VALUES ? rows - from : BLOCK_VALUES;
        if (kept) {
            TRY(kept_values(sealed, index, column, runs->row_at[run] + from, n, values, err));
        } else {
            TRY(segment_times(&index->segment, runs->time[run], from, n, starts, ends, err));
            TRY(read_values(&column->column, runs->row_at[run] + from, n, values, err));
        }
        TRY(list_add(list, runs, run, kept ? times.starts + from : starts,
                     kept ? times.ends + from : ends, values, n, err));
    }
    return VARVE_OK;
}

/* ---- questions --------------------------------------------------------- */

static uint32_t first_not_before(const int64_t *ends, uint32_t count, int64_t end)
{
    uint32_t low = 0;
    while (low < count) {
        uint32_t middle = low + (count - low) / 2;
        if (ends[middle] < end)
            low = middle + 1;
        else
            count = middle;
    }
    return low;
}

/* Whether a run of a few rows has this one. */
static enum varve_status
kept_has(struct sealed *sealed, struct sealed_index *index, struct indexed_metric *metric,
         uint32_t run, const struct row *row, bool *has, struct varve_err *err)
{
    const struct segment_runs *runs = &metric->runs;
    struct kept_column *column = run < runs->ints ? &metric->ints : &metric->floats;
    struct kept_times times;
    uint32_t rows = runs->rows[run];
    TRY(times_of(sealed, index, runs->time[run], rows, &times, err));
    for (uint32_t i = first_not_before(times.ends, rows, row->end);
         i < rows && times.ends[i] == row->end && !*has; i++) {
        int64_t value;
        if (times.starts[i] != row->start)
            continue;
        TRY(kept_values(sealed, index, column, runs->row_at[run] + i, 1, &value, err));
        *has = value == row->value;
    }
    return VARVE_OK;
}

static enum varve_status
run_has(struct sealed *sealed, struct sealed_index *index, struct indexed_metric *metric,
        uint32_t run, const struct row *row, bool *has, struct varve_err *err)
{
    const struct segment_runs *runs = &metric->runs;
    if (runs->mode[run] != row->mode || row->is_float != (run >= runs->ints) ||
        row->end < runs->first[run] || row->end > runs->last[run])
        return VARVE_OK;
    if (is_kept(index, runs, run))
        return kept_has(sealed, index, metric, run, row, has, err);
    struct row_list list = {.mem = sealed->mem};
    enum varve_status status = append_run(sealed, index, metric, run, &list, err);
    for (size_t i = 0; status == VARVE_OK && i < list.count && !*has; i++)
        *has = list.rows[i].end == row->end && list.rows[i].start == row->start &&
               list.rows[i].value == row->value;
    row_list_free(&list);
    return status;
}

enum varve_status
sealed_has(struct sealed *sealed, const struct day_record *day, struct h128 series,
           const struct row *row, bool *has, struct varve_err *err)
{
    struct sealed_index *index;
    *has = false;
    if (row->end < day->first || row->end > day->last || !filter_may_have(sealed, day, series))
        return VARVE_OK;
    TRY(index_get(sealed, day, &index, err));
    index->asked += index->asked <= KEPT_FROM;
    bound_kept(sealed);
    for (uint32_t run = hash_table_get(&index->table, series); run != HASH_NONE && !*has;
         run = index->next[run]) {
        uint32_t r;
        struct indexed_metric *m = metric_of_run(index, run, &r);
        if (m)
            TRY(run_has(sealed, index, m, r, row, has, err));
    }
    return VARVE_OK;
}

enum varve_status
sealed_collect(struct sealed *sealed, const struct day_record *day, struct h128 series,
               int64_t start, struct row_list *rows, struct varve_err *err)
{
    struct sealed_index *index;
    if (!filter_may_have(sealed, day, series))
        return VARVE_OK;
    TRY(index_get(sealed, day, &index, err));
    index->asked += index->asked <= KEPT_FROM;
    bound_kept(sealed);
    for (uint32_t run = hash_table_get(&index->table, series); run != HASH_NONE;
         run = index->next[run]) {
        uint32_t r;
        struct indexed_metric *m = metric_of_run(index, run, &r);
        if (!m || m->runs.mode[r] == ROW_DELTA || m->runs.mode[r] == ROW_GAUGE ||
            m->runs.first_start[r] != start)
            continue;
        TRY(append_run(sealed, index, m, r, rows, err));
    }
    return VARVE_OK;
}
