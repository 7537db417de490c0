/* SPDX-License-Identifier: Apache-2.0
 *
 * gen.h -- a world of developers whose telemetry is made from a seed.
 *
 * Developers of several teams and time zones hold sessions on working days; a
 * session is served by one process or more, and each process exports what its
 * eight counters gained, once a minute and when it ends.  The world hands out
 * the exports of all processes in the order of their times.  The same options
 * make the same exports, on every machine; `cumulative` changes how values are
 * reported, and `events` whether there are events, but not what happened.
 */
#ifndef GEN_GEN_H
#define GEN_GEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GEN_SECOND INT64_C(1000000000)
#define GEN_MILLISECOND INT64_C(1000000)
#define GEN_DAY (86400 * GEN_SECOND)

struct gen_options {
    unsigned days, developers;
    unsigned sessions; /* that a developer holds on a working day, on average */
    unsigned points;   /* exports that a session makes, on average */
    uint64_t seed;
    int64_t end; /* the midnight after the last day */
    bool cumulative, events;
};

/* In the order in which a process exports them. */
enum gen_metric {
    GEN_SESSIONS,
    GEN_LINES,
    GEN_PULL_REQUESTS,
    GEN_COMMITS,
    GEN_COST,
    GEN_TOKENS,
    GEN_DECISIONS,
    GEN_ACTIVE,
    GEN_METRICS
};

struct gen_metric_info {
    const char *name, *unit, *description;
    const char *prometheus; /* the family's name in an exposition, and its unit */
    const char *prometheus_unit;
    int scale; /* exact increments are integers of 10^-scale units */
};
extern const struct gen_metric_info gen_metrics[GEN_METRICS];

struct gen_label {
    const char *key, *value;
};

#define GEN_COMMON_LABELS 12
#define GEN_RESOURCE_LABELS 8
#define GEN_OWN_LABELS 12
#define GEN_ENCODED 1600

struct gen_developer;
struct gen_stream;

/* What all points and events of one session.id share. */
struct gen_session {
    const struct gen_developer *developer;
    struct gen_label common[GEN_COMMON_LABELS], resource[GEN_RESOURCE_LABELS];
    unsigned common_count, resource_count;
    char id[37], version[12];
    uint64_t seed;
    struct gen_stream *streams;
    unsigned users; /* processes that hold it */

    /* Kept here by those who write it down and those who count it. */
    unsigned char encoded[GEN_ENCODED]; /* the common labels */
    size_t encoded_size;
    uint64_t seen, seen_today; /* slots that were exported: ever, and on the day `today` */
    int64_t today, counted;    /* the last day it had points, and the last it grew on */
    int sample;                /* its place among the sessions told in full, or -1 */
};

#define GEN_NO_MODEL (-1)

/* One data point.  `exact` is what it adds to the total, in integers: the increment since the
 * export before, and 0 for a reading that is only repeated. */
struct gen_point {
    struct gen_session *session;
    int64_t start, end, exact;
    double value;
    uint8_t metric, slot;
};

enum gen_field_type {
    GEN_TEXT,
    GEN_INT,
    GEN_NUMBER_TEXT, /* an integer sent as text */
    GEN_MONEY,       /* a double of dollars; `i` is the same in nano-dollars */
    GEN_BOOL,
    GEN_LIST /* an array of one text */
};

struct gen_field {
    const char *key;
    enum gen_field_type type;
    int64_t i;
    double f;
    const char *s;
};

#define GEN_EVENT_FIELDS 24
struct gen_event {
    const char *name; /* without claude_code. */
    struct gen_session *session;
    int64_t time; /* whole milliseconds */
    int64_t sequence;
    const char *prompt; /* its id, or NULL before the first prompt */
    struct gen_field *fields;
    unsigned count;
};

/* What one process sends at one time. */
struct gen_export {
    struct gen_session *session; /* the process's first: its resource */
    uint64_t process;            /* the process's number, and its seed */
    uint64_t process_seed;
    unsigned ordinal; /* which process of its session it is: 0 is the first */
    bool last;        /* the process ends with it */
    int64_t time;     /* of the collection: the `end` of all points */
    struct gen_point *points;
    size_t point_count;
    struct gen_event *events;
    size_t event_count;
};

struct gen_world;

/* NULL: out of memory. */
struct gen_world *gen_world_new(const struct gen_options *options);
void gen_world_free(struct gen_world *world);
/* The next export, valid until the next call; NULL when there are no more or memory ran out. */
const struct gen_export *gen_world_next(struct gen_world *world);
bool gen_world_failed(const struct gen_world *world);

/* The labels a point has beside those of its session, in the order they are sent. */
size_t gen_point_labels(const struct gen_point *point, struct gen_label labels[GEN_OWN_LABELS]);

/* For those who count: the index of a point's model or GEN_NO_MODEL, and names for indexes. */
int gen_point_model(const struct gen_point *point);
unsigned gen_model_count(void);
const char *gen_model_name(unsigned model);
/* The developer's number, below options.developers; the mail address or ""; the team or "". */
unsigned gen_developer_number(const struct gen_session *session);
const char *gen_developer_email(const struct gen_world *world, unsigned number);
const char *gen_developer_team(const struct gen_world *world, unsigned number);

#endif
