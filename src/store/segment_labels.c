/* SPDX-License-Identifier: Apache-2.0
 *
 * segment_labels.c -- the label sets of a segment, key by key, and which keys
 * follow from which.
 *
 * Label sets list their pairs; columns want one key at a time.  So the pairs are dealt out to
 * their keys, sets ascending, and values are numbered key by key.
 *
 * Then the keys are looked at from the one with the most values to the one with the fewest.  One
 * value everywhere: constant.  Else, if each value of a root found before always comes with the
 * same value here, the key is derived from it.  Else it is a root itself.  The test stops at the
 * first contradiction, so what does not hold costs next to nothing.
 *
 * Only the first ROOTS_TRIED roots are tried, so a sender with thousands of
 * keys costs time in proportion, and not its square.
 */
#include "store/segment_build.h"

#include "base/err.h"
#include "store/sort.h"

#include <string.h>

enum { ROOTS_TRIED = 16, SLOTS = 256 };

static enum varve_status number_sets(struct build *build, struct varve_err *err)
{
    const struct rowset *rowset = build->rowset;
    struct segment_marks *marks = &build->builder->sets;
    TRY(marks_begin(marks, build->builder->mem, rowset->set_count, err));
    build->sets = build_array(build, build->series_count, sizeof *build->sets, err);
    if (!build->sets)
        return VARVE_NOMEM;
    for (uint32_t s = 0; s < build->series_count; s++) {
        uint32_t before = build->set_count;
        uint32_t set = rowset->series[build->series[s].id].set;
        build->series[s].set = marks_local(marks, set, &build->set_count);
        if (build->set_count != before)
            build->sets[before] = set;
    }
    return VARVE_OK;
}

/* What keys a label set has.  Sets of the same keys share a shape; most have that of the one before
 * them. */
struct shape {
    struct shape *next, *next_like; /* all; those of the same slot */
    uint32_t sets;                  /* that have it */
    uint32_t count;
    struct label_pair keys[]; /* interned (as key) and local (as value) */
};
struct shapes {
    struct shape **of_set, *all, *last;
    struct shape *like[SLOTS];
};

static bool has_shape(const struct label_set *set, const struct shape *shape)
{
    if (!shape || shape->count != set->count)
        return false;
    uint32_t different = 0;
    for (uint32_t i = 0; i < set->count; i++)
        different |= shape->keys[i].key ^ set->pairs[i].key;
    return different == 0;
}

static uint32_t slot_of(const struct label_set *set)
{
    uint32_t mix = set->count;
    for (uint32_t i = 0; i < set->count; i++)
        mix = (mix ^ set->pairs[i].key) * 0x9e3779b1u;
    return mix >> 24;
}

static struct shape *new_shape(struct build *build, struct shapes *shapes, uint32_t slot,
                               const struct label_set *set, struct varve_err *err)
{
    struct shape *shape;
    size_t size = sizeof *shape + set->count * sizeof *shape->keys;
    shape = build_array(build, size, 1, err);
    if (!shape)
        return NULL;
    *shape =
        (struct shape){.next = shapes->all, .next_like = shapes->like[slot], .count = set->count};
    for (uint32_t i = 0; i < set->count; i++) {
        uint32_t before = build->key_count, text = set->pairs[i].key;
        uint32_t key = marks_local(&build->builder->words, text, &build->key_count);
        if (build->key_count != before)
            build->keys[key] = (struct build_key){.text = text};
        shape->keys[i] = (struct label_pair){text, key};
    }
    shapes->all = shapes->like[slot] = shape;
    return shape;
}

static struct shape *shape_of(struct build *build, struct shapes *shapes,
                              const struct label_set *set, struct varve_err *err)
{
    if (has_shape(set, shapes->last))
        return shapes->last;
    uint32_t slot = slot_of(set);
    struct shape *shape = shapes->like[slot];
    while (shape && !has_shape(set, shape))
        shape = shape->next_like;
    return shapes->last = shape ? shape : new_shape(build, shapes, slot, set, err);
}

/* Finds the keys, how many sets have each, and the shape of each set. */
static enum varve_status
find_shapes(struct build *build, struct shapes *shapes, struct varve_err *err)
{
    struct segment_marks *marks = &build->builder->words;
    TRY(marks_begin(marks, build->builder->mem, build->rowset->texts.count, err));
    for (uint32_t s = 0; s < build->set_count; s++) {
        const struct label_set *set = &build->rowset->sets[build->sets[s]];
        struct shape *shape = shape_of(build, shapes, set, err);
        if (!shape)
            return VARVE_NOMEM;
        shape->sets++;
        shapes->of_set[s] = shape;
    }
    for (const struct shape *shape = shapes->all; shape; shape = shape->next)
        for (uint32_t i = 0; i < shape->count; i++)
            build->keys[shape->keys[i].value].pairs += shape->sets;
    return VARVE_OK;
}

/* Makes room for the pairs of all keys. */
static enum varve_status make_pairs(struct build *build, struct varve_err *err)
{
    size_t codes = 0, sets = 0;
    for (uint32_t k = 0; k < build->key_count; k++) {
        uint32_t pairs = build->keys[k].pairs;
        codes += pairs;
        sets += pairs < build->set_count ? pairs : 0;
    }
    uint32_t *code = build_array(build, codes, sizeof *code, err);
    uint32_t *set = build_array(build, sets, sizeof *set, err);
    if (!code || !set)
        return VARVE_NOMEM;
    for (uint32_t k = 0; k < build->key_count; k++) {
        struct build_key *key = &build->keys[k];
        key->code = code;
        code += key->pairs;
        if (key->pairs == build->set_count) {
            key->dense = key->code;
        } else {
            key->set = set;
            set += key->pairs;
        }
    }
    return VARVE_OK;
}

/* Codes are interned values until number_values has made codes of them. */
static enum varve_status
deal_pairs(struct build *build, const struct shapes *shapes, struct varve_err *err)
{
    struct dealing {
        uint32_t *code, *set;
    } *to = build_array(build, build->key_count, sizeof *to, err);
    if (!to)
        return VARVE_NOMEM;
    TRY(make_pairs(build, err));
    for (uint32_t k = 0; k < build->key_count; k++)
        to[k] = (struct dealing){build->keys[k].code, build->keys[k].set};
    for (uint32_t s = 0; s < build->set_count; s++) {
        const struct label_pair *label = build->rowset->sets[build->sets[s]].pairs;
        const struct shape *shape = shapes->of_set[s];
        for (uint32_t i = 0; i < shape->count; i++) {
            struct dealing *d = &to[shape->keys[i].value];
            *d->code++ = label[i].value;
            if (d->set)
                *d->set++ = s;
        }
    }
    return VARVE_OK;
}

static enum varve_status split_pairs(struct build *build, struct varve_err *err)
{
    size_t pairs = 0, texts = build->rowset->texts.count;
    for (uint32_t s = 0; s < build->set_count; s++)
        pairs += build->rowset->sets[build->sets[s]].count;
    if (pairs > UINT32_MAX)
        return fail(err, VARVE_LIMIT, "", "%zu labels in one segment", pairs);
    struct shapes shapes = {0};
    shapes.of_set = build_array(build, build->set_count, sizeof *shapes.of_set, err);
    build->keys = build_array(build, pairs < texts ? pairs : texts, sizeof *build->keys, err);
    if (!shapes.of_set || !build->keys)
        return VARVE_NOMEM;
    TRY(find_shapes(build, &shapes, err));
    if (build->key_count > UINT16_MAX)
        return fail(err, VARVE_LIMIT, "", "%u label keys in one segment, at most %u are possible",
                    build->key_count, UINT16_MAX);
    return deal_pairs(build, &shapes, err);
}

/* Interned values become codes from 1, in order of appearance.  room has an entry per set. */
static enum varve_status
number_values(struct build *build, struct build_key *key, uint32_t *room, struct varve_err *err)
{
    struct segment_marks *marks = &build->builder->words;
    TRY(marks_begin(marks, build->builder->mem, build->rowset->texts.count, err));
    uint32_t last_text = 0, last = 0;
    for (uint32_t i = 0; i < key->pairs; i++) {
        if (key->code[i] != last_text) {
            last_text = key->code[i];
            last = marks_local(marks, last_text, &key->values);
            room[last] = last_text;
        }
        key->code[i] = last + 1;
    }
    key->value = build_array(build, key->values, sizeof *key->value, err);
    if (!key->value)
        return VARVE_NOMEM;
    memcpy(key->value, room, key->values * sizeof *room);
    return VARVE_OK;
}

static int compare_keys(const void *context, uint32_t a, uint32_t b)
{
    const struct build *build = context;
    const struct build_key *x = &build->keys[a], *y = &build->keys[b];
    if (x->values != y->values)
        return x->values < y->values ? -1 : 1;
    const struct intern *texts = &build->rowset->texts;
    return str_compare(intern_text(texts, x->text), intern_text(texts, y->text));
}

static enum varve_status sort_keys(struct build *build, struct varve_err *err)
{
    uint32_t *order = build_array(build, build->key_count * (size_t)2, sizeof *order, err);
    struct build_key *sorted = build_array(build, build->key_count, sizeof *sorted, err);
    if (!order || !sorted)
        return VARVE_NOMEM;
    for (uint32_t k = 0; k < build->key_count; k++)
        order[k] = k;
    sort_numbers(order, order + build->key_count, build->key_count, compare_keys, build);
    for (uint32_t k = 0; k < build->key_count; k++)
        sorted[k] = build->keys[order[k]];
    build->keys = sorted;
    return VARVE_OK;
}

const uint32_t *build_dense(const struct build *build, const struct build_key *key, uint32_t *room)
{
    if (key->dense)
        return key->dense;
    memset(room, 0, build->set_count * sizeof *room);
    for (uint32_t i = 0; i < key->pairs; i++)
        room[key->set[i]] = key->code[i];
    return room;
}

/* Fills map, code of the root -> code of the key, and answers whether there is one. */
static bool
depends(const uint32_t *root, const uint32_t *key, uint32_t sets, uint64_t *map, uint32_t epoch)
{
    for (uint32_t s = 0; s < sets; s++) {
        uint64_t *slot = &map[root[s]], entry = (uint64_t)epoch << 32 | key[s];
        if (*slot >> 32 != epoch)
            *slot = entry;
        else if (*slot != entry)
            return false;
    }
    return true;
}

/* What deciding about one key needs. */
struct deciding {
    uint64_t *map; /* epoch << 32 | code, by code of a root */
    uint32_t epoch;
    uint32_t roots[ROOTS_TRIED]; /* keys */
    uint32_t root_count;
};

static enum varve_status keep_map(struct build *build, struct build_key *key, uint32_t root,
                                  const struct deciding *d, struct varve_err *err)
{
    size_t entries = build->keys[root].values + (size_t)1;
    key->kind = SEGMENT_DERIVED + root;
    key->map = build_array(build, entries, sizeof *key->map, err);
    if (!key->map)
        return VARVE_NOMEM;
    for (size_t i = 0; i < entries; i++)
        key->map[i] = d->map[i] >> 32 == d->epoch ? (uint32_t)d->map[i] : 0;
    return VARVE_OK;
}

static enum varve_status
decide(struct build *build, uint32_t k, struct deciding *d, uint32_t *room, struct varve_err *err)
{
    struct build_key *key = &build->keys[k];
    key->kind = SEGMENT_CONSTANT;
    if (key->values == 1 && key->pairs == build->set_count)
        return VARVE_OK;
    const uint32_t *dense = build_dense(build, key, room);
    for (uint32_t i = 0; i < d->root_count; i++) {
        d->epoch++;
        if (depends(build->keys[d->roots[i]].dense, dense, build->set_count, d->map, d->epoch))
            return keep_map(build, key, d->roots[i], d, err);
    }
    key->kind = SEGMENT_ROOT;
    if (d->root_count == ROOTS_TRIED)
        return VARVE_OK;
    if (!key->dense) {
        key->dense = build_array(build, build->set_count, sizeof *key->dense, err);
        if (!key->dense)
            return VARVE_NOMEM;
        memcpy(key->dense, dense, build->set_count * sizeof *dense);
    }
    d->roots[d->root_count++] = k;
    return VARVE_OK;
}

enum varve_status build_labels(struct build *build, struct varve_err *err)
{
    TRY(number_sets(build, err));
    TRY(split_pairs(build, err));
    uint32_t *texts = build_array(build, build->set_count, sizeof *texts, err);
    if (!texts)
        return VARVE_NOMEM;
    for (uint32_t k = 0; k < build->key_count; k++)
        TRY(number_values(build, &build->keys[k], texts, err));
    TRY(sort_keys(build, err));
    if (build->key_count == 0)
        return VARVE_OK;
    struct deciding d = {0};
    uint32_t *room = build_array(build, build->set_count, sizeof *room, err);
    size_t most = build->keys[build->key_count - 1].values + (size_t)1;
    d.map = build_array(build, most, sizeof *d.map, err);
    if (!room || !d.map)
        return VARVE_NOMEM;
    memset(d.map, 0, most * sizeof *d.map);
    for (uint32_t k = build->key_count; k-- > 0;)
        TRY(decide(build, k, &d, room, err));
    return VARVE_OK;
}
