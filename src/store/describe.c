/* SPDX-License-Identifier: Apache-2.0
 *
 * describe.c -- asks segments about one name, newest first, until one knows it.
 */
#include "store/describe.h"

#include "store/table.h"

/* One question; ask answers it from a segment of the right sort and sets `found`. */
struct question {
    struct snapshot *snapshot;
    struct varve_str source, name;
    struct arena *results;
    struct arena scratch;
    struct described_metric metric;
    enum varve_type type;
    bool found;
};

typedef enum varve_status asker(struct question *q, struct source *source, struct varve_err *err);

static enum varve_status
ask_sources(struct question *q, uint32_t table, asker *ask, struct varve_err *err)
{
    struct snapshot *s = q->snapshot;
    enum varve_status status = VARVE_OK;
    arena_init(&q->scratch, s->mem, 1 << 14);
    for (size_t i = s->source_count; i-- > 0 && status == VARVE_OK && !q->found;) {
        if (s->sources[i].table != table)
            continue;
        arena_clear(&q->scratch);
        status = snapshot_check(s, err);
        if (status == VARVE_OK)
            status = ask(q, &s->sources[i], err);
    }
    arena_free(&q->scratch);
    return status;
}

static enum varve_status
ask_metric(struct question *q, struct source *source, struct varve_err *err)
{
    struct segment segment;
    TRY(snapshot_segment(q->snapshot, source, &q->scratch, &segment, err));
    uint32_t m = segment_find_metric(&segment, q->source);
    if (m == UINT32_MAX)
        return VARVE_OK;
    const struct segment_metric *metric = &segment.metrics[m];
    char *unit = arena_copy(q->results, metric->unit.data, metric->unit.size);
    if (!unit)
        return fail_nomem(err, metric->unit.size);
    q->metric = (struct described_metric){
        (enum varve_kind)metric->kind, metric->scale, {unit, metric->unit.size}};
    q->found = true;
    return VARVE_OK;
}

static enum varve_status ask_label(struct question *q, struct source *source, struct varve_err *err)
{
    struct segment segment;
    TRY(snapshot_segment(q->snapshot, source, &q->scratch, &segment, err));
    uint32_t m = segment_find_metric(&segment, q->source);
    uint32_t key = segment_find_key(&segment, q->name);
    if (m == UINT32_MAX || key == UINT32_MAX)
        return VARVE_OK;
    const struct segment_metric *metric = &segment.metrics[m];
    uint32_t codes[BLOCK_VALUES], runs = metric->int_runs + metric->float_runs;
    for (uint32_t at = 0; at < runs && !q->found; at += BLOCK_VALUES) {
        uint32_t n = runs - at < BLOCK_VALUES ? runs - at : BLOCK_VALUES;
        TRY(segment_codes(&segment, key, metric->first_run + at, n, codes, err));
        for (uint32_t i = 0; i < n; i++)
            q->found |= codes[i] != 0;
    }
    return VARVE_OK;
}

static enum varve_status
ask_column(struct question *q, struct source *source, struct varve_err *err)
{
    struct table table;
    TRY(snapshot_table(q->snapshot, source, &q->scratch, &table, err));
    uint32_t c = table_find_column(&table, q->name);
    q->found = c != UINT32_MAX;
    if (q->found)
        q->type = (enum varve_type)table.columns[c].type;
    return VARVE_OK;
}

enum varve_status
describe_metric(struct snapshot *snapshot, struct varve_str name, struct arena *arena,
                struct described_metric *metric, struct varve_err *err)
{
    struct question q = {.snapshot = snapshot, .source = name, .results = arena};
    TRY(ask_sources(&q, 0, ask_metric, err));
    *metric = q.metric;
    return q.found ? VARVE_OK : VARVE_NOTFOUND;
}

enum varve_status describe_label(struct snapshot *snapshot, struct varve_str metric,
                                 struct varve_str label, bool *found, struct varve_err *err)
{
    struct question q = {.snapshot = snapshot, .source = metric, .name = label};
    TRY(ask_sources(&q, 0, ask_label, err));
    *found = q.found;
    return VARVE_OK;
}

enum varve_status
describe_column(struct snapshot *snapshot, struct varve_str table, struct varve_str column,
                bool *found, enum varve_type *type, struct varve_err *err)
{
    uint32_t number = snapshot_table_number(snapshot, table);
    struct question q = {.snapshot = snapshot, .source = table, .name = column};
    if (number > 0)
        TRY(ask_sources(&q, number, ask_column, err));
    *found = q.found;
    *type = q.type;
    return VARVE_OK;
}
