/* SPDX-License-Identifier: Apache-2.0
 *
 * whole.c -- see whole.h.  What the run takes has to be given back, however it ends: that is looked
 * at here, once for all tests.
 */
#include "../base/unit.h"

#include "whole.h"

#include <stdio.h>
#include "../lang/made_up_schema.h"
#include "lang/lower.h"
#include "lang/parse.h"

static void copy_rows(struct relation *from, struct relation *to)
{
    struct batch batch;
    for (uint64_t at = 0; relation_batch(from, at, &batch, NULL) == VARVE_OK; at += batch.rows)
        assert_int_equal(relation_add_batch(to, &batch, NULL), VARVE_OK);
}

enum varve_status
whole_run(struct small_store *small, const struct whole_options *options, const char *text,
          struct mem *mem, struct relation *rows, char message[600])
{
    struct plans plans;
    struct mem of_run;
    struct relation result = {0};
    struct varve_err err = {0};
    struct lang_error error = {0};
    struct statement *statement;
    struct plan *plan;
    struct lower_options lowering = {.now = options->now};
    plans_begin(&plans);
    mem_init(&of_run, options->allocator, 0);
    enum varve_status status =
        parse_statement(text, strlen(text), &plans.arena, &statement, &error);
    if (status == VARVE_OK)
        status = lower_statement(statement, &made_up_schema, &lowering, &plans.arena, &plan, &error,
                                 &err);
    if (status == VARVE_OK) {
        plans.plan = *plan;
        plans.options = options->run;
        status = small_store_run(small, &plans, plan->root, &of_run, &result, &err);
    }
    assert_int_equal(of_run.used, 0);
    relation_init(rows, mem, result.columns);
    copy_rows(&result, rows);
    snprintf(message, 600, "%s: %s%s", status_name(status), error.message, err.message);
    relation_free(&result);
    plans_end(&plans);
    return status;
}
