/* SPDX-License-Identifier: Apache-2.0
 *
 * test_otlp_json_known.c -- what the door for JSON knows from before changes nothing.
 *
 * Random bodies of few resources, scopes and attributes go to two intakes: as they are
 * mostly written, through one door that meets them again and again, and with spaces, each
 * through a door of its own, which knows nothing.  Both must append and reject the same.
 */
#include "ingest/otlp_json.h"

#include <stdlib.h>
#include <string.h>

#include "../base/prng.h"
#include "base/buf.h"
#include "intake_unit.h"

enum { ROUNDS = 400 };

static void put(struct buf *out, const char *text)
{
    buf_put(out, text, strlen(text));
}

/* One of them; the first ones more often. */
static const char *one_of(struct prng *prng, const char *const *texts, size_t count)
{
    uint64_t a = prng_below(prng, count), b = prng_below(prng, count);
    return texts[a < b ? a : b];
}

#define ONE_OF(prng, texts) one_of(prng, texts, sizeof(texts) / sizeof *(texts))
#define TEXT(key, value) "{\"key\":\"" key "\",\"value\":{\"stringValue\":\"" value "\"}}"

static void put_attributes(struct prng *prng, uint64_t most, struct buf *out)
{
    static const char *const attributes[] = {
        TEXT("session.id", "03d743f3"),
        TEXT("session.id", "03d743f4"),
        TEXT("type", "input"),
        TEXT("type", "output"),
        TEXT("model", "claude"),
        TEXT("user.id", "a user whose name is longer than a vector"),
        TEXT("team", "\xc3\xa4"),
        TEXT("team", ""),
        TEXT("team", "]"),
        TEXT("team", "\\u005d"),
        TEXT("otel.scope.name", "com.anthropic.claude_code"),
        "{\"key\":\"count\",\"value\":{\"intValue\":\"17\"}}",
        "{\"key\":\"list\",\"value\":{\"arrayValue\":{\"values\":[{\"boolValue\":true}]}}}",
        "{\"key\":\"nothing\",\"value\":{}}",
        "{\"value\":{\"stringValue\":\"x\"},\"key\":\"turned\"}",
        TEXT("", "x"),
        TEXT("bytes", "\xff"),
        "{\"key\":\"wrong\",\"value\":{\"stringValue\":17}}",
    };
    put(out, "[");
    for (uint64_t i = 0, n = prng_below(prng, most + 1); i < n; i++) {
        put(out, i ? "," : "");
        put(out, ONE_OF(prng, attributes));
    }
    put(out, "]");
}

static void put_resource(uint64_t which, struct buf *out)
{
    static const char *const odd[] = {"\"resource\":null,",
                                      "\"resource\":{},",
                                      "\"resource\":\"{}\",",
                                      "\"resource\":[],",
                                      "\"resource\":{\"x\":[{}],\"y\":\"}\"},",
                                      ""};
    struct prng prng = {which};
    if (which % 3 == 0) {
        put(out, odd[which / 3 % (sizeof odd / sizeof *odd)]);
        return;
    }
    put(out, "\"resource\":{\"attributes\":");
    put_attributes(&prng, 3, out);
    put(out, ",\"droppedAttributesCount\":0},");
}

static void put_scope(uint64_t which, struct buf *out)
{
    static const char *const scopes[] = {
        "\"scope\":{\"name\":\"com.anthropic.claude_code\",\"version\":\"2\"},",
        "\"scope\":{\"name\":\"another\",\"version\":\"2\"},",
        "\"scope\":{\"name\":\"another\",\"attributes\":[" TEXT("a", "b") "]},",
        "",
        "\"scope\":\"\",",
        "\"scope\":{\"name\":5},",
    };
    put(out, scopes[which % (sizeof scopes / sizeof *scopes)]);
}

static void put_metric(struct prng *prng, const char *name, struct buf *out)
{
    char text[200];
    put(out, "{\"name\":\"");
    put(out, name);
    put(out, "\",\"unit\":\"\",\"sum\":{\"aggregationTemporality\":1,\"isMonotonic\":true,"
             "\"dataPoints\":[");
    for (uint64_t i = 0, n = prng_below(prng, 6); i < n; i++) {
        struct prng few = {prng_below(prng, 40)};
        put(out, i ? ",{\"attributes\":" : "{\"attributes\":");
        put_attributes(&few, 5, out);
        snprintf(text, sizeof text,
                 ",\"startTimeUnixNano\":\"%lld\",\"timeUnixNano\":\"%lld\",\"asDouble\":%d.5}",
                 (long long)UNIT_AT(i), (long long)UNIT_AT(i + 1), (int)prng_below(prng, 9));
        put(out, text);
    }
    put(out, "]}}");
}

static void put_body(struct prng prng, struct buf *out)
{
    put(out, "{\"resourceMetrics\":[");
    for (uint64_t r = 0, n = 1 + prng_below(&prng, 2); r < n; r++) {
        put(out, r ? ",{" : "{");
        put_resource(prng_below(&prng, 18), out);
        put(out, "\"scopeMetrics\":[");
        for (uint64_t s = 0, m = prng_below(&prng, 3); s < m; s++) {
            put(out, s ? ",{" : "{");
            put_scope(prng_below(&prng, 6), out);
            put(out, "\"metrics\":[");
            put_metric(&prng, "claude_code.token.usage", out);
            put(out, ",");
            put_metric(&prng, "claude_code.cost.usage", out);
            put(out, "]}");
        }
        put(out, "]}");
    }
    put(out, "]}");
}

/* With a space wherever one may be before a value or a name. */
static void put_spaced(const struct buf *text, struct buf *out)
{
    bool in_string = false;
    for (size_t i = 0; i < text->size; i++) {
        const char c = (char)text->data[i];
        buf_put8(out, (uint8_t)c);
        if (in_string && c == '\\')
            buf_put8(out, text->data[++i]);
        else if (c == '"')
            in_string = !in_string;
        if (!in_string && strchr("{[,:", c))
            buf_put8(out, ' ');
    }
}

static void give(struct unit *unit, struct otlp_json *door, const struct buf *text)
{
    bool refused;
    struct otlp_json *fresh = NULL;
    if (!door) {
        assert_int_equal(otlp_json_new(&unit->mem, unit->intake, &fresh, NULL), VARVE_OK);
        door = fresh;
    }
    assert_int_equal(
        otlp_json_body(door, OTLP_METRICS, (const char *)text->data, text->size, &refused, NULL),
        VARVE_OK);
    assert_false(refused);
    otlp_json_free(fresh);
}

static void check_same(const char *rules, uint64_t batch_rows)
{
    struct unit whole = {.batch_rows = batch_rows}, quick = {.batch_rows = batch_rows};
    struct prng prng = prng_start(1);
    struct otlp_json *door;
    struct buf text, spaced;
    assert_int_equal(unit_open(&whole, NULL, rules), VARVE_OK);
    assert_int_equal(unit_open(&quick, NULL, rules), VARVE_OK);
    assert_int_equal(otlp_json_new(&quick.mem, quick.intake, &door, NULL), VARVE_OK);
    buf_init(&text, &quick.mem, 1 << 20);
    buf_init(&spaced, &quick.mem, 1 << 20);
    for (int round = 0; round < ROUNDS; round++) {
        buf_clear(&text);
        buf_clear(&spaced);
        put_body(prng, &text);
        put_spaced(&text, &spaced);
        assert_int_equal(buf_status(&spaced, NULL), VARVE_OK);
        give(&quick, door, &text);
        give(&whole, NULL, &spaced);
        prng_next(&prng);
    }
    unit_check_same(&whole, &quick);
    assert_true(whole.size > 10000);
    assert_true(whole.report.counts[REJECT_RECORD] > 0 && whole.report.counts[REJECT_UTF8] > 0);
    buf_free(&text);
    buf_free(&spaced);
    otlp_json_free(door);
    unit_close(&quick);
    unit_close(&whole);
}

static void same_points(void **state)
{
    (void)state;
    check_same("", 0);
    check_same("", 50);
}

static void same_points_under_rules(void **state)
{
    (void)state;
    check_same("hash label user.id; drop label team", 100);
    check_same("drop label type in claude_code.token.usage; hash label model", 100);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_points),
        cmocka_unit_test(same_points_under_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
