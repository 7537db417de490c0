/* SPDX-License-Identifier: Apache-2.0
 *
 * explain.c -- a plan as lines of text: a node a line, its inputs below it and further right.
 *
 * Named results come first, each under its number, because they are made first.  With statistics
 * each line ends with what the node gave and what it took, its inputs included.
 */
#include <inttypes.h>
#include <stdio.h>

#include "lang/explain_private.h"

static const char *const node_names[NODE_KINDS] = {
    [NODE_VALUES] = "VALUES", [NODE_MEASURE] = "MEASURE",    [NODE_SCAN] = "SCAN",
    [NODE_GROUP] = "GROUP",   [NODE_ALIGN] = "ALIGN",        [NODE_GRID] = "GRID",
    [NODE_FILL] = "FILL",     [NODE_SHIFT] = "SHIFT",        [NODE_COMPUTE] = "COMPUTE",
    [NODE_PICK] = "PICK",     [NODE_FILTER] = "FILTER",      [NODE_SORT] = "SORT",
    [NODE_LIMIT] = "LIMIT",   [NODE_DISTINCT] = "DISTINCT",  [NODE_SET] = "SET",
    [NODE_NAMED] = "NAMED",   [NODE_CATALOGUE] = "CATALOGUE"};

static void put_stats(struct buf *out, const struct node *node, const struct node_stats *stats)
{
    char text[200];
    snprintf(text, sizeof text, "  (%" PRIu64 " rows, %" PRIu64 " batches, %.3f ms", stats->rows,
             stats->batches, (double)stats->nanos / 1e6);
    explain_put(out, text);
    if (node->kind == NODE_MEASURE || node->kind == NODE_SCAN) {
        snprintf(text, sizeof text,
                 ", %" PRIu64 " runs, %" PRIu64 " from headers, %" PRIu64
                 " blocks decoded, %" PRIu64 " points read",
                 stats->scan.runs, stats->scan.runs_from_headers, stats->scan.blocks_decoded,
                 stats->scan.rows);
        explain_put(out, text);
    }
    if (stats->bytes) {
        snprintf(text, sizeof text, ", %" PRIu64 " bytes", stats->bytes);
        explain_put(out, text);
    }
    explain_put(out, ")");
}

static void put_node(struct buf *out, const struct plan *plan, const struct node *node,
                     uint32_t depth, const struct node_stats *stats)
{
    for (uint32_t i = 0; i < depth && i < 100; i++)
        explain_put(out, "  ");
    explain_put(out, node_names[node->kind]);
    explain_node(out, plan, node);
    if (stats)
        put_stats(out, node, &stats[node->number]);
    explain_put(out, "\n");
    for (uint32_t i = 0; i < node->input_count; i++)
        put_node(out, plan, node->inputs[i], depth + 1, stats);
}

void explain_plan(struct buf *out, const struct plan *plan, const struct node_stats *stats)
{
    char text[32];
    for (uint32_t i = 0; i < plan->named_count; i++) {
        snprintf(text, sizeof text, "#%" PRIu32 ":\n", i);
        explain_put(out, text);
        put_node(out, plan, plan->named[i], 1, stats);
    }
    put_node(out, plan, plan->root, 0, stats);
}
