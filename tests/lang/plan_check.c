/* SPDX-License-Identifier: Apache-2.0
 *
 * plan_check.c -- what holds for every plan: numbers of columns lie in the input, keys come first,
 * nodes have the inputs and the columns that plan.h says, named results need only earlier ones.
 */
#include "plan_check.h"

#include <string.h>

#define CHECK(condition)       \
    do {                       \
        if (!(condition))      \
            return #condition; \
    } while (0)
#define CHECK_ALL(expression)            \
    do {                                 \
        const char *all_ = (expression); \
        if (all_)                        \
            return all_;                 \
    } while (0)

static const char *check_term(const struct term *term, uint32_t columns, uint32_t depth)
{
    CHECK(depth <= TERM_DEPTH_MAX);
    CHECK(term->type < TYPES);
    if (term->kind == TERM_COLUMN)
        CHECK(term->index < columns);
    if (term->kind != TERM_CALL) {
        CHECK(term->arg_count == 0);
        return NULL;
    }
    CHECK(term->function < FUNCTIONS);
    const struct function_info *info = &function_table[term->function];
    CHECK(term->arg_count >= (uint32_t)info->least);
    CHECK(info->most < 0 || term->arg_count <= (uint32_t)info->most);
    for (uint32_t i = 0; i < term->arg_count; i++)
        CHECK_ALL(check_term(term->args[i], columns, depth + 1));
    return NULL;
}

static const char *check_terms(struct term *const *terms, uint32_t count, uint32_t columns)
{
    for (uint32_t i = 0; i < count; i++)
        CHECK_ALL(check_term(terms[i], columns, 1));
    return NULL;
}

static const char *check_aggregate(const struct aggregate *aggregate, uint32_t columns)
{
    CHECK(aggregate->kind < AGGREGATES);
    if (aggregate->of)
        CHECK_ALL(check_term(aggregate->of, columns, 1));
    if (aggregate->filter)
        CHECK_ALL(check_term(aggregate->filter, columns, 1));
    return NULL;
}

static const char *
check_keep(const struct plan *plan, const struct node *node, const struct keep *keep)
{
    if (!keep->is_set)
        return NULL;
    CHECK(keep->named < plan->named_count);
    CHECK(node->key_count > 0);
    CHECK(plan->named[keep->named]->column_count == node->key_count + 2);
    CHECK(plan->named[keep->named]->key_count == node->key_count);
    return NULL;
}

static const char *check_bucket(const struct node *node, const struct bucket *bucket)
{
    CHECK((bucket->kind != BUCKET_NONE) == node->has_bucket);
    CHECK(bucket->kind != BUCKET_FIXED || bucket->width > 0);
    CHECK(bucket->kind != BUCKET_CALENDAR || (bucket->unit > UNIT_HOUR && bucket->zone.size > 0));
    return NULL;
}

static const char *check_measure(const struct plan *plan, const struct node *node)
{
    uint32_t labels = node->as.measure.label_count;
    CHECK(node->input_count == 0);
    CHECK(node->column_count == node->has_bucket + node->key_count + 1);
    CHECK(node->as.measure.source_count >= 1);
    CHECK(node->as.measure.source_count == 1 || node->as.measure.function == ROLLUP_SEEN);
    CHECK(node->as.measure.function < ROLLUPS);
    CHECK(node->as.measure.window >= 0);
    CHECK(node->as.measure.range.since <= node->as.measure.range.until);
    CHECK(node->as.measure.range.since < node->as.measure.range.until ||
          node->as.measure.window > 0 || plan->range.since >= plan->range.until);
    CHECK_ALL(check_terms(node->as.measure.keys, node->key_count, labels));
    if (node->as.measure.where)
        CHECK_ALL(check_term(node->as.measure.where, labels, 1));
    CHECK_ALL(check_aggregate(&node->as.measure.aggregate, labels));
    CHECK_ALL(check_bucket(node, &node->as.measure.bucket));
    return check_keep(plan, node, &node->as.measure.keep);
}

static const char *check_group(const struct plan *plan, const struct node *node)
{
    uint32_t columns = node->inputs[0]->column_count;
    CHECK(node->column_count ==
          node->has_bucket + node->key_count + node->as.group.aggregate_count);
    CHECK_ALL(check_terms(node->as.group.keys, node->key_count, columns));
    for (uint32_t i = 0; i < node->as.group.aggregate_count; i++)
        CHECK_ALL(check_aggregate(&node->as.group.aggregates[i], columns));
    CHECK_ALL(check_bucket(node, &node->as.group.bucket));
    CHECK(!node->has_bucket || node->as.group.time_column < columns);
    return check_keep(plan, node, &node->as.group.keep);
}

static const char *check_align(const struct node *node)
{
    uint32_t columns = node->has_bucket + node->key_count;
    CHECK(node->input_count >= 1);
    for (uint32_t i = 0; i < node->input_count; i++) {
        const struct node *input = node->inputs[i];
        const struct align_input *how = &node->as.align.inputs[i];
        CHECK(how->has_bucket == input->has_bucket);
        CHECK(!input->has_bucket || node->has_bucket);
        CHECK(how->has_keys == (input->key_count == node->key_count));
        CHECK(how->has_keys || input->key_count == 0);
        CHECK(!how->adds_rows || (how->has_keys && how->has_bucket == node->has_bucket));
        columns += input->column_count - input->has_bucket - input->key_count;
    }
    CHECK(node->column_count == columns);
    return NULL;
}

static const char *check_columns(const struct node *node)
{
    const struct node *input = node->inputs[0];
    uint32_t columns = input->column_count;
    if (node->kind == NODE_COMPUTE) {
        CHECK(node->column_count == columns + node->as.compute.term_count);
        return check_terms(node->as.compute.terms, node->as.compute.term_count, columns);
    }
    if (node->kind == NODE_PICK) {
        for (uint32_t i = 0; i < node->column_count; i++)
            CHECK(node->as.pick.from[i] < columns);
        return NULL;
    }
    if (node->kind == NODE_LIMIT) {
        CHECK(node->as.limit.count >= -1 && node->as.limit.skip >= 0);
        CHECK(node->column_count == columns + node->as.limit.numbered);
        return NULL;
    }
    CHECK(node->column_count == columns);
    if (node->kind == NODE_FILTER)
        return check_term(node->as.filter.condition, columns, 1);
    if (node->kind == NODE_SORT)
        for (uint32_t i = 0; i < node->as.sort.count; i++)
            CHECK(node->as.sort.by[i] < columns);
    if (node->kind == NODE_GRID)
        return check_bucket(node, &node->as.grid.bucket);
    if (node->kind == NODE_SHIFT)
        return check_bucket(node, &node->as.shift.bucket);
    return NULL;
}

static const char *check_scan(const struct node *node)
{
    CHECK(node->input_count == 0);
    CHECK(node->as.scan.read_count == node->column_count);
    CHECK(node->column_count >= (node->as.scan.is_metric ? 3u : 1u));
    CHECK(node->columns[0].type == TYPE_TIME);
    return NULL;
}

static const char *check_kind(const struct plan *plan, const struct node *node, uint32_t named)
{
    switch (node->kind) {
    case NODE_VALUES:
    case NODE_CATALOGUE:
        CHECK(node->input_count == 0);
        return NULL;
    case NODE_MEASURE:
        return check_measure(plan, node);
    case NODE_SCAN:
        return check_scan(node);
    case NODE_NAMED:
        CHECK(node->input_count == 0);
        CHECK(node->as.named.number < named);
        CHECK(plan->named[node->as.named.number]->column_count == node->column_count);
        return NULL;
    case NODE_SET:
        CHECK(node->input_count == 2);
        CHECK(node->inputs[0]->column_count == node->column_count);
        CHECK(node->inputs[1]->column_count == node->column_count);
        return NULL;
    case NODE_ALIGN:
        return check_align(node);
    case NODE_GROUP:
        CHECK(node->input_count == 1);
        return check_group(plan, node);
    default:
        CHECK(node->kind < NODE_KINDS);
        CHECK(node->input_count == 1);
        return check_columns(node);
    }
}

/* named: how many named results are there when the node runs. */
static const char *
check_node(const struct plan *plan, const struct node *node, uint32_t named, uint32_t *number)
{
    CHECK(node->number == *number);
    ++*number;
    CHECK(node->has_bucket + node->key_count <= node->column_count);
    CHECK(!node->has_bucket || node->columns[0].type == TYPE_TIME);
    CHECK_ALL(check_kind(plan, node, named));
    for (uint32_t i = 0; i < node->input_count; i++)
        CHECK_ALL(check_node(plan, node->inputs[i], named, number));
    return NULL;
}

const char *plan_check(const struct plan *plan)
{
    uint32_t number = 0;
    for (uint32_t i = 0; i < plan->named_count; i++)
        CHECK_ALL(check_node(plan, plan->named[i], i, &number));
    CHECK_ALL(check_node(plan, plan->root, plan->named_count, &number));
    CHECK(number == plan->node_count);
    CHECK(plan->zone.size > 0);
    return NULL;
}
