/* SPDX-License-Identifier: Apache-2.0
 *
 * pager.h -- results that are taller than the terminal go through $PAGER, else less -S.
 */
#ifndef SHELL_PAGER_H
#define SHELL_PAGER_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

struct pager {
    FILE *stream; /* NULL: not in use */
    char *held;   /* what came before it was known to be too tall */
    size_t size, capacity;
    int lines, height;
    pid_t child; /* 0: not started */
    int pipe;
    bool closed; /* the reader has left */
};

/* A stream to write a result to; NULL if there is no pager or no memory. */
FILE *pager_begin(struct pager *pager, int height);
/* Shows what is held, or waits until the reader has left. */
void pager_end(struct pager *pager);

#endif
