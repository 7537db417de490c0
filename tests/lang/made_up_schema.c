/* SPDX-License-Identifier: Apache-2.0
 *
 * made_up_schema.c -- a schema without a store, for tests and for fuzzing.
 *
 * Metrics and labels are found in any of Claude Code's spellings, as a store does.  `team` is a
 * virtual label that the lookup `roster` makes of user.email.
 */
#include "made_up_schema.h"

#include "base/names.h"

#define LABELS 12

struct thing {
    struct schema_source source;
    const char *columns[LABELS];
    enum value_type types[LABELS]; /* of a table's columns; of labels TEXT */
};

#define TEXTS TYPE_TEXT, TYPE_TEXT, TYPE_TEXT, TYPE_TEXT, TYPE_TEXT, TYPE_TEXT, TYPE_TEXT
#define METRIC(name, kind, scale, unit)                     \
    {                                                       \
        SOURCE_METRIC, STR0(name), kind, scale, STR0(unit), \
        {                                                   \
            0                                               \
        }                                                   \
    }
#define STR0(literal)                \
    {                                \
        literal, sizeof(literal) - 1 \
    }

static const struct thing things[] = {
    {METRIC("claude_code.cost.usage", VARVE_COUNTER, 9, "USD"),
     {"session.id", "user.email", "model", "repository"},
     {TEXTS}},
    {METRIC("claude_code.token.usage", VARVE_COUNTER, 0, "tokens"),
     {"session.id", "user.email", "model", "repository", "type"},
     {TEXTS}},
    {METRIC("claude_code.commit.count", VARVE_COUNTER, 0, ""),
     {"session.id", "user.email", "repository"},
     {TEXTS}},
    {METRIC("claude_code.active_time.total", VARVE_COUNTER, 9, "s"),
     {"session.id", "user.email", "type"},
     {TEXTS}},
    {METRIC("queue.depth", VARVE_GAUGE, 0, ""), {"host"}, {TEXTS}},
    {{SOURCE_TABLE, STR0("tool_result"), 0, 0, {0}, {0}},
     {"duration_ms", "session.id", "success", "tool_name", "user.email", "note"},
     {TYPE_INT, TYPE_TEXT, TYPE_BOOL, TYPE_TEXT, TYPE_TEXT, TYPE_NULL}},
    {{SOURCE_TABLE, STR0("api_request"), 0, 0, {0}, {0}},
     {"cost_usd", "duration_ms", "input_tokens", "model", "session.id", "user.email"},
     {TYPE_NANO, TYPE_INT, TYPE_INT, TYPE_TEXT, TYPE_TEXT, TYPE_TEXT}},
    {{SOURCE_VIEW,
      STR0("failures"),
      0,
      0,
      {0},
      STR0("SELECT time, tool_name, duration_ms FROM tool_result WHERE NOT success")},
     {0},
     {0}},
    {{SOURCE_VIEW,
      STR0("daily"),
      0,
      0,
      {0},
      STR0("SELECT increase(cost) AS usd BY model SINCE 30d EVERY day")},
     {0},
     {0}},
    {{SOURCE_VIEW,
      STR0("top_models"),
      0,
      0,
      {0},
      STR0("SELECT increase(cost) AS usd BY model SINCE 30d")},
     {0},
     {0}},
    {{SOURCE_VIEW, STR0("loop"), 0, 0, {0}, STR0("SELECT * FROM loop UNION SELECT * FROM loop")},
     {0},
     {0}},
    {{SOURCE_VIEW, STR0("outdated"), 0, 0, {0}, STR0("SELECT increase(cots)")}, {0}, {0}},
    {{SOURCE_VIEW, STR0("broken"), 0, 0, {0}, STR0("SELECT FROM")}, {0}, {0}},
};
#define THINGS (sizeof things / sizeof *things)

static const struct {
    struct varve_str name, value;
} settings[] = {{STR0("quota_5h"), STR0("200000")},
                {STR0("budget"), STR0("12.50")},
                {STR0("currency"), STR0("EUR")},
                {STR0("offset"), STR0("-7")}};

static enum varve_status find_source(void *context, struct varve_str name,
                                     struct schema_source *source, struct varve_err *err)
{
    const struct name_metric *metric = names_metric(name);
    (void)context;
    (void)err;
    for (size_t i = 0; i < THINGS; i++)
        if (str_equal(things[i].source.name, name) ||
            (metric && str_equal(things[i].source.name, metric->name))) {
            *source = things[i].source;
            return VARVE_OK;
        }
    return VARVE_NOTFOUND;
}

static const struct thing *thing_of(const struct schema_source *source)
{
    for (size_t i = 0; i < THINGS; i++)
        if (str_equal(things[i].source.name, source->name))
            return &things[i];
    return NULL;
}

static bool has_email(const struct thing *thing)
{
    for (int i = 0; i < LABELS && thing->columns[i]; i++)
        if (strcmp(thing->columns[i], "user.email") == 0)
            return true;
    return false;
}

static const struct schema_column team = {STR0("user.email"), TYPE_TEXT, STR0("roster"),
                                          STR0("team")};

static enum varve_status
find_column(void *context, const struct schema_source *source, struct varve_str name,
            struct schema_column *column, struct varve_err *err)
{
    const struct thing *thing = thing_of(source);
    struct varve_str label = names_label(name);
    (void)context;
    (void)err;
    for (int i = 0; thing && i < LABELS && thing->columns[i]; i++)
        if (str_equal((struct varve_str){thing->columns[i], strlen(thing->columns[i])}, label)) {
            *column =
                (struct schema_column){{thing->columns[i], label.size}, thing->types[i], {0}, {0}};
            return VARVE_OK;
        }
    if (!thing || !has_email(thing) || !str_equal(name, STR("team")))
        return VARVE_NOTFOUND;
    *column = team;
    return VARVE_OK;
}

static enum varve_status
visit_sources(void *context, int (*visit)(void *, const struct schema_source *),
              void *visit_context, struct varve_err *err)
{
    (void)context;
    (void)err;
    for (size_t i = 0; i < THINGS; i++)
        if (visit(visit_context, &things[i].source))
            break;
    return VARVE_OK;
}

static enum varve_status visit_columns(void *context, const struct schema_source *source,
                                       int (*visit)(void *, const struct schema_column *),
                                       void *visit_context, struct varve_err *err)
{
    const struct thing *thing = thing_of(source);
    (void)context;
    (void)err;
    for (int i = 0; thing && i < LABELS && thing->columns[i]; i++) {
        struct schema_column column = {
            {thing->columns[i], strlen(thing->columns[i])}, thing->types[i], {0}, {0}};
        if (visit(visit_context, &column))
            return VARVE_OK;
    }
    if (thing && has_email(thing))
        visit(visit_context, &team);
    return VARVE_OK;
}

static enum varve_status
find_setting(void *context, struct varve_str name, struct varve_str *value, struct varve_err *err)
{
    (void)context;
    (void)err;
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        if (str_equal(settings[i].name, name)) {
            *value = settings[i].value;
            return VARVE_OK;
        }
    return VARVE_NOTFOUND;
}

const struct schema made_up_schema = {NULL,          find_source,   find_column,
                                      visit_sources, visit_columns, find_setting};
