/* SPDX-License-Identifier: Apache-2.0
 *
 * session.h -- a store, the way results are shown, and statements run one after the other.
 *
 * The same for all ways in: -c, scripts, a pipe, the interactive shell.  Results go to
 * session->out, errors with a caret under their place to standard error.
 */
#ifndef SHELL_SESSION_H
#define SHELL_SESSION_H

#include <signal.h>
#include "args.h"
#include "command.h"
#include "kept.h"
#include "output.h"
#include "pager.h"
#include "progress.h"

struct editor;

struct session {
    const struct args *args;
    varve *db;
    char path[4096]; /* of the store, once it is known */
    struct style style;
    varve_zone *local; /* of style */
    struct varve_run_options options;
    char zone[128];
    FILE *out; /* standard output, or what .output says */
    bool out_is_file;
    char out_path[4096];
    bool interactive; /* a person is there: footers, colours, no end at the first error */
    bool footer, keep_going;
    bool is_paged;  /* tall results go through a pager */
    bool has_width; /* .width has set it */
    bool quit;
    int height, columns; /* of the terminal; 0: not one */
    struct pager pager;
    struct progress progress; /* of the statement that runs */
    struct rows running;      /* its rows */
    bool is_telling;          /* how far it is may be shown */
    bool is_out_of_the_way;   /* also while rows are written: they go into a file */
    struct kept last;         /* the last result */
    char *last_text;          /* the statement it came from; NULL: none */
    struct editor *editor;    /* NULL: not interactive */
    const char *script;       /* the file that is run, for messages; NULL: none */
    size_t line;              /* in the script, of the statement at hand; from 1 */
    int depth;                /* of .read in .read */
};

/* Takes the options of the command line.  Anything but EXIT_DONE comes after a message. */
enum exit_status session_begin(struct session *session, const struct args *args, bool interactive);
void session_end(struct session *session);

/* Which store: fills session->path. */
enum exit_status session_place(struct session *session);
/* Opens the store when the first statement needs it. */
enum exit_status session_open(struct session *session);
/* The zone of calendars and of the times that are shown. */
enum exit_status session_zone(struct session *session, const char *name);
/* Looks again how large the terminal is. */
void session_window(struct session *session);
/* Rows that are there already, in the mode of the session. */
enum exit_status session_show(struct session *session, const struct rows *rows);

/* One statement, or one command that begins with a dot. */
enum exit_status session_run(struct session *session, struct varve_str text);
/* All statements of a text; stops at the first that fails unless keep_going.  *used: bytes that
 * have been run; at the end of the input what has no semicolon is run as well. */
enum exit_status
session_text(struct session *session, struct varve_str text, bool is_end, size_t *used);
/* A whole file; "-" is standard input. */
enum exit_status session_file(struct session *session, const char *path);

/* "error: ...", with the line and a caret under the place. */
void session_error(const struct session *session, struct varve_str text,
                   const struct varve_spot *spot, const struct varve_err *err);

/* Set by SIGINT, looked at while statements run; whoever acts on it clears it. */
extern volatile sig_atomic_t session_interrupted;

/* shell/dot.c: a line that begins with a dot. */
enum exit_status dot_run(struct session *session, struct varve_str line);

enum exit_status cmd_statements(const struct args *args);

#endif
