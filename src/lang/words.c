/* SPDX-License-Identifier: Apache-2.0
 *
 * words.c -- the words of VQL, and the way in by their text.
 *
 * A text is first compared by its length and its first letter, so that a name
 * that is no word costs next to nothing.  The nearest word is looked for only
 * when there is an error to report.
 */
#include "lang/words.h"

#include <strings.h>

enum { WORD_BYTES = 12 };

static const struct word_info {
    char text[WORD_BYTES];
    uint8_t size, class;
} word_table[WORDS] = {
#define X(name, class) {#name, sizeof #name - 1, WORD_##class},
    WORD_MAP(X)
#undef X
};

static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - ('a' - 'A')) : c;
}

static bool is_text_of(const struct word_info *info, struct varve_str text)
{
    for (size_t i = 0; i < text.size; i++)
        if (upper(text.data[i]) != info->text[i])
            return false;
    return true;
}

enum word word_find(struct varve_str text)
{
    if (text.size < 2 || text.size >= WORD_BYTES)
        return WORDS;
    const char first = upper(text.data[0]);
    for (int i = 0; i < WORDS; i++)
        if (word_table[i].size == text.size && word_table[i].text[0] == first &&
            is_text_of(&word_table[i], text))
            return (enum word)i;
    return WORDS;
}

const char *word_text(enum word word)
{
    return word < WORDS ? word_table[word].text : "";
}

enum word_class word_class_of(enum word word)
{
    return word < WORDS ? (enum word_class)word_table[word].class : WORD_PLAIN;
}

bool word_begins_statement(enum word word)
{
    return word <= WORD_PROMQL;
}

enum word word_nearest(struct varve_str text, const enum word *words, size_t count)
{
    char capitals[WORD_BYTES + 2];
    enum word nearest = WORDS;
    if (text.size < 3 || text.size > sizeof capitals)
        return WORDS;
    for (size_t i = 0; i < text.size; i++)
        capitals[i] = upper(text.data[i]);
    unsigned least = text.size <= 4 ? 2 : 3;
    for (size_t i = 0; i < count; i++) {
        const struct word_info *info = &word_table[words[i]];
        const unsigned distance = str_distance((struct varve_str){capitals, text.size},
                                               (struct varve_str){info->text, info->size});
        if (distance < least && distance < info->size / 2u + 1) {
            least = distance;
            nearest = words[i];
        }
    }
    return nearest;
}
