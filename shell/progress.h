/* SPDX-License-Identifier: Apache-2.0
 *
 * progress.h -- a bar on the terminal that says how far a long piece of work is.
 *
 * Drawn on standard error, a few times a second, and only if that is a
 * terminal; gone when the work is done.  Without a total it shows what has been done and how fast.
 */
#ifndef SHELL_PROGRESS_H
#define SHELL_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    bool shown, drawn;
    uint64_t total; /* bytes; 0: not known */
    int64_t delay;  /* nanoseconds in which nothing is drawn yet; 0 unless set */
    int64_t began, last;
    int width; /* columns of the terminal */
};

void progress_begin(struct progress *progress, uint64_t total, bool quiet);
/* done: bytes; what: the thing at hand, such as a file's name. */
void progress_show(struct progress *progress, uint64_t done, const char *what);
/* The same where the share of the work is not that of the bytes; negative: not known. */
void progress_part(struct progress *progress, uint64_t done, double part, const char *what);
/* The same for a statement that has looked at so many rows of the store. */
void progress_rows(struct progress *progress, uint64_t rows, double part);
void progress_end(struct progress *progress);

#endif
