/* SPDX-License-Identifier: Apache-2.0
 *
 * intake_pairs.c -- label sets attribute by attribute.
 *
 * Label sets are new all the time, for a model or a tool that a session had not used; their
 * attributes hardly ever are.  So what an attribute's bytes became in this batch, a label with its
 * texts interned, is kept in a table under the hash of the bytes, and a new set is put together
 * from such labels: nothing is taken apart, asked of the rules, checked or compared.
 *
 * The table forgets: an entry is overwritten by the next that belongs to its place.  An entry is
 * good for the batch it was made in.  Whatever is out of the ordinary is left to intake_labels,
 * which makes the same sets and knows how to say what is wrong.
 */
#include "ingest/intake_private.h"

enum { SLOTS = 4096 };

/* What an attribute became: a key of 0 means no label. */
struct known_pair {
    struct h128 hash;
    struct rowset_pair pair;
    uint64_t batch; /* in which; 0: an empty slot */
};

void intake_pairs_free(struct intake *intake)
{
    mem_free(intake->mem, intake->known_pairs, SLOTS * sizeof *intake->known_pairs);
}

bool intake_pairs_begin(struct intake *intake)
{
    if (rules_depend_on_source(intake->options.rules))
        return false; /* what an attribute becomes is another thing for another metric */
    if (!intake->known_pairs)
        intake->known_pairs = mem_zalloc(intake->mem, SLOTS * sizeof *intake->known_pairs);
    intake_mark(intake);
    intake->pair_count = 0;
    return intake->known_pairs != NULL;
}

void intake_pairs_head(struct intake *intake, struct h128 hash)
{
    intake->pairs_head = (struct pairs_head){hash, intake->batch_number, intake->pair_count};
}

bool intake_pairs_again(struct intake *intake, struct h128 hash)
{
    const struct pairs_head *head = &intake->pairs_head;
    if (head->batch != intake->batch_number || !h128_equal(head->hash, hash))
        return false;
    intake->pair_count = head->count;
    return true;
}

static struct known_pair *slot_of(const struct intake *intake, struct h128 hash)
{
    return &intake->known_pairs[hash.lo % SLOTS];
}

/* Puts it into the set; false when there are too many. */
static bool use(struct intake *intake, const struct rowset_pair *pair)
{
    if (pair->ids.key == 0)
        return true;
    if (intake->pair_count == LIMIT_ATTRIBUTES)
        return false;
    if (intake->pair_count < intake->pairs_head.count)
        intake->pairs_head.batch = 0; /* one of its pairs goes */
    intake->pairs[intake->pair_count++] = *pair;
    return true;
}

bool intake_pairs_find(struct intake *intake, struct h128 hash)
{
    const struct known_pair *known = slot_of(intake, hash);
    return known->batch == intake->batch_number && h128_equal(known->hash, hash) &&
           use(intake, &known->pair);
}

/* The label of an attribute.  *plain is false when it is not one like others. */
static enum varve_status label_of(struct intake *intake, const struct varve_field *field,
                                  struct rowset_pair *pair, bool *plain, struct varve_err *err)
{
    struct varve_label label;
    uint32_t number;
    struct varve_err why;
    *pair = (struct rowset_pair){.ids = {0, 0}};
    if (field->value.type == VARVE_NULL)
        return VARVE_OK;
    *plain = field->name.size > 0 && field->name.size <= FACTS_NAME_MAX;
    if (!*plain)
        return VARVE_OK;
    TRY(facts_find(&intake->facts, FACTS_ANY_METRIC, field->name, &number, err));
    const struct fact *fact = &intake->facts.facts[number];
    if (fact->verdict == RULE_DROP)
        return VARVE_OK;
    TRY(intake_label(intake, fact, field->value, &label, err));
    *plain = !intake_is_own_scope(label.key, label.value);
    if (!*plain)
        return VARVE_OK;
    enum varve_status status = batch_pair(&intake->batch, &label, pair, &why);
    if (intake_is_final(status))
        return fail(err, status, why.place, "%s", why.message);
    *plain = status == VARVE_OK;
    return VARVE_OK;
}

enum varve_status
intake_pairs_add(struct intake *intake, struct h128 hash, const struct varve_field *field,
                 bool *plain, struct varve_err *err)
{
    struct known_pair known = {.hash = hash, .batch = intake->batch_number};
    *plain = true;
    TRY(label_of(intake, field, &known.pair, plain, err));
    if (!*plain)
        return VARVE_OK;
    *slot_of(intake, hash) = known;
    *plain = use(intake, &known.pair);
    return VARVE_OK;
}

enum varve_status intake_pairs_labels(struct intake *intake, struct h128 hash, uint32_t *labels,
                                      bool *plain, struct varve_err *err)
{
    struct varve_err why;
    enum varve_status status =
        batch_derive(&intake->batch, intake->base, intake->pairs, intake->pair_count, labels, &why);
    if (intake_is_final(status))
        return fail(err, status, why.place, "%s", why.message);
    *plain = status == VARVE_OK;
    return *plain ? intake_remember_labels(intake, hash, *labels, err) : VARVE_OK;
}
