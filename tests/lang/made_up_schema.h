/* SPDX-License-Identifier: Apache-2.0
 *
 * made_up_schema.h -- a schema without a store: a few metrics, tables, views, a lookup.
 */
#ifndef TESTS_MADE_UP_SCHEMA_H
#define TESTS_MADE_UP_SCHEMA_H

#include "lang/schema.h"

extern const struct schema made_up_schema;

#endif
