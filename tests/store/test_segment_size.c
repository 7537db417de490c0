/* SPDX-License-Identifier: Apache-2.0
 *
 * test_segment_size.c -- what metrics cost on disk, and the example of the manual.
 *
 * The sizes are limits to hold a change against: 100 developers with 8 sessions a day
 * and a journal entry of many sessions that say little each.
 */
#include "../base/unit.h"
#include "sample_day.h"
#include "store/segment.h"
#include "store/segment_format.h"

#include <ctype.h>
#include <string.h>

enum { SEED = 42, PLACE = 1000 };

static const char *const names[] = {
    "directory",  "META",      "WORDS",      "DICT",      "CODES",      "RUN_TIME",
    "TIME_CLASS", "TIME_ROWS", "TIME_FIRST", "TIME_SPAN", "TIME_START", "TIME_STEP",
    "TIME_GAP",   "SUM",       "INTS",       "FSUM_HI",   "FSUM_LO",    "FLOATS",
};

static void print_sections(const struct segment *segment)
{
    size_t sizes[18] = {segment->blob.size}, rows = segment->blob.head.rows;
    for (uint32_t i = 0; i < segment->blob.sections; i++) {
        sizes[segment->blob.entries[i].id] += segment->blob.entries[i].size;
        sizes[0] -= segment->blob.entries[i].size;
    }
    printf("# %zu rows in %u runs: %zu bytes, %.3f a row:", rows, segment->run_count,
           segment->blob.size, (double)segment->blob.size / (double)rows);
    for (int i = 0; i < 18; i++)
        if (sizes[i] > 0)
            printf(" %s %.3f", names[i], (double)sizes[i] / (double)rows);
    printf("\n");
}

/* Builds the day and answers its bytes a row. */
static double measure(const struct day_shape *shape)
{
    struct mem mem;
    struct rowset set;
    struct segment_builder builder;
    struct segment segment;
    struct arena arena;
    struct buf out;
    struct prng prng = {7};
    mem_init(&mem, NULL, 0);
    buf_init(&out, &mem, 1 << 28);
    arena_init(&arena, &mem, 4096);
    assert_int_equal(rowset_init(&set, &mem, SEED, NULL), VARVE_OK);
    assert_int_equal(segment_builder_init(&builder, &mem, NULL), VARVE_OK);
    sample_day(&set, &prng, shape);
    assert_int_equal(segment_build(&builder, &set, NULL, 0, PLACE, &out, NULL), VARVE_OK);
    assert_int_equal(
        segment_open(&segment, &arena, builder.texts, out.data, out.size, PLACE, "size", NULL),
        VARVE_OK);
    assert_int_equal(segment_verify(&segment, NULL), VARVE_OK);
    print_sections(&segment);
    double size = (double)out.size / (double)set.row_count;
    segment_builder_free(&builder);
    rowset_free(&set);
    arena_free(&arena);
    buf_free(&out);
    assert_int_equal(mem.used, 0);
    return size;
}

static void test_sizes(void **state)
{
    (void)state;
    const int64_t minute = INT64_C(60000000000), hour = 60 * minute;
    assert_true(measure(&(struct day_shape){100, 8, 20, 20 * hour}) < 2.9);
    assert_true(measure(&(struct day_shape){10, 1, 1, minute}) < 28);
    assert_true(measure(&(struct day_shape){100, 8, 1, minute}) < 8);
    assert_true(measure(&(struct day_shape){20, 8, 5, minute}) < 5);
}

/* ---- the example of docs/format-segments.md ---- */

/* The bytes of indented lines in the last chapter: what stands before the bar. */
static size_t read_example(uint8_t *bytes, size_t room)
{
    char path[1024], line[256];
    const char *root = getenv("VARVE_SRC");
    size_t size = 0;
    snprintf(path, sizeof path, "%s/docs/format-segments.md", root ? root : ".");
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        if (strncmp(line, "## ", 3) == 0)
            size = 0;
        if (strncmp(line, "    ", 4) != 0 || !strchr(line, '|'))
            continue;
        for (const char *p = line + 4; isxdigit((unsigned char)p[0]) && size < room; p += 3) {
            unsigned byte;
            assert_int_equal(sscanf(p, "%2x", &byte), 1);
            bytes[size++] = (uint8_t)byte;
        }
    }
    fclose(file);
    return size;
}

static uint32_t example_series(struct rowset *set, const char *user, uint32_t metric)
{
    uint32_t id, series;
    struct varve_label label[] = {{STR("user"), {user, strlen(user)}}, {STR("org"), STR("x")}};
    assert_int_equal(rowset_labels(set, 0, label, 2, &id, NULL), VARVE_OK);
    assert_int_equal(rowset_series(set, metric, id, &series, NULL), VARVE_OK);
    return series;
}

static void example_rows(struct rowset *set)
{
    const int64_t day = INT64_C(1791417600000000000), second = 1000000000;
    uint32_t metric;
    assert_int_equal(rowset_metric(set, STR("tokens"), STR("n"), 1, 0, &metric, NULL), VARVE_OK);
    const struct row rows[] = {
        {example_series(set, "ann", metric), ROW_DELTA, 0, 0, day, day + 60 * second, 100},
        {example_series(set, "ann", metric), ROW_DELTA, 0, 0, day + 60 * second, day + 121 * second,
         40},
        {example_series(set, "bob", metric), ROW_DELTA, 0, 0, day, day + 60 * second, 7},
        {example_series(set, "bob", metric), ROW_DELTA, 0, 0, day + 60 * second, day + 121 * second,
         9},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(rowset_row(set, &rows[i], NULL), VARVE_OK);
}

static void test_example(void **state)
{
    (void)state;
    struct mem mem;
    struct rowset set, loaded;
    struct segment_builder builder;
    struct segment segment;
    struct arena arena;
    struct buf out;
    uint8_t bytes[1024];
    mem_init(&mem, NULL, 0);
    buf_init(&out, &mem, 1 << 20);
    arena_init(&arena, &mem, 4096);
    assert_int_equal(rowset_init(&set, &mem, SEED, NULL), VARVE_OK);
    assert_int_equal(rowset_init(&loaded, &mem, SEED, NULL), VARVE_OK);
    assert_int_equal(segment_builder_init(&builder, &mem, NULL), VARVE_OK);
    example_rows(&set);
    assert_int_equal(segment_build(&builder, &set, NULL, 0, 0, &out, NULL), VARVE_OK);
    size_t size = read_example(bytes, sizeof bytes);
    assert_int_equal(size, out.size);
    assert_memory_equal(bytes, out.data, size);
    assert_int_equal(segment_open(&segment, &arena, builder.texts, bytes, size, 0, "example", NULL),
                     VARVE_OK);
    assert_int_equal(segment_verify(&segment, NULL), VARVE_OK);
    assert_int_equal(segment_load(&segment, &loaded, NULL), VARVE_OK);
    assert_int_equal(loaded.row_count, 4);
    for (size_t i = 0; i < 4; i++) { /* the rows stand in the order of the runs */
        assert_int_equal(loaded.rows[i].start, set.rows[i].start);
        assert_int_equal(loaded.rows[i].end, set.rows[i].end);
        assert_int_equal(loaded.rows[i].value, set.rows[i].value);
        assert_true(h128_equal(loaded.series[loaded.rows[i].series].hash,
                               set.series[set.rows[i].series].hash));
    }
    segment_builder_free(&builder);
    rowset_free(&set);
    rowset_free(&loaded);
    arena_free(&arena);
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sizes),
                                       cmocka_unit_test(test_example)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
