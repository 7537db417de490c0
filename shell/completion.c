/* SPDX-License-Identifier: Apache-2.0
 *
 * completion.c -- the words that may stand at the end of what has been typed.
 *
 * Of statements the library knows them, without a store at least the words of the language.  Of
 * commands: their names, and behind a name what the table here says.  Nothing is ever said aloud.
 */
#include "completion.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "dot.h"
#include "output.h"

enum { WORDS_MOST = 2000 };

struct search {
    struct editor_words *words;
    struct varve_str prefix;
};

static void offer_if(const struct search *search, struct varve_str word)
{
    if (word.size >= search->prefix.size &&
        memcmp(word.data, search->prefix.data, search->prefix.size) == 0)
        editor_offer(search->words, word);
}

static void offer_list(const struct search *search, const char *const *list)
{
    for (; *list; list++)
        offer_if(search, varve_str(*list));
}

/* ---- the words behind a command ------------------------------------------------------- */

static void offer_switch(struct session *s, const struct search *search)
{
    (void)s;
    offer_list(search, (const char *const[]){"off", "on", NULL});
}

static void offer_modes(struct session *s, const struct search *search)
{
    (void)s;
    for (int i = 0; i < OUTPUT_MODES; i++)
        offer_if(search, varve_str(output_formats[i].name));
}

static void offer_commands(struct session *s, const struct search *search)
{
    (void)s;
    for (size_t i = 0; i < dot_count; i++)
        offer_if(search, varve_str(dots[i].name));
}

static void offer_clock(struct session *s, const struct search *search)
{
    (void)s;
    offer_if(search, varve_str("clock"));
}

static void offer_auto(struct session *s, const struct search *search)
{
    (void)s;
    offer_if(search, varve_str("auto"));
}

static void offer_entry(const struct search *search, const char *directory, size_t size,
                        const char *name, const char *root)
{
    char path[4096], word[4096];
    struct stat entry;
    snprintf(path, sizeof path, "%s%.*s%s", root, (int)size, directory, name);
    bool is_directory = stat(path, &entry) == 0 && S_ISDIR(entry.st_mode);
    snprintf(word, sizeof word, "%.*s%s%s", (int)size, directory, name, is_directory ? "/" : "");
    offer_if(search, varve_str(word));
}

static void offer_below(const struct search *search, const char *root)
{
    char path[4096];
    size_t size = search->prefix.size;
    const struct dirent *entry;
    while (size > 0 && search->prefix.data[size - 1] != '/')
        size--;
    snprintf(path, sizeof path, "%s%.*s", root, (int)size, search->prefix.data);
    DIR *directory = opendir(path[0] ? path : ".");
    if (!directory)
        return;
    while ((entry = readdir(directory)) != NULL && search->words->count < WORDS_MOST)
        if (entry->d_name[0] != '.' || search->prefix.data[size] == '.')
            offer_entry(search, search->prefix.data, size, entry->d_name, root);
    closedir(directory);
}

static void offer_files(struct session *s, const struct search *search)
{
    (void)s;
    offer_below(search, "");
}

static void offer_zones(struct session *s, const struct search *search)
{
    (void)s;
    offer_below(search, "/usr/share/zoneinfo/");
}

static int take_name(void *context, enum varve_completion kind, struct varve_str word)
{
    const struct search *search = context;
    if (kind == VARVE_COMPLETE_METRIC || kind == VARVE_COMPLETE_TABLE)
        editor_offer(search->words, word);
    return search->words->count >= WORDS_MOST;
}

static void offer_names(struct session *s, const struct search *search)
{
    char text[512];
    size_t from;
    struct varve_err err;
    snprintf(text, sizeof text, "DESCRIBE %.*s", (int)search->prefix.size, search->prefix.data);
    struct search copy = *search;
    enum varve_status status =
        varve_complete(s->db, varve_str(text), strlen(text), &from, take_name, &copy, &err);
    (void)status; /* without completion goes on, too */
}

static const struct {
    const char *name;
    void (*offer)(struct session *s, const struct search *search);
} behind[] = {
    {".help", offer_commands}, {".last", offer_modes}, {".mode", offer_modes},
    {".now", offer_clock},     {".open", offer_files}, {".output", offer_files},
    {".pager", offer_switch},  {".read", offer_files}, {".schema", offer_names},
    {".timer", offer_switch},  {".tz", offer_zones},   {".width", offer_auto},
};

/* ---- statements ----------------------------------------------------------------------------- */

static int take_word(void *context, enum varve_completion kind, struct varve_str word)
{
    struct editor_words *words = context;
    (void)kind;
    if (words->count >= WORDS_MOST) {
        words->more++;
        return words->more > 100000;
    }
    return !editor_offer(words, word);
}

static void find_in_statement(struct session *s, struct varve_str text, size_t begin,
                              struct editor_words *words)
{
    struct varve_err err;
    struct varve_str statement = {text.data + begin, text.size - begin};
    size_t from = statement.size;
    if (varve_complete(s->db, statement, statement.size, &from, take_word, words, &err) != VARVE_OK)
        return;
    words->from = begin + from;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* .explain and .watch have a statement behind them. */
static bool has_statement(struct varve_str name)
{
    static const char *const names[] = {"explain", "watch"};
    for (size_t i = 0; i < 2; i++)
        if (name.size == strlen(names[i]) + 1 &&
            memcmp(name.data + 1, names[i], name.size - 1) == 0)
            return true;
    return false;
}

static void find_in_command(struct session *s, struct varve_str text, struct editor_words *words)
{
    size_t name = 0, word = text.size;
    while (name < text.size && text.data[name] != ' ')
        name++;
    while (word > 0 && text.data[word - 1] != ' ')
        word--;
    struct search search = {words, {text.data + word, text.size - word}};
    if (name < text.size && has_statement((struct varve_str){text.data, name})) {
        size_t begin = name;
        if (text.data[1] == 'w') /* behind the duration and the number */
            while (begin < text.size && (strchr(" 0123456789", text.data[begin]) ||
                                         strchr("0123456789", text.data[begin - 1])))
                begin++;
        find_in_statement(s, text, begin, words);
        return;
    }
    words->from = word;
    if (word == 0) {
        offer_commands(s, &search);
        return;
    }
    for (size_t i = 0; i < sizeof behind / sizeof behind[0]; i++)
        if (strlen(behind[i].name) == name &&
            memcmp(behind[i].name + 1, text.data + 1, name - 1) == 0)
            behind[i].offer(s, &search);
    if (words->count > 0)
        qsort(words->words, words->count, sizeof *words->words, by_bytes);
}

void completion_find(struct session *s, struct varve_str text, struct editor_words *words)
{
    size_t begin = 0;
    int complete = 1;
    words->from = text.size;
    while (begin < text.size && strchr(" \t\r\n", text.data[begin]))
        begin++;
    if (begin < text.size && (text.data[begin] == '.' || text.data[begin] == '\\')) {
        find_in_command(s, (struct varve_str){text.data + begin, text.size - begin}, words);
        words->from += begin;
        return;
    }
    /* Of several statements in a line it is the last. */
    for (size_t end; begin < text.size; begin = end) {
        end = varve_statement_end(text, begin, &complete);
        if (!complete)
            break;
    }
    find_in_statement(s, text, begin, words);
}
