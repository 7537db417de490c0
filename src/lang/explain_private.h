/* SPDX-License-Identifier: Apache-2.0
 *
 * explain_private.h -- pieces of text that both files of explain put out.
 */
#ifndef LANG_EXPLAIN_PRIVATE_H
#define LANG_EXPLAIN_PRIVATE_H

#include "lang/explain.h"

void explain_put(struct buf *out, const char *text);
void explain_str(struct buf *out, struct varve_str text);
void explain_name(struct buf *out, struct varve_str name);
void explain_text(struct buf *out, struct varve_str text);
/* What a node does, behind its name. */
void explain_node(struct buf *out, const struct plan *plan, const struct node *node);

#endif
