/* SPDX-License-Identifier: Apache-2.0
 *
 * test_kill_loop.c -- plain LMDB loses nothing to kill -9, and a worker that promises too much is
 * caught.
 */
#include "kill_loop.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/unit.h"
#include "files.h"
#include "lmdb_toy.h"

struct victim {
    char db[FILES_PATH + 8];
    bool promises_early; /* acknowledges before it commits */
};

static char root[FILES_PATH];

static int work(void *context, uint64_t acked, struct kill_ledger *ledger)
{
    struct victim *victim = context;
    MDB_env *env;
    uint64_t last;
    (void)acked;
    if (toy_open(victim->db, 0, &env) != 0 || toy_last(env, &last) != 0)
        return 1;
    kill_ready(ledger);
    for (;;) {
        last++;
        if (victim->promises_early) {
            kill_ack(ledger, last);
            usleep(200);
        }
        if (toy_commit(env, last) != 0)
            return 1;
        if (!victim->promises_early)
            kill_ack(ledger, last);
    }
}

static int check(void *context, uint64_t acked, char text[GUARD_TEXT])
{
    struct victim *victim = context;
    uint64_t last = 0;
    if (toy_check(victim->db, &last, text) != 0)
        return 1;
    if (last >= acked)
        return 0;
    snprintf(text, GUARD_TEXT, "at %" PRIu64 ", acknowledged %" PRIu64, last, acked);
    return 1;
}

static struct kill_result run(const char *name, unsigned rounds, bool promises_early)
{
    struct victim victim = {.promises_early = promises_early};
    struct kill_result result;
    snprintf(victim.db, sizeof victim.db, "%s/%s", root, name);
    mkdir(victim.db, 0700);
    kill_loop_run(
        &(struct kill_loop){
            .rounds = rounds, .seed = 1, .context = &victim, .work = work, .check = check},
        &result);
    kill_print(stdout, name, &result);
    return result;
}

static void test_lmdb_loses_nothing(void **state)
{
    (void)state;
    struct kill_result r = run("lmdb", 100, false);
    assert_int_equal(r.bad, 0);
    assert_true(r.killed >= 95);
    assert_true(r.acked > 100);
}

static void test_early_promises_are_caught(void **state)
{
    (void)state;
    struct kill_result r = run("early", 20, true);
    assert_true(r.bad > 0);
    assert_non_null(strstr(r.text, "acknowledged"));
}

static int work_fails(void *context, uint64_t acked, struct kill_ledger *ledger)
{
    (void)context;
    kill_ready(ledger);
    kill_ack(ledger, acked + 1);
    return acked == 2;
}

static int check_crashes(void *context, uint64_t acked, char text[GUARD_TEXT])
{
    (void)context;
    (void)text;
    if (acked == 5)
        abort();
    return 0;
}

/* Rounds 0 to 4 end by themselves, and the third of them fails; the fifth check dies. */
static void test_failures_are_told(void **state)
{
    (void)state;
    struct kill_result r;
    struct kill_loop loop = {
        .rounds = 5, .most_us = 2000000, .seed = 5, .work = work_fails, .check = check_crashes};
    kill_loop_run(&loop, &r);
    assert_int_equal(r.rounds, 5);
    assert_int_equal(r.killed, 0);
    assert_int_equal(r.acked, 5);
    assert_int_equal(r.bad, 2);
    assert_int_equal(r.first_bad, 2);
    assert_string_equal(r.text, "the worker failed or crashed");
}

static int make_root(void **state)
{
    (void)state;
    files_temp(root, "kill");
    return 0;
}

static int remove_root(void **state)
{
    (void)state;
    files_remove(root);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lmdb_loses_nothing),
        cmocka_unit_test(test_early_promises_are_caught),
        cmocka_unit_test(test_failures_are_told),
    };
    return cmocka_run_group_tests(tests, make_root, remove_root);
}
