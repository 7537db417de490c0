/* SPDX-License-Identifier: Apache-2.0
 *
 * int_block_enc.c -- integer blocks from values.
 *
 * Plans are made first, for the values as they are or, where an estimate says
 * that it may pay, for their differences and for runs.  A plan knows its exact
 * size, so only the best one is written.  Differences and runs must win by some
 * margin, for they cannot be added up without being decoded.
 *
 * Invariant: what is written depends on the values alone; unused bits are zero.
 */
#include <assert.h>

#include "codec/int_block.h"
#include "codec/int_format.h"
#include "codec/int_plan.h"

/* Runs are tried from this mean length on. */
#define RUN_LENGTH 4
#define MAX_RUNS (BLOCK_VALUES / RUN_LENGTH)

/* Blocks below the first length are only tried as they are, blocks below the second one both ways:
 * that takes less time than a sample that says something. */
#define SHORT_BLOCK 8
#define SAMPLED_BLOCK 128

/* From so many bits a value on, differences are tried beside the values, or at once instead of
 * them. */
#define POSSIBLE_GAIN 1
#define CLEAR_GAIN 4

size_t int_block_bound(size_t n)
{
    return INT_HEAD_MAX + int_rows(n) * LANES * 8;
}

/* ---- writing ---------------------------------------------------------- */

static size_t write_fields(uint8_t *dst, const uint64_t *fields, size_t n, const struct int_head *h)
{
    const struct int_kernels *kernels = int_kernels();
    const size_t rows = int_rows(n);
    uint32_t words[BLOCK_VALUES];
    if (h->bit_string) {
        struct bit_writer w = bit_writer_over(dst);
        for (size_t i = 0; i < n; i++)
            bits_put(&w, fields[i] & bit_mask(h->width), h->width);
        return (size_t)(bits_finish(&w) - dst);
    }
    for (size_t i = 0; i < rows * LANES; i++)
        words[i] = (uint32_t)fields[i];
    kernels->pack(dst, words, h->width < 32 ? h->width : 32, rows);
    if (h->width > 32) {
        for (size_t i = 0; i < rows * LANES; i++)
            words[i] = (uint32_t)(fields[i] >> 32);
        kernels->pack(dst + rows * ROW_BYTES, words, h->width - 32, rows);
    }
    return int_rows_size(n, h->width);
}

static bool is_exception(uint64_t field, unsigned width)
{
    return field & ~bit_mask(width);
}

static size_t
write_exceptions(uint8_t *dst, const uint64_t *fields, size_t n, const struct int_head *h)
{
    if (h->exceptions == 0)
        return 0;
    uint16_t positions[BLOCK_VALUES + 1];
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        positions[count] = (uint16_t)i;
        count += is_exception(fields[i], h->width);
    }
    assert(count == h->exceptions);
    struct bit_writer w = bit_writer_over(dst + 2 * count);
    for (size_t i = 0; i < count; i++) {
        store16(dst + 2 * i, positions[i]);
        bits_put(&w, zigzag((int64_t)fields[positions[i]] >> h->width), h->high_width);
    }
    return (size_t)(bits_finish(&w) - dst);
}

static size_t write_constant(uint8_t *dst, const struct int_plan *plan)
{
    dst[0] = INT_CONSTANT;
    return 1 + varint_put(dst + 1, zigzag((int64_t)plan->head.base));
}

static size_t write_flat(uint8_t *dst, const int64_t *values, size_t n, const struct int_plan *plan)
{
    const struct int_head *h = &plan->head;
    uint64_t fields[BLOCK_VALUES];
    if (plan->constant)
        return write_constant(dst, plan);
    int_fields(fields, values, n, plan);
    memset(fields + n, 0, (int_rows(n) * LANES - n) * sizeof *fields);
    uint8_t *p = dst;
    *p++ = (uint8_t)(INT_PACKED | (h->differences ? INT_DIFFERENCES : 0) |
                     (h->bit_string ? INT_BIT_STRING : 0));
    if (h->differences)
        p += varint_put(p, zigzag((int64_t)h->start));
    p += varint_put(p, zigzag((int64_t)h->base));
    p += varint_put(p, h->factor);
    *p++ = (uint8_t)h->width;
    p += varint_put(p, h->exceptions);
    if (h->exceptions)
        *p++ = (uint8_t)h->high_width;
    p += write_fields(p, fields, n, h);
    p += write_exceptions(p, fields, n, h);
    assert((size_t)(p - dst) == plan->size);
    return (size_t)(p - dst);
}

/* ---- differences ------------------------------------------------------ */

static int64_t median(int64_t a, int64_t b, int64_t c)
{
    const int64_t low = a < b ? a : b, high = a < b ? b : a;
    return c < low ? low : c > high ? high : c;
}

/* How many bits a value's difference is shorter than the value's distance from a typical one, on
 * average over a sample. */
static int difference_gain(const int64_t *values, size_t n)
{
    const uint64_t typical =
        (uint64_t)median(values[n * 5 / 17], values[n * 9 / 17], values[n * 13 / 17]);
    const size_t step = n / 64 + 1;
    int gain = 0, count = 0;
    for (size_t i = 1; i < n; i += step, count++) {
        const uint64_t v = (uint64_t)values[i];
        gain += (int)bit_length(zigzag((int64_t)(v - typical)));
        gain -= (int)bit_length(zigzag((int64_t)(v - (uint64_t)values[i - 1])));
    }
    return gain / count;
}

/* The first difference has no value before it: it may be any, and the second one's is as good as
 * free. Differences that are all the same are fields of no bits. */
static struct int_plan plan_differences(int64_t *differences, const int64_t *values, size_t n)
{
    for (size_t i = 1; i < n; i++)
        differences[i] = (int64_t)((uint64_t)values[i] - (uint64_t)values[i - 1]);
    differences[0] = differences[1];
    struct int_plan plan = int_plan_values(differences, n);
    const size_t head_before = plan.constant ? plan.size : int_head_size(&plan.head);
    plan.constant = false;
    plan.head.differences = true;
    plan.head.start = (uint64_t)values[0] - (uint64_t)differences[0];
    const size_t grown = int_head_size(&plan.head) - head_before;
    plan.size += grown;
    plan.cost += grown;
    return plan;
}

/* ---- runs ------------------------------------------------------------- */

struct run_plan {
    int64_t values[MAX_RUNS], lengths[MAX_RUNS];
    size_t count;
    struct int_plan value_plan, length_plan;
    size_t size;
};

static void plan_runs(struct run_plan *runs, const int64_t *values, size_t n)
{
    runs->count = 0;
    for (size_t i = 0, from = 0; i < n; i++)
        if (i + 1 == n || values[i + 1] != values[i]) {
            runs->values[runs->count] = values[i];
            runs->lengths[runs->count++] = (int64_t)(i + 1 - from);
            from = i + 1;
        }
    runs->value_plan = int_plan_values(runs->values, runs->count);
    runs->length_plan = int_plan_values(runs->lengths, runs->count);
    runs->size = 1 + 2 + 2 + runs->value_plan.size + runs->length_plan.size;
}

static size_t write_runs(uint8_t *dst, const struct run_plan *runs)
{
    uint8_t *p = dst;
    *p++ = INT_RUNS;
    p += varint_put(p, runs->count);
    p += varint_put(p, runs->value_plan.size);
    p += write_flat(p, runs->values, runs->count, &runs->value_plan);
    p += write_flat(p, runs->lengths, runs->count, &runs->length_plan);
    return (size_t)(p - dst);
}

/* ---- all of it -------------------------------------------------------- */

/* Whether `other` is smaller by an eighth. */
static bool pays(size_t other, size_t cost)
{
    return other + other / 8 < cost;
}

/* The better of the plans for values and for their differences, which are made if they are
 * needed. */
static struct int_plan plan_either(int64_t *differences, const int64_t *values, size_t n)
{
    int gain = n < SHORT_BLOCK ? 0 : POSSIBLE_GAIN;
    if (n >= SAMPLED_BLOCK)
        gain = difference_gain(values, n);
    if (gain >= CLEAR_GAIN)
        return plan_differences(differences, values, n);
    const struct int_plan plan = int_plan_values(values, n);
    if (plan.constant || gain < POSSIBLE_GAIN)
        return plan;
    const struct int_plan other = plan_differences(differences, values, n);
    return pays(other.cost, plan.cost) ? other : plan;
}

size_t int_block_encode(uint8_t *dst, const int64_t *values, size_t n)
{
    assert(n > 0 && n <= BLOCK_VALUES);
    int64_t differences[BLOCK_VALUES];
    struct run_plan runs;
    const struct int_plan plan = plan_either(differences, values, n);
    if (!plan.constant && n >= SHORT_BLOCK && int_kernels()->changes(values, n) < n / RUN_LENGTH) {
        plan_runs(&runs, values, n);
        if (pays(runs.size, plan.cost))
            return write_runs(dst, &runs);
    }
    return write_flat(dst, plan.head.differences ? differences : values, n, &plan);
}
