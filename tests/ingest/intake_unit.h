/* SPDX-License-Identifier: Apache-2.0
 *
 * intake_unit.h -- an intake with nothing before and nothing behind it: what it appends is written
 * down, one line a point or event, in the order of arrival:
 *
 *   claude_code.cost.usage [counter USD] {model="x", session.id="s"} delta 1..2 = 1500000000 e-9
 *   api_request @5 cost_usd=0.5 input_tokens=12i model="x" success=true
 *
 * Times are in seconds since UNIT_T0; unknown starts are "?", those from zero "0".  The fields of
 * an event stand by name.
 */
#ifndef TESTS_INTAKE_UNIT_H
#define TESTS_INTAKE_UNIT_H

#include "../base/unit.h"
#include "ingest/intake.h"

#define UNIT_T0 INT64_C(1764547200000000000)
#define UNIT_AT(seconds) (UNIT_T0 + (int64_t)(seconds)*INT64_C(1000000000))

struct unit {
    struct mem mem;
    struct report report;
    struct rules *rules;
    struct intake *intake;
    char *lines;
    size_t size, capacity;
    enum varve_status append_status; /* of the next appends */
    struct varve_metric known[4];    /* what the store knows */
    size_t known_count;
    uint64_t batch_rows; /* 0: the default */
};

/* mem, known and batch_rows may be set before; VARVE_NOMEM is an ordinary result. */
enum varve_status
unit_open(struct unit *unit, const struct varve_allocator *allocator, const char *rules);
void unit_close(struct unit *unit);
/* Flushes, and fails the test if what was appended since the last check is not just this. */
void unit_check(struct unit *unit, const char *lines);
/* Fails the test unless this was refused so often for this reason. */
void unit_rejected(const struct unit *unit, enum reject_reason reason, uint64_t count);

/* Flushes both, and fails the test unless the second appended, refused and counted what the first
 * did. */
void unit_check_same(struct unit *like, struct unit *unit);

struct varve_str unit_str(const char *text);
struct varve_field unit_text(const char *name, const char *text);
struct varve_field unit_int(const char *name, int64_t number);
struct varve_field unit_float(const char *name, double number);
struct varve_field unit_bool(const char *name, bool is_true);

/* A resource and a scope of Claude Code without attributes. */
enum varve_status unit_plain(struct unit *unit);
/* One number of a metric with these labels; VARVE_OK also when it is refused. */
enum varve_status
unit_number(struct unit *unit, const struct intake_metric *metric, const struct varve_field *labels,
            size_t count, int64_t start, int64_t end, struct varve_value value);

#endif
