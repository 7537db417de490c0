/* SPDX-License-Identifier: Apache-2.0
 *
 * test_settings.c -- small texts under names, a secret, and the format of a store that has them.
 */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/api.h"
#include "small.h"
#include "store/setting.h"

static struct varve_str str(const char *text)
{
    return varve_str(text);
}

static void set(struct small *s, const char *name, const char *value)
{
    MUST(varve_set(s->db, str(name), str(value), &test_err));
}

/* "name=value;" of all that are set, or of the first `most`. */
struct list {
    char text[512];
    int most;
};

static int add_setting(void *context, struct varve_str name, struct varve_str value)
{
    struct list *list = context;
    size_t at = strlen(list->text);
    snprintf(list->text + at, sizeof list->text - at, "%.*s=%.*s;", (int)name.size, name.data,
             (int)value.size, value.data);
    return --list->most == 0;
}

static void settings_are(varve *db, const char *wanted)
{
    struct list list = {"", -1};
    MUST(varve_visit_settings(db, add_setting, &list, &test_err));
    assert_string_equal(list.text, wanted);
}

static void test_settings(void **state)
{
    (void)state;
    struct small s;
    small_make(&s);
    settings_are(s.db, "");
    set(&s, "team", "platform");
    set(&s, "budget", "100");
    set(&s, "ä", "ö");
    settings_are(s.db, "budget=100;team=platform;ä=ö;");
    struct list first = {"", 1};
    MUST(varve_visit_settings(s.db, add_setting, &first, &test_err));
    assert_string_equal(first.text, "budget=100;");
    set(&s, "budget", "250");
    set(&s, "budget", "250");
    set(&s, "team", "");
    set(&s, "nobody", "");
    settings_are(s.db, "budget=250;ä=ö;");
    small_delta(&s, "tokens", "", "user=a", T0, varve_int(7));
    small_append(&s);
    MUST(varve_compact(s.db, NULL, &test_err));
    settings_are(s.db, "budget=250;ä=ö;");
    small_close(&s);
    small_verify(&s);
    small_open(&s, VARVE_RDONLY);
    settings_are(s.db, "budget=250;ä=ö;");
    REFUSED(VARVE_READONLY, "reading only", varve_set(s.db, str("a"), str("b"), &test_err));
    small_remove(&s);
}

static void test_limits(void **state)
{
    (void)state;
    struct small s;
    static char text[SETTING_VALUE_MAX + 1];
    memset(text, 'x', sizeof text);
    small_make(&s);
    const struct varve_str most = {text, SETTING_VALUE_MAX}, more = {text, SETTING_VALUE_MAX + 1};
    const struct varve_str name = {text, SETTING_NAME_MAX}, longer = {text, SETTING_NAME_MAX + 1};
    MUST(varve_set(s.db, name, most, &test_err));
    REFUSED(VARVE_INVALID, "257", varve_set(s.db, longer, most, &test_err));
    REFUSED(VARVE_LIMIT, "65537", varve_set(s.db, name, more, &test_err));
    REFUSED(VARVE_INVALID, "UTF-8", varve_set(s.db, str(""), str("a"), &test_err));
    REFUSED(VARVE_INVALID, "UTF-8", varve_set(s.db, str("\xff"), str("a"), &test_err));
    REFUSED(VARVE_INVALID, "UTF-8", varve_set(s.db, str("a"), str("\xff"), &test_err));
    REFUSED(VARVE_MISUSE, "NULL", varve_set(NULL, str("a"), str("a"), &test_err));
    MUST(varve_set(s.db, name, str(""), &test_err));
    settings_are(s.db, "");
    small_remove(&s);
}

/* Rules that do not parse are not kept. */
static void test_rules(void **state)
{
    (void)state;
    struct small s;
    small_make(&s);
    set(&s, "rules", "drop label user.*");
    REFUSED(VARVE_INVALID, "", varve_set(s.db, str("rules"), str("drop everything"), &test_err));
    settings_are(s.db, "rules=drop label user.*;");
    set(&s, "rules", "");
    settings_are(s.db, "");
    small_remove(&s);
}

static uint64_t commits(struct small *s)
{
    return store_of(s->db)->state.txnid;
}

/* What is as it should be is not written again. */
static void test_nothing_new(void **state)
{
    (void)state;
    struct small s;
    uint8_t secret[SECRET_SIZE], again[SECRET_SIZE];
    small_make(&s);
    set(&s, "a", "1");
    MUST(store_secret(store_of(s.db), secret, &test_err));
    uint64_t before = commits(&s);
    set(&s, "a", "1");
    set(&s, "b", "");
    MUST(store_secret(store_of(s.db), again, &test_err));
    assert_int_equal(commits(&s), before);
    assert_memory_equal(secret, again, SECRET_SIZE);
    small_remove(&s);
}

static void test_secret(void **state)
{
    (void)state;
    struct small s;
    uint8_t secret[SECRET_SIZE], again[SECRET_SIZE];
    char path[FILES_PATH + 8];
    small_make(&s);
    small_close(&s);
    small_open(&s, VARVE_RDONLY);
    REFUSED(VARVE_NOTFOUND, "secret", store_secret(store_of(s.db), secret, &test_err));
    small_close(&s);
    small_open(&s, 0);
    MUST(store_secret(store_of(s.db), secret, &test_err));
    settings_are(s.db, ""); /* it is no setting */
    set(&s, "a", "1");
    snprintf(path, sizeof path, "%s-copy", s.path);
    MUST(varve_backup(s.db, path, &test_err));
    small_close(&s);
    small_open(&s, VARVE_RDONLY);
    MUST(store_secret(store_of(s.db), again, &test_err));
    assert_memory_equal(secret, again, SECRET_SIZE);
    small_remove(&s);
    varve *copy;
    MUST(varve_open(path, NULL, &copy, &test_err));
    MUST(store_secret(store_of(copy), again, &test_err));
    assert_memory_equal(secret, again, SECRET_SIZE);
    settings_are(copy, "a=1;");
    varve_close(copy);
    files_remove(path);
}

static void test_get(void **state)
{
    (void)state;
    struct small s;
    struct arena arena;
    struct varve_str value;
    small_make(&s);
    struct store *store = store_of(s.db);
    arena_init(&arena, &store->mem, 256);
    assert_int_equal(store_setting_get(store, str("a"), &arena, &value, NULL), VARVE_NOTFOUND);
    set(&s, "a", "one");
    MUST(store_setting_get(store, str("a"), &arena, &value, &test_err));
    assert_true(value.size == 3 && memcmp(value.data, "one", 3) == 0);
    arena_free(&arena);
    small_remove(&s);
}

/* What another process sets is seen by the next call. */
static void test_two_processes(void **state)
{
    (void)state;
    struct small s;
    int how = -1;
    small_make(&s);
    set(&s, "a", "1");
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        varve *db;
        _exit(varve_open(s.path, NULL, &db, NULL) != VARVE_OK ||
              varve_set(db, str("a"), str("2"), NULL) != VARVE_OK ||
              varve_set(db, str("b"), str("3"), NULL) != VARVE_OK);
    }
    assert_true(child > 0 && waitpid(child, &how, 0) == child && how == 0);
    settings_are(s.db, "a=2;b=3;");
    small_delta(&s, "tokens", "", "user=a", T0, varve_int(7));
    small_append(&s);
    settings_are(s.db, "a=2;b=3;");
    small_close(&s);
    small_verify(&s);
    small_remove(&s);
}

/* ---- formats --------------------------------------------------------------- */

static void make_format_1(struct small *s)
{
    struct mem mem;
    struct env *env;
    struct txn *txn;
    struct identity identity;
    struct state now;
    char path[FILES_PATH + 16];
    snprintf(path, sizeof path, "%s/main.mdb", s->path);
    mem_init(&mem, NULL, 0);
    MUST(env_open(&env, &mem, path, 0, 0, &test_err));
    MUST(env_begin_write(env, &txn, 1 << 16, &test_err));
    MUST(identity_get(txn, &identity, &test_err));
    MUST(state_get_any(txn, &now, &test_err));
    identity.format = 1;
    MUST(identity_put(txn, &identity, &test_err));
    MUST(state_put(txn, &now, &test_err));
    MUST(txn_commit(txn, &test_err));
    env_close(env);
}

/* A store of the first format stays one as long as it is only read. */
static void test_format_1(void **state)
{
    (void)state;
    struct small s;
    small_make(&s);
    assert_int_equal(small_stats(&s).format, 2);
    small_delta(&s, "tokens", "", "user=a", T0, varve_int(7));
    small_append(&s);
    small_close(&s);
    make_format_1(&s);
    for (int i = 0; i < 2; i++) {
        small_open(&s, i ? VARVE_RDONLY : 0);
        assert_int_equal(small_increase(&s, "tokens", T0, T0 + 1), 7);
        assert_int_equal(small_stats(&s).format, 1);
        small_close(&s);
    }
    small_verify(&s);
    small_open(&s, 0);
    small_delta(&s, "tokens", "", "user=a", T0 + 1, varve_int(8));
    small_append(&s);
    assert_int_equal(small_stats(&s).format, 2);
    small_close(&s);
    small_verify(&s);
    small_open(&s, VARVE_RDONLY);
    assert_int_equal(small_stats(&s).format, 2);
    assert_int_equal(small_increase(&s, "tokens", T0, T0 + 2), 15);
    small_close(&s);
    make_format_1(&s);
    small_open(&s, 0);
    set(&s, "a", "1");
    assert_int_equal(small_stats(&s).format, 2);
    small_remove(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_settings),      cmocka_unit_test(test_limits),
        cmocka_unit_test(test_rules),         cmocka_unit_test(test_nothing_new),
        cmocka_unit_test(test_secret),        cmocka_unit_test(test_get),
        cmocka_unit_test(test_two_processes), cmocka_unit_test(test_format_1),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
