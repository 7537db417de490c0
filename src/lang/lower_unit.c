/* SPDX-License-Identifier: Apache-2.0
 *
 * lower_unit.c -- the unit of what is computed from columns that have units.
 *
 * Dollars plus dollars are dollars; what is rounded, negated or chosen among dollars is dollars.
 * Anything else, the ratio of dollars and dollars among it, has no unit that a reader would miss.
 * A unit is something to show beside a number and never changes one.
 */
#include "lang/lower_private.h"

static bool is_constant(const struct term *term)
{
    return term->kind == TERM_CONST;
}

/* The unit that all arguments from `from` on share; constants go along with any. */
static struct varve_str
shared(const struct term *term, uint32_t from, const struct column_info *columns)
{
    struct varve_str unit = {0};
    for (uint32_t i = from; i < term->arg_count; i++) {
        if (is_constant(term->args[i]))
            continue;
        struct varve_str other = lower_term_unit(term->args[i], columns);
        if (other.size == 0 || (unit.size && !str_equal(unit, other)))
            return (struct varve_str){0};
        unit = other;
    }
    return unit;
}

struct varve_str lower_term_unit(const struct term *term, const struct column_info *columns)
{
    struct varve_str none = {0};
    if (term->kind == TERM_COLUMN)
        return columns[term->index].unit;
    if (term->kind == TERM_CONST)
        return none;
    switch (term->function) {
    case FUNCTION_ADD:
    case FUNCTION_SUB:
    case FUNCTION_MOD:
    case FUNCTION_COALESCE:
    case FUNCTION_LEAST:
    case FUNCTION_GREATEST:
        return shared(term, 0, columns);
    case FUNCTION_IF:
        return shared(term, 1, columns);
    case FUNCTION_NEG:
    case FUNCTION_ABS:
    case FUNCTION_ROUND:
    case FUNCTION_FLOOR:
    case FUNCTION_CEIL:
    case FUNCTION_NULLIF:
    case FUNCTION_FLOAT:
    case FUNCTION_INT:
        return lower_term_unit(term->args[0], columns);
    default:
        return none;
    }
}
