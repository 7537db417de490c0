/* SPDX-License-Identifier: Apache-2.0
 *
 * intake_unit.c -- batches as lines of text, for tests to compare.
 *
 * Everything that a batch holds and a store would keep is in the lines; numbers that are only of
 * the batch are not, so what is compared is what a reader would find.
 */
#include "intake_unit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t secret[RULES_SECRET] = "one secret";

struct varve_str unit_str(const char *text)
{
    return (struct varve_str){text, strlen(text)};
}

struct varve_field unit_text(const char *name, const char *text)
{
    return (struct varve_field){unit_str(name), {.type = VARVE_TEXT, .as.s = unit_str(text)}};
}

struct varve_field unit_int(const char *name, int64_t number)
{
    return (struct varve_field){unit_str(name), {.type = VARVE_INT, .as.i = number}};
}

struct varve_field unit_float(const char *name, double number)
{
    return (struct varve_field){unit_str(name), {.type = VARVE_FLOAT, .as.f = number}};
}

struct varve_field unit_bool(const char *name, bool is_true)
{
    return (struct varve_field){unit_str(name), {.type = VARVE_BOOL, .as.i = is_true}};
}

/* ---- lines ---- */

static void put(struct unit *unit, const char *format, ...) VARVE_PRINTF(2, 3);
static void put(struct unit *unit, const char *format, ...)
{
    va_list list;
    if (unit->capacity - unit->size < 10000) {
        unit->capacity = unit->capacity * 2 + 20000;
        unit->lines = realloc(unit->lines, unit->capacity);
        assert_non_null(unit->lines);
    }
    va_start(list, format);
    unit->size +=
        (size_t)vsnprintf(unit->lines + unit->size, unit->capacity - unit->size, format, list);
    va_end(list);
}

static void put_time(struct unit *unit, int64_t time)
{
    if (time == VARVE_FROM_ZERO)
        put(unit, "0");
    else if (time == 0)
        put(unit, "?");
    else
        put(unit, "%g", (double)(time - UNIT_T0) / 1e9);
}

static void put_number(struct unit *unit, bool is_float, int64_t bits)
{
    double number;
    memcpy(&number, &bits, sizeof number);
    if (is_float)
        put(unit, "%.17g", number);
    else
        put(unit, "%" PRId64, bits);
}

static void put_row(struct unit *unit, const struct rowset *rows, const struct row *row)
{
    static const char *const kinds[] = {"?", "counter", "gauge", "histogram", "updown"};
    static const char *const modes[] = {"delta", "cumulative", "gauge", "adjust", "base"};
    const struct rowset_series *series = &rows->series[row->series];
    const struct rowset_metric *metric = &rows->metrics[series->metric];
    const struct label_set *set = &rows->sets[series->set];
    struct varve_str name = intern_text(&rows->texts, metric->name);
    struct varve_str unit_text = intern_text(&rows->texts, metric->unit);
    put(unit, "%.*s [%s%s%.*s] {", STR_ARG(name), kinds[metric->kind], unit_text.size ? " " : "",
        STR_ARG(unit_text));
    for (size_t i = 0; i < set->count; i++) {
        struct varve_str key = intern_text(&rows->texts, set->pairs[i].key);
        struct varve_str value = intern_text(&rows->texts, set->pairs[i].value);
        put(unit, "%s%.*s=\"%.*s\"", i ? ", " : "", STR_ARG(key), STR_ARG(value));
    }
    put(unit, "} %s ", modes[row->mode]);
    if (row->mode != ROW_GAUGE)
        put_time(unit, row->start);
    put(unit, row->mode == ROW_GAUGE ? "@" : "..");
    put_time(unit, row->end);
    put(unit, " = ");
    put_number(unit, row->is_float, row->value);
    put(unit, "%s\n", metric->scale ? " e-9" : "");
}

static const struct eventset *sorting;

static int by_name(const void *a, const void *b)
{
    const struct cell *x = a, *y = b;
    return str_compare(intern_text(&sorting->texts, x->column),
                       intern_text(&sorting->texts, y->column));
}

static void put_event(struct unit *unit, const struct eventset *events, const struct event *event)
{
    static struct cell cells[EVENT_CELLS_MAX];
    struct varve_str table = intern_text(&events->texts, event->table);
    put(unit, "%.*s @", STR_ARG(table));
    put_time(unit, event->time);
    if (event->cells > 0)
        memcpy(cells, event->cell, event->cells * sizeof *cells);
    sorting = events;
    qsort(cells, event->cells, sizeof *cells, by_name);
    for (size_t i = 0; i < event->cells; i++) {
        struct varve_str name = intern_text(&events->texts, cells[i].column);
        put(unit, " %.*s=", STR_ARG(name));
        if (cells[i].type == VARVE_TEXT) {
            struct varve_str text = intern_text(&events->texts, (uint32_t)cells[i].bits);
            put(unit, "\"%.*s\"", STR_ARG(text));
        } else if (cells[i].type == VARVE_BOOL) {
            put(unit, "%s", cells[i].bits ? "true" : "false");
        } else {
            put_number(unit, cells[i].type == VARVE_FLOAT, cells[i].bits);
            put(unit, "%s", cells[i].type == VARVE_INT ? "i" : "");
        }
    }
    put(unit, "\n");
}

static enum varve_status append(void *context, struct write_batch *batch,
                                struct varve_appended *appended, struct varve_err *err)
{
    struct unit *unit = context;
    if (unit->append_status != VARVE_OK)
        return fail(err, unit->append_status, "", "told so");
    for (size_t i = 0; i < batch->rows.row_count; i++)
        put_row(unit, &batch->rows, &batch->rows.rows[i]);
    for (size_t i = 0; i < batch->events.count; i++)
        put_event(unit, &batch->events, &batch->events.events[i]);
    appended->points += batch->rows.row_count;
    appended->events += batch->events.count;
    return VARVE_OK;
}

static bool known(void *context, struct varve_str name, struct varve_metric *metric)
{
    const struct unit *unit = context;
    for (size_t i = 0; i < unit->known_count; i++)
        if (str_equal(unit->known[i].name, name)) {
            *metric = unit->known[i];
            return true;
        }
    return false;
}

/* ---- the intake ---- */

enum varve_status
unit_open(struct unit *unit, const struct varve_allocator *allocator, const char *rules)
{
    struct varve_err err;
    mem_init(&unit->mem, allocator, 0);
    enum varve_status status = rules_new(&unit->mem, unit_str(rules), secret, &unit->rules, &err);
    if (status != VARVE_OK)
        return status;
    struct intake_options options = {.mem = &unit->mem,
                                     .seed = 77,
                                     .rules = unit->rules,
                                     .report = &unit->report,
                                     .append = append,
                                     .known = known,
                                     .context = unit,
                                     .batch_rows = unit->batch_rows};
    return intake_new(&options, &unit->intake, &err);
}

void unit_close(struct unit *unit)
{
    intake_free(unit->intake);
    rules_free(unit->rules);
    free(unit->lines);
    if (unit->mem.used != 0)
        fail_msg("%zu bytes are left", (size_t)unit->mem.used);
    *unit = (struct unit){.known_count = 0};
}

void unit_check(struct unit *unit, const char *lines)
{
    assert_int_equal(intake_flush(unit->intake, NULL), VARVE_OK);
    assert_string_equal(unit->size ? unit->lines : "", lines);
    unit->size = 0;
}

void unit_rejected(const struct unit *unit, enum reject_reason reason, uint64_t count)
{
    if (unit->report.counts[reason] != count)
        fail_msg("%s: %llu, should be %llu (%s)", reject_reason_text(reason),
                 (unsigned long long)unit->report.counts[reason], (unsigned long long)count,
                 unit->report.first[reason]);
}

void unit_check_same(struct unit *like, struct unit *unit)
{
    assert_int_equal(intake_flush(like->intake, NULL), VARVE_OK);
    assert_true(like->size > 0);
    like->lines[like->size] = '\0';
    unit_check(unit, like->lines);
    for (int reason = 0; reason < REJECT_REASONS; reason++)
        unit_rejected(unit, (enum reject_reason)reason, like->report.counts[reason]);
    assert_int_equal(intake_counts(like->intake)->series, intake_counts(unit->intake)->series);
}

enum varve_status unit_plain(struct unit *unit)
{
    TRY(intake_resource(unit->intake, NULL, 0, NULL));
    return intake_scope(unit->intake, STR("com.anthropic.claude_code"), STR("2.1.0"), NULL, 0,
                        NULL);
}

enum varve_status
unit_number(struct unit *unit, const struct intake_metric *metric, const struct varve_field *labels,
            size_t count, int64_t start, int64_t end, struct varve_value value)
{
    bool wanted, usable = true;
    uint32_t set;
    struct h128 hash = {count, 1};
    for (size_t i = 0; i < count; i++) {
        hash = h128_pair(hash, hash128(labels[i].name.data, labels[i].name.size, 1));
        hash.lo += (uint64_t)labels[i].value.type;
        if (labels[i].value.type == VARVE_TEXT)
            hash =
                h128_pair(hash, hash128(labels[i].value.as.s.data, labels[i].value.as.s.size, 1));
        else
            hash.hi ^= (uint64_t)labels[i].value.as.i;
    }
    TRY(intake_metric(unit->intake, metric, &wanted, NULL));
    if (!wanted) {
        intake_skip(unit->intake, 1);
        return VARVE_OK;
    }
    if (!intake_find_labels(unit->intake, hash, &set))
        TRY(intake_labels(unit->intake, hash, labels, count, &set, &usable, NULL));
    return usable ? intake_number(unit->intake, set, start, end, value, NULL) : VARVE_OK;
}
