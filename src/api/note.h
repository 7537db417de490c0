/* SPDX-License-Identifier: Apache-2.0
 *
 * note.h -- why an answer is empty (L8).
 */
#ifndef API_NOTE_H
#define API_NOTE_H

#include "lang/plan.h"
#include "store/snapshot.h"

/* One sentence, or nothing where there is no more to say than that there are no rows. */
void note_why_empty(const struct plan *plan, struct snapshot *snapshot, char *note, size_t size);

#endif
