/* SPDX-License-Identifier: Apache-2.0
 *
 * facts.c -- a table from (place, name) to what the catalogue and the rules say.
 *
 * Open addressing over numbers of facts, by a seeded hash.  A fact that is not there
 * is found out and added; nothing here ever changes its mind, since neither the
 * catalogue nor the rules do.
 *
 * Whoever uses this forgets everything between two records once there are FACTS_MANY, so what a
 * sender can make it hold is bounded by that and by what one record may have.
 */
#include "ingest/facts.h"

#include "base/hash.h"

enum { FACTS_CHUNK = 1 << 14 };

void facts_init(struct facts *facts, struct mem *mem, const struct rules *rules, uint64_t seed)
{
    *facts = (struct facts){.mem = mem, .rules = rules, .seed = seed};
    arena_init(&facts->arena, mem, FACTS_CHUNK);
}

void facts_free(struct facts *facts)
{
    mem_free(facts->mem, facts->facts, facts->capacity * sizeof *facts->facts);
    mem_free(facts->mem, facts->slots, facts->slot_count * sizeof *facts->slots);
    arena_free(&facts->arena);
    facts->facts = NULL;
    facts->slots = NULL;
    facts->count = facts->capacity = facts->slot_count = 0;
}

void facts_clear(struct facts *facts)
{
    facts->count = 0;
    if (facts->slot_count)
        memset(facts->slots, 0, facts->slot_count * sizeof *facts->slots);
    arena_clear(&facts->arena);
}

static enum varve_status grow(struct facts *facts, struct varve_err *err)
{
    size_t count = facts->slot_count ? facts->slot_count * 2 : 256;
    size_t size = mem_array(count, sizeof *facts->slots);
    uint32_t *slots = mem_zalloc(facts->mem, size);
    if (!slots)
        return fail_nomem(err, size);
    for (size_t i = 0; i < facts->count; i++) {
        size_t at = facts->facts[i].hash & (count - 1);
        while (slots[at])
            at = (at + 1) & (count - 1);
        slots[at] = (uint32_t)i + 1;
    }
    mem_free(facts->mem, facts->slots, facts->slot_count * sizeof *facts->slots);
    facts->slots = slots;
    facts->slot_count = count;
    return VARVE_OK;
}

static void find_out(const struct facts *facts, struct fact *fact)
{
    const struct rules *rules = facts->rules;
    struct varve_str none = STR("");
    if (fact->place == FACTS_METRICS) {
        fact->verdict = (uint8_t)rules_metric(rules, fact->name);
    } else if (fact->place == FACTS_TABLES) {
        fact->verdict = (uint8_t)rules_table(rules, fact->name);
        fact->is_table = true;
    } else if (fact->place == FACTS_ANY_METRIC) {
        fact->verdict = (uint8_t)rules_label(rules, RULE_METRIC, none, fact->name);
    } else {
        const struct fact *in = &facts->facts[fact->place - FACTS_PLACES];
        enum rule_source kind = in->is_table ? RULE_TABLE : RULE_METRIC;
        fact->verdict = (uint8_t)rules_label(rules, kind, in->name, fact->name);
        if (in->is_table)
            fact->type = (uint8_t)names_attribute(in->name, fact->name);
    }
}

static bool has_labels_of_metrics(const struct facts *facts, uint32_t place)
{
    return place == FACTS_ANY_METRIC ||
           (place >= FACTS_PLACES && !facts->facts[place - FACTS_PLACES].is_table);
}

static enum varve_status
add(struct facts *facts, struct fact fact, uint32_t *number, struct varve_err *err)
{
    TRY(mem_grow(facts->mem, (void **)&facts->facts, &facts->capacity, facts->count + 1,
                 sizeof *facts->facts, err));
    if (facts->count >= facts->slot_count / 2)
        TRY(grow(facts, err));
    fact.name.data = arena_copy(&facts->arena, fact.name.data, fact.name.size);
    if (!fact.name.data)
        return fail_nomem(err, fact.name.size);
    find_out(facts, &fact);
    size_t at = fact.hash & (facts->slot_count - 1);
    while (facts->slots[at])
        at = (at + 1) & (facts->slot_count - 1);
    *number = fact.meaning = (uint32_t)facts->count++;
    facts->facts[*number] = fact;
    facts->slots[at] = *number + 1;
    return VARVE_OK;
}

/* Where a name is one label's in another spelling, the fact about that is what counts. */
enum varve_status facts_find(struct facts *facts, uint32_t place, struct varve_str name,
                             uint32_t *number, struct varve_err *err)
{
    struct fact fact = {
        .name = name, .place = place, .hash = hash64(name.data, name.size, facts->seed + place)};
    for (size_t at = fact.hash; facts->slot_count > 0; at++) {
        uint32_t slot = facts->slots[at & (facts->slot_count - 1)];
        if (slot == 0)
            break;
        const struct fact *known = &facts->facts[slot - 1];
        if (known->hash == fact.hash && known->place == place && str_equal(known->name, name)) {
            *number = known->meaning;
            return VARVE_OK;
        }
    }
    uint32_t meaning = UINT32_MAX;
    struct varve_str otlp = name;
    if (has_labels_of_metrics(facts, place))
        otlp = names_label(name);
    if (!str_equal(otlp, name))
        TRY(facts_find(facts, place, otlp, &meaning, err));
    TRY(add(facts, fact, number, err));
    if (meaning != UINT32_MAX)
        *number = facts->facts[*number].meaning = meaning;
    return VARVE_OK;
}
