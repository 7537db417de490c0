/* SPDX-License-Identifier: Apache-2.0
 *
 * otlp_json_metrics.c -- metrics and their points.
 *
 * The attributes of a point are hashed as they stand in the body, white space and all;
 * only those whose text the intake has not met are read.
 */
#include "ingest/otlp_json_private.h"

enum { NO_RECORDED_VALUE = 1 };
enum { QUANTILE_QUANTILE, QUANTILE_VALUE, QUANTILE_SLOTS };

static const struct otlp_field quantile_fields[] = {OTLP_VALUE("quantile", QUANTILE_QUANTILE),
                                                    OTLP_VALUE("value", QUANTILE_VALUE)};
static const struct otlp_message quantile = OTLP_MESSAGE(quantile_fields, QUANTILE_SLOTS);

static bool is_array_or_nothing(const struct json_value *value)
{
    return value->type == JSON_ARRAY || value->type == JSON_NONE;
}

/* The attributes of a point, if they are texts written as usual; *count is 0 if they are not. */
static const struct varve_field *
usual_pairs(struct otlp_json *door, const struct otlp_node *point, size_t *count)
{
    const struct json_value *attributes = &point->slots[POINT_ATTRIBUTES];
    struct json json;
    struct json_value ignored;
    *count = point->pair_count;
    if (*count > 0)
        return point->pairs;
    json_start(&json, attributes->text, attributes->size);
    if (attributes->type != JSON_ARRAY || !otlp_json_pairs(&json, &ignored, door->fields, count))
        *count = 0;
    return door->fields;
}

/* A new label set of attributes most of which are known.  *plain is false when one is out of the
 * ordinary, and nothing was said of that yet. */
static enum varve_status
labels_of_known(struct otlp_json *door, const struct varve_field *pairs, size_t count,
                struct h128 hash, uint32_t *labels, bool *plain, struct varve_err *err)
{
    *plain = intake_pairs_begin(door->intake);
    for (size_t i = 0; *plain && i < count; i++) {
        struct varve_str text = otlp_json_pair_text(&pairs[i]);
        struct h128 pair = hash128(text.data, text.size, door->memo.seed);
        if (!intake_pairs_find(door->intake, pair))
            TRY(intake_pairs_add(door->intake, pair, &pairs[i], plain, err));
    }
    return *plain ? intake_pairs_labels(door->intake, hash, labels, plain, err) : VARVE_OK;
}

/* The label set of a point. */
static enum varve_status labels_of(struct otlp_json *door, const struct otlp_node *point,
                                   uint32_t *labels, bool *usable, struct varve_err *err)
{
    const struct json_value *attributes = &point->slots[POINT_ATTRIBUTES];
    struct h128 hash = point->hash; /* all zeros where there are no attributes */
    size_t count;
    *usable = true;
    if (is_array_or_nothing(attributes) && intake_find_labels(door->intake, hash, labels))
        return VARVE_OK;
    const struct varve_field *pairs = usual_pairs(door, point, &count);
    if (count == 0) {
        TRY(otlp_json_judge(door, otlp_json_attributes(door, attributes, LIMIT_ATTRIBUTES, err), 1,
                            usable));
        if (!*usable)
            return VARVE_OK;
        count = door->field_count;
    } else {
        TRY(labels_of_known(door, pairs, count, hash, labels, usable, err));
        if (*usable)
            return VARVE_OK;
    }
    return intake_labels(door->intake, hash, pairs, count, labels, usable, err);
}

/* What all points have. */
struct times {
    int64_t start, end;
    uint64_t flags;
};

static enum varve_status
read_times(struct otlp_json *door, const struct otlp_node *point, struct times *times)
{
    if (point->wrong)
        return otlp_json_malformed(door, REJECT_RECORD, point->wrong);
    TRY(otlp_json_time(door, &point->slots[POINT_START], &times->start));
    TRY(otlp_json_time(door, &point->slots[POINT_TIME], &times->end));
    return otlp_json_count(door, &point->slots[POINT_FLAGS], &times->flags);
}

/* ---- numbers ------------------------------------------------------------------ */

static enum varve_status read_number(struct otlp_json *door, const struct otlp_node *point,
                                     struct times *times, struct varve_value *value)
{
    TRY(read_times(door, point, times));
    if (times->flags & NO_RECORDED_VALUE)
        return VARVE_OK;
    const struct json_value *real = &point->slots[NUMBER_DOUBLE];
    const struct json_value *whole = &point->slots[NUMBER_INT];
    if (real->type == JSON_NONE && whole->type == JSON_NONE)
        return otlp_json_malformed(door, REJECT_VALUE, "a point without a value");
    /* Of both the last counts. */
    if (whole->type == JSON_NONE || (real->type != JSON_NONE && real->text > whole->text)) {
        value->type = VARVE_FLOAT;
        return otlp_json_number(door, real, &value->as.f);
    }
    value->type = VARVE_INT;
    if (!json_int64(whole, &value->as.i))
        return otlp_json_malformed(door, REJECT_RECORD, "expected a whole number of 64 bits");
    return VARVE_OK;
}

static enum varve_status take_number(struct otlp_json *door, const struct otlp_node *point,
                                     bool has_start, struct varve_err *err)
{
    struct varve_value value = {.type = VARVE_NULL};
    struct times times;
    uint32_t labels;
    bool usable;
    TRY(otlp_json_judge(door, read_number(door, point, &times, &value), 1, &usable));
    if (!usable || (times.flags & NO_RECORDED_VALUE))
        return VARVE_OK;
    TRY(labels_of(door, point, &labels, &usable, err));
    if (!usable)
        return VARVE_OK;
    return intake_number(door->intake, labels, has_start ? times.start : 0, times.end, value, err);
}

/* ---- histograms --------------------------------------------------------------- */

/* The elements of an array of numbers, whole or not. */
static enum varve_status read_numbers(struct otlp_json *door, const struct json_value *array,
                                      uint64_t *whole, double *real, size_t *count)
{
    struct json json;
    struct json_value element;
    *count = 0;
    if (array->type == JSON_NONE)
        return VARVE_OK;
    if (array->type != JSON_ARRAY)
        return otlp_json_malformed(door, REJECT_RECORD, "expected an array of numbers");
    json_start(&json, array->text, array->size);
    (void)json_begin(&json);
    while (json_element(&json) && json_value(&json, &element)) {
        if (*count == LIMIT_BUCKETS)
            return otlp_json_malformed(door, REJECT_HISTOGRAM,
                                       "more buckets than a histogram may have");
        if (whole)
            TRY(otlp_json_count(door, &element, &whole[*count]));
        else
            TRY(otlp_json_number(door, &element, &real[*count]));
        ++*count;
    }
    return VARVE_OK;
}

static enum varve_status read_histogram(struct otlp_json *door, const struct otlp_node *point,
                                        struct times *times, struct intake_buckets *buckets)
{
    TRY(read_times(door, point, times));
    if (times->flags & NO_RECORDED_VALUE)
        return VARVE_OK;
    *buckets = (struct intake_buckets){
        .start = times->start, .end = times->end, .bounds = door->bounds, .counts = door->counts};
    buckets->has_sum = point->slots[HISTOGRAM_SUM].type != JSON_NONE;
    TRY(otlp_json_count(door, &point->slots[HISTOGRAM_COUNT], &buckets->count));
    TRY(otlp_json_number(door, &point->slots[HISTOGRAM_SUM], &buckets->sum));
    TRY(read_numbers(door, &point->slots[HISTOGRAM_BUCKETS], door->counts, NULL,
                     &buckets->bucket_count));
    return read_numbers(door, &point->slots[HISTOGRAM_BOUNDS], NULL, door->bounds,
                        &buckets->bound_count);
}

static enum varve_status
take_histogram(struct otlp_json *door, const struct otlp_node *point, struct varve_err *err)
{
    struct intake_buckets buckets;
    struct times times;
    uint32_t labels;
    bool usable;
    TRY(otlp_json_judge(door, read_histogram(door, point, &times, &buckets), 1, &usable));
    if (!usable || (times.flags & NO_RECORDED_VALUE))
        return VARVE_OK;
    TRY(labels_of(door, point, &labels, &usable, err));
    return usable ? intake_histogram(door->intake, labels, &buckets, err) : VARVE_OK;
}

/* ---- summaries ----------------------------------------------------------------- */

static enum varve_status read_quantiles(struct otlp_json *door, const struct json_value *array,
                                        struct intake_quantiles *quantiles)
{
    struct json json;
    struct json_value element, slots[QUANTILE_SLOTS];
    size_t *count = &quantiles->quantile_count;
    if (array->type == JSON_NONE)
        return VARVE_OK;
    if (array->type != JSON_ARRAY)
        return otlp_json_malformed(door, REJECT_RECORD, "expected an array of quantiles");
    json_start(&json, array->text, array->size);
    (void)json_begin(&json);
    while (json_element(&json) && json_value(&json, &element)) {
        if (*count == LIMIT_BUCKETS)
            return otlp_json_malformed(door, REJECT_HISTOGRAM,
                                       "more quantiles than a summary may have");
        if (!otlp_json_members(&element, &quantile, slots))
            return otlp_json_malformed(door, REJECT_RECORD, "a quantile that is no object");
        TRY(otlp_json_number(door, &slots[QUANTILE_QUANTILE], &door->bounds[*count]));
        TRY(otlp_json_number(door, &slots[QUANTILE_VALUE], &door->values[*count]));
        ++*count;
    }
    return VARVE_OK;
}

static enum varve_status read_summary(struct otlp_json *door, const struct otlp_node *point,
                                      struct times *times, struct intake_quantiles *quantiles)
{
    TRY(read_times(door, point, times));
    if (times->flags & NO_RECORDED_VALUE)
        return VARVE_OK;
    *quantiles = (struct intake_quantiles){.start = times->start,
                                           .end = times->end,
                                           .quantiles = door->bounds,
                                           .values = door->values};
    TRY(otlp_json_count(door, &point->slots[SUMMARY_COUNT], &quantiles->count));
    TRY(otlp_json_number(door, &point->slots[SUMMARY_SUM], &quantiles->sum));
    return read_quantiles(door, &point->slots[SUMMARY_QUANTILES], quantiles);
}

static enum varve_status
take_summary(struct otlp_json *door, const struct otlp_node *point, struct varve_err *err)
{
    struct intake_quantiles quantiles;
    struct times times;
    uint32_t labels;
    bool usable;
    TRY(otlp_json_judge(door, read_summary(door, point, &times, &quantiles), 1, &usable));
    if (!usable || (times.flags & NO_RECORDED_VALUE))
        return VARVE_OK;
    TRY(labels_of(door, point, &labels, &usable, err));
    return usable ? intake_summary(door->intake, labels, &quantiles, err) : VARVE_OK;
}

/* ---- metrics -------------------------------------------------------------------- */

uint64_t otlp_json_points(const struct otlp_node *metric)
{
    uint64_t points = 0;
    for (const struct otlp_node *data = metric->child; data; data = data->next)
        points += data->children;
    return points;
}

static enum varve_status
read_temporality(struct otlp_json *door, const struct json_value *value, int *temporality)
{
    uint64_t number;
    if (json_is(value, STR("AGGREGATION_TEMPORALITY_DELTA"))) {
        *temporality = VARVE_DELTA;
    } else if (json_is(value, STR("AGGREGATION_TEMPORALITY_CUMULATIVE"))) {
        *temporality = VARVE_CUMULATIVE;
    } else if (!json_is(value, STR("AGGREGATION_TEMPORALITY_UNSPECIFIED"))) {
        TRY(otlp_json_count(door, value, &number));
        *temporality = number > INT32_MAX ? INT32_MAX : (int)number;
    }
    return VARVE_OK;
}

static enum varve_status read_metric(struct otlp_json *door, const struct otlp_node *metric,
                                     struct intake_metric *what, struct varve_err *err)
{
    const struct otlp_node *data = metric->child;
    const struct json_value *monotonic;
    if (metric->wrong)
        return otlp_json_malformed(door, REJECT_RECORD, metric->wrong);
    for (const struct otlp_node *d = data; d; d = d->next) {
        if (d->wrong)
            return otlp_json_malformed(door, REJECT_RECORD, d->wrong);
        if (d->shape == SHAPE_EXPONENTIAL)
            return otlp_json_malformed(
                door, REJECT_EXPONENTIAL,
                "exponential histograms are not kept; have the sender use explicit buckets");
    }
    if (!data || data->next)
        return otlp_json_malformed(door, REJECT_METRIC,
                                   "a metric without data, or of several kinds");
    what->shape = (enum intake_shape)data->shape;
    TRY(otlp_json_string(door, &metric->slots[METRIC_NAME], &what->name, err));
    TRY(otlp_json_string(door, &metric->slots[METRIC_UNIT], &what->unit, err));
    if (data->shape == SHAPE_SUM || data->shape == SHAPE_HISTOGRAM)
        TRY(read_temporality(door, &data->slots[DATA_TEMPORALITY], &what->temporality));
    if (data->shape != SHAPE_SUM)
        return VARVE_OK;
    monotonic = &data->slots[DATA_MONOTONIC];
    what->monotonic = monotonic->type == JSON_TRUE;
    if (monotonic->type != JSON_TRUE && monotonic->type != JSON_FALSE &&
        monotonic->type != JSON_NONE)
        return otlp_json_malformed(door, REJECT_RECORD, "isMonotonic: expected true or false");
    return VARVE_OK;
}

static enum varve_status
take_point(struct otlp_json *door, int shape, const struct otlp_node *point, struct varve_err *err)
{
    if (shape == SHAPE_HISTOGRAM)
        return take_histogram(door, point, err);
    if (shape == SHAPE_SUMMARY)
        return take_summary(door, point, err);
    return take_number(door, point, shape == SHAPE_SUM, err);
}

enum varve_status
otlp_json_metric(struct otlp_json *door, const struct otlp_node *metric, struct varve_err *err)
{
    struct intake_metric what = {.temporality = 0};
    uint64_t points = otlp_json_points(metric);
    bool usable, wanted;
    otlp_json_fresh(door);
    enum varve_status status = read_metric(door, metric, &what, err);
    bool counts = points > 0 || (status == VARVE_INVALID && door->reason == REJECT_EXPONENTIAL);
    TRY(otlp_json_judge(door, status, counts ? points : 1, &usable));
    if (!usable)
        return VARVE_OK;
    TRY(intake_metric(door->intake, &what, &wanted, err));
    if (!wanted) {
        intake_skip(door->intake, points);
        return VARVE_OK;
    }
    for (const struct otlp_node *point = metric->child->child; point; point = point->next) {
        otlp_json_fresh(door);
        TRY(take_point(door, metric->child->shape, point, err));
    }
    return VARVE_OK;
}
