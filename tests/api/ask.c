/* SPDX-License-Identifier: Apache-2.0
 *
 * ask.c -- reads rows, runs and events of a store into the answers of the model.
 */
#include "ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/unit.h"

#define KEYS_MAX 16

_Thread_local struct varve_err test_err;

void must_ok(enum varve_status status, const struct varve_err *err, const char *call,
             const char *file, int line)
{
    if (status == VARVE_OK)
        return;
    print_error("%s: %s: %s: %s\n", call, varve_status_name(status), err->place, err->message);
    _fail(file, line);
}

static void need(bool holds, const char *what)
{
    if (!holds)
        fail_msg("the store breaks a promise: %s", what);
}

/* ---- opening ----------------------------------------------------------- */

static bool open_scan(const struct ask *ask, varve_scan **scan)
{
    struct varve_str columns[KEYS_MAX];
    need(ask->key_count <= KEYS_MAX, "no more keys than the test has room for");
    for (size_t i = 0; i < ask->key_count; i++)
        columns[i] = varve_str(ask->keys[i]);
    struct varve_query query = {.source = varve_str(ask->source),
                                .since = ask->since,
                                .until = ask->until,
                                .filters = ask->filters,
                                .filter_count = ask->filter_count,
                                .columns = columns,
                                .column_count = ask->key_count,
                                .flags = ask->flags};
    enum varve_status status = varve_scan_open(ask->snapshot, &query, scan, &test_err);
    if (status == VARVE_NOTFOUND)
        return false;
    MUST(status);
    return true;
}

/* The text of a label or text cell: row i of a column. */
static struct varve_str text_at(const struct varve_column *column, uint32_t i)
{
    if (column->type == VARVE_NULL)
        return (struct varve_str){"", 0};
    need(column->type == VARVE_TEXT && column->dictionary, "a label is a text with a dictionary");
    need(column->codes[i] < column->dictionary->count, "codes are below the dictionary's count");
    need(column->dictionary->texts[0].size == 0, "code 0 is the empty string");
    return column->dictionary->texts[column->codes[i]];
}

static struct labels labels_at(const struct varve_column *columns, const char *const *keys,
                               size_t key_count, uint32_t run)
{
    struct labels labels = {""};
    for (size_t k = 0; k < key_count; k++) {
        char value[LABELS_TEXT];
        struct varve_str text = text_at(&columns[k], run);
        snprintf(value, sizeof value, "%.*s", (int)text.size, text.data);
        labels_set(&labels, keys[k], value);
    }
    return labels;
}

/* ---- rows -------------------------------------------------------------- */

void slow_scan_open(struct slow_scan *slow, const struct ask *ask)
{
    *slow = (struct slow_scan){.keys = ask->keys, .key_count = ask->key_count};
    slow->done = !open_scan(ask, &slow->scan);
}

static void slow_scan_add(struct slow_scan *slow, const struct row_answer *row, bool adjustment)
{
    if (slow->count == slow->room) {
        slow->room = slow->room * 2 + 256;
        slow->rows = realloc(slow->rows, slow->room * sizeof *slow->rows);
        slow->adjustments = realloc(slow->adjustments, slow->room * sizeof *slow->adjustments);
        need(slow->rows && slow->adjustments, "there is memory");
    }
    slow->adjustments[slow->count] = adjustment;
    slow->rows[slow->count++] = *row;
}

void slow_scan_step(struct slow_scan *slow)
{
    struct varve_rows rows;
    if (slow->done)
        return;
    enum varve_status status = varve_scan_rows(slow->scan, &rows, &test_err);
    slow->done = status == VARVE_DONE;
    if (slow->done)
        return;
    MUST(status);
    need(rows.rows > 0 && rows.rows <= VARVE_BATCH_ROWS, "a batch has 1 to 1024 rows");
    need(rows.runs > 0 && rows.run_start[0] == 0 && rows.run_start[rows.runs] == rows.rows,
         "runs cover the rows");
    need((rows.ints != NULL) != (rows.floats != NULL), "rows are ints or floats");
    for (uint32_t run = 0; run < rows.runs; run++) {
        struct row_answer row = {.labels =
                                     labels_at(rows.columns, slow->keys, slow->key_count, run)};
        need(rows.run_start[run] < rows.run_start[run + 1], "no run is empty");
        for (uint32_t i = rows.run_start[run]; i < rows.run_start[run + 1]; i++) {
            row.start = rows.start[i];
            row.end = rows.end[i];
            row.value = rows.ints ? exact_of_int(rows.ints[i]) : exact_of_double(rows.floats[i]);
            need(i == rows.run_start[run] || rows.end[i] >= rows.end[i - 1],
                 "ends ascend in a run");
            slow_scan_add(slow, &row, rows.run_form[run] == VARVE_FORM_ADJUSTMENT);
        }
    }
}

static int compare_keys(const struct row_answer *x, const struct row_answer *y)
{
    int order = strcmp(x->labels.text, y->labels.text);
    if (order == 0)
        order = (x->start > y->start) - (x->start < y->start);
    return order ? order : (x->end > y->end) - (x->end < y->end);
}

/* A row among sorted ones with the same labels and times. */
static struct row_answer *
find_row(struct row_answer *rows, size_t count, const struct row_answer *key)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (compare_keys(&rows[middle], key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && compare_keys(&rows[low], key) == 0 ? &rows[low] : NULL;
}

size_t slow_scan_finish(struct slow_scan *slow, struct row_answer **rows)
{
    size_t count = 0, adjustments = 0;
    while (!slow->done)
        slow_scan_step(slow);
    varve_scan_close(slow->scan);
    *rows = calloc(slow->count + 1, sizeof **rows);
    struct row_answer *changes = calloc(slow->count + 1, sizeof *changes);
    need(*rows && changes, "there is memory");
    for (size_t i = 0; i < slow->count; i++)
        if (slow->adjustments[i])
            changes[adjustments++] = slow->rows[i];
        else
            (*rows)[count++] = slow->rows[i];
    qsort(*rows, count, sizeof **rows, compare_row_answers);
    for (size_t i = 0; i < adjustments; i++) {
        struct row_answer *row = find_row(*rows, count, &changes[i]);
        need(row != NULL, "an adjustment has a row to adjust");
        exact_add(&row->value, changes[i].value);
    }
    qsort(*rows, count, sizeof **rows, compare_row_answers);
    free(changes);
    free(slow->rows);
    free(slow->adjustments);
    return count;
}

size_t ask_rows(const struct ask *ask, struct row_answer **rows)
{
    struct slow_scan slow;
    slow_scan_open(&slow, ask);
    return slow_scan_finish(&slow, rows);
}

/* ---- runs -------------------------------------------------------------- */

static struct group_answer *
group_of(struct group_answer **groups, size_t *count, const struct labels *labels)
{
    for (size_t g = 0; g < *count; g++)
        if (strcmp((*groups)[g].labels.text, labels->text) == 0)
            return &(*groups)[g];
    *groups = realloc(*groups, (*count + 1) * sizeof **groups);
    need(*groups != NULL, "there is memory");
    (*groups)[*count] = (struct group_answer){.labels = *labels};
    return &(*groups)[(*count)++];
}

size_t ask_groups(const struct ask *ask, struct group_answer **groups)
{
    varve_scan *scan;
    struct varve_runs runs;
    enum varve_status status;
    size_t count = 0;
    *groups = NULL;
    if (!open_scan(ask, &scan))
        return 0;
    while ((status = varve_scan_runs(scan, &runs, &test_err)) == VARVE_OK) {
        need(runs.runs > 0 && runs.runs <= VARVE_BATCH_ROWS, "a batch has 1 to 1024 runs");
        need((runs.sums != NULL) != (runs.float_sums != NULL), "runs are ints or floats");
        for (uint32_t r = 0; r < runs.runs; r++) {
            struct labels labels = labels_at(runs.columns, ask->keys, ask->key_count, r);
            struct group_answer *group = group_of(groups, &count, &labels);
            need(runs.first[r] >= ask->since && runs.last[r] < ask->until &&
                     runs.first[r] <= runs.last[r],
                 "first and last lie in the range");
            if (runs.sums) {
                exact_add(&group->sum, exact_of_int(runs.sums[r]));
            } else {
                exact_add(&group->sum, exact_of_double(runs.float_sums[r]));
                exact_add(&group->sum, exact_of_double(runs.float_rests[r]));
            }
            group->points += runs.points[r];
        }
    }
    need(status == VARVE_DONE, "a scan ends with VARVE_DONE");
    varve_scan_close(scan);
    if (count)
        qsort(*groups, count, sizeof **groups, compare_group_answers);
    return count;
}

/* ---- events ------------------------------------------------------------ */

static bool present_at(const struct varve_column *column, uint32_t i)
{
    if (column->type == VARVE_NULL)
        return false;
    if (column->present)
        return column->present[i / 64] >> (i % 64) & 1;
    return true;
}

static void
add_field(char *text, size_t size, const char *name, const struct varve_column *column, uint32_t i)
{
    size_t at = strlen(text);
    if (!present_at(column, i))
        return;
    if (column->type == VARVE_TEXT) {
        struct varve_str s = column->dictionary->texts[column->codes[i]];
        snprintf(text + at, size - at, "%s=s:%.*s\n", name, (int)s.size, s.data);
    } else if (column->type == VARVE_FLOAT) {
        snprintf(text + at, size - at, "%s=f:%a\n", name, column->floats[i]);
    } else {
        snprintf(text + at, size - at, "%s=%c:%lld\n", name, column->type == VARVE_BOOL ? 'b' : 'i',
                 (long long)column->ints[i]);
    }
}

size_t ask_events(const struct ask *ask, struct event_answer **events)
{
    varve_scan *scan;
    struct varve_rows rows;
    enum varve_status status;
    size_t count = 0;
    *events = calloc(1, sizeof **events);
    need(*events != NULL, "there is memory");
    if (!open_scan(ask, &scan))
        return 0;
    while ((status = varve_scan_rows(scan, &rows, &test_err)) == VARVE_OK) {
        need(rows.rows > 0 && rows.rows <= VARVE_BATCH_ROWS && rows.runs == 0,
             "a batch of events has 1 to 1024 rows and no runs");
        *events = realloc(*events, (count + rows.rows) * sizeof **events);
        need(*events != NULL, "there is memory");
        for (uint32_t i = 0; i < rows.rows; i++) {
            struct event_answer *event = &(*events)[count++];
            *event = (struct event_answer){.time = rows.end[i]};
            for (size_t k = 0; k < ask->key_count; k++)
                add_field(event->text, sizeof event->text, ask->keys[k], &rows.columns[k], i);
        }
    }
    need(status == VARVE_DONE, "a scan ends with VARVE_DONE");
    varve_scan_close(scan);
    qsort(*events, count, sizeof **events, compare_event_answers);
    return count;
}
