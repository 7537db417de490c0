/* SPDX-License-Identifier: Apache-2.0
 *
 * sealed_events.h -- whether an event is already in a sealed day.
 *
 * The identities of all events of a (day, table) are computed from its segment
 * the first time an event for it arrives late, and kept in a set; those used last stay, as
 * many as a bound on their memory allows.  Whoever asks for many events asks day by day and table
 * by table, so that no set is made twice for them.  Used under the store's write lock.
 */
#ifndef STORE_SEALED_EVENTS_H
#define STORE_SEALED_EVENTS_H

#include "store/catalogue.h"
#include "store/segfile.h"
#include "store/table.h"

enum {
    EVENT_INDEXES = 64,             /* sets that stay, at most */
    EVENT_INDEXES_SLOTS = 3u << 19, /* of all of them, 16 bytes each, unless one alone has more */
};

struct event_index {
    int32_t day;
    uint32_t table;
    uint64_t generation; /* 0: free */
    struct h128 *slots;  /* open addressing; zero: free */
    size_t capacity;
};
struct sealed_events {
    struct mem *mem;
    struct segfiles *files;
    struct text_codec *texts;
    uint64_t seed;
    struct event_index indexes[EVENT_INDEXES]; /* the one used last first */
};

void sealed_events_init(struct sealed_events *sealed, struct mem *mem, struct segfiles *files,
                        struct text_codec *texts, uint64_t seed);
void sealed_events_free(struct sealed_events *sealed);
enum varve_status
sealed_events_has(struct sealed_events *sealed, const struct day_record *day, int64_t time,
                  struct h128 identity, bool *has, struct varve_err *err) VARVE_CHECKED;

#endif
