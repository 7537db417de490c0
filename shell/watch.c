/* SPDX-License-Identifier: Apache-2.0
 *
 * watch.c -- a statement run again and again.
 *
 * On a terminal each result is drawn over the one before: the cursor goes up by the rows that
 * were drawn, as many as they are in the width that the terminal has by now, and the rest of the
 * screen is cleared.  A result that is taller or wider than the terminal is cut to it, with a word
 * about lines that are left out, because what has scrolled away cannot be drawn over.
 * Elsewhere the results come one after the other.  Ctrl-C ends it and is no error.
 */
#include "watch.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cell.h"
#include "quantity.h"
#include "text.h"
#include "when.h"

struct watch {
    int64_t interval;
    uint64_t times; /* 0: until it is interrupted */
    char *text;
    bool in_place;
    int drawn;   /* lines of the result on the terminal */
    int *widths; /* of these */
};

/* False: interrupted. */
static bool wait_for(int64_t nanoseconds)
{
    sigset_t mask, before;
    sigemptyset(&mask);
    sigaddset(&mask, SIGINT);
    sigprocmask(SIG_BLOCK, &mask, &before);
    int64_t until = when_now() + nanoseconds;
    while (!session_interrupted && nanoseconds > 0) {
        struct timespec wait = {.tv_sec = nanoseconds / 1000000000,
                                .tv_nsec = (long)(nanoseconds % 1000000000)};
        if (ppoll(NULL, 0, &wait, &before) == 0)
            break;
        nanoseconds = until - when_now();
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    return !session_interrupted;
}

/* Writes what fits of a line over what was there, and all escape sequences of it.  Answers its
 * columns. */
static int put_line(struct varve_str line, int columns)
{
    int used = 0;
    bool is_full = false;
    fputs("\033[K", stdout);
    for (size_t at = 0, size; at < line.size; at += size) {
        size = 1;
        if (line.data[at] == '\033') {
            while (at + size < line.size && !strchr("mKJH", line.data[at + size - 1]))
                size++;
            fwrite(line.data + at, 1, size, stdout);
            continue;
        }
        while (at + size < line.size && ((unsigned char)line.data[at + size] & 0xc0) == 0x80)
            size++;
        int width = text_width((struct varve_str){line.data + at, size});
        is_full = is_full || used + width > columns;
        used += is_full ? 0 : width;
        if (!is_full)
            fwrite(line.data + at, 1, size, stdout);
    }
    putchar('\n');
    return used;
}

/* How many rows the lines take that were drawn, now that the terminal is so wide. */
static int rows_of(const struct watch *w, int columns)
{
    int rows = 0;
    for (int i = 0; i < w->drawn; i++)
        rows += w->widths[i] > columns ? (w->widths[i] + columns - 1) / columns : 1;
    return rows;
}

static void draw(const struct session *s, struct watch *w, const char *text, size_t size)
{
    int room = s->height > 3 ? s->height - 2 : 1, rest = 0;
    if (w->drawn > 0)
        printf("\033[%dA", rows_of(w, s->columns));
    putchar('\r');
    w->drawn = 0;
    int *widths = realloc(w->widths, (size_t)(room + 1) * sizeof *widths);
    if (!widths)
        return;
    w->widths = widths;
    for (size_t at = 0; at < size;) {
        const char *end = memchr(text + at, '\n', size - at);
        size_t length = end ? (size_t)(end - text) - at : size - at;
        if (w->drawn < room)
            widths[w->drawn++] = put_line((struct varve_str){text + at, length}, s->columns);
        else
            rest++;
        at += length + 1;
    }
    if (rest > 0)
        widths[w->drawn++] = printf("... %d more line%s\033[K\n", rest, rest == 1 ? "" : "s") - 4;
    fputs("\033[J", stdout);
    fflush(stdout);
}

static enum exit_status run_in_place(struct session *s, struct watch *w)
{
    char *text = NULL, now[TEXT_TIME];
    size_t size = 0;
    FILE *out = s->out;
    s->out = open_memstream(&text, &size);
    if (!s->out) {
        s->out = out;
        fputs("error: out of memory\n", stderr);
        return EXIT_FAILED;
    }
    fprintf(s->out, "%.19s  %s\n", text_time(when_now(), now), w->text);
    enum exit_status status = session_run(s, varve_str(w->text));
    fclose(s->out);
    s->out = out;
    session_window(s);
    if (status == EXIT_DONE)
        draw(s, w, text, size);
    free(text);
    return status;
}

static enum exit_status run_watch(struct session *s, struct watch *w)
{
    for (uint64_t i = 0; w->times == 0 || i < w->times; i++) {
        if (i > 0 && !wait_for(w->interval))
            break;
        enum exit_status status =
            w->in_place ? run_in_place(s, w) : session_run(s, varve_str(w->text));
        if (status == EXIT_FAILED || (status == EXIT_INTERRUPTED && !s->interactive))
            return status;
        if (status == EXIT_INTERRUPTED)
            break;
        fflush(s->out);
    }
    if (session_interrupted && !s->interactive)
        return EXIT_INTERRUPTED;
    if (session_interrupted)
        putchar('\n');
    session_interrupted = 0;
    return EXIT_DONE;
}

enum exit_status watch_run(struct session *s, const struct dot_words *words)
{
    struct watch w = {.in_place = s->interactive && s->out == stdout && s->height > 0};
    struct varve_str text = words->rest;
    int given = 1;
    if (!quantity_duration(words->words[0], &w.interval) || w.interval <= 0) {
        fprintf(stderr, "error: '%s' is no duration such as 5s\n", words->words[0]);
        return EXIT_FAILED;
    }
    if (words->count > 1 && quantity_count(words->words[1], &w.times))
        given = 2;
    for (int i = 0; i < given; i++) {
        size_t size = 0;
        while (size < text.size && !strchr(" \t\r\n", text.data[size]))
            size++;
        while (size < text.size && strchr(" \t\r\n", text.data[size]))
            size++;
        text.data += size;
        text.size -= size;
    }
    if (text.size > 0)
        w.text = strndup(text.data, text.size);
    else if (s->last_text)
        w.text = strdup(s->last_text);
    if (!w.text) {
        fputs("error: there is no statement yet; .watch 5s SELECT ...\n", stderr);
        return EXIT_FAILED;
    }
    enum exit_status status = run_watch(s, &w);
    free(w.text);
    free(w.widths);
    return status;
}
