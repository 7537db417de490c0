/* SPDX-License-Identifier: Apache-2.0
 *
 * command.c -- the table of commands.
 *
 * One entry a command: its name, what it takes, how it is explained and what
 * runs it.  Dispatch, `varve help`, usage messages and "did you mean" are all
 * read off this table, so they cannot disagree.  docs/varve.1 says the same at
 * more length.
 */
#include "command.h"

#include <stdio.h>
#include <string.h>
#include "text.h"

const struct command commands[] = {
    {.name = "ingest",
     .usage = "[-d STORE] [--format F] [--json] PATH|- ...",
     .summary = "take telemetry in: OTLP, OpenMetrics, Prometheus text",
     .help =
         "A directory is read with all below it, - is standard input.  F is otlp (protobuf "
         "request\n"
         "bodies: one, several behind each other, or each behind its length), otlp-json (request\n"
         "bodies, one a line), openmetrics or prometheus; without it the content tells.  What has\n"
         "been taken before is recognised and not counted twice.  A record that cannot be used is\n"
         "counted with its reason and costs none beside it; a file that cannot be read makes exit\n"
         "status 1, after the others were taken.\n"
         "\n"
         "  --json       print one object: files, batches, points, events, series, duplicates,\n"
         "               rejected, bytes, seconds and more, with the reasons\n"
         "  --now TIME   of samples without a timestamp; else the time of their file\n"
         "  -q, --quiet  no progress on the terminal\n"
         "\n"
         "Prompts, tool input and bodies are kept out unless the store's rules keep them: see\n"
         "'varve help settings'.\n",
     .options = ARG(DB) | ARG(FORMAT) | ARG(JSON) | ARG(NOW) | ARG(QUIET),
     .least = 1,
     .most = WORDS_ANY,
     .run = cmd_ingest},
    {.name = "stats",
     .usage = "[-d STORE] [--json]",
     .summary = "how much is in a store, from when to when, and what it takes on disk",
     .help = "Prints points, events, series, the oldest and newest time and the bytes of all the\n"
             "store's files as they lie on disk.  A series counts once a day it has points in.\n"
             "\n"
             "--json prints one object: points, events, series, bytes, bytes_per_point, oldest,\n"
             "newest (RFC 3339 or null), journal_rows, tiers and a few more.\n",
     .options = ARG(DB) | ARG(JSON),
     .run = cmd_stats},
    {.name = "verify",
     .usage = "[-d STORE]",
     .summary = "read every byte that matters and name all damage",
     .help = "Checks the structure of every file, every checksum and every value, in a process of\n"
             "its own, so that damage which kills the reader is reported too.  Each finding is\n"
             "a line that names the file and the place in it.  Exit status 1 if there is one.\n",
     .options = ARG(DB),
     .run = cmd_verify},
    {.name = "compact",
     .usage = "[-d STORE]",
     .summary = "seal everything and give unused bytes back to the disk",
     .help = "Seals all journal rows and rewrites the files that hold replaced data.  main.mdb\n"
             "shrinks only while no other process has the store open.\n",
     .options = ARG(DB),
     .run = cmd_compact},
    {.name = "seal",
     .usage = "[-d STORE] [--until TIME]",
     .summary = "move journal rows into sorted, compressed columns",
     .help =
         "Seals the days that ended before TIME; without --until all of them.  The store seals\n"
         "by itself as it grows; this is for doing it at a moment of one's choice.  TIME is\n"
         "2026-10-08, 2026-10-08T08:15:18Z, Unix seconds, or an age such as -7d.\n",
     .options = ARG(DB) | ARG(UNTIL),
     .run = cmd_seal},
    {.name = "backup",
     .usage = "[-d STORE] DEST",
     .summary = "copy the store as it is at this moment, while others use it",
     .help = "DEST is a new directory; the copy in it is a store like any other.\n",
     .options = ARG(DB),
     .least = 1,
     .most = 1,
     .run = cmd_backup},
    {.name = "retain",
     .usage = "[-d STORE] BEFORE",
     .summary = "forget the days that ended before a time, for good",
     .help = "Days are dropped whole, and a month's file goes when its last day does.  BEFORE is\n"
             "2026-10-08, 2026-10-08T08:15:18Z, Unix seconds, or an age such as -400d.\n",
     .options = ARG(DB),
     .least = 1,
     .most = 1,
     .run = cmd_retain},
    {.name = "gen",
     .usage = "[options] --out DIR",
     .summary = "write synthetic Claude Code telemetry, the same for the same seed",
     .help =
         "  --days N          how many days, 1 to 3660 (30)\n"
         "  --end DATE        the midnight (UTC) after the last of them (2026-11-01)\n"
         "  --developers N    1 to 100000 (25)\n"
         "  --sessions N      a developer holds on a working day, on average, 1 to 200 (8)\n"
         "  --points N        exports, one a minute, a session makes on average, 1 to 600 (20)\n"
         "  --seed N          another seed is another world (1)\n"
         "  --temporality T   delta (the default) or cumulative\n"
         "  --events          also the events of the log signal\n"
         "  --format F        otlp (the default), otlp-json or openmetrics\n"
         "  --force           write beside files that are not of an earlier run\n"
         "  -q, --quiet       do not say at the end what was written\n"
         "\n"
         "DIR gets several files a day and truth.json: what all totals must be.  OpenMetrics is\n"
         "always cumulative and has no events.\n",
     .options = ARG(OUT) | ARG(DAYS) | ARG(DEVELOPERS) | ARG(SESSIONS) | ARG(POINTS) | ARG(SEED) |
                ARG(END) | ARG(TEMPORALITY) | ARG(EVENTS) | ARG(FORMAT) | ARG(FORCE) | ARG(QUIET),
     .run = cmd_gen},
    {.name = "settings",
     .usage = "[-d STORE] [NAME [VALUE]]",
     .summary = "show or set what a store keeps under a name, such as its rules",
     .help =
         "Without words all settings, with NAME its value, with VALUE set it; '' removes it, and "
         "-\n"
         "reads it from standard input.  `rules` say what ingest keeps, drops and hashes:\n"
         "\n"
         "  drop label user.email            drop table hook_*        drop metric NAME\n"
         "  hash label user.* in tool_result                          keep label prompt in "
         "user_prompt\n"
         "\n"
         "one a line or between semicolons.  The first that matches decides; after them come the\n"
         "built-in ones, which drop prompts, tool input and bodies.  They apply to what is "
         "ingested\n"
         "from then on.\n",
     .options = ARG(DB),
     .most = 2,
     .run = cmd_settings},
    {.name = "export",
     .usage = "[-d STORE] --format otlp-json|openmetrics [--since T] [--until T] [--metric NAME "
              "...] [--out FILE]",
     .summary = "write out what a store holds, so that others and varve ingest can read it",
     .help =
         "otlp-json     request bodies of OTLP, one a line: metrics, events as log records, "
         "spans.\n"
         "              What went in comes out: taken in again, it adds nothing to this store and\n"
         "              makes an equal one of an empty one.\n"
         "openmetrics   metrics as text: one counter a label set, the sum of all that counted for\n"
         "              it.  Events are left out, which is said.\n"
         "\n"
         "  --since T, --until T   only what lies in that range: 2026-10-08, RFC 3339, Unix\n"
         "                         seconds or an age such as -7d\n"
         "  --metric NAME          only this metric, and no events; may be repeated\n"
         "  --out FILE             into FILE, which is replaced when all is written\n"
         "  -q, --quiet            no progress bar\n",
     .options =
         ARG(DB) | ARG(FORMAT) | ARG(SINCE) | ARG(UNTIL) | ARG(METRIC) | ARG(OUT) | ARG(QUIET),
     .run = cmd_export},
    {.name = "help",
     .usage = "[COMMAND]",
     .summary = "explain the program or one command",
     .help = "Without a command: the list of commands.\n",
     .most = 1,
     .run = cmd_help},
};

const size_t command_count = sizeof commands / sizeof commands[0];

const struct command *command_find(const char *name)
{
    const char *names[sizeof commands / sizeof commands[0]];
    for (size_t i = 0; i < command_count; i++) {
        if (strcmp(name, commands[i].name) == 0)
            return &commands[i];
        names[i] = commands[i].name;
    }
    const char *nearest = text_nearest(name, names, command_count);
    if (nearest)
        fprintf(stderr, "error: unknown command '%s' (did you mean '%s'?)\n", name, nearest);
    else
        fprintf(stderr, "error: unknown command '%s'; 'varve help' lists them\n", name);
    return NULL;
}

enum exit_status command_misused(const struct command *command, const char *problem)
{
    fprintf(stderr, "error: varve %s %s\n  usage: varve %s %s\n", command->name, problem,
            command->name, command->usage);
    return EXIT_USAGE;
}
