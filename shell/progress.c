/* SPDX-License-Identifier: Apache-2.0
 *
 * progress.c -- draws the bar: [=====>      ]  42 %   310.2 MB  88 MB/s  0:05 left  name
 *
 * or                    [=====>      ]  42 %   1,204,771 rows read  1.3 s  Ctrl-C stops it
 *
 * One line, rewritten from its beginning; what is too long for the terminal is cut
 * from its end.
 */
#include "progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "text.h"

#define BAR 24
#define INTERVAL INT64_C(100000000)
#define SECOND INT64_C(1000000000)

static int64_t monotonic(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * SECOND + t.tv_nsec;
}

void progress_begin(struct progress *progress, uint64_t total, bool quiet)
{
    const char *term = getenv("TERM");
    struct winsize size;
    *progress = (struct progress){.total = total, .began = monotonic(), .width = 80};
    progress->last = progress->began;
    progress->shown = !quiet && isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0;
    if (progress->shown && ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        progress->width = size.ws_col;
}

static void draw_bar(char bar[BAR + 3], double part)
{
    int full = (int)(part * BAR);
    bar[0] = '[';
    memset(bar + 1, ' ', BAR);
    memset(bar + 1, '=', (size_t)full);
    if (full < BAR)
        bar[1 + full] = '>';
    bar[BAR + 1] = ']';
    bar[BAR + 2] = '\0';
}

void progress_show(struct progress *progress, uint64_t done, const char *what)
{
    bool known = progress->total > 0;
    progress_part(progress, done, known ? (double)done / (double)progress->total : -1, what);
}

/* Whether it is time to draw. */
static bool is_due(struct progress *progress, double *seconds)
{
    int64_t now = monotonic();
    *seconds = (double)(now - progress->began) / 1e9;
    if (!progress->shown || now - progress->began < progress->delay ||
        now - progress->last < INTERVAL)
        return false;
    progress->last = now;
    return true;
}

/* The bar if the part is known, the figures, and of `what` as much as there is room for. */
static void draw(struct progress *progress, double part, const char *figures, const char *what)
{
    char line[256], bar[BAR + 3];
    int size;
    part = part > 1 ? 1 : part;
    if (part >= 0) {
        draw_bar(bar, part);
        size = snprintf(line, sizeof line, "%s %3d %%  %s  ", bar, (int)(100 * part), figures);
    } else {
        size = snprintf(line, sizeof line, "%s  ", figures);
    }
    int columns = progress->width - 3; /* the terminal may write ^C behind it */
    int room = columns - size;
    fprintf(stderr, "\r%.*s%.*s\033[K", columns > 0 ? columns : 0, line, room > 0 ? room : 0, what);
    fflush(stderr);
    progress->drawn = true;
}

void progress_part(struct progress *progress, uint64_t done, double part, const char *what)
{
    char figures[128];
    double seconds, mb = (double)done / 1e6;
    if (!is_due(progress, &seconds))
        return;
    int size = snprintf(figures, sizeof figures, "%.1f MB  %.0f MB/s", mb, mb / seconds);
    if (part >= 0) {
        int left = part > 0 ? (int)(seconds / part - seconds) : 0;
        snprintf(figures + size, sizeof figures - (size_t)size, "  %d:%02d left", left / 60,
                 left % 60);
    }
    draw(progress, part, figures, what);
}

void progress_rows(struct progress *progress, uint64_t rows, double part)
{
    char figures[128], number[TEXT_NUMBER];
    double seconds;
    if (!is_due(progress, &seconds))
        return;
    int size = 0;
    if (rows > 0)
        size = snprintf(figures, sizeof figures, "%s rows read  ", text_count(rows, number));
    snprintf(figures + size, sizeof figures - (size_t)size, "%.1f s", seconds);
    draw(progress, part, figures, "Ctrl-C stops it");
}

void progress_end(struct progress *progress)
{
    if (progress->drawn)
        fputs("\r\033[K", stderr);
    progress->drawn = false;
}
