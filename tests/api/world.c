/* SPDX-License-Identifier: Apache-2.0
 *
 * world.c -- sessions, writers, late points: what a store has to put up with.
 *
 * Doubles stay within 2^-62 and 2^20, so that the model's numbers hold them and
 * sums of a run split into two doubles without loss; cumulative doubles are eighths, so that their
 * differences are exact.
 */
#include "world.h"

#include <math.h>
#include <string.h>

#include "../base/unit.h"
#include "ask.h"

#define SECOND INT64_C(1000000000)
#define DAY (86400 * SECOND)
#define FIRST_DAY INT64_C(1789344000000000000) /* 2026-09-14 */

enum {
    TOKENS,
    COST,
    RATIO,
    ACTIVE,
    CUM_TOKENS,
    CUM_COST,
    CUM_LOAD,
    UPTIME,
    MEMORY,
    BUCKETS,
    SESSION,
    PENDING,
    BUDGET
};

const struct world_metric world_metrics[] = {
    [TOKENS] = {"claude_code.token.usage", "tokens", VARVE_COUNTER, VARVE_DELTA, 0, false, false},
    [COST] = {"claude_code.cost.usage", "USD", VARVE_COUNTER, VARVE_DELTA, 9, false, false},
    [RATIO] = {"ratio", "1", VARVE_COUNTER, VARVE_DELTA, 0, false, false},
    [ACTIVE] = {"claude_code.active_time.total", "s", VARVE_COUNTER, VARVE_DELTA, 9, false, false},
    [CUM_TOKENS] = {"cumulative.tokens", "tokens", VARVE_COUNTER, VARVE_CUMULATIVE, 0, false,
                    false},
    [CUM_COST] = {"cumulative.cost", "EUR", VARVE_COUNTER, VARVE_CUMULATIVE, 9, false, false},
    [CUM_LOAD] = {"cumulative.load", "", VARVE_COUNTER, VARVE_CUMULATIVE, 0, false, false},
    [UPTIME] = {"uptime", "", VARVE_COUNTER, VARVE_CUMULATIVE, 0, true, false},
    [MEMORY] = {"memory", "By", VARVE_GAUGE, VARVE_DELTA, 0, false, false},
    [BUCKETS] = {"duration.bucket", "", VARVE_HISTOGRAM, VARVE_DELTA, 0, false, false},
    [SESSION] = {"session.tokens", "tokens", VARVE_COUNTER, VARVE_CUMULATIVE, 0, false, true},
    [PENDING] = {"pending", "", VARVE_UPDOWN, VARVE_DELTA, 0, false, false},
    [BUDGET] = {"budget", "USD", VARVE_UPDOWN, VARVE_DELTA, 9, false, false},
};
const size_t world_metric_count = sizeof world_metrics / sizeof *world_metrics;

const char *const world_keys[] = {"host", "le", "model", "session.id", "type", "user.email"};
const size_t world_key_count = sizeof world_keys / sizeof *world_keys;
const char *const world_tables[] = {"api_request", "tool_result"};
const size_t world_table_count = sizeof world_tables / sizeof *world_tables;
const char *const world_fields[] = {"cost", "model", "ok", "tokens"};
const size_t world_field_count = sizeof world_fields / sizeof *world_fields;

static const char *const models[] = {"opus", "sonnet", "haiku", "größer"};

/* ---- values ------------------------------------------------------------ */

static struct varve_value some_count(struct prng *prng)
{
    int64_t n = (int64_t)(prng_next(prng) >> (prng_below(prng, 4) ? 50 : 30));
    return prng_below(prng, 3) ? varve_int(n) : varve_float((double)n);
}

/* Amounts with the noise that adding doubles leaves behind. */
static struct varve_value some_money(struct prng *prng)
{
    double v = (double)prng_below(prng, 2000000) / 1e7;
    if (prng_below(prng, 2))
        v += (double)prng_below(prng, 1000) * 1e-9;
    if (prng_below(prng, 4) == 0)
        v = v * 3 / 7;
    return prng_below(prng, 20) ? varve_float(v) : varve_int((int64_t)prng_below(prng, 9));
}

static struct varve_value some_fraction(struct prng *prng)
{
    double v = ldexp((double)(prng_next(prng) >> 11 | 1), (int)prng_below(prng, 16) - 60);
    return varve_float(prng_below(prng, 5) ? v : floor(v * 8) + 1);
}

static struct varve_value negated(struct varve_value v)
{
    if (v.type == VARVE_INT)
        v.as.i = -v.as.i;
    else if (v.as.f != 0)
        v.as.f = -v.as.f;
    return v;
}

static struct varve_value value_for(const struct world_metric *metric, struct prng *prng)
{
    bool signs = metric->kind == VARVE_GAUGE || metric->kind == VARVE_UPDOWN;
    struct varve_value v = metric->scale == 9                ? some_money(prng)
                           : metric == &world_metrics[RATIO] ? some_fraction(prng)
                           : signs && prng_below(prng, 2)    ? some_fraction(prng)
                                                             : some_count(prng);
    return signs && prng_below(prng, 2) ? negated(v) : v;
}

/* The next reading of a cumulative counter. */
static struct varve_value
reading_after(const struct world_metric *metric, struct prng *prng, double *reached)
{
    if (metric->scale == 9) {
        *reached += (double)prng_below(prng, 100000) / 1e8;
        return varve_float(*reached);
    }
    if (metric == &world_metrics[CUM_LOAD]) {
        *reached += (double)prng_below(prng, 40) / 8;
        return varve_float(*reached);
    }
    *reached += (double)prng_below(prng, 1000);
    return prng_below(prng, 3) ? varve_int((int64_t)*reached) : varve_float(*reached);
}

/* ---- items ------------------------------------------------------------- */

struct making {
    struct world *world;
    struct prng *prng;
    const struct world_shape *shape;
};

static void add_item(struct making *m, const struct item *item)
{
    struct world *w = m->world;
    if (w->count == w->room) {
        w->room = w->room * 2 + 256;
        w->items = realloc(w->items, w->room * sizeof *w->items);
        assert_non_null(w->items);
    }
    w->items[w->count++] = *item;
}

static int64_t delay(struct making *m)
{
    uint64_t dice = prng_below(m->prng, 100);
    if (m->shape->shuffled)
        return (int64_t)prng_below(m->prng, (uint64_t)(40 * DAY));
    if (dice < 3)
        return (int64_t)prng_below(m->prng, (uint64_t)(15 * DAY));
    return (int64_t)prng_below(m->prng, (uint64_t)m->shape->lateness + 1);
}

/* Sends an item once, or now and then twice. */
static void put(struct making *m, struct item item)
{
    bool in_order = item.metric && item.metric->in_order;
    item.order = item.end + (in_order ? 0 : delay(m));
    add_item(m, &item);
    if (prng_below(m->prng, 15) == 0) {
        item.order = item.end + 1 + delay(m);
        add_item(m, &item);
    }
}

static void
put_readings(struct making *m, struct item item, int64_t at, unsigned count, int64_t step)
{
    double reached = 0;
    for (unsigned i = 0; i < count; i++) {
        if ((item.metric->in_order || item.metric->from_zero) && prng_below(m->prng, 8) == 0)
            reached = 0; /* it was started anew */
        item.value = reading_after(item.metric, m->prng, &reached);
        item.end = at += step + (int64_t)prng_below(m->prng, (uint64_t)SECOND);
        put(m, item);
    }
}

/* One, two or three processes with the same labels; now and then even with the same start. */
static void
put_writers(struct making *m, struct item item, int64_t at, unsigned count, int64_t step)
{
    bool alone = item.metric->in_order || item.metric->from_zero;
    unsigned writers = alone ? 1 : 1 + (unsigned)prng_below(m->prng, 3);
    bool same = prng_below(m->prng, 4) == 0;
    for (unsigned w = 0; w < writers; w++) {
        item.start = item.metric->in_order    ? 0
                     : item.metric->from_zero ? VARVE_FROM_ZERO
                                              : at + (same ? 0 : (int64_t)w * 7);
        put_readings(m, item, at + (int64_t)w, count, step);
    }
}

static void put_deltas(struct making *m, struct item item, int64_t at, unsigned count, int64_t step)
{
    for (unsigned i = 0; i < count; i++) {
        item.start = item.metric->kind == VARVE_GAUGE ? 0 : at;
        item.end = at += step + (int64_t)prng_below(m->prng, 3);
        item.value = value_for(item.metric, m->prng);
        put(m, item);
        if (prng_below(m->prng, 20) == 0) { /* another value at the same time is another point */
            item.value = value_for(item.metric, m->prng);
            put(m, item);
        }
    }
}

static void put_events(struct making *m, int64_t at, unsigned count, int64_t step)
{
    for (unsigned i = 0; i < count; i++) {
        struct item item = {.table = world_tables[prng_below(m->prng, world_table_count)]};
        item.end = at += (int64_t)prng_below(m->prng, (uint64_t)step);
        item.has = (unsigned)prng_below(m->prng, 16);
        item.value = some_fraction(m->prng);
        item.tokens = (int64_t)prng_below(m->prng, 5000);
        item.model = (int)prng_below(m->prng, 4);
        item.ok = (int)prng_below(m->prng, 2);
        put(m, item);
    }
}

static void put_series(struct making *m, const struct world_metric *metric,
                       const struct labels *labels, int64_t at, unsigned count, int64_t step)
{
    struct item item = {.metric = metric, .labels = *labels};
    if (metric == &world_metrics[BUCKETS])
        labels_set(&item.labels, "le", prng_below(m->prng, 2) ? "0.5" : "+Inf");
    if (prng_below(m->prng, 2))
        labels_set(&item.labels, "type", prng_below(m->prng, 2) ? "input" : "output");
    if (prng_below(m->prng, 3))
        labels_set(&item.labels, "model", models[prng_below(m->prng, 4)]);
    if (metric->temporality == VARVE_CUMULATIVE)
        put_writers(m, item, at, count, step);
    else
        put_deltas(m, item, at, count, step);
}

static void put_session(struct making *m, unsigned number)
{
    struct labels labels = {""};
    char text[48];
    int64_t at = FIRST_DAY + (int64_t)prng_below(m->prng, m->shape->days * (uint64_t)DAY);
    int64_t step = (int64_t)(10 + prng_below(m->prng, 100)) * SECOND;
    unsigned count = 1 + (unsigned)prng_below(m->prng, 12), user = number % 5;
    if (m->shape->dense && number == 0) {
        count = 2500;
        step = 20 * SECOND;
    }
    snprintf(text, sizeof text, "user%u@example.com", user);
    labels_set(&labels, "user.email", text);
    if (user > 1)
        labels_set(&labels, "host", user % 2 ? "workstation" : "laptop");
    if (prng_below(m->prng, 10)) {
        snprintf(text, sizeof text, "%08x-5a1b-4c2d-8e3f-%012llx", number * 2654435761u,
                 (unsigned long long)prng_below(m->prng, UINT64_C(1) << 48));
        labels_set(&labels, "session.id", text);
    }
    for (size_t i = 0; i < world_metric_count; i++)
        if (prng_below(m->prng, 3) == 0)
            put_series(m, &world_metrics[i], &labels, at, count, step);
    put_events(m, at, count / 2, step);
}

static int compare_order(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    return (x->order > y->order) - (x->order < y->order);
}

void world_make(struct world *world, struct prng *prng, const struct world_shape *shape)
{
    *world = (struct world){.first = FIRST_DAY, .last = FIRST_DAY + (shape->days + 1) * DAY};
    struct making m = {world, prng, shape};
    for (unsigned i = 0; i < shape->sessions; i++)
        put_session(&m, i);
    qsort(world->items, world->count, sizeof *world->items, compare_order);
}

void world_free(struct world *world)
{
    free(world->items);
    *world = (struct world){0};
}

/* ---- sending and telling ----------------------------------------------- */

/* Half of the labels as a parent, the others over it. */
static uint32_t labels_in_batch(varve_batch *batch, const struct labels *labels)
{
    struct varve_label given[16];
    size_t count = 0;
    uint32_t set;
    for (const char *line = labels->text, *end; *line; line = end + 1) {
        end = strchr(line, '\n');
        const char *middle = strchr(line, '=');
        given[count++] = (struct varve_label){{line, (size_t)(middle - line)},
                                              {middle + 1, (size_t)(end - middle - 1)}};
    }
    MUST(varve_batch_labels(batch, VARVE_NO_LABELS, given, count / 2, &set, &test_err));
    MUST(varve_batch_labels(batch, set, given + count / 2, count - count / 2, &set, &test_err));
    return set;
}

static void put_point(varve_batch *batch, const struct item *item)
{
    const struct world_metric *w = item->metric;
    struct varve_metric metric = {varve_str(w->name), varve_str(w->unit), w->kind};
    uint32_t id, set = labels_in_batch(batch, &item->labels);
    MUST(varve_batch_metric(batch, &metric, &id, &test_err));
    if (w->kind == VARVE_GAUGE)
        MUST(varve_batch_gauge(batch, id, set, item->end, item->value, &test_err));
    else
        MUST(varve_batch_counter(batch, id, set, w->temporality, item->start, item->end,
                                 item->value, &test_err));
}

static void put_event(varve_batch *batch, const struct item *item)
{
    const struct varve_field fields[] = {
        {varve_str("tokens"), item->has & 8 ? varve_int(item->tokens) : (struct varve_value){0}},
        {varve_str("cost"), item->has & 1 ? item->value : (struct varve_value){0}},
        {varve_str("ok"), item->has & 4 ? varve_bool(item->ok) : (struct varve_value){0}},
        {varve_str("model"),
         item->has & 2 ? varve_text(varve_str(models[item->model])) : (struct varve_value){0}},
    };
    MUST(varve_batch_event(batch, varve_str(item->table), item->end, fields, 4, &test_err));
}

void world_send(const struct world *world, varve *db, size_t from, size_t to,
                struct varve_appended *appended)
{
    varve_batch *batch;
    struct varve_appended a;
    MUST(varve_batch_new(db, &batch, &test_err));
    for (size_t i = from; i < to; i++)
        if (world->items[i].metric)
            put_point(batch, &world->items[i]);
        else
            put_event(batch, &world->items[i]);
    MUST(varve_append(db, batch, &a, &test_err));
    if (a.points + a.events + a.duplicates + a.baselines + a.expired != to - from)
        fail_msg("%zu sent, but %llu points, %llu events, %llu duplicates, %llu baselines, "
                 "%llu expired",
                 to - from, (unsigned long long)a.points, (unsigned long long)a.events,
                 (unsigned long long)a.duplicates, (unsigned long long)a.baselines,
                 (unsigned long long)a.expired);
    varve_batch_free(batch);
    if (appended)
        *appended = a;
}

static void event_text(const struct item *item, char *text, size_t size)
{
    int at = 0;
    text[0] = '\0';
    if (item->has & 1)
        at += snprintf(text + at, size - (size_t)at, "cost=f:%a\n", item->value.as.f);
    if (item->has & 2)
        at += snprintf(text + at, size - (size_t)at, "model=s:%s\n", models[item->model]);
    if (item->has & 4)
        at += snprintf(text + at, size - (size_t)at, "ok=b:%d\n", item->ok);
    if (item->has & 8)
        at += snprintf(text + at, size - (size_t)at, "tokens=i:%lld\n", (long long)item->tokens);
}

void world_tell(const struct world *world, struct model *model, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        const struct item *item = &world->items[i];
        const struct world_metric *w = item->metric;
        char text[256];
        if (!w) {
            event_text(item, text, sizeof text);
            model_event(model, item->table, item->end, text);
        } else if (w->kind == VARVE_GAUGE) {
            model_gauge(model, w->name, w->scale, &item->labels, item->end, item->value);
        } else {
            model_counter(model, w->name, w->scale, &item->labels, w->temporality, item->start,
                          item->end, item->value);
        }
    }
}
