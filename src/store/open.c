/* SPDX-License-Identifier: Apache-2.0
 *
 * open.c -- making, opening and closing a store.
 *
 * Before anything in main.mdb is believed, env has walked its pages; here the
 * state records under both meta pages are compared with the commits they
 * claim to be (invariant I1), because LMDB would fall back silently to the older
 * commit if the newer one's number were damaged.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/directory.h"
#include "store/pagecheck.h"
#include "store/reserve.h"
#include "store/store.h"
#include "store/text_codec.h"

#define SEAL_ROWS_DEFAULT (256u << 10)
#define OPEN_TRIES 1000
#define OPEN_PAUSE_US 10000

/* ---- a new store ------------------------------------------------------- */

static enum varve_status write_identity(struct store *store, struct txn *txn, struct varve_err *err)
{
    struct identity identity = {.format = VARVE_FORMAT, .created = clock_now()};
    struct state state = {.first_seq = 1, .next_seq = 1, .epoch = 1, .floor = INT64_MIN};
    uint8_t random[24];
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
        return fail_errno(err, VARVE_IO, errno, store->path, "no random bytes for the store's id");
    memcpy(identity.id, random, 16);
    identity.seed = load64(random + 16);
    TRY(identity_put(txn, &identity, err));
    return state_put(txn, &state, err);
}

/* Two processes may be here at once; LMDB's lock lets one of them be first. */
static enum varve_status initialise(struct store *store, struct varve_err *err)
{
    struct txn *txn;
    struct env_value value;
    struct env_key any = {.size = 0};
    TRY(directory_sync_way(store->path, err));
    TRY(env_begin_write(store->main, &txn, 1 << 16, err));
    enum varve_status status = txn_seek(txn, &any, 0, false, &value, err);
    if (status == VARVE_NOTFOUND)
        status = write_identity(store, txn, err);
    if (status != VARVE_OK) {
        txn_abort(txn);
        return status;
    }
    return txn_commit(txn, err);
}

static enum varve_status read_identity(struct store *store, bool create, struct varve_err *err)
{
    struct txn *txn;
    struct env_value value;
    struct env_key any = {.size = 0};
    TRY(env_begin_read(store->main, &txn, err));
    enum varve_status status = txn_seek(txn, &any, 0, false, &value, err);
    bool empty = status == VARVE_NOTFOUND;
    if (status == VARVE_OK)
        status = identity_get(txn, &store->identity, err);
    txn_abort(txn);
    if (!empty)
        return status;
    if (!create)
        return fail(err, VARVE_NOTFOUND, store->path,
                    "the store was never finished being made: open it with creation");
    TRY(initialise(store, err));
    return read_identity(store, false, err);
}

/* ---- the two newest commits -------------------------------------------- */

/* What one meta page says of itself and what the state under it says. */
struct commit_view {
    uint64_t meta, state;
};

static enum varve_status view_commit(struct store *store, int fd, unsigned which,
                                     struct commit_view *view, struct varve_err *err)
{
    struct env_key key;
    uint8_t value[256];
    size_t size = sizeof value;
    state_key(&key);
    *view = (struct commit_view){0, 0};
    enum varve_status status = pagecheck_find(&store->mem, fd, "main.mdb", which, key.bytes,
                                              key.size, value, &size, &view->meta, err);
    if (status == VARVE_OK)
        view->state = state_record_txnid(value, size);
    return status == VARVE_NOTFOUND ? VARVE_OK : status;
}

/* The newest commit has been checked in full, so what cannot be read of the older one does not
 * matter; that may be a commit whose meta page could not be written, under the number of the one
 * before the last.  Nor do numbers that such a commit explains: but one flipped bit is damage,
 * which has hidden the newest commit. */
static enum varve_status
judge_commit(struct commit_view view, unsigned which, struct varve_err *err)
{
    uint64_t differ = view.state ^ view.meta;
    bool unfinished = view.state > view.meta && (differ & (differ - 1)) != 0;
    if (view.state == 0 || differ == 0 || unfinished)
        return VARVE_OK;
    return fail(
        err, VARVE_CORRUPT, "main.mdb",
        "meta page %u says commit %llu, its content is of commit %llu: restore from a backup",
        which, (unsigned long long)view.meta, (unsigned long long)view.state);
}

/* A commit in progress moves the metas: then they are in use, and good. */
static enum varve_status check_commits(struct store *store, struct varve_err *err)
{
    char path[PATH_MAX];
    struct commit_view views[2], again;
    enum varve_status status = VARVE_OK;
    bool moved = false;
    snprintf(path, sizeof path, "%s/main.mdb", store->path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fail_errno(err, VARVE_IO, errno, path, "cannot open");
    for (unsigned i = 0; i < 2; i++) {
        status = view_commit(store, fd, i, &views[i], err);
        if (status != VARVE_OK && status != VARVE_CORRUPT)
            goto out;
        moved |= view_commit(store, fd, i, &again, NULL) != status || again.meta != views[i].meta;
    }
    status = VARVE_OK;
    for (unsigned i = 0; i < 2 && !moved && status == VARVE_OK; i++)
        status = judge_commit(views[i], i, err);
out:
    close(fd);
    return status;
}

/* ---- opening and closing ----------------------------------------------- */

static enum varve_status init_memory(struct store *store, struct varve_err *err)
{
    struct mem *mem = &store->mem;
    uint64_t seed = store->identity.seed;
    TRY(text_codec_make(&store->texts, mem, err));
    TRY(segment_builder_init(&store->segment_builder, mem, err));
    TRY(table_builder_init(&store->table_builder, mem, err));
    TRY(head_init(&store->head, mem, seed, err));
    TRY(rowset_init(&store->metrics, mem, seed, err));
    sealed_init(&store->sealed, mem, store->files, store->texts, seed);
    sealed_events_init(&store->sealed_events, mem, store->files, store->texts, seed);
    return VARVE_OK;
}

/* While main.mdb is being replaced nobody can open it; that takes a moment, not long. */
static enum varve_status wait_for_open_lock(struct store *store, struct varve_err *err)
{
    enum varve_status status = VARVE_BUSY;
    for (int i = 0; status == VARVE_BUSY && i < OPEN_TRIES; i++) {
        if (i > 0)
            usleep(OPEN_PAUSE_US);
        status = lock_open_store(&store->open_lock, store->path, store->read_only, err);
    }
    return status;
}

static enum varve_status open_files(struct store *store, unsigned flags, struct varve_err *err)
{
    char path[PATH_MAX];
    bool create = (flags & VARVE_CREATE) && !store->read_only;
    snprintf(path, sizeof path, "%s/main.mdb", store->path);
    if (!create && access(path, F_OK) != 0)
        return fail_errno(err, errno == ENOENT ? VARVE_NOTFOUND : VARVE_IO, errno, store->path,
                          "no store here");
    TRY(wait_for_open_lock(store, err));
    /* Whoever made or renamed the file may have been killed before the name was on disk. */
    store->name_unsure = true;
    TRY(env_open(&store->main, &store->mem, path,
                 (store->read_only ? ENV_RDONLY : 0u) | (create ? ENV_CREATE : 0u), 0, err));
    TRY(check_commits(store, err));
    TRY(read_identity(store, create, err));
    if (!store->read_only)
        store->has_reserve = reserve_keep(store->path);
    return segfiles_new(&store->files, &store->mem, store->path, store->read_only, err);
}

static enum varve_status new_store(const char *path, const struct varve_options *options,
                                   struct store **out, struct varve_err *err)
{
    struct mem mem;
    mem_init(&mem, &options->allocator, options->max_memory);
    struct store *store = mem_zalloc(&mem, sizeof *store);
    if (!store)
        return fail_nomem(err, sizeof *store);
    mem_init(&store->mem, &options->allocator, options->max_memory);
    store->path_size = strlen(path) + 1;
    store->path = mem_alloc(&store->mem, store->path_size);
    if (!store->path) {
        mem_free(&mem, store, sizeof *store);
        return fail_nomem(err, strlen(path) + 1);
    }
    memcpy(store->path, path, store->path_size);
    store->read_only = options->flags & VARVE_RDONLY;
    store->autoseal = !(options->flags & VARVE_NO_AUTOSEAL);
    store->seal_rows = options->seal_rows ? options->seal_rows : SEAL_ROWS_DEFAULT;
    store->seal_at = store->seal_rows;
    store->pid = getpid();
    store->open_lock.fd = -1;
    store->queue_end = &store->queue;
    pthread_mutex_init(&store->lock, NULL);
    pthread_mutex_init(&store->queue_lock, NULL);
    pthread_cond_init(&store->queue_moved, NULL);
    views_init(&store->views, &store->mem);
    arena_init(&store->scratch, &store->mem, 1 << 16);
    arena_init(&store->tables.arena, &store->mem, 1 << 12);
    buf_init(&store->entry, &store->mem, JOURNAL_ENTRY_MAX + (1u << 20));
    *out = store;
    return VARVE_OK;
}

enum varve_status store_open(struct store **out, const char *path,
                             const struct varve_options *options, struct varve_err *err)
{
    static const struct varve_options defaults;
    if (!options)
        options = &defaults;
    if (!path || !*path)
        return fail(err, VARVE_INVALID, "open", "no path given");
    if (strlen(path) > PATH_MAX - 64)
        return fail(err, VARVE_INVALID, "open", "the path is longer than %d bytes", PATH_MAX - 64);
    if ((options->flags & VARVE_CREATE) && !(options->flags & VARVE_RDONLY))
        TRY(directory_make(path, err));
    struct store *store = NULL;
    TRY(new_store(path, options, &store, err));
    enum varve_status status = registry_add(path, err);
    store->registered = status == VARVE_OK;
    if (status == VARVE_OK)
        status = open_files(store, options->flags, err);
    if (status == VARVE_OK)
        status = init_memory(store, err);
    if (status == VARVE_OK)
        *out = store;
    else
        store_close(store);
    return status;
}

/* Also closes what a failed open has got so far. */
static void close_all(struct store *store)
{
    views_clear(&store->views);
    head_free(&store->head);
    if (store->metrics.mem)
        rowset_free(&store->metrics);
    if (store->files) {
        sealed_free(&store->sealed);
        sealed_events_free(&store->sealed_events);
    }
    catalogue_drop(store->catalogue);
    table_builder_free(&store->table_builder);
    segment_builder_free(&store->segment_builder);
    text_codec_free(store->texts);
    segfiles_free(store->files);
    env_close(store->main);
    lock_release(&store->open_lock);
    if (store->registered)
        registry_remove(store->path);
    buf_free(&store->entry);
    arena_free(&store->scratch);
    arena_free(&store->tables.arena);
    mem_free(&store->mem, store->tables.names,
             store->tables.capacity * sizeof *store->tables.names);
    mem_free(&store->mem, store->path, store->path_size);
    pthread_cond_destroy(&store->queue_moved);
    pthread_mutex_destroy(&store->queue_lock);
    pthread_mutex_destroy(&store->lock);
}

void store_close(struct store *store)
{
    if (!store)
        return;
    struct mem mem;
    mem_init(&mem, &store->mem.allocator, 0);
    close_all(store);
    mem_free(&mem, store, sizeof *store);
}
