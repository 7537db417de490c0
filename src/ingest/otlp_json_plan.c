/* SPDX-License-Identifier: Apache-2.0
 *
 * otlp_json_plan.c -- a body of JSON becomes a plan.
 *
 * Tables say which members a message has.  One walk over the text puts the ranges of
 * the members into slots, and passes over everything else; what has the wrong type is
 * noted in its node and costs that node only.  Members are looked for where they
 * stand in the table, behind the one before, because senders keep to an order.
 *
 * Nodes are counted, and so is their memory: a body becomes no more than LIMIT_UNPACKED.
 */
#include "ingest/otlp_json_private.h"

static const struct otlp_field number_fields[] = {
    OTLP_MET("attributes", POINT_ATTRIBUTES), OTLP_VALUE("startTimeUnixNano", POINT_START),
    OTLP_VALUE("timeUnixNano", POINT_TIME),   OTLP_VALUE("asDouble", NUMBER_DOUBLE),
    OTLP_VALUE("asInt", NUMBER_INT),          OTLP_VALUE("flags", POINT_FLAGS),
};
static const struct otlp_message number_point = OTLP_MESSAGE(number_fields, NUMBER_SLOTS);

static const struct otlp_field histogram_fields[] = {
    OTLP_MET("attributes", POINT_ATTRIBUTES),
    OTLP_VALUE("startTimeUnixNano", POINT_START),
    OTLP_VALUE("timeUnixNano", POINT_TIME),
    OTLP_VALUE("count", HISTOGRAM_COUNT),
    OTLP_VALUE("sum", HISTOGRAM_SUM),
    OTLP_VALUE("bucketCounts", HISTOGRAM_BUCKETS),
    OTLP_VALUE("explicitBounds", HISTOGRAM_BOUNDS),
    OTLP_VALUE("flags", POINT_FLAGS),
};
static const struct otlp_message histogram_point = OTLP_MESSAGE(histogram_fields, HISTOGRAM_SLOTS);

static const struct otlp_field summary_fields[] = {
    OTLP_MET("attributes", POINT_ATTRIBUTES), OTLP_VALUE("startTimeUnixNano", POINT_START),
    OTLP_VALUE("timeUnixNano", POINT_TIME),   OTLP_VALUE("count", SUMMARY_COUNT),
    OTLP_VALUE("sum", SUMMARY_SUM),           OTLP_VALUE("quantileValues", SUMMARY_QUANTILES),
    OTLP_VALUE("flags", POINT_FLAGS),
};
static const struct otlp_message summary_point = OTLP_MESSAGE(summary_fields, SUMMARY_SLOTS);

static const struct otlp_message any_point = {NULL, 0, 0};

#define DATA_FIELDS(point)                                                                      \
    {                                                                                           \
        OTLP_LIST("dataPoints", point), OTLP_VALUE("aggregationTemporality", DATA_TEMPORALITY), \
            OTLP_VALUE("isMonotonic", DATA_MONOTONIC),                                          \
    }
static const struct otlp_field number_data_fields[] = DATA_FIELDS(&number_point);
static const struct otlp_message number_data = OTLP_MESSAGE(number_data_fields, DATA_SLOTS);
static const struct otlp_field histogram_data_fields[] = DATA_FIELDS(&histogram_point);
static const struct otlp_message histogram_data = OTLP_MESSAGE(histogram_data_fields, DATA_SLOTS);
static const struct otlp_field summary_data_fields[] = DATA_FIELDS(&summary_point);
static const struct otlp_message summary_data = OTLP_MESSAGE(summary_data_fields, DATA_SLOTS);
static const struct otlp_field any_data_fields[] = DATA_FIELDS(&any_point);
static const struct otlp_message any_data = OTLP_MESSAGE(any_data_fields, DATA_SLOTS);

static const struct otlp_field metric_fields[] = {
    OTLP_VALUE("name", METRIC_NAME),
    OTLP_VALUE("description", METRIC_DESCRIPTION),
    OTLP_VALUE("unit", METRIC_UNIT),
    OTLP_DATA("sum", &number_data, SHAPE_SUM),
    OTLP_DATA("gauge", &number_data, SHAPE_GAUGE),
    OTLP_DATA("histogram", &histogram_data, SHAPE_HISTOGRAM),
    OTLP_DATA("summary", &summary_data, SHAPE_SUMMARY),
    OTLP_DATA("exponentialHistogram", &any_data, SHAPE_EXPONENTIAL),
};
static const struct otlp_message metric = OTLP_MESSAGE(metric_fields, METRIC_SLOTS);

static const struct otlp_field log_fields[] = {
    OTLP_VALUE("timeUnixNano", LOG_TIME),
    OTLP_VALUE("observedTimeUnixNano", LOG_OBSERVED),
    OTLP_VALUE("severityNumber", LOG_NUMBER),
    OTLP_VALUE("severityText", LOG_SEVERITY),
    OTLP_VALUE("body", LOG_BODY),
    OTLP_VALUE("eventName", LOG_NAME),
    OTLP_PAIRS("attributes", LOG_ATTRIBUTES),
    OTLP_VALUE("traceId", LOG_TRACE),
    OTLP_VALUE("spanId", LOG_SPAN),
};
static const struct otlp_message log_record = OTLP_MESSAGE(log_fields, LOG_SLOTS);

static const struct otlp_field span_fields[] = {
    OTLP_VALUE("traceId", SPAN_TRACE),       OTLP_VALUE("spanId", SPAN_ID),
    OTLP_VALUE("parentSpanId", SPAN_PARENT), OTLP_VALUE("name", SPAN_NAME),
    OTLP_VALUE("kind", SPAN_KIND),           OTLP_VALUE("startTimeUnixNano", SPAN_START),
    OTLP_VALUE("endTimeUnixNano", SPAN_END), OTLP_PAIRS("attributes", SPAN_ATTRIBUTES),
    OTLP_VALUE("events", SPAN_EVENTS),       OTLP_VALUE("status", SPAN_STATUS),
};
static const struct otlp_message span = OTLP_MESSAGE(span_fields, SPAN_SLOTS);

static const struct otlp_field metric_scope_fields[] = {OTLP_VALUE("scope", SCOPE_SLOT),
                                                        OTLP_LIST("metrics", &metric)};
static const struct otlp_message metric_scope = OTLP_MESSAGE(metric_scope_fields, SCOPE_SLOTS);
static const struct otlp_field log_scope_fields[] = {OTLP_VALUE("scope", SCOPE_SLOT),
                                                     OTLP_LIST("logRecords", &log_record)};
static const struct otlp_message log_scope = OTLP_MESSAGE(log_scope_fields, SCOPE_SLOTS);
static const struct otlp_field span_scope_fields[] = {OTLP_VALUE("scope", SCOPE_SLOT),
                                                      OTLP_LIST("spans", &span)};
static const struct otlp_message span_scope = OTLP_MESSAGE(span_scope_fields, SCOPE_SLOTS);

static const struct otlp_field metric_resource_fields[] = {
    OTLP_MET("resource", RESOURCE_SLOT), OTLP_LIST("scopeMetrics", &metric_scope)};
static const struct otlp_message metric_resource =
    OTLP_MESSAGE(metric_resource_fields, RESOURCE_SLOTS);
static const struct otlp_field log_resource_fields[] = {OTLP_MET("resource", RESOURCE_SLOT),
                                                        OTLP_LIST("scopeLogs", &log_scope)};
static const struct otlp_message log_resource = OTLP_MESSAGE(log_resource_fields, RESOURCE_SLOTS);
static const struct otlp_field span_resource_fields[] = {OTLP_MET("resource", RESOURCE_SLOT),
                                                         OTLP_LIST("scopeSpans", &span_scope)};
static const struct otlp_message span_resource = OTLP_MESSAGE(span_resource_fields, RESOURCE_SLOTS);

static const struct otlp_field request_fields[] = {OTLP_LIST("resourceMetrics", &metric_resource),
                                                   OTLP_LIST("resourceLogs", &log_resource),
                                                   OTLP_LIST("resourceSpans", &span_resource)};
static const struct otlp_message request = OTLP_MESSAGE(request_fields, 0);

/* ---- finding a field by its name ----------------------------------------- */

/* Whether a key is the snake_case form of a name. */
static bool is_snake(const struct json_value *key, struct varve_str name)
{
    const char *p = key->text, *end = p + key->size;
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];
        if (c >= 'A' && c <= 'Z') {
            if (p == end || *p++ != '_')
                return false;
            c = (char)(c | 0x20);
        }
        if (p == end || *p++ != c)
            return false;
    }
    return p == end;
}

static const struct otlp_field *
find_rarely(const struct otlp_message *message, const struct json_value *key)
{
    for (unsigned i = 0; i < message->count; i++)
        if (key->escaped ? json_is(key, message->fields[i].name)
                         : is_snake(key, message->fields[i].name))
            return &message->fields[i];
    return NULL;
}

static const struct otlp_field *
find_field(const struct otlp_message *message, const struct json_value *key, unsigned *next)
{
    for (unsigned n = 0, i = *next; n < message->count; n++, i++) {
        if (i >= message->count)
            i = 0;
        const struct otlp_field *field = &message->fields[i];
        if (key->size == field->name.size &&
            memcmp(key->text, field->name.data, field->name.size) == 0) {
            *next = i + 1;
            return field;
        }
    }
    if (key->escaped || memchr(key->text, '_', key->size))
        return find_rarely(message, key);
    return NULL;
}

static void pass_over(struct json *json)
{
    struct json_value ignored;
    (void)json_value(json, &ignored);
}

bool otlp_json_field(struct json *json, const struct otlp_message *message,
                     const struct otlp_field **field, unsigned *next)
{
    enum { LIKELY = 3 };
    struct json_value key;
    unsigned last = json_may_be(json) ? *next + LIKELY : 0;
    for (unsigned i = *next; i < message->count && i < last; i++)
        if (json_member_is(json, message->fields[i].key)) {
            *field = &message->fields[i];
            *next = i + 1;
            return true;
        }
    if (!json_member(json, &key))
        return false;
    *field = find_field(message, &key, next);
    return true;
}

/* The value of a field that has a slot.  Null says nothing: what was there stays. */
static void read_slot(struct json *json, const struct otlp_field *field, struct json_value *slots)
{
    struct json_value *slot = &slots[field->slot];
    size_t ignored;
    enum json_type type = json_peek(json);
    if (type == JSON_NULL)
        pass_over(json);
    else if (field->kind != FIELD_PAIRS || type != JSON_ARRAY ||
             !otlp_json_pairs(json, slot, NULL, &ignored))
        (void)json_value(json, slot);
}

bool otlp_json_read(struct json *json, const struct otlp_message *message, struct json_value *slots)
{
    const struct otlp_field *field;
    unsigned next = 0;
    memset(slots, 0, message->slots * sizeof *slots);
    if (json_peek(json) != JSON_OBJECT) {
        pass_over(json);
        return false;
    }
    (void)json_begin(json);
    while (otlp_json_field(json, message, &field, &next)) {
        if (field)
            read_slot(json, field, slots);
        else
            pass_over(json);
    }
    return true;
}

bool otlp_json_members(const struct json_value *object, const struct otlp_message *message,
                       struct json_value *slots)
{
    struct json json;
    memset(slots, 0, message->slots * sizeof *slots);
    if (object->type != JSON_OBJECT) /* a text may look like one */
        return false;
    json_start(&json, object->text, object->size);
    return otlp_json_read(&json, message, slots);
}

/* ---- one walk over the text ------------------------------------------------ */

/* These answer VARVE_OK when the text turns out to be no JSON: the struct json remembers, and
 * everything ends. */

static enum varve_status skip(struct json *json)
{
    pass_over(json);
    return VARVE_OK;
}

static enum varve_status new_node(struct otlp_json *door, const struct otlp_message *message,
                                  struct otlp_node **node, struct varve_err *err)
{
    size_t size = sizeof **node + message->slots * sizeof(struct json_value);
    door->bytes += size;
    if (++door->messages > LIMIT_MESSAGES)
        return fail(err, VARVE_LIMIT, "",
                    "more than %d metrics, points, records and spans: send smaller bodies",
                    LIMIT_MESSAGES);
    if (door->bytes > LIMIT_UNPACKED)
        return fail(err, VARVE_LIMIT, "", "needs more than %d bytes of memory: send smaller bodies",
                    LIMIT_UNPACKED);
    *node = arena_zalloc(&door->plan, size);
    return *node ? VARVE_OK : fail_nomem(err, size);
}

static enum varve_status
read_node(struct otlp_json *door, struct json *json, const struct otlp_message *message,
          struct otlp_node **made, struct varve_err *err);

static enum varve_status
read_list(struct otlp_json *door, struct json *json, const struct otlp_message *message,
          struct otlp_node *parent, struct varve_err *err)
{
    struct otlp_node **tail = &parent->child;
    *tail = NULL;
    parent->children = 0;
    if (json_peek(json) != JSON_ARRAY) {
        parent->wrong = "a list of messages that is no array";
        return skip(json);
    }
    (void)json_begin(json);
    while (json_element(json)) {
        TRY(read_node(door, json, message, tail, err));
        tail = &(*tail)->next;
        parent->children++;
    }
    return VARVE_OK;
}

/* Keeps the KeyValues that were read just now, while there is room for such. */
static enum varve_status
keep_pairs(struct otlp_json *door, struct otlp_node *node, size_t count, struct varve_err *err)
{
    size_t size = count * sizeof *node->pairs;
    node->pair_count = 0;
    if (count == 0 || door->bytes + size > LIMIT_UNPACKED)
        return VARVE_OK;
    struct varve_field *pairs = arena_alloc(&door->plan, size);
    if (!pairs)
        return fail_nomem(err, size);
    memcpy(pairs, door->fields, size);
    door->bytes += size;
    node->pairs = pairs;
    node->pair_count = count;
    return VARVE_OK;
}

/* A value that may have been met before, in this body or in an earlier one.  What has not will have
 * to be taken apart. */
static enum varve_status
read_met(struct otlp_json *door, struct json *json, const struct otlp_field *field,
         struct otlp_node *node, struct varve_err *err)
{
    struct json_value *value = &node->slots[field->slot];
    struct json_memo_mark mark;
    size_t count = 0;
    node->pair_count = 0;
    if (json_memo_find(&door->memo, json, value, &mark)) {
        node->hash = mark.hash;
        return VARVE_OK;
    }
    if (!otlp_json_pairs(json, value, door->fields, &count))
        (void)json_value(json, value);
    node->hash = json_memo_hash(&door->memo, &mark, value);
    TRY(keep_pairs(door, node, count, err));
    return json_memo_add(&door->memo, &mark, value, err);
}

static enum varve_status
read_member(struct otlp_json *door, struct json *json, const struct otlp_field *field,
            struct otlp_node *node, struct varve_err *err)
{
    if (field->kind == FIELD_VALUE || field->kind == FIELD_PAIRS) {
        read_slot(json, field, node->slots);
        return VARVE_OK;
    }
    if (json_peek(json) == JSON_NULL)
        return skip(json);
    if (field->kind == FIELD_MET)
        return read_met(door, json, field, node, err);
    if (field->kind == FIELD_LIST)
        return read_list(door, json, field->child, node, err);
    struct otlp_node *before = node->child;
    TRY(read_node(door, json, field->child, &node->child, err));
    node->child->shape = field->shape;
    /* A member of another name makes it several kinds of data; one of the same name replaces. */
    if (before)
        node->child->next = before->shape == field->shape ? before->next : before;
    return VARVE_OK;
}

static enum varve_status
read_node(struct otlp_json *door, struct json *json, const struct otlp_message *message,
          struct otlp_node **made, struct varve_err *err)
{
    const struct otlp_field *field;
    struct otlp_node *node;
    unsigned next = 0;
    TRY(new_node(door, message, &node, err));
    *made = node;
    if (json_peek(json) != JSON_OBJECT) {
        node->wrong = "a message that is no object";
        return skip(json);
    }
    (void)json_begin(json);
    while (otlp_json_field(json, message, &field, &next))
        TRY(field ? read_member(door, json, field, node, err) : skip(json));
    return VARVE_OK;
}

/* One body.  Its three lists are read as if each had a parent of its own. */
static enum varve_status read_request(struct otlp_json *door, struct json *json,
                                      struct otlp_requests **made, struct varve_err *err)
{
    const struct otlp_field *field;
    struct otlp_node *parents[OTLP_COUNT(request_fields)];
    unsigned next = 0;
    struct otlp_requests *requests = arena_zalloc(&door->plan, sizeof *requests);
    if (!requests)
        return fail_nomem(err, sizeof *requests);
    *made = requests;
    for (size_t i = 0; i < OTLP_COUNT(parents); i++)
        TRY(new_node(door, &any_point, &parents[i], err));
    if (json_peek(json) != JSON_OBJECT && !json->expected)
        return fail(err, VARVE_INVALID, "",
                    "byte %zu: expected an object with resourceMetrics, "
                    "resourceLogs or resourceSpans",
                    (size_t)(json->at - json->start));
    (void)json_begin(json);
    while (otlp_json_field(json, &request, &field, &next)) {
        TRY(field ? read_member(door, json, field, parents[field - request_fields], err)
                  : skip(json));
    }
    for (size_t i = 0; i < OTLP_COUNT(parents); i++)
        if (parents[i]->wrong)
            return fail(err, VARVE_INVALID, "", "%.*s is no array",
                        STR_ARG(request_fields[i].name));
    requests->metrics = parents[0]->child;
    requests->logs = parents[1]->child;
    requests->traces = parents[2]->child;
    return VARVE_OK;
}

enum varve_status otlp_json_plan(struct otlp_json *door, const char *text, size_t size,
                                 struct otlp_requests **requests, struct varve_err *err)
{
    struct json json;
    *requests = NULL;
    door->messages = door->bytes = 0;
    if (size > LIMIT_BODY)
        return fail(err, VARVE_LIMIT, "", "%zu bytes are more than the %d of a body", size,
                    LIMIT_BODY);
    json_start(&json, text, size);
    if (json_peek(&json) == JSON_NONE && json.at == json.end)
        return VARVE_OK;
    if (json_peek(&json) == JSON_ARRAY) {
        (void)json_begin(&json);
        while (json_element(&json)) {
            TRY(read_request(door, &json, requests, err));
            requests = &(*requests)->next;
        }
    } else {
        TRY(read_request(door, &json, requests, err));
    }
    return json_end(&json) ? VARVE_OK : json_fail(&json, "", err);
}
