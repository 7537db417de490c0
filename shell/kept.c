/* SPDX-License-Identifier: Apache-2.0
 *
 * kept.c -- the last result, kept.
 *
 * Cells are copied on their way to the output.  A result that is larger than the bound is let go
 * whole: half of one would look like all of it.
 */
#include "kept.h"

#include <stdlib.h>
#include <string.h>

enum { KEPT_MOST = 32 << 20, BLOCK = 1 << 16, REPLAYED = 1024 };

struct kept_block {
    struct kept_block *next;
    size_t size, capacity;
    char bytes[];
};

void kept_clear(struct kept *k)
{
    while (k->blocks) {
        struct kept_block *next = k->blocks->next;
        free(k->blocks);
        k->blocks = next;
    }
    free(k->columns);
    free(k->cells);
    *k = (struct kept){0};
}

static bool copy_text(struct kept *k, struct varve_str *text)
{
    struct kept_block *block = k->blocks;
    if (!block || block->capacity - block->size < text->size) {
        size_t capacity = text->size > BLOCK ? text->size : BLOCK;
        block = malloc(sizeof *block + capacity);
        if (!block)
            return false;
        *block = (struct kept_block){.next = k->blocks, .capacity = capacity};
        k->blocks = block;
        k->bytes += sizeof *block + capacity;
    }
    char *to = block->bytes + block->size;
    if (text->size > 0)
        memcpy(to, text->data, text->size);
    block->size += text->size;
    text->data = to;
    return true;
}

static bool add_cells(struct kept *k, const struct varve_cell *cells, size_t count)
{
    if (k->bytes + (k->count + count) * sizeof *cells > KEPT_MOST)
        return false;
    if (k->count + count > k->capacity) {
        size_t capacity = 2 * k->capacity + count + 256;
        struct varve_cell *larger = realloc(k->cells, capacity * sizeof *larger);
        if (!larger)
            return false;
        k->cells = larger;
        k->capacity = capacity;
    }
    for (size_t i = 0; i < count; i++) {
        struct varve_cell *cell = &k->cells[k->count];
        *cell = cells[i];
        if (cell->type == VARVE_CELL_TEXT && !copy_text(k, &cell->as.s))
            return false;
        k->count++;
    }
    return true;
}

static enum varve_status
next_recorded(void *context, const struct varve_cell **cells, size_t *count, struct varve_err *err)
{
    struct kept *k = context;
    struct rows source = k->source;
    enum varve_status status = source.next(source.context, cells, count, err);
    if (status == VARVE_DONE && k->columns && !k->is_too_large)
        k->is_there = true;
    if (status != VARVE_OK || !k->columns || k->is_too_large)
        return status;
    if (!add_cells(k, *cells, *count * k->column_count)) {
        kept_clear(k);
        k->source = source;
        k->is_too_large = true;
    }
    return status;
}

struct rows kept_record(struct kept *k, const struct rows *from)
{
    kept_clear(k);
    k->source = *from;
    k->column_count = from->column_count;
    if (from->column_count > 0)
        k->columns = calloc(from->column_count, sizeof *k->columns);
    for (size_t c = 0; k->columns && c < from->column_count; c++) {
        k->columns[c] = from->columns[c];
        if (!copy_text(k, &k->columns[c].name) || !copy_text(k, &k->columns[c].unit)) {
            kept_clear(k);
            k->source = *from;
        }
    }
    struct rows rows = *from;
    rows.next = next_recorded;
    rows.context = k;
    return rows;
}

static enum varve_status
next_kept(void *context, const struct varve_cell **cells, size_t *count, struct varve_err *err)
{
    struct kept *k = context;
    (void)err;
    size_t rows = (k->count - k->shown) / k->column_count;
    if (rows == 0)
        return VARVE_DONE;
    *count = rows < REPLAYED ? rows : REPLAYED;
    *cells = k->cells + k->shown;
    k->shown += *count * k->column_count;
    return VARVE_OK;
}

struct rows kept_rows(struct kept *k)
{
    k->shown = 0;
    return (struct rows){
        .columns = k->columns, .column_count = k->column_count, .next = next_kept, .context = k};
}
