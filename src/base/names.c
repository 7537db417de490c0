/* SPDX-License-Identifier: Apache-2.0
 *
 * names.c -- looking names up in the tables that scripts/make-names made of names.txt.
 *
 * Every table is sorted and never changes, so a look-up is a binary search of a few
 * comparisons and needs no lock.  Spellings differ in dots and underscores, in what stands before
 * them and in what stands after: the first is undone here, the second is taken off by the list of
 * prefixes, and the third is written out in the file.
 *
 * Nothing is guessed: a name that is not in the file is unknown, however much it looks like one.
 */
#include "base/names.h"

struct spelling {
    struct varve_str text;
    uint32_t metric;
};
struct rename {
    struct varve_str from, to;
};
struct typed {
    struct varve_str name, table; /* table: empty for all */
    enum name_type type;
};

#include "base/names_tables.inc"

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { SPELLING_MAX = 128 };

static const struct varve_str own_prefix = {"claude_code.", 12};

static bool starts_with(struct varve_str text, struct varve_str start)
{
    return text.size >= start.size && memcmp(text.data, start.data, start.size) == 0;
}

static bool ends_with(struct varve_str text, struct varve_str end)
{
    return text.size >= end.size &&
           memcmp(text.data + text.size - end.size, end.data, end.size) == 0;
}

static struct varve_str without(struct varve_str text, size_t size)
{
    return (struct varve_str){text.data + size, text.size - size};
}

/* A copy with dots as underscores; of size 0 when it is longer than any name there is. */
static struct varve_str underscored(struct varve_str text, char copy[SPELLING_MAX])
{
    if (text.size > SPELLING_MAX)
        return STR("");
    for (size_t i = 0; i < text.size; i++)
        copy[i] = (char)(text.data[i] == '.' ? '_' : text.data[i]);
    return (struct varve_str){copy, text.size};
}

/* ---- metrics ---- */

static const struct name_metric *find_spelling(struct varve_str text)
{
    size_t from = 0, until = COUNT(spellings);
    while (from < until) {
        size_t middle = (from + until) / 2;
        int order = str_compare(text, spellings[middle].text);
        if (order == 0)
            return &metrics[spellings[middle].metric];
        if (order < 0)
            until = middle;
        else
            from = middle + 1;
    }
    return NULL;
}

/* How long the prefix is that text begins with, if what is left could be a name: 0: none. */
static size_t prefix_size(struct varve_str text)
{
    for (size_t i = 0; i < COUNT(prefixes); i++)
        if (starts_with(text, prefixes[i]) &&
            starts_with(without(text, prefixes[i].size), STR("claude_code_")))
            return prefixes[i].size;
    return 0;
}

const struct name_metric *names_metric(struct varve_str spelling)
{
    char copy[SPELLING_MAX];
    struct varve_str text = underscored(spelling, copy);
    for (;;) {
        const struct name_metric *metric = find_spelling(text);
        size_t prefix = metric ? 0 : prefix_size(text);
        if (prefix == 0)
            return metric;
        text = without(text, prefix);
    }
}

const struct name_metric *names_metrics(size_t *count)
{
    *count = COUNT(metrics);
    return metrics;
}

/* ---- labels ---- */

struct varve_str names_label(struct varve_str spelling)
{
    size_t from = 0, until = COUNT(renames);
    while (from < until) {
        size_t middle = (from + until) / 2;
        int order = str_compare(spelling, renames[middle].from);
        if (order == 0)
            return renames[middle].to;
        if (order < 0)
            until = middle;
        else
            from = middle + 1;
    }
    return spelling;
}

/* ---- events ---- */

struct varve_str names_table(struct varve_str event)
{
    while (starts_with(event, own_prefix) && event.size > own_prefix.size)
        event = without(event, own_prefix.size);
    return event;
}

static const struct typed *find_attribute(struct varve_str name, struct varve_str table)
{
    size_t from = 0, until = COUNT(attributes);
    while (from < until) {
        size_t middle = (from + until) / 2;
        int order = str_compare(name, attributes[middle].name);
        if (order == 0)
            order = str_compare(table, attributes[middle].table);
        if (order == 0)
            return &attributes[middle];
        if (order < 0)
            until = middle;
        else
            from = middle + 1;
    }
    return NULL;
}

/* One star: what stands before it and what stands after it. */
static bool glob_matches(struct varve_str glob, struct varve_str name)
{
    size_t star = 0;
    while (star < glob.size && glob.data[star] != '*')
        star++;
    struct varve_str end = without(glob, star + 1);
    return name.size >= glob.size - 1 && memcmp(name.data, glob.data, star) == 0 &&
           ends_with(name, end);
}

enum name_type names_attribute(struct varve_str table, struct varve_str attribute)
{
    const struct typed *found = find_attribute(attribute, table);
    if (!found)
        found = find_attribute(attribute, STR(""));
    for (size_t i = 0; !found && i < COUNT(globs); i++)
        if ((globs[i].table.size == 0 || str_equal(globs[i].table, table)) &&
            glob_matches(globs[i].name, attribute))
            found = &globs[i];
    return found ? found->type : NAME_ANY;
}

/* ---- privacy ---- */

struct varve_str names_privacy_rules(void)
{
    return STR(privacy_rules);
}
