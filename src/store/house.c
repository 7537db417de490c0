/* SPDX-License-Identifier: Apache-2.0
 *
 * house.c -- retention, compaction, backup, figures.
 *
 * Retention and compaction are changes (change.h) with other moves than
 * sealing has: days that go, days that are copied.
 */
#include "store/house.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/directory.h"
#include "store/change.h"
#include "store/seal.h"

static enum varve_status refuse_read_only(const struct store *store, struct varve_err *err)
{
    if (store->read_only)
        return fail(err, VARVE_READONLY, store->path, "the store is open for reading only");
    return VARVE_OK;
}

enum varve_status
house_catalogue(struct store *store, struct catalogue **catalogue, struct varve_err *err)
{
    struct txn *txn;
    pthread_mutex_lock(&store->lock);
    enum varve_status status = store_begin_read(store, &txn, err);
    if (status == VARVE_OK) {
        status = store_sync(store, txn, err);
        txn_abort(txn);
    }
    if (status == VARVE_OK)
        *catalogue = catalogue_hold(store->catalogue);
    pthread_mutex_unlock(&store->lock);
    return status;
}

/* ---- retention ---------------------------------------------------------- */

static enum varve_status plan_retention(struct change *change, int32_t floor_day,
                                        struct varve_retained *retained, struct varve_err *err)
{
    int32_t last_day = INT32_MIN;
    for (size_t i = 0; i < change->catalogue->count && change->catalogue->days[i].day < floor_day;
         i++) {
        const struct day_record *d = &change->catalogue->days[i];
        struct move *move;
        TRY(change_add(change, d->day, d->table, &move, err));
        move->record.rows = 0;
        retained->rows += d->rows;
        retained->days += d->day != last_day;
        last_day = d->day;
    }
    return VARVE_OK;
}

enum varve_status house_retain(struct store *store, int64_t before, struct varve_retained *retained,
                               struct varve_err *err)
{
    struct lock house;
    struct catalogue *catalogue;
    struct change change;
    struct varve_retained result = {0};
    int32_t floor_day = day_of(before);
    TRY(refuse_read_only(store, err));
    TRY(lock_house(&house, store->path, err));
    enum varve_status status = house_catalogue(store, &catalogue, err);
    if (status != VARVE_OK) {
        lock_release(&house);
        return status;
    }
    change_init(&change, store, catalogue);
    catalogue_drop(catalogue);
    change.floor = day_start(floor_day);
    TRYOUT(plan_retention(&change, floor_day, &result, err));
    TRYOUT(change_flip(&change, err));
    result.files = change_sweep(store);
    if (retained)
        *retained = result;
out:
    change_free(&change);
    lock_release(&house);
    return status;
}

/* ---- compaction --------------------------------------------------------- */

/* One move a month is enough: where the month is written anew, the others follow; elsewhere it is
 * dropped. */
static enum varve_status plan_compaction(struct change *change, struct varve_err *err)
{
    int32_t last_month = INT32_MIN;
    for (size_t i = 0; i < change->catalogue->count; i++) {
        const struct day_record *d = &change->catalogue->days[i];
        int32_t month = month_of_day(d->day);
        struct move *move;
        if (month != last_month && change_has_garbage(change, month))
            TRY(change_add(change, d->day, d->table, &move, err));
        last_month = month;
    }
    return VARVE_OK;
}

static enum varve_status rewrite_months(struct store *store, struct varve_err *err)
{
    struct lock house;
    struct catalogue *catalogue;
    struct change change;
    TRY(lock_house(&house, store->path, err));
    enum varve_status status = house_catalogue(store, &catalogue, err);
    if (status != VARVE_OK) {
        lock_release(&house);
        return status;
    }
    change_init(&change, store, catalogue);
    catalogue_drop(catalogue);
    change.rewrite = true;
    TRYOUT(plan_compaction(&change, err));
    if (change.count > 0) {
        TRYOUT(change_write(&change, err));
        TRYOUT(change_flip(&change, err));
    }
    change_sweep(store);
out:
    change_free(&change);
    lock_release(&house);
    return status;
}

/* A compacted copy begins to count commits anew, so the state in it claims a commit that it does
 * not have (I1). Two commits put that right under both meta pages. */
static enum varve_status stamp_copy(struct store *store, const char *path, struct varve_err *err)
{
    struct env *copy;
    enum varve_status status = VARVE_OK;
    TRY(env_open(&copy, &store->mem, path, 0, 0, err));
    for (int i = 0; i < 2 && status == VARVE_OK; i++) {
        struct txn *txn;
        struct state state;
        status = env_begin_write(copy, &txn, 1 << 16, err);
        if (status != VARVE_OK)
            break;
        status = state_get_any(txn, &state, err);
        if (status == VARVE_OK)
            status = state_put(txn, &state, err);
        if (status == VARVE_OK)
            status = txn_commit(txn, err);
        else
            txn_abort(txn);
    }
    env_close(copy);
    return status;
}

/* Copies main.mdb without its free pages into a store of its own. */
static enum varve_status copy_to(struct store *store, const char *path, struct varve_err *err)
{
    char lock[PATH_MAX + 8];
    TRY(env_copy(store->main, path, true, err));
    enum varve_status status = stamp_copy(store, path, err);
    snprintf(lock, sizeof lock, "%s-lock", path);
    unlink(lock);
    return status;
}

/* main.mdb has an open handle only here: copies it without free pages and takes the copy's
 * place. */
static enum varve_status replace_main(struct store *store, struct varve_err *err)
{
    char path[PATH_MAX], fresh[PATH_MAX];
    snprintf(path, sizeof path, "%s/main.mdb", store->path);
    snprintf(fresh, sizeof fresh, "%s/main.mdb.new", store->path);
    unlink(fresh);
    TRY(copy_to(store, fresh, err));
    if (rename(fresh, path) != 0) {
        int sys = errno;
        unlink(fresh);
        return fail_errno(err, VARVE_IO, sys, path, "cannot put the compacted copy in place");
    }
    store->name_unsure = true;
    store_unsync(store);
    TRY(env_reopen(store->main, err));
    return store_settle_name(store, err);
}

static enum varve_status shrink_main(struct store *store, int *skipped, struct varve_err *err)
{
    enum varve_status status = lock_exclude(&store->open_lock, err);
    *skipped = status == VARVE_BUSY;
    if (status == VARVE_BUSY)
        return VARVE_OK;
    TRY(status);
    pthread_mutex_lock(&store->lock);
    status = replace_main(store, err);
    pthread_mutex_unlock(&store->lock);
    enum varve_status shared = lock_share(&store->open_lock, status == VARVE_OK ? err : NULL);
    return status == VARVE_OK ? shared : status;
}

enum varve_status
house_compact(struct store *store, struct varve_compacted *compacted, struct varve_err *err)
{
    struct varve_compacted result = {.bytes_before = directory_bytes(store->path)};
    TRY(refuse_read_only(store, err));
    TRY(store_seal(store, INT32_MAX, NULL, err));
    TRY(rewrite_months(store, err));
    TRY(shrink_main(store, &result.main_skipped, err));
    result.bytes_after = directory_bytes(store->path);
    if (compacted)
        *compacted = result;
    return VARVE_OK;
}

/* ---- backup ------------------------------------------------------------- */

#define HOUSE_TRIES 500
#define HOUSE_PAUSE_US 20000

enum varve_status house_wait(struct store *store, struct lock *house, struct varve_err *err)
{
    enum varve_status status = lock_house(house, store->path, err);
    for (int i = 0; status == VARVE_BUSY && i < HOUSE_TRIES; i++) {
        usleep(HOUSE_PAUSE_US);
        status = lock_house(house, store->path, err);
    }
    return status;
}

/* With the house locked no epoch can pass: the copied main.mdb and the locked epoch belong
 * together. */
static enum varve_status copy_main(struct store *store, const char *path, struct lock *epoch,
                                   struct catalogue **catalogue, struct varve_err *err)
{
    char copy[PATH_MAX];
    struct lock house;
    snprintf(copy, sizeof copy, "%s/main.mdb", path);
    TRY(house_wait(store, &house, err));
    enum varve_status status = house_catalogue(store, catalogue, err);
    if (status == VARVE_OK) {
        status = lock_epoch(epoch, store->path, (*catalogue)->epoch, err);
        if (status == VARVE_OK) {
            pthread_mutex_lock(&store->lock);
            status = copy_to(store, copy, err);
            pthread_mutex_unlock(&store->lock);
        }
        if (status != VARVE_OK) {
            lock_release(epoch);
            catalogue_drop(*catalogue);
        }
    }
    lock_release(&house);
    return status;
}

static enum varve_status copy_months(struct store *store, const struct catalogue *catalogue,
                                     const char *path, struct varve_err *err)
{
    struct segfile_id last = {INT32_MIN, 0};
    for (size_t i = 0; i < catalogue->count; i++) {
        struct segfile_id id = {month_of_day(catalogue->days[i].day),
                                catalogue->days[i].file_generation};
        if (id.month == last.month && id.generation == last.generation)
            continue;
        TRY(segfile_copy(store->files, id, path, err));
        last = id;
    }
    return VARVE_OK;
}

enum varve_status house_backup(struct store *store, const char *path, struct varve_err *err)
{
    struct lock epoch = {-1};
    struct catalogue *catalogue;
    if (!path || !*path || strlen(path) > PATH_MAX - 64)
        return fail(err, VARVE_INVALID, "backup", "the destination's path is empty or too long");
    if (mkdir(path, 0700) != 0)
        return fail_errno(err, errno == EEXIST ? VARVE_INVALID : VARVE_IO, errno, path,
                          "the destination must be a new directory");
    TRY(directory_sync(path, err));
    TRY(copy_main(store, path, &epoch, &catalogue, err));
    enum varve_status status = copy_months(store, catalogue, path, err);
    lock_release(&epoch);
    catalogue_drop(catalogue);
    return status;
}

/* ---- figures ------------------------------------------------------------ */

static void add_days(const struct catalogue *catalogue, struct varve_stats *stats)
{
    int32_t last_day = INT32_MIN;
    for (size_t i = 0; i < catalogue->count; i++) {
        const struct day_record *d = &catalogue->days[i];
        if (d->table == 0)
            stats->points += d->points;
        else
            stats->events += d->points;
        stats->series += d->series;
        stats->segments++;
        stats->days += d->day != last_day;
        last_day = d->day;
        if (d->first < stats->oldest)
            stats->oldest = d->first;
        if (d->last > stats->newest)
            stats->newest = d->last;
    }
}

static void add_head(const struct head *head, struct varve_stats *stats)
{
    for (size_t i = 0; i < head->rows.row_count; i++) {
        const struct row *r = &head->rows.rows[i];
        stats->points += r->mode != ROW_ADJUST && r->mode != ROW_BASE;
        if (r->end < stats->oldest)
            stats->oldest = r->end;
        if (r->end > stats->newest)
            stats->newest = r->end;
    }
    for (size_t i = 0; i < head->events.count; i++) {
        int64_t time = head->events.events[i].time;
        if (time < stats->oldest)
            stats->oldest = time;
        if (time > stats->newest)
            stats->newest = time;
    }
    stats->events += head->events.count;
    for (size_t i = 0; i < head->indexed_series; i++)
        stats->series += head->series[i].last_row != HASH_NONE; /* some are only duplicates' */
    stats->journal_rows = head->rows.row_count + head->events.count;
}

static int count_file(void *context, struct segfile_id id)
{
    (void)id;
    ++*(uint64_t *)context;
    return 0;
}

enum varve_status house_stats(struct store *store, struct varve_stats *stats, struct varve_err *err)
{
    struct catalogue *catalogue;
    struct varve_stats s = {.oldest = INT64_MAX, .newest = INT64_MIN, .files = 1};
    TRY(house_catalogue(store, &catalogue, err));
    add_days(catalogue, &s);
    catalogue_drop(catalogue);
    pthread_mutex_lock(&store->lock);
    add_head(&store->head, &s);
    s.ambiguous = store->state.ambiguous;
    s.baselines = store->state.baselines;
    s.format = (int)store->identity.format;
    pthread_mutex_unlock(&store->lock);
    TRY(segfiles_list(store->files, count_file, &s.files, err));
    s.bytes = directory_bytes(store->path);
    s.memory = atomic_load(&store->mem.used);
    s.memory_peak = atomic_load(&store->mem.peak);
    *stats = s;
    return VARVE_OK;
}
