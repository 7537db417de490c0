/* SPDX-License-Identifier: Apache-2.0
 *
 * fake_intake.h -- an intake that only writes down what it is told, one line a call.
 *
 * It stands in for intake.c where a door is tested: link fake_intake.c in and make one with
 * intake_new, whose options it does not look at.  Label sets are written in full with every point
 * that uses them, so a door that finds a set again and one that makes it anew leave the same
 * lines:
 *
 *   place FILE, body 3
 *   resource service.name="claude-code"
 *   scope "com.anthropic.claude_code" "2.1.0"
 *   metric "claude_code.token.usage" "tokens" sum delta monotonic
 *   number {model="x", type="input"} 100 200 int 42
 *   reject RECORD 1
 *   pause
 *
 * Messages of rejections are not in the lines, for doors word them differently.
 */
#ifndef TESTS_FAKE_INTAKE_H
#define TESTS_FAKE_INTAKE_H

#include "ingest/intake.h"

/* All lines since the beginning or the last fake_intake_clear, zero-terminated. */
const char *fake_intake_lines(const struct intake *intake);
void fake_intake_clear(struct intake *intake);
/* The message of the last rejection; "" when there was none. */
const char *fake_intake_message(const struct intake *intake);
/* How often label sets were made, and found again. */
uint64_t fake_intake_made(const struct intake *intake);
uint64_t fake_intake_found(const struct intake *intake);
/* The nth call from now that can fail answers `status`; 0: none. */
void fake_intake_fail(struct intake *intake, uint64_t nth, enum varve_status status);
/* metric: the names of metrics that are not wanted begin with this; "" none. */
void fake_intake_unwanted(struct intake *intake, const char *prefix);
/* Write no lines, for measurements. */
void fake_intake_silent(struct intake *intake, bool silent);

#endif
