/* SPDX-License-Identifier: Apache-2.0
 *
 * analysis.h -- what `make lint` tells the analyzer before each file: the functions that report an
 * error return the status they were given, which is never VARVE_OK.  It sees one file at a time and
 * would else follow paths on which a failed call looks like a good one that filled nothing in.
 */
#ifndef SCRIPTS_ANALYSIS_H
#define SCRIPTS_ANALYSIS_H

#include "base/err.h"

#define fail(err, status, ...) ((void)(fail)((err), (status), __VA_ARGS__), (status))
#define fail_errno(err, status, ...) ((void)(fail_errno)((err), (status), __VA_ARGS__), (status))
#define fail_nomem(err, size) ((void)(fail_nomem)((err), (size)), VARVE_NOMEM)

#endif
