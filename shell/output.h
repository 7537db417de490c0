/* SPDX-License-Identifier: Apache-2.0
 *
 * output.h -- writes the rows of a result in one of the modes.
 *
 * A mode is an entry of a table: a name and a routine that takes all rows from where they come.
 * The modes for programs stream and write every value exactly; those for people look at the values
 * first, to line them up.
 */
#ifndef SHELL_OUTPUT_H
#define SHELL_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>
#include "varve.h"

enum output_mode {
    MODE_TABLE,
    MODE_LINE,
    MODE_CSV,
    MODE_TSV,
    MODE_JSON,
    MODE_JSONL,
    MODE_MARKDOWN,
    MODE_CHART,
    OUTPUT_MODES
};

/* How values are shown. */
struct style {
    enum output_mode mode;
    bool pretty; /* for people: thousands separators, rounded floats, local times */
    bool colour; /* escape sequences are welcome */
    bool utf8;   /* boxes and blocks; else ASCII */
    int width;   /* columns of the terminal; 0: any */
    struct varve_str zone;
    const varve_zone *local; /* times for people; NULL: UTC */
    const char *null;        /* what stands for NULL where it has no form of its own */
};

/* Where rows come from: a running result, or one that is kept. */
struct rows {
    const struct varve_column_info *columns;
    size_t column_count;
    /* VARVE_DONE behind the last; as varve_result_next. */
    enum varve_status (*next)(void *context, const struct varve_cell **cells, size_t *count,
                              struct varve_err *err);
    void *context;
};

struct output_format {
    const char *name;
    const char *help; /* one line */
    enum varve_status (*write)(FILE *stream, const struct style *style, const struct rows *rows,
                               struct varve_err *err);
};
extern const struct output_format output_formats[OUTPUT_MODES];

/* False if there is no mode of that name. */
bool output_find(const char *name, enum output_mode *mode);
struct rows output_rows(varve_result *result);

/* The modes themselves. */
enum varve_status write_table(FILE *stream, const struct style *style, const struct rows *rows,
                              struct varve_err *err);
enum varve_status
write_line(FILE *stream, const struct style *style, const struct rows *rows, struct varve_err *err);
enum varve_status
write_csv(FILE *stream, const struct style *style, const struct rows *rows, struct varve_err *err);
enum varve_status
write_tsv(FILE *stream, const struct style *style, const struct rows *rows, struct varve_err *err);
enum varve_status
write_json(FILE *stream, const struct style *style, const struct rows *rows, struct varve_err *err);
enum varve_status write_jsonl(FILE *stream, const struct style *style, const struct rows *rows,
                              struct varve_err *err);
enum varve_status write_markdown(FILE *stream, const struct style *style, const struct rows *rows,
                                 struct varve_err *err);
enum varve_status write_chart(FILE *stream, const struct style *style, const struct rows *rows,
                              struct varve_err *err);

#endif
