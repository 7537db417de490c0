/* SPDX-License-Identifier: Apache-2.0
 *
 * catalogue_values.c -- lists that are read out of the data: the values of a label, the series of a
 * metric, and what DESCRIBE says.
 *
 * Series are read run by run with all of their labels, and known by the text these make.
 */
#include "exec/catalogue_op.h"

#include "base/names.h"
#include "exec/definitions.h"
#include "exec/long_sort.h"
#include "store/describe.h"
#include "store/visit.h"

/* ---- values of a label ------------------------------------------------------------ */

/* Adds (value, count) of one range of one source; a value several times where it is in several
 * segments.  sign -1: values that are to be taken away. */
struct value_scan {
    struct listing *listing;
    struct varve_str source;
    bool is_metric;
    struct time_range range;
    int sign;
    const struct lookup *lookup;
    uint32_t field;
};

static int add_value(struct value_scan *v, struct varve_str text, int64_t count)
{
    if (v->lookup)
        text = lookup_value(v->lookup, v->field, text);
    const struct value cells[] = {text.size > 0 ? value_text(text) : value_null(),
                                  value_int(TYPE_INT, v->sign * count)};
    return listing_add(v->listing, cells);
}

/* A dictionary is gone once the scan has gone on, so all of its texts become rows when it is met,
 * and codes are counted in these. */
struct dictionary_rows {
    uint64_t first; /* that of code 1 */
    uint32_t segment;
    bool is_there;
};

static enum varve_status meet(struct value_scan *v, struct dictionary_rows *d, uint32_t segment,
                              const struct varve_column *column, struct varve_err *err)
{
    TRY(exec_check(v->listing->exec, err));
    if (column->type != VARVE_TEXT || (d->is_there && d->segment == segment))
        return VARVE_OK;
    *d = (struct dictionary_rows){v->listing->rows.rows, segment, true};
    for (uint32_t i = 1; i < column->dictionary->count; i++)
        if (add_value(v, column->dictionary->texts[i], 0) != 0)
            return v->listing->status;
    return VARVE_OK;
}

static void
count_code(struct value_scan *v, const struct dictionary_rows *d, uint32_t code, int64_t count)
{
    if (code > 0)
        relation_row(&v->listing->rows, d->first + code - 1)[1].as.i += v->sign * count;
}

static enum varve_status count_runs(struct value_scan *v, struct scan *scan, struct varve_err *err)
{
    struct varve_runs runs;
    struct dictionary_rows d = {.is_there = false};
    enum varve_status status;
    while ((status = scan_runs(scan, &runs, err)) == VARVE_OK) {
        const struct varve_column *column = &runs.columns[0];
        TRY(meet(v, &d, runs.segment, column, err));
        for (uint32_t r = 0; column->type == VARVE_TEXT && r < runs.runs; r++)
            count_code(v, &d, column->codes[r], runs.points[r]);
    }
    return status;
}

static enum varve_status count_rows(struct value_scan *v, struct scan *scan, struct varve_err *err)
{
    struct varve_rows rows;
    struct dictionary_rows d = {.is_there = false};
    enum varve_status status;
    while ((status = scan_rows(scan, &rows, err)) == VARVE_OK) {
        const struct varve_column *column = &rows.columns[0];
        struct vector vector = vector_of_column(column);
        TRY(meet(v, &d, rows.segment, column, err));
        for (uint32_t r = 0; r < rows.rows; r++) {
            char text[VALUE_TEXT_MAX];
            struct value value = vector_value(&vector, r);
            if (column->type == VARVE_TEXT)
                count_code(v, &d, column->codes[r], 1);
            else if (!value_is_null(value) &&
                     add_value(v, (struct varve_str){text, value_print(value, text)}, 1) != 0)
                return v->listing->status;
        }
    }
    return status;
}

static enum varve_status scan_values(struct value_scan *v, struct varve_err *err)
{
    struct exec *exec = v->listing->exec;
    struct scan *scan;
    struct varve_query query = {.source = v->source,
                                .since = v->range.since,
                                .until = v->range.until,
                                .columns = &v->listing->node->as.catalogue.label.name,
                                .column_count = 1};
    enum varve_status status = scan_open(exec->snapshot, &query, &scan, err);
    if (status == VARVE_NOTFOUND)
        return VARVE_OK; /* known, but without data */
    TRY(status);
    status = v->is_metric ? count_runs(v, scan, err) : count_rows(v, scan, err);
    scan_close(scan);
    return status == VARVE_DONE ? VARVE_OK : status;
}

struct all_sources {
    struct value_scan scan;
    struct varve_err *err;
    enum varve_status status;
};

static int scan_metric(void *context, const struct varve_metric_info *info)
{
    struct all_sources *all = context;
    all->scan.source = info->metric.name;
    all->scan.is_metric = true;
    all->status = scan_values(&all->scan, all->err);
    return all->status != VARVE_OK;
}

static int scan_table(void *context, const struct varve_table_info *info)
{
    struct all_sources *all = context;
    all->scan.source = info->name;
    all->scan.is_metric = false;
    all->status = scan_values(&all->scan, all->err);
    return all->status != VARVE_OK;
}

static enum varve_status
scan_range(struct listing *l, struct time_range range, int sign, struct varve_err *err)
{
    const struct column_ref *label = &l->node->as.catalogue.label;
    struct all_sources all = {.scan = {.listing = l, .range = range, .sign = sign}, .err = err};
    if (label->lookup.size > 0) {
        all.scan.lookup = lookup_find(l->exec->lookups, label->lookup);
        if (!all.scan.lookup)
            return fail(err, VARVE_NOTFOUND, "lookup", "'%.*s' is gone", STR_ARG(label->lookup));
        all.scan.field = lookup_field(all.scan.lookup, label->field);
    }
    if (l->node->as.catalogue.of.size > 0) {
        all.scan.source = l->node->as.catalogue.of;
        all.scan.is_metric = l->node->as.catalogue.of_is_metric;
        return scan_values(&all.scan, err);
    }
    TRY(visit_metrics(l->exec->snapshot, scan_metric, &all, err));
    TRY(all.status);
    TRY(visit_tables(l->exec->snapshot, scan_table, &all, err));
    return all.status;
}

/* Rows of one first column become one: counts are added up; `taken`: one that is negative takes the
 * value away. */
static enum varve_status merge_counts(struct listing *l, struct varve_err *err)
{
    const uint32_t by = 0;
    uint64_t kept = 0;
    TRY(relation_sort(&l->rows, &by, NULL, 1, err));
    for (uint64_t i = 0; i < l->rows.rows;) {
        struct value first = relation_row(&l->rows, i)[0];
        int64_t sum = 0;
        bool taken = false;
        for (; i < l->rows.rows && value_compare(first, relation_row(&l->rows, i)[0]) == 0; i++) {
            int64_t count = relation_row(&l->rows, i)[1].as.i;
            taken |= count < 0;
            sum += count;
        }
        if (taken || sum == 0 || value_is_null(first))
            continue;
        struct value *to = relation_row(&l->rows, kept++);
        to[0] = first;
        to[1] = value_int(TYPE_INT, sum);
    }
    relation_cut(&l->rows, kept);
    return VARVE_OK;
}

enum varve_status list_values(struct listing *l, struct varve_err *err)
{
    const struct node *node = l->node;
    const struct time_range always = {INT64_MIN, INT64_MAX};
    const uint32_t by = 1;
    const bool descending = true;
    bool has_range = node->as.catalogue.range.since <= node->as.catalogue.range.until;
    TRY(scan_range(l, has_range ? node->as.catalogue.range : always, 1, err));
    if (node->as.catalogue.only_new)
        TRY(scan_range(l, node->as.catalogue.versus, -1, err));
    TRY(merge_counts(l, err));
    l->is_sorted = true;
    return relation_sort(&l->rows, &by, &descending, 1, err);
}

/* ---- series ------------------------------------------------------------------------- */

/* {model="opus",user.email="ann"}; quotes and backslashes are escaped. */
static void series_text(struct buf *out, const struct varve_str *names, size_t count,
                        const struct varve_column *columns, uint32_t run)
{
    const char *before = "{";
    for (size_t c = 0; c < count; c++) {
        struct vector vector = vector_of_column(&columns[c]);
        struct value value = vector_value(&vector, run);
        if (value.type != TYPE_TEXT)
            continue;
        buf_put(out, before, 1);
        before = ",";
        buf_put(out, names[c].data, names[c].size);
        buf_put(out, "=\"", 2);
        for (uint32_t i = 0; i < value.size; i++) {
            if (value.as.s[i] == '"' || value.as.s[i] == '\\')
                buf_put8(out, '\\');
            buf_put8(out, (uint8_t)value.as.s[i]);
        }
        buf_put8(out, '"');
    }
    if (*before == '{')
        buf_put8(out, '{');
    buf_put8(out, '}');
}

static enum varve_status merge_series(struct listing *l, struct varve_err *err)
{
    const uint32_t by = 0;
    uint64_t kept = 0;
    TRY(relation_sort(&l->rows, &by, NULL, 1, err));
    for (uint64_t i = 0; i < l->rows.rows; i++) {
        struct value *row = relation_row(&l->rows, i);
        struct value *last = kept ? relation_row(&l->rows, kept - 1) : NULL;
        if (last && value_compare(last[0], row[0]) == 0) {
            last[1].as.i += row[1].as.i;
            last[2].as.i = row[2].as.i < last[2].as.i ? row[2].as.i : last[2].as.i;
            last[3].as.i = row[3].as.i > last[3].as.i ? row[3].as.i : last[3].as.i;
            continue;
        }
        memmove(relation_row(&l->rows, kept++), row, l->rows.columns * sizeof *row);
    }
    relation_cut(&l->rows, kept);
    return VARVE_OK;
}

static enum varve_status
add_series(struct listing *l, struct scan *scan, const struct varve_str *names, size_t count,
           struct buf *text, struct varve_err *err)
{
    struct varve_runs runs;
    enum varve_status status;
    while ((status = scan_runs(scan, &runs, err)) == VARVE_OK) {
        TRY(exec_check(l->exec, err));
        for (uint32_t r = 0; r < runs.runs; r++) {
            if (runs.points[r] == 0)
                continue;
            buf_clear(text);
            series_text(text, names, count, runs.columns, r);
            TRY(buf_status(text, err));
            const struct value cells[] = {
                value_text((struct varve_str){(const char *)text->data, text->size}),
                value_int(TYPE_INT, runs.points[r]), value_int(TYPE_TIME, runs.first[r]),
                value_int(TYPE_TIME, runs.last[r])};
            if (listing_add(l, cells) != 0)
                return l->status;
        }
    }
    return status;
}

enum varve_status list_series(struct listing *l, struct varve_err *err)
{
    struct varve_str *names;
    size_t count;
    struct scan *scan;
    struct buf text;
    struct varve_query query = {
        .source = l->node->as.catalogue.of, .since = INT64_MIN, .until = INT64_MAX};
    TRY(listing_columns(l, query.source, true, &names, &count, err));
    query.columns = names;
    query.column_count = count;
    enum varve_status status = scan_open(l->exec->snapshot, &query, &scan, err);
    if (status == VARVE_NOTFOUND)
        return VARVE_OK;
    TRY(status);
    buf_init(&text, l->exec->mem, 1 << 20);
    status = add_series(l, scan, names, count, &text, err);
    buf_free(&text);
    scan_close(scan);
    return status == VARVE_DONE ? merge_series(l, err) : status;
}

/* ---- DESCRIBE ------------------------------------------------------------------------- */

static int say(struct listing *l, const char *name, struct value value)
{
    char text[VALUE_TEXT_MAX];
    if (value.type != TYPE_TEXT && value.type != TYPE_NULL)
        value = value_text((struct varve_str){text, value_print(value, text)});
    const struct value cells[] = {value_text((struct varve_str){name, strlen(name)}), value};
    return listing_add(l, cells);
}

static struct value words(const char *text)
{
    return value_text((struct varve_str){text, strlen(text)});
}

/* Rows by how they count, and who wrote them: a writer is a series and a start. */
struct census {
    uint64_t rows[5]; /* by enum varve_form */
    uint64_t from_zero, unknown_start;
    uint64_t *writers; /* hashes */
    size_t writer_count, writer_capacity;
};

static enum varve_status add_writer(struct listing *l, struct census *census, uint64_t series,
                                    int64_t start, struct varve_err *err)
{
    uint64_t hash = value_hash(value_int(TYPE_INT, (int64_t)series ^ start)) + series;
    if (census->writer_count > 0 && census->writers[census->writer_count - 1] == hash)
        return VARVE_OK;
    TRY(mem_grow(l->exec->mem, (void **)&census->writers, &census->writer_capacity,
                 census->writer_count + 1, sizeof *census->writers, err));
    census->writers[census->writer_count++] = hash;
    return VARVE_OK;
}

/* A number for a series that holds in all segments. */
static uint64_t series_hash(const struct varve_column *columns, size_t count, uint32_t run)
{
    uint64_t hash = 0;
    for (size_t c = 0; c < count; c++) {
        struct vector vector = vector_of_column(&columns[c]);
        struct value value = vector_value(&vector, run);
        hash = (hash << 7 | hash >> 57) * UINT64_C(0x9e3779b97f4a7c15) +
               (value_is_null(value) ? 1 : value_hash(value));
    }
    return hash;
}

static enum varve_status take_census(struct listing *l, struct scan *scan, size_t labels,
                                     struct census *census, struct varve_err *err)
{
    struct varve_rows rows;
    enum varve_status status;
    while ((status = scan_rows(scan, &rows, err)) == VARVE_OK) {
        TRY(exec_check(l->exec, err));
        for (uint32_t r = 0; r < rows.runs; r++) {
            uint8_t form = rows.run_form[r];
            uint32_t from = rows.run_start[r], to = rows.run_start[r + 1];
            uint64_t series = series_hash(rows.columns, labels, r);
            census->rows[form] += to - from;
            if (form != VARVE_FORM_CUMULATIVE)
                continue;
            for (uint32_t i = from; i < to; i++) {
                census->from_zero += rows.start[i] == VARVE_FROM_ZERO;
                census->unknown_start += rows.start[i] == 0;
                TRY(add_writer(l, census, series, rows.start[i], err));
            }
        }
    }
    return status == VARVE_DONE ? VARVE_OK : status;
}

static int compare_hashes(const void *context, const void *a, const void *b)
{
    (void)context;
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static uint64_t distinct(const uint64_t *hashes, size_t count)
{
    uint64_t n = 0;
    for (size_t i = 0; i < count; i++)
        n += i == 0 || hashes[i] != hashes[i - 1];
    return n;
}

/* Where counters begin: with what the sender said, at zero, or with what was read first. */
static void say_census(struct listing *l, struct census *census)
{
    static const struct {
        enum varve_form form;
        const char *name;
    } forms[] = {{VARVE_FORM_DELTA, "delta rows"},
                 {VARVE_FORM_CUMULATIVE, "cumulative rows"},
                 {VARVE_FORM_GAUGE, "gauge rows"},
                 {VARVE_FORM_ADJUSTMENT, "adjustments"},
                 {VARVE_FORM_BASELINE, "baselines"}};
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        if (census->rows[forms[i].form] > 0)
            say(l, forms[i].name, value_int(TYPE_INT, (int64_t)census->rows[forms[i].form]));
    if (census->rows[VARVE_FORM_CUMULATIVE] > 0)
        say(l, "writers",
            value_int(TYPE_INT, (int64_t)distinct(census->writers, census->writer_count)));
    if (census->from_zero > 0)
        say(l, "without a start", words("begins at zero with its session: all of it counts"));
    else if (census->unknown_start > 0 || census->rows[VARVE_FORM_BASELINE] > 0)
        say(l, "without a start", words("the first reading is a baseline and does not count"));
}

static enum varve_status describe_rows(struct listing *l, struct varve_err *err)
{
    struct varve_str *names;
    size_t count;
    struct scan *scan;
    struct census census = {.writer_count = 0};
    struct varve_query query = {.source = l->node->as.catalogue.of,
                                .since = INT64_MIN,
                                .until = INT64_MAX,
                                .flags = VARVE_BASELINES};
    TRY(listing_columns(l, query.source, true, &names, &count, err));
    for (size_t i = 0; i < count; i++)
        if (say(l, "label", value_text(names[i])) != 0)
            return l->status;
    query.columns = names;
    query.column_count = count;
    enum varve_status status = scan_open(l->exec->snapshot, &query, &scan, err);
    if (status == VARVE_NOTFOUND)
        return VARVE_OK;
    TRY(status);
    status = take_census(l, scan, count, &census, err);
    if (status == VARVE_OK)
        status = long_sort(l->exec, census.writers, census.writer_count, sizeof *census.writers,
                           compare_hashes, NULL, err);
    if (status == VARVE_OK)
        say_census(l, &census);
    mem_free(l->exec->mem, census.writers, census.writer_capacity * sizeof *census.writers);
    scan_close(scan);
    return status == VARVE_OK ? l->status : status;
}

struct about {
    struct listing *listing;
    struct varve_str name;
};

static int about_metric(void *context, const struct varve_metric_info *info)
{
    struct about *about = context;
    struct listing *l = about->listing;
    if (!str_equal(info->metric.name, about->name))
        return 0;
    say(l, "series", value_int(TYPE_INT, (int64_t)info->series));
    say(l, "points", value_int(TYPE_INT, (int64_t)info->points));
    if (info->oldest <= info->newest) {
        say(l, "oldest", value_int(TYPE_TIME, info->oldest));
        say(l, "newest", value_int(TYPE_TIME, info->newest));
    }
    return 1;
}

static int about_table(void *context, const struct varve_table_info *info)
{
    struct about *about = context;
    struct listing *l = about->listing;
    if (!str_equal(info->name, about->name))
        return 0;
    say(l, "rows", value_int(TYPE_INT, (int64_t)info->rows));
    say(l, "oldest", value_int(TYPE_TIME, info->oldest));
    say(l, "newest", value_int(TYPE_TIME, info->newest));
    return 1;
}

static enum varve_status describe_a_metric(struct listing *l, struct varve_err *err)
{
    struct varve_str name = l->node->as.catalogue.of;
    const struct name_metric *known = names_metric(name);
    struct described_metric metric = {.kind = known ? (enum varve_kind)known->kind : VARVE_COUNTER};
    struct about about = {l, name};
    enum varve_status status = describe_metric(l->exec->snapshot, name, &l->arena, &metric, err);
    if (status != VARVE_NOTFOUND)
        TRY(status);
    say(l, "metric", value_text(name));
    if (known) {
        say(l, "short name", value_text(known->short_name));
        say(l, "what", value_text(known->help));
    }
    say(l, "kind", words(listing_kind(metric.kind)));
    if (metric.unit.size > 0)
        say(l, "unit", value_text(metric.unit));
    say(l, "kept as",
        words(metric.scale == 9 ? "exact decimals of 1e-9" : "integers; doubles bit for bit"));
    if (status == VARVE_NOTFOUND)
        say(l, "points", words("none in this store"));
    TRY(l->status);
    TRY(visit_metrics(l->exec->snapshot, about_metric, &about, err));
    return describe_rows(l, err);
}

static enum varve_status describe_a_table(struct listing *l, struct varve_err *err)
{
    struct varve_str *names;
    size_t count;
    struct about about = {l, l->node->as.catalogue.of};
    say(l, "table", value_text(about.name));
    TRY(visit_tables(l->exec->snapshot, about_table, &about, err));
    TRY(listing_columns(l, about.name, false, &names, &count, err));
    for (size_t i = 0; i < count; i++)
        if (say(l, "column", value_text(names[i])) != 0)
            return l->status;
    return l->status;
}

enum varve_status list_description(struct listing *l, struct varve_err *err)
{
    struct varve_str name = l->node->as.catalogue.of, text;
    l->is_sorted = true;
    if (l->node->as.catalogue.of_is_metric)
        return describe_a_metric(l, err);
    if (snapshot_table_number(l->exec->snapshot, name) > 0)
        return describe_a_table(l, err);
    TRY(view_find(l->exec->snapshot->store, name, &l->arena, &text, err));
    say(l, "view", value_text(name));
    say(l, "text", value_text(text));
    return l->status;
}
