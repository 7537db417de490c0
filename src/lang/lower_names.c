/* SPDX-License-Identifier: Apache-2.0
 *
 * lower_names.c -- messages about names that nothing has.
 *
 * Each names the nearest name there is, if one is near enough to be a slip of the fingers; one
 * about a label also lists the labels there are.  Only here are all names asked for, because a
 * message may be slow.
 */
#include <stdio.h>

#include "base/names.h"
#include "lang/lower_private.h"

#define LISTED 160 /* bytes of names in a message */

/* Copies, because what a schema visits lives as long as the callback only. */
struct nearest {
    struct varve_str name;
    unsigned distance;
    char best[80], list[LISTED + 8];
    size_t best_size, listed;
};

static void nearest_begin(struct nearest *nearest, struct varve_str name)
{
    *nearest = (struct nearest){.name = name, .distance = (unsigned)(name.size + 2) / 3 + 1};
}

static void nearest_offer(struct nearest *nearest, struct varve_str candidate)
{
    unsigned distance = str_distance(nearest->name, candidate);
    if (distance >= nearest->distance || candidate.size > sizeof nearest->best)
        return;
    nearest->distance = distance;
    nearest->best_size = candidate.size;
    memcpy(nearest->best, candidate.data, candidate.size);
}

static void nearest_list(struct nearest *nearest, struct varve_str name)
{
    if (nearest->listed >= LISTED)
        return;
    bool full = nearest->listed + name.size + 2 > LISTED;
    if (nearest->listed) {
        memcpy(nearest->list + nearest->listed, ", ", 2);
        nearest->listed += 2;
    }
    memcpy(nearest->list + nearest->listed, full ? "..." : name.data, full ? 3 : name.size);
    nearest->listed = full ? LISTED : nearest->listed + name.size;
    if (full)
        memcpy(nearest->list + LISTED, "", 1);
}

/* " (did you mean 'cost'?)" or nothing. */
#define HINT_SIZE 112
static const char *hint(const struct nearest *nearest, char text[HINT_SIZE])
{
    struct varve_str best = {nearest->best, nearest->best_size};
    text[0] = 0;
    if (best.size)
        snprintf(text, HINT_SIZE, " (did you mean '%.*s'?)", STR_ARG(best));
    return text;
}

/* ---- sources ------------------------------------------------------------------ */

struct source_visit {
    struct nearest *nearest;
    bool metrics, others;
};

static int offer_source(void *context, const struct schema_source *source)
{
    struct source_visit *visit = context;
    if (source->kind == SOURCE_METRIC ? !visit->metrics : !visit->others)
        return 0;
    nearest_offer(visit->nearest, source->name);
    const struct name_metric *known = names_metric(source->name);
    if (source->kind == SOURCE_METRIC && known)
        nearest_offer(visit->nearest, known->short_name);
    return 0;
}

static enum varve_status
offer_sources(struct lower *l, struct nearest *nearest, bool metrics, bool others)
{
    struct source_visit visit = {nearest, metrics, others};
    return l->schema->visit_sources(l->schema->context, offer_source, &visit, l->err);
}

enum varve_status
lower_unknown_source(struct lower *l, const char *what, struct varve_str name, struct place place)
{
    struct nearest nearest;
    char text[HINT_SIZE];
    bool metric = strcmp(what, "metric") == 0;
    nearest_begin(&nearest, name);
    TRY(offer_sources(l, &nearest, true, !metric));
    return lower_fail(l, VARVE_NOTFOUND, place, "unknown %s '%.*s'%s", what, STR_ARG(name),
                      hint(&nearest, text));
}

/* ---- columns and labels --------------------------------------------------------- */

static int offer_column(void *context, const struct schema_column *column)
{
    struct nearest *nearest = context;
    struct varve_str name = column->lookup.size ? column->field : column->name;
    nearest_offer(nearest, name);
    nearest_list(nearest, name);
    return 0;
}

static enum varve_status
offer_columns(struct lower *l, struct nearest *nearest, const struct source *source)
{
    if (source->kind == FROM_NAMED) {
        for (uint32_t i = 0; i < source->node->column_count; i++) {
            nearest_offer(nearest, source->node->columns[i].name);
            nearest_list(nearest, source->node->columns[i].name);
        }
        return VARVE_OK;
    }
    return l->schema->visit_columns(l->schema->context, &source->schema, offer_column, nearest,
                                    l->err);
}

enum varve_status lower_unknown_column(struct lower *l, const struct source *source,
                                       struct varve_str name, struct place place)
{
    struct nearest nearest;
    char text[HINT_SIZE];
    nearest_begin(&nearest, name);
    TRY(offer_columns(l, &nearest, source));
    bool metric = source->kind == FROM_METRIC;
    return lower_fail(l, VARVE_NOTFOUND, place, "%s '%.*s' has no %s '%.*s'%s; it has %.*s",
                      metric                       ? "metric"
                      : source->kind == FROM_TABLE ? "table"
                                                   : "query",
                      STR_ARG(source->written), metric ? "label" : "column", STR_ARG(name),
                      hint(&nearest, text), nearest.listed ? (int)strlen(nearest.list) : 4,
                      nearest.listed ? nearest.list : "none");
}

/* ---- functions and other names --------------------------------------------------- */

enum varve_status lower_unknown_function(struct lower *l, struct varve_str name, struct place place)
{
    struct nearest nearest;
    char text[HINT_SIZE];
    static const char *const others[] = {
#define X(symbol, word, help) word,
        ROLLUP_MAP(X)
#undef X
#define X(symbol, word, arguments, help) word,
            AGGREGATE_MAP(X)
#undef X
                "total",
        "share", "setting"};
    nearest_begin(&nearest, name);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        nearest_offer(&nearest, (struct varve_str){others[i], strlen(others[i])});
    for (int i = FUNCTION_IF; i < FUNCTIONS; i++)
        nearest_offer(&nearest,
                      (struct varve_str){function_table[i].name, strlen(function_table[i].name)});
    return lower_fail(l, VARVE_NOTFOUND, place, "unknown function '%.*s'%s", STR_ARG(name),
                      hint(&nearest, text));
}

enum varve_status
lower_unknown_name(const struct scope *scope, struct varve_str name, struct place place)
{
    struct selecting *s = scope->select;
    struct lower *l = s->lower;
    struct nearest nearest;
    char text[HINT_SIZE];
    bool is_alone = scope->aliases == 0 && s->key_count == 0 && s->from.kind == FROM_NONE;
    nearest_begin(&nearest, name);
    for (uint32_t i = 0; i < scope->aliases; i++)
        if (s->items[i].ast->alias.size)
            nearest_offer(&nearest, s->items[i].ast->alias);
    for (uint32_t i = 0; i < s->key_count; i++)
        nearest_offer(&nearest, s->keys[i].name);
    if (s->from.kind != FROM_NONE)
        TRY(offer_columns(l, &nearest, &s->from));
    TRY(offer_sources(l, &nearest, true, false));
    return lower_fail(l, VARVE_NOTFOUND, place, "unknown %s '%.*s'%s", is_alone ? "metric" : "name",
                      STR_ARG(name), hint(&nearest, text));
}
