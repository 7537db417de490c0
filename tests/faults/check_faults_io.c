/* SPDX-License-Identifier: Apache-2.0
 *
 * check_faults_io.c -- the disk refuses the first, the second, ... operation of a working day.
 *
 * Two days are tried: one that makes a store, and one that opens a store with sealed days and a
 * journal and appends, seals, appends late data, forgets and compacts.  Every operation of them
 * on a file fails in turn: with EIO, for want of room, or after half of a write; once, or from
 * then on until the fault is taken away.
 *
 * A step that fails must say so with a status for it.  What is in the store is then what
 * was acknowledged, or that and the batch under way.  When the fault is gone the same handle
 * must do the step (every other time the store is closed and opened first), and in the
 * end everything is there once and varve_verify finds nothing.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "check_faults.h"
#include "files.h"
#include "io_fault.h"
#include "workload.h"

enum { BASE_BATCHES = 17, LAST_BATCH = 24 };

enum step { STEP_OPEN, STEP_APPEND, STEP_HOUSE, STEP_COMPACT, STEP_SEAL, STEP_END };
static const char *const step_names[] = {"open", "append", "house", "compact", "seal"};

struct day {
    const struct fault_run *run;
    const char *name;
    enum io_fault_mode mode;
    char directory[FILES_PATH + 8], path[FILES_PATH + 20]; /* the store lies in the directory */
    const enum step *steps;
    uint64_t from; /* the last batch that is there at the start */
    bool reopens;

    varve *db;
    uint64_t acked;
    uint64_t failures;
    const char *text; /* of the fault */
};

static const enum step first_day[] = {STEP_OPEN,   STEP_APPEND,  STEP_APPEND, STEP_SEAL,
                                      STEP_APPEND, STEP_COMPACT, STEP_END};
static const enum step later_day[] = {
    STEP_OPEN,  STEP_APPEND, STEP_HOUSE,  STEP_APPEND, STEP_HOUSE,   STEP_APPEND, STEP_APPEND,
    STEP_HOUSE, STEP_APPEND, STEP_APPEND, STEP_HOUSE,  STEP_COMPACT, STEP_APPEND, STEP_END};

static enum varve_status take_step(struct day *day, enum step step, struct varve_err *err)
{
    struct varve_options options = {.flags = VARVE_CREATE};
    enum varve_status status = VARVE_OK;
    if (!day->db) {
        status = varve_open(day->path, &options, &day->db, err);
        if (status != VARVE_OK || step == STEP_OPEN)
            return status;
    }
    switch (step) {
    case STEP_APPEND:
        status = work_append(day->db, day->acked + 1, err);
        day->acked += status == VARVE_OK;
        return status;
    case STEP_HOUSE:
        return work_house(day->db, day->acked, err);
    case STEP_COMPACT:
        return varve_compact(day->db, NULL, err);
    case STEP_SEAL:
        return varve_seal(day->db, INT64_MAX, NULL, err);
    default:
        return VARVE_OK;
    }
}

static bool is_clean(const struct varve_err *err)
{
    return (err->status == VARVE_IO || err->status == VARVE_FULL) && err->place[0] &&
           err->message[0];
}

static bool complain(const struct day *day, enum step step, const char *what, const char *text)
{
    fault_say(day->run, "%s, %s, at the step '%s': %s: %s; ", day->name, io_fault_text(),
              step_names[step], what, text);
    return false;
}

/* What is there now, through the same handle.  While the disk still fails it may fail, too. */
static bool look(struct day *day, enum step step, bool failing)
{
    char text[GUARD_TEXT];
    struct varve_err err = {0};
    uint64_t last;
    if (!day->db)
        return true;
    enum work_verdict verdict = work_check(day->db, day->acked, &last, text, &err);
    if (verdict == WORK_RIGHT || (failing && verdict == WORK_ERROR && is_clean(&err)))
        return true;
    return complain(day, step, failing ? "read while failing" : "read after it", text);
}

/* The step failed: look, end the fault if it does not end by itself, and try again. */
static bool recover(struct day *day, enum step step, struct varve_err *err)
{
    char text[GUARD_TEXT];
    work_error_text(step_names[step], err, text);
    day->failures++;
    if (io_fault_fired() == 0)
        return complain(day, step, "it failed without a fault", text);
    if (!is_clean(err))
        return complain(day, step, "it failed, but not cleanly", text);
    if (!look(day, step, true))
        return false;
    io_fault_disarm();
    if (day->reopens) {
        varve_close(day->db);
        day->db = NULL;
    }
    *err = (struct varve_err){.status = VARVE_OK};
    enum varve_status status = take_step(day, step, err);
    if (status == VARVE_OK)
        return look(day, step, false);
    work_error_text(step_names[step], err, text);
    return complain(day, step, "with the fault gone it fails still", text);
}

static bool finish(struct day *day)
{
    char text[GUARD_TEXT] = "";
    uint64_t last = 0;
    bool good = look(day, STEP_END - 1, false);
    varve_close(day->db);
    day->db = NULL;
    if (good && work_check_store(day->path, VARVE_RDONLY, day->acked, &last, text) != WORK_RIGHT)
        good = complain(day, STEP_OPEN, "read at the end", text);
    if (good && last != day->acked)
        good = complain(day, STEP_OPEN, "read at the end", "a batch came back");
    if (good && !work_verify(day->path, text))
        good = complain(day, STEP_OPEN, "at the end", text);
    return good;
}

/* One working day with the nth operation refused. */
static bool live_through(struct day *day)
{
    struct varve_err err = {0};
    bool good = true;
    day->db = NULL;
    day->acked = day->from;
    for (const enum step *step = day->steps; good && *step != STEP_END; step++)
        if (take_step(day, *step, &err) != VARVE_OK)
            good = recover(day, *step, &err);
    io_fault_disarm();
    return finish(day) && good;
}

static bool make_base(const char *path)
{
    struct varve_options options = {.flags = VARVE_CREATE};
    uint64_t done = 0;
    varve *db;
    if (varve_open(path, &options, &db, NULL) != VARVE_OK)
        return false;
    enum varve_status status = work_run(db, 1, BASE_BATCHES, &done, NULL);
    varve_close(db);
    return status == VARVE_OK;
}

static void set_up(const struct day *day, const char *base)
{
    files_remove(day->directory);
    if (mkdir(day->directory, 0700) != 0)
        abort();
    if (base)
        files_copy(base, day->path);
}

/* All operations of a day, one after the other. */
static bool try_all(struct day *day, enum io_fault_kind kind, const char *base, uint64_t *tried)
{
    static const char *const kinds[] = {"EIO", "ENOSPC", "a short write", "a failing sync"};
    bool good = true;
    set_up(day, base);
    io_fault_start(day->directory, kind, day->mode);
    for (uint64_t nth = 1; good && io_fault_next(); nth++) {
        day->reopens = nth % 3 == 0;
        fault_try(day->run, "%s, %s %s at operation %" PRIu64, day->name, kinds[kind],
                  day->mode == IO_FAULT_ONCE ? "once" : "from then on", nth);
        good = live_through(day);
        ++*tried;
        set_up(day, base);
    }
    io_fault_disarm();
    if (!good)
        fault_say(day->run, "(%s); ", day->run->doing);
    return good;
}

bool check_io(const struct fault_run *run)
{
    char temp[FILES_PATH], base[FILES_PATH + 8];
    uint64_t tried = 0, failures = 0;
    bool good = true;
    files_temp(temp, "io");
    snprintf(base, sizeof base, "%s/base", temp);
    good = make_base(base);
    for (int i = 0; i < 16; i++) {
        struct day day = {.run = run,
                          .name = i & 1 ? "a later day" : "the first day",
                          .mode = i & 2 ? IO_FAULT_STICKY : IO_FAULT_ONCE,
                          .steps = i & 1 ? later_day : first_day,
                          .from = i & 1 ? BASE_BATCHES : 0};
        snprintf(day.directory, sizeof day.directory, "%s/db", temp);
        snprintf(day.path, sizeof day.path, "%s/store", day.directory);
        good &= try_all(&day, (enum io_fault_kind)(i / 4), i & 1 ? base : NULL, &tried);
        failures += day.failures;
    }
    files_remove(temp);
    fault_say(run,
              "%" PRIu64 " operations refused, %" PRIu64
              " steps failed cleanly and succeeded afterwards",
              tried, failures);
    return good && failures > 0;
}
