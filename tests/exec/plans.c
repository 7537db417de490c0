/* SPDX-License-Identifier: Apache-2.0
 *
 * plans.c -- plans made by hand for tests: see plans.h.
 *
 * The arena's memory is the C library's, so asserts stand for its failures; what is under test
 * takes its memory from the struct mem that the test gives.
 */
#include "../base/unit.h"

#include "plans.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

void plans_begin(struct plans *plans)
{
    *plans = (struct plans){0};
    mem_init(&plans->mem, NULL, 0);
    arena_init(&plans->arena, &plans->mem, 4096);
    plans->plan.named = plans->named_nodes;
    plans->plan.zone = STR("UTC");
}

void plans_end(struct plans *plans)
{
    for (uint32_t i = 0; i < PLANS_NAMED_MAX; i++)
        relation_free(&plans->named[i]);
    arena_free(&plans->arena);
    assert_int_equal(plans->mem.used, 0);
}

static void *get(struct plans *plans, size_t size)
{
    void *pointer = arena_zalloc(&plans->arena, size ? size : 1);
    assert_non_null(pointer);
    return pointer;
}

/* ---- rows as text ---------------------------------------- */

struct value plans_cell(struct plans *plans, const char *text, size_t size)
{
    struct varve_str s = {text, size};
    char *end, *copy = get(plans, size + 1);
    memcpy(copy, text, size);
    if (str_equal(s, STR("-")))
        return value_null();
    if (str_equal(s, STR("true")) || str_equal(s, STR("false")))
        return value_int(TYPE_BOOL, size == 4);
    if (copy[0] == '@')
        return value_int(TYPE_TIME, strtoll(copy + 1, NULL, 10));
    if (isdigit((unsigned char)copy[0]) || (copy[0] == '-' && size > 1)) {
        double f = strtod(copy, &end);
        if (str_equal((struct varve_str){end, strlen(end)}, STR("f")))
            return value_float(f);
        int64_t i = strtoll(copy, &end, 10);
        if (*end == 'n')
            return value_int(TYPE_NANO, i);
        assert_true(*end == 0);
        return value_int(TYPE_INT, i);
    }
    return value_text((struct varve_str){copy, size});
}

void plans_rows(struct plans *plans, struct relation *relation, const char *text)
{
    while (*text) {
        struct value *row = relation_add(relation, NULL);
        assert_non_null(row);
        for (uint32_t c = 0; c < relation->columns; c++) {
            text += strspn(text, " ");
            size_t size = strcspn(text, " ;");
            assert_true(size > 0);
            row[c] = plans_cell(plans, text, size);
            text += size;
        }
        text += strspn(text, " ");
        assert_true(*text == 0 || *text == ';');
        text += *text == ';';
    }
}

static int print_cell(struct value value, char *text, size_t size)
{
    switch ((enum value_type)value.type) {
    case TYPE_NULL:
        return snprintf(text, size, "-");
    case TYPE_BOOL:
        return snprintf(text, size, "%s", value.as.i ? "true" : "false");
    case TYPE_FLOAT:
        return snprintf(text, size, "%.17gf", value.as.f);
    case TYPE_TEXT:
        return snprintf(text, size, "%.*s", (int)value.size, value.as.s);
    case TYPE_INT:
    case TYPE_NANO:
    case TYPE_TIME:
    case TYPE_DURATION:
    case TYPES:
        break;
    }
    return snprintf(text, size, "%s%lld%s", value.type == TYPE_TIME ? "@" : "",
                    (long long)value.as.i, value.type == TYPE_NANO ? "n" : "");
}

const char *plans_print(struct plans *plans, const struct relation *relation)
{
    size_t size = relation->rows * (relation->columns + 1) * 48 + 1, at = 0;
    char *text = get(plans, size);
    for (uint64_t i = 0; i < relation->rows; i++) {
        at += (size_t)snprintf(text + at, size - at, "%s", i ? "; " : "");
        for (uint32_t c = 0; c < relation->columns; c++) {
            at += (size_t)snprintf(text + at, size - at, "%s", c ? " " : "");
            at += (size_t)print_cell(relation_row(relation, i)[c], text + at, size - at);
        }
    }
    assert_true(at < size);
    return text;
}

/* ---- nodes and terms ---------------------------------------- */

struct node *plans_node(struct plans *plans, enum node_kind kind, uint32_t columns,
                        uint32_t input_count, struct node *const *inputs)
{
    struct node *node = get(plans, sizeof *node);
    node->kind = kind;
    node->number = plans->plan.node_count++;
    node->input_count = input_count;
    node->inputs = get(plans, input_count * sizeof *inputs);
    for (uint32_t i = 0; i < input_count; i++)
        node->inputs[i] = inputs[i];
    node->column_count = columns ? columns : input_count ? inputs[0]->column_count : 0;
    node->columns = get(plans, node->column_count * sizeof *node->columns);
    return node;
}

struct node *
plans_over(struct plans *plans, enum node_kind kind, uint32_t columns, struct node *input)
{
    return plans_node(plans, kind, columns, 1, &input);
}

struct node *plans_source(struct plans *plans, uint32_t columns, uint32_t *number)
{
    struct node *node = plans_node(plans, NODE_NAMED, columns, 0, NULL);
    *number = plans->plan.named_count++;
    assert_true(*number < PLANS_NAMED_MAX);
    node->as.named.number = *number;
    relation_init(&plans->named[*number], &plans->mem, columns);
    return node;
}

struct node *plans_given(struct plans *plans, uint32_t columns, const char *text)
{
    uint32_t number;
    struct node *node = plans_source(plans, columns, &number);
    plans_rows(plans, &plans->named[number], text);
    return node;
}

struct term *plans_column(struct plans *plans, uint32_t index)
{
    struct term *term = get(plans, sizeof *term);
    *term = (struct term){.kind = TERM_COLUMN, .index = index};
    return term;
}

struct term *plans_const(struct plans *plans, struct value value)
{
    struct term *term = get(plans, sizeof *term);
    *term = (struct term){.kind = TERM_CONST, .type = value.type, .value = value};
    return term;
}

struct term *plans_call(struct plans *plans, enum function function, struct term *a, struct term *b)
{
    struct term *term = get(plans, sizeof *term);
    *term = (struct term){.kind = TERM_CALL, .function = function, .arg_count = b ? 2 : 1};
    term->args = get(plans, 2 * sizeof *term->args);
    term->args[0] = a;
    term->args[1] = b;
    return term;
}

/* ---- running ---------------------------------------- */

static enum varve_status
collect(struct plans *plans, struct exec *exec, struct relation *result, struct varve_err *err)
{
    struct batch batch;
    enum varve_status status;
    while ((status = exec_next(exec, &batch, err)) == VARVE_OK)
        if (relation_add_batch(result, &batch, NULL) != VARVE_OK)
            fail_msg("no memory for the result");
    memcpy(plans->stats, exec->stats, plans->plan.node_count * sizeof *plans->stats);
    if (status == VARVE_DONE)
        assert_int_equal(exec_next(exec, &batch, NULL), VARVE_DONE);
    else
        assert_int_equal(exec_next(exec, &batch, NULL), status);
    return status == VARVE_DONE ? VARVE_OK : status;
}

enum varve_status plans_run(struct plans *plans, struct node *root, struct mem *mem,
                            struct relation *result, struct varve_err *err)
{
    struct exec *exec;
    plans->plan.root = root;
    plans->stats = get(plans, plans->plan.node_count * sizeof *plans->stats);
    relation_init(result, &plans->mem, root ? root->column_count : 0);
    enum varve_status status =
        exec_open(&plans->plan, NULL, NULL, &plans->options, mem, &exec, err);
    if (status != VARVE_OK)
        return status;
    for (uint32_t i = 0; i < plans->plan.named_count; i++)
        if (plans->named[i].mem)
            exec_give(exec, i, &plans->named[i]);
    status = collect(plans, exec, result, err);
    plans->peak = mem->peak;
    exec_close(exec);
    return status;
}

const char *plans_result(struct plans *plans, struct node *root)
{
    struct mem mem;
    struct relation result;
    struct varve_err err = {0};
    mem_init(&mem, NULL, 0);
    enum varve_status status = plans_run(plans, root, &mem, &result, &err);
    if (status != VARVE_OK)
        fail_msg("%s: %s", status_name(status), err.message);
    assert_int_equal(mem.used, 0);
    const char *text = plans_print(plans, &result);
    relation_free(&result);
    return text;
}
