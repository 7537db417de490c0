/* SPDX-License-Identifier: Apache-2.0
 *
 * test_intake_batch.c -- when batches go, and what of them stays for the next.
 *
 * Every point is a number of its own, from which its metric, its labels and its host follow, so
 * that whoever gets the batches can tell whether a point is what it was, and how often it came:
 * nothing is lost, doubled or given another's labels where a batch is cut.
 */
#include "intake_unit.h"

#include "../faults/alloc_fault.h"
#include "base/clock.h"
#include "ingest/intake_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Points of a resource, after which doors pause; of a day that is large; of any test. */
enum {
    RESOURCE = 100,
    DAY = (LIMIT_BATCH_SMALL / RESOURCE + 2) * RESOURCE,
    POINTS = 4 * DAY,
    APPENDS = 16
};

#define HOUR INT64_C(3600)
#define DAYS (24 * HOUR)

struct heard {
    size_t rows, events;
    int64_t first, last; /* ends */
};

static struct unit unit;
static struct report report;
static int64_t ends[POINTS];
static uint8_t times[POINTS]; /* how often it was appended */
static uint32_t given;
static struct heard heard[APPENDS];
static int appends, calls;
static unsigned refusals; /* bit n: call n is refused, the disk is full */

static const struct {
    const char *name, *unit;
    enum intake_shape shape;
    enum varve_kind kind;
    int64_t one; /* what 1 is held as */
} metrics[] = {
    {"count", "", SHAPE_SUM, VARVE_COUNTER, 1},
    {"price", "USD", SHAPE_SUM, VARVE_COUNTER, 1000000000},
    {"level", "", SHAPE_GAUGE, VARVE_GAUGE, 1},
};

/* ---- what is appended --------------------------------------------------------- */

static void check_label(const struct rowset *rows, uint32_t set, const char *key, uint32_t number)
{
    char text[16];
    snprintf(text, sizeof text, "%u", number);
    struct varve_str value = rowset_label(rows, set, unit_str(key));
    if (value.size != strlen(text) || memcmp(value.data, text, value.size) != 0)
        fail_msg("%s is %.*s, should be %s", key, STR_ARG(value), text);
}

static void check_row(const struct rowset *rows, const struct row *row)
{
    const struct rowset_series *series = &rows->series[row->series];
    const struct rowset_metric *metric = &rows->metrics[series->metric];
    int64_t id = row->value / (metric->scale ? 1000000000 : 1);
    assert_in_range(id, 0, given - 1);
    uint32_t i = (uint32_t)id, m = i % 3;
    assert_true(str_equal(intern_text(&rows->texts, metric->name), unit_str(metrics[m].name)));
    assert_true(str_equal(intern_text(&rows->texts, metric->unit), unit_str(metrics[m].unit)));
    assert_true(metric->kind == metrics[m].kind && row->value == id * metrics[m].one);
    assert_true(row->end == ends[i] && !row->is_float);
    assert_int_equal(rows->sets[series->set].count, 2);
    check_label(rows, series->set, "user", i % 7);
    check_label(rows, series->set, "host", i / RESOURCE % 5);
    times[i]++;
}

static enum varve_status hear(void *context, struct write_batch *batch,
                              struct varve_appended *appended, struct varve_err *err)
{
    const struct rowset *rows = &batch->rows;
    struct heard h = {rows->row_count, batch->events.count, INT64_MAX, INT64_MIN};
    (void)context;
    if (refusals & 1u << calls++)
        return fail(err, VARVE_FULL, "", "told so");
    for (size_t i = 0; i < rows->row_count; i++) {
        check_row(rows, &rows->rows[i]);
        h.first = rows->rows[i].end < h.first ? rows->rows[i].end : h.first;
        h.last = rows->rows[i].end > h.last ? rows->rows[i].end : h.last;
    }
    assert_true(appends < APPENDS);
    heard[appends++] = h;
    appended->points += rows->row_count;
    return VARVE_OK;
}

static void check_once(void)
{
    for (uint32_t i = 0; i < given; i++)
        if (times[i] != 1)
            fail_msg("point %u of %u came %d times", i, given, times[i]);
    assert_int_equal(intake_counts(unit.intake)->appended.points, given);
    assert_int_equal(intake_counts(unit.intake)->batches, appends);
}

/* ---- what is given ------------------------------------------------------------- */

static bool is_unknown(void *context, struct varve_str name, struct varve_metric *metric)
{
    (void)context;
    (void)name;
    (void)metric;
    return false;
}

static void open_with(const struct varve_allocator *allocator, size_t memory, uint64_t batch_rows)
{
    static const uint8_t secret[RULES_SECRET] = "one secret";
    struct intake_options options = {.mem = &unit.mem,
                                     .seed = 77,
                                     .report = &report,
                                     .append = hear,
                                     .known = is_unknown,
                                     .batch_rows = batch_rows};
    unit = (struct unit){.known_count = 0};
    memset(times, 0, sizeof times);
    given = refusals = 0;
    appends = calls = 0;
    mem_init(&unit.mem, allocator, memory);
    assert_int_equal(rules_new(&unit.mem, unit_str(""), secret, &unit.rules, NULL), VARVE_OK);
    options.rules = unit.rules;
    assert_int_equal(intake_new(&options, &unit.intake, NULL), VARVE_OK);
}

static void begin_resource(void)
{
    char host[16];
    snprintf(host, sizeof host, "%u", given / RESOURCE % 5);
    const struct varve_field field = unit_text("host", host);
    assert_int_equal(intake_resource(unit.intake, &field, 1, NULL), VARVE_OK);
    assert_int_equal(
        intake_scope(unit.intake, STR("com.anthropic.claude_code"), STR("2"), NULL, 0, NULL),
        VARVE_OK);
}

/* The next point, at that many seconds.  Each resource has as many. */
static void give(int64_t at)
{
    char user[16];
    uint32_t i = given, m = i % 3;
    struct intake_metric metric = {unit_str(metrics[m].name), unit_str(metrics[m].unit),
                                   metrics[m].shape, VARVE_DELTA, true};
    assert_true(i < POINTS);
    if (i % RESOURCE == 0)
        begin_resource();
    snprintf(user, sizeof user, "%u", i % 7);
    const struct varve_field label = unit_text("user", user);
    ends[i] = UNIT_AT(at);
    given++;
    assert_int_equal(unit_number(&unit, &metric, &label, 1, 0, ends[i],
                                 (struct varve_value){.type = VARVE_INT, .as.i = i}),
                     VARVE_OK);
}

/* So many points from one time to just before another, with a pause after each resource; how many
 * batches went meanwhile. */
static int give_some(int64_t from, int64_t to, uint32_t count)
{
    int before = appends;
    for (uint32_t i = 0; i < count; i++) {
        give(from + (to - from) * i / count);
        if (given % RESOURCE == 0)
            assert_int_equal(intake_pause(unit.intake, NULL), VARVE_OK);
    }
    return appends - before;
}

static enum varve_status pause_and_flush(void)
{
    TRY(intake_pause(unit.intake, NULL));
    return intake_flush(unit.intake, NULL);
}

/* ---- days that end ---------------------------------------------------------------- */

/* A day goes when the next is two hours old, with what came late and without what came since. */
static void test_days_go_one_by_one(void **state)
{
    (void)state;
    open_with(NULL, 0, 0);
    assert_int_equal(give_some(0, DAYS, DAY), 0);
    for (int day = 1; day <= 2; day++) {
        int64_t begin = day * DAYS;
        uint32_t late = 0;
        for (int i = 0; i < 6 * RESOURCE; i++) {
            bool is_late = i % 4 == 0;
            late += is_late;
            give(is_late ? begin - 1 - i : begin + i * 2 * HOUR / (6 * RESOURCE));
            if (given % RESOURCE == 0)
                assert_int_equal(intake_pause(unit.intake, NULL), VARVE_OK);
        }
        assert_int_equal(appends, day - 1);
        give_some(begin + 2 * HOUR, begin + 2 * HOUR + 1, RESOURCE);
        assert_int_equal(appends, day);
        assert_int_equal(heard[day - 1].rows, (day == 1 ? DAY : DAY + 550) + late);
        assert_true(heard[day - 1].first >= UNIT_AT(begin - DAYS));
        assert_true(heard[day - 1].last < UNIT_AT(begin));
        if (day == 1)
            assert_int_equal(give_some(begin + 2 * HOUR, begin + DAYS, DAY), 0);
    }
    assert_int_equal(intake_flush(unit.intake, NULL), VARVE_OK);
    assert_int_equal(appends, 3);
    assert_int_equal(heard[2].rows, 550);
    check_once();
    assert_int_equal(intake_counts(unit.intake)->series, 3 * 7 * 5);
    assert_int_equal(give_some(9 * DAYS, 9 * DAYS + 1, 5 * RESOURCE), 0); /* it goes on */
    assert_int_equal(intake_flush(unit.intake, NULL), VARVE_OK);
    check_once();
    assert_int_equal(intake_flush(unit.intake, NULL), VARVE_OK); /* there is no more */
    assert_int_equal(appends, 4);
    unit_close(&unit);
}

/* Little of a day is not worth a batch, nor is a day most of which is still to come. */
static void test_little_waits(void **state)
{
    (void)state;
    open_with(NULL, 0, 0);
    for (int day = 0; day < 6; day++)
        assert_int_equal(give_some(day * DAYS, (day + 1) * DAYS, 10 * RESOURCE), 0);
    assert_int_equal(intake_flush(unit.intake, NULL), VARVE_OK);
    assert_int_equal(appends, 1);
    check_once();
    unit_close(&unit);
}

/* ---- batches that cannot wait ------------------------------------------------------ */

static void test_readings_do_not_wait(void **state)
{
    (void)state;
    const struct intake_metric total = {STR("total"), STR(""), SHAPE_SUM, VARVE_CUMULATIVE, true};
    bool wanted;
    open_with(NULL, 0, 0);
    begin_resource();
    assert_int_equal(intake_metric(unit.intake, &total, &wanted, NULL), VARVE_OK);
    assert_int_equal(give_some(0, HOUR, DAY), 1);
    assert_in_range(heard[0].rows, LIMIT_BATCH_SMALL, LIMIT_BATCH_SMALL + RESOURCE - 1);
    assert_int_equal(give_some(HOUR, 2 * HOUR, DAY), 0); /* the next has none */
    assert_int_equal(intake_flush(unit.intake, NULL), VARVE_OK);
    check_once();
    unit_close(&unit);
}

static void test_no_more_than_asked_for(void **state)
{
    (void)state;
    open_with(NULL, 0, LIMIT_BATCH_SMALL + 150 * RESOURCE);
    assert_int_equal(give_some(0, HOUR, 2 * DAY), 1);
    assert_in_range(heard[0].rows, LIMIT_BATCH_SMALL + 150 * RESOURCE,
                    LIMIT_BATCH_SMALL + 151 * RESOURCE - 1);
    assert_int_equal(intake_flush(unit.intake, NULL), VARVE_OK);
    check_once();
    unit_close(&unit);
}

static void test_little_memory(void **state)
{
    (void)state;
    open_with(NULL, 12 << 20, 0);
    assert_int_equal(give_some(0, HOUR, DAY), 1);
    assert_in_range(heard[0].rows, LIMIT_BATCH_SMALL, LIMIT_BATCH_SMALL + RESOURCE - 1);
    assert_int_equal(intake_flush(unit.intake, NULL), VARVE_OK);
    check_once();
    unit_close(&unit);
}

enum { LONG_LABELS = 100, LONG = 4000 };

/* A point whose labels nobody had before. */
static void give_long_labels(int number)
{
    static char texts[LONG_LABELS][LONG + 1], names[LONG_LABELS][8];
    const struct intake_metric level = {STR("level"), STR(""), SHAPE_GAUGE, 0, false};
    struct varve_field fields[LONG_LABELS];
    for (int i = 0; i < LONG_LABELS; i++) {
        snprintf(names[i], sizeof names[i], "l%d", i);
        snprintf(texts[i], sizeof texts[i], "%0*d-%d", LONG - 10, number, i);
        fields[i] = unit_text(names[i], texts[i]);
    }
    begin_resource();
    assert_int_equal(unit_number(&unit, &level, fields, LONG_LABELS, 0, UNIT_AT(number),
                                 (struct varve_value){.type = VARVE_INT, .as.i = 0}),
                     VARVE_OK);
}

/* Few points may have labels that take as much memory as a day of others. */
static void test_long_labels(void **state)
{
    const int most = LIMIT_BATCH_BYTES / (LONG_LABELS * LONG);
    int points = 0;
    (void)state;
    open_with(NULL, 0, 0);
    refusals = ~0u; /* what comes is not looked at */
    do
        give_long_labels(points);
    while (++points < 2 * most && intake_pause(unit.intake, NULL) == VARVE_OK);
    assert_in_range(points, most / 3, most + 1);
    assert_int_equal(calls, 1);
    unit_close(&unit);
}

static void test_it_does_not_wait_for_ever(void **state)
{
    (void)state;
    open_with(NULL, 0, 0);
    assert_int_equal(give_some(0, HOUR, RESOURCE), 0);
    intake_tick(unit.intake);
    assert_int_equal(give_some(0, HOUR, RESOURCE), 0);
    unit.intake->began -= 11 * INT64_C(1000000000); /* so it has begun by the clock */
    intake_tick(unit.intake);
    assert_int_equal(give_some(0, HOUR, RESOURCE), 1);
    assert_int_equal(heard[0].rows, 3 * RESOURCE);
    intake_tick(unit.intake);
    assert_int_equal(give_some(0, HOUR, RESOURCE), 0);
    assert_int_equal(intake_flush(unit.intake, NULL), VARVE_OK);
    check_once();
    unit_close(&unit);
}

/* ---- when it fails ---------------------------------------------------------------- */

/* A full day, and of the next as much as makes it go with the next pause. */
static void come_to_the_cut(void)
{
    assert_int_equal(give_some(0, DAYS, DAY), 0);
    assert_int_equal(give_some(DAYS, DAYS + 2 * HOUR, RESOURCE), 0);
    for (int i = 0; i < RESOURCE; i++)
        give(DAYS + 2 * HOUR);
}

/* The first append is refused, and then none, the second or the third, too. */
static void test_full_disk(void **state)
{
    (void)state;
    static const struct {
        unsigned refusals;
        int flushes; /* that fail */
    } cases[] = {{1, 0}, {3, 1}, {5, 1}, {11, 2}, {15, 3}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        open_with(NULL, 0, 0);
        come_to_the_cut();
        refusals = cases[i].refusals;
        assert_int_equal(pause_and_flush(), VARVE_FULL);
        for (int k = 0; k < cases[i].flushes; k++)
            assert_int_equal(intake_flush(unit.intake, NULL), VARVE_FULL);
        assert_int_equal(intake_flush(unit.intake, NULL), VARVE_OK);
        assert_int_equal(appends, 2);
        assert_int_equal(heard[0].rows, DAY);
        assert_int_equal(heard[1].rows, 2 * RESOURCE);
        check_once();
        assert_int_equal(give_some(2 * DAYS, 3 * DAYS, 5 * RESOURCE), 0);
        assert_int_equal(intake_flush(unit.intake, NULL), VARVE_OK);
        check_once();
        unit_close(&unit);
    }
}

/* Nothing is left behind, and what was appended was appended once. */
static void test_no_memory_at_the_cut(void **state)
{
    (void)state;
    struct alloc_fault fault;
    bool failed = true;
    uint64_t nth;
    alloc_fault_init(&fault);
    for (nth = 1; failed; nth++) {
        open_with(&fault.allocator, 0, 0);
        come_to_the_cut();
        alloc_fault_arm(&fault, ALLOC_FAULT_ONCE, nth);
        enum varve_status status = intake_pause(unit.intake, NULL);
        failed = fault.failed > 0;
        alloc_fault_arm(&fault, ALLOC_FAULT_NEVER, 0);
        assert_int_equal(status, failed ? VARVE_NOMEM : VARVE_OK);
        for (uint32_t i = 0; i < given; i++)
            assert_int_equal(times[i], i < DAY ? appends : 0);
        if (!failed) {
            assert_int_equal(intake_flush(unit.intake, NULL), VARVE_OK);
            check_once();
        }
        unit_close(&unit);
        assert_true(alloc_fault_is_clean(&fault));
    }
    assert_true(nth > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_days_go_one_by_one),
        cmocka_unit_test(test_little_waits),
        cmocka_unit_test(test_readings_do_not_wait),
        cmocka_unit_test(test_no_more_than_asked_for),
        cmocka_unit_test(test_little_memory),
        cmocka_unit_test(test_long_labels),
        cmocka_unit_test(test_it_does_not_wait_for_ever),
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_no_memory_at_the_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
