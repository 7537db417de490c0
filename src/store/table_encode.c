/* SPDX-License-Identifier: Apache-2.0
 *
 * table_encode.c -- the cells of one column as sections.
 *
 * Numbers go as they are; cells of other types in a column of numbers turn
 * into its class, which loses nothing, and TYPES remembers what they were.  In a
 * column of texts the numbers keep to themselves (INTS, FLOATS).
 *
 * A dictionary stands in ascending order or in the order in which its texts appear,
 * whichever makes the codes shorter: texts that come and go with the session, such as
 * the ids of prompts and requests, give a ramp of codes when they stand as
 * they appear.  Where most texts are different nothing else is tried.
 *
 * Invariant: `number` is UINT32_MAX throughout between two calls.
 */
#include "store/table_encode.h"

#include "base/err.h"
#include "store/sort.h"

#include <string.h>

enum varve_status encoder_init(struct encoder *encoder, struct table_builder *builder,
                               const struct intern *texts, uint32_t rows, struct varve_err *err)
{
    struct arena *scratch = &builder->scratch;
    size_t numbers = mem_array(texts->count, sizeof *encoder->number);
    *encoder = (struct encoder){.builder = builder, .texts = texts->items, .rows = rows};
    encoder->ints = arena_alloc(scratch, rows * sizeof *encoder->ints);
    encoder->floats = arena_alloc(scratch, rows * sizeof *encoder->floats);
    encoder->list = arena_alloc(scratch, rows * sizeof *encoder->list);
    encoder->order = arena_alloc(scratch, rows * sizeof *encoder->order);
    encoder->scratch = arena_alloc(scratch, rows * sizeof *encoder->scratch);
    encoder->number = arena_alloc(scratch, numbers);
    if (!encoder->ints || !encoder->floats || !encoder->list || !encoder->order ||
        !encoder->scratch || !encoder->number)
        return fail_nomem(err, rows * sizeof *encoder->ints + numbers);
    memset(encoder->number, 0xff, numbers);
    return VARVE_OK;
}

/* ---- texts ---- */

static int compare_texts(const void *context, uint32_t a, uint32_t b)
{
    const struct encoder *encoder = context;
    return str_compare(encoder->texts[encoder->list[a]].text,
                       encoder->texts[encoder->list[b]].text);
}

size_t encoder_distinct(struct encoder *encoder, int64_t *ids, size_t n)
{
    uint32_t *number = encoder->number, *list = encoder->list;
    uint32_t count = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t id = (uint32_t)ids[i];
        if (number[id] == UINT32_MAX) {
            number[id] = count;
            list[count++] = id;
        }
        ids[i] = number[id];
    }
    for (uint32_t i = 0; i < count; i++)
        number[list[i]] = UINT32_MAX;
    return count;
}

/* From places in the list to ranks. */
static void rank(struct encoder *encoder, size_t count, int64_t *places, size_t n)
{
    for (uint32_t i = 0; i < count; i++)
        encoder->order[i] = i;
    sort_numbers(encoder->order, encoder->scratch, count, compare_texts, encoder);
    for (uint32_t i = 0; i < count; i++)
        encoder->scratch[encoder->order[i]] = i;
    for (size_t i = 0; i < n; i++)
        places[i] = encoder->scratch[places[i]];
}

size_t encoder_rank(struct encoder *encoder, int64_t *ids, size_t n)
{
    size_t count = encoder_distinct(encoder, ids, n);
    rank(encoder, count, ids, n);
    return count;
}

/* CODES, for the order of the dictionary that makes them shorter. */
static enum varve_status put_codes(struct encoder *encoder, int64_t *places, size_t n, size_t count,
                                   uint16_t index, uint8_t *dict_order, struct varve_err *err)
{
    struct buf *work = &encoder->builder->work;
    struct blob_writer *writer = &encoder->builder->writer;
    buf_clear(work);
    TRY(column_put_ints(work, places, n, 0, err));
    size_t size = work->size;
    *dict_order = DICT_APPEARANCE;
    if (count <= n / 2 || count == 1) {
        rank(encoder, count, places, n);
        TRY(column_put_ints(work, places, n, 0, err));
        if (work->size - size <= size)
            *dict_order = DICT_ASCENDING;
    }
    size_t from = *dict_order == DICT_ASCENDING ? size : 0;
    blob_section_begin(writer);
    buf_put(&writer->body, work->data + from, from ? work->size - from : size);
    blob_section_end(writer, TABLE_CODES, index);
    return buf_status(&writer->body, err);
}

static enum varve_status put_dictionary(struct encoder *encoder, size_t count, uint8_t dict_order,
                                        uint16_t index, struct varve_err *err)
{
    struct blob_writer *writer = &encoder->builder->writer;
    int ascending = dict_order == DICT_ASCENDING;
    size_t bytes = count * sizeof(struct varve_str);
    struct varve_str *texts = mem_alloc(encoder->builder->mem, bytes);
    if (!texts)
        return fail_nomem(err, bytes);
    for (size_t i = 0; i < count; i++)
        texts[i] = encoder->texts[encoder->list[ascending ? encoder->order[i] : i]].text;
    blob_section_begin(writer);
    buf_put8(&writer->body, dict_order);
    enum varve_status status =
        column_put_texts(&writer->body, encoder->builder->texts, texts, count, err);
    mem_free(encoder->builder->mem, texts, bytes);
    TRY(status);
    blob_section_end(writer, TABLE_DICT, index);
    return VARVE_OK;
}

/* ---- sections ---- */

static enum varve_status put_ints(struct encoder *encoder, enum table_section id, uint16_t index,
                                  const int64_t *values, size_t n, int stats, struct varve_err *err)
{
    struct blob_writer *writer = &encoder->builder->writer;
    blob_section_begin(writer);
    TRY(column_put_ints(&writer->body, values, n, stats, err));
    blob_section_end(writer, (uint16_t)id, index);
    return VARVE_OK;
}

static enum varve_status
put_floats(struct encoder *encoder, uint16_t index, size_t n, struct varve_err *err)
{
    struct blob_writer *writer = &encoder->builder->writer;
    blob_section_begin(writer);
    TRY(column_put_floats(&writer->body, encoder->floats, n, TABLE_STATS(n), err));
    blob_section_end(writer, TABLE_FLOATS, index);
    return VARVE_OK;
}

static enum varve_status put_present(struct encoder *encoder, const struct gathered *column,
                                     uint16_t index, struct varve_err *err)
{
    memset(encoder->ints, 0, encoder->rows * sizeof *encoder->ints);
    for (uint32_t i = 0; i < column->cells; i++)
        encoder->ints[column->rows[i]] = 1;
    return put_ints(encoder, TABLE_PRESENT, index, encoder->ints, encoder->rows, 0, err);
}

static enum varve_status put_types(struct encoder *encoder, const struct gathered *column,
                                   uint16_t index, struct varve_err *err)
{
    for (uint32_t i = 0; i < column->cells; i++)
        encoder->ints[i] = column->type[i];
    return put_ints(encoder, TABLE_TYPES, index, encoder->ints, column->cells, 0, err);
}

/* The cells of some types into encoder->ints; answers how many. */
static size_t pick(struct encoder *encoder, const struct gathered *column, unsigned types)
{
    size_t n = 0;
    for (uint32_t i = 0; i < column->cells; i++)
        if (types & TYPE_BIT(column->type[i]))
            encoder->ints[n++] = column->bits[i];
    return n;
}

static enum varve_status put_text_class(struct encoder *encoder, const struct gathered *column,
                                        uint16_t index, struct varve_err *err)
{
    size_t n = pick(encoder, column, TYPE_BIT(VARVE_INT) | TYPE_BIT(VARVE_BOOL));
    if (n)
        TRY(put_ints(encoder, TABLE_INTS, index, encoder->ints, n, TABLE_STATS(n), err));
    n = pick(encoder, column, TYPE_BIT(VARVE_FLOAT));
    for (size_t i = 0; i < n; i++)
        encoder->floats[i] = double_of_bits(encoder->ints[i]);
    if (n)
        TRY(put_floats(encoder, index, n, err));
    n = pick(encoder, column, TYPE_BIT(VARVE_TEXT));
    if (!n)
        return VARVE_OK;
    uint8_t dict_order;
    size_t count = encoder_distinct(encoder, encoder->ints, n);
    TRY(put_codes(encoder, encoder->ints, n, count, index, &dict_order, err));
    return put_dictionary(encoder, count, dict_order, index, err);
}

/* A column of doubles; ints and bools among them are whole ones. */
static enum varve_status put_float_class(struct encoder *encoder, const struct gathered *column,
                                         uint16_t index, struct varve_err *err)
{
    for (uint32_t i = 0; i < column->cells; i++)
        encoder->floats[i] = column->type[i] == VARVE_FLOAT ? double_of_bits(column->bits[i])
                                                            : (double)column->bits[i];
    return put_floats(encoder, index, column->cells, err);
}

enum varve_status encoder_put(struct encoder *encoder, const struct gathered *column,
                              uint16_t index, struct varve_err *err)
{
    uint8_t class = table_class(column->types, column->whole);
    if (column->cells < encoder->rows)
        TRY(put_present(encoder, column, index, err));
    if (column->types != TYPE_BIT(class))
        TRY(put_types(encoder, column, index, err));
    if (class == VARVE_TEXT)
        return put_text_class(encoder, column, index, err);
    if (class == VARVE_FLOAT)
        return put_float_class(encoder, column, index, err);
    return put_ints(encoder, TABLE_INTS, index, column->bits, column->cells,
                    class == VARVE_INT && TABLE_STATS(column->cells), err);
}
