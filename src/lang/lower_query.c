/* SPDX-License-Identifier: Apache-2.0
 *
 * lower_query.c -- queries of several SELECTs: WITH, views, UNION, EXCEPT, INTERSECT.
 *
 * What WITH names and a view stands for become named results, made once however often they are
 * read.  One without a range takes that of the SELECT that reads it, so that a view may be asked
 * about any range; it is made once for each range then.
 *
 * ORDER BY and LIMIT behind the last SELECT of a UNION are about all of it.
 */
#include "lang/lower_private.h"
#include "lang/parse.h"

struct with_scope {
    struct with_scope *parent;
    const struct query *query;
    uint32_t visible; /* the WITHs that may be named: those before */
};

struct named_entry {
    const struct with *with; /* or */
    struct varve_str view;
    bool has_offer;
    struct time_range offer;
    uint32_t number;
    struct query_result result;
};

enum varve_status lower_add_named(struct lower *l, struct node *node, uint32_t *number)
{
    struct plan *plan = l->plan;
    TRY(lower_grow(l, &plan->named, &l->named_capacity, plan->named_count, sizeof *plan->named));
    *number = plan->named_count;
    plan->named[plan->named_count++] = node;
    return VARVE_OK;
}

/* ---- named results ------------------------------------------------------------ */

static struct named_entry *find_entry(struct lower *l, const struct with *with,
                                      struct varve_str view, const struct time_range *offered)
{
    for (uint32_t i = 0; i < l->entry_count; i++) {
        struct named_entry *entry = &l->entries[i];
        if (with ? entry->with != with : entry->with || !str_equal(entry->view, view))
            continue;
        if (!entry->result.depends ||
            (offered ? entry->has_offer && entry->offer.since == offered->since &&
                           entry->offer.until == offered->until
                     : !entry->has_offer))
            return entry;
    }
    return NULL;
}

static enum varve_status add_entry(struct lower *l, const struct with *with, struct varve_str view,
                                   const struct time_range *offered,
                                   const struct query_result *result, struct named_entry **entry)
{
    TRY(lower_grow(l, &l->entries, &l->entry_capacity, l->entry_count, sizeof *l->entries));
    *entry = &l->entries[l->entry_count++];
    **entry = (struct named_entry){.with = with, .view = view, .result = *result};
    (*entry)->has_offer = offered != NULL;
    if (offered)
        (*entry)->offer = *offered;
    return lower_add_named(l, result->node, &(*entry)->number);
}

static void read_entry(const struct named_entry *entry, struct source *from)
{
    from->kind = FROM_NAMED;
    from->named = entry->number;
    from->node = entry->result.node;
    from->span = entry->result.span;
    from->inherits = entry->result.inherits;
    from->depends = entry->result.depends;
}

static enum varve_status read_with(struct lower *l, struct with_scope *scope, uint32_t i,
                                   const struct time_range *offered, struct source *from)
{
    const struct with *with = &scope->query->withs[i];
    struct named_entry *entry = find_entry(l, with, with->name, offered);
    if (!entry) {
        struct with_scope before = {scope->parent, scope->query, i}, *now = l->withs;
        struct query_result result;
        l->withs = &before;
        TRY(lower_query(l, with->query, offered, &result));
        l->withs = now;
        TRY(add_entry(l, with, with->name, offered, &result, &entry));
    }
    read_entry(entry, from);
    return VARVE_OK;
}

static enum varve_status parse_view(struct lower *l, const struct schema_source *view,
                                    struct place place, const struct query **query)
{
    struct statement *statement;
    struct lang_error error = {0};
    enum varve_status status =
        parse_statement(view->text.data, view->text.size, l->arena, &statement, &error);
    if (status == VARVE_NOMEM)
        return fail_nomem(l->err, view->text.size);
    if (status != VARVE_OK)
        return lower_fail(l, VARVE_INVALID, place, "the view '%.*s' cannot be read: %s",
                          STR_ARG(view->name), error.message);
    if (statement->kind != STATEMENT_QUERY)
        return lower_fail(l, VARVE_INVALID, place, "the view '%.*s' is not a query",
                          STR_ARG(view->name));
    *query = statement->query;
    return VARVE_OK;
}

static enum varve_status read_view(struct lower *l, const struct schema_source *view,
                                   const struct time_range *offered, struct source *from)
{
    struct named_entry *entry = find_entry(l, NULL, view->name, offered);
    unsigned deep = 1;
    if (!entry) {
        struct view_frame frame = {view->name, from->place, l->view};
        struct with_scope *withs = l->withs;
        const struct query *query = NULL;
        struct query_result result;
        for (const struct view_frame *at = l->view; at; at = at->parent)
            deep++;
        if (deep > LOWER_VIEWS_MAX)
            return lower_fail(l, VARVE_LIMIT, from->place,
                              "views in views are at most %d deep: does '%.*s' read itself?",
                              LOWER_VIEWS_MAX, STR_ARG(view->name));
        TRY(parse_view(l, view, from->place, &query));
        l->view = &frame;
        l->withs = NULL;
        TRY(lower_query(l, query, offered, &result));
        l->view = frame.parent;
        l->withs = withs;
        TRY(add_entry(l, NULL, view->name, offered, &result, &entry));
    }
    read_entry(entry, from);
    return VARVE_OK;
}

enum varve_status lower_from(struct lower *l, const struct select *ast,
                             const struct time_range *offered, struct source *from)
{
    *from = (struct source){.kind = FROM_NONE, .place = ast->from_place, .written = ast->from};
    from->span = (struct time_range){1, 0};
    if (ast->from.size == 0)
        return VARVE_OK;
    for (struct with_scope *scope = l->withs; scope; scope = scope->parent)
        for (uint32_t i = scope->visible; i-- > 0;)
            if (str_equal(scope->query->withs[i].name, ast->from))
                return read_with(l, scope, i, offered, from);
    enum varve_status status = lower_find_source(l, ast->from, &from->schema);
    if (status == VARVE_NOTFOUND)
        return lower_unknown_source(l, "table", ast->from, ast->from_place);
    TRY(status);
    if (from->schema.kind == SOURCE_VIEW)
        return read_view(l, &from->schema, offered, from);
    from->kind = from->schema.kind == SOURCE_METRIC ? FROM_METRIC : FROM_TABLE;
    return VARVE_OK;
}

/* ---- sets --------------------------------------------------------------------- */

static struct time_range hull(struct time_range a, struct time_range b)
{
    return (struct time_range){a.since < b.since ? a.since : b.since,
                               a.until > b.until ? a.until : b.until};
}

static enum varve_status combine(struct lower *l, const struct query_part *part,
                                 const struct query_result *right, struct query_result *result)
{
    struct node *left = result->node, *node;
    if (left->column_count != right->node->column_count)
        return lower_fail(l, VARVE_INVALID, part->place,
                          "both sides need as many columns: the left has %u, the right %u",
                          (unsigned)left->column_count, (unsigned)right->node->column_count);
    TRY(lower_node_new(l, NODE_SET, part->place, NULL, left->column_count, &node));
    TRY(lower_alloc(l, &node->inputs, 2, sizeof(struct node *)));
    node->input_count = 2;
    node->inputs[0] = left;
    node->inputs[1] = right->node;
    node->as.set.op = part->op;
    for (uint32_t i = 0; i < left->column_count; i++) {
        const struct column_info *a = &left->columns[i], *b = &right->node->columns[i];
        node->columns[i] = (struct column_info){a->name, lower_type_common(a->type, b->type), {0}};
        if (str_equal(a->unit, b->unit))
            node->columns[i].unit = a->unit;
    }
    bool times = result->span.since <= result->span.until && right->span.since <= right->span.until;
    result->node = node;
    result->span = times ? hull(result->span, right->span) : (struct time_range){1, 0};
    result->range = hull(result->range, right->range);
    if (memcmp(&result->bucket, &right->bucket, sizeof result->bucket) != 0)
        result->bucket = (struct bucket){0};
    result->inherits = result->inherits && right->inherits;
    result->depends = result->depends || right->depends;
    return VARVE_OK;
}

/* ORDER BY and LIMIT of the whole, by the names and positions of its columns. */
static enum varve_status
order_all(struct lower *l, const struct select *ast, struct query_result *result)
{
    struct source source = {.kind = FROM_NAMED, .written = STR("UNION"), .node = result->node};
    struct selecting selecting = {.lower = l, .ast = ast, .rows = {.source = &source}};
    struct scope scope = {.select = &selecting, .columns = &selecting.rows, .clause = "ORDER BY"};
    uint32_t *by;
    bool *descending;
    TRY(lower_alloc(l, &by, ast->order_count, sizeof *by));
    TRY(lower_alloc(l, &descending, ast->order_count, sizeof *descending));
    for (uint32_t i = 0; i < ast->order_count; i++) {
        const struct expr *e = ast->orders[i].expr;
        struct term *term;
        descending[i] = ast->orders[i].descending;
        if (e->kind == EXPR_INT && e->integer >= 1 &&
            (uint64_t)e->integer <= result->node->column_count) {
            by[i] = (uint32_t)e->integer - 1;
            continue;
        }
        TRY(lower_bind(&scope, e, &term));
        if (term->kind != TERM_COLUMN)
            return lower_fail(l, VARVE_INVALID, e->place,
                              "a %s is sorted by its columns: their names or positions",
                              "UNION, EXCEPT or INTERSECT");
        by[i] = term->index;
    }
    TRY(lower_node_sort(l, ast->place, by, descending, ast->order_count, &result->node));
    return lower_node_limit(l, ast, &result->node);
}

static enum varve_status
lower_parts(struct lower *l, const struct query *query, const struct time_range *inherited,
            struct query_result *result)
{
    struct select *last;
    if (query->part_count == 1)
        return lower_select(l, &query->parts[0].select, inherited, result);
    TRY(lower_alloc(l, &last, 1, sizeof *last));
    *last = query->parts[query->part_count - 1].select;
    last->order_count = 0;
    last->has_limit = false;
    TRY(lower_select(l, &query->parts[0].select, inherited, result));
    for (uint32_t i = 1; i < query->part_count; i++) {
        bool is_last = i + 1 == query->part_count;
        struct query_result right;
        TRY(lower_select(l, is_last ? last : &query->parts[i].select, inherited, &right));
        TRY(combine(l, &query->parts[i], &right, result));
    }
    return order_all(l, &query->parts[query->part_count - 1].select, result);
}

/* ---- a query -------------------------------------------------------------------- */

/* A WITH that nothing reads may still be wrong; its result is not made. */
static enum varve_status check_unread(struct lower *l, struct with_scope *scope, uint32_t i,
                                      const struct time_range *inherited)
{
    const struct with *with = &scope->query->withs[i];
    struct source ignored = {0};
    uint32_t named = l->plan->named_count, entries = l->entry_count;
    for (uint32_t k = 0; k < l->entry_count; k++)
        if (l->entries[k].with == with)
            return VARVE_OK;
    TRY(read_with(l, scope, i, inherited, &ignored));
    l->plan->named_count = named;
    l->entry_count = entries;
    return VARVE_OK;
}

enum varve_status lower_query(struct lower *l, const struct query *query,
                              const struct time_range *inherited, struct query_result *result)
{
    struct with_scope scope = {l->withs, query, query->with_count};
    if (query->with_count > LOWER_PARTS_MAX || query->part_count > LOWER_PARTS_MAX)
        return lower_fail(l, VARVE_LIMIT, query->place,
                          "a query has at most %d SELECTs and as many WITHs", LOWER_PARTS_MAX);
    for (uint32_t i = 0; i < query->with_count; i++)
        for (uint32_t k = 0; k < i; k++)
            if (str_equal(query->withs[i].name, query->withs[k].name))
                return lower_fail(l, VARVE_INVALID, query->withs[i].place,
                                  "WITH names '%.*s' twice", STR_ARG(query->withs[i].name));
    *result = (struct query_result){0};
    l->withs = &scope;
    TRY(lower_parts(l, query, inherited, result));
    for (uint32_t i = 0; i < query->with_count; i++)
        TRY(check_unread(l, &scope, i, inherited));
    l->withs = scope.parent;
    return VARVE_OK;
}
