/* SPDX-License-Identifier: Apache-2.0
 *
 * test_otlp_pb.c -- OTLP in protobuf, as the intake hears it.
 *
 * A fake intake writes down every call.  Bodies with every field must lead to
 * the lines they should; then fields are left out, repeated and turned round, and records are
 * made bad one by one among good ones.
 */
#include "ingest/otlp_pb.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/unit.h"
#include "fake_intake.h"
#include "pb_samples.h"

struct fixture {
    struct mem mem;
    struct intake *intake;
    struct otlp_pb *door;
    struct pb pb;
    bool refused;
    struct varve_err err;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    mem_init(&f->mem, NULL, 0);
    assert_int_equal(intake_new(NULL, &f->intake, NULL), VARVE_OK);
    assert_int_equal(otlp_pb_new(&f->mem, f->intake, &f->door, NULL), VARVE_OK);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    otlp_pb_free(f->door);
    intake_free(f->intake);
    pb_free(&f->pb);
    int leaked = f->mem.used != 0;
    free(f);
    return leaked;
}

/* What the intake hears of the body at hand; "refused" when it is. */
static const char *lines_of(struct fixture *f, enum otlp_signal signal)
{
    fake_intake_clear(f->intake);
    assert_int_equal(otlp_pb_body(f->door, signal, f->pb.data, f->pb.size, &f->refused, &f->err),
                     VARVE_OK);
    if (!f->refused)
        return fake_intake_lines(f->intake);
    assert_string_equal(fake_intake_lines(f->intake), "");
    assert_true(f->err.message[0] != '\0');
    return "refused";
}

/* Ends the body and looks. */
static const char *lines_now(struct fixture *f, enum otlp_signal signal)
{
    pb_sample_up(&f->pb);
    return lines_of(f, signal);
}

/* ---- whole bodies ---- */

static void every_field_of_metrics(void **state)
{
    struct fixture *f = *state;
    const char *expected = pb_sample_metrics(&f->pb);
    assert_string_equal(lines_of(f, OTLP_METRICS), expected);
    assert_string_equal(lines_of(f, OTLP_ANY), expected);
    assert_string_equal(lines_of(f, OTLP_LOGS), "refused");
    assert_string_equal(lines_of(f, OTLP_TRACES), "refused");
}

static void every_field_of_logs(void **state)
{
    struct fixture *f = *state;
    const char *expected = pb_sample_logs(&f->pb);
    assert_string_equal(lines_of(f, OTLP_LOGS), expected);
    assert_string_equal(lines_of(f, OTLP_ANY), expected);
    assert_string_equal(lines_of(f, OTLP_METRICS), "refused");
}

static void every_field_of_traces(void **state)
{
    struct fixture *f = *state;
    const char *expected = pb_sample_traces(&f->pb);
    assert_string_equal(lines_of(f, OTLP_TRACES), expected);
    assert_string_equal(lines_of(f, OTLP_ANY), expected);
    assert_string_equal(lines_of(f, OTLP_LOGS), "refused");
}

static void nothing(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(lines_of(f, OTLP_ANY), "");
    assert_string_equal(lines_of(f, OTLP_LOGS), "");
    otlp_pb_free(NULL);
}

/* Two bodies behind each other are a body. */
static void bodies_add_up(void **state)
{
    struct fixture *f = *state;
    char expected[8192];
    const char *once = pb_sample_metrics(&f->pb);
    pb_sample_metrics(&f->pb);
    snprintf(expected, sizeof expected, "%s%s", once, once);
    assert_string_equal(lines_of(f, OTLP_ANY), expected);
}

/* ---- the wire's liberties ---- */

static void fields_in_any_order(void **state)
{
    struct fixture *f = *state;
    /* Scopes before the resource, points before what they are points of. */
    pb_begin(&f->pb, 1);
    pb_begin(&f->pb, 2);
    pb_begin(&f->pb, 2);
    pb_begin(&f->pb, 7);
    pb_varint(&f->pb, 3, 1);
    pb_begin(&f->pb, 1);
    pb_attribute(&f->pb, 7, "a", pb_a_text("x"));
    pb_fixed64(&f->pb, 6, 5);
    pb_attribute(&f->pb, 7, "b", pb_a_text("y"));
    pb_fixed64(&f->pb, 3, 2);
    pb_fixed64(&f->pb, 2, 1);
    pb_end(&f->pb);
    pb_varint(&f->pb, 2, 2);
    pb_end(&f->pb);
    pb_text(&f->pb, 3, "u");
    pb_text(&f->pb, 1, "m");
    pb_end(&f->pb);
    pb_begin(&f->pb, 1);
    pb_text(&f->pb, 2, "1");
    pb_text(&f->pb, 1, "scope");
    pb_end(&f->pb);
    pb_end(&f->pb);
    pb_begin(&f->pb, 1);
    pb_begin(&f->pb, 1); /* an attribute with its value first */
    pb_any(&f->pb, 2, pb_a_text("v"));
    pb_text(&f->pb, 1, "k");
    assert_string_equal(lines_now(f, OTLP_ANY), "resource k=\"v\"\n"
                                                "scope \"scope\" \"1\"\n"
                                                "metric \"m\" \"u\" sum cumulative monotonic\n"
                                                "number {a=\"x\", b=\"y\"} 1 2 int 5\n"
                                                "pause\n");
}

/* The last of a field counts; messages sent twice are merged. */
static void fields_sent_twice(void **state)
{
    struct fixture *f = *state;
    pb_begin(&f->pb, 1);
    for (int i = 0; i < 2; i++) {
        pb_begin(&f->pb, 1);
        pb_attribute(&f->pb, 1, i ? "second" : "first", pb_an_int(i));
        pb_end(&f->pb);
    }
    pb_begin(&f->pb, 2);
    pb_begin(&f->pb, 2);
    pb_text(&f->pb, 1, "old");
    pb_text(&f->pb, 1, "new");
    for (int i = 0; i < 2; i++) { /* a sum in two pieces */
        pb_begin(&f->pb, 7);
        pb_varint(&f->pb, 2, (uint64_t)i + 1);
        pb_begin(&f->pb, 1);
        pb_fixed64(&f->pb, 3, 7);
        pb_fixed64(&f->pb, 3, 8);
        pb_double(&f->pb, 4, 1.5);
        pb_fixed64(&f->pb, 6, (uint64_t)i);
        pb_begin(&f->pb, 7); /* an attribute with two keys and two values */
        pb_text(&f->pb, 1, "a");
        pb_any(&f->pb, 2, pb_an_int(1));
        pb_text(&f->pb, 1, "b");
        pb_any(&f->pb, 2, pb_a_text("2"));
        pb_end(&f->pb);
        pb_end(&f->pb);
        pb_end(&f->pb);
    }
    pb_end(&f->pb);
    pb_begin(&f->pb, 2); /* a metric of two kinds: nobody can tell what it is */
    pb_begin(&f->pb, 7);
    pb_bytes(&f->pb, 1, "", 0);
    pb_bytes(&f->pb, 1, "", 0);
    pb_end(&f->pb);
    pb_begin(&f->pb, 5);
    pb_bytes(&f->pb, 1, "", 0);
    pb_end(&f->pb);
    assert_string_equal(lines_now(f, OTLP_METRICS), "resource first=int 0, second=int 1\n"
                                                    "scope \"\" \"\"\n"
                                                    "metric \"new\" \"\" sum cumulative\n"
                                                    "number {b=\"2\"} 0 8 int 0\n"
                                                    "number {b=\"2\"} 0 8 int 1\n"
                                                    "reject METRIC 3\n"
                                                    "pause\n");
}

static void unknown_temporalities_go_on(void **state)
{
    struct fixture *f = *state;
    pb_sample_down(&f->pb);
    static const uint64_t temporalities[] = {0, 3, UINT64_MAX};
    for (int i = 0; i < 3; i++) {
        pb_begin(&f->pb, 2);
        pb_text(&f->pb, 1, "m");
        pb_begin(&f->pb, 7);
        pb_varint(&f->pb, 2, temporalities[i]);
        pb_end(&f->pb);
        pb_end(&f->pb);
    }
    assert_string_equal(lines_now(f, OTLP_METRICS), "resource\n"
                                                    "scope \"\" \"\"\n"
                                                    "metric \"m\" \"\" sum\n"
                                                    "metric \"m\" \"\" sum temporality 3\n"
                                                    "metric \"m\" \"\" sum temporality -1\n"
                                                    "pause\n");
}

/* ---- label sets ---- */

#define HEAD            \
    "resource\n"        \
    "scope \"\" \"\"\n" \
    "metric \"m\" \"\" sum delta monotonic\n"

static void label_sets_are_found_again(void **state)
{
    struct fixture *f = *state;
    pb_sample_down(&f->pb);
    pb_sample_sum(&f->pb);
    for (int i = 0; i < 6; i++) {
        pb_sample_begin_point(&f->pb, i);
        for (int a = 0; a < 20; a++) {
            char key[16];
            snprintf(key, sizeof key, "k%d", a);
            pb_attribute(&f->pb, 7, key, pb_an_int(a));
        }
        pb_attribute(&f->pb, 7, "even", pb_a_bool(i % 2 == 0));
        pb_end(&f->pb);
    }
    assert_non_null(strstr(lines_now(f, OTLP_METRICS), "k19=int 19, even=false} 1 2 int 5\n"));
    assert_int_equal(fake_intake_made(f->intake), 2);
    assert_int_equal(fake_intake_found(f->intake), 4);
}

/* The same attributes where they do not lie together: other fields between them, or one of them
 * empty.  And attributes that are the same bytes, cut elsewhere. */
static void label_sets_wherever_they_lie(void **state)
{
    struct fixture *f = *state;
    struct pb *pb = &f->pb;
    pb_sample_down(pb);
    pb_sample_sum(pb);
    pb_sample_begin_point(pb, 0);
    pb_attribute(pb, 7, "a", pb_an_int(1));
    pb_attribute(pb, 7, "b", pb_an_int(1));
    pb_end(pb);
    pb_sample_begin_point(pb, 1);
    pb_attribute(pb, 7, "a", pb_an_int(1));
    pb_text(pb, 99, "unknown");
    pb_attribute(pb, 7, "b", pb_an_int(1));
    pb_end(pb);
    for (int i = 0; i < 2; i++) {
        pb_sample_begin_point(pb, 2 + i);
        pb_attribute(pb, 7, "a", pb_an_int(1));
        pb_bytes(pb, 7, "", 0);
        pb_end(pb);
    }
    /* Two attributes of eight bytes, and one of sixteen: key "a", value 1, key "b", value 2. */
    static const uint8_t bytes[] = {0x0a, 1, 'a', 0x12, 3, 0x0a, 1, '1',
                                    0x0a, 1, 'b', 0x12, 3, 0x0a, 1, '2'};
    pb_sample_begin_point(pb, 4);
    pb_bytes(pb, 7, bytes, 8);
    pb_bytes(pb, 7, bytes + 8, 8);
    pb_end(pb);
    pb_sample_begin_point(pb, 5);
    pb_bytes(pb, 7, bytes, 16);
    pb_end(pb);
    assert_string_equal(lines_now(f, OTLP_METRICS), HEAD "number {a=int 1, b=int 1} 1 2 int 0\n"
                                                         "number {a=int 1, b=int 1} 1 2 int 1\n"
                                                         "number {a=int 1, \"\"=null} 1 2 int 2\n"
                                                         "number {a=int 1, \"\"=null} 1 2 int 3\n"
                                                         "number {a=\"1\", b=\"2\"} 1 2 int 4\n"
                                                         "number {b=\"2\"} 1 2 int 5\n"
                                                         "pause\n");
    assert_int_equal(fake_intake_made(f->intake), 4);
}

static void unwanted_metrics_are_skipped(void **state)
{
    struct fixture *f = *state;
    pb_sample_down(&f->pb);
    pb_sample_sum(&f->pb);
    for (int i = 0; i < 3; i++) {
        pb_sample_begin_point(&f->pb, i);
        pb_end(&f->pb);
    }
    fake_intake_unwanted(f->intake, "m");
    assert_string_equal(lines_now(f, OTLP_METRICS), HEAD "skip 3\npause\n");
    fake_intake_unwanted(f->intake, "");
}

/* ---- bad records among good ones ---- */

/* Attributes (7) of a point that cost it its place, and the reason. */
static void no_key_value(struct pb *pb)
{
    pb_text(pb, 7, "\x0b");
}

static void key_of_a_wrong_type(struct pb *pb)
{
    pb_begin(pb, 7);
    pb_varint(pb, 1, 5);
    pb_end(pb);
}

static void value_of_a_wrong_type(struct pb *pb)
{
    pb_begin(pb, 7);
    pb_text(pb, 1, "k");
    pb_begin(pb, 2);
    pb_fixed32(pb, 4, 5);
    pb_end(pb);
    pb_end(pb);
}

static void value_cut_off(struct pb *pb)
{
    pb_begin(pb, 7);
    pb_text(pb, 1, "k");
    pb_bytes(pb, 2, "\x0a\x05zz", 4);
    pb_end(pb);
}

static void bad_list(struct pb *pb)
{
    pb_begin(pb, 7);
    pb_text(pb, 1, "k");
    pb_begin(pb, 2);
    pb_bytes(pb, 5, "\x0a\x02\x18", 3);
    pb_end(pb);
    pb_end(pb);
}

static void bad_element(struct pb *pb)
{
    pb_begin(pb, 7);
    pb_begin(pb, 2);
    pb_begin(pb, 5);
    pb_varint(pb, 1, 1);
    pb_end(pb);
    pb_end(pb);
    pb_end(pb);
}

static void bad_text_in_a_list(struct pb *pb)
{
    pb_begin(pb, 7);
    pb_begin(pb, 2);
    pb_begin(pb, 5);
    pb_any(pb, 1, pb_a_text("\xff"));
    pb_end(pb);
    pb_end(pb);
    pb_end(pb);
}

static void bad_key_in_a_map(struct pb *pb)
{
    pb_begin(pb, 7);
    pb_begin(pb, 2);
    pb_begin(pb, 6);
    pb_attribute(pb, 1, "\xff", pb_an_int(1));
    pb_end(pb);
    pb_end(pb);
    pb_end(pb);
}

static void too_deep(struct pb *pb)
{
    pb_begin(pb, 7);
    pb_nested(pb, 2, LIMIT_DEPTH + 1);
    pb_end(pb);
}

static void far_too_deep(struct pb *pb)
{
    pb_begin(pb, 7);
    pb_nested(pb, 2, 5000);
    pb_end(pb);
}

static void too_many(struct pb *pb)
{
    for (int i = 0; i <= LIMIT_ATTRIBUTES; i++)
        pb_attribute(pb, 7, "k", pb_an_int(i));
}

static const struct {
    void (*make)(struct pb *);
    const char *line;
} bad[] = {
    {no_key_value, "reject RECORD 1\n"},
    {key_of_a_wrong_type, "reject RECORD 1\n"},
    {value_of_a_wrong_type, "reject RECORD 1\n"},
    {value_cut_off, "reject RECORD 1\n"},
    {bad_list, "reject RECORD 1\n"},
    {bad_element, "reject RECORD 1\n"},
    {bad_text_in_a_list, "reject UTF8 1\n"},
    {bad_key_in_a_map, "reject UTF8 1\n"},
    {too_deep, "reject DEPTH 1\n"},
    {far_too_deep, "reject DEPTH 1\n"},
    {too_many, "reject LABELS 1\n"},
};

static void bad_points_cost_only_themselves(void **state)
{
    struct fixture *f = *state;
    char expected[4096] = HEAD "number {} 1 2 int 0\n";
    pb_sample_down(&f->pb);
    pb_sample_sum(&f->pb);
    pb_sample_begin_point(&f->pb, 0);
    pb_end(&f->pb);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        pb_sample_begin_point(&f->pb, 1);
        bad[i].make(&f->pb);
        pb_end(&f->pb);
        strcat(expected, bad[i].line);
        pb_sample_begin_point(&f->pb, 2);
        pb_attribute(&f->pb, 7, "good", pb_a_bool(1));
        pb_end(&f->pb);
        strcat(expected, "number {good=true} 1 2 int 2\n");
    }
    pb_begin(&f->pb, 1); /* no value */
    pb_fixed64(&f->pb, 3, 2);
    strcat(expected, "reject VALUE 1\npause\n");
    assert_string_equal(lines_now(f, OTLP_METRICS), expected);
}

static void depth_up_to_the_limit(void **state)
{
    struct fixture *f = *state;
    pb_sample_down(&f->pb);
    pb_begin(&f->pb, 2);
    pb_nested(&f->pb, 5, LIMIT_DEPTH);
    pb_end(&f->pb);
    pb_begin(&f->pb, 2);
    pb_nested(&f->pb, 5, LIMIT_DEPTH + 1);
    const char *lines = lines_now(f, OTLP_LOGS);
    assert_non_null(strstr(lines, "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"x\\\"]]]]]"));
    assert_non_null(strstr(lines, "reject DEPTH 1\n"));
}

static void bad_log_records(void **state)
{
    struct fixture *f = *state;
    pb_sample_down(&f->pb);
    pb_begin(&f->pb, 2);
    pb_nested(&f->pb, 5, 5000);
    pb_end(&f->pb);
    pb_begin(&f->pb, 2);
    pb_bytes(&f->pb, 5, "\x0b", 1);
    pb_end(&f->pb);
    pb_begin(&f->pb, 2);
    for (int i = 0; i <= LIMIT_FIELDS; i++)
        pb_bytes(&f->pb, 6, "", 0);
    pb_end(&f->pb);
    pb_begin(&f->pb, 2);
    pb_attribute(&f->pb, 6, "good", pb_a_bool(1));
    assert_string_equal(lines_now(f, OTLP_LOGS), "resource\nscope \"\" \"\"\n"
                                                 "reject DEPTH 1\n"
                                                 "reject RECORD 1\n"
                                                 "reject LABELS 1\n"
                                                 "event 0 0 body null 0 {good=true}\n"
                                                 "pause\n");
}

/* A log record may have as many attributes as an event may have fields. */
static void many_attributes(void **state)
{
    struct fixture *f = *state;
    pb_sample_down(&f->pb);
    pb_begin(&f->pb, 2);
    for (int i = 0; i < LIMIT_FIELDS; i++) {
        pb_begin(&f->pb, 6);
        pb_text(&f->pb, 1, "k");
        pb_begin(&f->pb, 2);
        pb_bytes(&f->pb, 7, "\1\2\3", i % 4u);
        pb_end(&f->pb);
        pb_end(&f->pb);
    }
    const char *lines = lines_now(f, OTLP_LOGS);
    assert_non_null(strstr(lines, "{k=\"\", k=\"AQ==\", k=\"AQI=\", k=\"AQID\", k=\"\","));
    assert_non_null(strstr(lines, "k=\"AQID\"}\n"));
}

/* A span that cannot be used takes its events with it; a bad event does not harm its span. */
static void bad_spans(void **state)
{
    struct fixture *f = *state;
    pb_sample_down(&f->pb);
    for (int i = 0; i < 2; i++) {
        pb_begin(&f->pb, 2);
        pb_fixed64(&f->pb, 7, 1);
        pb_text(&f->pb, 9, i ? "" : "\x0b");
        for (int e = 0; e < 2; e++) {
            pb_begin(&f->pb, 11);
            pb_text(&f->pb, 3, e ? "" : "\x0b");
            pb_end(&f->pb);
        }
        pb_end(&f->pb);
    }
    assert_string_equal(lines_now(f, OTLP_TRACES), "resource\nscope \"\" \"\"\n"
                                                   "reject RECORD 3\n"
                                                   "span 1 0 kind 0 status 0 {\"\"=null}\n"
                                                   "reject RECORD 1\n"
                                                   "span event 0 {\"\"=null}\n"
                                                   "pause\n");
}

/* What is in a resource or a scope that cannot be read is counted, and the next one is read. */
static void bad_resources_and_scopes(void **state)
{
    struct fixture *f = *state;
    for (int block = 0; block < 2; block++) {
        pb_begin(&f->pb, 1);
        pb_begin(&f->pb, 1);
        pb_text(&f->pb, 1, block ? "" : "\x0b");
        pb_end(&f->pb);
        for (int s = 0; s < 2; s++) {
            pb_begin(&f->pb, 2);
            pb_begin(&f->pb, 1);
            pb_text(&f->pb, 3, s ? "" : "\x0b");
            pb_end(&f->pb);
            pb_sample_sum(&f->pb);
            for (int p = 0; p < 2; p++) {
                pb_sample_begin_point(&f->pb, p);
                pb_end(&f->pb);
            }
            pb_end(&f->pb);
            pb_end(&f->pb);
            pb_end(&f->pb);
        }
        pb_end(&f->pb);
    }
    assert_string_equal(lines_now(f, OTLP_ANY), "reject RECORD 4\n"
                                                "pause\n"
                                                "resource \"\"=null\n"
                                                "reject RECORD 2\n"
                                                "scope \"\" \"\" \"\"=null\n"
                                                "metric \"m\" \"\" sum delta monotonic\n"
                                                "number {} 1 2 int 0\n"
                                                "number {} 1 2 int 1\n"
                                                "pause\n");
}

static void too_many_quantiles(void **state)
{
    struct fixture *f = *state;
    pb_sample_down(&f->pb);
    pb_begin(&f->pb, 2);
    pb_begin(&f->pb, 11);
    for (int extra = 0; extra < 2; extra++) {
        pb_begin(&f->pb, 1);
        for (int i = 0; i < LIMIT_BUCKETS + extra; i++)
            pb_bytes(&f->pb, 6, "", 0);
        pb_end(&f->pb);
    }
    const char *lines = lines_now(f, OTLP_METRICS);
    assert_non_null(strstr(lines, "summary {} 0 0 count 0 sum 0 0:0 0:0"));
    assert_non_null(strstr(lines, "\nreject HISTOGRAM 1\n"));
}

/* What the intake cannot go on from, the door does not either. */
static void the_intake_fails(void **state)
{
    struct fixture *f = *state;
    static const enum varve_status failures[] = {VARVE_NOMEM, VARVE_INVALID, VARVE_FULL,
                                                 VARVE_LIMIT};
    const char *(*const samples[])(struct pb *) = {pb_sample_metrics, pb_sample_logs,
                                                   pb_sample_traces};
    for (size_t s = 0; s < 3; s++) {
        uint64_t n = 1;
        pb_clear(&f->pb);
        samples[s](&f->pb);
        for (enum varve_status status = VARVE_NOMEM; status != VARVE_OK; n++) {
            fake_intake_clear(f->intake);
            fake_intake_fail(f->intake, n, failures[n % 4]);
            status = otlp_pb_body(f->door, OTLP_ANY, f->pb.data, f->pb.size, &f->refused, &f->err);
            assert_false(f->refused);
            assert_true(status == VARVE_OK || status == failures[n % 4]);
        }
        assert_true(n > 6);
        fake_intake_fail(f->intake, 0, VARVE_OK);
    }
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(every_field_of_metrics),
        TEST(every_field_of_logs),
        TEST(every_field_of_traces),
        TEST(nothing),
        TEST(bodies_add_up),
        TEST(fields_in_any_order),
        TEST(fields_sent_twice),
        TEST(unknown_temporalities_go_on),
        TEST(label_sets_are_found_again),
        TEST(label_sets_wherever_they_lie),
        TEST(unwanted_metrics_are_skipped),
        TEST(bad_points_cost_only_themselves),
        TEST(depth_up_to_the_limit),
        TEST(bad_log_records),
        TEST(many_attributes),
        TEST(bad_spans),
        TEST(bad_resources_and_scopes),
        TEST(too_many_quantiles),
        TEST(the_intake_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
