/* SPDX-License-Identifier: Apache-2.0
 *
 * verify.c -- checks a store in a child process.
 *
 * Three layers, each checked as far as the one below is sound: the pages of
 * every file, the checksum of every value, the promises of every segment and
 * what the catalogue says of it.  A finding ends the check of the thing it is
 * about, not of its neighbours.
 */
#include "store/verify.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/store.h"

#define EPOCH_TRIES 100

/* What the child writes into the pipe; smaller than PIPE_BUF, so written whole. */
struct message {
    enum { FINDING, TOTAL, REFUSAL } what; /* REFUSAL: the check could not begin, and why */
    struct varve_err err;
    struct varve_verified total;
};

struct checking {
    int pipe;
    struct store *store;
    struct arena arena;
    struct buf entry;
    struct varve_verified total;
};

/* ---- in the child ------------------------------------------------------- */

static void send_message(struct checking *c, const struct message *message)
{
    ssize_t n;
    do
        n = write(c->pipe, message, sizeof *message);
    while (n < 0 && errno == EINTR);
}

static void finding(struct checking *c, const struct varve_err *err)
{
    struct message message = {.what = FINDING, .err = *err};
    c->total.findings++;
    send_message(c, &message);
}

/* Sends what a check said, unless it is VARVE_OK or VARVE_DONE. */
static bool sound(struct checking *c, enum varve_status status, const struct varve_err *err)
{
    if (status == VARVE_OK || status == VARVE_DONE)
        return true;
    finding(c, err);
    return false;
}

static enum varve_status
disagree(struct varve_err *err, const char *place, const char *what, uint64_t said, uint64_t found)
{
    return fail(err, VARVE_CORRUPT, place, "the catalogue says %llu %s, the segment has %llu",
                (unsigned long long)said, what, (unsigned long long)found);
}

static enum varve_status
check_metrics(struct checking *c, const uint8_t *bytes, size_t size, uint64_t seed,
              const char *place, const struct day_record *record, struct varve_err *err)
{
    struct segment segment;
    uint64_t points = 0;
    TRY(segment_open(&segment, &c->arena, c->store->texts, bytes, size, seed, place, err));
    TRY(segment_verify(&segment, err));
    c->total.rows += segment.blob.head.rows;
    if (!record)
        return VARVE_OK;
    for (uint32_t m = 0; m < segment.metric_count; m++)
        points += segment.metrics[m].points;
    if (record->rows != segment.blob.head.rows)
        return disagree(err, place, "rows", record->rows, segment.blob.head.rows);
    if (record->points != points)
        return disagree(err, place, "points", record->points, points);
    if (record->first != segment.blob.head.first || record->last != segment.blob.head.last)
        return fail(err, VARVE_CORRUPT, place, "the catalogue says other times than the segment");
    return VARVE_OK;
}

static enum varve_status
check_events(struct checking *c, const uint8_t *bytes, size_t size, uint64_t seed,
             const char *place, const struct day_record *record, struct varve_err *err)
{
    struct table table;
    TRY(table_open(&table, &c->arena, c->store->texts, bytes, size, seed, place, err));
    TRY(table_verify(&table, err));
    c->total.rows += table.rows;
    if (record && record->rows != table.rows)
        return disagree(err, place, "rows", record->rows, table.rows);
    return VARVE_OK;
}

static void check_sealed(struct checking *c, const struct day_record *d)
{
    struct varve_err err = {0};
    struct segfile *file;
    struct segfile_id file_id = {month_of_day(d->day), d->file_generation};
    struct segment_id id = {d->day, d->table, d->generation};
    uint64_t seed = segment_seed(c->store->identity.seed, d->day, d->table, d->generation);
    const uint8_t *bytes;
    size_t size;
    char place[64], day[INSTANT_TEXT];
    day_text(d->day, day);
    snprintf(place, sizeof place, "sealed %s, table %u", day, d->table);
    if (!sound(c, segfile_acquire(c->store->files, file_id, &file, &err), &err))
        return;
    enum varve_status status = segfile_get(file, id, &bytes, &size, &err);
    if (status == VARVE_OK) {
        c->total.values++;
        c->total.bytes += size;
        status = d->table == 0 ? check_metrics(c, bytes, size, seed, place, d, &err)
                               : check_events(c, bytes, size, seed, place, d, &err);
    }
    sound(c, status, &err);
    segfile_release(c->store->files, file);
}

/* Every value of main.mdb against its checksum. */
static void check_values(struct checking *c, struct txn *txn)
{
    struct varve_err err = {0};
    struct walk *walk;
    struct env_key key = {.size = 0};
    struct env_value value;
    if (!sound(c, walk_begin(txn, &key, 0, &walk, &err), &err))
        return;
    for (;;) {
        enum varve_status status = walk_next(walk, true, &key, &value, &err);
        if (status == VARVE_DONE)
            break;
        if (!sound(c, status, &err)) {
            if (status != VARVE_CORRUPT)
                break;
            continue;
        }
        c->total.values++;
        c->total.bytes += value.size;
    }
    walk_end(walk);
}

static void check_entry(struct checking *c, uint64_t seq)
{
    struct journal_cursor cursor = {0, 0};
    struct journal_part part;
    char place[64];
    snprintf(place, sizeof place, "main.mdb, journal %llu", (unsigned long long)seq);
    while (journal_part(&c->entry, &cursor, &part)) {
        struct varve_err err = {0};
        uint64_t seed = part_seed(c->store->identity.seed, part.day, part.table, seq);
        arena_clear(&c->arena);
        sound(c,
              part.table == 0 ? check_metrics(c, part.bytes, part.size, seed, place, NULL, &err)
                              : check_events(c, part.bytes, part.size, seed, place, NULL, &err),
              &err);
    }
}

static void check_journal(struct checking *c, struct txn *txn, const struct state *state)
{
    struct varve_err err = {0};
    uint64_t found = 0;
    for (uint64_t seq = state->first_seq; seq < state->next_seq; seq++) {
        enum varve_status status = journal_next(txn, &seq, &err);
        if (status == VARVE_NOTFOUND || (status == VARVE_OK && seq >= state->next_seq))
            break;
        if (!sound(c, status, &err))
            return;
        found++;
        if (sound(c, journal_get(txn, seq, &c->entry, &err), &err))
            check_entry(c, seq);
    }
    if (found != state->entries) {
        fail(&err, VARVE_CORRUPT, "main.mdb",
             "the journal has %llu entries where the state says %llu", (unsigned long long)found,
             (unsigned long long)state->entries);
        finding(c, &err);
    }
}

/* Keeps the month files that the catalogue names now, as a snapshot does.  What is wrong with the
 * state is found again, and said, when it is checked. */
static void lock_current_epoch(struct checking *c, struct lock *epoch)
{
    uint64_t locked = 0;
    epoch->fd = -1;
    for (int tries = 0; tries < EPOCH_TRIES; tries++) {
        struct txn *txn;
        struct state state;
        if (env_begin_read(c->store->main, &txn, NULL) != VARVE_OK)
            return;
        enum varve_status status = state_get(txn, &state, NULL);
        txn_abort(txn);
        if (status != VARVE_OK || state.epoch == locked)
            return;
        lock_release(epoch);
        locked = state.epoch;
        if (c->store->open_lock.fd < 0 ||
            lock_epoch(epoch, c->store->path, locked, NULL) != VARVE_OK)
            return;
    }
}

static void check_contents(struct checking *c)
{
    struct varve_err err = {0};
    struct txn *txn;
    struct state state;
    struct catalogue *catalogue;
    if (!sound(c, env_begin_read(c->store->main, &txn, &err), &err))
        return;
    check_values(c, txn);
    if (sound(c, state_get(txn, &state, &err), &err)) {
        check_journal(c, txn, &state);
        if (sound(c, catalogue_load(txn, &state, &c->store->mem, NULL, &catalogue, &err), &err)) {
            for (size_t i = 0; i < catalogue->count; i++) {
                arena_clear(&c->arena);
                check_sealed(c, &catalogue->days[i]);
            }
            catalogue_drop(catalogue);
        }
    }
    txn_abort(txn);
}

static int count_file(void *context, struct segfile_id id)
{
    (void)id;
    ++*(uint64_t *)context;
    return 0;
}

static void check_open_store(struct checking *c)
{
    struct varve_err err = {0};
    struct lock epoch;
    arena_init(&c->arena, &c->store->mem, 1 << 16);
    buf_init(&c->entry, &c->store->mem, JOURNAL_ENTRY_MAX);
    c->total.files = 1;
    lock_current_epoch(c, &epoch);
    sound(c, segfiles_list(c->store->files, count_file, &c->total.files, &err), &err);
    check_contents(c);
    lock_release(&epoch);
    arena_free(&c->arena);
    buf_free(&c->entry);
    store_close(c->store);
}

/* A store that cannot be opened is damaged only if that is what opening says. */
static void check_store(const char *path, int pipe)
{
    struct checking c = {.pipe = pipe};
    struct message message = {.what = TOTAL};
    struct varve_options options = {.flags = VARVE_RDONLY};
    enum varve_status status = store_open(&c.store, path, &options, &message.err);
    if (status == VARVE_OK)
        check_open_store(&c);
    else if (status == VARVE_CORRUPT || status == VARVE_IO)
        finding(&c, &message.err);
    else
        message.what = REFUSAL;
    message.total = c.total;
    send_message(&c, &message);
}

/* ---- in the parent ------------------------------------------------------ */

static bool receive(int pipe, struct message *message)
{
    size_t have = 0;
    while (have < sizeof *message) {
        ssize_t n = read(pipe, (char *)message + have, sizeof *message - have);
        if (n == 0 || (n < 0 && errno != EINTR))
            return false;
        have += n > 0 ? (size_t)n : 0;
    }
    return true;
}

/* Reads what the child says until it is gone; *complete: it got to the end. */
static void listen_to(int pipe, void (*report)(void *, const struct varve_err *), void *context,
                      struct varve_verified *total, struct varve_err *refusal, bool *complete)
{
    struct message message;
    *complete = false;
    while (receive(pipe, &message)) {
        if (message.what == FINDING) {
            total->findings++;
            if (report)
                report(context, &message.err);
            continue;
        }
        *total = message.total;
        *complete = true;
        if (message.what == REFUSAL)
            *refusal = message.err;
    }
}

enum varve_status
verify_store(const char *path, void (*report)(void *, const struct varve_err *), void *context,
             struct varve_verified *verified, struct varve_err *err)
{
    int ends[2], how = 0;
    struct varve_verified total = {0};
    struct varve_err refusal = {.status = VARVE_OK};
    bool complete = false;
    TRY(registry_add(path, err)); /* not open here, and nobody opens it meanwhile */
    if (pipe(ends) != 0) {
        registry_remove(path);
        return fail_errno(err, VARVE_IO, errno, "verify", "cannot make a pipe");
    }
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        registry_remove(path);
        check_store(path, ends[1]);
        _exit(0);
    }
    close(ends[1]);
    if (child > 0)
        listen_to(ends[0], report, context, &total, &refusal, &complete);
    close(ends[0]);
    registry_remove(path);
    if (child < 0)
        return fail_errno(err, VARVE_IO, errno, "verify", "cannot start a child process");
    while (waitpid(child, &how, 0) < 0 && errno == EINTR)
        ;
    if (!complete) {
        struct varve_err died;
        fail(&died, VARVE_CORRUPT, path, "the check was killed by signal %d: restore from a backup",
             WIFSIGNALED(how) ? WTERMSIG(how) : 0);
        total.findings++;
        if (report)
            report(context, &died);
    }
    if (refusal.status != VARVE_OK) {
        if (err)
            *err = refusal;
        return refusal.status;
    }
    if (verified)
        *verified = total;
    if (total.findings > 0)
        return fail(err, VARVE_CORRUPT, path, "%llu findings", (unsigned long long)total.findings);
    return VARVE_OK;
}
