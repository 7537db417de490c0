/* SPDX-License-Identifier: Apache-2.0
 *
 * test_forms.c -- counters without a start, from zero and with signs: what runs say of themselves.
 *
 * Everything is asked of the journal, of sealed days, and of a store that has both.
 */
#include <stdio.h>

#include "small.h"

enum stage { JOURNAL, SEALED, BOTH, STAGES };

/* Between the two halves of what a test appends, and behind them. */
static void between(struct small *s, enum stage stage)
{
    small_append(s);
    if (stage == BOTH)
        MUST(varve_seal(s->db, INT64_MAX, NULL, &test_err));
}

static void behind(struct small *s, enum stage stage)
{
    small_append(s);
    if (stage == SEALED)
        MUST(varve_seal(s->db, INT64_MAX, NULL, &test_err));
}

/* Per form how many rows there are and what they add up to. */
struct forms {
    unsigned rows[5];
    int64_t sums[5];
};

static struct forms forms_of(struct small *s, const char *metric, unsigned flags)
{
    struct forms forms = {{0}, {0}};
    varve_snapshot *snapshot;
    varve_scan *scan;
    struct varve_rows rows;
    struct varve_query query = {
        .source = varve_str(metric), .since = INT64_MIN, .until = INT64_MAX, .flags = flags};
    enum varve_status status;
    MUST(varve_snapshot_open(s->db, &snapshot, &test_err));
    MUST(varve_scan_open(snapshot, &query, &scan, &test_err));
    while ((status = varve_scan_rows(scan, &rows, &test_err)) == VARVE_OK)
        for (uint32_t r = 0; r < rows.runs; r++)
            for (uint32_t i = rows.run_start[r]; i < rows.run_start[r + 1]; i++) {
                assert_in_range(rows.run_form[r], VARVE_FORM_DELTA, VARVE_FORM_BASELINE);
                forms.rows[rows.run_form[r]]++;
                forms.sums[rows.run_form[r]] += rows.ints[i];
            }
    assert_int_equal(status, VARVE_DONE);
    varve_scan_close(scan);
    varve_snapshot_close(snapshot);
    return forms;
}

static uint64_t points_of_runs(struct small *s, const char *metric, unsigned flags)
{
    struct ask ask = {.source = metric, .since = INT64_MIN, .until = INT64_MAX, .flags = flags};
    struct group_answer *groups;
    uint64_t points = 0;
    MUST(varve_snapshot_open(s->db, &ask.snapshot, &test_err));
    if (ask_groups(&ask, &groups) > 0)
        points = groups[0].points;
    free(groups);
    varve_snapshot_close(ask.snapshot);
    return points;
}

static void test_baselines(void **state)
{
    (void)state;
    for (enum stage stage = JOURNAL; stage < STAGES; stage++) {
        struct small s;
        small_make(&s);
        small_reading(&s, "m", "", "", 0, T0 + HOUR, varve_int(100));
        small_reading(&s, "m", "", "", 0, T0 + 2 * HOUR, varve_int(110));
        between(&s, stage);
        small_reading(&s, "m", "", "", 0, T0 + 3 * HOUR, varve_int(7)); /* started anew */
        small_delta(&s, "m", "", "", T0 + 3 * HOUR, varve_int(1000));
        behind(&s, stage);
        struct forms f = forms_of(&s, "m", 0);
        assert_true(f.rows[VARVE_FORM_CUMULATIVE] == 2 && f.sums[VARVE_FORM_CUMULATIVE] == 17);
        assert_true(f.rows[VARVE_FORM_DELTA] == 1 && f.rows[VARVE_FORM_BASELINE] == 0);
        f = forms_of(&s, "m", VARVE_BASELINES);
        assert_true(f.rows[VARVE_FORM_CUMULATIVE] == 2 && f.sums[VARVE_FORM_CUMULATIVE] == 17);
        assert_true(f.rows[VARVE_FORM_BASELINE] == 2 && f.sums[VARVE_FORM_BASELINE] == 107);
        assert_int_equal(points_of_runs(&s, "m", 0), 3);
        assert_int_equal(points_of_runs(&s, "m", VARVE_BASELINES), 3); /* they are for rows */
        assert_int_equal(small_increase(&s, "m", INT64_MIN, INT64_MAX), 1017);
        small_close(&s);
        small_verify(&s);
        small_remove(&s);
    }
}

/* Over days, sealed ones and others, with a reset and a late reading. */
static void test_from_zero(void **state)
{
    (void)state;
    for (enum stage stage = JOURNAL; stage < STAGES; stage++) {
        struct small s;
        int64_t zero = VARVE_FROM_ZERO;
        small_make(&s);
        small_reading(&s, "m", "", "s=a", zero, T0 + HOUR, varve_int(100));
        small_reading(&s, "m", "", "s=a", zero, T0 + DAY + HOUR, varve_int(130));
        between(&s, stage);
        small_reading(&s, "m", "", "s=a", zero, T0 + 2 * DAY, varve_int(30));
        small_reading(&s, "m", "", "s=a", zero, T0 + 2 * HOUR, varve_int(120)); /* late */
        small_reading(&s, "m", "", "s=b", zero, T0 + DAY, varve_int(1000));
        behind(&s, stage);
        assert_int_equal(small_increase(&s, "m", INT64_MIN, T0 + DAY), 120);
        assert_int_equal(small_increase(&s, "m", T0 + DAY, T0 + 2 * DAY), 1010);
        assert_int_equal(small_increase(&s, "m", T0 + 2 * DAY, INT64_MAX), 30);
        struct varve_stats stats = small_stats(&s);
        assert_true(stats.points == 5 && stats.baselines == 0 && stats.ambiguous == 0);
        small_close(&s);
        small_verify(&s);
        small_remove(&s);
    }
}

static void test_updown(void **state)
{
    (void)state;
    for (enum stage stage = JOURNAL; stage < STAGES; stage++) {
        struct small s;
        small_make(&s);
        uint32_t id = small_metric(&s, "u", "", VARVE_UPDOWN);
        const int64_t values[] = {5, -8, -INT64_MAX, INT64_MAX, INT64_MAX, -4};
        for (int i = 0; i < 6; i++) {
            if (i == 3)
                between(&s, stage), id = small_metric(&s, "u", "", VARVE_UPDOWN);
            MUST(varve_batch_counter(s.batch, id, VARVE_NO_LABELS, VARVE_DELTA, 0, T0 + i * HOUR,
                                     varve_int(values[i]), &test_err));
        }
        behind(&s, stage);
        assert_int_equal(small_increase(&s, "u", T0, T0 + 2 * HOUR), -3);
        assert_int_equal(small_increase(&s, "u", T0 + 2 * HOUR, T0 + 4 * HOUR), 0);
        assert_int_equal(small_increase(&s, "u", T0 + HOUR, T0 + 4 * HOUR), -8);
        assert_int_equal(small_increase(&s, "u", T0 + 5 * HOUR, T0 + DAY), -4);
        small_close(&s);
        small_verify(&s);
        small_remove(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_baselines),
        cmocka_unit_test(test_from_zero),
        cmocka_unit_test(test_updown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
