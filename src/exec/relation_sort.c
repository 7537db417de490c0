/* SPDX-License-Identifier: Apache-2.0
 *
 * relation_sort.c -- the order of rows.
 *
 * A merge sort from below over small entries: the number of a row and a prefix of its first key,
 * a number of 64 bits that never contradicts value_compare and decides most comparisons without a
 * look at the row.  Then the rows themselves are moved along the cycles of the permutation, so that
 * one spare row is all that this takes.
 *
 * Invariant: prefix(a) < prefix(b) implies a before b.  Nothing is said of equal ones.
 */
#include "exec/relation.h"

#include <assert.h>

enum {
    RUN = 8,              /* rows that are sorted by insertion */
    CHECK_EVERY = 1 << 14 /* rows that are moved between two questions whether to stop */
};

struct entry {
    uint64_t prefix, row;
};

struct sorting {
    const struct relation *relation;
    struct row_order order;
    uint32_t worked; /* rows since the last question */
    struct varve_err *err;
};

/* ---- comparing ---------------------------------------- */

static int cell_compare(struct value a, struct value b, bool descending)
{
    if (value_is_null(a) || value_is_null(b))
        return value_is_null(a) - value_is_null(b);
    int c = value_compare(a, b);
    return descending ? -c : c;
}

/* Of values that compare equal: 1 and 1.0, 0.0 and -0.0. */
static int form_compare(struct value a, struct value b)
{
    if (a.type != b.type)
        return a.type < b.type ? -1 : 1;
    if (a.type == TYPE_FLOAT)
        return (a.as.i > b.as.i) - (a.as.i < b.as.i);
    return 0;
}

int row_compare(const struct row_order *order, const struct value *a, const struct value *b)
{
    for (uint32_t i = 0; i < order->count; i++) {
        uint32_t c = order->by[i];
        int diff = cell_compare(a[c], b[c], order->descending && order->descending[i]);
        if (diff)
            return diff;
    }
    for (uint32_t c = 0; c < order->columns; c++) {
        int diff = cell_compare(a[c], b[c], false);
        if (diff)
            return diff;
    }
    for (uint32_t c = 0; c < order->columns; c++) {
        int diff = form_compare(a[c], b[c]);
        if (diff)
            return diff;
    }
    return 0;
}

bool row_equal(const struct value *a, const struct value *b, uint32_t count)
{
    for (uint32_t c = 0; c < count; c++)
        if (cell_compare(a[c], b[c], false))
            return false;
    return true;
}

/* ---- prefixes ---------------------------------------- */

/* A double as a number that grows with it; NaN is the largest. */
static uint64_t double_prefix(double f)
{
    uint64_t bits;
    if (f != f)
        return UINT64_MAX;
    f += 0.0; /* -0.0 is 0.0 */
    memcpy(&bits, &f, sizeof bits);
    return bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}

static uint64_t text_prefix(struct varve_str text)
{
    uint64_t prefix = 0;
    for (size_t i = 0; i < 8; i++)
        prefix = prefix << 8 | (i < text.size ? (unsigned char)text.data[i] : 0);
    return prefix;
}

static uint64_t instant_prefix(int64_t i)
{
    return (uint64_t)i ^ UINT64_C(1) << 63;
}

/* The sort of the value in the upper three bits, its first bits below; NULL is above all. */
static uint64_t value_prefix(struct value v, bool descending)
{
    uint64_t prefix = 0;
    switch ((enum value_type)v.type) {
    case TYPE_BOOL:
        prefix = (uint64_t)(v.as.i != 0);
        break;
    case TYPE_INT:
    case TYPE_NANO:
    case TYPE_FLOAT:
        prefix = UINT64_C(1) << 61 | double_prefix(value_double(v)) >> 3;
        break;
    case TYPE_TIME:
        prefix = UINT64_C(2) << 61 | instant_prefix(v.as.i) >> 3;
        break;
    case TYPE_DURATION:
        prefix = UINT64_C(3) << 61 | instant_prefix(v.as.i) >> 3;
        break;
    case TYPE_TEXT:
        prefix = UINT64_C(4) << 61 | text_prefix(value_str(v)) >> 3;
        break;
    case TYPE_NULL:
    case TYPES:
        return UINT64_MAX;
    }
    return descending ? (UINT64_C(5) << 61) - prefix : prefix;
}

static uint64_t row_prefix(const struct row_order *order, const struct value *row)
{
    if (order->count)
        return value_prefix(row[order->by[0]], order->descending && order->descending[0]);
    return order->columns ? value_prefix(row[0], false) : 0;
}

/* ---- sorting ---------------------------------------- */

static bool is_after(const struct sorting *sorting, struct entry a, struct entry b)
{
    if (a.prefix != b.prefix)
        return a.prefix > b.prefix;
    return row_compare(&sorting->order, relation_row(sorting->relation, a.row),
                       relation_row(sorting->relation, b.row)) > 0;
}

static void sort_run(const struct sorting *sorting, struct entry *entries, uint64_t count)
{
    for (uint64_t i = 1; i < count; i++) {
        struct entry entry = entries[i];
        uint64_t at = i;
        for (; at > 0 && is_after(sorting, entries[at - 1], entry); at--)
            entries[at] = entries[at - 1];
        entries[at] = entry;
    }
}

/* One more row has been looked at. */
static inline enum varve_status work(struct sorting *sorting)
{
    const struct relation *relation = sorting->relation;
    if (++sorting->worked < CHECK_EVERY)
        return VARVE_OK;
    sorting->worked = 0;
    return relation->check ? relation->check(relation->check_context, sorting->err) : VARVE_OK;
}

/* Two runs that lie behind each other, of `left` and of `count` - left entries, into `out`. */
static enum varve_status merge_runs(struct sorting *sorting, const struct entry *in, uint64_t left,
                                    uint64_t count, struct entry *out)
{
    uint64_t a = 0, b = left, n = 0;
    if (left < count && is_after(sorting, in[left - 1], in[left]))
        while (a < left && b < count) {
            out[n++] = is_after(sorting, in[a], in[b]) ? in[b++] : in[a++];
            TRY(work(sorting));
        }
    while (a < left)
        out[n++] = in[a++];
    while (b < count)
        out[n++] = in[b++];
    return VARVE_OK;
}

/* *sorted: which of the two arrays has the result. */
static enum varve_status merge_sort(struct sorting *sorting, struct entry *entries,
                                    struct entry *spare, struct entry **sorted)
{
    uint64_t rows = sorting->relation->rows;
    for (uint64_t i = 0; i < rows; i += RUN) {
        TRY(work(sorting));
        sort_run(sorting, entries + i, rows - i < RUN ? rows - i : RUN);
    }
    for (uint64_t width = RUN; width < rows; width *= 2) {
        for (uint64_t i = 0; i < rows; i += 2 * width) {
            TRY(work(sorting));
            uint64_t count = rows - i < 2 * width ? rows - i : 2 * width;
            TRY(merge_runs(sorting, entries + i, width < count ? width : count, count, spare + i));
        }
        struct entry *other = entries;
        entries = spare;
        spare = other;
    }
    *sorted = entries;
    return VARVE_OK;
}

/* Moves every row to its place: entries[i].row is the row that has to come to place i. */
static enum varve_status move_rows(struct sorting *sorting, struct relation *relation,
                                   struct entry *entries, struct value *spare)
{
    size_t bytes = relation->columns * sizeof(struct value);
    for (uint64_t start = 0; start < relation->rows; start++) {
        if (entries[start].row == start)
            continue;
        memcpy(spare, relation_row(relation, start), bytes);
        uint64_t to = start;
        for (uint64_t from; (from = entries[to].row) != start; to = from) {
            TRY(work(sorting));
            memcpy(relation_row(relation, to), relation_row(relation, from), bytes);
            entries[to].row = to;
        }
        memcpy(relation_row(relation, to), spare, bytes);
        entries[to].row = to;
    }
    return VARVE_OK;
}

static enum varve_status is_sorted(struct sorting *sorting, bool *answer)
{
    const struct relation *relation = sorting->relation;
    *answer = true;
    for (uint64_t i = 1; i < relation->rows && *answer; i++) {
        TRY(work(sorting));
        *answer = row_compare(&sorting->order, relation_row(relation, i - 1),
                              relation_row(relation, i)) <= 0;
    }
    return VARVE_OK;
}

enum varve_status relation_sort(struct relation *relation, const uint32_t *by,
                                const bool *descending, uint32_t count, struct varve_err *err)
{
    struct sorting sorting = {relation, {by, descending, count, relation->columns}, 0, err};
    bool sorted_already = true;
    assert(!relation->is_view);
    if (relation->columns)
        TRY(is_sorted(&sorting, &sorted_already));
    if (sorted_already)
        return VARVE_OK;
    size_t rows = (size_t)relation->rows;
    size_t size = mem_array(rows, 2 * sizeof(struct entry));
    size_t row_bytes = relation->columns * sizeof(struct value);
    struct entry *entries = size ? mem_alloc(relation->mem, size) : NULL;
    struct value *spare = mem_alloc(relation->mem, row_bytes);
    enum varve_status status = VARVE_OK;
    if (!entries || !spare) {
        status = fail_nomem(err, size + row_bytes);
        goto out;
    }
    for (size_t i = 0; i < rows; i++) {
        TRYOUT(work(&sorting));
        entries[i] = (struct entry){row_prefix(&sorting.order, relation_row(relation, i)), i};
    }
    struct entry *sorted;
    TRYOUT(merge_sort(&sorting, entries, entries + rows, &sorted));
    status = move_rows(&sorting, relation, sorted, spare);
out:
    mem_free(relation->mem, entries, size);
    mem_free(relation->mem, spare, row_bytes);
    return status;
}
