/* SPDX-License-Identifier: Apache-2.0
 *
 * parse_create.c -- SHOW, and what CREATE makes: views, panels, alerts, lookups.
 *
 * An alert is a query or PromQL with its condition, and how it is checked.  Its WHEN is the HAVING
 * of its SELECT; PromQL has none, so its WHEN is kept beside it.
 */
#include "lang/parse_private.h"

/* ---- SHOW ------------------------------------------------------------------------- */

static const enum word show_words[] = {
#define X(name) WORD_##name,
    SHOW_MAP(X)
#undef X
        WORD_NEW};

/* OF label [IN metric], behind VALUES. */
static enum varve_status values(struct parser *parser, bool needs_metric, struct show *show)
{
    TRY(parse_need(parser, WORD_OF));
    TRY(parse_name(parser, "the name of a label", &show->label, &show->label_place));
    if (!parse_take(parser, WORD_IN))
        return needs_metric ? parse_need(parser, WORD_IN) : VARVE_OK;
    return parse_name(parser, "the name of a metric or a table", &show->of, &show->of_place);
}

/* VALUES OF label IN metric SINCE 1h VERSUS 7d, behind SHOW NEW. */
static enum varve_status show_new(struct parser *parser, struct show *show)
{
    show->kind = SHOW_VALUES;
    TRY(parse_need(parser, WORD_VALUES));
    TRY(values(parser, true, show));
    TRY(parse_need(parser, WORD_SINCE));
    TRY(parse_when(parser, &show->since));
    TRY(parse_need(parser, WORD_VERSUS));
    return parse_when(parser, &show->versus);
}

/* Behind SHOW. */
enum varve_status parse_show(struct parser *parser, struct statement *statement)
{
    struct show *show = &statement->show;
    if (parse_take(parser, WORD_NEW)) {
        statement->kind = STATEMENT_SHOW_NEW;
        return show_new(parser, show);
    }
    for (show->kind = 0; show->kind < SHOW_KINDS; show->kind++)
        if (parser->word == show_words[show->kind])
            break;
    if (show->kind == SHOW_KINDS)
        return parse_expected_words(
            parser,
            "METRICS, TABLES, LABELS, VALUES OF, SERIES, CARDINALITY, PANELS, DASHBOARDS, ALERTS, "
            "LOOKUPS, VIEWS, TIERS, RETENTION, SETTINGS or NEW VALUES OF",
            show_words, sizeof show_words / sizeof *show_words);
    parse_next(parser);
    if (show->kind == SHOW_VALUES)
        return values(parser, false, show);
    const bool has_of = show->kind == SHOW_SERIES || show->kind == SHOW_LABELS;
    if (has_of && !parse_take(parser, WORD_OF) && show->kind == SHOW_LABELS)
        return VARVE_OK;
    if (!has_of)
        return VARVE_OK;
    return parse_name(parser, "the name of a metric or a table", &show->of, &show->of_place);
}

/* ---- alerts ------------------------------------------------------------------------- */

static enum varve_status when(struct parser *parser, struct create *create)
{
    const struct place place = parser->token.place;
    struct expr *condition;
    parse_next(parser);
    TRY(parse_expr(parser, &condition));
    if (create->body->kind == STATEMENT_PROMQL) {
        create->alert.when = condition;
        return VARVE_OK;
    }
    if (create->body->kind != STATEMENT_QUERY || create->body->query->part_count > 1)
        return lang_fail(parser->error, VARVE_INVALID, place,
                         "WHEN goes with one SELECT, or with PromQL");
    struct select *select = &create->body->query->parts[0].select;
    if (select->having)
        return lang_fail(parser->error, VARVE_INVALID, place,
                         "HAVING and WHEN are the same here: write one of them, with AND");
    select->having = condition;
    select->having_is_when = true;
    return VARVE_OK;
}

static enum varve_status on_empty(struct parser *parser, struct alert *alert)
{
    static const enum word words[] = {WORD_OK, WORD_ALERT};
    TRY(parse_need(parser, WORD_EMPTY));
    if (parse_take(parser, WORD_OK))
        alert->on_empty = EMPTY_OK;
    else if (parse_take(parser, WORD_ALERT))
        alert->on_empty = EMPTY_ALERT;
    else
        return parse_expected_words(parser, "ok or alert", words, 2);
    return VARVE_OK;
}

static enum varve_status positive(struct parser *parser, int64_t *duration)
{
    const struct place place = parser->token.place;
    TRY(parse_duration(parser, duration));
    return *duration > 0 ? VARVE_OK
                         : lang_fail(parser->error, VARVE_INVALID, place,
                                     "a duration that is not zero is needed here");
}

/* One clause, behind its first word, which is `word`. */
static enum varve_status alert_clause(struct parser *parser, enum word word, struct alert *alert)
{
    switch (word) {
    case WORD_FOR:
        return positive(parser, &alert->for_duration);
    case WORD_CHECK:
        TRY(parse_need(parser, WORD_EVERY));
        return positive(parser, &alert->check_every);
    case WORD_ON:
        return on_empty(parser, alert);
    default:
        alert->has_message = true;
        return parse_string(parser, "a text in single quotes", &alert->message);
    }
}

static bool is_given(const struct alert *alert, enum word word)
{
    return word == WORD_FOR     ? alert->for_duration > 0
           : word == WORD_CHECK ? alert->check_every > 0
           : word == WORD_ON    ? alert->on_empty != EMPTY_UNSET
                                : alert->has_message;
}

/* WHEN, then the rest in any order. */
static enum varve_status alert_clauses(struct parser *parser, struct create *create)
{
    if (parser->word == WORD_WHEN)
        TRY(when(parser, create));
    for (;;) {
        const enum word word = parser->word;
        if (word != WORD_FOR && word != WORD_CHECK && word != WORD_ON && word != WORD_MESSAGE)
            break;
        if (is_given(&create->alert, word))
            return lang_fail(parser->error, VARVE_INVALID, parser->token.place, "%s is given twice",
                             word_text(word));
        parse_next(parser);
        TRY(alert_clause(parser, word, &create->alert));
    }
    if (create->alert.check_every > 0)
        return VARVE_OK;
    return parse_expected_words(parser, "a clause or CHECK EVERY with a duration",
                                parse_clause_words, parse_clause_word_count);
}

/* ---- CREATE ---------------------------------------------------------------------------- */

/* VIEW, PANEL, ALERT or LOOKUP. */
enum varve_status parse_object(struct parser *parser, enum object_kind *object)
{
    static const enum word words[] = {WORD_VIEW, WORD_PANEL, WORD_ALERT, WORD_LOOKUP};
    for (int i = OBJECT_VIEW; i <= OBJECT_LOOKUP; i++) {
        *object = (enum object_kind)i;
        if (parse_take(parser, words[i]))
            return VARVE_OK;
    }
    return parse_expected_words(parser, "VIEW, PANEL, ALERT or LOOKUP", words, 4);
}

/* What a view, a panel or an alert is made of. */
static enum varve_status body(struct parser *parser, struct create *create)
{
    const struct place place = parser->token.place;
    const bool is_alert = create->object == OBJECT_ALERT;
    TRY(parse_inner(parser, is_alert, &create->body));
    const enum statement_kind kind = create->body->kind;
    const bool fits =
        kind == STATEMENT_QUERY || (kind == STATEMENT_SHOW_NEW && is_alert) ||
        (kind == STATEMENT_PROMQL && create->object != OBJECT_VIEW) ||
        (create->object == OBJECT_PANEL && (kind == STATEMENT_SHOW || kind == STATEMENT_SHOW_NEW));
    if (fits)
        return VARVE_OK;
    return lang_fail(parser->error, VARVE_INVALID, place, "%s",
                     create->object == OBJECT_VIEW ? "a view is made of a SELECT"
                     : is_alert ? "an alert is made of a SELECT, SHOW NEW VALUES or PromQL"
                                : "a panel is made of a SELECT, SHOW or PromQL");
}

/* FROM 'file' ON label, label */
static enum varve_status lookup(struct parser *parser, struct create *create)
{
    TRY(parse_need(parser, WORD_FROM));
    TRY(parse_string(parser, "the path of a file in single quotes", &create->file));
    TRY(parse_need(parser, WORD_ON));
    do {
        TRY(parse_add(parser, &create->on, create->on_count, sizeof *create->on));
        TRY(parse_name(parser, "the name of a label", &create->on[create->on_count++], NULL));
    } while (parse_take_mark(parser, MARK(',', 0)));
    return VARVE_OK;
}

/* Behind CREATE. */
enum varve_status parse_create(struct parser *parser, struct statement *statement)
{
    struct create *create = &statement->create;
    if (parse_take(parser, WORD_OR)) {
        TRY(parse_need(parser, WORD_REPLACE));
        create->replace = true;
    }
    TRY(parse_object(parser, &create->object));
    TRY(parse_name(parser, "its name", &create->name, &create->name_place));
    if (create->object == OBJECT_LOOKUP)
        return lookup(parser, create);
    TRY(parse_need(parser, WORD_AS));
    TRY(body(parser, create));
    return create->object == OBJECT_ALERT ? alert_clauses(parser, create) : VARVE_OK;
}
