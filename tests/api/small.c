/* SPDX-License-Identifier: Apache-2.0
 *
 * small.c -- a store for a test that knows every point of it.
 */
#include "small.h"

#include <stdio.h>

void refused(enum varve_status status, enum varve_status wanted, const char *words,
             const char *call, const char *file, int line)
{
    char said[sizeof test_err.place + sizeof test_err.message + 8];
    snprintf(said, sizeof said, "%s: %s", test_err.place, test_err.message);
    if (status != wanted || test_err.status != wanted || !strstr(said, words) ||
        test_err.message[0] == '\0') {
        print_error("%s: %s, should be %s with \"%s\": %s\n", call, varve_status_name(status),
                    varve_status_name(wanted), words, said);
        _fail(file, line);
    }
    memset(&test_err, 0, sizeof test_err);
}

void small_open(struct small *small, unsigned flags)
{
    struct varve_options options = {
        .flags = flags, .seal_rows = small->seal_rows, .max_memory = small->max_memory};
    if (small->seal_rows == 0)
        options.flags |= VARVE_NO_AUTOSEAL;
    MUST(varve_open(small->path, &options, &small->db, &test_err));
    MUST(varve_batch_new(small->db, &small->batch, &test_err));
}

void small_make_sealing(struct small *small, uint64_t seal_rows)
{
    *small = (struct small){.seal_rows = seal_rows};
    files_temp(small->path, "varve-small");
    small_open(small, VARVE_CREATE);
}

void small_make(struct small *small)
{
    small_make_sealing(small, 0);
}

void small_reopen(struct small *small)
{
    small_close(small);
    small_verify(small);
    small_open(small, 0);
}

void small_close(struct small *small)
{
    varve_batch_free(small->batch);
    varve_close(small->db);
    small->batch = NULL;
    small->db = NULL;
}

void small_remove(struct small *small)
{
    small_close(small);
    files_remove(small->path);
}

uint32_t small_labels(struct small *small, uint32_t parent, const char *labels)
{
    struct varve_label given[16];
    size_t count = 0;
    uint32_t set;
    while (*labels) {
        size_t key = strcspn(labels, "="), value = strcspn(labels + key + 1, ",");
        given[count++] = (struct varve_label){{labels, key}, {labels + key + 1, value}};
        labels += key + 1 + value;
        labels += *labels == ',';
    }
    MUST(varve_batch_labels(small->batch, parent, given, count, &set, &test_err));
    return set;
}

uint32_t small_metric(struct small *small, const char *name, const char *unit, enum varve_kind kind)
{
    struct varve_metric metric = {varve_str(name), varve_str(unit), kind};
    uint32_t id;
    MUST(varve_batch_metric(small->batch, &metric, &id, &test_err));
    return id;
}

void small_delta(struct small *small, const char *metric, const char *unit, const char *labels,
                 int64_t end, struct varve_value value)
{
    uint32_t set = small_labels(small, VARVE_NO_LABELS, labels);
    MUST(varve_batch_counter(small->batch, small_metric(small, metric, unit, VARVE_COUNTER), set,
                             VARVE_DELTA, end - 60 * SECOND, end, value, &test_err));
}

void small_reading(struct small *small, const char *metric, const char *unit, const char *labels,
                   int64_t start, int64_t end, struct varve_value value)
{
    uint32_t set = small_labels(small, VARVE_NO_LABELS, labels);
    MUST(varve_batch_counter(small->batch, small_metric(small, metric, unit, VARVE_COUNTER), set,
                             VARVE_CUMULATIVE, start, end, value, &test_err));
}

void small_tokens(struct small *small, int64_t day, int from, int to)
{
    for (int i = from; i < to; i++) {
        char labels[32];
        snprintf(labels, sizeof labels, "user=u%d", i % 5);
        small_delta(small, "tokens", "", labels, day + 60 * SECOND + i * SECOND, varve_int(1));
    }
}

struct varve_appended small_append(struct small *small)
{
    struct varve_appended appended;
    MUST(varve_append(small->db, small->batch, &appended, &test_err));
    varve_batch_clear(small->batch);
    return appended;
}

int64_t small_increase(struct small *small, const char *metric, int64_t since, int64_t until)
{
    struct ask ask = {.source = metric, .since = since, .until = until};
    struct group_answer *groups;
    MUST(varve_snapshot_open(small->db, &ask.snapshot, &test_err));
    size_t count = ask_groups(&ask, &groups);
    int64_t sum = count ? (int64_t)groups[0].sum.whole : 0;
    varve_snapshot_close(ask.snapshot);
    free(groups);
    return sum;
}

struct varve_stats small_stats(struct small *small)
{
    struct varve_stats stats;
    MUST(varve_stats(small->db, &stats, &test_err));
    return stats;
}

void small_verify(struct small *small)
{
    struct varve_verified verified;
    assert_null(small->db);
    MUST(varve_verify(small->path, NULL, NULL, &verified, &test_err));
    assert_int_equal(verified.findings, 0);
}
