/* SPDX-License-Identifier: Apache-2.0
 *
 * long_sort.c -- a merge sort that asks now and then whether to go on.
 *
 * Top down, with insertion below a handful.  Only the left half is moved aside, so the scratch is
 * half as long as the items, and halves that are in order already are left alone.
 */
#include "exec/long_sort.h"

#include <assert.h>

enum {
    HANDFUL = 8,
    SIZE_MOST = 64,
    CHECK_EVERY = 1 << 14 /* items that are moved between two questions */
};

struct long_sort {
    struct exec *exec;
    size_t size;
    long_sort_compare *compare;
    const void *context;
    char *scratch;
    size_t moved;
};

static void insertion(const struct long_sort *sort, char *items, size_t count)
{
    const size_t size = sort->size;
    char held[SIZE_MOST];
    for (size_t i = 1; i < count; i++) {
        size_t at = i;
        memcpy(held, items + i * size, size);
        while (at > 0 && sort->compare(sort->context, items + (at - 1) * size, held) > 0)
            at--;
        if (at == i)
            continue;
        memmove(items + (at + 1) * size, items + at * size, (i - at) * size);
        memcpy(items + at * size, held, size);
    }
}

static enum varve_status
merge(struct long_sort *sort, char *items, size_t half, size_t count, struct varve_err *err)
{
    const size_t size = sort->size;
    size_t left = 0, right = half, to = 0;
    memcpy(sort->scratch, items, half * size);
    for (; left < half && right < count; to++) {
        const char *a = sort->scratch + left * size, *b = items + right * size;
        bool is_left = sort->compare(sort->context, a, b) <= 0;
        memcpy(items + to * size, is_left ? a : b, size);
        left += is_left;
        right += !is_left;
        if (++sort->moved % CHECK_EVERY == 0)
            TRY(exec_check(sort->exec, err));
    }
    memcpy(items + to * size, sort->scratch + left * size, (half - left) * size);
    return VARVE_OK;
}

static enum varve_status
sort_part(struct long_sort *sort, char *items, size_t count, struct varve_err *err)
{
    const size_t half = count / 2, size = sort->size;
    if (count <= HANDFUL) {
        insertion(sort, items, count);
        return VARVE_OK;
    }
    TRY(sort_part(sort, items, half, err));
    TRY(sort_part(sort, items + half * size, count - half, err));
    if (sort->compare(sort->context, items + (half - 1) * size, items + half * size) <= 0)
        return VARVE_OK;
    return merge(sort, items, half, count, err);
}

enum varve_status long_sort(struct exec *exec, void *items, size_t count, size_t size,
                            long_sort_compare *compare, const void *context, struct varve_err *err)
{
    struct long_sort sort = {exec, size, compare, context, NULL, 0};
    size_t bytes = count / 2 * size;
    assert(size <= SIZE_MOST);
    if (count > HANDFUL && !(sort.scratch = mem_alloc(exec->mem, bytes)))
        return fail_nomem(err, bytes);
    enum varve_status status = sort_part(&sort, items, count, err);
    mem_free(exec->mem, sort.scratch, bytes);
    return status;
}
