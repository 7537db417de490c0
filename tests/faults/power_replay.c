/* SPDX-License-Identifier: Apache-2.0
 *
 * power_replay.c -- makes up crashes from a log and has each checked.
 *
 * The moments of the crashes go through the log from its start to its end, so one
 * model of the disk serves all: it is brought up to the moment of each state in
 * turn.  State i of a seed depends on (seed, i, number of states) only.
 */
#include "power_replay.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "power_disk.h"

struct log {
    uint8_t *bytes;
    size_t size;
    const struct power_entry **entries;
    size_t count, base; /* entries; those of the start */
};

static const char *log_load(struct log *log, const char *path)
{
    log->bytes = files_read(path, &log->size);
    log->entries = malloc((log->size / sizeof(struct power_entry) + 1) * sizeof *log->entries);
    if (!log->entries)
        return "no memory for it";
    for (size_t at = 0; at < log->size;) {
        const struct power_entry *entry = (const void *)(log->bytes + at);
        if (log->size - at < sizeof *entry || log->size - at - sizeof *entry < entry->bytes)
            return "it ends within an entry";
        log->entries[log->count++] = entry;
        log->base += entry->kind == POWER_BASE_DIR || entry->kind == POWER_BASE_FILE;
        at += sizeof *entry + entry->bytes;
    }
    return log->count ? NULL : "it is empty";
}

struct job {
    power_check *check;
    void *context;
    const char *directory;
    uint64_t acked;
};

static int run_check(void *context, char text[GUARD_TEXT])
{
    struct job *job = context;
    return (int)job->check(job->context, job->directory, job->acked, text);
}

static void judge(struct power_result *result, const struct power_options *options, struct job *job,
                  uint64_t state)
{
    char text[GUARD_TEXT];
    int answer = guard_run(run_check, job, options->seconds ? options->seconds : 20, 1, text);
    enum power_verdict verdict = answer == POWER_OK     ? POWER_OK
                                 : answer == POWER_LOST ? POWER_LOST
                                                        : POWER_CORRUPT;
    if (verdict != POWER_OK && result->states == result->count[POWER_OK]) {
        result->first_bad = state;
        snprintf(result->text, sizeof result->text, "%s", text);
    }
    result->states++;
    result->count[verdict]++;
}

static const char *replay(const struct log *log, const struct power_options *options,
                          struct power_disk *disk, struct job *job, struct power_result *result)
{
    const char *wrong = NULL;
    size_t at = 0;
    for (uint64_t i = 0; i < options->states && !wrong; i++) {
        uint64_t span = log->count - log->base;
        size_t moment = log->base + (size_t)(i * (span + 1) / options->states);
        for (; at < moment && !wrong; at++) {
            wrong = power_disk_do(disk, log->entries[at]);
            if (log->entries[at]->kind == POWER_MARK)
                job->acked = log->entries[at]->offset;
        }
        if (wrong || (options->only_one && i != options->only))
            continue;
        if (at < log->count)
            wrong = power_disk_begin(disk, log->entries[at]);
        power_disk_crash(disk, options->seed * UINT64_C(1000003) + i, job->directory);
        power_disk_forget(disk);
        judge(result, options, job, i);
        files_remove(job->directory);
    }
    return wrong;
}

int power_replay(const char *log_path, const struct power_options *options, power_check *check,
                 void *context, struct power_result *result)
{
    char temp[FILES_PATH], directory[FILES_PATH + 8];
    struct log log = {0};
    *result = (struct power_result){0};
    files_temp(temp, "power");
    snprintf(directory, sizeof directory, "%s/state", temp);
    const char *wrong = log_load(&log, log_path);
    struct power_disk *disk = power_disk_new(options->ignore_syncs, options->names_with_file);
    struct job job = {check, context, directory, 0};
    if (!wrong)
        wrong = replay(&log, options, disk, &job, result);
    if (wrong)
        snprintf(result->text, sizeof result->text, "the log makes no sense: %s", wrong);
    result->entries = log.count - log.base;
    power_disk_free(disk);
    free(log.entries);
    free(log.bytes);
    files_remove(temp);
    return wrong ? -1 : 0;
}

void power_print(FILE *to, const char *label, const struct power_result *result)
{
    fprintf(to,
            "%s: %" PRIu64 " states of %" PRIu64 " calls: %" PRIu64 " corrupt, %" PRIu64 " lost\n",
            label, result->states, result->entries, result->count[POWER_CORRUPT],
            result->count[POWER_LOST]);
    if (result->states > result->count[POWER_OK])
        fprintf(to, "%s: first bad state %" PRIu64 ": %s\n", label, result->first_bad,
                result->text);
}
