/* SPDX-License-Identifier: Apache-2.0
 *
 * scan.c -- opens scans, answers filters, goes from segment to segment.
 */
#include "store/scan.h"

#include <stdlib.h>

#define COLUMNS_MAX 4096

/* ---- opening ----------------------------------------------------------- */

static int compare_texts(const void *a, const void *b)
{
    return str_compare(*(const struct varve_str *)a, *(const struct varve_str *)b);
}

static enum varve_status copy_texts(struct arena *arena, const struct varve_str *from, size_t count,
                                    struct varve_str **to, struct varve_err *err)
{
    struct varve_str *copy = arena_alloc(arena, mem_array(count + 1, sizeof *copy));
    if (!copy)
        return fail_nomem(err, count * sizeof *copy);
    for (size_t i = 0; i < count; i++) {
        copy[i] = (struct varve_str){arena_copy(arena, from[i].data, from[i].size), from[i].size};
        if (!copy[i].data)
            return fail_nomem(err, from[i].size);
    }
    *to = copy;
    return VARVE_OK;
}

static enum varve_status
copy_filters(struct scan *scan, const struct varve_query *query, struct varve_err *err)
{
    scan->filter_count = query->filter_count;
    scan->filters =
        arena_zalloc(&scan->arena, mem_array(query->filter_count + 1, sizeof *scan->filters));
    if (!scan->filters)
        return fail_nomem(err, query->filter_count * sizeof *scan->filters);
    for (size_t i = 0; i < query->filter_count; i++) {
        const struct varve_filter *from = &query->filters[i];
        struct scan_filter *to = &scan->filters[i];
        struct varve_str *key;
        TRY(copy_texts(&scan->arena, &from->key, 1, &key, err));
        TRY(copy_texts(&scan->arena, from->values, from->count, &to->values, err));
        to->key = *key;
        to->negate = from->negate;
        to->count = from->count;
        qsort(to->values, to->count, sizeof *to->values, compare_texts);
    }
    return VARVE_OK;
}

static enum varve_status make_output(struct scan *scan, struct varve_err *err)
{
    size_t n = scan->column_count;
    scan->out = arena_alloc(&scan->arena, sizeof *scan->out);
    scan->out_columns = arena_zalloc(&scan->arena, mem_array(n + 1, sizeof *scan->out_columns));
    scan->dictionaries = arena_zalloc(&scan->arena, mem_array(n + 1, sizeof *scan->dictionaries));
    scan->out_values = arena_alloc(&scan->arena, mem_array(n + 1, sizeof *scan->out_values));
    if (!scan->out || !scan->out_columns || !scan->dictionaries || !scan->out_values)
        return fail_nomem(err, n * sizeof *scan->out_values);
    return VARVE_OK;
}

/* The name closest to the one asked for, among metrics and tables. */
struct nearest {
    struct varve_str wanted;
    unsigned distance;
    char name[64];
};

static void consider(struct nearest *nearest, struct varve_str name)
{
    unsigned d = str_distance(nearest->wanted, name);
    if (d >= nearest->distance || name.size >= sizeof nearest->name)
        return;
    nearest->distance = d;
    memcpy(nearest->name, name.data, name.size);
    nearest->name[name.size] = '\0';
}

/* Looks through the sources, newest first, for a segment that has the metric. */
static enum varve_status find_metric(struct snapshot *s, struct arena *arena,
                                     struct nearest *nearest, bool *found, struct varve_err *err)
{
    struct segment segment;
    *found = false;
    for (size_t i = s->source_count; i-- > 0 && !*found;) {
        if (s->sources[i].table != 0)
            continue;
        arena_clear(arena);
        TRY(snapshot_segment(s, &s->sources[i], arena, &segment, err));
        *found = segment_find_metric(&segment, nearest->wanted) != UINT32_MAX;
        for (uint32_t m = 0; m < segment.metric_count; m++)
            consider(nearest, segment.metrics[m].name);
    }
    return VARVE_OK;
}

static enum varve_status
name_nearest(struct snapshot *s, const char *place, struct nearest *nearest, struct varve_err *err)
{
    for (size_t i = 0; i < s->table_count; i++)
        consider(nearest, s->tables[i]);
    if (nearest->name[0])
        return fail(err, VARVE_NOTFOUND, place, "no metric or table '%.*s' (did you mean '%s'?)",
                    STR_ARG(nearest->wanted), nearest->name);
    return fail(err, VARVE_NOTFOUND, place, "no metric or table '%.*s': the store is empty",
                STR_ARG(nearest->wanted));
}

enum varve_status scan_unknown(struct snapshot *s, const char *place, struct varve_str name,
                               struct arena *arena, struct varve_err *err)
{
    struct nearest nearest = {name, UINT32_MAX, ""};
    bool found;
    TRY(find_metric(s, arena, &nearest, &found, err));
    return name_nearest(s, place, &nearest, err);
}

static enum varve_status find_source(struct scan *scan, struct varve_err *err)
{
    struct nearest nearest = {scan->name, UINT32_MAX, ""};
    bool found;
    TRY(find_metric(scan->snapshot, &scan->segment_arena, &nearest, &found, err));
    if (found)
        return VARVE_OK;
    scan->table = snapshot_table_number(scan->snapshot, scan->name);
    if (scan->table != 0)
        return VARVE_OK;
    return name_nearest(scan->snapshot, "scan", &nearest, err);
}

static enum varve_status
scan_set_up(struct scan *scan, const struct varve_query *query, struct varve_err *err)
{
    struct varve_str *name;
    if (query->column_count > COLUMNS_MAX || query->filter_count > COLUMNS_MAX)
        return fail(err, VARVE_LIMIT, "scan", "more than %d columns or filters", COLUMNS_MAX);
    TRY(copy_texts(&scan->arena, &query->source, 1, &name, err));
    scan->name = *name;
    TRY(copy_texts(&scan->arena, query->columns, query->column_count, &scan->columns, err));
    scan->column_count = query->column_count;
    scan->since = query->since;
    scan->until = query->until;
    scan->flags = query->flags;
    TRY(copy_filters(scan, query, err));
    TRY(make_output(scan, err));
    return find_source(scan, err);
}

/* One that reads the sources [from, until) and is not set up yet. */
static struct scan *
scan_new(struct snapshot *snapshot, size_t from, size_t until, struct varve_err *err)
{
    struct scan *scan = mem_zalloc(snapshot->mem, sizeof *scan);
    if (!scan) {
        (void)fail_nomem(err, sizeof *scan);
        return NULL;
    }
    scan->snapshot = snapshot;
    scan->next_source = from;
    scan->source_end = until;
    arena_init(&scan->arena, snapshot->mem, 1 << 14);
    arena_init(&scan->segment_arena, snapshot->mem, 1 << 16);
    return scan;
}

enum varve_status scan_open(struct snapshot *snapshot, const struct varve_query *query,
                            struct scan **out, struct varve_err *err)
{
    struct scan *scan = scan_new(snapshot, 0, snapshot->source_count, err);
    if (!scan)
        return VARVE_NOMEM;
    enum varve_status status = scan_set_up(scan, query, err);
    if (status == VARVE_OK)
        *out = scan;
    else
        scan_close(scan);
    return status;
}

enum varve_status scan_open_part(const struct scan *whole, struct snapshot *view, size_t from,
                                 size_t until, struct scan **out, struct varve_err *err)
{
    struct scan *scan = scan_new(view, from, until, err);
    if (!scan)
        return VARVE_NOMEM;
    scan->name = whole->name;
    scan->since = whole->since;
    scan->until = whole->until;
    scan->flags = whole->flags;
    scan->table = whole->table;
    scan->filters = whole->filters;
    scan->filter_count = whole->filter_count;
    scan->columns = whole->columns;
    scan->column_count = whole->column_count;
    enum varve_status status = make_output(scan, err);
    if (status == VARVE_OK)
        *out = scan;
    else
        scan_close(scan);
    return status;
}

void scan_close(struct scan *scan)
{
    if (!scan)
        return;
    struct mem *mem = scan->snapshot->mem;
    arena_free(&scan->arena);
    arena_free(&scan->segment_arena);
    mem_free(mem, scan, sizeof *scan);
}

/* ---- segments ---------------------------------------------------------- */

/* All segments that were entered are done.  Rows of views are told with them, because several
 * threads would get in each other's way if they counted every batch in one place. */
static void tell_segments(struct scan *scan)
{
    struct snapshot *snapshot = scan->snapshot, *whole = snapshot->whole;
    (whole ? whole : snapshot)->sources_read += scan->stats.segments - scan->told;
    scan->told = scan->stats.segments;
    if (whole)
        whole->rows_read += atomic_exchange(&snapshot->rows_read, 0);
}

enum varve_status scan_next_segment(struct scan *scan,
                                    enum varve_status (*enter)(struct scan *, struct source *,
                                                               bool *, struct varve_err *),
                                    struct varve_err *err)
{
    while (scan->next_source < scan->source_end) {
        struct source *source = &scan->snapshot->sources[scan->next_source++];
        tell_segments(scan);
        bool any = false;
        if (source->table != scan->table)
            continue;
        if (source->last < scan->since || source->first >= scan->until) {
            scan->stats.segments_skipped++;
            continue;
        }
        arena_clear(&scan->segment_arena);
        TRY(enter(scan, source, &any, err));
        scan->stats.segments++;
        if (any) {
            scan->segment_number++;
            scan->inside = true;
            return VARVE_OK;
        }
    }
    tell_segments(scan);
    return VARVE_DONE;
}

bool scan_filter_passes(const struct scan_filter *filter, struct varve_str text)
{
    bool found = bsearch(&text, filter->values, filter->count, sizeof text, compare_texts) != NULL;
    return found != filter->negate;
}

/* Clears passes[r] for the metric's runs that the filter drops. */
static enum varve_status filter_runs(struct scan *scan, const struct scan_filter *filter,
                                     uint8_t *passes, struct varve_err *err)
{
    struct scan_segment *s = &scan->metric;
    struct arena *arena = &scan->segment_arena;
    uint32_t key = segment_find_key(&s->segment, filter->key), text_count;
    const struct varve_str *texts;
    if (key == UINT32_MAX) {
        if (!scan_filter_passes(filter, STR("")))
            memset(passes, 0, s->runs.count);
        return VARVE_OK;
    }
    TRY(segment_dictionary(&s->segment, key, arena, &texts, &text_count, err));
    uint8_t *allowed = arena_alloc(arena, text_count);
    uint32_t *codes = arena_alloc(arena, mem_array(s->runs.count, sizeof *codes));
    if (!allowed || !codes)
        return fail_nomem(err, text_count + s->runs.count * sizeof *codes);
    for (uint32_t i = 0; i < text_count; i++)
        allowed[i] = scan_filter_passes(filter, texts[i]);
    TRY(segment_codes(&s->segment, key, s->segment.metrics[s->metric].first_run, s->runs.count,
                      codes, err));
    for (uint32_t r = 0; r < s->runs.count; r++)
        passes[r] &= allowed[codes[r]];
    return VARVE_OK;
}

/* Whether no run needs a look: no filters, all of the segment in the range, no runs that are not
 * plain points. */
static bool is_plain(const struct scan *scan)
{
    const struct scan_segment *s = &scan->metric;
    const struct blob_head *head = &s->segment.blob.head;
    uint8_t odd = 0;
    if (scan->filter_count > 0 || head->first < scan->since || head->last >= scan->until)
        return false;
    for (uint32_t r = 0; r < s->runs.count; r++)
        odd |= s->runs.mode[r] >= ROW_ADJUST;
    return !odd;
}

static enum varve_status keep_some(struct scan *scan, struct varve_err *err)
{
    struct scan_segment *s = &scan->metric;
    const struct segment_runs *runs = &s->runs;
    uint8_t *passes = arena_alloc(&scan->segment_arena, (size_t)runs->count + 1);
    s->kept =
        arena_alloc(&scan->segment_arena, mem_array((size_t)runs->count + 1, sizeof *s->kept));
    if (!passes || !s->kept)
        return fail_nomem(err, runs->count * sizeof *s->kept);
    bool bases = scan->flags & VARVE_BASELINES;
    for (uint32_t r = 0; r < runs->count; r++)
        passes[r] = (bases || runs->mode[r] != ROW_BASE) && runs->last[r] >= scan->since &&
                    runs->first[r] < scan->until;
    for (size_t i = 0; i < scan->filter_count; i++)
        TRY(filter_runs(scan, &scan->filters[i], passes, err));
    for (uint32_t r = 0; r < runs->count; r++)
        if (passes[r]) {
            s->kept[s->kept_count++] = r;
            s->kept_ints += r < runs->ints;
        }
    return VARVE_OK;
}

static enum varve_status keep_runs(struct scan *scan, struct varve_err *err)
{
    struct scan_segment *s = &scan->metric;
    s->plain = is_plain(scan);
    s->kept_count = s->plain ? s->runs.count : 0;
    s->kept_ints = s->plain ? s->runs.ints : 0;
    if (!s->plain)
        TRY(keep_some(scan, err));
    scan->stats.runs += s->runs.count;
    scan->stats.runs_skipped += s->runs.count - s->kept_count;
    return VARVE_OK;
}

static enum varve_status load_columns(struct scan *scan, struct varve_err *err)
{
    struct scan_segment *s = &scan->metric;
    struct arena *arena = &scan->segment_arena;
    s->codes = arena_zalloc(arena, mem_array(scan->column_count + 1, sizeof *s->codes));
    if (!s->codes)
        return fail_nomem(err, scan->column_count * sizeof *s->codes);
    for (size_t c = 0; c < scan->column_count; c++) {
        uint32_t key = segment_find_key(&s->segment, scan->columns[c]);
        scan->dictionaries[c] = (struct varve_dictionary){NULL, 0};
        if (key == UINT32_MAX)
            continue;
        uint32_t *codes = arena_alloc(arena, mem_array(s->runs.count, sizeof *codes));
        if (!codes)
            return fail_nomem(err, s->runs.count * sizeof *codes);
        TRY(segment_codes(&s->segment, key, s->segment.metrics[s->metric].first_run, s->runs.count,
                          codes, err));
        TRY(segment_dictionary(&s->segment, key, arena, &scan->dictionaries[c].texts,
                               &scan->dictionaries[c].count, err));
        s->codes[c] = codes;
    }
    return VARVE_OK;
}

enum varve_status
scan_enter_metric(struct scan *scan, struct source *source, bool *any, struct varve_err *err)
{
    struct scan_segment *s = &scan->metric;
    struct arena *arena = &scan->segment_arena;
    memset(s, 0, sizeof *s);
    s->cached_block = UINT32_MAX;
    TRY(snapshot_segment(scan->snapshot, source, arena, &s->segment, err));
    s->metric = segment_find_metric(&s->segment, scan->name);
    if (s->metric == UINT32_MAX)
        return VARVE_OK;
    const struct segment_metric *m = &s->segment.metrics[s->metric];
    TRY(segment_runs(&s->segment, s->metric, arena, &s->runs, err));
    TRY(keep_runs(scan, err));
    *any = s->kept_count > 0;
    if (!*any)
        return VARVE_OK;
    if (m->int_runs)
        TRY(segment_ints(&s->segment, s->metric, &s->ints, err));
    if (m->float_runs)
        TRY(segment_floats(&s->segment, s->metric, &s->floats, err));
    return load_columns(scan, err);
}

void scan_put_columns(struct scan *scan, const uint32_t *runs, uint32_t count)
{
    for (size_t c = 0; c < scan->column_count; c++) {
        const uint32_t *codes = scan->metric.codes[c];
        struct varve_column *column = &scan->out_columns[c];
        *column = (struct varve_column){.type = VARVE_NULL};
        if (!codes)
            continue;
        for (uint32_t i = 0; i < count; i++)
            scan->out_values[c].codes[i] = codes[runs[i]];
        column->type = VARVE_TEXT;
        column->codes = scan->out_values[c].codes;
        column->dictionary = &scan->dictionaries[c];
    }
}

/* ---- values through one cached block ------------------------------------ */

static enum varve_status cache_block(struct scan *scan, const struct column *column, uint32_t block,
                                     bool floats, struct varve_err *err)
{
    struct scan_segment *s = &scan->metric;
    if (s->cached_block == block && s->cached_floats == floats)
        return VARVE_OK;
    s->cached_block = UINT32_MAX;
    if (floats)
        TRY(column_floats(column, block, scan->cache_floats, err));
    else
        TRY(column_ints(column, block, scan->cache_ints, err));
    s->cached_block = block;
    s->cached_floats = floats;
    scan->stats.blocks_decoded++;
    return VARVE_OK;
}

enum varve_status
scan_ints(struct scan *scan, uint32_t from, uint32_t count, int64_t *values, struct varve_err *err)
{
    while (count > 0) {
        uint32_t offset = from % BLOCK_VALUES,
                 n = BLOCK_VALUES - offset < count ? BLOCK_VALUES - offset : count;
        TRY(cache_block(scan, &scan->metric.ints, from / BLOCK_VALUES, false, err));
        memcpy(values, scan->cache_ints + offset, n * sizeof *values);
        values += n;
        from += n;
        count -= n;
    }
    return VARVE_OK;
}

enum varve_status
scan_floats(struct scan *scan, uint32_t from, uint32_t count, double *values, struct varve_err *err)
{
    while (count > 0) {
        uint32_t offset = from % BLOCK_VALUES,
                 n = BLOCK_VALUES - offset < count ? BLOCK_VALUES - offset : count;
        TRY(cache_block(scan, &scan->metric.floats, from / BLOCK_VALUES, true, err));
        memcpy(values, scan->cache_floats + offset, n * sizeof *values);
        values += n;
        from += n;
        count -= n;
    }
    return VARVE_OK;
}

void scan_stats_add(struct varve_scan_stats *to, const struct varve_scan_stats *from)
{
    to->segments += from->segments;
    to->segments_skipped += from->segments_skipped;
    to->runs += from->runs;
    to->runs_from_headers += from->runs_from_headers;
    to->runs_skipped += from->runs_skipped;
    to->blocks_decoded += from->blocks_decoded;
    to->rows += from->rows;
}
