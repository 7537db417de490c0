/* SPDX-License-Identifier: Apache-2.0
 *
 * dot.c -- the commands of the shell: lines that begin with a dot (or a backslash).
 *
 * A table, from which they are found, completed and explained.
 */
#include "session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"
#include "when.h"

enum { WORDS = 16 };

struct dot {
    const char *name;
    const char *usage;
    const char *help; /* one line */
    int least, most;  /* words behind the name */
    enum exit_status (*run)(struct session *s, char **words, int count);
};

/* "error: 'WORD' MESSAGE". */
static enum exit_status problem(const char *word, const char *message)
{
    fprintf(stderr, "error: '%s' %s\n", word, message);
    return EXIT_FAILED;
}

static enum exit_status statement(struct session *s, const char *text)
{
    return session_run(s, varve_str(text));
}

/* ---- settings of the session --------------------------------------------------- */

static enum exit_status dot_mode(struct session *s, char **words, int count)
{
    if (count == 1 && output_find(words[0], &s->style.mode))
        return EXIT_DONE;
    if (count == 1)
        return problem(words[0], "is no mode; .mode lists them");
    for (int i = 0; i < OUTPUT_MODES; i++)
        fprintf(s->out, "%c %-10s %s\n", i == (int)s->style.mode ? '*' : ' ',
                output_formats[i].name, output_formats[i].help);
    return EXIT_DONE;
}

static bool parse_switch(const char *word, bool *value)
{
    *value = strcmp(word, "on") == 0;
    return *value || strcmp(word, "off") == 0;
}

static enum exit_status dot_timer(struct session *s, char **words, int count)
{
    if (count == 0)
        s->footer = !s->footer;
    else if (!parse_switch(words[0], &s->footer))
        return problem(words[0], "is neither on nor off");
    return EXIT_DONE;
}

static enum exit_status dot_tz(struct session *s, char **words, int count)
{
    varve_zone *zone;
    struct varve_err err;
    if (count == 0) {
        fprintf(s->out, "%s\n", s->zone);
        return EXIT_DONE;
    }
    if (varve_zone_open(varve_str(words[0]), &zone, &err) != VARVE_OK) {
        text_error(&err);
        return EXIT_FAILED;
    }
    varve_zone_free(zone);
    snprintf(s->zone, sizeof s->zone, "%s", words[0]);
    s->options.zone = s->style.zone = varve_str(s->zone);
    return EXIT_DONE;
}

static enum exit_status dot_now(struct session *s, char **words, int count)
{
    char text[TEXT_TIME];
    if (count == 0)
        fprintf(s->out, "%s\n", text_time(s->options.now ? s->options.now : when_now(), text));
    else if (strcmp(words[0], "clock") == 0)
        s->options.now = 0;
    else if (!when_parse(words[0], when_now(), &s->options.now))
        return problem(words[0], "is no time; 2026-10-08, 2026-10-08T08:15:18Z, -7d or clock are");
    return EXIT_DONE;
}

static enum exit_status dot_output(struct session *s, char **words, int count)
{
    FILE *file = count == 1 ? fopen(words[0], "w") : stdout;
    if (!file) {
        fprintf(stderr, "error: %s: %s\n", words[0], strerror(errno));
        return EXIT_FAILED;
    }
    if (s->out_is_file)
        fclose(s->out);
    s->out = file;
    s->out_is_file = count == 1;
    return EXIT_DONE;
}

/* ---- what there is ---------------------------------------------------------------- */

static enum exit_status dot_tables(struct session *s, char **words, int count)
{
    (void)words;
    (void)count;
    return statement(s, "SHOW TABLES");
}

static enum exit_status dot_metrics(struct session *s, char **words, int count)
{
    (void)words;
    (void)count;
    return statement(s, "SHOW METRICS");
}

static enum exit_status with_word(struct session *s, const char *before, const char *word)
{
    char text[512];
    snprintf(text, sizeof text, "%s %.400s", before, word);
    return statement(s, text);
}

static enum exit_status dot_schema(struct session *s, char **words, int count)
{
    return count == 0 ? statement(s, "SHOW CARDINALITY") : with_word(s, "DESCRIBE", words[0]);
}

static enum exit_status dot_explain(struct session *s, char **words, int count)
{
    char text[4096] = "EXPLAIN";
    size_t size = strlen(text);
    for (int i = 0; i < count && size < sizeof text; i++)
        size += (size_t)snprintf(text + size, sizeof text - size, " %s", words[i]);
    return statement(s, text);
}

/* ---- the session itself -------------------------------------------------------------- */

static enum exit_status dot_read(struct session *s, char **words, int count)
{
    (void)count;
    if (s->depth >= 8)
        return problem(words[0], "is read by a file that is read by a file, eight deep");
    s->depth++;
    enum exit_status status = session_file(s, words[0]);
    s->depth--;
    return status;
}

static enum exit_status dot_quit(struct session *s, char **words, int count)
{
    (void)words;
    (void)count;
    s->quit = true;
    return EXIT_DONE;
}

static enum exit_status dot_help(struct session *s, char **words, int count);

const struct dot dots[] = {
    {".explain", "SELECT ...", "the plan of a statement", 1, WORDS, dot_explain},
    {".help", "[COMMAND]", "this list", 0, 1, dot_help},
    {".metrics", "", "the metrics there are", 0, 0, dot_metrics},
    {".mode", "[MODE]", "how results are shown; without a word the modes there are", 0, 1,
     dot_mode},
    {".now", "[TIME|clock]", "the time that `now` means", 0, 1, dot_now},
    {".output", "[FILE]", "results go into FILE; without a word to the terminal again", 0, 1,
     dot_output},
    {".quit", "", "end the shell", 0, 0, dot_quit},
    {".read", "FILE", "run the statements in FILE", 1, 1, dot_read},
    {".schema", "[NAME]", "labels of metrics and columns of tables, or all about NAME", 0, 1,
     dot_schema},
    {".tables", "", "the tables of events there are", 0, 0, dot_tables},
    {".timer", "[on|off]", "a line under results: range, rows, points read, time taken", 0, 1,
     dot_timer},
    {".tz", "[ZONE]", "the zone of days and months, such as Europe/Berlin", 0, 1, dot_tz},
};
enum { DOTS = sizeof dots / sizeof dots[0] };

static const struct dot *find_dot(const char *name)
{
    for (int i = 0; i < DOTS; i++)
        if (strcmp(dots[i].name + 1, name + 1) == 0)
            return &dots[i];
    return NULL;
}

static enum exit_status dot_help(struct session *s, char **words, int count)
{
    for (int i = 0; i < DOTS; i++)
        if (count == 0 || strcmp(dots[i].name + 1, words[0] + (words[0][0] == '.')) == 0)
            fprintf(s->out, "%-9s %-14s %s\n", dots[i].name, dots[i].usage, dots[i].help);
    if (count == 0)
        fputs("\nStatements end with a semicolon.  SHOW METRICS; and SHOW TABLES; say what there "
              "is.\n",
              s->out);
    return EXIT_DONE;
}

enum exit_status dot_run(struct session *s, struct varve_str line)
{
    char copy[4096], *words[WORDS + 1], *rest = NULL;
    int count = 0;
    if (line.size >= sizeof copy)
        return problem("...", "is too long a line");
    memcpy(copy, line.data, line.size);
    copy[line.size] = '\0';
    for (char *word = strtok_r(copy, " \t\r\n", &rest); word && count <= WORDS;
         word = strtok_r(NULL, " \t\r\n", &rest))
        words[count++] = word;
    const struct dot *dot = find_dot(words[0]);
    if (!dot) {
        const char *names[DOTS];
        for (int i = 0; i < DOTS; i++)
            names[i] = dots[i].name;
        const char *nearest = text_nearest(words[0], names, DOTS);
        if (nearest)
            fprintf(stderr, "error: unknown command '%s' (did you mean '%s'?)\n", words[0],
                    nearest);
        else
            fprintf(stderr, "error: unknown command '%s'; .help lists them\n", words[0]);
        return EXIT_FAILED;
    }
    if (count - 1 < dot->least || count - 1 > dot->most) {
        fprintf(stderr, "error: usage: %s %s\n", dot->name, dot->usage);
        return EXIT_FAILED;
    }
    return dot->run(s, words + 1, count - 1);
}
