/* SPDX-License-Identifier: Apache-2.0
 *
 * export_promname.c -- from OTLP's names to those of Prometheus.
 *
 * The rules are those of OpenTelemetry's collector, which most dashboards were written against:
 * a name is its words, joined by underscores; the unit follows in words (s: seconds,
 * By: bytes; what is not known, such as USD or tokens, as it is) unless the name has the word
 * already; "total" goes, since the format puts it at the end of a counter's samples.
 * So claude_code.active_time.total in s is claude_code_active_time_seconds.
 */
#include "export_promname.h"

#include <string.h>

#define STR(literal) ((struct varve_str){literal, sizeof(literal) - 1})

static const struct {
    const char *unit, *word;
} units[] = {
    {"d", "days"},          {"h", "hours"},
    {"min", "minutes"},     {"s", "seconds"},
    {"ms", "milliseconds"}, {"us", "microseconds"},
    {"ns", "nanoseconds"},  {"By", "bytes"},
    {"KiBy", "kibibytes"},  {"MiBy", "mebibytes"},
    {"GiBy", "gibibytes"},  {"TiBy", "tibibytes"},
    {"KBy", "kilobytes"},   {"MBy", "megabytes"},
    {"GBy", "gigabytes"},   {"TBy", "terabytes"},
    {"m", "meters"},        {"V", "volts"},
    {"A", "amperes"},       {"J", "joules"},
    {"W", "watts"},         {"g", "grams"},
    {"Cel", "celsius"},     {"Hz", "hertz"},
    {"%", "percent"},       {"1", ""},
};

static bool is_equal(struct varve_str a, struct varve_str b)
{
    return a.size == b.size && memcmp(a.data, b.data, a.size) == 0;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_word(char c)
{
    return is_letter(c) || (c >= '0' && c <= '9');
}

/* The next word of a text from *at on; empty at its end. */
static struct varve_str next_word(struct varve_str text, size_t *at)
{
    while (*at < text.size && !is_word(text.data[*at]))
        ++*at;
    size_t from = *at;
    while (*at < text.size && is_word(text.data[*at]))
        ++*at;
    return (struct varve_str){text.data + from, *at - from};
}

static bool has_word(struct varve_str text, struct varve_str wanted)
{
    size_t at = 0;
    for (struct varve_str word; (word = next_word(text, &at)).size > 0;)
        if (is_equal(word, wanted))
            return true;
    return false;
}

static void put_word(struct out *name, struct varve_str word)
{
    if (name->used > 0 || (word.data[0] >= '0' && word.data[0] <= '9'))
        out_text(name, "_");
    out_str(name, word);
}

/* Units of several words, and annotations such as {request}, say nothing here. */
static struct varve_str word_of_unit(struct varve_str unit)
{
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (is_equal(varve_str(units[i].unit), unit))
            return varve_str(units[i].word);
    for (size_t i = 0; i < unit.size; i++)
        if (!is_word(unit.data[i]))
            return STR("");
    return unit;
}

void promname_family(struct out *name, struct varve_str metric, struct varve_str unit,
                     enum varve_kind kind, struct varve_str *unit_word)
{
    bool counts = kind == VARVE_COUNTER || kind == VARVE_HISTOGRAM;
    struct varve_str last = {"", 0}, more = word_of_unit(unit);
    size_t at = 0;
    name->used = 0;
    for (struct varve_str word; (word = next_word(metric, &at)).size > 0;) {
        if (counts && is_equal(word, STR("total")))
            continue;
        put_word(name, word);
        last = word;
    }
    if (more.size > 0 && !has_word(metric, more)) {
        put_word(name, more);
        last = more;
    }
    if (name->used == 0)
        out_text(name, "_");
    *unit_word = more.size > 0 && is_equal(last, more) ? more : STR("");
}

void promname_label(struct out *name, struct varve_str label)
{
    name->used = 0;
    if (label.size > 0 && label.data[0] >= '0' && label.data[0] <= '9')
        out_text(name, "_");
    for (size_t i = 0; i < label.size; i++)
        out_bytes(name, is_word(label.data[i]) ? &label.data[i] : "_", 1);
}

void promname_escape(struct out *out, struct varve_str text)
{
    size_t from = 0;
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (c != '\\' && c != '"' && c != '\n')
            continue;
        out_bytes(out, text.data + from, i - from);
        out_bytes(out, c == '\\' ? "\\\\" : c == '"' ? "\\\"" : "\\n", 2);
        from = i + 1;
    }
    out_bytes(out, text.data + from, text.size - from);
}
