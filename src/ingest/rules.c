/* SPDX-License-Identifier: Apache-2.0
 *
 * rules.c -- reading rules and asking them.
 *
 * The text is copied and cut into words; a rule is a verdict and pointers into the
 * copy.  Asking goes through the rules from the first to the last, which takes a
 * microsecond or so: whoever asks for every attribute of every record remembers the answers, which
 * never change.
 *
 * Names are compared with every dot as an underscore, on both sides.  A literal after "in", or of
 * a metric, that the catalogue of names knows stands for the OTLP name of what it spells.
 */
#include "ingest/rules.h"

#include "base/err.h"
#include "base/names.h"
#include "base/sha256.h"

#include <stdio.h>

enum subject { OF_LABEL, OF_METRIC, OF_TABLE };
enum { WORDS_MAX = 7 };

/* A metric or a table, as a rule means it. */
struct pattern {
    bool is_metric, is_table; /* what it can stand for */
    struct varve_str metric;  /* a glob, or the OTLP name of a known spelling */
    struct varve_str table;   /* a glob */
};
struct rule {
    enum rule_verdict verdict;
    enum subject subject;
    struct varve_str label;
    bool anywhere; /* no "in" */
    struct pattern of;
};

struct rules {
    struct mem *mem;
    struct hmac_key key;
    char *text;
    size_t text_size;
    struct rule *rules;
    size_t count, capacity;
    bool depend_on_source;
};

/* ---- globs ---- */

static bool is_inner_byte(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

static char folded(char c)
{
    return (char)(c == '.' ? '_' : c);
}

/* Goes back to the last star only: what an earlier one swallowed can stay as it is. */
static bool glob_matches(struct varve_str glob, struct varve_str text)
{
    size_t g = 0, t = 0, star = SIZE_MAX, after = 0;
    while (t < text.size) {
        if (g < glob.size && glob.data[g] == '*') {
            star = g++;
            after = t;
        } else if (g < glob.size && glob.data[g] == '?') {
            g++;
            do
                t++;
            while (t < text.size && is_inner_byte(text.data[t]));
        } else if (g < glob.size && folded(glob.data[g]) == folded(text.data[t])) {
            g++;
            t++;
        } else if (star != SIZE_MAX) {
            g = star + 1;
            t = ++after;
        } else {
            return false;
        }
    }
    while (g < glob.size && glob.data[g] == '*')
        g++;
    return g == glob.size;
}

static bool is_literal(struct varve_str glob)
{
    return !memchr(glob.data, '*', glob.size) && !memchr(glob.data, '?', glob.size);
}

static bool
pattern_matches(const struct pattern *pattern, enum rule_source kind, struct varve_str source)
{
    if (kind == RULE_METRIC)
        return pattern->is_metric && glob_matches(pattern->metric, source);
    return pattern->is_table && glob_matches(pattern->table, source);
}

/* ---- reading ---- */

/* One rule's words on their way in. */
struct statement {
    struct varve_str words[WORDS_MAX];
    size_t count, next, line;
};

static bool takes(struct statement *statement, const char *word)
{
    size_t i = statement->next;
    if (i == statement->count ||
        !str_equal(statement->words[i], (struct varve_str){word, strlen(word)}))
        return false;
    statement->next++;
    return true;
}

static enum varve_status
expected(const struct statement *statement, const char *what, struct varve_err *err)
{
    char place[40];
    snprintf(place, sizeof place, "rules, line %zu", statement->line);
    if (statement->next == statement->count)
        return fail(err, VARVE_INVALID, place, "the rule ends where %s was expected", what);
    return fail(err, VARVE_INVALID, place, "'%.*s' where %s was expected",
                STR_ARG(statement->words[statement->next]), what);
}

static void set_pattern(struct pattern *pattern, struct varve_str glob)
{
    const struct name_metric *metric = is_literal(glob) ? names_metric(glob) : NULL;
    struct varve_str old = STR("claude_code_");
    pattern->metric = metric ? metric->name : glob;
    pattern->table = names_table(glob);
    if (glob.size > old.size && memcmp(glob.data, old.data, old.size) == 0)
        pattern->table = (struct varve_str){glob.data + old.size, glob.size - old.size};
}

static enum varve_status
read_in(struct statement *statement, struct rule *rule, struct varve_err *err)
{
    rule->anywhere = !takes(statement, "in");
    if (rule->anywhere)
        return VARVE_OK;
    bool is_last = statement->next + 1 == statement->count;
    bool is_metric = !is_last && takes(statement, "metric");
    bool is_table = !is_last && !is_metric && takes(statement, "table");
    rule->of.is_metric = !is_table;
    rule->of.is_table = !is_metric;
    if (statement->next == statement->count)
        return expected(statement, "a metric or a table", err);
    set_pattern(&rule->of, statement->words[statement->next++]);
    return VARVE_OK;
}

static enum varve_status
read_rule(struct statement *statement, struct rule *rule, struct varve_err *err)
{
    *rule = (struct rule){.verdict = RULE_KEEP};
    if (takes(statement, "drop"))
        rule->verdict = RULE_DROP;
    else if (takes(statement, "hash"))
        rule->verdict = RULE_HASH;
    else if (!takes(statement, "keep"))
        return expected(statement, "keep, drop or hash", err);
    bool is_hash = rule->verdict == RULE_HASH;
    if (takes(statement, "label"))
        rule->subject = OF_LABEL;
    else if (!is_hash && takes(statement, "metric"))
        rule->subject = OF_METRIC;
    else if (!is_hash && takes(statement, "table"))
        rule->subject = OF_TABLE;
    else
        return expected(statement, is_hash ? "label" : "label, metric or table", err);
    if (statement->next == statement->count)
        return expected(statement, "a name", err);
    struct varve_str name = statement->words[statement->next++];
    if (rule->subject == OF_LABEL) {
        rule->label = name;
        TRY(read_in(statement, rule, err));
    } else {
        rule->of.is_metric = rule->subject == OF_METRIC;
        rule->of.is_table = rule->subject == OF_TABLE;
        set_pattern(&rule->of, name);
    }
    return statement->next == statement->count ? VARVE_OK
                                               : expected(statement, "the end of the rule", err);
}

/* The words up to the end of the rule; what is beyond WORDS_MAX is too many for any. */
static size_t cut(struct varve_str text, size_t from, struct statement *statement)
{
    size_t at = from;
    statement->count = statement->next = 0;
    while (at < text.size && text.data[at] != '\n' && text.data[at] != ';') {
        size_t start = at;
        while (at < text.size && !strchr(" \t\r\n;#", text.data[at]))
            at++;
        if (at > start && statement->count < WORDS_MAX)
            statement->words[statement->count++] =
                (struct varve_str){text.data + start, at - start};
        if (at < text.size && text.data[at] == '#')
            while (at < text.size && text.data[at] != '\n')
                at++;
        else if (at < text.size && strchr(" \t\r", text.data[at]))
            at++;
    }
    return at;
}

static enum varve_status
read_rules(struct rules *rules, struct varve_str text, struct varve_err *err)
{
    struct statement statement = {.line = 1};
    for (size_t at = 0; at < text.size; at++) {
        struct rule rule;
        at = cut(text, at, &statement);
        if (statement.count > 0) {
            TRY(read_rule(&statement, &rule, err));
            TRY(mem_grow(rules->mem, (void **)&rules->rules, &rules->capacity, rules->count + 1,
                         sizeof rule, err));
            rules->rules[rules->count++] = rule;
            rules->depend_on_source |=
                rule.subject == OF_LABEL && !rule.anywhere && rule.of.is_metric;
        }
        statement.line += at < text.size && text.data[at] == '\n';
    }
    return VARVE_OK;
}

/* ---- making ---- */

static enum varve_status check_text(struct varve_str text, struct varve_err *err)
{
    if (text.size > RULES_MAX)
        return fail(err, VARVE_LIMIT, "rules", "%zu bytes of rules; at most %d are allowed",
                    text.size, RULES_MAX);
    if (!str_is_utf8(text) || (text.size > 0 && memchr(text.data, '\0', text.size)))
        return fail(err, VARVE_INVALID, "rules", "the rules are not valid UTF-8 text");
    return VARVE_OK;
}

static enum varve_status
fill(struct rules *rules, struct varve_str text, const uint8_t *secret, struct varve_err *err)
{
    if (text.size > 0) {
        rules->text = mem_alloc(rules->mem, text.size);
        if (!rules->text)
            return fail_nomem(err, text.size);
        memcpy(rules->text, text.data, text.size);
        rules->text_size = text.size;
    }
    TRY(read_rules(rules, (struct varve_str){rules->text, text.size}, err));
    if (!secret)
        return VARVE_OK;
    hmac_key_init(&rules->key, secret, RULES_SECRET);
    return read_rules(rules, names_privacy_rules(), err);
}

enum varve_status rules_new(struct mem *mem, struct varve_str text, const uint8_t *secret,
                            struct rules **rules, struct varve_err *err)
{
    TRY(check_text(text, err));
    struct rules *made = mem_zalloc(mem, sizeof *made);
    if (!made)
        return fail_nomem(err, sizeof *made);
    made->mem = mem;
    enum varve_status status = fill(made, text, secret, err);
    if (status == VARVE_OK)
        *rules = made;
    else
        rules_free(made);
    return status;
}

void rules_free(struct rules *rules)
{
    if (!rules)
        return;
    struct mem *mem = rules->mem;
    mem_free(mem, rules->rules, rules->capacity * sizeof *rules->rules);
    mem_free(mem, rules->text, rules->text_size);
    mem_free(mem, rules, sizeof *rules);
}

enum varve_status rules_check(struct mem *mem, struct varve_str text, struct varve_err *err)
{
    struct rules *rules;
    TRY(rules_new(mem, text, NULL, &rules, err));
    rules_free(rules);
    return VARVE_OK;
}

/* ---- asking ---- */

static enum rule_verdict
ask(const struct rules *rules, enum subject subject, enum rule_source kind, struct varve_str source)
{
    for (size_t i = 0; i < rules->count; i++)
        if (rules->rules[i].subject == subject &&
            pattern_matches(&rules->rules[i].of, kind, source))
            return rules->rules[i].verdict;
    return RULE_KEEP;
}

enum rule_verdict rules_metric(const struct rules *rules, struct varve_str metric)
{
    return ask(rules, OF_METRIC, RULE_METRIC, metric);
}

enum rule_verdict rules_table(const struct rules *rules, struct varve_str table)
{
    return ask(rules, OF_TABLE, RULE_TABLE, table);
}

enum rule_verdict rules_label(const struct rules *rules, enum rule_source kind,
                              struct varve_str source, struct varve_str label)
{
    for (size_t i = 0; i < rules->count; i++) {
        const struct rule *rule = &rules->rules[i];
        if (rule->subject == OF_LABEL && glob_matches(rule->label, label) &&
            (rule->anywhere || pattern_matches(&rule->of, kind, source)))
            return rule->verdict;
    }
    return RULE_KEEP;
}

bool rules_depend_on_source(const struct rules *rules)
{
    return rules->depend_on_source;
}

static const char digits[] = "0123456789abcdef";

/* Whether it is what became of a value here or in another store. */
static bool is_hashed(struct varve_str value)
{
    if (value.size != RULES_HASHED || memcmp(value.data, "h:", 2) != 0)
        return false;
    for (size_t i = 2; i < RULES_HASHED; i++)
        if (!memchr(digits, value.data[i], sizeof digits - 1))
            return false;
    return true;
}

void rules_hash(const struct rules *rules, struct varve_str value, char hashed[RULES_HASHED])
{
    uint8_t digest[SHA256_SIZE];
    if (is_hashed(value)) { /* an export that comes in again */
        memcpy(hashed, value.data, RULES_HASHED);
        return;
    }
    hmac_sha256(&rules->key, value.data, value.size, digest);
    memcpy(hashed, "h:", 2);
    for (size_t i = 0; i < (RULES_HASHED - 2) / 2; i++) {
        hashed[2 + 2 * i] = digits[digest[i] >> 4];
        hashed[3 + 2 * i] = digits[digest[i] & 15];
    }
}
