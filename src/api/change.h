/* SPDX-License-Identifier: Apache-2.0
 *
 * change.h -- statements that change the store, each in a commit of its own.
 */
#ifndef API_CHANGE_H
#define API_CHANGE_H

#include "api/result.h"
#include "lang/ast.h"

/* A statement on its way; it leaves a note in the result. */
struct running {
    struct varve_result *result;
    const struct statement *statement;
    struct lang_error *error;
};

enum varve_status change_set(struct running *run, struct varve_err *err) VARVE_CHECKED;
enum varve_status change_create(struct running *run, struct varve_err *err) VARVE_CHECKED;
enum varve_status change_drop(struct running *run, struct varve_err *err) VARVE_CHECKED;
enum varve_status change_delete(struct running *run, struct varve_err *err) VARVE_CHECKED;

#endif
