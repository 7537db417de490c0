/* SPDX-License-Identifier: Apache-2.0
 *
 * test_otlp_twins.c -- the same body in protobuf and in JSON says the same to the intake.
 *
 * Bodies are made at random, field by field in both forms at once; the JSON is shuffled before it
 * is read (json_samples.h).  Then the bodies that the OpenTelemetry SDK wrote in both forms.
 */
#include <dirent.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/prng.h"
#include "../base/unit.h"
#include "fake_intake.h"
#include "ingest/otlp_json.h"
#include "ingest/plain.h"
#include "json_samples.h"
#include "pb_make.h"

struct twins {
    struct mem mem;
    struct prng prng;
    struct pb pb;
    struct buf json, shuffled;
    struct intake *intake;
    struct otlp_pb *pb_door;
    struct otlp_json *json_door;
    char *lines; /* of the protobuf form */
};

static int set_up(void **state)
{
    struct twins *t = calloc(1, sizeof *t);
    assert_non_null(t);
    mem_init(&t->mem, NULL, 0);
    t->prng = prng_start(20261121);
    buf_init(&t->json, &t->mem, 1 << 24);
    buf_init(&t->shuffled, &t->mem, 1 << 24);
    assert_int_equal(intake_new(NULL, &t->intake, NULL), VARVE_OK);
    assert_int_equal(otlp_pb_new(&t->mem, t->intake, &t->pb_door, NULL), VARVE_OK);
    assert_int_equal(otlp_json_new(&t->mem, t->intake, &t->json_door, NULL), VARVE_OK);
    *state = t;
    return 0;
}

static int tear_down(void **state)
{
    struct twins *t = *state;
    otlp_pb_free(t->pb_door);
    otlp_json_free(t->json_door);
    intake_free(t->intake);
    buf_free(&t->json);
    buf_free(&t->shuffled);
    pb_free(&t->pb);
    free(t->lines);
    int leaked = t->mem.used != 0;
    free(t);
    return leaked;
}

/* ---- pieces ---- */

static uint64_t below(struct twins *t, uint64_t n)
{
    return prng_below(&t->prng, n);
}

VARVE_PRINTF(2, 3) static void put(struct twins *t, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    assert_true(n >= 0 && (size_t)n < sizeof text);
    buf_put(&t->json, text, (size_t)n);
}

/* The name of a member, with a comma where one stood before. */
static void member(struct twins *t, const char *name)
{
    uint8_t last = t->json.size ? t->json.data[t->json.size - 1] : '{';
    put(t, "%s\"%s\":", last == '{' ? "" : ",", name);
}

static void next(struct twins *t)
{
    if (t->json.data[t->json.size - 1] != '[')
        put(t, ",");
}

static const char *random_text(struct twins *t, char text[64])
{
    static const char *const pieces[] = {
        "a",        "model",        "claude-",          "\"", "\\", "\n", "\x01", "/",
        "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", " ",  "0"};
    text[0] = '\0';
    for (uint64_t n = below(t, 6); n > 0; n--)
        strcat(text, pieces[below(t, sizeof pieces / sizeof *pieces)]);
    return text;
}

static void text_field(struct twins *t, uint32_t field, const char *name)
{
    char text[64];
    if (below(t, 4) == 0)
        return;
    random_text(t, text);
    pb_text(&t->pb, field, text);
    member(t, name);
    plain_text(&t->json, (struct varve_str){text, strlen(text)});
}

static double random_double(struct twins *t)
{
    uint64_t bits = prng_next(&t->prng);
    double real;
    if (below(t, 3) == 0)
        return (double)(int64_t)bits / 1e6;
    memcpy(&real, &bits, sizeof real);
    /* There is one NaN in JSON. */
    return isnan(real) ? (double)NAN : real;
}

static void put_double(struct twins *t, double real)
{
    if (isfinite(real))
        put(t, below(t, 8) ? "%.17g" : "\"%.17g\"", real);
    else
        put(t, "\"%s\"", isnan(real) ? "NaN" : real > 0 ? "Infinity" : "-Infinity");
}

static void double_field(struct twins *t, uint32_t field, const char *name)
{
    double real = random_double(t);
    pb_double(&t->pb, field, real);
    member(t, name);
    put_double(t, real);
}

static void fixed_field(struct twins *t, uint32_t field, const char *name)
{
    uint64_t number = prng_next(&t->prng) >> below(t, 64);
    if (below(t, 5) == 0)
        return;
    pb_fixed64(&t->pb, field, number);
    member(t, name);
    put(t, below(t, 2) ? "%" PRIu64 : "\"%" PRIu64 "\"", number);
}

static void flags_field(struct twins *t, uint32_t field)
{
    uint64_t flags = below(t, 12);
    pb_varint(&t->pb, field, flags > 1 ? 0 : flags);
    member(t, "flags");
    put(t, "%d", flags == 1);
}

static void id_field(struct twins *t, uint32_t field, const char *name, size_t size)
{
    uint8_t bytes[16];
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)prng_next(&t->prng);
    if (below(t, 4) == 0)
        memset(bytes, 0, sizeof bytes);
    if (below(t, 4) == 0)
        size /= 2;
    pb_bytes(&t->pb, field, bytes, size);
    member(t, name);
    put(t, "\"");
    plain_hex(&t->json, bytes, size);
    put(t, "\"");
}

/* ---- attributes ---- */

static void any(struct twins *t, uint32_t field, unsigned depth);

static void list(struct twins *t, unsigned depth, bool map)
{
    char key[64];
    pb_begin(&t->pb, map ? 6 : 5);
    member(t, map ? "kvlistValue" : "arrayValue");
    put(t, "{\"values\":[");
    for (uint64_t n = below(t, 4); n > 0; n--) {
        next(t);
        if (map) {
            random_text(t, key);
            pb_begin(&t->pb, 1);
            pb_text(&t->pb, 1, key);
            put(t, "{\"key\":");
            plain_text(&t->json, (struct varve_str){key, strlen(key)});
            member(t, "value");
            any(t, 2, depth + 1);
            put(t, "}");
            pb_end(&t->pb);
        } else {
            any(t, 1, depth + 1);
        }
    }
    put(t, "]}");
    pb_end(&t->pb);
}

static void scalar(struct twins *t, uint64_t kind)
{
    char text[64];
    int64_t whole = (int64_t)prng_next(&t->prng) >> below(t, 64);
    switch (kind) {
    case 0:
        pb_varint(&t->pb, 2, whole & 1);
        member(t, "boolValue");
        put(t, "%s", whole & 1 ? "true" : "false");
        return;
    case 1:
        pb_varint(&t->pb, 3, (uint64_t)whole);
        member(t, "intValue");
        put(t, below(t, 2) ? "%" PRId64 : "\"%" PRId64 "\"", whole);
        return;
    case 2:
        double_field(t, 4, "doubleValue");
        return;
    case 3:
        random_text(t, text);
        pb_bytes(&t->pb, 7, text, strlen(text));
        member(t, "bytesValue");
        put(t, "\"");
        plain_base64(&t->json, (const uint8_t *)text, strlen(text));
        put(t, "\"");
        return;
    default:
        random_text(t, text);
        pb_text(&t->pb, 1, text);
        member(t, "stringValue");
        plain_text(&t->json, (struct varve_str){text, strlen(text)});
    }
}

static void any(struct twins *t, uint32_t field, unsigned depth)
{
    uint64_t kind = below(t, 12);
    pb_begin(&t->pb, field);
    put(t, "{");
    if (kind < 2 && depth < 4)
        list(t, depth, kind);
    else if (kind > 2)
        scalar(t, kind - 3);
    put(t, "}");
    pb_end(&t->pb);
}

static void attributes(struct twins *t, uint32_t field)
{
    char key[64];
    member(t, "attributes");
    put(t, "[");
    for (uint64_t n = below(t, 5); n > 0; n--) {
        next(t);
        random_text(t, key);
        pb_begin(&t->pb, field);
        pb_text(&t->pb, 1, key);
        put(t, "{\"key\":");
        plain_text(&t->json, (struct varve_str){key, strlen(key)});
        member(t, "value");
        any(t, 2, 0);
        put(t, "}");
        pb_end(&t->pb);
    }
    put(t, "]");
}

/* ---- messages ---- */

static void begin(struct twins *t, uint32_t field)
{
    next(t);
    pb_begin(&t->pb, field);
    put(t, "{");
}

static void end(struct twins *t)
{
    pb_end(&t->pb);
    put(t, "}");
}

static void number_point(struct twins *t)
{
    fixed_field(t, 2, "startTimeUnixNano");
    fixed_field(t, 3, "timeUnixNano");
    uint64_t kind = below(t, 5);
    if (kind < 3) {
        double_field(t, 4, "asDouble");
    } else if (kind == 3) {
        int64_t whole = (int64_t)prng_next(&t->prng) >> below(t, 64);
        pb_fixed64(&t->pb, 6, (uint64_t)whole);
        member(t, "asInt");
        put(t, "\"%" PRId64 "\"", whole);
    }
    attributes(t, 7);
    flags_field(t, 8);
}

static void histogram_point(struct twins *t)
{
    fixed_field(t, 2, "startTimeUnixNano");
    fixed_field(t, 3, "timeUnixNano");
    fixed_field(t, 4, "count");
    if (below(t, 2))
        double_field(t, 5, "sum");
    uint64_t buckets = below(t, 4);
    member(t, "bucketCounts");
    put(t, "[");
    for (uint64_t n = 0; n < buckets; n++) {
        next(t);
        pb_fixed64(&t->pb, 6, n * 7);
        put(t, n % 2 ? "%" PRIu64 : "\"%" PRIu64 "\"", n * 7);
    }
    put(t, "]");
    member(t, "explicitBounds");
    put(t, "[");
    for (uint64_t n = 1; n < buckets; n++) {
        next(t);
        pb_double(&t->pb, 7, (double)n / 3);
        put_double(t, (double)n / 3);
    }
    put(t, "]");
    attributes(t, 9);
    flags_field(t, 10);
}

static void summary_point(struct twins *t)
{
    fixed_field(t, 2, "startTimeUnixNano");
    fixed_field(t, 3, "timeUnixNano");
    fixed_field(t, 4, "count");
    double_field(t, 5, "sum");
    member(t, "quantileValues");
    put(t, "[");
    for (uint64_t n = below(t, 3); n > 0; n--) {
        begin(t, 6);
        double_field(t, 1, "quantile");
        double_field(t, 2, "value");
        end(t);
    }
    put(t, "]");
    attributes(t, 7);
    flags_field(t, 8);
}

static void exponential_point(struct twins *t)
{
    fixed_field(t, 3, "timeUnixNano");
}

static void metric(struct twins *t)
{
    static const struct {
        const char *name;
        uint32_t field;
        void (*point)(struct twins *);
    } shapes[] = {
        {"sum", 7, number_point},
        {"gauge", 5, number_point},
        {"histogram", 9, histogram_point},
        {"summary", 11, summary_point},
        {"exponentialHistogram", 10, exponential_point},
    };
    text_field(t, 1, "name");
    text_field(t, 3, "unit");
    uint64_t shape = below(t, sizeof shapes / sizeof *shapes);
    if (below(t, 8) == 0)
        return;
    member(t, shapes[shape].name);
    pb_begin(&t->pb, shapes[shape].field);
    put(t, "{\"dataPoints\":[");
    for (uint64_t n = below(t, 4); n > 0; n--) {
        begin(t, 1);
        shapes[shape].point(t);
        end(t);
    }
    put(t, "]");
    if (shape != 1 && shape != 3 && below(t, 4)) {
        uint64_t temporality = below(t, 4);
        pb_varint(&t->pb, 2, temporality);
        member(t, "aggregationTemporality");
        put(t, "%d", (int)temporality);
    }
    if (shape == 0 && below(t, 4)) {
        pb_varint(&t->pb, 3, 1);
        member(t, "isMonotonic");
        put(t, "true");
    }
    end(t);
}

static void record(struct twins *t)
{
    fixed_field(t, 1, "timeUnixNano");
    fixed_field(t, 11, "observedTimeUnixNano");
    uint64_t severity = below(t, 25);
    pb_varint(&t->pb, 2, severity);
    member(t, "severityNumber");
    put(t, "%d", (int)severity);
    text_field(t, 3, "severityText");
    if (below(t, 4)) {
        member(t, "body");
        any(t, 5, 0);
    }
    attributes(t, 6);
    id_field(t, 9, "traceId", 16);
    id_field(t, 10, "spanId", 8);
    text_field(t, 12, "eventName");
}

static void span(struct twins *t)
{
    id_field(t, 1, "traceId", 16);
    id_field(t, 2, "spanId", 8);
    id_field(t, 4, "parentSpanId", 8);
    text_field(t, 5, "name");
    pb_varint(&t->pb, 6, 3);
    member(t, "kind");
    put(t, "\"SPAN_KIND_CLIENT\"");
    fixed_field(t, 7, "startTimeUnixNano");
    fixed_field(t, 8, "endTimeUnixNano");
    attributes(t, 9);
    member(t, "events");
    put(t, "[");
    for (uint64_t n = below(t, 3); n > 0; n--) {
        begin(t, 11);
        fixed_field(t, 1, "timeUnixNano");
        text_field(t, 2, "name");
        attributes(t, 3);
        end(t);
    }
    put(t, "]");
    if (below(t, 2)) {
        member(t, "status");
        pb_begin(&t->pb, 15);
        put(t, "{");
        text_field(t, 2, "message");
        pb_varint(&t->pb, 3, 2);
        member(t, "code");
        put(t, "2");
        end(t);
    }
}

struct kind {
    enum otlp_signal signal;
    const char *resources, *scopes, *records;
    void (*record)(struct twins *);
};

static const struct kind kinds[] = {
    {OTLP_METRICS, "resourceMetrics", "scopeMetrics", "metrics", metric},
    {OTLP_LOGS, "resourceLogs", "scopeLogs", "logRecords", record},
    {OTLP_TRACES, "resourceSpans", "scopeSpans", "spans", span},
};

static void scope(struct twins *t, const struct kind *kind)
{
    if (below(t, 4)) {
        member(t, "scope");
        pb_begin(&t->pb, 1);
        put(t, "{");
        text_field(t, 1, "name");
        text_field(t, 2, "version");
        attributes(t, 3);
        end(t);
    }
    member(t, kind->records);
    put(t, "[");
    for (uint64_t n = below(t, 4); n > 0; n--) {
        begin(t, 2);
        kind->record(t);
        end(t);
    }
    put(t, "]");
}

static void body(struct twins *t, const struct kind *kind)
{
    pb_clear(&t->pb);
    buf_clear(&t->json);
    put(t, "{\"%s\":[", kind->resources);
    for (uint64_t n = below(t, 3) + 1; n > 0; n--) {
        begin(t, 1);
        if (below(t, 4)) {
            member(t, "resource");
            pb_begin(&t->pb, 1);
            put(t, "{");
            attributes(t, 1);
            end(t);
        }
        member(t, kind->scopes);
        put(t, "[");
        for (uint64_t m = below(t, 3); m > 0; m--) {
            begin(t, 2);
            scope(t, kind);
            end(t);
        }
        put(t, "]");
        end(t);
    }
    put(t, "]}");
    assert_int_equal(buf_status(&t->json, NULL), VARVE_OK);
}

/* ---- both doors ---- */

/* JavaScript has no JSON for NaN and infinities, and writes null: a point without a value.  In
 * protobuf they come as they are, and the intake refuses them for the same reason. */
static void forget_what_json_lacks(char *lines)
{
    char *to = lines;
    for (char *line = lines; *line;) {
        size_t size = strcspn(line, "\n") + 1;
        bool lacking =
            strncmp(line, "number", 6) == 0 && (strncmp(line + size - 5, " nan\n", 5) == 0 ||
                                                strncmp(line + size - 4, "inf\n", 4) == 0);
        char *next_line = line + size;
        if (lacking) {
            memcpy(to, "reject VALUE 1\n", 15);
            to += 15;
        } else {
            memmove(to, line, size);
            to += size;
        }
        line = next_line;
    }
    *to = '\0';
}

static void check_same(struct twins *t, enum otlp_signal signal, bool javascript, const void *pb,
                       size_t pb_size, const void *json, size_t json_size)
{
    bool refused;
    struct varve_err err = {.message = ""};
    fake_intake_clear(t->intake);
    assert_int_equal(otlp_pb_body(t->pb_door, signal, pb, pb_size, &refused, &err), VARVE_OK);
    assert_false(refused);
    free(t->lines);
    t->lines = strdup(fake_intake_lines(t->intake));
    assert_non_null(t->lines);
    if (javascript)
        forget_what_json_lacks(t->lines);
    fake_intake_clear(t->intake);
    assert_int_equal(otlp_json_body(t->json_door, signal, json, json_size, &refused, &err),
                     VARVE_OK);
    const char *ours = fake_intake_lines(t->intake), *theirs = t->lines;
    if (!refused && strcmp(ours, theirs) == 0)
        return;
    size_t at = 0;
    for (size_t i = 0; ours[i] && ours[i] == theirs[i]; i++)
        if (ours[i] == '\n')
            at = i + 1;
    print_error("%.*s\n", (int)json_size, (const char *)json);
    fail_msg("%s\nprotobuf: %.*s\nJSON:     %.*s", err.message, (int)strcspn(theirs + at, "\n"),
             theirs + at, (int)strcspn(ours + at, "\n"), ours + at);
}

static void test_random_bodies(void **state)
{
    struct twins *t = *state;
    for (unsigned i = 0; i < 3000; i++) {
        const struct kind *kind = &kinds[i % 3];
        body(t, kind);
        buf_clear(&t->shuffled);
        json_shuffle(&t->prng, (const char *)t->json.data, t->json.size, &t->shuffled);
        check_same(t, kind->signal, false, t->pb.data, t->pb.size, t->shuffled.data,
                   t->shuffled.size);
    }
}

/* ---- bodies of the SDK ---- */

static size_t
load(const char *directory, const char *name, const char *ending, char *text, size_t room)
{
    char path[5000];
    snprintf(path, sizeof path, "%s/%s.%s", directory, name, ending);
    FILE *file = fopen(path, "rb");
    if (!file)
        return 0;
    size_t size = fread(text, 1, room, file);
    fclose(file);
    assert_true(size < room);
    return size;
}

static void test_bodies_of_the_sdk(void **state)
{
    static char pb[1 << 20], json[1 << 20], directory[4096];
    struct twins *t = *state;
    const char *root = getenv("VARVE_SRC");
    snprintf(directory, sizeof directory, "%s/tests/sdk/fixtures", root ? root : ".");
    DIR *all = opendir(directory);
    assert_non_null(all);
    unsigned pairs = 0;
    for (const struct dirent *entry; (entry = readdir(all)) != NULL;) {
        char name[256];
        size_t size = strlen(entry->d_name);
        if (size < 4 || strcmp(entry->d_name + size - 3, ".pb") != 0)
            continue;
        memcpy(name, entry->d_name, size - 3);
        name[size - 3] = '\0';
        size_t pb_size = load(directory, name, "pb", pb, sizeof pb);
        size_t json_size = load(directory, name, "json", json, sizeof json);
        if (json_size == 0)
            continue;
        enum otlp_signal signal = strstr(name, "metrics") ? OTLP_METRICS
                                  : strstr(name, "logs")  ? OTLP_LOGS
                                                          : OTLP_TRACES;
        check_same(t, signal, true, pb, pb_size, json, json_size);
        pairs++;
    }
    closedir(all);
    assert_true(pairs > 10);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_random_bodies),
        TEST(test_bodies_of_the_sdk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
