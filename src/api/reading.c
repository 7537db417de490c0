/* SPDX-License-Identifier: Apache-2.0
 *
 * reading.c -- the public interface: snapshots, lists, scans.
 */
#include <unistd.h>

#include "api/api.h"
#include "store/visit.h"

enum varve_status varve_snapshot_open(varve *db, varve_snapshot **snapshot, struct varve_err *err)
{
    struct snapshot *s;
    TRY(api_check(store_of(db), "varve_snapshot_open", err));
    TRY(snapshot_open(store_of(db), &s, err));
    *snapshot = (varve_snapshot *)(void *)s;
    return VARVE_OK;
}

/* A child that was forked off closes nothing: the locks of its copies are its parent's. */
static bool is_own(const struct store *store)
{
    return store->pid == getpid();
}

void varve_snapshot_close(varve_snapshot *snapshot)
{
    if (snapshot && is_own(snapshot_of(snapshot)->store))
        snapshot_close(snapshot_of(snapshot));
}

static enum varve_status
check_snapshot(varve_snapshot *snapshot, const char *call, struct varve_err *err)
{
    return api_check(snapshot ? snapshot_of(snapshot)->store : NULL, call, err);
}

enum varve_status varve_visit_metrics(varve_snapshot *snapshot,
                                      int (*visit)(void *, const struct varve_metric_info *),
                                      void *context, struct varve_err *err)
{
    TRY(check_snapshot(snapshot, "varve_visit_metrics", err));
    return visit_metrics(snapshot_of(snapshot), visit, context, err);
}

enum varve_status
varve_visit_tables(varve_snapshot *snapshot, int (*visit)(void *, const struct varve_table_info *),
                   void *context, struct varve_err *err)
{
    TRY(check_snapshot(snapshot, "varve_visit_tables", err));
    return visit_tables(snapshot_of(snapshot), visit, context, err);
}

enum varve_status varve_visit_labels(varve_snapshot *snapshot, struct varve_str metric_or_table,
                                     int (*visit)(void *, const struct varve_count_info *),
                                     void *context, struct varve_err *err)
{
    TRY(check_snapshot(snapshot, "varve_visit_labels", err));
    return visit_labels(snapshot_of(snapshot), metric_or_table, visit, context, err);
}

enum varve_status varve_visit_columns(varve_snapshot *snapshot, struct varve_str table,
                                      int (*visit)(void *, const struct varve_count_info *),
                                      void *context, struct varve_err *err)
{
    TRY(check_snapshot(snapshot, "varve_visit_columns", err));
    return visit_columns(snapshot_of(snapshot), table, visit, context, err);
}

enum varve_status
varve_visit_values(varve_snapshot *snapshot, struct varve_str metric_or_table,
                   struct varve_str label, int (*visit)(void *, const struct varve_count_info *),
                   void *context, struct varve_err *err)
{
    TRY(check_snapshot(snapshot, "varve_visit_values", err));
    return visit_values(snapshot_of(snapshot), metric_or_table, label, visit, context, err);
}

enum varve_status varve_scan_open(varve_snapshot *snapshot, const struct varve_query *query,
                                  varve_scan **scan, struct varve_err *err)
{
    struct scan *s;
    TRY(check_snapshot(snapshot, "varve_scan_open", err));
    if (!query)
        return fail(err, VARVE_MISUSE, "varve_scan_open", "no query given");
    TRY(scan_open(snapshot_of(snapshot), query, &s, err));
    *scan = (varve_scan *)(void *)s;
    return VARVE_OK;
}

void varve_scan_close(varve_scan *scan)
{
    if (scan && is_own(scan_of(scan)->snapshot->store))
        scan_close(scan_of(scan));
}

enum varve_status varve_scan_rows(varve_scan *scan, struct varve_rows *rows, struct varve_err *err)
{
    TRY(api_check(scan ? scan_of(scan)->snapshot->store : NULL, "varve_scan_rows", err));
    return scan_rows(scan_of(scan), rows, err);
}

enum varve_status varve_scan_runs(varve_scan *scan, struct varve_runs *runs, struct varve_err *err)
{
    TRY(api_check(scan ? scan_of(scan)->snapshot->store : NULL, "varve_scan_runs", err));
    return scan_runs(scan_of(scan), runs, err);
}

void varve_scan_stats(const varve_scan *scan, struct varve_scan_stats *stats)
{
    *stats = ((const struct scan *)(const void *)scan)->stats;
}
