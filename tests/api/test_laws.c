/* SPDX-License-Identifier: Apache-2.0
 *
 * test_laws.c -- the laws of docs/invariants.md, as properties of random histories.
 *
 * A history appends the batches of a random world in some order, sends some of them again,
 * seals, compacts and opens anew in between.  After its steps the store has to answer as the
 * model does: rows, sums of runs, sums by decoding, over random ranges, filters and groups.
 *
 *     VARVE_TEST_SEED    repeats the round with that seed (and those after it)
 *     VARVE_TEST_ROUNDS  that many rounds of each test
 */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/unit.h"
#include "../faults/files.h"
#include "ask.h"
#include "world.h"

#define HOUR INT64_C(3600000000000)
#define DAY (24 * HOUR)

static uint64_t round_seed;

static unsigned rounds(unsigned usual)
{
    const char *text = getenv("VARVE_TEST_ROUNDS");
    return text && *text ? (unsigned)strtoul(text, NULL, 0) : usual;
}

/* The seed of a round: the printed one, counted up. */
static struct prng round_start(const char *test, uint64_t usual, unsigned number)
{
    const char *text = getenv("VARVE_TEST_SEED");
    round_seed = (text && *text ? strtoull(text, NULL, 0) : usual) + number;
    if (number == 0 || (text && *text))
        printf("# %s: VARVE_TEST_SEED=%" PRIu64 "\n", test, round_seed);
    return (struct prng){round_seed};
}

/* ---- comparing --------------------------------------------------------- */

static void print_row(const char *who, const struct row_answer *row)
{
    char text[80];
    exact_text(row->value, text);
    print_error("%s: (%lld, %lld] %s\n%s", who, (long long)row->start, (long long)row->end, text,
                row->labels.text);
}

static void same_rows(const char *what, const char *source, const struct row_answer *want,
                      size_t want_count, const struct row_answer *got, size_t got_count)
{
    size_t i = 0;
    while (i < want_count && i < got_count && compare_row_answers(&want[i], &got[i]) == 0)
        i++;
    if (i == want_count && i == got_count)
        return;
    print_error("seed %" PRIu64 ": %s of %s: %zu rows, should be %zu; from row %zu on:\n",
                round_seed, what, source, got_count, want_count, i);
    if (i < want_count)
        print_row("should be", &want[i]);
    if (i < got_count)
        print_row("is", &got[i]);
    fail_msg("rows differ");
}

static void same_groups(const char *what, const char *source, const struct group_answer *want,
                        size_t want_count, const struct group_answer *got, size_t got_count)
{
    size_t i = 0;
    while (i < want_count && i < got_count && compare_group_answers(&want[i], &got[i]) == 0 &&
           exact_compare(want[i].sum, got[i].sum) == 0 && want[i].points == got[i].points)
        i++;
    if (i == want_count && i == got_count)
        return;
    char a[80] = "nothing", b[80] = "nothing";
    if (i < want_count)
        exact_text(want[i].sum, a);
    if (i < got_count)
        exact_text(got[i].sum, b);
    fail_msg("seed %" PRIu64 ": %s of %s: %zu groups, should be %zu; group %zu: %s, should be %s; "
             "%llu points, should be %llu\n%s",
             round_seed, what, source, got_count, want_count, i, b, a,
             i < got_count ? (unsigned long long)got[i].points : 0,
             i < want_count ? (unsigned long long)want[i].points : 0,
             i < want_count ? want[i].labels.text : "");
}

/* ---- the store against the model --------------------------------------- */

struct range {
    int64_t since, until;
};

static struct range some_range(const struct world *world, struct prng *prng)
{
    uint64_t length = (uint64_t)(world->last - world->first + 2 * DAY);
    struct range r = {world->first - DAY + (int64_t)prng_below(prng, length),
                      world->first - DAY + (int64_t)prng_below(prng, length)};
    if (prng_below(prng, 3) == 0) {
        r.since -= r.since % DAY;
        r.until -= r.until % DAY;
    }
    if (prng_below(prng, 3) == 0)
        r.until = r.since + (int64_t)prng_below(prng, (uint64_t)HOUR);
    if (r.since > r.until) {
        int64_t t = r.since;
        r.since = r.until;
        r.until = t;
    }
    return r;
}

/* A filter on one label, and what it leaves of rows. */
struct filtering {
    struct varve_filter filter;
    struct varve_str values[2];
    struct labels texts[2];
};

static void
some_filter(struct filtering *f, const struct row_answer *rows, size_t count, struct prng *prng)
{
    const char *key = world_keys[prng_below(prng, world_key_count)];
    *f = (struct filtering){.filter = {.key = varve_str(key), .negate = (int)prng_below(prng, 2)}};
    for (int i = 0; i < 2; i++) {
        const char *value = count && prng_below(prng, 5)
                                ? labels_get(&rows[prng_below(prng, count)].labels, key)
                            : prng_below(prng, 2) ? "nobody"
                                                  : "";
        snprintf(f->texts[i].text, LABELS_TEXT, "%s", value);
        f->values[i] = varve_str(f->texts[i].text);
    }
    f->filter.values = f->values;
    f->filter.count = prng_below(prng, 3);
}

static size_t filter_rows(const struct filtering *f, struct row_answer *rows, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        char key[32];
        bool listed = false;
        snprintf(key, sizeof key, "%.*s", (int)f->filter.key.size, f->filter.key.data);
        for (size_t v = 0; v < f->filter.count; v++)
            listed |= strcmp(labels_get(&rows[i].labels, key), f->texts[v].text) == 0;
        if (listed != (f->filter.negate != 0))
            rows[kept++] = rows[i];
    }
    return kept;
}

/* By runs from headers, by runs decoded, and by rows: always the same groups. */
static void
check_groups(struct ask ask, const struct row_answer *want, size_t want_count, struct prng *prng)
{
    const char *keys[2] = {world_keys[prng_below(prng, world_key_count)],
                           world_keys[prng_below(prng, world_key_count)]};
    struct group_answer *expected, *groups;
    ask.keys = keys;
    ask.key_count = prng_below(prng, 3);
    if (ask.key_count == 2 && keys[0] == keys[1])
        ask.key_count = 1;
    size_t expected_count = group_rows(want, want_count, ask.keys, ask.key_count, &expected);
    for (unsigned flags = 0; flags <= VARVE_DECODE; flags += VARVE_DECODE) {
        ask.flags = flags;
        size_t count = ask_groups(&ask, &groups);
        same_groups(flags ? "decoded runs" : "runs", ask.source, expected, expected_count, groups,
                    count);
        free(groups);
    }
    free(expected);
}

static void check_range(varve_snapshot *snapshot, const char *source, const struct row_answer *all,
                        size_t all_count, struct range range, bool filtered, struct prng *prng)
{
    struct ask ask = {snapshot,        source, range.since, range.until, NULL, 0, world_keys,
                      world_key_count, 0};
    struct row_answer *got, *want = calloc(all_count + 1, sizeof *want);
    struct filtering filtering;
    size_t want_count = 0;
    assert_non_null(want);
    for (size_t i = 0; i < all_count; i++)
        if (all[i].end >= range.since && all[i].end < range.until)
            want[want_count++] = all[i];
    if (filtered) {
        some_filter(&filtering, all, all_count, prng);
        want_count = filter_rows(&filtering, want, want_count);
        ask.filters = &filtering.filter;
        ask.filter_count = 1;
    }
    size_t got_count = ask_rows(&ask, &got);
    same_rows(filtered ? "filtered rows" : "rows", source, want, want_count, got, got_count);
    check_groups(ask, want, want_count, prng);
    free(got);
    free(want);
}

static struct exact
increase(varve_snapshot *snapshot, const char *source, int64_t since, int64_t until)
{
    struct ask ask = {.snapshot = snapshot, .source = source, .since = since, .until = until};
    struct group_answer *groups;
    struct exact sum = {0, 0};
    if (ask_groups(&ask, &groups) > 0)
        sum = groups[0].sum;
    free(groups);
    return sum;
}

/* L2: increase(a, c) = increase(a, b) + increase(b, c). */
static void
check_additive(varve_snapshot *snapshot, const char *source, struct range r, struct prng *prng)
{
    int64_t middle = r.since + (int64_t)prng_below(prng, (uint64_t)(r.until - r.since + 1));
    struct exact whole = increase(snapshot, source, r.since, r.until);
    struct exact parts = increase(snapshot, source, r.since, middle);
    exact_add(&parts, increase(snapshot, source, middle, r.until));
    if (exact_compare(whole, parts) != 0)
        fail_msg("seed %" PRIu64 ": increase of %s is not additive at %lld", round_seed, source,
                 (long long)middle);
}

static void check_table(varve_snapshot *snapshot, const struct model *model, const char *table,
                        struct range range)
{
    struct event_answer *want, *got;
    struct ask ask = {snapshot,          table, range.since, range.until, NULL, 0, world_fields,
                      world_field_count, 0};
    size_t want_count = model_events(model, table, range.since, range.until, &want);
    size_t got_count = ask_events(&ask, &got);
    size_t i = 0;
    while (i < want_count && i < got_count && compare_event_answers(&want[i], &got[i]) == 0)
        i++;
    if (i != want_count || i != got_count)
        fail_msg("seed %" PRIu64 ": %zu events in %s, should be %zu; event %zu:\n%sshould be\n%s",
                 round_seed, got_count, table, want_count, i, i < got_count ? got[i].text : "",
                 i < want_count ? want[i].text : "");
    free(want);
    free(got);
}

/* Everything the snapshot can be asked, against the model. */
static void check_snapshot(varve_snapshot *snapshot, const struct model *model,
                           const struct world *world, struct prng *prng)
{
    const struct range all = {INT64_MIN, INT64_MAX};
    for (size_t m = 0; m < world_metric_count; m++) {
        const char *name = world_metrics[m].name;
        struct row_answer *rows;
        size_t count = model_rows(model, name, INT64_MIN, INT64_MAX, &rows);
        check_range(snapshot, name, rows, count, all, false, prng);
        check_range(snapshot, name, rows, count, some_range(world, prng), false, prng);
        check_range(snapshot, name, rows, count, some_range(world, prng), true, prng);
        check_additive(snapshot, name, some_range(world, prng), prng);
        free(rows);
    }
    for (size_t t = 0; t < world_table_count; t++) {
        check_table(snapshot, model, world_tables[t], all);
        check_table(snapshot, model, world_tables[t], some_range(world, prng));
    }
}

static void
check_store(varve *db, const struct model *model, const struct world *world, struct prng *prng)
{
    varve_snapshot *snapshot;
    struct varve_stats stats;
    MUST(varve_snapshot_open(db, &snapshot, &test_err));
    check_snapshot(snapshot, model, world, prng);
    varve_snapshot_close(snapshot);
    MUST(varve_stats(db, &stats, &test_err));
    if (stats.points != model_points(model) || stats.events != model_event_count(model))
        fail_msg("seed %" PRIu64 ": %llu points and %llu events, should be %llu and %llu",
                 round_seed, (unsigned long long)stats.points, (unsigned long long)stats.events,
                 (unsigned long long)model_points(model),
                 (unsigned long long)model_event_count(model));
}

/* ---- histories ---------------------------------------------------------- */

struct history {
    struct prng prng;
    char path[FILES_PATH];
    struct varve_options options;
    varve *db;
    struct model *model;
    struct world world;
    size_t sent;
    /* L9: a snapshot taken at some time, what it has to answer, and a scan half read */
    varve_snapshot *held;
    struct model *held_model;
    struct slow_scan slow;
    const char *slow_source;
};

static struct world_shape some_shape(struct prng *prng)
{
    const int64_t lateness[] = {0, HOUR / 60, HOUR, 2 * DAY};
    struct world_shape shape = {.sessions = 1 + (unsigned)prng_below(prng, 14),
                                .days = 1 + (unsigned)prng_below(prng, 40),
                                .lateness = lateness[prng_below(prng, 4)],
                                .shuffled = prng_below(prng, 4) == 0};
    if (prng_below(prng, 6) == 0) {
        shape.dense = true;
        shape.sessions = 2;
    }
    return shape;
}

static void history_open(struct history *h, struct prng prng, const struct world_shape *shape)
{
    *h = (struct history){.prng = prng, .options = {.flags = VARVE_CREATE}};
    files_temp(h->path, "varve-laws");
    if (prng_below(&h->prng, 3) == 0)
        h->options.seal_rows = 1 + prng_below(&h->prng, 300);
    else
        h->options.flags |= VARVE_NO_AUTOSEAL;
    struct world_shape some = some_shape(&h->prng);
    world_make(&h->world, &h->prng, shape ? shape : &some);
    h->model = model_new();
    MUST(varve_open(h->path, &h->options, &h->db, &test_err));
}

static void history_let_go(struct history *h)
{
    if (!h->held)
        return;
    struct row_answer *rows, *want;
    size_t count = slow_scan_finish(&h->slow, &rows);
    size_t want_count = model_rows(h->held_model, h->slow_source, INT64_MIN, INT64_MAX, &want);
    same_rows("slowly read rows", h->slow_source, want, want_count, rows, count);
    free(rows);
    free(want);
    check_snapshot(h->held, h->held_model, &h->world, &h->prng);
    varve_snapshot_close(h->held);
    model_free(h->held_model);
    h->held = NULL;
}

static void history_hold(struct history *h)
{
    history_let_go(h);
    MUST(varve_snapshot_open(h->db, &h->held, &test_err));
    h->held_model = model_copy(h->model);
    h->slow_source = world_metrics[prng_below(&h->prng, world_metric_count)].name;
    struct ask ask = {h->held, h->slow_source, INT64_MIN,       INT64_MAX, NULL,
                      0,       world_keys,     world_key_count, 0};
    slow_scan_open(&h->slow, &ask);
}

static void history_reopen(struct history *h)
{
    history_let_go(h);
    varve_close(h->db);
    MUST(varve_open(h->path, &h->options, &h->db, &test_err));
}

static void history_close(struct history *h)
{
    history_let_go(h);
    varve_close(h->db);
    model_free(h->model);
    world_free(&h->world);
    files_remove(h->path);
}

static void step_append(struct history *h)
{
    size_t left = h->world.count - h->sent;
    size_t most = prng_below(&h->prng, 4) ? 40 : 1500;
    size_t n = 1 + (size_t)prng_below(&h->prng, left < most ? left : most);
    world_send(&h->world, h->db, h->sent, h->sent + n, NULL);
    world_tell(&h->world, h->model, h->sent, h->sent + n);
    h->sent += n;
}

/* L3: what was sent, or a part of it, once more.  What is new of it is nothing. */
static void step_again(struct history *h)
{
    struct varve_appended a;
    if (h->sent == 0)
        return;
    size_t from = (size_t)prng_below(&h->prng, h->sent);
    size_t n = 1 + (size_t)prng_below(&h->prng, h->sent - from < 200 ? h->sent - from : 200);
    world_send(&h->world, h->db, from, from + n, &a);
    assert_int_equal(a.points, 0);
    assert_int_equal(a.events, 0);
    assert_int_equal(a.baselines, 0);
    assert_int_equal(a.duplicates, n);
}

static void step_house(struct history *h)
{
    struct range r = some_range(&h->world, &h->prng);
    switch (prng_below(&h->prng, 4)) {
    case 0:
        MUST(varve_seal(h->db, INT64_MAX, NULL, &test_err));
        break;
    case 1:
    case 2:
        MUST(varve_seal(h->db, r.until, NULL, &test_err));
        break;
    default:
        MUST(varve_compact(h->db, NULL, &test_err));
    }
}

static void run_history(struct history *h)
{
    unsigned steps = 0;
    while (h->sent < h->world.count) {
        uint64_t dice = prng_below(&h->prng, 100);
        if (dice < 60)
            step_append(h);
        else if (dice < 75)
            step_again(h);
        else if (dice < 85)
            step_house(h);
        else if (dice < 90)
            history_hold(h);
        else if (dice < 93)
            history_reopen(h);
        else if (++steps % 3 == 0)
            check_store(h->db, h->model, &h->world, &h->prng);
        if (h->held)
            slow_scan_step(&h->slow);
    }
    check_store(h->db, h->model, &h->world, &h->prng);
    MUST(varve_seal(h->db, INT64_MAX, NULL, &test_err));
    check_store(h->db, h->model, &h->world, &h->prng);
    history_let_go(h);
    MUST(varve_compact(h->db, NULL, &test_err));
    history_reopen(h);
    check_store(h->db, h->model, &h->world, &h->prng);
}

static void verify_sound(const char *path)
{
    struct varve_verified verified;
    MUST(varve_verify(path, NULL, NULL, &verified, &test_err));
    assert_int_equal(verified.findings, 0);
}

static void test_histories(void **state)
{
    (void)state;
    for (unsigned i = 0; i < rounds(20); i++) {
        struct history h;
        history_open(&h, round_start("histories", 1000, i), NULL);
        run_history(&h);
        varve_close(h.db);
        verify_sound(h.path);
        MUST(varve_open(h.path, &h.options, &h.db, &test_err));
        history_close(&h);
    }
}

/* L3, L6: the same points in another order, in other batches, are the same rows and sums. */
static void test_any_order(void **state)
{
    (void)state;
    for (unsigned i = 0; i < rounds(6); i++) {
        struct history h;
        struct prng prng = round_start("any order", 2000, i);
        struct world_shape shape = {6, 30, 0, false, false};
        history_open(&h, prng, &shape);
        run_history(&h);
        struct model *first = h.model;
        h.model = model_new();
        struct world other = h.world;
        h.world.items = malloc(other.count * sizeof *other.items);
        assert_non_null(h.world.items);
        memcpy(h.world.items, other.items, other.count * sizeof *other.items);
        for (size_t k = h.world.count; k-- > 1;) { /* all of it, but what must be in order */
            size_t with = (size_t)prng_below(&h.prng, k + 1);
            struct item *a = &h.world.items[k], *b = &h.world.items[with], swap = *a;
            if ((a->metric && a->metric->in_order) || (b->metric && b->metric->in_order))
                continue;
            *a = *b;
            *b = swap;
        }
        world_free(&other);
        varve_close(h.db);
        files_remove(h.path);
        MUST(varve_open(h.path, &h.options, &h.db, &test_err));
        h.sent = 0;
        run_history(&h);
        check_store(h.db, first, &h.world, &h.prng);
        model_free(first);
        history_close(&h);
    }
}

/* ---- forgetting ---------------------------------------------------------- */

/* Counters that live across the floor have no exact answer: they stay out. */
static void leave_out_cumulative(struct world *world)
{
    size_t kept = 0;
    for (size_t i = 0; i < world->count; i++)
        if (!world->items[i].metric || world->items[i].metric->temporality != VARVE_CUMULATIVE)
            world->items[kept++] = world->items[i];
    world->count = kept;
}

static void step_forget(struct history *h)
{
    int64_t before = h->world.first + (int64_t)prng_below(&h->prng, (uint64_t)(20 * DAY));
    MUST(varve_retain(h->db, before, NULL, &test_err));
    model_forget(h->model, before);
}

/* What is forgotten is gone, what comes for it later is not taken, and a snapshot still has it. */
static void test_forgetting(void **state)
{
    (void)state;
    for (unsigned i = 0; i < rounds(8); i++) {
        struct history h;
        history_open(&h, round_start("forgetting", 5000, i), NULL);
        leave_out_cumulative(&h.world);
        while (h.sent < h.world.count) {
            uint64_t dice = prng_below(&h.prng, 100);
            if (dice < 60)
                step_append(&h);
            else if (dice < 75)
                step_house(&h);
            else if (dice < 80)
                history_hold(&h);
            else if (dice < 85)
                history_reopen(&h);
            else if (dice < 90)
                step_forget(&h);
            else
                check_store(h.db, h.model, &h.world, &h.prng);
            if (h.held)
                slow_scan_step(&h.slow);
        }
        step_forget(&h);
        check_store(h.db, h.model, &h.world, &h.prng);
        MUST(varve_compact(h.db, NULL, &test_err));
        check_store(h.db, h.model, &h.world, &h.prng);
        history_let_go(&h);
        varve_close(h.db);
        verify_sound(h.path);
        MUST(varve_open(h.path, &h.options, &h.db, &test_err));
        history_close(&h);
    }
}

/* ---- several writers ---------------------------------------------------- */

enum { WRITERS = 4 };

struct writer {
    pthread_t thread;
    struct history *history;
    struct prng prng;
    varve *db;
    size_t from, to;
};

/* Sends its share in batches, some of it twice, and something of the others' too. */
static void write_share(struct writer *w)
{
    const struct world *world = &w->history->world;
    for (size_t at = w->from; at < w->to;) {
        size_t n = 1 + (size_t)prng_below(&w->prng, 60);
        if (n > w->to - at)
            n = w->to - at;
        world_send(world, w->db, at, at + n, NULL);
        if (prng_below(&w->prng, 4) == 0)
            world_send(world, w->db, at, at + n / 2, NULL);
        at += n;
        if (prng_below(&w->prng, 12) == 0) {
            enum varve_status status = varve_seal(w->db, INT64_MAX, NULL, &test_err);
            if (status != VARVE_BUSY)
                MUST(status);
        }
    }
}

static void *writer_thread(void *context)
{
    write_share(context);
    return NULL;
}

struct reader {
    pthread_t thread;
    struct history *history;
    struct prng prng;
    atomic_bool stop;
    unsigned looks;
};

/* Looks on while others write: every snapshot is whole in itself, and stays what it was. */
static void *reader_thread(void *context)
{
    struct reader *r = context;
    struct history *h = r->history;
    do {
        varve_snapshot *snapshot;
        struct varve_stats stats;
        const char *source = world_metrics[prng_below(&r->prng, world_metric_count)].name;
        MUST(varve_snapshot_open(h->db, &snapshot, &test_err));
        struct exact before = increase(snapshot, source, INT64_MIN, INT64_MAX);
        check_additive(snapshot, source, some_range(&h->world, &r->prng), &r->prng);
        MUST(varve_stats(h->db, &stats, &test_err));
        struct exact after = increase(snapshot, source, INT64_MIN, INT64_MAX);
        assert_int_equal(exact_compare(before, after), 0);
        varve_snapshot_close(snapshot);
        r->looks++;
    } while (!r->stop);
    return NULL;
}

/* What must be in order stays out: it cannot be with several writers. */
static void leave_out_ordered(struct world *world)
{
    size_t kept = 0;
    for (size_t i = 0; i < world->count; i++)
        if (!world->items[i].metric || !world->items[i].metric->in_order)
            world->items[kept++] = world->items[i];
    world->count = kept;
}

static void share_out(struct history *h, struct writer writers[WRITERS])
{
    leave_out_ordered(&h->world);
    world_tell(&h->world, h->model, 0, h->world.count);
    h->sent = h->world.count;
    for (size_t i = 0; i < WRITERS; i++)
        writers[i] = (struct writer){.history = h,
                                     .prng = {prng_next(&h->prng)},
                                     .db = h->db,
                                     .from = h->world.count * i / WRITERS,
                                     .to = h->world.count * (i + 1) / WRITERS};
    /* Each begins a little before its share: two send the same at the same time. */
    for (size_t i = 1; i < WRITERS; i++)
        writers[i].from -= writers[i].from / 20;
}

static void finish_shared(struct history *h)
{
    check_store(h->db, h->model, &h->world, &h->prng);
    MUST(varve_seal(h->db, INT64_MAX, NULL, &test_err));
    history_reopen(h);
    check_store(h->db, h->model, &h->world, &h->prng);
    history_close(h);
}

static void test_threads(void **state)
{
    (void)state;
    for (unsigned i = 0; i < rounds(5); i++) {
        struct history h;
        struct writer writers[WRITERS];
        history_open(&h, round_start("threads", 3000, i), NULL);
        share_out(&h, writers);
        struct reader reader = {.history = &h, .prng = {prng_next(&h.prng)}};
        assert_int_equal(pthread_create(&reader.thread, NULL, reader_thread, &reader), 0);
        for (size_t k = 0; k < WRITERS; k++)
            assert_int_equal(pthread_create(&writers[k].thread, NULL, writer_thread, &writers[k]),
                             0);
        for (size_t k = 0; k < WRITERS; k++)
            pthread_join(writers[k].thread, NULL);
        reader.stop = true;
        pthread_join(reader.thread, NULL);
        assert_true(reader.looks > 0);
        finish_shared(&h);
    }
}

static void child_writes(struct writer *w)
{
    if (varve_open(w->history->path, &w->history->options, &w->db, &test_err) != VARVE_OK) {
        fprintf(stderr, "child: %s: %s\n", test_err.place, test_err.message);
        _exit(2);
    }
    write_share(w);
    varve_close(w->db);
    _exit(0);
}

static void test_forked(void **state)
{
    (void)state;
    for (unsigned i = 0; i < rounds(5); i++) {
        struct history h;
        struct writer writers[WRITERS];
        pid_t children[WRITERS];
        history_open(&h, round_start("forked", 4000, i), NULL);
        share_out(&h, writers);
        fflush(stdout);
        for (size_t k = 0; k < WRITERS; k++) {
            children[k] = fork();
            assert_true(children[k] >= 0);
            if (children[k] == 0)
                child_writes(&writers[k]);
        }
        for (size_t k = 0; k < WRITERS; k++) {
            int how = -1;
            assert_int_equal(waitpid(children[k], &how, 0), children[k]);
            assert_int_equal(how, 0);
        }
        finish_shared(&h);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_histories),  cmocka_unit_test(test_any_order),
        cmocka_unit_test(test_forgetting), cmocka_unit_test(test_threads),
        cmocka_unit_test(test_forked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
