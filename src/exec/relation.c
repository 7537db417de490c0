/* SPDX-License-Identifier: Apache-2.0
 *
 * relation.c -- rows kept in memory.
 *
 * Cells lie row by row in one array that doubles.  Texts go into an arena; a small table of the
 * texts that came last lets columns of few distinct values share one copy.  It may forget, so
 * equal texts can have several copies, and nothing compares texts by address.
 *
 * Rows are lent as batches by turning up to 1024 of them into columns.  Sorting is in
 * relation_sort.c.
 */
#include "exec/relation.h"

#include <assert.h>
#include "base/hash.h"

enum { RECENT_TEXTS = 256, RECENT_SIZE = 256 };

void relation_init(struct relation *relation, struct mem *mem, uint32_t columns)
{
    *relation = (struct relation){.mem = mem, .columns = columns};
    arena_init(&relation->texts, mem, 1024);
}

/* A row of no columns takes a cell, too: its address says that it is there. */
static size_t row_size(const struct relation *relation)
{
    return (relation->columns ? relation->columns : 1) * sizeof(struct value);
}

static size_t out_size(const struct relation *relation)
{
    return (size_t)relation->out_rows * relation->columns * sizeof(struct value);
}

void relation_free(struct relation *relation)
{
    if (!relation->mem)
        return;
    if (!relation->is_view)
        mem_free(relation->mem, relation->cells, (size_t)relation->capacity * row_size(relation));
    mem_free(relation->mem, relation->recent, RECENT_TEXTS * sizeof *relation->recent);
    mem_free(relation->mem, relation->out_cells, out_size(relation));
    mem_free(relation->mem, relation->out_vectors,
             relation->columns * sizeof *relation->out_vectors);
    arena_free(&relation->texts);
    *relation = (struct relation){0};
}

void relation_clear(struct relation *relation)
{
    relation->rows = relation->text_bytes = 0;
    arena_clear(&relation->texts);
    if (relation->recent)
        memset(relation->recent, 0, RECENT_TEXTS * sizeof *relation->recent);
}

void relation_view(struct relation *view, struct mem *mem, const struct relation *of)
{
    relation_init(view, mem, of->columns);
    view->is_view = true;
    view->cells = of->cells;
    view->rows = of->rows;
}

void relation_cut(struct relation *relation, uint64_t rows)
{
    if (rows < relation->rows)
        relation->rows = rows;
}

uint64_t relation_bytes(const struct relation *relation)
{
    uint64_t bytes = relation->is_view ? 0 : relation->capacity * row_size(relation);
    return bytes + relation->text_bytes + out_size(relation);
}

struct value *relation_add(struct relation *relation, struct varve_err *err)
{
    assert(!relation->is_view);
    if (relation->rows == relation->capacity) {
        void *cells = relation->cells;
        size_t capacity = (size_t)relation->capacity;
        if (mem_grow(relation->mem, &cells, &capacity, capacity + 1, row_size(relation), err) !=
            VARVE_OK)
            return NULL;
        relation->cells = cells;
        relation->capacity = capacity;
    }
    struct value *row = relation_row(relation, relation->rows++);
    for (uint32_t i = 0; i < relation->columns; i++)
        row[i] = value_null();
    return row;
}

/* The place in the table of recent texts where this one would be; NULL: it is too long for it, or
 * there is no table, which only costs memory. */
static struct value *recent_slot(struct relation *relation, struct varve_str text)
{
    if (text.size > RECENT_SIZE)
        return NULL;
    if (!relation->recent)
        relation->recent = mem_zalloc(relation->mem, RECENT_TEXTS * sizeof *relation->recent);
    return relation->recent ? &relation->recent[hash64(text.data, text.size, 0) % RECENT_TEXTS]
                            : NULL;
}

enum varve_status
relation_own(struct relation *relation, struct value *value, struct varve_err *err)
{
    if (value->type != TYPE_TEXT)
        return VARVE_OK;
    struct varve_str text = value_str(*value);
    struct value *slot = recent_slot(relation, text);
    if (slot && slot->type == TYPE_TEXT && str_equal(value_str(*slot), text)) {
        *value = *slot;
        return VARVE_OK;
    }
    const char *copy = arena_copy(&relation->texts, text.data, text.size);
    if (!copy)
        return fail_nomem(err, text.size);
    relation->text_bytes += text.size;
    value->as.s = copy;
    if (slot)
        *slot = *value;
    return VARVE_OK;
}

enum varve_status
relation_add_batch(struct relation *relation, const struct batch *batch, struct varve_err *err)
{
    assert(batch->column_count == relation->columns);
    uint32_t count = batch_count(batch);
    for (uint32_t i = 0; i < count; i++) {
        struct value *row = relation_add(relation, err);
        if (!row)
            return VARVE_NOMEM;
        for (uint32_t c = 0; c < relation->columns; c++) {
            struct value value = vector_value(&batch->columns[c], batch_row(batch, i));
            TRY(relation_own(relation, &value, err));
            row[c] = value;
        }
    }
    return VARVE_OK;
}

/* Room to turn `rows` rows into columns. */
static enum varve_status out_room(struct relation *relation, uint32_t rows, struct varve_err *err)
{
    size_t vectors = relation->columns * sizeof *relation->out_vectors;
    if (!relation->out_vectors && vectors) {
        relation->out_vectors = mem_zalloc(relation->mem, vectors);
        if (!relation->out_vectors)
            return fail_nomem(err, vectors);
    }
    if (rows <= relation->out_rows)
        return VARVE_OK;
    mem_free(relation->mem, relation->out_cells, out_size(relation));
    relation->out_cells = NULL;
    relation->out_rows = 0;
    size_t bytes = (size_t)rows * relation->columns * sizeof(struct value);
    if (bytes && !(relation->out_cells = mem_alloc(relation->mem, bytes)))
        return fail_nomem(err, bytes);
    relation->out_rows = rows;
    return VARVE_OK;
}

enum varve_status
relation_batch(struct relation *relation, uint64_t from, struct batch *batch, struct varve_err *err)
{
    if (from >= relation->rows)
        return VARVE_DONE;
    uint64_t left = relation->rows - from;
    uint32_t rows = left < BATCH_ROWS ? (uint32_t)left : BATCH_ROWS;
    TRY(out_room(relation, rows, err));
    for (uint32_t c = 0; c < relation->columns; c++) {
        struct value *out = relation->out_cells + (size_t)c * relation->out_rows;
        const struct value *in = relation_row(relation, from) + c;
        for (uint32_t i = 0; i < rows; i++)
            out[i] = in[(size_t)i * relation->columns];
        relation->out_vectors[c] = (struct vector){.form = VECTOR_VALUES, .values = out};
    }
    *batch = (struct batch){
        .rows = rows, .column_count = relation->columns, .columns = relation->out_vectors};
    return VARVE_OK;
}
