/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd_keep.c -- keeping house: `varve compact`, `seal`, `backup` and `retain`.
 *
 * Each opens the store, does one act of the library and says in one line what
 * came of it.  None asks back: what is dropped was named on the command line.
 */
#include <stdio.h>
#include "command.h"
#include "place.h"
#include "text.h"
#include "when.h"

/* Closes the store and turns the outcome into an exit status. */
static enum exit_status finish(varve *db, enum varve_status status, const struct varve_err *err)
{
    varve_close(db);
    if (status == VARVE_OK)
        return EXIT_DONE;
    text_error(err);
    return EXIT_FAILED;
}

/* False after a message. */
static bool parse_time(const char *text, int64_t *instant)
{
    if (when_parse(text, when_now(), instant))
        return true;
    fprintf(stderr,
            "error: '%s' is not a time; expected 2026-10-08, 2026-10-08T08:15:18Z, Unix seconds "
            "or an age such as -7d\n",
            text);
    return false;
}

enum exit_status cmd_compact(const struct args *args)
{
    varve *db;
    struct varve_compacted done;
    struct varve_err err = {0};
    char before[TEXT_NUMBER], after[TEXT_NUMBER];
    enum exit_status opened = place_open(args, 0, &db);
    if (opened != EXIT_DONE)
        return opened;
    enum varve_status status = varve_compact(db, &done, &err);
    if (status == VARVE_OK) {
        printf("%s bytes before, %s bytes after\n", text_count(done.bytes_before, before),
               text_count(done.bytes_after, after));
        if (done.main_skipped)
            fputs("note: another process has the store open, so main.mdb was left as it is\n",
                  stderr);
    }
    return finish(db, status, &err);
}

enum exit_status cmd_seal(const struct args *args)
{
    int64_t until = INT64_MAX;
    varve *db;
    struct varve_sealed done;
    struct varve_err err = {0};
    char days[TEXT_NUMBER], rows[TEXT_NUMBER], bytes[TEXT_NUMBER];
    if (ARG_VALUE(args, UNTIL) && !parse_time(ARG_VALUE(args, UNTIL), &until))
        return EXIT_USAGE;
    enum exit_status opened = place_open(args, VARVE_NO_AUTOSEAL, &db);
    if (opened != EXIT_DONE)
        return opened;
    enum varve_status status = varve_seal(db, until, &done, &err);
    if (status == VARVE_OK)
        printf("%s days sealed: %s rows in %s bytes\n", text_count(done.days, days),
               text_count(done.rows, rows), text_count(done.bytes, bytes));
    return finish(db, status, &err);
}

enum exit_status cmd_backup(const struct args *args)
{
    varve *db;
    struct varve_err err = {0};
    enum exit_status opened = place_open(args, VARVE_RDONLY, &db);
    if (opened != EXIT_DONE)
        return opened;
    enum varve_status status = varve_backup(db, args->words[1], &err);
    if (status == VARVE_OK)
        printf("copied to %s\n", args->words[1]);
    return finish(db, status, &err);
}

enum exit_status cmd_retain(const struct args *args)
{
    int64_t before;
    varve *db;
    struct varve_retained done;
    struct varve_err err = {0};
    char days[TEXT_NUMBER], rows[TEXT_NUMBER], files[TEXT_NUMBER];
    if (!parse_time(args->words[1], &before))
        return EXIT_USAGE;
    enum exit_status opened = place_open(args, 0, &db);
    if (opened != EXIT_DONE)
        return opened;
    enum varve_status status = varve_retain(db, before, &done, &err);
    if (status == VARVE_OK)
        printf("%s days forgotten: %s rows, %s files\n", text_count(done.days, days),
               text_count(done.rows, rows), text_count(done.files, files));
    return finish(db, status, &err);
}
