/* SPDX-License-Identifier: Apache-2.0
 *
 * lower_show.c -- SHOW and DESCRIBE: one node, whose columns are in a table here.
 *
 * SHOW NEW VALUES has two ranges: what was seen in the first and not in the second, which ends
 * where the first begins, is new.
 */
#include "base/names.h"
#include "lang/lower_private.h"

#define MOST 7

struct listed {
    const char *name;
    enum value_type type;
};

/* SHOW_KINDS: DESCRIBE. */
static const struct listed columns_of[SHOW_KINDS + 1][MOST] = {
    [SHOW_METRICS] = {{"name", TYPE_TEXT},
                      {"kind", TYPE_TEXT},
                      {"unit", TYPE_TEXT},
                      {"series", TYPE_INT},
                      {"points", TYPE_INT},
                      {"oldest", TYPE_TIME},
                      {"newest", TYPE_TIME}},
    [SHOW_TABLES] = {{"name", TYPE_TEXT},
                     {"rows", TYPE_INT},
                     {"oldest", TYPE_TIME},
                     {"newest", TYPE_TIME}},
    [SHOW_LABELS] = {{"label", TYPE_TEXT}, {"values", TYPE_INT}},
    [SHOW_VALUES] = {{"value", TYPE_TEXT}, {"count", TYPE_INT}},
    [SHOW_SERIES] = {{"series", TYPE_TEXT},
                     {"points", TYPE_INT},
                     {"oldest", TYPE_TIME},
                     {"newest", TYPE_TIME}},
    [SHOW_CARDINALITY] = {{"name", TYPE_TEXT}, {"label", TYPE_TEXT}, {"values", TYPE_INT}},
    [SHOW_PANELS] = {{"name", TYPE_TEXT}, {"text", TYPE_TEXT}},
    [SHOW_DASHBOARDS] = {{"name", TYPE_TEXT}, {"panels", TYPE_INT}},
    [SHOW_ALERTS] = {{"name", TYPE_TEXT}, {"text", TYPE_TEXT}},
    [SHOW_LOOKUPS] = {{"name", TYPE_TEXT},
                      {"on", TYPE_TEXT},
                      {"labels", TYPE_TEXT},
                      {"rows", TYPE_INT}},
    [SHOW_VIEWS] = {{"name", TYPE_TEXT}, {"text", TYPE_TEXT}},
    [SHOW_TIERS] = {{"name", TYPE_TEXT},
                    {"rows", TYPE_INT},
                    {"bytes", TYPE_INT},
                    {"oldest", TYPE_TIME},
                    {"newest", TYPE_TIME}},
    [SHOW_RETENTION] = {{"name", TYPE_TEXT}, {"keeps", TYPE_DURATION}},
    [SHOW_SETTINGS] = {{"name", TYPE_TEXT}, {"value", TYPE_TEXT}},
    [SHOW_KINDS] = {{"name", TYPE_TEXT}, {"value", TYPE_TEXT}}};

static enum varve_status
new_catalogue(struct lower *l, enum show_kind what, struct place place, struct node **node)
{
    const struct listed *listed = columns_of[what];
    uint32_t count = 0;
    while (count < MOST && listed[count].name)
        count++;
    TRY(lower_node_new(l, NODE_CATALOGUE, place, NULL, count, node));
    for (uint32_t i = 0; i < count; i++)
        (*node)->columns[i] =
            (struct column_info){{listed[i].name, strlen(listed[i].name)}, listed[i].type, {0}};
    (*node)->as.catalogue.what = what;
    (*node)->as.catalogue.range = (*node)->as.catalogue.versus = (struct time_range){1, 0};
    return VARVE_OK;
}

/* The metric or table that is spoken of. */
static enum varve_status catalogue_of(struct lower *l, struct varve_str name, struct place place,
                                      struct source *source, struct node *node)
{
    *source = (struct source){.kind = FROM_TABLE, .place = place, .written = name};
    enum varve_status status = lower_find_source(l, name, &source->schema);
    if (status == VARVE_NOTFOUND)
        return lower_unknown_source(l, "metric or table", name, place);
    TRY(status);
    if (source->schema.kind == SOURCE_VIEW && node->as.catalogue.what != SHOW_KINDS)
        return lower_fail(l, VARVE_INVALID, place, "'%.*s' is a view: expected a metric or a table",
                          STR_ARG(name));
    if (source->schema.kind == SOURCE_METRIC)
        source->kind = FROM_METRIC;
    node->as.catalogue.of = source->schema.name;
    node->as.catalogue.of_is_metric = source->kind == FROM_METRIC;
    return VARVE_OK;
}

static enum varve_status lower_new(struct lower *l, const struct show *show, struct node *node)
{
    struct time_range *range = &node->as.catalogue.range, *versus = &node->as.catalogue.versus;
    if (!show->since || !show->versus)
        return lower_fail(l, VARVE_INVALID, show->label_place,
                          "SHOW NEW VALUES needs SINCE and VERSUS");
    range->until = l->options->now;
    TRY(lower_when(l, l->zone, show->since, &range->since));
    TRY(lower_when(l, l->zone, show->versus, &versus->since));
    versus->until = range->since;
    if (range->since >= range->until)
        return lower_fail(l, VARVE_INVALID, show->since->place, "SINCE lies in the future");
    if (versus->since >= versus->until)
        return lower_fail(l, VARVE_INVALID, show->versus->place,
                          "VERSUS has to reach further back than SINCE");
    node->as.catalogue.only_new = true;
    l->plan->range = *range;
    return VARVE_OK;
}

enum varve_status lower_show(struct lower *l, const struct statement *statement)
{
    const struct show *show = &statement->show;
    bool describes = statement->kind == STATEMENT_DESCRIBE;
    enum show_kind what = describes                               ? SHOW_KINDS
                          : statement->kind == STATEMENT_SHOW_NEW ? SHOW_VALUES
                                                                  : show->kind;
    struct varve_str of = describes ? statement->name : show->of;
    struct source source;
    struct node *node;
    enum value_type type;
    TRY(new_catalogue(l, what, statement->place, &node));
    l->plan->root = node;
    if (of.size)
        TRY(catalogue_of(l, of, describes ? statement->name_place : show->of_place, &source, node));
    if (what == SHOW_VALUES) {
        if (of.size)
            TRY(lower_find_label(l, &source, show->label, show->label_place,
                                 &node->as.catalogue.label, &type));
        else
            node->as.catalogue.label =
                (struct column_ref){.place = show->label_place, .name = names_label(show->label)};
        node->columns[0].name = show->label;
    }
    if (statement->kind == STATEMENT_SHOW_NEW)
        return lower_new(l, show, node);
    return VARVE_OK;
}
