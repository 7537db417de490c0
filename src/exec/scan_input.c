/* SPDX-License-Identifier: Apache-2.0
 *
 * scan_input.c -- from the rows that a scan lends to the columns that a query names.
 *
 * Columns of one type are handed on as they lie.  The runs of a metric have one entry a label: it
 * is spread over their rows.  A column in which types vary becomes values with their types.  A
 * virtual label is the dictionary of the label it is made of with other texts, looked up once an
 * entry and segment; what the lookup does not know is NULL.
 */
#include "exec/scan_input.h"

#include "base/number.h"

/* ---- columns ------------------------------------------------------------------ */

static void *get(struct scan_input *in, size_t count, size_t size, struct varve_err *err)
{
    void *memory = arena_zalloc(&in->exec->arena, mem_array(count + 1, size));
    if (!memory)
        (void)fail_nomem(err, count * size);
    return memory;
}

static uint32_t name_number(struct scan_input *in, struct varve_str name)
{
    size_t i = 0;
    while (i < in->query.column_count && !str_equal(in->names[i], name))
        i++;
    if (i == in->query.column_count)
        in->names[in->query.column_count++] = name;
    return (uint32_t)i;
}

static enum varve_status find_lookup(struct scan_input *in, const struct column_ref *ref,
                                     struct scan_column *column, struct varve_err *err)
{
    column->lookup = in->exec->lookups ? lookup_find(in->exec->lookups, ref->lookup) : NULL;
    if (!column->lookup)
        return fail(err, VARVE_NOTFOUND, "query", "no lookup '%.*s'", STR_ARG(ref->lookup));
    column->field = lookup_field(column->lookup, ref->field);
    if (column->field == column->lookup->field_count)
        return fail(err, VARVE_NOTFOUND, "query", "lookup '%.*s' has no column '%.*s'",
                    STR_ARG(ref->lookup), STR_ARG(ref->field));
    return VARVE_OK;
}

static enum varve_status add_column(struct scan_input *in, const struct column_ref *ref,
                                    enum scan_from from, struct varve_err *err)
{
    struct scan_column *column = &in->columns[in->column_count];
    *column = (struct scan_column){.from = from};
    if (from == FROM_COLUMN) {
        column->number = name_number(in, ref->name);
        if (ref->lookup.size)
            TRY(find_lookup(in, ref, column, err));
        column->codes = get(in, BATCH_ROWS, sizeof *column->codes, err);
        if (!column->codes)
            return VARVE_NOMEM;
    }
    in->column_count++;
    return VARVE_OK;
}

/* ---- filters -------------------------------------------------------------------- */

static struct term *text_term(struct scan_input *in, struct varve_str text, struct varve_err *err)
{
    struct term *term = get(in, 1, sizeof *term, err);
    if (term)
        *term = (struct term){.kind = TERM_CONST, .value = value_text(text)};
    return term;
}

/* A call with room for more arguments than it has yet. */
static struct term *call_term(struct scan_input *in, enum function function, struct term *first,
                              uint32_t room, struct varve_err *err)
{
    struct term *term = first ? get(in, 1, sizeof *term, err) : NULL;
    if (!term)
        return NULL;
    *term = (struct term){.kind = TERM_CALL, .function = function, .arg_count = 1};
    term->args = get(in, room, sizeof(struct term *), err);
    if (!term->args)
        return NULL;
    term->args[0] = first;
    return term;
}

/* One of the values, or the pattern, as arguments behind the label, which is the empty text where
 * it is missing. */
static struct term *
filter_term(struct scan_input *in, const struct label_filter *f, struct varve_err *err)
{
    bool is_pattern = f->op == MATCH_RE || f->op == MATCH_NRE;
    struct term *label = get(in, 1, sizeof *label, err);
    if (!label)
        return NULL;
    *label = (struct term){.kind = TERM_COLUMN, .index = in->column_count - 1};
    struct term *there = call_term(in, FUNCTION_COALESCE, label, 2, err);
    if (!there)
        return NULL;
    there->args[there->arg_count++] = text_term(in, STR(""), err);
    struct term *test =
        call_term(in, is_pattern ? FUNCTION_MATCH : FUNCTION_IN, there, 1 + f->value_count, err);
    if (!test || !there->args[1])
        return NULL;
    for (uint32_t i = 0; i < f->value_count; i++) {
        struct term *value = text_term(in, f->values[i], err);
        if (!value)
            return NULL;
        test->args[test->arg_count++] = value;
    }
    bool negated = f->op == MATCH_NE || f->op == MATCH_NRE;
    return negated ? call_term(in, FUNCTION_NOT, test, 1, err) : test;
}

static enum varve_status
add_filter(struct scan_input *in, const struct label_filter *f, struct varve_err *err)
{
    bool is_pattern = f->op == MATCH_RE || f->op == MATCH_NRE;
    if (is_pattern && f->value_count != 1)
        return fail(err, VARVE_MISUSE, "plan", "a pattern is one text");
    if (!is_pattern && f->label.lookup.size == 0) {
        struct varve_filter *filters = get(in, in->query.filter_count + 1, sizeof *filters, err);
        if (!filters)
            return VARVE_NOMEM;
        if (in->query.filter_count)
            memcpy(filters, in->query.filters, in->query.filter_count * sizeof *filters);
        filters[in->query.filter_count++] =
            (struct varve_filter){f->label.name, f->op == MATCH_NE, f->values, f->value_count};
        in->query.filters = filters;
        return VARVE_OK;
    }
    TRY(add_column(in, &f->label, FROM_COLUMN, err));
    struct term *term = filter_term(in, f, err);
    if (!term)
        return VARVE_NOMEM;
    TRY(exec_program(in->exec, term, &in->filters[in->filter_count], err));
    in->filter_count++;
    return VARVE_OK;
}

/* ---- opening ---------------------------------------------------------------------- */

enum varve_status scan_input_init(struct scan_input *in, struct op *op, struct varve_err *err)
{
    const struct node *node = op->node;
    uint32_t own = node->as.scan.is_metric ? 3 : 1; /* time; start, value */
    size_t most = (size_t)node->as.scan.read_count + node->as.scan.filter_count;
    *in = (struct scan_input){.exec = op->exec, .node = node};
    in->query.source = node->as.scan.source;
    if (node->as.scan.read_count != node->column_count || node->column_count < own)
        return fail(err, VARVE_MISUSE, "plan", "SCAN reads %u columns, not %u",
                    node->as.scan.read_count, node->column_count);
    in->names = get(in, most, sizeof *in->names, err);
    in->columns = get(in, most, sizeof *in->columns, err);
    in->vectors = get(in, most, sizeof *in->vectors, err);
    in->filters = get(in, node->as.scan.filter_count, sizeof(struct program *), err);
    if (!in->names || !in->columns || !in->vectors || !in->filters)
        return VARVE_NOMEM;
    in->query.columns = in->names;
    for (uint32_t i = 0; i < node->as.scan.read_count; i++)
        TRY(add_column(in, &node->as.scan.read[i],
                       i < own ? (enum scan_from)(FROM_TIME + i) : FROM_COLUMN, err));
    for (uint32_t i = 0; i < node->as.scan.filter_count; i++)
        TRY(add_filter(in, &node->as.scan.filters[i], err));
    in->own_names = (uint32_t)in->query.column_count;
    return VARVE_OK;
}

void scan_input_close(struct scan_input *in)
{
    if (!in->scan)
        return;
    scan_stats_add(&in->exec->stats[in->node->number].scan, &in->scan->stats);
    scan_close(in->scan);
    in->scan = NULL;
}

void scan_input_free(struct scan_input *in)
{
    scan_input_close(in);
    scan_adjust_free(in->adjust);
    in->adjust = NULL;
    for (uint32_t i = 0; i < in->filter_count; i++)
        program_free(in->filters[i]);
    for (uint32_t i = 0; i < in->column_count; i++)
        mem_free(in->exec->mem, in->columns[i].texts,
                 in->columns[i].capacity * sizeof *in->columns[i].texts);
    in->filter_count = in->column_count = 0;
}

/* If rows of the range are to be adjusted, the scan also reads the labels that identify series. */
static enum varve_status ask_adjustments(struct scan_input *in, struct varve_err *err)
{
    const struct varve_str *labels;
    scan_adjust_free(in->adjust);
    in->adjust = NULL;
    in->query.columns = in->names;
    in->query.column_count = in->own_names;
    if (!in->node->as.scan.is_metric)
        return VARVE_OK;
    TRY(scan_adjust_find(in->exec, &in->query, &in->adjust, err));
    if (!in->adjust)
        return VARVE_OK;
    uint32_t more = scan_adjust_labels(in->adjust, &labels);
    struct varve_str *names = get(in, (size_t)in->own_names + more, sizeof *names, err);
    if (!in->values)
        in->values = get(in, BATCH_ROWS, sizeof *in->values, err);
    if (!names || !in->values)
        return VARVE_NOMEM;
    if (in->own_names)
        memcpy(names, in->names, in->own_names * sizeof *names);
    if (more)
        memcpy(names + in->own_names, labels, more * sizeof *names);
    in->query.columns = names;
    in->query.column_count += more;
    return VARVE_OK;
}

enum varve_status
scan_input_open(struct scan_input *in, int64_t since, int64_t until, struct varve_err *err)
{
    scan_input_close(in);
    in->query.since = since;
    in->query.until = until;
    TRY(ask_adjustments(in, err));
    in->scan_segment = 0;
    enum varve_status status = scan_open(in->exec->snapshot, &in->query, &in->scan, err);
    /* A metric that the language knows and the store has nothing of: it has no rows. */
    return status == VARVE_NOTFOUND ? VARVE_OK : status;
}

enum varve_status scan_input_open_part(struct scan_input *in, const struct scan *whole, size_t from,
                                       size_t until, struct varve_err *err)
{
    scan_input_close(in);
    in->scan_segment = 0;
    return scan_open_part(whole, in->exec->snapshot, from, until, &in->scan, err);
}

/* ---- columns in which types vary ------------------------------------------------------ */

static struct value text_as(struct varve_str text, uint8_t type)
{
    int64_t whole;
    double number;
    if (type == VARVE_INT && number_parse_int(text, &whole))
        return value_int(TYPE_INT, whole);
    if (type == VARVE_FLOAT && number_parse(text, &number))
        return value_float(number);
    if (type == VARVE_BOOL)
        return value_int(TYPE_BOOL, str_equal(text, STR("true")));
    return value_text(text);
}

static struct value cell_of(const struct varve_column *column, uint32_t row)
{
    uint8_t type = column->types[row];
    if (type == VARVE_NULL || (column->present && !(column->present[row / 64] >> (row % 64) & 1)))
        return value_null();
    if (column->type == VARVE_TEXT)
        return text_as(column->dictionary->texts[column->codes[row]], type);
    if (column->type != VARVE_FLOAT)
        return value_int(type == VARVE_BOOL ? TYPE_BOOL : TYPE_INT, column->ints[row]);
    double number = column->floats[row];
    bool is_whole = type == VARVE_INT && number >= -0x1p63 && number < 0x1p63;
    return is_whole ? value_int(TYPE_INT, (int64_t)number) : value_float(number);
}

static enum varve_status
own_values(struct scan_input *in, struct scan_column *column, struct varve_err *err)
{
    if (!column->values)
        column->values = get(in, BATCH_ROWS, sizeof *column->values, err);
    return column->values ? VARVE_OK : VARVE_NOMEM;
}

static enum varve_status
vary(struct scan_input *in, struct scan_column *column, const struct varve_column *from,
     uint32_t rows, struct vector *v, struct varve_err *err)
{
    TRY(own_values(in, column, err));
    for (uint32_t row = 0; row < rows; row++)
        column->values[row] = cell_of(from, row);
    *v = (struct vector){.form = VECTOR_VALUES, .values = column->values};
    return VARVE_OK;
}

/* ---- virtual labels ---------------------------------------------------------------------- */

static struct value look_up_one(const struct scan_column *column, struct value key)
{
    char buffer[VALUE_TEXT_MAX];
    struct varve_str text = {buffer, 0};
    if (value_is_null(key))
        return key;
    if (key.type == TYPE_TEXT)
        text = value_str(key);
    else
        text.size = value_print(key, buffer);
    text = lookup_value(column->lookup, column->field, text);
    return text.size ? value_text(text) : value_null();
}

static enum varve_status look_up_codes(struct scan_input *in, struct scan_column *column,
                                       uint32_t rows, struct vector *v, struct varve_err *err)
{
    const struct varve_dictionary *d = v->dictionary;
    if (column->segment != in->segment) {
        void *texts = column->texts;
        enum varve_status status = mem_grow(in->exec->mem, &texts, &column->capacity, d->count,
                                            sizeof *column->texts, err);
        column->texts = texts;
        TRY(status);
        for (uint32_t i = 0; i < d->count; i++)
            column->texts[i] =
                i ? lookup_value(column->lookup, column->field, d->texts[i]) : STR("");
        column->dictionary = (struct varve_dictionary){column->texts, d->count};
        column->segment = in->segment;
    }
    for (uint32_t row = 0; row < rows; row++) {
        uint32_t code = v->codes[row];
        column->codes[row] = column->texts[code].size ? code : 0;
    }
    v->codes = column->codes;
    v->dictionary = &column->dictionary;
    return VARVE_OK;
}

static enum varve_status look_up(struct scan_input *in, struct scan_column *column, uint32_t rows,
                                 struct vector *v, struct varve_err *err)
{
    if (v->form == VECTOR_CODES)
        return look_up_codes(in, column, rows, v, err);
    if (v->form == VECTOR_CONST) {
        v->value = look_up_one(column, v->value);
        return VARVE_OK;
    }
    TRY(own_values(in, column, err));
    for (uint32_t row = 0; row < rows; row++)
        column->values[row] = look_up_one(column, vector_value(v, row));
    *v = (struct vector){.form = VECTOR_VALUES, .values = column->values};
    return VARVE_OK;
}

/* ---- batches --------------------------------------------------------------------------------- */

/* The label of each run in all of its rows. */
static void spread(struct scan_column *column, const struct varve_rows *rows, struct vector *v)
{
    if (v->form != VECTOR_CODES)
        return;
    for (uint32_t run = 0; run < rows->runs; run++)
        for (uint32_t row = rows->run_start[run]; row < rows->run_start[run + 1]; row++)
            column->codes[row] = v->codes[run];
    v->codes = column->codes;
}

static struct vector ints_vector(enum value_type type, const int64_t *ints)
{
    return (struct vector){.form = VECTOR_INTS, .type = type, .ints = ints};
}

static enum varve_status
put_column(struct scan_input *in, uint32_t c, const struct varve_rows *rows, struct varve_err *err)
{
    struct scan_column *column = &in->columns[c];
    struct vector *v = &in->vectors[c];
    switch (column->from) {
    case FROM_TIME:
        *v = ints_vector(TYPE_TIME, rows->end);
        return VARVE_OK;
    case FROM_START:
        *v = ints_vector(TYPE_TIME, rows->start);
        return VARVE_OK;
    case FROM_VALUE:
        if (in->adjust) {
            *v = (struct vector){.form = VECTOR_VALUES, .values = in->values};
            return VARVE_OK;
        }
        *v = rows->ints ? ints_vector(rows->scale == 9 ? TYPE_NANO : TYPE_INT, rows->ints)
                        : (struct vector){.form = VECTOR_FLOATS, .floats = rows->floats};
        return VARVE_OK;
    case FROM_COLUMN:
        break;
    }
    const struct varve_column *from = &rows->columns[column->number];
    *v = vector_of_column(from);
    if (in->node->as.scan.is_metric)
        spread(column, rows, v);
    else if (from->types)
        TRY(vary(in, column, from, rows->rows, v, err));
    return column->lookup ? look_up(in, column, rows->rows, v, err) : VARVE_OK;
}

enum varve_status scan_input_next(struct scan_input *in, struct batch *batch, struct varve_err *err)
{
    struct varve_rows rows;
    uint32_t selected = 0;
    if (!in->scan)
        return VARVE_DONE;
    TRY(scan_rows(in->scan, &rows, err));
    if (in->adjust)
        scan_adjust_rows(in->adjust, &rows, in->own_names, in->values, in->selected, &selected);
    if (rows.segment != in->scan_segment) {
        in->scan_segment = rows.segment;
        in->segment++;
    }
    for (uint32_t c = 0; c < in->column_count; c++)
        TRY(put_column(in, c, &rows, err));
    *batch = (struct batch){.rows = rows.rows,
                            .column_count = in->column_count,
                            .columns = in->vectors,
                            .segment = in->segment};
    if (in->adjust) {
        batch->selected = in->selected;
        batch->selected_count = selected;
    }
    for (uint32_t i = 0; i < in->filter_count; i++) {
        uint32_t count = 0;
        TRY(program_select(in->filters[i], batch, in->selected, &count, err));
        batch->selected = in->selected;
        batch->selected_count = count;
    }
    batch->column_count = in->node->column_count;
    return VARVE_OK;
}
