/* SPDX-License-Identifier: Apache-2.0
 *
 * intake_metric.c -- what a metric is.
 *
 * A metric is found out once per batch: its name, what the rules say, its shape, whether
 * its kind agrees with what the store has.  What was found is kept under the hash of
 * everything that was sent, so the metrics of the next body cost a look-up each.
 */
#include "ingest/intake_private.h"

#include <stdio.h>
#include <strings.h>

static const char *kind_name(unsigned kind)
{
    static const char *const names[] = {"nothing", "a counter", "a gauge", "a histogram",
                                        "a counter that may fall"};
    return names[kind <= VARVE_UPDOWN ? kind : 0];
}

static bool ends_with(struct varve_str text, const char *end)
{
    size_t size = strlen(end);
    return text.size >= size && memcmp(text.data + text.size - size, end, size) == 0;
}

static enum varve_status
refuse(struct intake *intake, struct metered *metric, enum reject_reason reason,
       const char *message, struct varve_err *err)
{
    metric->fate = FATE_REFUSED;
    metric->reason = reason;
    metric->message = arena_copy(&intake->metric_texts, message, strlen(message) + 1);
    return metric->message ? VARVE_OK : fail_nomem(err, strlen(message) + 1);
}

/* What the batch has under a name, or NULL. */
static const struct rowset_metric *
in_batch(const struct intake *intake, struct varve_str name, uint32_t *number)
{
    const struct rowset *rows = &intake->batch.rows;
    *number = rowset_find_metric(rows, name);
    return *number == HASH_NONE ? NULL : &rows->metrics[*number];
}

/* Puts the metric into the batch as the store has it, so that the two cannot differ. */
static enum varve_status take_known(struct intake *intake, struct varve_str name, uint32_t *number,
                                    const struct rowset_metric **there, struct varve_err *err)
{
    struct varve_metric known = {0};
    *there = in_batch(intake, name, number);
    if (*there || !intake->options.known ||
        !intake->options.known(intake->options.context, name, &known))
        return VARVE_OK;
    known.name = name;
    enum varve_status status = batch_metric(&intake->batch, &known, number, err);
    if (status == VARVE_OK)
        *there = &intake->batch.rows.metrics[*number];
    return intake_is_final(status) ? status : VARVE_OK;
}

/* A metric of the batch.  Without a unit it is taken for what is known by its name; one that is
 * known without a unit stays so where the unit would make other numbers of it. */
static enum varve_status
define(struct intake *intake, struct metered *metric, const struct varve_metric *wanted,
       uint32_t *number, struct varve_err *err)
{
    const struct rowset_metric *there;
    struct varve_err why;
    char message[280];
    if (metric->fate == FATE_REFUSED)
        return VARVE_OK;
    TRY(take_known(intake, wanted->name, number, &there, err));
    if (there && there->kind != wanted->kind) {
        snprintf(message, sizeof message, "metric %.*s is %s here, but was %s before",
                 STR_ARG(wanted->name), kind_name(wanted->kind), kind_name(there->kind));
        return refuse(intake, metric, REJECT_METRIC, message, err);
    }
    if (there && wanted->unit.size == 0)
        return VARVE_OK;
    bool had_no_unit = there && there->unit == 0;
    enum varve_status status = batch_metric(&intake->batch, wanted, number, &why);
    if (status == VARVE_OK || (had_no_unit && status == VARVE_INVALID))
        return VARVE_OK;
    if (intake_is_final(status))
        return fail(err, status, why.place, "%s", why.message);
    bool is_text = str_is_utf8(wanted->name) && str_is_utf8(wanted->unit);
    return refuse(intake, metric, is_text ? REJECT_METRIC : REJECT_UTF8, why.message, err);
}

static enum varve_status
define_part(struct intake *intake, struct metered *metric, const char *suffix,
            struct varve_str unit, enum varve_kind kind, uint32_t *number, struct varve_err *err)
{
    size_t size = metric->name.size + strlen(suffix);
    char *name = arena_alloc(&intake->metric_texts, size + 1);
    if (!name)
        return fail_nomem(err, size);
    snprintf(name, size + 1, "%.*s%s", (int)metric->name.size, metric->name.data, suffix);
    struct varve_metric wanted = {.name = {name, size}, .unit = unit, .kind = kind};
    return define(intake, metric, &wanted, number, err);
}

/* What was sent may say the unit in another way, or not at all. */
static struct varve_str unit_of(struct varve_str sent, const struct name_metric *known)
{
    static const char *const counts[] = {"1", "count", "{count}"};
    if (!known || sent.size == 0)
        return known ? known->unit : sent;
    if (sent.size == known->unit.size && strncasecmp(sent.data, known->unit.data, sent.size) == 0)
        return known->unit;
    if (str_equal(known->unit, STR("s")) && str_equal(sent, STR("seconds")))
        return known->unit;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        if (sent.size == strlen(counts[i]) && memcmp(sent.data, counts[i], sent.size) == 0)
            return known->unit;
    return sent;
}

static enum varve_status
shape(struct intake *intake, struct metered *metric, const struct intake_metric *sent,
      struct varve_str unit, struct varve_err *err)
{
    enum varve_kind kind = VARVE_GAUGE;
    struct varve_str none = STR("");
    switch (metric->shape) {
    case SHAPE_HISTOGRAM:
        TRY(define_part(intake, metric, "_bucket", none, VARVE_HISTOGRAM, &metric->number, err));
        break;
    case SHAPE_SUMMARY:
        TRY(define_part(intake, metric, "", unit, VARVE_GAUGE, &metric->number, err));
        break;
    case SHAPE_SUM:
        if (sent->monotonic)
            kind = ends_with(metric->name, "_bucket") ? VARVE_HISTOGRAM : VARVE_COUNTER;
        else if (metric->temporality == VARVE_DELTA)
            kind = VARVE_UPDOWN;
        else
            metric->shape = SHAPE_GAUGE;
        return define_part(intake, metric, "", unit, kind, &metric->number, err);
    case SHAPE_GAUGE:
        return define_part(intake, metric, "", unit, kind, &metric->number, err);
    }
    TRY(define_part(intake, metric, "_sum", unit, VARVE_COUNTER, &metric->sum, err));
    return define_part(intake, metric, "_count", none, VARVE_COUNTER, &metric->count, err);
}

/* Everything about a metric that was not sent before since the last flush. */
static enum varve_status find_out(struct intake *intake, const struct intake_metric *sent,
                                  struct metered *metric, struct varve_err *err)
{
    struct intake_metric meant = *sent;
    const struct name_metric *known = names_metric(sent->name);
    uint32_t fact;
    meant.name = known ? known->name : sent->name;
    *metric = (struct metered){.name = meant.name, .shape = sent->shape};
    if (meant.name.size == 0 || meant.name.size > FACTS_NAME_MAX)
        return refuse(
            intake, metric, REJECT_METRIC,
            meant.name.size ? "the name of a metric is too long" : "a metric without a name", err);
    metric->name.data = arena_copy(&intake->metric_texts, meant.name.data, meant.name.size);
    if (!metric->name.data)
        return fail_nomem(err, meant.name.size);
    TRY(facts_find(&intake->facts, FACTS_METRICS, metric->name, &fact, err));
    if (intake->facts.facts[fact].verdict == RULE_DROP) {
        metric->fate = FATE_DROPPED;
        return VARVE_OK;
    }
    if (known && known->kind == VARVE_COUNTER && sent->shape <= SHAPE_SUM) {
        if (sent->shape == SHAPE_GAUGE)
            meant.temporality = VARVE_CUMULATIVE;
        metric->shape = SHAPE_SUM;
        meant.monotonic = true;
    }
    if (metric->shape == SHAPE_SUMMARY)
        meant.temporality = VARVE_CUMULATIVE;
    if (metric->shape != SHAPE_GAUGE && meant.temporality != VARVE_DELTA &&
        meant.temporality != VARVE_CUMULATIVE)
        return refuse(intake, metric, REJECT_TEMPORALITY,
                      "a sum or histogram that is neither delta nor cumulative", err);
    metric->temporality = (enum varve_temporality)meant.temporality;
    metric->from_zero = known && known->session_scoped;
    intake->has_readings |= metric->temporality == VARVE_CUMULATIVE;
    return shape(intake, metric, &meant, unit_of(sent->unit, known), err);
}

static struct h128 hash_of(const struct intake *intake, const struct intake_metric *sent)
{
    uint64_t how = (uint64_t)sent->shape | (uint64_t)(unsigned)sent->temporality << 8 |
                   (uint64_t)sent->monotonic << 40;
    struct h128 hash = hash128(sent->name.data, sent->name.size, intake->options.seed);
    hash.lo += how * 0x9e3779b97f4a7c15u;
    if (sent->unit.size > 0)
        hash = h128_pair(hash, hash128(sent->unit.data, sent->unit.size, intake->options.seed));
    return hash;
}

enum varve_status intake_metric(struct intake *intake, const struct intake_metric *metric,
                                bool *wanted, struct varve_err *err)
{
    struct h128 hash = hash_of(intake, metric);
    uint32_t found = hash_table_get(&intake->metric_table, hash);
    intake->metric = METRIC_NONE;
    if (found == HASH_NONE) {
        intake_mark(intake);
        TRY(mem_grow(intake->mem, (void **)&intake->metrics, &intake->metric_capacity,
                     intake->metric_count + 1, sizeof *intake->metrics, err));
        found = (uint32_t)intake->metric_count;
        TRY(find_out(intake, metric, &intake->metrics[found], err));
        TRY(hash_table_add(&intake->metric_table, hash, found, err));
        intake->metric_count++;
    }
    intake->metric = found;
    *wanted = intake->metrics[found].fate == FATE_WANTED;
    return *wanted ? intake_base(intake, err) : VARVE_OK;
}

void intake_skip(struct intake *intake, uint64_t points)
{
    if (intake->metric == METRIC_NONE)
        return;
    const struct metered *metric = &intake->metrics[intake->metric];
    if (metric->fate == FATE_DROPPED)
        intake->counts.dropped += points;
    else if (metric->fate == FATE_REFUSED)
        intake_reject(intake, metric->reason, points, metric->message);
}
