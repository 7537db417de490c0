/* SPDX-License-Identifier: Apache-2.0
 *
 * batch.c -- checks what comes in and gives numbers the form in which the store keeps them.
 *
 * All of the store's promises about names, sizes and times are kept here; what is below may
 * rely on them.  A refused point leaves at most a metric, a label set or a series that no row
 * refers to, and such are never written.
 */
#include "store/batch.h"

#include <math.h>
#include <stdio.h>

#include "base/str.h"

#define NAME_MAX_BYTES 256u
#define LABEL_MAX_BYTES 4096u
#define LABELS_MAX 128u
#define ROWS_MAX (4u << 20)

/* 2000-01-01 and 2200-01-01: what lies outside is a mistake, and would make a file for a month
 * nobody has seen. */
#define TIME_MIN INT64_C(946684800000000000)
#define TIME_MAX INT64_C(7258118400000000000)

enum varve_status
batch_init(struct write_batch *batch, struct mem *mem, uint64_t seed, struct varve_err *err)
{
    batch->broken = false;
    TRY(rowset_init(&batch->rows, mem, seed, err));
    enum varve_status status = eventset_init(&batch->events, mem, seed, err);
    if (status != VARVE_OK)
        rowset_free(&batch->rows);
    return status;
}

void batch_clear(struct write_batch *batch)
{
    /* Clearing only gives memory back to the batch; what it needs to start again it has. */
    batch->broken = rowset_clear(&batch->rows, NULL) != VARVE_OK ||
                    eventset_clear(&batch->events, NULL) != VARVE_OK;
}

void batch_free(struct write_batch *batch)
{
    rowset_free(&batch->rows);
    eventset_free(&batch->events);
}

/* ---- metrics and labels ------------------------------------------------- */

static enum varve_status
check_batch(const struct write_batch *batch, const char *what, struct varve_err *err)
{
    if (batch->broken)
        return fail(err, VARVE_MISUSE, what, "the batch could not be cleared: free it");
    return VARVE_OK;
}

/* The floor below does not know what it is asked for: the place of its failures is named here. */
static enum varve_status placed(enum varve_status status, const char *what, struct varve_err *err)
{
    if (status != VARVE_OK && err && err->place[0] == '\0')
        snprintf(err->place, sizeof err->place, "%s", what);
    return status;
}

static enum varve_status check_name(struct varve_str name, const char *what, struct varve_err *err)
{
    if (name.size == 0 || name.size > NAME_MAX_BYTES)
        return fail(err, VARVE_INVALID, what, "a name of %zu bytes: 1 to %u are allowed", name.size,
                    NAME_MAX_BYTES);
    if (!str_is_utf8(name))
        return fail(err, VARVE_INVALID, what, "the name is not valid UTF-8");
    return VARVE_OK;
}

/* ISO 4217 codes, and seconds where they are counted. */
int metric_scale(struct varve_str u, enum varve_kind kind)
{
    if (u.size == 3 && u.data[0] >= 'A' && u.data[0] <= 'Z' && u.data[1] >= 'A' &&
        u.data[1] <= 'Z' && u.data[2] >= 'A' && u.data[2] <= 'Z')
        return 9;
    return str_equal(u, STR("s")) && kind == VARVE_COUNTER ? 9 : 0;
}

enum varve_status batch_metric(struct write_batch *batch, const struct varve_metric *metric,
                               uint32_t *id, struct varve_err *err)
{
    TRY(check_batch(batch, "metric", err));
    TRY(check_name(metric->name, "metric", err));
    if (metric->unit.size > NAME_MAX_BYTES || !str_is_utf8(metric->unit))
        return fail(err, VARVE_INVALID, "metric",
                    "the unit of '%.*s' is too long or not valid UTF-8", STR_ARG(metric->name));
    if (metric->kind < VARVE_COUNTER || metric->kind > VARVE_UPDOWN)
        return fail(err, VARVE_INVALID, "metric", "'%.*s' has no known kind",
                    STR_ARG(metric->name));
    return placed(rowset_metric(&batch->rows, metric->name, metric->unit, (uint8_t)metric->kind,
                                (uint8_t)metric_scale(metric->unit, metric->kind), id, err),
                  "metric", err);
}

static enum varve_status
check_label(const struct write_batch *batch, const struct varve_label *label, struct varve_err *err)
{
    if (rowset_knows_label(&batch->rows, label))
        return VARVE_OK;
    TRY(check_name(label->key, "label", err));
    if (label->value.size > LABEL_MAX_BYTES)
        return fail(err, VARVE_LIMIT, "labels",
                    "the value of '%.*s' has %zu bytes, at most %u are kept", STR_ARG(label->key),
                    label->value.size, LABEL_MAX_BYTES);
    if (!str_is_utf8(label->value))
        return fail(err, VARVE_INVALID, "labels", "the value of '%.*s' is not valid UTF-8",
                    STR_ARG(label->key));
    return VARVE_OK;
}

static enum varve_status
check_parent(const struct write_batch *batch, uint32_t parent, size_t count, struct varve_err *err)
{
    TRY(check_batch(batch, "labels", err));
    if (parent >= batch->rows.set_count)
        return fail(err, VARVE_MISUSE, "labels", "label set %u is not of this batch", parent);
    if (count > LABELS_MAX)
        return fail(err, VARVE_LIMIT, "labels", "more than %u labels", LABELS_MAX);
    return VARVE_OK;
}

static enum varve_status
check_made(const struct write_batch *batch, uint32_t made, uint32_t *set, struct varve_err *err)
{
    if (batch->rows.sets[made].count > LABELS_MAX)
        return fail(err, VARVE_LIMIT, "labels", "more than %u labels", LABELS_MAX);
    *set = made;
    return VARVE_OK;
}

enum varve_status
batch_labels(struct write_batch *batch, uint32_t parent, const struct varve_label *labels,
             size_t count, uint32_t *set, struct varve_err *err)
{
    uint32_t made;
    TRY(check_parent(batch, parent, count, err));
    for (size_t i = 0; i < count; i++)
        TRY(check_label(batch, &labels[i], err));
    TRY(placed(rowset_labels(&batch->rows, parent, labels, count, &made, err), "labels", err));
    return check_made(batch, made, set, err);
}

enum varve_status batch_pair(struct write_batch *batch, const struct varve_label *label,
                             struct rowset_pair *pair, struct varve_err *err)
{
    TRY(check_batch(batch, "labels", err));
    TRY(check_label(batch, label, err));
    return placed(rowset_pair(&batch->rows, label, pair, err), "labels", err);
}

enum varve_status
batch_derive(struct write_batch *batch, uint32_t parent, const struct rowset_pair *pairs,
             size_t count, uint32_t *set, struct varve_err *err)
{
    uint32_t made;
    TRY(check_parent(batch, parent, count, err));
    TRY(placed(rowset_derive(&batch->rows, parent, pairs, count, &made, err), "labels", err));
    return check_made(batch, made, set, err);
}

/* ---- numbers ------------------------------------------------------------ */

/* v * 1e9 rounded to the nearest whole number.  The product is rounded itself: where it looks like
 * a half, what its rounding left out says on which side of the half the true one lies. */
static enum varve_status to_nanos(struct varve_value value, int64_t *nanos, struct varve_err *err)
{
    if (value.type == VARVE_INT) {
        if (__builtin_mul_overflow(value.as.i, INT64_C(1000000000), nanos))
            return fail(err, VARVE_INVALID, "point",
                        "%lld does not fit: at most 9.2e9 units are kept", (long long)value.as.i);
        return VARVE_OK;
    }
    double product = value.as.f * 1e9, rest = fma(value.as.f, 1e9, -product);
    if (!(fabs(product) < 9.2e18))
        return fail(err, VARVE_INVALID, "point", "%g does not fit: at most 9.2e9 units are kept",
                    value.as.f);
    double whole = nearbyint(product), off = product - whole;
    *nanos = (int64_t)whole + (off == 0.5 && rest > 0) - (off == -0.5 && rest < 0);
    return VARVE_OK;
}

/* The form a number is kept in: whole numbers as integers, all else bit for bit. */
static enum varve_status
normalise(struct varve_value value, int scale, struct row *row, struct varve_err *err)
{
    if (value.type != VARVE_INT && value.type != VARVE_FLOAT)
        return fail(err, VARVE_INVALID, "point", "a value must be a number");
    if (value.type == VARVE_FLOAT && !isfinite(value.as.f))
        return fail(err, VARVE_INVALID, "point", "a value must be finite");
    if (scale == 9)
        return to_nanos(value, &row->value, err);
    if (value.type == VARVE_INT) {
        row->value = value.as.i;
        return VARVE_OK;
    }
    double f = value.as.f;
    if (f == nearbyint(f) && fabs(f) <= 9007199254740992.0 && !(f == 0 && signbit(f))) {
        row->value = (int64_t)f;
        return VARVE_OK;
    }
    row->is_float = 1;
    memcpy(&row->value, &f, sizeof f);
    return VARVE_OK;
}

static bool is_negative(struct varve_value value)
{
    return value.type == VARVE_INT ? value.as.i < 0 : value.type == VARVE_FLOAT && value.as.f < 0;
}

/* ---- points and events --------------------------------------------------- */

/* Of a metric that the batch does not know, nothing is said here: add_point refuses it. */
static enum varve_kind kind_of(const struct write_batch *batch, uint32_t metric)
{
    return metric < batch->rows.metric_count ? (enum varve_kind)batch->rows.metrics[metric].kind
                                             : (enum varve_kind)0;
}

static enum varve_status add_point(struct write_batch *batch, uint32_t metric, uint32_t set,
                                   struct row row, struct varve_value value, struct varve_err *err)
{
    if (metric >= batch->rows.metric_count || set >= batch->rows.set_count)
        return fail(err, VARVE_MISUSE, "point", "metric %u or label set %u is not of this batch",
                    metric, set);
    if (row.end < TIME_MIN || row.end >= TIME_MAX)
        return fail(err, VARVE_INVALID, "point", "the time is not between the years 2000 and 2200");
    if (batch->rows.row_count >= ROWS_MAX)
        return fail(err, VARVE_LIMIT, "batch", "more than %u points: append what there is first",
                    ROWS_MAX);
    TRY(normalise(value, batch->rows.metrics[metric].scale, &row, err));
    TRY(rowset_series(&batch->rows, metric, set, &row.series, err));
    return rowset_row(&batch->rows, &row, err);
}

enum varve_status batch_counter(struct write_batch *batch, uint32_t metric, uint32_t set,
                                enum varve_temporality temporality, int64_t start, int64_t end,
                                struct varve_value value, struct varve_err *err)
{
    struct row row = {.mode = temporality == VARVE_DELTA ? ROW_DELTA : ROW_CUMULATIVE,
                      .start = start,
                      .end = end};
    TRY(check_batch(batch, "point", err));
    if (temporality != VARVE_DELTA && temporality != VARVE_CUMULATIVE)
        return fail(err, VARVE_INVALID, "point", "a counter is delta or cumulative");
    bool from_zero = start == VARVE_FROM_ZERO && temporality == VARVE_CUMULATIVE;
    if (start != 0 && !from_zero && (start < TIME_MIN || start > end))
        return fail(err, VARVE_INVALID, "point",
                    "the start must be 0 or lie between the year 2000 and the end");
    enum varve_kind kind = kind_of(batch, metric);
    if (kind == VARVE_GAUGE)
        return fail(err, VARVE_INVALID, "point", "the metric is a gauge");
    if (kind == VARVE_UPDOWN && temporality == VARVE_CUMULATIVE)
        return fail(err, VARVE_INVALID, "point",
                    "a cumulative counter that also falls is a reading: send it as a gauge");
    if (kind != VARVE_UPDOWN && is_negative(value))
        return fail(err, VARVE_INVALID, "point", "a counter cannot be negative");
    return add_point(batch, metric, set, row, value, err);
}

enum varve_status batch_gauge(struct write_batch *batch, uint32_t metric, uint32_t set,
                              int64_t time, struct varve_value value, struct varve_err *err)
{
    struct row row = {.mode = ROW_GAUGE, .end = time};
    TRY(check_batch(batch, "point", err));
    if (metric < batch->rows.metric_count && kind_of(batch, metric) != VARVE_GAUGE)
        return fail(err, VARVE_INVALID, "point", "the metric is a counter");
    return add_point(batch, metric, set, row, value, err);
}

enum varve_status batch_event(struct write_batch *batch, struct varve_str table, int64_t time,
                              const struct varve_field *fields, size_t count, struct varve_err *err)
{
    TRY(check_batch(batch, "event", err));
    TRY(check_name(table, "table", err));
    if (time < TIME_MIN || time >= TIME_MAX)
        return fail(err, VARVE_INVALID, "event", "the time is not between the years 2000 and 2200");
    if (batch->events.count >= ROWS_MAX)
        return fail(err, VARVE_LIMIT, "batch", "more than %u events: append what there is first",
                    ROWS_MAX);
    return placed(eventset_add(&batch->events, table, time, fields, count, err), "event", err);
}
