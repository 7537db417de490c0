/* SPDX-License-Identifier: Apache-2.0
 *
 * lmdb_toy.h -- a tiny LMDB database that knows what it must hold.
 *
 * The self tests of the fault tools use it as their victim.  Batch k puts five
 * values made from k, one of them over several pages, removes those of
 * batch k - 20 and sets `last` to k, all in one transaction.
 */
#ifndef FAULTS_LMDB_TOY_H
#define FAULTS_LMDB_TOY_H

#include <stdint.h>

#include <lmdb.h>

#include "guard.h"

/* 0 or an error of LMDB, as all of these. */
int toy_open(const char *directory, unsigned flags, MDB_env **env);
int toy_last(MDB_env *env, uint64_t *last); /* 0 in an empty database */
int toy_commit(MDB_env *env, uint64_t batch);
/* Looks at every value; -1: something else than the batches up to *last is there (text). */
int toy_verify(MDB_env *env, uint64_t *last, char text[GUARD_TEXT]);
/* Opens, verifies, closes. */
int toy_check(const char *directory, uint64_t *last, char text[GUARD_TEXT]);

#endif
