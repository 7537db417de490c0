/* SPDX-License-Identifier: Apache-2.0
 *
 * editor.h -- lines typed on a terminal.
 *
 * All that the shell knows of editing: it asks for a line and gets one, or an end, or an
 * interruption.  Behind it is libedit, or plain reading where there is none or the terminal can
 * do no better; another editor could take its place.
 */
#ifndef SHELL_EDITOR_H
#define SHELL_EDITOR_H

#include <signal.h>
#include "recall.h"

enum editor_got {
    EDITOR_LINE,
    EDITOR_END,         /* Ctrl-D, or the terminal is gone */
    EDITOR_INTERRUPTED, /* Ctrl-C */
    EDITOR_FAILED       /* no memory, after a message */
};

/* The words that may stand where the cursor is, and where in the line the word begins that they
 * would replace.  `more`: there are others that were not listed. */
struct editor_words {
    char **words;
    size_t count, capacity;
    size_t from, more;
};
/* False: no memory; the word is copied. */
bool editor_offer(struct editor_words *words, struct varve_str word);

struct editor_hooks {
    /* Fills `words` for the line up to the cursor.  NULL: no completion. */
    void (*complete)(void *context, struct varve_str line, struct editor_words *words);
    void *context;
};

struct editor;
/* NULL: no memory. */
struct editor *editor_open(const struct editor_hooks *hooks);
void editor_close(struct editor *editor); /* NULL is fine */

/* *line is good until the next call and has no newline at its end; after a paste it may have some
 * inside.  After an interruption it is what had been typed.  Never runs anything: a paste comes
 * back when Enter is pressed, as one line. */
enum editor_got editor_read(struct editor *editor, const char *prompt, struct varve_str *line);
void editor_remember(struct editor *editor, struct varve_str entry);
const struct recall *editor_history(const struct editor *editor);

/* Set by SIGWINCH; whoever acts on it clears it. */
extern volatile sig_atomic_t editor_resized;

#endif
