/* SPDX-License-Identifier: Apache-2.0
 *
 * term.h -- evaluates bound expressions over batches.
 *
 * A term is compiled once for an operator: patterns are prepared, constant parts folded.
 * Evaluating never fails for what a row holds: what cannot be computed is NULL.  A condition on
 * one column of codes with constants is decided once a dictionary entry, not once a row.
 *
 * Values bear their types, and an attribute may be a number in one row and a text in another.  Two
 * values are compared as what they are; a text beside a number or a boolean as the number or
 * boolean that it is.  Where sorts differ all the same, = is false, and there is no order: < and
 * the like are NULL.
 *
 *   term.c                    compiling, evaluating, dictionaries
 *   term_fast.c               loops over plain numbers
 *   term_functions.c          the table of routines; conditions and choices
 *   term_functions_number.c   arithmetic
 *   term_functions_text.c     texts, patterns
 *   term_functions_time.c     calendars
 */
#ifndef EXEC_TERM_H
#define EXEC_TERM_H

#include "base/zone.h"
#include "exec/vector.h"

struct program; /* a compiled term */

enum varve_status program_new(const struct term *term, const struct zone *zone, struct mem *mem,
                              struct program **program, struct varve_err *err) VARVE_CHECKED;
void program_free(struct program *program); /* NULL is fine */
/* What is asked between slow calls whether to go on. */
void program_watch(struct program *program, enum varve_status (*check)(void *, struct varve_err *),
                   void *context);
/* The term's value in every row of the batch (also those not selected); good until the next call
 * on this program or until the batch goes.  VARVE_LIMIT: a pattern took too long. */
enum varve_status program_run(struct program *program, const struct batch *batch,
                              struct vector *result, struct varve_err *err) VARVE_CHECKED;
/* The rows of the batch, of those selected already, for which a condition is true: into
 * `selected` (BATCH_ROWS entries). */
enum varve_status
program_select(struct program *program, const struct batch *batch, uint16_t *selected,
               uint32_t *count, struct varve_err *err) VARVE_CHECKED;
/* Of a single row without columns: for constants.  A text is in the arena. */
enum varve_status
term_constant(const struct term *term, const struct zone *zone, struct arena *arena,
              struct value *value, struct varve_err *err) VARVE_CHECKED;
/* What a value says as a condition: 1, 0, or -1 for NULL and what is no truth. */
int value_truth(struct value value);

#endif
