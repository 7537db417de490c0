/* SPDX-License-Identifier: Apache-2.0
 *
 * measure_input.c -- the runs or rows of a metric that pass the filters, as batches of labels.
 *
 * Equalities on labels go into the scan, which leaves out whole segments by them.  What it cannot
 * decide (patterns, virtual labels) is decided here on the distinct values of a segment's
 * dictionary, and conditions over several labels by a program over the batch.
 *
 * A virtual label is the dictionary of the label it is made of with other texts: looked up once a
 * text and segment.  Several codes may have one text then; nothing here needs them to be distinct.
 */
#include "exec/measure_private.h"

/* ---- which columns are read --------------------------------------------------- */

static enum varve_status
add_column(struct input *in, struct varve_str name, uint32_t *column, struct varve_err *err)
{
    for (uint32_t c = 0; c < in->column_count; c++)
        if (str_equal(in->columns[c], name)) {
            *column = c;
            return VARVE_OK;
        }
    if (in->column_count == in->column_capacity) {
        uint32_t capacity = in->column_capacity ? in->column_capacity * 2 : 16;
        struct varve_str *columns = arena_alloc(&in->arena, mem_array(capacity, sizeof *columns));
        if (!columns)
            return fail_nomem(err, capacity * sizeof *columns);
        if (in->column_count)
            memcpy(columns, in->columns, in->column_count * sizeof *columns);
        in->columns = columns;
        in->column_capacity = capacity;
    }
    in->columns[in->column_count] = name;
    *column = in->column_count++;
    return VARVE_OK;
}

static enum varve_status read_label(struct input *in, const struct column_ref *ref,
                                    struct input_label *label, struct varve_err *err)
{
    TRY(add_column(in, ref->name, &label->column, err));
    label->lookup = NULL;
    if (ref->lookup.size == 0)
        return VARVE_OK;
    label->lookup = in->exec->lookups ? lookup_find(in->exec->lookups, ref->lookup) : NULL;
    if (!label->lookup)
        return fail(err, VARVE_NOTFOUND, "query", "no lookup '%.*s'", STR_ARG(ref->lookup));
    label->field = lookup_field(label->lookup, ref->field);
    if (label->field == label->lookup->field_count)
        return fail(err, VARVE_NOTFOUND, "query", "lookup '%.*s' has no column '%.*s'",
                    STR_ARG(ref->lookup), STR_ARG(ref->field));
    return VARVE_OK;
}

/* ---- filters -------------------------------------------------------------------- */

static bool scan_decides(const struct label_filter *filter)
{
    return filter->label.lookup.size == 0 && (filter->op == MATCH_EQ || filter->op == MATCH_NE);
}

static enum varve_status
passes_text(struct input_filter *f, struct varve_str text, bool *passes, struct varve_err *err)
{
    bool found = false;
    enum matcher_op op = f->filter->op;
    if (f->regex)
        TRY(regex_match(f->regex, text, &found, err));
    else
        for (uint32_t i = 0; i < f->filter->value_count && !found; i++)
            found = str_equal(f->filter->values[i], text);
    *passes = found != (op == MATCH_NE || op == MATCH_NRE);
    return VARVE_OK;
}

static enum varve_status
add_filter(struct input *in, const struct label_filter *filter, struct varve_err *err)
{
    struct input_filter *f = &in->filters[in->filter_count];
    *f = (struct input_filter){.filter = filter};
    TRY(read_label(in, &filter->label, &f->label, err));
    in->filter_count++;
    if (filter->op == MATCH_RE || filter->op == MATCH_NRE) {
        if (filter->value_count != 1)
            return fail(err, VARVE_MISUSE, "plan", "a pattern is one text");
        TRY(regex_new(in->exec->mem, filter->values[0], true, &f->regex, err));
    }
    return passes_text(f, STR(""), &f->passes_missing, err);
}

static enum varve_status split_filters(struct input *in, const struct metric_source *source,
                                       struct varve_query *query, struct varve_err *err)
{
    size_t n = (size_t)source->filter_count + 1;
    struct varve_filter *filters = arena_alloc(&in->arena, mem_array(n, sizeof *filters));
    in->filters = arena_zalloc(&in->arena, mem_array(n, sizeof *in->filters));
    if (!filters || !in->filters)
        return fail_nomem(err, n * sizeof *in->filters);
    for (uint32_t i = 0; i < source->filter_count; i++) {
        const struct label_filter *from = &source->filters[i];
        if (scan_decides(from))
            filters[query->filter_count++] = (struct varve_filter){
                from->label.name, from->op == MATCH_NE, from->values, from->value_count};
        else
            TRY(add_filter(in, from, err));
    }
    query->filters = filters;
    return VARVE_OK;
}

/* ---- opening ---------------------------------------------------------------------- */

enum varve_status
input_init(struct input *in, struct exec *exec, const struct node *node, struct varve_err *err)
{
    size_t labels = node->as.measure.label_count;
    *in = (struct input){.exec = exec, .node = node};
    arena_init(&in->arena, exec->mem, 1 << 12);
    in->vectors = arena_zalloc(&exec->arena, mem_array(labels + 1, sizeof *in->vectors));
    in->labels = arena_zalloc(&exec->arena, mem_array(labels + 1, sizeof *in->labels));
    if (!in->vectors || !in->labels)
        return fail_nomem(err, labels * sizeof *in->labels);
    if (node->as.measure.where)
        TRY(exec_program(exec, node->as.measure.where, &in->where, err));
    return VARVE_OK;
}

/* The labels that are read, and what the scan cannot decide. */
static enum varve_status prepare(struct input *in, const struct metric_source *source,
                                 struct varve_query *query, struct varve_err *err)
{
    for (uint32_t i = 0; i < in->node->as.measure.label_count; i++)
        TRY(read_label(in, &in->node->as.measure.labels[i], &in->labels[i], err));
    return split_filters(in, source, query, err);
}

enum varve_status
input_open(struct input *in, const struct metric_source *source, struct time_range range,
           bool is_rows, bool all_labels, struct varve_err *err)
{
    struct varve_query query = {.source = source->name, .since = range.since, .until = range.until};
    struct varve_str *names;
    uint32_t count = 0, column;
    in->is_rows = is_rows;
    TRY(prepare(in, source, &query, err));
    if (all_labels)
        TRY(series_labels(in->exec->snapshot, source->name, range, &in->arena, &names, &count,
                          err));
    for (uint32_t i = 0; i < count; i++)
        TRY(add_column(in, names[i], &column, err));
    query.columns = in->columns;
    query.column_count = in->column_count;
    enum varve_status status = scan_open(in->exec->snapshot, &query, &in->scan, err);
    /* A metric that the language knows and the store has nothing of: it has no series. */
    return status == VARVE_NOTFOUND ? VARVE_OK : status;
}

/* Columns are numbered in one order always, so those of the whole fit what was prepared here. */
enum varve_status
input_open_part(struct input *in, const struct input *whole, const struct metric_source *source,
                size_t from, size_t until, struct varve_err *err)
{
    struct varve_query query = {.source = source->name};
    in->is_rows = whole->is_rows;
    TRY(prepare(in, source, &query, err));
    in->columns = whole->columns;
    in->column_count = whole->column_count;
    return scan_open_part(whole->scan, in->exec->snapshot, from, until, &in->scan, err);
}

static void free_label(struct mem *mem, struct input_label *label)
{
    mem_free(mem, label->texts, label->capacity * sizeof *label->texts);
    label->texts = NULL;
    label->capacity = 0;
}

void input_close(struct input *in)
{
    struct mem *mem = in->exec->mem;
    if (in->scan)
        scan_stats_add(&in->exec->stats[in->node->number].scan, &in->scan->stats);
    scan_close(in->scan);
    in->scan = NULL;
    for (uint32_t i = 0; i < in->filter_count; i++) {
        regex_free(in->filters[i].regex);
        free_label(mem, &in->filters[i].label);
        mem_free(mem, in->filters[i].passes, in->filters[i].capacity);
    }
    for (uint32_t i = 0; in->labels && i < in->node->as.measure.label_count; i++)
        free_label(mem, &in->labels[i]);
    in->filter_count = in->column_count = in->column_capacity = in->segment = 0;
    in->filters = NULL;
    in->columns = NULL;
    arena_clear(&in->arena);
}

void input_free(struct input *in)
{
    if (!in->exec)
        return;
    input_close(in);
    program_free(in->where);
    arena_free(&in->arena);
    *in = (struct input){0};
}

/* ---- segments ----------------------------------------------------------------------- */

/* The texts of a virtual label for the dictionary of the label it is made of. */
static enum varve_status look_up(struct input *in, struct input_label *label, struct varve_err *err)
{
    const struct varve_dictionary *d = in->read[label->column].dictionary;
    if (!label->lookup || !d)
        return VARVE_OK;
    TRY(mem_grow(in->exec->mem, (void **)&label->texts, &label->capacity, d->count,
                 sizeof *label->texts, err));
    for (uint32_t i = 0; i < d->count; i++)
        label->texts[i] = i ? lookup_value(label->lookup, label->field, d->texts[i]) : STR("");
    label->dictionary = (struct varve_dictionary){label->texts, d->count};
    return VARVE_OK;
}

static enum varve_status decide(struct input *in, struct input_filter *f, struct varve_err *err)
{
    const struct varve_dictionary *d = in->read[f->label.column].dictionary;
    if (!d)
        return VARVE_OK;
    if (f->label.lookup)
        d = &f->label.dictionary;
    TRY(mem_grow(in->exec->mem, (void **)&f->passes, &f->capacity, d->count, 1, err));
    for (uint32_t i = 0; i < d->count; i++) {
        bool passes;
        TRY(passes_text(f, d->texts[i], &passes, err));
        f->passes[i] = passes;
    }
    return VARVE_OK;
}

static enum varve_status meet_segment(struct input *in, uint32_t segment, struct varve_err *err)
{
    if (segment == in->segment)
        return VARVE_OK;
    in->segment = segment;
    in->serial++;
    for (uint32_t i = 0; i < in->node->as.measure.label_count; i++)
        TRY(look_up(in, &in->labels[i], err));
    for (uint32_t i = 0; i < in->filter_count; i++) {
        TRY(look_up(in, &in->filters[i].label, err));
        TRY(decide(in, &in->filters[i], err));
    }
    return VARVE_OK;
}

/* ---- batches -------------------------------------------------------------------------- */

static void put_vector(struct input *in, uint32_t i, uint32_t runs)
{
    struct input_label *label = &in->labels[i];
    in->vectors[i] = vector_of_column(&in->read[label->column]);
    struct vector *v = &in->vectors[i];
    if (!label->lookup || v->form != VECTOR_CODES)
        return;
    for (uint32_t r = 0; r < runs; r++) {
        uint32_t code = v->codes[r];
        label->codes[r] = label->texts[code].size ? code : 0;
    }
    v->codes = label->codes;
    v->dictionary = &label->dictionary;
}

static void apply_filter(struct input *in, const struct input_filter *f, struct batch *batch)
{
    const struct varve_column *column = &in->read[f->label.column];
    uint32_t kept = 0, n = batch_count(batch);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t row = batch_row(batch, i);
        in->selected[kept] = (uint16_t)row;
        kept += column->dictionary ? f->passes[column->codes[row]] : f->passes_missing;
    }
    batch->selected = in->selected;
    batch->selected_count = kept;
}

enum varve_status input_next(struct input *in, struct batch *batch, struct varve_err *err)
{
    uint32_t runs, segment;
    if (!in->scan)
        return VARVE_DONE;
    if (in->is_rows) {
        TRY(scan_rows(in->scan, &in->rows, err));
        runs = in->rows.runs;
        segment = in->rows.segment;
        in->read = in->rows.columns;
    } else {
        TRY(scan_runs(in->scan, &in->runs, err));
        runs = in->runs.runs;
        segment = in->runs.segment;
        in->read = in->runs.columns;
    }
    TRY(meet_segment(in, segment, err));
    for (uint32_t i = 0; i < in->node->as.measure.label_count; i++)
        put_vector(in, i, runs);
    *batch = (struct batch){.rows = runs,
                            .column_count = in->node->as.measure.label_count,
                            .columns = in->vectors,
                            .segment = in->serial};
    for (uint32_t i = 0; i < in->filter_count; i++)
        apply_filter(in, &in->filters[i], batch);
    if (!in->where)
        return VARVE_OK;
    uint32_t kept;
    TRY(program_select(in->where, batch, in->selected, &kept, err));
    batch->selected = in->selected;
    batch->selected_count = kept;
    return VARVE_OK;
}
