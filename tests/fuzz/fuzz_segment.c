/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_segment.c -- metric segments under attack.
 *
 * The first byte says what the rest is:
 *
 *   0  a blob, as somebody might have forged it: its checksums are made right
 *   1  a seed (2) for rows, and changes { offset (2) | value (1) } to the blob made of them,
 *      whose checksums are made right again
 *   2  rows, field by field
 *   3  a blob as it is
 *
 * A forged blob may be refused, but nothing may be read out of bounds, take memory out of
 * proportion, or be loaded by half; and one that segment_verify calls sound must be
 * readable in every way.  Rows must come out as they went in, and again into the same bytes.
 */
#include "../store/random_rows.h"
#include "../store/reseal.h"
#include "base/bytes.h"
#include "fuzz.h"
#include "store/segment.h"

enum { SEED = 42, PLACE = 1000, MEMORY = 256 << 20 };

struct bench {
    struct mem mem;
    struct rowset set, loaded;
    struct segment_builder builder;
    struct buf bytes, again;
    struct arena arena;
};

static void begin(struct bench *b)
{
    mem_init(&b->mem, NULL, MEMORY);
    arena_init(&b->arena, &b->mem, 1 << 14);
    buf_init(&b->bytes, &b->mem, 1 << 26);
    buf_init(&b->again, &b->mem, 1 << 26);
    MUST(rowset_init(&b->set, &b->mem, SEED, NULL) == VARVE_OK);
    MUST(rowset_init(&b->loaded, &b->mem, SEED, NULL) == VARVE_OK);
    MUST(segment_builder_init(&b->builder, &b->mem, NULL) == VARVE_OK);
}

static void end(struct bench *b)
{
    rowset_free(&b->set);
    rowset_free(&b->loaded);
    segment_builder_free(&b->builder);
    buf_free(&b->bytes);
    buf_free(&b->again);
    arena_free(&b->arena);
    MUST(b->mem.used == 0);
}

/* Who has verified a segment can read it; else whoever reads may be told that it is damaged. */
static void may(enum varve_status verified, enum varve_status status)
{
    MUST(status == VARVE_OK || status == VARVE_NOMEM || status == VARVE_NOTFOUND ||
         verified != VARVE_OK);
}

static void
use_metric(struct bench *b, struct segment *segment, uint32_t m, enum varve_status verified)
{
    struct segment_runs runs;
    const int64_t *sums;
    const double *high, *low;
    int64_t starts[64], ends[64];
    struct column column;
    enum varve_status status = segment_runs(segment, m, &b->arena, &runs, NULL);
    may(verified, status);
    for (uint32_t r = 0; status == VARVE_OK && r < runs.count; r += 1 + r / 64) {
        uint32_t from = runs.rows[r] / 3, n = runs.rows[r] - from < 64 ? runs.rows[r] - from : 64;
        may(verified, segment_times(segment, runs.time[r], from, n, starts, ends, NULL));
        may(verified, segment_times(segment, runs.time[r], from, n, NULL, ends, NULL));
    }
    may(verified, segment_int_sums(segment, m, &b->arena, &sums, NULL));
    may(verified, segment_float_sums(segment, m, &b->arena, &high, &low, NULL));
    may(verified, segment_ints(segment, m, &column, NULL));
    may(verified, segment_floats(segment, m, &column, NULL));
}

/* Every way of reading.  Answers what segment_verify says. */
static enum varve_status use(struct bench *b, const uint8_t *bytes, size_t size)
{
    struct segment segment;
    const struct varve_str *texts;
    uint32_t count, codes[100];
    enum varve_status status =
        segment_open(&segment, &b->arena, b->builder.texts, bytes, size, PLACE, "fuzz", NULL);
    if (status != VARVE_OK)
        return status;
    enum varve_status verified = segment_verify(&segment, NULL);
    for (uint32_t m = 0; m < segment.metric_count && m < 16; m++)
        use_metric(b, &segment, m, verified);
    for (uint32_t k = 0; k < segment.key_count && k < 16; k++) {
        uint32_t n = segment.run_count < 100 ? segment.run_count : 100;
        may(verified, segment_codes(&segment, k, segment.run_count - n, n, codes, NULL));
        may(verified, segment_dictionary(&segment, k, &b->arena, &texts, &count, NULL));
    }
    status = segment_load(&segment, &b->loaded, NULL);
    may(verified, status);
    MUST(b->loaded.row_count == (status == VARVE_OK ? segment.blob.head.rows : 0));
    return verified;
}

static void build(struct bench *b, const struct rowset *rowset, struct buf *out)
{
    MUST(segment_build(&b->builder, rowset, NULL, 0, PLACE, out, NULL) == VARVE_OK);
}

/* The rows came out as they went in. */
static void compare(struct bench *b)
{
    build(b, &b->loaded, &b->again);
    MUST(b->again.size == b->bytes.size &&
         memcmp(b->again.data, b->bytes.data, b->again.size) == 0);
    settle_rows(&b->set);
    settle_rows(&b->loaded);
    MUST(same_rows(&b->set, &b->loaded));
}

static void as_it_is(struct bench *b, const uint8_t *data, size_t size)
{
    use(b, data, size);
}

static void forged(struct bench *b, const uint8_t *data, size_t size)
{
    buf_put(&b->bytes, data, size);
    if (size > 0 && reseal(b->bytes.data, size, PLACE))
        use(b, b->bytes.data, size);
}

static void changed(struct bench *b, const uint8_t *data, size_t size)
{
    struct reader r = reader_over(data, size);
    struct prng prng = {read16(&r)};
    random_rows(&b->set, &prng, 60);
    build(b, &b->set, &b->bytes);
    bool touched = false;
    while (reader_left(&r) >= 3) {
        size_t at = read16(&r) % b->bytes.size;
        uint8_t value = read8(&r);
        touched |= b->bytes.data[at] != value;
        b->bytes.data[at] = value;
    }
    if (!reseal(b->bytes.data, b->bytes.size, PLACE))
        return;
    enum varve_status status = use(b, b->bytes.data, b->bytes.size);
    if (!touched) {
        MUST(status == VARVE_OK);
        compare(b);
    }
}

/* The series of a byte: bit 0 the metric, bits 1-3 the user, 4-5 the session of the user, 6-7
 * the type. */
static uint32_t series_of(struct bench *b, uint8_t byte)
{
    static const char *const digits[] = {"0", "1", "2", "3", "4", "5", "6", "7"};
    const char session[2] = {(char)('a' + (byte >> 1 & 7)), (char)('0' + (byte >> 4 & 3))};
    struct varve_label label[] = {
        {STR("user"), {digits[byte >> 1 & 7], 1}},
        {STR("session"), {session, 2}},
        {STR("type"), {digits[byte >> 6], byte >> 6 ? 1 : 0}},
        {STR("org"), STR("one")},
    };
    uint32_t metric, set, series;
    struct varve_str name = byte & 1 ? STR("cost") : STR("tokens");
    MUST(rowset_metric(&b->set, name, STR(""), 1, 0, &metric, NULL) == VARVE_OK);
    MUST(rowset_labels(&b->set, 0, label, 4, &set, NULL) == VARVE_OK);
    MUST(rowset_series(&b->set, metric, set, &series, NULL) == VARVE_OK);
    return series;
}

/* A row: series (1), mode and number type (1), start, end and value (varints). */
static void given(struct bench *b, const uint8_t *data, size_t size)
{
    struct reader r = reader_over(data, size);
    while (reader_left(&r) > 0) {
        uint8_t series = read8(&r), kind = read8(&r);
        struct row row = {.series = series_of(b, series),
                          .mode = kind % ROW_MODES,
                          .is_float = kind >> 7,
                          .start = unzigzag(read_varint(&r)),
                          .end = unzigzag(read_varint(&r)),
                          .value = (int64_t)read_varint(&r)};
        if (r.bad)
            break;
        MUST(rowset_row(&b->set, &row, NULL) == VARVE_OK);
    }
    build(b, &b->set, &b->bytes);
    MUST(use(b, b->bytes.data, b->bytes.size) == VARVE_OK);
    compare(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const kinds[])(struct bench *, const uint8_t *, size_t) = {forged, changed, given,
                                                                             as_it_is};
    if (size < 3 || data[0] > 3)
        return 0;
    struct bench bench;
    begin(&bench);
    kinds[data[0]](&bench, data + 1, size - 1);
    end(&bench);
    return 0;
}
