/* SPDX-License-Identifier: Apache-2.0
 *
 * dot.h -- the table of the commands of the shell.
 */
#ifndef SHELL_DOT_H
#define SHELL_DOT_H

#include "session.h"

enum { DOT_WORDS = 64 };

/* What stands behind a command's name: as words, and as it was typed. */
struct dot_words {
    char *words[DOT_WORDS + 1];
    int count;
    struct varve_str rest;
};

struct dot {
    const char *name; /* with its dot */
    const char *usage;
    const char *help;    /* one line */
    const char *example; /* may be empty */
    int least, most;     /* words behind the name; DOT_WORDS: any */
    enum exit_status (*run)(struct session *s, const struct dot_words *words);
};
extern const struct dot dots[];
extern const size_t dot_count;

#endif
