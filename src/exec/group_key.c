/* SPDX-License-Identifier: Apache-2.0
 *
 * group_key.c -- from the keys of a row to the number of its group.
 *
 * Three steps, each with a memory of its own so that most rows take only the first:
 *
 *   codes of all keys  -> group     a table a segment, where its dictionaries are small
 *   code of one key    -> number    once a dictionary entry and segment
 *   value of one key   -> number    by hash; the number is the same in all segments
 *
 * The numbers of several keys are folded pair by pair, (number so far, next number) -> number, by
 * hash of integers.  The last number stands for the whole key; what group it belongs to is looked
 * up in an array, and there a `keep` has its say.
 *
 * Invariants: equal keys (value_compare) get one number; a group exists only if a row of it was
 * asked for.
 */
#include "exec/group_key.h"

#define UNSET (UINT32_MAX - 1) /* no group yet */
#define KEPT (UINT32_MAX - 2)  /* no group yet, and it is to have one of its own */
#define GROUPS_MAX (UINT32_MAX - 3)

#define DIRECT_MAX 65536u /* entries of the table from codes to groups */

/* Numbers of pairs: open addressing, at most 3/4 full. */
struct pair {
    uint32_t left, right, number; /* number + 1; 0: free */
};
struct pairs {
    struct pair *slots;
    size_t capacity;
    uint32_t count;
};

/* One key of the rows at hand. */
struct key {
    const struct varve_dictionary *dictionary;
    const struct varve_str *texts;
    uint32_t *numbers; /* by code; UNSET: not looked up yet */
    size_t capacity;
    uint32_t last_number; /* of last_value, a text; UNSET: none */
    struct value last_value;
};

struct group_keys {
    struct mem *mem;
    uint32_t key_count;
    struct arena arena; /* texts, and the values of groups */
    /* values -> numbers */
    struct value *values; /* by number */
    size_t value_capacity;
    uint32_t value_count;
    uint32_t *value_slots; /* number + 1 */
    size_t slot_capacity;
    struct pairs *pairs; /* key_count - 1 of them */
    /* the last number -> group */
    uint32_t *group_of;
    size_t group_of_capacity, group_of_count;
    const struct value **groups;
    size_t group_capacity;
    uint32_t group_count;
    bool is_keeping, has_other;
    uint32_t other;
    struct value other_label;
    /* rows at hand */
    struct key *keys;
    uint32_t segment;
    uint32_t *direct; /* by codes; UNSET: not looked up yet */
    size_t direct_capacity, direct_size;
    uint32_t *row_numbers; /* of BATCH_ROWS rows */
};

/* ---- values to numbers ------------------------------------------------------- */

static enum varve_status grow_slots(struct group_keys *g, struct varve_err *err)
{
    size_t capacity = g->slot_capacity ? g->slot_capacity * 2 : 64;
    uint32_t *slots = mem_zalloc(g->mem, mem_array(capacity, sizeof *slots));
    if (!slots)
        return fail_nomem(err, capacity * sizeof *slots);
    for (uint32_t n = 0; n < g->value_count; n++) {
        size_t at = value_hash(g->values[n]) & (capacity - 1);
        while (slots[at])
            at = (at + 1) & (capacity - 1);
        slots[at] = n + 1;
    }
    mem_free(g->mem, g->value_slots, g->slot_capacity * sizeof *slots);
    g->value_slots = slots;
    g->slot_capacity = capacity;
    return VARVE_OK;
}

static bool same_value(struct value a, struct value b)
{
    if (a.type == TYPE_TEXT && b.type == TYPE_TEXT)
        return str_equal(value_str(a), value_str(b));
    return value_compare(a, b) == 0;
}

static enum varve_status own_value(struct group_keys *g, struct value *value, struct varve_err *err)
{
    if (value->type != TYPE_TEXT)
        return VARVE_OK;
    char *copy = arena_copy(&g->arena, value->as.s, value->size);
    if (!copy)
        return fail_nomem(err, value->size);
    value->as.s = copy;
    return VARVE_OK;
}

static enum varve_status
number_of(struct group_keys *g, struct value value, uint32_t *number, struct varve_err *err)
{
    if ((size_t)g->value_count * 4 >= g->slot_capacity * 3)
        TRY(grow_slots(g, err));
    size_t mask = g->slot_capacity - 1, at = value_hash(value) & mask;
    for (; g->value_slots[at]; at = (at + 1) & mask)
        if (same_value(g->values[g->value_slots[at] - 1], value)) {
            *number = g->value_slots[at] - 1;
            return VARVE_OK;
        }
    if (g->value_count >= GROUPS_MAX)
        return fail(err, VARVE_LIMIT, "query", "too many distinct keys");
    TRY(mem_grow(g->mem, (void **)&g->values, &g->value_capacity, (size_t)g->value_count + 1,
                 sizeof *g->values, err));
    TRY(own_value(g, &value, err));
    if (value.type == TYPE_FLOAT && value.as.f == 0)
        value.as.f = 0; /* of two zeros the one without a sign, whichever came first */
    g->values[g->value_count] = value;
    *number = g->value_count++;
    g->value_slots[at] = *number + 1;
    return VARVE_OK;
}

/* ---- pairs to numbers -------------------------------------------------------- */

static size_t pair_hash(uint32_t left, uint32_t right)
{
    uint64_t x = ((uint64_t)left << 32 | right) * UINT64_C(0x9e3779b97f4a7c15);
    return (size_t)(x ^ x >> 32);
}

static enum varve_status grow_pairs(struct mem *mem, struct pairs *pairs, struct varve_err *err)
{
    size_t capacity = pairs->capacity ? pairs->capacity * 2 : 64;
    struct pair *slots = mem_zalloc(mem, mem_array(capacity, sizeof *slots));
    if (!slots)
        return fail_nomem(err, capacity * sizeof *slots);
    for (size_t i = 0; i < pairs->capacity; i++) {
        if (!pairs->slots[i].number)
            continue;
        size_t at = pair_hash(pairs->slots[i].left, pairs->slots[i].right) & (capacity - 1);
        while (slots[at].number)
            at = (at + 1) & (capacity - 1);
        slots[at] = pairs->slots[i];
    }
    mem_free(mem, pairs->slots, pairs->capacity * sizeof *slots);
    pairs->slots = slots;
    pairs->capacity = capacity;
    return VARVE_OK;
}

static enum varve_status pair_number(struct mem *mem, struct pairs *pairs, uint32_t left,
                                     uint32_t right, uint32_t *number, struct varve_err *err)
{
    if ((size_t)pairs->count * 4 >= pairs->capacity * 3)
        TRY(grow_pairs(mem, pairs, err));
    size_t mask = pairs->capacity - 1, at = pair_hash(left, right) & mask;
    for (; pairs->slots[at].number; at = (at + 1) & mask)
        if (pairs->slots[at].left == left && pairs->slots[at].right == right) {
            *number = pairs->slots[at].number - 1;
            return VARVE_OK;
        }
    if (pairs->count >= GROUPS_MAX)
        return fail(err, VARVE_LIMIT, "query", "too many distinct keys");
    *number = pairs->count++;
    pairs->slots[at] = (struct pair){left, right, pairs->count};
    return VARVE_OK;
}

/* ---- groups ------------------------------------------------------------------ */

/* A new group; *keys: room for its keys. */
static enum varve_status
add_group(struct group_keys *g, struct value **keys, uint32_t *group, struct varve_err *err)
{
    if (g->group_count >= GROUPS_MAX)
        return fail(err, VARVE_LIMIT, "query", "too many groups");
    TRY(mem_grow(g->mem, (void **)&g->groups, &g->group_capacity, (size_t)g->group_count + 1,
                 sizeof *g->groups, err));
    *keys = arena_zalloc(&g->arena, mem_array((size_t)g->key_count + 1, sizeof **keys));
    if (!*keys)
        return fail_nomem(err, g->key_count * sizeof **keys);
    g->groups[g->group_count] = *keys;
    *group = g->group_count++;
    return VARVE_OK;
}

static enum varve_status find_other(struct group_keys *g, uint32_t *group, struct varve_err *err)
{
    if (g->has_other && g->other == NO_GROUP) {
        struct value *keys;
        TRY(add_group(g, &keys, &g->other, err));
        keys[0] = g->other_label;
    }
    *group = g->other;
    return VARVE_OK;
}

/* Makes group_of reach as far as the number. */
static enum varve_status reach(struct group_keys *g, uint32_t number, struct varve_err *err)
{
    if (number < g->group_of_count)
        return VARVE_OK;
    TRY(mem_grow(g->mem, (void **)&g->group_of, &g->group_of_capacity, (size_t)number + 1,
                 sizeof *g->group_of, err));
    while (g->group_of_count <= number)
        g->group_of[g->group_of_count++] = UNSET;
    return VARVE_OK;
}

/* The group of a whole key, given the numbers of its parts and of all of it. */
static enum varve_status group_of_key(struct group_keys *g, const uint32_t *parts, uint32_t number,
                                      uint32_t *group, struct varve_err *err)
{
    TRY(reach(g, number, err));
    uint32_t known = g->group_of[number];
    if (known != UNSET && known != KEPT) {
        *group = known;
        return VARVE_OK;
    }
    if (g->is_keeping && known == UNSET) {
        TRY(find_other(g, group, err));
    } else {
        struct value *keys;
        TRY(add_group(g, &keys, group, err));
        for (uint32_t k = 0; k < g->key_count; k++)
            keys[k] = g->values[parts[k]];
    }
    g->group_of[number] = *group;
    return VARVE_OK;
}

/* Folds the numbers of all parts into one. */
static enum varve_status
fold(struct group_keys *g, const uint32_t *parts, uint32_t *number, struct varve_err *err)
{
    *number = parts[0];
    for (uint32_t k = 1; k < g->key_count; k++)
        TRY(pair_number(g->mem, &g->pairs[k - 1], *number, parts[k], number, err));
    return VARVE_OK;
}

/* ---- rows -------------------------------------------------------------------- */

/* Forgets what was known of codes when the dictionaries are others. */
static enum varve_status meet_dictionaries(struct group_keys *g, const struct batch *batch,
                                           const struct vector *vectors, struct varve_err *err)
{
    bool is_new = batch->segment != g->segment || batch->segment == 0, all_codes = true;
    for (uint32_t k = 0; k < g->key_count; k++) {
        const struct vector *v = &vectors[k];
        const struct varve_dictionary *d = v->form == VECTOR_CODES ? v->dictionary : NULL;
        is_new |= d != g->keys[k].dictionary || (d && d->texts != g->keys[k].texts);
        all_codes &= d != NULL;
    }
    if (!is_new)
        return VARVE_OK;
    size_t size = 1;
    g->segment = 0;
    g->direct_size = 0;
    for (uint32_t k = 0; k < g->key_count; k++) {
        struct key *key = &g->keys[k];
        key->dictionary = vectors[k].form == VECTOR_CODES ? vectors[k].dictionary : NULL;
        key->texts = NULL;
        if (!key->dictionary)
            continue;
        uint32_t count = key->dictionary->count;
        TRY(mem_grow(g->mem, (void **)&key->numbers, &key->capacity, (size_t)count + 1,
                     sizeof *key->numbers, err));
        for (uint32_t i = 0; i < count; i++)
            key->numbers[i] = UNSET;
        key->texts = key->dictionary->texts;
        size = size <= DIRECT_MAX ? size * count : size;
    }
    if (all_codes && size <= DIRECT_MAX) {
        TRY(mem_grow(g->mem, (void **)&g->direct, &g->direct_capacity, size + 1, sizeof *g->direct,
                     err));
        for (size_t i = 0; i < size; i++)
            g->direct[i] = UNSET;
        g->direct_size = size;
    }
    g->segment = batch->segment;
    return VARVE_OK;
}

static enum varve_status number_of_row(struct group_keys *g, uint32_t k, const struct vector *v,
                                       uint32_t row, uint32_t *number, struct varve_err *err)
{
    struct key *key = &g->keys[k];
    if (v->form == VECTOR_CODES) {
        uint32_t *known = &key->numbers[v->codes[row]];
        if (*known == UNSET)
            TRY(number_of(g, vector_value(v, row), known, err));
        *number = *known;
        return VARVE_OK;
    }
    /* A text that is the same bytes as in the row before is the same text. */
    struct value value = vector_value(v, row);
    if (key->last_number == UNSET || value.type != key->last_value.type ||
        (value.type == TYPE_TEXT ? !str_equal(value_str(value), value_str(key->last_value))
                                 : value.as.i != key->last_value.as.i)) {
        TRY(number_of(g, value, &key->last_number, err));
        if (value.type == TYPE_TEXT)
            value = g->values[key->last_number];
        key->last_value = value;
    }
    *number = key->last_number;
    return VARVE_OK;
}

static enum varve_status group_of_row(struct group_keys *g, const struct vector *vectors,
                                      uint32_t row, uint32_t *group, struct varve_err *err)
{
    uint32_t number;
    for (uint32_t k = 0; k < g->key_count; k++)
        TRY(number_of_row(g, k, &vectors[k], row, &g->row_numbers[k], err));
    TRY(fold(g, g->row_numbers, &number, err));
    return group_of_key(g, g->row_numbers, number, group, err);
}

/* Rows whose keys are codes of small dictionaries. */
static enum varve_status
find_direct(struct group_keys *g, const struct batch *batch, const struct vector *vectors,
            uint32_t *groups, struct varve_err *err)
{
    uint32_t n = batch_count(batch);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t row = batch_row(batch, i);
        size_t at = vectors[0].codes[row];
        for (uint32_t k = 1; k < g->key_count; k++)
            at = at * vectors[k].dictionary->count + vectors[k].codes[row];
        if (g->direct[at] == UNSET)
            TRY(group_of_row(g, vectors, row, &g->direct[at], err));
        groups[row] = g->direct[at];
    }
    return VARVE_OK;
}

/* The one group there is without keys. */
static enum varve_status need_group(struct group_keys *g, struct varve_err *err)
{
    struct value *keys;
    uint32_t all;
    return g->group_count ? VARVE_OK : add_group(g, &keys, &all, err);
}

enum varve_status
group_keys_find(struct group_keys *g, const struct batch *batch, const struct vector *vectors,
                uint32_t *groups, struct varve_err *err)
{
    uint32_t n = batch_count(batch);
    if (g->key_count == 0) {
        if (n > 0)
            TRY(need_group(g, err));
        for (uint32_t i = 0; i < n; i++)
            groups[batch_row(batch, i)] = 0;
        return VARVE_OK;
    }
    TRY(meet_dictionaries(g, batch, vectors, err));
    if (g->direct_size > 0)
        return find_direct(g, batch, vectors, groups, err);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t row = batch_row(batch, i);
        TRY(group_of_row(g, vectors, row, &groups[row], err));
    }
    return VARVE_OK;
}

/* ---- groups of another one ------------------------------------------------------ */

/* before: the keys of the group before it, whose numbers are at hand, or NULL.  The other one keeps
 * each text once, so a text that is in the same place is the same. */
static enum varve_status
merge_group(struct group_keys *g, const struct value *before, const struct value *keys,
            uint32_t *group, struct varve_err *err)
{
    uint32_t number;
    for (uint32_t k = 0; k < g->key_count; k++)
        if (!before || keys[k].type != TYPE_TEXT || before[k].type != TYPE_TEXT ||
            keys[k].as.s != before[k].as.s || keys[k].size != before[k].size)
            TRY(number_of(g, keys[k], &g->row_numbers[k], err));
    TRY(fold(g, g->row_numbers, &number, err));
    return group_of_key(g, g->row_numbers, number, group, err);
}

enum varve_status group_keys_merge(struct group_keys *g, const struct group_keys *from,
                                   uint32_t *numbers, struct varve_err *err)
{
    const struct value *before = NULL;
    for (uint32_t i = 0; i < from->group_count; i++) {
        bool is_other = group_keys_is_other(from, i);
        numbers[i] = 0;
        if (g->key_count == 0)
            TRY(need_group(g, err));
        else if (is_other)
            TRY(find_other(g, &numbers[i], err));
        else
            TRY(merge_group(g, before, from->groups[i], &numbers[i], err));
        before = is_other ? NULL : from->groups[i];
    }
    return VARVE_OK;
}

/* ---- making ------------------------------------------------------------------ */

/* Whether one of the groups that are kept has the keys of the others. */
static bool is_taken(const struct group_keys *g, const struct relation *kept, struct value label)
{
    for (uint64_t row = 0; kept && row < kept->rows; row++) {
        const struct value *cells = relation_row(kept, row);
        uint32_t k = 1;
        while (k < g->key_count && value_is_null(cells[k]))
            k++;
        if (k == g->key_count && same_value(cells[0], label))
            return true;
    }
    return false;
}

/* The others are told from a group that bears their name: they are then "other (rest)". */
static enum varve_status name_others(struct group_keys *g, const struct keep *keep,
                                     const struct relation *kept, struct varve_err *err)
{
    struct varve_str more = STR(" (rest)"), label = keep->label;
    while (is_taken(g, kept, value_text(label))) {
        char *text = arena_alloc(&g->arena, label.size + more.size);
        if (!text)
            return fail_nomem(err, label.size + more.size);
        memcpy(text, label.data, label.size);
        memcpy(text + label.size, more.data, more.size);
        label = (struct varve_str){text, label.size + more.size};
    }
    g->other_label = value_text(label);
    return own_value(g, &g->other_label, err);
}

static enum varve_status meet_kept(struct group_keys *g, const struct keep *keep,
                                   const struct relation *kept, struct varve_err *err)
{
    g->is_keeping = true;
    g->has_other = keep->other;
    TRY(name_others(g, keep, kept, err));
    for (uint64_t row = 0; kept && row < kept->rows; row++) {
        const struct value *cells = relation_row(kept, row);
        uint32_t number;
        for (uint32_t k = 0; k < g->key_count; k++)
            TRY(number_of(g, cells[k], &g->row_numbers[k], err));
        TRY(fold(g, g->row_numbers, &number, err));
        TRY(reach(g, number, err));
        g->group_of[number] = KEPT;
    }
    return VARVE_OK;
}

static enum varve_status make(struct group_keys *g, const struct keep *keep,
                              const struct relation *kept, struct varve_err *err)
{
    size_t n = g->key_count;
    g->keys = mem_zalloc(g->mem, mem_array(n + 1, sizeof *g->keys));
    g->pairs = mem_zalloc(g->mem, mem_array(n + 1, sizeof *g->pairs));
    g->row_numbers = mem_zalloc(g->mem, mem_array(n + 1, sizeof *g->row_numbers));
    if (!g->keys || !g->pairs || !g->row_numbers)
        return fail_nomem(err, (n + 1) * sizeof *g->keys);
    for (size_t k = 0; k < n; k++)
        g->keys[k].last_number = UNSET;
    if (n > 0 && keep && keep->is_set)
        TRY(meet_kept(g, keep, kept, err));
    return VARVE_OK;
}

enum varve_status
group_keys_new(struct mem *mem, uint32_t key_count, const struct keep *keep,
               const struct relation *kept, struct group_keys **keys, struct varve_err *err)
{
    struct group_keys *g = mem_zalloc(mem, sizeof *g);
    if (!g)
        return fail_nomem(err, sizeof *g);
    g->mem = mem;
    g->key_count = key_count;
    g->other = NO_GROUP;
    arena_init(&g->arena, mem, 1 << 12);
    enum varve_status status = make(g, keep, kept, err);
    if (status == VARVE_OK)
        *keys = g;
    else
        group_keys_free(g);
    return status;
}

void group_keys_free(struct group_keys *g)
{
    if (!g)
        return;
    struct mem *mem = g->mem;
    size_t n = (size_t)g->key_count + 1;
    for (size_t k = 0; k < n && g->keys; k++)
        mem_free(mem, g->keys[k].numbers, g->keys[k].capacity * sizeof *g->keys[k].numbers);
    for (size_t k = 0; k < n && g->pairs; k++)
        mem_free(mem, g->pairs[k].slots, g->pairs[k].capacity * sizeof *g->pairs[k].slots);
    mem_free(mem, g->keys, n * sizeof *g->keys);
    mem_free(mem, g->pairs, n * sizeof *g->pairs);
    mem_free(mem, g->row_numbers, n * sizeof *g->row_numbers);
    mem_free(mem, g->values, g->value_capacity * sizeof *g->values);
    mem_free(mem, g->value_slots, g->slot_capacity * sizeof *g->value_slots);
    mem_free(mem, g->group_of, g->group_of_capacity * sizeof *g->group_of);
    mem_free(mem, g->groups, g->group_capacity * sizeof *g->groups);
    mem_free(mem, g->direct, g->direct_capacity * sizeof *g->direct);
    arena_free(&g->arena);
    mem_free(mem, g, sizeof *g);
}

void group_keys_forget(struct group_keys *g)
{
    g->segment = 0;
}

uint32_t group_keys_count(const struct group_keys *g)
{
    return g->group_count;
}

const struct value *group_keys_values(const struct group_keys *g, uint32_t group)
{
    return g->groups[group];
}

bool group_keys_is_other(const struct group_keys *g, uint32_t group)
{
    return g->is_keeping && group == g->other;
}
