/* SPDX-License-Identifier: Apache-2.0
 *
 * json_memo.c -- hashes of values that are known to be well-formed.
 *
 * An array is hashed up to the first closing bracket, whatever it is.  If these bytes are an array
 * that was passed over before, at the same depth, they are one now: an array ends at its bracket,
 * no matter what follows.  If the bracket was in a string, or there are arrays inside, these bytes
 * are no array and their hash is not there.  An object is hashed up to the first brace behind the
 * first closing bracket: a resource is one list and little else.
 *
 * The search for the bracket of an array ends within the array; that of an object ends after
 * OBJECT_SIZE.  So all of it costs no more than the text is long.
 *
 * A direct-mapped table, of a size that grows with what is met up to MOST; then a newcomer takes
 * the place of whoever was there.  Forgetting costs a look at the text and nothing else.
 */
#include "ingest/json_memo.h"

enum { FIRST = 256, MOST = 32768, OBJECT_SIZE = 4096 };

void json_memo_init(struct json_memo *memo, struct mem *mem, uint64_t seed)
{
    *memo = (struct json_memo){.mem = mem, .seed = seed};
}

void json_memo_free(struct json_memo *memo)
{
    mem_free(memo->mem, memo->known, memo->capacity * sizeof *memo->known);
    json_memo_init(memo, memo->mem, memo->seed);
}

/* A value may be too deep in one place and not in another.  Never all zeros: that is nobody. */
static struct h128 key_of(const struct json_memo_mark *mark)
{
    return (struct h128){mark->hash.lo + mark->depth, mark->hash.hi | 1};
}

static struct h128 *place_of(struct h128 *known, size_t capacity, struct h128 key)
{
    return &known[key.lo & (capacity - 1)];
}

/* How long the array or object that comes next is, if its end is where it is looked for; 0: it is
 * not. */
static size_t likely_size(const struct json *json, enum json_type type)
{
    const char *p = json->at;
    size_t left = (size_t)(json->end - p);
    if (type != JSON_ARRAY && type != JSON_OBJECT)
        return 0;
    if (type == JSON_OBJECT && left > OBJECT_SIZE)
        left = OBJECT_SIZE;
    const char *close = memchr(p, ']', left);
    if (close && type == JSON_OBJECT)
        close = memchr(close, '}', left - (size_t)(close - p));
    return close ? (size_t)(close - p) + 1 : 0;
}

bool json_memo_find(const struct json_memo *memo, struct json *json, struct json_value *value,
                    struct json_memo_mark *mark)
{
    enum json_type type = json_peek(json);
    *mark = (struct json_memo_mark){.size = likely_size(json, type), .depth = json->depth};
    if (mark->size == 0)
        return false;
    mark->hash = hash128(json->at, mark->size, memo->seed);
    struct h128 key = key_of(mark);
    if (!memo->capacity || !h128_equal(*place_of(memo->known, memo->capacity, key), key))
        return false;
    json_take(json, type, mark->size, value);
    return true;
}

static enum varve_status grow(struct json_memo *memo, struct varve_err *err)
{
    size_t capacity = memo->capacity ? 4 * memo->capacity : FIRST;
    capacity = capacity < MOST ? capacity : MOST;
    struct h128 *known = mem_zalloc(memo->mem, capacity * sizeof *known);
    if (!known)
        return fail_nomem(err, capacity * sizeof *known);
    for (size_t i = 0; i < memo->capacity; i++)
        if (memo->known[i].hi)
            *place_of(known, capacity, memo->known[i]) = memo->known[i];
    mem_free(memo->mem, memo->known, memo->capacity * sizeof *memo->known);
    memo->known = known;
    memo->capacity = capacity;
    return VARVE_OK;
}

enum varve_status json_memo_add(struct json_memo *memo, const struct json_memo_mark *mark,
                                const struct json_value *value, struct varve_err *err)
{
    if (mark->size == 0 || value->size != mark->size)
        return VARVE_OK;
    struct h128 key = key_of(mark);
    if (memo->count >= memo->capacity / 2 && memo->capacity < MOST)
        TRY(grow(memo, err));
    *place_of(memo->known, memo->capacity, key) = key;
    memo->count++;
    return VARVE_OK;
}

struct h128 json_memo_hash(const struct json_memo *memo, const struct json_memo_mark *mark,
                           const struct json_value *value)
{
    if (mark->size > 0 && value->size == mark->size)
        return mark->hash;
    return value->type == JSON_NONE ? (struct h128){0, 0}
                                    : hash128(value->text, value->size, memo->seed);
}
