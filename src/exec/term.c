/* SPDX-License-Identifier: Apache-2.0
 *
 * term.c -- compiles bound expressions and evaluates them over batches.
 *
 * A compiled term is a tree of steps, each with room for its own result.  A call gets its
 * value in the first of these ways that fits:
 *
 *  - all it refers to is one column that comes as codes: once for each code that is met, kept
 *    until the segment changes;
 *  - its arguments are the same in every row: once;
 *  - they are plain numbers or conditions: a loop over arrays (term_fast.c);
 *  - else row by row.
 *
 * The routine is the same in all of them but the third, which has to agree with it.
 */
#include "exec/term_private.h"

enum { UNKNOWN = TYPES, ARENA_CHUNK = 4096, WORDS = BATCH_ROWS / 64 };

/* ---- compiling ------------------------------------------------------------------- */

static void *step_memory(struct program *program, size_t count, size_t size, struct varve_err *err)
{
    void *memory = arena_zalloc(&program->arena, mem_array(count ? count : 1, size));
    if (!memory)
        (void)fail_nomem(err, count * size);
    return memory;
}

enum varve_status step_values(struct program *program, struct step *step, struct varve_err *err)
{
    if (!step->values)
        step->values = step_memory(program, BATCH_ROWS, sizeof *step->values, err);
    return step->values ? VARVE_OK : VARVE_NOMEM;
}

static enum varve_status
step_present(struct program *program, struct step *step, struct varve_err *err)
{
    if (!step->present)
        step->present = step_memory(program, WORDS, sizeof *step->present, err);
    return step->present ? VARVE_OK : VARVE_NOMEM;
}

enum varve_status step_ints(struct program *program, struct step *step, struct varve_err *err)
{
    TRY(step_present(program, step, err));
    if (!step->ints)
        step->ints = step_memory(program, BATCH_ROWS, sizeof *step->ints, err);
    return step->ints ? VARVE_OK : VARVE_NOMEM;
}

enum varve_status step_floats(struct program *program, struct step *step, struct varve_err *err)
{
    TRY(step_present(program, step, err));
    if (!step->floats)
        step->floats = step_memory(program, BATCH_ROWS, sizeof *step->floats, err);
    return step->floats ? VARVE_OK : VARVE_NOMEM;
}

static enum varve_status
own_constant(struct program *program, struct value *value, struct varve_err *err)
{
    if (value->type != TYPE_TEXT)
        return VARVE_OK;
    char *copy = arena_copy(&program->arena, value->as.s, value->size);
    if (!copy)
        return fail_nomem(err, value->size);
    value->as.s = copy;
    return VARVE_OK;
}

/* The one column below a step and its next argument. */
static uint32_t join_columns(const struct step *step, uint32_t arg, uint32_t column)
{
    const struct step *next = step->args[arg];
    if (next->kind == TERM_CONST)
        return column;
    bool is_first = true;
    for (uint32_t i = 0; i < arg; i++)
        is_first = is_first && step->args[i]->kind == TERM_CONST;
    return is_first || column == next->only_column ? next->only_column : NO_COLUMN;
}

/* Calls between two questions whether to go on; one of a pattern may take as long as many. */
enum { CALLS_MOST = 256, CALLS_OF_PATTERN = 32 };

static enum varve_status
call_routine(struct program *program, struct step *step, struct arena *texts,
             const struct value *args, struct value *result, struct varve_err *err)
{
    const struct routine *routine = &term_routines[step->function];
    struct call call = {step->arg_count, program->zone, texts, step->regex, err};
    program->calls += step->regex ? CALLS_OF_PATTERN : 1;
    if (program->calls >= CALLS_MOST && program->check) {
        program->calls = 0;
        TRY(program->check(program->check_context, err));
    }
    if (!routine->takes_nulls)
        for (uint32_t i = 0; i < step->arg_count; i++)
            if (value_is_null(args[i])) {
                *result = value_null();
                return VARVE_OK;
            }
    return routine->run(&call, args, result);
}

/* A pattern has to be the same in every row. */
static enum varve_status
prepare_pattern(struct program *program, struct step *step, struct varve_err *err)
{
    const struct step *pattern = step->args[1];
    char buffer[VALUE_TEXT_MAX];
    if (step->function != FUNCTION_MATCH && step->function != FUNCTION_NOMATCH)
        return VARVE_OK;
    if (pattern->kind != TERM_CONST)
        return fail(err, VARVE_INVALID, "pattern",
                    "a pattern has to be a constant; compare texts with = or contains()");
    if (value_is_null(pattern->value))
        return VARVE_OK;
    return regex_new(program->mem, term_text(pattern->value, buffer), true, &step->regex, err);
}

/* A call of constants is a constant. */
static enum varve_status fold(struct program *program, struct step *step, struct varve_err *err)
{
    for (uint32_t i = 0; i < step->arg_count; i++) {
        if (step->args[i]->kind != TERM_CONST)
            return VARVE_OK;
        step->arg_values[i] = step->args[i]->value;
    }
    TRY(call_routine(program, step, &program->arena, step->arg_values, &step->value, err));
    step->kind = TERM_CONST;
    return VARVE_OK;
}

static enum varve_status compile(struct program *program, const struct term *term,
                                 struct step **compiled, struct varve_err *err)
{
    struct step *step = step_memory(program, 1, sizeof *step, err);
    if (!step)
        return VARVE_NOMEM;
    *step = (struct step){.kind = term->kind,
                          .function = term->function,
                          .column = term->index,
                          .only_column = term->kind == TERM_COLUMN ? term->index : NO_COLUMN,
                          .value = term->value,
                          .arg_count = term->kind == TERM_CALL ? term->arg_count : 0,
                          .next = program->steps};
    program->steps = *compiled = step;
    if (term->kind == TERM_CONST)
        return own_constant(program, &step->value, err);
    if (term->kind == TERM_COLUMN)
        return VARVE_OK;
    step->args = step_memory(program, step->arg_count, sizeof *step->args, err);
    step->arg_values = step_memory(program, step->arg_count, sizeof *step->arg_values, err);
    step->arg_vectors = step_memory(program, step->arg_count, sizeof *step->arg_vectors, err);
    if (!step->args || !step->arg_values || !step->arg_vectors)
        return VARVE_NOMEM;
    for (uint32_t i = 0; i < step->arg_count; i++) {
        TRY(compile(program, term->args[i], &step->args[i], err));
        step->only_column = join_columns(step, i, step->only_column);
    }
    TRY(prepare_pattern(program, step, err));
    return fold(program, step, err);
}

enum varve_status program_new(const struct term *term, const struct zone *zone, struct mem *mem,
                              struct program **program, struct varve_err *err)
{
    struct program *p = mem_zalloc(mem, sizeof *p);
    if (!p)
        return fail_nomem(err, sizeof *p);
    p->mem = mem;
    p->zone = zone;
    arena_init(&p->arena, mem, ARENA_CHUNK);
    arena_init(&p->texts, mem, ARENA_CHUNK);
    arena_init(&p->segment_texts, mem, ARENA_CHUNK);
    enum varve_status status = compile(p, term, &p->root, err);
    if (status == VARVE_OK)
        *program = p;
    else
        program_free(p);
    return status;
}

void program_watch(struct program *program, enum varve_status (*check)(void *, struct varve_err *),
                   void *context)
{
    program->check = check;
    program->check_context = context;
}

void program_free(struct program *program)
{
    if (!program)
        return;
    for (struct step *step = program->steps; step; step = step->next) {
        regex_free(step->regex);
        mem_free(program->mem, step->by_code, step->code_capacity * sizeof *step->by_code);
    }
    arena_free(&program->arena);
    arena_free(&program->texts);
    arena_free(&program->segment_texts);
    mem_free(program->mem, program, sizeof *program);
}

/* ---- one row ------------------------------------------------------------------------ */

/* The value of a step in a row in which its only column is `column`. */
static enum varve_status run_value(struct program *program, struct step *step, struct value column,
                                   struct arena *texts, struct value *result, struct varve_err *err)
{
    if (step->kind != TERM_CALL) {
        *result = step->kind == TERM_CONST ? step->value : column;
        return VARVE_OK;
    }
    for (uint32_t i = 0; i < step->arg_count; i++)
        TRY(run_value(program, step->args[i], column, texts, &step->arg_values[i], err));
    return call_routine(program, step, texts, step->arg_values, result, err);
}

/* ---- codes ------------------------------------------------------------------------------ */

static enum varve_status
prepare_codes(struct program *program, struct step *step, uint32_t count, struct varve_err *err)
{
    if (step->codes == count)
        return VARVE_OK;
    if (count > step->code_capacity) {
        size_t capacity = step->code_capacity;
        void *grown = step->by_code;
        enum varve_status status =
            mem_grow(program->mem, &grown, &capacity, count, sizeof *step->by_code, err);
        step->by_code = grown;
        step->code_capacity = (uint32_t)capacity;
        TRY(status);
    }
    for (uint32_t code = 0; code < count; code++)
        step->by_code[code].type = UNKNOWN;
    step->codes = count;
    return VARVE_OK;
}

static enum varve_status run_codes(struct program *program, struct step *step, uint32_t rows,
                                   const struct vector *column, struct varve_err *err)
{
    const struct varve_dictionary *dictionary = column->dictionary;
    TRY(prepare_codes(program, step, dictionary->count, err));
    for (uint32_t row = 0; row < rows; row++) {
        uint32_t code = column->codes[row];
        struct value *known = &step->by_code[code];
        if (known->type != UNKNOWN)
            continue;
        struct value text = code ? value_text(dictionary->texts[code]) : value_null();
        struct value result;
        TRY(run_value(program, step, text, &program->segment_texts, &result, err));
        *known = result;
    }
    return VARVE_OK;
}

/* ---- results ----------------------------------------------------------------------------- */

/* Conditions are given on as plain booleans, so that AND, OR and selections are loops. */
static bool is_condition(const struct step *step)
{
    return function_table[step->function].result == RESULT_BOOL;
}

static enum varve_status begin_result(struct program *program, struct step *step,
                                      struct vector *result, struct varve_err *err)
{
    if (!is_condition(step)) {
        TRY(step_values(program, step, err));
        *result = (struct vector){.form = VECTOR_VALUES, .values = step->values};
        return VARVE_OK;
    }
    TRY(step_ints(program, step, err));
    memset(step->present, 0, WORDS * sizeof *step->present);
    *result = (struct vector){
        .form = VECTOR_INTS, .type = TYPE_BOOL, .ints = step->ints, .present = step->present};
    return VARVE_OK;
}

static inline void
put_result(struct step *step, const struct vector *result, uint32_t row, struct value value)
{
    if (result->form == VECTOR_VALUES) {
        step->values[row] = value;
    } else {
        step->ints[row] = value.as.i;
        step->present[row / 64] |= (uint64_t)!value_is_null(value) << (row % 64);
    }
}

static struct vector constant(struct value value)
{
    return (struct vector){.form = VECTOR_CONST, .value = value};
}

static const struct vector *column_of(const struct batch *batch, uint32_t column)
{
    return column < batch->column_count ? &batch->columns[column] : NULL;
}

static enum varve_status
run_step(struct program *program, struct step *step, const struct batch *batch,
         struct vector *result, struct varve_err *err);

static enum varve_status run_rows(struct program *program, struct step *step, uint32_t rows,
                                  struct vector *result, struct varve_err *err)
{
    struct value value;
    TRY(begin_result(program, step, result, err));
    for (uint32_t row = 0; row < rows; row++) {
        for (uint32_t i = 0; i < step->arg_count; i++)
            step->arg_values[i] = vector_value(&step->arg_vectors[i], row);
        TRY(call_routine(program, step, &program->texts, step->arg_values, &value, err));
        put_result(step, result, row, value);
    }
    return VARVE_OK;
}

static enum varve_status
run_call(struct program *program, struct step *step, const struct batch *batch,
         struct vector *result, struct varve_err *err)
{
    bool are_constant = true, done = false;
    struct value value;
    for (uint32_t i = 0; i < step->arg_count; i++) {
        TRY(run_step(program, step->args[i], batch, &step->arg_vectors[i], err));
        are_constant = are_constant && step->arg_vectors[i].form == VECTOR_CONST;
    }
    if (are_constant) {
        for (uint32_t i = 0; i < step->arg_count; i++)
            step->arg_values[i] = step->arg_vectors[i].value;
        TRY(call_routine(program, step, &program->texts, step->arg_values, &value, err));
        *result = constant(value);
        return VARVE_OK;
    }
    TRY(term_fast(program, step, batch->rows, result, &done, err));
    return done ? VARVE_OK : run_rows(program, step, batch->rows, result, err);
}

static enum varve_status
run_step(struct program *program, struct step *step, const struct batch *batch,
         struct vector *result, struct varve_err *err)
{
    const struct vector *column = column_of(batch, step->only_column);
    if (step->kind == TERM_CONST) {
        *result = constant(step->value);
        return VARVE_OK;
    }
    if (step->kind == TERM_COLUMN) {
        *result = column ? *column : constant(value_null());
        return VARVE_OK;
    }
    if (!column || column->form != VECTOR_CODES)
        return run_call(program, step, batch, result, err);
    TRY(run_codes(program, step, batch->rows, column, err));
    TRY(begin_result(program, step, result, err));
    for (uint32_t row = 0; row < batch->rows; row++)
        put_result(step, result, row, step->by_code[column->codes[row]]);
    return VARVE_OK;
}

/* ---- from outside ---------------------------------------------------------------------------- */

/* Codes mean something else in another segment. */
static void new_segment(struct program *program, uint32_t segment)
{
    if (segment != 0 && segment == program->segment)
        return;
    program->segment = segment;
    arena_clear(&program->segment_texts);
    for (struct step *step = program->steps; step; step = step->next)
        step->codes = 0;
}

enum varve_status program_run(struct program *program, const struct batch *batch,
                              struct vector *result, struct varve_err *err)
{
    new_segment(program, batch->segment);
    arena_clear(&program->texts);
    return run_step(program, program->root, batch, result, err);
}

enum varve_status program_select(struct program *program, const struct batch *batch,
                                 uint16_t *selected, uint32_t *count, struct varve_err *err)
{
    struct vector v;
    uint32_t kept = 0, candidates = batch_count(batch);
    TRY(program_run(program, batch, &v, err));
    bool is_plain = v.form == VECTOR_INTS && v.type == TYPE_BOOL;
    for (uint32_t i = 0; i < candidates; i++) {
        uint32_t row = batch_row(batch, i);
        bool is_true;
        if (is_plain)
            is_true = v.ints[row] && (!v.present || (v.present[row / 64] >> (row % 64) & 1));
        else
            is_true = value_truth(vector_value(&v, row)) == 1;
        selected[kept] = (uint16_t)row;
        kept += is_true;
    }
    *count = kept;
    return VARVE_OK;
}

enum varve_status term_constant(const struct term *term, const struct zone *zone,
                                struct arena *arena, struct value *value, struct varve_err *err)
{
    struct program *program;
    enum varve_status status;
    struct value result;
    TRY(program_new(term, zone, arena->mem, &program, err));
    TRYOUT(run_value(program, program->root, value_null(), &program->texts, &result, err));
    if (result.type == TYPE_TEXT) {
        char *copy = arena_copy(arena, result.as.s, result.size);
        if (!copy) {
            status = fail_nomem(err, result.size);
            goto out;
        }
        result.as.s = copy;
    }
    *value = result;
out:
    program_free(program);
    return status;
}
