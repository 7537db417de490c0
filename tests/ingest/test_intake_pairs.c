/* SPDX-License-Identifier: Apache-2.0
 *
 * test_intake_pairs.c -- what doors may leave out changes nothing.
 *
 * Two intakes are told the same random telemetry: one everything, by intake_labels; the other as
 * the protobuf door does it, attributes by the hash of their bytes and resources by name.  What
 * they append and what they refuse must be the same, also for attributes that no label can be made
 * of, labels given twice, removed and inherited ones, rules, and small batches in between.
 */
#include "../base/prng.h"
#include "intake_unit.h"

#include <string.h>

enum { NAMES = 12, VALUES = 9, ROUNDS = 400, POINTS = 12, MOST = 8 };

static const char *const names[NAMES] = {"model", "type",        "user.id",   "session.id",
                                         "team",  "cost_center", "user_id",   "otel.scope.name",
                                         "",      "bad\xff",     "host.name", "secret"};

static struct varve_field random_field(struct prng *prng)
{
    static const char *const values[VALUES] = {
        "a", "b", "c", "", "com.anthropic.claude_code", "\xfe", "d", "e", "longer than eight"};
    const char *name = names[prng_below(prng, prng_below(prng, 4) ? 6 : NAMES)];
    switch (prng_below(prng, 12)) {
    case 0:
        return unit_int(name, (int64_t)prng_below(prng, 3));
    case 1:
        return unit_bool(name, prng_below(prng, 2) != 0);
    case 2:
        return (struct varve_field){unit_str(name), {.type = VARVE_NULL}};
    default:
        return unit_text(name, values[prng_below(prng, prng_below(prng, 6) ? 3 : VALUES)]);
    }
}

static size_t random_fields(struct prng *prng, struct varve_field fields[MOST])
{
    size_t count = prng_below(prng, MOST + 1);
    for (size_t i = 0; i < count; i++)
        fields[i] = random_field(prng);
    return count;
}

/* As if it were the hash of the bytes that the field was sent as. */
static struct h128 hash_of(const struct varve_field *field)
{
    struct h128 hash = hash128(field->name.data, field->name.size, 1);
    hash.lo += (uint64_t)field->value.type * 77;
    if (field->value.type == VARVE_TEXT)
        return h128_pair(hash, hash128(field->value.as.s.data, field->value.as.s.size, 1));
    hash.hi += field->value.type == VARVE_NULL ? 0 : (uint64_t)field->value.as.i + 1;
    return hash;
}

static struct h128 hash_all(const struct varve_field *fields, size_t count)
{
    struct h128 hash = {count, 1};
    for (size_t i = 0; i < count; i++)
        hash = h128_pair(hash, hash_of(&fields[i]));
    return hash;
}

/* A point's attributes; of the first `head` a door knows that others begin with them, too. */
struct point {
    struct varve_field fields[MOST];
    size_t count, head;
};

/* Keeps some of the attributes that the point had. */
static void next_point(struct point *point, struct prng *prng)
{
    size_t kept = prng_below(prng, point->count + 1);
    struct varve_field fields[MOST];
    size_t count = random_fields(prng, fields);
    for (size_t i = kept; i < count; i++)
        point->fields[i] = fields[i];
    point->count = count > kept ? count : kept;
    if (point->head > kept || prng_below(prng, 4) == 0)
        point->head = prng_below(prng, point->count + 1);
}

static void labels_by_pairs(struct intake *intake, struct h128 hash, const struct point *point,
                            uint32_t *set, bool *plain)
{
    struct h128 head = hash_all(point->fields, point->head);
    size_t i = 0;
    *plain = intake_pairs_begin(intake);
    if (*plain && point->head > 0 && intake_pairs_again(intake, head))
        i = point->head;
    for (; *plain && i < point->count; i++) {
        const struct varve_field *field = &point->fields[i];
        if (!intake_pairs_find(intake, hash_of(field)))
            assert_int_equal(intake_pairs_add(intake, hash_of(field), field, plain, NULL),
                             VARVE_OK);
        if (*plain && i + 1 == point->head)
            intake_pairs_head(intake, head);
    }
    if (*plain)
        assert_int_equal(intake_pairs_labels(intake, hash, set, plain, NULL), VARVE_OK);
}

static void give_point(struct unit *unit, bool by_pairs, const struct point *point, int64_t at)
{
    struct h128 hash = hash_all(point->fields, point->count);
    struct varve_value one = {.type = VARVE_INT, .as.i = 1};
    uint32_t set;
    bool usable = intake_find_labels(unit->intake, hash, &set);
    if (!usable && by_pairs)
        labels_by_pairs(unit->intake, hash, point, &set, &usable);
    if (!usable)
        assert_int_equal(
            intake_labels(unit->intake, hash, point->fields, point->count, &set, &usable, NULL),
            VARVE_OK);
    if (usable)
        assert_int_equal(intake_number(unit->intake, set, UNIT_AT(at), UNIT_AT(at + 1), one, NULL),
                         VARVE_OK);
}

/* A resource of few different ones, with its scope. */
static void give_around(struct unit *unit, bool by_name, uint64_t which)
{
    struct prng prng = {which};
    struct varve_field fields[MOST], own[MOST];
    size_t count = random_fields(&prng, fields), own_count = random_fields(&prng, own);
    struct h128 hash = h128_pair(hash_all(fields, count), hash_all(own, own_count));
    if (by_name && intake_find_around(unit->intake, hash))
        return;
    assert_int_equal(intake_resource(unit->intake, fields, count, NULL), VARVE_OK);
    assert_int_equal(intake_scope(unit->intake, STR("com.anthropic.claude_code"), STR("2"), own,
                                  own_count, NULL),
                     VARVE_OK);
    if (by_name)
        intake_name_around(unit->intake, hash);
}

static void give_block(struct unit *unit, bool short_way, struct prng prng)
{
    static const char *const metrics[] = {"claude_code.token.usage", "claude_code.cost.usage"};
    struct point point = {.count = 0};
    bool wanted;
    give_around(unit, short_way, prng_below(&prng, 6));
    for (size_t m = 0; m < 2; m++) {
        struct intake_metric metric = {.name = unit_str(metrics[m]),
                                       .unit = STR(""),
                                       .shape = SHAPE_SUM,
                                       .temporality = VARVE_DELTA,
                                       .monotonic = true};
        assert_int_equal(intake_metric(unit->intake, &metric, &wanted, NULL), VARVE_OK);
        assert_true(wanted);
        for (int p = 0; p < POINTS; p++) {
            next_point(&point, &prng);
            give_point(unit, short_way, &point, p);
        }
    }
    assert_int_equal(intake_pause(unit->intake, NULL), VARVE_OK);
}

static void check_same(const char *rules, uint64_t batch_rows)
{
    struct unit whole = {.batch_rows = batch_rows}, quick = {.batch_rows = batch_rows};
    struct prng prng = prng_start(1);
    assert_int_equal(unit_open(&whole, NULL, rules), VARVE_OK);
    assert_int_equal(unit_open(&quick, NULL, rules), VARVE_OK);
    for (int round = 0; round < ROUNDS; round++) {
        give_block(&whole, false, prng);
        give_block(&quick, true, prng);
        prng_next(&prng);
    }
    unit_check_same(&whole, &quick);
    assert_true(whole.size > 10000);
    assert_true(whole.report.counts[REJECT_LABELS] > 0 && whole.report.counts[REJECT_UTF8] > 0);
    unit_close(&quick);
    unit_close(&whole);
}

static void same_labels(void **state)
{
    (void)state;
    check_same("", 0);
    check_same("", 50);
}

static void same_labels_under_rules(void **state)
{
    (void)state;
    check_same("hash label user.id; drop label team", 100);
    check_same("drop label type in claude_code.token.usage; hash label model", 100);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_labels),
        cmocka_unit_test(same_labels_under_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
