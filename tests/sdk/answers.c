/* SPDX-License-Identifier: Apache-2.0
 *
 * answers.c -- the answers of a store, worked out from its rows and compared with those expected.
 *
 * A series is asked for by the labels it has and by those that it does not have but others of its
 * metric do.  Labels that they have from their resource are not in expected.json and do not matter.
 */
#include "answers.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "../api/ask.h"
#include "../base/unit.h"

#define LABELS_MAX 32
#define FIELDS_MAX 64

/* What is being compared, for messages. */
static char at[512];

static void differ(const char *what, const char *is, const char *should)
{
    fail_msg("%s: %s is %s, should be %s", at, what, is, should);
}

static void same_int(const char *what, int64_t is, int64_t should)
{
    char a[32], b[32];
    if (is == should)
        return;
    snprintf(a, sizeof a, "%" PRId64, is);
    snprintf(b, sizeof b, "%" PRId64, should);
    differ(what, a, b);
}

static void same_number(const char *what, double is, double should)
{
    char a[32], b[32];
    if (fabs(is - should) <= 1e-12 * fabs(should))
        return;
    snprintf(a, sizeof a, "%.17g", is);
    snprintf(b, sizeof b, "%.17g", should);
    differ(what, a, b);
}

static struct varve_str text_of(const json_t *string)
{
    return (struct varve_str){json_string_value(string), json_string_length(string)};
}

static const char *name_of(const json_t *object)
{
    return json_string_value(json_object_get(object, "name"));
}

/* ---- series ------------------------------------------------------------ */

struct selection {
    struct varve_filter filters[LABELS_MAX];
    struct varve_str values[LABELS_MAX];
    size_t count;
};

static void select_label(struct selection *selection, const char *key, struct varve_str value)
{
    size_t i = selection->count++;
    assert_true(i < LABELS_MAX);
    selection->values[i] = value;
    selection->filters[i] =
        (struct varve_filter){.key = varve_str(key), .values = &selection->values[i], .count = 1};
}

/* The labels of a series, and the absence of those that only others of its name have. */
static void select_series(struct selection *selection, const json_t *all, const json_t *series)
{
    json_t *labels = json_object_get(series, "attributes"), *value, *other;
    const char *key;
    size_t i;
    selection->count = 0;
    json_object_foreach (labels, key, value)
        select_label(selection, key, text_of(value));
    json_array_foreach (all, i, other) {
        json_t *others = json_object_get(other, "attributes");
        if (strcmp(name_of(other), name_of(series)) != 0)
            continue;
        json_object_foreach (others, key, value) {
            bool known = json_object_get(labels, key) != NULL;
            for (size_t k = 0; k < selection->count && !known; k++)
                known = selection->filters[k].key.size == strlen(key) &&
                        memcmp(selection->filters[k].key.data, key, strlen(key)) == 0;
            if (!known)
                select_label(selection, key, (struct varve_str){"", 0});
        }
    }
    snprintf(at, sizeof at, "%s %s", name_of(series),
             json_string_value(json_object_get(labels, "session.id")));
}

static varve_scan *
open_scan(varve_snapshot *snapshot, struct varve_str source, const struct selection *selection,
          const struct varve_str *columns, size_t column_count)
{
    varve_scan *scan;
    struct varve_query query = {.source = source,
                                .since = INT64_MIN,
                                .until = INT64_MAX,
                                .filters = selection ? selection->filters : NULL,
                                .filter_count = selection ? selection->count : 0,
                                .columns = columns,
                                .column_count = column_count};
    MUST(varve_scan_open(snapshot, &query, &scan, &test_err));
    return scan;
}

struct sum {
    int64_t whole;
    double fraction;
    uint64_t points;
    int scale;
    enum varve_kind kind;
};

static struct sum
sum_of(varve_snapshot *snapshot, struct varve_str metric, const struct selection *selection)
{
    struct sum sum = {.scale = -1};
    struct varve_runs runs;
    enum varve_status status;
    varve_scan *scan = open_scan(snapshot, metric, selection, NULL, 0);
    while ((status = varve_scan_runs(scan, &runs, &test_err)) == VARVE_OK) {
        sum.scale = runs.scale;
        sum.kind = runs.kind;
        for (uint32_t r = 0; r < runs.runs; r++) {
            sum.points += runs.points[r];
            if (runs.sums)
                sum.whole += runs.sums[r];
            else
                sum.fraction += runs.float_sums[r] + runs.float_rests[r];
        }
    }
    if (status != VARVE_DONE)
        MUST(status);
    varve_scan_close(scan);
    return sum;
}

void answers_counters(varve_snapshot *snapshot, const json_t *expected)
{
    const json_t *all = json_object_get(expected, "counters"), *series;
    struct selection selection;
    size_t i;
    json_array_foreach (all, i, series) {
        const json_t *other;
        size_t k;
        int64_t total = 0;
        select_series(&selection, all, series);
        struct sum sum = sum_of(snapshot, varve_str(name_of(series)), &selection);
        same_int("the sum", sum.whole, json_integer_value(json_object_get(series, "sum")));
        same_int("the scale", sum.scale, json_integer_value(json_object_get(series, "scale")));
        same_int("the kind", sum.kind, VARVE_COUNTER);
        same_number("the part that is no integer", sum.fraction, 0);
        json_array_foreach (all, k, other)
            if (strcmp(name_of(other), name_of(series)) == 0)
                total += json_integer_value(json_object_get(other, "sum"));
        sum = sum_of(snapshot, varve_str(name_of(series)), NULL);
        same_int("the total", sum.whole, total);
    }
    assert_true(i > 0);
}

/* ---- gauges ------------------------------------------------------------ */

static bool was_read(const json_t *readings, double value)
{
    const json_t *reading;
    size_t i;
    json_array_foreach (readings, i, reading)
        if (fabs(json_number_value(reading) - value) <= 0)
            return true;
    return false;
}

void answers_gauges(varve_snapshot *snapshot, const json_t *expected)
{
    const json_t *all = json_object_get(expected, "gauges"), *series;
    struct selection selection;
    struct varve_rows rows;
    enum varve_status status;
    size_t i;
    json_array_foreach (all, i, series) {
        int64_t time = INT64_MIN;
        double last = 0;
        select_series(&selection, all, series);
        varve_scan *scan = open_scan(snapshot, varve_str(name_of(series)), &selection, NULL, 0);
        while ((status = varve_scan_rows(scan, &rows, &test_err)) == VARVE_OK) {
            same_int("the kind", rows.kind, VARVE_GAUGE);
            for (uint32_t r = 0; r < rows.rows; r++) {
                double value = rows.ints ? (double)rows.ints[r] : rows.floats[r];
                if (!was_read(json_object_get(series, "readings"), value))
                    differ("a reading", "not what was read", "one of its readings");
                if (rows.end[r] > time)
                    last = value;
                time = rows.end[r] > time ? rows.end[r] : time;
            }
        }
        if (status != VARVE_DONE)
            MUST(status);
        varve_scan_close(scan);
        same_number("the last reading", last, json_number_value(json_object_get(series, "last")));
    }
    assert_true(i > 0);
}

/* ---- histograms -------------------------------------------------------- */

static int64_t part_of(varve_snapshot *snapshot, const json_t *series, const char *suffix,
                       struct selection *selection, double *fraction)
{
    char name[128];
    snprintf(name, sizeof name, "%s%s", name_of(series), suffix);
    struct sum sum = sum_of(snapshot, varve_str(name), selection);
    assert_true(sum.points > 0);
    *fraction = sum.fraction + (double)sum.whole / (sum.scale == 9 ? 1e9 : 1);
    return sum.whole;
}

void answers_histograms(varve_snapshot *snapshot, const json_t *expected)
{
    const json_t *all = json_object_get(expected, "histograms"), *series;
    struct selection selection;
    double number;
    size_t i;
    json_array_foreach (all, i, series) {
        const json_t *bounds = json_object_get(series, "bounds");
        const json_t *counts = json_object_get(series, "counts"), *count;
        int64_t below = 0;
        size_t k;
        select_series(&selection, all, series);
        same_int("the count", part_of(snapshot, series, "_count", &selection, &number),
                 json_integer_value(json_object_get(series, "count")));
        part_of(snapshot, series, "_sum", &selection, &number);
        same_number("the sum", number, json_number_value(json_object_get(series, "sum")));
        size_t labels = selection.count;
        json_array_foreach (counts, k, count) {
            char bound[32] = "+Inf", what[48];
            if (k < json_array_size(bounds))
                snprintf(bound, sizeof bound, "%g", json_number_value(json_array_get(bounds, k)));
            snprintf(what, sizeof what, "the bucket up to %s", bound);
            selection.count = labels;
            select_label(&selection, "le", varve_str(bound));
            below += json_integer_value(count);
            same_int(what, part_of(snapshot, series, "_bucket", &selection, &number), below);
        }
    }
    assert_true(i > 0);
}

/* ---- events ------------------------------------------------------------ */

/* What has been seen of one field. */
struct seen {
    enum varve_type type;
    int64_t rows, whole;
    double fraction;
    json_t *texts;
};

static bool is_there(const struct varve_column *column, uint32_t row)
{
    if (column->type == VARVE_NULL)
        return false;
    if (column->type == VARVE_TEXT && column->codes[row] == 0)
        return false;
    return !column->present || (column->present[row / 64] >> (row % 64) & 1) != 0;
}

static void see_text(struct seen *seen, struct varve_str text)
{
    char key[4096];
    assert_true(text.size < sizeof key);
    memcpy(key, text.data, text.size);
    key[text.size] = '\0';
    json_int_t so_far = json_integer_value(json_object_get(seen->texts, key));
    assert_int_equal(json_object_set_new(seen->texts, key, json_integer(so_far + 1)), 0);
}

static void see(struct seen *seen, const struct varve_column *column, uint32_t row)
{
    if (!is_there(column, row))
        return;
    seen->rows++;
    seen->type = column->type;
    if (column->type == VARVE_TEXT)
        see_text(seen, column->dictionary->texts[column->codes[row]]);
    else if (column->type == VARVE_FLOAT)
        seen->fraction += column->floats[row];
    else
        seen->whole += column->ints[row];
}

static void compare_field(const struct seen *seen, const json_t *field)
{
    static const struct {
        const char *name;
        enum varve_type type;
    } types[] = {
        {"int", VARVE_INT}, {"float", VARVE_FLOAT}, {"bool", VARVE_BOOL}, {"text", VARVE_TEXT}};
    const char *wanted = json_string_value(json_object_get(field, "type"));
    same_int("the rows that have it", seen->rows,
             json_integer_value(json_object_get(field, "rows")));
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(types[i].name, wanted) == 0)
            same_int("the type", seen->type, types[i].type);
    const json_t *texts = json_object_get(field, "values"), *sum = json_object_get(field, "sum");
    if (texts && !json_equal(texts, seen->texts)) {
        char *is = json_dumps(seen->texts, JSON_COMPACT), *should = json_dumps(texts, JSON_COMPACT);
        differ("what it says", is, should);
    }
    if (seen->type == VARVE_FLOAT)
        same_number("the sum", seen->fraction, json_number_value(sum));
    else if (!texts)
        same_int("the sum", seen->whole, json_integer_value(sum));
}

/* The rows of a table, or those that `selection` leaves of it. */
static void compare_rows(varve_snapshot *snapshot, struct varve_str table,
                         const struct selection *selection, const json_t *wanted)
{
    json_t *fields = json_object_get(wanted, "fields"), *field;
    struct varve_str columns[FIELDS_MAX];
    struct seen seen[FIELDS_MAX] = {{0}};
    size_t count = 0;
    const char *key;
    struct varve_rows rows;
    enum varve_status status;
    int64_t total = 0;
    json_object_foreach (fields, key, field) {
        assert_true(count < FIELDS_MAX);
        seen[count].texts = json_object();
        columns[count++] = varve_str(key);
    }
    varve_scan *scan = open_scan(snapshot, table, selection, columns, count);
    while ((status = varve_scan_rows(scan, &rows, &test_err)) == VARVE_OK) {
        total += rows.rows;
        for (uint32_t row = 0; row < rows.rows; row++)
            for (size_t i = 0; i < count; i++)
                see(&seen[i], &rows.columns[i], row);
    }
    if (status != VARVE_DONE)
        MUST(status);
    varve_scan_close(scan);
    same_int("the number of rows", total, json_integer_value(json_object_get(wanted, "rows")));
    count = 0;
    size_t length = strlen(at);
    json_object_foreach (fields, key, field) {
        snprintf(at + length, sizeof at - length, ".%s", key);
        compare_field(&seen[count], field);
        json_decref(seen[count++].texts);
    }
}

void answers_events(varve_snapshot *snapshot, const json_t *expected)
{
    json_t *tables = json_object_get(expected, "events"), *wanted;
    const char *name;
    json_object_foreach (tables, name, wanted) {
        snprintf(at, sizeof at, "%s", name);
        compare_rows(snapshot, varve_str(name), NULL, wanted);
    }
    assert_true(json_object_size(tables) > 0);
}

struct search {
    struct varve_str name;
    bool found;
};

static int search(void *context, const struct varve_count_info *info)
{
    struct search *search = context;
    search->found = info->text.size == search->name.size &&
                    memcmp(info->text.data, search->name.data, info->text.size) == 0;
    return search->found;
}

static bool has_field(varve_snapshot *snapshot, struct varve_str table, struct varve_str field)
{
    struct search wanted = {field, false};
    MUST(varve_visit_labels(snapshot, table, search, &wanted, &test_err));
    return wanted.found;
}

void answers_secrets(varve_snapshot *snapshot, const json_t *expected)
{
    const json_t *secret, *all = json_object_get(expected, "secrets");
    size_t i;
    json_array_foreach (all, i, secret) {
        struct varve_str table = text_of(json_object_get(secret, "table"));
        struct varve_str field = text_of(json_object_get(secret, "field"));
        if (has_field(snapshot, table, field))
            fail_msg("%s: %s should not be kept", table.data, field.data);
    }
    assert_true(i > 0);
    assert_true(has_field(snapshot, varve_str("api_request"), varve_str("model")));
}
