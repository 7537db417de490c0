/* SPDX-License-Identifier: Apache-2.0
 *
 * export_list.h -- fills the lists of an export.
 */
#ifndef SHELL_EXPORT_LIST_H
#define SHELL_EXPORT_LIST_H

#include "export.h"

/* From export->snapshot.  With names of metrics: these only, and no tables. */
enum varve_status export_list(struct export *export, const struct varve_str *wanted, size_t count,
                              struct varve_err *err) VARVE_CHECKED;
/* Also after export_list has failed. */
void export_list_free(struct export *export);

#endif
