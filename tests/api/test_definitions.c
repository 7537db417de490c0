/* SPDX-License-Identifier: Apache-2.0
 *
 * test_definitions.c -- views and lookups: what is kept, what is refused, what CSV may look like,
 * and results that outlive what happens to their store.
 */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "small.h"

static char csv_path[FILES_PATH];

/* Runs a statement; the first cell of the first row as text, "-" where there is none. */
static enum varve_status try_run(varve *db, const char *text, char first[256])
{
    const struct varve_run_options options = {.now = T0 + DAY};
    const struct varve_cell *cells;
    varve_result *result;
    size_t n;
    snprintf(first, 256, "-");
    enum varve_status status = varve_run(db, varve_str(text), &options, &result, NULL, &test_err);
    if (status != VARVE_OK)
        return status;
    bool is_first = true;
    while ((status = varve_result_next(result, &cells, &n, &test_err)) == VARVE_OK) {
        if (is_first && cells[0].type == VARVE_CELL_TEXT)
            snprintf(first, 256, "%.*s", (int)cells[0].as.s.size, cells[0].as.s.data);
        else if (is_first)
            varve_cell_print(&cells[0], first);
        is_first = false;
    }
    varve_result_free(result);
    return status == VARVE_DONE ? VARVE_OK : status;
}

static void answers(struct small *s, const char *text, const char *wanted)
{
    char first[256];
    if (try_run(s->db, text, first) != VARVE_OK)
        fail_msg("%s: %s: %s", text, test_err.place, test_err.message);
    if (wanted && strcmp(first, wanted) != 0)
        fail_msg("%s: '%s', not '%s'", text, first, wanted);
}

static void refuses(struct small *s, const char *text, enum varve_status wanted, const char *words)
{
    char first[256];
    refused(try_run(s->db, text, first), wanted, words, text, __FILE__, __LINE__);
}

static void write_csv(const char *bytes, size_t size)
{
    FILE *file = fopen(csv_path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static const char *create_lookup(const char *how)
{
    static char text[FILES_PATH + 120];
    snprintf(text, sizeof text, "CREATE %s LOOKUP roster FROM '%s' ON user", how, csv_path);
    return text;
}

static void make(struct small *s)
{
    small_make(s);
    snprintf(csv_path, sizeof csv_path, "%.4000s.csv", s->path);
    small_delta(s, "spent", "", "user=ann", T0 + HOUR, varve_int(3));
    small_delta(s, "spent", "", "user=bob", T0 + HOUR, varve_int(4));
    small_append(s);
}

static void end(struct small *s)
{
    remove(csv_path);
    small_close(s);
    small_verify(s);
    small_remove(s);
}

static void test_views(void **state)
{
    struct small s;
    (void)state;
    make(&s);
    answers(&s, "CREATE VIEW v AS SELECT increase(spent) AS x SINCE 1d", NULL);
    answers(&s, "SELECT x FROM v", "7");
    refuses(&s, "CREATE VIEW v AS SELECT 1 AS x", VARVE_INVALID, "OR REPLACE");
    answers(&s, "SELECT x FROM v", "7");
    answers(&s, "CREATE OR REPLACE VIEW v AS SELECT increase(spent{user='ann'}) AS x SINCE 1d",
            NULL);
    answers(&s, "SELECT x FROM v", "3");
    answers(&s, "CREATE VIEW w AS SELECT 2 * x AS y FROM v", NULL);
    answers(&s, "SELECT y FROM w", "6");
    answers(&s, "DROP VIEW v", NULL);
    refuses(&s, "SELECT y FROM w", VARVE_NOTFOUND, "v");
    refuses(&s, "DROP VIEW v", VARVE_NOTFOUND, "v");
    refuses(&s, "CREATE VIEW a AS SHOW METRICS", VARVE_INVALID, "SELECT");
    answers(&s, "CREATE VIEW a AS SELECT x FROM b", NULL);
    answers(&s, "CREATE VIEW b AS SELECT x FROM a", NULL);
    refuses(&s, "SELECT x FROM a", VARVE_LIMIT, "");
    answers(&s, "SHOW SETTINGS", "-");
    end(&s);
}

/* What is read of CSV: a file, and the team of ann that it says; NULL: it is refused. */
static void test_csv(void **state)
{
#define CSV(bytes, team, words)              \
    {                                        \
        bytes, sizeof bytes - 1, team, words \
    }
    static const struct {
        const char *bytes;
        size_t size;
        const char *team, *words;
    } files[] = {
        CSV("user,team\nann,red\n", "red", NULL),
        CSV("user,team\r\nann,red\r\n", "red", NULL),
        CSV("\xef\xbb\xbfuser,team\nann,red\n", "red", NULL),
        CSV("team,user\nred,ann", "red", NULL),
        CSV("user,team\nann,\"r,e \"\"d\"\"\"\n", "r,e \"d\"", NULL),
        CSV("user,team\nann,\"two\nlines\"\n", "two\nlines", NULL),
        CSV("user,team\n\n\nann,red\n\n", "red", NULL),
        CSV("user,team\nann,red\nann,blue\n", "red", NULL),
        CSV("user,team,more\nann,red\n", NULL, "fewer fields"),
        CSV("user,team\nann,\nbob,red\n", "NULL", NULL),
        CSV("user,team\nbob,red\n", "NULL", NULL),
        CSV("", NULL, "header"),
        CSV("user\nann\n", NULL, "header"),
        CSV("name,team\nann,red\n", NULL, "header"),
        CSV("user,team,team\nann,red,blue\n", NULL, "same name"),
        CSV("user,team\nann,red,blue\n", NULL, "more fields"),
        CSV("user,team\nann,\"red\n", NULL, "does not end"),
        CSV("user,team\nann,\"red\"x\n", NULL, "follows"),
        CSV("user,team\nann,\xff\n", NULL, "UTF-8"),
    };
    struct small s;
    (void)state;
    make(&s);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        write_csv(files[i].bytes, files[i].size);
        if (!files[i].team) {
            refuses(&s, create_lookup("OR REPLACE"), VARVE_INVALID, files[i].words);
            continue;
        }
        answers(&s, create_lookup("OR REPLACE"), NULL);
        answers(&s, "SELECT list(team) AS t, increase(spent) AS x WHERE user = 'ann' SINCE 1d",
                files[i].team);
    }
    /* what was refused has left the last good one */
    answers(&s, "SELECT list(team) AS t, increase(spent) AS x WHERE user = 'bob' SINCE 1d", "red");
    end(&s);
}

static void test_lookups(void **state)
{
    struct small s;
    (void)state;
    make(&s);
    refuses(&s, create_lookup(""), VARVE_IO, "opened");
    write_csv("user,team\nann,red\n", 18);
    answers(&s, create_lookup(""), NULL);
    refuses(&s, create_lookup(""), VARVE_INVALID, "OR REPLACE");
    answers(&s, "SHOW LOOKUPS", "roster");
    answers(&s, "SHOW SETTINGS", "-");
    REFUSED(VARVE_INVALID, "",
            varve_set(s.db, varve_str("lookup/roster"), varve_str("x"), &test_err));
    REFUSED(VARVE_INVALID, "", varve_set(s.db, varve_str("view/v"), varve_str(""), &test_err));
    size_t size = (8 << 20) + 1;
    char *big = malloc(size);
    assert_non_null(big);
    memset(big, 'a', size);
    memcpy(big, "user,team\n", 10);
    write_csv(big, size);
    free(big);
    char first[256];
    assert_int_not_equal(try_run(s.db, create_lookup("OR REPLACE"), first), VARVE_OK);
    answers(&s, "SELECT increase(spent) AS x WHERE team = 'red' SINCE 1d", "3");
    answers(&s, "DROP LOOKUP roster", NULL);
    answers(&s, "SHOW LOOKUPS", "-");
    refuses(&s, "SELECT increase(spent) AS x WHERE team = 'red' SINCE 1d", VARVE_NOTFOUND, "team");
    refuses(&s, "DROP LOOKUP roster", VARVE_NOTFOUND, "roster");
    end(&s);
}

/* A result reads its snapshot, whatever becomes of the store; two of them do not disturb each
 * other; a child gets no answer. */
static void test_results(void **state)
{
    const struct varve_run_options options = {.now = T0 + DAY};
    const struct varve_str ann = varve_str("ann");
    const struct varve_filter filter = {varve_str("user"), 0, &ann, 1};
    const struct varve_erasure what = {varve_str(""), INT64_MIN, INT64_MAX, &filter, 1};
    const char *text = "SELECT increase(spent) AS x SINCE 1d";
    const struct varve_cell *cells;
    varve_result *results[3];
    size_t n;
    struct small s;
    (void)state;
    make(&s);
    for (int i = 0; i < 3; i++)
        MUST(varve_run(s.db, varve_str(text), &options, &results[i], NULL, &test_err));
    MUST(varve_seal(s.db, INT64_MAX, NULL, &test_err));
    MUST(varve_erase(s.db, &what, NULL, &test_err));
    MUST(varve_compact(s.db, NULL, &test_err));
    varve_result_free(results[2]); /* unread */
    pid_t child = fork();
    if (child == 0) {
        bool is_refused = varve_result_next(results[0], &cells, &n, NULL) == VARVE_MISUSE;
        varve_result_free(results[0]);
        _exit(is_refused ? 0 : 1);
    }
    int status = 1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    for (int i = 0; i < 2; i++) {
        MUST(varve_result_next(results[i], &cells, &n, &test_err));
        assert_int_equal(n, 1);
        assert_int_equal(cells[0].as.i, 7);
        varve_result_free(results[i]);
    }
    answers(&s, text, "4");
    small_close(&s);
    small_open(&s, VARVE_RDONLY);
    answers(&s, text, "4");
    refuses(&s, "SET quota = 1", VARVE_READONLY, "");
    refuses(&s, "CREATE VIEW v AS SELECT 1 AS x", VARVE_READONLY, "");
    refuses(&s, "DELETE FROM spent WHERE user = 'bob'", VARVE_READONLY, "");
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_views),
        cmocka_unit_test(test_csv),
        cmocka_unit_test(test_lookups),
        cmocka_unit_test(test_results),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
