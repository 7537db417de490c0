/* SPDX-License-Identifier: Apache-2.0
 *
 * otlp_json_private.h -- what the files of the door for OTLP in JSON share.
 *
 * A body is read once, into a plan: one node a message (resource, scope, metric,
 * point, record, span), whose slots are the ranges of its members.  Only when all of it
 * has been read and is JSON, the plan is carried out in the order the intake wants, whatever
 * order the members came in.
 */
#ifndef INGEST_OTLP_JSON_PRIVATE_H
#define INGEST_OTLP_JSON_PRIVATE_H

#include "base/buf.h"
#include "ingest/intake.h"
#include "ingest/json.h"
#include "ingest/json_memo.h"
#include "ingest/otlp_json.h"

/* ---- what a message looks like ------------------------------------------ */

struct otlp_message;

enum otlp_field_kind {
    FIELD_VALUE, /* its range goes to a slot */
    FIELD_PAIRS, /* the same: KeyValues */
    FIELD_MET,   /* the same, and the hash of its bytes to the node: it may have been met before */
    FIELD_LIST,  /* an array of messages, which become the node's children */
    FIELD_DATA   /* a message, which becomes the node's child, and should be the only one */
};

struct otlp_field {
    struct varve_str name; /* lowerCamelCase; the snake_case form is accepted too */
    struct json_key key;
    enum otlp_field_kind kind;
    unsigned slot;                    /* FIELD_VALUE, FIELD_PAIRS, FIELD_MET */
    const struct otlp_message *child; /* else */
    int shape;                        /* FIELD_DATA */
};

struct otlp_message {
    const struct otlp_field *fields;
    unsigned count, slots;
};

#define OTLP_FIELD(name, kind, slot, child, shape)                         \
    {                                                                      \
        {name, sizeof(name) - 1}, JSON_KEY(name), kind, slot, child, shape \
    }
#define OTLP_VALUE(name, slot) OTLP_FIELD(name, FIELD_VALUE, slot, NULL, 0)
#define OTLP_PAIRS(name, slot) OTLP_FIELD(name, FIELD_PAIRS, slot, NULL, 0)
#define OTLP_MET(name, slot) OTLP_FIELD(name, FIELD_MET, slot, NULL, 0)
#define OTLP_LIST(name, child) OTLP_FIELD(name, FIELD_LIST, 0, child, 0)
#define OTLP_DATA(name, child, shape) OTLP_FIELD(name, FIELD_DATA, 0, child, shape)
#define OTLP_COUNT(fields) (sizeof(fields) / sizeof *(fields))
#define OTLP_MESSAGE(fields, slots)       \
    {                                     \
        fields, OTLP_COUNT(fields), slots \
    }

/* `wrong` says what is wrong with a message that is JSON, but not what it should be. */
struct otlp_node {
    struct otlp_node *next, *child;
    const char *wrong;
    uint64_t children;
    struct h128 hash; /* of FIELD_MET, when it was sent */
    /* Its KeyValues, where they have been read already. */
    const struct varve_field *pairs;
    size_t pair_count;
    int shape; /* of FIELD_DATA */
    struct json_value slots[];
};

struct otlp_requests {
    struct otlp_requests *next;
    struct otlp_node *metrics, *logs, *traces; /* resources */
};

enum { RESOURCE_SLOT, RESOURCE_SLOTS };
enum { SCOPE_SLOT, SCOPE_SLOTS };
enum { METRIC_NAME, METRIC_DESCRIPTION, METRIC_UNIT, METRIC_SLOTS };
enum { DATA_TEMPORALITY, DATA_MONOTONIC, DATA_SLOTS };
enum { SHAPE_EXPONENTIAL = -1 };

/* Of all sorts of points, then of each sort. */
enum { POINT_ATTRIBUTES, POINT_START, POINT_TIME, POINT_FLAGS, POINT_SLOTS };
enum { NUMBER_DOUBLE = POINT_SLOTS, NUMBER_INT, NUMBER_SLOTS };
enum {
    HISTOGRAM_COUNT = POINT_SLOTS,
    HISTOGRAM_SUM,
    HISTOGRAM_BUCKETS,
    HISTOGRAM_BOUNDS,
    HISTOGRAM_SLOTS
};
enum { SUMMARY_COUNT = POINT_SLOTS, SUMMARY_SUM, SUMMARY_QUANTILES, SUMMARY_SLOTS };

enum {
    LOG_TIME,
    LOG_OBSERVED,
    LOG_NUMBER,
    LOG_SEVERITY,
    LOG_BODY,
    LOG_ATTRIBUTES,
    LOG_TRACE,
    LOG_SPAN,
    LOG_NAME,
    LOG_SLOTS
};
enum {
    SPAN_TRACE,
    SPAN_ID,
    SPAN_PARENT,
    SPAN_NAME,
    SPAN_KIND,
    SPAN_START,
    SPAN_END,
    SPAN_ATTRIBUTES,
    SPAN_EVENTS,
    SPAN_STATUS,
    SPAN_SLOTS
};

/* ---- the door ------------------------------------------------------------ */

struct otlp_json {
    struct mem *mem;
    struct intake *intake;
    struct json_memo memo; /* attributes of points, resources */
    struct arena plan;     /* the nodes of a body */
    struct arena scratch;  /* what one record needs */
    struct buf text;       /* a list or map as JSON text */
    struct varve_field fields[LIMIT_FIELDS];
    size_t field_count;
    uint64_t messages, bytes;  /* of the plan */
    enum reject_reason reason; /* of the last VARVE_INVALID, and in words */
    const char *message;
    uint64_t counts[LIMIT_BUCKETS];
    double bounds[LIMIT_BUCKETS], values[LIMIT_BUCKETS];
};

/* Reads a whole text into the arena `plan`.  VARVE_INVALID and VARVE_LIMIT: it is refused. */
enum varve_status
otlp_json_plan(struct otlp_json *door, const char *text, size_t size,
               struct otlp_requests **requests, struct varve_err *err) VARVE_CHECKED;
/* To the next member of the object at hand, up to its value, and the field that its key names, or
 * NULL.  *next, at first 0, is where to look first.  False: the object is left. */
bool otlp_json_field(struct json *json, const struct otlp_message *message,
                     const struct otlp_field **field, unsigned *next);
/* The members of the object that comes next, which is left; false: it is none, and passed over.
 * Only for messages without children. */
bool otlp_json_read(struct json *json, const struct otlp_message *message,
                    struct json_value *slots);
/* The same for an object in a slot. */
bool otlp_json_members(const struct json_value *object, const struct otlp_message *message,
                       struct json_value *slots);

/* ---- values --------------------------------------------------------------- */

/* These answer VARVE_INVALID, with reason and message in the door, for a value that is not what it
 * should be; JSON_NONE is a value that was not sent: zero, or an empty text. */
enum varve_status otlp_json_malformed(struct otlp_json *door, enum reject_reason reason,
                                      const char *message) VARVE_CHECKED;
enum varve_status otlp_json_string(struct otlp_json *door, const struct json_value *value,
                                   struct varve_str *text, struct varve_err *err) VARVE_CHECKED;
enum varve_status otlp_json_count(struct otlp_json *door, const struct json_value *value,
                                  uint64_t *number) VARVE_CHECKED;
enum varve_status
otlp_json_time(struct otlp_json *door, const struct json_value *value, int64_t *time) VARVE_CHECKED;
enum varve_status otlp_json_number(struct otlp_json *door, const struct json_value *value,
                                   double *number) VARVE_CHECKED;
/* An identity of `size` bytes: hexadecimal, small letters. */
enum varve_status otlp_json_id(struct otlp_json *door, const struct json_value *value, size_t size,
                               struct varve_str *text, struct varve_err *err) VARVE_CHECKED;
enum varve_status otlp_json_any(struct otlp_json *door, const struct json_value *value,
                                struct varve_value *out, struct varve_err *err) VARVE_CHECKED;
/* The KeyValue that comes next, if it is a text and written as usual; else it is still there. */
bool otlp_json_pair(struct json *json, struct varve_field *field);
/* The array of such KeyValues that comes next, as json_value; false: none, and still there.  The
 * KeyValues themselves go to `fields`, unless that is NULL; *count is 0 when there are more than
 * LIMIT_ATTRIBUTES. */
bool otlp_json_pairs(struct json *json, struct json_value *value, struct varve_field *fields,
                     size_t *count);
/* The bytes that one of them was read from. */
struct varve_str otlp_json_pair_text(const struct varve_field *field);
/* An array of KeyValues, `most` of them at most, to door->fields. */
enum varve_status otlp_json_attributes(struct otlp_json *door, const struct json_value *array,
                                       size_t most, struct varve_err *err) VARVE_CHECKED;

/* ---- carrying it out ------------------------------------------------------ */

/* Forgets the record before. */
static inline void otlp_json_fresh(struct otlp_json *door)
{
    arena_clear(&door->scratch);
    door->field_count = 0;
}

/* What became of reading a record that counts for `count`: VARVE_INVALID becomes a rejection. */
enum varve_status otlp_json_judge(struct otlp_json *door, enum varve_status status, uint64_t count,
                                  bool *usable) VARVE_CHECKED;
/* The points of a metric. */
uint64_t otlp_json_points(const struct otlp_node *metric);
enum varve_status otlp_json_metric(struct otlp_json *door, const struct otlp_node *metric,
                                   struct varve_err *err) VARVE_CHECKED;
enum varve_status otlp_json_record(struct otlp_json *door, const struct otlp_node *record,
                                   struct varve_err *err) VARVE_CHECKED;
/* A span and its events. */
uint64_t otlp_json_span_records(const struct otlp_node *span);
enum varve_status otlp_json_span(struct otlp_json *door, const struct otlp_node *span,
                                 struct varve_err *err) VARVE_CHECKED;

#endif
