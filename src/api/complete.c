/* SPDX-License-Identifier: Apache-2.0
 *
 * complete.c -- the public interface: what may stand at a place of an unfinished statement.
 *
 * The text before the place is taken as tokens, never parsed, for it is unfinished by nature.  The
 * last of them tell what is asked for: behind `{` a label, behind = a value, behind FROM a table,
 * behind an operand a keyword.  Which source's labels and values are meant follows from the
 * statement, also from what stands behind the place.  It is a help and no judgement: a word that
 * is not offered may be right, and one that is may turn out to be wrong.  Without a store there
 * are the words of the language and the metrics it knows.
 */
#include "api/api.h"
#include "api/names_of_store.h"
#include "base/arena.h"
#include "base/names.h"
#include "lang/functions.h"
#include "lang/lex.h"
#include "lang/plan.h"
#include "lang/words.h"
#include "store/visit.h"

enum { SOURCES_MOST = 8, TEXT_MOST = 1 << 20 };
#define NO_TOKEN SIZE_MAX

struct finder {
    struct varve_str text;
    size_t from; /* where the word that is being typed begins */
    struct varve_str prefix;
    struct token *tokens; /* of all of the text */
    size_t count;
    size_t before; /* how many tokens are before the word that is being typed */
    size_t cut;    /* the token that is being typed; NO_TOKEN: none */
    size_t brace;  /* the open { before the place; NO_TOKEN: none */
    struct schema_source sources[SOURCES_MOST];
    size_t source_count;
    struct store_names names;
    struct arena arena;
    int (*visit)(void *, enum varve_completion kind, struct varve_str word);
    void *context;
    bool stopped;
};

/* ---- offering ------------------------------------------------------------------------ */

static bool begins_with(struct varve_str word, struct varve_str prefix)
{
    if (word.size < prefix.size)
        return false;
    for (size_t i = 0; i < prefix.size; i++) {
        unsigned char a = (unsigned char)word.data[i], b = (unsigned char)prefix.data[i];
        a = a >= 'A' && a <= 'Z' ? a + 32 : a;
        b = b >= 'A' && b <= 'Z' ? b + 32 : b;
        if (a != b)
            return false;
    }
    return true;
}

static void offer(struct finder *f, enum varve_completion kind, struct varve_str word)
{
    if (!f->stopped && begins_with(word, f->prefix))
        f->stopped = f->visit(f->context, kind, word) != 0;
}

/* As it has to be written: bare if it is one plain word, else in double quotes. */
static void offer_name(struct finder *f, enum varve_completion kind, struct varve_str name)
{
    struct lexer lexer;
    if (name.size == 0 || name.size > TEXT_MOST)
        return;
    lex_begin(&lexer, name.data, (uint32_t)name.size);
    struct token token = lex_next(&lexer);
    bool is_plain = token.kind == TOKEN_WORD && token.place.until == name.size &&
                    word_class_of(word_find(name)) <= WORD_SOFT;
    if (is_plain) {
        offer(f, kind, name);
        return;
    }
    char *quoted = arena_alloc(&f->arena, 2 * name.size + 2);
    size_t size = 0;
    if (!quoted)
        return;
    quoted[size++] = '"';
    for (size_t i = 0; i < name.size; i++) {
        if (name.data[i] == '"')
            quoted[size++] = '"';
        quoted[size++] = name.data[i];
    }
    quoted[size++] = '"';
    offer(f, kind, (struct varve_str){quoted, size});
}

/* Small letters if what was typed begins with one. */
static void offer_word(struct finder *f, enum word word)
{
    char small[16];
    struct varve_str text = varve_str(word_text(word));
    if (f->prefix.size > 0 && f->prefix.data[0] >= 'a' && text.size < sizeof small) {
        for (size_t i = 0; i < text.size; i++)
            small[i] = (char)(text.data[i] + ('a' - 'A'));
        text.data = small;
    }
    offer(f, VARVE_COMPLETE_KEYWORD, text);
}

static void offer_words(struct finder *f, const enum word *words)
{
    for (; *words != WORDS; words++)
        offer_word(f, *words);
}
#define OFFER_WORDS(f, ...) offer_words((f), (const enum word[]){__VA_ARGS__, WORDS})

static void offer_functions(struct finder *f)
{
#define X(symbol, name, ...) offer(f, VARVE_COMPLETE_FUNCTION, varve_str(name));
    ROLLUP_MAP(X)
    AGGREGATE_MAP(X)
#undef X
    OFFER_WORDS(f, WORD_CASE, WORD_NOT, WORD_NULL, WORD_TRUE, WORD_FALSE);
    for (int i = 0; i < FUNCTIONS; i++)
        if (function_table[i].name[0] >= 'a' && function_table[i].name[0] <= 'z')
            offer(f, VARVE_COMPLETE_FUNCTION, varve_str(function_table[i].name));
    offer(f, VARVE_COMPLETE_FUNCTION, STR("total"));
    offer(f, VARVE_COMPLETE_FUNCTION, STR("share"));
    offer(f, VARVE_COMPLETE_FUNCTION, STR("setting"));
}

/* The short name of a metric that is known; its own too, once some of it has been typed. */
static int take_metric(void *context, const struct varve_metric_info *info)
{
    struct finder *f = context;
    const struct name_metric *known = names_metric(info->metric.name);
    bool has_short = known && known->short_name.size > 0;
    if (has_short)
        offer_name(f, VARVE_COMPLETE_METRIC, known->short_name);
    if (!has_short || f->prefix.size > 0)
        offer_name(f, VARVE_COMPLETE_METRIC, info->metric.name);
    return f->stopped;
}

static int take_table(void *context, const struct varve_table_info *info)
{
    struct finder *f = context;
    offer_name(f, VARVE_COMPLETE_TABLE, info->name);
    return f->stopped;
}

static int take_source(void *context, const struct schema_source *source)
{
    struct finder *f = context;
    if (source->kind == SOURCE_VIEW)
        offer_name(f, VARVE_COMPLETE_TABLE, source->name);
    return f->stopped;
}

static bool has_store(const struct finder *f)
{
    return f->names.snapshot != NULL;
}

/* Without a store those that the language knows. */
static void offer_known_metrics(struct finder *f)
{
    size_t count;
    const struct name_metric *known = names_metrics(&count);
    for (size_t i = 0; i < count && !f->stopped; i++) {
        const struct varve_metric_info info = {.metric.name = known[i].name};
        (void)take_metric(f, &info);
    }
}

static enum varve_status offer_metrics(struct finder *f, struct varve_err *err)
{
    if (!has_store(f)) {
        offer_known_metrics(f);
        return VARVE_OK;
    }
    return visit_metrics(f->names.snapshot, take_metric, f, err);
}

static enum varve_status offer_tables(struct finder *f, struct varve_err *err)
{
    struct schema schema = store_schema(&f->names);
    if (!has_store(f))
        return VARVE_OK;
    TRY(visit_tables(f->names.snapshot, take_table, f, err));
    return schema.visit_sources(schema.context, take_source, f, err);
}

/* user.email is typed user_email unless a dot was typed; only where both mean the same. */
static int take_column(void *context, const struct schema_column *column)
{
    struct finder *f = context;
    struct varve_str name = column->field.size > 0 ? column->field : column->name;
    char *under = arena_copy(&f->arena, name.data, name.size);
    bool has_dot = f->prefix.size > 0 && memchr(f->prefix.data, '.', f->prefix.size) != NULL;
    for (size_t i = 0; under && i < name.size; i++)
        under[i] = under[i] == '.' ? '_' : under[i];
    struct varve_str spelling = {under, name.size};
    if (under && !has_dot && str_equal(names_label(spelling), name))
        name = spelling;
    offer_name(f, VARVE_COMPLETE_LABEL, name);
    return f->stopped;
}

/* ---- what the statement is about --------------------------------------------------------- */

static struct varve_str text_of(const struct finder *f, size_t i)
{
    const struct token *token = &f->tokens[i];
    struct varve_str text = {f->text.data + token->place.from,
                             token->place.until - token->place.from};
    if (token->kind == TOKEN_QUOTED && text.size >= 2) {
        text.data++;
        text.size -= 2;
    }
    return text;
}

static enum word word_at(const struct finder *f, size_t i)
{
    return f->tokens[i].kind == TOKEN_WORD ? word_find(text_of(f, i)) : WORDS;
}

static bool is_mark(const struct finder *f, size_t i, uint16_t mark)
{
    return i < f->count && f->tokens[i].kind == TOKEN_MARK && f->tokens[i].mark == mark;
}

static bool is_name(const struct finder *f, size_t i)
{
    return f->tokens[i].kind == TOKEN_QUOTED ||
           (f->tokens[i].kind == TOKEN_WORD && word_class_of(word_at(f, i)) != WORD_VALUE);
}

/* The source that token i names, if it is one and none before it. */
static enum varve_status add_source(struct finder *f, size_t i, struct varve_err *err)
{
    struct schema schema = store_schema(&f->names);
    struct schema_source source;
    if (!has_store(f) || f->source_count == SOURCES_MOST || !is_name(f, i) ||
        is_mark(f, i + 1, '('))
        return VARVE_OK;
    enum varve_status status = schema.source(schema.context, text_of(f, i), &source, err);
    if (status == VARVE_NOTFOUND)
        return VARVE_OK;
    TRY(status);
    for (size_t k = 0; k < f->source_count; k++)
        if (str_equal(f->sources[k].name, source.name))
            return VARVE_OK;
    f->sources[f->source_count++] = source;
    return VARVE_OK;
}

/* The metric before the open brace; else the table behind FROM; else all metrics that are named. */
static enum varve_status find_sources(struct finder *f, struct varve_err *err)
{
    if (f->brace != NO_TOKEN)
        return f->brace > 0 ? add_source(f, f->brace - 1, err) : VARVE_OK;
    for (size_t i = 0; i + 1 < f->count; i++)
        if (word_at(f, i) == WORD_FROM && i + 1 != f->cut)
            TRY(add_source(f, i + 1, err));
    if (f->source_count > 0)
        return VARVE_OK;
    for (size_t i = 0; i < f->count; i++)
        if (i != f->cut)
            TRY(add_source(f, i, err));
    return VARVE_OK;
}

static enum varve_status offer_labels(struct finder *f, struct varve_err *err)
{
    struct schema schema = store_schema(&f->names);
    TRY(find_sources(f, err));
    for (size_t i = 0; i < f->source_count && !f->stopped; i++)
        TRY(schema.visit_columns(schema.context, &f->sources[i], take_column, f, err));
    return VARVE_OK;
}

/* As a string: the most frequent first. */
static int take_value(void *context, const struct varve_count_info *info)
{
    struct finder *f = context;
    char *quoted = arena_alloc(&f->arena, 2 * info->text.size + 2);
    size_t size = 0;
    if (!quoted || info->text.size == 0)
        return 0;
    quoted[size++] = '\'';
    for (size_t i = 0; i < info->text.size; i++) {
        if (info->text.data[i] == '\'')
            quoted[size++] = '\'';
        quoted[size++] = info->text.data[i];
    }
    quoted[size++] = '\'';
    offer(f, VARVE_COMPLETE_VALUE, (struct varve_str){quoted, size});
    return f->stopped;
}

static enum varve_status
offer_values(struct finder *f, struct varve_str label, struct varve_err *err)
{
    struct schema schema = store_schema(&f->names);
    struct schema_column column;
    TRY(find_sources(f, err));
    for (size_t i = 0; i < f->source_count && !f->stopped; i++) {
        const struct schema_source *source = &f->sources[i];
        if (source->kind == SOURCE_VIEW)
            continue;
        enum varve_status status = schema.column(schema.context, source, label, &column, err);
        if (status == VARVE_OK && column.lookup.size == 0)
            status = visit_values(f->names.snapshot, source->name, column.name, take_value, f, err);
        if (status != VARVE_OK && status != VARVE_NOTFOUND)
            return status;
    }
    return VARVE_OK;
}

/* ---- the tokens ---------------------------------------------------------------------------- */

/* The tokens of the statement around the place; the one that is being typed is the prefix. */
static enum varve_status take_tokens(struct finder *f, struct varve_err *err)
{
    struct lexer lexer;
    uint32_t place = (uint32_t)f->from;
    f->tokens = arena_alloc(&f->arena, (f->text.size + 1) * sizeof *f->tokens);
    if (!f->tokens)
        return fail_nomem(err, f->text.size * sizeof *f->tokens);
    f->cut = NO_TOKEN;
    f->brace = NO_TOKEN;
    lex_begin(&lexer, f->text.data, (uint32_t)f->text.size);
    for (struct token t = lex_next(&lexer); t.kind != TOKEN_END; t = lex_next(&lexer)) {
        bool is_typed = t.kind == TOKEN_WORD || t.kind == TOKEN_OPEN || t.kind == TOKEN_BAD ||
                        (t.kind == TOKEN_STRING && t.place.until > place);
        if (is_typed && t.place.from < place && t.place.until >= place) {
            f->from = t.place.from;
            /* "user." is a word and what is no token yet. */
            if (t.kind == TOKEN_BAD && f->before > 0 && f->before == f->count &&
                f->tokens[f->count - 1].kind == TOKEN_WORD &&
                f->tokens[f->count - 1].place.until == t.place.from)
                f->from = f->tokens[--f->before].place.from;
        }
        if (t.place.until < place || (t.place.until == place && !is_typed)) {
            f->before = f->count + 1;
            if (t.kind == TOKEN_MARK && t.mark == '{')
                f->brace = f->count;
            else if (t.kind == TOKEN_MARK && t.mark == '}')
                f->brace = NO_TOKEN;
        } else if (t.place.from < place) {
            f->cut = f->count;
        }
        f->tokens[f->count++] = t;
        if (t.kind == TOKEN_OPEN)
            break;
    }
    f->prefix = (struct varve_str){f->text.data + f->from, place - f->from};
    return VARVE_OK;
}

/* ---- what may stand there ------------------------------------------------------------------- */

static void offer_clauses(struct finder *f)
{
    OFFER_WORDS(f, WORD_FROM, WORD_WHERE, WORD_SINCE, WORD_UNTIL, WORD_BY, WORD_EVERY, WORD_AS,
                WORD_AND, WORD_OR, WORD_IN, WORD_LIKE, WORD_IS, WORD_NOT, WORD_BETWEEN, WORD_DURING,
                WORD_AT, WORD_FILL, WORD_HAVING, WORD_COMPARE, WORD_TOP, WORD_BOTTOM, WORD_ORDER,
                WORD_LIMIT, WORD_SKIP, WORD_WITH, WORD_TZ, WORD_AGO, WORD_ASC, WORD_DESC,
                WORD_FILTER, WORD_OFFSET, WORD_UNION, WORD_EXCEPT, WORD_INTERSECT, WORD_WITHIN);
    OFFER_WORDS(f, WORD_WHEN, WORD_THEN, WORD_ELSE, WORD_END, WORD_CHECK, WORD_FOR, WORD_ON,
                WORD_MESSAGE, WORD_VERSUS, WORD_OF, WORD_TO, WORD_GROUP);
}

/* A keyword that leaves little choice: its followers. */
static const struct {
    enum word word;
    enum word next[20];
} followers[] = {
    {WORD_DURING, {WORD_TODAY, WORD_YESTERDAY, WORD_THIS, WORD_LAST, WORDS}},
    {WORD_THIS, {WORD_WEEK, WORD_MONTH, WORD_QUARTER, WORD_YEAR, WORDS}},
    {WORD_EVERY, {WORD_DAY, WORD_WEEK, WORD_MONTH, WORD_QUARTER, WORD_YEAR, WORD_AUTO, WORDS}},
    {WORD_FILL, {WORD_NONE, WORD_NULL, WORD_PREV, WORD_LINEAR, WORDS}},
    {WORD_SINCE, {WORD_START, WORD_NOW, WORDS}},
    {WORD_UNTIL, {WORD_NOW, WORD_START, WORDS}},
    {WORD_AT, {WORD_NOW, WORD_START, WORDS}},
    {WORD_START, {WORD_OF, WORDS}},
    {WORD_COMPARE, {WORD_TO, WORDS}},
    {WORD_TO, {WORD_PREVIOUS, WORDS}},
    {WORD_GROUP, {WORD_BY, WORDS}},
    {WORD_ORDER, {WORD_BY, WORDS}},
    {WORD_WITH, {WORD_OTHER, WORDS}},
    {WORD_IS, {WORD_NULL, WORD_NOT, WORDS}},
    {WORD_SHOW,
     {WORD_METRICS, WORD_TABLES, WORD_LABELS, WORD_VALUES, WORD_SERIES, WORD_CARDINALITY,
      WORD_LOOKUPS, WORD_VIEWS, WORD_SETTINGS, WORD_NEW, WORDS}},
    {WORD_NEW, {WORD_VALUES, WORDS}},
    {WORD_LABELS, {WORD_OF, WORDS}},
    {WORD_VALUES, {WORD_OF, WORDS}},
    {WORD_EXPLAIN, {WORD_SELECT, WORD_ANALYZE, WORD_SHOW, WORDS}},
    {WORD_ANALYZE, {WORD_SELECT, WORDS}},
    {WORD_CREATE, {WORD_VIEW, WORD_LOOKUP, WORD_OR, WORDS}},
    {WORD_DROP, {WORD_VIEW, WORD_LOOKUP, WORDS}},
    {WORD_DELETE, {WORD_FROM, WORDS}},
};

static bool offer_followers(struct finder *f, enum word word)
{
    for (size_t i = 0; i < sizeof followers / sizeof followers[0]; i++)
        if (followers[i].word == word) {
            offer_words(f, followers[i].next);
            return true;
        }
    return false;
}

static enum varve_status offer_sources(struct finder *f, struct varve_err *err)
{
    TRY(offer_metrics(f, err));
    return offer_tables(f, err);
}

/* Where an expression goes on: labels behind BY and WHERE, metrics in a SELECT without a table. */
static enum varve_status offer_operand(struct finder *f, bool labels_only, struct varve_err *err)
{
    TRY(find_sources(f, err));
    bool has_table = f->source_count > 0 && f->sources[0].kind != SOURCE_METRIC;
    if (labels_only || has_table)
        TRY(offer_labels(f, err));
    else
        TRY(offer_metrics(f, err));
    if (!labels_only || f->prefix.size > 0)
        offer_functions(f);
    return VARVE_OK;
}

/* The clause the place is in: the last of its words before it. */
static enum word clause_of(const struct finder *f)
{
    for (size_t i = f->before; i-- > 0;) {
        enum word word = word_at(f, i);
        if (word == WORD_SELECT || word == WORD_WHERE || word == WORD_BY || word == WORD_FROM ||
            word == WORD_HAVING || word == WORD_SHOW || word == WORD_SINCE)
            return word;
    }
    return WORDS;
}

static bool is_comparison(const struct finder *f, size_t i)
{
    return is_mark(f, i, '=') || is_mark(f, i, MARK('!', '=')) || is_mark(f, i, MARK('<', '>')) ||
           is_mark(f, i, MARK('=', '~')) || is_mark(f, i, MARK('!', '~'));
}

/* The label whose value is asked for: LABEL =, LABEL LIKE, LABEL IN ( ... ,; NO_TOKEN: none. */
static size_t compared_label(const struct finder *f)
{
    size_t i = f->before;
    if (i < 2)
        return NO_TOKEN;
    if ((is_comparison(f, i - 1) || word_at(f, i - 1) == WORD_LIKE) && is_name(f, i - 2))
        return i - 2;
    if (!is_mark(f, i - 1, '(') && !is_mark(f, i - 1, ','))
        return NO_TOKEN;
    while (i > 0 && (is_mark(f, i - 1, ',') || f->tokens[i - 1].kind == TOKEN_STRING))
        i--;
    if (i < 3 || !is_mark(f, i - 1, '(') || word_at(f, i - 2) != WORD_IN)
        return NO_TOKEN;
    i -= 3;
    i -= i > 0 && word_at(f, i) == WORD_NOT;
    return is_name(f, i) ? i : NO_TOKEN;
}

static enum varve_status offer_in_show(struct finder *f, enum word last, struct varve_err *err)
{
    if (last == WORD_OF && f->before >= 2 && word_at(f, f->before - 2) == WORD_VALUES)
        return offer_labels(f, err);
    if (last == WORD_OF || last == WORD_IN || last == WORD_SERIES)
        return offer_sources(f, err);
    if (!offer_followers(f, last))
        OFFER_WORDS(f, WORD_IN, WORD_OF, WORD_SINCE, WORD_UNTIL, WORD_VERSUS, WORD_VALUES);
    return VARVE_OK;
}

static void offer_beginnings(struct finder *f)
{
    for (int word = 0; word < WORDS; word++)
        if (word_begins_statement((enum word)word) && word != WORD_ALTER && word != WORD_IMPORT &&
            word != WORD_LINT) /* these the language has and this version cannot run */
            offer_word(f, (enum word)word);
}

static enum varve_status offer_all(struct finder *f, struct varve_err *err)
{
    size_t label = compared_label(f), n = f->before;
    if (label != NO_TOKEN)
        return offer_values(f, text_of(f, label), err);
    if (f->prefix.size > 0 && f->prefix.data[0] == '\'')
        return VARVE_OK;
    if (f->brace != NO_TOKEN)
        return n == f->brace + 1 || is_mark(f, n - 1, ',') ? offer_labels(f, err) : VARVE_OK;
    if (n == 0) {
        offer_beginnings(f);
        return VARVE_OK;
    }
    enum word last = word_at(f, n - 1), clause = clause_of(f);
    if (last == WORD_FROM || last == WORD_DESCRIBE)
        return last == WORD_FROM ? offer_tables(f, err) : offer_sources(f, err);
    if (clause == WORD_SHOW)
        return offer_in_show(f, last, err);
    if (offer_followers(f, last))
        return VARVE_OK;
    bool is_operand = f->tokens[n - 1].kind != TOKEN_MARK || is_mark(f, n - 1, ')') ||
                      is_mark(f, n - 1, '}') || is_mark(f, n - 1, ']');
    if (is_operand && word_class_of(last) != WORD_HARD && word_class_of(last) != WORD_VALUE) {
        offer_clauses(f);
        return VARVE_OK;
    }
    bool wants_label = clause == WORD_BY || clause == WORD_WHERE;
    return offer_operand(f, wants_label && !is_mark(f, n - 1, '{'), err);
}

static enum varve_status find_words(struct finder *f, size_t *from, struct varve_err *err)
{
    TRY(take_tokens(f, err));
    if (f->names.store)
        TRY(snapshot_open(f->names.store, &f->names.snapshot, err));
    *from = f->from;
    enum varve_status status = offer_all(f, err);
    if (f->names.snapshot)
        snapshot_close(f->names.snapshot);
    return status;
}

enum varve_status
varve_complete(varve *db, struct varve_str text, size_t offset, size_t *from,
               int (*visit)(void *, enum varve_completion kind, struct varve_str word),
               void *context, struct varve_err *err)
{
    struct finder f = {.text = text, .from = offset, .visit = visit, .context = context};
    struct mem own;
    if (db)
        TRY(api_check(store_of(db), "varve_complete", err));
    else
        mem_init(&own, NULL, 0);
    if (offset > text.size || text.size > TEXT_MOST)
        return fail(err, VARVE_INVALID, "varve_complete",
                    "the offset is behind the text, or the text is longer than %d bytes",
                    TEXT_MOST);
    *from = offset;
    arena_init(&f.arena, db ? &store_of(db)->mem : &own, 1 << 14);
    f.names = (struct store_names){.store = store_of(db), .arena = &f.arena};
    enum varve_status status = find_words(&f, from, err);
    arena_free(&f.arena);
    return status;
}
