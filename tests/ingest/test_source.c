/* SPDX-License-Identifier: Apache-2.0
 *
 * test_source.c -- streams cut into bodies and lines, the same however they arrive.
 */
#include <stdlib.h>

#include "../base/unit.h"
#include "../faults/alloc_fault.h"
#include "base/err.h"
#include "feed.h"
#include "ingest/limits.h"
#include "ingest/source.h"

#define TEXT(literal) (literal), sizeof(literal) - 1

enum how { BARE = FRAME_BARE, VARINT = FRAME_VARINT, BE32 = FRAME_BE32, JSON, LINES };

static enum varve_status
next(struct source *source, enum how how, struct varve_str *body, struct varve_err *err)
{
    if (how == JSON)
        return source_json(source, body, err);
    if (how == LINES)
        return source_line(source, body, err);
    return source_body(source, (enum source_framing)how, body, err);
}

/* All that comes out, as text: "<body>" for each, "!" for what is refused. */
static void cut(enum how how, const void *bytes, size_t size, size_t piece, char *out, size_t room)
{
    struct mem mem;
    struct source source;
    struct feed feed = feed_over(bytes, size, piece);
    size_t used = 0;
    mem_init(&mem, NULL, 0);
    source_init(&source, &mem, feed_read, &feed);
    for (unsigned turns = 0;; turns++) {
        struct varve_str body;
        const enum varve_status status = next(&source, how, &body, NULL);
        assert_true(turns < 1000);
        if (status == VARVE_DONE)
            break;
        if (status == VARVE_OK) {
            assert_true(used + body.size + 3 < room);
            out[used++] = '<';
            memcpy(out + used, body.data, body.size);
            used += body.size;
            out[used++] = '>';
        } else {
            assert_true(status == VARVE_INVALID || status == VARVE_LIMIT);
            assert_true(used + 2 < room);
            out[used++] = '!';
        }
    }
    out[used] = '\0';
    assert_int_equal(source.bytes, size);
    source_free(&source);
    assert_int_equal(mem.used, 0);
}

static void check(enum how how, const void *bytes, size_t size, const char *wanted)
{
    static const size_t pieces[] = {0, 1, 2, 3, 7};
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        char out[4096];
        cut(how, bytes, size, pieces[i], out, sizeof out);
        assert_string_equal(out, wanted);
    }
}

/* ---- lines and JSON ------------------------------------------------------- */

static void test_lines(void **state)
{
    (void)state;
    check(LINES, TEXT(""), "");
    check(LINES, TEXT("\n"), "<>");
    check(LINES, TEXT("a\nb"), "<a><b>");
    check(LINES, TEXT("a\r\n\r\nb\r\n"), "<a><><b>");
}

static void test_json(void **state)
{
    (void)state;
    check(JSON, TEXT(""), "");
    check(JSON, TEXT(" \n\t\r\n"), "");
    check(JSON, TEXT("{}"), "<{}>");
    check(JSON, TEXT("\xef\xbb\xbf{}\n"), "<{}>");
    check(JSON, TEXT("{\"a\":1}\n{\"b\":2}\n"), "<{\"a\":1}><{\"b\":2}>");
    check(JSON, TEXT("{\"a\":1} {\"b\":2}{}\n[3]"), "<{\"a\":1}><{\"b\":2}><{}><[3]>");
    check(JSON, TEXT("{\"a\":1}{}"), "<{\"a\":1}><{}>");
    check(JSON, TEXT("{\n \"a\": [\n  1\n ]\n}\n\n{\n}\n"), "<{\n \"a\": [\n  1\n ]\n}><{\n}>");
    check(JSON, TEXT("{\"a\":[{}\n]}\n{}"), "<{\"a\":[{}\n]}><{}>");
    check(JSON, TEXT("[\n{\"a\":1},\n{\"b\":2}\n]\n"), "<[\n{\"a\":1},\n{\"b\":2}\n]>");
    check(JSON, TEXT("{\"a\":\"}{\\\"}{\"}\n{}"), "<{\"a\":\"}{\\\"}{\"}><{}>");
    check(JSON, TEXT("{\"a\":\"\\\\\"}{}"), "<{\"a\":\"\\\\\"}><{}>");
}

static void test_broken_json(void **state)
{
    (void)state;
    check(JSON, TEXT("x\n{}"), "!<{}>");
    check(JSON, TEXT("{} x {}\n{}"), "<{}>!<{}>");
    check(JSON, TEXT("{\"a\":\"b\n{\"c\":1}\n"), "!<{\"c\":1}>");
    check(JSON, TEXT("{\"a\":[1,\n{\"c\":1}\n{\"d\":\n{\"e\":2}\n"), "!<{\"c\":1}>!<{\"e\":2}>");
    check(JSON, TEXT("{\"a\":[{\"b\":1}\n{\"c\":1}"), "<{\"a\":[{\"b\":1}><{\"c\":1}>");
    check(JSON, TEXT("{\"a\":"), "!");
    check(JSON, TEXT("{\"a"), "!");
    check(JSON, TEXT("{\"a\\"), "!");
    check(JSON, TEXT("{\n[\n{"), "!!");
    check(JSON, TEXT("{}\n\0\0\0"), "<{}>!");
    check(JSON, TEXT("}"), "!");
}

/* ---- protobuf ------------------------------------------------------------- */

/* A block: field 1 with a resource that is n bytes of attributes. */
static void test_framings(void **state)
{
    (void)state;
    check(BARE, TEXT(""), "");
    check(BARE, TEXT("\x0a\x02\x0a\x00"), "<\x0a\x02\x0a");
    check(VARINT,
          TEXT("\x03"
               "abc\x00"
               "\x01z"),
          "<abc><><z>");
    check(BE32,
          TEXT("\0\0\0\x03"
               "abc\0\0\0\0\0\0\0\x01z"),
          "<abc><><z>");
}

static void test_truncated_frames(void **state)
{
    (void)state;
    check(VARINT, TEXT("\x01z\x05zz"), "<z>!");
    check(VARINT, TEXT("\x01z\x85"), "<z>!");
    check(BE32, TEXT("\0\0\0\x01z\0\0"), "<z>!");
    check(BE32, TEXT("\0\0\0\x01z\0\0\0\x02z"), "<z>!");
    check(BE32, TEXT("\0\0\0\x01z\x40\0\0\0zzzz"), "<z>!!");
    check(VARINT, TEXT("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), "!");
    check(BARE, TEXT("\x0a\x01zz"), "<\x0a\x01z>!");
    check(BARE, TEXT("\x0a\x01z\x0a\x09z"), "<\x0a\x01z>!");
    check(BARE, TEXT("\x0a\x01z\x07z"), "<\x0a\x01z>!");
    check(BARE, TEXT("\x0a\x01z\x10\x05\x25zzzz\x19zzzzzzzz"),
          "<\x0a\x01z\x10\x05\x25zzzz\x19zzzzzzzz>");
}

/* A length that promises much costs what arrives of it. */
static void test_promises(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
        enum source_framing framing;
        enum varve_status status;
    } cases[] = {
        {TEXT("\x40\0\0\0zz"), FRAME_BE32, VARVE_LIMIT},
        {TEXT("\x80\x80\x80\x80\x04zz"), FRAME_VARINT, VARVE_LIMIT},
        {TEXT("\x0a\x80\x80\x80\x80\x04zz"), FRAME_BARE, VARVE_LIMIT},
        {TEXT("\x03\xff\xff\xff zz"), FRAME_BE32, VARVE_INVALID},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mem mem;
        struct source source;
        struct varve_str body;
        struct varve_err err = {0};
        struct feed feed = feed_over(cases[i].bytes, cases[i].size, 0);
        mem_init(&mem, NULL, 0);
        source_init(&source, &mem, feed_read, &feed);
        assert_int_equal(source_body(&source, cases[i].framing, &body, &err), cases[i].status);
        assert_int_equal(err.status, cases[i].status);
        assert_true(mem.peak < 1 << 20);
        source_free(&source);
    }
}

/* A stream of `blocks` blocks of `size` bytes each. */
struct blocks {
    size_t size, left, at;
};

static ptrdiff_t read_blocks(void *context, void *buffer, size_t room)
{
    struct blocks *blocks = context;
    size_t n = 0;
    uint8_t *out = buffer;
    const size_t inside = blocks->size - 5;
    for (; n < room && blocks->left > 0; n++) {
        const uint8_t head[5] = {0x0a, (uint8_t)(inside | 0x80), (uint8_t)(inside >> 7 | 0x80),
                                 (uint8_t)(inside >> 14 | 0x80), (uint8_t)(inside >> 21)};
        out[n] = blocks->at < 5 ? head[blocks->at] : 'x';
        if (++blocks->at == blocks->size) {
            blocks->at = 0;
            blocks->left--;
        }
    }
    return (ptrdiff_t)n;
}

static void test_bare_streams_are_cut(void **state)
{
    static const struct {
        size_t size, count, bodies;
    } cases[] = {{1000, 20000, 5}, {3 << 20, 6, 6}, {6 << 20, 3, 3}, {(4 << 20) + 1, 2, 2}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mem mem;
        struct source source;
        struct varve_str body;
        struct blocks blocks = {cases[i].size, cases[i].count, 0};
        enum varve_status status;
        size_t bodies = 0, bytes = 0;
        mem_init(&mem, NULL, 0);
        source_init(&source, &mem, read_blocks, &blocks);
        for (; (status = source_body(&source, FRAME_BARE, &body, NULL)) == VARVE_OK; bodies++) {
            assert_int_equal(body.size % cases[i].size, 0);
            bytes += body.size;
        }
        assert_int_equal(status, VARVE_DONE);
        assert_int_equal(bytes, cases[i].size * cases[i].count);
        assert_int_equal(bodies, cases[i].bodies);
        assert_true(mem.peak <= 24 << 20);
        source_free(&source);
    }
}

static void test_framing_is_told(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
        enum source_framing framing;
    } cases[] = {
        {TEXT(""), FRAME_BARE},
        {TEXT("\x0a\x00"), FRAME_BARE},
        {TEXT("\x0a\x0a\x0a\x02\x0a\x00\x12\x04\x12\x02\x0a\x00"), FRAME_BARE},
        {TEXT("\x0a\x0a\x08\x0a\x02\x0a\x00\x12\x02\x12\x00"), FRAME_VARINT},
        {TEXT("\x04\x0a\x02\x0a\x00\x04\x0a\x02\x0a\x00"), FRAME_VARINT},
        {TEXT("\0\0\0\x04\x0a\x02\x0a\x00"), FRAME_BE32},
        {TEXT("\0\0\0\x04\x0a\x02\x0a\x00\0\0\0\x04\x0a\x02\x0a\x00"), FRAME_BE32},
        {TEXT("no protobuf"), FRAME_BARE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mem mem;
        struct source source;
        enum source_framing framing;
        struct feed feed = feed_over(cases[i].bytes, cases[i].size, 1);
        mem_init(&mem, NULL, 0);
        source_init(&source, &mem, feed_read, &feed);
        assert_int_equal(source_framing(&source, &framing, NULL), VARVE_OK);
        if (framing != cases[i].framing)
            fail_msg("case %zu: framing %d", i, framing);
        assert_int_equal(source_left(&source), cases[i].size);
        source_free(&source);
    }
}

/* The length of a body that is longer than what is looked at, as a varint of three bytes and of
 * four, and in four bytes. */
static void test_framing_of_long_bodies(void **state)
{
    static const struct {
        const char *header;
        size_t header_size, size;
        enum source_framing framing;
    } cases[] = {
        {TEXT(""), 3 << 20, FRAME_BARE},
        {TEXT("\x80\x80\x08"), 1 << 17, FRAME_VARINT},
        {TEXT("\x80\x80\xc0\x01"), 3 << 20, FRAME_VARINT},
        {TEXT("\x80\x80\x80\x20"), 64 << 20, FRAME_VARINT},
        {TEXT("\x00\x02\x00\x00"), 1 << 17, FRAME_BE32},
        {TEXT("\x00\x30\x00\x00"), 3 << 20, FRAME_BE32},
        {TEXT("\x04\x00\x00\x00"), 64 << 20, FRAME_BE32},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const size_t header = cases[i].header_size, size = header + cases[i].size;
        struct mem mem;
        struct source source;
        struct varve_str body;
        enum source_framing framing;
        char *bytes = malloc(size);
        assert_non_null(bytes);
        memcpy(bytes, cases[i].header, header);
        for (size_t at = header; at < size; at += 4)
            memcpy(bytes + at, "\x0a\x02\x0a\x00", 4);
        struct feed feed = feed_over(bytes, size, 1 << 16);
        mem_init(&mem, NULL, 0);
        source_init(&source, &mem, feed_read, &feed);
        assert_int_equal(source_framing(&source, &framing, NULL), VARVE_OK);
        if (framing != cases[i].framing)
            fail_msg("case %zu: framing %d", i, framing);
        assert_int_equal(source_body(&source, framing, &body, NULL), VARVE_OK);
        assert_true(framing == FRAME_BARE || body.size == cases[i].size);
        source_free(&source);
        free(bytes);
    }
}

/* ---- what is it? ----------------------------------------------------------- */

static void test_sniff(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
        enum varve_input input;
        const char *hint;
    } cases[] = {
        {TEXT("{\"resourceMetrics\":[]}"), VARVE_INPUT_OTLP_JSON, NULL},
        {TEXT("\n {\n  \"resourceSpans\" : [] }"), VARVE_INPUT_OTLP_JSON, NULL},
        {TEXT("{\"x\":{\"y\":[1,\"}\\\"\"]},\"resourceLogs\":["), VARVE_INPUT_OTLP_JSON, NULL},
        {TEXT("[{\"resourceLogs\":[]}]"), VARVE_INPUT_OTLP_JSON, NULL},
        {TEXT("{}"), VARVE_INPUT_OTLP_JSON, NULL},
        {TEXT("{\"totals\":{\"resourceMetrics\":1}}"), VARVE_INPUT_ANY, NULL},
        {TEXT("{\"type\":\"user\",\"message\":{}}\n{\"resourceMetrics\":[]}"), VARVE_INPUT_ANY,
         NULL},
        {TEXT("[1,2,3]"), VARVE_INPUT_ANY, NULL},
        {TEXT("{"), VARVE_INPUT_ANY, NULL},
        {TEXT("# HELP x y\nx 1\n"), VARVE_INPUT_PROMETHEUS, NULL},
        {TEXT("# TYPE x counter\n# UNIT x seconds\n"), VARVE_INPUT_OPENMETRICS, NULL},
        {TEXT("x_total{a=\"b\"} 1\n# EOF\n"), VARVE_INPUT_OPENMETRICS, NULL},
        {TEXT("\n\nx_total{a=\"b\"} 1"), VARVE_INPUT_PROMETHEUS, NULL},
        {TEXT("{\"a.b\",c=\"d\"} 1\n"), VARVE_INPUT_PROMETHEUS, NULL},
        {TEXT("{\"a.b\"} 1\n"), VARVE_INPUT_PROMETHEUS, NULL},
        {TEXT("# a comment\na,b,c\n1,2,3\n"), VARVE_INPUT_ANY, NULL},
        {TEXT("Hello, world\n"), VARVE_INPUT_ANY, NULL},
        {TEXT("\x0a\x02\x0a\x00"), VARVE_INPUT_OTLP, NULL},
        {TEXT("\x0a\x04\x12\x02\x12\x00"), VARVE_INPUT_OTLP, NULL},
        {TEXT("\x04\x0a\x02\x0a\x00"), VARVE_INPUT_OTLP, NULL},
        {TEXT("\0\0\0\x04\x0a\x02\x0a\x00"), VARVE_INPUT_OTLP, NULL},
        {TEXT("\0\0\0\0\0\0\0\0"), VARVE_INPUT_ANY, NULL},
        {TEXT("\x7f"
              "ELF\x02\x01\x01\0\0\0"),
         VARVE_INPUT_ANY, NULL},
        {TEXT("\x1f\x8b\x08\0\0\0"), VARVE_INPUT_ANY, "zcat"},
        {TEXT("\x28\xb5\x2f\xfd\0\0"), VARVE_INPUT_ANY, "zstdcat"},
        {TEXT("\xfd"
              "7zXZ\0\0"),
         VARVE_INPUT_ANY, "xzcat"},
        {TEXT("\xff\xfe{\0"), VARVE_INPUT_ANY, "iconv"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (size_t piece = 0; piece < 2; piece++) {
            struct mem mem;
            struct source source;
            enum varve_input input;
            const char *hint;
            struct feed feed = feed_over(cases[i].bytes, cases[i].size, piece);
            mem_init(&mem, NULL, 0);
            source_init(&source, &mem, feed_read, &feed);
            assert_int_equal(source_sniff(&source, &input, &hint, NULL), VARVE_OK);
            if (input != cases[i].input || !cases[i].hint != !hint ||
                (hint && !strstr(hint, cases[i].hint)))
                fail_msg("case %zu: input %d, hint %s", i, input, hint ? hint : "none");
            assert_int_equal(source_left(&source), cases[i].size);
            source_free(&source);
        }
    }
}

/* ---- size, time, failure ---------------------------------------------------- */

static char *repeat(char c, size_t size, size_t room)
{
    char *text = malloc(room);
    assert_non_null(text);
    memset(text, c, size);
    return text;
}

static void test_long_lines(void **state)
{
    struct mem mem;
    struct source source;
    struct varve_str line;
    const size_t size = LIMIT_LINE;
    char *text = repeat('x', size + 8, size + 16);
    (void)state;
    for (size_t over = 0; over < 2; over++) {
        memcpy(text + size + over, "\nend", 4);
        struct feed feed = feed_over(text, size + over + 4, 4093);
        mem_init(&mem, NULL, 0);
        source_init(&source, &mem, feed_read, &feed);
        assert_int_equal(source_line(&source, &line, NULL), over ? VARVE_LIMIT : VARVE_OK);
        assert_int_equal(source_line(&source, &line, NULL), VARVE_OK);
        assert_int_equal(line.size, 3);
        assert_int_equal(source_line(&source, &line, NULL), VARVE_DONE);
        source_free(&source);
        memcpy(text + size + over, "xxxx", 4);
    }
    free(text);
}

/* A value of almost LIMIT_BODY, in one line and over many, and one that is larger. */
static void test_large_values(void **state)
{
    const size_t size = LIMIT_BODY;
    char *text = repeat(' ', size + 64, size + 64);
    (void)state;
    for (int kind = 0; kind < 3; kind++) {
        struct mem mem;
        struct source source;
        struct varve_str body;
        struct feed feed = feed_over(text, size + 8, 64 << 10);
        const size_t end = kind == 2 ? size + 1 : size;
        memset(text, ' ', size);
        text[0] = '{';
        if (kind == 1)
            for (size_t i = 1; i < end; i += 100)
                text[i] = '\n';
        memset(text + end - 1, ' ', 12);
        memcpy(text + end - 1, "}\n{}", 4);
        mem_init(&mem, NULL, 0);
        source_init(&source, &mem, feed_read, &feed);
        assert_int_equal(source_json(&source, &body, NULL), kind == 2 ? VARVE_LIMIT : VARVE_OK);
        if (kind < 2)
            assert_int_equal(body.size, size);
        assert_int_equal(source_json(&source, &body, NULL), VARVE_OK);
        assert_int_equal(body.size, 2);
        assert_int_equal(source_json(&source, &body, NULL), VARVE_DONE);
        assert_true(mem.peak < (size_t)LIMIT_BODY * 2);
        source_free(&source);
    }
    free(text);
}

static ptrdiff_t read_too_much(void *context, void *buffer, size_t size)
{
    (void)context;
    (void)buffer;
    return (ptrdiff_t)size + 1;
}

static void test_failing_reads(void **state)
{
    static const struct {
        int sys;
        enum varve_status status;
    } cases[] = {{EIO, VARVE_IO}, {ECANCELED, VARVE_INTERRUPTED}};
    struct mem mem;
    struct source source;
    struct varve_str line;
    struct varve_err err;
    (void)state;
    mem_init(&mem, NULL, 0);
    for (size_t i = 0; i < 2; i++) {
        struct feed feed = feed_over(TEXT("abc\nd"), 0);
        feed.failure = cases[i].sys;
        source_init(&source, &mem, feed_read, &feed);
        assert_int_equal(source_line(&source, &line, &err), VARVE_OK);
        assert_int_equal(source_line(&source, &line, &err), cases[i].status);
        source_free(&source);
    }
    source_init(&source, &mem, read_too_much, NULL);
    assert_int_equal(source_line(&source, &line, &err), VARVE_MISUSE);
    source_free(&source);
}

static void test_no_memory(void **state)
{
    struct alloc_fault fault;
    const size_t size = 3 << 20;
    char *text = repeat(' ', size, size);
    (void)state;
    text[0] = '{';
    text[size - 1] = '}';
    alloc_fault_init(&fault);
    for (alloc_fault_start(&fault, ALLOC_FAULT_ONCE); alloc_fault_next(&fault);) {
        struct mem mem;
        struct source source;
        struct varve_str body;
        struct feed feed = feed_over(text, size, 0);
        mem_init(&mem, &fault.allocator, 0);
        source_init(&source, &mem, feed_read, &feed);
        enum varve_status status = source_json(&source, &body, NULL);
        assert_true(status == VARVE_OK || status == VARVE_NOMEM);
        if (status == VARVE_NOMEM) /* nothing is lost: try again */
            assert_int_equal(source_json(&source, &body, NULL), VARVE_OK);
        assert_int_equal(body.size, size);
        source_free(&source);
        assert_true(alloc_fault_is_clean(&fault));
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_broken_json),
        cmocka_unit_test(test_framings),
        cmocka_unit_test(test_truncated_frames),
        cmocka_unit_test(test_promises),
        cmocka_unit_test(test_bare_streams_are_cut),
        cmocka_unit_test(test_framing_is_told),
        cmocka_unit_test(test_framing_of_long_bodies),
        cmocka_unit_test(test_sniff),
        cmocka_unit_test(test_long_lines),
        cmocka_unit_test(test_large_values),
        cmocka_unit_test(test_failing_reads),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
