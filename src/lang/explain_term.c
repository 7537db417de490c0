/* SPDX-License-Identifier: Apache-2.0
 *
 * explain_term.c -- bound expressions as text: operators between their arguments, calls by name.
 *
 * Parentheses stand around every operator that is an argument, so the text says how it was
 * understood and not how it was written.  Columns have the names of the input's.
 */
#include <ctype.h>

#include "lang/explain_private.h"

void explain_put(struct buf *out, const char *text)
{
    buf_put(out, text, strlen(text));
}

void explain_str(struct buf *out, struct varve_str text)
{
    buf_put(out, text.data ? text.data : "", text.size);
}

/* A name as it is, or in double quotes where it would not be read as one word. */
void explain_name(struct buf *out, struct varve_str name)
{
    bool plain = name.size > 0;
    for (size_t i = 0; i < name.size; i++) {
        unsigned char c = (unsigned char)name.data[i];
        plain = plain && (isalpha(c) || c == '_' || (i > 0 && (isdigit(c) || c == '.')));
    }
    explain_put(out, plain ? "" : "\"");
    explain_str(out, name);
    explain_put(out, plain ? "" : "\"");
}

void explain_text(struct buf *out, struct varve_str text)
{
    explain_put(out, "'");
    for (size_t i = 0; i < text.size; i++)
        buf_put(out, text.data[i] == '\'' ? "''" : text.data + i, text.data[i] == '\'' ? 2 : 1);
    explain_put(out, "'");
}

static void put_value(struct buf *out, struct value value)
{
    char text[VALUE_TEXT_MAX];
    if (value.type == TYPE_TEXT)
        explain_text(out, value_str(value));
    else
        buf_put(out, text, value_print(value, text));
}

static void
put_args(struct buf *out, const struct term *term, uint32_t from, const struct column_info *columns)
{
    explain_put(out, "(");
    for (uint32_t i = from; i < term->arg_count; i++) {
        explain_put(out, i > from ? ", " : "");
        explain_term(out, term->args[i], columns);
    }
    explain_put(out, ")");
}

static void put_operand(struct buf *out, const struct term *term, const struct column_info *columns)
{
    bool wrap = term->kind == TERM_CALL && term->function < FUNCTION_IF;
    explain_put(out, wrap ? "(" : "");
    explain_term(out, term, columns);
    explain_put(out, wrap ? ")" : "");
}

static void
put_operator(struct buf *out, const struct term *term, const struct column_info *columns)
{
    const char *name = function_table[term->function].name;
    bool behind = term->function == FUNCTION_ISNULL || term->function == FUNCTION_NOTNULL;
    if (term->function == FUNCTION_IN) {
        put_operand(out, term->args[0], columns);
        explain_put(out, " IN ");
        put_args(out, term, 1, columns);
    } else if (term->arg_count == 1) {
        explain_put(out, behind ? "" : name);
        explain_put(out, term->function == FUNCTION_NOT ? " " : "");
        put_operand(out, term->args[0], columns);
        explain_put(out, behind ? " " : "");
        explain_put(out, behind ? name : "");
    } else {
        for (uint32_t i = 0; i < term->arg_count; i++) {
            explain_put(out, i ? " " : "");
            explain_put(out, i ? name : "");
            explain_put(out, i ? " " : "");
            put_operand(out, term->args[i], columns);
        }
    }
}

void explain_term(struct buf *out, const struct term *term, const struct column_info *columns)
{
    if (term->kind == TERM_CONST) {
        put_value(out, term->value);
    } else if (term->kind == TERM_COLUMN) {
        explain_name(out, columns[term->index].name);
    } else if (term->function < FUNCTION_IF) {
        put_operator(out, term, columns);
    } else {
        explain_put(out, function_table[term->function].name);
        put_args(out, term, 0, columns);
    }
}
