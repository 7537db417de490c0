/* SPDX-License-Identifier: Apache-2.0
 *
 * text.c -- numbers, times and names as people and programs read them.
 *
 * A person at a terminal gets thousands separators; a pipe gets digits that
 * any program reads back exactly.  Everything else is the same for both.
 */
#include "text.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "cell.h"

const char *text_count(uint64_t value, char text[TEXT_NUMBER])
{
    char digits[TEXT_NUMBER];
    size_t size = (size_t)snprintf(digits, sizeof digits, "%llu", (unsigned long long)value);
    if (!isatty(STDOUT_FILENO))
        return memcpy(text, digits, size + 1);
    char *to = text;
    for (size_t i = 0; i < size; i++) {
        if (i && (size - i) % 3 == 0)
            *to++ = ',';
        *to++ = digits[i];
    }
    *to = '\0';
    return text;
}

const char *text_time(int64_t instant, char text[TEXT_TIME])
{
    const int64_t second = INT64_C(1000000000);
    int64_t nanos = instant % second;
    if (nanos < 0)
        nanos += second;
    time_t seconds = (time_t)((instant - nanos) / second);
    if (instant < INT64_MIN + second) /* where instant - nanos does not fit */
        seconds = (time_t)(instant / second - 1);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    size_t size = strftime(text, TEXT_TIME, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(text + size, TEXT_TIME - size, ".%03dZ", (int)(nanos / 1000000));
    return text;
}

static size_t min3(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;
    return least < c ? least : c;
}

#define WORD 24 /* longer words are not mistyped names of ours */

/* How many letters to add, drop or change to get from one word to the other. */
static size_t edits(const char *a, const char *b)
{
    size_t row[WORD + 1];
    size_t width = strlen(b);
    for (size_t j = 0; j <= width; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= width; j++) {
            size_t above = row[j];
            row[j] = min3(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
            diagonal = above;
        }
    }
    return row[width];
}

const char *text_nearest(const char *word, const char *const *names, size_t count)
{
    const char *nearest = NULL;
    size_t least = 3;
    if (strlen(word) > WORD)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        size_t distance = edits(word, names[i]);
        if (distance < least && distance * 2 < strlen(word)) {
            least = distance;
            nearest = names[i];
        }
    }
    return nearest;
}

void text_words(FILE *stream, struct varve_str text, int columns, int indent)
{
    int column = 0;
    for (size_t at = 0; at < text.size;) {
        size_t blanks = 0, size = 0;
        while (at + blanks < text.size && text.data[at + blanks] == ' ')
            blanks++;
        while (at + blanks + size < text.size && text.data[at + blanks + size] != ' ')
            size++;
        int width = text_width((struct varve_str){text.data + at + blanks, size});
        bool is_full = columns > 0 && column > indent && column + (int)blanks + width > columns;
        if (is_full)
            fprintf(stream, "\n%*s", indent, "");
        else
            fprintf(stream, "%*s", (int)blanks, "");
        fwrite(text.data + at + blanks, 1, size, stream);
        column = (is_full ? indent : column + (int)blanks) + width;
        at += blanks + size;
    }
}

void text_error(const struct varve_err *err)
{
    char whole[sizeof err->place + sizeof err->message + 16];
    struct winsize window;
    const char *message = err->message[0] ? err->message : varve_status_text(err->status);
    bool has_place = err->place[0] != '\0';
    snprintf(whole, sizeof whole, "error: %s%s%s", has_place ? err->place : "",
             has_place ? ": " : "", message);
    bool is_known = isatty(STDERR_FILENO) && ioctl(STDERR_FILENO, TIOCGWINSZ, &window) == 0;
    text_words(stderr, varve_str(whole), is_known ? window.ws_col : 0, 7);
    fputc('\n', stderr);
}
