/* SPDX-License-Identifier: Apache-2.0
 *
 * dot.c -- the commands of the shell: lines that begin with a dot (or a backslash).
 *
 * A table, from which they are found, completed and explained.
 */
#include "dot.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "editor.h"
#include "place.h"
#include "quantity.h"
#include "text.h"
#include "watch.h"
#include "when.h"

enum { HISTORY_SHOWN = 20 };

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

static enum exit_status no_mode(const char *word)
{
    const char *names[OUTPUT_MODES];
    for (int i = 0; i < OUTPUT_MODES; i++)
        names[i] = output_formats[i].name;
    const char *nearest = text_nearest(word, names, OUTPUT_MODES);
    if (!nearest)
        return problem(word, "is no mode; .mode lists them");
    fprintf(stderr, "error: '%s' is no mode (did you mean '%s'?)\n", word, nearest);
    return EXIT_FAILED;
}

static enum exit_status dot_mode(struct session *s, const struct dot_words *w)
{
    if (w->count == 1 && output_find(w->words[0], &s->style.mode))
        return EXIT_DONE;
    if (w->count == 1)
        return no_mode(w->words[0]);
    for (int i = 0; i < OUTPUT_MODES; i++)
        fprintf(s->out, "%c %-10s %s\n", i == (int)s->style.mode ? '*' : ' ',
                output_formats[i].name, output_formats[i].help);
    return EXIT_DONE;
}

/* Without a word the other way round. */
static enum exit_status turn(const struct dot_words *w, bool *value)
{
    bool on = w->count == 1 && strcmp(w->words[0], "on") == 0;
    if (w->count == 1 && !on && strcmp(w->words[0], "off") != 0)
        return problem(w->words[0], "is neither on nor off");
    *value = w->count == 0 ? !*value : on;
    return EXIT_DONE;
}

static enum exit_status dot_timer(struct session *s, const struct dot_words *w)
{
    return turn(w, &s->footer);
}

static enum exit_status dot_pager(struct session *s, const struct dot_words *w)
{
    return turn(w, &s->is_paged);
}

static enum exit_status dot_tz(struct session *s, const struct dot_words *w)
{
    if (w->count == 1)
        return session_zone(s, w->words[0]) == EXIT_DONE ? EXIT_DONE : EXIT_FAILED;
    fprintf(s->out, "%s\n", s->zone);
    return EXIT_DONE;
}

static enum exit_status dot_now(struct session *s, const struct dot_words *w)
{
    char text[TEXT_TIME];
    if (w->count == 0)
        fprintf(s->out, "%s\n", text_time(s->options.now ? s->options.now : when_now(), text));
    else if (strcmp(w->words[0], "clock") == 0)
        s->options.now = 0;
    else if (!when_parse(w->words[0], when_now(), &s->options.now))
        return problem(w->words[0],
                       "is no time; 2026-10-08, 2026-10-08T08:15:18Z, -7d or clock are");
    return EXIT_DONE;
}

static enum exit_status dot_width(struct session *s, const struct dot_words *w)
{
    uint64_t width = 0;
    session_window(s);
    if (w->count == 0) {
        fprintf(s->out, "%d%s\n", s->style.width, s->has_width ? "" : " (the terminal's)");
        return EXIT_DONE;
    }
    bool is_auto = strcmp(w->words[0], "auto") == 0;
    if (!is_auto && (!quantity_count(w->words[0], &width) || width > 10000))
        return problem(w->words[0], "is no number of columns; 0 is any, auto the terminal's");
    s->has_width = !is_auto;
    s->style.width = (int)width;
    session_window(s);
    return EXIT_DONE;
}

static enum exit_status dot_output(struct session *s, const struct dot_words *w)
{
    FILE *file = w->count == 1 ? fopen(w->words[0], "w") : stdout;
    if (!file) {
        fprintf(stderr, "error: %s: %s\n", w->words[0], strerror(errno));
        return EXIT_FAILED;
    }
    if (s->out_is_file && fclose(s->out) != 0)
        fprintf(stderr, "error: %s: %s\n", s->out_path, strerror(errno));
    s->out = file;
    s->out_is_file = w->count == 1;
    snprintf(s->out_path, sizeof s->out_path, "%s", w->count == 1 ? w->words[0] : "");
    return EXIT_DONE;
}

static enum exit_status dot_settings(struct session *s, const struct dot_words *w)
{
    char now[TEXT_TIME];
    (void)w;
    if (session_place(s) != EXIT_DONE)
        return EXIT_FAILED;
    fprintf(s->out, "store   %s\n", s->path);
    fprintf(s->out, "mode    %s\n", output_formats[s->style.mode].name);
    fprintf(s->out, "now     %s\n", s->options.now ? text_time(s->options.now, now) : "clock");
    fprintf(s->out, "output  %s\n", s->out_is_file ? s->out_path : "standard output");
    fprintf(s->out, "pager   %s\n", s->is_paged ? "on" : "off");
    fprintf(s->out, "timer   %s\n", s->footer ? "on" : "off");
    fprintf(s->out, "tz      %s\n", s->zone);
    if (s->has_width)
        fprintf(s->out, "width   %d\n", s->style.width);
    else
        fprintf(s->out, "width   auto\n");
    return EXIT_DONE;
}

/* ---- what there is ---------------------------------------------------------------- */

static enum exit_status dot_tables(struct session *s, const struct dot_words *w)
{
    (void)w;
    return statement(s, "SHOW TABLES");
}

static enum exit_status dot_metrics(struct session *s, const struct dot_words *w)
{
    (void)w;
    return statement(s, "SHOW METRICS");
}

static enum exit_status with_rest(struct session *s, const char *before, struct varve_str rest)
{
    size_t size = strlen(before) + rest.size + 2;
    char *text = malloc(size);
    if (!text)
        return problem(before, "needs more memory than there is");
    snprintf(text, size, "%s %.*s", before, (int)rest.size, rest.data);
    enum exit_status status = statement(s, text);
    free(text);
    return status;
}

static enum exit_status dot_schema(struct session *s, const struct dot_words *w)
{
    return w->count == 0 ? statement(s, "SHOW CARDINALITY") : with_rest(s, "DESCRIBE", w->rest);
}

static enum exit_status dot_explain(struct session *s, const struct dot_words *w)
{
    return with_rest(s, "EXPLAIN", w->rest);
}

/* ---- results and statements ---------------------------------------------------------- */

static enum exit_status dot_last(struct session *s, const struct dot_words *w)
{
    enum output_mode before = s->style.mode;
    if (w->count == 1 && !output_find(w->words[0], &s->style.mode))
        return no_mode(w->words[0]);
    enum exit_status status = EXIT_FAILED;
    if (s->last.is_there) {
        struct rows rows = kept_rows(&s->last);
        status = session_show(s, &rows);
    } else if (s->last.is_too_large) {
        fputs("error: the last result is too large to be kept; run the statement again\n", stderr);
    } else {
        fputs("error: there is no result yet\n", stderr);
    }
    s->style.mode = before;
    return status;
}

static enum exit_status dot_history(struct session *s, const struct dot_words *w)
{
    uint64_t shown = HISTORY_SHOWN;
    if (!s->editor)
        return problem(".history", "is for the interactive shell");
    if (w->count == 1 && !quantity_count(w->words[0], &shown))
        return problem(w->words[0], "is no number");
    const struct recall *list = editor_history(s->editor);
    for (size_t i = list->count > shown ? list->count - shown : 0; i < list->count; i++)
        fprintf(s->out, "%s\n", list->entries[i]);
    return EXIT_DONE;
}

static enum exit_status dot_print(struct session *s, const struct dot_words *w)
{
    fprintf(s->out, "%.*s\n", (int)w->rest.size, w->rest.data);
    return EXIT_DONE;
}

/* ---- the session itself -------------------------------------------------------------- */

static enum exit_status dot_read(struct session *s, const struct dot_words *w)
{
    if (s->depth >= 8)
        return problem(w->words[0], "is read by a file that is read by a file, eight deep");
    s->depth++;
    enum exit_status status = session_file(s, w->words[0]);
    s->depth--;
    return status;
}

static bool is_same_file(const char *a, const char *b)
{
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* One that cannot be opened leaves the store that is open. */
static enum exit_status dot_open(struct session *s, const struct dot_words *w)
{
    varve *other;
    if (s->db && is_same_file(s->path, w->words[0]))
        return EXIT_DONE;
    if (place_open_path(w->words[0], 0, &other) != EXIT_DONE)
        return EXIT_FAILED;
    varve_close(s->db);
    s->db = other;
    snprintf(s->path, sizeof s->path, "%s", w->words[0]);
    return EXIT_DONE;
}

static enum exit_status dot_quit(struct session *s, const struct dot_words *w)
{
    (void)w;
    s->quit = true;
    return EXIT_DONE;
}

static enum exit_status dot_help(struct session *s, const struct dot_words *w);

const struct dot dots[] = {
    {".echo", "TEXT", "print TEXT", "", 0, DOT_WORDS, dot_print},
    {".exit", "", "end the shell", "", 0, 0, dot_quit},
    {".explain", "SELECT ...", "the plan of a statement",
     ".explain ANALYZE SELECT increase(cost) BY model SINCE 7d", 1, DOT_WORDS, dot_explain},
    {".help", "[COMMAND]", "this list, or a command with an example", ".help .watch", 0, 1,
     dot_help},
    {".history", "[N]", "the last N statements, 20 without a number", ".history 5", 0, 1,
     dot_history},
    {".last", "[MODE]", "show the last result again, without running it", ".last csv", 0, 1,
     dot_last},
    {".metrics", "", "the metrics there are", "", 0, 0, dot_metrics},
    {".mode", "[MODE]", "how results are shown; alone: the modes there are", ".mode csv", 0, 1,
     dot_mode},
    {".now", "[TIME|clock]", "the time that `now` means", ".now 2026-10-08T08:15:18Z", 0, 1,
     dot_now},
    {".open", "STORE", "go on with another store", ".open /var/lib/varve/team", 1, 1, dot_open},
    {".output", "[FILE]", "results go into FILE; alone: to the terminal again", ".output week.csv",
     0, 1, dot_output},
    {".pager", "[on|off]", "tall results go through $PAGER, else less -S", ".pager off", 0, 1,
     dot_pager},
    {".print", "TEXT", "print TEXT", ".print cost by team", 0, DOT_WORDS, dot_print},
    {".quit", "", "end the shell; so does Ctrl-D", "", 0, 0, dot_quit},
    {".read", "FILE", "run the statements in FILE", ".read report.vql", 1, 1, dot_read},
    {".schema", "[NAME]", "the labels and columns there are, or all about NAME", ".schema cost", 0,
     1, dot_schema},
    {".settings", "", "the session's settings; SHOW SETTINGS has the store's", "", 0, 0,
     dot_settings},
    {".tables", "", "the tables of events there are", "", 0, 0, dot_tables},
    {".timer", "[on|off]", "a line under results: range, rows, time taken", ".timer off", 0, 1,
     dot_timer},
    {".tz", "[ZONE]", "the zone of days, months and the times shown", ".tz Europe/Berlin", 0, 1,
     dot_tz},
    {".watch", "TIME [N] [SELECT]", "run the last or this statement again and again",
     ".watch 5s SELECT increase(cost) AS usd BY model SINCE 1h", 1, DOT_WORDS, watch_run},
    {".width", "[N|auto]", "columns of tables; 0 is any", ".width 120", 0, 1, dot_width},
};
const size_t dot_count = sizeof dots / sizeof dots[0];
enum { DOTS = sizeof dots / sizeof dots[0] };

/* What fingers know from other shells. */
static const struct {
    const char *name, *means;
} habits[] = {
    {"?", "help"},   {"d", "schema"}, {"dt", "tables"}, {"h", "help"},       {"i", "read"},
    {"o", "output"}, {"q", "quit"},   {"s", "history"}, {"timing", "timer"},
};

/* The name may begin with a dot or a backslash, or with neither. */
static const struct dot *find_dot(const char *name)
{
    name += name[0] == '.' || name[0] == '\\';
    for (size_t i = 0; i < sizeof habits / sizeof habits[0]; i++)
        if (strcmp(habits[i].name, name) == 0)
            name = habits[i].means;
    for (size_t i = 0; i < DOTS; i++)
        if (strcmp(dots[i].name + 1, name) == 0)
            return &dots[i];
    return NULL;
}

static enum exit_status unknown(const char *word)
{
    const char *names[DOTS], *nearest;
    char name[32];
    bool has_dot = word[0] == '.' || word[0] == '\\';
    snprintf(name, sizeof name, ".%.30s", word + has_dot);
    for (size_t i = 0; i < DOTS; i++)
        names[i] = dots[i].name;
    nearest = text_nearest(name, names, DOTS);
    if (nearest)
        fprintf(stderr, "error: unknown command '%s' (did you mean '%s'?)\n", word, nearest);
    else
        fprintf(stderr, "error: unknown command '%s'; .help lists them\n", word);
    return EXIT_FAILED;
}

static enum exit_status dot_help(struct session *s, const struct dot_words *w)
{
    if (w->count == 1) {
        const struct dot *dot = find_dot(w->words[0]);
        if (!dot)
            return unknown(w->words[0]);
        fprintf(s->out, "%s %s\n  %s\n", dot->name, dot->usage, dot->help);
        if (dot->example[0])
            fprintf(s->out, "  such as: %s\n", dot->example);
        return EXIT_DONE;
    }
    for (size_t i = 0; i < DOTS; i++)
        fprintf(s->out, "%-9s %-17s %s\n", dots[i].name, dots[i].usage, dots[i].help);
    fputs("\nStatements end with a semicolon:\n"
          "  SELECT increase(cost) AS usd BY model SINCE 7d;\n"
          "  SELECT increase(tokens) SINCE 30d EVERY day;\n"
          "  SHOW METRICS;  SHOW TABLES;  SHOW LABELS OF cost;  DESCRIBE cost;\n",
          s->out);
    return EXIT_DONE;
}

enum exit_status dot_run(struct session *s, struct varve_str line)
{
    char *rest = NULL;
    struct dot_words w = {.count = -1};
    char *copy = strndup(line.data, line.size);
    if (!copy)
        return problem("...", "needs more memory than there is");
    char *name = strtok_r(copy, " \t\r\n", &rest);
    size_t at = strlen(name);
    while (at < line.size && strchr(" \t\r\n", line.data[at]))
        at++;
    w.rest = (struct varve_str){line.data + at, line.size - at};
    for (char *word = rest; word && ++w.count < DOT_WORDS;)
        w.words[w.count] = word = strtok_r(NULL, " \t\r\n", &rest);
    w.count = w.count < 0 ? 0 : w.count;
    const struct dot *dot = find_dot(name);
    /* A semicolon at the end is a habit, not a mistake. */
    if (w.count > 0 && dot && dot->most < DOT_WORDS) {
        char *last = w.words[w.count - 1];
        size_t size = strlen(last);
        if (last[size - 1] == ';')
            last[size - 1] = '\0';
        w.count -= size == 1 && !last[0];
    }
    enum exit_status status = EXIT_FAILED;
    if (!dot)
        status = unknown(name);
    else if (w.count < dot->least || w.count > dot->most)
        fprintf(stderr, "error: usage: %s %s\n", dot->name, dot->usage);
    else
        status = dot->run(s, &w);
    free(copy);
    return status;
}
