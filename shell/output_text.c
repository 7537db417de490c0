/* SPDX-License-Identifier: Apache-2.0
 *
 * output_text.c -- the modes that programs read: csv, tsv, json, jsonl; and those of plain lines.
 *
 * Each row is written as it comes, so a million rows take no more memory than a thousand.
 */
#include <math.h>
#include <string.h>

#include "cell.h"

/* Calls `row` for each row; stops when the stream has failed, which the end of the program tells.
 * */
static enum varve_status each_row(FILE *stream, const struct style *style, const struct rows *rows,
                                  void (*row)(FILE *, const struct style *, const struct rows *,
                                              const struct varve_cell *, uint64_t),
                                  struct varve_err *err)
{
    const struct varve_cell *cells;
    size_t count;
    uint64_t number = 0;
    enum varve_status status;
    while ((status = rows->next(rows->context, &cells, &count, err)) == VARVE_OK)
        for (size_t i = 0; i < count && !ferror(stream); i++)
            row(stream, style, rows, cells + i * rows->column_count, number++);
    return status == VARVE_DONE ? VARVE_OK : status;
}

static void put(FILE *stream, struct varve_str text)
{
    fwrite(text.data, 1, text.size, stream);
}

/* ---- csv ---------------------------------------------------------------------- */

static void put_csv(FILE *stream, struct varve_str text)
{
    bool plain = text.size > 0;
    for (size_t i = 0; i < text.size && plain; i++)
        plain = !strchr(",\"\r\n", text.data[i]) || text.data[i] == '\0';
    if (plain && text.data[0] != ' ' && text.data[text.size - 1] != ' ') {
        put(stream, text);
        return;
    }
    fputc('"', stream);
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '"')
            fputc('"', stream);
        fputc(text.data[i], stream);
    }
    fputc('"', stream);
}

/* ---- tsv ------------------------------------------------------------------------ */

static void put_tsv(FILE *stream, struct varve_str text)
{
    for (size_t i = 0; i < text.size; i++) {
        const char *escape = text.data[i] == '\t'   ? "\\t"
                             : text.data[i] == '\n' ? "\\n"
                             : text.data[i] == '\r' ? "\\r"
                             : text.data[i] == '\\' ? "\\\\"
                                                    : NULL;
        if (escape)
            fputs(escape, stream);
        else
            fputc(text.data[i], stream);
    }
}

/* ---- separated values ------------------------------------------------------------- */

static void put_separated(FILE *stream, enum output_mode mode, struct varve_str text)
{
    if (mode == MODE_CSV)
        put_csv(stream, text);
    else
        put_tsv(stream, text);
}

static char separator(enum output_mode mode)
{
    return mode == MODE_CSV ? ',' : '\t';
}

/* NULL is nothing at all; in CSV an empty text is "". */
static void separated_row(FILE *stream, enum output_mode mode, const struct rows *rows,
                          const struct varve_cell *cells)
{
    char text[CELL_TEXT];
    for (size_t c = 0; c < rows->column_count; c++) {
        if (c > 0)
            fputc(separator(mode), stream);
        if (cells[c].type == VARVE_CELL_TEXT)
            put_separated(stream, mode, cells[c].as.s);
        else
            fwrite(text, 1, cell_exact(&cells[c], text), stream);
    }
    fputc('\n', stream);
}

static void separated_header(FILE *stream, enum output_mode mode, const struct rows *rows)
{
    for (size_t c = 0; c < rows->column_count; c++) {
        if (c > 0)
            fputc(separator(mode), stream);
        put_separated(stream, mode, rows->columns[c].name);
    }
    fputs(rows->column_count ? "\n" : "", stream);
}

static void csv_row(FILE *stream, const struct style *style, const struct rows *rows,
                    const struct varve_cell *cells, uint64_t number)
{
    (void)style;
    (void)number;
    separated_row(stream, MODE_CSV, rows, cells);
}

enum varve_status
write_csv(FILE *stream, const struct style *style, const struct rows *rows, struct varve_err *err)
{
    separated_header(stream, MODE_CSV, rows);
    return each_row(stream, style, rows, csv_row, err);
}

static void tsv_row(FILE *stream, const struct style *style, const struct rows *rows,
                    const struct varve_cell *cells, uint64_t number)
{
    (void)style;
    (void)number;
    separated_row(stream, MODE_TSV, rows, cells);
}

enum varve_status
write_tsv(FILE *stream, const struct style *style, const struct rows *rows, struct varve_err *err)
{
    separated_header(stream, MODE_TSV, rows);
    return each_row(stream, style, rows, tsv_row, err);
}

/* ---- json ------------------------------------------------------------------------- */

static void put_json(FILE *stream, struct varve_str text)
{
    fputc('"', stream);
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c == '"' || c == '\\')
            fprintf(stream, "\\%c", c);
        else if (c == '\n')
            fputs("\\n", stream);
        else if (c == '\t')
            fputs("\\t", stream);
        else if (c < 0x20 || c == 0x7f)
            fprintf(stream, "\\u%04x", c);
        else
            fputc(c, stream);
    }
    fputc('"', stream);
}

static void put_json_cell(FILE *stream, const struct varve_cell *cell)
{
    char text[CELL_TEXT];
    size_t size = cell_exact(cell, text);
    switch (cell->type) {
    case VARVE_CELL_NULL:
        fputs("null", stream);
        return;
    case VARVE_CELL_TEXT:
        put_json(stream, cell->as.s);
        return;
    case VARVE_CELL_TIME:
        put_json(stream, (struct varve_str){text, size});
        return;
    case VARVE_CELL_FLOAT:
        if (!isfinite(cell->as.f)) {
            fputs(isnan(cell->as.f) ? "\"NaN\"" : cell->as.f > 0 ? "\"+Inf\"" : "\"-Inf\"", stream);
            return;
        }
        break;
    case VARVE_CELL_BOOL:
    case VARVE_CELL_INT:
    case VARVE_CELL_NANO:
    case VARVE_CELL_DURATION:
        break;
    }
    fwrite(text, 1, size, stream);
}

static void put_object(FILE *stream, const struct rows *rows, const struct varve_cell *cells)
{
    fputc('{', stream);
    for (size_t c = 0; c < rows->column_count; c++) {
        fputs(c > 0 ? "," : "", stream);
        put_json(stream, rows->columns[c].name);
        fputc(':', stream);
        put_json_cell(stream, &cells[c]);
    }
    fputc('}', stream);
}

static void json_row(FILE *stream, const struct style *style, const struct rows *rows,
                     const struct varve_cell *cells, uint64_t number)
{
    (void)style;
    fputs(number > 0 ? ",\n " : "\n ", stream);
    put_object(stream, rows, cells);
}

enum varve_status
write_json(FILE *stream, const struct style *style, const struct rows *rows, struct varve_err *err)
{
    if (rows->column_count == 0)
        return each_row(stream, style, rows, json_row, err);
    fputc('[', stream);
    enum varve_status status = each_row(stream, style, rows, json_row, err);
    if (status == VARVE_OK)
        fputs("\n]\n", stream);
    return status;
}

static void jsonl_row(FILE *stream, const struct style *style, const struct rows *rows,
                      const struct varve_cell *cells, uint64_t number)
{
    (void)style;
    (void)number;
    put_object(stream, rows, cells);
    fputc('\n', stream);
}

enum varve_status
write_jsonl(FILE *stream, const struct style *style, const struct rows *rows, struct varve_err *err)
{
    return each_row(stream, style, rows, jsonl_row, err);
}

/* ---- line and markdown ---------------------------------------------------------------- */

static void line_row(FILE *stream, const struct style *style, const struct rows *rows,
                     const struct varve_cell *cells, uint64_t number)
{
    char text[CELL_TEXT];
    int widest = 0;
    fputs(number > 0 ? "\n" : "", stream);
    for (size_t c = 0; c < rows->column_count; c++)
        if (text_width(rows->columns[c].name) > widest)
            widest = text_width(rows->columns[c].name);
    for (size_t c = 0; c < rows->column_count; c++) {
        fprintf(stream, "%*s", widest - text_width(rows->columns[c].name), "");
        put(stream, rows->columns[c].name);
        fputs(" = ", stream);
        put(stream, cell_shown(style, &rows->columns[c], &cells[c], text));
        fputc('\n', stream);
    }
}

enum varve_status
write_line(FILE *stream, const struct style *style, const struct rows *rows, struct varve_err *err)
{
    return each_row(stream, style, rows, line_row, err);
}

static void put_markdown(FILE *stream, struct varve_str text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '|' || text.data[i] == '\\')
            fputc('\\', stream);
        if (text.data[i] == '\n' || text.data[i] == '\r')
            fputs("<br>", stream);
        else
            fputc(text.data[i], stream);
    }
}

static void markdown_row(FILE *stream, const struct style *style, const struct rows *rows,
                         const struct varve_cell *cells, uint64_t number)
{
    char text[CELL_TEXT];
    (void)number;
    for (size_t c = 0; c < rows->column_count; c++) {
        fputs("| ", stream);
        put_markdown(stream, cell_shown(style, &rows->columns[c], &cells[c], text));
        fputc(' ', stream);
    }
    fputs("|\n", stream);
}

enum varve_status write_markdown(FILE *stream, const struct style *style, const struct rows *rows,
                                 struct varve_err *err)
{
    for (size_t c = 0; c < rows->column_count; c++) {
        fputs("| ", stream);
        put_markdown(stream, rows->columns[c].name);
        fputc(' ', stream);
    }
    fputs(rows->column_count ? "|\n" : "", stream);
    for (size_t c = 0; c < rows->column_count; c++) {
        enum varve_cell_type type = rows->columns[c].type;
        fputs(type == VARVE_CELL_INT || type == VARVE_CELL_NANO || type == VARVE_CELL_FLOAT
                  ? "|---:"
                  : "|:---",
              stream);
    }
    fputs(rows->column_count ? "|\n" : "", stream);
    return each_row(stream, style, rows, markdown_row, err);
}
