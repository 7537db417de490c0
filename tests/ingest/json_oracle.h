/* SPDX-License-Identifier: Apache-2.0
 *
 * json_oracle.h -- what another reader of JSON says of a text.
 *
 * Values are compared as one line of text: objects and arrays with their members in order, integers
 * in decimal, reals as the bits of a double, strings as their length and bytes.
 */
#ifndef TESTS_JSON_ORACLE_H
#define TESTS_JSON_ORACLE_H

#include "base/buf.h"

enum { ORACLE_DEPTH = 160 }; /* how deep ours reads; jansson goes further */

enum oracle_answer {
    ORACLE_ABSENT,  /* built without jansson */
    ORACLE_SILENT,  /* a matter on which readers may differ, such as a key given twice */
    ORACLE_REFUSES, /* not JSON, or a number that does not fit */
    ORACLE_ACCEPTS  /* and *line says what it holds */
};

enum oracle_answer oracle_ask(const char *text, size_t size, struct buf *line);
/* The same by our own reader; also whether every way of walking over it agrees. */
enum oracle_answer oracle_ours(const char *text, size_t size, struct buf *line);

/* The parts of a line. */
void oracle_put(struct buf *line, const char *text);
void oracle_put_string(struct buf *line, const char *bytes, size_t size);
void oracle_put_int(struct buf *line, int64_t value);
void oracle_put_real(struct buf *line, double value);

#endif
