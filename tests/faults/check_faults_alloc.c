/* SPDX-License-Identifier: Apache-2.0
 *
 * check_faults_alloc.c -- memory runs out at the first, the second, ... request of each operation.
 *
 * Opening, making, appending, sealing, forgetting, compacting, reading: each is tried with its
 * n-th request for memory refused, once or from then on, for every n until it needs no more.  It
 * must succeed or say VARVE_NOMEM; then the same handle must be able to do it, the store holds
 * what it held or what it was told to hold, and after closing nothing is left allocated.
 *
 * LMDB and zstd take their memory from malloc, which is not refused here.
 */
#include <inttypes.h>
#include <stdio.h>

#include "alloc_fault.h"
#include "check_faults.h"
#include "files.h"
#include "workload.h"

enum { BASE_BATCHES = 45 }; /* the next batch is one after which old days are forgotten */

struct trial {
    const struct fault_run *run;
    struct alloc_fault fault;
    char base[FILES_PATH + 8], path[FILES_PATH + 8], nowhere[FILES_PATH + 8];
    varve *db;
    uint64_t acked;
    uint64_t tried;
    char text[GUARD_TEXT];
};

static enum varve_status
open_at(struct trial *t, const char *path, unsigned flags, struct varve_err *err)
{
    struct varve_options options = {.flags = flags, .allocator = t->fault.allocator};
    return varve_open(path, &options, &t->db, err);
}

static enum varve_status do_open(struct trial *t, struct varve_err *err)
{
    return open_at(t, t->path, 0, err);
}

static enum varve_status do_create(struct trial *t, struct varve_err *err)
{
    return open_at(t, t->nowhere, VARVE_CREATE, err);
}

static enum varve_status do_append(struct trial *t, struct varve_err *err)
{
    enum varve_status status = work_append(t->db, BASE_BATCHES + 1, err);
    if (status == VARVE_OK)
        t->acked = BASE_BATCHES + 1;
    return status;
}

static enum varve_status do_seal(struct trial *t, struct varve_err *err)
{
    return varve_seal(t->db, INT64_MAX, NULL, err);
}

/* Needs the batch after the base. */
static enum varve_status do_retain(struct trial *t, struct varve_err *err)
{
    return varve_retain(t->db, work_floor(t->acked), NULL, err);
}

static enum varve_status do_compact(struct trial *t, struct varve_err *err)
{
    return varve_compact(t->db, NULL, err);
}

static enum varve_status do_read(struct trial *t, struct varve_err *err)
{
    uint64_t last;
    enum work_verdict verdict = work_check(t->db, t->acked, &last, t->text, err);
    if (verdict == WORK_WRONG)
        err->status = VARVE_MISUSE;
    return verdict == WORK_RIGHT ? VARVE_OK : err->status;
}

static enum varve_status do_stats(struct trial *t, struct varve_err *err)
{
    struct varve_stats stats;
    return varve_stats(t->db, &stats, err);
}

struct operation {
    const char *name;
    enum varve_status (*run)(struct trial *t, struct varve_err *err);
    bool opens, writes, has_next; /* has_next: starts with one batch more than the base */
};
static const struct operation operations[] = {
    {"open", do_open, true, false, false},     {"create", do_create, true, true, false},
    {"append", do_append, false, true, false}, {"seal", do_seal, false, true, false},
    {"retain", do_retain, false, true, true},  {"compact", do_compact, false, true, false},
    {"read", do_read, false, false, false},    {"stats", do_stats, false, false, false},
};

static bool complain(struct trial *t, const char *what, const struct varve_err *err)
{
    if (err)
        work_error_text(what, err, t->text);
    fault_say(t->run, "%s: %s: %s; ", t->run->doing, what, t->text);
    return false;
}

/* Files as they were, an open handle where the operation wants one. */
static bool set_up(struct trial *t, const struct operation *op)
{
    struct varve_err err = {0};
    t->db = NULL;
    t->acked = op->run == do_create ? 0 : BASE_BATCHES;
    files_remove(t->nowhere);
    if (op->writes) {
        files_remove(t->path);
        files_copy(t->base, t->path);
    }
    if (op->opens)
        return true;
    if (open_at(t, t->path, 0, &err) != VARVE_OK)
        return complain(t, "setting up", &err);
    if (op->has_next && do_append(t, &err) != VARVE_OK)
        return complain(t, "setting up", &err);
    return true;
}

/* Again, with memory; and a look at everything. */
static bool recover(struct trial *t, const struct operation *op, bool done)
{
    struct varve_err err = {0};
    if (!(op->opens && done) && op->run(t, &err) != VARVE_OK)
        return complain(t, "with memory again", &err);
    if (do_read(t, &err) != VARVE_OK)
        return complain(t, "afterwards", err.status == VARVE_MISUSE ? NULL : &err);
    varve_close(t->db);
    return alloc_fault_is_clean(&t->fault) || complain(t, "memory leaked or was misused", NULL);
}

/* One round; *failed: how many requests were refused. */
static bool try_once(struct trial *t, const struct operation *op, enum alloc_fault_mode mode,
                     uint64_t nth, uint64_t *failed)
{
    struct varve_err err = {0};
    t->text[0] = 0;
    if (!set_up(t, op))
        return false;
    alloc_fault_arm(&t->fault, mode, nth);
    enum varve_status status = op->run(t, &err);
    *failed = t->fault.failed;
    alloc_fault_arm(&t->fault, ALLOC_FAULT_NEVER, 0);
    if (status != VARVE_OK && (status != VARVE_NOMEM || *failed == 0))
        return complain(t, "not clean", status == VARVE_MISUSE ? NULL : &err);
    t->tried++;
    return recover(t, op, status == VARVE_OK);
}

static bool try_all(struct trial *t, const struct operation *op, enum alloc_fault_mode mode)
{
    uint64_t failed = 1;
    files_remove(t->path);
    files_copy(t->base, t->path);
    for (uint64_t nth = 1; failed > 0; nth++) {
        fault_try(t->run, "%s, request %" PRIu64 "%s", op->name, nth,
                  mode == ALLOC_FAULT_ONCE ? "" : " and all later ones");
        if (!try_once(t, op, mode, nth, &failed))
            return false;
    }
    return true;
}

static bool make_base(struct trial *t)
{
    struct varve_err err = {0};
    uint64_t done;
    if (open_at(t, t->base, VARVE_CREATE, &err) != VARVE_OK)
        return complain(t, "making the store", &err);
    enum varve_status status = work_run(t->db, 1, BASE_BATCHES, &done, &err);
    varve_close(t->db);
    return status == VARVE_OK || complain(t, "making the store", &err);
}

bool check_alloc(const struct fault_run *run)
{
    char temp[FILES_PATH];
    struct trial t = {.run = run};
    files_temp(temp, "alloc");
    snprintf(t.base, sizeof t.base, "%s/base", temp);
    snprintf(t.path, sizeof t.path, "%s/db", temp);
    snprintf(t.nowhere, sizeof t.nowhere, "%s/new", temp);
    alloc_fault_init(&t.fault);
    bool good = make_base(&t);
    for (size_t i = 0; good && i < sizeof operations / sizeof *operations; i++)
        good = try_all(&t, &operations[i], ALLOC_FAULT_ONCE) &&
               try_all(&t, &operations[i], ALLOC_FAULT_STICKY);
    files_remove(temp);
    fault_say(run, "%" PRIu64 " requests refused in %d operations, each failed cleanly or got by",
              t.tried, (int)(sizeof operations / sizeof *operations));
    return good;
}
