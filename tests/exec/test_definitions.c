/* SPDX-License-Identifier: Apache-2.0
 *
 * test_definitions.c -- what is kept of lookups when a process dies halfway, and when settings of
 * them are missing or damaged.
 */
#include "exec/definitions.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/prng.h"
#include "../base/unit.h"
#include "small_store.h"
#include "store/setting.h"

#define OK(call) assert_int_equal((call), VARVE_OK)
#define ROSTER STR("roster")

static struct small_store small;
static struct varve_err err;

static int make(void **state)
{
    (void)state;
    small_store_make(&small);
    return 0;
}

static int end(void **state)
{
    (void)state;
    small_store_end(&small);
    return 0;
}

/* A file of so many rows, in all of which the team is this number. */
static struct varve_str csv_of(int team, int rows)
{
    static char text[1 << 20];
    size_t size = (size_t)snprintf(text, sizeof text, "user,team\n");
    for (int i = 0; i < rows; i++)
        size += (size_t)snprintf(text + size, sizeof text - size, "user%05d,%d\n", i, team);
    return (struct varve_str){text, size};
}

static enum varve_status put(int team, int rows, bool may_replace)
{
    struct arena arena;
    struct lookup lookup;
    arena_init(&arena, &small.store->mem, 1 << 14);
    enum varve_status status = lookup_put(small.store, ROSTER, STR("user"), csv_of(team, rows),
                                          may_replace, &lookup, &arena, &err);
    arena_free(&arena);
    return status;
}

/* The team that all rows have; -1: there is no lookup. */
static int team_there(int rows)
{
    struct arena arena;
    struct lookups lookups;
    int team = -1;
    arena_init(&arena, &small.store->mem, 1 << 14);
    OK(lookups_load(small.store, &arena, &lookups, &err));
    for (int i = 0; lookups.count > 0 && i < rows; i++) {
        char key[32];
        int n = snprintf(key, sizeof key, "user%05d", i);
        struct varve_str value =
            lookup_value(&lookups.items[0], 0, (struct varve_str){key, (size_t)n});
        assert_true(value.size > 0 && value.size < 8);
        int number = atoi(value.data);
        assert_true(i == 0 || number == team);
        team = number;
    }
    arena_free(&arena);
    return team;
}

static enum varve_status load(void)
{
    struct arena arena;
    struct lookups lookups;
    arena_init(&arena, &small.store->mem, 1 << 14);
    enum varve_status status = lookups_load(small.store, &arena, &lookups, &err);
    arena_free(&arena);
    return status;
}

static int count_one(void *context, struct varve_str name, struct varve_str value)
{
    (void)value;
    *(int *)context += name.size > 7 && memcmp(name.data, "lookup/", 7) == 0;
    return 0;
}

static int settings_left(void)
{
    int count = 0;
    OK(store_visit_settings(small.store, count_one, &count, &err));
    return count;
}

static void set(const char *name, const char *value)
{
    OK(store_setting_put(small.store, (struct varve_str){name, strlen(name)},
                         (struct varve_str){value, strlen(value)}, &err));
}

enum { ROWS = 20000 }; /* some pieces */

static void test_pieces(void **state)
{
    (void)state;
    OK(put(1, ROWS, false));
    assert_int_equal(team_there(ROWS), 1);
    int pieces = settings_left();
    assert_in_range(pieces, 5, 10);
    assert_int_equal(put(2, 10, false), VARVE_INVALID);
    assert_int_equal(team_there(ROWS), 1);
    OK(put(2, 10, true));
    assert_int_equal(settings_left(), 2);
    assert_int_equal(team_there(10), 2);
    OK(put(3, ROWS, true));
    assert_int_equal(settings_left(), pieces);
    OK(lookup_drop(small.store, ROSTER, &err));
    assert_int_equal(settings_left(), 0);
    assert_int_equal(lookup_drop(small.store, ROSTER, &err), VARVE_NOTFOUND);
}

/* What is missing or damaged is said, and can be replaced and dropped. */
static void test_damaged(void **state)
{
    static const struct {
        const char *name, *value, *words;
    } damages[] = {
        {"lookup/roster/1/0", "", "missing"},
        {"lookup/roster/1/3", "", "missing"},
        {"lookup/roster", "nothing", "is none"},
        {"lookup/roster", "1", "is none"},
        {"lookup/roster", "1 99999999999 user", "is none"},
        {"lookup/roster", "1 2 ", "is none"},
        {"lookup/roster", "7 2 user", "missing"},
        {"lookup/roster", "18446744073709551615 1 user", "missing"},
        {"lookup/roster/1/0", "no header", "header"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++)
        for (int drop = 0; drop < 2; drop++) {
            OK(put(1, ROWS, false));
            set(damages[i].name, damages[i].value);
            assert_int_not_equal(load(), VARVE_OK);
            if (!strstr(err.message, damages[i].words))
                fail_msg("%s = '%s': %s", damages[i].name, damages[i].value, err.message);
            if (!drop) {
                OK(put(2, ROWS, true));
                assert_int_equal(team_there(ROWS), 2);
            }
            OK(lookup_drop(small.store, ROSTER, &err));
            assert_int_equal(settings_left(), 0);
        }
}

/* Pieces that no record names harm nobody and go with the next change. */
static void test_strays(void **state)
{
    (void)state;
    OK(put(1, 10, false));
    set("lookup/roster/2/0", "user,team\nuser00000,9\n");
    set("lookup/roster/2/17", "rubbish");
    set("lookup/roster/x/y", "rubbish");
    set("lookup/roster2/1/0", "somebody else's");
    assert_int_equal(team_there(10), 1);
    OK(put(2, 10, true));
    assert_int_equal(team_there(10), 2);
    assert_int_equal(settings_left(), 4);
    OK(lookup_drop(small.store, ROSTER, &err));
    assert_int_equal(settings_left(), 2);
    set("lookup/roster/x/y", "");
    set("lookup/roster2/1/0", "");
}

/* A process that is killed while it replaces a lookup: it is the old one or the new one. */
static void test_killed(void **state)
{
    struct prng prng = prng_start(7);
    struct varve_options options = {.flags = VARVE_NO_AUTOSEAL};
    (void)state;
    OK(put(0, ROWS, false));
    int pieces = settings_left(), killed = 0;
    for (int team = 1; team <= 12; team++) {
        int before = team_there(ROWS);
        pid_t child = fork();
        if (child == 0) {
            struct store *store;
            struct arena arena;
            struct lookup lookup;
            if (store_open(&store, small.path, &options, &err) != VARVE_OK)
                _exit(1);
            arena_init(&arena, &store->mem, 1 << 14);
            _exit(lookup_put(store, ROSTER, STR("user"), csv_of(team, ROWS), true, &lookup, &arena,
                             &err) == VARVE_OK
                      ? 0
                      : 1);
        }
        int status;
        usleep((useconds_t)prng_below(&prng, 10000));
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
        killed += WIFSIGNALED(status);
        int after = team_there(ROWS);
        assert_true(after == before || after == team);
    }
    print_message("%d of 12 were killed in time\n", killed);
    OK(put(99, ROWS, true));
    assert_int_equal(team_there(ROWS), 99);
    assert_int_equal(settings_left(), pieces);
    OK(lookup_drop(small.store, ROSTER, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_pieces, make, end),
        cmocka_unit_test_setup_teardown(test_damaged, make, end),
        cmocka_unit_test_setup_teardown(test_strays, make, end),
        cmocka_unit_test_setup_teardown(test_killed, make, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
