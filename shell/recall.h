/* SPDX-License-Identifier: Apache-2.0
 *
 * recall.h -- the statements of earlier days: a file of the user's, an entry a line.
 *
 * An entry is a whole statement, however many lines it has.  Entries are appended as they
 * are made, so several shells share the file and none loses what another wrote.
 */
#ifndef SHELL_RECALL_H
#define SHELL_RECALL_H

#include <stdbool.h>
#include <stddef.h>
#include "varve.h"

struct recall {
    char **entries; /* oldest first */
    size_t count, capacity;
    char path[4096]; /* empty: nothing is kept on disk */
};

/* Reads $XDG_STATE_HOME/varve/history, else ~/.local/state/varve/history.  A file that cannot be
 * read or written costs the history and nothing else. */
void recall_load(struct recall *list);
/* False if it is not kept: empty, the same as the one before, or too long. */
bool recall_add(struct recall *list, struct varve_str entry);
void recall_free(struct recall *list);

#endif
