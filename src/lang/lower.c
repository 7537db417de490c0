/* SPDX-License-Identifier: Apache-2.0
 *
 * lower.c -- the entry to lowering, and what all of its files need: memory, messages, nodes.
 *
 * Nodes are numbered at the end, the named results first and each tree from its root, so that
 * numbers do not depend on the order in which nodes were made and nodes that were left out have
 * none.
 *
 * Messages about a view's text have their place where the statement names the view, because the
 * view's own text is not what the reader has in front of him.
 */
#include <stdarg.h>
#include <stdio.h>

#include "lang/lower_private.h"

/* ---- messages and memory ------------------------------------------------------ */

struct place lower_place(const struct lower *l, struct place place)
{
    const struct view_frame *view = l->view;
    while (view && view->parent)
        view = view->parent;
    return view ? view->place : place;
}

enum varve_status
lower_fail(struct lower *l, enum varve_status status, struct place place, const char *format, ...)
{
    char text[sizeof l->error->message];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    text[str_cut((struct varve_str){text, strlen(text)}, sizeof text - 4)] = 0;
    if (!l->view)
        return lang_fail(l->error, status, place, "%s", text);
    return lang_fail(l->error, status, lower_place(l, place), "in the view '%.*s': %s",
                     STR_ARG(l->view->name), text);
}

enum varve_status lower_alloc(struct lower *l, void *pointer, size_t count, size_t size)
{
    size_t bytes = mem_array(count ? count : 1, size);
    void *memory = bytes ? arena_zalloc(l->arena, bytes) : NULL;
    memcpy(pointer, &memory, sizeof memory);
    return memory ? VARVE_OK : fail_nomem(l->err, bytes);
}

enum varve_status
lower_grow(struct lower *l, void *pointer, uint32_t *capacity, uint32_t count, size_t size)
{
    void *old, *grown = NULL;
    if (count < *capacity)
        return VARVE_OK;
    uint32_t more = *capacity ? *capacity * 2 : 4;
    TRY(lower_alloc(l, &grown, more, size));
    memcpy(&old, pointer, sizeof old);
    if (count)
        memcpy(grown, old, count * size);
    memcpy(pointer, &grown, sizeof grown);
    *capacity = more;
    return VARVE_OK;
}

enum varve_status
lower_join(struct lower *l, struct varve_str a, const char *b, struct varve_str *joined)
{
    size_t more = strlen(b);
    char *text;
    TRY(lower_alloc(l, &text, a.size + more, 1));
    if (a.size)
        memcpy(text, a.data, a.size);
    memcpy(text + a.size, b, more);
    *joined = (struct varve_str){text, a.size + more};
    return VARVE_OK;
}

enum varve_status lower_text(struct lower *l, const struct expr *expr, struct varve_str *text)
{
    struct buf buf;
    buf_init(&buf, l->arena->mem, 4u << 20);
    print_expr(&buf, expr);
    enum varve_status status = buf_status(&buf, l->err);
    if (status == VARVE_OK) {
        text->data = arena_copy(l->arena, buf.data, buf.size);
        text->size = buf.size;
        if (!text->data)
            status = fail_nomem(l->err, buf.size);
    }
    buf_free(&buf);
    return status;
}

enum varve_status
lower_zone(struct lower *l, struct varve_str name, struct place place, const struct zone **zone)
{
    enum varve_status status = zone_open(name, l->arena, zone, l->err);
    if (status == VARVE_NOTFOUND || status == VARVE_INVALID || status == VARVE_CORRUPT)
        return lower_fail(l, VARVE_NOTFOUND, place,
                          "unknown time zone '%.*s': names are like 'Europe/Paris' or 'UTC'",
                          STR_ARG(name));
    return status;
}

/* ---- nodes ---------------------------------------------------------------------- */

enum varve_status lower_node_new(struct lower *l, enum node_kind kind, struct place place,
                                 struct node *input, uint32_t columns, struct node **node)
{
    struct node *made;
    if (++l->nodes > LOWER_NODES_MAX)
        return lower_fail(l, VARVE_LIMIT, place, "the statement takes more than %d steps",
                          LOWER_NODES_MAX);
    TRY(lower_alloc(l, &made, 1, sizeof *made));
    made->kind = kind;
    made->place = lower_place(l, place);
    if (input) {
        TRY(lower_alloc(l, &made->inputs, 1, sizeof *made->inputs));
        made->inputs[0] = input;
        made->input_count = 1;
    }
    TRY(lower_alloc(l, &made->columns, columns, sizeof *made->columns));
    made->column_count = columns;
    *node = made;
    return VARVE_OK;
}

enum varve_status lower_node_over(struct lower *l, enum node_kind kind, struct place place,
                                  struct node *input, uint32_t more, struct node **node)
{
    struct node *made = NULL;
    TRY(lower_node_new(l, kind, place, input, input->column_count + more, &made));
    memcpy(made->columns, input->columns, input->column_count * sizeof *made->columns);
    made->has_bucket = input->has_bucket;
    made->key_count = input->key_count;
    *node = made;
    return VARVE_OK;
}

enum varve_status lower_node_filter(struct lower *l, struct term *condition, struct node **node)
{
    if (!condition)
        return VARVE_OK;
    TRY(lower_node_over(l, NODE_FILTER, condition->place, *node, 0, node));
    (*node)->as.filter.condition = condition;
    return VARVE_OK;
}

enum varve_status
lower_node_compute(struct lower *l, struct term **terms, const struct varve_str *names,
                   uint32_t count, struct node **node)
{
    struct node *input = *node, *made = NULL;
    if (count == 0)
        return VARVE_OK;
    TRY(lower_node_over(l, NODE_COMPUTE, terms[0]->place, input, count, &made));
    made->as.compute.terms = terms;
    made->as.compute.term_count = count;
    for (uint32_t i = 0; i < count; i++)
        made->columns[input->column_count + i] = (struct column_info){
            names[i], terms[i]->type, lower_term_unit(terms[i], input->columns)};
    *node = made;
    return VARVE_OK;
}

enum varve_status lower_node_sort(struct lower *l, struct place place, uint32_t *by,
                                  bool *descending, uint32_t count, struct node **node)
{
    TRY(lower_node_over(l, NODE_SORT, place, *node, 0, node));
    (*node)->as.sort.by = by;
    (*node)->as.sort.descending = descending;
    (*node)->as.sort.count = count;
    return VARVE_OK;
}

enum varve_status lower_node_limit(struct lower *l, const struct select *ast, struct node **node)
{
    if (!ast->has_limit)
        return VARVE_OK;
    TRY(lower_node_over(l, NODE_LIMIT, ast->place, *node, 0, node));
    (*node)->as.limit.count = ast->limit;
    (*node)->as.limit.skip = ast->skip;
    return VARVE_OK;
}

static uint32_t count_names(const struct varve_str *names, uint32_t count, struct varve_str name)
{
    uint32_t equal = 0;
    for (uint32_t i = 0; i < count; i++)
        equal += str_equal(names[i], name);
    return equal;
}

/* The second a is a_2, or the next that is not taken: rows are printed as objects with names. */
enum varve_status lower_node_unique(struct lower *l, struct node *node)
{
    struct varve_str *asked, *given;
    char suffix[16];
    TRY(lower_alloc(l, &asked, node->column_count, sizeof *asked));
    TRY(lower_alloc(l, &given, node->column_count, sizeof *given));
    for (uint32_t i = 0; i < node->column_count; i++) {
        struct varve_str name = asked[i] = node->columns[i].name;
        uint32_t before = count_names(asked, i, name), number = before ? before : 1;
        while (count_names(given, i, name) > 0) {
            snprintf(suffix, sizeof suffix, "_%u", (unsigned)++number);
            TRY(lower_join(l, asked[i], suffix, &name));
        }
        node->columns[i].name = given[i] = name;
    }
    return VARVE_OK;
}

static void number_nodes(struct plan *plan, struct node *node)
{
    node->number = plan->node_count++;
    for (uint32_t i = 0; i < node->input_count; i++)
        number_nodes(plan, node->inputs[i]);
}

/* ---- the entry -------------------------------------------------------------------- */

static enum varve_status lower_root(struct lower *l, const struct statement *statement)
{
    struct query_result result;
    if (statement->kind == STATEMENT_SHOW || statement->kind == STATEMENT_SHOW_NEW ||
        statement->kind == STATEMENT_DESCRIBE)
        return lower_show(l, statement);
    if (statement->kind != STATEMENT_QUERY || !statement->query)
        return lower_fail(l, VARVE_INVALID, statement->place, "this statement is not a query");
    TRY(lower_query(l, statement->query, NULL, &result));
    l->plan->root = result.node;
    l->plan->range = result.range;
    l->plan->bucket = result.bucket;
    if (result.zone.size)
        l->plan->zone = result.zone;
    return VARVE_OK;
}

enum varve_status
lower_statement(const struct statement *statement, const struct schema *schema,
                const struct lower_options *options, struct arena *arena, struct plan **plan,
                struct lang_error *error, struct varve_err *err)
{
    struct lower l = {.schema = schema,
                      .options = options,
                      .arena = arena,
                      .error = error,
                      .err = err,
                      .zone_name = options->zone.size ? options->zone : STR("UTC")};
    TRY(lower_zone(&l, l.zone_name, statement->place, &l.zone));
    l.select_zone = l.zone;
    l.select_zone_name = l.zone_name;
    TRY(lower_alloc(&l, &l.plan, 1, sizeof *l.plan));
    l.plan->now = options->now;
    l.plan->zone = l.zone_name;
    l.plan->range = (struct time_range){1, 0};
    TRY(lower_root(&l, statement));
    for (uint32_t i = 0; i < l.plan->named_count; i++)
        number_nodes(l.plan, l.plan->named[i]);
    number_nodes(l.plan, l.plan->root);
    *plan = l.plan;
    return VARVE_OK;
}
