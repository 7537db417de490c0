/* SPDX-License-Identifier: Apache-2.0
 *
 * session.c -- runs statements and shows what came of them.
 */
#include "session.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wchar.h>

#include "cell.h"
#include "place.h"
#include "quantity.h"
#include "text.h"
#include "when.h"

/* How much of a line is shown around a mistake. */
enum { SPOT_BEFORE = 400, SPOT_BEHIND = 400 };
/* A statement that takes no longer says nothing of how far it is. */
#define PROGRESS_DELAY INT64_C(500000000)
/* Threads of a statement: unless --threads says otherwise, and whatever it says. */
enum { THREADS_USUAL = 8, THREADS_MOST = 64 };

volatile sig_atomic_t session_interrupted;

static int wants_to_stop(void *context)
{
    const struct session *s = context;
    return session_interrupted != 0 || (s->pager.stream && s->pager.closed);
}

/* ---- how far a statement is ------------------------------------------------------ */

static void tell_progress(void *context, const struct varve_progress *progress)
{
    struct session *s = context;
    double part = -1;
    if (progress->planned > 0)
        part = (double)progress->segments / (double)progress->planned;
    if (s->is_telling)
        progress_rows(&s->progress, progress->rows, part);
}

static void begin_progress(struct session *s)
{
    progress_begin(&s->progress, 0, (s->args->seen & ARG(QUIET)) != 0);
    s->progress.delay = PROGRESS_DELAY;
    s->is_telling = true;
}

/* Nothing of it is on the screen when rows are written, and from then on it keeps out of their way
 * unless they go into a file. */
static enum varve_status
next_told(void *context, const struct varve_cell **cells, size_t *count, struct varve_err *err)
{
    struct session *s = context;
    enum varve_status status = s->running.next(s->running.context, cells, count, err);
    progress_end(&s->progress);
    s->is_telling = s->is_telling && s->is_out_of_the_way;
    return status;
}

static bool is_file(FILE *out)
{
    struct stat about;
    int fd = fileno(out);
    return fd >= 0 && fstat(fd, &about) == 0 && S_ISREG(about.st_mode);
}

/* ---- the options --------------------------------------------------------------- */

static enum exit_status misused(const char *option, const char *value, const char *expected)
{
    fprintf(stderr, "error: %s '%s': expected %s\n", option, value, expected);
    return EXIT_USAGE;
}

static enum exit_status take_mode(struct session *s)
{
    const char *name = ARG_VALUE(s->args, MODE);
    if (name && !output_find(name, &s->style.mode)) {
        fprintf(stderr, "error: unknown mode '%s'; there are", name);
        for (int i = 0; i < OUTPUT_MODES; i++)
            fprintf(stderr, "%s %s", i > 0 ? "," : "", output_formats[i].name);
        fputc('\n', stderr);
        return EXIT_USAGE;
    }
    return EXIT_DONE;
}

/* As many as there are processors. */
static uint64_t usual_threads(void)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    return processors < 1 ? 1 : processors > THREADS_USUAL ? THREADS_USUAL : (uint64_t)processors;
}

static enum exit_status take_limits(struct session *s)
{
    const char *timeout = ARG_VALUE(s->args, TIMEOUT), *rows = ARG_VALUE(s->args, MAX_ROWS);
    const char *memory = ARG_VALUE(s->args, MAX_MEMORY), *now = ARG_VALUE(s->args, NOW);
    const char *threads = ARG_VALUE(s->args, THREADS);
    uint64_t count = usual_threads();
    if (timeout && !quantity_duration(timeout, &s->options.timeout))
        return misused("--timeout", timeout, "a duration such as 30s");
    if (rows && !quantity_count(rows, &s->options.max_rows))
        return misused("--max-rows", rows, "a number");
    if (memory && !quantity_size(memory, &s->options.max_memory))
        return misused("--max-memory", memory, "a size such as 500M");
    if (threads && (!quantity_count(threads, &count) || count == 0 || count > THREADS_MOST))
        return misused("--threads", threads, "a number from 1 to 64");
    s->options.threads = (unsigned)count;
    if (now && !when_parse(now, when_now(), &s->options.now))
        return misused("--now", now, "a time such as 2026-10-08T08:15:18Z");
    return EXIT_DONE;
}

enum exit_status session_zone(struct session *s, const char *name)
{
    struct varve_err err = {.message = ""};
    varve_zone *local;
    if (varve_zone_open(varve_str(name), &local, &err) != VARVE_OK) {
        text_error(&err);
        return EXIT_USAGE;
    }
    varve_zone_free(s->local);
    s->style.local = s->local = local;
    snprintf(s->zone, sizeof s->zone, "%s", name);
    s->options.zone = s->style.zone = varve_str(s->zone);
    return EXIT_DONE;
}

/* NO_COLOR beats CLICOLOR_FORCE and FORCE_COLOR, these a dumb terminal, that what it is. */
static bool wants_colour(bool terminal)
{
    const char *no = getenv("NO_COLOR"), *force = getenv("CLICOLOR_FORCE");
    const char *also = getenv("FORCE_COLOR"), *term = getenv("TERM");
    if (no && *no)
        return false;
    if ((force && *force && strcmp(force, "0") != 0) || (also && *also && strcmp(also, "0") != 0))
        return true;
    return terminal && term && strcmp(term, "dumb") != 0;
}

void session_window(struct session *s)
{
    struct winsize size = {0};
    if (!isatty(STDOUT_FILENO))
        return;
    bool is_known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    s->columns = is_known ? size.ws_col : 80;
    if (!s->has_width)
        s->style.width = s->columns;
    s->height = is_known ? size.ws_row : 24;
}

enum exit_status session_begin(struct session *s, const struct args *args, bool interactive)
{
    bool terminal = isatty(STDOUT_FILENO) != 0;
    *s = (struct session){.args = args, .out = stdout, .interactive = interactive};
    setlocale(LC_CTYPE, "");
    s->style = (struct style){.mode = terminal ? MODE_TABLE : MODE_TSV,
                              .pretty = terminal,
                              .colour = wants_colour(terminal),
                              .utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
                              .null = terminal ? "-" : "NULL"};
    if (!s->style.utf8 && !terminal) /* widths have to be known all the same */
        s->style.utf8 = setlocale(LC_CTYPE, "C.UTF-8") != NULL;
    s->footer = terminal;
    s->keep_going = (args->seen & ARG(KEEP_GOING)) != 0;
    s->is_paged = interactive;
    s->options.stop = wants_to_stop;
    s->options.stop_context = s;
    s->options.progress = tell_progress;
    s->options.progress_context = s;
    session_window(s);
    enum exit_status status = take_mode(s);
    if (status == EXIT_DONE)
        status = take_limits(s);
    const char *zone = ARG_VALUE(args, TZ);
    return status == EXIT_DONE ? session_zone(s, zone ? zone : "UTC") : status;
}

void session_end(struct session *s)
{
    if (s->out_is_file)
        fclose(s->out);
    kept_clear(&s->last);
    free(s->last_text);
    varve_zone_free(s->local);
    varve_close(s->db);
}

enum exit_status session_place(struct session *s)
{
    if (s->path[0])
        return EXIT_DONE;
    return place_find(s->args, s->path) ? EXIT_DONE : EXIT_USAGE;
}

enum exit_status session_open(struct session *s)
{
    if (s->db)
        return EXIT_DONE;
    enum exit_status status = session_place(s);
    return status == EXIT_DONE ? place_open_path(s->path, 0, &s->db) : status;
}

/* ---- errors ---------------------------------------------------------------------- */

/* Bytes that are no UTF-8 and control characters would spoil the terminal. */
static void put_plain(const char *text, size_t size)
{
    for (size_t at = 0; at < size;) {
        mbstate_t state = {0};
        wchar_t wide;
        size_t n = mbrtowc(&wide, text + at, size - at, &state);
        bool is_bad = n == 0 || n > size - at || wide < 0x20 || (wide >= 0x7f && wide < 0xa0);
        n = is_bad ? 1 : n;
        if (is_bad)
            fputc(text[at] == '\t' || text[at] == '\r' ? ' ' : '?', stderr);
        else
            fwrite(text + at, 1, n, stderr);
        at += n;
    }
}

static bool inside_character(struct varve_str text, size_t at)
{
    return at < text.size && ((unsigned char)text.data[at] & 0xc0) == 0x80;
}

/* The line of the text that holds the spot, with a caret under it; of a long one what is around. */
static void show_spot(struct varve_str text, const struct varve_spot *spot)
{
    size_t at = spot->offset < text.size ? spot->offset : text.size, from = at, until = at;
    while (from > 0 && text.data[from - 1] != '\n' && at - from < SPOT_BEFORE)
        from--;
    while (until < text.size && text.data[until] != '\n' && until - at < SPOT_BEHIND)
        until++;
    while (from < at && inside_character(text, from))
        from++;
    while (until < text.size && inside_character(text, until))
        until++;
    while (from < at && (text.data[from] == ' ' || text.data[from] == '\t'))
        from++;
    size_t end = at + spot->size < until ? at + spot->size : until;
    fputs("  ", stderr);
    put_plain(text.data + from, until - from);
    int before = text_width((struct varve_str){text.data + from, at - from});
    int marked = end > at ? text_width((struct varve_str){text.data + at, end - at}) : 1;
    fprintf(stderr, "\n  %*s^", before, "");
    for (int i = 1; i < marked; i++)
        fputc('~', stderr);
    fputc('\n', stderr);
}

void session_error(const struct session *s, struct varve_str text, const struct varve_spot *spot,
                   const struct varve_err *err)
{
    fflush(s->out);
    if (s->script)
        fprintf(stderr, "%s:%zu: ", s->script, s->line);
    text_error(err);
    if (spot && (spot->size > 0 || spot->offset > 0))
        show_spot(text, spot);
}

/* ---- one statement ----------------------------------------------------------------- */

/* A moment in the session's zone, to the minute. */
static const char *moment(const struct session *s, int64_t instant, char text[TEXT_TIME])
{
    struct varve_local at;
    varve_zone_local(s->local, instant, &at);
    snprintf(text, TEXT_TIME, "%04d-%02d-%02d %02d:%02d", at.year, at.month, at.day, at.hour,
             at.minute);
    return text;
}

static void show_note(const struct session *s, FILE *out, const struct varve_result_info *info)
{
    if (info->note.size == 0)
        return;
    text_words(out, info->note, s->style.width, 0);
    fputc('\n', out);
}

/* "3 rows  2026-10-25 00:00 .. 2026-11-01 00:00 every day Europe/Berlin  raw  1,204 points  4.0
 * ms". */
static void show_footer(const struct session *s, FILE *out, const struct varve_result_info *info)
{
    char line[512], text[TEXT_NUMBER], since[TEXT_TIME], until[TEXT_TIME];
    FILE *to = fmemopen(line, sizeof line, "w");
    if (!to)
        return;
    fprintf(to, "%s row%s", text_count(info->rows, text), info->rows == 1 ? "" : "s");
    if (info->has_range)
        fprintf(to, "  %s .. %s", moment(s, info->since, since), moment(s, info->until, until));
    if (info->bucket.size > 0)
        fprintf(to, " every %.*s", (int)info->bucket.size, info->bucket.data);
    if (info->has_range && info->zone.size > 0)
        fprintf(to, " %.*s", (int)info->zone.size, info->zone.data);
    if (info->has_range || info->points > 0)
        fprintf(to, "  raw  %s points", text_count(info->points, text));
    if (info->runs_from_headers > 0)
        fprintf(to, " + %s runs by header", text_count(info->runs_from_headers, text));
    fprintf(to, "  %.1f ms", (double)info->nanoseconds / 1e6);
    fclose(to);
    fputs(s->style.colour ? "\033[2m" : "", out);
    text_words(out, varve_str(line), s->style.width, 2);
    fputs(s->style.colour ? "\033[0m\n" : "\n", out);
}

/* What an interruption leaves in the stream is nobody's any more, and no error of the stream. */
static enum exit_status interrupted(struct session *s)
{
    if (s->interactive) {
        __fpurge(s->out);
        clearerr(s->out);
    } else {
        fflush(s->out);
    }
    fprintf(stderr, "%s%sinterrupted\n", s->interactive ? "\n" : "",
            s->interactive && s->style.colour ? "\033[0m" : "");
    session_interrupted = 0;
    return EXIT_INTERRUPTED;
}

/* Where a result goes: through the pager if a person may have to scroll. */
static FILE *begin_output(struct session *s)
{
    session_window(s);
    if (!s->interactive || !s->is_paged || s->out != stdout || s->height <= 0)
        return s->out;
    FILE *stream = pager_begin(&s->pager, s->height);
    return stream ? stream : s->out;
}

/* *result may be NULL. */
static enum exit_status
show(struct session *s, struct varve_str text, const struct rows *rows, varve_result *result)
{
    struct varve_err err = {.message = ""};
    struct varve_result_info info = {0};
    FILE *out = begin_output(s);
    enum varve_status ran = output_formats[s->style.mode].write(out, &s->style, rows, &err);
    if (result)
        varve_result_info(result, &info);
    if (ran == VARVE_OK && result && s->footer) {
        show_note(s, out, &info);
        if (rows->column_count > 0)
            show_footer(s, out, &info);
    }
    bool left = s->pager.stream && s->pager.closed;
    if (s->pager.stream) {
        pager_end(&s->pager);
        session_interrupted = 0;
    }
    if (ran == VARVE_OK || left)
        return EXIT_DONE;
    if (ran == VARVE_INTERRUPTED)
        return interrupted(s);
    err.status = ran;
    session_error(s, text, NULL, &err);
    return EXIT_FAILED;
}

enum exit_status session_show(struct session *s, const struct rows *rows)
{
    return show(s, varve_str(""), rows, NULL);
}

static enum exit_status run_statement(struct session *s, struct varve_str text)
{
    struct varve_err err = {.message = ""};
    struct varve_spot spot;
    varve_result *result;
    enum exit_status status = session_open(s);
    if (status != EXIT_DONE)
        return status;
    begin_progress(s);
    enum varve_status ran = varve_run(s->db, text, &s->options, &result, &spot, &err);
    progress_end(&s->progress);
    if (ran == VARVE_INTERRUPTED)
        return interrupted(s);
    if (ran != VARVE_OK) {
        err.status = ran;
        session_error(s, text, &spot, &err);
        return EXIT_FAILED;
    }
    struct rows rows = output_rows(result);
    if (s->interactive && rows.column_count > 0) {
        char *copy = strndup(text.data, text.size);
        free(s->last_text);
        s->last_text = copy;
        rows = kept_record(&s->last, &rows);
    }
    s->running = rows;
    s->is_out_of_the_way = is_file(s->out);
    rows.next = next_told;
    rows.context = s;
    status = show(s, text, &rows, result);
    varve_result_free(result);
    return status;
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

enum exit_status session_run(struct session *s, struct varve_str text)
{
    text = trimmed(text);
    if (text.size == 0 || (text.size == 1 && text.data[0] == ';'))
        return EXIT_DONE;
    return text.data[0] == '.' || text.data[0] == '\\' ? dot_run(s, text) : run_statement(s, text);
}

/* ---- many statements ------------------------------------------------------------------ */

static size_t count_lines(const char *text, size_t size)
{
    size_t n = 0;
    for (size_t i = 0; i < size; i++)
        n += text[i] == '\n';
    return n;
}

/* Only spaces and comments. */
static bool is_blank(struct varve_str text)
{
    size_t i = 0;
    while (i < text.size) {
        if (strchr(" \t\r\n;", text.data[i]))
            i++;
        else if (i + 1 < text.size && text.data[i] == '-' && text.data[i + 1] == '-')
            while (i < text.size && text.data[i] != '\n')
                i++;
        else
            return false;
    }
    return true;
}

/* Where the statement or the line of a command at `from` ends; *complete: it does. */
static size_t find_end(struct varve_str text, size_t from, bool *complete)
{
    int is_complete;
    size_t at = from;
    while (at < text.size && strchr(" \t\r\n", text.data[at]))
        at++;
    if (at < text.size && (text.data[at] == '.' || text.data[at] == '\\')) {
        const char *end = memchr(text.data + at, '\n', text.size - at);
        *complete = end != NULL;
        return end ? (size_t)(end - text.data) + 1 : text.size;
    }
    size_t end = varve_statement_end(text, from, &is_complete);
    *complete = is_complete != 0;
    return end;
}

enum exit_status session_text(struct session *s, struct varve_str text, bool is_end, size_t *used)
{
    enum exit_status worst = EXIT_DONE;
    *used = 0;
    while (*used < text.size && !s->quit) {
        bool complete;
        size_t end = find_end(text, *used, &complete);
        struct varve_str statement = {text.data + *used, end - *used};
        if (!complete && !is_end)
            break;
        size_t blank = 0;
        while (blank < statement.size && strchr(" \t\r\n", statement.data[blank]))
            blank++;
        s->line += count_lines(statement.data, blank);
        enum exit_status status = is_blank(statement) ? EXIT_DONE : session_run(s, statement);
        s->line += count_lines(statement.data + blank, statement.size - blank);
        *used = end;
        if (status == EXIT_DONE)
            continue;
        worst = worst == EXIT_DONE ? status : worst;
        if (!s->keep_going || status == EXIT_INTERRUPTED)
            return status;
    }
    return worst;
}

/* Runs what has come of a stream so far; keeps what is not complete. */
static enum exit_status run_stream(struct session *s, FILE *file, char **text, size_t *size)
{
    enum exit_status worst = EXIT_DONE;
    size_t capacity = 0;
    bool is_end = false;
    *size = 0;
    while (!is_end && !s->quit) {
        if (capacity - *size < 1 << 16) {
            char *larger = realloc(*text, 2 * capacity + (1 << 17));
            if (!larger) {
                fputs("error: out of memory\n", stderr);
                return EXIT_FAILED;
            }
            *text = larger;
            capacity = 2 * capacity + (1 << 17);
        }
        ssize_t n = read(fileno(file), *text + *size, capacity - *size);
        if (n < 0 && errno == EINTR && !session_interrupted)
            continue;
        if (n < 0 && session_interrupted) {
            session_interrupted = 0;
            return EXIT_INTERRUPTED;
        }
        if (n < 0) {
            fprintf(stderr, "error: cannot read: %s\n", strerror(errno));
            return EXIT_FAILED;
        }
        is_end = n == 0;
        *size += (size_t)n;
        size_t used;
        enum exit_status status = session_text(s, (struct varve_str){*text, *size}, is_end, &used);
        worst = worst == EXIT_DONE ? status : worst;
        if (status != EXIT_DONE && (!s->keep_going || status == EXIT_INTERRUPTED))
            return status;
        memmove(*text, *text + used, *size - used);
        *size -= used;
    }
    return worst;
}

enum exit_status session_file(struct session *s, const char *path)
{
    bool is_stdin = strcmp(path, "-") == 0;
    FILE *file = is_stdin ? stdin : fopen(path, "r");
    if (!file) {
        fprintf(stderr, "error: %s: %s\n", path, strerror(errno));
        return EXIT_FAILED;
    }
    const char *outer = s->script;
    size_t outer_line = s->line;
    char *text = NULL;
    size_t size;
    s->script = is_stdin ? outer : path;
    s->line = 1;
    enum exit_status status = run_stream(s, file, &text, &size);
    s->script = outer;
    s->line = outer_line;
    free(text);
    if (!is_stdin)
        fclose(file);
    return status;
}
