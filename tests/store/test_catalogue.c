/* SPDX-License-Identifier: Apache-2.0
 *
 * test_catalogue.c -- the records of main.mdb: identity, state, days, names; and that
 * one which vanished, came back or was changed is found out (I1, I2).
 */
#include "store/catalogue.h"

#include <stdlib.h>
#include <string.h>

#include "../base/prng.h"
#include "../base/unit.h"
#include "base/bytes.h"
#include "base/str.h"
#include "scratch.h"

struct fixture {
    struct scratch scratch;
    struct mem mem;
    struct env *env;
    struct txn *txn;
    struct state state;
    struct varve_err err;
    char names[1024]; /* what was loaded, in order */
};

#define OK(call) assert_int_equal((call), VARVE_OK)

static void set_up(struct fixture *f)
{
    *f = (struct fixture){.state = {.first_seq = 1, .next_seq = 1, .epoch = 1}};
    scratch_make(&f->scratch);
    mem_init(&f->mem, NULL, 0);
    OK(env_open(&f->env, &f->mem, scratch_path(&f->scratch, "main.mdb"), ENV_CREATE, 0, &f->err));
    OK(env_begin_write(f->env, &f->txn, 1 << 20, &f->err));
}

static void tear_down(struct fixture *f)
{
    txn_abort(f->txn);
    env_close(f->env);
    assert_int_equal(atomic_load(&f->mem.used), 0);
    scratch_remove(&f->scratch);
}

static void next_txn(struct fixture *f)
{
    OK(txn_commit(f->txn, &f->err));
    OK(env_begin_write(f->env, &f->txn, 1 << 20, &f->err));
}

static struct env_key key_of(char letter)
{
    struct env_key key = {.size = 1};
    key.bytes[0] = (uint8_t)letter;
    return key;
}

/* ---- identity and state ----------------------------------------------------- */

static void test_identity(void **state)
{
    (void)state;
    struct fixture f;
    struct identity in = {.format = VARVE_FORMAT, .seed = 0x1234567890abcdef, .created = -7}, out;
    struct env_key key = key_of('A');
    set_up(&f);
    assert_int_equal(identity_get(f.txn, &out, &f.err), VARVE_CORRUPT); /* there is none */
    memset(in.id, 0x5a, sizeof in.id);
    OK(identity_put(f.txn, &in, &f.err));
    OK(identity_get(f.txn, &out, &f.err));
    assert_true(out.format == in.format && out.seed == in.seed && out.created == in.created);
    assert_memory_equal(out.id, in.id, sizeof in.id);
    in.format = VARVE_FORMAT + 1;
    OK(identity_put(f.txn, &in, &f.err));
    assert_int_equal(identity_get(f.txn, &out, &f.err), VARVE_VERSION);
    in.format = 0;
    OK(identity_put(f.txn, &in, &f.err));
    assert_int_equal(identity_get(f.txn, &out, &f.err), VARVE_CORRUPT);
    OK(txn_put(f.txn, &key, "varve\0\1\n\1\0\0\0", 12, &f.err)); /* cut off */
    assert_int_equal(identity_get(f.txn, &out, &f.err), VARVE_CORRUPT);
    OK(txn_put(f.txn, &key, "another program's", 17, &f.err));
    assert_int_equal(identity_get(f.txn, &out, &f.err), VARVE_CORRUPT);
    assert_non_null(strstr(f.err.message, "varve"));
    tear_down(&f);
}

/* I1: a state that a later commit did not write is an old one that came to light. */
static void test_state(void **state)
{
    (void)state;
    struct fixture f;
    struct state out;
    struct env_key other = key_of('X');
    set_up(&f);
    assert_int_equal(state_get(f.txn, &out, &f.err), VARVE_CORRUPT);
    f.state = (struct state){0, 3, 9, 5, 7, 8, 77, 2, 1, 4, -5};
    OK(state_put(f.txn, &f.state, &f.err));
    assert_int_equal(f.state.txnid, txn_id(f.txn));
    next_txn(&f);
    OK(state_get(f.txn, &out, &f.err));
    assert_memory_equal(&out, &f.state, sizeof out);
    OK(txn_put(f.txn, &other, "x", 1, &f.err));
    next_txn(&f);
    assert_int_equal(state_get(f.txn, &out, &f.err), VARVE_CORRUPT);
    assert_non_null(strstr(f.err.message, "meta page"));
    OK(state_get_any(f.txn, &out, &f.err));
    f.state.first_seq = 10; /* behind next_seq */
    OK(state_put(f.txn, &f.state, &f.err));
    next_txn(&f);
    assert_int_equal(state_get(f.txn, &out, &f.err), VARVE_CORRUPT);
    assert_non_null(strstr(f.err.message, "is not one"));
    tear_down(&f);
}

/* ---- days -------------------------------------------------------------------- */

#define DAYS 40

/* Records of days -20 .. 19 and tables 0 .. 2, kept beside the store's. */
struct mirror {
    struct day_record day[DAYS][3];
};

static void change_some(struct fixture *f, struct mirror *mirror, struct prng *prng)
{
    int day = (int)prng_below(prng, DAYS), table = (int)prng_below(prng, 3);
    struct day_record *now = &mirror->day[day][table], old = *now;
    const struct day_record *before = old.rows ? &old : NULL;
    if (before && prng_below(prng, 3) == 0) {
        OK(catalogue_remove(f->txn, &f->state, before, &f->err));
        now->rows = 0;
        return;
    }
    *now = (struct day_record){.day = day - 20,
                               .table = (uint32_t)table,
                               .file_generation = (uint32_t)prng_below(prng, 9),
                               .generation = prng_next(prng),
                               .watermark = prng_next(prng),
                               .rows = 1 + prng_below(prng, 1000),
                               .points = prng_next(prng),
                               .series = prng_next(prng),
                               .bytes = prng_next(prng),
                               .first = (int64_t)prng_next(prng),
                               .last = (int64_t)prng_next(prng)};
    OK(catalogue_put(f->txn, &f->state, before, now, &f->err));
}

static bool same_day(const struct day_record *a, const struct day_record *b)
{
    return a->day == b->day && a->table == b->table && a->file_generation == b->file_generation &&
           a->generation == b->generation && a->watermark == b->watermark && a->rows == b->rows &&
           a->points == b->points && a->series == b->series && a->bytes == b->bytes &&
           a->first == b->first && a->last == b->last;
}

static void compare_all(struct fixture *f, const struct mirror *mirror)
{
    struct catalogue *c;
    size_t count = 0;
    OK(catalogue_load(f->txn, &f->state, &f->mem, NULL, &c, &f->err));
    for (int day = 0; day < DAYS; day++) {
        assert_true(catalogue_from(c, day - 20) == count);
        for (uint32_t table = 0; table < 3; table++) {
            const struct day_record *want = &mirror->day[day][table];
            const struct day_record *got = catalogue_find(c, day - 20, table);
            assert_true((got != NULL) == (want->rows > 0));
            if (got)
                assert_true(same_day(got, want));
            count += got != NULL;
        }
    }
    assert_int_equal(c->count, count);
    assert_null(catalogue_find(c, DAYS, 0));
    struct catalogue *held = catalogue_hold(c);
    catalogue_drop(c);
    assert_int_equal(held->count, count);
    catalogue_drop(held);
}

static void test_days(void **state)
{
    (void)state;
    struct fixture f;
    static struct mirror mirror;
    struct prng prng = prng_start(11);
    set_up(&f);
    for (int i = 0; i < 400; i++) {
        change_some(&f, &mirror, &prng);
        if (i % 20 == 0)
            compare_all(&f, &mirror);
    }
    compare_all(&f, &mirror);
    catalogue_drop(NULL);
    tear_down(&f);
}

/* I2: a record that is gone, or that is another than the state knows of. */
static void test_days_damaged(void **state)
{
    (void)state;
    struct fixture f;
    struct catalogue *c;
    struct day_record d = {.day = 3, .table = 0, .generation = 1, .rows = 5}, e = d;
    set_up(&f);
    e.day = 4;
    OK(catalogue_put(f.txn, &f.state, NULL, &d, &f.err));
    struct state before = f.state;
    OK(catalogue_put(f.txn, &f.state, NULL, &e, &f.err));
    OK(catalogue_load(f.txn, &f.state, &f.mem, NULL, &c, &f.err));
    catalogue_drop(c);
    assert_int_equal(catalogue_load(f.txn, &before, &f.mem, NULL, &c, &f.err), VARVE_CORRUPT);
    struct state scratch = f.state; /* a record that an older commit had: right count, wrong sum */
    e.generation = 2;
    OK(catalogue_put(f.txn, &scratch, NULL, &e, &f.err));
    assert_int_equal(catalogue_load(f.txn, &f.state, &f.mem, NULL, &c, &f.err), VARVE_CORRUPT);
    struct env_key key = {.size = 9};
    key.bytes[0] = 'C';
    store64be(key.bytes + 1, (uint64_t)(3u ^ 0x80000000u) << 32);
    OK(txn_delete(f.txn, &key, &f.err));
    assert_int_equal(catalogue_load(f.txn, &f.state, &f.mem, NULL, &c, &f.err), VARVE_CORRUPT);
    assert_non_null(strstr(f.err.message, "1 records where the state says 2"));
    OK(txn_put(f.txn, &key, "short", 5, &f.err));
    assert_int_equal(catalogue_load(f.txn, &f.state, &f.mem, NULL, &c, &f.err), VARVE_CORRUPT);
    assert_non_null(strstr(f.err.message, "is not one"));
    tear_down(&f);
}

/* ---- names -------------------------------------------------------------------- */

static enum varve_status
see_table(void *context, uint32_t number, struct varve_str name, struct varve_err *err)
{
    struct fixture *f = context;
    size_t at = strlen(f->names);
    (void)err;
    snprintf(f->names + at, sizeof f->names - at, "T%u=%.*s ", number, STR_ARG(name));
    return VARVE_OK;
}

static enum varve_status see_metric(void *context, uint32_t number,
                                    const struct metric_record *metric, struct varve_err *err)
{
    struct fixture *f = context;
    size_t at = strlen(f->names);
    (void)err;
    snprintf(f->names + at, sizeof f->names - at, "M%u=%.*s[%.*s]%u,%u ", number,
             STR_ARG(metric->name), STR_ARG(metric->unit), metric->kind, metric->scale);
    return VARVE_OK;
}

static enum varve_status load_names(struct fixture *f)
{
    struct catalogue *c;
    const struct catalogue_names names = {see_table, see_metric, f};
    f->names[0] = '\0';
    TRY(catalogue_load(f->txn, &f->state, &f->mem, &names, &c, &f->err));
    catalogue_drop(c);
    return VARVE_OK;
}

static void test_names(void **state)
{
    (void)state;
    struct fixture f;
    struct metric_record cost = {STR("cost"), STR("USD"), VARVE_COUNTER, 9};
    struct metric_record load = {STR("load"), STR(""), VARVE_GAUGE, 0};
    char longest[257];
    set_up(&f);
    OK(table_put(f.txn, &f.state, 1, STR("api_request"), &f.err));
    OK(metric_put(f.txn, &f.state, 1, &cost, NULL, &f.err));
    OK(metric_put(f.txn, &f.state, 2, &load, NULL, &f.err));
    OK(table_put(f.txn, &f.state, 2, STR("größe"), &f.err));
    assert_true(f.state.tables == 2 && f.state.records == 4);
    OK(load_names(&f));
    assert_string_equal(f.names, "M1=cost[USD]1,9 M2=load[]2,0 T1=api_request T2=größe ");
    struct varve_str none = STR("");
    load.unit = STR("%"); /* filled in */
    OK(metric_put(f.txn, &f.state, 2, &load, &none, &f.err));
    assert_int_equal(f.state.records, 4);
    OK(load_names(&f));
    assert_string_equal(f.names, "M1=cost[USD]1,9 M2=load[%]2,0 T1=api_request T2=größe ");
    memset(longest, 'n', sizeof longest);
    load.name = (struct varve_str){longest, 257};
    assert_int_equal(metric_put(f.txn, &f.state, 3, &load, NULL, &f.err), VARVE_LIMIT);
    load.name.size = 256;
    load.unit = load.name;
    OK(metric_put(f.txn, &f.state, 3, &load, NULL, &f.err));
    OK(load_names(&f));
    tear_down(&f);
}

static void test_names_damaged(void **state)
{
    (void)state;
    const struct {
        const char *bytes;
        size_t size;
    } bad[] = {
        {"", 0},
        {"\1\0\0", 3},
        {"\1\0\0\0", 4},  /* no name */
        {"\0\0\0\0m", 5}, /* no such kind */
        {"\4\0\0\0m", 5},
        {"\1\1\0\0m", 5}, /* no such scale */
        {"\1\0\1\0m", 5}, /* the unit takes all */
        {"\1\0\xff\xff"
         "m",
         5},                 /* and more */
        {"\1\0\0\0\xff", 5}, /* no UTF-8 */
        {"\1\0\1\0\x80m", 6},
    };
    struct fixture f;
    struct env_key key = {.size = 9};
    key.bytes[0] = 'M';
    store64be(key.bytes + 1, 1);
    set_up(&f);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        OK(txn_put(f.txn, &key, bad[i].bytes, bad[i].size, &f.err));
        assert_int_equal(load_names(&f), VARVE_CORRUPT);
    }
    tear_down(&f);
}

static void test_seeds(void **state)
{
    (void)state;
    /* Checksums are bound to what they are of: every coordinate counts. */
    const uint64_t seeds[] = {segment_seed(1, 2, 3, 4), part_seed(1, 2, 3, 4),
                              segment_seed(9, 2, 3, 4), segment_seed(1, 9, 3, 4),
                              segment_seed(1, 2, 9, 4), segment_seed(1, 2, 3, 9),
                              segment_seed(1, -2, 3, 4)};
    for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++)
        for (size_t k = 0; k < i; k++)
            assert_true(seeds[i] != seeds[k]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_identity), cmocka_unit_test(test_state),
        cmocka_unit_test(test_days),     cmocka_unit_test(test_days_damaged),
        cmocka_unit_test(test_names),    cmocka_unit_test(test_names_damaged),
        cmocka_unit_test(test_seeds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
