/* SPDX-License-Identifier: Apache-2.0
 *
 * test_wire.c -- the scan of a body: what it lets pass, what it refuses and where.
 *
 * The reader of varints and fields is tried at its edges; bodies with one thing
 * wrong at each level of the tree must be refused; the signal must be told from the
 * few fields that a body may have.
 */
#include "../base/unit.h"

#include <string.h>
#include "ingest/wire.h"
#include "pb_make.h"

#define BYTES(...) (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})

static enum wire_next first(const uint8_t *bytes, size_t size, struct wire_field *field)
{
    struct wire wire = wire_over(bytes, size);
    return wire_next(&wire, field);
}

static void reads_fields(void **state)
{
    (void)state;
    struct wire_field f;
    assert_int_equal(first(NULL, 0, &f), WIRE_END);
    assert_int_equal(first(BYTES(0x08, 0x96, 0x01), &f), WIRE_FIELD);
    assert_int_equal(f.number, 1);
    assert_int_equal(f.type, WIRE_VARINT);
    assert_int_equal(f.value, 150);
    assert_int_equal(first(BYTES(0x12, 2, 'h', 'i'), &f), WIRE_FIELD);
    assert_int_equal(f.number, 2);
    assert_int_equal(f.size, 2);
    assert_memory_equal(f.data, "hi", 2);
    assert_int_equal(first(BYTES(0x19, 1, 0, 0, 0, 0, 0, 0, 0x80), &f), WIRE_FIELD);
    assert_true(load64(f.data) == UINT64_C(0x8000000000000001));
    assert_int_equal(first(BYTES(0x25, 1, 2, 3, 4), &f), WIRE_FIELD);
    assert_int_equal(f.size, 4);
    /* The largest number of a field and the largest varint. */
    assert_int_equal(first(BYTES(0xf8, 0xff, 0xff, 0xff, 0x0f, 0), &f), WIRE_FIELD);
    assert_int_equal(f.number, (1 << 29) - 1);
    assert_int_equal(
        first(BYTES(0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1), &f),
        WIRE_FIELD);
    assert_true(f.value == UINT64_MAX);
}

static void refuses_fields(void **state)
{
    (void)state;
    struct wire_field f;
    static const struct {
        const char *what;
        uint8_t bytes[16];
        size_t size;
    } cases[] = {
        {"field 0", {0x00, 0}, 2},
        {"a tag that is cut off", {0x88}, 1},
        {"a tag over 29 bits", {0xf8, 0xff, 0xff, 0xff, 0x1f, 0}, 6},
        {"a tag of six bytes", {0x88, 0x80, 0x80, 0x80, 0x80, 0x00, 0}, 7},
        {"a varint that is cut off", {0x08, 0x96}, 2},
        {"no varint", {0x08}, 1},
        {"a varint over 64 bits",
         {0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2},
         11},
        {"a varint of eleven bytes",
         {0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0},
         12},
        {"a length beyond the end", {0x12, 3, 'h', 'i'}, 4},
        {"a length of 1 GiB", {0x12, 0x80, 0x80, 0x80, 0x80, 0x04}, 6},
        {"a negative length", {0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}, 11},
        {"a length of six bytes", {0x12, 0x80, 0x80, 0x80, 0x80, 0x80, 0}, 7},
        {"eight bytes that are seven", {0x19, 1, 2, 3, 4, 5, 6, 7}, 8},
        {"four bytes that are three", {0x25, 1, 2, 3}, 4},
        {"the begin of a group", {0x0b, 0x0c}, 2},
        {"the end of a group", {0x0c}, 1},
        {"wire type 6", {0x0e, 0}, 2},
        {"wire type 7", {0x0f, 0}, 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (first(cases[i].bytes, cases[i].size, &f) != WIRE_MALFORMED)
            fail_msg("%s was read", cases[i].what);
    }
}

/* Every tag and varint of up to three bytes is read back. */
static void reads_what_was_written(void **state)
{
    (void)state;
    struct pb pb = {0};
    for (uint64_t v = 0; v < 1u << 21; v += 61) {
        struct wire_field f;
        pb_clear(&pb);
        pb_varint(&pb, (uint32_t)(v % 3000) + 1, v << (v % 43));
        assert_int_equal(first(pb.data, pb.size, &f), WIRE_FIELD);
        assert_true(f.value == v << (v % 43) && f.number == v % 3000 + 1);
        assert_int_equal(first(pb.data, pb.size - 1, &f), WIRE_MALFORMED);
    }
    pb_free(&pb);
}

/* ---- the tree ---- */

/* Down to a leaf: the fields are those on the way. */
static void down(struct pb *pb, const char *path)
{
    for (; *path; path++)
        pb_begin(pb, *path <= '9' ? (uint32_t)(*path - '0') : (uint32_t)(*path - 'a' + 10));
}

static void up(struct pb *pb)
{
    while (pb->depth > 0)
        pb_end(pb);
}

static enum varve_status scan(const struct pb *pb, enum wire_signal signal, struct varve_err *err)
{
    return wire_scan(pb->data, pb->size, signal, err);
}

/* The way to each kind of message. */
static const struct {
    enum wire_signal signal;
    const char *path;
    unsigned number, right; /* a field it has, and the wire type that it has */
} kinds[] = {
    {WIRE_METRICS, "", 1, 2},      {WIRE_METRICS, "1", 2, 2},      {WIRE_METRICS, "11", 1, 2},
    {WIRE_METRICS, "12", 1, 2},    {WIRE_METRICS, "121", 4, 0},    {WIRE_METRICS, "122", 1, 2},
    {WIRE_METRICS, "1225", 1, 2},  {WIRE_METRICS, "1227", 2, 0},   {WIRE_METRICS, "1229", 2, 0},
    {WIRE_METRICS, "122a", 2, 0},  {WIRE_METRICS, "122b", 1, 2},   {WIRE_METRICS, "12291", 5, 1},
    {WIRE_METRICS, "122b1", 5, 1}, {WIRE_METRICS, "122b16", 1, 1}, {WIRE_LOGS, "1", 1, 2},
    {WIRE_LOGS, "12", 2, 2},       {WIRE_LOGS, "122", 1, 1},       {WIRE_LOGS, "122", 8, 5},
    {WIRE_LOGS, "122", 5, 2},      {WIRE_TRACES, "122", 7, 1},     {WIRE_TRACES, "122", 16, 5},
    {WIRE_TRACES, "122b", 1, 1},   {WIRE_TRACES, "122f", 3, 0},    {WIRE_TRACES, "122", 13, 2},
};

static void put_field(struct pb *pb, unsigned number, unsigned type)
{
    static const uint8_t zeros[8];
    static const size_t sizes[] = {1, 8, 1, 0, 0, 4};
    pb_tag(pb, number, type);
    pb_raw(pb, zeros, sizes[type]);
}

static void knows_the_tree(void **state)
{
    (void)state;
    static const unsigned types[] = {0, 1, 2, 5};
    struct pb pb = {0};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
            struct varve_err err = {0};
            pb_clear(&pb);
            down(&pb, kinds[k].path);
            put_field(&pb, 1000, types[t]); /* unknown: passed over, whatever it is */
            put_field(&pb, kinds[k].number, types[t]);
            up(&pb);
            enum varve_status status = scan(&pb, kinds[k].signal, &err);
            if (status != (types[t] == kinds[k].right ? VARVE_OK : VARVE_INVALID))
                fail_msg("%s: field %u, wire type %u: %d %s", kinds[k].path, kinds[k].number,
                         types[t], status, err.message);
        }
    }
    pb_free(&pb);
}

/* Something broken at the end of each kind of message. */
static void refuses_at_every_level(void **state)
{
    (void)state;
    static const char *const broken[] = {"\x0b", "\x88", "\x08\x80", "\x12\x05z", "\x01", "\xfe"};
    struct pb pb = {0};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        for (size_t b = 0; b < sizeof broken / sizeof *broken; b++) {
            struct varve_err err = {0};
            pb_clear(&pb);
            down(&pb, kinds[k].path);
            pb_raw(&pb, broken[b], strlen(broken[b]));
            up(&pb);
            assert_int_equal(scan(&pb, kinds[k].signal, &err), VARVE_INVALID);
            assert_non_null(strstr(err.message, "byte "));
        }
    }
    pb_free(&pb);
}

static void packed_numbers(void **state)
{
    (void)state;
    struct pb pb = {0};
    for (size_t size = 0; size < 20; size++) {
        static const uint8_t zeros[20];
        pb_clear(&pb);
        down(&pb, "12291");
        pb_fixed64(&pb, 6, 3);
        pb_bytes(&pb, 6, zeros, size);
        pb_bytes(&pb, 7, zeros, 8);
        up(&pb);
        assert_int_equal(scan(&pb, WIRE_METRICS, NULL), size % 8 ? VARVE_INVALID : VARVE_OK);
    }
    pb_free(&pb);
}

/* What is in points that are numbers, attributes, bodies and unknown fields is not looked at. */
static void does_not_look_into_values(void **state)
{
    (void)state;
    struct pb pb = {0};
    down(&pb, "122");
    pb_text(&pb, 6, "\x0b\x88 no protobuf");
    pb_text(&pb, 5, "\xff\xff");
    pb_text(&pb, 99, "\xff\xff");
    up(&pb);
    assert_int_equal(scan(&pb, WIRE_LOGS, NULL), VARVE_OK);
    pb_clear(&pb);
    down(&pb, "1227");
    pb_text(&pb, 1, "\x0b\x88 no protobuf");
    up(&pb);
    assert_int_equal(scan(&pb, WIRE_METRICS, NULL), VARVE_OK);
    pb_free(&pb);
}

/* ---- limits ---- */

static enum varve_status with_empty(const char *path, uint32_t field, size_t count)
{
    struct pb pb = {0};
    down(&pb, path);
    for (size_t i = 0; i < count; i++)
        pb_bytes(&pb, field, "", 0);
    up(&pb);
    enum varve_status status = scan(&pb, WIRE_METRICS, NULL);
    pb_free(&pb);
    return status;
}

static void counts(void **state)
{
    (void)state;
    assert_int_equal(with_empty("", 1, LIMIT_MESSAGES), VARVE_OK);
    assert_int_equal(with_empty("", 1, LIMIT_MESSAGES + 1), VARVE_LIMIT);
    assert_int_equal(with_empty("1225", 1, LIMIT_MESSAGES - 4), VARVE_OK);
    assert_int_equal(with_empty("1225", 1, LIMIT_MESSAGES - 3), VARVE_LIMIT);
    assert_int_equal(with_empty("122a", 1, LIMIT_MESSAGES - 3), VARVE_LIMIT);
    assert_int_equal(with_empty("122b1", 6, LIMIT_MESSAGES - 4), VARVE_LIMIT);
    /* 4096 attributes pass here: the record is rejected, not the body. */
    assert_int_equal(with_empty("12291", 9, 4096), VARVE_OK);
    assert_int_equal(with_empty("12291", 9, 4097), VARVE_LIMIT);
    assert_int_equal(with_empty("11", 1, 4097), VARVE_LIMIT);
}

static void large_body(void **state)
{
    (void)state;
    struct varve_err err;
    uint8_t byte = 0;
    assert_int_equal(wire_scan(&byte, LIMIT_BODY + (size_t)1, WIRE_LOGS, &err), VARVE_LIMIT);
    assert_int_equal(wire_scan(NULL, 0, WIRE_LOGS, &err), VARVE_OK);
    assert_int_equal(wire_scan(NULL, 0, WIRE_NEITHER, &err), VARVE_INVALID);
}

/* ---- which signal ---- */

static enum wire_signal guess(void (*leaf)(struct pb *))
{
    struct pb pb = {0};
    /* A block without leaves before. */
    pb_begin(&pb, 1);
    pb_begin(&pb, 1);
    pb_end(&pb);
    pb_end(&pb);
    down(&pb, "12");
    pb_begin(&pb, 1);
    pb_text(&pb, 1, "scope");
    pb_end(&pb);
    pb_begin(&pb, 2);
    leaf(&pb);
    up(&pb);
    enum wire_signal signal = wire_guess(pb.data, pb.size);
    pb_free(&pb);
    return signal;
}

static void a_metric(struct pb *pb)
{
    pb_text(pb, 1, "claude_code.cost.usage");
    pb_text(pb, 2, "what it costs");
    pb_text(pb, 3, "USD");
    pb_begin(pb, 7);
    pb_varint(pb, 2, 1);
    pb_end(pb);
}

static void a_gauge(struct pb *pb)
{
    pb_text(pb, 1, "g");
    pb_bytes(pb, 5, "", 0);
}

static void a_log(struct pb *pb)
{
    pb_fixed64(pb, 1, 5);
    pb_any(pb, 5, pb_a_text("x"));
}

static void a_log_without_times(struct pb *pb)
{
    pb_any(pb, 5, pb_a_text("x"));
    pb_attribute(pb, 6, "k", pb_a_text("v"));
}

static void a_span(struct pb *pb)
{
    pb_bytes(pb, 1, "0123456789abcdef", 16);
    pb_bytes(pb, 2, "01234567", 8);
    pb_text(pb, 5, "claude_code.tool");
    pb_fixed64(pb, 7, 1);
    pb_fixed64(pb, 8, 2);
}

static void an_observed_log(struct pb *pb)
{
    pb_fixed64(pb, 11, 5);
}

static void an_empty_leaf(struct pb *pb)
{
    (void)pb;
}

static void a_mixture(struct pb *pb)
{
    a_log(pb);
    a_span(pb);
}

static void tells_signals_apart(void **state)
{
    (void)state;
    assert_int_equal(guess(a_metric), WIRE_METRICS);
    assert_int_equal(guess(a_gauge), WIRE_METRICS);
    assert_int_equal(guess(a_log), WIRE_LOGS);
    assert_int_equal(guess(a_log_without_times), WIRE_LOGS);
    assert_int_equal(guess(an_observed_log), WIRE_LOGS);
    assert_int_equal(guess(a_span), WIRE_TRACES);
    assert_int_equal(guess(an_empty_leaf), WIRE_METRICS);
    assert_int_equal(guess(a_mixture), WIRE_NEITHER);
    assert_int_equal(wire_guess(NULL, 0), WIRE_METRICS);
    assert_int_equal(wire_guess(BYTES(0x0b, 0x0b)), WIRE_METRICS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_fields),
        cmocka_unit_test(refuses_fields),
        cmocka_unit_test(reads_what_was_written),
        cmocka_unit_test(knows_the_tree),
        cmocka_unit_test(refuses_at_every_level),
        cmocka_unit_test(packed_numbers),
        cmocka_unit_test(does_not_look_into_values),
        cmocka_unit_test(counts),
        cmocka_unit_test(large_body),
        cmocka_unit_test(tells_signals_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
