/* SPDX-License-Identifier: Apache-2.0
 *
 * prom_text.c -- the door for OpenMetrics and Prometheus' text format.
 *
 * Samples wait, 48 bytes each, until the page ends or SAMPLES_MAX of them are there.  Start times
 * are collected beside them, by series.  Then the samples go to the intake metric by metric, each
 * counter with the last start time of its series that is not after it.
 *
 * Labels are taken apart once for each text they have: the usual line is known by the hash of what
 * stands between its braces, and costs a look into a table and two numbers.
 *
 * When a page is longer than SAMPLES_MAX the family that is being read stays behind, so that start
 * times find their samples; those of a family larger than that need to come before or close by.
 */
#include "ingest/prom_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "ingest/prom_page.h"

enum {
    SAMPLES_MAX = 64 << 10,
    STARTS_MAX = 256 << 10,
    STAY_MAX = SAMPLES_MAX / 2,
    STAY = 4096,
    RECENT = 32 << 10
};

struct sample {
    uint32_t metric, set, next;
    enum varve_type type;
    int64_t time;
    union {
        double f;
        int64_t i;
    } value;
    uint64_t line;
};

/* A start time is kept twice when its line has a time: for the samples of that very time, and for
 * all others of the series. */
struct start {
    struct h128 series; /* or of series and time */
    int64_t at;
    uint64_t line; /* where it was read last */
    bool is_timed;
};

struct prom_text {
    struct mem *mem;
    struct intake *intake;
    struct prom_page page;
    const char *place;
    enum varve_input input;
    int64_t time;
    uint64_t line;
    struct sample *samples;
    struct start *starts;
    size_t sample_count, sample_capacity, start_count, start_capacity;
    struct hash_table start_table; /* a series' first in starts, while samples are given away */
    size_t family;                 /* the first sample of the family at hand */
    struct varve_field fields[LIMIT_ATTRIBUTES];
};

enum varve_status prom_text_new(struct mem *mem, uint64_t seed, struct intake *intake,
                                struct prom_text **door, struct varve_err *err)
{
    struct prom_text *made = mem_zalloc(mem, sizeof *made);
    if (!made)
        return fail_nomem(err, sizeof *made);
    made->mem = mem;
    made->intake = intake;
    prom_page_init(&made->page, mem, seed);
    hash_table_init(&made->start_table, mem);
    *door = made;
    return VARVE_OK;
}

void prom_text_free(struct prom_text *door)
{
    if (!door)
        return;
    prom_page_free(&door->page);
    hash_table_free(&door->start_table);
    mem_free(door->mem, door->samples, door->sample_capacity * sizeof *door->samples);
    mem_free(door->mem, door->starts, door->start_capacity * sizeof *door->starts);
    mem_free(door->mem, door, sizeof *door);
}

static void clear_page(struct prom_text *door)
{
    door->sample_count = door->start_count = door->family = 0;
    prom_page_clear(&door->page);
}

void prom_text_begin(struct prom_text *door, enum varve_input input, const char *place,
                     int64_t time)
{
    clear_page(door);
    door->input = input;
    door->place = place;
    door->time = time;
    door->line = 0;
}

/* ---- start times ----------------------------------------------------------- */

static int compare_starts(const void *a, const void *b)
{
    const struct start *x = a, *y = b;
    if (x->series.lo != y->series.lo)
        return x->series.lo < y->series.lo ? -1 : 1;
    if (x->series.hi != y->series.hi)
        return x->series.hi < y->series.hi ? -1 : 1;
    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    return (x->line > y->line) - (x->line < y->line);
}

static bool is_same(const struct start *a, const struct start *b)
{
    return h128_equal(a->series, b->series) && a->at == b->at;
}

/* Sorts them, each once, and makes the table. */
static enum varve_status index_starts(struct prom_text *door, struct varve_err *err)
{
    size_t kept = 0;
    hash_table_clear(&door->start_table);
    if (door->start_count > 1)
        qsort(door->starts, door->start_count, sizeof *door->starts, compare_starts);
    for (size_t i = 0; i < door->start_count; i++) {
        const struct start start = door->starts[i];
        if (kept > 0 && is_same(&door->starts[kept - 1], &start)) {
            door->starts[kept - 1].line = start.line;
            continue;
        }
        if (kept == 0 || !h128_equal(door->starts[kept - 1].series, start.series))
            TRY(hash_table_add(&door->start_table, start.series, (uint32_t)kept, err));
        door->starts[kept++] = start;
    }
    door->start_count = kept;
    return VARVE_OK;
}

static struct h128 timed(struct h128 series, int64_t time)
{
    return h128_pair(series, (struct h128){(uint64_t)time, 1});
}

/* The last start of the series that is not after `time`, or 0. */
static int64_t find_start(const struct prom_text *door, struct h128 series, int64_t time)
{
    const uint32_t first = hash_table_get(&door->start_table, series);
    if (first == HASH_NONE)
        return 0;
    size_t low = first, high = first + 1; /* it is below `high`, and not below `low` */
    for (size_t step = 1; high < door->start_count; step *= 2) {
        const struct start *start = &door->starts[high];
        if (!h128_equal(start->series, series) || start->at > time)
            break;
        low = high;
        high = high + step < door->start_count ? high + step : door->start_count;
    }
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const struct start *start = &door->starts[middle];
        if (h128_equal(start->series, series) && start->at <= time)
            low = middle + 1;
        else
            high = middle;
    }
    return low == first ? 0 : door->starts[low - 1].at;
}

static void drop_starts_before(struct prom_text *door, uint64_t line)
{
    size_t kept = 0;
    for (size_t i = 0; i < door->start_count; i++)
        if (door->starts[i].line >= line)
            door->starts[kept++] = door->starts[i];
    door->start_count = kept;
}

/* Those for a time go when the samples around them have gone.  Of many others the last one of each
 * series matters most, and of many series those that were met last, which may go on. */
static void thin_starts(struct prom_text *door, uint64_t line)
{
    size_t kept = 0;
    for (size_t i = 0; i < door->start_count; i++)
        if (!door->starts[i].is_timed || door->starts[i].line >= line)
            door->starts[kept++] = door->starts[i];
    door->start_count = kept;
    if (kept < STARTS_MAX / 2)
        return;
    kept = 0;
    for (size_t i = 0; i < door->start_count; i++)
        if (i + 1 == door->start_count ||
            !h128_equal(door->starts[i].series, door->starts[i + 1].series))
            door->starts[kept++] = door->starts[i];
    door->start_count = kept;
    if (kept >= STARTS_MAX / 2)
        drop_starts_before(door, door->line > RECENT ? door->line - RECENT : 0);
}

/* ---- to the intake --------------------------------------------------------- */

static enum varve_status
make_labels(struct prom_text *door, const struct prom_set *set, struct h128 hash, uint32_t *labels,
            bool *usable, struct varve_err *err)
{
    char *scratch = prom_page_scratch(&door->page, set->text.size);
    if (!scratch)
        return fail_nomem(err, set->text.size);
    struct prom_labels rest = {.text = set->text, .scratch = scratch};
    struct prom_label label;
    size_t count = 0;
    while (prom_label_next(&rest, &label)) {
        if (count == LIMIT_ATTRIBUTES) {
            intake_reject(door->intake, REJECT_LABELS, 1, "too many labels");
            *usable = false;
            return VARVE_OK;
        }
        door->fields[count++] = (struct varve_field){label.key, {VARVE_TEXT, {.s = label.value}}};
    }
    return intake_labels(door->intake, hash, door->fields, count, labels, usable, err);
}

static enum varve_status give_sample(struct prom_text *door, const struct prom_metric *metric,
                                     const struct sample *sample, struct varve_err *err)
{
    const struct prom_set *set = &door->page.sets[sample->set];
    const bool counter = metric->role == PROM_COUNTER;
    struct varve_value value = {sample->type, {.i = 0}};
    uint32_t labels;
    bool usable = true;
    intake_place(door->intake, door->place, "line", sample->line);
    if (!intake_find_labels(door->intake, set->hash, &labels))
        TRY(make_labels(door, set, set->hash, &labels, &usable, err));
    if (!usable)
        return VARVE_OK;
    int64_t start = 0;
    if (counter && door->start_count > 0) {
        const struct h128 series = h128_pair(metric->key, set->series);
        start = find_start(door, timed(series, sample->time), sample->time);
        if (start == 0)
            start = find_start(door, series, sample->time);
    }
    if (sample->type == VARVE_INT)
        value.as.i = sample->value.i;
    else
        value.as.f = sample->value.f;
    return intake_number(door->intake, labels, start, sample->time, value, err);
}

/* The samples of one metric, in the order in which they came. */
static enum varve_status
give_metric(struct prom_text *door, const struct prom_metric *metric, struct varve_err *err)
{
    const bool counter = metric->role == PROM_COUNTER;
    const struct intake_metric told = {.name = metric->otlp,
                                       .unit = metric->unit,
                                       .shape = counter ? SHAPE_SUM : SHAPE_GAUGE,
                                       .temporality = counter ? VARVE_CUMULATIVE : 0,
                                       .monotonic = counter};
    bool wanted = false;
    intake_place(door->intake, door->place, "line", door->samples[metric->first].line);
    TRY(intake_metric(door->intake, &told, &wanted, err));
    uint64_t skipped = 0;
    for (uint32_t i = metric->first; i != HASH_NONE; i = door->samples[i].next) {
        if (wanted)
            TRY(give_sample(door, metric, &door->samples[i], err));
        else
            skipped++;
    }
    if (!wanted)
        intake_skip(door->intake, skipped);
    return VARVE_OK;
}

/* All but the last `stay` samples. */
static enum varve_status give(struct prom_text *door, size_t stay, struct varve_err *err)
{
    struct prom_page *page = &door->page;
    const size_t count = door->sample_count - stay;
    enum varve_status status = VARVE_OK;
    for (size_t i = 0; i < count; i++) {
        struct prom_metric *metric = &page->metrics[door->samples[i].metric];
        if (metric->first == HASH_NONE)
            metric->first = (uint32_t)i;
        else
            door->samples[metric->last].next = (uint32_t)i;
        metric->last = (uint32_t)i;
    }
    TRYOUT(index_starts(door, err));
    TRYOUT(intake_resource(door->intake, NULL, 0, err));
    TRYOUT(intake_scope(door->intake, STR(""), STR(""), NULL, 0, err));
    for (size_t m = 0; m < page->metric_count; m++)
        if (page->metrics[m].first != HASH_NONE)
            TRYOUT(give_metric(door, &page->metrics[m], err));
    status = intake_pause(door->intake, err);
out:
    for (size_t m = 0; m < page->metric_count; m++)
        page->metrics[m].first = page->metrics[m].last = HASH_NONE;
    if (stay > 0)
        memmove(door->samples, door->samples + count, stay * sizeof *door->samples);
    door->sample_count = stay;
    door->family = 0;
    thin_starts(door, stay > 0 ? door->samples[0].line : UINT64_MAX);
    return status;
}

static enum varve_status end_page(struct prom_text *door, struct varve_err *err)
{
    enum varve_status status = VARVE_OK;
    if (door->sample_count > 0)
        status = give(door, 0, err);
    clear_page(door);
    return status;
}

enum varve_status prom_text_end(struct prom_text *door, struct varve_err *err)
{
    return end_page(door, err);
}

static enum varve_status make_room(struct prom_text *door, struct varve_err *err)
{
    const bool names = prom_page_names_full(&door->page), sets = prom_page_sets_full(&door->page);
    if (door->sample_count < SAMPLES_MAX && door->start_count < STARTS_MAX && !names && !sets)
        return VARVE_OK;
    size_t stay = door->sample_count - door->family;
    if (stay > STAY_MAX)
        stay = STAY;
    if (names)
        stay = 0;
    TRY(give(door, stay, err));
    if (names)
        prom_page_clear(&door->page);
    uint32_t *first = door->samples ? &door->samples->set : NULL;
    return sets ? prom_page_shrink(&door->page, first, sizeof *door->samples, stay, err) : VARVE_OK;
}

/* ---- lines ----------------------------------------------------------------- */

static void reject(struct prom_text *door, enum reject_reason reason, const char *message)
{
    intake_place(door->intake, door->place, "line", door->line);
    intake_reject(door->intake, reason, 1, message);
}

static void reject_line(struct prom_text *door, const struct prom_line *line, struct varve_str text)
{
    char message[160];
    const struct varve_str rest = {text.data + line->column - 1, text.size - line->column + 1};
    if (rest.size == 0)
        snprintf(message, sizeof message, "column %zu: expected %s, found the end of the line",
                 line->column, line->expected);
    else
        snprintf(message, sizeof message, "column %zu: expected %s, found '%.*s'", line->column,
                 line->expected, (int)str_cut(rest, 20), rest.data);
    reject(door, REJECT_LINE, message);
}

void prom_text_lost(struct prom_text *door, const char *message)
{
    door->line++;
    reject(door, REJECT_LINE, message);
}

/* The sample's time; false: it does not fit. */
static bool read_time(const struct prom_text *door, struct varve_str text, int64_t *time)
{
    struct decimal d;
    int64_t whole;
    *time = door->time;
    if (text.size == 0)
        return true;
    if (decimal_scan(text, &d) != text.size)
        return false;
    bool millis = door->input == VARVE_INPUT_PROMETHEUS;
    if (door->input != VARVE_INPUT_PROMETHEUS && door->input != VARVE_INPUT_OPENMETRICS)
        millis = !decimal_scaled(&d, 0, &whole) || whole >= INT64_C(100000000000) ||
                 whole <= -INT64_C(100000000000);
    return decimal_scaled(&d, millis ? 6 : 9, time);
}

static void read_value(struct varve_str text, struct sample *sample, bool *good)
{
    struct decimal d;
    const size_t size = decimal_scan(text, &d);
    sample->type = VARVE_FLOAT;
    *good = true;
    if (size == 0 || size != text.size) {
        *good = prom_value(text, &sample->value.f);
    } else if (d.exponent == 0 && !d.more && d.mantissa <= INT64_MAX &&
               !(d.negative && d.mantissa == 0)) {
        sample->type = VARVE_INT;
        sample->value.i = d.negative ? -(int64_t)d.mantissa : (int64_t)d.mantissa;
    } else {
        sample->value.f = decimal_double(&d, text);
    }
}

/* A `_created` line: its value, in seconds in both formats. */
static enum varve_status
take_start(struct prom_text *door, const struct prom_metric *metric, uint32_t set,
           const struct prom_line *line, struct varve_err *err)
{
    struct decimal d;
    int64_t at, time;
    if (decimal_scan(line->value, &d) != line->value.size || !decimal_scaled(&d, 9, &at) ||
        !read_time(door, line->time, &time)) {
        reject(door, REJECT_TIME, "a time of creation that is no time");
        return VARVE_OK;
    }
    if (at <= 0)
        return VARVE_OK;
    TRY(mem_grow(door->mem, (void **)&door->starts, &door->start_capacity, door->start_count + 2,
                 sizeof *door->starts, err));
    struct start start = {h128_pair(metric->key, door->page.sets[set].series), at, door->line,
                          false};
    door->starts[door->start_count++] = start;
    if (line->time.size > 0) {
        start.series = timed(start.series, time);
        start.is_timed = true;
        door->starts[door->start_count++] = start;
    }
    return VARVE_OK;
}

static enum varve_status take_sample(struct prom_text *door, const struct prom_line *line,
                                     uint32_t set, struct sample sample, struct varve_err *err)
{
    const uint32_t before = door->page.last;
    TRY(prom_page_metric(&door->page, line, &sample.metric, err));
    const struct prom_metric *metric = &door->page.metrics[sample.metric];
    if (metric->role == PROM_CREATED)
        return take_start(door, metric, set, line, err);
    if (before == HASH_NONE)
        door->family = door->sample_count;
    if (metric->role == PROM_QUANTILE && sample.type == VARVE_FLOAT && isnan(sample.value.f))
        return VARVE_OK;
    if (!read_time(door, line->time, &sample.time)) {
        reject(door, REJECT_TIME, "the time does not fit");
        return VARVE_OK;
    }
    TRY(mem_grow(door->mem, (void **)&door->samples, &door->sample_capacity, door->sample_count + 1,
                 sizeof *door->samples, err));
    door->samples[door->sample_count++] = sample;
    return VARVE_OK;
}

static enum varve_status
take_comment(struct prom_text *door, const struct prom_line *line, struct varve_err *err)
{
    bool known;
    if (line->kind == PROM_EOF)
        return end_page(door, err);
    TRY(prom_page_comment(&door->page, line, &known, err));
    if (!known)
        reject(door, REJECT_LINE,
               "expected the type counter, gauge, histogram, summary, "
               "gaugehistogram, stateset, info, unknown or untyped");
    return VARVE_OK;
}

enum varve_status
prom_text_line(struct prom_text *door, struct varve_str text, struct varve_err *err)
{
    struct prom_line line;
    struct sample sample = {.line = ++door->line, .next = HASH_NONE};
    bool good = false;
    uint32_t set = HASH_NONE;
    TRY(make_room(door, err));
    if (prom_line_quick(&line, text) && (set = prom_page_find(&door->page, &line)) != HASH_NONE)
        read_value(line.value, &sample, &good);
    int64_t time;
    if (good && !read_time(door, line.time, &time))
        good = false;
    if (!good) {
        prom_line_parse(&line, text);
        if (line.kind == PROM_BLANK || line.kind == PROM_HELP)
            return VARVE_OK;
        if (line.kind == PROM_BAD) {
            reject_line(door, &line, text);
            return VARVE_OK;
        }
        if (line.kind != PROM_SAMPLE)
            return take_comment(door, &line, err);
        TRY(prom_page_set(&door->page, &line, &set, err));
        read_value(line.value, &sample, &good);
    }
    sample.set = set;
    return take_sample(door, &line, set, sample, err);
}
