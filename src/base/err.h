/* SPDX-License-Identifier: Apache-2.0
 *
 * err.h -- reporting failure: one status, one place, one message.
 *
 * A function that can fail returns enum varve_status and takes the caller's
 * struct varve_err last, which may be NULL.  The first error is the one that
 * counts: cleanup code passes NULL.  Nothing here allocates.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "varve.h"

/* Returns the status of a failed call at once; `out:` is for those that own something. */
#define TRY(expression)                               \
    do {                                              \
        enum varve_status try_status_ = (expression); \
        if (try_status_ != VARVE_OK)                  \
            return try_status_;                       \
    } while (0)

/* Sets `status`, which the function returns, and goes to its one exit. */
#define TRYOUT(expression)      \
    do {                        \
        status = (expression);  \
        if (status != VARVE_OK) \
            goto out;           \
    } while (0)

/* Fills *err (if not NULL) and returns status.  place may be "", and the
 * arguments may point into *err itself.  What is too long is cut between two
 * characters of UTF-8. */
enum varve_status fail(struct varve_err *err, enum varve_status status, const char *place,
                       const char *format, ...) VARVE_PRINTF(4, 5);
/* The same with errno's text appended; ENOSPC and EDQUOT become VARVE_FULL, ENOMEM VARVE_NOMEM,
 * whatever `status` says. */
enum varve_status fail_errno(struct varve_err *err, enum varve_status status, int sys,
                             const char *place, const char *format, ...) VARVE_PRINTF(5, 6);
enum varve_status fail_nomem(struct varve_err *err, size_t size);

/* "VARVE_CORRUPT", "damaged bytes were found"; never NULL, whatever the number. */
const char *status_name(enum varve_status status);
const char *status_text(enum varve_status status);

#endif
