/* SPDX-License-Identifier: Apache-2.0
 *
 * args.h -- the command line, taken apart.
 *
 * Options may stand before or after the command and its words.  Which options a
 * command takes is its own affair: `seen` says which were given.
 */
#ifndef SHELL_ARGS_H
#define SHELL_ARGS_H

#include <stdbool.h>
#include <stdint.h>

/* One line an option: symbol, letter (0: none), whether it takes a value, name.  Values are kept
 * under the symbol's number in `values`. */
#define ARG_MAP(X)                           \
    X(DB, 'd', true, "--db")                 \
    X(JSON, 0, false, "--json")              \
    X(UNTIL, 0, true, "--until")             \
    X(SINCE, 0, true, "--since")             \
    X(HELP, 'h', false, "--help")            \
    X(VERSION, 'V', false, "--version")      \
    X(FORMAT, 0, true, "--format")           \
    X(NOW, 0, true, "--now")                 \
    X(QUIET, 'q', false, "--quiet")          \
    X(VERBOSE, 'v', false, "--verbose")      \
    X(OUT, 0, true, "--out")                 \
    X(METRIC, 0, true, "--metric")           \
    X(DAYS, 0, true, "--days")               \
    X(DEVELOPERS, 0, true, "--developers")   \
    X(SESSIONS, 0, true, "--sessions")       \
    X(POINTS, 0, true, "--points")           \
    X(SEED, 0, true, "--seed")               \
    X(END, 0, true, "--end")                 \
    X(TEMPORALITY, 0, true, "--temporality") \
    X(EVENTS, 0, false, "--events")          \
    X(FORCE, 0, false, "--force")            \
    X(COMMAND, 'c', true, "--command")       \
    X(FILE, 'f', true, "--file")             \
    X(MODE, 'm', true, "--mode")             \
    X(TZ, 0, true, "--tz")                   \
    X(TIMEOUT, 0, true, "--timeout")         \
    X(MAX_ROWS, 0, true, "--max-rows")       \
    X(MAX_MEMORY, 0, true, "--max-memory")   \
    X(THREADS, 0, true, "--threads")         \
    X(KEEP_GOING, 0, false, "--keep-going")  \
    X(NO_RC, 0, false, "--no-rc")

enum arg_number {
#define X(symbol, letter, takes_value, name) ARG_NUMBER_##symbol,
    ARG_MAP(X)
#undef X
        ARG_NUMBERS
};

/* Sets of options are bits: ARG(DB) | ARG(JSON). */
#define ARG(symbol) (UINT64_C(1) << ARG_NUMBER_##symbol)

struct args {
    uint64_t seen;                   /* of ARG() */
    const char *values[ARG_NUMBERS]; /* the last one given; NULL: none */
    const char **metrics;            /* all values of --metric */
    int metric_count;
    const char **statements; /* all of -c and -f, in their order; is_file says which */
    bool *is_file;
    int statement_count;
    const char **words; /* the command and what follows it */
    int count;
};

/* The value of an option, or NULL: ARG_VALUE(args, UNTIL). */
#define ARG_VALUE(args, symbol) ((args)->values[ARG_NUMBER_##symbol])

/* False after a message on standard error: an unknown option, a missing value, no memory. */
bool args_parse(struct args *args, int argc, char **argv);
void args_free(struct args *args);
/* The long name of an option, such as "--json". */
const char *args_option_name(uint64_t option);

#endif
