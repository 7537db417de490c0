/* SPDX-License-Identifier: Apache-2.0
 *
 * prom_line.c -- one parser for the lines of OpenMetrics and of Prometheus' text format.
 *
 *   name{label="value",...} value [time] [# exemplar]
 *   {"name",label="value",...} value [time]
 *   # TYPE name type      # UNIT name unit      # HELP name text      # EOF
 *
 * It is as lenient about spaces as the older format is, allows the newer one's exemplars, and
 * dots in names, which some senders write without quotes.  Nothing is copied and nothing is
 * allocated.  A bad line names the column and what was expected there.
 */
#include "ingest/prom_line.h"

#include <math.h>

struct cursor {
    const char *begin, *at, *end;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == ':' || c == '.';
}

static void skip_blanks(struct cursor *c)
{
    while (c->at < c->end && is_blank(*c->at))
        c->at++;
}

static bool take(struct cursor *c, char wanted)
{
    if (c->at == c->end || *c->at != wanted)
        return false;
    c->at++;
    return true;
}

static bool bad(struct prom_line *line, const struct cursor *c, const char *expected)
{
    line->kind = PROM_BAD;
    line->column = (size_t)(c->at - c->begin) + 1;
    line->expected = expected;
    return false;
}

static struct varve_str take_name(struct cursor *c)
{
    const char *from = c->at;
    if (c->at < c->end && *c->at >= '0' && *c->at <= '9')
        return (struct varve_str){from, 0};
    while (c->at < c->end && is_name(*c->at))
        c->at++;
    return (struct varve_str){from, (size_t)(c->at - from)};
}

static struct varve_str take_word(struct cursor *c)
{
    const char *from = c->at;
    while (c->at < c->end && !is_blank(*c->at))
        c->at++;
    return (struct varve_str){from, (size_t)(c->at - from)};
}

/* After the opening quote, up to and with the closing one.  false: it is not there. */
static bool take_quoted(struct cursor *c, struct varve_str *text, bool *escaped)
{
    const char *from = c->at;
    const char *end = memchr(from, '"', (size_t)(c->end - from));
    *escaped = end && memchr(from, '\\', (size_t)(end - from)) != NULL;
    if (*escaped)
        for (end = from; end < c->end && *end != '"'; end++)
            end += *end == '\\' && end + 1 < c->end;
    if (!end || end >= c->end) {
        c->at = c->end;
        return false;
    }
    c->at = end + 1;
    *text = (struct varve_str){from, (size_t)(end - from)};
    return true;
}

/* ---- values --------------------------------------------------------------- */

static bool is_word(const char *text, size_t size, const char *word)
{
    size_t i = 0;
    for (; i < size && word[i]; i++)
        if ((text[i] | 0x20) != word[i])
            return false;
    return i == size && !word[i];
}

bool prom_value(struct varve_str text, double *value)
{
    struct decimal d;
    const size_t size = decimal_scan(text, &d);
    if (size > 0 && size == text.size) {
        *value = decimal_double(&d, text);
        return true;
    }
    const bool sign = text.size > 0 && (text.data[0] == '-' || text.data[0] == '+');
    const char *word = text.size ? text.data + sign : "";
    const size_t left = text.size - sign;
    if (is_word(word, left, "nan"))
        *value = (double)NAN;
    else if (is_word(word, left, "inf") || is_word(word, left, "infinity"))
        *value = sign && text.data[0] == '-' ? -HUGE_VAL : HUGE_VAL;
    else
        return false;
    return true;
}

static bool is_number(struct varve_str text)
{
    struct decimal d;
    double value;
    const size_t size = decimal_scan(text, &d);
    return (size > 0 && size == text.size) || prom_value(text, &value);
}

/* ---- comments ------------------------------------------------------------- */

static void parse_comment(struct prom_line *line, struct cursor *c)
{
    static const struct {
        const char *word;
        enum prom_kind kind;
    } words[] = {{"TYPE", PROM_TYPE}, {"HELP", PROM_HELP}, {"UNIT", PROM_UNIT}, {"EOF", PROM_EOF}};
    line->kind = PROM_BLANK;
    if (c->at == c->end || !is_blank(*c->at))
        return;
    skip_blanks(c);
    const struct varve_str word = take_word(c);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (str_equal(word, (struct varve_str){words[i].word, strlen(words[i].word)}))
            line->kind = words[i].kind;
    if (line->kind == PROM_BLANK || line->kind == PROM_EOF)
        return;
    skip_blanks(c);
    if (take(c, '"')) {
        if (!take_quoted(c, &line->name, &line->escaped)) {
            bad(line, c, "a closing quote");
            return;
        }
    } else {
        line->name = take_name(c);
    }
    if (line->name.size == 0 || (c->at < c->end && !is_blank(*c->at))) {
        bad(line, c, "the name of a metric");
        return;
    }
    skip_blanks(c);
    while (c->end > c->at && is_blank(c->end[-1]))
        c->end--;
    line->text = (struct varve_str){c->at, (size_t)(c->end - c->at)};
    if (line->kind == PROM_TYPE && line->text.size == 0)
        bad(line, c, "a type");
}

/* ---- samples -------------------------------------------------------------- */

/* The element of a list of labels at the cursor.  A quoted text alone is the metric's name. */
static bool parse_element(struct prom_line *line, struct cursor *c)
{
    struct varve_str key, value;
    bool escaped = false, quoted = take(c, '"');
    const char *from = c->at;
    if (!quoted)
        key = take_name(c);
    else if (!take_quoted(c, &key, &escaped))
        return bad(line, c, "a closing quote");
    if (key.size == 0) {
        c->at = from;
        return bad(line, c, "the name of a label");
    }
    skip_blanks(c);
    if (quoted && (c->at == c->end || *c->at != '=')) {
        if (line->name.size > 0)
            return bad(line, c, "'='");
        line->name = key;
        line->escaped = escaped;
        return true;
    }
    if (!take(c, '='))
        return bad(line, c, "'='");
    skip_blanks(c);
    if (!take(c, '"'))
        return bad(line, c, "a value in quotes");
    if (!take_quoted(c, &value, &escaped))
        return bad(line, c, "a closing quote");
    return true;
}

/* After the opening brace, with the closing one. */
static bool parse_labels(struct prom_line *line, struct cursor *c)
{
    line->text.data = c->at;
    line->braces = true;
    for (skip_blanks(c); !take(c, '}'); skip_blanks(c)) {
        if (c->at == c->end)
            return bad(line, c, "'}'");
        if (!parse_element(line, c))
            return false;
        skip_blanks(c);
        if (!take(c, ',') && (c->at == c->end || *c->at != '}'))
            return bad(line, c, "',' or '}'");
    }
    line->text.size = (size_t)(c->at - 1 - line->text.data);
    return true;
}

/* What follows the name and the labels. */
static bool parse_numbers(struct prom_line *line, struct cursor *c, bool check)
{
    skip_blanks(c);
    const char *from = c->at;
    line->value = take_word(c);
    if (line->value.size == 0 || (check && !is_number(line->value))) {
        c->at = from;
        return bad(line, c, "a value");
    }
    skip_blanks(c);
    from = c->at;
    if (c->at < c->end && *c->at != '#') {
        struct decimal d;
        line->time = take_word(c);
        if (check && decimal_scan(line->time, &d) != line->time.size) {
            c->at = from;
            return bad(line, c, "a time");
        }
        skip_blanks(c);
    }
    if (c->at < c->end && *c->at != '#')
        return bad(line, c, "the end of the line");
    line->kind = PROM_SAMPLE;
    return true;
}

void prom_line_parse(struct prom_line *line, struct varve_str text)
{
    struct cursor c = {text.data, text.data, text.data + text.size};
    memset(line, 0, sizeof *line);
    if (text.size == 0)
        return;
    skip_blanks(&c);
    while (c.end > c.at && (is_blank(c.end[-1]) || c.end[-1] == '\r'))
        c.end--;
    if (c.at == c.end)
        return;
    if (take(&c, '#')) {
        parse_comment(line, &c);
        return;
    }
    const char *from = c.at;
    line->name = take_name(&c);
    if (line->name.size == 0 && (c.at == c.end || *c.at != '{')) {
        bad(line, &c, "the name of a metric");
        return;
    }
    const char *after = c.at;
    skip_blanks(&c);
    if (take(&c, '{')) {
        if (!parse_labels(line, &c))
            return;
    } else if (after == c.at) {
        bad(line, &c, "a space or '{'");
        return;
    }
    if (line->name.size == 0) {
        c.at = from;
        bad(line, &c, "the name of a metric");
        return;
    }
    parse_numbers(line, &c, true);
}

bool prom_line_quick(struct prom_line *line, struct varve_str text)
{
    if (text.size == 0 || text.data[0] == '#')
        return false;
    struct cursor c = {text.data, text.data, text.data + text.size};
    const char *brace = memrchr(text.data, '}', text.size);
    memset(line, 0, sizeof *line);
    line->name = take_name(&c);
    if (line->name.size == 0 || !brace || c.at >= brace || *c.at != '{')
        return false;
    line->braces = true;
    line->text = (struct varve_str){c.at + 1, (size_t)(brace - c.at - 1)};
    c.at = brace + 1;
    return parse_numbers(line, &c, false);
}

/* ---- labels, later -------------------------------------------------------- */

struct varve_str prom_unescape(struct varve_str text, char *out)
{
    size_t size = 0;
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        const char next = c == '\\' && i + 1 < text.size ? text.data[i + 1] : '\0';
        if (next == 'n' || next == '\\' || next == '"') {
            c = next == 'n' ? '\n' : next;
            i++;
        }
        out[size++] = c;
    }
    return (struct varve_str){out, size};
}

static struct varve_str plain(struct prom_labels *labels, struct varve_str text, bool escaped)
{
    if (!escaped)
        return text;
    const struct varve_str made = prom_unescape(text, labels->scratch);
    labels->scratch += made.size;
    return made;
}

bool prom_label_next(struct prom_labels *labels, struct prom_label *label)
{
    if (labels->text.size == 0)
        return false;
    const char *begin = labels->text.data;
    struct cursor c = {begin, begin + labels->at, begin + labels->text.size};
    for (;;) {
        bool escaped = false;
        skip_blanks(&c);
        if (c.at == c.end)
            return false;
        if (!take(&c, '"'))
            label->key = take_name(&c);
        else if (take_quoted(&c, &label->key, &escaped))
            label->key = plain(labels, label->key, escaped);
        else
            return false;
        skip_blanks(&c);
        const bool named = take(&c, '=');
        skip_blanks(&c);
        if (named && (!take(&c, '"') || !take_quoted(&c, &label->value, &escaped)))
            return false;
        skip_blanks(&c);
        take(&c, ',');
        labels->at = (size_t)(c.at - begin);
        if (!named)
            continue;
        label->value = plain(labels, label->value, escaped);
        return true;
    }
}
