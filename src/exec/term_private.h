/* SPDX-License-Identifier: Apache-2.0
 *
 * term_private.h -- between the files of term.
 */
#ifndef EXEC_TERM_PRIVATE_H
#define EXEC_TERM_PRIVATE_H

#include "base/regex.h"
#include "exec/term.h"

typedef value_wide wide;

#define NANO INT64_C(1000000000)
/* A longer text is NULL. */
#define TERM_TEXT_MAX (1u << 20)

/* What a routine has at hand beside its arguments. */
struct call {
    uint32_t count; /* of the arguments */
    const struct zone *zone;
    struct arena *texts; /* where its result lies */
    struct regex *regex; /* of MATCH and NOMATCH; NULL: the pattern is NULL */
    struct varve_err *err;
};

/* Computes one value of one row. */
typedef enum varve_status
term_routine(struct call *call, const struct value *args, struct value *result);

struct routine {
    term_routine *run;
    bool takes_nulls; /* else the result is NULL if any argument is */
};
extern const struct routine term_routines[FUNCTIONS];

/* One node of a compiled term with the memory for its results. */
struct step {
    enum term_kind kind;
    enum function function;
    uint32_t column;      /* COLUMN */
    uint32_t only_column; /* the one column that all below this refers to, or NO_COLUMN */
    struct value value;   /* CONST */
    struct step **args;
    uint32_t arg_count;
    struct value *arg_values;
    struct vector *arg_vectors;
    struct regex *regex;
    /* results, or what a constant is in every row */
    struct value *values;
    int64_t *ints;
    double *floats;
    uint64_t *present;
    /* results by code, of the segment at hand; type UNKNOWN: not computed yet */
    struct value *by_code;
    uint32_t codes, code_capacity;
    struct step *next; /* all of a program */
};
#define NO_COLUMN UINT32_MAX

struct program {
    struct mem *mem;
    const struct zone *zone;
    struct step *root, *steps;
    uint32_t segment;
    uint32_t calls; /* since the last question whether to go on */
    enum varve_status (*check)(void *context, struct varve_err *err); /* NULL: none */
    void *check_context;
    struct arena arena;         /* lives as long as the program */
    struct arena texts;         /* of the batch */
    struct arena segment_texts; /* of by_code */
};

/* Memory for a result of one form. */
enum varve_status
step_values(struct program *program, struct step *step, struct varve_err *err) VARVE_CHECKED;
enum varve_status
step_ints(struct program *program, struct step *step, struct varve_err *err) VARVE_CHECKED;
enum varve_status
step_floats(struct program *program, struct step *step, struct varve_err *err) VARVE_CHECKED;

/* Computes a call from the vectors of its arguments if they are plain numbers or conditions.
 * *done says whether it could. */
enum varve_status term_fast(struct program *program, struct step *step, uint32_t rows,
                            struct vector *result, bool *done, struct varve_err *err) VARVE_CHECKED;

/* ---- routines by file ------------------------------------------------------- */

term_routine term_concat, term_match, term_nomatch, term_like, term_notlike, term_lower, term_upper,
    term_length, term_substr, term_replace, term_trim, term_split, term_starts, term_ends,
    term_contains, term_to_text;
term_routine term_add, term_sub, term_mul, term_div, term_mod, term_neg, term_abs, term_round,
    term_floor, term_ceil, term_sqrt, term_exp, term_ln, term_log10, term_log2, term_pow, term_sign,
    term_to_int, term_to_float;
term_routine term_start_of, term_hour, term_minute, term_weekday, term_day, term_month, term_year,
    term_seconds, term_format;

/* What a value looks like, in the buffer if it is no text. */
struct varve_str term_text(struct value value, char buffer[VALUE_TEXT_MAX]);
/* A text as a value, copied; NULL if it is too long. */
enum varve_status
term_own(struct call *call, const char *bytes, size_t size, struct value *result) VARVE_CHECKED;
/* -1, 0, 1 as value_compare; 2: they are not equal and have no order. */
int term_compare(struct value a, struct value b);
/* A whole number as a routine takes it; false: it is none that fits. */
bool term_whole(struct value value, int64_t *whole);

#endif
