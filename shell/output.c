/* SPDX-License-Identifier: Apache-2.0
 *
 * output.c -- the table of output modes.
 */
#include "output.h"

#include <string.h>

const struct output_format output_formats[OUTPUT_MODES] = {
    [MODE_TABLE] = {"table", "boxes, numbers to the right; the default on a terminal", write_table},
    [MODE_LINE] = {"line", "one line a value: NAME = VALUE", write_line},
    [MODE_CSV] = {"csv", "comma-separated, with a header (RFC 4180)", write_csv},
    [MODE_TSV] = {"tsv", "tab-separated, with a header; the default in a pipe", write_tsv},
    [MODE_JSON] = {"json", "one array of objects", write_json},
    [MODE_JSONL] = {"jsonl", "one object a line", write_jsonl},
    [MODE_MARKDOWN] = {"markdown", "a table for documents", write_markdown},
    [MODE_CHART] = {"chart", "a picture: lines, bars, a calendar; else the table", write_chart},
};

bool output_find(const char *name, enum output_mode *mode)
{
    for (int i = 0; i < OUTPUT_MODES; i++)
        if (strcmp(name, output_formats[i].name) == 0) {
            *mode = (enum output_mode)i;
            return true;
        }
    return false;
}

static enum varve_status
next_of_result(void *context, const struct varve_cell **cells, size_t *count, struct varve_err *err)
{
    return varve_result_next(context, cells, count, err);
}

struct rows output_rows(varve_result *result)
{
    struct rows rows = {.next = next_of_result, .context = result};
    rows.columns = varve_result_columns(result, &rows.column_count);
    return rows;
}
