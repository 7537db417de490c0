/* SPDX-License-Identifier: Apache-2.0
 *
 * term_fast.c -- comparisons, arithmetic and conditions as loops over arrays.
 *
 * Arguments that are plain numbers, or one number for all rows, are seen as lanes: arrays of one
 * type, with a bit a row that says whether there is a value.  What needs more care than a loop has
 * (an integer that overflows, an integer beside a decimal) is left to the routines, so that
 * both ways give the same values.
 */
#include <math.h>

#include "exec/term_private.h"

enum { WORDS = BATCH_ROWS / 64 };

struct lane {
    enum value_type type; /* TYPE_FLOAT: floats */
    const int64_t *ints;
    const double *floats;
    const uint64_t *present; /* NULL: all are */
};

/* The type in which a constant is compared or computed with numbers of another type, if it is
 * exactly the same there. */
static enum value_type spread_type(const struct step *step, struct value v, enum value_type beside)
{
    const int64_t most = INT64_C(1) << 53;
    if (v.type == TYPE_INT && beside == TYPE_FLOAT && v.as.i <= most && v.as.i >= -most)
        return TYPE_FLOAT;
    if (v.type == TYPE_INT && beside == TYPE_NANO && step->function <= FUNCTION_GE &&
        v.as.i <= INT64_MAX / NANO && v.as.i >= -(INT64_MAX / NANO))
        return TYPE_NANO;
    return (enum value_type)v.type;
}

/* A constant of the term in every row, made once. */
static enum varve_status
spread(struct program *program, const struct step *step, struct step *constant,
       enum value_type beside, struct lane *lane, struct varve_err *err)
{
    struct value v = constant->value;
    *lane = (struct lane){.type = spread_type(step, v, beside)};
    if (lane->type == TYPE_FLOAT) {
        bool is_new = !constant->floats;
        TRY(step_floats(program, constant, err));
        for (uint32_t i = 0; is_new && i < BATCH_ROWS; i++)
            constant->floats[i] = value_double(v);
        lane->floats = constant->floats;
        return VARVE_OK;
    }
    int64_t i = lane->type == TYPE_NANO && v.type == TYPE_INT ? v.as.i * NANO : v.as.i;
    bool is_new = !constant->ints;
    TRY(step_ints(program, constant, err));
    is_new = is_new || constant->ints[0] != i; /* a decimal before, perhaps */
    for (uint32_t row = 0; is_new && row < BATCH_ROWS; row++)
        constant->ints[row] = i;
    lane->ints = constant->ints;
    return VARVE_OK;
}

static bool lane_of(const struct vector *v, struct lane *lane)
{
    *lane = (struct lane){.type = v->form == VECTOR_INTS ? v->type : TYPE_FLOAT,
                          .ints = v->ints,
                          .floats = v->floats,
                          .present = v->present};
    return v->form == VECTOR_INTS || v->form == VECTOR_FLOATS;
}

/* The arguments as lanes; at least one of them is no constant. */
static enum varve_status lanes_of(struct program *program, struct step *step, struct lane lanes[2],
                                  bool *are_lanes, struct varve_err *err)
{
    bool is_lane[2];
    *are_lanes = false;
    for (uint32_t i = 0; i < step->arg_count; i++)
        is_lane[i] = lane_of(&step->arg_vectors[i], &lanes[i]);
    for (uint32_t i = 0; i < step->arg_count; i++) {
        struct step *constant = step->args[i];
        if (is_lane[i])
            continue;
        if (constant->kind != TERM_CONST || constant->value.type == TYPE_TEXT ||
            value_is_null(constant->value) || step->arg_count != 2 || !is_lane[1 - i])
            return VARVE_OK;
        TRY(spread(program, step, constant, lanes[1 - i].type, &lanes[i], err));
    }
    *are_lanes = true;
    return VARVE_OK;
}

/* Rows in which both have a value; NULL: all. */
static const uint64_t *both(struct step *step, const struct lane *a, const struct lane *b)
{
    if (!a->present || !b->present)
        return a->present ? a->present : b->present;
    for (uint32_t w = 0; w < WORDS; w++)
        step->present[w] = a->present[w] & b->present[w];
    return step->present;
}

/* ---- comparing --------------------------------------------------------------------- */

/* NaN is equal to itself and larger than other numbers, as in value_compare. */
static inline int order_floats(double a, double b)
{
    if (isnan(a) || isnan(b))
        return isnan(a) - isnan(b);
    return (a > b) - (a < b);
}

#define LOOP(condition)                 \
    for (uint32_t i = 0; i < rows; i++) \
        out[i] = (condition);           \
    break
static void compare_ints(enum function function, const int64_t *a, const int64_t *b, int64_t *out,
                         uint32_t rows)
{
    switch (function) {
    case FUNCTION_EQ:
        LOOP(a[i] == b[i]);
    case FUNCTION_NE:
        LOOP(a[i] != b[i]);
    case FUNCTION_LT:
        LOOP(a[i] < b[i]);
    case FUNCTION_LE:
        LOOP(a[i] <= b[i]);
    case FUNCTION_GT:
        LOOP(a[i] > b[i]);
    default:
        LOOP(a[i] >= b[i]);
    }
}

static void compare_floats(enum function function, const double *a, const double *b, int64_t *out,
                           uint32_t rows)
{
    switch (function) {
    case FUNCTION_EQ:
        LOOP(order_floats(a[i], b[i]) == 0);
    case FUNCTION_NE:
        LOOP(order_floats(a[i], b[i]) != 0);
    case FUNCTION_LT:
        LOOP(order_floats(a[i], b[i]) < 0);
    case FUNCTION_LE:
        LOOP(order_floats(a[i], b[i]) <= 0);
    case FUNCTION_GT:
        LOOP(order_floats(a[i], b[i]) > 0);
    default:
        LOOP(order_floats(a[i], b[i]) >= 0);
    }
}

static enum varve_status
compare(struct program *program, struct step *step, uint32_t rows, const struct lane *a,
        const struct lane *b, struct vector *result, bool *done, struct varve_err *err)
{
    if (a->type != b->type)
        return VARVE_OK;
    TRY(step_ints(program, step, err));
    if (a->type == TYPE_FLOAT)
        compare_floats(step->function, a->floats, b->floats, step->ints, rows);
    else
        compare_ints(step->function, a->ints, b->ints, step->ints, rows);
    *result = (struct vector){
        .form = VECTOR_INTS, .type = TYPE_BOOL, .ints = step->ints, .present = both(step, a, b)};
    *done = true;
    return VARVE_OK;
}

/* ---- arithmetic ------------------------------------------------------------------------ */

static void
compute_floats(enum function function, const double *a, const double *b, double *out, uint32_t rows)
{
    switch (function) {
    case FUNCTION_ADD:
        LOOP(a[i] + b[i]);
    case FUNCTION_SUB:
        LOOP(a[i] - b[i]);
    case FUNCTION_MUL:
        LOOP(a[i] * b[i]);
    default:
        LOOP(a[i] / b[i]);
    }
}
#undef LOOP

/* Whether all fitted; what an absent row holds does not count, but may not fit either. */
static bool compute_ints(enum function function, const int64_t *a, const int64_t *b, int64_t *out,
                         uint32_t rows)
{
    bool overflow = false;
    for (uint32_t i = 0; i < rows; i++) {
        if (function == FUNCTION_ADD)
            overflow |= __builtin_add_overflow(a[i], b[i], &out[i]);
        else if (function == FUNCTION_SUB)
            overflow |= __builtin_sub_overflow(a[i], b[i], &out[i]);
        else
            overflow |= __builtin_mul_overflow(a[i], b[i], &out[i]);
    }
    return !overflow;
}

static const uint64_t *
not_zero(struct step *step, const uint64_t *present, const double *by, uint32_t rows)
{
    bool any = false;
    for (uint32_t i = 0; i < rows; i++)
        any |= by[i] == 0;
    if (!any)
        return present;
    if (!present)
        memset(step->present, 0xff, WORDS * sizeof *step->present);
    else if (present != step->present)
        memcpy(step->present, present, WORDS * sizeof *step->present);
    for (uint32_t i = 0; i < rows; i++)
        if (by[i] == 0)
            step->present[i / 64] &= ~(UINT64_C(1) << (i % 64));
    return step->present;
}

static enum varve_status
compute(struct program *program, struct step *step, uint32_t rows, const struct lane *a,
        const struct lane *b, struct vector *result, bool *done, struct varve_err *err)
{
    if (a->type == TYPE_FLOAT && b->type == TYPE_FLOAT) {
        TRY(step_floats(program, step, err));
        const uint64_t *present = both(step, a, b);
        if (step->function == FUNCTION_DIV)
            present = not_zero(step, present, b->floats, rows);
        compute_floats(step->function, a->floats, b->floats, step->floats, rows);
        *result =
            (struct vector){.form = VECTOR_FLOATS, .floats = step->floats, .present = present};
        *done = true;
        return VARVE_OK;
    }
    bool is_sum = step->function == FUNCTION_ADD || step->function == FUNCTION_SUB;
    bool alike = a->type == b->type && (a->type == TYPE_INT || (is_sum && a->type == TYPE_NANO));
    if (!alike || step->function == FUNCTION_DIV)
        return VARVE_OK;
    TRY(step_ints(program, step, err));
    *done = compute_ints(step->function, a->ints, b->ints, step->ints, rows);
    *result = (struct vector){
        .form = VECTOR_INTS, .type = a->type, .ints = step->ints, .present = both(step, a, b)};
    return VARVE_OK;
}

/* ---- conditions -------------------------------------------------------------------------- */

static inline bool is_there(const struct lane *lane, uint32_t row)
{
    return !lane->present || (lane->present[row / 64] >> (row % 64) & 1);
}

/* What is not known counts only where the other side does not decide. */
static enum varve_status
junction(struct program *program, struct step *step, uint32_t rows, const struct lane *a,
         const struct lane *b, struct vector *result, bool *done, struct varve_err *err)
{
    bool decides = step->function == FUNCTION_OR;
    if (a->type != TYPE_BOOL || b->type != TYPE_BOOL)
        return VARVE_OK;
    TRY(step_ints(program, step, err));
    memset(step->present, 0, WORDS * sizeof *step->present);
    for (uint32_t i = 0; i < rows; i++) {
        bool left = is_there(a, i), right = is_there(b, i);
        bool decided =
            (left && (a->ints[i] != 0) == decides) || (right && (b->ints[i] != 0) == decides);
        step->ints[i] = decided ? decides : !decides;
        step->present[i / 64] |= (uint64_t)(decided || (left && right)) << (i % 64);
    }
    *result = (struct vector){
        .form = VECTOR_INTS, .type = TYPE_BOOL, .ints = step->ints, .present = step->present};
    *done = true;
    return VARVE_OK;
}

static enum varve_status
negation(struct program *program, struct step *step, uint32_t rows, const struct lane *a,
         struct vector *result, bool *done, struct varve_err *err)
{
    if (a->type != TYPE_BOOL)
        return VARVE_OK;
    TRY(step_ints(program, step, err));
    for (uint32_t i = 0; i < rows; i++)
        step->ints[i] = a->ints[i] == 0;
    *result = (struct vector){
        .form = VECTOR_INTS, .type = TYPE_BOOL, .ints = step->ints, .present = a->present};
    *done = true;
    return VARVE_OK;
}

enum varve_status term_fast(struct program *program, struct step *step, uint32_t rows,
                            struct vector *result, bool *done, struct varve_err *err)
{
    struct lane lanes[2];
    bool are_lanes;
    *done = false;
    if (step->function > FUNCTION_GE &&
        (step->function < FUNCTION_ADD || step->function > FUNCTION_DIV))
        return VARVE_OK;
    TRY(lanes_of(program, step, lanes, &are_lanes, err));
    if (!are_lanes)
        return VARVE_OK;
    if (step->function == FUNCTION_NOT)
        return negation(program, step, rows, &lanes[0], result, done, err);
    if (step->function <= FUNCTION_AND)
        return junction(program, step, rows, &lanes[0], &lanes[1], result, done, err);
    if (step->function <= FUNCTION_GE)
        return compare(program, step, rows, &lanes[0], &lanes[1], result, done, err);
    return compute(program, step, rows, &lanes[0], &lanes[1], result, done, err);
}
