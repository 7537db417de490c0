/* SPDX-License-Identifier: Apache-2.0
 *
 * int_plan.c -- choosing base, factor and width of an integer block.
 *
 * The base is the least value, the factor the greatest common divisor of the
 * distances from it, and the width whatever makes fields and exceptions
 * together smallest, read from a histogram of the fields' bit lengths.
 *
 * A few values far below the rest would make all fields long.  So where a
 * sample says that most values crowd together far above the least one, the low
 * end of the crowd is tried as the base too: what lies below becomes an
 * exception with a negative high part.
 *
 * The factor is found with few divisions: a guess from a sample is confirmed
 * by multiplying with its inverse modulo 2^64, which makes multiples of the
 * factor small and all other numbers large.  The same product is the quotient.
 */
#include "codec/int_plan.h"

#define SAMPLES 64

static uint64_t distance(int64_t from, int64_t to)
{
    return (uint64_t)to - (uint64_t)from;
}

/* ---- the common factor ------------------------------------------------ */

/* Division by factor = odd << shift, exact. */
struct divisor {
    uint64_t inverse; /* of odd */
    unsigned shift;
};

static struct divisor divisor_of(uint64_t factor)
{
    const unsigned shift = (unsigned)__builtin_ctzll(factor);
    const uint64_t odd = factor >> shift;
    uint64_t inverse = odd; /* right in its low 3 bits; each step doubles them */
    for (int i = 0; i < 5; i++)
        inverse *= 2 - odd * inverse;
    return (struct divisor){inverse, shift};
}

static uint64_t rotate_right(uint64_t v, unsigned shift)
{
    return v >> shift | v << ((64 - shift) & 63);
}

static uint64_t common_divisor(uint64_t a, uint64_t b)
{
    if (a == 0 || b == 0)
        return a | b;
    const int shift = __builtin_ctzll(a | b);
    a >>= __builtin_ctzll(a);
    do {
        b >>= __builtin_ctzll(b);
        if (a > b) {
            const uint64_t t = a;
            a = b;
            b = t;
        }
        b -= a;
    } while (b);
    return a << shift;
}

/* The first i from `from` on whose distance from min is no multiple of factor; n if there is
 * none. */
static size_t
first_indivisible(const int64_t *values, size_t from, size_t n, int64_t min, uint64_t factor)
{
    const struct divisor d = divisor_of(factor);
    const uint64_t most = UINT64_MAX / factor;
    while (from < n && rotate_right(distance(min, values[from]) * d.inverse, d.shift) <= most)
        from++;
    return from;
}

/* Not 0: some value differs from min. */
static uint64_t common_factor(const int64_t *values, size_t n, int64_t min, int64_t max)
{
    const size_t step = n / 16 + 1;
    uint64_t factor = distance(min, max);
    for (size_t i = 0; i < n && factor != 1; i += step)
        factor = common_divisor(factor, distance(min, values[i]));
    for (size_t i = 0; factor != 1;) {
        i = first_indivisible(values, i, n, min, factor);
        if (i == n)
            break;
        factor = common_divisor(factor, distance(min, values[i]));
    }
    return factor;
}

/* ---- fields ----------------------------------------------------------- */

/* A quotient that may be negative is shifted as a signed number.  Both ways base + factor * u
 * gives the value back; they differ in which of the possible u they find. */
static inline uint64_t
field_of(int64_t value, uint64_t base, const struct divisor *d, bool is_signed)
{
    const uint64_t x = (uint64_t)value - base;
    const uint64_t shifted = is_signed ? (uint64_t)((int64_t)x >> d->shift) : x >> d->shift;
    return shifted * d->inverse;
}

void int_fields(uint64_t *fields, const int64_t *values, size_t n, const struct int_plan *plan)
{
    const struct divisor d = divisor_of(plan->head.factor);
    const uint64_t base = plan->head.base;
    if (plan->fields_signed)
        for (size_t i = 0; i < n; i++)
            fields[i] = field_of(values[i], base, &d, true);
    else
        for (size_t i = 0; i < n; i++)
            fields[i] = field_of(values[i], base, &d, false);
}

/* How long the fields are.  Four counters for neighbours: increments of one wait for each other. */
#define COUNTERS 4

struct lengths {
    uint32_t count[COUNTERS][65];
    uint16_t negative;
    uint64_t lowest; /* all negative fields, inverted, or-ed together */
};

static size_t count_of(const struct lengths *l, unsigned length)
{
    size_t sum = 0;
    for (size_t i = 0; i < COUNTERS; i++)
        sum += l->count[i][length];
    return sum;
}

/* bit_length() of a number below 2^63, in one instruction. */
static inline unsigned length_below_63(uint64_t v)
{
    return 63 ^ (unsigned)__builtin_clzll(v << 1 | 1);
}

static void count_unsigned(struct lengths *l, const int64_t *values, size_t n, uint64_t base,
                           const struct divisor *d, bool below_63)
{
    size_t i = 0;
    for (; below_63 && i + COUNTERS <= n; i += COUNTERS) {
        l->count[0][length_below_63(field_of(values[i], base, d, false))]++;
        l->count[1][length_below_63(field_of(values[i + 1], base, d, false))]++;
        l->count[2][length_below_63(field_of(values[i + 2], base, d, false))]++;
        l->count[3][length_below_63(field_of(values[i + 3], base, d, false))]++;
    }
    for (; i < n; i++)
        l->count[0][bit_length(field_of(values[i], base, d, false))]++;
}

static void count_signed(struct lengths *l, const int64_t *values, size_t n, uint64_t base,
                         const struct divisor *d)
{
    for (size_t i = 0; i < n; i++) {
        const uint64_t u = field_of(values[i], base, d, true);
        if (u >> 63) {
            l->negative++;
            l->lowest |= ~u;
        } else {
            l->count[i % COUNTERS][bit_length(u)]++;
        }
    }
}

/* spread is the distance of the least value from the greatest. */
static void count_lengths(struct lengths *l, const int64_t *values, size_t n,
                          const struct int_plan *plan, uint64_t spread)
{
    const struct divisor d = divisor_of(plan->head.factor);
    memset(l, 0, sizeof *l);
    if (plan->fields_signed)
        count_signed(l, values, n, plan->head.base, &d);
    else
        count_unsigned(l, values, n, plan->head.base, &d, spread >> 63 == 0);
}

/* ---- the width -------------------------------------------------------- */

/* What decoding one exception is worth, in bytes. */
#define EXCEPTION_COST 1

static unsigned varint_size(uint64_t v)
{
    return (bit_length(v | 1) + 6) / 7;
}

size_t int_head_size(const struct int_head *h)
{
    return 1 + (h->differences ? varint_size(zigzag((int64_t)h->start)) : 0) +
           varint_size(zigzag((int64_t)h->base)) + varint_size(h->factor) + 1 +
           varint_size(h->exceptions) + (h->exceptions > 0);
}

/* A bit string packs tighter than rows but is read one field at a time. */
static bool prefers_bit_string(size_t n, unsigned width)
{
    const size_t string = bits_size(n, width);
    return string + string / 8 < int_rows_size(n, width);
}

/* Bits of the zigzag numbers that are left of the exceptions above a width. */
static unsigned high_width(unsigned width, unsigned longest, const struct lengths *l)
{
    const unsigned below = bit_length(l->lowest);
    unsigned high = longest > width ? longest - width + 1 : 0;
    if (l->negative) {
        const unsigned negative = below > width ? below - width + 1 : 1;
        high = negative > high ? negative : high;
    }
    return high > 64 - width ? 64 - width : high;
}

/* From the longest field downwards, until the exceptions alone cost more than the best so far. */
static void choose_width(struct int_plan *plan, size_t n, const struct lengths *l)
{
    struct int_head h = plan->head;
    unsigned longest = 64;
    while (longest > 0 && count_of(l, longest) == 0)
        longest--;
    plan->cost = SIZE_MAX;
    h.exceptions = l->negative;
    for (unsigned width = longest; 2 * h.exceptions < plan->cost; width--) {
        h.width = width;
        h.high_width = h.exceptions ? high_width(width, longest, l) : 0;
        h.bit_string = prefers_bit_string(n, width);
        const size_t size = int_head_size(&h) + int_fields_size(n, width, h.bit_string) +
                            2 * h.exceptions + bits_size(h.exceptions, h.high_width);
        const size_t cost = size + EXCEPTION_COST * h.exceptions;
        if (cost < plan->cost) {
            plan->head = h;
            plan->size = size;
            plan->cost = cost;
        }
        if (width == 0)
            break;
        h.exceptions += count_of(l, width);
    }
}

/* ---- low outliers ----------------------------------------------------- */

static void sort(uint64_t *v, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        const uint64_t moving = v[i];
        size_t at = i;
        for (; at > 0 && v[at - 1] > moving; at--)
            v[at] = v[at - 1];
        v[at] = moving;
    }
}

/* The i-th of places spread over 0..n-1, without a period that data might have too. */
static size_t spread_index(size_t i, size_t n)
{
    return (size_t)((uint64_t)((uint32_t)i * UINT32_C(2654435769)) * n >> 32);
}

/* The distances of up to SAMPLES values from min; answers how many. */
static size_t sample(uint64_t *v, const int64_t *values, size_t n, int64_t min)
{
    const size_t count = n < SAMPLES ? n : SAMPLES;
    for (size_t i = 0; i < count; i++)
        v[i] = distance(min, values[spread_index(i, n)]);
    return count;
}

/* Whether values are much closer to a typical one than to the least one: by two bits on average. */
static bool crowded(const uint64_t *v, size_t count)
{
    uint64_t few[9];
    for (size_t i = 0; i < 9; i++)
        few[i] = v[i * count / 9];
    sort(few, 9);
    size_t from_least = 0, from_typical = 0;
    for (size_t i = 0; i < count; i++) {
        from_least += bit_length(v[i]);
        from_typical += bit_length(v[i] > few[4] ? v[i] - few[4] : few[4] - v[i]);
    }
    return from_typical + 2 * count < from_least;
}

/* The low end of the narrowest stretch that holds three quarters of the samples, less its width,
 * since the rest of the crowd may reach below it. */
static uint64_t crowd_start(uint64_t *v, size_t count)
{
    const size_t most = count - count / 4;
    size_t best = 0;
    sort(v, count);
    for (size_t i = 1; i + most <= count; i++)
        if (v[i + most - 1] - v[i] < v[best + most - 1] - v[best])
            best = i;
    const uint64_t width = v[best + most - 1] - v[best];
    return v[best] > width ? v[best] - width : 0;
}

/* The least distance from min that is at least start. */
static uint64_t least_from(const int64_t *values, size_t n, int64_t min, uint64_t start)
{
    uint64_t least = UINT64_MAX;
    for (size_t i = 0; i < n; i++) {
        const uint64_t v = distance(min, values[i]);
        least = v >= start && v < least ? v : least;
    }
    return least;
}

/* Another base in place of the least value, if that makes the block smaller. */
static void try_higher_base(struct int_plan *plan, const int64_t *values, size_t n, int64_t min)
{
    uint64_t v[SAMPLES];
    struct lengths lengths;
    const size_t count = sample(v, values, n, min);
    if (count < 9 || !crowded(v, count))
        return;
    const uint64_t start = crowd_start(v, count);
    if (start == 0)
        return;
    struct int_plan other = *plan;
    other.head.base = (uint64_t)min + least_from(values, n, min, start);
    other.fields_signed = true;
    count_lengths(&lengths, values, n, &other, UINT64_MAX);
    choose_width(&other, n, &lengths);
    if (other.cost < plan->cost)
        *plan = other;
}

/* ---- all of it -------------------------------------------------------- */

struct int_plan int_plan_values(const int64_t *values, size_t n)
{
    struct int_plan plan = {.head = {.factor = 1}};
    struct lengths lengths;
    int64_t min, max;
    int_kernels()->extent(values, n, &min, &max);
    plan.head.base = (uint64_t)min;
    if (min == max) {
        plan.constant = true;
        plan.size = plan.cost = 1 + varint_size(zigzag(min));
        return plan;
    }
    plan.head.factor = common_factor(values, n, min, max);
    count_lengths(&lengths, values, n, &plan, distance(min, max));
    choose_width(&plan, n, &lengths);
    try_higher_base(&plan, values, n, min);
    return plan;
}
