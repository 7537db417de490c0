/* SPDX-License-Identifier: Apache-2.0
 *
 * interactive.c -- the shell as a person has it: lines become statements, statements are run.
 *
 * Lines are collected until a semicolon ends the statement; a line that begins with a dot is a
 * command at once.  An error ends a statement and never the shell.  Ctrl-C forgets what has been
 * typed, or stops what runs.  What cannot be done at the start (a store that is not there, a
 * rc file that fails) is said, and the shell starts all the same.
 */
#include "interactive.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "completion.h"
#include "editor.h"
#include "text.h"

/* What has been typed of the statement at hand. */
struct typed {
    struct session *session;
    char *text;
    size_t size, capacity;
};

static bool append(struct typed *t, struct varve_str line)
{
    if (t->size + line.size + 2 > t->capacity) {
        size_t capacity = 2 * t->capacity + line.size + 256;
        char *larger = realloc(t->text, capacity);
        if (!larger) {
            fputs("error: out of memory\n", stderr);
            return false;
        }
        t->text = larger;
        t->capacity = capacity;
    }
    memcpy(t->text + t->size, line.data, line.size);
    t->size += line.size;
    t->text[t->size] = '\0';
    return true;
}

static struct varve_str trimmed(struct varve_str text)
{
    while (text.size > 0 && strchr(" \t\r\n", text.data[0])) {
        text.data++;
        text.size--;
    }
    while (text.size > 0 && strchr(" \t\r\n", text.data[text.size - 1]))
        text.size--;
    return text;
}

/* ---- the start ---------------------------------------------------------------------- */

static void greet(struct session *s)
{
    struct varve_stats stats;
    struct varve_err err;
    struct stat there;
    char points[TEXT_NUMBER], events[TEXT_NUMBER], from[TEXT_TIME], until[TEXT_TIME];
    if (session_place(s) != EXIT_DONE)
        return;
    if (stat(s->path, &there) != 0 && errno == ENOENT)
        printf("varve %s: there is no store at %s yet.\n"
               "'varve ingest -d %s PATH' makes one, .open STORE takes another.\n",
               varve_version(), s->path, s->path);
    else if (session_open(s) != EXIT_DONE)
        printf("varve %s: .open STORE takes another store.\n", varve_version());
    else if (varve_stats(s->db, &stats, &err) != VARVE_OK)
        printf("varve %s: %s\n", varve_version(), s->path);
    else if (stats.oldest > stats.newest)
        printf("varve %s: %s is empty; 'varve ingest -d %s PATH' fills it.\n", varve_version(),
               s->path, s->path);
    else
        printf("varve %s: %s, %.10s to %.10s, %s points, %s events.\n", varve_version(), s->path,
               text_time(stats.oldest, from), text_time(stats.newest, until),
               text_count(stats.points, points), text_count(stats.events, events));
    puts("Statements end with a semicolon; .help lists commands, Ctrl-D leaves.");
}

static void run_rc(struct session *s)
{
    char path[4096];
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    if (config && config[0] == '/')
        snprintf(path, sizeof path, "%s/varve/rc", config);
    else if (home && home[0])
        snprintf(path, sizeof path, "%s/.config/varve/rc", home);
    else
        return;
    if (access(path, F_OK) == 0)
        session_file(s, path);
}

/* ---- completion ------------------------------------------------------------------------ */

static void complete(void *context, struct varve_str line, struct editor_words *words)
{
    struct typed *t = context;
    size_t before = t->size;
    if (!append(t, line))
        return;
    completion_find(t->session, (struct varve_str){t->text, t->size}, words);
    t->size = before;
    words->from = words->from > before ? words->from - before : 0;
}

/* ---- lines ------------------------------------------------------------------------------- */

/* People type these as they are; none of them begins a statement. */
static bool is_farewell(struct varve_str line)
{
    static const char *const words[] = {"exit", "quit", "exit;", "quit;", "\\q", ":q"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strlen(words[i]) == line.size && memcmp(words[i], line.data, line.size) == 0)
            return true;
    return false;
}

/* "help", "help watch", "?": no statement begins like that. */
static bool is_help(struct varve_str line)
{
    return (line.size >= 4 && memcmp(line.data, "help", 4) == 0 &&
            (line.size == 4 || line.data[4] == ' ' || line.data[4] == ';')) ||
           (line.size == 1 && line.data[0] == '?');
}

static void run_help(struct session *s, struct varve_str line)
{
    char text[80] = ".help";
    if (line.size > 5 && line.size < 60 && line.data[4] == ' ')
        snprintf(text, sizeof text, ".help %.*s", (int)line.size - 5, line.data + 5);
    session_run(s, varve_str(text));
}

/* Runs what is complete of what was typed and keeps the rest. */
static void run_typed(struct typed *t)
{
    struct session *s = t->session;
    size_t used = 0;
    bool keep_going = s->keep_going;
    s->keep_going = true; /* of several in one paste each is the person's wish */
    s->line = 1;
    session_interrupted = 0;
    enum exit_status status = session_text(s, (struct varve_str){t->text, t->size}, false, &used);
    s->keep_going = keep_going;
    session_interrupted = 0;
    fflush(s->out);
    struct varve_str entry = trimmed((struct varve_str){t->text, used});
    if (entry.size > 0)
        editor_remember(s->editor, entry);
    if (status == EXIT_INTERRUPTED)
        used = t->size;
    memmove(t->text, t->text + used, t->size - used);
    t->size -= used;
    if (trimmed((struct varve_str){t->text, t->size}).size == 0)
        t->size = 0;
}

/* False: no memory. */
static bool take_line(struct typed *t, struct varve_str line)
{
    struct varve_str word = trimmed(line);
    if (t->size == 0 && is_farewell(word)) {
        t->session->quit = true;
        return true;
    }
    if (t->size == 0 && is_help(word)) {
        run_help(t->session, word);
        return true;
    }
    if (t->size > 0 && word.size == 0)
        puts("a semicolon ends the statement, Ctrl-C forgets it.");
    if (!append(t, line) || !append(t, varve_str("\n")))
        return false;
    run_typed(t);
    return true;
}

static void read_lines(struct typed *t)
{
    struct varve_str line;
    struct session *s = t->session;
    while (!s->quit) {
        enum editor_got got = editor_read(s->editor, t->size > 0 ? "   ...> " : "varve> ", &line);
        if (got == EDITOR_INTERRUPTED) {
            if (t->size == 0 && trimmed(line).size == 0)
                puts(".quit or Ctrl-D leaves the shell.");
            t->size = 0;
            continue;
        }
        if (got == EDITOR_END)
            putchar('\n');
        if (got != EDITOR_LINE || !take_line(t, line))
            break;
    }
}

static void resized(int number)
{
    (void)number;
    editor_resized = 1;
}

enum exit_status interactive_run(struct session *s)
{
    struct typed typed = {.session = s};
    struct editor_hooks hooks = {.complete = complete, .context = &typed};
    struct sigaction action = {.sa_handler = resized, .sa_flags = SA_RESTART};
    sigaction(SIGWINCH, &action, NULL);
    signal(SIGPIPE, SIG_IGN); /* a pager may leave early */
    if (!(s->args->seen & ARG(QUIET)))
        greet(s);
    if (!(s->args->seen & ARG(NO_RC)))
        run_rc(s);
    s->editor = editor_open(&hooks);
    if (!s->editor) {
        fputs("error: out of memory\n", stderr);
        return EXIT_FAILED;
    }
    read_lines(&typed);
    editor_close(s->editor);
    s->editor = NULL;
    free(typed.text);
    return EXIT_DONE;
}
