/* SPDX-License-Identifier: Apache-2.0
 *
 * export.h -- what the formats of `varve export` have in common.
 */
#ifndef SHELL_EXPORT_H
#define SHELL_EXPORT_H

#include <signal.h>
#include "export_out.h"
#include "progress.h"

struct export_metric {
    struct varve_str name, unit;
    enum varve_kind kind;
    int scale;
    uint64_t rows, series;  /* of all time */
    struct varve_str *keys; /* of labels, ascending */
    size_t key_count;
};

struct export_table {
    struct varve_str name;
    uint64_t rows;
    struct varve_str *columns; /* ascending */
    size_t column_count;
};

/* How far it is, in rows; those of metrics count twice, since some are read twice. */
struct export_meter {
    struct progress bar;
    uint64_t work;         /* all there is */
    uint64_t done, before; /* so far; of the metrics and tables that are finished */
    const volatile sig_atomic_t *interrupted;
};

struct export
{
    varve_snapshot *snapshot;
    int64_t since, until;
    bool narrowed;                 /* since is not the beginning of time */
    struct export_metric *metrics; /* by name */
    size_t metric_count;
    struct export_table *tables;
    size_t table_count;
    struct out *out;
    struct export_meter *meter;
};

/* Each writes everything it can say.  VARVE_IO without a message: the output failed. */
enum varve_status
export_otlp_metrics(const struct export *export, struct varve_err *err) VARVE_CHECKED;
enum varve_status
export_otlp_events(const struct export *export, struct varve_err *err) VARVE_CHECKED;
enum varve_status
export_openmetrics(const struct export *export, struct varve_err *err) VARVE_CHECKED;

/* So many rows more are done.  VARVE_IO where the output has failed, VARVE_INTERRUPTED. */
enum varve_status
export_step(const struct export *export, uint64_t rows, struct varve_err *err) VARVE_CHECKED;
/* The metric or table at hand is finished; it counted for that many rows. */
void export_finished(const struct export *export, uint64_t rows);
enum varve_status export_no_memory(struct varve_err *err);

#endif
