/* SPDX-License-Identifier: Apache-2.0
 *
 * export_prom_samples.c -- the samples of one label set.
 *
 * The rows of a label set, and of a histogram's parts, are put in order of time and
 * added up.  Prometheus keeps milliseconds: rows of one millisecond are one
 * sample, at the time of the last of them, so timestamps rise there too.  At each time
 * a histogram says all its parts, changed or not.
 *
 * A `_created` line stands behind each label set's first sample and again behind every CREATED
 * samples, so that a reader that does not keep a whole page meets it in time.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "export_prom.h"
#include "export_promname.h"

#define CREATED 1000

/* ---- sums -------------------------------------------------------------- */

static void add_double(struct prom_sum *sum, double value)
{
    double total = sum->high + value, back = total - sum->high;
    sum->low += (sum->high - (total - back)) + (value - back);
    sum->high = total;
}

static void make_float(struct prom_sum *sum)
{
    if (sum->is_float)
        return;
    sum->is_float = true;
    sum->high = (double)(sum->whole / 4096 * 4096);
    sum->low = (double)(sum->whole % 4096);
}

void prom_sum_add(struct prom_sum *sum, const struct gathered_row *row)
{
    double value;
    if (!row->is_float) {
        if (!sum->is_float && !__builtin_add_overflow(sum->whole, row->value, &sum->whole))
            return;
        if (!sum->is_float) { /* what came of it is off by 2^64 */
            sum->whole = (int64_t)((uint64_t)sum->whole - (uint64_t)row->value);
            make_float(sum);
        }
        add_double(sum, (double)row->value);
        return;
    }
    memcpy(&value, &row->value, sizeof value);
    make_float(sum);
    add_double(sum, value);
}

void prom_sum_put(struct out *out, const struct prom_sum *sum, int scale)
{
    if (sum->is_float)
        out_double(out, scale ? (sum->high + sum->low) / 1e9 : sum->high + sum->low);
    else if (scale)
        out_nano(out, sum->whole);
    else
        out_int(out, sum->whole);
}

/* ---- lines ------------------------------------------------------------- */

struct set {
    const struct export *export;
    const struct prom_family *family;
    struct gather *gather;
    const struct gathered_series *series; /* of the label set, `count` of them */
    size_t count;
    int64_t created;
    uint64_t samples;  /* times written */
    struct out labels; /* without `le` */
};

/* Values of labels whose names became the same stand behind each other. */
static void put_label(struct out *out, const struct prom_family *family,
                      const struct gather *gather, const struct gathered_series *series, size_t k)
{
    bool any = false;
    for (size_t i = k; i < family->key_count; i++) {
        if (family->same[i] != k || series->texts[i] == 0)
            continue;
        if (!any) {
            out_text(out, out->used ? "," : "");
            out_bytes(out, family->labels[k].data, family->labels[k].used);
        }
        out_text(out, any ? ";" : "=\"");
        promname_escape(out, gather_label(gather, series, i));
        any = true;
    }
    out_text(out, any ? "\"" : "");
}

static void put_labels(struct set *set)
{
    set->labels.used = 0;
    for (size_t k = 0; k < set->family->key_count; k++)
        if (set->family->same[k] == k && k != set->gather->le)
            put_label(&set->labels, set->family, set->gather, set->series, k);
}

/* NAME SUFFIX {labels} and a space. */
static void
begin_sample(const struct set *set, const char *suffix, const struct gathered_series *bucket)
{
    struct out *out = set->export->out;
    out_bytes(out, set->family->name.data, set->family->name.used);
    out_text(out, suffix);
    if (set->labels.used > 0 || bucket) {
        out_text(out, "{");
        out_bytes(out, set->labels.data, set->labels.used);
        if (bucket) {
            out_text(out, set->labels.used ? ",le=\"" : "le=\"");
            promname_escape(out, gather_label(set->gather, bucket, set->gather->le));
            out_text(out, "\"");
        }
        out_text(out, "}");
    }
    out_text(out, " ");
}

static void end_sample(const struct set *set, int64_t end)
{
    out_text(set->export->out, " ");
    out_nano(set->export->out, end);
    out_text(set->export->out, "\n");
}

static const char *suffix_of(const struct prom_family *family, uint32_t tag)
{
    static const char *const suffixes[PARTS] = {"_bucket", "_count", "_sum"};
    if (family->is_histogram)
        return suffixes[tag];
    enum varve_kind kind = family->parts[0]->kind;
    return kind == VARVE_COUNTER || kind == VARVE_HISTOGRAM ? "_total" : "";
}

static bool counts(const struct prom_family *family)
{
    enum varve_kind kind = family->parts[0]->kind;
    return kind == VARVE_COUNTER || kind == VARVE_HISTOGRAM;
}

/* All that the label set has come to at `end`. */
static void put_time(struct set *set, const struct prom_sum *sums, int64_t end)
{
    for (size_t i = 0; i < set->count; i++) {
        const struct gathered_series *s = &set->series[i];
        bool has_le = set->family->is_histogram && s->tag == PART_BUCKET &&
                      set->gather->le < set->gather->key_count;
        begin_sample(set, suffix_of(set->family, s->tag), has_le ? s : NULL);
        prom_sum_put(set->export->out, &sums[i], set->family->parts[s->tag]->scale);
        end_sample(set, end);
    }
    if (counts(set->family) && set->samples++ % CREATED == 0) {
        begin_sample(set, "_created", NULL);
        out_nano(set->export->out, set->created);
        end_sample(set, end);
    }
}

/* ---- rows -------------------------------------------------------------- */

/* The millisecond that a reader of doubles takes a time for. */
static int64_t tick_of(int64_t end)
{
    int64_t tick = end / 1000000;
    if (end % 1000000 < 999000)
        return tick;
    char text[40];
    snprintf(text, sizeof text, "%lld.%09lld", (long long)(end / 1000000000),
             (long long)(end % 1000000000));
    return (int64_t)(strtod(text, NULL) * 1000);
}

/* next of a row is the number of its series in the set from here on. */
static int compare_ends(const void *a, const void *b)
{
    const struct gathered_row *x = a, *y = b;
    if (x->end != y->end)
        return (x->end > y->end) - (x->end < y->end);
    return (x->next > y->next) - (x->next < y->next);
}

/* What there is to add up, in order of time; the caller frees it.  Baselines only tell when the
 * counting began. */
static struct gathered_row *collect(struct set *set, size_t *count)
{
    size_t room = 0;
    *count = 0;
    set->created = INT64_MAX;
    for (size_t i = 0; i < set->count; i++)
        room += set->series[i].rows;
    struct gathered_row *rows = malloc((room + 1) * sizeof *rows);
    for (size_t i = 0; rows && i < set->count; i++) {
        const struct gathered_row *from = gather_rows(set->gather, &set->series[i], false);
        if (!from) {
            free(rows);
            return NULL;
        }
        for (uint32_t r = 0; r < set->series[i].rows; r++) {
            bool known = from[r].start != 0 && from[r].start != VARVE_FROM_ZERO;
            int64_t began = known ? from[r].start : from[r].end;
            set->created = began < set->created ? began : set->created;
            if (from[r].form == VARVE_FORM_BASELINE)
                continue;
            rows[*count] = from[r];
            rows[(*count)++].next = (uint32_t)i;
        }
    }
    if (set->created < set->export->since)
        set->created = set->export->since;
    if (rows && set->count > 1 && *count > 1)
        qsort(rows, *count, sizeof *rows, compare_ends);
    return rows;
}

static void
put_rows(struct set *set, const struct gathered_row *rows, size_t count, struct prom_sum *sums)
{
    bool is_gauge = set->family->parts[0]->kind == VARVE_GAUGE;
    for (size_t i = 0, to; i < count; i = to) {
        int64_t tick = tick_of(rows[i].end);
        for (to = i; to < count && tick_of(rows[to].end) == tick; to++) {
            if (is_gauge)
                sums[rows[to].next] = (struct prom_sum){.is_float = false};
            prom_sum_add(&sums[rows[to].next], &rows[to]);
        }
        put_time(set, sums, rows[to - 1].end);
    }
}

enum varve_status prom_samples(const struct export *export, const struct prom_family *family,
                               struct gather *gather, size_t from, size_t to, struct varve_err *err)
{
    struct set set = {.export = export,
                      .family = family,
                      .gather = gather,
                      .series = &gather->series[from],
                      .count = to - from};
    size_t count = 0;
    out_init(&set.labels, -1);
    put_labels(&set);
    struct prom_sum *sums = calloc(set.count, sizeof *sums);
    struct gathered_row *rows = collect(&set, &count);
    bool failed = !sums || !rows || set.labels.error;
    if (!failed)
        put_rows(&set, rows, count, sums);
    free(rows);
    free(sums);
    out_free(&set.labels);
    return failed ? export_no_memory(err) : export_step(export, 2 * count, err);
}
