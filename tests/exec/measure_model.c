/* SPDX-License-Identifier: Apache-2.0
 *
 * measure_model.c -- a small world, and what MEASURE has to say of it.
 */
#include "measure_model.h"

#include <math.h>
#include <stdlib.h>

#define HOUR (3600 * NS_PER_SECOND)
#define SERIES_MAX 256

const struct model_metric_info model_metrics[MODEL_METRICS] = {
    [TOKENS] = {{"tokens", 6}, {"tokens", 6}, VARVE_COUNTER, 0},
    [MONEY] = {{"money", 5}, {"USD", 3}, VARVE_COUNTER, 9},
    [FLOATS] = {{"floats", 6}, {"", 0}, VARVE_COUNTER, 0},
    [MIXED] = {{"mixed", 5}, {"", 0}, VARVE_COUNTER, 0},
    [READINGS] = {{"readings", 8}, {"", 0}, VARVE_COUNTER, 0},
    [GAUGE] = {{"gauge", 5}, {"", 0}, VARVE_GAUGE, 0},
    [UPDOWN] = {{"updown", 6}, {"", 0}, VARVE_UPDOWN, 0},
};
const struct varve_str model_labels[MODEL_LABELS] = {{"user", 4}, {"model", 5}, {"session", 7}};
static const unsigned label_values[MODEL_LABELS] = {4, 3, 7};

struct varve_str model_text(unsigned label, unsigned value)
{
    static const char texts[MODEL_LABELS][10][3] = {
        {"", "u1", "u2", "u3", "u4", "u5", "u6", "u7", "u8", "u9"},
        {"", "m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "m9"},
        {"", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9"}};
    const char *text = texts[label][value];
    return (struct varve_str){text, strlen(text)};
}

struct varve_value model_sent(const struct model_point *p)
{
    if (model_metrics[p->metric].scale)
        return (struct varve_value){VARVE_FLOAT, {.f = (double)p->sent / 1e9}};
    if (p->is_float)
        return (struct varve_value){VARVE_FLOAT, {.f = (double)p->sent / 1024}};
    return (struct varve_value){VARVE_INT, {.i = (int64_t)(p->sent / 1024)}};
}

/* ---- the world -------------------------------------------------------------------- */

static i128 some_value(enum model_metric metric, struct prng *prng, bool *is_float)
{
    i128 whole = (i128)prng_below(prng, UINT64_C(1) << prng_below(prng, 40));
    i128 fraction = (i128)(1 + prng_below(prng, 1023));
    *is_float = false;
    if (metric == MONEY)
        return whole;
    if (metric == FLOATS || ((metric == MIXED || metric == GAUGE) && prng_below(prng, 2)))
        *is_float = true;
    if ((metric == GAUGE || metric == UPDOWN) && prng_below(prng, 2))
        whole = -whole;
    if (metric == TOKENS && prng_below(prng, 40) == 0)
        whole = (i128)1 << 61; /* a few of them leave 64 bits */
    return whole * 1024 + (*is_float ? fraction : 0);
}

static void some_labels(struct model_point *p, struct prng *prng)
{
    for (unsigned l = 0; l < MODEL_LABELS; l++)
        p->labels[l] = (uint8_t)prng_below(prng, label_values[l] + 1);
    if (prng_below(prng, 3))
        p->labels[0] = (uint8_t)(p->labels[2] % 5); /* a session has a user */
}

static bool has_unknown_start(const struct model *m, const struct model_point *p)
{
    for (size_t i = 0; i < m->count; i++)
        if (m->rows[i].metric == READINGS && m->rows[i].start == 0 &&
            memcmp(m->rows[i].labels, p->labels, MODEL_LABELS) == 0)
            return true;
    return false;
}

/* Readings of a counter from its start on.  Where the start is not known the first one says only
 * from where to count. */
static void add_readings(struct model *m, struct prng *prng)
{
    struct model_point p = {.metric = READINGS, .form = VARVE_FORM_CUMULATIVE};
    i128 reached = 0;
    some_labels(&p, prng);
    p.start = m->first + (int64_t)prng_below(prng, (uint64_t)(m->last - m->first) / 2);
    p.end = p.start;
    bool unknown = prng_below(prng, 3) == 0 && !has_unknown_start(m, &p);
    if (unknown)
        p.start = 0;
    for (uint64_t n = 1 + prng_below(prng, 40); n > 0 && m->count < MODEL_ROWS; n--) {
        p.end += 1 + (int64_t)prng_below(prng, 2 * HOUR);
        if (p.end >= m->last)
            return;
        p.value = 1024 * (i128)(1 + prng_below(prng, 1000));
        p.sent = reached += p.value;
        p.form = unknown && reached == p.value ? VARVE_FORM_BASELINE : VARVE_FORM_CUMULATIVE;
        m->rows[m->count++] = p;
    }
}

static void add_points(struct model *m, struct prng *prng)
{
    struct model_point p = {.metric = (enum model_metric)prng_below(prng, MODEL_METRICS)};
    if (p.metric == READINGS) {
        add_readings(m, prng);
        return;
    }
    p.form = p.metric == GAUGE ? VARVE_FORM_GAUGE : VARVE_FORM_DELTA;
    some_labels(&p, prng);
    p.end = m->first + (int64_t)prng_below(prng, (uint64_t)(m->last - m->first));
    for (uint64_t n = 1 + prng_below(prng, 30); n > 0 && m->count < MODEL_ROWS; n--) {
        p.start = p.metric == GAUGE ? 0 : p.end;
        p.end += 1 + (int64_t)prng_below(prng, HOUR);
        if (p.end >= m->last)
            return;
        p.value = p.sent = some_value(p.metric, prng, &p.is_float);
        m->rows[m->count++] = p;
    }
}

void model_make(struct model *m, struct prng *prng)
{
    m->count = 0;
    m->first = INT64_C(1792800000000000000); /* 2026-10-24T00:00:00Z: a clock goes back */
    m->last = m->first + (int64_t)(1 + prng_below(prng, 5)) * NS_PER_DAY;
    uint64_t most = 1 + prng_below(prng, MODEL_ROWS - 1);
    while (m->count < most)
        add_points(m, prng);
}

/* ---- roll-ups -------------------------------------------------------------------------- */

/* A number that may be known exactly. */
struct number {
    struct value value;
    bool is_near, is_exact;
    i128 exact;
};

static struct number exact_number(i128 exact, bool is_float, int scale)
{
    struct number n = {.is_exact = true, .exact = exact};
    if (scale)
        n.value = exact == (int64_t)exact ? value_int(TYPE_NANO, (int64_t)exact)
                                          : value_float((double)((long double)exact / 1e9L));
    else if (is_float || exact / 1024 != (int64_t)(exact / 1024))
        n.value = value_float((double)exact / 1024);
    else
        n.value = value_int(TYPE_INT, (int64_t)(exact / 1024));
    n.is_near = scale && n.value.type == TYPE_FLOAT;
    return n;
}
static struct number count_number(uint64_t count)
{
    return exact_number((i128)count * 1024, false, 0);
}
static struct number near_number(long double d)
{
    return (struct number){.value = value_float((double)d), .is_near = true};
}
static long double as_long(i128 exact, int scale)
{
    return (long double)exact / (scale ? 1e9L : 1024.0L);
}

static struct value value_of(const struct model_point *p)
{
    return exact_number(p->value, p->is_float, model_metrics[p->metric].scale).value;
}

/* The rows of one series in one window, by (end, start). */
static struct number
roll_up(const struct question *q, const struct model_point *const *rows, size_t n, int64_t nanos)
{
    int scale = model_metrics[q->metric].scale;
    bool is_gauge = model_metrics[q->metric].kind == VARVE_GAUGE, any_float = false;
    const struct model_point *a = rows[0], *b = rows[n - 1], *least = a, *most = a;
    i128 sum = 0;
    uint64_t changes = 0, falls = 0, starts = 0;
    for (size_t i = 0; i < n; i++) {
        bool is_new = true;
        sum += rows[i]->value;
        any_float |= rows[i]->is_float;
        least = value_compare(value_of(rows[i]), value_of(least)) < 0 ? rows[i] : least;
        most = value_compare(value_of(rows[i]), value_of(most)) > 0 ? rows[i] : most;
        int c = i ? value_compare(value_of(rows[i]), value_of(rows[i - 1])) : 0;
        changes += c != 0;
        falls += c < 0;
        for (size_t k = 0; k < i; k++)
            is_new &= rows[k]->start != rows[i]->start;
        starts += is_new;
    }
    i128 rise = is_gauge ? b->value - a->value : sum;
    bool rise_float = is_gauge ? a->is_float || b->is_float : any_float;
    switch (q->function) {
    case ROLLUP_FIRST:
        return exact_number(a->value, a->is_float, scale);
    case ROLLUP_LAST:
        return exact_number(b->value, b->is_float, scale);
    case ROLLUP_MIN_OF:
        return exact_number(least->value, least->is_float, scale);
    case ROLLUP_MAX_OF:
        return exact_number(most->value, most->is_float, scale);
    case ROLLUP_AVG_OF:
        return near_number(as_long(sum, scale) / (long double)n);
    case ROLLUP_SEEN:
        return count_number(n);
    case ROLLUP_CHANGES:
        return count_number(changes);
    case ROLLUP_RESETS:
        return count_number(is_gauge ? falls : q->metric == READINGS ? starts - 1 : 0);
    case ROLLUP_RATE:
        return near_number(as_long(rise, scale) / ((long double)nanos / 1e9L));
    default:
        return exact_number(rise, rise_float, scale);
    }
}

/* ---- aggregates --------------------------------------------------------------------------- */

/* Of equal numbers of different types the integer comes first. */
static int compare_numbers(const void *left, const void *right)
{
    struct value a = ((const struct number *)left)->value,
                 b = ((const struct number *)right)->value;
    int c = value_compare(a, b);
    return c ? c : (a.type > b.type) - (a.type < b.type);
}

static struct number list_of(const struct number *n, size_t count)
{
    static char text[8192];
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        char one[VALUE_TEXT_MAX];
        struct varve_str s = n[i].value.type == TYPE_TEXT
                                 ? value_str(n[i].value)
                                 : (struct varve_str){one, value_print(n[i].value, one)};
        size += (size_t)snprintf(text + size, sizeof text - size, "%s%.*s", i ? "," : "",
                                 (int)s.size, s.data);
    }
    char *copy = strdup(text);
    return (struct number){.value = value_text((struct varve_str){copy, size})};
}

static struct number sum_of(const struct number *n, size_t count, int scale)
{
    i128 exact = 0;
    long double near = 0;
    bool is_exact = true, any_float = false;
    for (size_t i = 0; i < count; i++) {
        is_exact &= n[i].is_exact;
        any_float |= n[i].value.type == TYPE_FLOAT;
        exact += n[i].exact;
        near += (long double)value_double(n[i].value);
    }
    return is_exact ? exact_number(exact, any_float, scale) : near_number(near);
}

static struct number
aggregate(const struct question *q, struct number *n, size_t count, bool is_count)
{
    const struct aggregate *a = &q->aggregate;
    int scale = is_count ? 0 : model_metrics[q->metric].scale;
    size_t kept = 0;
    bool is_near = false;
    qsort(n, count, sizeof *n, compare_numbers);
    if (a->distinct || a->kind == AGGREGATE_LIST) {
        for (size_t i = 0; i < count; i++)
            if (kept == 0 || value_compare(n[i].value, n[kept - 1].value) != 0)
                n[kept++] = n[i];
        count = kept;
    }
    for (size_t i = 0; i < count; i++)
        is_near |= n[i].is_near;
    if (a->kind == AGGREGATE_COUNT)
        return count_number(count);
    if (count == 0)
        return (struct number){.value = value_null()};
    struct number sum =
        a->kind == AGGREGATE_SUM || a->kind == AGGREGATE_AVG || a->kind == AGGREGATE_STDDEV
            ? sum_of(n, count, scale)
            : n[0];
    long double mean = (sum.is_exact ? as_long(sum.exact, scale) : (long double)sum.value.as.f) /
                       (long double)count;
    double q_at = (a->kind == AGGREGATE_MEDIAN ? 0.5 : a->quantile) * (double)(count - 1);
    size_t below = (size_t)q_at;
    long double squares = 0;
    switch (a->kind) {
    case AGGREGATE_SUM:
        return sum;
    case AGGREGATE_AVG:
        return near_number(mean);
    case AGGREGATE_MIN:
        return n[0];
    case AGGREGATE_MAX:
        return n[count - 1];
    case AGGREGATE_LIST:
        return list_of(n, count);
    case AGGREGATE_STDDEV:
        for (size_t i = 0; i < count; i++) {
            double d = value_double(n[i].value) - (double)mean;
            squares += (long double)(d * d);
        }
        return near_number(sqrtl(squares / (long double)count));
    default:
        break;
    }
    double low = value_double(n[below].value),
           high = value_double(n[below + (below + 1 < count)].value);
    struct number result = near_number((long double)(low + (high - low) * (q_at - (double)below)));
    result.is_near = is_near || q_at != (double)below;
    return result;
}

/* ---- questions ------------------------------------------------------------------- */

static bool passes(const struct question *q, const struct model_point *p)
{
    if (p->metric != q->metric || p->form == VARVE_FORM_BASELINE)
        return false;
    if (q->where_label < MODEL_LABELS && p->labels[q->where_label] != q->where_value)
        return false; /* which is never true of a missing one */
    if (q->matched >= MODEL_LABELS)
        return true;
    bool same = p->labels[q->matched] == q->matcher_value;
    return same == (q->op == MATCH_EQ || q->op == MATCH_RE);
}

static int compare_rows(const void *left, const void *right)
{
    const struct model_point *a = *(const struct model_point *const *)left,
                             *b = *(const struct model_point *const *)right;
    int c = memcmp(a->labels, b->labels, sizeof a->labels);
    if (c)
        return c;
    if (a->end != b->end)
        return a->end < b->end ? -1 : 1;
    return (a->start > b->start) - (a->start < b->start);
}

/* One bucket: the rows in it, series behind series. */
struct moment {
    const struct question *q;
    int64_t time;
    struct time_range window;
    const struct model_point *rows[MODEL_ROWS];
    size_t count;
};
/* What one series gives. */
struct series_value {
    uint8_t keys[MODEL_LABELS];
    struct number number;
    bool is_null, any_float;
    i128 sum;
};

static size_t series_values(const struct moment *m, struct series_value *values)
{
    size_t count = 0;
    const struct question *q = m->q;
    for (size_t i = 0, next; i < m->count; i = next) {
        struct series_value *v = &values[count++];
        const uint8_t *labels = m->rows[i]->labels;
        *v = (struct series_value){.sum = 0};
        for (next = i; next < m->count && memcmp(m->rows[next]->labels, labels, MODEL_LABELS) == 0;
             next++) {
            v->sum += m->rows[next]->value;
            v->any_float |= m->rows[next]->is_float;
        }
        for (unsigned k = 0; k < q->key_count; k++)
            v->keys[k] = labels[q->keys[k]];
        v->number = roll_up(q, m->rows + i, next - i, m->window.until - m->window.since);
        if (q->of_label < MODEL_LABELS) {
            unsigned value = labels[q->of_label];
            v->number = (struct number){.value = value_text(model_text(q->of_label, value))};
            v->is_null = value == 0;
        }
        if (q->filter_label < MODEL_LABELS)
            v->is_null |= labels[q->filter_label] != q->filter_value;
    }
    return count;
}

/* Rates add up before they are divided. */
static bool adds_up(const struct question *q)
{
    return q->function == ROLLUP_RATE && q->aggregate.kind == AGGREGATE_SUM &&
           !q->aggregate.distinct && model_metrics[q->metric].kind != VARVE_GAUGE;
}

static struct number group_value(const struct moment *m, const struct series_value *values,
                                 size_t count, const uint8_t *keys)
{
    struct number numbers[SERIES_MAX];
    const struct question *q = m->q;
    size_t n = 0;
    i128 sum = 0;
    for (size_t i = 0; i < count; i++) {
        if (memcmp(values[i].keys, keys, MODEL_LABELS) != 0 || values[i].is_null)
            continue;
        numbers[n++] = values[i].number;
        sum += values[i].sum;
    }
    if (n > 0 && adds_up(q))
        return near_number(as_long(sum, model_metrics[q->metric].scale) /
                           ((long double)(m->window.until - m->window.since) / 1e9L));
    bool is_count =
        q->function == ROLLUP_SEEN || q->function == ROLLUP_CHANGES || q->function == ROLLUP_RESETS;
    return aggregate(q, numbers, n, is_count);
}

static void ask_moment(struct moment *m, struct model_answer **answers, size_t *count)
{
    static struct series_value values[SERIES_MAX];
    qsort(m->rows, m->count, sizeof *m->rows, compare_rows);
    size_t n = series_values(m, values);
    for (size_t i = 0; i < n; i++) {
        bool is_new = true;
        for (size_t k = 0; k < i; k++)
            is_new &= memcmp(values[k].keys, values[i].keys, MODEL_LABELS) != 0;
        if (!is_new)
            continue;
        struct number number = group_value(m, values, n, values[i].keys);
        *answers = realloc(*answers, (*count + 1) * sizeof **answers);
        struct model_answer *a = &(*answers)[(*count)++];
        *a = (struct model_answer){m->time, {0}, number.value, number.is_near};
        memcpy(a->keys, values[i].keys, MODEL_LABELS);
    }
}

static int64_t bucket_start(const struct question *q, int64_t t)
{
    if (q->bucket.kind == BUCKET_CALENDAR)
        return period_start(q->zone, q->bucket.unit, t);
    return q->bucket.kind == BUCKET_FIXED ? t - t % q->bucket.width : q->range.since;
}
static int64_t bucket_end(const struct question *q, int64_t start)
{
    if (q->bucket.kind == BUCKET_CALENDAR)
        return period_next(q->zone, q->bucket.unit, start);
    return q->bucket.kind == BUCKET_FIXED ? start + q->bucket.width : q->range.until;
}

static int compare_answers(const void *left, const void *right)
{
    const struct model_answer *a = left, *b = right;
    if (a->time != b->time)
        return a->time < b->time ? -1 : 1;
    return memcmp(a->keys, b->keys, MODEL_LABELS);
}

size_t model_ask(const struct model *model, const struct question *q, struct model_answer **answers)
{
    static struct moment m;
    size_t count = 0;
    *answers = NULL;
    m.q = q;
    for (int64_t start = bucket_start(q, q->range.since), end; start < q->range.until;
         start = end) {
        end = bucket_end(q, start);
        m.time = start;
        m.window.since = start > q->range.since ? start : q->range.since;
        m.window.until = end < q->range.until ? end : q->range.until;
        if (q->window)
            m.window.since = m.window.until - q->window;
        m.count = 0;
        for (size_t i = 0; i < model->count; i++) {
            int64_t t = model->rows[i].end + q->offset;
            if (t >= m.window.since && t < m.window.until && passes(q, &model->rows[i]))
                m.rows[m.count++] = &model->rows[i];
        }
        ask_moment(&m, answers, &count);
    }
    if (count == 0 && q->bucket.kind == BUCKET_NONE && q->key_count == 0) {
        *answers = calloc(1, sizeof **answers);
        (*answers)[count++].value =
            q->aggregate.kind == AGGREGATE_COUNT ? value_int(TYPE_INT, 0) : value_null();
    }
    if (count)
        qsort(*answers, count, sizeof **answers, compare_answers);
    return count;
}
