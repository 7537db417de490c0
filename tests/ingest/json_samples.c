/* SPDX-License-Identifier: Apache-2.0
 *
 * json_samples.c -- one body of each signal in JSON, with every field, known or not.
 */
#include "json_samples.h"

#include "ingest/json.h"

#define UNKNOWN "\"unknown\":{\"dataPoints\":[1,[2],{\"x\":null}]},\"later\":\"\\u0007\""
#define BLOCK                                                                             \
    "\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":{\"stringValue\":" \
    "\"claude-code\"}},{\"key\":\"n\",\"value\":{\"intValue\":-3}}],"                     \
    "\"droppedAttributesCount\":1," UNKNOWN "}," UNKNOWN                                  \
    ",\"schemaUrl\":\"https://opentelemetry.io/schemas/1.24.0\""
#define SCOPE                                                                                  \
    "\"scope\":{\"name\":\"com.anthropic.claude_code\",\"version\":\"2.1.0\",\"attributes\":[" \
    "{\"key\":\"s\",\"value\":{\"boolValue\":true}}],\"droppedAttributesCount\":0," UNKNOWN    \
    "}," UNKNOWN ",\"schemaUrl\":\"x\""
#define KV "{\"key\":\"k\",\"value\":{\"stringValue\":\"v\"}}"
#define MODEL                                                          \
    "{\"key\":\"model\",\"value\":{\"stringValue\":\"claude-opus\"}}," \
    "{\"key\":\"f\",\"value\":{\"doubleValue\":1.5}}"
#define METRIC(name, unit)                                                           \
    "\"name\":\"" name "\",\"description\":\"a description\",\"unit\":\"" unit "\"," \
    "\"metadata\":[" KV "]," UNKNOWN

const char json_sample_metrics[] =
    "{\"resourceMetrics\":[{" BLOCK ",\"scopeMetrics\":[{" SCOPE ",\"metrics\":["
    "{" METRIC(
        "claude_code.cost.usage",
        "USD") ",\"sum\":{\"dataPoints\":["
               "{\"startTimeUnixNano\":\"100\",\"timeUnixNano\":\"200\",\"asDouble\":0.25,"
               "\"exemplars\":[{}],"
               "\"attributes\":[" MODEL "]," UNKNOWN "},"
               "{\"startTimeUnixNano\":200,\"timeUnixNano\":300,\"attributes\":[" MODEL
               "],\"asInt\":\"-5\","
               "\"flags\":0},"
               "{\"startTimeUnixNano\":\"300\",\"timeUnixNano\":\"400\",\"flags\":1}],"
               "\"aggregationTemporality\":\"AGGREGATION_TEMPORALITY_DELTA\",\"isMonotonic\":true}}"
               ","
               "{" METRIC(
                   "c",
                   "") ",\"sum\":{\"aggregationTemporality\":2,\"dataPoints\":["
                       "{\"timeUnixNano\":\"18446744073709551615\",\"asDouble\":1e300,"
                       "\"attributes\":null}]}},"
                       "{" METRIC(
                           "g",
                           "1") ",\"sum\":null,\"gauge\":{\"dataPoints\":["
                                "{\"startTimeUnixNano\":\"100\",\"timeUnixNano\":\"200\",\"asInt\":"
                                "0,\"asDouble\":null,"
                                "\"attributes\":[{\"key\":\"\",\"value\":{\"stringValue\":\"\"}},"
                                "{\"key\":\"none\",\"value\":{}}]}]}},"
                                "{" METRIC(
                                    "h",
                                    "s") ",\"histogram\":{\"aggregationTemporality\":2,"
                                         "\"dataPoints\":["
                                         "{\"startTimeUnixNano\":\"100\",\"timeUnixNano\":\"200\","
                                         "\"count\":\"6\",\"sum\":12.5,"
                                         "\"bucketCounts\":[\"1\",2,\"3\"],\"explicitBounds\":[0.5,"
                                         "1],\"exemplars\":[],"
                                         "\"attributes\":[" KV
                                         "],\"flags\":0,\"min\":0.1,\"max\":9},"
                                         "{\"startTimeUnixNano\":\"200\",\"timeUnixNano\":\"300\","
                                         "\"count\":2}]}},"
                                         "{" METRIC(
                                             "e",
                                             "s") ",\"exponentialHistogram\":{"
                                                  "\"aggregationTemporality\":1,\"dataPoints\":["
                                                  "{\"scale\":4},{\"scale\":4,\"positive\":{"
                                                  "\"offset\":1}},{}]}},"
                                                  "{" METRIC(
                                                      "q",
                                                      "s") ",\"summary\":{\"dataPoints\":["
                                                           "{\"startTimeUnixNano\":\"100\","
                                                           "\"timeUnixNano\":\"200\",\"count\":"
                                                           "\"10\",\"sum\":55,"
                                                           "\"quantileValues\":[{\"quantile\":0.25,"
                                                           "\"value\":10},{\"quantile\":0.5,"
                                                           "\"value\":20.0}],"
                                                           "\"attributes\":[" KV
                                                           "],\"flags\":0}]}},"
                                                           "{\"name\":\"nothing\"}]}]},{}]," UNKNOWN
                                                           "}";

#define LIST                                                                        \
    "{\"arrayValue\":{\"values\":[{\"stringValue\":\"a\"},{\"intValue\":\"1\"},"    \
    "{\"kvlistValue\":{\"values\":[{\"key\":\"b\",\"value\":{\"boolValue\":true}}," \
    "{\"key\":\"c\",\"value\":{\"bytesValue\":\"AAEC\"}}]}},{}]}}"
#define TRACE "\"traceId\":\"0123456789ABCDEF0123456789abcdef\""
#define ID "\"spanId\":\"FEDCBA9876543210\""

const char json_sample_logs[] =
    "{\"resourceLogs\":[{" BLOCK ",\"scopeLogs\":[{" SCOPE ",\"logRecords\":["
    "{\"timeUnixNano\":\"1000\",\"severityNumber\":\"SEVERITY_NUMBER_INFO\","
    "\"severityText\":\"INFO\",\"body\":{\"stringValue\":\"claude_code.api_request\"},"
    "\"attributes\":[{\"key\":\"event.name\",\"value\":{\"stringValue\":\"api_request\"}},"
    "{\"key\":\"event.sequence\",\"value\":{\"intValue\":7}},{\"key\":\"l\",\"value\":" LIST "},"
    "{\"key\":\"ok\",\"value\":{\"boolValue\":false}},{\"key\":\"l2\",\"value\":" LIST "}],"
    "\"droppedAttributesCount\":0,\"flags\":1," TRACE "," ID
    ",\"observedTimeUnixNano\":\"1001\",\"eventName\":\"name\"," UNKNOWN "},"
    "{\"body\":" LIST ",\"traceId\":\"00000000000000000000000000000000\",\"spanId\":\"5a\"},"
    "{\"body\":{\"bytesValue\":\"aGVsbG8\"}},"
    "{}]}]}]}";

const char json_sample_traces[] =
    "{\"resourceSpans\":[{" BLOCK ",\"scopeSpans\":[{" SCOPE ",\"spans\":["
    "{" TRACE "," ID ",\"traceState\":\"trace=state\",\"parentSpanId\":\"0102030405060708\","
    "\"flags\":257,\"name\":\"claude_code.tool\",\"kind\":\"SPAN_KIND_INTERNAL\","
    "\"startTimeUnixNano\":\"10\",\"endTimeUnixNano\":\"20\",\"attributes\":["
    "{\"key\":\"tool_name\",\"value\":{\"stringValue\":\"Bash\"}}],\"droppedAttributesCount\":0,"
    "\"events\":[{\"timeUnixNano\":\"15\",\"name\":\"tool.output\",\"attributes\":["
    "{\"key\":\"i\",\"value\":{\"intValue\":0}}]," UNKNOWN "},"
    "{\"timeUnixNano\":15,\"name\":\"tool.output\",\"attributes\":["
    "{\"key\":\"i\",\"value\":{\"intValue\":\"1\"}}]}],\"droppedEventsCount\":0,"
    "\"links\":[{\"traceId\":5}],\"status\":{\"message\":\"it failed\","
    "\"code\":\"STATUS_CODE_ERROR\"}," UNKNOWN "},"
    "{\"name\":\"bare\",\"startTimeUnixNano\":\"10\"}]}]}]}";

/* ---- shuffling ----------------------------------------------------------- */

enum { MEMBERS = 24 };

static void put_space(struct prng *prng, struct buf *out)
{
    while (prng_below(prng, 6) == 0)
        buf_put(out, &" \t\n\r"[prng_below(prng, 4)], 1);
}

static void put_key(struct prng *prng, const struct json_value *key, struct buf *out)
{
    uint64_t way = prng_below(prng, 6);
    buf_put8(out, '"');
    for (uint32_t i = 0; i < key->size; i++) {
        char c = key->text[i], escape[8];
        if (way == 0 && c >= 'A' && c <= 'Z') {
            buf_put8(out, '_');
            buf_put8(out, (uint8_t)(c | 0x20));
        } else if (way == 1 && c != '\\' && !key->escaped) {
            buf_put(out, escape, (size_t)snprintf(escape, sizeof escape, "\\u%04x", (unsigned)c));
        } else {
            buf_put8(out, (uint8_t)c);
        }
    }
    buf_put8(out, '"');
}

static void shuffle_object(struct prng *prng, struct json *json, struct buf *out)
{
    struct json_value keys[MEMBERS], values[MEMBERS];
    size_t count = 0;
    (void)json_begin(json);
    while (count < MEMBERS && json_member(json, &keys[count]) && json_value(json, &values[count]))
        count++;
    buf_put8(out, '{');
    for (size_t left = count; left > 0; left--) {
        size_t one = prng_below(prng, left);
        buf_put(out, ",", left < count);
        put_space(prng, out);
        put_key(prng, &keys[one], out);
        put_space(prng, out);
        buf_put8(out, ':');
        bool string = values[one].type == JSON_STRING;
        json_shuffle(prng, values[one].text - string, values[one].size + 2u * string, out);
        keys[one] = keys[left - 1];
        values[one] = values[left - 1];
    }
    buf_put8(out, '}');
}

void json_shuffle(struct prng *prng, const char *text, size_t size, struct buf *out)
{
    struct json json;
    struct json_value value;
    json_start(&json, text, size);
    put_space(prng, out);
    if (json_peek(&json) == JSON_OBJECT) {
        shuffle_object(prng, &json, out);
    } else if (json_peek(&json) == JSON_ARRAY) {
        (void)json_begin(&json);
        buf_put8(out, '[');
        for (bool first = true; json_element(&json) && json_value(&json, &value); first = false) {
            bool string = value.type == JSON_STRING;
            buf_put(out, ",", !first);
            json_shuffle(prng, value.text - string, value.size + 2u * string, out);
        }
        buf_put8(out, ']');
    } else {
        buf_put(out, text, size);
    }
    put_space(prng, out);
}
