/* SPDX-License-Identifier: Apache-2.0
 *
 * progress.c -- how far the reading of a plan is.
 *
 * What there is to read follows from the plan: every MEASURE and every SCAN goes once through the
 * segments of its range.  What has been read the snapshot counts.  Both are about segments, so a
 * step is as large as a day; and a plan that reads a range again, or ends early, is not known
 * before, so the figures are for people and for nothing that has to be right.
 */
#include "exec/exec.h"

static uint64_t
count_sources(const struct snapshot *snapshot, uint32_t table, int64_t since, int64_t until)
{
    uint64_t count = 0;
    for (size_t i = 0; i < snapshot->source_count; i++)
        count += source_is_in(&snapshot->sources[i], table, since, until);
    return count;
}

static uint64_t planned_of(const struct snapshot *snapshot, const struct node *node)
{
    uint64_t planned = 0;
    if (node->kind == NODE_MEASURE) {
        const struct time_range *range = &node->as.measure.range;
        int64_t window = node->as.measure.window;
        int64_t since = range->since < INT64_MIN + window ? INT64_MIN : range->since - window;
        planned = node->as.measure.source_count * count_sources(snapshot, 0, since, range->until);
    } else if (node->kind == NODE_SCAN) {
        const struct time_range *range = &node->as.scan.range;
        uint32_t table = 0;
        if (!node->as.scan.is_metric)
            table = snapshot_table_number(snapshot, node->as.scan.source);
        if (node->as.scan.is_metric || table > 0)
            planned = count_sources(snapshot, table, range->since, range->until);
    }
    for (uint32_t i = 0; i < node->input_count; i++)
        planned += planned_of(snapshot, node->inputs[i]);
    return planned;
}

uint64_t exec_planned(const struct exec *exec)
{
    uint64_t planned = planned_of(exec->snapshot, exec->plan->root);
    for (uint32_t i = 0; i < exec->plan->named_count; i++)
        if (exec->plan->named[i])
            planned += planned_of(exec->snapshot, exec->plan->named[i]);
    return planned;
}
