/* SPDX-License-Identifier: Apache-2.0
 *
 * check_faults_full.c -- the disk is full, and then it is not, again and again.
 *
 * On a small file system of its own a store is written to until there is no room; then
 * everything has to answer, with success or with VARVE_FULL: appending, sealing, opening anew,
 * opening without the lock files (as after a restore), a compaction.  Forgetting old days
 * must succeed, for which the store keeps a reserve.  All that was acknowledged stays.  When
 * there is room again the same handle works on.
 *
 * In every other cycle something else fills the disk to the last byte first; else a little is left
 * for appending.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check_faults.h"
#include "files.h"
#include "full_disk.h"
#include "workload.h"

enum { DISK_BYTES = 16 << 20, EACH_CYCLE = 30, TRIES = 4000, RETENTION = 23 };

struct full {
    const struct fault_run *run;
    char path[FILES_PATH + 8];
    const char *directory;
    char *text;
    varve *db;
    uint64_t acked, forgotten; /* the batches whose retention has been done */
    uint64_t cycles, refused;
};

static bool complain(struct full *f, const char *what, const struct varve_err *err)
{
    char text[GUARD_TEXT] = "";
    if (err)
        work_error_text(what, err, text);
    else
        snprintf(text, sizeof text, "%.40s: %.300s", what, f->text);
    snprintf(f->text, GUARD_TEXT, "cycle %u, batch %u: %.300s", (unsigned)f->cycles,
             (unsigned)f->acked, text);
    return false;
}

static bool reopen(struct full *f, bool may_be_full)
{
    struct varve_options options = {.flags = VARVE_CREATE | VARVE_NO_AUTOSEAL};
    struct varve_err err = {0};
    varve_close(f->db);
    f->db = NULL;
    enum varve_status status = varve_open(f->path, &options, &f->db, &err);
    return status == VARVE_OK || (may_be_full && status == VARVE_FULL) || complain(f, "open", &err);
}

/* The retentions that are due, but not the one of the last batch: the next batch shows that it has
 * been done. */
static bool forget(struct full *f)
{
    struct varve_err err = {0};
    uint64_t due = f->acked / RETENTION * RETENTION;
    if (due <= f->forgotten)
        return true;
    if (varve_retain(f->db, work_floor(due), NULL, &err) != VARVE_OK)
        return complain(f, "retain", &err);
    f->forgotten = due;
    return true;
}

static bool look(struct full *f)
{
    uint64_t last;
    struct varve_err err = {0};
    if (work_check(f->db, f->acked, &last, f->text, &err) != WORK_RIGHT)
        return complain(f, "look", NULL);
    return true;
}

/* Appends until VARVE_FULL; at most so many. */
static bool append_until_full(struct full *f, unsigned most, bool *full)
{
    struct varve_err err = {0};
    *full = false;
    for (unsigned i = 0; i < most; i++) {
        enum varve_status status = work_append(f->db, f->acked + 1, &err);
        if (status == VARVE_FULL) {
            f->refused++;
            return *full = true;
        }
        if (status != VARVE_OK)
            return complain(f, "append", &err);
        f->acked++;
    }
    return true;
}

static bool is_ok_or_full(struct full *f, const char *what, enum varve_status status,
                          const struct varve_err *err)
{
    return status == VARVE_OK || status == VARVE_FULL || complain(f, what, err);
}

static void remove_lock_files(const char *path)
{
    struct files_list list = files_list(path);
    for (size_t i = 0; i < list.count; i++) {
        char name[FILES_PATH + 300];
        snprintf(name, sizeof name, "%s/%s", path, list.names[i]);
        if (strstr(list.names[i], "lock"))
            unlink(name);
    }
    files_list_free(&list);
}

/* While there is no room.  In the end the handle may be NULL. */
static bool live_without_room(struct full *f)
{
    struct varve_err err = {0};
    if (!forget(f) || !look(f))
        return false;
    if (!is_ok_or_full(f, "seal", varve_seal(f->db, INT64_MAX, NULL, &err), &err) || !look(f))
        return false;
    if (f->cycles % 3 == 0 && !is_ok_or_full(f, "compact", varve_compact(f->db, NULL, &err), &err))
        return false;
    full_disk_fill(f->directory, 0);
    if (f->cycles % 4 == 1 && (!reopen(f, false) || !look(f)))
        return false;
    if (f->cycles % 4 == 3) {
        varve_close(f->db);
        f->db = NULL;
        remove_lock_files(f->path);
        if (!reopen(f, true))
            return false;
        uint64_t last;
        if (f->db && work_check(f->db, f->acked, &last, f->text, &err) != WORK_RIGHT &&
            err.status != VARVE_FULL)
            return complain(f, "read without lock files", NULL);
    }
    return true;
}

static bool cycle(struct full *f)
{
    struct varve_err err = {0};
    bool full;
    if (!append_until_full(f, EACH_CYCLE, &full))
        return false;
    if (f->cycles % 2)
        full_disk_fill(f->directory, 0);
    else
        full_disk_fill(f->directory, fault_random(f->run->seed, f->cycles) % (256 << 10));
    if (!append_until_full(f, TRIES, &full))
        return false;
    if (!full) {
        snprintf(f->text, GUARD_TEXT, "cycle %u: the disk is never full", (unsigned)f->cycles);
        return false;
    }
    if (!live_without_room(f))
        return false;
    full_disk_release(f->directory);
    if (!f->db && !reopen(f, false))
        return false;
    if (work_append(f->db, f->acked + 1, &err) != VARVE_OK)
        return complain(f, "append with room again", &err);
    f->acked++;
    if (varve_seal(f->db, INT64_MAX, NULL, &err) != VARVE_OK)
        return complain(f, "seal with room again", &err);
    if (varve_compact(f->db, NULL, &err) != VARVE_OK)
        return complain(f, "compact with room again", &err);
    return forget(f) && look(f);
}

static int body(void *context, const char *directory, char text[GUARD_TEXT])
{
    struct full *f = context;
    uint64_t last;
    f->directory = directory;
    f->text = text;
    snprintf(f->path, sizeof f->path, "%s/db", directory);
    if (!reopen(f, false))
        return 1;
    for (f->cycles = 0; f->cycles < f->run->count; f->cycles++)
        if (!cycle(f))
            return 1;
    varve_close(f->db);
    if (work_check_store(f->path, VARVE_RDONLY, f->acked, &last, text) != WORK_RIGHT ||
        !work_verify(f->path, text))
        return 1;
    snprintf(text, GUARD_TEXT, "%u batches kept, %u appends refused", (unsigned)f->acked,
             (unsigned)f->refused);
    return 0;
}

static bool run_on(const struct fault_run *run, enum full_disk_kind kind, const char *name)
{
    struct full full = {.run = run};
    char text[GUARD_TEXT];
    fault_try(run, "%s", name);
    int answer = full_disk_run(kind, DISK_BYTES, body, &full, text);
    if (answer == FULL_DISK_SKIPPED)
        fault_say(run, "%s: skipped, %s; ", name, text);
    else
        fault_say(run, "%s: %u cycles, %s; ", name, (unsigned)run->count, text);
    return answer == 0 || answer == FULL_DISK_SKIPPED;
}

bool check_full(const struct fault_run *run)
{
    bool good = run_on(run, FULL_DISK_TMPFS, "tmpfs");
    good &= run_on(run, FULL_DISK_EXT4, "ext4");
    fault_say(run, "%s", good ? "the same handle went on each time" : "");
    return good;
}
