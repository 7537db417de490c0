/* SPDX-License-Identifier: Apache-2.0
 *
 * check_faults_kill.c -- kill -9 at random moments, and whether all that was promised is there.
 *
 * The child appends batch after batch, tells the ledger of each that was acknowledged, and
 * seals, compacts and forgets in between.  The next child sends the batch again of which it
 * does not know whether it arrived.  Every store lives for fifty rounds, the first of which
 * kill its making; small seal_rows make some stores seal by themselves all the time.
 *
 * The checker alternates between a reader, which leaves the ruins as they are, and a writer,
 * which cleans them up.
 */
#include <inttypes.h>
#include <stdio.h>

#include "check_faults.h"
#include "files.h"
#include "kill_loop.h"
#include "workload.h"

enum { ROUNDS_A_STORE = 50, VERIFY_EVERY = 16 };

struct victim {
    char path[FILES_PATH + 8];
    uint64_t seed, seal_rows;
};

static int complain(const char *doing, uint64_t n, const struct varve_err *err)
{
    char text[GUARD_TEXT];
    work_error_text(doing, err, text);
    fprintf(stderr, "kills: batch %" PRIu64 ": %s\n", n, text);
    return 1;
}

static int work(void *context, uint64_t acked, struct kill_ledger *ledger)
{
    const struct victim *victim = context;
    struct varve_options options = {.flags = VARVE_CREATE, .seal_rows = victim->seal_rows};
    struct varve_err err = {0};
    varve *db;
    if (varve_open(victim->path, &options, &db, &err) != VARVE_OK)
        return complain("open", acked, &err);
    kill_ready(ledger);
    if (work_resume(db, acked, &err) != VARVE_OK)
        return complain("resume", acked, &err);
    for (uint64_t n = acked + 1;; n++) {
        if (work_append(db, n, &err) != VARVE_OK)
            return complain("append", n, &err);
        kill_ack(ledger, n);
        if (work_house(db, n, &err) != VARVE_OK)
            return complain("house", n, &err);
    }
}

/* Before the first acknowledgement there need not be a store. */
static bool may_be_missing(const struct victim *victim, uint64_t acked)
{
    struct varve_options options = {.flags = VARVE_RDONLY};
    struct varve_err err = {0};
    varve *db;
    if (acked > 0)
        return false;
    enum varve_status status = varve_open(victim->path, &options, &db, &err);
    if (status == VARVE_OK)
        varve_close(db);
    return status == VARVE_NOTFOUND;
}

static int check(void *context, uint64_t acked, char text[GUARD_TEXT])
{
    const struct victim *victim = context;
    uint64_t random = fault_random(victim->seed, acked), last;
    if (may_be_missing(victim, acked))
        return 0;
    if (work_check_store(victim->path, random % 2 ? VARVE_RDONLY : 0, acked, &last, text) !=
        WORK_RIGHT)
        return 1;
    return random / 2 % VERIFY_EVERY == 0 && !work_verify(victim->path, text);
}

bool check_kills(const struct fault_run *run)
{
    char temp[FILES_PATH];
    struct kill_result all = {0};
    files_temp(temp, "kills");
    for (unsigned i = 0; all.rounds < run->count; i++) {
        struct victim victim = {.seed = run->seed * 1000 + i, .seal_rows = i % 3 == 1 ? 60 : 0};
        snprintf(victim.path, sizeof victim.path, "%s/db", temp);
        uint64_t left = run->count - all.rounds;
        struct kill_loop loop = {.rounds = left < ROUNDS_A_STORE ? (unsigned)left : ROUNDS_A_STORE,
                                 .most_us = i % 4 == 3 ? 50000 : 16000,
                                 .seed = victim.seed,
                                 .context = &victim,
                                 .work = work,
                                 .check = check};
        struct kill_result result;
        kill_loop_run(&loop, &result);
        if (result.bad && !all.bad)
            fault_say(run, "store %u, round %u: %s; ", i, result.first_bad, result.text);
        all.rounds += result.rounds;
        all.killed += result.killed;
        all.acked += result.acked;
        all.bad += result.bad;
        files_remove(victim.path);
    }
    files_remove(temp);
    fault_say(run,
              "%u of %u SIGKILLs survived, %" PRIu64
              " batches acknowledged, none lost and none counted twice",
              all.rounds - all.bad, all.rounds, all.acked);
    /* A round whose worker was never killed proves nothing. */
    return all.bad == 0 && all.killed == all.rounds;
}
