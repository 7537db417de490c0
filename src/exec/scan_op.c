/* SPDX-License-Identifier: Apache-2.0
 *
 * scan_op.c -- SCAN: rows in the order of time, a day at a time.
 *
 * A day's rows lie in several segments, each in an order of its own.  So the rows of one day are
 * collected, sorted by time and then by all columns, and given on; then comes the next day.  The
 * memory that takes is that of one day's rows, however long the range is, and a LIMIT reads no day
 * that it does not need.
 *
 * Where the order does not matter nothing is collected, and a single scan goes through the range.
 */
#include "exec/scan_op.h"

#include "base/clock.h"
#include "exec/scan_input.h"

struct scanning {
    struct scan_input input;
    bool any_order;
    bool is_reading;     /* any_order: the scan is open */
    uint32_t table;      /* 0: a metric */
    size_t next;         /* source at which to look for the next day */
    struct relation day; /* sorted */
    uint64_t at;         /* next row of it */
};

static enum varve_status scan_op_open(struct op *op, struct varve_err *err)
{
    struct scanning *s = arena_zalloc(&op->exec->arena, sizeof *s);
    if (!s)
        return fail_nomem(err, sizeof *s);
    op->state = s;
    op_relation(op, &s->day, op->node->column_count);
    TRY(scan_input_init(&s->input, op, err));
    if (!op->node->as.scan.is_metric)
        s->table = snapshot_table_number(op->exec->snapshot, op->node->as.scan.source);
    return VARVE_OK;
}

static void scan_op_close(struct op *op)
{
    struct scanning *s = op->state;
    if (!s)
        return;
    relation_free(&s->day);
    scan_input_free(&s->input);
}

static struct op *find_scan(struct op *input)
{
    while (input->node->kind == NODE_FILTER || input->node->kind == NODE_COMPUTE ||
           input->node->kind == NODE_PICK)
        input = input->inputs[0];
    return input->node->kind == NODE_SCAN ? input : NULL;
}

void scan_op_any_order(struct op *input)
{
    struct op *scan = find_scan(input);
    if (scan)
        ((struct scanning *)scan->state)->any_order = true;
}

/* ---- in parts ------------------------------------------------------------------- */

struct op *scan_op_below(struct op *input)
{
    struct op *scan = find_scan(input);
    const struct scanning *s = scan ? scan->state : NULL;
    return s && s->any_order && !scan->node->as.scan.is_metric ? scan : NULL;
}

enum varve_status scan_op_begin(struct op *op, const struct scan **scan, struct varve_err *err)
{
    struct scanning *s = op->state;
    const struct time_range *range = &op->node->as.scan.range;
    *scan = NULL;
    if (range->since >= range->until)
        return VARVE_OK;
    TRY(scan_input_open(&s->input, range->since, range->until, err));
    s->is_reading = true;
    *scan = s->input.scan;
    return VARVE_OK;
}

enum varve_status scan_op_part(struct op *op, const struct scan *whole, size_t from, size_t until,
                               struct varve_err *err)
{
    struct scanning *s = op->state;
    TRY(scan_input_open_part(&s->input, whole, from, until, err));
    s->is_reading = true;
    return VARVE_OK;
}

/* ---- any order ---------------------------------------------------------------- */

static enum varve_status next_as_it_lies(struct op *op, struct batch *batch, struct varve_err *err)
{
    struct scanning *s = op->state;
    const struct time_range *range = &op->node->as.scan.range;
    if (!s->is_reading)
        TRY(scan_input_open(&s->input, range->since, range->until, err));
    s->is_reading = true;
    do {
        TRY(exec_check(op->exec, err));
        TRY(scan_input_next(&s->input, batch, err));
    } while (batch_count(batch) == 0);
    return VARVE_OK;
}

/* ---- the order of time ------------------------------------------------------------ */

/* The part of the range in the next day that has rows of the source; false: there is none. */
static bool next_day(struct op *op, struct time_range *part)
{
    struct scanning *s = op->state;
    const struct snapshot *snapshot = op->exec->snapshot;
    const struct time_range *range = &op->node->as.scan.range;
    for (; s->next < snapshot->source_count; s->next++) {
        const struct source *source = &snapshot->sources[s->next];
        int32_t day = source->day;
        if (!source_is_in(source, s->table, range->since, range->until))
            continue;
        while (s->next < snapshot->source_count && snapshot->sources[s->next].day == day)
            s->next++;
        int64_t first = day_start(day), end = day_start(day + 1);
        part->since = range->since > first ? range->since : first;
        part->until = range->until < end ? range->until : end;
        return true;
    }
    return false;
}

static enum varve_status
collect_day(struct op *op, const struct time_range *part, struct varve_err *err)
{
    static const uint32_t by_time[] = {0};
    struct scanning *s = op->state;
    struct batch batch;
    enum varve_status status = VARVE_OK;
    relation_clear(&s->day);
    s->at = 0;
    TRY(scan_input_open(&s->input, part->since, part->until, err));
    while (status == VARVE_OK) {
        TRY(exec_check(op->exec, err));
        status = scan_input_next(&s->input, &batch, err);
        if (status == VARVE_OK)
            status = relation_add_batch(&s->day, &batch, err);
    }
    scan_input_close(&s->input);
    if (status != VARVE_DONE)
        return status;
    op_bytes(op, relation_bytes(&s->day));
    return relation_sort(&s->day, by_time, NULL, 1, err);
}

static enum varve_status next_in_order(struct op *op, struct batch *batch, struct varve_err *err)
{
    struct scanning *s = op->state;
    struct time_range part;
    while (s->at >= s->day.rows) {
        if (!next_day(op, &part))
            return VARVE_DONE;
        TRY(collect_day(op, &part, err));
    }
    TRY(relation_batch(&s->day, s->at, batch, err));
    s->at += batch->rows;
    return VARVE_OK;
}

static enum varve_status scan_op_next(struct op *op, struct batch *batch, struct varve_err *err)
{
    struct scanning *s = op->state;
    if (op->node->as.scan.range.since >= op->node->as.scan.range.until)
        return VARVE_DONE;
    return s->any_order ? next_as_it_lies(op, batch, err) : next_in_order(op, batch, err);
}

const struct op_kind op_scan = {scan_op_open, scan_op_next, scan_op_close};
