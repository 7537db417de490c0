/* SPDX-License-Identifier: Apache-2.0
 *
 * segment_write.c -- building a segment: runs the stages, then writes the sections.
 *
 * Everything a section holds is made into one array of numbers first and
 * then put as a column.  Small sections are the rule (a journal entry has a
 * few rows), so what is all zeros is left out.
 *
 * Invariant: the bytes depend on the rows, the head's seed and nothing else.
 * The readers are segment_read.c and its neighbours.
 */
#include "base/err.h"
#include "base/fsum.h"
#include "store/segment_build.h"
#include "store/text_codec.h"

#include <math.h>
#include <string.h>

enum { SCRATCH_CHUNK = 16384, ROWS_KEPT = 1 << 17, WORDS_MOST = 24, RANDOM_SIZE = 32, AHEAD = 8 };

enum varve_status
segment_builder_init(struct segment_builder *builder, struct mem *mem, struct varve_err *err)
{
    *builder = (struct segment_builder){.mem = mem};
    arena_init(&builder->scratch, mem, SCRATCH_CHUNK);
    blob_writer_init(&builder->writer, mem);
    return text_codec_make(&builder->texts, mem, err);
}

static void marks_free(struct segment_marks *marks, struct mem *mem)
{
    mem_free(mem, marks->slots, marks->capacity * sizeof *marks->slots);
    *marks = (struct segment_marks){0};
}

void segment_builder_free(struct segment_builder *builder)
{
    marks_free(&builder->series, builder->mem);
    marks_free(&builder->sets, builder->mem);
    marks_free(&builder->words, builder->mem);
    mem_free(builder->mem, builder->runs, builder->run_capacity * sizeof *builder->runs);
    builder->runs = NULL;
    builder->run_capacity = 0;
    if (builder->texts)
        text_codec_free(builder->texts);
    builder->texts = NULL;
    blob_writer_free(&builder->writer);
    arena_free(&builder->scratch);
}

enum varve_status
marks_begin(struct segment_marks *marks, struct mem *mem, size_t ids, struct varve_err *err)
{
    size_t before = marks->capacity;
    TRY(mem_grow(mem, (void **)&marks->slots, &marks->capacity, ids, sizeof *marks->slots, err));
    if (marks->capacity > before)
        memset(marks->slots + before, 0, (marks->capacity - before) * sizeof *marks->slots);
    if (++marks->epoch == 0) {
        memset(marks->slots, 0, marks->capacity * sizeof *marks->slots);
        marks->epoch = 1;
    }
    return VARVE_OK;
}

void *build_array(struct build *build, size_t count, size_t size, struct varve_err *err)
{
    size_t bytes = mem_array(count, size);
    void *array = bytes || count == 0 ? arena_alloc(build->arena, bytes) : NULL;
    if (!array)
        fail_nomem(err, bytes);
    return array;
}

/* ---- sections ------------------------------------------------------------ */

static struct buf *body(struct build *build)
{
    return &build->builder->writer.body;
}

static void begin(struct build *build)
{
    blob_section_begin(&build->builder->writer);
}

static void end(struct build *build, enum segment_section id, uint32_t index)
{
    blob_section_end(&build->builder->writer, (uint16_t)id, (uint16_t)index);
}

/* Statistics are for skipping blocks, so a column of one block has none. */
static enum varve_status put_values(struct build *build, enum segment_section id, uint32_t index,
                                    const int64_t *values, size_t count, struct varve_err *err)
{
    begin(build);
    TRY(column_put_ints(body(build), values, count, count > BLOCK_VALUES, err));
    end(build, id, index);
    return VARVE_OK;
}

static enum varve_status put_ints(struct build *build, enum segment_section id, uint32_t index,
                                  const int64_t *values, size_t count, struct varve_err *err)
{
    size_t i = 0;
    while (i < count && values[i] == 0)
        i++;
    if (i == count)
        return VARVE_OK;
    begin(build);
    TRY(column_put_ints(body(build), values, count, 0, err));
    end(build, id, index);
    return VARVE_OK;
}

static enum varve_status
put_floats(struct build *build, enum segment_section id, uint32_t index, const double *values,
           size_t count, bool stats, struct varve_err *err)
{
    begin(build);
    TRY(column_put_floats(body(build), values, count, stats, err));
    end(build, id, index);
    return VARVE_OK;
}

static enum varve_status
put_texts(struct build *build, enum segment_section id, uint32_t index,
          const struct varve_str *texts, size_t count, struct varve_err *err)
{
    begin(build);
    TRY(column_put_texts(body(build), build->builder->texts, texts, count, err));
    end(build, id, index);
    return VARVE_OK;
}

/* ---- names, keys, dictionaries ------------------------------------------- */

/* Digits of a hash or a UUID: pressed best together with their like. */
static bool looks_random(struct varve_str text)
{
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || c == '-'))
            return false;
    }
    return text.size >= RANDOM_SIZE;
}

/* Whether a dictionary has a section of its own. */
static bool own_section(const struct build *build, const struct build_key *key)
{
    return key->values > WORDS_MOST ||
           (key->values > 1 && looks_random(intern_text(&build->rowset->texts, key->value[0])));
}

static void put_meta(struct build *build)
{
    struct buf *out = body(build);
    begin(build);
    buf_put_varint(out, build->metric_count);
    buf_put_varint(out, build->key_count);
    buf_put_varint(out, build->time_count);
    for (uint32_t m = 0; m < build->metric_count; m++) {
        const struct build_metric *metric = &build->metrics[m];
        const struct rowset_metric *known = &build->rowset->metrics[metric->id];
        buf_put8(out, known->kind);
        buf_put8(out, known->scale);
        buf_put_varint(out, metric->points);
        buf_put_varint(out, metric->series);
        buf_put_varint(out, metric->runs[0]);
        buf_put_varint(out, metric->runs[1]);
    }
    for (uint32_t k = 0; k < build->key_count; k++) {
        const struct build_key *key = &build->keys[k];
        buf_put_varint(out, key->kind);
        buf_put_varint(out, (uint64_t)key->values << 1 | own_section(build, key));
    }
    end(build, SEGMENT_META, 0);
}

static size_t count_words(const struct build *build)
{
    size_t words = build->metric_count * (size_t)2 + build->key_count;
    for (uint32_t k = 0; k < build->key_count; k++)
        if (!own_section(build, &build->keys[k]))
            words += build->keys[k].values;
    return words;
}

static enum varve_status put_words(struct build *build, struct varve_err *err)
{
    const struct intern *texts = &build->rowset->texts;
    const struct rowset_metric *metrics = build->rowset->metrics;
    size_t count = count_words(build);
    struct varve_str *words = build_array(build, count, sizeof *words, err), *at = words;
    if (!words)
        return VARVE_NOMEM;
    for (uint32_t m = 0; m < build->metric_count; m++)
        *at++ = intern_text(texts, metrics[build->metrics[m].id].name);
    for (uint32_t m = 0; m < build->metric_count; m++)
        *at++ = intern_text(texts, metrics[build->metrics[m].id].unit);
    for (uint32_t k = 0; k < build->key_count; k++)
        *at++ = intern_text(texts, build->keys[k].text);
    for (uint32_t k = 0; k < build->key_count; k++)
        for (uint32_t i = 0; i < build->keys[k].values && !own_section(build, &build->keys[k]); i++)
            *at++ = intern_text(texts, build->keys[k].value[i]);
    return count ? put_texts(build, SEGMENT_WORDS, 0, words, count, err) : VARVE_OK;
}

static enum varve_status put_dictionaries(struct build *build, struct varve_err *err)
{
    for (uint32_t k = 0; k < build->key_count; k++) {
        const struct build_key *key = &build->keys[k];
        if (!own_section(build, key))
            continue;
        struct varve_str *texts = build_array(build, key->values, sizeof *texts, err);
        if (!texts)
            return VARVE_NOMEM;
        for (uint32_t i = 0; i < key->values; i++)
            texts[i] = intern_text(&build->rowset->texts, key->value[i]);
        TRY(put_texts(build, SEGMENT_DICT, k, texts, key->values, err));
    }
    return VARVE_OK;
}

static enum varve_status
put_codes(struct build *build, uint32_t k, uint32_t *room, int64_t *values, struct varve_err *err)
{
    const struct build_key *key = &build->keys[k];
    size_t count = 0;
    if (key->kind == SEGMENT_ROOT) {
        const uint32_t *dense = build_dense(build, key, room);
        for (; count < build->run_count; count++)
            values[count] = dense[build->runs[build->order[count]].set];
    } else if (key->map) {
        for (; count <= build->keys[key->kind - SEGMENT_DERIVED].values; count++)
            values[count] = key->map[count];
    }
    return put_ints(build, SEGMENT_CODES, k, values, count, err);
}

static enum varve_status put_labels(struct build *build, struct varve_err *err)
{
    TRY(put_words(build, err));
    TRY(put_dictionaries(build, err));
    uint32_t *room = build_array(build, build->set_count, sizeof *room, err);
    int64_t *values = build_array(build, build->run_count + (size_t)1, sizeof *values, err);
    if (!room || !values)
        return VARVE_NOMEM;
    for (uint32_t k = 0; k < build->key_count; k++)
        TRY(put_codes(build, k, room, values, err));
    return VARVE_OK;
}

/* ---- timelines ----------------------------------------------------------- */

static int64_t minus(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a - (uint64_t)b);
}

/* One number of a timeline. */
static int64_t
time_number(const struct build *build, const struct build_time *time, enum segment_section id)
{
    uint8_t class = (uint8_t)(time->class & ~(uint32_t)CLASS_FLOAT);
    bool started = segment_class_mode(class) != ROW_GAUGE && !(class & CLASS_NO_START);
    switch (id) {
    case SEGMENT_TIME_CLASS:
        return class;
    case SEGMENT_TIME_ROWS:
        return time->rows - (int64_t)1;
    case SEGMENT_TIME_FIRST:
        return minus(time->first, build->first);
    case SEGMENT_TIME_SPAN:
        return minus(time->last, time->first);
    default:
        return started ? minus(time->first, time->start) : 0;
    }
}

static const struct build_run *time_run(const struct build *build, uint32_t time)
{
    return &build->runs[build->times[time].run];
}

/* Steps and gaps: a number for each row but the first. */
static enum varve_status put_steps(struct build *build, struct varve_err *err)
{
    size_t rows = 0, steps = 0, gaps = 0;
    for (uint32_t t = 0; t < build->time_count; t++)
        rows += build->times[t].rows - (size_t)1;
    int64_t *step = build_array(build, rows, sizeof *step, err);
    int64_t *gap = build_array(build, rows, sizeof *gap, err);
    if (!step || !gap)
        return VARVE_NOMEM;
    for (uint32_t t = 0; t < build->time_count; t++) {
        const struct build_run *run = time_run(build, t);
        const struct item *item = &build->items[run->first];
        if (t + AHEAD < build->time_count)
            __builtin_prefetch(&build->items[time_run(build, t + AHEAD)->first]);
        bool has_gaps = segment_class_gaps((uint8_t)run->class);
        for (uint32_t i = 1; i < run->rows; i++) {
            step[steps++] = minus(item[i].end, item[i - 1].end);
            if (has_gaps)
                gap[gaps++] = minus(item[i].start, item[i - 1].end);
        }
    }
    TRY(put_ints(build, SEGMENT_TIME_STEP, 0, step, steps, err));
    return put_ints(build, SEGMENT_TIME_GAP, 0, gap, gaps, err);
}

static enum varve_status put_times(struct build *build, struct varve_err *err)
{
    size_t most = build->run_count;
    int64_t *values = build_array(build, most, sizeof *values, err);
    if (!values)
        return VARVE_NOMEM;
    for (uint32_t r = 0; r < build->run_count; r++)
        values[r] = build->runs[build->order[r]].time;
    TRY(put_ints(build, SEGMENT_RUN_TIME, 0, values, build->run_count, err));
    for (unsigned id = SEGMENT_TIME_CLASS; id <= SEGMENT_TIME_START; id++) {
        for (uint32_t t = 0; t < build->time_count; t++)
            values[t] = time_number(build, &build->times[t], (enum segment_section)id);
        TRY(put_ints(build, (enum segment_section)id, 0, values, build->time_count, err));
    }
    return put_steps(build, err);
}

/* ---- values and sums ----------------------------------------------------- */

/* Room for what is gathered of one metric, whichever it is. */
struct gathered {
    int64_t *ints, *sums;
    double *floats, *high, *low;
};

static enum varve_status put_int_runs(struct build *build, uint32_t m, const uint32_t *order,
                                      const struct gathered *room, struct varve_err *err)
{
    const struct build_metric *metric = &build->metrics[m];
    uint32_t runs = metric->runs[0], rows = metric->rows[0], at = 0;
    if (runs == 0)
        return VARVE_OK;
    int64_t *values = room->ints, *sums = room->sums;
    for (uint32_t r = 0; r < runs; r++) {
        const struct build_run *run = &build->runs[order[r]];
        build_run_ahead(build, order, r, runs);
        for (uint32_t i = 0; i < run->rows; i++)
            values[at++] = build->items[run->first + i].value;
        sums[r] = run->sum;
    }
    if (rows / SEGMENT_SUM_ROWS >= runs)
        TRY(put_ints(build, SEGMENT_SUM, m, sums, runs, err));
    return put_values(build, SEGMENT_INTS, m, values, rows, err);
}

static void split_sum(const double *values, size_t count, double *high, double *low)
{
    struct fsum sum;
    fsum_clear(&sum);
    for (size_t i = 0; i < count; i++)
        fsum_add(&sum, values[i]);
    if (!fsum_split(&sum, high, low)) {
        *high = (double)NAN;
        *low = 0;
    }
}

static enum varve_status put_float_runs(struct build *build, uint32_t m, const uint32_t *order,
                                        const struct gathered *room, struct varve_err *err)
{
    const struct build_metric *metric = &build->metrics[m];
    uint32_t runs = metric->runs[1], rows = metric->rows[1], at = 0;
    if (runs == 0)
        return VARVE_OK;
    bool sums = rows / SEGMENT_SUM_ROWS >= runs;
    double *values = room->floats, *high = room->high, *low = room->low;
    for (uint32_t r = 0; r < runs; r++) {
        const struct build_run *run = &build->runs[order[r]];
        build_run_ahead(build, order, r, runs);
        for (uint32_t i = 0; i < run->rows; i++)
            memcpy(&values[at + i], &build->items[run->first + i].value, sizeof *values);
        if (sums)
            split_sum(values + at, run->rows, &high[r], &low[r]);
        at += run->rows;
    }
    if (sums) {
        TRY(put_floats(build, SEGMENT_FSUM_HI, m, high, runs, false, err));
        TRY(put_floats(build, SEGMENT_FSUM_LO, m, low, runs, false, err));
    }
    return put_floats(build, SEGMENT_FLOATS, m, values, rows, rows > BLOCK_VALUES, err);
}

static enum varve_status
make_room(struct build *build, struct gathered *room, struct varve_err *err)
{
    uint32_t rows[2] = {0, 0}, runs[2] = {0, 0};
    for (uint32_t m = 0; m < build->metric_count; m++)
        for (int type = 0; type < 2; type++) {
            const struct build_metric *metric = &build->metrics[m];
            rows[type] = metric->rows[type] > rows[type] ? metric->rows[type] : rows[type];
            runs[type] = metric->runs[type] > runs[type] ? metric->runs[type] : runs[type];
        }
    *room = (struct gathered){build_array(build, rows[0], sizeof *room->ints, err),
                              build_array(build, runs[0], sizeof *room->sums, err),
                              build_array(build, rows[1], sizeof *room->floats, err),
                              build_array(build, runs[1], sizeof *room->high, err),
                              build_array(build, runs[1], sizeof *room->low, err)};
    return room->ints && room->sums && room->floats && room->high && room->low ? VARVE_OK
                                                                               : VARVE_NOMEM;
}

static enum varve_status put_metrics(struct build *build, struct varve_err *err)
{
    const uint32_t *order = build->order;
    struct gathered room;
    TRY(make_room(build, &room, err));
    for (uint32_t m = 0; m < build->metric_count; m++) {
        TRY(put_int_runs(build, m, order, &room, err));
        order += build->metrics[m].runs[0];
        TRY(put_float_runs(build, m, order, &room, err));
        order += build->metrics[m].runs[1];
    }
    return VARVE_OK;
}

/* ---- all of it ----------------------------------------------------------- */

static enum varve_status run_stages(struct build *build, const uint32_t *index, size_t count,
                                    struct row *own, struct varve_err *err)
{
    TRY(build_rows(build, index, count, own, err));
    build->runs = build->builder->runs;
    TRY(build_labels(build, err));
    TRY(build_dictionaries(build, err));
    TRY(build_order(build, err));
    TRY(build_times(build, err));
    put_meta(build);
    TRY(put_labels(build, err));
    TRY(put_times(build, err));
    return put_metrics(build, err);
}

/* A large build leaves nothing behind: the next one is likely small. */
static void let_go(struct segment_builder *builder, size_t count)
{
    if (count <= ROWS_KEPT) {
        arena_clear(&builder->scratch);
        return;
    }
    arena_free(&builder->scratch);
    buf_free(&builder->writer.body);
    mem_free(builder->mem, builder->runs, builder->run_capacity * sizeof *builder->runs);
    builder->runs = NULL;
    builder->run_capacity = 0;
}

static enum varve_status
build_segment(struct segment_builder *builder, const struct rowset *rowset, const uint32_t *index,
              size_t count, struct row *own, uint64_t seed, struct buf *out, struct varve_err *err)
{
    if (count > SEGMENT_ROWS_MOST)
        return fail(err, VARVE_LIMIT, "", "%zu rows in a segment, at most %u are possible", count,
                    SEGMENT_ROWS_MOST);
    struct build build = {.builder = builder, .arena = &builder->scratch, .rowset = rowset};
    blob_writer_clear(&builder->writer);
    enum varve_status status = run_stages(&build, index, count, own, err);
    if (status == VARVE_OK) {
        struct blob_head head = {BLOB_METRICS, build.rows, 0, 0};
        if (build.rows > 0) {
            head.first = build.first;
            head.last = build.last;
        }
        status = blob_finish(&builder->writer, &head, seed, out, err);
    }
    let_go(builder, count);
    return status;
}

enum varve_status
segment_build(struct segment_builder *builder, const struct rowset *rowset, const uint32_t *index,
              size_t count, uint64_t seed, struct buf *out, struct varve_err *err)
{
    return build_segment(builder, rowset, index, index ? count : rowset->row_count, NULL, seed, out,
                         err);
}

enum varve_status segment_build_extract(struct segment_builder *builder, struct rowset *extract,
                                        uint64_t seed, struct buf *out, struct varve_err *err)
{
    size_t count = extract->row_count;
    extract->row_count = 0;
    return build_segment(builder, extract, NULL, count, extract->rows, seed, out, err);
}
