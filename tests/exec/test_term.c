/* SPDX-License-Identifier: Apache-2.0
 *
 * test_term.c -- what each function answers, and that every way of evaluating answers the same.
 *
 * Functions of constants are a table.  Then random terms run over random batches whose columns come
 * in all forms, and have to give in every row what the same term gives of the row's values alone:
 * that way knows neither codes nor arrays.
 */
#include "exec/term.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>

#include "../base/prng.h"
#include "../base/unit.h"
#include "../faults/alloc_fault.h"
#include "base/number.h"
#include "random_values.h"

static struct mem memory;

static struct varve_str text_of(const char *text)
{
    return (struct varve_str){text, strlen(text)};
}

/* "i5" INT, "n0.25" NANO, "f1.5" FLOAT, "b1" BOOL, "d1.5" DURATION and "@1.5" TIME in seconds,
 * "'abc" TEXT, "-" NULL. */
static struct value value_of(const char *text)
{
    double number = 0;
    int64_t whole = 0;
    if (text[0] == '\'')
        return value_text(text_of(text + 1));
    (void)number_parse_int(text_of(text + 1), &whole);
    (void)number_parse(text_of(text + 1), &number);
    switch (text[0]) {
    case 'i':
        return value_int(TYPE_INT, whole);
    case 'b':
        return value_int(TYPE_BOOL, whole);
    case 'f':
        return value_float(number);
    case '-':
        return value_null();
    default:
        return value_int(text[0] == 'n'   ? TYPE_NANO
                         : text[0] == 'd' ? TYPE_DURATION
                                          : TYPE_TIME,
                         (int64_t)llround(number * 1e9));
    }
}

/* As above, but times as they print. */
static void describe(struct value v, char out[600])
{
    static const char letters[TYPES] = {'-', 'b', 'i', 'n', 'f', '@', 'd', '\''};
    char text[VALUE_TEXT_MAX] = "";
    if (v.type == TYPE_TEXT) {
        snprintf(out, 600, "'%.*s", (int)v.size, v.as.s);
        return;
    }
    if (v.type != TYPE_NULL)
        value_print(v, text);
    snprintf(out, 600, "%c%s", letters[v.type], text);
}

#define MOST_ARGS 5
struct made {
    struct term term, args[MOST_ARGS];
    struct term *pointers[MOST_ARGS];
};

static struct term *call_of(struct made *made, enum function function, const char *args)
{
    static char copies[MOST_ARGS][200];
    uint32_t count = 0;
    while (*args && count < MOST_ARGS) {
        size_t size = strcspn(args, "|");
        snprintf(copies[count], sizeof copies[count], "%.*s", (int)size, args);
        made->args[count] = (struct term){.kind = TERM_CONST, .value = value_of(copies[count])};
        made->pointers[count] = &made->args[count];
        count++;
        args += size + (args[size] == '|');
    }
    made->term = (struct term){
        .kind = TERM_CALL, .function = function, .args = made->pointers, .arg_count = count};
    return &made->term;
}

static const struct {
    enum function function;
    const char *args, *result;
} cases[] = {
#define C(function, args, result) {FUNCTION_##function, args, result},
#include "term_cases.inc"
#undef C
};

static void functions_answer(void **state)
{
    (void)state;
    bool seen[FUNCTIONS] = {false};
    int wrong = 0;
    struct arena arena;
    arena_init(&arena, &memory, 4096);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct made made;
        struct value value;
        struct varve_err err = {0};
        char text[600];
        struct term *term = call_of(&made, cases[i].function, cases[i].args);
        const struct function_info *info = &function_table[cases[i].function];
        assert_true((int)term->arg_count >= info->least);
        assert_true(info->most < 0 || (int)term->arg_count <= info->most);
        seen[cases[i].function] = true;
        if (term_constant(term, zone_utc(), &arena, &value, &err) != VARVE_OK)
            fail_msg("%s(%s): %s", info->name, cases[i].args, err.message);
        describe(value, text);
        if (strcmp(text, cases[i].result) != 0) {
            print_error("%s(%s) is %s, not %s\n", info->name, cases[i].args, text, cases[i].result);
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
    for (int f = 0; f < FUNCTIONS; f++)
        if (!seen[f])
            fail_msg("%s has no case", function_table[f].name);
    arena_free(&arena);
}

static void what_is_null_gives_null(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, &memory, 4096);
    for (int f = FUNCTION_EQ; f < FUNCTIONS; f++) {
        if (f == FUNCTION_ISNULL || f == FUNCTION_NOTNULL ||
            (f >= FUNCTION_IN && f <= FUNCTION_GREATEST))
            continue;
        static const char *const args[] = {"", "-", "'a|-", "'a|'b|-"};
        struct made made;
        struct value value;
        struct term *term = call_of(&made, (enum function)f, args[function_table[f].least]);
        assert_int_equal(term_constant(term, zone_utc(), &arena, &value, NULL), VARVE_OK);
        if (!value_is_null(value))
            fail_msg("%s of NULL is not NULL", function_table[f].name);
    }
    arena_free(&arena);
}

/* ---- random terms over random batches ------------------------------------------------ */

enum { COLUMNS = 6, DICTIONARY = 9 };

struct world {
    struct prng prng;
    struct varve_str texts[DICTIONARY];
    struct varve_dictionary dictionary;
    struct vector columns[COLUMNS];
    struct value values[COLUMNS][BATCH_ROWS];
    int64_t ints[COLUMNS][BATCH_ROWS];
    double floats[COLUMNS][BATCH_ROWS];
    uint32_t codes[COLUMNS][BATCH_ROWS];
    uint64_t present[COLUMNS][BATCH_ROWS / 64];
    uint16_t selected[BATCH_ROWS];
    struct batch batch;
    struct arena arena;
};

static void fill_column(struct world *w, uint32_t c, uint32_t rows)
{
    static const enum value_type types[] = {TYPE_INT,  TYPE_INT,  TYPE_NANO,
                                            TYPE_BOOL, TYPE_TIME, TYPE_DURATION};
    struct vector *v = &w->columns[c];
    *v = (struct vector){.form = (enum vector_form)prng_below(&w->prng, 5)};
    v->type = types[prng_below(&w->prng, 6)];
    v->value = random_value(&w->prng);
    v->values = w->values[c];
    v->ints = w->ints[c];
    v->floats = w->floats[c];
    v->codes = w->codes[c];
    v->dictionary = &w->dictionary;
    if ((v->form == VECTOR_INTS || v->form == VECTOR_FLOATS) && prng_below(&w->prng, 2))
        v->present = w->present[c];
    memset(w->present[c], 0xff, sizeof w->present[c]);
    for (uint32_t i = 0; i < rows; i++) {
        struct value number = random_number(&w->prng);
        w->values[c][i] = random_value(&w->prng);
        w->ints[c][i] = v->type == TYPE_BOOL   ? (int64_t)prng_below(&w->prng, 2)
                        : v->type == TYPE_TIME ? number.as.i / 2
                                               : number.as.i;
        w->floats[c][i] = value_double(number);
        w->codes[c][i] = (uint32_t)prng_below(&w->prng, DICTIONARY);
        if (prng_below(&w->prng, 5) == 0)
            w->present[c][i / 64] &= ~(UINT64_C(1) << (i % 64));
    }
}

static void fill_batch(struct world *w)
{
    uint32_t rows = 1 + (uint32_t)prng_below(&w->prng, prng_below(&w->prng, 8) ? 70 : BATCH_ROWS);
    if (prng_below(&w->prng, 2)) { /* another segment: the same codes mean other texts */
        w->batch.segment++;
        for (uint32_t i = 1; i < DICTIONARY; i++)
            w->texts[i] = value_str(random_text(&w->prng));
    }
    for (uint32_t c = 0; c < COLUMNS; c++)
        fill_column(w, c, rows);
    w->batch.rows = rows;
    w->batch.column_count = COLUMNS;
    w->batch.columns = w->columns;
    w->batch.selected = NULL;
    if (prng_below(&w->prng, 2)) {
        uint32_t n = 0;
        for (uint32_t i = 0; i < rows; i++)
            if (prng_below(&w->prng, 2))
                w->selected[n++] = (uint16_t)i;
        w->batch.selected = w->selected;
        w->batch.selected_count = n;
    }
}

static struct term *random_term(struct world *w, int depth)
{
    struct term *t = arena_zalloc(&w->arena, sizeof *t);
    assert_non_null(t);
    uint64_t kind = prng_below(&w->prng, depth > 0 ? 6 : 2);
    if (kind < 2) {
        t->kind = kind ? TERM_COLUMN : TERM_CONST;
        t->index = (uint32_t)prng_below(&w->prng, COLUMNS);
        t->value = random_value(&w->prng);
        return t;
    }
    t->kind = TERM_CALL;
    t->function = (enum function)prng_below(&w->prng, FUNCTIONS);
    const struct function_info *info = &function_table[t->function];
    uint32_t most = info->most < 0 ? 4 : (uint32_t)info->most, least = (uint32_t)info->least;
    t->arg_count = least + (uint32_t)prng_below(&w->prng, most - least + 1);
    t->args = arena_zalloc(&w->arena, t->arg_count * sizeof *t->args);
    assert_non_null(t->args);
    for (uint32_t i = 0; i < t->arg_count; i++)
        t->args[i] = random_term(w, depth - 1);
    if (t->function == FUNCTION_MATCH || t->function == FUNCTION_NOMATCH) {
        static const char *const patterns[] = {"a|b", "claude-.*", ".*4-[56]", "[a-z]+"};
        t->args[1] = arena_zalloc(&w->arena, sizeof *t);
        t->args[1]->kind = TERM_CONST;
        t->args[1]->value = value_text(text_of(patterns[prng_below(&w->prng, 4)]));
    }
    return t;
}

static struct value alone(struct program *program, const struct batch *batch, uint32_t row)
{
    struct value values[COLUMNS];
    struct vector columns[COLUMNS], result;
    struct batch one = {.rows = 1, .column_count = COLUMNS, .columns = columns};
    for (uint32_t c = 0; c < COLUMNS; c++) {
        values[c] = vector_value(&batch->columns[c], row);
        columns[c] = (struct vector){.form = VECTOR_VALUES, .values = &values[c]};
    }
    assert_int_equal(program_run(program, &one, &result, NULL), VARVE_OK);
    return vector_value(&result, 0);
}

/* NULL as NULL, NaN as NaN, and the types count. */
static bool is_same(struct value a, struct value b)
{
    return a.type == b.type && value_compare(a, b) == 0;
}

static void compare_ways(struct world *w, struct program *fast, struct program *slow)
{
    struct vector result;
    uint16_t selected[BATCH_ROWS];
    uint32_t count, next = 0;
    assert_int_equal(program_run(fast, &w->batch, &result, NULL), VARVE_OK);
    for (uint32_t i = 0; i < w->batch.rows; i++) {
        struct value expected = alone(slow, &w->batch, i), got = vector_value(&result, i);
        char left[600], right[600];
        describe(got, left);
        describe(expected, right);
        if (!is_same(got, expected))
            fail_msg("row %u: %s, not %s", i, left, right);
    }
    assert_int_equal(program_select(fast, &w->batch, selected, &count, NULL), VARVE_OK);
    for (uint32_t i = 0; i < batch_count(&w->batch); i++) {
        uint32_t row = batch_row(&w->batch, i);
        if (value_truth(alone(slow, &w->batch, row)) == 1) {
            assert_true(next < count);
            assert_int_equal(selected[next++], row);
        }
    }
    assert_int_equal(next, count);
}

static void all_ways_answer_the_same(void **state)
{
    (void)state;
    static struct world w;
    w.prng = prng_start(41);
    w.texts[0] = STR("");
    w.dictionary = (struct varve_dictionary){w.texts, DICTIONARY};
    arena_init(&w.arena, &memory, 4096);
    for (int round = 0; round < 3000; round++) {
        arena_clear(&w.arena);
        const struct term *term = random_term(&w, 1 + (int)prng_below(&w.prng, 3));
        struct program *fast, *slow;
        struct varve_err err = {0};
        if (program_new(term, zone_utc(), &memory, &fast, &err) != VARVE_OK)
            fail_msg("%s", err.message);
        assert_int_equal(program_new(term, zone_utc(), &memory, &slow, NULL), VARVE_OK);
        for (int batch = 0; batch < 3; batch++) {
            fill_batch(&w);
            compare_ways(&w, fast, slow);
        }
        program_free(fast);
        program_free(slow);
    }
    arena_free(&w.arena);
}

/* ---- memory and errors -------------------------------------------------------------------- */

static void memory_may_run_out(void **state)
{
    (void)state;
    struct alloc_fault fault;
    static struct world w;
    w.prng = prng_start(42);
    w.texts[0] = STR("");
    w.dictionary = (struct varve_dictionary){w.texts, DICTIONARY};
    arena_init(&w.arena, &memory, 4096);
    alloc_fault_init(&fault);
    for (int round = 0; round < 200; round++) {
        arena_clear(&w.arena);
        const struct term *term = random_term(&w, 3);
        fill_batch(&w);
        w.batch.rows = w.batch.rows > 20 ? 20 : w.batch.rows;
        w.batch.selected = NULL;
        for (alloc_fault_start(&fault, ALLOC_FAULT_ONCE); alloc_fault_next(&fault);) {
            struct mem mem;
            struct program *program = NULL;
            struct vector result;
            mem_init(&mem, &fault.allocator, 0);
            enum varve_status status = program_new(term, zone_utc(), &mem, &program, NULL);
            if (status == VARVE_OK)
                status = program_run(program, &w.batch, &result, NULL);
            assert_true(status == VARVE_OK || status == VARVE_NOMEM);
            if (status == VARVE_NOMEM && program && /* and then it is there again */
                program_run(program, &w.batch, &result, NULL) == VARVE_OK)
                for (uint32_t i = 0; i < w.batch.rows; i++)
                    (void)vector_value(&result, i);
            program_free(program);
            assert_true(alloc_fault_is_clean(&fault));
        }
    }
    arena_free(&w.arena);
}

static void patterns_are_checked(void **state)
{
    (void)state;
    struct made made;
    struct program *program;
    struct varve_err err;
    struct term *term = call_of(&made, FUNCTION_MATCH, "'a|'(");
    assert_int_equal(program_new(term, zone_utc(), &memory, &program, &err), VARVE_INVALID);
    term = call_of(&made, FUNCTION_MATCH, "'a|'a");
    made.args[1].kind = TERM_COLUMN;
    assert_int_equal(program_new(term, zone_utc(), &memory, &program, &err), VARVE_INVALID);
    assert_non_null(strstr(err.message, "constant"));
}

static int start(void **state)
{
    (void)state;
    mem_init(&memory, NULL, 0);
    return 0;
}

static int end(void **state)
{
    (void)state;
    return atomic_load(&memory.used) != 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_answer),         cmocka_unit_test(what_is_null_gives_null),
        cmocka_unit_test(all_ways_answer_the_same), cmocka_unit_test(memory_may_run_out),
        cmocka_unit_test(patterns_are_checked),
    };
    return cmocka_run_group_tests(tests, start, end);
}
