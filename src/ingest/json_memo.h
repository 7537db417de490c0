/* SPDX-License-Identifier: Apache-2.0
 *
 * json_memo.h -- values that were met before, and are not looked at again.
 *
 * Senders repeat themselves: the attributes of a point are those of the same series a
 * minute ago, byte by byte.  A value whose end can be found without reading it is known by the
 * hash of its bytes; that it is well-formed was found out when the memo met it first.
 *
 *     if (!json_memo_find(&memo, &json, &value, &mark) && json_value(&json, &value))
 *         TRY(json_memo_add(&memo, &mark, &value, err));
 */
#ifndef INGEST_JSON_MEMO_H
#define INGEST_JSON_MEMO_H

#include "base/hash.h"
#include "ingest/json.h"

struct json_memo {
    struct mem *mem;
    uint64_t seed;
    struct h128 *known;
    size_t capacity, count; /* capacity: 0 or a power of two */
};

/* The bytes that were looked at. */
struct json_memo_mark {
    struct h128 hash;
    size_t size;    /* 0: none */
    unsigned depth; /* where they are */
};

/* A seed that senders do not know: what has the hash of a known value is taken for it. */
void json_memo_init(struct json_memo *memo, struct mem *mem, uint64_t seed);
void json_memo_free(struct json_memo *memo);
/* The next value, if it is an array or an object that is known. */
bool json_memo_find(const struct json_memo *memo, struct json *json, struct json_value *value,
                    struct json_memo_mark *mark);
/* The value was read after all: it is known from now on, if its end can be found. */
enum varve_status
json_memo_add(struct json_memo *memo, const struct json_memo_mark *mark,
              const struct json_value *value, struct varve_err *err) VARVE_CHECKED;
/* The hash of the bytes of this value, whether it is known or not; all zeros: there is none. */
struct h128 json_memo_hash(const struct json_memo *memo, const struct json_memo_mark *mark,
                           const struct json_value *value);

#endif
