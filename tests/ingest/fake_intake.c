/* SPDX-License-Identifier: Apache-2.0
 *
 * fake_intake.c -- the functions of intake.h as a stenographer.
 *
 * Every call becomes one line of text with all its arguments, attributes in
 * the order they came.  Sets of labels are kept as text under their number and
 * found again by hash, until the next resource, scope or pause, as intake.h
 * promises.  Nothing is judged: what a door lets through stands in the lines.
 * Its memory is its own, so that a cap or a fault in the door's memory does not hit it;
 * when there is none it stops the program, being a test.
 */
#include "fake_intake.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/buf.h"

struct intake {
    struct mem mem;
    struct buf lines, sets; /* texts of label sets, zero-terminated */
    size_t *offsets;        /* of sets, by number - 1 */
    size_t offset_capacity;
    uint32_t set_count;
    struct hash_table known;
    uint64_t made, found, fail_at;
    enum varve_status failure;
    char unwanted[64], message[256];
    bool silent;
    struct intake_counts counts;
};

static void must(bool condition)
{
    if (!condition) {
        fputs("fake_intake: out of memory\n", stderr);
        abort();
    }
}

VARVE_PRINTF(2, 3) static void put(struct buf *out, const char *format, ...)
{
    char text[128];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    must(n >= 0 && (size_t)n < sizeof text);
    buf_put(out, text, (size_t)n);
}

static void put_quoted(struct buf *out, struct varve_str s)
{
    buf_put8(out, '"');
    for (size_t i = 0; i < s.size; i++) {
        unsigned char c = (unsigned char)s.data[i];
        if (c < 0x20 || c == 0x7f)
            put(out, "\\x%02x", c);
        else if (c == '"' || c == '\\')
            put(out, "\\%c", c);
        else
            buf_put8(out, c);
    }
    buf_put8(out, '"');
}

static void put_value(struct buf *out, struct varve_value value)
{
    switch (value.type) {
    case VARVE_NULL:
        put(out, "null");
        return;
    case VARVE_INT:
        put(out, "int %" PRId64, value.as.i);
        return;
    case VARVE_FLOAT:
        put(out, "float %.17g", value.as.f);
        return;
    case VARVE_BOOL:
        put(out, value.as.i ? "true" : "false");
        return;
    case VARVE_TEXT:
        put_quoted(out, value.as.s);
        return;
    }
}

static void put_attributes(struct buf *out, const struct varve_field *attributes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            put(out, ", ");
        /* Names that are names go without quotes. */
        struct varve_str name = attributes[i].name;
        bool plain = name.size > 0;
        for (size_t c = 0; c < name.size; c++)
            plain &= name.data[c] > ' ' && !strchr("\"\\={},", name.data[c]);
        if (plain)
            buf_put(out, name.data, name.size);
        else
            put_quoted(out, name);
        put(out, "=");
        put_value(out, attributes[i].value);
    }
}

static struct buf *line(struct intake *intake, const char *verb)
{
    if (intake->silent)
        buf_clear(&intake->lines);
    put(&intake->lines, "%s", verb);
    return &intake->lines;
}

static void end_line(struct intake *intake)
{
    buf_put8(&intake->lines, '\n');
    if (intake->silent)
        buf_clear(&intake->lines);
    must(buf_status(&intake->lines, NULL) == VARVE_OK);
}

static enum varve_status end_call(struct intake *intake, struct varve_err *err)
{
    end_line(intake);
    if (intake->fail_at > 0 && --intake->fail_at == 0)
        return fail(err, intake->failure, "fake intake", "was told to fail");
    return VARVE_OK;
}

static void forget(struct intake *intake)
{
    hash_table_clear(&intake->known);
}

enum varve_status
intake_new(const struct intake_options *options, struct intake **intake, struct varve_err *err)
{
    (void)options;
    (void)err;
    struct intake *made = calloc(1, sizeof *made);
    must(made != NULL);
    mem_init(&made->mem, NULL, 0);
    buf_init(&made->lines, &made->mem, (size_t)1 << 32);
    buf_init(&made->sets, &made->mem, (size_t)1 << 32);
    hash_table_init(&made->known, &made->mem);
    *intake = made;
    return VARVE_OK;
}

void intake_free(struct intake *intake)
{
    if (!intake)
        return;
    buf_free(&intake->lines);
    buf_free(&intake->sets);
    mem_free(&intake->mem, intake->offsets, intake->offset_capacity * sizeof *intake->offsets);
    hash_table_free(&intake->known);
    free(intake);
}

const char *fake_intake_lines(const struct intake *intake)
{
    struct intake *writable = (struct intake *)(uintptr_t)intake;
    uint8_t *end = buf_room(&writable->lines, 1);
    must(end != NULL);
    *end = 0;
    return (const char *)intake->lines.data;
}

void fake_intake_clear(struct intake *intake)
{
    buf_clear(&intake->lines);
    buf_clear(&intake->sets);
    intake->set_count = 0;
    intake->made = intake->found = 0;
    intake->message[0] = '\0';
    forget(intake);
}

const char *fake_intake_message(const struct intake *intake)
{
    return intake->message;
}

uint64_t fake_intake_made(const struct intake *intake)
{
    return intake->made;
}

uint64_t fake_intake_found(const struct intake *intake)
{
    return intake->found;
}

void fake_intake_fail(struct intake *intake, uint64_t nth, enum varve_status status)
{
    intake->fail_at = nth;
    intake->failure = status;
}

void fake_intake_unwanted(struct intake *intake, const char *prefix)
{
    snprintf(intake->unwanted, sizeof intake->unwanted, "%s", prefix);
}

void fake_intake_silent(struct intake *intake, bool silent)
{
    intake->silent = silent;
}

void intake_place(struct intake *intake, const char *place, const char *unit, uint64_t number)
{
    line(intake, "place ");
    put(&intake->lines, "%.60s, %.30s %" PRIu64, place, unit, number);
    end_line(intake);
}

void intake_reject(struct intake *intake, enum reject_reason reason, uint64_t count,
                   const char *message)
{
    static const char *const names[] = {
#define X(symbol, text) #symbol,
        REJECT_MAP(X)
#undef X
    };
    line(intake, "reject ");
    put(&intake->lines, "%s %" PRIu64, names[reason], count);
    end_line(intake);
    snprintf(intake->message, sizeof intake->message, "%s", message ? message : "");
}

enum varve_status intake_resource(struct intake *intake, const struct varve_field *attributes,
                                  size_t count, struct varve_err *err)
{
    forget(intake);
    put_attributes(line(intake, count ? "resource " : "resource"), attributes, count);
    return end_call(intake, err);
}

enum varve_status
intake_scope(struct intake *intake, struct varve_str name, struct varve_str version,
             const struct varve_field *attributes, size_t count, struct varve_err *err)
{
    forget(intake);
    struct buf *out = line(intake, "scope ");
    put_quoted(out, name);
    put(out, " ");
    put_quoted(out, version);
    put(out, "%s", count ? " " : "");
    put_attributes(out, attributes, count);
    return end_call(intake, err);
}

enum varve_status intake_metric(struct intake *intake, const struct intake_metric *metric,
                                bool *wanted, struct varve_err *err)
{
    static const char *const shapes[] = {"?", "gauge", "sum", "histogram", "summary"};
    struct buf *out = line(intake, "metric ");
    put_quoted(out, metric->name);
    put(out, " ");
    put_quoted(out, metric->unit);
    put(out, " %s", shapes[metric->shape]);
    if (metric->temporality == VARVE_DELTA)
        put(out, " delta");
    else if (metric->temporality == VARVE_CUMULATIVE)
        put(out, " cumulative");
    else if (metric->temporality != 0)
        put(out, " temporality %d", metric->temporality);
    put(out, "%s", metric->monotonic ? " monotonic" : "");
    size_t prefix = strlen(intake->unwanted);
    *wanted = prefix == 0 || metric->name.size < prefix ||
              memcmp(metric->name.data, intake->unwanted, prefix) != 0;
    return end_call(intake, err);
}

void intake_skip(struct intake *intake, uint64_t points)
{
    put(line(intake, "skip "), "%" PRIu64, points);
    end_line(intake);
}

bool intake_find_labels(struct intake *intake, struct h128 hash, uint32_t *labels)
{
    uint32_t found = hash_table_get(&intake->known, hash);
    if (found == HASH_NONE)
        return false;
    *labels = found;
    ((struct intake *)(uintptr_t)intake)->found++;
    return true;
}

enum varve_status
intake_labels(struct intake *intake, struct h128 hash, const struct varve_field *attributes,
              size_t count, uint32_t *labels, bool *usable, struct varve_err *err)
{
    if (intake->fail_at > 0 && --intake->fail_at == 0)
        return fail(err, intake->failure, "fake intake", "was told to fail");
    void *offsets = intake->offsets;
    must(mem_grow(&intake->mem, &offsets, &intake->offset_capacity, intake->set_count + 1u,
                  sizeof *intake->offsets, NULL) == VARVE_OK);
    intake->offsets = offsets;
    intake->offsets[intake->set_count++] = intake->sets.size;
    put_attributes(&intake->sets, attributes, count);
    buf_put8(&intake->sets, 0);
    must(buf_status(&intake->sets, NULL) == VARVE_OK);
    must(hash_table_get(&intake->known, hash) != HASH_NONE ||
         hash_table_add(&intake->known, hash, intake->set_count, NULL) == VARVE_OK);
    intake->made++;
    *labels = intake->set_count;
    *usable = true;
    return VARVE_OK;
}

static struct buf *point(struct intake *intake, const char *verb, uint32_t labels)
{
    struct buf *out = line(intake, verb);
    must(labels > 0 && labels <= intake->set_count);
    const char *set = (const char *)intake->sets.data + intake->offsets[labels - 1];
    if (intake->silent)
        return out;
    put(out, " {");
    buf_put(out, set, strlen(set));
    put(out, "}");
    return out;
}

enum varve_status intake_number(struct intake *intake, uint32_t labels, int64_t start, int64_t end,
                                struct varve_value value, struct varve_err *err)
{
    if (intake->silent)
        return VARVE_OK;
    struct buf *out = point(intake, "number", labels);
    put(out, " %" PRId64 " %" PRId64 " ", start, end);
    put_value(out, value);
    return end_call(intake, err);
}

enum varve_status intake_histogram(struct intake *intake, uint32_t labels,
                                   const struct intake_buckets *buckets, struct varve_err *err)
{
    struct buf *out = point(intake, "histogram", labels);
    put(out, " %" PRId64 " %" PRId64 " count %" PRIu64, buckets->start, buckets->end,
        buckets->count);
    if (buckets->has_sum)
        put(out, " sum %.17g", buckets->sum);
    put(out, " bounds");
    for (size_t i = 0; i < buckets->bound_count; i++)
        put(out, " %.17g", buckets->bounds[i]);
    put(out, " counts");
    for (size_t i = 0; i < buckets->bucket_count; i++)
        put(out, " %" PRIu64, buckets->counts[i]);
    return end_call(intake, err);
}

enum varve_status intake_summary(struct intake *intake, uint32_t labels,
                                 const struct intake_quantiles *quantiles, struct varve_err *err)
{
    struct buf *out = point(intake, "summary", labels);
    put(out, " %" PRId64 " %" PRId64 " count %" PRIu64 " sum %.17g", quantiles->start,
        quantiles->end, quantiles->count, quantiles->sum);
    for (size_t i = 0; i < quantiles->quantile_count; i++)
        put(out, " %.17g:%.17g", quantiles->quantiles[i], quantiles->values[i]);
    return end_call(intake, err);
}

static void put_named(struct buf *out, const char *name, struct varve_str text)
{
    if (text.size == 0)
        return;
    put(out, " %s ", name);
    put_quoted(out, text);
}

static enum varve_status end_record(struct intake *intake, const struct varve_field *attributes,
                                    size_t count, struct varve_err *err)
{
    put(&intake->lines, " {");
    put_attributes(&intake->lines, attributes, count);
    put(&intake->lines, "}");
    return end_call(intake, err);
}

enum varve_status
intake_event(struct intake *intake, const struct intake_event *event, struct varve_err *err)
{
    struct buf *out = line(intake, "event");
    put(out, " %" PRId64 " %" PRId64, event->time, event->observed);
    put_named(out, "name", event->name);
    put(out, " body ");
    put_value(out, event->body);
    put_named(out, "severity", event->severity);
    put(out, " %" PRId64, event->severity_number);
    put_named(out, "trace", event->trace_id);
    put_named(out, "span", event->span_id);
    return end_record(intake, event->attributes, event->attribute_count, err);
}

enum varve_status
intake_span(struct intake *intake, const struct intake_span *span, struct varve_err *err)
{
    struct buf *out = line(intake, "span");
    put(out, " %" PRId64 " %" PRId64, span->start, span->end);
    put_named(out, "name", span->name);
    put_named(out, "trace", span->trace_id);
    put_named(out, "span", span->span_id);
    put_named(out, "parent", span->parent_id);
    put(out, " kind %" PRId64 " status %" PRId64, span->kind, span->status_code);
    put_named(out, "message", span->status_message);
    return end_record(intake, span->attributes, span->attribute_count, err);
}

enum varve_status intake_span_event(struct intake *intake, const struct intake_span_event *event,
                                    struct varve_err *err)
{
    struct buf *out = line(intake, "span event");
    put(out, " %" PRId64, event->time);
    put_named(out, "name", event->name);
    return end_record(intake, event->attributes, event->attribute_count, err);
}

enum varve_status intake_pause(struct intake *intake, struct varve_err *err)
{
    forget(intake);
    line(intake, "pause");
    return end_call(intake, err);
}

enum varve_status intake_flush(struct intake *intake, struct varve_err *err)
{
    forget(intake);
    line(intake, "flush");
    return end_call(intake, err);
}

const struct intake_counts *intake_counts(const struct intake *intake)
{
    return &intake->counts;
}

/* ---- what only saves a door work: not known here, so that it says everything ---- */

bool intake_find_around(struct intake *intake, struct h128 hash)
{
    (void)intake;
    (void)hash;
    return false;
}

void intake_name_around(struct intake *intake, struct h128 hash)
{
    (void)intake;
    (void)hash;
}

bool intake_pairs_begin(struct intake *intake)
{
    (void)intake;
    return false;
}

bool intake_pairs_find(struct intake *intake, struct h128 hash)
{
    (void)intake;
    (void)hash;
    return false;
}

bool intake_pairs_again(struct intake *intake, struct h128 hash)
{
    (void)intake;
    (void)hash;
    return false;
}

void intake_pairs_head(struct intake *intake, struct h128 hash)
{
    (void)intake;
    (void)hash;
}

enum varve_status
intake_pairs_add(struct intake *intake, struct h128 hash, const struct varve_field *field,
                 bool *plain, struct varve_err *err)
{
    (void)intake;
    (void)hash;
    (void)field;
    *plain = false;
    return fail(err, VARVE_MISUSE, "fake intake", "pairs were not begun");
}

enum varve_status intake_pairs_labels(struct intake *intake, struct h128 hash, uint32_t *labels,
                                      bool *plain, struct varve_err *err)
{
    (void)intake;
    (void)hash;
    (void)labels;
    *plain = false;
    return fail(err, VARVE_MISUSE, "fake intake", "pairs were not begun");
}
