/* SPDX-License-Identifier: Apache-2.0
 *
 * test_intake.c -- what metrics become: names and units, shapes and temporalities, labels and
 * their order of precedence, histograms, refusals, batches.
 */
#include "intake_unit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static struct unit unit;

static int begin(void **state)
{
    (void)state;
    unit = (struct unit){.known_count = 0};
    return 0;
}

static void open_with(const char *rules)
{
    assert_int_equal(unit_open(&unit, NULL, rules), VARVE_OK);
    assert_int_equal(unit_plain(&unit), VARVE_OK);
}

static struct varve_value of_int(int64_t number)
{
    return (struct varve_value){.type = VARVE_INT, .as.i = number};
}

static struct varve_value of_float(double number)
{
    return (struct varve_value){.type = VARVE_FLOAT, .as.f = number};
}

static struct intake_metric sum(const char *name, const char *unit_name, int temporality)
{
    return (struct intake_metric){unit_str(name), unit_str(unit_name), SHAPE_SUM, temporality,
                                  true};
}

static struct intake_metric gauge(const char *name, const char *unit_name)
{
    return (struct intake_metric){unit_str(name), unit_str(unit_name), SHAPE_GAUGE, 0, false};
}

/* A number without labels. */
static void give(struct intake_metric metric, int64_t start, int64_t end, struct varve_value value)
{
    assert_int_equal(unit_number(&unit, &metric, NULL, 0, start, end, value), VARVE_OK);
}

/* ---- names, units, shapes ---- */

static void test_names_and_units(void **state)
{
    (void)state;
    open_with("");
    give(sum("claude_code.cost.usage", "USD", VARVE_DELTA), UNIT_AT(1), UNIT_AT(2), of_float(0.25));
    give(sum("claude_code_cost_usage_USD_total", "", VARVE_DELTA), UNIT_AT(2), UNIT_AT(3),
         of_float(0.5));
    give(sum("otel_claude_code_active_time_seconds_total", "seconds", VARVE_DELTA), UNIT_AT(1),
         UNIT_AT(2), of_float(1.5));
    give(sum("claude_code.session.count", "count", VARVE_DELTA), UNIT_AT(1), UNIT_AT(2),
         of_float(1));
    give(gauge("temperature", "Cel"), 0, UNIT_AT(2), of_float(21.5));
    unit_check(&unit, "claude_code.cost.usage [counter USD] {} delta 1..2 = 250000000 e-9\n"
                      "claude_code.cost.usage [counter USD] {} delta 2..3 = 500000000 e-9\n"
                      "claude_code.active_time.total [counter s] {} delta 1..2 = 1500000000 e-9\n"
                      "claude_code.session.count [counter] {} delta 1..2 = 1\n"
                      "temperature [gauge Cel] {} gauge @2 = 21.5\n");
    unit_close(&unit);
}

static void test_shapes(void **state)
{
    (void)state;
    open_with("");
    struct intake_metric updown = sum("queue", "", VARVE_DELTA);
    struct intake_metric level = sum("level", "", VARVE_CUMULATIVE);
    struct intake_metric mute = sum("mute", "", 0);
    struct intake_metric odd = sum("claude_code.commit.count", "", VARVE_DELTA);
    updown.monotonic = level.monotonic = odd.monotonic = false;
    give(sum("a", "", VARVE_CUMULATIVE), UNIT_AT(1), UNIT_AT(2), of_int(3));
    give(updown, UNIT_AT(1), UNIT_AT(2), of_int(-3));
    give(level, UNIT_AT(1), UNIT_AT(2), of_int(-4));
    give(sum("b_bucket", "", VARVE_CUMULATIVE), UNIT_AT(1), UNIT_AT(2), of_int(5));
    give(gauge("claude_code_token_usage", ""), 0, UNIT_AT(2), of_int(6));
    give(odd, UNIT_AT(1), UNIT_AT(2), of_int(7));
    give(mute, UNIT_AT(1), UNIT_AT(2), of_int(8));
    give(mute, UNIT_AT(1), UNIT_AT(2), of_int(8));
    give(sum("", "", VARVE_DELTA), UNIT_AT(1), UNIT_AT(2), of_int(8));
    unit_check(&unit, "a [counter] {} cumulative 1..2 = 3\n"
                      "queue [updown] {} delta 1..2 = -3\n"
                      "level [gauge] {} gauge @2 = -4\n"
                      "b_bucket [histogram] {} cumulative 1..2 = 5\n"
                      "claude_code.token.usage [counter tokens] {} cumulative ?..2 = 6\n"
                      "claude_code.commit.count [counter] {} delta 1..2 = 7\n");
    unit_rejected(&unit, REJECT_TEMPORALITY, 2);
    unit_rejected(&unit, REJECT_METRIC, 1);
    unit_close(&unit);
}

static void test_starts(void **state)
{
    (void)state;
    open_with("");
    struct varve_field session = unit_text("session_id", "s");
    struct intake_metric cost = sum("cost", "", VARVE_CUMULATIVE);
    struct intake_metric other = sum("other", "", VARVE_CUMULATIVE);
    struct intake_metric late = sum("late", "", VARVE_DELTA);
    assert_int_equal(unit_number(&unit, &cost, &session, 1, 0, UNIT_AT(2), of_int(1)), VARVE_OK);
    assert_int_equal(unit_number(&unit, &cost, &session, 1, UNIT_AT(1), UNIT_AT(2), of_int(1)),
                     VARVE_OK);
    assert_int_equal(unit_number(&unit, &other, &session, 1, 0, UNIT_AT(2), of_int(1)), VARVE_OK);
    give(cost, 0, UNIT_AT(2), of_int(1));
    give(late, UNIT_AT(3), UNIT_AT(2), of_int(1));
    give(late, 0, UNIT_AT(2), of_int(1));
    unit_check(&unit, "claude_code.cost.usage [counter USD] {session.id=\"s\"} cumulative 0..2 = "
                      "1000000000 e-9\n"
                      "claude_code.cost.usage [counter USD] {session.id=\"s\"} cumulative 1..2 = "
                      "1000000000 e-9\n"
                      "other [counter] {session.id=\"s\"} cumulative ?..2 = 1\n"
                      "claude_code.cost.usage [counter USD] {} cumulative ?..2 = 1000000000 e-9\n"
                      "late [counter] {} delta 2..2 = 1\n"
                      "late [counter] {} delta ?..2 = 1\n");
    give(other, UNIT_AT(3), UNIT_AT(2), of_int(1));
    give(other, 1, UNIT_AT(2), of_int(1));
    give(other, 0, 5, of_int(1));
    give(other, 0, 0, of_int(1));
    give(other, 0, INT64_MAX, of_int(1));
    unit_rejected(&unit, REJECT_TIME, 5);
    give(other, 0, UNIT_AT(2), of_int(-1));
    give(other, 0, UNIT_AT(2), of_float((double)NAN));
    give(cost, 0, UNIT_AT(2), of_float(1e300));
    give(cost, 0, UNIT_AT(2), (struct varve_value){.type = VARVE_TEXT, .as.s = STR("1")});
    unit_rejected(&unit, REJECT_VALUE, 4);
    unit_check(&unit, "");
    unit_close(&unit);
}

/* ---- what the store knows ---- */

static void test_kinds_that_changed(void **state)
{
    (void)state;
    unit.known[0] = (struct varve_metric){STR("a"), STR(""), VARVE_GAUGE};
    unit.known[1] = (struct varve_metric){STR("b"), STR("s"), VARVE_COUNTER};
    unit.known[2] = (struct varve_metric){STR("c"), STR(""), VARVE_COUNTER};
    unit.known_count = 3;
    open_with("");
    intake_place(unit.intake, "file", "body", 7);
    give(sum("a", "", VARVE_DELTA), UNIT_AT(1), UNIT_AT(2), of_int(1));
    give(sum("a", "", VARVE_DELTA), UNIT_AT(1), UNIT_AT(2), of_int(1));
    unit_rejected(&unit, REJECT_METRIC, 2);
    assert_string_equal(unit.report.first[REJECT_METRIC],
                        "file, body 7: metric a is a counter here, but was a gauge before");
    give(sum("b", "", VARVE_DELTA), UNIT_AT(1), UNIT_AT(2), of_int(1));
    give(sum("b", "ms", VARVE_DELTA), UNIT_AT(1), UNIT_AT(2), of_int(1));
    unit_rejected(&unit, REJECT_METRIC, 3);
    give(sum("c", "s", VARVE_DELTA), UNIT_AT(1), UNIT_AT(2), of_int(1));
    give(sum("d", "", VARVE_DELTA), UNIT_AT(1), UNIT_AT(2), of_int(1));
    give(gauge("d", ""), 0, UNIT_AT(2), of_int(1));
    unit_rejected(&unit, REJECT_METRIC, 4);
    unit_check(&unit, "b [counter s] {} delta 1..2 = 1000000000 e-9\n"
                      "c [counter] {} delta 1..2 = 1\n"
                      "d [counter] {} delta 1..2 = 1\n");
    unit_close(&unit);
}

/* ---- labels ---- */

static void give_to(struct intake_metric metric, const struct varve_field *labels, size_t count)
{
    assert_int_equal(unit_number(&unit, &metric, labels, count, UNIT_AT(1), UNIT_AT(2), of_int(1)),
                     VARVE_OK);
}

static void give_labels(const struct varve_field *labels, size_t count)
{
    give_to(sum("n", "", VARVE_DELTA), labels, count);
}

static void test_inner_labels_win(void **state)
{
    (void)state;
    open_with("");
    struct varve_field outer[] = {unit_text("a", "resource"), unit_text("b", "resource"),
                                  unit_text("c", "resource"), unit_text("gone", "resource")};
    struct varve_field middle[] = {unit_text("b", "scope"), unit_text("c", "scope")};
    struct varve_field inner[] = {
        unit_text("c", "point"),      unit_int("int", -5),     unit_float("float", 0.1),
        unit_float("whole", 3),       unit_bool("bool", true), unit_text("user_email", "twice"),
        unit_text("user.email", "e"), unit_text("gone", ""),   {STR("null"), {.type = VARVE_NULL}}};
    assert_int_equal(intake_resource(unit.intake, outer, 4, NULL), VARVE_OK);
    assert_int_equal(intake_scope(unit.intake, STR("lib"), STR("1"), middle, 2, NULL), VARVE_OK);
    give_labels(inner, 9);
    assert_int_equal(
        intake_scope(unit.intake, STR("com.anthropic.claude_code.x"), STR("1"), NULL, 0, NULL),
        VARVE_OK);
    give_labels(NULL, 0);
    unit_check(&unit,
               "n [counter] {a=\"resource\", b=\"scope\", bool=\"true\", c=\"point\", "
               "float=\"0.1\", int=\"-5\", otel.scope.name=\"lib\", otel.scope.version=\"1\", "
               "user.email=\"e\", whole=\"3\"} delta 1..2 = 1\n"
               "n [counter] {a=\"resource\", b=\"resource\", c=\"resource\", "
               "gone=\"resource\"} delta 1..2 = 1\n");
    give_labels(NULL, 0);
    unit_check(&unit, "n [counter] {} delta 1..2 = 1\n");
    unit_close(&unit);
}

static void test_scope_of_text_formats(void **state)
{
    (void)state;
    open_with("");
    struct varve_field own[] = {unit_text("otel_scope_name", "com.anthropic.claude_code"),
                                unit_text("x", "y"), unit_text("otel_scope_version", "2.1")};
    struct varve_field other[] = {unit_text("otel_scope_name", "mine"),
                                  unit_text("otel_scope_version", "2.1")};
    give_labels(own, 3);
    give_labels(other, 2);
    unit_check(&unit, "n [counter] {x=\"y\"} delta 1..2 = 1\n"
                      "n [counter] {otel.scope.name=\"mine\", otel.scope.version=\"2.1\"} "
                      "delta 1..2 = 1\n");
    unit_close(&unit);
}

static void test_rules_on_metrics(void **state)
{
    (void)state;
    open_with(
        "hash label user.email; drop label user.*; drop label type in lines; drop metric tmp*");
    struct varve_field labels[] = {unit_text("user_email", "a@example.com"),
                                   unit_text("user.id", "7"), unit_text("type", "added")};
    struct intake_metric lines = sum("lines", "", VARVE_DELTA), tokens = lines, tmp = lines;
    tokens.name = STR("tokens");
    tmp.name = STR("tmp.x");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(intake_resource(unit.intake, labels + 1, 1, NULL), VARVE_OK);
        give_to(lines, labels, 3);
        give_to(tokens, labels, 3);
        give_to(tmp, labels, 3);
    }
    const char *once = "claude_code.lines_of_code.count [counter] "
                       "{user.email=\"h:bd69c59a83a7966d4d6ce8c541d204e8\"} delta 1..2 = 1\n"
                       "claude_code.token.usage [counter tokens] {type=\"added\", "
                       "user.email=\"h:bd69c59a83a7966d4d6ce8c541d204e8\"} delta 1..2 = 1\n";
    char twice[1000];
    snprintf(twice, sizeof twice, "%s%s", once, once);
    unit_check(&unit, twice);
    assert_int_equal(intake_counts(unit.intake)->dropped, 2);
    assert_int_equal(intake_counts(unit.intake)->series, 2);
    unit_close(&unit);
}

static void test_unusable_labels(void **state)
{
    (void)state;
    open_with("");
    static char large[5000], keys[200][8];
    struct varve_field many[200];
    memset(large, 'x', sizeof large - 1);
    for (int i = 0; i < 200; i++) {
        snprintf(keys[i], sizeof keys[i], "k%d", i);
        many[i] = unit_text(keys[i], "v");
    }
    struct varve_field bad[] = {unit_text("large", large), unit_text("bytes", "\xff"),
                                unit_text("", "no name"), unit_text(large, "long name"),
                                unit_text("good", "good")};
    for (int i = 0; i < 4; i++) {
        struct varve_field two[] = {bad[4], bad[i]};
        give_labels(two, 2);
    }
    give_labels(many, 129);
    unit_rejected(&unit, REJECT_LABELS, 4);
    unit_rejected(&unit, REJECT_UTF8, 1);
    unit_check(&unit, "");
    /* Of a resource, only what is unusable is left out, and counted once. */
    assert_int_equal(intake_resource(unit.intake, bad, 5, NULL), VARVE_OK);
    give_labels(NULL, 0);
    give_labels(NULL, 0);
    unit_check(&unit, "n [counter] {good=\"good\"} delta 1..2 = 1\n"
                      "n [counter] {good=\"good\"} delta 1..2 = 1\n");
    unit_rejected(&unit, REJECT_LABELS, 7);
    unit_rejected(&unit, REJECT_UTF8, 2);
    unit_close(&unit);
}

static void begin_resource(const struct varve_field *label, const struct intake_metric *metric)
{
    bool wanted;
    assert_int_equal(intake_resource(unit.intake, label, 1, NULL), VARVE_OK);
    assert_int_equal(intake_metric(unit.intake, metric, &wanted, NULL), VARVE_OK);
    assert_true(wanted);
}

/* Resources that are equal share what was found, others do not, and a flush forgets it. */
static void test_label_sets_are_found_again(void **state)
{
    (void)state;
    open_with("");
    struct varve_field one = unit_text("host", "1"), two = unit_text("host", "2");
    struct intake_metric metric = sum("n", "", VARVE_DELTA);
    struct h128 hash = {5, 6};
    uint32_t set, other;
    bool usable;
    begin_resource(&one, &metric);
    assert_false(intake_find_labels(unit.intake, hash, &set));
    assert_int_equal(intake_labels(unit.intake, hash, NULL, 0, &set, &usable, NULL), VARVE_OK);
    assert_true(usable);
    begin_resource(&two, &metric);
    assert_false(intake_find_labels(unit.intake, hash, &other));
    begin_resource(&one, &metric);
    assert_true(intake_find_labels(unit.intake, hash, &other));
    assert_int_equal(set, other);
    assert_int_equal(intake_number(unit.intake, set, 0, UNIT_AT(1), of_int(1), NULL), VARVE_OK);
    unit_check(&unit, "n [counter] {host=\"1\"} delta ?..1 = 1\n");
    begin_resource(&one, &metric);
    assert_false(intake_find_labels(unit.intake, hash, &other));
    unit_close(&unit);
}

/* ---- histograms and summaries ---- */

static void give_histogram(struct intake_metric metric, const struct intake_buckets *buckets)
{
    bool wanted, usable;
    uint32_t set;
    struct varve_field label = unit_text("path", "/");
    assert_int_equal(intake_metric(unit.intake, &metric, &wanted, NULL), VARVE_OK);
    assert_true(wanted);
    assert_int_equal(
        intake_labels(unit.intake, (struct h128){1, 2}, &label, 1, &set, &usable, NULL), VARVE_OK);
    assert_int_equal(intake_histogram(unit.intake, set, buckets, NULL), VARVE_OK);
}

static void test_histogram(void **state)
{
    (void)state;
    open_with("");
    static const double bounds[] = {-0.5, 0, 0.1, 1, 2.5, 100000, 1e6, 1.5e6, 12345678};
    static const uint64_t counts[] = {1, 0, 2, 3, 0, 0, 0, 4, 0, 5};
    struct intake_buckets buckets = {.start = UNIT_AT(1),
                                     .end = UNIT_AT(2),
                                     .count = 15,
                                     .has_sum = true,
                                     .sum = 7.25,
                                     .bounds = bounds,
                                     .bound_count = 9,
                                     .counts = counts,
                                     .bucket_count = 10};
    struct intake_metric metric = sum("http.time", "s", VARVE_CUMULATIVE);
    metric.shape = SHAPE_HISTOGRAM;
    give_histogram(metric, &buckets);
#define BUCKET(le, count) \
    "http.time_bucket [histogram] {le=\"" le "\", path=\"/\"} cumulative 1..2 = " count "\n"
    unit_check(&unit,
               "http.time_sum [counter s] {path=\"/\"} cumulative 1..2 = 7250000000 e-9\n"
               "http.time_count [counter] {path=\"/\"} cumulative 1..2 = 15\n" BUCKET("-0.5", "1")
                   BUCKET("0", "1") BUCKET("0.1", "3") BUCKET("1", "6") BUCKET("2.5", "6")
                       BUCKET("100000", "6") BUCKET("1e+06", "6") BUCKET("1.5e+06", "10")
                           BUCKET("1.2345678e+07", "10") BUCKET("+Inf", "15"));
    buckets.has_sum = false;
    buckets.bound_count = buckets.bucket_count = 0;
    give_histogram(metric, &buckets);
    unit_check(&unit, "http.time_count [counter] {path=\"/\"} cumulative 1..2 = 15\n");
    unit_close(&unit);
}

static void test_bad_histograms(void **state)
{
    (void)state;
    open_with("");
    static const double falling[] = {1, 1}, infinite[] = {1, (double)INFINITY}, good[] = {1, 2};
    static const uint64_t counts[] = {1, 2, 3};
    struct intake_metric metric = sum("h", "", VARVE_DELTA);
    metric.shape = SHAPE_HISTOGRAM;
    struct intake_buckets right = {.end = UNIT_AT(2),
                                   .count = 6,
                                   .bounds = good,
                                   .bound_count = 2,
                                   .counts = counts,
                                   .bucket_count = 3};
    struct intake_buckets wrong[5];
    for (int i = 0; i < 5; i++)
        wrong[i] = right;
    wrong[0].bounds = falling;
    wrong[1].bounds = infinite;
    wrong[2].bucket_count = 2;
    wrong[3].count = 5;
    wrong[4].bucket_count = 0;
    for (int i = 0; i < 5; i++)
        give_histogram(metric, &wrong[i]);
    unit_rejected(&unit, REJECT_HISTOGRAM, 5);
    /* All or nothing: the time, or the sum, of a whole one is bad. */
    struct intake_buckets late = right, negative = right;
    late.end = 5;
    negative.has_sum = true;
    negative.sum = -1;
    give_histogram(metric, &late);
    unit_rejected(&unit, REJECT_TIME, 1);
    give_histogram(metric, &negative);
    unit_rejected(&unit, REJECT_VALUE, 1);
    unit_check(&unit, "");
    assert_int_equal(intake_counts(unit.intake)->series, 0);
    unit_close(&unit);
}

static void test_summary(void **state)
{
    (void)state;
    open_with("");
    static const double quantiles[] = {0.5, 0.99, 1}, values[] = {2, (double)NAN, 1e-7};
    struct intake_quantiles summary = {UNIT_AT(1), UNIT_AT(2), 4, 9.5, quantiles, values, 3};
    struct intake_metric metric = {STR("rpc"), STR(""), SHAPE_SUMMARY, 0, false};
    uint32_t set;
    bool wanted, usable;
    assert_int_equal(intake_metric(unit.intake, &metric, &wanted, NULL), VARVE_OK);
    assert_int_equal(intake_labels(unit.intake, (struct h128){1, 2}, NULL, 0, &set, &usable, NULL),
                     VARVE_OK);
    assert_int_equal(intake_summary(unit.intake, set, &summary, NULL), VARVE_OK);
    unit_check(&unit, "rpc_sum [counter] {} cumulative 1..2 = 9.5\n"
                      "rpc_count [counter] {} cumulative 1..2 = 4\n"
                      "rpc [gauge] {quantile=\"0.5\"} gauge @2 = 2\n"
                      "rpc [gauge] {quantile=\"1\"} gauge @2 = 9.9999999999999995e-08\n");
    unit_close(&unit);
}

/* ---- batches ---- */

static void test_batches(void **state)
{
    (void)state;
    unit.batch_rows = 3;
    open_with("");
    for (int i = 0; i < 10; i++) {
        char name[2] = {(char)('a' + i % 5), 0};
        struct varve_field label = unit_text("l", name);
        assert_int_equal(intake_pause(unit.intake, NULL), VARVE_OK);
        give_labels(&label, 1);
    }
    assert_int_equal(intake_counts(unit.intake)->batches, 3);
    assert_int_equal(intake_counts(unit.intake)->appended.points, 9);
    assert_int_equal(intake_counts(unit.intake)->series, 5);
    unit.append_status = VARVE_FULL;
    assert_int_equal(intake_flush(unit.intake, NULL), VARVE_FULL);
    unit.append_status = VARVE_OK;
    assert_int_equal(intake_flush(unit.intake, NULL), VARVE_OK);
    assert_int_equal(intake_counts(unit.intake)->appended.points, 10);
    assert_int_equal(intake_flush(unit.intake, NULL), VARVE_OK);
    assert_int_equal(intake_counts(unit.intake)->batches, 4);
    unit_close(&unit);
}

/* What is only refused does not add up. */
static void test_refusals_take_no_memory(void **state)
{
    (void)state;
    unit.batch_rows = 100;
    open_with("");
    size_t settled = 0;
    for (int i = 0; i < 30000; i++) {
        char name[20];
        snprintf(name, sizeof name, "m%d", i);
        struct varve_field label = unit_text("l", name);
        struct intake_metric metric = sum(name, "", i % 2 ? 0 : VARVE_DELTA);
        assert_int_equal(intake_pause(unit.intake, NULL), VARVE_OK);
        assert_int_equal(unit_number(&unit, &metric, &label, 1, 0, 0, of_int(1)), VARVE_OK);
        if (i == 20000)
            settled = unit.mem.peak;
    }
    assert_int_equal(unit.mem.peak, settled);
    unit_rejected(&unit, REJECT_TIME, 15000);
    unit_rejected(&unit, REJECT_TEMPORALITY, 15000);
    unit_close(&unit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_names_and_units, begin),
        cmocka_unit_test_setup(test_shapes, begin),
        cmocka_unit_test_setup(test_starts, begin),
        cmocka_unit_test_setup(test_kinds_that_changed, begin),
        cmocka_unit_test_setup(test_inner_labels_win, begin),
        cmocka_unit_test_setup(test_scope_of_text_formats, begin),
        cmocka_unit_test_setup(test_rules_on_metrics, begin),
        cmocka_unit_test_setup(test_unusable_labels, begin),
        cmocka_unit_test_setup(test_label_sets_are_found_again, begin),
        cmocka_unit_test_setup(test_histogram, begin),
        cmocka_unit_test_setup(test_bad_histograms, begin),
        cmocka_unit_test_setup(test_summary, begin),
        cmocka_unit_test_setup(test_batches, begin),
        cmocka_unit_test_setup(test_refusals_take_no_memory, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
