/* SPDX-License-Identifier: Apache-2.0
 *
 * completion.h -- the words that may stand at the end of what has been typed.
 */
#ifndef SHELL_COMPLETION_H
#define SHELL_COMPLETION_H

#include "editor.h"
#include "session.h"

/* Fills `words`; words->from is an offset in the text. */
void completion_find(struct session *session, struct varve_str text, struct editor_words *words);

#endif
