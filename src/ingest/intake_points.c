/* SPDX-License-Identifier: Apache-2.0
 *
 * intake_points.c -- points of the metric at hand.
 *
 * A number goes straight to the batch, which says whether it can be used; why not is looked at
 * only then.  Histograms and summaries become the counters and gauges that Prometheus makes of
 * them: NAME_bucket with a label le and counts that include those of all lower buckets, NAME_sum
 * and NAME_count; NAME with a label quantile.  Such a point is in the batch as a whole or not at
 * all: what the batch had before is remembered, and after a refusal it has that again.
 */
#include "ingest/intake_private.h"

#include "store/number_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { TEXT_SIZE = 2 * NUMBER_TEXT };

/* ---- refusals ---- */

static bool is_start(int64_t start, int64_t end)
{
    return start == 0 || (intake_is_time(start) && start <= end);
}

/* The batch has refused a point: counts it, unless nothing more can be taken at all. */
static enum varve_status refused(struct intake *intake, enum varve_status status, int64_t start,
                                 int64_t end, const struct varve_err *why, struct varve_err *err)
{
    if (intake_is_final(status))
        return fail(err, status, why->place, "%s", why->message);
    bool is_timed = intake_is_time(end) && (start == VARVE_FROM_ZERO || is_start(start, end));
    intake_reject(intake, is_timed ? REJECT_VALUE : REJECT_TIME, 1, why->message);
    return VARVE_OK;
}

/* ---- numbers ---- */

static enum varve_status
names_session(struct intake *intake, uint32_t labels, bool *names, struct varve_err *err)
{
    if (labels >= intake->session_capacity) {
        size_t before = intake->session_capacity;
        TRY(mem_grow(intake->mem, (void **)&intake->sessions, &intake->session_capacity,
                     (size_t)labels + 1, 1, err));
        memset(intake->sessions + before, 0, intake->session_capacity - before);
    }
    uint8_t *known = &intake->sessions[labels];
    if (*known == 0)
        *known = rowset_label(&intake->batch.rows, labels, STR("session.id")).size > 0 ? 2 : 1;
    *names = *known == 2;
    return VARVE_OK;
}

/* A start that is not known may be that of the session. */
static enum varve_status begin(struct intake *intake, const struct metered *metric, uint32_t labels,
                               int64_t end, int64_t *start, struct varve_err *err)
{
    bool from_zero = false;
    if (metric->temporality == VARVE_DELTA)
        *start = *start > end ? end : *start;
    else if (*start == 0 && metric->from_zero)
        TRY(names_session(intake, labels, &from_zero, err));
    else if (*start == VARVE_FROM_ZERO)
        *start = 2; /* sent as it is, it is no time */
    *start = from_zero ? VARVE_FROM_ZERO : *start;
    return VARVE_OK;
}

enum varve_status intake_number(struct intake *intake, uint32_t labels, int64_t start, int64_t end,
                                struct varve_value value, struct varve_err *err)
{
    const struct metered *metric = &intake->metrics[intake->metric];
    enum varve_status status;
    struct varve_err why;
    if (metric->shape == SHAPE_GAUGE) {
        start = 0;
        status = batch_gauge(&intake->batch, metric->number, labels, end, value, &why);
    } else {
        TRY(begin(intake, metric, labels, end, &start, err));
        status = batch_counter(&intake->batch, metric->number, labels, metric->temporality, start,
                               end, value, &why);
    }
    if (status != VARVE_OK)
        return refused(intake, status, start, end, &why, err);
    intake_note(intake, end);
    return VARVE_OK;
}

/* ---- several at once ---- */

/* A point of several rows on its way in. */
struct compound {
    struct intake *intake;
    const struct metered *metric;
    uint32_t labels;
    int64_t start, end;
    size_t rows_before;
    enum varve_status status; /* of the first that failed */
    bool bad_labels;
    struct varve_err why;
};

static void compound_begin(struct compound *compound, struct intake *intake, uint32_t labels,
                           int64_t start, int64_t end)
{
    compound->intake = intake;
    compound->metric = &intake->metrics[intake->metric];
    compound->labels = labels;
    compound->start = compound->metric->temporality == VARVE_DELTA && start > end ? end : start;
    compound->end = end;
    compound->rows_before = intake->batch.rows.row_count;
    compound->status = VARVE_OK;
    compound->bad_labels = false;
    if (start == VARVE_FROM_ZERO)
        compound->start = 2; /* sent as it is, it is no time */
}

static void
add_counter(struct compound *compound, uint32_t number, uint32_t labels, struct varve_value value)
{
    if (compound->status == VARVE_OK)
        compound->status =
            batch_counter(&compound->intake->batch, number, labels, compound->metric->temporality,
                          compound->start, compound->end, value, &compound->why);
}

static void add_count(struct compound *compound, uint32_t number, uint32_t labels, uint64_t count)
{
    struct varve_value value = {.type = VARVE_INT, .as.i = (int64_t)count};
    add_counter(compound, number, labels, value);
}

static void add_sum(struct compound *compound, double sum)
{
    struct varve_value value = {.type = VARVE_FLOAT, .as.f = sum};
    add_counter(compound, compound->metric->sum, compound->labels, value);
}

/* The digits of a number's shortest text, without the point, and where the point stands. */
static size_t digits_of(const char *text, char digits[NUMBER_TEXT], int *point)
{
    size_t count = 0;
    bool is_after = false;
    *point = 0;
    for (; *text && *text != 'e'; text++) {
        if (*text == '.')
            is_after = true;
        else if (count > 0 || *text != '0') {
            digits[count++] = *text;
            *point += !is_after;
        } else {
            *point -= is_after;
        }
    }
    if (*text == 'e')
        *point += atoi(text + 1);
    while (count > 1 && digits[count - 1] == '0')
        count--;
    return count;
}

/* Bounds and quantiles as Prometheus prints them: the shortest text that reads back, with an
 * exponent of at least two digits from 1e+06 up and from 1e-05 down. */
static size_t bound_text(double value, char text[TEXT_SIZE])
{
    char shortest[NUMBER_TEXT], digits[NUMBER_TEXT];
    int64_t bits;
    int point;
    memcpy(&bits, &value, sizeof bits);
    size_t size = number_text(VARVE_FLOAT, bits, shortest);
    shortest[size] = '\0';
    if (!isfinite(value) || value == 0)
        return (size_t)snprintf(text, TEXT_SIZE, "%s", value > 0 ? "+Inf" : shortest);
    const char *sign = value < 0 ? "-" : "";
    int count = (int)digits_of(shortest + (value < 0), digits, &point);
    if (point - 1 < -4 || point - 1 >= 6)
        return (size_t)snprintf(text, TEXT_SIZE, "%s%c%s%.*se%c%02d", sign, digits[0],
                                count > 1 ? "." : "", count - 1, digits + 1,
                                point - 1 < 0 ? '-' : '+', abs(point - 1));
    return (size_t)snprintf(text, TEXT_SIZE, "%s", shortest);
}

/* The labels with one more, whose value is a number. */
static uint32_t with_number(struct compound *compound, const char *key, double number)
{
    char text[TEXT_SIZE];
    uint32_t set = compound->labels;
    if (compound->status != VARVE_OK)
        return set;
    struct varve_label label = {{key, strlen(key)}, {text, 0}};
    label.value.size = bound_text(number, text);
    compound->status = batch_labels(&compound->intake->batch, set, &label, 1, &set, &compound->why);
    compound->bad_labels = compound->status != VARVE_OK;
    return set;
}

static enum varve_status compound_end(struct compound *compound, struct varve_err *err)
{
    struct intake *intake = compound->intake;
    if (compound->status == VARVE_OK) {
        intake_note(intake, compound->end);
        return VARVE_OK;
    }
    intake->batch.rows.row_count = compound->rows_before;
    if (compound->bad_labels && !intake_is_final(compound->status)) {
        intake_reject(intake, REJECT_LABELS, 1, compound->why.message);
        return VARVE_OK;
    }
    return refused(intake, compound->status, compound->start, compound->end, &compound->why, err);
}

/* ---- histograms and summaries ---- */

/* What is wrong with a histogram, or NULL. */
static const char *flaw_of(const struct intake_buckets *buckets)
{
    uint64_t sum = 0;
    if (buckets->count > INT64_MAX)
        return "a histogram with a count of over 2^63";
    if (buckets->bucket_count == 0)
        return buckets->bound_count ? "a histogram with bounds, but without counts" : NULL;
    if (buckets->bucket_count != buckets->bound_count + 1)
        return "a histogram has one bound fewer than counts";
    if (buckets->bucket_count > LIMIT_BUCKETS)
        return "a histogram has more buckets than are kept";
    for (size_t i = 0; i < buckets->bound_count; i++)
        if (!isfinite(buckets->bounds[i]) ||
            (i > 0 && !(buckets->bounds[i] > buckets->bounds[i - 1])))
            return "the bounds of a histogram do not rise";
    for (size_t i = 0; i < buckets->bucket_count; i++)
        if (__builtin_add_overflow(sum, buckets->counts[i], &sum))
            return "the counts of a histogram are too large";
    return sum == buckets->count ? NULL : "the counts of a histogram are not its count in sum";
}

enum varve_status intake_histogram(struct intake *intake, uint32_t labels,
                                   const struct intake_buckets *buckets, struct varve_err *err)
{
    struct compound compound;
    uint64_t below = 0;
    const char *flaw = flaw_of(buckets);
    if (flaw) {
        intake_reject(intake, REJECT_HISTOGRAM, 1, flaw);
        return VARVE_OK;
    }
    compound_begin(&compound, intake, labels, buckets->start, buckets->end);
    if (buckets->has_sum)
        add_sum(&compound, buckets->sum);
    add_count(&compound, compound.metric->count, labels, buckets->count);
    for (size_t i = 0; i < buckets->bucket_count && compound.status == VARVE_OK; i++) {
        double bound = i < buckets->bound_count ? buckets->bounds[i] : (double)INFINITY;
        below += buckets->counts[i];
        add_count(&compound, compound.metric->number, with_number(&compound, "le", bound), below);
    }
    return compound_end(&compound, err);
}

enum varve_status intake_summary(struct intake *intake, uint32_t labels,
                                 const struct intake_quantiles *quantiles, struct varve_err *err)
{
    struct compound compound;
    if (quantiles->count > INT64_MAX || quantiles->quantile_count > LIMIT_BUCKETS) {
        intake_reject(intake, REJECT_VALUE, 1,
                      "a summary with too large a count or too many quantiles");
        return VARVE_OK;
    }
    compound_begin(&compound, intake, labels, quantiles->start, quantiles->end);
    add_sum(&compound, quantiles->sum);
    add_count(&compound, compound.metric->count, labels, quantiles->count);
    for (size_t i = 0; i < quantiles->quantile_count; i++) {
        struct varve_value value = {.type = VARVE_FLOAT, .as.f = quantiles->values[i]};
        if (isnan(value.as.f)) /* of no observations */
            continue;
        uint32_t set = with_number(&compound, "quantile", quantiles->quantiles[i]);
        if (compound.status == VARVE_OK)
            compound.status = batch_gauge(&intake->batch, compound.metric->number, set,
                                          compound.end, value, &compound.why);
    }
    return compound_end(&compound, err);
}
