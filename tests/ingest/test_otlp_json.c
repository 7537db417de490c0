/* SPDX-License-Identifier: Apache-2.0
 *
 * test_otlp_json.c -- OTLP in JSON, as the intake hears it.
 *
 * The bodies of pb_samples.c in JSON must lead to the lines they lead to in protobuf,
 * whatever order their members come in; then records are made bad one by one among good ones.
 */
#include "ingest/otlp_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/prng.h"
#include "../base/unit.h"
#include "../faults/alloc_fault.h"
#include "fake_intake.h"
#include "ingest/json.h"
#include "json_samples.h"
#include "pb_samples.h"

struct fixture {
    struct mem mem;
    struct intake *intake;
    struct otlp_json *door;
    struct buf text;
    bool refused;
    struct varve_err err;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    mem_init(&f->mem, NULL, 0);
    buf_init(&f->text, &f->mem, (size_t)1 << 28);
    assert_int_equal(intake_new(NULL, &f->intake, NULL), VARVE_OK);
    assert_int_equal(otlp_json_new(&f->mem, f->intake, &f->door, NULL), VARVE_OK);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    otlp_json_free(f->door);
    intake_free(f->intake);
    buf_free(&f->text);
    int leaked = f->mem.used != 0;
    free(f);
    return leaked;
}

/* What the intake hears of a body; "refused" when it is.  The text lies in memory of just its size,
 * so that a byte read behind it is seen by a sanitizer. */
static const char *lines_of(struct fixture *f, const void *text, size_t size)
{
    char *copy = malloc(size ? size : 1);
    assert_non_null(copy);
    if (size)
        memcpy(copy, text, size);
    fake_intake_clear(f->intake);
    f->err.message[0] = '\0';
    enum varve_status status = otlp_json_body(f->door, OTLP_ANY, copy, size, &f->refused, &f->err);
    free(copy);
    assert_int_equal(status, VARVE_OK);
    if (!f->refused)
        return fake_intake_lines(f->intake);
    assert_string_equal(fake_intake_lines(f->intake), "");
    assert_true(f->err.message[0] != '\0');
    return "refused";
}

static const char *lines(struct fixture *f, const char *text)
{
    return lines_of(f, text, strlen(text));
}

/* ---- whole bodies ---- */

struct sample {
    const char *text;
    const char *(*expected)(struct pb *);
};

static const struct sample samples[] = {
    {json_sample_metrics, pb_sample_metrics},
    {json_sample_logs, pb_sample_logs},
    {json_sample_traces, pb_sample_traces},
};

enum { SAMPLES = sizeof samples / sizeof *samples };

static const char *expected_of(const struct sample *sample)
{
    struct pb pb = {0};
    const char *expected = sample->expected(&pb);
    pb_free(&pb);
    return expected;
}

static void test_every_field(void **state)
{
    for (size_t i = 0; i < SAMPLES; i++)
        assert_string_equal(lines(*state, samples[i].text), expected_of(&samples[i]));
}

static void test_any_order(void **state)
{
    struct fixture *f = *state;
    struct prng prng = prng_start(3);
    for (size_t i = 0; i < SAMPLES; i++) {
        const char *expected = expected_of(&samples[i]);
        for (int n = 0; n < 300; n++) {
            buf_clear(&f->text);
            json_shuffle(&prng, samples[i].text, strlen(samples[i].text), &f->text);
            assert_int_equal(buf_status(&f->text, NULL), VARVE_OK);
            const char *found = lines_of(f, f->text.data, f->text.size);
            if (strcmp(found, expected) != 0)
                fail_msg("%.*s\n%s", (int)f->text.size, (const char *)f->text.data, found);
        }
    }
}

static void test_several_signals(void **state)
{
    struct fixture *f = *state;
    const char *nothing = "resource\npause\n";
    assert_string_equal(lines(f, ""), "");
    assert_string_equal(lines(f, " \n"), "");
    assert_string_equal(lines(f, "{}"), "");
    assert_string_equal(lines(f, "[]"), "");
    assert_string_equal(lines(f, "[{},{}]"), "");
    assert_string_equal(lines(f, "{\"resourceLogs\":null,\"what\":[{}]}"), "");
    assert_string_equal(lines(f, "{\"resource_metrics\":[{}]}"), nothing);
    assert_string_equal(
        lines(f, "[{\"resourceSpans\":[{}],\"resourceMetrics\":[{\"resource\":{\"attributes\":["
                 "{\"key\":\"a\",\"value\":{\"intValue\":1}}]}}]},{\"resourceLogs\":[{},{}]}]"),
        "resource a=int 1\npause\nresource\npause\nresource\npause\nresource\npause\n");
    /* Of a member that is there twice the last counts. */
    assert_string_equal(lines(f, "{\"resourceLogs\":[{},{}],\"resourceLogs\":[{}]}"), nothing);
}

static void test_labels_are_found_again(void **state)
{
    struct fixture *f = *state;
    assert_int_not_equal(lines(f, json_sample_metrics)[0], 0);
    assert_int_equal(fake_intake_found(f->intake), 3); /* of cost and h the second, of q the one */
    fake_intake_unwanted(f->intake, "claude_code.cost");
    assert_non_null(strstr(lines(f, json_sample_metrics), "sum delta monotonic\nskip 3\nmetric"));
    fake_intake_unwanted(f->intake, "");
}

#define FIRST "{\"resourceMetrics\":[{\"scopeMetrics\":[{\"metrics\":[{\"gauge\":{\"dataPoints\":["

/* ---- attributes as they are mostly written ---- */

static void put(struct buf *out, const char *text)
{
    buf_put(out, text, strlen(text));
}

/* With spaces or without: there are none in texts. */
static void put_point(struct prng *prng, bool spaces, struct buf *out)
{
    static const char *const keys[] = {"a", "session.id", "a.name.of.more.than.sixteen.bytes",
                                       "",  "\xc3\xa9",   "\\u0061",
                                       "]", "}"};
    static const char *const values[] = {"{\"stringValue\":\"b\"}",
                                         "{\"stringValue\":\"a text of some more bytes\"}",
                                         "{\"stringValue\":\"\\n[]{}\"}",
                                         "{\"stringValue\":\"]\"}",
                                         "{\"stringValue\":\"\"}",
                                         "{\"intValue\":\"17\"}",
                                         "{\"boolValue\":true}",
                                         "{\"stringValue\":\"\xe2\x82\xac\"}",
                                         "{\"stringValue\":17}",
                                         "{}",
                                         "{\"arrayValue\":{\"values\":[{\"intValue\":1}]}}"};
    const bool plain = prng_below(prng, 2);
    const char *space = spaces ? " " : "";
    char text[200];
    put(out, spaces ? "{ \"attributes\" : [" : "{\"attributes\":[");
    for (uint64_t i = 0, n = prng_below(prng, 5); i < n; i++) {
        const char *key = keys[prng_below(prng, plain ? 5 : 8)];
        const char *value = values[prng_below(prng, plain ? 2 : 11)];
        snprintf(text, sizeof text, "%s%s{\"key\":%s\"%s\",\"value\":%s%s}", i ? "," : "", space,
                 space, key, space, value);
        put(out, text);
    }
    snprintf(text, sizeof text, "],\"timeUnixNano\":\"%u\",\"asDouble\":1}",
             1 + (unsigned)prng_below(prng, 9));
    put(out, text);
}

static void put_metric(uint64_t seed, bool spaces, struct buf *out)
{
    struct prng prng = {seed};
    buf_clear(out);
    put(out, FIRST);
    for (uint64_t i = 0, n = 1 + prng_below(&prng, 6); i < n; i++) {
        if (i)
            put(out, ",");
        put_point(&prng, spaces, out);
    }
    put(out, "]}}]}]}]}");
}

/* Spaces change nothing, and what came before neither. */
static void test_plain_attributes(void **state)
{
    struct fixture *f = *state;
    struct prng prng = prng_start(17);
    for (int i = 0; i < 2000; i++) {
        const uint64_t seed = prng_below(&prng, 500);
        put_metric(seed, true, &f->text);
        char *expected = strdup(lines_of(f, f->text.data, f->text.size));
        assert_non_null(expected);
        put_metric(seed, false, &f->text);
        const char *found = lines_of(f, f->text.data, f->text.size);
        if (strcmp(found, expected) != 0)
            fail_msg("%.*s\n%s\n%s", (int)f->text.size, (const char *)f->text.data, found,
                     expected);
        free(expected);
    }
}

/* A door that has met the text undamaged refuses exactly what is no JSON. */
static void test_damaged_attributes(void **state)
{
    struct fixture *f = *state;
    struct prng prng = prng_start(18);
    for (uint64_t seed = 0; seed < 60; seed++) {
        put_metric(seed, false, &f->text);
        assert_string_not_equal(lines_of(f, f->text.data, f->text.size), "refused");
        for (size_t i = 0; i < 400; i++) {
            char *text = (char *)f->text.data + prng_below(&prng, f->text.size), kept = *text;
            *text = "\"\\{}[],: x1\n"[prng_below(&prng, 12)];
            struct json json;
            struct json_value value;
            json_start(&json, (const char *)f->text.data, f->text.size);
            const bool good = json_value(&json, &value) && json_end(&json);
            const bool refused = strcmp(lines_of(f, f->text.data, f->text.size), "refused") == 0;
            if (good == refused && !(good && strstr(f->err.message, "is no array")))
                fail_msg("%d: %.*s", good, (int)f->text.size, (const char *)f->text.data);
            *text = kept;
        }
    }
}

/* ---- bad records among good ones ---- */

struct bad {
    const char *text, *lines;
};

/* The body of one sum, delta, monotonic, with these points. */
static const char *points(struct fixture *f, const char *list)
{
    char text[4096], *kept;
    int n = snprintf(text, sizeof text,
                     "{\"resourceMetrics\":[{\"scopeMetrics\":[{\"metrics\":[{\"name\":\"m\","
                     "\"sum\":{\"aggregationTemporality\":1,\"isMonotonic\":true,\"dataPoints\":"
                     "[{\"timeUnixNano\":1,\"asInt\":1},%s,{\"timeUnixNano\":2,\"asInt\":2}]"
                     "}}]}]}]}",
                     list);
    assert_true(n > 0 && (size_t)n < sizeof text);
    kept = (char *)(uintptr_t)lines_of(f, text, (size_t)n);
    const char *from = "resource\nscope \"\" \"\"\nmetric \"m\" \"\" sum delta monotonic\n"
                       "number {} 0 1 int 1\n";
    const char *to = "number {} 0 2 int 2\npause\n";
    size_t size = strlen(kept);
    if (size < strlen(from) + strlen(to) || memcmp(kept, from, strlen(from)) != 0 ||
        strcmp(kept + size - strlen(to), to) != 0)
        fail_msg("%s: %s", list, kept);
    kept[size - strlen(to)] = '\0';
    return kept + strlen(from);
}

#define POINT(member) "{\"timeUnixNano\":9,\"asInt\":9," member "}"
#define ATTRIBUTE(value) POINT("\"attributes\":[{\"key\":\"a\",\"value\":" value "}]")
#define SET(text) "number {a=" text "} 0 9 int 9\n"
#define RECORD "reject RECORD 1\n"

static const struct bad bad_points[] = {
    {"17", RECORD},
    {"null", RECORD},
    {"[]", RECORD},
    {"{\"timeUnixNano\":9}", "reject VALUE 1\n"},
    {"{\"flags\":1}", ""},
    {"{\"flags\":\"3\",\"asInt\":\"x\"}", ""},
    {POINT("\"flags\":\"x\""), RECORD},
    {POINT("\"startTimeUnixNano\":-1"), RECORD},
    {POINT("\"startTimeUnixNano\":1.5"), RECORD},
    {POINT("\"startTimeUnixNano\":\"soon\""), RECORD},
    {POINT("\"startTimeUnixNano\":{}"), RECORD},
    {POINT("\"startTimeUnixNano\":5e0"), "number {} 5 9 int 9\n"},
    {POINT("\"asInt\":1.5"), RECORD},
    {POINT("\"asInt\":\"9223372036854775808\""), RECORD},
    {POINT("\"asInt\":9223372036854775807"), "number {} 0 9 int 9223372036854775807\n"},
    {POINT("\"asDouble\":\"NaN\""), "number {} 0 9 float nan\n"},
    {POINT("\"asDouble\":\"-Infinity\""), "number {} 0 9 float -inf\n"},
    {POINT("\"asDouble\":\"1.25\""), "number {} 0 9 float 1.25\n"},
    {POINT("\"asDouble\":1e999"), RECORD},
    {POINT("\"asDouble\":\"nan\""), RECORD},
    {POINT("\"asDouble\":true"), RECORD},
    {POINT("\"asDouble\":2.5,\"asInt\":3"), "number {} 0 9 int 3\n"},
    {POINT("\"asDouble\":2.5,\"asInt\":null"), "number {} 0 9 float 2.5\n"},
    {POINT("\"attributes\":{}"), RECORD},
    {POINT("\"attributes\":\"x\""), RECORD},
    {POINT("\"attributes\":[1]"), RECORD},
    {POINT("\"attributes\":[null]"), RECORD},
    {POINT("\"attributes\":[{\"key\":1}]"), RECORD},
    {POINT("\"attributes\":[{}]"), "number {\"\"=null} 0 9 int 9\n"},
    {POINT("\"attributes\":[]"), "number {} 0 9 int 9\n"},
    {ATTRIBUTE("1"), RECORD},
    {ATTRIBUTE("\"x\""), RECORD},
    {ATTRIBUTE("null"), SET("null")},
    {ATTRIBUTE("{\"stringValue\":1}"), RECORD},
    {ATTRIBUTE("{\"stringValue\":\"\\ud800\\n\"}"), SET("\"\xef\xbf\xbd\\x0a\"")},
    {ATTRIBUTE("{\"boolValue\":1}"), RECORD},
    {ATTRIBUTE("{\"boolValue\":\"true\"}"), RECORD},
    {ATTRIBUTE("{\"intValue\":\"\"}"), RECORD},
    {ATTRIBUTE("{\"intValue\":\"-9223372036854775808\"}"), SET("int -9223372036854775808")},
    {ATTRIBUTE("{\"doubleValue\":\"Infinity\"}"), SET("float inf")},
    {ATTRIBUTE("{\"doubleValue\":[]}"), RECORD},
    {ATTRIBUTE("{\"stringValue\":\"x\",\"intValue\":5}"), SET("int 5")},
    {ATTRIBUTE("{\"intValue\":5,\"stringValue\":\"x\",\"boolValue\":null}"), SET("\"x\"")},
    {ATTRIBUTE("{\"bytesValue\":\"-_8=\"}"), SET("\"+/8=\"")},
    {ATTRIBUTE("{\"bytesValue\":\"+\\/8\"}"), SET("\"+/8=\"")},
    {ATTRIBUTE("{\"bytesValue\":\"\"}"), SET("\"\"")},
    {ATTRIBUTE("{\"bytesValue\":\"A\"}"), RECORD},
    {ATTRIBUTE("{\"bytesValue\":\"AA=\"}"), RECORD},
    {ATTRIBUTE("{\"bytesValue\":\"AAAA=\"}"), RECORD},
    {ATTRIBUTE("{\"bytesValue\":\"AA A\"}"), RECORD},
    {ATTRIBUTE("{\"bytesValue\":\"===\"}"), RECORD},
    {ATTRIBUTE("{\"bytesValue\":5}"), RECORD},
    {ATTRIBUTE("{\"arrayValue\":[]}"), RECORD},
    {ATTRIBUTE("{\"arrayValue\":{}}"), SET("\"[]\"")},
    {ATTRIBUTE("{\"arrayValue\":{\"values\":{}}}"), RECORD},
    {ATTRIBUTE("{\"arrayValue\":{\"values\":[1]}}"), RECORD},
    {ATTRIBUTE("{\"arrayValue\":{\"values\":[{\"doubleValue\":0.5},{\"doubleValue\":\"NaN\"}]}}"),
     SET("\"[0.5,\\\"NaN\\\"]\"")},
    {ATTRIBUTE("{\"arrayValue\":{\"values\":[{\"stringValue\":\"\xff\"}]}}"), "reject UTF8 1\n"},
    {ATTRIBUTE("{\"kvlistValue\":{}}"), SET("\"{}\"")},
    {ATTRIBUTE("{\"kvlistValue\":{\"values\":[{}]}}"), SET("\"{\\\"\\\":null}\"")},
    {ATTRIBUTE("{\"kvlistValue\":{\"values\":[5]}}"), RECORD},
    {ATTRIBUTE("{\"kvlistValue\":{\"values\":[{\"key\":\"\xff\"}]}}"), "reject UTF8 1\n"},
};

static void test_bad_points(void **state)
{
    for (size_t i = 0; i < sizeof bad_points / sizeof *bad_points; i++) {
        const char *found = points(*state, bad_points[i].text);
        if (strcmp(found, bad_points[i].lines) != 0)
            fail_msg("%s\nfound    %sexpected %s", bad_points[i].text, found, bad_points[i].lines);
    }
}

#define METRICS(list) "{\"resourceMetrics\":[{\"scopeMetrics\":[{\"metrics\":[" list "]}]}]}"
#define LOGS(list) "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[" list ",{}]}]}]}"
#define SPANS(list) "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[" list ",{}]}]}]}"
#define HEAD "resource\nscope \"\" \"\"\n"
#define EMPTY_LOG "event 0 0 body null 0 {}\npause\n"
#define EMPTY_SPAN "span 0 0 kind 0 status 0 {}\npause\n"

static const struct bad bad_bodies[] = {
    {METRICS("5,{}"), HEAD "reject RECORD 1\nreject METRIC 1\npause\n"},
    {METRICS("{\"name\":5,\"gauge\":{\"dataPoints\":[{},{}]}}"), HEAD "reject RECORD 2\npause\n"},
    {METRICS("{\"gauge\":5}"), HEAD "reject RECORD 1\npause\n"},
    {METRICS("{\"gauge\":{\"dataPoints\":{}}}"), HEAD "reject RECORD 1\npause\n"},
    {METRICS("{\"sum\":{\"isMonotonic\":1,\"dataPoints\":[{}]}}"), HEAD "reject RECORD 1\npause\n"},
    {METRICS("{\"sum\":{\"aggregationTemporality\":\"AGGREGATION_TEMPORALITY_CUMULATIVE\"}}"),
     HEAD "metric \"\" \"\" sum cumulative\npause\n"},
    {METRICS("{\"sum\":{\"aggregationTemporality\":\"AGGREGATION_TEMPORALITY_UNSPECIFIED\"}}"),
     HEAD "metric \"\" \"\" sum\npause\n"},
    {METRICS("{\"sum\":{\"aggregationTemporality\":7}}"),
     HEAD "metric \"\" \"\" sum temporality 7\npause\n"},
    {METRICS("{\"sum\":{\"aggregationTemporality\":\"DELTA\",\"dataPoints\":[{},{}]}}"),
     HEAD "reject RECORD 2\npause\n"},
    {METRICS("{\"sum\":{},\"gauge\":{}}"), HEAD "reject METRIC 1\npause\n"},
    {METRICS("{\"sum\":{\"dataPoints\":[{},{}]},\"gauge\":{\"dataPoints\":[{}]}}"),
     HEAD "reject METRIC 3\npause\n"},
    {METRICS("{\"sum\":{\"dataPoints\":[{},{}]},\"gauge\":null,\"sum\":{}}"),
     HEAD "metric \"\" \"\" sum\npause\n"},
    {METRICS("{\"exponentialHistogram\":{},\"name\":5}"), HEAD "pause\n"},
    {METRICS("{\"histogram\":{\"dataPoints\":[{\"bucketCounts\":5},{\"bucketCounts\":[-1]},"
             "{\"explicitBounds\":[\"x\"]},{\"count\":-1},{\"sum\":\"x\"},{\"flags\":1,\"sum\":[]},"
             "{\"sum\":0,\"bucketCounts\":[1],\"explicitBounds\":[]}]}}"),
     HEAD "metric \"\" \"\" histogram\n" RECORD RECORD RECORD RECORD RECORD
          "histogram {} 0 0 count 0 sum 0 bounds counts 1\npause\n"},
    {METRICS("{\"summary\":{\"dataPoints\":[{\"quantileValues\":5},{\"quantileValues\":[5]},"
             "{\"quantileValues\":[{\"value\":\"x\"}]},{\"flags\":1},{\"quantileValues\":[{}]}]}}"),
     HEAD "metric \"\" \"\" summary\n" RECORD RECORD RECORD
          "summary {} 0 0 count 0 sum 0 0:0\npause\n"},
    {"{\"resourceMetrics\":[{\"resource\":5,\"scopeMetrics\":[{\"metrics\":[{\"sum\":"
     "{\"dataPoints\":[{},{}]}},{\"gauge\":{\"dataPoints\":[{}]}}]}]},{}]}",
     "reject RECORD 3\npause\nresource\npause\n"},
    {"{\"resourceMetrics\":[{\"resource\":\"{}\",\"scopeMetrics\":[{\"metrics\":[{\"gauge\":"
     "{\"dataPoints\":[{}]}}]}]},{\"scopeMetrics\":[{\"scope\":\"{}\",\"metrics\":[{\"gauge\":"
     "{\"dataPoints\":[{},{}]}}]}]}]}",
     "reject RECORD 1\npause\nresource\nreject RECORD 2\npause\n"},
    {"{\"resourceLogs\":[5,{\"scopeLogs\":5},{\"resource\":{\"attributes\":5},\"scopeLogs\":[{"
     "\"logRecords\":[{},{}]}]},{}]}",
     "reject RECORD 1\npause\nreject RECORD 1\npause\nreject RECORD 2\npause\nresource\npause\n"},
    {"{\"resourceSpans\":[{\"scopeSpans\":[5,{\"scope\":{\"name\":5},\"spans\":[{\"events\":"
     "[{},{}]},{}]},{\"spans\":{}},{}]}]}",
     "resource\nreject RECORD 1\nreject RECORD 4\nreject RECORD 1\nscope \"\" \"\"\npause\n"},
    {LOGS("5"), HEAD RECORD EMPTY_LOG},
    {LOGS("{\"traceId\":\"x\"}"), HEAD RECORD EMPTY_LOG},
    {LOGS("{\"traceId\":\"abc\"}"), HEAD RECORD EMPTY_LOG},
    {LOGS("{\"spanId\":5}"), HEAD RECORD EMPTY_LOG},
    {LOGS("{\"spanId\":\"\"}"), HEAD "event 0 0 body null 0 {}\n" EMPTY_LOG},
    {LOGS("{\"severityNumber\":\"SEVERITY_NUMBER_FATAL4\"}"),
     HEAD "event 0 0 body null 24 {}\n" EMPTY_LOG},
    {LOGS("{\"severityNumber\":\"24\"}"), HEAD "event 0 0 body null 24 {}\n" EMPTY_LOG},
    {LOGS("{\"severityNumber\":\"SEVERITY_NUMBER_\"}"), HEAD RECORD EMPTY_LOG},
    {LOGS("{\"severityNumber\":\"FATAL\"}"), HEAD RECORD EMPTY_LOG},
    {LOGS("{\"severityNumber\":4294967296}"), HEAD RECORD EMPTY_LOG},
    {LOGS("{\"severityText\":7}"), HEAD RECORD EMPTY_LOG},
    {LOGS("{\"body\":7}"), HEAD RECORD EMPTY_LOG},
    {LOGS("{\"body\":{\"boolValue\":true}}"), HEAD "event 0 0 body true 0 {}\n" EMPTY_LOG},
    {LOGS("{\"eventName\":[]}"), HEAD RECORD EMPTY_LOG},
    {LOGS("{\"timeUnixNano\":[]}"), HEAD RECORD EMPTY_LOG},
    {SPANS("5"), HEAD RECORD EMPTY_SPAN},
    {SPANS("{\"kind\":\"SPAN_KIND_CONSUMER\",\"status\":{\"code\":1}}"),
     HEAD "span 0 0 kind 5 status 1 {}\n" EMPTY_SPAN},
    {SPANS("{\"kind\":\"SPAN_KIND_CUSTOMER\",\"events\":[{},5]}"),
     HEAD "reject RECORD 3\n" EMPTY_SPAN},
    {SPANS("{\"status\":5}"), HEAD RECORD EMPTY_SPAN},
    {SPANS("{\"status\":{\"code\":\"STATUS_CODE_BAD\"}}"), HEAD RECORD EMPTY_SPAN},
    {SPANS("{\"events\":5}"), HEAD RECORD EMPTY_SPAN},
    {SPANS("{\"events\":[5,{\"name\":\"e\"},{\"name\":5}]}"),
     HEAD "span 0 0 kind 0 status 0 {}\nreject RECORD 1\nspan event 0 name \"e\" {}\n"
          "reject RECORD 1\n" EMPTY_SPAN},
    /* Not JSON, or no body at all: nothing is taken. */
    {"5", "refused"},
    {"\"x\"", "refused"},
    {"null", "refused"},
    {"[5]", "refused"},
    {"[[]]", "refused"},
    {"[{\"resourceLogs\":[{}]},null]", "refused"},
    {"{\"resourceMetrics\":5}", "refused"},
    {"{\"resourceMetrics\":{}}", "refused"},
    {"{\"resourceLogs\":[{}]}x", "refused"},
    {"{\"resourceLogs\":[{}]}{}", "refused"},
    {"{\"resourceLogs\":[{}],\"x\":tru}", "refused"},
    {"{\"resourceLogs\":[{}],\"x\":\"\n\"}", "refused"},
    {"{\"resourceLogs\":[{},]}", "refused"},
};

static void test_bad_bodies(void **state)
{
    for (size_t i = 0; i < sizeof bad_bodies / sizeof *bad_bodies; i++) {
        const char *found = lines(*state, bad_bodies[i].text);
        if (strcmp(found, bad_bodies[i].lines) != 0)
            fail_msg("%s\nfound    %sexpected %s", bad_bodies[i].text, found, bad_bodies[i].lines);
    }
}

/* Cut off after each byte it is refused; with any bit turned it is refused or taken, and only what
 * is taken leaves lines. */
static void test_damage(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < SAMPLES; i++) {
        size_t size = strlen(samples[i].text);
        for (size_t cut = 1; cut < size; cut++)
            assert_string_equal(lines_of(f, samples[i].text, cut), "refused");
        char *copy = malloc(size);
        assert_non_null(copy);
        memcpy(copy, samples[i].text, size);
        for (size_t bit = 0; bit < size * 8; bit++) {
            copy[bit / 8] = (char)(copy[bit / 8] ^ 1 << bit % 8);
            (void)lines_of(f, copy, size);
            copy[bit / 8] = (char)(copy[bit / 8] ^ 1 << bit % 8);
        }
        free(copy);
    }
}

/* ---- limits ---- */

static const char *
repeated(struct fixture *f, const char *from, const char *what, size_t count, const char *to)
{
    buf_clear(&f->text);
    put(&f->text, from);
    for (size_t i = 0; i < count; i++) {
        put(&f->text, i ? "," : "");
        put(&f->text, what);
    }
    put(&f->text, to);
    assert_int_equal(buf_status(&f->text, NULL), VARVE_OK);
    return lines_of(f, f->text.data, f->text.size);
}

static void test_limits(void **state)
{
    struct fixture *f = *state;
    fake_intake_silent(f->intake, true);
    assert_string_equal(repeated(f, FIRST, "5", 900000, "]}}]}]}]}"), "");
    assert_string_equal(repeated(f, FIRST, "5", 1000000, "]}}]}]}]}"), "refused");
    assert_int_equal(f->err.status, VARVE_LIMIT);
    assert_string_equal(
        repeated(f, "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[", "{}", 950000, "]}]}]}"),
        "refused"); /* more memory than a body may become */
    assert_int_equal(f->err.status, VARVE_LIMIT);
    assert_string_equal(repeated(f, "[", "{}", 400000, "]"), "refused");
    fake_intake_silent(f->intake, false);
    /* Attributes, fields, buckets. */
    for (int more = 0; more < 2; more++) {
        const char *found = repeated(f, FIRST "{\"asInt\":1,\"attributes\":[", "{}",
                                     LIMIT_ATTRIBUTES + (size_t)more, "]}]}}]}]}]}");
        assert_int_equal(strstr(found, "reject LABELS 1\n") != NULL, more);
        for (int again = 0; again < 2; again++) {
            found = repeated(f, FIRST "{\"asInt\":1,\"attributes\":[",
                             "{\"key\":\"k\",\"value\":{\"stringValue\":\"v\"}}",
                             LIMIT_ATTRIBUTES + (size_t)more, "]}]}}]}]}]}");
            assert_int_equal(strstr(found, "reject LABELS 1\n") != NULL, more);
        }
        found = repeated(f, "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"attributes\":[",
                         "{}", LIMIT_FIELDS + (size_t)more, "]}]}]}]}");
        assert_int_equal(strstr(found, "reject LABELS 1\n") != NULL, more);
        found = repeated(f,
                         "{\"resourceMetrics\":[{\"scopeMetrics\":[{\"metrics\":[{\"histogram\":"
                         "{\"dataPoints\":[{\"bucketCounts\":[",
                         "1", LIMIT_BUCKETS + (size_t)more, "]}]}}]}]}]}");
        assert_int_equal(strstr(found, "reject HISTOGRAM 1\n") != NULL, more);
    }
}

/* Lists as deep as may be are text; deeper ones cost their record, or the body. */
static void test_depth(void **state)
{
    struct fixture *f = *state;
    static const char *const lists[] = {"{\"arrayValue\":{\"values\":[",
                                        "{\"kvlistValue\":{\"values\":[{\"key\":\"k\",\"value\":"};
    static const char *const ends[] = {"]}}", "}]}}"};
    for (unsigned kind = 0; kind < 2; kind++) {
        for (unsigned depth = 1; depth < 60; depth++) {
            buf_clear(&f->text);
            put(&f->text, FIRST "{\"asInt\":1,\"attributes\":[{\"key\":\"a\",\"value\":");
            for (unsigned i = 0; i < depth; i++)
                put(&f->text, lists[kind]);
            put(&f->text, "{\"boolValue\":true}");
            for (unsigned i = 0; i < depth; i++)
                put(&f->text, ends[kind]);
            put(&f->text, "}]}]}}]}]}]}");
            const char *found = lines_of(f, f->text.data, f->text.size);
            const char *expected = depth <= LIMIT_DEPTH ? "number {a=" : "reject DEPTH 1\n";
            if (strcmp(found, "refused") == 0)
                assert_true(depth > LIMIT_DEPTH && f->err.status == VARVE_LIMIT);
            else if (!strstr(found, expected))
                fail_msg("%u: %s", depth, found);
        }
    }
    assert_string_equal(repeated(f, "{\"x\":", "[[[[[[[[[[[[[[[[", 1000000, ""), "refused");
}

/* ---- failures ---- */

static void test_intake_fails(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < SAMPLES; i++) {
        enum varve_status status = VARVE_FULL;
        size_t calls = 0;
        for (; status == VARVE_FULL; calls++) {
            fake_intake_clear(f->intake);
            fake_intake_fail(f->intake, calls + 1, VARVE_FULL);
            status = otlp_json_body(f->door, OTLP_ANY, samples[i].text, strlen(samples[i].text),
                                    &f->refused, &f->err);
            assert_false(f->refused);
        }
        fake_intake_fail(f->intake, 0, VARVE_OK);
        assert_int_equal(status, VARVE_OK);
        assert_true(calls > 5);
    }
}

static void test_out_of_memory(void **state)
{
    (void)state;
    struct alloc_fault fault;
    struct intake *intake;
    uint64_t rounds = 0;
    assert_int_equal(intake_new(NULL, &intake, NULL), VARVE_OK);
    alloc_fault_init(&fault);
    for (alloc_fault_start(&fault, ALLOC_FAULT_ONCE); alloc_fault_next(&fault); rounds++) {
        struct mem mem;
        struct otlp_json *door = NULL;
        bool refused = false;
        mem_init(&mem, &fault.allocator, 0);
        enum varve_status status = otlp_json_new(&mem, intake, &door, NULL);
        for (size_t i = 0; status == VARVE_OK && i < SAMPLES; i++) {
            fake_intake_clear(intake);
            status = otlp_json_body(door, OTLP_ANY, samples[i].text, strlen(samples[i].text),
                                    &refused, NULL);
            assert_false(refused);
        }
        /* Some can do with less. */
        assert_true(status == VARVE_OK || (status == VARVE_NOMEM && fault.failed));
        otlp_json_free(door);
        assert_true(alloc_fault_is_clean(&fault));
    }
    intake_free(intake);
    assert_true(rounds > 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_every_field),
        TEST(test_any_order),
        TEST(test_several_signals),
        TEST(test_labels_are_found_again),
        TEST(test_bad_points),
        TEST(test_bad_bodies),
        TEST(test_damage),
        TEST(test_limits),
        TEST(test_depth),
        TEST(test_intake_fails),
        TEST(test_plain_attributes),
        TEST(test_damaged_attributes),
        TEST(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
