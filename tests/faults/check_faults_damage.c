/* SPDX-License-Identifier: Apache-2.0
 *
 * check_faults_damage.c -- thousands of damaged copies of a store, each read as a whole.
 *
 * The store has a few sealed days of two months, late data in the journal, and events.  A copy is
 * damaged in one file, by seed: flipped bits, zeroed or swapped pages, a missing end, noise.  In
 * a child process everything is then read, and varve_verify looks at it.  What may come out:
 *
 *  - the right answer, in full, from a damage that varve_verify names or that hit bytes which
 *    mean nothing: free pages, padding, locks, the reserve;
 *  - an error that names the place, and varve_verify names it as well.
 *
 * A crash, a hang, a wrong answer, or a finding that varve_verify misses is a failure.  Which bytes
 * mean something is worked out from the undamaged files: keys and values in the trees of the
 * newest commit.  A damage there that varve_verify does not name is a failure even if
 * the answer happened to be right.
 *
 * Every fourth copy is written to as well.  What was harmless must be so for writing; on the others
 * it may fail, but neither crash nor make wrong what was right.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "check_faults.h"
#include "damage.h"
#include "files.h"
#include "live_bytes.h"
#include "workload.h"

enum { BATCHES = 66, SECONDS = 20 };

struct copy {
    const char *path;
    bool must_be_named;
    bool written_to;
};
/* What a child answers. */
enum answer { RIGHT_AND_SOUND, RIGHT_BUT_NAMED, ERROR_AND_NAMED, BAD };

struct tally {
    uint64_t tried, harmless, named, errors, bad;
};

/* ---- one copy ------------------------------------------------------------------------- */

/* Goes on as if nothing had happened; true: every call said it went well. */
static bool write_to(const char *path)
{
    struct varve_options options = {.flags = 0};
    uint64_t done;
    varve *db;
    if (varve_open(path, &options, &db, NULL) != VARVE_OK)
        return false;
    bool all = work_run(db, BATCHES + 1, BATCHES + 3, &done, NULL) == VARVE_OK;
    all &= varve_seal(db, INT64_MAX, NULL, NULL) == VARVE_OK;
    all &= varve_compact(db, NULL, NULL) == VARVE_OK;
    varve_close(db);
    return all;
}

/* "doing: VARVE_CORRUPT: place: message" */
static bool names_the_place(const char *text)
{
    static const char *const statuses[] = {"VARVE_CORRUPT: ", "VARVE_VERSION: "};
    for (int i = 0; i < 2; i++) {
        const char *found = strstr(text, statuses[i]);
        if (found && found[strlen(statuses[i])] != ':')
            return true;
    }
    return false;
}

static enum answer judge(const struct copy *copy, char text[GUARD_TEXT])
{
    char found[GUARD_TEXT];
    uint64_t last = 0;
    enum work_verdict verdict = work_check_store(copy->path, VARVE_RDONLY, BATCHES, &last, text);
    bool sound = work_verify(copy->path, found);
    if (verdict == WORK_WRONG)
        return BAD;
    if (verdict == WORK_ERROR && !names_the_place(text))
        return BAD;
    if (verdict == WORK_ERROR && sound) {
        snprintf(text + strlen(text), GUARD_TEXT - strlen(text), "; but verify finds nothing");
        return BAD;
    }
    if (sound && copy->must_be_named) {
        snprintf(text, GUARD_TEXT, "bytes that mean something are damaged, nobody names it");
        return BAD;
    }
    if (verdict == WORK_ERROR)
        return ERROR_AND_NAMED;
    return sound ? RIGHT_AND_SOUND : RIGHT_BUT_NAMED;
}

static int check(void *context, char text[GUARD_TEXT])
{
    const struct copy *copy = context;
    uint64_t last = 0;
    enum answer answer = judge(copy, text);
    if (answer == BAD || !copy->written_to)
        return (int)answer;
    snprintf(text, GUARD_TEXT, "writing");
    bool all = write_to(copy->path);
    if (!all)
        return answer == RIGHT_AND_SOUND ? BAD : (int)answer;
    enum work_verdict verdict = work_check_store(copy->path, 0, BATCHES + 3, &last, text);
    if (verdict == WORK_WRONG)
        return BAD;
    if (answer == RIGHT_AND_SOUND && (verdict != WORK_RIGHT || !work_verify(copy->path, text)))
        return BAD;
    return (int)answer;
}

/* ---- all of them ---------------------------------------------------------------------- */

static bool make_base(const char *path, const struct fault_run *run)
{
    struct varve_options options = {.flags = VARVE_CREATE};
    char text[GUARD_TEXT];
    struct varve_err err = {0};
    uint64_t done = 0;
    varve *db;
    enum varve_status status = varve_open(path, &options, &db, &err);
    if (status == VARVE_OK) {
        status = work_run(db, 1, BATCHES, &done, &err);
        varve_close(db);
    }
    if (status != VARVE_OK) {
        work_error_text("making the store", &err, text);
        fault_say(run, "%s; ", text);
    }
    return status == VARVE_OK;
}

struct bench {
    const struct fault_run *run;
    char base[FILES_PATH + 8], path[FILES_PATH + 8];
    struct live_map map;
};

/* Of five copies one has a bit flipped that means something.  Locks and the reserve mean nothing: a
 * few are enough. */
static void make_damage(const struct bench *bench, uint64_t i, struct damage *damage)
{
    char reserve[2 * FILES_PATH];
    uint64_t seed = bench->run->seed * 1000003 + i;
    if (i % 5 == 4) {
        uint64_t random = fault_random(seed, 7);
        *damage = (struct damage){.kind = DAMAGE_BITS, .size = 1};
        const char *name = live_map_flip(&bench->map, bench->path, random, &damage->offset);
        snprintf(damage->file, sizeof damage->file, "%s", name);
        snprintf(damage->text, sizeof damage->text, "%s: a bit of a %s flipped at %" PRIu64, name,
                 random % 2 ? "key" : "value", damage->offset);
        return;
    }
    snprintf(reserve, sizeof reserve, "%s/reserve", bench->path);
    if (i % 20)
        files_remove(reserve);
    damage_make(bench->path, i % 20 ? "lock" : NULL, seed, DAMAGE_ANY, damage);
}

static void try_one(const struct bench *bench, uint64_t i, struct tally *tally)
{
    const struct fault_run *run = bench->run;
    const char *path = bench->path;
    char text[GUARD_TEXT];
    struct damage damage;
    struct copy copy = {.path = path, .written_to = i % 4 == 3};
    files_remove(path);
    files_copy(bench->base, path);
    make_damage(bench, i, &damage);
    copy.must_be_named = live_map_hit(&bench->map, damage.file, path);
    fault_try(run, "%s", damage.text);
    int answer = guard_run(check, &copy, SECONDS, 1, text);
    tally->tried++;
    tally->harmless += answer == RIGHT_AND_SOUND;
    tally->named += answer == RIGHT_BUT_NAMED;
    tally->errors += answer == ERROR_AND_NAMED;
    if (answer < 0 || answer == BAD) {
        if (tally->bad++ < 3)
            fault_say(run, "damage=%" PRIu64 ": %.120s: %.200s; ", i, damage.text, text);
    }
}

bool check_damage(const struct fault_run *run)
{
    char temp[FILES_PATH];
    struct tally tally = {0};
    struct bench bench = {.run = run};
    files_temp(temp, "damage");
    snprintf(bench.base, sizeof bench.base, "%s/base", temp);
    snprintf(bench.path, sizeof bench.path, "%s/db", temp);
    bool good = make_base(bench.base, run);
    if (good) {
        bench.map = live_map_of(bench.base);
        for (uint64_t i = 0; i < run->count; i++)
            if (!run->only_one || run->only == i)
                try_one(&bench, i, &tally);
        live_map_free(&bench.map);
    }
    files_remove(temp);
    fault_say(run,
              "%" PRIu64 " damages: %" PRIu64 " harmless (free or unused bytes), %" PRIu64
              " named by verify alone, %" PRIu64 " named by reading and verify, %" PRIu64 " bad",
              tally.tried, tally.harmless, tally.named, tally.errors, tally.bad);
    return good && tally.bad == 0;
}
