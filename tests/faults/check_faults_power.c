/* SPDX-License-Identifier: Apache-2.0
 *
 * check_faults_power.c -- power cuts at every moment of recorded workloads.
 *
 * A recording is of one of four kinds: it begins with a store that is there, or with nothing
 * but a directory, in which the store lies two directories deep; and either one process does it
 * all, or several do, each of which ends at once before some file operation, as kill -9 would
 * end it, so that power fails on what a crash left behind.
 *
 * A state is good when the store opens, has every acknowledged batch once, and varve_verify finds
 * nothing; some are then written to and looked at again.
 *
 * The same checker must find damage where syncs are ignored.  One that cannot fail proves
 * nothing.
 */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check_faults.h"
#include "files.h"
#include "io_hook.h"
#include "power_record.h"
#include "power_replay.h"
#include "workload.h"

enum { RECORDINGS = 16, BATCHES = 45, SELF_TEST_STATES = 40 };

struct recording {
    const struct fault_run *run;
    unsigned number;
    bool with_creation, with_crashes;
    char directory[FILES_PATH + 8], log[FILES_PATH + 8];
    const char *below; /* where the store is in the directory */
    uint64_t from;     /* the first batch */
};

/* ---- recording ------------------------------------------------------------------- */

/* A process ends before some operation; or before a name is made durable; or before that of a
 * file that was renamed. */
enum fuse_kind { FUSE_ANY, FUSE_NAMES, FUSE_RENAMED, FUSE_KINDS };
static struct {
    enum fuse_kind kind;
    uint64_t left;
    bool renamed;
} fuse;

static int burn(const struct io_event *event)
{
    struct stat st;
    bool counts = true;
    if (fuse.kind != FUSE_ANY)
        counts = event->op == IO_SYNC && stat(event->path, &st) == 0 && S_ISDIR(st.st_mode);
    if (fuse.kind == FUSE_RENAMED)
        counts &= fuse.renamed;
    fuse.renamed |= event->op == IO_RENAME;
    if (counts && fuse.left-- == 0)
        _exit(0);
    return 0;
}

static int complain(const char *doing, const struct varve_err *err)
{
    char text[GUARD_TEXT];
    work_error_text(doing, err, text);
    fprintf(stderr, "power: recording: %s\n", text);
    return 1;
}

/* Works on from *acked to `to`. */
static int work(const struct recording *r, uint64_t to, _Atomic uint64_t *acked)
{
    char path[2 * FILES_PATH];
    struct varve_options options = {.flags = VARVE_CREATE, .seal_rows = r->number % 3 ? 0 : 100};
    struct varve_err err = {0};
    varve *db;
    snprintf(path, sizeof path, "%s/%s", r->directory, r->below);
    if (varve_open(path, &options, &db, &err) != VARVE_OK)
        return complain("open", &err);
    if (work_resume(db, *acked, &err) != VARVE_OK)
        return complain("resume", &err);
    while (*acked < to) {
        if (work_append(db, *acked + 1, &err) != VARVE_OK)
            return complain("append", &err);
        ++*acked;
        power_mark(*acked);
        if (work_house(db, *acked, &err) != VARVE_OK)
            return complain("house", &err);
    }
    varve_close(db);
    return 0;
}

/* One process after the other until one gets to the end; 0, or the status of one that failed. */
static int work_in_pieces(const struct recording *r, uint64_t to, _Atomic uint64_t *acked)
{
    static const struct io_observer observer = {burn, NULL};
    static const unsigned most[FUSE_KINDS] = {120, 4, 1};
    for (unsigned piece = 0; *acked < to; piece++) {
        int status;
        fflush(NULL);
        pid_t child = fork();
        if (child == 0) {
            fuse.kind = (enum fuse_kind)(piece % FUSE_KINDS);
            fuse.left = fault_random(r->run->seed + r->number, piece) % most[fuse.kind];
            io_hook_set(IO_SLOT_FAULT, r->directory, &observer);
            _exit(work(r, to, acked));
        }
        if (child < 0 || waitpid(child, &status, 0) != child)
            return 1;
        if (status != 0)
            return status;
    }
    return 0;
}

static bool make_recording(struct recording *r)
{
    _Atomic uint64_t *acked =
        mmap(NULL, sizeof *acked, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (acked == MAP_FAILED || mkdir(r->directory, 0700) != 0)
        abort();
    *acked = 0;
    int bad = 0;
    uint64_t begin = r->with_creation ? 0 : 5 + r->number % 20;
    if (!r->with_creation)
        bad = work(r, begin, acked);
    r->from = begin + 1;
    power_record_start(r->directory, r->log);
    power_mark(*acked);
    if (!bad)
        bad = r->with_crashes ? work_in_pieces(r, begin + BATCHES, acked)
                              : work(r, begin + BATCHES, acked);
    power_record_stop();
    munmap(acked, sizeof *acked);
    return bad == 0;
}

/* ---- judging a state ---------------------------------------------------------------- */

/* Goes on where the power went. */
static bool go_on(const char *path, uint64_t acked, char text[GUARD_TEXT])
{
    struct varve_options options = {.flags = VARVE_CREATE};
    struct varve_err err = {0};
    uint64_t done = acked, last;
    varve *db;
    if (varve_open(path, &options, &db, &err) != VARVE_OK) {
        work_error_text("open again", &err, text);
        return false;
    }
    enum varve_status status = work_resume(db, acked, &err);
    if (status == VARVE_OK)
        status = work_run(db, acked + 1, acked + 3, &done, &err);
    if (status == VARVE_OK)
        status = varve_compact(db, NULL, &err);
    varve_close(db);
    if (status != VARVE_OK) {
        work_error_text("going on", &err, text);
        return false;
    }
    return work_check_store(path, 0, done, &last, text) == WORK_RIGHT && work_verify(path, text);
}

static bool is_missing(const char *path)
{
    struct varve_err err = {0};
    varve *db;
    enum varve_status status = varve_open(path, NULL, &db, &err);
    if (status == VARVE_OK)
        varve_close(db);
    return status == VARVE_NOTFOUND;
}

static enum power_verdict
judge(void *context, const char *directory, uint64_t acked, char text[GUARD_TEXT])
{
    const struct recording *r = context;
    char path[2 * FILES_PATH];
    uint64_t last = 0;
    if (acked < r->from - 1) /* before the first mark */
        acked = r->from - 1;
    snprintf(path, sizeof path, "%s/%s", directory, r->below);
    if (acked == 0 && is_missing(path))
        return go_on(path, 0, text) ? POWER_OK : POWER_CORRUPT;
    enum work_verdict verdict = work_check_store(path, 0, acked, &last, text);
    if (verdict != WORK_RIGHT)
        return verdict == WORK_WRONG ? POWER_LOST : POWER_CORRUPT;
    if (!work_verify(path, text))
        return POWER_CORRUPT;
    return acked % 5 != 0 || go_on(path, acked, text) ? POWER_OK : POWER_CORRUPT;
}

/* ---- the line ----------------------------------------------------------------------- */

struct tally {
    uint64_t states, calls, corrupt, lost, self_states, self_found;
};

static bool
replay(struct recording *r, const struct power_options *options, struct power_result *result)
{
    if (power_replay(r->log, options, judge, r, result) == 0)
        return true;
    fault_say(r->run, "recording %u: %s; ", r->number, result->text);
    return false;
}

static bool replay_both(struct recording *r, uint64_t states, struct tally *tally)
{
    struct power_result result;
    uint64_t base = (uint64_t)r->number * 1000000;
    struct power_options options = {.states = states,
                                    .seed = r->run->seed * 100 + r->number,
                                    .names_with_file = r->number % 8 >= 6,
                                    .only_one = r->run->only_one,
                                    .only = r->run->only - base};
    if (!replay(r, &options, &result))
        return false;
    if (result.states > result.count[POWER_OK] && tally->corrupt + tally->lost == 0)
        fault_say(r->run, "power=%" PRIu64 ": %s; ", base + result.first_bad, result.text);
    tally->states += result.states;
    tally->calls += result.entries;
    tally->corrupt += result.count[POWER_CORRUPT];
    tally->lost += result.count[POWER_LOST];
    if (r->run->only_one || r->number >= 4)
        return true;
    options.states = SELF_TEST_STATES;
    options.ignore_syncs = true;
    if (!replay(r, &options, &result))
        return false;
    tally->self_states += result.states;
    tally->self_found += result.states - result.count[POWER_OK];
    return true;
}

static bool record_and_replay(const struct fault_run *run, unsigned number, uint64_t states,
                              struct tally *tally)
{
    char temp[FILES_PATH];
    struct recording r = {.run = run,
                          .number = number,
                          .with_creation = number & 1,
                          .with_crashes = number & 2,
                          .below = number & 1 ? "a/store" : "."};
    files_temp(temp, "power");
    snprintf(r.directory, sizeof r.directory, "%s/db", temp);
    snprintf(r.log, sizeof r.log, "%s/log", temp);
    fault_try(run, "recording %u", number);
    bool good = make_recording(&r);
    if (!good)
        fault_say(run, "recording %u failed; ", number);
    else
        good = replay_both(&r, states, tally);
    files_remove(temp);
    return good;
}

bool check_power(const struct fault_run *run)
{
    struct tally tally = {0};
    bool good = true;
    for (unsigned i = 0; i < RECORDINGS; i++) {
        uint64_t states = run->count * (i + 1) / RECORDINGS - run->count * i / RECORDINGS;
        if (!run->only_one || run->only / 1000000 == i)
            good &= record_and_replay(run, i, states, &tally);
    }
    fault_say(run,
              "%" PRIu64 " states of %" PRIu64 " calls replayed: %" PRIu64 " damaged, %" PRIu64
              " lost something; with syncs ignored %" PRIu64 " of %" PRIu64 " states are bad",
              tally.states, tally.calls, tally.corrupt, tally.lost, tally.self_found,
              tally.self_states);
    return good && tally.corrupt + tally.lost == 0 && tally.self_found * 4 >= tally.self_states;
}
