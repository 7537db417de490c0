/* SPDX-License-Identifier: Apache-2.0
 *
 * group_key.h -- from the keys of a row to the number of its group.
 *
 * Groups are numbered from 0 in the order in which they are met.  Keys that are codes of
 * dictionaries are mapped once a dictionary entry to numbers that hold in all segments, and pairs
 * of them through a table where it is small, so that no text is hashed once a row.  With a `keep`,
 * keys that are not in its list become the group of the others, or NO_GROUP.
 */
#ifndef EXEC_GROUP_KEY_H
#define EXEC_GROUP_KEY_H

#include "exec/relation.h"

#define NO_GROUP UINT32_MAX

struct group_keys;

/* kept: the relation of keep's named result, or NULL. */
enum varve_status group_keys_new(struct mem *mem, uint32_t key_count, const struct keep *keep,
                                 const struct relation *kept, struct group_keys **keys,
                                 struct varve_err *err) VARVE_CHECKED;
void group_keys_free(struct group_keys *keys);
/* groups[i]: of row i of the batch, for the selected rows; keys: key_count vectors of the batch. */
enum varve_status
group_keys_find(struct group_keys *keys, const struct batch *batch, const struct vector *vectors,
                uint32_t *groups, struct varve_err *err) VARVE_CHECKED;
/* Adds the groups of another one, in their order, which was made with the same key_count, keep and
 * relation; numbers[i]: what its group i is here. */
enum varve_status group_keys_merge(struct group_keys *keys, const struct group_keys *from,
                                   uint32_t *numbers, struct varve_err *err) VARVE_CHECKED;
/* Forgets the dictionaries of the rows it was asked for last: the next ones are others. */
void group_keys_forget(struct group_keys *keys);
uint32_t group_keys_count(const struct group_keys *keys);
/* The keys of a group: key_count values, good until group_keys_free. */
const struct value *group_keys_values(const struct group_keys *keys, uint32_t group);
/* Whether this is the group of the others. */
bool group_keys_is_other(const struct group_keys *keys, uint32_t group);

#endif
