/* SPDX-License-Identifier: Apache-2.0
 *
 * rowset_sets.c -- label sets, and how one is derived from another.
 *
 * The hash of a label set is the sum of the hashes of its pairs, so deriving a
 * set costs as much as what it changes: take out the pair that is replaced, put in
 * the new one, look the sum up.  A set that was never seen is put together in the order of its
 * keys.  Senders give the same keys in the same order again and again, so the way from the order
 * given to the one kept is remembered of a few sets, and most are put together by it without
 * a comparison of texts.
 *
 * Invariant: two sets have equal hashes just if they have equal pairs (hash.h
 * says why that may be relied upon), hence equal numbers.
 */
#include "store/rowset.h"

#include <string.h>

enum { LABELS_ON_STACK = 32 };

enum varve_status
rowset_add_set(struct rowset *rowset, const struct label_pair *pairs, size_t count,
               struct h128 hash, uint32_t *set, struct varve_err *err)
{
    if (rowset->set_count >= HASH_NONE)
        return fail(err, VARVE_LIMIT, "", "more than %u label sets at once", HASH_NONE);
    TRY(mem_grow(rowset->mem, (void **)&rowset->sets, &rowset->set_capacity, rowset->set_count + 1,
                 sizeof *rowset->sets, err));
    uint32_t id = (uint32_t)rowset->set_count;
    TRY(hash_table_add(&rowset->set_table, hash, id, err));
    rowset->sets[id] = (struct label_set){pairs, (uint32_t)count, 0, hash};
    rowset->set_count++;
    *set = id;
    return VARVE_OK;
}

/* ---- pairs ---------------------------------------------------------------- */

/* The pair of that key in a set, or NULL. */
static const struct label_pair *find_pair(const struct label_set *set, uint32_t key)
{
    for (uint32_t i = 0; i < set->count; i++)
        if (set->pairs[i].key == key)
            return &set->pairs[i];
    return NULL;
}

static bool is_text(const struct rowset *rowset, uint32_t id, struct varve_str text)
{
    return id != 0 && str_equal(intern_text(&rowset->texts, id), text);
}

bool rowset_knows_label(const struct rowset *rowset, const struct varve_label *label)
{
    size_t slot = intern_slot(label->key);
    return is_text(rowset, rowset->recent[slot].key, label->key) &&
           is_text(rowset, rowset->recent[slot].value, label->value);
}

static struct h128 hash_of(const struct rowset *rowset, struct label_pair pair)
{
    const struct interned *texts = rowset->texts.items;
    return h128_pair(texts[pair.key].hash, texts[pair.value].hash);
}

/* Names repeat from set to set, and many values do. */
enum varve_status rowset_pair(struct rowset *rowset, const struct varve_label *label,
                              struct rowset_pair *pair, struct varve_err *err)
{
    size_t slot = intern_slot(label->key);
    uint32_t key = rowset->recent[slot].key, value = rowset->recent[slot].value;
    if (label->key.size == 0)
        return fail(err, VARVE_INVALID, "", "a label without a name");
    if (!is_text(rowset, key, label->key)) {
        TRY(intern_put(&rowset->texts, label->key, &key, err));
        value = 0;
    }
    if (label->value.size == 0)
        value = 0;
    else if (!is_text(rowset, value, label->value))
        TRY(intern_put(&rowset->texts, label->value, &value, err));
    rowset->recent[slot].key = key;
    rowset->recent[slot].value = value;
    pair->ids = (struct label_pair){key, value};
    pair->hash = value ? hash_of(rowset, pair->ids) : (struct h128){0, 0};
    return VARVE_OK;
}

/* ---- the way from one order to the other ------------------------------------ */

/* Where the shape of such a set is kept. */
static struct rowset_shape *shape_slot(struct rowset *rowset, const struct label_set *parent,
                                       const struct rowset_pair *pairs, size_t count)
{
    uint32_t mix = parent->count;
    for (size_t i = 0; i < count; i++)
        mix = (mix ^ pairs[i].ids.key) * 0x9e3779b1u;
    return &rowset->shapes[mix >> 16 & (ROWSET_SHAPES - 1)];
}

/* Whether these keys, all with values, have that shape. */
static bool has_shape(const struct rowset_shape *shape, const struct label_set *parent,
                      const struct rowset_pair *pairs, size_t count)
{
    const uint32_t *keys = shape->keys;
    if (shape->inherited != parent->count || shape->own != count)
        return false;
    for (uint32_t i = 0; i < parent->count; i++)
        if (*keys++ != parent->pairs[i].key)
            return false;
    for (size_t i = 0; i < count; i++)
        if (*keys++ != pairs[i].ids.key || pairs[i].ids.value == 0)
            return false;
    return true;
}

static void learn_shape(struct rowset_shape *shape, const struct label_set *parent,
                        const struct rowset_pair *pairs, size_t count,
                        const struct label_pair *sorted, size_t sorted_count)
{
    size_t known = 0;
    shape->own = shape->inherited = 0;
    if (parent->count + count > ROWSET_SHAPE)
        return;
    for (size_t i = 0; i < count; i++)
        if (pairs[i].ids.value == 0)
            return;
    for (uint32_t i = 0; i < parent->count; i++)
        shape->keys[known++] = parent->pairs[i].key;
    for (size_t i = 0; i < count; i++)
        shape->keys[known++] = pairs[i].ids.key;
    for (size_t i = 0; i < known; i++)
        for (size_t to = 0; to < sorted_count; to++)
            if (sorted[to].key == shape->keys[i])
                shape->place[i] = (uint8_t)to;
    for (size_t i = 0; i < parent->count; i++)
        for (size_t own = parent->count; own < known; own++)
            if (shape->keys[own] == shape->keys[i])
                shape->place[i] = ROWSET_REPLACED;
    shape->inherited = parent->count;
    shape->own = (uint32_t)count;
}

/* The hash of a set of a known shape. */
static struct h128
hash_shaped(const struct rowset *rowset, const struct rowset_shape *shape,
            const struct label_set *parent, const struct rowset_pair *pairs, size_t count)
{
    struct h128 hash = parent->hash;
    for (uint32_t i = 0; i < parent->count; i++)
        if (shape->place[i] == ROWSET_REPLACED)
            hash = h128_sub(hash, hash_of(rowset, parent->pairs[i]));
    for (size_t i = 0; i < count; i++)
        hash = h128_add(hash, pairs[i].hash);
    return hash;
}

/* Puts the pairs where they belong, and answers how many there are. */
static size_t lay_out(const struct rowset_shape *shape, const struct label_set *parent,
                      const struct rowset_pair *pairs, size_t count, struct label_pair *sorted)
{
    const uint8_t *place = shape->place;
    size_t replaced = 0;
    for (uint32_t i = 0; i < parent->count; i++, place++) {
        if (*place == ROWSET_REPLACED)
            replaced++;
        else
            sorted[*place] = parent->pairs[i];
    }
    for (size_t i = 0; i < count; i++)
        sorted[*place++] = pairs[i].ids;
    return parent->count + count - replaced;
}

/* ---- deriving ----------------------------------------------------------------- */

/* The hash of the set that the pairs lead to. */
static enum varve_status hash_derived(const struct rowset *rowset, const struct label_set *parent,
                                      const struct rowset_pair *pairs, size_t count,
                                      struct h128 *hash, struct varve_err *err)
{
    *hash = parent->hash;
    for (size_t i = 0; i < count; i++) {
        uint32_t key = pairs[i].ids.key;
        for (size_t j = 0; j < i; j++)
            if (pairs[j].ids.key == key)
                return fail(err, VARVE_INVALID, "", "label %.*s is given twice",
                            STR_ARG(intern_text(&rowset->texts, key)));
        const struct label_pair *old = find_pair(parent, key);
        if (old)
            *hash = h128_sub(*hash, hash_of(rowset, *old));
        *hash = h128_add(*hash, pairs[i].hash);
    }
    return VARVE_OK;
}

/* Sets, replaces or removes one pair among sorted ones. */
static void put_pair(const struct rowset *rowset, struct label_pair *pairs, size_t *count,
                     struct label_pair pair)
{
    struct varve_str key = intern_text(&rowset->texts, pair.key);
    size_t i = *count;
    while (i > 0 && pairs[i - 1].key != pair.key &&
           str_compare(intern_text(&rowset->texts, pairs[i - 1].key), key) > 0)
        i--;
    int there = i > 0 && pairs[i - 1].key == pair.key;
    if (there && pair.value != 0) {
        pairs[i - 1] = pair;
    } else if (there) {
        memmove(pairs + i - 1, pairs + i, (*count - i) * sizeof *pairs);
        *count -= 1;
    } else if (pair.value != 0) {
        memmove(pairs + i + 1, pairs + i, (*count - i) * sizeof *pairs);
        pairs[i] = pair;
        *count += 1;
    }
}

/* Puts a set together that was not known. */
static enum varve_status
make_set(struct rowset *rowset, const struct label_set *parent, const struct rowset_pair *pairs,
         size_t count, struct rowset_shape *shape, bool is_known, struct h128 hash, uint32_t *set,
         struct varve_err *err)
{
    size_t most = parent->count + count, used = parent->count;
    if (most > ROWSET_LABELS)
        return fail(err, VARVE_LIMIT, "", "%zu labels, at most %d are possible", most,
                    ROWSET_LABELS);
    struct label_pair *made = arena_alloc(&rowset->arena, most * sizeof *made);
    if (!made)
        return fail_nomem(err, most * sizeof *made);
    if (is_known) {
        used = lay_out(shape, parent, pairs, count, made);
        return rowset_add_set(rowset, made, used, hash, set, err);
    }
    if (used > 0)
        memcpy(made, parent->pairs, used * sizeof *made);
    for (size_t i = 0; i < count; i++)
        put_pair(rowset, made, &used, pairs[i].ids);
    learn_shape(shape, parent, pairs, count, made, used);
    return rowset_add_set(rowset, made, used, hash, set, err);
}

enum varve_status
rowset_derive(struct rowset *rowset, uint32_t parent, const struct rowset_pair *pairs, size_t count,
              uint32_t *set, struct varve_err *err)
{
    if (parent >= rowset->set_count)
        return fail(err, VARVE_MISUSE, "", "label set %u, there are %zu", parent,
                    rowset->set_count);
    const struct label_set from = rowset->sets[parent];
    struct rowset_shape *shape = shape_slot(rowset, &from, pairs, count);
    bool is_known = has_shape(shape, &from, pairs, count);
    struct h128 hash;
    if (is_known)
        hash = hash_shaped(rowset, shape, &from, pairs, count);
    else
        TRY(hash_derived(rowset, &from, pairs, count, &hash, err));
    *set = hash_table_get(&rowset->set_table, hash);
    if (*set != HASH_NONE)
        return VARVE_OK;
    return make_set(rowset, &from, pairs, count, shape, is_known, hash, set, err);
}

enum varve_status
rowset_labels(struct rowset *rowset, uint32_t parent, const struct varve_label *labels,
              size_t count, uint32_t *set, struct varve_err *err)
{
    if (count > ROWSET_LABELS)
        return fail(err, VARVE_LIMIT, "", "%zu labels, at most %d are possible", count,
                    ROWSET_LABELS);
    struct rowset_pair few[LABELS_ON_STACK], *pairs = few;
    enum varve_status status = VARVE_OK;
    size_t bytes = count * sizeof *pairs;
    if (count > LABELS_ON_STACK && !(pairs = mem_alloc(rowset->mem, bytes)))
        return fail_nomem(err, bytes);
    for (size_t i = 0; i < count; i++)
        TRYOUT(rowset_pair(rowset, &labels[i], &pairs[i], err));
    status = rowset_derive(rowset, parent, pairs, count, set, err);
out:
    if (pairs != few)
        mem_free(rowset->mem, pairs, bytes);
    return status;
}

enum varve_status rowset_set(struct rowset *rowset, const struct label_pair *pairs, uint32_t count,
                             struct h128 hash, uint32_t *set, struct varve_err *err)
{
    *set = hash_table_get(&rowset->set_table, hash);
    if (*set != HASH_NONE)
        return VARVE_OK;
    if (count > ROWSET_LABELS)
        return fail(err, VARVE_LIMIT, "", "%u labels, at most %d are possible", count,
                    ROWSET_LABELS);
    struct label_pair *copy = arena_alloc(&rowset->arena, count * sizeof *copy);
    if (!copy)
        return fail_nomem(err, count * sizeof *copy);
    memcpy(copy, pairs, count * sizeof *copy);
    return rowset_add_set(rowset, copy, count, hash, set, err);
}

struct varve_str rowset_label(const struct rowset *rowset, uint32_t set, struct varve_str key)
{
    uint32_t id = intern_find(&rowset->texts, key);
    const struct label_pair *pair = id == HASH_NONE ? NULL : find_pair(&rowset->sets[set], id);
    return pair ? intern_text(&rowset->texts, pair->value) : STR("");
}
