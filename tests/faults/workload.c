/* SPDX-License-Identifier: Apache-2.0
 *
 * workload.c -- makes batches out of their numbers, and keeps house in between.
 *
 * Item k of batch n lies n * 64 + k milliseconds after the midnight of its day.  Every ninth
 * batch is late: it belongs two days before its neighbours, which mostly are sealed by then.
 */
#include "workload.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"

enum { BATCHES_A_DAY = 32, BATCHES_AN_ANCIENT_DAY = 8, SLOTS_A_DAY = 32 };
/* 2026-01-25, so that a month ends soon; 2020-02-20; 2026-02-01. */
enum { FIRST_DAY = 20478, ANCIENT_DAY = 18312, FIRST_SLOT_DAY = 20485 };
#define ITEM_NS INT64_C(1000000)
#define SLOT_NS (NS_PER_DAY / SLOTS_A_DAY)

const char *const work_metric_names[WORK_METRICS] = {"work.tokens", "work.cost",  "work.seconds",
                                                     "work.load",   "work.total", "work.ancient"};
const char *const work_table_names[WORK_TABLES] = {"work_request", "work_result"};

static uint64_t mixed(uint64_t n, uint64_t k)
{
    uint64_t x = n * UINT64_C(0x9e3779b97f4a7c15) + k * UINT64_C(0xd1b54a32d192ed03);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* ---- times ------------------------------------------------------------------- */

static int32_t batch_day(uint64_t n)
{
    return (int32_t)(FIRST_DAY + n / BATCHES_A_DAY) - (n % 9 == 0 ? 2 : 0);
}

static int64_t item_time(int32_t day, uint64_t n, unsigned k)
{
    return day_start(day) + (int64_t)(n * WORK_ITEMS + k) * ITEM_NS;
}

static int32_t ancient_day(uint64_t n)
{
    return (int32_t)(ANCIENT_DAY + n / BATCHES_AN_ANCIENT_DAY);
}

bool work_item_of(int64_t time, uint64_t *n, unsigned *k)
{
    int32_t day = day_of(time);
    int64_t in_day = time - day_start(day);
    *n = (uint64_t)in_day / (ITEM_NS * WORK_ITEMS);
    *k = (unsigned)(in_day / ITEM_NS % WORK_ITEMS);
    return in_day % ITEM_NS == 0 && *n > 0 && (day == batch_day(*n) || day == ancient_day(*n));
}

int64_t work_floor(uint64_t n)
{
    return n > 0 && n % 23 == 0 ? day_start(ancient_day(n) - 1) : INT64_MIN;
}

int64_t work_slot_time(uint64_t slot)
{
    return day_start(FIRST_SLOT_DAY) + (int64_t)slot * SLOT_NS;
}

bool work_slot_of(int64_t time, uint64_t *slot)
{
    int64_t since = time - day_start(FIRST_SLOT_DAY);
    *slot = (uint64_t)(since / SLOT_NS);
    return since > 0 && since % SLOT_NS == 0;
}

int64_t work_slot_value(uint64_t slot)
{
    return slot ? (int64_t)(10 * slot + slot % 7) : 0;
}

/* Some batches keep their reading back, and the next but one brings it late. */
unsigned work_slots(uint64_t n, uint64_t slots[2])
{
    if (n % 5 == 3)
        return 0;
    slots[0] = n;
    slots[1] = n - 2;
    return n % 5 == 0 ? 2 : 1;
}

/* ---- points and events --------------------------------------------------------- */

static bool is_large(uint64_t n)
{
    return n % 40 == 7;
}

unsigned work_points(uint64_t n)
{
    return is_large(n) ? 60 : 4 + (unsigned)(mixed(n, 1000) % 9);
}

unsigned work_point_count(uint64_t n)
{
    uint64_t slots[2];
    return work_points(n) + 1 + work_slots(n, slots);
}

unsigned work_events(uint64_t n)
{
    return n % 25 == 4 ? 20 : (unsigned)(mixed(n, 2000) % 3);
}

static void set_value(struct work_point *point, uint64_t n, uint64_t x)
{
    switch (point->metric) {
    case WORK_COST:
        point->stored = (int64_t)(x % 1000000) * 1000000;
        point->value = varve_float((double)(x % 1000000) / 1000.0);
        break;
    case WORK_SECONDS: /* never a whole number */
        point->value = varve_float((double)(2 * (x % 1000000) + 1) / 16.0);
        break;
    case WORK_LOAD:
        point->stored = (int64_t)(x % 2000) - 1000;
        point->value =
            n % 2 ? varve_float((double)(2 * (x % 1000) + 1) / 32.0) : varve_int(point->stored);
        break;
    default:
        point->stored = (int64_t)(x % 100000);
        point->value = varve_int(point->stored);
    }
}

void work_point(uint64_t n, unsigned k, struct work_point *point)
{
    static const char *const models[] = {"opus", "sonnet", "haiku", ""};
    uint64_t x = mixed(n, k);
    memset(point, 0, sizeof *point);
    point->metric = (enum work_metric)(k % WORK_KINDS);
    point->end = item_time(batch_day(n), n, k);
    point->start = point->metric == WORK_LOAD ? 0 : point->end - NS_PER_SECOND;
    snprintf(point->session, WORK_LABEL, "session-%u", (unsigned)(n / 7 % 50));
    snprintf(point->model, WORK_LABEL, "%s", models[x % 4]);
    if (is_large(n))
        snprintf(point->session, WORK_LABEL, "session-%u-%u", (unsigned)n, k);
    set_value(point, n, x >> 8);
}

void work_ancient(uint64_t n, struct work_point *point)
{
    memset(point, 0, sizeof *point);
    point->metric = WORK_ANCIENT;
    point->end = item_time(ancient_day(n), n, WORK_ITEMS - 1);
    point->start = point->end - NS_PER_SECOND;
    snprintf(point->session, WORK_LABEL, "ancient");
    set_value(point, n, n);
}

void work_event(uint64_t n, unsigned k, struct work_event *event)
{
    uint64_t x = mixed(n, 100 + k);
    size_t size = is_large(n + 3) ? (size_t)(x % (WORK_BODY - 1)) : (size_t)(x % 40);
    memset(event, 0, sizeof *event);
    event->table = k % WORK_TABLES;
    event->time = item_time(batch_day(n), n, k);
    event->number = (int64_t)(x >> 20);
    event->ratio = (double)(x % 1000) / 8.0;
    event->has_ratio = x % 3 != 0;
    event->ok = x % 2;
    for (size_t i = 0; i < size; i++)
        event->body[i] = (char)('a' + mixed(x, i) % 26);
}

/* ---- appending ---------------------------------------------------------------- */

static const struct varve_metric metrics[WORK_METRICS] = {
    {{"work.tokens", 11}, {"", 0}, VARVE_COUNTER},
    {{"work.cost", 9}, {"USD", 3}, VARVE_COUNTER},
    {{"work.seconds", 12}, {"", 0}, VARVE_COUNTER},
    {{"work.load", 9}, {"%", 1}, VARVE_GAUGE},
    {{"work.total", 10}, {"{call}", 6}, VARVE_COUNTER},
    {{"work.ancient", 12}, {"", 0}, VARVE_COUNTER},
};

static enum varve_status put_point(varve_batch *batch, const struct work_point *point,
                                   enum varve_temporality temporality, struct varve_err *err)
{
    const struct varve_label labels[] = {{varve_str("session"), varve_str(point->session)},
                                         {varve_str("model"), varve_str(point->model)}};
    uint32_t metric, set;
    TRY(varve_batch_metric(batch, &metrics[point->metric], &metric, err));
    TRY(varve_batch_labels(batch, VARVE_NO_LABELS, labels, 2, &set, err));
    if (point->metric == WORK_LOAD)
        return varve_batch_gauge(batch, metric, set, point->end, point->value, err);
    return varve_batch_counter(batch, metric, set, temporality, point->start, point->end,
                               point->value, err);
}

static enum varve_status put_readings(varve_batch *batch, uint64_t n, struct varve_err *err)
{
    uint64_t slots[2];
    unsigned count = work_slots(n, slots);
    for (unsigned i = 0; i < count; i++) {
        struct work_point point = {.metric = WORK_TOTAL,
                                   .start = work_slot_time(0),
                                   .end = work_slot_time(slots[i]),
                                   .value = varve_int(work_slot_value(slots[i])),
                                   .session = "counter"};
        TRY(put_point(batch, &point, VARVE_CUMULATIVE, err));
    }
    return VARVE_OK;
}

static enum varve_status
put_event(varve_batch *batch, uint64_t n, unsigned k, struct varve_err *err)
{
    struct work_event event;
    work_event(n, k, &event);
    const struct varve_field fields[] = {
        {varve_str("number"), varve_int(event.number)},
        {varve_str("body"), varve_text(varve_str(event.body))},
        {varve_str("ok"), varve_bool(event.ok)},
        {varve_str("ratio"),
         event.has_ratio ? varve_float(event.ratio) : (struct varve_value){.type = VARVE_NULL}}};
    return varve_batch_event(batch, varve_str(work_table_names[event.table]), event.time, fields,
                             sizeof fields / sizeof *fields, err);
}

static enum varve_status fill(varve_batch *batch, uint64_t n, struct varve_err *err)
{
    struct work_point point;
    for (unsigned k = 0; k < work_points(n); k++) {
        work_point(n, k, &point);
        TRY(put_point(batch, &point, VARVE_DELTA, err));
    }
    work_ancient(n, &point);
    TRY(put_point(batch, &point, VARVE_DELTA, err));
    TRY(put_readings(batch, n, err));
    for (unsigned k = 0; k < work_events(n); k++)
        TRY(put_event(batch, n, k, err));
    return VARVE_OK;
}

/* Batches are whole, so either all of it is new or nothing. */
static enum varve_status adds_up(uint64_t n, const struct varve_appended *a, struct varve_err *err)
{
    uint64_t points = work_point_count(n), events = work_events(n);
    bool all_new = a->points == points && a->events == events && a->duplicates == 0;
    bool all_seen = a->points == 0 && a->events == 0 && a->duplicates == points + events;
    if ((all_new || all_seen) && a->ambiguous + a->baselines + a->expired == 0)
        return VARVE_OK;
    return fail(err, VARVE_MISUSE, "workload",
                "batch %u of %u points and %u events: %u and %u were new, %u seen before, "
                "%u ambiguous, %u baselines, %u expired",
                (unsigned)n, (unsigned)points, (unsigned)events, (unsigned)a->points,
                (unsigned)a->events, (unsigned)a->duplicates, (unsigned)a->ambiguous,
                (unsigned)a->baselines, (unsigned)a->expired);
}

enum varve_status work_append(varve *db, uint64_t n, struct varve_err *err)
{
    struct varve_appended appended = {0};
    varve_batch *batch;
    TRY(varve_batch_new(db, &batch, err));
    enum varve_status status = fill(batch, n, err);
    if (status == VARVE_OK)
        status = varve_append(db, batch, &appended, err);
    varve_batch_free(batch);
    return status == VARVE_OK ? adds_up(n, &appended, err) : status;
}

enum varve_status work_resume(varve *db, uint64_t n, struct varve_err *err)
{
    return work_floor(n) == INT64_MIN ? VARVE_OK : varve_retain(db, work_floor(n), NULL, err);
}

enum varve_status work_house(varve *db, uint64_t n, struct varve_err *err)
{
    if (n == 0)
        return VARVE_OK;
    if (n % 7 == 0)
        TRY(varve_seal(db, day_start(batch_day(n)), NULL, err));
    if (n % 19 == 0)
        TRY(varve_seal(db, INT64_MAX, NULL, err));
    TRY(work_resume(db, n, err));
    if (n % 31 == 0)
        TRY(varve_compact(db, NULL, err));
    return VARVE_OK;
}

enum varve_status
work_run(varve *db, uint64_t from, uint64_t to, uint64_t *done, struct varve_err *err)
{
    for (uint64_t n = from; n <= to; n++) {
        TRY(work_append(db, n, err));
        *done = n;
        TRY(work_house(db, n, err));
    }
    return VARVE_OK;
}
