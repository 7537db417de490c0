/* SPDX-License-Identifier: Apache-2.0
 *
 * plan_check.h -- what holds for every plan, whatever statement it was made of.
 */
#ifndef TESTS_PLAN_CHECK_H
#define TESTS_PLAN_CHECK_H

#include "lang/plan.h"

/* NULL, or what is wrong. */
const char *plan_check(const struct plan *plan);

#endif
