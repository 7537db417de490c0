/* SPDX-License-Identifier: Apache-2.0
 *
 * pb_samples.c -- one body of each signal, made field by field.
 *
 * They hold every field that OTLP has, also those that varve does not read, and
 * some that OTLP does not have yet.
 */
#include "pb_samples.h"

#include <string.h>

void pb_sample_down(struct pb *pb)
{
    pb_begin(pb, 1);
    pb_begin(pb, 2);
}

void pb_sample_up(struct pb *pb)
{
    while (pb->depth > 0)
        pb_end(pb);
}

void pb_sample_sum(struct pb *pb)
{
    pb_begin(pb, 2);
    pb_text(pb, 1, "m");
    pb_begin(pb, 7);
    pb_varint(pb, 2, 1);
    pb_varint(pb, 3, 1);
}

void pb_sample_begin_point(struct pb *pb, int64_t value)
{
    pb_begin(pb, 1);
    pb_fixed64(pb, 2, 1);
    pb_fixed64(pb, 3, 2);
    pb_fixed64(pb, 6, (uint64_t)value);
}

/* Fields that nobody knows, of each wire type. */
static void unknown(struct pb *pb)
{
    pb_varint(pb, 100, 7);
    pb_fixed64(pb, 101, 7);
    pb_fixed32(pb, 102, 7);
    pb_text(pb, 103, "\x0b what is this");
}

static void resource(struct pb *pb)
{
    pb_begin(pb, 1);
    pb_attribute(pb, 1, "service.name", pb_a_text("claude-code"));
    pb_attribute(pb, 1, "n", pb_an_int(-3));
    pb_varint(pb, 2, 1);
    unknown(pb);
    pb_end(pb);
}

static void scope(struct pb *pb)
{
    pb_begin(pb, 1);
    pb_text(pb, 1, "com.anthropic.claude_code");
    pb_text(pb, 2, "2.1.0");
    pb_attribute(pb, 3, "s", pb_a_bool(1));
    pb_varint(pb, 4, 0);
    unknown(pb);
    pb_end(pb);
}

static void begin_block(struct pb *pb)
{
    pb_begin(pb, 1);
    resource(pb);
    unknown(pb);
    pb_begin(pb, 2);
    scope(pb);
    unknown(pb);
}

static void end_block(struct pb *pb)
{
    pb_text(pb, 3, "https://opentelemetry.io/schemas/1.24.0");
    pb_end(pb);
    pb_text(pb, 3, "https://opentelemetry.io/schemas/1.24.0");
    pb_end(pb);
}

static void times(struct pb *pb, uint64_t start, uint64_t end)
{
    pb_fixed64(pb, 2, start);
    pb_fixed64(pb, 3, end);
}

static void begin_metric(struct pb *pb, const char *name, const char *unit, uint32_t data)
{
    pb_begin(pb, 2);
    pb_text(pb, 1, name);
    pb_text(pb, 2, "a description");
    pb_text(pb, 3, unit);
    pb_attribute(pb, 12, "metadata", pb_a_text("x"));
    unknown(pb);
    pb_begin(pb, data);
}

static void end_metric(struct pb *pb)
{
    unknown(pb);
    pb_end(pb);
    pb_end(pb);
}

static void numbers(struct pb *pb)
{
    begin_metric(pb, "claude_code.cost.usage", "USD", 7);
    pb_begin(pb, 1);
    times(pb, 100, 200);
    pb_double(pb, 4, 0.25);
    pb_bytes(pb, 5, "an exemplar", 11);
    pb_attribute(pb, 7, "model", pb_a_text("claude-opus"));
    pb_attribute(pb, 7, "f", pb_a_double(1.5));
    unknown(pb);
    pb_end(pb);
    pb_begin(pb, 1);
    times(pb, 200, 300);
    pb_attribute(pb, 7, "model", pb_a_text("claude-opus"));
    pb_attribute(pb, 7, "f", pb_a_double(1.5));
    pb_fixed64(pb, 6, (uint64_t)-5);
    pb_varint(pb, 8, 0);
    pb_end(pb);
    pb_begin(pb, 1); /* flags: no recorded value */
    times(pb, 300, 400);
    pb_varint(pb, 8, 1);
    pb_end(pb);
    pb_varint(pb, 2, 1);
    pb_varint(pb, 3, 1);
    end_metric(pb);
    begin_metric(pb, "c", "", 7);
    pb_varint(pb, 2, 2);
    pb_begin(pb, 1);
    times(pb, 0, UINT64_MAX);
    pb_double(pb, 4, 1e300);
    pb_end(pb);
    end_metric(pb);
    begin_metric(pb, "g", "1", 5);
    pb_begin(pb, 1);
    times(pb, 100, 200);
    pb_fixed64(pb, 6, 0);
    pb_attribute(pb, 7, "", pb_a_text(""));
    pb_attribute(pb, 7, "none", (struct varve_value){.type = VARVE_NULL});
    pb_end(pb);
    end_metric(pb);
}

static void distributions(struct pb *pb)
{
    begin_metric(pb, "h", "s", 9);
    pb_varint(pb, 2, 2);
    pb_begin(pb, 1);
    times(pb, 100, 200);
    pb_fixed64(pb, 4, 6);
    pb_double(pb, 5, 12.5);
    pb_begin(pb, 6); /* packed */
    pb_raw(pb, "\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0", 24);
    pb_end(pb);
    pb_double(pb, 7, 0.5); /* one by one */
    pb_double(pb, 7, 1);
    pb_bytes(pb, 8, "an exemplar", 11);
    pb_attribute(pb, 9, "k", pb_a_text("v"));
    pb_varint(pb, 10, 0);
    pb_double(pb, 11, 0.1);
    pb_double(pb, 12, 9);
    pb_end(pb);
    pb_begin(pb, 1); /* without sum and buckets */
    times(pb, 200, 300);
    pb_fixed64(pb, 4, 2);
    pb_end(pb);
    end_metric(pb);
    begin_metric(pb, "e", "s", 10);
    for (int i = 0; i < 3; i++) {
        pb_begin(pb, 1);
        times(pb, 100, 200);
        pb_varint(pb, 6, 4);
        pb_end(pb);
    }
    pb_varint(pb, 2, 1);
    end_metric(pb);
    begin_metric(pb, "q", "s", 11);
    pb_begin(pb, 1);
    times(pb, 100, 200);
    pb_fixed64(pb, 4, 10);
    pb_double(pb, 5, 55);
    for (int i = 1; i <= 2; i++) {
        pb_begin(pb, 6);
        pb_double(pb, 1, i / 4.0);
        pb_double(pb, 2, i * 10);
        pb_end(pb);
    }
    pb_attribute(pb, 7, "k", pb_a_text("v"));
    pb_varint(pb, 8, 0);
    pb_end(pb);
    end_metric(pb);
}

const char *pb_sample_metrics(struct pb *pb)
{
    begin_block(pb);
    numbers(pb);
    distributions(pb);
    pb_begin(pb, 2); /* a metric without data */
    pb_text(pb, 1, "nothing");
    pb_end(pb);
    end_block(pb);
    unknown(pb);
    pb_begin(pb, 1); /* a block of nothing */
    pb_end(pb);
    return "resource service.name=\"claude-code\", n=int -3\n"
           "scope \"com.anthropic.claude_code\" \"2.1.0\" s=true\n"
           "metric \"claude_code.cost.usage\" \"USD\" sum delta monotonic\n"
           "number {model=\"claude-opus\", f=float 1.5} 100 200 float 0.25\n"
           "number {model=\"claude-opus\", f=float 1.5} 200 300 int -5\n"
           "metric \"c\" \"\" sum cumulative\n"
           "number {} 0 9223372036854775807 float 1.0000000000000001e+300\n"
           "metric \"g\" \"1\" gauge\n"
           "number {\"\"=\"\", none=null} 0 200 int 0\n"
           "metric \"h\" \"s\" histogram cumulative\n"
           "histogram {k=\"v\"} 100 200 count 6 sum 12.5 bounds 0.5 1 counts 1 2 3\n"
           "histogram {} 200 300 count 2 bounds counts\n"
           "reject EXPONENTIAL 3\n"
           "metric \"q\" \"s\" summary\n"
           "summary {k=\"v\"} 100 200 count 10 sum 55 0.25:10 0.5:20\n"
           "reject METRIC 1\n"
           "pause\n"
           "resource\n"
           "pause\n";
}

/* A list { "a", 1, { "b": true, "c": bytes }, null }. */
static void a_list(struct pb *pb, uint32_t field)
{
    pb_begin(pb, field);
    pb_begin(pb, 5);
    pb_any(pb, 1, pb_a_text("a"));
    pb_any(pb, 1, pb_an_int(1));
    pb_begin(pb, 1);
    pb_begin(pb, 6);
    pb_attribute(pb, 1, "b", pb_a_bool(1));
    pb_begin(pb, 1);
    pb_text(pb, 1, "c");
    pb_begin(pb, 2);
    pb_bytes(pb, 7, "\0\1\2", 3);
    pb_end(pb);
    pb_end(pb);
    pb_end(pb);
    pb_end(pb);
    pb_any(pb, 1, (struct varve_value){.type = VARVE_NULL});
    pb_end(pb);
    pb_end(pb);
}

static void list_attribute(struct pb *pb, uint32_t field, const char *key)
{
    pb_begin(pb, field);
    pb_text(pb, 1, key);
    a_list(pb, 2);
    pb_end(pb);
}

const char *pb_sample_logs(struct pb *pb)
{
    begin_block(pb);
    pb_begin(pb, 2);
    pb_fixed64(pb, 1, 1000);
    pb_varint(pb, 2, 9);
    pb_text(pb, 3, "INFO");
    pb_any(pb, 5, pb_a_text("claude_code.api_request"));
    pb_attribute(pb, 6, "event.name", pb_a_text("api_request"));
    pb_attribute(pb, 6, "event.sequence", pb_an_int(7));
    list_attribute(pb, 6, "l");
    pb_attribute(pb, 6, "ok", pb_a_bool(0));
    list_attribute(pb, 6, "l2");
    pb_varint(pb, 7, 0);
    pb_fixed32(pb, 8, 1);
    pb_bytes(pb, 9, "\x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89\xab\xcd\xef", 16);
    pb_bytes(pb, 10, "\xfe\xdc\xba\x98\x76\x54\x32\x10", 8);
    pb_fixed64(pb, 11, 1001);
    pb_text(pb, 12, "name");
    unknown(pb);
    pb_end(pb);
    pb_begin(pb, 2); /* a list as a body; ids that are none */
    a_list(pb, 5);
    pb_bytes(pb, 9, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
    pb_bytes(pb, 10, "short", 5);
    pb_end(pb);
    pb_begin(pb, 2); /* bytes as a body */
    pb_begin(pb, 5);
    pb_bytes(pb, 7, "hello", 5);
    pb_end(pb);
    pb_end(pb);
    pb_begin(pb, 2); /* nothing at all */
    pb_end(pb);
    end_block(pb);
    return "resource service.name=\"claude-code\", n=int -3\n"
           "scope \"com.anthropic.claude_code\" \"2.1.0\" s=true\n"
           "event 1000 1001 name \"name\" body \"claude_code.api_request\" severity \"INFO\" 9"
           " trace \"0123456789abcdef0123456789abcdef\" span \"fedcba9876543210\""
           " {event.name=\"api_request\", event.sequence=int 7,"
           " l=\"[\\\"a\\\",1,{\\\"b\\\":true,\\\"c\\\":\\\"AAEC\\\"},null]\", ok=false,"
           " l2=\"[\\\"a\\\",1,{\\\"b\\\":true,\\\"c\\\":\\\"AAEC\\\"},null]\"}\n"
           "event 0 0 body \"[\\\"a\\\",1,{\\\"b\\\":true,\\\"c\\\":\\\"AAEC\\\"},null]\" 0 {}\n"
           "event 0 0 body \"aGVsbG8=\" 0 {}\n"
           "event 0 0 body null 0 {}\n"
           "pause\n";
}

const char *pb_sample_traces(struct pb *pb)
{
    begin_block(pb);
    pb_begin(pb, 2);
    pb_bytes(pb, 1, "\x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89\xab\xcd\xef", 16);
    pb_bytes(pb, 2, "\xfe\xdc\xba\x98\x76\x54\x32\x10", 8);
    pb_text(pb, 3, "trace=state");
    pb_bytes(pb, 4, "\1\2\3\4\5\6\7\10", 8);
    pb_fixed32(pb, 16, 257);
    pb_text(pb, 5, "claude_code.tool");
    pb_varint(pb, 6, 1);
    pb_fixed64(pb, 7, 10);
    pb_fixed64(pb, 8, 20);
    pb_attribute(pb, 9, "tool_name", pb_a_text("Bash"));
    pb_varint(pb, 10, 0);
    for (int i = 0; i < 2; i++) {
        pb_begin(pb, 11);
        pb_fixed64(pb, 1, 15);
        pb_text(pb, 2, "tool.output");
        pb_attribute(pb, 3, "i", pb_an_int(i));
        pb_varint(pb, 4, 0);
        unknown(pb);
        pb_end(pb);
    }
    pb_varint(pb, 12, 0);
    pb_begin(pb, 13);
    pb_bytes(pb, 1, "a link", 6);
    pb_end(pb);
    pb_varint(pb, 14, 0);
    pb_begin(pb, 15);
    pb_text(pb, 2, "it failed");
    pb_varint(pb, 3, 2);
    pb_end(pb);
    unknown(pb);
    pb_end(pb);
    pb_begin(pb, 2);
    pb_text(pb, 5, "bare");
    pb_fixed64(pb, 7, 10);
    pb_end(pb);
    end_block(pb);
    return "resource service.name=\"claude-code\", n=int -3\n"
           "scope \"com.anthropic.claude_code\" \"2.1.0\" s=true\n"
           "span 10 20 name \"claude_code.tool\" trace \"0123456789abcdef0123456789abcdef\""
           " span \"fedcba9876543210\" parent \"0102030405060708\" kind 1 status 2"
           " message \"it failed\" {tool_name=\"Bash\"}\n"
           "span event 15 name \"tool.output\" {i=int 0}\n"
           "span event 15 name \"tool.output\" {i=int 1}\n"
           "span 10 0 name \"bare\" kind 0 status 0 {}\n"
           "pause\n";
}
