/* SPDX-License-Identifier: Apache-2.0
 *
 * intake_labels.c -- which labels points have.
 *
 * Labels of resource and scope become the base set, from which the sets of points are derived.
 * A set is kept under the hash of the attributes' bytes and the number of the base set; equal
 * resources have equal base sets, so the next body of the same process finds all its label sets
 * where this one left them.  The base set itself is kept under the hash of the bytes of resource
 * and scope, if the door says it, unless something about them had to be told or rules tell metrics
 * apart.
 */
#include "ingest/intake_private.h"

bool intake_is_own_scope(struct varve_str name, struct varve_str value)
{
    struct varve_str own = STR(OWN_SCOPE);
    return str_equal(name, STR("otel.scope.name")) && value.size >= own.size &&
           memcmp(value.data, own.data, own.size) == 0;
}

enum varve_status
intake_label(struct intake *intake, const struct fact *fact, struct varve_value value,
             struct varve_label *label, struct varve_err *err)
{
    struct varve_str text = intake_value_text(intake, value);
    if (fact->verdict == RULE_HASH && text.data)
        text = intake_hashed(intake, text);
    if (!text.data && text.size > 0)
        return fail_nomem(err, text.size);
    *label = (struct varve_label){fact->name, text};
    return VARVE_OK;
}

/* Adds a label to the count of them, or changes the one of that name. */
static enum varve_status add_label(struct intake *intake, const struct varve_field *field,
                                   size_t *count, struct varve_err *err)
{
    uint32_t number;
    TRY(facts_find(&intake->facts, intake->base_place, field->name, &number, err));
    struct fact *fact = &intake->facts.facts[number];
    struct varve_label label;
    if (fact->verdict == RULE_DROP)
        return VARVE_OK;
    TRY(intake_label(intake, fact, field->value, &label, err));
    if (fact->mark != intake->mark) {
        fact->mark = intake->mark;
        fact->at = (uint32_t)(*count)++;
    }
    intake->labels[fact->at] = label;
    return VARVE_OK;
}

/* *bad: a label has no name, or too long a one. */
static enum varve_status
add_labels(struct intake *intake, const struct varve_field *fields, size_t field_count,
           size_t *count, size_t *bad, struct varve_err *err)
{
    for (size_t i = 0; i < field_count; i++) {
        if (fields[i].value.type == VARVE_NULL)
            continue;
        if (fields[i].name.size == 0 || fields[i].name.size > FACTS_NAME_MAX)
            ++*bad;
        else
            TRY(add_label(intake, &fields[i], count, err));
    }
    return VARVE_OK;
}

static bool are_text(const struct varve_label *labels, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!str_is_utf8(labels[i].key) || !str_is_utf8(labels[i].value))
            return false;
    return true;
}

/* The same without those that cannot be labels, which are counted once a resource or scope. */
static enum varve_status
base_of_good_ones(struct intake *intake, size_t count, struct varve_err *err)
{
    struct varve_err why;
    uint32_t set = VARVE_NO_LABELS;
    for (size_t i = 0; i < count; i++) {
        const struct varve_label *label = &intake->labels[i];
        enum varve_status status = batch_labels(&intake->batch, set, label, 1, &set, &why);
        if (intake_is_final(status))
            return fail(err, status, why.place, "%s", why.message);
        if (status != VARVE_OK && !intake->base_was_told)
            intake_reject(intake, are_text(label, 1) ? REJECT_LABELS : REJECT_UTF8, 1, why.message);
    }
    intake->base_was_told = true;
    intake->base = set;
    return VARVE_OK;
}

static enum varve_status make_base(struct intake *intake, struct varve_err *err)
{
    size_t count = 0, bad = 0;
    intake_mark(intake);
    intake->base_place = FACTS_ANY_METRIC;
    if (rules_depend_on_source(intake->options.rules)) {
        uint32_t fact;
        struct varve_str name = intake->metrics[intake->metric].name;
        TRY(facts_find(&intake->facts, FACTS_METRICS, name, &fact, err));
        intake->base_place = fact + FACTS_PLACES;
    }
    TRY(add_labels(intake, intake->resource.fields, intake->resource.count, &count, &bad, err));
    TRY(add_labels(intake, intake->scope.fields, intake->scope.count, &count, &bad, err));
    if (bad > 0 && !intake->base_was_told)
        intake_reject(intake, REJECT_LABELS, bad,
                      "a resource has an attribute without a usable name");
    enum varve_status status =
        batch_labels(&intake->batch, VARVE_NO_LABELS, intake->labels, count, &intake->base, err);
    if (intake_is_final(status))
        return status;
    if (status != VARVE_OK)
        TRY(base_of_good_ones(intake, count, err));
    intake->base_was_told |= bad > 0;
    return VARVE_OK;
}

/* Label sets are told apart by what they are derived from, too. */
static struct h128 key_of_base(uint64_t base)
{
    return (struct h128){(base + 1) * 0x9e3779b97f4a7c15u, (base + 1) * 0xd6e8feb86659fd93u};
}

enum varve_status intake_base(struct intake *intake, struct varve_err *err)
{
    bool depends = rules_depend_on_source(intake->options.rules);
    if (intake->base_is_made && !depends)
        return VARVE_OK;
    TRY(make_base(intake, err));
    intake->base_key =
        key_of_base(intake->base | (uint64_t)(depends ? intake->metric + 1 : 0) << 32);
    intake->base_is_made = true;
    if (intake->around_is_named && !intake->base_was_told && !depends)
        TRY(hash_table_add(&intake->around_table, intake->around, intake->base, err));
    intake->around_is_named = false;
    return VARVE_OK;
}

bool intake_find_around(struct intake *intake, struct h128 hash)
{
    uint32_t base = hash_table_get(&intake->around_table, hash);
    if (base == HASH_NONE)
        return false;
    intake_forget_base(intake);
    intake->resource.count = intake->scope.count = 0;
    intake->base = base;
    intake->base_place = FACTS_ANY_METRIC;
    intake->base_key = key_of_base(base);
    intake->base_is_made = true;
    return true;
}

void intake_name_around(struct intake *intake, struct h128 hash)
{
    intake->around_is_named =
        !intake->around_is_odd && hash_table_get(&intake->around_table, hash) == HASH_NONE;
    intake->around = hash;
}

bool intake_find_labels(struct intake *intake, struct h128 hash, uint32_t *labels)
{
    struct h128 key = h128_add(hash, intake->base_key);
    size_t found = intake->labels_likely;
    if (found >= intake->labels_known_count || !h128_equal(intake->labels_known[found].key, key)) {
        found = hash_table_get(&intake->label_table, key);
        if (found == HASH_NONE)
            return false;
    }
    *labels = intake->labels_known[found].set;
    intake->labels_likely = found + 1;
    return true;
}

enum varve_status
intake_remember_labels(struct intake *intake, struct h128 hash, uint32_t set, struct varve_err *err)
{
    struct h128 key = h128_add(hash, intake->base_key);
    size_t count = intake->labels_known_count;
    if (hash_table_get(&intake->label_table, key) != HASH_NONE)
        return VARVE_OK;
    TRY(mem_grow(intake->mem, (void **)&intake->labels_known, &intake->labels_known_capacity,
                 count + 1, sizeof *intake->labels_known, err));
    TRY(hash_table_add(&intake->label_table, key, (uint32_t)count, err));
    intake->labels_known[count] = (struct known_labels){key, set};
    intake->labels_likely = ++intake->labels_known_count;
    return VARVE_OK;
}

/* Text formats have the scope among the labels; one of Claude Code's says nothing new. */
static size_t without_own_scope(struct varve_label *labels, size_t count)
{
    size_t kept = 0;
    bool is_own = false;
    for (size_t i = 0; i < count && !is_own; i++)
        is_own = intake_is_own_scope(labels[i].key, labels[i].value);
    for (size_t i = 0; is_own && i < count; i++)
        if (!str_equal(labels[i].key, STR("otel.scope.name")) &&
            !str_equal(labels[i].key, STR("otel.scope.version")))
            labels[kept++] = labels[i];
    return is_own ? kept : count;
}

enum varve_status
intake_labels(struct intake *intake, struct h128 hash, const struct varve_field *attributes,
              size_t count, uint32_t *labels, bool *usable, struct varve_err *err)
{
    size_t made = 0, bad = 0;
    struct varve_err why;
    *usable = false;
    if (count > LIMIT_ATTRIBUTES) {
        intake_reject(intake, REJECT_LABELS, 1, "a point has more labels than are kept");
        return VARVE_OK;
    }
    intake_mark(intake);
    if (!intake->base_is_made) { /* facts were forgotten, and the base has to do with them */
        TRY(intake_base(intake, err));
        intake_mark(intake);
    }
    TRY(add_labels(intake, attributes, count, &made, &bad, err));
    if (bad > 0) {
        intake_reject(intake, REJECT_LABELS, 1, "a label without a usable name");
        return VARVE_OK;
    }
    made = without_own_scope(intake->labels, made);
    enum varve_status status =
        batch_labels(&intake->batch, intake->base, intake->labels, made, labels, &why);
    if (intake_is_final(status))
        return fail(err, status, why.place, "%s", why.message);
    if (status != VARVE_OK) {
        intake_reject(intake, are_text(intake->labels, made) ? REJECT_LABELS : REJECT_UTF8, 1,
                      why.message);
        return VARVE_OK;
    }
    *usable = true;
    return intake_remember_labels(intake, hash, *labels, err);
}
