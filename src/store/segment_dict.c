/* SPDX-License-Identifier: Apache-2.0
 *
 * segment_dict.c -- the order of the dictionaries.
 *
 * Codes so far count values in the order rows came in; here they get the
 * order in which they are stored, which depends on the values alone.
 *
 * The values of a root are in the order of their bytes -- but first in the order of its leader,
 * which is the key with the most values among those derived from it.  Sessions are sorted by
 * user this way, so runs of one user stand together although users are no sort key of their
 * own.  Derived keys are numbered as they appear along their root, so their maps rise slowly,
 * and maps of keys that determine each other (user id, address, account) are all but equal.
 */
#include "store/segment_build.h"

#include "base/err.h"
#include "store/sort.h"

#include <string.h>

/* Texts by their first bytes behind what all of them begin with, as a number; the rest where
 * that is equal. */
struct ranking {
    const struct interned *items;
    const uint32_t *texts;
    uint64_t *prefix;
};

static size_t common_prefix(const struct interned *items, const uint32_t *texts, uint32_t count)
{
    struct varve_str first = items[texts[0]].text;
    size_t common = first.size;
    for (uint32_t i = 1; i < count && common > 0; i++) {
        struct varve_str text = items[texts[i]].text;
        size_t n = 0, most = text.size < common ? text.size : common;
        while (n < most && text.data[n] == first.data[n])
            n++;
        common = n;
    }
    return common;
}

static uint64_t prefix_of(struct varve_str text, size_t from)
{
    uint8_t bytes[8] = {0};
    size_t n = text.size - from < 8 ? text.size - from : 8;
    memcpy(bytes, text.data + from, n);
    return load64be(bytes);
}

static int compare_texts(const void *context, uint32_t a, uint32_t b)
{
    const struct ranking *r = context;
    if (r->prefix[a] != r->prefix[b])
        return r->prefix[a] < r->prefix[b] ? -1 : 1;
    return str_compare(r->items[r->texts[a]].text, r->items[r->texts[b]].text);
}

/* order: the numbers 0 .. count - 1, sorted by the bytes of texts[number]. */
static enum varve_status sort_texts(struct build *build, const uint32_t *texts, uint32_t count,
                                    uint32_t *order, struct varve_err *err)
{
    struct ranking r = {build->rowset->texts.items, texts, NULL};
    uint32_t *scratch = build_array(build, count / 2 + (size_t)1, sizeof *scratch, err);
    r.prefix = build_array(build, count, sizeof *r.prefix, err);
    if (!scratch || !r.prefix)
        return VARVE_NOMEM;
    size_t common = count ? common_prefix(r.items, texts, count) : 0;
    for (uint32_t i = 0; i < count; i++) {
        order[i] = i;
        r.prefix[i] = prefix_of(r.items[texts[i]].text, common);
    }
    sort_numbers(order, scratch, count, compare_texts, &r);
    return VARVE_OK;
}

/* Stable: by group, of which there are `groups` counted from 0. */
static enum varve_status sort_groups(struct build *build, uint32_t *order, const uint32_t *group,
                                     uint32_t count, uint32_t groups, struct varve_err *err)
{
    uint32_t *ends = build_array(build, groups + (size_t)1, sizeof *ends, err);
    uint32_t *sorted = build_array(build, count, sizeof *sorted, err);
    if (!ends || !sorted)
        return VARVE_NOMEM;
    memset(ends, 0, (groups + (size_t)1) * sizeof *ends);
    for (uint32_t i = 0; i < count; i++)
        ends[group[i] + 1]++;
    for (uint32_t g = 0; g < groups; g++)
        ends[g + 1] += ends[g];
    for (uint32_t i = 0; i < count; i++)
        sorted[ends[group[order[i]]]++] = order[i];
    memcpy(order, sorted, count * sizeof *order);
    return VARVE_OK;
}

/* Brings the order of a root's values into that of its leader's. */
static enum varve_status
follow(struct build *build, const struct build_key *root, const struct build_key *leader,
       uint32_t *order, struct varve_err *err)
{
    uint32_t *by_bytes = build_array(build, leader->values, sizeof *by_bytes, err);
    uint32_t *rank = build_array(build, leader->values + (size_t)1, sizeof *rank, err);
    uint32_t *group = build_array(build, root->values, sizeof *group, err);
    if (!by_bytes || !rank || !group)
        return VARVE_NOMEM;
    TRY(sort_texts(build, leader->value, leader->values, by_bytes, err));
    rank[0] = 0;
    for (uint32_t i = 0; i < leader->values; i++)
        rank[by_bytes[i] + 1] = i + 1;
    for (uint32_t i = 0; i < root->values; i++)
        group[i] = rank[leader->map[i + 1]];
    return sort_groups(build, order, group, root->values, leader->values + 1, err);
}

/* Gives the values their place: order[i] is the number so far of what becomes number i. */
static enum varve_status renumber(struct build *build, struct build_key *key, const uint32_t *order,
                                  uint32_t *code_of, struct varve_err *err)
{
    uint32_t *values = build_array(build, key->values, sizeof *values, err);
    if (!values)
        return VARVE_NOMEM;
    code_of[0] = 0;
    for (uint32_t i = 0; i < key->values; i++) {
        values[i] = key->value[order[i]];
        code_of[order[i] + 1] = i + 1;
    }
    key->value = values;
    return VARVE_OK;
}

static enum varve_status
order_root(struct build *build, struct build_key *root, const struct build_key *leader,
           uint32_t *order, struct varve_err *err)
{
    uint32_t *code_of = build_array(build, root->values + (size_t)1, sizeof *code_of, err);
    if (!code_of)
        return VARVE_NOMEM;
    TRY(sort_texts(build, root->value, root->values, order, err));
    if (leader)
        TRY(follow(build, root, leader, order, err));
    TRY(renumber(build, root, order, code_of, err));
    for (uint32_t i = 0; i < root->pairs; i++)
        root->code[i] = code_of[root->code[i]];
    if (root->dense && root->dense != root->code)
        for (uint32_t s = 0; s < build->set_count; s++)
            root->dense[s] = code_of[root->dense[s]];
    return VARVE_OK;
}

/* Numbers the values of a derived key along its root, whose values were put into this order. */
static enum varve_status
order_derived(struct build *build, struct build_key *key, const struct build_key *root,
              const uint32_t *root_order, struct varve_err *err)
{
    uint32_t *order = build_array(build, key->values, sizeof *order, err);
    uint32_t *code_of = build_array(build, key->values + (size_t)1, sizeof *code_of, err);
    uint32_t *map = build_array(build, root->values + (size_t)1, sizeof *map, err);
    if (!order || !code_of || !map)
        return VARVE_NOMEM;
    memset(code_of, 0, (key->values + (size_t)1) * sizeof *code_of);
    uint32_t next = 0;
    for (uint32_t i = 0; i <= root->values; i++) {
        uint32_t code = key->map[i ? root_order[i - 1] + 1 : 0];
        if (code && !code_of[code]) {
            order[next++] = code - 1;
            code_of[code] = next;
        }
        map[i] = code;
    }
    TRY(renumber(build, key, order, code_of, err));
    for (uint32_t i = 0; i <= root->values; i++)
        map[i] = code_of[map[i]];
    key->map = map;
    return VARVE_OK;
}

/* Whether two keys derived from the same root have the same code wherever they are; the root itself
 * has no map and its own code. */
static bool same_codes(const struct build_key *a, const struct build_key *b, uint32_t entries)
{
    if (a->values != b->values)
        return false;
    for (uint32_t i = 0; i < entries; i++)
        if (a->map[i] != (b->map ? b->map[i] : i))
            return false;
    return true;
}

/* Keys that determine each other ended up with the same codes: all but one of them follow from that
 * one without a map. */
static void drop_maps(struct build *build, uint32_t r)
{
    uint32_t derived = SEGMENT_DERIVED + r, entries = build->keys[r].values + 1;
    for (uint32_t k = 0; k < r; k++) {
        struct build_key *key = &build->keys[k];
        for (uint32_t j = r; j > k && key->kind == derived && key->map; j--) {
            const struct build_key *other = &build->keys[j];
            if (j != r && (other->kind != derived || !other->map))
                continue;
            if (same_codes(key, other, entries)) {
                key->kind = SEGMENT_DERIVED + j;
                key->map = NULL;
            }
        }
    }
}

enum varve_status build_dictionaries(struct build *build, struct varve_err *err)
{
    for (uint32_t r = 0; r < build->key_count; r++) {
        struct build_key *root = &build->keys[r], *leader = NULL;
        if (root->kind != SEGMENT_ROOT)
            continue;
        uint32_t *order = build_array(build, root->values, sizeof *order, err);
        if (!order)
            return VARVE_NOMEM;
        uint32_t derived = SEGMENT_DERIVED + r;
        for (uint32_t k = 0; k < r; k++)
            if (build->keys[k].kind == derived)
                leader = &build->keys[k];
        TRY(order_root(build, root, leader, order, err));
        for (uint32_t k = 0; k < r && leader; k++)
            if (build->keys[k].kind == derived)
                TRY(order_derived(build, &build->keys[k], root, order, err));
        if (leader)
            drop_maps(build, r);
    }
    return VARVE_OK;
}
