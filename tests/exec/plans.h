/* SPDX-License-Identifier: Apache-2.0
 *
 * plans.h -- plans made by hand for tests, over rows written as text.
 *
 * Rows are separated by ";", their cells by blanks:
 *
 *     @10 a 5; @20 - 2.5f
 *
 * "-" is NULL, "@10" the TIME of 10 ns, "5" an INT, "2.5f" a FLOAT, "5n" a NANO of 5e-9, "true" and
 * "false" BOOL, everything else a TEXT.  Results are printed the same way.
 */
#ifndef TESTS_EXEC_PLANS_H
#define TESTS_EXEC_PLANS_H

#include "exec/exec.h"

enum { PLANS_NAMED_MAX = 8 };

/* A plan in the making. */
struct plans {
    struct mem mem;     /* of the plan and of the rows that are given */
    struct arena arena; /* of the plan */
    struct plan plan;
    struct node *named_nodes[PLANS_NAMED_MAX];
    struct relation named[PLANS_NAMED_MAX]; /* columns 0: not given */
    struct exec_options options;
    struct node_stats *stats; /* of the last run */
    size_t peak;              /* of the last run's memory */
};

void plans_begin(struct plans *plans);
void plans_end(struct plans *plans);

struct value plans_cell(struct plans *plans, const char *text, size_t size);
/* Appends rows to a relation. */
void plans_rows(struct plans *plans, struct relation *relation, const char *text);
/* The rows of a relation as text; of the arena. */
const char *plans_print(struct plans *plans, const struct relation *relation);

/* A node with the inputs; columns 0: as many as the first input. */
struct node *plans_node(struct plans *plans, enum node_kind kind, uint32_t columns,
                        uint32_t input_count, struct node *const *inputs);
struct node *
plans_over(struct plans *plans, enum node_kind kind, uint32_t columns, struct node *input);
/* A node that gives the rows of plans->named[number], empty ones of `columns` to begin with. */
struct node *plans_source(struct plans *plans, uint32_t columns, uint32_t *number);
/* The same, of rows that are written here. */
struct node *plans_given(struct plans *plans, uint32_t columns, const char *text);
struct term *plans_column(struct plans *plans, uint32_t index);
struct term *plans_const(struct plans *plans, struct value value);
struct term *
plans_call(struct plans *plans, enum function function, struct term *a, struct term *b);

/* Runs the plan with memory of `mem` and collects what comes; *result belongs to plans->mem and is
 * to be freed, also after a failure. */
enum varve_status plans_run(struct plans *plans, struct node *root, struct mem *mem,
                            struct relation *result, struct varve_err *err);
/* The same with ordinary memory, printed; fails the test when the run fails. */
const char *plans_result(struct plans *plans, struct node *root);

#endif
