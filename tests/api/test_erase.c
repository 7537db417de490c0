/* SPDX-License-Identifier: Apache-2.0
 *
 * test_erase.c -- a user who is forgotten: gone from every answer, gone from the bytes of the files
 * once the store is compacted, and nobody else's numbers change (L10).
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "small.h"

#define CANARY "canary-7f3a@example.com"

static void add_event(struct small *s, const char *user, int64_t time)
{
    const struct varve_field fields[] = {
        {varve_str("user.email"), varve_text(varve_str(user))},
        {varve_str("cost_usd"), varve_float(0.5)},
        {varve_str("account"), varve_int(4711)},
    };
    MUST(varve_batch_event(s->batch, varve_str("api_request"), time, fields, 3, &test_err));
}

/* Three days of two users and of points without one, half of them sealed. */
static void fill(struct small *s)
{
    small_make(s);
    for (int day = 0; day < 3; day++) {
        int64_t t = T0 + day * DAY;
        small_delta(s, "tokens", "tokens", "user.email=" CANARY ",model=opus", t + HOUR,
                    varve_int(1));
        small_delta(s, "tokens", "tokens", "user.email=ben,model=opus", t + HOUR, varve_int(10));
        small_delta(s, "tokens", "tokens", "model=opus", t + 2 * HOUR, varve_int(100));
        small_reading(s, "commits", "", "user.email=" CANARY, t, t + HOUR, varve_int(3));
        add_event(s, CANARY, t + HOUR);
        add_event(s, "ben", t + HOUR);
        small_append(s);
        if (day == 1)
            MUST(varve_seal(s->db, INT64_MAX, NULL, &test_err));
    }
}

static struct varve_erased
erase(struct small *s, const char *source, const char *key, const char *value, int64_t since)
{
    struct varve_str text = varve_str(value);
    struct varve_filter filter = {varve_str(key), 0, &text, 1};
    struct varve_erasure what = {varve_str(source), since, INT64_MAX, &filter, 1};
    struct varve_erased erased;
    MUST(varve_erase(s->db, &what, &erased, &test_err));
    return erased;
}

/* Whether some file of the store has these bytes. */
static bool files_have(const struct small *s, const char *needle)
{
    bool found = false;
    DIR *dir = opendir(s->path);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));) {
        char path[FILES_PATH + 300];
        snprintf(path, sizeof path, "%s/%s", s->path, entry->d_name);
        FILE *file = fopen(path, "rb");
        if (!file || entry->d_name[0] == '.') {
            if (file)
                fclose(file);
            continue;
        }
        static char bytes[8 << 20];
        size_t n = fread(bytes, 1, sizeof bytes, file);
        assert_true(n < sizeof bytes);
        found |= memmem(bytes, n, needle, strlen(needle)) != NULL;
        fclose(file);
    }
    closedir(dir);
    return found;
}

static void test_forgotten(void **state)
{
    (void)state;
    struct small s;
    fill(&s);
    assert_true(files_have(&s, CANARY));
    assert_int_equal(small_increase(&s, "tokens", INT64_MIN, INT64_MAX), 333);
    struct varve_erased erased = erase(&s, "", "user.email", CANARY, INT64_MIN);
    assert_int_equal(erased.points, 6);
    assert_int_equal(erased.events, 3);
    assert_int_equal(erased.days, 6);
    assert_int_equal(small_increase(&s, "tokens", INT64_MIN, INT64_MAX), 330);
    assert_int_equal(small_stats(&s).events, 3);
    MUST(varve_compact(s.db, NULL, &test_err));
    assert_false(files_have(&s, CANARY));
    assert_true(files_have(&s, "ben"));
    small_close(&s);
    small_verify(&s);
    small_open(&s, 0);
    assert_int_equal(small_increase(&s, "tokens", INT64_MIN, INT64_MAX), 330);
    /* nothing is left to be erased */
    erased = erase(&s, "", "user.email", CANARY, INT64_MIN);
    assert_int_equal(erased.points + erased.events + erased.days, 0);
    small_remove(&s);
}

static void test_only_a_part(void **state)
{
    (void)state;
    struct small s;
    fill(&s);
    struct varve_erased erased = erase(&s, "tokens", "user.email", "ben", T0 + DAY);
    assert_int_equal(erased.points, 2);
    assert_int_equal(erased.events, 0);
    assert_int_equal(small_increase(&s, "tokens", INT64_MIN, INT64_MAX), 313);
    erased = erase(&s, "api_request", "account", "4711", T0 + 2 * DAY);
    assert_int_equal(erased.events, 2);
    assert_int_equal(small_stats(&s).events, 4);
    erased = erase(&s, "tokens", "user.email", "", INT64_MIN); /* those without the label */
    assert_int_equal(erased.points, 3);
    assert_int_equal(small_increase(&s, "tokens", INT64_MIN, INT64_MAX), 13);
    erased = erase(&s, "nothing", "user.email", "ben", INT64_MIN);
    assert_int_equal(erased.days, 0);
    small_remove(&s);
}

/* A snapshot that was taken before still sees everything (L9). */
static void test_snapshot(void **state)
{
    (void)state;
    struct small s;
    fill(&s);
    struct ask ask = {.source = "tokens", .since = INT64_MIN, .until = INT64_MAX};
    struct group_answer *groups;
    MUST(varve_snapshot_open(s.db, &ask.snapshot, &test_err));
    erase(&s, "", "user.email", CANARY, INT64_MIN);
    MUST(varve_compact(s.db, NULL, &test_err));
    assert_int_equal(ask_groups(&ask, &groups), 1);
    assert_int_equal((int64_t)groups[0].sum.whole, 333);
    free(groups);
    varve_snapshot_close(ask.snapshot);
    assert_int_equal(small_increase(&s, "tokens", INT64_MIN, INT64_MAX), 330);
    small_remove(&s);
}

static void test_refused(void **state)
{
    (void)state;
    struct small s;
    fill(&s);
    struct varve_erasure what = {varve_str(""), INT64_MIN, INT64_MAX, NULL, 0};
    REFUSED(VARVE_MISUSE, "what is to go", varve_erase(s.db, &what, NULL, &test_err));
    struct varve_str ben = varve_str("ben");
    struct varve_filter filter = {varve_str("user.email"), 0, &ben, 1};
    what.filters = &filter;
    what.filter_count = 1;
    small_close(&s);
    small_open(&s, VARVE_RDONLY);
    REFUSED(VARVE_READONLY, "reading only", varve_erase(s.db, &what, NULL, &test_err));
    small_remove(&s);
}

/* A process that keeps the house for a while, as one that seals does: the second byte of
 * the file `lock`. */
static void hold_house(const struct small *s, int ready)
{
    char path[FILES_PATH + 16];
    struct flock byte = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 1, .l_len = 1};
    snprintf(path, sizeof path, "%s/lock", s->path);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0 || fcntl(fd, F_OFD_SETLK, &byte) != 0 || write(ready, "", 1) != 1)
        _exit(1);
    usleep(300000);
    _exit(0);
}

/* Whoever wants to be forgotten is not sent away because somebody seals. */
static void test_waits(void **state)
{
    (void)state;
    struct small s;
    int ends[2], status;
    char byte;
    fill(&s);
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0)
        hold_house(&s, ends[1]);
    close(ends[1]);
    assert_int_equal(read(ends[0], &byte, 1), 1);
    struct varve_erased erased = erase(&s, "", "user.email", CANARY, INT64_MIN);
    assert_int_equal(erased.points, 6);
    assert_int_equal(erased.events, 3);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    close(ends[0]);
    small_remove(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forgotten), cmocka_unit_test(test_only_a_part),
        cmocka_unit_test(test_snapshot),  cmocka_unit_test(test_refused),
        cmocka_unit_test(test_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
