/* SPDX-License-Identifier: Apache-2.0
 *
 * verify.h -- reads every byte that matters and names all damage.
 *
 * The work is done in a child process: what kills LMDB there is a finding
 * here.  Findings come back through a pipe, one message each.
 */
#ifndef STORE_VERIFY_H
#define STORE_VERIFY_H

#include "varve.h"

enum varve_status
verify_store(const char *path, void (*report)(void *, const struct varve_err *), void *context,
             struct varve_verified *verified, struct varve_err *err) VARVE_CHECKED;

#endif
